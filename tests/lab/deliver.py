"""Mail into a mailbox through the front door: LMTP."""

import smtplib

from ports import LOOPBACK
from spec import LabError


def deliver(spec, user, messages, sender="sender@elsewhere.test"):
    """Hands over messages (bytes) on one connection."""
    address = spec.user(user)["address"]
    with smtplib.LMTP(LOOPBACK, spec.ports["lmtp"],
                      local_hostname="elsewhere.test") as lmtp:
        for data in messages:
            try:
                lmtp.sendmail(sender, [address], _crlf(data))
            except smtplib.SMTPRecipientsRefused as error:
                code, text = error.recipients[address]
                raise LabError("%s: %d %s" % (
                    address, code, text.decode(errors="replace"))) from None


def _crlf(data):
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
