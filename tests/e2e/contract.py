#!/usr/bin/env python3
"""The names that scripts rely on: what commands print with --json, where options may stand, exit codes, mutt's and
sendmail's flags."""

from harness import *

world = keep(World(count=2))
ana = keep(world.home("ana"))


def mail(name):
    return b"From: ben@lab.test\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <%s@test>\r\n\r\nx\r\n" % ((name.encode(),) * 2)


def number(name):
    return str(ana.json("search", "id:%s@test" % name)[0]["id"])


@test("nothing is set up: the word is setup, the exit status 66; the queue is empty")
def nothing_yet():
    bare = keep(Home())
    for words in (("list",), ("folders",), ("search", "x"), ("show", "1")):
        contains(bare.fails(66, *words).errors, "postrider setup")
    equal(bare.ok("queue").out, b"")
    equal(bare.ok("sendmail", "-bp").out, b"")


@test("a mistyped configuration is an error of every command that opens the store")
def mistyped():
    bad = keep(Home())
    bad.configure("[general]\nundo-sent = 3\n")
    for words in (("list",), ("folders",), ("queue",), ("search", "x"), ("mark", "1", "+x"), ("sync",)):
        contains(bad.fails(78, *words).errors, "config:2: \"undo-sent\"")
    told = bad.run("doctor").text
    equal(told.count("undo-sent\" is"), 1, told)


@test("mark: options anywhere, a word with one dash is a change")
def mark():
    world.deliver("ana", mail("one"), mail("two"), mail("three"), mail("four"))
    ana.ok("sync")
    entry, = ana.ok("mark", number("one"), "+work", "-unread", "--json").json
    equal((entry["text"], entry["count"]), ("mark 1 message -unread +work", 1))
    equal(ana.json("undo", "--list")[0], {key: entry[key] for key in ("id", "time", "text")})
    ana.ok("mark", "-unread", number("two"), "+work")
    found = ana.json("search", "tag:work")
    equal([(row["flags"], row["tags"]) for row in found], [(["seen"], ["work"])] * 2)
    entry, = ana.ok("mark", "--query", "tag:work", "-work", "--json").json
    equal(entry["count"], 2)
    equal(ana.json("search", "tag:work"), [])
    equal(ana.ok("mark", number("one"), "+q", "--dry-run", "--json").json, [{"count": 1}])
    equal(ana.ok("mark", "--query", "subject:none", "+q", "--json").json,
          [{"id": None, "time": None, "text": None, "count": 0}])
    contains(ana.fails(64, "mark", number("one"), "+q", "--bogus").errors, "--bogus")
    ana.ok("mark", "--", number("one"), "-json")         # behind --: a change


@test("every action prints what undo would take back")
def actions():
    for words, text in ((("archive", number("two")), "archive 1 message"),
                        (("move", number("three"), "Archive"), "move 1 message to Archive"),
                        (("copy", number("four"), "Archive"), "copy 1 message to Archive"),
                        (("delete", number("four"), "--from", "Archive"), "delete 1 message"),
                        (("junk", number("one")), None), (("notjunk", number("one")), None)):
        entry, = ana.ok(*words, "--json").json
        equal(sorted(entry), ["count", "id", "text", "time"])
        equal(entry["count"], 1)
        if text:
            equal(entry["text"], text)
    undone, = ana.ok("undo", "--json").json
    equal(undone["id"], entry["id"])
    ana.ok("sync")


@test("queue: the item after an action, and each attempt with its dialogue")
def queue():
    failed = ana.run("send", "-s", "no", "--now", "--json", "refused@lab.test", stdin="x")
    equal(failed.code, 69)
    item, = failed.json
    shown, = ana.json("queue", "show", str(item["id"]))
    attempt, = shown["attempts"]
    equal(sorted(attempt), ["dialogue", "ok", "reply", "server", "time", "tls"])
    equal(attempt["ok"], False)
    contains(attempt["dialogue"], "> RCPT TO:<refused@lab.test>")
    contains(ana.ok("queue").text, "550 5.7.1 <refused@lab.test>")
    equal([row["state"] for row in ana.ok("queue", "cancel", str(item["id"]), "--json").json], ["cancelled"])
    later, = ana.ok("send", "-s", "later", "--at", "+2h", "--json", "ben@lab.test", stdin="x").json
    equal(ana.ok("queue", "hold", str(later["id"]), "--json").json[0]["state"], "held")
    ana.ok("queue", "cancel", str(later["id"]))


@test("sync: how it went")
def sync():
    equal(ana.ok("sync", "--json").json[-1], {"ok": True, "code": 0, "text": None})
    lost = keep(world.home("ana", ports={"imaps": 1}))
    result = lost.run("sync", "--json")
    equal(result.code, 75)
    outcome = result.json[-1]
    equal((outcome["ok"], outcome["code"]), (False, 75))
    contains(outcome["text"], "cannot be reached")


@test("doctor asks the servers, and can be told not to")
def doctor():
    contains(ana.ok("doctor").text, "ok server         ana: ")
    equal([line["what"] for line in ana.ok("doctor", "--offline", "--json").json].count("server"), 0)
    wrong = keep(world.home("ana"))
    wrong.write(".secret-ana", "wrong")
    told = wrong.run("doctor", "--json")
    equal(told.code, 1)
    server, = [line for line in told.json if line["what"] == "server"]
    equal(server["ok"], False)
    contains(server["finding"], "cannot log in as ana")


@test("sendmail: a mode that talks or tests sends nothing")
def sendmail_modes():
    before = len(ana.json("queue", "--all"))
    for mode in ("-bs", "-bv", "-bt", "-bd", "-b"):
        contains(ana.fails(64, "sendmail", mode, "ben@lab.test", stdin="Subject: x\n\nx\n").errors, mode)
    ana.ok("sendmail", "-bi")
    equal(len(ana.json("queue", "--all")), before)
    ana.ok("sendmail", "-bm", "-i", "ben@lab.test", stdin="Subject: bm\n\nx\n")
    equal(len(ana.json("queue", "--all")), before + 1)


@test("mutt's -e: my_hdr and set from= go into the message, what else is said")
def mutt_commands():
    said = ana.ok("-e", "my_hdr X-Ticket: 42", "-e", 'set from="Ana at work <ana+work@lab.test>"', "-e", "set copy=no",
                  "-s", "with -e", "--", "ben@lab.test", stdin="x")
    contains(said.errors, "set copy=no")
    equal("my_hdr" in said.errors.split("\n")[0].split("is for")[0], False)
    with world.oracle("ben") as server:
        found = wait_for(lambda: server.uids("INBOX", "SUBJECT \"with -e\""), what="the mail")
        found = server.body("INBOX", found[0])
    contains(found, b"X-Ticket: 42")
    contains(found, b"From: Ana at work <ana+work@lab.test>")


@test("send --header: every field is kept, whatever its name; the text stays the text")
def headers():
    draft = ana.write("draft.eml", "To: ben@lab.test\nX-First: 1\nSubject: headers\n\nthe text\n")
    ana.ok("send", "-H", draft, "--header", "X-Second: 2", "--header", "Priority: urgent", "--header", "Reply-To: r@lab.test", "--now")
    with world.oracle("ben") as server:
        found = wait_for(lambda: server.uids("INBOX", "SUBJECT headers"), what="the mail")
        head, text = server.body("INBOX", found[0]).split(b"\r\n\r\n", 1)
    for field in (b"X-First: 1", b"X-Second: 2", b"Priority: urgent", b"Reply-To: r@lab.test"):
        contains(head, field)
    equal(text, b"the text\r\n")


@test("queue: an encoded subject in words, as git send-email writes it")
def encoded_subject():
    ana.ok("sendmail", "-i", "ben@lab.test", stdin="Subject: [PATCH] =?UTF-8?q?more=20=C3=BC?=\n\nx\n")
    equal(ana.json("queue", "--all")[-1]["subject"], "[PATCH] more ü")


@test("mutt's -Q: what stands in the configuration, else the default; 1 for no such key")
def query_settings():
    equal(ana.ok("-Q", "undo-send", "-Q", "theme").text, "undo-send = 0\ntheme = dusk\n")
    contains(ana.fails(1, "-Q", "nonesuch").errors, "nonesuch")


if __name__ == "__main__":
    main()
