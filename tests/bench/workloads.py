"""The workloads of `make bench` that have to do with a server.

A Pair is postrider and mbsync on one mailbox; what one writes to the server
the other takes in untimed before its own turn.
"""

import os
import time

import fill as lab_fill
from harness import Oracle, wait_for
from probe import Memory, Watch
from rows import Row
from sides import FLAGGED, Broken, Mbsync, Ours, has_mbsync, notmuch_new

CACHED = ("(UID FLAGS MODSEQ INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE "
          "BODY.PEEK[HEADER])")
NEW = 100
MARKS = 1000                    # or a twentieth of a small folder
QUIET_S = 2.2       # a directory's time says nothing about the last 2 s


def say(text):
    print(time.strftime("  %H:%M:%S ") + text, flush=True)


def kind_of(count):
    return "mixed" if count <= 20000 else "small"


def warm(world, user, first=1):
    """What Dovecot reads and notes down when a message is first asked for is
    nobody's in a timed run."""
    with Oracle(world.spec, user) as server:
        uids = server.uids("INBOX", "UID %d:*" % first)
        for at in range(0, len(uids), 2000):
            some = uids[at:at + 2000]
            server._do("uid", "FETCH", "%d:%d" % (some[0], some[-1]), CACHED)


class Pair:
    def __init__(self, world, user, count, stack):
        self.world, self.user, self.count = world, user, count
        self.ours = Ours(world, user, stack)
        self.peer = Mbsync(world, user, stack) if has_mbsync() else None
        self.fills = 0

    def sides(self, turn):
        """Both, in turn: now this one first, now the other."""
        both = [side for side in (self.ours, self.peer) if side]
        return both[::-1] if turn % 2 else both

    def check(self):
        for side in self.sides(0):
            have = side.count()
            if have != self.count:
                raise Broken("%s has %d of %d messages"
                             % (side.name, have, self.count))

    def agree_on_flags(self):
        with Oracle(self.world.spec, self.user) as server:
            wanted = len(server.uids("INBOX", "FLAGGED"))
        for side in self.sides(0):
            have = side.flagged()
            if have != wanted:
                raise Broken("%s has %d flagged messages, the server %d"
                             % (side.name, have, wanted))

    def settle(self):
        """Both in step with the server, and at rest."""
        for side in self.sides(0):
            side.sync()
            side.rest()
        self.check()
        self.agree_on_flags()


class Bench:
    """What the workloads share: the world, and the pairs that are there."""

    def __init__(self, world, stack, options):
        self.world, self.stack, self.options = world, stack, options
        self.pairs = {}
        self.users = [person["name"] for person in world.spec.users]

    def mailbox(self, count, kind=None):
        user = self.users.pop(0)
        say("filling a mailbox with %d messages" % count)
        lab_fill.fill(self.world.spec, user, count,
                      kind=kind or kind_of(count))
        return user

    def pair(self, count):
        """A pair that has everything."""
        if count not in self.pairs:
            user = self.mailbox(count)
            pair = Pair(self.world, user, count, self.stack)
            say("both fetch them, untimed")
            warm(self.world, user)
            pair.settle()
            self.pairs[count] = pair
        return self.pairs[count]


# ---- into an empty store ----

def first_fetch(bench, count):
    user = bench.mailbox(count)
    warm(bench.world, user)
    runs = (bench.options.runs if count <= 20000
            else bench.options.large_runs)
    times = {name: [] for name in ("mbsync", "bodies", "whole", "readable",
                                   "envelopes", "memory")}
    for run in range(runs):
        # Nothing is deleted before the end: a file system that has just lost
        # many files makes new ones slowly.
        pair = Pair(bench.world, user, count, bench.stack)
        for side in pair.sides(run):
            os.sync()
            if side is pair.ours:
                first_of_ours(side, count, times)
            else:
                times["mbsync"].append(side.sync())
            say("%s: %d messages in %.1f s" % (
                side.name, count,
                times["whole" if side is pair.ours else "mbsync"][-1]))
        pair.ours.rest()
        pair.check()
    bench.pairs[count] = pair
    return first_rows(bench, pair, count, times)


def first_of_ours(ours, count, times):
    with Memory(ours) as memory, Watch(ours, count) as watch:
        taken = ours.sync()
        memory.look()
    if None in (watch.readable, watch.envelopes, watch.bodies):
        raise Broken("the store did not fill as it should")
    times["whole"].append(taken)
    times["bodies"].append(min(watch.bodies, taken))
    times["readable"].append(watch.readable - (watch.login() or 0))
    times["envelopes"].append(watch.envelopes - (watch.login() or 0))
    times["memory"].append(memory.total)
    say("memory: %s" % memory)


def first_rows(bench, pair, count, times):
    text = "%d %s messages, " % (count, kind_of(count))
    rows = [Row(text + "bodies durable", times["bodies"], times["mbsync"],
                "mbsync", 3),
            Row(text + "searchable too", times["whole"], times["mbsync"],
                "mbsync", 2)]
    if pair.peer:
        say("notmuch new, over a part")
        sample = notmuch_new(pair.peer, bench.options.notmuch)
        if sample:
            share, taken = sample
            whole = taken * count / share
            say("notmuch new: %d messages in %.1f s" % sample)
            rows.append(Row(
                text + "searchable too", times["whole"],
                [value + whole for value in times["mbsync"]],
                "mbsync, notmuch new" + (
                    " (at the rate of %d)" % share if share < count else ""),
                15))
    rows += [
        Row(text + "login to the newest %d" % Watch.SCREEN,
            times["readable"], limit=2),
        Row(text + "login to the whole list", times["envelopes"]),
        Row(text + "memory, all processes", times["memory"], limit=100,
            unit="MB")]
    return rows


# ---- a pass ----

def nothing_changed(bench, count):
    pair = bench.pair(count)
    pair.settle()
    time.sleep(QUIET_S)
    pair.settle()
    times = {"postrider": [], "mbsync": []}
    for run in range(bench.options.passes):
        for side in pair.sides(run):
            times[side.name].append(side.sync())
            side.rest()
    pair.nothing = times["mbsync"]
    return [Row("nothing changed, %d, one command" % count,
                times["postrider"], times["mbsync"], "mbsync", 5)]


def with_engine(bench, count, work):
    """Runs work(pair) while `postrider sync --watch` runs."""
    pair = bench.pair(count)
    pair.ours.rest()
    engine = pair.ours.home.start("sync", "--watch")
    try:
        wait_for(lambda: len(pair.ours.home.processes()) > 1 or
                 engine.poll() is not None, 60, "the engine")
        result = work(pair)
        if engine.poll() is not None:
            raise Broken("the engine ended meanwhile: %s" % engine.poll())
        return result
    finally:
        pair.ours.stop()
        engine.wait(60)


def asked_of_engine(bench, count):
    pair = bench.pair(count)
    if not hasattr(pair, "nothing"):
        nothing_changed(bench, count)

    def ask(pair):
        for _ in range(3):
            pair.ours.sync()
        return [pair.ours.sync() for _ in range(bench.options.passes * 2)]
    return [Row("nothing changed, %d, asked of the engine" % count,
                with_engine(bench, count, ask), pair.nothing, "mbsync", 20)]


def marks(count):
    return min(MARKS, count // 20)


def unflagged(server, number):
    uids = server.uids("INBOX", "UNFLAGGED")
    step = max(1, len(uids) // number)
    if len(uids) < number:
        raise Broken("too few messages without a flag are left")
    return uids[::step][:number]


def flag_there(server, uids):
    server.select("INBOX", readonly=False)
    store_flag(server, uids)


def store_flag(server, uids):
    server._do("uid", "STORE", ",".join(map(str, uids)), "+FLAGS.SILENT",
               "(\\Flagged)")


def change_there(pair):
    with Oracle(pair.world.spec, pair.user) as server:
        next_uid = server.status("INBOX")["UIDNEXT"]
        flag_there(server, unflagged(server, marks(pair.count)))
    pair.fills += 1
    lab_fill.fill(pair.world.spec, pair.user, NEW, seed=1000 + pair.fills,
                  kind="small")
    pair.count += NEW
    warm(pair.world, pair.user, next_uid)


def changed_there(bench, count):
    pair = bench.pair(count)
    pair.settle()
    times = {"postrider": [], "mbsync": []}
    for run in range(bench.options.passes):
        change_there(pair)
        for side in pair.sides(run):
            os.sync()
            times[side.name].append(side.sync())
            side.rest()
        pair.check()
        pair.agree_on_flags()
    return [Row("%d new, %d flags changed there, %d"
                % (NEW, marks(count), count),
                times["postrider"], times["mbsync"], "mbsync", 3)]


def mark_ours(ours, number):
    """While off line: nothing goes out yet."""
    ids = [str(row[0]) for row in ours.home.database(
        "SELECT message FROM placement WHERE folder = ? AND NOT flags & ?"
        " AND uid > 0 ORDER BY uid", ours.inbox(), FLAGGED)]
    step = max(1, len(ids) // number)
    ours.off_line()
    try:
        ours.run("mark", *ids[::step][:number], "+flagged")
    finally:
        ours.on_line()


def changed_here(bench, count):
    pair = bench.pair(count)
    pair.settle()
    times = {"postrider": [], "mbsync": []}
    for run in range(bench.options.passes):
        for side in pair.sides(run):
            if side is pair.ours:
                mark_ours(side, marks(count))
            else:
                side.flag(marks(count))
            os.sync()
            times[side.name].append(side.sync())
            side.rest()
            pair.settle()
    return [Row("%d flags changed here, %d" % (marks(count), count),
                times["postrider"], times["mbsync"], "mbsync", 6)]


# ---- while watching ----

def seen_while_watching(bench, count):
    def work(pair):
        ours = pair.ours
        ours.sync()
        with Oracle(pair.world.spec, pair.user) as server:
            uids = unflagged(server, bench.options.seen + 1)
            wait_seen(ours, server, uids.pop())     # it watches now
            times = []
            for uid in uids[:bench.options.seen]:
                time.sleep(0.3)
                times.append(wait_seen(ours, server, uid))
        return times
    times = with_engine(bench, count, work)
    bench.pair(count).settle()
    return [Row("a flag set there, seen while watching, %d" % count, times,
                limit=0.3)]


def wait_seen(ours, server, uid):
    """From the other client's STORE on; that it opens the folder, for which
    Dovecot reads the names of all files, is not ours to wait for."""
    inbox = ours.inbox()
    server.select("INBOX", readonly=False)
    begun = time.monotonic()
    store_flag(server, [uid])
    while time.monotonic() - begun < 60:
        if ours.one("SELECT flags & ? FROM placement WHERE folder = ?"
                    " AND uid = ?", FLAGGED, inbox, uid):
            return time.monotonic() - begun
        time.sleep(0.003)
    raise Broken("the flag of message %d was not seen within 60 s" % uid)


# ---- a very large folder ----

def million(bench, count):
    """Envelopes only: the bodies would be 4 GB of small files."""
    user = bench.mailbox(count, "small")
    ours = Ours(bench.world, user, bench.stack, account=["keep = 1d"])
    rows = []

    def run(what, limit=None):
        os.sync()
        with Memory(ours) as memory:
            taken = ours.sync()
            memory.look()
        ours.rest()
        say("%s: %.1f s; %s" % (what, taken, memory))
        rows.append(Row("%d, %s: memory" % (count, what), [memory.total],
                        limit=200, unit="MB"))
        rows.append(Row("%d, %s" % (count, what), [taken]))
    run("envelopes into an empty store")
    have = ours.one("SELECT count(*) FROM placement WHERE folder = ?",
                    ours.inbox())
    if have != count:
        raise Broken("%d of %d messages" % (have, count))
    with Oracle(bench.world.spec, user) as server:
        flag_there(server, unflagged(server, marks(count)))
    run("%d flags changed there" % marks(count))
    run("nothing changed")
    return rows


ROWS = {
    "first": first_fetch,
    "nothing": nothing_changed,
    "engine": asked_of_engine,
    "there": changed_there,
    "here": changed_here,
    "seen": seen_while_watching,
}
