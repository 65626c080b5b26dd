/* link.h - the screen's line to the engine: what each account is doing, and the wish to look again
 *
 * Connects (and starts the engine) on a thread of its own, comes back by itself when the engine ends, and
 * keeps what events say, for the bars to draw. Without an engine everything on the screen works; what was
 * written waits in the store. Main loop only.
 */
#ifndef UI_LINK_H
#define UI_LINK_H

#include <glib.h>

struct app;
struct link;

struct link_account {
    char *name;
    char *state; /* idle syncing offline password error paused; "" before the first word */
    char *text;
    gint64 synced;
    char *folder, *phase; /* progress; NULL: none */
    guint64 done, total;
};

struct link *link_new(struct app *app);
void link_free(struct link *link);

gboolean link_is_connected(const struct link *link);
/* Borrowed; NULL when nothing was heard of it. */
const struct link_account *link_account(const struct link *link, const char *name);
/* Of struct link_account, borrowed. */
const GPtrArray *link_accounts(const struct link *link);

void link_wake(struct link *link);                  /* intents wait; NULL is fine */
gboolean link_sync(struct link *link);              /* all accounts, now */
/* One account, or one folder of it, now. */
gboolean link_sync_one(struct link *link, const char *account, const char *folder);
void link_pause(struct link *link, const char *account, gboolean paused);
void link_flush(struct link *link);                 /* the queue, now */
void link_fetch(struct link *link, gint64 message); /* this body, first */
/* The words of a search, for what is not here; the list hears of it (list_server.c). FALSE: nobody could be asked. */
gboolean link_search(struct link *link, const char *text);
/* One click (trust/unsubscribe.h); list is what the answer is about. FALSE: nobody could be asked. */
gboolean link_unsubscribe(struct link *link, gint64 message, const char *list);
void link_watch(struct link *link, const char *account, const char *folder);
void link_set_online(struct link *link, gboolean online);

/* For the bottom line: "syncing Archive  61% ▰▰▰▱▱", "off line", "" . New string. */
char *link_status(const struct link *link);

#endif
