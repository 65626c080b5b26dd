/* Searches at the server: for mail whose body is not here. What it finds is held against the store (find_plan.h). */
#include "config.h"

#include "sync/internal.h"
#include "sync/find_plan.h"

#define LOOKED_AT 2000 /* of the newest hits of a folder */

struct finding {
    const struct sync_find *find;
    GHashTable *told; /* of gint64: one message may fit several branches, and lie in several folders */
    GArray *found;    /* of gint64, in the folder at hand */
};

/* The messages behind the UIDs, newest first, whose bodies are not here. */
static GArray *
candidates(struct sync *sync, const struct folder *folder, const struct uidset *uids)
{
    GArray *messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(struct_uidset) newest = uidset_copy(uids);
    for (guint i = 0; i < LOOKED_AT && !uidset_is_empty(newest); i++) {
        guint32 uid = uidset_max(newest);
        uidset_remove(newest, uid);
        gint64 message = placement_find_bodiless(sync->store, folder->id, uid);
        if (message)
            g_array_append_val(messages, message);
    }
    return messages;
}

/* Those that fit the rest of the branch, and that the store does not find by itself. */
static gboolean
keep_fitting(struct sync *sync, struct finding *finding, const struct find_branch *branch, const GArray *messages,
             GError **error)
{
    const struct sync_find *find = finding->find;
    if (!messages->len)
        return TRUE;
    g_autoptr(struct_query) query = query_new_pair(QUERY_AND, query_new(QUERY_MARKED), query_copy(branch->local));
    query = query_new_pair(QUERY_AND, g_steal_pointer(&query), query_new_not(query_copy(find->query)));
    const struct query_options options = {.everything = TRUE,
                                          .limit = find->most,
                                          .marked = (const gint64 *)(gconstpointer)messages->data,
                                          .n_marked = messages->len};
    g_autoptr(GArray) hits = store_search(sync->store, query, &options, error);
    for (guint i = 0; hits && i < hits->len && finding->found->len < find->most; i++) {
        gint64 message = g_array_index(hits, struct query_hit, i).message;
        if (g_hash_table_add(finding->told, g_memdup2(&message, sizeof message)))
            g_array_append_val(finding->found, message);
    }
    return hits != NULL;
}

static gboolean
find_branch_in(struct sync *sync, struct finding *finding, const struct folder *folder, const struct find_branch *branch,
               GError **error)
{
    g_autoptr(struct_uidset) uids =
        imap_find(sync->imap, (const struct imap_key *)(gconstpointer)branch->keys->data, branch->keys->len, error);
    if (!uids)
        return FALSE;
    g_autoptr(GArray) messages = candidates(sync, folder, uids);
    return keep_fitting(sync, finding, branch, messages, error);
}

static gboolean
find_in(struct sync *sync, struct finding *finding, const struct folder *folder, const GPtrArray *branches, GError **error)
{
    static const struct imap_select how = {.read_only = TRUE, .plain = TRUE};
    if (!sync_connect(sync, error) || !sync_select(sync, folder, &how, error))
        return FALSE;
    if (sync->mailbox->uidvalidity != folder->uidvalidity) /* the next pass settles that */
        return TRUE;
    for (guint i = 0; i < branches->len; i++)
        if (!find_branch_in(sync, finding, folder, branches->pdata[i], error))
            return FALSE;
    return TRUE;
}

/* All Mail holds what the others do; the server's own searches hold nothing of their own. */
static gboolean
is_asked(struct sync *sync, const struct sync_find *find, const struct folder *folder, gboolean has_all)
{
    const guint virtual = 1u << FOLDER_FLAGGED | 1u << FOLDER_IMPORTANT;
    const guint beside_all = 1u << FOLDER_ALL | 1u << FOLDER_TRASH | 1u << FOLDER_JUNK;
    guint role = 1u << folder->role;
    return folder_is_synced(sync, folder) && !(role & (virtual | find->without_roles)) && (!has_all || role & beside_all) &&
           placement_lacks_bodies(sync->store, folder->id);
}

static gboolean
has_all_mail(struct sync *sync, const GPtrArray *folders)
{
    for (guint i = 0; i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        if (folder->role == FOLDER_ALL && folder_is_synced(sync, folder))
            return TRUE;
    }
    return FALSE;
}

/* FALSE: the connection has gone, or nobody wants to know any more. *first keeps the first trouble: a folder that cannot be
 * searched keeps nobody from the others. */
static gboolean
find_and_tell(struct sync *sync, struct finding *finding, const struct folder *folder, const GPtrArray *branches,
              GError **first)
{
    const struct sync_find *find = finding->find;
    g_array_set_size(finding->found, 0);
    if (!find_in(sync, finding, folder, branches, *first ? NULL : first) && (!sync->imap || imap_is_dead(sync->imap)))
        return FALSE;
    if (finding->found->len)
        find->found((const gint64 *)(gconstpointer)finding->found->data, finding->found->len, find->data);
    return find->go_on(find->data);
}

gboolean
imap_pass_find(struct sync *sync, const struct sync_find *find, GError **error)
{
    g_autoptr(GPtrArray) branches = find_plan(find->query, error);
    g_autoptr(GPtrArray) folders = branches ? folder_list(sync->store, sync->account, FALSE, error) : NULL;
    g_autoptr(GHashTable) told = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(gint64));
    struct finding finding = {find, told, found};
    g_autoptr(GError) first = NULL;
    if (!folders)
        return FALSE;
    gboolean has_all = has_all_mail(sync, folders);
    for (guint i = 0; branches->len && i < folders->len; i++)
        if (is_asked(sync, find, folders->pdata[i], has_all) &&
            !find_and_tell(sync, &finding, folders->pdata[i], branches, &first))
            break;
    if (!first)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}
