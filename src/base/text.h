/* text.h - the one place where text from outside is made safe for a terminal, a log or a file name
 *
 * Everything that came from a message, a server or a file name passes text_safe() before it is drawn, printed
 * or logged: the result is valid UTF-8 and holds no C0/C1 control, DEL, escape sequence, bidi control, line
 * or paragraph separator, interlinear, tag or other format character, no private use and no unassigned
 * character, and no run of more than eight combining marks. What is taken out shows as U+FFFD (controls,
 * invalid bytes) or vanishes (format characters). Results are newly allocated. Any thread may call.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <glib.h>

enum text_mode {
    TEXT_LINE, /* one line: tab, CR and LF become one space; bidi controls vanish (headers, names, subjects)
                */
    TEXT_BODY  /* several lines: LF stays, CR LF becomes LF, tab stays; bidi controls vanish */
};

/* `len` -1: up to the NUL. A NUL inside `len` becomes U+FFFD. */
char *text_safe(const char *text, gssize len, enum text_mode mode);

/* Must never reach a terminal as it is (controls, bidi and format characters, separators, unassigned, private
 * use). */
gboolean text_is_unsafe(gunichar c);

/* White space runs become one space, ends trimmed. */
char *text_squeeze(const char *text);

/* For comparing and searching: NFKD, marks taken off, case folded. */
char *text_fold(const char *text);

/* A file name to save an attachment under: one path component, no controls or bidi, no leading dot or dash,
 * at most 200 bytes with the extension kept; never empty ("attachment"). */
char *text_file_name(const char *name);

/* "1.2 MB", "82 kB", "512 B": decimal units, as disks and servers count. */
char *text_size(guint64 bytes);

/* Writes to a terminal or pipe: text_safe() line by line when `fd` is a terminal; else the bytes as they are.
 */
gboolean text_write(int fd, const char *text, gsize len);

#endif
