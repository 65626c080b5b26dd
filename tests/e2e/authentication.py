#!/usr/bin/env python3
"""Who vouches for a message: DKIM, SPF, DMARC and ARC, checked through a DNS server that says what a test wants."""

import sqlite3
import time

from dkim_key import Key
from harness import *
from nameserver import Dns  # found by way of the harness

home = keep(Home())
FOLDER = temporary()

PLAIN = (b"From: Ana <ana@example.org>\r\nTo: ben@example.com\r\nSubject: the plan\r\n"
         b"Date: Thu, 12 Nov 2026 10:42:01 +0100\r\nMessage-ID: <1@example.org>\r\n\r\nHello Ben,\r\n\r\nsee you at noon.\r\n")

# RFC 8463, appendix A.
FOOTBALL = b"""DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""
FOOTBALL_KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
FOOTBALL_NAME = "brisbane._domainkey.football.example.com"


def path(name, content):
    where = f"{FOLDER}/{name}"
    with open(where, "wb") as out:
        out.write(content)
    return where


key = Key(FOLDER)


def check(dns, content, *options):
    name = path("mail", content)
    objects = home.json("journey", "--check", "--resolver", dns.address if isinstance(dns, Dns) else dns, *options, name)
    equal(len(objects), 1)
    return objects[0]["authentication"]


def dkim(found):
    return [row["result"] for row in found["dkim"]]


@test("the example of RFC 8463, as it stands and as it lies on a disk")
def rfc8463():
    with Dns({FOOTBALL_NAME: [("TXT", FOOTBALL_KEY)]}) as dns:
        for content in (FOOTBALL, FOOTBALL.replace(b"\n", b"\r\n")):
            found = check(dns, content)
            equal(dkim(found), ["pass"])
            equal(found["dkim"][0]["domain"], "football.example.com")
            equal((found["dkim"][0]["algorithm"], found["by"], found["dmarc"], found["arc"]), ("ed25519-sha256", None, "none", "none"))
        equal(dkim(check(dns, FOOTBALL.replace(b"hungry", b"thirsty"))), ["fail"])
        contains(home.ok("journey", "--check", "--resolver", dns.address, path("f", FOOTBALL)).text, "DKIM pass football.example.com")


@test("a signature by another program; the key over UDP, over TCP, behind an alias, in pieces")
def transports():
    signed = key.sign(PLAIN)
    record = [("TXT", key.record)]
    small = ["v=DKIM1; k=rsa; "] + [key.record[16:][i:i + 40] for i in range(0, len(key.record), 40)]
    for zone in ({"k._domainkey.example.org": record},
                 {"k._domainkey.example.org": ("tcp", record)},
                 {"k._domainkey.example.org": [("CNAME", "keys.example.net")], "keys.example.net": record},
                 {"k._domainkey.example.org": [("TXT", small)]},
                 {"k._domainkey.example.org": [("TXT", "a note"), ("TXT", key.record)]},
                 {"k._domainkey.example.org": [("TXT", key.record + "; n=" + "x" * 3000)]}):
        with Dns(zone) as dns:
            found = check(dns, signed)
            equal(dkim(found), ["pass"], "of %r" % zone)
            equal(found["dkim"][0]["bits"], 2048)


@test("who does not answer is not the sender's fault; who answers nonsense convinces nobody")
def faults():
    signed = key.sign(PLAIN)
    for fault, results in (("servfail", {"temperror"}), ("refused", {"temperror"}), ("garbage", {"temperror"}),
                           ("cut", {"temperror", "permerror"}), ("other", {"temperror"})):
        with Dns({"k._domainkey.example.org": fault, "_dmarc.example.org": [("TXT", "v=DMARC1; p=reject")]}) as dns:
            found = check(dns, signed)
            contains(sorted(results), dkim(found)[0])
            if dkim(found)[0] == "temperror":
                equal(found["dmarc"], "temperror")
    with Dns({"other.example": "refused"}) as dns:
        closed = dns.address
    equal(dkim(check(closed, signed)), ["temperror"])  # nobody listens there
    with Dns({"k._domainkey.example.org": "timeout"}) as dns:
        since = time.monotonic()
        equal(dkim(check(dns, signed)), ["temperror"])
        equal(time.monotonic() - since < 35, True, "within the time limit")


@test("SPF by the address that is named; DMARC follows it, or the signature, or neither")
def spf():
    zone = {"example.org": [("TXT", "v=spf1 mx include:_spf.example.net -all"), ("MX", (10, "mail.example.org"))],
            "mail.example.org": [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")],
            "_spf.example.net": [("TXT", "v=spf1 ip4:198.51.100.0/24 ?all")],
            "_dmarc.example.org": [("TXT", "v=DMARC1; p=quarantine; sp=reject")]}
    with Dns(zone) as dns:
        for ip, result, dmarc in (("192.0.2.1", "pass", "pass"), ("2001:db8::1", "pass", "pass"), ("198.51.100.7", "pass", "pass"),
                                  ("203.0.113.1", "fail", "fail")):
            found = check(dns, PLAIN, "--ip", ip, "--helo", "mail.example.org", "--from", "ana@example.org")
            equal((found["spf"], found["spf_domain"], found["dmarc"], found["dmarc_policy"]), (result, "example.org", dmarc, "quarantine"))
        # a bounce: the name that the host gave itself is asked for
        found = check(dns, PLAIN, "--ip", "192.0.2.1", "--helo", "mail.example.org", "--from", "")
        equal((found["spf"], found["spf_domain"]), ("none", "mail.example.org"))
        # another's envelope does not speak for the author
        found = check(dns, PLAIN, "--ip", "198.51.100.7", "--helo", "x.example.net", "--from", "eva@_spf.example.net")
        equal((found["spf"], found["dmarc"]), ("pass", "fail"))
        # without an address it is not asked at all
        equal(check(dns, PLAIN)["spf"], None)


@test("an author twice, or two authors: nobody vouches, whatever is signed")
def authors():
    zone = {"k._domainkey.example.org": [("TXT", key.record)], "_dmarc.example.org": [("TXT", "v=DMARC1; p=reject")]}
    with Dns(zone) as dns:
        equal(check(dns, key.sign(PLAIN))["dmarc"], "pass")
        for added in (b"From: Bank <bank@example.com>\r\n", b"from: ana@example.org\r\n"):
            found = check(dns, added + key.sign(PLAIN))
            equal((dkim(found), found["dmarc"]), (["policy"], "permerror"))
        two = PLAIN.replace(b"Ana <ana@example.org>", b"Ana <ana@example.org>, Bank <bank@example.com>")
        found = check(dns, key.sign(two))
        equal((dkim(found), found["dmarc"]), (["pass"], "permerror"))


@test("a resolver that is none is said so")
def resolver():
    result = home.run("journey", "--check", "--resolver", "dns.example", path("mail", PLAIN))
    equal(result.code, 78)
    contains(result.errors, "dns.example")


# --- mail that comes to an account

nameserver = Dns({"k._domainkey.example.org": [("TXT", key.record)], "_dmarc.example.org": [("TXT", "v=DMARC1; p=reject")],
                  "example.org": [("TXT", "v=spf1 ip4:192.0.2.1 -all")]})
at_end(nameserver.close)
world = keep(World(count=2))
ana = keep(world.home("ana", general=["resolver = %s" % nameserver.address]))


def letter(number, text=b"Hello Ana,\r\n"):
    return (b"From: Ben <ben@example.org>\r\nTo: ana@lab.test\r\nSubject: letter %d\r\nDate: Thu, 12 Nov 2026 10:42:01 +0100\r\n"
            b"Message-ID: <l%d@example.org>\r\n\r\n" % (number, number) + text)


def arrived(number):
    def found():
        ana.ok("sync")
        rows = [row for row in ana.json("list", "--limit", "0") if row["message_id"] == "l%d@example.org" % number]
        return rows and ana.json("journey", str(rows[0]["id"]))[0]["authentication"] is not None and rows[0]["id"]
    return wait_for(found, what="letter %d" % number)


def judged(number):
    return ana.json("journey", str(arrived(number)))[0]["authentication"]


@test("mail that comes is checked when it comes, and what was found is kept")
def comes():
    world.deliver("ana", key.sign(letter(1)), letter(2), key.sign(letter(3)).replace(b"Hello", b"Hallo"))
    good, forged, changed = judged(1), judged(2), judged(3)
    equal((good["by"], good["vouch"], good["words"], good["dmarc"]), (None, "good", "DKIM, DMARC", "pass"))
    equal((forged["vouch"], forged["dmarc"], forged["dkim"]), ("forged", "fail", []))
    equal((changed["vouch"], changed["dkim"][0]["reason"]), ("forged", "the text was changed on the way"))
    number = arrived(1)
    nameserver.set("k._domainkey.example.org", [])  # the key goes: what was found stays
    equal(ana.json("journey", str(number))[0]["authentication"]["vouch"], "good")
    nameserver.set("k._domainkey.example.org", [("TXT", key.record)])
    with open(f"{FOLDER}/kept", "wb") as out:
        out.write(key.sign(letter(4)))
    equal(ana.json("journey", f"{FOLDER}/kept")[0]["authentication"]["vouch"], "good")  # a file, with a resolver configured


@test("a field that names our own server, in mail that it did not check, is never believed, however often it comes")
def forged_results():
    host = "lab.test"
    lie = "dkim=pass header.d=example.org; spf=pass smtp.mailfrom=example.org; dmarc=pass header.from=example.org"
    names = [host, world.spec.host, "imap." + host, "localhost"]
    letters = []
    for number in range(10, 22):
        forged = ("Authentication-Results: %s; %s\r\n" % (names[number % 4], lie)).encode()
        letters.append(forged + letter(number))
    world.deliver("ana", *letters)
    for number in range(10, 22):
        found = judged(number)
        equal((found["by"], found["vouch"]), (None, "forged"), "letter %d" % number)
    equal(ana.database("SELECT count(*) FROM results_host WHERE agreed > 0"), [(0,)])


@test("a server that tells the truth is learnt, and its word counts from then on; a lie ends that")
def learnt():
    truth = b"Authentication-Results: mx.lab.test; dkim=pass header.d=example.org; dmarc=pass header.from=example.org\r\n"
    world.deliver("ana", *[truth + key.sign(letter(number)) for number in range(30, 36)])
    for number in range(30, 36):
        equal(judged(number)["vouch"], "good")
    world.deliver("ana", truth.replace(b"dmarc=pass", b"dmarc=fail") + key.sign(letter(40)))
    found = judged(40)
    equal((found["by"], found["dmarc"], found["vouch"]), ("mx.lab.test", "fail", "forged"))


@test("what could not be looked up is no failure, holds up nothing, and is looked up again")
def later():
    nameserver.set("k._domainkey.slow.example", "servfail")
    nameserver.set("_dmarc.slow.example", [("TXT", "v=DMARC1; p=reject")])
    world.deliver("ana", key.sign(letter(50).replace(b"ben@example.org", b"ben@slow.example"), "slow.example"))
    found = judged(50)
    equal((found["vouch"], found["dkim"][0]["result"], found["dmarc"]), ("unknown", "temperror", "temperror"))
    equal(ana.database("SELECT count(*) FROM arrival WHERE stage IS NOT NULL AND stage <> 'authentication'")[0][0], 1)
    nameserver.set("k._domainkey.slow.example", [("TXT", key.record)])
    ana.stop()  # the engine remembers for 20 seconds that nobody answered
    with sqlite3.connect(ana.data("postrider.db")) as store:  # a minute is over
        store.execute("UPDATE arrival SET due = 0")
    store.close()
    wait_for(lambda: ana.ok("sync") and judged(50)["vouch"] == "good", 60, "the second look")


@test("the reader's line says it, and the journey how")
def line():
    for number, words in ((1, "✔ example.org (DKIM, DMARC)"), (2, "✘ it does not come from example.org (DMARC)")):
        screen = keep(Screen(ana, width=120))
        screen.wait("letter 40")
        screen.keys("/")
        screen.type("id:l%d@example.org" % number)
        screen.wait_gone("letter 40")
        screen.wait("letter %d" % number)
        screen.keys("Enter", "Enter")
        screen.wait(words)
        screen.keys("I")
        screen.wait("Checks made here")
        screen.wait("DMARC")


if __name__ == "__main__":
    main()
