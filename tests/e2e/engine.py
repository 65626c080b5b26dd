#!/usr/bin/env python3
"""The engine: one per store, push, workers that die, engines that are killed, many commands at once."""

import os
import signal
import subprocess
import time

from harness import *
import process

world = keep(World(count=1))
ana = keep(world.home("ana"))


def mail(subject):
    return ("From: b@example.org\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\n\r\nx\r\n"
            % (subject, subject)).encode()


def subjects():
    return [row["subject"] for row in ana.json("list", "--limit", "0")]


def workers(duty):
    """Processes of this home's engine with that word in their arguments."""
    return [pid for pid in ana.processes() if duty.encode() in process.arguments(pid).split(b"\0")]


@test("sync --watch stays, and mail that arrives is here without anybody asking")
def watch():
    world.deliver("ana", mail("first"))
    engine = ana.start("sync", "--watch", stderr=subprocess.DEVNULL)
    at_end(engine.terminate)
    wait_for(lambda: os.path.exists(ana.data("postrider.db")) and ana.run("list").code == 0 and "first" in subjects(), what="the first pass")
    begun = time.monotonic()
    world.deliver("ana", mail("pushed"))
    wait_for(lambda: "pushed" in subjects(), 30, "the pushed message")
    note("pushed after %.2f s" % (time.monotonic() - begun))
    with world.oracle("ana") as server:
        uid = next(m.uid for m in server.messages("INBOX") if b"pushed" in m.message_id.encode())
        begun = time.monotonic()
        server.flag("INBOX", [uid], "+\\Flagged")
    wait_for(lambda: any("flagged" in row["flags"] for row in ana.json("list")), 30, "the flag of another client")
    note("flag seen after %.2f s" % (time.monotonic() - begun))


@test("D7: a second engine is refused, a command uses the one that runs")
def second():
    result = ana.run("sync", "--watch", timeout=30)
    equal(result.code, 75, result.errors)
    contains(result.errors, "another engine")
    ana.ok("sync")
    equal(len(workers("--account")), 1)


@test("a worker that is killed is started again, and nobody notices")
def worker_killed():
    old = workers("--account")[0]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: [p for p in workers("--account") if p != old], 30, "a new worker")
    world.deliver("ana", mail("after-the-worker"))
    ana.ok("sync", timeout=60)
    contains(subjects(), "after-the-worker")


@test("D7: an engine that is killed leaves nothing in the way")
def engine_killed():
    for pid in workers("--watch"):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not workers("--watch"), what="the end of the engine")
    world.deliver("ana", mail("after-the-engine"))
    ana.ok("sync", timeout=60)
    contains(subjects(), "after-the-engine")
    wait_for(lambda: not workers("--account") or len(workers("--account")) == 1, what="one worker")


@test("what is taken back before the engine comes to it, or while it does, is no news")
def taken_back():
    first = str(ana.json("list", "--limit", "1")[0]["id"])
    with world.oracle("ana") as server:
        inbox = len(server.uids("INBOX"))
        for _ in range(30):                    # one of three hits the moment between reading and claiming
            ana.ok("archive", first)
            ana.ok("undo")
            equal([row["notice"] for row in ana.json("folders") if row["notice"]], [])
        ana.ok("sync")
        equal(len(server.uids("INBOX")), inbox)


@test("an engine that nobody needs ends by itself")
def ends():
    wait_for(lambda: not ana.processes(), 60, "the end of the engine")


@test("D7: forty commands at once, first of them on a store that is not there yet: no conflict")
def crowd():
    fresh = keep(world.home("ana"))
    crowd = [fresh.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
             for n in range(10) for words in (["sync"], ["send", "-s", "crowd %d" % n, "--hold", "a@b.example"], ["queue"], ["doctor"])]
    for process in crowd:
        out, err = process.communicate(b"", 120)
        equal(process.returncode, 0, "%r %r" % (process.args, err))
    equal(len(fresh.json("queue")), 10)
    equal(sorted(row["subject"] for row in fresh.json("list", "--limit", "0")), sorted(subjects()))


@test("SIGTERM ends it in a moment, also in the middle of work")
def term():
    engine = ana.start("sync", "--watch", stderr=subprocess.DEVNULL)
    wait_for(lambda: workers("--account"), what="a worker")
    engine.terminate()
    equal(engine.wait(10), 0)
    wait_for(lambda: not workers("--account"), 10, "the end of the worker")


if __name__ == "__main__":
    main()
