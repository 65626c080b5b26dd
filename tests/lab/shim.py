"""shim.c, built once for a test and handed to a program in its environment."""

import os
import shlex
import subprocess

_SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shim.c")


class Shim:
    """with Shim(folder) as shim: run(..., env=shim.env(store, fail="EIO 7"))"""

    def __init__(self, folder):
        self.folder = folder
        self.library = os.path.join(folder, "shim.so")
        compiler = shlex.split(os.environ.get("CC", "gcc"))
        subprocess.run([*compiler, "-shared", "-fPIC", "-O1", "-w", "-o",
                        self.library, _SOURCE, "-ldl", "-lpthread"], check=True)
        self.counts = os.path.join(folder, "counts")

    def env(self, below, program="", **what):
        """what: fail, kill, until, log, clock, fsync, as shim.c says."""
        preload = [self.library, *os.environ.get("LD_PRELOAD", "").split()]
        env = {"LD_PRELOAD": " ".join(preload), "SHIM_BELOW": below,
               "SHIM_COUNT": self.counts}
        if program:
            env["SHIM_PROGRAM"] = program
        for name, value in what.items():
            env["SHIM_" + name.upper()] = str(value)
        return env

    def counted(self):
        """(calls that count for the failure, changes, clock readings) of
        the processes that ended since the last question, summed up."""
        total = [0, 0, 0]
        try:
            with open(self.counts) as lines:
                for line in lines:
                    total = [a + int(b) for a, b in zip(total, line.split())]
            os.unlink(self.counts)
        except FileNotFoundError:
            pass
        return tuple(total)
