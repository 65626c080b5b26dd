"""The program in a terminal: in tmux (what a person sees) or on a bare pty
(every byte it writes)."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time

import process
from home import POSTRIDER
from tap import wait_for

TMUX_CONFIG = """\
set -g status off
set -g escape-time 0
set -g remain-on-exit on
set -g remain-on-exit-format ""
set -g default-terminal tmux-256color
set -g history-limit 1000
set -g set-titles off
set -g focus-events off
"""


class Screen:
    """A private tmux server with one window of width x height.

        with Screen(home) as screen:
            screen.wait("INBOX")
            screen.keys("j", "Enter")
    """

    def __init__(self, home, *args, width=80, height=24, env=(),
                 program=POSTRIDER):
        self.dir = tempfile.mkdtemp(prefix="prtmux-", dir="/tmp")
        self.socket = os.path.join(self.dir, "socket")
        config = os.path.join(self.dir, "tmux.conf")
        with open(config, "w") as out:
            out.write(TMUX_CONFIG)
        self.env = dict(home.env, **dict(env))
        self.env.pop("TMUX", None)
        # tmux names the terminal itself; a test may insist on another.
        term = dict(env).get("TERM")
        command = ["env", "TERM=" + term] if term else []
        self._tmux("-f", config, "new-session", "-d", "-s", "test",
                   "-x", str(width), "-y", str(height), "-c", home.dir, "--",
                   *command, program, *args)

    def _tmux(self, *args):
        done = subprocess.run(
            ["tmux", "-u", "-S", self.socket, *args], env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise AssertionError("tmux %s: %s" % (
                args[0], done.stderr.decode(errors="replace")))
        return done.stdout.decode("utf-8", "replace")

    def keys(self, *names):
        """Keys by tmux's names: "j", "Enter", "C-p", "Escape", "F1"."""
        self._tmux("send-keys", "-t", "test", "--", *map(_word, names))

    def type(self, text):
        self._tmux("send-keys", "-t", "test", "-l", "--", _word(text))

    def text(self, styles=False):
        """The screen as text; with styles as escape sequences in it."""
        return self._tmux("capture-pane", "-p", "-t", "test",
                          *(["-e"] if styles else []))

    def lines(self):
        return self.text().rstrip("\n").split("\n")

    def _format(self, what):
        return self._tmux("display-message", "-p", "-t", "test",
                          "#{%s}" % what).strip()

    def cursor(self):
        """Column and row, from 0."""
        return int(self._format("cursor_x")), int(self._format("cursor_y"))

    def size(self):
        return int(self._format("pane_width")), int(
            self._format("pane_height"))

    def resize(self, width, height):
        self._tmux("resize-window", "-t", "test", "-x", str(width),
                   "-y", str(height))

    def pid(self):
        return int(self._format("pane_pid"))

    def ended(self):
        """Exit code once the program ended, else None."""
        if self._format("pane_dead") != "1":
            return None
        status = self._format("pane_dead_status")
        if status:
            return int(status)
        if self._format("pane_dead_signal"):
            return -1
        # tmux 3.3 now and then never asks how it ended: the zombie tells.
        fields = process.stat(self.pid())
        if not fields or fields[0] != "Z":
            return None
        code = os.waitstatus_to_exitcode(int(fields[-1]))
        return code if code >= 0 else -1

    def matches(self, wanted):
        """The screen, when wanted (text, or a compiled pattern) is somewhere
        on it; else nothing."""
        screen = self.text()
        found = wanted in screen if isinstance(wanted, str) else wanted.search(screen)
        return screen if found else None

    def wait(self, wanted, timeout=20):
        """Until the screen shows it; returns that screen, as a whole: what a
        look finds may be half of a frame, so the same is to be seen twice
        (or, where it changes all the time, often)."""
        seen = []

        def stands():
            now = self.matches(wanted)
            if not now:
                return bool(seen)
            seen.append(now)
            return seen[-2:] == [now, now] or len(seen) > 10
        self._await(stands, timeout, "the screen to show %r" % (
            getattr(wanted, "pattern", wanted)))
        return seen[-1]

    def wait_gone(self, wanted, timeout=20):
        self._await(lambda: not self.matches(wanted), timeout,
                    "%r to leave the screen" % (
                        getattr(wanted, "pattern", wanted)))
        return self.text()

    def wait_end(self, timeout=20):
        """Until the program ended; returns its exit code."""
        codes = []

        def over():
            codes.append(self.ended())
            return codes[-1] is not None
        self._await(over, timeout, "the program to end")
        return codes[-1]                # asked again, its zombie may have gone

    def _await(self, condition, timeout, what):
        try:
            wait_for(condition, timeout, what)
        except AssertionError as error:
            raise AssertionError("%s; it shows:\n%s" % (
                error, self.text())) from None

    def close(self):
        try:
            self._tmux("kill-server")
        except AssertionError:
            pass                        # it ended by itself
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _word(text):
    """tmux takes a last semicolon for the end of its command."""
    return text[:-1] + "\\;" if text.endswith(";") else text


class Pty:
    """The program on a pty of ours: `output` is every byte it wrote."""

    def __init__(self, home, *args, width=80, height=24, env=(),
                 program=POSTRIDER):
        self.output = b""
        self.code = None
        self._seen = 0
        environment = dict(home.env, **dict(env))
        self.child, self.fd = pty.fork()
        if self.child == 0:
            try:
                os.chdir(home.dir)
                fcntl.ioctl(0, termios.TIOCSWINSZ, _window(width, height))
                os.execve(program, [program, *args], environment)
            finally:
                os._exit(127)

    def send(self, data):
        os.write(self.fd, data.encode() if isinstance(data, str) else data)

    def resize(self, width, height):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, _window(width, height))

    def read_until(self, pattern, timeout=20):
        """Until the new output (since the last call) matches the pattern, a
        str or bytes regular expression; returns that output."""
        if isinstance(pattern, str):
            pattern = pattern.encode()
        begin = self._seen
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.output[begin:], re.S):
            if not self._read(deadline):
                raise AssertionError("waited in vain for %r on the pty: %r" % (
                    pattern, self.output[begin:][-2000:]))
        self._seen = len(self.output)
        return self.output[begin:]

    def read_to_end(self, timeout=20):
        """Until the program ended; its exit code (negative: a signal)."""
        deadline = time.monotonic() + timeout
        while self._read(deadline):
            pass
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(
                os.waitpid(self.child, 0)[1])
        return self.code

    def _read(self, deadline):
        """More bytes: False at the end of the output."""
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.fd], [], [], left)[0]:
            raise AssertionError("the pty is silent; last: %r"
                                 % self.output[-1000:])
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:                 # EIO: nobody has the other side open
            data = b""
        self.output += data
        return bool(data)

    def close(self):
        os.close(self.fd)
        if self.code is None:
            try:
                os.kill(self.child, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.code = os.waitstatus_to_exitcode(
                os.waitpid(self.child, 0)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _window(width, height):
    return struct.pack("HHHH", height, width, 0, 0)
