/* A search tree to SQL.
 *
 * What stands at the top of the tree and is selective in itself (words of the full text, a tag, a folder,
 * unread, flagged) is not a condition but what is walked: each of these has an index by message.key, so that
 * the newest matches come first and a page ends as soon as it is full. The rest are conditions
 * (search_compile.c). */
#include "config.h"

#include "store/search.h"
#include "store/search_compile.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/message.h"
#include "store/rows.h"
#include "base/clock.h"
#include "base/flags.h"

#include <string.h>

#define PARAMETERS_MAX 8000

static gboolean
is_unread(const struct query *query)
{
    if (query->kind != QUERY_NOT)
        return FALSE;
    const struct query *child = query->children->pdata[0];
    return child->kind == QUERY_FLAG && child->flag == FLAG_SEEN;
}

/* Begins "FROM … WHERE" for the best of the top-level conditions. used: those that it means already; *key:
 * the column to page by. */
static void
choose_walk(struct compiler *c, const struct query *const *conditions, guint n, const char **key,
            gboolean *used)
{
    g_autoptr(GString) match = g_string_new(NULL);
    guint terms = 0;

    *key = "m.key";
    for (guint i = 0; i < n && terms < SEARCH_TERMS_WALKED; i++)
        if (search_is_match(conditions[i]) ||
            (conditions[i]->kind == QUERY_TEXT && conditions[i]->match == QUERY_ADJACENT)) {
            g_string_append(match, terms++ ? " AND " : "");
            search_add_match(match, conditions[i]);
            used[i] = conditions[i]->match != QUERY_ADJACENT; /* what is near is not yet in order */
        }
    if (terms) {
        *key = "fulltext.rowid";
        g_string_append(c->sql,
                        "FROM fulltext CROSS JOIN message m ON m.key = fulltext.rowid WHERE fulltext MATCH ");
        search_add_text(c, match->str);
        for (guint i = 0; i < n; i++) /* does this one message match? FTS5 goes there at once */
            if (conditions[i]->kind == QUERY_NUMBER && conditions[i]->min == conditions[i]->max) {
                g_string_append(c->sql, " AND fulltext.rowid = (SELECT key FROM message WHERE id = ");
                search_add_parameter(c, NULL, conditions[i]->min, FALSE);
                g_string_append_c(c->sql, ')');
                break;
            }
        return;
    }
    for (guint i = 0; i < n; i++)
        if ((conditions[i]->kind == QUERY_NUMBER || conditions[i]->kind == QUERY_THREAD) &&
            conditions[i]->min == conditions[i]->max) {
            g_string_append(c->sql, "FROM message m WHERE 1");
            return;
        } else if (conditions[i]->kind == QUERY_ID && conditions[i]->match != QUERY_REGEX) {
            char *mid = g_malloc0(MID_SIZE);
            mid_hash(conditions[i]->text, (guint8 *)mid);
            g_string_append(c->sql, "FROM message m INDEXED BY message_mid WHERE m.mid = ");
            search_add_parameter(c, mid, 0, TRUE);
            used[i] = TRUE;
            return;
        }
    for (guint i = 0; i < n; i++)
        if (conditions[i]->kind == QUERY_TAG && conditions[i]->match == QUERY_WORDS) {
            *key = "w.key";
            g_string_append(c->sql, "FROM tag w CROSS JOIN message m ON m.id = w.message WHERE w.tag = ");
            search_add_text(c, conditions[i]->text);
            used[i] = TRUE;
            return;
        }
    for (guint i = 0; i < n; i++)
        if (is_unread(conditions[i]) ||
            (conditions[i]->kind == QUERY_FLAG && conditions[i]->flag == FLAG_FLAGGED)) {
            gboolean unread = is_unread(conditions[i]);
            g_string_append_printf(c->sql, "FROM message m INDEXED BY %s WHERE (m.flags & %d) %s 0",
                                   unread ? "message_unread" : "message_flagged",
                                   unread ? FLAG_SEEN : FLAG_FLAGGED, unread ? "=" : "<>");
            used[i] = TRUE;
            return;
        }
    for (guint i = 0; i < n; i++)
        if (conditions[i]->kind == QUERY_FOLDER || conditions[i]->kind == QUERY_PATH) {
            g_autofree char *ids = search_folder_ids(c, conditions[i]);
            if (!*ids || strchr(ids, ','))
                continue;
            *key = "w.key";
            g_string_append_printf(c->sql,
                                   "FROM placement w INDEXED BY placement_key CROSS JOIN message m ON m.id = "
                                   "w.message WHERE w.folder = %s"
                                   " AND w." SHOWN,
                                   ids);
            used[i] = TRUE;
            return;
        }
    g_string_append(c->sql, "FROM message m INDEXED BY message_key WHERE 1");
}

/* Mail of a time lies among the keys of that time. (A message with a Date that lies after its arrival has the
 * key of its arrival; it is found as long as the search does not begin after that.) */
static void
bound_by_date(struct compiler *c, const struct query *query, const char *key)
{
    const gint64 slack = 2 * 86400, most = G_GINT64_CONSTANT(1) << 40;
    if (query->kind != QUERY_DATE && query->kind != QUERY_RECEIVED)
        return;
    if (query->kind == QUERY_DATE && query->min > 0) {
        g_string_append_printf(c->sql, " AND %s >= ", key);
        search_add_parameter(
            c, NULL, (MIN(MIN(query->min, clock_now()), most) - slack) * MESSAGE_KEYS_A_SECOND, FALSE);
    }
    if (query->max < most) {
        g_string_append_printf(c->sql, " AND %s < ", key);
        search_add_parameter(c, NULL, (MAX(query->max, 0) + slack) * MESSAGE_KEYS_A_SECOND, FALSE);
    }
}

static void
leave_out(struct compiler *c, const struct query *query)
{
    if (c->page->everything)
        return;
    gboolean trash = query_names_trash(query), junk = query_names_junk(query);
    guint hidden = (trash ? 0 : 1u << FOLDER_TRASH) | (junk ? 0 : 1u << FOLDER_JUNK);
    if (hidden)
        g_string_append_printf(c->sql, " AND (m.places & %u) <> 0", ~hidden & 0xFFFFu);
    if (!trash)
        g_string_append_printf(c->sql, " AND (m.flags & %d) = 0", FLAG_DELETED);
}

static sqlite3_stmt *
finish(struct compiler *c, GError **error)
{
    sqlite3_stmt *statement = NULL;
    if (c->error) {
        g_propagate_error(error, g_steal_pointer(&c->error));
        return NULL;
    }
    if (c->parameters->len > PARAMETERS_MAX) {
        g_set_error(error, STORE_ERROR, ERROR_INPUT, "the search has too many words");
        return NULL;
    }
    int rc = sqlite3_prepare_v2(c->store->db, c->sql->str, -1, &statement, NULL);
    if (rc != SQLITE_OK) {
        sql_error(c->store, rc, error);
        return NULL;
    }
    for (guint i = 0; i < c->parameters->len; i++) {
        const struct parameter *p = &g_array_index(c->parameters, struct parameter, i);
        if (p->bytes)
            sqlite3_bind_blob(statement, (int)i + 1, p->text, MID_SIZE, SQLITE_TRANSIENT);
        else if (p->text)
            sqlite3_bind_text(statement, (int)i + 1, p->text, -1, SQLITE_TRANSIENT);
        else
            sqlite3_bind_int64(statement, (int)i + 1, p->number);
    }
    return statement;
}

sqlite3_stmt *
search_prepare(struct store *store, const struct query *query, const struct search_page *page, GError **error)
{
    struct compiler c = {.store = store, .sql = g_string_new("SELECT m.id, m.key, m.thread "), .page = page};
    const struct query *const *conditions = &query;
    guint n = 1;
    const char *key;

    if (query_depth(query) > QUERY_DEPTH_MAX || query_count(query) > QUERY_NODES_MAX) {
        g_string_free(c.sql, TRUE);
        g_set_error(error, STORE_ERROR, ERROR_INPUT, "the search is too long: leave out some of its words");
        return NULL;
    }
    c.parameters = g_array_new(FALSE, TRUE, sizeof(struct parameter));
    g_array_set_clear_func(c.parameters, search_parameter_clear);
    if (query->kind == QUERY_AND && query->children->len) {
        conditions = (const struct query *const *)query->children->pdata;
        n = query->children->len;
    }
    g_autofree gboolean *used = g_new0(gboolean, n);
    choose_walk(&c, conditions, n, &key, used);
    g_string_append(c.sql, " AND m.shown > 0");
    if (page->key) {
        g_string_append_printf(c.sql, " AND %s %c ", key, page->direction == LIST_OLDER ? '<' : '>');
        search_add_parameter(&c, NULL, page->key, FALSE);
    }
    for (guint i = 0; i < n; i++) {
        bound_by_date(&c, conditions[i], key);
        if (used[i])
            continue;
        g_string_append(c.sql, " AND (");
        search_compile(&c, conditions[i], "m");
        g_string_append_c(c.sql, ')');
    }
    leave_out(&c, query);
    g_string_append_printf(c.sql, " ORDER BY %s %s LIMIT ", key,
                           page->direction == LIST_OLDER ? "DESC" : "ASC");
    search_add_parameter(&c, NULL, page->limit, FALSE);
    sqlite3_stmt *statement = finish(&c, error);
    g_string_free(c.sql, TRUE);
    g_array_unref(c.parameters);
    g_clear_pointer(&c.folders, g_ptr_array_unref);
    g_clear_error(&c.error);
    return statement;
}

GArray *
store_search(struct store *store, const struct query *query, const struct query_options *options,
             GError **error)
{
    static const struct query_options none;
    const struct query_options *o = options ? options : &none;
    struct search_page page = {.everything = o->everything,
                               .direction = LIST_OLDER,
                               .key = o->before,
                               .limit = o->limit ? o->limit : 50,
                               .marked = o->marked,
                               .n_marked = o->n_marked};
    g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(struct query_hit));
    sqlite3_stmt *q = search_prepare(store, query, &page, error);
    gint64 last = 0;
    int rc = SQLITE_ROW;

    while (q && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct query_hit hit = {sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
                                sqlite3_column_int64(q, 2)};
        if (hit.key != last) /* twice in one folder is one message */
            g_array_append_val(hits, hit);
        last = hit.key;
    }
    if (q && rc != SQLITE_DONE)
        sql_error(store, rc, error);
    sqlite3_finalize(q);
    return q && rc == SQLITE_DONE ? g_steal_pointer(&hits) : NULL;
}

gint64
store_search_count(struct store *store, const struct query *query, gboolean everything, gint64 bound,
                   GError **error)
{
    struct search_page page = {
        .everything = everything, .direction = LIST_OLDER, .limit = (guint)CLAMP(bound, 1, G_MAXINT32)};
    sqlite3_stmt *q = search_prepare(store, query, &page, error);
    gint64 count = 0, last = 0;
    int rc = SQLITE_ROW;

    while (q && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        count += sqlite3_column_int64(q, 1) != last;
        last = sqlite3_column_int64(q, 1);
    }
    if (q && rc != SQLITE_DONE)
        sql_error(store, rc, error);
    sqlite3_finalize(q);
    return q && rc == SQLITE_DONE ? count : -1;
}
