/* authentication.h - what a check of a message found
 *
 * By the own server (authres.h) or here (check.h). Results are words from the known sets, in lower case
 * ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy", "hardfail"); any other
 * word becomes "unknown". Names are bounded, valid UTF-8 and unsafe for a terminal. Plain data; any thread.
 */
#ifndef TRUST_AUTHENTICATION_H
#define TRUST_AUTHENTICATION_H

#include <glib.h>

struct authentication_dkim {
    char *result;     /* "pass" */
    char *domain;     /* header.d, or of header.i; NULL */
    char *selector;   /* header.s, or NULL */
    char *reason;     /* or NULL */
    char *algorithm;  /* "rsa-sha256", or NULL */
    guint bits;       /* of the key; 0: not said */
    gint64 signed_at; /* t=; 0: not said */
};

struct authentication {
    char *by;           /* authserv-id; NULL: checked here */
    char *spf;          /* result, or NULL: not checked */
    char *spf_domain;   /* of smtp.mailfrom or smtp.helo, or NULL */
    char *spf_reason;   /* the mechanism that matched, or what the domain says of it, or NULL */
    GPtrArray *dkim;    /* of struct authentication_dkim; never NULL */
    char *dmarc;        /* result, or NULL */
    char *dmarc_domain; /* header.from, or NULL */
    char *dmarc_policy; /* "reject", "quarantine", "none", or NULL */
    char *dmarc_reason; /* or NULL */
    char *arc;          /* result, or NULL */
    char *arc_domain;   /* who sealed last, or NULL */
    char *arc_reason;   /* or NULL */
};
struct authentication *authentication_new(void);
struct authentication_dkim *authentication_add_dkim(struct authentication *authentication);
void authentication_free(struct authentication *authentication);
typedef struct authentication struct_authentication;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_authentication, authentication_free)

/* For the process that checks (check.h). from_variant takes any value of that type. */
#define AUTHENTICATION_TYPE "(a(msmsmsmsmsux)msmsmsmsmsmsmsmsmsmsms)"
GVariant *authentication_to_variant(const struct authentication *authentication);
struct authentication *authentication_from_variant(GVariant *value);

#endif
