#include "config.h"

#include "ui/compose.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/paths.h"
#include "mail/draftfile.h"
#include "ui/app.h"
#include "ui/editor.h"
#include "ui/savefile.h"
#include "ui/spawn.h"
#include "ui/text.h"

#include <glib/gstdio.h>
#include <string.h>

#define EDIT_MAX (16 * 1024 * 1024)

/* ---- what comes back from an editor ---- */

static void
unchanged_chosen(struct app *app, gunichar key, gpointer data)
{
    struct compose *compose = data;
    if (key == 'd' && compose_at_hand(app) == compose) {
        compose_drop_autosave(compose);
        app_say(app, _("dropped"));
        app_remove(app, &compose->view);
    }
}

static void
take_text(struct compose *compose, const char *text, gsize length, gboolean headers)
{
    struct app *app = compose->view.app;
    gboolean same = compose->edit_before && !strcmp(compose->edit_before, text);
    gboolean fresh = compose->fresh;
    compose->fresh = FALSE;
    g_clear_pointer(&compose->edit_before, g_free);
    if (same) {
        static const struct prompt_choice choices[] = {{'d', N_("drop it")}, {'k', N_("keep it")}, {0, NULL}};
        if (fresh)
            prompt_choose(app, _("The text was not changed:"), choices, unchanged_chosen, compose, NULL);
        return;
    }
    if (headers) {
        g_autoptr(GError) error = NULL;
        if (!draftfile_parse(text, length, compose->draft, &error)) {
            /* Nothing typed is lost: all of it is the text until it is mended. */
            draft_set_body(compose->draft, text);
            app_error(app, _("the header cannot be read, E edits it again"), g_steal_pointer(&error));
        }
    } else {
        draft_set_body(compose->draft, text);
    }
    compose_changed(compose);
}

/* ---- an editor of the user's ---- */

static char *
read_back(struct compose *compose, gsize *length, GError **error)
{
    char *text = NULL;
    if (!g_file_get_contents(compose->edit_path, &text, length, error))
        return NULL;
    if (*length > EDIT_MAX) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, _("the text is longer than %d MB"),
                    EDIT_MAX / 1024 / 1024);
        g_free(text);
        return NULL;
    }
    char *valid = g_utf8_make_valid(text, (gssize)*length);
    *length = strlen(valid);
    g_free(text);
    return valid;
}

static void
edited(struct app *app, gboolean ok, gpointer data)
{
    struct compose *compose = data;
    if (!g_ptr_array_find(app->views, compose, NULL))
        return;
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    g_autofree char *text = read_back(compose, &length, &error);
    if (!text)
        app_error(app, _("the edited text cannot be read"), g_steal_pointer(&error));
    else
        take_text(compose, text, length, compose->edit_headers);
    if (!ok)
        app_warn(app, _("the editor did not end well; its text was taken as it lay on disk"));
    g_unlink(compose->edit_path);
    g_clear_pointer(&compose->edit_path, g_free);
}

static gboolean
write_out(struct compose *compose, GError **error)
{
    g_autofree char *state = paths_state_dir();
    g_autofree char *directory = g_build_filename(state, "compose", NULL);
    if (!paths_make_dir(directory, error))
        return FALSE;
    g_autofree char *target = g_build_filename(directory, "message.eml", NULL);
    return savefile_write(target, "message.eml", compose->edit_before, strlen(compose->edit_before),
                          &compose->edit_path, error);
}

static void
external(struct compose *compose, const char *command)
{
    struct app *app = compose->view.app;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = NULL;
    int n = 0;
    if (!g_shell_parse_argv(command, &n, &words, &error)) {
        app_error(app, _("the editor's command cannot be read"), g_steal_pointer(&error));
        return;
    }
    if (!write_out(compose, &error)) {
        app_error(app, _("the text cannot be written for the editor"), g_steal_pointer(&error));
        return;
    }
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    for (int i = 0; i < n; i++)
        g_ptr_array_add(argv, words[i]);
    g_ptr_array_add(argv, compose->edit_path);
    g_ptr_array_add(argv, NULL);
    if (!spawn_terminal(app, (const char *const *)argv->pdata, NULL, edited, compose, NULL, &error)) {
        g_unlink(compose->edit_path);
        g_clear_pointer(&compose->edit_path, g_free);
        app_error(app, _("the editor could not be started"), g_steal_pointer(&error));
    }
}

/* ---- the editor of the program ---- */

static void
built_in_done(struct app *app, const char *text, gpointer data)
{
    struct compose *compose = data;
    if (g_ptr_array_find(app->views, compose, NULL) && text)
        take_text(compose, text, strlen(text), compose->edit_headers);
}

/* Keeps what is typed there too. */
static void
built_in_changed(struct app *app, const char *text, gpointer data)
{
    struct compose *compose = data;
    if (!g_ptr_array_find(app->views, compose, NULL) || compose->edit_headers)
        return;
    draft_set_body(compose->draft, text);
    compose->touched = compose->changed = TRUE;
}

void
compose_edit(struct compose *compose, gboolean headers)
{
    struct app *app = compose->view.app;
    g_free(compose->edit_before);
    compose->edit_headers = headers;
    compose->edit_before = draftfile_format(compose->draft, headers);
    g_autofree char *command = spawn_editor_command(app);
    if (command)
        external(compose, command);
    else
        editor_open(app, *compose->draft->subject ? compose->draft->subject : _("New message"),
                    compose->edit_before, built_in_changed, built_in_done, compose);
}
