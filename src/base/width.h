/* width.h - how many terminal cells text takes, and cutting and wrapping by cells
 *
 * Input is safe text (text.h). East Asian wide and emoji count 2, combining marks and joiners 0. One rule for
 * the list, the reader and the tables of the commands. Results are newly allocated. Any thread may call.
 */
#ifndef BASE_WIDTH_H
#define BASE_WIDTH_H

#include <glib.h>

int width_char(gunichar c);
int width_text(const char *text);

/* At most `cells` cells; a cut is shown by "…" ("." in ASCII mode). */
char *width_cut(const char *text, int cells);
/* Cut or padded with spaces to exactly `cells`. */
char *width_fit(const char *text, int cells);
char *width_fit_right(const char *text, int cells);
/* Bytes of `text` that fit into `cells`. */
gsize width_bytes(const char *text, int cells);
/* End of the first line when wrapping at `cells`: bytes that belong to it; *next is where the next line
 * begins. Breaks at spaces, between CJK characters, else hard. */
gsize width_wrap(const char *text, int cells, gsize *next);

/* "…" becomes "." and so on, for a C locale. */
void width_set_ascii(gboolean ascii);

#endif
