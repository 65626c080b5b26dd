"""The queue behind the small submission server: on disk, delivered by LMTP,
with bounces in the form of RFC 3464."""

import asyncio
import email.utils
import json
import logging
import os
import re
import secrets
import smtplib
import time

log = logging.getLogger("queue")
RETRY_AFTER = 2.0

BOUNCE_TEXT = """\
This is the mail system at {name}.

Your message could not be delivered to one or more recipients.  It is
attached below.

{lines}
"""


class Recipient:
    """One address of one queued mail, and what became of it."""

    def __init__(self, address):
        self.address = address
        self.status = None              # "2.0.0", "5.1.1", …; None: not yet
        self.reply = ""

    @property
    def waiting(self):
        return self.status is None


class Queue:
    """A mail is ID.json (its envelope) and ID.eml; the .json comes last."""

    def __init__(self, config):
        self.config = config
        self.folder = config["queue"]
        self.wake = asyncio.Event()

    def add(self, sender, recipients, data):
        number = "%X%s" % (int(time.time() * 1000), secrets.token_hex(2))
        with open(self._path(number, ".eml"), "xb") as out:
            out.write(data)
        self._write_envelope(number, sender, recipients)
        log.info("%s: from=<%s> to=%s size=%d", number, sender,
                 ",".join(recipients), len(data))
        self.wake.set()
        return number

    def _write_envelope(self, number, sender, recipients):
        fresh = self._path(number, ".new")
        with open(fresh, "w") as out:
            json.dump({"sender": sender, "recipients": recipients}, out)
        os.rename(fresh, self._path(number, ".json"))

    def _path(self, number, ending):
        return os.path.join(self.folder, number + ending)

    def _waiting(self):
        return sorted(name[:-5] for name in os.listdir(self.folder)
                      if name.endswith(".json"))

    async def run(self):
        """Delivers for ever: at once what is new, again what had to wait."""
        while True:
            self.wake.clear()
            for number in self._waiting():
                try:
                    await asyncio.to_thread(self._deliver, number)
                except Exception:
                    log.exception("%s", number)
            try:
                await asyncio.wait_for(
                    self.wake.wait(),
                    RETRY_AFTER if self._waiting() else None)
            except asyncio.TimeoutError:
                pass

    def _deliver(self, number):
        with open(self._path(number, ".json")) as file:
            envelope = json.load(file)
        with open(self._path(number, ".eml"), "rb") as file:
            data = file.read()
        recipients = [Recipient(to) for to in envelope["recipients"]]
        self._by_domain(recipients)
        local = [r for r in recipients if r.waiting and self._is_local(r)]
        if local:
            self._by_lmtp(envelope["sender"], local, data)
        for r in recipients:
            log.info("%s: to=<%s> status=%s %s", number, r.address,
                     r.status or "deferred", r.reply)
        failed = [r for r in recipients if r.status and r.status[0] == "5"]
        if failed and envelope["sender"]:
            self.add("", [envelope["sender"]],
                     self._bounce(number, envelope["sender"], failed, data))
        left = [r.address for r in recipients if r.waiting]
        if left:
            self._write_envelope(number, envelope["sender"], left)
        else:
            os.unlink(self._path(number, ".json"))
            os.unlink(self._path(number, ".eml"))

    def _is_local(self, recipient):
        return recipient.address.lower().endswith("@" + self.config["domain"])

    def _by_domain(self, recipients):
        for r in recipients:
            if r.address.lower().endswith("@deferred.test"):
                r.reply = "the next server does not answer"
            elif not self._is_local(r):
                r.status = "5.1.2"
                r.reply = "no such domain in this world"

    def _by_lmtp(self, sender, recipients, data):
        for r in recipients:
            try:
                # One at a time: smtplib takes one answer to the data, and
                # LMTP gives one for each recipient.
                with smtplib.LMTP("127.0.0.1", self.config["ports"]["lmtp"],
                                  local_hostname=self.config["name"]) as lmtp:
                    lmtp.sendmail(sender or "", [r.address], data)
                code, text = 250, b"2.0.0 Ok"
            except smtplib.SMTPRecipientsRefused as error:
                code, text = error.recipients[r.address]
            except smtplib.SMTPDataError as error:
                code, text = error.smtp_code, error.smtp_error
            except (OSError, smtplib.SMTPException) as error:
                r.reply = str(error)
                continue
            r.reply = text.decode(errors="replace").replace("\n", " ")
            if code < 300:
                r.status = "2.0.0"
            elif code >= 500:
                # Cyrus gives the code on the last line of several.
                found = re.search(rb"^5\.\d+\.\d+", text, re.M)
                r.status = found.group().decode() if found else "5.0.0"
                r.reply = "%d %s" % (code, r.reply)

    def _bounce(self, number, sender, failed, data):
        name = self.config["name"]
        now = email.utils.formatdate(localtime=True)
        boundary = "%s/%s" % (number, name)
        lines = "\n\n".join("<%s>: %s" % (r.address, r.reply) for r in failed)
        report = "Reporting-MTA: dns; %s\nArrival-Date: %s\n" % (name, now)
        for r in failed:
            report += ("\nFinal-Recipient: rfc822; %s\nAction: failed\n"
                       "Status: %s\nRemote-MTA: dns; %s\n"
                       "Diagnostic-Code: smtp; %s\n" % (
                           r.address, r.status, name, r.reply))
        head = (
            "From: MAILER-DAEMON@%s (Mail Delivery System)\nTo: %s\n"
            "Subject: Undelivered Mail Returned to Sender\nDate: %s\n"
            "Message-ID: <%s.bounce@%s>\nAuto-Submitted: auto-replied\n"
            "MIME-Version: 1.0\nContent-Type: multipart/report;"
            " report-type=delivery-status;\n\tboundary=\"%s\"\n\n" % (
                self.config["domain"], sender, now, number, name, boundary))
        parts = [
            "Content-Description: Notification\n"
            "Content-Type: text/plain; charset=utf-8\n\n"
            + BOUNCE_TEXT.format(name=name, lines=lines),
            "Content-Description: Delivery report\n"
            "Content-Type: message/delivery-status\n\n" + report,
            "Content-Description: Undelivered Message\n"
            "Content-Type: message/rfc822\n\n"]
        text = head + "".join("--%s\n%s\n" % (boundary, part)
                              for part in parts[:2])
        text += "--%s\n%s" % (boundary, parts[2])
        return (text.replace("\n", "\r\n").encode() + data
                + ("\r\n--%s--\r\n" % boundary).encode())
