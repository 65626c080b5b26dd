#!/usr/bin/env python3
"""Folders that are renamed, swapped, removed and made again on the server:
what is here stays what it is, and nothing is fetched twice."""

import os

from device import SIGKILLED, Device, message, quiet
from harness import World, contains, equal, keep, main, test

world = keep(World(smtp="aiosmtpd"))


class Account:
    """A person with one device, and the server's own view."""

    def __init__(self, user, **options):
        self.server = keep(world.oracle(user))
        self.device = keep(Device(world, user, **options))

    def fill(self, folder, first, last):
        for number in range(first, last + 1):
            self.server.append(folder, received(number) + message(number))

    def rename(self, old, new):
        """As another client would: with the subscription."""
        self.server.select("INBOX")
        self.server.rename(old, new)
        self.server._do("subscribe", '"%s"' % new)
        self.server._do("unsubscribe", '"%s"' % old)

    def ids(self, *names):
        """The database's numbers of folders: who was renamed keeps its own."""
        folders = self.device.folders()
        return [folders[name]["id"] for name in names]

    def same(self):
        equal(self.device.snapshot(), self.server.snapshot())
        self.device.check()

    def where(self, name):
        return os.path.join(self.device.store, "mail", "lab", name, "cur")


def received(number):
    return ("Received: from a by b with LMTP id r%d; Mon, 23 Nov 2026 "
            "10:00:00 +0000\n" % number).encode()


def nothing_fetched(done):
    for key in ("envelopes", "bodies", "removed", "notices"):
        equal(done[key], 0, key)


@test("a folder renamed on the server keeps everything, also what is below it")
def renamed():
    ana = Account("ana")
    server, device = ana.server, ana.device
    for name in ("Work", "Work/Plans", "Work/Plans/Old"):
        server.create(name)
    ana.fill("Work", 1, 8)
    ana.fill("Work/Plans", 11, 13)
    ana.fill("Work/Plans/Old", 21, 21)
    device.sync()
    numbers = ana.ids("Work", "Work/Plans", "Work/Plans/Old")
    files = len(device.files())
    # Asked for here, and not said yet.
    device.mark("m1@lab.test", "+flagged", add="mine")
    device.move("m2@lab.test", "Work", "Archive")
    device.append("Work", message(30))
    server.select("INBOX")
    ana.rename("Work", "Job")
    for name in ("Plans", "Plans/Old"):
        server._do("subscribe", '"Job/%s"' % name)
    ana.fill("Job", 31, 31)
    done = device.sync()
    equal((done["envelopes"], done["bodies"], done["removed"]), (1, 1, 0))
    equal(ana.ids("Job", "Job/Plans", "Job/Plans/Old"), numbers)
    assert "Work" not in device.folders()
    equal(len(os.listdir(ana.where("Job"))), 9)
    equal(len(os.listdir(ana.where("Job/Plans/Old"))), 1)
    assert not os.path.exists(ana.where("Work"))
    equal(len(device.files()), files + 2)
    flags = dict(device.snapshot()["Job"])
    equal(flags["m1@lab.test"], ("\\Flagged", "mine"))
    assert "m2@lab.test" not in flags and "m30@lab.test" in flags
    ana.same()
    quiet(device.sync())


@test("two folders that change names on the server")
def swapped():
    ana = Account("ben")
    server, device = ana.server, ana.device
    server.create("A")
    server.create("B")
    server.create("C")
    ana.fill("A", 1, 5)
    ana.fill("B", 11, 14)
    ana.fill("C", 21, 23)
    device.sync()
    a, b, c = ana.ids("A", "B", "C")
    ana.rename("A", "aside")
    ana.rename("B", "A")
    ana.rename("aside", "B")
    nothing_fetched(device.sync())
    equal(ana.ids("A", "B"), [b, a])
    equal((len(os.listdir(ana.where("A"))), len(os.listdir(ana.where("B")))),
          (4, 5))
    ana.same()
    # And a ring of three.
    ana.rename("A", "aside")
    ana.rename("C", "A")
    ana.rename("B", "C")
    ana.rename("aside", "B")
    nothing_fetched(device.sync())
    equal(ana.ids("A", "B", "C"), [c, b, a])
    equal([len(os.listdir(ana.where(name))) for name in "ABC"], [3, 4, 5])
    ana.same()
    quiet(device.sync())


@test("D1: killed while two folders change names here")
def swap_killed():
    ana = Account("carol")
    server, device = ana.server, ana.device
    server.create("X")
    server.create("Y")
    ana.fill("X", 401, 403)
    ana.fill("Y", 411, 414)
    device.sync()
    x, y = ana.ids("X", "Y")
    steps = ["sync.folder.renamed", "store.folder-renames"] + [
        "store.move-dir@%d" % n for n in range(1, 10)]
    for step in steps:
        ana.rename("X", "aside")
        ana.rename("Y", "X")
        ana.rename("aside", "Y")
        code, _, errors = device.try_run("sync", fail=step + ":kill")
        equal(code, SIGKILLED, step + errors)
        done = device.sync()
        equal((done["envelopes"], done["bodies"], done["removed"],
               done["uploaded"], done["expunged"]), (0, 0, 0, 0, 0), step)
        x, y = y, x
        equal(ana.ids("X", "Y"), [x, y], step)
        equal(len(os.listdir(ana.where("X"))), len(server.uids("X")), step)
        ana.same()
    quiet(device.sync())


@test("a folder renamed on both sides: the name here wins, nothing is lost")
def renamed_twice():
    ana = Account("ben")
    server, device = ana.server, ana.device
    server.create("Both")
    ana.fill("Both", 31, 34)
    device.sync()
    number, = ana.ids("Both")
    device.run("folder", "rename", "Both", "Hier")
    ana.rename("Both", "There")
    nothing_fetched(device.sync())
    equal(ana.ids("Hier"), [number])
    contains(server.folders(), "Hier")
    assert "There" not in server.folders() and "Both" not in server.folders()
    ana.same()
    quiet(device.sync())


@test("a name that was left here is free for a new folder of the server's")
def name_left_here():
    ana = Account("ben")
    server, device = ana.server, ana.device
    server.create("Left")
    ana.fill("Left", 41, 43)
    device.sync()
    device.run("folder", "rename", "Left", "Gone-on")
    device.sync()
    device.run("folder", "rename", "Gone-on", "Left-again")
    server.create("Gone-on2")
    server.create("Left")
    ana.fill("Left", 45, 46)
    device.sync()
    equal(len(os.listdir(ana.where("Left"))), 2)
    equal(len(os.listdir(ana.where("Left-again"))), 3)
    ana.same()
    quiet(device.sync())


@test("a folder removed and made again under its name is another one")
def made_anew():
    ana = Account("carol")
    server, device = ana.server, ana.device
    server.create("Again")
    ana.fill("Again", 1, 6)
    device.sync()
    device.mark("m1@lab.test", "+flagged")
    server.select("INBOX")
    server.delete("Again")
    server.create("Again")
    ana.fill("Again", 5, 9)             # two of them are the same mail
    done = device.sync()
    equal(done["bodies"], 3)
    equal(done["matched"], 2)
    equal(sorted(i for i, _ in device.snapshot()["Again"]),
          ["m%d@lab.test" % n for n in range(5, 10)])
    # What the server has no more is kept for a while.
    removed = os.path.join(device.store, "mail", ".removed", "cur")
    equal(len(os.listdir(removed)), 4)
    ana.same()
    quiet(device.sync())


@test("INBOX emptied into a new folder, as RENAME does it (RFC 9051, 6.3.6)")
def inbox_renamed():
    ana = Account("carol")
    server, device = ana.server, ana.device
    ana.fill("INBOX", 101, 170)
    device.sync()
    number, = ana.ids("INBOX")
    server.create("Old mail")           # Dovecot refuses to rename INBOX
    server.move("INBOX", server.uids("INBOX"), "Old mail")
    ana.fill("INBOX", 171, 172)
    done = device.sync()
    equal(done["bodies"], 2)
    equal(done["told"], [])
    equal(ana.ids("INBOX"), [number])
    equal(len(device.snapshot()["Old mail"]), 70)
    ana.same()
    quiet(device.sync())


@test("a folder with unsent mail that the server removed is made again")
def unsent():
    ana = Account("carol")
    server, device = ana.server, ana.device
    server.create("Unsent")
    ana.fill("Unsent", 201, 203)
    device.sync()
    device.append("Unsent", message(210))
    device.copy("m171@lab.test", "INBOX", "Unsent")
    server.select("INBOX")
    server.delete("Unsent")
    contains(" ".join(device.sync()["told"]), "made again")
    device.sync()
    equal(sorted(i for i, _ in device.snapshot()["Unsent"]),
          ["m171@lab.test", "m210@lab.test"])
    ana.same()


@test("D11: a server that suddenly has none of the folders is asked about")
def list_emptied():
    ana = Account("ana")
    server, device = ana.server, ana.device
    for n in range(6):
        server.create("L%d" % n)
        ana.fill("L%d" % n, 300 + 10 * n, 304 + 10 * n)
    device.sync()
    server.select("INBOX")
    before = device.snapshot()
    for name in before:                 # Dovecot makes those with a role anew
        if name not in ("INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"):
            server.delete(name)
    done = device.sync()
    contains(" ".join(done["told"]), "until you agree")
    equal(done["removed"], 0)
    kept = {name: len(rows) for name, rows in device.snapshot().items()}
    equal(kept["L1"], 5)
    equal(len(before["L1"]), 5)
    for n in range(6):
        device.run("folder", "agree", "L%d" % n)
    device.sync()
    assert "L1" not in device.snapshot()


if __name__ == "__main__":
    main()
