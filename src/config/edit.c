/* Changes to the configuration file: everything that a person wrote stays as it is. */
#include "config.h"

#include "config/values.h"
#include "base/error.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Written beside it, flushed, renamed; a symbolic link (a dotfiles repository) stays one. */
static gboolean
write_file(const char *path, const char *text, GError **error)
{
    g_autofree char *real = realpath(path, NULL);
    g_autofree char *target = g_strdup(real ? real : path);
    g_autofree char *dir = g_path_get_dirname(target);
    if (!paths_make_dir(dir, error))
        return FALSE;
    g_autofree char *temporary = g_strconcat(target, ".new", NULL);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    gsize len = strlen(text);
    gboolean ok = fd >= 0 && write(fd, text, len) == (gssize)len && fsync(fd) == 0;
    int err = errno;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    if (ok && rename(temporary, target) == 0)
        return TRUE;
    err = ok ? errno : err;
    unlink(temporary);
    error_set_errno(error, CONFIG_ERROR, err, "the configuration %s cannot be written", target);
    return FALSE;
}

gboolean
config_add_section(const char *path, const char *section, const char *const *pairs, GError **error)
{
    g_autofree char *where = config_usual_path(path);
    g_autofree char *old = config_read_file(where, error);
    if (!old)
        return FALSE;
    g_autoptr(GString) text = g_string_new(old);
    if (text->len && text->str[text->len - 1] != '\n')
        g_string_append_c(text, '\n');
    g_string_append_printf(text, "%s[%s]\n", text->len ? "\n" : "", section);
    for (; *pairs; pairs += 2) {
        if (strpbrk(pairs[0], "\r\n=[") || strpbrk(pairs[1], "\r\n")) {
            g_set_error(error, CONFIG_ERROR, ERROR_INPUT, "the value of %s has a line break", pairs[0]);
            return FALSE;
        }
        g_string_append_printf(text, "%s = %s\n", pairs[0], pairs[1]);
    }
    g_autoptr(struct_config) checked = config_parse(text->str, where, error);
    return checked && write_file(where, text->str, error);
}

/* "[section]" */
static gboolean
begins_section(const char *line, const char *section)
{
    g_autofree char *text = g_strstrip(g_strdup(line));
    gsize length = strlen(text);
    if (*text != '[' || (section && (length < 2 || text[length - 1] != ']')))
        return FALSE;
    if (!section)
        return TRUE;
    text[length - 1] = '\0';
    return !strcmp(g_strstrip(text + 1), section);
}

static gboolean
sets_key(const char *line, const char *key)
{
    g_autofree char *text = g_strstrip(g_strdup(line));
    char *equals = strchr(text, '=');
    if (*text == '#' || *text == ';' || !equals)
        return FALSE;
    *equals = '\0';
    return !strcmp(g_strstrip(text), key);
}

/* The line of `lines` where the key is set, or -1; *end: the line behind the last one of the section that says something,
 * 0: there is no such section. */
static gint
find_key(const GPtrArray *lines, const char *section, const char *key, guint *end)
{
    gboolean inside = FALSE;
    *end = 0;
    for (guint i = 0; i < lines->len; i++) {
        const char *line = g_ptr_array_index(lines, i);
        if (begins_section(line, NULL)) {
            inside = !*end && begins_section(line, section);
            *end = inside ? i + 1 : *end;
        } else if (inside && sets_key(line, key)) {
            return (gint)i;
        } else if (inside && line[strspn(line, " \t\r")]) {
            *end = i + 1;
        }
    }
    return -1;
}

gboolean
config_set(const char *path, const char *section, const char *key, const char *value, GError **error)
{
    if (!*key || strpbrk(key, "\r\n=") || *key == '[' || *key == '#' || *key == ';' || (value && strpbrk(value, "\r\n"))) {
        g_set_error(error, CONFIG_ERROR, ERROR_INPUT, "\"%s\" cannot be a name in the configuration", key);
        return FALSE;
    }
    g_autofree char *where = config_usual_path(path);
    g_autofree char *old = config_read_file(where, error);
    if (!old)
        return FALSE;
    g_auto(GStrv) parts = g_strsplit(old, "\n", -1);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (char **part = parts; *part; part++)
        g_ptr_array_add(lines, g_strdup(*part));
    if (lines->len && !*(char *)g_ptr_array_index(lines, lines->len - 1))
        g_ptr_array_remove_index(lines, lines->len - 1); /* the end of the last line */
    guint end;
    gint at = find_key(lines, section, key, &end);
    if (at >= 0)
        g_ptr_array_remove_index(lines, (guint)at);
    if (value && at < 0 && !end) {
        if (lines->len)
            g_ptr_array_add(lines, g_strdup(""));
        g_ptr_array_add(lines, g_strdup_printf("[%s]", section));
        end = lines->len;
    }
    if (value)
        g_ptr_array_insert(lines, at >= 0 ? at : (gint)end, g_strdup_printf("%s = %s", key, value));
    g_ptr_array_add(lines, g_strdup("")); /* ends the last line */
    g_ptr_array_add(lines, NULL);
    g_autofree char *text = g_strjoinv("\n", (char **)lines->pdata);
    g_autoptr(struct_config) checked = config_parse(text, where, error);
    return checked && write_file(where, text, error);
}
