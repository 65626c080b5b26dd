#!/usr/bin/env python3
"""The learning filter beside bogofilter with its defaults, on mail that is given.

    filter.py [DIR]        CORPUS=DIR make bench

DIR holds files, Maildirs or mboxes in folders whose names say what is in them:
good, ham or nice, and spam or junk. Without it there is mail made up on the
spot, and the table says so: that shows that both work, not which is better.

Three ways: half of the messages are learned and the other half judged, by a
hash of their content; the older half is learned and the younger judged; and by
hash again with headers cut down to From, Subject, Date and those of the body.
ACROSS=DIR2 adds a fourth: all of DIR is learned and all of DIR2 judged.

A line for each filter: good mail called junk, spam called good, spam unsure,
good mail unsure; the area over the ROC curve (the share of pairs of a good and
a junk message that stand in the wrong order, in percent); messages a second,
learning and judging. Exit code 1: ours did not do what it should.
"""

import email.utils
import hashlib
import json
import mailbox
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
POSTRIDER = os.path.abspath(os.environ.get("POSTRIDER") or os.path.join(HERE, "..", "..", "postrider"))
KEPT = re.compile(rb"(from|subject|date|mime-version|content-[\w-]+)\s*:", re.I)
JUNK, GOOD = re.compile(r"spam|junk", re.I), re.compile(r"good|ham|nice", re.I)


# ---- the mail

class Mail:
    def __init__(self, data, junk, arrived):
        self.data, self.junk = data, junk
        self.hash = hashlib.sha256(data).digest()
        self.time = arrived or sent(data)


def sent(data):
    found = re.search(rb"^date:([^\n]*)", data, re.I | re.M)
    try:
        parsed = email.utils.parsedate_to_datetime(found[1].decode("latin-1").strip())
        return parsed.timestamp()
    except (TypeError, ValueError, OverflowError, AttributeError):
        return 0


def kind_of(path, top):
    """What the name nearest to the file says; None: nothing."""
    for name in reversed(path.relative_to(top).parts):
        if GOOD.search(name) and not JUNK.search(name):
            return False
        if JUNK.search(name):
            return True
    return None


def messages(path):
    with open(path, "rb") as file:
        start = file.read(5)
        if start == b"From " and b"\n\nFrom " in start + file.read():
            for message in mailbox.mbox(path, create=False):
                yield message.as_bytes()
            return
        file.seek(0)
        yield file.read()


def read(top):
    top, found, seen = pathlib.Path(top), [], set()
    for path in sorted(top.rglob("*")):
        junk = kind_of(path, top) if path.is_file() else None
        if junk is None or path.name.lower() in ("cmds", "index", "readme"):
            continue
        for data in messages(path):
            mail = Mail(data, junk, 0)
            if mail.hash not in seen:
                seen.add(mail.hash)
                found.append(mail)
    return found


def cut(data):
    """The message with no more header than From, Subject, Date and the body's."""
    head, gap, body = re.sub(rb"\r\n", b"\n", data).partition(b"\n\n")
    fields = re.split(rb"\n(?![ \t])", head)
    return b"\n".join(f for f in fields if KEPT.match(f)) + gap + body


def lay(folder, mails, bare):
    """Writes them as files; the folders for learning, and the list of those to judge."""
    paths = []
    for number, mail in enumerate(mails):
        place = os.path.join(folder, "junk" if mail.junk else "good")
        os.makedirs(place, exist_ok=True)
        path = os.path.join(place, "%06d" % number)
        with open(path, "wb") as file:
            file.write(cut(mail.data) if bare else mail.data)
        paths.append(path)
    return paths


# ---- the two filters: each learns from two folders, then judges files

def spent(start):
    return max(time.monotonic() - start, 1e-6)


class Ours:
    name = "postrider"

    def __init__(self, home):
        self.env = dict(os.environ, HOME=home, XDG_DATA_HOME=home + "/data", XDG_CONFIG_HOME=home + "/config",
                        XDG_RUNTIME_DIR=home, XDG_CACHE_HOME=home + "/cache", LC_ALL="C.UTF-8")

    def run(self, *words):
        return subprocess.run([POSTRIDER, "filter", *words], env=self.env, check=True,
                              stdout=subprocess.PIPE).stdout

    def learn(self, folder):
        self.run("train", "--junk", folder + "/junk", "--good", folder + "/good")

    def judge(self, folder):
        verdicts = {}
        for line in self.run("score", "--json", folder).decode().splitlines():
            row = json.loads(line)
            verdicts[row["path"]] = row["verdict"], row["score"]
        return verdicts


class Bogofilter:
    name = "bogofilter"

    def __init__(self, home):
        self.home = home

    def run(self, *words, names=()):
        done = subprocess.run(["bogofilter", "-d", self.home, *words], stdout=subprocess.PIPE,
                              input="".join(name + "\n" for name in names).encode())
        if done.returncode > 2:
            raise subprocess.CalledProcessError(done.returncode, done.args)
        return done.stdout

    def learn(self, folder):
        for option, kind in (("-s", "junk"), ("-n", "good")):
            place = os.path.join(folder, kind)
            self.run(option, "-b", names=(os.path.join(place, n) for n in sorted(os.listdir(place))))

    def judge(self, folder):
        names = [str(p) for p in sorted(pathlib.Path(folder).rglob("*")) if p.is_file()]
        words = {"S": "junk", "H": "good", "U": "unsure"}
        verdicts = {}
        for line in self.run("-b", "-T", "-v", names=names).decode().splitlines():
            path, verdict, score = line.rsplit(None, 2)
            verdicts[path] = words[verdict], float(score)
        return verdicts


# ---- the table

def area_over(scores):
    """Percent of pairs in the wrong order, those that are equal by half; scores are (score, junk)."""
    wrong, junk_below, i = 0, 0, 0
    scores = sorted(scores)
    while i < len(scores):
        j = i
        while j < len(scores) and scores[j][0] == scores[i][0]:
            j += 1
        junk = sum(row[1] for row in scores[i:j])
        good = j - i - junk
        wrong += good * (junk_below + junk / 2)
        junk_below += junk
        i = j
    good = len(scores) - junk_below
    return 100 * wrong / (good * junk_below) if good and junk_below else 0


def measure(filter_class, learned, judged, bare):
    with tempfile.TemporaryDirectory(prefix="filter-") as place:
        home = os.path.join(place, "home")
        os.mkdir(home)
        lay(place + "/learn", learned, bare)
        paths = lay(place + "/judge", judged, bare)
        side = filter_class(home)
        start = time.monotonic()
        side.learn(place + "/learn")
        learn = len(learned) / spent(start)
        start = time.monotonic()
        verdicts = side.judge(place + "/judge")
        judge = len(judged) / spent(start)
    counts = {(kind, verdict): 0 for kind in (False, True) for verdict in ("good", "unsure", "junk")}
    scores = []
    for path, mail in zip(paths, judged):
        verdict, score = verdicts[path]
        counts[mail.junk, verdict] += 1
        scores.append((score, mail.junk))
    return {"wrong": counts[False, "junk"], "missed": counts[True, "good"], "unsure": counts[True, "unsure"],
            "good": counts[False, "unsure"], "area": area_over(scores), "learn": learn, "judge": judge}


def ways(mails, across):
    by_hash = [m for m in mails if m.hash[0] % 2 == 0], [m for m in mails if m.hash[0] % 2]
    by_time = sorted(mails, key=lambda m: m.time)
    half = len(by_time) // 2
    yield "half, by hash", *by_hash, False
    yield "half, by time", by_time[:half], by_time[half:], False
    yield "headers cut", *by_hash, True
    if across:
        yield "across", mails, read(across), False


def table(mails, across, sides):
    held = True
    print("%-14s %-11s %9s %9s %9s %9s %10s %9s %9s" % (
        "", "", "good:junk", "junk:good", "junk:?", "good:?", "over ROC", "learn/s", "judge/s"))
    for way, learned, judged, bare in ways(mails, across):
        kinds = [sum(m.junk for m in judged), sum(not m.junk for m in judged)]
        print("%s: %d learned, %d good and %d junk judged" % (way, len(learned), kinds[1], kinds[0]))
        rows = []
        for side in sides:
            row = measure(side, learned, judged, bare)
            rows.append(row)
            print("%-14s %-11s %9d %9d %9d %9d %9.4f%% %9.0f %9.0f" % (
                "", side.name, row["wrong"], row["missed"], row["unsure"], row["good"], row["area"],
                row["learn"], row["judge"]), flush=True)
        if len(rows) == 2:
            ours, theirs = rows
            for text, holds in (
                    ("good mail called junk: not more", ours["wrong"] <= theirs["wrong"]),
                    ("junk called good: not more", ours["missed"] <= theirs["missed"]),
                    ("unsure junk: at most half", ours["unsure"] * 2 <= theirs["unsure"]),
                    ("area: smaller", ours["area"] < theirs["area"] or not theirs["area"]),
                    ("as fast, learning", ours["learn"] >= theirs["learn"]),
                    ("as fast, judging", ours["judge"] >= theirs["judge"])):
                if not holds:
                    print("%-14s does not hold: %s" % ("", text))
                    held = False
    return held


def main():
    place = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CORPUS")
    if place:
        mails = read(place)
    else:
        from filter_mail import made_up
        mails = [Mail(data, junk, arrived) for data, junk, arrived in made_up()]
        print("mail made up on the spot (CORPUS=DIR for some that is real)")
    only = os.environ.get("FILTERS", "postrider bogofilter").split()
    sides = [side for side in (Ours, Bogofilter) if side.name in only and (side is Ours or shutil.which(side.name))]
    if not any(m.junk for m in mails) or all(m.junk for m in mails):
        print("filter.py: %s: no folders of good and of junk mail" % place, file=sys.stderr)
        return 1
    return 0 if table(mails, os.environ.get("ACROSS"), sides) else 1


if __name__ == "__main__":
    sys.exit(main())
