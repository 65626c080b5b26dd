/* bounce_status.c - the part of a report that is for machines (RFC 3464, 6533), as it is really written */
#include "config.h"

#include "trust/bounce_private.h"

#include "mail/address.h"
#include "mail/envelope.h"

#include <string.h>

char *
bounce_status_at(const char *text)
{
    const char *p = text;
    guint dots = 0;
    for (; g_ascii_isdigit(*p) || (*p == '.' && g_ascii_isdigit(p[1])); p++)
        dots += *p == '.';
    return dots == 2 && strchr("245", *text) && text[1] == '.' && p - text >= 5 && p - text <= 9
               ? g_strndup(text, (gsize)(p - text))
               : NULL;
}

/* RFC 6533 section 3: "\x{3042}" in an address of type utf-8 that had to be ASCII. */
static char *
unescape(const char *text)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p;) {
        char *end = NULL;
        guint64 c = g_str_has_prefix(p, "\\x{") ? g_ascii_strtoull(p + 3, &end, 16) : 0;
        if (c && end && *end == '}' && end - p <= 9 && g_unichar_validate((gunichar)c)) {
            g_string_append_unichar(out, (gunichar)c);
            p = end + 1;
        } else {
            g_string_append_c(out, *p++);
        }
    }
    return g_string_free(out, FALSE);
}

/* "rfc822; x": where the value begins; "550 no; try again" has no type. */
static const char *
after_type(const char *text)
{
    const char *p = text;
    while (g_ascii_isalnum(*p) || *p == '-')
        p++;
    const char *end = p;
    while (*p == ' ' || *p == '\t')
        p++;
    return *p == ';' && end > text && !g_ascii_isdigit(*text) ? p + 1 : text;
}

static char *
typed_field(GHashTable *block, const char *name)
{
    const char *value = g_hash_table_lookup(block, name);
    if (!value)
        return NULL;
    value = after_type(value);
    return bounce_text(value, strlen(value));
}

/* A recipient without what stands around it: "<a@b> (expanded from: c)", "'a@b'". */
static char *
recipient_field(GHashTable *block, const char *name)
{
    g_autofree char *value = typed_field(block, name);
    if (!value)
        return NULL;
    const char *open = strchr(value, '<'), *close = open ? strchr(open, '>') : NULL;
    g_autofree char *bare = close ? g_strndup(open + 1, (gsize)(close - open - 1)) : g_strdup(value);
    const char *typed = after_type(bare); /* "rfc822;rfc822;a@b" */
    gsize len = *typed == '"' ? strlen(typed) : strcspn(typed, " \t(");
    while (len && strchr("'<>,;", typed[len - 1]))
        len--;
    while (len && strchr("' <", *typed))
        typed++, len--;
    g_autofree char *address = g_strndup(typed, len);
    return *address ? unescape(address) : NULL;
}

GHashTable *
bounce_next_block(const char **p)
{
    GHashTable *block = NULL;
    g_autoptr(GString) field = g_string_new(NULL);
    while (**p == '\n')
        ++*p;
    while (**p && **p != '\n') {
        const char *start = *p, *end = strchrnul(*p, '\n');
        g_string_append_len(field, *p, end - *p);
        *p = *end ? end + 1 : end;
        if (**p == ' ' || **p == '\t') /* folded: the rest follows */
            continue;
        char *colon = strchr(field->str, ':');
        if (!block)
            block = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        if (colon) {
            *colon = '\0';
            char *name = g_strchomp(g_ascii_strdown(field->str, -1));
            gboolean is_known = g_hash_table_contains(block, name);
            if (is_known && !strcmp(name, "final-recipient")) { /* no empty line between two */
                g_free(name);
                *p = start;
                return block;
            }
            if (is_known) /* the first one counts */
                g_free(name);
            else
                g_hash_table_insert(block, name, g_strstrip(g_strdup(colon + 1)));
        }
        g_string_truncate(field, 0);
    }
    return block;
}

static gboolean
is_address(const char *text)
{
    return text && strchr(text, '@');
}

static char *
status_field(GHashTable *block)
{
    const char *status = g_hash_table_lookup(block, "status");
    while (status && *status && !g_ascii_isdigit(*status))
        status++;
    return status ? bounce_status_at(status) : NULL;
}

/* Fields that an empty line cut off from their recipient. */
static void
complete(struct bounce_found *last, GHashTable *block, char **action)
{
    if (!last->status)
        last->status = status_field(block);
    if (!last->diagnostic)
        last->diagnostic = typed_field(block, "diagnostic-code");
    if (!last->server)
        last->server = typed_field(block, "remote-mta");
    if (!*action)
        *action = g_strdup(g_hash_table_lookup(block, "action"));
}

void
bounce_read_status(struct bounce *bounce, const char *text)
{
    struct bounce_found last = {0};
    g_autofree char *action = NULL, *general = NULL; /* of the recipient; of the message as a whole */
    const char *p = text;
    for (GHashTable *block; (block = bounce_next_block(&p)) != NULL; g_hash_table_unref(block)) {
        const char *envid = g_hash_table_lookup(block, "original-envelope-id");
        if (envid && !bounce->envid)
            bounce->envid = bounce_text(envid, strlen(envid));
        if (!bounce->reporter)
            bounce->reporter = typed_field(block, "reporting-mta");
        g_autofree char *original = recipient_field(block, "original-recipient");
        g_autofree char *final = recipient_field(block, "final-recipient");
        gboolean is_inside = is_address(final) && !strchr(strchr(final, '@'), '.'); /* a system's own name for it */
        if ((is_inside || !is_address(final)) && is_address(original)) {
            g_free(final);
            final = g_strdup(original);
        }
        if (!final && last.address) {
            complete(&last, block, &action);
            continue;
        }
        if (!final) {
            if (!general)
                general = g_strdup(g_hash_table_lookup(block, "action"));
            continue;
        }
        last.action = action ? action : general;
        bounce_add(bounce, &last);
        g_clear_pointer(&action, g_free);
        last = (struct bounce_found){.address = g_steal_pointer(&final), .original = g_steal_pointer(&original)};
        complete(&last, block, &action);
    }
    last.action = action ? action : general;
    bounce_add(bounce, &last);
}

gboolean
bounce_read_rejection(struct bounce *bounce, const char *text, const char *words)
{
    const char *p = text;
    GHashTable *block = bounce_next_block(&p);
    const char *disposition = block ? g_hash_table_lookup(block, "disposition") : NULL;
    const char *id = block ? g_hash_table_lookup(block, "original-message-id") : NULL;
    gboolean is_delayed, is_rejection = FALSE;
    if (disposition && strcasestr(disposition, "automatic-action") && strcasestr(disposition, "deleted")) {
        g_autofree char *lower = g_utf8_strdown(words, -1);
        is_rejection = bounce_announces(lower, &is_delayed) && !is_delayed;
    }
    if (is_rejection) {
        struct bounce_saying saying;
        const char *colon = strstr(words, ":\n"), *said = colon ? colon + 2 : words;
        struct bounce_found found = {.address = recipient_field(block, "final-recipient"),
                                     .diagnostic = bounce_text(said, strlen(said)),
                                     .status = bounce_weigh(said, &saying) ? bounce_status_of(&saying, FALSE) : g_strdup("5.7.1")};
        bounce_add(bounce, &found);
        bounce->message_id = id ? message_id_first(id) : NULL;
    }
    if (block)
        g_hash_table_unref(block);
    return is_rejection && bounce->recipients->len;
}
