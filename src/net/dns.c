#include "config.h"

#include "net/dns.h"

#include "base/error.h"
#include "base/i18n.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 65535
#define CACHE_MAX 4096
#define REMEMBER_MAX 3600
#define REMEMBER_ABSENT 300
#define REMEMBER_FAILED 20
#define SILENCE 60
#define TRY_SECONDS 2
#define TRIES 2

G_DEFINE_QUARK(postrider_dns_error, dns_error)

struct entry {
    enum dns_status status;
    GPtrArray *values;
    gint64 expires; /* monotonic */
};

struct dns {
    dns_function function;
    gpointer data;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } server; /* any.sa_family is 0: the system's */
    gint64 deadline;
    gint64 silent_until; /* nobody answers: not asked before */
    GHashTable *cache; /* "16 name" → struct entry */
};

static void
entry_free(gpointer data)
{
    struct entry *entry = data;
    g_ptr_array_unref(entry->values);
    g_free(entry);
}

/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53". */
static gboolean
parse_server(const char *text, struct dns *dns)
{
    g_autofree char *host = NULL;
    guint64 port = NS_DEFAULTPORT;
    const char *close = *text == '[' ? strchr(text, ']') : NULL;
    const char *colon = close ? close + 1 : strchr(text, ':');
    if (*text == '[' && (!close || (*colon && *colon != ':')))
        return FALSE;
    if (!close && colon && strchr(colon + 1, ':')) /* a bare IPv6 address */
        colon = NULL;
    if (colon && *colon && !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
        return FALSE;
    host = close   ? g_strndup(text + 1, (gsize)(close - text - 1))
           : colon ? g_strndup(text, (gsize)(colon - text))
                   : g_strdup(text);
    if (inet_pton(AF_INET, host, &dns->server.v4.sin_addr) == 1) {
        dns->server.v4.sin_family = AF_INET;
        dns->server.v4.sin_port = htons((guint16)port);
        return TRUE;
    }
    if (inet_pton(AF_INET6, host, &dns->server.v6.sin6_addr) == 1) {
        dns->server.v6.sin6_family = AF_INET6;
        dns->server.v6.sin6_port = htons((guint16)port);
        return TRUE;
    }
    return FALSE;
}

gboolean
dns_resolver_check(const char *text)
{
    struct dns dns = {0};
    return parse_server(text, &dns);
}

static struct dns *
make(void)
{
    struct dns *dns = g_new0(struct dns, 1);
    dns->cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    dns_begin(dns, G_MAXINT);
    return dns;
}

struct dns *
dns_new(const char *resolver, GError **error)
{
    g_autoptr(struct_dns) dns = make();
    if (resolver && !parse_server(resolver, dns)) {
        g_set_error(error, DNS_ERROR, ERROR_CONFIG,
                    _("\"%s\" is no resolver: an address such as 192.0.2.1 or 127.0.0.1:5353"), resolver);
        return NULL;
    }
    return g_steal_pointer(&dns);
}

struct dns *
dns_new_function(dns_function function, gpointer data)
{
    struct dns *dns = make();
    dns->function = function;
    dns->data = data;
    return dns;
}

void
dns_free(struct dns *dns)
{
    if (!dns)
        return;
    g_hash_table_unref(dns->cache);
    g_free(dns);
}

void
dns_begin(struct dns *dns, int milliseconds)
{
    dns->deadline = g_get_monotonic_time() + (gint64)milliseconds * 1000;
}

/* --- an answer taken apart */

/* The pieces of a text, joined. NULL when a length points beyond the record. */
static char *
join_text(const guint8 *data, gsize length)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (gsize at = 0; at < length; at += 1u + data[at]) {
        if (at + 1 + data[at] > length)
            return NULL;
        g_string_append_len(out, (const char *)data + at + 1, data[at]);
        if (out->len > DNS_VALUE_MAX)
            return NULL;
    }
    return g_utf8_make_valid(out->str, (gssize)out->len); /* a NUL too becomes U+FFFD */
}

static char *
expand_name(const ns_msg *message, const guint8 *at)
{
    char name[NS_MAXDNAME];
    if (dn_expand(ns_msg_base(*message), ns_msg_end(*message), at, name, sizeof name) < 0)
        return NULL;
    return g_utf8_make_valid(name, -1);
}

static char *
read_value(const ns_msg *message, const ns_rr *record, enum dns_type type)
{
    const guint8 *data = ns_rr_rdata(*record);
    gsize length = ns_rr_rdlen(*record);
    char text[INET6_ADDRSTRLEN];
    switch (type) {
    case DNS_TXT:
        return join_text(data, length);
    case DNS_A:
        return length == 4 ? g_strdup(inet_ntop(AF_INET, data, text, sizeof text)) : NULL;
    case DNS_AAAA:
        return length == 16 ? g_strdup(inet_ntop(AF_INET6, data, text, sizeof text)) : NULL;
    case DNS_PTR:
        return expand_name(message, data);
    case DNS_MX: {
        g_autofree char *host = length > 2 ? expand_name(message, data + 2) : NULL;
        /* The preference goes before it until all are sorted. */
        return host ? g_strdup_printf("%05u %s", ns_get16(data), host) : NULL;
    }
    case DNS_SRV: { /* priority and weight, likewise; a target of "." says that there is no such service */
        g_autofree char *host = length > 6 ? expand_name(message, data + 6) : NULL;
        return host && *host ? g_strdup_printf("%05u %05u %u %s", ns_get16(data), 65535 - ns_get16(data + 2), ns_get16(data + 4), host)
                             : NULL;
    }
    }
    return NULL;
}

static gint
compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

gboolean
dns_parse(const guint8 *answer, gsize length, enum dns_type type, GPtrArray *values, guint *seconds)
{
    ns_msg message;
    *seconds = REMEMBER_MAX;
    if (length > ANSWER_MAX || ns_initparse(answer, (int)length, &message) < 0)
        return FALSE;
    for (int i = 0; i < ns_msg_count(message, ns_s_an) && values->len < DNS_VALUES_MAX; i++) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, i, &record) < 0)
            return FALSE;
        if (ns_rr_class(record) != ns_c_in)
            continue;
        *seconds = MIN(*seconds, ns_rr_ttl(record)); /* of the aliases on the way, too */
        char *value = ns_rr_type(record) == (ns_type)type ? read_value(&message, &record, type) : NULL;
        if (value)
            g_ptr_array_add(values, value);
    }
    gsize key = type == DNS_MX ? 6 : type == DNS_SRV ? 12 : 0;
    if (!key)
        return TRUE;
    g_ptr_array_sort(values, compare_text);
    for (guint i = 0; i < values->len; i++) {
        char *host = g_strdup((char *)values->pdata[i] + key);
        g_free(values->pdata[i]);
        values->pdata[i] = host;
    }
    return TRUE;
}

/* --- asking */

static gboolean
is_name(const char *name)
{
    gsize length = strlen(name);
    if (!length || length > 253 || strchr(name, '\\'))
        return FALSE;
    for (const char *label = name; *label;) {
        gsize n = strcspn(label, ".");
        if (!n || n > 63)
            return FALSE;
        for (gsize i = 0; i < n; i++)
            if ((guchar)label[i] < ' ' || label[i] == 0x7f)
                return FALSE;
        label += n + (label[n] == '.');
    }
    return TRUE;
}

/* The C library keeps an IPv6 server beside the list, in memory that res_nclose() frees. */
static void
set_server(struct __res_state *state, const struct dns *dns)
{
    if (dns->server.any.sa_family == AF_INET) {
        state->nscount = 1;
        state->nsaddr_list[0] = dns->server.v4;
    } else if (dns->server.any.sa_family == AF_INET6) {
        for (int i = 0; i < MAXNS; i++) {
            free(state->_u._ext.nsaddrs[i]);
            state->_u._ext.nsaddrs[i] = NULL;
        }
        state->_u._ext.nsaddrs[0] = malloc(sizeof dns->server.v6);
        if (!state->_u._ext.nsaddrs[0])
            g_error("out of memory");
        *state->_u._ext.nsaddrs[0] = dns->server.v6;
        state->nsaddr_list[0].sin_family = 0;
        state->nscount = 1;
    }
}

static enum dns_status
ask(const struct dns *dns, const char *name, enum dns_type type, GPtrArray *values, guint *seconds)
{
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) < 0)
        return DNS_FAILED;
    set_server(&state, dns);
    state.retrans = TRY_SECONDS;
    state.retry = TRIES;
    state.options &= ~(gulong)(RES_DNSRCH | RES_DEFNAMES);
    state.options |= RES_USE_EDNS0;
    g_autofree guint8 *answer = g_malloc(ANSWER_MAX);
    int length = res_nquery(&state, name, ns_c_in, (int)type, answer, ANSWER_MAX);
    int why = state.res_h_errno;
    res_nclose(&state);
    *seconds = REMEMBER_ABSENT;
    if (length < 0)
        return why == HOST_NOT_FOUND ? DNS_NO_NAME : why == NO_DATA ? DNS_NO_RECORD : DNS_FAILED;
    if (!dns_parse(answer, (gsize)MIN(length, ANSWER_MAX), type, values, seconds))
        return DNS_FAILED;
    return values->len ? DNS_FOUND : DNS_NO_RECORD;
}

static gboolean
is_special(const char *name)
{
    static const char *const tops[] = {"test", "example", "invalid", "localhost", "local", NULL};
    const char *dot = strrchr(name, '.');
    return g_strv_contains(tops, dot ? dot + 1 : name);
}

/* A failure that took as long as all the tries is a silence. */
static enum dns_status
ask_and_time(struct dns *dns, const char *name, enum dns_type type, GPtrArray *values, guint *seconds)
{
    gint64 since = g_get_monotonic_time();
    enum dns_status status = ask(dns, name, type, values, seconds);
    gint64 now = g_get_monotonic_time();
    if (status == DNS_FAILED && now - since >= (gint64)TRY_SECONDS * G_USEC_PER_SEC)
        dns->silent_until = now + (gint64)SILENCE * G_USEC_PER_SEC;
    return status;
}

static gboolean
is_expired(gpointer key G_GNUC_UNUSED, gpointer value, gpointer now)
{
    return ((struct entry *)value)->expires <= *(gint64 *)now;
}

enum dns_status
dns_lookup(struct dns *dns, const char *name, enum dns_type type, GPtrArray **values)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    gsize length = strlen(lower);
    if (length && lower[length - 1] == '.')
        lower[length - 1] = '\0';
    g_autofree char *key = g_strdup_printf("%d %s", type, lower);
    gint64 now = g_get_monotonic_time();
    struct entry *entry = g_hash_table_lookup(dns->cache, key);
    if (entry && entry->expires > now) {
        *values = g_ptr_array_ref(entry->values);
        return entry->status;
    }
    if (g_hash_table_size(dns->cache) >= CACHE_MAX) {
        g_hash_table_foreach_remove(dns->cache, is_expired, &now);
        if (g_hash_table_size(dns->cache) >= CACHE_MAX)
            g_hash_table_remove_all(dns->cache);
    }
    guint seconds = REMEMBER_ABSENT;
    entry = g_new0(struct entry, 1);
    entry->values = g_ptr_array_new_with_free_func(g_free);
    if (!is_name(lower))
        entry->status = DNS_NO_NAME;
    else if (dns->function)
        entry->status = dns->function(dns->data, lower, type, entry->values);
    else if (!dns->server.any.sa_family && is_special(lower))
        entry->status = DNS_NO_NAME;
    else if (now >= dns->deadline || now < dns->silent_until)
        entry->status = DNS_FAILED;
    else
        entry->status = ask_and_time(dns, lower, type, entry->values, &seconds);
    if (entry->status != DNS_FOUND)
        g_ptr_array_set_size(entry->values, 0);
    if (entry->status == DNS_FAILED)
        seconds = now >= dns->deadline ? 1 : REMEMBER_FAILED;
    /* A second at least, so that one message is judged by one answer. */
    entry->expires = now + (gint64)CLAMP(seconds, 1, REMEMBER_MAX) * G_USEC_PER_SEC;
    g_hash_table_replace(dns->cache, g_steal_pointer(&key), entry);
    *values = g_ptr_array_ref(entry->values);
    return entry->status;
}
