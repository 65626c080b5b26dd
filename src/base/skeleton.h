/* skeleton.h - do two texts look the same, though they are not (Unicode UTS 39)
 *
 * The skeleton of a text is what is left when every character is replaced by the one that it looks like; two texts
 * with the same skeleton are hard to tell apart. Not for showing. The table is made from Unicode's data
 * (confusables.h). Pure; any thread.
 */
#ifndef BASE_SKELETON_H
#define BASE_SKELETON_H

#include <glib.h>

/* Case, and what cannot be seen, count for nothing. text: valid UTF-8, else NULL. Of the text in lower case, as it is
 * kept and looked up. New string. */
char *skeleton_of(const char *text);
/* Of the text as it is written: a capital I looks like an l, and in lower case it does not. New string. */
char *skeleton_as_written(const char *text);
/* What a reader of ASCII takes it for: only what is not ASCII is replaced. NULL when other letters are left. New string. */
char *skeleton_ascii(const char *text);
/* Whether one could be taken for the other; also when they are equal. */
gboolean skeleton_is_same(const char *a, const char *b);

/* A word of it has letters of scripts that do not belong together ("highly restrictive" of UTS 39: one script, or Latin
 * with those that Chinese, Japanese and Korean are written in). */
gboolean skeleton_is_mixed(const char *text);

#endif
