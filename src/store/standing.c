#include "config.h"

#include "store/standing.h"
#include "base/i18n.h"
#include "store/intent.h"
#include "store/internal.h"

static void
pending_free(gpointer data)
{
    struct pending *pending = data;
    g_free(pending->error);
    g_free(pending);
}

static struct pending *
pending_at(GHashTable *all, gint64 folder)
{
    struct pending *pending = g_hash_table_lookup(all, &folder);
    if (!pending) {
        pending = g_new0(struct pending, 1);
        g_hash_table_insert(all, g_memdup2(&folder, sizeof folder), pending);
    }
    return pending;
}

/* Where an intent is shown, and what it counts as. */
static void
add_intents(GHashTable *all, int kind, gint64 source, gint64 target, gint64 folder, guint n, guint failed, char *error)
{
    gint64 at = kind >= INTENT_FOLDER_CREATE ? folder : kind == INTENT_APPEND ? target : source;
    struct pending *pending = pending_at(all, at);
    guint *counts[INTENT_KINDS] = {
        [INTENT_MOVE] = &pending->moves,       [INTENT_COPY] = &pending->copies,
        [INTENT_APPEND] = &pending->uploads,   [INTENT_EXPUNGE] = &pending->deletions,
        [INTENT_FOLDER_CREATE] = &pending->folder, [INTENT_FOLDER_RENAME] = &pending->folder,
        [INTENT_FOLDER_DELETE] = &pending->folder, [INTENT_FOLDER_SUBSCRIBE] = &pending->folder,
    };
    if (kind > 0 && kind < INTENT_KINDS)
        *counts[kind] += n;
    pending->failed += failed;
    if (error && !pending->error)
        pending->error = error;
    else
        g_free(error);
}

GHashTable *
pending_list(struct store *store, gint64 account, GError **error)
{
    g_autoptr(GHashTable) all = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, pending_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT p.folder, count(*) FROM placement p WHERE p.uid > 0 AND p." SHOWN
                                " AND (p.flags <> p.base_flags OR p.tags <> p.base_tags)"
                                " AND (?1 = 0 OR p.folder IN (SELECT id FROM folder WHERE account = ?1)) GROUP BY p.folder",
                                "l", account);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        pending_at(all, sqlite3_column_int64(q, 0))->marks = (guint)sqlite3_column_int(q, 1);
    if (rc < 0)
        return NULL;
    q = sql_query(store, error,
                  "SELECT kind, source_folder, target_folder, folder, count(*), count(error), max(error) FROM intent"
                  " WHERE ?1 = 0 OR account = ?1 GROUP BY 1, 2, 3, 4",
                  "l", account);
    rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        add_intents(all, sqlite3_column_int(q, 0), sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 2),
                    sqlite3_column_int64(q, 3), (guint)sqlite3_column_int(q, 4), (guint)sqlite3_column_int(q, 5),
                    sql_dup(q, 6));
    return rc < 0 ? NULL : g_steal_pointer(&all);
}

guint
pending_count(const struct pending *pending)
{
    return pending ? pending->marks + pending->moves + pending->copies + pending->uploads + pending->deletions +
                         pending->folder
                   : 0;
}

static void
say(GString *out, guint n, const char *one, const char *many)
{
    if (n)
        g_string_append_printf(out, "%s%u %s", out->len ? ", " : "", n, P_(one, many, n));
}

char *
pending_to_string(const struct pending *pending)
{
    GString *out = g_string_new(NULL);
    if (pending) {
        say(out, pending->marks, N_("mark"), N_("marks"));
        say(out, pending->moves, N_("move"), N_("moves"));
        say(out, pending->copies, N_("copy"), N_("copies"));
        say(out, pending->uploads, N_("upload"), N_("uploads"));
        say(out, pending->deletions, N_("deletion"), N_("deletions"));
        say(out, pending->folder, N_("change of the folder"), N_("changes of the folder"));
    }
    return g_string_free(out, FALSE);
}

enum standing
standing_of(const struct folder *folder, const struct keep *keep, const struct pending *pending)
{
    if (folder->bits & FOLDER_PAUSED)
        return STANDING_HELD;
    if (folder->bits & FOLDER_GONE)
        return STANDING_GONE;
    if (!folder->wire && folder->role != FOLDER_INBOX) /* a POP3 server's one folder has no name */
        return STANDING_LOCAL;
    if (!(folder->bits & FOLDER_SELECTABLE))
        return STANDING_LEVEL;
    if (!(folder->bits & FOLDER_SUBSCRIBED))
        return STANDING_UNSUBSCRIBED;
    if (keep && keep->what == KEEP_OFF)
        return STANDING_OFF;
    if (folder->notice || (pending && pending->failed))
        return STANDING_TROUBLE;
    if (!folder->synced)
        return STANDING_NEVER;
    return pending_count(pending) ? STANDING_WAITING : STANDING_IN_STEP;
}

static const struct {
    const char *name, *word;
    gboolean watched;
} standings[] = {
    [STANDING_IN_STEP] = {"in-step", N_("in step"), TRUE},
    [STANDING_WAITING] = {"waiting", N_("changes wait"), TRUE},
    [STANDING_NEVER] = {"never", N_("not read yet"), TRUE},
    [STANDING_LOCAL] = {"local", N_("only here"), FALSE},
    [STANDING_HELD] = {"held", N_("held back"), FALSE},
    [STANDING_TROUBLE] = {"trouble", N_("trouble"), TRUE},
    [STANDING_UNSUBSCRIBED] = {"unsubscribed", N_("not subscribed"), FALSE},
    [STANDING_OFF] = {"off", N_("left alone"), FALSE},
    [STANDING_LEVEL] = {"level", N_("no mail in it"), FALSE},
    [STANDING_GONE] = {"gone", N_("gone"), FALSE},
};

const char *
standing_name(enum standing standing)
{
    return standings[standing].name;
}

const char *
standing_word(enum standing standing)
{
    return _(standings[standing].word);
}

gboolean
standing_is_watched(enum standing standing)
{
    return standings[standing].watched;
}

gint64
standing_count_bare(struct store *store, gint64 folder, GError **error)
{
    sqlite3_stmt *q =
        sql_query(store, error, "SELECT count(*) FROM placement WHERE folder = ? AND file IS NULL AND " SHOWN, "l", folder);
    if (!q || sql_row(store, q, error) <= 0)
        return -1;
    gint64 count = sqlite3_column_int64(q, 0);
    sql_end(q);
    return count;
}

static char *
pause_key(gint64 account)
{
    return g_strdup_printf("sync.paused.%" G_GINT64_FORMAT, account);
}

gboolean
account_is_paused(struct store *store, gint64 account)
{
    g_autofree char *key = pause_key(account), *value = store_get(store, key);
    return value != NULL;
}

gboolean
account_set_paused(struct store *store, gint64 account, gboolean paused, GError **error)
{
    g_autofree char *key = pause_key(account);
    return store_set(store, key, paused ? "1" : NULL, error);
}
