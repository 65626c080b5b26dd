#!/usr/bin/env python3
"""N1: a session that is cut at any byte ends with an error at once, leaves
nothing by half, and goes on by itself.  Server and client are compared whole
after each case: UID, flags, content, and no file too many.

A sample by default, its seed is told; every byte with POSTRIDER_LONG."""

import glob
import os
import signal
import subprocess
import time

from device import Fast, message
from fill import fill
from harness import (LONG, Skip, World, at_end, chance, equal, keep, main, note,
                     test, wait_for)
from oracle import differences
from proxy import Proxy
import process

# Cases of each kind, unless it is all of them.
SAMPLE = int(os.environ.get("POSTRIDER_SAMPLE", 12))
HASTE = 1.0                             # seconds from the cut to the error
DICE = chance()
HOWS = ["fin", "rst", "polite"]

world = keep(World(smtp="aiosmtpd", plain=True))
server = keep(world.oracle("ana"))


def fill_small():
    """About 20 kB of IMAP when read by a new device."""
    for number in range(12):
        server.append("INBOX", message(number, body="line %d\n" % number * 80),
                      ["\\Seen"] if number % 3 else [])
    server.create("Work")
    for number in range(100, 104):
        server.append("Work", message(number), ["\\Flagged", "work"])


fill_small()
TRUTH = server.truth()


class Session:
    """A new device, whose first pass goes through a proxy."""

    def __init__(self, port, tls="", **options):
        self.proxy = keep(Proxy(world.spec, port, **options))
        self.device = keep(Fast(world, "ana", port=self.proxy.port, tls=tls))
        self.device.run("folders")      # makes the store
        self.empty = os.path.join(self.device.dir, "empty")
        self.device.copy_store(self.empty)
        self.cases = self.failures = 0
        self.latest = 0.0
        self.proxy.use()
        self.whole()
        self.proxy.end_all()
        self.length = {side: self.proxy.said(side)
                       for side in ("client", "server")}
        self.entries = list(self.proxy.transcript)

    def whole(self):
        self.device.run("sync")
        equal(differences(self.device.truth(), TRUTH), [])

    def cut(self, rule):
        """One case: cut there, then go on."""
        for patience in (1, 2, 0):      # a machine under load may be late
            self.device.restore(self.empty)
            self.proxy.use(rule)
            code, lines, errors = self.device.try_run("sync")
            if not self.proxy.cut_at:   # the dates in it have no fixed length
                assert code == 0, errors
                break
            # What others had the processor is not its own haste.
            late = (self.device.used["ended"] - self.proxy.cut_at
                    - self.device.used["waited_us"] / 1e6)
            if late < HASTE:
                self.latest = max(self.latest, late)
                break
            assert patience, "%s: the error came %.1f s late" % (rule, late)
        equal(self.device.used["threads"], 1, rule)
        assert code in (0, 1) and (code == 0 or errors.count("\n") == 1), (
            rule, code, errors)
        self.whole()
        self.proxy.check(clear=not self.proxy.implicit)
        self.cases += 1

    def sweep(self, side):
        points = range(self.length[side])
        if not LONG:
            points = sorted(DICE.sample(points, SAMPLE))
        for at in points:
            self.cut("when %s byte %d do cut %s" % (
                side, at, HOWS[DICE.randrange(len(HOWS))]))
        note("%d bytes, %d cuts, latest error after %.3f s" % (
            self.length[side], self.cases, self.latest))


@test("N1: cut at the bytes that the server says, without TLS")
def without_tls():
    Session("imap", "none").sweep("server")


@test("N1: cut at the bytes that the server says, inside TLS")
def inside_tls():
    Session("imaps").sweep("server")


@test("N1: cut at the bytes that the client says, STARTTLS")
def client_side():
    Session("imap", "starttls").sweep("client")


@test("N1: cut on the wire: TLS records whole, begun and half sent")
def on_the_wire():
    session = Session("imaps", wire=True)
    records = [entry for entry in session.entries if entry.side == "server"]
    places = [(entry.number, at) for entry in records for at in (0, 1, 5, 20)]
    for number, at in places if LONG else DICE.sample(places, SAMPLE):
        session.cut("when server unit %d at %d do cut %s" % (
            number, at, DICE.choice(["fin", "rst"])))
    note("%d records, %d cuts, latest error after %.3f s" % (
        len(records), session.cases, session.latest))


# Both ways: what the client does is done once, wherever it is cut

def change(device, number):
    """A round of a user's work; what the server has to have in the end."""
    held = {row["id"]: row for row in device.list()}
    inbox = sorted(name for name, row in held.items()
                   if row["folder"] == "INBOX" and name.startswith("m"))
    work = sorted(name for name, row in held.items()
                  if row["folder"] == "Work" and name.startswith("m"))
    there, back = inbox[number % len(inbox)], work[number % len(work)]
    marked = inbox[(number + 3) % len(inbox)]
    device.mark(marked, "+-"[number % 2] + "flagged")
    device.move(there, "INBOX", "Work")
    device.move(back, "Work", "INBOX")
    device.append("Drafts", message(number, message_id="draft%d@x" % number))
    if number:
        device.expunge("Drafts", "draft%d@x" % (number - 1))
    return {"INBOX": set(inbox) - {there} | {back},
            "Work": set(work) - {back} | {there},
            "Drafts": {"draft%d@x" % number}}, (marked, number % 2 == 0)


def ids(truth):
    return {folder: sorted(row[0] for row in rows)
            for folder, rows in truth.items() if rows}


@test("N1: cut while changes go out: each is done once, none is lost")
def both_ways():
    proxy = keep(Proxy(world.spec, "imaps"))
    device = keep(Fast(world, "ana", port=proxy.port))
    device.sync()
    change(device, 0)
    proxy.use()
    device.sync()
    lengths = {side: proxy.said(side) for side in ("client", "server")}
    cuts = 0
    rounds = 2000 if LONG else SAMPLE
    for number in range(1, rounds):
        wanted, (marked, flagged) = change(device, number)
        side = DICE.choice(["client", "server"])
        rule = "when %s byte %d do cut %s" % (
            side, DICE.randrange(lengths[side]), DICE.choice(HOWS))
        proxy.use(rule)
        device.try_run("sync")
        cuts += proxy.fired()
        for _ in range(3):
            device.sync()
        got = ids(server.snapshot())
        equal(got, {folder: sorted(names) for folder, names in wanted.items()},
              "%d: %s" % (number, rule))
        equal(any(name == marked and "\\Flagged" in flags
                  for rows in server.snapshot().values()
                  for name, flags in rows), flagged, rule)
        equal(differences(device.truth(), server.truth()), [], rule)
        device.check()
    assert cuts > rounds // 3, "%d of %d rounds were cut" % (cuts, rounds)
    note("%d of %d rounds were cut" % (cuts, rounds))


@test("N1: a first pass that is cut again and again comes to its end")
def many_cuts():
    count, wanted, apart = (10000, 1000, 1500000) if LONG else (
        400, 15, 131072)
    fill(world.spec, "ben", count, kind="small")
    with world.oracle("ben") as ben:
        truth = ben.truth()
    proxy = keep(Proxy(world.spec, "imaps"))
    cuts = runs = passes = 0
    while cuts < wanted:
        with Fast(world, "ben", port=proxy.port) as device:
            code, runs = 1, runs + 1
            while code:
                proxy.use("when server byte %d do cut %s" % (
                    DICE.randrange(apart), DICE.choice(HOWS)))
                code, lines, errors = device.try_run("sync")
                passes += 1
                cuts += proxy.fired()
                assert passes < wanted * 10, "no end: " + errors
                proxy.check()
            device.sync()
            equal(differences(device.truth(), truth), [])
            device.check()
    note("%d messages, %d first passes in %d pieces, %d cuts" % (
        count, runs, passes, cuts))


@test("N1: what was listed before the cut need not be listed again")
def envelopes_kept():
    fill(world.spec, "carol", 600, kind="small")
    proxy = keep(Proxy(world.spec, "imaps"))
    device = keep(Fast(world, "carol", port=proxy.port))
    before = 0
    for _ in range(4):
        proxy.use("when server literal UID FETCH #150 do cut rst")
        code, lines, errors = device.try_run("sync")
        equal((code, proxy.fired()), (1, 1), errors)
        listed = len(device.truth().get("INBOX", {}))
        assert listed >= before + 100, "%d after %d" % (listed, before)
        before = listed
    proxy.use()
    device.sync()
    with world.oracle("carol") as carol:
        equal(differences(device.truth(), carol.truth()), [])


# The engine, by itself

def cpu_seconds(pids):
    times = [int(fields[11]) + int(fields[12]) for fields in map(process.stat, pids) if fields]
    return sum(times) / os.sysconf("SC_CLK_TCK")


@test("N1: the engine goes on without anybody, and is at rest while it waits")
def engine():
    proxy = keep(Proxy(world.spec, "imaps",
                       "when server literal UID FETCH at 17 #3 do cut rst"))
    home = keep(world.home("ana", ports={"imaps": proxy.port}))
    watch = home.start("sync", "--watch", stderr=subprocess.DEVNULL)
    at_end(watch.send_signal, signal.SIGTERM)
    wait_for(lambda: proxy.fired(), what="the cut")
    begun, used = time.monotonic(), cpu_seconds(home.processes())
    attempts = proxy.connections

    def bodies():
        return home.database("SELECT count(*) FROM placement"
                             " WHERE file IS NOT NULL")[0][0]
    wait_for(lambda: proxy.connections > attempts, what="another attempt")
    waited = time.monotonic() - begun
    share = (cpu_seconds(home.processes()) - used) / waited
    note("%.1f s between the attempts, %.1f %% CPU" % (waited, share * 100))
    # News of this machine's network (another test makes interfaces) cuts
    # the waiting short, as it should.
    logs = glob.glob(home.path("state", "postrider", "*log*"))
    heard = any("engine.network" in open(log, errors="replace").read()
                for log in logs)
    assert logs
    if heard and waited <= 3:
        raise Skip("the network of this machine changed meanwhile")
    assert waited > 3, "it did not wait before it tried again"
    assert share < 0.05, "not at rest"
    wanted = sum(len(rows) for rows in server.truth().values())
    wait_for(lambda: bodies() == wanted, 60, "the end without anybody")
    proxy.check()


if __name__ == "__main__":
    main()
