"""Cyrus IMAP 3 for one world, in Dovecot's place: IMAP, POP3 and LMTP on the
same ports, for the same people.

A second real server, so that nothing is built on Dovecot's habits alone.  It
keeps mail in its own store and logs to syslog only, if there is one; a folder
DIR/var/cyrus/conf/log/NAME makes it write down that person's sessions.
As root, mail is handled under an unprivileged id.
"""

import grp
import imaplib
import os
import pwd
import shutil
import ssl
import subprocess

from dovecot import FEATURES, ROLES
from server import Server, LabError, find_program

PACKAGES = "cyrus-common sasl2-bin libsasl2-modules libsasl2-modules-db"
# Where the system has another IMAP server, ./bootstrap check unpacks these two.
PROGRAMS = ["/usr/lib/cyrus/bin", os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "build-cyrus",
    "usr", "lib", "cyrus", "bin")]
REALM = "localhost"

IMAPD = """\
configdirectory: {base}/conf
partition-default: {base}/spool
defaultpartition: default
lmtpsocket: {base}/conf/socket/lmtp
servername: {realm}
syslog_prefix: lab
cyrus_user: {user}
cyrus_group: {group}
virtdomains: off
altnamespace: {alternative}
unixhierarchysep: {alternative}
allowplaintext: {plain}
failedloginpause: 0
popminpoll: 0
duplicatesuppression: no
delete_mode: immediate
skiplist_unsafe: yes
statuscache: yes
maxmessagesize: 0
imapidlepoll: {idle_poll}
specialusealways: {special}
autocreate_quota: 0
autocreate_post: no
autocreate_inbox_folders: {folders}
autocreate_subscribe_folders: {folders}
{special_use}sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {base}/sasldb
sasl_mech_list: {mechanisms}
tls_server_cert: {base}/cert.pem
tls_server_key: {base}/key.pem
tls_versions: tls1_2 tls1_3
suppress_capabilities: {suppressed}
"""

SERVICES = """\
START {{
  recover cmd="ctl_cyrusdb -C {conf} -r"
}}
SERVICES {{
  imap cmd="{bin}/imapd -C {conf}" listen="127.0.0.1:{imap}" prefork=1 maxchild=500
  imaps cmd="{bin}/imapd -s -C {conf}" listen="127.0.0.1:{imaps}" prefork=1 maxchild=500
  pop3 cmd="{bin}/pop3d -C {conf}" listen="127.0.0.1:{pop3}" prefork=0 maxchild=500
  pop3s cmd="{bin}/pop3d -s -C {conf}" listen="127.0.0.1:{pop3s}" prefork=0 maxchild=500
  lmtp cmd="lmtpd -a -C {conf}" listen="127.0.0.1:{lmtp}" prefork=0 maxchild=500
}}
DAEMON {{
{idled}}}
"""


def find_services():
    """The folder that has imapd and pop3d; None where they are not."""
    for folder in PROGRAMS:
        if os.access(os.path.join(folder, "imapd"), os.X_OK):
            return folder
    return None


def is_there():
    return bool(find_services() and shutil.which(
        "cyrmaster", path=os.environ.get("PATH", "") + ":/usr/sbin"))


class Cyrus(Server):
    name = "imap"
    greetings = {"imap": b"* OK", "imaps": b"* OK", "pop3": b"+OK",
                 "pop3s": b"+OK", "lmtp": b"220"}

    def __init__(self, spec):
        super().__init__(spec, "cyrus.log")
        self.program = find_program("cyrmaster", PACKAGES)
        self.saslpasswd = find_program("saslpasswd2", PACKAGES)
        if not find_services():
            raise LabError("no imapd of Cyrus: ./bootstrap check unpacks it")
        self.base = spec.var("cyrus")
        self.made = False

    def argv(self):
        return [self.program, "-D", "-C", self._at("imapd.conf"),
                "-M", self._at("cyrus.conf"), "-p", self._at("master.pid")]

    def _at(self, *parts):
        return os.path.join(self.base, *parts)

    def prepare(self):
        spec = self.spec
        for name in ("db", "lock", "log", "msg", "proc", "quota", "socket",
                     "user", "backup"):
            os.makedirs(self._at("conf", name), exist_ok=True)
        os.makedirs(self._at("spool"), exist_ok=True)
        # Those that handle mail may not be able to enter the source tree.
        os.makedirs(self._at("bin"), exist_ok=True)
        for name in ("imapd", "pop3d", "idled"):
            shutil.copy(os.path.join(find_services(), name), self._at("bin"))
        shutil.copy(spec.cert, self._at("cert.pem"))
        shutil.copy(spec.key, self._at("key.pem"))
        self._write_passwords()
        uid, gid = spec.mail_ids()
        for folder, _, files in os.walk(self.base):
            for path in (folder, *(os.path.join(folder, n) for n in files)):
                os.chown(path, uid, gid)
        values = self._values(uid, gid)
        self._write("imapd.conf", IMAPD.format(**values))
        self._write("cyrus.conf", SERVICES.format(**values))

    def _write(self, name, text):
        with open(self._at(name), "w") as out:
            out.write(text)

    def _write_passwords(self):
        for user in self.spec.users:
            done = subprocess.run(
                [self.saslpasswd, "-p", "-c", "-f", self._at("sasldb"),
                 "-u", REALM, user["name"]],
                input=user["password"].encode(), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            if not os.path.exists(self._at("sasldb")):
                raise LabError("saslpasswd2: %s"
                               % done.stdout.decode(errors="replace"))

    def _values(self, uid, gid):
        spec = self.spec
        gone = {word for feature in spec.off for word in FEATURES[feature]}
        special = "special-use" not in spec.off
        if not special:
            gone |= {"XLIST", "CREATE-SPECIAL-USE"}
        idle = "idle" not in spec.off
        values = dict(
            base=self.base, bin=self._at("bin"), realm=REALM, conf=self._at("imapd.conf"),
            user=pwd.getpwuid(uid).pw_name, group=grp.getgrgid(gid).gr_name,
            alternative="no" if spec.inbox_namespace else "yes",
            plain="yes" if spec.plain else "no",
            idle_poll="60s" if idle else "0",
            idled='  idled cmd="%s -C %s"\n' % (
                self._at("bin", "idled"), self._at("imapd.conf"))
                  if idle else "",
            special="yes" if special else "no",
            special_use="".join("xlist-%s: %s\n" % (role.lower(), role)
                                for role in ROLES) if special else "",
            folders=" | ".join(ROLES),
            mechanisms=spec.mechanisms.upper(),
            suppressed=" ".join(sorted(gone)) or "X-NOTHING")
        values.update(spec.ports)
        return values

    def wait_ready(self, children, deadline):
        """Folders are made at the first login; everybody has had one."""
        super().wait_ready(children, deadline)
        for user in () if self.made else self.spec.users:
            context = ssl.create_default_context(cafile=self.spec.ca)
            with imaplib.IMAP4_SSL(self.spec.host, self.spec.ports["imaps"],
                                   ssl_context=context) as imap:
                try:
                    imap.login(user["name"], user["password"])
                except imaplib.IMAP4.error as error:
                    raise LabError("Cyrus: %s" % error) from None
        self.made = True
