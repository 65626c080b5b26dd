/* arrival_authentication.c - the stage of arrival.h that finds out who vouches
 *
 * What an own server found, where its word counts (authority.h); else what is found here (check.h).
 */
#include "config.h"

#include "trust/arrival.h"

#include "base/error.h"
#include "base/json.h"
#include "trust/arc.h"
#include "trust/authority.h"
#include "trust/authres.h"
#include "trust/check.h"
#include "trust/vouch.h"

#include <string.h>

#define CHECK_MS 12000 /* of a message; the account's other work waits */

static struct authentication *
check_here(struct arrival *arrival, const struct journey *journey, GError **error)
{
    const struct arrival_host *host = arrival->host;
    struct handover handover;
    handover_read(arrival->bytes, journey, &handover);
    struct check_input input = {.message = arrival->bytes,
                                .from = check_author(arrival->document->envelope),
                                .ip = handover.ip,
                                .helo = handover.helo,
                                .mail_from = handover.mail_from,
                                .when = handover.time ? handover.time : arrival->message->received};
    dns_begin(host->dns, CHECK_MS);
    struct authentication *found = check_message(&input, host->dns);
    handover_clear(&handover);
    g_autoptr(struct_authentication) claims = g_strcmp0(found->arc, "pass") ? NULL : arc_claims(arrival->bytes);
    if (host->account_id && (!authority_learn(arrival->store, host->account_id, journey, found, error) ||
                             !authority_learn_sealer(arrival->store, host->account_id, claims, found, error)))
        g_clear_pointer(&found, authentication_free);
    return found;
}

static char *
describe(struct arrival *arrival, const struct authority *authority, const struct authentication *found)
{
    struct vouch vouch;
    struct json json;
    g_autofree char *results = authres_format(found);
    vouch_judge(found, arrival->document->envelope, &vouch);
    authority_soften(authority, arrival->bytes, found, arrival->document->envelope, &vouch);
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "vouch", vouch_name(vouch.kind));
    json_string(&json, "domain", vouch.domain);
    json_string(&json, "words", vouch.words);
    json_string(&json, "results", results);
    json_object_end(&json);
    vouch_clear(&vouch);
    return json_finish(&json);
}

gboolean
arrival_authentication(struct arrival *arrival, char **verdict, GError **error)
{
    const struct arrival_host *host = arrival->host;
    const char *own[] = {host->account && host->account->incoming ? host->account->incoming->host : NULL,
                         NULL};
    g_autoptr(struct_journey) journey = journey_read(arrival->bytes, own);
    g_autoptr(struct_authority) authority = authority_load(host->config, host->account, arrival->store);
    g_autoptr(struct_authentication) found = authority_choose(authority, journey);
    if (!found && host->dns) {
        found = check_here(arrival, journey, error);
        if (!found)
            return FALSE;
    }
    if (!found)
        return TRUE;
    *verdict = describe(arrival, authority, found);
    return TRUE;
}

gboolean
arrival_authentication_again(struct arrival *arrival, char **verdict G_GNUC_UNUSED, GError **error)
{
    g_autofree char *results =
        verdict_field(arrival->store, arrival->message->id, AUTHORITY_STAGE, "results");
    g_autoptr(struct_authentication) before = results ? authres_parse_own(results) : NULL;
    if (!before || before->by || !check_is_unfinished(before) || !arrival->host->dns)
        return TRUE;
    g_autofree char *now = NULL;
    if (!arrival_authentication(arrival, &now, error))
        return FALSE;
    g_autofree char *kept = verdict_get(arrival->store, arrival->message->id, AUTHORITY_STAGE);
    if (now && g_strcmp0(now, kept) &&
        !verdict_set(arrival->store, arrival->message->id, AUTHORITY_STAGE, now, error))
        return FALSE;
    g_autofree char *again = verdict_field(arrival->store, arrival->message->id, AUTHORITY_STAGE, "results");
    g_autoptr(struct_authentication) after = again ? authres_parse_own(again) : NULL;
    if (!after || !check_is_unfinished(after))
        return TRUE;
    g_set_error_literal(error, ARRIVAL_ERROR, ERROR_RETRY, "the DNS did not answer");
    return FALSE;
}
