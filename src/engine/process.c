#include "config.h"

#include "engine/process.h"
#include "base/i18n.h"
#include "base/log.h"
#include "base/paths.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

/* Passwords and mail are in memory here. */
static void
guard_memory(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
#ifndef SANITIZERS
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

gboolean
process_begin(int argc, char **argv, const GOptionEntry *entries)
{
    g_autoptr(GOptionContext) options = g_option_context_new("- a part of postrider; started by it");
    g_autoptr(GError) error = NULL;

    i18n_init();
    g_option_context_add_main_entries(options, entries, NULL);
    if (!g_option_context_parse(options, &argc, &argv, &error)) {
        fprintf(stderr, "%s: %s\n", g_get_prgname(), error->message);
        return FALSE;
    }
    signal(SIGPIPE, SIG_IGN);
    guard_memory();
    return TRUE;
}

void
process_open_log(const char *duty)
{
    g_autofree char *dir = paths_state_dir();
    g_autofree char *path = g_build_filename(dir, "engine.log", NULL);
    if (paths_make_dir(dir, NULL))
        log_open(path, LOG_LEVEL_INFO);
    log_debug("engine", "%s begins", duty);
}

int
process_refuse(void)
{
    fprintf(stderr, "%s: this program is started by postrider: see postrider(1)\n", g_get_prgname());
    return EX_USAGE;
}
