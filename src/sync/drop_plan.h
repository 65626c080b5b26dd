/* drop_plan.h - what has to be done in a POP3 mailbox: the decisions, and nothing else
 *
 * Pure: no socket, no file, no SQL, no clock. Any thread may call.
 */
#ifndef SYNC_DROP_PLAN_H
#define SYNC_DROP_PLAN_H

#include "config/config.h"

/* One that was taken in, in order of (uidl, nth). */
struct drop_known {
    const char *uidl;
    guint nth;
    guint64 size; /* as the server told it */
    gboolean loose; /* it does not mean anything */
};

/* One that the server lists; i is message i + 1. */
struct drop_listed {
    const char *uidl; /* borrowed, never NULL */
    guint64 size;     /* 0: not told */
    /* What is found out: */
    guint nth;         /* which of those with this id */
    gint64 known;      /* index, or -1: new */
    gboolean doubtful; /* known by its id, but of another size: another message, or a server that cannot count */
    gboolean shared;   /* other messages have the same id now */
};

/* Each listed one finds its row; *gone: GArray of guint, indices of those that the server lists no more. A server may give
 * one id to many messages, and none of them is lost: the n-th of an id is the n-th. */
void drop_match(const struct drop_known *known, guint n_known, struct drop_listed *listed, guint n_listed, GArray **gone);

/* What decides whether a message goes from the mailbox. */
struct drop_facts {
    gboolean here;   /* in a folder of the account that is not Trash */
    gboolean shown;  /* … or anywhere */
    gboolean cached; /* its bytes are safely here */
    gint64 since;    /* when it was taken in */
};
enum drop_verdict {
    DROP_STAYS,
    DROP_GOES,        /* as the policy says of what is here */
    DROP_GOES_DELETED /* because it was deleted here: subject to the brake */
};
enum drop_verdict drop_judge(const struct leave *leave, const struct drop_facts *facts, gint64 now);

/* Of messages with one id none can be told from the other before DELE: they go together or stay. Turns verdicts into
 * DROP_STAYS where that is so. */
void drop_judge_shared(const struct drop_listed *listed, guint n_listed, enum drop_verdict *verdicts);

#endif
