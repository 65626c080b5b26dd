/* sync.h - one account brought in step with the store: passes, local changes out, bodies on demand, waiting for news
 *
 * These calls are what the lanes of a worker need of a protocol; the account's `incoming` says which one is behind them.
 * What follows is about IMAP. POP3 has one mailbox and no marks: a pass logs in, takes in what is new, removes what the
 * policy `leave` says, and logs out (drop.c); everything else about such an account is done in the store (account.h).
 *
 * What has to be done in a folder is decided by plan.h; here it is carried out, over proto/imap.h and into store/. A
 * `struct sync` is the account's runner: it holds one connection, opened when it is first needed and again when it
 * broke, and keeps what is known about the server between passes. Every call leaves the store whole whatever happens:
 * what was done is recorded, what was not is done by the next call. A call that was killed anywhere may be made again.
 *
 * A pass (sync_account):
 *   1. folders made, renamed, removed here go out; the server's list comes in, with roles
 *   2. what other programs did to the Maildirs is taken in
 *   3. for each folder that changed on either side: flags in and out, new envelopes newest first
 *   4. what the server no longer has goes here, unless it lies elsewhere now (moved by another client), or the brake
 *      holds (agree.h)
 *   5. moves, copies, uploads and removals asked for here go out
 *   6. bodies, as the policy `keep` says, newest first, in durable batches
 *
 * Errors: domain SYNC_ERROR, or those of proto/, net/ and store/ as they come. One folder's trouble (ERROR_STALE,
 * ERROR_SKIP, ERROR_REFUSED) is noted with the folder and the pass goes on; the connection's trouble ends it:
 * ERROR_RETRY, ERROR_AUTH, ERROR_SECURITY, ERROR_CANCELLED, ERROR_IO. See base/error.h.
 *
 * Threads: a runner belongs to one thread, and so does its store. It starts helper threads while bodies stream in;
 * call backs run in the caller's thread. Every wait is bounded by the stream's limits and ends when `cancel` is
 * triggered.
 */
#ifndef SYNC_SYNC_H
#define SYNC_SYNC_H

#include "config/config.h"
#include "proto/imap.h"
#include "store/folder.h"
#include "store/query.h"
#include "store/store.h"

#define SYNC_ERROR (sync_error_quark())
GQuark sync_error_quark(void);

enum sync_phase {
    SYNC_CONNECT,
    SYNC_FOLDERS,   /* the list */
    SYNC_MAILDIR,   /* what other programs did */
    SYNC_FLAGS,
    SYNC_ENVELOPES,
    SYNC_BODIES,
    SYNC_TEXTS,     /* what the bodies say is read */
    SYNC_SEND,      /* moves, copies, uploads, removals */
    SYNC_SETTLE,    /* removals here, file names */
    SYNC_PHASES
};
const char *sync_phase_name(enum sync_phase phase); /* "bodies": stable, for events and JSON */

struct sync_progress {
    const char *folder; /* its name, unsafe for a terminal; NULL: the account as a whole */
    enum sync_phase phase;
    guint64 done, total; /* messages; total 0: unknown */
};

/* Since sync_new(), or the last sync_reset_statistics(). */
struct sync_statistics {
    guint64 bytes_in, bytes_out;  /* on the wire */
    guint64 saved;                /* bytes that compression kept off the wire */
    guint64 round_trips;
    guint folders, unchanged;     /* looked into; told unchanged by STATUS alone */
    guint envelopes, bodies;      /* came in */
    guint64 body_bytes;
    guint matched;                /* known again (UIDVALIDITY, a lost answer, moved by another client), not fetched */
    guint64 matched_bytes;        /* of those whose bodies are here */
    guint flags_in, flags_out, conflicts; /* messages */
    guint moved, copied, uploaded, expunged; /* messages, at the server */
    guint removed;                /* messages, here */
    guint skipped;                /* messages that could not be had or read */
    guint notices;
};

/* An action of a dry run. */
enum sync_direction { SYNC_IN, SYNC_OUT }; /* what changes: the store, or the server */
struct sync_planned {
    const char *folder; /* its name, unsafe for a terminal; NULL: the account as a whole */
    enum sync_direction direction;
    const char *action; /* "new", "bodies", "flags" …: stable */
    guint64 count;      /* messages; 0: it is about the folder itself, or the number is not known before */
    const char *text;   /* one line, safe to show: "fetch 3 new messages" */
};

struct sync_options {
    const struct account *account; /* outlives the runner */
    imap_secret_func get_secret;
    gpointer secret_data;
    struct cancel *cancel;         /* may be NULL */
    guint64 without;               /* IMAP_* extensions that are not to be used */
    gboolean no_compress;
    gboolean complete;             /* mod-sequences are not trusted: every folder is read whole (a repair) */

    /* All may be NULL. */
    void (*progress)(const struct sync_progress *progress, gpointer data);
    void (*changed)(gpointer data); /* rows were committed that a list shows; at most some times a second */
    void (*notice)(const char *folder, const char *text, gpointer data); /* for a person; text is safe to show */
    void (*planned)(const struct sync_planned *planned, gpointer data);
    gpointer data;
};

struct sync;

/* Never connects. `store` is used by this thread only, while the runner lives; account_id is its row there. */
struct sync *sync_new(struct store *store, gint64 account_id, const struct sync_options *options);
void sync_free(struct sync *sync); /* says goodbye to the server; NULL is allowed */
typedef struct sync struct_sync;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_sync, sync_free)

/* A whole pass. dry_run: nothing is changed here or there; `planned` hears what would be done. */
gboolean sync_account(struct sync *sync, gboolean dry_run, GError **error);
/* Some folders, with what is waiting for them. What is gone from them is looked for in the others before it goes here. */
gboolean sync_folders(struct sync *sync, const gint64 *folders, guint n, GError **error);
/* What other programs did to the Maildirs of these folders is taken in, as intents; *found: was there anything? No
 * connection is needed. */
gboolean sync_take_maildirs(struct sync *sync, const gint64 *folders, guint n, gboolean *found, GError **error);
/* Only what was changed here: flags, intents. For the moments after a key press. */
gboolean sync_push(struct sync *sync, GError **error);
/* Bodies that a reader is waiting for: message_wanted_bodies() of the store, at once. */
gboolean sync_fetch_wanted(struct sync *sync, GError **error);
/* The body of this message. ERROR_SKIP: the server has it no more, or cannot give it. */
gboolean sync_fetch_body(struct sync *sync, gint64 message, GError **error);

/* A search among what is not here: the server is asked for the words, the rest is looked up here (find_plan.h). Accounts
 * whose server cannot search have nothing to say. */
struct sync_find {
    const struct query *query;
    guint without_roles; /* folders that are not looked into: 1 << enum folder_role */
    guint most;          /* hits of a folder */
    void (*found)(const gint64 *messages, guint n, gpointer data); /* of a folder */
    gboolean (*go_on)(gpointer data);                              /* between two folders; other calls may be made in it */
    gpointer data;
};
gboolean sync_find(struct sync *sync, const struct sync_find *find, GError **error);

enum sync_news {
    SYNC_NEWS_NONE,    /* the time is over, or wake_fd is readable */
    SYNC_NEWS_FOLDERS, /* something happened in the folders of `changed`: sync_folders() */
    SYNC_NEWS_ACCOUNT, /* folders came or went, or more happened than the server could tell: sync_account() */
    SYNC_NEWS_ERROR    /* error is set; the connection is gone */
};
/* Waits for the server's word. With NOTIFY it is about every folder of the account; with IDLE about this one (the one on
 * the screen) and, over a second connection where the server allows one, about INBOX; without either this one and INBOX
 * are asked about now and then. What is in no way heard of is found by the next pass. `changed`: gint64 ids are appended,
 * each once, `folder` first. What happened since the last look is told at once. Renewed as the RFCs want. */
enum sync_news sync_wait(struct sync *sync, gint64 folder, guint milliseconds, int wake_fd, GArray *changed,
                         GError **error);

/* Seconds for which the server wants no other pass (LOGIN-DELAY); mostly 0. */
guint sync_get_delay(struct sync *sync);

/* Closes the connection, e.g. before a long idle time or after the address changed. The next call opens another. */
void sync_disconnect(struct sync *sync);
gboolean sync_is_connected(const struct sync *sync);
/* The network may be another: asks the server for a sign of life, for three seconds at most, and closes what gives none.
 * FALSE: it did. */
gboolean sync_probe(struct sync *sync);

const struct sync_statistics *sync_get_statistics(struct sync *sync); /* borrowed */
void sync_reset_statistics(struct sync *sync);

#endif
