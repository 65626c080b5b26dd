#!/usr/bin/env python3
"""POP3 against a real Dovecot: the whole program over TLS and STLS, what stays
on the server, sessions that end anywhere, two devices on one mailbox, and
servers that number anew or cannot number at all.

With POSTRIDER_LONG a session is cut at every byte, each step is killed every
time and under both policies, and a mailbox of 10,000 is fetched."""

import os
import poplib
import ssl
import time

from harness import World, contains, equal, keep, main, note, test, wait_for

from device import SIGKILLED, Device, message, quiet
from dialogues import Pop3
from fake import Fake
from proxy import Proxy

LONG = "POSTRIDER_LONG" in os.environ
STEPS = {"sync.drop.flush", "sync.drop.record", "sync.drop.delete",
         "sync.drop.quit", "sync.drop.forget", "sync.settle",
         "maildir.rename", "maildir.fsync-dir", "store.commit"}

world = keep(World(smtp="aiosmtpd"))
spec = world.spec
trust = ssl.create_default_context(cafile=spec.ca)


def mailbox(user):
    client = poplib.POP3_SSL(spec.host, spec.ports["pop3s"], context=trust)
    client.user(user)
    client.pass_(spec.password)
    return client


def count(user):
    client = mailbox(user)
    found = client.stat()[0]
    client.quit()
    return found


def empty(user):
    client = mailbox(user)
    for number in range(1, client.stat()[0] + 1):
        client.dele(number)
    client.quit()


def fill(user, *numbers, **options):
    world.deliver(user, *[message(n, **options) for n in numbers])


def subjects(home, folder="INBOX"):
    return sorted(row["subject"] for row in home.json("list", folder,
                                                      "--limit", "1000"))


def ids(home, folder="INBOX"):
    return {row["subject"]: str(row["id"]) for row in home.json("list", folder)}


# ---- the program

@test("POP3 over TLS and over STLS: mail comes, folders are here alone")
def whole_program():
    fill("ana", 1, 2, 3)
    for incoming in ("pop3s", "pop3"):
        with world.home("ana", incoming=incoming) as home:
            home.ok("sync")
            equal(subjects(home), ["message 1", "message 2", "message 3"])
            contains(home.ok("show", ids(home)["message 2"]).text, "Hello.")
            folders = {row["name"]: row["role"] for row in home.json("folders")}
            equal(folders, {"INBOX": "inbox", "Drafts": "drafts", "Sent": "sent",
                            "Junk": "junk", "Trash": "trash",
                            "Archive": "archive"})
            home.ok("mark", ids(home)["message 1"], "-unread", "+flagged")
            home.ok("archive", ids(home)["message 1"])
            home.ok("delete", ids(home)["message 2"])
            home.ok("move", ids(home)["message 3"], "Junk")
            for folder, subject in (("Archive", "message 1"),
                                    ("Trash", "message 2"),
                                    ("Junk", "message 3")):
                equal(subjects(home, folder), [subject])
            equal(home.database("SELECT count(*) FROM intent"), [(0,)])
            home.ok("undo")
            equal(subjects(home), ["message 3"])
            home.ok("sync")
            equal(subjects(home), ["message 3"])
            equal(count("ana"), 3)
            contains(home.ok("search", "tag:flagged").text, "message 1")


@test("POP3: what is sent has its copy in Sent, here and at once")
def sent_copy():
    empty("ana")
    with world.home("ana", incoming="pop3s") as home:
        home.ok("send", "--now", "-s", "hello ben", "--", "ben@lab.test",
                stdin="text")
        wait_for(lambda: subjects(home, "Sent") == ["hello ben"])
        equal(home.database("SELECT count(*) FROM intent"), [(0,)])


@test("POP3: a wrong password is asked for, once, and the words say so")
def wrong_password():
    with world.home("ana", incoming="pop3s") as home:
        home.write(".secret-ana", "wrong")
        result = home.fails(77, "sync")
        contains(result.errors, "refused the password for ana")
        logins = world.log("dovecot.log").count("auth failed, 1 attempts")
        home.run("folders")
        equal(world.log("dovecot.log").count("auth failed, 1 attempts"), logins)


@test("POP3: sync --dry-run says what it would do, and does nothing")
def dry_run():
    empty("ana")
    fill("ana", 1, 2)
    with world.home("ana", incoming="pop3s", account=["leave = never"]) as home:
        out = home.ok("sync", "--dry-run")
        contains(out.text + out.errors, "fetch 2 new messages")
        contains(out.text + out.errors, "remove 2 messages from the server")
        equal(home.json("list", "INBOX"), [])
        equal(count("ana"), 2)


@test("POP3: leave = always, until-deleted, 30d, never")
def leave_policies():
    left = {}
    for leave in ("always", "until-deleted", "30d", "never"):
        empty("ana")
        fill("ana", 1, 2, 3)
        with world.home("ana", incoming="pop3s",
                        account=["leave = " + leave]) as home:
            home.ok("sync")
            first = count("ana")
            home.ok("delete", ids(home)["message 1"])
            home.ok("archive", ids(home)["message 2"])
            home.ok("sync")
            second = count("ana")
            equal(subjects(home), ["message 3"])
            equal(subjects(home, "Trash"), ["message 1"])
            # Time goes by: what was taken in then is 31 days old.
            home.stop()
            age(home, 31)
            home.ok("sync")
            left[leave] = (first, second, count("ana"))
            equal(subjects(home), ["message 3"])
            contains(home.ok("show", ids(home)["message 3"]).text, "Hello.")
    equal(left, {"always": (3, 3, 3), "until-deleted": (3, 2, 2),
                 "30d": (3, 2, 0), "never": (0, 0, 0)})


def age(home, days):
    import sqlite3
    with sqlite3.connect(home.data("postrider.db")) as database:
        database.execute("UPDATE maildrop SET since = since - ?",
                         [days * 86400])


@test("POP3: a body that is not kept is fetched when it is opened")
def on_demand():
    empty("ana")
    world.deliver("ana", message(1, body="x" * 70 + "\n" + "large body\n" * 9000),
                  message(2))
    with world.home("ana", incoming="pop3s",
                    account=["keep = 20k", "leave = never"]) as home:
        home.ok("sync")
        rows = {row["subject"]: row for row in home.json("list", "INBOX")}
        equal((rows["message 1"]["cached"], rows["message 2"]["cached"]),
              (False, True))
        equal(count("ana"), 1)          # the only copy stays there
        contains(home.ok("show", str(rows["message 1"]["id"])).text, "large body")
        home.ok("sync")
        equal(count("ana"), 0)


@test("POP3: a body that is opened during a pass comes first, in its session")
def opened_meanwhile():
    empty("ana")
    world.deliver("ana", *[message(n, body=("v" * 70 + "\n") * 1500)
                           for n in range(1, 31)])
    with Proxy(spec, "pop3s", "when server command RETR #2 do delay 0.3") as proxy, \
            world.home("ana", incoming="pop3s",
                       ports={"pop3s": proxy.port}) as home:
        engine = home.start("sync")
        wait_for(lambda: os.path.exists(home.data("postrider.db")) and
                 home.run("list", "INBOX").code == 0 and
                 len(home.json("list", "INBOX")) == 30, 60)
        contains(home.ok("show", ids(home)["message 1"]).text, "vvvv")
        equal(engine.wait(120), 0)
        equal(proxy.connections, 1)
        order = [entry.text for entry in proxy.transcript
                 if entry.side == "client" and entry.verb.startswith("RETR")]
        equal(len(order), 30)
        assert not order[-1].endswith(b" 1"), order


@test("POP3: mail is looked for by time while somebody watches")
def polling():
    empty("ana")
    with world.home("ana", incoming="pop3s", general=["poll = 10"]) as home:
        home.ok("sync")
        home.stop()
        engine = home.start("sync", "--watch")
        fill("ana", 7)
        wait_for(lambda: subjects(home) == ["message 7"], 60)
        engine.terminate()
        engine.wait()


@test("POP3: a mailbox that another program has open is tried again later")
def in_use():
    def script(peer):
        dialogue(peer)
    dialogue = Pop3([], answers={"PASS": b"-ERR [IN-USE] locked\r\n",
                                 "AUTH": b"-ERR [IN-USE] locked\r\n"})
    with Fake(script, tls="implicit",
              certificate=(spec.cert, spec.key)) as fake, \
            world.home("ana", incoming="pop3s",
                       ports={"pop3s": fake.port}) as home:
        result = home.run("sync")
        equal(result.code, 75)
        contains(result.errors, "another program has the mailbox open")


# ---- two devices

@test("POP3: two devices on one mailbox: each has all, none twice")
def two_devices():
    empty("ben")
    fill("ben", 1, 2, 3)
    with Device(world, "ben", leave="always") as first, \
            Device(world, "ben", leave="until-deleted") as second:
        first.sync()
        second.sync()
        second.delete("m2@lab.test", "INBOX")
        equal(second.sync()["expunged"], 1)
        fill("ben", 4)
        first.sync()
        second.sync()
        equal(sorted(row["id"] for row in first.list()),
              ["m%d@lab.test" % n for n in (1, 2, 3, 4)])
        equal(sorted(row["id"] for row in second.list()),
              ["m%d@lab.test" % n for n in (1, 2, 3, 4)])
        equal(count("ben"), 3)
        for device in (first, second):
            quiet(device.sync())
            device.check()


# ---- D1

class Scenario:
    """New mail, large and small, deletions and bodies, in one pass."""

    def __init__(self, leave):
        self.leave = leave
        self.round = 0
        self.device = Device(world, "carol", leave=leave)
        empty("carol")
        self.device.sync()
        self.wanted = set()

    def prepare(self):
        self.round += 1
        base = self.round * 10
        fill("carol", base, base + 1, base + 2)
        self.device.sync()
        self.device.delete("m%d@lab.test" % base, "INBOX")
        self.device.move("m%d@lab.test" % (base + 1), "INBOX", "Archive")
        world.deliver("carol", *[message(base + n, body="y" * 70 + "\n") for n in
                                 (3, 4)],
                      message(base + 5, body=("z" * 70 + "\n") * 400))
        self.wanted |= {"m%d@lab.test" % (base + n) for n in range(6)}

    def verify(self):
        self.device.sync()
        rows = self.device.list()
        equal(sorted(row["id"] for row in rows), sorted(self.wanted))
        assert all(row["cached"] for row in rows), "a body is missing"
        quiet(self.device.sync())
        self.device.check()
        equal(len(self.device.files()), len(rows), "files and messages")
        left = count("carol")
        equal(left, {"never": 0, "always": 6 * self.round,
                     "until-deleted": 5 * self.round}[self.leave],
              "left on the server")

    def kill(self, name, time_):
        self.prepare()
        code, _, errors = self.device.try_run(
            "sync", fail="%s@%d:kill" % (name, time_))
        if code == 0:
            return False
        equal(code, SIGKILLED, errors)
        try:
            self.verify()
        except AssertionError as error:
            raise AssertionError("killed at %s, time %d: %s"
                                 % (name, time_, error)) from None
        return True


def d1(leave):
    scenario = Scenario(leave)
    with scenario.device:
        scenario.prepare()
        log = os.path.join(scenario.device.dir, "steps")
        code, _, errors = scenario.device.try_run("sync", fail="log:" + log)
        equal(code, 0, errors)
        scenario.verify()
        with open(log) as lines:
            steps = [line.strip() for line in lines]
        wanted = STEPS if leave != "always" else STEPS - {"sync.drop.delete"}
        equal(sorted(wanted - set(steps)), [], "steps not met")
        names = list(dict.fromkeys(steps))
        if not LONG:                    # the one half here, the other there
            names = names[leave == "never"::2]
        killed = 0
        for name in names:
            times = steps.count(name) if LONG else 1
            for time_ in range(1, times + 1):
                killed += scenario.kill(name, time_)
        note("%d kills at %d of %d steps" % (killed, len(names),
                                             len(set(steps))))
        assert killed >= len(names) - 2


@test("D1 POP3: a pass killed at each step, leave = never")
def d1_never():
    d1("never")


@test("D1 POP3: a pass killed at each step, leave = until-deleted")
def d1_until_deleted():
    d1("until-deleted")


@test("D8 POP3: a full disk at each step that writes")
def d8():
    scenario = Scenario("never")
    with scenario.device:
        scenario.prepare()
        log = os.path.join(scenario.device.dir, "steps")
        scenario.device.try_run("sync", fail="log:" + log)
        scenario.verify()
        failed = 0
        with open(log) as lines:
            names = list(dict.fromkeys(line.strip() for line in lines))
        for name in names:
            if not name.startswith(("maildir.", "store.")):
                continue
            scenario.prepare()
            before = count("carol")
            code, _, errors = scenario.device.try_run("sync",
                                                      fail=name + ":ENOSPC+")
            if code:
                failed += 1
                equal(errors.count("\n"), 1, errors)
                equal(count("carol"), before, "removed although " + name)
            scenario.verify()
        note("%d of the steps failed" % failed)
        assert failed >= 3


# ---- N1

def cut_session(proxy, rule, leave="never"):
    """A device of its own, one pass under the rule, then honest ones."""
    empty("carol")
    fill("carol", 1, 2)
    world.deliver("carol", message(3, body=".\n..x\n" + ("w" * 70 + "\n") * 30))
    with Device(world, "carol", leave=leave, port=proxy.port) as device:
        proxy.use(rule)
        begun = time.monotonic()
        code, _, errors = device.try_run("sync")
        proxy.use()
        device.sync()
        rows = device.list()
        equal(sorted(row["id"] for row in rows),
              ["m%d@lab.test" % n for n in (1, 2, 3)], rule)
        assert all(row["cached"] for row in rows), rule
        equal(len(device.files()), 3, rule)
        device.check()
        quiet(device.sync())
        equal(count("carol"), 0, rule)
        if proxy.cut_at is not None and code:
            assert time.monotonic() - begun < 60
        return code


@test("N1 POP3: a session cut at bytes all over it: nothing lost, none double")
def n1_cuts():
    with Proxy(spec, "pop3s") as proxy:
        empty("carol")
        fill("carol", 1, 2)
        world.deliver("carol", message(3, body=".\n..x\n" + ("w" * 70 + "\n") * 30))
        with Device(world, "carol", leave="never", port=proxy.port) as device:
            proxy.use("when server byte 999999 do cut")
            device.sync()
        total = sum(len(entry.text) + 2 for entry in proxy.transcript
                    if entry.side == "server")
        note("a session of some %d bytes" % total)
        step = 1 if LONG else max(1, total // 11)
        failed = cases = 0
        for at in range(1, total, step):
            failed += cut_session(proxy, "when server byte %d do cut%s" % (
                at, " rst" if at % 2 else "")) != 0
            cases += 1
        note("%d cuts, %d noticed" % (cases, failed))
        assert failed > cases // 2


@test("D2 POP3: QUIT is not answered: what was DELEd is known again")
def quit_lost():
    with Proxy(spec, "pop3s") as proxy:
        equal(cut_session(proxy, "when client command QUIT do cut") != 0, True)
        equal(cut_session(proxy, "when server command QUIT at 0 do cut") != 0,
              True)


# ---- servers that are odd

class Odd:
    """A scripted server whose mailbox and ids a test changes."""

    def __init__(self, messages, **options):
        self.messages = [m.replace(b"\n", b"\r\n") for m in messages]
        self.options = options
        self.ids = ["id-%d" % n for n in range(len(messages))]
        self.retrieved = []
        self.commands = []
        self.fake = Fake(self.play, tls="implicit",
                         certificate=(spec.cert, spec.key))
        self.port = self.fake.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.fake.close()

    def play(self, peer):
        odd = self
        gone = []

        class Server(Pop3):
            def do_uidl(self, peer, command):
                if odd.options.get("no_uidl"):
                    return peer.send(b"-ERR what?\r\n")
                self._listing(peer, command, lambda n: odd.ids[n - 1].encode())

            def do_capa(self, peer, command):
                if odd.options.get("no_uidl"):
                    return peer.send(b"-ERR what?\r\n")
                self._many(peer, [b"UIDL", b"TOP", b"USER"]
                           + odd.options.get("capa", []))

            def do_list(self, peer, command):
                self._listing(peer, command, lambda n: b"%d" % odd.size(n))

            def do_top(self, peer, command):
                if odd.options.get("no_top"):
                    return peer.send(b"-ERR what?\r\n")
                super().do_top(peer, command)

            def do_retr(self, peer, command):
                odd.retrieved.append(int(command.rest))
                super().do_retr(peer, command)

            def do_dele(self, peer, command):
                gone.append(int(command.rest) - 1)
                peer.send(b"+OK\r\n")

            def do_quit(self, peer, command):
                for index in sorted(gone, reverse=True):
                    del odd.messages[index], odd.ids[index]
                peer.send(b"+OK\r\n")

        Server(list(self.messages))(peer)

    def size(self, number):
        sizes = self.options.get("sizes")
        return sizes(number) if sizes else len(self.messages[number - 1])


def odd_device(odd, leave="always"):
    return Device(world, "ana", leave=leave, port=odd.port)


def expect(device, *numbers):
    rows = device.list()
    equal(sorted(row["id"] for row in rows),
          sorted("m%d@lab.test" % n for n in numbers))
    assert all(row["cached"] for row in rows)
    equal(len(device.files()), len(numbers))
    device.check()


@test("S9 POP3: ids with / and .., duplicates, sizes wrong: no loss, no escape")
def s9_ids():
    mails = [message(n) for n in range(1, 7)]
    with Odd(mails, sizes=lambda n: [1, 99999999, 0, 7, 7, 7][n - 1]) as odd:
        odd.ids = ["../../../../tmp/escaped", "/", "..", "same", "same", "same"]
        with odd_device(odd) as device:
            device.sync()
            expect(device, 1, 2, 3, 4, 5, 6)
            inside = os.path.realpath(device.store)
            for path in device.files():
                assert os.path.realpath(path).startswith(inside), path
            assert not os.path.exists("/tmp/escaped")
            odd.retrieved.clear()
            quiet(device.sync())
            equal(odd.retrieved, [])
            # One of those that share an id goes: none of the others does.
            del odd.messages[3], odd.ids[3]
            device.sync()
            expect(device, 1, 2, 3, 4, 5, 6)
        # Those that share an id are removed together, or not at all.
        with odd_device(odd, "until-deleted") as device:
            device.sync()
            device.delete("m5@lab.test", "INBOX")
            equal(device.sync()["expunged"], 0)
            device.delete("m6@lab.test", "INBOX")
            equal(device.sync()["expunged"], 2)
            equal(odd.ids, ["../../../../tmp/escaped", "/", ".."])


@test("S9 POP3: sizes that change with each session: nothing comes twice")
def s9_sizes():
    turn = [0]

    def size(number):
        turn[0] += 1
        return turn[0] * 10 + number
    with Odd([message(n) for n in (1, 2, 3)], sizes=size) as odd:
        with odd_device(odd) as device:
            device.sync()
            device.sync()
            expect(device, 1, 2, 3)
            odd.retrieved.clear()
            device.sync()
            equal(odd.retrieved, [])
            # The same id and size for another message is the server's lie; with
            # another size it is noticed.
            odd.messages[1] = message(9).replace(b"\n", b"\r\n")


@test("POP3: another message under an id that was used: it comes")
def reused_id():
    with Odd([message(1), message(2)]) as odd:
        with odd_device(odd) as device:
            device.sync()
            odd.messages[1] = message(3, body="another\n" * 9).replace(
                b"\n", b"\r\n")
            device.sync()
            expect(device, 1, 2, 3)


@test("POP3: a server that numbers anew: known by Message-ID, not fetched again")
def new_ids():
    mails = [message(n) for n in range(1, 31)]
    with Odd(mails) as odd:
        with odd_device(odd) as device:
            device.sync()
            device.expunge("INBOX", "m7@lab.test")
            device.move("m8@lab.test", "INBOX", "Archive")
            odd.ids = ["new-%d" % n for n in range(30)]
            odd.retrieved.clear()
            done = device.sync()
            equal(odd.retrieved, [])
            equal(done["matched"], 30)
            expect(device, *[n for n in range(1, 31) if n != 7])
            quiet(device.sync())


@test("POP3: a server that numbers anew and has no TOP: fetched, but not twice")
def new_ids_no_top():
    with Odd([message(n) for n in range(1, 6)], no_top=True) as odd:
        with odd_device(odd) as device:
            device.sync()
            device.expunge("INBOX", "m2@lab.test")
            odd.ids = ["new-%d" % n for n in range(5)]
            device.sync()
            expect(device, 1, 3, 4, 5)
            quiet(device.sync())


@test("POP3: a server without UIDL, with TOP and without")
def no_uidl():
    for no_top in (False, True):
        with Odd([message(n) for n in range(1, 6)], no_uidl=True,
                 no_top=no_top) as odd:
            with odd_device(odd, "until-deleted") as device:
                device.sync()
                expect(device, 1, 2, 3, 4, 5)
                device.delete("m2@lab.test", "INBOX")
                equal(device.sync()["expunged"], 1)
                odd.messages.append(message(6).replace(b"\n", b"\r\n"))
                odd.ids.append("")
                device.sync()
                expect(device, 1, 2, 3, 4, 5, 6)
                equal(len(odd.messages), 5)
                quiet(device.sync())


@test("POP3: taken away by another program before its text was here: told")
def taken_away():
    with Odd([message(1), message(2, body="u" * 70 + "\n")]) as odd:
        device = Device(world, "ana", leave="always", port=odd.port,
                        keep="0 150")
        with device:
            device.sync()
            equal([row["cached"] for row in sorted(
                device.list(), key=lambda row: row["id"])], [1, 0])
            del odd.messages[1], odd.ids[1]
            contains(" ".join(device.sync()["told"]), "left the server before")
            code, _, errors = device.try_run("fetch", "m2@lab.test")
            equal(code != 0, True)
            contains(errors, "has this message no more")
            equal(len(device.list()), 2)
            quiet(device.sync())


@test("POP3: LOGIN-DELAY is kept, and said")
def login_delay():
    with Odd([message(1)], capa=[b"LOGIN-DELAY 300"]) as odd:
        with odd_device(odd) as device:
            device.sync()
            code, _, errors = device.try_run("sync")
            equal(code != 0, True)
            contains(errors, "within 300 seconds")
            equal(len(odd.fake.sessions), 1)


# ---- pipelining, much, and large

@test("POP3: commands go out together where the server says PIPELINING")
def pipelining():
    empty("ana")
    fill("ana", *range(1, 41))
    with Proxy(spec, "pop3s") as proxy:
        with Device(world, "ana", leave="never", port=proxy.port) as device:
            done = device.sync()
            equal(done["bodies"], 40)
    said = [entry for entry in proxy.transcript]
    note("%d round trips for 40 messages" % done["round_trips"])
    assert done["round_trips"] < 20, done["round_trips"]
    # The second RETR is said before the first is answered.
    order = [(entry.side, entry.verb) for entry in said]
    first = [i for i, (side, verb) in enumerate(order)
             if side == "client" and verb.startswith("RETR")]
    assert len(first) == 40 and any(
        b == a + 1 for a, b in zip(first, first[1:])), order[:60]


@test("POP3: a large message, byte for byte")
def large():
    empty("ana")
    body = ("." * 60 + "\n") * 150000 + "\n.\n..\nend\n"
    world.deliver("ana", message(1, body=body))
    with Device(world, "ana", leave="never") as device:
        device.sync()
        with open(device.files()[0], "rb") as file:
            data = file.read()
        assert data.endswith(body.encode()), len(data)
        equal(count("ana"), 0)


@test("POP3: many messages, envelopes first, newest first")
def many():
    empty("ana")
    n = 10000 if LONG else 300
    fill("ana", *range(1, n + 1))
    with Device(world, "ana", leave="never") as device:
        begun = time.monotonic()
        done = device.sync()
        note("%d in %.1f s" % (n, time.monotonic() - begun))
        equal(done["bodies"], n)
        equal(len(device.list()), n)
        quiet(device.sync())
        equal(count("ana"), 0)


if __name__ == "__main__":
    main()
