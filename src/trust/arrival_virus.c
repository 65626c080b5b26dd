/* arrival_virus.c - the stage of arrival.h that asks a virus scanner, where one is configured */
#include "config.h"

#include "trust/arrival.h"
#include "trust/virus.h"

#include "base/i18n.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "net/clamd.h"

gboolean
arrival_virus(struct arrival *arrival, char **verdict, GError **error G_GNUC_UNUSED)
{
    const struct config *config = arrival->host->config;
    g_autofree char *found = NULL;
    g_autoptr(GError) local = NULL;
    struct json json;
    if (!config || !config->virus_scanner)
        return TRUE;
    gboolean is_scanned = clamd_scan(config->virus_scanner, arrival->bytes, &found, &local);
    if (!is_scanned)
        log_warn("trust.virus", "message=%" G_GINT64_FORMAT " %s", arrival->message->id, local->message);
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "result", !is_scanned ? "unscanned" : found ? "found" : "clean");
    json_string(&json, "name", found);
    json_string(&json, "why", is_scanned ? NULL : local->message);
    json_object_end(&json);
    *verdict = json_finish(&json);
    if (found && arrival->host->notice) {
        g_autofree char *name = text_safe(found, -1, TEXT_LINE);
        g_autofree char *subject = text_safe(arrival->message->subject, -1, TEXT_LINE);
        g_autofree char *words = g_strdup_printf(_("a virus is in \"%s\": %s"), subject, name);
        arrival->host->notice(words, arrival->host->data);
    }
    return TRUE;
}
