#include "config.h"

#include "store/witness.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/scan.h"
#include "base/fail.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define PLACES_MAX 500  /* two watches each, of the 8192 that an old kernel gives a user */
#define NAMES_MAX 20000 /* of a folder; a scan costs no more than to compare so many */
#define TICK_MS_MAX 20

#define EVENTS                                                                                               \
    (IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |      \
     IN_DONT_FOLLOW)

struct place {
    gint64 folder;
    char *dir;
    int cur, new; /* watch descriptors */
    gboolean agrees;
    guint64 events;
    GHashTable *names; /* those that came or went -> whether they came last */
};

struct witness {
    int fd;
    GHashTable *places; /* folder -> struct place */
    GHashTable *by_wd;  /* wd -> struct place, borrowed */
};

static void
place_free(gpointer data)
{
    struct place *place = data;
    g_hash_table_unref(place->names);
    g_free(place->dir);
    g_free(place);
}

void
witness_free(struct witness *witness)
{
    if (!witness)
        return;
    close(witness->fd);
    g_hash_table_unref(witness->by_wd);
    g_hash_table_unref(witness->places);
    g_free(witness);
}

/* What the rows say of names is written down as they change, in the same transaction. */
static const char triggers[] =
    "CREATE TEMP TABLE witnessed (folder INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE witnessed_file (folder INTEGER NOT NULL, file TEXT NOT NULL, there INTEGER NOT NULL,"
    " PRIMARY KEY (folder, file)) WITHOUT ROWID;"
    "CREATE TEMP TRIGGER witness_insert AFTER INSERT ON main.placement WHEN new.file IS NOT NULL BEGIN"
    " INSERT OR REPLACE INTO witnessed_file SELECT folder, new.file, 1 FROM witnessed WHERE folder = new.folder; END;"
    "CREATE TEMP TRIGGER witness_delete AFTER DELETE ON main.placement WHEN old.file IS NOT NULL BEGIN"
    " INSERT OR REPLACE INTO witnessed_file SELECT folder, old.file, 0 FROM witnessed WHERE folder = old.folder; END;"
    "CREATE TEMP TRIGGER witness_update AFTER UPDATE OF folder, file ON main.placement BEGIN"
    " INSERT OR REPLACE INTO witnessed_file SELECT folder, old.file, 0 FROM witnessed"
    " WHERE folder = old.folder AND old.file IS NOT NULL;"
    " INSERT OR REPLACE INTO witnessed_file SELECT folder, new.file, 1 FROM witnessed"
    " WHERE folder = new.folder AND new.file IS NOT NULL; END;";

/* File systems whose times are those of the kernel's clock, and that change by nobody's hand but this kernel's. */
static gboolean
tells_all(const char *dir)
{
    static const guint32 kinds[] = {
        0xEF53 /* ext4 */, 0x58465342 /* XFS */, 0x9123683E /* Btrfs */, 0xF2F52010 /* F2FS */, 0x01021994 /* tmpfs */,
    };
    struct statfs fs;
    if (STEP_FAILS("store.witness") || statfs(dir, &fs) < 0)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if ((guint32)fs.f_type == kinds[i])
            return TRUE;
    return FALSE;
}

static struct witness *
get_witness(struct store *store)
{
    if (store->witness || !store->writable || !tells_all(store->mail_dir))
        return store->witness;
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (!sql_script(store, triggers, NULL)) {
        close(fd);
        return NULL;
    }
    store->witness = g_new0(struct witness, 1);
    store->witness->fd = fd;
    store->witness->places = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, place_free);
    store->witness->by_wd = g_hash_table_new(NULL, NULL);
    return store->witness;
}

static struct place *
find_place(const struct store *store, gint64 folder)
{
    return store->witness ? g_hash_table_lookup(store->witness->places, &folder) : NULL;
}

static void
drop_place(struct store *store, struct place *place)
{
    int watches[] = {place->cur, place->new};
    for (guint i = 0; i < G_N_ELEMENTS(watches); i++)
        if (watches[i] >= 0) {
            g_hash_table_remove(store->witness->by_wd, GINT_TO_POINTER(watches[i]));
            inotify_rm_watch(store->witness->fd, watches[i]);
        }
    sql_run(store, NULL, "DELETE FROM temp.witnessed WHERE folder = ?", "l", place->folder);
    sql_run(store, NULL, "DELETE FROM temp.witnessed_file WHERE folder = ?", "l", place->folder);
    g_hash_table_remove(store->witness->places, &place->folder);
}

static int
watch(struct witness *witness, const char *dir, const char *part, struct place *place)
{
    g_autofree char *path = g_build_filename(dir, part, NULL);
    int wd = inotify_add_watch(witness->fd, path, EVENTS);
    if (wd >= 0)
        g_hash_table_insert(witness->by_wd, GINT_TO_POINTER(wd), place);
    return wd;
}

static void
add_place(struct store *store, gint64 folder, const char *dir)
{
    struct witness *witness = get_witness(store);
    if (!witness || g_hash_table_size(witness->places) >= PLACES_MAX)
        return;
    struct place *place = g_new0(struct place, 1);
    place->folder = folder;
    place->dir = g_strdup(dir);
    place->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_insert(witness->places, &place->folder, place);
    place->cur = watch(witness, dir, "cur", place);
    place->new = watch(witness, dir, "new", place);
    if (place->cur < 0 || place->new < 0 || place->cur == place->new ||
        !sql_run(store, NULL, "INSERT OR REPLACE INTO temp.witnessed VALUES (?)", "l", folder))
        drop_place(store, place);
}

/* ---- what happens ---- */

/* It is known no more what happened there. */
static void
lose(struct place *place)
{
    place->agrees = FALSE;
    place->events++;
    g_hash_table_remove_all(place->names);
}

static void
take_event(struct witness *witness, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        GHashTableIter iter;
        gpointer place;
        g_hash_table_iter_init(&iter, witness->places);
        while (g_hash_table_iter_next(&iter, NULL, &place))
            lose(place);
        return;
    }
    struct place *place = g_hash_table_lookup(witness->by_wd, GINT_TO_POINTER(event->wd));
    if (!place)
        return;
    place->events++;
    if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED) ||
        g_hash_table_size(place->names) >= NAMES_MAX)
        lose(place);
    else if (event->len && *event->name != '.')
        g_hash_table_insert(place->names, g_strdup(event->name),
                            GINT_TO_POINTER((event->mask & (IN_MOVED_TO | IN_CREATE)) != 0));
}

void
witness_look(struct store *store)
{
    _Alignas(struct inotify_event) char buffer[32 * 1024];
    gssize n;
    if (!store->witness || !g_hash_table_size(store->witness->places))
        return;
    while ((n = read(store->witness->fd, buffer, sizeof buffer)) > 0)
        for (gssize at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(buffer + at);
            take_event(store->witness, event);
            at += (gssize)(sizeof *event + event->len);
        }
}

/* ---- the end ---- */

static gint64
mtime_ns(const char *dir, const char *part)
{
    g_autofree char *path = g_build_filename(dir, part, NULL);
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + st.st_mtim.tv_nsec : 0;
}

static struct maildir_times
times_of(const char *dir)
{
    return (struct maildir_times){mtime_ns(dir, "cur"), mtime_ns(dir, "new")};
}

static gboolean
is_noted(struct store *store, gint64 folder, const struct maildir_times *times)
{
    return sql_int(store, 0, "SELECT scan_cur = ? AND scan_new = ? FROM folder WHERE id = ?", "lll", times->cur, times->new,
                   folder) != 0;
}

gboolean
witness_note(struct store *store, gint64 folder, const struct maildir_times *times, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = sql_run(store, error, "UPDATE folder SET scan_cur = ?, scan_new = ? WHERE id = ?", "lll", times->cur,
                          times->new, folder);
    return txn_leave(store, own, ok, error);
}

/* By what was told, else (a file that was taken in, and is older than the witness) by a look. */
static gboolean
is_there(const struct place *place, const char *file, guint *told)
{
    gpointer came;
    if (g_hash_table_lookup_extended(place->names, file, NULL, &came)) {
        ++*told;
        return GPOINTER_TO_INT(came);
    }
    g_autofree char *cur = g_build_filename(place->dir, "cur", file, NULL), *new = g_build_filename(place->dir, "new", file, NULL);
    return access(cur, F_OK) == 0 || access(new, F_OK) == 0;
}

/* Every name of which a row or the directory changed is there when a row has it, and only then. */
static gboolean
agrees_with_rows(struct store *store, const struct place *place)
{
    guint told = 0;
    gboolean agree = TRUE;
    sqlite3_stmt *q =
        sql_query(store, NULL, "SELECT file, there FROM temp.witnessed_file WHERE folder = ?", "l", place->folder);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, NULL)) > 0) {
        agree = is_there(place, sql_str(q, 0), &told) == (sqlite3_column_int(q, 1) != 0) && agree;
    }
    return rc == 0 && agree && told == g_hash_table_size(place->names);
}

/* Until another change gets another time. */
static gboolean
wait_for_tick(const struct maildir_times *times)
{
    for (int i = 0; i < TICK_MS_MAX; i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        if (now.tv_sec * G_GINT64_CONSTANT(1000000000) + now.tv_nsec > MAX(times->cur, times->new))
            return TRUE;
        g_usleep(1000);
    }
    return FALSE;
}

/* Who changes a directory holds its lock until the change is told (fs/namei.c). After we had the lock, all changes whose time
 * we saw have been told. */
static void
have_lock(const char *dir, const char *part)
{
    g_autofree char *path = g_build_filename(dir, part, NULL);
    DIR *stream = opendir(path);
    if (!stream)
        return;
    readdir(stream);
    closedir(stream);
}

static gboolean
is_coarse(const struct maildir_times *times)
{
    return times->cur % 1000000000 == 0 && times->new % 1000000000 == 0;
}

static gboolean
settle(struct store *store, struct place *place, GError **error)
{
    witness_look(store);
    guint64 events = place->events;
    struct maildir_times times = times_of(place->dir);
    if (!place->agrees || !times.cur || !times.new || is_coarse(&times) || is_noted(store, place->folder, &times) ||
        !agrees_with_rows(store, place) || !wait_for_tick(&times))
        return TRUE;
    have_lock(place->dir, "cur");
    have_lock(place->dir, "new");
    witness_look(store);
    struct maildir_times now = times_of(place->dir);
    if (place->events != events || now.cur != times.cur || now.new != times.new)
        return TRUE;
    log_debug("store.witness", "%s: %u names, all ours", place->dir, g_hash_table_size(place->names));
    STEP("store.witness-note");
    return witness_note(store, place->folder, &times, error);
}

gboolean
maildir_settle(struct store *store, GError **error)
{
    gboolean ok = TRUE;
    if (!store->witness)
        return TRUE;
    g_autoptr(GList) places = g_hash_table_get_values(store->witness->places);
    for (GList *at = places; at; at = at->next) {
        ok = ok && settle(store, at->data, error);
        drop_place(store, at->data);
    }
    return ok;
}

gboolean
witness_begin(struct store *store, gint64 folder, const char *dir, struct maildir_times *times)
{
    struct place *before = find_place(store, folder);
    if (before) { /* what happened since need not be looked through, if it was us */
        settle(store, before, NULL);
        drop_place(store, before);
    }
    add_place(store, folder, dir);
    *times = times_of(dir);
    gboolean noted = is_noted(store, folder, times);
    if (noted)
        witness_agrees(store, folder);
    return noted;
}

void
witness_agrees(struct store *store, gint64 folder)
{
    struct place *place = find_place(store, folder);
    if (place)
        place->agrees = TRUE;
}

void
maildir_expect(struct store *store, gint64 folder)
{
    g_autofree char *dir = find_place(store, folder) ? NULL : folder_path(store, folder, FALSE, NULL);
    struct maildir_times times;
    if (dir)
        witness_begin(store, folder, dir, &times);
}
