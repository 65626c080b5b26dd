/* values.h - inside config/: the table of keys at work: one text to one field */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include "config/config.h"

/* FALSE when the value is not allowed; *why (caller frees) says more when there is more to say. */
gboolean config_store_value(const struct config_key *key, gpointer target, const char *value, char **why);
/* Is the key's own name followed by that of a folder, as in keep.FOLDER? Then config_take_folder() comes before
 * config_store_value(). */
gboolean config_key_has_folder(const struct config_key *key);
gboolean config_take_folder(struct account *account, const char *name, char **why);
/* NULL when the section has no such key. */
const struct config_key *config_find_key(const char *section, const char *name);
/* "a, b, c", caller frees. */
char *config_known_keys(const char *section);
/* The defaults of every key of the section. */
void config_set_defaults(const char *section, gpointer target);

/* --- config.c, for edit.c: where the file is (path NULL: the usual place), and its text, "" when there is none */
char *config_usual_path(const char *path);
char *config_read_file(const char *path, GError **error);

#endif
