"""Loopback ports that belong to one world for as long as it lives.

A port is found by binding to port 0 and is kept by never closing that
socket: it is bound but does not listen.  Linux lets a second socket listen
there when both carry SO_REUSEADDR, which Dovecot and Postfix set; nobody
else gets the number, neither another world (it asks for port 0 too) nor an
outgoing connection.  So there is no moment at which a port is free between
being chosen and being used, also while a server is stopped for a test.
"""

import socket

LOOPBACK = "127.0.0.1"


class HeldPorts:
    """A named set of held ports; closing it gives them back."""

    def __init__(self, names):
        self._sockets = {}
        for name in names:
            held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            held.bind((LOOPBACK, 0))
            # Only after the bind: before it, the kernel could hand out a
            # number that another world holds in the same way.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._sockets[name] = held

    def numbers(self):
        return {name: held.getsockname()[1]
                for name, held in self._sockets.items()}

    def close(self):
        for held in self._sockets.values():
            held.close()
        self._sockets.clear()
