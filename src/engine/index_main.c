/* index_main.c - the program postrider-index: what links notmuch
 *
 * postrider-index --index --control FD          the index worker; FD: the line to the supervisor
 * postrider-index --index-child                 the only process that opens notmuch's index, on descriptor 0
 * postrider-index --notmuch QUERY               what notmuch finds: message ids, one a line
 */
#include "config.h"

#include "engine/indexer.h"
#include "engine/process.h"
#include "search/notmuch_child.h"

#include <stdio.h>
#include <sysexits.h>

int
main(int argc, char **argv)
{
    gboolean index = FALSE, index_child = FALSE;
    g_autofree char *notmuch = NULL;
    int control = -1;
    const GOptionEntry entries[] = {
        {"index", 0, 0, G_OPTION_ARG_NONE, &index, "be the index worker", NULL},
        {"index-child", 0, 0, G_OPTION_ARG_NONE, &index_child, "work for the index worker", NULL},
        {"control", 0, 0, G_OPTION_ARG_INT, &control, "the descriptor of the supervisor", "FD"},
        {"notmuch", 0, 0, G_OPTION_ARG_STRING, &notmuch, "search with notmuch", "QUERY"},
        {NULL},
    };
    if (!process_begin(argc, argv, entries))
        return EX_USAGE;
    if (notmuch)
        return indexer_search(notmuch, stdout);
    if (!index_child && (!index || control < 0))
        return process_refuse();
    process_open_log(index_child ? "index child" : "index");
    return index_child ? notmuch_child_main(0, 0) : indexer_run(control);
}
