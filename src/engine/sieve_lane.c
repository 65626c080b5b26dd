/* sieve_lane.c - the account's rules onto its server, asked for by a person */
#include "config.h"

#include "engine/lane.h"

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/managesieve.h"
#include "trust/sieve.h"

#include <string.h>

#define SCRIPT "postrider"

static char *
secret(gpointer data, GError **error)
{
    struct lane *lane = data;
    return worker_secret(lane->worker, FALSE, error);
}

static gboolean
may_replace(const char *active, gboolean replace, GError **error)
{
    if (!active || replace || !strcmp(active, SCRIPT))
        return TRUE;
    g_autofree char *safe = text_safe(active, -1, TEXT_LINE);
    g_set_error(error, MANAGESIEVE_ERROR, ERROR_REFUSED,
                "the script \"%s\" is active on the server, and not of our making: nothing was changed. --replace makes ours the "
                "active one; or write  include :personal \"" SCRIPT "\";  into yours",
                safe);
    return FALSE;
}

gboolean
lane_upload_rules(struct lane *lane, gboolean replace, GError **error)
{
    const struct account *account = lane->worker->account;
    if (!account->sieve) {
        g_set_error(error, MANAGESIEVE_ERROR, ERROR_CONFIG, "[account %s] names no server for scripts: sieve = sieve://USER@HOST",
                    account->name);
        return FALSE;
    }
    g_autoptr(GPtrArray) rules = rules_compile(lane->worker->config, error);
    g_autoptr(struct_sieve) sieve = rules ? sieve_of_account(rules, account) : NULL;
    g_autoptr(struct_managesieve) session =
        sieve ? managesieve_open(account->sieve, secret, lane, lane->cancel, error) : NULL;
    g_autofree char *active = NULL;
    g_auto(GStrv) names = session ? managesieve_list(session, &active, error) : NULL;
    /* The script is kept there in any case; which one is active is the user's word. */
    if (!names || !managesieve_put(session, SCRIPT, sieve->script, error) || !may_replace(active, replace, error) ||
        !managesieve_activate(session, SCRIPT, error))
        return FALSE;
    log_info("engine.sieve", "account=%s rules=%u left=%u", account->name, sieve->taken->len, sieve->left->len);
    return sieve_note_uploaded(lane->store, account->name, sieve, error);
}
