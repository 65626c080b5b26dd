#!/usr/bin/env python3
"""Worlds side by side, and that nothing is left when one ends."""

import json
import os
import shutil
import signal
import subprocess
import threading

from harness import *

import process
from lab_mail import letter, mail_goes_round, unknown_user_bounces

LAB = os.path.join(TOP, "tests", "lab", "lab")


def place_of(folder):
    """Where the world there keeps its sockets: maybe not in the folder."""
    with open(os.path.join(folder, "world.json")) as file:
        return json.load(file)["place"]


def traces(*folders):
    """What a world left behind: folders and processes."""
    found = [folder for folder in folders if os.path.lexists(folder)]
    for pid in process.every():
        words = process.arguments(pid)
        if pid != os.getpid() and any(os.fsencode(folder) in words for folder in folders):
            found.append("process %d" % pid)
    return found


@test("worlds side by side share nothing")
def side_by_side():
    made, errors = [], []

    def begin():
        try:
            made.append(World())
        except Exception as error:
            errors.append(error)
    threads = [threading.Thread(target=begin) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        equal(errors, [])
        numbers = [port for one in made for port in one.ports.values()]
        equal(len(set(numbers)), len(numbers))
        equal(len({one.spec.password for one in made}), 3)
        made[0].deliver("ana", letter("ana@lab.test", "only-here"))
        for n, one in enumerate(made):
            with one.oracle("ana") as server:
                equal(len(server.uids()), int(n == 0))
    finally:
        for one in made:
            one.close()


@test("lab up, status and down; nothing is left")
def up_and_down():
    folder = os.path.join(temporary(), "world")
    text = subprocess.run([LAB, "up", folder, "--users", "8"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    contains(text, "emil@lab.test, fumi@lab.test, user07@lab.test")
    status = json.loads(subprocess.run(
        [LAB, "status", folder, "--json"], check=True,
        stdout=subprocess.PIPE).stdout)
    again = subprocess.run([LAB, "up", folder], stderr=subprocess.PIPE)
    equal(again.returncode, 1)
    contains(again.stderr, b"holds a world already")
    subprocess.run([LAB, "down", folder], check=True)
    wait_for(lambda: not traces(folder, status["place"]), 10,
             "nothing to be left")


@test("lab down --keep leaves mail and logs, files of others stay")
def keep_mail():
    folder = temporary()
    mine = os.path.join(folder, "mine")
    open(mine, "w").close()
    for kept in (True, False):
        subprocess.run([LAB, "up", folder], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([LAB, "deliver", folder, "ana", "-"], check=True,
                       input=letter("ana@lab.test", "kept"))
        subprocess.run([LAB, "down", folder] + ["--keep"] * kept, check=True)
        equal(os.path.isdir(os.path.join(folder, "var", "mail", "ana")), kept)
        equal(os.path.isdir(os.path.join(folder, "log")), kept)
        shutil.rmtree(os.path.join(folder, "var"), ignore_errors=True)
    equal(os.listdir(folder), ["mine"])


@test("lab run gives the command its world and hands its exit code on")
def run_command():
    folder = os.path.join(temporary(), "world")
    done = subprocess.run(
        [LAB, "run", folder, "--", "sh", "-c",
         'test -r "$LAB_CA" && echo "$LAB_USERS $LAB_IMAPS_PORT"; exit 7'],
        stdout=subprocess.PIPE)
    equal(done.returncode, 7)
    contains(done.stdout.decode(), "ana ben carol ")
    equal(traces(folder), [])


def ended_by(number, group):
    folder = os.path.join(temporary(), "world")
    process = subprocess.Popen(
        [LAB, "run", folder, "--", "cat"], start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"up\n")
    process.stdin.flush()
    equal(process.stdout.readline(), b"up\n")
    place = place_of(folder)
    contains(traces(folder, place), place)
    (os.killpg if group else os.kill)(process.pid, number)
    process.wait(30)
    wait_for(lambda: not traces(folder, place), 20, "nothing to be left")
    process.stdin.close()
    process.stdout.close()


@test("nothing is left after Ctrl-C")
def after_interrupt():
    ended_by(signal.SIGINT, group=True)


@test("nothing is left after SIGTERM")
def after_terminate():
    ended_by(signal.SIGTERM, group=False)


@test("nothing is left when the starter is killed")
def after_kill():
    ended_by(signal.SIGKILL, group=False)


@test("nothing is left after Ctrl-C while starting")
def interrupted_start():
    for seen in ("log", "ca", "dovecot.conf", "world.json"):
        outside = temporary()
        os.chmod(outside, 0o711)        # so that var lies in the folder
        folder = os.path.join(outside, "world")
        process = subprocess.Popen(
            [LAB, "up", folder], stdout=subprocess.DEVNULL,
            start_new_session=True)
        wait_for(lambda: os.path.exists(os.path.join(folder, seen))
                 or process.poll() is not None, what="the start")
        os.killpg(process.pid, signal.SIGINT)
        if process.wait(30) == 0:       # it was up before the signal came
            subprocess.run([LAB, "down", folder], check=True)
        wait_for(lambda: not traces(folder), 20, "nothing to be left")


@test("lab down cleans up after a supervisor that was killed")
def dead_supervisor():
    folder = os.path.join(temporary(), "world")
    subprocess.run([LAB, "up", folder], check=True, stdout=subprocess.DEVNULL)
    place = place_of(folder)
    with open(os.path.join(folder, "world.json")) as file:
        os.kill(json.load(file)["pids"]["supervisor"], signal.SIGKILL)
    subprocess.run([LAB, "down", folder], check=True)
    wait_for(lambda: not traces(folder, place), 20, "nothing to be left")


# Folders that are hard to live in

@test("a folder too deep for a socket's name")
def deep_folder():
    folder = os.path.join(temporary(), "deep" * 20, "er" * 40, "world")
    with lab_world.World.up(folder) as deep:
        short = deep.spec.var()
        equal(short.startswith("/tmp/prlab-"), True)
        with Oracle(deep.spec, "ana") as server:
            contains(server.folders(), "INBOX")
    equal(os.path.exists(short) or os.path.exists(folder), False)


@test("a folder that other users may not enter")
def closed_folder():
    folder = os.path.join(temporary(), "world")
    with lab_world.World.up(folder) as closed:
        mail_goes_round(closed.spec)


@test("a world of somebody who is not root")
def not_root():
    if os.geteuid() != 0:
        raise Skip("everything here is that already")
    folder = temporary()
    os.chmod(folder, 0o777)
    command = ["setpriv", "--reuid", "65534", "--regid", "65534",
               "--clear-groups", "env", "PYTHONDONTWRITEBYTECODE=1",
               "HOME=" + folder, "/usr/bin/python3"]
    if subprocess.run([*command, "-c", "open(%r)" % LAB],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("nobody cannot read %s" % LAB)
    path = os.path.join(folder, "world")
    subprocess.run([*command, LAB, "up", path], check=True,
                   stdout=subprocess.DEVNULL)
    try:
        other = lab_world.World.at(path)
        equal(other.spec.smtp_server, "aiosmtpd")
        mail_goes_round(other.spec)
        unknown_user_bounces(other.spec)
    finally:
        subprocess.run([*command, LAB, "down", path], check=True)
    wait_for(lambda: not traces(path), 10, "nothing to be left")


if __name__ == "__main__":
    main()
