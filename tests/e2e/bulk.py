#!/usr/bin/env python3
"""Bulk: thousands of messages archived by one action that returns at once, taken back by another, in few commands; a
worker that is killed in the middle costs nothing."""

import os
import re
import time
from collections import Counter

from harness import *
import fill as lab_fill
from proxy import Proxy

MANY = 10000 if "POSTRIDER_LONG" in os.environ else 1500
READING = {"AUTHENTICATE", "LOGIN", "CAPABILITY", "ID", "ENABLE", "NAMESPACE", "LIST", "LSUB", "STATUS", "SELECT", "EXAMINE",
           "UNSELECT", "CLOSE", "UID FETCH", "UID SEARCH", "LOGOUT", "COMPRESS", "NOOP"}

world = keep(World(smtp="aiosmtpd"))


class Account:
    """A home that speaks through a proxy, and the server's own view."""

    def __init__(self, user):
        lab_fill.fill(world.spec, user, MANY, kind="small")
        self.proxy = keep(Proxy(world.spec, "imaps"))
        self.server = keep(world.oracle(user))
        self.home = keep(world.home(user, ports={"imaps": self.proxy.port}, general=["notmuch = off"]))
        self.home.ok("sync", timeout=600)
        self.rest()

    def rest(self):
        """The engine has done all there was, and ended."""
        wait_for(lambda: not self.home.processes(), 300, "the end of the engine")

    def act(self, *words, env=()):
        """How long a command took, and what the engine then said to the server."""
        self.proxy.use()
        begun = time.monotonic()
        self.home.ok(*words, env=env)
        took = time.monotonic() - begun
        self.rest()
        verbs = Counter()
        for entry in self.proxy.transcript:
            match = re.match(rb"P\d+ ((?:UID )?[A-Z]+)", entry.text) if entry.side == "client" and entry.kind == "line" else None
            if match and match[1].decode() not in READING:
                verbs[match[1].decode()] += 1
        note("%s: %d messages, returned after %.3f s, commands %s" % (words[0], MANY, took, dict(verbs)))
        return took, verbs

    def where(self):
        """Message-IDs by folder, there; they are so here as well."""
        there = {folder: sorted(self.server.by_id(folder)) for folder in ("INBOX", "Archive")}
        for folder, ids in there.items():
            here = [row[0] for row in self.home.database(
                "SELECT m.message_id FROM placement p JOIN folder f ON f.id = p.folder JOIN message m ON m.id = p.message"
                " WHERE f.name = ? AND p.state = 0 AND p.uid > 0 ORDER BY m.message_id", folder)]
            equal(len(here), len(ids), folder)
            equal(here, ids, folder)
        return {folder: len(ids) for folder, ids in there.items()}


@test("an action on thousands returns at once, goes out in few commands, and comes back as it went")
def archive():
    ana = Account("ana")
    equal(ana.home.ok("archive", "--query", "folder:INBOX", "--dry-run").text.strip(), "%d messages" % MANY)
    equal(ana.home.json("delete", "--query", "folder:INBOX date:..1971", "--dry-run"), [{"count": 0}])
    equal(ana.where(), {"INBOX": MANY, "Archive": 0})
    marks = ana.server.snapshot()["INBOX"]
    took, verbs = ana.act("archive", "--query", "folder:INBOX")
    assert took < 5, took     # the machine may be busy; the figure is in the note
    equal(ana.where(), {"INBOX": 0, "Archive": MANY})
    assert sum(verbs.values()) <= 2 + MANY // 1000, verbs

    took, verbs = ana.act("undo")
    assert took < 5, took
    equal(ana.where(), {"INBOX": MANY, "Archive": 0})
    assert sum(verbs.values()) <= 2 + MANY // 1000, verbs
    equal(sorted(ana.server.snapshot()["INBOX"]), sorted(marks), "marks")

    ana.home.ok("mark", "--wait", "--query", "folder:INBOX", "+trip")
    ana.rest()
    equal(len(ana.server.uids("INBOX", "KEYWORD trip")), MANY)


@test("D1: a worker that is killed between two slices: the next one goes on, and nothing is lost or doubled")
def killed():
    ben = Account("ben")
    once = ben.home.path("killed")
    ben.act("archive", "--query", "folder:INBOX", env={"POSTRIDER_FAIL": "bulk.step@3:kill,once:" + once})
    if not os.path.exists(once):
        raise Skip("built without --enable-failpoints")
    ben.home.ok("sync")
    ben.rest()
    equal(ben.where(), {"INBOX": 0, "Archive": MANY})
    ben.home.ok("undo", "--wait")
    ben.rest()
    equal(ben.where(), {"INBOX": MANY, "Archive": 0})


main()
