/* What of a search goes to a server, and what is decided here. */
#include "config.h"

#include "search/query.h"
#include "sync/find_plan.h"
#include "sync/sync.h"

#define NOW G_GINT64_CONSTANT(1794484800) /* 2026-11-12 12:00 UTC */

static void
test_plans(void)
{
    static const struct {
        const char *query, *plan;
    } cases[] = {
        {"crane", "TEXT \"crane\" | all"},
        {"body:crane", "BODY \"crane\" | all"},
        {"crane from:ana", "TEXT \"crane\" | (from \"ana\")"},
        {"crane is:flagged", "TEXT \"crane\" | flagged"},
        {"from:ana", ""},
        {"tag:x or subject:y", ""},
        {"crane or tag:x", "TEXT \"crane\" | all"},
        {"(crane or tag:x) from:ana", "TEXT \"crane\" | (from \"ana\")"},
        {"\"two words\"", "TEXT \"two\" TEXT \"words\" | all"},
        {"not crane", "NOT TEXT \"crane\" | all"},
        {"not \"two words\"", "NOT TEXT \"two words\" | all"},
        {"not (crane or from:ana)", "NOT TEXT \"crane\" | (not (from \"ana\"))"},
        {"not (crane and from:ana)", "NOT TEXT \"crane\" | all"},
        {"crane heron", "TEXT \"crane\" TEXT \"heron\" | all"},
        {"crane xor heron", "TEXT \"crane\" NOT TEXT \"heron\" | all; NOT TEXT \"crane\" TEXT \"heron\" | all"},
        {"cra*", "TEXT \"cra\" | all"},
        {"one NEAR/3 two", "TEXT \"one\" TEXT \"two\" | all"},
        {"crane date:2026-11-05..2026-11-06",
         "TEXT \"crane\" SENTSINCE 4-Nov-2026 SENTBEFORE 8-Nov-2026 | (date [1793836800,1794009599])"},
        {"crane received:2026-11-05..", "TEXT \"crane\" SINCE 4-Nov-2026 | (received [1793836800,-])"},
        {"crane not date:2026-11-05..", "TEXT \"crane\" | (not (date [1793836800,-]))"},
        {"crane thread:{heron}", "TEXT \"crane\" | (in-thread (any \"heron\"))"},
        {"日本語", "TEXT \"日本語\" | all"},
        {"*", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_query) query = search_parse_at(cases[i].query, SEARCH_NOTMUCH, NOW, NULL, &error);
        g_assert_no_error(error);
        g_autoptr(GPtrArray) plan = find_plan(query, &error);
        g_assert_no_error(error);
        g_autofree char *text = find_plan_describe(plan);
        g_assert_cmpstr(text, ==, cases[i].plan);
    }
}

/* Never a line break to the server, and no more branches than are bounded. */
static void
test_bounds(void)
{
    g_autoptr(GString) many = g_string_new("(a or b)");
    for (guint i = 0; i < 5; i++)
        g_string_append(many, " and (a or b)");
    g_autoptr(struct_query) wide = search_parse_at(many->str, SEARCH_NOTMUCH, NOW, NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(find_plan(wide, &error));
    g_assert_error(error, SYNC_ERROR, ERROR_INPUT);

    g_autoptr(struct_query) hostile = query_new_text(QUERY_BODY, QUERY_SUBSTRING, "a\r\nb LOGOUT");
    g_autoptr(GPtrArray) plan = find_plan(hostile, NULL);
    g_autofree char *text = find_plan_describe(plan);
    g_assert_cmpstr(text, ==, "BODY \"a  b LOGOUT\" | all");
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/find_plan/plans", test_plans);
    g_test_add_func("/find_plan/bounds", test_bounds);
    return g_test_run();
}
