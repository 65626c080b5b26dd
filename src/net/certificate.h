/*
 * certificate: the judgement on what a server showed, in words that a user can act on. For tls.c only.
 *
 * OpenSSL verifies (chain, dates, names, purposes, strength) and every fault that it finds is noted; only
 * then is it judged, so that the gravest fault is the one that is named, and a pin can forgive exactly some.
 */
#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include "net/stream_private.h"

#include <openssl/x509_vfy.h>

struct certificate_check {
    unsigned faults; /* bits of enum certificate_fault */
    /* For each fault X509_V_ERR_* and the depth of the certificate it was first found at, 0 for the server's
     * own. */
    int x509_errors[CERTIFICATE_INVALID + 1], depths[CERTIFICATE_INVALID + 1];
};

/* Notes the fault that the verification has just come upon. */
void certificate_note(struct certificate_check *check, X509_STORE_CTX *store);

/* "sha256:BASE64" of the public key (SPKI), or NULL. */
char *certificate_key(X509 *certificate);

/* FALSE: the stream is dead and says why. stream->key must be set. A pin forgives an unknown issuer, and
 * either a passed date or another name: not both, and nothing else. */
gboolean certificate_judge(struct stream *stream, const struct certificate_check *check, X509 *leaf,
                           GError **error);

#endif
