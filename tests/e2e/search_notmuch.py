#!/usr/bin/env python3
"""What "postrider search" finds is what notmuch finds, on the same mail, for some three hundred queries of the language
that both speak; where they differ, the difference is listed here with its reason."""

import email
import email.policy
import os
import random
import re
import unicodedata

from harness import *

import fill as lab_fill         # noqa: E402

world = keep(World(count=1))
ana = keep(world.home("ana", general=["notmuch = all"]))

OWN = [
    # subject, from, to, date, more header, body
    ("Flights to Lisbon", "Marta Ruiz <marta.ruiz@mail.example.org>", "ana@lab.test", "Mon, 02 Nov 2026 09:40:00 +0100",
     "Message-ID: <one@own.test>", "The plane is flying at noon and the hotel is near the river.\nSee you at gate 7.\n"),
    ("Re: Flights to Lisbon", "Ben Okafor <ben@lab.test>", "Marta Ruiz <marta.ruiz@mail.example.org>",
     "Mon, 02 Nov 2026 23:30:00 -0500", "Message-ID: <two@own.test>\nIn-Reply-To: <one@own.test>\nReferences: <one@own.test>\n"
     "Cc: carol@lab.test", "I would rather take the river boat. The boat has no gate but a pier, pier nine of the harbour.\n"),
    ("Café de Flore", "Zoë Grün <zoe@xn--grn-hoa.example>", "ana@lab.test", "Sun, 01 Mar 2026 00:00:00 +0000",
     "Message-ID: <three@own.test>", "Ein schöner Tag. ΑΘΗΝΑ και Αθήνα. ŁÓDŹ. Straße und STRASSE.\n"),
    ("no accents", "Zoe Plain <plain@mail.example.org>", "ana@lab.test", "Mon, 02 Mar 2026 10:00:00 +0000",
     "Message-ID: <eight@own.test>", "Nothing of the kind.\n"),
    ("version 2.10.4 of foo_bar", "release@host-7.build.example", "dev+list@lab.test", "Tue, 30 Jun 2026 23:59:59 +0000",
     "Message-ID: <four@own.test>", "tarball foo_bar-2.10.4.tar.gz at https://host-7.build.example/foo_bar/2.10.4\nO'Brien's AT&T C++\n"),
    ("empty", "nobody@example.net", "ana@lab.test", "Wed, 01 Jul 2026 00:00:00 +0000", "Message-ID: <five@own.test>", "\n"),
    ("Greek, one", "greek@example.net", "ana@lab.test", "Fri, 10 Jul 2026 12:00:00 +0000", "Message-ID: <six@own.test>",
     "alpha one two three beta four five six seven eight nine ten eleven gamma\n"),
    ("Greek, two", "greek@example.net", "ana@lab.test", "Sat, 11 Jul 2026 12:00:00 +0000", "Message-ID: <seven@own.test>",
     "beta two alpha. gamma alpha twelve thirteen delta\n"),
]


def own_mail(row):
    subject, sender, to, date, more, body = row
    from email.header import Header
    def code(text):
        return text if text.isascii() else Header(text, "utf-8").encode()
    name, _, address = sender.partition("<")
    if address:
        sender = code(name.strip()) + " <" + address
    head = "From: %s\nTo: %s\nSubject: %s\nDate: %s\n%s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n" % (
        sender, to, code(subject), date, more)
    return (head + body).encode()


def words_of_corpus():
    """Plain words of the mail, by how often they come: (seldom, some, often); none that is another one but for accents,
    which notmuch tells apart, or part of a name_with_underscores, which is one word for it.  And the beginnings of such."""
    count, unlike = {}, set()
    for root, _, names in os.walk(ana.data("mail")):
        if not root.endswith("/cur") or "/.notmuch" in root:
            continue
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                message = email.message_from_binary_file(file, policy=email.policy.default)
            try:
                part = message.get_body(("plain",))
                text = part.get_content() if part else ""
            except (LookupError, KeyError):
                continue
            text += " " + str(message["subject"])
            for word in re.findall(r"\w+", text):
                if "_" in word:
                    unlike.update(word.lower().split("_"))
                elif not word.isascii():
                    folded = unicodedata.normalize("NFKD", word.lower().replace("ß", "ss"))
                    unlike.add("".join(c for c in folded if not unicodedata.combining(c)))
            for word in set(re.findall(r"\b[a-z]{4,12}\b", text)):
                count[word] = count.get(word, 0) + 1
    ranked = sorted(set(count) - unlike, key=lambda word: (count[word], word))
    third = len(ranked) // 3
    return ranked[:third], ranked[third:2 * third], ranked[2 * third:], {word[:n] for word in unlike for n in (3, 4)}


def lost():
    """Messages of whose header notmuch misses a part: GMime reads padded words of base64 that stand side by side only as
    far as the first of them."""
    found = set()
    for root, _, names in os.walk(ana.data("mail")):
        for name in names if root.endswith("/cur") else ():
            with open(os.path.join(root, name), "rb") as file:
                head = file.read().split(b"\n\n")[0]
            if re.search(rb"=\?=\s+=\?", head):
                found.add(re.search(rb"^Message-ID: <(.*)>", head, re.M).group(1).decode())
    return found


def notmuch(query):
    done = ana.run("--config=" + ana.data("mail", ".notmuch", "config"), "search", "--output=messages", "--exclude=false",
                   "--format=text", query, program="/usr/bin/notmuch")
    if done.code:
        raise AssertionError("notmuch: %s: %s" % (query, done.errors))
    return {line[3:] for line in done.text.splitlines()}


def ours(query):
    return {row["message_id"] for row in ana.ok("search", "--json", "--limit", "0", "--everything", "--", query).json}


@test("mail in three folders, and notmuch's index of it")
def begin():
    lab_fill.fill(world.spec, "ana", 700, kind="small")
    lab_fill.fill(world.spec, "ana", 150, folder="Lists", seed=2, kind="small")
    world.deliver("ana", *[own_mail(row) for row in OWN])
    ana.ok("sync", timeout=300)
    rows = ana.json("list", "--limit", "0")
    equal(len(rows), 708)
    for number, row in enumerate(rows):
        row["number"] = number
    ids = [str(row["id"]) for row in rows]
    ana.ok("mark", *ids[:40:3], "+work")
    ana.ok("mark", *ids[1:60:7], "+later", "+work")
    ana.ok("mark", *ids[2:90:11], "+flagged", "-unread")
    ana.ok("archive", *ids[100:140])
    wait_for(lambda: not ana.processes(), 60, "the end of the engine that the commands started")
    engine = ana.start("sync", "--watch")
    at_end(engine.wait)
    at_end(engine.terminate)
    wait_for(lambda: os.path.exists(ana.data("mail", ".notmuch", "config")), 60, "notmuch's index")

    def whole():
        return len(notmuch("*")) == 858 and len(notmuch("tag:later")) == 9 and len(notmuch("path:ana/Archive/**")) == 40
    wait_for(whole, 120, "all mail in notmuch's index")


def cap(word):
    """With a capital letter notmuch does not reduce a word to its stem."""
    return word[0].upper() + word[1:]


def shared_queries():
    dice = random.Random(4)
    seldom, some, often, begin_unlike = words_of_corpus()
    picked = dice.sample(seldom, min(12, len(seldom))) + dice.sample(some, 12) + dice.sample(often, 16)
    yield from (cap(word) for word in picked)
    yield from ('"%s"' % word for word in picked[::3])
    yield from ("subject:%s" % cap(word) for word in dice.sample(often + some, 14))
    yield from ("body:%s" % cap(word) for word in dice.sample(often + some, 8))
    for _ in range(12):
        a, b, c = (cap(word) for word in dice.sample(often, 3))
        yield "%s %s" % (a, b)
        yield "%s or %s" % (a, b)
        yield "%s and not %s" % (a, b)
        yield "(%s or %s) %s" % (a, b, c)
        yield "%s xor %s" % (a, b)
        yield "not %s" % a
        yield "subject:%s and (body:%s or body:%s)" % (a, b, c)
    begin = [word for word in often + some if not {word[:3], word[:4]} & begin_unlike and not word.startswith(("adj", "near"))]
    for word in dice.sample(begin, 14):
        yield "%s*" % word[:3]
        yield "subject:%s*" % word[:4]
    rows = ana.json("list", "--limit", "700")
    for row in dice.sample(rows, 12):
        address = row["from"]["address"]
        yield "from:" + address
        yield "from:" + address.split("@")[0]
        yield "from:" + address.split("@")[1]
        yield "id:" + row["message_id"]
        yield "to:lab.test and from:" + address
        yield "thread:{id:%s}" % row["message_id"]
    for row in dice.sample([row for row in rows if row["subject"].isascii() and len(row["subject"].split()) > 2], 14):
        two = re.findall(r"[A-Za-z]+", row["subject"])[:2]
        yield 'subject:"%s"' % " ".join(two)
        yield '"%s"' % " ".join(two)
        yield "subject:/%s.*%s/" % tuple(two)
    yield from ("from:/^[a-m]/", "from:/example.org/", "subject:/^re:/", "subject:/\\[PATCH\\]/", "mid:/own\\.test$/", "mid:/^one@/",
                "tag:/^wor/", "folder:/Lists/", "path:/^ana\\/Archive/")
    yield from ("tag:unread", "is:unread", "tag:flagged", "tag:work", "tag:later", "tag:work and tag:later", "tag:work tag:later",
                "not tag:unread", "tag:replied", "tag:inbox", "tag:attachment", "tag:work and not tag:unread", "tag:passed",
                "tag:nothing", "is:flagged or is:replied", "tag:work xor tag:later")
    yield from ("folder:ana/INBOX", "folder:ana/Lists", "folder:ana/Archive", "path:ana/INBOX/cur", "path:ana/Lists/**", "path:ana/**",
                "path:nothing/**", "folder:ana/INBOX folder:ana/Lists", "folder:ana/Lists and tag:unread")
    yield from ("attachment:pdf", "attachment:itinerary.pdf", "attachment:contract", "attachment:gz", "attachment:notes.txt",
                "mimetype:application/pdf", "mimetype:image/png", "mimetype:text/html", "mimetype:application", "mimetype:image",
                "mimetype:text/plain and tag:attachment")
    yield from ("date:2022..2023", "date:2022", "date:2026-11", "date:2026-11-02", "date:..2021-06", "date:2026-01..",
                "date:2026-06-30..2026-07-01", "date:@1782000000..@1790000000", "date:20260701..20260711", "date:2026-11-02..!",
                "date:2026-07", "date:january_2023..march_2023", "date:1_july_2026", "date:11-07-2026", "date:11_july_2026",
                "date:jul-2026", "date:2026-11-02_08:00..2026-11-02_09:00", "date:yesterday", "date:100y..", "date:3000d..",
                "date:..2w", "date:last_year", "date:this_month..", "date:monday..", "date:200M..10M", "date:2y3M..",
                "date:2023-02..2023-03 and tag:unread", "date:2024 and subject:Re")
    yield from ("Lisbon", "flights*", "\"Flights to Lisbon\"", "subject:\"flights to lisbon\"", "from:marta", "from:\"Marta Ruiz\"",
                "from:marta.ruiz@mail.example.org", "from:mail.example.org", "from:ruiz", "to:carol", "to:carol@lab.test", "to:\"Marta Ruiz\"",
                "to:dev+list@lab.test", "from:host-7.build.example", "2.10.4", "foo_bar", "\"foo_bar\"", "2.10.*", "foo_bar-2.10.4.tar.gz",
                "AT&T", "O'Brien", "build.example", "\"gate 7\"", "Lisbon or Café", "thread:{from:marta}", "thread:{from:marta} and from:ben",
                "ŁÓDŹ", "Grün", "from:Zoë", "Straße", "ΑΘΗΝΑ", "schöner", "id:one@own.test or id:two@own.test", "id:no@such.test", "*",
                "from:ben to:marta", "subject:Lisbon from:ben", "from:marta from:zoe", "subject:(Lisbon Flights)", 
                "-Lisbon from:marta", "from:marta -River", "(from:marta or from:ben) and not (Boat or Hotel)", "+Lisbon +Flights")
    yield from ("alpha NEAR beta", "alpha NEAR/3 beta", "alpha NEAR/4 beta", "alpha NEAR/2 beta", "beta NEAR/2 alpha", "alpha ADJ/2 beta",
                "beta ADJ/2 alpha", "alpha ADJ/4 beta", "alpha ADJ beta", "beta ADJ alpha", "alpha NEAR/10 gamma", "alpha NEAR/13 gamma",
                "alpha NEAR/14 gamma", "alpha NEAR beta NEAR gamma", "alpha ADJ/20 beta ADJ/20 gamma", "beta NEAR/2 two", "gate NEAR/3 pier",
                "boat NEAR pier", "boat ADJ pier", "pier ADJ boat", "river NEAR/2 boat and from:ben", "alpha NEAR/3 nosuchword")


# Query: why notmuch finds something else.
CASE = "a pattern without a capital letter finds both cases, as mutt's do; notmuch's tells them apart"
ACCENT = "accents are folded: zoe finds Zoë, and Zoë zoe"
STEM = "notmuch reduces words to their English stem (flights finds flight); here it is flight*"
CJK = "text without spaces is found by any two characters side by side; Xapian takes a run of it for one word"
DIFFERENT = {
    "from:/^[a-m]/": CASE, "subject:/^re:/": CASE,
    "from:Zoë": ACCENT, "Cafe": ACCENT,
    "flight": STEM, "body:flies": STEM, "部屋": CJK,
    "bar": "an underscore ends a word, so that the parts of foo_bar are found",
    "2.10.*": "a word with dots may go on, too", "O'Brien": "an apostrophe ends a word: O'Brien is found in O'Brien's",
}


@test("the answers are the same for every query of the language that both speak, but where it says why not")
def agree():
    queries = list(dict.fromkeys([*shared_queries(), *DIFFERENT]))
    broken, found, spoilt = [], 0, lost()
    for query in queries:
        a, b = ours(query) - spoilt, notmuch(query) - spoilt
        found += bool(a)
        if (a != b) != (query in DIFFERENT):
            broken.append("%s: only ours %s, only notmuch's %s (of %d, %d)" % (
                query, sorted(a - b)[:4], sorted(b - a)[:4], len(a), len(b)))
    note("%d queries, %d of them find something, %d differ for a reason" % (len(queries), found, len(DIFFERENT)))
    assert found > 250, found
    equal(broken, [])


if __name__ == "__main__":
    main()
