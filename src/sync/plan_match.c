/* Who is who, when UIDs cannot tell. */
#include "config.h"

#include "sync/plan.h"

#include <string.h>

static char *
identity_key(const struct plan_identity *who, gboolean with_size)
{
    if (!who->message_id)
        return NULL;
    return g_strdup_printf("%" G_GINT64_FORMAT " %" G_GUINT64_FORMAT " %s", who->date, with_size ? who->size : 0,
                           who->message_id);
}

static char *
server_key(const struct plan_identity *who)
{
    return g_strdup(who->server_id);
}

static char *
strict_key(const struct plan_identity *who)
{
    return who->size ? identity_key(who, TRUE) : NULL;
}

static char *
loose_key(const struct plan_identity *who)
{
    return identity_key(who, FALSE);
}

static gboolean
same_content(const struct plan_identity *all, const GArray *some)
{
    const char *first = all[g_array_index(some, gsize, 0)].content;
    for (guint i = 1; i < some->len; i++)
        if (!first || g_strcmp0(first, all[g_array_index(some, gsize, i)].content))
            return FALSE;
    return TRUE;
}

/* Two server ids that are both known and differ: not the same message, whatever else agrees. */
static gboolean
ids_differ(const struct plan_identity *a, const struct plan_identity *b)
{
    return a->server_id && b->server_id && strcmp(a->server_id, b->server_id);
}

struct match {
    const struct plan_identity *locals, *remotes;
    gsize n_locals, n_remotes;
    gboolean *local_done, *remote_done;
    GArray *pairs;
};

static void
match_by(struct match *match, char *(*key_of)(const struct plan_identity *), gboolean loose_only)
{
    g_autoptr(GHashTable) waiting =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);
    for (gsize i = 0; i < match->n_locals; i++) {
        if (match->local_done[i] || (loose_only && !match->locals[i].loose))
            continue;
        char *key = key_of(&match->locals[i]);
        if (!key)
            continue;
        GArray *bucket = g_hash_table_lookup(waiting, key);
        if (!bucket) {
            bucket = g_array_new(FALSE, FALSE, sizeof(gsize));
            g_hash_table_insert(waiting, key, bucket);
        } else {
            g_free(key);
        }
        g_array_append_val(bucket, i);
    }
    if (!g_hash_table_size(waiting))
        return;
    g_autoptr(GHashTable) trusted = g_hash_table_new(NULL, NULL); /* bucket -> next index + 1; no entry: not looked at */
    for (gsize i = 0; i < match->n_remotes; i++) {
        if (match->remote_done[i])
            continue;
        g_autofree char *key = key_of(&match->remotes[i]);
        GArray *bucket = key ? g_hash_table_lookup(waiting, key) : NULL;
        if (!bucket)
            continue;
        guint next = GPOINTER_TO_UINT(g_hash_table_lookup(trusted, bucket));
        if (!next) {
            next = key_of == server_key || same_content(match->locals, bucket) ? 1 : bucket->len + 1;
            g_hash_table_insert(trusted, bucket, GUINT_TO_POINTER(next));
        }
        if (next > bucket->len)
            continue;
        struct plan_pair pair = {g_array_index(bucket, gsize, next - 1), i};
        if (ids_differ(&match->locals[pair.local], &match->remotes[i]))
            continue;
        g_hash_table_insert(trusted, bucket, GUINT_TO_POINTER(next + 1));
        match->local_done[pair.local] = match->remote_done[i] = TRUE;
        g_array_append_val(match->pairs, pair);
    }
}

GArray *
plan_match(const struct plan_identity *locals, gsize n_locals, const struct plan_identity *remotes, gsize n_remotes)
{
    g_autofree gboolean *local_done = g_new0(gboolean, n_locals + 1), *remote_done = g_new0(gboolean, n_remotes + 1);
    struct match match = {
        .locals = locals,
        .remotes = remotes,
        .n_locals = n_locals,
        .n_remotes = n_remotes,
        .local_done = local_done,
        .remote_done = remote_done,
        .pairs = g_array_new(FALSE, FALSE, sizeof(struct plan_pair)),
    };
    match_by(&match, server_key, FALSE);
    match_by(&match, strict_key, FALSE);
    match_by(&match, loose_key, TRUE);
    return match.pairs;
}
