#include "config.h"

#include "ui/keymap.h"
#include "ui/text.h"

#include <string.h>

struct binding {
    const struct command *command;
    guint contexts;
    GArray *keys; /* of guint */
};

struct keymap {
    GArray *bindings; /* of struct binding; those of one command stand in the order of preference */
};

static void
binding_clear(gpointer data)
{
    g_array_unref(((struct binding *)data)->keys);
}

void
keymap_free(struct keymap *map)
{
    if (!map)
        return;
    g_array_unref(map->bindings);
    g_free(map);
}

static gboolean
starts_with(const GArray *keys, const guint *other, guint n)
{
    return keys->len >= n && !memcmp(keys->data, other, n * sizeof(guint));
}

/* Takes keys from other commands in these contexts: the same keys, and those that these would hide or be
 * hidden by. */
static void
make_room(struct keymap *map, const GArray *keys, guint contexts, const struct command *except)
{
    for (guint i = map->bindings->len; i-- > 0;) {
        struct binding *binding = &g_array_index(map->bindings, struct binding, i);
        guint n = MIN(keys->len, binding->keys->len);
        if (binding->command == except || !(binding->contexts & contexts) ||
            !starts_with(binding->keys, (const guint *)(gpointer)keys->data, n))
            continue;
        binding->contexts &= ~contexts;
        if (!binding->contexts)
            g_array_remove_index(map->bindings, i);
    }
}

static void
unbind(struct keymap *map, const struct command *command)
{
    for (guint i = map->bindings->len; i-- > 0;)
        if (g_array_index(map->bindings, struct binding, i).command == command)
            g_array_remove_index(map->bindings, i);
}

static gboolean
add(struct keymap *map, const struct command *command, const char *text, gboolean taking, char **why)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    for (char **part = parts; *part; part++) {
        g_strstrip(*part);
        if (!**part)
            continue;
        GArray *keys = key_sequence_parse(*part);
        if (!keys) {
            if (why)
                *why = g_strdup_printf(
                    _("\"%s\" is no key: write them as j, Down, Ctrl-P, Esc v, F1, Space, Comma"), *part);
            return FALSE;
        }
        if (taking)
            make_room(map, keys, command->contexts, command);
        struct binding binding = {command, command->contexts, keys};
        g_array_append_val(map->bindings, binding);
    }
    return TRUE;
}

gboolean
keymap_bind(struct keymap *map, const char *name, const char *keys, char **why)
{
    const struct command *command = command_find(name);
    if (!command) {
        if (why)
            *why = g_strdup_printf(_("there is no command \"%s\": the help screen (?) lists them"), name);
        return FALSE;
    }
    /* Look first, so that a mistake does not leave the command without keys. */
    g_auto(GStrv) parts = g_strsplit(keys, ",", -1);
    for (char **part = parts; *part; part++) {
        g_strstrip(*part);
        GArray *parsed = **part ? key_sequence_parse(*part) : NULL;
        if (**part && !parsed) {
            if (why)
                *why = g_strdup_printf(
                    _("\"%s\" is no key: write them as j, Down, Ctrl-P, Esc v, F1, Space, Comma"), *part);
            return FALSE;
        }
        if (parsed)
            g_array_unref(parsed);
    }
    unbind(map, command);
    return add(map, command, keys, TRUE, why);
}

struct keymap *
keymap_new(const char *set)
{
    struct keymap *map = g_new0(struct keymap, 1);
    map->bindings = g_array_new(FALSE, FALSE, sizeof(struct binding));
    g_array_set_clear_func(map->bindings, binding_clear);
    for (const struct command *command = command_table; command->name; command++)
        add(map, command, command->keys, FALSE, NULL);
    const struct key_choice *choices = command_key_set(set);
    for (; choices && choices->command; choices++)
        keymap_bind(map, choices->command, choices->keys, NULL);
    return map;
}

enum keymap_result
keymap_find(const struct keymap *map, guint context, const guint *keys, guint n,
            const struct command **command)
{
    enum keymap_result result = KEYMAP_NONE;
    for (guint i = 0; i < map->bindings->len; i++) {
        const struct binding *binding = &g_array_index(map->bindings, struct binding, i);
        if (!(binding->contexts & context) || !starts_with(binding->keys, keys, n))
            continue;
        if (binding->keys->len == n) {
            *command = binding->command;
            return KEYMAP_COMMAND;
        }
        result = KEYMAP_PREFIX;
    }
    return result;
}

static char *
binding_name(const struct binding *binding, guint skip)
{
    return key_sequence_name((const guint *)(gpointer)binding->keys->data + skip, binding->keys->len - skip);
}

char *
keymap_key(const struct keymap *map, const struct command *command, guint context)
{
    for (guint i = 0; i < map->bindings->len; i++) {
        const struct binding *binding = &g_array_index(map->bindings, struct binding, i);
        if (binding->command == command && binding->contexts & context)
            return binding_name(binding, 0);
    }
    return g_strdup("");
}

char *
keymap_keys(const struct keymap *map, const struct command *command)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < map->bindings->len; i++) {
        const struct binding *binding = &g_array_index(map->bindings, struct binding, i);
        if (binding->command != command)
            continue;
        g_autofree char *name = binding_name(binding, 0);
        g_string_append_printf(out, "%s%s", out->len ? ", " : "", name);
    }
    return g_string_free(out, FALSE);
}

char *
keymap_hint(const struct keymap *map, guint context, const guint *keys, guint n)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < map->bindings->len; i++) {
        const struct binding *binding = &g_array_index(map->bindings, struct binding, i);
        if (!(binding->contexts & context) || binding->keys->len <= n || !starts_with(binding->keys, keys, n))
            continue;
        g_autofree char *name = binding_name(binding, n);
        g_string_append_printf(out, "%s%s %s", out->len ? " · " : "", name, binding->command->name);
    }
    return g_string_free(out, FALSE);
}
