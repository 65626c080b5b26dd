/* A mail address as plain data, and lists of them.
 *
 * Knows RFC 5322 section 3.4 strictly when a person typed the text (address_list_parse), because a wrong
 * recipient is worse than a question.  What stood in a received message is read by mail/parse.c and arrives
 * here already taken apart.
 *
 * A list is a GPtrArray of struct address with address_free as its free function; a NULL list means an empty
 * one wherever a list is read.  All text is valid UTF-8 but may hold anything else: pass it through
 * text_safe() before a screen or a log. No function here keeps state; any thread may call.  Never touches the
 * network: a domain is checked for form only. */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <glib.h>

struct address {
    char *name; /* decoded, without quotes; NULL when there is none */
    char *addr; /* local@domain; NULL for the name of an empty group ("undisclosed-recipients") */
};

#define ADDRESS_ERROR (address_error_quark())
GQuark address_error_quark(void);

struct address *address_new(const char *name, const char *addr);
struct address *address_copy(const struct address *address);
void address_free(struct address *address);
/* The typedef is for g_autoptr(struct_address) alone; everything else says struct address. */
typedef struct address struct_address;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_address, address_free)

GPtrArray *address_list_new(void);
GPtrArray *address_list_copy(const GPtrArray *list);
void address_list_add(GPtrArray *list, const char *name, const char *addr);
guint address_list_length(const GPtrArray *list);
/* NULL beyond the end: of an empty list there is no first one. */
const struct address *address_list_get(const GPtrArray *list, guint i);

/* Reads what a person typed: `Ana Ruiz <ana@example.org>, "Vidal, Tomás" <t@example.org>, team: a@b.example,
 * c@d.example;`. Commas and semicolons separate; group names are dropped and members kept; comments become
 * the name when there is none. Errors say which address and why: "ana@: no domain after the @".  A domain
 * that is not ASCII is kept as UTF-8. */
GPtrArray *address_list_parse(const char *text, GError **error);
/* The same for exactly one address. */
struct address *address_parse(const char *text, GError **error);
/* addr alone, `local@domain`: form, length (local 64, domain 255 octets), no control bytes, no spaces outside
 * quotes. */
gboolean address_check(const char *addr, GError **error);

/* For people and for an edited header: UTF-8, name quoted only where needed: `"Vidal, Tomás"
 * <t@example.org>`. */
char *address_format(const struct address *address);
char *address_list_format(const GPtrArray *list);
/* The name, else the address: what a list column shows.  Borrowed from address; never NULL. */
const char *address_short(const struct address *address);

/* The domain folded to lower case, the local part as it is; NULL for no address.  What is compared and looked
 * up. */
char *address_normalise(const char *addr);
gboolean address_same(const char *a, const char *b);
gboolean address_list_contains(const GPtrArray *list, const char *addr);
/* Borrowed: the text after the last @, or "". */
const char *address_domain(const char *addr);
/* Domain to A-labels (xn--); a new string, or NULL when it is not a domain name. */
char *address_domain_to_ascii(const char *domain);
/* True when the local part has bytes over 127: the message needs SMTPUTF8 (RFC 6531). */
gboolean address_needs_smtputf8(const char *addr);

/* GVariant form a(ss); addr "" stands for NULL.  address_list_from_variant accepts any value of that type. */
#define ADDRESS_LIST_TYPE "a(ss)"
GVariant *address_list_to_variant(const GPtrArray *list);
GPtrArray *address_list_from_variant(GVariant *value);

#endif
