/*
 * dns: records of the domain name system, asked with the C library's resolver, remembered for a while.
 *
 * For what checks mail: texts, addresses, mail exchangers, names of addresses. UDP, then TCP when an answer
 * did not fit. Everything that comes is bounded: names to 253 bytes, answers to DNS_VALUES_MAX records of
 * DNS_VALUE_MAX bytes. "It is not there" and "nobody answered" are told apart, since the first is a fact
 * about the sender and the second is none. Values are bytes from outside: made valid UTF-8, unsafe for a
 * terminal.
 *
 * The answers are remembered for as long as they say, an hour at most; that there is no such name for five
 * minutes, that nobody answered for 20 seconds. When the servers themselves are silent, nothing is asked for a minute.
 * Names that no public server knows (RFC 6761: .test, .example, .invalid, .localhost, and .local) are asked for only at a
 * resolver that was named. One thread at a time uses a struct dns.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <glib.h>

#define DNS_ERROR (dns_error_quark())
GQuark dns_error_quark(void);

#define DNS_VALUES_MAX 100
#define DNS_VALUE_MAX (16 * 1024)

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28, DNS_SRV = 33 };

enum dns_status {
    DNS_FOUND,     /* at least one value */
    DNS_NO_RECORD, /* the name is there, without such a record */
    DNS_NO_NAME,
    DNS_FAILED /* nobody answered, or with an error: try again later */
};

struct dns;

/* resolver: "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53", or NULL: those of the system. ERROR_CONFIG. */
struct dns *dns_new(const char *resolver, GError **error);
/* Answers come from a function in place of the network: for tests. */
typedef enum dns_status (*dns_function)(gpointer data, const char *name, enum dns_type type,
                                        GPtrArray *values);
struct dns *dns_new_function(dns_function function, gpointer data);
void dns_free(struct dns *dns);
typedef struct dns struct_dns;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_dns, dns_free)

/* From now on at most so long; when it is over, everything not remembered is DNS_FAILED at once. */
void dns_begin(struct dns *dns, int milliseconds);

/* *values: of char *, never NULL: TXT with its pieces joined; addresses as text; host names without the final
 * dot, of MX in the order of preference; of SRV "PORT HOST", the one to be tried first first (RFC 2782). A reference: the caller's to release. */
enum dns_status dns_lookup(struct dns *dns, const char *name, enum dns_type type, GPtrArray **values);

/* An answer as it came, taken apart: for tests with hostile ones. values: of char *, with g_free. *seconds:
 * how long it may be remembered. FALSE: it is no answer. */
gboolean dns_parse(const guint8 *answer, gsize length, enum dns_type type, GPtrArray *values, guint *seconds);

/* Whether `text` could be given to dns_new(). */
gboolean dns_resolver_check(const char *text);

#endif
