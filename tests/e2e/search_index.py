#!/usr/bin/env python3
"""notmuch's index: what was left out is told and tried again; what is encrypted stays so."""

import os
import shutil
import subprocess

from harness import *

world = keep(World(count=1))
home = keep(world.home("ana"))
CANARY = "xylophonequark"


def notmuch(*words):
    done = home.run("--config=" + home.data("mail", ".notmuch", "config"), *words, program="/usr/bin/notmuch")
    equal(done.code, 0, done.errors)
    return done.text


def gpg(*words, data=b""):
    done = subprocess.run(["gpg", "--batch", "--quiet", "--trust-model", "always", *words], env=home.env, input=data,
                          capture_output=True, timeout=60)
    equal(done.returncode, 0, done.stderr.decode())
    return done.stdout


def encrypted(number):
    inner = b"Content-Type: text/plain\r\n\r\nthe secret is %s%d\r\n" % (CANARY.encode(), number)
    text = gpg("--armor", "--encrypt", "--recipient", "ana@lab.test", data=inner)
    return (b"From: Ben <ben@lab.test>\r\nTo: ana@lab.test\r\nSubject: sealed%d\r\nMessage-ID: <e%d@lab.test>\r\n"
            b"Date: Thu, 5 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b"\r\n\r\n'
            b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--b\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n" % (number, number) +
            text.replace(b"\n", b"\r\n") + b"\r\n--b--\r\n")


def in_index(number):
    return notmuch("count", "id:e%d@lab.test" % number).strip() == "1"


@test("the text of encrypted mail is in no index, although the key is here and notmuch was told to decrypt")
def sealed():
    if not shutil.which("gpg") or not shutil.which("notmuch"):
        raise Skip("gpg or notmuch is not installed")
    at_end(lambda: subprocess.run(["gpgconf", "--kill", "all"], env=home.env))
    gpg("--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", "ana@lab.test", "default", "default", "never")
    world.deliver("ana", encrypted(1))
    home.ok("sync")
    home.stop()
    engine = home.start("sync", "--watch")
    at_end(engine.wait)
    at_end(engine.terminate)
    wait_for(lambda: os.path.exists(home.data("mail", ".notmuch", "config")) and in_index(1), 60, "the first in the index")
    notmuch("config", "set", "--database", "index.decrypt", "true")
    world.deliver("ana", encrypted(2))
    wait_for(lambda: in_index(2), 60, "the second in the index")
    for number in (1, 2):
        equal(notmuch("count", "%s%d" % (CANARY, number)).strip(), "0")
        equal(home.json("search", "%s%d" % (CANARY, number)), [])
        equal(len(home.json("search", "sealed%d" % number)), 1)
    for root, _, names in os.walk(home.path("data")):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                assert CANARY.encode() not in file.read(), os.path.join(root, name)
    notmuch("reindex", "--decrypt=true", "id:e1@lab.test")     # the user may: then it is found
    equal(notmuch("count", "%s1" % CANARY).strip(), "1")


@test("a message that was left out is told by doctor, and tried again when asked")
def skipped():
    contains(home.run("doctor", "--offline").text, "no message was left out")
    number = home.json("search", "sealed2")[0]["id"]
    home.stop()
    notmuch("tag", "-inbox", "id:e2@lab.test")
    subprocess.run(["python3", "-c", "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('INSERT INTO index_skip "
                    "SELECT id, hash, ?, 1 FROM message WHERE id = ?', ('the indexer died on it', int(sys.argv[2]))); d.commit()",
                    home.data("postrider.db"), str(number)], check=True)
    result = home.run("doctor", "--offline")
    equal(result.code, 1)
    contains(result.text, "message %d is not in it: the indexer died on it" % number)
    contains(result.text, "doctor --reindex")
    contains(home.ok("doctor", "--offline", "--reindex").text, "no message was left out")
    equal(home.database("SELECT count(*) FROM index_skip"), [(0,)])


if __name__ == "__main__":
    main()
