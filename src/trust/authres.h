/* authres.h - what the own server found when it checked a message: Authentication-Results (RFC 8601)
 *
 * Anybody can write such a field. Whose word counts is decided by journey.c; here the text is taken apart.
 * Results are words from the known sets, in lower case ("pass", "fail", "softfail", "neutral", "none",
 * "temperror", "permerror", "policy", "hardfail"); any other word becomes "unknown". Names are bounded, valid
 * UTF-8 and unsafe for a terminal. Pure; any thread.
 */
#ifndef TRUST_AUTHRES_H
#define TRUST_AUTHRES_H

#include <glib.h>

struct authentication_dkim {
    char *result;   /* "pass" */
    char *domain;   /* header.d, or of header.i; NULL */
    char *selector; /* header.s, or NULL */
    char *reason;   /* or NULL */
};

struct authentication {
    char *by;           /* authserv-id */
    char *spf;          /* result, or NULL: not checked */
    char *spf_domain;   /* of smtp.mailfrom or smtp.helo, or NULL */
    GPtrArray *dkim;    /* of struct authentication_dkim; never NULL */
    char *dmarc;        /* result, or NULL */
    char *dmarc_domain; /* header.from, or NULL */
    char *arc;          /* result, or NULL */
};
void authentication_free(struct authentication *authentication);
typedef struct authentication struct_authentication;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_authentication, authentication_free)

/* The name before the first semicolon, lower case; NULL when there is none. */
char *authres_server(const char *value);
/* Adds what an unfolded field says to `authentication` (NULL: a new one is made). NULL when it is no such
 * field. */
struct authentication *authres_parse(const char *value, struct authentication *authentication);

#endif
