#!/usr/bin/env python3
"""The harness itself, with shell commands in the place of the program: a
harness that cannot fail would prove nothing."""

import os
import signal
import socket
import subprocess
import sys
import textwrap

from harness import *

home = keep(Home())
SHELL = "/bin/sh"
HERE = os.path.dirname(os.path.abspath(__file__))


def tap_of(body):
    """Exit code and output of a test file with this body."""
    path = home.write("body.py", "import sys\nsys.path.insert(0, %r)\n"
                      "from tap import *\n%s\nmain()\n" % (
                          HERE, textwrap.dedent(body)))
    done = subprocess.run([sys.executable, path], stdout=subprocess.PIPE)
    return done.returncode, done.stdout.decode()


@test("a test that fails says so, and why, and so does the exit code")
def failing():
    code, text = tap_of('''
        from tap import test, equal, contains, wait_for, Skip, refuses
        @test("good")
        def good(): equal(1, 1)
        @test("bad")
        def bad(): equal("this", "that")
        @test("absent")
        def absent(): contains("hay", "needle")
        @test("late")
        def late(): wait_for(lambda: False, 0.05, "the moon")
        @test("lax")
        def lax(): refuses(lambda: None, OSError)
        @test("elsewhere")
        def elsewhere(): raise Skip("not here")''')
    equal(code, 1)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    equal(lines, ["1..6", "ok 1 - good", "not ok 2 - bad",
                  "not ok 3 - absent", "not ok 4 - late", "not ok 5 - lax",
                  "ok 6 - elsewhere # SKIP not here"])
    contains(text, "got 'this'")
    contains(text, "in vain for the moon")


@test("what was opened is closed after a failure, and when interrupted")
def closing():
    body = '''
        import os, signal
        from tap import at_end, test
        at_end(print, "# closed", flush=True)
        @test("one")
        def one(): %s'''
    body = body.replace(', flush=True', '')
    code, text = tap_of(body % "raise ValueError('broken')")
    equal((code, "# closed" in text), (1, True))
    code, text = tap_of(body % "os.kill(os.getpid(), signal.SIGTERM)")
    equal((code, "# closed" in text), (130, True))
    contains(text, "Bail out!")


@test("run: exit code, both outputs, input, private folders")
def running():
    result = home.run("-c", "cat; echo $HOME; echo $XDG_DATA_HOME >&2; exit 3",
                      program=SHELL, stdin="input\n")
    equal((result.code, result.text, result.errors),
          (3, "input\n%s\n" % home.dir, home.path("data") + "\n"))
    equal(home.fails(3, "-c", "echo why >&2; exit 3", program=SHELL).errors,
          "why\n")
    refuses(lambda: home.ok("-c", "exit 1", program=SHELL), AssertionError)
    refuses(lambda: home.fails(3, "-c", "exit 3", program=SHELL),
            AssertionError)
    os.mkfifo(home.path("never"))
    refuses(lambda: home.run("-c", "read x < never", program=SHELL,
                             timeout=0.1), AssertionError)
    equal(home.processes(), [])


@test("processes: found by $HOME and by their socket, and ended")
def processes():
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(home.path("run", "socket"))
        listener.listen()
        contains(home.processes(), os.getpid())
    os.unlink(home.path("run", "socket"))
    reader = home.start("-c", "cat; :", program=SHELL, stdin=subprocess.PIPE)
    wait_for(lambda: len(home.processes()) == 2, what="sh and its cat")
    home.stop()
    equal(home.processes(), [])
    equal(reader.wait() in (-signal.SIGTERM, 143), True)
    reader.stdin.close()


@test("screen: text, keys, size, end")
def screens():
    script = "stty size; read x; printf 'got <%s>' \"$x\"; exit 4"
    with Screen(home, "-c", script, program=SHELL, width=100,
                height=30) as screen:
        screen.wait("30 100")
        screen.resize(80, 24)
        wait_for(lambda: screen.size() == (80, 24), what="the size")
        screen.type("wörld;")
        screen.keys("Enter")
        screen.wait("got <wörld;>")
        equal(screen.wait_end(), 4)
        error = refuses(lambda: screen.wait("nonsense", 0.1), AssertionError)
        contains(str(error), "got <wörld;>")


@test("pty: every byte, input, size, end")
def ptys():
    script = ("stty size; read x; stty size; printf '\\033[31m\\a%s' \"$x\";"
              " exit 4")
    with Pty(home, "-c", script, program=SHELL) as terminal:
        terminal.read_until("24 80")
        terminal.resize(120, 40)
        terminal.send("abc\n")
        terminal.read_until("40 120.*abc")
        equal(terminal.read_to_end(), 4)
        contains(terminal.output, b"\x1b[31m\aabc")


if __name__ == "__main__":
    main()
