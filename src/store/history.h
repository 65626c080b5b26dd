/* history.h - what the synchroniser did: sums and the last events of each folder and account
 *
 * For people who want to know what happened and why. The runner writes at the end of its work, and only when there is
 * something to tell; nothing is decided by it, so a failure to write costs a line of history and no mail. Bounded: the
 * newest HISTORY_KEPT events of each kind and folder. Folder 0 is the account as a whole. Same thread as the store.
 */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include "store/store.h"

#define HISTORY_KEPT 100

/* Each a guint64 of struct history_counts and a column of both tables. */
#define HISTORY_COUNTS(X)                                                                                    \
    X(passes)      /* looks at the folder */                                                                 \
    X(unchanged)   /* of them, those that one word of the server answered */                                 \
    X(bytes_in)    /* on the wire */                                                                         \
    X(bytes_out)                                                                                             \
    X(saved)       /* bytes that compression kept off the wire, both ways */                                 \
    X(round_trips)                                                                                           \
    X(envelopes)   /* came in */                                                                             \
    X(bodies)                                                                                                \
    X(body_bytes)                                                                                            \
    X(known)       /* messages recognised, not fetched again */                                              \
    X(known_bytes) /* of their bodies */                                                                     \
    X(flags_in)    /* messages */                                                                            \
    X(flags_out)                                                                                             \
    X(conflicts)                                                                                             \
    X(moved)       /* at the server, as asked here; likewise the next three */                               \
    X(copied)                                                                                                \
    X(uploaded)                                                                                              \
    X(expunged)                                                                                              \
    X(removed)     /* here, as the server said */                                                            \
    X(skipped)     /* could not be had or read */

struct history_counts {
#define HISTORY_MEMBER(name) guint64 name;
    HISTORY_COUNTS(HISTORY_MEMBER)
#undef HISTORY_MEMBER
};

void history_counts_add(struct history_counts *sum, const struct history_counts *more);
/* Did anything come in, go out, or go wrong? Looks and their traffic alone are nothing. */
gboolean history_counts_in(const struct history_counts *counts);
gboolean history_counts_out(const struct history_counts *counts);
gboolean history_counts_any(const struct history_counts *counts);
/* "12 new, 12 bodies (1.2 MB), 3 marks in, 1 move out": translated; "" when there is nothing. */
char *history_counts_to_string(const struct history_counts *counts);

enum history_kind {
    HISTORY_PASS = 1, /* counts */
    HISTORY_CONFLICT, /* message, text: what was changed where, and what was kept */
    HISTORY_NOTICE,   /* text */
    HISTORY_ERROR     /* text */
};
const char *history_kind_name(enum history_kind kind); /* "pass": for JSON */

struct history_event {
    gint64 account, folder; /* 0: of no folder */
    gint64 time;
    enum history_kind kind;
    gint64 message; /* 0: of none */
    char *text;     /* or NULL; unsafe for a terminal */
    struct history_counts counts;
};
void history_event_free(gpointer event);

struct history_total {
    gint64 since;    /* when the sums begin; 0: nothing was counted yet */
    gint64 last_in;  /* the last time that something came in; 0 never */
    gint64 last_out; /* and went out */
    guint64 missing; /* messages that the server did not give, the last time that they were asked for */
    struct history_counts counts;
};

/* One transaction each, or part of the caller's. */
gboolean history_add(struct store *store, gint64 account, gint64 folder, gint64 time,
                     const struct history_counts *counts, GError **error);
gboolean history_note(struct store *store, gint64 account, gint64 folder, gint64 time, enum history_kind kind,
                      gint64 message, const char *text, GError **error);
gboolean history_set_missing(struct store *store, gint64 account, gint64 folder, guint64 missing, GError **error);

/* GPtrArray of struct history_event, newest first; folder -1: of the whole account; kinds: bits 1 << kind, 0: all. */
GPtrArray *history_events(struct store *store, gint64 account, gint64 folder, guint kinds, guint limit,
                          GError **error);
/* folder -1: the sum over the account. Zeros when nothing was counted. */
gboolean history_total(struct store *store, gint64 account, gint64 folder, struct history_total *total,
                       GError **error);

/* What the account's server is, as the runner last found it: lines "name value"; NULL before the first connection. */
char *history_server(struct store *store, gint64 account);
gboolean history_set_server(struct store *store, gint64 account, const char *text, GError **error);

#endif
