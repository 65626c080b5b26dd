#!/usr/bin/env python3
"""Off line: reading, searching, answering, flagging work with the servers stopped; all arrives after they are back, once."""

from harness import *

world = keep(World(count=2))
ana, phone = keep(world.home("ana")), keep(world.home("ana"))


def mail(number, subject, body="text\n", **headers):
    lines = ["From: Ben Okafor <ben@lab.test>", "To: ana@lab.test", "Subject: %s" % subject, "Message-ID: <%d@lab.test>" % number,
             "Date: Thu, 12 Nov 2026 10:%02d:00 +0000" % number]
    lines += ["%s: %s" % pair for pair in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@test("what was fetched is here with the servers stopped")
def fetch():
    world.deliver("ana", *[mail(n, "letter %d" % n, "the word quagga%d is in it\n" % n) for n in range(10)])
    ana.ok("sync")
    phone.ok("sync")
    world.kill_server("imap")
    world.kill_server("smtp")
    equal(len(ana.json("list")), 10)
    found = ana.json("search", "quagga7")
    equal([row["message_id"] for row in found], ["7@lab.test"])
    shown = ana.json("show", str(found[0]["id"]))[0]
    equal(shown["text"], "the word quagga7 is in it\n")


@test("a pass says in words that the server cannot be reached, and loses nothing")
def words():
    result = ana.run("sync", timeout=60)
    equal(result.code, 75, result.errors)
    contains(result.errors, "localhost")
    equal(len(ana.json("list")), 10)


@test("changes made off line are shown at once")
def change():
    by_id = {row["message_id"]: str(row["id"]) for row in ana.json("list")}
    ana.ok("mark", by_id["1@lab.test"], "+flagged", "-unread", "+offline")
    ana.ok("move", by_id["2@lab.test"], "Archive")
    ana.ok("delete", by_id["3@lab.test"])
    ana.ok("copy", by_id["4@lab.test"], "Archive")
    ana.ok("delete", by_id["5@lab.test"])
    ana.ok("undo")
    ana.ok("send", "-s", "Re: letter 1", "--header", "In-Reply-To: <1@lab.test>", "ben@lab.test", stdin="an answer\n")
    rows = {row["message_id"]: row for row in ana.json("list")}
    equal(sorted(rows), sorted("%d@lab.test" % n for n in (0, 1, 4, 5, 6, 7, 8, 9)))
    equal((sorted(rows["1@lab.test"]["flags"]), rows["1@lab.test"]["tags"]), (["flagged", "seen"], ["offline"]))
    equal(sorted(row["message_id"] for row in ana.json("list", "Archive")), ["2@lab.test", "4@lab.test"])
    equal(len(ana.json("queue")), 1)


@test("back on line everything arrives, once, and the other device agrees")
def back():
    world.start_server("imap")
    world.start_server("smtp")
    ana.ok("queue", "flush")
    ana.ok("sync")
    wait_for(lambda: not ana.json("queue"), 60, "an empty queue")
    ana.ok("sync")
    with world.oracle("ana") as server:
        inbox = {m.message_id: m for m in server.messages("INBOX")}
        archive = [m.message_id for m in server.messages("Archive")]
        trash = [m.message_id for m in server.messages("Trash")]
    ids = sorted(i.strip("<>") for i in inbox)
    equal(ids, sorted("%d@lab.test" % n for n in (0, 1, 4, 5, 6, 7, 8, 9)))
    equal(sorted(i.strip("<>") for i in archive), ["2@lab.test", "4@lab.test"])
    equal([i.strip("<>") for i in trash], ["3@lab.test"])
    with world.oracle("ben") as server:
        equal(len(server.messages("INBOX")), 1, "Ben's mail")
    phone.ok("sync")
    rows = {row["message_id"]: row for row in phone.json("list")}
    equal(sorted(rows), sorted("%d@lab.test" % n for n in (0, 1, 4, 5, 6, 7, 8, 9)))
    equal((sorted(rows["1@lab.test"]["flags"]), rows["1@lab.test"]["tags"]), (["flagged", "seen"], ["offline"]))
    equal(len(phone.json("list", "Sent")), 1, "the sent copy on the phone")


if __name__ == "__main__":
    main()
