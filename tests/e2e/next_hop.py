"""A server behind the world's own, where mail to other domains goes: it
says what it is told to, by the recipient's name."""

import socketserver
import threading

# local part -> (the command it is the answer to, the answer)
ANSWERS = {
    "unknown": ("RCPT", "550 5.1.1 <{rcpt}>: no such user here"),
    "full": ("RCPT", "552 5.2.2 <{rcpt}>: the mailbox is full"),
    "large": ("RCPT", "552 5.3.4 message size exceeds fixed maximum"),
    "policy": ("RCPT", "550 5.7.1 <{rcpt}>: refused by our policy"),
    "disabled": ("RCPT", "550 5.2.1 this account has been disabled"),
    "relay": ("RCPT", "554 5.7.1 <{rcpt}>: Relay access denied"),
    "grey": ("RCPT", "450 4.7.1 <{rcpt}>: Greylisted, come back later"),
    "spam": (".", "554 5.6.0 the content was taken for spam"),
    "bare": ("RCPT", "550 unknown user"),
}


class _Dialogue(socketserver.StreamRequestHandler):
    def handle(self):
        self.said, rcpt = "", ""
        self.say("220 next.test ESMTP")
        for line in iter(self.rfile.readline, b""):
            words = line.decode("latin-1").strip()
            verb = words[:4].upper()
            if verb == "EHLO" or verb == "HELO":
                self.say("250 next.test")
            elif verb == "RCPT":
                rcpt = words[words.index("<") + 1:words.index(">")]
                self.answer("RCPT", rcpt, "250 2.1.5 ok")
            elif verb == "DATA":
                self.say("354 go on")
                for text in iter(self.rfile.readline, b""):
                    if text in (b".\r\n", b".\n"):
                        break
                self.answer(".", rcpt, "250 2.0.0 taken")
            elif verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            else:
                self.say("250 2.0.0 ok")

    def answer(self, command, rcpt, else_):
        when, text = ANSWERS.get(rcpt.split("@")[0], (None, None))
        self.say(text.format(rcpt=rcpt) if when == command else else_)

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class NextHop(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Dialogue)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()
