"""What the server says, asked by a client that is not ours (imaplib)."""

import base64
import hashlib
import imaplib
import re
import ssl
from collections import namedtuple

Message = namedtuple("Message", "uid flags message_id subject size body")

_LIST = re.compile(rb'\((?P<flags>[^)]*)\) (?:"(?P<sep>[^"]*)"|NIL) '
                   rb'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<atom>\S+))$')
imaplib._MAXLINE = 1 << 26


class Oracle:
    """One IMAP connection of one person.  Folder names are plain text."""

    def __init__(self, spec, user, port="imaps"):
        self.user = spec.user(user)
        context = ssl.create_default_context(cafile=spec.ca)
        if port == "imaps":
            self.imap = imaplib.IMAP4_SSL(spec.host, spec.ports["imaps"],
                                          ssl_context=context)
        else:
            self.imap = imaplib.IMAP4(spec.host, spec.ports["imap"])
            self.imap.starttls(context)
        self.imap.login(self.user["name"], self.user["password"])
        # imaplib keeps what was offered before the login.
        self.capabilities = self._do(
            "capability")[0].decode().upper().split()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.imap.logout()
        except (imaplib.IMAP4.error, OSError):
            pass                        # the server may be down by now

    def _do(self, name, *args):
        status, data = getattr(self.imap, name)(*args)
        if status != "OK":
            raise AssertionError("%s %r: %s %r" % (name, args, status, data))
        return data

    # Folders

    def folders(self):
        """name -> set of its LIST attributes (\\Sent, \\Noselect, …)"""
        found = {}
        for row in self._do("list"):
            if isinstance(row, tuple):          # the name as a literal
                head, name = row
                flags = _LIST.match(head[:head.rindex(b"{")] + b"x")["flags"]
            else:
                match = _LIST.match(row)
                flags = match["flags"]
                name = match["atom"] or re.sub(rb"\\(.)", rb"\1",
                                               match["quoted"] or b"")
            found[decode_name(name.decode("ascii", "replace"))] = set(
                flags.decode().split())
        return found

    def subscribed(self):
        return {decode_name(_LIST.match(row)["atom"].decode()
                            if _LIST.match(row)["atom"] else
                            _LIST.match(row)["quoted"].decode())
                for row in self._do("lsub") if row}

    def create(self, folder, subscribe=True):
        self._do("create", quote(folder))
        if subscribe:
            self._do("subscribe", quote(folder))

    def subscribe(self, folder):
        self._do("subscribe", quote(folder))

    def delete(self, folder):
        self._do("delete", quote(folder))

    def rename(self, old, new):
        self._do("rename", quote(old), quote(new))

    def status(self, folder):
        """{"MESSAGES": n, "UIDNEXT": n, "UIDVALIDITY": n, "UNSEEN": n}"""
        row = self._do("status", quote(folder),
                       "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")[0]
        words = row[row.rindex(b"(") + 1:-1].split()
        return {key.decode(): int(value)
                for key, value in zip(words[::2], words[1::2])}

    # Messages

    def select(self, folder, readonly=True):
        self._do("select", quote(folder), readonly)

    def uids(self, folder="INBOX", criteria="ALL"):
        self.select(folder)
        return [int(uid) for uid in
                self._do("uid", "SEARCH", criteria)[0].split()]

    def messages(self, folder="INBOX", bodies=False):
        """Every message of the folder, in the order of its UIDs."""
        self.select(folder)
        items = "(UID FLAGS RFC822.SIZE %s)" % (
            "BODY.PEEK[]" if bodies else
            "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID SUBJECT)]")
        found = []
        for row in self._do("uid", "FETCH", "1:*", items):
            if isinstance(row, tuple):
                found.append(self._message(row, bodies))
        return sorted(found)

    def _message(self, row, bodies):
        meta, text = row
        head = re.split(rb"\r\n\r\n", text, maxsplit=1)[0]
        head = re.sub(rb"\r\n[ \t]+", b" ", head)
        return Message(
            int(re.search(rb"UID (\d+)", meta)[1]),
            frozenset(re.search(rb"FLAGS \(([^)]*)\)", meta)[1]
                      .decode().split()) - {"\\Recent"},
            _field(head, b"message-id").strip("<>"), _field(head, b"subject"),
            int(re.search(rb"RFC822.SIZE (\d+)", meta)[1]),
            text if bodies else None)

    def truth(self):
        """folder -> {uid: (flags, digest)} of all that is not empty."""
        found = {}
        for folder in self.folders():
            rows = {message.uid: (message.flags, digest(message.body))
                    for message in self.messages(folder, bodies=True)}
            if rows:
                found[folder] = rows
        return found

    def by_id(self, folder="INBOX"):
        """message id (without <>) -> Message; two of one id are an error."""
        found = {}
        for message in self.messages(folder):
            if message.message_id in found:
                raise AssertionError("%s is twice in %s" % (
                    message.message_id, folder))
            found[message.message_id] = message
        return found

    def body(self, folder, uid):
        self.select(folder)
        return self._do("uid", "FETCH", str(uid), "(BODY.PEEK[])")[0][1]

    def snapshot(self):
        """folder -> sorted [(message id, sorted flags)], of all folders: two
        devices or a device and the server agree when these are equal."""
        return {folder: sorted((m.message_id, tuple(sorted(m.flags)))
                               for m in self.messages(folder))
                for folder, attributes in self.folders().items()
                if "\\Noselect" not in attributes}

    # Changes, as another device would make them

    def append(self, folder, data, flags=(), when=None):
        self._do("append", quote(folder), "(%s)" % " ".join(flags),
                 when, data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def flag(self, folder, uids, *changes):
        """flag("INBOX", [3], "+\\\\Seen", "-work")"""
        self.select(folder, readonly=False)
        for change in changes:
            self._do("uid", "STORE", _set(uids), change[0] + "FLAGS.SILENT",
                     "(%s)" % change[1:])

    def move(self, folder, uids, target):
        self.select(folder, readonly=False)
        self._do("uid", "COPY", _set(uids), quote(target))
        self.expunge(folder, uids)

    def copy(self, folder, uids, target):
        self.select(folder)
        self._do("uid", "COPY", _set(uids), quote(target))

    def expunge(self, folder, uids):
        self.flag(folder, uids, "+\\Deleted")
        self._do("expunge")


def digest(data):
    """Of a message, however its lines end."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def differences(here, there, limit=10):
    """Two truth()s compared: what is missing here, what there is too much,
    what is not the same, a line each."""
    found = []
    for folder in sorted(here.keys() | there.keys()):
        ours, theirs = here.get(folder, {}), there.get(folder, {})
        for uid in sorted(ours.keys() | theirs.keys()):
            what = ("missing" if uid not in ours else "excess"
                    if uid not in theirs else "flags"
                    if ours[uid][0] != theirs[uid][0] else "content"
                    if ours[uid][1] != theirs[uid][1] else None)
            if what:
                found.append("%s: %s UID %d: here %s, there %s" % (
                    what, folder, uid, ours.get(uid), theirs.get(uid)))
    return found[:limit]


def _set(uids):
    return ",".join(str(uid) for uid in uids)


def _field(head, name):
    match = re.search(rb"(?im)^" + name + rb":[ \t]*([^\r\n]*)", head)
    return match[1].decode("utf-8", "replace").strip() if match else ""


# Mailbox names: modified UTF-7 (RFC 3501 section 5.1.3)

def quote(folder):
    return '"%s"' % encode_name(folder).replace("\\", "\\\\").replace(
        '"', '\\"')


def encode_name(name):
    out = []
    for run in re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", name):
        if run.isascii() and run.isprintable():
            out.append(run.replace("&", "&-"))
        else:
            coded = base64.b64encode(run.encode("utf-16-be")).decode()
            out.append("&%s-" % coded.rstrip("=").replace("/", ","))
    return "".join(out)


def decode_name(name):
    def plain(match):
        coded = match[1].replace(",", "/")
        if not coded:
            return "&"
        return base64.b64decode(coded + "=" * (-len(coded) % 4)).decode(
            "utf-16-be", "replace")
    return re.sub(r"&([^-]*)-", plain, name)
