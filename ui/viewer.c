#include "config.h"

#include "ui/viewer.h"

#include "base/error.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/text.h"
#include "ui/app.h"
#include "ui/savefile.h"
#include "ui/spawn.h"
#include "ui/text.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- mailcap ---- */

static void
entry_free(gpointer data)
{
    struct mailcap_entry *entry = data;
    g_free(entry->type);
    g_free(entry->view);
    g_free(entry->test);
    g_free(entry->nametemplate);
    g_free(entry);
}

/* Fields of a line: separated by ';', a backslash takes the next character as it is. */
static GPtrArray *
split_fields(const char *line)
{
    GPtrArray *fields = g_ptr_array_new_with_free_func(g_free);
    GString *field = g_string_new(NULL);
    for (const char *p = line;; p++) {
        if (*p == '\\' && p[1]) {
            g_string_append_c(field, *++p);
            continue;
        }
        if (*p && *p != ';') {
            g_string_append_c(field, *p);
            continue;
        }
        g_ptr_array_add(fields, g_strstrip(g_strdup(field->str)));
        g_string_truncate(field, 0);
        if (!*p)
            break;
    }
    g_string_free(field, TRUE);
    return fields;
}

static void
parse_line(GPtrArray *entries, const char *line)
{
    g_autoptr(GPtrArray) fields = split_fields(line);
    if (fields->len < 2 || !*(char *)g_ptr_array_index(fields, 0) || !*(char *)g_ptr_array_index(fields, 1))
        return;
    struct mailcap_entry *entry = g_new0(struct mailcap_entry, 1);
    entry->type = g_ascii_strdown(g_ptr_array_index(fields, 0), -1);
    entry->view = g_strdup(g_ptr_array_index(fields, 1));
    for (guint i = 2; i < fields->len; i++) {
        const char *field = g_ptr_array_index(fields, i);
        const char *value = strchr(field, '=');
        if (!g_ascii_strcasecmp(field, "copiousoutput"))
            entry->copiousoutput = TRUE;
        else if (!g_ascii_strcasecmp(field, "needsterminal"))
            entry->needsterminal = TRUE;
        else if (value && !g_ascii_strncasecmp(field, "test", 4) && !entry->test)
            entry->test = g_strstrip(g_strdup(value + 1));
        else if (value && !g_ascii_strncasecmp(field, "nametemplate", 12) && !entry->nametemplate)
            entry->nametemplate = g_strstrip(g_strdup(value + 1));
    }
    g_ptr_array_add(entries, entry);
}

GPtrArray *
mailcap_parse(const char *text)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) whole = g_string_new(NULL);
    for (char **line = lines; *line; line++) {
        gsize length = strlen(*line);
        if (!whole->len && (**line == '#' || !length))
            continue;
        gboolean more = length && (*line)[length - 1] == '\\';
        g_string_append_len(whole, *line, (gssize)(length - more));
        if (more)
            continue;
        parse_line(entries, whole->str);
        g_string_truncate(whole, 0);
    }
    return entries;
}

gboolean
mailcap_matches(const struct mailcap_entry *entry, const char *type)
{
    if (!g_ascii_strcasecmp(entry->type, type))
        return TRUE;
    const char *slash = strchr(entry->type, '/');
    gboolean wild = !slash || !strcmp(slash, "/*");
    gsize n = slash ? (gsize)(slash - entry->type) : strlen(entry->type);
    return wild && !g_ascii_strncasecmp(entry->type, type, n) && type[n] == '/';
}

char *
mailcap_command(const char *view, const char *file, const char *type, gboolean *uses_file)
{
    GString *out = g_string_new(NULL);
    *uses_file = FALSE;
    for (const char *p = view; *p; p++) {
        if (*p != '%') {
            g_string_append_c(out, *p);
            continue;
        }
        p++;
        if (*p == 's') {
            g_autofree char *quoted = g_shell_quote(file);
            g_string_append(out, quoted);
            *uses_file = TRUE;
        } else if (*p == 't') {
            g_autofree char *quoted = g_shell_quote(type);
            g_string_append(out, quoted);
        } else if (*p == '{') { /* parameters of the message are not handed to a shell */
            const char *end = strchr(p, '}');
            if (!end)
                break;
            g_string_append(out, g_ascii_strncasecmp(p, "{charset}", 9) ? "''" : "utf-8");
            p = end;
        } else if (*p == '%') {
            g_string_append_c(out, '%');
        } else if (!*p) {
            break;
        }
    }
    /* Quotes around %s in the file would end ours: '%s' is the usual form, so take doubled ones away. */
    char *text = g_string_free(out, FALSE);
    g_autofree char *quoted = g_shell_quote(file);
    g_autofree char *single = g_strdup_printf("'%s'", quoted);
    g_autofree char *dbl = g_strdup_printf("\"%s\"", quoted);
    const char *forms[] = {single, dbl};
    for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_auto(GStrv) pieces = g_strsplit(text, forms[i], -1);
        g_free(text);
        text = g_strjoinv(quoted, pieces);
    }
    return text;
}

static GPtrArray *
load_mailcaps(void)
{
    const char *set = g_getenv("MAILCAPS");
    g_auto(GStrv) paths = g_strsplit(
        set && *set ? set : "~/.mailcap:/etc/mailcap:/usr/etc/mailcap:/usr/local/etc/mailcap", ":", -1);
    GString *all = g_string_new(NULL);
    for (char **path = paths; *path; path++) {
        g_autofree char *expanded = paths_expand(*path);
        g_autofree char *text = NULL;
        if (g_file_get_contents(expanded, &text, NULL, NULL))
            g_string_append_printf(all, "%s\n", text);
    }
    GPtrArray *entries = mailcap_parse(all->str);
    g_string_free(all, TRUE);
    return entries;
}

/* ---- files that are shown ---- */

static char *session_directory;

static const char *
private_directory(GError **error)
{
    if (session_directory)
        return session_directory;
    g_autofree char *runtime = paths_runtime_dir();
    g_autofree char *pattern = g_build_filename(runtime, "view-XXXXXX", NULL);
    if (!paths_make_dir(runtime, error))
        return NULL;
    if (!g_mkdtemp_full(pattern, 0700)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, _("%s: no directory can be made there"),
                    runtime);
        return NULL;
    }
    session_directory = g_steal_pointer(&pattern);
    return session_directory;
}

void
viewer_cleanup(void)
{
    if (!session_directory)
        return;
    GDir *dir = g_dir_open(session_directory, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(session_directory, name, NULL);
        g_unlink(path);
    }
    if (dir)
        g_dir_close(dir);
    g_rmdir(session_directory);
    g_clear_pointer(&session_directory, g_free);
}

/* A name of ours, with the ending that viewers go by. */
static char *
file_for(const char *name, const char *template, GBytes *content, GError **error)
{
    static guint counter;
    const char *directory = private_directory(error);
    if (!directory)
        return NULL;
    g_autofree char *safe = text_file_name(name);
    const char *dot = strrchr(safe, '.');
    g_autofree char *plain = g_strdup_printf("part-%u%s", ++counter, dot && strlen(dot) < 12 ? dot : "");
    g_autofree char *file =
        template && strstr(template, "%s") && !strchr(template, '/') ? NULL : g_strdup(plain);
    if (!file) {
        g_autofree char *stem = g_strdup_printf("part-%u", counter);
        g_auto(GStrv) pieces = g_strsplit(template, "%s", 2);
        file = g_strconcat(pieces[0], stem, pieces[1], NULL);
    }
    g_autofree char *target = g_build_filename(directory, file, NULL);
    char *path = NULL;
    gsize length;
    const void *bytes = g_bytes_get_data(content, &length);
    return savefile_write(target, file, bytes, length, &path, error) ? path : NULL;
}

static gboolean
test_passes(const char *test)
{
    if (!test)
        return TRUE;
    int status = 1;
    const char *argv[] = {"sh", "-c", test, NULL};
    return g_spawn_sync(NULL, (char **)argv, NULL,
                        G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                        NULL, NULL, NULL, &status, NULL) &&
           WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
viewed(struct app *app, gboolean ok, gpointer data)
{
    g_unlink(data);
    if (!ok)
        app_warn(app, _("the viewer did not end well"));
}

static void
run_entry(struct app *app, const struct mailcap_entry *entry, const char *type, const char *name,
          GBytes *content)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = file_for(name, entry->nametemplate, content, &error);
    if (!path) {
        app_error(app, _("not shown"), g_steal_pointer(&error));
        return;
    }
    gboolean uses_file = FALSE;
    g_autofree char *line = mailcap_command(entry->view, path, type, &uses_file);
    if (!uses_file) {
        g_autofree char *quoted = g_shell_quote(path);
        char *redirected = g_strdup_printf("{ %s ; } < %s", line, quoted);
        g_free(line);
        line = redirected;
    }
    const char *argv[] = {"sh", "-c", line, NULL};
    g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
    gboolean graphical = (g_getenv("DISPLAY") || g_getenv("WAYLAND_DISPLAY")) && !entry->needsterminal;
    if (entry->copiousoutput)
        spawn_filter(app, argv, nothing, name);
    else if (graphical ? !spawn_detached(argv, &error)
                       : !spawn_terminal(app, argv, NULL, viewed, g_strdup(path), g_free, &error))
        app_error(app, _("not shown"), g_steal_pointer(&error));
}

void
viewer_open(struct app *app, const char *type, const char *name, GBytes *content)
{
    g_autoptr(GPtrArray) entries = load_mailcaps();
    for (guint i = 0; i < entries->len; i++) {
        const struct mailcap_entry *entry = g_ptr_array_index(entries, i);
        if (mailcap_matches(entry, type) && test_passes(entry->test)) {
            run_entry(app, entry, type, name, content);
            return;
        }
    }
    gboolean graphical = g_getenv("DISPLAY") || g_getenv("WAYLAND_DISPLAY");
    g_autofree char *opener = graphical ? g_find_program_in_path("xdg-open") : NULL;
    if (!opener) {
        app_warn(app, _("no program is known for %s (mailcap): s saves it, | pipes it"), type);
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *path = file_for(name, NULL, content, &error);
    const char *argv[] = {opener, path, NULL};
    if (!path || !spawn_detached(argv, &error))
        app_error(app, _("not shown"), g_steal_pointer(&error));
}
