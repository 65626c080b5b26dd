/* internal.h - for src/sync alone: the runner, and what its parts share */
#ifndef SYNC_INTERNAL_H
#define SYNC_INTERNAL_H

#include "base/error.h"
#include "mail/reader.h"
#include "store/intent.h"
#include "store/message.h"
#include "store/placement.h"
#include "sync/plan.h"
#include "sync/sync.h"
#include "sync/tally.h"

typedef struct known struct_known;
typedef struct listing struct_listing;

/* Rows a transaction while others may wait for the writer, and while a new folder fills. */
#define ROWS_A_COMMIT 100
/* A flag is a small change in pages that lie apart, but for those of the indexes: these are written once a commit. */
#define FLAGS_A_COMMIT 250
/* Messages whose envelopes are asked for at once; the first time fewer, so that a list can be shown soon. */
#define ENVELOPES_FIRST 50
#define ENVELOPES_A_FETCH 500
/* Chunks of envelopes that the connection is ahead of the store. */
#define CHUNKS_AHEAD 2
/* More rows than these are not waited for one transaction after the other (store_relax_begin). */
#define RELAX_FROM (2 * ROWS_A_COMMIT)
/* Envelopes without a body are made searchable while the network is slower than the store: so many at once, after so
 * long without a batch. */
#define ENVELOPES_TO_INDEX 100
#define INDEX_AFTER_MS 100
/* In a folder where nothing happened, bodies that the policy leaves out are not counted again for so long. */
#define BODIES_LOOK_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)
/* A UIDVALIDITY that changes as often in a row stops the folder (RELIABILITY.md D10). */
#define VALIDITY_CHANGES_MAX 5

struct sync {
    const struct sync_protocol *protocol;
    struct store *store;
    gint64 account;
    struct sync_options options;
    struct imap *imap;
    struct reader *reader;
    struct texts *texts; /* texts.h; NULL outside a pass */
    gint64 selected; /* folder; 0: none */
    struct imap_mailbox *mailbox; /* of it */
    guint told_since_select;      /* messages that it said had changed since (report.c) */
    gboolean in_passing;          /* some folders are looked into, no whole pass */
    gboolean recovered; /* intents of a runner that died were looked at */
    gboolean dry_run;
    struct sync_statistics statistics; /* of closed connections, and everything that is no traffic */
    struct sync_statistics shown;      /* with the open one's traffic */
    gint64 last_changed;               /* monotonic, of the last `changed` */
    gboolean changes_untold;
    struct imap *second; /* idles on INBOX while another folder is watched; mostly NULL */
    struct watch *watch; /* what was told unasked (watch.h) */
    gint64 alerted; /* monotonic, when an alert of the server was told last */
    gboolean store_freely; /* in the selected folder: no UNCHANGEDSINCE */
    gint64 crossed;        /* folder whose marks crossed those of somebody else */
    GHashTable *bodies_looked; /* folder -> monotonic time when nothing was left to fetch of it */
    struct tally *tally;       /* tally.h */
    gboolean no_more_connections; /* the server refused a second one, or it broke */
};

/* ---- protocol.c ---- */

/* What a protocol makes of the calls of sync.h. One that keeps no connection is never connected, and then nobody waits for its
 * server's word. */
struct sync_protocol {
    gboolean (*account)(struct sync *sync, GError **error); /* sync->dry_run */
    gboolean (*folders)(struct sync *sync, const gint64 *folders, guint n, GError **error);
    gboolean (*push)(struct sync *sync, GError **error);
    gboolean (*fetch_wanted)(struct sync *sync, GError **error);
    gboolean (*fetch_body)(struct sync *sync, gint64 message, GError **error);
    gboolean (*find)(struct sync *sync, const struct sync_find *find, GError **error); /* NULL: it cannot search */
    guint (*delay)(struct sync *sync); /* NULL: none */
};
const struct sync_protocol *sync_protocol_of(const struct account *account);
extern const struct sync_protocol sync_over_pop3; /* drop.c */
extern const struct sync_protocol sync_over_tree; /* tree.c */

/* ---- run.c: IMAP ---- */

gboolean imap_pass_account(struct sync *sync, GError **error);
gboolean imap_pass_folders(struct sync *sync, const gint64 *folders, guint n, GError **error);
gboolean imap_pass_push(struct sync *sync, GError **error);
gboolean imap_pass_fetch_wanted(struct sync *sync, GError **error);
gboolean imap_pass_fetch_body(struct sync *sync, gint64 message, GError **error);
gboolean imap_pass_find(struct sync *sync, const struct sync_find *find, GError **error); /* find.c */
/* What other programs did to these Maildirs (struct folder). *braked (or NULL): more was missing in one of them than may
 * be. */
gboolean sync_scan_folders(struct sync *sync, const GPtrArray *folders, gboolean *braked, GError **error);

/* ---- sync.c ---- */


gboolean sync_connect(struct sync *sync, GError **error);
/* One more connection, with the account's login. */
struct imap *sync_open_connection(struct sync *sync, imap_event_func on_event, GError **error);
void sync_close_second(struct sync *sync);
/* Selects, or keeps selected, without asking for anything. mailbox is sync->mailbox. */
gboolean sync_select(struct sync *sync, const struct folder *folder, const struct imap_select *how, GError **error);
gboolean sync_unselect(struct sync *sync, GError **error);
/* Another connection with the folder open, for a thread that helps; NULL when it cannot be had. Closing it adds its traffic:
 * in the runner's thread. */
struct imap *sync_open_help(struct sync *sync, const struct folder *folder, GError **error);
void sync_close_help(struct sync *sync, struct imap *imap);
gboolean sync_is_cancelled(struct sync *sync, GError **error);

void sync_tell_progress(struct sync *sync, const struct folder *folder, enum sync_phase phase, guint64 done,
                        guint64 total);
void sync_tell_changed(struct sync *sync, gboolean now);
/* To the log and to the person. */
void sync_tell_notice(struct sync *sync, const struct folder *folder, const char *format, ...) G_GNUC_PRINTF(3, 4);
void sync_tell_planned(struct sync *sync, const char *folder, enum sync_direction direction, const char *action,
                       guint64 count, const char *format, ...) G_GNUC_PRINTF(6, 7);
/* TRUE when the pass may go on with the next folder: the error is about this one alone. It is then noted with it. */
gboolean sync_survives(struct sync *sync, const struct folder *folder, GError **error);

/* ---- quota.c: once an hour; part of a whole pass ---- */
gboolean quota_look(struct sync *sync, GError **error);

/* ---- folders.c ---- */

struct listing {
    GPtrArray *list;            /* struct imap_folder */
    GPtrArray *statuses;        /* GPtrArray of struct imap_status */
    GHashTable *folders;        /* wire name -> struct imap_folder */
    GHashTable *status;         /* wire name -> struct imap_status, as far as told */
    GArray *gone;               /* ids of folders that the server lists no more */
    GHashTable *renamed;        /* a dry run: wire names, old and new, of folders that were renamed there */
};
void listing_clear(struct listing *listing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_listing, listing_clear)

/* STATUS of these (wire names), as far as it is not known. */
gboolean listing_ask(struct sync *sync, struct listing *listing, const GPtrArray *wires, GError **error);
/* UTF-8 with '/' between levels; the prefix of the user's own namespace ("INBOX.") is left out. */
char *folder_name_from_wire(struct sync *sync, const char *wire, char delimiter);

/* Folder intents out, the list in. */
gboolean folders_sync(struct sync *sync, struct listing *listing, GError **error);
/* When every folder was read, so that what was moved out of them is known elsewhere. */
gboolean folders_forget_gone(struct sync *sync, const struct listing *listing, GError **error);
/* Is its mail kept here, and not held back by a brake? */
gboolean folder_is_synced(const struct sync *sync, const struct folder *folder);

/* ---- renames.c ---- */

/* Folders that the server calls otherwise now keep their row, under the new name. */
gboolean renames_take(struct sync *sync, struct listing *listing, GError **error);

/* ---- report.c: what the server says of a folder ---- */

struct report {
    gboolean complete;
    GArray *remotes;         /* struct plan_remote */
    GStringChunk *strings;
    struct uidset *vanished; /* not complete */
    struct uidset *present;  /* complete: every UID */
    struct uidset *fresh;    /* UIDs that are not known here */
    guint64 exists, modseq;
    guint32 uidnext;
};

/* What is known here of the folder: every UID, and the rows that the report speaks of or that are not settled. */
struct known {
    struct uidset *all; /* see known_uids() */
    struct placement_set *set;
    struct store *store;
    gint64 folder;
    GError *error; /* the UIDs could not be read: what was reported with them is worth nothing */
};
void known_begin(struct sync *sync, const struct folder *folder, struct known *known);
/* Read when first asked for: where nothing happened nobody asks, and in a large folder they are many. Borrowed. */
const struct uidset *known_uids(struct known *known);
gboolean known_check(const struct known *known, GError **error); /* FALSE: they could not be read */
void known_clear(struct known *known);
struct placement *known_find(const struct known *known, guint32 uid); /* NULL: none */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_known, known_clear)

/* Selects the folder and asks for what is needed. `complete`: mod-sequences are not trusted. After a change of UIDVALIDITY
 * *known and *folder are read again. */
struct report *report_read(struct sync *sync, struct folder **folder, struct known *known, gboolean complete,
                           GError **error);
/* After the new messages were taken in: *known is loaded again, and they count as present. */
gboolean report_settle(struct sync *sync, const struct folder *folder, struct report *report, struct known *known,
                       GError **error);
struct report *report_new(void); /* that says nothing */
void report_free(struct report *report);
typedef struct report struct_report;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_report, report_free)

/* ---- envelopes.c ---- */

/* New messages of the selected folder, newest first: bound to a placement that waits for its UID, or inserted. */
gboolean envelopes_fetch(struct sync *sync, const struct folder *folder, const struct uidset *uids, GError **error);

/* ---- relink.c ---- */

/* New messages that are here already under another placement (moved or copied by another client) get their file from
 * there. What does not prove to be the same is left for bodies_fetch(). */
gboolean relink_known(struct sync *sync, const struct folder *folder, GError **error);

/* ---- bodies.c ---- */

/* What the account's policy wants here, of the placements that have no body. */
gboolean bodies_fetch(struct sync *sync, struct folder *folder, GError **error);
/* A dry run: what becomes of the bodies of n new messages. */
void sync_tell_bodies(struct sync *sync, const char *folder, guint64 n);
/* These placements, whatever the policy says. */
gboolean bodies_fetch_one(struct sync *sync, struct folder *folder, gint64 placement, GError **error);

/* ---- push.c ---- */

/* One UID STORE of the plan, and its record. When nobody else changed the folder meanwhile, sync->mailbox->modseq is that of
 * our change. */
gboolean push_flags(struct sync *sync, const struct folder *folder, struct known *known,
                    const struct plan_action *action, GError **error);
/* Moves, copies, uploads and removals that may run now. */
gboolean push_intents(struct sync *sync, GError **error);
/* Those whose source has gone from the server. */
gboolean push_orphans(struct sync *sync, GError **error);

#endif
