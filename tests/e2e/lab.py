#!/usr/bin/env python3
"""The test world itself: what every other end-to-end test stands on."""

import email
import email.policy
import imaplib
import json
import os
import poplib
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

from harness import *
from harness import lab_world

import badcerts
import corpus
import dialogues
import dovecot
import fake
import postfix
from oracle import decode_name, encode_name

LAB = os.path.join(TOP, "tests", "lab", "lab")
ROOT = os.geteuid() == 0
MAIL = (b"From: Ana Ruiz <ana@lab.test>\r\nTo: %s\r\nSubject: %s\r\n"
        b"Message-ID: <%s@lab.test>\r\n\r\nHello.\r\n")

world = keep(World())
spec = world.spec
trust = ssl.create_default_context(cafile=spec.ca)
trust.hostname_checks_common_name = False


def letter(to, stem):
    return MAIL % (to.encode(), stem.encode(), stem.encode())


def imap(port, secret=None):
    if port == "imaps":
        client = imaplib.IMAP4_SSL("localhost", spec.ports[port],
                                   ssl_context=trust)
    else:
        client = imaplib.IMAP4("localhost", spec.ports[port])
        client.starttls(trust)
    client.login("ana", secret or spec.password)
    return client


def pop(port, secret=None):
    if port == "pop3s":
        client = poplib.POP3_SSL("localhost", spec.ports[port], context=trust)
    else:
        client = poplib.POP3("localhost", spec.ports[port])
        client.stls(trust)
    client.user("ana")
    client.pass_(secret or spec.password)
    return client


def smtp(port="smtps", user="ana", secret=None, spec=spec, context=trust):
    if port == "smtps":
        client = smtplib.SMTP_SSL("localhost", spec.ports[port],
                                  context=context)
    else:
        client = smtplib.SMTP("localhost", spec.ports[port])
        client.starttls(context=context)
    client.login(user, secret or spec.password)
    return client


def refuses(function, *errors):
    """Calls it; it must raise one of the errors, which is returned."""
    try:
        function()
    except errors as error:
        return error
    raise AssertionError("nothing was refused")


def traces(folder):
    """What a world left behind: files, processes, short folders."""
    found = [folder] if os.path.lexists(folder) else []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open("/proc/%s/cmdline" % name, "rb") as file:
                    if os.fsencode(folder) in file.read():
                        found.append("process " + name)
            except OSError:
                continue
    return found


def temporary(**options):
    folder = tempfile.mkdtemp(prefix="prlabtest-", dir="/tmp", **options)
    at_end(shutil.rmtree, folder, True)
    return folder


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
        smtp(port).quit()
        error = refuses(lambda: smtp(port, secret="wrong"),
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
    client = smtplib.SMTP_SSL("localhost", spec.ports["smtps"], context=trust)
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
            with trust.wrap_socket(plain, server_hostname=name) as secure:
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

def mail_goes_round(spec):
    for port in ("smtp", "smtps"):
        client = smtp(port, spec=spec, context=context_of(spec))
        equal(client.sendmail("ana@lab.test", ["ben@lab.test"], letter(
            "ben@lab.test", "round-" + port)), {})
        client.quit()
        with Oracle(spec, "ben") as server:
            found = wait_for(lambda: server.by_id().get(
                "round-%s@lab.test" % port), what="the mail")
            body = server.body("INBOX", found.uid)
            contains(body, b"\r\n\r\nHello.\r\n")
            contains(body, b"Authenticated sender: ana")


def unknown_user_bounces(spec):
    client = smtp(spec=spec, context=context_of(spec))
    equal(client.sendmail("ana@lab.test", ["nosuch@lab.test"], letter(
        "nosuch@lab.test", "to-nobody")), {})
    client.quit()
    with Oracle(spec, "ana") as server:
        found = wait_for(lambda: [
            m for m in server.messages(bodies=True)
            if b"multipart/report" in m.body and b"to-nobody" in m.body],
            what="the bounce")
    report = email.message_from_bytes(found[0].body)
    equal(report.get_content_type(), "multipart/report")
    contains(report["From"], "MAILER-DAEMON@lab.test")
    status = [part for part in report.walk()
              if part.get_content_type() == "message/delivery-status"]
    recipient = status[0].get_payload()[1]
    equal(recipient["Status"], "5.1.1")
    equal(recipient["Action"], "failed")
    contains(recipient["Final-Recipient"], "nosuch@lab.test")
    contains(recipient["Diagnostic-Code"], "550 5.1.1")


def refusals(spec):
    client = smtp(spec=spec, context=context_of(spec))
    for name, code in (("refused", 550), ("later", 451)):
        error = refuses(lambda: client.sendmail(
            "ana@lab.test", [name + "@lab.test"], b"\r\n"),
            smtplib.SMTPRecipientsRefused)
        equal(error.recipients[name + "@lab.test"][0], code)
    client.mail("ana@lab.test")
    equal(client.rcpt("busy@lab.test")[0], 421)


def context_of(spec):
    return ssl.create_default_context(cafile=spec.ca)


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
    client = smtplib.SMTP_SSL("localhost", spec.ports["smtps"], context=trust)
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
            client = smtp(spec=small.spec, context=context_of(small.spec))
            client.ehlo()
            equal(client.esmtp_features["size"], "20000")
            error = refuses(lambda: client.sendmail(
                "ana@lab.test", ["ben@lab.test"], b"\r\n" + b"x" * 30000),
                smtplib.SMTPSenderRefused)
            equal(error.smtp_code, 552)


@test("unknown users can be refused at once")
def reject_unknown():
    with World(reject_unknown=True) as strict:
        client = smtp(spec=strict.spec, context=context_of(strict.spec))
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
        client = smtp()
        client.sendmail("ana@lab.test", ["ben@lab.test"],
                        letter("ben@lab.test", "off-line"))
        client.quit()
    world.start_server("imap")
    world.kill_server("smtp")
    refuses(lambda: smtp(), ConnectionRefusedError)
    world.start_server("smtp")
    mail_goes_round_again()


def mail_goes_round_again():
    client = smtp()
    client.sendmail("ana@lab.test", ["ben@lab.test"],
                    letter("ben@lab.test", "back"))
    client.quit()
    with world.oracle("ben") as server:
        wait_for(lambda: "back@lab.test" in server.by_id(), what="the mail")


@test("Postfix keeps mail while Dovecot is away")
def postfix_queue():
    if spec.smtp_server != "postfix":
        raise Skip("needs Postfix")
    client = smtp()
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


@test("the corpus is the same for a seed, parses, and looks like mail")
def corpus_is_sound():
    first = list(corpus.Corpus(7).mails(400))
    equal([m.data for m in corpus.Corpus(7).mails(400)],
          [m.data for m in first])
    kinds, replies, languages = set(), 0, set()
    for one in first:
        parsed = email.message_from_bytes(one.data, policy=email.policy.default)
        equal(parsed["Message-ID"], "<%s>" % one.message_id)
        replies += parsed["In-Reply-To"] is not None
        for part in parsed.walk():
            equal(part.defects, [], one.message_id)
            kinds.add(part.get_content_type())
            if part.get_content_maintype() == "text":
                part.get_content()
                languages.add(part.get_content_charset())
    note("%d replies, charsets %s" % (replies, ", ".join(sorted(
        str(name) for name in languages))))
    equal(replies > 100 and len(languages) > 8, True)
    equal({"text/html", "application/pdf", "multipart/mixed"} <= kinds, True)


# Worlds together, and their end

@test("worlds side by side share nothing")
def side_by_side():
    made, errors = [], []

    def begin():
        try:
            made.append(World())
        except Exception as error:
            errors.append(error)
    threads = [threading.Thread(target=begin) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        equal(errors, [])
        numbers = [port for one in [world, *made]
                   for port in one.ports.values()]
        equal(len(set(numbers)), len(numbers))
        equal(len({one.spec.password for one in made}), 3)
        made[0].deliver("ana", letter("ana@lab.test", "only-here"))
        for n, one in enumerate(made):
            with one.oracle("ana") as server:
                equal(len(server.uids()), int(n == 0))
    finally:
        for one in made:
            one.close()


@test("lab up, status and down; nothing is left")
def up_and_down():
    folder = os.path.join(temporary(), "world")
    text = subprocess.run([LAB, "up", folder, "--users", "8"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    contains(text, "emil@lab.test, fumi@lab.test, user07@lab.test")
    status = json.loads(subprocess.run(
        [LAB, "status", folder, "--json"], check=True,
        stdout=subprocess.PIPE).stdout)
    again = subprocess.run([LAB, "up", folder], stderr=subprocess.PIPE)
    equal(again.returncode, 1)
    contains(again.stderr, b"holds a world already")
    port = status["ports"]["imaps"]
    subprocess.run([LAB, "down", folder], check=True)
    wait_for(lambda: not traces(folder), 10, "nothing to be left")
    with socket.socket() as free:
        free.bind(("127.0.0.1", port))


@test("lab down --keep leaves mail and logs, files of others stay")
def keep_mail():
    folder = temporary()
    mine = os.path.join(folder, "mine")
    open(mine, "w").close()
    for kept in (True, False):
        subprocess.run([LAB, "up", folder], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([LAB, "deliver", folder, "ana", "-"], check=True,
                       input=letter("ana@lab.test", "kept"))
        subprocess.run([LAB, "down", folder] + ["--keep"] * kept, check=True)
        equal(os.path.isdir(os.path.join(folder, "var", "mail", "ana")), kept)
        equal(os.path.isdir(os.path.join(folder, "log")), kept)
        shutil.rmtree(os.path.join(folder, "var"), ignore_errors=True)
    equal(os.listdir(folder), ["mine"])


@test("lab run gives the command its world and hands its exit code on")
def run_command():
    folder = os.path.join(temporary(), "world")
    done = subprocess.run(
        [LAB, "run", folder, "--", "sh", "-c",
         'test -r "$LAB_CA" && echo "$LAB_USERS $LAB_IMAPS_PORT"; exit 7'],
        stdout=subprocess.PIPE)
    equal(done.returncode, 7)
    contains(done.stdout.decode(), "ana ben carol ")
    equal(traces(folder), [])


def ended_by(number, group):
    folder = os.path.join(temporary(), "world")
    process = subprocess.Popen(
        [LAB, "run", folder, "--", "cat"], start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"up\n")
    process.stdin.flush()
    equal(process.stdout.readline(), b"up\n")
    contains(traces(folder), folder)
    (os.killpg if group else os.kill)(process.pid, number)
    process.wait(30)
    wait_for(lambda: not traces(folder), 20, "nothing to be left")
    process.stdin.close()
    process.stdout.close()


@test("nothing is left after Ctrl-C")
def after_interrupt():
    ended_by(signal.SIGINT, group=True)


@test("nothing is left after SIGTERM")
def after_terminate():
    ended_by(signal.SIGTERM, group=False)


@test("nothing is left when the starter is killed")
def after_kill():
    ended_by(signal.SIGKILL, group=False)


@test("nothing is left after Ctrl-C while starting")
def interrupted_start():
    for line in ("world.json", "log", "dovecot.conf"):
        folder = os.path.join(temporary(), "world")
        process = subprocess.Popen(
            [LAB, "up", folder], stdout=subprocess.DEVNULL,
            start_new_session=True)
        wait_for(lambda: os.path.exists(os.path.join(folder, line))
                 or process.poll() is not None, what="the start")
        os.killpg(process.pid, signal.SIGINT)
        if process.wait(30) == 0:       # it was up before the signal came
            subprocess.run([LAB, "down", folder], check=True)
        wait_for(lambda: not traces(folder), 20, "nothing to be left")


@test("lab down cleans up after a supervisor that was killed")
def dead_supervisor():
    folder = os.path.join(temporary(), "world")
    subprocess.run([LAB, "up", folder], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "world.json")) as file:
        os.kill(json.load(file)["pids"]["supervisor"], signal.SIGKILL)
    subprocess.run([LAB, "down", folder], check=True)
    wait_for(lambda: not traces(folder), 20, "nothing to be left")


# Folders that are hard to live in

@test("a folder too deep for a socket's name")
def deep_folder():
    folder = os.path.join(temporary(), "deep" * 20, "er" * 40, "world")
    with lab_world.World.up(folder) as deep:
        short = deep.spec.var()
        equal(short.startswith("/tmp/prlab-"), True)
        with Oracle(deep.spec, "ana") as server:
            contains(server.folders(), "INBOX")
    equal(os.path.exists(short) or os.path.exists(folder), False)


@test("a folder that other users may not enter")
def closed_folder():
    folder = os.path.join(temporary(), "world")
    with lab_world.World.up(folder) as closed:
        mail_goes_round(closed.spec)


@test("a world of somebody who is not root")
def not_root():
    if not ROOT:
        raise Skip("everything here is that already")
    folder = temporary()
    os.chmod(folder, 0o777)
    command = ["setpriv", "--reuid", "65534", "--regid", "65534",
               "--clear-groups", "env", "PYTHONDONTWRITEBYTECODE=1",
               "HOME=" + folder, "/usr/bin/python3"]
    if subprocess.run([*command, "-c", "open(%r)" % LAB],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("nobody cannot read %s" % LAB)
    path = os.path.join(folder, "world")
    subprocess.run([*command, LAB, "up", path], check=True,
                   stdout=subprocess.DEVNULL)
    try:
        other = lab_world.World.at(path)
        equal(other.spec.smtp_server, "aiosmtpd")
        mail_goes_round(other.spec)
        unknown_user_bounces(other.spec)
    finally:
        subprocess.run([*command, LAB, "down", path], check=True)
    wait_for(lambda: not traces(path), 10, "nothing to be left")


# The hostile part

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
