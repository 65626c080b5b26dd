/* Waiting for a text that is not here: asked for at once, told in words, asked for again when the line is back. */
#include "config.h"

#include "base/text.h"
#include "ui/app.h"
#include "ui/link.h"
#include "ui/readview.h"
#include "ui/text.h"
#include "ui/writer.h"

#include <string.h>

static gboolean
want_body(struct store *store, gpointer data, GError **error)
{
    return message_want_body(store, *(gint64 *)data, error);
}

static void
ask(struct readview *read)
{
    struct app *app = read->view.app;
    read->waiting = TRUE;
    if (app->read_only)
        return;
    writer_run(app->writer, want_body, NULL, g_memdup2(&read->message, sizeof read->message), g_free);
    link_fetch(app->link, read->message);
}

/* Of the account that has the message; NULL when nothing was heard of it. */
static const struct link_account *
account_of(const struct readview *read)
{
    g_autoptr(GPtrArray) places = message_places(read->view.app->store, read->message, NULL);
    return places && places->len ? link_account(read->view.app->link, ((struct message_place *)places->pdata[0])->account)
                                 : NULL;
}

/* Each state of the account, and what becomes of the text then. */
static const struct {
    const char *state, *words;
} states[] = {
    {"offline", N_("is off line: the text comes when the server can be reached.")},
    {"error", N_("is in trouble (S shows it): the text comes when that is over.")},
    {"password", N_("waits for its password: $ asks for it, then the text comes.")},
};

static char *
words(const struct readview *read)
{
    struct app *app = read->view.app;
    if (read->refusal)
        return g_strdup_printf(_("It could not be fetched: %s"), read->refusal);
    if (app->read_only)
        return g_strdup(_("It is not fetched: this session only reads (-R)."));
    if (!link_is_connected(app->link))
        return g_strdup(_("The engine is being started; the text comes when the server can be reached."));
    const struct link_account *account = account_of(read);
    for (guint i = 0; account && i < G_N_ELEMENTS(states); i++)
        if (!strcmp(states[i].state, account->state))
            return g_strdup_printf("%s %s", account->name, _(states[i].words));
    return g_strdup(read->document ? _("The rest is being fetched …") : _("Its text is being fetched …"));
}

static char *
what_is_here(const struct readview *read)
{
    g_autofree char *size = read->row && read->row->size ? text_size((guint64)read->row->size) : NULL;
    if (read->document)
        return g_strdup_printf(_("Only the text of this message (%s) is here."), size ? size : "?");
    return size ? g_strdup_printf(_("Only the head of this message (%s) is here."), size)
                : g_strdup(_("Only the head of this message is here."));
}

void
readview_tell_wait(struct readview *read)
{
    g_autofree char *head = what_is_here(read);
    g_autofree char *rest = words(read);
    g_free(read->notice);
    read->notice = g_strdup_printf("%s\n%s", head, rest);
    readview_relayout(read);
    app_dirty(read->view.app);
}

void
readview_wait(struct readview *read)
{
    if (!read->waiting)
        ask(read);
    readview_tell_wait(read);
}

void
read_fetch_failed(struct app *app, gint64 message, const char *why)
{
    for (guint i = 0; i < app->views->len; i++) {
        struct readview *read = g_ptr_array_index(app->views, i);
        if (read->view.class != &read_class || read->message != message || !read->waiting)
            continue;
        g_free(read->refusal);
        read->refusal = text_safe(why, -1, TEXT_LINE);
        readview_tell_wait(read);
    }
}

void
read_line_changed(struct app *app, gboolean anew)
{
    for (guint i = 0; i < app->views->len; i++) {
        struct readview *read = g_ptr_array_index(app->views, i);
        if (read->view.class != &read_class || !read->waiting)
            continue;
        const struct link_account *account = account_of(read);
        if (anew || (read->refusal && account && !strcmp(account->state, "idle"))) {
            g_clear_pointer(&read->refusal, g_free);
            ask(read);
        }
        readview_tell_wait(read);
    }
}
