#!/usr/bin/env python3
"""D1: SIGKILL at each named step of a pass. Nothing is lost, nothing doubled,
the next pass finishes what was begun, and the one after it changes nothing.

The scenarios are in kill_table.py; each is played again for each kill, with
messages of its own and on an account of its own. By default a few of them are
killed at a few steps, drawn from the seed that is printed; POSTRIDER_SEED sets
it, POSTRIDER_LONG plays all, at each step and each time it comes."""

import contextlib
import os
import random
import sqlite3

import kill_table
from device import SIGKILLED, Device, message, quiet
from fill import fill
from harness import World, equal, keep, main, note, temporary, test
from shim import Shim
from stage import LONG, SEED, Stage

# In half of the runs flags and names change together, however few there are
# (store/renaming.h).
if SEED % 2:
    Device.rules = "sync.renaming_from=1"

# All scenarios together go through these at least.
STEPS = {
    "sync.flags.send", "sync.flags.record", "sync.flags.take",
    "sync.envelopes", "sync.bodies.flush", "sync.bodies.record",
    "sync.texts",
    "sync.copy.send", "sync.intent.record", "sync.append.send",
    "sync.append.record", "sync.expunge.mark", "sync.expunge.send",
    "sync.remove", "sync.relink", "sync.folder.record", "sync.settle",
    "sync.folder.take", "sync.folder.send", "sync.folder.forget",
    "sync.uidvalidity", "sync.bind",
}


def places(steps, draw):
    """(step, which time) to kill at."""
    every = [(name, time) for name in dict.fromkeys(steps)
             for time in range(1, steps.count(name) + 1)]
    return every if LONG else draw.sample(every, min(3, len(every)))


@test("D1: every scenario killed at every step (or a sample of them)")
def d1_scenarios():
    draw = random.Random(SEED)
    note("POSTRIDER_SEED=%d" % SEED)
    table = kill_table.TABLE
    assert len(table) >= 60, len(table)
    assert len({scenario.name for scenario in table}) == len(table)
    chosen = table if LONG else draw.sample(table, 4)
    only = os.environ.get("POSTRIDER_SCENARIO")
    if only:
        chosen = [s for s in table if s.name == only]
    met, killed, played = set(), 0, 0
    world = keep(World(count=2 * len(chosen), smtp="aiosmtpd"))
    for number, scenario in enumerate(chosen):
        with Stage(world, number, scenario) as stage:
            steps = stage.steps()
            different = len(set(steps))
            if LONG or only:
                note("%s: %d steps, %d different" % (
                    scenario.name, len(steps), different))
            # A server that names its messages leaves nothing to find out.
            named = "OBJECTID" in stage.server.capabilities
            assert different >= scenario.steps - named, (
                "%s: only %d different steps, not %d: %s" % (
                    scenario.name, different, scenario.steps, set(steps)))
            met |= set(steps)
            for name, time in places(steps, draw):
                played += 1
                killed += stage.kill(name, time)
    note("%d scenarios, %d of %d passes killed" % (
        len(chosen), killed, played))
    assert killed >= played * 0.75
    if len(chosen) == len(table):
        equal(sorted(STEPS - met - ({"sync.relink"} if named else set())), [],
              "steps that no scenario met")


class Random:
    """A mailbox that both sides go on changing, and passes that are killed
    before a call that changes a file (tests/lab/shim.c)."""

    def __init__(self, size):
        self.draw = random.Random(SEED)
        self.world = keep(World(count=1, smtp="aiosmtpd"))
        self.device = keep(Device(self.world, "ana"))
        self.shim = Shim(temporary())
        fill(self.world.spec, "ana", size, kind="small")
        self.server = keep(self.world.oracle("ana"))
        self.log = os.path.join(self.device.dir, "steps")
        self.expected, self.new, self.calls = size, 0, 4 * size

    def change(self):
        """Some of everything, on either side."""
        server, device, draw = self.server, self.device, self.draw
        for _ in range(5):
            self.new += 1
            server.append("INBOX", message(self.new, message_id="new%d@lab.test"
                                           % self.new))
        uids = server.uids("INBOX")
        server.flag("INBOX", draw.sample(uids, 20), "+\\Answered")
        server.move("INBOX", draw.sample(uids, 3), "Archive")
        rows = [row["id"] for row in device.list() if row["folder"] == "INBOX"]
        words = [("mark", name, "+flagged", "", "")
                 for name in draw.sample(rows, min(10, len(rows)))]
        words += [("move", name, "INBOX", "Archive")
                  for name in draw.sample(rows, min(3, len(rows)))]
        device.run_all(words)

    def kill(self):
        at = int(self.calls ** self.draw.random())
        code, _, errors = self.device.try_run(
            "sync", fail="log:" + self.log, env=self.shim.env(
                self.device.store, "sync_device", kill=at))
        assert code in (0, SIGKILLED), errors
        return code != 0

    def verify(self):
        # The first may still be told of what was moved under it.
        for _ in range(2):
            code, lines, errors = self.device.try_run(
                "sync", fail="log:" + self.log)
            equal(code, 0, errors)
        truth = self.server.snapshot()
        equal(self.device.snapshot(), truth, "device and server")
        equal(sum(len(rows) for rows in truth.values()),
              self.expected + self.new, "messages")
        quiet(self.device.sync())
        self.device.check()
        equal(len(self.device.files()), self.expected + self.new, "files")


@test("D1: killed at random calls in a two-way sync of 10,000 (or of 300)")
def d1_random():
    note("POSTRIDER_SEED=%d" % SEED)
    play = Random(10000 if LONG else 300)
    kills = 0
    for number in range(1000 if LONG else 12):
        if number % 5 == 3:
            play.change()
        kills += play.kill()
        if number % (50 if LONG else 6) == 5:
            play.verify()
    play.verify()
    with open(play.log) as lines:
        fetched = sum(line == "maildir.create\n" for line in lines)
    again = fetched - play.expected - play.new
    note("%d kills, %d messages fetched again" % (kills, again))
    assert kills and again <= 100 * kills


@test("killed between its bodies and their text: the next pass reads the rest")
def bodies_unread():
    world = keep(World(count=1, smtp="aiosmtpd"))
    device = keep(Device(world, "ana"))
    path = os.path.join(device.store, "postrider.db")

    def ask(query):
        with contextlib.closing(sqlite3.connect(path)) as store:
            return store.execute(query).fetchone()[0]

    def unread():
        return ask("SELECT count(*) FROM message WHERE NOT bits & 32")
    fill(world.spec, "ana", 900, kind="small")
    for time in (1, 2):
        code, _, errors = device.try_run("sync", fail="sync.texts@%d:kill" % time)
        equal(code, SIGKILLED, errors)
        assert unread() >= 200, unread()
        device.check()
    # The newest were read.
    equal(ask("SELECT bits & 32 FROM message ORDER BY key DESC LIMIT 1"), 32)
    assert ask("SELECT count(*) FROM message WHERE bits & 32") >= 100
    done = device.sync()
    assert done["bodies"] <= 800, done
    equal(unread(), 0)
    equal(ask("SELECT count(*) FROM textless"), 0)
    device.check()
    quiet(device.sync())
    with world.oracle("ana") as server:
        equal(device.snapshot(), server.snapshot())


if __name__ == "__main__":
    main()
