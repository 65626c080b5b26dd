/* fields.h - the words of the query language: one table of fields and one of the tags that are not mere tags
 *
 * Both parsers, the completion and the manual page read these tables. A row's `make` turns a value into a
 * tree; adding a field is one row. Values are valid UTF-8. Pure; any thread.
 */
#ifndef SEARCH_FIELDS_H
#define SEARCH_FIELDS_H

#include "store/query.h"

struct search_value {
    const char *text; /* without the quotes */
    gboolean quoted;  /* then a trailing * is a star */
    gint64 now;
};

struct search_field;
typedef struct query *(*search_make)(const struct search_field *field, const struct search_value *value,
                                     GError **error);

struct search_field {
    const char *name; /* "from" */
    search_make make;
    enum query_kind kind;
    guint fields;       /* of QUERY_TEXT */
    gboolean has_regex; /* name:/…/ */
    gboolean is_either; /* two of it side by side mean "or", as notmuch has it */
    const char *example;
    const char *help;
};

/* Ends with name NULL. */
extern const struct search_field search_fields[];

const struct search_field *search_field_find(const char *name, gsize len);
/* The field that `name` is one slip away from ("form" is "from"), or NULL. */
const struct search_field *search_field_near(const char *name, gsize len);

/* NULL with error; an empty value is an error except where "" is a folder. */
struct query *search_field_query(const struct search_field *field, const struct search_value *value,
                                 GError **error);

/* Free text; NULL when there is nothing to look for ("--"). */
struct query *search_text_query(guint fields, const char *text, gboolean quoted);

/* tag:WORD, where unread, flagged, inbox, sent, deleted, spam … are flags, places and properties as well. */
struct query *search_tag_query(const char *tag);
/* Those words, for completion; ends with NULL. */
extern const char *const search_tag_words[];

/* FALSE with error when it does not compile. */
gboolean search_check_regex(const char *pattern, GError **error);
/* "10k", "1.5M", "2G", plain bytes; `kilo` is 1000 or 1024. */
gboolean search_parse_size(const char *text, gsize len, gint64 kilo, gint64 *bytes);

#endif
