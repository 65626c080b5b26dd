#!/usr/bin/env python3
"""The hostile part of the lab: its certificates are as bad as they say, its
fake servers remember and misbehave as told."""

import imaplib
import os
import smtplib
import socket
import ssl

from harness import *

import badcerts
import dialogues
import fake
from oracle import decode_name, encode_name


@test("bad certificates are bad, good ones good")
def certificates():
    folder = temporary()
    made = badcerts.make(folder)
    equal(badcerts.load(folder), made)
    context = ssl.create_default_context(
        cafile=os.path.join(folder, "lab-ca.pem"))
    context.hostname_checks_common_name = False
    wrong = []
    for certificate in made.values():
        with fake.Fake(lambda peer: peer.send(b"hello\r\n"), tls="implicit",
                       certificate=certificate) as server:
            try:
                with socket.create_connection(
                        ("127.0.0.1", server.port)) as plain:
                    with context.wrap_socket(
                            plain, server_hostname="localhost") as secure:
                        accepted = secure.recv(7) == b"hello\r\n"
            except ssl.SSLError:
                accepted = False
        if accepted != certificate.good:
            wrong.append(certificate.name)
    equal(wrong, [])
    equal(len(made) >= 25, True)


@test("a fake server remembers what it was told, and finds a secret in it")
def fake_records():
    folder = temporary()
    good = badcerts.make(folder)["good"]
    context = ssl.create_default_context(
        cafile=os.path.join(folder, "lab-ca.pem"))
    script = dialogues.Imap()
    with fake.Fake(script, tls="starttls", certificate=good) as server:
        client = imaplib.IMAP4("localhost", server.port)
        client.starttls(context)
        client.authenticate("PLAIN", lambda _: b"\0ana\0open sesame")
        client.logout()
        server.wait_sessions()
        contains(server.clear, b"STARTTLS")
        server.check_no_secret("open sesame", where=server.clear)
        refuses(lambda: server.check_no_secret("open sesame"), AssertionError)
    equal([c.verb for c in script.commands][:3],
          ["CAPABILITY", "STARTTLS", "CAPABILITY"])


@test("a fake server takes mail, refuses it, and cuts where it is told")
def fake_smtp():
    script = dialogues.Smtp(answers={
        "RCPT": [b"550 5.1.1 nobody\r\n", b"250 2.1.5 ok\r\n"],
        "BODY": [None, dialogues.close]})
    with fake.Fake(script) as server:
        client = smtplib.SMTP("localhost", server.port)
        equal(list(client.sendmail("a@x.test", ["b@x.test", "c@x.test"],
                                   b"one\r\n..dot\r\n")), ["b@x.test"])
        refuses(lambda: client.sendmail("a@x.test", ["c@x.test"], b"two\r\n"),
                smtplib.SMTPServerDisconnected)
    equal([data for _, _, data in script.mails],
          [b"one\r\n..dot\r\n", b"two\r\n"])


@test("folder names go through modified UTF-7 and back")
def folder_names():
    for name in ("Häuser & Höfe", "日本語/台北", "a&b", "~peter", "&", "😀"):
        equal(decode_name(encode_name(name)), name)
    equal(encode_name("~peter/mail/台北/日本語"),
          "~peter/mail/&U,BTFw-/&ZeVnLIqe-")


if __name__ == "__main__":
    main()
