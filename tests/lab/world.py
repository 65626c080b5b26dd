"""Starting, asking and ending a world, from Python.

    with World.up("/some/folder", count=3, off=["move"]) as world:
        world.ports["imaps"], world.spec.user("ana"), …

The world lives in a supervisor process of its own.  It goes down at the end
of the block, at world.down(), and when this process dies in any way, unless
world.stay() was called.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys

import dovecot
import postfix
import process
from server import send_signal
from spec import LabError, Spec, people

HERE = os.path.dirname(os.path.abspath(__file__))


class World:
    def __init__(self, spec, supervisor=None):
        self.spec = spec
        self._supervisor = supervisor       # only in the process that began it

    @classmethod
    def up(cls, folder, count=3, off=(), smtp="auto", imap=None, **fields):
        """Starts a world in the folder and returns when all of it answers.

        off names features (dovecot.FEATURES); smtp is auto, postfix or
        aiosmtpd; imap is dovecot or cyrus, by default what the environment
        says in POSTRIDER_LAB_IMAP; the other fields are those of Spec.
        """
        unknown = set(off) - set(dovecot.FEATURES)
        if unknown:
            raise LabError("no such feature: %s" % ", ".join(unknown))
        if os.path.lexists(os.path.join(folder, "world.json")):
            raise LabError("%s holds a world already: lab down %s"
                           % (folder, folder))
        imap = imap or os.environ.get("POSTRIDER_LAB_IMAP") or "dovecot"
        if imap not in ("dovecot", "cyrus"):
            raise LabError("no such server: %s (dovecot or cyrus)" % imap)
        if smtp == "auto":
            smtp = ("postfix" if imap == "dovecot" and postfix.usable()
                    else "aiosmtpd")
        if imap == "cyrus" and smtp == "postfix":
            raise LabError("Postfix asks Dovecot for the passwords: with "
                           "Cyrus it is --smtp aiosmtpd")
        spec = Spec(folder, off=sorted(off), smtp_server=smtp,
                    imap_server=imap, **fields)
        spec.users = people(count, spec.password)
        # Not a trace on disk before there is a supervisor to take it away.
        process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "supervisor.py"), spec.dir],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            start_new_session=True, cwd="/")
        fields = {name: value for name, value in vars(spec).items()
                  if name != "dir"}
        process.stdin.write(json.dumps(fields).encode() + b"\n")
        process.stdin.flush()
        try:
            answer = json.loads(process.stdout.readline() or
                                b'{"error": "the supervisor died"}')
        except BaseException:
            process.stdin.close()           # Ctrl-C: the supervisor sees it
            process.wait()
            raise
        if "error" in answer:
            process.stdin.close()
            process.wait()
            raise LabError(answer["error"])
        return cls(Spec.load(folder), process)

    @classmethod
    def at(cls, folder):
        """A world that somebody else started."""
        return cls(Spec.load(folder))

    @property
    def ports(self):
        return self.spec.ports

    def stay(self):
        """Lets the world outlive this process."""
        self._supervisor.stdin.write(b"stay\n")
        self._supervisor.stdin.close()
        self._supervisor = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    # Commands

    def status(self):
        """{"imap": pid or None, "smtp": pid or None}"""
        return self._ask({"do": "status"})["servers"]

    def kill_server(self, name):
        self._ask({"do": "kill-server", "server": name})

    def start_server(self, name):
        self._ask({"do": "start-server", "server": name})

    def down(self, keep=False):
        """Everything away.  With keep, mail and logs stay in the folder."""
        if not os.path.exists(self.spec.path("world.json")):
            return
        try:
            self._ask({"do": "down", "keep": keep}, timeout=60)
        except (ConnectionError, FileNotFoundError):
            self._clean_after_death(keep)
        if self._supervisor:
            self._supervisor.stdin.close()
            self._supervisor.wait()
            self._supervisor.stdout.close()
            self._supervisor = None

    def _ask(self, request, timeout=45):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.settimeout(timeout)
            peer.connect(self.spec.control)
            peer.sendall(json.dumps(request).encode() + b"\n")
            line = peer.makefile("r").readline()
        if not line:
            raise ConnectionResetError("the supervisor went away")
        answer = json.loads(line)
        if "error" in answer:
            raise LabError(answer["error"])
        return answer

    def _clean_after_death(self, keep):
        """The supervisor was killed.  Its servers were to get SIGTERM with
        its death, but Postfix changes ids and so loses that."""
        for session in filter(None, self.spec.pids.values()):
            for number in (signal.SIGTERM, signal.SIGKILL):
                for pid in process.session(session):
                    if self._is_ours(pid):
                        send_signal(pid, number)
                        _wait_end(pid, 5)
        self.spec.remove(keep)

    def _is_ours(self, pid):
        """Numbers are used again: a look at the process before a signal."""
        try:
            return (self.spec.dir in os.fsdecode(process.arguments(pid)) or os.readlink(
                "/proc/%d/cwd" % pid).startswith(self.spec.var()))
        except OSError:
            return False


def _wait_end(pid, timeout):
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([handle], [], [], timeout)
    finally:
        os.close(handle)
