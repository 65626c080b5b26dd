#!/usr/bin/env python3
"""S3 to S8 and S11 with the whole synchroniser: what a hostile server sends
costs little memory and time, harms nothing, and changes nothing that the user
did not ask for."""

import os
import shutil
import socket
import threading

from device import Fast, message
from harness import (LONG, World, chance, contains, equal, keep, main, note,
                     test)
from lies import LIES
from oracle import differences
from proxy import Proxy
from rules import Rule

DICE = chance()
MIB = 1024                              # in kB, as memory is told

world = keep(World(smtp="aiosmtpd"))
server = keep(world.oracle("ana"))
for number in range(40):
    server.append("INBOX", message(number), ["\\Seen"] if number % 3 else [])
server.create("Work")
TRUTH = server.truth()
proxy = keep(Proxy(world.spec, "imaps"))
device = keep(Fast(world, "ana", port=proxy.port))
device.run("folders")
EMPTY = os.path.join(device.dir, "empty")
device.copy_store(EMPTY)
device.run("sync")
FULL = os.path.join(device.dir, "full")
device.copy_store(FULL)
device.restore(EMPTY)
device.run("sync")
HONEST = dict(device.used)


def settle(device):
    """Honest passes, and the user's word to what was held back."""
    proxy.use()
    for _ in range(3):
        device.run("sync", "--complete")
        held = [name for name, folder in device.folders().items()
                if folder["notice"]]
        for name in held:
            device.run("folder", "agree", name)
        if not held:
            break


def hear(rule, memory, store=EMPTY, cpu=2.0, fired=1):
    """A pass with that rule, and what it may cost beyond an honest first one;
    then an honest pass, after which all is right."""
    device.restore(store)
    proxy.use(rule, seed=DICE.randrange(1 << 30))
    code, lines, errors = device.try_run(
        "sync", *(["--complete"] if store == FULL else []))
    used = dict(device.used)
    assert code in (0, 1), "%s: exit %d: %s" % (rule, code, errors)
    assert proxy.fired() >= fired, rule
    for text in [errors, *(line["text"] for line in lines
                           if line.get("kind") == "notice")]:
        assert all(ord(char) >= 32 for char in text.rstrip("\n")), repr(text)
    proxy.check()
    more = used["rss_kb"] - HONEST["rss_kb"]
    assert more < memory, "%s: %d kB more" % (rule, more)
    assert used["cpu_us"] - HONEST["cpu_us"] < cpu * 1e6, "%s: %r" % (
        rule, used)
    settle(device)
    equal(differences(device.truth(), TRUTH), [], rule)
    return code, lines, errors, more, used["cpu_us"] - HONEST["cpu_us"]


SIZES = ["2147483647", "2147483648", "4294967295", "4294967299",
         "9223372036854775807", "18446744073709551615",
         "18446744073709551619", "99999999999999999999999999", "-1",
         "268435457", "03", "1 "]


@test("S3: sizes of literals that wrap, are huge or no number")
def literals():
    worst = 0
    for size in SIZES if LONG else DICE.sample(SIZES, 3):
        for where in (r"BODY\[\] \{", r"HEADER.FIELDS .*\{"):
            code, lines, errors, more, cpu = hear(
                r"when server line '%s' #2 do replace '* 1 FETCH (UID 1 "
                r"BODY[] {%s}\r\nxxx'" % (where, size), 16 * MIB)
            worst = max(worst, more)
    note("%d kB more at most" % worst)


@test("S4: a line without an end is closed")
def endless():
    for place in ("any", "command LIST", "command SELECT",
                  "line 'BODY.. '"):
        hear(r"when server %s do flood 'x'" % place, 16 * MIB)
        # What the sockets held is sent too.
        assert proxy.flooded < 16 << 20, proxy.flooded
        equal(proxy.problems, [])


@test("S5: 3,000,000 parentheses, 100,000 levels of folders")
def nesting():
    hear(r"when server line 'BODY\[\] \{' do flood '('", 16 * MIB)
    deep = "/".join("a" * 100000)
    for line in ('* LIST () "/" "%s"\r\n' % deep,
                 '* LIST () "/" {%d}\r\n%s\r\n' % (len(deep), deep),
                 "* 1 FETCH (BODYSTRUCTURE %s)\r\n" % ("(" * 400000)):
        hear(Rule("server", "command", "LIST", 1, "insert", [line]), 32 * MIB)


FLOODS = [r"* 5 EXISTS\r\n", r"* OK still here\r\n",
          r"* NUMBER EXPUNGE\r\n",
          r"* VANISHED NUMBER\r\n",
          r"* NUMBER FETCH (UID NUMBER FLAGS (\\Seen))\r\n",
          r"* NUMBER FETCH (FLAGS (kNUMBER))\r\n",
          r"* STATUS xNUMBER (MESSAGES 1 UIDNEXT 1 UIDVALIDITY 1)\r\n",
          r'* LIST () "/" fNUMBER\r\n', r"* X-NUMBER {3}\r\nabc\r\n",
          r"* CAPABILITY IMAP4rev1 XNUMBER\r\n",
          r"* OK [ALERT] NUMBER read me\r\n"]


@test("S7: 100 MB of untagged lines cost 64 MB at most, or the connection")
def floods():
    places = ["command SELECT", "command LIST", "command UID FETCH",
              "command AUTHENTICATE", "any"]
    cases = [(flood, place) for flood in FLOODS for place in places]
    worst = 0
    for flood, place in cases if LONG else DICE.sample(cases, 2):
        code, lines, errors, more, cpu = hear(
            "when server %s do flood '%s'" % (place, flood), 64 * MIB,
            store=DICE.choice([EMPTY, FULL]), cpu=20)
        equal(proxy.problems, [], flood)
        worst = max(worst, more)
    note("%d kB more at most" % worst)


@test("S6: ranges stay ranges, and a lie costs 0.1 s at most")
def ranges():
    worst = 0
    lies = (r"* VANISHED 1:*\r\n", r"* VANISHED 1:4294967295\r\n",
            r"* VANISHED (EARLIER) 41:4294967295\r\n",
            r'* ESEARCH (TAG "TAG") UID ALL 1:4294967295\r\n',
            r"* SEARCH 1 2 4294967295\r\n",
            r"* 4294967295 EXISTS\r\n", r"* 10000000 EXISTS\r\n",
            r"* 0 EXPUNGE\r\n* 4294967295 EXPUNGE\r\n",
            r"* 1 FETCH (UID 0 FLAGS ())\r\n",
            r"* 1 FETCH (UID 4294967295 FLAGS (\\Deleted))\r\n",
            r"* OK [UIDNEXT 4294967295] x\r\n",
            r"* OK [HIGHESTMODSEQ 9223372036854775807] x\r\n",
            r"* OK [HIGHESTMODSEQ 1] x\r\n",
            r"* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n",
            r"* OK [APPENDUID 1 1:4294967295] x\r\n")
    cases = [(lie, place, store) for lie in lies for store in (EMPTY, FULL)
             for place in ("SELECT", "UID SEARCH", "UID FETCH")]
    for lie, place, store in cases if LONG else DICE.sample(cases, 12):
        code, lines, errors, more, cpu = hear(
            "when server command %s do insert '%s'" % (place, lie), 16 * MIB,
            store=store, cpu=0.1 if LONG else 0.3, fired=0)
        worst = max(worst, cpu)
    note("%.0f ms more than an honest first pass at most" % (worst / 1000))


@test("S6: ten million numbers in one answer are bounded")
def many_numbers():
    # The limit of a line grows with what EXISTS claims.
    for claim in (40, 10000000, 4294967295) if LONG else (40,):
        code, lines, errors, more, cpu = hear(
            r"""when server line EXISTS every do set EXISTS %d
                when server line '^. E?SEARCH' do flood ' NUMBER 7'"""
            % claim, 128 * MIB, cpu=20, fired=2)
        note("%d: %d kB, %.0f ms more: %s" % (
            claim, more, cpu / 1000, errors.strip()))
        equal(proxy.problems, [])


class Decoy:
    """A port that nobody has any business with."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.visitors = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self.listener.accept()[0].close()
            except OSError:
                return
            self.visitors += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@test("S8: referrals are not followed")
def referrals():
    decoy = keep(Decoy())
    there = "imap://eve@127.0.0.1:%d/INBOX" % decoy.port
    for rule in (r"when server any do insert '* OK [REFERRAL %s] x\r\n'",
                 r"when server any do replace '* BYE [REFERRAL %s] x\r\n'",
                 r"when client command SELECT do answer "
                 r"'TAG NO [REFERRAL %s] over there\r\n'",
                 r"when client command AUTHENTICATE do answer "
                 r"'TAG NO [REFERRAL %s] over there\r\n'",
                 r"when client command LIST do answer "
                 r"'* LIST () \"/\" INBOX\r\nTAG OK [REFERRAL %s] x\r\n'"):
        hear(rule % there, 16 * MIB)
    equal(decoy.visitors, 0)


@test("S8: alerts are made safe, one line, the server's, and one in ten s")
def alerts():
    text = r"* OK [ALERT] \x1b[2J\x07your password\t\x9b31mplease\r\n"
    code, lines, errors, more, cpu = hear(
        "when server any every do insert '%s'" % text, 16 * MIB)
    told = [line["text"] for line in lines if line.get("kind") == "notice"]
    equal(len(told), 1, "notices")
    assert told[0].startswith('the server says "'), told
    for word in (r"* BYE \x1b[2Jgo\x07 away\r\n",):
        code, lines, errors, more, cpu = hear(
            "when server command SELECT do insert '%s'" % word, 16 * MIB)
        contains(errors, "says")
        equal(errors.count("\n"), 1)


# The model check: what the user asked for, and nothing else, is on the wire

ALLOWED = {"UID STORE", "UID EXPUNGE", "UID MOVE", "UID COPY", "EXPUNGE",
           "APPEND", "CREATE", "SUBSCRIBE"}


@test("S11: whatever a server invents, only what the user did is sent")
def only_the_users():
    rounds = 300 if LONG else 6
    sent = 0
    with world.oracle("ben") as ben:
        for number in range(60):
            ben.append("INBOX", message(number))
        ben.create("Work")
        it = keep(Fast(world, "ben", port=proxy.port))
        proxy.use()
        it.run("sync")
        snapshot = os.path.join(it.dir, "snapshot")
        for number in range(rounds):
            it.copy_store(snapshot)
            truth = ben.truth()["INBOX"]
            rows = {row["uid"]: row["id"] for row in it.list()
                    if row["folder"] == "INBOX"}
            marked, moved = DICE.sample(sorted(rows), 2)
            it.mark(rows[marked], "+flagged")
            it.move(rows[moved], "INBOX", "Work")
            lie = DICE.choice(sorted(LIES))
            proxy.use("when server line . p=0.3 do lie " + lie,
                      seed=DICE.randrange(1 << 30))
            it.try_run("sync")
            what = "%s, round %d" % (lie, number)
            proxy.check(*ALLOWED)
            sent += len(proxy.unasked())
            after = ben.truth()
            changed = {uid for uid in truth
                       if after["INBOX"].get(uid) != truth[uid]}
            assert changed <= {marked, moved}, "%s: %s of %s" % (
                what, changed, (marked, moved))
            equal(after.keys() - {"INBOX", "Work"}, set(), what)
            # Back to where both agree.
            settle(it)
            it.run("sync")
            work = [row["id"] for row in it.list() if row["folder"] == "Work"]
            for name in work:
                it.move(name, "Work", "INBOX")
            it.run("sync")
            equal(differences(it.truth(), ben.truth()), [], what)
            equal(sum(len(rows) for rows in ben.truth().values()), 60, what)
            shutil.rmtree(snapshot)
    note("%d rounds, %d commands that change something" % (rounds, sent))


if __name__ == "__main__":
    main()
