/* keyword.h - tags as IMAP keywords, and back
 *
 * A tag is any word (base/flags.h); a keyword is an atom (RFC 9051 section 9). A tag that is one goes as it is; else in
 * modified UTF-7 (base/utf7.h), with the ASCII characters that no atom may hold lifted to U+F000 and up, as Cygwin does
 * for file names. The mapping is one to one: what does not come from here comes back unchanged.
 * Results are newly allocated. Any thread may call. Pure.
 */
#ifndef SYNC_KEYWORD_H
#define SYNC_KEYWORD_H

#include <glib.h>

/* NULL: this tag cannot be a keyword (an invalid one, or longer than servers take). */
char *keyword_from_tag(const char *tag);
/* NULL: not a tag (a system flag that we do not know, or no word). */
char *keyword_to_tag(const char *keyword);

/* The tag set of a message's keywords, spelled as in `here` and `wanted` where only the case differs: servers fold it
 * (RFC 9051 section 2.3.2). */
char *keywords_to_tags(const char *const *keywords, const char *here, const char *wanted);
/* NULL-terminated keywords of a tag set; those that cannot be one are left out. */
char **keywords_from_tags(const char *tags);

#define KEYWORD_MAX 200

#endif
