#!/usr/bin/env python3
"""The journey on the screen, by keys in tmux: of a mail that came, a slow one, a forged one, a bounce, and one that came over
a list. With JOURNEY_PICTURES=FILE the screens are written there, as the guide shows them."""

import os

from harness import *

world = keep(World(count=1))
ana = keep(world.home("ana"))

CAME = """\
Return-Path: <ben@example.com>
Received: from mx.example.org by imap.example.org with LMTP id L1 for <ana@example.org>; Thu, 12 Nov 2026 10:42:05 +0100
Received: from mail.example.com (mail.example.com [192.0.2.7]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
 by mx.example.org (Postfix) with ESMTPS id M1 for <ana@example.org>; Thu, 12 Nov 2026 10:42:04 +0100
Received: from laptop (pool-4.example.net [203.0.113.4]) by smtp.example.com with ESMTPSA id S1; Thu, 12 Nov 2026 10:42:02 +0100
From: Ben <ben@example.com>
To: ana@example.org
Subject: %s
Date: Thu, 12 Nov 2026 10:42:01 +0100
Message-ID: <%s@example.com>

Shall we?
"""

SLOW = CAME.replace("10:42:05 +0100\n", "12:09:45 +0100\n").replace(
    "id M1 for <ana@example.org>; Thu, 12 Nov 2026 10:42:04", "id M1 for <ana@example.org>; Thu, 12 Nov 2026 12:09:40")

FORGED = """\
Return-Path: <bounce@evil.example>
Received: from mail.bank.example (evil.example [198.51.100.66]) by mx.example.org (Postfix) with SMTP id M1;
 Thu, 12 Nov 2026 10:42:04 +0100
Authentication-Results: mx.bank.example; spf=pass smtp.mailfrom=bank.example; dkim=pass header.d=bank.example
Received: from core.bank.example (core.bank.example [10.0.0.1]) by mail.bank.example with ESMTPS id 1; Thu, 12 Nov 2026 10:47:00 +0100
From: Your Bank <service@bank.example>
To: ana@example.org
Subject: %s
Date: Thu, 12 Nov 2026 10:41:59 +0100
Message-ID: <%s@bank.example>

Your account ...
"""

BOUNCED = """\
Return-Path: <>
Received: from mx.example.com (mx.example.com [192.0.2.12]) by mx.example.org (Postfix) with ESMTPS id M2; Thu, 12 Nov 2026 10:43:00 +0100
From: MAILER-DAEMON@mx.example.com
To: ana@example.org
Subject: %s
Date: Thu, 12 Nov 2026 10:42:59 +0100
Message-ID: <%s@mx.example.com>

Hi. This is the qmail-send program at mx.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.

<clark@example.com>:
Recipient's mailbox is full, message returned to sender. (#5.2.2)

--- Below this line is a copy of the message.

Message-ID: <sent@example.org>
"""

LISTED = CAME.replace("From: Ben", "List-Id: The team <team.lists.example.net>\nFrom: Ben")

SHOWN = [
    ("came", CAME, ["smtp.example.com", "TLSv1.3", "submission", "delivery", "from send to mailbox in 4 s"]),
    ("took its time", SLOW, ["1 h 27 min", "▇"]),
    ("is forged", FORGED, ["evil.example [198.51.100.66]", "its clock is behind by 4 min 56 s"]),
    ("bounced", BOUNCED, ["This is a report", "soft", "5.2.2", "clark@example.com", "the mailbox is full"]),
    ("came over a list", LISTED, ["mailing list team.lists.example.net"]),
]


@test("received, delayed, forged, bounced, over a list: each by I, and back")
def shown():
    pictures = []
    for name, mail, words in SHOWN:
        path = ana.write("one.eml", mail % ("a mail that " + name, name.replace(" ", ".")))
        with Screen(ana, "-f", path, width=80, height=24) as screen:
            screen.wait("a mail that " + name)
            screen.keys("Enter")
            screen.wait("To")
            screen.keys("I")
            for word in words:
                screen.wait(word)
            equal("spf=pass" in screen.text(), False, "what the sender claims")
            pictures.append(screen.text().rstrip())
            screen.keys("q")
            screen.wait("a mail that " + name)
    if "JOURNEY_PICTURES" in os.environ:
        with open(os.environ["JOURNEY_PICTURES"], "w") as out:
            out.write("\n\n".join(pictures) + "\n")


if __name__ == "__main__":
    main()
