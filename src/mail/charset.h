/* Bytes of any charset that mail uses to UTF-8.
 *
 * Only the charsets of a fixed list reach iconv, under names of ours: glibc opens a module from disk for any
 * other word it is given (RELIABILITY.md M5, P3, 0.19).  A program that links this module has its
 * iconv_open() replaced, for the libraries too.  Any thread may call; charset_preload before a sandbox is
 * entered.  No GMime. */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include <glib.h>

enum charset_flags {
    CHARSET_UNKNOWN = 1 << 0, /* the label is not on the list: taken as UTF-8 or windows-1252 */
    CHARSET_DAMAGED = 1 << 1, /* bytes that the charset does not have became U+FFFD */
};

/* iconv's name for a label, whatever its case and punctuation, or NULL when it is not on the list.  Borrowed,
 * static. */
const char *charset_lookup(const char *label);

/* Declared charset first; a label that says nothing (empty, us-ascii) or is not on the list: UTF-8 when it is
 * valid, else windows-1252.  Never fails; NUL becomes U+FFFD.  flags (may be NULL) receives what happened. */
char *charset_to_utf8(const char *bytes, gsize length, const char *label, guint *flags);

/* Opens every converter of the list once and keeps it, so that no file has to be opened later. */
void charset_preload(void);

#endif
