#include "config.h"

#include "ui/foldpick.h"

#include "base/error.h"
#include "base/text.h"
#include "store/folder.h"
#include "store/intent.h"
#include "ui/app.h"
#include "ui/command.h"
#include "ui/listview.h"
#include "ui/text.h"
#include "ui/writer.h"

#include <string.h>

struct pick {
    gboolean create;
    void (*picked)(struct app *app, gint64 folder, gpointer data);
    gpointer data;
    GDestroyNotify destroy;
    gint64 account;
    char *name;    /* of the folder being made */
    gint64 folder; /* made */
    int references;
};

static struct pick *
pick_ref(struct pick *pick)
{
    pick->references++;
    return pick;
}

static void
pick_free(gpointer data)
{
    struct pick *pick = data;
    if (--pick->references)
        return;
    if (pick->destroy)
        pick->destroy(pick->data);
    g_free(pick->name);
    g_free(pick);
}

static gint64
account_at_hand(struct app *app)
{
    struct listview *list = listview_at_hand(app);
    if (list && list->account_id)
        return list->account_id;
    g_autoptr(struct_folder) folder =
        list && list->set ? folder_get(app->store, listview_folder(list), NULL) : NULL;
    return folder ? folder->account : 0;
}

struct scored {
    const struct folder *folder;
    int score;
    guint order;
};

static int
compare(gconstpointer a, gconstpointer b)
{
    const struct scored *x = a, *y = b;
    return x->score != y->score ? y->score - x->score : (int)x->order - (int)y->order;
}

static GPtrArray *
complete(struct app *app, const char *text, gsize cursor G_GNUC_UNUSED, gsize *from G_GNUC_UNUSED,
         gsize *to G_GNUC_UNUSED, gpointer data)
{
    struct pick *pick = data;
    GPtrArray *result = candidates_new();
    g_autoptr(GPtrArray) folders = folder_list(app->store, 0, FALSE, NULL);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct scored));
    const char *plain = *text == '=' || *text == '+' ? text + 1 : text;
    for (guint i = 0; folders && i < folders->len; i++) {
        const struct folder *folder = g_ptr_array_index(folders, i);
        g_autofree char *full = g_strdup_printf("%s/%s", folder->account_name, folder->name);
        struct scored scored = {folder,
                                MAX(command_fuzzy(plain, folder->name), command_fuzzy(plain, full) / 2), i};
        if (!scored.score || !(folder->bits & FOLDER_SELECTABLE || folder->total || !folder->wire))
            continue;
        if (folder->account == pick->account)
            scored.score += 4; /* the account at hand first */
        g_array_append_val(found, scored);
    }
    g_array_sort(found, compare);
    for (guint i = 0; i < found->len; i++) {
        const struct folder *folder = g_array_index(found, struct scored, i).folder;
        g_autofree char *full = g_strdup_printf("%s/%s", folder->account_name, folder->name);
        g_autofree char *label = text_safe(folder->name, -1, TEXT_LINE);
        g_autofree char *note = folder->unread ? g_strdup_printf(_("%s   %" G_GINT64_FORMAT " unread"),
                                                                 folder->account_name, folder->unread)
                                               : g_strdup(folder->account_name);
        g_ptr_array_add(result, candidate_new(full, label, note));
    }
    return result;
}

static gboolean
create_work(struct store *store, gpointer data, GError **error)
{
    struct pick *pick = data;
    return intent_folder_create(store, pick->account, pick->name, &pick->folder, error) != 0;
}

static void
created(struct app *app, gpointer data, const GError *error)
{
    struct pick *pick = data;
    if (error)
        app_warn(app, _("the folder was not made: %s"), error->message);
    else
        pick->picked(app, pick->folder, pick->data);
}

static void
create_yes(struct app *app, gpointer data)
{
    writer_run(app->writer, create_work, created, pick_ref(data), pick_free);
}

static void
chosen(struct app *app, const char *text, gpointer data)
{
    struct pick *pick = data;
    if (!text || !*text)
        return;
    g_autoptr(GError) error = NULL;
    gint64 folder = folder_lookup(app->store, pick->account, text, &error);
    if (folder) {
        pick->picked(app, folder, pick->data);
        return;
    }
    if (!pick->create || !g_error_matches(error, store_error_quark(), ERROR_NOINPUT) || !pick->account ||
        app->read_only) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    pick->name = g_strdup(*text == '=' || *text == '+' ? text + 1 : text);
    g_autofree char *question = g_strdup_printf(_("There is no folder %s. Make it?"), pick->name);
    prompt_confirm(app, question, create_yes, pick_ref(pick), pick_free);
}

void
foldpick(struct app *app, const char *label, const char *name, gboolean create,
         void (*picked)(struct app *app, gint64 folder, gpointer data), gpointer data, GDestroyNotify destroy)
{
    struct pick *pick = g_new0(struct pick, 1);
    *pick = (struct pick){create, picked, data, destroy, 0, NULL, 0, 1};
    if (!app->store) {
        pick_free(pick);
        return;
    }
    pick->account = account_at_hand(app);
    if (name) {
        chosen(app, name, pick);
        pick_free(pick);
        return;
    }
    struct prompt_spec spec = {.label = label,
                               .history = "folder",
                               .list = TRUE,
                               .free = FALSE,
                               .complete = complete,
                               .done = chosen,
                               .data = pick,
                               .destroy = pick_free};
    /* A name that fits nothing is still taken where a folder may be made. */
    spec.free = create;
    prompt_line(app, &spec);
}
