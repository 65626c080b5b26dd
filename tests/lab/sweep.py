"""Whole sets of cases for the fault proxy, made from one honest session.

    tests/lab/lab proxy DIR PORT [RULE…] [--wire] [--transcript FILE]
        [--random P] [--seed N] [--cut-every-byte STEP | --stall-every-state
        SECONDS] [-- COMMAND…]

The command is run with LAB_PROXY_PORT in its environment, once, or once for
each case of a sweep; without one the proxy stays until Ctrl-C.  What was said
and done is printed as JSON, a line a case; exit 1 when the client did
something that nobody asked for, or does not end.
"""

import argparse
import json
import os
import subprocess
import threading

from proxy import PROTOCOLS, Proxy


def states(transcript):
    """Where a server can fall silent: one rule for each kind of answer and
    each place in it (before it, and in its middle), with its name."""
    found = {}
    for entry in transcript:
        if entry.side != "server":
            continue
        label = "%s %s" % (entry.kind, entry.verb)
        found.setdefault("before " + label, (entry.number, 0))
        if len(entry.text) > 4:
            found.setdefault("inside " + label,
                             (entry.number, len(entry.text) // 2))
    return {label: "when server unit %d at %d do " % place
            for label, place in found.items()}


def cut_rules(total, step=1, how="fin", side="server"):
    return ["when %s byte %d do cut %s" % (side, at, how)
            for at in range(0, total, step)]


def run(command, proxy, patience=120):
    """The exit code, or None when it does not end."""
    child = subprocess.Popen(command, env=dict(
        os.environ, LAB_PROXY_PORT=str(proxy.port)))
    try:
        return child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return None


def main(spec, arguments, command):
    parser = argparse.ArgumentParser(prog="lab proxy", description=__doc__,
                                     formatter_class=argparse.
                                     RawDescriptionHelpFormatter)
    parser.add_argument("port", choices=sorted(PROTOCOLS))
    parser.add_argument("rules", nargs="*", metavar="RULE")
    parser.add_argument("--rules-file", metavar="FILE")
    parser.add_argument("--wire", action="store_true")
    parser.add_argument("--listen", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--random", type=float, metavar="P")
    parser.add_argument("--cut-every-byte", type=int, metavar="STEP")
    parser.add_argument("--stall-every-state", type=float, metavar="SECONDS")
    parser.add_argument("--transcript", metavar="FILE")
    parser.add_argument("--allow", action="append", default=[],
                        metavar="VERB", help="a command that may change things")
    options = parser.parse_args(arguments)
    rules = list(options.rules)
    if options.rules_file:
        with open(options.rules_file) as file:
            rules.append(file.read())
    if options.random:
        rules.append("when server any p=%g do chaos" % options.random)
    with Proxy(spec, options.port, *rules, seed=options.seed,
               wire=options.wire, listen=options.listen) as proxy:
        return _serve(proxy, rules, command, options)


def _serve(proxy, rules, command, options):
    if not command:
        print("%s is behind port %d; Ctrl-C ends it" % (
            options.port, proxy.port), flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return _tell(proxy, "interactive", 0, options)
    bad = _case(proxy, "honest" if not rules else "rules", rules, command,
                options)
    cases = []
    if options.cut_every_byte:
        cases += [(rule, [rule]) for rule in cut_rules(
            proxy.said(), options.cut_every_byte)]
    if options.stall_every_state:
        cases += [(label, [rule + "stall %g" % options.stall_every_state])
                  for label, rule in states(proxy.transcript).items()]
    for label, case in cases:
        bad |= _case(proxy, label, rules + case, command, options)
    return bad


def _case(proxy, label, rules, command, options):
    proxy.use(*rules, seed=options.seed)
    code = run(command, proxy)
    proxy.end_all()
    return _tell(proxy, label, code, options)


def _tell(proxy, label, code, options):
    bad = code is None
    told = dict(case=label, exit=code, seed=options.seed, **proxy.summary())
    try:
        proxy.check(*options.allow)
    except AssertionError as error:
        told["wrong"], bad = str(error), True
    print(json.dumps(told), flush=True)
    if options.transcript:
        proxy.write_transcript(options.transcript)
    return int(bad)
