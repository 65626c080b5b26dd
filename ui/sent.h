/* sent.h - what was just sent, and taking it back while that is possible */
#ifndef UI_SENT_H
#define UI_SENT_H

#include <glib.h>

struct app;

/* Tells the user; for `seconds` u takes it back. send_at 0: at once. */
void sent_remember(struct app *app, gint64 item, guint seconds, gint64 send_at);
/* TRUE: there was something to take back, and it is being done. */
gboolean sent_take_back(struct app *app);

#endif
