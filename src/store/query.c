#include "config.h"

#include "store/query.h"

#include <string.h>

#include "base/flags.h"
#include "store/folder.h"
#include "store/message.h"

static void
free_child(gpointer child)
{
    query_free(child);
}

struct query *
query_new(enum query_kind kind)
{
    struct query *query = g_new0(struct query, 1);
    query->kind = kind;
    if (kind == QUERY_AND || kind == QUERY_OR || kind == QUERY_XOR || kind == QUERY_NOT ||
        kind == QUERY_SAME_THREAD || kind == QUERY_PARENT || kind == QUERY_CHILD)
        query->children = g_ptr_array_new_with_free_func(free_child);
    return query;
}

struct query *
query_new_text(guint fields, enum query_match match, const char *text)
{
    struct query *query = query_new(QUERY_TEXT);
    query->fields = fields;
    query->match = match;
    query->text = g_strdup(text);
    return query;
}

struct query *
query_new_word(enum query_kind kind, const char *text)
{
    struct query *query = query_new(kind);
    query->text = g_strdup(text);
    return query;
}

struct query *
query_new_flag(guint flag)
{
    struct query *query = query_new(QUERY_FLAG);
    query->flag = flag;
    return query;
}

struct query *
query_new_bit(guint bit)
{
    struct query *query = query_new(QUERY_BIT);
    query->flag = bit;
    return query;
}

struct query *
query_new_role(guint role)
{
    struct query *query = query_new(QUERY_ROLE);
    query->flag = role;
    return query;
}

struct query *
query_new_range(enum query_kind kind, gint64 min, gint64 max)
{
    struct query *query = query_new(kind);
    query->min = min;
    query->max = max;
    return query;
}

struct query *
query_new_about(enum query_kind kind, struct query *child)
{
    struct query *query = query_new(kind);
    query->column = child->column;
    g_ptr_array_add(query->children, child);
    return query;
}

struct query *
query_new_not(struct query *child)
{
    return query_new_about(QUERY_NOT, child);
}

/* Moves the children of a node of the same kind, or the node itself. */
static void
absorb(struct query *into, struct query *child)
{
    if (child->kind != into->kind || into->kind == QUERY_XOR) {
        g_ptr_array_add(into->children, child);
        return;
    }
    g_ptr_array_extend_and_steal(into->children, g_steal_pointer(&child->children));
    query_free(child);
}

struct query *
query_new_pair(enum query_kind kind, struct query *left, struct query *right)
{
    if (!left && !right)
        return query_new(kind == QUERY_AND ? QUERY_ALL : QUERY_NONE);
    if (!left || !right)
        return left ? left : right;
    struct query *query = query_new(kind);
    query->column = left->column;
    absorb(query, left);
    absorb(query, right);
    return query;
}

struct query *
query_copy(const struct query *query)
{
    struct query *copy = g_new(struct query, 1);
    *copy = *query;
    copy->text = g_strdup(query->text);
    if (!query->children)
        return copy;
    copy->children = g_ptr_array_new_with_free_func(free_child);
    for (guint i = 0; i < query->children->len; i++)
        g_ptr_array_add(copy->children, query_copy(query->children->pdata[i]));
    return copy;
}

void
query_free(struct query *query)
{
    if (!query)
        return;
    g_free(query->text);
    if (query->children)
        g_ptr_array_unref(query->children);
    g_free(query);
}

gboolean
query_equal(const struct query *a, const struct query *b)
{
    if (a->kind != b->kind || a->match != b->match || a->fields != b->fields || a->flag != b->flag ||
        a->min != b->min || a->max != b->max || g_strcmp0(a->text, b->text) || !a->children != !b->children)
        return FALSE;
    if (!a->children)
        return TRUE;
    if (a->children->len != b->children->len)
        return FALSE;
    for (guint i = 0; i < a->children->len; i++)
        if (!query_equal(a->children->pdata[i], b->children->pdata[i]))
            return FALSE;
    return TRUE;
}

guint
query_count(const struct query *query)
{
    guint count = 1;
    for (guint i = 0; query->children && i < query->children->len; i++)
        count += query_count(query->children->pdata[i]);
    return count;
}

guint
query_depth(const struct query *query)
{
    guint depth = 0;
    for (guint i = 0; query->children && i < query->children->len; i++) {
        guint below = query_depth(query->children->pdata[i]); /* not inside MAX(): it evaluates twice */
        depth = MAX(depth, below);
    }
    return depth + 1;
}

/* --- describing */

static const char *const kind_names[] = {
    [QUERY_ALL] = "all",
    [QUERY_NONE] = "none",
    [QUERY_AND] = "and",
    [QUERY_OR] = "or",
    [QUERY_XOR] = "xor",
    [QUERY_NOT] = "not",
    [QUERY_TEXT] = "text",
    [QUERY_FLAG] = "flag",
    [QUERY_BIT] = "bit",
    [QUERY_TAG] = "tag",
    [QUERY_ID] = "id",
    [QUERY_NUMBER] = "number",
    [QUERY_THREAD] = "thread",
    [QUERY_FOLDER] = "folder",
    [QUERY_PATH] = "path",
    [QUERY_ROLE] = "role",
    [QUERY_ACCOUNT] = "account",
    [QUERY_DATE] = "date",
    [QUERY_RECEIVED] = "received",
    [QUERY_SIZE] = "size",
    [QUERY_MINE] = "mine",
    [QUERY_SAME_THREAD] = "in-thread",
    [QUERY_PARENT] = "answers",
    [QUERY_CHILD] = "answered-by",
    [QUERY_MARKED] = "marked",
};

static const char *const field_names[] = {"from", "to",         "cc",       "bcc",        "sender", "subject",
                                          "body", "attachment", "mimetype", "references", "list"};

static const char *const bit_names[] = {"attachments", "signed",  "encrypted", "calendar", "report",
                                        "indexed",     "from-me", "broken",    "list"};

static const char *const role_names[] = {"none", "inbox", "drafts",  "sent",
                                         "junk", "trash", "archive", "all"};

static void
describe_fields(GString *out, guint fields)
{
    if (fields == QUERY_ANYWHERE) {
        g_string_append(out, "any");
        return;
    }
    const char *separator = "";
    for (guint i = 0; i < G_N_ELEMENTS(field_names); i++)
        if (fields & 1u << i) {
            g_string_append_printf(out, "%s%s", separator, field_names[i]);
            separator = "|";
        }
}

static void
describe_end(GString *out, gint64 value)
{
    if (value == G_MININT64 || value == G_MAXINT64)
        g_string_append_c(out, '-');
    else
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value);
}

/* One word for a node without text and children; FALSE when it is more. */
static gboolean
describe_bare(GString *out, const struct query *query)
{
    switch (query->kind) {
    case QUERY_FLAG:
        for (const struct flag_name *name = flag_names; name->bit; name++)
            if (name->bit == query->flag)
                g_string_append(out, name->json);
        return TRUE;
    case QUERY_BIT:
        for (guint i = 0; i < G_N_ELEMENTS(bit_names); i++)
            if (query->flag == 1u << i)
                g_string_append(out, bit_names[i]);
        return TRUE;
    case QUERY_ROLE:
        g_string_append_printf(out, "(role %s)",
                               query->flag < G_N_ELEMENTS(role_names) ? role_names[query->flag] : "?");
        return TRUE;
    case QUERY_ALL:
    case QUERY_NONE:
    case QUERY_MARKED:
        g_string_append(out, kind_names[query->kind]);
        return TRUE;
    default:
        return FALSE;
    }
}

static void
describe(GString *out, const struct query *query)
{
    static const char *const quotes[] = {"\"\"", "\"*", "''", "<>", "<>", "//"};
    if (describe_bare(out, query))
        return;
    g_string_append_c(out, '(');
    if (query->kind == QUERY_TEXT) {
        describe_fields(out, query->fields);
    } else {
        g_string_append(out, kind_names[query->kind]);
    }
    if (query->kind == QUERY_MINE) {
        g_string_append_c(out, ' ');
        describe_fields(out, query->fields);
    } else if (query->text) {
        const char *quote = quotes[query->match];
        g_autofree char *words = g_strdelimit(g_strdup(query->text), "\n", '|');
        g_string_append_printf(out, " %c%s%c", quote[0], words, quote[1]);
        if (query->match == QUERY_NEAR || query->match == QUERY_ADJACENT)
            g_string_append_printf(out, "%s/%d", query->match == QUERY_NEAR ? "near" : "adj", (int)query->max);
    } else if (!query->children) {
        g_string_append(out, " [");
        describe_end(out, query->min);
        g_string_append_c(out, ',');
        describe_end(out, query->max);
        g_string_append_c(out, ']');
    }
    for (guint i = 0; query->children && i < query->children->len; i++) {
        g_string_append_c(out, ' ');
        describe(out, query->children->pdata[i]);
    }
    g_string_append_c(out, ')');
}

char *
query_describe(const struct query *query)
{
    GString *out = g_string_new(NULL);
    describe(out, query);
    return g_string_free(out, FALSE);
}

/* --- names */

static gboolean
any_node(const struct query *query, gboolean (*test)(const struct query *node))
{
    if (test(query))
        return TRUE;
    for (guint i = 0; query->children && i < query->children->len; i++)
        if (any_node(query->children->pdata[i], test))
            return TRUE;
    return FALSE;
}

static gboolean
names_place(const struct query *query)
{
    return query->kind == QUERY_FOLDER || query->kind == QUERY_PATH || query->kind == QUERY_ID ||
           query->kind == QUERY_THREAD || query->kind == QUERY_NUMBER || query->kind == QUERY_MARKED;
}

static gboolean
names_trash(const struct query *query)
{
    return names_place(query) || (query->kind == QUERY_FLAG && query->flag == FLAG_DELETED) ||
           (query->kind == QUERY_ROLE && query->flag == FOLDER_TRASH);
}

static gboolean
names_junk(const struct query *query)
{
    return names_place(query) || (query->kind == QUERY_ROLE && query->flag == FOLDER_JUNK) ||
           (query->kind == QUERY_TAG &&
            (!g_ascii_strcasecmp(query->text, "spam") || !g_ascii_strcasecmp(query->text, "junk") ||
             !g_ascii_strcasecmp(query->text, "$junk")));
}

gboolean
query_names_trash(const struct query *query)
{
    return any_node(query, names_trash);
}

gboolean
query_names_junk(const struct query *query)
{
    return any_node(query, names_junk);
}
