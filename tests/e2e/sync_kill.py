#!/usr/bin/env python3
"""D1: SIGKILL at each named step of a pass. Nothing is lost, nothing doubled,
the next pass finishes what was begun, and the one after it changes nothing.

The scenario is played again for each step, with messages of its own. By default
every step is killed at its first time; with POSTRIDER_LONG at each."""

import os

from device import SIGKILLED, Device, message, quiet
from harness import World, equal, main, note, test

# A pass of the scenario goes through these at least; a test that meets fewer
# has gone blind.
STEPS = {
    "sync.flags.send", "sync.flags.record", "sync.flags.take",
    "sync.envelopes", "sync.bodies.flush", "sync.bodies.record",
    "sync.copy.send", "sync.intent.record", "sync.append.send",
    "sync.append.record", "sync.expunge.mark", "sync.expunge.send",
    "sync.remove", "sync.relink", "sync.folder.record", "sync.settle",
    "sync.folder.take",
}


class Scenario:
    """Everything that a pass can have to do, at once."""

    def __init__(self, world):
        self.world = world
        self.server = world.oracle("ana")
        self.device = Device(world, "ana")
        self.round = 0
        self.device.sync()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.device.__exit__()
        self.server.close()

    def id(self, letter):
        return "%s%d@lab.test" % (letter, self.round)

    def put(self, letter, folder="INBOX", flags=()):
        received = ("Received: from x by y with LMTP id %s%d; "
                    "Mon, 23 Nov 2026 10:00:00 +0000\n" % (letter, self.round))
        self.server.append(folder, received.encode() + message(
            self.round, message_id=self.id(letter),
            body="Body of %s.\n" % self.id(letter)), flags)

    def uid(self, letter, folder="INBOX"):
        return self.server.uids(folder, 'HEADER Message-ID "<%s>"'
                                % self.id(letter))

    def prepare(self):
        self.round += 1
        for letter in "abcdefgij":
            self.put(letter)
        self.device.sync()
        device, server = self.device, self.server
        device.mark(self.id("a"), "+seen +flagged", add="todo")
        device.move(self.id("b"), "INBOX", "Archive")
        device.mark(self.id("b"), "+answered")
        device.copy(self.id("c"), "INBOX", "Archive")
        device.delete(self.id("d"), "INBOX")
        device.expunge("INBOX", self.id("e"))
        device.append("Drafts", message(self.round, message_id=self.id("p")),
                      "DS", "note")
        device.append("Sent", message(self.round, message_id=self.id("q")))
        server.flag("INBOX", self.uid("f"), "+\\Answered", "+else")
        server.flag("INBOX", self.uid("a"), "+\\Draft")
        server.move("INBOX", self.uid("g"), "Archive")
        server.expunge("INBOX", self.uid("i"))
        self.put("h", flags=["\\Seen"])
        # Moved here and there at once.
        device.move(self.id("j"), "INBOX", "Junk")

    def expected(self):
        """letter -> {folder: flags}"""
        return {
            "a": {"INBOX": ("\\Draft", "\\Flagged", "\\Seen", "todo")},
            "b": {"Archive": ("\\Answered",)},
            "c": {"INBOX": (), "Archive": ()}, "d": {"Trash": ()}, "e": {},
            "f": {"INBOX": ("\\Answered", "else")}, "g": {"Archive": ()},
            "h": {"INBOX": ("\\Seen",)}, "i": {}, "j": {"Junk": ()},
            "p": {"Drafts": ("\\Draft", "\\Seen", "note")},
            "q": {"Sent": ("\\Seen",)},
        }

    def verify(self):
        self.device.sync()
        truth = self.server.snapshot()
        equal(self.device.snapshot(), truth, "device and server")
        for letter, places in self.expected().items():
            found = [(folder, flags) for folder, rows in truth.items()
                     for name, flags in rows if name == self.id(letter)]
            equal(sorted(found), sorted(places.items()), self.id(letter))
        self.device.check()
        quiet(self.device.sync())
        equal(self.server.snapshot(), truth, "after a quiet pass")
        rows = self.device.list()
        assert all(row["cached"] for row in rows)
        equal(len(self.device.files()), len(rows), "files and messages")

    def steps(self):
        """Names of the steps of a pass, in order, none killed."""
        self.prepare()
        log = os.path.join(self.device.dir, "steps")
        code, _, errors = self.device.try_run("sync", fail="log:" + log)
        equal(code, 0, errors)
        self.verify()
        with open(log) as lines:
            return [line.strip() for line in lines]

    def kill(self, name, time):
        self.prepare()
        code, _, errors = self.device.try_run(
            "sync", fail="%s@%d:kill" % (name, time))
        if code == 0:
            return False
        equal(code, SIGKILLED, errors)
        try:
            self.verify()
        except AssertionError as error:
            raise AssertionError("killed at %s, time %d: %s"
                                 % (name, time, error)) from None
        return True


@test("D8: a full disk at each step that writes")
def d8_full_disk():
    with World(smtp="aiosmtpd") as world:
        with Scenario(world) as scenario:
            writes = [name for name in dict.fromkeys(scenario.steps())
                      if name.startswith(("maildir.", "store."))]
            failed = 0
            for name in writes:
                scenario.prepare()
                code, _, errors = scenario.device.try_run(
                    "sync", fail=name + ":ENOSPC+")
                if code:
                    failed += 1
                    equal(errors.count("\n"), 1, errors)
                try:
                    scenario.verify()
                except AssertionError as error:
                    raise AssertionError("full at %s: %s"
                                         % (name, error)) from None
            note("%d of %d steps failed" % (failed, len(writes)))
            assert failed >= 5


def register(off, wanted):
    @test("D1: a pass killed at each step, without "
          + (", ".join(off) or "nothing"))
    def d1_kill():
        with World(off=off, smtp="aiosmtpd") as world:
            with Scenario(world) as scenario:
                steps = scenario.steps()
                # A server that names its messages leaves nothing to be found out.
                named = {"sync.relink"} if "OBJECTID" in scenario.server.capabilities else set()
                equal(sorted(wanted - named - set(steps)), [], "steps not met")
                every = "POSTRIDER_LONG" in os.environ
                killed = 0
                for name in dict.fromkeys(steps):
                    times = steps.count(name) if every else 1
                    for time in range(1, times + 1):
                        killed += scenario.kill(name, time)
                note("%d kills at %d steps" % (killed, len(set(steps))))
                assert killed >= len(set(steps)) - 2


register([], STEPS)
register(["move", "uidplus"], STEPS)

if __name__ == "__main__":
    main()
