/* POP3: a session with the mailbox for each pass, and the calls of sync.h. A session lasts as long as its work, as the mailbox
 * may be wanted by others.
 *
 * A pass: other programs' changes are taken in; the list of the server is compared with what was taken in; what is new comes
 * in, newest first, envelopes before large bodies; then what goes from the server is DELEd, and QUIT makes it so. Nothing
 * is DELEd whose bytes are not recorded in the store. What was DELEd in a session that broke is still there, is known by
 * its id, and goes the next time. */
#include "config.h"

#include "sync/drop.h"

#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "config/keep.h"
#include "store/account.h"
#include "store/history.h"
#include "store/scan.h"
#include "sync/agree.h"
#include "sync/drop_turn.h"
#include "sync/tally.h"

#define SECONDS_A_DAY (24 * 60 * 60)
#define BODIES_A_FETCH 100
#define BYTES_A_FETCH (512 * 1024)
#define DELETES_AT_ONCE 500

/* ---- the time between two logins (RFC 2449 section 6.6) ---- */

static char *
login_key(const struct sync *sync)
{
    return g_strdup_printf("pop3.login.%" G_GINT64_FORMAT, sync->account);
}

static guint
login_wait(struct sync *sync, guint *delay)
{
    g_autofree char *key = login_key(sync), *text = store_get(sync->store, key);
    char *rest = text;
    gint64 last = text ? g_ascii_strtoll(text, &rest, 10) : 0, now = clock_now();
    *delay = text ? (guint) g_ascii_strtoull(rest, NULL, 10) : 0;
    /* A clock that was set back keeps nobody out. */
    return last > now || last + (gint64) *delay <= now ? 0 : (guint) (last + (gint64) *delay - now);
}

static gboolean
may_log_in(struct sync *sync, GError **error)
{
    guint delay, wait = login_wait(sync, &delay);
    if (!wait)
        return TRUE;
    g_autofree char *name = endpoint_to_string(sync->options.account->incoming);
    g_set_error(error, SYNC_ERROR, ERROR_RETRY, "%s lets nobody log in twice within %u seconds: try again in %u", name,
                delay, wait);
    return FALSE;
}

static gboolean
note_login(struct sync *sync, guint delay, GError **error)
{
    g_autofree char *key = login_key(sync), *before = store_get(sync->store, key);
    g_autofree char *now = delay ? g_strdup_printf("%" G_GINT64_FORMAT " %u", clock_now(), delay) : NULL;
    return (!now && !before) || store_set(sync->store, key, now, error);
}

static guint
drop_delay(struct sync *sync)
{
    guint delay;
    return login_wait(sync, &delay);
}

/* ---- a session ---- */

gboolean
drop_look(struct drop *drop, GError **error)
{
    g_clear_pointer(&drop->gone, g_array_unref);
    g_clear_pointer(&drop->rows, maildrop_free);
    drop->rows = maildrop_load(drop->sync->store, drop->sync->account, error);
    if (!drop->rows)
        return FALSE;
    guint n = drop->rows->rows->len;
    g_autofree struct drop_known *known = g_new0(struct drop_known, n + 1);
    for (guint i = 0; i < n; i++) {
        const struct maildrop_row *row = &g_array_index(drop->rows->rows, struct maildrop_row, i);
        known[i] = (struct drop_known){row->uidl, row->nth, row->size, row->loose};
    }
    drop_match(known, n, drop->listed, drop->n, &drop->gone);
    return TRUE;
}

/* What the server is like, for people (store/history.h). */
static void
note_server(struct drop *drop)
{
    static const struct {
        guint bit;
        const char *name;
    } names[] = {{POP3_UIDL, "UIDL"}, {POP3_TOP, "TOP"}, {POP3_PIPELINING, "PIPELINING"}, {POP3_SASL, "SASL"}, {POP3_UTF8, "UTF8"}};
    struct sync *sync = drop->sync;
    struct stream_info info;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    const struct endpoint *endpoint = sync->options.account->incoming;
    stream_get_info(pop3_get_stream(drop->pop3), &info);
    g_string_append_printf(text, "host %s:%u\ntls %s\ncompress no\nuses", endpoint->host, endpoint->port,
                           info.tls ? info.tls : "none");
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (pop3_has(drop->pop3, names[i].bit))
            g_string_append_printf(text, " %s", names[i].name);
    g_string_append_c(text, '\n');
    g_autofree char *before = history_server(sync->store, sync->account);
    if (!sync->dry_run && g_strcmp0(before, text->str) && !history_set_server(sync->store, sync->account, text->str, &error))
        log_warn("sync.drop", "%s", error->message);
}

/* The server's list, with an id for each. */
static gboolean
read_list(struct drop *drop, GError **error)
{
    sync_tell_progress(drop->sync, drop->inbox, SYNC_FLAGS, 0, 0);
    const struct pop3_entry *entries = pop3_list(drop->pop3, &drop->n, error);
    if (!entries)
        return FALSE;
    note_server(drop);
    drop->listed = g_new0(struct drop_listed, drop->n + 1);
    for (guint i = 0; i < drop->n; i++)
        drop->listed[i] = (struct drop_listed){.uidl = entries[i].uidl, .size = entries[i].size, .known = -1};
    return drop_make_ids(drop, error) && drop_look(drop, error);
}

static gboolean
drop_open(struct drop *drop, struct sync *sync, gint64 message, gboolean *here, GError **error)
{
    const struct account *account = sync->options.account;
    *drop = (struct drop){.sync = sync, .ids = g_string_chunk_new(4096)};
    gint64 inbox = folder_find_role(sync->store, sync->account, FOLDER_INBOX);
    drop->inbox = folder_get(sync->store, inbox, error);
    drop->dir = drop->inbox ? folder_path(sync->store, inbox, TRUE, error) : NULL;
    if (!drop->dir || !drop_turn_take(sync, message, here, error))
        return FALSE;
    drop->has_turn = !*here;
    if (*here)
        return TRUE;
    tally_to(sync, inbox);
    sync_tell_progress(sync, NULL, SYNC_CONNECT, 0, 0);
    struct pop3_options options = {.get_secret = sync->options.get_secret, .secret_data = sync->options.secret_data};
    drop->pop3 = may_log_in(sync, error) ? pop3_open(account->incoming, &options, sync->options.cancel, error) : NULL;
    return drop->pop3 && note_login(sync, pop3_get_login_delay(drop->pop3), error) && read_list(drop, error);
}

static void
drop_clear(struct drop *drop)
{
    if (drop->pop3) {
        struct stream_info info;
        stream_get_info(pop3_get_stream(drop->pop3), &info);
        drop->sync->statistics.bytes_in += info.bytes_in;
        drop->sync->statistics.bytes_out += info.bytes_out;
        drop->sync->statistics.round_trips += pop3_get_roundtrips(drop->pop3);
    }
    pop3_free(drop->pop3);
    if (drop->has_turn)
        drop_turn_give(drop->sync);
    folder_free(drop->inbox);
    g_free(drop->dir);
    g_free(drop->listed);
    g_string_chunk_free(drop->ids);
    maildrop_free(drop->rows);
    g_clear_pointer(&drop->gone, g_array_unref);
    g_clear_pointer(&drop->lost, g_array_unref);
    g_clear_pointer(&drop->identities, g_array_unref);
}
typedef struct drop struct_drop;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_drop, drop_clear)

/* ---- bodies ---- */

gboolean
drop_wants_body(const struct drop *drop, gint64 date, guint64 size)
{
    const struct keep *keep = keep_of(drop->sync->options.account, drop->inbox->name);
    return keep->what == KEEP_BODIES && (!keep->days || date > clock_now() - (gint64) keep->days * SECONDS_A_DAY) &&
           (!keep->size || size <= (guint64) keep->size);
}

static gboolean
serve_wanted(struct drop *drop, GError **error)
{
    g_autoptr(GArray) wanted = maildrop_wanted(drop->sync->store, drop->sync->account, error);
    if (!wanted || !wanted->len)
        return wanted != NULL;
    if (!drop_look(drop, error))
        return FALSE;
    g_autoptr(GHashTable) places = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < drop->n; i++)
        if (drop_row(drop, i))
            g_hash_table_insert(places, (gpointer) &drop_row(drop, i)->id, GUINT_TO_POINTER(i + 1));
    g_autoptr(GArray) some = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint k = 0; k < wanted->len; k++) {
        guint i = GPOINTER_TO_UINT(g_hash_table_lookup(places, &g_array_index(wanted, gint64, k))) - 1;
        if (i < drop->n)
            g_array_append_val(some, i);
        else if (!maildrop_unwant(drop->sync->store, g_array_index(wanted, gint64, k), error))
            return FALSE; /* it is not there any more, as who waits is told */
    }
    if (!some->len)
        return TRUE;
    /* Once more, so that nobody fetches them again. */
    gboolean ok = drop_fetch_bodies(drop, some, error) && drop_look(drop, error);
    sync_tell_changed(drop->sync, TRUE);
    return ok;
}

gboolean
drop_breathe(struct drop *drop, GError **error)
{
    return !sync_is_cancelled(drop->sync, error) && serve_wanted(drop, error);
}

guint
drop_step(const struct drop *drop, const GArray *some, guint from, guint max, guint64 most)
{
    guint64 bytes = 0;
    guint n = 0;
    for (; from + n < some->len && n < max && bytes < BYTES_A_FETCH; n++) {
        guint64 size = drop->listed[g_array_index(some, guint, from + n)].size;
        bytes += MIN(size, most);
    }
    return n;
}

/* What the policy wants here and is not, newest first. */
static GArray *
missing_bodies(const struct drop *drop)
{
    GArray *missing = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = drop->n; i-- > 0;) {
        const struct maildrop_row *row = drop_row(drop, i);
        if (row && !drop->listed[i].doubtful && row->shown && !row->cached &&
            drop_wants_body(drop, row->date, drop->listed[i].size))
            g_array_append_val(missing, i);
    }
    return missing;
}

static gboolean
fetch_missing(struct drop *drop, GError **error)
{
    g_autoptr(GArray) missing = missing_bodies(drop);
    for (guint from = 0, step; from < missing->len; from += step) {
        step = drop_step(drop, missing, from, BODIES_A_FETCH, BYTES_A_FETCH);
        g_autoptr(GArray) some = g_array_new(FALSE, FALSE, sizeof(guint));
        sync_tell_progress(drop->sync, drop->inbox, SYNC_BODIES, from, missing->len);
        if (!drop_breathe(drop, error))
            return FALSE;
        for (guint k = from; k < from + step; k++) {
            guint i = g_array_index(missing, guint, k);
            if (drop_row(drop, i) && !drop_row(drop, i)->cached)
                g_array_append_val(some, i);
        }
        if (!drop_fetch_bodies(drop, some, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- what goes from the server ---- */

static gboolean
is_braked(struct drop *drop, guint deleted)
{
    struct sync *sync = drop->sync;
    if (!plan_brake(drop->n, deleted) || sync_is_agreed(sync->store, drop->inbox->id))
        return FALSE;
    g_autofree char *text = g_strdup_printf(
        "%u of %u messages were deleted here: they stay on the server until you agree (sync --agree INBOX)", deleted, drop->n);
    sync_tell_notice(sync, drop->inbox, "%s", text);
    if (!sync->dry_run)
        folder_set_notice(sync->store, drop->inbox->id, text, NULL);
    return TRUE;
}

/* Numbers of messages, lowest first. */
static GArray *
find_due(struct drop *drop)
{
    const struct leave *leave = &drop->sync->options.account->leave;
    g_autofree enum drop_verdict *verdicts = g_new0(enum drop_verdict, drop->n + 1);
    guint deleted = 0;
    for (guint i = 0; i < drop->n; i++) {
        const struct maildrop_row *row = drop_row(drop, i);
        if (!row || drop->listed[i].doubtful)
            continue;
        struct drop_facts facts = {row->here, row->shown, row->cached, row->since};
        verdicts[i] = drop_judge(leave, &facts, clock_now());
    }
    drop_judge_shared(drop->listed, drop->n, verdicts);
    for (guint i = 0; i < drop->n; i++)
        deleted += verdicts[i] == DROP_GOES_DELETED;
    gboolean braked = is_braked(drop, deleted);
    GArray *due = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < drop->n; i++) {
        guint number = i + 1;
        if (verdicts[i] == DROP_GOES || (verdicts[i] == DROP_GOES_DELETED && !braked))
            g_array_append_val(due, number);
    }
    return due;
}

static gboolean
delete_due(struct drop *drop, guint *deleted, GError **error)
{
    struct sync *sync = drop->sync;
    g_autoptr(GArray) due = find_due(drop);
    *deleted = 0;
    for (guint from = 0; from < due->len; from += DELETES_AT_ONCE) {
        guint n = MIN(due->len - from, DELETES_AT_ONCE);
        g_autofree gboolean *done = g_new0(gboolean, n);
        sync_tell_progress(sync, drop->inbox, SYNC_SEND, from, due->len);
        STEP("sync.drop.delete");
        if (sync_is_cancelled(sync, error) ||
            !pop3_delete(drop->pop3, &g_array_index(due, guint, from), n, done, error))
            return FALSE;
        for (guint k = 0; k < n; k++)
            *deleted += done[k];
    }
    return TRUE;
}

/* ---- a pass ---- */

/* Messages that another program took away before their text was here. */
static void
tell_lost(struct drop *drop)
{
    guint lost = 0;
    for (guint k = 0; k < drop->gone->len; k++) {
        const struct maildrop_row *row =
            &g_array_index(drop->rows->rows, struct maildrop_row, g_array_index(drop->gone, guint, k));
        lost += row->shown && !row->cached;
    }
    if (lost)
        sync_tell_notice(drop->sync, drop->inbox,
                         "%u message%s left the server before the text was fetched: only what the list shows is here", lost,
                         lost == 1 ? "" : "s");
}

/* Everything that is listed was looked at: ids that are not listed are of the past. */
static gboolean
forget_gone(struct drop *drop, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    tell_lost(drop);
    for (guint k = 0; k < drop->gone->len; k++) {
        guint i = g_array_index(drop->gone, guint, k);
        g_array_append_val(ids, g_array_index(drop->rows->rows, struct maildrop_row, i).id);
    }
    STEP("sync.drop.forget");
    return maildrop_forget(drop->sync->store, (const gint64 *) ids->data, ids->len, error);
}

static void
tell_plan(struct drop *drop)
{
    struct sync *sync = drop->sync;
    const struct leave *leave = &sync->options.account->leave;
    guint fresh = 0;
    for (guint i = 0; i < drop->n; i++)
        fresh += drop->listed[i].known < 0;
    g_autoptr(GArray) missing = missing_bodies(drop), due = find_due(drop);
    guint goes = due->len + (leave->what == LEAVE_NEVER ? fresh : 0);
    if (fresh)
        sync_tell_planned(sync, drop->inbox->name, SYNC_IN, "new", fresh, "fetch %u new message%s", fresh,
                          fresh == 1 ? "" : "s");
    if (missing->len)
        sync_tell_planned(sync, drop->inbox->name, SYNC_IN, "bodies", missing->len, "fetch the bodies of %u message%s",
                          missing->len, missing->len == 1 ? "" : "s");
    if (goes)
        sync_tell_planned(sync, drop->inbox->name, SYNC_OUT, "expunge", goes, "remove %u message%s from the server", goes,
                          goes == 1 ? "" : "s");
}

/* QUIT: now the server removes what was DELEd. Where nothing was, a goodbye that is not answered changes nothing. */
static gboolean
say_goodbye(struct drop *drop, guint deleted, GError **error)
{
    g_autoptr(GError) why = NULL;
    STEP("sync.drop.quit");
    if (pop3_quit(drop->pop3, &why)) {
        drop->sync->statistics.expunged += deleted;
        return TRUE;
    }
    if (!deleted) {
        log_info("sync.drop", "%s", why->message);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* `removes`: nothing speaks against removing at the server what is here. */
static gboolean
run_session(struct sync *sync, gboolean removes, GError **error)
{
    g_auto(struct_drop) drop;
    gboolean here = FALSE;
    guint deleted = 0;
    if (!drop_open(&drop, sync, 0, &here, error))
        return FALSE;
    if (keep_of(sync->options.account, drop.inbox->name)->what == KEEP_OFF)
        return say_goodbye(&drop, 0, error);
    if (sync->dry_run) {
        tell_plan(&drop);
        return say_goodbye(&drop, 0, error);
    }
    g_autofree char *notice = g_strdup(drop.inbox->notice);
    if (!drop_take_new(&drop, error) || !drop_look(&drop, error) || !fetch_missing(&drop, error) ||
        !drop_look(&drop, error) || !forget_gone(&drop, error))
        return FALSE;
    if (drop.skipped)
        sync_tell_notice(sync, drop.inbox, "the server did not give %u of the messages; they are asked for again later",
                         drop.skipped);
    sync->statistics.skipped += drop.skipped;
    history_set_missing(sync->store, sync->account, drop.inbox->id, drop.skipped, NULL);
    if (notice && removes && !folder_set_notice(sync->store, drop.inbox->id, NULL, error))
        return FALSE;
    if (removes && !delete_due(&drop, &deleted, error))
        return FALSE;
    sync->statistics.folders++;
    return say_goodbye(&drop, deleted, error) && sync_forget_agreement(sync->store, drop.inbox->id, error) &&
           folder_set_sync(sync->store, drop.inbox->id, 0, 0, 0, (gint64) (drop.n - deleted), clock_now(), error);
}

static gboolean
drop_account(struct sync *sync, GError **error)
{
    g_autoptr(GPtrArray) folders = folder_list(sync->store, sync->account, TRUE, error);
    gboolean braked = FALSE;
    if (!folders || !sync_scan_folders(sync, folders, &braked, error))
        return FALSE;
    /* Where files are missing, the server may have the only copies. */
    gboolean ok = run_session(sync, !braked, error);
    tally_write(sync, FALSE);
    if (sync->dry_run)
        return ok;
    STEP("sync.settle");
    g_autoptr(GError) untidy = NULL;
    if (!maildir_apply(sync->store, 0, &untidy)) {
        if (ok)
            g_propagate_error(error, g_steal_pointer(&untidy));
        ok = FALSE;
    }
    sync_tell_changed(sync, TRUE);
    return ok;
}

/* ---- the other calls ---- */

static gboolean
drop_folders(struct sync *sync, const gint64 *ids, guint n, GError **error)
{
    g_autoptr(GPtrArray) local = g_ptr_array_new_with_free_func((GDestroyNotify) folder_free);
    gboolean mailbox = FALSE;
    for (guint i = 0; i < n; i++) {
        struct folder *folder = folder_get(sync->store, ids[i], NULL);
        mailbox = mailbox || (folder && folder->role == FOLDER_INBOX);
        if (folder)
            g_ptr_array_add(local, folder);
    }
    return mailbox ? drop_account(sync, error)
                   : sync_scan_folders(sync, local, NULL, error) && maildir_apply(sync->store, 0, error);
}

/* Marks and moves are done by now; a deletion reaches the server with the next pass. */
static gboolean
drop_push(struct sync *sync, GError **error)
{
    return maildir_apply(sync->store, 0, error);
}

static gboolean
drop_serve(struct sync *sync, gint64 message, GError **error)
{
    g_auto(struct_drop) drop;
    gboolean here = FALSE;
    if (!drop_open(&drop, sync, message, &here, error))
        return FALSE;
    return here || (serve_wanted(&drop, error) && say_goodbye(&drop, 0, error));
}

static gboolean
drop_serve_and_tell(struct sync *sync, gint64 message, GError **error)
{
    gboolean ok = drop_serve(sync, message, error);
    tally_write(sync, FALSE);
    return ok;
}

static gboolean
drop_fetch_wanted(struct sync *sync, GError **error)
{
    g_autoptr(GArray) wanted = maildrop_wanted(sync->store, sync->account, error);
    return wanted && (!wanted->len || drop_serve_and_tell(sync, 0, error));
}

static gboolean
drop_fetch_body(struct sync *sync, gint64 message, GError **error)
{
    if (!maildrop_find(sync->store, sync->account, message)) {
        g_set_error(error, SYNC_ERROR, ERROR_SKIP, "the server has this message no more: only what the list shows is here");
        return FALSE;
    }
    if (!message_want_body(sync->store, message, error) || !drop_serve_and_tell(sync, message, error))
        return FALSE;
    g_autoptr(struct_message) now = message_load(sync->store, message, NULL);
    /* Its row may have become that of the same content known elsewhere. */
    if (!now || now->cached)
        return TRUE;
    g_set_error(error, SYNC_ERROR, ERROR_SKIP, "the server has this message no more, or cannot give it");
    return FALSE;
}

const struct sync_protocol sync_over_pop3 = {
    .account = drop_account,
    .folders = drop_folders,
    .push = drop_push,
    .fetch_wanted = drop_fetch_wanted,
    .fetch_body = drop_fetch_body,
    .delay = drop_delay,
};
