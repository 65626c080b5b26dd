"""The fault proxy: between a client and a real server, it does what networks
and servers do when they fail or lie, at exactly the place that a rule names.

    with Proxy(world.spec, "imaps",
               "when server command SELECT do cut rst") as proxy:
        …                               # the client speaks to proxy.port
        proxy.check()                   # it did nothing that nobody asked for

The port's name (imaps imap pop3s pop3 smtps smtp) says the protocol and how
TLS begins; STARTTLS is followed when the client asks.  Inside TLS it acts on
what is said; with wire=True it decrypts nothing and acts on records and
bytes.  rules.py has the language, framing.py what it knows of a protocol,
lies.py what a server may invent.

proxy.use(rule, …)      other rules from now on, and a clean record
proxy.transcript        what was said: [Entry(time, connection, side, unit)]
proxy.cut_at            when a rule last ended a connection (monotonic)
proxy.stalled           set when a rule has fallen silent for good
proxy.summary()         figures; check() raises what the client did wrong
"""

import random
import re
import select
import socket
import ssl
import threading
import time
from collections import Counter, namedtuple

from channel import Bell, Channel, Over
from fake import holds, server_context
from framing import HARMLESS, TALKS
from rules import Rule, parse

LOOPBACK = "127.0.0.1"
PROTOCOLS = {"imaps": ("imap", True), "imap": ("imap", False),
             "pop3s": ("pop3", True), "pop3": ("pop3", False),
             "smtps": ("smtp", True), "smtp": ("smtp", False)}
KEPT = 100                              # bytes of a unit in the transcript

Entry = namedtuple("Entry", "time connection side kind verb number text")


class Flow:
    """One direction of one connection."""

    def __init__(self, connection, side, source, target, framer, peer):
        self.connection = connection
        self.proxy = connection.proxy
        self.side = side
        self.source, self.target = source, target
        self.framer, self.peer = framer, peer
        self.sent = 0                   # bytes of this side so far
        self.stopped = set()            # rules of a byte that were here
        self._held = b""                # a line that waits for the next one
        self._pace = None               # sends in its own way; see rules.py
        self._out = bytearray()

    def run(self):
        try:
            while True:
                data = self.source.recv()
                if not data:
                    break
                for unit in self.framer.feed(data):
                    self._pass(unit)
                self.flush()
            self.emit(self._held + self.framer.rest())
            self.flush()
            if self._pace and hasattr(self._pace, "drain"):
                self._pace.drain()
            self.connection.end(self.source.ended)
        except Over:
            self.connection.end("polite")

    def _pass(self, unit):
        self.connection.heard(self, unit)
        held, self._held = self._held, b""
        self.emit(self.proxy.apply(self, unit) + held)
        if unit.upgrade:
            self.connection.upgrade(self)
        elif self.side == "client" and unit.verb in ("STARTTLS", "STLS"):
            self.flush()
            self.connection.wait_upgrade(self)
        elif unit.final and self.side == "server" and unit.verb in (
                "STARTTLS", "STLS"):
            self.connection.upgraded.set()          # refused

    def emit(self, data):
        self._out += data

    def flush(self):
        """Everything gathered, in one piece where no rule says otherwise."""
        while self._out:
            data, stop = bytes(self._out), self.proxy.next_byte(self)
            if stop is not None and stop - self.sent < len(data):
                before = stop - self.sent
                self._out = bytearray(data[before:])
                self._send(data[:before])
                self.proxy.at_byte(self, stop)
                continue
            self._out.clear()
            self._send(data)

    def take(self, count):
        """Takes back bytes that were gathered and not sent."""
        data = bytes(self._out[:count])
        del self._out[:count]
        return data

    def put_first(self, data):
        self._out[:0] = data

    def _send(self, data):
        if not data:
            return
        self.sent += len(data)
        self.proxy.count(self, len(data))
        if self._pace:
            self._pace(self, data)
        else:
            self.target.send(data)

    # What rules do

    def flush_before(self, unit):
        """Sends what stands before the unit that a rule is at; what is
        gathered behind a byte stays."""
        if unit.kind != "byte":
            self.flush()

    def hold(self, data):
        self._held = data

    def set_pace(self, pace, unit):
        self.flush_before(unit)
        self._pace = pace
        return unit.data

    def stall(self, seconds):
        """Says nothing; the other direction goes on."""
        if seconds is None:
            self.proxy.stalled.set()
        if seconds == 0 or not self.source.wait(
                select.POLLRDHUP if self.side == "client" else 0, seconds):
            return
        raise Over

    def cut(self, how):
        self.proxy.cut_at = time.monotonic()
        self.target.close(how)
        if how == "half":
            self.stall(None)            # until the client has enough
        self.connection.end(how)
        raise Over


class Connection:
    def __init__(self, proxy, number, plain):
        self.proxy = proxy
        self.number = number
        self.bell = Bell()
        self.client = Channel(plain, self.bell)
        self.server = None
        self.context = proxy.context
        self.begun = time.monotonic()
        self.selected = None            # IMAP: by SELECT or EXAMINE
        self.upgraded = threading.Event()
        self._ending = threading.Lock()
        self._how = None
        self._threads = []
        self.talk = TALKS["wire" if proxy.wire else proxy.protocol]()

    def start(self):
        thread = threading.Thread(target=self._run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self):
        try:
            self._open()
        except Over:
            pass
        except (OSError, ssl.SSLError) as error:
            self.proxy.handshakes.append(str(error))
        else:
            client, server = self.talk.client, self.talk.server
            up = Flow(self, "client", self.client, self.server, client, server)
            down = Flow(self, "server", self.server, self.client, server,
                        client)
            other = threading.Thread(target=up.run, daemon=True)
            other.start()
            down.run()
            other.join()
        self._close()

    def _open(self):
        self.proxy.at_connect(self)
        secure = self.proxy.implicit and not self.proxy.wire
        if secure:
            self.client.handshake(self.context)
        self.server = Channel(socket.create_connection(
            self.proxy.server, 30), self.bell)
        if secure:
            self.server.handshake(self.proxy.to_server, self.proxy.host)

    def heard(self, flow, unit):
        if flow.side == "client":
            self.proxy.heard(self, unit)
        self.proxy.note(self, flow.side, unit)

    # STARTTLS: the server's side first, then the client's

    def upgrade(self, flow):
        try:
            self.server.handshake(self.proxy.to_server, self.proxy.host)
            flow.flush()
            self.client.handshake(self.context)
        except (OSError, ssl.SSLError) as error:
            self.proxy.handshakes.append(str(error))
            raise Over from None
        finally:
            self.upgraded.set()

    def wait_upgrade(self, flow):
        if flow.framer.rest():
            self.proxy.problems.append("bytes behind STARTTLS")
        while not self.upgraded.wait(0.05):
            if self.bell.rung:
                raise Over
        self.upgraded.clear()

    def end(self, how):
        """Both ways, as one end did it."""
        with self._ending:
            if self._how is None:
                self._how = how
                self.bell.ring()

    def _close(self):
        how = {"polite": "polite", None: "fin"}.get(self._how, self._how)
        for channel in (self.client, self.server):
            if channel:
                channel.close("fin" if how in ("half", "cut") else how)
        if how != "rst":
            self.client.drain(0.05)
        for channel in (self.client, self.server):
            if channel:
                channel.socket.close()
        self.bell.close()
        self.proxy.gone(self)


class Proxy:
    def __init__(self, spec, port="imaps", *rules, seed=0, wire=False,
                 certificate=None, minimum="TLSv1_2", maximum="TLSv1_3",
                 hide=("COMPRESS=DEFLATE",), listen=0):
        self.spec, self.host = spec, spec.host
        self.protocol, self.implicit = PROTOCOLS[port]
        self.server = (spec.host, spec.ports[port])
        self.wire = wire
        self.hide = () if wire else tuple(hide)
        self.certificate = certificate or (spec.cert, spec.key)
        self.context = server_context(self.certificate, minimum, maximum)
        self.to_server = ssl.create_default_context(cafile=spec.ca)
        self.secrets = {user["password"].encode() for user in spec.users}
        self._lock = threading.RLock()
        self._quiet = threading.Condition(self._lock)
        self._open, self._count = set(), 0
        self.use(*rules, seed=seed)
        self.listener = socket.create_server((LOOPBACK, listen), backlog=64)
        self.port = self.listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def use(self, *rules, seed=0):
        """Lines of rules.py, or a Rule.  Connections that are open keep their
        bytes and follow the new rules."""
        with self._lock:
            self.chance = random.Random(seed)
            self.rules = [rule if isinstance(rule, Rule) else parse(rule)
                          for text in rules
                          for rule in ([text] if isinstance(text, Rule)
                                       else text.strip().splitlines())
                          if isinstance(rule, Rule) or rule.strip()]
            if self.hide:
                rule = parse("when server any every do hide "
                             + " ".join(self.hide))
                rule.implied = True
                self.rules.append(rule)
            self.transcript, self.problems, self.handshakes = [], [], []
            self.asked, self.mails, self.cut_at = [], Counter(), None
            self.sizes, self.flooded = Counter(), 0
            self.stalled = threading.Event()
            self.connections = 0
            self._identity = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self._acceptor.join(10)
        self.end_all()

    def end_all(self, how="fin", patience=10):
        """Ends every connection, and waits until they are gone."""
        with self._lock:
            for connection in list(self._open):
                connection.end(how)
        self.wait_quiet(patience)

    def wait_quiet(self, patience=10):
        """Until no connection is open."""
        with self._quiet:
            if not self._quiet.wait_for(lambda: not self._open, patience):
                raise AssertionError("%d connections are still open"
                                     % len(self._open))

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            with self._lock:
                self._count += 1
                self.connections += 1
                connection = Connection(self, self._count, plain)
                self._open.add(connection)
            connection.start()

    def gone(self, connection):
        with self._quiet:
            self._open.discard(connection)
            self._quiet.notify_all()

    @property
    def open(self):
        return len(self._open)

    # Rules

    def at_connect(self, connection):
        for rule in list(self.rules):
            if rule.what == "connect" and rule.counts(self.chance):
                rule.fired += 1
                rule.at_connect(connection)

    def apply(self, flow, unit):
        """What goes on in the unit's place: bytes, perhaps none."""
        for rule in self.rules:
            if rule.side != flow.side or not rule.matches(flow, unit):
                continue
            with self._lock:
                if not rule.counts(self.chance):
                    continue
            rule.fired += 1
            made = rule.act(flow, unit)
            if made is None:            # it had nothing to change here
                rule.seen -= 1
                rule.fired -= 1
            else:
                unit.data = made
        return unit.data

    def next_byte(self, flow):
        """Where a rule waits, at or behind what was sent."""
        return min((rule.byte for rule in self.rules
                    if rule.byte is not None and rule.side == flow.side
                    and rule.byte >= flow.sent and rule.ready()
                    and rule not in flow.stopped), default=None)

    def at_byte(self, flow, byte):
        for rule in self.rules:
            if (rule.side == flow.side and rule.byte == byte
                    and rule not in flow.stopped):
                flow.stopped.add(rule)
                with self._lock:
                    if not rule.counts(self.chance):
                        continue
                    rule.fired += 1
                rule.act_at_byte(flow)

    # The record

    def note(self, connection, side, unit):
        with self._lock:
            self.transcript.append(Entry(
                time.monotonic() - connection.begun, connection.number, side,
                unit.kind, unit.verb + (" end" if unit.final else ""),
                unit.number, unit.data[:KEPT]))

    def heard(self, connection, unit):
        """A unit of the client: is it something that nobody asked for?"""
        if (not connection.client.tls and not self.wire
                and any(holds(unit.data, word) for word in self.secrets)):
            self.problems.append("a secret in the clear")
        if unit.kind == "line" and unit.first:
            if unit.verb in ("SELECT", "EXAMINE"):
                connection.selected = unit.verb
            closes = unit.verb == "CLOSE" and connection.selected == "SELECT"
            self.asked.append("EXPUNGE by CLOSE" if closes else unit.verb)
        if self.protocol == "smtp" and unit.kind == "block":
            match = re.match(rb"(?i)message-id:\s*(\S+)", unit.data)
            if match:
                self._identity = match[1]
        if unit.kind == "dot" and self._identity:
            self.mails[self._identity] += 1
            self._identity = None

    def unasked(self, *allowed):
        """Commands that change something on the server."""
        harmless = HARMLESS[self.protocol] | set(allowed)
        return [] if self.wire else [
            verb for verb in self.asked if verb and verb not in harmless]

    def check(self, *allowed, clear=False, again=False):
        """Raises what the client did that nobody asked for: commands beyond
        those allowed, a secret in the clear (unless that is the case), one
        mail given twice to the end (unless it was to be sent again)."""
        wrong = [problem for problem in self.problems
                 if not (clear and problem == "a secret in the clear")]
        wrong += ["unasked: " + verb for verb in self.unasked(*allowed)]
        if not again:
            wrong += ["sent %d times: %s" % (count, name.decode("latin-1"))
                      for name, count in self.mails.items() if count > 1]
        if wrong:
            raise AssertionError("; ".join(sorted(set(wrong))))

    def fired(self):
        """How often a rule of the case did something."""
        return sum(rule.fired for rule in self.rules if not rule.implied)

    def count(self, flow, length):
        self.sizes[flow.connection.number, flow.side] += length

    def said(self, side="server"):
        """Bytes that a side said, in the connection where it said most."""
        return max((size for (_, who), size in self.sizes.items()
                    if who == side), default=0)

    def summary(self):
        return {"connections": self.connections, "commands": len(self.asked),
                "units": len(self.transcript), "fired": self.fired(),
                "mails": sum(self.mails.values()), "unasked": self.unasked(),
                "problems": list(self.problems)}

    def write_transcript(self, path):
        with open(path, "w") as out:
            for entry in self.transcript:
                out.write("%9.4f %4d %s %-7s %s\n" % (
                    entry.time, entry.connection,
                    "C" if entry.side == "client" else "S", entry.kind,
                    entry.text.decode("latin-1").encode(
                        "unicode_escape").decode()))
