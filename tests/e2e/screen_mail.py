#!/usr/bin/env python3
"""The screen on real servers: read, answer, search, move, undo, off line, drafts; two devices of one person agree."""

import os
import re

from harness import *

world = keep(World(count=2))
ana, ben = keep(world.home("ana")), keep(world.home("ben"))

EDIT = """#!/bin/sh
# the user's editor: puts its line before what stands there
{ printf '%%s\\n' "$POSTRIDER_TEST_TEXT"; cat "$1"; } >"$1.new" && mv "$1.new" "$1"
"""
editor = ana.write("editor", EDIT.replace("%%", "%"), mode=0o700)


def mail(number, subject, body="text\n", **headers):
    lines = ["From: Ben Okafor <ben@lab.test>", "To: ana@lab.test", "Subject: %s" % subject, "Message-ID: <%d@lab.test>" % number,
             "Date: Thu, 12 Nov 2026 10:%02d:00 +0000" % number]
    lines += ["%s: %s" % (name.replace("_", "-"), value) for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def flags(number):
    with world.oracle("ana") as server:
        for message in server.messages("INBOX"):
            if message.message_id.strip("<>") == "%d@lab.test" % number:
                return message.flags
    return None


screen = None


@test("the screen starts the engine, and the mailbox appears by itself")
def begin():
    global screen
    world.deliver("ana", *[mail(n, "letter %d" % n, "the word quagga%d is in it\n" % n) for n in range(1, 9)],
                  mail(20, "lunch", "one\n"), mail(21, "Re: lunch", "two\n", In_Reply_To="<20@lab.test>"),
                  mail(22, "Re: lunch", "three\n", In_Reply_To="<21@lab.test>"))
    screen = keep(Screen(ana, width=100, height=30, env={"EDITOR": editor, "POSTRIDER_TEST_TEXT": "Dear Ben,"}))
    screen.wait("letter 1")
    screen.wait("Ben Okafor (3)")
    screen.wait("9 conversations")
    screen.wait("11 unread")


@test("a conversation opens as a tree in place, and closes")
def tree():
    screen.keys("=")
    screen.wait(re.compile(r"lunch"))
    screen.keys("Right")
    screen.wait("└─")
    screen.keys("Left")
    screen.wait_gone("└─")


@test("reading shows the text and marks it as read, on the server too")
def read():
    screen.keys("j", "Enter")
    screen.wait("the word quagga8 is in it")
    contains(screen.text(), "Ben Okafor <ben@lab.test>")
    screen.keys("j")
    screen.wait("the word quagga7 is in it")
    screen.keys("q")
    screen.wait("9 unread")
    wait_for(lambda: "\\Seen" in (flags(8) or ()), what="\\Seen on the server")


@test("flag, delete, undo: shown at once, and the server follows")
def change():
    screen.keys("=", "j", "F")
    screen.wait("★")
    wait_for(lambda: "\\Flagged" in (flags(8) or ()), what="\\Flagged on the server")
    screen.keys("d")
    screen.wait("deleted (u takes it back)")
    screen.wait_gone("letter 7")
    wait_for(lambda: flags(7) is None, what="letter 7 to leave INBOX")
    screen.keys("u")
    screen.wait("taken back")
    screen.wait("letter 7")
    wait_for(lambda: flags(7) is not None, what="letter 7 to be back on the server")


@test("marked messages go to a folder that is made for them")
def move():
    screen.keys("=", "j", "j", "j", "t", "t", ";", "s")
    screen.wait("Move to:")
    screen.type("Projects/Lisbon")
    screen.keys("Enter")
    screen.wait("Make it?")
    screen.keys("y")
    screen.wait("2 messages moved to Projects/Lisbon")
    def there():
        with world.oracle("ana") as server:
            return "Projects/Lisbon" in server.folders() and len(server.uids("Projects/Lisbon")) == 2
    wait_for(there, what="two messages in Projects/Lisbon on the server")
    screen.keys("c")
    screen.wait("Folder:")
    screen.type("lisb")
    screen.keys("Enter")
    screen.wait("2 conversations")
    screen.keys("c")
    screen.type("inbox")
    screen.keys("Enter")
    screen.wait("7 conversations")


@test("search finds while it is typed; limit narrows the list")
def search():
    screen.keys("/")
    screen.wait("Search:")
    screen.type("quagg")
    screen.wait("Search   quagg ")
    screen.wait("letter 4")  # the beginning of a word is enough
    screen.type("a3")
    screen.wait("letter 3")
    screen.wait_gone("letter 4")
    screen.keys("Enter")
    screen.wait("1 message")
    screen.keys("Enter")
    screen.wait("the word quagga3 is in it")
    assert re.search("\x1b\\[[0-9;]+mquagga3\x1b\\[", screen.text(styles=True)), screen.text(styles=True)
    screen.keys("q", "q", "l")
    screen.wait("Limit to")
    screen.type("~s lunch")
    screen.keys("Enter")
    screen.wait("limited to ~s lunch")
    screen.wait("3 messages")
    screen.keys("l", "C-a", "C-k")
    screen.type("*")
    screen.keys("Enter")
    screen.wait("7 conversations")


@test("an answer goes through the editor to Ben, and the original is marked as answered")
def answer():
    screen.keys("l", "C-a", "C-k")
    screen.type("~s \"letter 1\"")
    screen.keys("Enter")
    screen.wait("1 message")
    screen.keys("r")
    screen.wait("Dear Ben,")
    shown = screen.text()
    contains(shown, "Re: letter 1")
    contains(shown, "> the word quagga1 is in it")
    screen.keys("y")
    screen.wait("on its way")
    with world.oracle("ben") as server:
        wait_for(lambda: server.uids("INBOX"), what="the answer at Ben's", timeout=40)
        body = server.body("INBOX", server.uids("INBOX")[0])
        contains(body, b"Dear Ben,")
        contains(body, b"In-Reply-To: <1@lab.test>")
    wait_for(lambda: "\\Answered" in (flags(1) or ()), what="\\Answered on the server")
    screen.keys("B")
    screen.wait("Nothing waits")
    screen.keys("a")
    screen.wait("sent")
    screen.keys("Enter")
    screen.wait("250")
    screen.keys("q", "q")


@test("a message that is postponed lies in Drafts on the server and is taken up again, once")
def drafts():
    screen.keys("m")
    screen.type("ben@lab.test")
    screen.keys("Enter")
    screen.type("a plan")
    screen.keys("Enter")
    screen.wait("Dear Ben,")
    screen.keys("P")
    screen.wait("kept in Drafts")
    with world.oracle("ana") as server:
        wait_for(lambda: len(server.uids("Drafts")) == 1, what="the draft on the server")
    screen.keys("R")
    screen.wait("a plan")
    screen.wait("y send")
    screen.keys("s")
    screen.type(" for Lisbon")
    screen.keys("Enter")
    screen.wait("a plan for Lisbon")
    screen.keys("P")
    screen.wait("kept in Drafts")
    with world.oracle("ana") as server:
        def one_new():
            messages = server.messages("Drafts")
            return [message.subject for message in messages] == ["a plan for Lisbon"]
        wait_for(one_new, what="one draft, the new one")


@test("off line it says so, and everything works on; back on line it all arrives")
def offline():
    world.kill_server("imap")
    world.kill_server("smtp")
    screen.keys("l", "C-a", "C-k")
    screen.type("~s \"letter 2\"")
    screen.keys("Enter")
    screen.wait("1 message")
    screen.keys("Enter")
    screen.wait("the word quagga2 is in it")
    screen.keys("F", "r")
    screen.wait("Dear Ben,")
    screen.keys("y")
    screen.wait("on its way")
    screen.keys("q")
    screen.wait("off line")
    screen.wait("outbox 1")
    world.start_server("imap")
    world.start_server("smtp")
    screen.keys("$", "B", "$", "q")
    with world.oracle("ben") as server:
        wait_for(lambda: len(server.uids("INBOX")) == 2, what="the second answer at Ben's", timeout=60)
    wait_for(lambda: {"\\Flagged", "\\Seen", "\\Answered"} <= set(flags(2) or ()), what="the flags on the server", timeout=60)
    screen.wait_gone("off line")


@test("new mail appears without a key")
def arrives():
    screen.keys("l", "C-a", "C-k")
    screen.type("*")
    screen.keys("Enter")
    screen.wait("7 conversations")
    world.deliver("ana", mail(30, "fresh news", "hot\n"))
    screen.wait("fresh news", timeout=60)


@test("q leaves, the terminal is as it was, and the other device agrees")
def leave():
    screen.keys("q")
    equal(screen.wait_end(), 0)
    phone = keep(world.home("ana"))
    phone.ok("sync")
    mine = {row["message_id"]: (sorted(row["flags"]), row["tags"]) for row in ana.json("list", "INBOX", "--limit", "100")}
    theirs = {row["message_id"]: (sorted(row["flags"]), row["tags"]) for row in phone.json("list", "INBOX", "--limit", "100")}
    equal(mine, theirs)


if __name__ == "__main__":
    main()
