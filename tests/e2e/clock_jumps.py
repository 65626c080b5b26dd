#!/usr/bin/env python3
"""D12: the clock jumps (ten years back, ten years ahead, past 2038, an hour
either way) in the middle of a pass and of a send: nothing is lost, doubled or
put off. tests/lab/shim.c turns the clock; what checks certificates goes on
reading the true time. When it jumps is drawn from the seed that is printed."""

import random
import time

import kill_table
from harness import World, equal, keep, main, note, temporary, test, wait_for
from shim import Shim
from stage import LONG, SEED, Stage

YEAR = 365 * 86400
JUMPS = {"ten years back": -10 * YEAR, "ten years ahead": 10 * YEAR,
         "past 2038": 2 ** 31 + 100 - int(time.time()),
         "an hour ahead": 3600, "an hour back": -3600}

world = keep(World(count=8, smtp="aiosmtpd"))
shim = Shim(temporary())
SCENARIO = kill_table.Scenario(
    "all", (*kill_table.BOTH_WAYS, kill_table.uploads,
            kill_table.expunges_there), "", 0, "")


@test("D12: the clock jumps during a pass")
def d12_pass():
    draw = random.Random(SEED)
    note("POSTRIDER_SEED=%d" % SEED)
    with Stage(world, 0, SCENARIO) as stage:
        stage.prepare()
        shim.counted()
        code, _, errors = stage.device.try_run("sync", env=shim.env(
            stage.device.store, "sync_device", clock="1000000000 0"))
        equal(code, 0, errors)
        stage.verify()
        readings = shim.counted()[2]
        assert readings > 20, readings
        for name, by in JUMPS.items():
            for _ in range(20 if LONG else 1):
                at = draw.randint(1, readings)
                stage.prepare()
                code, _, errors = stage.device.try_run("sync", env=shim.env(
                    stage.device.store, "sync_device",
                    clock="%d %d" % (at, by)))
                try:
                    equal(code, 0, errors)
                    stage.verify()
                except AssertionError as error:
                    raise AssertionError("%s at reading %d: %s" % (
                        name, at, error)) from None
        note("%d readings of the clock in a pass" % readings)


@test("D12: the clock jumps during a send")
def d12_send():
    draw = random.Random(SEED + 1)
    home = keep(world.home(world.spec.users[4]["name"]))
    ben = world.spec.users[5]
    home.ok("sync")
    home.stop()
    server = keep(world.oracle(ben["name"]))
    for number, (name, by) in enumerate(JUMPS.items(), 1):
        env = shim.env(home.data(), "postrider-worker",
                       clock="%d %d" % (draw.randint(5, 60), by))
        home.ok("-s", "mail %d" % number, "--", ben["address"],
                stdin="x\n", env=env)
        wait_for(lambda: len(server.uids("INBOX")) >= number, 60,
                 "the mail, " + name)
        wait_for(lambda: not home.json("queue"), 60, "the queue, " + name)
        home.stop()
    equal(sorted(m.subject for m in server.messages("INBOX")),
          ["mail %d" % n for n in range(1, len(JUMPS) + 1)])


if __name__ == "__main__":
    main()
