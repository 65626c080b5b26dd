/* demo.c - postrider demo: a private mail world to try everything in */
#include "config.h"

#include "cli/commands.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static gboolean
run_demo(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    g_autofree char *script = paths_data_file("lab/demo");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    if (access(script, X_OK) != 0) {
        g_set_error(error, CLI_ERROR, ERROR_NOINPUT, _("the demo is not installed: %s is missing"), script);
        return FALSE;
    }
    setenv("POSTRIDER", self ? self : "postrider", 1);
    g_ptr_array_add(words, script);
    for (int i = 0; i < argc; i++)
        g_ptr_array_add(words, argv[i]);
    g_ptr_array_add(words, NULL);
    execv(script, (char **)words->pdata);
    error_set_errno(error, CLI_ERROR, errno, "%s", script);
    return FALSE;
}

const struct cli_command cmd_demo = {
    "demo",
    NULL,
    N_("a mail world of its own on this machine, to try everything"),
    N_("Starts a real IMAP and a real SMTP server on loopback (Dovecot and Postfix, which have to be "
       "installed), with two people who have mail. "
       "In a terminal the screen opens on it; without one, the program shows what it can do and ends. "
       "Nothing is left behind."),
    NULL,
    WORDS_LAST,
    run_demo};
