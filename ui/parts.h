/* parts.h - the parts of a message: shown, saved, piped, opened with other programs
 *
 * Nothing is opened without a key press, never through a shell with a name from the message, and saved files
 * get names that the program made safe, are made anew (never over another file), and are readable by the user
 * alone (RELIABILITY.md M7, M8).
 */
#ifndef UI_PARTS_H
#define UI_PARTS_H

#include "mail/document.h"

struct app;

void parts_open_attachment(struct app *app, gint64 message, const struct document *document, GBytes *bytes, guint number);

#endif
