"""A device: a store of its own on a person's account, driven through
tests/unit/sync_device (the library without engine and commands, so that a
test decides when a pass happens and where it is killed)."""

import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from harness import TOP, equal
from oracle import digest

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(
    os.environ.get("POSTRIDER", os.path.join(TOP, "postrider")))),
    "tests", "unit", "sync_device")

# Maildir letters and what a server calls them.
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "P": "$Forwarded",
           "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
# As in enum leave_what.
LEAVE = ["always", "until-deleted", "30d", "never"]
SIGKILLED = -signal.SIGKILL


class Failed(AssertionError):
    pass


class Device:
    """account: what the store calls it; beside: a device whose store it
    shares; leave: a word of LEAVE makes it a device on the POP3 mailbox."""

    def __init__(self, world, user, without="", keep="", folder="/tmp",
                 account="lab", beside=None, leave=None, port=None):
        spec = world.spec
        self.dir = tempfile.mkdtemp(prefix="prdev-", dir=folder)
        self.store = (beside.store if beside
                      else os.path.join(self.dir, "store"))
        self.dropped = []               # append_all()
        self.env = dict(os.environ, HOME=self.dir, XDG_STATE_HOME=self.dir,
                        LAB_HOST=spec.host, LAB_CA=spec.ca,
                        LAB_IMAPS_PORT=str(spec.ports["imaps"]),
                        LAB_PASSWORD=spec.password, SYNC_USER=user,
                        SYNC_WITHOUT=without, SYNC_ACCOUNT=account)
        for name in ("POSTRIDER_FAIL", "SYNC_KEEP", "SYNC_LEAVE"):
            self.env.pop(name, None)
        if keep:
            self.env["SYNC_KEEP"] = keep
        if leave:
            self.env["SYNC_LEAVE"] = str(LEAVE.index(leave))
            self.env["LAB_POP3S_PORT"] = str(port or spec.ports["pop3s"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def copy_store(self, path):
        """The store as it lies on disk, for a later restore()."""
        shutil.copytree(self.store, path, symlinks=True)

    def restore(self, path):
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(path, self.store, symlinks=True)

    rules = ""          # of base/fail.h, for every run of every device

    def _fail(self, fail):
        return ",".join(filter(None, (self.rules, fail)))

    def try_run(self, *words, fail="", env=()):
        """(exit code, lines, errors)"""
        env = dict(self.env, **dict(env))
        if self.rules or fail:
            env["POSTRIDER_FAIL"] = self._fail(fail)
        done = subprocess.run([PROGRAM, self.store, *words], env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, lines, done.stderr.decode("utf-8", "replace")

    def run(self, *words):
        code, lines, errors = self.try_run(*words)
        if code:
            raise Failed("%s: exit %d: %s" % (" ".join(words), code, errors))
        return lines

    def run_all(self, commands):
        """Several commands, each a list of words, by one process."""
        words = [word for command in commands for word in (*command, ";")]
        return self.run(*words[:-1]) if words else []

    # A pass; the figures of it, with what it had to say in "told".

    def sync(self, *words):
        lines = self.run("sync", *words)
        done = lines[-1]
        done["told"] = [line["text"] for line in lines[:-1]
                        if line["kind"] == "notice"]
        done["planned"] = ["%s: %s" % (line["folder"], line["text"])
                           for line in lines[:-1] if line["kind"] == "plan"]
        return done

    def push(self):
        return self.run("push")[-1]

    # What the user does

    def mark(self, message_id, flags="", add="", remove=""):
        self.run("mark", message_id, flags, add, remove)

    def move(self, message_id, source, target):
        self.run("move", message_id, source, target)

    def copy(self, message_id, source, target):
        self.run("copy", message_id, source, target)

    def delete(self, message_id, folder):
        self.run("delete", message_id, folder)

    def expunge(self, folder, *message_ids):
        self.run("expunge", folder, *message_ids)

    def append(self, folder, data, flags="S", tags="", replaces=None):
        path = os.path.join(self.dir, "message.eml")
        with open(path, "wb") as out:
            out.write(data)
        self.run("append", folder, path, flags, tags,
                 *([replaces] if replaces else []))

    def append_all(self, folder, mails):
        """As another program that drops many into the Maildir."""
        new = os.path.join(self.store, "mail", "lab", folder, "new")
        for part in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(os.path.dirname(new), part), 0o700, True)
        for mail in mails:
            number = len(self.dropped)
            self.dropped.append(number)
            with open(os.path.join(new, "%d.dropped" % number), "wb") as out:
                out.write(mail)

    # What it holds

    def list(self):
        return self.run("list")

    def snapshot(self):
        """As oracle.snapshot(): folder -> sorted [(message id, flags)]."""
        found = {folder["name"]: [] for folder in self.run("folders")
                 if folder["bits"] & 3 == 3 and not folder["bits"] & 4}
        for row in self.list():
            flags = [LETTERS[letter] for letter in row["flags"]]
            found.setdefault(row["folder"], []).append(
                (row["id"], tuple(sorted(flags + row["tags"].split()))))
        return {folder: sorted(rows) for folder, rows in found.items()}

    def folders(self):
        return {row["name"]: row for row in self.run("folders")}

    def check(self):
        """The database is sound and nothing waits."""
        lines = self.run("check")
        problems = [line["text"] for line in lines if line["kind"] == "problem"]
        if problems or lines[-1]["n"]:
            raise AssertionError("%d intents left; %s" % (
                lines[-1]["n"], problems))

    def files(self):
        """Message files below mail/, without those kept after removal."""
        found = []
        for path, dirs, names in os.walk(os.path.join(self.store, "mail")):
            dirs[:] = [d for d in dirs if not d.startswith(".")]
            if os.path.basename(path) in ("cur", "new"):
                found += [os.path.join(path, name) for name in names]
        return found


class Fast(Device):
    """A device for thousands of cases: one process, a fork for each pass, the
    store in memory where there is such a place.  `used` has what the last run
    cost: code, cpu_us, rss_kb, threads, waited_us (for a processor), and `ended`,
    when (monotonic)."""

    def __init__(self, world, user, port=None, tls="", **options):
        shared = "/dev/shm"
        super().__init__(world, user, folder=shared if os.access(
            shared, os.W_OK) else "/tmp", **options)
        if port:
            self.env["LAB_IMAPS_PORT"] = str(port)
        if tls:
            self.env["SYNC_TLS"] = tls
        self.used = {}
        self.pid = None                 # of the run under way
        self._process = None

    def __exit__(self, *_):
        if self._process:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
        super().__exit__()

    def begin(self, *words, fail=""):
        """Starts it without waiting; end() gives what try_run() does."""
        if not self._process:
            self._process = subprocess.Popen(
                [PROGRAM, "-"], env=self.env, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE)
        fail = self._fail(fail)
        line = ["POSTRIDER_FAIL=" + fail] if fail else []
        line += ["LAB_IMAPS_PORT=" + self.env["LAB_IMAPS_PORT"], self.store]
        self._process.stdin.write(
            "\t".join([*line, *words]).encode() + b"\n")
        self._process.stdin.flush()

        self.pid = json.loads(self._process.stdout.readline())["pid"]

    def has_answered(self):
        """Something of the run's answer is there: it has ended, or told."""
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def end(self):
        lines, errors = [], []
        for line in self._process.stdout:
            if not line.startswith(b"{"):
                errors.append(line)
                continue
            lines.append(json.loads(line))
            if lines[-1].get("kind") == "exit":
                break
        else:
            raise Failed("the device died")
        self.used = dict(lines.pop(), ended=time.monotonic())
        if lines and lines[-1].get("kind") == "threads":
            told = lines.pop()
            self.used.update(threads=told["n"], waited_us=told["waited_us"])
        return (self.used["code"], lines,
                b"".join(errors).decode("utf-8", "replace"))

    def try_run(self, *words, fail=""):
        self.begin(*words, fail=fail)
        return self.end()

    def truth(self):
        """What the database and the files say, without the program: folder ->
        {uid: (flags, digest)}, as oracle.truth().  A message file that no row
        knows, or two rows for one, is an error."""
        base = sqlite3.connect("file:%s?mode=ro" % os.path.join(
            self.store, "postrider.db"), uri=True)
        try:
            rows = base.execute(
                "SELECT f.name, f.dir, p.uid, p.flags, p.tags, p.file"
                " FROM placement p JOIN folder f ON f.id = p.folder"
                " WHERE p.state <> %d" % LEAVING).fetchall()
        finally:
            base.close()
        files = {os.path.join(*path.rsplit("/", 3)[-3::2]): path
                 for path in self.files()}
        found = {}
        for name, folder, uid, flags, tags, file in rows:
            path = files.pop(os.path.join(os.path.basename(folder),
                                          file or ""), None)
            if uid in found.setdefault(name, {}):
                raise AssertionError("%s has UID %d twice" % (name, uid))
            found[name][uid] = (flag_names(flags, tags),
                                digest_file(path) if path else None)
        if files:
            raise AssertionError("no row has %s" % sorted(files.values()))
        return found


# Bits of a placement's flags (base/flags.h).
FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft",
         "$Forwarded"]
LEAVING = 1                             # PLACEMENT_LEAVING


def flag_names(flags, tags):
    return frozenset([name for bit, name in enumerate(FLAGS)
                      if flags >> bit & 1] + tags.split())


def digest_file(path):
    with open(path, "rb") as data:
        return digest(data.read())


def quiet(done):
    """A pass that found nothing to do."""
    for key in ("envelopes", "bodies", "flags_in", "flags_out", "moved",
                "copied", "uploaded", "expunged", "removed", "notices"):
        equal(done[key], 0, key)


def message(number, subject=None, body="Hello.\n", extra="", message_id=None):
    return ("From: Ana <ana@lab.test>\nTo: ben@lab.test\n"
            "Date: Mon, 23 Nov 2026 10:%02d:%02d +0000\n"
            "Message-ID: <%s>\nSubject: %s\n%s\n%s" % (
                number // 60 % 60, number % 60,
                message_id or "m%d@lab.test" % number,
                subject or "message %d" % number, extra, body)).encode()
