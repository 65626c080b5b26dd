/* arrival_rules.c - the stage of arrival.h that files mail by the user's rules */
#include "config.h"

#include "trust/arrival.h"
#include "trust/rules.h"

#include "store/folder.h"

/* What was done stands in store/filing.h. */
gboolean
arrival_rules(struct arrival *arrival, char **verdict, GError **error)
{
    const struct arrival_host *host = arrival->host;
    *verdict = NULL;
    if (!host->config || !host->account || !host->config->rules->len || !message_lies_in(arrival->store, arrival->message->id, 1u << FOLDER_INBOX))
        return TRUE;
    g_autoptr(GPtrArray) rules = rules_compile(host->config, error);
    guint acted = 0;
    struct rules_context context = {
        .store = arrival->store, .config = host->config, .rules = rules, .notice = host->notice, .data = host->data};
    if (!rules || !rules_arrived(&context, arrival->message->id, host->account->name, &acted, error))
        return FALSE;
    *verdict = acted ? g_strdup_printf("{\"rules\":%u}", acted) : NULL;
    return TRUE;
}
