#include "config.h"

#include "base/width.h"

#include <string.h>

static gboolean ascii_only;

void
width_set_ascii(gboolean ascii)
{
    ascii_only = ascii;
}

static gboolean
is_emoji(gunichar c)
{
    return (c >= 0x1F300 && c <= 0x1F64F) || (c >= 0x1F680 && c <= 0x1F6FF) || (c >= 0x1F900 && c <= 0x1FAFF);
}

int
width_char(gunichar c)
{
    if (c < 0x300)
        return c < 0x20 || (c >= 0x7F && c < 0xA0) ? 0 : 1;
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) || is_emoji(c) ? 2 : 1;
}

int
width_text(const char *text)
{
    int width = 0;
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        width += width_char(g_utf8_get_char(p));
    return width;
}

gsize
width_bytes(const char *text, int cells)
{
    const char *p = text;
    while (*p) {
        cells -= width_char(g_utf8_get_char(p));
        if (cells < 0)
            break;
        p = g_utf8_next_char(p);
    }
    return p - text;
}

char *
width_cut(const char *text, int cells)
{
    gsize all = width_bytes(text, cells);
    if (!text[all])
        return g_strdup(text);
    if (cells < 1)
        return g_strdup("");
    gsize part = width_bytes(text, cells - 1);
    return g_strdup_printf("%.*s%s", (int)part, text, ascii_only ? "." : "…");
}

char *
width_fit(const char *text, int cells)
{
    char *cut = width_cut(text, cells);
    int missing = cells - width_text(cut);
    if (missing <= 0)
        return cut;
    char *fit = g_strdup_printf("%s%*s", cut, missing, "");
    g_free(cut);
    return fit;
}

char *
width_fit_right(const char *text, int cells)
{
    char *cut = width_cut(text, cells);
    int missing = cells - width_text(cut);
    if (missing <= 0)
        return cut;
    char *fit = g_strdup_printf("%*s%s", missing, "", cut);
    g_free(cut);
    return fit;
}

gsize
width_wrap(const char *text, int cells, gsize *next)
{
    int width = 0;
    gsize end = 0,
          after = 0; /* the last place to break at: the line ends at `end`, the next begins at `after` */
    gboolean in_gap = FALSE;
    const char *p = text;

    cells = MAX(cells, 2);
    while (*p && *p != '\n') {
        gunichar c = g_utf8_get_char(p);
        int w = c == '\t' ? 8 - width % 8 : width_char(c);
        gboolean gap = c == ' ' || c == '\t';
        gsize here = (gsize)(p - text);
        if (width + w > cells && !gap) {
            *next = after ? after : here;
            return after ? end : here;
        }
        p = g_utf8_next_char(p);
        width += w;
        if (gap) {
            if (!in_gap)
                end = here;
            after = (gsize)(p - text);
        } else if (w == 2 && !is_emoji(c)) {
            end = after = (gsize)(p - text);
        }
        in_gap = gap;
    }
    gsize len = (gsize)(p - text);
    *next = len + (*p == '\n');
    return len;
}
