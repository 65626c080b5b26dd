#include "config.h"

#include "ui/sent.h"

#include "base/clock.h"
#include "store/outbox.h"
#include "ui/app.h"
#include "ui/compose.h"
#include "ui/text.h"
#include "ui/writer.h"

static struct {
    gint64 item;
    gint64 until; /* clock_monotonic() */
} last;

struct back {
    gint64 item;
    GBytes *bytes;
};

static void
back_free(gpointer data)
{
    struct back *back = data;
    if (back->bytes)
        g_bytes_unref(back->bytes);
    g_free(back);
}

static gboolean
cancel(struct store *store, gpointer data, GError **error)
{
    struct back *back = data;
    return outbox_cancel(store, back->item, &back->bytes, error);
}

static void
cancelled(struct app *app, gpointer data, const GError *error)
{
    struct back *back = data;
    if (error) {
        app_warn(app, _("too late to take it back: %s"), error->message);
        return;
    }
    app_say(app, _("taken back: it was not sent"));
    if (back->bytes)
        compose_recall_bytes(app, back->bytes);
}

void
sent_remember(struct app *app, gint64 item, guint seconds, gint64 send_at)
{
    last.item = item;
    last.until = clock_monotonic() + (gint64)seconds * G_USEC_PER_SEC;
    if (send_at) {
        g_autofree char *when = clock_relative(send_at, clock_now());
        app_say(app, _("goes %s; B shows what waits"), when);
    } else if (seconds) {
        app_say(
            app,
            ngettext("goes in %u second: u takes it back", "goes in %u seconds: u takes it back", seconds),
            seconds);
    } else {
        app_say(app, _("on its way; B shows what waits"));
    }
}

gboolean
sent_take_back(struct app *app)
{
    if (!last.item || clock_monotonic() > last.until)
        return FALSE;
    struct back *back = g_new0(struct back, 1);
    back->item = last.item;
    last.item = 0;
    writer_run(app->writer, cancel, cancelled, back, back_free);
    return TRUE;
}
