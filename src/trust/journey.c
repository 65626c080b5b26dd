#include "config.h"

#include "trust/journey.h"

#include <string.h>

#include "mail/date.h"
#include "mail/rawmsg.h"
#include "trust/authres.h"

#define CLAIMS_MAX 20
#define SKEW_MAX 86400 /* a Date further after the first hop than this is no time of sending */

static void
free_hop(gpointer hop)
{
    hop_free(hop);
}

static void
free_forward(gpointer data)
{
    struct forward *forward = data;
    g_free(forward->by);
    g_free(forward);
}

const char *
forward_kind_name(enum forward_kind kind)
{
    static const char *const names[] = {"list", "resent", "arc"};
    return names[kind];
}

void
journey_free(struct journey *journey)
{
    if (!journey)
        return;
    g_ptr_array_unref(journey->hops);
    g_ptr_array_unref(journey->forwards);
    g_ptr_array_unref(journey->claims);
    g_free(journey);
}

/* The part of a host name that one owner has: its last two labels, three below a two-letter domain with a
 * short second level ("co.uk"). NULL for an address or a single label. */
static char *
owner_of(const char *host)
{
    g_autofree char *lower = g_ascii_strdown(host, -1);
    gsize len = strlen(lower);
    if (len && lower[len - 1] == '.')
        lower[--len] = '\0';
    if (!len || g_hostname_is_ip_address(lower) || *lower == '[')
        return NULL;
    g_auto(GStrv) labels = g_strsplit(lower, ".", -1);
    guint n = g_strv_length(labels);
    if (n < 2)
        return NULL;
    guint keep = n > 2 && strlen(labels[n - 1]) == 2 && strlen(labels[n - 2]) <= 3 ? 3 : 2;
    return g_strjoinv(".", labels + (n - keep));
}

static gboolean
is_owned(const char *host, GPtrArray *owners)
{
    g_autofree char *owner = host ? owner_of(host) : NULL;
    return owner && g_ptr_array_find_with_equal_func(owners, owner, g_str_equal, NULL);
}

static char *
value_of(const char *bytes, const struct rawmsg_field *field)
{
    gsize end = field->offset + field->length;
    g_autofree char *raw = g_strndup(bytes + field->value_offset, end - field->value_offset);
    for (char *p = raw; *p; p++)
        if (*p == '\r' || *p == '\n' || *p == '\t')
            *p = ' ';
    return g_utf8_make_valid(g_strstrip(raw), -1);
}

static gboolean
is_named(const char *bytes, const struct rawmsg_field *field, const char *name)
{
    return strlen(name) == field->name_length &&
           !g_ascii_strncasecmp(bytes + field->offset, name, field->name_length);
}

static void
add_owner(GPtrArray *owners, const char *host)
{
    char *owner = host ? owner_of(host) : NULL;
    if (owner)
        g_ptr_array_add(owners, owner);
}

/* Whose fields count: the account's servers, and who delivered the message last. */
static GPtrArray *
collect_owners(const char *const *own, const char *bytes, GArray *fields)
{
    GPtrArray *owners = g_ptr_array_new_with_free_func(g_free);
    for (; own && *own; own++)
        add_owner(owners, *own);
    for (guint i = 0; i < fields->len; i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        if (!is_named(bytes, field, "Received"))
            continue;
        g_autofree char *value = value_of(bytes, field);
        struct hop *newest = hop_parse(value);
        add_owner(owners, newest->by);
        hop_free(newest);
        break;
    }
    return owners;
}

/* Where its word counts is authority.h's to say. */
static void
read_claim(struct journey *journey, const char *value)
{
    struct authentication *claim = journey->claims->len < CLAIMS_MAX ? authres_parse(value, NULL) : NULL;
    if (claim)
        g_ptr_array_add(journey->claims, claim);
}

static void
free_claim(gpointer claim)
{
    authentication_free(claim);
}

/* A field that says that somebody sent it on. */
static void
read_forward(struct journey *journey, const char *bytes, const struct rawmsg_field *field, const char *value)
{
    struct forward found = {FORWARD_LIST, NULL};
    if (is_named(bytes, field, "List-Id")) {
        const char *open = strrchr(value, '<'), *close = open ? strchr(open, '>') : NULL;
        found.by = close ? g_strndup(open + 1, (gsize)(close - open - 1)) : g_strdup(value);
    } else if (is_named(bytes, field, "Resent-From")) {
        found = (struct forward){FORWARD_RESENT, g_strdup(value)};
    } else if (is_named(bytes, field, "ARC-Seal")) {
        for (const char *tag = value; tag; tag = strchr(tag, ';')) {
            tag += strspn(tag, "; \t");
            if (tag[0] == 'd' && tag[1 + strspn(tag + 1, " \t")] == '=') {
                const char *domain = strchr(tag, '=') + 1;
                domain += strspn(domain, " \t");
                found = (struct forward){FORWARD_ARC, g_strndup(domain, strcspn(domain, "; \t"))};
                break;
            }
        }
    }
    if (!found.by || !*found.by || journey->forwards->len >= JOURNEY_HOPS_MAX) {
        g_free(found.by);
        return;
    }
    g_autofree char *whole = found.by;
    found.by = g_utf8_make_valid(whole, (gssize)MIN(strlen(whole), HOP_TEXT_MAX));
    g_ptr_array_add(journey->forwards, g_memdup2(&found, sizeof found));
}

/* Somebody outside gave it to an own server: by a public address whose name, as that server looked it up, is not the
 * own. What the client calls itself counts for nothing. */
static gboolean
is_handover(const struct hop *hop)
{
    const char *address = hop->client;
    if (!address || journey_is_private(address))
        return FALSE;
    g_autofree char *name = hop->from_real ? g_strndup(hop->from_real, strcspn(hop->from_real, " [(")) : NULL;
    g_autofree char *from = name ? owner_of(name) : NULL, *by = hop->by ? owner_of(hop->by) : NULL;
    return !from || g_strcmp0(from, by) || strstr(hop->from_real, "forged");
}

gboolean
journey_is_private(const char *address)
{
    static const char *const nets[] = {"10.", "127.", "192.168.", "169.254.", "0.", "fe80:", "fc", "fd", "::1", NULL};
    for (const char *const *net = nets; *net; net++)
        if (!g_ascii_strncasecmp(address, *net, strlen(*net)))
            return TRUE;
    gint64 second = g_str_has_prefix(address, "172.") ? g_ascii_strtoll(address + 4, NULL, 10) : 0;
    return second >= 16 && second < 32;
}

/* As they stand, newest first. The own chain ends with the hop at which somebody outside handed the message over, or at
 * the first that another's server wrote; a hop of an internal address ("by 10.0.0.7", "by localhost") belongs to its
 * neighbours. What lies beyond came from outside, whatever it says. */
static void
read_fields(struct journey *journey, const char *bytes, GArray *fields, const char *const *own)
{
    g_autoptr(GPtrArray) owners = collect_owners(own, bytes, fields);
    gboolean is_inside = TRUE, is_handed = FALSE;
    for (guint i = 0; i < fields->len; i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        g_autofree char *value = value_of(bytes, field);
        if (is_named(bytes, field, "Received") && journey->hops->len < JOURNEY_HOPS_MAX) {
            struct hop *hop = hop_parse(value);
            g_autofree char *owner = hop->by ? owner_of(hop->by) : NULL;
            is_inside = is_inside && !is_handed && (!owner || is_owned(hop->by, owners));
            hop->is_ours = is_inside;
            is_handed = is_handed || (is_inside && is_handover(hop));
            g_ptr_array_add(journey->hops, hop);
        } else if (is_named(bytes, field, "Authentication-Results") && is_inside) {
            read_claim(journey, value);
        } else if (is_named(bytes, field, "Date") && !journey->composed &&
                   !date_parse(value, &journey->composed, &journey->composed_zone)) {
            journey->composed = 0;
        } else {
            read_forward(journey, bytes, field, value);
        }
    }
}

static void
reverse(GPtrArray *array)
{
    for (guint i = 0; i < array->len / 2; i++) {
        gpointer swap = array->pdata[i];
        array->pdata[i] = array->pdata[array->len - 1 - i];
        array->pdata[array->len - 1 - i] = swap;
    }
}

static void
measure(struct journey *journey)
{
    gint64 before = 0, first = 0, last = 0;
    gboolean has_before = FALSE, has_first = FALSE;
    for (guint i = 0; i < journey->hops->len; i++) {
        struct hop *hop = journey->hops->pdata[i];
        if (!hop->has_time)
            continue;
        if (!has_before && journey->composed && journey->composed <= hop->time + SKEW_MAX) {
            before = journey->composed;
            has_before = TRUE;
        }
        if (!has_first) {
            first = has_before ? MIN(before, hop->time) : hop->time;
            has_first = TRUE;
        }
        if (has_before) {
            hop->delay = MAX(hop->time - before, 0);
            hop->skew = MAX(before - hop->time, 0); /* clocks differ */
        }
        before = last = hop->time;
        has_before = TRUE;
    }
    journey->total = has_first ? MAX(last - first, 0) : -1;
}

static gboolean
is_private_address(const char *text)
{
    static const char *const prefixes[] = {"127.", "10.", "192.168.", "::1", "fe80:", "fd", "[127.", "[::1", "[10.", "[192.168."};
    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(text, prefixes[i]))
            return TRUE;
    return !strcmp(text, "localhost") || g_str_has_prefix(text, "localhost.");
}

/* Within one owner's servers? */
static gboolean
is_internal(const struct hop *hop)
{
    const char *address = hop->from_real ? strchr(hop->from_real, '[') : NULL;
    g_autofree char *to = hop->by ? owner_of(hop->by) : NULL;
    g_autofree char *real = hop->from_real ? g_strndup(hop->from_real, strcspn(hop->from_real, " [")) : NULL;
    g_autofree char *from = real && *real ? owner_of(real) : NULL;
    if (!from && hop->from && !real)
        from = owner_of(hop->from); /* all that is said */
    return (address && is_private_address(address)) || (hop->by && is_private_address(hop->by)) ||
           (!address && hop->from && is_private_address(hop->from)) || (to && from && !strcmp(to, from)) ||
           (hop->from && hop->by && !g_ascii_strcasecmp(hop->from, hop->by));
}

static gboolean
has_protocol(const struct hop *hop, const char *prefix)
{
    return hop->with && !g_ascii_strncasecmp(hop->with, prefix, strlen(prefix));
}

/* What each hop was, as far as its own words tell. */
static void
name_hops(struct journey *journey)
{
    for (guint i = 0; i < journey->hops->len; i++) {
        struct hop *hop = journey->hops->pdata[i];
        gboolean is_first = i == 0, is_last = i + 1 == journey->hops->len;
        gsize len = hop->with ? strlen(hop->with) : 0;
        gboolean is_authenticated = len && g_ascii_toupper(hop->with[len - 1]) == 'A' && strcasestr(hop->with, "SMTP");
        if (is_authenticated || (is_first && (has_protocol(hop, "HTTP") || has_protocol(hop, "local") || (!hop->from && !hop->with))))
            hop->kind = HOP_SUBMISSION;
        else if (has_protocol(hop, "LMTP") || (is_last && (has_protocol(hop, "local") || has_protocol(hop, "POP3") ||
                                                           has_protocol(hop, "IMAP") || has_protocol(hop, "mapi"))))
            hop->kind = HOP_DELIVERY;
        else if (!hop->from || is_internal(hop))
            hop->kind = HOP_INTERNAL;
    }
}

struct journey *
journey_read(GBytes *message, const char *const *own)
{
    struct journey *journey = g_new0(struct journey, 1);
    journey->hops = g_ptr_array_new_with_free_func(free_hop);
    journey->forwards = g_ptr_array_new_with_free_func(free_forward);
    journey->claims = g_ptr_array_new_with_free_func(free_claim);
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GArray) fields = rawmsg_fields(bytes, length, NULL, NULL);
    read_fields(journey, bytes, fields, own);
    reverse(journey->hops);
    reverse(journey->forwards);
    measure(journey);
    name_hops(journey);
    return journey;
}
