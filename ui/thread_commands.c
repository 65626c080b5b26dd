/* Conversations put right by hand, and silenced. */
#include "config.h"

#include "store/conversation.h"
#include "store/intent.h"
#include "store/message.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/listview.h"
#include "ui/text.h"
#include "ui/writer.h"

enum shaping { SHAPE_JOIN, SHAPE_BREAK, SHAPE_MUTE, SHAPE_LOUD };

struct shape {
    enum shaping kind;
    GArray *messages;
    gint64 parent, journal;
};

static void
shape_free(gpointer data)
{
    struct shape *shape = data;
    g_array_unref(shape->messages);
    g_free(shape);
}

/* On the writer's thread. */
static gboolean
work(struct store *store, gpointer data, GError **error)
{
    struct shape *shape = data;
    const gint64 *ids = (const gint64 *)(gpointer)shape->messages->data;
    guint n = shape->messages->len;
    switch (shape->kind) {
    case SHAPE_JOIN:
        shape->journal = conversation_join(store, ids, n, shape->parent, error);
        break;
    case SHAPE_BREAK:
        shape->journal = conversation_break(store, ids, n, error);
        break;
    case SHAPE_MUTE:
    case SHAPE_LOUD:
        shape->journal = conversation_mute(store, ids, n, shape->kind == SHAPE_MUTE, error);
        break;
    }
    return shape->journal != 0;
}

static void
done(struct app *app, gpointer data, const GError *error)
{
    static const char *const said[] = {N_("joined: one conversation now (u takes it back)"),
                                       N_("broken: a conversation of its own now (u takes it back)"),
                                       N_("silenced: what comes in this conversation counts as read (u takes it back)"),
                                       N_("heard again: what comes in this conversation is news")};
    const struct shape *shape = data;
    if (error)
        app_warn(app, _("not done: %s"), error->message);
    else if (shape->journal == INTENT_NOTHING)
        app_say(app, _("it is so already"));
    else
        app_say(app, "%s", _(said[shape->kind]));
}

/* Takes the messages over. */
static void
start(struct app *app, enum shaping kind, GArray *messages, gint64 parent)
{
    if (!messages->len) {
        g_array_unref(messages);
        app_say(app, _("there is no message to do that to"));
        return;
    }
    struct shape *shape = g_new0(struct shape, 1);
    shape->kind = kind;
    shape->messages = messages;
    shape->parent = parent;
    writer_run(app->writer, work, done, shape, shape_free);
}

void
command_break_thread(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (!act_refused(app))
        start(app, SHAPE_BREAK, app_targets(app), 0);
}

void
command_mute(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (act_refused(app))
        return;
    GArray *messages = app_targets(app);
    g_autoptr(struct_message) row =
        messages->len ? message_load(app->store, g_array_index(messages, gint64, 0), NULL) : NULL;
    start(app, row && conversation_is_muted(app->store, row->thread) ? SHAPE_LOUD : SHAPE_MUTE, messages, 0);
}

/* Marked messages, and the first one of each marked conversation, but not the one under the cursor. */
static GArray *
marked_heads(struct listview *list, const struct list_row *under)
{
    GArray *messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, list->marks);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        gint64 id = *(gint64 *)key, message = id > 0 ? id : conversation_first(list->set->store, -id);
        if (message && id != -under->thread && message != under->message)
            g_array_append_val(messages, message);
    }
    return messages;
}

void
command_join_thread(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = listview_at_hand(app);
    struct list_line *line = list && list->set ? listview_current(list) : NULL;
    app->tagged = FALSE;
    if (!line || !line->row || act_refused(app))
        return;
    if (!g_hash_table_size(list->marks)) {
        app_say(app, _("mark with t what belongs here, then this joins it to the line under the cursor"));
        return;
    }
    start(app, SHAPE_JOIN, marked_heads(list, line->row), line->row->message);
    g_hash_table_remove_all(list->marks);
}
