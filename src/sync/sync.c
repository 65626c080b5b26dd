/* The runner as such: its connection, its callers, its figures. */
#include "config.h"

#include "sync/sync.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/internal.h"
#include "sync/texts.h"
#include "sync/watch.h"

/* A list that is redrawn more often shows nothing more. */
#define CHANGED_EVERY_US (200 * 1000)
#define ALERT_PAUSE_US (10 * G_USEC_PER_SEC)
/* N5: what remains of ten seconds is for the new connection and the look. */
#define PROBE_MS 3000

GQuark
sync_error_quark(void)
{
    return g_quark_from_static_string("sync-error-quark");
}

const char *
sync_phase_name(enum sync_phase phase)
{
    static const char *const names[SYNC_PHASES] = {
        [SYNC_CONNECT] = "connect", [SYNC_FOLDERS] = "folders",     [SYNC_MAILDIR] = "maildir",
        [SYNC_FLAGS] = "flags",     [SYNC_ENVELOPES] = "envelopes", [SYNC_BODIES] = "bodies",
        [SYNC_TEXTS] = "texts",     [SYNC_SEND] = "send",           [SYNC_SETTLE] = "settle",
    };
    return phase < SYNC_PHASES ? names[phase] : "";
}

struct sync *
sync_new(struct store *store, gint64 account_id, const struct sync_options *options)
{
    struct sync *sync = g_new0(struct sync, 1);
    sync->store = store;
    sync->account = account_id;
    sync->options = *options;
    sync->protocol = sync_protocol_of(options->account);
    sync->tally = tally_new();
    sync->watch = watch_new();
    sync->bodies_looked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return sync;
}

static void
add_connection(const struct imap *imap, struct sync_statistics *statistics)
{
    struct stream_info info;
    if (!imap)
        return;
    stream_get_info(imap_get_stream((struct imap *) imap), &info);
    statistics->bytes_in += info.bytes_in;
    statistics->bytes_out += info.bytes_out;
    statistics->saved += info.saved;
    statistics->round_trips += imap_get_roundtrips(imap);
}

/* The traffic of the connections so far, into *statistics. */
static void
add_traffic(const struct sync *sync, struct sync_statistics *statistics)
{
    add_connection(sync->imap, statistics);
    add_connection(sync->second, statistics);
}

void
sync_close_second(struct sync *sync)
{
    if (!sync->second)
        return;
    if (!imap_is_dead(sync->second))
        imap_logout(sync->second);
    add_connection(sync->second, &sync->statistics);
    g_clear_pointer(&sync->second, imap_free);
}

static void
drop_connection(struct sync *sync)
{
    add_traffic(sync, &sync->statistics);
    g_clear_pointer(&sync->imap, imap_free);
    g_clear_pointer(&sync->second, imap_free);
    g_clear_pointer(&sync->mailbox, imap_mailbox_free);
    sync->selected = 0;
    watch_disconnected(sync->watch);
}

void
sync_disconnect(struct sync *sync)
{
    if (sync->imap && !imap_is_dead(sync->imap))
        imap_logout(sync->imap);
    sync_close_second(sync);
    drop_connection(sync);
}

gboolean
sync_probe(struct sync *sync)
{
    if (!sync_is_connected(sync))
        return TRUE;
    struct stream *stream = imap_get_stream(sync->imap);
    guint usual = stream_get_limits(stream)->command_ms;
    stream_set_command_limit(stream, PROBE_MS);
    gboolean alive = imap_noop(sync->imap, NULL);
    stream_set_command_limit(stream, usual);
    if (alive)
        sync_close_second(sync); /* it need not be, too: the next wait opens another */
    else
        drop_connection(sync);
    return alive;
}

void
sync_free(struct sync *sync)
{
    if (!sync)
        return;
    sync_disconnect(sync);
    tally_write(sync, TRUE);
    tally_free(sync->tally);
    texts_rest(sync);
    reader_free(sync->reader);
    g_hash_table_unref(sync->bodies_looked);
    watch_free(sync->watch);
    g_free(sync);
}

gboolean
sync_is_connected(const struct sync *sync)
{
    return sync->imap && !imap_is_dead(sync->imap);
}

const struct sync_statistics *
sync_get_statistics(struct sync *sync)
{
    sync->shown = sync->statistics;
    add_traffic(sync, &sync->shown);
    return &sync->shown;
}

void
sync_reset_statistics(struct sync *sync)
{
    struct sync_statistics now = {0}, zero = {0};
    tally_reset(sync);
    add_traffic(sync, &now);
    sync->statistics = zero;
    /* The open connection counts on: what it had is taken off. Unsigned, so it comes out right. */
    sync->statistics.bytes_in -= now.bytes_in;
    sync->statistics.bytes_out -= now.bytes_out;
    sync->statistics.saved -= now.saved;
    sync->statistics.round_trips -= now.round_trips;
}

/* A session tells at most one in a while; a server that ends each session with one gets no further. */
static void
tell_alert(struct sync *sync, const char *text)
{
    gint64 now = clock_monotonic();
    if (sync->alerted && now - sync->alerted < ALERT_PAUSE_US)
        return;
    sync->alerted = now;
    sync_tell_notice(sync, NULL, "the server says \"%s\"", text);
}

static void
on_event(const struct imap_event *event, gpointer data)
{
    struct sync *sync = data;
    switch (event->kind) {
    case IMAP_EVENT_ALERT:
        tell_alert(sync, event->text);
        break;
    case IMAP_EVENT_BYE:
        log_info("sync.connection", "account=%s bye: %s", sync->options.account->name, event->text);
        break;
    default:
        watch_event(sync, event);
        break;
    }
}

struct imap *
sync_open_connection(struct sync *sync, imap_event_func on_event_of, GError **error)
{
    const struct account *account = sync->options.account;
    if (!account->incoming || account->incoming->protocol != ENDPOINT_IMAP) {
        g_set_error(error, SYNC_ERROR, ERROR_CONFIG, "the account %s has no IMAP server: see \"incoming\" in the "
                    "configuration", account->name);
        return NULL;
    }
    struct imap_options options = {
        .get_secret = sync->options.get_secret,
        .secret_data = sync->options.secret_data,
        .on_event = on_event_of,
        .event_data = sync,
        .without = sync->options.without,
        .compress = !sync->options.no_compress,
    };
    return imap_open(account->incoming, &options, sync->options.cancel, error);
}

struct imap *
sync_open_help(struct sync *sync, const struct folder *folder, GError **error)
{
    g_autoptr(struct_imap) imap = sync_open_connection(sync, NULL, error);
    struct imap_select plain = {.plain = FALSE};
    g_autoptr(struct_imap_mailbox) mailbox = imap ? imap_select(imap, folder->wire, &plain, error) : NULL;
    if (!mailbox)
        return NULL;
    if (mailbox->uidvalidity != folder->uidvalidity) {
        g_set_error(error, SYNC_ERROR, ERROR_STALE, "the folder was numbered anew by its server");
        return NULL;
    }
    return g_steal_pointer(&imap);
}

void
sync_close_help(struct sync *sync, struct imap *imap)
{
    add_connection(imap, &sync->statistics);
    imap_logout(imap);
    imap_free(imap);
}

gboolean
sync_connect(struct sync *sync, GError **error)
{
    if (sync_is_connected(sync))
        return TRUE;
    drop_connection(sync);
    sync_tell_progress(sync, NULL, SYNC_CONNECT, 0, 0);
    sync->imap = sync_open_connection(sync, on_event, error);
    if (sync->imap)
        tally_server(sync, imap_has(sync->imap, IMAP_NOTIFY));
    return sync->imap != NULL;
}

gboolean
sync_select(struct sync *sync, const struct folder *folder, const struct imap_select *how, GError **error)
{
    if (!sync_connect(sync, error))
        return FALSE;
    if (!how && sync->selected == folder->id)
        return TRUE;
    g_clear_pointer(&sync->mailbox, imap_mailbox_free);
    sync->selected = 0;
    sync->store_freely = FALSE;
    struct imap_select plain = {.plain = FALSE};
    sync->mailbox = imap_select(sync->imap, folder->wire, how ? how : &plain, error);
    if (!sync->mailbox)
        return FALSE;
    sync->selected = folder->id;
    return TRUE;
}

gboolean
sync_unselect(struct sync *sync, GError **error)
{
    if (!sync->selected || !sync_is_connected(sync))
        return TRUE;
    sync->selected = 0;
    g_clear_pointer(&sync->mailbox, imap_mailbox_free);
    return imap_unselect(sync->imap, error);
}

gboolean
sync_is_cancelled(struct sync *sync, GError **error)
{
    if (!cancel_is_triggered(sync->options.cancel))
        return FALSE;
    g_set_error(error, SYNC_ERROR, ERROR_CANCELLED, "the synchronisation was stopped");
    return TRUE;
}

/* ---- telling ---- */

void
sync_tell_progress(struct sync *sync, const struct folder *folder, enum sync_phase phase, guint64 done, guint64 total)
{
    if (!sync->options.progress)
        return;
    struct sync_progress progress = {folder ? folder->name : NULL, phase, done, total};
    sync->options.progress(&progress, sync->options.data);
}

void
sync_tell_changed(struct sync *sync, gboolean now)
{
    gint64 time = clock_monotonic();
    sync->changes_untold = TRUE;
    if (!sync->options.changed || (!now && time - sync->last_changed < CHANGED_EVERY_US))
        return;
    sync->last_changed = time;
    sync->changes_untold = FALSE;
    sync->options.changed(sync->options.data);
}

static char *G_GNUC_PRINTF(1, 0)
safe_line(const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    return text_safe(text, -1, TEXT_LINE);
}

void
sync_tell_notice(struct sync *sync, const struct folder *folder, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = safe_line(format, args);
    va_end(args);
    sync->statistics.notices++;
    log_warn("sync.notice", "account=%s folder=%s %s", sync->options.account->name, folder ? folder->name : "", text);
    if (!sync->dry_run)
        tally_notice(sync, folder ? folder->id : 0, text);
    if (sync->options.notice)
        sync->options.notice(folder ? folder->name : NULL, text, sync->options.data);
}

void
sync_tell_planned(struct sync *sync, const char *folder, enum sync_direction direction, const char *action,
                  guint64 count, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = safe_line(format, args);
    va_end(args);
    log_debug("sync.plan", "account=%s folder=%s %s", sync->options.account->name, folder ? folder : "", text);
    struct sync_planned planned = {folder, direction, action, count, text};
    if (sync->dry_run && sync->options.planned)
        sync->options.planned(&planned, sync->options.data);
}

gboolean
sync_survives(struct sync *sync, const struct folder *folder, GError **error)
{
    GError *e = *error;
    if (e->code == ERROR_WITHDRAWN) { /* the user was faster: nobody needs to hear of it */
        log_debug("sync", "account=%s folder=%s %s", sync->options.account->name, folder ? folder->name : "", e->message);
        g_clear_error(error);
        return TRUE;
    }
    gboolean here_only =
        e->code == ERROR_STALE || e->code == ERROR_SKIP || e->code == ERROR_REFUSED || e->code == ERROR_INPUT;
    if (!here_only || !sync_is_connected(sync))
        return FALSE;
    sync_tell_notice(sync, folder, "%s", e->message);
    if (folder && !sync->dry_run)
        folder_set_notice(sync->store, folder->id, e->message, NULL);
    g_clear_error(error);
    return TRUE;
}
