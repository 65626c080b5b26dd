#!/usr/bin/env python3
"""S10, D3, N1: a submission that is cut, refused late, answered early, twice,
never or without an end, at each of its steps: what is queued is never lost,
and never given to the server twice without its user."""

import time

from harness import (LONG, World, chance, contains, equal, keep, main, note,
                     test, wait_for)
from proxy import Proxy

DICE = chance()
SAMPLE = 8
STEPS = ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "QUIT"]
# What happens in place of the answer, or to it.
DEEDS = {
    "cut": "cut rst",
    "polite end": "cut polite",
    "half of it": None,                 # the first bytes, then FIN
    "421": r"replace '421 4.3.2 going down\r\n'",
    "early 250": r"insert '250 2.0.0 ok\r\n'",
    "334 without text": r"replace '334\r\n'",
    "not a reply": r"replace 'hello\r\n'",
    "without an end": r"flood '250-more\r\n'",
    "a line without an end": "flood 'x'",
    "late": "stall 1",
}

world = keep(World(count=2, smtp="aiosmtpd"))
proxy = keep(Proxy(world.spec, "smtps"))
ana = keep(world.home("ana", ports={"smtps": proxy.port}))
ben = keep(world.oracle("ben"))


def state(subject):
    rows = [row for row in ana.json("queue", "list", "--all")
            if row["subject"] == subject]
    equal(len(rows), 1, "items called " + subject)
    return rows[0]


def arrived(subject):
    return sum(message.subject == subject for message in ben.messages())


def fault(step, deed):
    """The state that it left the message in."""
    rule = "when server command %s at 3 do cut fin" % step if (
        DEEDS[deed] is None) else "when server command %s do %s" % (
            step, DEEDS[deed])
    for _ in range(3):  # one that was put off may be on its way meanwhile
        subject = "%s at %s %d" % (deed, step, DICE.randrange(1 << 30))
        proxy.use(rule)
        begun = time.monotonic()
        result = ana.run("send", "-s", subject, "ben@lab.test", "--now",
                         stdin="x\n", timeout=120)
        assert time.monotonic() - begun < 60, subject
        if proxy.fired():
            break
    assert proxy.fired(), subject
    assert "\n" not in result.errors.rstrip("\n"), result.errors
    got = state(subject)
    equal(proxy.problems, [], subject)
    # A lying 4xx behind the dot is the server's word: it is tried again.
    given = sum(proxy.mails.values())
    assert given <= 1, "%s: given %d times" % (subject, given)
    proxy.use()
    if got["state"] == "unknown":
        equal(step, "BODY", subject)
        ana.run("queue", "flush")
        equal(state(subject)["state"], "unknown", subject)
        equal(sum(proxy.mails.values()), 0, subject + ": sent again")
        assert arrived(subject) <= 1, subject
        return got["state"]
    if got["state"] != "sent":
        assert got["state"] in ("deferred", "waiting", "failed"), got
        ana.run("queue", "retry", str(got["id"]))
        wait_for(lambda: state(subject)["state"] == "sent", 60,
                 subject + " to be sent after all")
    wait_for(lambda: arrived(subject), 30, subject + " at Ben's")
    if not (step == "BODY" and deed != "late"):
        equal(arrived(subject), 1, subject)
    proxy.check("MAIL", "RCPT", "DATA")
    return got["state"]


@test("S10: whatever happens to an answer, at every step")
def steps():
    cases = [(step, deed) for step in STEPS for deed in DEEDS]
    found = {}
    for step, deed in cases if LONG else DICE.sample(cases, SAMPLE):
        found[step, deed] = fault(step, deed)
    note("%d cases; %s" % (len(found), ", ".join(
        "%s at %s: %s" % (deed, step, got)
        for (step, deed), got in sorted(found.items()))))


@test("D3: the answer to the final dot is lost: unknown, and not sent again")
def lost():
    for deed in ("cut", "polite end", "half of it"):
        equal(fault("BODY", deed), "unknown", deed)


@test("S10: cut before the final dot: nothing was sent, and it is again")
def before():
    for rule in ("when client dot do cut rst", "when client dot do cut fin"):
        subject = "before the dot %d" % DICE.randrange(1 << 30)
        proxy.use(rule)
        ana.run("send", "-s", subject, "ben@lab.test", "--now", stdin="x\n")
        got = state(subject)
        assert got["state"] in ("deferred", "unknown"), got
        proxy.use()
        ana.run("queue", "retry", str(got["id"]))
        wait_for(lambda: arrived(subject), 30, "the mail")
        equal(arrived(subject), 1)


if __name__ == "__main__":
    main()
