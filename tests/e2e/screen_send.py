#!/usr/bin/env python3
"""The screen sends: taken back in time, with attachments, forwarded, sent on; refused ones; a password that is asked for."""

import os

from harness import *

world = keep(World(count=3))
ben = keep(world.home("ben"))


def home(**options):
    made = keep(world.home("ana", **options))
    made.env.update(EDITOR="true")          # leaves the text as it is
    return made


def inbox(user):
    with world.oracle(user) as server:
        return server.messages("INBOX")


@test("a sent message is taken back with u, and nothing leaves")
def undo():
    ana = home()
    with open(ana.config_file()) as file:
        ana_config = file.read()
    ana.configure(ana_config.replace("undo-send = 0", "undo-send = 600"))
    text = ana.write("letter", "From: Ana <ana@lab.test>\nTo: ben@lab.test\nSubject: hasty\n\nnot yet\n")
    with Screen(ana, "-H", text, width=100) as screen:
        screen.wait("hasty")
        screen.keys("y")
        screen.wait("goes in 600 seconds")
        screen.keys("u")
        screen.wait("taken back: it was not sent")
        screen.wait("not yet")
        screen.keys("q", "d")
        screen.wait("dropped")
        screen.keys("q")
        equal(screen.wait_end(), 0)
    equal([row["state"] for row in ana.json("queue", "list", "--all")], ["cancelled"])
    equal(inbox("ben"), [])


@test("an attachment is added, the check is content, Ben gets it whole; Bcc is not in what he gets")
def attach():
    ana = home()
    plan = ana.write("plan.pdf", os.urandom(70000))
    text = ana.write("letter", "From: Ana <ana@lab.test>\nTo: ben@lab.test\nBcc: carol@lab.test\nSubject: the plan\n\nattached is the plan\n")
    with Screen(ana, "-H", text, width=100) as screen:
        screen.wait("but there is none")
        screen.keys("y")
        screen.wait("Send anyway?")
        screen.keys("n", "a")
        screen.wait("Attach file:")
        screen.type(plan)
        screen.keys("Enter")
        screen.wait("[1] plan.pdf")
        screen.wait("and there is one")
        screen.keys("y")
        screen.wait("on its way")
        wait_for(lambda: inbox("ben"), what="the letter at Ben's", timeout=60)
        wait_for(lambda: inbox("carol"), what="the letter at Carol's", timeout=60)
        screen.keys("x")
        equal(screen.wait_end(), 0)
    ben.ok("sync")
    row = ben.json("list")[0]
    shown = ben.json("show", str(row["id"]))[0]
    equal("carol" in str(shown["headers"]), False)
    part = [part for part in shown["parts"] if part["filename"] == "plan.pdf"][0]
    equal(part["size"], 70000)


@test("Ben forwards it with its attachment, and sends it on unchanged")
def forward():
    ben.env.update(EDITOR="true")
    with Screen(ben, width=100) as screen:
        screen.wait("the plan")
        screen.keys("=", "f")
        screen.wait("Fwd: the plan")
        screen.type("carol@lab.test")
        screen.keys("Enter")
        screen.wait("The text was not changed")
        screen.keys("k")
        screen.wait("plan.pdf")
        screen.keys("y")
        if screen.matches("Send anyway?"):
            screen.keys("y")
        screen.wait("on its way")
        screen.keys("b")
        screen.wait("Send on to:")
        screen.type("carol@lab.test")
        screen.keys("Enter")
        screen.wait("Send this message on to carol@lab.test?")
        screen.keys("y")
        screen.wait("on its way")
        wait_for(lambda: len(inbox("carol")) == 3, what="both at Carol's", timeout=60)
        screen.keys("x")
        screen.wait_end()
    equal(sorted(message.subject for message in inbox("carol")), ["Fwd: the plan", "the plan", "the plan"])


@test("an address that cannot be, and one that the server refuses: said in words, nothing is lost")
def refused():
    ana = home()
    with Screen(ana, width=100) as screen:
        screen.wait("help")
        screen.keys("m")
        screen.type("nobody@")
        screen.keys("Enter")
        screen.wait("nobody@")
        screen.wait("no domain")
        screen.keys("C-a", "C-k")
        screen.type("x@refused.invalid")
        screen.keys("Enter")
        screen.type("hello")
        screen.keys("Enter")
        screen.wait("The text was not changed")
        screen.keys("k", "y")
        screen.wait("on its way")
        screen.keys("B")
        screen.wait("x@refused.invalid")
        screen.keys("q", "x")
        equal(screen.wait_end(), 0)


@test("a password that is asked for is typed on the screen, unseen, and opens the mailbox")
def password():
    ana = home()
    with open(ana.config_file()) as file:
        text = file.read()
    lines = ["password = ask" if line.startswith("password") else line for line in text.split("\n")]
    ana.configure("\n".join(lines))
    world.deliver("ana", b"From: ben@lab.test\r\nTo: ana@lab.test\r\nSubject: behind the door\r\n\r\nhi\r\n")
    secret = world.spec.user("ana")["password"]
    with Screen(ana, width=100) as screen:
        screen.wait("Password for ana")
        screen.type(secret)
        screen.wait("*" * len(secret))
        equal(secret in screen.text(), False)
        screen.keys("Enter")
        screen.wait("behind the door", timeout=60)
        screen.keys("x")
        screen.wait_end()
    with open(os.path.join(ana.path("state"), "postrider", "postrider.log")) as file:
        equal(secret in file.read(), False)


if __name__ == "__main__":
    main()
