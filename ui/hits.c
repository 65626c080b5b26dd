#include "config.h"

#include "ui/hits.h"

#include "ui/term.h"

int
hits_put(const struct hits *hits, int row, int column, int max, guint style, guint hit_style, const char *text)
{
    gsize at = 0, start, end;
    int used = 0;
    while (hits_find(hits, text, at, &start, &end)) {
        g_autofree char *before = g_strndup(text + at, start - at), *hit = g_strndup(text + start, end - start);
        used += term_put(row, column + used, max - used, style, before);
        used += term_put(row, column + used, max - used, hit_style, hit);
        at = end;
    }
    return used + term_put(row, column + used, max - used, style, text + at);
}
