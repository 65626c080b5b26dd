/* What the tests of DKIM and ARC share: keys, a zone of DNS records as a table, and signing. */
#ifndef SIGNER_H
#define SIGNER_H

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "net/dns.h"
#include "trust/canon.h"
#include "trust/taglist.h"

/* --- a zone: "name TYPE value" lines; a value "!" fails, a name without lines does not exist */

struct zone {
    GPtrArray *lines;
};

static inline void zone_add(struct zone *zone, const char *format, ...) G_GNUC_PRINTF(2, 3);

static inline void
zone_add(struct zone *zone, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!zone->lines)
        zone->lines = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(zone->lines, g_strdup_vprintf(format, args));
    va_end(args);
}

static inline enum dns_status
zone_lookup(gpointer data, const char *name, enum dns_type type, GPtrArray *values)
{
    struct zone *zone = data;
    const char *word = type == DNS_TXT    ? "TXT"
                       : type == DNS_A    ? "A"
                       : type == DNS_AAAA ? "AAAA"
                       : type == DNS_MX   ? "MX"
                                          : "PTR";
    gboolean exists = FALSE;
    for (guint i = 0; zone->lines && i < zone->lines->len; i++) {
        g_auto(GStrv) parts = g_strsplit(zone->lines->pdata[i], " ", 3);
        if (g_ascii_strcasecmp(parts[0], name))
            continue;
        exists = TRUE;
        if (strcmp(parts[1], word))
            continue;
        if (!strcmp(parts[2], "!"))
            return DNS_FAILED;
        g_ptr_array_add(values, g_strdup(parts[2]));
    }
    return values->len ? DNS_FOUND : exists ? DNS_NO_RECORD : DNS_NO_NAME;
}

static inline void
zone_clear(struct zone *zone)
{
    g_clear_pointer(&zone->lines, g_ptr_array_unref);
}

/* --- keys, made once a run */

enum signer_key { KEY_RSA, KEY_RSA_1024, KEY_RSA_512, KEY_ED25519, KEY_OTHER, KEYS };

static inline EVP_PKEY *
signer_key(enum signer_key which)
{
    static EVP_PKEY *keys[KEYS];
    static const guint bits[KEYS] = {2048, 1024, 512, 0, 1024};
    if (!keys[which])
        keys[which] = bits[which] ? EVP_RSA_gen(bits[which]) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    g_assert_nonnull(keys[which]);
    return keys[which];
}

/* The value of p=. */
static inline char *
signer_public(enum signer_key which)
{
    guint8 *der = NULL, raw[64];
    gsize length = sizeof raw;
    if (which == KEY_ED25519) {
        g_assert_true(EVP_PKEY_get_raw_public_key(signer_key(which), raw, &length));
        return g_base64_encode(raw, length);
    }
    int n = i2d_PUBKEY(signer_key(which), &der);
    g_assert_cmpint(n, >, 0);
    char *text = g_base64_encode(der, (gsize)n);
    OPENSSL_free(der);
    return text;
}

/* Of the SHA-256 of `text`, in base64. */
static inline char *
signer_sign(enum signer_key which, const GString *text)
{
    guint8 hash[SHA256_SIZE], signature[1024];
    gsize length = sizeof signature;
    struct sha256 *sum = sha256_new();
    sha256_add(sum, text->str, text->len);
    sha256_end(sum, hash);
    if (which == KEY_ED25519) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        g_assert_cmpint(EVP_DigestSignInit(context, NULL, NULL, NULL, signer_key(which)), ==, 1);
        g_assert_cmpint(EVP_DigestSign(context, signature, &length, hash, sizeof hash), ==, 1);
        EVP_MD_CTX_free(context);
    } else {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer_key(which), NULL);
        g_assert_cmpint(EVP_PKEY_sign_init(context), ==, 1);
        g_assert_cmpint(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), ==, 1);
        g_assert_cmpint(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()), ==, 1);
        g_assert_cmpint(EVP_PKEY_sign(context, signature, &length, hash, sizeof hash), ==, 1);
        EVP_PKEY_CTX_free(context);
    }
    return g_base64_encode(signature, length);
}

/* `message` with a field "NAME: TAGS bh=…; b=…" before it. */
static inline char *
signer_add(const char *message, const char *name, const char *tags, enum signer_key which)
{
    g_autoptr(struct_taglist) list = taglist_parse(tags);
    g_autofree char *canon =
        g_ascii_strdown(list && taglist_get(list, "c") ? taglist_get(list, "c") : "simple/simple", -1);
    const char *names = list && taglist_get(list, "h") ? taglist_get(list, "h") : "";
    gboolean header_relaxed = g_str_has_prefix(canon, "relaxed"),
             body_relaxed = g_str_has_suffix(canon, "/relaxed");
    guint64 limit = G_MAXUINT64;
    if (list)
        taglist_number(list, "l", &limit);
    guint8 hash[SHA256_SIZE];
    struct signed_message signing;
    g_autoptr(GBytes) body_bytes = g_bytes_new_static(message, strlen(message));
    signed_message_init(&signing, body_bytes);
    canon_body(&signing, body_relaxed, limit, hash);
    signed_message_clear(&signing);
    g_autofree char *sum = g_base64_encode(hash, sizeof hash);
    g_autofree char *field = g_strdup_printf("%s: %s bh=%s; b=", name, tags, sum);
    g_autofree char *with = g_strconcat(field, "\r\n", message, NULL);
    g_autoptr(GBytes) bytes = g_bytes_new_static(with, strlen(with));
    g_autoptr(GString) text = g_string_new(NULL);
    signed_message_init(&signing, bytes);
    g_autofree gboolean *used = g_new0(gboolean, signing.fields->len);
    g_auto(GStrv) words = g_strsplit(names, ":", -1);
    for (char **word = words; *word; word++)
        for (guint i = signing.fields->len; i-- > 1;)
            if (!used[i] && signed_field_is(&signing, i, g_strstrip(*word))) {
                used[i] = TRUE;
                canon_field(&signing, i, header_relaxed, text);
                break;
            }
    canon_signature(&signing, 0, header_relaxed, text);
    signed_message_clear(&signing);
    g_autofree char *signature = signer_sign(which, text);
    return g_strconcat(field, signature, "\r\n", message, NULL);
}

#endif
