/* search_lane.c - searches at the server, for the fetch lane */
#include "config.h"

#include "engine/lane.h"
#include "search/query.h"

#include <string.h>

#define HITS_MAX 500 /* of a folder */

struct searching {
    struct lane *lane;
    const struct job *job;
    void (*meanwhile)(struct lane *lane);
};

static void
on_found(const gint64 *messages, guint n, gpointer data)
{
    const struct searching *searching = data;
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "account", "s", searching->lane->worker->account->name);
    g_variant_dict_insert(&values, "text", "s", searching->job->text);
    g_variant_dict_insert_value(&values, "messages",
                                g_variant_new_fixed_array(G_VARIANT_TYPE_INT64, messages, n, sizeof *messages));
    control_emit(searching->lane->worker->control, "found", 0, &values);
}

static gboolean
go_on(gpointer data)
{
    const struct searching *searching = data;
    searching->meanwhile(searching->lane);
    return !control_stopping(searching->lane->worker->control);
}

gboolean
lane_search(struct lane *lane, struct sync *sync, const struct job *job, void (*meanwhile)(struct lane *lane),
            GError **error)
{
    g_autoptr(struct_query) query = search_parse(job->text, SEARCH_NOTMUCH, NULL, error);
    if (!query)
        return FALSE;
    guint trash = job->everything || query_names_trash(query) ? 0 : 1u << FOLDER_TRASH;
    guint junk = job->everything || query_names_junk(query) ? 0 : 1u << FOLDER_JUNK;
    if (!job->everything)
        query = search_exclude(g_steal_pointer(&query));
    struct searching searching = {lane, job, meanwhile};
    const struct sync_find find = {.query = query,
                                   .without_roles = trash | junk,
                                   .most = HITS_MAX,
                                   .found = on_found,
                                   .go_on = go_on,
                                   .data = &searching};
    return sync_find(sync, &find, error);
}
