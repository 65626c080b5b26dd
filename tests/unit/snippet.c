/* The piece of a text around the words of a search. */
#include "config.h"

#include "search/hits.h"
#include "search/query.h"

#include <string.h>

static char *
snippet(const char *query, const char *body, guint most)
{
    g_autoptr(struct_query) tree = search_parse(query, SEARCH_NOTMUCH, NULL, NULL);
    g_autoptr(struct_hits) hits = hits_new(tree, QUERY_BODY);
    return hits_snippet(hits, body, most);
}

static void
test_pieces(void)
{
    static const struct {
        const char *query, *body, *piece;
        guint most;
    } cases[] = {
        {"crane", "the crane stands idle", "the crane stands idle", 40},
        {"crane", "it was said long ago that the crane stands idle on Mondays", "…the crane stands idle…", 24},
        {"idle", "it was said\n\n  that it stands\t idle\nnow", "…stands idle now", 20},
        {"crane costs", "one crane here, and then a long text of other things, and what the crane costs now",
         "…the crane costs now", 24},
        {"crane and from:ana", "ana has a crane", "ana has a crane", 40},
        {"from:ana", "ana has a crane", NULL, 40},
        {"crane and not idle", "idle things, and far away from all of it a crane", "…of it a crane", 16},
        {"heron", "the crane stands idle", NULL, 40},
        {"cra*", "the Cranes stand", "the Cranes stand", 40},
        {"cafe", "un café noir", "un café noir", 40},
        {"会議", "明日の会議は九時からです", "…日の会議は九時…", 9},
        {"wordwithoutend", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx wordwithoutend", "…xxx wordwithoutend", 20},
        {"crane", "", NULL, 40},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *piece = snippet(cases[i].query, cases[i].body, cases[i].most);
        g_assert_cmpstr(piece, ==, cases[i].piece);
    }
    g_autofree char *none = hits_snippet(NULL, "text", 40);
    g_assert_null(none);
}

/* Whatever the body: valid, one line, in its bounds, and the word is in it when there is room. */
static void
test_bounds(void)
{
    static const char *const pieces[] = {"crane", " ", "\n", "ü", "日本", "idle", "x", "\x1b[31m", "\u0301", ".", "\u202e"};
    for (guint i = 0; i < 20000; i++) {
        g_autoptr(GString) body = g_string_new(NULL);
        for (gint32 n = g_test_rand_int_range(0, 60); n > 0; n--)
            g_string_append(body, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
        guint most = (guint)g_test_rand_int_range(0, 60);
        g_autofree char *piece = snippet("crane or idle", body->str, most);
        if (!piece)
            continue;
        g_assert_true(g_utf8_validate(piece, -1, NULL));
        g_assert_null(strchr(piece, '\n'));
        g_assert_cmpint(g_utf8_strlen(piece, -1), <=, most);
        g_assert_true(most < 14 || strstr(piece, "crane") || strstr(piece, "idle"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/snippet/pieces", test_pieces);
    g_test_add_func("/snippet/bounds", test_bounds);
    return g_test_run();
}
