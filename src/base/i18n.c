#include "config.h"

#include "base/i18n.h"
#include "base/paths.h"

#include <glib.h>
#include <locale.h>
#include <string.h>

void
i18n_init(void)
{
    const char *messages = setlocale(LC_ALL, "") ? setlocale(LC_MESSAGES, NULL) : NULL;
    if (!messages || !strcmp(messages, "C") || !strcmp(messages, "POSIX"))
        return;
    g_autofree char *dir = paths_locale_dir();
    bindtextdomain(I18N_DOMAIN, dir);
    /* All our text is UTF-8 inside; what leaves for another terminal is the screen's business. */
    bind_textdomain_codeset(I18N_DOMAIN, "UTF-8");
    textdomain(I18N_DOMAIN);
}
