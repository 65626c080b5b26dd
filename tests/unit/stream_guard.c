/* net/imap_guard: what a server may send, however the bytes are cut */
#include "config.h"

#include "net/imap_guard.h"
#include "net/stream.h"

#include <string.h>

struct guard_case {
    const char *what;
    const char *input;   /* with \r\n as they are */
    const char *refusal; /* words in the error, or NULL when it is fine */
    gboolean before_login;
};

/* Limits for the table: line 120, literal 1000, volume 400, depth 5. */
static const struct imap_guard_limits small = {.line = 120, .literal = 1000, .volume = 400, .depth = 5};

static const struct guard_case cases[] = {
    {"greeting", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n", NULL, TRUE},
    {"plain session", "* 3 EXISTS\r\n* FLAGS (\\Seen)\r\na1 OK done\r\n+ idling\r\n", NULL, FALSE},
    {"literal", "* 1 FETCH (BODY[] {5}\r\nab\r\nc UID 7)\r\na1 OK\r\n", NULL, FALSE},
    {"literal of nothing", "* 1 FETCH (BODY[] {0}\r\n UID 7)\r\n", NULL, FALSE},
    {"two literals", "* LIST () {1}\r\n/ {3}\r\nabc\r\na1 OK\r\n", NULL, FALSE},
    {"literal8", "* 1 FETCH (BINARY[1] ~{3}\r\n\0\1\2)\r\n", NULL, FALSE},
    {"literal with plus", "* 1 FETCH (BODY[] {3+}\r\nabc)\r\n", NULL, FALSE},
    {"literal that looks like a line", "* 1 FETCH (X {22}\r\n* BYE (((((((( \r\n{9}\r\n\r\n)\r\n", NULL,
     FALSE},
    {"bare LF", "* 1 FETCH (BODY[] {3}\nabc)\na1 OK\n", NULL, FALSE},
    {"braces in text", "* OK see {3}\r\n* OK next\r\na1 OK {12345678901}\r\n", NULL, FALSE},
    {"braces in the middle", "* LIST () \"/\" {3}x\r\n", NULL, FALSE},
    {"no digits", "* LIST () \"/\" {}\r\n", NULL, FALSE},
    {"parentheses in a quoted string", "* 1 FETCH (ENVELOPE (\"((((((((((\" \")\\\"((((((((\\\\\"))\r\n",
     NULL, FALSE},
    {"as deep as may be", "* 1 FETCH (((((x)))))\r\n* 2 FETCH (((((x)))))\r\n", NULL, FALSE},
    {"volume starts anew with a tag",
     "* 1 FETCH (FLAGS (\\Seen \\Answered \\Flagged \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent "
     "$label1))\r\n"
     "* 2 FETCH (FLAGS (\\Seen \\Answered \\Flagged \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent "
     "$label1))\r\n"
     "* 3 FETCH (FLAGS (\\Seen \\Answered \\Flagged \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent "
     "$label1))\r\n"
     "a1 OK\r\n"
     "* 1 FETCH (FLAGS (\\Seen \\Answered \\Flagged \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent "
     "$label1))\r\n",
     NULL, FALSE},
    {"binary in a literal", "* 1 FETCH (BODY[] {4}\r\n\r\n{9)\r\na1 OK\r\n", NULL, FALSE},

    {"literal in the greeting", "* OK [BADCHARSET ({3}\r\nabc)] hi\r\n", "before the login", TRUE},
    {"literal before login", "* CAPABILITY {3}\r\nabc\r\n", "before the login", TRUE},
    {"looks like one before login", "* OK see {3}\r\n", "before the login", TRUE},
    {"literal in a response code", "* OK [BADCHARSET ({3}\r\nabc)] hi\r\n", "response code", FALSE},
    {"the same in a continuation", "+ [BADCHARSET ({3}\r\nabc)] hi\r\n", "response code", FALSE},
    {"the same, tagged", "a1 NO [BADCHARSET ({3}\r\nabc)] hi\r\n", "response code", FALSE},
    {"the same with blanks in front", "* \t NO [BADCHARSET ({3}\r\nabc)] hi\r\n", "response code", FALSE},
    {"the same in small letters", "* no [BADCHARSET ({3}\r\nabc)] hi\r\n", "response code", FALSE},
    {"literal too long", "* 1 FETCH (BODY[] {1001}\r\n", "more than 1000 bytes", FALSE},
    {"wraps at 32 bits", "* 1 FETCH (BODY[] {4294967299}\r\n", "more than 1000 bytes", FALSE},
    {"wraps at 64 bits", "* 1 FETCH (BODY[] {18446744073709551619}\r\n", "more than 1000 bytes", FALSE},
    {"a hundred digits",
     "* 1 FETCH (BODY[] "
     "{11111111111111111111111111111111111111111111111111111111111111111111111111111111}\r\n",
     "more than 1000 bytes", FALSE},
    {"blank in the braces", "* 1 FETCH (BODY[] { 3}\r\n", "malformed", FALSE},
    {"blank after the braces", "* 1 FETCH (BODY[] {3} \r\n", "malformed", FALSE},
    {"literal inside quotes", "* 1 FETCH (X \"abc {3}\r\n", "malformed", FALSE},
    {"too deep", "* 1 FETCH ((((((x\r\n", "more than 5 deep", FALSE},
    {"too deep after a quoted string", "* 1 FETCH (\"a\" (((((x\r\n", "more than 5 deep", FALSE},
    {"too deep across literals", "* 1 FETCH ((({1}\r\nx((({1}\r\nx", "more than 5 deep", FALSE},
    {"too deep in text", "* OK ((((((\r\n", "more than 5 deep", FALSE},
    {"line too long",
     "* 1 FETCH "
     "(xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxx",
     "more than 120 bytes", FALSE},
    {"line too long in pieces",
     "* 1 FETCH (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx {1}\r\nx "
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxx\r\n",
     "more than 120 bytes", FALSE},
    {"too much that nobody asked for",
     "* 1 EXISTS\r\n* 2 EXISTS\r\n* 3 EXISTS\r\n* 4 EXISTS\r\n* 5 EXISTS\r\n* 6 EXISTS\r\n* 7 EXISTS\r\n* 8 "
     "EXISTS\r\n"
     "* 1 EXISTS\r\n* 2 EXISTS\r\n* 3 EXISTS\r\n* 4 EXISTS\r\n* 5 EXISTS\r\n* 6 EXISTS\r\n* 7 EXISTS\r\n* 8 "
     "EXISTS\r\n"
     "* 1 EXISTS\r\n* 2 EXISTS\r\n* 3 EXISTS\r\n* 4 EXISTS\r\n* 5 EXISTS\r\n* 6 EXISTS\r\n* 7 EXISTS\r\n* 8 "
     "EXISTS\r\n"
     "* 1 EXISTS\r\n* 2 EXISTS\r\n* 3 EXISTS\r\n* 4 EXISTS\r\n* 5 EXISTS\r\n* 6 EXISTS\r\n* 7 EXISTS\r\n* 8 "
     "EXISTS\r\n"
     "* 1 EXISTS\r\n* 2 EXISTS\r\n",
     "more than 400 bytes", FALSE},
};

/* Three of the inputs hold NUL; their lengths cannot be counted. */
static gsize
input_length(const struct guard_case *test)
{
    return strcmp(test->what, "literal8") == 0 ? sizeof "* 1 FETCH (BINARY[1] ~{3}\r\n\0\1\2)\r\n" - 1
                                               : strlen(test->input);
}

/* The offset at which the guard refused, or -1; pieces of the input given one by one. */
static gssize
run(const struct guard_case *test, const gsize *cuts, guint n_cuts, char **message)
{
    g_autoptr(struct_imap_guard) guard = imap_guard_new();
    gsize start = 0, length = input_length(test);
    imap_guard_set_limits(guard, &small);
    imap_guard_allow_literals(guard, !test->before_login);
    for (guint i = 0; i <= n_cuts; i++) {
        gsize end = i < n_cuts ? cuts[i] : length;
        g_autoptr(GError) error = NULL;
        /* A copy of its own size, so that a read beyond it is seen by the sanitizer. */
        g_autofree guint8 *piece = g_memdup2(test->input + start, end - start);
        if (!imap_guard_check(guard, piece, end - start, &error)) {
            g_assert_error(error, STREAM_ERROR, ERROR_SECURITY);
            if (message)
                *message = g_strdup(error->message);
            /* Closed for good. */
            g_assert_false(imap_guard_check(guard, (const guint8 *)"* OK\r\n", 6, NULL));
            return (gssize)start;
        }
        start = end;
    }
    return -1;
}

static void
test_case(gconstpointer data)
{
    const struct guard_case *test = data;
    gsize length = input_length(test);
    g_autofree char *message = NULL;
    gboolean refused = run(test, NULL, 0, &message) >= 0;
    if (refused != (test->refusal != NULL) || (refused && !strstr(message, test->refusal)))
        g_error("%s: expected %s, got %s", test->what, test->refusal ? test->refusal : "no refusal",
                message ? message : "no refusal");
    /* Every cut into two, every cut into three, and byte by byte. */
    for (gsize a = 0; a <= length; a++) {
        g_assert_true((run(test, &a, 1, NULL) >= 0) == refused);
        for (gsize b = a; b <= length && length <= 130; b++) {
            gsize cuts[] = {a, b};
            g_assert_true((run(test, cuts, 2, NULL) >= 0) == refused);
        }
    }
    g_autofree gsize *bytes = g_new(gsize, length + 1);
    for (gsize i = 0; i < length; i++)
        bytes[i] = i + 1;
    g_assert_true((run(test, bytes, (guint)length, NULL) >= 0) == refused);
}

/* With the limits that are shipped: what real folders need fits, and the known killers do not. */
static void
test_defaults(void)
{
    g_autoptr(struct_imap_guard) guard = imap_guard_new();
    g_autoptr(GString) text = g_string_new(NULL);
    imap_guard_allow_literals(guard, TRUE);
    for (guint i = 1; i < 200000; i++)
        g_string_append_printf(text, "* %u FETCH (UID %u FLAGS (\\Seen))\r\n", i, i);
    g_assert_true(imap_guard_check(guard, (const guint8 *)text->str, text->len, NULL));
    g_string_assign(text, "a1 OK\r\n* 1 FETCH (BODY[] {268435456}\r\n");
    g_assert_true(imap_guard_check(guard, (const guint8 *)text->str, text->len, NULL));
    g_autofree guint8 *block = g_malloc(1024 * 1024);
    memset(block, '(', 1024 * 1024);
    for (guint i = 0; i < 256; i++)
        g_assert_true(imap_guard_check(guard, block, 1024 * 1024, NULL));
    g_assert_true(imap_guard_check(guard, (const guint8 *)")\r\na2 OK\r\n", 10, NULL));
    /* 3 million parentheses end at the 101st. */
    g_assert_true(imap_guard_check(guard, (const guint8 *)"* 1 FETCH ", 10, NULL));
    g_assert_true(imap_guard_check(guard, block, 100, NULL));
    g_assert_false(imap_guard_check(guard, block, 1, NULL));
}

static void
test_flood(void)
{
    g_autoptr(struct_imap_guard) guard = imap_guard_new();
    static const char line[] =
        "* OK still here, and nobody asked for it; but the server goes on and on and on\r\n";
    guint64 sent = 0;
    imap_guard_allow_literals(guard, TRUE);
    while (sent < 100 * 1024 * 1024 && imap_guard_check(guard, (const guint8 *)line, sizeof line - 1, NULL))
        sent += sizeof line - 1;
    g_assert_cmpuint(sent, >, 63 * 1024 * 1024);
    g_assert_cmpuint(sent, <=, 64 * 1024 * 1024);

    /* A renewed command starts the count anew; limits can be set for one command. */
    g_autoptr(struct_imap_guard) other = imap_guard_new();
    struct imap_guard_limits limits = *imap_guard_get_limits(other);
    limits.volume = 3 * (sizeof line - 1);
    imap_guard_set_limits(other, &limits);
    for (guint i = 0; i < 100; i++) {
        imap_guard_begin_command(other);
        for (guint j = 0; j < 3; j++)
            g_assert_true(imap_guard_check(other, (const guint8 *)line, sizeof line - 1, NULL));
    }
    g_assert_false(imap_guard_check(other, (const guint8 *)line, sizeof line - 1, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/imap-guard/%s", cases[i].what);
        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/imap-guard/defaults", test_defaults);
    g_test_add_func("/imap-guard/flood", test_flood);
    return g_test_run();
}
