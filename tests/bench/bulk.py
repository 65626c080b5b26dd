"""Bulk: everything archived by one command, and taken back by another. The
action is written down when the command returns; the engine then carries it
out in the background, and goes on when it is started again."""

import contextlib
import sqlite3
import time

from harness import POSTRIDER, wait_for
from rows import Row
from sides import Broken, timed
from stores import home_with

RETURNS = 1.0


def pending(home):
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % home.data("postrider.db"), uri=True)) as db:
        return db.execute("SELECT count(*) FROM bulk").fetchone()[0]


def archived(home):
    return home.database("SELECT count(*) FROM placement p JOIN folder f ON f.id = p.folder"
                         " WHERE f.role = 6 AND p.state <> 1")[0][0]


def bulk_times(bench, count):
    times = {"archive": [], "undo": []}
    with contextlib.ExitStack() as stack:
        home = home_with(count, stack)
        before = archived(home)
        for _ in range(bench.options.passes):
            for words, reached in ((("archive", "--query", "*"), lambda: archived(home) > before),
                                   (("undo",), lambda: archived(home) == before)):
                begun = time.monotonic()
                times[words[0]].append(timed([POSTRIDER, *words], home.env))
                wait_for(lambda: not pending(home), 3600, "the end of " + words[0])
                if not reached():
                    raise Broken("%s did not do what it should" % words[0])
                print("  %s: returned after %.3f s, done after %.1f s" % (
                    words[0], times[words[0]][-1], time.monotonic() - begun), flush=True)
    return [Row("%s %d, the command returns" % (name, count), found, limit=RETURNS) for name, found in times.items()]
