#!/usr/bin/env python3
"""Push: what another client does is here at once, and what nobody did costs nothing."""

import contextlib
import os
import random
import re
import signal
import statistics
import subprocess
import threading
import time

from harness import *
import process

pause = threading.Event()
FLAGGED = 1 << 2          # base/flags.h
LONG = os.environ.get("POSTRIDER_LONG")
ROUNDS = 40 if LONG else 12


def mail(subject):
    return ("From: b@example.org\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\n\r\nx\r\n"
            % (subject, subject)).encode()


class Watched:
    """A world, its Ana, an engine that watches for her and never polls, and another client of hers."""

    def __init__(self, off=(), folders=(), poll=86400):
        self.world = keep(World(count=1, off=list(off), smtp="aiosmtpd"))
        self.home = keep(self.world.home("ana", general=["poll = %d" % poll]))
        self.other = keep(self.world.oracle("ana"))
        for folder in ["Elsewhere", *folders]:
            self.other.create(folder)
        self.world.deliver("ana", *[mail("m%d" % n) for n in range(20)])
        on_failure(lambda: note(self.log()[-3000:]))
        self.start()

    def start(self):
        before = self.log().count("sync.pass")
        self.engine = self.home.start("sync", "--watch", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        at_end(self.engine.terminate)
        wait_for(lambda: self.log().count("sync.pass") > before, 60, "the first pass")

    def log(self):
        try:
            with open(self.home.path("state", "postrider", "engine.log"), errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def subjects(self, folder):
        return {row[0] for row in self.home.database(
            "SELECT m.subject FROM placement p JOIN folder f ON f.id = p.folder JOIN message m ON m.id = p.message"
            " WHERE f.name = ? AND p.uid > 0", folder)}

    def flags(self, folder, uid):
        return self.home.database("SELECT p.base_flags FROM placement p JOIN folder f ON f.id = p.folder"
                                  " WHERE f.name = ? AND p.uid = ?", folder, uid)

    def folders(self):
        return {row[0] for row in self.home.database("SELECT name FROM folder WHERE wire IS NOT NULL")}

    def flip(self, folder, uid):
        """Another client flags a message, or takes the flag away; seconds until it is in our store."""
        before = self.flags(folder, uid)
        change = ("-" if before[0][0] & FLAGGED else "+") + "\\Flagged"
        return seconds(lambda: self.other.flag(folder, [uid], change), lambda: self.flags(folder, uid) != before,
                       "a flag in " + folder)


def seconds(act, seen, what, limit=60):
    """How long after act() something is seen."""
    act()
    begun = time.monotonic()
    while not seen():
        if time.monotonic() > begun + limit:
            raise AssertionError("waited %d s in vain for %s" % (limit, what))
        pause.wait(0.01)
    return time.monotonic() - begun


def median(what, found):
    note("%s: median %.2f of %s" % (what, statistics.median(found), " ".join("%.2f" % s for s in found)))
    return statistics.median(found)


def trips(log):
    return int(re.findall(r"sync\.pass: .* round_trips=(\d+)", log)[-1])


w = Watched(folders=["f%02d" % n for n in range(50)])


@test("N5: a flag that another client sets is here within 0.3 s, by the median")
def flag():
    found = []
    for n in range(ROUNDS):
        found.append(w.flip("INBOX", n % 20 + 1))
        pause.wait(random.random())
    # The machine that runs the tests may be busy; the figure itself is in the note.
    if median("flag", found) > (0.3 if LONG else 1):
        raise AssertionError("too late")


class Frozen:
    """Readers of this engine stand still as soon as they are there."""

    def __init__(self, home):
        self.home, self.pids, self.ended = home, set(), threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.ended.wait(0.002):
            for worker in self.home.processes():
                for pid in set(process.children(worker)) - self.pids:
                    if b"postrider-reader" in process.arguments(pid):
                        os.kill(pid, signal.SIGSTOP)
                        self.pids.add(pid)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@test("N5: a flag is here at once also while the filter learns, however long that takes")
def while_learning():
    learned = lambda: w.home.json("filter", "status")[0]["seen_good"]
    before = learned()
    w.other.append("Elsewhere", mail("lesson"))
    wait_for(lambda: "lesson" in w.subjects("Elsewhere"), what="what it learns from")
    with Frozen(w.home) as frozen:
        w.flip("Elsewhere", w.other.uids("Elsewhere")[-1])
        wait_for(lambda: frozen.pids, 60, "a lesson that does not come to its end")
        for uid in (1, 2, 3):
            before_it = w.flags("INBOX", uid)
            change = ("-" if before_it[0][0] & FLAGGED else "+") + "\\Flagged"
            seconds(lambda: w.other.flag("INBOX", [uid], change), lambda: w.flags("INBOX", uid) != before_it,
                    "a flag beside a lesson", 10)  # a reader is waited for 15 s
    wait_for(lambda: learned() > before, 60, "the lesson")


@test("N5: new mail, in the folder on the screen and in another, is here at once (NOTIFY)")
def arrivals():
    for folder in ("INBOX", "Elsewhere"):
        found = [seconds(lambda: w.other.append(folder, mail("%s-%d" % (folder, n))),
                         lambda: "%s-%d" % (folder, n) in w.subjects(folder), "mail in " + folder) for n in range(3)]
        median("mail in " + folder, found)
    median("flag in Elsewhere", [w.flip("Elsewhere", n) for n in (1, 2, 3)])


@test("N5: what another client removes or moves is so here at once, and a move is no loss")
def removals():
    uid = w.other.uids("INBOX")[0]
    w.other.flag("INBOX", [uid], "+\\Deleted")
    found = seconds(lambda: w.other.expunge("INBOX", [uid]), lambda: not w.flags("INBOX", uid), "an expunge")
    note("expunge %.2f" % found)
    uid = w.other.uids("INBOX")[0]
    body = w.home.database("SELECT p.message FROM placement p JOIN folder f ON f.id = p.folder WHERE f.name = 'INBOX' AND p.uid = ?",
                           uid)[0][0]
    moved = lambda: w.home.database("SELECT count(*) FROM placement p JOIN folder f ON f.id = p.folder WHERE p.message = ?"
                                    " AND f.name = 'Elsewhere' AND p.file IS NOT NULL", body)[0][0]
    found = seconds(lambda: w.other.move("INBOX", [uid], "Elsewhere"), lambda: not w.flags("INBOX", uid) and moved(), "a move")
    note("move %.2f" % found)


@test("N5: a folder that another client makes, renames or deletes is so here, without a pass for each word of it")
def folder_list():
    passes = w.log().count("sync.pass")
    for n in range(5):
        w.other.create("new%d" % n)
    wait_for(lambda: {"new%d" % n for n in range(5)} <= w.folders(), 60, "new folders")
    w.other.rename("new0", "renamed")
    wait_for(lambda: "renamed" in w.folders(), 60, "the new name")
    note("%d passes" % (w.log().count("sync.pass") - passes))
    if w.log().count("sync.pass") - passes > 4:
        raise AssertionError("a pass for each folder")


@test("what is marked here is at the server at once")
def outwards():
    found = []
    ids = [row["id"] for row in w.home.json("list", "--limit", "3")]
    for message in ids:
        before = {uid: m.flags for uid, m in ((m.uid, m) for m in w.other.messages("INBOX"))}
        w.home.ok("mark", str(message), "+flagged")
        found.append(seconds(lambda: None, lambda: {m.uid: m.flags for m in w.other.messages("INBOX")} != before, "our mark"))
    median("mark, after the command has ended", found)


@test("a pass over 60 unchanged folders is a handful of round trips")
def unchanged():
    w.home.ok("sync")
    w.home.ok("sync")
    note("%d round trips" % trips(w.log()))
    if trips(w.log()) > 5:
        raise AssertionError("%d round trips" % trips(w.log()))


def variant(*off):
    @test("N5: pushed without " + ", ".join(off))
    def pushed():
        v = Watched(off)
        median("flag", [v.flip("INBOX", n) for n in (1, 2, 3)])
        seconds(lambda: v.other.append("INBOX", mail("late")), lambda: "late" in v.subjects("INBOX"), "mail")
        uid = v.other.uids("INBOX")[0]
        v.other.flag("INBOX", [uid], "+\\Deleted")
        seconds(lambda: v.other.expunge("INBOX", [uid]), lambda: not v.flags("INBOX", uid), "an expunge")
        if "notify" not in off:
            seconds(lambda: v.other.append("Elsewhere", mail("far")), lambda: "far" in v.subjects("Elsewhere"), "mail elsewhere")
        v.engine.terminate()
        equal(v.engine.wait(10), 0)


variant("notify")
variant("qresync")
variant("notify", "condstore")
if LONG:
    variant("idle")
    variant("idle", "notify")
    variant("condstore")
    variant("notify", "idle", "condstore", "list-status", "esearch")


if __name__ == "__main__":
    main()
