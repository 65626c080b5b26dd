/* error.h - what a caller may do about a failure
 *
 * Every module has its own GError domain; the code is always one of enum error_code and says what the caller
 * may do. The message is complete, lower case, and names what was tried and the remedy. The outermost frame
 * shows it, once. Any thread may call.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <glib.h>

enum error_code {
    ERROR_RETRY = 1, /* a passing fault (network, server busy): try again later */
    ERROR_AUTH,      /* the server refused the login: ask for the password, once */
    ERROR_INPUT,     /* the input is wrong: mend it (exit 65) */
    ERROR_USAGE,     /* the command line is wrong (exit 64) */
    ERROR_NOINPUT,   /* what was named does not exist or cannot be read (exit 66) */
    ERROR_CONFIG,    /* the configuration is wrong (exit 78) */
    ERROR_SKIP,      /* this message only: skip it with a notice and go on */
    ERROR_STALE,     /* this folder changed under us: read it again */
    ERROR_REFUSED,   /* the other side refused for good (exit 69) */
    ERROR_SECURITY,  /* TLS or protocol attack suspected: never go on, never fall back (exit 69) */
    ERROR_IO,        /* disk or system call (exit 74) */
    ERROR_BUSY,      /* another process holds it (exit 75) */
    ERROR_WITHDRAWN, /* it is no longer wanted: go on with the rest (exit 75) */
    ERROR_CANCELLED, /* the user or the supervisor stopped it */
    ERROR_GIVEUP     /* nothing else fits: a broken invariant of the data (exit 70) */
};

/* The exit code of sysexits.h for an error; 70 for a foreign domain without a better answer (GFileError is
 * 74). */
int error_exit_code(const GError *error);

/* Sets *error for errno `err`: "what: strerror". ENOENT and EACCES give ERROR_NOINPUT, the rest ERROR_IO. */
void error_set_errno(GError **error, GQuark domain, int err, const char *format, ...) G_GNUC_PRINTF(4, 5);

#endif
