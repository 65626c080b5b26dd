#!/usr/bin/env python3
"""T1, T2, S1: a server that cannot be trusted gets a reason, and no credential, over IMAP, POP3 and SMTP alike."""

import os
import shutil
import tempfile

from harness import *  # first: it tells where the lab is
import badcerts
from dialogues import Imap, Pop3, Smtp, inject, refuse, strip
from fake import Fake

SECRET = "tiger-lily-7"
FOLDER = tempfile.mkdtemp(prefix="prcerts-", dir="/tmp")
at_end(shutil.rmtree, FOLDER, True)
CERTS = badcerts.make(FOLDER)
CA = os.path.join(FOLDER, "lab-ca.pem")


def home(incoming, outgoing="smtps://ana@localhost:1"):
    """A home whose one account is on the given servers."""
    made = keep(Home())
    made.configure(
        "[account work]\naddress = Ana <ana@lab.test>\nincoming = %s\noutgoing = %s\n"
        "password = command echo %s\ntls-ca = %s\n" % (incoming, outgoing, SECRET, CA))
    return made


def sync(script, scheme="imaps", certificate=None, **options):
    """One pass against a scripted server; what it said, and the server."""
    with Fake(script, tls="implicit" if scheme in ("imaps", "pop3s") else None,
              certificate=certificate or CERTS["good"], **options) as server:
        ana = home("%s://ana@localhost:%d" % (scheme, server.port))
        result = ana.run("sync", timeout=60)
        ana.stop()
        server.check_no_secret(SECRET)
    return result


def refused(result, *words):
    if result.code == 0:
        raise AssertionError("accepted: %r" % result.errors)
    if words and not any(word in result.errors for word in words):
        raise AssertionError("none of %r in %r" % (words, result.errors))


@test("T2: every bad certificate is refused over implicit TLS, with a reason")
def implicit():
    for name, made in sorted(CERTS.items()):
        if made.good:
            continue
        result = sync(Imap(), certificate=made)
        refused(result, "certificate", "TLS", "key", "handshake")
        note("%-22s %s" % (name, result.errors.strip().splitlines()[-1][:150]))


@test("T2: and over STARTTLS")
def starttls():
    for name, made in sorted(CERTS.items()):
        if not made.good:
            refused(sync(Imap(), "imap", certificate=made), "certificate", "TLS", "key", "handshake")


@test("T2: TLS 1.0 and 1.1 are refused")
def old_versions():
    refused(sync(Imap(), maximum="TLSv1_1", minimum="TLSv1"), "TLS", "version", "handshake")


@test("S1: STARTTLS stripped, refused or with bytes sent ahead: nothing more is said")
def stripped():
    for way in (strip, refuse, inject):
        refused(sync(Imap(starttls=way), "imap"), "STARTTLS", "encrypt", "TLS", "ahead")


@test("S1: PREAUTH on a plain connection is an attack")
def preauth():
    refused(sync(Imap(greeting=b"* PREAUTH welcome, ana\r\n"), "imap"), "logged in", "encrypted")


@test("S1, T2: the same over POP3")
def pop3():
    for name in ("expired", "unknown-ca", "self-signed", "wrong-host"):
        for scheme in ("pop3s", "pop3"):
            refused(sync(Pop3(), scheme, certificate=CERTS[name]), "certificate", "TLS", "key", "handshake")
    refused(sync(Pop3(), "pop3s", maximum="TLSv1_1", minimum="TLSv1"), "TLS", "version", "handshake")
    for way in (strip, refuse, inject):
        refused(sync(Pop3(starttls=way), "pop3"), "STLS", "encrypt", "TLS", "ahead")


@test("S1, T2: the same for sending; the message stays in the queue")
def smtp():
    bad = [("expired", {}), ("unknown-ca", {}), ("self-signed", {})]
    ways = [(Smtp(), "smtps", CERTS[name], "implicit") for name, _ in bad]
    ways += [(Smtp(starttls=way), "smtp", CERTS["good"], None) for way in (strip, refuse, inject)]
    for script, scheme, certificate, tls in ways:
        with Fake(script, tls=tls, certificate=certificate) as server:
            ana = home("maildir:/nonexistent-%d" % server.port, "%s://ana@localhost:%d" % (scheme, server.port))
            result = ana.run("send", "-s", "x", "ben@lab.test", "--now", stdin="private words\n", timeout=60)
            item = ana.json("queue")[0]
            ana.stop()
            server.check_no_secret(SECRET)
            if b"private words" in server.received:
                raise AssertionError("the message was given away")
        equal(result.code != 0, True, "exit code")
        equal(item["state"] in ("waiting", "deferred"), True, "state %s" % item["state"])
        equal(bool(item["error"] and item["error"]["text"]) or bool(result.errors), True, "a reason")


if __name__ == "__main__":
    main()
