#!/usr/bin/env python3
"""The list in other orders, jumping in it, tabs above the inbox, and saved searches."""

import re

from harness import *

world = keep(World(count=1))
home = keep(world.home("ana"))
TOPICS = ["cedar", "Apple", "birch", "date", "elm", "fig", "grape", "hazel"]
screen = None


def mail(number, topic):
    sender = ("Zoe <zoe@lab.test>", "ben <ben@lab.test>", "Ana B <anab@lab.test>", "list <dev@lists.test>")[number % 4]
    return ("From: %s\r\nTo: ana@lab.test\r\nSubject: %s%s tree\r\nMessage-ID: <%d@lab.test>\r\n"
            "Date: Thu, %d Nov 2026 10:00:00 +0000\r\n\r\n%s\r\n" % (
                sender, "Re: " if number % 3 == 0 else "", topic, number, number + 1, "x" * (300 * (9 - number)))).encode()


def shown():
    """The subjects on the screen, from above."""
    return re.findall(r"(\w+) tree", screen.text())


def keys(*names):
    screen.keys(*names)


def wait_order(wanted):
    wait_for(lambda: shown() == wanted, what="the order %r" % wanted)


@test("by subject, sender, size: all of the list, and back to the date")
def orders():
    global screen
    world.deliver("ana", *[mail(n, topic) for n, topic in enumerate(TOPICS)])
    home.ok("sync")
    screen = keep(Screen(home, width=80, height=24))
    by_date = list(reversed(TOPICS))
    wait_order(by_date)
    keys("o", "s")
    wait_order(sorted(TOPICS, key=str.lower))
    screen.wait("by subject")
    keys("O", "s")
    wait_order(sorted(TOPICS, key=str.lower, reverse=True))
    keys("o", "z")
    wait_order(TOPICS)
    keys(":")
    screen.type("sort from")
    keys("Enter")
    wait_order(["grape", "birch", "fig", "Apple", "hazel", "date", "elm", "cedar"])
    keys("o", "d")
    wait_order(by_date)


@test("new mail takes its place in another order, and the cursor stays on its row")
def live():
    keys("o", "s")
    screen.wait("by subject")
    keys("End")
    world.deliver("ana", mail(8, "aspen"))
    wait_order(sorted(TOPICS + ["aspen"], key=str.lower))
    keys("Enter")
    screen.wait("hazel tree")
    screen.wait(re.compile(r"x{60}"))
    keys("q", "o", "d")
    wait_order(["aspen"] + list(reversed(TOPICS)))


@test("jump to a line, a percentage, a date")
def jump():
    def opened(*pressed):
        keys(*pressed)
        keys("Enter")
        keys("Enter")
        found = screen.wait(re.compile(r"^ (?:Re: )?\w+ tree", re.M))
        keys("q")
        screen.wait("conversations")
        return re.search(r"^ (?:Re: )?(\w+) tree", found, re.M)[1]
    equal(opened("3"), "grape")
    equal(opened("1", "0", "0", "%"), "cedar")
    keys(":")
    screen.type("jump 2026-11-04")
    equal(opened(), "date")


@test("tabs above the inbox: each in the first that fits, the rest in the last, counted")
def splits():
    keys("x")
    screen.wait_end()
    with open(home.config_file(), "a") as out:
        out.write("\n[splits]\nlists = from:dev\nzoe or lists = from:zoe or from:dev\n")
    start()
    screen.wait(re.compile(r"1 lists +\d* *2 zoe or lists \d +3 the rest \d"))
    wait_order(["hazel", "date"])
    keys("Escape", "2")
    wait_order(["aspen", "elm", "cedar"])
    keys("}")
    wait_order(["grape", "fig", "birch", "Apple"])
    keys("=", "d")
    wait_order(["fig", "birch", "Apple"])
    keys("u")
    wait_order(["grape", "fig", "birch", "Apple"])
    keys("Escape", "0")
    screen.wait("9 conversations")


def start():
    global screen
    screen = keep(Screen(home, width=120, height=24))


@test("a search is saved with one command, counted in the side bar, kept, renamed, deleted")
def saved():
    keys("/")
    screen.type("from:zoe")
    keys("Enter")
    wait_order(["aspen", "elm", "cedar"])
    keys(":")
    screen.type("save-search from Zoe")
    keys("Enter")
    screen.wait("saved as from Zoe")
    contains(open(home.config_file()).read(), "[searches]\nfrom Zoe = from:zoe\n")
    keys("q")
    screen.wait(re.compile(r"Searches.*from Zoe +\d", re.S))
    keys("x")
    screen.wait_end()
    start()
    screen.wait(re.compile(r"from Zoe +\d"))
    keys("Escape", "p")                 # from INBOX up: to the last entry
    for _ in range(12):
        if screen.matches("Search   from:zoe"):
            break
        keys("C-n")
    screen.wait("Search   from:zoe")
    keys(":")
    screen.type("rename-search Z")
    keys("Enter")
    screen.wait(re.compile(r"^   Z +\d", re.M))
    keys(":")
    screen.type("delete-search")
    keys("Enter")
    screen.wait_gone(re.compile(r"^   Z +\d", re.M))
    assert "from:zoe\n" not in open(home.config_file()).read().split("[searches]")[1]


if __name__ == "__main__":
    main()
