/* Functions that searches call from SQL. Text from messages goes in; patterns are bounded, so that none runs
 * away (M12). */
#include "config.h"

#include "store/account.h"
#include "store/internal.h"
#include "store/pack.h"
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

/* ---- words in a text ---- */

#define HOLDS_WORDS 63

struct needle {
    GPtrArray *words; /* of char * */
    gboolean is_beginning;
};

struct hunt {
    const struct needle *needle;
    guint64 states; /* bit n: the last n + 1 words of the text are the first of the needle */
    gboolean found;
};

static int
take_word(void *data, int flags, const char *word, int length, int start, int end)
{
    struct needle *needle = data;
    (void)flags, (void)start, (void)end;
    g_ptr_array_add(needle->words, g_strndup(word, (gsize)length));
    return needle->words->len < HOLDS_WORDS ? SQLITE_OK : SQLITE_DONE;
}

static int
try_word(void *data, int flags, const char *word, int length, int start, int end)
{
    struct hunt *hunt = data;
    guint n = hunt->needle->words->len;
    guint64 before = hunt->states << 1 | 1;
    (void)flags, (void)start, (void)end;
    hunt->states = 0;
    for (guint i = 0; i < n; i++) {
        if (!(before & G_GUINT64_CONSTANT(1) << i))
            continue;
        const char *wanted = hunt->needle->words->pdata[i];
        gsize size = strlen(wanted);
        if ((size == (gsize)length || (size < (gsize)length && i + 1 == n && hunt->needle->is_beginning)) &&
            !memcmp(wanted, word, size))
            hunt->states |= G_GUINT64_CONSTANT(1) << i;
    }
    hunt->found = (hunt->states & G_GUINT64_CONSTANT(1) << (n - 1)) != 0;
    return hunt->found ? SQLITE_DONE : SQLITE_OK;
}

static void
free_needle(void *data)
{
    struct needle *needle = data;
    g_ptr_array_unref(needle->words);
    g_free(needle);
}

static void
holds(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct needle *needle = sqlite3_get_auxdata(context, 0), *made = NULL;
    struct hunt hunt = {NULL, 0, FALSE};
    const char *words = n ? (const char *)sqlite3_value_text(args[0]) : NULL;
    if (!needle && words) {
        needle = made = g_new0(struct needle, 1);
        needle->words = g_ptr_array_new_with_free_func(g_free);
        needle->is_beginning = n > 1 && sqlite3_value_int(args[1]);
        tokenizer_each(words, strlen(words), TRUE, take_word, needle);
    }
    hunt.needle = needle;
    for (int i = 2; i < n && needle && needle->words->len && !hunt.found; i++) {
        const char *text = (const char *)sqlite3_value_text(args[i]);
        hunt.states = 0;
        if (text)
            tokenizer_each(text, (gsize)sqlite3_value_bytes(args[i]), FALSE, try_word, &hunt);
    }
    sqlite3_result_int(context, hunt.found);
    if (made)
        sqlite3_set_auxdata(context, 0, made, free_needle); /* may free it at once */
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
        {"holds", -1, SQLITE_DETERMINISTIC, holds},
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
    int rc = pack_register(store->db);
    if (rc != SQLITE_OK)
        sql_error(store, rc, error);
    return rc == SQLITE_OK;
}
