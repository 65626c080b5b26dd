/* stats.c - postrider stats: how much mail, when, with whom, how fast answered */
#include "config.h"

#include "cli/commands.h"
#include "cli/rows.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "store/stats.h"

static gint64 months = 24, people = 10;

static const GOptionEntry entries[] = {
    {"months", 'm', 0, G_OPTION_ARG_INT64, &months, N_("the last N months (0: all)"), "N"},
    {"people", 'p', 0, G_OPTION_ARG_INT64, &people, N_("so many correspondents"), "N"},
    {NULL},
};

static void
json_figures(struct json *json, const char *key, const guint64 *values, guint n)
{
    json_array_begin(json, key);
    for (guint i = 0; i < n; i++)
        json_int(json, NULL, (gint64)values[i]);
    json_array_end(json);
}

static void
json_delays(struct json *json, const char *key, const guint64 *values)
{
    json_array_begin(json, key);
    for (guint i = 0; i < STATS_DELAYS; i++) {
        json_object_begin(json, NULL);
        if (stats_delay_seconds(i))
            json_int(json, "below", stats_delay_seconds(i));
        else
            json_null(json, "below");
        json_int(json, "count", (gint64)values[i]);
        json_object_end(json);
    }
    json_array_end(json);
}

static gboolean
print_json(const struct stats *stats, GError **error)
{
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_array_begin(&json, "months");
    for (guint i = 0; i < stats->months->len; i++) {
        const struct stats_month *month = &g_array_index(stats->months, struct stats_month, i);
        g_autofree char *name = g_strdup_printf("%04d-%02d", month->year, month->month);
        json_object_begin(&json, NULL);
        json_string(&json, "month", name);
        json_int(&json, "received", (gint64)month->n[STATS_RECEIVED]);
        json_int(&json, "sent", (gint64)month->n[STATS_SENT]);
        json_int(&json, "bytes_received", (gint64)month->n[STATS_BYTES_RECEIVED]);
        json_int(&json, "bytes_sent", (gint64)month->n[STATS_BYTES_SENT]);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_figures(&json, "received_by_hour", stats->sum.n + STATS_RECEIVED_AT, STATS_HOURS);
    json_figures(&json, "sent_by_hour", stats->sum.n + STATS_SENT_AT, STATS_HOURS);
    json_delays(&json, "my_answers", stats->sum.n + STATS_MY_ANSWERS);
    json_delays(&json, "their_answers", stats->sum.n + STATS_THEIR_ANSWERS);
    json_array_begin(&json, "people");
    for (guint i = 0; i < stats->people->len; i++) {
        const struct stats_person *person = stats->people->pdata[i];
        json_object_begin(&json, NULL);
        json_string(&json, "name", person->name);
        json_string(&json, "address", person->addr);
        json_int(&json, "received", person->received);
        json_int(&json, "sent", person->sent);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_array_begin(&json, "folders");
    for (guint i = 0; i < stats->folders->len; i++) {
        const struct stats_folder *folder = stats->folders->pdata[i];
        json_object_begin(&json, NULL);
        json_string(&json, "account", folder->account);
        json_string(&json, "folder", folder->name);
        json_int(&json, "messages", (gint64)folder->count);
        json_int(&json, "bytes", (gint64)folder->bytes);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

static gboolean
run_stats(int argc, char **argv G_GNUC_UNUSED, int *exit_code G_GNUC_UNUSED, GError **error)
{
    if (argc)
        return cli_usage_error(error, _("stats takes no arguments"));
    if (months < 0 || months > 12000 || people < 0 || people > 100000)
        return cli_usage_error(error, _("--months is from 0 to 12000, --people from 0 to 100000"));
    struct store *store = cli_store(STORE_WRITE, error);
    g_autoptr(struct_stats) stats = store ? stats_load(store, clock_now(), (guint)months, (guint)people, error) : NULL;
    if (!stats)
        return FALSE;
    if (cli_json)
        return print_json(stats, error);
    g_autoptr(GPtrArray) lines = stats_to_lines(stats, rows_width(), !g_get_charset(NULL));
    for (guint i = 0; i < lines->len; i++)
        if (!cli_print(lines->pdata[i], error))
            return FALSE;
    return TRUE;
}

const struct cli_command cmd_stats = {
    "stats",
    NULL,
    N_("how much mail there was, when, with whom, and how fast it was answered"),
    N_("Mail a month with its size, the hours of the day, how long answers took (yours to others, theirs to you), the people "
       "with most mail, and the folders. A month is counted once and kept. What lies in Junk is left out. With --json: one "
       "object; \"my_answers\" and \"their_answers\" count delays below so many seconds, null for longer ones."),
    entries,
    WORDS_ANYWHERE,
    run_stats};
