#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/flags.h"
#include "base/paths.h"
#include "mail/mailto.h"
#include "mail/rawmsg.h"
#include "mail/reply.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/outbox.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/compose.h"
#include "ui/files.h"
#include "ui/listview.h"
#include "ui/people.h"
#include "ui/readview.h"
#include "ui/savefile.h"
#include "ui/sent.h"
#include "ui/spawn.h"
#include "ui/text.h"
#include "ui/writer.h"

#include <glib/gstdio.h>
#include <string.h>

/* ---- a new message ---- */

void
command_mail(struct app *app, const char *argument)
{
    g_autoptr(GError) error = NULL;
    struct draft *draft = NULL;
    g_autofree char *dropped = NULL;
    if (argument && is_mailto(argument)) {
        draft = mailto_parse(argument, &dropped, &error);
    } else {
        draft = draft_new();
        GPtrArray *to = argument ? address_list_parse(argument, &error) : NULL;
        if (to) {
            g_ptr_array_unref(draft->to);
            draft->to = to;
        }
    }
    if (!draft) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    /* From the account of the folder at hand. */
    struct listview *list = listview_at_hand(app);
    const struct account *account =
        list && list->account ? config_account(app->config, list->account, NULL) : NULL;
    if (account)
        address_list_add(draft->from, account->real_name, account->address);
    compose_open(app, draft, TRUE);
    if (error)
        app_error(app, NULL, g_steal_pointer(&error));
    else if (dropped)
        app_warn(app, "%s", dropped);
}

/* ---- answers ---- */

enum answer {
    ANSWER_SENDER,
    ANSWER_ALL,
    ANSWER_LIST,
    ANSWER_FORWARD,
    ANSWER_FORWARD_ATTACHED,
    ANSWER_RESEND
};

static char *
signature_text(struct app *app, gint64 message, const struct document *document)
{
    g_autoptr(GPtrArray) own = compose_own_addresses(app, message);
    const struct address *address = reply_own_address(document, own);
    const struct account *account =
        address && address->addr ? config_account_for(app->config, address->addr) : NULL;
    g_autofree char *path = account && account->signature ? paths_expand(account->signature) : NULL;
    char *text = NULL;
    gsize length;
    if (!path || !g_file_get_contents(path, &text, &length, NULL))
        return NULL;
    char *valid = length < 64 * 1024 ? g_utf8_make_valid(text, (gssize)length) : NULL;
    g_free(text);
    return valid;
}

static void
answer(struct app *app, gint64 message, const struct document *document, GBytes *bytes, gpointer data)
{
    enum answer kind = (enum answer)GPOINTER_TO_INT(data);
    g_autoptr(GPtrArray) own = compose_own_addresses(app, message);
    g_autofree char *signature = signature_text(app, message, document);
    struct reply_options options = {.own = own, .signature = signature};
    g_autoptr(GError) error = NULL;
    struct draft *draft = NULL;
    guint flag = FLAG_ANSWERED;
    switch (kind) {
    case ANSWER_SENDER:
        draft = reply_new(document, REPLY_SENDER, &options, &error);
        break;
    case ANSWER_ALL:
        draft = reply_new(document, REPLY_ALL, &options, &error);
        break;
    case ANSWER_LIST:
        draft = reply_new(document, REPLY_LIST, &options, &error);
        break;
    case ANSWER_FORWARD:
        draft = forward_new(document, bytes, FORWARD_INLINE, &options);
        flag = FLAG_FORWARDED;
        break;
    case ANSWER_FORWARD_ATTACHED:
        draft = forward_new(document, bytes, FORWARD_ATTACHMENT, &options);
        flag = FLAG_FORWARDED;
        break;
    case ANSWER_RESEND:
        draft = edit_as_new(document, bytes);
        flag = 0;
        break;
    }
    if (!draft) {
        app_error(app, _("no reply can be made"), g_steal_pointer(&error));
        return;
    }
    struct compose *compose = compose_open(app, draft, kind != ANSWER_RESEND);
    compose->answers = flag && !app->files ? message : 0;
    compose->answer_flag = flag;
}

static void
start_answer(struct app *app, enum answer kind)
{
    struct readview *read = app_top(app)->class == &read_class ? (struct readview *)app_top(app) : NULL;
    if (read && !read->message && read->document) { /* a file, or a message inside another */
        answer(app, 0, read->document, read->bytes, GINT_TO_POINTER(kind));
        return;
    }
    g_autoptr(GArray) messages = app_targets(app);
    if (messages->len)
        read_document(app, g_array_index(messages, gint64, 0), answer, GINT_TO_POINTER(kind), NULL);
    else
        app_say(app, _("there is no message here"));
}

void
command_reply(struct app *app, const char *argument G_GNUC_UNUSED)
{
    start_answer(app, ANSWER_SENDER);
}

void
command_group_reply(struct app *app, const char *argument G_GNUC_UNUSED)
{
    start_answer(app, ANSWER_ALL);
}

void
command_list_reply(struct app *app, const char *argument G_GNUC_UNUSED)
{
    start_answer(app, ANSWER_LIST);
}

void
command_forward(struct app *app, const char *argument G_GNUC_UNUSED)
{
    start_answer(app, ANSWER_FORWARD);
}

void
command_forward_attached(struct app *app, const char *argument G_GNUC_UNUSED)
{
    start_answer(app, ANSWER_FORWARD_ATTACHED);
}

void
command_resend(struct app *app, const char *argument G_GNUC_UNUSED)
{
    start_answer(app, ANSWER_RESEND);
}

void
command_edit_message(struct app *app, const char *argument G_GNUC_UNUSED)
{
    g_autoptr(GArray) messages = app_targets(app);
    gint64 id = messages->len ? g_array_index(messages, gint64, 0) : 0;
    g_autoptr(struct_message) row = id ? message_load(app->store, id, NULL) : NULL;
    if (row && row->flags & FLAG_DRAFT)
        compose_recall_message(app, id);
    else
        command_resend(app, NULL);
}

/* ---- the fields ---- */

struct editing {
    struct compose *compose; /* only compared */
    enum compose_field field;
};

static gboolean
place_field(struct app *app, struct area *area, gpointer data)
{
    const struct editing *editing = data;
    struct compose *compose = compose_at_hand(app);
    if (compose != editing->compose || compose->field_rows[editing->field] < 0)
        return FALSE;
    *area = (struct area){compose->field_rows[editing->field], compose->area.column + 10, 1,
                          MAX(compose->area.columns - 11, 10)};
    return TRUE;
}

static void edit_people(struct app *app, enum compose_field field, const char *text);

static void
people_typed(struct app *app, const char *text, gpointer data)
{
    const struct editing *editing = data;
    struct compose *compose = compose_at_hand(app);
    if (compose != editing->compose)
        return;
    gboolean beginning = compose->fresh && editing->field == FIELD_TO;
    if (!text) {
        if (beginning && !compose->changed) { /* the first question was left: nothing was begun */
            compose_drop_autosave(compose);
            app_remove(app, &compose->view);
        }
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *trimmed = g_strdup(text);
    g_strstrip(trimmed);
    while (*trimmed && strchr(", ;", trimmed[strlen(trimmed) - 1]))
        trimmed[strlen(trimmed) - 1] = 0;
    GPtrArray *list = *trimmed ? address_list_parse(trimmed, &error) : address_list_new();
    if (!list) { /* what was typed stands there again, to be mended */
        app_error(app, NULL, g_steal_pointer(&error));
        edit_people(app, editing->field, text);
        return;
    }
    GPtrArray **slot = editing->field == FIELD_TO   ? &compose->draft->to
                       : editing->field == FIELD_CC ? &compose->draft->cc
                                                    : &compose->draft->bcc;
    g_ptr_array_unref(*slot);
    *slot = list;
    compose_changed(compose);
    if (beginning && list->len)
        compose_next_question(compose);
    else
        compose->fresh = FALSE;
}

static void
edit_people(struct app *app, enum compose_field field, const char *text)
{
    struct compose *compose = compose_at_hand(app);
    if (!compose)
        return;
    struct editing *editing = g_new0(struct editing, 1);
    editing->compose = compose;
    editing->field = field;
    g_autofree char *now = address_list_format(compose_field(compose, field));
    struct prompt_spec spec = {.text = text ? text : now,
                               .complete = people_complete_list,
                               .as_you_type = TRUE,
                               .done = people_typed,
                               .place = place_field,
                               .data = editing,
                               .destroy = g_free};
    if (compose->field_rows[field] < 0)
        compose->field_rows[field] = compose->field_rows[FIELD_SUBJECT]; /* drawn from the next frame on */
    prompt_line(app, &spec);
}

void
command_edit_to(struct app *app, const char *argument G_GNUC_UNUSED)
{
    edit_people(app, FIELD_TO, NULL);
}

void
command_edit_cc(struct app *app, const char *argument G_GNUC_UNUSED)
{
    edit_people(app, FIELD_CC, NULL);
}

void
command_edit_bcc(struct app *app, const char *argument G_GNUC_UNUSED)
{
    edit_people(app, FIELD_BCC, NULL);
}

static void
subject_typed(struct app *app, const char *text, gpointer data)
{
    const struct editing *editing = data;
    struct compose *compose = compose_at_hand(app);
    if (!text || compose != editing->compose)
        return;
    draft_set_subject(compose->draft, text);
    compose_changed(compose);
}

void
command_edit_subject(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    struct editing *editing = g_new0(struct editing, 1);
    editing->compose = compose;
    editing->field = FIELD_SUBJECT;
    struct prompt_spec spec = {.text = compose->draft->subject,
                               .done = subject_typed,
                               .place = place_field,
                               .data = editing,
                               .destroy = g_free};
    prompt_line(app, &spec);
}

static void
reply_to_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    g_autoptr(GError) error = NULL;
    if (!text || !compose)
        return;
    GPtrArray *list = *text ? address_list_parse(text, &error) : address_list_new();
    if (!list) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    g_ptr_array_unref(compose->draft->reply_to);
    compose->draft->reply_to = list;
    compose_changed(compose);
}

void
command_edit_reply_to(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    g_autofree char *now = address_list_format(compose->draft->reply_to);
    struct prompt_spec spec = {
        .label = _("Reply-To: "), .text = now, .complete = people_complete_list, .done = reply_to_typed};
    prompt_line(app, &spec);
}

static GPtrArray *
complete_from(struct app *app, const char *text, gsize cursor G_GNUC_UNUSED, gsize *from G_GNUC_UNUSED,
              gsize *to G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    GPtrArray *result = candidates_new();
    g_autoptr(GPtrArray) own = compose_own_addresses(app, 0);
    for (guint i = 0; i < own->len; i++) {
        const struct address *address = g_ptr_array_index(own, i);
        g_autofree char *full = address_format(address);
        const struct account *account = config_account_for(app->config, address->addr);
        if (command_fuzzy(text, full))
            g_ptr_array_add(result, candidate_new(full, NULL, account ? account->name : NULL));
    }
    return result;
}

static void
from_chosen(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    g_autoptr(GError) error = NULL;
    if (!text || !compose)
        return;
    struct address *address = address_parse(text, &error);
    if (!address) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    g_ptr_array_set_size(compose->draft->from, 0);
    g_ptr_array_add(compose->draft->from, address);
    const struct account *account = config_account_for(app->config, address->addr);
    if (account)
        compose->account = account;
    compose_changed(compose);
}

void
command_edit_from(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct prompt_spec spec = {
        .label = _("From: "), .list = TRUE, .free = TRUE, .complete = complete_from, .done = from_chosen};
    prompt_line(app, &spec);
}

/* ---- the text ---- */

void
command_edit(struct app *app, const char *argument G_GNUC_UNUSED)
{
    compose_edit(compose_at_hand(app), FALSE);
}

void
command_edit_headers(struct app *app, const char *argument G_GNUC_UNUSED)
{
    compose_edit(compose_at_hand(app), TRUE);
}

struct spelling {
    struct compose *compose; /* only compared */
    char *path;
};

static void
spelling_free(gpointer data)
{
    struct spelling *spelling = data;
    g_free(spelling->path);
    g_free(spelling);
}

static void
spelled(struct app *app, gboolean ok, gpointer data)
{
    struct spelling *spelling = data;
    g_autofree char *text = NULL;
    if (ok && compose_at_hand(app) == spelling->compose &&
        g_file_get_contents(spelling->path, &text, NULL, NULL) && g_utf8_validate(text, -1, NULL)) {
        draft_set_body(spelling->compose->draft, text);
        compose_changed(spelling->compose);
    } else if (!ok) {
        app_warn(app, _("the spelling program did not end well; the text is as it was"));
    }
    g_unlink(spelling->path);
    g_autofree char *backup = g_strconcat(spelling->path, ".bak", NULL);
    g_unlink(backup);
}

void
command_spell(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    g_autofree char *aspell = g_find_program_in_path("aspell");
    g_autofree char *ispell = aspell ? NULL : g_find_program_in_path("ispell");
    if (!aspell && !ispell) {
        app_warn(app, _("neither aspell nor ispell is here"));
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *state = paths_state_dir();
    g_autofree char *target = g_build_filename(state, "compose", "spell.eml", NULL);
    g_autofree char *directory = g_path_get_dirname(target);
    char *path = NULL;
    if (!paths_make_dir(directory, &error) || !savefile_write(target, "spell.eml", compose->draft->body,
                                                              strlen(compose->draft->body), &path, &error)) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    struct spelling *spelling = g_new0(struct spelling, 1);
    spelling->compose = compose;
    spelling->path = path;
    const char *with_aspell[] = {aspell, "--mode=email", "check", path, NULL};
    const char *with_ispell[] = {ispell, path, NULL};
    if (!spawn_terminal(app, aspell ? with_aspell : with_ispell, NULL, spelled, spelling, spelling_free,
                        &error))
        app_error(app, NULL, g_steal_pointer(&error));
}

/* ---- sending ---- */

void
command_send(struct app *app, const char *argument G_GNUC_UNUSED)
{
    compose_send(compose_at_hand(app));
}

static void
time_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    if (!text || !compose)
        return;
    gint64 when = *text && strcmp(text, "now") ? compose_parse_time(text, clock_now()) : 0;
    if (!when && *text && strcmp(text, "now") != 0)
        app_warn(app, _("\"%s\" is no time: 8:00, tomorrow 9:00, fri, 2 h, 2026-12-24 18:00"), text);
    else
        compose->send_at = when;
}

void
command_send_at(struct app *app, const char *argument)
{
    if (argument) {
        time_typed(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Send at (nothing: now): "), .done = time_typed};
    prompt_line(app, &spec);
}

void
command_postpone(struct app *app, const char *argument G_GNUC_UNUSED)
{
    compose_postpone(compose_at_hand(app));
}
