#!/usr/bin/env python3
"""The sync room on the screen: how accounts and folders stand, what waits, what is held back and agreed to, pausing, errors."""

import re

from device import message
from harness import *

world = keep(World(smtp="aiosmtpd"))
ana = keep(world.home("ana", account=["keep.Thin = envelopes"]))
screen = None


def row(name):
    for line in screen.lines():
        if line.strip().startswith(name):
            return line
    raise AssertionError("no row %r:\n%s" % (name, screen.text()))


def at(name):
    """The cursor on the row of that name."""
    screen.keys("=")
    screen.keys(*["j"] * [line.split()[0] for line in screen.lines()[2:-1] if line.strip()].index(name))


@test(":sync shows each account and folder, at 80 columns")
def begin():
    global screen
    with world.oracle("ana") as server:
        for name in ("Big", "Thin"):
            server.create(name)
        for number in range(1, 4):
            server.append("INBOX", message(number))
        for number in range(100, 220):
            server.append("Big", message(number))
        server.append("Thin", message(300))
    screen = keep(Screen(ana))
    screen.wait("3 conversations", 60)
    screen.keys(":")
    screen.type("sync")
    screen.keys("Enter")
    screen.wait(re.compile(r"ana +in step, watched by \S+ +last pass"), 60)
    screen.wait(re.compile(r"Big +in step"), 60)
    for name in ("INBOX", "Big", "Thin", "Sent"):
        contains(row(name), "in step")
    contains(screen.lines()[0], "saved")
    contains(screen.lines()[-1], "Enter details")
    assert all(len(line) <= 80 for line in screen.lines())


@test("more columns at 120 and 200; plain letters in a C locale without colour")
def widths():
    screen.resize(200, 60)
    screen.wait(re.compile(r"folder +state +to send +in +out +moved +saved +keeps"))
    screen.wait(re.compile(r"Thin +in step .* envelopes"))
    screen.resize(120, 40)
    screen.wait(re.compile(r"to send +in +out +moved +saved"))
    screen.resize(80, 24)
    screen.wait_gone("moved  ")
    with Screen(ana, "-e", "sync", env={"LC_ALL": "C", "LANG": "C", "NO_COLOR": "1"}) as plain:
        plain.wait(re.compile(r"Big +in step"), 60)
        plain.text().encode("ascii")


@test("details: the server, what it cost, what happened")
def details():
    screen.keys("=", "Enter")
    text = screen.wait("Calls itself")
    contains(text, "localhost:%d" % world.ports["imaps"])
    contains(text, "What it cost, since")
    screen.keys("q")
    screen.wait("last pass")
    at("Big")
    screen.keys("Enter")
    text = screen.wait("What happened")
    contains(text, "120 messages, 120 of them with their text")
    contains(text, "120 new, 120 bodies")
    screen.keys("q")
    screen.wait("last pass")


@test("D11: what the brake holds back is told, and agreed to from here")
def held():
    with world.oracle("ana") as server:
        server.expunge("Big", server.uids("Big")[-60:])
    screen.keys("$")
    screen.wait(re.compile(r"Big +held back: "), 60)
    at("Big")
    screen.keys("s")
    screen.wait("A agrees to what it waits with")
    equal(len(ana.json("list", "Big", "--limit", "0")), 120)
    screen.keys("A")
    screen.wait("Do in Big what is held back")
    screen.keys("y")
    screen.wait(re.compile(r"Big +in step"), 60)
    wait_for(lambda: len(ana.json("list", "Big", "--limit", "0")) == 60, 60, "60 messages to go")


@test("a paused account rests, also after a restart, until it goes on; the command does the same")
def pause():
    screen.keys("=", "P")
    screen.wait("paused: P lets it go on")
    wait_for(lambda: ana.fails(75, "sync").errors.find("is paused") >= 0, 60, "the engine to know")
    with world.oracle("ana") as server:
        server.append("INBOX", message(4))
    screen.keys("x")
    screen.wait_end()
    ana.stop()
    restart()
    screen.wait("paused: P lets it go on", 60)
    screen.keys("s")
    screen.wait("ana is paused: P lets it go on")
    contains(ana.fails(75, "sync").errors, "ana is paused")
    equal(len(ana.json("list")), 3)
    screen.keys("P")
    wait_for(lambda: len(ana.json("list")) == 4, 60, "the message that waited")
    ana.ok("sync", "--pause", "ana")
    screen.wait("paused: P lets it go on")
    ana.ok("sync", "--resume", "ana")
    screen.wait(re.compile(r"ana +in step"), 60)
    ana.fails(64, "sync", "--pause", "nobody")


def restart():
    global screen
    screen = keep(Screen(ana, "-e", "sync"))


@test("off line: what waits to be sent stands with its folder, and a long error leaves the words 'off line' on the screen")
def offline():
    world.kill_server("imap")
    rows = {r["message_id"]: str(r["id"]) for r in ana.json("list")}
    ana.ok("mark", rows["m1@lab.test"], "+flagged")
    ana.ok("move", rows["m2@lab.test"], "Thin")
    screen.wait(re.compile(r"INBOX +changes wait +1 mark, 1 m"), 60)
    screen.keys("$")
    screen.wait(re.compile(r"ana +off line: "), 60)
    screen.wait(re.compile(r"…? +off line$", re.M), 60)
    at("INBOX")
    screen.keys("Enter")
    screen.wait(re.compile(r"To send +1 mark, 1 move"))
    screen.keys("q")
    world.start_server("imap")
    screen.keys("=", "s")
    screen.wait(re.compile(r"INBOX +in step"), 60)
    screen.wait(re.compile(r"ana +in step"), 60)


@test("a text that is not here: fetched when opened; what is in the way is said, and it comes when that is over")
def text_is_not_here():
    with world.oracle("ana") as server:
        for number in (301, 302):
            server.append("Thin", message(number))
    screen.keys("=", "s")
    wait_for(lambda: len(ana.json("list", "Thin")) == 4, 60, "the new ones")
    at("Thin")
    screen.keys("c")
    screen.wait("message 302")
    screen.keys("=", "Enter")
    screen.wait("Hello.", 60)
    world.kill_server("imap")
    screen.keys("j")
    screen.wait("message 301")
    screen.wait(re.compile(r"Only the head of this message \(\d+ B\) is here"), 60)
    screen.wait("It could not be fetched: ana: localhost", 60)
    world.start_server("imap")
    screen.keys("q", "$")
    screen.wait("in step with the servers", 60)
    screen.keys("Enter")
    screen.wait_gone("Only the head", 60)
    with world.oracle("ana") as server:
        server.append("Thin", message(303))
    ana.ok("sync")
    world.kill_server("imap")
    screen.keys("q", "=")
    screen.wait("message 303")
    screen.keys("Enter")
    screen.wait("It could not be fetched", 60)
    world.start_server("imap")
    ana.ok("sync")
    screen.wait_gone("Only the head", 60)
    screen.keys("q", "S")
    screen.wait("last pass")


@test("changed on both sides: the details say where, and what was kept")
def conflict():
    world.kill_server("imap")
    rows = {r["message_id"]: str(r["id"]) for r in ana.json("list")}
    ana.ok("mark", rows["m3@lab.test"], "+flagged")
    world.start_server("imap")
    with world.oracle("ana") as server:
        server.flag("INBOX", server.uids("INBOX", 'SUBJECT "message 3"'), "+\\Answered")
    screen.keys("=", "s")

    def told():
        return ana.database("SELECT count(*) FROM sync_event WHERE kind = 2")[0][0]
    wait_for(told, 60, "the conflict")
    screen.wait(re.compile(r"INBOX +in step"), 60)
    at("INBOX")
    screen.keys("Enter")
    screen.wait("message 3")
    text = screen.text()
    contains(text, "here +flagged; on the server +answered")
    contains(text, "both are kept: +answered +flagged")


if __name__ == "__main__":
    main()
