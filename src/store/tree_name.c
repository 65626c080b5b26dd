/* Names of folders that are the user's own Maildirs: see tree.h. */
#include "config.h"

#include "store/tree.h"
#include "store/folder.h"
#include "base/utf7.h"

#include <string.h>

static char *
flat_level(const char *level)
{
    char *wire = utf7_encode(level);
    return g_strdelimit(wire ? wire : g_strdup(level), ".", '_'); /* the dot parts the levels */
}

char *
tree_dir_from_name(const char *name, gboolean flat)
{
    if (!flat)
        return folder_dir_from_name(name);
    if (!strcmp(name, "INBOX"))
        return g_strdup("");
    g_auto(GStrv) levels = g_strsplit(name, "/", -1);
    g_autoptr(GString) dir = g_string_new(NULL);
    for (char **level = levels; *level; level++) {
        g_autofree char *wire = flat_level(*level);
        g_string_append_printf(dir, ".%s", wire);
    }
    return g_string_free(g_steal_pointer(&dir), FALSE);
}

/* Dovecot, Courier and mbsync write what is not ASCII as it goes over the wire. */
static char *
shown(const char *level)
{
    g_autofree char *text = strchr(level, '&') ? utf7_decode(level) : NULL;
    return text && *text && !strchr(text, '/') ? g_steal_pointer(&text) : g_strdup(level);
}

char *
tree_dir_to_name(const char *below)
{
    if (!*below)
        return g_strdup("INBOX");
    gboolean flat = *below == '.';
    g_autofree char *ours = flat ? NULL : folder_dir_to_name(below), *valid = ours ? NULL : g_utf8_make_valid(below + flat, -1);
    g_auto(GStrv) levels = g_strsplit(ours ? ours : valid, flat ? "." : "/", -1);
    if (!*levels)
        return NULL;
    for (char **level = levels; *level; level++) {
        char *text = shown(*level);
        g_free(*level);
        *level = text;
        if (!**level)
            return NULL;
    }
    return g_strjoinv("/", levels);
}
