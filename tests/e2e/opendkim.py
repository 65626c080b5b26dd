#!/usr/bin/env python3
"""Postfix with OpenDKIM as its milter: what it signs is good to us, what it says of incoming mail is read, and our own check
agrees with it about mail of many kinds."""

import os
import shutil
import smtplib
import subprocess
import tempfile

from dkim_key import Key
from harness import *
from nameserver import Dns  # found by way of the harness

# Not below /tmp: OpenDKIM wants no folder above its files that others may write to.
FOLDER = tempfile.mkdtemp(prefix="prtest-", dir="/run" if os.access("/run", os.W_OK) else None)
at_end(shutil.rmtree, FOLDER, True)
SOCKET = f"{FOLDER}/milter"
PROGRAM = shutil.which("opendkim", path=os.environ.get("PATH", "") + ":/usr/sbin")
SERVER = "mx.lab.test"  # how OpenDKIM calls itself

CONFIGURATION = """\
Mode sv
Domain lab.test
Selector lab
KeyFile {folder}/lab.pem
Canonicalization relaxed/simple
Socket local:{socket}
UMask 000
AuthservID {server}
AlwaysAddARHeader yes
InternalHosts {folder}/nobody
TestPublicKeys {folder}/keys
Syslog no
"""

key = Key(FOLDER)
os.chmod(FOLDER, 0o711)


def begin():
    """OpenDKIM, and a world whose Postfix asks it."""
    with open(f"{FOLDER}/conf", "w") as out:
        out.write(CONFIGURATION.format(folder=FOLDER, socket=SOCKET, server=SERVER))
    with open(f"{FOLDER}/keys", "w") as out:
        out.write("lab._domainkey.lab.test %s\nk._domainkey.example.org %s\n" % (key.record, key.record))
    with open(f"{FOLDER}/nobody", "w") as out:
        out.write("192.0.2.1\n")
    shutil.copy(key.file, f"{FOLDER}/lab.pem")
    os.chmod(f"{FOLDER}/lab.pem", 0o600)
    log = open(f"{FOLDER}/log", "wb")
    process = subprocess.Popen([PROGRAM, "-f", "-x", f"{FOLDER}/conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    at_end(process.wait)
    at_end(process.terminate)

    def ready():
        if process.poll() is not None:
            raise AssertionError(open(f"{FOLDER}/log").read())
        return os.path.exists(SOCKET)
    wait_for(ready, what="OpenDKIM")
    return keep(World(count=2, smtp="postfix", milter="unix:" + SOCKET))


if not PROGRAM or os.geteuid() != 0:
    @test("Postfix and OpenDKIM")
    def missing():
        raise Skip("OpenDKIM and root are needed (apt-get install opendkim)")
    main()
    raise SystemExit

world = begin()
dns = keep(Dns({"lab._domainkey.lab.test": [("TXT", key.record)], "k._domainkey.example.org": [("TXT", key.record)],
                "_dmarc.example.org": [("TXT", "v=DMARC1; p=reject")], "_dmarc.lab.test": [("TXT", "v=DMARC1; p=reject")]}))
general = ["resolver = %s" % dns.address]
ana, ben = (keep(world.home(who, general=general, account=["trusted-hosts = " + SERVER])) for who in ("ana", "ben"))
own = keep(world.home("ben", general=general))  # believes nobody and checks itself


def bring(message):
    """As a server of the world outside does."""
    with smtplib.SMTP("127.0.0.1", world.ports["mx"], timeout=20) as peer:
        peer.sendmail("someone@example.org", ["ben@lab.test"], message)


def authentication(home, subject):
    def found():
        home.ok("sync")
        rows = [row for row in home.json("list", "--limit", "0") if row["subject"] == subject]
        return rows and home.json("journey", str(rows[0]["id"]))[0]["authentication"]
    return wait_for(found, 60, subject)


def letter(subject, body=b"Hello Ben,\r\n\r\nsee you at noon.\r\n", fields=b""):
    return (b"From: Ana <ana@example.org>\r\nTo: ben@lab.test\r\nSubject: %s\r\nDate: Thu, 12 Nov 2026 10:42:01 +0100\r\n"
            b"Message-ID: <%s@example.org>\r\n%s\r\n" % (subject, subject.replace(b" ", b"."), fields) + body)


@test("what OpenDKIM signs for a person who sends is good to us")
def signed():
    ana.ok("send", "-s", "signed by the server", "ben@lab.test", "--now", stdin="Hello Ben\n")
    got = authentication(own, "signed by the server")
    equal([(row["result"], row["domain"]) for row in got["dkim"]], [("pass", "lab.test")])
    equal((got["by"], got["vouch"], got["dmarc"]), (None, "good", "pass"))


@test("what it says of mail from outside is read, when its word counts: journey and trust line name it")
def told():
    bring(key.sign(letter(b"told good")))
    bring(key.sign(letter(b"told bad")).replace(b"at noon", b"at nine"))
    bring(letter(b"told nothing"))
    for subject, result in (("told good", ["pass"]), ("told bad", ["fail"]), ("told nothing", ["none"])):
        got = authentication(ben, subject)
        equal((got["by"], [row["result"] for row in got["dkim"]] or ["none"]), (SERVER, result), subject)
    screen = keep(Screen(ben, width=120))
    screen.wait("told good")
    screen.keys("/")
    screen.type("subject:\"told good\"")
    screen.wait_gone("told nothing")
    screen.keys("Enter", "Enter")
    screen.wait("example.org (DKIM)")
    screen.keys("I")
    screen.wait(SERVER)


ATTACHED = (b"--b\r\n\r\nsee the file\r\n--b\r\nContent-Type: application/octet-stream; name=x\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\nAAECAwQ=\r\n--b--\r\n")
R, S = "relaxed/relaxed", "simple/simple"


def sign(subject, c=S, body=None, fields=b"", **options):
    return key.sign(letter(subject, *([] if body is None else [body]), fields=fields), c=c, **options)


def change(old, new):
    return lambda message: message.replace(old, new, 1)


# name -> (how it is signed, what happens to it on the way)
KINDS = {
    b"as it was": (dict(), None),
    b"relaxed": (dict(c=R), None),
    b"relaxed head": (dict(c="relaxed/simple"), None),
    b"relaxed body": (dict(c="simple/relaxed"), None),
    b"another body": (dict(), change(b"at noon", b"at nine")),
    b"another subject": (dict(), change(b"Subject: kind", b"Subject: sort")),
    b"refolded": (dict(c=R), change(b"Subject: ", b"Subject:\r\n\t ")),
    b"refolded simple": (dict(), change(b"Subject: ", b"Subject:\r\n\t ")),
    b"names in capitals": (dict(c=R), change(b"Subject:", b"SUBJECT:")),
    b"names in capitals simple": (dict(), change(b"Subject:", b"SUBJECT:")),
    b"lines behind": (dict(), lambda message: message + b"\r\n\r\n"),
    b"spaces at the end": (dict(c=R), change(b"noon.", b"noon. \t ")),
    b"spaces at the end simple": (dict(), change(b"noon.", b"noon. \t ")),
    b"an added field": (dict(), lambda message: b"X-List: friends\r\n" + message),
    b"an added signed field": (dict(names=("from", "to", "subject", "date", "reply-to")), change(b"To: ben", b"Reply-To: eva@example.net\r\nTo: ben")),
    b"subject guarded": (dict(names=("from", "to", "subject", "subject", "date")), change(b"To: ben", b"Subject: another\r\nTo: ben")),
    b"no such key": (dict(selector="gone"), None),
    b"no from": (dict(names=("to", "subject", "date")), None),
    b"expired": (dict(more="t=1700000000; x=1700000001; "), None),
    b"signature damaged": (dict(), change(b"; b=", b"; b=AAAA")),
    b"digest damaged": (dict(), change(b"bh=", b"bh=AAAA")),
    b"another domain": (dict(), change(b"d=example.org", b"d=example.net")),
    b"version two": (dict(), change(b"v=1", b"v=2")),
    b"empty": (dict(body=b""), None),
    b"empty relaxed": (dict(body=b"", c=R), None),
    b"dots": (dict(body=b".\r\n..\r\n.x\r\n"), None),
    b"eight bits": (dict(body="Grüße, 日本\r\n".encode()), None),
    b"an attachment": (dict(body=ATTACHED, fields=b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"), None),
    b"long lines": (dict(body=b"x" * 900 + b"\r\n", c=R), None),
    b"unknown tags": (dict(more="w=cat; z=dog; "), None),
    b"the identity below": (dict(more="i=ana@mail.example.org; "), None),
    b"the identity elsewhere": (dict(more="i=ana@example.net; "), None),
}


@test("about mail of many kinds our own check and OpenDKIM's say the same")
def kinds():
    for name, (options, on_the_way) in KINDS.items():
        message = sign(b"kind " + name, **options)
        bring(on_the_way(message) if on_the_way else message)
    bring(letter(b"kind unsigned"))
    bring(key.sign(sign(b"kind twice"), names=("from", "subject")))
    wanted = len(KINDS) + 2

    def all_here():
        own.ok("sync")
        return [row for row in own.json("list", "--limit", "0") if row["message_id"].startswith("kind.")][wanted - 1:]
    wait_for(all_here, 120, "the letters")
    verdicts, differ, raw = set(), [], f"{FOLDER}/raw"
    for row in own.json("list", "--limit", "0"):
        if not row["message_id"].startswith("kind."):
            continue
        text = own.ok("show", str(row["id"]), "--raw").text
        with open(raw, "w", newline="") as out:
            out.write(text)
        theirs = text.split("Authentication-Results: " + SERVER, 1)[1].split("DKIM-Signature:")[0].split("\nReceived:")[0]
        theirs = [word[5:] for word in theirs.replace(";", " ").split() if word.startswith("dkim=")]
        found = own.json("journey", "--check", "--resolver", dns.address, raw)[0]["authentication"]
        ours = [row["result"] for row in found["dkim"]] or ["none"]
        verdicts.update(theirs)
        if ("pass" in theirs) != ("pass" in ours) or ("none" in theirs) != ("none" in ours):
            differ.append((row["message_id"], theirs, ours))
    equal(differ, [])
    contains(verdicts, "pass")
    contains(verdicts, "fail")
    contains(verdicts, "none")


if __name__ == "__main__":
    main()
