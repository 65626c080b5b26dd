#include "config.h"

#include "base/paths.h"
#include "base/text.h"
#include "store/message.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/compose.h"
#include "ui/files.h"
#include "ui/listview.h"
#include "ui/savefile.h"
#include "ui/text.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
attach_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    if (!text || !*text || !compose)
        return;
    g_autofree char *path = paths_expand(text);
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || g_access(path, R_OK) != 0) {
        app_warn(app, _("%s cannot be attached: it is no file that can be read"), path);
        return;
    }
    draft_attach_file(compose->draft, path, NULL, NULL);
    compose_changed(compose);
}

void
command_attach(struct app *app, const char *argument)
{
    if (argument) {
        attach_typed(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Attach file: "),
                               .history = "attach",
                               .complete = savefile_complete,
                               .done = attach_typed};
    prompt_line(app, &spec);
}

static void
attach_message_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    g_autoptr(GError) error = NULL;
    if (!text || !*text || !compose)
        return;
    gint64 id = message_lookup(app->store, text, &error);
    g_autoptr(GBytes) bytes = id ? files_message_bytes(app, id, &error) : NULL;
    g_autoptr(struct_message) row = id ? message_load(app->store, id, NULL) : NULL;
    if (!bytes) {
        app_error(app, _("not attached"), g_steal_pointer(&error));
        return;
    }
    g_autofree char *name = g_strdup_printf("%s.eml", row && *row->subject ? row->subject : "message");
    g_autofree char *safe = text_file_name(name);
    draft_attach_message(compose->draft, bytes, safe);
    compose_changed(compose);
}

/* The newest messages of the list below, to choose from. */
static GPtrArray *
complete_message(struct app *app, const char *text, gsize cursor G_GNUC_UNUSED, gsize *from G_GNUC_UNUSED,
                 gsize *to G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    GPtrArray *result = candidates_new();
    struct listview *list = listview_at_hand(app);
    for (guint i = 0; list && list->set && i < list->set->rows->len && i < 200; i++) {
        const struct list_row *row = g_ptr_array_index(list->set->rows, i);
        g_autofree char *subject = text_safe(row->subject, -1, TEXT_LINE);
        g_autofree char *people = text_safe(row->people, -1, TEXT_LINE);
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, row->message);
        g_autofree char *label = g_strdup_printf("%s   %s", number, subject);
        if (command_fuzzy(text, label))
            g_ptr_array_add(result, candidate_new(number, label, people));
    }
    return result;
}

void
command_attach_message(struct app *app, const char *argument)
{
    if (argument) {
        attach_message_typed(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Attach message: "),
                               .list = TRUE,
                               .free = TRUE,
                               .complete = complete_message,
                               .done = attach_message_typed};
    prompt_line(app, &spec);
}

static GPtrArray *
complete_attachment(struct app *app, const char *text, gsize cursor G_GNUC_UNUSED, gsize *from G_GNUC_UNUSED,
                    gsize *to G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    GPtrArray *result = candidates_new();
    struct compose *compose = compose_at_hand(app);
    for (guint i = 0; compose && i < compose->draft->attachments->len; i++) {
        const struct draft_attachment *attachment = g_ptr_array_index(compose->draft->attachments, i);
        g_autofree char *base = attachment->path ? g_path_get_basename(attachment->path) : NULL;
        g_autofree char *label = g_strdup_printf("[%u] %s", i + 1,
                                                 attachment->name ? attachment->name
                                                 : base           ? base
                                                                  : "?");
        g_autofree char *number = g_strdup_printf("%u", i + 1);
        if (command_fuzzy(text, label))
            g_ptr_array_add(result, candidate_new(number, label, attachment->type));
    }
    return result;
}

static void
with_attachment(struct app *app, const char *label,
                void (*done)(struct app *app, const char *text, gpointer data))
{
    struct compose *compose = compose_at_hand(app);
    guint n = compose->draft->attachments->len;
    if (!n) {
        app_say(app, _("nothing is attached"));
        return;
    }
    if (n == 1) {
        done(app, "1", NULL);
        return;
    }
    struct prompt_spec spec = {.label = label, .list = TRUE, .complete = complete_attachment, .done = done};
    prompt_line(app, &spec);
}

static void
detach_chosen(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    guint64 n = text ? g_ascii_strtoull(text, NULL, 10) : 0;
    if (!compose || !n || n > compose->draft->attachments->len)
        return;
    g_ptr_array_remove_index(compose->draft->attachments, (guint)n - 1);
    compose_changed(compose);
}

void
command_detach(struct app *app, const char *argument G_GNUC_UNUSED)
{
    with_attachment(app, _("Drop attachment: "), detach_chosen);
}

static void
renamed(struct app *app, const char *text, gpointer data)
{
    struct compose *compose = compose_at_hand(app);
    guint i = GPOINTER_TO_UINT(data);
    if (!text || !*text || !compose || i >= compose->draft->attachments->len)
        return;
    struct draft_attachment *attachment = g_ptr_array_index(compose->draft->attachments, i);
    g_free(attachment->name);
    attachment->name = text_file_name(text);
    compose_changed(compose);
}

static void
rename_chosen(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct compose *compose = compose_at_hand(app);
    guint64 n = text ? g_ascii_strtoull(text, NULL, 10) : 0;
    if (!compose || !n || n > compose->draft->attachments->len)
        return;
    const struct draft_attachment *attachment = g_ptr_array_index(compose->draft->attachments, (guint)n - 1);
    g_autofree char *base = attachment->path ? g_path_get_basename(attachment->path) : g_strdup("");
    struct prompt_spec spec = {.label = _("Name: "),
                               .text = attachment->name ? attachment->name : base,
                               .done = renamed,
                               .data = GUINT_TO_POINTER((guint)n - 1)};
    prompt_line(app, &spec);
}

void
command_rename_attachment(struct app *app, const char *argument G_GNUC_UNUSED)
{
    with_attachment(app, _("Rename attachment: "), rename_chosen);
}
