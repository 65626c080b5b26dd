#!/usr/bin/env python3
"""postrider setup finds the servers of an address: known providers, the domain's DNS (RFC 6186), a guess."""

import os
import sys

from harness import *

sys.path.insert(0, os.path.join(TOP, "tests", "lab"))
from nameserver import Dns  # noqa: E402

dns = keep(Dns({
    "_imaps._tcp.corp.example": [("SRV", (20, 0, 993, "far.corp.example")), ("SRV", (10, 0, 10993, "near.corp.example"))],
    "_submission._tcp.corp.example": [("SRV", (0, 0, 587, "out.corp.example"))],
    "_imaps._tcp.old.example": [("SRV", (0, 0, 0, "."))],          # RFC 6186: not offered
    "_imap._tcp.old.example": [("SRV", (0, 0, 143, "mail.old.example"))],
    "_submissions._tcp.old.example": [("SRV", (0, 1, 465, "b.old.example")), ("SRV", (0, 9, 465, "a.old.example"))],
    "_imaps._tcp.pop.example": "servfail",
    "_pop3s._tcp.pop.example": [("SRV", (0, 0, 995, "pop.pop.example"))],
    "_imaps._tcp.rented.example": [("SRV", (0, 0, 993, "mail.hoster.example"))],
    "_submissions._tcp.rented.example": [("SRV", (0, 0, 465, "mail.hoster.example"))],
    "_imaps._tcp.strange.example": "garbage",
}))


def setup(address, *more, code=0):
    """The lines of the section that setup writes, without a terminal and without trying it."""
    with Home() as home:
        home.configure("[general]\nresolver = %s\n" % dns.address)
        result = home.run("setup", address, "--no-check", *more, stdin=None)
        equal(result.code, code, result.errors)
        with open(home.config_file()) as lines:
            pairs = dict(line.rstrip("\n").split(" = ", 1) for line in lines if " = " in line)
        return pairs, result.errors


@test("a known provider: its servers, and what has to be known of its logins")
def provider():
    pairs, said = setup("ana.ruiz@gmail.com")
    equal(pairs["incoming"], "imaps://ana.ruiz%40gmail.com@imap.gmail.com")
    equal(pairs["outgoing"], "smtps://ana.ruiz%40gmail.com@smtp.gmail.com")
    contains(said, "app password")
    equal([name for name, _ in dns.asked if "gmail" in name], [])


@test("the domain's DNS: the first by priority, its port, STARTTLS where there is nothing else")
def named():
    pairs, said = setup("ana@corp.example")
    equal(pairs["incoming"], "imaps://ana%40corp.example@near.corp.example:10993")
    equal(pairs["outgoing"], "smtp://ana%40corp.example@out.corp.example")
    contains(said, "DNS")
    pairs, _ = setup("ana@old.example")
    equal(pairs["incoming"], "imap://ana%40old.example@mail.old.example")
    equal(pairs["outgoing"], "smtps://ana%40old.example@a.old.example")
    pairs, _ = setup("ana@pop.example")
    equal(pairs["incoming"], "pop3s://ana%40pop.example@pop.pop.example")
    equal(pairs["outgoing"], "smtps://ana%40pop.example@smtp.pop.example")


@test("a server of somebody else, by the word of the DNS alone, is not taken unseen")
def somebody_else():
    pairs, said = setup("ana@rented.example", code=64)
    equal(sorted(pairs), ["resolver"])
    contains(said, "--incoming imaps://ana%40rented.example@mail.hoster.example")
    pairs, _ = setup("ana@rented.example", "--incoming", "imaps://ana%40rented.example@mail.hoster.example",
                     "--outgoing", "smtps://ana%40rented.example@mail.hoster.example")
    contains(pairs["incoming"], "mail.hoster.example")


@test("on a terminal it is shown, and Enter takes it")
def shown():
    home = keep(Home())
    home.configure("[general]\nresolver = %s\n" % dns.address)
    with Pty(home, "setup", "ana@rented.example", "--no-check") as terminal:
        terminal.read_until("Your name")
        terminal.send("Ana\n")
        terminal.read_until(r"Incoming server \[imaps://ana%40rented.example@mail.hoster.example\]")
        for answer in ("Outgoing server", "Password", "short name", "off line"):
            terminal.send("\n")
            terminal.read_until(answer)
        terminal.send("\n")
        equal(terminal.read_to_end(), 0)
    with open(home.config_file()) as lines:
        contains(lines.read(), "incoming = imaps://ana%40rented.example@mail.hoster.example")


@test("no answer, no such name, nonsense: the usual names, and that they are guessed")
def guessed():
    for domain in ("nothing.example", "strange.example"):
        pairs, said = setup("ana@" + domain)
        equal(pairs["incoming"], "imaps://ana%%40%s@imap.%s" % (domain, domain))
        contains(said, "guessed")


if __name__ == "__main__":
    main()
