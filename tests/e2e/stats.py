#!/usr/bin/env python3
"""Statistics for people: as a command, as JSON, on the screen; counted again when mail comes."""

from harness import *

world = keep(World(count=2))
ana = keep(world.home("ana", general=["notmuch = off"]))


def mail(number, sender, date, answers=None):
    lines = ["From: %s" % sender, "To: ana@lab.test", "Subject: letter %d" % number, "Message-ID: <%d@lab.test>" % number,
             "Date: %s" % date]
    if answers:
        lines.append("In-Reply-To: <%d@lab.test>" % answers)
    return ("\r\n".join(lines) + "\r\n\r\ntext\r\n").encode()


@test("the figures are those of the mail")
def figures():
    world.deliver("ana", mail(1, "Ben <ben@lab.test>", "Thu, 12 Nov 2026 10:05:00 +0000"),
                  mail(2, "Ana <ana@lab.test>", "Thu, 12 Nov 2026 10:35:00 +0000", 1),
                  mail(3, "Ben <ben@lab.test>", "Fri, 13 Nov 2026 11:35:00 +0000", 2),
                  mail(4, "Carol <carol@lab.test>", "Thu, 01 Oct 2026 00:00:00 +0000"))
    ana.ok("sync")
    stats, = ana.json("stats", "--months", "0")
    months = {row["month"]: (row["received"], row["sent"]) for row in stats["months"] if row["received"] or row["sent"]}
    equal(months, {"2026-10": (1, 0), "2026-11": (2, 1)})
    equal([hour for hour, n in enumerate(stats["received_by_hour"]) for _ in range(n)], [0, 10, 11])
    equal([row["below"] for row in stats["my_answers"] if row["count"]], [3600])
    equal([row["below"] for row in stats["their_answers"] if row["count"]], [3 * 86400])
    equal([(row["address"], row["received"]) for row in stats["people"]][:2], [("ben@lab.test", 2), ("carol@lab.test", 1)])
    inbox, = [row for row in stats["folders"] if row["folder"] == "INBOX"]
    equal(inbox["messages"], 4)
    equal(inbox["bytes"], sum(row["size"] for row in ana.json("list", "--limit", "0")))


@test("what was counted is kept, and counted again when mail comes")
def again():
    assert ana.database("SELECT count(*) FROM stats_month")[0][0] >= 2
    world.deliver("ana", mail(5, "Ben <ben@lab.test>", "Thu, 29 Oct 2026 10:05:00 +0000"))
    ana.ok("sync")
    stats, = ana.json("stats", "--months", "0")
    equal([row["received"] for row in stats["months"] if row["month"] == "2026-10"], [2])


@test("for people: bars, and plain characters in a plain locale")
def plain():
    contains(ana.ok("stats").text, "█")
    text = ana.ok("stats", env={"LC_ALL": "C"}).text
    contains(text, "2026-11")
    contains(text, "###")
    assert text.isascii(), text
    ana.fails(64, "stats", "--months=-1")


@test("on the screen")
def screen():
    with Screen(ana, width=100, height=40) as screen:
        screen.wait("letter 3")
        screen.keys(":")
        screen.type("stats")
        screen.keys("Enter")
        screen.wait("Mail a month")
        screen.wait("How long an answer takes")
        screen.wait("ben@lab.test")
        screen.keys("q")
        screen.wait("letter 3")
        screen.keys("q")
        equal(screen.wait_end(), 0)


if __name__ == "__main__":
    main()
