#!/usr/bin/env python3
"""make install into a folder: everything is in its place and works from there; make uninstall leaves nothing."""

import os
import shutil
import stat
import subprocess

from harness import *  # first: it tells where the lab is

BUILD = os.path.dirname(os.path.abspath(POSTRIDER))
STAGE = temporary()


def make(*words):
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["make", "-s", "-C", BUILD, "DESTDIR=" + STAGE, *words], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(done.returncode, 0, done.stdout[-2000:])


def installed():
    """Path below the stage -> mode, of files."""
    found = {}
    for folder, _, names in os.walk(STAGE):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, STAGE)] = stat.S_IMODE(os.stat(path).st_mode)
    return found


def find(end):
    paths = [path for path in installed() if path.endswith(end)]
    equal(len(paths), 1, "files called " + end)
    return os.path.join(STAGE, paths[0])


def program():
    return find("/bin/postrider")


def lint(tool, *words):
    if not shutil.which(tool):
        note("%s is not installed" % tool)
        return
    done = subprocess.run([tool, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    equal((done.returncode, done.stdout), (0, ""), " ".join((tool, *words)))


@test("programs, manual, completions, desktop file, unit and the demo's world are in place, with their modes")
def in_place():
    make("install")
    for end in ("/bin/postrider", "/libexec/postrider/postrider-engine", "/libexec/postrider/postrider-worker",
                "/libexec/postrider/postrider-index", "/libexec/postrider/postrider-reader", "/libexec/postrider/postrider-check",
                "/libexec/postrider/postrider-http",
                "/share/postrider/lab/demo", "/share/postrider/lab/lab"):
        equal(os.stat(find(end)).st_mode & 0o777, 0o755, end)
    for end in ("/man1/postrider.1", "/man5/postrider-config.5", "/bash-completion/completions/postrider",
                "/zsh/site-functions/_postrider", "/fish/vendor_completions.d/postrider.fish",
                "/applications/postrider.desktop", "/systemd/user/postrider.service", "/share/postrider/lab/world.py",
                "/doc/postrider/README", "/doc/postrider/COPYING"):
        equal(os.stat(find(end)).st_mode & 0o777, 0o644, end)
        assert os.path.getsize(find(end)) > 100, end
    equal([path for path in installed() if "__pycache__" in path], [])


@test("what other programs read, they accept")
def accepted():
    lint("bash", "-n", find("/bash-completion/completions/postrider"))
    lint("zsh", "-n", find("/zsh/site-functions/_postrider"))
    lint("fish", "--no-execute", find("/fish/vendor_completions.d/postrider.fish"))
    lint("desktop-file-validate", find("/applications/postrider.desktop"))
    for page in (path for path in installed() if "/man/" in path):
        lint("groff", "-man", "-ww", "-z", "-K", "utf8", os.path.join(STAGE, page))
    with open(find("/systemd/user/postrider.service")) as unit:
        lines = unit.read().splitlines()
    start = [line.partition("=")[2] for line in lines if line.startswith("ExecStart=")]
    equal(len(start), 1)
    equal(STAGE + start[0].split()[0], program())


@test("the installed program finds its own parts, and doctor says so")
def finds_its_parts():
    with Home() as home:
        equal(home.ok("--version", program=program()).text.split()[0], "postrider")
        home.configure("[account x]\naddress = a@x.test\nincoming = maildir:%s\n" % home.path("Mail"))
        os.makedirs(home.path("Mail", "cur"))
        told = home.run("doctor", program=program()).text
        contains(told, find("/libexec/postrider/postrider-engine"))
        contains(told, find("/libexec/postrider/postrider-worker"))
        contains(told, find("/libexec/postrider/postrider-index"))
        contains(told, find("/libexec/postrider/postrider-reader"))
        mail = home.write("a.eml", "From: a@x.test\nSubject: hello\n\nthe text\n")
        contains(home.ok("show", mail, program=program()).text, "the text")


@test("the demo tells its story from the installed tree")
def demo():
    with Home() as home:
        told = home.ok("demo", stdin=None, program=program(), timeout=120)
        contains(told.text.lower(), "ben")
        equal(home.processes(), [])


@test("make uninstall leaves nothing")
def uninstall():
    make("uninstall")
    equal(sorted(installed()), [])


if __name__ == "__main__":
    main()
