/* Folders that were renamed on the server: one vanished from the list, or became another under its name, while one appeared.
 * They are told by the server's own name for them (OBJECTID, RFC 8474), else by UIDVALIDITY, UIDNEXT and a look at some of
 * their messages. The row keeps everything: mail, flags and tags that no server holds, intents, counters. INBOX is never
 * renamed: its messages are (RFC 9051 section 6.3.6), and they are found in their new folder one by one (relink.c). */
#include "config.h"

#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "mail/envelope.h"
#include "store/survey.h"
#include "sync/internal.h"

/* Messages that are compared of a folder, and folders that are looked into in one pass. */
#define SAMPLE 5
#define LOOKS_MAX 50

struct pair {
    const struct folder *from;
    const struct imap_folder *to;
    char *name; /* as it will be here */
};

struct search {
    struct sync *sync;
    struct listing *listing;
    GPtrArray *kept;     /* struct folder: all that the account has here */
    GHashTable *by_wire; /* borrowed from kept */
    GPtrArray *lost;     /* struct folder, borrowed */
    GPtrArray *found;    /* struct imap_folder, borrowed */
    GArray *pairs;       /* struct pair */
    guint looks;
};

static void
pair_clear(gpointer data)
{
    g_free(((struct pair *) data)->name);
}

static const struct imap_status *
status_of(const struct search *search, const char *wire)
{
    return g_hash_table_lookup(search->listing->status, wire);
}

/* The server's name for a folder has the last word; 0: equal, 1: different, -1: it gives none. */
static int
compare_ids(const struct folder *folder, const struct imap_status *status)
{
    if (!folder->mailbox_id || !status || !(status->items & IMAP_STATUS_MAILBOXID) || !status->mailbox_id)
        return -1;
    return strcmp(folder->mailbox_id, status->mailbox_id) != 0;
}

static gboolean
is_lost(const struct search *search, const struct folder *folder)
{
    if (!folder->wire || !folder->uidvalidity || folder->bits & FOLDER_GONE || folder->role == FOLDER_INBOX ||
        !(folder->bits & FOLDER_SELECTABLE))
        return FALSE;
    const struct imap_folder *listed = g_hash_table_lookup(search->listing->folders, folder->wire);
    if (!listed || listed->attributes & IMAP_NOSELECT)
        return TRUE;
    const struct imap_status *status = status_of(search, folder->wire);
    int ids = compare_ids(folder, status);
    if (ids >= 0)
        return ids == 1;
    return status && status->items & IMAP_STATUS_UIDVALIDITY && status->uidvalidity != folder->uidvalidity;
}

static void
find_candidates(struct search *search)
{
    for (guint i = 0; i < search->kept->len; i++) {
        struct folder *folder = search->kept->pdata[i];
        if (folder->wire)
            g_hash_table_insert(search->by_wire, folder->wire, folder);
        if (is_lost(search, folder))
            g_ptr_array_add(search->lost, folder);
    }
    for (guint i = 0; search->lost->len && i < search->listing->list->len; i++) {
        struct imap_folder *listed = search->listing->list->pdata[i];
        const struct folder *here = g_hash_table_lookup(search->by_wire, listed->name);
        if (!(listed->attributes & (IMAP_NOSELECT | IMAP_NONEXISTENT | IMAP_REMOTE)) && strcmp(listed->name, "INBOX") &&
            (!here || g_ptr_array_find(search->lost, here, NULL)))
            g_ptr_array_add(search->found, listed);
    }
}

/* ---- is it the same? ---- */

struct comparing {
    struct sync *sync;
    gint64 folder;
    guint same, different;
};

static gboolean
compare_message(const struct imap_message *message, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct comparing *comparing = data;
    struct store *store = comparing->sync->store;
    gint64 id = placement_find_uid(store, comparing->folder, message->uid);
    struct placement row;
    if (!(message->items & IMAP_FETCH_HEADER) || !id || !placement_get(store, id, &row, NULL, NULL))
        return TRUE;
    g_autoptr(struct_message) here = message_load(store, row.message, NULL);
    struct envelope *there = envelope_from_header(message->header, message->header_length);
    gboolean same = here && !g_strcmp0(here->message_id, there->message_id) &&
                    !g_strcmp0(here->subject, there->subject) &&
                    (!(there->flags & ENVELOPE_DATE_VALID) || here->date == there->date);
    *(same ? &comparing->same : &comparing->different) += 1;
    envelope_free(there);
    return TRUE;
}

/* First, last and some between. */
static struct uidset *
sample(const struct uidset *uids)
{
    struct uidset *some = uidset_new();
    guint64 count = uidset_count(uids), step = MAX(1, count / SAMPLE), n = 0;
    guint32 uid;
    for (struct uidset_iter it = uidset_iter(uids); uidset_next(&it, &uid); n++)
        if (n % step == 0)
            uidset_add(some, uid);
    uidset_add(some, uidset_max(uids));
    return some;
}

/* Those of our messages that lie there under their numbers are ours, and some do. */
static gboolean
has_our_mail(struct search *search, const struct folder *folder, const struct imap_folder *listed, GError **error)
{
    struct sync *sync = search->sync;
    g_autoptr(struct_uidset) uids = survey_uids(sync->store, folder->id, error);
    g_autoptr(struct_uidset) some = uids ? sample(uids) : NULL;
    if (!some || uidset_is_empty(some) || search->looks++ >= LOOKS_MAX)
        return FALSE;
    struct imap_select how = {.read_only = TRUE, .plain = TRUE};
    g_autoptr(struct_imap_mailbox) mailbox = imap_select(sync->imap, listed->name, &how, error);
    if (!mailbox)
        return FALSE;
    struct comparing comparing = {sync, folder->id, 0, 0};
    struct imap_fetch what = {.items = IMAP_FETCH_HEADER, .header_fields = ENVELOPE_FIELDS};
    gboolean ok = mailbox->uidvalidity == folder->uidvalidity &&
                  imap_fetch(sync->imap, some, &what, compare_message, &comparing, error);
    return imap_unselect(sync->imap, *error ? NULL : error) && ok && comparing.same && !comparing.different;
}

/* What STATUS says does not speak against it. A folder only grows in UIDNEXT (RFC 9051 section 2.3.1.1). */
static gboolean
may_be(const struct search *search, const struct folder *folder, const struct imap_folder *listed)
{
    const struct imap_status *status = status_of(search, listed->name);
    guint needed = IMAP_STATUS_UIDVALIDITY | IMAP_STATUS_UIDNEXT;
    return status && compare_ids(folder, status) != 1 && (status->items & needed) == needed &&
           status->uidvalidity == folder->uidvalidity && status->uidnext >= folder->uidnext;
}

static gboolean
is_paired(const struct search *search, const struct imap_folder *listed)
{
    for (guint i = 0; i < search->pairs->len; i++)
        if (g_array_index(search->pairs, struct pair, i).to == listed)
            return TRUE;
    return FALSE;
}

/* FALSE with an error ends the search; *to NULL: it is gone. */
static gboolean
find_pair(struct search *search, const struct folder *folder, const struct imap_folder **to, GError **error)
{
    *to = NULL;
    for (guint i = 0; i < search->found->len; i++) {
        const struct imap_folder *listed = search->found->pdata[i];
        if (compare_ids(folder, status_of(search, listed->name)) == 0) {
            *to = listed;
            return TRUE;
        }
    }
    for (guint i = 0; i < search->found->len && !*to; i++) {
        const struct imap_folder *listed = search->found->pdata[i];
        g_autoptr(GError) why = NULL;
        if (is_paired(search, listed) || !may_be(search, folder, listed))
            continue;
        if (has_our_mail(search, folder, listed, &why))
            *to = listed;
        else if (why && !sync_is_connected(search->sync)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- and now it is called so ---- */

/* A rename made here that the server has not heard of keeps its name. */
static char *
name_here(struct search *search, const struct folder *folder, const struct imap_folder *to)
{
    g_autofree char *was = folder_name_from_wire(search->sync, folder->wire, folder->delimiter);
    return strcmp(was, folder->name) ? g_strdup(folder->name)
                                     : folder_name_from_wire(search->sync, to->name, to->delimiter);
}

/* Is the name that of a folder which stays? That one is read as numbered anew then, and the mail is found again. */
static gboolean
is_taken(const struct search *search, const struct pair *pair)
{
    for (guint i = 0; i < search->kept->len; i++) {
        const struct folder *other = search->kept->pdata[i];
        gboolean moves = FALSE;
        for (guint k = 0; k < search->pairs->len && !moves; k++)
            moves = g_array_index(search->pairs, struct pair, k).from == other;
        if (!moves && !strcmp(other->name, pair->name))
            return TRUE;
    }
    return FALSE;
}

static gboolean
record(struct search *search, GError **error)
{
    struct sync *sync = search->sync;
    for (guint i = 0; i < search->pairs->len;) {
        if (!is_taken(search, &g_array_index(search->pairs, struct pair, i))) {
            i++;
            continue;
        }
        g_array_remove_index(search->pairs, i);
        i = 0; /* its own name is taken now */
    }
    guint n = search->pairs->len;
    g_autofree struct folder_rename *renames = g_new0(struct folder_rename, n + 1);
    for (guint i = 0; i < n; i++) {
        const struct pair *pair = &g_array_index(search->pairs, struct pair, i);
        renames[i] = (struct folder_rename){pair->from->id, pair->name, pair->to->name, pair->to->delimiter};
        sync_tell_planned(sync, pair->from->name, SYNC_IN, "rename-folder", 0, "take its new name %s", pair->name);
        g_hash_table_add(search->listing->renamed, g_strdup(pair->from->wire));
        g_hash_table_add(search->listing->renamed, g_strdup(pair->to->name));
        log_info("sync.folders", "renamed folder=%s to=%s", pair->from->name, pair->name);
    }
    if (sync->dry_run || !n)
        return TRUE;
    STEP("sync.folder.renamed");
    if (!folder_take_renames(sync->store, renames, n, error))
        return FALSE;
    sync_tell_changed(sync, FALSE);
    return TRUE;
}

static gboolean
run(struct search *search, GError **error)
{
    find_candidates(search);
    if (!search->lost->len || !search->found->len)
        return TRUE;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < search->found->len; i++)
        g_ptr_array_add(names, ((struct imap_folder *) search->found->pdata[i])->name);
    if (!listing_ask(search->sync, search->listing, names, error))
        return FALSE;
    for (guint i = 0; i < search->lost->len; i++) {
        struct pair pair = {.from = search->lost->pdata[i]};
        if (!find_pair(search, pair.from, &pair.to, error))
            return FALSE;
        if (!pair.to)
            continue;
        pair.name = name_here(search, pair.from, pair.to);
        g_array_append_val(search->pairs, pair);
    }
    return record(search, error);
}

gboolean
renames_take(struct sync *sync, struct listing *listing, GError **error)
{
    g_autoptr(GPtrArray) kept = folder_list(sync->store, sync->account, TRUE, error);
    if (!kept)
        return FALSE;
    struct search search = {
        .sync = sync,
        .listing = listing,
        .kept = kept,
        .by_wire = g_hash_table_new(g_str_hash, g_str_equal),
        .lost = g_ptr_array_new(),
        .found = g_ptr_array_new(),
        .pairs = g_array_new(FALSE, TRUE, sizeof(struct pair)),
    };
    g_array_set_clear_func(search.pairs, pair_clear);
    gboolean ok = run(&search, error);
    g_hash_table_unref(search.by_wire);
    g_ptr_array_unref(search.lost);
    g_ptr_array_unref(search.found);
    g_array_unref(search.pairs);
    return ok;
}
