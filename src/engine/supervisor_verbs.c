#include "config.h"

#include "engine/supervisor_private.h"

#include <string.h>
#include <unistd.h>

static void
ask_attach(struct client *client, guint id G_GNUC_UNUSED, const char *verb G_GNUC_UNUSED, GVariant *values)
{
    struct supervisor *sup = client->supervisor;
    GVariantDict hello;
    g_variant_lookup(values, "poll", "b", &client->poll);
    g_variant_dict_init(&hello, NULL);
    g_variant_dict_insert(&hello, "version", "s", PACKAGE_VERSION);
    g_variant_dict_insert(&hello, "pid", "u", (guint)getpid());
    client_send(client, "hello", 0, g_variant_dict_end(&hello));
    supervisor_update_polling(sup);
}

/* To the accounts that are named, or to all. */
static void
ask_accounts(struct client *client, guint id, const char *verb, GVariant *values)
{
    struct supervisor *sup = client->supervisor;
    g_autofree const char **names = NULL;
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();
    g_variant_lookup(values, "accounts", "^a&s", &names);
    for (const char **name = names; name && *name; name++) {
        struct child *child = supervisor_find_account(sup, *name);
        if (!child) {
            g_autofree char *text = g_strdup_printf("there is no account \"%s\"", *name);
            client_answer(client, id, FALSE, 64, text);
            return;
        }
        g_ptr_array_add(chosen, child);
    }
    if (!chosen->len)
        for (guint i = 0; i < sup->accounts->len; i++)
            g_ptr_array_add(chosen, sup->accounts->pdata[i]);
    client_distribute(client, id, verb, chosen, values);
}

static void
ask_all_accounts(struct client *client, guint id, const char *verb, GVariant *values)
{
    client_distribute(client, id, verb, client->supervisor->accounts, values);
}

static void
ask_wake(struct client *client, guint id G_GNUC_UNUSED, const char *verb G_GNUC_UNUSED, GVariant *values G_GNUC_UNUSED)
{
    struct supervisor *sup = client->supervisor;
    for (guint i = 0; i < sup->accounts->len; i++)
        child_send(sup->accounts->pdata[i], "wake", 0, NULL);
    if (sup->index)
        child_send(sup->index, "wake", 0, NULL);
    g_autoptr(GVariant) none = g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0));
    for (guint i = 0; i < sup->clients->len; i++) /* the other screens see the wanted state too */
        if (sup->clients->pdata[i] != client)
            client_send(sup->clients->pdata[i], "changed", 0, none);
}

/* To one account, without an answer. */
static void
pass_to_account(struct client *client, guint id G_GNUC_UNUSED, const char *verb, GVariant *values)
{
    const char *name = "";
    g_variant_lookup(values, "account", "&s", &name);
    struct child *child = supervisor_find_account(client->supervisor, name);
    if (child)
        child_send(child, verb, 0, values);
}

static void
ask_status(struct client *client, guint id, const char *verb G_GNUC_UNUSED, GVariant *values G_GNUC_UNUSED)
{
    GHashTableIter iter;
    gpointer state;
    g_hash_table_iter_init(&iter, client->supervisor->states);
    while (g_hash_table_iter_next(&iter, NULL, &state))
        client_send(client, "state", 0, state);
    client_answer(client, id, TRUE, 0, "");
}

static void
ask_stop(struct client *client, guint id, const char *verb G_GNUC_UNUSED, GVariant *values G_GNUC_UNUSED)
{
    client_answer(client, id, TRUE, 0, "");
    supervisor_end(client->supervisor);
}

static const struct {
    const char *verb;
    void (*run)(struct client *client, guint id, const char *verb, GVariant *values);
} verbs[] = {
    {"attach", ask_attach},
    {"status", ask_status},
    {"wake", ask_wake},
    {"stop", ask_stop},
    {"sync", ask_accounts},
    {"sieve", ask_accounts},
    {"flush", ask_all_accounts},
    {"fetch", ask_all_accounts},
    {"search", ask_all_accounts},
    {"online", ask_all_accounts},
    {"unsubscribe", ask_all_accounts},
    {"password", pass_to_account},
    {"watch", pass_to_account},
    {"pause", pass_to_account},
};

void
client_record(struct client *client, GVariant *record)
{
    const char *verb;
    guint id;
    g_autoptr(GVariant) values = NULL;
    g_variant_get(record, "(&su@a{sv})", &verb, &id, &values);
    supervisor_follow_config(client->supervisor);
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (!strcmp(verbs[i].verb, verb)) {
            verbs[i].run(client, id, verb, values);
            return;
        }
    client_answer(client, id, FALSE, 76,
                  "the engine does not know this request: it may be of another version; stop it");
}
