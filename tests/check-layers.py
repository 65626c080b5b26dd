#!/usr/bin/env python3
"""Who may include whom (doc/architecture): fails when a folder includes one that it may not use, when a library's
header is used outside the folder that owns it, and when a banned function is called. Prints TAP."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent

MAY_USE = {
    'base': set(),
    'config': {'base'},
    'jail': {'base'},
    'mail': {'base', 'jail'},
    'crypto': {'base', 'mail'},
    'store': {'base', 'config', 'mail'},
    'search': {'base', 'store'},
    'trust': {'base', 'config', 'mail', 'store', 'search'},
    'net': {'base', 'config'},
    'proto': {'base', 'net', 'config'},
    'sync': {'base', 'config', 'mail', 'store', 'proto', 'net'},
    'outbox': {'base', 'config', 'mail', 'store', 'proto', 'net'},
    'engine': {'base', 'config', 'mail', 'store', 'search', 'trust', 'net', 'proto', 'sync', 'outbox', 'jail'},
    'cli': {'base', 'config', 'mail', 'crypto', 'store', 'search', 'trust', 'engine', 'jail', 'outbox', 'sync'},
    'ui': {'base', 'config', 'mail', 'crypto', 'store', 'search', 'trust'},
}
# Single headers that a folder may use besides.
EXCEPTIONS = {
    'trust': {'net/dns.h', 'net/servers.h', 'net/signature.h', 'net/clamd.h'},  # no connection to a mail server
    'ui': {'engine/client.h', 'cli/cli.h', 'sync/agree.h'},  # the engine's line; main() hands it to the commands; a word in the store
}
LIBRARY_HOME = [
    (r'libetpan/', {'src/proto'}),
    (r'openssl/', {'src/net'}),
    (r'zlib\.h', {'src/net', 'src/store'}),
    (r'curl/', {'src/net'}),
    (r'notmuch\.h', {'src/search'}),
    (r'sqlite3', {'src/store'}),
    (r'gmime/', {'src/mail', 'src/crypto'}),
    (r'libxml/', {'src/mail'}),
    (r'seccomp\.h', {'src/jail'}),
    (r'gpgme', {'src/crypto'}),
    (r'libpsl\.h', {'src/mail'}),
    (r'resolv\.h|arpa/nameser\.h', {'src/net'}),
    (r'ncurses|curses\.h', {'ui'}),
    (r'gio/', set()),
]
SQL = re.compile(r'"\s*(SELECT .* FROM |INSERT INTO |UPDATE \w+ SET |DELETE FROM |CREATE TABLE )')

BANNED = [
    (re.compile(r'\b(strcpy|strcat|v?sprintf|strtok|gets|alloca|system|popen|mktemp|atoi)\('),
     'is banned: a checked function of GLib does the same'),
    # libetpan never opens a socket and never does TLS: net/stream does. The last two send broken commands.
    (re.compile(r'\b(mail(?:imap|pop3|smtp|stream)_(?:ssl|socket|cfstream|compress)\w*|mail\w*_socket_starttls\w*|'
                r'mailimap_select_qresync\w*|mailimap_custom_command)\('),
     'is banned: see the head of src/net/stream.h'),
]


def check():
    problems = []
    for path in sorted([*TOP.glob('src/**/*.[ch]'), *TOP.glob('ui/**/*.[ch]')]):
        name = path.relative_to(TOP).as_posix()
        parts = name.split('/')
        folder = 'ui' if parts[0] == 'ui' else parts[1]
        home = 'ui' if folder == 'ui' else 'src/' + folder
        for number, line in enumerate(path.read_text(errors='replace').splitlines(), 1):
            where = f'{name}:{number}'
            quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if quoted and '/' in quoted[1]:
                other = quoted[1].split('/')[0]
                if other != folder and other not in MAY_USE.get(folder, set()) and \
                        quoted[1] not in EXCEPTIONS.get(folder, set()):
                    problems.append(f'{where}: {folder}/ may not use {quoted[1]}')
            angled = re.match(r'\s*#\s*include\s+<([^>]+)>', line)
            if angled:
                for pattern, homes in LIBRARY_HOME:
                    if re.match(pattern, angled[1]) and home not in homes:
                        problems.append(f'{where}: <{angled[1]}> belongs to {", ".join(sorted(homes)) or "nobody"}')
            for pattern, why in BANNED:
                called = pattern.search(line)
                if called:
                    problems.append(f'{where}: {called[1]}() {why}')
            if folder != 'store' and SQL.search(line):
                problems.append(f'{where}: SQL belongs to src/store')
    return problems


def main():
    problems = check()
    print('1..1')
    for problem in problems:
        print('#', problem)
    print('not ok 1 - layers' if problems else 'ok 1 - layers')
    return 1 if problems else 0


sys.exit(main())
