"""What a pass can have to do, as a table of scenarios for sync_kill.py (D1).

A deed is a generator: it puts messages on the server, yields (a pass brings
them to the device), does what it is about on either side, and has said what
must be where in the end. A scenario is a few deeds at once, with the IMAP
extensions that are not used, and the number of different steps (base/fail.h)
that a pass of it goes through at least: with fewer it has gone blind."""

import os
from collections import namedtuple

from device import message

Scenario = namedtuple("Scenario", "name deeds without steps keep")


class Play:
    """One deed, played once: messages and folders with names of their own."""

    def __init__(self, server, device, prefix):
        self.server, self.device, self.prefix = server, device, prefix
        self.words = []         # what the user does, in one go
        self.expected = {}      # message id -> {folder: flags}
        self.twin = None        # the second account: (server, its name here)
        self.bodies_wanted = True
        self.number = 0

    def id(self, letter):
        return "%s%s@lab.test" % (self.prefix, letter)

    def folder(self, name):
        return "%s-%s" % (name, self.prefix)

    def mail(self, letter, body=None):
        self.number += 1
        received = ("Received: from x by y with LMTP id %s%s; "
                    "Mon, 23 Nov 2026 10:00:00 +0000\n" % (self.prefix, letter))
        return received.encode() + message(
            self.number, message_id=self.id(letter),
            body=body or "Body of %s.\n" % self.id(letter))

    # On the server, as another device

    def put(self, letters, folder="INBOX", flags=(), body=None, stays=True):
        for letter in letters:
            self.server.append(folder, self.mail(letter, body), flags)
            if stays:
                self.expect(letter, folder, *flags)

    def uids(self, letters, folder="INBOX"):
        return [uid for letter in letters for uid in self.server.uids(
            folder, 'HEADER Message-ID "<%s>"' % self.id(letter))]

    def flag(self, letters, *changes, folder="INBOX"):
        self.server.flag(folder, self.uids(letters, folder), *changes)

    def moved(self, letters, source, target):
        self.server.move(source, self.uids(letters, source), target)

    # On this device

    def do(self, *words):
        self.words.append(words)

    def mark(self, letters, flags="", add="", remove=""):
        for letter in letters:
            self.do("mark", self.id(letter), flags, add, remove)

    def append(self, letter, folder, flags="S", tags="", replaces=None,
               body=None):
        path = os.path.join(self.device.dir, self.id(letter) + ".eml")
        with open(path, "wb") as out:
            out.write(self.mail(letter, body))
        self.do("append", folder, path, flags, tags,
                *([self.id(replaces)] if replaces else []))

    def path(self, letter, folder="INBOX"):
        """Where the device keeps it."""
        cur = os.path.join(self.device.store, "mail", "lab", folder, "cur")
        wanted = ("<%s>" % self.id(letter)).encode()
        for name in os.listdir(cur):
            with open(os.path.join(cur, name), "rb") as mail:
                if wanted in mail.read(2000):
                    return os.path.join(cur, name)
        raise AssertionError("%s has no file" % self.id(letter))

    # In the end

    def expect(self, letter, folder, *flags):
        self.expected.setdefault(self.id(letter), {})[folder] = tuple(
            sorted(flags))

    def gone(self, letter):
        self.expected[self.id(letter)] = {}


# --- deeds

def new_mail(p):
    yield
    p.put("abc")
    p.put("d", flags=["\\Seen", "\\Flagged", "work"])


def new_batch(p):
    yield
    p.put([str(n) for n in range(12)], "Archive")


def new_large(p):
    yield
    p.put("a", body="x" * 71 + "\n" + ("y" * 71 + "\n") * 20000)
    p.put("b", "Archive", body=("z" * 71 + "\n") * 3000)


def new_everywhere(p):
    yield
    for number, folder in enumerate(("INBOX", "Archive", "Sent", "Junk")):
        p.put(str(number), folder)


def twice_the_same(p):
    """One content in two folders is one message with one file's bytes."""
    yield
    p.put("a", "INBOX")
    p.server.copy("INBOX", p.uids("a"), "Archive")
    p.expect("a", "Archive")


def flags_here(p):
    p.put("abc")
    yield
    p.mark("ab", "+seen +flagged")
    p.mark("c", "+answered")
    for letter in "ab":
        p.expect(letter, "INBOX", "\\Flagged", "\\Seen")
    p.expect("c", "INBOX", "\\Answered")


def flags_there(p):
    p.put("abc")
    yield
    p.flag("ab", "+\\Answered")
    p.flag("c", "+\\Seen")
    for letter in "ab":
        p.expect(letter, "INBOX", "\\Answered")
    p.expect("c", "INBOX", "\\Seen")


def flags_both(p):
    p.put("ab", flags=["\\Seen"])
    yield
    p.mark("a", "+flagged -seen")
    p.flag("a", "+\\Answered")
    p.mark("b", "+answered")
    p.flag("b", "-\\Seen")
    p.expect("a", "INBOX", "\\Answered", "\\Flagged")
    p.expect("b", "INBOX", "\\Answered")


def tags_here(p):
    p.put("ab", flags=["old"])
    yield
    p.mark("a", add="todo later")
    p.mark("b", remove="old")
    p.expect("a", "INBOX", "old", "todo", "later")
    p.expect("b", "INBOX")


def tags_there(p):
    p.put("ab", flags=["old"])
    yield
    p.flag("a", "+work")
    p.flag("b", "-old")
    p.mark("b", add="mine")
    p.expect("a", "INBOX", "old", "work")
    p.expect("b", "INBOX", "mine")


def forwarded(p):
    p.put("a")
    yield
    p.mark("a", "+forwarded")
    p.expect("a", "INBOX", "$Forwarded")


def all_marked(p):
    p.put("abcdefgh", "Junk", stays=False)
    yield
    p.do("markall", "Junk", "S")
    for letter in "abcdefgh":
        p.expect(letter, "Junk", "\\Seen")


def moves_here(p):
    p.put("abc", stays=False)
    yield
    for letter in "abc":
        p.do("move", p.id(letter), "INBOX", "Archive")
        p.expect(letter, "Archive")


def moved_and_marked(p):
    p.put("a", stays=False)
    yield
    p.do("move", p.id("a"), "INBOX", "Archive")
    p.mark("a", "+answered +seen", add="done")
    p.expect("a", "Archive", "\\Answered", "\\Seen", "done")


def moved_on(p):
    """And one that comes back before anybody knew."""
    p.put("ab", stays=False)
    yield
    p.do("move", p.id("a"), "INBOX", "Archive")
    p.do("move", p.id("a"), "Archive", "Junk")
    p.do("move", p.id("b"), "INBOX", "Archive")
    p.do("move", p.id("b"), "Archive", "INBOX")
    p.expect("a", "Junk")
    p.expect("b", "INBOX")


def moves_there(p):
    p.put("abc", stays=False)
    yield
    p.moved("abc", "INBOX", "Archive")
    for letter in "abc":
        p.expect(letter, "Archive")


def moved_there_marked_here(p):
    p.put("a", stays=False)
    yield
    p.moved("a", "INBOX", "Archive")
    p.mark("a", "+flagged")
    p.expect("a", "Archive", "\\Flagged")


def moved_apart(p):
    """Here to one folder, there to another: the one who was first wins."""
    p.put("a", stays=False)
    yield
    p.moved("a", "INBOX", "Archive")
    p.do("move", p.id("a"), "INBOX", "Junk")
    p.expect("a", "Archive")


def copies_here(p):
    p.put("ab")
    yield
    for letter in "ab":
        p.do("copy", p.id(letter), "INBOX", "Archive")
        p.expect(letter, "Archive")


def copies_there(p):
    p.put("ab")
    yield
    p.server.copy("INBOX", p.uids("ab"), "Archive")
    for letter in "ab":
        p.expect(letter, "Archive")


def deletes_here(p):
    p.put("ab", stays=False)
    yield
    for letter in "ab":
        p.do("delete", p.id(letter), "INBOX")
        p.expect(letter, "Trash")


def expunges_here(p):
    p.put("abc", stays=False)
    yield
    p.do("expunge", "INBOX", *(p.id(letter) for letter in "abc"))
    for letter in "abc":
        p.gone(letter)


def expunges_there(p):
    p.put("abc", stays=False)
    yield
    p.server.expunge("INBOX", p.uids("abc"))
    for letter in "abc":
        p.gone(letter)


def expunged_there_marked_here(p):
    p.put("a", stays=False)
    yield
    p.mark("a", "+flagged")
    p.server.expunge("INBOX", p.uids("a"))
    p.gone("a")


def uploads(p):
    yield
    p.append("a", "Sent")
    p.append("b", "Sent", "SR", "note")
    p.append("c", "Archive", "")
    p.expect("a", "Sent", "\\Seen")
    p.expect("b", "Sent", "\\Answered", "\\Seen", "note")
    p.expect("c", "Archive")


def uploads_large(p):
    yield
    p.append("a", "Sent", body=("w" * 71 + "\n") * 15000)
    p.expect("a", "Sent", "\\Seen")


def drafts(p):
    yield
    p.append("a", "Drafts", "DS")
    p.append("b", "Drafts", "DS", "note")
    p.expect("a", "Drafts", "\\Draft", "\\Seen")
    p.expect("b", "Drafts", "\\Draft", "\\Seen", "note")


def draft_replaced(p):
    p.put("a", "Drafts", flags=["\\Draft", "\\Seen"], stays=False)
    yield
    p.append("b", "Drafts", "DS", "", replaces="a")
    p.gone("a")
    p.expect("b", "Drafts", "\\Draft", "\\Seen")


def upload_moved(p):
    """Filed before the server ever heard of it."""
    yield
    p.append("a", "Sent")
    p.do("move", p.id("a"), "Sent", "Archive")
    p.expect("a", "Archive", "\\Seen")


def folder_made_here(p):
    p.put("a", stays=False)
    yield
    p.do("folder", "create", p.folder("Made"))
    p.do("move", p.id("a"), "INBOX", p.folder("Made"))
    p.expect("a", p.folder("Made"))


def folder_made_there(p):
    yield
    p.server.create(p.folder("There"))
    p.put("ab", p.folder("There"), flags=["\\Seen"])


def folder_renamed_here(p):
    p.server.create(p.folder("Before"))
    p.put("ab", p.folder("Before"), stays=False)
    yield
    p.do("folder", "rename", p.folder("Before"), p.folder("After"))
    p.mark("a", "+flagged")
    p.expect("a", p.folder("After"), "\\Flagged")
    p.expect("b", p.folder("After"))


def folder_renamed_there(p):
    p.server.create(p.folder("Erst"))
    p.put("ab", p.folder("Erst"), stays=False)
    yield
    p.server.rename(p.folder("Erst"), p.folder("Dann"))
    p.server.subscribe(p.folder("Dann"))
    p.mark("a", "+flagged")
    p.expect("a", p.folder("Dann"), "\\Flagged")
    p.expect("b", p.folder("Dann"))


def folder_deleted_here(p):
    p.server.create(p.folder("Old"))
    p.put("ab", p.folder("Old"), stays=False)
    yield
    p.do("folder", "delete", p.folder("Old"))
    p.gone("a")
    p.gone("b")


def folder_deleted_there(p):
    p.server.create(p.folder("Gone"))
    p.put("ab", p.folder("Gone"), stays=False)
    yield
    p.server.select("INBOX")
    p.server.delete(p.folder("Gone"))
    p.gone("a")
    p.gone("b")


def folder_nested(p):
    """Below another, and its name not in ASCII."""
    yield
    p.server.create(p.folder("Äste"))
    p.put("a", p.folder("Äste"))
    p.do("folder", "create", p.folder("Blätter"))
    p.append("b", p.folder("Blätter"))
    p.expect("b", p.folder("Blätter"), "\\Seen")


def numbered_anew(p):
    """Another UIDVALIDITY for the same messages, with changes here."""
    name = p.folder("Lists")
    p.server.create(name)
    p.put("abcd", name, stays=False)
    yield
    p.mark("a", "+seen", add="work")
    p.do("move", p.id("b"), name, "Archive")
    old = name + "x"
    p.server.rename(name, old)
    p.server.create(name)
    p.server.copy(old, p.server.uids(old), name)
    p.server.select("INBOX")
    p.server.delete(old)
    p.expect("a", name, "\\Seen", "work")
    p.expect("b", "Archive")
    p.expect("c", name)
    p.expect("d", name)


def other_flags(p):
    p.put("ab")
    yield
    for letter, flags in (("a", "FS"), ("b", "R")):
        path = p.path(letter)
        os.rename(path, path.split(":")[0] + ":2," + flags)
    p.flag("b", "+\\Flagged")
    p.expect("a", "INBOX", "\\Flagged", "\\Seen")
    p.expect("b", "INBOX", "\\Answered", "\\Flagged")


def other_delivers(p):
    p.put("b")          # so that the Maildir is there
    yield
    name = os.path.join(p.device.store, "mail", "lab", "INBOX")
    with open(os.path.join(name, "new", "1.%s.other" % p.prefix), "wb") as out:
        out.write(p.mail("a"))
    p.expect("a", "INBOX")


def other_removes(p):
    p.put("a", stays=False)
    yield
    os.unlink(p.path("a"))
    p.gone("a")


def other_moves(p):
    p.put("a", stays=False)
    p.put("b", "Archive")
    yield
    path = p.path("a")
    os.rename(path, path.replace("/INBOX/cur/", "/Archive/cur/"))
    p.expect("a", "Archive")


def small_only(p):
    """A body that is larger than the policy stays on the server."""
    p.bodies_wanted = False
    p.put("ab")
    yield
    p.put("c")
    p.put("d", body="x" * 40 + "\n" + ("y" * 71 + "\n") * 400)
    p.mark("a", "+seen")
    p.expect("a", "INBOX", "\\Seen")


def to_other_account(p):
    p.put("ab", stays=False)
    yield
    p.do("move", p.id("a"), "INBOX", p.twin + "Archive")
    p.do("copy", p.id("b"), "INBOX", p.twin + "Archive")
    p.expect("a", p.twin + "Archive")
    p.expect("b", "INBOX")
    p.expect("b", p.twin + "Archive")


MOVING = [moves_here, moved_and_marked, moved_on]
REMOVING = [deletes_here, expunges_here]
BOTH_WAYS = [new_mail, flags_here, flags_there, moves_here, moves_there]
OLD = "QRESYNC CONDSTORE"


def _table():
    """(name, deeds, without, steps, keep)"""
    rows = []

    def row(steps, *deeds, without="", keep="", name=None):
        rows.append(Scenario(
            name or ", ".join(d.__name__.replace("_", " ") for d in deeds)
            + (" without " + without if without else ""),
            deeds, without, steps, keep))

    row(17, new_mail)
    row(17, new_mail, without=OLD)
    row(17, new_batch)
    row(17, new_large)
    row(17, new_everywhere)
    row(17, twice_the_same)
    row(12, flags_here)
    row(12, flags_here, without="QRESYNC")
    row(12, flags_here, without=OLD)
    row(10, flags_there)
    row(10, flags_there, without="QRESYNC")
    row(10, flags_there, without=OLD)
    row(13, flags_both)
    row(13, flags_both, without=OLD)
    row(10, tags_here)
    row(11, tags_there)
    row(12, forwarded)
    row(12, all_marked)
    for without in ("", "MOVE", "UIDPLUS", "MOVE UIDPLUS",
                    "MOVE UIDPLUS " + OLD):
        row(11, moves_here, without=without)
    for without in ("", "MOVE", "MOVE UIDPLUS"):
        row(16, moved_and_marked, without=without)
    row(11, moved_on)
    row(15, moved_on, without="MOVE UIDPLUS")
    row(14, moves_there)
    row(14, moves_there, without="QRESYNC")
    row(14, moves_there, without=OLD)
    row(18, moved_there_marked_here)
    row(15, moved_apart)
    row(11, copies_here)
    row(11, copies_here, without="UIDPLUS")
    row(12, copies_there)
    row(11, deletes_here)
    row(15, deletes_here, without="MOVE UIDPLUS")
    row(17, expunges_here)
    row(17, expunges_here, without="UIDPLUS")
    row(12, expunges_there)
    row(12, expunges_there, without="QRESYNC")
    row(13, expunges_there, without=OLD)
    row(12, expunged_there_marked_here)
    row(12, uploads)
    row(12, uploads, without="UIDPLUS")
    row(12, uploads_large, without="LITERAL+")
    row(12, drafts)
    row(22, draft_replaced)
    row(22, draft_replaced, without="UIDPLUS")
    row(12, upload_moved)
    row(12, folder_made_here)
    row(17, folder_made_there)
    row(16, folder_renamed_here)
    row(16, folder_renamed_there)
    row(14, folder_deleted_here)
    row(12, folder_deleted_there)
    row(23, folder_nested)
    row(18, numbered_anew)
    row(18, numbered_anew, without="UIDPLUS " + OLD)
    row(14, other_flags)
    row(14, other_delivers)
    row(12, other_removes)
    row(13, other_moves)
    row(20, small_only, keep="0 4000")
    row(12, to_other_account)
    row(29, *BOTH_WAYS, name="both ways")
    row(32, *BOTH_WAYS, without="MOVE UIDPLUS " + OLD,
        name="both ways on an old server")
    row(28, *MOVING, *REMOVING, uploads, copies_here, name="a busy user")
    return rows


TABLE = _table()
