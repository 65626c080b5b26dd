#include "config.h"

#include "sync/plan.h"

#include <string.h>

#include "base/flags.h"

/* The brake: as many may always go. */
#define BRAKE_FREE 50

static struct plan_action *
action_new(enum plan_kind kind)
{
    struct plan_action *action = g_new0(struct plan_action, 1);
    action->kind = kind;
    return action;
}

static void
action_free(gpointer data)
{
    struct plan_action *action = data;
    g_free(action->tags);
    uidset_free(action->uids);
    if (action->ids)
        g_array_unref(action->ids);
    if (action->taken)
        g_array_unref(action->taken);
    g_free(action);
}

/* An action that gathers messages while the folder is walked, and joins the plan only when it got some. */
static struct plan_action *
action_gathering(enum plan_kind kind)
{
    struct plan_action *action = action_new(kind);
    action->uids = uidset_new();
    action->ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    return action;
}

static void
gather(struct plan_action *action, const struct plan_local *local)
{
    uidset_add(action->uids, local->uid);
    g_array_append_val(action->ids, local->id);
}

static void
join(struct plan *plan, struct plan_action *action)
{
    if (!action->ids->len && uidset_is_empty(action->uids)) {
        action_free(action);
        return;
    }
    if (uidset_is_empty(action->uids))
        g_clear_pointer(&action->uids, uidset_free);
    if (!action->ids->len)
        g_clear_pointer(&action->ids, g_array_unref);
    g_ptr_array_add(plan->actions, action);
}

void
plan_free(struct plan *plan)
{
    if (!plan)
        return;
    g_ptr_array_unref(plan->actions);
    g_ptr_array_unref(plan->conflicted);
    g_free(plan);
}

gboolean
plan_brake(guint64 total, guint64 removed)
{
    return removed > BRAKE_FREE && removed > total / 5;
}

/* ---- flags to send ---- */

/* Messages that need the same change, keyed by its text: "+3 work urgent". */
struct change {
    gboolean add;
    guint flags;
    char *tags;
    struct uidset *uids;
};

struct changes {
    GHashTable *by_key; /* borrowed keys and values */
    GPtrArray *list;    /* struct change, in order of first use */
};

static void
change_free(gpointer data)
{
    struct change *change = data;
    g_free(change->tags);
    uidset_free(change->uids);
    g_free(change);
}

static void
changes_init(struct changes *changes)
{
    changes->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    changes->list = g_ptr_array_new_with_free_func(change_free);
}

static void
changes_clear(struct changes *changes)
{
    g_hash_table_unref(changes->by_key);
    g_ptr_array_unref(changes->list);
}

static struct change *
changes_get(struct changes *changes, gboolean add, guint flags, const char *tags)
{
    g_autofree char *key = g_strdup_printf("%c%u %s", add ? '+' : '-', flags, tags);
    struct change *change = g_hash_table_lookup(changes->by_key, key);
    if (change)
        return change;
    change = g_new0(struct change, 1);
    change->add = add;
    change->flags = flags;
    change->tags = g_strdup(tags);
    change->uids = uidset_new();
    g_hash_table_insert(changes->by_key, g_steal_pointer(&key), change);
    g_ptr_array_add(changes->list, change);
    return change;
}

static void
changes_add(struct changes *changes, gboolean add, guint flags, const char *tags, guint32 uid)
{
    if (flags || *tags)
        uidset_add(changes_get(changes, add, flags, tags)->uids, uid);
}

/* The same changes, a command for each flag instead of one for each combination. */
static void
changes_split(const struct changes *combined, struct changes *single)
{
    for (guint i = 0; i < combined->list->len; i++) {
        const struct change *change = combined->list->pdata[i];
        for (guint bit = 1; bit <= FLAGS_ALL; bit <<= 1)
            if (change->flags & bit)
                uidset_add_set(changes_get(single, change->add, bit, "")->uids, change->uids);
        g_auto(GStrv) tags = tags_split(change->tags);
        for (char **tag = tags; *tag; tag++)
            uidset_add_set(changes_get(single, change->add, 0, *tag)->uids, change->uids);
    }
}

static void
join_changes(struct plan *plan, struct changes *combined)
{
    struct changes single, *best = combined;
    changes_init(&single);
    changes_split(combined, &single);
    if (single.list->len < combined->list->len)
        best = &single;
    for (guint i = 0; i < best->list->len; i++) {
        struct change *change = best->list->pdata[i];
        struct plan_action *action = action_new(PLAN_SEND_FLAGS);
        action->add = change->add;
        action->flags = change->flags;
        action->tags = g_steal_pointer(&change->tags);
        action->uids = g_steal_pointer(&change->uids);
        g_ptr_array_add(plan->actions, action);
    }
    changes_clear(&single);
}

/* Those of `tags` that the server can keep; the others are added to *left. */
static char *
storable_tags(const struct plan_storable *storable, const char *tags, char **left)
{
    if (storable->any_tag || !*tags)
        return g_strdup(tags);
    g_auto(GStrv) words = tags_split(tags);
    char *kept = g_strdup("");
    for (char **word = words; *word; word++) {
        char **into = tags_has(storable->tags ? storable->tags : "", *word) ? &kept : left;
        char *more = tags_add(*into, *word);
        g_free(*into);
        *into = more;
    }
    return kept;
}

/* ---- the walk over one folder ---- */

struct walk {
    const struct plan_input *in;
    struct plan *plan;
    struct changes changes;
    GHashTable *moves;   /* target -> struct plan_action */
    GPtrArray *move_order;
    struct plan_action *taken, *closed, *removed, *expunged, *uploads, *new, *bodies, *waiting;
    char *left_tags;
};

static void
take_flags(struct walk *walk, const struct plan_local *local, const struct plan_remote *remote)
{
    struct plan_taken taken = {local->id, remote};
    g_array_append_val(walk->taken->taken, taken);
    walk->plan->flags_in++;
}

/* What the server needs to be told for `local`, when it last said `flags` and `tags`. TRUE when there is something. */
static void
send_flags(struct walk *walk, const struct plan_local *local, guint flags, const char *tags)
{
    guint wanted = flags_merge(local->flags, flags, local->want_flags);
    guint add = wanted & ~flags & walk->in->storable.flags;
    guint drop = flags & ~wanted & walk->in->storable.flags;
    g_autofree char *add_tags = NULL, *drop_tags = NULL;
    if (strcmp(local->tags, local->want_tags)) {
        g_autofree char *merged = tags_merge(local->tags, tags, local->want_tags);
        g_autofree char *more = tags_minus(merged, tags), *less = tags_minus(tags, merged);
        add_tags = storable_tags(&walk->in->storable, more, &walk->left_tags);
        drop_tags = storable_tags(&walk->in->storable, less, &walk->left_tags);
    }
    gboolean any_tag = (add_tags && *add_tags) || (drop_tags && *drop_tags);
    if (!add && !drop && !any_tag)
        return;
    if (walk->in->read_only) {
        gather(walk->waiting, local);
        return;
    }
    changes_add(&walk->changes, TRUE, add, add_tags ? add_tags : "", local->uid);
    changes_add(&walk->changes, FALSE, drop, drop_tags ? drop_tags : "", local->uid);
    walk->plan->flags_out++;
}

static void
leave(struct walk *walk, const struct plan_local *local)
{
    if (walk->in->read_only) {
        gather(walk->waiting, local);
        return;
    }
    if (local->state == PLAN_DELETE || local->arrived) {
        gather(walk->expunged, local);
        return;
    }
    struct plan_action *move = g_hash_table_lookup(walk->moves, &local->target);
    if (!move) {
        move = action_gathering(PLAN_SEND_MOVE);
        move->target = local->target;
        g_hash_table_insert(walk->moves, &move->target, move);
        g_ptr_array_add(walk->move_order, move);
    }
    gather(move, local);
}

static gboolean
says_the_same(const struct plan_local *local, const struct plan_remote *remote)
{
    return local->flags == remote->flags && !strcmp(local->tags, remote->tags);
}

/* Both sides changed the message since they last agreed, and not to the same state. Nothing is lost by the merge; the
 * user may want to hear of it all the same. */
static gboolean
changed_on_both(const struct plan_local *local, const struct plan_remote *remote)
{
    return (local->flags != local->want_flags || strcmp(local->tags, local->want_tags)) &&
           (remote->flags != local->want_flags || strcmp(remote->tags, local->want_tags));
}

static void
visit(struct walk *walk, const struct plan_local *local, const struct plan_remote *remote)
{
    if (local->state == PLAN_ARRIVE)
        return;
    if (local->state == PLAN_UPLOAD) {
        gather(walk->in->read_only ? walk->waiting : walk->uploads, local);
        return;
    }
    if (!local->uid && !walk->in->matched)
        return;
    if (!remote && (!local->uid || walk->in->complete || uidset_contains(walk->in->vanished, local->uid))) {
        gather(local->state == PLAN_HERE ? walk->removed : walk->closed, local);
        return;
    }
    if (remote && !says_the_same(local, remote)) {
        if (changed_on_both(local, remote))
            plan_note_conflict(walk->plan, local, remote);
        take_flags(walk, local, remote);
    }
    if (local->state != PLAN_DELETE)
        send_flags(walk, local, remote ? remote->flags : local->flags, remote ? remote->tags : local->tags);
    if (local->state == PLAN_DELETE || local->state == PLAN_MOVE)
        leave(walk, local);
    else if (local->body_wanted)
        gather(walk->bodies, local);
}

static int
by_uid(gconstpointer a, gconstpointer b)
{
    const struct plan_remote *x = *(const struct plan_remote *const *) a, *y = *(const struct plan_remote *const *) b;
    if (x->uid != y->uid)
        return x->uid < y->uid ? -1 : 1;
    /* The later report of a message is the truer one. */
    return x < y ? -1 : x > y;
}

/* The server's report without what makes no sense (UID 0, the same UID twice), ascending. */
static GPtrArray *
sane_remotes(const struct plan_input *in)
{
    GPtrArray *sorted = g_ptr_array_sized_new(in->n_remotes);
    gboolean ascending = TRUE;
    for (gsize i = 0; i < in->n_remotes; i++) {
        const struct plan_remote *remote = &in->remotes[i];
        if (!remote->uid)
            continue;
        if (sorted->len && ((struct plan_remote *) sorted->pdata[sorted->len - 1])->uid >= remote->uid)
            ascending = FALSE;
        g_ptr_array_add(sorted, (gpointer) remote);
    }
    if (ascending)
        return sorted;
    g_ptr_array_sort(sorted, by_uid);
    guint n = 0;
    for (guint i = 0; i < sorted->len; i++) {
        const struct plan_remote *last = n ? sorted->pdata[n - 1] : NULL, *remote = sorted->pdata[i];
        if (last && last->uid == remote->uid)
            n--;
        sorted->pdata[n++] = (gpointer) remote;
    }
    g_ptr_array_set_size(sorted, n);
    return sorted;
}

/* A report of changes has to lead from what we know to what the server counts. When it does not, a change was missed
 * (a lost VANISHED, a mod-sequence that went back): read it all. */
static gboolean
adds_up(const struct plan_input *in, const GPtrArray *remotes)
{
    if (in->complete || !in->exists_known)
        return TRUE;
    g_autoptr(struct_uidset) there = uidset_copy(in->known);
    if (in->vanished)
        uidset_remove_set(there, in->vanished);
    for (guint i = 0; i < remotes->len; i++)
        uidset_add(there, ((const struct plan_remote *) remotes->pdata[i])->uid);
    return uidset_count(there) == in->exists;
}

static void
walk_folder(struct walk *walk, const GPtrArray *remotes)
{
    const struct plan_input *in = walk->in;
    guint r = 0;
    for (gsize l = 0; l < in->n_locals; l++) {
        const struct plan_local *local = &in->locals[l];
        const struct plan_remote *remote = NULL;
        for (; local->uid && r < remotes->len; r++) {
            const struct plan_remote *next = remotes->pdata[r];
            if (next->uid > local->uid)
                break;
            if (next->uid == local->uid)
                remote = next;
            else if (!uidset_contains(in->known, next->uid))
                uidset_add(walk->new->uids, next->uid);
        }
        visit(walk, local, remote);
    }
    for (; r < remotes->len; r++) {
        const struct plan_remote *next = remotes->pdata[r];
        if (!uidset_contains(in->known, next->uid))
            uidset_add(walk->new->uids, next->uid);
    }
}

/* Deletions at the server: all or none, so that a half-done accident does not happen. */
static void
join_expunges(struct walk *walk)
{
    guint64 total = uidset_count(walk->in->known);
    if (!walk->in->removals_agreed && plan_brake(total, walk->expunged->ids->len))
        walk->expunged->kind = PLAN_ASK_EXPUNGE;
    join(walk->plan, walk->expunged);
}

struct plan *
plan_folder(const struct plan_input *in)
{
    struct plan *plan = g_new0(struct plan, 1);
    plan->actions = g_ptr_array_new_with_free_func(action_free);
    plan->conflicted = g_ptr_array_new_with_free_func(plan_conflict_free);
    g_autoptr(GPtrArray) remotes = sane_remotes(in);
    if (!adds_up(in, remotes)) {
        g_ptr_array_add(plan->actions, action_new(PLAN_REREAD));
        return plan;
    }

    struct walk walk = {
        .in = in,
        .plan = plan,
        .moves = g_hash_table_new(g_int64_hash, g_int64_equal),
        .move_order = g_ptr_array_new(),
        .taken = action_new(PLAN_TAKE_FLAGS),
        .closed = action_gathering(PLAN_CLOSE),
        .removed = action_gathering(PLAN_REMOVE),
        .expunged = action_gathering(PLAN_SEND_EXPUNGE),
        .uploads = action_gathering(PLAN_SEND_UPLOAD),
        .new = action_gathering(PLAN_FETCH_NEW),
        .bodies = action_gathering(PLAN_FETCH_BODY),
        .waiting = action_gathering(PLAN_TELL_READ_ONLY),
        .left_tags = g_strdup(""),
    };
    walk.taken->taken = g_array_new(FALSE, FALSE, sizeof(struct plan_taken));
    changes_init(&walk.changes);
    walk_folder(&walk, remotes);

    /* What the server says is recorded before anything is sent: an older report must not overwrite the record of a
     * newer change of our own. */
    if (walk.taken->taken->len)
        g_ptr_array_add(plan->actions, walk.taken);
    else
        action_free(walk.taken);
    join(plan, walk.closed);
    join_changes(plan, &walk.changes);
    for (guint i = 0; i < walk.move_order->len; i++)
        join(plan, walk.move_order->pdata[i]);
    join_expunges(&walk);
    join(plan, walk.new);
    join(plan, walk.uploads);
    join(plan, walk.bodies);
    join(plan, walk.removed);
    if (*walk.left_tags) {
        struct plan_action *tell = action_new(PLAN_TELL_TAGS);
        tell->tags = g_strdup(walk.left_tags);
        g_ptr_array_add(plan->actions, tell);
    }
    join(plan, walk.waiting);

    g_free(walk.left_tags);
    changes_clear(&walk.changes);
    g_hash_table_unref(walk.moves);
    g_ptr_array_unref(walk.move_order);
    return plan;
}
