#!/usr/bin/env python3
"""Servers that cannot be had here, played by a script that keeps mail
(tests/lab/mailstore.py): Gmail, Exchange, Courier, one with OBJECTID, one that
lists what it does not give, and one with 5,000 hostile folder names."""

import os
import random
import sqlite3
import tempfile
import types

from harness import contains, equal, keep, main, note, temporary, test
import badcerts
from device import Device, message, quiet
from fake import Fake
from mailstore import Folder, Mailstore

NAMES = 5000
certificates = badcerts.make(tempfile.mkdtemp(dir=temporary()))


class Account:
    """A device on a scripted server."""

    def __init__(self, store, **options):
        self.store = store
        fake = keep(Fake(store, tls="implicit",
                         certificate=certificates["good"]))
        spec = types.SimpleNamespace(
            host="localhost", password="secret", ports={"imaps": fake.port},
            ca=os.path.join(os.path.dirname(certificates["good"].cert),
                            "lab-ca.pem"))
        self.device = keep(Device(types.SimpleNamespace(spec=spec), "ana",
                                  **options))

    def database(self, query, *values):
        with sqlite3.connect(os.path.join(self.device.store,
                                          "postrider.db")) as db:
            return db.execute(query, values).fetchall()


def received(number, subject=None):
    return (b"Received: from a by b with LMTP id r%d; Mon, 23 Nov 2026 "
            b"10:00:00 +0000\n" % number) + message(number, subject=subject)


@test("Gmail: what lies under several labels is fetched once")
def gmail():
    store = Mailstore("IMAP4rev1 UIDPLUS MOVE X-GM-EXT-1 SPECIAL-USE")
    for name, role in ((b"All Mail", b"\\All"), (b"Sent Mail", b"\\Sent"),
                       (b"Trash", b"\\Trash"), (b"Starred", b"\\Flagged"),
                       (b"Important", b"\\Important")):
        store.folders[b"[Gmail]/" + name] = Folder([role])
    store.folders[b"[Gmail]"] = Folder([b"\\Noselect"])
    store.folders[b"work"] = Folder()
    for number in range(1, 41):
        for name in [b"[Gmail]/All Mail"] + [b"INBOX"] * (number % 2) + [
                b"work"] * (number % 3 == 0) + [b"[Gmail]/Starred"]:
            store.add(name, received(number), ident=b"%d" % (9000 + number))
    ana = Account(store)
    done = ana.device.sync()
    equal(done["bodies"], 40)
    held = ana.device.snapshot()
    equal((len(held["[Gmail]/All Mail"]), len(held["INBOX"])), (40, 20))
    assert "[Gmail]/Starred" not in held and "[Gmail]/Important" not in held
    inodes = {os.stat(path).st_ino for path in ana.device.files()}
    equal(len(inodes), 40, "files")
    # Deleted here: into Trash, and there only.
    ana.device.delete("m1@lab.test", "INBOX")
    ana.device.sync()
    equal(len(store.folders[b"[Gmail]/Trash"].mails), 1)
    equal(len(store.folders[b"INBOX"].mails), 19)
    quiet(ana.device.sync())


@test("Exchange: sizes that are wrong, no keywords, few STATUS at once")
def exchange():
    store = Mailstore("IMAP4rev1 UIDPLUS MOVE", keywords=False,
                      greeting=b"* OK The Microsoft Exchange IMAP4 service "
                      b"is ready.\r\n")
    for number in range(1, 21):
        store.add(b"INBOX", received(number)).size = 5 + number
    for number in range(60):
        store.folders[b"F%d" % number] = Folder()
    ana = Account(store)
    equal(ana.device.sync()["bodies"], 20)
    ana.device.mark("m1@lab.test", "+flagged", add="mine")
    contains(" ".join(ana.device.sync()["told"]), "keep tags here only")
    equal(store.folders[b"INBOX"].mails[0].flags, {b"\\Flagged"})
    # Numbered anew, with other estimates: nothing is fetched, the tag stays.
    store.folders[b"INBOX"].uidvalidity += 1
    for mail in store.folders[b"INBOX"].mails:
        mail.uid += 100
        mail.size += 1
    store.folders[b"INBOX"].uidnext += 100
    done = ana.device.sync()
    equal((done["bodies"], done["matched"], done["removed"]), (0, 20, 0))
    contains(dict(ana.device.snapshot()["INBOX"])["m1@lab.test"], "mine")


@test("Courier: everything below INBOX.")
def courier():
    store = Mailstore("IMAP4rev1 UIDPLUS NAMESPACE", prefix=b"INBOX.",
                      delimiter=b".", greeting=b"* OK Courier-IMAP ready. "
                      b"Copyright 1998-2018 Double Precision, Inc.\r\n")
    for name in (b"INBOX.Sent", b"INBOX.Lists", b"INBOX.Lists.dev"):
        store.folders[name] = Folder()
    store.add(b"INBOX.Lists.dev", received(1))
    ana = Account(store)
    ana.device.sync()
    equal(sorted(ana.device.snapshot()), ["INBOX", "Lists", "Lists/dev",
                                          "Sent"])
    ana.device.run("folder", "create", "Lists/new")
    ana.device.run("folder", "rename", "Lists/dev", "Lists/old")
    ana.device.sync()
    contains(store.folders, b"INBOX.Lists.new")
    contains(store.folders, b"INBOX.Lists.old")
    quiet(ana.device.sync())


@test("OBJECTID: a folder with another name and other numbers is the same")
def objectid():
    store = Mailstore("IMAP4rev1 UIDPLUS MOVE OBJECTID")
    for name in (b"A", b"B"):
        store.folders[name] = Folder()
    for number in range(1, 11):
        store.add(b"A", received(number), ident=b"M%d" % number)
    store.add(b"B", received(20), ident=b"M20")
    ana = Account(store)
    ana.device.sync()
    before = {f["name"]: f["id"] for f in ana.device.run("folders")}
    ana.device.mark("m1@lab.test", add="mine")
    folders = store.folders
    folders[b"A"], folders[b"B"] = folders[b"B"], folders[b"A"]
    folders[b"B"].uidvalidity += 50     # as some servers do at a rename
    done = ana.device.sync()
    equal((done["bodies"], done["removed"]), (0, 0))
    after = {f["name"]: f["id"] for f in ana.device.run("folders")}
    equal((after["A"], after["B"]), (before["B"], before["A"]))
    equal(len(ana.device.snapshot()["B"]), 10)
    # A message moved by somebody else is known by its own id.
    folders[b"A"].add(folders[b"B"].mails[3].data,
                      ident=folders[b"B"].mails[3].ident)
    del folders[b"B"].mails[3]
    done = ana.device.sync()
    equal((done["bodies"], done["removed"], done["notices"]), (0, 1, 0))
    # Made anew under the same name in the same second.
    validity = folders[b"A"].uidvalidity
    folders[b"A"] = Folder(uidvalidity=validity)
    folders[b"A"].add(received(30), ident=b"M30")
    ana.device.sync()
    equal(ana.device.snapshot()["A"], [("m30@lab.test", ())])


@test("what a server lists and does not give waits, and holds up nothing")
def withheld():
    store = Mailstore()
    for number in range(1, 121):
        store.add(b"INBOX", received(number))
    folder = store.folders[b"INBOX"]
    folder.withheld = {3: b"NO [UNAVAILABLE] Server error", 50: None,
                       77: b"NO [EXPUNGEISSUED] gone"}
    folder.mails[99].data, whole = b"", folder.mails[99].data
    folder.mails[99].size = 200
    ana = Account(store)
    done = ana.device.sync()
    equal((done["bodies"], done["skipped"]), (116, 4))
    contains(" ".join(done["told"]), "did not give 4 of the messages")
    equal(len(ana.device.list()), 120)
    # Not again at once, and not for a restart: each run is one.
    for _ in range(3):
        store.commands.clear()
        quiet(ana.device.sync())
        equal([c for c in store.said("UID FETCH")
               if b"BODY.PEEK[]" in c.rest], [])
    # When its time has come; and then it takes longer.
    times = []
    for _ in range(3):
        ana.database("UPDATE withheld SET next_attempt = 0")
        equal(ana.device.sync()["skipped"], 4)
        times.append(ana.database("SELECT max(next_attempt) - "
                                  "strftime('%s', 'now') FROM withheld")[0][0])
    assert times[0] > 1200 and times[1] > 3 * times[0] > 0 and \
        times[2] > 3 * times[1], times
    folder.withheld = {}
    folder.mails[99].data = whole
    # Who opens one does not wait.
    ana.device.run("fetch", "m50@lab.test")
    ana.database("UPDATE withheld SET next_attempt = 0")
    equal(ana.device.sync()["bodies"], 3)
    assert all(row["cached"] for row in ana.device.list())


@test("a message that the server does not take holds up no other")
def refused():
    store = Mailstore("IMAP4rev1 UIDPLUS MULTIAPPEND LITERAL+",
                      refuse=lambda data: b"refuse me" in data)
    store.folders[b"Archive"] = Folder()
    ana = Account(store)
    ana.device.sync()
    ana.device.append_all("Archive", [message(
        n, subject="refuse me" if n == 77 else None) for n in range(1, 101)])
    store.commands.clear()
    done = ana.device.sync()
    equal(done["uploaded"], 99)
    contains(" ".join(done["told"]), "no room")
    equal(len(store.folders[b"Archive"].mails), 99)
    assert len(store.said("APPEND")) < 20, len(store.said("APPEND"))
    equal(len(ana.device.snapshot()["Archive"]), 100, "it stays here")


@test("S2: 5,000 hostile folder names stay below the account, each its own")
def hostile_names():
    draw = random.Random(int(os.environ.get("POSTRIDER_SEED", "1")))
    pieces = [b"..", b".", b"", b"cur", b"new", b"tmp", b"-rf", b"~", b"`id`",
              b"$(id)", b"\\", b"a" * 255, b"&AC8-", b"&AC8ALg-", b"&-", b"&",
              b"&ZeVnLIqe-", b"&AAA-", b"*", b"%", b"%2F", b"%+", b"%", b"NUL",
              b"x\x7f", b"Inbox", b"CUR", b"e&AwE-", b"&AOk-", b" ", b"\x01",
              b"\x1b[31m", b"a b", b"postrider.db", b".notmuch", b".removed"]
    store = Mailstore(delimiter=b"/")
    while len(store.folders) < NAMES + 1:
        name = draw.choice((b"/", b"")) * (draw.random() < 0.1) + b"/".join(
            draw.choice(pieces) + (b"%d" % draw.randrange(500) if
                                   draw.random() < 0.6 else b"")
            for _ in range(draw.randrange(1, 4)))
        if name and name.upper() != b"INBOX":
            folder = store.folders.setdefault(name, Folder())
            if len(store.folders) % 50 == 0:
                folder.add(received(len(store.folders)))
    ana = Account(store)
    around = set(os.listdir(ana.device.dir))
    code, lines, errors = ana.device.try_run("sync")
    equal(code, 0, errors)
    equal(set(os.listdir(ana.device.dir)) - around - {"store", "postrider"},
          set(), "outside of the store")
    mail = os.path.join(ana.device.store, "mail")
    rows = ana.database("SELECT name, wire, dir FROM folder WHERE account > 0")
    told = [line for line in lines if line["kind"] == "notice"]
    equal(len({dir for _, _, dir in rows}), len(rows), "one-to-one")
    equal(len({name for name, _, _ in rows}), len(rows))
    assert len(rows) > NAMES * 0.8, (len(rows), len(told))
    for name, wire, dir in rows:
        path = os.path.realpath(os.path.join(mail, dir))
        assert path.startswith(os.path.realpath(mail) + "/lab/"), (wire, path)
    files = 0
    for path, dirs, names in os.walk(ana.device.store):
        for name in names:
            where = os.path.relpath(os.path.join(path, name),
                                    ana.device.store)
            files += where.startswith("mail/lab/")
            assert "/" not in where or where.startswith("mail/"), where
    note("%d names, %d folders, %d notices, %d files" % (
        NAMES, len(rows), len(told), files))
    assert files > NAMES / 50 * 0.5
    quiet(ana.device.sync()) if not told else None


if __name__ == "__main__":
    main()
