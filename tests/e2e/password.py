#!/usr/bin/env python3
"""Passwords: from a command, by asking; a wrong one is tried once; none is ever in a log, an argument list or a file of ours."""

import os
import re
import subprocess

from harness import *
import process

world = keep(World(count=1))


def home(how):
    made = keep(world.home("ana"))
    with open(made.config_file()) as file:
        text = file.read()
    made.configure(re.sub(r"password = .*", "password = " + how, text))
    return made


def refusals():
    """As the server has them in its log; Cyrus keeps none here."""
    if world.spec.imap_server != "dovecot":
        return 0
    return world.log("dovecot.log").count("auth failed")


@test("asked for on the terminal: a wrong one is told, the right one goes on")
def ask():
    ana = home("ask")
    world.deliver("ana", b"From: b@example.org\r\nTo: ana@lab.test\r\nSubject: one\r\n\r\nx\r\n")
    with Pty(ana, "sync") as pty:
        pty.read_until("Password of")
        pty.send("wrong\r")
        pty.read_until("cannot log in.*Password of|refused.*Password of", 60)
        pty.send(world.spec.password + "\r")
        equal(pty.read_to_end(60), 0, pty.output)
        equal(world.spec.password.encode() in pty.output, False, "the password on the terminal")
    equal([row["subject"] for row in ana.json("list")], ["one"])


@test("out of the keyring: by the account's name; what is missing is said")
def keyring():
    ana = home("keyring")
    ana.env["PATH"] = ana.path("bin") + ":" + ana.env["PATH"]
    tool = ana.write("bin/secret-tool", """#!/bin/sh
[ "$*" = "lookup service postrider account ana" ] || exit 1
cat %s
""" % ana.path("kept"), mode=0o700)
    ana.write("kept", world.spec.password)
    ana.ok("sync")
    contains(ana.ok("doctor").text, "takes the password")
    ana.stop()
    ana.write("bin/secret-tool", "#!/bin/sh\nexit 1\n", mode=0o700)
    contains(ana.fails(77, "sync").errors, "secret-tool store --label=Postrider service postrider account 'ana'")
    ana.stop()
    ana.write("bin/secret-tool", "#!/bin/sh\nexit 127\n", mode=0o700)        # what sh says where there is none
    contains(ana.fails(77, "sync").errors, "libsecret-tools")
    equal(os.access(tool, os.X_OK), True)


@test("without a terminal: exit 77 with the remedy")
def no_terminal():
    ana = home("ask")
    result = ana.run("sync", stdin=None, timeout=60)
    equal(result.code, 77, result.errors)
    contains(result.errors, "password = command")


@test("a command that fails says why; a wrong password is tried once, and the server's words are shown")
def command():
    result = home("command echo no such entry >&2; exit 1").run("sync", timeout=60)
    equal(result.code, 77, result.errors)
    contains(result.errors, "no such entry")
    ana = home("command echo wrong")
    before = refusals()
    result = ana.run("sync", timeout=60)
    equal(result.code, 77, result.errors)
    contains(result.errors.lower(), "authentication fail")
    ana.run("mark", "1", "+flagged")
    equal(refusals() - before <= 1, True, "attempts: %d" % (refusals() - before))


@test("K1: the password is in no file, no log and no argument list, at the highest log level")
def canary():
    secret = world.spec.password
    ana = keep(world.home("ana", account=[]))
    keeper = ana.write("secret/password", secret + "\n")
    with open(ana.config_file()) as file:
        text = file.read()
    ana.configure(re.sub(r"password = .*", "password = command cat " + keeper, text))
    engine = ana.start("sync", "--watch", stderr=subprocess.DEVNULL, env={"POSTRIDER_LOG": "debug"})
    at_end(engine.terminate)
    wait_for(lambda: os.path.exists(ana.data("postrider.db")) and ana.run("list").code == 0, what="the first pass")
    ana.ok("send", "-s", "canary", "ana@lab.test", "--now", stdin="x\n", env={"POSTRIDER_LOG": "debug"})
    ana.ok("queue", "show", "1")
    seen = b""
    for pid in ana.processes():
        arguments = process.arguments(pid)
        equal(secret.encode() in arguments, False, "arguments of %d" % pid)
        seen += arguments
    for program in (b"postrider-engine", b"postrider-worker"):
        equal(program in seen, True, "looked at %r" % program)
    found = []
    for folder, _, names in os.walk(ana.dir):
        for name in names:
            path = os.path.join(folder, name)
            if path != keeper and not name.startswith(".secret") and os.path.isfile(path):
                with open(path, "rb") as file:
                    if secret.encode() in file.read():
                        found.append(path)
    equal(found, [])


if __name__ == "__main__":
    main()
