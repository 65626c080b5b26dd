#!/usr/bin/env python3
"""incoming = maildir:PATH: the user's own Maildirs as an account, where they
lie, beside the programs that keep them."""

import mailbox
import os
import re
import shutil
import signal
import subprocess
import time

from harness import *

CONFIG = """\
[general]
check = no
notmuch = off

[account home]
address = Ana <ana@lab.test>
incoming = maildir:%s
"""

MAIL = """From: %s <%s@lab.test>
To: Ana <ana@lab.test>
Subject: %s
Message-ID: <%s@lab.test>
Date: %s

%s
"""


def mail(subject, sender="ben", text="Hello", date="Mon, 2 Nov 2026 10:00:00 +0000"):
    return (MAIL % (sender.title(), sender, subject, subject.replace(" ", "."), date, text)).encode()


def maildir(*parts):
    path = os.path.join(*parts)
    for part in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(path, part))
    return path


COUNT = iter(range(1000000))


def put(folder, text, name=None, where="cur", flags=""):
    """A file as another program leaves it; its name."""
    unique = name or "17%08d.M%dP1.elsewhere,U=%d" % (next(COUNT), next(COUNT), next(COUNT))
    file = unique + (":2," + flags if where == "cur" else "")
    temporary = os.path.join(folder, "tmp", unique)
    with open(temporary, "wb") as out:
        out.write(text)
    os.rename(temporary, os.path.join(folder, where, file))
    return file


def home_with(path):
    home = keep(Home())
    home.configure(CONFIG % path)
    return home


def subjects(home, *args):
    return sorted(row["subject"] for row in home.json("list", *args, "--limit", "0"))


def names(folder, part="cur"):
    return sorted(os.listdir(os.path.join(folder, part)))


flat = temporary()
os.rmdir(flat)
maildir(flat)
for name in (".Sent Items", ".Lists", ".Lists.dev", ".Entw&APw-rfe"):
    maildir(flat, name)
ana = home_with(flat)


@test("a Maildir++ is an account: its folders, their names and duties, their mail where it lies")
def flat_tree():
    put(flat, mail("read before"), flags="S")
    put(flat, mail("unread"), where="new")
    put(os.path.join(flat, ".Lists.dev"), mail("a patch"), flags="FS")
    put(os.path.join(flat, ".Sent Items"), mail("what I wrote", "ana"), flags="S")
    before = {part: names(flat, part) for part in ("cur", "new")}
    ana.ok("sync")
    folders = {row["name"]: row for row in ana.json("folders")}
    equal({name: row["role"] for name, row in folders.items()},
          {"INBOX": "inbox", "Sent Items": "sent", "Lists": None, "Lists/dev": None, "Entwürfe": "drafts",
           "Junk": "junk", "Trash": "trash", "Archive": "archive"})
    equal((folders["INBOX"]["total"], folders["INBOX"]["unread"]), (2, 1))
    equal(subjects(ana), ["read before", "unread"])
    equal(subjects(ana, "Lists/dev"), ["a patch"])
    equal(ana.json("list", "Lists/dev")[0]["flags"], ["seen", "flagged"])
    equal({part: names(flat, part) for part in ("cur", "new")}, before, "files")
    equal(os.readlink(ana.data("mail", "home")), flat)
    # Nothing is made in it that nobody asked for.
    equal(sorted(os.listdir(flat)), sorted([".Entw&APw-rfe", ".Lists", ".Lists.dev", ".Sent Items", "cur", "new", "tmp"]))
    contains(ana.ok("show", str(ana.json("list", "Lists/dev")[0]["id"])).text, "Hello")


@test("what is done here is in the file names and directories; the unique part of a name stays")
def here():
    ids = {row["subject"]: str(row["id"]) for row in ana.json("list", "--limit", "0")}
    kept = names(flat)[0].split(":2,")[0]
    ana.ok("mark", ids["unread"], "+seen")
    ana.ok("mark", ids["read before"], "+flagged")
    ana.ok("sync")
    equal(names(flat, "new"), [])
    contains(names(flat), kept + ":2,FS")
    equal(len(names(flat)), 2)
    ana.ok("move", ids["unread"], "Lists/dev")
    ana.ok("sync")
    equal((len(names(flat)), len(names(os.path.join(flat, ".Lists.dev")))), (1, 2))
    ana.ok("undo")
    ana.ok("sync")
    equal((len(names(flat)), len(names(os.path.join(flat, ".Lists.dev")))), (2, 1))
    ana.ok("delete", ids["unread"])
    ana.ok("sync")
    equal((len(names(flat)), len(names(os.path.join(flat, ".Trash")))), (1, 1))


@test("folders that are made, renamed and deleted on the screen are directories of the same form")
def folders_here():
    def there(name):
        return os.path.isdir(os.path.join(flat, name, "cur"))

    with Screen(ana, width=120) as screen:
        screen.wait("1 conversation")
        screen.keys("y")
        screen.wait("Lists/dev")
        screen.keys("C")
        screen.wait("New folder")
        screen.type("Räume/oben")
        screen.keys("Enter")
        screen.wait("Räume/oben is made")
        wait_for(lambda: there(".R&AOQ-ume.oben"), what="its directory")
        screen.wait(re.compile(r"Räume/oben +0"))
        screen.keys("End")
        screen.keys("r")
        screen.wait("Rename to: Räume/oben")
        screen.keys("C-u")
        screen.type("Lists/oben")
        screen.keys("Enter")
        screen.wait("renamed to Lists/oben")
        wait_for(lambda: there(".Lists.oben"), what="its directory's new name")
        wait_for(lambda: not there(".R&AOQ-ume.oben"), what="the end of the old one")


@test("what other programs do is here after the next look; nothing of it is for undo")
def elsewhere():
    dev = os.path.join(flat, ".Lists.dev")
    put(flat, mail("delivered"), where="new")
    os.rename(os.path.join(dev, "cur", names(dev)[0]), os.path.join(dev, "cur", names(dev)[0].replace(":2,FS", ":2,RS")))
    maildir(flat, ".Fresh")
    put(os.path.join(flat, ".Fresh"), mail("in a new folder"))
    done = ana.ok("undo", "--list").text if ana.run("undo", "--list").code == 0 else None
    ana.ok("sync")
    contains(subjects(ana), "delivered")
    equal(subjects(ana, "Fresh"), ["in a new folder"])
    equal(ana.json("list", "Lists/dev")[0]["flags"], ["seen", "answered"])
    if done is not None:
        equal(ana.ok("undo", "--list").text, done)
    # mutt deletes: the file goes, and so does the message.
    os.unlink(os.path.join(dev, "cur", names(dev)[0]))
    shutil.rmtree(os.path.join(flat, ".Fresh"))
    ana.ok("sync")
    equal(subjects(ana, "Lists/dev"), [])
    # A directory that went with mail in it holds everything back until that is agreed to.
    contains(subjects(ana, "Fresh"), "in a new folder")
    told = ana.ok("folders").text
    contains(told, os.path.join(flat, ".Fresh") + " has gone")
    contains(told, "let its mail go here, too")
    contains(ana.ok("sync", "--dry-run").text, "look through " + flat)
    ana.ok("sync", "--agree", "Fresh")
    ana.ok("sync")
    equal([row["name"] for row in ana.json("folders") if row["name"] == "Fresh"], [])


@test("a tree that is not mounted takes nothing away")
def unmounted():
    before = subjects(ana)
    os.rename(flat, flat + ".away")
    try:
        failed = ana.run("sync")
        equal(failed.code != 0, True)
        contains(failed.errors, flat)
        equal(subjects(ana), before)
    finally:
        os.rename(flat + ".away", flat)
    ana.ok("sync")
    equal(subjects(ana), before)


@test("a directory of Maildirs, as mbsync keeps it; names on the disk stay as they are")
def nested():
    root = temporary()
    for name in ("Inbox", "Archive", "Archive/2025", "Spam", "odd: name"):
        maildir(root, name)
    os.makedirs(os.path.join(root, ".notmuch", "xapian"))
    put(os.path.join(root, "Inbox"), mail("first"))
    put(os.path.join(root, "Archive/2025"), mail("old"), flags="S")
    ben = home_with(root)
    ben.ok("sync")
    equal({row["name"]: row["role"] for row in ben.json("folders")},
          {"INBOX": "inbox", "Archive": "archive", "Archive/2025": None, "Spam": "junk", "odd: name": None, "Sent": "sent",
           "Drafts": "drafts", "Trash": "trash"})
    equal(subjects(ben), ["first"])
    ben.ok("archive", str(ben.json("list")[0]["id"]))
    ben.ok("sync")
    equal(len(names(os.path.join(root, "Archive"))), 1)
    equal(sorted(name for name in os.listdir(root) if not name.startswith(".")),
          ["Archive", "Inbox", "Spam", "odd: name"])


@test("while the engine runs, mail that another program delivers is on the list at once, and rules see it")
def watched():
    root = temporary()
    maildir(root, "INBOX")
    maildir(root, "Lists")
    carol = keep(Home())
    carol.configure(CONFIG % root + "\n[rule lists]\nwhen = subject:patch\nthen = move Lists\n")
    put(os.path.join(root, "INBOX"), mail("an old patch"))
    engine = carol.start("sync", "--watch", stderr=subprocess.DEVNULL)
    at_end(engine.terminate)
    wait_for(lambda: carol.run("list").code == 0 and subjects(carol) == ["an old patch"], what="the first look")
    put(os.path.join(root, "INBOX"), mail("lunch"), where="new")
    wait_for(lambda: "lunch" in subjects(carol), what="what was delivered")
    put(os.path.join(root, "INBOX"), mail("a new patch"), where="new")
    wait_for(lambda: subjects(carol, "Lists") == ["a new patch"], what="what the rule moves")
    equal(len(names(os.path.join(root, "Lists"))) + len(names(os.path.join(root, "Lists"), "new")), 1)
    contains(subjects(carol), "an old patch")
    engine.send_signal(signal.SIGTERM)
    equal(engine.wait(), 0)


@test("when it was received is when its file was written")
def received():
    root = temporary()
    maildir(root)
    name = put(root, mail("undated", date="nonsense"))
    long_ago = int(time.time()) - 400 * 86400
    os.utime(os.path.join(root, "cur", name), (long_ago, long_ago))
    home = home_with(root)
    home.ok("sync")
    contains(home.json("list")[0]["date"], time.strftime("%Y-%m-%d", time.gmtime(long_ago)))


@test("mutt, Python's mailbox and we agree on the same Maildir")
def peers():
    box = mailbox.Maildir(flat, create=False)
    for key, message in box.iteritems():
        if message["subject"] == "read before":
            message.add_flag("R")
            box[key] = message
    ana.ok("sync")
    equal([row["flags"] for row in ana.json("list") if row["subject"] == "read before"], [["seen", "answered", "flagged"]])
    equal(sorted(message["subject"] for message in mailbox.Maildir(flat)), subjects(ana))
    equal(sorted(mailbox.Maildir(flat).list_folders()),
          sorted(["Sent Items", "Lists", "Lists.dev", "Lists.oben", "Entw&APw-rfe", "Trash"]))


@test("the database can be made anew from it; a path that is wrong is told with the remedy")
def errors():
    before = subjects(ana)
    ana.ok("doctor", "--rebuild")
    ana.ok("sync")
    equal(subjects(ana), before)
    equal(ana.json("list", "Sent Items")[0]["subject"], "what I wrote")
    for path, words in (("/nowhere/at/all", "no directory /nowhere/at/all"), (None, "lies in the mail store")):
        home = keep(Home())
        home.configure(CONFIG % (path or home.data("mail")))
        os.makedirs(home.data("mail"), exist_ok=True)
        failed = home.run("sync")
        equal(failed.code != 0, True)
        contains(failed.errors, words)


if __name__ == "__main__":
    main()
