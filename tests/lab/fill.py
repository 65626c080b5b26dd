"""A corpus straight into Dovecot's mailbox store, fast enough for 100,000
messages; afterwards the server is asked to take it in.  Cyrus gets it through
the front door, many messages a command."""

import imaplib
import itertools
import os
import ssl
import time

from corpus import Corpus
from spec import LabError

KEYWORDS = ["$Forwarded"]
FLAGS = {"D": "Draft", "F": "Flagged", "R": "Answered", "S": "Seen",
         "T": "Deleted"}
APPEND_AT_ONCE = 200


def fill(spec, user, count, folder="INBOX", seed=1, kind="mixed"):
    """Adds count messages; returns (messages now there, seconds taken).

    folder is a name in plain ASCII; one that does not exist is made.
    """
    person = spec.user(user)
    begun = time.monotonic()
    with _login(spec, person) as imap:
        if folder != "INBOX":
            imap.create('"%s"' % folder)
            imap.subscribe('"%s"' % folder)
        imap.select('"%s"' % folder)
        imap.unselect()
        corpus = Corpus(seed, person["address"], kind)
        if spec.imap_server == "cyrus":
            _append(imap, folder, corpus.mails(count))
        else:
            _put_into_store(spec, user, folder, corpus.mails(count), seed)
        status, data = imap.select('"%s"' % folder, readonly=True)
        if status != "OK":
            raise LabError("the server does not take %s in: %r"
                           % (folder, data))
        return int(data[0]), time.monotonic() - begun


def _put_into_store(spec, user, folder, mails, seed):
    root = spec.var("mail", spec.user(user)["name"], "Maildir")
    if folder != "INBOX":
        root = os.path.join(root, *folder.split("/"))
    if not os.path.isdir(os.path.join(root, "cur")):
        raise LabError("%s has no folder %s" % (user, folder))
    _write(root, mails, seed, spec.mail_ids())


def _append(imap, folder, mails):
    """MULTIAPPEND with LITERAL+ (RFC 3502, RFC 7888)."""
    while True:
        command = [b'%s APPEND "%s"' % (imap._new_tag(), folder.encode())]
        for mail in itertools.islice(mails, APPEND_AT_ONCE):
            words = ["\\" + FLAGS[letter] for letter in mail.flags]
            data = mail.data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            command.append(b" (%s) %s {%d+}\r\n%s" % (
                " ".join(words + list(mail.keywords)).encode(),
                imaplib.Time2Internaldate(mail.date).encode(), len(data), data))
        if len(command) == 1:
            return
        imap.send(b"".join(command) + b"\r\n")
        status, data = imap._command_complete("APPEND", command[0].split()[0])
        if status != "OK":
            raise LabError("the server does not take the mail: %r" % data)


def _login(spec, person):
    context = ssl.create_default_context(cafile=spec.ca)
    imap = imaplib.IMAP4_SSL(spec.host, spec.ports["imaps"],
                             ssl_context=context)
    imap.login(person["name"], person["password"])
    return imap


def _write(root, mails, seed, owner):
    letters = _keyword_letters(root, owner)
    fresh = os.path.join(root, "tmp", "fill")
    cur = os.path.join(root, "cur")
    # Dovecot numbers new files by the time in their names; a second fill
    # comes after the first.
    base = int(time.time())
    for number, mail in enumerate(mails):
        data = mail.data
        flags = mail.flags + "".join(
            letters[word] for word in mail.keywords if word in letters)
        name = "%d.M%06dP%dQ%d.lab,S=%d,W=%d:2,%s" % (
            base + number // 1000000, number % 1000000, seed, number,
            len(data), len(data) + data.count(b"\n"), flags)
        fd = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view):]
            os.utime(fd, (mail.date, mail.date))
            if os.geteuid() == 0:
                os.fchown(fd, *owner)
        finally:
            os.close(fd)
        os.rename(fresh, os.path.join(cur, name))


def _keyword_letters(root, owner):
    """Which letter a keyword has in file names (dovecot-keywords); only in a
    folder that has none yet."""
    path = os.path.join(root, "dovecot-keywords")
    if os.path.exists(path):
        return {}
    with open(path, "w") as out:
        for number, word in enumerate(KEYWORDS):
            out.write("%d %s\n" % (number, word))
    if os.geteuid() == 0:
        os.chown(path, *owner)
    return {word: chr(ord("a") + n) for n, word in enumerate(KEYWORDS)}
