#include "config.h"

#include "base/error.h"
#include "base/flags.h"
#include "base/text.h"
#include "store/contact.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/message.h"
#include "ui/act.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/files.h"
#include "ui/foldpick.h"
#include "ui/listview.h"
#include "ui/readview.h"
#include "ui/spawn.h"
#include "ui/text.h"
#include "ui/textview.h"
#include "ui/writer.h"

#include <string.h>

/* ---- flags ---- */

/* What the flags are now, of what the next command is for. */
static void
flags_at_hand(struct app *app, gboolean *seen, gboolean *flagged)
{
    *seen = TRUE;
    *flagged = FALSE;
    struct view *top = app_top(app);
    if (top->class == &read_class) {
        const struct message *row = ((struct readview *)top)->row;
        *seen = !row || row->flags & FLAG_SEEN;
        *flagged = row && row->flags & FLAG_FLAGGED;
    } else if (top->class == &list_class && ((struct listview *)top)->set) {
        g_autoptr(struct_selection) selection = listview_selection((struct listview *)top, app->tagged);
        *seen = selection->all_seen;
        *flagged = selection->any_flagged;
    }
}

/* After a flag the cursor goes on, as in mutt, unless many were marked. */
static void
move_on(struct app *app, gboolean tagged)
{
    if (!tagged && app_top(app)->class == &list_class)
        listview_move((struct listview *)app_top(app), MOVE_NEXT);
}

static void
change_flags(struct app *app, guint set, guint clear, const char *said)
{
    gboolean tagged = app->tagged;
    act_flags(app, set, clear, said);
    move_on(app, tagged);
}

void
command_flag(struct app *app, const char *argument G_GNUC_UNUSED)
{
    gboolean seen, flagged;
    flags_at_hand(app, &seen, &flagged);
    change_flags(app, flagged ? 0 : FLAG_FLAGGED, flagged ? FLAG_FLAGGED : 0,
                 flagged ? _("no longer flagged") : _("flagged"));
}

void
command_toggle_unread(struct app *app, const char *argument G_GNUC_UNUSED)
{
    gboolean seen, flagged;
    flags_at_hand(app, &seen, &flagged);
    change_flags(app, seen ? 0 : FLAG_SEEN, seen ? FLAG_SEEN : 0, seen ? _("unread") : _("read"));
}

static void
flag_chosen(struct app *app, gunichar key, gpointer data)
{
    gboolean on = GPOINTER_TO_INT(data);
    guint flag = key == '!'   ? FLAG_FLAGGED
                 : key == 'r' ? FLAG_ANSWERED
                 : key == 'd' ? FLAG_DELETED
                 : key == 'n' ? FLAG_SEEN
                              : 0;
    if (!flag)
        return;
    if (key == 'n') /* "new" is the reverse of seen */
        on = !on;
    change_flags(app, on ? flag : 0, on ? 0 : flag, _("changed"));
}

static void
choose_flag(struct app *app, gboolean on)
{
    static const struct prompt_choice choices[] = {
        {'!', N_("flagged")}, {'n', N_("new")}, {'r', N_("replied")}, {'d', N_("deleted")}, {0, NULL},
    };
    prompt_choose(app, on ? _("Set flag:") : _("Clear flag:"), choices, flag_chosen, GINT_TO_POINTER(on),
                  NULL);
}

void
command_set_flag(struct app *app, const char *argument G_GNUC_UNUSED)
{
    choose_flag(app, TRUE);
}

void
command_clear_flag(struct app *app, const char *argument G_GNUC_UNUSED)
{
    choose_flag(app, FALSE);
}

/* ---- tags ---- */

static void
tags_typed(struct app *app, const char *text, gpointer data)
{
    if (GPOINTER_TO_INT(data))
        app->tagged = TRUE;
    if (!text || !*text)
        return;
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    g_autofree char *add = g_strdup("");
    g_autofree char *take = g_strdup("");
    for (char **word = words; *word; word++) {
        gboolean minus = **word == '-';
        const char *tag = **word == '+' || minus ? *word + 1 : *word;
        if (!*tag)
            continue;
        if (!tag_is_valid(tag)) {
            app_warn(app, _("\"%s\" cannot be a tag: letters, digits and -_.$ make one"), tag);
            return;
        }
        char **where = minus ? &take : &add;
        char *more = tags_add(*where, tag);
        g_free(*where);
        *where = more;
    }
    act_tags(app, *add ? add : NULL, *take ? take : NULL);
}

static GPtrArray *
complete_tags(struct app *app, const char *text, gsize cursor, gsize *from, gsize *to,
              gpointer data G_GNUC_UNUSED)
{
    gsize start = cursor;
    while (start > 0 && text[start - 1] != ' ')
        start--;
    if (text[start] == '+' || text[start] == '-')
        start++;
    *from = start;
    *to = cursor;
    g_autofree char *typed = g_strndup(text + start, cursor - start);
    GPtrArray *result = candidates_new(), *used = list_tags(app->store, NULL);
    for (guint i = 0; used && i < used->len; i++) {
        const struct list_tag *tag = g_ptr_array_index(used, i);
        g_autofree char *note = g_strdup_printf("%" G_GINT64_FORMAT, tag->count);
        if (g_str_has_prefix(tag->tag, typed))
            g_ptr_array_add(result, candidate_new(tag->tag, NULL, note));
    }
    if (used)
        g_ptr_array_unref(used);
    return result;
}

void
command_tag(struct app *app, const char *argument)
{
    if (argument) {
        tags_typed(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Tags (+add -remove): "),
                               .history = "tag",
                               .complete = complete_tags,
                               .done = tags_typed,
                               .data = GINT_TO_POINTER(app->tagged)};
    prompt_line(app, &spec);
}

/* ---- filing ---- */

void
command_delete(struct app *app, const char *argument G_GNUC_UNUSED)
{
    act_file(app, ACT_DELETE, 0);
}

void
command_delete_thread(struct app *app, const char *argument G_GNUC_UNUSED)
{
    act_delete_conversations(app);
}

static void
expunge_yes(struct app *app, gpointer data)
{
    app->tagged = GPOINTER_TO_INT(data);
    act_file(app, ACT_EXPUNGE, 0);
}

void
command_expunge(struct app *app, const char *argument G_GNUC_UNUSED)
{
    prompt_confirm(app, _("Delete for good, here and on the server?"), expunge_yes,
                   GINT_TO_POINTER(app->tagged), NULL);
}

void
command_archive(struct app *app, const char *argument G_GNUC_UNUSED)
{
    act_file(app, ACT_ARCHIVE, 0);
}

void
command_junk(struct app *app, const char *argument G_GNUC_UNUSED)
{
    act_file(app, ACT_JUNK, 0);
}

void
command_not_junk(struct app *app, const char *argument G_GNUC_UNUSED)
{
    act_file(app, ACT_NOT_JUNK, 0);
}

struct filing {
    enum act_kind kind;
    gboolean tagged;
};

static void
folder_picked(struct app *app, gint64 folder, gpointer data)
{
    struct filing *filing = data;
    app->tagged = filing->tagged;
    act_file(app, filing->kind, folder);
}

static void
file_into(struct app *app, enum act_kind kind, const char *argument)
{
    if (act_refused(app))
        return;
    struct filing *filing = g_new0(struct filing, 1);
    filing->kind = kind;
    filing->tagged = app->tagged;
    foldpick(app, kind == ACT_MOVE ? _("Move to: ") : _("Copy to: "), argument, TRUE, folder_picked, filing,
             g_free);
}

void
command_save(struct app *app, const char *argument)
{
    file_into(app, ACT_MOVE, argument);
}

void
command_copy(struct app *app, const char *argument)
{
    file_into(app, ACT_COPY, argument);
}

static gboolean
mark_folders(struct store *store, gpointer data, GError **error)
{
    const GArray *folders = data;
    if (folders->len == 1)
        return intent_mark_folder(store, g_array_index(folders, gint64, 0), FLAG_SEEN, 0, error) != 0;
    if (!intent_group_begin(store, error))
        return FALSE;
    gboolean ok = TRUE;
    for (guint i = 0; i < folders->len && ok; i++)
        ok = intent_mark_folder(store, g_array_index(folders, gint64, i), FLAG_SEEN, 0, error) != 0;
    return intent_group_end(store, ok, _("mark everything as read"), error) != 0;
}

void
command_mark_all_read(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct listview *list = listview_at_hand(app);
    if (!list || !list->set || act_refused(app))
        return;
    const struct list_view *view = &list->set->view;
    if (list->search || list->limit || !view->n_folders) {
        app_say(app, _("this is for folders: T * marks all that was found, then ; N"));
        return;
    }
    GArray *folders = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_array_append_vals(folders, view->folders, view->n_folders);
    writer_run(app->writer, mark_folders, NULL, folders, (GDestroyNotify)g_array_unref);
    app_say(app, _("everything in %s counts as read (u takes it back)"), list->name);
}

/* ---- going to a folder ---- */

static void
go_to(struct app *app, gint64 folder, gpointer data G_GNUC_UNUSED)
{
    /* Back down to the first list. */
    while (app->views->len > 1)
        app_pop(app);
    listview_show_folder((struct listview *)app_top(app), folder);
}

void
command_change_folder(struct app *app, const char *argument)
{
    foldpick(app, _("Folder: "), argument, FALSE, go_to, NULL, NULL);
}

/* ---- pipe, print, raw ---- */

static void
piped(struct app *app, const char *text, gpointer data)
{
    g_autofree gint64 *message = g_memdup2(data, sizeof(gint64));
    if (!text || !*text)
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = files_message_bytes(app, *message, &error);
    if (!bytes) {
        app_error(app, _("the message cannot be read"), g_steal_pointer(&error));
        return;
    }
    const char *argv[] = {"sh", "-c", text, NULL};
    spawn_filter(app, argv, bytes, text);
}

static gint64
single_target(struct app *app)
{
    g_autoptr(GArray) messages = app_targets(app);
    if (!messages->len) {
        app_say(app, _("there is no message here"));
        return 0;
    }
    return g_array_index(messages, gint64, 0);
}

void
command_pipe(struct app *app, const char *argument)
{
    gint64 message = single_target(app);
    if (!message)
        return;
    if (argument) {
        piped(app, argument, &message);
        return;
    }
    struct prompt_spec spec = {.label = _("Pipe to command: "),
                               .history = "shell",
                               .done = piped,
                               .data = g_memdup2(&message, sizeof message),
                               .destroy = g_free};
    prompt_line(app, &spec);
}

static void
print_document(struct app *app, gint64 message G_GNUC_UNUSED, const struct document *document,
               GBytes *bytes G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    GString *text = g_string_new(NULL);
    static const char *const fields[] = {"From", "To", "Cc", "Date", "Subject"};
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *value = document_header(document, fields[i]);
        g_autofree char *safe = value ? text_safe(value, -1, TEXT_LINE) : NULL;
        if (safe)
            g_string_append_printf(text, "%s: %s\n", fields[i], safe);
    }
    g_autofree char *body = text_safe(document->text, -1, TEXT_BODY);
    g_string_append_printf(text, "\n%s", body);
    g_autoptr(GBytes) page = g_string_free_to_bytes(text);
    g_autofree char *lpr = g_find_program_in_path("lpr");
    g_autofree char *lp = lpr ? NULL : g_find_program_in_path("lp");
    if (!lpr && !lp) {
        app_warn(app, _("there is no printer command (lpr or lp) here: | pipes the message to any other"));
        return;
    }
    const char *argv[] = {lpr ? lpr : lp, NULL};
    spawn_filter(app, argv, page, _("print"));
}

void
command_print(struct app *app, const char *argument G_GNUC_UNUSED)
{
    gint64 message = single_target(app);
    if (message)
        read_document(app, message, print_document, NULL, NULL);
}

void
command_raw(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct view *top = app_top(app);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    if (top->class == &read_class && ((struct readview *)top)->bytes) {
        bytes = g_bytes_ref(((struct readview *)top)->bytes);
    } else {
        gint64 message = single_target(app);
        if (!message)
            return;
        bytes = files_message_bytes(app, message, &error);
    }
    if (!bytes) {
        app_error(app, _("the message cannot be read"), g_steal_pointer(&error));
        return;
    }
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    textview_open_bytes(app, _("As it lies on disk"), text, MIN(length, 4 * 1024 * 1024));
}

/* ---- contacts ---- */

static gboolean
add_contact(struct store *store, gpointer data, GError **error)
{
    const struct address *address = data;
    return contact_add(store, address->name, address->addr, error);
}

static void
contact_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    if (!text || !*text || act_refused(app))
        return;
    g_autoptr(GError) error = NULL;
    struct address *address = address_parse(text, &error);
    if (!address) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    app_say(app, _("%s is kept"), text);
    writer_run(app->writer, add_contact, NULL, address, (GDestroyNotify)address_free);
}

void
command_add_contact(struct app *app, const char *argument G_GNUC_UNUSED)
{
    gint64 message = single_target(app);
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_message) row = message ? message_load(app->store, message, &error) : NULL;
    if (!row) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    struct address address = {row->from_name, row->from_addr};
    g_autofree char *text = row->from_addr ? address_format(&address) : g_strdup("");
    struct prompt_spec spec = {.label = _("Keep contact: "), .text = text, .done = contact_typed};
    prompt_line(app, &spec);
}
