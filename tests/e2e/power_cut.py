#!/usr/bin/env python3
"""D2: the power goes at any moment of a workload of 200 messages. What the
database calls stored is there to the byte and under a name that says what is
wanted; the next pass brings everything, and the server loses nothing by it.

The workload runs once, with every change of its files written down
(tests/lab/shim.c); tests/lab/powerloss.py makes the disks that a cut may leave
after each of them. Each is looked at as it lies, and some of them are given to
the program again. By default a few, drawn from the seed that is printed;
POSTRIDER_SEED sets it, POSTRIDER_LONG looks at all where one thing is missing
and at 1,000 random ones."""

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess

from device import Device, message, quiet
from harness import World, equal, keep, main, note, temporary, test
from powerloss import Change, Disk, read_log
from shim import Shim
from stage import LONG, SEED

# In half of the runs flags and names change together, however few there are
# (store/renaming.h).
if SEED % 2:
    Device.rules = "sync.renaming_from=1"

BITS = {1: "S", 4: "F"}


def number(n):
    received = ("Received: from x by y with LMTP id p%d; "
                "Mon, 23 Nov 2026 10:00:00 +0000\n" % n).encode()
    # Of every size: below a page, across pages, above the buffer of a writer.
    size = (1, 20, 90, 1500)[n % 4 if n % 40 == 3 else n % 3]
    return received + message(n, body="Line %d of it.\n" % n * size)


class Workload:
    """The parts of it, and what the server was before each."""

    def __init__(self):
        self.world = keep(World(count=1, smtp="aiosmtpd"))
        self.dir = temporary()
        self.shim = Shim(self.dir)
        self.server = keep(self.world.oracle("ana"))
        self.device = keep(Device(self.world, "ana"))
        self.log = os.path.join(self.dir, "log")
        self.states = []        # (operations so far, copy of the mailbox)
        self.server.create("Lists")
        self.device.sync()
        self.before = os.path.join(self.dir, "before")
        shutil.copytree(self.device.store, self.before)

    def mailbox(self):
        return self.world.spec.path("var", "mail", "ana")

    def shimmed(self, *words):
        code, lines, errors = self.device.try_run(*words, env=self.shim.env(
            self.device.store, "sync_device", log=self.log))
        equal(code, 0, errors)
        return lines[-1] if lines else None

    def part(self):
        """From here on the server is as it is now."""
        self.server.select("Trash")
        copy = os.path.join(self.dir, "mailbox%d" % len(self.states))
        subprocess.run(["cp", "-a", self.mailbox(), copy], check=True)
        self.states.append((len(read_log(self.log))
                            if os.path.exists(self.log) else 0, copy))

    def restore(self, copy):
        """The mailbox as it was; nobody else looks at it meanwhile."""
        self.server.close()
        shutil.rmtree(self.mailbox())
        subprocess.run(["cp", "-a", copy, self.mailbox()], check=True)
        self.server = keep(self.world.oracle("ana"))

    def ids(self, *numbers):
        return ["m%d@lab.test" % n for n in numbers]

    def uids(self, folder, *ids):
        return [uid for name in ids for uid in self.server.uids(
            folder, 'HEADER Message-ID "<%s>"' % name)]

    def run(self):
        server = self.server
        for n in range(150):
            server.append(("INBOX", "Lists", "Archive")[n % 3], number(n))
        self.part()
        self.shimmed("sync")
        words = [("mark", name, "+seen +flagged", "todo", "")
                 for name in self.ids(*range(0, 30, 3))]
        words += [("move", name, "INBOX", "Archive")
                  for name in self.ids(*range(30, 60, 3))]
        words += [("delete", name, "Lists")
                  for name in self.ids(*range(61, 80, 3))]
        words += [("expunge", "Archive", *self.ids(*range(80, 90, 3)))]
        for n in range(150, 170):
            path = os.path.join(self.dir, "up%d" % n)
            with open(path, "wb") as out:
                out.write(number(n))
            words.append(("append", "Sent", path, "S", ""))
        words.append(("folder", "rename", "Lists", "Talk"))
        self.part()
        self.shimmed(*[w for command in words for w in (*command, ";")][:-1])
        # Meanwhile elsewhere: mail, moves, removals, marks.
        for n in range(170, 200):
            server.append("INBOX", number(n))
        server.move("INBOX", self.uids("INBOX", *self.ids(*range(90, 110, 3))),
                    "Junk")
        server.expunge("Archive", self.uids("Archive", *self.ids(
            *range(110, 130, 3))))
        server.flag("Archive", self.uids("Archive", *self.ids(
            *range(131, 150, 3))), "+\\Seen")
        self.part()
        self.shimmed("sync")
        self.part()
        self.operations = read_log(self.log)
        self.gone = set(self.ids(*range(80, 90, 3), *range(110, 130, 3)))
        quiet(self.device.sync())
        equal(self.device.snapshot(), server.snapshot())
        self.sums = {row["id"]: row["sum"] for row in self.device.list()}
        equal(len(self.sums), 200 - len(self.gone))

    def state_at(self, k):
        """Which part of the workload the k-th operation belongs to."""
        return max(i for i, (begun, _) in enumerate(self.states)
                   if begun <= k)

    def can_ask(self, k):
        """Is it known what the server was then? Not while it was changed:
        those moments are sync_kill.py's."""
        return self.state_at(k) != 2


def recorded(store):
    """What the database says is stored: looked at without the program."""
    path = os.path.join(store, "postrider.db")
    if not os.path.exists(path):
        return
    connection = sqlite3.connect(path)
    try:
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            return
        equal(connection.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        # The expressions of the program's own full text are not needed here.
        rows = connection.execute(
            "SELECT f.dir, f.dir_want, p.file, p.flags, m.hash, m.message_id,"
            " p.state, f.account FROM placement p JOIN folder f ON"
            " f.id = p.folder JOIN message m ON m.id = p.message"
            " WHERE p.file IS NOT NULL").fetchall()
        queue = connection.execute("SELECT file FROM outbox").fetchall()
    finally:
        connection.close()
    names = {}
    for directory, want, file, flags, wanted, name, state, account in rows:
        if state == 1 and account:
            continue                    # on its way out: nobody shows it
        found = None
        for part in (want, directory):
            cur = os.path.join(store, "mail", part or "", "cur")
            if part and cur not in names:
                names[cur] = {entry.split(":")[0]: entry for entry in (
                    os.listdir(cur) if os.path.isdir(cur) else [])}
            if part and file.split(":")[0] in names[cur]:
                found = os.path.join(cur, names[cur][file.split(":")[0]])
                break
        assert found, "%s: %s/%s is not there" % (name, directory, file)
        with open(found, "rb") as mail:
            equal(hashlib.sha256(mail.read()).hexdigest(), wanted.hex(), name)
        has = os.path.basename(found)
        if has != file:
            letters = has.rpartition(":2,")[2]
            for bit, letter in BITS.items():
                equal(letter in letters, bool(flags & bit),
                      "%s: is called %s, not %s" % (name, has, file))
    for (file,) in queue:
        assert os.path.exists(os.path.join(store, "mail", ".outbox", file))


class Images:
    """The disks after k operations, in order of k."""

    def __init__(self, workload):
        self.workload = workload
        self.at = 0
        self.disk = Disk(workload.before, workload.device.store)

    def forward(self, k):
        while self.at < k:
            self.disk.apply(self.workload.operations[self.at])
            self.at += 1

    def lay(self, dropped, torn):
        """The disk becomes the device's store."""
        shutil.rmtree(self.workload.device.store)
        self.disk.write(self.workload.device.store, dropped, torn)


def look(workload, images, dropped, torn, online):
    images.lay(dropped, torn)
    what = "after operation %d (%s), without %s (%s)" % (
        images.at, " ".join(workload.operations[images.at - 1][0:1] + tuple(
            workload.operations[images.at - 1].args)),
        [("name", c.name, "" if c.node else "goes") if isinstance(c, Change)
         else ("write", c.offset, c.data and len(c.data))
         for c in dropped[:5]], torn)
    try:
        recorded(workload.device.store)
        if online:
            again(workload, images.at)
    except AssertionError as error:
        raise AssertionError("%s: %s" % (what, error)) from None


def again(workload, k):
    """One more pass, against the server as it was then."""
    part = workload.state_at(k)
    workload.restore(workload.states[part][1])
    device = workload.device
    device.sync()
    truth = workload.server.snapshot()
    equal(device.snapshot(), truth, "device and server")
    quiet(device.sync())
    held = {row["id"]: row["sum"] for row in device.list()}
    for name, total in workload.sums.items():
        if int(name[1:].split("@")[0]) < (150, 150, 0, 200)[part]:
            equal(held.get(name), total, name)
    device.check()


workload = None


@test("D2: 200 messages are got, changed and sent while it is written down")
def d2_workload():
    global workload
    workload = Workload()
    workload.run()
    ops = [op.name for op in workload.operations]
    note("%d operations: %s" % (len(ops), ", ".join(
        "%d %s" % (ops.count(name), name) for name in sorted(set(ops)))))
    assert len(ops) > 1000 and ops.count("syncfs") and ops.count("fsyncdir")


def is_flush(name):
    return name in ("fsync", "fsyncdir", "syncfs")


@test("D2: nothing that was not flushed is there")
def d2_all_dropped():
    draw = random.Random(SEED)
    note("POSTRIDER_SEED=%d" % SEED)
    ops = workload.operations
    every = [k for k in range(1, len(ops) + 1)
             if k == len(ops) or is_flush(ops[k].name)
             or is_flush(ops[k - 1].name)]
    chosen = every if LONG else sorted(draw.sample(every, 30))
    asked = set(draw.sample([k for k in chosen if workload.can_ask(k)],
                            300 if LONG else 3))
    images = Images(workload)
    for k in chosen:
        images.forward(k)
        look(workload, images, images.disk.pending(), None, k in asked)
    note("%d of %d moments, %d with another pass" % (
        len(chosen), len(every), len(asked)))


@test("D2: one thing that was not flushed is missing")
def d2_single():
    draw = random.Random(SEED + 1)
    images = Images(workload)
    ops = workload.operations
    looked = 0
    for k in range(1, len(ops) + 1):
        images.forward(k)
        # What is recorded changes when the database is flushed.
        if k < len(ops) and not is_flush(ops[k - 1].name):
            continue
        for thing in images.disk.pending():
            if LONG or draw.random() < 0.003:
                looked += 1
                look(workload, images, [thing], draw.choice(
                    (None, "page", "zero")), False)
    note("%d images" % looked)
    assert looked > 5, looked


@test("D2: any of what was not flushed is missing")
def d2_random():
    draw = random.Random(SEED + 2)
    images = Images(workload)
    count = 1000 if LONG else 20
    ks = sorted(draw.randint(1, len(workload.operations))
                for _ in range(count))
    asked = set(draw.sample([k for k in ks if workload.can_ask(k)],
                            200 if LONG else 1))
    for k in ks:
        images.forward(k)
        share = draw.choice((0.05, 0.5, 0.95))
        dropped = [thing for thing in images.disk.pending()
                   if draw.random() < share]
        look(workload, images, dropped, draw.choice((None, "page", "zero")),
             k in asked)
    note("%d images" % len(ks))


if __name__ == "__main__":
    main()
