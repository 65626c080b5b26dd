"""The table: what was measured, beside what it is measured against and what
is wanted of it (the ratio at least, or the figure at most)."""

import statistics


class Row:
    def __init__(self, what, ours, peer=None, against="", ratio=None,
                 limit=None, unit="s"):
        self.what = what
        self.ours = ours
        self.peer = peer
        self.against = against
        self.ratio = ratio
        self.limit = limit
        self.unit = unit

    def figure(self, values):
        if not values:
            return "-"
        middle = statistics.median(values)
        shown = "%.0f" % middle if middle >= 100 else "%.*f" % (
            2 if middle >= 1 else 3, middle)
        return "%s %s" % (shown, self.unit)

    def spread(self):
        return "%.3g-%.3g" % (min(self.ours), max(self.ours)) if len(
            self.ours) > 1 else ""

    def reached(self):
        """(what was reached, whether it is enough; None: not measured)"""
        if self.limit is not None and self.ours:
            return "", statistics.median(self.ours) <= self.limit
        if self.ratio is not None and self.ours and self.peer:
            times = statistics.median(self.peer) / statistics.median(self.ours)
            return "%.1fx" % times, times >= self.ratio
        return "", None

    def wanted(self):
        if self.limit is not None:
            return "%g %s" % (self.limit, self.unit)
        return "%gx" % self.ratio if self.ratio else ""

    def cells(self):
        reached, enough = self.reached()
        return [self.what, self.figure(self.ours), self.spread(),
                self.figure(self.peer) if self.peer else "-", self.against,
                reached, self.wanted(),
                {True: "yes", False: "NO", None: ""}[enough]]


HEAD = ["", "postrider", "(range)", "peer", "which", "faster", "wanted", ""]


def print_table(rows):
    cells = [HEAD] + [row.cells() for row in rows]
    widths = [max(len(line[n]) for line in cells) for n in range(len(HEAD))]
    for line in cells:
        print("  " + "  ".join(
            text.ljust(width) if n in (0, 4) else text.rjust(width)
            for n, (text, width) in enumerate(zip(line, widths))).rstrip())
