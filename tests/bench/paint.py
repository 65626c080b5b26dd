"""From start to the first paint of the list, beside neomutt with a warm
header cache on the same Maildir."""

import os
import re
import shutil
import statistics
import time

from harness import POSTRIDER, Pty
from rows import Row


def paint(home, program, args, marker, keys):
    """Seconds from exec until the newest message is on the screen, and MB."""
    begun = time.monotonic()
    with Pty(home, *args, width=120, height=40, program=program) as screen:
        screen.read_until(marker, timeout=300)
        taken = time.monotonic() - begun
        size = memory(screen.child)
        screen.send(keys)
        screen.read_to_end(60)
    return taken, size


def memory(pid):
    with open("/proc/%d/status" % pid) as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def marker_pattern(row):
    """A word of the newest message's subject that both programs show."""
    words = re.findall(r"[A-Za-z0-9]{4,}", row["subject"])
    return re.escape(max(words, key=len)) if words else "."


def neomutt_options(ours):
    folder = ours.maildir()
    os.makedirs(ours.home.path("hcache"), exist_ok=True)
    os.makedirs(ours.home.path("Mail"), exist_ok=True)
    rc = ours.home.write("neomuttrc", "\n".join([
        "set header_cache = '%s'" % ours.home.path("hcache"),
        "set sort = reverse-date-received", "set mbox_type = Maildir",
        "set quit = yes", "set mail_check = 3600", "set check_new = no",
        "set charset = utf-8", ""]))
    return ["-n", "-F", rc, "-f", folder, "-R"]


def first_paint(bench, count):
    ours = bench.pair(count).ours
    ours.rest()
    marker = marker_pattern(ours.home.json("list", "--limit", "1")[0])
    neomutt, options = shutil.which("neomutt"), neomutt_options(ours)
    times, sizes = {"postrider": [], "neomutt": []}, []
    for run in range(bench.options.passes + 1):
        if neomutt:
            taken, _ = paint(ours.home, neomutt, options,
                             "q:Quit.*" + marker, "q")
            if run:                     # the first fills its header cache
                times["neomutt"].append(taken)
        taken, size = paint(ours.home, POSTRIDER, [], marker, "q")
        if run:
            times["postrider"].append(taken)
            sizes.append(size)
    ours.stop()
    return [Row("first paint of the list, %d" % count, times["postrider"],
                times["neomutt"], "neomutt"),
            Row("first paint, memory of the screen", [statistics.median(sizes)],
                unit="MB")]
