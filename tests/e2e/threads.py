#!/usr/bin/env python3
"""Conversations put right by hand outlive the database: they are kept by Message-ID."""

from harness import *

world = keep(World(count=1))
home = keep(world.home("ana"))


def mail(ident, subject, day, answers=()):
    refs = "".join("%s: %s\r\n" % ("References", " ".join("<%s@lab.test>" % a for a in answers)) if answers else "")
    return ("From: Ben <ben@lab.test>\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <%s@lab.test>\r\n%s"
            "Date: Thu, %d Nov 2026 10:00:00 +0000\r\n\r\nthe text\r\n" % (subject, ident, refs, day)).encode()


def row(ident):
    return home.json("search", "--everything", "id:%s@lab.test" % ident)[0]


def threads():
    """The conversations, as sets of Message-IDs."""
    found = {}
    for one in home.json("list", "INBOX", "--limit", "0"):
        found.setdefault(one["thread"], set()).add(one["message_id"].split("@")[0])
    return sorted(found.values(), key=sorted)


@test("joined, broken and silenced: the same after the database was made anew")
def rebuild():
    world.deliver("ana", mail("a", "harbour", 1), mail("b", "Re: harbour", 2, ["a"]), mail("c", "Re: harbour", 3, ["a", "b"]),
                  mail("d", "forest", 4), mail("e", "Re: forest", 5, ["d"]), mail("f", "noise", 6))
    home.ok("sync")
    equal(threads(), [{"a", "b", "c"}, {"d", "e"}, {"f"}])
    home.ok("thread", str(row("b")["id"]), "--break")
    home.ok("thread", str(row("d")["id"]), "--join", str(row("a")["id"]))
    home.ok("thread", str(row("f")["id"]), "--mute")
    home.ok("sync")
    wanted = [{"a", "d", "e"}, {"b", "c"}, {"f"}]
    equal(threads(), wanted)
    home.ok("doctor", "--offline", "--rebuild")
    home.ok("sync")
    equal(threads(), wanted)
    contains(row("f")["tags"], "muted")
    world.deliver("ana", mail("g", "Re: noise", 7, ["f"]), mail("h", "Re: harbour", 8, ["a", "b", "c"]))
    home.ok("sync")
    equal(threads(), [{"a", "d", "e"}, {"b", "c", "h"}, {"f", "g"}])
    contains(row("g")["flags"], "seen")                      # what comes in it counts as read
    equal("seen" in row("h")["flags"], False)
    equal([line for line in home.run("doctor", "--offline").text.splitlines() if line.startswith("!! store")], [])


if __name__ == "__main__":
    main()
