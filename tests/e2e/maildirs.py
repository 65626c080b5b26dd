#!/usr/bin/env python3
"""D13: other programs on our Maildirs while the engine runs: what they do is at the server at once, and 100 changes a
second of theirs during a sync lose nothing, double nothing, and converge.

Ten seconds of it by default, ten minutes with POSTRIDER_LONG. POSTRIDER_SEED repeats a run."""

import os
import random
import shutil
import subprocess
import time

from device import Device
from harness import *

SECONDS = 600 if "POSTRIDER_LONG" in os.environ else 10
A_SECOND = 100
FOLDERS = ["INBOX", "Archive", "Junk"]
FLAGS = {"F": "\\Flagged", "R": "\\Answered", "S": "\\Seen"}

world = keep(World(count=2, smtp="aiosmtpd"))
# Nothing but the watch can notice anything within an hour.
ana = keep(world.home("ana", general=["poll = 3600"]))
server = keep(world.oracle("ana"))


@on_failure
def engine_log():
    path = ana.path("state", "postrider", "engine.log")
    if os.path.exists(path):
        with open(path) as log:
            note("engine.log:\n  " + "  ".join(log.readlines()[-40:]))


def mail(name, body="Hello.\n"):
    return ("From: Ben <ben@lab.test>\nTo: ana@lab.test\nSubject: %s\nMessage-ID: <%s@lab.test>\n"
            "Date: Thu, 12 Nov 2026 10:00:00 +0000\n\n%s" % (name, name, body)).encode()


def maildir(folder):
    return ana.data("mail", ana.database("SELECT dir FROM folder WHERE name = ?", folder)[0][0])


def names(folder):
    parts = [os.path.join(maildir(folder), part) for part in ("cur", "new")]
    return [name for path in parts if os.path.isdir(path) for name in os.listdir(path)]


def file_of(folder, name):
    """The path of a message, by its Message-ID."""
    for part in ("cur", "new"):
        where = os.path.join(maildir(folder), part)
        for file in os.listdir(where):
            with open(os.path.join(where, file), "rb") as text:
                if b"<%s@lab.test>" % name.encode() in text.read():
                    return os.path.join(where, file)
    raise AssertionError("%s is not in %s" % (name, folder))


def flags_at_server(folder, name):
    found = server.by_id(folder).get(name + "@lab.test")
    return found and set(found.flags)


def put(folder, name, data, part="new"):
    """As a delivery agent does it."""
    where = maildir(folder)
    unique = "%d.M%dP%d.elsewhere" % (time.time(), time.time_ns() // 1000 % 1000000, os.getpid())
    with open(os.path.join(where, "tmp", unique), "wb") as out:
        out.write(data)
    os.rename(os.path.join(where, "tmp", unique), os.path.join(where, part, unique + (":2," if part == "cur" else "")))
    return unique


def start():
    for number in range(60):
        server.append(FOLDERS[number % 3], mail("m%d" % number))
    server.create("Quiet")
    for name in ("mutt", "notmuch", "quiet"):
        server.append("Quiet", mail(name))
    ana.start("sync", "--watch", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(ana.data("postrider.db")) and ana.run("list").code == 0 and
             ana.database("SELECT count(*) FROM placement WHERE file IS NOT NULL")[0][0] == 63, 120, "the first pass")


@test("D13: what another program does to the Maildir is at the server, and on the screen, at once")
def at_once():
    start()
    taken = []
    for name in ("m0", "m3", "m6"):
        path = file_of("INBOX", name)
        begun = time.monotonic()
        os.rename(path, os.path.join(os.path.dirname(path), os.path.basename(path).split(":")[0] + ":2,FS"))
        wait_for(lambda: flags_at_server("INBOX", name) == {"\\Flagged", "\\Seen"}, 30, "the flags of " + name)
        taken.append(time.monotonic() - begun)
    note("a flag was at the server after %s s" % ", ".join("%.2f" % t for t in taken))
    shown = {row["message_id"]: row["flags"] for row in ana.json("list", "--limit", "0")}
    contains(shown["m0@lab.test"], "flagged")
    put("INBOX", "delivered", mail("delivered"))
    wait_for(lambda: flags_at_server("INBOX", "delivered") is not None, 30, "what was delivered")
    os.rename(file_of("INBOX", "m9"), os.path.join(maildir("Archive"), "cur", os.path.basename(file_of("INBOX", "m9"))))
    wait_for(lambda: flags_at_server("Archive", "m9") is not None and flags_at_server("INBOX", "m9") is None, 30,
             "what was moved")
    os.unlink(file_of("INBOX", "m12"))
    wait_for(lambda: flags_at_server("INBOX", "m12") is None, 30, "what was removed")


@test("D13: a folder that is made while the engine runs is watched too")
def new_folder():
    ana.ok("sync")
    server.create("Fresh")
    server.append("Fresh", mail("fresh"))
    ana.ok("sync")
    wait_for(lambda: names("Fresh"), 60, "its message")
    path = file_of("Fresh", "fresh")
    os.rename(path, path + "F")
    wait_for(lambda: flags_at_server("Fresh", "fresh") == {"\\Flagged"}, 30, "the flag")


class Storm:
    """A program that changes everything, and remembers what should be there."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.where = {}         # message -> [folder, unique part, letters]
        self.removed = set()
        self.dirs = {folder: maildir(folder) for folder in FOLDERS}
        self.done = dict.fromkeys(("flags", "moves", "deliveries", "removals"), 0)
        self.number = 0
        for folder in FOLDERS:
            for row in server.messages(folder):
                name = row.message_id.split("@")[0]
                base = os.path.basename(file_of(folder, name))
                self.where[name] = [folder, base.split(":")[0], set(base.partition(":2,")[2])]

    def find(self, name):
        """Its path now; the engine may have renamed it a moment ago."""
        folder, unique, _ = self.where[name]
        for part in ("cur", "new"):
            for file in os.listdir(os.path.join(self.dirs[folder], part)):
                if file.split(":")[0] == unique:
                    return os.path.join(self.dirs[folder], part, file)
        raise AssertionError("%s (%s) has gone from %s" % (name, unique, folder))

    def rename(self, name, change):
        """change(letters of the name) -> (folder, letters); again when somebody was faster."""
        for _ in range(100):
            path = self.find(name)
            letters = set(path.partition(":2,")[2])
            folder, wanted = change(letters)
            to = os.path.join(self.dirs[folder], "cur", "%s:2,%s" % (self.where[name][1], "".join(sorted(wanted))))
            try:
                os.rename(path, to)
            except FileNotFoundError:
                continue
            self.where[name] = [folder, self.where[name][1], wanted]
            return
        raise AssertionError("%s cannot be renamed" % name)

    def act(self):
        chance = self.random.random()
        if chance < 0.05 or len(self.where) < 30:
            folder = self.random.choice(FOLDERS)
            self.number += 1
            name = "d%d" % self.number
            self.where[name] = [folder, put(folder, name, mail(name, "Body of %s.\n" % name)), set()]
            self.done["deliveries"] += 1
            return
        name = self.random.choice(sorted(self.where))
        if chance < 0.09 and self.may_remove():
            for _ in range(100):
                try:
                    os.unlink(self.find(name))
                    break
                except FileNotFoundError:
                    continue
            self.removed.add(name)
            del self.where[name]
            self.done["removals"] += 1
        elif chance < 0.30:
            to = self.random.choice([f for f in FOLDERS if f != self.where[name][0]])
            self.rename(name, lambda letters: (to, letters))
            self.done["moves"] += 1
        else:
            letter = self.random.choice(sorted(FLAGS))
            self.rename(name, lambda letters: (self.where[name][0], letters ^ {letter}))
            self.done["flags"] += 1

    def may_remove(self):
        """Beyond the brake (D11) nothing would be removed, and rightly so."""
        return len(self.where) > 40

    def expected(self):
        found = {folder: [] for folder in FOLDERS}
        for name, (folder, _, letters) in self.where.items():
            found[folder].append((name + "@lab.test", tuple(sorted(FLAGS[letter] for letter in letters))))
        return {folder: sorted(rows) for folder, rows in found.items()}


def mutt(folder, *pushed):
    rc = ana.write("muttrc", "set mbox_type=Maildir\nset folder='%s'\nset quit=yes\nset delete=yes\nset move=no\n"
                             "set mark_old=no\nset wait_key=no\n" % ana.path())
    with Pty(ana, "-n", "-F", rc, "-f", maildir(folder), "-e", "push '%s'" % "".join(pushed),
             program=shutil.which("mutt")) as pty:
        equal(pty.read_to_end(60), 0, pty.output[-800:])


def notmuch(*words):
    config = ana.write("notmuch-config", "[database]\npath=%s\n[maildir]\nsynchronize_flags=true\n" % ana.data("mail"))
    return subprocess.run(["notmuch", *words], env=dict(ana.env, NOTMUCH_CONFIG=config), capture_output=True, timeout=120)


def notmuch_tags():
    """Its index is ours, and may be locked for a moment."""
    found = notmuch("search", "--output=files", "id:notmuch@lab.test").stdout.decode().split()
    return found and notmuch("tag", "+flagged", "-unread", "id:notmuch@lab.test").returncode == 0


@test("D13: 100 changes a second by a script, with mutt and notmuch, during a sync: none lost, none doubled")
def storm():
    for tool in ("mutt", "notmuch"):
        if not shutil.which(tool):
            raise Skip(tool + " is not installed")
    ana.ok("sync")
    wait_for(lambda: notmuch("count", "id:notmuch@lab.test").stdout.strip() == b"1", 120, "notmuch's index")
    seed = int(os.environ.get("POSTRIDER_SEED") or random.randrange(1 << 30))
    note("seed %d" % seed)
    script = Storm(seed)
    begun, acts, syncs = time.monotonic(), 0, []
    tools = [lambda: mutt("Quiet", "<limit>~i mutt@<enter><flag-message><sync-mailbox><quit>"),
             lambda: wait_for(notmuch_tags, 60, "notmuch's lock")]
    marked = 0
    while time.monotonic() - begun < SECONDS:
        script.act()
        acts += 1
        if acts % 200 == 0 and tools:
            tools.pop()()
        if acts % 100 == 50:        # another device meanwhile, and new mail
            server.append("Quiet", mail("phone%d" % marked))
            marked += 1
        syncs = [s for s in syncs if s.poll() is None]
        if not syncs:
            syncs.append(ana.start("sync", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        ahead = begun + acts / A_SECOND - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)       # the rate is the test, nothing is waited for
    while tools:
        tools.pop()()
    note("%d changes in %.0f s: %s" % (acts, time.monotonic() - begun, ", ".join(
        "%d %s" % (n, what) for what, n in script.done.items())))
    for process in syncs:
        process.wait(120)
    wanted = script.expected()

    def agree():
        ana.ok("sync")
        truth = server.snapshot()
        return all(truth[folder] == wanted[folder] for folder in FOLDERS)
    try:
        wait_for(agree, 60, "both to agree")
    except AssertionError:
        truth = server.snapshot()
        for folder in FOLDERS:
            note("%s: at the server only %r, missing there %r" % (
                folder, sorted(set(truth[folder]) - set(wanted[folder]))[:10],
                sorted(set(wanted[folder]) - set(truth[folder]))[:10]))
            for name, _ in sorted(set(wanted[folder]) - set(truth[folder]))[:10]:
                note("%s: here wanted, base, state, file: %r; its file is %s" % (name, ana.database(
                    "SELECT p.flags, p.base_flags, p.state, p.file FROM placement p JOIN message m ON m.id = p.message"
                    " WHERE m.message_id = ?", name), script.find(name.partition("@")[0])))
        raise
    truth = server.snapshot()
    quiet = dict(truth["Quiet"])
    equal(quiet["mutt@lab.test"], ("\\Flagged",))
    equal(quiet["notmuch@lab.test"], ("\\Flagged", "\\Seen"))
    equal(quiet["quiet@lab.test"], ())
    equal(len(truth["Quiet"]), 3 + marked)
    # Each once: at the server, here, and as a file.
    for folder in FOLDERS:
        equal(len(server.messages(folder)), len(wanted[folder]), folder)
        equal(sorted(row["message_id"] for row in ana.json("list", folder, "--limit", "0")),
              [name for name, _ in wanted[folder]], folder + " here")
    wait_for(lambda: sum(len(names(folder)) for folder in FOLDERS) == len(script.where), 60, "one file each")
    for name, (folder, _, letters) in script.where.items():
        found = script.find(name)
        equal(set(found.partition(":2,")[2]), letters, found)
    # A device that knows nothing of all this sees the same.
    with Device(world, "ana") as fresh:
        fresh.sync()
        equal({f: rows for f, rows in fresh.snapshot().items() if f in FOLDERS}, wanted)
    ana.stop()
    equal(ana.database("PRAGMA integrity_check"), [("ok",)])


if __name__ == "__main__":
    main()
