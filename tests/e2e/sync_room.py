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

    set_policies(home, "keep.Lists = some")
    contains(home.fails(78, "sync").errors, "keep.Lists")


if __name__ == "__main__":
    main()
