/* main.c - the program postrider-engine: which duty is meant
 *
 * postrider-engine --serve [--ready FD]        the supervisor, as the screen and the commands start it
 * postrider-engine --watch                     the supervisor, until told to stop: `postrider sync --watch`
 * postrider-engine --account NAME --control FD an account worker
 * postrider-engine --index --control FD        the index worker
 * postrider-engine --index-child               the only process that opens notmuch's index, on descriptor 0
 * postrider-engine --notmuch QUERY [LIMIT]     what notmuch finds: message ids, one a line
 */
#include "config.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/log.h"
#include "base/paths.h"
#include "engine/supervisor.h"
#include "engine/worker.h"
#include "engine/indexer.h"
#include "search/notmuch_child.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

static void
open_log(const char *duty)
{
    g_autofree char *dir = paths_state_dir();
    g_autofree char *path = g_build_filename(dir, "engine.log", NULL);
    if (paths_make_dir(dir, NULL))
        log_open(path, LOG_LEVEL_INFO);
    log_debug("engine", "%s begins", duty);
}

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

int
main(int argc, char **argv)
{
    gboolean serve = FALSE, watch = FALSE, index = FALSE, index_child = FALSE;
    int ready = -1, control = -1;
    g_autofree char *account = NULL, *notmuch = NULL;
    GOptionEntry entries[] = {
        {"serve", 0, 0, G_OPTION_ARG_NONE, &serve, "be the engine while somebody needs it", NULL},
        {"watch", 0, 0, G_OPTION_ARG_NONE, &watch, "be the engine until told to stop", NULL},
        {"ready", 0, 0, G_OPTION_ARG_INT, &ready, "a descriptor to close when ready", "FD"},
        {"account", 0, 0, G_OPTION_ARG_STRING, &account, "be the worker of an account", "NAME"},
        {"index", 0, 0, G_OPTION_ARG_NONE, &index, "be the index worker", NULL},
        {"index-child", 0, 0, G_OPTION_ARG_NONE, &index_child, "work for the index worker", NULL},
        {"control", 0, 0, G_OPTION_ARG_INT, &control, "the descriptor of the supervisor", "FD"},
        {"notmuch", 0, 0, G_OPTION_ARG_STRING, &notmuch, "search with notmuch", "QUERY"},
        {NULL},
    };
    g_autoptr(GOptionContext) options = g_option_context_new("- the engine of postrider; started by it");
    g_autoptr(GError) error = NULL;

    i18n_init();
    g_option_context_add_main_entries(options, entries, NULL);
    if (!g_option_context_parse(options, &argc, &argv, &error)) {
        fprintf(stderr, "postrider-engine: %s\n", error->message);
        return EX_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    guard_memory();
    if (notmuch)
        return indexer_search(notmuch, stdout);
    open_log(account ? account : index_child ? "index child" : index ? "index" : "supervisor");
    if (index_child)
        return notmuch_child_main(0, 0);
    if (account && control >= 0)
        return worker_run(account, control);
    if (index && control >= 0)
        return indexer_run(control);
    if (!serve && !watch) {
        fputs("postrider-engine: this program is started by postrider: see postrider(1)\n", stderr);
        return EX_USAGE;
    }
    struct supervisor_options how = {.stay = watch, .ready_fd = ready};
    return supervisor_run(&how);
}
