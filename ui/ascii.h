/* ascii.h - what a character becomes on a terminal whose locale is not UTF-8: pure */
#ifndef UI_ASCII_H
#define UI_ASCII_H

#include <glib.h>

/* Never a control character for a printable one: a likeness, the bare letter, or '?'. */
char ascii_of(gunichar c);

#endif
