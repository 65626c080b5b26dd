#!/usr/bin/env python3
"""The test world itself: what every other end-to-end test stands on."""

import email
import email.policy
import imaplib
import os
import poplib
import smtplib
import socket
import ssl
import subprocess

from harness import *

import corpus
import dovecot
import postfix
from lab_mail import (letter, mail_goes_round, refusals, smtp, trust,
                      unknown_user_bounces)

LAB = os.path.join(TOP, "tests", "lab", "lab")

world = keep(World())
spec = world.spec
trusted = trust(spec)


def imap(port, secret=None):
    if port == "imaps":
        client = imaplib.IMAP4_SSL("localhost", spec.ports[port],
                                   ssl_context=trusted)
    else:
        client = imaplib.IMAP4("localhost", spec.ports[port])
        client.starttls(trusted)
    client.login("ana", secret or spec.password)
    return client


def pop(port, secret=None):
    if port == "pop3s":
        client = poplib.POP3_SSL("localhost", spec.ports[port], context=trusted)
    else:
        client = poplib.POP3("localhost", spec.ports[port])
        client.stls(trusted)
    client.user("ana")
    client.pass_(secret or spec.password)
    return client


# Logins

@test("IMAP: login by STARTTLS and by TLS, a wrong password is refused")
def imap_logins():
    for port in ("imap", "imaps"):
        imap(port).logout()
        refuses(lambda: imap(port, "wrong"), imaplib.IMAP4.error)
    plain = imaplib.IMAP4("localhost", spec.ports["imap"])
    contains(plain.capabilities, "STARTTLS")
    plain.logout()


@test("POP3: login by STLS and by TLS, a wrong password is refused")
def pop_logins():
    for port in ("pop3", "pop3s"):
        pop(port).quit()
        refuses(lambda: pop(port, "wrong"), poplib.error_proto)


@test("SMTP: login by STARTTLS and by TLS, a wrong password is refused")
def smtp_logins():
    for port in ("smtp", "smtps"):
        smtp(spec, port).quit()
        error = refuses(lambda: smtp(spec, port, secret="wrong"),
                        smtplib.SMTPAuthenticationError)
        equal(error.smtp_code, 535)


@test("SMTP: no login and no mail before TLS")
def smtp_before_tls():
    client = smtplib.SMTP("localhost", spec.ports["smtp"])
    client.ehlo()
    contains(client.esmtp_features, "starttls")
    equal("auth" in client.esmtp_features, False)
    equal(client.mail("ana@lab.test")[0], 530)
    client.quit()


@test("SMTP: no mail without a login")
def smtp_before_login():
    client = smtplib.SMTP_SSL("localhost", spec.ports["smtps"], context=trusted)
    client.ehlo()
    refused = refuses(
        lambda: client.sendmail("ana@lab.test", ["ben@lab.test"], b"\r\n"),
        smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused)
    note(refused)
    client.quit()


@test("the servers' certificate is good for localhost and nobody else")
def certificate():
    def greet(name):
        with socket.create_connection(
                ("localhost", spec.ports["imaps"])) as plain:
            with trusted.wrap_socket(plain, server_hostname=name) as secure:
                return secure.recv(100)
    for name in ("localhost", "127.0.0.1", "imap.lab.test"):
        contains(greet(name), b"* OK")
    refuses(lambda: greet("other.test"), ssl.SSLCertVerificationError)


# What is offered

@test("special-use folders are there, subscribed and named")
def special_use():
    with world.oracle("ben") as server:
        folders = server.folders()
        for role in ("Sent", "Drafts", "Junk", "Trash", "Archive"):
            contains(folders[role], "\\" + role)
        equal(server.subscribed(), set(folders))


@test("every feature that can be switched off is offered otherwise")
def features_on():
    with world.oracle("ana") as server:
        for capabilities in dovecot.FEATURES.values():
            for capability in capabilities:
                contains(server.capabilities, capability.upper())


@test("features that are off are not offered")
def features_off():
    for off in (sorted(dovecot.FEATURES), ["qresync", "move"]):
        gone = {capability.upper() for feature in off
                for capability in dovecot.FEATURES[feature]}
        with World(off=off) as bare, bare.oracle("ana") as server:
            before = imaplib.IMAP4("localhost", bare.ports["imap"])
            contains(before.capabilities, "STARTTLS")
            equal(gone & set(server.capabilities), set(), "after login")
            equal(gone & set(before.capabilities), set(), "before")
            equal("CONDSTORE" in server.capabilities,
                  "condstore" not in off)
            before.logout()


@test("without special-use no folder has a role, without compress none works")
def features_gone():
    with World(off=["special-use", "compress"]) as bare:
        with bare.oracle("ana") as server:
            folders = server.folders()
            contains(folders, "Sent")
            equal("\\Sent" in folders["Sent"], False)
            status, _ = server.imap._simple_command("NOOP")
            equal(status, "OK")
            refuses(lambda: server.imap.xatom("COMPRESS", "DEFLATE"),
                    imaplib.IMAP4.error)


@test("one submission port can be left out, and logins without TLS allowed")
def submission_modes():
    with World(submission=["tls"], plain=True) as other:
        equal("smtp" in other.ports, False)
        client = imaplib.IMAP4("localhost", other.ports["imap"])
        client.login("ana", other.spec.password)
        client.logout()


# Mail

@test("mail from Ana reaches Ben through either port")
def mail():
    mail_goes_round(spec)


@test("mail to an unknown user bounces back to Ana")
def bounce():
    unknown_user_bounces(spec)


@test("addresses that are refused, put off and cut off")
def refused():
    refusals(spec)


@test("as root, submission is Postfix; it offers SCRAM and DSN")
def postfix_offers():
    if not postfix.usable():
        raise Skip("needs root and Postfix")
    equal(spec.smtp_server, "postfix")
    client = smtplib.SMTP_SSL("localhost", spec.ports["smtps"], context=trusted)
    client.ehlo()
    for feature in ("dsn", "pipelining", "8bitmime", "smtputf8", "size"):
        contains(client.esmtp_features, feature)
    contains(client.esmtp_features["auth"], "SCRAM-SHA-256")
    client.quit()


@test("the small submission server does the same")
def small_server():
    with World(smtp="aiosmtpd") as small:
        equal(small.spec.smtp_server, "aiosmtpd")
        mail_goes_round(small.spec)
        unknown_user_bounces(small.spec)
        refusals(small.spec)


@test("a size limit is announced and kept")
def size_limit():
    for kind in ("postfix", "aiosmtpd") if postfix.usable() else ("aiosmtpd",):
        with World(smtp=kind, size_limit=20000) as small:
            client = smtp(small.spec)
            client.ehlo()
            equal(client.esmtp_features["size"], "20000")
            error = refuses(lambda: client.sendmail(
                "ana@lab.test", ["ben@lab.test"], b"\r\n" + b"x" * 30000),
                smtplib.SMTPSenderRefused)
            equal(error.smtp_code, 552)


@test("unknown users can be refused at once")
def reject_unknown():
    with World(reject_unknown=True) as strict:
        client = smtp(strict.spec)
        error = refuses(lambda: client.sendmail(
            "ana@lab.test", ["nosuch@lab.test"], b"\r\n"),
            smtplib.SMTPRecipientsRefused)
        equal(error.recipients["nosuch@lab.test"][0], 550)


# Off line

@test("a killed server refuses connections, its port stays ours, mail waits")
def off_line():
    world.kill_server("imap")
    equal(world.lab.status()["imap"], None)
    for port in ("imap", "imaps", "lmtp"):
        refuses(lambda: socket.create_connection(
            ("127.0.0.1", spec.ports[port])), ConnectionRefusedError)
    with socket.socket() as thief:
        refuses(lambda: thief.bind(("127.0.0.1", spec.ports["imaps"])),
                OSError)
    if spec.smtp_server == "aiosmtpd":
        client = smtp(spec)
        client.sendmail("ana@lab.test", ["ben@lab.test"],
                        letter("ben@lab.test", "off-line"))
        client.quit()
    world.start_server("imap")
    world.kill_server("smtp")
    refuses(lambda: smtp(spec), ConnectionRefusedError)
    world.start_server("smtp")
    mail_goes_round_again()


def mail_goes_round_again():
    client = smtp(spec)
    client.sendmail("ana@lab.test", ["ben@lab.test"],
                    letter("ben@lab.test", "back"))
    client.quit()
    with world.oracle("ben") as server:
        wait_for(lambda: "back@lab.test" in server.by_id(), what="the mail")


@test("Postfix keeps mail while Dovecot is away")
def postfix_queue():
    if spec.smtp_server != "postfix":
        raise Skip("needs Postfix")
    client = smtp(spec)
    world.kill_server("imap")
    client.sendmail("ana@lab.test", ["ben@lab.test"],
                    letter("ben@lab.test", "queued"))
    client.quit()
    wait_for(lambda: "status=deferred" in world.log("postfix.log"),
             what="a first attempt")
    world.start_server("imap")
    with world.oracle("ben") as server:
        wait_for(lambda: "queued@lab.test" in server.by_id(), 60,
                 "the second attempt")


# Filling

@test("lab deliver and lab fill put mail where it belongs")
def filling():
    folder = temporary()
    path = os.path.join(folder, "one.eml")
    with open(path, "wb") as out:
        out.write(letter("carol@lab.test", "delivered"))
    for command in (["deliver", spec.dir, "carol", path],
                    ["fill", spec.dir, "carol", "500", "--kind", "small"]):
        subprocess.run([LAB, *command], check=True, stdout=subprocess.DEVNULL)
    with world.oracle("carol") as server:
        messages = server.messages()
        equal(len(messages), 501)
        equal(messages[0].message_id, "delivered@lab.test")
        wanted = [m.message_id for m in
                  corpus.Corpus(1, "carol@lab.test", "small").mails(500)]
        equal([m.message_id for m in messages[1:]], wanted, "in UID order")
        contains({flag for m in messages for flag in m.flags}, "$Forwarded")
        server.uids("INBOX", "UNSEEN")


@test("the corpus: the same seed gives the same bytes, and mail like mail")
def the_corpus():
    def made(seed):
        return list(corpus.Corpus(seed, kind="small").mails(600))
    mails = made(1)
    equal([m.data for m in mails], [m.data for m in made(1)])
    assert mails[0].data != made(2)[0].data
    ids, words, seen, answers = set(), set(), 0, 0
    for mail in mails:
        message = email.message_from_bytes(mail.data, policy=email.policy.default)
        equal(message["Message-ID"], "<%s>" % mail.message_id)
        if message["In-Reply-To"]:
            answers += 1
            contains(ids, message["In-Reply-To"], "answers what was before")
            contains(message["References"].split(), message["In-Reply-To"])
        ids.add(message["Message-ID"])
        text = message.get_body(("plain",)).get_content().split()
        words.update(text)
        seen += len(text)
    equal(len(ids), len(mails))
    assert answers > 250, answers
    # 150 words a language would be some thousand in all.
    assert len(words) > 15000, "%d words, of %d" % (len(words), seen)
    senders = {m.message_id.partition("@")[2] for m in mails}
    assert len(senders) > 50, len(senders)


if __name__ == "__main__":
    main()
