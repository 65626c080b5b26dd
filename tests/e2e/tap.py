"""Tests as functions, reported in TAP (for Automake's driver and prove).

    @test("Ana's mail reaches Ben")
    def ana_writes_to_ben():
        equal(got, wanted)

    if __name__ == "__main__":
        main()

The tests of a file run in order and may build on each other.  What a test
opens is handed to keep(), which closes it at the end of the file, whatever
happens.  Words on the command line pick the tests whose names hold them.
"""

import contextlib
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

_tests = []
_open = contextlib.ExitStack()
_never = threading.Event()
_explain = []


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


class Interrupted(BaseException):
    pass


def test(name):
    def register(function):
        _tests.append((name, function))
        return function
    return register


def keep(resource):
    """Closes a context manager at the end of the file; returns it entered."""
    return _open.enter_context(resource)


def at_end(function, *args):
    _open.callback(function, *args)


def temporary():
    """A folder that is gone at the end."""
    folder = tempfile.mkdtemp(prefix="prtest-", dir="/tmp")
    at_end(shutil.rmtree, folder, True)
    return folder


def on_failure(function):
    """Called after a test that failed, to note what may explain it."""
    _explain.append(function)


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError("%sgot %r\nwanted %r" % (
            what and what + ": ", got, wanted))


def contains(text, part, what=""):
    if part not in text:
        raise AssertionError("%s%r is not in %r" % (
            what and what + ": ", part, text))


def refuses(function, *errors):
    """Calls it; it must raise one of the errors, which is returned."""
    try:
        function()
    except errors as error:
        return error
    raise AssertionError("nothing was refused")


def wait_for(condition, timeout=30, what=None):
    """Asks again and again until the answer is true, and returns it.

    For conditions that nobody announces (another program's screen, a remote
    mailbox); the pause between questions is never what a test depends on.
    """
    deadline = time.monotonic() + timeout
    pause = 0.01
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("waited %d s in vain for %s" % (
                timeout, what or getattr(condition, "__doc__", None) or
                "a condition"))
        _never.wait(pause)
        pause = min(pause * 1.5, 0.2)


# `make check-long` runs all of what `make check` takes samples of.
LONG = "POSTRIDER_LONG" in os.environ


def chance():
    """A source of chance, whose seed is told: POSTRIDER_SEED=N repeats it."""
    seed = int(os.environ.get("POSTRIDER_SEED", secrets.randbelow(1 << 31)))
    note("POSTRIDER_SEED=%d" % seed)
    return random.Random(seed)


def note(text):
    for line in str(text).rstrip("\n").split("\n"):
        print("# " + line, flush=True)


def main():
    words = sys.argv[1:]
    chosen = [(name, function) for name, function in _tests
              if not words or any(word in name or word in function.__name__
                                  for word in words)]
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    failed = 0
    print("1..%d" % len(chosen), flush=True)
    try:
        with _open:
            for number, (name, function) in enumerate(chosen, 1):
                failed += not _run(number, name, function)
    except (KeyboardInterrupt, Interrupted):
        print("Bail out! interrupted", flush=True)
        sys.exit(130)
    sys.exit(1 if failed else 0)


def _interrupt(number, frame):
    raise Interrupted


def _run(number, name, function):
    begun = time.monotonic()
    try:
        function()
    except Skip as reason:
        print("ok %d - %s # SKIP %s" % (number, name, reason), flush=True)
        return True
    except Exception:
        print("not ok %d - %s" % (number, name), flush=True)
        note(traceback.format_exc())
        for explain in _explain:
            explain()
        return False
    print("ok %d - %s" % (number, name), flush=True)
    if "TAP_TIMES" in os.environ:
        note("%.2f s" % (time.monotonic() - begun))
    return True
