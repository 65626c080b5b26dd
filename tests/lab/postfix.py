"""Postfix for one world: submission with TLS and AUTH, a real queue, real
bounces.  Needs root; its own configuration, queue and data directories, so
it never meets another instance.

Mail for the world's domain goes to Dovecot by LMTP.  An unknown user there
is accepted here and bounces, as it would on the way through the Internet.
Some addresses of the domain are refused while the sender still waits:

    refused@   550 5.7.1        later@   451 4.7.1        busy@   421 4.7.0

Domains: nowhere.test bounces at once, deferred.test stays in the queue.
"""

import grp
import os
import pwd
import time

from server import Server, LabError, find_program

PACKAGE = "postfix"

MAIN = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
maillog_file = {log}
maillog_file_prefixes = {logs}
myhostname = {host}
mydomain = {domain}
myorigin = $mydomain
mydestination =
mynetworks =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:5.1.1 no local users here
default_transport = error:5.1.2 no such domain in this world
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
transport_maps = inline:{{
  {{ deferred.test = retry:4.4.1 the next server does not answer }}
  {{ nowhere.test = error:5.1.2 no such domain in this world }}{next_hops} }}
maximal_queue_lifetime = {patience}
recipient_delimiter = +
disable_dns_lookups = yes
smtp_host_lookup = native
lmtp_host_lookup = native
message_size_limit = {size_limit}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
bounce_size_limit = 50000

minimal_backoff_time = 2s
maximal_backoff_time = 5s
queue_run_delay = 2s
transport_retry_time = 2s
lmtp_destination_concurrency_failed_cohort_limit = 100
default_process_limit = 50

smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_client_event_limit_exceptions = static:all
smtpd_client_connection_count_limit = 0
smtpd_reject_unlisted_recipient = {reject_unknown}
smtpd_recipient_restrictions = check_recipient_access inline:{{
  {{ refused@{domain} = 550 5.7.1 refused by the policy of this world }}
  {{ later@{domain} = 451 4.7.1 come back later }}
  {{ busy@{domain} = 421 4.7.0 too many connections }} }}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_security_options = noanonymous
smtpd_sasl_authenticated_header = yes
smtpd_tls_security_level = {tls_level}
smtpd_tls_auth_only = {tls_only}
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
tls_random_source = dev:/dev/urandom
"""

MASTER = """\
{submission}
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
lmtp      unix  - - n - - lmtp
error     unix  - - n - - error
retry     unix  - - n - - error
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

STARTTLS = "127.0.0.1:{smtp} inet n - n - - smtpd"
IMPLICIT = ("127.0.0.1:{smtps} inet n - n - - smtpd\n"
            "  -o smtpd_tls_wrappermode=yes")

# Where the world outside brings mail for the domain.
MX = """\
127.0.0.1:{mx} inet n - n - - smtpd
  -o smtpd_tls_security_level=may
  -o smtpd_sasl_auth_enable=no
  -o smtpd_relay_restrictions=reject_unauth_destination"""

MILTER = """\
smtpd_milters = {milter}
milter_default_action = tempfail
"""

# Queue directories: name -> (group is postdrop, mode), as Postfix wants.
QUEUE = {
    "active": (False, 0o700), "bounce": (False, 0o700),
    "corrupt": (False, 0o700), "defer": (False, 0o700),
    "deferred": (False, 0o700), "flush": (False, 0o700),
    "hold": (False, 0o700), "incoming": (False, 0o700),
    "private": (False, 0o700), "saved": (False, 0o700),
    "trace": (False, 0o700), "maildrop": (True, 0o730),
    "public": (True, 0o710),
}


def usable():
    """Root, and Postfix is there."""
    if os.geteuid() != 0:
        return False
    try:
        find_program("postconf", PACKAGE)
        pwd.getpwnam("postfix")
        grp.getgrnam("postdrop")
    except (LabError, KeyError):
        return False
    return True


class Postfix(Server):
    name = "smtp"
    greetings = {"smtp": b"220", "smtps": b"220"}

    def __init__(self, spec):
        super().__init__(spec, "postfix.log")
        if not usable():
            raise LabError("Postfix needs root and the package postfix")
        self.config = spec.path("postfix")
        self.program = _master()

    def argv(self):
        return [self.program, "-c", self.config]

    def prepare(self):
        spec = self.spec
        self._make_queue()
        os.makedirs(self.config, exist_ok=True)
        mailboxes = " ".join("{ %s@%s = %s }" % (
            user["name"], spec.domain, user["name"]) for user in spec.users)
        values = dict(
            queue=spec.var("queue"), data=spec.var("data"), log=self.log,
            logs=os.path.dirname(self.log), host=spec.smtp_name,
            domain=spec.domain, mailboxes=mailboxes,
            lmtp=spec.ports["lmtp"], size_limit=spec.size_limit,
            reject_unknown="yes" if spec.reject_unknown else "no",
            next_hops="".join(
                "\n  { %s = smtp:[127.0.0.1]:%d }" % hop
                for hop in spec.next_hops.items()),
            patience="5d" if spec.patience is None else "%ds" % spec.patience,
            tls_level="may" if spec.plain else "encrypt",
            tls_only="no" if spec.plain else "yes",
            cert=spec.cert, key=spec.key)
        milter = MILTER.format(milter=spec.milter) if spec.milter else ""
        self._write("main.cf", MAIN.format(**values) + milter)
        lines = []
        if "smtp" in spec.ports:
            lines.append(STARTTLS.format(**spec.ports))
        if "smtps" in spec.ports:
            lines.append(IMPLICIT.format(**spec.ports))
        if "mx" in spec.ports:
            lines.append(MX.format(**spec.ports))
        self._write("master.cf", MASTER.format(submission="\n".join(lines)))

    def _write(self, name, text):
        path = os.path.join(self.config, name)
        with open(path, "w") as out:
            out.write(text)
        # Postfix waits seconds until a file is not fresh any more.
        before = time.time() - 60
        os.utime(path, (before, before))

    def _make_queue(self):
        owner = pwd.getpwnam("postfix").pw_uid
        postdrop = grp.getgrnam("postdrop").gr_gid
        queue = self.spec.var("queue")
        os.makedirs(os.path.join(queue, "pid"), exist_ok=True)
        for name, (group, mode) in QUEUE.items():
            path = os.path.join(queue, name)
            os.makedirs(path, exist_ok=True)
            os.chown(path, owner, postdrop if group else 0)
            os.chmod(path, mode)
        data = self.spec.var("data")
        os.makedirs(data, exist_ok=True)
        os.chown(data, owner, 0)
        os.chmod(data, 0o700)


def _master():
    for folder in ("/usr/lib/postfix/sbin", "/usr/libexec/postfix"):
        path = os.path.join(folder, "master")
        if os.access(path, os.X_OK):
            return path
    raise LabError("the master program of Postfix was not found")
