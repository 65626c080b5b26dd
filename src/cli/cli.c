#include "config.h"

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

int
cli_main(int argc, char **argv, screen_function screen)
{
    if (argc > 1 && !strcmp(argv[1], "--version")) {
        printf("postrider %s\n", PACKAGE_VERSION);
        return 0;
    }
    struct screen_request request = {0};
    return screen(&request);
}
