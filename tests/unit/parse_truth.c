/* messages made at random, of parts in parts, with what must come out of them: kinds in order, and every byte of every leaf */
#include "config.h"

#include "mailtest.h"

#include "mail/header.h"

#define DEPTH_MAX 4
#define MESSAGES 600

/* What a message was made of. */
struct truth {
    GPtrArray *types;  /* of char * */
    GPtrArray *leaves; /* of GBytes *, NULL for a container */
};

static const char *
one_of(const char *const *choices, guint count)
{
    return choices[g_test_rand_int_range(0, (gint32)count)];
}
#define ONE_OF(choices) one_of((choices), G_N_ELEMENTS(choices))

static gboolean
chance(int percent)
{
    return g_test_rand_int_range(0, 100) < percent;
}

/* Text of words that look like delimiters, separators and escapes. */
static char *
random_text(void)
{
    static const char *const words[] = {"alpha", "--", "-- ", "--x", "From me", ">From", "= 3", "a=b", ".", "\xc3\xbc", "\t", ""};
    GString *out = g_string_new(NULL);
    for (int lines = g_test_rand_int_range(0, 6); lines > 0; lines--) {
        for (int n = g_test_rand_int_range(0, 6); n > 0; n--)
            g_string_append_printf(out, "%s ", ONE_OF(words));
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

/* Neither one of the others' nor so that one's end is another's delimiter. */
static gboolean
is_taken(const char *boundary, const GPtrArray *others)
{
    for (guint i = 0; i < others->len; i++) {
        g_autofree char *ends = g_strconcat(others->pdata[i], "--", NULL), *own_end = g_strconcat(boundary, "--", NULL);
        if (g_str_equal(boundary, others->pdata[i]) || g_str_equal(boundary, ends) || g_str_equal(own_end, others->pdata[i]))
            return TRUE;
    }
    return FALSE;
}

static char *
random_boundary(const GPtrArray *others)
{
    static const char *const starts[] = {"b", "bb", "b-", "x y", "=_1", "a'b", "(b)", "b:"}, *const ends[] = {"", "1", "--", "-", "--x"};
    const char *start = others->len && chance(40) ? others->pdata[others->len - 1] : ONE_OF(starts);
    char *boundary = g_strconcat(start, ONE_OF(ends), NULL);
    while (is_taken(boundary, others)) {
        char *longer = g_strconcat(boundary, "c", NULL);
        g_free(boundary);
        boundary = longer;
    }
    return boundary;
}

static gboolean
is_safe(const char *text, const GPtrArray *boundaries)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        for (guint i = 0; i < boundaries->len; i++)
            if (g_str_has_prefix(*line, "--") && g_str_has_prefix(*line + 2, boundaries->pdata[i]))
                return FALSE;
    return TRUE;
}

static void
note(struct truth *truth, const char *type, const char *leaf)
{
    g_ptr_array_add(truth->types, g_strdup(type));
    g_ptr_array_add(truth->leaves, leaf ? g_bytes_new(leaf, strlen(leaf)) : NULL);
}

static void add_entity(GString *out, guint depth, GPtrArray *boundaries, gboolean in_digest, struct truth *truth);

static void
add_multipart(GString *out, guint depth, GPtrArray *boundaries, struct truth *truth)
{
    static const char *const kinds[] = {"mixed", "alternative", "related", "digest", "x-odd"}, *const gaps[] = {"", "  ", "\t"};
    const char *kind = ONE_OF(kinds);
    char *boundary = random_boundary(boundaries);
    g_autofree char *type = g_strconcat("multipart/", kind, NULL);
    note(truth, type, NULL);
    g_string_append_printf(out, "Content-Type: %s; boundary=\"%s\"\n\n%s", type, boundary, chance(30) ? "preamble\n" : "");
    g_ptr_array_add(boundaries, boundary);
    for (int n = g_test_rand_int_range(1, 4); n > 0; n--) {
        g_string_append_printf(out, "--%s%s\n", boundary, ONE_OF(gaps));
        add_entity(out, depth + 1, boundaries, g_str_equal(kind, "digest"), truth);
        g_string_append_c(out, '\n');
    }
    g_string_append_printf(out, "--%s--%s", boundary, chance(50) ? "\n" : chance(50) ? "\nepilogue\n" : "");
    g_ptr_array_set_size(boundaries, (gint)boundaries->len - 1);
}

static void
add_leaf(GString *out, const GPtrArray *boundaries, gboolean in_digest, struct truth *truth)
{
    static const char *const types[] = {"text/plain", "text/html", "application/x-data", "image/png"};
    const char *type = ONE_OF(types);
    g_autofree char *text = random_text();
    while (!is_safe(text, boundaries)) {
        g_free(text);
        text = random_text();
    }
    note(truth, type, text);
    if (in_digest || !g_str_equal(type, "text/plain") || chance(60))
        g_string_append_printf(out, "Content-Type: %s\n", type);
    if (chance(30)) {
        g_autofree char *encoded = g_base64_encode((const guchar *)text, strlen(text));
        g_string_append_printf(out, "Content-Transfer-Encoding: base64\n\n%s", encoded);
    } else {
        g_string_append_printf(out, "\n%s", text);
    }
}

/* Header and body of one part. */
static void
add_entity(GString *out, guint depth, GPtrArray *boundaries, gboolean in_digest, struct truth *truth)
{
    if (depth < DEPTH_MAX && chance(depth ? 40 : 80)) {
        add_multipart(out, depth, boundaries, truth);
    } else if (depth && depth < DEPTH_MAX && chance(in_digest ? 80 : 20)) {
        note(truth, "message/rfc822", NULL);
        g_string_append(out, in_digest && chance(60) ? "\n" : "Content-Type: message/rfc822\n\n");
        g_string_append(out, "From: in@example.org\nSubject: in\n");
        add_entity(out, depth + 1, boundaries, FALSE, truth);
    } else {
        add_leaf(out, boundaries, in_digest, truth);
    }
}

/* The same bytes, but for the line ends? */
static gboolean
is_same(GBytes *got, GBytes *wanted, gboolean is_crlf)
{
    gsize length;
    const char *data = g_bytes_get_data(got, &length);
    g_autoptr(GString) text = g_string_new_len(data, (gssize)length);
    if (is_crlf)
        g_string_replace(text, "\r\n", "\n", 0);
    g_autoptr(GBytes) bytes = g_bytes_new(text->str, text->len);
    return g_bytes_equal(bytes, wanted);
}

static gboolean
is_true(GBytes *message, const struct truth *truth, gboolean is_crlf)
{
    g_autoptr(struct_document) document = parse_bytes(message, READER_ALL);
    if (document->parts->len != truth->types->len)
        return FALSE;
    for (guint i = 0; i < truth->types->len; i++) {
        if (!g_str_equal(document_part(document, i + 1)->type, truth->types->pdata[i]))
            return FALSE;
        g_autoptr(GBytes) got = truth->leaves->pdata[i] ? message_part(message, i + 1, NULL, NULL) : NULL;
        if (truth->leaves->pdata[i] && (!got || !is_same(got, truth->leaves->pdata[i], is_crlf)))
            return FALSE;
    }
    return TRUE;
}

static void
check(const char *text, const struct truth *truth, gboolean is_crlf)
{
    g_autoptr(GBytes) message = bytes_of_text(text);
    if (is_true(message, truth, is_crlf))
        return;
    g_test_message("%s", text);
    g_test_fail_printf("a part is not what it was made of");
}

static void
free_bytes(gpointer data)
{
    if (data)
        g_bytes_unref(data);
}

static void
test_truth(void)
{
    for (guint n = 0; n < MESSAGES; n++) {
        struct truth truth = {g_ptr_array_new_with_free_func(g_free), g_ptr_array_new_with_free_func(free_bytes)};
        g_autoptr(GPtrArray) boundaries = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GString) out = g_string_new("From: a@example.org\nSubject: s\nMIME-Version: 1.0\n");
        add_entity(out, 0, boundaries, FALSE, &truth);
        check(out->str, &truth, FALSE);
        g_string_replace(out, "\n", "\r\n", 0);
        check(out->str, &truth, TRUE);
        g_ptr_array_unref(truth.types);
        g_ptr_array_unref(truth.leaves);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mail_init();
    g_test_add_func("/parse-truth/random", test_truth);
    return g_test_run();
}
