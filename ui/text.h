/* text.h - words for people, translated: the short names of gettext, for the screen */
#ifndef UI_TEXT_H
#define UI_TEXT_H

#include <glib/gi18n.h>

#endif
