"""A device: a store of its own on a person's account, driven through
tests/unit/sync_device (the library without engine and commands, so that a
test decides when a pass happens and where it is killed)."""

import json
import os
import shutil
import signal
import subprocess
import tempfile

from harness import TOP, equal

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(
    os.environ.get("POSTRIDER", os.path.join(TOP, "postrider")))),
    "tests", "unit", "sync_device")

# Maildir letters and what a server calls them.
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "P": "$Forwarded",
           "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
SIGKILLED = -signal.SIGKILL


class Failed(AssertionError):
    pass


class Device:
    def __init__(self, world, user, without="", keep=""):
        spec = world.spec
        self.dir = tempfile.mkdtemp(prefix="prdev-", dir="/tmp")
        self.store = os.path.join(self.dir, "store")
        self.env = dict(os.environ, HOME=self.dir, XDG_STATE_HOME=self.dir,
                        LAB_HOST=spec.host, LAB_CA=spec.ca,
                        LAB_IMAPS_PORT=str(spec.ports["imaps"]),
                        LAB_PASSWORD=spec.password, SYNC_USER=user,
                        SYNC_WITHOUT=without)
        for name in ("POSTRIDER_FAIL", "SYNC_KEEP"):
            self.env.pop(name, None)
        if keep:
            self.env["SYNC_KEEP"] = keep

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

    def try_run(self, *words, fail=""):
        """(exit code, lines, errors)"""
        env = dict(self.env, POSTRIDER_FAIL=fail) if fail else self.env
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
