/* taglist.h - "v=1; a=rsa-sha256; d=example.org": the lists of DKIM, ARC and DMARC (RFC 6376 section 3.2)
 *
 * A list with a tag twice, a tag without "=", or a name that is none is broken as a whole. Values keep their
 * inner white space; where it means nothing (b=, bh=, p=) it is dropped by taglist_base64(). Pure; any
 * thread.
 */
#ifndef TRUST_TAGLIST_H
#define TRUST_TAGLIST_H

#include <glib.h>

struct taglist;

/* NULL when it is no list. An empty one is a list. */
struct taglist *taglist_parse(const char *text);
void taglist_free(struct taglist *list);
typedef struct taglist struct_taglist;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_taglist, taglist_free)

/* Borrowed; NULL when the tag is not there. Names are told apart by case. */
const char *taglist_get(const struct taglist *list, const char *name);
/* The first tag's name, "" of an empty list: a version must stand first. */
const char *taglist_first(const struct taglist *list);
/* A whole decimal number; FALSE when it is not there or none. */
gboolean taglist_number(const struct taglist *list, const char *name, guint64 *number);
/* NULL when it is not there or no base64; length 0 when it is empty. */
guint8 *taglist_base64(const struct taglist *list, const char *name, gsize *length);
/* Whether a colon-separated list has the word, in any case. */
gboolean words_have(const char *words, const char *word);

#endif
