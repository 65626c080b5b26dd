#!/usr/bin/env python3
"""The OpenSPF project's own cases for RFC 7208, as Debian's package python3-spf brings them, one by one through a DNS
server that holds each scenario's records. Where the package or its documents are not installed, it is skipped."""

import gzip
import os

from harness import *
from nameserver import Dns  # found by way of the harness

SUITE = "/usr/share/doc/python3-spf/rfc7208-tests.yml.gz"

home = keep(Home())
LETTER = f"{temporary()}/letter"
with open(LETTER, "w") as out:
    out.write("From: ana@example.net\nSubject: a letter\n\nHello\n")


def scenarios():
    try:
        import yaml
    except ImportError:
        raise Skip("no python3-yaml here") from None
    if not os.path.exists(SUITE):
        raise Skip("no %s here" % SUITE)
    with gzip.open(SUITE) as file:
        return list(yaml.safe_load_all(file))


def pieces(value):
    value = value if isinstance(value, list) else [value]
    return [raw[at:at + 255] for raw in (piece.encode() for piece in value) for at in range(0, max(len(raw), 1), 255)]


def records(rows):
    """A name of the suite in the words of our server. A record SPF stands for TXT too when no TXT is written."""
    out, spf = [], []
    has_txt = any(isinstance(row, dict) and "TXT" in row for row in rows)
    for kind, value in (pair for row in rows if isinstance(row, dict) for pair in row.items()):
        if kind == "SPF":
            spf.append(("TXT", pieces(value)))
        elif kind == "TXT":
            out += [] if value == "NONE" else [(kind, pieces(value))]
        else:
            out.append((kind, tuple(value) if isinstance(value, list) else value))
    out += [] if has_txt else spf
    # "TIMEOUT": the types that are not there are not answered. An error does as well, and at once.
    return out + (["servfail"] if "TIMEOUT" in rows else [])


def judged(dns, case):
    found = home.json("journey", "--check", "--resolver", dns.address, "--ip", str(case["host"]), "--helo", str(case["helo"]),
                      "--from", case["mailfrom"], LETTER)[0]["authentication"]
    return found["spf"], found["spf_reason"]


@test("every case of the suite for RFC 7208: the verdict, and the domain's explanation")
def suite():
    wrong, verdicts, explanations = [], 0, 0
    for scenario in scenarios():
        with Dns({name: records(rows) for name, rows in scenario["zonedata"].items()}) as dns:
            for name, case in scenario["tests"].items():
                wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
                verdict, reason = judged(dns, case)
                verdicts += 1
                if verdict not in wanted:
                    wrong.append((name, verdict, wanted))
                elif verdict == "fail" and case.get("explanation", "DEFAULT") != "DEFAULT":
                    explanations += 1
                    if reason != case["explanation"]:
                        wrong.append((name, reason, case["explanation"]))
    equal(wrong, [])
    assert verdicts > 190 and explanations > 10, "%d verdicts, %d explanations" % (verdicts, explanations)


if __name__ == "__main__":
    main()
