"""Searching, beside notmuch and mu on the same Maildirs: what is measured
where there is no server (the row `find` of bench).

The store is filled by fillstore with the corpus; notmuch and mu index the
files that lie in it.  A search is timed from start to exit of its process.
"""

import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from harness import POSTRIDER, TOP
from rows import Row
from sides import HOURS, Broken, timed
from stores import FILLSTORE

NOTMUCHRC = ("[database]\npath=%s\nmail_root=%s\n[user]\nname=A\n"
             "primary_email=ana@lab.test\n[new]\ntags=inbox;unread\nignore=\n"
             "[search]\nexclude_tags=\n[maildir]\nsynchronize_flags=true\n")
TYPED = ("meeting thursday", "invoice september", "from:ruth budget",
         "contract signed", "the server was restarted", "lisbon flights")
KEY_LIMIT_S = 0.05


def say(text):
    print(time.strftime("  %H:%M:%S ") + text, flush=True)


def size_of(folder):
    """MB on the disk."""
    return sum(os.lstat(os.path.join(root, name)).st_blocks * 512
               for root, _, names in os.walk(folder) for name in names) / 1e6


class Found:
    """A store of so many messages, and the peers' indexes of it."""

    def __init__(self, count, kind):
        self.count = count
        self.dir = tempfile.mkdtemp(prefix="prfind-",
                                    dir=os.environ.get("BENCH_DIR", "/var/tmp"))
        self.store = self.path("data", "postrider")
        self.mail = os.path.join(self.store, "mail")
        self.env = dict(
            os.environ, HOME=self.dir, XDG_DATA_HOME=self.path("data"),
            XDG_CONFIG_HOME=self.path("config"), TZ="UTC", LANG="C.UTF-8",
            XDG_STATE_HOME=self.path("state"), XDG_CACHE_HOME=self.path("cache"),
            XDG_RUNTIME_DIR=self.path("run"), NOTMUCH_CONFIG=self.path("nmrc"),
            MUHOME=self.path("mu"))
        self.kind = kind

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def __enter__(self):
        os.makedirs(os.path.dirname(self.store))
        os.mkdir(self.path("run"), 0o700)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def fill(self):
        """Seconds, less those that the corpus itself takes."""
        if not os.path.exists(FILLSTORE):
            raise Broken("%s is not built: make tests/bench/fillstore"
                         % FILLSTORE)
        corpus = os.path.join(TOP, "tests", "lab", "corpus.py")
        source = self.path("corpus")
        with open(source, "wb") as out:
            subprocess.run(["python3", corpus, str(self.count), "1",
                            self.kind], stdout=out, check=True)
        os.sync()
        begun = time.monotonic()
        with open(source, "rb") as data:
            subprocess.run([FILLSTORE, self.store], stdin=data, check=True,
                           stdout=subprocess.DEVNULL, env=self.env)
        taken = time.monotonic() - begun
        os.unlink(source)
        return taken

    def notmuch(self):
        """Seconds of `notmuch new`; None: it is not installed."""
        if not shutil.which("notmuch"):
            return None
        os.mkdir(self.path("notmuch"))
        with open(self.path("nmrc"), "w") as out:
            out.write(NOTMUCHRC % (self.path("notmuch"), self.mail))
        return timed(["notmuch", "new", "--quiet", "--no-hooks"], self.env,
                     timeout=6 * HOURS)

    def mu(self):
        if not shutil.which("mu"):
            return None
        timed(["mu", "init", "--quiet", "--maildir=" + self.mail], self.env)
        return timed(["mu", "index", "--quiet"], self.env, timeout=6 * HOURS)

    def words(self):
        """(rare, common, begins, phrase, sender) as the mail has them."""
        rows = self.search("--limit", "400", "*")
        text = " ".join(re.findall(r"[a-z]{5,}", " ".join(
            row["preview"] for row in rows).lower()))
        count = {}
        for word in text.split():
            count[word] = count.get(word, 0) + 1
        ranked = sorted(count, key=lambda word: (count[word], word))
        pairs = {}
        for row in rows:
            for pair in re.findall(r"(?=\b([a-z]{3,} [a-z]{3,})\b)",
                                   row["preview"]):
                pairs[pair] = pairs.get(pair, 0) + 1
        phrase = max(sorted(pairs), key=lambda pair: pairs[pair])
        common = ranked[-1]
        return (ranked[0], common, common[:3], phrase,
                rows[7]["from"]["address"])

    def search(self, *args):
        import json
        done = subprocess.run([POSTRIDER, "search", "--json", *args],
                              env=self.env, capture_output=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def ours(self, query):
        return timed([POSTRIDER, "search", "--limit", "50", "--", query],
                     self.env)


def peers(found, queries):
    """(name, {what: command}) of those that are installed and have indexed."""
    sides = []
    if shutil.which("notmuch"):
        sides.append(("notmuch search", {
            what: ["notmuch", "search", "--limit=50", theirs]
            for what, (_, theirs, _) in queries.items()}))
    if shutil.which("mu"):
        sides.append(("mu find", {
            what: ["mu", "find", "--maxnum=50", "--sortfield=date",
                   "--reverse", query]
            for what, (_, _, query) in queries.items()}))
    return sides


def first_hits(found, passes):
    rare, common, begins, phrase, sender = found.words()
    name = sender.split("@")[0]
    queries = {
        "a rare word": (rare,) * 3,
        "a common word": (common,) * 3,
        "from:": ("from:" + sender,) * 2 + ("from:" + sender,),
        "a range of dates": ("date:2024-03..2024-04", "date:2024-03..2024-04",
                             "date:20240301..20240430"),
        "a phrase": ('"%s"' % phrase,) * 3,
        "a beginning": (begins + "*",) * 3,
        "from: and a common word": ("from:%s %s" % (name, common),) * 3,
        "not a common word": ("not " + common,) * 3,
    }
    sides = peers(found, queries)
    rows = []
    for what, (ours, _, _) in queries.items():
        times = [found.ours(ours) for _ in range(passes + 1)][1:]
        label = "first 50 of %d: %s" % (found.count, what)
        if not sides:
            rows.append(Row(label, times))
        for side, commands in sides:
            # mu ends with 2 when it finds nothing.
            theirs = [timed(commands[what], found.env, ok=(0, 2, 4))
                      for _ in range(passes + 1)][1:]
            rows.append(Row(label, times, theirs, side, 1))
    return rows


def as_typed(found):
    """A search for each key, as the screen asks: the last word is a
    beginning when it has three letters.  Start and end of a process come on
    top of what a key costs there."""
    times = []
    for text in TYPED:
        for end in range(1, len(text) + 1):
            typed = text[:end]
            last = re.search(r"[a-z]*$", typed).group()
            if typed.endswith(":"):
                continue
            if len(last) >= 3 and not typed[:-len(last)].endswith(":"):
                typed += "*"
            times.append(found.ours(typed.strip()))
    times.sort()
    at = min(len(times) - 1, int(len(times) * 0.99))
    say("a key: median %.1f ms, 99th percentile %.1f ms, worst %.1f ms" % (
        statistics.median(times) * 1e3, times[at] * 1e3, times[-1] * 1e3))
    return [Row("as typed, %d: 99th percentile of a key (as a command)"
                % found.count, [times[at]], limit=KEY_LIMIT_S)]


def statistics_rows(found):
    first = timed([POSTRIDER, "stats", "--months", "0"], found.env)
    again = [timed([POSTRIDER, "stats", "--months", "0"], found.env)
             for _ in range(3)]
    return [Row("stats of %d, the first time" % found.count, [first]),
            Row("stats of %d, again" % found.count, again)]


def finding(count, passes, kind):
    """All rows of one size."""
    rows = []
    with Found(count, kind) as found:
        say("filling a store with %d messages" % count)
        filled = found.fill()
        say("%.0f s; notmuch new" % filled)
        indexed = found.notmuch()
        if indexed:
            say("%.0f s" % indexed)
        if found.mu():
            say("mu has indexed them, too")
        os.sync()
        rows.append(Row("full text of %d (and all else) stored" % count,
                        [filled], [indexed] if indexed else None,
                        "notmuch new", 15))
        rows += statistics_rows(found)      # brings an older schema forward
        rows += first_hits(found, passes)
        rows += as_typed(found)
        if indexed:
            database = size_of(self_files(found))
            rows.append(Row("database of %d" % count, [database],
                            [size_of(found.path("notmuch"))],
                            "notmuch's index", 4, unit="MB"))
    return rows


def self_files(found):
    """The database alone, in a folder of its own."""
    folder = found.path("database")
    os.mkdir(folder)
    for name in os.listdir(found.store):
        if name.startswith("postrider.db"):
            os.link(os.path.join(found.store, name),
                    os.path.join(folder, name))
    return folder
