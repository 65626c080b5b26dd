/* bounce_prose.h - inside trust/: what the readers of reports in words share
 *
 * bounce_lines.c cuts the words into lines and finds addresses in them, bounce_why.c finds out why one failed, and
 * bounce_prose.c decides which did. Bounded, so that a hostile message costs no more than some tenths of a second.
 * Pure, any thread.
 */
#ifndef TRUST_BOUNCE_PROSE_H
#define TRUST_BOUNCE_PROSE_H

#include "trust/bounce_private.h"

#define PARAGRAPH_MAX 2000 /* bytes */

struct prose_line {
    char *text, *lower; /* without white space around */
    gboolean is_quoted, has_leader; /* has_leader: a recipient begins this line, or one above it in the paragraph */
    guint paragraph;
    struct bounce_saying saying; /* of the line alone, when it was asked for */
    enum { UNASKED, SILENT, SAYS } asked;
};
void prose_line_free(gpointer line);

struct prose_candidate {
    char *address, *original;
    guint line;
    gsize end; /* in its line's text: behind the address */
    enum { NAMED, LEADS } rank;
};

struct prose {
    GPtrArray *lines;      /* of struct prose_line, up to the returned message */
    GPtrArray *candidates; /* of struct prose_candidate */
    GPtrArray *spare;      /* of char *: addresses of the sender or of a header, that failed if none else did */
    GPtrArray *early;      /* of char *: named as recipients before anything was announced */
    GPtrArray *own;        /* of char *: who got the report, who wrote it */
    gboolean is_announced, is_delayed, is_permanent;
};

/* --- bounce_lines.c */

/* Fills prose->lines; returns the text that is left, from the returned message on. */
const char *prose_read_lines(struct prose *prose, const struct document *document);
/* The address around `at`, an @; *start and *end are its place. NULL: it is none. */
char *prose_address_around(const char *text, const char *at, const char **start, const char **end);
/* What stands before an address, in lower case, says whose it is. */
enum prose_role { ROLE_LEADS, ROLE_SENDER, ROLE_HEADER, ROLE_ORIGIN, ROLE_RECIPIENT, ROLE_OTHER };
enum prose_role prose_role_of(const char *before);
/* Where to ask for help is no recipient. */
gboolean prose_offers_help(const char *lower);
gboolean prose_contains_any(const char *text, const char *const *words);
/* From a line on, to the next empty one or to the line `end`; from_byte in the first. */
char *prose_paragraph(const struct prose *prose, guint first, gsize from_byte, guint end);
gboolean prose_weigh_line(struct prose_line *line, struct bounce_saying *saying);
/* Does a paragraph tell why something failed? */
gboolean prose_has_reason(const struct prose *prose, guint first);

/* --- bounce_why.c */

/* Why the candidate failed (NULL: whoever did), whose words end at the line `next`. FALSE: nothing says. *words: a new
 * text, or NULL. */
gboolean prose_find_why(const struct prose *prose, const struct prose_candidate *candidate, guint next,
                        struct bounce_saying *saying, char **words);

#endif
