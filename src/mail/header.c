#include "config.h"

#include "mail/header.h"

#include "mail/charset.h"
#include "mail/limits.h"

#include <gmime/gmime.h>
#include <string.h>

static GMimeParserOptions *options;

void
mail_init(void)
{
    static gsize done;
    if (!g_once_init_enter(&done))
        return;
    static const char *fallback[] = {"utf-8", "windows-1252", NULL};
    g_mime_init();
    charset_preload();
    options = g_mime_parser_options_new();
    g_mime_parser_options_set_fallback_charsets(options, fallback);
    g_mime_parser_options_set_allow_addresses_without_domain(options, TRUE);
    g_once_init_leave(&done, 1);
}

char *
header_unfold(const char *raw, gsize length)
{
    GString *out = g_string_sized_new(length);
    for (gsize i = 0; i < length; i++) {
        if (raw[i] == '\n' || (raw[i] == '\r' && i + 1 < length && raw[i + 1] == '\n'))
            continue;
        g_string_append_c(out, raw[i] ? raw[i] : ' ');
    }
    return g_strstrip(g_string_free(out, FALSE));
}

/* The base64 of "=?charset?B?base64?=" at p, or NULL; *end is after it, *name the length of "=?charset?B?". */
static char *
base64_word(const char *p, gsize *name, const char **end)
{
    const char *encoding = g_str_has_prefix(p, "=?") ? strchr(p + 2, '?') : NULL;
    if (!encoding || g_ascii_toupper(encoding[1]) != 'B' || encoding[2] != '?')
        return NULL;
    const char *stop = strstr(encoding + 3, "?=");
    if (!stop || strcspn(encoding + 3, " \t") < (gsize)(stop - encoding - 3))
        return NULL;
    *name = (gsize)(encoding + 3 - p);
    *end = stop + 2;
    return g_strndup(encoding + 3, (gsize)(stop - encoding - 3));
}

/* Some leave the padding away; then GMime drops the last letters. Not where the next word goes on in the middle of four. */
static char *
pad(char *word, const char *next)
{
    gsize over = strlen(word) % 4;
    if (!over || (next && (strlen(word) + strlen(next)) % 4 == 0))
        return word;
    char *padded = g_strconcat(word, over == 1 ? "" : over == 2 ? "==" : "=", NULL);
    if (over == 1)
        padded[strlen(padded) - 1] = '\0';
    g_free(word);
    return padded;
}

static void
add_base64(GByteArray *out, const char *text)
{
    gsize length;
    g_autofree guchar *bytes = g_base64_decode(text, &length);
    g_byte_array_append(out, bytes, (guint)length);
}

/* GMime takes words of base64 that stand side by side for one, and ends where the first of them is padded. So
 * they become one. (A character may be split between two words, so they are no texts by themselves.) */
static char *
join_padded(const char *text)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text, *end; *p;) {
        gsize name, next_name;
        g_autofree char *word = base64_word(p, &name, &end);
        if (!word) {
            g_string_append_c(out, *p++);
            continue;
        }
        g_autoptr(GByteArray) bytes = NULL;
        const char *after = end + strspn(end, " \t"), *unused;
        g_autofree char *follows = base64_word(after, &next_name, &unused);
        word = pad(word, follows && next_name == name && !g_ascii_strncasecmp(p, after, name) ? follows : NULL);
        while (bytes || g_str_has_suffix(word, "=")) {
            const char *next_at = end + strspn(end, " \t"), *next_end;
            g_autofree char *next = base64_word(next_at, &next_name, &next_end);
            if (!next || next_name != name || g_ascii_strncasecmp(p, next_at, name))
                break;
            bytes = bytes ? bytes : g_byte_array_new();
            add_base64(bytes, word);
            g_free(word);
            word = pad(g_steal_pointer(&next), NULL);
            end = next_end;
        }
        if (bytes)
            add_base64(bytes, word);
        g_autofree char *whole = bytes ? g_base64_encode(bytes->data, bytes->len) : NULL;
        g_string_append_len(out, p, (gssize)name);
        g_string_append_printf(out, "%s?=", whole ? whole : word);
        p = end;
    }
    return g_string_free(out, FALSE);
}

#define CHARSET_SOUGHT 16384 /* bytes of the message */

const char *
header_charset(const char *message, gsize length)
{
    const char *end = message + MIN(length, CHARSET_SOUGHT);
    for (const char *p = message; (p = memchr(p, '=', (gsize)(end - p))) != NULL; p++) {
        const char *name = p;
        while (name > message && g_ascii_isspace(name[-1]))
            name--;
        if (name - message < 7 || g_ascii_strncasecmp(name - 7, "charset", 7))
            continue;
        const char *start = p + 1;
        while (start < end && (g_ascii_isspace(*start) || *start == '"'))
            start++;
        gsize n = 0;
        while (start + n < end && n < 40 && (g_ascii_isalnum(start[n]) || strchr("-_:.", start[n])) && start[n])
            n++;
        g_autofree char *label = g_strndup(start, n);
        const char *charset = charset_lookup(label);
        if (charset && strcmp(charset, "UTF-8"))
            return label[0] && g_ascii_strncasecmp(label, "us", 2) ? charset : NULL;
    }
    return NULL;
}

char *
header_from_charset(const char *raw, gsize length, const char *charset)
{
    gsize n = MIN(length, LIMIT_HEADER_FIELD);
    gboolean is_escaped = memmem(raw, n, "\033$", 2) || memmem(raw, n, "\033(", 2);
    gboolean is_8bit = FALSE;
    for (gsize i = 0; i < n && !is_8bit; i++)
        is_8bit = (guchar)raw[i] >= 0x80;
    if (!charset || (!is_escaped && (!is_8bit || g_utf8_validate(raw, (gssize)n, NULL))) ||
        (is_escaped && !g_str_has_prefix(charset, "ISO-2022")))
        return NULL;
    guint flags;
    g_autofree char *text = charset_to_utf8(raw, n, charset, &flags);
    return flags ? NULL : g_steal_pointer(&text);
}

/* Takes text that may not be UTF-8. */
static char *
make_valid(char *text)
{
    if (g_utf8_validate(text, -1, NULL))
        return text;
    char *valid = charset_to_utf8(text, strlen(text), NULL, NULL);
    g_free(text);
    return valid;
}

char *
header_decode(const char *raw, gsize length)
{
    mail_init();
    g_autofree char *text = header_unfold(raw, MIN(length, LIMIT_HEADER_FIELD));
    gboolean plain = TRUE;
    for (const char *p = text; *p && plain; p++)
        plain = (guchar)*p < 0x80 && !(p[0] == '=' && p[1] == '?');
    if (plain)
        return g_steal_pointer(&text);
    g_autofree char *joined = join_padded(text);
    char *decoded = g_mime_utils_header_decode_text(options, joined);
    return decoded ? make_valid(decoded) : make_valid(g_steal_pointer(&text));
}

/* The bytes that GMime may see: not more than 64 KiB, not more than 100 colons outside of anything (nested
 * groups recurse). */
static gsize
safe_length(const char *raw, gsize length)
{
    gsize limit = MIN(length, LIMIT_ADDRESS_FIELD);
    guint colons = 0;
    for (gsize i = 0; i < limit; i++)
        if (raw[i] == ':' && ++colons > LIMIT_GROUPS)
            limit = i;
    if (limit < length)
        for (gsize i = limit; i > 0; i--)
            if (raw[i - 1] == ',') /* half an address is another address */
                return i - 1;
    return limit;
}

static gboolean
is_local_byte(char c)
{
    return g_ascii_isalnum(c) || (guchar)c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/* "ana.@example.org", "a..b@example.org": providers have given such addresses to people, GMime knows none of them. In quotes
 * they are allowed, and mean the same. */
static char *
quote_dots(const char *text)
{
    GString *out = g_string_new(NULL);
    gboolean is_quoted = FALSE;
    guint depth = 0;
    for (const char *p = text; *p;) {
        const char *end = p;
        if (*p == '\\' && p[1]) {
            g_string_append_len(out, p, 2);
            p += 2;
            continue;
        }
        is_quoted ^= *p == '"' && !depth;
        depth += !is_quoted && *p == '(';
        depth -= !is_quoted && *p == ')' && depth;
        while (!is_quoted && !depth && is_local_byte(*end))
            end++;
        g_autofree char *local = g_strndup(p, (gsize)(end - p));
        gboolean is_odd = end > p && *end == '@' && (*p == '.' || end[-1] == '.' || strstr(local, ".."));
        g_string_append_printf(out, is_odd ? "\"%s\"" : "%s", local);
        if (end == p)
            g_string_append_c(out, *end++);
        p = end;
    }
    return g_string_free(out, FALSE);
}

/* Python has long folded an address list so that the comma after "<a@example.org>" became an encoded word. */
static void
mend_commas(char *text)
{
    static const char word[] = "=?utf-8?q?=2C?=";
    for (char *p = text; (p = strchr(p, '>')) != NULL;) {
        p++;
        char *at = p + strspn(p, " \t");
        if (!g_ascii_strncasecmp(at, word, strlen(word))) {
            memset(at, ' ', strlen(word));
            *at = ',';
        }
    }
}

static void add_list(InternetAddressList *from, GPtrArray *list, guint depth);

static void
add_one(InternetAddress *address, GPtrArray *list, guint depth)
{
    const char *name = internet_address_get_name(address);
    g_autofree char *shown = name ? make_valid(g_strdup(name)) : NULL;
    if (shown)
        g_strstrip(shown);
    if (INTERNET_ADDRESS_IS_GROUP(address)) {
        InternetAddressList *members = internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address));
        if (members && internet_address_list_length(members))
            add_list(members, list, depth + 1);
        else
            address_list_add(list, shown, NULL);
        return;
    }
    const char *addr = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
    g_autofree char *valid = addr ? make_valid(g_strdup(addr)) : NULL;
    if (valid)
        g_strstrip(valid);
    if ((shown && *shown) || (valid && *valid))
        address_list_add(list, shown, valid);
}

static void
add_list(InternetAddressList *from, GPtrArray *list, guint depth)
{
    int count = internet_address_list_length(from);
    for (int i = 0; i < count && list->len < LIMIT_ADDRESSES && depth < LIMIT_GROUPS; i++)
        add_one(internet_address_list_get_address(from, i), list, depth);
}

gboolean
header_addresses(const char *raw, gsize length, GPtrArray *list)
{
    mail_init();
    gsize safe = safe_length(raw, length);
    guint before = list->len;
    g_autofree char *unfolded = header_unfold(raw, safe);
    mend_commas(unfolded);
    g_autofree char *joined = join_padded(unfolded), *text = quote_dots(joined);
    InternetAddressList *parsed = *text ? internet_address_list_parse(options, text) : NULL;
    if (parsed) {
        add_list(parsed, list, 0);
        g_object_unref(parsed);
    }
    if (list->len == before && *text) {
        g_autofree char *shown = header_decode(text, MIN(strlen(text), 1000));
        address_list_add(list, shown, NULL);
    }
    return safe == length && list->len < LIMIT_ADDRESSES;
}
