#include "config.h"

#include "ui/act.h"

#include "base/error.h"
#include "base/flags.h"
#include "base/text.h"
#include "store/bulk.h"
#include "store/folder.h"
#include "store/intent.h"
#include "ui/app.h"
#include "ui/listview.h"
#include "ui/readview.h"
#include "ui/text.h"
#include "ui/writer.h"

#define RESOLVED_AT_ONCE 200 /* conversations; more are looked up by the writer */

struct action {
    enum act_kind kind;
    GArray *messages;
    GArray *threads; /* all their messages in the folders, too; NULL: none */
    GArray *folders;
    gint64 from, to, journal;
    guint set, clear;
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
    g_clear_pointer(&action->threads, g_array_unref);
    g_clear_pointer(&action->folders, g_array_unref);
    g_free(action->add);
    g_free(action->remove);
    g_free(action->said);
    g_free(action);
}

static gint64
write_intent(struct store *store, const struct action *action, GError **error)
{
    const gint64 *ids = (const gint64 *)(gpointer)action->messages->data;
    guint n = action->messages->len;
    switch (action->kind) {
    case ACT_FLAGS:
        return intent_mark(store, ids, n, action->set, action->clear, action->add, action->remove, error);
    case ACT_MOVE:
        return intent_move(store, ids, n, action->from, action->to, error);
    case ACT_COPY:
        return intent_copy(store, ids, n, action->from, action->to, error);
    case ACT_DELETE:
        return intent_delete(store, ids, n, action->from, error);
    case ACT_EXPUNGE:
        return intent_expunge(store, ids, n, action->from, error);
    case ACT_ARCHIVE:
        return intent_archive(store, ids, n, action->from, error);
    case ACT_JUNK:
    case ACT_NOT_JUNK:
        return intent_junk(store, ids, n, action->from, action->kind == ACT_JUNK, error);
    }
    return 0;
}

static gboolean
add_messages_of(struct store *store, struct action *action, GError **error)
{
    const struct list_view view = {.folders = (const gint64 *)(gpointer)action->folders->data,
                                   .n_folders = action->folders->len};
    g_autoptr(GArray) all = list_messages_of(store, &view, (const gint64 *)(gpointer)action->threads->data,
                                             action->threads->len, error);
    if (all)
        g_array_append_vals(action->messages, all->data, all->len);
    return all != NULL;
}

/* On the writer's thread. */
static gboolean
work(struct store *store, gpointer data, GError **error)
{
    struct action *action = data;
    if (action->threads && !add_messages_of(store, action, error))
        return FALSE;
    action->journal = write_intent(store, action, error);
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

static void
start(struct app *app, struct action *action)
{
    if (!action->messages->len && !action->threads) {
        action_free(action);
        app_say(app, _("there is no message to do that to"));
        return;
    }
    if (action->said && action->threads)
        app_say(app, ngettext("%u conversation %s", "%u conversations %s", action->threads->len), action->threads->len,
                action->said);
    else if (action->said)
        app_say(app, ngettext("%u message %s", "%u messages %s", action->messages->len),
                action->messages->len, action->said);
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

static void
run(struct app *app, struct action *action)
{
    struct listview *list;
    gboolean reading = app_top(app)->class == &read_class;
    g_autoptr(struct_selection) selection = selected(app, &list);
    if (selection->threads && selection->threads->len > RESOLVED_AT_ONCE) {
        const struct list_view *view = &list->set->view;
        action->threads = g_array_ref(selection->threads);
        action->folders = g_array_new(FALSE, FALSE, sizeof(gint64));
        g_array_append_vals(action->folders, view->folders, view->n_folders);
    } else if (list && list->set) {
        selection_resolve(selection, list);
    }
    action->messages = g_array_ref(selection->messages);
    action->from = selection->folder;
    if (reading && leaves(action->kind))
        readview_leave_message(app_top(app)); /* on to the next one, before the row goes */
    if (list && list->set && (action->messages->len || action->threads))
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
