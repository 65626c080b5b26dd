/* The FTS5 tokenizer "postrider".
 *
 * Words are runs of letters, digits and marks; case and accents are folded (NFKD, marks taken off). An
 * address, host name or number with dots is thus several words side by side: found by each part, and as a
 * whole because a query for it is the phrase of its parts. Scripts without spaces (Han, kana, hangul, Thai
 * and the like) give overlapping pairs of characters, and the last character of a run alone, so that every
 * single one can be found as a prefix. */
#include "config.h"

#include "store/internal.h"
#include "store/search.h"

#include <string.h>

#define TOKEN_MAX 96 /* bytes: nobody types a longer word */

/* Most of what is read is this: the letter in lower case, or the digit; 0: it is none. */
static inline char
ascii_word(char byte)
{
    char low = (char)(byte | 0x20);
    return low >= 'a' && low <= 'z' ? low : byte >= '0' && byte <= '9' ? byte : '\0';
}

enum kind { KIND_NONE, KIND_WORD, KIND_PAIR, KIND_MARK };

static enum kind
classify(gunichar c)
{
    if (c < 0x80)
        return ascii_word((char)c) ? KIND_WORD : KIND_NONE;
    if (c >= 0x0E00) { /* the first script without spaces */
        switch (g_unichar_get_script(c)) {
        case G_UNICODE_SCRIPT_HAN:
        case G_UNICODE_SCRIPT_HIRAGANA:
        case G_UNICODE_SCRIPT_KATAKANA:
        case G_UNICODE_SCRIPT_HANGUL:
        case G_UNICODE_SCRIPT_BOPOMOFO:
        case G_UNICODE_SCRIPT_THAI:
        case G_UNICODE_SCRIPT_LAO:
        case G_UNICODE_SCRIPT_KHMER:
        case G_UNICODE_SCRIPT_MYANMAR:
            if (g_unichar_isalnum(c))
                return KIND_PAIR;
            break;
        default:
            break;
        }
    }
    if (g_unichar_ismark(c))
        return KIND_MARK;
    return g_unichar_isalnum(c) ? KIND_WORD : KIND_NONE;
}

/* Appends the folded character: lower case, without marks. Returns the new length; stops at TOKEN_MAX. */
static gsize
fold(gunichar c, char *out, gsize length)
{
    if (c < 0x80) {
        if (length < TOKEN_MAX)
            out[length++] = ascii_word((char)c);
        return length;
    }
    gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
    gsize n = g_unichar_fully_decompose(c, TRUE, parts, G_N_ELEMENTS(parts));
    for (gsize i = 0; i < n; i++) {
        gunichar part = g_unichar_tolower(parts[i]);
        if (g_unichar_ismark(part) || length + 6 > TOKEN_MAX)
            continue;
        switch (part) {
        case 0xDF: /* ß */
            out[length++] = 's';
            out[length++] = 's';
            break;
        case 0xF8: /* ø: no decomposition */
            out[length++] = 'o';
            break;
        case 0x142: /* ł */
            out[length++] = 'l';
            break;
        case 0x131: /* ı */
            out[length++] = 'i';
            break;
        case 0x3C2: /* final sigma */
            length += g_unichar_to_utf8(0x3C3, out + length);
            break;
        default:
            length += g_unichar_to_utf8(part, out + length);
        }
    }
    return length;
}

/* Characters of two bytes, as classify() and fold() have them: what Unicode's tables say of each is looked up once. */
#define TWO_BYTES_END 0x800
#define FOLDED_MAX 6

struct folded {
    guint8 kind, length;
    char bytes[FOLDED_MAX];
};

static const struct folded *
folded_of(gunichar c)
{
    static struct folded table[TWO_BYTES_END];
    static gsize once;
    if (g_once_init_enter(&once)) {
        char bytes[TOKEN_MAX + 8];
        for (gunichar i = 0x80; i < TWO_BYTES_END; i++) {
            gsize length = fold(i, bytes, 0);
            g_assert(length <= FOLDED_MAX);
            table[i].kind = (guint8)classify(i);
            table[i].length = (guint8)length;
            memcpy(table[i].bytes, bytes, length);
        }
        g_once_init_leave(&once, 1);
    }
    return &table[c];
}

typedef int (*token_function)(void *, int, const char *, int, int, int);

/* One run of KIND_PAIR characters from text[start] on; returns where it ends. */
static int
tokenize_pairs(const char *text, int start, int length, gboolean query, void *context, token_function token,
               int *rc)
{
    char buffer[2 * TOKEN_MAX];
    gsize last = 0; /* bytes in buffer of the character before */
    int last_start = start, at = start;
    guint n = 0;

    while (at < length) {
        gunichar c = g_utf8_get_char(text + at);
        enum kind kind = classify(c);
        if (kind != KIND_PAIR && kind != KIND_MARK)
            break;
        int next = at + g_utf8_skip[(guchar)text[at]];
        gsize end = kind == KIND_PAIR ? fold(c, buffer, last) : last;
        if (end == last) { /* a mark, or folded away */
            at = next;
            continue;
        }
        if (n++ > 0 && (*rc = token(context, 0, buffer, (int)end, last_start, next)) != SQLITE_OK)
            return next;
        memmove(buffer, buffer + last, end - last);
        last = end - last;
        last_start = at;
        at = next;
    }
    /* In a query the pairs say it all, but for one character alone. */
    if (last && (!query || n == 1))
        *rc = token(context, 0, buffer, (int)last, last_start, at);
    return at;
}

/* A word from text[*at] on, folded; *at is behind it. Returns its length in bytes, which may be 0. */
static gsize
read_word(const char *text, int length, int *at, char *out)
{
    gsize bytes = 0;
    int next = *at;
    while (next < length) {
        char low;
        if ((guchar)text[next] < 0x80) {
            if (!(low = ascii_word(text[next])))
                break;
            if (bytes < TOKEN_MAX)
                out[bytes++] = low;
            next++;
            continue;
        }
        gunichar c = g_utf8_get_char(text + next);
        const struct folded *folded = c < TWO_BYTES_END ? folded_of(c) : NULL;
        enum kind kind = folded ? folded->kind : classify(c);
        if (kind != KIND_WORD && kind != KIND_MARK)
            break;
        if (kind == KIND_WORD && folded && bytes + FOLDED_MAX + 6 <= TOKEN_MAX) { /* fold() has room for each part of it */
            memcpy(out + bytes, folded->bytes, FOLDED_MAX);
            bytes += folded->length;
        } else if (kind == KIND_WORD) {
            bytes = fold(c, out, bytes);
        }
        next += g_utf8_skip[(guchar)text[next]];
    }
    *at = next;
    return bytes;
}

static int
tokenize(Fts5Tokenizer *self, void *context, int flags, const char *text, int length, token_function token)
{
    char buffer[TOKEN_MAX + 8];
    int at = 0, rc = SQLITE_OK;
    (void)self;

    if (!text)
        return SQLITE_OK;
    const char *end;
    if (!g_utf8_validate(text, length, &end)) /* what is stored is valid; a query may be anything */
        length = (int)(end - text);
    while (at < length && rc == SQLITE_OK) {
        gboolean ascii = (guchar)text[at] < 0x80;
        if (ascii && !ascii_word(text[at])) {
            at++;
            continue;
        }
        enum kind kind = ascii ? KIND_WORD : classify(g_utf8_get_char(text + at));
        if (kind == KIND_PAIR) {
            at = tokenize_pairs(text, at, length, (flags & FTS5_TOKENIZE_QUERY) != 0, context, token, &rc);
            continue;
        }
        if (kind != KIND_WORD) {
            at += g_utf8_skip[(guchar)text[at]];
            continue;
        }
        int start = at;
        gsize bytes = read_word(text, length, &at, buffer);
        if (bytes)
            rc = token(context, 0, buffer, (int)bytes, start, at);
    }
    return rc;
}

gboolean
tokenizer_has_words(const char *text, gboolean *single)
{
    guint words = 0, pairs = 0;
    for (const char *p = text; g_utf8_get_char_validated(p, -1) < 0x110000 && *p; p = g_utf8_next_char(p)) {
        enum kind kind = classify(g_utf8_get_char(p));
        words += kind == KIND_WORD;
        pairs += kind == KIND_PAIR;
    }
    *single = !words && pairs == 1;
    return words || pairs;
}

void
tokenizer_each(const char *text, gsize length, gboolean is_query, tokenizer_word callback, gpointer data)
{
    tokenize(NULL, data, is_query ? FTS5_TOKENIZE_QUERY : FTS5_TOKENIZE_DOCUMENT, text, (int)MIN(length, G_MAXINT), callback);
}

static int
create(void *data, const char **args, int n, Fts5Tokenizer **self)
{
    static int only; /* there is no state */
    (void)data;
    (void)args;
    (void)n;
    *self = (Fts5Tokenizer *)&only;
    return SQLITE_OK;
}

static void
destroy(Fts5Tokenizer *self)
{
    (void)self;
}

/* Where the first place of a phrase in that column beyond `after` is; -1: there is none. */
static int
next_place(const Fts5ExtensionApi *api, Fts5Context *fts, int phrase, int column, int after)
{
    Fts5PhraseIter iter;
    int at_column, at;
    if (api->xPhraseFirst(fts, phrase, &iter, &at_column, &at) != SQLITE_OK)
        return -1;
    for (; at_column >= 0; api->xPhraseNext(fts, &iter, &at_column, &at))
        if (at_column == column && at > after)
            return at;
    return -1;
}

/* in_order(fulltext, n): do the phrases of the search stand in their order, from the first to the last at most n places? */
static void
in_order(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *context, int n, sqlite3_value **args)
{
    int phrases = api->xPhraseCount(fts), most = n > 0 ? sqlite3_value_int(args[0]) : 0, column, first;
    Fts5PhraseIter iter;
    gboolean found = FALSE;

    if (phrases && api->xPhraseFirst(fts, 0, &iter, &column, &first) == SQLITE_OK)
        for (; column >= 0 && !found; api->xPhraseNext(fts, &iter, &column, &first)) {
            int at = first;
            for (int i = 1; i < phrases && at >= 0; i++)
                at = next_place(api, fts, i, column, at);
            found = at >= 0 && at - first <= most;
        }
    sqlite3_result_int(context, found);
}

gboolean
tokenizer_register(sqlite3 *db, GError **error)
{
    static fts5_tokenizer tokenizer = {create, destroy, tokenize};
    fts5_api *api = NULL;
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", NULL);
        sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    if (!api || api->iVersion < 2 ||
        api->xCreateTokenizer(api, "postrider", NULL, &tokenizer, NULL) != SQLITE_OK ||
        api->xCreateFunction(api, "in_order", NULL, in_order, NULL) != SQLITE_OK) {
        g_set_error(error, STORE_ERROR, ERROR_GIVEUP,
                    "this SQLite was built without FTS5, the full-text search: install one with it");
        return FALSE;
    }
    return TRUE;
}
