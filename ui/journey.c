#include "config.h"

#include "ui/app.h"
#include "ui/commands.h"
#include "ui/text.h"

void
command_journey(struct app *app, const char *argument G_GNUC_UNUSED)
{
    (void) app;
}
