#!/usr/bin/env python3
"""N2: a server that falls silent, in each state that a session can be in.  The
wait ends at its limit, or half a second after it was cancelled; no thread is
left, and the next pass brings everything.

The limits are shortened (base/fail.h) and the states a sample, its seed told;
with POSTRIDER_LONG it is every state, with the limits of a release."""

import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from device import Fast, message
from harness import (LONG, Skip, World, chance, equal, keep, main,
                     note, test, wait_for)
from oracle import differences
from proxy import Proxy
from sweep import states

DICE = chance()
SAMPLE = 12
COMMAND, CONNECT = (60, 30) if LONG else (1.5, 1.2)
LIMITS = "" if LONG else "net.command_ms=%d,net.connect_ms=%d" % (
    COMMAND * 1000, CONNECT * 1000)
SLACK = 1.5                             # seconds that a limit may be late
CANCEL = 0.5

world = keep(World(smtp="aiosmtpd", plain=True))
server = keep(world.oracle("ana"))
for number in range(6):
    server.append("INBOX", message(number), ["\\Seen"])
server.create("Work")
server.append("Work", message(50), ["\\Flagged", "work"])
TRUTH = server.truth()


class Place:
    """A device behind a proxy of its own."""

    def __init__(self, port, tls="", wire=False, user="ana"):
        self.wire = wire
        self.proxy = keep(Proxy(world.spec, port, wire=wire))
        self.device = keep(Fast(world, user, port=self.proxy.port, tls=tls))
        self.device.run("folders")
        self.empty = os.path.join(self.device.dir, "empty")
        self.device.copy_store(self.empty)

    def stall(self, rule, work="sync", fail=LIMITS):
        """Until the server is silent.  FALSE when it never was."""
        self.proxy.use(rule)
        self.device.begin(work, fail=fail)
        deadline = time.monotonic() + 60
        reached = True
        while reached and not self.proxy.stalled.wait(0.01):
            if time.monotonic() > deadline:
                raise AssertionError(rule + ": never reached")
            # TLS records are counted: another session may have some fewer.
            reached = not (self.wire and self.device.has_answered())
        self.begun = time.monotonic()
        return reached

    def end(self):
        answer = self.device.end()
        equal(self.device.used["threads"], 1, "threads left")
        return answer


# name -> (port, tls, wire, rule): one for each state of three sessions

SESSIONS = 3        # how connections share the bodies differs: a state is one that all of them come to


def recorded(place):
    """The states of a session that nothing disturbs: (label, rule)."""
    place.device.restore(place.empty)
    place.proxy.use()
    place.device.run("sync")
    return set(states(place.proxy.transcript).items())


def find_states():
    found = {}
    for name, port, tls, wire in (("TLS", "imaps", "", False),
                                  ("STARTTLS", "imap", "starttls", False),
                                  ("wire", "imaps", "", True)):
        place = Place(port, tls, wire)
        for label, rule in set.intersection(*[recorded(place) for _ in range(SESSIONS)]):
            found["%s, %s" % (name, label)] = port, tls, wire, rule + "stall"
        if not wire:
            found[name + ", connected"] = (
                port, tls, wire, "when client connect do stall")
    return found


STATES = find_states()
PLACES = {}


def place_for(port, tls, wire):
    return PLACES.setdefault((port, tls, wire), Place(port, tls, wire))


def all_was_done(place, name):
    """No error: the server fell silent at LOGOUT, which does not matter."""
    equal(differences(place.device.truth(), TRUTH), [], name)


@test("N2: silence in every state ends at its limit")
def limits():
    names = sorted(STATES) if LONG else DICE.sample(sorted(STATES), SAMPLE)
    assert len(STATES) >= 40, "only %d states" % len(STATES)

    def case(name, place, rule):
        place.stall(rule)
        code, lines, errors = place.end()
        waited = place.device.used["ended"] - place.begun
        return name, code, errors, waited, place
    for _ in range(3):                  # late: a machine under load
        # The stores are made one after the other, the waiting is together.
        ready = [(name, Place(*STATES[name][:3]), STATES[name][3])
                 for name in names]
        with ThreadPoolExecutor(64 if LONG else 8) as pool:
            done = list(pool.map(lambda each: case(*each), ready))
        names = []
        for name, code, errors, waited, place in done:
            if waited > COMMAND + SLACK:
                names.append(name)
                continue
            if code:
                assert waited > CONNECT * 0.8, "%s: %.1f s: %s" % (
                    name, waited, errors)
                assert "within" in errors or "too slow" in errors, errors
            else:
                all_was_done(place, name)
            place.proxy.use()
            place.device.run("sync")
            equal(differences(place.device.truth(), TRUTH), [], name)
        if not names:
            break
    equal(names, [], "longer than %.1f s" % (COMMAND + SLACK))
    note("%d states of %d" % (len(done), len(STATES)))


@test("N2: cancelled in every state, it ends within half a second")
def cancelled():
    names = sorted(STATES) if LONG else DICE.sample(sorted(STATES), SAMPLE * 2)
    latest = 0.0
    for name in names:
        port, tls, wire, rule = STATES[name]
        place = place_for(port, tls, wire)
        for last in (False, False, True):
            place.device.restore(place.empty)
            if place.stall(rule, fail=""):
                os.kill(place.device.pid, signal.SIGTERM)
            asked = time.monotonic()
            code, lines, errors = place.end()
            if not code:
                all_was_done(place, name)
            took = place.device.used["ended"] - asked
            if took < CANCEL:
                break
            assert not last, "%s: %.2f s" % (name, took)
        latest = max(latest, took)
    note("%d states of %d, the slowest in %.3f s" % (
        len(names), len(STATES), latest))


# While changes go out

CHANGES = {
    "STORE": ("when server command UID STORE do stall",
              lambda it: it.mark("m1@lab.test", "+flagged")),
    "MOVE": ("when server command UID MOVE do stall",
             lambda it: it.move("m2@lab.test", "INBOX", "Work")),
    "APPEND, before the literal": (
        "when client command APPEND do stall",
        lambda it: it.append("Drafts", message(60, message_id="d1@x"))),
    "APPEND, behind the literal": (
        "when server command APPEND do stall",
        lambda it: it.append("Drafts", message(61, message_id="d2@x"))),
    "COPY": ("when server command UID COPY do stall",
             lambda it: it.copy("m3@lab.test", "INBOX", "Work")),
    "EXPUNGE": ("when server command UID EXPUNGE do stall",
                lambda it: it.expunge("INBOX", "m4@lab.test")),
}


@test("N2: silence while changes go out: at its limit, and done once")
def changes():
    place = Place("imaps", user="ben")
    with world.oracle("ben") as ben:
        for number in range(6):
            ben.append("INBOX", message(number))
        ben.create("Work")
        device = place.device
        device.sync()
        for name, (rule, change) in CHANGES.items():
            change(device)
            place.stall(rule)
            code, lines, errors = place.end()
            waited = device.used["ended"] - place.begun
            equal(code, 1, name)
            assert waited < COMMAND + 2 * SLACK, "%s: %.1f s" % (name, waited)
            place.proxy.use()
            for _ in range(3):
                device.sync()
            equal(differences(device.truth(), ben.truth()), [], name)
            device.check()
        ids = sorted(row[0] for rows in ben.snapshot().values()
                     for row in rows)
        equal(ids, ["d1@x", "d2@x", *("m%d@lab.test" % n for n in (
            0, 1, 2, 3, 3, 5))])


@test("N2: a port that takes no connection: the limit of the connection")
def no_answer():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    # Whoever is not accepted fills the queue; the next SYN gets no answer.
    waiting = []
    for _ in range(4):
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(listener.getsockname())
    device = keep(Fast(world, "ana", port=listener.getsockname()[1]))
    device.env["LAB_HOST"] = "127.0.0.1"
    begun = time.monotonic()
    device.begin("sync", fail=LIMITS)
    code, lines, errors = device.end()
    waited = device.used["ended"] - begun
    equal(code, 1)
    equal(device.used["threads"], 1)
    assert CONNECT * 0.8 < waited < CONNECT + 2 * SLACK, waited
    device.begin("sync")
    os.kill(device.pid, signal.SIGTERM)
    asked = time.monotonic()
    equal(device.end()[0], 1)
    assert device.used["ended"] - asked < 2 * CANCEL
    for each in [*waiting, listener]:
        each.close()


@test("N2: an engine ends at once while its servers are silent")
def engine():
    proxy = keep(Proxy(world.spec, "imaps",
                       "when server literal UID FETCH at 10 do stall"))
    home = keep(world.home("ana", ports={"imaps": proxy.port}))
    for last in (False, False, True):
        proxy.use("when server literal UID FETCH at 10 do stall")
        watch = home.start("sync", "--watch", stderr=subprocess.DEVNULL)
        try:
            assert proxy.stalled.wait(60), "never reached"
            watch.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            watch.wait(30)
            wait_for(lambda: not home.processes(), 30, "the end of all")
            took = time.monotonic() - asked
        finally:
            watch.kill()
            watch.wait()
        if took < 2 * CANCEL:
            break
        assert not last, "%.2f s" % took
    note("ended after %.2f s" % took)


if __name__ == "__main__":
    main()
