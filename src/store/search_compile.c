/* Every node of a search tree becomes a condition on `m`, a row of message. */
#include "config.h"

#include "store/search_compile.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/message.h"
#include "store/rows.h"
#include "base/flags.h"
#include "base/text.h"

#include <string.h>

void
search_add_parameter(struct compiler *c, char *text, gint64 number, gboolean bytes)
{
    struct parameter parameter = {text, number, bytes};
    g_array_append_val(c->parameters, parameter);
    g_string_append_printf(c->sql, "?%u", c->parameters->len);
}

void
search_add_text(struct compiler *c, const char *text)
{
    search_add_parameter(c, g_strdup(text), 0, FALSE);
}

void
search_parameter_clear(gpointer data)
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
gboolean
search_is_match(const struct query *query)
{
    gboolean single;
    if (query->kind == QUERY_AND || query->kind == QUERY_OR) {
        for (guint i = 0; i < query->children->len; i++)
            if (!search_is_match(query->children->pdata[i]))
                return FALSE;
        return query->children->len > 0 && query->children->len <= SEARCH_TERMS_WALKED;
    }
    if (query->kind != QUERY_TEXT ||
        (query->match != QUERY_WORDS && query->match != QUERY_PREFIX && query->match != QUERY_NEAR))
        return FALSE;
    guint recipients = query->fields & QUERY_RECIPIENTS;
    if (!(query->fields & FULLTEXT_FIELDS) || (query->fields & ~(guint)FULLTEXT_FIELDS))
        return FALSE;
    return (!recipients || recipients == QUERY_RECIPIENTS || recipients == QUERY_BCC) &&
           tokenizer_has_words(query->text, &single);
}

static void
add_phrase(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"')
            g_string_append_c(out, '"');
        g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
}

/* FTS5 counts the words between the first and the last. Which of them comes first it does not ask. */
static void
add_near(GString *out, const struct query *query)
{
    g_auto(GStrv) words = g_strsplit(query->text, "\n", -1);
    gint64 between = query->max + (gint64)g_strv_length(words) - 3;
    g_string_append(out, "NEAR(");
    for (char **word = words; *word; word++) {
        add_phrase(out, *word);
        g_string_append_c(out, ' ');
    }
    g_string_append_printf(out, ", %d)", (int)CLAMP(between, 0, QUERY_NEAR_MAX));
}

void
search_add_match(GString *out, const struct query *query)
{
    gboolean single = FALSE;
    if (query->kind != QUERY_TEXT) {
        g_string_append_c(out, '(');
        for (guint i = 0; i < query->children->len; i++) {
            if (i)
                g_string_append(out, query->kind == QUERY_AND ? " AND " : " OR ");
            search_add_match(out, query->children->pdata[i]);
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
    if (query->match == QUERY_NEAR || query->match == QUERY_ADJACENT) {
        add_near(out, query);
        return;
    }
    add_phrase(out, query->text);
    if (query->match == QUERY_PREFIX || single)
        g_string_append(out, " *");
}

gboolean
search_is_beginning(const struct query *query)
{
    gboolean single = FALSE;
    return query->match == QUERY_PREFIX || (tokenizer_has_words(query->text, &single) && single);
}

/* By way of FTS5 each costs a look into its index. */
static void
compile_holds(struct compiler *c, const struct query *query, const char *m)
{
    g_string_append_printf(c->sql, "EXISTS (SELECT 1 FROM message_text f WHERE f.key = %s.key AND holds(", m);
    search_add_text(c, query->text);
    g_string_append_printf(c->sql, ", %d", search_is_beginning(query));
    for (guint i = 0; i < G_N_ELEMENTS(columns); i++)
        if (query->fields & columns[i].field)
            g_string_append_printf(c->sql, columns[i].field == QUERY_BODY ? ", unpacked(f.%s)" : ", f.%s", columns[i].column);
    g_string_append(c->sql, "))");
}

static void
compile_match(struct compiler *c, const struct query *query, const char *m)
{
    g_autoptr(GString) match = g_string_new(NULL);
    if (c->one_by_one && (query->match == QUERY_WORDS || query->match == QUERY_PREFIX)) {
        compile_holds(c, query, m); /* of a tree only the leaves come here */
        return;
    }
    search_add_match(match, query);
    g_string_append_printf(c->sql, "%s.key IN (SELECT rowid FROM fulltext WHERE fulltext MATCH ", m);
    search_add_text(c, match->str);
    g_string_append_c(c->sql, ')');
}

/* Of what the full text finds near one another, what stands in order. */
static void
compile_adjacent(struct compiler *c, const struct query *query, const char *m)
{
    g_autoptr(GString) match = g_string_new(NULL);
    guint words = 1;
    for (const char *p = query->text; *p; p++)
        words += *p == '\n';
    search_add_match(match, query);
    g_string_append_printf(c->sql, "EXISTS (SELECT 1 FROM fulltext WHERE rowid = %s.key AND fulltext MATCH ", m);
    search_add_text(c, match->str);
    g_string_append(c->sql, " AND in_order(fulltext, ");
    search_add_parameter(c, NULL, query->max + words - 2, FALSE);
    g_string_append(c->sql, "))");
}

/* --- text that is looked through: parts of words, patterns, single header fields */

static void
add_test(struct compiler *c, const struct query *query, const char *expression)
{
    if (query->match == QUERY_REGEX) {
        g_string_append(c->sql, " OR matches(");
        search_add_text(c, query->text);
        g_string_append_printf(c->sql, ", %s)", expression);
    } else {
        g_autofree char *folded = text_fold(query->text);
        g_string_append_printf(c->sql, " OR has_text(%s, ", expression);
        search_add_text(c, folded);
        g_string_append_c(c->sql, ')');
    }
}

static void
compile_text(struct compiler *c, const struct query *query, const char *m)
{
    if (search_is_match(query)) {
        compile_match(c, query, m);
        return;
    }
    if (query->match == QUERY_ADJACENT) {
        compile_adjacent(c, query, m);
        return;
    }
    g_string_append(c->sql, "(0");
    static const struct {
        guint field;
        const char *expression; /* %s: the alias of the message */
    } tests[] = {
        {QUERY_FROM, "coalesce(%s.from_name, '') || ' ' || coalesce(%s.from_addr, '')"},
        {QUERY_SENDER, "(SELECT sender FROM message_text WHERE key = %s.key)"},
        {QUERY_TO, "%s.to_list"},
        {QUERY_CC, "%s.cc_list"},
        {QUERY_SUBJECT, "%s.subject"},
        {QUERY_LIST_ID, "%s.list_id"},
        {QUERY_BCC, "(SELECT recipients FROM message_text WHERE key = %s.key)"},
        {QUERY_REFERENCES,
         "(SELECT coalesce(r.in_reply_to, '') || ' ' || r.refs FROM reference r WHERE r.message = %s.id)"},
        {QUERY_ATTACHMENT, "(SELECT attachments FROM message_text WHERE key = %s.key)"},
        {QUERY_MIMETYPE, "(SELECT types FROM message_text WHERE key = %s.key)"},
    };
    guint words = query->fields & (QUERY_BODY | QUERY_ATTACHMENT | QUERY_MIMETYPE);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
        if (query->fields & tests[i].field && !(tests[i].field & words && query->match == QUERY_SUBSTRING) &&
            !(tests[i].field == QUERY_BCC && query->fields & QUERY_TO) &&
            !(tests[i].field == QUERY_SENDER && query->fields & QUERY_FROM)) {
            g_auto(GStrv) parts = g_strsplit(tests[i].expression, "%s", -1);
            g_autofree char *expression = g_strjoinv(m, parts);
            add_test(c, query, expression);
        }
    if (words && query->match != QUERY_REGEX) {
        struct query match = *query;
        match.fields = words;
        match.match = query->match == QUERY_WORDS ? QUERY_WORDS : QUERY_PREFIX;
        if (search_is_match(&match)) {
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
char *
search_folder_ids(struct compiler *c, const struct query *query)
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
        search_add_parameter(c, NULL, query->min, FALSE);
        return;
    }
    g_string_append_c(c->sql, '(');
    g_string_append_printf(c->sql, "%s.%s >= ", m, column);
    search_add_parameter(c, NULL, query->min, FALSE);
    g_string_append_printf(c->sql, " AND %s.%s <= ", m, column);
    search_add_parameter(c, NULL, query->max, FALSE);
    g_string_append_c(c->sql, ')');
}

static void
compile_tag(struct compiler *c, const struct query *query, const char *m)
{
    switch (query->match) {
    case QUERY_REGEX:
        g_string_append_printf(c->sql, "EXISTS (SELECT 1 FROM tag t WHERE t.message = %s.id AND matches(", m);
        search_add_text(c, query->text);
        g_string_append(c->sql, ", t.tag))");
        break;
    case QUERY_PREFIX: {
        g_string_append_printf(c->sql,
                               "EXISTS (SELECT 1 FROM tag t WHERE t.message = %s.id AND t.tag >= ", m);
        search_add_text(c, query->text);
        g_autofree char *end = g_strconcat(query->text, "\xf4\x8f\xbf\xbf", NULL);
        g_string_append(c->sql, " AND t.tag < ");
        search_add_text(c, end);
        g_string_append_c(c->sql, ')');
        break;
    }
    default:
        g_string_append(c->sql, "EXISTS (SELECT 1 FROM tag t WHERE t.tag = ");
        search_add_text(c, query->text);
        g_string_append_printf(c->sql, " AND t.key = %s.key)", m);
    }
}

static void
compile_id(struct compiler *c, const struct query *query, const char *m)
{
    if (query->match == QUERY_REGEX) {
        g_string_append(c->sql, "matches(");
        search_add_text(c, query->text);
        g_string_append_printf(c->sql, ", coalesce(%s.message_id, ''))", m);
        return;
    }
    char *mid = g_malloc0(MID_SIZE);
    mid_hash(query->text, (guint8 *)mid);
    g_string_append_printf(c->sql, "coalesce(%s.mid = ", m);
    search_add_parameter(c, mid, 0, TRUE);
    g_string_append(c->sql, ", 0)");
}

/* Balanced, as SQLite bounds the depth of an expression. */
static void
compile_list(struct compiler *c, GPtrArray *children, guint from, guint to, const char *joint, const char *m)
{
    g_string_append_c(c->sql, '(');
    if (to - from == 1) {
        search_compile(c, children->pdata[from], m);
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
            "EXISTS (SELECT 1 FROM reference r CROSS JOIN message %s ON %s.mid = mid_of(r.in_reply_to)"
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
    search_compile(c, query->children->pdata[0], other);
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

void
search_compile(struct compiler *c, const struct query *query, const char *m)
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
        else if (search_is_match(query) && !c->one_by_one)
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
        search_compile(c, query->children->pdata[0], m);
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
        g_autofree char *ids = search_folder_ids(c, query);
        g_string_append_printf(c->sql,
                               "EXISTS (SELECT 1 FROM placement p INDEXED BY placement_message WHERE "
                               "p.message = %s.id AND p.folder IN (%s) AND p." SHOWN ")",
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
