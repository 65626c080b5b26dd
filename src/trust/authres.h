/* authres.h - Authentication-Results (RFC 8601), taken apart
 *
 * Anybody can write such a field. Whose word counts is decided elsewhere (authority.h). Pure; any thread.
 */
#ifndef TRUST_AUTHRES_H
#define TRUST_AUTHRES_H

#include "trust/authentication.h"

/* The name before the first semicolon, lower case; NULL when there is none. */
char *authres_server(const char *value);
/* Adds what an unfolded field says to `authentication` (NULL: a new one is made). NULL when it is no such
 * field. */
struct authentication *authres_parse(const char *value, struct authentication *authentication);

/* The same as one line that authres_parse_own() reads back; of "here" when it was checked here. New string.
 */
char *authres_format(const struct authentication *authentication);
struct authentication *authres_parse_own(const char *text);

#endif
