/* the stages that mail passes when it has just come: each once, in order, whatever happens between two */
#include "config.h"

#include "storetest.h"

#include "base/clock.h"
#include "base/error.h"
#include "trust/arrival.h"

#define DAY 86400

static struct {
    GString *order; /* "1a 1b 2a " … */
    const char *fails;
    int code;
    GQuark domain;
} seen;

static gboolean
note(struct arrival *arrival, const char *name, char **verdict, GError **error)
{
    g_string_append_printf(seen.order, "%s%s ", arrival->message->subject, name);
    g_assert_nonnull(arrival->bytes);
    g_assert_cmpstr(arrival->document->envelope->subject, ==, arrival->message->subject);
    if (seen.fails && !strcmp(seen.fails, name)) {
        g_set_error(error, seen.domain, seen.code, "no");
        return FALSE;
    }
    if (!strcmp(name, "a"))
        *verdict = g_strdup_printf("{\"subject\":\"%s\"}", arrival->message->subject);
    return TRUE;
}

static gboolean
stage_a(struct arrival *arrival, char **verdict, GError **error)
{
    return note(arrival, "a", verdict, error);
}

static gboolean
stage_b(struct arrival *arrival, char **verdict, GError **error)
{
    return note(arrival, "b", verdict, error);
}

static gboolean
stage_c(struct arrival *arrival, char **verdict, GError **error)
{
    return note(arrival, "c", verdict, error);
}

static gboolean
wants_even(const struct message *message, gboolean is_recent G_GNUC_UNUSED)
{
    return g_ascii_strtoll(message->subject, NULL, 10) % 2 == 0;
}

static const struct arrival_stage stages[] = {
    {"a", stage_a, NULL}, {"b", stage_b, wants_even}, {"c", stage_c, NULL}, {NULL, NULL, NULL}};

static gboolean
run(struct world *world, GError **error)
{
    g_autoptr(struct_reader) reader = reader_new();
    const struct arrival_host host = {.account_id = world->account};
    g_string_truncate(seen.order, 0);
    return arrival_run_stages(world->store, reader, &host, stages, NULL, NULL, error);
}

static void
expect(struct world *world, const char *order)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(run(world, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(seen.order->str, ==, order);
}

static gint64
deliver(struct world *world, gint64 folder, guint32 uid, const char *subject, gint64 age)
{
    g_autofree char *id = g_strdup_printf("m%u@x", uid);
    gint64 placement = add_mail(world->store, folder, uid, id, NULL, "ben@example.com", subject, clock_now() - age);
    add_body(world->store, placement, subject, NULL);
    return message_of(world->store, placement);
}

static void
begin(struct world *world)
{
    world_begin(world);
    seen.order = g_string_new(NULL);
    seen.fails = NULL;
}

static void
end(struct world *world)
{
    g_string_free(seen.order, TRUE);
    world_end(world);
}

static guint
waiting(struct world *world)
{
    g_autoptr(GPtrArray) list = arrival_list(world->store, 0, 1000, NULL);
    return list->len;
}

static void
test_once(void)
{
    struct world world;
    begin(&world);
    gint64 first = deliver(&world, world.inbox, 1, "1", 0);
    deliver(&world, world.inbox, 2, "2", 13 * DAY);
    expect(&world, "1a 1c 2a 2b 2c ");
    expect(&world, "");
    g_autofree char *verdict = verdict_get(world.store, first, "a"), *none = verdict_get(world.store, first, "b");
    g_assert_cmpstr(verdict, ==, "{\"subject\":\"1\"}");
    g_assert_null(none);
    /* Flags, moves and another copy of the same content are no arrival. */
    g_assert_cmpint(intent_mark(world.store, &first, 1, FLAG_SEEN, 0, NULL, NULL, NULL), >, 0);
    g_assert_cmpint(intent_move(world.store, &first, 1, world.inbox, world.archive, NULL), >, 0);
    deliver(&world, world.junk, 1, "1", 0);
    expect(&world, "");
    end(&world);
}

/* What a first fetch brings from long ago, and mail of one's own, has not arrived. */
static void
test_who(void)
{
    struct world world;
    begin(&world);
    deliver(&world, world.inbox, 1, "1", 15 * DAY);
    deliver(&world, world.sent, 2, "2", 0);
    deliver(&world, world.trash, 3, "3", 0);
    deliver(&world, world.junk, 4, "4", 0);
    add_mail(world.store, world.inbox, 5, "m5@x", NULL, "ben@example.com", "5", clock_now()); /* an envelope only */
    expect(&world, "4a 4b 4c ");
    end(&world);
}

/* A store that fails ends the run where it is; the next one goes on with that stage. */
static void
test_goes_on(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    begin(&world);
    deliver(&world, world.inbox, 2, "2", 0);
    deliver(&world, world.inbox, 4, "4", 0);
    seen.fails = "b", seen.domain = STORE_ERROR, seen.code = ERROR_IO;
    g_assert_false(run(&world, &error));
    g_assert_error(error, STORE_ERROR, ERROR_IO);
    g_assert_cmpstr(seen.order->str, ==, "2a 2b ");
    seen.fails = NULL;
    expect(&world, "2b 2c 4a 4b 4c ");
    end(&world);
}

/* A stage that cannot be done now is asked for again, some times; one that cannot be done at all is passed over. */
static void
test_failures(void)
{
    struct world world;
    begin(&world);
    gint64 message = deliver(&world, world.inbox, 2, "2", 0);
    seen.fails = "b", seen.domain = ARRIVAL_ERROR, seen.code = ERROR_RETRY;
    expect(&world, "2a 2b ");
    expect(&world, ""); /* not due yet */
    for (guint attempts = 1; attempts < ARRIVAL_ATTEMPTS - 1; attempts += 2) {
        g_assert_cmpuint(waiting(&world), ==, 0);
        g_assert_true(arrival_defer(world.store, message, 0, NULL)); /* its time has come; counts as another */
        expect(&world, attempts + 2 < ARRIVAL_ATTEMPTS - 1 ? "2b " : "2b 2c ");
    }
    deliver(&world, world.inbox, 4, "4", 0);
    seen.code = ERROR_SKIP;
    expect(&world, "4a 4b 4c ");
    expect(&world, "");
    end(&world);
}

/* Mail that went meanwhile leaves nothing behind. */
static void
test_gone(void)
{
    struct world world;
    g_autoptr(GError) error = NULL;
    begin(&world);
    gint64 first = deliver(&world, world.inbox, 1, "1", 0), second = deliver(&world, world.inbox, 2, "2", 0);
    gint64 placement = placement_find_uid(world.store, world.inbox, 1);
    seen.fails = "c", seen.domain = STORE_ERROR, seen.code = ERROR_IO;
    g_assert_false(run(&world, &error));
    g_assert_true(placement_remove(world.store, &placement, 1, NULL));
    seen.fails = NULL;
    expect(&world, "1c 2a 2b 2c "); /* it lies among what was removed */
    g_assert_true(verdict_set(world.store, second, "a", NULL, NULL));
    g_autofree char *forgotten = verdict_get(world.store, second, "a");
    g_assert_null(forgotten);
    g_assert_true(verdict_set(world.store, G_MAXINT32, "a", "{}", NULL)); /* of no message: nothing */
    g_assert_cmpint(first, >, 0);
    end(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arrival/once", test_once);
    g_test_add_func("/arrival/who", test_who);
    g_test_add_func("/arrival/goes-on", test_goes_on);
    g_test_add_func("/arrival/failures", test_failures);
    g_test_add_func("/arrival/gone", test_gone);
    return g_test_run();
}
