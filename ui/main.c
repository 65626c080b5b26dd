/* main.c - the program `postrider`: the screen handed to the command line */
#include "config.h"

#include "cli/cli.h"

static int
screen(const struct screen_request *request G_GNUC_UNUSED)
{
    return 0;
}

int
main(int argc, char **argv)
{
    return cli_main(argc, argv, screen);
}
