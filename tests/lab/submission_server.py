"""`python3 submission_server.py CONFIG`: the process of submission.py.

An SMTP submission server on aiosmtpd: TLS, AUTH PLAIN and LOGIN, SIZE,
8BITMIME, SMTPUTF8.  What it accepts is on disk before the 250 and goes to
Dovecot by LMTP; what Dovecot refuses for good comes back to the sender as a
bounce.  Addresses with a meaning are those of postfix.py.
"""

import asyncio
import email.utils
import json
import logging
import signal
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from submission_queue import Queue

REFUSALS = {
    "refused": "550 5.7.1 <%s>: refused by the policy of this world",
    "later": "451 4.7.1 <%s>: come back later",
    "busy": "421 4.7.0 <%s>: too many connections",
}


class Handler:
    """What the server does with the commands it understood."""

    def __init__(self, config, queue):
        self.config = config
        self.queue = queue

    def authenticate(self, server, session, envelope, mechanism, data):
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        name = data.login.decode(errors="replace").lower().partition("@")[0]
        known = self.config["users"].get(name)
        if known is None or data.password != known.encode():
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=name)

    async def handle_MAIL(self, server, session, envelope, address, options):
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        local, _, domain = address.rpartition("@")
        if not local:
            return "504 5.5.2 <%s>: a full address is needed" % address
        if domain.lower() == self.config["domain"]:
            refusal = REFUSALS.get(local.lower())
            if refusal:
                return refusal % address
            user = local.lower().partition("+")[0]
            if (self.config["reject_unknown"]
                    and user not in self.config["users"]):
                return "550 5.1.1 <%s>: no such user here" % address
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.append(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        number = self.queue.add(
            envelope.mail_from, envelope.rcpt_tos,
            self._received(session) + envelope.original_content)
        return "250 2.0.0 Ok: queued as %s" % number

    def _received(self, session):
        return ("Received: from %s ([127.0.0.1])\r\n"
                "\t(Authenticated sender: %s)\r\n"
                "\tby %s with ESMTPSA; %s\r\n" % (
                    session.host_name, session.auth_data,
                    self.config["name"], email.utils.formatdate(
                        localtime=True))).encode()


def smtp_factory(config, handler, context, implicit):
    """The protocol of one port.  On the port with implicit TLS aiosmtpd does
    not know that it is secure, so it is told not to ask."""
    def make():
        plain = implicit or config["plain"]
        return SMTP(
            handler, hostname=config["name"], ident="ESMTP of the lab",
            data_size_limit=config["size_limit"], enable_SMTPUTF8=True,
            authenticator=handler.authenticate, auth_require_tls=not plain,
            require_starttls=not plain, timeout=600,
            tls_context=None if implicit else context)
    return make


async def serve(config):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(config["cert"], config["key"])
    queue = Queue(config)
    handler = Handler(config, queue)
    loop = asyncio.get_running_loop()
    servers = []
    for name in ("smtp", "smtps"):
        if name in config["ports"]:
            implicit = name == "smtps"
            servers.append(await loop.create_server(
                smtp_factory(config, handler, context, implicit),
                "127.0.0.1", config["ports"][name],
                ssl=context if implicit else None))
    leaving = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, leaving.set)
    worker = loop.create_task(queue.run())
    await leaving.wait()
    for server in servers:
        server.close()
    worker.cancel()


def main():
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr,
        format="%(asctime)s %(name)s %(levelname)s %(message)s")
    with open(sys.argv[1]) as file:
        asyncio.run(serve(json.load(file)))


if __name__ == "__main__":
    main()
