"""Who is measured: postrider, and mbsync and notmuch beside it; each in a
home of its own, on the same mailbox of the same server."""

import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "e2e"))

from harness import POSTRIDER, wait_for  # noqa: E402

HOURS = 3600
FLAGGED = 4                     # FLAG_FLAGGED of base/flags.h


class Broken(Exception):
    """What was measured did not do what it should: the text says what."""


def timed(command, env, timeout=2 * HOURS, ok=(0,)):
    """Seconds from exec to exit."""
    begun = time.monotonic()
    try:
        done = subprocess.run(command, env=env, timeout=timeout,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
    except subprocess.TimeoutExpired:
        raise Broken("%s did not end within %d s"
                     % (" ".join(command), timeout)) from None
    taken = time.monotonic() - begun
    if done.returncode not in ok:
        raise Broken("%s: exit %d: %s" % (
            " ".join(command), done.returncode,
            done.stderr.decode(errors="replace").strip()[-500:]))
    return taken


class Ours:
    """A home of postrider on one account."""
    name = "postrider"

    def __init__(self, world, user, stack, general=("notmuch = off",),
                 account=()):
        self.user = user
        self.home = stack.enter_context(
            world.home(user, general=list(general), account=list(account)))
        self.env = self.home.env

    def sync(self):
        return timed([POSTRIDER, "sync"], self.env)

    def run(self, *args):
        return timed([POSTRIDER, *args], self.env)

    def rest(self):
        """No engine left: the next command begins from nothing."""
        try:
            wait_for(lambda: not self.home.processes(), 60,
                     "the end of the engine")
        except AssertionError:
            raise Broken("an engine of %s did not end" % self.user) from None

    def stop(self):
        self.home.stop()

    def off_line(self):
        """The server cannot be reached until on_line()."""
        path = self.home.config_file()
        self.on_line_config = text = open(path).read()
        lines = ["incoming = imap://%s@127.0.0.1:9" % self.user
                 if line.startswith("incoming") else line
                 for line in text.splitlines()]
        self.home.configure("\n".join(lines) + "\n")

    def on_line(self):
        self.stop()
        self.home.configure(self.on_line_config)

    def one(self, query, *values):
        return self.home.database(query, *values)[0][0]

    def inbox(self):
        return self.one("SELECT id FROM folder WHERE role = 1")

    def count(self):
        """Messages with their files."""
        return self.one("SELECT count(*) FROM placement WHERE folder = ?"
                        " AND file IS NOT NULL", self.inbox())

    def flagged(self):
        return self.one("SELECT count(*) FROM placement WHERE folder = ?"
                        " AND flags & ?", self.inbox(), FLAGGED)

    def maildir(self):
        return self.home.data("mail", self.one(
            "SELECT dir FROM folder WHERE role = 1"))


MBSYNCRC = """IMAPAccount lab
Host {host}
Port {port}
User {user}
PassCmd "cat {secret}"
SSLType IMAPS
CertificateFile {ca}

IMAPStore far
Account lab

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX
SubFolders Verbatim

Channel lab
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
"""


class Mbsync:
    """A Maildir of mbsync's, which flushes each file (its default). It asks
    for the password as postrider does."""
    name = "mbsync"

    def __init__(self, world, user, stack):
        self.home = stack.enter_context(world.home(user))
        self.env = self.home.env
        folder = self.home.path("mbsync")
        os.makedirs(os.path.join(folder, "mail"))
        self.config = self.home.write("mbsyncrc", MBSYNCRC.format(
            host=world.spec.host, port=world.ports["imaps"], user=user,
            secret=self.home.path(".secret-" + user), ca=world.spec.ca,
            folder=folder))
        self.inbox = os.path.join(folder, "mail", "INBOX")

    def sync(self):
        return timed(["mbsync", "-q", "-c", self.config, "lab"], self.env)

    def rest(self):
        pass

    def files(self):
        return [os.path.join(self.inbox, part, name)
                for part in ("new", "cur")
                for name in os.listdir(os.path.join(self.inbox, part))]

    def count(self):
        return len(self.files())

    def flagged(self):
        return sum("F" in name.rpartition(":2,")[2]
                   for name in self.files() if ":2," in name)

    def flag(self, number):
        """As a mail reader does: so many files get the letter F."""
        plain = sorted(path for path in self.files()
                       if "F" not in path.rpartition(":2,")[2])
        step = max(1, len(plain) // number)
        for path in plain[::step][:number]:
            head, _, flags = path.rpartition(":2,")
            if not head:
                head, flags = path, ""
            name = os.path.basename(head) + ":2," + "".join(
                sorted(set(flags + "F")))
            os.rename(path, os.path.join(self.inbox, "cur", name))

    def close(self):
        pass


def has_mbsync():
    return shutil.which("mbsync") is not None


def notmuch_new(mbsync, sample):
    """(messages, seconds) of `notmuch new` over a part of mbsync's mail."""
    if not shutil.which("notmuch"):
        return None
    folder = mbsync.home.path("notmuch")
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, part))
    paths = sorted(mbsync.files())
    step = max(1, len(paths) // sample) if sample else 1
    paths = paths[::step][:sample or len(paths)]
    for path in paths:
        os.link(path, os.path.join(folder, "cur", os.path.basename(path)))
    config = mbsync.home.write("notmuchrc", (
        "[database]\npath=%s\n[user]\nname=A\nprimary_email=a@lab.test\n"
        "[new]\ntags=inbox\nignore=\n[search]\nexclude_tags=\n"
        "[maildir]\nsynchronize_flags=true\n") % folder)
    os.sync()
    taken = timed(["notmuch", "--config=" + config, "new", "--quiet"],
                  dict(mbsync.env, NOTMUCH_CONFIG=config))
    shutil.rmtree(folder)
    return len(paths), taken
