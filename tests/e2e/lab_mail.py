"""Mail through a world with smtplib, for the tests of the world itself."""

import email
import smtplib
import ssl

from oracle import Oracle
from tap import contains, equal, refuses, wait_for

MAIL = (b"From: Ana Ruiz <ana@lab.test>\r\nTo: %s\r\nSubject: %s\r\n"
        b"Message-ID: <%s@lab.test>\r\n\r\nHello.\r\n")


def letter(to, stem):
    return MAIL % (to.encode(), stem.encode(), stem.encode())


def trust(spec):
    """A context that trusts the world's CA, by subjectAltName only."""
    context = ssl.create_default_context(cafile=spec.ca)
    context.hostname_checks_common_name = False
    return context


def smtp(spec, port="smtps", user="ana", secret=None):
    if port == "smtps":
        client = smtplib.SMTP_SSL("localhost", spec.ports[port],
                                  context=trust(spec))
    else:
        client = smtplib.SMTP("localhost", spec.ports[port])
        client.starttls(context=trust(spec))
    client.login(user, secret or spec.password)
    return client


def mail_goes_round(spec):
    for port in ("smtp", "smtps"):
        client = smtp(spec, port)
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
    client = smtp(spec)
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
    client = smtp(spec)
    for name, code in (("refused", 550), ("later", 451)):
        error = refuses(lambda: client.sendmail(
            "ana@lab.test", [name + "@lab.test"], b"\r\n"),
            smtplib.SMTPRecipientsRefused)
        equal(error.recipients[name + "@lab.test"][0], code)
    client.mail("ana@lab.test")
    equal(client.rcpt("busy@lab.test")[0], 421)
