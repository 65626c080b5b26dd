"""A person's computer: a private $HOME with a postrider configuration, and
the program run in it."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import stat
import struct
import subprocess
import tempfile
from collections import namedtuple

import process
from tap import wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
POSTRIDER = os.environ.get("POSTRIDER", os.path.join(TOP, "postrider"))


class Result(namedtuple("Result", "code out err")):
    """What a command did: exit code (negative: a signal), and its output as
    bytes.  text and errors are the same decoded."""

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    @property
    def errors(self):
        return self.err.decode("utf-8", "replace")

    @property
    def json(self):
        return [json.loads(line) for line in self.out.splitlines() if line]


def _is_socket(path):
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:           # its engine ended just now
        return False


class Home:
    """$HOME and the XDG folders below one short folder in /tmp.

    incoming and outgoing choose the port by name (imaps imap pop3s pop3,
    smtps smtp), ports={name: number} other ones than the world's; general
    and account add lines to the configuration; environment adds variables.
    """

    def __init__(self, spec=None, user=None, incoming="imaps",
                 outgoing="smtps", general=(), account=(), environment=(),
                 ports=()):
        self.ports = dict(ports)
        self.dir = tempfile.mkdtemp(prefix="prhome-", dir="/tmp")
        self.env = {
            "HOME": self.dir, "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "USER": "tester", "LOGNAME": "tester", "SHELL": "/bin/sh",
            "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "xterm-256color",
            "XDG_CONFIG_HOME": self.path("config"),
            "XDG_DATA_HOME": self.path("data"),
            "XDG_STATE_HOME": self.path("state"),
            "XDG_CACHE_HOME": self.path("cache"),
            "XDG_RUNTIME_DIR": self.path("run"),
            "TMPDIR": self.path("tmp"), "EDITOR": "false",
        }
        # What a sanitizer or a coverage run needs to be told goes through.
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
                     "LD_PRELOAD", "G_DEBUG", "G_SLICE", "GCOV_PREFIX"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.env.update(environment)
        for name in ("config", "data", "state", "cache", "run", "tmp"):
            os.mkdir(self.path(name), 0o700)
        if spec is not None:
            self.add_account(spec, user, incoming, outgoing, general, account)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def config_file(self):
        return self.path("config", "postrider", "config")

    def data(self, *parts):
        """A path below the store's folder."""
        return self.path("data", "postrider", *parts)

    def add_account(self, spec, user, incoming="imaps", outgoing="smtps",
                    general=(), account=()):
        person = spec.user(user)
        secret = self.write(".secret-" + person["name"], person["password"])
        lines = []
        if not os.path.exists(self.config_file()):
            # Nothing beyond loopback is asked, unless a test names a resolver.
            check = [] if any(line.startswith(("resolver", "check")) for line in general) else ["check = no"]
            lines += ["[general]", "undo-send = 0", *check, *general, ""]
        lines += [
            "[account %s]" % person["name"],
            "address = %s <%s>" % (person["display"], person["address"]),
            "incoming = %s://%s@%s:%d" % (
                incoming, person["name"], spec.host,
                self.ports.get(incoming, spec.ports[incoming])),
            "outgoing = %s://%s@%s:%d" % (
                outgoing, person["name"], spec.host,
                self.ports.get(outgoing, spec.ports[outgoing])),
            "password = command cat %s" % secret,
            "tls-ca = %s" % spec.ca, *account, ""]
        os.makedirs(os.path.dirname(self.config_file()), exist_ok=True)
        with open(os.open(self.config_file(),
                          os.O_CREAT | os.O_WRONLY | os.O_APPEND,
                          0o600), "a") as out:
            out.write("\n".join(lines) + "\n")

    def configure(self, text):
        """The whole configuration file, as given."""
        os.makedirs(os.path.dirname(self.config_file()), exist_ok=True)
        with open(self.config_file(), "w") as out:
            out.write(text)
        os.chmod(self.config_file(), 0o600)

    def write(self, name, content, mode=0o600):
        """A file of the person's own; returns its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        with open(path, "wb") as out:
            out.write(data)
        os.chmod(path, mode)
        return path

    # Running

    def start(self, *args, env=(), program=POSTRIDER, **options):
        """The program as a subprocess.Popen, in this home."""
        return subprocess.Popen(
            [program, *args], env=dict(self.env, **dict(env)), cwd=self.dir,
            start_new_session=True, **options)

    def run(self, *args, stdin=b"", env=(), timeout=120, program=POSTRIDER):
        """Runs to its end.  stdin is text or bytes, or None for none."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        process = self.start(
            *args, env=env, program=program, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, stdin=(
                subprocess.DEVNULL if stdin is None else subprocess.PIPE))
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError("%s did not end within %d s: %r %r" % (
                " ".join(args), timeout, out[-500:], err[-500:])) from None
        return Result(process.returncode, out, err)

    def ok(self, *args, **options):
        """run(), and anything but exit code 0 fails the test."""
        result = self.run(*args, **options)
        if result.code != 0:
            raise AssertionError("%s: exit %d\n%s%s" % (
                " ".join(args), result.code, result.text[-2000:],
                result.errors[-2000:]))
        return result

    def fails(self, code, *args, **options):
        """run(), which must end with this exit code and say something."""
        result = self.run(*args, **options)
        if result.code != code or not result.err:
            raise AssertionError("%s: exit %d, wanted %d\n%s%s" % (
                " ".join(args), result.code, code, result.text[-2000:],
                result.errors[-2000:]))
        return result

    def json(self, *args, **options):
        """The objects that a command prints with --json."""
        return self.ok(*args, "--json", **options).json

    def database(self, query, *values):
        """Rows of the store, read beside the program."""
        connection = sqlite3.connect(
            "file:%s?mode=ro" % self.data("postrider.db"), uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    # Ending

    def processes(self):
        """Every process that runs with this $HOME, wherever it went.

        The environment tells; an engine hides its own (it is not dumpable,
        so only root sees it), but answers on its socket.
        """
        wanted = b"HOME=%s" % os.fsencode(self.dir)
        found = set(self._listeners())
        parents = {}
        for pid in process.every():
            fields = process.stat(pid)
            if pid == os.getpid() or not fields or fields[0] == "Z":
                continue
            parents[pid] = int(fields[1])
            if wanted in process.environment(pid):
                found.add(pid)
        grown = True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in found}
            grown = not more <= found
            found |= more
        return sorted(found)

    def _listeners(self):
        """Processes that listen on a socket below the runtime folder."""
        for folder, _, names in os.walk(self.path("run")):
            for name in names:
                path = os.path.join(folder, name)
                if not _is_socket(path):
                    continue
                with socket.socket(socket.AF_UNIX) as peer:
                    try:
                        peer.connect(path)
                    except OSError:
                        continue        # nobody there any more
                    yield struct.unpack("3i", peer.getsockopt(
                        socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def stop(self, sign=signal.SIGTERM, patience=10):
        """Ends the engine and whatever else runs here."""
        for number, limit in ((sign, patience), (signal.SIGKILL, patience)):
            for pid in self.processes():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            try:
                wait_for(lambda: not self.processes(), limit)
                return
            except AssertionError:
                continue

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
