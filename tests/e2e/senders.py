#!/usr/bin/env python3
"""How well senders are known, and who passes himself off for somebody else: found when mail comes, told by commands, in the
list, above the text and in the journey; block lists in the DNS; what the user calls junk is counted."""

from harness import *
from nameserver import Dns
from screen import Screen

nameserver = Dns({"zen.example": [("A", "127.0.0.1")],
                  "7.2.0.192.zen.example": [("A", "127.0.0.4"), ("TXT", "a proxy, see https://zen.example/7")],
                  "9.2.0.192.zen.example": [("A", "127.255.255.254")],
                  "evil.test.dbl.example": [("A", "127.0.1.2")]})
nameserver.__enter__()
at_end(lambda: nameserver.__exit__(None, None, None))
world = keep(World(count=1))
ana = keep(world.home("ana", general=["resolver = %s" % nameserver.address, "address-lists = zen.example", "domain-lists = dbl.example"]))


def letter(number, sender, body=b"hello\r\n", ip="203.0.113.6", more=b""):
    received = ("Received: from out.example (out.example [%s]) by localhost with ESMTPS id M%d; Thu, 12 Nov 2026 10:42:02 +0100\r\n"
                % (ip, number)).encode()
    return (received + b"From: " + sender.encode() + b"\r\nTo: ana@lab.test\r\nSubject: letter %d\r\nMessage-ID: <s%d@x>\r\n" % (number, number) +
            b"Date: Thu, 12 Nov 2026 10:42:01 +0100\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" + more + b"\r\n" + body)


def identity(number):
    def found():
        ana.ok("sync")
        rows = [row for row in ana.json("list", "--limit", "0") if row["message_id"] == "s%d@x" % number]
        done = rows and not ana.database("SELECT count(*) FROM arrival WHERE message = ?", rows[0]["id"])[0][0]
        return done and rows[0]["id"]
    return wait_for(found, what="letter %d" % number)


def signs(number):
    sender = ana.json("journey", str(identity(number)))[0]["sender"]
    return [("!" if sign["warns"] else "") + sign["mark"] for sign in sender["signs"]]


@test("who is written to is known; who only looks so is told from him, and the warning goes when he is answered")
def pretence():
    ana.ok("send", "--now", "-s", "plan", "--", "Ben Okafor <ben@harbour-works.example>", stdin=b"see you at noon\n")
    wait_for(lambda: ana.ok("sync") and ana.json("contacts", "harbour"), what="the contact")
    world.deliver("ana", letter(1, "Ben Okafor <ben@harbour-works.example>"), letter(2, "Office <office@harb0ur-works.example>"),
                  letter(3, "Ben Okafor <ben.okafor.44@gmail.com>"), letter(4, "\"ben@harbour-works.example\" <x@else.example>"),
                  letter(5, "Office <office@mail.harbour-works.example.evil.test>"), letter(6, "Stranger Person <s@else.example>"))
    equal(signs(1), [])
    equal(signs(2), ["!lookalike", "new-address", "new-domain"])
    equal(signs(3), ["!other-person", "new-address", "new-domain"])
    equal(signs(4), ["!other-address", "new-address"])
    equal(signs(5), ["!lookalike", "new-address", "new-domain"])
    equal(signs(6), ["new-address"])
    number = str(identity(2))
    shown = ana.json("show", number)[0]["verdict"]
    equal([warning["words"] for warning in shown["warnings"]], ["harb0ur-works.example only looks like harbour-works.example, which you know"])
    contains(ana.ok("show", number).text, "harb0ur-works.example only looks like harbour-works.example")
    contains(ana.ok("journey", number).text, "! harb0ur-works.example only looks like")
    evidence = ana.database("SELECT value FROM verdict WHERE message = ? AND stage = 'reputation'", int(number))[0][0]
    contains(evidence, "check:lookalike")
    ana.ok("send", "--now", "-s", "yes", "--", "office@harb0ur-works.example", stdin=b"you are right\n")
    wait_for(lambda: ana.ok("sync") and not ana.json("show", number)[0]["verdict"]["warnings"], what="the warning to go")


@test("in the list, above the text, and in the journey")
def screen():
    screen = keep(Screen(ana, width=110))
    screen.wait("letter 3")
    assert any("!" in line.split("Ben Okafor")[0] for line in screen.lines() if "letter 3" in line), screen.text()
    assert not any("!" in line.split("Ben Okafor")[0] for line in screen.lines() if "letter 1" in line), screen.text()
    screen.keys("/")
    screen.type("id:s3@x")
    screen.wait_gone("letter 1")
    screen.keys("Enter", "Enter")
    screen.wait("Ben Okafor is known to you at ben@harbour-works.example, not at ben.okafor.44@gmail.com")
    equal(screen.text().count("nobody vouches for gmail.com"), 1)
    screen.keys("I")
    screen.wait("Sender: known since")
    screen.wait("Ben Okafor is known to you at")


@test("block lists are asked about the address that handed it over and the domains of links, when they are configured")
def lists():
    world.deliver("ana", letter(10, "a@listed.example", ip="192.0.2.7"), letter(11, "a@refused.example", ip="192.0.2.9"),
                  letter(12, "a@links.example", b"see https://www.evil.test/x and https://good.test/\r\n"), letter(13, "a@clean.example"))
    equal("!listed" in signs(10), True)
    equal("!listed" in signs(11), False)
    equal("!listed" in signs(12), True)
    equal("!listed" in signs(13), False)
    told = [sign["words"] for number in (10, 12) for sign in ana.json("journey", str(identity(number)))[0]["sender"]["signs"]
            if sign["mark"] == "listed"]
    equal(told, ["192.0.2.7 is on the block list zen.example (127.0.0.4: a proxy, see https://zen.example/7)",
                 "evil.test is on the block list dbl.example (127.0.1.2)"])
    asked = {name for name, kind in nameserver.asked}
    contains(asked, "6.113.0.203.zen.example")
    contains(asked, "good.test.dbl.example")
    contains(asked, "invalid.dbl.example")


@test("what the user calls junk is counted for the address")
def junk():
    number = identity(6)
    ana.ok("junk", str(number))
    ana.ok("sync")

    def counted():  # an engine that runs learns when nothing has come for a while
        sender = ana.json("journey", str(number))[0]["sender"]
        return sender["address"]["junk"] == 1 and sender
    sender = wait_for(counted, what="the count")
    equal([sign["words"] for sign in sender["signs"] if sign["mark"] == "junk-before"], ["you called 1 message from s@else.example junk"])


if __name__ == "__main__":
    main()
