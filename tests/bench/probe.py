"""Looks at a run from outside while it goes on: memory out of /proc, and
what the store says so far."""

import contextlib
import os
import re
import sqlite3
import threading
import time
from datetime import datetime, timezone


class Memory:
    """The most memory that each of our processes had (VmHWM), in MB.

    Ours is what runs in a home, all its processes; looked for every quarter
    of a second.
    """

    def __init__(self, ours):
        self.home = ours.home
        self.peaks = {}
        self.total = 0              # of those that lived at the same time
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()

    def _run(self):
        while not self.end.wait(0.25):
            self.look()

    def look(self):
        """The total is as if each that lives had its most at once."""
        alive = 0
        for pid in self.home.processes():
            try:
                with open("/proc/%d/status" % pid) as status:
                    fields = dict(line.split(":", 1) for line in status)
            except OSError:
                continue                # ended meanwhile
            if "VmHWM" in fields:
                size = int(fields["VmHWM"].split()[0]) / 1024
                key = (pid, fields["Name"].strip())
                self.peaks[key] = max(self.peaks.get(key, 0), size)
                alive += size
        self.total = max(self.total, alive)

    def __str__(self):
        return " + ".join("%s %.0f" % (name, size) for (_, name), size in
                          sorted(self.peaks.items()))


class Watch:
    """When a store that fills has a list to read, all envelopes, all bodies
    (seconds since this was entered; what is committed is durable)."""
    SCREEN = 100

    def __init__(self, ours, count):
        self.path = ours.home.data("postrider.db")
        self.log = ours.home.path("state", "postrider", "engine.log")
        self.count = count
        self.readable = self.envelopes = self.bodies = None
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.begun = time.monotonic()
        self.wall = time.time()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()
        with contextlib.suppress(sqlite3.Error):
            self._look()

    def _run(self):
        while self.bodies is None and not self.end.wait(0.05):
            with contextlib.suppress(sqlite3.Error):
                self._look()

    def _look(self):
        connection = sqlite3.connect("file:%s?mode=ro" % self.path, uri=True,
                                     isolation_level=None)
        try:
            folder = connection.execute(
                "SELECT id FROM folder WHERE role = 1").fetchone()
            if folder:
                self._ask(connection, folder[0])
        finally:
            connection.close()

    def _ask(self, connection, folder):
        def there(query, *values):
            return connection.execute(query, (folder, *values)).fetchone()
        now = time.monotonic() - self.begun
        if self.readable is None:
            if there("SELECT 1 FROM placement WHERE folder = ?"
                     " LIMIT 1 OFFSET ?", min(self.SCREEN, self.count) - 1):
                self.readable = now
        elif self.envelopes is None:
            if there("SELECT count(*) FROM placement WHERE folder = ?"
                     )[0] >= self.count:
                self.envelopes = now
        elif self.bodies is None:
            if not there("SELECT 1 FROM placement WHERE folder = ?"
                         " AND file IS NULL LIMIT 1"):
                self.bodies = now

    def login(self):
        """When the log says that the login was done."""
        with open(self.log, errors="replace") as log:
            found = re.search(r"^(\S+)Z \d+ info imap: logged in", log.read(),
                              re.MULTILINE)
        if not found:
            return None
        when = datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc)
        return when.timestamp() - self.wall
