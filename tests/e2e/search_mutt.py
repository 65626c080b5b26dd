#!/usr/bin/env python3
"""What mutt's patterns find at our limit prompt is what they find at mutt's, on the same Maildir; where they differ, the
difference is listed here with its reason."""

import os
import re
import shutil

from harness import *

import fill as lab_fill         # noqa: E402

world = keep(World(count=1))
ana = keep(world.home("ana", general=["notmuch = off"]))

OWN = [
    "From: Marta Ruiz <marta@mail.example>\nTo: ana@lab.test\nCc: Ben Okafor <ben@lab.test>\nSubject: Flights to Lisbon\n"
    "Date: Mon, 02 Nov 2026 09:40:00 +0000\nMessage-ID: <one@own.test>\n\nThe plane leaves at noon. Gate seven.\n",
    "From: Ben Okafor <ben@lab.test>\nTo: Marta Ruiz <marta@mail.example>, ana@lab.test\nSubject: Re: Flights to Lisbon\n"
    "Date: Mon, 02 Nov 2026 23:30:00 +0000\nMessage-ID: <two@own.test>\nIn-Reply-To: <one@own.test>\n"
    "References: <one@own.test>\n\nNo gate, a pier.\n",
    "From: ana@lab.test\nTo: ben@lab.test\nSubject: (no) boat [at] all\nDate: Tue, 03 Nov 2026 12:00:00 +0000\n"
    "Message-ID: <three@own.test>\nReferences: <one@own.test> <two@own.test>\nIn-Reply-To: <two@own.test>\n"
    "Sender: robot@lab.test\n\nMeet at the pier at nine.\n",
    "From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.org>\nTo: ana@lab.test\nSubject: =?utf-8?Q?Caf=C3=A9_de_Flore?=\n"
    "Date: Sun, 01 Mar 2026 00:00:00 +0000\nMessage-ID: <four@own.test>\nX-Spam: no\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=utf-8\n\nnothing more\n",
    "From: lists@example.org\nTo: news@lists.example\nSubject: weekly NEWS\nDate: Wed, 01 Jul 2026 00:00:00 +0000\n"
    "Message-ID: <five@own.test>\nList-Id: <news.lists.example>\n\n" + "a long line of news\n" * 900,
]

PATTERNS = [
    "~A", "~N", "~U", "~R", "~F", "~Q", "!~N", "!~F ~Q", "~F | ~Q", "~D",
    "~f marta", "~f Marta", "~f ^marta", "~f 'ruiz'", "~f @lab.test", "~f example\\.org", "~f '^(ben|marta)'", "=f ana@lab.test",
    "~t ana@lab.test", "~t marta", "~c ben", "~C ben", "~C lab.test", "~L marta", "~L ben@lab.test", "~e robot",
    "~s lisbon", "~s Lisbon", "~s '^Re: '", "~s ^re:", "~s '\\(no\\)'", "=s '(no) boat'", "=s [at]", "~s 'news$'", "~s 1[0-9]",
    "~s flights ~f ben", "~s flights !~f ben", "~f marta | ~f ben", "(~f marta | ~f ben) ~s re", "!(~f marta | ~f ben) ~s flights",
    "~i own.test", "~i one@.*test", "~i '^one@'", "~x one@own.test", "~x '^two@'", "!~x .",
    "~d 01/11/2026-30/11/2026", "~d 2/11/2026", "~d 1/1/2026-", "~d -1/1/2022", "~d 1/3/2026", "~d 1/1/2023-31/12/2023 ~N",
    "~d >100d", "~d <30000d", "~d 02/11/2026*1d", "~r 1/1/2022-31/12/2022",
    "~z >10K", "~z <1K", "~z 1K-4K", "~z -2K", "~z 100-700",
    "~b pier", "~b 'gate seven'", "~B marta", "~h ^x-spam:", "~h 'list-id: '",
    "~s 'no. boat'", "~(~s '^.no. boat')", "~(~f marta) ~N", "~<(~f marta)", "~>(~f ben)", "~p", "~P", "~s boat ~P",
    "lisbon", "Marta",
]

# Pattern: why mutt finds something else.
SIZE = "mutt counts the bytes of the body alone; here, as in the list, it is the message"
DIFFERENT = {
    "~z >10K": SIZE, "~z <1K": SIZE, "~z 1K-4K": SIZE, "~z -2K": SIZE, "~z 100-700": SIZE,
    "~i '^one@'": "mutt's Message-IDs have their angle brackets", "~x '^two@'": "likewise",
    "~h ^x-spam:": "of the header only people, subject, references, lists and ids are kept",
    "~s 'no. boat'": "a dot without another sign of a pattern is a dot: ~f example.org",
}


@test("the mail, and mutt on a copy of its Maildir")
def begin():
    lab_fill.fill(world.spec, "ana", 300, kind="small")
    world.deliver("ana", *[text.encode() for text in OWN])
    ana.ok("sync", timeout=300)
    equal(len(ana.json("list", "--limit", "0")), 305)


def ask_mutt():
    """What each pattern tags is copied into a mailbox of its own."""
    out = ana.path("found")
    os.mkdir(out)
    copy = ana.path("copy")
    shutil.copytree(ana.data("mail", "ana", "INBOX"), copy)
    rc = ana.write("muttrc", "\n".join([
        "set folder=%s mbox_type=mbox copy=yes confirmappend=no confirmcreate=no quit=yes mark_old=no" % out,
        "set sort=date use_threads=yes sleep_time=0 wait_key=no thorough_search=yes charset=utf-8 mail_check=3600",
        "set from=ana@lab.test header_cache='' read_inc=0 write_inc=0", "alternates ^ana@lab\\\\.test$",
        "lists news@lists.example", 'set simple_search="~f %s | ~s %s"', ""]))
    return {pattern: ask_for(pattern, rc, copy, os.path.join(out, str(number))) for number, pattern in enumerate(PATTERNS)}


def ask_for(pattern, rc, folder, found):
    keys = "<tag-pattern>%s<enter><tag-prefix-cond><copy-message>%s<enter><end-cond><exit>" % (pattern, found)
    push = 'push "%s"' % re.sub(r'([\\"^])', r"\\\1", keys)     # ^x is a control character there
    with Pty(ana, "-n", "-F", rc, "-R", "-f", folder, "-e", push, width=100, height=30, program="/usr/bin/neomutt") as screen:
        screen.read_to_end(20)
    if not os.path.exists(found):
        return set()
    with open(found, "rb") as file:
        return set(re.findall(r"^Message-ID: <(.*)>", file.read().decode("latin-1"), re.M | re.I))


def ours(pattern):
    return {row["message_id"] for row in ana.json("list", "INBOX", "--limit", "0", "--only", pattern)}


@test("every pattern finds the same")
def agree():
    theirs = ask_mutt()
    broken, some = [], 0
    for pattern in PATTERNS:
        a, b = ours(pattern), theirs[pattern]
        some += bool(a)
        if (a != b) != (pattern in DIFFERENT):
            broken.append("%s: only ours %s, only mutt's %s (of %d, %d)" % (
                pattern, sorted(a - b)[:4], sorted(b - a)[:4], len(a), len(b)))
    note("%d patterns, %d of them find something" % (len(PATTERNS), some))
    equal(broken, [])


if __name__ == "__main__":
    main()
