/* start.h - how the screen begins: the store, and the first view that the command line asks for */
#ifndef UI_START_H
#define UI_START_H

#include <glib.h>

struct app;

/* Opens the store for reading (made when it is not there). Before the terminal is touched: errors go to
 * standard error. */
gboolean start_store(struct app *app, GError **error);
/* The writer, the engine's line and the views. The terminal is open. */
void start_views(struct app *app);
/* After the account assistant: what needs an account. */
void start_mail(struct app *app);

#endif
