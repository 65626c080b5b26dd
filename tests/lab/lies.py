"""What a hostile IMAP server may invent, a line at a time.

Each lie takes a line of the server (without CRLF) and the source of chance,
and gives the lines that the client gets to see in its place, or None when
there is nothing in the line to lie about.
"""

import re

BIG = 4294967295

# Numbers that a server says, by the name that RFC 9051 has for them.
NUMBERS = {
    "EXISTS": rb"^\* (\d+) EXISTS",
    "EXPUNGE": rb"^\* (\d+) EXPUNGE",
    "SEQUENCE": rb"^\* (\d+) FETCH",
    "UID": rb"FETCH \(UID (\d+)",
    "UIDVALIDITY": rb"UIDVALIDITY (\d+)",
    "UIDNEXT": rb"UIDNEXT (\d+)",
    "MODSEQ": rb"HIGHESTMODSEQ (\d+)",
    "MESSAGES": rb"MESSAGES (\d+)",
    "SIZE": rb"RFC822.SIZE (\d+)",
    "TAG": rb"^[A-Za-z]+(\d+) OK",
    "APPENDUID": rb"APPENDUID \d+ (\d+)",
}


def _number(name, literals=True):
    expression = re.compile(NUMBERS[name])

    def lie(line, chance):
        match = expression.search(line)
        if not match:
            return None
        value = int(match[1])
        odd = chance.choice([0, 1, value + 1, max(value - 1, 0), BIG, BIG + 1])
        return [line[:match.start(1)] + b"%d" % odd + line[match.end(1):]]
    lie.keeps_literals = literals       # may change a line that ends in one
    return lie


def _insert(*lines):
    def lie(line, chance):
        if not line.startswith(b"* ") or b"CAPABILITY" in line:
            return None
        return [line, chance.choice(lines)]
    return lie


def _drop(word):
    return lambda line, chance: [] if word in line else None


def _twice(line, chance):
    return [line, line] if b" FETCH (" in line and b"{" not in line else None


def _search(line, chance):
    if not line.startswith((b"* SEARCH", b"* ESEARCH")):
        return None
    return [chance.choice([b"* SEARCH", b"* SEARCH 0 1 1 4294967295",
                           line + b" 77777", line])]


LIES = {
    "exists": _number("EXISTS"),
    "uid": _number("UID", literals=False),
    "uidvalidity": _number("UIDVALIDITY"),
    "uidnext": _number("UIDNEXT"),
    "modseq": _number("MODSEQ"),
    "messages": _number("MESSAGES"),
    "size": _number("SIZE"),
    "sequence": _number("SEQUENCE"),
    "tag": _number("TAG"),
    "expunge": _insert(b"* 0 EXPUNGE", b"* 1 EXPUNGE", b"* 4294967295 EXPUNGE"),
    "vanished": _insert(b"* VANISHED 1:*", b"* VANISHED (EARLIER) 1:*",
                        b"* VANISHED 1:4294967295", b"* VANISHED 3"),
    "no-vanished": _drop(b"VANISHED"),
    "unasked": _insert(b"* 1 FETCH (FLAGS (\\Deleted))",
                       b"* 99 FETCH (UID 99 FLAGS (\\Seen evil))",
                       b"* 2 FETCH (UID 2 FLAGS (\\Deleted \\Draft))"),
    "no-fetch": _drop(b" FETCH (UID"),
    "twice": _twice,
    "search": _search,
    "no-folders": _drop(b"* LIST"),
    "bye": _insert(b"* BYE I have had enough"),
    "alert": _insert(b"* OK [ALERT] \x1b[2Jread this"),
    "referral": _insert(
        b"* NO [REFERRAL imap://eve@127.0.0.1:1/INBOX] over there",
        b"* BYE [REFERRAL imap://eve@127.0.0.1:1/] come with me"),
    "appenduid": _insert(b"* OK [APPENDUID 1 7] thanks",
                         b"* OK [APPENDUID 4294967295 1:4294967295] all",
                         b"* OK [COPYUID 1 1:3 7:9] moved"),
}
