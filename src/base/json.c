#include "config.h"

#include "base/json.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

void
json_init(struct json *json)
{
    json->out = g_string_new(NULL);
    json->comma = FALSE;
}

char *
json_finish(struct json *json)
{
    char *text = g_string_free(json->out, FALSE);
    json->out = NULL;
    return text;
}

static void
append_text(GString *out, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    g_string_append_c(out, '"');
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            g_string_append(out, "\\n");
        else if (c == '\t')
            g_string_append(out, "\\t");
        else if (c < 0x20 || text_is_unsafe(c))
            c > 0xFFFF ? g_string_append_printf(out, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
                                                0xDC00 + ((c - 0x10000) & 0x3FF))
                       : g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_unichar(out, c);
    }
    g_string_append_c(out, '"');
}

static void
lead(struct json *json, const char *key)
{
    if (json->comma)
        g_string_append_c(json->out, ',');
    if (key) {
        append_text(json->out, key);
        g_string_append_c(json->out, ':');
    }
    json->comma = TRUE;
}

static void
open_with(struct json *json, const char *key, char c)
{
    lead(json, key);
    g_string_append_c(json->out, c);
    json->comma = FALSE;
}

static void
close_with(struct json *json, char c)
{
    g_string_append_c(json->out, c);
    json->comma = TRUE;
}

void
json_object_begin(struct json *json, const char *key)
{
    open_with(json, key, '{');
}

void
json_object_end(struct json *json)
{
    close_with(json, '}');
}

void
json_array_begin(struct json *json, const char *key)
{
    open_with(json, key, '[');
}

void
json_array_end(struct json *json)
{
    close_with(json, ']');
}

void
json_string(struct json *json, const char *key, const char *value)
{
    if (!value) {
        json_null(json, key);
        return;
    }
    lead(json, key);
    append_text(json->out, value);
}

void
json_int(struct json *json, const char *key, gint64 value)
{
    lead(json, key);
    g_string_append_printf(json->out, "%" G_GINT64_FORMAT, value);
}

void
json_double(struct json *json, const char *key, double value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];
    if (!isfinite(value)) {
        json_null(json, key);
        return;
    }
    lead(json, key);
    g_string_append(json->out, g_ascii_formatd(buffer, sizeof buffer, "%.9g", value));
}

void
json_bool(struct json *json, const char *key, gboolean value)
{
    lead(json, key);
    g_string_append(json->out, value ? "true" : "false");
}

void
json_null(struct json *json, const char *key)
{
    lead(json, key);
    g_string_append(json->out, "null");
}
