#include "config.h"

#include "store/renaming.h"

#include "base/error.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/rows.h"
#include "store/scan.h"

#include <string.h>
#include <unistd.h>

char *
placement_row_rename(const char *dir, const struct placement_row *row, guint flags)
{
    g_autoptr(GError) failure = NULL;
    char *name = NULL;
    if (!maildir_rename_flags(dir, row->file, flags, &name, &failure) && failure->code != ERROR_STALE)
        log_warn("store.apply", "%s", failure->message);
    return name;
}

/* ---- in the transaction */

void
naming_begin(struct store *store, struct naming *naming, gint64 sent)
{
    naming->folder = store->renaming;
    if (sent && !store_in_transaction(store)) {
        naming->flush = TRUE;
        naming->folder = sql_int(store, 0, "SELECT folder FROM placement WHERE id = ?", "l", sent);
        if (naming->folder)
            maildir_expect(store, naming->folder);
    }
    naming->dir = naming->folder ? folder_path(store, naming->folder, FALSE, NULL) : NULL;
}

void
naming_clear(struct naming *naming)
{
    g_clear_pointer(&naming->dir, g_free);
}

gboolean
naming_show(struct store *store, const struct naming *naming, struct placement_row *row, guint flags)
{
    if (!naming->dir || row->folder != naming->folder || row->state == PLACEMENT_LEAVING || !row->file ||
        maildir_name_flags(row->file) == flags)
        return FALSE;
    char *name = placement_row_rename(naming->dir, row, flags);
    if (!name)
        return FALSE;
    g_free(row->file);
    row->file = name;
    /* A name that a power cut takes back would look like another program's change of flags. */
    if (naming->flush)
        txn_flush_before_commit(store, naming->dir);
    return TRUE;
}

/* ---- the note */

static gboolean
note(struct store *store, gint64 folder, const struct placement_flags *rows, guint n, GError **error)
{
    gboolean ok = TRUE;
    if (!store_begin(store, error))
        return FALSE;
    for (guint i = 0; ok && i < n; i++)
        ok = sql_run(store, error, "INSERT OR REPLACE INTO renaming (placement, folder, flags) VALUES (?, ?, ?)", "lli",
                     rows[i].placement, folder, rows[i].flags);
    return txn_leave(store, TRUE, ok, error);
}

static gboolean
forget(struct store *store, gint64 folder, GError **error)
{
    gboolean own;
    return txn_enter(store, &own, error) &&
           txn_leave(store, own, sql_run(store, error, "DELETE FROM renaming WHERE folder = ?", "l", folder), error);
}

gboolean
renaming_begin(struct store *store, gint64 folder, const struct placement_flags *rows, guint n, GError **error)
{
    g_return_val_if_fail(!store_in_transaction(store) && !store->renaming, FALSE);
    maildir_expect(store, folder);
    if (!note(store, folder, rows, n, error))
        return FALSE;
    STEP("store.renaming");
    store_relax_begin(store);
    store->renaming = folder;
    return TRUE;
}

/* The names first, then the note's end, then the rows and that end together: the log keeps their order. */
static gboolean
flush(struct store *store, gint64 folder, GError **error)
{
    g_autofree char *dir = folder_path(store, folder, FALSE, error);
    if (!dir || !maildir_flush(dir, error))
        return FALSE;
    STEP("store.renamed");
    return forget(store, folder, error);
}

gboolean
renaming_end(struct store *store, gboolean ok, GError **error)
{
    gint64 folder = store->renaming;
    store->renaming = 0;
    ok = ok && flush(store, folder, error);
    return store_relax_end(store, ok ? error : NULL) && ok;
}

/* ---- after a death in between */

struct noted {
    gint64 placement;
    guint flags;
};

static GArray *
read_noted(struct store *store, gint64 folder, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct noted));
    sqlite3_stmt *q = sql_query(store, error, "SELECT placement, flags FROM renaming WHERE folder = ?", "l", folder);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct noted noted = {sqlite3_column_int64(q, 0), (guint)sqlite3_column_int(q, 1)};
        g_array_append_val(list, noted);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

static gboolean
is_there(const char *dir, const char *file)
{
    g_autofree char *path = g_build_filename(dir, "cur", file, NULL);
    return access(path, F_OK) == 0;
}

/* The name that we gave the file, if it has that: what the server said merged with what was wanted then, which is what is
 * wanted now, or what the name before said. */
static char *
name_given(const char *dir, const struct placement_row *row, guint theirs)
{
    guint wanted[] = {row->flags, maildir_name_flags(row->file)};
    g_autofree char *unique = maildir_unique(row->file);
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autofree char *name = maildir_name(unique, flags_merge(row->base_flags, theirs, wanted[i]));
        if (strcmp(name, row->file) && is_there(dir, name))
            return g_steal_pointer(&name);
    }
    return NULL;
}

/* The row gets the name, and keeps its flags: nobody but us has changed anything. */
static gboolean
take(struct store *store, const char *dir, const struct noted *noted, GError **error)
{
    g_auto(struct_placement_row) row = {0};
    if (!placement_row_read(store, noted->placement, &row, NULL) || !row.file || is_there(dir, row.file))
        return TRUE;
    g_autofree char *name = name_given(dir, &row, noted->flags);
    return !name || (placement_row_set_file(store, row.id, name, row.flags, error) &&
                     message_touch(store, row.message, error));
}

gboolean
renaming_recover(struct store *store, gint64 folder, GError **error)
{
    if (!sql_int(store, 0, "SELECT 1 FROM renaming WHERE folder = ? LIMIT 1", "l", folder))
        return TRUE;
    g_autoptr(GArray) list = read_noted(store, folder, error);
    g_autofree char *dir = list ? folder_path(store, folder, FALSE, error) : NULL;
    gboolean ok = TRUE;
    if (!dir || !store_begin(store, error))
        return FALSE;
    log_info("store.renaming", "%s: %u names may be ahead of their rows", dir, list->len);
    for (guint i = 0; ok && i < list->len; i++)
        ok = take(store, dir, &g_array_index(list, struct noted, i), error);
    txn_flush_before_commit(store, dir);
    return txn_leave(store, TRUE, ok && forget(store, folder, error), error);
}
