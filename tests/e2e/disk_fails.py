#!/usr/bin/env python3
"""D8: the disk is full (ENOSPC, EDQUOT), broken (EIO) or no file can be opened
any more (EMFILE), from the n-th call on, inside SQLite too. No mail by half,
no flag lost, one clear message, and it goes on when there is space again. And
D9: a store on a file system that is mounted read-only.

The calls are made to fail by tests/lab/shim.c. By default at a few n, drawn
from the seed that is printed; POSTRIDER_SEED sets it, POSTRIDER_LONG takes
all."""

import hashlib
import os
import random
import subprocess

import kill_table
from device import message
from harness import (Skip, World, contains, equal, keep, main, note, temporary,
                     test, wait_for)
from shim import Shim
from stage import LONG, SEED, Stage

ERRORS = ("ENOSPC", "EDQUOT", "EIO", "EMFILE")

world = keep(World(count=12, smtp="aiosmtpd"))
shim = Shim(temporary())


def scenario(*deeds):
    return kill_table.Scenario("all", deeds, "", 0, "")


EVERYTHING = scenario(*kill_table.BOTH_WAYS, kill_table.uploads,
                      kill_table.expunges_here, kill_table.expunges_there,
                      kill_table.deletes_here)


def whole_mail(stage):
    """Every file that another program may see is a whole message."""
    for path in stage.device.files():
        with open(path, "rb") as mail:
            text = mail.read()
        name = text.split(b"Message-ID: <", 1)[1].split(b">")[0].decode()
        contains(text, b"Body of %s.\n" % name.encode(), path)


def never_flushed_again(log):
    """A flush of a mail file that failed is not tried a second time."""
    failed = set()
    with open(log) as lines:
        for line in lines:
            what, _, inode, path = line.rstrip("\n").split(" ", 3)
            if "/mail/" not in path or os.path.isdir(path):
                continue
            assert inode not in failed, "%s was flushed again" % path
            if what == "failed":
                failed.add(inode)


def play(stage, error, n, for_ever):
    stage.prepare()
    log = os.path.join(stage.device.dir, "flushes%d" % stage.round)
    code, _, errors = stage.device.try_run("sync", env=shim.env(
        stage.device.store, "sync_device", fsync=log,
        fail="%s %d%s" % (error, n, "+" if for_ever else "")))
    what = "%s at call %d%s: " % (error, n, " and after" if for_ever else "")
    try:
        assert code in (0, 1), "exit %d: %s" % (code, errors)
        assert not code or errors.count("\n") == 1, errors
        whole_mail(stage)
        if os.path.exists(log):
            never_flushed_again(log)
        stage.verify()
    except AssertionError as failure:
        raise AssertionError(what + str(failure)) from None
    return code != 0


def calls(stage, error):
    """How many calls of a pass can fail so."""
    stage.prepare()
    shim.counted()
    code, _, errors = stage.device.try_run("sync", env=shim.env(
        stage.device.store, "sync_device", fail=error + " 1000000000"))
    equal(code, 0, errors)
    stage.verify()
    return shim.counted()[0]


def register(number, error):
    @test("D8: %s at the n-th call of a pass" % error)
    def d8_error():
        draw = random.Random(SEED + number)
        note("POSTRIDER_SEED=%d" % SEED)
        with Stage(world, number, EVERYTHING) as stage:
            count = calls(stage, error)
            chosen = range(1, count + 1) if LONG else sorted(
                draw.sample(range(1, count + 1), 3))
            failed = sum(play(stage, error, n, for_ever) for n in chosen
                         for for_ever in ((True, False) if LONG
                                          else (draw.random() < 0.5,)))
            note("%d calls, %d tried, %d passes failed" % (
                count, len(chosen), failed))
            assert count > 20


for number, error in enumerate(ERRORS):
    register(number, error)


@test("D8: the engine goes on by itself when there is space")
def d8_goes_on():
    home = keep(world.home(world.spec.users[8]["name"]))
    home.ok("sync")
    home.stop()
    back = os.path.join(home.dir, "space")
    env = shim.env(home.data(), "postrider-worker", fail="ENOSPC 1+",
                   until=back)
    user = world.spec.users[8]["name"]
    engine = home.start("sync", "--watch", env=env, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
    try:
        world.deliver(user, message(1, subject="while it was full"))
        log = home.path("state", "postrider")
        wait_for(lambda: full_was_said(log), 60, "word of the full disk")
        equal(home.json("list", "INBOX"), [])
        open(back, "w").close()
        wait_for(lambda: [row["subject"] for row in
                          home.json("list", "INBOX")] ==
                 ["while it was full"], 120, "the mail")
    finally:
        engine.terminate()
        engine.wait(30)


def full_was_said(folder):
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), errors="replace") as log:
                if "No space left" in (text := log.read()) or \
                        "disk is full" in text:
                    return True
    return False


class Mount:
    """A file system of one's own at a folder; for root."""

    def __init__(self, *words):
        self.folder = words[-1]
        done = subprocess.run(["mount", *words], stderr=subprocess.PIPE)
        if done.returncode:
            raise Skip("cannot mount: " + done.stderr.decode().strip())

    def again(self, options):
        subprocess.run(["mount", "-o", "remount," + options, self.folder],
                       check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], check=True)


@test("D8: a file system of one megabyte")
def d8_small():
    user = world.spec.users[9]["name"]
    home = keep(world.home(user))
    os.makedirs(home.data(), 0o700)
    with Mount("-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs",
               home.data()) as mount:
        for n in range(30):
            world.deliver(user, message(n, body="x" * 70 + "\n" + (
                "%070d\n" % n) * 900))
        result = home.fails(74, "sync")
        equal(result.errors.count("\n"), 1, result.errors)
        contains(result.errors, "space", "the message")
        mount.again("size=64m")
        home.ok("sync")
        home.stop()
        rows = home.json("list", "INBOX", "--limit", "100")
        equal(len(rows), 30)
        sums = set()
        for path, _, names in os.walk(home.data("mail", user, "INBOX", "cur")):
            for name in names:
                with open(os.path.join(path, name), "rb") as mail:
                    text = mail.read()
                equal(text.count(b"\n"), text.index(b"\n\n") and 901
                      + text.split(b"\n\n")[0].count(b"\n") + 2, name)
                sums.add(hashlib.sha256(text).digest())
        equal(len(sums), 30)
        home.stop()


@test("D9: a store on a file system that is mounted read-only")
def d9_read_only():
    user = world.spec.users[10]["name"]
    home = keep(world.home(user))
    world.deliver(user, message(1, subject="to be read"))
    home.ok("sync")
    home.stop()
    with Mount("--bind", home.data(), home.data()) as mount:
        mount.again("bind,ro")
        rows = home.json("list", "INBOX")
        equal([row["subject"] for row in rows], ["to be read"])
        number = str(rows[0]["id"])
        contains(home.ok("show", number).text, "Hello.")
        contains(home.ok("search", "hello").text, "to be read")
        home.ok("folders")
        home.ok("queue")
        for words in (("mark", number, "+flagged"), ("delete", number),
                      ("move", number, "Archive"),
                      ("-s", "x", "--", "ben@lab.test"), ("sync",)):
            result = home.run(*words, stdin="y\n")
            assert result.code > 0, words
            equal(result.errors.count("\n"), 1, result.errors)
            contains(result.errors.lower(), "read-only", " ".join(words))
        home.stop()
    home.ok("mark", number, "+flagged")
    home.stop()


if __name__ == "__main__":
    main()
