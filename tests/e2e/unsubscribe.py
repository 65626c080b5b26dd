#!/usr/bin/env python3
"""Leaving a mailing list: one click where it is vouched for, else by mail or a page; nothing without being asked."""

import email.utils
import os
import http.server
import ssl
import threading

from harness import *

world = keep(World(count=1))


class Click(http.server.BaseHTTPRequestHandler):
    """/ok takes it, /gone sends elsewhere, /broken is in trouble."""
    seen = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.path, body, dict(self.headers)))
        code = {"/ok": 202, "/gone": 302, "/broken": 503}.get(self.path.split("?")[0], 404)
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "https://127.0.0.1:%d/ok" % port)
        self.send_header("Set-Cookie", "a=b")
        self.end_headers()
        self.wfile.write(b"\033[31mthank you" * 100)

    do_GET = do_POST

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Click)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(world.spec.cert, world.spec.key)
server.socket = context.wrap_socket(server.socket, server_side=True)
port = server.server_address[1]
threading.Thread(target=server.serve_forever, daemon=True).start()
at_end(server.shutdown)

ana = keep(world.home("ana", account=["trusted-hosts = localhost"], environment={"SSL_CERT_FILE": world.spec.ca}))
stranger = keep(world.home("ana", account=["trusted-hosts = localhost"]))          # does not know the authority


def letter(number, path, signed=True, mailto=""):
    return ("%sDKIM-Signature: v=1; d=news.test; s=a; h=From:List-Unsubscribe:List-Unsubscribe-Post; b=x\r\n"
            "From: News <news@news.test>\r\nTo: ana@lab.test\r\nSubject: letter %d\r\nMessage-ID: <%d@news.test>\r\n"
            "List-Id: <day%d.news.test>\r\nList-Unsubscribe: %s<https://127.0.0.1:%d%s>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nDate: %s\r\n\r\nword\r\n"
            % ("Authentication-Results: localhost; dkim=pass header.d=news.test\r\n" if signed else "", number, number, number,
               mailto, port, path, email.utils.formatdate())).encode()


def way(home, number):
    return home.json("unsubscribe", "--dry-run", "id:%d@news.test" % number)[0]


@test("what would be done is shown, and nothing is done")
def shown():
    world.deliver("ana", letter(1, "/ok?u=secret-token"), letter(2, "/ok", signed=False, mailto="<mailto:off@lab.test?subject=off>, "),
                  letter(3, "/gone"), letter(4, "/broken"), letter(5, "/ok", signed=False), letter(6, "/nowhere"))
    ana.ok("sync")
    equal(way(ana, 1)["how"], "one-click")
    equal(way(ana, 1)["list"], "day1.news.test")
    equal(way(ana, 2)["how"], "mail")
    contains(way(ana, 2)["why"], "RFC 8058")
    equal(way(ana, 5)["how"], "link")
    contains(ana.fails(64, "unsubscribe", "id:1@news.test").errors, "--yes")
    equal(Click.seen, [])


@test("one click: the body as RFC 8058 has it, no cookie, no name; remembered")
def click():
    ana.ok("unsubscribe", "--yes", "id:1@news.test")
    equal(len(Click.seen), 1)
    path, body, headers = Click.seen[0]
    equal(path, "/ok?u=secret-token")
    equal(body, b"List-Unsubscribe=One-Click")
    equal(headers["Content-Type"], "application/x-www-form-urlencoded")
    equal(sorted(set(headers) & {"Cookie", "Referer", "User-Agent", "Authorization", "From"}), [])
    equal(way(ana, 1)["since"] is not None, True)


@test("another place is not gone to, trouble is said, and neither is remembered")
def refused():
    del Click.seen[:]
    contains(ana.fails(69, "unsubscribe", "--yes", "id:3@news.test").errors, "302")
    contains(ana.fails(69, "unsubscribe", "--yes", "id:6@news.test").errors, "404")
    contains(ana.fails(69, "unsubscribe", "--yes", "id:4@news.test").errors, "503")
    equal([seen[0] for seen in Click.seen], ["/gone", "/nowhere", "/broken"])
    equal(way(ana, 3)["since"], None)


@test("a certificate that nobody knows: nothing is sent")
def certificate():
    del Click.seen[:]
    stranger.ok("sync")
    contains(stranger.fails(69, "unsubscribe", "--yes", "id:1@news.test").errors, "127.0.0.1: ")
    equal(Click.seen, [])


@test("by mail, through the queue, from the address that the list writes to")
def by_mail():
    ana.ok("unsubscribe", "--yes", "id:2@news.test")
    item = ana.json("queue", "list", "--all")[-1]
    equal((item["to"], item["subject"], item["from"]), (["off@lab.test"], "off", "ana@lab.test"))
    equal(Click.seen, [])


@test("no log has the address of the click, which names the person")
def logs():
    for home in (ana, stranger):
        for folder, _, names in os.walk(home.path("state")):
            for name in names:
                with open(os.path.join(folder, name), errors="replace") as file:
                    equal("secret-token" in file.read(), False, name)


if __name__ == "__main__":
    main()
