/* What the server says of a folder, by the cheapest way that it offers: QRESYNC with the SELECT, CONDSTORE, or every
 * UID and its flags. RFC 7162. */
#include "config.h"

#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "store/survey.h"
#include "sync/internal.h"
#include "sync/keyword.h"
#include "sync/watch.h"

/* An open folder is asked on for changes since its last opening, until they are so many. */
#define ASK_ON_MAX 500

/* Flags of so many messages are asked for in one command when all are read. */
#define FLAGS_A_FETCH 5000

void
known_begin(struct sync *sync, const struct folder *folder, struct known *known)
{
    known_clear(known);
    known->store = sync->store;
    known->folder = folder->id;
}

const struct uidset *
known_uids(struct known *known)
{
    if (!known->all && !known->error)
        known->all = survey_uids(known->store, known->folder, &known->error);
    if (!known->all)
        known->all = uidset_new();
    return known->all;
}

gboolean
known_check(const struct known *known, GError **error)
{
    if (known->error && error)
        *error = g_error_copy(known->error);
    return !known->error;
}

/* The rows that the plan needs: those that the report speaks of and those that are not settled; all when it is complete. */
static gboolean
load_rows(struct sync *sync, const struct folder *folder, const struct report *report, struct known *known,
          GError **error)
{
    g_clear_pointer(&known->set, placement_set_free);
    if (report->complete) {
        known->set = placement_load(sync->store, folder->id, PLACEMENT_SELECT_ALL, 0, error);
        return known->set != NULL;
    }
    g_autoptr(struct_uidset) named = uidset_copy(report->vanished);
    for (guint i = 0; i < report->remotes->len; i++)
        uidset_add(named, g_array_index(report->remotes, struct plan_remote, i).uid);
    known->set = survey_load(sync->store, folder->id, named, error);
    return known->set != NULL;
}

void
known_clear(struct known *known)
{
    g_clear_pointer(&known->set, placement_set_free);
    g_clear_pointer(&known->all, uidset_free);
    g_clear_error(&known->error);
}

struct placement *
known_find(const struct known *known, guint32 uid)
{
    guint low = 0, high = known->set->n;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (known->set->rows[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < known->set->n && known->set->rows[low].uid == uid ? &known->set->rows[low] : NULL;
}

void
report_free(struct report *report)
{
    if (!report)
        return;
    g_array_unref(report->remotes);
    g_string_chunk_free(report->strings);
    uidset_free(report->vanished);
    uidset_free(report->fresh);
    uidset_free(report->present);
    g_free(report);
}

struct report *
report_new(void)
{
    struct report *report = g_new0(struct report, 1);
    report->remotes = g_array_new(FALSE, FALSE, sizeof(struct plan_remote));
    report->strings = g_string_chunk_new(1024);
    report->vanished = uidset_new();
    report->fresh = uidset_new();
    report->present = uidset_new();
    return report;
}

struct taking {
    struct report *report;
    struct known *known;
};

static gboolean
take_message(const struct imap_message *message, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct taking *taking = data;
    if (!message->uid || !(message->items & IMAP_FETCH_FLAGS))
        return TRUE;
    /* Keywords for now, atoms with spaces between; tags when the rows are known (resolve). */
    g_autofree char *keywords = g_strjoinv(" ", (char **) message->keywords);
    struct plan_remote remote = {
        .uid = message->uid,
        .flags = message->flags,
        .tags = *keywords ? g_string_chunk_insert_const(taking->report->strings, keywords) : "",
        .modseq = message->items & IMAP_FETCH_MODSEQ ? message->modseq : 0,
    };
    g_array_append_val(taking->report->remotes, remote);
    if (!uidset_contains(known_uids(taking->known), message->uid))
        uidset_add(taking->report->fresh, message->uid);
    return TRUE;
}

/* UIDs that the server named are there, whether or not their flags came (just listed as new, or an answer that could not be
 * read): they count as unchanged, never as gone. */
static void
add_present(struct report *report, const struct known *known)
{
    g_autoptr(struct_uidset) untold = uidset_copy(report->present), told = uidset_new();
    for (guint i = 0; i < report->remotes->len; i++)
        uidset_add(told, g_array_index(report->remotes, struct plan_remote, i).uid);
    uidset_remove_set(untold, told);
    guint32 uid;
    for (struct uidset_iter it = uidset_iter(untold); uidset_next(&it, &uid);) {
        const struct placement *here = known_find(known, uid);
        if (!here)
            continue;
        const char *tags = g_string_chunk_insert_const(report->strings, here->base_tags);
        struct plan_remote remote = {uid, here->base_flags, tags, here->modseq};
        g_array_append_val(report->remotes, remote);
    }
}

static void
resolve(struct report *report, const struct known *known)
{
    for (guint i = 0; i < report->remotes->len; i++) {
        struct plan_remote *remote = &g_array_index(report->remotes, struct plan_remote, i);
        if (!*remote->tags)
            continue;
        const struct placement *here = known_find(known, remote->uid);
        g_auto(GStrv) keywords = g_strsplit(remote->tags, " ", -1);
        g_autofree char *tags = keywords_to_tags((const char *const *) keywords, here ? here->base_tags : "",
                                                 here ? here->tags : "");
        remote->tags = g_string_chunk_insert_const(report->strings, tags);
    }
}

gboolean
report_settle(struct sync *sync, const struct folder *folder, struct report *report, struct known *known,
              GError **error)
{
    gboolean was_empty = report->complete && known->set && !known->set->n;
    known_begin(sync, folder, known);
    /* All that there is came just now, as the server has it: to compare every message with itself would take more memory
     * than anything else in a large folder. */
    if (was_empty && uidset_count(known_uids(known)) == report->exists) {
        report->complete = FALSE;
        uidset_clear(report->present);
    }
    if (!known_check(known, error) || !load_rows(sync, folder, report, known, error))
        return FALSE;
    add_present(report, known);
    return TRUE;
}

/* The server numbers the folder anew: nothing that we know of UIDs holds, everything else does. */
static gboolean
renumber(struct sync *sync, struct folder **folder, struct known *known, GError **error)
{
    if (sync->dry_run) {
        g_set_error(error, SYNC_ERROR, ERROR_STALE,
                    "the server has numbered the messages of this folder anew: they would be found again one by one");
        return FALSE;
    }
    STEP("sync.uidvalidity");
    if (!folder_reset_uidvalidity(sync->store, (*folder)->id, sync->mailbox->uidvalidity, error))
        return FALSE;
    log_info("sync.report", "folder=%s uidvalidity %u -> %u", (*folder)->name, (*folder)->uidvalidity,
             sync->mailbox->uidvalidity);
    gint64 id = (*folder)->id;
    folder_free(*folder);
    *folder = folder_get(sync->store, id, error);
    if (!*folder)
        return FALSE;
    known_begin(sync, *folder, known);
    if ((*folder)->validity_changes < VALIDITY_CHANGES_MAX)
        return TRUE;
    /* D10: something is wrong with that server, and each time costs a look at every message. */
    g_set_error(error, SYNC_ERROR, ERROR_STALE,
                "the server has numbered the messages of this folder anew %u times in a row: it is left alone until you "
                "agree", (*folder)->validity_changes);
    folder_set_bits(sync->store, id, FOLDER_PAUSED, 0, NULL);
    return FALSE;
}

/* Every UID there is, and the flags of those that we know. */
static gboolean
read_all(struct sync *sync, struct taking *taking, GError **error)
{
    taking->report->complete = TRUE;
    if (!sync->mailbox->exists)
        return TRUE;
    g_autoptr(struct_uidset) all = imap_search_all(sync->imap, error);
    if (!all)
        return FALSE;
    uidset_add_set(taking->report->present, all);
    uidset_add_set(taking->report->fresh, all);
    uidset_remove_set(taking->report->fresh, known_uids(taking->known));
    taking->report->exists = uidset_count(all);
    g_autoptr(struct_uidset) old = uidset_copy(all);
    uidset_keep_set(old, known_uids(taking->known));
    struct imap_fetch what = {.items = IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ, .chunk = FLAGS_A_FETCH};
    if (uidset_is_empty(old))
        return TRUE;
    return imap_fetch(sync->imap, old, &what, take_message, taking, error);
}

/* CONDSTORE without QRESYNC tells changes, but not who has gone: that shows in the number. */
static gboolean
read_changes(struct sync *sync, const struct folder *folder, struct taking *taking, GError **error)
{
    g_autoptr(struct_uidset) all = uidset_new_range(1, G_MAXUINT32);
    struct imap_fetch what = {
        .items = IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ,
        .changed_since = folder->modseq,
        .chunk = G_MAXUINT32,
    };
    if (!imap_fetch(sync->imap, all, &what, take_message, taking, error))
        return FALSE;
    guint64 expected = uidset_count(known_uids(taking->known)) + uidset_count(taking->report->fresh);
    if (expected <= taking->report->exists)
        return TRUE;
    g_autoptr(struct_uidset) there = imap_search_all(sync->imap, error);
    if (!there)
        return FALSE;
    uidset_add_set(taking->report->vanished, known_uids(taking->known));
    uidset_remove_set(taking->report->vanished, there);
    return TRUE;
}

/* The folder is open, its server can tell who is gone, and it need not be opened again. Its mod-sequence stays that of the
 * opening: what is told in passing may be ahead of what is not told yet, so no later one is known to hold everything. A
 * whole pass opens it again, if anything was told since. */
static gboolean
can_ask_on(const struct sync *sync, const struct folder *folder)
{
    guint told = sync->told_since_select;
    return sync_is_connected(sync) && sync->selected == folder->id &&
           (sync->in_passing ? told < ASK_ON_MAX : !told && sync->mailbox->modseq == folder->modseq) &&
           sync->mailbox->uidvalidity == folder->uidvalidity && sync->mailbox->modseq >= folder->modseq &&
           imap_has(sync->imap, IMAP_QRESYNC | IMAP_CONDSTORE);
}

static gboolean
ask_on(struct sync *sync, const struct folder *folder, struct taking *taking, GError **error)
{
    struct report *report = taking->report;
    g_autoptr(struct_uidset) all = uidset_new_range(1, G_MAXUINT32);
    struct imap_fetch what = {
        .items = IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ,
        .changed_since = folder->modseq,
        .vanished = report->vanished,
    };
    if (!imap_fetch(sync->imap, all, &what, take_message, taking, error))
        return FALSE;
    sync->told_since_select = report->remotes->len;
    report->modseq = folder->modseq;
    report->uidnext = folder->uidnext;
    report->exists = (guint64) MAX(folder->server_total, 0);
    if (!uidset_is_empty(report->vanished))
        uidset_keep_set(report->vanished, known_uids(taking->known));
    if (report->remotes->len || !uidset_is_empty(report->vanished))
        report->exists = uidset_count(known_uids(taking->known)) + uidset_count(report->fresh) -
                         uidset_count(report->vanished);
    return known_check(taking->known, error) && load_rows(sync, folder, report, taking->known, error);
}

struct report *
report_read(struct sync *sync, struct folder **folder, struct known *known, gboolean complete, GError **error)
{
    g_autoptr(struct_report) report = report_new();
    struct taking taking = {report, known};
    gboolean trusted = !complete && (*folder)->modseq && (*folder)->uidvalidity;
    struct imap_select how = {
        .uidvalidity = trusted ? (*folder)->uidvalidity : 0,
        .modseq = trusted ? (*folder)->modseq : 0,
        .on_changed = take_message,
        .data = &taking,
    };
    watch_forget(sync->watch, (*folder)->id);
    if (trusted && can_ask_on(sync, *folder)) {
        if (!ask_on(sync, *folder, &taking, error))
            return NULL;
        resolve(report, known);
        add_present(report, known);
        return g_steal_pointer(&report);
    }
    if (!sync_select(sync, *folder, &how, error))
        return NULL;
    sync->told_since_select = 0;
    struct imap_mailbox *mailbox = sync->mailbox;
    if (!mailbox->uidvalidity || mailbox->uid_not_sticky) {
        g_set_error(error, SYNC_ERROR, ERROR_REFUSED,
                    "the server gives the messages of this folder no lasting numbers: they cannot be kept here");
        return NULL;
    }
    if ((*folder)->uidvalidity != mailbox->uidvalidity) {
        /* Changes that came with the SELECT belong to numbers that are void. */
        g_array_set_size(report->remotes, 0);
        uidset_clear(report->fresh);
        trusted = FALSE;
        if ((*folder)->uidvalidity && !renumber(sync, folder, known, error))
            return NULL;
    }
    report->exists = mailbox->exists;
    report->modseq = mailbox->modseq;
    report->uidnext = mailbox->uidnext;
    /* A mod-sequence that went back says that what we know of changes is worth nothing. */
    trusted = trusted && mailbox->modseq >= (*folder)->modseq;
    gboolean ok = TRUE;
    if (trusted && mailbox->resynced) {
        uidset_add_set(report->vanished, mailbox->vanished);
        if (!uidset_is_empty(report->vanished))
            uidset_keep_set(report->vanished, known_uids(known));
    } else {
        g_array_set_size(report->remotes, 0);
        uidset_clear(report->fresh);
        ok = trusted && imap_has(sync->imap, IMAP_CONDSTORE) ? read_changes(sync, *folder, &taking, error)
                                                             : read_all(sync, &taking, error);
    }
    if (!ok || !known_check(known, error) || !load_rows(sync, *folder, report, known, error))
        return NULL;
    resolve(report, known);
    add_present(report, known);
    return g_steal_pointer(&report);
}
