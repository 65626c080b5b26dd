"""What stands in the mail of corpus.py: one function a kind.

Each takes (corpus, thread, sender) and returns (bytes from Content-Type on,
lines that an answer may quote).
"""

import base64
import binascii
import email.utils
import functools
import random

import prose
import words

BLOB = 1 << 21                  # of which attachments are pieces
BLOB_LINE = 77                  # of base64
FILE_MAX = 1400000
NUMBER_OF_LINES = 3000          # of code, and of logs
HTML_CELL = (
    '<tr><td align="left" valign="top" style="font-family:Helvetica,Arial,'
    'sans-serif;font-size:%dpx;line-height:22px;color:#%06x;padding:12px 24px'
    ' 12px 24px;border-bottom:1px solid #eeeeee">\n<table role="presentation"'
    ' border="0" cellpadding="0" cellspacing="0" width="100%%"><tr><td width='
    '"180"><a href="%s" target="_blank"><img src="https://img.shop.example/'
    '%s.jpg" width="180" alt="%s" style="display:block;border:0"></a></td>\n'
    '<td style="padding-left:16px"><h2 style="margin:0 0 8px">%s</h2>\n'
    '<p style="margin:0 0 12px">%s</p>\n<a href="%s" style="background:'
    '#0a6ebd;border-radius:4px;color:#ffffff;display:inline-block;padding:'
    '10px 18px;text-decoration:none">%s</a> <s>%d,99</s> <b>%d,99 €</b>'
    '</td></tr></table></td></tr>\n')


class Style:
    """A language, charset and transfer encoding."""

    def __init__(self, language, charset, encoding):
        self.prose = prose.language(language)
        self.charset = charset
        self.encoding = encoding


def encode_body(text, charset, encoding):
    data = text.encode(charset, "replace")
    if encoding == "base64":
        return base64.encodebytes(data)
    if encoding == "quoted-printable":
        return binascii.b2a_qp(data)
    return data


@functools.lru_cache(maxsize=None)
def blob():
    return base64.encodebytes(random.Random("blob").randbytes(BLOB))


@functools.lru_cache(maxsize=None)
def code_lines():
    rng, names = random.Random("code"), prose.language("en").vocabulary

    def name():
        return "_".join(prose.plain(rng.choice(names)[:9])
                        for _ in range(rng.randint(1, 3)))
    shapes = ["\t%s = %s(%s, %d);", "\tif (%s < %s && !%s[%d])",
              "static int %s(struct %s *%s, int n%d)", "\treturn %s(%s->%s + %d);",
              "#define %s (%s | %s << %d)", "\t\tgoto out; /* %s: %s, %s %d */"]
    return [rng.choice(shapes) % (name(), name(), name(), rng.randrange(4096))
            for _ in range(NUMBER_OF_LINES)]


@functools.lru_cache(maxsize=None)
def log_lines():
    rng, english = random.Random("log"), prose.language("en")
    return ["%s[%d]: %s %s=%s" % (
        rng.choice(["kernel", "sshd", "smtpd", "cron", "postgres", "make"]),
        rng.randrange(30000), english.words(rng, rng.randint(3, 9)),
        rng.choice(["id", "host", "code", "peer"]), english.rare(rng))
        for _ in range(NUMBER_OF_LINES)]


def some_lines(rng, lines, count):
    at = int(rng.random() * (len(lines) - count))
    return lines[at:at + count]


# ---- parts ----

def part(subtype, text, style):
    return (b"Content-Type: text/%s; charset=%s\n"
            b"Content-Transfer-Encoding: %s\n\n" % (
                subtype.encode(), style.charset.encode(),
                style.encoding.encode())
            + encode_body(text, style.charset, style.encoding))


def multipart(corpus, subtype, parts):
    boundary = b"=_%d_%d_%x" % (corpus.seed, corpus.count,
                                corpus.rng.getrandbits(60))
    return (b"Content-Type: multipart/%s; boundary=\"%s\"\n\n" % (
        subtype.encode(), boundary) + b"".join(
        b"--%s\n%s\n" % (boundary, one) for one in parts)
        + b"--%s--\n" % boundary)


def paragraphs(rng, speech, most):
    """Lists of lines."""
    return [speech.wrap(speech.sentences(rng, 1 + int(rng.random() ** 2 * 7)))
            for _ in range(1 + int(rng.random() ** 2 * most))]


def written(corpus, thread, sender, most):
    """(the lines of a text that somebody wrote, with its quote and signature;
    those of it that may be quoted)"""
    rng, speech = corpus.rng, thread.style.prose
    lines = []
    if thread.said:
        lines.append("%s wrote:" % thread.by.name)
        cut = int(rng.random() * 24)
        lines += ["> " + line for line in thread.said[:cut + 2]]
        lines.append("")
    for paragraph in paragraphs(rng, speech, most):
        lines += paragraph
        lines.append("")
    dice = rng.random()
    if dice < 0.5:
        lines += ["%s: %s-%d, %s" % (
            speech.words(rng, 2).strip(","), speech.rare(rng)[:8].upper(),
            rng.randrange(100000), speech.rare(rng)), ""]
    if dice < 0.15:
        lines += ["https://%s/%s?id=%x" % (sender.host, prose.plain(
            speech.rare(rng)), rng.getrandbits(64)), ""]
    if dice < 0.05:
        lines += some_lines(rng, code_lines() if thread.lists
                            else log_lines(), 3 + int(rng.random() * 20))
    said = lines[:40]
    if sender.signature:
        lines += ["-- ", sender.signature]
    return lines, said


def as_html(lines):
    text = "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;")
    return ('<html><head><meta http-equiv="Content-Type" content="text/html">'
            '</head><body dir="auto"><div><p>%s</p></div></body></html>\n'
            % text.replace("\n\n", "</p>\n<p>").replace("\n", "<br>\n"))


# ---- kinds ----

def talk(corpus, thread, sender):
    lines, said = written(corpus, thread, sender, 6)
    plain = part("plain", "\n".join(lines), thread.style)
    if corpus.rng.random() < 0.6:
        return plain, said
    return multipart(corpus, "alternative", [
        plain, part("html", as_html(lines), thread.style)]), said


def over_list(corpus, thread, sender):
    lines, said = written(corpus, thread, sender, 10)
    name = thread.lists[0][0]
    lines += ["_" * 47, "%s mailing list" % name,
              "https://lists.example/mailman/listinfo/%s" % name, ""]
    return part("plain", "\n".join(lines), thread.style), said


def news(corpus, thread, _sender):
    rng, speech = corpus.rng, thread.style.prose
    who = rng.getrandbits(40)

    def link():
        return "https://click.shop.example/c/%x/%x?u=%x&amp;utm_source=news" % (
            corpus.count, rng.getrandbits(96), who)
    cells, plain = [], []
    for _ in range(4 + int(rng.random() ** 1.5 * 24)):
        title = speech.words(rng, 4).strip(",")
        text = speech.sentences(rng, 1 + int(rng.random() * 4))
        price = rng.randrange(5, 400)
        to = link()
        cells.append(HTML_CELL % (
            14 + price % 4, price * 4099 % 0x444444, to,
            "%x" % rng.getrandbits(48), title, title, text, to,
            speech.words(rng, 2).strip(","), price * 5 // 4, price))
        plain += [title.upper(), *speech.wrap(text),
                  to.replace("&amp;", "&"), ""]
    html = ('<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
            '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
            '<html xmlns="http://www.w3.org/1999/xhtml"><head>\n<style '
            'type="text/css">\n%s</style></head>\n<body style="margin:0">'
            '<div style="display:none;max-height:0;overflow:hidden">%s</div>\n'
            '<img src="https://click.shop.example/open/%x.gif" width="1" '
            'height="1" alt=""><table role="presentation" width="600" align='
            '"center" cellspacing="0">\n%s</table>\n<p style="color:#999999;'
            'font-size:11px">%s <a href="%s">unsubscribe</a></p></body>'
            '</html>\n' % (style_sheet(), plain[0], who, "".join(cells),
                           speech.sentences(rng, 3), link()))
    return (b"List-Unsubscribe: <https://shop.example/u/%x>\n"
            b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\n" % who
            + multipart(corpus, "alternative", [
                part("plain", "\n".join(plain), thread.style),
                part("html", html, thread.style)])), []


@functools.lru_cache(maxsize=None)
def style_sheet():
    rng, rules = random.Random("styles"), []
    for number in range(40):
        rules.append("@media only screen and (max-width:%dpx){.c%d,table.c%d "
                     "td{width:100%%!important;padding:%dpx!important}}\n" % (
                         rng.choice([480, 600]), number, number,
                         rng.randrange(4, 24)))
    return "".join(rules)


def notice(corpus, thread, _sender):
    rng = corpus.rng
    host = rng.choice(corpus.hosts)
    lines = ["job %x on %s took %.1f s" % (
        rng.getrandbits(64), host, rng.random() * 900), ""]
    for number, line in enumerate(some_lines(
            rng, log_lines(), 6 + int(rng.random() ** 3 * 90))):
        lines.append("%02d:%02d:%02d %s %s" % (
            number % 24, number * 7 % 60, number * 13 % 60, host, line))
    return (b"Auto-Submitted: auto-generated\n"
            b"Content-Type: text/plain; charset=utf-8\n"
            b"Content-Transfer-Encoding: 8bit\n\n"
            + "\n".join(lines).encode()), []


def patch(corpus, thread, sender):
    rng = corpus.rng
    lines, said = written(corpus, thread, sender, 3)
    path = "src/%s/%s.c" % (rng.choice(["net", "mm", "fs"]),
                            prose.plain(thread.style.prose.rare(rng)))
    code = some_lines(rng, code_lines(), 20 + int(rng.random() ** 2 * 120))
    lines += ["---", "diff --git a/%s b/%s" % (path, path),
              "index %010x..%010x 100644" % (rng.getrandbits(40),
                                             rng.getrandbits(40)),
              "--- a/" + path, "+++ b/" + path,
              "@@ -%d,%d +%d,%d @@" % (2 * len(code), len(code),
                                       2 * len(code), len(code))]
    lines += ["+- "[(number * number // 5) % 3] + line
              for number, line in enumerate(code)]
    return (b"Content-Type: text/plain; charset=utf-8\n"
            b"Content-Transfer-Encoding: 8bit\n\n"
            + "\n".join(lines + [""]).encode()), said


def files(corpus, thread, sender):
    rng = corpus.rng
    lines, _ = written(corpus, thread, sender, 4)
    parts = [part("plain", "\n".join(lines), thread.style)]
    for _ in range(1 + int(rng.random() ** 4 * 4)):
        name, kind = rng.choice(words.FILES)
        stem, dot, ending = name.partition(".")
        name = "%s %s%s%s" % (stem, thread.style.prose.rare(rng)[:8], dot,
                              ending)
        parts.append(attachment(rng, name, kind))
    return multipart(corpus, "mixed", parts), []


def attachment(rng, name, kind):
    if kind.startswith("text/"):
        data = base64.encodebytes("\n".join(some_lines(
            rng, log_lines(), 20 + int(rng.random() ** 2 * 900))).encode())
    else:
        size = min(int(rng.lognormvariate(11.3, 1.2)), FILE_MAX)
        data = blob()
        begin = int(rng.random() * (len(data) - size)) // BLOB_LINE * BLOB_LINE
        data = data[begin:begin + size // BLOB_LINE * BLOB_LINE]
    return (b"Content-Type: %s\nContent-Disposition: attachment; "
            b"filename*=utf-8''%s\nContent-Transfer-Encoding: base64\n\n%s" % (
                kind.encode(), email.utils.quote(percent(name)).encode(),
                data))


def percent(name):
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128
                   or chr(byte) in "-._" else "%%%02X" % byte
                   for byte in name.encode())


LETTERS = {"talk": talk, "list": over_list, "news": news, "notice": notice,
           "patch": patch, "files": files}
