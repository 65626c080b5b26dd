/* worker_main.c - the program postrider-worker: one account
 *
 * postrider-worker --account NAME --control FD  FD: the line to the supervisor
 */
#include "config.h"

#include "engine/process.h"
#include "engine/worker.h"
#include "net/digest.h"

#include <sysexits.h>

int
main(int argc, char **argv)
{
    g_autofree char *account = NULL;
    int control = -1;
    const GOptionEntry entries[] = {
        {"account", 0, 0, G_OPTION_ARG_STRING, &account, "be the worker of an account", "NAME"},
        {"control", 0, 0, G_OPTION_ARG_INT, &control, "the descriptor of the supervisor", "FD"},
        {NULL},
    };
    if (!process_begin(argc, argv, entries))
        return EX_USAGE;
    if (!account || control < 0)
        return process_refuse();
    process_open_log(account);
    digest_speed_up();
    return worker_run(account, control);
}
