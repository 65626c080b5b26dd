#!/usr/bin/env python3
"""Sending: the queue, real bounces, refusals, mutt's flags, sendmail, git; what is queued is never lost, never doubled."""

import os
import subprocess

from harness import *  # first: it tells where the lab is
from dialogues import Smtp, reset
from fake import Fake

world = keep(World(count=2, size_limit=200000))
ana, ben = keep(world.home("ana")), keep(world.home("ben"))


def item(home, subject):
    found = [row for row in home.json("queue", "list", "--all") if row["subject"] == subject]
    equal(len(found), 1, "items called %r" % subject)
    return found[0]


def in_folder(user, folder, subject):
    with world.oracle(user) as server:
        return [m for m in server.messages(folder, bodies=True) if (b"Subject: " + subject.encode()) in m.body]


@test("send --now: at Ben's, and once in Sent, when it exits")
def now():
    ana.ok("send", "-s", "first", "ben@lab.test", "--now", stdin="Hello Ben\n")
    equal(item(ana, "first")["state"], "sent")
    wait_for(lambda: in_folder("ben", "INBOX", "first"), what="the mail")
    ana.ok("sync")
    ana.ok("sync")
    equal(len(in_folder("ana", "Sent", "first")), 1, "copies in Sent")
    equal(len(in_folder("ben", "INBOX", "first")), 1, "copies at Ben's")


@test("without --now the exit is at once, and the mail leaves by itself")
def by_itself():
    ana.ok("send", "-s", "later", "ben@lab.test", stdin="Hello\n")
    wait_for(lambda: in_folder("ben", "INBOX", "later"), what="the mail")


@test("an unknown recipient: Postfix bounces, and the sent message says failed with its words")
def bounce():
    ana.ok("send", "-s", "anybody", "nobody@lab.test", "--now", stdin="Hello?\n")

    def failed():
        ana.ok("sync")
        return item(ana, "anybody")["state"] == "failed"
    wait_for(failed, 60, "the bounce")
    got = item(ana, "anybody")
    equal(bool(got["recipients"][0]["error"]["text"]), True, "words")
    contains(str(got["recipients"][0]["error"]), "5.", "an enhanced code")


def refusal(script, code, state):
    with Fake(script, tls=None) as server:
        home = keep(Home())
        home.configure("[account x]\naddress = ana@lab.test\nincoming = maildir:%s\noutgoing = smtp://ana@127.0.0.1:%d\n"
                       "tls = none\npassword = command echo pw\n" % (home.path("none"), server.port))
        result = home.run("send", "-s", "refused", "ben@lab.test", "--now", stdin="x\n", timeout=60)
        got = item(home, "refused")
        home.stop()
    equal((result.code, got["state"]), (code, state), result.errors)
    return got


@test("SMTP refusals end in the right state, with the server's words")
def refusals():
    got = refusal(Smtp(answers={"RCPT": b"550 5.1.1 no such user here\r\n"}), 69, "failed")
    contains(got["error"]["text"], "no such user here")
    equal((got["error"]["code"], got["error"]["enhanced"]), (550, "5.1.1"))
    got = refusal(Smtp(answers={"RCPT": b"451 4.7.1 greylisted, come again\r\n"}), 75, "deferred")
    contains(got["error"]["text"], "greylisted")
    equal(bool(got["next"]), True, "next attempt")
    refusal(Smtp(answers={"BODY": b"554 5.7.1 it looks like spam\r\n"}), 69, "failed")
    refusal(Smtp(answers={"MAIL": b"552 5.3.4 too big\r\n"}), 69, "failed")
    refusal(Smtp(answers={"AUTH": b"535 5.7.8 wrong password\r\n"}), 77, "waiting")


@test("D3: the connection breaks after the final dot: unknown, and not sent again by itself")
def unknown():
    script = Smtp(answers={"BODY": reset})
    with Fake(script, tls=None) as server:
        home = keep(Home())
        home.configure("[account x]\naddress = ana@lab.test\nincoming = maildir:%s\noutgoing = smtp://ana@127.0.0.1:%d\n"
                       "tls = none\npassword = command echo pw\n" % (home.path("none"), server.port))
        home.run("send", "-s", "dot", "ben@lab.test", "--now", stdin="x\n", timeout=60)
        equal(item(home, "dot")["state"], "unknown")
        home.run("sync", timeout=60)
        equal(item(home, "dot")["state"], "unknown")
        equal(len(script.mails), 1, "times given to the server")
        home.stop()


@test("a message over the server's SIZE fails at once, with the figure")
def size():
    big = ana.write("big.bin", os.urandom(300000))
    result = ana.run("send", "-s", "big", "-a", big, "ben@lab.test", "--now", stdin="x\n")
    equal(result.code, 69, result.errors)
    equal(item(ana, "big")["state"], "failed")


@test("hold, release, cancel, send later")
def later():
    ana.ok("send", "-s", "held", "--hold", "ben@lab.test", stdin="x\n")
    held = item(ana, "held")
    equal(held["state"], "held")
    ana.ok("queue", "flush")
    equal(item(ana, "held")["state"], "held", "flush leaves what is held")
    ana.ok("queue", "retry", str(held["id"]))
    wait_for(lambda: item(ana, "held")["state"] == "sent", what="the released message")
    ana.ok("send", "-s", "tomorrow", "--at", "tomorrow 8:00", "ben@lab.test", stdin="x\n")
    waiting = item(ana, "tomorrow")
    equal((waiting["state"], bool(waiting["next"])), ("waiting", True))
    ana.ok("queue", "cancel", str(waiting["id"]))
    equal(item(ana, "tomorrow")["state"], "cancelled")


@test("off line: exit 0 with the message queued; it arrives once after the server is back")
def offline():
    world.kill_server("smtp")
    ana.ok("send", "-s", "offline", "ben@lab.test", stdin="x\n")
    equal(item(ana, "offline")["state"] in ("waiting", "deferred", "sending"), True)
    world.start_server("smtp")
    ana.ok("queue", "flush")
    wait_for(lambda: in_folder("ben", "INBOX", "offline"), 60, "the mail")
    ana.ok("sync")
    equal(len(in_folder("ben", "INBOX", "offline")), 1)
    equal(len(in_folder("ana", "Sent", "offline")), 1, "copies in Sent")


@test("mutt's flags: subject, copies, attachments before --, body from standard input")
def mutt_flags():
    file = ana.write("notes é.txt", "attached\n")
    ana.ok("-s", "mutt grüßt", "-c", "Carbon <ben@lab.test>", "-a", file, "--", "ben@lab.test", stdin="text\n")
    mail = wait_for(lambda: [m for m in _all("ben") if b"attached" in m or b"YXR0YWNoZWQ" in m], what="the mail")[0]
    contains(mail, b"=?")
    contains(mail, b"multipart/mixed")


def _all(user):
    with world.oracle(user) as server:
        return [m.body for m in server.messages("INBOX", bodies=True)]


@test("sendmail -t: Bcc is delivered and hidden, the body stays byte for byte, a dot alone with -i goes on")
def sendmail():
    text = b"From: ana@lab.test\nTo: ana@lab.test\nBcc: ben@lab.test\nSubject: by sendmail\n\none\n.\ntwo  \n"
    ana.ok("sendmail", "-t", "-i", stdin=text)
    mail = wait_for(lambda: in_folder("ben", "INBOX", "by sendmail"), what="the mail")[0].body
    contains(mail.replace(b"\r\n", b"\n"), b"\n\none\n.\ntwo  \n")
    equal(b"Bcc" in mail, False, "Bcc on the wire")
    contains(mail, b"Message-ID: ")
    link = ana.path("sendmail")
    os.symlink(POSTRIDER, link)
    ana.ok("-oi", "ben@lab.test", program=link, stdin=b"Subject: by link\n\nx\n")
    wait_for(lambda: in_folder("ben", "INBOX", "by link"), what="the mail sent through the link")


@test("git send-email sends a patch through us")
def git():
    repo = ana.path("repo")
    run = dict(cwd=repo, env=dict(ana.env, GIT_CONFIG_NOSYSTEM="1"), check=True, capture_output=True)
    os.mkdir(repo)
    for words in (["init", "-q"], ["config", "user.name", "Ana Ruiz"], ["config", "user.email", "ana@lab.test"],
                  ["commit", "-q", "--allow-empty", "-m", "begin"]):
        subprocess.run(["git", *words], **run)
    ana.write("repo/file.txt", "line\n")
    subprocess.run(["git", "add", "file.txt"], **run)
    subprocess.run(["git", "commit", "-q", "-m", "file: add a line"], **run)
    done = subprocess.run(["git", "-c", "sendemail.sendmailCmd=%s sendmail" % POSTRIDER, "send-email", "--to=ben@lab.test",
                           "--confirm=never", "--quiet", "HEAD~1"], cwd=repo, env=ana.env, capture_output=True)
    if b"not a git command" in done.stderr:
        raise Skip("git send-email is not installed")
    equal(done.returncode, 0, done.stderr.decode())
    patch = wait_for(lambda: in_folder("ben", "INBOX", "[PATCH] file: add a line"), what="the patch")[0].body
    contains(patch, b"+line")


if __name__ == "__main__":
    main()
