/* How full the mailbox is: asked for now and then, told before it is full. */
#include "config.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/quota.h"
#include "sync/internal.h"

#include <string.h>

#define ASK_AGAIN_SECONDS 3600

static void
tell(struct sync *sync, const GPtrArray *before, const struct quota *quota)
{
    int was = 0, is = quota_percent(quota);
    for (guint i = 0; i < before->len; i++) {
        const struct quota *old = before->pdata[i];
        if (!strcmp(old->root, quota->root) && !strcmp(old->resource, quota->resource))
            was = quota_percent(old);
    }
    if ((is < QUOTA_WARN || was >= QUOTA_WARN) && (is < QUOTA_FULL || was >= QUOTA_FULL))
        return; /* all is well, or it was said before */
    g_autofree char *text = quota_text(quota);
    sync_tell_notice(sync, NULL, is >= QUOTA_FULL ? "the mailbox on the server is nearly full: %s; mail to it may be refused"
                                                  : "the mailbox on the server is filling: %s",
                     text);
}

gboolean
quota_look(struct sync *sync, GError **error)
{
    gint64 asked = quota_asked(sync->store, sync->account), now = clock_now();
    if (sync->dry_run || !imap_has(sync->imap, IMAP_QUOTA) || (asked <= now && now - asked < ASK_AGAIN_SECONDS))
        return TRUE;
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) told = imap_get_quotas(sync->imap, &why);
    if (!told && why->code != ERROR_REFUSED) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (!told) /* it tells others, or nobody */
        log_info("sync.quota", "%s", why->message);
    g_autoptr(GPtrArray) quotas = g_ptr_array_new_with_free_func((GDestroyNotify) quota_free);
    g_autoptr(GPtrArray) before = quota_list(sync->store, sync->account, error);
    if (!before)
        return FALSE;
    for (guint i = 0; told && i < told->len; i++) {
        const struct imap_quota *one = told->pdata[i];
        gint64 unit = strcmp(one->resource, "STORAGE") ? 1 : 1024; /* RFC 9208 section 5.1 */
        struct quota *quota = g_new0(struct quota, 1);
        *quota = (struct quota){g_strdup(one->root), g_strdup(one->resource), (gint64) one->usage * unit,
                                (gint64) one->limit * unit};
        g_ptr_array_add(quotas, quota);
        tell(sync, before, quota);
    }
    return quota_set(sync->store, sync->account, quotas, error);
}
