"""The submission server for people who are not root: aiosmtpd's SMTP with
TLS and AUTH before a small queue on disk (see submission_queue.py)."""

import json
import os
import subprocess
import sys

from server import Server, LabError

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "submission_server.py")


def find_python():
    """An interpreter that has aiosmtpd: ours, or the system's."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            found = subprocess.run(
                [python, "-c", "import aiosmtpd"], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError:
            continue
        if found.returncode == 0:
            return python
    raise LabError("aiosmtpd is not installed "
                   "(Debian: apt-get install python3-aiosmtpd)")


class Submission(Server):
    name = "smtp"
    greetings = {"smtp": b"220", "smtps": b"220"}

    def __init__(self, spec):
        super().__init__(spec, "submission.log")
        self.python = find_python()
        self.config = spec.var("submission.json")

    def argv(self):
        return [self.python, PROGRAM, self.config]

    def prepare(self):
        spec = self.spec
        os.makedirs(spec.var("queue"), exist_ok=True)
        with open(os.open(self.config, os.O_CREAT | os.O_WRONLY | os.O_TRUNC,
                          0o600), "w") as out:
            json.dump({
                "queue": spec.var("queue"), "domain": spec.domain,
                "name": spec.smtp_name, "ports": spec.ports,
                "cert": spec.cert, "key": spec.key, "plain": spec.plain,
                "size_limit": spec.size_limit,
                "reject_unknown": spec.reject_unknown,
                "users": {u["name"]: u["password"] for u in spec.users},
            }, out)
