#include "config.h"

#include "base/error.h"

#include <errno.h>
#include <sysexits.h>

static const int exit_codes[] = {
    [ERROR_RETRY] = EX_TEMPFAIL,       [ERROR_AUTH] = EX_NOPERM,     [ERROR_INPUT] = EX_DATAERR,
    [ERROR_USAGE] = EX_USAGE,          [ERROR_NOINPUT] = EX_NOINPUT, [ERROR_CONFIG] = EX_CONFIG,
    [ERROR_SKIP] = EX_DATAERR,         [ERROR_STALE] = EX_TEMPFAIL,  [ERROR_REFUSED] = EX_UNAVAILABLE,
    [ERROR_SECURITY] = EX_UNAVAILABLE, [ERROR_IO] = EX_IOERR,        [ERROR_BUSY] = EX_TEMPFAIL,
    [ERROR_CANCELLED] = EX_TEMPFAIL,   [ERROR_GIVEUP] = EX_SOFTWARE,  [ERROR_WITHDRAWN] = EX_TEMPFAIL,
};

int
error_exit_code(const GError *error)
{
    if (!error)
        return 0;
    if (error->domain == G_OPTION_ERROR)
        return EX_USAGE;
    if (error->domain == G_FILE_ERROR)
        return error->code == G_FILE_ERROR_NOENT || error->code == G_FILE_ERROR_ACCES ? EX_NOINPUT : EX_IOERR;
    if (error->code > 0 && error->code < (int)G_N_ELEMENTS(exit_codes) && exit_codes[error->code])
        return exit_codes[error->code];
    return EX_SOFTWARE;
}

void
error_set_errno(GError **error, GQuark domain, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    gboolean absent = err == ENOENT || err == EACCES || err == ENOTDIR || err == EISDIR;
    g_set_error(error, domain, absent ? ERROR_NOINPUT : ERROR_IO, "%s: %s", what, g_strerror(err));
}
