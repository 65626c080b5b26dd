#!/usr/bin/env python3
"""postrider import: mail of files, Maildirs and mboxes, and what mbsync, msmtp and mutt were told."""

import os

from harness import *

world = keep(World(count=1))
ana = keep(world.home("ana"))

MBOX = """From ana@example.org Thu Nov 12 10:42:01 2026
From: Ben <ben@example.org>
Subject: first of the mbox
Status: RO
X-Status: F
Date: Thu, 12 Nov 2026 10:42:00 +0000
Message-ID: <first@mbox>

>From here on
>>From quoted

From ana@example.org Thu Nov 12 10:43:01 2026
From: Ben <ben@example.org>
Subject: second of the mbox
Date: Thu, 12 Nov 2026 10:43:00 +0000
Message-ID: <second@mbox>

two

"""


def letter(name, eol="\n"):
    return eol.join(("From: Carol <carol@example.net>", "To: ana@lab.test", "Subject: %s" % name,
                     "Date: Wed, 11 Nov 2026 08:00:00 -0330", "Message-ID: <%s@file>" % name, "", "text of %s" % name, ""))


def files(folder):
    return {os.path.join(top, name): (os.stat(os.path.join(top, name)).st_mtime_ns, open(os.path.join(top, name), "rb").read())
            for top, _, names in os.walk(folder) for name in names}


mbox = ana.write("old/mbox", MBOX)
maildir = ana.path("old", "maildir")
for folder in ("new", "tmp"):
    os.makedirs(os.path.join(maildir, folder))
ana.write("old/maildir/cur/1.one:2,RS", letter("answered", "\r\n"))
ana.write("old/maildir/cur/2.two:2,", letter("unread"))
ana.write("old/maildir/cur/3.three:2,S", "no mail at all\n")
ana.write("old/maildir/tmp/4.four", letter("half-delivered"))
single = ana.write("old/single.eml", letter("single"))


@test("mbox, Maildir and a file: flags, days and bytes as they were; the sources stay")
def mail():
    before = files(ana.path("old"))
    sums, = ana.json("import", mbox, maildir, single)
    equal(sums, {"folder": "Imported", "imported": 5, "present": 0, "passed_over": 1})
    equal(files(ana.path("old")), before)
    rows = {row["message_id"]: row for row in ana.json("list", "Imported")}
    equal({name: sorted(row["flags"]) for name, row in rows.items()},
          {"first@mbox": ["flagged", "seen"], "second@mbox": [], "answered@file": ["answered", "seen"], "unread@file": [],
           "single@file": []})
    equal(rows["single@file"]["date"], "2026-11-11T08:00:00-03:30")
    equal(ana.ok("show", "id:first@mbox", "--raw").text.split("\n\n", 1)[1], "From here on\n>From quoted\n")
    equal([row["message_id"] for row in ana.json("search", "carol subject:answered")], ["answered@file"])


@test("it goes to the server, flags and day of arrival too")
def server():
    ana.ok("sync")
    with world.oracle("ana") as oracle:
        there = oracle.by_id("Imported")
        equal(len(there), 5)
        equal(sorted(oracle.uids("Imported", "SEEN")), sorted(oracle.uids("Imported", "SINCE 11-Nov-2026 BEFORE 13-Nov-2026 SEEN")))
        equal(len(oracle.uids("Imported", "SINCE 11-Nov-2026 BEFORE 13-Nov-2026")), 5)
        equal(len(oracle.uids("Imported", "FLAGGED")), 1)


@test("again: what is there already is left out; another folder takes it")
def again():
    equal(ana.json("import", mbox, maildir, single)[0]["present"], 5)
    equal(ana.json("import", "--into", "Archive", single)[0], {"folder": "Archive", "imported": 1, "present": 0, "passed_over": 0})
    equal(len(ana.json("list", "Imported")), 5)
    equal(ana.json("undo")[0]["text"], "import 1 message into Archive")
    equal(ana.json("list", "Archive"), [])


@test("killed in the middle and run again: each message once")
def killed():
    many = ana.path("many")
    for n in range(100):
        ana.write("many/%03d.eml" % n, letter("many-%d" % n))
    for step in ("maildir.rename", "store.commit", "store.begin"):
        result = ana.run("import", "--into", "Many", many, env={"POSTRIDER_FAIL": "%s@2:kill" % step})
        equal(result.code, -9, step)
    ana.ok("import", "--into", "Many", many)
    ana.ok("sync")
    equal(sorted(row["message_id"] for row in ana.json("list", "Many", "--limit", "0")),
          sorted("many-%d@file" % n for n in range(100)))
    with world.oracle("ana") as oracle:
        equal(len(oracle.uids("Many")), 100)


@test("mistakes: a path that is not there, no path but a folder, no account")
def mistakes():
    contains(ana.fails(66, "import", "/nonexistent").errors, "/nonexistent")
    ana.fails(64, "import", "--into", "X")
    ana.fails(64, "import", "--write", mbox)
    bare = keep(Home())
    contains(bare.fails(78, "import", mbox).errors, "postrider setup")
    contains(bare.fails(66, "import").errors, "postrider setup")


@test("mbsync, msmtp and mutt: their accounts become ours, their passwords do not")
def foreign():
    person = keep(Home())
    person.write(".mbsyncrc", """# two accounts
IMAPAccount work
Host imap.example.org
User ana@example.org
PassCmd "pass show mail/work"
SSLType IMAPS

IMAPStore work-remote
Account work

MaildirStore local
Path ~/Mail/

IMAPAccount home
Host mail.example.net
User ana
Pass hunter2
""")
    person.write(".msmtprc", """defaults
tls on
tls_trust_file /etc/ssl/certs/ca-certificates.crt

account work
host smtp.example.org
port 465
tls_starttls off
from ana@example.org
user ana@example.org
passwordeval "pass show mail/work"

account home
host smtp.example.net
port 587
from ana@example.net
user ana
password hunter2

account default : work
""")
    person.write(".muttrc", "set realname = 'Ana Ruiz'\nset from=ana@example.org\nset folder=\"imaps://ana:hunter2@imap.example.org/\"\n")
    found = person.json("import")
    equal(found, [
        {"account": "work", "address": "Ana Ruiz <ana@example.org>", "incoming": "imaps://ana%40example.org@imap.example.org",
         "outgoing": "smtps://ana%40example.org@smtp.example.org:465", "password": "command pass show mail/work"},
        {"account": "home", "address": "ana@example.net", "incoming": "imap://ana@mail.example.net",
         "outgoing": "smtp://ana@smtp.example.net:587", "password": "ask"}])
    equal(os.path.exists(person.config_file()), False)
    person.ok("import", "--write")
    told = person.run("doctor", "--offline").text
    contains(told, "work: ana@example.org, in imaps://ana%40example.org@imap.example.org")
    contains(told, "home: ana@example.net")
    with open(person.config_file()) as lines:
        text = lines.read()
    equal("hunter2" in text, False)
    contains(person.ok("import", "--write").errors, "work is in the configuration already")
    with open(person.config_file()) as lines:
        equal(lines.read(), text)
    equal(os.stat(person.config_file()).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    main()
