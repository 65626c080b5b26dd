#!/usr/bin/env python3
"""What a message pretends: links that go elsewhere, attachments that are something else than they seem. By command and on
the screen."""

import base64
import io
import os
import tarfile
import zipfile

from harness import *
from screen import Screen

home = keep(Home())
folder = temporary()


def packed(*names, lock=False):
    """A zip file made by another program; with lock the flag of a password is set on every entry."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "x" * 5000)
    data = bytearray(out.getvalue())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = data.find(mark)
        while lock and place >= 0:
            data[place + at] |= 1
            place = data.find(mark, place + 4)
    return bytes(data)


def tarred(name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return out.getvalue()


def letter(*files, body=b"see the files\n", kind=b"text/plain"):
    """files: (name as it stands in the field, content)."""
    out = (b"From: Ben <ben@lab.test>\nTo: ana@lab.test\nSubject: with files\nMessage-ID: <d@x>\nMIME-Version: 1.0\n"
           b"Date: Thu, 12 Nov 2026 10:42:01 +0100\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: " + kind + b"\n\n" + body)
    for name, content in files:
        out += (b"--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename" + name.encode() +
                b"\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(content))
    path = os.path.join(folder, "letter.eml")
    with open(path, "wb") as file:
        file.write(out + b"--b--\n")
    return path


def marks(path):
    shown = home.json("show", path)[0]
    return [(part["marks"], part["warning"]) for part in shown["parts"] if part["filename"]]


@test("attachments: what is said of each, by command")
def attachments():
    cases = [
        ("=plan.pdf", b"%PDF-1.7\n", []),
        ("=fix.patch", b"--- a\n+++ b\n", []),
        ("=src.zip", packed("src/app.js", "build.bat", "README"), []),
        ("=setup.exe", b"MZ\x90\0", ["program"]),
        ("=invoice.pdf.exe", b"MZ\x90\0", ["program", "double-extension"]),
        ('="invoice.exe   "', b"x", ["program", "disguised-name"]),
        ("*=utf-8''photo%E2%80%AEgpj.scr", b"x", ["program", "disguised-name"]),
        ("=plan.pdf", b"MZ\x90\0\3\0\0\0", ["other-type"]),
        ("=plan.pdf", b"<html><script>1</script>", ["other-type"]),
        ("=files.zip", packed("a.txt", "invoice.scr"), ["holds-program"]),
        ("=files.tar", tarred("x/invoice.lnk"), ["holds-program"]),
        ("=files.zip", packed("a.txt", lock=True), ["locked-archive"]),
        ("=letter.docm", packed("word/document.xml", "word/vbaProject.bin"), ["macros"]),
        ("=letter.pdf", b"%PDF-1.7\ntrailer <</Encrypt 9 0 R>>", ["encrypted-document"]),
    ]
    found = marks(letter(*[(name, content) for name, content, _ in cases]))
    equal([sorted(names) for names, _ in found], [sorted(names) for _, _, names in cases])
    for names, words in found:
        equal(bool(words), bool(names))
    text = home.ok("show", letter(("=files.zip", packed("invoice.scr")))).text
    contains(text, "[1] there is a program in it: invoice.scr")


@test("an archive that would fill the disk costs nothing")
def bomb():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("zeros", "w", force_zip64=True) as entry:
            for _ in range(64):
                entry.write(bytes(1 << 20))
    assert len(out.getvalue()) < 100000
    equal(marks(letter(("=files.zip", out.getvalue()))), [([], None)])


@test("links: what is said of each, by command")
def links():
    body = ("<a href='https://evil.test/'>https://bank.example/login</a> <a href='https://www.xn--80ak6aa92e.com/'>fruit</a> "
            "<a href='http://0xc6336407/'>click</a> <a href='https://bit.ly/x'>more</a> <a href='https://example.org/'>us</a>\n")
    shown = home.json("show", letter(body=body.encode(), kind=b"text/html"))[0]
    equal([(link["marks"], link["suspicious"]) for link in shown["links"]],
          [(["elsewhere"], True), (["lookalike"], True), (["masked", "number"], True), (["short"], False), ([], False)])
    contains(shown["links"][1]["reason"], '"apple"')
    contains(shown["links"][2]["reason"], "198.51.100.7")
    contains(shown["links"][3]["reason"], "bit.ly shortens addresses")


@test("on the screen: said above the text, and asked before it is opened")
def screen():
    path = letter(("=invoice.pdf.exe", b"MZ\x90\0"), ("=notes.csv", b"a,b\n"))
    opened = os.path.join(folder, "opened")
    mailcap = os.path.join(folder, "mailcap")
    with open(mailcap, "w") as file:
        file.write("application/octet-stream; cat >> %s\n" % opened)
    screen = keep(Screen(home, "-f", path, width=100, env={"MAILCAPS": mailcap}))
    screen.wait("with files")
    if "see the files" not in screen.text():
        screen.keys("Enter")
    screen.wait("see the files")
    screen.wait("[1] its name has two endings")
    screen.keys("1", "Enter")
    screen.wait("invoice.pdf.exe: its name has two endings, and the last one counts. Open it?")
    screen.keys("n")
    screen.wait_gone("Open it?")
    assert not os.path.exists(opened)
    screen.keys("v")
    screen.wait("! invoice.pdf.exe")
    screen.keys("Enter")
    screen.wait("Open it?")
    screen.keys("y")
    wait_for(lambda: os.path.exists(opened) and open(opened, "rb").read() == b"MZ\x90\0", what="the viewer")


if __name__ == "__main__":
    main()
