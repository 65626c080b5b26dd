#!/usr/bin/env python3
"""The sync room from the command line: which folders keep what, what a dry run says, what happened and what waits."""

import os
import time

from device import message
from harness import *

world = keep(World(smtp="aiosmtpd"))


def fill(server, folder, *numbers, **options):
    for number in numbers:
        server.append(folder, message(number, **options))


def cached(home, folder):
    return {row["message_id"].split("@")[0]: row["cached"] for row in home.json("list", folder, "--limit", "0")}


def set_policies(home, *lines):
    """The configuration with these lines in place of those that begin with keep."""
    with open(home.config_file()) as file:
        text = [line for line in file.read().splitlines() if not line.startswith("keep")]
    home.configure("\n".join([*filter(None, text), *lines, ""]))


@test("a policy a folder: all, below a size, envelopes only, not at all; a change counts from the next pass on")
def policies():
    home = keep(world.home("ana", account=["keep = 2k", "keep.Full = all", "keep.Lists/* = envelopes", "keep.Off = off"]))
    with world.oracle("ana") as server:
        for name in ("Full", "Lists", "Lists/dev", "Off"):
            server.create(name)
        for at, name in enumerate(("INBOX", "Full", "Lists", "Lists/dev", "Off")):
            fill(server, name, 10 * at + 1)
            fill(server, name, 10 * at + 2, body="z" * 9000 + "\n")
        home.ok("sync")
        equal(cached(home, "INBOX"), {"m1": True, "m2": False})
        equal(cached(home, "Full"), {"m11": True, "m12": True})
        equal(cached(home, "Lists"), {"m21": True, "m22": False})
        equal(cached(home, "Lists/dev"), {"m31": False, "m32": False})
        equal(cached(home, "Off"), {})
        # Opening one fetches it, and it stays.
        row = [row for row in home.json("list", "Lists/dev") if row["message_id"] == "m32@lab.test"][0]
        contains(home.json("show", str(row["id"]))[0]["text"], "zzzz")
        equal(cached(home, "Lists/dev"), {"m31": False, "m32": True})
        # What is moved into a folder that is left alone goes there.
        row = [row for row in home.json("list") if row["message_id"] == "m1@lab.test"][0]
        home.ok("move", str(row["id"]), "Off")
        home.ok("sync")
        equal(sorted(m.message_id.strip("<>") for m in server.messages("Off")),
              ["m1@lab.test", "m41@lab.test", "m42@lab.test"])

        set_policies(home, "keep = envelopes", "keep.Lists/dev = all", "keep.INBOX = 1y, 1M")
        home.ok("sync")
        equal(cached(home, "INBOX"), {"m2": True}, "let in now")
        equal(cached(home, "Lists/dev"), {"m31": True, "m32": True})
        equal(cached(home, "Full"), {"m11": True, "m12": True}, "what is here stays here")
        equal(cached(home, "Off"), {"m1": True, "m41": False, "m42": False})
        policies = {row["name"]: row["keep"] for row in home.json("folders")}
        equal((policies["INBOX"], policies["Full"], policies["Lists/dev"]), ("365d, 1M", "envelopes", "all"))

    set_policies(home, "keep.Lists = all", "keep.Lits/* = envelopes")
    doctor = home.run("doctor")
    equal(doctor.code, 1)
    contains(doctor.text, "ana: keep.Lits/*: no folder is called so")
    assert "keep.Lists:" not in doctor.text, doctor.text
    set_policies(home, "keep.Lists = some")
    contains(home.fails(78, "sync").errors, "keep.Lists")
    home.configure("")
    home.ok("setup", "eva@lab.test", "--as", "eva", "--incoming", "imaps://eva@localhost", "--outgoing", "smtps://eva@localhost",
            "--password", "ask", "--keep", "30d", "--no-check")
    with open(home.config_file()) as file:
        contains(file.read(), "keep = 30d")
    contains(home.fails(78, "setup", "eva@lab.test", "--as", "b", "--incoming", "imaps://eva@localhost", "--outgoing",
                        "smtps://eva@localhost", "--password", "ask", "--keep", "some", "--no-check").errors, "some")


def wanted(lines):
    """{(folder, direction, action): count} of a dry run, and its sums."""
    return {(line["folder"], line["direction"], line["action"]): line["count"] for line in lines[:-1]}, lines[-1]


@test("sync --dry-run names each folder, action and number, both ways, and nothing changes; the pass does just that")
def dry_run():
    home = keep(world.home("ben", account=["keep.Thin = envelopes"]))
    with world.oracle("ben") as server:
        for name in ("Keep", "Thin", "Old"):
            server.create(name)
        fill(server, "INBOX", *range(100, 110))
        fill(server, "Keep", 120, 121)
        lines, sums = wanted(home.json("sync", "--dry-run"))
        equal(lines[("INBOX", "in", "new")], 10)
        equal(lines[("INBOX", "in", "bodies")], 10)
        equal(lines[("Keep", "in", "folder")], 0)
        assert ("Thin", "in", "bodies") not in lines, lines
        equal(sums["in"]["new"], 12)
        equal(home.json("folders"), [], "nothing was made")
        home.ok("sync")
        equal(home.ok("sync", "--dry-run").text, "Everything is in step: there is nothing to do.\n")

        # Changes on both sides.
        rows = {row["message_id"]: str(row["id"]) for row in home.json("list", "--limit", "0")}
        home.stop()
        world.kill_server("imap")
        home.ok("mark", rows["m100@lab.test"], rows["m101@lab.test"], "+flagged")
        home.ok("move", rows["m102@lab.test"], rows["m103@lab.test"], "Keep")
        home.ok("delete", rows["m104@lab.test"])
        home.stop()
        states = {row["name"]: (row["state"], row["pending"]["marks"], row["pending"]["moves"]) for row in home.json("folders")}
        equal(states["INBOX"], ("waiting", 2, 3))
        equal(states["Keep"][0], "in-step")
        contains(home.ok("folders").text, "to send: 2 marks, 3 moves")
        world.start_server("imap")
    with world.oracle("ben") as server:
        fill(server, "Thin", 130, 131, 132)
        server.flag("INBOX", server.uids("INBOX", 'SUBJECT "message 105"'), "+\\Seen")
        server.flag("INBOX", server.uids("INBOX", 'SUBJECT "message 100"'), "+\\Answered")
        server.expunge("INBOX", server.uids("INBOX", 'SUBJECT "message 106"'))
        server.delete("Old")
        server.rename("Keep", "Kept")
        truth, before = server.snapshot(), home.json("list", "--limit", "0")
        lines, sums = wanted(home.json("sync", "--dry-run"))
        equal(lines, {
            ("INBOX", "in", "flags"): 2, ("INBOX", "out", "flags"): 2, ("INBOX", "in", "remove"): 1,
            ("INBOX", "out", "move"): 1, ("Thin", "in", "new"): 3, ("Keep", "in", "rename-folder"): 0}, "by folder and action")
        equal((sums["in"]["flags"], sums["in"]["new"], sums["in"]["bodies"], sums["in"]["remove"]), (2, 3, 0, 1))
        equal((sums["out"]["flags"], sums["out"]["move"]), (2, 3))
        text = home.ok("sync", "--dry-run").text
        contains(text, "move 2 messages to Keep")
        contains(text, "Out: 2 messages marked, 3 messages moved.")
        contains(text, "In:  1 folder renamed, 3 new messages, 2 messages marked, 1 message removed.")
        equal(server.snapshot(), truth)
        equal(home.json("list", "--limit", "0"), before)
        home.ok("sync")
        equal(len(server.uids("Kept")), 4)
        states = {row["name"]: row["state"] for row in home.json("folders")}
        equal((states["INBOX"], states["Thin"], states["Kept"]), ("in-step", "in-step", "unsubscribed"))


@test("what was changed on both sides is noted with what was kept, and the work is counted by folder")
def history():
    home = keep(world.home("ben"))
    home.ok("sync")
    row = [row for row in home.json("list", "--limit", "0") if row["message_id"] == "m107@lab.test"][0]
    home.stop()
    world.kill_server("imap")
    home.ok("mark", str(row["id"]), "+flagged", "+work")
    home.stop()
    world.start_server("imap")
    with world.oracle("ben") as server:
        server.flag("INBOX", server.uids("INBOX", 'SUBJECT "message 107"'), "+\\Answered")
    home.ok("sync")
    home.stop()
    inbox = home.database("SELECT id FROM folder WHERE name = 'INBOX'")[0][0]
    world.kill_server("imap")
    gone = [row for row in home.json("list", "--limit", "0") if row["message_id"] == "m108@lab.test"][0]
    home.ok("mark", str(gone["id"]), "-unread")
    home.stop()
    world.start_server("imap")
    with world.oracle("ben") as server:
        server.expunge("INBOX", server.uids("INBOX", 'SUBJECT "message 108"'))
    home.ok("sync")
    home.stop()
    lost = home.database("SELECT text FROM sync_event WHERE kind = 2 AND folder = ? AND text LIKE '%108%'", inbox)
    equal(lost, [("message 108\n+seen\nremoved\n",)])
    text, message_id = home.database("SELECT text, message FROM sync_event WHERE kind = 2 AND folder = ?", inbox)[0]
    equal(text, "message 107\n+flagged +work\n+answered\n+answered +flagged +work")
    equal(message_id, row["id"])
    sums = home.database("SELECT envelopes, bodies, flags_in, flags_out, conflicts, missing, last_in > 0, last_out > 0, bytes_in > 0"
                         " FROM sync_total WHERE folder = ?", inbox)[0]
    n = len(home.json("list", "--limit", "0")) + 1
    equal(sums, (n, n, 1, 1, 1, 0, 1, 1, 1))
    server = home.database("SELECT value FROM setting WHERE name LIKE 'sync.server.%'")[0][0]
    contains(server, "host localhost:%d" % world.ports["imaps"])
    contains(server, "CONDSTORE")


if __name__ == "__main__":
    main()
