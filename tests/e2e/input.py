#!/usr/bin/env python3
"""Bad input: a clear error and the right exit code, nothing queued by half, nothing lost."""

import os
import subprocess
import resource

from harness import *

world = keep(World(count=2))
ana = keep(world.home("ana"))


def queued():
    return ana.json("queue", "list", "--all")


@test("before the first sync: commands say what is missing")
def empty():
    bare = keep(Home())
    contains(bare.fails(78, "sync").errors, "setup")
    contains(bare.fails(78, "send", "-s", "x", "a@b.example", stdin="x").errors, "setup")
    bare.fails(66, "list")


@test("a mistyped configuration names file, line and what is allowed")
def configuration():
    bad = keep(Home())
    bad.configure("[general]\ntheme = pink\n")
    errors = bad.fails(78, "sync").errors
    contains(errors, "config:2:")
    contains(errors, "dusk|day")
    bad.configure("[account a]\naddress = x@y.example\nincoming = imaps://u@h\nincomming = q\n")
    contains(bad.fails(78, "sync").errors, "config:4:")


@test("an unreadable attachment queues nothing")
def attachment():
    contains(ana.fails(66, "send", "-s", "x", "-a", "/nonexistent/file.pdf", "ben@lab.test", stdin="x").errors,
             "/nonexistent/file.pdf")
    ana.fails(66, "send", "-s", "x", "-a", "/tmp", "ben@lab.test", stdin="x")
    ana.fails(66, "-s", "x", "-a", "/nonexistent/file.pdf", "--", "ben@lab.test", stdin="x")
    equal(queued(), [])


@test("M10: an address or subject with a line break queues nothing")
def line_breaks():
    for words in (["ben@lab.test\nBcc: eve@evil.example"], ["-s", "x\r\nBcc: eve@evil.example", "ben@lab.test"],
                  ["--header", "X-A: b\nBcc: eve@evil.example", "ben@lab.test"], ["-c", "a@b.example\r\n", "ben@lab.test"]):
        result = ana.run("send", "--hold", *words, stdin="x")
        if result.code == 0:
            item = queued()
            text = str(item)
            equal("eve@evil.example" in text, False, "injected: %r" % words)
            for row in item:
                ana.ok("queue", "cancel", str(row["id"]))
        else:
            equal(result.code in (64, 65), True, "exit %d %s" % (result.code, result.errors))
    for words in (["nobody"], ["a@"], ["@b.example"], ["a b@c.example"], [""]):
        result = ana.run("send", "-s", "x", *words, stdin="x")
        equal(result.code in (64, 65), True, "%r: exit %d %s" % (words, result.code, result.errors))
    equal(ana.run("send", "-s", "x", stdin="x").code in (64, 65), True, "no recipient")
    equal(ana.json("queue", "list"), [])


@test("an unknown account, a wrong ID, an unknown folder, flag and command")
def unknown():
    world.deliver("ana", b"From: a@b.example\r\nSubject: one\r\n\r\nx\r\n")
    ana.ok("sync")
    contains(ana.fails(64, "sync", "nowhere").errors, "nowhere")
    contains(ana.fails(64, "send", "-A", "nowhere", "ben@lab.test", stdin="x").errors, "nowhere")
    ana.fails(66, "show", "999999")
    ana.fails(66, "show", "id:not@there")
    result = ana.run("show", "12abc")
    equal(result.code in (65, 66), True, "exit %d" % result.code)
    contains(ana.fails(66, "list", "Nowhere").errors, "Nowhere")
    ana.fails(66, "move", "1", "Nowhere")
    ana.fails(64, "mark", "1")
    ana.fails(65, "mark", "1", "+two words")
    contains(ana.fails(64, "serch", "x").errors, "search")
    ana.fails(64, "list", "--colour")
    ana.fails(64, "queue", "eat", "1")
    ana.fails(66, "queue", "show", "4711")
    ana.fails(65, "search", "(from:ana")


@test("standard input closed, huge and binary")
def stdin():
    ana.run("send", "-s", "none", "--hold", "ben@lab.test", stdin=None)
    ana.ok("send", "-s", "binary", "--hold", "ben@lab.test", stdin=bytes(range(256)) * 10)
    held = [row for row in ana.json("queue") if row["subject"] == "binary"]
    equal(len(held), 1)
    for row in ana.json("queue"):
        ana.ok("queue", "cancel", str(row["id"]))


@test("D8: a full disk: nothing is queued by half, the store stays sound, and it works again with space")
def full_disk():
    before = len(queued())
    for step in ("outbox.create", "outbox.write", "outbox.fdatasync", "outbox.rename", "outbox.fsync-dir", "store.begin",
                 "store.commit"):
        result = ana.fails(74, "send", "-s", "full", "--hold", "ben@lab.test", stdin="x", env={"POSTRIDER_FAIL": step + ":ENOSPC"})
        contains(result.errors.lower(), "space", step)
        equal(len(queued()), before, "queued items after %s" % step)
    ana.ok("send", "-s", "space again", "--hold", "ben@lab.test", stdin="x")
    equal(ana.json("queue")[-1]["subject"], "space again")
    ana.ok("doctor")


@test("a message that is queued is a success, also when the answer cannot be printed")
def unprintable():
    before = len(queued())
    with open("/dev/full", "wb") as full:
        process = ana.start("send", "-s", "unprintable", "--hold", "ben@lab.test", stdin=subprocess.DEVNULL, stdout=full,
                            stderr=subprocess.PIPE)
        errors = process.communicate(timeout=60)[1].decode()
    equal(process.returncode, 0, errors)
    contains(errors, "queued")
    equal(len(queued()), before + 1)


@test("output into a closed pipe ends quietly")
def pipe():
    reader, writer = os.pipe()
    os.close(reader)
    process = ana.start("list", stdout=writer)
    os.close(writer)
    equal(process.wait(20) in (0, 74), True)


@test("L3: no terminal, TERM unset, C locale, HOME unset: words, never a crash")
def surroundings():
    contains(ana.fails(64, stdin=None).errors, "terminal")
    for env in ({"LC_ALL": "C"}, {"LANG": "en_US.ISO-8859-1"}, {"TERM": ""}, {"PATH": ""}, {"XDG_RUNTIME_DIR": "relative"}):
        ana.ok("list", env=env)
    equal(ana.run("list", env={"HOME": "", "XDG_DATA_HOME": "/nonexistent/x"}).code in (66, 74), True)


@test("an unknown long option and the name of a field with a space: said as they were written, nothing queued")
def long_options():
    before = len(queued())
    contains(ana.fails(64, "--bogus", "ben@lab.test").errors, "--bogus is not known")
    contains(ana.fails(65, "send", "--hold", "--header", "Bad Name: x", "ben@lab.test", stdin="x").errors, "Bad Name")
    equal(len(queued()), before)


@test("an engine that cannot start says why, and the exit code is that of the reason")
def engine_start():
    bare = keep(Home())
    bare.configure("[account x]\naddress = a@x.example\nincoming = imaps://a@127.0.0.1:1\n")
    os.makedirs(bare.data("engine.lock"))
    contains(bare.fails(66, "sync").errors, "engine.lock")


@test("L3: standard output closed: what would be printed reaches no other file")
def closed_output():
    before = len(queued())
    done = ana.run("-c", '"$0" send -s closed --hold ben@lab.test >&-', POSTRIDER, stdin="x", program="/bin/sh")
    equal((done.code, len(queued())), (0, before + 1), done.errors)
    with open(ana.path("state", "postrider", "postrider.log")) as log:
        equal("ben@lab.test" in log.read(), False, "output in the log")
    done = ana.run("-c", '"$0" send -s closed --hold ben@lab.test <&-', POSTRIDER, program="/bin/sh")
    equal((done.code, len(queued())), (74, before + 1), done.errors)


if __name__ == "__main__":
    main()
