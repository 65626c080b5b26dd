"""Stores of any size without a server: filled with the corpus by fillstore,
or kept from one run to the next in the directory that BENCH_STORES names (a
folder for each size; the first run makes it, which takes long for a
million)."""

import os
import subprocess
import sys

from harness import POSTRIDER, TOP, Home, wait_for
from sides import Broken

CONFIG = """\
[general]
notmuch = off
[account work]
address = Ana <ana@lab.test>
incoming = imaps://ana@127.0.0.1:1
password = command false
[account home]
address = Ana <ana@home.test>
incoming = imaps://ana@127.0.0.1:1
password = command false
"""
FILLSTORE = os.path.join(os.path.dirname(POSTRIDER), "tests", "bench", "fillstore")
MIXED_UP_TO = 100000    # beyond, small messages: gigabytes say nothing more


def fill(folder, count):
    """The corpus's mail in a store."""
    if not os.path.exists(FILLSTORE):
        raise Broken("%s is not built: make tests/bench/fillstore" % FILLSTORE)
    kind = ["1", "small"] if count > MIXED_UP_TO else []
    corpus = subprocess.Popen([sys.executable, os.path.join(TOP, "tests", "lab", "corpus.py"), str(count), *kind],
                              stdout=subprocess.PIPE)
    done = subprocess.run([FILLSTORE, folder], stdin=corpus.stdout)
    corpus.stdout.close()
    if corpus.wait() or done.returncode:
        raise Broken("the store of %d messages could not be filled" % count)


def home_with(count, stack):
    """A home on such a store, closed with the stack. What a row changes there it takes back."""
    home = Home()
    stack.callback(home.close)
    home.configure(CONFIG)
    os.chmod(home.config_file(), 0o600)
    kept = os.environ.get("BENCH_STORES")
    if not kept:
        fill(home.data(), count)
        return home
    ready = os.path.join(kept, str(count))
    if not os.path.isdir(ready):
        os.makedirs(ready + ".new")
        fill(os.path.join(ready + ".new", "postrider"), count)
        os.rename(ready + ".new", ready)
    os.rmdir(home.path("data"))
    os.symlink(os.path.abspath(ready), home.path("data"))
    home.run("sync")                    # there is no server; but one of an older version is brought forward
    wait_for(lambda: not home.processes(), 60, "the end of the engine")
    return home
