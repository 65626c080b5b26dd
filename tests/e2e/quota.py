#!/usr/bin/env python3
"""How full the mailbox is: asked of the server, shown, told before it is full."""

import email.utils
import time

from harness import *

world = keep(World(count=1, quota="*:storage=100K"))
ana = keep(world.home("ana"))


def mail(number, size):
    return ("From: Ben <ben@elsewhere.test>\r\nTo: ana@lab.test\r\nSubject: letter %d\r\nMessage-ID: <%d@elsewhere.test>\r\n"
            "Date: %s\r\n\r\n%s\r\n" % (number, number, email.utils.formatdate(), ("x" * 70 + "\r\n") * (size // 72))).encode()


clock = [time.time()]


def later():
    """A pass an hour later: it is asked once an hour."""
    ana.stop()
    clock[0] += 3601
    return ana.ok("sync", env={"POSTRIDER_NOW": "%d" % clock[0]})


@test("it is read with the first pass, and shown")
def read():
    world.deliver("ana", mail(1, 20000))
    ana.ok("sync")
    contains(ana.ok("folders").text, "of 102 kB (")
    contains(ana.ok("doctor").text, "the server keeps ")
    equal(ana.database("SELECT resource, most FROM quota WHERE resource <> ''"), [("STORAGE", 102400)])


@test("a pass within the hour does not ask again")
def once():
    before = ana.database("SELECT used FROM quota WHERE resource = ''")
    ana.ok("sync")
    equal(ana.database("SELECT used FROM quota WHERE resource = ''"), before)


@test("from 80 % on a word, once; the sync room shows it")
def fills():
    world.deliver("ana", mail(2, 65000))
    contains(later().errors, "is filling: ")
    equal("is filling" in later().errors, False)
    with Screen(ana, width=120, height=30) as screen:
        screen.wait("letter 2")
        screen.keys("S")
        screen.wait("the server keeps 8")
    told = ana.run("doctor").text
    contains(told, "it fills")


@test("nearly full is said again; room made is seen")
def full():
    world.deliver("ana", mail(3, 10500))
    contains(later().errors, "nearly full")
    ana.ok("delete", "id:2@elsewhere.test")
    ana.ok("delete", "id:2@elsewhere.test")     # out of the Trash
    ana.ok("sync")
    later()
    contains(ana.ok("folders").text, "(3")


if __name__ == "__main__":
    main()
