"""Mail made up for the filter's bench and tests when none is given: letters,
lists, receipts and newsletters that are wanted; offers, advance fees, phishing
and bad luck that are not. Each kind has words of its own and shares some with
the others. It shows that a filter works; it does not tell which is better."""

import base64
import random

COMMON = ("the of and to in for is on that by this with you it not or be are from at as your all have new more was we "
          "will can us if page my has search free but our one other do no information time they site may up what which "
          "their news out use any there see only so his when contact here business who web also now help get view first "
          "been would how were me some these its like service than find price date back top people had list name just "
          "over year day into two").split()
TOPICS = {
    "letter": "lunch grandma weekend train photos birthday garden school dinner kids holiday bike flat party doctor".split(),
    "list": "patch commit branch kernel segfault compiler thread mutex header regression bisect review makefile".split(),
    "receipt": "order invoice shipped tracking total paid delivery receipt booking ticket seat reference vat".split(),
    "news": "edition editor story archive subscribe interview report analysis weekly podcast festival museum".split(),
    "offer": "viagra cialis replica rolex discount cheap pills shipping guaranteed enlarge prescription luxury".split(),
    "fee": "million dollars beneficiary deceased attorney transfer confidential kin fund bank minister urgent".split(),
    "phish": "account suspended verify password login update security limited unusual confirm identity click".split(),
    "stock": "alert target symbol shares volume investors breakout explode rally price strong buy radar".split(),
}
GOOD, JUNK = ("letter", "list", "receipt", "news"), ("offer", "fee", "phish", "stock")
NAMES = "Ana Tom Mia Jon Eva Max Lea Ben Ida Leo Zoe Sam".split()


def sentence(pick, kind):
    words = [pick.choice(TOPICS[kind]) if pick.random() < 0.3 else pick.choice(COMMON) for _ in range(pick.randint(5, 14))]
    return " ".join(words).capitalize() + pick.choice([".", ".", "?", "!" if kind in JUNK else "."])


def text_of(pick, kind):
    return "\n\n".join("\n".join(sentence(pick, kind) for _ in range(pick.randint(1, 4)))
                       for _ in range(pick.randint(2, 6)))


def disguised(pick, text):
    """Some of its words as those write who are filtered."""
    swaps = {"a": "@", "i": "1", "o": "0", "e": "3"}
    return " ".join("".join(swaps.get(c, c) for c in w) if pick.random() < 0.1 else w for w in text.split(" "))


def body_of(pick, kind):
    """Fields and body."""
    text = text_of(pick, kind)
    if kind in JUNK and pick.random() < 0.3:
        text = disguised(pick, text)
    if kind in ("offer", "phish", "news") and pick.random() < 0.7:
        host = "www.%s.example" % pick.choice(["deal", "secure", "best"] if kind in JUNK else ["times", "museum", "city"])
        html = '<html><body><font color="#%06x">%s</font><p><a href="http://%s/%d">%s</a></body></html>' % (
            pick.randrange(1 << 24) if kind in JUNK else 0, text.replace("\n\n", "<p>"), host, pick.randrange(999),
            pick.choice(["here", "more"]))
        if pick.random() < 0.3:
            return ("Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n",
                    base64.encodebytes(html.encode()).decode())
        return "Content-Type: text/html; charset=utf-8\n", html
    if kind == "list" and pick.random() < 0.6:
        text = "On Tue somebody wrote:\n> " + sentence(pick, kind) + "\n\n" + text + "\n-- \n_____\nlist mailing list"
    return "Content-Type: text/plain; charset=utf-8\n", text


def message(pick, kind, when):
    name, other = pick.choice(NAMES), pick.choice(NAMES)
    if kind in JUNK:
        domain = "%s%d.example" % (pick.choice(["mail", "dsl", "host"]), pick.randrange(400))
        relay = "%s ([%d.%d.%d.%d])" % (domain, *(pick.randrange(1, 255) for _ in range(4)))
    else:
        domain = "%s.example" % pick.choice(["friends", "lists", "shop", "paper", "work"])
        relay = "mx.%s ([192.0.2.%d])" % (domain, pick.randrange(1, 20))
    fields, body = body_of(pick, kind)
    answer = kind in ("letter", "list") and pick.random() < 0.5
    day = "%02d %s 2026 %02d:%02d:%02d +0%d00" % (
        1 + when % 28, ["Jan", "Feb", "Mar", "Apr", "May", "Jun"][when // 28 % 6], pick.randrange(24), pick.randrange(60),
        pick.randrange(60), pick.randrange(9))
    subject = sentence(pick, kind)[:60]
    return ("Received: from %s by mx.example.org; %s\nFrom: %s <%s@%s>\nTo: %s@example.org\nSubject: %s%s\nDate: %s\n"
            "Message-ID: <%x@%s>\n%s%s\n%s\n" % (
                relay, day, name, name.lower(), domain, other.lower(), "Re: " if answer else "", subject, day,
                pick.randrange(1 << 60), domain, "In-Reply-To: <%x@example.org>\n" % pick.randrange(1 << 60) if answer else "",
                fields, body)).encode()


def made_up(count=3000, seed=1):
    """(bytes, junk, a number that grows with the date), a third of it junk."""
    pick = random.Random(seed)
    for number in range(count):
        junk = pick.random() < 1 / 3
        when = number * 160 // count
        yield message(pick, pick.choice(JUNK if junk else GOOD), when), junk, when + 1
