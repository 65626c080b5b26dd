/* lineedit.h - one line of text being typed: Emacs keys, kill and yank, history
 *
 * Pure: knows no screen. The text is valid UTF-8 on one line. Positions are bytes on character borders; a
 * combining mark goes with its letter. One thread.
 */
#ifndef UI_LINEEDIT_H
#define UI_LINEEDIT_H

#include "ui/key.h"

enum line_result {
    LINE_IGNORED, /* not a key of the editor */
    LINE_MOVED,   /* the cursor only */
    LINE_CHANGED,
    LINE_DONE,     /* Enter */
    LINE_CANCELLED /* Ctrl-G, Esc, Ctrl-C */
};

struct lineedit;

/* `history` (of char *, oldest first) is borrowed, may be NULL, and must outlive the editor. */
struct lineedit *lineedit_new(const char *text, const GPtrArray *history);
void lineedit_free(struct lineedit *edit);
typedef struct lineedit struct_lineedit;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_lineedit, lineedit_free)

enum line_result lineedit_key(struct lineedit *edit, const struct key_event *event);

const char *lineedit_text(const struct lineedit *edit); /* borrowed until the next change */
gsize lineedit_cursor(const struct lineedit *edit);
void lineedit_set(struct lineedit *edit, const char *text);
/* Replaces bytes `from` to `to` and puts the cursor behind it. */
void lineedit_replace(struct lineedit *edit, gsize from, gsize to, const char *text);

#endif
