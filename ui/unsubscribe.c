/* unsubscribe.c - off a mailing list, by the way that its mail names: shown first, then done */
#include "config.h"

#include "ui/act.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/files.h"
#include "ui/link.h"
#include "ui/prompt.h"
#include "ui/spawn.h"
#include "ui/text.h"

#include "base/url.h"
#include "store/unsubscribed.h"
#include "trust/authority.h"
#include "trust/unsubscribe.h"

struct leaving {
    gint64 message;
    struct unsubscribe *way;
};

static void
leaving_free(gpointer data)
{
    struct leaving *leaving = data;
    unsubscribe_free(leaving->way);
    g_free(leaving);
}

static void
agreed(struct app *app, gpointer data)
{
    const struct leaving *leaving = data;
    const struct unsubscribe *way = leaving->way;
    if (way->how == UNSUBSCRIBE_MAIL)
        command_mail(app, way->mail);
    else if (way->how == UNSUBSCRIBE_LINK)
        spawn_browser(app, way->url);
    else if (link_unsubscribe(app->link, leaving->message, way->list))
        app_say(app, _("the server is asked"));
    else
        app_warn(app, _("the engine does not run: it asks the server, not the screen"));
}

/* What will happen, in a line. */
static char *
question(const struct unsubscribe *way)
{
    const char *list = way->list ? way->list : _("this list");
    g_autofree char *host = way->url ? url_https_host(way->url) : NULL;
    switch (way->how) {
    case UNSUBSCRIBE_ONE_CLICK:
        return g_strdup_printf(_("Leave %s, by one click at %s?"), list, host ? host : "?");
    case UNSUBSCRIBE_MAIL:
        return g_strdup_printf(_("Leave %s, by a message (you see it before it goes)?"), list);
    default:
        return g_strdup_printf(_("Leave %s, on a page of %s in the browser?"), list, host ? host : way->url);
    }
}

void
command_unsubscribe(struct app *app, const char *argument G_GNUC_UNUSED)
{
    g_autoptr(GArray) messages = app_targets(app);
    g_autoptr(GError) error = NULL;
    if (!messages->len || act_refused(app))
        return;
    struct leaving leaving = {.message = g_array_index(messages, gint64, 0)};
    g_autoptr(GBytes) bytes = files_message_bytes(app, leaving.message, &error);
    if (!bytes) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    g_auto(GStrv) own = config_own_hosts(app->config);
    g_autoptr(struct_journey) journey = journey_read(bytes, (const char *const *) own);
    g_autoptr(struct_authentication) found =
        authority_find(app->store, leaving.message, app->config, journey, NULL, NULL);
    leaving.way = unsubscribe_read(bytes, found);
    if (leaving.way->how == UNSUBSCRIBE_NOT) {
        unsubscribe_free(leaving.way);
        app_warn(app, _("the message names no way to unsubscribe: :block puts away what its sender sends"));
        return;
    }
    g_autofree char *asked = question(leaving.way);
    prompt_confirm(app, asked, agreed, g_memdup2(&leaving, sizeof leaving), leaving_free);
}
