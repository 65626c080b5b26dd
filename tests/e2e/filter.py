#!/usr/bin/env python3
"""postrider filter on files, as somebody uses it who has no account: taught with
folders, Maildirs and mboxes, asked, told why, corrected, and with hostile mail."""

import json
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "bench")]

from filter_mail import made_up     # noqa: E402
from tap import keep, main, test    # noqa: E402

POSTRIDER = os.path.abspath(os.environ["POSTRIDER"])


class Home:
    """A directory with nothing in it, and mail beside it."""

    def __init__(self, top):
        self.top = top
        self.env = {"HOME": self.top + "/home", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        os.mkdir(self.top + "/home")
        self.mail = list(made_up(600, seed=7))

    def run(self, *words, code=0):
        done = subprocess.run([POSTRIDER, "filter", *words], env=self.env, capture_output=True, timeout=120)
        assert done.returncode == code, (words, done.returncode, done.stderr)
        return done.stdout.decode(), done.stderr.decode()

    def rows(self, *words):
        return [json.loads(line) for line in self.run("--json", *words)[0].splitlines()]

    def path(self, *names):
        return os.path.join(self.top, *names)

    def write(self, data, *names):
        path = self.path(*names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def lay(self):
        """300 to learn as a folder, a Maildir and an mbox; 300 to be judged."""
        boxes = {True: b"", False: b""}
        for number, (data, junk, _) in enumerate(self.mail):
            kind = "junk" if junk else "good"
            if number >= 300:
                self.write(data, "judge", kind, "%d" % number)
            elif number % 3 == 0:
                self.write(data, "learn", kind, "%d.eml" % number)
            elif number % 3 == 1:
                self.write(data, "maildir-" + kind, "cur", "%d:2,S" % number)
            else:
                boxes[junk] += b"From x@example.org Thu Nov 12 10:42:01 2026\n" + data + b"\n"
        self.write(b"not mail", "maildir-junk", "tmp", "half")
        self.write(boxes[True], "mbox-junk")
        self.write(boxes[False], "mbox-good")


home = Home(keep(tempfile.TemporaryDirectory(prefix="filter-")))
home.lay()


@test("without lessons everything is unsure, it says so, and makes no store")
def silent():
    rows = home.rows("score", home.path("judge"))
    assert len(rows) == 300 and all(row["verdict"] == "unsure" for row in rows)
    assert "silent" in home.run("score", home.path("judge", "good"))[1]
    assert not os.path.exists(home.path("home", ".local", "share", "postrider")), "asking made a store"


@test("learns from folders, Maildirs and mboxes in one go; a message counts once")
def learns():
    row = home.rows("train", "--junk", home.path("learn/junk"), home.path("maildir-junk"), home.path("mbox-junk"),
                    "--good", home.path("learn/good"), home.path("maildir-good"), home.path("mbox-good"))[0]
    junk = sum(j for _, j, _ in home.mail[:300])
    assert (row["junk"], row["good"], row["skipped"]) == (junk, 300 - junk, 0), row
    again = home.rows("train", "--junk", home.path("learn/junk"))[0]
    assert (again["seen_junk"], again["seen_good"]) == (junk, 300 - junk), again


@test("judges mail that it has not seen")
def judges():
    rows = home.rows("score", home.path("judge"))
    assert len(rows) == 300
    for row in rows:
        junk = "/junk/" in row["path"]
        assert row["verdict"] != ("good" if junk else "junk"), row
        assert 0 <= row["score"] <= 1
        assert (row["score"] >= 0.9) == (row["verdict"] == "junk") and (row["score"] < 0.1) == (row["verdict"] == "good"), row
    right = sum(row["verdict"] == ("junk" if "/junk/" in row["path"] else "good") for row in rows)
    assert right >= 285, right
    boxed = home.rows("score", home.path("mbox-junk"))
    assert boxed[0]["path"].endswith("mbox-junk:1") and boxed[2]["path"].endswith("mbox-junk:3")
    said = home.run("score", home.path("judge", "junk"))[0].splitlines()[0].split()
    assert len(said) == 3 and said[1] in ("junk", "unsure") and 0 <= float(said[2]) <= 1


@test("the same message as the other kind takes the first lesson back")
def corrected():
    path = home.write(b"From: odd@bird.example\nSubject: Replica\n\nreplica rolex discount pills, said the museum\n", "odd")
    start = home.rows("status")[0]
    home.run("train", "--junk", path)
    junk = home.rows("score", path)[0]["score"]
    home.run("train", "--good", path)
    good = home.rows("score", path)[0]["score"]
    assert good < junk, (good, junk)
    now = home.rows("status")[0]
    assert (now["seen_junk"], now["seen_good"]) == (start["seen_junk"], start["seen_good"] + 1)


@test("says why, and forgets a word")
def explains():
    path = home.write(b"From: a@b.example\nSubject: hello\n\nviagra replica\n", "why")
    why = home.rows("why", path)[0]
    words = {row["word"]: row["weight"] for row in why["words"]}
    assert words["viagra"] > 0 and words["replica"] > 0, words
    assert why["verdict"] in ("good", "unsure", "junk")
    home.run("forget", "viagra")
    after = home.rows("why", path)[0]
    words = {row["word"] for row in after["words"]}
    assert "viagra" not in words and "replica" in words, words
    assert home.rows("status")[0]["forgotten"] == ["viagra"]
    assert "replica" in home.run("why", path)[0]


@test("bytes that are no mail are judged all the same, and do not reach the terminal")
def hostile():
    pick = random.Random(5)
    data = [b"", b"\0" * 5000, bytes(pick.randrange(256) for _ in range(20000)), b"From: " + b"x" * 300000,
            b"Subject: \x1b]0;x\x07\n\n\x1b[31mred", b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 50000]
    for number, piece in enumerate(data):
        home.write(piece, "hostile", "%d\x1b[2J" % number)
    rows = home.rows("score", home.path("hostile"))
    assert len(rows) == len(data)
    assert "\x1b" not in home.run("why", home.path("hostile", "4\x1b[2J"))[0]


@test("mistakes have their exit codes")
def mistakes():
    for words, code in ((("score",), 64), (("train", home.path("odd")), 64), (("train",), 64), (("learn",), 64),
                        (("forget",), 64), (("score", home.path("not-there")), 66),
                        (("train", "--junk", home.path("not-there")), 66), (("why", home.path("judge")), 66)):
        assert home.run(*words, code=code)[1], words


if __name__ == "__main__":
    main()
