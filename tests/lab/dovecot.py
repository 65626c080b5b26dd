"""Dovecot 2.3 for one world: IMAP, POP3, LMTP, and SASL for Postfix.

As root, mail is handled under an unprivileged id and logins run as
Dovecot's own login user; otherwise everything runs as the caller.
"""

import os
import pwd
import subprocess

from server import Server, LabError, find_program

# What Dovecot 2.3.19 offers after login, in its own order.  Switching a
# feature off means offering this list without it.
CAPABILITIES = """
IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY
THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL
CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1
CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS
BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+
NOTIFY SPECIAL-USE COMPRESS=DEFLATE
""".split()

# Feature as named on the command line -> capabilities that go with it.
# QRESYNC contains CONDSTORE (RFC 7162), LIST-STATUS needs LIST-EXTENDED.
FEATURES = {
    "condstore": ["CONDSTORE", "QRESYNC"],
    "qresync": ["QRESYNC"],
    "move": ["MOVE"],
    "uidplus": ["UIDPLUS"],
    "compress": ["COMPRESS=DEFLATE"],
    "idle": ["IDLE"],
    "special-use": ["SPECIAL-USE"],
    "list-status": ["LIST-STATUS"],
    "list-extended": ["LIST-EXTENDED", "LIST-STATUS"],
    "literal-plus": ["LITERAL+"],
    "multiappend": ["MULTIAPPEND"],
    "namespace": ["NAMESPACE"],
    "esearch": ["ESEARCH", "SEARCHRES"],
    "enable": ["ENABLE", "CONDSTORE", "QRESYNC"],
    "id": ["ID"],
    "notify": ["NOTIFY"],
    "sasl-ir": ["SASL-IR"],
}

ROLES = ["Sent", "Drafts", "Junk", "Trash", "Archive"]

SIEVE = """\
# What a script sends on goes nowhere, but is read to its end.
sendmail_path = {sink}
service managesieve-login {{
  {chroot}
  inet_listener sieve {{
    port = {port}
  }}
}}
protocol lmtp {{
  mail_plugins = $mail_plugins sieve
}}
plugin {{
  sieve = file:{home}/sieve;active={home}/active.sieve
}}
"""

QUOTA = """\
mail_plugins = quota
plugin {{
  quota = count:of ana
  quota_rule = {rule}
  quota_vsizes = yes
}}
"""

CONFIG = """\
base_dir = {var}/run
state_dir = {var}/run
log_path = {log}
log_timestamp = "%Y-%m-%d %H:%M:%S.%{{usecs}} "
protocols = imap pop3 lmtp{sieve_protocol}
listen = 127.0.0.1
instance_name = {instance}

default_internal_user = {internal_user}
default_internal_group = {internal_group}
default_login_user = {login_user}
default_process_limit = 200
default_client_limit = 2000
default_vsz_limit = 1 G
first_valid_uid = 1
mail_access_groups =
verbose_proctitle = no
shutdown_clients = yes

ssl = {ssl}
ssl_cert = <{cert}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = {tls_only}
auth_mechanisms = {mechanisms}
auth_username_format = %Ln
auth_failure_delay = 0
auth_cache_size = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {passwd}
}}
userdb {{
  driver = passwd-file
  args = {passwd}
}}

mail_location = maildir:{var}/mail/%n/Maildir:LAYOUT=fs
mail_fsync = never
maildir_copy_with_hardlinks = yes
mail_max_userip_connections = 200
mailbox_list_index = yes
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
lda_mailbox_autocreate = yes
imap_hibernate_timeout = 0
imap_idle_notify_interval = 2 mins
imap_capability = {capability}
pop3_uidl_format = %08Xu%08Xv

namespace inbox {{
  inbox = yes
  separator = /
  mailbox INBOX {{
    auto = subscribe
  }}
{mailboxes}}}

{quota}{sieve_service}
protocol imap {{
  mail_plugins = {imap_plugins}
  mail_max_userip_connections = 200
}}

service anvil {{
  {chroot}
  # No waiting after wrong passwords: tests give many.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  {chroot}
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  {chroot}
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  {auth_socket}
}}
"""

MAILBOX = """\
  mailbox {name} {{
    auto = subscribe
    {special_use}
  }}
"""

AUTH_SOCKET = """\
unix_listener {path} {{
    mode = 0666
  }}"""


class Dovecot(Server):
    name = "imap"
    greetings = {"imap": b"* OK", "imaps": b"* OK", "pop3": b"+OK",
                 "pop3s": b"+OK", "lmtp": b"220"}

    def __init__(self, spec):
        super().__init__(spec, "dovecot.log")
        self.program = find_program(
            "dovecot", "dovecot-imapd dovecot-pop3d dovecot-lmtpd")
        self.config = spec.path("dovecot.conf")

    def argv(self):
        return [self.program, "-F", "-c", self.config]

    def prepare(self):
        self._check_version()
        spec = self.spec
        os.makedirs(spec.var("run"), exist_ok=True)
        os.makedirs(spec.var("mail"), exist_ok=True)
        uid, gid = spec.mail_ids()
        os.chown(spec.var("mail"), uid, gid)
        passwd = spec.path("passwd")
        with open(os.open(passwd, os.O_CREAT | os.O_WRONLY | os.O_TRUNC,
                          0o600), "w") as out:
            for user in spec.users:
                home = spec.var("mail", user["name"])
                _make_mailboxes(home, uid, gid)
                out.write("%s:%s:%d:%d::%s::\n" % (
                    user["name"], user["password"], uid, gid, home))
        with open(self.config, "w") as out:
            out.write(CONFIG.format(**self._values(passwd)))

    def _values(self, passwd):
        spec = self.spec
        root = os.geteuid() == 0
        me = pwd.getpwuid(os.geteuid())
        values = dict(
            var=spec.var(), log=self.log, cert=spec.cert, key=spec.key,
            passwd=passwd, instance="lab-%d" % spec.ports["imap"],
            ssl="yes" if spec.plain else "required",
            tls_only="no" if spec.plain else "yes",
            mechanisms=spec.mechanisms, capability=self._capability(),
            mailboxes=self._mailboxes(),
            imap_plugins=self._plugins(), quota=QUOTA.format(rule=spec.quota) if spec.quota else "",
            sieve_protocol=" sieve" if spec.sieve else "",
            # Root's own processes need no home of their own; the login
            # processes refuse to be root and stay in Dovecot's chroot.
            internal_user="root" if root else me.pw_name,
            internal_group="root" if root else _group(me.pw_gid),
            login_user=_login_user() if root else me.pw_name,
            chroot="" if root else "chroot =",
            auth_socket="")
        if spec.smtp_server == "postfix":
            values["auth_socket"] = AUTH_SOCKET.format(
                path=spec.var("queue", "private", "auth"))
        values.update(spec.ports)
        values["sieve_service"] = "" if not spec.sieve else SIEVE.format(
            chroot=values["chroot"], port=spec.ports["sieve"], sink=self._sink(),
            home=spec.var("mail", "%n"))
        return values

    def _sink(self):
        """A program that ends before it has read all would be a failure."""
        path = self.spec.var("sink")
        with open(path, "w") as out:
            out.write("#!/bin/sh\nexec cat >/dev/null\n")
        os.chmod(path, 0o755)
        return path

    def _capability(self):
        if not self.spec.off:
            return ""
        gone = {word for feature in self.spec.off
                for word in FEATURES[feature]}
        return " ".join(word for word in CAPABILITIES if word not in gone)

    def _plugins(self):
        return " ".join(["quota imap_quota"] * bool(self.spec.quota) +
                        ["zlib imap_zlib"] * ("compress" not in self.spec.off))

    def _mailboxes(self):
        special = "special-use" not in self.spec.off
        return "".join(
            MAILBOX.format(name=role, special_use=(
                "special_use = \\" + role if special else ""))
            for role in ROLES)

    def _check_version(self):
        out = subprocess.run([self.program, "--version"],
                             stdout=subprocess.PIPE).stdout.decode()
        if not out.startswith("2.3."):
            raise LabError("the lab is written for Dovecot 2.3, this is %s"
                           % out.strip())


def _make_mailboxes(home, uid, gid):
    """All folders before the first delivery: Dovecot would make them when
    first used, and two who are first at once would get in each other's way."""
    root = os.path.join(home, "Maildir")
    for folder in ("", *ROLES):
        for part in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(root, folder, part), 0o700,
                        exist_ok=True)
    subscriptions = os.path.join(root, "subscriptions")
    if not os.path.exists(subscriptions):
        with open(subscriptions, "w") as out:
            out.write("".join(name + "\n" for name in ("INBOX", *ROLES)))
    os.chown(home, uid, gid)
    for folder, _, files in os.walk(home):
        os.chown(folder, uid, gid)
        for name in files:
            os.chown(os.path.join(folder, name), uid, gid)


def _group(gid):
    import grp
    return grp.getgrgid(gid).gr_name


def _login_user():
    for name in ("dovenull", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise LabError("no user dovenull or nobody for Dovecot's login processes")
