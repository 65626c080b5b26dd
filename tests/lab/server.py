"""One server process of a world and all that it starts."""

import ctypes
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

import process
from ports import LOOPBACK
from spec import LabError

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
IMPLICIT_TLS = {"imaps", "pop3s", "smtps"}
_libc = ctypes.CDLL(None, use_errno=True)


def become_subreaper():
    """Orphans among our descendants become our children, so that nothing
    can be lost sight of, whatever daemon it makes of itself."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def find_program(name, package):
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        raise LabError("%s is not installed (Debian: apt-get install %s)"
                       % (name, package))
    return found


def _before_exec():
    # The server goes when its supervisor goes, even by SIGKILL.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.umask(0o022)


class Server:
    """Base of Dovecot, Postfix and the small submission server.

    A subclass gives name, greetings (port name -> how its first line
    begins), argv() and prepare().
    """

    name = None
    greetings = {}

    def __init__(self, spec, log):
        self.spec = spec
        self.log = spec.path("log", log)
        self.process = None

    def prepare(self):
        """Writes configuration and folders; before the first start."""

    def argv(self):
        raise NotImplementedError

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/", env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                              "LC_ALL": "C.UTF-8"},
                start_new_session=True, preexec_fn=_before_exec)

    def wait_ready(self, children, deadline):
        """Returns when every port answers with its greeting."""
        for port_name, greeting in self.greetings.items():
            port = self.spec.ports.get(port_name)
            while port is not None and not self._answers(
                    port, port_name in IMPLICIT_TLS, greeting):
                if self.pid() is None:
                    raise LabError("%s did not start:\n%s"
                                   % (self.name, self.log_tail()))
                if children.told_to_leave:
                    raise LabError("told to stop while starting")
                if time.monotonic() > deadline:
                    raise LabError("%s does not answer on port %d:\n%s" % (
                        self.name, port, self.log_tail()))
                children.wait(0.01)

    def _answers(self, port, tls, greeting):
        try:
            with socket.create_connection((LOOPBACK, port), 10) as plain:
                if not tls:
                    return plain.recv(512).startswith(greeting)
                context = ssl.create_default_context(cafile=self.spec.ca)
                with context.wrap_socket(
                        plain, server_hostname=self.spec.host) as secure:
                    return secure.recv(512).startswith(greeting)
        except ConnectionError:
            return False

    def pid(self):
        """Process id while it runs, else None."""
        if self.process is None or self.process.poll() is not None:
            return None
        return self.process.pid

    def stop(self, children, patience=5.0):
        """Asks the first process, waits for its end, and kills what is left
        of its session.  Without patience it kills at once."""
        if self.process is None:
            return
        session = self.process.pid
        deadline = time.monotonic() + patience
        if patience:
            send_signal(session, signal.SIGTERM)
        while self.pid() and time.monotonic() < deadline:
            children.wait(0.05)
        while process.session(session):
            for pid in process.session(session):
                send_signal(pid, signal.SIGKILL)
            children.wait(0.01)
        self.process.wait()
        self.process = None

    def log_tail(self, lines=15):
        try:
            with open(self.log, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except FileNotFoundError:
            return ""


def send_signal(pid, sign):
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        pass
