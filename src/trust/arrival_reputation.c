/* arrival_reputation.c - the stage of arrival.h that looks at the sender: signs of pretence, block lists
 *
 * What it finds is there for the filter and the list; the screen looks anew (reputation.h).
 */
#include "config.h"

#include "trust/arrival.h"

#include "base/json.h"
#include "mail/attachment.h"
#include "trust/authority.h"
#include "trust/blocklist.h"
#include "trust/reputation.h"

#include <string.h>

#define LISTS_MS 6000 /* of a message; the account's other work waits */

static char *
ask_lists(struct arrival *arrival)
{
    const struct arrival_host *host = arrival->host;
    const struct config *config = host->config;
    const char *own[] = {host->account && host->account->incoming ? host->account->incoming->host : NULL, NULL};
    if (!host->dns || !config || (!config->address_lists && !config->domain_lists))
        return NULL;
    g_autoptr(struct_journey) journey = journey_read(arrival->bytes, own);
    g_auto(GStrv) domains = blocklist_domains(arrival->document);
    struct handover handover;
    handover_read(arrival->bytes, journey, &handover);
    dns_begin(host->dns, LISTS_MS);
    char *lines = blocklist_ask(host->dns, (const char *const *)config->address_lists, (const char *const *)config->domain_lists,
                                handover.ip, (const char *const *)domains);
    handover_clear(&handover);
    return lines;
}

static gboolean
attachments_warn(const struct document *document)
{
    for (guint i = 0; i < document->parts->len; i++)
        if (((const struct document_part *)document->parts->pdata[i])->marks & ATTACHMENT_WARNS)
            return TRUE;
    return FALSE;
}

static char *
describe(const struct reputation *reputation, const char *lists, const char *evidence)
{
    struct json json;
    g_autoptr(GString) marks = g_string_new(NULL), warnings = g_string_new(NULL);
    for (guint i = 0; i < reputation->signs->len; i++) {
        const struct reputation_sign *sign = reputation->signs->pdata[i];
        g_string_append_printf(sign->warns ? warnings : marks, "%s\n", reputation_mark_name(sign->mark));
    }
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "warnings", warnings->str);
    json_string(&json, "marks", marks->str);
    json_string(&json, "lists", lists);
    json_string(&json, "evidence", evidence);
    json_object_end(&json);
    return json_finish(&json);
}

gboolean
arrival_reputation(struct arrival *arrival, char **verdict, GError **error)
{
    struct store *store = arrival->store;
    gint64 message = arrival->message->id;
    g_autofree char *lists = ask_lists(arrival), *vouch = verdict_field(store, message, AUTHORITY_STAGE, "vouch");
    struct reputation reputation;
    reputation_find(store, arrival->host->config, message, arrival->document->envelope, lists, &reputation);
    gboolean warns = reputation_warns(&reputation) || !g_strcmp0(vouch, "forged") || attachments_warn(arrival->document);
    g_autofree char *evidence = reputation_evidence(&reputation, arrival->document, vouch);
    *verdict = describe(&reputation, lists, evidence);
    gboolean ok = known_arrived(store, message, REPUTATION_STAGE, *verdict,
                                g_strcmp0(vouch, "good") ? NULL : reputation.owner, error);
    ok = ok && (!warns || message_set_bits(store, message, MESSAGE_WARNED, 0, error));
    reputation_clear(&reputation);
    return ok;
}
