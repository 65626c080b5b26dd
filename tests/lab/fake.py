"""A hostile server that plays a script and remembers every byte it is told.

    def script(peer):
        peer.send(b"* PREAUTH come in\\r\\n")
        peer.wait_end()

    with Fake(script) as fake:
        …                                   # run the client on fake.port
        fake.check_no_secret("ana", password)

A script is a function of one connection, run in a thread of its own; it may
use blocking calls only, as Peer ends them when the client goes or the fake
closes.  dialogues.py has whole servers as scripts (Imap, Smtp, Pop3) whose
single answers can be replaced.

    tls = None         plain; peer.starttls() switches
    tls = "implicit"   TLS before the first byte
    certificate        (cert, key) paths, or one of badcerts.make()
"""

import base64
import re
import socket
import ssl
import struct
import threading
import warnings

LOOPBACK = "127.0.0.1"


class Gone(Exception):
    """The client closed the connection, or the fake did."""


class Session:
    """One connection as it was: what came in the clear, what inside TLS."""

    def __init__(self):
        self.clear = b""
        self.secure = b""
        self.tls = None                 # version once agreed, "TLSv1.3"
        self.tls_error = None           # why the handshake failed
        self.over = threading.Event()

    @property
    def received(self):
        return self.clear + self.secure


class Peer:
    """The server's end of one connection, for a script."""

    def __init__(self, fake, plain, session):
        self.fake = fake
        self.session = session
        self.envelope = (None, [])      # sender and recipients, for Smtp
        self._socket = plain
        self._buffer = b""

    # Bytes

    def send(self, data):
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Gone(str(error)) from None

    def line(self):
        """The next line without its CR LF."""
        while b"\n" not in self._buffer:
            self._fill()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def read(self, size):
        while len(self._buffer) < size:
            self._fill()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _fill(self):
        try:
            data = self._socket.recv(1 << 16)
        except (OSError, ValueError) as error:
            raise Gone(str(error)) from None
        if not data:
            raise Gone("end of file")
        if self.session.tls:
            self.session.secure += data
        else:
            self.session.clear += data
        self._buffer += data

    def wait_end(self):
        """Says nothing more and listens until the client goes."""
        while True:
            self._fill()
            self._buffer = b""

    def flood(self, data, limit=1 << 28):
        """Sends data again and again until the client goes; returns how much
        it stood, or fails at the limit."""
        block = data * max(1, (1 << 16) // len(data))
        sent = 0
        while sent < limit:
            try:
                self.send(block)
            except Gone:
                return sent
            sent += len(block)
        raise AssertionError("the client took %d bytes" % sent)

    # TLS and ends

    def starttls(self):
        """The handshake, now; the script has said its OK."""
        try:
            self._socket = self.fake.context.wrap_socket(
                self._socket, server_side=True)
        except (ssl.SSLError, OSError) as error:
            self.session.tls_error = str(error)
            raise Gone("no TLS: %s" % error) from None
        self.session.tls = self._socket.version()

    def close(self):
        """A polite end: close_notify inside TLS, then FIN."""
        try:
            if self.session.tls:
                self._socket = self._socket.unwrap()
        except (OSError, ValueError):
            pass
        self.cut()

    def cut(self):
        """FIN without close_notify: a truncation inside TLS."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def reset(self):
        """RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
        self._socket.close()


class Fake:
    def __init__(self, script, tls=None, certificate=None, minimum="TLSv1_2",
                 maximum="TLSv1_3"):
        self.script = script
        self.tls = tls
        self.sessions = []
        self.errors = []
        self.context = None
        if certificate is not None:
            self.context = server_context(certificate, minimum, maximum)
        self._changed = threading.Condition()
        self._peers = []
        self._threads = []
        self._listener = socket.create_server((LOOPBACK, 0), backlog=32)
        self.port = self._listener.getsockname()[1]
        self._closing = False
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(self, plain, Session())
            thread = threading.Thread(target=self._play, args=[peer],
                                      daemon=True)
            with self._changed:
                if self._closing:
                    plain.close()
                    return
                self._peers.append(peer)
                self._threads.append(thread)
                self.sessions.append(peer.session)
                self._changed.notify_all()
            thread.start()

    def _play(self, peer):
        try:
            if self.tls == "implicit":
                peer.starttls()
            self.script(peer)
            peer.close()
        except Gone:
            peer.cut()
        except Exception as error:      # reported by close()
            self.errors.append(error)
            peer.cut()
        finally:
            peer.session.over.set()
            with self._changed:
                self._changed.notify_all()

    # What a test asks

    @property
    def received(self):
        """Everything that any client sent, once decrypted."""
        return b"".join(session.received for session in self.sessions)

    @property
    def clear(self):
        """What was sent without TLS."""
        return b"".join(session.clear for session in self.sessions)

    def wait_sessions(self, count=1, timeout=20):
        """Until so many connections have ended."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: sum(session.over.is_set()
                            for session in self.sessions) >= count, timeout)
        if not done:
            raise AssertionError("%d of %d connections ended" % (
                sum(s.over.is_set() for s in self.sessions), count))

    def check_no_secret(self, *secrets, where=None):
        """No secret came by, neither as it is nor in any base64 word."""
        data = self.received if where is None else where
        for secret in secrets:
            word = secret.encode() if isinstance(secret, str) else secret
            if holds(data, word):
                raise AssertionError("%r was sent: %r" % (secret, data))

    def close(self):
        with self._changed:
            self._closing = True
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._acceptor.join(10)
        for peer in self._peers:
            if not peer.session.over.is_set():
                peer.cut()
        for thread in self._threads:
            thread.join(10)
        if self.errors:
            raise self.errors[0]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.close()
        except Exception:
            if kind is None:            # else the test's own failure counts
                raise


def holds(data, word):
    """Whether the word is in the data, plainly or in base64."""
    if word in data:
        return True
    for coded in re.findall(rb"[A-Za-z0-9+/]{4,}={0,2}", data):
        try:
            if word in base64.b64decode(coded + b"=" * (-len(coded) % 4)):
                return True
        except ValueError:
            continue
    return False


def server_context(certificate, minimum, maximum):
    """Any certificate and any version, however weak."""
    cert, key = (certificate if isinstance(certificate, tuple)
                 and not hasattr(certificate, "cert")
                 else (certificate.cert, certificate.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[minimum]
        context.maximum_version = ssl.TLSVersion[maximum]
    context.load_cert_chain(cert, key)
    return context
