#!/usr/bin/env python3
"""SIGKILL at each step of a send: of the command that queues the message, of the worker that delivers it, and of the
pass that files its copy. Nothing is lost or doubled, the copy in Sent is one, and once all is settled another pass
changes nothing.

Between the final dot and the commit of the server's answer nobody can know: such a message is "unknown" and is not
sent again by itself."""

import os
import signal

from harness import *  # first: it tells where the lab is
from dialogues import Smtp
from fake import Fake

SIGKILLED = -signal.SIGKILL
# A test that meets fewer has gone blind.
COMMAND = {"outbox.create", "outbox.write", "outbox.rename", "outbox.file-durable", "store.commit", "store.committed"}
WORKER = {"outbox.mark-data", "outbox.dot", "smtp.dot", "smtp.dot-sent", "smtp.replied", "outbox.answered",
          "outbox.finish", "outbox.finished", "outbox.copy", "maildir.rename", "outbox.copy-file", "outbox.copied"}
FILING = {"sync.append.send", "imap.append", "imap.appended", "sync.append.record", "store.intent-done"}


def steps_in(path):
    with open(path) as lines:
        return lines.read().split()


def items(home, subject):
    return [row for row in home.json("queue", "list", "--all") if row["subject"] == subject]


def sound(home):
    home.ok("doctor")
    equal(home.database("PRAGMA integrity_check"), [("ok",)])
    files = set(os.listdir(home.data("mail", ".outbox")))
    equal({name for (name,) in home.database("SELECT file FROM outbox")} - files, set(), "messages without their text")


# One message on real servers ------------------------------------------------------------------------------------------

class Letters:
    """Messages from Ana to Ben, and where the servers say they are."""

    def __init__(self, world, home):
        self.world, self.home, self.number = world, home, 0

    def new(self):
        self.number += 1
        return "letter %d." % self.number

    def count(self, user, folder, subject):
        with self.world.oracle(user) as server:
            return len(server.uids(folder, 'HEADER Subject "%s"' % subject))

    def arrived(self, subject):
        return self.count("ben", "INBOX", subject)

    def settled(self, subject, may_be_unknown, was_given):
        """Everything is done for it, once, and stays so; "was_given": the server had the whole message."""
        home = self.home
        home.ok("sync")
        rows = items(home, subject)
        equal(len(rows), 1, "times in the queue")
        if rows[0]["state"] == "unknown":
            assert may_be_unknown, "unknown, but the server's part was not open"
            if was_given:
                wait_for(lambda: self.arrived(subject), what="the mail")
            else:
                equal(self.arrived(subject), 0, "arrived, with no final dot")
                home.ok("queue", "retry", str(rows[0]["id"]))
                home.ok("queue", "flush")
        else:
            assert not may_be_unknown, "%s, but nobody can know" % rows[0]["state"]
        wait_for(lambda: self.arrived(subject), what="the mail")
        state = items(home, subject)[0]["state"]
        if state != "unknown":
            wait_for(lambda: home.ok("sync") and self.count("ana", "Sent", subject), what="the copy in Sent")
        home.ok("sync")
        equal(items(home, subject)[0]["state"], state)
        equal(self.arrived(subject), 1, "times at Ben's")
        copies = 0 if state == "unknown" else 1
        equal(self.count("ana", "Sent", subject), copies, "copies in Sent")
        equal(len(home.json("search", 'subject:"%s"' % subject)), copies, "copies in the store")


world = keep(World(count=2))
ana = keep(world.home("ana"))
letters = Letters(world, ana)


@test("the command that queues it, killed at each step: queued and sent once, or not at all")
def command():
    ana.ok("send", "-s", letters.new(), "ben@lab.test", "--now", stdin="x\n")
    met = []
    for n in range(1, 100):
        subject, died = letters.new(), ana.path("died-%d" % letters.number)
        done = ana.run("send", "-s", subject, "ben@lab.test", stdin="x\n",
                       env={"POSTRIDER_FAIL": "once:%s,#%d:kill" % (died, n)})
        if done.code == 0:
            break
        equal(done.code, SIGKILLED, done.errors)
        met += steps_in(died)
        queued = len(items(ana, subject))
        equal(queued, met[-1] == "store.committed", "queued, killed at " + met[-1])
        if queued:
            letters.settled(subject, False, True)
        else:
            ana.ok("sync")
            equal(letters.arrived(subject), 0)
    equal(COMMAND - set(met), set(), "steps not met")
    note("%d kills" % len(met))
    ana.stop()
    sound(ana)


def killed(rule):
    """A send whose engine dies by that rule: the subject, the step, and the steps that all processes passed."""
    subject = letters.new()
    died, log = ana.path("died-%d" % letters.number), ana.path("log-%d" % letters.number)
    env = {"POSTRIDER_FAIL": "once:%s,log:%s,%s" % (died, log, rule)}
    ana.stop()  # so that the command starts one with that environment
    done = ana.run("send", "-s", subject, "ben@lab.test", "--now", stdin="x\n", env=env)
    if not os.path.exists(died):
        equal(done.code, 0, done.errors)
        ana.run("sync", env=env)
    ana.stop(signal.SIGKILL)
    return subject, steps_in(died)[0] if os.path.exists(died) else None, steps_in(log)


def was_open(died, passed):
    """Killed between the commit that says "the dot is next" and the commit of the answer."""
    last = [name for name in passed if name.startswith(("outbox.", "smtp."))][-1]
    return {"outbox.mark-data": died == "store.committed", "outbox.finish": died != "store.committed",
            "outbox.dot": True, "smtp.dot": True, "smtp.dot-sent": True, "smtp.replied": True,
            "outbox.answered": True}.get(last, False)


def verify(rule):
    subject, died, passed = killed(rule)
    if died:
        try:
            letters.settled(subject, was_open(died, passed), "smtp.dot-sent" in passed)
        except AssertionError as error:
            raise AssertionError("killed at %s after %s: %s" % (died, " ".join(passed[-8:]), error)) from None
    return died, passed


@test("the worker killed at each step of delivering a message")
def worker():
    met = [verify("outbox.claimed:kill")[0]]
    equal(met, ["outbox.claimed"])
    while True:
        died, passed = verify("after:outbox.claimed,#%d:kill" % len(met))
        # What comes after is a pass like any other (sync_kill.py).
        if not died or ("outbox.copied" in passed and died != "outbox.copied" and "POSTRIDER_LONG" not in os.environ):
            break
        met.append(died)
    # The worker's threads count together: what another one's step was taken for.
    for name in sorted(WORKER - set(met)):
        equal(verify(name + ":kill")[0], name)
        met.append(name)
    note("%d kills" % len(met))
    sound(ana)


@test("the worker killed at each step of filing the copy on the server")
def filing():
    for name in sorted(FILING):
        equal(verify(name + ":kill")[0], name)
    sound(ana)


# A server that notes every word ---------------------------------------------------------------------------------------

def alone(server):
    """A home that only sends, to that server."""
    home = keep(Home())
    home.configure("[general]\nundo-send = 0\n[account x]\naddress = ana@lab.test\nincoming = maildir:%s\n"
                   "outgoing = smtp://ana@127.0.0.1:%d\ntls = none\npassword = command echo pw\n"
                   % (home.path("none"), server.port))
    return home


def restarted(rule, given, state, answers=()):
    """The engine lives on and starts its worker again: times the server was given the message, and the state."""
    script = Smtp(answers=dict(answers))
    with Fake(script, tls=None) as server:
        home = alone(server)
        died = home.path("died")
        home.run("send", "-s", "again", "ben@lab.test", "--now", stdin="x\n",
                 env={"POSTRIDER_FAIL": "once:%s,%s:kill" % (died, rule)})
        equal(steps_in(died), [rule])
        wait_for(lambda: items(home, "again")[0]["state"] == state, what="%s after %s" % (state, rule))
        home.ok("queue", "flush")
        home.run("sync")
        equal(items(home, "again")[0]["state"], state, rule)
        equal(len([mail for mail in script.mails if mail[2]]), given, "times given to the server, killed at " + rule)
        home.ok("doctor")
        home.close()


@test("a worker that is started again by its engine sends what it had not given away, and nothing else")
def started_again():
    restarted("outbox.claimed", 1, "sent")
    restarted("outbox.mark", 1, "sent")
    restarted("smtp.dot-sent", 1, "unknown")
    restarted("outbox.finish", 1, "unknown")
    restarted("outbox.finished", 1, "sent")


@test("an answer that was not committed is not guessed, whatever it was")
def answers_lost():
    restarted("outbox.answered", 1, "unknown", {"BODY": b"554 5.7.1 it looks like spam\r\n"})
    restarted("outbox.answered", 0, "failed", {"RCPT": b"550 5.1.1 no such user\r\n"})


if __name__ == "__main__":
    main()
