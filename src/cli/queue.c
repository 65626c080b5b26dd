/* queue.c - postrider queue: the outbox */
#include "config.h"

#include "cli/queue.h"
#include "cli/commands.h"
#include "cli/rows.h"
#include "base/i18n.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "base/width.h"
#include "engine/client.h"

#include <string.h>

static gboolean all_items;
static char *better_address;

static const GOptionEntry entries[] = {
    {"to", 0, 0, G_OPTION_ARG_STRING, &better_address, N_("with resend: the better address, or OLD=NEW"), "ADDRESS"},
    {"all", 'a', 0, G_OPTION_ARG_NONE, &all_items, N_("list also what was sent or cancelled"), NULL},
    {NULL},
};

static const char *
shown_state(const struct outbox_item *item)
{
    return item->hold && item->state == OUTBOX_WAITING ? "held" : outbox_state_name(item->state);
}

static void
json_error(struct json *json, const char *key, int code, const char *enhanced, const char *text)
{
    if (!code && !text) {
        json_null(json, key);
        return;
    }
    json_object_begin(json, key);
    code ? json_int(json, "code", code) : json_null(json, "code");
    json_string(json, "enhanced", enhanced);
    json_string(json, "text", text);
    json_object_end(json);
}

void
queue_json_attempts(struct json *json, const GPtrArray *attempts, gboolean with_dialogue)
{
    json_array_begin(json, "attempts");
    for (guint i = 0; attempts && i < attempts->len; i++) {
        const struct outbox_attempt *attempt = attempts->pdata[i];
        g_autofree char *time =
            clock_rfc3339_ms(attempt->time, clock_local_zone(attempt->time / G_USEC_PER_SEC));
        json_object_begin(json, NULL);
        json_string(json, "time", time);
        json_string(json, "server", attempt->server);
        json_string(json, "tls", attempt->tls);
        json_string(json, "reply", attempt->reply);
        json_bool(json, "ok", attempt->ok);
        if (with_dialogue)
            json_string(json, "dialogue", attempt->dialogue);
        json_object_end(json);
    }
    json_array_end(json);
}

/* attempts: NULL, or those of the item. */
static gboolean
print_json(const struct outbox_item *item, const GPtrArray *attempts, GError **error)
{
    struct json json;
    gboolean waits = item->state == OUTBOX_WAITING || item->state == OUTBOX_DEFERRED;
    g_autofree char *next = waits && item->next_attempt ? clock_rfc3339(item->next_attempt, 0) : NULL;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_int(&json, "id", item->id);
    json_string(&json, "state", shown_state(item));
    json_string(&json, "account", item->account_name);
    json_string(&json, "from", item->from);
    json_array_begin(&json, "to");
    for (guint i = 0; i < item->recipients->len; i++)
        json_string(&json, NULL, ((struct outbox_recipient *)item->recipients->pdata[i])->addr);
    json_array_end(&json);
    json_string(&json, "subject", item->subject);
    json_string(&json, "message_id", item->message_id);
    json_string(&json, "next", next);
    json_int(&json, "attempt", item->attempts);
    json_error(&json, "error", item->code, item->enhanced, item->error);
    json_array_begin(&json, "recipients");
    for (guint i = 0; i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = item->recipients->pdata[i];
        json_object_begin(&json, NULL);
        json_string(&json, "address", recipient->addr);
        json_string(&json, "state", outbox_state_name(recipient->state));
        json_error(&json, "error", recipient->code, recipient->enhanced, recipient->text);
        json_object_end(&json);
    }
    json_array_end(&json);
    if (attempts)
        queue_json_attempts(&json, attempts, TRUE);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

gboolean
queue_print(const struct outbox_item *item, GError **error)
{
    if (cli_json)
        return print_json(item, NULL, error);
    g_autoptr(GString) to = g_string_new(NULL);
    for (guint i = 0; i < item->recipients->len; i++)
        g_string_append_printf(to, "%s%s", i ? ", " : "",
                               ((struct outbox_recipient *)item->recipients->pdata[i])->addr);
    g_autofree char *safe_to = text_safe(to->str, -1, TEXT_LINE),
                    *subject = text_safe(item->subject, -1, TEXT_LINE);
    g_autofree char *to_cell = width_fit(safe_to, 30);
    g_autofree char *next = NULL;
    if (item->next_attempt > clock_now() && (item->state == OUTBOX_DEFERRED || item->state == OUTBOX_WAITING)) {
        g_autofree char *when = clock_relative(item->next_attempt, clock_now());
        next = g_strdup_printf(" (next attempt %s)", when);
    }
    g_autofree char *line =
        g_strdup_printf("%4" G_GINT64_FORMAT "  %-9s %s %s%s", item->id, shown_state(item), to_cell,
                        *subject ? subject : "(no subject)", next ? next : "");
    if (!cli_print(line, error))
        return FALSE;
    if (!item->error)
        return TRUE;
    g_autofree char *why = text_safe(item->error, -1, TEXT_LINE);
    g_autofree char *code = item->code ? g_strdup_printf("%d ", item->code) : g_strdup("");
    g_autofree char *reason =
        g_strdup_printf("      %s%s%s%s", code, item->code && item->enhanced ? item->enhanced : "",
                        item->code && item->enhanced ? " " : "", why);
    return cli_print(reason, error);
}

gboolean
queue_print_all(gboolean all, GError **error)
{
    gint64 account;
    g_autoptr(GError) local = NULL;
    struct store *store = cli_store(STORE_READ, &local);
    if (g_error_matches(local, STORE_ERROR, ERROR_NOINPUT))
        return TRUE; /* nothing was ever sent */
    if (!store) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!cli_account_id(store, &account, error))
        return FALSE;
    g_autoptr(GPtrArray) items = outbox_list(store, account, all, error);
    for (guint i = 0; items && i < items->len; i++)
        if (!queue_print(items->pdata[i], error))
            return FALSE;
    return items != NULL;
}

gboolean
queue_flush(GError **error)
{
    gint64 account;
    struct store *store = cli_store(STORE_WRITE, error);
    if (!store || !cli_account_id(store, &account, error) || !outbox_flush(store, account, error))
        return FALSE;
    engine_kick();
    return TRUE;
}

static gboolean
show_item(struct store *store, gint64 id, GError **error)
{
    g_autoptr(struct_outbox_item) item = outbox_get(store, id, error);
    g_autoptr(GPtrArray) attempts = item ? outbox_attempts(store, id, error) : NULL;
    if (attempts && cli_json)
        return print_json(item, attempts, error);
    if (!attempts || !queue_print(item, error))
        return FALSE;
    for (guint i = 0; i < attempts->len; i++) {
        const struct outbox_attempt *attempt = attempts->pdata[i];
        g_autofree char *time =
            clock_rfc3339_ms(attempt->time, clock_local_zone(attempt->time / G_USEC_PER_SEC));
        g_autofree char *head =
            g_strdup_printf("\n%s  %s  %s  %s", time, attempt->server, attempt->tls ? attempt->tls : "no TLS",
                            attempt->ok ? "sent" : "not sent");
        g_autofree char *dialogue =
            text_safe(attempt->dialogue ? attempt->dialogue : attempt->reply, -1, TEXT_BODY);
        if (!cli_print(head, error) || !cli_print(dialogue, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
hold_item(struct store *store, gint64 id, GError **error)
{
    return outbox_hold(store, id, TRUE, error);
}

static gboolean
retry_item(struct store *store, gint64 id, GError **error)
{
    return outbox_hold(store, id, FALSE, NULL) ? outbox_retry(store, id, error)
                                               : outbox_retry(store, id, error);
}

static gboolean
resend_item(struct store *store, gint64 id, GError **error)
{
    char *equals = better_address ? strchr(better_address, '=') : NULL;
    gboolean is_pair = equals && strchr(better_address, '@') < equals && strchr(equals, '@');
    g_autofree char *failed = is_pair ? g_strndup(better_address, (gsize)(equals - better_address)) : NULL;
    return outbox_resend(store, id, failed, is_pair ? equals + 1 : better_address, error);
}

static gboolean
cancel_item(struct store *store, gint64 id, GError **error)
{
    return outbox_cancel(store, id, NULL, error);
}

/* The words after `queue` that take an ID. */
static const struct {
    const char *name;
    gboolean (*run)(struct store *store, gint64 id, GError **error);
    enum store_mode mode;
    gboolean wake;
} actions[] = {
    {"show", show_item, STORE_READ, FALSE},
    {"retry", retry_item, STORE_WRITE, TRUE},
    {"resend", resend_item, STORE_WRITE, TRUE},
    {"hold", hold_item, STORE_WRITE, FALSE},
    {"cancel", cancel_item, STORE_WRITE, FALSE},
};

static gboolean
run_queue(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    const char *word = argc ? argv[0] : "list";
    if (!strcmp(word, "list") && argc <= 1)
        return queue_print_all(all_items, error);
    if (!strcmp(word, "flush") && argc == 1)
        return queue_flush(error);
    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(word, actions[i].name))
            continue;
        guint64 id;
        if (argc != 2 || !g_ascii_string_to_unsigned(argv[1], 10, 1, G_MAXINT64, &id, NULL))
            return cli_usage_error(error, _("queue %s takes the number of one message in the queue"), word);
        struct store *store = cli_store(actions[i].mode, error);
        if (!store || !actions[i].run(store, (gint64)id, error))
            return FALSE;
        if (actions[i].wake)
            engine_kick();
        if (!cli_json || actions[i].run == show_item)
            return TRUE;
        g_autoptr(struct_outbox_item) item = outbox_get(store, (gint64)id, error);
        return item && print_json(item, NULL, error);
    }
    return cli_usage_error(error, _("queue %s: the words are list, show, flush, retry, resend, hold, cancel"), word);
}

const struct cli_command cmd_queue = {
    "queue",
    "[list|show|flush|retry|resend|hold|cancel] [ID]",
    N_("the outgoing queue"),
    N_("list (the default) shows what has not left yet, with the state and the server's words; show ID adds "
       "the dialogue of each attempt (with --json: attempts); "
       "flush tries all now; retry ID one, also a failed or a held one; resend ID sends a failed one again "
       "to those whom it did not reach, with --to at a better address; hold ID keeps it; cancel ID takes it "
       "out. With --json they print the item as it is then.\n\n"
       "States: waiting, held, sending, deferred (tried again by itself), failed, unknown (the connection "
       "broke when the server may have "
       "taken it already: it is not sent again by itself), sent, cancelled."),
    entries,
    WORDS_ANYWHERE,
    run_queue};
