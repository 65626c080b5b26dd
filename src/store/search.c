/* A search tree to SQL.
 *
 * Every node becomes a condition on `m`, a row of message. What stands at the top of the tree and is
 * selective in itself (words of the full text, a tag, a folder, unread, flagged) is not a condition but what
 * is walked: each of these has an index by message.key, so that the newest matches come first and a page ends
 * as soon as it is full. */
#include "config.h"

#include "store/search.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/message.h"
#include "store/rows.h"
#include "base/clock.h"
#include "base/flags.h"
#include "base/text.h"

#include <string.h>

#define TERMS_WALKED 40  /* of one MATCH: more become conditions */
#define KEYS_A_SECOND 64 /* message_row.c */
#define PARAMETERS_MAX 8000

struct parameter {
    char *text; /* or */
    gint64 number;
    gboolean bytes; /* text holds MID_SIZE bytes */
};

struct compiler {
    struct store *store;
    GString *sql;
    GArray *parameters;
    const struct search_page *page;
    GPtrArray *folders; /* of struct folder, read when first needed */
    guint level;        /* of the message alias */
    GError *error;
};

static void compile(struct compiler *c, const struct query *query, const char *m);

static void
add_parameter(struct compiler *c, char *text, gint64 number, gboolean bytes)
{
    struct parameter parameter = {text, number, bytes};
    g_array_append_val(c->parameters, parameter);
    g_string_append_printf(c->sql, "?%u", c->parameters->len);
}

static void
add_text(struct compiler *c, const char *text)
{
    add_parameter(c, g_strdup(text), 0, FALSE);
}

static void
parameter_clear(gpointer data)
{
    g_free(((struct parameter *)data)->text);
}

/* --- full text */

static const struct {
    guint field;
    const char *column;
} columns[] = {
    {QUERY_SUBJECT, "subject"}, {QUERY_FROM | QUERY_SENDER, "sender"}, {QUERY_RECIPIENTS, "recipients"},
    {QUERY_BODY, "body"},       {QUERY_ATTACHMENT, "attachments"},     {QUERY_MIMETYPE, "types"},
};
#define FULLTEXT_FIELDS (QUERY_ANYWHERE | QUERY_MIMETYPE)

/* May it be a term of a MATCH? To and Cc apart are not told from one another there, nor is what has no words.
 */
static gboolean
is_match(const struct query *query)
{
    gboolean single;
    if (query->kind == QUERY_AND || query->kind == QUERY_OR) {
        for (guint i = 0; i < query->children->len; i++)
            if (!is_match(query->children->pdata[i]))
                return FALSE;
        return query->children->len > 0 && query->children->len <= TERMS_WALKED;
    }
    if (query->kind != QUERY_TEXT || (query->match != QUERY_WORDS && query->match != QUERY_PREFIX))
        return FALSE;
    guint recipients = query->fields & QUERY_RECIPIENTS;
    if (!(query->fields & FULLTEXT_FIELDS) || (query->fields & ~(guint)FULLTEXT_FIELDS))
        return FALSE;
    return (!recipients || recipients == QUERY_RECIPIENTS || recipients == QUERY_BCC) &&
           tokenizer_has_words(query->text, &single);
}

static void
add_match(GString *out, const struct query *query)
{
    gboolean single = FALSE;
    if (query->kind != QUERY_TEXT) {
        g_string_append_c(out, '(');
        for (guint i = 0; i < query->children->len; i++) {
            if (i)
                g_string_append(out, query->kind == QUERY_AND ? " AND " : " OR ");
            add_match(out, query->children->pdata[i]);
        }
        g_string_append_c(out, ')');
        return;
    }
    tokenizer_has_words(query->text, &single);
    if ((query->fields & FULLTEXT_FIELDS) != FULLTEXT_FIELDS) {
        g_string_append_c(out, '{');
        for (guint i = 0; i < G_N_ELEMENTS(columns); i++)
            if (query->fields & columns[i].field)
                g_string_append_printf(out, " %s", columns[i].column);
        g_string_append(out, " } : ");
    }
    g_string_append_c(out, '"');
    for (const char *p = query->text; *p; p++) {
        if (*p == '"')
            g_string_append_c(out, '"');
        g_string_append_c(out, *p);
    }
    g_string_append(out, query->match == QUERY_PREFIX || single ? "\" *" : "\"");
}

static void
compile_match(struct compiler *c, const struct query *query, const char *m)
{
    g_autoptr(GString) match = g_string_new(NULL);
    add_match(match, query);
    g_string_append_printf(c->sql, "%s.key IN (SELECT rowid FROM fulltext WHERE fulltext MATCH ", m);
    add_text(c, match->str);
    g_string_append_c(c->sql, ')');
}

/* --- text that is looked through: parts of words, patterns, single header fields */

static void
add_test(struct compiler *c, const struct query *query, const char *expression)
{
    if (query->match == QUERY_REGEX) {
        g_string_append(c->sql, " OR matches(");
        add_text(c, query->text);
        g_string_append_printf(c->sql, ", %s)", expression);
    } else {
        g_autofree char *folded = text_fold(query->text);
        g_string_append_printf(c->sql, " OR has_text(%s, ", expression);
        add_text(c, folded);
        g_string_append_c(c->sql, ')');
    }
}

static void
compile_text(struct compiler *c, const struct query *query, const char *m)
{
    if (is_match(query)) {
        compile_match(c, query, m);
        return;
    }
    g_string_append(c->sql, "(0");
    static const struct {
        guint field;
        const char *expression; /* %s: the alias of the message */
    } tests[] = {
        {QUERY_FROM | QUERY_SENDER, "coalesce(%s.from_name, '') || ' ' || coalesce(%s.from_addr, '')"},
        {QUERY_TO, "%s.to_list"},
        {QUERY_CC, "%s.cc_list"},
        {QUERY_SUBJECT, "%s.subject"},
        {QUERY_LIST_ID, "%s.list_id"},
        {QUERY_BCC, "(SELECT recipients FROM fulltext WHERE rowid = %s.key)"},
        {QUERY_REFERENCES,
         "(SELECT coalesce(r.in_reply_to, '') || ' ' || r.refs FROM reference r WHERE r.message = %s.id)"},
        {QUERY_ATTACHMENT, "(SELECT attachments FROM fulltext WHERE rowid = %s.key)"},
        {QUERY_MIMETYPE, "(SELECT types FROM fulltext WHERE rowid = %s.key)"},
    };
    guint words = query->fields & (QUERY_BODY | QUERY_ATTACHMENT | QUERY_MIMETYPE);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
        if (query->fields & tests[i].field && !(tests[i].field & words && query->match == QUERY_SUBSTRING) &&
            !(tests[i].field == QUERY_BCC && query->fields & QUERY_TO)) {
            g_auto(GStrv) parts = g_strsplit(tests[i].expression, "%s", -1);
            g_autofree char *expression = g_strjoinv(m, parts);
            add_test(c, query, expression);
        }
    if (words && query->match != QUERY_REGEX) {
        struct query match = *query;
        match.fields = words;
        match.match = query->match == QUERY_WORDS ? QUERY_WORDS : QUERY_PREFIX;
        if (is_match(&match)) {
            g_string_append(c->sql, " OR ");
            compile_match(c, &match, m);
        }
    }
    g_string_append_c(c->sql, ')');
}

/* --- folders */

static gboolean
name_fits(const struct query *query, const char *name)
{
    if (!name)
        return FALSE;
    if (query->match == QUERY_REGEX) {
        g_autoptr(GRegex) regex = search_pattern(query->text);
        return regex && g_regex_match(regex, name, 0, NULL);
    }
    g_autofree char *a = g_utf8_casefold(name, -1), *b = g_utf8_casefold(query->text, -1);
    gsize length = strlen(b);
    if (!strcmp(a, b))
        return TRUE;
    return query->match == QUERY_PREFIX &&
           (!length || (!strncmp(a, b, length) && (a[length] == '/' || b[length - 1] == '/')));
}

static gboolean
folder_fits(const struct query *query, const struct folder *folder)
{
    g_autofree char *full = g_strdup_printf("%s/%s", folder->account_name, folder->name);
    switch (query->kind) {
    case QUERY_FOLDER:
        return name_fits(query, folder->name) || name_fits(query, full);
    case QUERY_PATH: {
        g_autofree char *cur = g_build_filename(folder->dir, "cur", NULL);
        return name_fits(query, folder->dir) || name_fits(query, cur);
    }
    case QUERY_ACCOUNT:
        return query->match == QUERY_PREFIX ? g_str_has_prefix(folder->account_name, query->text)
                                            : !g_ascii_strcasecmp(folder->account_name, query->text);
    default:
        return FALSE;
    }
}

/* "1,5,9"; "" for none. */
static char *
folder_ids(struct compiler *c, const struct query *query)
{
    GString *ids = g_string_new(NULL);
    if (!c->folders)
        c->folders = folder_list(c->store, 0, FALSE, &c->error);
    for (guint i = 0; c->folders && i < c->folders->len; i++) {
        const struct folder *folder = c->folders->pdata[i];
        if (folder_fits(query, folder))
            g_string_append_printf(ids, "%s%" G_GINT64_FORMAT, ids->len ? "," : "", folder->id);
    }
    return g_string_free(ids, FALSE);
}

/* --- the rest */

static void
compile_range(struct compiler *c, const struct query *query, const char *m)
{
    const char *column = query->kind == QUERY_NUMBER     ? "id"
                         : query->kind == QUERY_THREAD   ? "thread"
                         : query->kind == QUERY_SIZE     ? "size"
                         : query->kind == QUERY_RECEIVED ? "received"
                                                         : "date";
    if (query->min == query->max) {
        g_string_append_printf(c->sql, "%s.%s = ", m, column);
        add_parameter(c, NULL, query->min, FALSE);
        return;
    }
    g_string_append_c(c->sql, '(');
    g_string_append_printf(c->sql, "%s.%s >= ", m, column);
    add_parameter(c, NULL, query->min, FALSE);
    g_string_append_printf(c->sql, " AND %s.%s <= ", m, column);
    add_parameter(c, NULL, query->max, FALSE);
    g_string_append_c(c->sql, ')');
}

static void
compile_tag(struct compiler *c, const struct query *query, const char *m)
{
    switch (query->match) {
    case QUERY_REGEX:
        g_string_append_printf(c->sql, "EXISTS (SELECT 1 FROM tag t WHERE t.message = %s.id AND matches(", m);
        add_text(c, query->text);
        g_string_append(c->sql, ", t.tag))");
        break;
    case QUERY_PREFIX: {
        g_string_append_printf(c->sql,
                               "EXISTS (SELECT 1 FROM tag t WHERE t.message = %s.id AND t.tag >= ", m);
        add_text(c, query->text);
        g_autofree char *end = g_strconcat(query->text, "\xf4\x8f\xbf\xbf", NULL);
        g_string_append(c->sql, " AND t.tag < ");
        add_text(c, end);
        g_string_append_c(c->sql, ')');
        break;
    }
    default:
        g_string_append(c->sql, "EXISTS (SELECT 1 FROM tag t WHERE t.tag = ");
        add_text(c, query->text);
        g_string_append_printf(c->sql, " AND t.key = %s.key)", m);
    }
}

static void
compile_id(struct compiler *c, const struct query *query, const char *m)
{
    if (query->match == QUERY_REGEX) {
        g_string_append(c->sql, "matches(");
        add_text(c, query->text);
        g_string_append_printf(c->sql, ", coalesce(%s.message_id, ''))", m);
        return;
    }
    char *mid = g_malloc0(MID_SIZE);
    mid_hash(query->text, (guint8 *)mid);
    g_string_append_printf(c->sql, "coalesce(%s.mid = ", m);
    add_parameter(c, mid, 0, TRUE);
    g_string_append(c->sql, ", 0)");
}

/* Balanced, as SQLite bounds the depth of an expression. */
static void
compile_list(struct compiler *c, GPtrArray *children, guint from, guint to, const char *joint, const char *m)
{
    g_string_append_c(c->sql, '(');
    if (to - from == 1) {
        compile(c, children->pdata[from], m);
    } else {
        guint middle = (from + to) / 2;
        compile_list(c, children, from, middle, joint, m);
        g_string_append(c->sql, joint);
        compile_list(c, children, middle, to, joint, m);
    }
    g_string_append_c(c->sql, ')');
}

static void
compile_relative(struct compiler *c, const struct query *query, const char *m)
{
    g_autofree char *other = g_strdup_printf("m%u", ++c->level);
    switch (query->kind) {
    case QUERY_SAME_THREAD:
        g_string_append_printf(c->sql,
                               "%s.thread IN (SELECT %s.thread FROM message %s WHERE %s.shown > 0 AND ", m,
                               other, other, other);
        break;
    case QUERY_PARENT:
        g_string_append_printf(
            c->sql,
            "EXISTS (SELECT 1 FROM reference r JOIN message %s ON %s.mid = mid_of(r.in_reply_to)"
            " WHERE r.message = %s.id AND %s.shown > 0 AND ",
            other, other, m, other);
        break;
    default:
        g_string_append_printf(c->sql,
                               "coalesce(%s.mid IN (SELECT mid_of(r.in_reply_to) FROM reference r JOIN "
                               "message %s ON %s.id = r.message"
                               " WHERE r.in_reply_to IS NOT NULL AND %s.shown > 0 AND ",
                               m, other, other, other);
    }
    compile(c, query->children->pdata[0], other);
    g_string_append(c->sql, query->kind == QUERY_CHILD ? "), 0)" : ")");
}

static void
compile_marked(struct compiler *c, const char *m)
{
    g_string_append_printf(c->sql, "%s.id IN (", m);
    for (guint i = 0; i < c->page->n_marked; i++)
        g_string_append_printf(c->sql, "%s%" G_GINT64_FORMAT, i ? "," : "", c->page->marked[i]);
    g_string_append_c(c->sql, ')');
}

static void
compile_mine(struct compiler *c, const struct query *query, const char *m)
{
    g_string_append(c->sql, "(0");
    if (query->fields & (QUERY_FROM | QUERY_SENDER))
        g_string_append_printf(c->sql, " OR (%s.bits & %d) <> 0", m, MESSAGE_FROM_ME);
    if (query->fields & (QUERY_TO | QUERY_BCC))
        g_string_append_printf(c->sql, " OR has_me(%s.to_list)", m);
    if (query->fields & (QUERY_CC | QUERY_BCC))
        g_string_append_printf(c->sql, " OR has_me(%s.cc_list)", m);
    g_string_append_c(c->sql, ')');
}

static void
compile(struct compiler *c, const struct query *query, const char *m)
{
    switch (query->kind) {
    case QUERY_ALL:
        g_string_append_c(c->sql, '1');
        break;
    case QUERY_NONE:
        g_string_append_c(c->sql, '0');
        break;
    case QUERY_AND:
    case QUERY_OR:
        if (!query->children->len)
            g_string_append_c(c->sql, query->kind == QUERY_AND ? '1' : '0');
        else if (is_match(query))
            compile_match(c, query, m);
        else
            compile_list(c, query->children, 0, query->children->len,
                         query->kind == QUERY_AND ? " AND " : " OR ", m);
        break;
    case QUERY_XOR:
        compile_list(c, query->children, 0, query->children->len, " <> ", m);
        break;
    case QUERY_NOT:
        g_string_append(c->sql, "NOT (");
        compile(c, query->children->pdata[0], m);
        g_string_append_c(c->sql, ')');
        break;
    case QUERY_TEXT:
        compile_text(c, query, m);
        break;
    case QUERY_FLAG:
        g_string_append_printf(c->sql, "(%s.flags & %u) <> 0", m, query->flag);
        break;
    case QUERY_BIT:
        g_string_append_printf(c->sql, "(%s.bits & %u) <> 0", m, query->flag);
        break;
    case QUERY_ROLE:
        g_string_append_printf(c->sql, "(%s.places & %u) <> 0", m, 1u << MIN(query->flag, 31));
        break;
    case QUERY_TAG:
        compile_tag(c, query, m);
        break;
    case QUERY_ID:
        compile_id(c, query, m);
        break;
    case QUERY_NUMBER:
    case QUERY_THREAD:
    case QUERY_DATE:
    case QUERY_RECEIVED:
    case QUERY_SIZE:
        compile_range(c, query, m);
        break;
    case QUERY_FOLDER:
    case QUERY_PATH:
    case QUERY_ACCOUNT: {
        g_autofree char *ids = folder_ids(c, query);
        g_string_append_printf(
            c->sql,
            "EXISTS (SELECT 1 FROM placement p WHERE p.message = %s.id AND p.folder IN (%s) AND p." SHOWN ")",
            m, ids);
        break;
    }
    case QUERY_MINE:
        compile_mine(c, query, m);
        break;
    case QUERY_SAME_THREAD:
    case QUERY_PARENT:
    case QUERY_CHILD:
        compile_relative(c, query, m);
        break;
    case QUERY_MARKED:
        compile_marked(c, m);
        break;
    }
}

/* --- what is walked */

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
    for (guint i = 0; i < n && terms < TERMS_WALKED; i++)
        if (is_match(conditions[i])) {
            g_string_append(match, terms++ ? " AND " : "");
            add_match(match, conditions[i]);
            used[i] = TRUE;
        }
    if (terms) {
        *key = "fulltext.rowid";
        g_string_append(c->sql,
                        "FROM fulltext CROSS JOIN message m ON m.key = fulltext.rowid WHERE fulltext MATCH ");
        add_text(c, match->str);
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
            add_parameter(c, mid, 0, TRUE);
            used[i] = TRUE;
            return;
        }
    for (guint i = 0; i < n; i++)
        if (conditions[i]->kind == QUERY_TAG && conditions[i]->match == QUERY_WORDS) {
            *key = "w.key";
            g_string_append(c->sql, "FROM tag w CROSS JOIN message m ON m.id = w.message WHERE w.tag = ");
            add_text(c, conditions[i]->text);
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
            g_autofree char *ids = folder_ids(c, conditions[i]);
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
        add_parameter(c, NULL, (MIN(MIN(query->min, clock_now()), most) - slack) * KEYS_A_SECOND, FALSE);
    }
    if (query->max < most) {
        g_string_append_printf(c->sql, " AND %s < ", key);
        add_parameter(c, NULL, (MAX(query->max, 0) + slack) * KEYS_A_SECOND, FALSE);
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
    g_array_set_clear_func(c.parameters, parameter_clear);
    if (query->kind == QUERY_AND && query->children->len) {
        conditions = (const struct query *const *)query->children->pdata;
        n = query->children->len;
    }
    g_autofree gboolean *used = g_new0(gboolean, n);
    choose_walk(&c, conditions, n, &key, used);
    g_string_append(c.sql, " AND m.shown > 0");
    if (page->key) {
        g_string_append_printf(c.sql, " AND %s %c ", key, page->direction == LIST_OLDER ? '<' : '>');
        add_parameter(&c, NULL, page->key, FALSE);
    }
    for (guint i = 0; i < n; i++) {
        bound_by_date(&c, conditions[i], key);
        if (used[i])
            continue;
        g_string_append(c.sql, " AND (");
        compile(&c, conditions[i], "m");
        g_string_append_c(c.sql, ')');
    }
    leave_out(&c, query);
    g_string_append_printf(c.sql, " ORDER BY %s %s LIMIT ", key,
                           page->direction == LIST_OLDER ? "DESC" : "ASC");
    add_parameter(&c, NULL, page->limit, FALSE);
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
