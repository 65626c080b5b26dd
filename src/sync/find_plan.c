#include "config.h"

#include "sync/find_plan.h"
#include "sync/sync.h"
#include "base/i18n.h"

#include <string.h>

#define BRANCHES_MAX 16
#define DAY (24 * 60 * 60)

/* ---- a query as branches of which one must hold ---- */

struct literal {
    const struct query *query; /* borrowed */
    gboolean negative;
};

/* Arrays of GArray of struct literal: what must all hold. NULL: too many. */
static GPtrArray *branches_of(const struct query *query, gboolean negative);

static GPtrArray *
new_branches(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
}

static GPtrArray *
one_branch(const struct query *query, gboolean negative)
{
    GPtrArray *branches = new_branches();
    GArray *all = g_array_new(FALSE, FALSE, sizeof(struct literal));
    struct literal literal = {query, negative};
    if (query)
        g_array_append_val(all, literal);
    g_ptr_array_add(branches, all);
    return branches;
}

static GPtrArray *
checked(GPtrArray *branches)
{
    if (branches->len <= BRANCHES_MAX)
        return branches;
    g_ptr_array_unref(branches);
    return NULL;
}

/* Both take what they are given, and pass NULL on. */
static GPtrArray *
either(GPtrArray *left, GPtrArray *right)
{
    g_autoptr(GPtrArray) a = left, b = right;
    if (!a || !b)
        return NULL;
    g_ptr_array_extend_and_steal(a, g_steal_pointer(&b));
    return checked(g_steal_pointer(&a));
}

static GPtrArray *
both(GPtrArray *left, GPtrArray *right)
{
    g_autoptr(GPtrArray) a = left, b = right;
    if (!a || !b || a->len * b->len > BRANCHES_MAX)
        return NULL;
    GPtrArray *out = new_branches();
    for (guint i = 0; i < a->len; i++)
        for (guint j = 0; j < b->len; j++) {
            const GArray *x = a->pdata[i], *y = b->pdata[j];
            GArray *all = g_array_new(FALSE, FALSE, sizeof(struct literal));
            g_array_append_vals(all, x->data, x->len);
            g_array_append_vals(all, y->data, y->len);
            g_ptr_array_add(out, all);
        }
    return out;
}

static GPtrArray *
children_of(const struct query *query, gboolean negative, gboolean all)
{
    GPtrArray *branches = all ? one_branch(NULL, FALSE) : new_branches();
    for (guint i = 0; branches && i < query->children->len; i++) {
        GPtrArray *child = branches_of(query->children->pdata[i], negative);
        branches = all ? both(branches, child) : either(branches, child);
    }
    return branches;
}

static GPtrArray *
branches_of(const struct query *query, gboolean negative)
{
    const struct query *a, *b;
    switch (query->kind) {
    case QUERY_ALL:
    case QUERY_NONE:
        return (query->kind == QUERY_ALL) != negative ? one_branch(NULL, FALSE) : new_branches();
    case QUERY_AND:
    case QUERY_OR:
        return children_of(query, negative, (query->kind == QUERY_AND) != negative);
    case QUERY_NOT:
        return branches_of(query->children->pdata[0], !negative);
    case QUERY_XOR:
        a = query->children->pdata[0];
        b = query->children->pdata[1];
        return either(both(branches_of(a, FALSE), branches_of(b, !negative)),
                      both(branches_of(a, TRUE), branches_of(b, negative)));
    default:
        return one_branch(query, negative);
    }
}

/* ---- what the server is asked ---- */

/* Words of a text: what is not here. */
static gboolean
is_for_server(const struct query *query)
{
    return query->kind == QUERY_TEXT && query->fields & QUERY_BODY && query->match != QUERY_REGEX && query->text &&
           *query->text;
}

static void
put(GArray *keys, gboolean is_string, const char *text)
{
    struct imap_key key = {g_strdup(text), is_string};
    g_array_append_val(keys, key);
}

static void
put_words(GArray *keys, const struct literal *literal)
{
    const struct query *query = literal->query;
    const char *name = query->fields == QUERY_BODY ? "BODY " : "TEXT ";
    /* Line ends may stand between words, so they are asked for one by one; what must not be there, as a whole. */
    gboolean whole = literal->negative || query->match == QUERY_SUBSTRING;
    g_autofree char *text = g_strdelimit(g_strdup(query->text), "\r\n\t", ' ');
    g_auto(GStrv) words = g_strsplit(text, " ", whole ? 1 : -1);
    for (char **word = words; *word; word++) {
        if (!**word)
            continue;
        g_autofree char *key = g_strconcat(keys->len ? " " : "", literal->negative ? "NOT " : "", name, NULL);
        put(keys, FALSE, key);
        put(keys, TRUE, *word);
    }
}

static void
put_day(GArray *keys, const char *name, gint64 seconds)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    if (!time || g_date_time_get_year(time) < 1970)
        return;
    g_autofree char *text = g_strdup_printf(" %s %d-%s-%04d", name, g_date_time_get_day_of_month(time),
                                            months[g_date_time_get_month(time) - 1], g_date_time_get_year(time));
    put(keys, FALSE, text);
}

/* A day wider on each side: servers compare days, each in a zone of its own. */
static void
put_dates(GArray *keys, const struct query *query)
{
    gboolean sent = query->kind == QUERY_DATE;
    if (query->min > DAY)
        put_day(keys, sent ? "SENTSINCE" : "SINCE", query->min - DAY);
    if (query->max < G_MAXINT64 / 2)
        put_day(keys, sent ? "SENTBEFORE" : "BEFORE", query->max + 2 * DAY);
}

static void
key_clear(gpointer key)
{
    g_free(((struct imap_key *)key)->text);
}

static void
branch_free(gpointer data)
{
    struct find_branch *branch = data;
    g_array_unref(branch->keys);
    query_free(branch->local);
    g_free(branch);
}

/* NULL: the store knows all about it. */
static struct find_branch *
branch_new(const GArray *literals)
{
    struct find_branch *branch = g_new0(struct find_branch, 1);
    branch->keys = g_array_new(FALSE, FALSE, sizeof(struct imap_key));
    g_array_set_clear_func(branch->keys, key_clear);
    for (guint i = 0; i < literals->len; i++) {
        const struct literal *literal = &g_array_index(literals, struct literal, i);
        if (is_for_server(literal->query))
            put_words(branch->keys, literal);
    }
    if (!branch->keys->len) {
        branch_free(branch);
        return NULL;
    }
    for (guint i = 0; i < literals->len; i++) {
        const struct literal *literal = &g_array_index(literals, struct literal, i);
        gboolean dates = literal->query->kind == QUERY_DATE || literal->query->kind == QUERY_RECEIVED;
        if (is_for_server(literal->query))
            continue;
        if (dates && !literal->negative)
            put_dates(branch->keys, literal->query);
        struct query *copy = query_copy(literal->query);
        branch->local = query_new_pair(QUERY_AND, branch->local, literal->negative ? query_new_not(copy) : copy);
    }
    if (!branch->local)
        branch->local = query_new(QUERY_ALL);
    return branch;
}

GPtrArray *
find_plan(const struct query *query, GError **error)
{
    g_autoptr(GPtrArray) all = branches_of(query, FALSE);
    if (!all) {
        g_set_error_literal(error, SYNC_ERROR, ERROR_INPUT,
                            _("the search has too many alternatives for a server: ask for fewer at once"));
        return NULL;
    }
    GPtrArray *branches = g_ptr_array_new_with_free_func(branch_free);
    for (guint i = 0; i < all->len; i++) {
        struct find_branch *branch = branch_new(all->pdata[i]);
        if (branch)
            g_ptr_array_add(branches, branch);
    }
    return branches;
}

char *
find_plan_describe(const GPtrArray *branches)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < branches->len; i++) {
        const struct find_branch *branch = branches->pdata[i];
        g_string_append(out, i ? "; " : "");
        for (guint k = 0; k < branch->keys->len; k++) {
            const struct imap_key *key = &g_array_index(branch->keys, struct imap_key, k);
            g_string_append_printf(out, key->is_string ? "\"%s\"" : "%s", key->text);
        }
        g_autofree char *local = query_describe(branch->local);
        g_string_append_printf(out, " | %s", local);
    }
    return g_string_free(out, FALSE);
}
