"""The mail that Ana and Ben find in the demo: a week of an ordinary mailbox, dated from now backwards."""

import imaplib
import ssl
import time
from email.message import EmailMessage
from email.utils import format_datetime
from datetime import datetime, timedelta, timezone

NAMES = {"ana": "Ana Ruiz", "ben": "Ben Okafor"}

MARTA, TOMAS = "Marta Ruiz <marta@example.org>", "Tomás Vidal <tomas@example.org>"
BUILD, LIST = "Build farm <build@farm.example>", "postrider-devel <devel@lists.example.org>"


def plain(who, subject, text, hours, flags="", answers=None, name=None, to=None, **headers):
    return {"from": who, "subject": subject, "text": text, "hours": hours, "flags": flags, "answers": answers, "name": name,
            "to": to, "headers": headers}


ANA = [
    plain(MARTA, "Lisbon offsite: flights", "Hi both,\n\nshall we fly on Thursday morning or at noon? The 9:40 is the cheaper one.\n\n-- \nMarta\n",
          30, "\\Seen", name="flights"),
    plain(TOMAS, "Re: Lisbon offsite: flights", "> Thursday morning or at noon?\n\nMorning. The meeting begins at two.\n\nTomás\n", 28, "\\Seen",
          answers="flights", name="flights2"),
    plain(MARTA, "Re: Lisbon offsite: flights",
          "I have booked the 9:40, seats together. The hotel is at Rua da Prata:\nhttps://hotel.example/lisbon\n\n> Morning. The meeting begins at two.\n\n-- \nMarta\n",
          2, answers="flights2", name="flights3"),
    plain(BUILD, "[postrider] main is green", "412 tests passed in 00:41.\n", 3, "\\Seen"),
    plain(TOMAS, "Contract, second draft", "Ana,\n\nplease read clause 4 before noon. The rest is as we said.\n\nTomás\n", 5, "\\Flagged"),
    plain("Ben Okafor <ben@lab.test>", "sync engine: QRESYNC or not?", "Dovecot says VANISHED where the others send EXPUNGE.\nDo we need both paths?\n", 26,
          name="qresync"),
    plain("Noor Haddad <noor@example.net>", "Re: sync engine: QRESYNC or not?", "> Do we need both paths?\n\nWe do. And the plain one, for servers with neither.\n", 25,
          answers="qresync"),
    plain("Dóra Kiss <dora@example.hu>", "Fényképek a hétvégéről", "Szia Ana,\n\nitt vannak a képek. Jó volt látni téged!\n\nDóra\n", 50, "\\Seen"),
    plain("文 山田 <fumi@example.jp>", "会議の件", "アナさん、\n\n来週の会議は火曜日に変わりました。\nよろしくお願いします。\n", 74, "\\Seen \\Answered"),
    plain(LIST, "[devel] [PATCH 1/2] store: keep threads in order", "---\n store/thread.c | 12 ++++++------\n\n@@ -10,7 +10,7 @@\n-\tsort(all);\n+\tinsert(one);\n", 100,
          "\\Seen", **{"List-Id": "<devel.lists.example.org>", "List-Post": "<mailto:devel@lists.example.org>"}),
]

BEN = [
    plain("Ana Ruiz <ana@lab.test>", "Welcome", "Ben,\n\nthis mailbox is yours. Write when you have found it.\n\nAna\n", 40, "\\Seen"),
    plain(BUILD, "[postrider] main is green", "412 tests passed in 00:41.\n", 3),
]

NEWSLETTER = """<html><body><h1>Autumn reading list</h1><p>Three books for <b>long evenings</b>, chosen by our readers.</p>
<ul><li>The Postmaster's Daughter</li><li>A Short History of Waiting</li><li>Letters Never Sent</li></ul>
<p>Order them <a href="https://books.example/autumn">in the shop</a>, or <a href="https://books.example/leave">leave the list</a>.</p>
<img src="https://tracker.example/pixel.gif" width="1" height="1"></body></html>"""


def build(entry, to, ids):
    mail = EmailMessage()
    when = datetime.now(timezone.utc) - timedelta(hours=entry["hours"])
    number = len(ids) + 1
    message_id = f"<demo-{number}-{int(when.timestamp())}@example.org>"
    mail["From"], mail["To"], mail["Subject"] = entry["from"], entry["to"] or to, entry["subject"]
    mail["Date"], mail["Message-ID"] = format_datetime(when), message_id
    if entry["answers"]:
        chain = ids[entry["answers"]]
        mail["In-Reply-To"], mail["References"] = chain[-1], " ".join(chain)
    for name, value in entry["headers"].items():
        mail[name] = value
    ids[entry["name"] or str(number)] = (ids[entry["answers"]] if entry["answers"] else []) + [message_id]
    mail.set_content(entry["text"])
    return mail, when


def decorate(ana):
    """Attachments and an HTML letter, so that every kind is there."""
    by_subject = {mail["Subject"]: mail for mail, *_ in ana}
    by_subject["Contract, second draft"].add_attachment(b"%PDF-1.4\n% a contract\n" * 400, maintype="application", subtype="pdf",
                                                        filename="contract-2.pdf")
    by_subject["Fényképek a hétvégéről"].add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(30000), maintype="image", subtype="png",
                                                       filename="hétvége.png")


def fill(world):
    """Puts the mail into both mailboxes, over IMAP."""
    spec = world.spec
    context = ssl.create_default_context(cafile=spec.ca)
    for user, entries in (("ana", ANA), ("ben", BEN)):
        to, ids = f"{NAMES[user]} <{spec.user(user)['address']}>", {}
        mails = [(*build(entry, to, ids), entry["flags"]) for entry in entries]
        if user == "ana":
            decorate(mails)
            letter, when = build(plain("Autumn Books <news@books.example>", "Autumn reading list", "Three books for long evenings.\n", 60), to, ids)
            letter.add_alternative(NEWSLETTER, subtype="html")
            letter["List-Unsubscribe"] = "<https://books.example/leave>"
            mails.append((letter, when, "\\Seen"))
        server = imaplib.IMAP4_SSL(spec.host, spec.ports["imaps"], ssl_context=context)
        server.login(user, spec.password)
        for mail, when, flags in sorted(mails, key=lambda item: item[1]):
            done, words = server.append("INBOX", f"({flags})", imaplib.Time2Internaldate(time.mktime(when.astimezone().timetuple())),
                                        mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
            if done != "OK":
                raise SystemExit(f"demo: {words}")
        server.logout()
