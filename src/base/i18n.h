/* i18n.h - sentences for people: _("…"), N_("…") in tables, ngettext() for counts; never in logs or protocols */
#ifndef BASE_I18N_H
#define BASE_I18N_H

#include <libintl.h>

#define _(text) dgettext("postrider", text)
#define N_(text) (text)
#define P_(one, many, n) dngettext("postrider", one, many, n)

#endif
