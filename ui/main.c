/* main.c - the program `postrider`: the screen handed to the command line */
#include "config.h"

#include "cli/cli.h"
#include "ui/app.h"
#include "ui/manual.h"

#include <string.h>

int
main(int argc, char **argv)
{
    /* The other pages are made by cli/manual.c, which knows nothing of the screen's table. */
    if (argc == 2 && !strcmp(argv[1], "--manual=postrider-keys.7")) {
        manual_keys();
        return 0;
    }
    return cli_main(argc, argv, app_run);
}
