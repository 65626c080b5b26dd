/* paths.h - where things lie (XDG base directories), and the program's own executables
 *
 * Results are newly allocated. HOME unset or relative falls back on the password database; a relative XDG
 * variable is ignored, as the specification says. Directories that we make are 0700. Any thread may call.
 */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

#include <glib.h>

GQuark paths_error_quark(void);

char *paths_config_dir(void);  /* $XDG_CONFIG_HOME/postrider */
char *paths_data_dir(void);    /* $XDG_DATA_HOME/postrider: the store */
char *paths_state_dir(void);   /* $XDG_STATE_HOME/postrider: logs, history */
char *paths_cache_dir(void);   /* $XDG_CACHE_HOME/postrider */
char *paths_runtime_dir(void); /* $XDG_RUNTIME_DIR/postrider, else a 0700 directory in the state directory */
char *
paths_engine_socket(void); /* bounded to fit sockaddr_un; depends on the data directory, one engine a store */

/* `~`, `~user` and a leading `file:` resolved; else a copy. */
char *paths_expand(const char *path);

/* Makes the directory and its parents, 0700. */
gboolean paths_make_dir(const char *path, GError **error);
/* The same, and a power cut does not take their names back. */
gboolean paths_make_dir_durable(const char *path, GError **error);

/* Full path of "postrider-engine" or another of ours: beside the running program, else PKGLIBEXECDIR. */
char *paths_program(const char *name);
/* Data shipped with the program ("lab/lab"): in the source tree beside the program, else PKGDATADIR. */
char *paths_data_file(const char *name);
/* Where translations lie: po/locale beside the program, else LOCALEDIR. */
char *paths_locale_dir(void);

#endif
