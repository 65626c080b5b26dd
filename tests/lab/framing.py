"""What the fault proxy knows of a protocol: where a line, a literal, a dot
block or a TLS record ends, and to which command an answer belongs.  Nothing
of what they mean.

    talk = TALKS["imap"]()
    for unit in talk.client.feed(data): …   unit.kind, unit.data, unit.verb

kind is "line" (with its line end), "literal" (a piece of one), "block" (a
line of a dot block), "dot" (its end), "record" (TLS, when nothing is
decrypted) or "raw".  verb is the command that a line of the client is, and
that a line of the server answers.
"""

import re

LINE_MAX = 1 << 20                      # a longer one is passed on in pieces
LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n$")


class Unit:
    __slots__ = ("kind", "data", "verb", "final", "first", "upgrade",
                 "number")

    def __init__(self, kind, data, verb="", final=False, first=False):
        self.kind = kind
        self.data = data
        self.verb = verb
        self.final = final              # line: ends the answer or the command
        self.first = first              # line: begins a command
        self.upgrade = False            # the yes to STARTTLS: TLS comes next
        self.number = 0                 # of this side of the connection, from 1

    @property
    def text(self):
        return self.data.rstrip(b"\r\n")

    @property
    def opens_literal(self):
        return self.kind == "line" and LITERAL.search(self.data) is not None

    @property
    def label(self):
        """What state of the protocol it stands for."""
        return "%s %s%s" % (self.kind, self.verb or "-",
                            " end" if self.final else "")


class Framer:
    """One direction's bytes, cut into units."""

    def __init__(self, hear):
        self.hear = hear                # of the talk: a line -> its Unit
        self.literal = 0                # bytes of a literal still to come
        self.block = False              # inside a dot block
        self.plain = False              # no lines any more: TLS, DEFLATE
        self.verb = ""
        self.count = 0
        self._buffer = b""

    def feed(self, data):
        data = self._buffer + data
        at = 0
        while at < len(data):
            unit, length = self._next(data, at)
            if unit is None:
                break
            at += length
            self.count += 1
            unit.number = self.count
            yield unit
        self._buffer = data[at:]

    def rest(self):
        data, self._buffer = self._buffer, b""
        return data

    def _next(self, data, at):
        if self.plain:
            return Unit("raw", data[at:]), len(data) - at
        if self.literal:
            piece = data[at:at + self.literal]
            self.literal -= len(piece)
            return Unit("literal", piece, self.verb,
                        not self.literal), len(piece)
        end = data.find(b"\n", at) + 1
        if not end:
            if len(data) - at < LINE_MAX:
                return None, 0
            return Unit("raw", data[at:], self.verb), len(data) - at
        line = data[at:end]
        if self.block:
            if line in (b".\r\n", b".\n"):
                self.block = False
                return Unit("dot", line, self.verb, True), len(line)
            return Unit("block", line, self.verb), len(line)
        unit = self.hear(line)
        self.verb = unit.verb
        return unit, len(line)


class Imap:
    def __init__(self):
        self.client, self.server = Framer(self._asks), Framer(self._says)
        self.pending = {"": "GREETING"}     # tag -> verb, oldest first
        self.authenticating = False
        self._inside = {"client": False, "server": False}

    def _literal(self, side, line):
        """Notes a literal that the line announces; whether the line goes on
        after one."""
        framer = getattr(self, side)
        inside = self._inside[side]
        match = LITERAL.search(line)
        self._inside[side] = match is not None
        framer.literal = int(match[1]) if match else 0
        return inside

    def _asks(self, line):
        inside = self._literal("client", line)
        words = line.decode("ascii", "replace").upper().split()
        if inside or (self.authenticating and len(words) < 2):
            return Unit("line", line, self.client.verb,
                        not self._inside["client"])
        if len(words) < 2:
            return Unit("line", line, " ".join(words), True, True)  # DONE
        verb = words[1]
        if verb == "UID" and len(words) > 2:
            verb += " " + words[2]
        self.pending[words[0]] = verb
        self.authenticating = verb == "AUTHENTICATE"
        return Unit("line", line, verb, not self._inside["client"], True)

    def forget(self, unit):
        """The command was not passed on: no answer will come."""
        self.pending.pop(unit.data.split(b" ")[0].decode().upper(), None)

    def _says(self, line):
        if self._literal("server", line):
            return Unit("line", line, self.server.verb)
        tag, _, rest = line.partition(b" ")
        tag = tag.decode("ascii", "replace").upper()
        verb = next(iter(self.pending.values()), "")
        if tag == "*":
            self.pending.pop("", None)
            return Unit("line", line, verb)
        if tag not in self.pending:
            return Unit("line", line, verb)                     # +, or a lie
        verb = self.pending.pop(tag)
        unit = Unit("line", line, verb, True)
        self.authenticating = False
        if self._inside["client"] and verb == self.client.verb:
            self._inside["client"], self.client.literal = False, 0  # refused
        good = rest[:3].upper() == b"OK "
        unit.upgrade = good and verb == "STARTTLS"
        if good and verb == "COMPRESS":
            self.client.plain = self.server.plain = True
        return unit


class Pop3:
    """Commands may be pipelined: answers come in their order."""

    MANY = {"CAPA", "LIST", "UIDL", "RETR", "TOP", "AUTH"}
    ALWAYS = {"CAPA", "RETR", "TOP"}

    def __init__(self):
        self.client, self.server = Framer(self._asks), Framer(self._says)
        self.pending = [("GREETING", False)]
        self.asked = False              # a "+ " waits for the client's word

    def _asks(self, line):
        if self.asked:
            self.asked = False
            return Unit("line", line, self.client.verb, True)
        words = line.decode("ascii", "replace").upper().split() or [""]
        many = words[0] in self.ALWAYS or (words[0] in self.MANY
                                           and len(words) == 1)
        self.pending.append((words[0], many))
        return Unit("line", line, words[0], True, True)

    def forget(self, unit):
        self.pending.pop()

    def _says(self, line):
        verb, many = self.pending[0] if self.pending else ("", False)
        if line.startswith(b"+ "):
            self.asked = True
            return Unit("line", line, verb)
        if self.pending:
            self.pending.pop(0)
        good = line.startswith(b"+OK")
        unit = Unit("line", line, verb, not (good and many))
        self.server.block = good and many
        unit.upgrade = good and verb == "STLS"
        return unit


class Smtp:
    def __init__(self):
        self.client, self.server = Framer(self._asks), Framer(self._says)
        self.pending = ["GREETING"]
        self.asked = False

    def _asks(self, line):
        if self.asked:
            self.asked = False
            return Unit("line", line, self.client.verb, True)
        verb = (line.decode("ascii", "replace").upper().split() or [""])[0]
        self.pending.append(verb)
        return Unit("line", line, verb, True, True)

    def forget(self, unit):
        self.pending.pop()

    def _says(self, line):
        verb = self.pending[0] if self.pending else ""
        if line[3:4] == b"-":
            return Unit("line", line, verb)
        if line.startswith(b"334"):
            self.asked = True
            return Unit("line", line, verb)
        if self.pending:
            self.pending.pop(0)
        if verb == "DATA" and line.startswith(b"354"):
            self.client.block = True
            self.pending.insert(0, "BODY")
        unit = Unit("line", line, verb, True)
        unit.upgrade = verb == "STARTTLS" and line.startswith(b"2")
        return unit


class Records(Framer):
    """TLS as it is on the wire."""

    def __init__(self):
        super().__init__(None)

    def _next(self, data, at):
        if not self.plain and not 20 <= data[at] <= 23:
            self.plain = True
        if self.plain:
            return super()._next(data, at)
        if len(data) - at < 5:
            return None, 0
        length = 5 + int.from_bytes(data[at + 3:at + 5], "big")
        if len(data) - at < length:
            return None, 0
        kind = {20: "CIPHER", 21: "ALERT", 22: "HANDSHAKE", 23: "DATA"}
        return Unit("record", data[at:at + length], kind[data[at]],
                    True), length


class Wire:
    """Nothing decrypted: records only."""

    def __init__(self):
        self.client, self.server = Records(), Records()


TALKS = {"imap": Imap, "pop3": Pop3, "smtp": Smtp, "wire": Wire}

# What a client may do with a server unless its user asked for more.
HARMLESS = {
    "imap": {"CAPABILITY", "NOOP", "LOGOUT", "ID", "ENABLE", "NAMESPACE",
             "AUTHENTICATE", "LOGIN", "STARTTLS", "LIST", "LSUB", "STATUS",
             "SELECT", "EXAMINE", "UNSELECT", "CLOSE", "UID FETCH",
             "UID SEARCH", "IDLE", "DONE", "COMPRESS", "NOTIFY"},
    "pop3": {"CAPA", "STLS", "USER", "PASS", "AUTH", "APOP", "STAT", "LIST",
             "UIDL", "TOP", "RETR", "NOOP", "QUIT", "UTF8"},
    "smtp": {"EHLO", "HELO", "STARTTLS", "AUTH", "NOOP", "RSET", "QUIT"},
    "wire": set(),
}
