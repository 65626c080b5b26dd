#!/usr/bin/env python3
"""The filter learns from what is done with mail, on any device, and says or does what it has learned."""

import email.utils

from harness import *

world = keep(World(count=1))
ana, phone = keep(world.home("ana")), keep(world.home("ana"))
plain = open(ana.config_file()).read()
SPAM = "cheap pills winner lottery casino prize click here now guaranteed million dollars transfer urgent"
GOOD = "meeting notes release patch review budget train office proposal numbers tuesday lunch draft schedule"


def mail(number, junk):
    words = (SPAM if junk else GOOD).split()
    body = " ".join(words[(number * 7 + i * 3) % len(words)] for i in range(60))
    sender = "win%d@lucky.test" % number if junk else "colleague%d@work.test" % (number % 5)
    return ("From: %s\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <%d@elsewhere.test>\r\nDate: %s\r\n\r\n%s\r\n"
            % (sender, " ".join(words[number % 9:number % 9 + 3]), number, email.utils.formatdate(), body)).encode()


def there(folder):
    with world.oracle("ana") as server:
        return {m.message_id.strip("<>"): m for m in server.messages(folder)}


def seen(home):
    status = home.json("filter", "status")[0]
    return status["seen_good"], status["seen_junk"]


def ids(numbers):
    return ["id:%d@elsewhere.test" % n for n in numbers]


@test("keys and commands teach: junk and not junk, answered by nobody yet")
def teach():
    world.deliver("ana", *[mail(n, n >= 30) for n in range(60)])
    ana.ok("sync")
    equal(seen(ana), (0, 0))
    ana.ok("junk", *ids(range(30, 60)))
    ana.ok("archive", *ids(range(0, 30)))
    ana.ok("mark", *ids(range(0, 30)), "-unread")
    ana.ok("sync")
    wait_for(lambda: len(there("Junk")) == 30, what="thirty in Junk")
    contains(there("Junk")["30@elsewhere.test"].flags, "$Junk")
    ana.ok("sync")
    wait_for(lambda: seen(ana) == (30, 30), what="thirty lessons of each kind: %s" % (seen(ana),))


@test("the other device has learned the same, through the server alone")
def two_devices():
    phone.ok("sync")
    wait_for(lambda: seen(phone) == (30, 30), what="the lessons on the other device: %s" % (seen(phone),))


@test("new mail gets a word; it stays where it is while the filter only watches")
def watches():
    world.deliver("ana", mail(100, True), mail(101, False))
    ana.ok("sync")
    wait_for(lambda: (ana.json("journey", *ids([100]))[0]["filter"] or {}).get("verdict") == "junk", what="the verdict")
    told = ana.json("journey", *ids([100]))[0]["filter"]
    equal(told["score"] > 0.5 and len(told["words"]) > 3, True, told)
    equal(ana.json("journey", *ids([101]))[0]["filter"]["verdict"], "good")
    contains(there("INBOX"), "100@elsewhere.test")


@test("switched on, it files junk, and says so")
def files():
    ana.stop()
    ana.configure("[general]\nfilter = on\n" + plain)
    world.deliver("ana", mail(110, True), mail(111, False))
    told = ana.ok("sync")
    wait_for(lambda: "110@elsewhere.test" in there("Junk"), what="the junk in Junk")
    contains(there("INBOX"), "111@elsewhere.test")
    contains(told.errors + told.text, "filed as junk")


@test("what it has filed teaches nothing, until it is taken back: then it is good")
def taken_back():
    before = seen(ana)
    ana.ok("sync")
    equal(seen(ana), before)
    ana.ok("notjunk", *ids([110]))
    ana.ok("sync")
    ana.ok("sync")
    wait_for(lambda: seen(ana) == (before[0] + 1, before[1]), what="one more good: %s" % (seen(ana),))
    contains(there("INBOX")["110@elsewhere.test"].flags, "$NotJunk")


@test("taking a word back takes the lesson back")
def undone():
    before = seen(ana)
    ana.ok("junk", *ids([111]))
    ana.ok("sync")
    ana.ok("sync")
    wait_for(lambda: seen(ana) == (before[0], before[1] + 1), what="one more junk: %s" % (seen(ana),))
    ana.ok("undo")
    ana.ok("sync")
    ana.ok("sync")
    wait_for(lambda: seen(ana) == before, what="the lessons as before: %s %s" % (seen(ana), before))


@test("an allowed sender is not filed")
def allowed():
    ana.ok("allow", "@lucky.test")
    world.deliver("ana", mail(120, True))
    ana.ok("sync")
    wait_for(lambda: ana.json("journey", *ids([120]))[0]["filter"], what="the verdict")
    contains(there("INBOX"), "120@elsewhere.test")


if __name__ == "__main__":
    main()
