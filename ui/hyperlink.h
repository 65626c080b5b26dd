/* hyperlink.h - clickable links (OSC 8), for term.c: cells that are written once more behind ncurses' back
 *
 * Only http and https addresses of plain ASCII go out; everything else is left as it was drawn. The screen's
 * thread only.
 */
#ifndef UI_HYPERLINK_H
#define UI_HYPERLINK_H

/* The cells of this frame from there on, which show the safe `text` in the colour `fore` (-1: the terminal's
 * own). */
void hyperlink_add(int row, int column, int fore, const char *text, const char *url);
void hyperlink_write(void);  /* after the frame went out */
void hyperlink_forget(void); /* a new frame begins */

#endif
