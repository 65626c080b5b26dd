/* act.h - what is done to messages: flags, tags, moving, deleting
 *
 * Each call takes the messages that the command is for (the marked ones after ;, the row, or the message that
 * is read), shows the wanted state at once and hands the intent to the writer. A failure takes the shown
 * state back and is told in the bottom line; every action can be undone (u). Main loop only.
 */
#ifndef UI_ACT_H
#define UI_ACT_H

#include <glib.h>

struct app;

enum act_kind { ACT_FLAGS, ACT_MOVE, ACT_COPY, ACT_DELETE, ACT_EXPUNGE, ACT_ARCHIVE, ACT_JUNK, ACT_NOT_JUNK };

/* said: what the bottom line shows, "2 messages: deleted" is made from "deleted"; NULL: nothing. */
void act_flags(struct app *app, guint set, guint clear, const char *said);
void act_tags(struct app *app, const char *add, const char *remove);
/* `folder`: the target of ACT_MOVE and ACT_COPY. */
void act_file(struct app *app, enum act_kind kind, gint64 folder);
/* Those that the messages belong to, with all that the list's folders have of them; out of a search, all but what lies in Trash
 * and Junk. */
void act_delete_conversations(struct app *app);
/* Flags of one message, silently: reading marks as read. */
void act_seen(struct app *app, gint64 message);
/* TRUE, after telling, when the session is read-only. */
gboolean act_refused(struct app *app);

#endif
