/* flags.h - message flags and tags: bits, names, sets, and the three-way merge
 *
 * System flags are bits. Every other mark is a tag: a word without spaces or controls, that is an IMAP
 * keyword on the server and a notmuch tag. A tag set is a string: unique words in byte order, one space
 * between ("" is empty), so that sets compare with strcmp() and lie in one column. $Forwarded is
 * FLAG_FORWARDED, never a tag. Returned strings are newly allocated. Any thread may call.
 *
 * Maildir letters: D F P R S T (https://cr.yp.to/proto/maildir.html); IMAP: RFC 9051 section 2.3.2; words:
 * notmuch.
 */
#ifndef BASE_FLAGS_H
#define BASE_FLAGS_H

#include <glib.h>

enum {
    FLAG_SEEN = 1 << 0,
    FLAG_ANSWERED = 1 << 1,
    FLAG_FLAGGED = 1 << 2,
    FLAG_DELETED = 1 << 3,
    FLAG_DRAFT = 1 << 4,
    FLAG_FORWARDED = 1 << 5,
    FLAGS_ALL = (1 << 6) - 1
};

/* One flag's names; the table ends with bit 0. */
struct flag_name {
    guint bit;
    const char *json;    /* "seen": the `flags` array of list and show */
    const char *notmuch; /* "replied": `mark +replied`; "unread" is the reverse of seen */
    const char *imap;    /* "\\Seen", "$Forwarded" */
    char maildir;        /* 'S' */
};
extern const struct flag_name flag_names[];

/* Three ways: what `base` and `ours` differ in was changed here, the rest is as `theirs` says. */
guint flags_merge(guint base, guint theirs, guint ours);

/* "FS" for a Maildir name, in ASCII order; and back (unknown letters are ignored). */
char *flags_to_maildir(guint flags);
guint flags_from_maildir(const char *letters);

/* A word of `mark` ("unread", "replied", "seen", "answered" …): sets *bit and *reverse, FALSE when it is a
 * tag. */
gboolean flags_from_word(const char *word, guint *bit, gboolean *reverse);
/* An IMAP flag or keyword; 0 when it is a keyword of its own or unknown. Case-insensitive. */
guint flags_from_imap(const char *name);

gboolean tag_is_valid(const char *tag);
char *tags_from_list(const char *const *words,
                     gssize n); /* sorted, unique; invalid words are dropped; -1: NULL ends */
char **tags_split(const char *tags);
/* The user's own words: what begins with $, and Junk and NonJunk, is for programs. */
char *tags_shown(const char *tags);
gboolean tags_has(const char *tags, const char *tag);
char *tags_add(const char *tags, const char *tag);
char *tags_remove(const char *tags, const char *tag);
char *tags_minus(const char *a, const char *b); /* those of a that are not in b */
char *tags_merge(const char *base, const char *theirs, const char *ours);

#endif
