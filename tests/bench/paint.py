"""From start to the first paint of the list, beside neomutt with a warm
header cache on the same Maildir."""

import contextlib
import os
import re
import shutil
import time

from harness import POSTRIDER, Pty
from rows import Row
from stores import home_with


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


def paint_sizes(bench, counts):
    """The same list, however much lies behind it: each beside our own at the smallest."""
    times, rows = {}, []
    for count in sorted(counts):
        with contextlib.ExitStack() as stack:
            home = home_with(count, stack)
            marker = marker_pattern(home.json("list", "--limit", "1")[0])
            found = [paint(home, POSTRIDER, [], marker, "q") for _ in range(bench.options.passes + 1)][1:]
        times[count] = [taken for taken, _ in found]
        print("  %d: %s, %.0f MB" % (count, " ".join("%.1f" % (1000 * taken) for taken in times[count]),
                                     max(size for _, size in found)), flush=True)
        rows.append(Row("first paint, %d messages in the store" % count, times[count], times[min(counts)],
                        "own, %d" % min(counts), ratio=None if count == min(counts) else round(1 / 1.2, 2)))
    return rows


def first_paint(bench, count):
    ours = bench.pair(count).ours
    ours.rest()
    marker = marker_pattern(ours.home.json("list", "--limit", "1")[0])
    neomutt, options = shutil.which("neomutt"), neomutt_options(ours)
    times, sizes, peer_sizes = {"postrider": [], "neomutt": []}, [], []
    for run in range(bench.options.passes + 1):
        if neomutt:
            taken, size = paint(ours.home, neomutt, options,
                                "q:Quit.*" + marker, "q")
            if run:                     # the first fills its header cache
                times["neomutt"].append(taken)
                peer_sizes.append(size)
        taken, size = paint(ours.home, POSTRIDER, [], marker, "q")
        if run:
            times["postrider"].append(taken)
            sizes.append(size)
    ours.stop()
    return [Row("first paint of the list, %d" % count, times["postrider"],
                times["neomutt"], "neomutt", ratio=50),
            Row("first paint, memory of the screen", sizes, peer_sizes, "neomutt", ratio=5, unit="MB")]
