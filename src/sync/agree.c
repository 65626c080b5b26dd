/* The user's word on what a brake holds back. No network code: commands and the screen link this. */
#include "config.h"

#include "sync/agree.h"

#include "base/clock.h"

/* An agreement that nobody made use of is forgotten: it was about what was seen then. */
#define AGREED_FOR_SECONDS (24 * 60 * 60)

static char *
key_of(gint64 folder)
{
    return g_strdup_printf("sync.agreed.%" G_GINT64_FORMAT, folder);
}

gboolean
sync_agree(struct store *store, gint64 folder, GError **error)
{
    g_autofree char *key = key_of(folder), *now = g_strdup_printf("%" G_GINT64_FORMAT, clock_now());
    if (!store_begin(store, error))
        return FALSE;
    if (store_set(store, key, now, error) && folder_set_bits(store, folder, 0, FOLDER_PAUSED, error) &&
        folder_set_notice(store, folder, NULL, error) && folder_settled(store, folder, error))
        return store_commit(store, error);
    store_rollback(store);
    return FALSE;
}

gboolean
sync_is_agreed(struct store *store, gint64 folder)
{
    g_autofree char *key = key_of(folder), *text = store_get(store, key);
    return text && clock_now() - g_ascii_strtoll(text, NULL, 10) < AGREED_FOR_SECONDS;
}

gboolean
sync_forget_agreement(struct store *store, gint64 folder, GError **error)
{
    g_autofree char *key = key_of(folder), *text = store_get(store, key);
    return !text || store_set(store, key, NULL, error);
}
