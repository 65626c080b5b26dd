r"""The language of the fault proxy: where, and then what.  One rule a line:

    when SIDE WHERE [at N] [NTH] do ACTION [ARGUMENT...]

SIDE     client or server: who speaks.
WHERE    connect             a connection is made, nothing was said
         command VERB        client: that command ("UID FETCH", "DATA");
                             server: the line that ends the answer to it
         line REGEX          a line, searched without its line end
         literal [VERB]      the contents of a literal (of that command)
         dot [VERB]          the end of a dot block
         unit N              the Nth line, literal or TLS record of that side
         byte N              before byte N of that side, counted from 0
         any                 every unit
at N     so many bytes of the unit are passed on first
NTH      #3 the third time (#1 when not said), every, or p=0.1 by chance;
         counted over all connections, so that what is tried again succeeds

ACTION   cut [fin|rst|half|polite]   fin is a truncation inside TLS
         stall [SECONDS]             silence, for ever when not said
         drip BYTES SECONDS          from now on so slow
         split BYTES                 from now on in segments so small
         delay SECONDS               from now on so late
         loss P                      from now on a share P of the segments
                                     comes late, as TCP sends them again
         drop, duplicate, swap       the unit; swap: behind the next one
         corrupt bit|byte|length     length: the number that announces a
                                     literal
         replace TEXT, insert TEXT, append TEXT
                                     in place of, before or behind the unit,
                                     in one segment with it; \r\n as in C;
                                     TAG is the tag of the line
         answer TEXT                 client: the server never hears of it
         flood TEXT                  again and again until the client goes;
                                     NUMBER in it counts upwards
         set NAME VALUE              a number that the server says: EXISTS,
                                     UIDVALIDITY, UIDNEXT, UID, MODSEQ, SIZE
                                     …; VALUE is 7, +7 or -7
         hide WORD…                  not among the capabilities
         lie NAME                    see lies.py
         chaos                       one of cut, stall 0.3, drop, duplicate,
                                     swap, corrupt, by chance
         tls MINIMUM MAXIMUM         connect only: versions, "TLSv1 TLSv1_1"
         certificate FILE KEY        connect only
"""

import re
import select
import shlex
import threading
import time
from collections import deque

from channel import Over
from fake import server_context
from lies import LIES, NUMBERS

FLOOD_LIMIT = 1 << 28
RETRANSMIT = 0.2                        # seconds; doubled at each loss


class RuleError(ValueError):
    pass


class Rule:
    def __init__(self, side, where, argument, nth, action, words, at=0):
        if action not in ACTIONS:
            raise RuleError("no action %r" % action)
        if side not in ("client", "server") or where not in WHERE:
            raise RuleError("no place %r %r" % (side, where))
        self.side, self.what, self.argument = side, where, argument
        self.nth, self.action, self.words, self.at = nth, action, words, at
        self.byte = int(argument) if where == "byte" else None
        self.seen = self.fired = 0
        self.implied = False            # the proxy's own, not the case's
        self._match, self._act = WHERE[where](argument), ACTIONS[action]

    def matches(self, flow, unit):
        return self._match(flow, unit)

    def ready(self):
        return not isinstance(self.nth, int) or self.seen < self.nth

    def counts(self, chance):
        """It is there once more: is it the time?"""
        self.seen += 1
        if isinstance(self.nth, float):
            return chance.random() < self.nth
        return self.nth in (0, self.seen)

    def act(self, flow, unit):
        """Bytes for the unit's place, or None: nothing to change in it."""
        if not self.at:
            return self._act(flow, unit, *self.words)
        whole = unit.data
        flow.emit(whole[:self.at])
        flow.flush()
        unit.data = whole[self.at:]
        made = self._act(flow, unit, *self.words)
        return unit.data if made is None else made

    def act_at_byte(self, flow):
        unit = _Byte(flow.take(1))
        flow.put_first(self._act(flow, unit, *self.words) or b"")

    def at_connect(self, connection):
        CONNECT[self.action](connection, *self.words)


def parse(text):
    words = shlex.split(text)
    if "do" not in words or words[0] != "when" or len(words) < 5:
        raise RuleError("not a rule: " + text)
    place, action = words[1:words.index("do")], words[words.index("do") + 1:]
    side, where, rest = place[0], place[1], place[2:]
    nth, at = 1, 0
    if rest and (rest[-1] == "every" or re.match(r"#\d+$|p=", rest[-1])):
        word = rest.pop()
        nth = (0 if word == "every" else int(word[1:]) if word[0] == "#"
               else float(word[2:]))
    if len(rest) > 1 and rest[-2] == "at":
        at = int(rest.pop())
        rest.pop()
    return Rule(side, where, " ".join(rest), nth, action[0], action[1:], at)


# Places

def _command(verb):
    return lambda flow, unit: unit.kind == "line" and unit.verb == verb and (
        unit.first if flow.side == "client" else unit.final)


def _line(pattern):
    expression = re.compile(pattern.encode())
    return lambda flow, unit: (unit.kind == "line"
                               and expression.search(unit.text) is not None)


def _kind(kind):
    def place(verb):
        return lambda flow, unit: unit.kind == kind and verb in ("", unit.verb)
    return place


def _unit(number):
    return lambda flow, unit: unit.number == int(number)


def _never(argument):
    return lambda flow, unit: False


WHERE = {"command": _command, "line": _line, "literal": _kind("literal"),
         "dot": _kind("dot"), "unit": _unit, "connect": _never,
         "byte": _never, "any": lambda argument: lambda flow, unit: True}


class _Byte:
    """What stands at a place in the stream, as a unit."""
    kind = "byte"
    verb = ""
    opens_literal = False

    def __init__(self, data):
        self.data = self.text = data


# Actions: (flow, unit, words…) -> bytes in the unit's place, or None when the
# unit is not of the kind that they change

def _text(flow, unit, text):
    made = text.encode().decode("unicode_escape").encode("latin-1")
    return made.replace(b"TAG", unit.data.split(b" ")[0])


def cut(flow, unit, how="fin"):
    flow.flush_before(unit)
    flow.cut(how)


def stall(flow, unit, seconds=None):
    flow.flush_before(unit)
    flow.stall(None if seconds is None else float(seconds))
    return unit.data


def drop(flow, unit):
    return b""


def duplicate(flow, unit):
    return None if unit.opens_literal else unit.data * 2


def swap(flow, unit):
    if unit.opens_literal or unit.kind == "literal":
        return None
    flow.hold(unit.data)
    return b""


def corrupt(flow, unit, what="byte"):
    chance = flow.proxy.chance
    if what == "length":
        match = re.search(rb"\{(\d+)(\+?\}\r?\n)$", unit.data)
        if not match:
            return None
        number = int(match[1])
        other = chance.choice([number + 1, max(number - 1, 0), number * 10,
                               0, 1 << 31, 1 << 32, (1 << 64) + number])
        return b"%s{%d%s" % (unit.data[:match.start()], other, match[2])
    if not unit.data:
        return None
    data = bytearray(unit.data)
    place = chance.randrange(len(data))
    data[place] ^= (1 << chance.randrange(8) if what == "bit"
                    else chance.randrange(1, 256))
    return bytes(data)


def replace(flow, unit, text):
    return _text(flow, unit, text)


def insert(flow, unit, text):
    return _text(flow, unit, text) + unit.data


def append(flow, unit, text):
    return None if unit.opens_literal else unit.data + _text(flow, unit, text)


def answer(flow, unit, text):
    flow.connection.talk.forget(unit)
    flow.connection.upgraded.set()      # nobody waits for TLS now
    flow.source.send(_text(flow, unit, text))
    return b""


def flood(flow, unit, text):
    piece = _text(flow, unit, text)
    many = max(1, (1 << 16) // len(piece))
    flow.flush_before(unit)
    flow.proxy.flooded = count = 0
    while flow.proxy.flooded < FLOOD_LIMIT:
        block = piece * many if b"NUMBER" not in piece else b"".join(
            piece.replace(b"NUMBER", b"%d" % n)
            for n in range(count + 1, count + many + 1))
        count += many
        flow.target.send(block)
        flow.proxy.flooded += len(block)
    flow.proxy.problems.append("took %d bytes" % flow.proxy.flooded)
    raise Over


def set_number(flow, unit, name, value):
    match = unit.kind == "line" and re.search(NUMBERS[name], unit.text)
    if not match:
        return None
    number = int(value) + (int(match[1]) if value[0] in "+-" else 0)
    return (unit.data[:match.start(1)] + b"%d" % max(number, 0)
            + unit.data[match.end(1):])


def hide(flow, unit, *names):
    if unit.kind not in ("line", "block"):
        return None
    names = {name.encode() for name in names}
    if flow.proxy.protocol == "imap":
        if b"CAPABILITY" not in unit.data:
            return None
        found = [word for word in names if re.search(
            rb" %s(?=[ \]\r\n])" % re.escape(word), unit.data)]
        made = unit.data
        for word in found:
            made = re.sub(rb" %s(?=[ \]\r\n])" % re.escape(word), b"", made)
        return made if found else None
    if unit.verb not in ("EHLO", "CAPA"):
        return None
    if unit.verb == "EHLO":
        word = unit.text[4:].split(b" ")[0]
        return unit.data[:4] + b"XHIDDEN\r\n" if word in names else None
    return b"" if unit.text.split(b" ")[0] in names else None


def lie(flow, unit, name):
    change = LIES[name]
    if unit.kind != "line" or (unit.opens_literal and not getattr(
            change, "keeps_literals", False)):
        return None
    told = change(unit.text, flow.proxy.chance)
    return None if told is None else b"".join(line + b"\r\n" for line in told)


def chaos(flow, unit):
    return flow.proxy.chance.choice(
        [cut, drop, duplicate, swap, corrupt,
         lambda flow, unit: stall(flow, unit, "0.3")])(flow, unit)


# Paces: how a flow sends from now on

def drip(flow, unit, count, seconds):
    count, seconds = int(count), float(seconds)

    def pace(flow, data):
        for at in range(0, len(data), count):
            flow.target.send(data[at:at + count])
            flow.stall(seconds)
    return flow.set_pace(pace, unit)


def split(flow, unit, count):
    return drip(flow, unit, count, 0)


class _Late:
    """Sends each piece when its time has come, in their order."""

    def __init__(self, flow, lateness):
        self.flow, self.lateness = flow, lateness
        self._queue, self._last = deque(), 0.0
        self._some = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def __call__(self, flow, data):
        with self._some:
            due = max(self._last, time.monotonic() + self.lateness())
            self._last = due
            self._queue.append((due, data))
            self._some.notify()

    def _run(self):
        try:
            while True:
                with self._some:
                    while not self._queue:
                        self._some.wait(0.2)
                        if self.flow.connection.bell.rung:
                            return
                    due, data = self._queue[0]
                self.flow.stall(max(due - time.monotonic(), 0))
                self.flow.target.send(data)
                self._queue.popleft()
        except (Over, OSError):
            pass

    def drain(self):
        """Until everything was sent, or the connection is over."""
        while self._queue:
            self.flow.stall(0.05)


def delay(flow, unit, seconds):
    return flow.set_pace(_Late(flow, lambda: float(seconds)), unit)


def loss(flow, unit, share):
    chance = flow.proxy.chance

    def lateness():
        late, again = 0.0, RETRANSMIT
        while chance.random() < float(share) and again < 4:
            late, again = late + again, again * 2
        return late
    late = _Late(flow, lateness)

    def pace(flow, data):               # as segments, each of which may go
        for at in range(0, len(data), 1448):
            late(flow, data[at:at + 1448])
    pace.drain = late.drain
    return flow.set_pace(pace, unit)


ACTIONS = {"cut": cut, "stall": stall, "drip": drip, "split": split,
           "delay": delay, "loss": loss, "drop": drop,
           "duplicate": duplicate, "swap": swap, "corrupt": corrupt,
           "replace": replace, "insert": insert, "append": append,
           "answer": answer, "flood": flood, "set": set_number, "hide": hide,
           "lie": lie, "chaos": chaos, "tls": None, "certificate": None}


# At the connection itself

def _cut_connection(connection, how="rst"):
    connection.proxy.cut_at = time.monotonic()
    connection.end(how)
    raise Over


def _stall_connection(connection, seconds=None):
    if seconds is None:
        connection.proxy.stalled.set()
    connection.client.wait(select.POLLRDHUP,
                           None if seconds is None else float(seconds))
    if seconds is None:
        raise Over


def _versions(connection, minimum, maximum):
    connection.context = server_context(connection.proxy.certificate,
                                        minimum, maximum)


def _certificate(connection, cert, key):
    connection.context = server_context((cert, key), "TLSv1_2", "TLSv1_3")


CONNECT = {"cut": _cut_connection, "stall": _stall_connection,
           "tls": _versions, "certificate": _certificate}
