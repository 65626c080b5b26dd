/*
 * cancel: lets another thread or a signal handler end every wait of a piece of work.
 *
 * One object is shared by whoever works and whoever may stop the work. A wait on a stream that was given the
 * object ends within one scheduler slice of cancel_trigger(). Triggered stays triggered until cancel_reset().
 *
 * Threads: all functions may be called from any thread. cancel_trigger() is safe in a signal handler as well.
 */
#ifndef NET_CANCEL_H
#define NET_CANCEL_H

#include <glib.h>

struct cancel;

/* Aborts the program when no descriptor can be had. */
struct cancel *cancel_new(void);
struct cancel *cancel_ref(struct cancel *cancel);
void cancel_unref(struct cancel *cancel);

void cancel_trigger(struct cancel *cancel);
void cancel_reset(struct cancel *cancel);

/* NULL counts as never cancelled. */
gboolean cancel_is_triggered(const struct cancel *cancel);

/* A descriptor that is readable while triggered, for the caller's own poll(); -1 for NULL. Never read from
 * it. */
int cancel_get_fd(const struct cancel *cancel);

typedef struct cancel struct_cancel;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_cancel, cancel_unref)

#endif
