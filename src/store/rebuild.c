/* A database that is damaged is put aside, and what can be read of it taken over into a new one. */
#include "config.h"

#include "store/internal.h"
#include "store/maildir.h"
#include "store/maildir_write.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What no server and no mail file has. Each by itself: one that cannot be read costs no other. */
static const char *const kept[] = {
    "account", "setting", "contact", "contact_word", "autosave", "outbox", "outbox_recipient", "outbox_attempt",
};

static gboolean
put_aside(const char *dir, const char *aside, GError **error)
{
    static const char *const names[] = {"postrider.db", "postrider.db-wal", "postrider.db-shm"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *from = g_build_filename(dir, names[i], NULL), *to = g_build_filename(aside, names[i], NULL);
        if ((STEP_FAILS("rebuild.aside") || rename(from, to) < 0) && errno != ENOENT) {
            error_set_errno(error, STORE_ERROR, errno, "cannot put %s aside", from);
            return FALSE;
        }
    }
    if (maildir_sync_path(dir, O_DIRECTORY, fsync, "rebuild.fsync-dir"))
        return TRUE;
    error_set_errno(error, STORE_ERROR, errno, "cannot put the database in %s aside", dir);
    return FALSE;
}

static void
take_over(struct store *store, const char *aside)
{
    g_autofree char *path = g_build_filename(aside, "postrider.db", NULL);
    if (!sql_run(store, NULL, "ATTACH ? AS old", "s", path))
        return;
    if (sql_int(store, 0, "PRAGMA old.user_version", "") == schema_version())
        for (guint i = 0; i < G_N_ELEMENTS(kept); i++) {
            g_autofree char *copy =
                g_strdup_printf("INSERT OR IGNORE INTO main.%s SELECT * FROM old.%s%s", kept[i], kept[i],
                                strcmp(kept[i], "setting") ? "" : " WHERE name NOT IN ('tags-taken-in', 'housekeeping')");
            g_autoptr(GError) why = NULL;
            if (!store_begin(store, &why) || !sql_run(store, &why, copy, "") || !store_commit(store, &why)) {
                store_rollback(store);
                log_warn("store.rebuild", "%s was not taken over: %s", kept[i], why ? why->message : "");
            }
        }
    sql_run(store, NULL, "DETACH old", "");
}

/* Files of the queue that no row names any more. */
static guint
save_queue(struct store *store, const char *aside)
{
    g_autofree char *dir = g_build_filename(store->mail_dir, ".outbox", NULL), *to = g_build_filename(aside, "outbox", NULL);
    DIR *stream = opendir(dir);
    struct dirent *d;
    guint n = 0;
    while (stream && (d = readdir(stream))) {
        if (*d->d_name == '.' ||
            sql_int(store, 0, "SELECT 1 FROM outbox o WHERE file = ? AND EXISTS (SELECT 1 FROM outbox_recipient r WHERE"
                              " r.item = o.id)", "s", d->d_name))
            continue;
        g_autofree char *a = g_build_filename(dir, d->d_name, NULL), *b = g_build_filename(to, d->d_name, NULL);
        if (!paths_make_dir_durable(to, NULL) || link(a, b) < 0)
            log_warn("store.rebuild", "%s: %s", a, g_strerror(errno));
        else
            n++;
    }
    if (stream)
        closedir(stream);
    return n;
}

gboolean
store_rebuild(const char *dir, char **aside, guint *unread, GError **error)
{
    g_autofree char *own = dir ? g_strdup(dir) : paths_data_dir();
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *stamp = g_date_time_format(now, "damaged-%Y%m%d-%H%M%S"), *place = g_build_filename(own, stamp, NULL);
    /* Who opened it before is let finish; whoever comes next waits, and then finds the new one. */
    struct store lock_only = {.dir = own};
    int lock = store_lock(&lock_only, error);
    if (lock < 0)
        return FALSE;
    gboolean ok = paths_make_dir_durable(place, error) && put_aside(own, place, error);
    close(lock);
    g_autoptr(struct_store) store = ok ? store_open(own, STORE_WRITE | STORE_NETWORK_FS, error) : NULL;
    if (!store)
        return FALSE;
    take_over(store, place);
    /* What a damaged row says is looked at before it is sent. */
    if (!store_begin(store, error))
        return FALSE;
    if (!sql_run(store, error, "UPDATE outbox SET hold = 1 WHERE state IN (1, 2, 4)", "") || !store_commit(store, error)) {
        store_rollback(store);
        return FALSE;
    }
    *unread = save_queue(store, place);
    *aside = g_steal_pointer(&place);
    return TRUE;
}
