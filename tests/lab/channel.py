"""One end of a proxied connection: a socket, TLS over it when asked, and the
ways in which it can break.  Every wait ends when the connection is over."""

import os
import select
import socket
import ssl
import struct
import threading
import time

CHUNK = 1 << 16


class Over(Exception):
    """The connection is at its end."""


class Bell:
    """Rung once, heard by every thread that waits for a descriptor."""

    def __init__(self):
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.rung = False

    def ring(self):
        self.rung = True
        os.eventfd_write(self.fd, 1)

    def close(self):
        os.close(self.fd)


class Channel:
    def __init__(self, plain, bell):
        plain.setblocking(False)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = plain
        self.tls = None
        self.ended = None               # "polite" or "cut", by the peer
        self._bell = bell
        self._lock = threading.Lock()   # the TLS state has one user at a time
        self._incoming = self._outgoing = None

    def wait(self, events, seconds=None):
        """False when the time is over first."""
        poll = select.poll()
        poll.register(self._bell.fd, select.POLLIN)
        if events:
            poll.register(self.socket, events)
        found = poll.poll(None if seconds is None else seconds * 1000)
        if self._bell.rung:
            raise Over
        return bool(found)

    # Bytes on the wire

    def _get(self):
        while True:
            try:
                return self.socket.recv(CHUNK)
            except BlockingIOError:
                self.wait(select.POLLIN)
            except OSError:
                return b""

    def _put(self, data):
        view = memoryview(data)
        while view:
            try:
                view = view[self.socket.send(view):]
            except BlockingIOError:
                self.wait(select.POLLOUT)
            except OSError:
                raise Over from None

    # Bytes of the session

    def recv(self):
        """b"" at the end, and then `ended` says how it came."""
        while True:
            if self.tls:
                with self._lock:
                    try:
                        return self.tls.read(CHUNK)
                    except ssl.SSLWantReadError:
                        pass
                    except ssl.SSLZeroReturnError:
                        self.ended = "polite"
                        return b""
                    except ssl.SSLError:
                        self.ended = "cut"
                        return b""
            data = self._get()
            if not data:
                self.ended = self.ended or ("cut" if self.tls else "polite")
                return b""
            if not self.tls:
                return data
            with self._lock:
                self._incoming.write(data)

    def send(self, data):
        if not self.tls:
            self._put(data)
            return
        with self._lock:
            try:
                self.tls.write(data)
            except ssl.SSLError:
                raise Over from None
            data = self._outgoing.read()
            self._put(data)

    def handshake(self, context, name=None):
        """Server side without a name.  ssl.SSLError when it fails."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._incoming, self._outgoing,
                               server_side=name is None, server_hostname=name)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._put(self._outgoing.read())
                data = self._get()
                if not data:
                    raise ssl.SSLError("the peer went") from None
                self._incoming.write(data)
            except ssl.SSLError:
                try:
                    self._put(self._outgoing.read())        # the alert
                except Over:
                    pass
                raise
        self._put(self._outgoing.read())
        self.tls = tls

    # Ends

    def close(self, how="polite"):
        """polite: close_notify and FIN; fin: a truncation; rst; half: FIN in
        our direction only, the socket stays."""
        try:
            if how == "polite" and self.tls:
                self._say_goodbye()
            if how == "rst":
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            else:
                self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _say_goodbye(self):
        with self._lock:
            try:
                self.tls.unwrap()
            except (ssl.SSLError, ValueError):
                pass
            try:
                self.socket.send(self._outgoing.read())
            except OSError:
                pass

    def drain(self, seconds):
        """Takes what the peer still sends, until its end: a close with bytes
        unread would be a reset."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                if not self.socket.recv(CHUNK):
                    return
            except BlockingIOError:
                select.select([self.socket], [], [], left)
            except OSError:
                return
