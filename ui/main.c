/* main.c - the program `postrider`: the screen handed to the command line */
#include "config.h"

#include "cli/cli.h"
#include "ui/app.h"

int
main(int argc, char **argv)
{
    return cli_main(argc, argv, app_run);
}
