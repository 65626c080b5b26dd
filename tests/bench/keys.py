"""From a key to the screen on a store of any size: page down, end, home, the
next unread message, a jump to a year ago; alone, and while another process
changes messages, which the screen follows.

A key's time ends with the last byte of the frame that it brings."""

import contextlib
import os
import select
import threading
import time

from harness import Pty
from rows import Row
from sides import Broken
from stores import home_with

FRAME = 0.016           # a frame of a screen with 60 a second
QUIET = 0.004           # silence that ends a frame


class Keys:
    """The screen, 120 x 40, and how long each key takes it."""

    def __init__(self, home):
        self.screen = Pty(home, width=120, height=40, env={"TERM": "xterm-256color"})
        self.screen.read_until("conversations", timeout=120)
        self.settle()

    def settle(self, quiet=0.3):
        while select.select([self.screen.fd], [], [], quiet)[0]:
            os.read(self.screen.fd, 1 << 16)

    def press(self, keys):
        """Seconds until the frame is there; None when the key changed nothing."""
        while select.select([self.screen.fd], [], [], 0)[0]:
            os.read(self.screen.fd, 1 << 16)
        begun = last = time.perf_counter()
        self.screen.send(keys)
        wait, size = 0.5, 0
        while select.select([self.screen.fd], [], [], wait)[0]:
            size += len(os.read(self.screen.fd, 1 << 16))
            last, wait = time.perf_counter(), QUIET
        return last - begun if size else None

    def times(self, keys, count, before=None):
        """Of so many presses; what stands before each is not counted."""
        found = []
        for _ in range(count):
            if before:
                self.press(before)
                self.settle(0.02)
            taken = self.press(keys)
            if taken is not None:
                found.append(taken)
            else:                       # the end of a small list
                self.press("\x1b[H")
        return found

    def close(self):
        self.screen.close()


WORKLOADS = (  # what, keys, how often, what goes before each
    ("page down", "z", 200, None),
    ("end", "\x1b[F", 40, "\x1b[H"),
    ("home", "\x1b[H", 40, "\x1b[F"),
    ("next unread", "\t", 150, None),
    ("jump to a year ago", "\r", 40, "\x1b[H:jump a year ago"),
)


def percentile(times, part):
    ordered = sorted(times)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


class Writer:
    """Flags on and off, one after the other, as fast as the command goes."""

    def __init__(self, home):
        self.home = home
        self.count = 0
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.ids = [str(row["id"]) for row in self.home.json("list", "--limit", "200")]
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()

    def _run(self):
        while not self.end.is_set():
            chosen = self.ids[self.count % len(self.ids)]
            self.home.run("mark", chosen, "+flagged" if self.count // len(self.ids) % 2 == 0 else "-flagged")
            self.count += 1


def measure(keys, what, rows):
    for name, pressed, count, before in WORKLOADS:
        keys.press("\x1b[H")
        keys.settle(0.1)
        times = keys.times(pressed, count, before)
        if len(times) < count // 2:
            raise Broken("%s: %d of %d keys changed the screen" % (name, len(times), count))
        worst = percentile(times, 0.99)
        rows.append(Row("%s, 99th percentile%s" % (name, what), [worst * 1000], limit=FRAME * 1000, unit="ms"))
        print("  %-20s%s  median %.1f ms, 99th percentile %.1f ms, %d keys" % (
            name, what, percentile(times, 0.5) * 1000, worst * 1000, len(times)), flush=True)


def key_times(bench, count):
    rows = []
    with contextlib.ExitStack() as stack:
        home = home_with(count, stack)
        keys = Keys(home)
        stack.callback(keys.close)
        measure(keys, ", %d" % count, rows)
        with Writer(home) as writer:
            measure(keys, ", %d, while mail changes" % count, rows)
        print("  (%d changes meanwhile)" % writer.count)
    return rows
