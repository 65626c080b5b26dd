#!/usr/bin/env python3
"""Bodies over two and three connections: taken where one is what everything
waits for, and done without where the server does not give them."""

from device import Fast, message
from harness import World, chance, equal, keep, main, note, test
from oracle import differences
from proxy import Proxy

COUNT = 1200
SLOW = "when server unit 1 every do drip 20000 0.1"     # each connection

DICE = chance()
world = keep(World(smtp="aiosmtpd"))
server = keep(world.oracle("ana"))
for number in range(COUNT):
    server.append("INBOX", message(number, body="twenty words, or so\n" * 80))
TRUTH = server.truth()


def first_pass(*rules, fail=""):
    proxy = keep(Proxy(world.spec, "imaps", *rules,
                       seed=DICE.randrange(1 << 30)))
    device = keep(Fast(world, "ana", port=proxy.port))
    code, lines, errors = device.try_run("sync", fail=fail)
    equal(code, 0, errors)
    proxy.check()
    equal(differences(device.truth(), TRUTH), [])
    note("%d connections" % proxy.connections)
    return proxy, device, lines[-1]


@test("a slow network: other connections help, and each message comes once")
def helped():
    proxy, device, done = first_pass(SLOW)
    equal(proxy.connections, 3)
    equal(done["bodies"], COUNT)
    equal(len(device.files()), COUNT)


@test("a fast one: one connection does")
def alone():
    proxy, device, done = first_pass()
    equal(proxy.connections, 1)
    equal(done["bodies"], COUNT)


@test("a server that takes no second connection is not asked again")
def refused():
    proxy, device, done = first_pass(
        SLOW, "when client connect #2 do cut rst")
    equal(proxy.connections, 2)
    equal(done["bodies"], COUNT)


@test("N1: a connection that helped is cut: the others do its share")
def cut():
    # The first connection passes this byte before the second does.
    proxy, device, done = first_pass(
        SLOW, "when server byte 400000 #2 do cut rst")
    assert proxy.connections >= 2
    equal(done["bodies"], COUNT)
    equal(len(device.files()), COUNT)


if __name__ == "__main__":
    main()
