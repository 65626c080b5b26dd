/* sidebar.h - all accounts as one, each account's folders with what is unread in them, and saved searches, at the left
 * of the list */
#ifndef UI_SIDEBAR_H
#define UI_SIDEBAR_H

#include "ui/view.h"

struct sidebar;

/* What an entry shows: a folder, or those of a role in all accounts, or a search. */
struct sidebar_target {
    gint64 folder;
    guint role;
    const char *query; /* borrowed */
};
/* "all inboxes", for the title of a list */
const char *sidebar_role_title(guint role);

struct sidebar *sidebar_new(struct app *app);
void sidebar_free(struct sidebar *bar);
void sidebar_refresh(struct sidebar *bar);

int sidebar_width(struct sidebar *bar, int screen); /* 0: hidden, or no room */
void sidebar_toggle(struct sidebar *bar);
/* `shown` is what the list shows. */
void sidebar_draw(struct sidebar *bar, const struct area *area, const struct sidebar_target *shown);

/* The entry `step` away from what is shown; FALSE when there is none. */
gboolean sidebar_step(struct sidebar *bar, int step, const struct sidebar_target *shown, struct sidebar_target *target);
/* The entry on this line of the bar. */
gboolean sidebar_at(struct sidebar *bar, int line, struct sidebar_target *target);

#endif
