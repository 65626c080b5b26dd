#!/usr/bin/env python3
"""Searches at the server, for mail whose text is not here."""

import re

from harness import *

world = keep(World(count=1))
home = keep(world.home("ana", account=["keep = 2k", "keep.Off = off"]))
oracle = world.oracle("ana")
screen = None


def mail(number, sender, subject, text, size=0, day=None):
    return ("From: %s\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <v%d@lab.test>\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
            "Date: Thu, %d Nov 2026 10:00:00 +0000\r\n\r\n%s\r\n%s" % (
                sender, subject, number, day or number, text, "filling of no interest\r\n" * (size // 24))).encode()


def found(*args):
    """Subjects by whether the text is here, in the order printed."""
    return [(row["subject"], row["cached"]) for row in home.json("search", "--server", *args)]


@test("what the server finds comes after what is here, and the rest of the query is decided here")
def command():
    oracle.create("Off")
    world.deliver("ana", mail(1, "Ben <ben@lab.test>", "small one", "the crane stands"),
                  mail(2, "Ben <ben@lab.test>", "large one", "the crane and the wörter 日本語", 9000),
                  mail(3, "Zoe <zoe@lab.test>", "large two", "the crane \"quoted\\ again", 9000),
                  mail(4, "Zoe <zoe@lab.test>", "other", "herons", 9000))
    oracle.append("Sent", mail(5, "Ana <ana@lab.test>", "large sent", "my crane", 9000))
    oracle.append("Trash", mail(6, "Ana <ana@lab.test>", "large trash", "my crane", 9000))
    oracle.append("Off", mail(7, "Ana <ana@lab.test>", "large off", "my crane", 9000))
    home.ok("sync")
    equal(found("crane"), [("small one", True), ("large sent", False), ("large two", False), ("large one", False)])
    equal(found("crane", "from:ben"), [("small one", True), ("large one", False)])
    equal(found("crane or subject:other"), [("other", False), ("small one", True), ("large sent", False),
                                            ("large two", False), ("large one", False)])
    equal(found("crane", "date:2026-11-03..2026-11-03"), [("large two", False)])
    equal(found("crane from:zoe not heron"), [("large two", False)])
    equal(found("crane not heron from:zoe"), [("small one", True), ("large sent", False), ("large two", False),
                                              ("large one", False)])
    equal(found("WÖRTER"), [("large one", False)])
    equal(found("日本語"), [("large one", False)])
    equal(found("body:\"quoted\\\""), [("large two", False)])
    equal(found("crane", "folder:Sent"), [("large sent", False)])
    equal(found("crane", "is:flagged"), [])
    equal(found("--everything", "crane", "folder:Trash"), [("large trash", False)])
    equal(found("from:ben"), [("large one", False), ("small one", True)])
    result = home.ok("search", "--server", "nothingatall")
    contains(result.errors, "on the servers is nothing else")
    result = home.ok("search", "--server", "crane", "--limit", "1")
    contains(result.errors, "on the servers, not here: 1 message")


def below():
    """The subjects below the line of the servers."""
    lines = screen.lines()
    at = [i for i, line in enumerate(lines) if "On the servers" in line]
    return re.findall(r"large (\w+)", "\n".join(lines[at[0]:])) if at else None


@test("on the screen they stand below a line; what is opened is fetched, and then found here")
def on_screen():
    global screen
    screen = keep(Screen(home, width=80, height=24))
    screen.wait("small one")
    screen.keys("/")
    screen.type("crane")
    screen.wait("the crane stands")
    assert "On the servers" not in screen.text()     # not while it is typed
    screen.keys("Enter")
    screen.wait("On the servers, not here")
    wait_for(lambda: below() == ["sent", "two", "one"], what="what the server found, below the line")
    screen.keys("End", "Enter")
    screen.wait("the crane and the wörter")          # fetched when it was opened
    screen.keys("q")
    wait_for(lambda: below() == ["sent", "two"], what="the fetched one to be found here")
    screen.wait("2 messages")
    screen.keys("End", "F")                          # it can be acted upon as any
    wait_for(lambda: [one["subject"] for one in home.json("search", "is:flagged")] == ["large two"], what="the flag")
    screen.keys("/")
    screen.type(" from:zoe")
    screen.keys("Enter")
    wait_for(lambda: below() == ["two"], what="what the server found of Zoe")
    screen.keys("BSpace")
    wait_for(lambda: below() == ["sent", "two"], what="more, without the condition")
    screen.keys("/", "C-a", "C-k")
    screen.type("nothingatall")
    screen.keys("Enter")
    screen.wait("On the servers: nothing else")
    screen.keys("/", "C-a", "C-k")
    screen.type("from:ben")                          # nothing that a server would have to be asked
    screen.keys("Enter")
    screen.wait("large one")
    screen.wait_gone("On the servers")


@test("off line it is said in words")
def screen_offline():
    screen.keys(":")
    screen.type("off-line")
    screen.keys("Enter", "/", "C-a", "C-k")
    screen.type("crane")
    screen.keys("Enter")
    screen.wait(re.compile("Not all servers could be asked: ana: .*off ?line"))
    screen.keys("x")
    screen.wait_end()


@test("an account that cannot be asked is told of, and what is here is shown all the same")
def offline():
    home.stop()
    world.kill_server("imap")
    result = home.run("search", "--server", "crane")
    contains(result.text, "small one")
    contains(result.errors, "not all servers could be asked: ana: ")
    assert result.code in (69, 75), result.code
    world.start_server("imap")


if __name__ == "__main__":
    main()
