#include "config.h"

#include "trust/arc.h"

#include "base/i18n.h"
#include "trust/dkim.h"

#include <string.h>

enum arc_field { ARC_RESULTS, ARC_SIGNATURE, ARC_SEAL, ARC_FIELDS };
static const char *const names[ARC_FIELDS] = {"ARC-Authentication-Results", "ARC-Message-Signature",
                                              "ARC-Seal"};

struct chain {
    guint sets;
    int field[ARC_SETS_MAX][ARC_FIELDS]; /* index into the fields; -1: none */
};

/* i= of a field; 0: none that can be. Of ARC-Authentication-Results it stands before the first semicolon. */
static guint
instance_of(const struct signed_message *message, guint field, enum arc_field kind)
{
    g_autofree char *text = signed_field_value(message, field);
    if (kind == ARC_RESULTS)
        text[strcspn(text, ";")] = '\0';
    g_autoptr(struct_taglist) tags = taglist_parse(text);
    guint64 number;
    return tags && taglist_number(tags, "i", &number) && number <= ARC_SETS_MAX ? (guint)number : 0;
}

/* FALSE with the reason when the sets are not 1, 2, … with three fields each. */
static gboolean
collect(const struct signed_message *message, struct chain *chain, const char **why)
{
    memset(chain->field, 0xff, sizeof chain->field);
    chain->sets = 0;
    for (guint i = 0; i < message->fields->len; i++)
        for (enum arc_field kind = 0; kind < ARC_FIELDS; kind++) {
            if (!signed_field_is(message, i, names[kind]))
                continue;
            guint instance = instance_of(message, i, kind);
            if (!instance) {
                *why = _("a set of the chain has no number");
                return FALSE;
            }
            if (chain->field[instance - 1][kind] >= 0) {
                *why = _("a set of the chain is there twice");
                return FALSE;
            }
            chain->field[instance - 1][kind] = (int)i;
            chain->sets = MAX(chain->sets, instance);
        }
    for (guint set = 0; set < chain->sets; set++)
        for (enum arc_field kind = 0; kind < ARC_FIELDS; kind++)
            if (chain->field[set][kind] < 0) {
                *why = _("a set of the chain is not whole");
                return FALSE;
            }
    return TRUE;
}

/* Section 5.1.1: the fields of all sets up to this one, in order, relaxed; the seal without its b=. */
static void
hash_seal(const struct signed_message *message, const struct chain *chain, guint set,
          guint8 hash[SHA256_SIZE])
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i <= set; i++)
        for (enum arc_field kind = 0; kind < ARC_FIELDS; kind++) {
            guint field = (guint)chain->field[i][kind];
            if (i == set && kind == ARC_SEAL)
                canon_signature(message, field, TRUE, text);
            else
                canon_field(message, field, TRUE, text);
        }
    struct sha256 *sum = sha256_new();
    sha256_add(sum, text->str, text->len);
    sha256_end(sum, hash);
}

static gboolean
read_seal(const struct signed_message *message, guint field, gboolean is_first, struct taglist **tags,
          struct authentication_dkim *found)
{
    static const char *const required[] = {"a", "b", "cv", "d", "i", "s", NULL};
    g_autofree char *text = signed_field_value(message, field);
    *tags = taglist_parse(text);
    for (const char *const *tag = required; *tags && *tag; tag++)
        if (!taglist_get(*tags, *tag) || !*taglist_get(*tags, *tag))
            g_clear_pointer(tags, taglist_free);
    if (!*tags || taglist_get(*tags, "h") || taglist_get(*tags, "bh"))
        return dkim_say(found, "fail", _("a seal of the chain cannot be read"));
    found->domain = g_ascii_strdown(taglist_get(*tags, "d"), -1);
    found->selector = g_strdup(taglist_get(*tags, "s"));
    const char *algorithm = taglist_get(*tags, "a");
    if (g_ascii_strcasecmp(algorithm, "rsa-sha256") && g_ascii_strcasecmp(algorithm, "ed25519-sha256"))
        return dkim_say(found, "fail", _("a seal of the chain has an unknown algorithm"));
    if (g_ascii_strcasecmp(taglist_get(*tags, "cv"), is_first ? "none" : "pass"))
        return dkim_say(found, "fail", _("a relay says that the chain was broken already"));
    return TRUE;
}

static gboolean
verify_seal(const struct signed_message *message, const struct chain *chain, guint set, struct dns *dns,
            struct authentication_dkim *found)
{
    g_autoptr(struct_taglist) tags = NULL;
    if (!read_seal(message, (guint)chain->field[set][ARC_SEAL], !set, &tags, found))
        return FALSE;
    gsize length;
    gboolean testing;
    guint8 hash[SHA256_SIZE];
    g_autofree guint8 *signature = taglist_base64(tags, "b", &length);
    g_autoptr(struct_signature_key) key = dkim_find_key(tags, dns, NULL, &testing, found);
    if (!key)
        return FALSE;
    hash_seal(message, chain, set, hash);
    return (signature && signature_verify(key, hash, signature, length)) ||
           dkim_say(found, "fail", _("a seal of the chain is false"));
}

static void
conclude(struct authentication *authentication, const struct authentication_dkim *found)
{
    gboolean later = !g_strcmp0(found->result, "temperror");
    authentication->arc = g_strdup(later ? "temperror" : "fail");
    authentication->arc_reason = g_strdup(found->reason);
}

void
arc_check(const struct signed_message *message, struct dns *dns, struct authentication *authentication)
{
    g_autofree struct chain *chain = g_new(struct chain, 1);
    const char *why = NULL;
    if (!collect(message, chain, &why)) {
        authentication->arc = g_strdup("fail");
        authentication->arc_reason = g_strdup(why);
        return;
    }
    if (!chain->sets) {
        authentication->arc = g_strdup("none");
        return;
    }
    g_autoptr(struct_authentication) parts = authentication_new();
    guint newest = chain->sets - 1;
    struct authentication_dkim *last = authentication_add_dkim(parts);
    dkim_verify_arc(message, (guint)chain->field[newest][ARC_SIGNATURE], dns, last);
    if (g_strcmp0(last->result, "pass")) {
        conclude(authentication, last);
        return;
    }
    for (guint set = chain->sets; set-- > 0;) {
        struct authentication_dkim *seal = authentication_add_dkim(parts);
        if (!verify_seal(message, chain, set, dns, seal)) {
            conclude(authentication, seal);
            return;
        }
        if (set == newest)
            authentication->arc_domain = g_strdup(seal->domain);
    }
    authentication->arc = g_strdup("pass");
}

struct authentication *
arc_results(const struct signed_message *message)
{
    g_autofree struct chain *chain = g_new(struct chain, 1);
    const char *why;
    if (!collect(message, chain, &why) || !chain->sets)
        return NULL;
    g_autofree char *text = signed_field_value(message, (guint)chain->field[chain->sets - 1][ARC_RESULTS]);
    const char *semicolon = strchr(text, ';');
    return semicolon ? authres_parse(semicolon + 1, NULL) : NULL;
}
