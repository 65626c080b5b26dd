#!/usr/bin/env python3
"""What is changed here goes out in the fewest commands: they are counted
between the program and the server."""

import os
import re
import threading
from collections import Counter

from device import SIGKILLED, Device, message, quiet
from harness import (World, contains, equal, keep, main, note, test,
                     wait_for)
from proxy import Proxy

MANY = 10000 if "POSTRIDER_LONG" in os.environ else 1000
READING = {"AUTHENTICATE", "LOGIN", "CAPABILITY", "ID", "ENABLE", "NAMESPACE",
           "LIST", "LSUB", "STATUS", "SELECT", "EXAMINE", "UNSELECT", "CLOSE",
           "UID FETCH", "UID SEARCH", "LOGOUT", "COMPRESS", "NOOP"}

world = keep(World(smtp="aiosmtpd"))
bare = keep(World(smtp="aiosmtpd", off=[
    "condstore", "qresync", "move", "uidplus", "multiappend",
    "literal-plus"]))


class Account:
    """A device that speaks through a proxy, and the server's own view."""

    def __init__(self, user, where=world, **options):
        self.proxy = keep(Proxy(where.spec, "imaps"))
        self.server = keep(where.oracle(user))
        self.device = keep(Device(where, user, **options))
        self.device.env["LAB_IMAPS_PORT"] = str(self.proxy.port)

    def fill(self, folder, first, last):
        for number in range(first, last + 1):
            self.server.append(folder, received(number) + message(number))

    def sync(self, *words):
        """A pass: its figures, and how often it said each command that
        changes something."""
        self.proxy.use()
        done = self.device.sync(*words)
        self.lines = [entry.text for entry in self.proxy.transcript
                      if entry.side == "client" and entry.kind == "line"]
        verbs = Counter()
        for line in self.lines:
            match = re.match(rb"P\d+ ((?:UID )?[A-Z]+)", line)
            if match and match[1].decode() not in READING:
                verbs[match[1].decode()] += 1
        done["said"] = dict(verbs)
        return done

    def same(self):
        equal(self.device.snapshot(), self.server.snapshot())
        self.device.check()


def received(number):
    return ("Received: from a by b with LMTP id r%d; Mon, 23 Nov 2026 "
            "10:00:00 +0000\n" % number).encode()


def name(number):
    return "m%d@lab.test" % number


@test("marks go in one STORE for each set, and are not told to us again")
def marks():
    ana = Account("ana")
    ana.fill("INBOX", 1, 60)
    ana.sync()
    device = ana.device
    for number in range(1, 60, 3):
        device.mark(name(number), "+seen")
    for number in range(2, 60, 3):
        device.mark(name(number), "+flagged", add="work")
    done = ana.sync()
    equal(done["said"], {"UID STORE": 2})
    stores = [line for line in ana.lines if b"UID STORE" in line]
    assert all(b"(UNCHANGEDSINCE " in line for line in stores), stores
    quiet(ana.sync())
    # Both kinds on all: two commands again, not one for each combination.
    for number in range(1, 60, 3):
        device.mark(name(number), "-seen +answered")
    device.mark(name(1), "+flagged")
    device.mark(name(2), "+answered")
    equal(ana.sync()["said"], {"UID STORE": 3})
    done = ana.sync()
    quiet(done)
    equal(done["folders"], 0, "folders that were opened to hear of our marks")
    ana.same()


@test("a mark that crosses one by somebody else is merged with it")
def crossed():
    ana = Account("ana")
    ana.sync()
    device, server = ana.device, ana.server
    device.mark(name(1), "-answered", add="mine")
    device.mark(name(3), "+answered")
    uid, = server.uids("INBOX", 'HEADER Message-ID "<%s>"' % name(1))

    # Another client is at it between our reading and our writing.
    server.select("INBOX", readonly=False)
    ana.proxy.use('when client command "UID STORE" #1 do stall 2')
    pass_ = threading.Thread(target=device.sync)
    pass_.start()
    wait_for(lambda: any(e.verb == "UID STORE" for e in ana.proxy.transcript),
             what="the first STORE")
    server.flag("INBOX", [uid], "+\\Draft", "+theirs")
    pass_.join()
    ana.sync()
    ana.sync()
    flags = dict(server.snapshot()["INBOX"])
    equal(flags[name(1)], ("\\Draft", "\\Flagged", "mine", "theirs"))
    contains(flags[name(3)], "\\Answered")
    ana.same()


@test("messages are moved in one command for each pair of folders")
def moves():
    for where, wanted in (
            (world, {"UID MOVE": 2}),
            (bare, {"UID COPY": 2, "UID STORE": 2, "EXPUNGE": 2})):
        ben = Account("ben", where)
        ben.fill("INBOX", 1, 40)
        ben.sync()
        for number in range(1, 40, 2):
            ben.device.move(name(number), "INBOX",
                            "Archive" if number % 4 == 1 else "Junk")
        equal(ben.sync()["said"], wanted)
        equal(len(ben.device.snapshot()["Archive"]), 10)
        ben.same()
        quiet(ben.sync())


@test("many messages are uploaded in few commands")
def uploads():
    carol = Account("carol")
    server, device = carol.server, carol.device
    carol.sync()
    device.append_all("Archive", [message(n) for n in range(1, 251)])
    done = carol.sync()
    equal(done["uploaded"], 250)
    equal(done["said"], {"APPEND": 3})
    equal(done["envelopes"], 0)
    carol.same()
    quiet(carol.sync())


@test("D1: an upload of many whose answer was lost is not made again")
def lost_answer():
    carol = Account("carol")
    server, device = carol.server, carol.device
    device.sync()
    for base, step in ((1000, "sync.append.send"), (1100, "imap.appended"),
                       (1200, "sync.append.record")):
        device.append_all("Drafts", [message(n) for n in range(base, base + 40)])
        code, _, errors = device.try_run("sync", fail=step + ":kill")
        equal(code, SIGKILLED, errors)
        device.sync()
        carol.same()
        quiet(device.sync())
    equal(len(server.uids("Drafts")), 120)


@test("many messages moved by another client are linked, not fetched")
def relinked():
    ben = Account("ben")
    server, device = ben.server, ben.device
    server.create("Here")
    server.create("There")
    import fill
    fill.fill(world.spec, "ben", MANY, "Here", seed=7, kind="small")
    first = device.sync()
    assert first["bodies"] >= MANY
    server.move("Here", server.uids("Here")[:MANY - 30], "There")
    done = ben.sync()
    equal(done["bodies"], 0, "bodies")
    equal(done["told"], [])
    equal(done["matched"], MANY - 30)
    note("%d moved: %d bytes in, %d before" % (
        MANY - 30, done["bytes_in"], first["bytes_in"]))
    ben.same()
    quiet(device.sync())


if __name__ == "__main__":
    main()
