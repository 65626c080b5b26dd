#include "config.h"

#include "config/keep.h"

#include <string.h>

gboolean
keep_parse_age(const char *text, int *days)
{
    static const struct {
        char unit;
        int days;
    } units[] = {{'d', 1}, {'w', 7}, {'m', 30}, {'y', 365}};
    char *end;
    gint64 number = g_ascii_strtoll(text, &end, 10);
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (end != text && *end == units[i].unit && !end[1] && number > 0 && number < 100000) {
            *days = (int)number * units[i].days;
            return TRUE;
        }
    return FALSE;
}

static gboolean
parse_size(const char *text, gint64 *size)
{
    static const char units[] = "kMG";
    char *end;
    gint64 number = g_ascii_strtoll(text, &end, 10);
    if (end == text || number <= 0 || number > 1000000000)
        return FALSE;
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (*end && (!unit || end[1]))
        return FALSE;
    for (long i = unit ? unit - units + 1 : 0; i > 0; i--)
        number *= 1000;
    *size = number;
    return TRUE;
}

static const struct {
    const char *word;
    enum keep_what what;
} words[] = {{"all", KEEP_BODIES}, {"envelopes", KEEP_ENVELOPES}, {"off", KEEP_OFF}};

gboolean
keep_parse(const char *value, struct keep *keep, char **why)
{
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (!strcmp(value, words[i].word)) {
            keep->what = words[i].what;
            return TRUE;
        }
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);
    for (char **part = parts; *part; part++) {
        g_strstrip(*part);
        if (!keep_parse_age(*part, &keep->days) && !parse_size(*part, &keep->size)) {
            *why = g_strdup_printf("\"%s\" is neither an age nor a size", *part);
            return FALSE;
        }
    }
    return TRUE;
}

void
keep_clear(gpointer data)
{
    struct keep *keep = data;
    g_clear_pointer(&keep->folder, g_free);
}

static gboolean
is_pattern(const char *folder)
{
    return strpbrk(folder, "*?") != NULL;
}

gboolean
keep_fits(const struct keep *keep, const char *folder)
{
    if (!strcmp(folder, "INBOX"))
        return !g_ascii_strcasecmp(keep->folder, folder) || g_pattern_match_simple(keep->folder, folder);
    return g_pattern_match_simple(keep->folder, folder);
}

const struct keep *
keep_of(const struct account *account, const char *folder)
{
    const struct keep *found = NULL;
    for (guint i = 0; account->keep_folders && i < account->keep_folders->len; i++) {
        const struct keep *keep = &g_array_index(account->keep_folders, struct keep, i);
        if (!keep_fits(keep, folder))
            continue;
        if (!is_pattern(keep->folder))
            return keep;
        found = found ? found : keep;
    }
    return found ? found : &account->keep;
}

gboolean
keep_is_partial(const struct keep *keep)
{
    return keep->what != KEEP_BODIES || keep->days || keep->size;
}

char *
keep_to_string(const struct keep *keep)
{
    static const char units[] = " kMG";
    if (keep->what != KEEP_BODIES || !(keep->days || keep->size))
        return g_strdup(words[keep->what].word);
    GString *text = g_string_new(NULL);
    if (keep->days)
        g_string_append_printf(text, "%dd", keep->days);
    guint unit = 0;
    gint64 size = keep->size;
    for (; unit < 3 && size && size % 1000 == 0; unit++)
        size /= 1000;
    if (size)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT "%.*s", text->len ? ", " : "", size, unit > 0,
                               units + unit);
    return g_string_free(text, FALSE);
}
