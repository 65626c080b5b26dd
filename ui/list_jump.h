/* list_jump.h - where ":jump" goes: a line, a part of the list, or a date; pure, tested by a table */
#ifndef UI_LIST_JUMP_H
#define UI_LIST_JUMP_H

#include <glib.h>

enum jump_kind { JUMP_LINE, JUMP_PERCENT, JUMP_DATE };

struct jump {
    enum jump_kind kind;
    gint64 number; /* line from 1, percent, or seconds: the end of that date */
};

/* "120", "50%", "2025-11-01", "2025-11", "yesterday", "a year ago", "3 weeks ago", and the dates of searches. */
gboolean jump_parse(const char *text, gint64 now, struct jump *jump, GError **error);

#endif
