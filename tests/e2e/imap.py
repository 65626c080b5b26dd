#!/usr/bin/env python3
"""proto/imap against Dovecot, with each feature of the server switched off.

tests/unit/imap_live makes the calls; this brings the worlds up.
"""

import os
import subprocess

from harness import TOP, World, main, test

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(
    os.environ.get("POSTRIDER", os.path.join(TOP, "postrider")))),
    "tests", "unit", "imap_live")

VARIANTS = [
    [],
    ["condstore"],
    ["qresync", "idle"],
    ["move", "special-use", "list-status", "compress"],
    ["uidplus", "enable", "namespace", "id", "notify"],
    ["list-extended", "esearch", "literal-plus", "multiappend", "sasl-ir"],
]
ALL = sorted({word for variant in VARIANTS for word in variant})


def run(off, *words):
    with World(off=off, smtp="aiosmtpd") as world:
        spec = world.spec
        env = dict(os.environ, LAB_HOST=spec.host, LAB_DOMAIN=spec.domain,
                   LAB_CA=spec.ca, LAB_PASSWORD=spec.password,
                   LAB_IMAP_PORT=str(spec.ports["imap"]),
                   LAB_IMAPS_PORT=str(spec.ports["imaps"]))
        done = subprocess.run([PROGRAM, *words], env=env, timeout=120,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode or "\nok 1 " not in text:
        raise AssertionError("exit %d\n%s" % (done.returncode, text))


def register(off):
    # Without anything off the program switches features off on our side too.
    words = ["-p", "/imap-live/open", "-p", "/imap-live/walk/0"] if off else []

    @test("every call, without " + (", ".join(off) or "nothing"))
    def all_calls():
        run(off, *words)


for variant in VARIANTS + [ALL]:
    register(variant)

if __name__ == "__main__":
    main()
