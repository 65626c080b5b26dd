/* The list of folders, both ways: what was made, renamed or removed here goes out, the server's list comes in, with roles
 * (RFC 6154, else by name), subscriptions (RFC 9051 section 6.3.7) and STATUS as far as it comes along (RFC 5819). */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/utf7.h"
#include "config/keep.h"
#include "store/survey.h"
#include "sync/agree.h"
#include "sync/internal.h"

/* Between levels of a name that is shown; one inside a level is shown as this instead. */
#define LEVEL '/'
#define SLASH_IN_NAME "\xE2\x88\x95" /* U+2215 */

#define LISTED (IMAP_STATUS_SYNC | IMAP_STATUS_MAILBOXID)

/* ---- roles ---- */

static const struct {
    guint server; /* IMAP_ROLE_* */
    enum folder_role role;
    const char *config; /* key of the account's configuration, or NULL */
} roles[] = {
    {IMAP_ROLE_SENT, FOLDER_SENT, "sent"},
    {IMAP_ROLE_DRAFTS, FOLDER_DRAFTS, "drafts"},
    {IMAP_ROLE_JUNK, FOLDER_JUNK, "junk"},
    {IMAP_ROLE_TRASH, FOLDER_TRASH, "trash"},
    {IMAP_ROLE_ARCHIVE, FOLDER_ARCHIVE, "archive"},
    {IMAP_ROLE_ALL, FOLDER_ALL, "all"},
    {IMAP_ROLE_FLAGGED, FOLDER_FLAGGED, NULL},
    {IMAP_ROLE_IMPORTANT, FOLDER_IMPORTANT, NULL},
};

/* ---- names ---- */

static const struct imap_namespace *
personal_namespace(struct sync *sync)
{
    const GPtrArray *all = imap_get_namespaces(sync->imap, NULL);
    for (guint i = 0; all && i < all->len; i++) {
        const struct imap_namespace *space = all->pdata[i];
        if (space->kind == IMAP_NAMESPACE_PERSONAL)
            return space;
    }
    return NULL;
}

/* One level as it is shown: decoded, and without the character that parts levels here. */
static char *
level_shown(const char *level)
{
    g_autofree char *text = utf7_decode(level);
    if (!text)
        text = g_utf8_make_valid(level, -1);
    if (!strchr(text, LEVEL))
        return g_steal_pointer(&text);
    g_auto(GStrv) pieces = g_strsplit(text, "/", -1);
    return g_strjoinv(SLASH_IN_NAME, pieces);
}

char *
folder_name_from_wire(struct sync *sync, const char *wire, char delimiter)
{
    const struct imap_namespace *space = personal_namespace(sync);
    const char *rest = wire;
    if (!g_ascii_strcasecmp(wire, "INBOX"))
        return g_strdup("INBOX");
    if (space && *space->prefix && g_str_has_prefix(wire, space->prefix)) {
        const char *below = wire + strlen(space->prefix);
        if (*below && g_ascii_strcasecmp(below, "INBOX"))
            rest = below;
    }
    char separator[2] = {delimiter, '\0'};
    g_auto(GStrv) levels = delimiter ? g_strsplit(rest, separator, -1) : g_new0(char *, 2);
    if (!delimiter)
        levels[0] = g_strdup(rest);
    for (char **level = levels; *level; level++) {
        char *shown = level_shown(*level);
        g_free(*level);
        *level = shown;
    }
    return g_strjoinv("/", levels);
}

static char *
level_to_wire(const char *level, char delimiter, GError **error)
{
    g_auto(GStrv) pieces = g_strsplit(level, SLASH_IN_NAME, -1);
    g_autofree char *text = g_strjoinv("/", pieces), *wire = utf7_encode(text);
    if (wire && *wire && (!delimiter || !strchr(wire, delimiter)))
        return g_steal_pointer(&wire);
    g_set_error(error, SYNC_ERROR, ERROR_REFUSED, "the server cannot have a folder called \"%s\": it uses \"%c\" between "
                "levels", level, delimiter ? delimiter : ' ');
    return NULL;
}

/* The name on the server for a folder made here: below its parent where that is known, else in the own namespace. */
static char *
wire_from_name(struct sync *sync, const char *name, char *delimiter, GError **error)
{
    const struct imap_namespace *space = personal_namespace(sync);
    const char *last = strrchr(name, LEVEL);
    *delimiter = space ? space->delimiter : '\0';
    g_autofree char *above = NULL;
    if (last) {
        g_autofree char *parent_name = g_strndup(name, (gsize) (last - name));
        gint64 parent_id = folder_find(sync->store, sync->account, parent_name);
        g_autoptr(struct_folder) parent = parent_id ? folder_get(sync->store, parent_id, NULL) : NULL;
        if (parent && parent->wire) {
            *delimiter = parent->delimiter;
            above = g_strdup(parent->wire);
        } else {
            above = wire_from_name(sync, parent_name, delimiter, error);
            if (!above)
                return NULL;
        }
        if (!*delimiter) {
            g_set_error(error, SYNC_ERROR, ERROR_REFUSED, "the server knows no folders within folders: \"%s\" cannot be "
                        "made", name);
            return NULL;
        }
    }
    g_autofree char *level = level_to_wire(last ? last + 1 : name, *delimiter, error);
    if (!level)
        return NULL;
    return above ? g_strdup_printf("%s%c%s", above, *delimiter, level)
                 : g_strconcat(space ? space->prefix : "", level, NULL);
}

/* ---- the list ---- */

void
listing_clear(struct listing *listing)
{
    g_clear_pointer(&listing->status, g_hash_table_unref);
    g_clear_pointer(&listing->folders, g_hash_table_unref);
    g_clear_pointer(&listing->list, g_ptr_array_unref);
    g_clear_pointer(&listing->statuses, g_ptr_array_unref);
    g_clear_pointer(&listing->gone, g_array_unref);
    g_clear_pointer(&listing->renamed, g_hash_table_unref);
}

static gboolean
ask_list(struct sync *sync, struct listing *listing, GError **error)
{
    listing_clear(listing);
    listing->gone = g_array_new(FALSE, FALSE, sizeof(gint64));
    listing->renamed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    listing->folders = g_hash_table_new(g_str_hash, g_str_equal);
    listing->status = g_hash_table_new(g_str_hash, g_str_equal);
    listing->statuses = g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    listing->list = imap_list(sync->imap, LISTED, error);
    if (!listing->list)
        return FALSE;
    for (guint i = 0; i < listing->list->len; i++) {
        struct imap_folder *folder = listing->list->pdata[i];
        if (folder->attributes & IMAP_NONEXISTENT)
            continue;
        g_hash_table_insert(listing->folders, folder->name, folder);
        if (folder->has_status)
            g_hash_table_insert(listing->status, folder->name, &folder->status);
    }
    return TRUE;
}

gboolean
listing_ask(struct sync *sync, struct listing *listing, const GPtrArray *wires, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < wires->len; i++)
        if (!g_hash_table_contains(listing->status, wires->pdata[i]))
            g_ptr_array_add(names, wires->pdata[i]);
    if (!names->len)
        return TRUE;
    g_ptr_array_add(names, NULL);
    GPtrArray *statuses = imap_status(sync->imap, (const char *const *) names->pdata, LISTED, error);
    if (!statuses)
        return FALSE;
    for (guint i = 0; i < statuses->len; i++) {
        struct imap_status *status = statuses->pdata[i];
        g_hash_table_insert(listing->status, status->name, status);
    }
    g_ptr_array_add(listing->statuses, statuses);
    return TRUE;
}

/* STATUS of the folders that we keep and whose STATUS did not come with the list. */
static gboolean
ask_statuses(struct sync *sync, struct listing *listing, GError **error)
{
    g_autoptr(GPtrArray) kept = folder_list(sync->store, sync->account, FALSE, error);
    if (!kept)
        return FALSE;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < kept->len; i++) {
        const struct folder *folder = kept->pdata[i];
        if (folder_is_synced(sync, folder) && g_hash_table_contains(listing->folders, folder->wire) &&
            folder->id != sync->selected) /* RFC 9051 section 6.3.11: not of the open one */
            g_ptr_array_add(names, folder->wire);
    }
    return listing_ask(sync, listing, names, error);
}

/* Another folder of the same name may have the same UIDVALIDITY, where that is the time in seconds: its numbers mean other
 * messages all the same. */
static gboolean
take_ids(struct sync *sync, const struct listing *listing, GError **error)
{
    g_autoptr(GPtrArray) kept = folder_list(sync->store, sync->account, TRUE, error);
    for (guint i = 0; kept && i < kept->len; i++) {
        const struct folder *folder = kept->pdata[i];
        const struct imap_status *status = folder->wire ? g_hash_table_lookup(listing->status, folder->wire) : NULL;
        if (!status || !status->mailbox_id || !g_strcmp0(folder->mailbox_id, status->mailbox_id))
            continue;
        gboolean other = folder->mailbox_id && folder->uidvalidity && folder->uidvalidity == status->uidvalidity &&
                         folder->role != FOLDER_INBOX;
        if ((other && !folder_reset_uidvalidity(sync->store, folder->id, status->uidvalidity, error)) ||
            !folder_set_mailbox_id(sync->store, folder->id, status->mailbox_id, error))
            return FALSE;
    }
    return kept != NULL;
}

/* ---- out ---- */

static gboolean
carry_out(struct sync *sync, const struct intent *intent, const struct listing *listing, char **wire, char *delimiter,
          GError **error)
{
    g_autoptr(struct_folder) folder = folder_get(sync->store, intent->folder, error);
    if (!folder)
        return FALSE;
    gboolean there = folder->wire && g_hash_table_contains(listing->folders, folder->wire);
    *wire = g_strdup(folder->wire);
    *delimiter = folder->delimiter;
    STEP("sync.folder.send");
    switch (intent->kind) {
    case INTENT_FOLDER_CREATE:
        g_free(*wire);
        *wire = wire_from_name(sync, intent->name ? intent->name : folder->name, delimiter, error);
        for (guint i = 0; *wire && i < G_N_ELEMENTS(roles); i++)
            if (roles[i].role == folder->role)
                return imap_create(sync->imap, *wire, roles[i].server, TRUE, error) &&
                       imap_subscribe(sync->imap, *wire, TRUE, error);
        return *wire && imap_create(sync->imap, *wire, 0, TRUE, error) &&
               imap_subscribe(sync->imap, *wire, TRUE, error);
    case INTENT_FOLDER_RENAME: {
        g_autofree char *to = wire_from_name(sync, intent->name, delimiter, error);
        if (!to)
            return FALSE;
        gboolean done = !there && g_hash_table_contains(listing->folders, to);
        if (!done && (!imap_rename(sync->imap, folder->wire ? folder->wire : "", to, error) ||
                      !imap_subscribe(sync->imap, to, TRUE, error)))
            return FALSE;
        /* Subscriptions are to names: the old one would stay behind. A server that refuses has none. */
        if (!done && folder->wire)
            imap_subscribe(sync->imap, folder->wire, FALSE, NULL);
        g_free(*wire);
        *wire = g_steal_pointer(&to);
        return TRUE;
    }
    case INTENT_FOLDER_DELETE:
        if (there)
            imap_subscribe(sync->imap, folder->wire, FALSE, NULL);
        return !there || imap_delete(sync->imap, folder->wire, error);
    case INTENT_FOLDER_SUBSCRIBE:
        return !there || imap_subscribe(sync->imap, folder->wire, (folder->bits & FOLDER_SUBSCRIBED) != 0, error);
    default:
        return TRUE;
    }
}

static const char *const folder_verbs[INTENT_KINDS] = {
    [INTENT_FOLDER_CREATE] = "make",
    [INTENT_FOLDER_RENAME] = "rename",
    [INTENT_FOLDER_DELETE] = "delete",
    [INTENT_FOLDER_SUBSCRIBE] = "change the subscription of",
};

/* TRUE in *any when something was done, and the list has to be asked for again. */
static gboolean
send_intents(struct sync *sync, struct listing *listing, gboolean *any, GError **error)
{
    g_autoptr(GPtrArray) intents = intent_next(sync->store, sync->account, G_MAXINT, error);
    for (guint i = 0; intents && i < intents->len; i++) {
        const struct intent *intent = intents->pdata[i];
        if (intent->kind < INTENT_FOLDER_CREATE)
            continue;
        g_autoptr(struct_folder) folder = folder_get(sync->store, intent->folder, NULL);
        sync_tell_planned(sync, folder ? folder->name : intent->name, SYNC_OUT, intent_kind_name(intent->kind), 0,
                          "%s the folder%s%s", folder_verbs[intent->kind],
                          intent->kind == INTENT_FOLDER_RENAME ? " to " : "",
                          intent->kind == INTENT_FOLDER_RENAME ? intent->name : "");
        if (sync->dry_run)
            continue;
        g_autofree char *wire = NULL;
        char delimiter = '\0';
        g_autoptr(GError) why = NULL;
        if (!intent_claim(sync->store, &intent->id, 1, &why)) {
            if (sync_survives(sync, folder, &why))
                continue;
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        if (carry_out(sync, intent, listing, &wire, &delimiter, &why)) {
            STEP("sync.folder.record");
            if (!intent_folder_done(sync->store, intent->id, wire, delimiter, error))
                return FALSE;
            *any = TRUE;
            continue;
        }
        if (!intent_failed(sync->store, intent->id, why->message, 0, error))
            return FALSE;
        if (!sync_survives(sync, folder, &why)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
    return intents != NULL;
}

/* ---- in ---- */

/* The account's folder with a role: as the configuration says, else the server, else by its name. */
static const struct imap_folder *
find_role(struct sync *sync, const struct listing *listing, guint r, const GHashTable *names)
{
    const struct account *account = sync->options.account;
    GHashTableIter iter;
    gpointer folder, name;
    for (guint i = 0; roles[r].config && config_roles[i]; i++) {
        if (strcmp(config_roles[i], roles[r].config) || !account->role_names[i])
            continue;
        g_hash_table_iter_init(&iter, (GHashTable *) names);
        while (g_hash_table_iter_next(&iter, &name, &folder))
            if (!strcmp(name, account->role_names[i]))
                return folder;
    }
    for (guint i = 0; i < listing->list->len; i++) {
        const struct imap_folder *candidate = listing->list->pdata[i];
        if (candidate->roles & roles[r].server && !(candidate->attributes & IMAP_NOSELECT))
            return candidate;
    }
    for (const char *const *usual = folder_role_guesses(roles[r].role); *usual; usual++) {
        g_hash_table_iter_init(&iter, (GHashTable *) names);
        while (g_hash_table_iter_next(&iter, &name, &folder)) {
            g_autofree char *lower = g_utf8_strdown(name, -1);
            const struct imap_folder *candidate = folder;
            if (!strcmp(lower, *usual) && !(candidate->attributes & IMAP_NOSELECT) && !candidate->roles)
                return candidate;
        }
    }
    return NULL;
}

static gboolean
any_subscribed(const struct listing *listing)
{
    for (guint i = 0; i < listing->list->len; i++) {
        const struct imap_folder *folder = listing->list->pdata[i];
        if (folder->attributes & IMAP_SUBSCRIBED && strcmp(folder->name, "INBOX"))
            return TRUE;
    }
    return FALSE;
}

/* Folders that are kept here: the subscribed ones and those with a role. Where nobody ever subscribed to anything, or the
 * configuration says so, all. Views that the server makes of other folders are left out. */
static guint
bits_of(struct sync *sync, const struct imap_folder *folder, enum folder_role role, gboolean all)
{
    guint bits = folder->attributes & IMAP_NOSELECT ? 0 : FOLDER_SELECTABLE;
    gboolean is_view = role == FOLDER_FLAGGED || role == FOLDER_IMPORTANT;
    gboolean wanted = folder->attributes & IMAP_SUBSCRIBED || all || role != FOLDER_NONE ||
                      !strcmp(folder->name, "INBOX") || sync->options.account->folders == FOLDERS_ALL;
    return wanted && !is_view ? bits | FOLDER_SUBSCRIBED : bits;
}

/* A dry run: a folder that is not here yet, and what lies in it. */
static gboolean
tell_new(struct sync *sync, struct listing *listing, const char *name, const struct imap_folder *folder, guint bits,
         GError **error)
{
    const guint wanted = FOLDER_SELECTABLE | FOLDER_SUBSCRIBED;
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    if (folder_find(sync->store, sync->account, name) || (bits & wanted) != wanted ||
        keep_of(sync->options.account, name)->what == KEEP_OFF || g_hash_table_contains(listing->renamed, folder->name))
        return TRUE;
    g_ptr_array_add(one, folder->name);
    if (!listing_ask(sync, listing, one, error))
        return FALSE;
    const struct imap_status *status = g_hash_table_lookup(listing->status, folder->name);
    guint64 messages = status ? status->messages : 0;
    sync_tell_planned(sync, name, SYNC_IN, "folder", 0, "make the folder here");
    if (messages)
        sync_tell_planned(sync, name, SYNC_IN, "new", messages, "fetch %" G_GUINT64_FORMAT " new message%s", messages,
                          messages == 1 ? "" : "s");
    if (messages)
        sync_tell_bodies(sync, name, messages);
    return TRUE;
}

static gboolean
take_list(struct sync *sync, struct listing *listing, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) role_of = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    for (guint i = 0; i < listing->list->len; i++) {
        struct imap_folder *folder = listing->list->pdata[i];
        if (folder->attributes & (IMAP_NONEXISTENT | IMAP_REMOTE))
            continue;
        /* A rename that the server has not heard of yet keeps its name here. */
        gint64 known = folder_find_wire(sync->store, sync->account, folder->name);
        g_autoptr(struct_folder) here = known ? folder_get(sync->store, known, NULL) : NULL;
        g_autofree char *name = here ? g_strdup(here->name) : folder_name_from_wire(sync, folder->name, folder->delimiter);
        /* Two names that look the same here: the second would overwrite the first. */
        if (g_hash_table_contains(names, name)) {
            sync_tell_notice(sync, NULL, "the folder %s is left out: another one has the same name here", folder->shown);
            continue;
        }
        g_ptr_array_add(order, name);
        g_hash_table_insert(names, g_steal_pointer(&name), folder);
    }
    for (guint r = 0; r < G_N_ELEMENTS(roles); r++) {
        const struct imap_folder *folder = find_role(sync, listing, r, names);
        if (folder && !g_hash_table_contains(role_of, folder) && strcmp(folder->name, "INBOX"))
            g_hash_table_insert(role_of, (gpointer) folder, GUINT_TO_POINTER(roles[r].role));
    }
    gboolean all = !any_subscribed(listing);
    for (guint i = 0; i < order->len; i++) {
        const struct imap_folder *folder = g_hash_table_lookup(names, order->pdata[i]);
        enum folder_role role = GPOINTER_TO_UINT(g_hash_table_lookup(role_of, folder));
        g_autoptr(GError) why = NULL;
        if (sync->dry_run) {
            if (!tell_new(sync, listing, order->pdata[i], folder, bits_of(sync, folder, role, all), error))
                return FALSE;
            continue;
        }
        STEP("sync.folder.take");
        if (!folder_upsert(sync->store, sync->account, order->pdata[i], folder->name, folder->delimiter, role,
                           bits_of(sync, folder, role, all), &why)) {
            if (why->code != ERROR_SKIP) {
                g_propagate_error(error, g_steal_pointer(&why));
                return FALSE;
            }
            sync_tell_notice(sync, NULL, "%s", why->message);
        }
    }
    return TRUE;
}

static gboolean
find_gone(struct sync *sync, struct listing *listing, GError **error)
{
    /* Every account has an INBOX (RFC 9051 section 5.1): a list without it is no list to remove anything by. */
    if (!g_hash_table_contains(listing->folders, "INBOX"))
        return TRUE;
    g_autoptr(GPtrArray) kept = folder_list(sync->store, sync->account, TRUE, error);
    for (guint i = 0; kept && i < kept->len; i++) {
        const struct folder *folder = kept->pdata[i];
        if (folder->wire && !g_hash_table_contains(listing->folders, folder->wire))
            g_array_append_val(listing->gone, folder->id);
        if (sync->dry_run && folder->wire && folder->total && !g_hash_table_contains(listing->folders, folder->wire) &&
            !g_hash_table_contains(listing->renamed, folder->wire))
            sync_tell_planned(sync, folder->name, SYNC_IN, "remove", (guint64) folder->total,
                              "remove the folder here, which the server has no more");
    }
    return kept != NULL;
}

gboolean
folder_is_synced(const struct sync *sync, const struct folder *folder)
{
    guint wanted = FOLDER_SELECTABLE | FOLDER_SUBSCRIBED;
    return keep_of(sync->options.account, folder->name)->what != KEEP_OFF && folder->wire && (folder->bits & wanted) == wanted && !(folder->bits & (FOLDER_GONE | FOLDER_PAUSED));
}

gboolean
folders_sync(struct sync *sync, struct listing *listing, GError **error)
{
    gboolean any = FALSE;
    if (!sync_connect(sync, error))
        return FALSE;
    sync_tell_progress(sync, NULL, SYNC_FOLDERS, 0, 0);
    if (!ask_list(sync, listing, error) || !ask_statuses(sync, listing, error) ||
        !renames_take(sync, listing, error) || !send_intents(sync, listing, &any, error) ||
        (any && !ask_list(sync, listing, error)))
        return FALSE;
    if (!take_list(sync, listing, error) || !find_gone(sync, listing, error))
        return FALSE;
    return ask_statuses(sync, listing, error) && (sync->dry_run || take_ids(sync, listing, error));
}

/* ---- folders that the server has no more ---- */

/* Placements of a folder that the server has no more; `last`: messages that lie nowhere else. */
struct going {
    struct folder *folder;
    guint messages, last;
};

static void
going_clear(gpointer data)
{
    folder_free(((struct going *) data)->folder);
}

static gboolean
count_going(struct sync *sync, struct going *going, GError **error)
{
    g_autoptr(struct_placement_set) set =
        placement_load(sync->store, going->folder->id, PLACEMENT_SELECT_ALL, 0, error);
    if (!set)
        return FALSE;
    g_autofree gint64 *ids = g_new(gint64, set->n + 1);
    for (guint i = 0; i < set->n; i++)
        ids[i] = set->rows[i].id;
    going->messages = set->n;
    going->last = survey_count_last(sync->store, ids, set->n);
    return TRUE;
}

/* A list that has lost most of what it had is no list to remove anything by, however small each folder is. */
static gboolean
is_list_suspect(struct sync *sync, const GArray *all)
{
    g_autoptr(GPtrArray) kept = folder_list(sync->store, sync->account, TRUE, NULL);
    guint with_mail = 0, gone = 0;
    guint64 total = 0, lost = 0;
    for (guint i = 0; kept && i < kept->len; i++) {
        const struct folder *folder = kept->pdata[i];
        total += (guint64) MAX(folder->total, 0);
        with_mail += folder->total && folder->role != FOLDER_INBOX;
    }
    for (guint i = 0; i < all->len; i++) {
        const struct going *going = &g_array_index(all, struct going, i);
        lost += going->last;
        gone += going->last > 0;
    }
    return gone > 1 && (plan_brake(total, lost) || (gone > 2 && gone > with_mail / 2));
}

static gboolean
forget(struct sync *sync, const struct going *going, gboolean suspect, GError **error)
{
    const struct folder *folder = going->folder;
    if ((plan_brake(going->messages, going->last) || (suspect && going->last)) &&
        !sync_is_agreed(sync->store, folder->id)) {
        g_autofree char *text =
            g_strdup_printf("the server has this folder no more: %u messages would be removed here; they are kept until "
                            "you agree", going->last);
        sync_tell_notice(sync, folder, "%s", text);
        return folder_set_bits(sync->store, folder->id, FOLDER_PAUSED, 0, error) &&
               folder_set_notice(sync->store, folder->id, text, error);
    }
    STEP("sync.folder.forget");
    g_autoptr(GError) why = NULL;
    if (folder_forget(sync->store, folder->id, &why)) {
        log_info("sync.folders", "forgot folder=%s messages=%u", folder->name, going->messages);
        sync->statistics.removed += going->last;
        return sync_forget_agreement(sync->store, folder->id, error);
    }
    if (why->code != ERROR_BUSY) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    /* Mail waits to be uploaded into it: it is made again. */
    sync_tell_notice(sync, folder, "the server had this folder no more; it was made again for the mail that waits here");
    return imap_create(sync->imap, folder->wire, 0, TRUE, error) &&
           imap_subscribe(sync->imap, folder->wire, TRUE, error);
}

gboolean
folders_forget_gone(struct sync *sync, const struct listing *listing, GError **error)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct going));
    g_array_set_clear_func(all, going_clear);
    for (guint i = 0; i < listing->gone->len; i++) {
        struct going going = {folder_get(sync->store, g_array_index(listing->gone, gint64, i), NULL), 0, 0};
        if (!going.folder || going.folder->bits & FOLDER_PAUSED) {
            folder_free(going.folder);
            continue;
        }
        g_array_append_val(all, going);
        if (!count_going(sync, &g_array_index(all, struct going, all->len - 1), error))
            return FALSE;
    }
    gboolean suspect = all->len && is_list_suspect(sync, all);
    for (guint i = 0; i < all->len; i++) {
        const struct going *going = &g_array_index(all, struct going, i);
        if (!forget(sync, going, suspect, error) && !sync_survives(sync, going->folder, error))
            return FALSE;
    }
    return TRUE;
}
