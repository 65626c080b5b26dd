"""A server that lies: a TLS proxy before the real one, which changes what the
server says, a line at a time, and notes what the client asks."""

import random
import re
import socket
import ssl
import threading

# Each takes a line of the server (without CRLF) and the source of chance, and
# gives the lines that the client gets to see in its place.
BIG = 4294967295


def _number(pattern, replace, literals=True):
    expression = re.compile(pattern)

    def lie(line, chance):
        match = expression.search(line)
        if not match:
            return None
        return [line[:match.start(1)] + replace(match[1], chance)
                + line[match.end(1):]]
    lie.keeps_literals = literals       # may change a line that ends in one
    return lie


def _odd(value, chance):
    return str(chance.choice([0, 1, int(value) + 1, max(int(value) - 1, 0),
                              BIG, BIG + 1])).encode()


def _insert(*lines):
    def lie(line, chance):
        if not line.startswith(b"* ") or b"CAPABILITY" in line:
            return None
        return [line, chance.choice(lines)]
    return lie


def _drop(word):
    return lambda line, chance: [] if word in line else None


def _twice(line, chance):
    return [line, line] if b" FETCH (" in line and b"{" not in line else None


def _search(line, chance):
    if not line.startswith((b"* SEARCH", b"* ESEARCH")):
        return None
    return [chance.choice([b"* SEARCH", b"* SEARCH 0 1 1 4294967295",
                           line + b" 77777", line])]


LIES = {
    "exists": _number(rb"^\* (\d+) EXISTS", _odd),
    "uid": _number(rb"FETCH \(UID (\d+)", _odd, literals=False),
    "uidvalidity": _number(rb"UIDVALIDITY (\d+)", _odd),
    "uidnext": _number(rb"UIDNEXT (\d+)", _odd),
    "modseq": _number(rb"HIGHESTMODSEQ (\d+)", _odd),
    "messages": _number(rb"MESSAGES (\d+)", _odd),
    "size": _number(rb"RFC822.SIZE (\d+)", _odd),
    "sequence": _number(rb"^\* (\d+) FETCH", _odd),
    "tag": _number(rb"^[A-Za-z]+(\d+) OK", _odd),
    "expunge": _insert(b"* 0 EXPUNGE", b"* 1 EXPUNGE", b"* 4294967295 EXPUNGE"),
    "vanished": _insert(b"* VANISHED 1:*", b"* VANISHED (EARLIER) 1:*",
                        b"* VANISHED 1:4294967295", b"* VANISHED 3"),
    "no-vanished": _drop(b"VANISHED"),
    "unasked": _insert(b"* 1 FETCH (FLAGS (\\Deleted))",
                       b"* 99 FETCH (UID 99 FLAGS (\\Seen evil))",
                       b"* 2 FETCH (UID 2 FLAGS (\\Deleted \\Draft))"),
    "no-fetch": _drop(b" FETCH (UID"),
    "twice": _twice,
    "search": _search,
    "no-folders": _drop(b"* LIST"),
    "bye": _insert(b"* BYE I have had enough"),
    "alert": _insert(b"* OK [ALERT] \x1b[2Jread this"),
}

# What a client may do with a server unless its user asked for more.
HARMLESS = {"CAPABILITY", "NOOP", "LOGOUT", "ID", "ENABLE", "NAMESPACE",
            "AUTHENTICATE", "LOGIN", "LIST", "LSUB", "STATUS", "SELECT",
            "EXAMINE", "UNSELECT", "CLOSE", "UID FETCH", "UID SEARCH",
            "IDLE", "DONE", "COMPRESS"}


class Liar:
    """with Liar(spec) as liar: liar.tell("uid", seed); … liar.asked"""

    def __init__(self, spec):
        self.server = (spec.host, spec.ports["imaps"])
        self.to_client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.to_client.load_cert_chain(spec.cert, spec.key)
        self.to_server = ssl.create_default_context(cafile=spec.ca)
        self.host = spec.host
        self.listener = socket.create_server(("localhost", 0))
        self.port = self.listener.getsockname()[1]
        self.asked, self.told = [], 0
        self.tell(None, 0)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def tell(self, lie, seed):
        """From now on this lie (None: the truth), about a third of the time
        that it can be told."""
        self.lie, self.chance = LIES.get(lie), random.Random(seed)
        self.asked, self.told = [], 0

    def unasked(self):
        """Commands that change something on the server."""
        return [words for words in self.asked if words not in HARMLESS]

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client):
        try:
            client = self.to_client.wrap_socket(client, server_side=True)
            server = self.to_server.wrap_socket(
                socket.create_connection(self.server),
                server_hostname=self.host)
        except OSError:
            client.close()
            return
        threading.Thread(target=self._pass, args=(client, server, self._hear),
                         daemon=True).start()
        self._pass(server, client, self._say)

    def _pass(self, source, target, change):
        """Lines through change(), literals as they are."""
        stream = source.makefile("rb")
        try:
            while True:
                line = stream.readline()
                if not line:
                    break
                for out in change(line.rstrip(b"\r\n")):
                    target.sendall(out + b"\r\n")
                literal = re.search(rb"\{(\d+)\+?\}$", line.rstrip(b"\r\n"))
                if literal:
                    if change == self._hear:
                        continue        # the next line is its text
                    target.sendall(stream.read(int(literal[1])))
        except (OSError, ValueError):
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _hear(self, line):
        words = line.decode("ascii", "replace").upper().split()
        if len(words) > 1:
            two = words[1] == "UID" and len(words) > 2
            self.asked.append(" ".join(words[1:3] if two else words[1:2]))
        return [line]

    def _say(self, line):
        # A line that ends in a literal stays in front of it.
        if not self.lie or (re.search(rb"\{\d+\}$", line) and not
                            getattr(self.lie, "keeps_literals", False)):
            return [line]
        if self.chance.random() > 0.35:
            return [line]
        told = self.lie(line, self.chance)
        if told is None:
            return [line]
        self.told += 1
        return told
