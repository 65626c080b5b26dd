/* notmuch's query language: what each text becomes, what each mistake says, and that nothing else can happen
 */
#include "config.h"

#include <string.h>

#include "base/error.h"
#include "search/dates.h"
#include "search/query.h"

/* Monday 23 November 2026, 02:44:19 UTC; the zone is UTC. */
#define NOW G_GINT64_CONSTANT(1795401859)

struct parse_case {
    const char *text, *tree;
};

static void
check_cases(const struct parse_case *cases, gsize count, enum search_mode mode)
{
    for (gsize i = 0; i < count; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_query) query = search_parse_at(cases[i].text, mode, NOW, NULL, &error);
        g_autofree char *dump = query ? query_describe(query) : NULL;
        if (g_strcmp0(dump, cases[i].tree))
            g_test_message("<%s> gives %s (%s)", cases[i].text, dump, error ? error->message : "no error");
        g_assert_cmpstr(dump, ==, cases[i].tree);
        g_assert_no_error(error);
    }
}

static void
test_terms(void)
{
    static const struct parse_case cases[] = {
        {"", "all"},
        {"   ", "all"},
        {"*", "all"},
        {"hello", "(any \"hello\")"},
        {"hello world", "(and (any \"hello\") (any \"world\"))"},
        {"\"hello world\"", "(any \"hello world\")"},
        {"hel*", "(any \"hel*)"},
        {"\"hel*\"", "(any \"hel*\")"},
        {"a-list-of-words", "(any \"a-list-of-words\")"},
        {"ana@example.org", "(any \"ana@example.org\")"},
        {"Grüße", "(any \"Grüße\")"},
        {"日本", "(any \"日本\")"},
        {"--", "all"},
        {"say \"\"\"hi\"\"\"", "(and (any \"say\") (any \"\"hi\"\"))"},
        {"from:ana", "(from \"ana\")"},
        {"FROM:ana", "(from \"ana\")"},
        {"from:\"Ana Ruiz\"", "(from \"Ana Ruiz\")"},
        {"from:ana*", "(from \"ana*)"},
        {"from:*", "all"},
        {"from:/^ana.*@x/", "(from /^ana.*@x/)"},
        {"subject:/a (b|c) d/ x", "(and (any \"x\") (subject /a (b|c) d/))"},
        {"to:ben", "(to|cc|bcc \"ben\")"},
        {"cc:ben bcc:cy", "(and (cc \"ben\") (bcc \"cy\"))"},
        {"subject:\"pizza free\"", "(subject \"pizza free\")"},
        {"subject:(pizza free)", "(and (subject \"pizza\") (subject \"free\"))"},
        {"subject:(pizza or free)", "(or (subject \"pizza\") (subject \"free\"))"},
        {"to:(ana not from:ben)", "(and (to|cc|bcc \"ana\") (not (from \"ben\")))"},
        {"body:hotel", "(body \"hotel\")"},
        {"attachment:pdf", "(attachment \"pdf\")"},
        {"attachment:*", "attachments"},
        {"has:attachment", "attachments"},
        {"mimetype:text/calendar", "(mimetype \"text/calendar\")"},
        {"list:announce", "(list \"announce\")"},
        {"list:*", "list"},
        {"a NEAR b", "(any <a|b>near/10)"},
        {"a NEAR/3 b NEAR/5 c d", "(and (any <a|b|c>near/5) (any \"d\"))"},
        {"a ADJ/2 \"b c\"", "(any <a|b c>adj/2)"},
        {"subject:a ADJ subject:b", "(subject <a|b>adj/10)"},
        {"-a NEAR b", "(not (any <a|b>near/10))"},
        {"near adjacent NEARBY ADJust NEAR/x", "(and (any \"near\") (any \"adjacent\") (any \"NEARBY\") (any \"ADJust\") (any \"NEAR/x\"))"},
        {"id:20261112@example.org", "(id \"20261112@example.org\")"},
        {"id:<a*b@x>", "(id \"a*b@x\")"},
        {"mid:/@x$/", "(id /@x$/)"},
        {"thread:17", "(thread [17,17])"},
        {"thread:{from:ana}", "(in-thread (from \"ana\"))"},
        {"thread:{from:ana and thread:{x}}", "(in-thread (and (from \"ana\") (in-thread (any \"x\"))))"},
        {"thread:\"{from:\"\"ana b\"\"}\"", "(in-thread (from \"ana b\"))"},
        {"folder:INBOX", "(folder \"INBOX\")"},
        {"folder:work/Lists/*", "(folder \"work/Lists*)"},
        {"folder:\"Sent Items\"", "(folder \"Sent Items\")"},
        {"folder:\"\"", "(folder \"\")"},
        {"folder:/^work/", "(folder /^work/)"},
        {"path:work/INBOX", "(path \"work/INBOX\")"},
        {"path:work/**", "(path \"work*)"},
        {"path:**", "(path \"*)"},
        {"path:/work/", "(path /work/)"},
        {"path:\"\"", "(path \"\")"},
        {"account:work", "(account \"work\")"},
        {"role:inbox", "(role inbox)"},
        {"size:1M", "(size [1000000,-])"},
        {"size:10k..2.5M", "(size [10000,2500000])"},
        {"size:..500kB", "(size [-,500000])"},
        {"size:>1G", "(size [1000000000,-])"},
        {"size:<4096", "(size [-,4096])"},
        {"date:2026-11-02", "(date [1793577600,1793663999])"},
        {"date:yesterday", "(date [1795305600,1795391999])"},
        {"date:@5..@9", "(date [5,9])"},
        {"date:2026-01..", "(date [1767225600,-])"},
        {"received:today", "(received [1795392000,1795478399])"},
        {"http://example.org/x?a=b", "(any \"http://example.org/x?a=b\")"},
        {"12:30", "(any \"12:30\")"},
        {"Re: hello", "(and (any \"Re:\") (any \"hello\"))"},
    };
    check_cases(cases, G_N_ELEMENTS(cases), SEARCH_NOTMUCH);
}

static void
test_tags(void)
{
    static const struct parse_case cases[] = {
        {"tag:work", "(tag \"work\")"},
        {"is:work", "(tag \"work\")"},
        {"tag:work*", "(tag \"work*)"},
        {"tag:*", "(tag \"*)"},
        {"tag:/^work/", "(tag /^work/)"},
        {"tag:\"a tag\"", "(tag \"a tag\")"},
        {"tag:unread", "(not seen)"},
        {"is:read", "seen"},
        {"is:Unread", "(not seen)"},
        {"tag:flagged", "flagged"},
        {"tag:replied", "answered"},
        {"tag:answered", "answered"},
        {"tag:passed", "forwarded"},
        {"tag:draft", "(or draft (role drafts))"},
        {"tag:deleted", "(or deleted (role trash))"},
        {"tag:inbox", "(or (role inbox) (tag \"inbox\"))"},
        {"tag:sent", "(or (role sent) (tag \"sent\"))"},
        {"tag:spam", "(or (role junk) (tag \"spam\") (tag \"$Junk\") (tag \"Junk\"))"},
        {"is:attachment", "attachments"},
        {"is:signed is:encrypted", "(or signed encrypted)"},
        {"-tag:unread", "(not (not seen))"},
        {"tag:inbox", "(or (role inbox) (tag \"inbox\"))"},
    };
    check_cases(cases, G_N_ELEMENTS(cases), SEARCH_NOTMUCH);
}

static void
test_operators(void)
{
    static const struct parse_case cases[] = {
        {"a and b", "(and (any \"a\") (any \"b\"))"},
        {"a AND b", "(and (any \"a\") (any \"b\"))"},
        {"a or b", "(or (any \"a\") (any \"b\"))"},
        {"a xor b", "(xor (any \"a\") (any \"b\"))"},
        {"a xor b xor c", "(xor (xor (any \"a\") (any \"b\")) (any \"c\"))"},
        {"not a", "(not (any \"a\"))"},
        {"not not a", "(any \"a\")"},
        {"a not b", "(and (any \"a\") (not (any \"b\")))"},
        {"a and not b", "(and (any \"a\") (not (any \"b\")))"},
        {"-a", "(not (any \"a\"))"},
        {"--a", "(any \"a\")"},
        {"+a", "(any \"a\")"},
        {"a -b", "(and (any \"a\") (not (any \"b\")))"},
        {"a -(b or c)", "(and (any \"a\") (not (or (any \"b\") (any \"c\"))))"},
        {"-\"a b\"", "(not (any \"a b\"))"},
        {"a - b", "(and (any \"a\") (any \"b\"))"},
        /* notmuch: not, as and, takes all that stands side by side */
        {"not a b", "(not (and (any \"a\") (any \"b\")))"},
        {"a b or c", "(or (and (any \"a\") (any \"b\")) (any \"c\"))"},
        {"a or b c", "(or (any \"a\") (and (any \"b\") (any \"c\")))"},
        {"a and b or c xor d", "(or (and (any \"a\") (any \"b\")) (xor (any \"c\") (any \"d\")))"},
        {"a xor b and c", "(xor (any \"a\") (and (any \"b\") (any \"c\")))"},
        {"a and (b or c)", "(and (any \"a\") (or (any \"b\") (any \"c\")))"},
        {"(a)", "(any \"a\")"},
        {"((a) (b))", "(and (any \"a\") (any \"b\"))"},
        {"()", "all"},
        {"a (b)", "(and (any \"a\") (any \"b\"))"},
        {"(a)b", "(and (any \"a\") (any \"b\"))"},
        {"\"and\"", "(any \"and\")"},
        {"android", "(any \"android\")"},
        {"notes", "(any \"notes\")"},
        {"and-or", "(any \"and-or\")"},
        /* two of one field mean "or" where notmuch has it so, and "and" where not */
        {"tag:a tag:b", "(or (tag \"a\") (tag \"b\"))"},
        {"tag:a is:b", "(and (tag \"a\") (tag \"b\"))"},
        {"from:a from:b", "(or (from \"a\") (from \"b\"))"},
        {"subject:a subject:b", "(or (subject \"a\") (subject \"b\"))"},
        {"to:a to:b", "(and (to|cc|bcc \"a\") (to|cc|bcc \"b\"))"},
        {"body:a body:b", "(and (body \"a\") (body \"b\"))"},
        {"attachment:a attachment:b", "(and (attachment \"a\") (attachment \"b\"))"},
        {"tag:a foo tag:b", "(and (any \"foo\") (or (tag \"a\") (tag \"b\")))"},
        {"folder:b path:c path:d", "(and (folder \"b\") (or (path \"c\") (path \"d\")))"},
        {"date:@1..@2 date:@4..@5", "(or (date [1,2]) (date [4,5]))"},
        {"tag:a and tag:b", "(and (tag \"a\") (tag \"b\"))"},
        {"tag:a -tag:b", "(and (not (tag \"b\")) (tag \"a\"))"},
        {"-tag:a -tag:b", "(and (not (tag \"a\")) (not (tag \"b\")))"},
        {"id:a mid:b", "(and (id \"a\") (id \"b\"))"},
        {"from:a or from:b subject:x", "(or (from \"a\") (and (from \"b\") (subject \"x\")))"},
    };
    check_cases(cases, G_N_ELEMENTS(cases), SEARCH_NOTMUCH);
}

static void
test_errors(void)
{
    static const struct {
        const char *text;
        guint column;
        const char *part; /* of the message */
    } cases[] = {
        {"\"open", 1, "add a \""},
        {"a from:\"open", 8, "add a \""},
        {"(a", 1, "add a )"},
        {"a (b (c)", 3, "add a )"},
        {"a)", 2, "remove the )"},
        {":) hello", 2, "remove the )"},
        {"subject:(a", 1, "add a )"},
        {"thread:{a", 8, "add a }"},
        {"thread:{(a}", 1, "add a )"},
        {"from:", 1, "from:ana"},
        {"grüße from:", 7, "from:ana"},
        {"from: ana", 1, "from:ana"},
        {"date:yestrday", 1, "yesterday"},
        {"date:2026-13", 1, "2026-11-02"},
        {"date:..", 1, "2w.."},
        {"date:dec..jan", 1, "earlier date first"},
        {"size:big", 1, "10k..2M"},
        {"size:2M..1M", 1, "10k..2M"},
        {"size:-1", 1, "10k..2M"},
        {"role:outbox", 1, "drafts"},
        {"thread:abc", 1, "thread:17"},
        {"has:feathers", 1, "has:attachment"},
        {"from:/(/", 1, "regular expression"},
        {"from:...", 1, "no word"},
        {"form:ana", 1, "did you mean \"from:\""},
        {"subjct:x", 1, "\"subject:\""},
        {"tags:x", 1, "\"tag:\""},
        {"x fron:ana", 3, "\"from:\""},
        {"property:a=b", 1, "search --notmuch"},
        {"lastmod:1..2", 1, "search --notmuch"},
        {"query:mine", 1, "search --notmuch"},
        {"NEAR b", 1, "two words"},
        {"a NEAR", 3, "between words"},
        {"a NEAR (b)", 3, "between words"},
        {"a ADJ/3 from:b", 3, "between words"},
        {"a* NEAR b", 4, "between words"},
        {"a NEAR b ADJ c", 10, "between words"},
        {"tag:a NEAR b", 7, "between words"},
        {"~f ana", 1, "limit prompt"},
        {"a and", 3, "missing"},
        {"and a", 1, "missing"},
        {"a or", 3, "missing"},
        {"or", 1, "missing"},
        {"a xor", 3, "missing"},
        {"not", 1, "missing"},
        {"a and not", 6, "missing"},
        {"a and or b", 3, "missing"},
        {"(a or)", 4, "missing"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        guint column = 99;
        g_autoptr(struct_query) query = search_parse_at(cases[i].text, SEARCH_NOTMUCH, NOW, &column, &error);
        g_test_message("<%s>: %s", cases[i].text, error ? error->message : "no error");
        g_assert_null(query);
        g_assert_error(error, SEARCH_ERROR, ERROR_INPUT);
        g_assert_cmpuint(column, ==, cases[i].column);
        g_assert_nonnull(strstr(error->message, cases[i].part));
        g_autofree char *prefix = g_strdup_printf("column %u: ", cases[i].column);
        g_assert_true(g_str_has_prefix(error->message, prefix));
    }
}

static void
assert_refused(const char *text, const char *part)
{
    for (enum search_mode mode = SEARCH_NOTMUCH; mode <= SEARCH_LIMIT; mode++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_query) query = search_parse_at(text, mode, NOW, NULL, &error);
        g_assert_null(query);
        g_assert_error(error, SEARCH_ERROR, ERROR_INPUT);
        g_assert_nonnull(strstr(error->message, part));
    }
}

static char *
repeat(const char *unit, guint times)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < times; i++)
        g_string_append(out, unit);
    return g_string_free(out, FALSE);
}

static void
test_bounds(void)
{
    g_autofree char *open = repeat("(", 1000), *deep = repeat("(a ", 33), *shut = repeat(")", 33);
    g_autofree char *closed = g_strconcat(deep, shut, NULL), *braces = repeat("thread:{", 40),
                    *ends = repeat("}", 40);
    g_autofree char *nested = g_strconcat(braces, "a", ends, NULL), *xors = repeat("a xor ", 100);
    g_autofree char *chain = g_strconcat(xors, "a", NULL), *many = repeat("tag:spam or ", 300);
    g_autofree char *wide = g_strconcat(many, "x", NULL), *longer = repeat("word ", 1000);
    assert_refused(open, "too many open");
    assert_refused(closed, "too many open");
    assert_refused(nested, "inside one another");
    assert_refused(wide, "too long");
    assert_refused(longer, "4096");
    assert_refused("caf\xe9", "UTF-8");
    g_autoptr(GError) error = NULL;
    g_assert_null(search_parse_at(chain, SEARCH_NOTMUCH, NOW, NULL, &error));
    g_assert_nonnull(strstr(error->message, "too deeply"));

    g_autofree char *nots = repeat("not ", 1000), *even = g_strconcat(nots, "a", NULL);
    g_autoptr(struct_query) query = search_parse_at(even, SEARCH_NOTMUCH, NOW, NULL, NULL);
    g_assert_cmpint(query->kind, ==, QUERY_TEXT);
    g_autofree char *words = repeat("word ", 800);
    g_autoptr(struct_query) list = search_parse_at(words, SEARCH_NOTMUCH, NOW, NULL, NULL);
    g_assert_cmpuint(query_depth(list), ==, 2);
    g_assert_cmpuint(query_count(list), ==, 801);
}

/* Any mixture of what means something gives a bounded tree or an error, in both modes, and what it gives can
 * be copied and explained. */
static void
test_random(void)
{
    static const char *const pieces[] = {"from:", "tag:", "date:", "(",    ")",          "\"",        " ",
                                         "and ",  "or ",  "not ",  "xor ", "-",          "*",         "a",
                                         "ü",     "日",   "..",    "2w",   "~f ",        "~(",        "~d ",
                                         "!",     "|",    "=b ",   "/",    "thread:",    "{",         "}",
                                         "size:", "1M",   "\\",    "'",    "~z ",        "<",         ">",
                                         "%f ",   "\t",   "~",     "^",    "path:",      "yesterday", "/x/",
                                         ":",     "~x .", "\x01",  "@",    "9999999999", "+",         ",",
                                         "_"};
    for (guint i = 0; i < 60000; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (gint32 n = g_test_rand_int_range(0, 14); n > 0; n--)
            g_string_append(text, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
        if (g_test_rand_int_range(0, 50) == 0)
            g_string_append_c(text, (char)g_test_rand_int_range(1, 256));
        for (enum search_mode mode = SEARCH_NOTMUCH; mode <= SEARCH_LIMIT; mode++) {
            g_autoptr(GError) error = NULL;
            guint column;
            g_autoptr(struct_query) query = search_parse_at(text->str, mode, NOW, &column, &error);
            g_assert_true(!query == !!error);
            if (!query) {
                g_assert_cmpuint(column, <=, text->len + 1);
                continue;
            }
            g_assert_cmpuint(column, ==, 0);
            g_autoptr(GPtrArray) chips = search_chips(text->str, mode);
            g_assert_cmpuint(chips->len, ==, query->kind == QUERY_ALL   ? 0
                                             : query->kind == QUERY_AND ? query->children->len
                                                                        : 1);
            g_assert_cmpuint(query_depth(query), <=, QUERY_DEPTH_MAX);
            g_autoptr(struct_query) copy = query_copy(query);
            g_assert_true(query_equal(query, copy));
            g_autofree char *words = search_explain(query);
            g_assert_true(g_utf8_validate(words, -1, NULL));
        }
        gsize start;
        gboolean is_address;
        g_auto(GStrv) completions =
            search_complete(text->str, text->len, SEARCH_LIMIT, NULL, &start, &is_address);
        g_assert_cmpuint(start, <=, text->len);
        g_assert_cmpuint(g_strv_length(completions), <=, 50);
    }
}

static void
test_names(void)
{
    static const struct {
        const char *text;
        gboolean trash, junk;
    } cases[] = {
        {"a", FALSE, FALSE},          {"*", FALSE, FALSE},
        {"tag:deleted", TRUE, FALSE}, {"a not tag:deleted", TRUE, FALSE},
        {"role:junk", FALSE, TRUE},   {"tag:$Junk or x", FALSE, TRUE},
        {"is:spam", FALSE, TRUE},     {"folder:Trash a", TRUE, TRUE},
        {"id:a@b", TRUE, TRUE},       {"thread:7", TRUE, TRUE},
        {"role:inbox", FALSE, FALSE}, {"path:**", TRUE, TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_query) query = search_parse_at(cases[i].text, SEARCH_NOTMUCH, NOW, NULL, NULL);
        g_assert_cmpint(query_names_trash(query), ==, cases[i].trash);
        g_assert_cmpint(query_names_junk(query), ==, cases[i].junk);
    }
    g_autoptr(struct_query) query =
        search_exclude(search_parse_at("a is:spam", SEARCH_NOTMUCH, NOW, NULL, NULL));
    g_autofree char *tree = query_describe(query);
    g_assert_cmpstr(tree, ==,
                    "(and (any \"a\") (or (role junk) (tag \"spam\") (tag \"$Junk\") (tag \"Junk\")) "
                    "(not (or deleted (role trash))))");
}

static void
test_explain(void)
{
    static const struct {
        const char *text, *words;
        enum search_mode mode;
    } cases[] = {
        {"from:ana is:unread", "from \"ana\", unread", SEARCH_NOTMUCH},
        {"*", "all messages", SEARCH_NOTMUCH},
        {"hel* -tag:work", "\"hel…\", not tagged \"work\"", SEARCH_NOTMUCH},
        {"tag:inbox (to:ben or cc:cy)", "(to \"ben\" or cc \"cy\"), inbox", SEARCH_NOTMUCH},
        {"not (a b)", "not (\"a\", \"b\")", SEARCH_NOTMUCH},
        {"is:read is:flagged", "read or flagged", SEARCH_NOTMUCH},
        {"date:2026-11-02", "on 2 Nov 2026", SEARCH_NOTMUCH},
        {"date:2026-11-02..", "since 2 Nov 2026", SEARCH_NOTMUCH},
        {"date:..2026-11-02", "until 2 Nov 2026", SEARCH_NOTMUCH},
        {"date:2026-11-02..2026-11-05", "2 Nov 2026 to 5 Nov 2026", SEARCH_NOTMUCH},
        {"date:2026-11-02_10:00..", "since 2 Nov 2026 10:00", SEARCH_NOTMUCH},
        {"received:2026-11-02..", "received since 2 Nov 2026", SEARCH_NOTMUCH},
        {"size:1M has:attachment", "at least 1.0 MB, with attachments", SEARCH_NOTMUCH},
        {"thread:{from:ana}", "in a conversation with from \"ana\"", SEARCH_NOTMUCH},
        {"folder:x/* account:work", "in or below \"x\", in account \"work\"", SEARCH_NOTMUCH},
        {"subject:/^a/", "subject /^a/", SEARCH_NOTMUCH},
        {"~P | ~p", "from me or to me", SEARCH_LIMIT},
        {"hello", "from or subject \"hello\"", SEARCH_LIMIT},
        {"~L ana", "from or to \"ana\"", SEARCH_LIMIT},
        {"!~D ~m 5-7", "not deleted, number 5 to 7", SEARCH_LIMIT},
        {"~<(~P) ~T", "answer to from me, marked", SEARCH_LIMIT},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_query) query = search_parse_at(cases[i].text, cases[i].mode, NOW, NULL, NULL);
        g_assert_nonnull(query);
        g_autofree char *words = search_explain(query);
        g_assert_cmpstr(words, ==, cases[i].words);
    }
}

/* Each condition, and what is left when it goes: "-" for one that cannot go. */
static void
test_chips(void)
{
    static const struct {
        const char *text, *chips; /* words=without, joined by | */
        enum search_mode mode;
    } cases[] = {
        {"", "", SEARCH_NOTMUCH},
        {"*", "", SEARCH_NOTMUCH},
        {"from:", "", SEARCH_NOTMUCH},
        {"a or b", "\"a\" or \"b\"=", SEARCH_NOTMUCH},
        {"hello", "\"hello\"=", SEARCH_NOTMUCH},
        {"from:ana is:unread hello", "from \"ana\"=is:unread hello|unread=from:ana hello|\"hello\"=from:ana is:unread",
         SEARCH_NOTMUCH},
        {"from:ana and subject:\"clause  4\"", "from \"ana\"=subject:\"clause  4\"|subject \"clause  4\"=from:ana",
         SEARCH_NOTMUCH},
        {"not from:ana and b", "not from \"ana\"=b|\"b\"=not from:ana", SEARCH_NOTMUCH},
        {"b and not from:ana", "\"b\"=not from:ana|not from \"ana\"=b", SEARCH_NOTMUCH},
        {"b AND NOT NOT from:ana", "\"b\"=NOT NOT from:ana|from \"ana\"=b", SEARCH_NOTMUCH},
        {"-from:ana b", "not from \"ana\"=b|\"b\"=-from:ana", SEARCH_NOTMUCH},
        {"(a or b) date:2026-11-02..", "\"a\" or \"b\"=date:2026-11-02..|since 2 Nov 2026=(a or b)", SEARCH_NOTMUCH},
        {"(a b) c", "\"a\"=(b) c|\"b\"=(a) c|\"c\"=(a b)", SEARCH_NOTMUCH},
        {"tag:a x tag:b", "tagged \"a\" or tagged \"b\"=x|\"x\"=tag:a tag:b", SEARCH_NOTMUCH},
        {"é tag:é café", "\"é\"=tag:é café|tagged \"é\"=é café|\"café\"=é tag:é", SEARCH_NOTMUCH},
        {"subject:(a b)", "subject \"a\"=subject:(b)|subject \"b\"=subject:(a)", SEARCH_NOTMUCH},
        {"a NEAR b c", "\"a\" near \"b\"=c|\"c\"=a NEAR b", SEARCH_NOTMUCH},
        {"thread:{from:ana b} c", "in a conversation with (\"b\", from \"ana\")=c|\"c\"=thread:{from:ana b}",
         SEARCH_NOTMUCH},
        {"and and b", "", SEARCH_NOTMUCH},
        {"~f ana ~N", "from \"ana\"=~N|unread=~f ana", SEARCH_LIMIT},
        {"!~f ana ~s \"two words\"", "not from \"ana\"=~s \"two words\"|subject \"two words\"=!~f ana", SEARCH_LIMIT},
        {"~f ana | ~f b", "from \"ana\" or from \"b\"=", SEARCH_LIMIT},
        {"two words", "from or subject \"two words\"=", SEARCH_LIMIT},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) chips = search_chips(cases[i].text, cases[i].mode);
        g_autoptr(GString) all = g_string_new(NULL);
        for (guint j = 0; j < chips->len; j++) {
            const struct search_chip *chip = chips->pdata[j];
            g_string_append_printf(all, "%s%s=%s", j ? "|" : "", chip->words, chip->without ? chip->without : "-");
        }
        g_assert_cmpstr(all->str, ==, cases[i].chips);
    }
}

static void
test_complete(void)
{
    static const char *const tags[] = {"work", "work/urgent", "unread", "zoo", NULL};
    static const char *const folders[] = {"INBOX", "Sent Items", NULL};
    static const char *const accounts[] = {"work", "home", NULL};
    static const struct search_words words = {tags, folders, accounts};
    static const struct {
        const char *text;
        const char *found; /* joined by | */
        gsize start;
        gboolean is_address;
    } cases[] = {
        {"fr", "from:", 0, FALSE},
        {"a AND SU", "subject:", 6, FALSE},
        {"-su", "-subject:", 0, FALSE},
        {"tag:wo", "tag:work|tag:work/urgent", 0, FALSE},
        {"x -is:un", "-is:unread", 2, FALSE},
        {"folder:s", "folder:\"Sent Items\"", 0, FALSE},
        {"folder:\"Sent I", "folder:\"Sent Items\"", 0, FALSE},
        {"(account:h", "account:home", 1, FALSE},
        {"date:la", "date:last_week|date:last_month", 0, FALSE},
        {"role:d", "role:drafts", 0, FALSE},
        {"from:an", "", 5, TRUE},
        {"x to:", "", 5, TRUE},
        {"body:x", "", 0, FALSE},
        {"nothing", "", 0, FALSE},
        {"", "", 0, FALSE},
        {"a ", "", 2, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize start;
        gboolean is_address;
        g_auto(GStrv) found = search_complete(cases[i].text, strlen(cases[i].text), SEARCH_NOTMUCH, &words,
                                              &start, &is_address);
        g_autofree char *joined = g_strjoinv("|", found);
        g_assert_cmpstr(joined, ==, cases[i].found);
        g_assert_cmpuint(start, ==, cases[i].start);
        g_assert_cmpint(is_address, ==, cases[i].is_address);
    }
    gsize start;
    gboolean is_address;
    g_auto(GStrv) letters = search_complete("!~", 2, SEARCH_LIMIT, &words, &start, &is_address);
    g_assert_true(g_strv_contains((const char *const *)letters, "!~f"));
    g_assert_false(g_strv_contains((const char *const *)letters, "!~S"));
}

/* What notmuch 0.37 makes of these at that time; it was asked. */
static void
test_dates(void)
{
    static const struct {
        const char *text, *min, *max;
    } cases[] = {
        {"2w..", "2026-11-08 00:00:00", "-"},
        {"2w", "2026-11-08 00:00:00", "2026-11-14 23:59:59"},
        {"..2w", "-", "2026-11-14 23:59:59"},
        {"yesterday", "2026-11-22 00:00:00", "2026-11-22 23:59:59"},
        {"yesterday..!", "2026-11-22 00:00:00", "2026-11-22 23:59:59"},
        {"today", "2026-11-23 00:00:00", "2026-11-23 23:59:59"},
        {"monday", "2026-11-16 00:00:00", "2026-11-16 23:59:59"},
        {"thursday", "2026-11-19 00:00:00", "2026-11-19 23:59:59"},
        {"mon..fri", "2026-11-16 00:00:00", "2026-11-20 23:59:59"},
        {"this_week", "2026-11-22 00:00:00", "2026-11-28 23:59:59"},
        {"last_week", "2026-11-15 00:00:00", "2026-11-21 23:59:59"},
        {"1_week_ago", "2026-11-15 00:00:00", "2026-11-21 23:59:59"},
        {"last_month", "2026-10-01 00:00:00", "2026-10-31 23:59:59"},
        {"last_year", "2025-01-01 00:00:00", "2025-12-31 23:59:59"},
        {"2026", "2026-01-01 00:00:00", "2026-12-31 23:59:59"},
        {"2026-01", "2026-01-01 00:00:00", "2026-01-31 23:59:59"},
        {"2024-02", "2024-02-01 00:00:00", "2024-02-29 23:59:59"},
        {"5M2d..", "2026-06-21 00:00:00", "-"},
        {"1w2d", "2026-11-14 00:00:00", "2026-11-14 23:59:59"},
        {"3d", "2026-11-20 00:00:00", "2026-11-20 23:59:59"},
        {"1h", "2026-11-23 01:00:00", "2026-11-23 01:59:59"},
        {"2m", "2026-11-23 02:42:00", "2026-11-23 02:42:59"},
        {"2M", "2026-09-01 00:00:00", "2026-09-30 23:59:59"},
        {"now..", "2026-11-23 02:44:19", "-"},
        {"two_weeks", "2026-11-08 00:00:00", "2026-11-14 23:59:59"},
        {"dozen_days", "2026-11-11 00:00:00", "2026-11-11 23:59:59"},
        {"noon", "2026-11-23 12:00:00", "2026-11-23 12:00:00"},
        {"yesterday_noon", "2026-11-22 12:00:00", "2026-11-22 12:00:00"},
        {"17:05", "2026-11-23 17:05:00", "2026-11-23 17:05:59"},
        {"5pm", "2026-11-23 17:00:00", "2026-11-23 17:00:00"},
        {"12am", "2026-11-23 00:00:00", "2026-11-23 00:00:00"},
        {"120000", "2026-11-23 12:00:00", "2026-11-23 12:00:00"},
        {"10:00+0200", "2026-11-23 08:00:00", "2026-11-23 08:00:59"},
        {"2026-01-01_10:00", "2026-01-01 10:00:00", "2026-01-01 10:00:59"},
        {"2026-01-01T10:00", "2026-01-01 10:00:00", "2026-01-01 10:00:59"},
        {"august", "2026-08-01 00:00:00", "2026-08-31 23:59:59"},
        {"aug-3", "2026-08-03 00:00:00", "2026-08-03 23:59:59"},
        {"3rd_august_2020", "2020-08-03 00:00:00", "2020-08-03 23:59:59"},
        {"3.8.", "2026-08-03 00:00:00", "2026-08-03 23:59:59"},
        {"2012-07-31", "2012-07-31 00:00:00", "2012-07-31 23:59:59"},
        {"31-07-2012", "2012-07-31 00:00:00", "2012-07-31 23:59:59"},
        {"7/31/2012", "2012-07-31 00:00:00", "2012-07-31 23:59:59"},
        {"07-2012", "2012-07-01 00:00:00", "2012-07-31 23:59:59"},
        {"20260101", "2026-01-01 00:00:00", "2026-01-01 23:59:59"},
        {"@1790000000..@1790000100", "2026-09-21 14:13:20", "2026-09-21 14:15:00"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 ends[2];
        g_assert_true(dates_parse_range(cases[i].text, NOW, &ends[0], &ends[1], NULL));
        for (guint end = 0; end < 2; end++) {
            g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ends[end]);
            g_autofree char *shown = time ? g_date_time_format(time, "%F %T") : g_strdup("-");
            g_assert_cmpstr(shown, ==, end ? cases[i].max : cases[i].min);
        }
    }
    static const char *const wrong[] = {"",         "foo",        "5",           "2026-13",    "25:00",
                                        "5 5",      "2026-02-32", "3foo",        "..",         "12:5",
                                        "99999999", "@x",         "13pm",        "feb-30-mar", "2012-2013",
                                        "..!",      "1/2/3/4",    "9999999999d", "last",       "a"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        gint64 min, max;
        g_autoptr(GError) error = NULL;
        if (dates_parse_range(wrong[i], NOW, &min, &max, &error))
            g_test_message("<%s> was taken", wrong[i]);
        g_assert_error(error, SEARCH_ERROR, ERROR_INPUT);
    }
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_setenv("LC_ALL", "C", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/query/terms", test_terms);
    g_test_add_func("/query/tags", test_tags);
    g_test_add_func("/query/operators", test_operators);
    g_test_add_func("/query/errors", test_errors);
    g_test_add_func("/query/bounds", test_bounds);
    g_test_add_func("/query/random", test_random);
    g_test_add_func("/query/names", test_names);
    g_test_add_func("/query/explain", test_explain);
    g_test_add_func("/query/chips", test_chips);
    g_test_add_func("/query/complete", test_complete);
    g_test_add_func("/query/dates", test_dates);
    return g_test_run();
}
