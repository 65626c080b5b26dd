/* people.h - completing names and addresses from the store's contacts */
#ifndef UI_PEOPLE_H
#define UI_PEOPLE_H

#include "ui/prompt.h"

/* Adds candidates for what is typed; `bare`: the address alone (for searches), else "Name <address>". */
void people_complete(struct app *app, const char *typed, GPtrArray *candidates, gboolean bare);

/* For prompt_spec.complete: a list of addresses with commas, the one under the cursor is completed. */
GPtrArray *people_complete_list(struct app *app, const char *text, gsize cursor, gsize *from, gsize *to,
                                gpointer data);

#endif
