#!/usr/bin/env python3
"""The way of a message: hops and delays of real relays, attempts, checks, and what came back; and searching as a command."""

import re

from harness import *

world = keep(World(count=2, reject_unknown=False))
ana, ben = keep(world.home("ana")), keep(world.home("ben"))

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


def listed(home, subject, folder=None):
    return [row for row in home.json("list", *([folder] if folder else []), "--limit", "0") if row["subject"] == subject]


def journey(home, word):
    objects = home.json("journey", str(word))
    equal(len(objects), 1)
    return objects[0]


@test("of a message that came: its hops, oldest first, with servers, TLS, times and delays")
def received():
    ana.ok("send", "-s", "by land", "ben@lab.test", "--now", stdin="Hello Ben\n")

    def arrived():
        ben.ok("sync")
        return listed(ben, "by land")
    row = wait_for(arrived, what="the mail")[0]
    got = journey(ben, row["id"])
    equal(sorted(got), ["attempts", "authentication", "bounce", "filter", "forwards", "hops", "receipts", "rules", "sender", "total", "virus"])
    hops = got["hops"]
    equal(len(hops) >= 2, True, "hops: %r" % hops)
    for hop in hops:
        equal(sorted(set(hop) - {"skew"}), ["by", "cipher", "delay", "from", "id", "kind", "time", "tls", "with"])
        equal(bool(TIME.match(hop["time"])), True, hop["time"])
        equal(hop["delay"] is None or hop["delay"] >= 0, True, "delay")
    contains(hops[0]["with"], "ESMTPSA")  # submitted with TLS and a login
    if world.spec.smtp_server == "postfix":  # the small server says only that it was TLS
        contains(hops[0]["tls"], "TLSv1.")
    equal(hops[-1]["with"], "LMTPA" if world.spec.imap_server == "cyrus" else "LMTP")
    equal([hops[0]["kind"], hops[-1]["kind"]], ["submission", "delivery"])
    equal(0 <= got["total"] < 600, True, "total %r" % got["total"])
    equal((got["attempts"], got["bounce"]), ([], None))
    contains(ben.ok("journey", str(row["id"])).text, "by land")


@test("of a message that was sent: each attempt, with the server's answer")
def sent():
    row = wait_for(lambda: listed(ana, "by land", "Sent"), what="the copy in Sent")[0]
    got = journey(ana, row["id"])
    equal(len(got["attempts"]), 1)
    attempt = got["attempts"][0]
    equal(sorted(attempt), ["ok", "reply", "server", "time", "tls"])
    equal(attempt["ok"], True)
    contains(attempt["reply"], "250")
    contains(attempt["tls"], "TLSv1.")
    contains(attempt["server"], str(world.ports["smtps"]))
    equal(bool(TIME.match(attempt["time"])), True, attempt["time"])


@test("a bounce: the sent message, and the report itself, say who, how hard, and why")
def bounced():
    ana.ok("send", "-s", "by sea", "nobody@lab.test", "--now", stdin="Hello?\n")

    def failed():
        ana.ok("sync")
        row = [i for i in ana.json("queue", "list", "--all") if i["subject"] == "by sea"][0]
        return row["state"] == "failed" and row
    wait_for(failed, 60, "the bounce")
    row = wait_for(lambda: listed(ana, "by sea", "Sent"), what="the copy in Sent")[0]
    sent_side = journey(ana, row["id"])["bounce"]["recipients"]
    report = [r for r in ana.json("list", "--limit", "0") if "mailer-daemon" in (r["from"]["address"] or "").lower()][0]
    report_side = journey(ana, report["id"])["bounce"]["recipients"]
    for recipients in (sent_side, report_side):
        equal(len(recipients), 1)
        equal(sorted(recipients[0]), ["address", "diagnostic", "kind", "reason", "status"])
        equal((recipients[0]["address"], recipients[0]["kind"]), ("nobody@lab.test", "hard"))
        contains(recipients[0]["status"], "5.1.1")
        equal(bool(recipients[0]["reason"] and recipients[0]["diagnostic"]), True, "words")
    contains(ana.ok("journey", str(report["id"])).text, "nobody@lab.test")
    contains(ana.ok("journey", str(row["id"])).text, "hard")


@test("a report about an address that was forwarded names the one that was written to, too")
def forwarded():
    report = f"{temporary()}/report"
    with open(report, "w") as out:
        out.write("From: MAILER-DAEMON@mx.example.net\nTo: ana@lab.test\nSubject: Undelivered Mail Returned to Sender\n"
                  "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n"
                  "It could not be delivered.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
                  "Final-Recipient: rfc822; box7@store.example.net\nOriginal-Recipient: rfc822; clark@example.net\n"
                  "Action: failed\nStatus: 5.2.2\n--b--\n")
    found = ana.json("journey", report)[0]["bounce"]["recipients"][0]
    equal((found["address"], found["original"], found["kind"]), ("box7@store.example.net", "clark@example.net", "soft"))
    contains(ana.ok("journey", report).text, "box7@store.example.net (written to: clark@example.net)")


@test("an address that bounced is known; a report that is read again changes nothing")
def known():
    report = [r for r in ana.json("list", "--limit", "0") if "mailer-daemon" in (r["from"]["address"] or "").lower()][0]
    ana.ok("mark", str(report["id"]), "+flagged", "-unread")
    ana.ok("sync")
    row = [i for i in ana.json("queue", "list", "--all") if i["subject"] == "by sea"]
    equal(len(row), 1)
    equal(row[0]["state"], "failed")
    equal(bool(ana.database("SELECT bounced FROM contact WHERE addr = ?", "nobody@lab.test")[0][0]), True, "the mark")


@test("a forged report marks nobody")
def forged():
    report = ("From: MAILER-DAEMON@lab.test\r\nTo: ana@lab.test\r\nSubject: forged\r\nMessage-ID: <forged@x>\r\n"
              "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nsorry\r\n--b\r\n"
              "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; ben@lab.test\r\n"
              "Action: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
              "Message-ID: <never-sent@x>\r\n\r\n--b--\r\n").encode()
    world.deliver("ana", report)

    def arrived():
        ana.ok("sync")
        return listed(ana, "forged")
    wait_for(arrived, what="the report")
    rows = ana.database("SELECT bounced FROM contact WHERE addr = ?", "ben@lab.test")
    equal([r[0] for r in rows if r[0]], [])


@test("of a file; hostile fields stay harmless; what does not exist is an error")
def files():
    evil = "\x1b]0;owned\x07\x9b2J\u202e"
    path = ana.write("evil.eml", ("Received: from a%s by b%s with ESMTP id %s; Thu, 12 Nov 2026 10:42:05 +0000\r\n"
                                  "Authentication-Results: b; spf=pass smtp.mailfrom=%s\r\n"
                                  "Subject: x%s\r\nFrom: a@b.example\r\n\r\nx\r\n") % ((evil,) * 5))
    for words in (("journey", path), ("journey", path, "--json")):
        out = ana.ok(*words).out
        for byte in (b"\x1b", b"\x07", b"\xc2\x9b", "\u202e".encode()):
            refuses_byte(out, byte)
    equal(len(journey(ana, path)["hops"]), 1)
    equal(ana.run("journey", "99999").code, 66)
    equal(ana.run("journey", ana.path("missing.eml")).code, 66)
    equal(ana.run("journey").code, 64)


def refuses_byte(out, byte):
    if byte in out:
        raise AssertionError("%r is in the output" % byte)


@test("search: the language, errors that name the column, Trash left out, notmuch asked")
def search():
    world.deliver("ana", *[("From: %s <p%d@lab.test>\r\nTo: ana@lab.test\r\nSubject: letter %d\r\nMessage-ID: <s%d@x>\r\n"
                            "Date: Thu, 12 Nov 2026 10:%02d:00 +0000\r\n\r\nwagon %d violin\r\n"
                            % ("Cy" if n % 2 else "Dee", n, n, n, n, n)).encode() for n in range(6)])

    def arrived():
        ana.ok("sync")
        return len(found("wagon")) == 6
    wait_for(arrived, what="the letters")
    equal(found("from:cy wagon"), ["s1@x", "s3@x", "s5@x"])
    equal(found('"wagon 3 violin" or id:s4@x'), ["s3@x", "s4@x"])
    equal(found("wagon -from:cy date:2026-11-12"), ["s0@x", "s2@x", "s4@x"])
    equal(found("subject:letter subject:4", "--limit", "2"), ["s4@x", "s5@x"])  # two of one field: either; newest first
    one = [r for r in ana.json("search", "id:s0@x")][0]["id"]
    ana.ok("delete", str(one))
    equal(found("wagon"), ["s%d@x" % n for n in range(1, 6)])
    equal(found("wagon tag:deleted"), ["s0@x"])
    result = ana.run("search", "wagon", "and")
    equal(result.code, 65)
    contains(result.errors, "column 7")
    contains(ana.run("search", "form:ana").errors, "from:")
    wait_for(lambda: ana.run("search", "--notmuch", "violin and from:dee").code == 0
             and found("violin and from:dee", "--notmuch") == ["s2@x", "s4@x"], 60, "notmuch's index")


def found(query, *options):
    return sorted(row["message_id"] for row in ana.json("search", *options, query))


if __name__ == "__main__":
    main()
