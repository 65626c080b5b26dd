/* term.h - the terminal: the only file that knows ncurses
 *
 * Opens and restores the terminal, whatever happens (orderly end, SIGTERM, SIGSEGV, a stop); draws cells;
 * hands the terminal to a child and takes it back. What is drawn passes text_safe() here once more, so that
 * no view can let a foreign control through; in a locale without UTF-8 everything is drawn in ASCII.
 * Positions outside the screen are cut off silently, so views may draw as if there were room. The screen's
 * thread only. Keys are bytes for key.h: ncurses reads nothing.
 */
#ifndef UI_TERM_H
#define UI_TERM_H

#include "ui/key.h"
#include "ui/theme.h"

GQuark term_error_quark(void);

struct term_options {
    const char *theme; /* NULL: dusk */
    gboolean mouse;
    gboolean hyperlinks; /* OSC 8 */
};

/* Fails with ERROR_USAGE when there is no terminal, or one that cannot move its cursor (TERM=dumb). */
gboolean term_open(const struct term_options *options, GError **error);
void term_close(void);
gboolean term_is_open(void);

/* For a child that gets the terminal, and back. */
void term_leave(void);
void term_enter(void);
/* Stops this process as the shell expects it, and comes back. */
void term_stop(void);

/* After SIGWINCH: reads the size. */
void term_resize(void);
int term_rows(void);
int term_columns(void);
int term_colours(void); /* 0, 8, 16, 256 or 1 << 24 */
gboolean term_is_ascii(void);
void term_set_theme(const char *name);
const char *term_theme(void);

struct key_decoder *term_decoder(void); /* with this terminal's own sequences; the caller frees it */

/* One frame: term_begin(), drawing, term_end(). A cursor row of -1 hides the cursor. */
void term_begin(void);
void term_end(int cursor_row, int cursor_column);
/* The next frame paints every cell. */
void term_repaint(void);
void term_bell(void);

/* Draws `text` in at most `max` cells; returns how many it took. */
int term_put(int row, int column, int max, guint style, const char *text);
void term_fill(int row, int column, int rows, int columns, guint style);

/* These cells of this frame, drawn with that text and style, lead to `url`: a terminal that can (OSC 8) makes
 * them clickable. Only http and https; nothing unless asked for when opening. */
void term_link(int row, int column, int max, guint style, const char *text, const char *url);

#endif
