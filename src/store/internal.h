/* internal.h - for src/store alone: the connection, prepared statements, and joining transactions */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "base/error.h"
#include "store/store.h"

#include <sqlite3.h>

#define SHOWN "state <> 1" /* placement.state: everything but PLACEMENT_LEAVING */

/* Bodies that are here, have not been read and are not known to wait for that (texts.h): they wait now. */
#define TEXTS_MISSED                                                                                         \
    "INSERT OR IGNORE INTO textless (account, key, message) SELECT f.account, m.key, m.id FROM message m"     \
    " CROSS JOIN placement p ON p.message = m.id CROSS JOIN folder f ON f.id = p.folder"                      \
    " WHERE m.cached = 1 AND m.bits & 160 = 0 AND p.file IS NOT NULL"

struct store {
    sqlite3 *db;
    char *dir, *mail_dir;
    gboolean writable;
    gboolean in_transaction, in_snapshot;
    gint64 renaming;                    /* folder (renaming.h), or 0 */
    gint64 sequence;                    /* of this transaction, 0 before its first change */
    gint64 group;                       /* the journal entry that all intents belong to now; 0: each has its own */
    gboolean group_own;                 /* its transaction is the group's */
    GPtrArray *on_commit, *on_rollback; /* files to unlink then */
    GHashTable *to_flush;               /* directories whose names must be durable before the commit */
    GHashTable *tagged;                 /* messages for taglog.h, NULL: none */
    GString *tag_lines;                 /* other lines for it, NULL: none */
    gint64 tag_log_size;                /* of the log before this transaction's lines; -1: none */
    struct witness *witness;            /* witness.h, or NULL */
    gboolean remembers;                 /* tag_memory is not empty */
    GHashTable *statements;             /* SQL text -> sqlite3_stmt */
    GHashTable *own; /* own addresses, read when first asked and again after foreign commits */
    guint64 own_at;  /* change count that `own` belongs to */
    char *unread_of; /* folders whose unread mail was counted last, when, and how much it was: a screen asks thrice */
    guint64 unread_at;
    gint64 unread;
    char *count_of; /* likewise rows, of folders in this state (list_folders.c) */
    gint64 count;
    guint64 changes; /* store_change_count */
    gint64 data_version, total_changes;
};

/* --- statements: prepared once, found again by their text. Formats: i int or guint, l gint64, s string or
 * NULL, b bytes and gsize, each `?` in order. */

/* Sets *error from the connection's last failure. */
void sql_error(struct store *store, int rc, GError **error);
/* Runs to the end. */
gboolean sql_run(struct store *store, GError **error, const char *text, const char *format, ...);
/* Begins a query; then `while ((rc = sql_row(…)) > 0)`. NULL: *error is set. */
sqlite3_stmt *sql_query(struct store *store, GError **error, const char *text, const char *format, ...);
/* 1: a row; 0: no more, the statement is reset; -1: *error is set, likewise reset. */
int sql_row(struct store *store, sqlite3_stmt *statement, GError **error);
/* Leaves a query before its end. */
void sql_end(sqlite3_stmt *statement);
/* The first column of the first row, `missing` when there is none (a failure is logged). */
gint64 sql_int(struct store *store, gint64 missing, const char *text, const char *format, ...);
char *sql_text(struct store *store, const char *text, const char *format, ...); /* NULL when there is none */
char *sql_dup(sqlite3_stmt *statement, int column);                             /* NULL for NULL */
const char *sql_str(sqlite3_stmt *statement, int column);                       /* "" for NULL, borrowed */
/* known.c: the SQL functions owner_of(address) and looks_of(text). */
gboolean known_functions(struct store *store, GError **error);
/* Several statements, without parameters. */
gboolean sql_script(struct store *store, const char *text, GError **error);

/* --- transactions of functions that may be called inside one */
gboolean txn_enter(struct store *store, gboolean *own, GError **error);
/* ok: commit what is ours; else roll back what is ours. Returns whether all went well. */
gboolean txn_leave(struct store *store, gboolean own, gboolean ok, GError **error);
/* The same for a view of one moment; many queries in one cost the locks of one, too. */
gboolean snapshot_enter(struct store *store, gboolean *own, GError **error);
void snapshot_leave(struct store *store, gboolean own);
/* A file must outlive the rows that name it: it goes after the commit; one made for new rows goes when they
 * do not come. */
void txn_unlink_on_commit(struct store *store, const char *path);
void txn_unlink_on_rollback(struct store *store, const char *path);
void txn_flush_before_commit(struct store *store, const char *dir);
/* This transaction's number (changes.h); 0 with an error. */
gint64 txn_sequence(struct store *store, GError **error);

/* --- store.c: a descriptor to be closed, -1 with an error; only `dir` is looked at */
int store_lock(struct store *store, GError **error);

/* --- schema.c, tokenizer.c */
int schema_version(void); /* of a store as this program makes it */
gboolean schema_migrate(struct store *store, GError **error);
gboolean tokenizer_register(sqlite3 *db, GError **error);

#endif
