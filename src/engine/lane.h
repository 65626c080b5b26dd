/* lane.h - inside engine/: what the lanes of an account worker share
 *
 * A job is one request of the supervisor; a wake-up is given to several lanes and is dealt with when the last
 * has. A lane's loop: take jobs, work, say how it went, sleep until a job or the time. Each runs in its own
 * thread.
 */
#ifndef ENGINE_LANE_H
#define ENGINE_LANE_H

#include "engine/control.h"
#include "config/config.h"
#include "mail/reader.h"
#include "net/cancel.h"
#include "net/dns.h"
#include "store/store.h"
#include "sync/sync.h"

struct worker {
    struct config *config;
    const struct account *account;
    struct control *control;
    GMutex lock;     /* the members below */
    char *secret[2]; /* given by the user: incoming, outgoing; wiped when replaced */
    gboolean
        refused[2]; /* the server refused it: not tried again until it is replaced or asked for by hand */
    gboolean asked; /* need-password was said */
    gboolean polling, online;
    gboolean paused;     /* the user let the account rest: store/standing.h */
    char *watched;       /* the folder on the screen, or NULL */
    guint pending_lanes; /* bits of lanes with work of their own left */
};

/* A job; several lanes may hold it. One that no supervisor asked for has no id, and is not counted. */
struct job {
    gint refs;
    char *verb;
    guint id;
    gint64 message;
    gboolean dry_run;
    gboolean replace; /* of "sieve": another script may be active */
    char *folder; /* of "sync": this one alone; NULL: a whole pass */
    char *text;          /* of "search" */
    gboolean everything; /* likewise: also in Trash and Junk */
    gboolean ours; /* not the supervisor's: nobody waits for an answer */
    GMutex lock;
    GError *error; /* the first that a lane met */
    struct worker *worker;
};

enum lane_kind { LANE_SYNC, LANE_FETCH, LANE_DELIVER, LANE_LEARN, LANES };

struct lane {
    enum lane_kind kind;
    struct worker *worker;
    GThread *thread;
    GAsyncQueue *jobs; /* of struct job */
    int wake_fd;       /* eventfd: readable while a job waits */
    struct cancel *cancel;
    struct store *store;
    gint64 account_id;
    struct reader *reader; /* of the sync lane, for what arrives; NULL before it was needed */
    struct dns *dns;       /* likewise */
    gboolean arriving;     /* of the sync lane: there may be messages whose stages of arrival are not done */
    gboolean learning;     /* likewise, messages that may teach the filter something: the learn lane is to look */
    struct sync *fetching; /* of the fetch lane: its runner; NULL while nothing is fetched */
    gboolean moving;       /* likewise, texts of an older version (texts_move) */
    guint failures;        /* in a row, for the back-off */
    gboolean unreachable;  /* the last was that the server could not be reached */
    gint64 last_pass;      /* monotonic: when the last one began */
    struct maildir_watch *watch; /* of the sync lane */
};

/* The threads. */
gpointer sync_lane(gpointer lane);
gpointer fetch_lane(gpointer lane);
gpointer deliver_lane(gpointer lane);
gpointer learn_lane(gpointer lane); /* knows the job "lessons" alone */

/* The next job, waiting at most `ms` (-1: no limit); NULL at the end of that, or of the worker. Release each
 * with job_done. */
struct job *lane_take(struct lane *lane, gint64 ms);
gboolean lane_has_job(struct lane *lane);
/* This lane is done with it; error (or NULL) is copied. */
void job_done(struct job *job, const GError *error);
/* Another lane's turn, e.g. after a wake-up. */
void lane_push(struct lane *lane, struct job *job);

/* A job of our own for this lane. Any thread. */
void lane_push_own(struct lane *lane, const char *verb);

/* ---- maildir_lane.c: other programs on the Maildirs, for the sync lane. What touches them comes as the job "maildir". */
void lane_watch_maildirs(struct lane *lane); /* the account's folders, as they are now */
void lane_unwatch_maildirs(struct lane *lane);
/* Takes in what was done. TRUE: something is to be sent. */
gboolean lane_take_maildirs(struct lane *lane, struct sync *sync);

/* ---- arrival_lane.c, for the sync lane */
/* What has just come passes its stages (trust/arrival.h), some at a time: lane->arriving says that there is more. */
void lane_take_arrivals(struct lane *lane);

/* ---- search_lane.c */
/* `meanwhile` is called between two folders, for those who wait for a body. */
gboolean lane_search(struct lane *lane, struct sync *sync, const struct job *job, void (*meanwhile)(struct lane *lane),
                     GError **error);

/* ---- sieve_lane.c */
gboolean lane_upload_rules(struct lane *lane, gboolean replace, GError **error);

/* ---- unsubscribe_lane.c */
gboolean lane_is_first(struct lane *lane, gint64 message); /* of the accounts that have it */
gboolean lane_unsubscribe(struct lane *lane, gint64 message, GError **error);

/* Opens the lane's store; retries while another program holds it; NULL only at the end of the worker. */
gboolean lane_open_store(struct lane *lane);
/* Has this lane something left that must keep the engine alive? Tells the supervisor when all is settled. */
void lane_settle(struct lane *lane, gboolean pending);
/* 5 s, 10 s, … 5 min with jitter, in milliseconds. */
guint lane_backoff_ms(guint failures);
/* The same after what the lane met. The network may be back at any moment without a sign of it here: a server that could
 * not be reached is tried every 5 s first, for some minutes. */
guint lane_pause_ms(const struct lane *lane);

/* A body may have come by another way than a pass: the sync lane looks. */
void lane_tell_arrival(void);
/* Something may have been put into the queue: the deliver lane looks. */
void lane_tell_queued(void);
/* What the user did with mail, here or elsewhere, may teach the filter something (trust/teach.h): the learn lane looks. */
void lane_tell_lessons(void);

/* For imap_secret_func and deliver_options: asks the configuration's command, or what the user gave; else
 * says need-password and fails with ERROR_AUTH. */
char *worker_secret(struct worker *worker, gboolean outgoing, GError **error);
/* The server refused it. */
void worker_refused(struct worker *worker, gboolean outgoing, const char *text);
void worker_state(struct worker *worker, const char *state, const char *text, gint64 synced);
void worker_notice(struct worker *worker, const char *folder, const char *text);

#endif
