/* Functions that searches call from SQL. Text from messages goes in; patterns are bounded, so that none runs
 * away (M12). */
#include "config.h"

#include "store/account.h"
#include "store/internal.h"
#include "store/rows.h"
#include "store/search.h"
#include "base/text.h"

#include <string.h>

static gboolean
is_ascii(const char *text)
{
    for (; *text; text++)
        if ((guchar)*text >= 0x80)
            return FALSE;
    return TRUE;
}

static void
has_text(sqlite3_context *context, int n, sqlite3_value **args)
{
    const char *text = (const char *)sqlite3_value_text(args[0]),
               *needle = (const char *)sqlite3_value_text(args[1]);
    (void)n;
    if (!text || !needle) {
        sqlite3_result_int(context, 0);
        return;
    }
    if (is_ascii(text)) {
        g_autofree char *low = g_ascii_strdown(text, -1);
        sqlite3_result_int(context, strstr(low, needle) != NULL);
        return;
    }
    g_autofree char *folded = text_fold(text);
    sqlite3_result_int(context, strstr(folded, needle) != NULL);
}

/* Without regard to case unless it has a capital letter, as mutt does it. */
GRegex *
search_pattern(const char *pattern)
{
    gboolean capital = FALSE;
    for (const char *p = pattern; *p && g_utf8_validate(pattern, -1, NULL); p = g_utf8_next_char(p))
        capital |= g_unichar_isupper(g_utf8_get_char(p));
    g_autofree char *bounded = g_strconcat("(*LIMIT_MATCH=50000)", pattern, NULL);
    return g_regex_new(bounded, G_REGEX_OPTIMIZE | (capital ? 0 : G_REGEX_CASELESS), 0, NULL);
}

static void
free_pattern(void *pattern)
{
    g_regex_unref(pattern);
}

static void
matches(sqlite3_context *context, int n, sqlite3_value **args)
{
    const char *pattern = (const char *)sqlite3_value_text(args[0]),
               *text = (const char *)sqlite3_value_text(args[1]);
    GRegex *regex = sqlite3_get_auxdata(context, 0);
    (void)n;

    if (!pattern || !text) {
        sqlite3_result_int(context, 0);
        return;
    }
    if (!regex) {
        regex = search_pattern(pattern);
        if (!regex) {
            sqlite3_result_error(context, "the pattern does not compile", -1);
            return;
        }
        sqlite3_result_int(context, g_regex_match(regex, text, 0, NULL));
        sqlite3_set_auxdata(context, 0, regex, free_pattern); /* may free it at once */
        return;
    }
    sqlite3_result_int(context, g_regex_match(regex, text, 0, NULL));
}

static void
mid_of(sqlite3_context *context, int n, sqlite3_value **args)
{
    guint8 mid[MID_SIZE];
    (void)n;
    if (mid_hash((const char *)sqlite3_value_text(args[0]), mid))
        sqlite3_result_blob(context, mid, MID_SIZE, SQLITE_TRANSIENT);
    else
        sqlite3_result_null(context);
}

static void
has_me(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct store *store = sqlite3_user_data(context);
    const char *packed = (const char *)sqlite3_value_text(args[0]);
    gboolean found = FALSE;
    (void)n;
    g_auto(GStrv) lines = g_strsplit(packed ? packed : "", "\n", -1);
    for (char **line = lines; *line && !found; line++) {
        char *tab = strchr(*line, '\t');
        if (tab)
            *tab = '\0';
        found = **line && store_is_me(store, *line);
    }
    sqlite3_result_int(context, found);
}

gboolean
search_functions(struct store *store, GError **error)
{
    static const struct {
        const char *name;
        int n, flags;
        void (*function)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {
        {"has_text", 2, SQLITE_DETERMINISTIC, has_text},
        {"matches", 2, SQLITE_DETERMINISTIC, matches},
        {"mid_of", 1, SQLITE_DETERMINISTIC, mid_of},
        {"has_me", 1, 0, has_me},
    };
    for (guint i = 0; i < G_N_ELEMENTS(functions); i++) {
        int rc = sqlite3_create_function_v2(store->db, functions[i].name, functions[i].n,
                                            SQLITE_UTF8 | SQLITE_DIRECTONLY | functions[i].flags, store,
                                            functions[i].function, NULL, NULL, NULL);
        if (rc != SQLITE_OK) {
            sql_error(store, rc, error);
            return FALSE;
        }
    }
    return TRUE;
}
