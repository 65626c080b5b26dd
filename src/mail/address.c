#include "config.h"

#include "mail/address.h"

#include "base/error.h"

#include <string.h>

#define LOCAL_MAX 64
#define DOMAIN_MAX 255

G_DEFINE_QUARK(postrider_address_error, address_error)

struct address *
address_new(const char *name, const char *addr)
{
    struct address *address = g_new0(struct address, 1);
    address->name = name && *name ? g_strdup(name) : NULL;
    address->addr = addr && *addr ? g_strdup(addr) : NULL;
    return address;
}

struct address *
address_copy(const struct address *address)
{
    return address ? address_new(address->name, address->addr) : NULL;
}

void
address_free(struct address *address)
{
    if (!address)
        return;
    g_free(address->name);
    g_free(address->addr);
    g_free(address);
}

GPtrArray *
address_list_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)address_free);
}

GPtrArray *
address_list_copy(const GPtrArray *list)
{
    GPtrArray *copy = address_list_new();
    for (guint i = 0; i < address_list_length(list); i++)
        g_ptr_array_add(copy, address_copy(address_list_get(list, i)));
    return copy;
}

void
address_list_add(GPtrArray *list, const char *name, const char *addr)
{
    g_ptr_array_add(list, address_new(name, addr));
}

guint
address_list_length(const GPtrArray *list)
{
    return list ? list->len : 0;
}

const struct address *
address_list_get(const GPtrArray *list, guint i)
{
    return i < address_list_length(list) ? list->pdata[i] : NULL;
}

/* --- what a person typed --- */

/* RFC 5322 atext, and any character beyond ASCII (RFC 6532). */
static gboolean
is_atext(guchar c)
{
    return c >= 0x80 || g_ascii_isalnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static const char *
check_quoted_local(const char *local, gsize length)
{
    if (length < 3 || local[length - 1] != '"')
        return "the quoted part before the @ is not closed";
    for (gsize i = 1; i + 1 < length; i++) {
        if (local[i] == '\\' && ++i + 1 >= length)
            return "the quoted part before the @ ends in a backslash";
        if ((guchar)local[i] < 0x20 || local[i] == 0x7f)
            return "a control character in it";
        if (local[i] == '"' && local[i - 1] != '\\')
            return "a quote mark in the part before the @";
    }
    return NULL;
}

static const char *
check_local(const char *local, gsize length)
{
    if (length == 0)
        return "nothing before the @";
    if (length > LOCAL_MAX)
        return "more than 64 bytes before the @";
    if (local[0] == '"')
        return check_quoted_local(local, length);
    if (local[0] == '.' || local[length - 1] == '.')
        return "a dot at the edge of the part before the @";
    for (gsize i = 0; i < length; i++) {
        if (local[i] == '.' && local[i + 1] == '.')
            return "two dots in a row";
        if (g_ascii_isspace(local[i]))
            return "a space in it";
        if (g_ascii_iscntrl(local[i]))
            return "a control character in it";
        if (local[i] != '.' && !is_atext((guchar)local[i]))
            return "a character that must not stand before the @";
    }
    return NULL;
}

static const char *
check_domain_literal(const char *domain, gsize length)
{
    if (length < 4 || domain[length - 1] != ']')
        return "the [ is not closed";
    for (gsize i = 1; i + 1 < length; i++)
        if (!g_ascii_isxdigit(domain[i]) && !strchr(":.IPv", domain[i]))
            return "what stands between [ and ] is no IP address";
    return NULL;
}

static const char *
check_domain(const char *domain)
{
    gsize length = strlen(domain);
    if (length == 0)
        return "no domain after the @";
    if (domain[0] == '[')
        return check_domain_literal(domain, length);
    for (gsize i = 0; i < length; i++) {
        if (g_ascii_isspace(domain[i]))
            return "a space in it";
        if (g_ascii_iscntrl(domain[i]))
            return "a control character in it";
    }
    g_autofree char *ascii = address_domain_to_ascii(domain);
    if (!ascii)
        return "the domain is not a name";
    if (strlen(ascii) > DOMAIN_MAX)
        return "the domain is longer than 255 bytes";
    if (ascii[0] == '.' || g_str_has_suffix(ascii, ".") || strstr(ascii, ".."))
        return "a dot too many in the domain";
    g_auto(GStrv) labels = g_strsplit(ascii, ".", -1);
    for (char **label = labels; *label; label++) {
        gsize n = strlen(*label);
        if (n > 63)
            return "a part of the domain is longer than 63 bytes";
        if ((*label)[0] == '-' || (*label)[n - 1] == '-')
            return "a part of the domain begins or ends with a dash";
        for (gsize i = 0; i < n; i++)
            if (!g_ascii_isalnum((*label)[i]) && (*label)[i] != '-' && (*label)[i] != '_')
                return "a character in the domain that names do not have";
    }
    return NULL;
}

/* The @ that parts the two: the last one outside quotes. */
static const char *
find_at(const char *addr)
{
    const char *from = addr;
    if (*addr == '"') {
        for (from = addr + 1; *from && *from != '"'; from++)
            if (*from == '\\' && from[1])
                from++;
    }
    return strrchr(from, '@');
}

gboolean
address_check(const char *addr, GError **error)
{
    const char *at = find_at(addr), *wrong;
    if (!g_utf8_validate(addr, -1, NULL))
        wrong = "it is not UTF-8";
    else if (!*addr)
        wrong = "it is empty";
    else if (!at)
        wrong = "no @ in it (an address looks like name@example.org)";
    else {
        wrong = check_local(addr, (gsize)(at - addr));
        if (!wrong)
            wrong = check_domain(at + 1);
    }
    if (wrong)
        g_set_error(error, ADDRESS_ERROR, ERROR_INPUT, "%s: %s", addr, wrong);
    return wrong == NULL;
}

/* What one item of a list consists of, while it is read. */
struct item {
    const char *start;
    GString *words; /* outside < >, quotes and comments taken off, gaps as one space */
    GString *bare;  /* the same as it was written, without comments: an address without < > */
    GString *comment;
    GString *angle;
    gboolean has_angle, has_quotes, after_angle;
};

static void
item_reset(struct item *item, const char *start)
{
    item->start = start;
    g_string_truncate(item->words, 0);
    g_string_truncate(item->bare, 0);
    g_string_truncate(item->comment, 0);
    g_string_truncate(item->angle, 0);
    item->has_angle = item->has_quotes = item->after_angle = FALSE;
}

static void
item_init(struct item *item, const char *start)
{
    item->words = g_string_new(NULL);
    item->bare = g_string_new(NULL);
    item->comment = g_string_new(NULL);
    item->angle = g_string_new(NULL);
    item_reset(item, start);
}

static void
item_clear(struct item *item)
{
    g_string_free(item->words, TRUE);
    g_string_free(item->bare, TRUE);
    g_string_free(item->comment, TRUE);
    g_string_free(item->angle, TRUE);
}

static gboolean
item_fail(const struct item *item, const char *end, GError **error, const char *why)
{
    g_autofree char *raw = g_strndup(item->start, (gsize)(end - item->start));
    g_strstrip(raw);
    g_set_error(error, ADDRESS_ERROR, ERROR_INPUT, "%s: %s", raw, why);
    return FALSE;
}

/* Ends an item at `end` and adds it to the list; an item without anything in it is passed over. */
static gboolean
item_finish(struct item *item, const char *end, GPtrArray *list, GError **error)
{
    g_strchomp(item->words->str);
    g_strstrip(item->comment->str);
    g_strstrip(item->bare->str);
    if (item->has_angle) {
        g_strstrip(item->angle->str);
        if (item->after_angle)
            return item_fail(item, end, error, "text after the >; put a comma between two addresses");
        if (!*item->angle->str)
            return item_fail(item, end, error, "nothing between < and >");
        if (!address_check(item->angle->str, error))
            return FALSE;
        const char *name = *item->words->str ? item->words->str : item->comment->str;
        address_list_add(list, name, item->angle->str);
        return TRUE;
    }
    if (!*item->bare->str)
        return *item->comment->str ? item_fail(item, end, error, "a comment without an address") : TRUE;
    if (strpbrk(item->bare->str, " \t\r\n") && !item->has_quotes)
        return item_fail(item, end, error,
                         strchr(item->bare->str, '@')
                             ? "put the address between < and >, or a comma between two"
                             : "no @ in it (an address looks like name@example.org)");
    if (!address_check(item->bare->str, error))
        return FALSE;
    address_list_add(list, item->comment->str, item->bare->str);
    return TRUE;
}

/* Copies a quoted string; p is on the opening mark. Returns the closing mark, or NULL. */
static const char *
read_quoted(const char *p, struct item *item)
{
    item->has_quotes = TRUE;
    g_string_append_c(item->bare, *p++);
    for (; *p && *p != '"'; p++) {
        g_string_append_c(item->bare, *p);
        if (*p == '\\' && p[1])
            g_string_append_c(item->bare, *++p);
        g_string_append_c(item->words, *p);
    }
    g_string_append_c(item->bare, '"');
    return *p ? p : NULL;
}

/* Copies a comment, nested ones with their marks. Returns the closing mark, or NULL. */
static const char *
read_comment(const char *p, struct item *item)
{
    guint depth = 1;
    if (item->comment->len)
        g_string_append_c(item->comment, ' ');
    for (p++; *p; p++) {
        if (*p == '(')
            depth++;
        else if (*p == ')' && --depth == 0)
            return p;
        else if (*p == '\\' && p[1])
            p++;
        g_string_append_c(item->comment, *p);
    }
    return NULL;
}

static const char *
read_angle(const char *p, struct item *item)
{
    item->has_angle = TRUE;
    gboolean quoted = FALSE;
    for (p++; *p && (quoted || *p != '>'); p++) {
        if (*p == '"')
            quoted = !quoted;
        g_string_append_c(item->angle, *p);
        if (*p == '\\' && quoted && p[1])
            g_string_append_c(item->angle, *++p);
    }
    return *p ? p : NULL;
}

static void
read_plain(char c, struct item *item)
{
    if (g_ascii_isspace(c)) {
        if (item->words->len && item->words->str[item->words->len - 1] != ' ')
            g_string_append_c(item->words, ' ');
        g_string_append_c(item->bare, ' ');
        return;
    }
    g_string_append_c(item->words, c);
    g_string_append_c(item->bare, c);
    if (item->has_angle)
        item->after_angle = TRUE;
}

static gboolean
parse_list(const char *text, struct item *item, GPtrArray *list, GError **error)
{
    gboolean in_group = FALSE, in_literal = FALSE;
    const char *p;
    for (p = text; *p; p++) {
        const char *end = p;
        switch (*p) {
        case '"':
            if (!(end = read_quoted(p, item)))
                return item_fail(item, p + strlen(p), error, "a quote mark is not closed");
            if (item->has_angle)
                item->after_angle = TRUE;
            break;
        case '(':
            if (!(end = read_comment(p, item)))
                return item_fail(item, p + strlen(p), error, "a ( is not closed");
            break;
        case '<':
            if (item->has_angle)
                return item_fail(item, p, error, "a second <; put a comma between two addresses");
            if (!(end = read_angle(p, item)))
                return item_fail(item, p + strlen(p), error, "a < is not closed");
            break;
        case '>':
            return item_fail(item, p + 1, error, "a > without a <");
        case ':':
            if (in_literal) {
                read_plain(*p, item);
                break;
            }
            if (in_group || item->has_angle || strchr(item->bare->str, '@'))
                return item_fail(item, p + 1, error, "a colon belongs after the name of a group only");
            in_group = TRUE;
            item_reset(item, p + 1);
            break;
        case ',':
        case ';':
            if (!item_finish(item, p, list, error))
                return FALSE;
            if (*p == ';')
                in_group = FALSE;
            item_reset(item, p + 1);
            break;
        default:
            in_literal = *p == '[' || (in_literal && *p != ']');
            read_plain(*p, item);
        }
        p = end;
    }
    if (in_group)
        return item_fail(item, p, error, "the group is not closed: put a ; after its last address");
    return item_finish(item, p, list, error);
}

GPtrArray *
address_list_parse(const char *text, GError **error)
{
    g_autoptr(GPtrArray) list = address_list_new();
    if (!g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, ADDRESS_ERROR, ERROR_INPUT, "the addresses are not UTF-8");
        return NULL;
    }
    struct item item;
    item_init(&item, text);
    gboolean ok = parse_list(text, &item, list, error);
    item_clear(&item);
    return ok ? g_steal_pointer(&list) : NULL;
}

struct address *
address_parse(const char *text, GError **error)
{
    g_autoptr(GPtrArray) list = address_list_parse(text, error);
    if (!list)
        return NULL;
    if (list->len != 1) {
        g_set_error(error, ADDRESS_ERROR, ERROR_INPUT, "%s: %s", text,
                    list->len ? "one address is wanted here" : "an address is wanted here");
        return NULL;
    }
    return g_ptr_array_steal_index(list, 0);
}

/* --- for people --- */

static gboolean
name_needs_quotes(const char *name)
{
    if (strpbrk(name, "()<>[]:;@\\,.\"") || strstr(name, "=?"))
        return TRUE;
    return g_ascii_isspace(name[0]) || g_ascii_isspace(name[strlen(name) - 1]);
}

char *
address_format(const struct address *address)
{
    if (!address->addr)
        return g_strdup_printf("%s:;", address->name ? address->name : "");
    if (!address->name)
        return g_strdup(address->addr);
    if (!name_needs_quotes(address->name))
        return g_strdup_printf("%s <%s>", address->name, address->addr);
    GString *out = g_string_new("\"");
    for (const char *p = address->name; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *p);
    }
    g_string_append_printf(out, "\" <%s>", address->addr);
    return g_string_free(out, FALSE);
}

char *
address_list_format(const GPtrArray *list)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < address_list_length(list); i++) {
        g_autofree char *one = address_format(address_list_get(list, i));
        g_string_append_printf(out, "%s%s", i ? ", " : "", one);
    }
    return g_string_free(out, FALSE);
}

const char *
address_short(const struct address *address)
{
    if (address->name && *address->name)
        return address->name;
    return address->addr ? address->addr : "";
}

/* --- comparing --- */

char *
address_normalise(const char *addr)
{
    if (!addr)
        return NULL;
    const char *at = strrchr(addr, '@');
    if (!at)
        return g_strdup(addr);
    g_autofree char *ascii = address_domain_to_ascii(at + 1);
    g_autofree char *domain = ascii ? g_ascii_strdown(ascii, -1) : g_utf8_strdown(at + 1, -1);
    return g_strdup_printf("%.*s@%s", (int)(at - addr), addr, domain);
}

gboolean
address_same(const char *a, const char *b)
{
    if (!a || !b)
        return FALSE;
    g_autofree char *left = address_normalise(a);
    g_autofree char *right = address_normalise(b);
    /* Mailboxes that differ in case alone do not exist in practice, whatever RFC 5321 allows. */
    return g_ascii_strcasecmp(left, right) == 0;
}

gboolean
address_list_contains(const GPtrArray *list, const char *addr)
{
    for (guint i = 0; i < address_list_length(list); i++)
        if (address_same(address_list_get(list, i)->addr, addr))
            return TRUE;
    return FALSE;
}

const char *
address_domain(const char *addr)
{
    const char *at = addr ? strrchr(addr, '@') : NULL;
    return at ? at + 1 : "";
}

char *
address_domain_to_ascii(const char *domain)
{
    if (!*domain)
        return NULL;
    gboolean ascii = TRUE;
    for (const char *p = domain; *p && ascii; p++)
        ascii = (guchar)*p < 0x80;
    if (ascii)
        return g_ascii_strdown(domain, -1);
    return g_hostname_to_ascii(domain);
}

gboolean
address_needs_smtputf8(const char *addr)
{
    const char *at = strrchr(addr, '@');
    for (const char *p = addr; *p && p != at; p++)
        if ((guchar)*p >= 0x80)
            return TRUE;
    return FALSE;
}

/* --- carried --- */

GVariant *
address_list_to_variant(const GPtrArray *list)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(ADDRESS_LIST_TYPE));
    for (guint i = 0; i < address_list_length(list); i++) {
        const struct address *address = address_list_get(list, i);
        g_variant_builder_add(&builder, "(ss)", address->name ? address->name : "",
                              address->addr ? address->addr : "");
    }
    return g_variant_builder_end(&builder);
}

GPtrArray *
address_list_from_variant(GVariant *value)
{
    GPtrArray *list = address_list_new();
    GVariantIter iter;
    const char *name, *addr;
    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, "(&s&s)", &name, &addr))
        address_list_add(list, name, addr);
    return list;
}
