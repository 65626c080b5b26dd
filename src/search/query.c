#include "config.h"

#include "search/query.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "search/fields.h"
#include "search/parser.h"

gpointer
search_parser_take_error(struct search_parser *parser, const char *at, GError *error)
{
    if (parser->error) {
        g_clear_error(&error);
        return NULL;
    }
    parser->column = (guint)g_utf8_pointer_to_offset(parser->text, at) + 1;
    parser->error = error;
    g_prefix_error(&parser->error, "column %u: ", parser->column);
    return NULL;
}

gpointer
search_parser_fail(struct search_parser *parser, const char *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    search_parser_take_error(parser, at, g_error_new_valist(SEARCH_ERROR, ERROR_INPUT, format, args));
    va_end(args);
    return NULL;
}

gboolean
search_parser_enter(struct search_parser *parser, const char *at)
{
    if (++parser->depth <= QUERY_DEPTH_MAX / 2)
        return TRUE;
    search_parser_fail(parser, at, _("too many open parentheses: at most %d are read"), QUERY_DEPTH_MAX / 2);
    return FALSE;
}

void
search_parser_leave(struct search_parser *parser)
{
    parser->depth--;
}

struct query *
search_parser_note(struct search_parser *parser, struct query *query, const char *start)
{
    if (!query)
        return NULL;
    query->column = (guint)g_utf8_pointer_to_offset(parser->text, start) + 1;
    query->end = (guint)g_utf8_pointer_to_offset(parser->text, parser->p) + 1;
    return query;
}

/* --- Words */

static gboolean
is_space(const char *p)
{
    return *p && (g_unichar_isspace(g_utf8_get_char(p)) || g_ascii_iscntrl(*p));
}

static void
skip_space(struct search_parser *parser)
{
    while (is_space(parser->p))
        parser->p = g_utf8_next_char(parser->p);
}

static gboolean
ends_word(const char *p)
{
    return !*p || is_space(p) || *p == '(' || *p == ')' || *p == '"';
}

/* A bare word at `p`: operators and names end at spaces, parentheses and quotes. */
static gsize
word_length(const char *p)
{
    const char *start = p;
    while (!ends_word(p))
        p = g_utf8_next_char(p);
    return (gsize)(p - start);
}

static gboolean
is_operator_word(const char *p, const char *name)
{
    gsize len = strlen(name);
    return word_length(p) == len && !g_ascii_strncasecmp(p, name, len);
}

static gboolean
take_operator(struct search_parser *parser, const char *name)
{
    skip_space(parser);
    if (!is_operator_word(parser->p, name))
        return FALSE;
    parser->p += strlen(name);
    return TRUE;
}

/* A quoted text, a doubled quote standing for one; parser->p is on the opening quote. */
static char *
take_quoted(struct search_parser *parser)
{
    const char *start = parser->p++;
    GString *out = g_string_new(NULL);
    for (; *parser->p; parser->p++) {
        if (*parser->p == '"') {
            parser->p++;
            if (*parser->p != '"')
                return g_string_free(out, FALSE);
        }
        g_string_append_c(out, *parser->p);
    }
    g_string_free(out, TRUE);
    return search_parser_fail(parser, start, _("the quote is not closed: add a \""));
}

/* A value in braces with those inside it, for thread:{…}; parser->p is on the brace. Returns what is between.
 */
static char *
take_braced(struct search_parser *parser)
{
    const char *start = parser->p;
    guint open = 0;
    for (; *parser->p; parser->p++) {
        open += *parser->p == '{';
        open -= *parser->p == '}';
        if (!open) {
            char *inner = g_strndup(start + 1, (gsize)(parser->p - start - 1));
            parser->p++;
            return inner;
        }
    }
    return search_parser_fail(parser, start, _("the brace is not closed: add a }"));
}

/* /…/ may hold spaces and parentheses; it ends at the slash before a space, a parenthesis or the end. */
static char *
take_regex(struct search_parser *parser)
{
    for (const char *p = parser->p + 1; *p; p++)
        if (*p == '/' && p[-1] != '\\' && ends_word(p + 1)) {
            char *text = g_strndup(parser->p, (gsize)(p + 1 - parser->p));
            parser->p = p + 1;
            return text;
        }
    return NULL;
}

/* --- Terms */

/* thread:{…}: the threads that hold a message found by a search of their own. */
static struct query *
parse_inner(struct search_parser *parser, const char *inner, const char *at)
{
    struct search_parser nested = {.text = inner, .p = inner, .now = parser->now, .depth = parser->depth + 1};
    if (nested.depth > QUERY_DEPTH_MAX / 2)
        return search_parser_fail(parser, at, _("too many searches inside one another: at most %d are read"),
                                  QUERY_DEPTH_MAX / 2);
    struct query *query = search_parse_notmuch(&nested);
    if (nested.error)
        return search_parser_take_error(parser, at, nested.error);
    return query_new_about(QUERY_SAME_THREAD, query ? query : query_new(QUERY_ALL));
}

/* field:( a b or c ): the expression inside, with every plain word of it in that field. */
static struct query *
parse_field_group(struct search_parser *parser, const struct search_field *field, const char *at)
{
    parser->p++;
    if (!search_parser_enter(parser, at))
        return NULL;
    struct query *query = search_parse_notmuch(parser);
    search_parser_leave(parser);
    if (parser->error || *parser->p != ')') {
        query_free(query);
        return parser->error ? NULL
                             : search_parser_fail(parser, at, _("the parenthesis is not closed: add a )"));
    }
    parser->p++;
    GQueue pending = G_QUEUE_INIT;
    if (query)
        g_queue_push_tail(&pending, query);
    for (struct query *node; (node = g_queue_pop_head(&pending)) != NULL;) {
        if (node->kind == QUERY_TEXT && node->fields == QUERY_ANYWHERE)
            node->fields = field->fields;
        for (guint i = 0; node->children && i < node->children->len; i++)
            g_queue_push_tail(&pending, node->children->pdata[i]);
    }
    return query;
}

static struct query *
parse_field(struct search_parser *parser, const struct search_field *field, guint *either)
{
    const char *start = parser->p;
    parser->p += strlen(field->name) + 1;
    *either = field->is_either ? (guint)(field - search_fields) + 1 : 0;

    g_autofree char *text = NULL;
    gboolean is_quoted = *parser->p == '"';
    if (*parser->p == '(' && field->kind == QUERY_TEXT)
        return parse_field_group(parser, field, start);
    if (*parser->p == '{' && field->kind == QUERY_THREAD) {
        g_autofree char *inner = take_braced(parser);
        return inner ? parse_inner(parser, inner, start) : NULL;
    }
    if (is_quoted) {
        text = take_quoted(parser);
        if (!text)
            return NULL;
        gsize len = strlen(text);
        if (field->kind == QUERY_THREAD && len > 1 && *text == '{' && text[len - 1] == '}') {
            g_autofree char *inner = g_strndup(text + 1, len - 2);
            return parse_inner(parser, inner, start);
        }
    } else if (*parser->p == '/' && field->has_regex) {
        text = take_regex(parser);
    }
    if (!text) {
        gsize len = word_length(parser->p);
        text = g_strndup(parser->p, len);
        parser->p += len;
    }
    GError *error = NULL;
    struct search_value value = {.text = text, .quoted = is_quoted, .now = parser->now};
    struct query *query = search_field_query(field, &value, &error);
    return query ? query : search_parser_take_error(parser, start, error);
}

#define NEAR_DEFAULT 10 /* Xapian's */

/* NEAR, NEAR/5, ADJ, ADJ/5, in capitals; QUERY_WORDS when it is none of them. */
static enum query_match
near_operator(const char *p, gint64 *distance)
{
    enum query_match match = g_str_has_prefix(p, "NEAR")  ? QUERY_NEAR
                             : g_str_has_prefix(p, "ADJ") ? QUERY_ADJACENT
                                                          : QUERY_WORDS;
    *distance = NEAR_DEFAULT;
    if (match == QUERY_WORDS) /* what follows may be shorter than their names */
        return match;
    const char *rest = p + (match == QUERY_NEAR ? 4 : 3);
    if (*rest == '/' && g_ascii_isdigit(rest[1])) {
        char *end;
        *distance = (gint64)MIN(g_ascii_strtoull(rest + 1, &end, 10), QUERY_NEAR_MAX);
        rest = end;
    }
    return ends_word(rest) ? match : QUERY_WORDS;
}

/* one NEAR/5 two: the term before has been read. Takes it; as it came when no such operator follows. */
static struct query *
parse_near(struct search_parser *parser, struct query *term)
{
    for (skip_space(parser); !parser->error; skip_space(parser)) {
        gint64 distance;
        guint either;
        const char *at = parser->p;
        enum query_match match = near_operator(at, &distance);
        if (match == QUERY_WORDS)
            break;
        if (term->kind != QUERY_TEXT || (term->match != QUERY_WORDS && term->match != match)) {
            search_parser_fail(parser, at, _("NEAR and ADJ stand between words alone: write one NEAR/5 two"));
            break;
        }
        parser->p += word_length(at);
        skip_space(parser);
        g_autoptr(struct_query) next = search_parse_term(parser, &either);
        if (parser->error)
            break;
        if (!next || next->kind != QUERY_TEXT || next->match != QUERY_WORDS || next->fields != term->fields) {
            search_parser_fail(parser, at, _("NEAR and ADJ stand between words alone: write one NEAR/5 two"));
            break;
        }
        g_autofree char *words = g_strconcat(term->text, "\n", next->text, NULL);
        g_free(g_steal_pointer(&term->text));
        term->text = g_steal_pointer(&words);
        term->match = match;
        term->max = MAX(term->max, distance);
    }
    if (!parser->error)
        return term;
    query_free(term);
    return NULL;
}

/* What people write that belongs elsewhere, and what to write here. */
static gboolean
check_foreign(struct search_parser *parser, const char *word, gsize len)
{
    static const char *const only_notmuch[] = {"property", "lastmod", "query", "sexp"};
    const char *colon = memchr(word, ':', len);
    gsize name_len = colon ? (gsize)(colon - word) : 0;
    for (guint i = 0; name_len && i < G_N_ELEMENTS(only_notmuch); i++)
        if (strlen(only_notmuch[i]) == name_len && !g_ascii_strncasecmp(word, only_notmuch[i], name_len)) {
            search_parser_fail(parser, word, _("%s: is for notmuch itself: use \"search --notmuch\""),
                               only_notmuch[i]);
            return FALSE;
        }
    if (name_len && colon[1] != '/' && name_len + 1 < len) {
        const struct search_field *near = search_field_near(word, name_len);
        if (near) {
            search_parser_fail(parser, word,
                               _("there is no field \"%.*s:\": did you mean \"%s:\"? (in quotes it is text)"),
                               (int)name_len, word, near->name);
            return FALSE;
        }
    }
    gint64 distance;
    if (near_operator(word, &distance) != QUERY_WORDS) {
        search_parser_fail(parser, word, _("%.*s stands between two words: write one NEAR/5 two"), (int)len, word);
        return FALSE;
    }
    if (len >= 2 && *word == '~' && strchr("ABCDFGLNOPQRTUbcdefghiklmprstuxyz(<>", word[1])) {
        search_parser_fail(parser, word,
                           _("mutt's patterns work at the limit prompt: here write from:ana, subject:word or "
                             "is:unread"));
        return FALSE;
    }
    return TRUE;
}

struct query *
search_parse_term(struct search_parser *parser, guint *either)
{
    const char *start = parser->p;
    *either = 0;
    if (*start == '"') {
        g_autofree char *text = take_quoted(parser);
        return text ? search_text_query(QUERY_ANYWHERE, text, TRUE) : NULL;
    }
    gsize len = word_length(start);
    const char *colon = memchr(start, ':', len);
    const struct search_field *field = colon ? search_field_find(start, (gsize)(colon - start)) : NULL;
    if (field)
        return parse_field(parser, field, either);
    parser->p += len;
    if (len == 1 && *start == '*')
        return query_new(QUERY_ALL);
    if (!check_foreign(parser, start, len))
        return NULL;
    g_autofree char *word = g_strndup(start, len);
    return search_text_query(QUERY_ANYWHERE, word, FALSE);
}

/* --- Expressions: or, xor, and, then terms side by side (notmuch's and Xapian's precedence) */

static struct query *parse_or(struct search_parser *parser);

static struct query *
parse_parentheses(struct search_parser *parser)
{
    const char *start = parser->p++;
    if (!search_parser_enter(parser, start))
        return NULL;
    struct query *query = parse_or(parser);
    search_parser_leave(parser);
    if (!parser->error && *parser->p == ')') {
        parser->p++;
        return query;
    }
    query_free(query);
    return search_parser_fail(parser, start, _("the parenthesis is not closed: add a )"));
}

/* Ends a run of terms that stand side by side. */
static gboolean
ends_group(const char *p)
{
    return !*p || *p == ')' || is_operator_word(p, "or") || is_operator_word(p, "and") ||
           is_operator_word(p, "xor") || is_operator_word(p, "not");
}

/* Terms side by side: all must match, but of tag:a tag:b one is enough; -term must not match. */
static struct query *
parse_group(struct search_parser *parser)
{
    struct query *all = NULL, *either[64] = {NULL};
    for (skip_space(parser); !parser->error && !ends_group(parser->p); skip_space(parser)) {
        const char *start = parser->p;
        guint row = 0;
        gboolean is_negative = FALSE;
        for (; *parser->p == '-' || *parser->p == '+'; parser->p++)
            is_negative = is_negative != (*parser->p == '-');
        if (ends_word(parser->p) && *parser->p != '(' && *parser->p != '"') /* a lone dash */
            continue;
        struct query *term = *parser->p == '(' ? parse_parentheses(parser) : search_parse_term(parser, &row);
        if (term)
            term = parse_near(parser, term);
        if (term && is_negative) {
            term = query_new_not(term);
            row = 0;
        }
        term = search_parser_note(parser, term, start);
        if (!term)
            continue;
        if (row && row < G_N_ELEMENTS(either))
            either[row] = query_new_pair(QUERY_OR, either[row], term);
        else
            all = query_new_pair(QUERY_AND, all, term);
    }
    for (guint row = 0; row < G_N_ELEMENTS(either); row++)
        if (either[row])
            all = query_new_pair(QUERY_AND, all, either[row]);
    return all;
}

/* An operator needs something on both sides; "and not" is one operator. */
static struct query *
parse_operand(struct search_parser *parser, const char *operator_at, gboolean required)
{
    gboolean is_negative = FALSE;
    const char *start = parser->p;
    while (take_operator(parser, "not")) {
        is_negative = !is_negative;
        operator_at = start;
        required = TRUE;
        start = parser->p;
    }
    skip_space(parser);
    start = parser->p;
    struct query *query = parse_group(parser);
    if (parser->error) {
        query_free(query);
        return NULL;
    }
    if (parser->p == start && required)
        return search_parser_fail(
            parser, operator_at ? operator_at : start,
            _("something to look for is missing beside the operator: put the word in quotes to look "
              "for it"));
    return query && is_negative ? search_parser_note(parser, query_new_not(query), start) : query;
}

static struct query *
join(struct search_parser *parser, enum query_kind kind, struct query *left, struct query *right)
{
    if (!parser->error)
        return query_new_pair(kind, left, right);
    query_free(left);
    query_free(right);
    return NULL;
}

static struct query *
parse_and(struct search_parser *parser)
{
    skip_space(parser);
    const char *start = parser->p;
    gboolean starts_with_operator =
        is_operator_word(start, "and") || is_operator_word(start, "or") || is_operator_word(start, "xor");
    struct query *query = parse_operand(parser, start, starts_with_operator);
    while (!parser->error) {
        skip_space(parser);
        const char *at = parser->p;
        if (!take_operator(parser, "and") && !is_operator_word(at, "not"))
            break;
        query = join(parser, QUERY_AND, query, parse_operand(parser, at, TRUE));
    }
    return query;
}

static struct query *
parse_xor(struct search_parser *parser)
{
    struct query *query = parse_and(parser);
    while (!parser->error) {
        skip_space(parser);
        const char *at = parser->p;
        if (!take_operator(parser, "xor"))
            break;
        skip_space(parser);
        if (!*parser->p || *parser->p == ')') {
            query_free(query);
            return search_parser_fail(parser, at, _("something to look for is missing after xor"));
        }
        query = search_parser_note(parser, join(parser, QUERY_XOR, query, parse_and(parser)), at);
    }
    return query;
}

static struct query *
parse_or(struct search_parser *parser)
{
    struct query *query = parse_xor(parser);
    while (!parser->error) {
        skip_space(parser);
        const char *at = parser->p;
        if (!take_operator(parser, "or"))
            break;
        skip_space(parser);
        if (!*parser->p || *parser->p == ')') {
            query_free(query);
            return search_parser_fail(parser, at, _("something to look for is missing after or"));
        }
        query = join(parser, QUERY_OR, query, parse_xor(parser));
    }
    return query;
}

struct query *
search_parse_notmuch(struct search_parser *parser)
{
    struct query *query = parse_or(parser);
    if (parser->error) {
        query_free(query);
        return NULL;
    }
    return query;
}

/* --- The entry */

/* At the limit prompt a plain word is mutt's: it looks at sender and subject. Fields, quotes and parentheses
 * say that notmuch's language is meant. */
static gboolean
looks_like_notmuch(const char *text)
{
    if (strpbrk(text, "\"()*"))
        return TRUE;
    for (const char *p = text; *p;) {
        while (is_space(p))
            p = g_utf8_next_char(p);
        gsize len = word_length(p);
        const char *word = *p == '-' || *p == '+' ? p + 1 : p, *colon = memchr(p, ':', len);
        if (colon && colon > word && search_field_find(word, (gsize)(colon - word)))
            return TRUE;
        p += len ? len : (*p != '\0');
    }
    return FALSE;
}

struct query *
search_parse_at(const char *text, enum search_mode mode, gint64 now, guint *column, GError **error)
{
    struct search_parser parser = {.text = text, .p = text, .now = now};
    struct query *query = NULL;
    if (column)
        *column = 0;
    if (strlen(text) > QUERY_TEXT_MAX || !g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, SEARCH_ERROR, ERROR_INPUT,
                    strlen(text) > QUERY_TEXT_MAX
                        ? "the search is longer than %d bytes: shorten it"
                        : "the search is not valid UTF-8: type it again (at most %d bytes)",
                    QUERY_TEXT_MAX);
        return NULL;
    }
    if (mode == SEARCH_LIMIT && search_looks_like_pattern(text))
        query = search_parse_pattern(&parser);
    else if (mode == SEARCH_LIMIT && !looks_like_notmuch(text))
        query = search_parse_simple(&parser);
    else
        query = search_parse_notmuch(&parser);
    if (!parser.error && *parser.p == ')')
        search_parser_fail(&parser, parser.p, _("there is no parenthesis to close here: remove the )"));
    if (!parser.error && query && query_count(query) > QUERY_NODES_MAX)
        search_parser_fail(&parser, text, _("the search is too long: at most %d conditions are read"),
                           QUERY_NODES_MAX);
    if (!parser.error && query && query_depth(query) > QUERY_DEPTH_MAX)
        search_parser_fail(&parser, text, _("the search is nested too deeply: at most %d levels are read"),
                           QUERY_DEPTH_MAX);
    if (parser.error) {
        query_free(query);
        if (column)
            *column = parser.column;
        g_propagate_error(error, parser.error);
        return NULL;
    }
    return query ? query : query_new(QUERY_ALL);
}

struct query *
search_parse(const char *text, enum search_mode mode, guint *column, GError **error)
{
    return search_parse_at(text, mode, clock_now(), column, error);
}

struct query *
search_exclude(struct query *query)
{
    gboolean has_trash = query_names_trash(query), has_junk = query_names_junk(query);
    if (!has_trash)
        query = query_new_pair(QUERY_AND, query, query_new_not(search_tag_query("deleted")));
    if (!has_junk)
        query = query_new_pair(QUERY_AND, query, query_new_not(search_tag_query("spam")));
    return query;
}
