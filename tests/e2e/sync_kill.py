#!/usr/bin/env python3
"""D1: SIGKILL at each named step of a pass. Nothing is lost, nothing doubled,
the next pass finishes what was begun, and the one after it changes nothing.

The scenarios are in kill_table.py; each is played again for each kill, with
messages of its own and on an account of its own. By default a few of them are
killed at a few steps, drawn from the seed that is printed; POSTRIDER_SEED sets
it, POSTRIDER_LONG plays all, at each step and each time it comes."""

import os
import random

import kill_table
from harness import World, equal, keep, main, note, test
from stage import LONG, SEED, Stage

# All scenarios together go through these at least.
STEPS = {
    "sync.flags.send", "sync.flags.record", "sync.flags.take",
    "sync.envelopes", "sync.bodies.flush", "sync.bodies.record",
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


if __name__ == "__main__":
    main()
