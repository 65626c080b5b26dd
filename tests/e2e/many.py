#!/usr/bin/env python3
"""D10 and D11 with many messages: a folder of 10,000 that is numbered anew, and the brake there (1,000 without
POSTRIDER_LONG)."""

import os
import sqlite3

from device import Device, quiet
from harness import LONG, World, contains, equal, keep, main, note, test
import fill as lab_fill                 # of tests/lab, where harness finds it

N = 10000 if LONG else 1000
FOLDER = "Lists"

world = keep(World(smtp="aiosmtpd"))
server = keep(world.oracle("ana"))
device = keep(Device(world, "ana"))


def rows(query):
    connection = sqlite3.connect("file:%s?mode=ro" % os.path.join(device.store, "postrider.db"), uri=True)
    try:
        return connection.execute(query, (FOLDER,)).fetchall()
    finally:
        connection.close()


def make_anew():
    """The folder with the same messages under another UIDVALIDITY."""
    before = server.status(FOLDER)["UIDVALIDITY"]
    server.rename(FOLDER, "Old")
    server.create(FOLDER)
    server.copy("Old", server.uids("Old"), FOLDER)
    server.select("INBOX")
    server.delete("Old")
    assert server.status(FOLDER)["UIDVALIDITY"] != before


def placements():
    """Message, flags and tags by the bytes of the message."""
    return dict(rows(
        "SELECT hex(m.hash), p.flags || ' ' || p.tags FROM placement p JOIN message m ON m.id = p.message"
        " JOIN folder f ON f.id = p.folder WHERE f.name = ? AND p.state <> 1"))


def files():
    return set(name.split(":2,")[0] for name in device.files())


@test("D10: a folder of %d that is numbered anew keeps all, and fetches next to nothing" % N)
def renumbered():
    lab_fill.fill(world.spec, "ana", N, folder=FOLDER)
    first = device.sync()
    equal(first["bodies"], N)
    ids = [row[0] for row in rows(
        "SELECT m.message_id FROM message m JOIN placement p ON p.message = m.id JOIN folder f ON f.id = p.folder"
        " WHERE f.name = ? AND m.message_id IS NOT NULL ORDER BY m.id")]
    for message_id in ids[::N // 10]:
        device.mark(message_id, "+flagged", add="kept")
    quiet_push = device.sync()
    assert quiet_push["flags_out"] >= 10, quiet_push
    before, there = placements(), files()
    equal(len(before), N)
    make_anew()
    done = device.sync()
    note("%d of %d matched, %d bodies, %.2f %% of the bytes" % (
        done["matched"], N, done["bodies"], 100 * done["bytes_in"] / first["bytes_in"]))
    equal(done["removed"], 0)
    assert done["matched"] >= N * 0.999, done["matched"]
    assert done["bytes_in"] <= first["bytes_in"] * 0.05, (done["bytes_in"], first["bytes_in"])
    equal(placements(), before)
    assert len(there - files()) <= N * 0.001, "files were written again"
    device.check()
    quiet(device.sync())


@test("D11: a quarter of %d that is gone at the server is asked about, there and here" % N)
def braked():
    server.expunge(FOLDER, server.uids(FOLDER)[:N // 4])
    done = device.sync()
    contains(" ".join(done["told"]), "%d of %d messages are gone" % (N // 4, N))
    equal((done["removed"], len(placements())), (0, N))
    device.run("folder", "agree", FOLDER)
    equal(device.sync()["removed"], N // 4)
    left = [row[0] for row in rows(
        "SELECT m.message_id FROM message m JOIN placement p ON p.message = m.id JOIN folder f ON f.id = p.folder"
        " WHERE f.name = ? AND p.state <> 1 AND m.message_id IS NOT NULL ORDER BY m.id")]
    for at in range(0, N // 4, 250):    # more at once are the engine's to carry out (bulk.h)
        device.expunge(FOLDER, *left[at:min(at + 250, N // 4)])
    done = device.sync()
    contains(" ".join(done["told"]), "messages would be removed")
    equal((done["expunged"], len(server.uids(FOLDER))), (0, N - N // 4))
    device.run("folder", "agree", FOLDER)
    equal(device.sync()["expunged"], N // 4)
    equal(len(server.uids(FOLDER)), N - 2 * (N // 4))
    device.check()


if __name__ == "__main__":
    main()
