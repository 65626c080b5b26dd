#include "config.h"

#include "trust/unsubscribe.h"

#include "base/i18n.h"
#include "base/url.h"
#include "mail/address.h"
#include "mail/rawmsg.h"

#include <string.h>

#define VALUE_MAX 8000 /* bytes of a field that are looked at */
#define URLS_MAX 10
#define SIGNATURES_MAX 10

static const char *const names[] = {
    [UNSUBSCRIBE_NOT] = "none", [UNSUBSCRIBE_ONE_CLICK] = "one-click", [UNSUBSCRIBE_MAIL] = "mail", [UNSUBSCRIBE_LINK] = "link"};

const char *
unsubscribe_how_name(enum unsubscribe_how how)
{
    return names[how];
}

void
unsubscribe_free(struct unsubscribe *unsubscribe)
{
    if (!unsubscribe)
        return;
    g_free(unsubscribe->url);
    g_free(unsubscribe->mail);
    g_free(unsubscribe->list);
    g_free(unsubscribe);
}

/* A field that stands there once; one that is there twice may say two things, and is believed in neither. */
static char *
only(GBytes *message, const char *name)
{
    g_autofree char *value = rawmsg_get(message, name, 0), *second = value ? rawmsg_get(message, name, 1) : NULL;
    return value && !second && strlen(value) <= VALUE_MAX ? g_steal_pointer(&value) : NULL;
}

/* Without the blanks that folding leaves in a long URL. */
static char *
clean(const char *begin, const char *end)
{
    GString *out = g_string_new(NULL);
    for (const char *p = begin; p < end; p++)
        if (!g_ascii_isspace(*p))
            g_string_append_c(out, *p);
    return g_string_free(out, FALSE);
}

/* The first https and the first mailto of "<…>, <…>" (RFC 2369 section 2); a plain http when there is no other. */
static void
take_urls(struct unsubscribe *out, const char *value)
{
    g_autofree char *plain = NULL;
    guint n = 0;
    for (const char *p = value; n < URLS_MAX && (p = strchr(p, '<')); n++) {
        const char *end = strchr(p, '>');
        if (!end)
            break;
        g_autofree char *url = clean(p + 1, end);
        p = end;
        if (!out->url && !g_ascii_strncasecmp(url, "https://", 8))
            out->url = g_steal_pointer(&url);
        else if (!out->mail && !g_ascii_strncasecmp(url, "mailto:", 7))
            out->mail = g_steal_pointer(&url);
        else if (!plain && !g_ascii_strncasecmp(url, "http://", 7))
            plain = g_steal_pointer(&url);
    }
    if (!out->url)
        out->url = g_steal_pointer(&plain);
}

/* ---- one click ---- */

/* The value of a tag of a DKIM-Signature (RFC 6376 section 3.2), without blanks; NULL when it has none. */
static char *
tag_of(const char *signature, const char *tag)
{
    g_auto(GStrv) parts = g_strsplit(signature, ";", -1);
    for (char **part = parts; *part; part++) {
        char *equals = strchr(*part, '=');
        if (!equals)
            continue;
        *equals = '\0';
        if (!strcmp(g_strstrip(*part), tag))
            return clean(equals + 1, equals + 1 + strlen(equals + 1));
    }
    return NULL;
}

static gboolean
names_field(const char *list, const char *field)
{
    g_auto(GStrv) fields = g_strsplit(list, ":", -1);
    for (char **name = fields; *name; name++)
        if (!g_ascii_strcasecmp(*name, field))
            return TRUE;
    return FALSE;
}

static gboolean
is_vouched(const struct authentication *authentication, const char *domain)
{
    for (guint i = 0; authentication && i < authentication->dkim->len; i++) {
        const struct authentication_dkim *dkim = authentication->dkim->pdata[i];
        if (!g_strcmp0(dkim->result, "pass") && dkim->domain && !g_ascii_strcasecmp(dkim->domain, domain))
            return TRUE;
    }
    return FALSE;
}

/* A signature that the own server found good, over both fields. */
static gboolean
is_covered(GBytes *message, const struct authentication *authentication)
{
    for (guint i = 0; i < SIGNATURES_MAX; i++) {
        g_autofree char *signature = rawmsg_get(message, "DKIM-Signature", i);
        if (!signature)
            return FALSE;
        g_autofree char *domain = tag_of(signature, "d"), *fields = tag_of(signature, "h");
        if (domain && fields && is_vouched(authentication, domain) && names_field(fields, "List-Unsubscribe") &&
            names_field(fields, "List-Unsubscribe-Post"))
            return TRUE;
    }
    return FALSE;
}

static gboolean
offers_one_click(GBytes *message)
{
    g_autofree char *post = only(message, "List-Unsubscribe-Post");
    g_autofree char *value = post ? clean(post, post + strlen(post)) : NULL;
    return value && !g_ascii_strcasecmp(value, UNSUBSCRIBE_BODY);
}

static void
decide(struct unsubscribe *out, GBytes *message, const struct authentication *authentication)
{
    g_autofree char *host = out->url ? url_https_host(out->url) : NULL;
    if (host && offers_one_click(message)) {
        if (is_covered(message, authentication)) {
            out->how = UNSUBSCRIBE_ONE_CLICK;
            return;
        }
        out->why = N_("nobody vouches for what it says (RFC 8058 wants a DKIM signature over it)");
    }
    out->how = out->mail ? UNSUBSCRIBE_MAIL : out->url ? UNSUBSCRIBE_LINK : UNSUBSCRIBE_NOT;
}

/* ---- what it is remembered by ---- */

static char *
list_of(GBytes *message)
{
    g_autofree char *id = rawmsg_get(message, "List-Id", 0);
    const char *open = id ? strrchr(id, '<') : NULL, *close = open ? strchr(open, '>') : NULL;
    if (close && close > open + 1)
        return g_ascii_strdown(open + 1, close - open - 1);
    g_autofree char *from = rawmsg_get(message, "From", 0);
    g_autoptr(GPtrArray) people = from ? address_list_parse(from, NULL) : NULL;
    return people && people->len == 1 ? g_ascii_strdown(address_list_get(people, 0)->addr, -1) : NULL;
}

struct unsubscribe *
unsubscribe_read(GBytes *message, const struct authentication *authentication)
{
    struct unsubscribe *out = g_new0(struct unsubscribe, 1);
    g_autofree char *value = only(message, "List-Unsubscribe");
    if (value)
        take_urls(out, value);
    decide(out, message, authentication);
    out->list = list_of(message);
    return out;
}
