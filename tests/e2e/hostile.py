#!/usr/bin/env python3
"""M2: hostile bytes in subjects, names, file names, folder names and bodies never reach the terminal, byte by byte on a pty."""

import base64
import re

from harness import *

world = keep(World(count=1))
ana = keep(world.home("ana"))

PAYLOADS = [b"\x1b[31mred", b"\x1b]0;title\x07", b"\x1b]8;;http://evil\x1b\\", b"\x9b31m", "\u009b31m".encode(), b"\x07\x07", b"a\rb",
            b"a\x08\x08b", "\u202egnp.exe".encode(), "\u2066x\u2069".encode(), b"\x00nul", b"\x7f", "\u2028line".encode(),
            b"\x1bP1;1|q\x1b\\", b"\x1bc", b"\xff\xfe", "\U000e0041tag".encode(), b"\x0e\x0f", b"\x1b[6n", b"\x1b[?1049h"]


def word(payload):
    return b"=?utf-8?b?" + base64.b64encode(payload) + b"?="


def mail(number, payload):
    p = word(payload)
    return b"".join([
        b"From: ", p, b" <ben@lab.test>\r\nTo: ", p, b" <ana@lab.test>\r\nSubject: M%d " % number, p,
        b"\r\nMessage-ID: <h%d@lab.test>\r\nDate: Thu, 12 Nov 2026 10:00:%02d +0000\r\nMIME-Version: 1.0\r\n" % (number, number),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n",
        b"Content-Transfer-Encoding: base64\r\n\r\n", base64.b64encode(b"body " + payload + b" end\n"),
        b"\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"", p,
        b".html\"\r\n\r\n", base64.b64encode(b"<p>" + payload + b"</p>"), b"\r\n--b--\r\n"])


# What a program of ours may write itself: SGR, cursor movement and the modes of ncurses; never a string from outside.
ALLOWED = re.compile(rb"\x1b\[[0-9;?]*[A-HJKLMPSTXZ@`abcdefghlmnrsu]|\x1b[()*+][0AB]|\x1b[=>78MDE]|\x1b\[[!>][0-9;]*[pcmqu]|\x0f|\x0e|"
                     rb"\x1b\[[0-9;]* q|\x1b\[[0-9]+;[0-9]+;[0-9]+t")


def check(output, where, screen=False):
    for pattern in (b"\x1b]", b"\x1bP", b"\x1bc", b"\x07", b"\xc2\x9b", b"\x9b3", b"\x7f", b"\x00", "\u202e".encode(), "\u2066".encode(),
                    "\u2028".encode(), "\U000e0041".encode(), b"\x1b[6n", b"\x1b[31mred"):
        if pattern in output and not (screen and pattern in (b"\x00", b"\x9b3")):
            raise AssertionError("%r in %s: %r" % (pattern, where, output[max(0, output.index(pattern) - 40):][:120]))
    rest = ALLOWED.sub(b"", output)
    bad = re.search(rb"[\x00-\x06\x0b\x0c\x0e-\x1a\x1c-\x1f]|\x1b", rest)
    if bad:
        raise AssertionError("%r in %s: %r" % (bad.group(), where, rest[max(0, bad.start() - 40):][:120]))


@test("M2: commands on a terminal")
def commands():
    world.deliver("ana", *[mail(n, p) for n, p in enumerate(PAYLOADS)])
    with world.oracle("ana") as server:
        server.create("evil \u202e\u009b31m folder")
    ana.ok("sync")
    ids = [str(row["id"]) for row in ana.json("list")]
    equal(len(ids), len(PAYLOADS))
    runs = [["list"], ["list", "--json"], ["folders"], ["folders", "--json"], ["search", "body"], ["contacts", ""]]
    for number in ids:
        runs += [["show", number], ["show", number, "--json"], ["show", number, "--headers"], ["show", number, "--parts"],
                 ["thread", number]]
    for words in runs:
        with Pty(ana, *words, width=100, height=40) as pty:
            pty.read_to_end()
            check(pty.output, " ".join(words))


@test("M2: error texts")
def errors():
    for words in (["show", "id:\x1b[31mred\x07"], ["list", "\x1b]0;x\x07"], ["search", "(\x1b[31mred"], ["\x1b[31mred"]):
        with Pty(ana, *words, width=100, height=40) as pty:
            pty.read_to_end()
            check(pty.output, repr(words))


@test("M7: attachments are saved under clean names, inside the folder, over nothing")
def saving():
    for row in ana.json("list"):
        target = ana.path("saved-%d" % row["id"])
        import os
        os.mkdir(target)
        ana.ok("show", str(row["id"]), "--save", target)
        ana.ok("show", str(row["id"]), "--save", target)
        names = os.listdir(target)
        equal(len(names), 2, "files")
        for name in names:
            equal(name.startswith((".", "-")), False, name)
            equal(bool(re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069/]", name)), False, repr(name))
            equal(os.stat(os.path.join(target, name)).st_mode & 0o777, 0o600)


@test("M2: the list and the reader of the screen")
def on_screen():
    with Pty(ana, width=100, height=40) as pty:
        pty.read_until("INBOX")
        for _ in PAYLOADS:
            pty.send("\r")
            pty.read_until("body")
            pty.send("q")
            pty.read_until("INBOX")
            pty.send("j")
        pty.send("q")
        pty.read_to_end()
        check(pty.output, "the screen", screen=True)


if __name__ == "__main__":
    main()
