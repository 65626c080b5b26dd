#!/usr/bin/env python3
"""Other programs on our mail: mutt on the Maildir, notmuch on the index; what they do reaches the server, and the reverse."""

import os
import shutil
import subprocess

from harness import *

world = keep(World(count=1))
ana, phone = keep(world.home("ana")), keep(world.home("ana"))


def mail(number):
    return ("From: Ben <ben@lab.test>\r\nTo: ana@lab.test\r\nSubject: letter %d\r\nMessage-ID: <%d@lab.test>\r\n"
            "Date: Thu, 12 Nov 2026 10:%02d:00 +0000\r\n\r\nword%d\r\n" % (number, number, number, number)).encode()


def row(home, number):
    return next(r for r in home.json("list", "--limit", "0") if r["message_id"] == "%d@lab.test" % number)


def maildir(home, role=1):
    return home.data("mail", home.database("SELECT dir FROM folder WHERE role = ?", role)[0][0])


def mutt(home, *pushed):
    """Opens INBOX in mutt, types, saves and leaves."""
    if not shutil.which("mutt"):
        raise Skip("mutt is not installed")
    rc = home.write("muttrc", "set mbox_type=Maildir\nset folder='%s'\nset sort=date-sent\nset quit=yes\nset delete=yes\n"
                              "set move=no\nset mark_old=no\nset wait_key=no\n" % home.path())
    with Pty(home, "-n", "-F", rc, "-f", maildir(home), "-e", "push '%s'" % "".join(pushed), program=shutil.which("mutt")) as pty:
        equal(pty.read_to_end(60), 0, pty.output[-800:])


@test("mutt flags, marks read and deletes; the server and the other device have it")
def by_mutt():
    world.deliver("ana", *[mail(n) for n in range(1, 7)])
    ana.ok("sync")
    phone.ok("sync")
    ana.stop()
    mutt(ana, "<first-entry><flag-message><first-entry><next-entry><set-flag>r",
         "<last-entry><delete-message><sync-mailbox><quit>")
    ana.ok("sync")
    with world.oracle("ana") as server:
        found = {m.message_id.strip("<>"): m for m in server.messages("INBOX")}
    contains(found["1@lab.test"].flags, "\\Flagged")
    contains(found["2@lab.test"].flags, "\\Answered")
    equal("6@lab.test" in found and "\\Deleted" not in found["6@lab.test"].flags, False, "the deleted one is gone from INBOX")
    phone.ok("sync")
    contains(row(phone, 1)["flags"], "flagged")


@test("our change is in the Maildir for mutt: the file names carry the flags")
def for_mutt():
    ana.ok("mark", str(row(ana, 3)["id"]), "+flagged", "-unread")
    ana.ok("sync")
    wait_for(lambda: [n for n in os.listdir(os.path.join(maildir(ana), "cur")) if n.endswith(":2,FS")], what="a file with FS")


def notmuch(*words):
    if not shutil.which("notmuch"):
        raise Skip("notmuch is not installed")
    config = ana.write("notmuch-config", "[database]\npath=%s\n" % ana.data("mail"))
    done = subprocess.run(["notmuch", *words], env=dict(ana.env, NOTMUCH_CONFIG=config), capture_output=True, timeout=60)
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    return done.stdout.decode()


@test("notmuch search finds mail in the index that we keep, with our flags as its tags")
def notmuch_finds():
    def indexed():
        ana.ok("sync")
        try:
            return "id:4@lab.test" in notmuch("search", "--output=messages", "word4")
        except AssertionError:
            return False
    wait_for(indexed, 60, "the index")
    wait_for(lambda: "id:3@lab.test" in notmuch("search", "--output=messages", "tag:flagged"), 60, "flags as tags")
    contains(notmuch("search", "--output=messages", "tag:unread"), "id:4@lab.test")
    equal([r["message_id"] for r in ana.json("search", "--notmuch", "word5")], ["5@lab.test"])


@test("notmuch tag reaches the server as a keyword, and the other device as a tag")
def notmuch_tags():
    notmuch("tag", "+fromnotmuch", "-unread", "id:4@lab.test")

    def arrived():
        ana.ok("sync")
        with world.oracle("ana") as server:
            got = {m.message_id.strip("<>"): m.flags for m in server.messages("INBOX")}["4@lab.test"]
        return "fromnotmuch" in got and "\\Seen" in got
    wait_for(arrived, 60, "the keyword")
    phone.ok("sync")
    contains(row(phone, 4)["tags"], "fromnotmuch")


@test("a tag of the other device arrives in notmuch")
def tag_to_notmuch():
    phone.ok("mark", str(row(phone, 5)["id"]), "+fromphone")
    phone.ok("sync")

    def there():
        ana.ok("sync")
        return "id:5@lab.test" in notmuch("search", "--output=messages", "tag:fromphone")
    wait_for(there, 60, "the tag in notmuch")


if __name__ == "__main__":
    main()
