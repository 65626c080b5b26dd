#!/usr/bin/env python3
"""What the compiler and the linker made of our programs (RELIABILITY H2, T7, L7): asked of the built files with readelf,
not of the flags. Prints TAP."""
import os
import re
import subprocess
import sys

BUILT = os.path.dirname(os.path.abspath(os.environ.get("POSTRIDER", "postrider")))
PROGRAMS = ("postrider", "postrider-engine", "postrider-worker", "postrider-index", "postrider-reader", "postrider-check",
            "postrider-http")
# libetpan's own sockets and TLS: bytes reach it through net/stream only.
ETPAN = re.compile(r"^mail(stream|imap|pop3|smtp)_?(\w*_)?(ssl|starttls|socket|cfstream)\w*$")
# The light program starts in milliseconds.
HEAVY = re.compile(r"lib(gio|gmime|etpan|ssl|crypto|notmuch|xml2|gpgme|seccomp)")
UNBOUNDED = {"gets", "strcpy", "strcat", "sprintf", "vsprintf", "strtok", "system", "popen", "mktemp", "tmpnam"}


def readelf(*words):
    return subprocess.run(["readelf", "-W", *words], check=True, capture_output=True, text=True,
                          env=dict(os.environ, LC_ALL="C")).stdout


def is_enabled(name):
    with open(os.path.join(BUILT, "config.status")) as file:
        return "--%s" % name in file.read()


def imports(path):
    """Names of functions that are taken from libraries, without versions."""
    names = set()
    for line in readelf("--dyn-syms", path).splitlines():
        words = line.split()
        if len(words) >= 8 and words[6] == "UND":
            names.add(words[7].partition("@")[0])
    return names


def needed(path):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", path))


def segment(path, name):
    """Flags of a program header ("RW", "RWE"), or None."""
    for line in readelf("-l", path).splitlines():
        words = line.split()
        if words and words[0] == name:
            return "".join(word for word in words[6:-1])
    return None


def is_pie(path):
    return "DYN" in readelf("-h", path) and "PIE" in readelf("-d", path)


def is_full_relro(path):
    return segment(path, "GNU_RELRO") is not None and re.search(r"\bNOW\b", readelf("-d", path)) is not None


def has_no_writable_code(path):
    flags = [line.split()[6:-1] for line in readelf("-l", path).splitlines() if line.split()[:1] == ["LOAD"]]
    return bool(flags) and not any("W" in "".join(f) and "E" in "".join(f) for f in flags)


# With FORTIFY these are always called by their checked forms.
PRINTING = {"printf", "fprintf", "sprintf", "snprintf", "vprintf", "vfprintf", "vsprintf", "vsnprintf"}


def has_checked_calls(path):
    """A program that prints nothing by itself has no call to check."""
    names = imports(path)
    return not PRINTING & set(names) and (any(name.endswith("_chk") and name != "__stack_chk_fail" for name in names)
                                          or not any(name in ("memcpy", "memmove", "memset", "strcpy") for name in names))


CHECKS = (
    ("is position independent", is_pie),
    ("has its relocations read-only from the start (RELRO, NOW)", is_full_relro),
    ("has a stack that cannot be executed", lambda path: segment(path, "GNU_STACK") == "RW"),
    ("has no memory that is writable and executable", has_no_writable_code),
    ("has stack protectors", lambda path: "__stack_chk_fail" in imports(path)),
    ("has checked calls (FORTIFY)", has_checked_calls),
)


def main():
    results = []
    skip = "built without" if is_enabled("disable-hardening") or is_enabled("enable-sanitizers") else None
    for program in PROGRAMS:
        path = os.path.join(BUILT, program)
        for text, check in CHECKS:
            results.append((skip or check(path), "%s %s" % (program, text), skip))
        bad = sorted(name for name in imports(path) if ETPAN.match(name))
        results.append((not bad, "%s does not use libetpan's sockets and TLS %s" % (program, " ".join(bad)), None))
        bad = sorted(imports(path) & UNBOUNDED)
        results.append((not bad, "%s calls nothing that is unbounded or runs a shell %s" % (program, " ".join(bad)), None))
    for program in ("postrider", "postrider-engine"):
        light = [name for name in needed(os.path.join(BUILT, program)) if HEAVY.match(name)]
        results.append((not light, "%s links no library of the workers %s" % (program, " ".join(light)), None))
    print("1..%d" % len(results))
    for number, (ok, text, why) in enumerate(results, 1):
        print("%s %d - %s%s" % ("ok" if ok else "not ok", number, text.strip(), " # SKIP " + why if why else ""))
    return 0 if all(ok for ok, _, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
