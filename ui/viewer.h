/* viewer.h - showing a part with another program, as mailcap says (RFC 1524), else xdg-open
 *
 * The content goes to a file of our own choosing in a private directory (0700), removed when the program ends
 * or at the end of the session. The user's mailcap lines are shell commands; what comes from the message
 * (type, charset, file name) is quoted or not given at all. Nothing runs without a key press (RELIABILITY.md
 * M8, L1).
 */
#ifndef UI_VIEWER_H
#define UI_VIEWER_H

#include <glib.h>

struct app;

void viewer_open(struct app *app, const char *type, const char *name, GBytes *content);
void viewer_cleanup(void); /* at the end of the session */

/* One line of a mailcap. */
struct mailcap_entry {
    char *type, *view, *test, *nametemplate;
    gboolean copiousoutput, needsterminal;
};
/* Parses a mailcap text; lines that make no sense are passed over. GPtrArray of struct mailcap_entry. Pure.
 */
GPtrArray *mailcap_parse(const char *text);
gboolean mailcap_matches(const struct mailcap_entry *entry, const char *type);
/* The command with %s and %t put in, quoted for sh. *uses_file: FALSE when it wants standard input. */
char *mailcap_command(const char *view, const char *file, const char *type, gboolean *uses_file);

#endif
