#include "config.h"

#include "ui/compose.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/flags.h"
#include "base/paths.h"
#include "base/text.h"
#include "mail/draftfile.h"
#include "mail/mailto.h"
#include "mail/reader.h"
#include "mail/reply.h"
#include "store/folder.h"
#include "store/message.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/draw.h"
#include "ui/files.h"
#include "ui/layout.h"
#include "ui/listview.h"
#include "ui/text.h"
#include "ui/writer.h"

#include <glib/gstdio.h>
#include <string.h>

#define DRAFT_FILE_MAX (8 * 1024 * 1024)

/* ---- who writes ---- */

static void
add_own(GPtrArray *own, const struct account *account)
{
    address_list_add(own, account->real_name, account->address);
    for (char **alias = account->aliases; alias && *alias; alias++)
        address_list_add(own, account->real_name, *alias);
}

/* The account that a message came from: that of its row, where several have it. */
static const struct account *
account_of(struct app *app, gint64 message)
{
    struct listview *list = listview_at_hand(app);
    struct list_line *line = list && list->set ? listview_current(list) : NULL;
    g_autoptr(struct_folder) folder = line && line->row->message == message && line->row->folder
                                          ? folder_get(app->store, line->row->folder, NULL)
                                          : NULL;
    g_autoptr(GPtrArray) places = !folder && message ? message_places(app->store, message, NULL) : NULL;
    const char *name = folder                 ? folder->account_name
                       : places && places->len ? ((struct message_place *)g_ptr_array_index(places, 0))->account
                                               : NULL;
    return name ? config_account(app->config, name, NULL) : NULL;
}

GPtrArray *
compose_own_addresses(struct app *app, gint64 message)
{
    GPtrArray *own = address_list_new();
    const struct account *first = account_of(app, message);
    if (first)
        add_own(own, first);
    for (guint i = 0; i < app->config->accounts->len; i++)
        if (g_ptr_array_index(app->config->accounts, i) != first)
            add_own(own, g_ptr_array_index(app->config->accounts, i));
    return own;
}

void
compose_set_account(struct compose *compose, const struct account *account)
{
    compose->account = account;
    if (account && !compose->draft->from->len)
        address_list_add(compose->draft->from, account->real_name, account->address);
}

static const struct account *
account_for(struct app *app, const struct draft *draft)
{
    const struct address *from = draft->from->len ? address_list_get(draft->from, 0) : NULL;
    const struct account *account = from && from->addr ? config_account_for(app->config, from->addr) : NULL;
    return account ? account : config_account(app->config, NULL, NULL);
}

struct compose *
compose_at_hand(struct app *app)
{
    return app_top(app)->class == &compose_class ? (struct compose *)app_top(app) : NULL;
}

GPtrArray *
compose_field(struct compose *compose, enum compose_field field)
{
    switch (field) {
    case FIELD_TO:
        return compose->draft->to;
    case FIELD_CC:
        return compose->draft->cc;
    case FIELD_BCC:
        return compose->draft->bcc;
    case FIELD_SUBJECT:
        break;
    }
    return NULL;
}

/* ---- changes ---- */

void
compose_changed(struct compose *compose)
{
    compose->touched = compose->changed = TRUE;
    g_clear_pointer(&compose->checks, g_ptr_array_unref);
    compose->checks = compose_check(compose->view.app, compose->draft);
    g_clear_pointer(&compose->body_lines, g_ptr_array_unref);
    app_dirty(compose->view.app);
}

static gboolean
autosave_tick(gpointer data)
{
    compose_autosave(data);
    return G_SOURCE_CONTINUE;
}

/* ---- opening ---- */

static void
subject_first(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    if (!compose)
        return;
    if (!text) { /* cancelled before anything was written */
        compose_drop_autosave(compose);
        app_pop(app);
        return;
    }
    draft_set_subject(compose->draft, text);
    compose_changed(compose);
    compose_edit(compose, FALSE);
}

static gboolean
place_subject(struct app *app, struct area *area, gpointer data G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    int row = compose ? compose->field_rows[FIELD_SUBJECT] : -1;
    if (row < 0)
        return FALSE;
    *area = (struct area){row, compose->area.column + 10, 1, MAX(compose->area.columns - 11, 10)};
    return TRUE;
}

static void
ask_subject(struct app *app)
{
    struct prompt_spec spec = {.done = subject_first, .place = place_subject};
    prompt_line(app, &spec);
}

void
compose_next_question(struct compose *compose)
{
    struct app *app = compose->view.app;
    if (!compose->draft->to->len && !compose->draft->cc->len && !compose->draft->bcc->len) {
        command_edit_to(app, NULL);
        return;
    }
    if (!*compose->draft->subject)
        ask_subject(app);
    else
        compose_edit(compose, FALSE);
}

static void
body_with_signature(struct compose *compose)
{
    if (*compose->draft->body || !compose->account || !compose->account->signature)
        return;
    g_autofree char *path = paths_expand(compose->account->signature);
    g_autofree char *text = NULL;
    gsize length;
    if (!g_file_get_contents(path, &text, &length, NULL) || length > 64 * 1024)
        return;
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)length);
    g_autofree char *body = g_strdup_printf("\n\n-- \n%s", g_strchomp(valid));
    draft_set_body(compose->draft, body);
}

struct compose *
compose_open(struct app *app, struct draft *draft, gboolean edit)
{
    struct compose *compose = g_new0(struct compose, 1);
    compose->view.class = &compose_class;
    compose->view.app = app;
    compose->draft = draft;
    compose_set_account(compose, account_for(app, draft));
    for (guint i = 0; i < G_N_ELEMENTS(compose->field_rows); i++)
        compose->field_rows[i] = -1;
    compose->body_page = 10;
    if (draft->kind == DRAFT_NEW)
        body_with_signature(compose);
    app_push(app, &compose->view);
    compose_changed(compose);
    compose->changed = compose->touched = FALSE;
    compose->timer = g_timeout_add_seconds(AUTOSAVE_SECONDS, autosave_tick, compose);
    compose->fresh = edit;
    if (!compose->account)
        app_warn(app, _("no account can send: \"setup\" (:) adds one"));
    if (edit)
        compose_next_question(compose);
    return compose;
}

void
compose_open_file(struct app *app, const char *path, gboolean temporary)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) error = NULL;
    gboolean read = g_file_get_contents(path, &text, &length, &error);
    if (temporary)
        g_unlink(path);
    if (!read || length > DRAFT_FILE_MAX) {
        app_error(app, _("the draft cannot be read"), g_steal_pointer(&error));
        return;
    }
    struct draft *draft = draft_new();
    if (!draftfile_parse(text, length, draft, &error)) {
        draft_set_body(draft, text);
        app_error(app, _("the draft's header cannot be read"), g_steal_pointer(&error));
    }
    gboolean empty = !*draft->body;
    compose_open(app, draft, empty)->changed = !empty;
}

static void
recalled(struct document *document, const GError *error, gpointer data)
{
    gpointer *pair = data;
    struct app *app = pair[0];
    if (!document) {
        app_warn(app, _("the draft cannot be read: %s"), error->message);
        return;
    }
    struct draft *draft = recall_new(document, pair[1]);
    document_free(document);
    struct compose *compose = compose_open(app, draft, FALSE);
    compose->changed = TRUE;
    compose->recalled = *(gint64 *)pair[2];
}

static void
pair_free(gpointer data)
{
    gpointer *pair = data;
    g_bytes_unref(pair[1]);
    g_free(pair[2]);
    g_free(pair);
}

static void
recall_bytes(struct app *app, GBytes *bytes, gint64 message)
{
    gpointer *pair = g_new0(gpointer, 3);
    pair[0] = app;
    pair[1] = g_bytes_ref(bytes);
    pair[2] = g_memdup2(&message, sizeof message);
    reader_parse_async(app->reader, bytes, READER_ALL, recalled, pair, pair_free);
}

void
compose_recall_bytes(struct app *app, GBytes *bytes)
{
    recall_bytes(app, bytes, 0);
}

void
compose_recall_message(struct app *app, gint64 message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = files_message_bytes(app, message, &error);
    if (bytes)
        recall_bytes(app, bytes, message);
    else
        app_error(app, _("the draft cannot be read"), g_steal_pointer(&error));
}

/* ---- leaving ---- */

static void
leave_chosen(struct app *app, gunichar key, gpointer data)
{
    struct compose *compose = data;
    if (compose_at_hand(app) != compose)
        return;
    if (key == 'p') {
        compose_postpone(compose);
    } else if (key == 'd') {
        compose_drop_autosave(compose);
        app_say(app, _("dropped"));
        app_remove(app, &compose->view);
    }
}

static gboolean
leaving(struct view *view)
{
    static const struct prompt_choice choices[] = {
        {'p', N_("postpone")},
        {'d', N_("drop it")},
        {'g', N_("go on writing")},
        {0, NULL},
    };
    struct compose *compose = (struct compose *)view;
    if (!compose->changed) {
        compose_drop_autosave(compose);
        return TRUE;
    }
    prompt_choose(view->app, _("Not sent yet:"), choices, leave_chosen, compose, NULL);
    return FALSE;
}

static void
rescue(struct view *view)
{
    struct compose *compose = (struct compose *)view;
    if (compose->changed)
        compose->touched = TRUE;
    compose_keep_last(compose);
}

/* ---- the view ---- */

static char *
title(struct view *view)
{
    static const char *const titles[] = {
        [DRAFT_NEW] = N_("New message"),    [DRAFT_REPLY] = N_("Reply"),
        [DRAFT_FORWARD] = N_("Forward"),    [DRAFT_RESENT] = N_("New message"),
        [DRAFT_EDITED] = N_("New message"),
    };
    struct compose *compose = (struct compose *)view;
    guint kind = compose->draft->kind;
    return g_strdup(_(titles[kind < G_N_ELEMENTS(titles) ? kind : 0]));
}

static char *
title_right(struct view *view)
{
    struct compose *compose = (struct compose *)view;
    const struct address *from = compose->draft->from->len ? address_list_get(compose->draft->from, 0) : NULL;
    g_autofree char *addr = from && from->addr ? text_safe(from->addr, -1, TEXT_LINE) : g_strdup("?");
    if (!compose->saved_at)
        return g_strdup_printf(_("from %s"), addr);
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(compose->saved_at);
    g_autofree char *time = when ? g_date_time_format(when, "%H:%M") : g_strdup("");
    return g_strdup_printf(_("kept %s   from %s"), time, addr);
}

static void
bottom(struct view *view, const struct area *line)
{
    static const char *const hints[] = {
        "send",     N_("send"), "postpone", N_("postpone"), "back",         N_("abort"),   "edit",   N_("edit"),
        "edit-to",  N_("to"),   "edit-cc",  N_("cc"),       "edit-bcc",     N_("bcc"),     "edit-subject", N_("subject"),
        "attach",   N_("attach"), "detach", N_("detach"),   "edit-from",    N_("from"),    "help",   N_("help"),
        NULL,
    };
    draw_hints(view->app, line->row, line, IN_COMPOSER, hints, NULL);
}

static gboolean
move(struct view *view, int how)
{
    struct compose *compose = (struct compose *)view;
    int n = compose->body_lines ? (int)compose->body_lines->len : 0, ignored = compose->body_top;
    int step = how == MOVE_NEXT || how == MOVE_LINE_DOWN     ? 1
               : how == MOVE_PREVIOUS || how == MOVE_LINE_UP ? -1
               : how == MOVE_PAGE_DOWN                       ? compose->body_page
               : how == MOVE_PAGE_UP                         ? -compose->body_page
                                                             : 0;
    compose->body_top = CLAMP(ignored + step, 0, MAX(n - compose->body_page, 0));
    return TRUE;
}

/* Arrows and pages scroll the text: in a form they are free. */
static gboolean
key(struct view *view, const struct key_event *event)
{
    switch (event->key) {
    case K_DOWN:
        return move(view, MOVE_NEXT);
    case K_UP:
        return move(view, MOVE_PREVIOUS);
    case K_PAGE_DOWN:
        return move(view, MOVE_PAGE_DOWN);
    case K_PAGE_UP:
        return move(view, MOVE_PAGE_UP);
    default:
        return FALSE;
    }
}

static void
compose_free(struct view *view)
{
    struct compose *compose = (struct compose *)view;
    g_source_remove(compose->timer);
    compose_forget_autosave(compose);
    draft_free(compose->draft);
    if (compose->checks)
        g_ptr_array_unref(compose->checks);
    if (compose->body_lines)
        g_ptr_array_unref(compose->body_lines);
    if (compose->edit_path)
        g_unlink(compose->edit_path);
    g_free(compose->edit_path);
    g_free(compose->edit_before);
    g_free(compose);
}

const struct view_class compose_class = {
    .context = IN_COMPOSER,
    .draw = compose_draw,
    .title = title,
    .title_right = title_right,
    .bottom = bottom,
    .key = key,
    .move = move,
    .leaving = leaving,
    .rescue = rescue,
    .free = compose_free,
};
