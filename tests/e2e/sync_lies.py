#!/usr/bin/env python3
"""S6, S11: whatever a server invents, the client sends nothing that its user
did not ask for, removes nothing here that is still there, and is right again
after one honest pass."""

import os

from device import Fast, message
from harness import LONG, World, chance, equal, keep, main, note, test
from lies import LIES
from proxy import Proxy

ROUNDS = 12 if LONG else 1
DICE = chance()
MESSAGES = 120
# Lies that only a pass hears which reads the folder whole.
WHOLE = {"search"}

world = keep(World(smtp="aiosmtpd"))
liar = keep(Proxy(world.spec, "imaps"))


server = keep(world.oracle("ana"))


def fill():
    for number in range(MESSAGES):
        server.append("INBOX", message(number),
                      ["\\Seen"] if number % 3 else [])


fill()
base = keep(Fast(world, "ana", port=liar.port))
base.sync()
snapshot = os.path.join(base.dir, "snapshot")
base.copy_store(snapshot)


def change(round_number):
    """Something for the pass to find."""
    uids = server.uids("INBOX")
    server.flag("INBOX", uids[round_number % 7::11], "+\\Flagged")
    server.expunge("INBOX", uids[round_number % 5:][:1])
    server.append("INBOX", message(DICE.randrange(1000, 1 << 30)))


def same(here, there, what):
    equal([row for row in here if row not in there],
          [row for row in there if row not in here], what)
    equal(len(here), len(there), what)


def try_lie(lie, seed):
    base.restore(snapshot)
    change(seed)
    before = {row["id"] for row in base.list()}
    liar.use("when server line . p=0.35 do lie " + lie, seed=seed)
    code, lines, errors = base.try_run(
        "sync", *(["--complete"] if lie in WHOLE else []))
    told = liar.fired()
    assert code in (0, 1), "exit %d: %s" % (code, errors)
    for line in [errors, *(entry["text"] for entry in lines
                           if entry["kind"] == "notice")]:
        assert "\x1b" not in line, repr(line)
    try:
        liar.check()
    except AssertionError as error:
        raise AssertionError("%s, seed %d: %s" % (lie, seed, error)) from None
    # Nothing that the server still has went here.
    truth = {row[0] for row in server.snapshot()["INBOX"]}
    after = {row["id"] for row in base.list()}
    equal((before & truth) - after, set(),
          "%s, seed %d: removed though it is there" % (lie, seed))
    liar.use()
    # A change that the server kept to itself is not missed by one who reads
    # the folder whole.
    for _ in range(2):
        base.sync("--complete")
        for name, folder in base.folders().items():
            if folder["notice"]:
                base.run("folder", "agree", name)
    same(base.snapshot()["INBOX"], server.snapshot()["INBOX"],
         "%s, seed %d" % (lie, seed))
    base.check()
    return told


def register(lie):
    @test("S6, S11: lies about " + lie)
    def s6_lies():
        told = passes = 0
        while passes < ROUNDS or not told:
            assert passes < ROUNDS + 25, "it was never told"
            told += try_lie(lie, DICE.randrange(1 << 20))
            passes += 1
        note("%d lies in %d passes" % (told, passes))


for name in LIES:
    register(name)

if __name__ == "__main__":
    main()
