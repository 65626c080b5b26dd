/* The planner: one folder at a time, as tables; histories are in plan_histories.c. */
#include "config.h"

#include <string.h>

#include "base/flags.h"
#include "sync/plan.h"

/* A plan as text, an action a line, so that a case is one comparison. */
static char *
plan_text(const struct plan *plan)
{
    static const char *const names[] = {
        [PLAN_REREAD] = "reread",         [PLAN_TAKE_FLAGS] = "take",     [PLAN_CLOSE] = "close",
        [PLAN_SEND_FLAGS] = "store",      [PLAN_SEND_MOVE] = "move",      [PLAN_SEND_EXPUNGE] = "expunge",
        [PLAN_ASK_EXPUNGE] = "ask",       [PLAN_SEND_UPLOAD] = "upload",  [PLAN_FETCH_NEW] = "new",
        [PLAN_FETCH_BODY] = "body",       [PLAN_REMOVE] = "remove",       [PLAN_TELL_TAGS] = "tell",
        [PLAN_TELL_READ_ONLY] = "readonly",
    };
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < plan->actions->len; i++) {
        const struct plan_action *action = plan->actions->pdata[i];
        g_string_append_printf(out, "%s%s", out->len ? "; " : "", names[action->kind]);
        if (action->uids) {
            g_autofree char *uids = uidset_format(action->uids);
            g_string_append_printf(out, " %s", uids);
        }
        for (guint k = 0; action->ids && k < action->ids->len; k++)
            g_string_append_printf(out, "%s%" G_GINT64_FORMAT, k ? "," : " #", g_array_index(action->ids, gint64, k));
        for (guint k = 0; action->taken && k < action->taken->len; k++)
            g_string_append_printf(out, "%s%" G_GINT64_FORMAT, k ? "," : " #",
                                   g_array_index(action->taken, struct plan_taken, k).id);
        if (action->target)
            g_string_append_printf(out, " to %" G_GINT64_FORMAT, action->target);
        if (action->kind == PLAN_SEND_FLAGS)
            g_string_append_printf(out, " %c%u", action->add ? '+' : '-', action->flags);
        if (action->tags && *action->tags)
            g_string_append_printf(out, " %s", action->tags);
    }
    return g_string_free(out, FALSE);
}

#define LOCALS 6
#define S FLAG_SEEN
#define F FLAG_FLAGGED
#define A FLAG_ANSWERED

/* Ids are 100 + uid; rows without uid give theirs. */
static const struct folder_case {
    const char *name;
    struct plan_local locals[LOCALS]; /* ends with id 0 and uid 0 */
    struct plan_remote remotes[LOCALS]; /* ends with uid 0 and tags NULL */
    const char *known, *vanished;
    gboolean delta;
    gint64 exists; /* -1: not told */
    gboolean read_only, matched;
    const char *storable; /* NULL: any */
    const char *expect;
} folder_cases[] = {
    {"nothing", {{0}}, {{0}}, "", "", FALSE, 0, .expect = ""},
    {"equal", {{.id = 101, .uid = 1, .flags = S, .want_flags = S}}, {{1, S, ""}}, "1", "", FALSE, 1, .expect = ""},
    {"new", {{0}}, {{3, 0, ""}, {9, S, ""}}, "", "", FALSE, 2, .expect = "new 3,9"},
    {"server changed", {{.id = 101, .uid = 1}}, {{1, S, "work"}}, "1", "", FALSE, 1, .expect = "take #101"},
    {"changed here", {{.id = 101, .uid = 1, .want_flags = S, .want_tags = "x"}}, {{1, 0, ""}}, "1", "", FALSE, 1,
     .expect = "store 1 +1 x"},
    {"the same on both sides", {{.id = 101, .uid = 1, .want_flags = S}}, {{1, S, ""}}, "1", "", FALSE, 1,
     .expect = "take #101"},
    {"different flags on both sides", {{.id = 101, .uid = 1, .want_flags = F}}, {{1, S, ""}}, "1", "", FALSE, 1,
     .expect = "take #101; store 1 +4"},
    {"taken away here, another added there",
     {{.id = 101, .uid = 1, .flags = S, .want_flags = 0, .tags = "a b", .want_tags = "a"}}, {{1, S | F, "a b c"}}, "1",
     "", FALSE, 1, .expect = "take #101; store 1 -1 b"},
    {"only here, delta", {{.id = 101, .uid = 1, .want_flags = S}}, {{0}}, "1:4", "", TRUE, 4, .expect = "store 1 +1"},
    {"gone, complete", {{.id = 101, .uid = 1}, {.id = 102, .uid = 2, .want_flags = S}}, {{1, 0, ""}}, "1:2", "", FALSE,
     1, .expect = "remove 2 #102"},
    {"gone, delta", {{.id = 102, .uid = 2}}, {{0}}, "1:3", "2", TRUE, 2, .expect = "remove 2 #102"},
    {"delta says nothing about it", {{.id = 102, .uid = 2, .want_flags = F}}, {{0}}, "1:3", "3", TRUE, 2,
     .expect = "store 2 +4"},
    {"vanished that we never had", {{0}}, {{0}}, "1:3", "7:4000000000", TRUE, 3, .expect = ""},
    {"a change was missed", {{0}}, {{0}}, "1:3", "", TRUE, 2, .expect = "reread"},
    {"more than was told", {{0}}, {{5, 0, ""}}, "1:3", "", TRUE, 6, .expect = "reread"},
    {"deleted here", {{.id = 101, .uid = 1, .state = PLAN_DELETE, .want_flags = S}}, {{1, 0, ""}}, "1", "", FALSE, 1,
     .expect = "expunge 1 #101"},
    {"deleted on both sides", {{.id = 101, .uid = 1, .state = PLAN_DELETE}}, {{0}}, "1", "", FALSE, 0,
     .expect = "close 1 #101"},
    {"moved here, flagged before", {{.id = 101, .uid = 1, .state = PLAN_MOVE, .target = 7, .want_flags = F}},
     {{1, S, ""}}, "1", "", FALSE, 1, .expect = "take #101; store 1 +4; move 1 #101 to 7"},
    {"two targets",
     {{.id = 101, .uid = 1, .state = PLAN_MOVE, .target = 7}, {.id = 102, .uid = 2, .state = PLAN_MOVE, .target = 8},
      {.id = 103, .uid = 3, .state = PLAN_MOVE, .target = 7}},
     {{0}}, "1:3", "", TRUE, 3, .expect = "move 1,3 #101,103 to 7; move 2 #102 to 8"},
    {"moved, and the copy has arrived", {{.id = 101, .uid = 1, .state = PLAN_MOVE, .target = 7, .arrived = TRUE}},
     {{1, 0, ""}}, "1", "", FALSE, 1, .expect = "expunge 1 #101"},
    {"moved here, gone there", {{.id = 101, .uid = 1, .state = PLAN_MOVE, .target = 7}}, {{0}}, "1", "", FALSE, 0,
     .expect = "close 1 #101"},
    {"upload and arrival", {{.id = 1, .state = PLAN_UPLOAD}, {.id = 2, .state = PLAN_ARRIVE}}, {{0}}, "", "", FALSE, 0,
     .expect = "upload #1"},
    {"without uid, not looked for yet", {{.id = 1}, {.id = 2, .state = PLAN_DELETE}}, {{0}}, "", "", FALSE, 0,
     .expect = ""},
    {"without uid, and not found", {{.id = 1}, {.id = 2, .state = PLAN_DELETE}}, {{0}}, "", "", FALSE, 0,
     .matched = TRUE, .expect = "close #2; remove #1"},
    {"one command for the same change",
     {{.id = 101, .uid = 1, .want_flags = S}, {.id = 102, .uid = 2, .want_flags = S},
      {.id = 109, .uid = 9, .want_flags = S}},
     {{0}}, "1:9", "", TRUE, 9, .expect = "store 1:2,9 +1"},
    {"combined, when that is fewer",
     {{.id = 101, .uid = 1, .want_flags = S | F}, {.id = 102, .uid = 2, .want_flags = S | F}}, {{0}}, "1:2", "", TRUE, 2,
     .expect = "store 1:2 +5"},
    {"single flags, when those are fewer",
     {{.id = 101, .uid = 1, .want_flags = S | F}, {.id = 102, .uid = 2, .want_flags = S},
      {.id = 103, .uid = 3, .want_flags = F}},
     {{0}}, "1:3", "", TRUE, 3, .expect = "store 1:2 +1; store 1,3 +4"},
    {"a read-only folder",
     {{.id = 1, .state = PLAN_UPLOAD}, {.id = 101, .uid = 1, .want_flags = S}, {.id = 102, .uid = 2, .state = PLAN_DELETE}},
     {{1, F, ""}}, "1:2", "", TRUE, 2, .read_only = TRUE, .expect = "take #101; readonly 1:2 #1,101,102"},
    {"tags that the server cannot keep", {{.id = 101, .uid = 1, .want_flags = S, .want_tags = "mine theirs"}}, {{0}}, "1",
     "", TRUE, 1, .storable = "theirs", .expect = "store 1 +1 theirs; tell mine"},
    {"bodies", {{.id = 101, .uid = 1, .body_wanted = TRUE}, {.id = 102, .uid = 2}}, {{1, 0, ""}, {2, 0, ""}}, "1:2", "",
     FALSE, 2, .expect = "body 1 #101"},
    {"no body of what leaves", {{.id = 101, .uid = 1, .body_wanted = TRUE, .state = PLAN_DELETE}}, {{1, 0, ""}}, "1", "",
     FALSE, 1, .expect = "expunge 1 #101"},
    {"nonsense from the server: zero, twice, descending", {{.id = 105, .uid = 5}},
     {{9, 0, ""}, {0, S, ""}, {5, S, ""}, {9, F, ""}, {5, 0, ""}}, "5", "", FALSE, 2, .expect = "new 9"},
};

static struct plan *
run_case(const struct folder_case *c)
{
    struct plan_local locals[LOCALS];
    gsize n_locals = 0, n_remotes = 0;
    for (; n_locals < LOCALS && (c->locals[n_locals].id || c->locals[n_locals].uid); n_locals++) {
        locals[n_locals] = c->locals[n_locals];
        locals[n_locals].tags = locals[n_locals].tags ? locals[n_locals].tags : "";
        locals[n_locals].want_tags = locals[n_locals].want_tags ? locals[n_locals].want_tags : "";
    }
    while (n_remotes < LOCALS && c->remotes[n_remotes].tags)
        n_remotes++;
    g_autoptr(struct_uidset) known = uidset_parse(c->known, -1, 0), vanished = uidset_parse(c->vanished, -1, 0);
    struct plan_input in = {
        .locals = locals,
        .n_locals = n_locals,
        .known = known,
        .complete = !c->delta,
        .matched = c->matched,
        .remotes = c->remotes,
        .n_remotes = n_remotes,
        .vanished = vanished,
        .exists_known = c->exists >= 0,
        .exists = (guint64) c->exists,
        .storable = {FLAGS_ALL, !c->storable, c->storable},
        .read_only = c->read_only,
    };
    return plan_folder(&in);
}

static void
test_folder(gconstpointer data)
{
    const struct folder_case *c = data;
    g_autoptr(struct_plan) plan = run_case(c);
    g_autofree char *text = plan_text(plan);
    g_assert_cmpstr(text, ==, c->expect);
    for (guint i = 0; i < plan->actions->len; i++) {
        g_autofree char *line = plan_action_to_string(plan->actions->pdata[i]);
        g_assert_true(*line && !strchr(line, '\n'));
    }
}

static struct plan *
plan_deletions(guint total, guint deleted, gboolean agreed)
{
    g_autofree struct plan_local *locals = g_new0(struct plan_local, total);
    for (guint i = 0; i < total; i++)
        locals[i] = (struct plan_local){.id = i + 1, .uid = i + 1, .tags = "", .want_tags = "",
                                        .state = i < deleted ? PLAN_DELETE : PLAN_HERE};
    g_autoptr(struct_uidset) known = uidset_new_range(1, total);
    struct plan_input in = {.locals = locals, .n_locals = total, .known = known, .removals_agreed = agreed,
                            .storable = {FLAGS_ALL, TRUE, NULL}};
    return plan_folder(&in);
}

static void
test_d11_brake(void)
{
    static const struct {
        guint64 total, removed;
        gboolean stops;
    } cases[] = {
        {0, 0, FALSE},    {50, 50, FALSE},  {51, 51, TRUE},     {100, 50, FALSE},    {100, 51, TRUE},
        {400, 80, FALSE}, {400, 81, TRUE},  {1000, 200, FALSE}, {1000, 201, TRUE},   {1000000, 200000, FALSE},
        {1000000, 200001, TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(plan_brake(cases[i].total, cases[i].removed), ==, cases[i].stops);

    g_autoptr(struct_plan) few = plan_deletions(400, 80, FALSE), many = plan_deletions(400, 81, FALSE),
                           agreed = plan_deletions(400, 81, TRUE);
    g_assert_cmpuint(few->actions->len, ==, 1);
    g_assert_cmpint(((struct plan_action *) few->actions->pdata[0])->kind, ==, PLAN_SEND_EXPUNGE);
    g_assert_cmpuint(many->actions->len, ==, 1);
    g_assert_cmpint(((struct plan_action *) many->actions->pdata[0])->kind, ==, PLAN_ASK_EXPUNGE);
    g_assert_cmpint(((struct plan_action *) agreed->actions->pdata[0])->kind, ==, PLAN_SEND_EXPUNGE);
}

static void
test_match(void)
{
    static const struct {
        const char *name;
        struct plan_identity locals[4], remotes[4];
        const char *expect;
    } cases[] = {
        {"server id", {{1, "E1"}, {2, "E2"}}, {{5, "E2"}, {6, "E3"}}, "2-5"},
        {"message id, date, size", {{1, NULL, "a@b", 10, 100}}, {{5, NULL, "a@b", 10, 100}}, "1-5"},
        {"another size", {{1, NULL, "a@b", 10, 100}}, {{5, NULL, "a@b", 10, 101}}, ""},
        {"another date", {{1, NULL, "a@b", 10, 100}}, {{5, NULL, "a@b", 11, 100}}, ""},
        {"another size, loose", {{1, NULL, "a@b", 10, 100, NULL, TRUE}}, {{5, NULL, "a@b", 10, 101}}, "1-5"},
        {"size unknown", {{1, NULL, "a@b", 10, 0}}, {{5, NULL, "a@b", 10, 101}}, ""},
        {"all agrees but the server's id", {{1, "E1", "a@b", 10, 100}}, {{5, "E2", "a@b", 10, 100}}, ""},
        {"no message id", {{1, NULL, NULL, 10, 100}}, {{5, NULL, NULL, 10, 100}}, ""},
        {"twins, content unknown",
         {{1, NULL, "a@b", 10, 100}, {2, NULL, "a@b", 10, 100}}, {{5, NULL, "a@b", 10, 100}, {6, NULL, "a@b", 10, 100}},
         ""},
        {"twins of one content",
         {{1, NULL, "a@b", 10, 100, "h"}, {2, NULL, "a@b", 10, 100, "h"}},
         {{5, NULL, "a@b", 10, 100}, {6, NULL, "a@b", 10, 100}, {7, NULL, "a@b", 10, 100}}, "1-5 2-6"},
        {"twins of two contents",
         {{1, NULL, "a@b", 10, 100, "h"}, {2, NULL, "a@b", 10, 100, "i"}}, {{5, NULL, "a@b", 10, 100}}, ""},
        {"twins told apart by the server",
         {{1, "E1", "a@b", 10, 100}, {2, "E2", "a@b", 10, 100}}, {{5, "E2", "a@b", 10, 100}, {6, "E1", "a@b", 10, 100}},
         "2-5 1-6"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize nl = 0, nr = 0;
        while (nl < 4 && cases[i].locals[nl].id)
            nl++;
        while (nr < 4 && cases[i].remotes[nr].id)
            nr++;
        g_autoptr(GArray) pairs = plan_match(cases[i].locals, nl, cases[i].remotes, nr);
        g_autoptr(GString) text = g_string_new(NULL);
        for (guint k = 0; k < pairs->len; k++) {
            const struct plan_pair *pair = &g_array_index(pairs, struct plan_pair, k);
            g_string_append_printf(text, "%s%d-%d", k ? " " : "", (int) cases[i].locals[pair->local].id,
                                   (int) cases[i].remotes[pair->remote].id);
        }
        g_test_message("%s", cases[i].name);
        g_assert_cmpstr(text->str, ==, cases[i].expect);
    }
}

/* S6: whatever numbers a server invents, nothing is removed that it did not name, and nothing is sent unasked. */
static void
test_s6_lies(void)
{
    guint32 seed = g_test_rand_int();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_test_message("seed %u", seed);
    for (guint round = 0; round < 2000; round++) {
        struct plan_local locals[20];
        g_autoptr(struct_uidset) known = uidset_new(), vanished = uidset_new();
        for (guint i = 0; i < 20; i++) {
            locals[i] = (struct plan_local){.id = i + 1, .uid = 3 * i + 1, .tags = "", .want_tags = ""};
            uidset_add(known, locals[i].uid);
        }
        struct plan_remote remotes[30];
        g_autoptr(struct_uidset) named = uidset_new();
        for (guint i = 0; i < 30; i++) {
            static const guint32 odd[] = {0, 1, G_MAXUINT32, 4, 4, 7};
            guint32 uid = g_rand_boolean(rand) ? g_rand_int(rand) % 70
                                               : odd[g_rand_int_range(rand, 0, G_N_ELEMENTS(odd))];
            remotes[i] = (struct plan_remote){uid, g_rand_int(rand) & FLAGS_ALL, "", g_rand_int(rand)};
            uidset_add(named, uid);
        }
        guint32 first = g_rand_int(rand) % 80;
        uidset_add_range(vanished, first, first + g_rand_int(rand) % 10);
        gboolean complete = g_rand_boolean(rand);
        struct plan_input in = {.locals = locals, .n_locals = 20, .known = known, .complete = complete,
                                .remotes = remotes, .n_remotes = g_rand_int_range(rand, 0, 31), .vanished = vanished,
                                .exists_known = g_rand_boolean(rand), .exists = g_rand_int(rand) % 40,
                                .storable = {FLAGS_ALL, TRUE, NULL}};
        g_autoptr(struct_plan) plan = plan_folder(&in);
        for (guint i = 0; i < plan->actions->len; i++) {
            const struct plan_action *action = plan->actions->pdata[i];
            switch (action->kind) {
            case PLAN_REREAD:
                g_assert_cmpuint(plan->actions->len, ==, 1);
                break;
            case PLAN_REMOVE:
                for (struct uidset_iter it = uidset_iter(action->uids);;) {
                    guint32 uid;
                    if (!uidset_next(&it, &uid))
                        break;
                    g_assert_true(uidset_contains(known, uid));
                    g_assert_true(complete || uidset_contains(vanished, uid));
                }
                break;
            case PLAN_FETCH_NEW:
                g_assert_false(uidset_contains(action->uids, 1));
                g_assert_false(uidset_contains(action->uids, 4));
                break;
            case PLAN_TAKE_FLAGS:
                break;
            default:
                g_error("a report alone made us do: %d", action->kind);
            }
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(folder_cases); i++) {
        g_autofree char *path = g_strdup_printf("/plan/folder/%s", folder_cases[i].name);
        g_test_add_data_func(path, &folder_cases[i], test_folder);
    }
    g_test_add_func("/plan/d11-brake", test_d11_brake);
    g_test_add_func("/plan/match", test_match);
    g_test_add_func("/plan/s6-lies", test_s6_lies);
    return g_test_run();
}
