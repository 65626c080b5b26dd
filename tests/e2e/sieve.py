#!/usr/bin/env python3
"""Rules as a Sieve script: it compiles, and the server files as we do."""

import base64
import email.utils
import os
import shutil
import socket
import ssl
import subprocess

from harness import *

PLAIN = "[account ana]\naddress = Ana <ana@lab.test>\naliases = ruiz@lab.test\nincoming = imaps://ana@localhost\n"
home = keep(Home())

RULES = [
    # when, then, what must stand in the script; None: it stays here
    ("from:ben", "move Lists", 'header :contains ["from", "sender"] "ben"'),
    ("to:dev@lab.test", "move Lists/Dev; stop", '"Lists/Dev"'),
    ("cc:x", "archive", '"Archive"'),
    ("bcc:x", "delete", '"Trash"'),
    ("subject:\"two words\"", "junk", '"two words"'),
    ("subject:'it\\'s'", "read", "Seen"),
    ("subject:\"a \\\"b\\\" c\"", "flag", "Flagged"),
    ("list:dev.lab.test", "tag +dev", '"list-id"'),
    ("list:*", "tag +list -x", 'exists "list-id"'),
    ("body:invoice", "move Money", "body :text"),
    ("invoice", "move Money", "body :text"),
    ("from:a or from:b", "read", "anyof ("),
    ("from:a and not from:b", "read", "not header"),
    ("from:a subject:b to:c", "read", "allof ("),
    ("not (from:a or subject:b)", "read", "not anyof ("),
    ("id:x@y.z", "flag", '"<x@y.z>"'),
    ("size:100k..", "move Big", "size :over"),
    ("size:..100k", "read", "size :under"),
    ("size:10k..100k", "read", "allof (size"),
    ("*", "copy All", 'fileinto :copy "All"'),
    ("*", "forward ben@lab.test", 'redirect :copy "ben@lab.test"'),
    ("folder:INBOX from:a", "read", "true"),
    ("folder:Archive from:a", "read", "false"),
    ("is:unread from:a", "read", "not false"),
    ("is:flagged", "read", "false"),
    ("tag:work", "read", "false"),
    ("from:\u00e9l\u00e8ve", "move \u00c9cole", '"\u00c9cole"'),
    ("subject:a\\b", "read", ""),
    ("from:a", "move =Lists", '"Lists"'),
    ("from:a", "move ana/Lists", '"Lists"'),
    ("from:a", "move A; move B; stop", '"B"'),
    ("from:a", "tag +one +two; flag; read; move C", '"two"'),
    ("from:a", "junk; stop", "$Junk"),
    ("from:x@*", "read", "contains"),
    ("subject:[postrider]", "move P", "contains"),
    ("from:ann subject:/x.*y/", "read", None),
    ("subject:\"a ${b} c\"", "read", None),
    ("attachment:pdf", "read", None),
    ("mimetype:text/calendar", "read", None),
    ("has:attachment", "read", None),
    ("date:2020..", "read", None),
    ("from:a", "run /bin/true", None),
    ("from:a", "notify", None),
    ("thread:{from:a}", "read", None),
    ("from:a xor from:b", "read", None),
    ("from:a", "tag +\u00e9", None),
]


def configured(rules):
    home.configure(PLAIN + "".join("[rule r%d]\nwhen = %s\nthen = %s\n" % (n, when, then) for n, (when, then) in enumerate(rules)))
    return home.ok("rules", "sieve")


def compiles(script, name):
    path = home.write(name, script)
    done = subprocess.run(["sievec", "-c", "/dev/null", path, path + ".svbin"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(done.returncode, 0, "%s\n%s" % (script, done.stdout.decode()))


@test("each of %d rules is said, and compiles, or stays here with the reason" % len(RULES))
def each():
    if not shutil.which("sievec"):
        raise Skip("sievec is not installed")
    for n, (when, then, wanted) in enumerate(RULES):
        said = configured([(when, then)])
        if wanted is None:
            contains(said.errors, "r0 stays here: ", "%s: %s" % (when, said.text))
            equal("if " in said.text, False, said.text)
            continue
        equal(said.errors, "", when)
        contains(said.text, wanted, when)
        compiles(said.out, "rule%d.sieve" % n)


@test("all of them in one script")
def together():
    if not shutil.which("sievec"):
        raise Skip("sievec is not installed")
    said = configured([(when, then) for when, then, _ in RULES])
    equal(said.errors.count("stays here"), len([r for r in RULES if r[2] is None]))
    compiles(said.out, "all.sieve")


# ---- on a real server ----

def mail(number, sender, subject, header="", body="word"):
    return ("From: %s <%s@elsewhere.test>\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <%d@elsewhere.test>\r\n%s"
            "Date: %s\r\n\r\n%s\r\n" % (sender.title(), sender, subject, number, header, email.utils.formatdate(), body)).encode()


FILED = """
[rule dev]
when = subject:patch
then = move Archive; tag +dev

[rule again]
when = from:carl
then = move Junk; flag

[rule list]
when = list:news.test
then = read; copy Drafts; stop

[rule rest]
when = body:invoice or subject:"two words"
then = flag

[rule forward]
when = subject:forward
then = forward ana+again@lab.test

[rule here]
when = subject:patch date:2020..
then = tag +here
"""
# message, the folders it must lie in, words of its flags there
LETTERS = [
    (mail(1, "ben", "a patch"), ["Archive"], ["dev"]),
    (mail(2, "carl", "a patch"), ["Junk"], ["dev", "\\Flagged"]),
    (mail(3, "carl", "hello"), ["Junk"], ["\\Flagged"]),
    (mail(4, "ben", "hello", "List-Id: News <news.test>\r\n"), ["INBOX", "Drafts"], ["\\Seen"]),
    (mail(5, "carl", "x", "List-Id: News <news.test>\r\n"), ["Junk", "Drafts"], ["\\Seen", "\\Flagged"]),
    (mail(6, "ben", "hello", body="your invoice"), ["INBOX"], ["\\Flagged"]),
    (mail(7, "ben", "these two words"), ["INBOX"], ["\\Flagged"]),
    (mail(8, "ben", "two other words"), ["INBOX"], []),
]


def there(folder):
    with world.oracle("ana") as server:
        return {m.message_id.strip("<>"): m for m in server.messages(folder)}


def begin():
    global world, ana
    if not os.path.isdir("/usr/lib/dovecot/modules/sieve") and not shutil.which("sievec"):
        raise Skip("Pigeonhole is not installed")
    world = keep(World(count=1, sieve=True))
    ana = keep(world.home("ana", account=["sieve = sieve://ana@localhost:%d" % world.ports["sieve"]]))
    ana.plain = open(ana.config_file()).read()
    ana.ok("sync")


@test("uploaded, compiled there, made the active one; the server files as we would, with this machine off")
def server_files():
    begin()
    ana.configure(ana.plain + FILED)
    ana.ok("rules", "upload")
    ana.stop()
    world.deliver("ana", *[letter for letter, _, _ in LETTERS])
    for number, (_, folders, words) in enumerate(LETTERS, 1):
        name = "%d@elsewhere.test" % number
        equal([f for f in ("INBOX", "Archive", "Junk", "Drafts") if name in there(f)], folders, name)
        for word in words:
            contains(there(folders[0])[name].flags, word, name)
        if not words:
            equal(set(there(folders[0])[name].flags) - {"\\Recent"}, set(), name)


@test("what the server did is not done again here; what it cannot, is")
def not_twice():
    world.deliver("ana", mail(20, "ben", "please forward"), mail(21, "ben", "dinner"))
    ana.ok("sync")
    equal([i for i in ana.json("queue", "list", "--all")], [])
    equal(ana.json("rules", "log", "id:20@elsewhere.test"), [])
    ana.configure(ana.plain + FILED.replace("subject:patch date:2020..", "subject:dinner date:2020..")
                  .replace("forward ana+again@lab.test", "flag"))
    world.deliver("ana", mail(22, "ben", "dinner"), mail(23, "ben", "please forward"))
    ana.ok("sync")
    wait_for(lambda: [f["rule"] for f in ana.json("rules", "log", "id:22@elsewhere.test")] == ["here"], what="the rule that stays here")
    equal([f["rule"] for f in ana.json("rules", "log", "id:23@elsewhere.test")], ["forward"], "its words are others now")


@test("a script of somebody else stays active, unless told otherwise")
def foreign():
    other = "keep;\n"
    with managesieve() as server:
        server.put("mine", other)
        server.activate("mine")
    told = ana.fails(69, "rules", "upload").errors
    contains(told, '"mine"')
    contains(told, "--replace")
    with managesieve() as server:
        equal(server.active(), "mine")
    ana.ok("rules", "upload", "--replace")
    with managesieve() as server:
        equal(server.active(), "postrider")


@test("a wrong password, no STARTTLS: nothing is sent")
def refused():
    account = open(ana.config_file()).read()
    ana.stop()
    ana.configure(account.replace("sieve://ana@localhost:%d" % world.ports["sieve"], "sieve://ana@localhost:%d" % world.ports["imap"]))
    ana.fails(69, "rules", "upload")
    ana.stop()
    ana.configure(account.replace("sieve = sieve://ana@localhost", "sieve = sieve://localhost"))
    contains(ana.fails(78, "rules", "upload").errors, "user name")
    ana.configure(account.replace("sieve = sieve", "#sieve = sieve"))
    contains(ana.fails(69, "rules", "upload").errors, "sieve = sieve://USER@HOST")


class managesieve:
    """A few words of RFC 5804, beside our own client."""

    def __enter__(self):
        self.line = socket.create_connection(("127.0.0.1", world.ports["sieve"]))
        self.file = self.line.makefile("rwb")
        self.answer()
        self.ask("STARTTLS")
        context = ssl.create_default_context(cafile=world.spec.ca)
        self.line = context.wrap_socket(self.line, server_hostname="localhost")
        self.file = self.line.makefile("rwb")
        self.answer()
        plain = base64.b64encode(("\0ana\0" + world.spec.password).encode()).decode()
        self.ask('AUTHENTICATE "PLAIN" "%s"' % plain)
        return self

    def answer(self):
        lines = []
        while not lines or not lines[-1].startswith(("OK", "NO", "BYE")):
            lines.append(self.file.readline().decode().rstrip())
            assert lines[-1] or self.file.peek(1), "the end of the line: %r" % lines
        assert lines[-1].startswith("OK"), lines
        return lines

    def ask(self, text):
        self.file.write(text.encode() + b"\r\n")
        self.file.flush()
        return self.answer()

    def put(self, name, script):
        self.ask('PUTSCRIPT "%s" {%d+}\r\n%s' % (name, len(script), script))

    def activate(self, name):
        self.ask('SETACTIVE "%s"' % name)

    def active(self):
        return [line.split('"')[1] for line in self.ask("LISTSCRIPTS") if line.endswith("ACTIVE")][0]

    def __exit__(self, *_):
        self.file.close()
        self.line.close()


if __name__ == "__main__":
    main()
