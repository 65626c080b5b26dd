/* link.h - where a link goes, and what is to be said of that
 *
 * Pure; any thread. Reasons are sentences in English, valid UTF-8, unsafe for a terminal.
 */
#ifndef MAIL_LINK_H
#define MAIL_LINK_H

#include <glib.h>

enum link_mark {
    LINK_ELSEWHERE = 1 << 0, /* the text names another host, or another address */
    LINK_USER = 1 << 1,      /* what stands before an @ looks like the host */
    LINK_LOOKALIKE = 1 << 2, /* the host is written in letters that look like others */
    LINK_MASKED = 1 << 3,    /* a number in place of a host, which the text does not show */
    LINK_NUMBER = 1 << 4,    /* a number of a public network */
    LINK_SHORT = 1 << 5,     /* a shortener: where it leads is not said */
    LINK_COUNTED = 1 << 6    /* the text names another host, and so do many: clicks are counted (flow.h) */
};
/* Those that are worth a warning; the others are only told. */
#define LINK_WARNS (LINK_ELSEWHERE | LINK_USER | LINK_LOOKALIKE | LINK_MASKED)

/* Of a link that shows `text` ("": its own address) and goes to `url`: a set of marks. *reason: a new sentence of the
 * gravest, or NULL. */
guint link_judge(const char *text, const char *url, char **reason);
/* "elsewhere", …: of one bit, for JSON and the filter's tokens; NULL beyond the last. */
const char *link_mark_name(guint bit);

/* Why it is not to be believed: a new sentence, or NULL. */
char *link_suspicion(const char *text, const char *url);
/* The host of an address in lower case ASCII, or NULL. */
char *url_host(const char *url);
/* http, https, ftp, mailto, and some that are harmless: what may be offered as a link. */
gboolean url_is_link(const char *url);

#endif
