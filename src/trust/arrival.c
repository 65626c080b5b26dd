#include "config.h"

#include "trust/arrival.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fail.h"
#include "base/log.h"
#include "trust/reputation.h"
#include "trust/virus.h"

#include <string.h>

#define BATCH 100 /* messages of one run */
#define RETRY_FIRST 60

G_DEFINE_QUARK(arrival, arrival_error)

/* In this order: what a report changes, who vouches, what the filter makes of it, where rules put it. */
static const struct arrival_stage stages_of_all[] = {
    {"report", arrival_report, arrival_wants_report},
    {"authentication", arrival_authentication, NULL},
    {VIRUS_STAGE, arrival_virus, NULL},
    {"sender", arrival_sender, NULL},
    {REPUTATION_STAGE, arrival_reputation, NULL},
    {"filter", arrival_filter, NULL},
    {"rules", arrival_rules, NULL},
    {"authentication-again", arrival_authentication_again, NULL},
    {NULL, NULL, NULL},
};

static gboolean
wants(const struct arrival_stage *stage, const struct message *message, gboolean is_recent)
{
    return stage->wants ? stage->wants(message, is_recent) : is_recent;
}

/* The stage after the one that is done; the first when that is none of them any more. */
static const struct arrival_stage *
next_stage(const struct arrival_stage *stages, const char *done)
{
    for (const struct arrival_stage *stage = stages; done && stage->name; stage++)
        if (!strcmp(stage->name, done))
            return stage + 1;
    return stages;
}

/* What became of a stage that failed. FALSE: the run ends. */
static gboolean
take_failure(struct store *store, const struct arrival_row *row, const struct arrival_stage *stage, guint attempts,
             gboolean *waits, GError *failure, GError **error)
{
    if (failure->domain == STORE_ERROR) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    log_info("trust.arrival", "message=%" G_GINT64_FORMAT " %s: %s", row->message, stage->name, failure->message);
    *waits = failure->code == ERROR_RETRY && attempts + 1 < ARRIVAL_ATTEMPTS;
    g_error_free(failure);
    if (*waits)
        return arrival_defer(store, row->message, clock_now() + (RETRY_FIRST << 2 * attempts), error);
    return arrival_stage_done(store, row->message, stage->name, NULL, error);
}

/* From the stage that is next; *waits: one of them wants to be asked again later. */
static gboolean
pass_stages(struct arrival *arrival, const struct arrival_row *row, const struct arrival_stage *stage, guint *acted,
            gboolean *waits, GError **error)
{
    guint attempts = row->attempts;
    for (; stage->name; stage++, attempts = 0) {
        if (!wants(stage, arrival->message, arrival->is_recent))
            continue;
        g_autofree char *verdict = NULL;
        GError *failure = NULL;
        STEP("arrival.stage");
        if (!stage->run(arrival, &verdict, &failure)) {
            if (!take_failure(arrival->store, row, stage, attempts, waits, failure, error))
                return FALSE;
            if (*waits)
                return TRUE;
            continue;
        }
        STEP("arrival.done");
        if (!arrival_stage_done(arrival->store, row->message, stage->name, verdict, error))
            return FALSE;
        *acted += verdict != NULL;
    }
    return TRUE;
}

static gboolean
take_one(struct store *store, struct reader *reader, const struct arrival_host *host, const struct arrival_row *row,
         const struct arrival_stage *stage, guint *acted, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(struct_message) message = message_load(store, row->message, &why);
    struct arrival arrival = {.store = store, .reader = reader, .host = host, .message = message};
    arrival.is_recent = message && message->received >= clock_now() - ARRIVAL_RECENT;
    while (message && stage->name && !wants(stage, message, arrival.is_recent))
        stage++;
    if (!message || !stage->name)
        return arrival_end(store, row->message, error);
    g_autoptr(GBytes) bytes = store_message_bytes(store, row->message, &why);
    g_autoptr(struct_document) document = bytes ? reader_parse(reader, bytes, READER_ALL, &why) : NULL;
    if (!document) { /* it has gone, or cannot be read: the next one */
        log_info("trust.arrival", "message=%" G_GINT64_FORMAT " %s", row->message, why->message);
        return arrival_end(store, row->message, error);
    }
    arrival.bytes = bytes;
    arrival.document = document;
    gboolean waits = FALSE;
    return pass_stages(&arrival, row, stage, acted, &waits, error) && (waits || arrival_end(store, row->message, error));
}

gboolean
arrival_run_stages(struct store *store, struct reader *reader, const struct arrival_host *host,
                   const struct arrival_stage *stages, gboolean *more, guint *acted, GError **error)
{
    guint found = 0;
    g_autoptr(GPtrArray) list = arrival_list(store, host->account_id, BATCH, error);
    gboolean ok = list != NULL;
    for (guint i = 0; ok && i < list->len; i++) {
        const struct arrival_row *row = list->pdata[i];
        ok = take_one(store, reader, host, row, next_stage(stages, row->stage), &found, error);
    }
    if (more)
        *more = ok && list->len == BATCH;
    if (acted)
        *acted = found;
    return ok;
}

gboolean
arrival_run(struct store *store, struct reader *reader, const struct arrival_host *host, gboolean *more, guint *acted,
            GError **error)
{
    return arrival_run_stages(store, reader, host, stages_of_all, more, acted, error);
}
