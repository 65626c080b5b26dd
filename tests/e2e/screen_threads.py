#!/usr/bin/env python3
"""Conversations on the screen: acting on letters that lie outside of the folder, and on a conversation as a whole."""

import re

from harness import *

world = keep(World(count=1))
home = keep(world.home("ana"))
oracle = world.oracle("ana")
screen = None


def mail(sender, to, subject, ident, day, answers=""):
    return ("From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@lab.test>\r\n%s"
            "Date: Thu, %d Nov 2026 10:00:00 +0000\r\n\r\nthe text of %s\r\n" % (
                sender, to, subject, ident, "In-Reply-To: <%s@lab.test>\r\n" % answers if answers else "", day,
                ident)).encode()


def keys(*names):
    screen.keys(*names)


def lies_in(ident):
    return sorted(place["folder"] for place in home.json("search", "--everything", "id:%s@lab.test" % ident))


def wait_lies(ident, folder):
    wait_for(lambda: lies_in(ident) == [folder], what="%s in %s" % (ident, folder))


@test("d on an own answer, which lies in Sent, deletes it; u takes it back")
def own_answer():
    global screen
    world.deliver("ana", mail("Ben <ben@lab.test>", "ana@lab.test", "harbour", "q1", 3))
    oracle.append("Sent", mail("Ana <ana@lab.test>", "ben@lab.test", "Re: harbour", "a1", 4, "q1"))
    world.deliver("ana", mail("Ben <ben@lab.test>", "ana@lab.test", "Re: harbour", "q2", 5, "a1"),
                  mail("Spam <spam@lab.test>", "ana@lab.test", "Re: harbour", "s1", 6, "q2"),
                  mail("Zoe <zoe@lab.test>", "ana@lab.test", "forest", "z1", 2))
    home.ok("sync")
    screen = keep(Screen(home, width=100, height=24))
    screen.wait(re.compile(r"\(4\)"))
    keys("Home", "Right")
    screen.wait(re.compile(r"─ me"))
    line = [i for i, text in enumerate(screen.lines()) if "─ me" in text][0]
    keys("Home")
    for _ in range(line - 2):
        keys("j")
    keys("d")
    screen.wait("deleted (u takes it back)")
    wait_lies("a1", "Trash")
    screen.wait_gone(re.compile(r"─ me"))
    keys("u")
    wait_lies("a1", "Sent")
    screen.wait(re.compile(r"─ me"))


@test("marked lines inside and outside of the folder are one change")
def both():
    keys("Home")
    keys("j", "t", "t", "t")
    screen.wait("3 marked")
    keys(";", "A")
    screen.wait("3 messages archived")
    for ident in ("q1", "a1", "q2"):
        wait_lies(ident, "Archive")
    keys("u")
    for ident, folder in (("q1", "INBOX"), ("a1", "Sent"), ("q2", "INBOX")):
        wait_lies(ident, folder)


@test("X on a closed conversation spares those whom the user has answered, and says so")
def junk():
    keys("Home", "Left")
    screen.wait_gone(re.compile(r"─ me"))
    keys("X")
    screen.wait("junk, but for 2 letters of people whom you have written to")
    wait_lies("s1", "Junk")
    equal([lies_in("q1"), lies_in("q2"), lies_in("a1")], [["INBOX"], ["INBOX"], ["Sent"]])
    screen.wait(re.compile(r"\(3\)"))           # it is still there, without that letter
    keys("Home", "X")
    screen.wait("all of it is from people whom you have written to")
    equal(lies_in("q2"), ["INBOX"])
    screen.wait(re.compile(r"\(3\)"))
    keys("u")
    wait_lies("s1", "INBOX")
    screen.wait(re.compile(r"\(4\)"))           # before lines are counted


@test("X on one letter says what it says, but never of an own one in Sent")
def junk_one():
    keys("Home", "Right")
    screen.wait(re.compile(r"─ me"))
    line = [i for i, text in enumerate(screen.lines()) if "─ me" in text][0]
    keys("Home")
    for _ in range(line - 2):
        keys("j")
    keys("X")
    screen.wait("a letter of your own is no junk")
    equal(lies_in("a1"), ["Sent"])
    screen.wait(re.compile(r"─ me"))             # it was hidden until that was said
    keys("Home")
    for _ in range(line - 3):                    # Ben's first one
        keys("j")
    keys("X")
    wait_lies("q1", "Junk")
    keys("End", "X")                             # the only letter of Zoe
    wait_lies("z1", "Junk")


@test("Ctrl-D deletes the whole conversation: of a line in an opened one, of a letter that is read, of a hit; u takes it back")
def whole():
    def lie(*folders):
        for ident, folder in zip(("w1", "w2", "w3", "v1"), folders):
            wait_lies(ident, folder)

    world.deliver("ana", mail("Ben <ben@lab.test>", "ana@lab.test", "whole", "w1", 11),
                  mail("Zoe <zoe@lab.test>", "ana@lab.test", "Re: whole", "w2", 12, "w1"),
                  mail("Ben <ben@lab.test>", "ana@lab.test", "Re: whole again", "w3", 13, "w2"),
                  mail("Zoe <zoe@lab.test>", "ana@lab.test", "another one", "v1", 14))
    home.ok("sync")
    with Screen(home, width=100, height=24) as mine:
        mine.wait("another one")
        mine.wait(re.compile(r"\(3\).*whole again"))
        mine.keys("Home", "j", "Right")
        mine.wait(re.compile(r"─ Zoe"))
        mine.keys("j", "C-d")
        mine.wait("1 conversation deleted")
        lie("Trash", "Trash", "Trash", "INBOX")
        mine.keys("u")
        lie("INBOX", "INBOX", "INBOX", "INBOX")
        mine.wait(re.compile(r"\(3\).*whole again"))
        mine.keys("Home", "j", "Enter")
        mine.wait("the text of w")
        mine.keys("C-d")
        lie("Trash", "Trash", "Trash", "INBOX")
        mine.keys("u")
        lie("INBOX", "INBOX", "INBOX", "INBOX")
    with Screen(home, width=100, height=24) as mine:
        mine.wait("another one")
        mine.keys("/")
        mine.type("subject:again")
        mine.keys("Enter")
        mine.wait("1 message")
        mine.keys("C-d")
        mine.wait("1 conversation deleted")
        lie("Trash", "Trash", "Trash", "INBOX")
        mine.keys("u")
        lie("INBOX", "INBOX", "INBOX", "INBOX")


if __name__ == "__main__":
    main()
