#include "config.h"

#include "ui/readview.h"

#include "base/error.h"
#include "base/flags.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/reader.h"
#include "store/contact.h"
#include "store/list.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/files.h"
#include "ui/draw.h"
#include "ui/link.h"
#include "ui/listview.h"
#include "ui/text.h"
#include "trust/authority.h"
#include "trust/virus.h"
#include "ui/verdict.h"
#include "ui/writer.h"

#include <string.h>

/* ---- loading ---- */

static void
forget(struct readview *read)
{
    if (read->request)
        reader_cancel(read->view.app->reader, read->request);
    read->request = 0;
    g_clear_pointer(&read->row, message_free);
    g_clear_pointer(&read->bytes, g_bytes_unref);
    g_clear_pointer(&read->excerpt, g_bytes_unref);
    g_clear_pointer(&read->document, document_free);
    g_clear_pointer(&read->lines, g_ptr_array_unref);
    g_clear_pointer(&read->notice, g_free);
    g_clear_pointer(&read->refusal, g_free);
    g_clear_pointer(&read->verdict, g_free);
    g_clear_pointer(&read->contact, contact_free);
    g_clear_pointer(&read->warnings, g_free);
    read->contact_loaded = FALSE;
    read->waiting = FALSE;
    read->top = 0;
    read->found = -1;
}

static void
judge(struct readview *read)
{
    g_clear_pointer(&read->verdict, g_free);
    g_auto(GStrv) own = config_own_hosts(read->view.app->config);
    g_autoptr(struct_journey) journey = journey_read(read->bytes ? read->bytes : read->excerpt, (const char *const *)own);
    struct app *app = read->view.app;
    struct vouch vouch;
    g_autoptr(struct_authentication) found =
        authority_find(app->store, read->message, app->config, journey, read->document->envelope, &vouch);
    enum role role = ROLE_DIM;
    g_autofree char *virus = virus_held(app->store, read->message);
    read->verdict = virus ? verdict_virus(virus, &role) : verdict_text(&vouch, &role);
    read->verdict_role = role;
    vouch_clear(&vouch);
    g_free(read->warnings);
    read->warnings = verdict_warnings(app->store, app->config, read->message, read->document->envelope);
}

static void
parsed(struct document *document, const GError *error, gpointer data)
{
    struct readview *read = data;
    read->request = 0;
    g_clear_pointer(&read->notice, g_free);
    if (document) {
        document_free(read->document);
        read->document = document;
        judge(read);
        if (!read->bytes)
            readview_tell_wait(read);
    } else {
        read->notice = g_strdup_printf(
            _("This message cannot be shown: %s\nEsc h shows it raw, s and | still work on it."),
            error->message);
        log_warn("ui.read", "message %" G_GINT64_FORMAT ": %s", read->message, error->message);
    }
    readview_relayout(read);
    app_dirty(read->view.app);
}

void
readview_load(struct readview *read)
{
    GBytes *bytes = read->bytes ? read->bytes : read->excerpt;
    if (!bytes)
        return;
    if (read->request)
        reader_cancel(read->view.app->reader, read->request);
    read->request = reader_parse_async(read->view.app->reader, bytes, read->want, parsed, read, NULL);
}

static void
loaded(struct readview *read)
{
    readview_load(read);
    if (read->row && !(read->row->flags & FLAG_SEEN))
        act_seen(read->view.app, read->message);
}

static void
load_bytes(struct readview *read)
{
    struct app *app = read->view.app;
    g_autoptr(GError) error = NULL;
    read->bytes = files_message_bytes(app, read->message, &error);
    if (read->bytes) {
        read->waiting = FALSE;
        g_clear_pointer(&read->notice, g_free);
        loaded(read);
        return;
    }
    g_free(read->notice);
    if (app->files || !g_error_matches(error, store_error_quark(), ERROR_STALE)) {
        read->notice = g_strdup_printf(_("This message cannot be read: %s"), error->message);
        return;
    }
    read->notice = NULL;
    readview_wait(read);
    if (!read->excerpt && (read->excerpt = message_excerpt(app->store, read->message)))
        loaded(read);
}

/* The messages of a conversation, oldest first; *unread receives the first unread one. */
static GArray *
load_thread(struct store *store, gint64 thread, gint64 *unread)
{
    GArray *ids = list_thread_messages(store, thread, unread, NULL);
    return ids ? ids : g_array_new(FALSE, FALSE, sizeof(gint64));
}

void
readview_show(struct readview *read, gint64 message)
{
    struct app *app = read->view.app;
    g_autoptr(GError) error = NULL;
    forget(read);
    read->message = message;
    read->row = message_load(app->store, message, &error);
    if (!read->row) {
        read->notice = g_strdup(error->message);
        return;
    }
    if (!read->thread || !read->thread->len) {
        gint64 unread;
        if (read->thread)
            g_array_unref(read->thread);
        read->thread = load_thread(app->store, read->row->thread, &unread);
    }
    load_bytes(read);
    app_dirty(app);
}

static void
show_thread(struct readview *read, gint64 thread, gint64 fallback, gboolean newest)
{
    gint64 unread = 0;
    if (read->thread)
        g_array_unref(read->thread);
    read->thread = load_thread(read->view.app->store, thread, &unread);
    gint64 message = unread && !newest ? unread : fallback;
    readview_show(read, message);
}

static gboolean
by_conversation(const struct readview *read)
{
    struct listview *list = listview_at_hand(read->view.app);
    return list && list->set && list->set->view.kind == LIST_CONVERSATIONS;
}

static int
index_in_thread(const struct readview *read)
{
    for (guint i = 0; read->thread && i < read->thread->len; i++)
        if (g_array_index(read->thread, gint64, i) == read->message)
            return (int)i;
    return -1;
}

gboolean
readview_step(struct readview *read, int step)
{
    struct listview *list = listview_at_hand(read->view.app);
    int at = index_in_thread(read);
    if (at >= 0 && by_conversation(read) && at + step >= 0 && at + step < (int)read->thread->len) {
        readview_show(read, g_array_index(read->thread, gint64, (guint)(at + step)));
        return TRUE;
    }
    gint64 thread = 0, message = list && list->set ? listview_step(list, step, &thread) : 0;
    if (!message)
        return FALSE;
    if (list->set->view.kind == LIST_CONVERSATIONS) {
        show_thread(read, thread, message, step < 0);
    } else {
        g_array_set_size(read->thread, 0);
        readview_show(read, message);
    }
    return TRUE;
}

void
readview_leave_message(struct view *view)
{
    struct readview *read = (struct readview *)view;
    struct app *app = view->app;
    int at = index_in_thread(read);
    if (at >= 0)
        g_array_remove_index(read->thread, (guint)at);
    if (by_conversation(read) && at >= 0 && at < (int)read->thread->len) {
        readview_show(read, g_array_index(read->thread, gint64, (guint)at));
        return;
    }
    if (!readview_step(read, 1))
        app_remove(app, view);
}

GArray *
readview_targets(struct view *view)
{
    GArray *messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    if (view->class == &read_class && ((struct readview *)view)->message)
        g_array_append_val(messages, ((struct readview *)view)->message);
    return messages;
}

static struct readview *
new_read(struct app *app)
{
    struct readview *read = g_new0(struct readview, 1);
    read->view.class = &read_class;
    read->view.app = app;
    read->folded = TRUE;
    read->want = READER_ALL;
    read->found = -1;
    app_push(app, &read->view);
    return read;
}

void
readview_open(struct app *app, gint64 message)
{
    struct listview *list = listview_at_hand(app);
    struct list_line *line = list && list->set ? listview_current(list) : NULL;
    struct readview *read = new_read(app);
    if (line && line->kind == LIST_LINE_ROW && line->row->message == message && by_conversation(read))
        show_thread(read, line->row->thread, message, FALSE);
    else
        readview_show(read, message);
}

void
readview_open_bytes(struct app *app, GBytes *bytes, const char *label)
{
    struct readview *read = new_read(app);
    read->bytes = g_bytes_ref(bytes);
    read->label = g_strdup(label);
    readview_load(read);
}

/* ---- the document behind a message, for commands ---- */

struct wanted {
    struct app *app;
    gint64 message;
    GBytes *bytes;
    with_document then;
    gpointer data;
    GDestroyNotify destroy;
};

static void
wanted_free(gpointer data)
{
    struct wanted *wanted = data;
    if (wanted->destroy)
        wanted->destroy(wanted->data);
    g_bytes_unref(wanted->bytes);
    g_free(wanted);
}

static void
wanted_parsed(struct document *document, const GError *error, gpointer data)
{
    struct wanted *wanted = data;
    if (document)
        wanted->then(wanted->app, wanted->message, document, wanted->bytes, wanted->data);
    else
        app_warn(wanted->app, _("this message cannot be read: %s"), error->message);
    document_free(document);
}

void
read_document(struct app *app, gint64 message, with_document then, gpointer data, GDestroyNotify destroy)
{
    struct readview *read = app_top(app)->class == &read_class ? (struct readview *)app_top(app) : NULL;
    if (read && read->message == message && read->document && read->bytes) {
        then(app, message, read->document, read->bytes, data);
        if (destroy)
            destroy(data);
        return;
    }
    g_autoptr(GError) error = NULL;
    GBytes *bytes = message ? files_message_bytes(app, message, &error) : NULL;
    if (!bytes) {
        if (message && g_error_matches(error, store_error_quark(), ERROR_STALE)) {
            link_fetch(app->link, message);
            app_warn(
                app,
                _("the text of this message is not here yet: it is being fetched, try again in a moment"));
        } else {
            app_error(app, error ? NULL : _("there is no message here"), g_steal_pointer(&error));
        }
        if (destroy)
            destroy(data);
        return;
    }
    struct wanted *wanted = g_new0(struct wanted, 1);
    *wanted = (struct wanted){app, message, bytes, then, data, destroy};
    reader_parse_async(app->reader, bytes, READER_ALL, wanted_parsed, wanted, wanted_free);
}

/* ---- the view ---- */

static const char *
subject(const struct readview *read)
{
    if (read->document)
        return read->document->envelope->subject;
    return read->row ? read->row->subject : "";
}

static char *
title(struct view *view)
{
    struct readview *read = (struct readview *)view;
    const char *text = subject(read);
    g_autofree char *safe = text_safe(*text ? text : _("(no subject)"), -1, TEXT_LINE);
    return read->label ? g_strdup_printf("%s   %s", safe, read->label) : g_steal_pointer(&safe);
}

static char *
title_right(struct view *view)
{
    struct readview *read = (struct readview *)view;
    int at = index_in_thread(read);
    if (at < 0 || read->thread->len < 2)
        return NULL;
    return g_strdup_printf(_("%d of %u in conversation"), at + 1, read->thread->len);
}

static void
bottom(struct view *view, const struct area *line)
{
    static const char *const hints[] = {
        "reply",    N_("reply"), "group-reply", N_("all"),    "forward", N_("forward"), "save", N_("save"),
        "parts",    N_("parts"), "journey",     N_("journey"), "quotes", N_("quotes"),  "junk", N_("junk"),
        "delete",   N_("delete"), "help",       N_("help"),   "back",    N_("back"),    NULL,
    };
    struct readview *read = (struct readview *)view;
    int n = read->lines ? (int)read->lines->len : 0;
    g_autofree char *right = NULL;
    if (n > read->page)
        right = read->top + read->page >= n
                    ? g_strdup(_("end"))
                    : g_strdup_printf("%d%%", (int)((gint64)(read->top + read->page) * 100 / n));
    draw_hints(view->app, line->row, line, IN_READER, hints, right);
}

static void
refresh(struct view *view)
{
    struct readview *read = (struct readview *)view;
    if (!read->message)
        return;
    struct message *row = message_load(view->app->store, read->message, NULL);
    if (row) {
        g_clear_pointer(&read->row, message_free);
        read->row = row;
    }
    if (read->waiting)
        load_bytes(read);
}

static gboolean
move(struct view *view, int how)
{
    struct readview *read = (struct readview *)view;
    int n = read->lines ? (int)read->lines->len : 0, page = MAX(read->page, 1);
    switch ((enum move_how)how) {
    case MOVE_NEXT:
    case MOVE_LINE_DOWN:
        read->top++;
        break;
    case MOVE_PREVIOUS:
    case MOVE_LINE_UP:
        read->top--;
        break;
    case MOVE_PAGE_DOWN:
        read->top += MAX(page - 1, 1);
        break;
    case MOVE_PAGE_UP:
        read->top -= MAX(page - 1, 1);
        break;
    case MOVE_HALF_DOWN:
        read->top += page / 2;
        break;
    case MOVE_HALF_UP:
        read->top -= page / 2;
        break;
    case MOVE_LAST:
        read->top = n;
        break;
    case MOVE_FIRST:
        read->top = 0;
        break;
    case MOVE_TOP:
    case MOVE_MIDDLE:
    case MOVE_BOTTOM:
        break;
    }
    read->top = CLAMP(read->top, 0, MAX(n - page, 0));
    return TRUE;
}

static void
mouse(struct view *view, const struct key_event *event)
{
    for (int i = 0; i < 3; i++)
        if (event->button == MOUSE_WHEEL_DOWN || event->button == MOUSE_WHEEL_UP)
            move(view, event->button == MOUSE_WHEEL_DOWN ? MOVE_NEXT : MOVE_PREVIOUS);
}

static GArray *
targets(struct view *view, gboolean marked G_GNUC_UNUSED)
{
    return readview_targets(view);
}

static void
read_free(struct view *view)
{
    struct readview *read = (struct readview *)view;
    forget(read);
    if (read->thread)
        g_array_unref(read->thread);
    g_free(read->needle);
    g_free(read->label);
    g_free(read);
}

const struct view_class read_class = {
    .context = IN_READER,
    .draw = readview_draw,
    .title = title,
    .title_right = title_right,
    .bottom = bottom,
    .refresh = refresh,
    .mouse = mouse,
    .targets = targets,
    .move = move,
    .free = read_free,
    .beside = TRUE,
};
