/* conversation.h - conversations that are put right by hand, and silenced
 *
 * Threads are what Message-ID, In-Reply-To and References connect (thread.c). A message can be given another parent, or
 * none: then what its header names counts no more, nor do, in the answers below it, references to what lies above it.
 * This is kept by Message-ID, in the database and in tags.log, so that it holds for messages that are still to come, and
 * after the database was made anew. A silenced conversation is one of whose messages has the tag "muted" (a keyword on the
 * server, so that it is silent on every device): mail that arrives in it counts as read.
 *
 * All are noted in the undo journal and return as the calls of intent.h do. Same thread as the store.
 */
#ifndef STORE_CONVERSATION_H
#define STORE_CONVERSATION_H

#include "store/store.h"

/* Each of the messages becomes an answer to `parent`, with what hangs below it. ERROR_REFUSED when one has no Message-ID. */
gint64 conversation_join(struct store *store, const gint64 *messages, guint n, gint64 parent, GError **error);
/* Each of the messages begins a conversation of its own, with what hangs below it. */
gint64 conversation_break(struct store *store, const gint64 *messages, guint n, GError **error);
/* The conversations of the messages; all there is in them counts as read. */
gint64 conversation_mute(struct store *store, const gint64 *messages, guint n, gboolean mute, GError **error);
gboolean conversation_is_muted(struct store *store, gint64 thread);
/* What "junk" means of a conversation that is named as a whole: its messages (GArray of gint64 of them, changed in place) but
 * for the user's own and those of people whom the user has written to. A conversation of one message stays as it is: it was
 * that message that was named. *spared receives how many were taken out. */
gboolean conversation_spare_people(struct store *store, gint64 thread, GArray *messages, guint *spared, GError **error);
/* The message that a conversation begins with; 0: it is not there. */
gint64 conversation_first(struct store *store, gint64 thread);

#endif
