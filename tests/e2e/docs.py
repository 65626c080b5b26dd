#!/usr/bin/env python3
"""What is written agrees with what is built: commands, keys, options, folders
of the source, named tests; the guide's examples run; a translation is used."""

import os
import re
import shutil
import subprocess

from harness import *

SOURCES = sorted(name for name in os.listdir(os.path.join(TOP, "src"))
                 if os.path.isdir(os.path.join(TOP, "src", name)))


def read(*parts):
    with open(os.path.join(TOP, *parts), encoding="utf-8") as file:
        return file.read()


bare = keep(Home())


def page(name):
    """A manual page as text, without the marks of roff."""
    text = bare.ok("--manual=" + name, env={"LC_ALL": "C"}).text
    return re.sub(r"\\f[BIR]|\\&", "", text).replace("\\-", "-")


def commands():
    return re.findall(r"^  postrider ([a-z]+) ", bare.ok("help").text, re.M)


def option_lines(text):
    """Names of the long options at the beginnings of lines."""
    return re.findall(r"^(?:  )?(?:-\w, )?--([a-z][a-z-]*)", text, re.M)


@test("postrider(1) and the help name the same commands and options")
def manual():
    text = page("postrider.1")
    listed = commands()
    assert len(listed) > 15, listed
    sections = dict(re.findall(r'^\.SS "([a-z]+)[^\n]*\n(.*?)(?=^\.S[SH])', text, re.M | re.S))
    equal(sorted(sections), sorted(listed), "commands")
    for command in listed:
        told = bare.ok(command, "--help").text
        real = set(option_lines(told)) - {"help", "json", "account"}
        # mutt's and sendmail's letters have no long form.
        equal(set(option_lines(sections[command])), real, command)


@test("postrider-config(5) has every key; the guide's configuration is accepted")
def configuration():
    keys = set(re.findall(r'^    \{"[a-z]+", "([a-z-]+)", CONFIG_', read("src", "config", "values.c"), re.M))
    equal(set(re.findall(r"^\.B ([a-z-]+)$", page("postrider-config.5"), re.M)), keys, "keys")
    assert len(keys) > 25, keys
    block = read("doc", "guide").split("people change first:\n", 1)[1].split("\nA mistake is", 1)[0]
    with Home() as home:
        home.configure(re.sub(r"(?m)^    ", "", block))
        contains(home.run("doctor").text, "work: ana@example.org")


@test("postrider-keys(7) has every command of the screen's table")
def screen_keys():
    table = re.findall(r'^    \{"([a-z-]+)", GROUP_', read("ui", "command_table.c"), re.M)
    assert len(table) > 100, len(table)
    text = bare.ok("--manual=postrider-keys.7", env={"LC_ALL": "C"}).text
    shown = [name.replace("\\-", "-") for name in
             re.findall(r"^\\fI([a-z\\-]+)\\fR[^\n]* \(", text, re.M)]
    equal(sorted(shown), sorted(table))


@test("the manual pages are clean roff, in ASCII")
def roff():
    if not shutil.which("groff"):
        raise Skip("groff is not installed")
    for name in ("postrider.1", "postrider-config.5", "postrider-keys.7", "postrider-search.7"):
        source = bare.ok("--manual=" + name, env={"LC_ALL": "C"}).out
        source.decode("ascii")
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=source,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        equal((done.returncode, done.stderr), (0, b""), name)


@test("completions: bash offers commands and options")
def bash():
    listed = commands()
    script = bare.write("completion", bare.ok("--manual=bash").out)
    ask = ('source %s; complete_for() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _postrider; '
           'echo "${COMPREPLY[@]}"; }; complete_for postrider ""; complete_for postrider list --' % script)
    done = subprocess.run(["bash", "-c", ask], stdout=subprocess.PIPE, check=True, cwd=bare.dir)
    first, second = done.stdout.decode().splitlines()
    equal(set(first.split()), set(listed) | {"help"})
    equal(set(second.split()), {"--json", "--account", "--help", "--limit", "--conversations", "--only"})


@test("completions: zsh and fish can read theirs")
def other_shells():
    ran = 0
    for shell, word in (("zsh", "zsh"), ("fish", "fish")):
        if shutil.which(shell):
            path = bare.write("completion." + shell, bare.ok("--manual=" + word).out)
            subprocess.run([shell, "-n", path], check=True)
            ran += 1
    if shutil.which("fish"):
        done = bare.run("-c", "source %s; complete -C 'postrider '" % bare.path("completion.fish"),
                        program=shutil.which("fish"))
        offered = {line.split("\t")[0] for line in done.text.splitlines()}
        equal(set(commands()) - offered, set())
    if not ran:
        raise Skip("neither zsh nor fish is installed")


@test("doc/architecture names every folder of src/, and check-layers knows them")
def folders():
    text = read("doc", "architecture")
    layers = read("tests", "check-layers.py")
    for name in [*SOURCES, "ui"]:
        if not re.search(r"^    %s +\w" % name, text, re.M):
            raise AssertionError("doc/architecture has no line for %s" % name)
        contains(layers, "'%s': " % name)
    for path in sorted(set(re.findall(r"\b((?:%s|ui)/[a-z_]+\.[ch])\b" % "|".join(SOURCES), text))):
        here = path if path.startswith("ui/") else os.path.join("src", path)
        assert os.path.exists(os.path.join(TOP, here)), "doc/architecture speaks of %s" % path


@test("doc/reliability names tests that exist")
def reliability():
    text = read("doc", "reliability").replace("\n     ", " ")
    named = 0
    for kind, name, rest in re.findall(r'\b(unit|e2e)/(\w+)((?: (?:/[\w/-]+|"[^"]+"))+)', text):
        source = read("tests", kind, name + (".c" if kind == "unit" else ".py"))
        for path in re.findall(r" (/[\w/-]+)", rest):
            # A path that ends with a slash is the beginning of many.
            wanted = '"%s' % path if path.endswith("/") else '"%s"' % path
            if wanted not in source and '"%s/%%' % path.rsplit("/", 1)[0] not in source:
                raise AssertionError("tests/unit/%s.c has no %s" % (name, path))
            named += 1
        for words in re.findall(r'"([^"]+)"', rest):
            if '@test("' + words not in source and not re.search(r'@test\("[^"]*' + re.escape(words), source):
                raise AssertionError("tests/e2e/%s.py has no test %r" % (name, words))
            named += 1
    assert named > 80, named


@test("the commands in the guide run")
def guide():
    world = keep(World(smtp="aiosmtpd"))
    ana = keep(world.home("ana"))
    for number in range(1, 4):
        world.deliver("ana", (
            "From: Ben Okafor <ben@lab.test>\r\nTo: Ana <ana@lab.test>\r\nSubject: Lisbon %d\r\n"
            "Message-ID: <guide%d@lab.test>\r\nDate: Thu, 12 Nov 2026 10:00:0%d +0000\r\n\r\nthe text\r\n"
            % (number, number, number)).encode())
    ana.ok("sync")
    tools = ana.path("bin")
    os.mkdir(tools)
    os.symlink(POSTRIDER, os.path.join(tools, "postrider"))
    path = tools + ":" + ana.env["PATH"]
    lines = [line[6:] for document in (("doc", "guide"), ("README",))
             for line in read(*document).splitlines() if line.startswith("    $ ")]
    assert len(lines) > 12, lines
    for line in lines:
        done = ana.run("-c", line, program="/bin/sh", env={"PATH": path}, stdin=None)
        equal(done.code, 0, "%s\n%s" % (line, done.errors))
    # And what it says about JSON.
    keys = set(re.findall(r'"([a-z_]+)":', re.search(r'\{"id":1.*?\}\n', read("doc", "guide"), re.S).group()))
    row = ana.json("list")[0]
    equal(set(row) | {"name", "address"}, keys)


@test("German where the locale is German; JSON and manual pages stay as they are")
def german():
    catalogue = os.path.join(os.path.dirname(POSTRIDER), "po", "locale", "de", "LC_MESSAGES", "postrider.mo")
    if not os.path.exists(catalogue):
        raise Skip("no catalogue: msgfmt was not there when this was built")
    env = {"LC_ALL": "de_DE.UTF-8"}
    installed = subprocess.run(["locale", "-a"], stdout=subprocess.PIPE).stdout.lower().split()
    if b"de_de.utf8" not in installed:
        where = temporary()
        made = shutil.which("localedef") and subprocess.run(
            ["localedef", "-i", "de_DE", "-f", "UTF-8", os.path.join(where, "de_DE.UTF-8")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
        if not made:
            raise Skip("there is no German locale, and none can be made")
        env["LOCPATH"] = where
    text = bare.ok("help", env=env).text
    contains(text, "die Ordner, mit Rolle und Anzahl")
    contains(bare.ok("list", "--help", env=env).text, "höchstens N, die neuesten zuerst")
    contains(bare.fails(64, "nothere", env=env).errors, "den Befehl »nothere« gibt es nicht")
    equal("Ordner" in bare.ok("help", env={"LC_ALL": "C"}).text, False, "in the C locale")
    equal(bare.ok("--manual=bash", env=env).out, bare.ok("--manual=bash", env={"LC_ALL": "C"}).out, "completion")


if __name__ == "__main__":
    main()
