#!/usr/bin/env python3
"""What a pass must not get wrong: renumbered folders, mass deletion on either
side, moves by others, folders made and removed on either side, other programs
on the Maildir, bodies that stay on the server."""

import os
import shutil

from device import SIGKILLED, Device, message, quiet
from harness import World, contains, equal, keep, main, test

world = keep(World(smtp="aiosmtpd"))
count = 0


class Account:
    """A fresh part of the mailbox: one device, and the server's own view.
    Users are taken in turn; folders of former tests stay."""

    def __init__(self, user, **options):
        self.server = keep(world.oracle(user))
        self.device = keep(Device(world, user, **options))
        self.user = user

    def fill(self, folder, first, last, **options):
        for number in range(first, last + 1):
            self.server.append(folder, received(number) + message(
                number, **options))

    def same(self):
        equal(self.device.snapshot(), self.server.snapshot())
        self.device.check()


def received(number):
    return ("Received: from a by b with LMTP id r%d; Mon, 23 Nov 2026 "
            "10:00:00 +0000\n" % number).encode()


def make_anew(server, folder):
    """The folder with the same messages under another UIDVALIDITY."""
    before = server.status(folder)["UIDVALIDITY"]
    server.rename(folder, folder + ".old")
    server.create(folder)
    server.copy(folder + ".old", server.uids(folder + ".old"), folder)
    server.select("INBOX")              # one that is selected cannot go
    server.delete(folder + ".old")
    assert server.status(folder)["UIDVALIDITY"] != before


@test("D10: a folder that is numbered anew keeps its mail, unfetched")
def d10_uidvalidity():
    ana = Account("ana")
    server, device = ana.server, ana.device
    server.create("Lists")
    ana.fill("Lists", 1, 200, body="x" * 20000 + "\n")
    device.sync()
    device.mark("m3@lab.test", "+flagged", add="work")
    device.sync()
    files = sorted(device.files())
    # Changes on both sides while the numbers change.
    device.mark("m4@lab.test", "+seen")
    device.move("m5@lab.test", "Lists", "Archive")
    device.expunge("Lists", "m6@lab.test")
    server.expunge("Lists", server.uids("Lists", 'SUBJECT "message 7"')[:1])
    make_anew(server, "Lists")
    ana.fill("Lists", 201, 201)
    done = device.sync()
    equal(done["matched"], 199, "found again")
    equal(done["bodies"], 1)
    assert done["bytes_in"] < 200 * 20000 * 0.05, done["bytes_in"]
    ana.same()
    flags = dict(device.snapshot()["Lists"])
    equal(flags["m3@lab.test"], ("\\Flagged", "work"))
    equal(flags["m4@lab.test"], ("\\Seen",))
    assert "m6@lab.test" not in flags and "m7@lab.test" not in flags
    kept = [f for f in sorted(device.files()) if f in files]
    assert len(kept) > 190, "files were written again"
    quiet(device.sync())


@test("D10: five changes in a row pause the folder until the user agrees")
def d10_five_times():
    ana = Account("ben")
    server, device = ana.server, ana.device
    server.create("Odd")
    ana.fill("Odd", 1, 3)
    device.sync()
    for _ in range(4):
        make_anew(server, "Odd")
        equal(device.sync()["told"], [])
    make_anew(server, "Odd")
    contains(" ".join(device.sync()["told"]), "anew 5 times")
    contains(device.folders()["Odd"]["notice"], "anew 5 times")
    quiet(device.sync())
    equal(len(device.snapshot()["Odd"]), 3)
    device.run("folder", "agree", "Odd")
    device.sync()
    ana.same()


@test("D11: mass deletion at the server stops, and asks")
def d11_server_side():
    ana = Account("carol")
    server, device = ana.server, ana.device
    ana.fill("INBOX", 1, 120)
    device.sync()
    server.expunge("INBOX", server.uids("INBOX")[:60])
    done = device.sync()
    contains(" ".join(done["told"]), "60 of 120 messages are gone")
    equal(done["removed"], 0)
    equal(len(device.snapshot()["INBOX"]), 120)
    # It stays so, while other folders go on.
    ana.fill("Archive", 121, 121)
    device.sync()
    equal(len(device.snapshot()["INBOX"]), 120)
    equal(len(device.snapshot()["Archive"]), 1)
    device.run("folder", "agree", "INBOX")
    equal(device.sync()["removed"], 60)
    ana.same()
    # What went is kept for a while.
    removed = os.path.join(device.store, "mail", ".removed", "cur")
    equal(len(os.listdir(removed)), 60)
    # Agreed once is not agreed for ever.
    ana.fill("INBOX", 200, 260)
    device.sync()
    server.expunge("INBOX", server.uids("INBOX")[:80])
    equal(device.sync()["removed"], 0)
    device.run("folder", "agree", "INBOX")
    device.sync()
    ana.same()


@test("D11: mass deletion here stops, and asks")
def d11_here():
    ana = Account("carol")
    server, device = ana.server, ana.device
    server.create("Bulk")
    ana.fill("Bulk", 300, 370)
    device.sync()
    device.expunge("Bulk", *["m%d@lab.test" % n for n in range(300, 360)])
    done = device.sync()
    contains(" ".join(done["told"]), "60 messages would be removed")
    equal(done["expunged"], 0)
    equal(len(server.uids("Bulk")), 71)
    device.run("folder", "agree", "Bulk")
    equal(device.sync()["expunged"], 60)
    ana.same()


@test("D11: a Maildir that has gone stops its folder, however small, and asks")
def d11_side_missing():
    ana = Account("carol")
    server, device = ana.server, ana.device
    server.create("Gone")
    ana.fill("Gone", 380, 390)
    device.sync()
    shutil.rmtree(os.path.join(device.store, "mail", "lab", "Gone"))
    done = device.sync()
    contains(" ".join(done["told"]), "has gone")
    # Nor does anything make it again, so that it looked emptied by hand.
    server.append("Gone", message(390))
    device.sync()
    device.sync()
    equal(len(server.uids("Gone")), 12)
    assert not os.path.exists(os.path.join(device.store, "mail", "lab", "Gone"))
    device.run("folder", "agree", "Gone")
    equal(device.sync()["bodies"], 12)
    equal(len(server.uids("Gone")), 12)
    ana.same()


@test("a move of half a folder by another client is no loss, and no download")
def moved_elsewhere():
    ana = Account("carol")
    server, device = ana.server, ana.device
    server.create("From")
    server.create("To")
    ana.fill("From", 400, 500, body="y" * 5000 + "\n")
    device.sync()
    device.mark("m401@lab.test", "+flagged", add="mine")
    device.mark("m402@lab.test", add="mine")
    server.move("From", server.uids("From")[:80], "To")
    done = device.sync()
    equal(done["told"], [])
    equal(done["bodies"], 0)
    # A server that names its messages is believed; else it is found out.
    if "OBJECTID" not in server.capabilities:
        equal(done["matched"], 80)
    equal(len(device.snapshot()["To"]), 80)
    device.sync()
    equal(dict(device.snapshot()["To"])["m401@lab.test"], ("\\Flagged", "mine"))
    equal(dict(device.snapshot()["To"])["m402@lab.test"], ("mine",))
    ana.same()


@test("folders: made, nested, renamed and removed here")
def folders_here():
    ana = Account("ben")
    server, device = ana.server, ana.device
    device.sync()
    for name in ("Projekte", "Projekte/Übung & Prüfung", "Projekte/日本語",
                 "Tom & Jerry"):
        device.run("folder", "create", name)
    device.append("Projekte/日本語", message(10), "S")
    device.sync()
    delimiter = "/" if "Projekte/日本語" in server.folders() else "."
    for name in ("Projekte", "Projekte/Übung & Prüfung", "Tom & Jerry"):
        contains(server.folders(), name.replace("/", delimiter))
        contains(server.subscribed(), name.replace("/", delimiter))
    ana.same() if delimiter == "/" else device.check()
    device.run("folder", "rename", "Projekte", "Arbeit")
    device.sync()
    contains(server.folders(), "Arbeit" + delimiter + "日本語")
    assert "Projekte" not in server.folders()
    equal(len(device.snapshot()["Arbeit/日本語"]), 1)
    device.run("folder", "delete", "Tom & Jerry")
    device.sync()
    assert "Tom & Jerry" not in server.folders()
    assert "Tom & Jerry" not in device.snapshot()
    quiet(device.sync())


@test("folders: made, renamed and removed at the server")
def folders_there():
    ana = Account("ben")
    server, device = ana.server, ana.device
    server.create("Étude")
    server.create("Unsubscribed", subscribe=False)
    ana.fill("Étude", 20, 24)
    device.sync()
    equal(len(device.snapshot()["Étude"]), 5)
    assert "Unsubscribed" not in device.snapshot()
    server.rename("Étude", "Études")
    server._do("subscribe", '"&AMk-tudes"')
    done = device.sync()
    equal(len(device.snapshot()["Études"]), 5)
    assert "Étude" not in device.snapshot()
    equal(done["bodies"], 0, "bodies fetched again for a renamed folder")
    server.select("INBOX")
    server.delete("Études")
    device.sync()
    assert "Études" not in device.snapshot()
    device.check()


@test("D11: a big folder that has gone from the server is kept, and asked about")
def d11_folder_gone():
    ana = Account("ben")
    server, device = ana.server, ana.device
    server.create("Big")
    ana.fill("Big", 600, 660)
    device.sync()
    server.select("INBOX")
    server.delete("Big")
    contains(" ".join(device.sync()["told"]), "has this folder no more")
    equal(len([row for row in device.list() if row["folder"] == "Big"]), 61)
    device.run("folder", "agree", "Big")
    device.sync()
    assert "Big" not in device.snapshot()
    device.check()


@test("D3: an upload whose answer was lost is not made again, wherever it is by now")
def upload_in_doubt():
    ana = Account("carol")
    server, device = ana.server, ana.device
    device.sync()
    for folder, number in (("Drafts", 50), ("Sent", 51)):
        device.append(folder, message(number), "S")
        code, _, _ = device.try_run("sync", fail="sync.append.record:kill")
        equal(code, SIGKILLED)
        equal(len(server.uids(folder, 'SUBJECT "message %d"' % number)), 1)
    # One stays where it was put; the other is moved before we look again.
    server.move("Drafts", server.uids("Drafts", 'SUBJECT "message 50"'),
                "Archive")
    equal(device.sync()["uploaded"], 0)
    ana.same()
    equal(sorted(f for f, rows in server.snapshot().items() for row in rows
                 if row[0] in ("m50@lab.test", "m51@lab.test")),
          ["Archive", "Sent"])
    quiet(device.sync())


@test("another program's changes to the Maildir reach the server")
def foreign_maildir():
    ana = Account("ana")
    server, device = ana.server, ana.device
    server.create("Mutt")
    ana.fill("Mutt", 700, 709)
    device.sync()
    where = os.path.join(device.store, "mail", "lab", "Mutt")
    files = {}
    for name in os.listdir(os.path.join(where, "cur")):
        with open(os.path.join(where, "cur", name)) as text:
            files[text.read().split("Message-ID: <")[1].split("@")[0]] = name

    def path(name):
        return os.path.join(where, "cur", name)
    os.rename(path(files["m700"]), path(files["m700"].split(":")[0] + ":2,FS"))
    os.rename(path(files["m701"]), path(files["m701"].split(":")[0] + ":2,R"))
    os.unlink(path(files["m702"]))
    device.mark("m701@lab.test", "+seen")
    with open(os.path.join(where, "new", "1.2.other"), "wb") as out:
        out.write(message(750))
    device.sync()
    truth = dict(server.snapshot()["Mutt"])
    equal(truth["m700@lab.test"], ("\\Flagged", "\\Seen"))
    equal(truth["m701@lab.test"], ("\\Answered", "\\Seen"))
    equal("m702@lab.test" in truth, False)
    equal("m750@lab.test" in truth, True)
    ana.same()
    # And the names say what is wanted, for the other program to see.
    device.mark("m703@lab.test", "+flagged")
    device.sync()
    assert any(name.endswith(":2,F") and name.startswith(
        files["m703"].split(":")[0]) for name in os.listdir(where + "/cur"))
    quiet(device.sync())


@test("bodies outside of the policy stay on the server until they are opened")
def policy():
    ana = Account("carol", keep="0 4000")
    server, device = ana.server, ana.device
    server.create("Sizes")
    ana.fill("Sizes", 800, 803)
    ana.fill("Sizes", 810, 812, body="z" * 9000 + "\n")
    device.sync()
    rows = {row["id"]: row for row in device.list()
            if row["folder"] == "Sizes"}
    equal(len(rows), 7)
    equal(sorted(i for i, row in rows.items() if not row["cached"]),
          ["m810@lab.test", "m811@lab.test", "m812@lab.test"])
    quiet(device.sync())
    device.run("fetch", "m811@lab.test")
    cached = {row["id"]: row["cached"] for row in device.list()}
    equal((cached["m811@lab.test"], cached["m812@lab.test"]), (True, False))
    # A message that is not here can be moved and marked all the same.
    device.move("m812@lab.test", "Sizes", "Archive")
    device.mark("m810@lab.test", "+seen")
    device.sync()
    ana.same()


@test("a dry run says what would be done, and does nothing")
def dry_run():
    ana = Account("ana")
    server, device = ana.server, ana.device
    server.create("Dry")
    ana.fill("Dry", 900, 903)
    device.sync()
    device.mark("m900@lab.test", "+seen")
    device.move("m901@lab.test", "Dry", "Archive")
    server.flag("Dry", server.uids("Dry", 'SUBJECT "message 902"'),
                "+\\Flagged")
    ana.fill("Dry", 904, 904)
    truth, before = server.snapshot(), device.list()
    planned = "\n".join(device.sync("--dry-run")["planned"])
    for words in ("mark 1 message on the server +seen", "move 1 message",
                  "take the flags of 1 message", "fetch 1 new message"):
        contains(planned, words)
    equal(server.snapshot(), truth)
    equal(device.list(), before)
    device.sync()
    ana.same()


@test("D11: the command says what it holds back, and sync --agree lets it go")
def d11_command():
    home = keep(world.home("ben"))
    with world.oracle("ben") as server:
        for number in range(400, 520):
            server.append("INBOX", received(number) + message(number))
        home.ok("sync")
        before = len(home.json("list", "--limit", "0"))
        server.expunge("INBOX", server.uids("INBOX")[-60:])
    contains(home.run("sync").errors, "until you agree")
    equal(len(home.json("list", "--limit", "0")), before)
    home.ok("sync", "--agree", "INBOX")
    equal(len(home.json("list", "--limit", "0")), before - 60)
    home.fails(66, "sync", "--agree", "nowhere")


if __name__ == "__main__":
    main()
