#include "config.h"

#include "store/stats.h"

#include "base/i18n.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/message.h"
#include "store/rows.h"

#include <string.h>

static const struct {
    gint64 seconds;
    const char *word;
} delays[STATS_DELAYS] = {
    {15 * 60, N_("15 minutes")}, {3600, N_("1 hour")},     {4 * 3600, N_("4 hours")},   {86400, N_("1 day")},
    {3 * 86400, N_("3 days")},   {7 * 86400, N_("1 week")}, {30 * 86400, N_("30 days")}, {0, NULL},
};

const char *
stats_delay_word(guint delay)
{
    return delay < STATS_DELAYS && delays[delay].word ? _(delays[delay].word) : NULL;
}

gint64
stats_delay_seconds(guint delay)
{
    return delay < STATS_DELAYS ? delays[delay].seconds : 0;
}

static guint
delay_of(gint64 seconds)
{
    guint delay = 0;
    while (delay + 1 < STATS_DELAYS && seconds >= delays[delay].seconds)
        delay++;
    return delay;
}

static void
person_free(gpointer data)
{
    struct stats_person *person = data;
    g_free(person->name);
    g_free(person->addr);
    g_free(person);
}

static void
stats_folder_free(gpointer data)
{
    struct stats_folder *folder = data;
    g_free(folder->account);
    g_free(folder->name);
    g_free(folder);
}

void
stats_free(struct stats *stats)
{
    if (!stats)
        return;
    g_array_unref(stats->months);
    g_ptr_array_unref(stats->people);
    g_ptr_array_unref(stats->folders);
    g_free(stats);
}

/* ---- months ---- */

/* When the month begins, and 1 January 1970 for what came before. */
static gint64
begin_of(int year, int month)
{
    g_autoptr(GDateTime) time = g_date_time_new_local(year + (month - 1) / 12, (month - 1) % 12 + 1, 1, 0, 0, 0);
    return time ? MAX(g_date_time_to_unix(time), 0) : 0;
}

static void
month_of(gint64 seconds, int *year, int *month)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);
    *year = time ? g_date_time_get_year(time) : 1970;
    *month = time ? g_date_time_get_month(time) : 1;
}

/* What a month's messages are: as long as this is the same, and none has changed, so are its figures. */
struct footprint {
    gint64 count, keys;
};

static gboolean
read_footprint(struct store *store, gint64 from, gint64 to, struct footprint *footprint, GError **error)
{
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT count(*), sum(key - ?1) FROM message INDEXED BY message_key"
                                " WHERE key >= ?1 AND key < ?2",
                                "ll", from, to);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc > 0) {
        footprint->count = sqlite3_column_int64(q, 0);
        footprint->keys = sqlite3_column_int64(q, 1);
        sql_end(q);
    }
    return rc > 0;
}

static void
add_message(struct stats_month *month, gint64 date, gint64 size, gboolean from_me, gint64 parent)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(date);
    int hour = time ? g_date_time_get_hour(time) : 0;
    month->n[from_me ? STATS_SENT : STATS_RECEIVED]++;
    month->n[from_me ? STATS_BYTES_SENT : STATS_BYTES_RECEIVED] += (guint64)MAX(size, 0);
    month->n[(from_me ? STATS_SENT_AT : STATS_RECEIVED_AT) + hour]++;
    gboolean answers_me = parent & 1;
    gint64 waited = date - parent / 2;
    if (parent > 0 && from_me != answers_me && waited >= 0)
        month->n[(from_me ? STATS_MY_ANSWERS : STATS_THEIR_ANSWERS) + delay_of(waited)]++;
}

static gboolean
count_month(struct store *store, gint64 from, gint64 to, struct stats_month *month, GError **error)
{
    memset(month->n, 0, sizeof month->n);
    /* The message that it answers: its date times two, plus one when it is from me. */
    sqlite3_stmt *q =
        sql_query(store, error,
                  "SELECT m.date, m.size, (m.bits & ?3) <> 0,"
                  " (SELECT p.date * 2 + ((p.bits & ?3) <> 0) FROM message p INDEXED BY message_mid"
                  "  WHERE p.mid = mid_of(r.in_reply_to) AND p.date > 0 LIMIT 1)"
                  " FROM message m INDEXED BY message_key LEFT JOIN reference r ON r.message = m.id"
                  " WHERE m.key >= ?1 AND m.key < ?2 AND m.shown > 0 AND (m.places & ~?4) <> 0",
                  "llii", from, to, MESSAGE_FROM_ME, 1 << FOLDER_JUNK);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        add_message(month, sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1), sqlite3_column_int(q, 2),
                    sqlite3_column_int64(q, 3));
    return rc >= 0;
}

static gboolean
read_kept(struct store *store, const struct footprint *footprint, struct stats_month *month)
{
    g_autoptr(GError) error = NULL;
    sqlite3_stmt *q = sql_query(store, &error, "SELECT figures FROM stats_month WHERE month = ? AND count = ? AND keys = ?",
                                "ill", month->year * 12 + month->month - 1, footprint->count, footprint->keys);
    gboolean found = FALSE;
    if (q && sql_row(store, q, &error) > 0) {
        const guint64 *kept = sqlite3_column_blob(q, 0);
        found = kept && (gsize)sqlite3_column_bytes(q, 0) == sizeof month->n;
        for (guint i = 0; found && i < STATS_FIGURES; i++) {
            guint64 value;
            memcpy(&value, kept + i, sizeof value);
            month->n[i] = GUINT64_FROM_LE(value);
        }
        sql_end(q);
    }
    return found;
}

/* What is being put together, and what is to be kept of it: written in one transaction at the end. */
struct making {
    struct store *store;
    struct stats *stats;
    gint64 changed, since;  /* the last change of a message now, and when figures were kept last */
    GHashTable *spoilt;     /* months with messages that were touched since */
    GArray *fresh;          /* of struct fresh */
    GArray *weights;        /* of struct weight */
};
struct fresh {
    struct footprint footprint;
    struct stats_month month;
};
struct weight {
    gint64 folder, count, keys, bytes;
};

static gboolean
find_changed(struct making *making, GError **error)
{
    struct store *store = making->store;
    g_autofree char *kept = store_get(store, "stats.changed");
    making->since = kept ? g_ascii_strtoll(kept, NULL, 10) : 0;
    making->changed = sql_int(store, 0, "SELECT max(changed) FROM message", "");
    if (!kept || making->changed == making->since)
        return TRUE;
    sqlite3_stmt *q = sql_query(store, error, "SELECT DISTINCT key / ?2 FROM message INDEXED BY message_changed WHERE changed > ?1",
                                "ll", making->since, (gint64)MESSAGE_KEYS_A_SECOND * 86400);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        for (int end = 0; end < 2; end++) { /* days of Greenwich touch two of ours */
            int year, month;
            month_of((sqlite3_column_int64(q, 0) + end) * 86400 - end, &year, &month);
            g_hash_table_add(making->spoilt, GINT_TO_POINTER(year * 12 + month - 1));
        }
    return rc >= 0;
}

static gboolean
keep_month(struct store *store, const struct fresh *fresh, GError **error)
{
    guint64 figures[STATS_FIGURES];
    for (guint i = 0; i < STATS_FIGURES; i++)
        figures[i] = GUINT64_TO_LE(fresh->month.n[i]);
    return sql_run(store, error, "INSERT OR REPLACE INTO stats_month (month, count, keys, figures) VALUES (?, ?, ?, ?)", "illb",
                   fresh->month.year * 12 + fresh->month.month - 1, fresh->footprint.count, fresh->footprint.keys,
                   (const char *)figures, sizeof figures);
}

static gboolean
keep(struct making *making, GError **error)
{
    struct store *store = making->store;
    g_autofree char *mark = g_strdup_printf("%" G_GINT64_FORMAT, making->changed);
    gboolean own, ok = TRUE;
    GHashTableIter iter;
    gpointer month;
    if (!store_is_writable(store) || (making->changed == making->since && !making->fresh->len && !making->weights->len))
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    g_hash_table_iter_init(&iter, making->spoilt);
    while (ok && g_hash_table_iter_next(&iter, &month, NULL))
        ok = sql_run(store, error, "DELETE FROM stats_month WHERE month = ?", "i", GPOINTER_TO_INT(month));
    for (guint i = 0; ok && i < making->fresh->len; i++)
        ok = keep_month(store, &g_array_index(making->fresh, struct fresh, i), error);
    for (guint i = 0; ok && i < making->weights->len; i++) {
        const struct weight *weight = &g_array_index(making->weights, struct weight, i);
        ok = sql_run(store, error, "INSERT OR REPLACE INTO stats_folder (folder, count, keys, bytes) VALUES (?, ?, ?, ?)", "llll",
                     weight->folder, weight->count, weight->keys, weight->bytes);
    }
    return txn_leave(store, own, ok && store_set(store, "stats.changed", mark, error), error);
}

static gboolean
load_month(struct making *making, struct stats_month *month, GError **error)
{
    gint64 from = begin_of(month->year, month->month) * MESSAGE_KEYS_A_SECOND,
           to = begin_of(month->year, month->month + 1) * MESSAGE_KEYS_A_SECOND;
    struct fresh fresh = {.month = *month};
    if (!read_footprint(making->store, from, to, &fresh.footprint, error))
        return FALSE;
    if (!fresh.footprint.count)
        return TRUE;
    gboolean spoilt = g_hash_table_contains(making->spoilt, GINT_TO_POINTER(month->year * 12 + month->month - 1));
    if (!spoilt && read_kept(making->store, &fresh.footprint, month))
        return TRUE;
    if (!count_month(making->store, from, to, month, error))
        return FALSE;
    fresh.month = *month;
    g_array_append_val(making->fresh, fresh);
    return TRUE;
}

static gboolean
load_months(struct making *making, gint64 now, guint months, GError **error)
{
    struct stats *stats = making->stats;
    int year, month, first_year, first_month;
    month_of(now, &year, &month);
    gint64 oldest = sql_int(making->store, 0, "SELECT min(key) FROM message", "");
    if (!oldest)
        return TRUE;
    month_of(oldest / MESSAGE_KEYS_A_SECOND, &first_year, &first_month);
    int last = year * 12 + month - 1, first = first_year * 12 + first_month - 1;
    if (months && last - (int)months + 1 > first)
        first = last - (int)months + 1;
    for (int i = first; i <= last; i++) {
        struct stats_month one = {.year = i / 12, .month = i % 12 + 1};
        if (!load_month(making, &one, error))
            return FALSE;
        g_array_append_val(stats->months, one);
        for (guint k = 0; k < STATS_FIGURES; k++)
            stats->sum.n[k] += one.n[k];
    }
    return TRUE;
}

/* ---- people and folders ---- */

static gboolean
load_people(struct store *store, struct stats *stats, guint people, GError **error)
{
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT name, addr, received, sent FROM contact WHERE received + sent > 0"
                                " ORDER BY received + sent DESC, sent DESC, addr LIMIT ?",
                                "i", people);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct stats_person *person = g_new0(struct stats_person, 1);
        person->name = sql_dup(q, 0);
        person->addr = sql_dup(q, 1);
        person->received = (guint)sqlite3_column_int(q, 2);
        person->sent = (guint)sqlite3_column_int(q, 3);
        g_ptr_array_add(stats->people, person);
    }
    return rc >= 0;
}

static int
largest_first(gconstpointer a, gconstpointer b)
{
    const struct stats_folder *x = *(struct stats_folder *const *)a, *y = *(struct stats_folder *const *)b;
    return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : g_strcmp0(x->name, y->name);
}

/* The bytes of a folder, kept as long as the same messages lie in it. */
static gboolean
weigh(struct making *making, gint64 folder, struct stats_folder *out, GError **error)
{
    struct store *store = making->store;
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT count(*), total(key) FROM placement INDEXED BY placement_key WHERE folder = ? AND " SHOWN,
                                "l", folder);
    if (!q || sql_row(store, q, error) <= 0)
        return FALSE;
    gint64 count = sqlite3_column_int64(q, 0), keys = (gint64)sqlite3_column_double(q, 1);
    sql_end(q);
    out->count = (guint64)count;
    gint64 bytes = sql_int(store, -1, "SELECT bytes FROM stats_folder WHERE folder = ? AND count = ? AND keys = ?", "lll", folder,
                           count, keys);
    if (bytes < 0) {
        q = sql_query(store, error,
                      "SELECT sum(m.size) FROM placement p INDEXED BY placement_key CROSS JOIN message m ON m.id = p.message"
                      " WHERE p.folder = ? AND p." SHOWN,
                      "l", folder);
        if (!q || sql_row(store, q, error) <= 0)
            return FALSE;
        bytes = sqlite3_column_int64(q, 0);
        sql_end(q);
        struct weight weight = {folder, count, keys, bytes};
        g_array_append_val(making->weights, weight);
    }
    out->bytes = (guint64)bytes;
    return TRUE;
}

static gboolean
load_folders(struct making *making, GError **error)
{
    g_autoptr(GPtrArray) folders = folder_list(making->store, 0, FALSE, error);
    for (guint i = 0; folders && i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        struct stats_folder *one = g_new0(struct stats_folder, 1);
        one->account = g_strdup(folder->account_name);
        one->name = g_strdup(folder->name);
        g_ptr_array_add(making->stats->folders, one);
        if (!weigh(making, folder->id, one, error))
            return FALSE;
    }
    g_ptr_array_sort(making->stats->folders, largest_first);
    return folders != NULL;
}

struct stats *
stats_load(struct store *store, gint64 now, guint months, guint people, GError **error)
{
    g_autoptr(struct_stats) stats = g_new0(struct stats, 1);
    stats->months = g_array_new(FALSE, FALSE, sizeof(struct stats_month));
    stats->people = g_ptr_array_new_with_free_func(person_free);
    stats->folders = g_ptr_array_new_with_free_func(stats_folder_free);
    struct making making = {.store = store,
                            .stats = stats,
                            .spoilt = g_hash_table_new(NULL, NULL),
                            .fresh = g_array_new(FALSE, FALSE, sizeof(struct fresh)),
                            .weights = g_array_new(FALSE, FALSE, sizeof(struct weight))};
    gboolean ok = find_changed(&making, error) && load_months(&making, now, months, error) &&
                  load_people(store, stats, people, error) && load_folders(&making, error) && keep(&making, error);
    g_hash_table_unref(making.spoilt);
    g_array_unref(making.fresh);
    g_array_unref(making.weights);
    return ok ? g_steal_pointer(&stats) : NULL;
}
