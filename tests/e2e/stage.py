"""Where a scenario of kill_table.py is played, again and again: an account (or
two) on a world's server, a device, and what must hold after whatever was done
to its pass."""

import os
import random

import kill_table
from device import SIGKILLED, Device, quiet
from harness import equal

# POSTRIDER_LONG: the whole, not a sample drawn from the seed.
LONG = "POSTRIDER_LONG" in os.environ
SEED = int(os.environ.get("POSTRIDER_SEED", random.SystemRandom().randrange(
    1 << 32)))


class Stage:
    """One scenario on an account (or two) of its own."""

    def __init__(self, world, number, scenario):
        self.scenario = scenario
        users = world.spec.users
        name = users[2 * number]["name"]
        self.server = world.oracle(name)
        self.device = Device(world, name, scenario.without, scenario.keep)
        self.other = self.there = None
        self.round = 0
        self.killed = self.device       # whose pass it is
        if kill_table.to_other_account in scenario.deeds:
            name = users[2 * number + 1]["name"]
            self.there = world.oracle(name)
            self.other = Device(world, name, scenario.without, account="other",
                                beside=self.device)
            self.killed = self.other
        self.sync()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for device in filter(None, (self.device, self.other)):
            device.__exit__()
        for server in filter(None, (self.server, self.there)):
            server.close()

    def sync(self):
        """A pass of each account; twice, where one waits for the other."""
        if not self.other:
            return [self.device.sync()]
        self.other.sync()
        self.device.sync()
        return [self.other.sync(), self.device.sync()]

    def prepare(self):
        """Up to the pass that is to be killed."""
        self.round += 1
        self.plays = []
        begun = []
        for number, deed in enumerate(self.scenario.deeds):
            play = kill_table.Play(self.server, self.device, "r%dd%d" % (
                self.round, number))
            play.twin = "other>"
            self.plays.append(play)
            begun.append(deed(play))
            next(begun[-1])
        self.sync()
        for deed in begun:
            assert next(deed, "over") == "over"
        self.device.run_all([words for play in self.plays
                             for words in play.words])

    def truth(self):
        found = self.server.snapshot()
        if self.there:
            found.update(("other>" + folder, rows) for folder, rows in
                         self.there.snapshot().items())
        return found

    def here(self):
        found = self.device.snapshot()
        if self.other:
            found.update(("other>" + folder, rows) for folder, rows in
                         self.other.snapshot().items())
        return found

    def verify(self):
        done = self.sync()
        truth = self.truth()
        equal(self.here(), truth, "device and server")
        places = {}
        for folder, rows in truth.items():
            for name, flags in rows:
                places.setdefault(name, []).append((folder, flags))
        fetched = 0
        for play in self.plays:
            fetched += play.number
            for name, wanted in play.expected.items():
                equal(sorted(places.get(name, [])), sorted(wanted.items()),
                      name)
        assert sum(d["bodies"] for d in done) <= min(100, 2 * fetched), done
        self.device.check()
        for d in self.sync():
            quiet(d)
        equal(self.truth(), truth, "after a quiet pass")
        rows = self.device.list() + (self.other.list() if self.other else [])
        if all(play.bodies_wanted for play in self.plays):
            assert all(row["cached"] for row in rows)
            equal(len(self.device.files()), len(rows), "files and messages")

    def steps(self):
        """Names of the steps of a pass, in order, none killed."""
        self.prepare()
        log = os.path.join(self.device.dir, "steps%d" % self.round)
        code, _, errors = self.killed.try_run("sync", fail="log:" + log)
        equal(code, 0, errors)
        self.verify()
        with open(log) as lines:
            return [line.strip() for line in lines]

    def kill(self, name, time):
        """Whether the pass came so far."""
        self.prepare()
        code, _, errors = self.killed.try_run(
            "sync", fail="%s@%d:kill" % (name, time))
        if code:
            equal(code, SIGKILLED, errors)
        try:
            self.verify()
        except AssertionError as error:
            raise AssertionError("%s: killed at %s, time %d: %s" % (
                self.scenario.name, name, time, error)) from None
        return code != 0
