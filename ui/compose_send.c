#include "config.h"

#include "ui/compose.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"
#include "mail/draftfile.h"
#include "mail/index.h"
#include "mail/rawmsg.h"
#include "mail/reader.h"
#include "store/account.h"
#include "store/autosave.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/maildir.h"
#include "store/outbox.h"
#include "ui/app.h"
#include "ui/sent.h"
#include "ui/text.h"
#include "ui/writer.h"

#include <string.h>

#define ATTACHMENTS_MAX (100 * 1024 * 1024)

/* ---- kept while it is written (D4) ---- */

struct keeping {
    struct compose *compose; /* NULL: it has gone */
    gint64 id;
    char *title;
    GBytes *text;
    gboolean drop;         /* the row is to go */
    gboolean drop_after;   /* … as soon as it is there: the message was sent or dropped meanwhile */
    struct keeping *newer; /* the last words, written after this one: the screen ends */
};

static void
keeping_free(gpointer data)
{
    struct keeping *keeping = data;
    if (keeping->newer)
        keeping_free(keeping->newer);
    g_free(keeping->title);
    if (keeping->text)
        g_bytes_unref(keeping->text);
    g_free(keeping);
}

static gboolean
keep_work(struct store *store, gpointer data, GError **error)
{
    struct keeping *keeping = data;
    if (keeping->drop)
        return autosave_drop(store, keeping->id, error);
    keeping->id = autosave_put(store, keeping->id, keeping->title, keeping->text, error);
    return keeping->id != 0;
}

static void
drop_later(struct app *app, gint64 id)
{
    struct keeping *keeping = g_new0(struct keeping, 1);
    keeping->id = id;
    keeping->drop = TRUE;
    writer_run(app->writer, keep_work, NULL, keeping, keeping_free);
}

static void
kept(struct app *app, gpointer data, const GError *error)
{
    struct keeping *keeping = data;
    struct compose *compose = keeping->compose;
    if (compose)
        compose->keeping = NULL;
    if (keeping->newer && !keeping->drop_after) {
        struct keeping *newer = g_steal_pointer(&keeping->newer);
        newer->id = error ? 0 : keeping->id;
        writer_run(app->writer, keep_work, NULL, newer, keeping_free);
        return;
    }
    if (error) {
        app_warn(app, _("what you write cannot be kept: %s"), error->message);
        if (compose)
            compose->touched = TRUE;
    } else if (keeping->drop_after) {
        drop_later(app, keeping->id);
    } else if (compose) {
        compose->autosave = keeping->id;
        compose->saved_at = clock_now();
    }
}

/* The composer goes: what is kept stays, unless the message was sent, postponed or dropped. */
void
compose_forget_autosave(struct compose *compose)
{
    if (compose->keeping)
        compose->keeping->compose = NULL;
    compose->keeping = NULL;
}

/* What lies in the editor's file counts too. */
static struct draft *
draft_as_it_is(struct compose *compose)
{
    struct draft *draft = draft_copy(compose->draft);
    g_autofree char *text = NULL;
    gsize length;
    if (!compose->edit_path || !g_file_get_contents(compose->edit_path, &text, &length, NULL))
        return draft;
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)length);
    if (!compose->edit_before || strcmp(valid, compose->edit_before) != 0)
        compose->touched = TRUE;
    if (!compose->edit_headers || !draftfile_parse(valid, strlen(valid), draft, NULL))
        draft_set_body(draft, valid);
    return draft;
}

static struct keeping *
keeping_new(struct compose *compose, const struct draft *draft)
{
    struct keeping *keeping = g_new0(struct keeping, 1);
    g_autoptr(GVariant) value = g_variant_ref_sink(draft_to_variant(draft));
    keeping->id = compose->autosave;
    keeping->text = g_variant_get_data_as_bytes(value);
    keeping->title = *draft->subject ? g_strdup(draft->subject) : address_list_format(draft->to);
    return keeping;
}

static gboolean
can_keep(const struct app *app)
{
    return app->writer && app->store && !app->read_only;
}

void
compose_autosave(struct compose *compose)
{
    struct app *app = compose->view.app;
    if (compose->keeping || !can_keep(app))
        return;
    g_autoptr(struct_draft) draft = draft_as_it_is(compose);
    if (!compose->touched)
        return;
    compose->touched = FALSE;
    struct keeping *keeping = keeping_new(compose, draft);
    keeping->compose = compose;
    compose->keeping = keeping;
    writer_run(app->writer, keep_work, kept, keeping, keeping_free);
}

void
compose_keep_last(struct compose *compose)
{
    if (!compose->keeping) {
        compose_autosave(compose);
        return;
    }
    if (compose->keeping->newer)
        keeping_free(compose->keeping->newer);
    g_autoptr(struct_draft) draft = draft_as_it_is(compose);
    compose->keeping->newer = keeping_new(compose, draft);
}

void
compose_drop_autosave(struct compose *compose)
{
    if (compose->autosave)
        drop_later(compose->view.app, compose->autosave);
    if (compose->keeping)
        compose->keeping->drop_after = TRUE;
    compose->autosave = 0;
    compose->touched = FALSE;
}

/* ---- building ---- */

enum purpose { PURPOSE_SEND, PURPOSE_POSTPONE };

struct outgoing {
    struct app *app;
    struct compose *compose; /* only compared, after an answer came */
    enum purpose purpose;
    struct draft *draft;
    GBytes *message;             /* as built: with Bcc */
    struct message_index *index; /* of PURPOSE_POSTPONE */
    char *account;
    gint64 recalled, answers, autosave, send_at;
    guint answer_flag;
    guint undo_seconds;
    gboolean copy;
    gint64 item; /* queued */
};

static void
outgoing_free(gpointer data)
{
    struct outgoing *out = data;
    draft_free(out->draft);
    if (out->message)
        g_bytes_unref(out->message);
    message_index_free(out->index);
    g_free(out->account);
    g_free(out);
}

static gboolean
still_there(const struct outgoing *out)
{
    return g_ptr_array_find(out->app->views, out->compose, NULL);
}

static void
give_up(struct outgoing *out, const char *what, const GError *error)
{
    if (still_there(out))
        out->compose->busy = FALSE;
    app_warn(out->app, "%s: %s", what, error->message);
    outgoing_free(out);
}

static struct outgoing *
outgoing_new(struct compose *compose, enum purpose purpose)
{
    struct outgoing *out = g_new0(struct outgoing, 1);
    out->app = compose->view.app;
    out->compose = compose;
    out->purpose = purpose;
    out->draft = draft_copy(compose->draft);
    out->draft->flags |= DRAFT_KEEP_BCC | (purpose == PURPOSE_POSTPONE ? DRAFT_INCOMPLETE : 0);
    out->account = g_strdup(compose->account->name);
    out->recalled = compose->recalled;
    out->answers = compose->answers;
    out->answer_flag = compose->answer_flag;
    out->autosave = compose->autosave;
    out->send_at = compose->send_at;
    out->undo_seconds = compose->send_at ? 0 : (guint)MAX(compose->view.app->config->undo_send, 0);
    out->copy = compose->account->sent_copy;
    return out;
}

/* ---- the queue ---- */

static gint64
account_id(struct store *store, const struct outgoing *out, GError **error)
{
    gint64 id = store_account_find(store, out->account);
    if (!id)
        g_set_error(error, store_error_quark(), ERROR_CONFIG,
                    _("the account %s is not known to the store yet: try again in a moment"), out->account);
    return id;
}

static gboolean
queue_work(struct store *store, gpointer data, GError **error)
{
    struct outgoing *out = data;
    gint64 account = account_id(store, out, error);
    if (!account)
        return FALSE;
    g_autoptr(GBytes) wire = message_without_bcc(out->message);
    g_autoptr(GPtrArray) recipients = draft_recipients(out->draft);
    g_autofree char *id = rawmsg_get(out->message, "Message-ID", 0);
    g_autofree char *bare = id ? message_id_first(id) : NULL;
    struct outbox_new item = {
        .account = account,
        .message = wire,
        .from = address_list_get(out->draft->from, 0)->addr,
        .recipients = recipients,
        .subject = out->draft->subject,
        .message_id = bare,
        .send_at = out->send_at,
        .undo_seconds = out->undo_seconds,
        .copy = out->copy,
        .draft = out->recalled,
        .answers = out->answers,
        .answer_flag = out->answer_flag,
    };
    STEP("compose.queue");
    out->item = outbox_queue(store, &item, error);
    if (!out->item)
        return FALSE;
    g_autoptr(GError) ignored = NULL;
    if (out->autosave && !autosave_drop(store, out->autosave, &ignored))
        log_warn("ui.compose", "autosave: %s", ignored->message);
    return TRUE;
}

static void
close_view(struct outgoing *out)
{
    if (!still_there(out))
        return;
    /* The row went in the same piece of work, but one may be on its way. */
    if (out->compose->autosave != out->autosave)
        compose_drop_autosave(out->compose);
    if (out->compose->keeping)
        out->compose->keeping->drop_after = TRUE;
    app_remove(out->app, &out->compose->view);
}

static void
queued(struct app *app, gpointer data, const GError *error)
{
    struct outgoing *out = data;
    if (error) {
        if (still_there(out))
            out->compose->busy = FALSE;
        app_warn(app, _("not sent: %s"), error->message);
        return;
    }
    close_view(out);
    sent_remember(app, out->item, out->undo_seconds, out->send_at);
}

/* ---- the Drafts folder: the new one is there before the old one goes ---- */

static gboolean
postpone_work(struct store *store, gpointer data, GError **error)
{
    struct outgoing *out = data;
    gint64 account = account_id(store, out, error);
    gint64 folder = account ? intent_ensure_role(store, account, FOLDER_DRAFTS, error) : 0;
    if (!folder)
        return FALSE;
    g_autofree char *path = folder_path(store, folder, TRUE, error);
    if (!path)
        return FALSE;
    gsize length;
    const void *bytes = g_bytes_get_data(out->message, &length);
    struct maildir_entry entry = {0};
    guint flags = FLAG_DRAFT | FLAG_SEEN;
    STEP("compose.postpone");
    if (!maildir_deliver(path, flags, bytes, length, &entry, error))
        return FALSE;
    gint64 message = 0;
    gint64 done =
        intent_append(store, folder, &entry, out->index, flags, NULL, out->recalled, &message, error);
    maildir_entry_clear(&entry);
    if (!done)
        return FALSE;
    g_autoptr(GError) ignored = NULL;
    if (out->autosave && !autosave_drop(store, out->autosave, &ignored))
        log_warn("ui.compose", "autosave: %s", ignored->message);
    return TRUE;
}

static void
postponed(struct app *app, gpointer data, const GError *error)
{
    struct outgoing *out = data;
    if (error) {
        if (still_there(out))
            out->compose->busy = FALSE;
        app_warn(app, _("not kept: %s"), error->message);
        return;
    }
    close_view(out);
    app_say(app, _("kept in Drafts: R goes on with it"));
}

static void
indexed(struct message_index *index, const GError *error, gpointer data)
{
    struct outgoing *out = data;
    if (!index) {
        give_up(out, _("not kept"), error);
        return;
    }
    out->index = index;
    writer_run(out->app->writer, postpone_work, postponed, out, outgoing_free);
}

/* ---- bytes ---- */

static void
built(GBytes *bytes, const GError *error, gpointer data)
{
    struct outgoing *out = data;
    if (!bytes) {
        give_up(out, out->purpose == PURPOSE_SEND ? _("not sent") : _("not kept"), error);
        return;
    }
    out->message = bytes;
    if (out->purpose == PURPOSE_SEND)
        writer_run(out->app->writer, queue_work, queued, out, outgoing_free);
    else
        reader_index_text_async(out->app->reader, bytes, indexed, out, NULL);
}

static void
build(struct compose *compose, enum purpose purpose)
{
    g_autoptr(GError) error = NULL;
    struct outgoing *out = outgoing_new(compose, purpose);
    if (!draft_check(out->draft, &error) || !draft_load_attachments(out->draft, ATTACHMENTS_MAX, &error)) {
        give_up(out, purpose == PURPOSE_SEND ? _("not sent") : _("not kept"), error);
        return;
    }
    compose->busy = TRUE;
    reader_build_async(compose->view.app->reader, out->draft, built, out, NULL);
}

static gboolean
ready(struct compose *compose)
{
    struct app *app = compose->view.app;
    if (compose->busy)
        return FALSE;
    if (app->read_only || !app->store || !app->writer)
        app_warn(app, _("this session is read only: nothing is sent or kept"));
    else if (!compose->account)
        app_warn(app, _("there is no account to send from: \"setup\" (:) adds one"));
    else
        return TRUE;
    return FALSE;
}

static void
send_anyway(struct app *app, gpointer data)
{
    if (compose_at_hand(app) == data)
        build(data, PURPOSE_SEND);
}

void
compose_send(struct compose *compose)
{
    struct app *app = compose->view.app;
    if (!ready(compose))
        return;
    if (!compose->account->outgoing) {
        app_warn(app, _("the account %s has no outgoing server: f chooses another sender"),
                 compose->account->name);
        return;
    }
    for (guint i = 0; compose->checks && i < compose->checks->len; i++) {
        const struct compose_check *check = g_ptr_array_index(compose->checks, i);
        if (!check->warning)
            continue;
        g_autofree char *question = g_strdup_printf(_("%s. Send anyway?"), check->text);
        prompt_confirm(app, question, send_anyway, compose, NULL);
        return;
    }
    build(compose, PURPOSE_SEND);
}

void
compose_postpone(struct compose *compose)
{
    if (ready(compose))
        build(compose, PURPOSE_POSTPONE);
}
