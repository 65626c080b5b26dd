/* foldpick.h - choosing a folder by typing a part of its name */
#ifndef UI_FOLDPICK_H
#define UI_FOLDPICK_H

#include "ui/prompt.h"

/* `name`: already typed (NULL: ask). `create`: a name that does not exist is offered to be made. `picked` is
 * not called when the user cancels. */
void foldpick(struct app *app, const char *label, const char *name, gboolean create,
              void (*picked)(struct app *app, gint64 folder, gpointer data), gpointer data,
              GDestroyNotify destroy);

#endif
