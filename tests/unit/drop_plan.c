/* sync/drop_plan: who is who in a POP3 mailbox, and what goes from it */
#include "config.h"

#include "sync/drop_plan.h"

#include <string.h>

#define NOW G_GINT64_CONSTANT(1900000000)

/* "a:10 b": ids with their sizes, into one of the two. */
static void
parse(const char *text, GStringChunk *strings, GArray *known, GArray *listed)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    guint nth = 0;
    const char *last = NULL;
    for (guint i = 0; words[i] && *words[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(words[i], ":", 2);
        const char *uidl = g_string_chunk_insert(strings, parts[0]);
        guint64 size = parts[1] ? g_ascii_strtoull(parts[1], NULL, 10) : 0;
        nth = last && !strcmp(last, uidl) ? nth + 1 : 0;
        last = uidl;
        if (known) {
            gboolean loose = parts[1] && strchr(parts[1], '~');
            struct drop_known row = {uidl, nth, size, loose};
            g_array_append_val(known, row);
        } else {
            struct drop_listed entry = {.uidl = uidl, .size = size};
            g_array_append_val(listed, entry);
        }
    }
}

static const struct {
    const char *known;  /* in order; ~: its size says nothing */
    const char *listed;
    const char *found;  /* index of the known, - for new, ? behind it: doubtful, = : shares its id */
    const char *gone;
} cases[] = {
    {"", "", "", ""},
    {"", "a b", "- -", ""},
    {"a b c", "", "", "0 1 2"},
    {"a b c", "c a b", "2 0 1", ""},
    {"a b c", "b d", "1 -", "0 2"},
    {"a:1 b:2", "a:1 b:3", "0 1?", ""},
    {"a:1 b:2~", "a b:3", "0 1", ""},
    {"", "same same same", "-= -= -=", ""},
    {"same same", "same same same", "0= 1= -=", ""},
    {"same same same", "same", "0", "1 2"},
    {"a same same z", "z same x same a", "3 1= - 2= 0", ""},
    {"../.. / x", "/ ../..", "1 0", "2"},
};

static void
test_match(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GStringChunk *strings = g_string_chunk_new(1000);
        g_autoptr(GArray) known = g_array_new(FALSE, TRUE, sizeof(struct drop_known));
        g_autoptr(GArray) listed = g_array_new(FALSE, TRUE, sizeof(struct drop_listed));
        g_autoptr(GArray) gone = NULL;
        g_autoptr(GString) found = g_string_new(NULL), lost = g_string_new(NULL);
        parse(cases[i].known, strings, known, NULL);
        parse(cases[i].listed, strings, NULL, listed);
        drop_match((struct drop_known *) known->data, known->len, (struct drop_listed *) listed->data, listed->len, &gone);
        for (guint k = 0; k < listed->len; k++) {
            const struct drop_listed *at = &g_array_index(listed, struct drop_listed, k);
            g_string_append(found, k ? " " : "");
            if (at->known < 0)
                g_string_append_c(found, '-');
            else
                g_string_append_printf(found, "%d", (int) at->known);
            g_string_append_printf(found, "%s%s", at->doubtful ? "?" : "", at->shared ? "=" : "");
        }
        for (guint k = 0; k < gone->len; k++)
            g_string_append_printf(lost, "%s%u", k ? " " : "", g_array_index(gone, guint, k));
        g_assert_cmpstr(found->str, ==, cases[i].found);
        g_assert_cmpstr(lost->str, ==, cases[i].gone);
        g_string_chunk_free(strings);
    }
}

/* Rows: what is so; columns: always, until-deleted, 30 days, never. S stays, G goes, D goes as deleted. */
static const struct {
    const char *what;
    struct drop_facts facts;
    const char *verdicts;
} judged[] = {
    {"here, read", {TRUE, TRUE, TRUE, NOW}, "SSSG"},
    {"here, 31 days", {TRUE, TRUE, TRUE, NOW - 31 * 86400}, "SSGG"},
    {"here, 29 days", {TRUE, TRUE, TRUE, NOW - 29 * 86400}, "SSSG"},
    {"here, from a future clock", {TRUE, TRUE, TRUE, NOW + 99 * 86400}, "SSSG"},
    {"envelope, 31 days", {TRUE, TRUE, FALSE, NOW - 31 * 86400}, "SSSS"},
    {"in Trash", {FALSE, TRUE, TRUE, NOW}, "SDDG"},
    {"in Trash, envelope", {FALSE, TRUE, FALSE, NOW}, "SSSS"},
    {"moved to another account, envelope", {FALSE, TRUE, FALSE, NOW - 31 * 86400}, "SSSS"},
    {"deleted for good", {FALSE, FALSE, FALSE, NOW}, "SDDG"},
    {"deleted for good, kept 30 days", {FALSE, FALSE, TRUE, NOW}, "SDDG"},
};

static void
test_judge(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(judged); i++) {
        char found[5] = "";
        for (guint what = 0; what < 4; what++) {
            struct leave leave = {(enum leave_what) what, 30};
            found[what] = "SGD"[drop_judge(&leave, &judged[i].facts, NOW)];
        }
        g_test_message("%s", judged[i].what);
        g_assert_cmpstr(found, ==, judged[i].verdicts);
    }
}

static void
test_shared(void)
{
    struct drop_listed listed[] = {{.uidl = "a", .shared = TRUE}, {.uidl = "b", .shared = TRUE}, {.uidl = "c"},
                                   {.uidl = "a", .shared = TRUE}, {.uidl = "b", .shared = TRUE}};
    enum drop_verdict verdicts[] = {DROP_GOES, DROP_GOES_DELETED, DROP_GOES, DROP_STAYS, DROP_GOES};
    drop_judge_shared(listed, G_N_ELEMENTS(listed), verdicts);
    static const enum drop_verdict wanted[] = {DROP_STAYS, DROP_GOES_DELETED, DROP_GOES, DROP_STAYS, DROP_GOES};
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_cmpint(verdicts[i], ==, wanted[i]);
}

/* S9: a hostile list must not cost more than it is long. */
static void
test_many(void)
{
    enum { N = 300000 };
    g_autofree struct drop_listed *listed = g_new0(struct drop_listed, N);
    g_autofree struct drop_known *known = g_new0(struct drop_known, N);
    g_autoptr(GArray) gone = NULL;
    for (guint i = 0; i < N; i++) {
        listed[i].uidl = known[i].uidl = "the same";
        known[i].nth = i;
    }
    gint64 start = g_get_monotonic_time();
    drop_match(known, N, listed, N, &gone);
    g_assert_cmpuint(gone->len, ==, 0);
    g_assert_cmpint(listed[N - 1].known, ==, N - 1);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/drop-plan/match", test_match);
    g_test_add_func("/drop-plan/judge", test_judge);
    g_test_add_func("/drop-plan/shared", test_shared);
    g_test_add_func("/drop-plan/many", test_many);
    return g_test_run();
}
