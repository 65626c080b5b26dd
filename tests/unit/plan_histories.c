/* Random histories: two devices and a server, other clients on it, and a loss at any point; all must converge.
 *
 * Each device is a model of the store (placements, intents) and of the runner (src/sync/run.c), which carries out what
 * the planner says step by step; at any step it may be killed, and what was not yet recorded is forgotten. Between any
 * two deeds of a pass another client may move, mark, remove and put mail, and its own user may act. After a history of
 * random actions and broken passes, whole passes follow, and then:
 *   - both devices hold what the server holds: messages, UIDs, flags, tags;
 *   - a further pass finds nothing to do;
 *   - a message that nobody deleted is there; none is there more often than it was put there;
 *   - a flag that nobody set is nowhere; one that was set and never taken away is there.
 *
 * A sample runs by default, 100,000 of them with POSTRIDER_LONG or -m slow, POSTRIDER_HISTORIES=N so many;
 * POSTRIDER_SEED=N one seed onwards.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/flags.h"
#include "sync/plan.h"

#define FOLDERS 3
#define CONTENTS 40
#define LONGEST 45 /* steps of a pass */

/* Two tags are enough to be merged wrongly. */
static const char *const tag_sets[] = {"", "a", "b", "a b"};

static guint
tags_to_bits(const char *tags)
{
    return (tags_has(tags, "a") ? 1u : 0) | (tags_has(tags, "b") ? 2u : 0);
}

/* ---- what was done to each message, for the oracle ---- */

struct content {
    gboolean deleted;      /* somebody removed it for good, somewhere */
    guint in_doubt;        /* devices that crashed between the server's deed and their record of it … */
    gboolean may_double;   /* … and another client moved or removed that very message in between */
    gboolean may_fade;     /* marked by another client where a device, without MOVE, has copied it and is about to remove it */
    guint copies;          /* as often it may be there */
    guint set, cleared;    /* flags, and tags from bit 8 on */
};

/* ---- the server ---- */

struct server_message {
    guint32 uid;
    guint content, flags, tags;
    guint64 modseq;
};

struct server_gone {
    guint32 uid;
    guint64 modseq;
};

struct server_folder {
    guint32 uidvalidity, uidnext;
    guint64 modseq;
    GArray *messages, *gone;
};

/* ---- a device ---- */

enum intent_kind { MOVE, COPY, APPEND, EXPUNGE };

struct intent {
    enum intent_kind kind;
    gint64 source, target; /* placements; source 0: has gone */
    gboolean claimed, done;
};

struct place {
    gint64 id;
    guint folder, content;
    guint32 uid;
    guint base, want, base_tags, want_tags;
    gboolean leaving, removed;
};

struct known_folder {
    guint32 uidvalidity;
    guint64 modseq;
};

struct device {
    struct known_folder folders[FOLDERS];
    GArray *places, *intents;
    gint64 next_id;
};

struct world {
    GRand *rand;
    struct server_folder folders[FOLDERS];
    struct device devices[2];
    struct content contents[CONTENTS];
    guint n_contents;
    /* the pass that is running */
    int steps_left;        /* -1: it is not killed */
    gboolean has_move, has_uids, has_delta, loses_vanished;
    guint commands;        /* sent to the server that change it */
    guint disturbed;       /* in so many thousandths of the moments somebody else acts */
    guint steps;           /* of this pass */
    struct device *running; /* the pass is its own */
    GString *trace;
};

/* How sharp the test was. */
static struct {
    guint64 contents, deleted, may_double, doubled, killed, disturbed, renumbered, moved, tagged;
    guint longest; /* steps of a pass */
} seen;

static guint
pick(struct world *world, guint n)
{
    return (guint) g_rand_int_range(world->rand, 0, (gint32) n);
}

/* TRUE: the process is dead. */
static gboolean
killed(struct world *world)
{
    world->steps++;
    return world->steps_left >= 0 && world->steps_left-- == 0;
}

static void G_GNUC_PRINTF(2, 3)
trace(struct world *world, const char *format, ...)
{
    if (!world->trace)
        return;
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(world->trace, format, args);
    va_end(args);
    g_string_append_c(world->trace, '\n');
}

/* Moved or removed by `who` (a device's bit, 0 another client): whoever is in doubt about it will not find it. */
static void
note_touch(struct world *world, guint content, guint who)
{
    if (world->contents[content].in_doubt & ~who)
        world->contents[content].may_double = TRUE;
}

/* ---- server deeds ---- */

static guint32
server_add(struct world *world, guint f, guint content, guint flags, guint tags)
{
    struct server_folder *folder = &world->folders[f];
    struct server_message message = {folder->uidnext++, content, flags, tags, ++folder->modseq};
    g_array_append_val(folder->messages, message);
    return message.uid;
}

static struct server_message *
server_find(struct world *world, guint f, guint32 uid)
{
    GArray *messages = world->folders[f].messages;
    for (guint i = 0; i < messages->len; i++)
        if (g_array_index(messages, struct server_message, i).uid == uid)
            return &g_array_index(messages, struct server_message, i);
    return NULL;
}

static void
server_remove(struct world *world, guint f, guint32 uid)
{
    struct server_folder *folder = &world->folders[f];
    for (guint i = 0; i < folder->messages->len; i++)
        if (g_array_index(folder->messages, struct server_message, i).uid == uid) {
            g_array_remove_index(folder->messages, i);
            struct server_gone gone = {uid, ++folder->modseq};
            g_array_append_val(folder->gone, gone);
            return;
        }
}

/* 0: it was not there. */
static guint32
server_copy(struct world *world, guint from, guint32 uid, guint to)
{
    const struct server_message *message = server_find(world, from, uid);
    if (!message)
        return 0;
    return server_add(world, to, message->content, message->flags, message->tags);
}

static void
server_mark(struct world *world, guint f, guint32 uid, gboolean add, guint flags, guint tags)
{
    struct server_message *message = server_find(world, f, uid);
    if (!message)
        return;
    message->flags = add ? message->flags | flags : message->flags & ~flags;
    message->tags = add ? message->tags | tags : message->tags & ~tags;
    message->modseq = ++world->folders[f].modseq;
}

static void
server_renumber(struct world *world, guint f)
{
    struct server_folder *folder = &world->folders[f];
    trace(world, "server: new UIDVALIDITY of %u", f);
    folder->uidvalidity++;
    folder->uidnext = 1;
    folder->modseq = 1 + pick(world, 5);
    g_array_set_size(folder->gone, 0);
    for (guint i = folder->messages->len; i > 1; i--) {
        guint k = pick(world, i);
        struct server_message *a = &g_array_index(folder->messages, struct server_message, i - 1),
                              *b = &g_array_index(folder->messages, struct server_message, k), swap = *a;
        *a = *b;
        *b = swap;
    }
    for (guint i = 0; i < folder->messages->len; i++) {
        struct server_message *message = &g_array_index(folder->messages, struct server_message, i);
        message->uid = folder->uidnext++;
        message->modseq = ++folder->modseq;
    }
}

/* ---- the device's store ---- */

static struct place *
place_find(struct device *device, gint64 id)
{
    if (id <= 0 || id > device->places->len)
        return NULL;
    struct place *place = &g_array_index(device->places, struct place, id - 1);
    return place->removed ? NULL : place;
}

static struct place *
place_find_uid(struct device *device, guint f, guint32 uid)
{
    for (guint i = 0; uid && i < device->places->len; i++) {
        struct place *place = &g_array_index(device->places, struct place, i);
        if (!place->removed && place->folder == f && place->uid == uid)
            return place;
    }
    return NULL;
}

static struct place *
place_new(struct device *device, guint f, guint content)
{
    struct place place = {.id = device->places->len + 1, .folder = f, .content = content};
    g_array_append_val(device->places, place);
    return &g_array_index(device->places, struct place, place.id - 1);
}

static struct intent *
intent_of_source(struct device *device, gint64 place)
{
    for (guint i = 0; i < device->intents->len; i++) {
        struct intent *intent = &g_array_index(device->intents, struct intent, i);
        if (!intent->done && intent->source == place && intent->kind != COPY)
            return intent;
    }
    return NULL;
}

static struct intent *
intent_of_target(struct device *device, gint64 place)
{
    for (guint i = 0; i < device->intents->len; i++) {
        struct intent *intent = &g_array_index(device->intents, struct intent, i);
        if (!intent->done && intent->target == place)
            return intent;
    }
    return NULL;
}

static void
intent_new(struct device *device, enum intent_kind kind, gint64 source, gint64 target)
{
    struct intent intent = {kind, source, target, FALSE, FALSE};
    g_array_append_val(device->intents, intent);
}

/* The server says these flags of it (placement_server_flags, placement_bind). */
static void
place_take(struct place *place, guint flags, guint tags)
{
    g_autofree char *merged = tags_merge(tag_sets[place->base_tags], tag_sets[tags], tag_sets[place->want_tags]);
    place->want = flags_merge(place->base, flags, place->want);
    place->want_tags = tags_to_bits(merged);
    place->base = flags;
    place->base_tags = tags;
}

/* A change of marks that concerns another placement of the same message, and where that is going. */
static void
place_carry(struct device *device, struct place *to, guint from_flags, guint from_tags, guint flags, guint tags)
{
    while (to) {
        g_autofree char *merged = tags_merge(tag_sets[from_tags], tag_sets[to->want_tags], tag_sets[tags]);
        to->want = flags_merge(from_flags, to->want, flags);
        to->want_tags = tags_to_bits(merged);
        const struct intent *intent = to->leaving ? intent_of_source(device, to->id) : NULL;
        to = intent && intent->kind == MOVE ? place_find(device, intent->target) : NULL;
    }
}

/* What a move will take is what the server has by now; of one that may have been made, nobody knows what it took. */
static void
rebase_target(struct device *device, const struct place *place)
{
    const struct intent *intent = place->leaving ? intent_of_source(device, place->id) : NULL;
    struct place *target = intent && !intent->claimed ? place_find(device, intent->target) : NULL;
    if (!target || target->uid)
        return;
    target->base = place->base;
    target->base_tags = place->base_tags;
    rebase_target(device, target);
}

/* What others change on a message that is leaving for another folder is meant for it there too. */
static void
take_flags(struct device *device, struct place *place, guint flags, guint tags)
{
    const struct intent *intent = place->leaving ? intent_of_source(device, place->id) : NULL;
    struct place *target = intent ? place_find(device, intent->target) : NULL;
    if (target)
        place_carry(device, target, place->base, place->base_tags, flags, tags);
    place_take(place, flags, tags);
    rebase_target(device, place);
}

/* On the server in another folder; the newest of several. */
static struct place *
place_elsewhere(struct device *device, const struct place *place)
{
    for (guint i = device->places->len; i-- > 0;) {
        struct place *other = &g_array_index(device->places, struct place, i);
        if (!other->removed && !other->leaving && other->uid && other->content == place->content && other->id != place->id)
            return other;
    }
    return NULL;
}

/* The same, or else one that is not there yet. */
static struct place *
place_heir(struct device *device, const struct place *place)
{
    struct place *heir = place_elsewhere(device, place);
    for (guint i = device->places->len; i-- > 0 && !heir;) {
        struct place *other = &g_array_index(device->places, struct place, i);
        if (!other->removed && !other->leaving && other->content == place->content && other->id != place->id)
            heir = other;
    }
    return heir;
}

/* A message that leaves here takes no unsent mark with it when it lies elsewhere too. */
static void
place_remove(struct device *device, struct place *place)
{
    place->removed = TRUE;
    struct place *other = place_heir(device, place);
    if (other && (place->base != place->want || place->base_tags != place->want_tags))
        place_carry(device, other, place->base, place->base_tags, place->want, place->want_tags);
}

/* ---- a pass: the runner's order of deeds ---- */

struct pass {
    struct world *world;
    struct device *device;
    guint number; /* of the device */
    GArray *removals[FOLDERS]; /* gint64: gone at the server, removed here when all folders were read */
    guint64 modseq[FOLDERS];
};

static void disturb(struct pass *pass, gboolean by_user);

/* A placement without UID that a new message may turn out to be. */
static gboolean
may_be_matched(struct device *device, const struct place *place)
{
    const struct intent *intent = intent_of_target(device, place->id);
    if (!intent)
        return TRUE; /* done without being told the UID, or unbound */
    return intent->claimed || (intent->kind == MOVE && !place_find(device, intent->source));
}

static gboolean
take_new(struct pass *pass, guint f, const struct server_message *const *fresh, guint n)
{
    struct device *device = pass->device;
    g_autoptr(GArray) locals = g_array_new(FALSE, TRUE, sizeof(struct plan_identity));
    g_autoptr(GArray) remotes = g_array_new(FALSE, TRUE, sizeof(struct plan_identity));
    g_autoptr(GStringChunk) names = g_string_chunk_new(256);
    for (guint i = 0; i < device->places->len; i++) {
        const struct place *place = &g_array_index(device->places, struct place, i);
        if (place->removed || place->folder != f || place->uid || !may_be_matched(device, place))
            continue;
        char name[16];
        g_snprintf(name, sizeof name, "m%u", place->content);
        char *key = g_string_chunk_insert_const(names, name);
        struct plan_identity who = {place->id, NULL, key, 1, 1, key, FALSE};
        g_array_append_val(locals, who);
    }
    for (guint i = 0; i < n; i++) {
        char name[16];
        g_snprintf(name, sizeof name, "m%u", fresh[i]->content);
        struct plan_identity who = {fresh[i]->uid, NULL, g_string_chunk_insert_const(names, name), 1, 1, NULL, FALSE};
        g_array_append_val(remotes, who);
    }
    g_autoptr(GArray) pairs = plan_match((const struct plan_identity *) locals->data, locals->len,
                                         (const struct plan_identity *) remotes->data, remotes->len);
    g_autofree gboolean *bound = g_new0(gboolean, n + 1);
    for (guint i = 0; i < pairs->len; i++) {
        const struct plan_pair *pair = &g_array_index(pairs, struct plan_pair, i);
        struct place *place = place_find(device, g_array_index(locals, struct plan_identity, pair->local).id);
        const struct server_message *message = fresh[pair->remote];
        if (killed(pass->world))
            return FALSE;
        trace(pass->world, "  bind #%d to %u:%u", (int) place->id, f, message->uid);
        bound[pair->remote] = TRUE;
        place->uid = message->uid;
        take_flags(device, place, message->flags, message->tags);
        struct intent *intent = intent_of_target(device, place->id);
        if (intent && (intent->kind != MOVE || !place_find(device, intent->source)))
            intent->done = TRUE;
    }
    for (guint i = 0; i < n; i++) {
        if (bound[i])
            continue;
        if (killed(pass->world))
            return FALSE;
        struct place *place = place_new(device, f, fresh[i]->content);
        place->uid = fresh[i]->uid;
        place->base = place->want = fresh[i]->flags;
        place->base_tags = place->want_tags = fresh[i]->tags;
        trace(pass->world, "  new #%d is %u:%u m%u", (int) place->id, f, place->uid, place->content);
    }
    return TRUE;
}

static int
by_local_uid(gconstpointer a, gconstpointer b)
{
    const struct plan_local *x = a, *y = b;
    return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static struct plan *
make_plan(struct pass *pass, guint f, GArray *remotes, const struct uidset *vanished, gboolean complete)
{
    struct device *device = pass->device;
    g_autoptr(GArray) locals = g_array_new(FALSE, TRUE, sizeof(struct plan_local));
    g_autoptr(struct_uidset) known = uidset_new();
    for (guint i = 0; i < device->places->len; i++) {
        const struct place *place = &g_array_index(device->places, struct place, i);
        if (place->removed || place->folder != f)
            continue;
        const struct intent *away = intent_of_source(device, place->id), *arrival = intent_of_target(device, place->id);
        const struct place *target = away ? place_find(device, away->target) : NULL;
        struct plan_local local = {
            .id = place->id,
            .uid = place->uid,
            .flags = place->base,
            .want_flags = place->want,
            .tags = tag_sets[place->base_tags],
            .want_tags = tag_sets[place->want_tags],
            .state = !place->uid && arrival && arrival->kind == APPEND ? PLAN_UPLOAD
                     : !place->uid && arrival                          ? PLAN_ARRIVE
                     : place->leaving && away && away->kind == MOVE    ? PLAN_MOVE
                     : place->leaving                                  ? PLAN_DELETE
                                                                       : PLAN_HERE,
            .target = target ? target->folder + 1 : 0,
            .arrived = target && target->uid,
        };
        uidset_add(known, place->uid);
        g_array_append_val(locals, local);
    }
    g_array_sort(locals, by_local_uid);
    struct plan_input in = {
        .locals = (const struct plan_local *) locals->data,
        .n_locals = locals->len,
        .known = known,
        .complete = complete,
        .matched = TRUE,
        .remotes = (const struct plan_remote *) remotes->data,
        .n_remotes = remotes->len,
        .vanished = vanished,
        .exists_known = TRUE,
        .exists = pass->world->folders[f].messages->len,
        .storable = {FLAGS_ALL, TRUE, NULL},
        .removals_agreed = TRUE,
    };
    return plan_folder(&in);
}

static gboolean
send_flags(struct pass *pass, guint f, const struct plan_action *action)
{
    guint tags = tags_to_bits(action->tags);
    guint32 uid;
    if (killed(pass->world))
        return FALSE;
    pass->world->commands++;
    for (struct uidset_iter it = uidset_iter(action->uids); uidset_next(&it, &uid);)
        server_mark(pass->world, f, uid, action->add, action->flags, tags);
    if (killed(pass->world))
        return FALSE;
    for (struct uidset_iter it = uidset_iter(action->uids); uidset_next(&it, &uid);) {
        struct place *place = place_find_uid(pass->device, f, uid);
        place->base = action->add ? place->base | action->flags : place->base & ~action->flags;
        place->base_tags = action->add ? place->base_tags | tags : place->base_tags & ~tags;
        rebase_target(pass->device, place);
    }
    return TRUE;
}

/* What a folder's report is planned to. Moves and uploads wait until every folder was read. */
static gboolean
carry_out(struct pass *pass, guint f, const struct plan *plan)
{
    struct device *device = pass->device;
    for (guint i = 0; i < plan->actions->len; i++) {
        const struct plan_action *action = plan->actions->pdata[i];
        switch (action->kind) {
        case PLAN_TAKE_FLAGS:
            for (guint k = 0; k < action->taken->len; k++) {
                const struct plan_taken *taken = &g_array_index(action->taken, struct plan_taken, k);
                if (k % 2 == 0 && killed(pass->world))
                    return FALSE;
                take_flags(device, place_find(device, taken->id), taken->remote->flags,
                           tags_to_bits(taken->remote->tags));
            }
            break;
        case PLAN_CLOSE:
            for (guint k = 0; k < action->ids->len; k++) {
                if (killed(pass->world))
                    return FALSE;
                struct place *place = place_find(device, g_array_index(action->ids, gint64, k));
                struct intent *intent = intent_of_source(device, place->id);
                place->removed = TRUE;
                const struct place *target = intent ? place_find(device, intent->target) : NULL;
                if (!intent)
                    continue;
                intent->source = 0;
                intent->done = intent->kind != MOVE || !target || target->uid;
            }
            break;
        case PLAN_SEND_FLAGS:
            if (!send_flags(pass, f, action))
                return FALSE;
            break;
        case PLAN_REMOVE:
            g_array_append_vals(pass->removals[f], action->ids->data, action->ids->len);
            break;
        default:
            break;
        }
    }
    return TRUE;
}

static gboolean
read_folder(struct pass *pass, guint f)
{
    struct world *world = pass->world;
    struct device *device = pass->device;
    struct server_folder *folder = &world->folders[f];
    struct known_folder *known = &device->folders[f];
    if (known->uidvalidity != folder->uidvalidity) {
        if (killed(world))
            return FALSE;
        for (guint i = 0; i < device->places->len; i++) {
            struct place *place = &g_array_index(device->places, struct place, i);
            if (!place->removed && place->folder == f)
                place->uid = 0;
        }
        known->uidvalidity = folder->uidvalidity;
        known->modseq = 0;
    }
    gboolean complete = !world->has_delta || !known->modseq;
    guint64 modseq = folder->modseq;

again:;
    g_autoptr(GArray) remotes = g_array_new(FALSE, TRUE, sizeof(struct plan_remote));
    g_autoptr(GPtrArray) fresh = g_ptr_array_new();
    g_autoptr(struct_uidset) vanished = uidset_new();
    for (guint i = 0; i < folder->messages->len; i++) {
        const struct server_message *message = &g_array_index(folder->messages, struct server_message, i);
        if (!complete && message->modseq <= known->modseq)
            continue;
        struct plan_remote remote = {message->uid, message->flags, tag_sets[message->tags], message->modseq};
        g_array_append_val(remotes, remote);
        if (!place_find_uid(device, f, message->uid))
            g_ptr_array_add(fresh, (gpointer) message);
    }
    for (guint i = 0; i < folder->gone->len && !complete; i++) {
        const struct server_gone *gone = &g_array_index(folder->gone, struct server_gone, i);
        if (gone->modseq > known->modseq && !(world->loses_vanished && pick(world, 3) == 0))
            uidset_add(vanished, gone->uid);
    }
    /* The planner sees whether the report adds up before anything new is taken in. */
    g_autoptr(struct_plan) first = make_plan(pass, f, remotes, vanished, complete);
    if (first->actions->len && ((struct plan_action *) first->actions->pdata[0])->kind == PLAN_REREAD) {
        g_assert_false(complete);
        complete = TRUE;
        goto again;
    }
    if (!take_new(pass, f, (const struct server_message *const *) fresh->pdata, fresh->len))
        return FALSE;
    g_autoptr(struct_plan) plan = make_plan(pass, f, remotes, vanished, complete);
    if (!carry_out(pass, f, plan))
        return FALSE;
    pass->modseq[f] = modseq;
    if (!pass->removals[f]->len)
        known->modseq = modseq;
    return TRUE;
}

/* A crash before the deed is recorded leaves the oracle in doubt too. */
static gboolean
record(struct pass *pass, guint content)
{
    if (!killed(pass->world))
        return TRUE;
    pass->world->contents[content].in_doubt |= 1u << pass->number;
    return FALSE;
}

static gboolean
carry_out_move(struct pass *pass, struct intent *intent, struct place *source, struct place *target)
{
    struct world *world = pass->world;
    guint32 uid = 0;
    if (!target->uid) {
        if (killed(world))
            return FALSE;
        intent->claimed = TRUE;
        if (killed(world))
            return FALSE;
        world->commands++;
        uid = server_copy(world, source->folder, source->uid, target->folder);
        trace(world, "  copy %u:%u to %u:%u", source->folder, source->uid, target->folder, uid);
        if (!uid)
            return TRUE; /* gone: the next report says so */
        if (!world->has_move) {
            if (!record(pass, source->content))
                return FALSE;
            if (world->has_uids) {
                target->uid = uid;
                place_take(target, source->base, source->base_tags);
            }
        }
    }
    if (!world->has_move) {
        /* It is in both folders: one who moves it on now makes two of it. */
        guint doubt = world->contents[source->content].in_doubt;
        world->contents[source->content].in_doubt |= 1u << pass->number;
        disturb(pass, FALSE);
        world->contents[source->content].in_doubt = doubt;
        if (!record(pass, source->content))
            return FALSE;
    }
    world->commands++;
    note_touch(world, source->content, 1u << pass->number);
    server_remove(world, source->folder, source->uid);
    if (!record(pass, source->content))
        return FALSE;
    if (uid && world->has_uids) {
        target->uid = uid;
        place_take(target, source->base, source->base_tags);
    }
    place_carry(pass->device, target, source->base, source->base_tags, source->want, source->want_tags);
    source->removed = TRUE;
    intent->done = TRUE;
    return TRUE;
}

/* An upload that may have happened is not in its folder, but the same message came into another one since: somebody
 * moved it there. */
static gboolean
came_elsewhere(struct device *device, const struct place *target)
{
    for (guint i = 0; i < device->places->len; i++) {
        const struct place *place = &g_array_index(device->places, struct place, i);
        if (!place->removed && place->uid && place->id > target->id && place->content == target->content)
            return TRUE;
    }
    return FALSE;
}

static gboolean
carry_out_intents(struct pass *pass)
{
    struct world *world = pass->world;
    struct device *device = pass->device;
    guint n = device->intents->len;
    for (guint i = 0; i < n; i++) {
        disturb(pass, TRUE);
        struct intent *intent = &g_array_index(device->intents, struct intent, i);
        struct place *source = place_find(device, intent->source), *target = place_find(device, intent->target);
        if (intent->done)
            continue;
        if (intent->kind != EXPUNGE && !target) {
            /* Somebody removed what had arrived already: what is left at the source stays. */
            if (source && intent->kind == MOVE)
                source->leaving = FALSE;
            intent->done = TRUE;
            continue;
        }
        switch (intent->kind) {
        case MOVE:
            if (source && source->uid && !carry_out_move(pass, intent, source, target))
                return FALSE;
            break;
        case COPY:
        case APPEND:
            if (target->uid) {
                intent->done = TRUE;
                break;
            }
            if (intent->kind == COPY && (!source || !source->uid)) {
                /* What was to be copied has gone, or its UID with it: the content is here, so it can be uploaded. */
                intent->kind = APPEND;
                intent->source = 0;
            }
            if (intent->claimed && came_elsewhere(device, target)) {
                trace(world, "  #%d was uploaded, and moved by someone", (int) target->id);
                place_remove(device, target);
                intent->done = TRUE;
                break;
            }
            if (killed(world))
                return FALSE;
            intent->claimed = TRUE;
            if (killed(world))
                return FALSE;
            world->commands++;
            guint32 uid = intent->kind == COPY
                              ? server_copy(world, source->folder, source->uid, target->folder)
                              : server_add(world, target->folder, target->content, target->want, target->want_tags);
            if (!uid) {
                intent->kind = APPEND;
                intent->source = 0;
                break;
            }
            guint flags = target->want, tags = target->want_tags;
            if (!record(pass, target->content))
                return FALSE;
            trace(world, "  %s #%d to %u:%u", intent->kind == COPY ? "copied" : "uploaded", (int) target->id,
                  target->folder, uid);
            target->uid = world->has_uids ? uid : 0;
            if (intent->kind == COPY) {
                place_take(target, source->base, source->base_tags);
            } else {
                target->base = flags;
                target->base_tags = tags;
            }
            intent->done = TRUE;
            break;
        case EXPUNGE:
            if (!source) {
                intent->done = TRUE;
                break;
            }
            if (!source->uid)
                break;
            if (killed(world))
                return FALSE;
            world->commands++;
            note_touch(world, source->content, 1u << pass->number);
            server_remove(world, source->folder, source->uid);
            if (killed(world))
                return FALSE;
            source->removed = TRUE;
            intent->done = TRUE;
            break;
        }
    }
    return TRUE;
}

/* The target of a move whose source has gone, and which did not come. */
static gboolean
is_dropped(struct device *device, const struct place *place)
{
    const struct intent *intent = place->uid ? NULL : intent_of_target(device, place->id);
    return intent && intent->kind == MOVE && !place_find(device, intent->source);
}

/* The same, or a later part of such a way. */
static gboolean
will_be_dropped(struct device *device, const struct place *place)
{
    while (place && !is_dropped(device, place)) {
        const struct intent *intent = place->uid ? NULL : intent_of_target(device, place->id);
        place = intent && intent->kind == MOVE ? place_find(device, intent->source) : NULL;
    }
    return place != NULL;
}

static gboolean
is_going(struct pass *pass, gint64 id)
{
    for (guint f = 0; f < FOLDERS; f++)
        for (guint i = 0; i < pass->removals[f]->len; i++)
            if (g_array_index(pass->removals[f], gint64, i) == id)
                return TRUE;
    return FALSE;
}

static gboolean
would_lose_marks(struct pass *pass, const struct place *place)
{
    if (place->base == place->want && place->base_tags == place->want_tags)
        return FALSE;
    const struct place *other = place_elsewhere(pass->device, place);
    return !other || is_going(pass, other->id);
}

/* Is something that is gone, and was not found elsewhere, marked with what the server was not told? */
static gboolean
is_unsure(struct pass *pass)
{
    for (guint i = 0; i < pass->device->places->len; i++) {
        const struct place *place = &g_array_index(pass->device->places, struct place, i);
        if (!place->removed && (is_going(pass, place->id) || will_be_dropped(pass->device, place)) &&
            would_lose_marks(pass, place))
            return TRUE;
    }
    return FALSE;
}

static gboolean
read_folders(struct pass *pass)
{
    for (guint f = 0; f < FOLDERS; f++) {
        g_array_set_size(pass->removals[f], 0);
        disturb(pass, TRUE);
        if (!read_folder(pass, f))
            return FALSE;
    }
    return TRUE;
}

/* When every folder was read: what is nowhere any more goes, and so does what was to come from what has gone. */
static gboolean
carry_out_removals(struct pass *pass)
{
    struct device *device = pass->device;
    for (guint round = 0; round < 3 && is_unsure(pass); round++)
        if (!read_folders(pass))
            return FALSE;
    for (guint f = 0; f < FOLDERS; f++) {
        for (guint i = 0; i < pass->removals[f]->len; i++) {
            struct place *place = place_find(device, g_array_index(pass->removals[f], gint64, i));
            if (killed(pass->world))
                return FALSE;
            /* The user may have moved it away meanwhile; then its intent finds that out. */
            if (place && !place->leaving) {
                trace(pass->world, "  remove #%d", (int) place->id);
                place_remove(device, place);
            }
        }
        if (pass->removals[f]->len)
            device->folders[f].modseq = pass->modseq[f];
    }
    for (guint i = 0; i < device->places->len; i++) {
        struct place *place = &g_array_index(device->places, struct place, i);
        struct intent *intent = intent_of_target(device, place->id);
        if (place->removed || !is_dropped(device, place))
            continue;
        if (killed(pass->world))
            return FALSE;
        trace(pass->world, "  drop #%d, which did not come", (int) place->id);
        place_remove(device, place);
        intent->done = TRUE;
    }
    return TRUE;
}

static gboolean
sync_device(struct world *world, guint d)
{
    struct pass pass = {.world = world, .device = &world->devices[d], .number = d};
    trace(world, "device %u: pass, killed after %d steps, move %d, uids %d, delta %d", d, world->steps_left,
          world->has_move, world->has_uids, world->has_delta);
    /* Whatever was claimed by a pass that died stays uncertain: `claimed` is never taken back. */
    gboolean ok = TRUE;
    for (guint f = 0; f < FOLDERS; f++)
        pass.removals[f] = g_array_new(FALSE, FALSE, sizeof(gint64));
    world->steps = 0;
    world->running = pass.device;
    ok = read_folders(&pass);
    disturb(&pass, TRUE);
    ok = ok && carry_out_removals(&pass) && carry_out_intents(&pass);
    world->running = NULL;
    seen.longest = MAX(seen.longest, world->steps);
    for (guint f = 0; f < FOLDERS; f++)
        g_array_unref(pass.removals[f]);
    return ok;
}

/* ---- what people do ---- */

static struct place *
random_place(struct world *world, struct device *device)
{
    for (guint tries = 0; device->places->len && tries < 10; tries++) {
        struct place *place = &g_array_index(device->places, struct place, pick(world, device->places->len));
        if (!place->removed && !place->leaving)
            return place;
    }
    return NULL;
}

static void
note_mark(struct world *world, guint content, gboolean add, guint flags, guint tags)
{
    guint bits = flags | tags << 8;
    seen.tagged += tags != 0;
    *(add ? &world->contents[content].set : &world->contents[content].cleared) |= bits;
}

static void
act_on_device(struct world *world, guint d)
{
    struct device *device = &world->devices[d];
    struct place *place = random_place(world, device);
    guint what = pick(world, 12);
    if (what == 0 || !place) {
        if (world->n_contents == CONTENTS)
            return;
        guint content = world->n_contents++;
        world->contents[content].copies = 1;
        place = place_new(device, pick(world, FOLDERS), content);
        intent_new(device, APPEND, 0, place->id);
        trace(world, "device %u: write #%d m%u in %u", d, (int) place->id, content, place->folder);
        return;
    }
    guint flags = 1u << pick(world, 3), tags = pick(world, 4);
    gboolean add = pick(world, 3) != 0;
    if (what < 6) {
        place->want = add ? place->want | flags : place->want & ~flags;
        place->want_tags = add ? place->want_tags | tags : place->want_tags & ~tags;
        note_mark(world, place->content, add, flags, tags);
        trace(world, "device %u: mark #%d m%u %c%u %s", d, (int) place->id, place->content, add ? '+' : '-', flags,
              tag_sets[tags]);
    } else if (what < 9) {
        guint to = (place->folder + 1 + pick(world, FOLDERS - 1)) % FOLDERS;
        struct intent *arrival = intent_of_target(device, place->id);
        if (!place->uid && arrival && arrival->kind != MOVE)
            return; /* an upload or a copy is only sent elsewhere */
        gint64 source = place->id;
        struct place *target = place_new(device, to, place->content);
        place = place_find(device, source);
        target->base = place->base;
        target->base_tags = place->base_tags;
        target->want = place->want;
        target->want_tags = place->want_tags;
        place->leaving = TRUE;
        seen.moved++;
        intent_new(device, MOVE, source, target->id);
        trace(world, "device %u: move #%d m%u to %u as #%d", d, (int) source, target->content, to, (int) target->id);
    } else if (what == 9) {
        if (!place->uid)
            return;
        gint64 source = place->id;
        world->contents[place->content].copies++;
        struct place *target = place_new(device, pick(world, FOLDERS), place->content);
        place = place_find(device, source);
        target->base = place->base;
        target->base_tags = place->base_tags;
        target->want = place->want;
        target->want_tags = place->want_tags;
        intent_new(device, COPY, source, target->id);
        trace(world, "device %u: copy #%d m%u to %u as #%d", d, (int) source, target->content, target->folder,
              (int) target->id);
    } else if (what == 10) {
        if (!place->uid)
            return;
        place->leaving = TRUE;
        world->contents[place->content].deleted = TRUE;
        intent_new(device, EXPUNGE, place->id, 0);
        trace(world, "device %u: delete #%d m%u", d, (int) place->id, place->content);
    }
}

/* Copied, and not yet removed. */
static gboolean
is_half_moved(struct device *device, guint f, guint32 uid)
{
    const struct place *source = place_find_uid(device, f, uid);
    const struct intent *intent = source && source->leaving ? intent_of_source(device, source->id) : NULL;
    return intent && intent->kind == MOVE && intent->claimed;
}

static void
act_on_server(struct world *world, gboolean may_renumber)
{
    guint f = pick(world, FOLDERS), what = pick(world, 12);
    GArray *messages = world->folders[f].messages;
    /* A folder that is open is not numbered anew: its UIDs would mean other messages. */
    if (what == 11 && may_renumber && pick(world, 4) == 0) {
        seen.renumbered++;
        server_renumber(world, f);
        return;
    }
    if (what < 3 || !messages->len) {
        if (world->n_contents == CONTENTS)
            return;
        guint content = world->n_contents++, flags = pick(world, 8);
        world->contents[content].copies = 1;
        note_mark(world, content, TRUE, flags, 0);
        guint32 uid = server_add(world, f, content, flags, 0);
        trace(world, "server: mail m%u as %u:%u", content, f, uid);
        return;
    }
    struct server_message message = g_array_index(messages, struct server_message, pick(world, messages->len));
    gboolean add = pick(world, 3) != 0;
    if (what < 7) {
        guint flags = 1u << pick(world, 3), tags = pick(world, 4);
        if (world->running && is_half_moved(world->running, f, message.uid))
            world->contents[message.content].may_fade = TRUE;
        note_mark(world, message.content, add, flags, tags);
        server_mark(world, f, message.uid, add, flags, tags);
        trace(world, "server: mark %u:%u m%u %c%u %s", f, message.uid, message.content, add ? '+' : '-', flags,
              tag_sets[tags]);
    } else if (what < 9) {
        guint to = (f + 1 + pick(world, FOLDERS - 1)) % FOLDERS;
        note_touch(world, message.content, 0);
        seen.moved++;
        guint32 uid = server_copy(world, f, message.uid, to);
        server_remove(world, f, message.uid);
        trace(world, "server: move %u:%u m%u to %u:%u", f, message.uid, message.content, to, uid);
    } else if (what == 9) {
        world->contents[message.content].copies++;
        server_copy(world, f, message.uid, pick(world, FOLDERS));
        trace(world, "server: copy %u:%u m%u", f, message.uid, message.content);
    } else if (what == 10) {
        note_touch(world, message.content, 0);
        world->contents[message.content].deleted = TRUE;
        server_remove(world, f, message.uid);
        trace(world, "server: delete %u:%u m%u", f, message.uid, message.content);
    }
}

/* In the middle of a pass: another client, or the user of this device. */
static void
disturb(struct pass *pass, gboolean by_user)
{
    struct world *world = pass->world;
    if (!world->disturbed || pick(world, 1000) >= world->disturbed)
        return;
    seen.disturbed++;
    trace(world, "  meanwhile:");
    if (by_user && pick(world, 2))
        act_on_device(world, pass->number);
    else
        act_on_server(world, FALSE);
}

/* ---- the oracle ---- */

static void
check_equal(struct world *world, guint d)
{
    struct device *device = &world->devices[d];
    guint there = 0, here = 0;
    for (guint f = 0; f < FOLDERS; f++) {
        GArray *messages = world->folders[f].messages;
        for (guint i = 0; i < messages->len; i++) {
            const struct server_message *message = &g_array_index(messages, struct server_message, i);
            const struct place *place = place_find_uid(device, f, message->uid);
            g_assert_nonnull(place);
            g_assert_cmpuint(place->content, ==, message->content);
            g_assert_cmpuint(place->want, ==, message->flags);
            g_assert_cmpuint(place->base, ==, message->flags);
            g_assert_cmpuint(place->want_tags, ==, message->tags);
            g_assert_cmpuint(place->base_tags, ==, message->tags);
            g_assert_false(place->leaving);
            there++;
        }
    }
    for (guint i = 0; i < device->places->len; i++)
        here += !g_array_index(device->places, struct place, i).removed;
    g_assert_cmpuint(here, ==, there);
    for (guint i = 0; i < device->intents->len; i++)
        g_assert_true(g_array_index(device->intents, struct intent, i).done);
}

static void
check_contents(struct world *world)
{
    for (guint c = 0; c < world->n_contents; c++) {
        const struct content *content = &world->contents[c];
        guint count = 0;
        for (guint f = 0; f < FOLDERS; f++)
            for (guint i = 0; i < world->folders[f].messages->len; i++) {
                const struct server_message *message = &g_array_index(world->folders[f].messages, struct server_message, i);
                if (message->content != c)
                    continue;
                guint bits = message->flags | message->tags << 8;
                count++;
                g_assert_cmpuint(bits & ~content->set, ==, 0);
                if (content->copies == 1 && !content->may_double && !content->may_fade && !content->deleted)
                    g_assert_cmpuint(content->set & ~content->cleared & ~bits, ==, 0);
            }
        if (!content->deleted)
            g_assert_cmpuint(count, >=, 1);
        if (!content->may_double)
            g_assert_cmpuint(count, <=, content->copies);
        seen.contents++;
        seen.deleted += content->deleted;
        seen.may_double += content->may_double;
        seen.doubled += count > content->copies;
    }
}

static void
choose_server(struct world *world)
{
    world->has_move = pick(world, 2);
    world->has_uids = pick(world, 4) != 0;
    world->has_delta = pick(world, 3) != 0;
    world->loses_vanished = pick(world, 5) == 0;
}

static void
run_history(guint32 seed, gboolean tell)
{
    struct world world = {.rand = g_rand_new_with_seed(seed), .steps_left = -1};
    world.trace = tell ? g_string_new(NULL) : NULL;
    for (guint f = 0; f < FOLDERS; f++)
        world.folders[f] = (struct server_folder){1, 1, 1, g_array_new(FALSE, TRUE, sizeof(struct server_message)),
                                                  g_array_new(FALSE, TRUE, sizeof(struct server_gone))};
    for (guint d = 0; d < 2; d++) {
        world.devices[d].places = g_array_new(FALSE, TRUE, sizeof(struct place));
        world.devices[d].intents = g_array_new(FALSE, TRUE, sizeof(struct intent));
    }
    guint length = 5 + pick(&world, 40);
    for (guint i = 0; i < length; i++) {
        guint who = pick(&world, 8);
        if (who < 2) {
            act_on_server(&world, TRUE);
        } else if (who < 6) {
            act_on_device(&world, who & 1);
        } else {
            choose_server(&world);
            /* Near its beginning, and anywhere. */
            world.steps_left = pick(&world, 2) ? (int) pick(&world, pick(&world, 2) ? 25 : LONGEST) : -1;
            world.disturbed = pick(&world, 3) ? 0 : 100;
            seen.killed += !sync_device(&world, who & 1);
        }
    }
    /* Quiet now: a few whole passes each, and both agree. */
    world.steps_left = -1;
    world.disturbed = 0;
    choose_server(&world);
    world.loses_vanished = FALSE;
    guint quiet = 0;
    for (guint round = 0; round < 30 && quiet < 2; round++) {
        /* A message that was moved on and on without a UID being told goes one step a pass. */
        world.commands = 0;
        for (guint d = 0; d < 2; d++)
            g_assert_true(sync_device(&world, d));
        quiet = world.commands ? 0 : quiet + 1;
    }
    for (guint f = 0; f < FOLDERS; f++)
        for (guint i = 0; i < world.folders[f].messages->len; i++) {
            const struct server_message *m = &g_array_index(world.folders[f].messages, struct server_message, i);
            trace(&world, "end: %u:%u m%u flags %u tags %s", f, m->uid, m->content, m->flags, tag_sets[m->tags]);
        }
    if (world.trace) {
        g_test_message("%s", world.trace->str);
        g_string_free(world.trace, TRUE);
        world.trace = NULL;
    }
    g_assert_cmpuint(quiet, ==, 2);
    check_equal(&world, 0);
    check_equal(&world, 1);
    check_contents(&world);
    for (guint f = 0; f < FOLDERS; f++) {
        g_array_unref(world.folders[f].messages);
        g_array_unref(world.folders[f].gone);
    }
    for (guint d = 0; d < 2; d++) {
        g_array_unref(world.devices[d].places);
        g_array_unref(world.devices[d].intents);
    }
    g_rand_free(world.rand);
}

static guint64
number_from_environment(const char *name, guint64 otherwise)
{
    const char *text = g_getenv(name);
    return text ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void
test_histories(void)
{
    guint64 n = number_from_environment("POSTRIDER_HISTORIES", g_getenv("POSTRIDER_LONG") || g_test_slow() ? 100000 : 5000);
    guint32 seed = (guint32) number_from_environment("POSTRIDER_SEED", (guint32) g_test_rand_int());
    gboolean tell = g_getenv("POSTRIDER_TRACE") != NULL;
    g_test_message("%" G_GUINT64_FORMAT " histories from seed %u", n, seed);
    for (guint64 i = 0; i < n; i++) {
        /* The seed of a failure is the last one written. */
        if (!tell && g_getenv("POSTRIDER_SEEDS"))
            g_printerr("%u\n", seed + (guint32) i);
        run_history(seed + (guint32) i, tell);
    }
    g_test_message("%" G_GUINT64_FORMAT " messages, %" G_GUINT64_FORMAT " of them deleted; %" G_GUINT64_FORMAT
                   " passes killed and %" G_GUINT64_FORMAT " disturbed, the longest of %u steps; %" G_GUINT64_FORMAT
                   " moves, %" G_GUINT64_FORMAT " marks with tags, %" G_GUINT64_FORMAT
                   " folders numbered anew; %" G_GUINT64_FORMAT " messages in doubt when another client moved them, %"
                   G_GUINT64_FORMAT " of them doubled",
                   seen.contents, seen.deleted, seen.killed, seen.disturbed, seen.longest, seen.moved, seen.tagged,
                   seen.renumbered, seen.may_double, seen.doubled);
    if (n < 1000)
        return;
    /* A test that kills nothing, or is in doubt about everything, shows nothing. */
    g_assert_cmpuint(seen.killed, >, n / 4);
    g_assert_cmpuint(seen.disturbed, >, n / 4);
    g_assert_cmpuint(seen.renumbered, >, n / 100);
    g_assert_cmpuint(seen.may_double * 50, <, seen.contents);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/histories", test_histories);
    return g_test_run();
}
