/* Message bytes to a document: GMime for the MIME structure and the header, our own charsets, HTML and text.
 *
 * Made to run inside postrider-reader, and bounded by mail/limits.h whatever comes in.  The caller owns what
 * is returned.  One thread at a time after mail_init() (mail/header.h).  Never touches a file or the network.
 */
#ifndef MAIL_PARSE_H
#define MAIL_PARSE_H

#include "mail/document.h"
#include "mail/index.h"

/* want: enum reader_want (mail/reader.h).  Never fails: what cannot be read is left out, with a notice. */
struct document *message_parse(GBytes *message, guint want);

/* See reader_part and reader_part_text. */
GBytes *message_part(GBytes *message, guint n, struct document_part **info, GError **error);
char *message_part_text(GBytes *message, guint n, GError **error);

struct message_index *message_index_make(GBytes *message);

#endif
