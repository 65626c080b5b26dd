#include "config.h"

#include "ui/link.h"

#include "base/error.h"
#include "base/log.h"
#include "engine/client.h"
#include "ui/app.h"
#include "ui/draw.h"
#include "ui/listview.h"
#include "ui/readview.h"
#include "ui/text.h"

#include <glib-unix.h>
#include <string.h>

/* Seconds between attempts to reach an engine that is not there. */
#define RETRY_FIRST 1
#define RETRY_LAST 60

struct link {
    struct app *app;
    struct engine_client *client;
    guint source; /* of the client's descriptor */
    guint timer;  /* the next attempt */
    guint delay;
    GThread *connecting;
    gboolean wake; /* wanted while there was no engine */
    gboolean ended;
    GPtrArray *accounts; /* of struct link_account */
    guint sync_id;
    GHashTable *fetches; /* id of a request -> gint64 *: the message */
    GHashTable *searches; /* likewise -> its text */
    GHashTable *leaving; /* likewise -> char *: the list that is left */
    char *asking; /* the account whose password is asked for */
    gboolean offline;
};

static void connect_engine(struct link *link);
static void disconnect(struct link *link);

static void
account_free(gpointer data)
{
    struct link_account *account = data;
    g_free(account->name);
    g_free(account->state);
    g_free(account->text);
    g_free(account->folder);
    g_free(account->phase);
    g_free(account);
}

const GPtrArray *
link_accounts(const struct link *link)
{
    return link->accounts;
}

const struct link_account *
link_account(const struct link *link, const char *name)
{
    for (guint i = 0; link && i < link->accounts->len; i++) {
        struct link_account *account = g_ptr_array_index(link->accounts, i);
        if (!g_strcmp0(account->name, name))
            return account;
    }
    return NULL;
}

static struct link_account *
account_named(struct link *link, const char *name)
{
    struct link_account *account = (struct link_account *)link_account(link, name);
    if (!account) {
        account = g_new0(struct link_account, 1);
        account->name = g_strdup(name);
        account->state = g_strdup("");
        account->text = g_strdup("");
        g_ptr_array_add(link->accounts, account);
    }
    return account;
}

/* ---- events ---- */

static void
password_typed(struct app *app, const char *text, gpointer data)
{
    struct link *link = app->link;
    const char *account = data;
    g_clear_pointer(&link->asking, g_free);
    if (!text) {
        app_warn(app, _("%s stays off line until its password is known: $ asks again"), account);
        return;
    }
    g_autoptr(GError) error = NULL;
    if (!link->client || !engine_client_password(link->client, account, text, &error))
        app_error(app, _("the password could not be handed to the engine"), g_steal_pointer(&error));
}

static void
ask_password(struct link *link, const char *account, const char *text)
{
    if (link->asking || link->app->prompt)
        return; /* the engine says it again in its state */
    link->asking = g_strdup(account);
    if (*text)
        app_say(link->app, "%s", text);
    g_autofree char *label = g_strdup_printf(_("Password for %s: "), account);
    struct prompt_spec spec = {
        .label = label, .secret = TRUE, .done = password_typed, .data = g_strdup(account), .destroy = g_free};
    prompt_line(link->app, &spec);
}

static void
on_state(struct link *link, const struct engine_event *event)
{
    struct link_account *account = account_named(link, engine_event_string(event, "account"));
    const char *state = engine_event_string(event, "state"), *text = engine_event_string(event, "text");
    if (!strcmp(state, "error") && (strcmp(account->state, "error") || strcmp(account->text, text)))
        app_warn(link->app, "%s: %s", account->name,
                 *text ? text : _("an error: \"messages\" (Esc m) has the details"));
    g_free(account->state);
    g_free(account->text);
    account->state = g_strdup(state);
    account->text = g_strdup(text);
    gint64 synced = engine_event_int(event, "synced");
    if (synced)
        account->synced = synced;
    if (strcmp(state, "syncing") != 0) {
        g_clear_pointer(&account->folder, g_free);
        g_clear_pointer(&account->phase, g_free);
    }
    if (!strcmp(state, "password"))
        ask_password(link, account->name, text);
    read_line_changed(link->app, FALSE);
    app_dirty(link->app);
}

static void
on_progress(struct link *link, const struct engine_event *event)
{
    struct link_account *account = account_named(link, engine_event_string(event, "account"));
    g_free(account->folder);
    g_free(account->phase);
    account->folder = g_strdup(engine_event_string(event, "folder"));
    account->phase = g_strdup(engine_event_string(event, "phase"));
    account->done = (guint64)MAX(engine_event_int(event, "done"), 0);
    account->total = (guint64)MAX(engine_event_int(event, "total"), 0);
    app_dirty(link->app);
}

static void
on_changed(struct link *link, const struct engine_event *event G_GNUC_UNUSED)
{
    app_store_changed(link->app);
}

static void
on_need_password(struct link *link, const struct engine_event *event)
{
    ask_password(link, engine_event_string(event, "account"), engine_event_string(event, "text"));
}

static void
on_notice(struct link *link, const struct engine_event *event)
{
    const char *account = engine_event_string(event, "account");
    app_say(link->app, "%s%s%s", account, *account ? ": " : "", engine_event_string(event, "text"));
}

static void
on_found(struct link *link, const struct engine_event *event)
{
    g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    engine_event_numbers(event, "messages", messages);
    list_server_found(link->app, engine_event_string(event, "text"), messages);
}

static void
on_done(struct link *link, const struct engine_event *event)
{
    const gint64 *message = g_hash_table_lookup(link->fetches, GUINT_TO_POINTER(event->id));
    if (message) {
        if (!engine_event_bool(event, "ok"))
            read_fetch_failed(link->app, *message, engine_event_string(event, "text"));
        g_hash_table_remove(link->fetches, GUINT_TO_POINTER(event->id));
        return;
    }
    const char *search = g_hash_table_lookup(link->searches, GUINT_TO_POINTER(event->id));
    if (search) {
        list_server_done(link->app, search, engine_event_bool(event, "ok") ? NULL : engine_event_string(event, "text"));
        g_hash_table_remove(link->searches, GUINT_TO_POINTER(event->id));
        return;
    }
    const char *list = g_hash_table_lookup(link->leaving, GUINT_TO_POINTER(event->id));
    if (list) {
        if (engine_event_bool(event, "ok"))
            app_say(link->app, _("left: %s"), list);
        else
            app_warn(link->app, _("%s is not left: %s"), list, engine_event_string(event, "text"));
        g_hash_table_remove(link->leaving, GUINT_TO_POINTER(event->id));
        return;
    }
    if (!event->id || event->id != link->sync_id)
        return;
    link->sync_id = 0;
    const char *text = engine_event_string(event, "text");
    if (engine_event_bool(event, "ok"))
        app_say(link->app, "%s", *text ? text : _("in step with the servers"));
    else
        app_warn(link->app, "%s", *text ? text : _("the pass did not end well"));
}

static const struct {
    const char *verb;
    void (*handle)(struct link *link, const struct engine_event *event);
} events[] = {
    {"state", on_state},   {"progress", on_progress},           {"changed", on_changed},
    {"notice", on_notice}, {"need-password", on_need_password}, {"done", on_done},
    {"found", on_found},
};

static gboolean
readable(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    struct link *link = data;
    g_autoptr(GError) error = NULL;
    struct engine_event *event;
    while ((event = engine_client_next(link->client, &error))) {
        for (guint i = 0; i < G_N_ELEMENTS(events); i++)
            if (!strcmp(events[i].verb, event->verb))
                events[i].handle(link, event);
        engine_event_free(event);
    }
    if (!error)
        return G_SOURCE_CONTINUE;
    log_info("ui.link", "the engine is gone: %s", error->message);
    link->source = 0;
    disconnect(link);
    return G_SOURCE_REMOVE;
}

/* ---- connecting ---- */

struct attempt {
    struct link *link;
    struct engine_client *client;
    GError *error;
};

static gboolean
retry(gpointer data)
{
    struct link *link = data;
    link->timer = 0;
    connect_engine(link);
    return G_SOURCE_REMOVE;
}

static void
later(struct link *link)
{
    if (link->ended || link->timer)
        return;
    link->timer = g_timeout_add_seconds(link->delay, retry, link);
    link->delay = MIN(link->delay * 2, RETRY_LAST);
}

static void
disconnect(struct link *link)
{
    if (link->source)
        g_source_remove(link->source);
    link->source = 0;
    g_clear_pointer(&link->client, engine_client_free);
    g_hash_table_remove_all(link->fetches);
    g_hash_table_remove_all(link->searches);
    list_server_done(link->app, NULL, _("the engine has gone"));
    g_hash_table_remove_all(link->leaving);
    for (guint i = 0; i < link->accounts->len; i++) {
        struct link_account *account = g_ptr_array_index(link->accounts, i);
        g_clear_pointer(&account->folder, g_free);
    }
    later(link);
    app_dirty(link->app);
}

static gboolean
attempt_done(gpointer data)
{
    struct attempt *attempt = data;
    struct link *link = attempt->link;
    g_clear_pointer(&link->connecting, g_thread_join);
    if (link->ended) {
        engine_client_free(attempt->client);
        g_clear_error(&attempt->error);
        g_free(attempt);
        return G_SOURCE_REMOVE;
    }
    if (attempt->client) {
        link->client = attempt->client;
        link->delay = RETRY_FIRST;
        link->source =
            g_unix_fd_add(engine_client_fd(link->client), G_IO_IN | G_IO_HUP | G_IO_ERR, readable, link);
        engine_client_send(link->client, "status", NULL, NULL);
        read_line_changed(link->app, TRUE);
        if (link->offline)
            link_set_online(link, FALSE);
        if (link->wake)
            link_wake(link);
    } else {
        log_info("ui.link", "no engine: %s", attempt->error->message);
        later(link);
    }
    g_clear_error(&attempt->error);
    g_free(attempt);
    app_dirty(link->app);
    return G_SOURCE_REMOVE;
}

static gpointer
connect_thread(gpointer data)
{
    struct attempt *attempt = data;
    attempt->client = engine_client_new(ENGINE_START, TRUE, &attempt->error);
    g_idle_add_full(G_PRIORITY_DEFAULT, attempt_done, attempt, NULL);
    return NULL;
}

static void
connect_engine(struct link *link)
{
    if (link->connecting || link->client || link->ended)
        return;
    struct attempt *attempt = g_new0(struct attempt, 1);
    attempt->link = link;
    link->connecting = g_thread_new("engine-link", connect_thread, attempt);
}

struct link *
link_new(struct app *app)
{
    struct link *link = g_new0(struct link, 1);
    link->app = app;
    link->delay = RETRY_FIRST;
    link->accounts = g_ptr_array_new_with_free_func(account_free);
    link->fetches = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    link->searches = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    link->leaving = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    connect_engine(link);
    return link;
}

void
link_free(struct link *link)
{
    if (!link)
        return;
    link->ended = TRUE;
    if (link->timer)
        g_source_remove(link->timer);
    while (link->connecting) /* a start takes a fraction of a second; its answer comes by the main loop */
        g_main_context_iteration(NULL, TRUE);
    if (link->source)
        g_source_remove(link->source);
    engine_client_free(link->client);
    g_ptr_array_unref(link->accounts);
    g_hash_table_unref(link->fetches);
    g_hash_table_unref(link->searches);
    g_hash_table_unref(link->leaving);
    g_free(link->asking);
    g_free(link);
}

gboolean
link_is_connected(const struct link *link)
{
    return link && link->client;
}

/* ---- requests ---- */

void
link_wake(struct link *link)
{
    if (!link)
        return;
    link->wake = !link->client || !engine_client_wake(link->client);
}

gboolean
link_sync(struct link *link)
{
    g_autoptr(GError) error = NULL;
    if (!link || !link->client)
        return FALSE;
    link->sync_id = engine_client_sync(link->client, NULL, &error);
    return link->sync_id != 0;
}

gboolean
link_sync_one(struct link *link, const char *account, const char *folder)
{
    if (!link || !link->client)
        return FALSE;
    const char *const accounts[] = {account, NULL};
    g_autoptr(GVariantDict) values = g_variant_dict_new(NULL);
    g_variant_dict_insert(values, "accounts", "^as", accounts);
    g_variant_dict_insert(values, "folder", "s", folder ? folder : "");
    link->sync_id = engine_client_send(link->client, "sync", values, NULL);
    return link->sync_id != 0;
}

void
link_pause(struct link *link, const char *account, gboolean paused)
{
    if (link && link->client)
        engine_client_pause(link->client, account, paused, NULL);
}

void
link_flush(struct link *link)
{
    if (link && link->client)
        engine_client_send(link->client, "flush", NULL, NULL);
}

void
link_fetch(struct link *link, gint64 message)
{
    guint id = link && link->client ? engine_client_fetch(link->client, message, NULL) : 0;
    if (id)
        g_hash_table_insert(link->fetches, GUINT_TO_POINTER(id), g_memdup2(&message, sizeof message));
}

gboolean
link_search(struct link *link, const char *text)
{
    guint id = link && link->client ? engine_client_search(link->client, text, FALSE, NULL) : 0;
    if (id)
        g_hash_table_insert(link->searches, GUINT_TO_POINTER(id), g_strdup(text));
    return id != 0;
}

gboolean
link_unsubscribe(struct link *link, gint64 message, const char *list)
{
    if (!link || !link->client)
        return FALSE;
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "message", "x", message);
    guint id = engine_client_send(link->client, "unsubscribe", &values, NULL);
    if (id)
        g_hash_table_insert(link->leaving, GUINT_TO_POINTER(id), g_strdup(list ? list : _("the list")));
    return id != 0;
}

void
link_watch(struct link *link, const char *account, const char *folder)
{
    if (!link || !link->client)
        return;
    g_autoptr(GVariantDict) values = g_variant_dict_new(NULL);
    g_variant_dict_insert(values, "account", "s", account);
    g_variant_dict_insert(values, "folder", "s", folder);
    engine_client_send(link->client, "watch", values, NULL);
}

void
link_set_online(struct link *link, gboolean online)
{
    if (!link)
        return;
    link->offline = !online;
    if (!link->client)
        return;
    g_autoptr(GVariantDict) values = g_variant_dict_new(NULL);
    g_variant_dict_insert(values, "b", "b", online);
    engine_client_send(link->client, "online", values, NULL);
}

char *
link_status(const struct link *link)
{
    guint offline = 0, waiting = 0, paused = 0;
    if (link && !link->client && !link->connecting)
        return g_strdup(_("no engine: changes wait"));
    const struct link_account *busy = NULL;
    for (guint i = 0; link && i < link->accounts->len; i++) {
        const struct link_account *account = g_ptr_array_index(link->accounts, i);
        offline += !strcmp(account->state, "offline") || !strcmp(account->state, "error");
        waiting += !strcmp(account->state, "password");
        paused += !strcmp(account->state, "paused");
        if (!strcmp(account->state, "syncing") && (!busy || account->folder))
            busy = account;
    }
    if (busy && busy->folder && *busy->folder) {
        if (!busy->total)
            return g_strdup_printf(_("syncing %s"), busy->folder);
        g_autofree char *bar = draw_bar(busy->done, busy->total, 10);
        return g_strdup_printf(_("syncing %s  %d%% %s"), busy->folder,
                               (int)(MIN(busy->done, busy->total) * 100 / busy->total), bar);
    }
    if (busy)
        return g_strdup_printf(_("syncing %s"), busy->name);
    if (waiting)
        return g_strdup(_("a password is wanted: $"));
    if (link && link->accounts->len && offline == link->accounts->len)
        return g_strdup(_("off line"));
    if (link && link->accounts->len && paused == link->accounts->len)
        return g_strdup(_("paused"));
    return g_strdup("");
}
