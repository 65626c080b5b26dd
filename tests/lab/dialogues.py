"""Whole servers as scripts for fake.Fake, with answers that can be replaced.

    script = Imap(answers={"SELECT": b"TAG NO not today\\r\\n"})
    script = Smtp(answers={"RCPT": b"550 5.1.1 no such user\\r\\n"})
    script = Imap(starttls=strip)

An answer is bytes (TAG stands for the command's tag), a list of such bytes
for the first, second, … time (the last one stays), or a function of (peer,
command).  None keeps the default.  `commands` lists what every client said.
"""

import base64

CRLF = b"\r\n"


class Command:
    """One line of the client: tag (IMAP only), verb in capitals, the rest."""

    def __init__(self, tag, verb, rest):
        self.tag = tag
        self.verb = verb
        self.rest = rest

    def __repr__(self):
        return "%s %s" % (self.verb, self.rest.decode("latin-1"))


class Dialogue:
    """The loop that the three protocols share."""

    greeting = b""
    unknown = b""

    def __init__(self, greeting=None, answers=None, starttls=None):
        if greeting is not None:
            self.greeting = greeting
        self.starttls = starttls or accept
        self.answers = {key.upper(): value
                        for key, value in (answers or {}).items()}
        self.commands = []
        self._times = {}

    def __call__(self, peer):
        self.say(peer, self.greeting, None)
        while True:
            command = self.parse(peer.line())
            self.commands.append(command)
            self.answer(peer, command)
            if command.verb in ("LOGOUT", "QUIT"):
                return

    def said(self, verb):
        """The commands of this verb, in order."""
        return [c for c in self.commands if c.verb == verb]

    def answer(self, peer, command):
        answer = self._chosen(command.verb)
        if answer is not None:
            if isinstance(answer, bytes) and answer.startswith(b"2"):
                self.accepted(peer, command)
            self.say(peer, answer, command)
        elif command.verb in ("STARTTLS", "STLS"):
            self.starttls(self, peer, command)
        else:
            default = getattr(self, "do_" + command.verb.lower(), None)
            if default is None:
                self.say(peer, self.unknown, command)
            else:
                default(peer, command)

    def accepted(self, peer, command):
        """A replaced answer says yes: what the default would remember."""

    def _chosen(self, verb):
        answer = self.answers.get(verb)
        if not isinstance(answer, list):
            return answer
        times = self._times.get(verb, 0)
        self._times[verb] = times + 1
        return answer[min(times, len(answer) - 1)]

    def say(self, peer, answer, command):
        if callable(answer):
            answer(peer, command)
        else:
            tag = command.tag if command else b"*"
            peer.send(answer.replace(b"TAG", tag))

    def offers_tls(self, peer):
        return (peer.fake.tls == "starttls" and not peer.session.tls
                and self.starttls is not strip)

    def parse(self, line):
        verb, _, rest = line.partition(b" ")
        return Command(b"", verb.decode("latin-1").upper(), rest)

    go_ahead = b""                      # what says yes to STARTTLS
    refusal = b""                       # what says no
    injected = b""                      # what an attacker would add


# What becomes of STARTTLS

def accept(dialogue, peer, command):
    dialogue.say(peer, dialogue.go_ahead, command)
    peer.starttls()


def strip(dialogue, peer, command):
    """Neither offered nor understood, as behind a bad middle box."""
    dialogue.say(peer, dialogue.unknown, command)


def refuse(dialogue, peer, command):
    """Offered, but then: no."""
    dialogue.say(peer, dialogue.refusal, command)


def inject(dialogue, peer, command):
    """In the segment of the OK comes more, which is not under TLS."""
    dialogue.say(peer, dialogue.go_ahead + dialogue.injected, command)
    peer.starttls()


class Imap(Dialogue):
    """One empty INBOX unless answers say otherwise; everybody may log in."""

    greeting = b"* OK fake IMAP server ready\r\n"
    unknown = b"TAG BAD unknown command\r\n"
    go_ahead = b"TAG OK begin TLS\r\n"
    refusal = b"TAG NO not now\r\n"
    injected = b"* CAPABILITY IMAP4rev1 INJECTED\r\nINJ1 OK injected\r\n"

    def __init__(self, capabilities="IMAP4rev1 UIDPLUS MOVE", mailboxes=(
            b'* LIST (\\HasNoChildren) "/" INBOX\r\n'), **options):
        super().__init__(**options)
        self.capabilities = capabilities
        self.mailboxes = mailboxes

    def parse(self, line):
        tag, _, rest = line.partition(b" ")
        verb, _, rest = rest.partition(b" ")
        if verb.upper() == b"UID":
            verb, _, rest = rest.partition(b" ")
            verb = b"UID " + verb
        return Command(tag, verb.decode("latin-1").upper(), rest)

    def answer(self, peer, command):
        if (command.rest.endswith(b"}") and b"{" in command.rest
                and command.verb not in self.answers):
            command.rest += self._literals(peer, command.rest)
        super().answer(peer, command)

    def _literals(self, peer, line):
        """The literals that follow a line, and the text between them."""
        more = b""
        while line.endswith(b"}"):
            size = line[line.rindex(b"{") + 1:-1]
            if not size.endswith(b"+"):
                peer.send(b"+ go on\r\n")
            data = peer.read(int(size.rstrip(b"+")))
            line = peer.line()
            more += CRLF + data + line
        return more

    def do_capability(self, peer, command):
        words = self.capabilities
        if self.offers_tls(peer):
            words += " STARTTLS LOGINDISABLED"
        else:
            words += " AUTH=PLAIN AUTH=LOGIN"
        self.say(peer, b"* CAPABILITY %s\r\nTAG OK done\r\n"
                 % words.encode(), command)

    def do_authenticate(self, peer, command):
        mechanism, _, initial = command.rest.partition(b" ")
        if mechanism.upper() == b"LOGIN":
            for question in (b"Username:", b"Password:"):
                peer.send(b"+ " + base64.b64encode(question) + CRLF)
                peer.line()
        elif not initial:
            peer.send(b"+ \r\n")
            peer.line()
        self.ok(peer, command)

    def do_list(self, peer, command):
        self.say(peer, self.mailboxes + b"TAG OK done\r\n", command)

    def do_lsub(self, peer, command):
        self.say(peer, self.mailboxes.replace(b"* LIST", b"* LSUB")
                 + b"TAG OK done\r\n", command)

    def do_select(self, peer, command):
        self.say(peer, b"* FLAGS (\\Seen \\Answered \\Flagged \\Deleted"
                 b" \\Draft)\r\n* 0 EXISTS\r\n* 0 RECENT\r\n"
                 b"* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 1] ok\r\n"
                 b"* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged"
                 b" \\Deleted \\Draft \\*)] ok\r\n"
                 b"TAG OK [READ-WRITE] done\r\n", command)

    do_examine = do_select

    def do_status(self, peer, command):
        name = command.rest.partition(b" (")[0]
        self.say(peer, b"* STATUS %s (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1"
                 b" UNSEEN 0)\r\nTAG OK done\r\n" % name, command)

    def do_search(self, peer, command):
        self.say(peer, b"* SEARCH\r\nTAG OK done\r\n", command)

    def do_logout(self, peer, command):
        self.say(peer, b"* BYE so long\r\nTAG OK done\r\n", command)

    def ok(self, peer, command):
        self.say(peer, b"TAG OK done\r\n", command)

    do_login = do_noop = do_check = do_close = do_unselect = ok
    do_subscribe = do_unsubscribe = do_create = do_append = ok
    do_id = do_enable = do_namespace = do_expunge = ok


for _verb in ("fetch", "store", "copy", "move", "expunge"):
    setattr(Imap, "do_uid " + _verb, Imap.ok)
setattr(Imap, "do_uid search", Imap.do_search)


class Smtp(Dialogue):
    """Accepts every mail; mails has (sender, recipients, data) of each.

    Answers by verb; "BODY" is the answer after the final dot, and "GREETED"
    the EHLO answer once under TLS when it should differ.
    """

    greeting = b"220 fake.test ESMTP ready\r\n"
    unknown = b"502 5.5.2 unknown command\r\n"
    go_ahead = b"220 2.0.0 begin TLS\r\n"
    refusal = b"454 4.7.0 not now\r\n"
    injected = b"250-fake.test\r\n250-AUTH PLAIN\r\n250 INJECTED\r\n"

    def __init__(self, extensions=("8BITMIME", "PIPELINING", "SMTPUTF8",
                                   "SIZE 1000000", "DSN",
                                   "ENHANCEDSTATUSCODES"), **options):
        super().__init__(**options)
        self.extensions = list(extensions)
        self.mails = []

    def do_ehlo(self, peer, command):
        lines = ["fake.test", *self.extensions]
        if self.offers_tls(peer):
            lines.append("STARTTLS")
        else:
            lines.append("AUTH PLAIN LOGIN")
        for n, line in enumerate(lines, 1):
            peer.send(b"250%s%s\r\n" % (
                b" " if n == len(lines) else b"-", line.encode()))

    def do_helo(self, peer, command):
        peer.send(b"250 fake.test\r\n")

    def do_auth(self, peer, command):
        mechanism, _, initial = command.rest.partition(b" ")
        if mechanism.upper() == b"LOGIN":
            for question in (b"Username:", b"Password:"):
                peer.send(b"334 " + base64.b64encode(question) + CRLF)
                peer.line()
        elif not initial:
            peer.send(b"334 \r\n")
            peer.line()
        peer.send(b"235 2.7.0 welcome\r\n")

    def accepted(self, peer, command):
        if command.verb == "MAIL":
            peer.envelope = (command.rest, [])
        elif command.verb == "RCPT":
            peer.envelope[1].append(command.rest)

    def do_mail(self, peer, command):
        self.accepted(peer, command)
        peer.send(b"250 2.1.0 ok\r\n")

    def do_rcpt(self, peer, command):
        self.accepted(peer, command)
        peer.send(b"250 2.1.5 ok\r\n")

    def do_data(self, peer, command):
        peer.send(b"354 go on\r\n")
        self.take_body(peer)

    def take_body(self, peer):
        """Reads to the final dot, keeps the mail, answers."""
        lines = []
        while True:
            line = peer.line()
            if line == b".":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        self.mails.append((*peer.envelope,
                           b"".join(line + CRLF for line in lines)))
        self.say(peer, self._chosen("BODY") or b"250 2.0.0 queued\r\n", None)

    def do_rset(self, peer, command):
        peer.send(b"250 2.0.0 ok\r\n")

    do_noop = do_rset

    def do_quit(self, peer, command):
        peer.send(b"221 2.0.0 so long\r\n")


class Pop3(Dialogue):
    """A mail drop of the messages given (bytes with CR LF)."""

    greeting = b"+OK fake POP3 server ready\r\n"
    unknown = b"-ERR unknown command\r\n"
    go_ahead = b"+OK begin TLS\r\n"
    refusal = b"-ERR not now\r\n"
    injected = b"+OK injected\r\n"

    def __init__(self, messages=(), **options):
        super().__init__(**options)
        self.messages = list(messages)
        self.deleted = []

    def ok(self, peer, command):
        peer.send(b"+OK\r\n")

    do_user = do_pass = do_noop = do_quit = do_rset = ok

    def _many(self, peer, lines):
        peer.send(b"+OK\r\n" + b"".join(
            (b"." if line.startswith(b".") else b"") + line + CRLF
            for line in lines) + b".\r\n")

    def do_capa(self, peer, command):
        self._many(peer, [b"UIDL", b"TOP", b"USER", b"SASL PLAIN"]
                   + ([b"STLS"] if self.offers_tls(peer) else []))

    def do_auth(self, peer, command):
        if b" " not in command.rest:
            peer.send(b"+ \r\n")
            peer.line()
        peer.send(b"+OK\r\n")

    def do_stat(self, peer, command):
        peer.send(b"+OK %d %d\r\n" % (
            len(self.messages), sum(len(data) for data in self.messages)))

    def do_list(self, peer, command):
        self._listing(peer, command, lambda n: b"%d"
                      % len(self.messages[n - 1]))

    def do_uidl(self, peer, command):
        self._listing(peer, command, lambda n: b"uid%06d" % n)

    def _listing(self, peer, command, value):
        if command.rest:
            number = int(command.rest)
            peer.send(b"+OK %d %s\r\n" % (number, value(number)))
        else:
            self._many(peer, [b"%d %s" % (n, value(n)) for n in range(
                1, len(self.messages) + 1)])

    def do_retr(self, peer, command):
        data = self.messages[int(command.rest) - 1]
        self._many(peer, data.removesuffix(CRLF).split(CRLF))

    def do_top(self, peer, command):
        head = self.messages[int(command.rest.split()[0]) - 1].partition(
            CRLF + CRLF)[0]
        self._many(peer, head.split(CRLF) + [b""])

    def do_dele(self, peer, command):
        self.deleted.append(int(command.rest))
        peer.send(b"+OK\r\n")


# Hostile answers, for `answers` or `greeting`

def endless_line(start=b"* OK ", filler=b"x"):
    """A line that never ends; fails when the client takes 256 MB of it."""
    def play(peer, command):
        peer.send(start)
        peer.flood(filler)
    return play


def endless_lines(line=b"* OK still here\r\n", limit=1 << 28):
    """Untagged lines without end, and never the tagged one."""
    def play(peer, command):
        peer.flood(line, limit)
    return play


def huge_literal(announced, start=b"* 1 FETCH (BODY[] ", sent=b""):
    """A literal of any claimed size, of which little comes."""
    def play(peer, command):
        peer.send(start + b"{%s}\r\n" % str(announced).encode() + sent)
        peer.wait_end()
    return play


def close_in_literal(announced=1000, sent=b"only this",
                     start=b"* 1 FETCH (BODY[] "):
    def play(peer, command):
        peer.send(start + b"{%d}\r\n" % announced + sent)
        peer.cut()
    return play


def deep_nesting(depth, start=b"* 1 FETCH (BODYSTRUCTURE ",
                 end=b")\r\nTAG OK done\r\n"):
    def play(peer, command):
        tag = command.tag if command else b"*"
        peer.send(start + b"(" * depth + b")" * depth
                  + end.replace(b"TAG", tag))
    return play


def close(peer, command):
    """Instead of an answer, the end of the connection."""
    peer.cut()


def reset(peer, command):
    peer.reset()


def silence(peer, command):
    """Instead of an answer, nothing, until the client has enough."""
    peer.wait_end()
