/* log.h - what the program says about itself, for the log file and for -v; never on the screen
 *
 * log_info("sync.fetch", "folder=%s count=%u", …): an area and one line. Everything passes text_safe(); line
 * ends become spaces. Secrets are never given to these functions. Before log_open() and above the level
 * nothing is kept. GLib's and the libraries' own messages (g_warning, CRITICAL of GMime and notmuch) arrive
 * here too, so that they never reach the terminal. Any thread may call.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <glib.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Appends to `path` (made 0600); NULL: standard error. POSTRIDER_LOG=debug|info|warn|error overrides `level`.
 */
void log_open(const char *path, enum log_level level);
void log_close(void);

void log_write(enum log_level level, const char *area, const char *format, ...) G_GNUC_PRINTF(3, 4);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
