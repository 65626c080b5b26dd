/* Waiting for the server's word about every folder, by the best way that it offers (sync.h, sync_wait). */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/watch.h"

/* RFC 2177: at least every 29 minutes; routers forget sooner. */
#define RENEW_MS (9 * 60 * 1000)
G_STATIC_ASSERT(RENEW_MS < 29 * 60 * 1000);
/* Without IDLE the open folder is asked about this often, and without a second connection INBOX is. */
#define ASK_OPEN_MS (15 * 1000)
#define ASK_INBOX_MS (20 * 1000)
/* A server gathers changes before it tells them: Dovecot 2.3 for half a second, in IDLE as with NOTIFY, but it answers a
 * NOOP at once. So while another client is at work in the folder on the screen it is asked, for a while. */
#define ASK_BUSY_MS 200
#define BUSY_US (10 * G_USEC_PER_SEC)
/* A second connection that was refused is not tried again for so long. */
#define SECOND_AGAIN_US (10 * 60 * (gint64) G_USEC_PER_SEC)
/* Names that a server may tell before they are looked at; beyond, everything is looked at. */
#define NAMES_MAX 10000

struct watch *
watch_new(void)
{
    struct watch *watch = g_new0(struct watch, 1);
    watch->changed = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    watch->states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    watch->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    watch->listed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return watch;
}

void
watch_free(struct watch *watch)
{
    g_hash_table_unref(watch->changed);
    g_hash_table_unref(watch->states);
    g_hash_table_unref(watch->told);
    g_hash_table_unref(watch->listed);
    g_free(watch);
}

void
watch_disconnected(struct watch *watch)
{
    g_hash_table_remove_all(watch->states);
    g_hash_table_remove_all(watch->told);
    g_hash_table_remove_all(watch->listed);
    watch->busy_until = 0;
}

/* ---- what is told ---- */

static void
mark(struct watch *watch, gint64 folder)
{
    if (folder)
        g_hash_table_add(watch->changed, g_memdup2(&folder, sizeof folder));
}

void
watch_forget(struct watch *watch, gint64 folder)
{
    g_hash_table_remove(watch->changed, &folder);
}

static gboolean
has_room(struct watch *watch, const GHashTable *names)
{
    if (g_hash_table_size((GHashTable *) names) < NAMES_MAX)
        return TRUE;
    watch->pass_due = TRUE;
    return FALSE;
}

static void
note_state(struct watch *watch, const struct imap_status *status)
{
    if (!has_room(watch, watch->states))
        return;
    struct folder_state state = {status->items & IMAP_STATUS_SYNC, status->uidvalidity, status->uidnext,
                                 status->messages, status->modseq};
    g_hash_table_replace(watch->states, g_strdup(status->name), g_memdup2(&state, sizeof state));
}

static void
note_listed(struct watch *watch, const struct imap_folder *folder)
{
    if (!has_room(watch, watch->listed))
        return;
    guint bits = folder->attributes & (IMAP_NONEXISTENT | IMAP_SUBSCRIBED);
    g_hash_table_replace(watch->listed, g_strdup(folder->name), GUINT_TO_POINTER(bits));
    if (folder->old_name && has_room(watch, watch->listed))
        g_hash_table_replace(watch->listed, g_strdup(folder->old_name), GUINT_TO_POINTER(IMAP_NONEXISTENT));
}

/* What the server says unasked, also while it does something else for us. */
void
watch_event(struct sync *sync, const struct imap_event *event)
{
    struct watch *watch = sync->watch;
    switch (event->kind) {
    case IMAP_EVENT_EXPUNGED:
    case IMAP_EVENT_VANISHED:
    case IMAP_EVENT_MESSAGE:
        /* Somebody is at work there, not just new mail coming in; nor is it an echo of what we did. */
        if (watch->waiting && !watch->arrival)
            watch->busy_until = clock_monotonic() + BUSY_US;
        watch->arrival = FALSE;
        mark(watch, sync->selected);
        break;
    case IMAP_EVENT_EXISTS: /* NOTIFY lets a FETCH of the new message follow */
        watch->arrival = TRUE;
        mark(watch, sync->selected);
        break;
    case IMAP_EVENT_UIDVALIDITY:
        mark(watch, sync->selected);
        sync->selected = 0; /* to be opened again */
        break;
    case IMAP_EVENT_STATUS:
        note_state(watch, event->status);
        break;
    case IMAP_EVENT_FOLDER:
        note_listed(watch, event->folder);
        break;
    case IMAP_EVENT_OVERFLOW:
        watch->pass_due = TRUE;
        break;
    default:
        break;
    }
}

/* ---- what of it is news ---- */

static gboolean
agrees(const struct folder_state *state, const struct folder *folder)
{
    return (!(state->items & IMAP_STATUS_UIDVALIDITY) || state->uidvalidity == folder->uidvalidity) &&
           (!(state->items & IMAP_STATUS_UIDNEXT) || state->uidnext == folder->uidnext) &&
           (!(state->items & IMAP_STATUS_MESSAGES) || state->messages == folder->server_total) &&
           (!(state->items & IMAP_STATUS_MODSEQ) || state->modseq == folder->modseq);
}

/* Echoes of our own work are what we recorded; and a server whose numbers never agree must not keep us busy. */
static void
take_states(struct sync *sync)
{
    struct watch *watch = sync->watch;
    GHashTableIter iter;
    gpointer name, state;
    g_hash_table_iter_init(&iter, watch->states);
    while (g_hash_table_iter_next(&iter, &name, &state)) {
        const struct folder_state *before = g_hash_table_lookup(watch->told, name);
        gint64 id = folder_find_wire(sync->store, sync->account, name);
        g_autoptr(struct_folder) folder = id ? folder_get(sync->store, id, NULL) : NULL;
        if (!folder || !folder_is_synced(sync, folder) || (before && !memcmp(before, state, sizeof *before)))
            continue;
        g_hash_table_replace(watch->told, g_strdup(name), g_memdup2(state, sizeof *before));
        if (!agrees(state, folder))
            mark(watch, id);
    }
    g_hash_table_remove_all(watch->states);
}

static void
take_listed(struct sync *sync)
{
    struct watch *watch = sync->watch;
    GHashTableIter iter;
    gpointer name, bits;
    g_hash_table_iter_init(&iter, watch->listed);
    while (!watch->pass_due && g_hash_table_iter_next(&iter, &name, &bits)) {
        gint64 id = folder_find_wire(sync->store, sync->account, name);
        g_autoptr(struct_folder) folder = id ? folder_get(sync->store, id, NULL) : NULL;
        gboolean here = folder && !(folder->bits & FOLDER_GONE);
        if (GPOINTER_TO_UINT(bits) & IMAP_NONEXISTENT)
            watch->pass_due = here;
        else
            watch->pass_due = !here || (GPOINTER_TO_UINT(bits) & IMAP_SUBSCRIBED && !(folder->bits & FOLDER_SUBSCRIBED));
    }
    g_hash_table_remove_all(watch->listed);
}

/* What came between the listing of the last pass and here is told by the SELECT since then; events tell only of what
 * follows. Once for each state of the folder. */
static gboolean
has_moved_on(struct sync *sync, const struct folder *folder)
{
    const struct imap_mailbox *mailbox = sync->mailbox;
    struct watch *watch = sync->watch;
    if (mailbox->uidnext <= folder->uidnext && mailbox->modseq <= folder->modseq)
        return FALSE;
    if (watch->told_uidnext == mailbox->uidnext && watch->told_modseq == mailbox->modseq)
        return FALSE;
    watch->told_uidnext = mailbox->uidnext;
    watch->told_modseq = mailbox->modseq;
    return TRUE;
}

/* The folder on the screen first. */
static gboolean
take_changed(struct watch *watch, gint64 first, GArray *changed)
{
    GHashTableIter iter;
    gpointer id;
    if (g_hash_table_contains(watch->changed, &first))
        g_array_append_val(changed, first);
    g_hash_table_iter_init(&iter, watch->changed);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        if (*(gint64 *) id != first)
            g_array_append_vals(changed, id, 1);
    g_hash_table_remove_all(watch->changed);
    return changed->len > 0;
}

/* ---- a second connection, for INBOX ---- */

static void
on_second_event(const struct imap_event *event, gpointer data)
{
    struct sync *sync = data;
    switch (event->kind) {
    case IMAP_EVENT_EXPUNGED:
    case IMAP_EVENT_VANISHED:
    case IMAP_EVENT_MESSAGE:
    case IMAP_EVENT_EXISTS:
    case IMAP_EVENT_UIDVALIDITY:
        mark(sync->watch, sync->watch->inbox);
        break;
    default:
        break;
    }
}

static gboolean
open_second(struct sync *sync, const struct folder *inbox, GError **error)
{
    sync->second = sync_open_connection(sync, on_second_event, error);
    g_autoptr(struct_imap_mailbox) mailbox =
        sync->second ? imap_select(sync->second, inbox->wire, &(struct imap_select){.read_only = TRUE}, error) : NULL;
    if (!mailbox)
        return FALSE;
    /* What came before this one listened. */
    if (mailbox->uidnext != inbox->uidnext || mailbox->modseq != inbox->modseq)
        mark(sync->watch, inbox->id);
    return imap_idle_start(sync->second, error);
}

/* Whether there is one, or not, is no trouble of the account: then INBOX is asked about. */
static void
drop_second(struct sync *sync, const GError *why)
{
    log_info("sync.watch", "account=%s no second connection: %s", sync->options.account->name, why->message);
    sync_close_second(sync);
    sync->watch->second_after = clock_monotonic() + SECOND_AGAIN_US;
}

static void
want_second(struct sync *sync, gint64 watched)
{
    struct watch *watch = sync->watch;
    g_autoptr(GError) error = NULL;
    watch->inbox = folder_find_role(sync->store, sync->account, FOLDER_INBOX);
    gboolean wanted = watch->inbox && watch->inbox != watched;
    if (sync->second && (!wanted || imap_is_dead(sync->second)))
        sync_close_second(sync);
    if (!wanted || sync->second || clock_monotonic() < watch->second_after || !imap_has(sync->imap, IMAP_IDLE))
        return;
    g_autoptr(struct_folder) inbox = folder_get(sync->store, watch->inbox, NULL);
    if (inbox && folder_is_synced(sync, inbox) && !open_second(sync, inbox, &error))
        drop_second(sync, error);
}

/* ---- waiting ---- */

static gboolean
is_readable(int fd)
{
    GPollFD poll = {fd, G_IO_IN, 0};
    return fd >= 0 && g_poll(&poll, 1, 0) > 0;
}

/* Until one of the two connections, or wake_fd, has something. */
static void
wait_for_either(struct sync *sync, guint milliseconds, int wake_fd)
{
    GPollFD fds[] = {{imap_get_fd(sync->imap), G_IO_IN, 0},
                     {imap_get_fd(sync->second), G_IO_IN, 0},
                     {wake_fd, G_IO_IN, 0},
                     {cancel_get_fd(sync->options.cancel), G_IO_IN, 0}};
    if (!imap_has_pending(sync->imap) && !imap_has_pending(sync->second))
        g_poll(fds, G_N_ELEMENTS(fds), (gint) milliseconds);
}

static gboolean
wait_idle(struct sync *sync, guint milliseconds, int wake_fd, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (!imap_idle_start(sync->imap, error))
        return FALSE;
    if (sync->second) {
        wait_for_either(sync, milliseconds, wake_fd);
        if (!imap_idle_wait(sync->second, 0, -1, NULL, &why) && why->code != ERROR_CANCELLED)
            drop_second(sync, why);
        milliseconds = 0;
    }
    return imap_idle_wait(sync->imap, milliseconds, wake_fd, NULL, error) && imap_idle_done(sync->imap, error);
}

static gboolean
ask_inbox(struct sync *sync, GError **error)
{
    g_autoptr(struct_folder) inbox = folder_get(sync->store, sync->watch->inbox, NULL);
    const char *names[] = {inbox ? inbox->wire : NULL, NULL};
    if (!names[0])
        return TRUE;
    g_autoptr(GPtrArray) statuses = imap_status(sync->imap, names, IMAP_STATUS_SYNC, error);
    for (guint i = 0; statuses && i < statuses->len; i++)
        note_state(sync->watch, statuses->pdata[i]);
    return statuses != NULL;
}

static gboolean
ask(struct sync *sync, GError **error)
{
    gboolean ok = imap_noop(sync->imap, error);
    sync->watch->spoken = imap_get_roundtrips(sync->imap);
    sync->watch->spoken_at = clock_monotonic();
    return ok;
}

/* Listens up to `most`, then asks; and asks first after other commands: outside of IDLE, Dovecot 2.3 begins to watch a
 * folder again a second after the last command, and what happened before is told with the next change only. */
static gboolean
listen_and_ask(struct sync *sync, guint left, guint most, int wake_fd, GError **error)
{
    struct watch *watch = sync->watch;
    guint events;
    if (watch->spoken != imap_get_roundtrips(sync->imap))
        return ask(sync, error);
    gint64 silent = (clock_monotonic() - watch->spoken_at) / 1000;
    if (silent >= most)
        return ask(sync, error);
    return imap_listen(sync->imap, MIN(left, (guint) (most - silent)), wake_fd, &events, error);
}

static gboolean
wait_once(struct sync *sync, guint left, int wake_fd, GError **error)
{
    struct watch *watch = sync->watch;
    gboolean inbox_unheard =
        !imap_is_notifying(sync->imap) && watch->inbox && watch->inbox != sync->selected && !sync->second;
    guint most = inbox_unheard ? ASK_INBOX_MS : RENEW_MS;
    if (clock_monotonic() < watch->busy_until)
        return listen_and_ask(sync, left, ASK_BUSY_MS, wake_fd, error);
    gboolean ok = imap_has(sync->imap, IMAP_IDLE) ? wait_idle(sync, MIN(left, most), wake_fd, error)
                                                  : listen_and_ask(sync, left, ASK_OPEN_MS, wake_fd, error);
    return ok && (!inbox_unheard || ask_inbox(sync, error));
}

/* Dovecot 2.3 drops what happened in an open folder before it was asked to tell: such a folder is looked at once more. */
static gboolean
ask_to_be_told(struct sync *sync, GError **error)
{
    g_autoptr(GError) why = NULL;
    gint64 open = sync->selected;
    if (!sync_connect(sync, error))
        return FALSE;
    if (!imap_has(sync->imap, IMAP_NOTIFY) || imap_is_notifying(sync->imap))
        return TRUE;
    if (imap_notify(sync->imap, &why))
        mark(sync->watch, open);
    else if (why->code != ERROR_REFUSED) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    } else
        tally_server(sync, FALSE);
    return TRUE;
}

static gboolean
begin(struct sync *sync, const struct folder *folder, GError **error)
{
    if (!ask_to_be_told(sync, error) || !sync_select(sync, folder, NULL, error))
        return FALSE;
    if (imap_is_notifying(sync->imap))
        sync_close_second(sync);
    else
        want_second(sync, folder->id);
    if (has_moved_on(sync, folder))
        mark(sync->watch, folder->id);
    return TRUE;
}

enum sync_news
sync_wait(struct sync *sync, gint64 folder_id, guint milliseconds, int wake_fd, GArray *changed, GError **error)
{
    struct watch *watch = sync->watch;
    gint64 end = clock_monotonic() + (gint64) milliseconds * 1000;
    g_autoptr(struct_folder) folder = folder_get(sync->store, folder_id, error);
    if (!folder || !folder->wire || !begin(sync, folder, error))
        return SYNC_NEWS_ERROR;
    for (;;) {
        take_states(sync);
        take_listed(sync);
        if (watch->pass_due) {
            watch->pass_due = FALSE;
            return SYNC_NEWS_ACCOUNT;
        }
        if (take_changed(watch, folder_id, changed))
            return SYNC_NEWS_FOLDERS;
        gint64 left = (end - clock_monotonic()) / 1000;
        if (left <= 0 || is_readable(wake_fd))
            return SYNC_NEWS_NONE;
        watch->waiting = TRUE;
        watch->arrival = FALSE;
        gboolean ok = wait_once(sync, (guint) left, wake_fd, error);
        watch->waiting = FALSE;
        if (!ok)
            return SYNC_NEWS_ERROR;
    }
}
