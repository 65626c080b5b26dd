#include "config.h"

#include "cli/post.h"
#include "cli/command.h"
#include "cli/queue.h"
#include "base/i18n.h"
#include "config/password.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/client.h"
#include "mail/draftfile.h"
#include "mail/mailto.h"
#include "mail/rawmsg.h"
#include "mail/reader.h"
#include "store/account.h"
#include "store/outbox.h"

#include <string.h>
#include <sysexits.h>

#define ATTACHMENTS_MAX (200 * 1024 * 1024)
#define NOW_LIMIT_MS (300 * 1000)

const struct account *
post_account(const char *from, GError **error)
{
    const struct config *config = cli_config(error);
    const struct account *account = NULL;
    if (!config)
        return NULL;
    if (from && !cli_account)
        account = config_account_for(config, from);
    if (!account)
        account = config_account(config, cli_account, error);
    if (account && !account->outgoing) {
        g_set_error(error, CLI_ERROR, ERROR_CONFIG,
                    _("the account %s cannot send: it has no \"outgoing = smtps://…\" in %s"), account->name,
                    config->path);
        return NULL;
    }
    return account;
}

/* Waits until the engine has tried; the item then says what became of it. */
static gboolean
deliver_now(gint64 id, int *exit_code, GError **error)
{
    g_autoptr(struct_engine_client) client = engine_client_new(ENGINE_START, FALSE, error);
    guint request = client ? engine_client_send(client, "flush", NULL, error) : 0;
    int answer = 0;
    gboolean answered = FALSE;
    if (!request)
        return FALSE;
    for (;;) {
        g_autoptr(struct_engine_event) event = engine_client_wait(client, NOW_LIMIT_MS, error);
        if (!event && error && *error)
            return FALSE;
        if (!event)
            break;
        if (!strcmp(event->verb, "done") && event->id == request) {
            answer = (int)engine_event_int(event, "code");
            if (!answered || answer != EX_NOPERM)
                break;
            answered = FALSE; /* the attempt that asked ended with the question */
            if (!(request = engine_client_send(client, "flush", NULL, error)))
                return FALSE;
        }
        if (!strcmp(event->verb, "need-password")) {
            g_autofree char *prompt =
                g_strdup_printf("Password of %s:", engine_event_string(event, "account"));
            char *secret = cli_ask(prompt, TRUE);
            if (!secret)
                break;
            engine_client_password(client, engine_event_string(event, "account"), secret, NULL);
            password_free(secret);
            answered = TRUE;
        }
    }
    struct store *store = cli_store(STORE_READ, error);
    g_autoptr(struct_outbox_item) item = store ? outbox_get(store, id, error) : NULL;
    if (!item)
        return FALSE;
    static const int codes[OUTBOX_STATES] = {
        [OUTBOX_WAITING] = EX_TEMPFAIL,   [OUTBOX_SENDING] = EX_TEMPFAIL, [OUTBOX_DEFERRED] = EX_TEMPFAIL,
        [OUTBOX_FAILED] = EX_UNAVAILABLE, [OUTBOX_UNKNOWN] = EX_TEMPFAIL, [OUTBOX_CANCELLED] = EX_TEMPFAIL};
    /* What concerns the account (no login, no network) is the engine's answer; the rest is in the item. */
    *exit_code = item->state == OUTBOX_WAITING && answer ? answer : codes[item->state];
    if (*exit_code)
        cli_note("postrider: message %" G_GINT64_FORMAT " is %s%s%s", id, outbox_state_name(item->state),
                 item->error ? ": " : "", item->error ? item->error : "");
    return TRUE;
}

gboolean
post_message(GBytes *message, const char *from, const GPtrArray *recipients, const char *subject,
             const char *message_id, const struct post_options *options, int *exit_code, GError **error)
{
    struct store *store = cli_store(STORE_WRITE, error);
    if (!store)
        return FALSE;
    struct outbox_new item = {
        .account = store_account_find(store, options->account->name),
        .message = message,
        .from = from,
        .recipients = recipients,
        .subject = subject,
        .message_id = message_id,
        .hold = options->hold,
        .send_at = options->at,
        .copy = options->account->sent_copy && account_receives(options->account),
        .dsn_notify = options->dsn_notify,
        .dsn_ret = options->dsn_ret,
        .dsn_envid = options->dsn_envid,
    };
    gint64 id = outbox_queue(store, &item, error);
    if (!id)
        return FALSE;
    if (options->now && !options->hold) {
        if (!deliver_now(id, exit_code, error))
            return FALSE;
    } else if (!options->hold) {
        engine_kick();
    }
    if (options->quiet)
        return TRUE;
    /* It is in the queue: an output that cannot be written must not make a script send it again. */
    g_autoptr(GError) unsaid = NULL;
    g_autoptr(struct_outbox_item) queued = outbox_get(store, id, &unsaid);
    if (!queued || !queue_print(queued, &unsaid))
        cli_note("postrider: %s: %s", _("the message is queued, but this could not be printed"), unsaid->message);
    return TRUE;
}

gboolean
post_draft(struct draft *draft, const struct post_options *options, int *exit_code, GError **error)
{
    if (!address_list_length(draft->from))
        address_list_add(draft->from, options->account->real_name, options->account->address);
    if (!draft_load_attachments(draft, ATTACHMENTS_MAX, error) || !draft_check(draft, error))
        return FALSE;
    g_autofree char *message_id = NULL;
    g_autoptr(struct_reader) reader = reader_new();
    g_autoptr(GBytes) message = reader_build(reader, draft, &message_id, NULL, error);
    if (!message)
        return FALSE;
    g_autoptr(GBytes) wire = message_without_bcc(message);
    g_autoptr(GPtrArray) recipients = draft_recipients(draft);
    return post_message(wire, address_list_get(draft->from, 0)->addr, recipients, draft->subject, message_id,
                        options, exit_code, error);
}

gboolean
post_add_addresses(GPtrArray *list, const char *text, const char *what, GError **error)
{
    g_autoptr(GPtrArray) parsed = address_list_parse(text, error);
    if (!parsed) {
        g_prefix_error(error, "%s: ", what);
        return FALSE;
    }
    for (guint i = 0; i < parsed->len; i++) {
        const struct address *address = address_list_get(parsed, i);
        address_list_add(list, address->name, address->addr);
    }
    return TRUE;
}

gboolean
post_add_header(struct draft *draft, const char *line, const char *option, GError **error)
{
    const char *colon = strchr(line, ':');
    if (!colon || colon == line)
        return cli_usage_error(error, _("%s \"%s\": a field is written NAME: VALUE"), option, line);
    for (const char *byte = line; byte < colon; byte++)
        if (*byte <= ' ' || *byte > '~') { /* RFC 5322, 2.2 */
            g_set_error(error, CLI_ERROR, ERROR_INPUT,
                        _("%s \"%.*s\": the name of a field has no spaces and is plain ASCII"), option,
                        (int)(colon - line), line);
            return FALSE;
        }
    if (strpbrk(colon, "\r\n")) {
        g_set_error(error, CLI_ERROR, ERROR_INPUT, _("%s %.*s: the value has a line break"), option,
                    (int)(colon - line), line);
        return FALSE;
    }
    g_autofree char *name = g_strndup(line, (gsize)(colon - line));
    if (!draftfile_add_field(draft, name, colon + 1, error)) {
        g_prefix_error(error, "%s: ", option);
        return FALSE;
    }
    return TRUE;
}

char *
post_text(GBytes *bytes)
{
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    if (!len)
        return g_strdup("");
    if (g_utf8_validate(data, (gssize)len, NULL))
        return g_strndup(data, len);
    char *text = g_locale_to_utf8(data, (gssize)len, NULL, NULL, NULL);
    if (!text)
        text = g_convert_with_fallback(data, (gssize)len, "UTF-8", "WINDOWS-1252", NULL, NULL, NULL, NULL);
    return text ? text : g_utf8_make_valid(data, (gssize)len);
}

gboolean
post_add_link(struct draft *draft, const char *url, GError **error)
{
    g_autofree char *dropped = NULL;
    g_autoptr(struct_draft) link = mailto_parse(url, &dropped, error);
    if (!link)
        return FALSE;
    GPtrArray *const from[] = {link->to, link->cc, link->bcc}, *const into[] = {draft->to, draft->cc,
                                                                                draft->bcc};
    for (guint i = 0; i < G_N_ELEMENTS(from); i++)
        for (guint n = 0; n < address_list_length(from[i]); n++)
            address_list_add(into[i], address_list_get(from[i], n)->name, address_list_get(from[i], n)->addr);
    if (!*draft->subject)
        draft_set_subject(draft, link->subject);
    if (!*draft->body)
        draft_set_body(draft, link->body);
    if (link->in_reply_to && !draft->in_reply_to)
        draft->in_reply_to = g_strdup(link->in_reply_to);
    if (address_list_length(link->bcc))
        cli_note("%s", "the link asks for a blind copy: look at the Bcc line");
    if (dropped)
        cli_note("%s", dropped);
    return TRUE;
}
