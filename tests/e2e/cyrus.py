#!/usr/bin/env python3
"""The second real server: Cyrus IMAP, so that nothing is built on Dovecot's habits alone. A round of everything with two
homes and the server's own view, once with folders beside INBOX and once below it ("INBOX.Sent"). With POSTRIDER_LONG
every end-to-end test that talks IMAP runs against it too (POSTRIDER_LAB_IMAP=cyrus, which any of them may be run with).

Cyrus differs: EMAILIDs made of the content, roles in small letters, names in another namespace, no NOTIFY, no SASL-IR."""

import os
import subprocess
import sys

from device import Device, message, quiet
from harness import *
import cyrus as lab_cyrus

FILES = ["sync_faithful", "sync_two", "sync_kill", "maildirs", "peers", "engine", "offline", "journey", "send", "kill_send",
         "imap", "screen_mail", "screen_send", "password"]
HERE = os.path.dirname(os.path.abspath(__file__))


def up(**options):
    if not lab_cyrus.is_there():
        raise Skip("Cyrus is not there: ./bootstrap check brings it")
    return World(imap="cyrus", count=2, **options)


def mail(name):
    return ("From: Ben <ben@lab.test>\nTo: ana@lab.test\nSubject: %s\nMessage-ID: <%s@lab.test>\n"
            "Date: Thu, 12 Nov 2026 10:00:00 +0000\n\nHello from %s.\n" % (name, name, name)).encode()


def rows(home, *folder):
    return {row["message_id"].split("@")[0]: row for row in home.json("list", *folder, "--limit", "0")}


def whole_round(world, prefix, separator):
    """Two homes of Ana's, and what the server says of it; prefix is how it calls what is not the INBOX."""
    with world.home("ana") as desk, world.home("ana") as phone, world.oracle("ana") as server:
        server.create(prefix + "Projekte")
        server.create(prefix + "Projekte" + separator + "Größe")
        world.deliver("ana", *[mail("m%d" % n) for n in range(1, 9)])
        for home in (desk, phone):
            home.ok("sync")
            equal(sorted(rows(home)), ["m%d" % n for n in range(1, 9)])
        roles = dict(desk.database("SELECT role, wire FROM folder WHERE role > 1"))
        equal(sorted(roles.values()), sorted(prefix + name for name in ("Sent", "Drafts", "Junk", "Trash", "Archive")))

        def number(home, name):
            return str(rows(home)[name]["id"])
        desk.ok("mark", number(desk, "m1"), "+flagged", "-unread", "+work", "+Übung")
        phone.ok("mark", number(phone, "m1"), "+replied")
        desk.ok("archive", number(desk, "m2"))
        phone.ok("delete", number(phone, "m3"))
        desk.ok("move", number(desk, "m4"), "Projekte/Größe")
        server.flag("INBOX", server.uids("INBOX", 'SUBJECT "m5"'), "+\\Flagged", "+other")
        server.move("INBOX", server.uids("INBOX", 'SUBJECT "m6"'), prefix + "Archive")
        server.expunge("INBOX", server.uids("INBOX", 'SUBJECT "m7"'))
        for home in (desk, phone, desk, phone):
            home.ok("sync")
        inbox = server.by_id("INBOX")
        equal(sorted(inbox), ["m1@lab.test", "m5@lab.test", "m8@lab.test"])
        flags = inbox["m1@lab.test"].flags
        equal({"\\Flagged", "\\Seen", "\\Answered", "work"} <= flags, True, "flags of m1: %r" % flags)
        equal(sorted(server.by_id(prefix + "Archive")), ["m2@lab.test", "m6@lab.test"])
        equal(sorted(server.by_id(prefix + "Trash")), ["m3@lab.test"])
        equal(sorted(server.by_id(prefix + "Projekte" + separator + "Größe")), ["m4@lab.test"])
        for home in (desk, phone):
            equal(sorted(rows(home)), ["m1", "m5", "m8"])
            equal(sorted(rows(home, "Archive")), ["m2", "m6"])
            equal(sorted(rows(home, "Projekte/Größe")), ["m4"])
            contains(rows(home)["m1"]["tags"], "Übung")
            contains(rows(home)["m5"]["tags"], "other")
        # A message goes out, is filed once, and arrives; a folder is renamed on the server, and its mail stays here.
        desk.ok("send", "--now", "-s", "to myself", "ana@lab.test", stdin="Hello.\n")
        wait_for(lambda: any(m.subject == "to myself" for m in server.messages("INBOX")), 60, "the mail")
        desk.ok("sync")
        equal([m.subject for m in server.messages(prefix + "Sent")], ["to myself"])
        server.rename(prefix + "Projekte", prefix + "Arbeit")
        server._do("subscribe", '"%sArbeit%sGr&APYA3w-e"' % (prefix, separator))
        for home in (desk, phone):
            home.ok("sync")
            equal(sorted(rows(home, "Arbeit/Größe")), ["m4"])


@test("two homes, one account: everything goes both ways")
def both_ways():
    with up() as world:
        whole_round(world, "", "/")


@test("the same where every folder lies below INBOX, and names are parted by a dot")
def below_inbox():
    with up(inbox_namespace=True) as world:
        whole_round(world, "INBOX.", ".")


@test("a pass that finds nothing changes nothing, and news come by IDLE")
def at_rest():
    with up() as world, world.oracle("ben") as server, Device(world, "ben") as device:
        for number in range(1, 4):
            server.append("INBOX", message(number))
        device.sync()
        quiet(device.sync())
        equal(device.sync()["unchanged"], 6)
        with world.home("ben") as home:
            home.start("sync", "--watch", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for(lambda: os.path.exists(home.data("postrider.db")) and home.run("list").code == 0 and
                     len(rows(home)) == 3, 60, "the first pass")
            server.append("INBOX", message(4))
            wait_for(lambda: len(rows(home)) == 4, 60, "the news")


def register(name):
    @test("the whole of %s against Cyrus" % name)
    def whole():
        if "POSTRIDER_LONG" not in os.environ:
            raise Skip("with POSTRIDER_LONG")
        up().close()
        done = subprocess.run([sys.executable, os.path.join(HERE, name + ".py")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=dict(os.environ, POSTRIDER_LAB_IMAP="cyrus"))
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        failed = [at for at, line in enumerate(lines) if line.startswith("not ok")]
        for at in failed:
            note("\n".join(lines[at:at + 30]))
        equal((done.returncode, failed), (0, []), name)


for file in FILES:
    register(file)

if __name__ == "__main__":
    main()
