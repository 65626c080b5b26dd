"""The process that owns one world: `python3 supervisor.py DIR`.

It holds the ports, is the parent of every server, and takes all of it down
when it is told to, when it gets a signal, or when whoever started it goes
away.

    standard input    first line: the world's fields as JSON.  Afterwards the
                      lifeline: at its end the world goes down, unless a line
                      "stay" came before.
    standard output   one line of JSON when all is up: {} or {"error": …}
    var/control       a socket for commands, one JSON object each way
"""

import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback

import cyrus
import dovecot
import postfix
import submission
from authority import Authority
from ports import HeldPorts
import process
from server import become_subreaper, send_signal
from spec import HOSTS, LabError, Spec

START_LIMIT = 30.0
PORT_ATTEMPTS = 3
LEAVE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Children:
    """Waits for the death of children, and reaps them."""

    def __init__(self):
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._read, selectors.EVENT_READ)
        self.told_to_leave = False

    def wait(self, timeout):
        """Returns at the next signal, at the latest after timeout."""
        self._selector.select(timeout)
        self.drain()

    def drain(self):
        try:
            numbers = os.read(self._read, 512)
        except BlockingIOError:
            return
        if set(numbers) & set(LEAVE):
            self.told_to_leave = True

    def fileno(self):
        return self._read


class Supervisor:
    def __init__(self, spec):
        self.spec = spec
        self.children = Children()
        self.ports = None
        self.servers = {}
        self.listener = None
        self.leaving = False

    # Up and down

    def up(self):
        spec = self.spec
        spec.make_folders()
        with open(spec.path("log", "supervisor.log"), "ab") as log:
            os.dup2(log.fileno(), sys.stderr.fileno())
        authority = Authority.create(spec.path("ca"), "Lab CA")
        authority.issue("server", spec.host, san=[
            "DNS:" + host for host in HOSTS] + ["IP:127.0.0.1"])
        for attempt in range(PORT_ATTEMPTS):
            self.ports = HeldPorts(spec.port_names())
            spec.ports = self.ports.numbers()
            try:
                self._start_all()
                break
            except LabError as error:
                self._stop_all(patience=0)
                self.ports.close()
                taken = "already in use" in str(error)
                if not taken or attempt + 1 == PORT_ATTEMPTS:
                    raise
        self._listen()
        self._save()

    def _start_all(self):
        imap = {"dovecot": dovecot.Dovecot,
                "cyrus": cyrus.Cyrus}[self.spec.imap_server]
        smtp = {"postfix": postfix.Postfix,
                "aiosmtpd": submission.Submission}[self.spec.smtp_server]
        self.servers = {server.name: server for server in (
            imap(self.spec), smtp(self.spec))}
        for server in self.servers.values():
            server.prepare()
        deadline = time.monotonic() + START_LIMIT
        for server in self.servers.values():
            server.start()
        for server in self.servers.values():
            server.wait_ready(self.children, deadline)

    def _stop_all(self, patience):
        for server in reversed(list(self.servers.values())):
            server.stop(self.children, patience)
        self._reap_all()

    def _reap_all(self):
        """Ends whatever descendant is left: as sub-reaper we are the parent
        of all orphans."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            for pid in process.children(os.getpid()):
                send_signal(pid, signal.SIGKILL)
            self.children.wait(0.05)

    def down(self, keep=False):
        # What is thrown away need not be left in order.
        self._stop_all(patience=5 if keep else 0)
        if self.listener:
            self.listener.close()
        if self.ports:
            self.ports.close()
        self.spec.remove(keep)

    def _save(self):
        self.spec.pids = {name: server.pid()
                          for name, server in self.servers.items()}
        self.spec.pids["supervisor"] = os.getpid()
        self.spec.save()

    # Commands

    def _listen(self):
        self.spec.control = self.spec.var("control")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o077)
        self.listener.bind(self.spec.control)
        os.umask(mask)
        self.listener.listen(8)

    def _serve_one(self):
        peer, _ = self.listener.accept()
        with peer:
            peer.settimeout(10)
            try:
                request = json.loads(peer.makefile("r").readline())
                answer = self._command(request)
            except (LabError, ValueError, OSError) as error:
                answer = {"error": str(error)}
            try:
                peer.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:
                pass

    def _command(self, request):
        word = request.get("do")
        if word == "status":
            return {"servers": {name: server.pid()
                                for name, server in self.servers.items()}}
        if word == "down":
            self.leaving = True
            self.down(bool(request.get("keep")))
            return {}
        server = self.servers.get(request.get("server"))
        if server is None:
            raise LabError("no such server: it is imap or smtp")
        if word == "kill-server":
            server.stop(self.children)
        elif word == "start-server":
            if server.pid() is None:
                server.start()
                server.wait_ready(self.children,
                                  time.monotonic() + START_LIMIT)
        else:
            raise LabError("no such command: %s" % word)
        self._save()
        return {}

    # The loop

    def run(self):
        lifeline = sys.stdin.fileno()
        selector = selectors.DefaultSelector()
        selector.register(lifeline, selectors.EVENT_READ, "lifeline")
        selector.register(self.children, selectors.EVENT_READ, "signal")
        selector.register(self.listener, selectors.EVENT_READ, "command")
        while not self.leaving:
            for key, _ in selector.select():
                if key.data == "lifeline":
                    # Whoever started us says "stay", or is gone.
                    if os.read(lifeline, 64):
                        selector.unregister(lifeline)
                    else:
                        return self.down()
                elif key.data == "signal":
                    self.children.drain()
                    if self.children.told_to_leave:
                        return self.down()
                    for server in self.servers.values():
                        server.pid()
                    self._reap_orphans()
                elif key.data == "command":
                    self._serve_one()
                    if self.leaving:
                        return

    def _reap_orphans(self):
        mine = {server.process.pid for server in self.servers.values()
                if server.process}
        for pid in process.children(os.getpid()):
            if pid not in mine:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass


def main():
    become_subreaper()
    first = sys.stdin.buffer.raw.readline()
    if not first:
        return 1                        # our starter was gone at once
    supervisor = Supervisor(Spec(sys.argv[1], **json.loads(first)))
    for sign in LEAVE:
        signal.signal(sign, lambda *_: None)
    try:
        supervisor.up()
    except Exception as error:
        if not isinstance(error, LabError):
            traceback.print_exc()
        _answer({"error": str(error)})
        supervisor.down()
        return 1
    _answer({})
    supervisor.run()
    return 0


def _answer(words):
    try:
        print(json.dumps(words), flush=True)
    except BrokenPipeError:
        pass                            # the lifeline tells the rest


if __name__ == "__main__":
    sys.exit(main())
