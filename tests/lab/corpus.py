#!/usr/bin/env python3
"""Realistic mail out of a seed: the same seed gives the same bytes.

    for mail in Corpus(seed=1, to="ana@lab.test").mails(10000): mail.data, …

Conversations that quote what they answer, some of them with answers of her
own; lists, and threads that go over two of them; newsletters in HTML as
their makers make it, notices with logs, patches, attachments; eight
languages (prose.py) in the charsets they come in; some thousand people of
whom a few write most.  Sizes as in a real mailbox: half of the mail is below
4 kB, the mean is about 20 kB, as attachments and newsletters weigh.
kind="small" leaves the heavy ones out (mean 3 kB) for tests that count
messages.  mail.folder says where she would keep it.

A message costs 0.15 to 0.3 ms.
"""

import base64
import contextlib
import email.utils
import itertools
import random
import sys
from collections import namedtuple

import prose
import words
from letters import LETTERS, Style

Mail = namedtuple("Mail", "data date flags keywords message_id folder")
Person = namedtuple("Person", "header address name host signature")


class Thread:
    def __init__(self, kind, subject, style, people, lists):
        self.kind = kind
        self.subject = subject
        self.style = style
        self.people = people
        self.lists = lists
        self.posts = []             # the last ones: (id, its references)
        self.answered = None        # what the next one answers, of them
        self.said = []              # lines of the last message
        self.by = None              # who wrote it

    def choose(self, rng):
        """What is answered next: mostly the last one."""
        if self.posts:
            self.answered = self.posts[-1 if rng.random() < 0.7 else int(
                rng.random() * len(self.posts))]

    def add(self, message_id, said, by):
        before = (*self.answered[1], self.answered[0]) if self.answered else ()
        self.posts.append((message_id, before[-REFERENCES:]))
        del self.posts[:-REFERENCES]
        self.said, self.by = said, by


# Shares of new threads by kind, in percent.  Conversations grow afterwards:
# in the end newsletters are some 12 % of the mail, attachments 6 %.
MIXED = [("talk", 28), ("list", 14), ("news", 28), ("notice", 13),
         ("patch", 2), ("files", 15)]
SMALL = [("talk", 58), ("list", 30), ("notice", 9), ("patch", 3)]
GROW = ("talk", "list", "patch")
PEOPLE = {"en": 1400, "de": 400}                # others:
FEW_PEOPLE = 150
HOSTS = 400
START = 1609459200              # 2021-01-01
YEARS = 5.5 * 365 * 86400
OPEN_THREADS = 300
ANSWERS = 0.6                   # mail in a thread that is there
REFERENCES = 10


def encoded_word(text):
    """A header's text, in encoded words of at most 75 characters when it
    needs them (RFC 2047)."""
    if text.isascii():
        return text
    coded = ["=?utf-8?B?%s?=" % base64.b64encode(
        text[i:i + 12].encode()).decode() for i in range(0, len(text), 12)]
    return "\n ".join(coded)


class Corpus:
    def __init__(self, seed=1, to="ana@lab.test", kind="mixed"):
        self.seed = seed
        self.to = to
        self.rng = random.Random("%s %s %s" % (seed, to, kind))
        self.languages = list(words.LANGUAGES)
        self.shares = list(itertools.accumulate(
            words.LANGUAGES[name][0] for name in self.languages))
        self.hosts = self._hosts()
        self.people, self.weights = {}, {}
        self.me = Person("Ana Ruiz <%s>" % to, to, "Ana Ruiz",
                         to.partition("@")[2], "Ana\n")
        table = MIXED if kind == "mixed" else SMALL
        self.kinds = [name for name, _ in table]
        self.kind_shares = list(itertools.accumulate(
            share for _, share in table))
        self.threads = []
        self.count = 0

    def _hosts(self):
        rng, english = self.rng, prose.language("en")
        found = list(words.HOSTS)
        while len(found) < HOSTS:
            found.append(prose.plain(english.rare(rng))[:12]
                         + rng.choice(words.TOP))
        return found

    def _people(self, language):
        """Those who write in it.  The first write most."""
        if language not in self.people:
            count = PEOPLE.get(language, FEW_PEOPLE)
            self.people[language] = [self._person(language)
                                     for _ in range(count)]
            self.weights[language] = list(itertools.accumulate(
                1 / (n + 5) for n in range(count)))
        return self.people[language], self.weights[language]

    def _person(self, language):
        rng, speech = self.rng, prose.language(language)
        own = rng.random() < 0.3
        name = "%s %s" % (
            rng.choice(words.FIRST[language]) if own else speech.name(rng),
            rng.choice(words.LAST[language]) if own or rng.random() < 0.3
            else speech.name(rng))
        host = self.hosts[int(rng.random() ** 3 * len(self.hosts))]
        local = ".".join(filter(None, (
            "".join(c for c in word.lower() if c.isascii() and c.isalpha())
            for word in name.split())))
        address = "%s@%s" % (local + (
            str(rng.randint(1, 99)) if rng.random() < 0.4 or not local
            else ""), host)
        signature = [name]
        if rng.random() < 0.5:
            signature.append(speech.words(rng, 3).strip(","))
        if rng.random() < 0.4:
            signature.append("+%d %d %d" % (rng.randint(1, 99), rng.randint(
                100, 999), rng.randint(100000, 9999999)))
        if rng.random() < 0.4:
            signature.append("https://%s/" % host)
        return Person("%s <%s>" % (encoded_word(name), address), address,
                      name, host, "\n".join(signature) + "\n")

    def mails(self, count):
        """Yields count mails, oldest first."""
        step = YEARS / max(count, 1)
        for number in range(count):
            yield self._mail(START + int(
                (number + self.rng.random()) * step))

    def _mail(self, date):
        rng = self.rng
        self.count += 1
        if self.threads and rng.random() < ANSWERS:
            # Mostly one of those that were begun lately.
            thread = self.threads[-1 - int(rng.random() ** 1.5
                                           * len(self.threads))]
        else:
            thread = self._new_thread()
        thread.choose(rng)
        mine = bool(thread.posts) and not thread.lists and rng.random() < 0.2
        sender = self.me if mine else thread.people[
            int(rng.random() ** 1.3 * len(thread.people))]
        message_id = self._message_id(sender, date)
        lines, said = LETTERS[thread.kind](self, thread, sender)
        data = self._head(thread, sender, date, message_id) + lines
        if thread.kind in GROW:
            thread.add(message_id, said, sender)
        return Mail(data, date, *self._marks(date, mine), message_id,
                    self._folder(thread, mine))

    def _marks(self, date, mine):
        dice = self.rng.random
        age = 1 - (date - START) / YEARS
        flags = ("F" if dice() < 0.03 else "") + (
            "R" if dice() < 0.12 else "") + (
            "S" if dice() < 0.75 + age / 4 or mine else "")
        return flags, ["$Forwarded"] if dice() < 0.01 else []

    def _folder(self, thread, mine):
        if mine:
            return "Sent"
        if thread.lists:
            return "Lists/" + thread.lists[0][0]
        return "Archive" if thread.kind == "notice" else "INBOX"

    def _message_id(self, sender, date):
        return "%x.%d.%d.%08x@%s" % (date, self.count, self.seed,
                                     self.rng.getrandbits(32), sender.host)

    def _new_thread(self):
        rng = self.rng
        kind = rng.choices(self.kinds, cum_weights=self.kind_shares)[0]
        language = rng.choices(self.languages, cum_weights=self.shares)[0]
        everybody, weights = self._people(language)
        people = rng.choices(everybody, cum_weights=weights, k=1 if kind in (
            "news", "notice", "files") else rng.randint(2, 6))
        lists = rng.sample(words.LISTS, 2 if rng.random() < 0.1 else 1
                           ) if kind in ("list", "patch") else []
        style = Style(language, *rng.choice(words.LANGUAGES[language][2]))
        subject = self._subject(kind, style.prose, lists)
        thread = Thread(kind, encoded_word(subject), style, people, lists)
        if kind in GROW:
            self.threads.append(thread)
            if len(self.threads) > OPEN_THREADS:
                self.threads.pop(0)
        return thread

    def _subject(self, kind, speech, lists):
        rng = self.rng
        text = speech.words(rng, rng.randint(2, 7)).rstrip(",")[:150]
        if rng.random() < 0.2 and not speech.wide:
            text += " " + speech.rare(rng)
        text = text[:1].upper() + text[1:]
        if kind == "news":
            return "%s: %s" % (rng.choice(words.SHOPS), text)
        if kind == "notice":
            return "[%s #%d] %s" % (rng.choice(["build", "deploy", "backup"]),
                                    rng.randint(1000, 99999),
                                    rng.choice(["passed", "failed"]))
        if kind == "patch":
            return "[PATCH %d/%d] %s: %s" % (
                rng.randint(1, 4), 4, rng.choice(["net", "mm", "fs"]), text)
        return "[%s] %s" % (lists[0][0], text) if lists else text

    def _head(self, thread, sender, date, message_id):
        rng = self.rng
        zone = (-8, -5, 0, 1, 2, 9)[int(rng.random() * 6)]
        when = email.utils.formatdate(date)
        mark = "%012X" % rng.getrandbits(48)
        lines = [
            "Return-Path: <%s>" % sender.address,
            "Received: from mx%d.%s (mx%d.%s [192.0.2.%d])\n\tby "
            "mail.lab.test with ESMTPS id %s\n\tfor <%s>;\n\t%s" % (
                date % 4, sender.host, date % 4, sender.host, date % 250,
                mark, self.to, when),
            "Received: from [198.51.100.%d] (unknown)\n\tby mx%d.%s with "
            "ESMTPSA id %s;\n\t%s" % (date % 251, date % 4, sender.host,
                                      mark[::-1], when),
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s;\n\t"
            "s=mail2024; h=from:to:subject:date:message-id;\n\tbh=%s=;\n\tb=%s"
            % (sender.host, _random_text(rng, 43), "\n\t ".join(
                _random_text(rng, 70) for _ in range(4))),
            "Date: " + _date(date, zone),
            "From: " + sender.header]
        lines += self._recipients(thread, sender)
        lines += ["Subject: " + ("Re: " if thread.answered else "")
                  + thread.subject, "Message-ID: <%s>" % message_id]
        if thread.answered:
            parent, before = thread.answered
            lines.append("In-Reply-To: <%s>" % parent)
            lines.append("References: " + "\n ".join(
                "<%s>" % one for one in (*before, parent)))
        if thread.lists:
            name = thread.lists[0][0]
            lines += ["List-Id: %s <%s.lists.example>" % (
                          thread.lists[0][1], name),
                      "List-Post: <mailto:%s@lists.example>" % name,
                      "List-Unsubscribe: <mailto:%s-leave@lists.example>"
                      % name, "Precedence: list"]
        lines.append("MIME-Version: 1.0\n")
        return "\n".join(lines).encode()

    def _recipients(self, thread, sender):
        to = ["%s <%s@lists.example>" % (text, name)
              for name, text in thread.lists]
        others = [person.header for person in dict.fromkeys(thread.people)
                  if person is not sender][:4]
        if sender is self.me:
            to += others or [thread.people[0].header]
            others = []
        elif not to:
            to = [self.me.header]
        return ["To: " + ",\n ".join(to)] + (
            ["Cc: " + ",\n ".join(others)] if others else [])


BASE64 = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
          "+/")
SCRAP = "".join(random.Random("scrap").choices(BASE64, k=1 << 16))


def _random_text(rng, length):
    at = int(rng.random() * (len(SCRAP) - length))
    return SCRAP[at:at + length]


def _date(seconds, zone):
    """RFC 5322, in the sender's own zone."""
    text = email.utils.formatdate(seconds + zone * 3600)
    return "%s%+03d00" % (text[:-5], zone)


def stream(out, count, seed=1, kind="mixed"):
    """As tests/bench/fillstore reads it (its first lines say how)."""
    for mail in Corpus(seed, kind=kind).mails(count):
        out.write(b"%d %s %s %d %s\n" % (
            mail.date, mail.flags.encode() or b"-",
            ",".join(mail.keywords).encode() or b"-", len(mail.data),
            mail.folder.encode()))
        out.write(mail.data)


def main(arguments):
    if not 2 <= len(arguments) <= 4 or arguments[3:] not in (
            [], ["small"], ["mixed"]):
        sys.exit("usage: corpus.py COUNT [SEED [small]] | fillstore DIR")
    with contextlib.suppress(BrokenPipeError):
        stream(sys.stdout.buffer, *map(int, arguments[1:3]),
               *arguments[3:])


if __name__ == "__main__":
    main(sys.argv)
