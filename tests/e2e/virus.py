#!/usr/bin/env python3
"""A virus scanner: ClamAV's daemon with a signature of this test's own; what it finds is held."""

import base64
import os
import shutil
import socket
import subprocess

from harness import *

MARK = b"POSTRIDER TEST BYTES THAT A SCANNER KNOWS"
folder = temporary()
SOCKET = os.path.join(folder, "clamd.ctl")
program = shutil.which("clamd", path=os.environ.get("PATH", "") + ":/usr/sbin")
daemon = None


def answers():
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(SOCKET)
        except OSError:
            return False
        line.sendall(b"zPING\0")
        return line.recv(16).startswith(b"PONG")


def start():
    global daemon
    os.makedirs(os.path.join(folder, "db"), exist_ok=True)
    with open(os.path.join(folder, "db", "test.ndb"), "w") as out:
        out.write("Postrider.Test:0:*:%s\n" % MARK.hex())
    with open(os.path.join(folder, "clamd.conf"), "w") as out:
        out.write("LocalSocket %s\nForeground yes\nDatabaseDirectory %s/db\nTemporaryDirectory %s\nScanMail yes\nStreamMaxLength 1M\n"
                  % (SOCKET, folder, folder))
    daemon = subprocess.Popen([program, "--config-file=%s/clamd.conf" % folder], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    at_end(stop)
    wait_for(answers, 60, "clamd")


def stop():
    if daemon.poll() is None:
        daemon.terminate()
        daemon.wait()


def letter(number, content):
    return (b"From: Ben <ben@lab.test>\r\nTo: ana@lab.test\r\nSubject: letter %d\r\nMessage-ID: <v%d@x>\r\nMIME-Version: 1.0\r\n"
            b"Date: Thu, 12 Nov 2026 10:42:01 +0100\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee the file\r\n--b\r\n"
            b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=plan.bin\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n--b--\r\n" % (number, number, base64.encodebytes(content)))


world = keep(World(count=2))
ana = keep(world.home("ana", general=["virus-scanner = clamd:%s" % SOCKET]))


def scanned(number):
    def found():
        ana.ok("sync")
        rows = [row for row in ana.json("list", "--limit", "0") if row["message_id"] == "v%d@x" % number]
        return rows and ana.json("journey", str(rows[0]["id"]))[0]["virus"] and rows[0]["id"]
    identity = wait_for(found, what="letter %d" % number)
    return identity, ana.json("journey", str(identity))[0]["virus"]


@test("arriving mail is scanned, attachments decoded; what is found is held by the commands")
def found():
    if not program:
        raise Skip("clamd is not installed (clamav-daemon)")
    start()
    world.deliver("ana", letter(1, b"a quiet file\n"), letter(2, b"bytes\n" + MARK + b"\n"))
    quiet, clean = scanned(1)
    held, bad = scanned(2)
    equal(clean, {"result": "clean", "name": None, "why": None})
    equal((bad["result"], bad["name"].startswith("Postrider.Test")), ("found", True))
    contains(ana.ok("journey", str(held)).text, "Postrider.Test")
    target = temporary()
    ana.ok("show", "--save", target, str(quiet))
    equal(os.listdir(target), ["plan.bin"])
    refused = ana.run("show", "--save", target, str(held))
    equal((refused.code, os.listdir(target)), (69, ["plan.bin"]))
    contains(refused.errors, "Postrider.Test")
    equal(ana.run("show", "--part", "3", str(held)).code, 69)
    ana.ok("show", "--save", target, "--even-so", str(held))
    equal(len(os.listdir(target)), 2)


@test("on the screen a part of it opens only for a typed word")
def screen():
    if not program:
        raise Skip("clamd is not installed (clamav-daemon)")
    target = temporary()
    screen = keep(Screen(ana, width=120))
    screen.wait("letter 2")
    screen.keys("/")
    screen.type("id:v2@x")
    screen.wait_gone("letter 1")
    screen.keys("Enter", "Enter")
    screen.wait("a virus is in it: Postrider.Test")
    screen.keys("v")
    screen.wait("plan.bin")
    for typed, files in (("y", 0), ("open", 1)):
        screen.keys("s")
        screen.wait("Save to:")
        screen.keys("C-u")
        screen.type("%s/%s" % (target, typed))
        screen.keys("Enter")
        screen.wait('Type "open" to go on')
        screen.type(typed)
        screen.keys("Enter")
        if files:
            wait_for(lambda: len(os.listdir(target)) == 1, what="the file")
        else:
            screen.wait("nothing was done")
            equal(os.listdir(target), [])


@test("a scanner that does not answer is said so, and holds up nothing")
def silent():
    if not program:
        raise Skip("clamd is not installed (clamav-daemon)")
    world.deliver("ana", letter(3, b"x" * 2000000))  # more than it takes
    identity, large = scanned(3)
    equal(large["result"], "unscanned")
    contains(large["why"], "exceeded")
    stop()
    world.deliver("ana", letter(4, b"a quiet file\n"))
    identity, none = scanned(4)
    equal((none["result"], none["name"]), ("unscanned", None))
    contains(none["why"], SOCKET)
    contains(ana.ok("journey", str(identity)).text, "unscanned")


if __name__ == "__main__":
    main()
