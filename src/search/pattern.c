#include "config.h"

#include "search/pattern.h"

#include <string.h>

#include "base/error.h"
#include "base/flags.h"
#include "base/i18n.h"
#include "search/dates.h"
#include "search/error.h"
#include "search/fields.h"
#include "search/parser.h"
#include "store/message.h"

/* --- Makers */

static struct query *
make_text(const struct pattern *pattern, const char *text, gboolean is_regex)
{
    return query_new_text(pattern->fields, is_regex ? QUERY_REGEX : QUERY_SUBSTRING, text);
}

/* The body is in the index by words, not as text: there EXPR is words, whatever it looks like. */
static struct query *
make_words(const struct pattern *pattern, const char *text, gboolean is_regex G_GNUC_UNUSED)
{
    return query_new_text(pattern->fields, QUERY_SUBSTRING, text);
}

/* ~i, ~y: one name that holds the text. */
static struct query *
make_name(const struct pattern *pattern, const char *text, gboolean is_regex)
{
    g_autofree char *escaped = is_regex ? g_strdup(text) : g_regex_escape_string(text, -1);
    struct query *query = query_new_word(pattern->kind, escaped);
    query->match = QUERY_REGEX;
    return query;
}

#define PEOPLE (QUERY_FROM | QUERY_RECIPIENTS | QUERY_SENDER)
#define HEADER (PEOPLE | QUERY_SUBJECT | QUERY_REFERENCES | QUERY_LIST_ID)

/* ~h "subject: foo" looks at that field, ~h foo at all that the store keeps of the header. */
static struct query *
make_header(const struct pattern *pattern, const char *text, gboolean is_regex)
{
    static const struct {
        const char *name;
        guint fields;
    } names[] = {
        {"from", QUERY_FROM},
        {"to", QUERY_TO},
        {"cc", QUERY_CC},
        {"bcc", QUERY_BCC},
        {"sender", QUERY_SENDER},
        {"subject", QUERY_SUBJECT},
        {"list-id", QUERY_LIST_ID},
        {"references", QUERY_REFERENCES},
        {"in-reply-to", QUERY_REFERENCES},
    };
    const char *name = *text == '^' ? text + 1 : text, *colon = strchr(name, ':');
    for (guint i = 0; colon && i < G_N_ELEMENTS(names); i++)
        if (strlen(names[i].name) == (gsize)(colon - name) &&
            !g_ascii_strncasecmp(names[i].name, name, (gsize)(colon - name))) {
            const char *value = colon + 1;
            while (*value == ' ')
                value++;
            if (!*value || !strcmp(value, ".*")) /* is there such a field? */
                return names[i].fields == QUERY_LIST_ID ? query_new_bit(MESSAGE_LIST)
                                                        : query_new_text(names[i].fields, QUERY_REGEX, ".");
            return query_new_text(names[i].fields, is_regex ? QUERY_REGEX : QUERY_SUBSTRING, value);
        }
    return make_text(pattern, text, is_regex);
}

static struct query *
make_all(const struct pattern *pattern G_GNUC_UNUSED, const char *text G_GNUC_UNUSED,
         gboolean r G_GNUC_UNUSED)
{
    return query_new(QUERY_ALL);
}

static struct query *
make_flag(const struct pattern *pattern, const char *text G_GNUC_UNUSED, gboolean is_regex G_GNUC_UNUSED)
{
    return query_new_flag(pattern->fields);
}

static struct query *
make_bit(const struct pattern *pattern, const char *text G_GNUC_UNUSED, gboolean is_regex G_GNUC_UNUSED)
{
    return query_new_bit(pattern->fields);
}

static struct query *
make_unread(const struct pattern *pattern G_GNUC_UNUSED, const char *text G_GNUC_UNUSED,
            gboolean r G_GNUC_UNUSED)
{
    return query_new_not(query_new_flag(FLAG_SEEN));
}

static struct query *
make_mine(const struct pattern *pattern, const char *text G_GNUC_UNUSED, gboolean is_regex G_GNUC_UNUSED)
{
    struct query *query = query_new(QUERY_MINE);
    query->fields = pattern->fields;
    return query;
}

static struct query *
make_key(const struct pattern *pattern, const char *text G_GNUC_UNUSED, gboolean is_regex G_GNUC_UNUSED)
{
    return query_new_text(pattern->fields, QUERY_WORDS, "application/pgp-keys");
}

static struct query *
make_kind(const struct pattern *pattern, const char *text G_GNUC_UNUSED, gboolean is_regex G_GNUC_UNUSED)
{
    return query_new(pattern->kind);
}

const struct pattern patterns[] = {
    {'A', PATTERN_NONE, make_all, QUERY_ALL, 0, "all messages", NULL},
    {'b', PATTERN_TEXT, make_words, QUERY_TEXT, QUERY_BODY, "EXPR in the text", NULL},
    {'B', PATTERN_TEXT, make_words, QUERY_TEXT, QUERY_ANYWHERE, "EXPR anywhere in the message", NULL},
    {'c', PATTERN_TEXT, make_text, QUERY_TEXT, QUERY_CC, "copied to EXPR", NULL},
    {'C', PATTERN_TEXT, make_text, QUERY_TEXT, QUERY_RECIPIENTS, "addressed or copied to EXPR", NULL},
    {'d', PATTERN_DATE, NULL, QUERY_DATE, 0, "sent in a range of dates", NULL},
    {'D', PATTERN_NONE, make_flag, QUERY_FLAG, FLAG_DELETED, "deleted", NULL},
    {'e', PATTERN_TEXT, make_text, QUERY_TEXT, QUERY_SENDER, "EXPR in the Sender field", NULL},
    {'E', PATTERN_REFUSED, NULL, 0, 0, "expired", "no expiry dates are kept: use ~d"},
    {'f', PATTERN_TEXT, make_text, QUERY_TEXT, QUERY_FROM, "from EXPR", NULL},
    {'F', PATTERN_NONE, make_flag, QUERY_FLAG, FLAG_FLAGGED, "flagged", NULL},
    {'g', PATTERN_NONE, make_bit, QUERY_BIT, MESSAGE_SIGNED, "signed", NULL},
    {'G', PATTERN_NONE, make_bit, QUERY_BIT, MESSAGE_ENCRYPTED, "encrypted", NULL},
    {'h', PATTERN_TEXT, make_header, QUERY_TEXT, HEADER, "EXPR in the header", NULL},
    {'H', PATTERN_REFUSED, NULL, 0, 0, "spam tags", "use ~y or tag:spam"},
    {'i', PATTERN_TEXT, make_name, QUERY_ID, 0, "EXPR in the Message-ID", NULL},
    {'k', PATTERN_NONE, make_key, QUERY_TEXT, QUERY_MIMETYPE, "holds a PGP key", NULL},
    {'l', PATTERN_NONE, make_bit, QUERY_BIT, MESSAGE_LIST, "from a mailing list", NULL},
    {'L', PATTERN_TEXT, make_text, QUERY_TEXT, PEOPLE, "from or to EXPR", NULL},
    {'m', PATTERN_RANGE, NULL, QUERY_NUMBER, 0, "number in a range", NULL},
    {'M', PATTERN_TEXT, make_text, QUERY_TEXT, QUERY_MIMETYPE, "EXPR in the type of a part", NULL},
    {'n', PATTERN_REFUSED, NULL, 0, 0, "score in a range", "there are no scores here: use ~F or a tag"},
    {'N', PATTERN_NONE, make_unread, QUERY_FLAG, 0, "new", NULL},
    {'O', PATTERN_NONE, make_kind, QUERY_NONE, 0, "old: none, as unread mail stays new here", NULL},
    {'p', PATTERN_NONE, make_mine, QUERY_MINE, QUERY_RECIPIENTS, "to you", NULL},
    {'P', PATTERN_NONE, make_bit, QUERY_BIT, MESSAGE_FROM_ME, "from you", NULL},
    {'Q', PATTERN_NONE, make_flag, QUERY_FLAG, FLAG_ANSWERED, "answered", NULL},
    {'r', PATTERN_DATE, NULL, QUERY_RECEIVED, 0, "received in a range of dates", NULL},
    {'R', PATTERN_NONE, make_flag, QUERY_FLAG, FLAG_SEEN, "read", NULL},
    {'s', PATTERN_TEXT, make_text, QUERY_TEXT, QUERY_SUBJECT, "EXPR in the subject", NULL},
    {'S', PATTERN_REFUSED, NULL, 0, 0, "superseded", "no such mark is kept: use ~s or ~d"},
    {'t', PATTERN_TEXT, make_text, QUERY_TEXT, QUERY_TO, "addressed to EXPR", NULL},
    {'T', PATTERN_NONE, make_kind, QUERY_MARKED, 0, "marked", NULL},
    {'u', PATTERN_NONE, make_bit, QUERY_BIT, MESSAGE_LIST, "from a mailing list", NULL},
    {'U', PATTERN_NONE, make_unread, QUERY_FLAG, 0, "unread", NULL},
    {'v', PATTERN_REFUSED, NULL, 0, 0, "in a closed conversation", "use ~(…) for whole conversations"},
    {'V', PATTERN_REFUSED, NULL, 0, 0, "verified",
     "use ~g for signed mail: signatures are checked on opening"},
    {'x', PATTERN_TEXT, make_text, QUERY_TEXT, QUERY_REFERENCES, "EXPR in References or In-Reply-To", NULL},
    {'X', PATTERN_RANGE, NULL, QUERY_BIT, MESSAGE_ATTACHMENTS, "with attachments: 1-, or without: 0", NULL},
    {'y', PATTERN_TEXT, make_name, QUERY_TAG, 0, "a tag that holds EXPR", NULL},
    {'Y', PATTERN_TEXT, make_name, QUERY_TAG, 0, "a tag that holds EXPR (NeoMutt)", NULL},
    {'z', PATTERN_SIZE, NULL, QUERY_SIZE, 0, "size in a range", NULL},
    {'=', PATTERN_REFUSED, NULL, 0, 0, "duplicates", "equal messages are one here: nothing to look for"},
    {'$', PATTERN_REFUSED, NULL, 0, 0, "unreferenced", "use !~x . for messages that answer none"},
    {'(', PATTERN_INNER, NULL, QUERY_SAME_THREAD, 0, "in a conversation with …", NULL},
    {'<', PATTERN_INNER, NULL, QUERY_PARENT, 0, "answers to …", NULL},
    {'>', PATTERN_INNER, NULL, QUERY_CHILD, 0, "answered by …", NULL},
    {0},
};

static const struct pattern *
find_pattern(char letter)
{
    for (const struct pattern *pattern = patterns; pattern->letter; pattern++)
        if (pattern->letter == letter)
            return pattern;
    return NULL;
}

/* --- Words */

static gboolean
is_space(char c)
{
    return c && (g_ascii_isspace(c) || g_ascii_iscntrl(c));
}

static void
skip_space(struct search_parser *parser)
{
    while (is_space(*parser->p))
        parser->p++;
}

static gboolean
starts_pattern(const char *p)
{
    return (*p == '~' || *p == '=' || *p == '%') && p[1] && find_pattern(p[1]) &&
           (*p == '~' || find_pattern(p[1])->argument == PATTERN_TEXT);
}

gboolean
search_looks_like_pattern(const char *text)
{
    gboolean is_start = TRUE;
    char quote = '\0';
    for (const char *p = text; *p; p++) {
        if (quote) {
            quote = *p == quote ? '\0' : quote;
            continue;
        }
        if (is_start && starts_pattern(p))
            return TRUE;
        if (is_start && *p == '"')
            quote = *p;
        is_start = is_space(*p) || *p == '!' || *p == '|' || *p == '(';
    }
    return FALSE;
}

/* EXPR: up to a space, | or ); quotes of both kinds and backslashes protect. In a regular expression
 * the backslash stays where it protects no space or quote. NULL with error, or when there is none. */
static char *
take_argument(struct search_parser *parser, const char *at)
{
    skip_space(parser);
    GString *out = g_string_new(NULL);
    guint open = 0;
    gboolean has_any = FALSE;
    for (char quote = '\0'; *parser->p; parser->p++) {
        char c = *parser->p;
        if (quote) {
            if (c == quote) {
                quote = '\0';
                continue;
            }
            if (c == '\\' && parser->p[1] == quote)
                c = *++parser->p;
        } else if (c == '"' || (c == '\'' && !out->len)) {
            quote = c;
            has_any = TRUE;
            const char *close = strchr(parser->p + 1, quote);
            if (!close) {
                g_string_free(out, TRUE);
                return search_parser_fail(parser, parser->p, _("the quote is not closed: add a %c"), quote);
            }
            continue;
        } else if (is_space(c) || c == '|' || (c == ')' && !open)) {
            break;
        } else if (c == '\\' && parser->p[1]) {
            if (!strchr(" \"'|~", parser->p[1]))
                g_string_append_c(out, c);
            c = *++parser->p;
        } else {
            open += c == '(';
            open -= c == ')';
        }
        g_string_append_c(out, c);
        has_any = TRUE;
    }
    if (has_any)
        return g_string_free(out, FALSE);
    g_string_free(out, TRUE);
    return search_parser_fail(parser, at, _("%.2s needs something to look for: write %.2s word"), at, at);
}

/* Ranges of numbers: 5, 2-7, 5-, -7, <7, >5; with K and M for sizes. */
static gboolean
parse_number(const char *text, gsize len, gboolean is_size, gint64 *value)
{
    if (is_size)
        return search_parse_size(text, len, 1024, value);
    guint64 number;
    g_autofree char *copy = g_strndup(text, len);
    if (!g_ascii_string_to_unsigned(copy, 10, 0, G_MAXINT64 - 1, &number, NULL))
        return FALSE;
    *value = (gint64)number;
    return TRUE;
}

static gboolean
parse_range(const char *text, gboolean is_size, gint64 *min, gint64 *max)
{
    const char *dash = strchr(text, '-');
    *min = G_MININT64;
    *max = G_MAXINT64;
    if (*text == '<') { /* mutt: less than, and greater than */
        if (!parse_number(text + 1, strlen(text + 1), is_size, max))
            return FALSE;
        --*max;
        return TRUE;
    }
    if (*text == '>') {
        if (!parse_number(text + 1, strlen(text + 1), is_size, min))
            return FALSE;
        ++*min;
        return TRUE;
    }
    if (!dash) {
        if (!parse_number(text, strlen(text), is_size, min))
            return FALSE;
        *max = *min;
        return TRUE;
    }
    if (dash != text && !parse_number(text, (gsize)(dash - text), is_size, min))
        return FALSE;
    if (dash[1] && !parse_number(dash + 1, strlen(dash + 1), is_size, max))
        return FALSE;
    return strlen(text) > 1 && *min <= *max;
}

/* --- Patterns */

static struct query *parse_or(struct search_parser *parser);

static struct query *
parse_inside(struct search_parser *parser, const char *at)
{
    if (!search_parser_enter(parser, at))
        return NULL;
    struct query *query = parse_or(parser);
    search_parser_leave(parser);
    if (!parser->error && *parser->p == ')') {
        parser->p++;
        return query ? query : query_new(QUERY_ALL);
    }
    query_free(query);
    return search_parser_fail(parser, at, _("the parenthesis is not closed: add a )"));
}

static struct query *
parse_text(struct search_parser *parser, const struct pattern *pattern, const char *at, const char *text)
{
    /* A dot alone asks whether there is anything; else it is the dot of an address. */
    gboolean is_regex = *at == '~' && (!strcmp(text, ".") || strpbrk(text, "\\^$*+?[]()|{}"));
    GError *error = NULL;
    if (is_regex && !search_check_regex(text, &error))
        return search_parser_take_error(parser, at, error);
    return pattern->make(pattern, text, is_regex);
}

static struct query *
parse_dates(struct search_parser *parser, const struct pattern *pattern, const char *at, const char *text)
{
    gint64 min, max;
    GError *error = NULL;
    if (!dates_parse_mutt(text, parser->now, &min, &max, &error))
        return search_parser_take_error(parser, at, error);
    if (min > max)
        return search_parser_fail(parser, at,
                                  _("the range %s ends before it begins: put the earlier date first"), text);
    return query_new_range(pattern->kind, min, max);
}

/* The store knows whether there are attachments, not how many. */
static struct query *
attachments_between(struct search_parser *parser, const char *at, gint64 min, gint64 max)
{
    struct query *with = query_new_bit(MESSAGE_ATTACHMENTS);
    if (min == 1 && max == G_MAXINT64)
        return with;
    if (min <= 0 && max == 0)
        return query_new_not(with);
    query_free(with);
    return search_parser_fail(parser, at, _("attachments are not counted here: write ~X 1- or ~X 0"));
}

static struct query *
parse_one(struct search_parser *parser)
{
    const char *at = parser->p;
    const struct pattern *pattern = find_pattern(at[1]);
    parser->p += 2;
    if (*at == '%')
        return search_parser_fail(
            parser, at, _("%%%c asks for a group of addresses, there are none here: write ~%c name"), at[1],
            at[1]);
    if (pattern->argument == PATTERN_REFUSED)
        return search_parser_fail(parser, at, _("~%c (%s) is not known here: %s"), pattern->letter,
                                  pattern->help, pattern->instead);
    if (pattern->argument == PATTERN_INNER) {
        if (pattern->letter != '(') {
            skip_space(parser);
            if (*parser->p != '(')
                return search_parser_fail(parser, at, _("~%c needs a pattern in parentheses: ~%c(~f ana)"),
                                          pattern->letter, pattern->letter);
            parser->p++;
        }
        struct query *inner = parse_inside(parser, at);
        return inner ? query_new_about(pattern->kind, inner) : NULL;
    }
    if (pattern->argument == PATTERN_NONE)
        return pattern->make(pattern, NULL, FALSE);

    g_autofree char *text = take_argument(parser, at);
    if (!text)
        return NULL;
    if (pattern->argument == PATTERN_TEXT)
        return parse_text(parser, pattern, at, text);
    if (pattern->argument == PATTERN_DATE)
        return parse_dates(parser, pattern, at, text);
    gint64 min, max;
    if (parse_range(text, pattern->argument == PATTERN_SIZE, &min, &max))
        return pattern->kind == QUERY_BIT ? attachments_between(parser, at, min, max)
                                          : query_new_range(pattern->kind, min, max);
    return search_parser_fail(parser, at, _("\"%s\" is no range: write ~%c 5-10, <10, >5%s"), text,
                              pattern->letter, pattern->argument == PATTERN_SIZE ? " or >1M" : "");
}

/* A word that is no pattern: a field of the other language, or text in sender or subject. */
static struct query *
parse_word(struct search_parser *parser)
{
    guint either;
    struct query *query = search_parse_term(parser, &either);
    if (query && query->kind == QUERY_TEXT && query->fields == QUERY_ANYWHERE) {
        query->fields = QUERY_FROM | QUERY_SUBJECT;
        query->match = QUERY_SUBSTRING;
    }
    return query;
}

static struct query *
parse_and(struct search_parser *parser)
{
    struct query *all = NULL;
    for (skip_space(parser); !parser->error && *parser->p && *parser->p != '|' && *parser->p != ')';
         skip_space(parser)) {
        const char *start = parser->p;
        gboolean is_negative = FALSE;
        for (; *parser->p == '!' || is_space(*parser->p); parser->p++)
            is_negative = is_negative != (*parser->p == '!');
        struct query *query = NULL;
        if (*parser->p == '(') {
            parser->p++;
            query = parse_inside(parser, start);
        } else if (starts_pattern(parser->p)) {
            query = parse_one(parser);
        } else if (*parser->p == '~') {
            search_parser_fail(parser, parser->p,
                               _("there is no pattern \"%.*s\": ~f ~t ~s ~b ~d ~N ~F are the common ones"),
                               (int)(g_utf8_next_char(parser->p + 1) - parser->p) - !parser->p[1], parser->p);
        } else if (*parser->p == '^' && parser->p[1] == '~') {
            search_parser_fail(parser, parser->p, _("^ (all addresses) is not known here: leave it out"));
        } else if (!*parser->p || *parser->p == '|' || *parser->p == ')') {
            search_parser_fail(parser, start, _("a pattern is missing after the !"));
        } else {
            query = parse_word(parser);
        }
        if (query && is_negative)
            query = query_new_not(query);
        if (query)
            all = query_new_pair(QUERY_AND, all, search_parser_note(parser, query, start));
    }
    if (!parser->error)
        return all;
    query_free(all);
    return NULL;
}

static struct query *
parse_or(struct search_parser *parser)
{
    const char *start = parser->p;
    struct query *any = parse_and(parser);
    while (!parser->error && *parser->p == '|') {
        const char *at = parser->p++;
        if (!any && at == start)
            search_parser_fail(parser, at, _("a pattern is missing before the |"));
        struct query *next = parser->error ? NULL : parse_and(parser);
        if (!next && !parser->error)
            search_parser_fail(parser, at, _("a pattern is missing after the |"));
        if (next)
            any = query_new_pair(QUERY_OR, any, next);
    }
    if (!parser->error)
        return any;
    query_free(any);
    return NULL;
}

struct query *
search_parse_pattern(struct search_parser *parser)
{
    return parse_or(parser);
}

/* mutt's $simple_search, and the words that stand for a pattern alone. */
struct query *
search_parse_simple(struct search_parser *parser)
{
    static const struct {
        const char *word;
        char letter;
    } words[] = {{"all", 'A'}, {"^", 'A'},    {".", 'A'},    {"del", 'D'}, {"flag", 'F'},  {"new", 'N'},
                 {"old", 'O'}, {"repl", 'Q'}, {"read", 'R'}, {"tag", 'T'}, {"unread", 'U'}};
    g_autofree char *text = g_strstrip(g_strdup(parser->p));
    parser->p += strlen(parser->p);
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (!g_ascii_strcasecmp(text, words[i].word)) {
            const struct pattern *pattern = find_pattern(words[i].letter);
            return search_parser_note(parser, pattern->make(pattern, NULL, FALSE), parser->text);
        }
    if (!*text)
        return NULL;
    return search_parser_note(parser, query_new_text(QUERY_FROM | QUERY_SUBJECT, QUERY_SUBSTRING, text),
                              parser->text);
}
