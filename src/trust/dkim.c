#include "config.h"

#include "trust/dkim.h"

#include "base/i18n.h"

#include <string.h>

#define CLOCKS_DIFFER                                                                                        \
    86400 /* a signature from further in the future than this was not made by a right clock */

/* Where each of these stands once, the reader shows the first, and a signature covers the last. */
static const char *const singular[] = {"From",
                                       "Sender",
                                       "Reply-To",
                                       "To",
                                       "Cc",
                                       "Subject",
                                       "Date",
                                       "Message-ID",
                                       "MIME-Version",
                                       "Content-Type",
                                       "Content-Transfer-Encoding",
                                       "References",
                                       NULL};

gboolean
dkim_say(struct authentication_dkim *found, const char *result, const char *reason)
{
    g_free(found->result);
    g_free(found->reason);
    found->result = g_strdup(result);
    found->reason = g_strdup(reason);
    return FALSE;
}

/* --- the key */

static gboolean
is_below(const char *domain, const char *parent)
{
    gsize n = strlen(domain), m = strlen(parent);
    return n >= m && !g_ascii_strcasecmp(domain + n - m, parent) && (n == m || domain[n - m - 1] == '.');
}

static gboolean
key_is_usable(const struct taglist *record, const char *kind, struct authentication_dkim *found)
{
    const char *version = taglist_get(record, "v"), *type = taglist_get(record, "k"),
               *hashes = taglist_get(record, "h"), *services = taglist_get(record, "s");
    if (version && (strcmp(version, "DKIM1") || strcmp(taglist_first(record), "v")))
        return dkim_say(found, "permerror", _("the key record has an unknown version"));
    if (g_ascii_strcasecmp(type ? type : "rsa", kind))
        return dkim_say(found, "permerror", _("the key is of another type than the signature"));
    if (hashes && !words_have(hashes, "sha256"))
        return dkim_say(found, "permerror", _("the key may not be used with this hash"));
    if (services && !words_have(services, "*") && !words_have(services, "email"))
        return dkim_say(found, "permerror", _("the key is not for mail"));
    return TRUE;
}

static struct signature_key *
read_key(const struct taglist *record, const char *kind, struct authentication_dkim *found)
{
    gsize length = 0;
    g_autofree guint8 *bytes = taglist_base64(record, "p", &length);
    if (bytes && !length) {
        dkim_say(found, "permerror", _("the key was revoked"));
        return NULL;
    }
    enum signature_kind which = strcmp(kind, "rsa") ? SIGNATURE_ED25519 : SIGNATURE_RSA;
    g_autoptr(struct_signature_key) key = bytes ? signature_key_new(which, bytes, length) : NULL;
    if (!key) {
        dkim_say(found, "permerror", _("the key record holds no key"));
        return NULL;
    }
    found->bits = signature_key_bits(key);
    if (which == SIGNATURE_RSA && found->bits < DKIM_BITS_MIN) {
        g_autofree char *reason = g_strdup_printf(_("the key is too short: %u bits"), found->bits);
        dkim_say(found, "policy", reason);
        return NULL;
    }
    return g_steal_pointer(&key);
}

/* Of several records the first that can be read: RFC 6376 section 3.6.2.2 leaves it open. */
static struct taglist *
choose_record(const GPtrArray *values)
{
    for (guint i = 0; i < values->len; i++) {
        g_autoptr(struct_taglist) record = taglist_parse(values->pdata[i]);
        if (record && taglist_get(record, "p"))
            return g_steal_pointer(&record);
    }
    return NULL;
}

struct signature_key *
dkim_find_key(const struct taglist *tags, struct dns *dns, const char *identity, gboolean *testing,
              struct authentication_dkim *found)
{
    const char *algorithm = taglist_get(tags, "a");
    g_autofree char *kind = g_ascii_strdown(algorithm, (gssize)strcspn(algorithm, "-"));
    g_autofree char *domain = address_domain_to_ascii(found->domain);
    g_autofree char *name = domain ? g_strdup_printf("%s._domainkey.%s", found->selector, domain) : NULL;
    g_autoptr(GPtrArray) values = NULL;
    enum dns_status status = name ? dns_lookup(dns, name, DNS_TXT, &values) : DNS_NO_NAME;
    if (status == DNS_FAILED) {
        dkim_say(found, "temperror", _("the key could not be looked up"));
        return NULL;
    }
    if (status != DNS_FOUND) {
        dkim_say(found, "permerror", _("there is no such key"));
        return NULL;
    }
    g_autoptr(struct_taglist) record = choose_record(values);
    if (!record) {
        dkim_say(found, "permerror", _("the key record holds no key"));
        return NULL;
    }
    const char *flags = taglist_get(record, "t");
    *testing = flags && words_have(flags, "y");
    if (!key_is_usable(record, kind, found))
        return NULL;
    if (flags && words_have(flags, "s") && identity && g_ascii_strcasecmp(identity, found->domain)) {
        dkim_say(found, "permerror", _("the key is not for domains below its own"));
        return NULL;
    }
    return read_key(record, kind, found);
}

/* --- a signature */

struct canon_choice {
    gboolean header_relaxed, body_relaxed;
};

/* c=: "relaxed/simple", "relaxed" (the body is simple then), none. */
static gboolean
read_canon(const struct taglist *tags, struct canon_choice *choice)
{
    const char *text = taglist_get(tags, "c");
    g_auto(GStrv) parts = g_strsplit(text ? text : "simple/simple", "/", 3);
    guint n = g_strv_length(parts);
    gboolean relaxed[2] = {FALSE, FALSE};
    if (!n || n > 2)
        return FALSE;
    for (guint i = 0; i < n; i++) {
        g_strstrip(parts[i]);
        relaxed[i] = !g_ascii_strcasecmp(parts[i], "relaxed");
        if (!relaxed[i] && g_ascii_strcasecmp(parts[i], "simple"))
            return FALSE;
    }
    choice->header_relaxed = relaxed[0];
    choice->body_relaxed = relaxed[1];
    return TRUE;
}

static gboolean
has_required(const struct taglist *tags, struct authentication_dkim *found)
{
    static const char *const required[] = {"a", "b", "bh", "d", "h", "s", NULL};
    for (const char *const *tag = required; *tag; tag++) {
        const char *value = taglist_get(tags, *tag);
        if (value && *value)
            continue;
        g_autofree char *reason = g_strdup_printf(_("the signature has no %s="), *tag);
        return dkim_say(found, "permerror", reason);
    }
    return TRUE;
}

static gboolean
algorithm_is_known(const struct taglist *tags, struct authentication_dkim *found)
{
    const char *algorithm = taglist_get(tags, "a");
    found->algorithm = g_strdup(algorithm);
    if (!g_ascii_strcasecmp(algorithm, "rsa-sha256") || !g_ascii_strcasecmp(algorithm, "ed25519-sha256"))
        return TRUE;
    if (!g_ascii_strcasecmp(algorithm, "rsa-sha1")) /* RFC 8301 section 3.1 */
        return dkim_say(found, "permerror", _("rsa-sha1 proves nothing any more"));
    return dkim_say(found, "permerror", _("the signature's algorithm is not known"));
}

/* t= and x=. */
static gboolean
time_is_right(const struct taglist *tags, gint64 when, struct authentication_dkim *found)
{
    guint64 made = 0, expires = 0;
    gboolean has_made = taglist_number(tags, "t", &made), has_expires = taglist_number(tags, "x", &expires);
    if ((!has_made && taglist_get(tags, "t")) || (!has_expires && taglist_get(tags, "x")))
        return dkim_say(found, "permerror", _("the signature's times cannot be read"));
    found->signed_at = (gint64)made;
    if (has_made && has_expires && expires <= made)
        return dkim_say(found, "permerror", _("the signature ended before it was made"));
    if (has_expires && (gint64)expires < when)
        return dkim_say(found, "fail", _("the signature has expired"));
    if (has_made && (gint64)made > when + CLOCKS_DIFFER)
        return dkim_say(found, "policy", _("the signature is dated in the future"));
    return TRUE;
}

/* Everything about the signature that needs neither key nor message; identity: the domain of i=. */
static gboolean
tags_are_sound(const struct taglist *tags, gboolean is_arc, gint64 when, char **identity,
               struct authentication_dkim *found)
{
    const char *query = taglist_get(tags, "q"), *version = taglist_get(tags, "v");
    if (!has_required(tags, found))
        return FALSE;
    found->domain = g_ascii_strdown(taglist_get(tags, "d"), -1);
    found->selector = g_strdup(taglist_get(tags, "s"));
    if (!is_arc && g_strcmp0(version, "1"))
        return dkim_say(found, "permerror", _("the signature has an unknown version"));
    if (!algorithm_is_known(tags, found))
        return FALSE;
    if (query && !words_have(query, "dns/txt"))
        return dkim_say(found, "permerror", _("the signature's key is not in the DNS"));
    if (!words_have(taglist_get(tags, "h"), "from"))
        return dkim_say(found, "permerror", _("the signature does not cover From"));
    if (is_arc) /* its i= counts the relays */
        return words_have(taglist_get(tags, "h"), "arc-seal")
                   ? dkim_say(found, "permerror", _("the signature covers a seal"))
                   : TRUE;
    const char *agent = taglist_get(tags, "i");
    const char *at = agent ? strrchr(agent, '@') : NULL;
    if (agent && !at)
        return dkim_say(found, "permerror", _("the signature names no domain in i="));
    *identity = g_strdup(at ? at + 1 : found->domain);
    if (!is_below(*identity, found->domain))
        return dkim_say(found, "permerror", _("the signature speaks for a domain that is not its own"));
    return time_is_right(tags, when, found);
}

/* The fields named in h=, of equal names from the bottom up (section 5.4.2); one that is not there counts as
 * nothing. Then the signature itself. */
static void
hash_header(const struct signed_message *message, guint field, const char *names, gboolean relaxed,
            guint8 hash[SHA256_SIZE])
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree guint8 *used = g_new0(guint8, message->fields->len);
    g_auto(GStrv) list = g_strsplit(names, ":", -1);
    for (char **name = list; *name; name++) {
        g_strstrip(*name);
        for (guint i = message->fields->len; i-- > 0;) {
            if (used[i] || i == field || !signed_field_is(message, i, *name))
                continue;
            used[i] = 1;
            canon_field(message, i, relaxed, text);
            break;
        }
    }
    canon_signature(message, field, relaxed, text);
    struct sha256 *sum = sha256_new();
    sha256_add(sum, text->str, text->len);
    sha256_end(sum, hash);
}

static guint
count_named(const char *names, const char *name)
{
    guint count = 0;
    g_auto(GStrv) list = g_strsplit(names, ":", -1);
    for (char **item = list; *item; item++)
        count += !g_ascii_strcasecmp(g_strstrip(*item), name);
    return count;
}

/* What was signed is intact, but is it what is shown? */
static gboolean
is_what_is_shown(const struct signed_message *message, const char *names, guint64 unsigned_bytes,
                 struct authentication_dkim *found)
{
    if (unsigned_bytes)
        return dkim_say(found, "policy", _("text was added behind the part that is signed"));
    for (const char *const *name = singular; *name; name++) {
        guint there = 0, covered = count_named(names, *name);
        for (guint i = 0; i < message->fields->len; i++)
            there += signed_field_is(message, i, *name);
        if (there < 2 || !covered || there <= covered)
            continue;
        g_autofree char *reason = g_strdup_printf(_("a second %s was added to what is signed"), *name);
        return dkim_say(found, "policy", reason);
    }
    return TRUE;
}

static gboolean
body_is_right(const struct signed_message *message, const struct taglist *tags, gboolean relaxed,
              guint64 *unsigned_bytes, struct authentication_dkim *found)
{
    guint8 hash[SHA256_SIZE];
    guint64 limit = G_MAXUINT64;
    if (taglist_get(tags, "l") && !taglist_number(tags, "l", &limit))
        return dkim_say(found, "permerror", _("the signature's length cannot be read"));
    gsize length;
    g_autofree guint8 *wanted = taglist_base64(tags, "bh", &length);
    if (!wanted)
        return dkim_say(found, "permerror", _("the signature cannot be read"));
    guint64 whole = canon_body(message, relaxed, limit, hash);
    if (limit != G_MAXUINT64 && limit > whole)
        return dkim_say(found, "fail", _("the text was shortened on the way"));
    *unsigned_bytes = limit < whole ? whole - limit : 0;
    if (length == SHA256_SIZE && !memcmp(hash, wanted, SHA256_SIZE))
        return TRUE;
    return dkim_say(found, "fail", _("the text was changed on the way"));
}

static gboolean
verify(const struct signed_message *message, guint field, gboolean is_arc, struct dns *dns, gint64 when,
       struct authentication_dkim *found)
{
    g_autofree char *text = signed_field_value(message, field), *identity = NULL;
    g_autoptr(struct_taglist) tags = taglist_parse(text);
    struct canon_choice canon;
    if (!tags)
        return dkim_say(found, "permerror", _("the signature cannot be read"));
    if (!tags_are_sound(tags, is_arc, when, &identity, found))
        return FALSE;
    if (!read_canon(tags, &canon))
        return dkim_say(found, "permerror", _("the signature's form is not known"));
    gsize length;
    guint64 unsigned_bytes = 0;
    g_autofree guint8 *signature = taglist_base64(tags, "b", &length);
    if (!signature)
        return dkim_say(found, "permerror", _("the signature cannot be read"));
    gboolean testing = FALSE;
    g_autoptr(struct_signature_key) key = dkim_find_key(tags, dns, identity, &testing, found);
    if (!key)
        return FALSE;

    const char *names = taglist_get(tags, "h");
    guint8 hash[SHA256_SIZE];
    gboolean ok = body_is_right(message, tags, canon.body_relaxed, &unsigned_bytes, found);
    if (ok) {
        hash_header(message, field, names, canon.header_relaxed, hash);
        ok = signature_verify(key, hash, signature, length) ||
             dkim_say(found, "fail", _("a signed header field was changed, or the signature is another's"));
    }
    if (ok)
        ok = is_what_is_shown(message, names, unsigned_bytes, found);
    if (!ok && testing && !g_strcmp0(found->result, "fail")) /* section 3.6.1, t=y: as if there were none */
        return dkim_say(found, "neutral", _("it failed, and the domain is only testing its signatures"));
    if (ok)
        dkim_say(found, "pass", testing ? _("the domain is only testing its signatures") : NULL);
    return ok;
}

void
dkim_verify_arc(const struct signed_message *message, guint field, struct dns *dns,
                struct authentication_dkim *found)
{
    verify(message, field, TRUE, dns, 0, found);
}

void
dkim_check(const struct signed_message *message, struct dns *dns, gint64 when,
           struct authentication *authentication)
{
    for (guint i = 0; i < message->fields->len && authentication->dkim->len < DKIM_SIGNATURES_MAX; i++)
        if (signed_field_is(message, i, "DKIM-Signature"))
            verify(message, i, FALSE, dns, when, authentication_add_dkim(authentication));
}
