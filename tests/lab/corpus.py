"""Realistic mail out of a seed: the same seed gives the same bytes.

    for mail in Corpus(seed=1, to="ana@lab.test").mails(10000): mail.data, …

Threads with replies that quote, lists, newsletters in HTML, notices,
patches, attachments; eight languages in the charsets they come in.  Sizes
as in a real mailbox: most mail has 1 to 6 kB, the mean is about 20 kB, as
attachments and newsletters weigh.  kind="small" leaves the heavy ones out
(mean 3 kB) for tests that count messages.

Text is put together from paragraphs that are encoded once, so that a
message costs about 50 microseconds.
"""

import base64
import binascii
import email.utils
import random
import textwrap
from collections import namedtuple

import words

Mail = namedtuple("Mail", "data date flags keywords message_id")
Person = namedtuple("Person", "header address name")
Thread = namedtuple("Thread", "subject ids people listname language style")

# Shares of new threads by kind, in percent.  Conversations grow afterwards:
# in the end newsletters are some 12 % of the mail, attachments 6 %.
MIXED = [("talk", 28), ("list", 14), ("news", 28), ("notice", 13),
         ("patch", 2), ("files", 15)]
SMALL = [("talk", 58), ("list", 30), ("notice", 9), ("patch", 3)]
PARAGRAPHS = 60                 # per language, charset and encoding
START = 1609459200              # 2021-01-01
YEARS = 5.5 * 365 * 86400
OPEN_THREADS = 300


def encoded_word(text):
    """A header's text, in encoded words of at most 75 characters when it
    needs them (RFC 2047)."""
    if text.isascii():
        return text
    coded = ["=?utf-8?B?%s?=" % base64.b64encode(
        text[i:i + 12].encode()).decode() for i in range(0, len(text), 12)]
    return "\n ".join(coded)


def encode_body(text, charset, encoding):
    data = text.encode(charset, "replace")
    if encoding == "base64":
        return base64.encodebytes(data)
    if encoding == "quoted-printable":
        return binascii.b2a_qp(data)
    return data


class Style:
    """Paragraphs in one language, charset and transfer encoding."""

    def __init__(self, rng, language, charset, encoding):
        self.charset = charset
        self.encoding = encoding
        vocabulary = words.LANGUAGES[language][1]
        wide = language in ("ja", "zh")
        self.paragraphs = []
        self.quotes = []
        self.html = []
        for _ in range(PARAGRAPHS):
            count = rng.randint(4, 12) if wide else rng.randint(12, 60)
            picked = [rng.choice(vocabulary) for _ in range(count)]
            text = ("、" if wide else " ").join(picked)
            text = text[0].upper() + text[1:] + ("。" if wide else ".")
            lines = textwrap.wrap(text, 36 if wide else 72)
            self.paragraphs.append("\n".join(lines) + "\n\n")
            self.quotes.append("".join("> %s\n" % line for line in lines))
            self.html.append("<p>%s</p>\n" % text.replace("&", "&amp;"))


class Corpus:
    def __init__(self, seed=1, to="ana@lab.test", kind="mixed"):
        self.seed = seed
        self.to = to
        self.rng = random.Random("%s %s %s" % (seed, to, kind))
        rng = self.rng
        self.languages = list(words.LANGUAGES)
        self.shares = [words.LANGUAGES[name][0] for name in self.languages]
        self.styles = {
            name: [Style(rng, name, charset, encoding)
                   for charset, encoding in words.LANGUAGES[name][2]]
            for name in self.languages}
        self.people = {name: [self._person(name) for _ in range(40)]
                       for name in self.languages}
        table = MIXED if kind == "mixed" else SMALL
        self.kinds = [name for name, _ in table]
        self.kind_shares = [share for _, share in table]
        self.blobs = [base64.encodebytes(rng.randbytes(size)) for size in (
            9000, 24000, 48000, 82000, 160000, 400000, 700000)]
        self.threads = []
        self.count = 0

    def _person(self, language):
        rng = self.rng
        name = "%s %s" % (rng.choice(words.FIRST[language]),
                          rng.choice(words.LAST[language]))
        plain = "".join(c for c in name.lower() if c.isascii()
                        and c.isalpha()) or "user"
        address = "%s%d@%s" % (plain, rng.randint(1, 999),
                               rng.choice(words.HOSTS))
        return Person("%s <%s>" % (encoded_word(name), address), address,
                      name)

    def mails(self, count):
        """Yields count mails, oldest first."""
        step = YEARS / max(count, 1)
        for number in range(count):
            yield self._mail(START + int(number * step))

    def _mail(self, date):
        rng = self.rng
        self.count += 1
        if self.threads and rng.random() < 0.6:
            thread = self.threads[int(rng.random() * len(self.threads))]
        else:
            thread = self._new_thread()
        sender = thread.people[int(rng.random() * len(thread.people))]
        message_id = "%x.%d.%d@%s" % (date, self.count, self.seed,
                                      sender.address.partition("@")[2])
        head = self._head(thread, sender, date, message_id)
        kind, style = thread.style
        body = getattr(self, "_" + kind)(thread, style)
        if kind in ("talk", "list", "patch"):
            thread.ids.append(message_id)
            del thread.ids[:-10]
        age = 1 - (date - START) / YEARS
        flags = ("F" if rng.random() < 0.03 else "") + (
            "R" if rng.random() < 0.12 else "") + (
            "S" if rng.random() < 0.75 + age / 4 else "")
        keywords = ["$Forwarded"] if rng.random() < 0.01 else []
        return Mail(head + body, date, flags, keywords, message_id)

    def _new_thread(self):
        rng = self.rng
        kind = rng.choices(self.kinds, self.kind_shares)[0]
        language = rng.choices(self.languages, self.shares)[0]
        style = rng.choice(self.styles[language])
        people = rng.sample(self.people[language], 1 if kind in (
            "news", "notice", "files") else rng.randint(2, 5))
        listname = rng.choice(words.LISTS) if kind in ("list", "patch") else None
        subject = self._subject(kind, language, listname)
        thread = Thread(encoded_word(subject), [], people, listname, language,
                        (kind, style))
        if kind in ("talk", "list", "patch"):
            self.threads.append(thread)
            if len(self.threads) > OPEN_THREADS:
                self.threads.pop(0)
        return thread

    def _subject(self, kind, language, listname):
        rng = self.rng
        vocabulary = words.LANGUAGES[language][1]
        text = " ".join(rng.choice(vocabulary)
                        for _ in range(rng.randint(2, 7)))
        text = text[0].upper() + text[1:]
        if kind == "news":
            return "%s: %s" % (rng.choice(words.SHOPS), text)
        if kind == "notice":
            return "[build %d] %s" % (rng.randint(1000, 9999),
                                      rng.choice(["passed", "failed"]))
        if kind == "patch":
            return "[PATCH] %s: %s" % (rng.choice(["net", "mm", "fs"]), text)
        return "[%s] %s" % (listname[0], text) if listname else text

    def _head(self, thread, sender, date, message_id):
        zone = (-8, -5, 0, 1, 2, 9)[int(self.rng.random() * 6)]
        lines = [
            "Return-Path: <%s>" % sender.address,
            "Received: from mx.%s (mx [192.0.2.%d])\n\tby mail.lab.test with"
            " ESMTPS id %X;\n\t%s" % (
                sender.address.partition("@")[2], date % 250,
                self.count, email.utils.formatdate(date)),
            "Date: " + _date(date, zone),
            "From: " + sender.header,
            "To: " + ("%s <%s@lists.example>" % (
                thread.listname[1], thread.listname[0])
                if thread.listname else self.to),
            "Subject: " + ("Re: " if thread.ids else "") + thread.subject,
            "Message-ID: <%s>" % message_id]
        if thread.ids:
            lines.append("In-Reply-To: <%s>" % thread.ids[-1])
            lines.append("References: " + "\n ".join(
                "<%s>" % one for one in thread.ids))
        if thread.listname:
            name = thread.listname[0]
            lines += ["List-Id: <%s.lists.example>" % name,
                      "List-Post: <mailto:%s@lists.example>" % name]
        lines.append("MIME-Version: 1.0\n")
        return "\n".join(lines).encode()

    # Bodies.  Each begins with Content-Type.

    def _text(self, thread, style, most=6):
        rng = self.rng
        out = []
        if thread.ids:
            quoted = thread.people[int(rng.random() * len(thread.people))]
            out.append("%s wrote:\n" % quoted.name)
            out.append(style.quotes[int(rng.random() * PARAGRAPHS)])
            out.append("\n")
        for _ in range(1 + int(rng.random() ** 2 * most)):
            out.append(style.paragraphs[int(rng.random() * PARAGRAPHS)])
        out.append("-- \n%s\n" % thread.people[0].name)
        return "".join(out)

    def _part(self, subtype, text, style):
        encoding = style.encoding
        return (b"Content-Type: text/%s; charset=%s\n"
                b"Content-Transfer-Encoding: %s\n\n" % (
                    subtype.encode(), style.charset.encode(),
                    encoding.encode())
                + encode_body(text, style.charset, encoding))

    def _talk(self, thread, style):
        text = self._text(thread, style)
        if self.rng.random() < 0.6:
            return self._part("plain", text, style)
        html = "<html><body>%s</body></html>\n" % self._html(style, 3)
        return self._multipart("alternative", [
            self._part("plain", text, style), self._part("html", html, style)])

    def _list(self, thread, style):
        return self._part("plain", self._text(thread, style, 10), style)

    def _html(self, style, count):
        rng = self.rng
        return "".join(style.html[int(rng.random() * PARAGRAPHS)]
                       for _ in range(count))

    def _news(self, thread, style):
        cells = "".join(
            '<tr><td style="font-family:Arial,sans-serif;font-size:14px;'
            'color:#333333;padding:12px 24px"><h2>%d</h2>%s<a href='
            '"https://shop.example/c?id=%d&amp;u=42">%d %%</a></td></tr>\n' % (
                n, self._html(style, 6), self.count * 100 + n, n)
            for n in range(4 + int(self.rng.random() * 24)))
        html = ('<!DOCTYPE html><html><head><style>body{margin:0}</style>'
                '</head><body><img src="https://shop.example/open.gif?u=42"'
                ' width="1" height="1"><table width="600">%s</table>'
                '</body></html>\n' % cells)
        return (b"List-Unsubscribe: <https://shop.example/u/%d>\n"
                % self.count + self._multipart("alternative", [
                    self._part("plain", self._text(thread, style), style),
                    self._part("html", html, style)]))

    def _notice(self, thread, style):
        steps = "".join("step %2d  %-20s %6.2f s\n" % (
            n, self.rng.choice(words.ENGLISH), self.rng.random() * 90)
            for n in range(12))
        return (b"Auto-Submitted: auto-generated\n"
                b"Content-Type: text/plain\n\n" + steps.encode())

    def _patch(self, thread, style):
        lines = "".join("%s\t%s = %s(%s);\n" % (
            self.rng.choice("+- "), *self.rng.sample(words.ENGLISH, 3))
            for _ in range(30))
        return (b"Content-Type: text/plain; charset=utf-8\n\n"
                + self._text(thread, style, 2).encode()
                + b"\n---\ndiff --git a/x.c b/x.c\n--- a/x.c\n+++ b/x.c\n"
                b"@@ -1,30 +1,30 @@\n" + lines.encode())

    def _files(self, thread, style):
        name, kind = self.rng.choice(words.FILES)
        blob = self.blobs[int(self.rng.random() ** 1.2 * len(self.blobs))]
        return self._multipart("mixed", [
            self._part("plain", self._text(thread, style), style),
            b"Content-Type: %s; name=\"%s\"\n"
            b"Content-Disposition: attachment; filename*=utf-8''%s\n"
            b"Content-Transfer-Encoding: base64\n\n%s" % (
                kind.encode(), encoded_word(name).replace(
                    "\n ", " ").encode(),
                email.utils.quote(_percent(name)).encode(), blob)])

    def _multipart(self, subtype, parts):
        boundary = b"=_%d_%d" % (self.seed, self.count)
        return (b"Content-Type: multipart/%s; boundary=\"%s\"\n\n" % (
            subtype.encode(), boundary) + b"".join(
            b"--%s\n%s\n" % (boundary, part) for part in parts)
            + b"--%s--\n" % boundary)


def _percent(name):
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128
                   or chr(byte) in "-._" else "%%%02X" % byte
                   for byte in name.encode())


def _date(seconds, zone):
    """RFC 5322, in the sender's own zone."""
    text = email.utils.formatdate(seconds + zone * 3600)
    return "%s%+03d00" % (text[:-5], zone)
