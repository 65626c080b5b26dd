#!/usr/bin/env python3
"""A large message that is not here: its text can be read while the rest is on its way."""

import base64
import os
import random
import signal
import time

from harness import *
import process
from proxy import Proxy

SLOW = "when server unit 1 every do drip 20000 0.02"       # 1 MB/s, each connection
READABLE_S = 2
QUIET = os.getloadavg()[0] < 2

world = keep(World(count=2))
proxy = keep(Proxy(world.spec, "imaps", SLOW))
ana = keep(world.home("ana", ports={"imaps": proxy.port}, account=["keep = envelopes"]))


def part(head, body):
    return "--outer\r\n%s\r\n\r\n%s\r\n" % (head, body)


def attachment(name, megabytes):
    data = random.Random(7).randbytes(int(megabytes * 1e6 * 3 / 4))
    return part("Content-Type: application/zip; name=\"%s\"\r\nContent-Disposition: attachment; filename=\"%s\"\r\n"
                "Content-Transfer-Encoding: base64" % (name, name),
                base64.encodebytes(data).decode().replace("\n", "\r\n"))


def mail(number, subject, *parts):
    return ("From: Ben Okafor <ben@lab.test>\r\nTo: ana@lab.test\r\nSubject: %s\r\nMessage-ID: <%s@lab.test>\r\n"
            "Date: Thu, 12 Nov 2026 10:%02d:00 +0000\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed;\r\n boundary=\"outer\"\r\n\r\n%s--outer--\r\n"
            % (subject, subject, 30 - number, "".join(parts))).encode()


ALTERNATIVE = part(
    'Content-Type: multipart/alternative; boundary="inner"',
    "--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    "The quagga stands in the caf=C3=A9.\r\n--inner\r\nContent-Type: text/html\r\n\r\n<p>in <b>HTML</b></p>\r\n--inner--")
PLAIN = part("Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit", "Only a few words.")
HTML = part("Content-Type: text/html; charset=utf-8", "<h1>A zebra</h1><p>that has no plain text</p>")

MAILS = {"film": (ALTERNATIVE, attachment("film.zip", 30)), "songs": (attachment("songs.zip", 1.5), PLAIN),
         "page": (HTML, attachment("page.zip", 1))}
with world.oracle("ana") as server:
    for number, (subject, parts) in enumerate(MAILS.items()):
        server.append("INBOX", mail(number, subject, *parts))

screen = keep(Screen(ana, width=110, height=30))


def files():
    below = ana.data("mail", ana.database("SELECT dir FROM folder WHERE role = 1")[0][0], "cur")
    return os.listdir(below) if os.path.isdir(below) else []


def workers():
    return [pid for pid in ana.processes() if b"postrider-worker" in process.arguments(pid)]


def excerpts():
    return ana.database("SELECT count(*) FROM wanted WHERE excerpt IS NOT NULL")[0][0]


def open_message(subject, words):
    """Seconds until the words are there."""
    screen.keys("=", *["j"] * list(MAILS).index(subject))
    begun = time.monotonic()
    screen.keys("Enter")
    screen.wait(words)
    return time.monotonic() - begun


def whole(subject, n):
    screen.wait(subject + ".zip", timeout=120)
    screen.wait_gone("Only the text")
    equal((excerpts(), len(files())), (0, n))
    there = ana.ok("show", "--raw", "id:%s@lab.test" % subject).text
    equal(there.replace("\r\n", "\n"), mail(list(MAILS).index(subject), subject, *MAILS[subject]).decode()
          .replace("\r\n", "\n"), subject)


@test("the list has the heads alone")
def heads():
    for subject in MAILS:
        screen.wait(subject)
    equal(files(), [])


@test("the text behind an attachment is read, and the whole follows")
def follows():
    taken = open_message("songs", "Only a few words.")
    contains(screen.text(), "Only the text of this message (1.5 MB) is here. The rest is being fetched")
    note("1.5 MB: readable after %.2f s" % taken)
    assert "songs.zip" not in screen.text()
    whole("songs", 1)
    contains(screen.text(), "Only a few words.")


@test("HTML without a plain text is read likewise")
def page():
    screen.keys("q")
    open_message("page", "that has no plain text")
    whole("page", 2)


@test("the text of 30 MB over 1 MB/s is readable at once; nothing else can be done with it; a kill leaves no part of a file")
def film():
    screen.keys("q")
    taken = open_message("film", "The quagga stands in the café.")
    note("30 MB: readable after %.2f s" % taken)
    contains(screen.text(), "Only the text of this message")
    assert taken < READABLE_S or not QUIET, taken
    assert "in HTML" not in screen.text()
    screen.keys("v")                    # its parts are not here
    screen.wait("it is being fetched")
    equal(len(files()), 2)
    for pid in workers():
        os.kill(pid, signal.SIGKILL)
    equal(len(files()), 2)
    screen.keys("q")


@test("after that it is fetched, and shown, when it is opened again")
def again():
    proxy.use("")
    open_message("film", "The quagga stands in the café.")
    whole("film", 3)
    screen.keys("q", "q")


if __name__ == "__main__":
    main()
