#!/usr/bin/env python3
"""Real bounces of a real Postfix, for ten causes and more: what is read of them, what it does to the queue, to the mail
in Sent and to the address; and sending again to those whom a mail did not reach."""

import os
import socket

from harness import *
from next_hop import NextHop

hop = keep(NextHop())
closed = socket.socket()
closed.bind(("127.0.0.1", 0))  # bound, and nobody listens: refused
# A mail that is not taken at once comes back at once.
world = keep(World(count=2, smtp="postfix", reject_unknown=False, patience=0,
                   next_hops={"next.test": hop.port, "down.test": closed.getsockname()[1]}))
ana = keep(world.home("ana"))

# who, status, kind, a word of the reason
CAUSES = [
    ("nobody@lab.test", "5.1.1", "hard", "no such user"),
    ("unknown@next.test", "5.1.1", "hard", "no such user"),
    ("someone@nowhere.test", "5.1.2", "hard", "no such domain"),
    ("full@next.test", "5.2.2", "soft", "full"),
    ("large@next.test", "5.3.4", "hard", "too large"),
    ("policy@next.test", "5.7.1", "hard", "policy"),
    ("disabled@next.test", "5.2.1", "hard", "disabled"),
    ("relay@next.test", "5.7.1", "hard", "does not pass mail on"),
    ("grey@next.test", "4.7.1", "soft", "greylisting"),
    ("spam@next.test", "5.6.0", "hard", "spam"),
    ("anyone@down.test", "4.4.1", "soft", "does not answer"),
    ("bare@next.test", "5.0.0", "hard", "no such user"),
]


def journey(word):
    return ana.json("journey", str(word))[0]


def reports():
    return [row for row in ana.json("list", "--limit", "0")
            if "mailer-daemon" in (row["from"]["address"] or "").lower()]


def item(subject):
    return [row for row in ana.json("queue", "list", "--all") if row["subject"] == subject][0]


@test("twelve causes: recipient, status, kind and reason, of the report and of the mail in Sent")
def causes():
    for who, *_ in CAUSES:
        ana.ok("send", "-s", "to " + who, who, stdin="hello\n")
    ana.ok("queue", "flush")

    def back():
        ana.ok("sync")
        return len(reports()) == len(CAUSES)
    wait_for(back, 90, "the bounces")
    found = {}
    for row in reports():
        for recipient in journey(row["id"])["bounce"]["recipients"]:
            found[recipient["address"]] = recipient
    for who, status, kind, reason in CAUSES:
        equal((found[who]["status"], found[who]["kind"]), (status, kind), who)
        contains(found[who]["reason"], reason)
        equal(bool(found[who]["diagnostic"]), True, who)
        equal(item("to " + who)["state"], "failed", who)
    for row in [row for row in ana.json("list", "Sent", "--limit", "0")]:
        who = row["subject"][3:]
        came = journey(row["id"])["bounce"]["recipients"]
        equal([(r["address"], r["status"], r["kind"]) for r in came],
              [(who, found[who]["status"], found[who]["kind"])], who)


@test("an address that is no good is remembered; one that is only full is not")
def remembered():
    bounced = {row[0] for row in ana.database("SELECT addr FROM contact WHERE bounced > 0")}
    equal(bounced, {"nobody@lab.test", "unknown@next.test", "someone@nowhere.test", "disabled@next.test", "bare@next.test"})


@test("sent again to the one it did not reach, at a better address, and to nobody else")
def again():
    ana.ok("send", "-s", "to two", "ben@lab.test", "unknown@next.test", stdin="hello\n")
    ana.ok("queue", "flush")

    def failed():
        ana.ok("sync")
        return item("to two")["state"] == "failed"
    wait_for(failed, 60, "the bounce")
    number = str(item("to two")["id"])
    ana.fails(65, "queue", "resend", number, "--to", "ben@lab.test")
    ana.ok("queue", "resend", number, "--to", "unknown@next.test=good@next.test")

    def gone():
        return item("to two")["state"] == "sent"
    wait_for(gone, 60, "the second sending")
    equal({row["address"]: row["state"] for row in item("to two")["recipients"]},
          {"ben@lab.test": "sent", "good@next.test": "sent"})
    ben = keep(world.home("ben"))
    ben.ok("sync")
    equal(len([row for row in ben.json("list", "--limit", "0") if row["subject"] == "to two"]), 1)


@test("mail that went on to servers without reports, when that was asked: the next hop, and Dovecot over LMTP")
def success():
    link = ana.path("sendmail")
    os.symlink(os.path.realpath(POSTRIDER), link)
    for who in ("good@next.test", "ben@lab.test"):
        text = "From: ana@lab.test\nTo: %s\nSubject: tell %s\n\nhello\n" % (who, who)
        result = ana.run("-N", "success,failure", who, stdin=text, program=link)
        equal(result.code, 0, result.errors)
    ana.ok("queue", "flush")
    wanted = {"good@next.test": "relayed", "ben@lab.test": "relayed"}

    def told():
        ana.ok("sync")
        found = {}
        for row in reports():
            for recipient in journey(row["id"])["bounce"]["recipients"]:
                found[recipient["address"]] = recipient["kind"]
        return {who: found.get(who) for who in wanted} == wanted
    wait_for(told, 60, "the reports")
    equal([item("tell " + who)["state"] for who in wanted], ["sent", "sent"])


if __name__ == "__main__":
    main()
