/* i18n.h - sentences for people: _("…"), N_("…") in tables, P_("…", "…", n) for counts; never in logs or
 * protocols
 *
 * Catalogues are po/LANGUAGE.po. In a place without translation these cost a function call that returns its
 * argument.
 */
#ifndef BASE_I18N_H
#define BASE_I18N_H

#include <libintl.h>

#define I18N_DOMAIN "postrider"

#define _(text) dgettext(I18N_DOMAIN, text)
#define N_(text) (text)
#define P_(one, many, n) dngettext(I18N_DOMAIN, one, many, n)

/* The user's locale, and where our catalogues lie. Once, first thing in main(), before there are threads. */
void i18n_init(void);

#endif
