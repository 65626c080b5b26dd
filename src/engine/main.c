/* main.c - the program postrider-engine: the supervisor
 *
 * postrider-engine --serve [--ready FD]        as the screen and the commands start it
 * postrider-engine --watch                     until told to stop: `postrider sync --watch`
 */
#include "config.h"

#include "engine/process.h"
#include "engine/supervisor.h"

#include <sysexits.h>

int
main(int argc, char **argv)
{
    gboolean serve = FALSE, watch = FALSE;
    int ready = -1;
    const GOptionEntry entries[] = {
        {"serve", 0, 0, G_OPTION_ARG_NONE, &serve, "be the engine while somebody needs it", NULL},
        {"watch", 0, 0, G_OPTION_ARG_NONE, &watch, "be the engine until told to stop", NULL},
        {"ready", 0, 0, G_OPTION_ARG_INT, &ready, "a descriptor to close when ready", "FD"},
        {NULL},
    };
    if (!process_begin(argc, argv, entries))
        return EX_USAGE;
    if (!serve && !watch)
        return process_refuse();
    process_open_log("supervisor");
    struct supervisor_options how = {.stay = watch, .ready_fd = ready};
    return supervisor_run(&how);
}
