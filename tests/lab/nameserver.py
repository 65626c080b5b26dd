"""A DNS server for one test: it answers with what a table says, over UDP and TCP, and can fail in every way.

    with Dns({"example.org": [("TXT", "v=spf1 -all"), ("A", "192.0.2.1")],
              "slow.example": "timeout", "bad.example": "servfail"}) as dns:
        postrider("journey", "--check", "--resolver", dns.address, …)
        dns.asked            # [("example.org", "TXT"), …]

A value of TXT is a text (cut into pieces of 255 bytes) or a list of pieces; bytes or text. MX: (preference, host); SRV: (priority, weight, port, host).
CNAME is followed. In place of the records of a name: "timeout" (no answer), "servfail", "refused", "garbage", "cut" (the
answer breaks off), "other" (it answers another question), "tcp" with records as ("tcp", [records]): over UDP only
"truncated". "timeout" or "servfail" at the end of the records: so for every type that is not among them. A name that is not in the table does not exist; one whose child is, exists without records. The table may be
changed while the server runs. Nothing of the standard beyond that."""

import ipaddress
import socket
import struct
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "SPF": 99}
NUMBERS = {number: name for name, number in TYPES.items()}
UDP_MAX = 1232


def encode_name(name):
    out = b""
    for label in name.rstrip(".").split("."):
        raw = label.encode() if isinstance(label, str) else label
        if raw:
            out += bytes([min(len(raw), 63)]) + raw[:63]
    return out + b"\0"


def decode_name(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), at + 1


def encode_value(kind, value):
    if kind in ("TXT", "SPF"):
        pieces = value if isinstance(value, (list, tuple)) else [value]
        pieces = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
        if not isinstance(value, (list, tuple)):
            pieces = [pieces[0][i:i + 255] for i in range(0, len(pieces[0]), 255)] or [b""]
        return b"".join(bytes([len(piece)]) + piece for piece in pieces)
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "SRV":                       # (priority, weight, port, host)
        return struct.pack(">HHH", *value[:3]) + encode_name(value[3])
    if kind == "MX":
        return struct.pack(">H", value[0]) + encode_name(value[1])
    return encode_name(value)


class Dns:
    def __init__(self, zone, host="127.0.0.1", ttl=60):
        self.zone = {name.lower().rstrip("."): records for name, records in zone.items()}
        self.ttl = ttl
        self.asked = []
        self.stopping = False
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:
            self.udp.bind((host, 0))
            try:
                self.tcp.bind(self.udp.getsockname())
                break
            except OSError:
                self.udp.close()
                self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp.listen(16)
        self.port = self.udp.getsockname()[1]
        self.address = f"{host}:{self.port}"
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.serve_udp, self.serve_tcp)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stopping = True
        for sock in (self.udp, self.tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def set(self, name, records):
        self.zone[name.lower().rstrip(".")] = records

    def serve_udp(self):
        while not self.stopping:
            try:
                packet, peer = self.udp.recvfrom(65535)
            except OSError:
                return
            answer = self.answer(packet, udp=True)
            if answer is not None:
                self.udp.sendto(answer, peer)

    def serve_tcp(self):
        while not self.stopping:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_connection, args=(connection,), daemon=True).start()

    def serve_connection(self, connection):
        with connection:
            while True:
                size = connection.recv(2, socket.MSG_WAITALL)
                if len(size) < 2:
                    return
                answer = self.answer(connection.recv(struct.unpack(">H", size)[0], socket.MSG_WAITALL), udp=False)
                if answer is None:
                    return
                connection.sendall(struct.pack(">H", len(answer)) + answer)

    def answer(self, packet, udp):
        try:
            number, flags, questions = struct.unpack(">HHH", packet[:6])
            name, end = decode_name(packet, 12)
            kind = NUMBERS.get(struct.unpack(">H", packet[end:end + 2])[0], "?")
        except (struct.error, IndexError):
            return None
        if questions != 1:
            return None
        self.asked.append((name, kind))
        question = packet[12:end + 4]
        has_edns = len(packet) > end + 4 and struct.unpack(">H", packet[10:12])[0] > 0
        records = self.zone.get(name)
        if isinstance(records, list) and records and isinstance(records[-1], str):
            records = records[:-1] if any(row[0] == kind for row in records[:-1]) else records[-1]

        def reply(code=0, count=0, body=b"", truncated=False, asked=question):
            head = struct.pack(">HHHHHH", number, 0x8480 | (0x0200 if truncated else 0) | code, 1, count, 0, 0)
            return head + asked + body

        if records == "timeout":
            return None
        if records == "servfail":
            return reply(2)
        if records == "refused":
            return reply(5)
        if records == "garbage":
            return packet[:2] + b"\x84\x80\0\1\xff\xff\0\0\0\0" + question + b"\xc0\x0c" * 40
        if records == "other":
            return reply(0, 1, encode_name(name) + struct.pack(">HHIH", 16, 1, 60, 4) + b"\3yes", asked=encode_name("other.example") +
                         question[-4:])
        is_cut = records == "cut"
        if isinstance(records, tuple) and records[0] == "tcp":
            if udp:
                return reply(truncated=True)
            records = records[1]
        body, count = b"", 0
        if is_cut:
            return reply(0, 2, b"\xc0\x0c" + struct.pack(">HHIH", TYPES["TXT"], 1, 60, 200) + b"\xc8v=spf1 +all")
        seen = set()
        while records is not None and not isinstance(records, str):
            following = None
            for record_kind, value in records:
                if record_kind == kind or (record_kind == "CNAME" and kind != "CNAME"):
                    raw = encode_value(record_kind, value)
                    body += encode_name(name) + struct.pack(">HHIH", TYPES[record_kind], 1, self.ttl, len(raw)) + raw
                    count += 1
                if record_kind == "CNAME" and kind != "CNAME":
                    following = value.lower().rstrip(".")
            if following is None or following in seen:
                break
            seen.add(following)
            name, records = following, self.zone.get(following)
        if records is None and not count:
            exists = any(other.endswith("." + name) for other in self.zone)
            return reply(0 if exists else 3)
        answer = reply(0, count, body)
        if udp and len(answer) > (UDP_MAX if has_edns else 512):
            return reply(truncated=True)
        return answer
