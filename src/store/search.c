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

/* Begins "FROM … WHERE" for the best of the top-level conditions. aside: those that the full text is not to be walked by;
 * used: those that it means already; *key: the column to page by. */
static void
choose_walk(struct compiler *c, const struct query *const *conditions, guint n, const gboolean *aside, const char **key,
            gboolean *used)
{
    g_autoptr(GString) match = g_string_new(NULL);
    guint terms = 0;

    *key = "m.key";
    for (guint i = 0; i < n && terms < SEARCH_TERMS_WALKED; i++)
        if ((search_is_match(conditions[i]) && !aside[i]) ||
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

#define NEWEST_PAGE 500 /* more than that is wanted for counting */

struct search_tuning search_tuning = {200, 200, 1000}; /* 200 pages are read in 40 ms, and so are 1,000 messages */

/* How many pages of FTS5's index hold the messages of that word, or of all words that begin so: from the page that the
 * first of them is on to the page that the next one is on, in each of its segments. */
static gint64
pages_of(struct store *store, const char *word, gboolean is_beginning)
{
    g_autofree char *from = g_strconcat("0", word, NULL), *to = g_strconcat("0", word, is_beginning ? "" : "\x01", NULL);
    gsize length = strlen(to);
    if (is_beginning)
        to[length - 1]++;
    return sql_int(store, 0,
                   "WITH RECURSIVE s (id) AS (SELECT min(segid) FROM fulltext_idx UNION ALL"
                   " SELECT (SELECT min(segid) FROM fulltext_idx WHERE segid > s.id) FROM s WHERE s.id IS NOT NULL)"
                   " SELECT total(coalesce("
                   "  (SELECT pgno FROM fulltext_idx WHERE segid = s.id AND term >= ?2 ORDER BY term LIMIT 1),"
                   "  (SELECT pgno FROM fulltext_idx WHERE segid = s.id ORDER BY term DESC LIMIT 1)) / 2 -"
                   "  (SELECT pgno FROM fulltext_idx WHERE segid = s.id AND term <= ?1 ORDER BY term DESC LIMIT 1) / 2) FROM s",
                   "bb", from, strlen(from), to, length);
}

static int
last_word(void *data, int flags, const char *word, int length, int start, int end)
{
    char **last = data;
    (void)flags, (void)start, (void)end;
    g_free(*last);
    *last = g_strndup(word, (gsize)length);
    return SQLITE_OK;
}

/* Is there a term in it that stands in very many messages? */
static gboolean
is_common(struct store *store, const struct query *query)
{
    for (guint i = 0; query->children && i < query->children->len; i++)
        if (is_common(store, query->children->pdata[i]))
            return TRUE;
    if (query->kind != QUERY_TEXT || !search_is_match(query) || query->match == QUERY_NEAR)
        return FALSE;
    gboolean is_beginning = search_is_beginning(query);
    g_autofree char *word = NULL;
    tokenizer_each(query->text, strlen(query->text), TRUE, last_word, &word);
    gint64 many = is_beginning ? search_tuning.beginning_pages : search_tuning.word_pages;
    return word && *word && pages_of(store, word, is_beginning) > many;
}

static gboolean
has_beginning(const struct query *query)
{
    for (guint i = 0; query->children && i < query->children->len; i++)
        if (has_beginning(query->children->pdata[i]))
            return TRUE;
    return query->kind == QUERY_TEXT && search_is_match(query) && search_is_beginning(query);
}

/* Has the full text to collect very many messages before it can name the newest? For beginnings of words it has, and where
 * what it finds is no more than a condition ("not word"). */
static gboolean
collects(struct store *store, const struct query *const *conditions, guint n)
{
    gboolean walks = FALSE;
    for (guint i = 0; i < n; i++) {
        if (conditions[i]->kind == QUERY_NUMBER || conditions[i]->kind == QUERY_THREAD || conditions[i]->kind == QUERY_ID)
            return FALSE;
        walks = walks || search_is_match(conditions[i]);
    }
    for (guint i = 0; i < n; i++)
        if ((!walks || has_beginning(conditions[i])) && is_common(store, conditions[i]))
            return TRUE;
    return FALSE;
}

/* Beside a word that stands in few messages, a beginning that stands in many is looked for in those few. */
static gboolean
set_aside(struct store *store, const struct query *const *conditions, guint n, gboolean *aside)
{
    gboolean has_rare = FALSE, has_aside = FALSE;
    for (guint i = 0; i < n; i++)
        has_rare = has_rare ||
                   (search_is_match(conditions[i]) && !has_beginning(conditions[i]) && !is_common(store, conditions[i]));
    for (guint i = 0; i < n && has_rare; i++) {
        aside[i] = search_is_match(conditions[i]) && has_beginning(conditions[i]) && is_common(store, conditions[i]);
        has_aside = has_aside || aside[i];
    }
    return has_aside;
}

/* The key that the newest of a page end at; 0: there are no more than they. */
static gint64
end_of_newest(struct store *store, const struct search_page *page)
{
    return sql_int(store, 0, "SELECT key FROM message INDEXED BY message_key WHERE key < ? ORDER BY key DESC LIMIT 1 OFFSET ?",
                   "li", page->key ? page->key : G_MAXINT64, search_tuning.newest - 1);
}

/* One SELECT. from, to: only keys in [from, to); 0: no such bound. */
static void
add_select(struct compiler *c, const struct query *query, const struct query *const *conditions, guint n,
           const gboolean *aside, gint64 from, gint64 to)
{
    gboolean newer = c->page->direction == LIST_NEWER;
    const char *key = "m.key";
    g_autofree gboolean *used = g_new0(gboolean, n);

    g_string_append(c->sql, "SELECT m.id, m.key, m.thread ");
    if (c->one_by_one)
        g_string_append(c->sql, "FROM message m INDEXED BY message_key WHERE 1");
    else
        choose_walk(c, conditions, n, aside, &key, used);
    g_string_append(c->sql, " AND m.shown > 0");
    if (from) {
        g_string_append_printf(c->sql, " AND %s >= ", key);
        search_add_parameter(c, NULL, from, FALSE);
    }
    if (to) {
        g_string_append_printf(c->sql, " AND %s < ", key);
        search_add_parameter(c, NULL, to, FALSE);
    }
    for (guint i = 0; i < n; i++) {
        bound_by_date(c, conditions[i], key);
        if (used[i])
            continue;
        gboolean one_by_one = c->one_by_one;
        c->one_by_one = one_by_one || aside[i];
        g_string_append(c->sql, " AND (");
        search_compile(c, conditions[i], "m");
        g_string_append_c(c->sql, ')');
        c->one_by_one = one_by_one;
    }
    leave_out(c, query);
    g_string_append_printf(c->sql, " ORDER BY %s %s LIMIT ", key, newer ? "ASC" : "DESC");
    search_add_parameter(c, NULL, c->page->limit, FALSE);
}

sqlite3_stmt *
search_prepare(struct store *store, const struct query *query, const struct search_page *page, GError **error)
{
    struct compiler c = {.store = store, .sql = g_string_new(NULL), .page = page};
    const struct query *const *conditions = &query;
    guint n = 1;

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
    gboolean older = page->direction == LIST_OLDER;
    gint64 from = page->key && !older ? page->key + 1 : 0, to = older ? page->key : 0, end = 0;
    g_autofree gboolean *aside = g_new0(gboolean, n);
    if (!set_aside(store, conditions, n, aside) && older && page->limit <= NEWEST_PAGE && collects(store, conditions, n))
        end = end_of_newest(store, page);
    if (end) { /* LIMIT in both keeps SQLite from making one of them */
        g_string_append(c.sql, "SELECT * FROM (");
        c.one_by_one = TRUE;
        add_select(&c, query, conditions, n, aside, end, to);
        c.one_by_one = FALSE;
        g_string_append(c.sql, ") UNION ALL SELECT * FROM (");
        add_select(&c, query, conditions, n, aside, 0, end);
        g_string_append(c.sql, ") LIMIT ");
        search_add_parameter(&c, NULL, page->limit, FALSE);
    } else {
        add_select(&c, query, conditions, n, aside, from, to);
    }
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
