/* watch.h - for src/sync alone: what the server tells unasked, until it is looked at
 *
 * Events only mark: the folder that is open, a name whose STATUS came, a name that was listed. sync_wait() then compares
 * with what is recorded, so that echoes of our own work cost nothing, and hands out what is left, each folder once. */
#ifndef SYNC_WATCH_H
#define SYNC_WATCH_H

#include "sync/internal.h"

struct folder_state {
    guint items; /* IMAP_STATUS_* that came */
    guint32 uidvalidity, uidnext, messages;
    guint64 modseq;
};

struct watch {
    GHashTable *changed; /* set of gint64: folders to look into */
    GHashTable *states;  /* wire name -> struct folder_state: told, not compared yet */
    GHashTable *told;    /* the same: the last that was compared */
    GHashTable *listed;  /* wire name -> IMAP_NONEXISTENT, IMAP_SUBSCRIBED: told, not compared yet */
    gboolean pass_due;   /* folders came or went, or something was not told */
    gboolean waiting;    /* inside a wait: what comes is somebody else's doing */
    gboolean arrival;    /* the event before said that there are more messages */
    gint64 busy_until;   /* monotonic: another client is at work in the open folder */
    guint32 told_uidnext;
    guint64 told_modseq; /* has_moved_on() */
    gint64 inbox;        /* folder */
    gint64 second_after; /* monotonic: a second connection is not tried before */
    guint64 spoken;      /* round trips, and when they were counted last */
    gint64 spoken_at;
};

struct watch *watch_new(void);
void watch_free(struct watch *watch);
void watch_event(struct sync *sync, const struct imap_event *event);
/* The folder is about to be looked into: what comes from here on is news again. */
void watch_forget(struct watch *watch, gint64 folder);
/* What was told belonged to a connection that is gone; a pass finds the rest. */
void watch_disconnected(struct watch *watch);

#endif
