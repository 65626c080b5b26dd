#include "config.h"

#include "store/query.h"

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
    if (kind == QUERY_AND || kind == QUERY_OR || kind == QUERY_XOR || kind == QUERY_NOT || kind == QUERY_SAME_THREAD ||
        kind == QUERY_PARENT || kind == QUERY_CHILD)
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
    if (a->kind != b->kind || a->match != b->match || a->fields != b->fields || a->flag != b->flag || a->min != b->min ||
        a->max != b->max || g_strcmp0(a->text, b->text) || !a->children != !b->children)
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
    for (guint i = 0; query->children && i < query->children->len; i++)
        depth = MAX(depth, query_depth(query->children->pdata[i]));
    return depth + 1;
}
