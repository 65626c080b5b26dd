"""What one world is: the data that its processes share.

Kept as DIR/world.json, which tests read too.  DIR/var holds what has
sockets or needs to be reached by other user ids (run/, mail/, queue/); it
is a plain folder, or a link to a short-named one when DIR is too deep for a
socket's 108 bytes or closed to other users.
"""

import json
import os
import pwd
import secrets
import shutil
import stat
import tempfile

DOMAIN = "lab.test"
HOSTS = ["localhost", "imap.lab.test", "pop.lab.test", "smtp.lab.test",
         "mail.lab.test", "lab.test"]
SOCKET_ROOM = 45            # longest name below var: queue/private/…, run/…
SOCKET_LIMIT = 107
PEOPLE = [("ana", "Ana Ruiz"), ("ben", "Ben Okafor"), ("carol", "Carol Ng"),
          ("dora", "Dóra Kiss"), ("emil", "Emil Sørensen"),
          ("fumi", "文 山田")]


class LabError(Exception):
    """Something a person can mend; the text says what."""


def people(count, password):
    named = PEOPLE[:count]
    named += [("user%02d" % n, "User %d" % n)
              for n in range(len(named) + 1, count + 1)]
    return [{"name": name, "display": display,
             "address": "%s@%s" % (name, DOMAIN), "password": password}
            for name, display in named]


class Spec:
    """A world on disk.  Every field but `dir` is in world.json."""

    def __init__(self, folder, **fields):
        self.dir = os.path.realpath(folder)
        self.domain = DOMAIN
        self.host = "localhost"
        self.smtp_name = "smtp." + DOMAIN
        self.password = None
        self.users = []
        self.imap_server = "dovecot"  # or cyrus
        self.inbox_namespace = False    # Cyrus: INBOX.Sent, not Sent
        self.smtp_server = None         # postfix or aiosmtpd
        self.submission = ["tls", "starttls"]
        self.off = []                   # names out of dovecot.FEATURES
        self.plain = False              # offer logins without TLS
        self.mechanisms = "plain login scram-sha-256"
        self.size_limit = 50 << 20
        self.reject_unknown = False
        self.sieve = False              # Pigeonhole: scripts at LMTP, ManageSieve
        self.quota = None               # Dovecot's rule: "*:storage=100K"
        self.next_hops = {}             # domain -> port of a server beyond
        self.milter = None              # "unix:PATH": what Postfix asks about
                                        # all mail; with it there is a port mx
        self.patience = None            # seconds until undelivered mail
                                        # comes back; None: five days
        self.ca = self.path("ca", "lab-ca.pem")
        self.cert = self.path("ca", "server.pem")
        self.key = self.path("ca", "server.key")
        self.ports = {}
        self.pids = {}
        self.control = None
        self.place = None               # where var really is
        for name, value in fields.items():
            if not hasattr(self, name):
                raise LabError("unknown field %s" % name)
            setattr(self, name, value)
        if self.password is None:
            self.password = "lab-" + secrets.token_hex(6)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def var(self, *parts):
        """A path below the short folder."""
        return os.path.join(self.place, *parts)

    def port_names(self):
        names = ["imap", "imaps", "pop3", "pop3s", "lmtp"]
        if "starttls" in self.submission:
            names.append("smtp")
        if "tls" in self.submission:
            names.append("smtps")
        if self.sieve:
            names.append("sieve")
        if self.milter:
            names.append("mx")
        return names

    def user(self, name):
        for user in self.users:
            if name in (user["name"], user["address"]):
                return user
        raise LabError("no user %s in this world: it has %s" % (
            name, ", ".join(user["name"] for user in self.users)))

    def mail_ids(self):
        """User and group that own the mailboxes; Dovecot refuses root."""
        if os.geteuid() != 0:
            return os.geteuid(), os.getegid()
        nobody = pwd.getpwnam("nobody")
        return nobody.pw_uid, nobody.pw_gid

    # On disk

    def make_folders(self):
        os.makedirs(self.path("log"), exist_ok=True)
        var = self.path("var")
        if self._var_may_lie_in_dir():
            os.mkdir(var)
            self.place = var
        else:
            self.place = tempfile.mkdtemp(prefix="prlab-", dir="/tmp")
            os.symlink(self.place, var)
        os.chmod(self.place, 0o711)

    def _var_may_lie_in_dir(self):
        if len(os.fsencode(self.path("var"))) + SOCKET_ROOM > SOCKET_LIMIT:
            return False
        if os.geteuid() != 0:
            return True
        folder = self.dir
        while True:
            if not os.stat(folder).st_mode & stat.S_IXOTH:
                return False
            if folder == "/":
                return True
            folder = os.path.dirname(folder)

    def save(self):
        fields = {name: value for name, value in vars(self).items()
                  if name != "dir"}
        _write(self.path("world.json"),
               json.dumps(fields, indent=2, ensure_ascii=False) + "\n")
        lines = ["LAB_DIR", self.dir, "LAB_HOST", self.host,
                 "LAB_DOMAIN", self.domain, "LAB_CA", self.ca,
                 "LAB_PASSWORD", self.password,
                 "LAB_USERS", " ".join(u["name"] for u in self.users)]
        for name, port in self.ports.items():
            lines += ["LAB_%s_PORT" % name.upper(), str(port)]
        _write(self.path("env"), "".join(
            "export %s=%s\n" % (key, _quote(value))
            for key, value in zip(lines[::2], lines[1::2])))

    @classmethod
    def load(cls, folder):
        try:
            with open(os.path.join(folder, "world.json")) as file:
                return cls(folder, **json.load(file))
        except FileNotFoundError:
            raise LabError("no world in %s" % folder) from None

    def environment(self):
        """DIR/env as a dictionary, for a command's environment."""
        words = {}
        with open(self.path("env")) as file:
            for line in file:
                key, _, value = line[len("export "):].rstrip("\n").partition("=")
                words[key] = value[1:-1].replace("'\\''", "'")
        return words

    def remove(self, keep=False):
        """Takes away what the world put on disk.  With keep, mail and logs
        stay (in DIR alone: a var elsewhere moves in)."""
        var = self.path("var")
        if os.path.islink(var):
            os.unlink(var)
        if self.place not in (None, var):
            if keep and os.path.isdir(self.dir):
                shutil.move(self.place, var)
            else:
                shutil.rmtree(self.place, ignore_errors=True)
        gone = ["env", "world.json"]
        if not keep:
            gone += ["var", "log", "ca", "postfix", "passwd", "dovecot.conf"]
        for name in gone:
            path = self.path(name)
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            elif os.path.lexists(path):
                os.unlink(path)
        if not keep:
            try:
                os.rmdir(self.dir)
            except OSError:
                pass                    # the caller has files of its own here


def _write(path, text):
    """0600 and whole: a reader sees the old file or the new one."""
    fresh = path + ".new"
    with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC,
                      0o600), "w", encoding="utf-8") as out:
        out.write(text)
    os.rename(fresh, path)


def _quote(value):
    return "'" + value.replace("'", "'\\''") + "'"
