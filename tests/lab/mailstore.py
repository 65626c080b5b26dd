"""An IMAP server as a script for fake.Fake that keeps mail: folders in
memory, with the peculiarities that a test asks for.  For servers that cannot
be had here (Gmail, Exchange, Courier …), for hostile folder names, and for
messages that a server lists and does not give.

    store = Mailstore("IMAP4rev1 UIDPLUS MOVE OBJECTID")
    store.add("INBOX", b"From: …")
    with Fake(store, tls="implicit", certificate=…) as fake: …

Names are bytes, as they go over the wire.  Tests may change `folders` between
two passes; a Folder's `withheld` maps UIDs to what comes instead of a body
(bytes: the rest of the tagged answer; None: nothing at all)."""

import itertools
import re

from dialogues import CRLF, Imap

_numbers = itertools.count(1)


class Mail:
    def __init__(self, uid, data, flags=(), ident=None):
        self.uid = uid
        self.data = data.replace(b"\r\n", b"\n").replace(b"\n", CRLF)
        self.flags = set(flags)
        self.ident = ident              # EMAILID or X-GM-MSGID
        self.size = None                # what RFC822.SIZE says instead


class Folder:
    def __init__(self, attributes=(), uidvalidity=None):
        number = next(_numbers)
        self.attributes = list(attributes)
        self.uidvalidity = uidvalidity or 1000 + number
        self.ident = b"F%d" % number
        self.uidnext = 1
        self.mails = []
        self.withheld = {}
        self.subscribed = True

    def add(self, data, flags=(), ident=None):
        mail = Mail(self.uidnext, data, flags, ident)
        self.uidnext += 1
        self.mails.append(mail)
        return mail


class Mailstore(Imap):
    def __init__(self, capabilities="IMAP4rev1 UIDPLUS MOVE", prefix=b"",
                 delimiter=b"/", keywords=True, refuse=None, **options):
        super().__init__(capabilities=capabilities, **options)
        self.prefix, self.delimiter = prefix, delimiter
        self.keywords = keywords        # PERMANENTFLAGS has \*
        self.refuse = refuse            # function of the bytes: NO to APPEND
        self.folders = {b"INBOX": Folder()}
        self.expunge_hook = None        # function of (name, mail)
        self.open = {}                  # peer -> name

    def has(self, word):
        return word in self.capabilities.split()

    def add(self, name, data, flags=(), ident=None):
        folder = self.folders.setdefault(name, Folder())
        return folder.add(data, flags, ident)

    # Words of a command

    @staticmethod
    def words(rest):
        """Quoted strings, literals, lists and atoms."""
        found = []
        while rest:
            rest = rest.lstrip(b" ")
            literal = re.match(rb"~?\{(\d+)\+?\}\r\n", rest)
            quoted = re.match(rb'"((?:[^"\\]|\\.)*)"', rest)
            inner = re.match(rb"\(((?:[^()]|\([^()]*\))*)\)", rest)
            if literal:
                size = int(literal[1])
                found.append(rest[literal.end():literal.end() + size])
                rest = rest[literal.end() + size:]
            elif quoted:
                found.append(re.sub(rb"\\(.)", rb"\1", quoted[1]))
                rest = rest[quoted.end():]
            elif inner:
                found.append(inner[1].split())
                rest = rest[inner.end():]
            elif rest:
                atom = re.match(rb"[^ ]+", rest)
                found.append(atom[0])
                rest = rest[atom.end():]
        return found

    def name(self, word):
        return b"INBOX" if word.upper() == b"INBOX" else word

    def quoted(self, name):
        if self.has("UTF8=ACCEPT") or all(31 < c < 127 for c in name):
            return b'"%s"' % name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        return b"{%d}\r\n%s" % (len(name), name)

    def chosen(self, peer, text):
        """(sequence number, mail) of a UID set."""
        folder = self.folders[self.open[peer]]
        wanted = []
        for piece in text.split(b","):
            low, _, high = piece.partition(b":")
            top = max((m.uid for m in folder.mails), default=0)
            ends = sorted(top if end == b"*" else int(end)
                          for end in (low, high or low))
            wanted.append(ends)
        return [(number, mail) for number, mail
                in enumerate(folder.mails, 1)
                if any(a <= mail.uid <= b for a, b in wanted)]

    # Folders

    def do_namespace(self, peer, command):
        self.say(peer, b'* NAMESPACE (("%s" "%s")) NIL NIL\r\nTAG OK\r\n'
                 % (self.prefix, self.delimiter), command)

    def do_enable(self, peer, command):
        self.say(peer, b"* ENABLED %s\r\nTAG OK\r\n" % command.rest, command)

    def do_list(self, peer, command):
        for name, folder in self.folders.items():
            if command.verb == "LSUB" and not folder.subscribed:
                continue
            peer.send(b'* %s (%s) "%s" %s\r\n' % (
                command.verb.encode(), b" ".join(folder.attributes),
                self.delimiter, self.quoted(name)))
        self.ok(peer, command)

    do_lsub = do_list

    def do_status(self, peer, command):
        name = self.name(self.words(command.rest)[0])
        folder = self.folders.get(name)
        if folder is None:
            self.say(peer, b"TAG NO no such folder\r\n", command)
            return
        ident = b" MAILBOXID (%s)" % folder.ident if b"MAILBOXID" in \
            command.rest else b""
        self.say(peer, b"* STATUS %s (MESSAGES %d UIDNEXT %d UIDVALIDITY %d"
                 b"%s)\r\nTAG OK\r\n" % (
                     self.quoted(name), len(folder.mails), folder.uidnext,
                     folder.uidvalidity, ident), command)

    def do_select(self, peer, command):
        name = self.name(self.words(command.rest)[0])
        folder = self.folders.get(name)
        if folder is None or b"\\Noselect" in folder.attributes:
            self.say(peer, b"TAG NO [NONEXISTENT] no such folder\r\n", command)
            return
        self.open[peer] = name
        system = b"\\Seen \\Answered \\Flagged \\Deleted \\Draft"
        self.say(peer, b"* FLAGS (%s)\r\n* %d EXISTS\r\n* OK [UIDVALIDITY %d]"
                 b"\r\n* OK [UIDNEXT %d]\r\n* OK [PERMANENTFLAGS (%s%s)]\r\n"
                 b"TAG OK [READ-WRITE] done\r\n" % (
                     system, len(folder.mails), folder.uidvalidity,
                     folder.uidnext, system,
                     b" \\*" if self.keywords else b""), command)

    do_examine = do_select

    def do_create(self, peer, command):
        self.folders.setdefault(self.words(command.rest)[0], Folder())
        self.ok(peer, command)

    def do_delete(self, peer, command):
        self.folders.pop(self.words(command.rest)[0], None)
        self.ok(peer, command)

    def rename(self, old, new):
        below = old + self.delimiter
        self.folders = {
            new + name[len(old):] if name == old or name.startswith(below)
            else name: folder for name, folder in self.folders.items()}

    def do_rename(self, peer, command):
        self.rename(*self.words(command.rest)[:2])
        self.ok(peer, command)

    # Messages

    def _search(self, peer, command):
        folder = self.folders[self.open[peer]]
        deleted = b"DELETED" in command.rest
        self.say(peer, b"* SEARCH %s\r\nTAG OK\r\n" % b" ".join(
            b"%d" % mail.uid for mail in folder.mails
            if not deleted or b"\\Deleted" in mail.flags), command)

    def _items(self, mail, rest):
        yield b"UID %d" % mail.uid
        yield b"FLAGS (%s)" % b" ".join(sorted(mail.flags))
        if b"RFC822.SIZE" in rest:
            yield b"RFC822.SIZE %d" % (mail.size or len(mail.data))
        if b"INTERNALDATE" in rest:
            yield b'INTERNALDATE "23-Nov-2026 10:00:00 +0000"'
        if b"X-GM-MSGID" in rest and mail.ident:
            yield b"X-GM-MSGID %s X-GM-THRID %s" % (mail.ident, mail.ident)
        if b"EMAILID" in rest and mail.ident:
            yield b"EMAILID (%s)" % mail.ident
        fields = re.search(rb"BODY\.PEEK\[HEADER\.FIELDS \(([^)]*)\)\]", rest)
        if fields:
            wanted = fields[1].upper().split()
            head = re.sub(rb"\r\n([ \t])", rb"\0\1",
                          mail.data.partition(b"\r\n\r\n")[0])
            head = b"".join(
                line.replace(b"\0", CRLF) + CRLF for line in head.split(CRLF)
                if line.partition(b":")[0].upper() in wanted) + CRLF
            yield b"BODY[HEADER.FIELDS (%s)] {%d}\r\n%s" % (
                fields[1], len(head), head)
        if b"BODY.PEEK[]" in rest:
            yield b"BODY[] {%d}\r\n%s" % (len(mail.data), mail.data)

    def _fetch(self, peer, command):
        uids, _, rest = command.rest.partition(b" ")
        withheld = self.folders[self.open[peer]].withheld
        end = b"OK done"
        for number, mail in self.chosen(peer, uids):
            if b"BODY.PEEK[]" in rest and mail.uid in withheld:
                end = withheld[mail.uid] or end
                continue
            peer.send(b"* %d FETCH (%s)\r\n" % (
                number, b" ".join(self._items(mail, rest))))
        self.say(peer, b"TAG %s\r\n" % end, command)

    def _store(self, peer, command):
        uids, how, flags = self.words(command.rest)[:3]
        for _, mail in self.chosen(peer, uids):
            if how.startswith(b"-"):
                mail.flags -= set(flags)
            else:
                mail.flags |= set(flags)
        self.ok(peer, command)

    def _take(self, peer, uids):
        """Out of the open folder."""
        folder = self.folders[self.open[peer]]
        mails = [mail for _, mail in self.chosen(peer, uids)]
        for mail in mails:
            peer.send(b"* %d EXPUNGE\r\n" % (folder.mails.index(mail) + 1))
            folder.mails.remove(mail)
        return mails

    def _put(self, target, mails):
        return [self.folders[target].add(
            mail.data, mail.flags - {b"\\Deleted"}, mail.ident).uid
            for mail in mails]

    def _copy(self, peer, command):
        uids, name = self.words(command.rest)[:2]
        target = self.name(name)
        if target not in self.folders:
            self.say(peer, b"TAG NO [TRYCREATE] no such folder\r\n", command)
            return
        mails = [mail for _, mail in self.chosen(peer, uids)]
        made = self._put(target, mails)
        told = b"[COPYUID %d %s %s] " % (
            self.folders[target].uidvalidity,
            b",".join(b"%d" % mail.uid for mail in mails),
            b",".join(b"%d" % uid for uid in made)) if made and self.has(
                "UIDPLUS") else b""
        if command.verb == "UID MOVE":
            peer.send(b"* OK %smoved\r\n" % told)
            self._take(peer, uids)
            told = b""
        self.say(peer, b"TAG OK %sdone\r\n" % told, command)

    def _expunge(self, peer, command):
        name = self.open[peer]
        folder = self.folders[name]
        asked = {mail.uid for _, mail in self.chosen(
            peer, command.rest or b"1:*")}
        for mail in [m for m in folder.mails if b"\\Deleted" in m.flags]:
            if mail.uid in asked:
                self._take(peer, b"%d" % mail.uid)
                if self.expunge_hook:
                    self.expunge_hook(name, mail)
        self.ok(peer, command)

    do_expunge = _expunge

    def do_append(self, peer, command):
        words = self.words(command.rest)
        folder = self.folders.get(self.name(words[0]))
        mails, flags = [], ()
        for word in words[1:]:
            if isinstance(word, list):
                flags = word
            elif not re.match(rb"[ \d]\d-[A-Z][a-z]{2}-\d{4} ", word):
                mails.append((word, flags))
                flags = ()
        if folder is None:
            self.say(peer, b"TAG NO [TRYCREATE] no such folder\r\n", command)
        elif self.refuse and any(self.refuse(data) for data, _ in mails):
            self.say(peer, b"TAG NO [OVERQUOTA] no room\r\n", command)
        else:
            made = [folder.add(data, set(flags)).uid for data, flags in mails]
            self.say(peer, b"TAG OK [APPENDUID %d %s] done\r\n" % (
                folder.uidvalidity, b",".join(b"%d" % uid for uid in made)),
                command)


for _verb, _do in (("search", Mailstore._search), ("fetch", Mailstore._fetch),
                   ("store", Mailstore._store), ("copy", Mailstore._copy),
                   ("move", Mailstore._copy),
                   ("expunge", Mailstore._expunge)):
    setattr(Mailstore, "do_uid " + _verb, _do)
