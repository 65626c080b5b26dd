/* error.h - the error domain of search/; codes are those of base/error.h */
#ifndef SEARCH_ERROR_H
#define SEARCH_ERROR_H

#include <glib.h>

#define SEARCH_ERROR (search_error_quark())
GQuark search_error_quark(void);

#endif
