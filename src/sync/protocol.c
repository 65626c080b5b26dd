/* The calls of sync.h, by the account's protocol. */
#include "config.h"

#include "sync/internal.h"

static const struct sync_protocol over_imap = {
    .account = imap_pass_account,
    .folders = imap_pass_folders,
    .push = imap_pass_push,
    .fetch_wanted = imap_pass_fetch_wanted,
    .fetch_body = imap_pass_fetch_body,
    .find = imap_pass_find,
};

const struct sync_protocol *
sync_protocol_of(const struct account *account)
{
    if (account->maildir)
        return &sync_over_tree;
    return account->incoming->protocol == ENDPOINT_POP3 ? &sync_over_pop3 : &over_imap;
}

gboolean
sync_account(struct sync *sync, gboolean dry_run, GError **error)
{
    sync->dry_run = dry_run;
    gboolean ok = sync->protocol->account(sync, error);
    sync->dry_run = FALSE;
    return ok;
}

gboolean
sync_folders(struct sync *sync, const gint64 *folders, guint n, GError **error)
{
    return sync->protocol->folders(sync, folders, n, error);
}

gboolean
sync_push(struct sync *sync, GError **error)
{
    return sync->protocol->push(sync, error);
}

gboolean
sync_fetch_wanted(struct sync *sync, GError **error)
{
    return sync->protocol->fetch_wanted(sync, error);
}

gboolean
sync_fetch_body(struct sync *sync, gint64 message, GError **error)
{
    return sync->protocol->fetch_body(sync, message, error);
}

gboolean
sync_find(struct sync *sync, const struct sync_find *find, GError **error)
{
    return !sync->protocol->find || sync->protocol->find(sync, find, error);
}

guint
sync_get_delay(struct sync *sync)
{
    return sync->protocol->delay ? sync->protocol->delay(sync) : 0;
}
