/* text.h - words for people, translated: the short names of base/i18n.h, for the screen */
#ifndef UI_TEXT_H
#define UI_TEXT_H

#include "base/i18n.h"

#endif
