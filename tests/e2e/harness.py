"""Everything an end-to-end test needs, in one import:

    from harness import *

    world = keep(World())                         # servers for ana, ben, carol
    ana, ben = keep(world.home("ana")), keep(world.home("ben"))

    @test("Ana's mail reaches Ben")
    def ana_writes_to_ben():
        ana.ok("-s", "Hello", "--", "ben@lab.test", stdin="Hi Ben\\n")
        with world.oracle("ben") as server:
            wait_for(lambda: server.uids("INBOX"), what="the mail")

    if __name__ == "__main__":
        main()

World()          a lab of its own in /tmp, down at the end; options as in
                 tests/lab/world.py: World(off=["move"], smtp="aiosmtpd", …)
world.home()     a private $HOME on an account of a user       (home.py)
world.oracle()   the server's own view by another client       (oracle.py)
Screen, Pty      the program in a terminal                     (screen.py)
test, keep, temporary, wait_for, equal, contains, refuses, note, Skip, main
                 the tests of a file, reported as TAP          (tap.py)
"""

import os
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lab"))

import deliver as lab_deliver
import world as lab_world
from home import POSTRIDER, Home, Result
from oracle import Message, Oracle
from screen import Pty, Screen
from spec import LabError
from tap import (LONG, Skip, at_end, chance, contains, equal, keep, main, note,
                 on_failure, refuses, temporary, test, wait_for)

__all__ = ["POSTRIDER", "TOP", "Home", "LONG", "LabError", "Message", "Oracle", "Pty",
           "Result", "Screen", "Skip", "World", "at_end", "chance", "contains", "equal",
           "keep", "lab_world", "main", "note", "on_failure", "refuses",
           "temporary", "test", "wait_for"]


class World:
    """A lab in a temporary folder.  spec holds ports, users, CA."""

    def __init__(self, **options):
        self.dir = tempfile.mkdtemp(prefix="prworld-", dir="/tmp")
        os.chmod(self.dir, 0o711)
        try:
            self.lab = lab_world.World.up(self.dir, **options)
        except BaseException:
            if os.path.isdir(self.dir) and not os.listdir(self.dir):
                os.rmdir(self.dir)
            raise
        on_failure(self._note_logs)

    @property
    def spec(self):
        return self.lab.spec

    @property
    def ports(self):
        return self.lab.spec.ports

    def home(self, user, **options):
        return Home(self.spec, user, **options)

    def oracle(self, user, port="imaps"):
        return Oracle(self.spec, user, port)

    def deliver(self, user, *messages, sender="sender@elsewhere.test"):
        """Puts messages (bytes) into a person's INBOX, by LMTP."""
        lab_deliver.deliver(self.spec, user, messages, sender)

    def kill_server(self, name):
        self.lab.kill_server(name)

    def start_server(self, name):
        self.lab.start_server(name)

    def log(self, name):
        """The text of a log: dovecot.log, postfix.log, …"""
        with open(self.spec.path("log", name), errors="replace") as file:
            return file.read()

    def _note_logs(self):
        """The last words of the servers, for who reads of a failure."""
        folder = self.spec.path("log")
        for name in sorted(os.listdir(folder)
                           if os.path.isdir(folder) else []):
            lines = self.log(name).splitlines()[-12:]
            if lines:
                note("%s:\n  %s" % (name, "\n  ".join(lines)))

    def close(self):
        self.lab.down()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self._note_logs()
        self.close()
