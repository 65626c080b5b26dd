#!/usr/bin/env python3
"""Rules: new mail is filed as it comes, on the server too; by hand; taken back; forwarded."""

import email.utils
import subprocess

from harness import *

world = keep(World(count=2))
ana, ben = keep(world.home("ana")), keep(world.home("ben"))
RULES = """
[rule dev]
when = subject:patch
then = move Archive; tag +dev; stop

[rule lunch]
when = from:eve subject:lunch
then = flag; read; forward ben@lab.test

[rule lost]
when = subject:lost
then = move Nowhere
"""
plain = open(ana.config_file()).read()


def mail(number, sender, subject):
    return ("From: %s <%s@elsewhere.test>\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <%d@elsewhere.test>\r\n"
            "Date: %s\r\n\r\nword%d\r\n" % (sender.title(), sender, subject, number, email.utils.formatdate(), number)).encode()


def there(user, folder):
    with world.oracle(user) as server:
        return {m.message_id.strip("<>"): m for m in server.messages(folder)}


def row(home, number):
    found = home.json("search", "id:%d@elsewhere.test" % number)
    return found[0] if found else None


@test("mail that was here before is left alone; what a rule would do can be seen")
def before():
    world.deliver("ana", mail(1, "carl", "old patch"))
    ana.ok("sync")
    ana.configure(plain + RULES)
    equal([r["name"] for r in ana.json("rules")], ["dev", "lunch", "lost"])
    ana.ok("sync")
    contains(there("ana", "INBOX"), "1@elsewhere.test")
    tried = ana.json("rules", "try", "subject:patch", "move Archive")
    equal(tried[0]["messages"], 1)
    equal(ana.json("rules", "run", "--dry-run")[0]["messages"], 1)
    equal([r["name"] for r in ana.json("rules", "test", str(row(ana, 1)["id"]))], ["dev"])
    contains(there("ana", "INBOX"), "1@elsewhere.test")


@test("new mail is filed when it comes, here and on the server")
def arrives():
    world.deliver("ana", mail(2, "carl", "a patch"), mail(3, "eve", "lunch?"), mail(4, "eve", "dinner"))
    ana.ok("sync")
    wait_for(lambda: "2@elsewhere.test" in there("ana", "Archive"), what="the patch in Archive")
    equal(row(ana, 2)["folder"], "Archive")
    contains(row(ana, 2)["tags"], "dev")
    wait_for(lambda: "\\Flagged" in there("ana", "INBOX")["3@elsewhere.test"].flags, what="the flag on the server")
    contains(there("ana", "INBOX")["3@elsewhere.test"].flags, "\\Seen")
    contains(there("ana", "Archive")["2@elsewhere.test"].flags, "dev")
    equal("\\Flagged" in there("ana", "INBOX")["4@elsewhere.test"].flags, False)
    equal([f["action"] for f in ana.json("rules", "log", str(row(ana, 2)["id"]))], ["move Archive; tag +dev; stop"])


@test("a forwarded message reaches the other person, once, as it was written")
def forwarded():
    wait_for(lambda: "3@elsewhere.test" in there("ben", "INBOX"), 30, what="the forwarded mail")
    ana.ok("sync")
    ana.ok("sync")
    equal(len([i for i in ana.json("queue", "list", "--all") if i["to"] == ["ben@lab.test"]]), 1)
    ben.ok("sync")
    shown = ben.ok("show", "--headers", "id:3@elsewhere.test").text
    contains(shown, "Resent-From: ")
    contains(shown, "From: Eve <eve@elsewhere.test>")


@test("a folder that is not there: said, and the message stays")
def lost():
    world.deliver("ana", mail(5, "eve", "lost"))
    ana.ok("sync")
    wait_for(lambda: row(ana, 5) and ana.json("rules", "log", str(row(ana, 5)["id"])), what="the filing")
    contains(ana.json("rules", "log", str(row(ana, 5)["id"]))[0]["error"], "Nowhere")
    contains(there("ana", "INBOX"), "5@elsewhere.test")


@test("an engine that runs files at once, and the server has it within seconds")
def at_once():
    ana.stop()
    engine = ana.start("sync", "--watch", stderr=subprocess.DEVNULL)
    try:
        world.deliver("ana", mail(30, "carl", "patch now"), mail(31, "eve", "lunch now"))
        wait_for(lambda: "30@elsewhere.test" in there("ana", "Archive"), 20, what="the patch in Archive")
        wait_for(lambda: "\\Flagged" in there("ana", "INBOX")["31@elsewhere.test"].flags, 20, what="the flag on the server")
    finally:
        engine.terminate()
        engine.wait(20)


@test("by hand over all of INBOX, and taken back as a whole")
def by_hand():
    equal(ana.json("rules", "run", "dev")[0]["messages"], 1)
    ana.ok("sync")
    contains(there("ana", "Archive"), "1@elsewhere.test")
    contains(ana.ok("undo").text, "the rule dev")
    ana.ok("sync")
    contains(there("ana", "INBOX"), "1@elsewhere.test")
    equal("dev" in row(ana, 1)["tags"], False)


@test("what a blocked sender sends goes to Junk; an allowed address within the domain does not")
def blocked():
    ana.ok("block", "@spam.test", "list:noise.test")
    ana.ok("allow", "Good <good@spam.test>")
    equal(sorted(e["sender"] for e in ana.json("block")), ["@spam.test", "list:noise.test"])
    letters = [mail(20 + n, "x", "offer %d" % n).replace(b"x@elsewhere.test>\r\nTo", sender + b">\r\nTo")
               for n, sender in enumerate([b"a@SPAM.test", b"b@mail.spam.test", b"good@spam.test", b"c@nospam.test"])]
    letters.append(mail(24, "y", "offer").replace(b"Subject:", b"List-Id: Noise <noise.test>\r\nSubject:"))
    world.deliver("ana", *letters)
    ana.ok("sync")
    junk = {"%d@elsewhere.test" % n for n in (20, 21, 24)}
    wait_for(lambda: junk <= set(there("ana", "Junk")), what="three in Junk")
    equal(junk & set(there("ana", "INBOX")), set())
    contains(there("ana", "INBOX"), "22@elsewhere.test")
    contains(there("ana", "INBOX"), "23@elsewhere.test")
    ana.ok("block", "--remove", "@spam.test")
    equal([e["sender"] for e in ana.json("block")], ["list:noise.test"])
    contains(ana.fails(65, "block", "nobody here").errors, "@example.org")


@test("mistakes name the file, the line and what is allowed")
def mistakes():
    ana.configure(plain + "[rule a]\nwhen = from:x\nthen = mvoe Lists\n")
    line = plain.count("\n") + 3
    errors = ana.fails(78, "rules").errors
    contains(errors, "config:%d: [rule a] then" % line)
    contains(errors, "move FOLDER")
    contains(ana.fails(65, "rules", "try", "from:(", "read").errors, "when: ")
    ana.configure(plain + RULES)
    contains(ana.fails(64, "rules", "run", "devv").errors, "devv")
    ana.fails(64, "rules", "dance")


if __name__ == "__main__":
    main()
