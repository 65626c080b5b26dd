/* keymap.h - which keys run which command, in which view
 *
 * Made from the command table, one of the key sets and the configuration's [keys]: "reply = r, Esc r" gives a
 * command these keys and takes them from whatever had them in the same views; an empty value leaves the
 * command without keys. Pure; one thread.
 */
#ifndef UI_KEYMAP_H
#define UI_KEYMAP_H

#include "ui/command.h"
#include "ui/key.h"

struct keymap;

/* `set` is "mutt", "aerc", "alpine" or "vi". */
struct keymap *keymap_new(const char *set);
void keymap_free(struct keymap *map);
typedef struct keymap struct_keymap;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_keymap, keymap_free)

/* FALSE and *why (caller frees) when the command or a key is unknown. */
gboolean keymap_bind(struct keymap *map, const char *command, const char *keys, char **why);

enum keymap_result { KEYMAP_NONE, KEYMAP_PREFIX, KEYMAP_COMMAND };
enum keymap_result keymap_find(const struct keymap *map, guint context, const guint *keys, guint n,
                               const struct command **command);

/* The first key of a command in this context ("" for none), for hints; or all of them: "j, Down". New
 * strings. */
char *keymap_key(const struct keymap *map, const struct command *command, guint context);
char *keymap_keys(const struct keymap *map, const struct command *command);

/* What may follow these keys: "v close · V close all". A new string. */
char *keymap_hint(const struct keymap *map, guint context, const guint *keys, guint n);

#endif
