#!/usr/bin/env python3
"""Rules as a Sieve script: it compiles, and the server files as we do."""

import os
import shutil
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


if __name__ == "__main__":
    main()
