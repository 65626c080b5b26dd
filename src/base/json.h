/* json.h - writing JSON (RFC 8259): one object a line for `--json`
 *
 * Values are appended to a GString; commas are ours. Text is made valid UTF-8 first (U+FFFD), and every
 * character below U+0020, DEL, C1 controls, bidi controls and line separators are written as \uXXXX, so that
 * a line is safe on a terminal. Not thread-safe on one writer.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <glib.h>

struct json {
    GString *out;
    gboolean comma; /* the next value needs a comma before it */
};

void json_init(struct json *json);
/* Returns the text (caller frees) and leaves the writer empty. */
char *json_finish(struct json *json);

/* `key` is NULL inside an array and at the top. */
void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *value); /* NULL value: null */
void json_int(struct json *json, const char *key, gint64 value);
void json_double(struct json *json, const char *key, double value);
void json_bool(struct json *json, const char *key, gboolean value);
void json_null(struct json *json, const char *key);

#endif
