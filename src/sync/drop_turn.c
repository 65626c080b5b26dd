#include "config.h"

#include "sync/drop_turn.h"

/* Between two looks at what may end the wait. */
#define LOOK_US (100 * 1000)

static GMutex lock;
static GCond changed;
static GHashTable *busy; /* name of a mailbox */

static char *
name_of(const struct sync *sync)
{
    return g_strdup_printf("%s\n%" G_GINT64_FORMAT, store_dir(sync->store), sync->account);
}

static gboolean
is_here(struct sync *sync, gint64 message)
{
    g_autoptr(struct_message) now = message ? message_load(sync->store, message, NULL) : NULL;
    return now && now->cached;
}

static gboolean
try_take(const char *name)
{
    g_mutex_lock(&lock);
    if (!busy)
        busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gboolean taken = !g_hash_table_contains(busy, name) && g_hash_table_add(busy, g_strdup(name));
    if (!taken)
        g_cond_wait_until(&changed, &lock, g_get_monotonic_time() + LOOK_US);
    g_mutex_unlock(&lock);
    return taken;
}

gboolean
drop_turn_take(struct sync *sync, gint64 message, gboolean *here, GError **error)
{
    g_autofree char *name = name_of(sync);
    *here = FALSE;
    while (!sync_is_cancelled(sync, error)) {
        if (is_here(sync, message)) {
            *here = TRUE;
            return TRUE;
        }
        if (try_take(name))
            return TRUE;
    }
    return FALSE;
}

void
drop_turn_give(struct sync *sync)
{
    g_autofree char *name = name_of(sync);
    g_mutex_lock(&lock);
    g_hash_table_remove(busy, name);
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

void
drop_turn_tell(void)
{
    g_mutex_lock(&lock);
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}
