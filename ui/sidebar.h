/* sidebar.h - accounts, folders with what is unread in them, and saved searches, at the left of the list */
#ifndef UI_SIDEBAR_H
#define UI_SIDEBAR_H

#include "ui/view.h"

struct sidebar;

struct sidebar *sidebar_new(struct app *app);
void sidebar_free(struct sidebar *bar);
void sidebar_refresh(struct sidebar *bar);

int sidebar_width(struct sidebar *bar, int screen); /* 0: hidden, or no room */
void sidebar_toggle(struct sidebar *bar);
/* `folder` and `search` (its query as typed, or NULL) are what the list shows. */
void sidebar_draw(struct sidebar *bar, const struct area *area, gint64 folder, const char *search);

struct sidebar_target {
    gint64 folder;     /* or 0 and */
    const char *query; /* borrowed */
};
/* The entry `step` away from what is shown; FALSE when there is none. */
gboolean sidebar_step(struct sidebar *bar, int step, gint64 folder, const char *search,
                      struct sidebar_target *target);
/* The entry on this line of the bar. */
gboolean sidebar_at(struct sidebar *bar, int line, struct sidebar_target *target);

#endif
