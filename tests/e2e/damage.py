#!/usr/bin/env python3
"""D5: a database that is damaged. Every command says so and what to do, no
mail file changes, and that one command brings back messages, flags, the tags
that no server has, and what waited in the queue."""

import hashlib
import os
import random

from device import message
from harness import World, contains, equal, keep, main, note, test
from stage import LONG, SEED

world = keep(World(count=2, smtp="aiosmtpd"))


def truncated(data, draw):
    return data[:draw.randrange(len(data))]


def zeroed(data, draw):
    start = draw.randrange(len(data) // 4096) * 4096
    return data[:start] + bytes(4096) + data[start + 4096:]


def header(data, draw):
    return b"x" * 100 + data[100:]


def empty(data, draw):
    return b""


def flipped(data, draw):
    at = draw.randrange(min(len(data), 100 * 4096))
    return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + \
        data[at + 1:]


KINDS = (truncated, zeroed, header, empty, flipped)


def mail_files(home):
    found = {}
    for path, folders, names in os.walk(home.data("mail")):
        if "notmuch" in path:
            continue
        for name in names:
            with open(os.path.join(path, name), "rb") as mail:
                found[os.path.join(path, name)] = hashlib.sha256(
                    mail.read()).digest()
    return found


def inbox(files):
    """Names without flags."""
    return sorted(os.path.basename(path).split(":")[0] for path in files
                  if "/INBOX/" in path)


def rows(home):
    return sorted((row["subject"], row["flags"], row["tags"])
                  for row in home.json("list", "INBOX"))


@test("D5: a damaged database is made anew with one command")
def d5_rebuild():
    draw = random.Random(SEED)
    note("POSTRIDER_SEED=%d" % SEED)
    home = keep(world.home(world.spec.users[0]["name"]))
    for n in range(10):
        world.deliver(world.spec.users[0]["name"], message(n))
    home.ok("sync")
    numbers = [str(row["id"]) for row in home.json("list", "INBOX")]
    home.ok("mark", *numbers[:3], "+flagged", "+seen")
    home.ok("sync")
    world.kill_server("imap")
    world.kill_server("smtp")
    home.ok("mark", *numbers[2:5], "+todo", "+später")
    home.ok("-s", "waits", "--", "ben@lab.test", stdin="x\n")
    home.stop()
    wanted, files = rows(home), mail_files(home)
    home.stop()
    with open(home.data("postrider.db"), "rb") as database:
        good = database.read()
    with open(home.data("tags.log"), "rb") as log:
        tags = log.read()
    contains(tags.decode(), "+todo")
    equal(os.stat(home.data("tags.log")).st_mode & 0o777, 0o600)
    for number in range(200 if LONG else 6):
        kind = KINDS[number % len(KINDS)]
        for end in ("-wal", "-shm"):
            if os.path.exists(home.data("postrider.db" + end)):
                os.unlink(home.data("postrider.db" + end))
        with open(home.data("postrider.db"), "wb") as database:
            database.write(kind(good, draw))
        for words in (("list", "INBOX"), ("search", "message"), ("doctor",)):
            result = home.run(*words)
            assert result.code >= 0, (kind.__name__, words, result.code)
            if kind is header:
                contains(result.text + result.errors, "doctor --rebuild")
        home.stop()
        equal(mail_files(home), files, kind.__name__)
    with open(home.data("postrider.db"), "wb") as database:
        database.write(header(good, draw))
    told = home.run("doctor", "--rebuild")
    contains(told.text, "made anew")
    # Nothing of that one could be read: what waited is not lost with it.
    contains(told.text, "1 message of the queue")
    aside, = [name for name in os.listdir(home.data())
              if name.startswith("damaged-")]
    queued, = os.listdir(home.data(aside, "outbox"))
    with open(home.data(aside, "outbox", queued)) as mail:
        contains(mail.read(), "Subject: waits")
    home.stop()
    equal(mail_files(home), files)
    world.start_server("imap")
    home.ok("sync")
    equal(rows(home), wanted)
    home.stop()
    # Nothing is there twice, and nothing was fetched twice: the files are those
    # that were there before.
    equal(inbox(mail_files(home)), inbox(files))


if __name__ == "__main__":
    main()
