/* Quoting for replies and forwards; the public part is quote_text() in mail/reply.h.  Pure, any thread. */
#ifndef MAIL_QUOTE_H
#define MAIL_QUOTE_H

#include "mail/document.h"

enum quote_scope {
    QUOTE_REPLY,   /* without signature */
    QUOTE_FORWARD, /* all of it */
    QUOTE_BODY,    /* no marks, no wrapping, only the first text: to be edited again */
};

/* The text of a document made safe, without link marks and the list of links. */
char *quote_document(const struct document *document, enum quote_scope scope, guint columns);

/* One line under `more` further quote marks, wrapped to columns unless fixed. */
void quote_append_line(GString *out, const char *line, guint more, guint columns, gboolean fixed);

#endif
