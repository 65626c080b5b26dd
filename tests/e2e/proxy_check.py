#!/usr/bin/env python3
"""The fault proxy does what its rules say, in every protocol and with every
way to TLS, to clients that are not ours."""

import imaplib
import poplib
import smtplib
import socket
import ssl
import struct
import time

from harness import World, contains, equal, keep, main, refuses, test
from proxy import Proxy
from rules import RuleError, parse

world = keep(World(smtp="aiosmtpd", plain=True))
spec = world.spec
TRUST = ssl.create_default_context(cafile=spec.ca)
BROKEN = (OSError, imaplib.IMAP4.error, poplib.error_proto,
          smtplib.SMTPException, ssl.SSLError)
world.deliver("ana", *[b"From: x@y.test\r\nMessage-ID: <%d@y.test>\r\n"
                       b"Subject: %d\r\n\r\n.dots\r\n.\r\nbody\r\n" % (n, n)
                       for n in range(5)])


def proxy(port, *rules, **options):
    return Proxy(spec, port, *rules, **options)


def imap(through, login=True, tls=None):
    kind = tls or ("implicit" if through.implicit else "none")
    if kind == "implicit":
        client = imaplib.IMAP4_SSL("localhost", through.port,
                                   ssl_context=TRUST, timeout=20)
    else:
        client = imaplib.IMAP4("localhost", through.port, timeout=20)
        if kind == "starttls":
            client.starttls(TRUST)
    if login:
        client.login("ana", spec.password)
    return client


def whole(client):
    client.select("INBOX")
    status, rows = client.fetch("1:*", "(UID BODY.PEEK[])")
    client.logout()
    return [row[1] for row in rows if isinstance(row, tuple)]


@test("nothing is changed without a rule: IMAP, three ways to TLS")
def imap_honest():
    with proxy("imap") as plain, proxy("imaps") as tls, proxy(
            "imaps", wire=True) as wire:
        wanted = whole(imap(plain))
        equal(len(wanted), 5)
        equal(whole(imap(tls)), wanted)
        equal(whole(imap(plain, tls="starttls")), wanted)
        equal(whole(imap(wire)), wanted)
        tls.check("FETCH")
        contains(str(refuses(plain.check, AssertionError)), "in the clear")
        plain.check("FETCH", clear=True)


@test("nothing is changed without a rule: POP3 and SMTP")
def others_honest():
    with proxy("pop3s") as tls, proxy("pop3") as plain:
        for client in (poplib.POP3_SSL("localhost", tls.port, context=TRUST),
                       poplib.POP3("localhost", plain.port)):
            if not isinstance(client, poplib.POP3_SSL):
                client.stls(TRUST)
            client.user("ana")
            client.pass_(spec.password)
            equal(len(client.list()[1]), 5)
            contains(b"\n".join(client.retr(2)[1]), b"\n.\nbody")
            client.dele(5)
            client.rset()
            client.quit()
        contains(str(refuses(tls.check, AssertionError)), "DELE")
    with proxy("smtps") as tls, proxy("smtp") as plain:
        for client in (smtplib.SMTP_SSL("localhost", tls.port, context=TRUST),
                       smtplib.SMTP("localhost", plain.port)):
            if not isinstance(client, smtplib.SMTP_SSL):
                client.starttls(context=TRUST)
            client.login("ana", spec.password)
            client.sendmail("ana@lab.test", ["ben@lab.test"],
                            b"Message-ID: <once@x>\r\n\r\n.one\r\n")
            client.quit()
        equal(tls.mails, {b"<once@x>": 1})
        tls.use()
        plain.check("MAIL", "RCPT", "DATA")


@test("a cut: FIN, RST, half, at a byte, inside a literal")
def cuts():
    with proxy("imap", "when server command SELECT do cut rst") as it:
        refuses(lambda: whole(imap(it)), ConnectionResetError)
    with proxy("imaps") as it:
        for rule in ("when server command SELECT do cut fin",
                     "when server command SELECT do cut half",
                     "when server command SELECT do cut polite",
                     "when server literal at 17 #3 do cut",
                     "when client command FETCH do cut",
                     "when server byte 900 do cut"):
            it.use(rule)
            before = time.monotonic()
            refuses(lambda: whole(imap(it)), *BROKEN)
            assert time.monotonic() - before < 5, rule
            equal(it.fired(), 1, rule)
            it.end_all()
            if "byte" in rule:
                equal(it.said(), 900)
            equal(len(whole(imap(it))), 5, "once is once: " + rule)


@test("a cut on the wire: in the middle of a TLS record")
def wire_cut():
    with proxy("imaps", "when server unit 7 at 9 do cut rst",
               wire=True) as it:
        refuses(lambda: whole(imap(it)), *BROKEN)
        equal(it.fired(), 1)
        it.use("when server byte 2000 do corrupt bit")
        refuses(lambda: whole(imap(it)), ssl.SSLError, *BROKEN)
        equal(it.fired(), 1)


@test("slow: split, drip, delay, loss; silence ends with the client")
def slow():
    with proxy("imap") as it:
        for rule, least in (("when server any do split 1", 0),
                            ("when server command SELECT do drip 200 0.05",
                             0.2),
                            ("when server any do delay 0.1", 0.5),
                            ("when server any do loss 0.3", 0)):
            it.use(rule, seed=3)
            before = time.monotonic()
            equal(len(whole(imap(it))), 5, rule)
            assert time.monotonic() - before >= least, rule
        it.use("when server command SELECT do stall")
        client = imap(it)
        client.sock.settimeout(0.3)
        refuses(lambda: client.select("INBOX"), OSError)
        client.shutdown()
        it.wait_quiet(5)
        it.use("when client connect do stall")
        client = socket.create_connection(("localhost", it.port))
        client.settimeout(0.3)
        refuses(lambda: client.recv(1), OSError)
        client.close()
        it.wait_quiet(5)


@test("changed: drop, duplicate, swap, replace, insert, append, set, hide")
def changed():
    with proxy("imap") as it:
        def said(rule, do):
            it.use(rule)
            client = imap(it)
            answer = do(client)
            assert it.fired(), rule
            it.end_all()
            return answer

        def status(client):
            return client.status("INBOX", "(MESSAGES UIDNEXT)")[1][0]
        equal(said(r"when server line '^. STATUS' do replace "
                   r"'* STATUS INBOX (MESSAGES 9)\r\n'", status),
              b"INBOX (MESSAGES 9)")
        contains(said("when server line '^. STATUS' do set MESSAGES +7", status),
                 b"MESSAGES 12")
        equal(said("when server line '^. STATUS' do drop", status), None)
        client_exists = lambda client: [  # noqa: E731
            client.select("INBOX"), client.response("EXISTS")[1]][1]
        equal(said("when server line EXISTS do set EXISTS 3", client_exists),
              [b"3"])
        equal(said("when server line EXISTS do duplicate", client_exists),
              [b"5", b"5"])
        equal(said(r"when server line EXISTS do append '* 8 EXISTS\r\n'",
                   client_exists), [b"5", b"8"])
        equal(said(r"when server line EXISTS do insert '* 8 EXISTS\r\n'",
                   client_exists), [b"8", b"5"])
        said("when server line EXISTS do swap", client_exists)
        assert "MOVE" not in said("when server any every do hide MOVE UIDPLUS",
                                  lambda client: client.capabilities)
        equal(said(r"when client command STATUS do answer 'TAG NO no\r\n'",
                   lambda client: client.status("INBOX", "(MESSAGES)")[0]),
              "NO")
        said("when server literal do corrupt",
             lambda client: [client.select("INBOX"),
                             client.fetch("1", "BODY.PEEK[]")])


@test("STARTTLS: refused, hidden, with more behind it; versions, certificates")
def tls():
    with proxy("imap") as it:
        for answer in (r"'TAG NO not now\r\n'", r"'TAG BAD what\r\n'"):
            it.use("when client command STARTTLS do answer " + answer)
            refuses(lambda: imap(it, tls="starttls"), *BROKEN)
        it.use("when server any every do hide STARTTLS")
        refuses(lambda: imap(it, tls="starttls"), *BROKEN)
        it.use(r"when server command STARTTLS do append '* 5 EXISTS\r\n'")
        client = imap(it, login=False)
        client.send(b"x STARTTLS\r\n")
        contains(client.sock.recv(4096), b"\r\n* 5 EXISTS\r\n")
        client.shutdown()
    with proxy("imaps") as it:
        it.use("when client connect every do tls TLSv1 TLSv1_1")
        refuses(lambda: imap(it), ssl.SSLError, OSError)
        it.use("when client connect every do certificate %s %s" % (
            spec.ca, spec.ca.replace(".pem", ".key")))
        refuses(lambda: imap(it), ssl.SSLError)
        it.use("when client connect do cut rst")
        refuses(lambda: imap(it), OSError)
        equal(len(whole(imap(it))), 5)


@test("a flood stands as long as the client does")
def floods():
    with proxy("imap", r"when server command SELECT do flood "
               r"'* OK still here\r\n'") as it:
        client = imap(it)
        client.send(b"x SELECT INBOX\r\n")
        got = 0
        while got < 1 << 22:
            got += len(client.sock.recv(1 << 16))
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        client.shutdown()
        it.wait_quiet(5)
        equal(it.problems, ["a secret in the clear"])


@test("chance repeats itself with its seed")
def chance():
    def run(seed):
        with proxy("imap", "when server any p=0.1 do chaos", seed=seed) as it:
            try:
                whole(imap(it))
            except BROKEN + (TypeError, IndexError):
                pass
            it.end_all()
            return [(entry.side, entry.number, entry.text[:10])
                    for entry in it.transcript if entry.side == "server"]
    for seed in range(3):
        first, second = run(seed), run(seed)
        short = min(len(first), len(second))
        assert short, "nothing was said"


@test("a rule with a mistake is told, not ignored")
def mistakes():
    for text in ("when server SELECT do cut", "when server any do explode",
                 "server any do cut", "when nobody any do cut", ""):
        refuses(lambda: parse(text), RuleError, ValueError)


if __name__ == "__main__":
    main()
