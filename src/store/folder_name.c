/* Folder names to directories and back: see folder.h. */
#include "config.h"

#include "store/folder.h"
#include "base/text.h"

#include <string.h>

#define COMPONENT_MAX 200
#define MORE "%+" /* at the end of a component: its name continues below it */

static void
escape(GString *out, const char *bytes, gsize n)
{
    for (gsize i = 0; i < n; i++)
        g_string_append_printf(out, "%%%02X", (guchar)bytes[i]);
}

static gboolean
is_plain(gunichar c)
{
    return c >= 0x20 && c != '%' && c != '/' && c != '\\' && !text_is_unsafe(c) &&
           g_unichar_break_type(c) != G_UNICODE_BREAK_SURROGATE && !(g_unichar_isspace(c) && c != ' ');
}

/* One level, maybe as several components. */
static void
append_level(GString *out, const char *level, gsize length)
{
    static const char *const reserved[] = {"cur", "new", "tmp"};
    const char *p = level, *end = level + length;
    gsize start = out->len;

    if (!length) { /* "%" alone: never followed by two digits */
        g_string_append_c(out, '%');
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(reserved); i++)
        if (length == 3 && !g_ascii_strncasecmp(level, reserved[i], 3)) {
            escape(out, p++, 1); /* also "Cur", for file systems that do not tell them apart */
            break;
        }
    while (p < end) {
        gunichar c = g_utf8_get_char_validated(p, end - p);
        gboolean valid = c != (gunichar)-1 && c != (gunichar)-2;
        gsize n = valid ? (gsize)g_utf8_skip[(guchar)*p] : 1;
        gboolean first = out->len == start, last = p + n == end;
        if (valid && is_plain(c) && !(first && strchr(".-~ ", (int)(c < 0x80 ? c : 'x'))) &&
            !(last && (c == ' ' || c == '.')))
            g_string_append_len(out, p, (gssize)n);
        else
            escape(out, p, n);
        p += n;
        if (p < end &&
            out->len - start > COMPONENT_MAX - 18) { /* the longest character is 4 bytes, 12 when escaped */
            g_string_append(out, MORE "/");
            start = out->len;
        }
    }
}

char *
folder_dir_from_name(const char *name)
{
    GString *out = g_string_new(NULL);
    for (;;) {
        const char *slash = strchr(name, '/');
        append_level(out, name, slash ? (gsize)(slash - name) : strlen(name));
        if (!slash)
            return g_string_free(out, FALSE);
        g_string_append_c(out, '/');
        name = slash + 1;
    }
}

char *
folder_dir_to_name(const char *dir)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *p = dir; *p;) {
        if (*p != '%') {
            g_string_append_c(out, *p++);
        } else if (g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            g_string_append_c(out, (char)(g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2])));
            p += 3;
        } else if (p[1] == '+' && p[2] == '/') {
            p += 3;
        } else if (p[1] == '\0' || p[1] == '/') {
            p++;
        } else {
            return NULL;
        }
    }
    /* Only what folder_dir_from_name() writes is ours: a foreign spelling of the same name is not. */
    g_autofree char *again = folder_dir_from_name(out->str);
    return strlen(out->str) == out->len && !strcmp(again, dir) ? g_strdup(out->str) : NULL;
}

char *
folder_dir_aside(const char *account_dir, gint64 folder)
{
    return g_strdup_printf("%s/%%=%" G_GINT64_FORMAT, account_dir, folder);
}
