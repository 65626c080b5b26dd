#include "config.h"

#include "base/roff.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

char *
roff_text(const char *text)
{
    GString *out = g_string_new(NULL);
    gboolean start = TRUE;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (start && (c == '.' || c == '\''))
            g_string_append(out, "\\&");
        start = c == '\n';
        switch (c) {
        case '\\':
            g_string_append(out, "\\e");
            break;
        case '-':
            g_string_append(out, "\\-");
            break;
        case '^':
            g_string_append(out, "\\(ha");
            break;
        case '~':
            g_string_append(out, "\\(ti");
            break;
        case '`':
            g_string_append(out, "\\(ga");
            break;
        case '\'':
            g_string_append(out, "\\(aq");
            break;
        case 0x2026:
            g_string_append(out, "...");
            break;
        default:
            if (c < 0x80)
                g_string_append_c(out, (char)c);
            else
                g_string_append_printf(out, "\\[u%04X]", c);
        }
    }
    return g_string_free(out, FALSE);
}

char *
roff_sentence(const char *text)
{
    gsize word = strcspn(text, " ");
    if (memchr(text, ':', word) && memchr(text, '/', word)) /* a URL stays as it is */
        return roff_text(text);
    g_autofree char *first = g_utf8_strup(text, *text ? (gssize)(g_utf8_next_char(text) - text) : 0);
    const char *rest = *text ? g_utf8_next_char(text) : "";
    g_autofree char *whole =
        g_strconcat(first, rest, *text && strchr(".:?!", text[strlen(text) - 1]) ? "" : ".", NULL);
    return roff_text(whole);
}

void
roff_paragraphs(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\n\n", -1);
    for (char **part = parts; *part; part++) {
        const char *tab = strchr(*part, '\t');
        if (g_str_has_prefix(*part, "    ")) {
            g_autofree char *safe = roff_text(*part);
            printf(".PP\n.nf\n%s\n.fi\n", safe);
        } else if (tab) {
            g_autofree char *tag = g_strndup(*part, (gsize)(tab - *part));
            g_autofree char *safe_tag = roff_text(tag), *safe = roff_text(tab + 1);
            printf(".TP\n\\fB%s\\fR\n%s\n", safe_tag, safe);
        } else {
            g_autofree char *safe = roff_text(*part);
            printf("%s%s\n", part == parts ? "" : ".PP\n", safe);
        }
    }
}
