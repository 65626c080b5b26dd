#!/usr/bin/env python3
"""Two devices and another client on one account: whatever is done on any of
them is equal everywhere after each device has synchronised, with each feature
of the server switched off in turn, each pair of them, and all off.

By default nothing, two that matter most, two pairs by chance (POSTRIDER_SEED
repeats them) and all; the whole with POSTRIDER_LONG."""

import itertools
import os
import random

from device import Device, message, quiet
from harness import World, equal, lab_world, main, note, test

FEATURES = sorted(lab_world.dovecot.FEATURES)
SINGLE = [[word] for word in FEATURES]
PAIRS = [list(pair) for pair in itertools.combinations(FEATURES, 2)]


class Story:
    """One account, its two devices, and the server's own view."""

    def __init__(self, world, user):
        self.server = world.oracle(user)
        self.one = Device(world, user)
        self.two = Device(world, user)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.one.__exit__()
        self.two.__exit__()
        self.server.close()

    def settle(self):
        """Each syncs; the first once more, to hear of the second; then all
        three agree and a further pass changes nothing."""
        self.one.sync()
        self.two.sync()
        self.one.sync()
        truth = self.server.snapshot()
        for device in (self.one, self.two):
            equal(device.snapshot(), truth)
            device.check()
        for device in (self.two, self.one):
            quiet(device.sync())
        equal(self.server.snapshot(), truth, "after a quiet pass")
        return truth


def flags_of(truth, folder, number):
    return dict(truth[folder]).get("m%d@lab.test" % number)


def ids(truth, folder):
    return [row[0] for row in truth[folder]]


def tell(story):
    one, two, server = story.one, story.two, story.server
    for number in range(1, 13):
        server.append("INBOX", message(number))
    one.sync()
    two.sync()
    equal(len(one.list()), 12)
    equal(one.snapshot(), two.snapshot())
    assert all(row["cached"] and row["preview"] == "Hello."
               for row in one.list())

    # Each flag on either device, and by the other client.
    for number, flag in enumerate(["+seen", "+answered", "+flagged",
                                   "+deleted", "+draft", "+forwarded"], 1):
        (one if number % 2 else two).mark("m%d@lab.test" % number, flag)
    server.flag("INBOX", server.uids("INBOX", "SUBJECT \"message 7\""),
                "+\\Flagged", "+shared")
    truth = story.settle()
    equal([flags_of(truth, "INBOX", n) for n in range(1, 8)], [
        ("\\Seen",), ("\\Answered",), ("\\Flagged",), ("\\Deleted",),
        ("\\Draft",), ("$Forwarded",), ("\\Flagged", "shared")])

    # Flags taken away, and the same message changed on all sides at once.
    one.mark("m1@lab.test", "-seen +flagged")
    two.mark("m1@lab.test", "+answered", add="phone")
    server.flag("INBOX", server.uids("INBOX", "SUBJECT \"message 1\"")[:1],
                "+\\Draft")
    one.mark("m4@lab.test", "-deleted")
    truth = story.settle()
    equal(flags_of(truth, "INBOX", 1),
          ("\\Answered", "\\Draft", "\\Flagged", "phone"))
    equal(flags_of(truth, "INBOX", 4), ())

    # Tags: what no atom may hold goes as modified UTF-7, and comes back.
    one.mark("m2@lab.test", add="Übung R&D todo")
    two.mark("m3@lab.test", add="(draft)")
    one.sync()
    two.sync()
    one.sync()
    tags = {row["id"]: row["tags"] for row in two.list()}
    equal(tags["m2@lab.test"], "R&D todo Übung")
    equal({row["id"]: row["tags"] for row in one.list()}, tags)
    for flags in server.snapshot()["INBOX"]:
        assert all(word.isascii() for word in flags[1])
    two.mark("m2@lab.test", remove="Übung R&D")
    one.mark("m3@lab.test", remove="(draft)")
    story.settle()

    # Moves and copies on either side, and by the other client.
    # A mark that is taken back after the move stays away.
    one.mark("m5@lab.test", "+flagged", add="brief")
    one.move("m5@lab.test", "INBOX", "Archive")
    one.mark("m5@lab.test", "-flagged", remove="brief")
    two.move("m6@lab.test", "INBOX", "Trash")
    one.copy("m7@lab.test", "INBOX", "Archive")
    server.move("INBOX", server.uids("INBOX", "SUBJECT \"message 8\""),
                "Archive")
    truth = story.settle()
    equal(ids(truth, "Archive"),
          ["m5@lab.test", "m7@lab.test", "m8@lab.test"])
    equal(flags_of(truth, "Archive", 5), ("\\Draft",))
    equal(flags_of(truth, "Archive", 7), ("\\Flagged", "shared"))
    equal(ids(truth, "Trash"), ["m6@lab.test"])

    # The same message moved to different places at once lies in one of them.
    one.move("m9@lab.test", "INBOX", "Archive")
    two.move("m9@lab.test", "INBOX", "Trash")
    truth = story.settle()
    places = [f for f in truth if "m9@lab.test" in ids(truth, f)]
    equal(len(places), 1, "places of a message that was moved twice")

    # Moved here and back there; moved on before the first pass.
    one.move("m10@lab.test", "INBOX", "Archive")
    one.move("m10@lab.test", "Archive", "Junk")
    one.mark("m10@lab.test", "+flagged")
    truth = story.settle()
    equal([f for f in truth if "m10@lab.test" in ids(truth, f)], ["Junk"])
    equal(flags_of(truth, "Junk", 10), ("\\Flagged",))

    # Deleted: to Trash, and from there for good; and by the other client.
    one.delete("m11@lab.test", "INBOX")
    server.expunge("INBOX", server.uids("INBOX", "SUBJECT \"message 12\""))
    two.delete("m6@lab.test", "Trash")
    truth = story.settle()
    equal(ids(truth, "Trash").count("m11@lab.test"), 1)
    assert "m6@lab.test" not in ids(truth, "Trash")
    assert "m12@lab.test" not in ids(truth, "INBOX")

    # A draft, edited twice, once on each device; and a sent copy.
    one.append("Drafts", message(20, body="First.\n"), "DS")
    story.settle()
    two.append("Drafts", message(21, body="Second.\n"), "DS",
               replaces="m20@lab.test")
    one.append("Sent", message(22, subject="sent"), "S", "mine")
    truth = story.settle()
    equal(truth["Drafts"], [("m21@lab.test", ("\\Draft", "\\Seen"))])
    equal(truth["Sent"], [("m22@lab.test", ("\\Seen", "mine"))])

    # Everything that came down is what was put up.
    for device in (one, two):
        sums = {}
        for row in device.list():
            assert row["cached"], row
            sums.setdefault(row["id"], set()).add(row["sum"])
        equal([i for i, s in sums.items() if len(s) != 1], [])
        equal(len(device.files()), len(device.list()))


def register(off):
    @test("two devices and a server, without " + (", ".join(off) or "nothing"))
    def two_devices():
        with World(off=off, smtp="aiosmtpd", count=1) as world:
            with Story(world, "ana") as story:
                tell(story)


if "POSTRIDER_LONG" in os.environ:
    variants = SINGLE + PAIRS
else:
    seed = int(os.environ.get("POSTRIDER_SEED") or random.randrange(1 << 30))
    note("pairs of seed %d" % seed)
    variants = [["qresync"], ["move", "uidplus"]] + random.Random(
        seed).sample(PAIRS, 2)
for variant in [[]] + variants + [FEATURES]:
    register(variant)

if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
