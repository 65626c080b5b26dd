#!/usr/bin/env python3
"""A search on the screen: its conditions as chips that can be taken away, the text around the hits."""

import re

from harness import *

world = keep(World(count=1))
home = keep(world.home("ana"))
screen = None


def mail(number, sender, subject, text):
    return ("From: %s\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <s%d@lab.test>\r\n"
            "Date: Thu, %d Nov 2026 10:00:00 +0000\r\n\r\n%s\r\n" % (
                sender, subject, number, number + 1, text)).encode()


MAILS = [
    mail(1, "Ben <ben@lab.test>", "harbour plan", "the crane stands idle"),
    mail(2, "Ben <ben@lab.test>", "harbour bill", "what the crane costs"),
    mail(3, "Zoe <zoe@lab.test>", "harbour lights", "at night"),
    mail(4, "Zoe <zoe@lab.test>", "forest walk", "on Sunday"),
]


def keys(*names):
    screen.keys(*names)


def shown():
    return re.findall(r"(?:harbour|forest) (plan|bill|lights|walk)", "\n".join(screen.lines()[2:-1]))


def wait_shown(*wanted):
    wait_for(lambda: shown() == list(wanted), what="the list %r" % (wanted,))


def chips():
    """What stands in the line above the list: the words of each chip."""
    return re.findall(r"\d+ (.*?) ×", screen.lines()[1])


@test("a search shows its conditions; one that is taken away widens the list, the last one ends it")
def search():
    global screen
    world.deliver("ana", *MAILS)
    home.ok("sync")
    screen = keep(Screen(home, width=80, height=24))
    screen.wait("forest walk")
    keys("/")
    screen.type("harbour from:ben")
    wait_for(lambda: chips() == ['"harbour"', 'from "ben"'], what="the chips while typing")
    screen.type(" crane")
    keys("Enter")
    wait_shown("bill", "plan")
    equal(chips(), ['"harbour"', 'from "ben"', '"crane"'])
    keys("/")                           # the prompt has what is left, to be changed further
    screen.type(" costs")
    keys("Enter")
    wait_shown("bill")
    keys("BSpace")
    wait_shown("bill", "plan")
    screen.wait("Search   harbour from:ben crane ")
    keys("Escape", "2")
    wait_for(lambda: chips() == ['"harbour"', '"crane"'], what="the second to go")
    keys("BSpace")
    wait_shown("lights", "bill", "plan")
    screen.wait("Search   harbour ")
    keys("Escape", "7")
    screen.wait("there is 1 condition")
    keys("BSpace")
    screen.wait_gone("Search ")
    screen.wait("forest walk")


@test("a limit likewise, of a folder and of a search, and with mutt's patterns")
def limit():
    keys("BSpace")
    screen.wait("nothing narrows this list")
    keys("l")
    screen.type("~s harbour ~f ben")
    keys("Enter")
    wait_shown("bill", "plan")
    equal(chips(), ['subject "harbour"', 'from "ben"'])
    keys("BSpace")
    wait_shown("lights", "bill", "plan")
    screen.wait("limited to ~s harbour ")
    keys("BSpace")
    wait_shown("walk", "lights", "bill", "plan")
    screen.wait_gone("limited")
    keys("/")
    screen.type("harbour")
    keys("Enter")
    wait_shown("lights", "bill", "plan")
    keys("l")
    screen.type("~f zoe")
    keys("Enter")
    wait_shown("lights")
    equal(chips(), ['"harbour"', 'from "zoe"'])
    keys("Escape", "1")
    screen.wait("a search begins with a condition")
    keys("Escape", "2")
    wait_shown("lights", "bill", "plan")
    screen.wait_gone("limited")
    keys("q")
    screen.wait("walk")


@test("a mouse takes away the chip that it points at; many stay in the width of the screen")
def mouse():
    keys("/")
    screen.type("harbour from:ben")
    keys("Enter")
    wait_shown("bill", "plan")
    column = screen.lines()[1].index('"ben"') + 1
    screen.type("\x1b[<0;%d;2M\x1b[<0;%d;2m" % (column, column))
    wait_shown("lights", "bill", "plan")
    keys("/")
    screen.type(" not tag:x not tag:y not subject:elephantine from:ben or crane")
    keys("Enter")
    wait_for(lambda: len(chips()) == 1, what="one condition that holds a choice")
    keys("/", "C-a", "C-k")
    screen.type("harbour not tag:travelling not tag:holiday not subject:elephantine from:ben size:1.. to:ana")
    keys("Enter")
    screen.wait(re.compile(r"× +\+\d *$", re.M))
    assert all(len(line) <= 80 for line in screen.lines())
    keys("Escape", "0")
    screen.wait("walk")


LONG = ("Dear all,\r\n\r\n" + "nothing of note happened this week, as everybody knows.\r\n" * 30 +
        "Only the \x1b[31m ostrich\x07 ran away over the hills.\r\n" + "And nothing more.\r\n" * 10)


@test("the text around a hit stands in the list, made safe, the hit marked, also where the width has no preview")
def snippets():
    world.deliver("ana", mail(5, "Zoe <zoe@lab.test>", "weekly", LONG), mail(6, "Zoe <zoe@lab.test>", "ostrich farm", "eggs"))
    home.ok("sync")
    keys("/")
    screen.type("ostrich")
    keys("Enter")
    screen.wait("weekly  — …")
    screen.wait(re.compile(r"weekly  — ….*ostrich"))
    screen.resize(120, 30)
    shown = screen.wait(re.compile(r"weekly  — ….*Only the .*ostrich.* ran away"))
    assert "ostrich farm  — eggs" in shown, shown      # no hit in the text: how it begins
    styled = screen.text(styles=True)
    assert re.search("\x1b\\[[0-9;]+mostrich\x1b\\[", styled), styled
    assert "\x1b[31m ostrich" not in styled and "\x07" not in styled, styled
    keys("q")
    screen.resize(80, 24)


@test("the search command shows it below each line on a terminal or with --snippets, and in JSON with the places")
def command():
    rows = home.json("search", "ostrich hills or farm")
    equal([row["snippet"] for row in rows if row["subject"] == "ostrich farm"], [None])
    piece = [row["snippet"] for row in rows if row["subject"] == "weekly"][0]
    equal([piece["text"][a:b] for a, b in piece["hits"]], ["ostrich", "hills"])
    contains(piece["text"], "ran away over the hills")
    assert "snippet" not in home.json("search", "from:zoe")[0]
    plain = home.ok("search", "ostrich").text
    equal(len(plain.splitlines()), 2, "a line each where programs read")
    below = home.ok("search", "--snippets", "ostrich").text
    equal(len(below.splitlines()), 3)
    contains(below, "*ostrich*")
    assert "\x1b" not in below and "\x07" not in below, below
    terminal = keep(Screen(home, "search", "ostrich", width=90, height=10))
    terminal.wait(re.compile(r"^ {8,}….*\*ostrich\*.*ran away", re.M))


if __name__ == "__main__":
    main()
