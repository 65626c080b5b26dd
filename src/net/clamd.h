/* clamd.h - asking ClamAV's daemon about bytes, over its socket on this machine (INSTREAM, clamd(8))
 *
 * The daemon has its own limits, and what is larger it calls an error. Waits for CLAMD_SECONDS at most. Any
 * thread.
 */
#ifndef NET_CLAMD_H
#define NET_CLAMD_H

#include <glib.h>

#define CLAMD_ERROR (clamd_error_quark())
GQuark clamd_error_quark(void);

#define CLAMD_SECONDS 60

/* *found: the name of what was found, or NULL: it is clean. Unsafe for a terminal; for g_free(). ERROR_RETRY:
 * the daemon cannot be reached, or is in trouble; the text says which. */
gboolean clamd_scan(const char *socket_path, GBytes *bytes, char **found, GError **error);

#endif
