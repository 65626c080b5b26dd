#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fail.h"
#include "base/text.h"
#include "mail/envelope.h"
#include "mail/rawmsg.h"
#include "mail/reply.h"
#include "store/account.h"
#include "store/autosave.h"
#include "store/folder.h"
#include "store/list.h"
#include "store/message.h"
#include "store/outbox.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/compose.h"
#include "ui/files.h"
#include "ui/people.h"
#include "ui/sent.h"
#include "ui/text.h"
#include "ui/writer.h"

#include <string.h>

/* ---- bounce: the message goes on unchanged, under Resent-* fields ---- */

struct bouncing {
    gint64 message;
    GPtrArray *to;
    GBytes *bytes;
    char *account, *from, *subject;
    guint undo_seconds;
    gint64 item;
};

static void
bouncing_free(gpointer data)
{
    struct bouncing *bouncing = data;
    if (bouncing->to)
        g_ptr_array_unref(bouncing->to);
    if (bouncing->bytes)
        g_bytes_unref(bouncing->bytes);
    g_free(bouncing->account);
    g_free(bouncing->from);
    g_free(bouncing->subject);
    g_free(bouncing);
}

static gboolean
bounce_work(struct store *store, gpointer data, GError **error)
{
    struct bouncing *bouncing = data;
    g_autofree char *id = rawmsg_get(bouncing->bytes, "Resent-Message-ID", 0);
    g_autofree char *bare = id ? message_id_first(id) : NULL;
    struct outbox_new item = {
        .account = store_account_find(store, bouncing->account),
        .message = bouncing->bytes,
        .from = bouncing->from,
        .recipients = bouncing->to,
        .subject = bouncing->subject,
        .message_id = bare,
        .undo_seconds = bouncing->undo_seconds,
    };
    STEP("compose.bounce");
    bouncing->item = outbox_queue(store, &item, error);
    return bouncing->item != 0;
}

static void
bounce_queued(struct app *app, gpointer data, const GError *error)
{
    const struct bouncing *bouncing = data;
    if (error)
        app_warn(app, _("not sent on: %s"), error->message);
    else
        sent_remember(app, bouncing->item, bouncing->undo_seconds, 0);
}

static void
bounce_yes(struct app *app, gpointer data)
{
    struct bouncing *asked = *(struct bouncing **)data, *bouncing = g_new0(struct bouncing, 1);
    *bouncing = *asked; /* the question's own copy is empty from now on */
    memset(asked, 0, sizeof *asked);
    writer_run(app->writer, bounce_work, bounce_queued, bouncing, bouncing_free);
}

static void
holder_free(gpointer data)
{
    bouncing_free(*(struct bouncing **)data);
    g_free(data);
}

static void
bounce_typed(struct app *app, const char *text, gpointer data)
{
    gint64 message = *(gint64 *)data;
    g_autoptr(GError) error = NULL;
    if (!text || !*text)
        return;
    g_autoptr(GPtrArray) to = address_list_parse(text, &error);
    const struct account *account = to ? config_account(app->config, NULL, &error) : NULL;
    g_autoptr(GBytes) original = account ? files_message_bytes(app, message, &error) : NULL;
    struct address from = {account ? account->real_name : NULL, account ? account->address : NULL};
    GBytes *bytes = original ? resend_message(original, &from, to, &error) : NULL;
    if (!bytes) {
        app_error(app, _("not sent on"), g_steal_pointer(&error));
        return;
    }
    g_autoptr(struct_message) row = message_load(app->store, message, NULL);
    struct bouncing *bouncing = g_new0(struct bouncing, 1);
    bouncing->bytes = bytes;
    bouncing->to = g_ptr_array_ref(to);
    bouncing->account = g_strdup(account->name);
    bouncing->from = g_strdup(account->address);
    bouncing->subject = g_strdup(row ? row->subject : "");
    bouncing->undo_seconds = (guint)MAX(app->config->undo_send, 0);
    struct bouncing **holder = g_new0(struct bouncing *, 1);
    *holder = bouncing;
    g_autofree char *people = address_list_format(to);
    g_autofree char *question = g_strdup_printf(_("Send this message on to %s?"), people);
    prompt_confirm(app, question, bounce_yes, holder, holder_free);
}

void
command_bounce(struct app *app, const char *argument)
{
    g_autoptr(GArray) messages = app_targets(app);
    if (!messages->len || act_refused(app))
        return;
    gint64 message = g_array_index(messages, gint64, 0);
    if (argument) {
        bounce_typed(app, argument, &message);
        return;
    }
    struct prompt_spec spec = {.label = _("Send on to: "),
                               .complete = people_complete_list,
                               .as_you_type = TRUE,
                               .done = bounce_typed,
                               .data = g_memdup2(&message, sizeof message),
                               .destroy = g_free};
    prompt_line(app, &spec);
}

/* ---- recall: drafts of the folders, and what an earlier session was writing ---- */

static GPtrArray *
draft_rows(struct app *app)
{
    g_autoptr(GPtrArray) folders = folder_list(app->store, 0, FALSE, NULL);
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; folders && i < folders->len; i++) {
        const struct folder *folder = g_ptr_array_index(folders, i);
        if (folder->role == FOLDER_DRAFTS)
            g_array_append_val(ids, folder->id);
    }
    if (!ids->len)
        return NULL;
    struct list_view view = {
        .kind = LIST_MESSAGES, .folders = (const gint64 *)(gpointer)ids->data, .n_folders = ids->len};
    return list_page(app->store, &view, 0, LIST_OLDER, 200, NULL);
}

static GPtrArray *
complete_draft(struct app *app, const char *text, gsize cursor G_GNUC_UNUSED, gsize *from G_GNUC_UNUSED,
               gsize *to G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    GPtrArray *result = candidates_new();
    gint64 now = clock_now();
    g_autoptr(GPtrArray) saves = autosave_list(app->store, NULL);
    for (guint i = 0; saves && i < saves->len; i++) {
        const struct autosave *save = g_ptr_array_index(saves, i);
        g_autofree char *when = clock_relative(save->time, now);
        g_autofree char *note = g_strdup_printf(_("was being written, %s"), when);
        g_autofree char *id = g_strdup_printf("a%" G_GINT64_FORMAT, save->id);
        g_autofree char *label =
            text_safe(save->title && *save->title ? save->title : _("(no subject)"), -1, TEXT_LINE);
        if (!save->alive && command_fuzzy(text, label))
            g_ptr_array_add(result, candidate_new(id, label, note));
    }
    GPtrArray *rows = draft_rows(app);
    for (guint i = 0; rows && i < rows->len; i++) {
        const struct list_row *row = g_ptr_array_index(rows, i);
        g_autofree char *when = clock_relative(row->date, now);
        g_autofree char *people = text_safe(row->people, -1, TEXT_LINE);
        g_autofree char *note = g_strdup_printf("%s, %s", people, when);
        g_autofree char *id = g_strdup_printf("m%" G_GINT64_FORMAT, row->message);
        g_autofree char *label = text_safe(*row->subject ? row->subject : _("(no subject)"), -1, TEXT_LINE);
        if (command_fuzzy(text, label))
            g_ptr_array_add(result, candidate_new(id, label, note));
    }
    if (rows)
        g_ptr_array_unref(rows);
    return result;
}

static void
recall_autosave(struct app *app, gint64 id)
{
    g_autoptr(GPtrArray) saves = autosave_list(app->store, NULL);
    for (guint i = 0; saves && i < saves->len; i++) {
        const struct autosave *save = g_ptr_array_index(saves, i);
        if (save->id != id)
            continue;
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) value =
            g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(DRAFT_TYPE), save->text, FALSE));
        g_autoptr(GVariant) normal = g_variant_get_normal_form(value);
        struct draft *draft = draft_from_variant(normal, &error);
        if (!draft) {
            app_error(app, _("what was kept cannot be read"), g_steal_pointer(&error));
            return;
        }
        struct compose *compose = compose_open(app, draft, FALSE);
        compose->autosave = id; /* goes when this one is sent, postponed or dropped */
        compose->changed = TRUE;
        return;
    }
}

static void
draft_chosen(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    gint64 id = text && *text ? g_ascii_strtoll(text + 1, NULL, 10) : 0;
    if (!id)
        return;
    if (*text == 'a')
        recall_autosave(app, id);
    else
        compose_recall_message(app, id);
}

void
command_recall(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (!app->store)
        return;
    g_autoptr(GPtrArray) all = complete_draft(app, "", 0, NULL, NULL, NULL);
    if (!all->len) {
        app_say(app, _("no message is postponed"));
        return;
    }
    if (all->len == 1) {
        draft_chosen(app, ((struct candidate *)g_ptr_array_index(all, 0))->text, NULL);
        return;
    }
    struct prompt_spec spec = {
        .label = _("Go on with: "), .list = TRUE, .complete = complete_draft, .done = draft_chosen};
    prompt_line(app, &spec);
}
