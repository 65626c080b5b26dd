/* store.h - the store: one SQLite database and the Maildirs beside it, where everything meets
 *
 * A `struct store` is one connection and belongs to one thread at a time; every thread and process opens its
 * own. Readers use WAL snapshots and never wait for a writer. A writer prepares everything first, then holds
 * the lock for milliseconds.
 *
 * Every function of src/store that changes something is one transaction by itself, or part of the one that
 * the caller opened with store_begin(). When such a function fails inside a caller's transaction the caller
 * must roll back. Ids, keys and sequence numbers are gint64 and greater than 0; 0 means "none". Strings are
 * UTF-8 and unsafe for a terminal. Commands and the screen open with STORE_READ until they change something
 * (D9).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <glib.h>

#define STORE_ERROR (store_error_quark())
GQuark store_error_quark(void);

struct store;

enum store_mode {
    STORE_READ = 0,
    STORE_WRITE = 1 << 0,
    STORE_NETWORK_FS = 1 << 1 /* the user insists: a database on another machine (D14) */
};

/* Opens the store in `dir` (NULL: paths_data_dir()). STORE_WRITE makes it when it is not there and brings an
 * older schema forward, in one transaction. STORE_READ of a store that is not there is ERROR_NOINPUT. A newer
 * schema is ERROR_CONFIG, a damaged database ERROR_GIVEUP (its text says what to do), a network file system
 * ERROR_CONFIG, a locked one ERROR_BUSY.
 */
struct store *store_open(const char *dir, enum store_mode mode, GError **error);
void store_close(struct store *store); /* an open transaction is rolled back; NULL is allowed */
typedef struct store struct_store;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_store, store_close)

const char *store_dir(const struct store *store);      /* borrowed */
const char *store_mail_dir(const struct store *store); /* DIR/mail, borrowed */
gboolean store_is_writable(const struct store *store);

/* Transactions do not nest. begin waits up to 10 s for another writer (ERROR_BUSY). rollback never fails.
 * Keep the time between them short and do no file or network work inside. */
gboolean store_begin(struct store *store, GError **error);
gboolean store_commit(struct store *store, GError **error);
void store_rollback(struct store *store);
gboolean store_in_transaction(const struct store *store);

/* Between these two a commit does not wait for the disk: a power failure may take back the last ones, never a part of one,
 * and never one from before a commit that waited; end waits for all of them. For rows that the next pass would make again
 * (envelopes, the bodies of files that are durable). Not inside a transaction; pairs do not nest. */
void store_relax_begin(struct store *store);
gboolean store_relax_end(struct store *store, GError **error);

/* One consistent view over several reads (a screen page, a planner's input). Cheap; keep it below a second.
 */
gboolean store_snapshot_begin(struct store *store, GError **error);
void store_snapshot_end(struct store *store);

/* A number that changes when anybody, in any process, has committed since the last call that saw another
 * number. Two microseconds: may be asked on each turn of a main loop. */
guint64 store_change_count(struct store *store);

/* From another thread: makes the running query fail with ERROR_CANCELLED. */
void store_interrupt(struct store *store);

/* Is the database sound (integrity_check), and do the counters agree with the rows? Problems as sentences;
 * empty: all is well. NULL with an error when it cannot be read at all. */
GPtrArray *store_check(struct store *store, GError **error);
/* Recomputes what is derived (counters, conversations of folders, message summaries) from the placements. */
gboolean store_repair(struct store *store, GError **error);
/* For a database that is damaged: puts it aside, with its log, and makes a new one, which fills itself with the next
 * pass; the mail files stay, and the tags come back (taglog.h). Accounts, settings, contacts, drafts and the queue are taken
 * over as far as they can be read; what waited in the queue is held, and `*unread` messages of it whose rows were lost lie
 * in the same place. No program may have the store open. *aside: where, for g_free(). */
gboolean store_rebuild(const char *dir, char **aside, guint *unread, GError **error);
/* Forgets removed mail older than 30 days, prunes logs, merges the full text. Does nothing when that was done within a
 * day: the engine calls it after each pass. */
gboolean store_housekeeping(struct store *store, GError **error);

/* Small settings of the program itself (window layout, last folder). NULL when not set; value NULL forgets
 * it. */
char *store_get(struct store *store, const char *key);
gboolean store_set(struct store *store, const char *key, const char *value, GError **error);

#endif
