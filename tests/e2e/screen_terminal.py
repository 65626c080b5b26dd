#!/usr/bin/env python3
"""The screen and its terminal: hostile text, sizes, colours, locales, signals, mail outside the store, a first start."""

import mailbox
import os
import re
import signal
import sqlite3

from harness import *
import process

# ---- what may be written to a terminal: the sequences of terminfo's entries, and printable text ----

SEQUENCE = re.compile(
    rb"\x1b\[\??[0-9;:]*[a-zA-Z@`]"     # CSI … final
    rb"|\x1b[()][0AB]|\x1b[=>78MDEHc]"  # character sets, keypad, cursor
)
MODES = {b"1", b"4", b"7", b"12", b"25", b"34", b"1000", b"1006", b"1034", b"1049", b"2004", b"22;0;0", b"23;0;0"}
FINALS = set(b"ABCDGHJKLMPSTX@bcdhlmrt")
BIDI = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\u00ad\u200b-\u200d]")


def foreign(output):
    """What is in the output that no screen of ours would write."""
    found, at = [], 0
    while at < len(output):
        byte = output[at]
        if byte == 0x1b:
            match = SEQUENCE.match(output, at)
            if not match:
                found.append(output[at:at + 12])
                at += 1
                continue
            text = match[0]
            if text[1:2] == b"[":
                if text[-1] not in FINALS:
                    found.append(text)
                if text[-1:] in b"hl" and text[2:].lstrip(b"?")[:-1] not in MODES:
                    found.append(text)
            at = match.end()
            continue
        if byte < 0x20 and byte not in (8, 9, 10, 13, 14, 15) or byte == 0x7f:
            found.append(output[at:at + 12])
        at += 1
    text = SEQUENCE.sub(b"", output).decode("utf-8", "replace")
    found += [hex(ord(c)) for c in text if 0x80 <= ord(c) < 0xa0]
    found += [hex(ord(c)) for c in BIDI.findall(text)]
    return found


PAYLOADS = [
    "\x1b[31mX", "\x1b]0;PWNED\x07", "\x1b]52;c;UFdORUQ=\x07", "\x1b]8;;http://evil\x1b\\X", "\x1bP+q544e\x1b\\", "\x1b[6n", "\x1b[c",
    "\x1bc", "\x1b[2J", "\x1b[?1049l", "\x1b[?1000h", "\x1b_Gf=100;AAAA\x1b\\", "\x1b^x\x1b\\", "\x1b", "\x1b[", "\x07", "\x08\x08\x08",
    "\x0c", "\x0b", "\x0e", "\x0f", "\x00", "\x7f", "\x18", "\x1a", "\x05", "\x11\x13", "\u009b31m", "\u009d0;P\u009c", "\u0090x\u009c",
    "\u0085", "\u202egpj.exe", "\u2066x\u2069", "\u200f", "\u061c", "\u2028next", "\u2029", "\ufeff", "\u200b", "\u00ad", "\U000e0041",
    "e" + "\u0301" * 50, "\ufff9x\ufffa", "\ue000", "\U0010ffff", "\t\t\t",
]


def hostile_mail(number, payload):
    """One message with the payload in every field that the screen shows."""
    raw = payload.encode("utf-8", "surrogatepass")
    flat = raw.replace(b"\0", b"").replace(b"\r", b"").replace(b"\n", b"")
    word = b"=?utf-8?B?" + __import__("base64").b64encode(raw) + b"?="
    return b"\n".join([
        b"From: " + word + b" <a" + str(number).encode() + b"@lab.test>",
        b"To: " + word + b" <b@lab.test>, \"" + flat.replace(b'"', b"") + b"\" <c@lab.test>",
        b"Cc: " + flat + b" <d@lab.test>", b"Reply-To: " + word + b" <e@lab.test>",
        b"Subject: s%d " % number + (word if number % 2 else flat), b"Message-ID: <" + str(number).encode() + flat[:20] + b"@lab.test>",
        b"Date: Thu, 12 Nov 2026 10:%02d:00 +0000" % (number % 60), b"List-Id: " + flat + b" <l.lab.test>", b"X-Any: " + flat,
        b"Received: from " + flat + b" by mx.lab.test; Thu, 12 Nov 2026 10:00:00 +0000",
        b"Authentication-Results: mx.lab.test; spf=pass smtp.mailfrom=" + flat + b"; dkim=fail reason=\"" + flat.replace(b'"', b"") + b"\"",
        b"MIME-Version: 1.0", b"Content-Type: multipart/mixed; boundary=b", b"",
        b"--b", b"Content-Type: text/plain; charset=utf-8", b"Content-Description: " + word, b"",
        b"body " + raw + b" end", b"> quoted " + raw, b"https://lab.test/" + flat, b"-- ", b"sig " + raw,
        b"--b", b"Content-Type: text/html; charset=utf-8", b"",
        b"<h1>" + raw + b"</h1><a href=\"http://x/" + flat.replace(b'"', b"") + b"\">" + raw + b"</a><img alt=\"" + flat.replace(b'"', b"") + b"\">",
        b"--b", b"Content-Type: application/" + flat[:10], b"Content-Disposition: attachment; filename=\"" + flat.replace(b'"', b"") + b".pdf\"",
        b"Content-Description: " + flat, b"", b"data", b"--b--", b""])


@test("M2: hostile bytes in every field of a message: none reaches the terminal, in list, reader, parts, headers, raw, journey")
def hostile():
    home = keep(Home())
    folder = home.path("Maildir")
    box = mailbox.Maildir(folder, create=True)
    for number, payload in enumerate(PAYLOADS):
        box.add(hostile_mail(number, payload))
    with Pty(home, "-f", folder, width=120, height=60) as pty:
        pty.read_until("%d messages" % len(PAYLOADS))
        for _ in PAYLOADS:
            # Ctrl-L paints every cell: what a view says of itself is then in the output.
            for keys, seen in (("\r", "sig"), ("h", "reply"), ("T", "reply"), ("v", "save all"), ("q", "reply"), ("I", "Checks"),
                               ("q", "reply"), ("\x1bh", "List-Id"), ("q", "reply"), ("qj", "commands")):
                pty.send(keys + "\x0c")
                pty.read_until(seen)
        pty.send("\x1bm")
        pty.read_until("back")
        pty.send("qq")
        equal(pty.read_to_end(), 0)
        equal(foreign(pty.output), [])
        equal(b"PWNED\x07" in pty.output, False)


@test("M2: hostile folder names, tags and searches, drawn from the store")
def hostile_store():
    home = keep(Home())
    home.configure("[account a]\naddress = a@lab.test\nincoming = maildir:%s\n[searches]\nq = is:unread\n" % home.path("Maildir"))
    home.run("list")
    with Pty(home, width=120, height=40) as pty:
        pty.read_until("help")
        for payload in PAYLOADS:
            pty.send("/")
            pty.send(b"\x1b[200~" + payload.replace("\x1b", "").encode("utf-8", "surrogatepass") + b"\x1b[201~")
            pty.send("\r")
            pty.send("\x07")
        pty.send("\x1bm")
        pty.read_until("back")
        pty.send("qqqq")
        pty.read_to_end()
        equal(foreign(pty.output), [])


def plain_maildir(home, count=30):
    folder = home.path("Maildir")
    box = mailbox.Maildir(folder, create=True)
    for n in range(count):
        box.add(("From: Ana Ruiz <ana@lab.test>\nTo: ben@lab.test\nSubject: letter %d\nMessage-ID: <%d@lab.test>\n"
                 "Date: Thu, 12 Nov 2026 10:%02d:00 +0000\nContent-Type: text/plain; charset=utf-8\n\n"
                 "Grüße, the text of %d\n" % (n, n, n, n)).encode())
    return folder


@test("a Maildir, an mbox and a message file open, and stay as they are")
def files():
    home = keep(Home())
    folder = plain_maildir(home)
    before = sorted(os.listdir(os.path.join(folder, "new")))
    with Screen(home, "-f", folder) as screen:
        screen.wait("30 messages")
        screen.wait("letter 29")
        screen.keys("=", "Enter")
        screen.wait("the text of 29")
        screen.keys("d")
        screen.wait("is only read")
        screen.keys("q", "q")
        equal(screen.wait_end(), 0)
    equal(sorted(os.listdir(os.path.join(folder, "new"))), before)
    mbox = home.path("old.mbox")
    box = mailbox.mbox(mbox)
    for n in range(3):
        box.add("From: ana@lab.test\nSubject: mbox %d\nMessage-ID: <m%d@lab.test>\nDate: Thu, 12 Nov 2026 10:00:0%d +0000\n\n"
                "a line\nFrom here on it is quoted\n" % (n, n, n))
    box.close()
    with open(mbox, "rb") as file:
        content = file.read()
    with Screen(home, "-f", mbox) as screen:
        screen.wait("3 messages")
        screen.keys("=", "Enter")
        screen.wait("From here on it is quoted")
        screen.keys("q", "q")
        equal(screen.wait_end(), 0)
    with open(mbox, "rb") as file:
        equal(file.read(), content)
    letter = home.write("one.eml", "From: ana@lab.test\nSubject: alone\n\njust one\n")
    with Screen(home, "-f", letter) as screen:
        screen.wait("just one")
        screen.wait("alone")
        screen.keys("x")
        equal(screen.wait_end(), 0)
    with Pty(home, "-f", home.path("nothing")) as pty:
        equal(pty.read_to_end(), 66)
        contains(pty.output, b"nothing")
    equal([name for name in os.listdir(home.path("run")) if name.startswith("files")], [])


@test("attachments are saved under safe names, never over another file")
def attachments():
    home = keep(Home())
    home.write("m.eml", "From: a@lab.test\nSubject: files\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
               "--b\n\nhello\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"../../.profile\"\n\nevil\n"
               "--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"plan.pdf\"\n\nplan\n--b--\n")
    os.mkdir(home.path("out"))
    home.write("out/plan.pdf", "precious")
    with Screen(home, "-f", home.path("m.eml")) as screen:
        screen.wait("plan.pdf")
        screen.keys("Escape", "s")
        screen.wait("Save all attachments into")
        screen.keys("C-a", "C-k")
        screen.type(home.path("out"))
        screen.keys("Enter")
        screen.wait("saved")
        wait_for(lambda: len(os.listdir(home.path("out"))) == 3, what="both files")
        screen.keys("q", "q")
    names = sorted(os.listdir(home.path("out")))
    equal("plan.pdf" in names and "plan-1.pdf" in names, True, names)
    equal([name for name in names if name.startswith((".", "-"))], [])
    with open(home.path("out", "plan.pdf")) as file:
        equal(file.read(), "precious")
    for name in names:
        if name != "plan.pdf":
            equal(os.stat(home.path("out", name)).st_mode & 0o777, 0o600)
    equal(os.path.exists(home.path(".profile")), False)


@test("80x24 to 200x60, and down to 1x1: it draws, and comes back")
def sizes():
    home = keep(Home())
    folder = plain_maildir(home)
    with Screen(home, "-f", folder, width=80, height=24) as screen:
        screen.wait("30 messages")
        for width, height in ((200, 60), (40, 10), (20, 5), (10, 3), (5, 2), (1, 1), (500, 100), (80, 24)):
            screen.resize(width, height)
            wait_for(lambda: screen.size() == (width, height), what="the new size")
            screen.keys("j", "Enter", "q")
        screen.wait("letter")
        equal(max(len(line) for line in screen.lines()) <= 80, True)
        screen.resize(200, 60)
        screen.keys("Enter")
        screen.wait("the text of")
        screen.wait("letter 20")        # the list stays at the left
        screen.keys("q", "q")
        equal(screen.wait_end(), 0)


@test("L4: a storm of resizes during a prompt, a list and a reader ends in the right screen")
def storm():
    home = keep(Home())
    folder = plain_maildir(home)
    with Pty(home, "-f", folder) as pty:
        pty.read_until("30 messages")
        for n in range(2000):
            pty.resize(20 + n * 7 % 180, 3 + n * 3 % 60)
            if n % 100 == 0:
                pty.send(["l", "\x07", "\r", "q", ":", "\x07", "?", "q"][n // 100 % 8])
        pty.resize(100, 20)
        pty.send("\x07\x0c")
        pty.send("\x1bm")
        pty.read_until("back")
        pty.send("qqq")
        code = pty.read_to_end()
        equal(code, 0)
        equal(foreign(pty.output), [])


@test("no colour, sixteen, 256 colours; an ASCII screen in the C locale")
def looks():
    home = keep(Home())
    folder = plain_maildir(home)
    with Pty(home, "-f", folder, env={"NO_COLOR": "1"}) as pty:
        pty.read_until("30 messages")
        pty.send("\rqq")
        pty.read_to_end()
        colours = re.findall(rb"\x1b\[[0-9;]*(?:3[0-8]|4[0-8]|9[0-7])[;0-9]*m", pty.output)
        equal(colours, [])
    for term in ("xterm", "xterm-256color", "screen", "linux", "vt100"):
        with Pty(home, "-f", folder, env={"TERM": term}) as pty:
            pty.read_until("30 messages")
            pty.send("\rq")
            pty.send("q")
            equal(pty.read_to_end(), 0, term)
            equal(foreign(pty.output), [], term)
    for locale in ("C", "POSIX"):
        with Pty(home, "-f", folder, env={"LANG": locale, "LC_ALL": locale}) as pty:
            pty.read_until("30 messages")
            pty.send("\r")
            pty.read_until("Gru")
            pty.send("qq")
            equal(pty.read_to_end(), 0)
            equal([byte for byte in pty.output if byte >= 0x80], [])


@test("L3: without a terminal, or with one that cannot do it: an error in words and exit 64")
def no_terminal():
    home = keep(Home())
    folder = plain_maildir(home, 1)
    refused = home.run("-f", folder, stdin=b"")
    equal(refused.code, 64, refused.errors)
    contains(refused.errors, "terminal")
    for term in ("dumb", "no-such-terminal", "", "../../etc/passwd", "\x1b[31m"):
        with Pty(home, "-f", folder, env={"TERM": term}) as pty:
            equal(pty.read_to_end(), 64, repr(term))
            contains(pty.output.decode(), "TERM")
            equal(foreign(pty.output), [])


@test("suspend and continue; a stop from outside; the end by SIGTERM and SIGHUP restores the terminal")
def signals():
    home = keep(Home())
    folder = plain_maildir(home)
    program = home.write("job", "#!/bin/bash\nset -m\n%s -f %s\ntouch %s\nfg\necho over\n" % (POSTRIDER, folder, home.path("stopped")), mode=0o700)
    with Screen(home, program=program) as screen:
        screen.wait("30 messages")
        screen.keys("C-z")
        wait_for(lambda: os.path.exists(home.path("stopped")), what="the shell to go on")
        screen.wait("letter 29")
        screen.keys("=", "Enter")
        screen.wait("the text of")
        screen.keys("q", "q")
        screen.wait("over")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV):
        with Pty(home, "-f", folder) as pty:
            pty.read_until("30 messages")
            os.kill(pty.child, number)
            code = pty.read_to_end()
            equal(code, -number if number == signal.SIGSEGV else 0)
            contains(pty.output, b"\x1b[?1049l")
            equal(pty.output.rindex(b"\x1b[?1049l") > pty.output.rindex(b"\x1b[?1049h"), True)


@test("a first start without configuration opens the account assistant and writes what was typed")
def assistant():
    home = keep(Home(environment={"EMAIL": ""}))
    with Screen(home) as screen:
        screen.wait("A mail account")
        screen.type("ana@lab.test")
        screen.keys("Enter")
        screen.wait("imaps://ana%40lab.test@imap.lab.test")
        screen.keys("C-a", "C-k")
        screen.type("Ana Ruiz")
        screen.keys("Enter", "Enter", "Enter", "C-a", "C-k")
        screen.type("command echo secret")
        screen.keys("Enter", "Enter", "C-a", "C-k")
        screen.type("90d")
        screen.keys("Enter")
        screen.wait("y saves it")
        screen.keys("y")
        screen.wait("the account is saved")
        screen.keys("q")
        equal(screen.wait_end(), 0)
    with open(home.config_file()) as file:
        text = file.read()
    contains(text, "Ana Ruiz <ana@lab.test>")
    contains(text, "imaps://ana%40lab.test@imap.lab.test")
    contains(text, "keep = 90d")
    equal(os.stat(home.config_file()).st_mode & 0o077, 0)


def program_of(screen):
    """The program itself: tmux may have put a shell before it."""
    pid = screen.pid()
    with open("/proc/%d/comm" % pid) as file:
        return pid if file.read().strip() == "postrider" else process.children(pid)[0]


@test("D4: what is being written survives SIGKILL, SIGHUP and SIGTERM, and is taken up again")
def autosave():
    for number in (signal.SIGKILL, signal.SIGHUP, signal.SIGTERM):
        home = keep(Home(environment={"EDITOR": "", "VISUAL": ""}))
        mailbox.Maildir(home.path("Maildir"))
        home.configure("[account a]\naddress = Ana <ana@lab.test>\nincoming = maildir:%s\noutgoing = smtps://a@localhost:1\n"
                       "password = ask\n" % home.path("Maildir"))
        with Screen(home) as screen:
            screen.wait("help")
            screen.keys("m")
            screen.type("ben@lab.test")
            screen.keys("Enter")
            screen.type("a long letter")
            screen.keys("Enter")
            screen.wait("Ctrl-X done")
            screen.type("Dear Ben, this took me an hour")
            screen.wait("an hour")
            if number == signal.SIGKILL:
                def kept():
                    with sqlite3.connect(home.data("postrider.db")) as db:
                        return db.execute("SELECT count(*) FROM autosave WHERE instr(text, 'an hour')").fetchone()[0]
                wait_for(kept, what="the autosave")
            pid = program_of(screen)
            os.kill(pid, number)
            wait_for(lambda: not process.runs(pid), what="the end")
        note("ended by signal %d" % number)
        with Screen(home) as screen:
            screen.wait("R goes on with \"a long letter\"")
            screen.keys("R")
            screen.wait("this took me an hour")
            screen.wait("a long letter")
            screen.keys("q", "d")
            screen.wait("dropped")
            screen.keys("q")
            screen.wait_end()
        with Screen(home) as screen:
            screen.wait("help")
            equal("goes on with" in screen.text(), False)
            screen.keys("q")


@test("links can be clicked (OSC 8) only where that was asked for, and never those that lie")
def hyperlinks():
    home = keep(Home())
    letter = home.write("one.eml", "From: a@lab.test\nSubject: links\nContent-Type: text/html\n\n"
                        "<p><a href=\"https://good.test/x\">here</a> <a href=\"https://evil.test/\">https://bank.test/</a>"
                        "<a href=\"https://c.test/a\x1b]0;P\x07b\">odd</a></p>\n")
    for wanted in (False, True):
        home.configure("[general]\nhyperlinks = %s\n" % ("yes" if wanted else "no"))
        with Pty(home, "-f", letter) as pty:
            pty.read_until("here")
            pty.send("?\x0c")
            pty.read_until("HERE")
            pty.send("q\x0c")
            pty.read_until("reply")
            pty.send("x")
            equal(pty.read_to_end(), 0)
            opened = re.findall(rb"\x1b\]8;;([^\x1b]*)\x1b\\", pty.output)
            equal(b"https://good.test/x" in opened, wanted)
            equal([url for url in opened if b"evil" in url or b"c.test" in url], [])
            equal(foreign(re.sub(rb"\x1b\]8;;[!-~]*\x1b\\", b"", pty.output)), [])


@test("keys are rebound by the configuration, a mistake is told with its line, a set can be chosen")
def keys():
    home = keep(Home())
    home.configure("[general]\nkeys = vi\n\n[keys]\nhelp = Ctrl-G\nfrobnicate = f\nversion = z z\n\n"
                   "[account a]\naddress = a@lab.test\nincoming = maildir:%s\n" % home.path("Maildir"))
    with Screen(home, width=120) as screen:
        screen.wait(re.compile(r"config, line 6.*frobnicate"))
        screen.keys("z")
        screen.wait("z version")
        screen.keys("z")
        screen.wait(re.compile(r"Postrider \d"))
        screen.keys("C-g")
        screen.wait("HERE")
        screen.keys("q", "q")
        screen.wait_end()


if __name__ == "__main__":
    main()
