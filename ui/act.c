#include "config.h"

#include "ui/act.h"

#include "base/error.h"
#include "base/flags.h"
#include "base/text.h"
#include "store/bulk.h"
#include "store/conversation.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/message.h"
#include "ui/app.h"
#include "ui/listview.h"
#include "ui/readview.h"
#include "ui/text.h"
#include "ui/writer.h"

#define RESOLVED_AT_ONCE 200 /* conversations; more are looked up by the writer */

struct action {
    enum act_kind kind;
    GArray *messages;
    GArray *elsewhere; /* likewise, that lie outside of the list's folders (an own answer in Sent): acted upon where they lie */
    GArray *threads; /* all their messages in the folders, too; NULL: none */
    GArray *folders; /* none: in all but Trash and Junk */
    gboolean whole;  /* with each message, its conversation */
    gint64 from, to, journal;
    guint set, clear;
    guint spared; /* messages of a conversation that are not called junk with it */
    char *add, *remove;
    char *said;
    guint overlay;         /* on the list, 0: none */
    struct listview *list; /* only compared: it may be gone */
};

static void
action_free(gpointer data)
{
    struct action *action = data;
    g_array_unref(action->messages);
    g_clear_pointer(&action->elsewhere, g_array_unref);
    g_clear_pointer(&action->threads, g_array_unref);
    g_clear_pointer(&action->folders, g_array_unref);
    g_free(action->add);
    g_free(action->remove);
    g_free(action->said);
    g_free(action);
}

static gint64
write_intent(struct store *store, const struct action *action, const GArray *messages, gint64 from, GError **error)
{
    const gint64 *ids = (const gint64 *)(gconstpointer)messages->data;
    guint n = messages->len;
    switch (action->kind) {
    case ACT_FLAGS:
        return intent_mark(store, ids, n, action->set, action->clear, action->add, action->remove, error);
    case ACT_MOVE:
        return intent_move(store, ids, n, from, action->to, error);
    case ACT_COPY:
        return intent_copy(store, ids, n, from, action->to, error);
    case ACT_DELETE:
        return intent_delete(store, ids, n, from, error);
    case ACT_EXPUNGE:
        return intent_expunge(store, ids, n, from, error);
    case ACT_ARCHIVE:
        return intent_archive(store, ids, n, from, error);
    case ACT_JUNK:
    case ACT_NOT_JUNK:
        return intent_junk(store, ids, n, from, action->kind == ACT_JUNK, error);
    }
    return 0;
}

/* What lies in the list's folders and what does not, as one change. */
static gint64
write_both(struct store *store, const struct action *action, GError **error)
{
    static const char *const names[] = {
        [ACT_FLAGS] = N_("mark messages"),       [ACT_MOVE] = N_("move messages"),
        [ACT_COPY] = N_("copy messages"),        [ACT_DELETE] = N_("delete messages"),
        [ACT_EXPUNGE] = N_("delete messages for good"), [ACT_ARCHIVE] = N_("archive messages"),
        [ACT_JUNK] = N_("call messages junk"),   [ACT_NOT_JUNK] = N_("call messages not junk"),
    };
    if (!action->elsewhere || !action->elsewhere->len)
        return write_intent(store, action, action->messages, action->from, error);
    if (!action->messages->len)
        return write_intent(store, action, action->elsewhere, 0, error);
    if (!intent_group_begin(store, error))
        return 0;
    gboolean ok = write_intent(store, action, action->messages, action->from, error) &&
                  write_intent(store, action, action->elsewhere, 0, error);
    return intent_group_end(store, ok, _(names[action->kind]), error);
}

static GArray *
messages_of(struct store *store, const struct action *action, gint64 thread, GError **error)
{
    const struct list_view view = {.folders = (const gint64 *)(gpointer)action->folders->data,
                                   .n_folders = action->folders->len};
    gint64 unread;
    return view.n_folders ? list_messages_of(store, &view, &thread, 1, error)
                          : list_thread_messages(store, thread, &unread, error);
}

static gboolean
add_messages_of(struct store *store, struct action *action, gint64 thread, GError **error)
{
    g_autoptr(GArray) all = messages_of(store, action, thread, error);
    guint spared = 0;
    if (!all || (action->kind == ACT_JUNK && !conversation_spare_people(store, thread, all, &spared, error)))
        return FALSE;
    g_array_append_vals(action->messages, all->data, all->len);
    action->spared += spared;
    return TRUE;
}

/* What was sent, or is being written, is no junk. */
static gboolean
spare_own(struct store *store, struct action *action, GError **error)
{
    for (guint i = action->elsewhere->len; i-- > 0;)
        if (message_lies_in(store, g_array_index(action->elsewhere, gint64, i), 1u << FOLDER_SENT | 1u << FOLDER_DRAFTS))
            g_array_remove_index(action->elsewhere, i);
    if (action->elsewhere->len || action->messages->len)
        return TRUE;
    g_set_error_literal(error, STORE_ERROR, ERROR_REFUSED, _("a letter of your own is no junk"));
    return FALSE;
}

/* The conversations of the messages, each once, in place of them. */
static gboolean
widen(struct store *store, struct action *action, GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autoptr(GArray) threads = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < action->threads->len; i++)
        g_array_append_val(threads, g_array_index(action->threads, gint64, i));
    for (guint i = 0; i < action->messages->len; i++) {
        g_autoptr(struct_message) message = message_load(store, g_array_index(action->messages, gint64, i), error);
        if (!message)
            return FALSE;
        g_array_append_val(threads, message->thread);
    }
    g_array_set_size(action->threads, 0);
    for (guint i = 0; i < threads->len; i++)
        if (g_hash_table_add(known, &g_array_index(threads, gint64, i)))
            g_array_append_val(action->threads, g_array_index(threads, gint64, i));
    g_array_unref(action->messages); /* the selection may have it yet */
    action->messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    return TRUE;
}

/* On the writer's thread. */
static gboolean
work(struct store *store, gpointer data, GError **error)
{
    struct action *action = data;
    if (action->whole && !widen(store, action, error))
        return FALSE;
    for (guint i = 0; action->threads && i < action->threads->len; i++)
        if (!add_messages_of(store, action, g_array_index(action->threads, gint64, i), error))
            return FALSE;
    if (action->spared && !action->messages->len && !action->elsewhere) {
        g_set_error_literal(error, STORE_ERROR, ERROR_REFUSED,
                            _("all of it is from people whom you have written to: open the conversation, and call one "
                              "letter junk"));
        return FALSE;
    }
    if (action->kind == ACT_JUNK && action->elsewhere && !spare_own(store, action, error))
        return FALSE;
    action->journal = write_both(store, action, error);
    return action->journal != 0;
}

static gboolean
still_there(struct app *app, const struct listview *list)
{
    return list && g_ptr_array_find(app->views, list, NULL);
}

static void
done(struct app *app, gpointer data, const GError *error)
{
    struct action *action = data;
    if (action->overlay && still_there(app, action->list) && action->list->set) {
        if (!error && action->journal > 0 && bulk_is_pending(app->store, action->journal))
            rowset_settle_with(action->list->set, action->overlay, action->journal);
        else
            rowset_settle(action->list->set, action->overlay);
    }
    if (error)
        app_warn(app, _("not done: %s"), error->message);
    else if (action->spared)
        app_say(app,
                ngettext("junk, but for %u letter of somebody whom you have written to (u takes it back)",
                         "junk, but for %u letters of people whom you have written to (u takes it back)", action->spared),
                action->spared);
}

gboolean
act_refused(struct app *app)
{
    if (app->files)
        app_warn(app, _("mail outside the store is only read: nothing is changed"));
    else if (app->read_only)
        app_warn(app, _("this session is read only (-R): nothing is changed"));
    return app->files || app->read_only;
}

static guint
count(const struct action *action)
{
    return action->messages->len + (action->elsewhere ? action->elsewhere->len : 0);
}

static void
start(struct app *app, struct action *action)
{
    if (!action->messages->len && !(action->threads && action->threads->len) && !action->elsewhere) {
        action_free(action);
        app_say(app, _("there is no message to do that to"));
        return;
    }
    guint conversations = action->threads ? action->threads->len + (action->whole ? action->messages->len : 0) : 0;
    if (action->said && conversations)
        app_say(app, ngettext("%u conversation %s", "%u conversations %s", conversations), conversations, action->said);
    else if (action->said)
        app_say(app, ngettext("%u message %s", "%u messages %s", count(action)), count(action), action->said);
    writer_run(app->writer, work, done, action, action_free);
}

static gboolean
leaves(enum act_kind kind)
{
    return kind != ACT_FLAGS && kind != ACT_COPY;
}

/* Hides or changes the rows on the list, now. */
static void
show_wanted(struct listview *list, struct action *action, struct selection *selection)
{
    if (action->kind == ACT_COPY || !g_hash_table_size(selection->ids))
        return;
    action->list = list;
    gboolean hide = leaves(action->kind) && (list->folder || list->role);
    action->overlay =
        rowset_overlay(list->set, g_hash_table_ref(selection->ids), action->set, action->clear, hide);
    if (hide) {
        GHashTableIter iter;
        gpointer key;
        g_hash_table_iter_init(&iter, selection->ids);
        while (g_hash_table_iter_next(&iter, &key, NULL))
            g_hash_table_remove(list->marks, key);
    }
    /* Not reload: the store does not know yet. The line under the cursor goes, the next one comes under it.
     */
    listview_rebuild(list);
}

static struct selection *
selection_for_reader(struct app *app, struct listview *list)
{
    struct selection *selection = g_new0(struct selection, 1);
    selection->ids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    selection->messages = readview_targets(app_top(app));
    for (guint i = 0; list && i < selection->messages->len; i++) {
        gint64 id = g_array_index(selection->messages, gint64, i);
        struct list_line *line = listview_current(list);
        /* A conversation of one message is that message; of more, the row stays. */
        if (line && list->conversations && line->row->message == id && line->row->count == 1)
            id = -line->row->thread;
        g_hash_table_add(selection->ids, g_memdup2(&id, sizeof id));
    }
    selection->folder = list ? listview_from(list) : 0;
    return selection;
}

static struct selection *
selected(struct app *app, struct listview **list)
{
    *list = listview_at_hand(app);
    struct view *top = app_top(app);
    gboolean tagged = app->tagged;
    app->tagged = FALSE;
    if (top->class == &list_class)
        return listview_selection(*list, tagged);
    return selection_for_reader(app, *list);
}

/* Takes out of the selection what lies outside of the list's folders: lines of an opened conversation, and what the reader
 * came to from there. All other messages of a list lie in them. NULL: none. */
static GArray *
take_elsewhere(struct app *app, struct listview *list, struct selection *selection)
{
    gboolean may = selection->folder && list && (list->conversations || app_top(app)->class == &read_class);
    g_autoptr(GArray) elsewhere = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = selection->messages->len; may && i-- > 0;) {
        gint64 message = g_array_index(selection->messages, gint64, i);
        if (intent_reaches(app->store, message, selection->folder))
            continue;
        g_array_append_val(elsewhere, message);
        g_array_remove_index(selection->messages, i);
    }
    return elsewhere->len ? g_steal_pointer(&elsewhere) : NULL;
}

/* Conversations whose messages the writer looks up: very many, or such as are not meant in full. */
static gboolean
is_for_writer(const struct action *action, const struct selection *selection)
{
    guint n = selection->threads ? selection->threads->len : 0;
    return n > RESOLVED_AT_ONCE || (n && action->kind == ACT_JUNK);
}

static void
run(struct app *app, struct action *action)
{
    struct listview *list;
    gboolean reading = app_top(app)->class == &read_class;
    g_autoptr(struct_selection) selection = selected(app, &list);
    if (!action->whole)
        action->elsewhere = take_elsewhere(app, list, selection);
    if (action->whole || is_for_writer(action, selection)) {
        const struct list_view *view = list && list->set ? &list->set->view : NULL;
        action->threads = selection->threads ? g_array_ref(selection->threads) : g_array_new(FALSE, FALSE, sizeof(gint64));
        action->folders = g_array_new(FALSE, FALSE, sizeof(gint64));
        if (view && view->n_folders)
            g_array_append_vals(action->folders, view->folders, view->n_folders);
    } else if (list && list->set) {
        selection_resolve(selection, list);
    }
    action->messages = g_array_ref(selection->messages);
    action->from = selection->folder;
    if (reading && leaves(action->kind))
        readview_leave_message(app_top(app)); /* on to the next one, before the row goes */
    if (list && list->set && (action->messages->len || action->threads || action->elsewhere))
        show_wanted(list, action, selection);
    start(app, action);
}

void
act_flags(struct app *app, guint set, guint clear, const char *said)
{
    if (act_refused(app))
        return;
    struct action *action = g_new0(struct action, 1);
    action->kind = ACT_FLAGS;
    action->set = set;
    action->clear = clear;
    action->said = g_strdup(said);
    run(app, action);
}

void
act_tags(struct app *app, const char *add, const char *remove)
{
    if (act_refused(app))
        return;
    struct action *action = g_new0(struct action, 1);
    action->kind = ACT_FLAGS;
    action->add = g_strdup(add);
    action->remove = g_strdup(remove);
    action->said = g_strdup(_("tagged"));
    run(app, action);
}

static char *
filed(struct app *app, enum act_kind kind, gint64 to)
{
    g_autoptr(struct_folder) folder = to ? folder_get(app->store, to, NULL) : NULL;
    switch (kind) {
    case ACT_MOVE:
        return g_strdup_printf(_("moved to %s (u takes it back)"), folder ? folder->name : "?");
    case ACT_COPY:
        return g_strdup_printf(_("copied to %s"), folder ? folder->name : "?");
    case ACT_DELETE:
        return g_strdup(_("deleted (u takes it back)"));
    case ACT_EXPUNGE:
        return g_strdup(_("deleted for good"));
    case ACT_ARCHIVE:
        return g_strdup(_("archived (u takes it back)"));
    case ACT_JUNK:
        return g_strdup(_("called junk (u takes it back)"));
    case ACT_NOT_JUNK:
        return g_strdup(_("called not junk (u takes it back)"));
    case ACT_FLAGS:
        break;
    }
    return NULL;
}

void
act_file(struct app *app, enum act_kind kind, gint64 folder)
{
    if (act_refused(app))
        return;
    struct action *action = g_new0(struct action, 1);
    action->kind = kind;
    action->to = folder;
    action->said = filed(app, kind, folder);
    run(app, action);
}

void
act_delete_conversations(struct app *app)
{
    if (act_refused(app))
        return;
    struct action *action = g_new0(struct action, 1);
    action->kind = ACT_DELETE;
    action->whole = TRUE;
    action->said = filed(app, ACT_DELETE, 0);
    run(app, action);
}

void
act_seen(struct app *app, gint64 message)
{
    if (app->read_only || app->files)
        return;
    struct action *action = g_new0(struct action, 1);
    action->kind = ACT_FLAGS;
    action->set = FLAG_SEEN;
    action->messages = g_array_new(FALSE, FALSE, sizeof message);
    g_array_append_val(action->messages, message);
    start(app, action);
}
