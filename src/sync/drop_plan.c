#include "config.h"

#include "sync/drop_plan.h"

#include <string.h>

#define SECONDS_A_DAY (24 * 60 * 60)

/* ---- who is who ---- */

/* Index of (uidl, nth) in `known`, or -1. */
static gint64
find_known(const struct drop_known *known, guint n, const char *uidl, guint nth)
{
    guint low = 0, high = n;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        int order = strcmp(known[middle].uidl, uidl);
        if (!order)
            order = known[middle].nth < nth ? -1 : known[middle].nth > nth;
        if (!order)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* How many have each id. */
static GHashTable *
number(struct drop_listed *listed, guint n)
{
    GHashTable *counts = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < n; i++) {
        guint before = GPOINTER_TO_UINT(g_hash_table_lookup(counts, listed[i].uidl));
        listed[i].nth = before;
        g_hash_table_insert(counts, (gpointer) listed[i].uidl, GUINT_TO_POINTER(before + 1));
    }
    return counts;
}

void
drop_match(const struct drop_known *known, guint n_known, struct drop_listed *listed, guint n_listed, GArray **gone)
{
    g_autoptr(GHashTable) counts = number(listed, n_listed);
    g_autofree guint8 *seen = g_malloc0(n_known + 1);
    for (guint i = 0; i < n_listed; i++) {
        struct drop_listed *at = &listed[i];
        at->known = find_known(known, n_known, at->uidl, at->nth);
        at->shared = GPOINTER_TO_UINT(g_hash_table_lookup(counts, at->uidl)) > 1;
        at->doubtful = FALSE;
        if (at->known < 0)
            continue;
        const struct drop_known *row = &known[at->known];
        seen[at->known] = 1;
        at->doubtful = !row->loose && row->size && at->size && row->size != at->size;
    }
    *gone = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < n_known; i++)
        if (!seen[i])
            g_array_append_val(*gone, i);
}

/* ---- what goes ---- */

enum drop_verdict
drop_judge(const struct leave *leave, const struct drop_facts *facts, gint64 now)
{
    /* Nothing that is shown anywhere and has its only copy there. */
    gboolean safe = facts->cached || !facts->shown;
    if (leave->what == LEAVE_ALWAYS || !safe)
        return DROP_STAYS;
    if (!facts->here)
        return leave->what == LEAVE_NEVER ? DROP_GOES : DROP_GOES_DELETED;
    if (leave->what == LEAVE_NEVER)
        return DROP_GOES;
    /* A clock that was wrong once makes nothing old. */
    gboolean old = leave->what == LEAVE_DAYS && facts->since > 0 && now - facts->since >= (gint64) leave->days * SECONDS_A_DAY;
    return old ? DROP_GOES : DROP_STAYS;
}

void
drop_judge_shared(const struct drop_listed *listed, guint n_listed, enum drop_verdict *verdicts)
{
    g_autoptr(GHashTable) held = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < n_listed; i++)
        if (listed[i].shared && verdicts[i] == DROP_STAYS)
            g_hash_table_add(held, (gpointer) listed[i].uidl);
    for (guint i = 0; i < n_listed && g_hash_table_size(held); i++)
        if (listed[i].shared && g_hash_table_contains(held, listed[i].uidl))
            verdicts[i] = DROP_STAYS;
}
