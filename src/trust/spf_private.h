/* spf_private.h - what the two files of SPF share: spf.c judges, spf_macro.c expands "%{ir}.%{d}" */
#ifndef TRUST_SPF_PRIVATE_H
#define TRUST_SPF_PRIVATE_H

#include "trust/spf.h"

#include <netinet/in.h>

struct spf {
    struct dns *dns;
    gboolean is_v6;
    guint8 address[16]; /* 4 of them for IPv4 */
    char *ip;
    const char *helo;
    char *local, *sender_domain;
    gint64 now;
    guint terms, voids; /* look-ups so far (section 4.6.4) */
    guint depth;
    char *explanation; /* as far as one was found */
    char *matched;
    const char *problem;
};

/* Whether text is a macro-string, and, with is_domain, a domain-spec (section 7.1). Letters c, r, t belong to
 * explanations alone. */
gboolean spf_macro_check(const char *text, gboolean is_domain, gboolean is_explanation);
/* A name is shortened from the left to 253 bytes. NULL: a broken macro. */
char *spf_macro_expand(struct spf *spf, const char *text, const char *domain, gboolean is_explanation);

/* A host that the address belongs to and that belongs to the address, preferably `domain` or one below; NULL.
 */
char *spf_validated_name(struct spf *spf, const char *domain, gboolean must_be_below);

#endif
