/* utf7.h - mailbox names on the wire: modified UTF-7 (RFC 3501 section 5.1.3, RFC 9051 appendix A.1)
 *
 * Strict in both directions, so that the two forms map one to one: utf7_decode() takes only what
 * utf7_encode() would have written. A name that is not in that form (raw UTF-8 or Latin-1, broken base64,
 * needless encoding) has no decoded form: keep and send its bytes as they are, and show utf7_show(). Results
 * are newly allocated. Any thread may call.
 */
#ifndef BASE_UTF7_H
#define BASE_UTF7_H

#include <glib.h>

/* NULL when `utf8` is not valid UTF-8. */
char *utf7_encode(const char *utf8);

/* NULL when `wire` is not exactly what utf7_encode() writes for some text. The result may hold control
 * characters or
 * '/': it is a name, not yet a path and not yet safe to show. */
char *utf7_decode(const char *wire);

/* For people: decoded when that works; else the bytes as valid UTF-8 with what is not made U+FFFD. Passed
 * through text_safe(). Not reversible. */
char *utf7_show(const char *wire);

#endif
