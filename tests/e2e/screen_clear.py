#!/usr/bin/env python3
"""What the screen says at 80 columns is whole: nothing is cut where the sense goes with it, nothing is said twice."""

import re

from harness import *

world = keep(World(count=2))
ana = keep(world.home("ana", account=["trusted-hosts = mx.lab.test"]))


def mail(name, sender="Tomas Vidal <tomas@example.org>", text="hello"):
    return ("Authentication-Results: mx.lab.test; spf=none; dkim=none; dmarc=none\r\nFrom: %s\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <%s@test>\r\n\r\n%s\r\n" % (
        sender, name.replace("-", " "), name, text)).encode()


world.deliver("ana", mail("the-contract"), mail("a-second-letter"))
ana.ok("sync")
number = str(ana.json("search", "subject:contract")[0]["id"])
ana.ok("mark", number, "+$NotJunk", "+work", "+travel", "+zantidisestablishment")


def row(text, needle):
    """The line of the screen with these words."""
    return next(line for line in text.split("\n") if needle in line)


@test("list: as many whole tags as there is room for")
def tags_in_the_list():
    with Screen(ana) as screen:
        line = row(screen.wait("the contract"), "the contract")
        contains(line, "[travel] … the contract")
        for size in range(41, 120, 7):
            screen.resize(size, 24)
            line = row(screen.wait(re.compile(r"\n[^\n]{%d}\n" % size)), "Tomas")
            equal(line.count("["), line.count("]"), line)


@test("reader: the verdict once; tags without the words that are for programs; HTML that is not there")
def reader():
    with Screen(ana, width=112) as screen:
        screen.wait("the contract")
        screen.keys("*", "Enter")
        screen.wait("nobody vouches")
        for size in range(64, 110, 3):
            screen.resize(size, 24)
            text = screen.wait(re.compile(r"─{%d}\n" % size))
            equal(text.count("nobody vouches"), 1, text)
        screen.resize(80, 24)
        text = screen.wait(re.compile(r"\n─{80}\n"))
        equal(row(text, "Tags").split()[1:], ["travel", "work", "zantidisestablishment"])
        contains(row(text, "r reply"), "I journey")
        screen.keys("Escape")
        screen.keys("a")
        screen.wait("this message has no HTML")


@test("list: what it is limited to is whole, hints give way to it")
def limited():
    with Screen(ana) as screen:
        screen.wait("the contract")
        contains(row(screen.text(), "INBOX"), "? help")
        screen.keys("l")
        screen.wait("Limit to")
        screen.type("~f tomas ~s contract")
        screen.keys("Enter")
        title = row(screen.wait("limited to"), "limited to")
        contains(title, "limited to ~f tomas ~s contract")
        equal("commands" in title, False)


@test("a message beside the list from 160 columns on, or on the whole screen (layout)")
def layout():
    with Screen(ana, width=159) as screen:
        screen.wait("the contract")
        screen.keys("*", "Enter")
        screen.wait("nobody vouches")
        equal("a second letter" in screen.text(), False)
        screen.resize(160, 24)
        screen.wait("a second letter")
    with open(ana.config_file()) as lines:
        text = lines.read()
    ana.configure(text.replace("[general]\n", "[general]\nlayout = whole\n"))
    with Screen(ana, width=170) as screen:
        screen.wait("the contract")
        screen.keys("*", "Enter")
        equal("a second letter" in screen.wait("nobody vouches"), False)
    ana.configure(text)


@test("help: what is wrapped stays in its column")
def help_text():
    with Screen(ana) as screen:
        screen.wait("the contract")
        screen.keys("?")
        lines = screen.wait("To a line, a part").split("\n")
        column = row("\n".join(lines), "To a line, a part").index("To a line")
        for before, line in zip(lines[3:], lines[4:-2]):
            if line[:column].strip() == "" and line.strip() and before.strip():
                equal(len(line) - len(line.lstrip()), column, line)
        screen.keys("End")
        contains(screen.wait("OTHER KEYS"), "[keys]")


@test("composer: suggestions cover the fields below with their names; q is in sight")
def suggestions():
    with Screen(ana, "mailto:ben@lab.test?body=hello") as screen:
        contains(row(screen.wait("New message"), "y send"), "q abort")
        screen.keys("t")
        screen.type(", toma")
        lines = screen.wait("tomas@example.org").split("\n")
        at = next(i for i, line in enumerate(lines) if "Tomas Vidal <tomas@example.org>" in line)
        equal(lines[at].split()[0], "└")
        contains(lines[at - 1], "To")
        equal([line for line in lines if line.startswith(" Cc")], [])


@test("folders: columns with names; undo: what its keys do")
def folders_and_undo():
    with Screen(ana) as screen:
        screen.wait("the contract")
        screen.keys("y")
        lines = screen.wait("Folders").split("\n")
        head = next(line for line in lines if "unread" in line)
        inbox = next(line for line in lines if " INBOX " in line)
        equal(head.split(), ["account", "folder", "unread", "mail", "role", "read"])
        equal(inbox.split()[:2], ["ana", "INBOX"])
        equal(inbox.index("inbox"), head.index("role"))
        equal(inbox[:head.index("unread") + 6].split()[-1], str(ana.json("folders")[0]["unread"]))
        screen.keys("q")
        screen.wait("the contract")
        screen.keys("Escape")
        screen.keys("u")
        contains(screen.wait("What can be taken back"), "Enter take back")


@test("outbox: why it was refused, without the address again; the attempts keep their columns")
def outbox():
    equal(ana.run("send", "-s", "no way", "--now", "refused@lab.test", stdin="x").code, 69)
    with Screen(ana) as screen:
        screen.wait("the contract")
        screen.keys("B")
        line = row(screen.wait("failed"), "failed")
        contains(line, "550 Recipient address rejected")
        assert len(line) < 80, line
        screen.keys("Enter")
        lines = screen.wait("Attempts").split("\n")
        at = next(i for i, text in enumerate(lines) if text.startswith(" State"))
        column = lines[at].index("failed")
        equal(lines[at + 1][:column].strip(), "")
        assert lines[at + 1].strip(), lines


@test("the account assistant: nothing runs over the edge")
def assistant():
    with Screen(keep(Home())) as screen:
        text = screen.wait("account assistant")
        contains(" ".join(text.split()), "where it can be changed later.")
        screen.keys("Escape", "Down", "Down")
        contains(" ".join(screen.wait("imaps://USER@HOST").split()), "an @ in USER is %40")
        screen.keys("Up", "Up", "Enter")
        screen.type("ana@gmail.com")
        screen.keys("Enter")
        screen.wait("imaps://ana%40gmail.com@imap.gmail.com")


@test("an account that does not work: the reason in full where its mail would be")
def trouble():
    lost = keep(world.home("ana", ports={"imaps": 1}))
    with Screen(lost) as screen:
        text = " ".join(screen.wait("No mail of ana yet", timeout=60).split())
        contains(text, "check the network, the server name and the port")
        contains(text, "The account is set up in %s" % lost.config_file())


if __name__ == "__main__":
    main()
