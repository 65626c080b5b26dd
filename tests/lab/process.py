"""What /proc tells of a process, which may end at any moment: looking at one
that is gone is no error, and the answer says so."""

import os


def every():
    """The numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def stat(pid):
    """The fields of /proc/PID/stat after the command (state, ppid, pgrp,
    session, …); None when it is gone."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def runs(pid):
    """It is there, and is no zombie."""
    fields = stat(pid)
    return fields is not None and fields[0] not in "ZX"


def _contents(pid, name):
    try:
        with open("/proc/%d/%s" % (pid, name), "rb") as file:
            return file.read()
    except OSError:                     # gone, or not ours to see
        return b""


def arguments(pid):
    """Its command line, with a NUL after each word; empty when it is gone."""
    return _contents(pid, "cmdline")


def environment(pid):
    """Its variables, as bytes NAME=VALUE."""
    return _contents(pid, "environ").split(b"\0")


def _every_stat():
    return [(pid, fields) for pid, fields in ((pid, stat(pid)) for pid in every()) if fields]


def children(parent):
    return [pid for pid, fields in _every_stat() if int(fields[1]) == parent]


def session(leader):
    """Living processes of a session; zombies do not count."""
    return [pid for pid, fields in _every_stat() if fields[0] != "Z" and int(fields[3]) == leader]
