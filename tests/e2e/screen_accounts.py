#!/usr/bin/env python3
"""One inbox over two accounts: what stands there, whose it is, and that every action happens in its own account."""

import re

from harness import *

world = keep(World(count=3))
home = keep(world.home("ana"))
home.add_account(world.spec, "ben")


def mail(number, subject, to, minute, **headers):
    lines = ["From: Cleo <cleo@lab.test>", "To: %s" % to, "Subject: %s" % subject, "Message-ID: <%d@lab.test>" % number,
             "Date: Thu, 12 Nov 2026 10:%02d:00 +0000" % minute]
    lines += ["%s: %s" % (name.replace("_", "-"), value) for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\ntext of %s\n" % subject).encode()


def subjects(user, folder):
    with world.oracle(user) as server:
        return sorted(m.subject for m in server.messages(folder)) if folder in server.folders() else []


BOTH = mail(50, "to both", "everybody@lists.test", 30)
screen = None


@test("the list begins with all inboxes as one, each row with its account's letter")
def begin():
    global screen
    world.deliver("ana", mail(1, "alpha one", "ana@lab.test", 1), mail(2, "alpha two", "everybody@lists.test", 3))
    world.deliver("ben", mail(11, "beta one", "ben@lab.test", 2), mail(12, "beta two", "everybody@lists.test", 4))
    for user in ("ana", "ben"):
        with world.oracle(user) as server:  # the same bytes: one message
            server.append("INBOX", BOTH)
    home.ok("sync")
    screen = keep(Screen(home, width=120, height=30))
    shown = screen.wait("all inboxes")
    screen.wait("5 conversations")
    shown = screen.wait("5 unread")     # what lies in both counts once
    contains(shown, "All accounts")
    assert re.search(r"Inbox +5", shown), shown
    assert re.search(r"a ana@lab.test", shown) and re.search(r"b ben@lab.test", shown), shown
    order = re.findall(r"● ([ab]) .*?(alpha one|alpha two|beta one|beta two|to both)", shown)
    equal(order, [("a", "to both"), ("b", "beta two"), ("a", "alpha two"), ("b", "beta one"), ("a", "alpha one")])


@test("archive and delete happen in the account that each came from, of what lies in both in both; undo")
def act():
    screen.keys("=", "A")
    screen.wait("archived (u takes it back)")
    screen.wait("4 conversations")
    wait_for(lambda: subjects("ana", "Archive") == ["to both"] and subjects("ben", "Archive") == ["to both"],
             what="the message in both archives")
    screen.keys("u")
    screen.wait("5 conversations")
    wait_for(lambda: "to both" in subjects("ana", "INBOX") and "to both" in subjects("ben", "INBOX"),
             what="the message in both inboxes again")
    screen.keys("=", "j", "d")
    screen.wait_gone("beta two")
    wait_for(lambda: subjects("ben", "Trash") == ["beta two"], what="beta two in ben's trash")
    equal(subjects("ana", "Trash"), [])


@test("an answer is from the account whose inbox it came to, also when no address of ours is named")
def reply():
    # From the list: alpha two (ana) and beta one (ben); both went to a list.
    world.deliver("ben", mail(13, "gamma", "everybody@lists.test", 40))
    screen.wait("gamma")
    screen.keys("=", "r")
    screen.wait("Re: gamma")
    shown = screen.wait("drop it")
    contains(shown, "from ben@lab.test")
    contains(shown, "The text was not changed")
    screen.keys("d")
    screen.wait("all inboxes")


@test("the trash of all accounts is one list too, and the side bar leads there and back")
def roles():
    for _ in range(5):
        screen.keys("C-n")
    screen.wait("all trash")
    screen.wait("beta two")
    screen.keys("Escape")
    screen.keys("p")
    screen.keys("c")
    screen.wait("Folder:")
    screen.type("ben/INBOX")
    screen.keys("Enter")
    shown = screen.wait("Postrider   INBOX  ben")
    screen.wait_gone("alpha one")
    assert not re.search(r"● b ", screen.text())


@test("the command lists all accounts' folders of a role as one, or those of one")
def command():
    wait_for(lambda: not home.json("queue"), what="the queue to be empty")
    rows = home.json("list")
    equal([row["subject"] for row in rows], ["gamma", "to both", "alpha two", "beta one", "alpha one"])
    equal([row["account"] for row in rows], ["ben", "ana", "ana", "ben", "ana"])
    equal([row["subject"] for row in home.json("list", "trash")], ["beta two"])
    equal([row["account"] for row in home.json("list", "--account", "ben")], ["ben"] * 3)
    equal([row["subject"] for row in home.json("list", "ana/INBOX")], ["to both", "alpha two", "alpha one"])


@test("one-inbox = no: the first account's INBOX, and no entries for all")
def off():
    screen.keys("q")
    screen.wait_end()
    with open(home.config_file()) as file:
        text = file.read()
    home.configure(text.replace("undo-send = 0", "undo-send = 0\none-inbox = no"))
    with Screen(home, width=120, height=30) as other:
        shown = other.wait("3 conversations")
        contains(shown, "Postrider   INBOX  ana")
        assert "All accounts" not in shown, shown


if __name__ == "__main__":
    main()
