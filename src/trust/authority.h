/* authority.h - whose Authentication-Results count
 *
 * Anybody can write such a field with any name in it, and a server that adds none does not take away those
 * that came with a message. So a name counts when the configuration says so (trusted-hosts), or when it was
 * learnt: what it wrote was found to be true by checking here, several times, and never untrue since
 * (store/results_host.h). Even then only the kinds of results that it is known to write, of each kind the
 * topmost, and only from fields that stand above everything that came from outside (RFC 8601 section 7.1).
 * All others are claims.
 */
#ifndef TRUST_AUTHORITY_H
#define TRUST_AUTHORITY_H

#include "config/config.h"
#include "store/store.h"
#include "trust/authentication.h"
#include "trust/journey.h"
#include "trust/vouch.h"

#define AUTHORITY_STAGE "authentication" /* of arrival.h: where its verdict is kept */

enum authority_method {
    AUTHORITY_SPF = 1 << 0,
    AUTHORITY_DKIM = 1 << 1,
    AUTHORITY_DMARC = 1 << 2,
    AUTHORITY_ARC = 1 << 3,
    AUTHORITY_ALL = 15
};

struct authority;
struct authority *authority_new(void);
void authority_free(struct authority *authority);
typedef struct authority struct_authority;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_authority, authority_free)

/* Its word counts for these methods; a second time adds to them. */
void authority_trust(struct authority *authority, const char *host, guint methods);
/* What the accounts of the configuration trust (account: that one; NULL: all), and what was learnt for them.
 * config, account and store may be NULL. */
struct authority *authority_load(const struct config *config, const struct account *account,
                                 struct store *store);

/* Whether it is believed about what it changed (ARC): it is among trusted-sealers, or was learnt: what its chains said was
 * found to be true by checking here, several times, and the user writes to somebody there. The second condition is what
 * a stranger cannot make true. */
gboolean authority_trusts_sealer(const struct authority *authority, const char *domain);

/* A DMARC failure of a message whose chain passed, and was sealed by one of those, is no forgery (vouch.h). */
void authority_soften(const struct authority *authority, GBytes *message, const struct authentication *found,
                      const struct envelope *envelope, struct vouch *vouch);

/* The results that count among the journey's claims; NULL: nobody's. */
struct authentication *authority_choose(const struct authority *authority, const struct journey *journey);

/* All together, for showing: what was kept of the message when it came (0: it is no message of the store),
 * else the results that count. NULL: nobody looked; *vouch is unknown then. store, config and vouch may be
 * NULL; vouch_clear() it. */
struct authentication *authority_find(struct store *store, gint64 message, const struct config *config,
                                      const struct journey *journey, const struct envelope *envelope,
                                      struct vouch *vouch);

/* What an own server is known to have written down of who gave it the message. */
struct handover {
    char *ip;        /* NULL: not told, or an address of a private network */
    char *helo;      /* or NULL */
    char *mail_from; /* of Return-Path, "" of a bounce; NULL: none */
    gint64 time;     /* when; 0: not told */
};
void handover_read(GBytes *message, const struct journey *journey, struct handover *handover);
void handover_clear(struct handover *handover);

/* claims: of the chain (arc.h), which passed; may be NULL. What cannot be compared, as it was changed, counts for nothing. */
gboolean authority_learn_sealer(struct store *store, gint64 account, const struct authentication *claims,
                                const struct authentication *found, GError **error);

/* Compares the claims with what was found here, and remembers for the account whose were true. */
gboolean authority_learn(struct store *store, gint64 account, const struct journey *journey,
                         const struct authentication *found, GError **error);

#endif
