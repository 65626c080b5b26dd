/* LIST, STATUS and NAMESPACE, sets of UIDs, words. */
#include "config.h"

#include "proto/imap_reply.h"

#include <string.h>

#include "base/utf7.h"

#define NAME_MAX_BYTES 1000
#define NAMESPACES_MAX 100

/* ---- folders ---- */

static const struct {
    const char *name;
    guint attribute;
    guint role;
} list_words[] = {
    {"\\Noselect", IMAP_NOSELECT, 0},
    {"\\NonExistent", IMAP_NOSELECT | IMAP_NONEXISTENT, 0},
    {"\\Noinferiors", IMAP_NOINFERIORS | IMAP_HASNOCHILDREN, 0},
    {"\\HasChildren", IMAP_HASCHILDREN, 0},
    {"\\HasNoChildren", IMAP_HASNOCHILDREN, 0},
    {"\\Marked", IMAP_MARKED, 0},
    {"\\Unmarked", IMAP_UNMARKED, 0},
    {"\\Subscribed", IMAP_SUBSCRIBED, 0},
    {"\\Remote", IMAP_REMOTE, 0},
    {"\\All", 0, IMAP_ROLE_ALL},
    {"\\AllMail", 0, IMAP_ROLE_ALL}, /* XLIST's word, still sent by some */
    {"\\Archive", 0, IMAP_ROLE_ARCHIVE},
    {"\\Drafts", 0, IMAP_ROLE_DRAFTS},
    {"\\Flagged", 0, IMAP_ROLE_FLAGGED},
    {"\\Junk", 0, IMAP_ROLE_JUNK},
    {"\\Spam", 0, IMAP_ROLE_JUNK},
    {"\\Sent", 0, IMAP_ROLE_SENT},
    {"\\Trash", 0, IMAP_ROLE_TRASH},
    {"\\Important", 0, IMAP_ROLE_IMPORTANT},
};

char *
imap_normal_name(const char *name)
{
    return g_strdup(g_ascii_strcasecmp(name, "INBOX") ? name : "INBOX");
}

/* A name that can be sent back. Bytes over 127 may be: they go as a literal. */
static gboolean
take_name(struct lex *lex, char **name)
{
    g_autoptr(GString) scratch = g_string_new(NULL);
    struct slice text;
    if (!lex_string(lex, scratch, &text, NULL) || !text.bytes)
        return FALSE;
    if (text.length == 0 || text.length > NAME_MAX_BYTES || memchr(text.bytes, 0, text.length) ||
        memchr(text.bytes, '\r', text.length) || memchr(text.bytes, '\n', text.length))
        return FALSE;
    g_autofree char *as_is = slice_dup(&text);
    *name = imap_normal_name(as_is);
    return TRUE;
}

/* RFC 5258 extended data: ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("old")). */
static void
parse_list_extended(struct lex *lex, struct imap_folder *folder)
{
    g_autoptr(GString) scratch = g_string_new(NULL);
    if (!lex_char(lex, '('))
        return;
    for (lex_space(lex); !lex_char(lex, ')'); lex_space(lex)) {
        struct slice word;
        if (!lex_string(lex, scratch, &word, NULL) || !lex_space(lex))
            return;
        struct lex value = *lex;
        if (slice_is(&word, "OLDNAME") && lex_char(&value, '(')) {
            g_clear_pointer(&folder->old_name, g_free);
            take_name(&value, &folder->old_name);
        }
        if (!lex_skip(lex))
            return;
    }
}

struct imap_folder *
reply_parse_list(struct lex lex, gboolean subscribed)
{
    g_autoptr(GString) scratch = g_string_new(NULL);
    guint attributes = 0, roles = 0;
    struct slice word, delimiter;
    if (!lex_char(&lex, '('))
        return NULL;
    for (lex_space(&lex); !lex_char(&lex, ')'); lex_space(&lex)) {
        if (!lex_flag(&lex, &word))
            return NULL;
        for (gsize i = 0; i < G_N_ELEMENTS(list_words); i++)
            if (slice_is(&word, list_words[i].name)) {
                attributes |= list_words[i].attribute;
                roles |= list_words[i].role;
            }
    }
    lex_space(&lex);
    char *name;
    if (!lex_string(&lex, scratch, &delimiter, NULL) || delimiter.length > 1)
        return NULL;
    char separator = delimiter.length ? *delimiter.bytes : 0;
    if ((guchar)separator >= 0x80 || (separator && (guchar)separator < ' '))
        return NULL;
    lex_space(&lex);
    if (!take_name(&lex, &name))
        return NULL;
    struct imap_folder *folder = g_new0(struct imap_folder, 1);
    folder->name = name;
    folder->shown = utf7_show(name);
    folder->delimiter = separator;
    folder->attributes = attributes;
    folder->roles = roles;
    if (subscribed) /* in LSUB, \Noselect means that only a child is subscribed (RFC 3501 section 6.3.9) */
        folder->attributes |= attributes & IMAP_NOSELECT ? 0 : IMAP_SUBSCRIBED;
    lex_space(&lex);
    parse_list_extended(&lex, folder);
    return folder;
}

void
imap_status_clear(struct imap_status *status)
{
    g_free(status->name);
    g_free(status->mailbox_id);
    *status = (struct imap_status){0};
}

void
imap_status_free(struct imap_status *status)
{
    if (!status)
        return;
    imap_status_clear(status);
    g_free(status);
}

void
imap_folder_free(struct imap_folder *folder)
{
    if (!folder)
        return;
    g_free(folder->name);
    g_free(folder->shown);
    g_free(folder->old_name);
    imap_status_clear(&folder->status);
    g_free(folder);
}

static const struct {
    const char *name;
    guint item;
    gsize offset;
    gboolean is_long; /* 63 bits, else 32 */
} status_items[] = {
    {"MESSAGES", IMAP_STATUS_MESSAGES, G_STRUCT_OFFSET(struct imap_status, messages), FALSE},
    {"UIDNEXT", IMAP_STATUS_UIDNEXT, G_STRUCT_OFFSET(struct imap_status, uidnext), FALSE},
    {"UIDVALIDITY", IMAP_STATUS_UIDVALIDITY, G_STRUCT_OFFSET(struct imap_status, uidvalidity), FALSE},
    {"UNSEEN", IMAP_STATUS_UNSEEN, G_STRUCT_OFFSET(struct imap_status, unseen), FALSE},
    {"DELETED", IMAP_STATUS_DELETED, G_STRUCT_OFFSET(struct imap_status, deleted), FALSE},
    {"HIGHESTMODSEQ", IMAP_STATUS_MODSEQ, G_STRUCT_OFFSET(struct imap_status, modseq), TRUE},
    {"SIZE", IMAP_STATUS_TOTALSIZE, G_STRUCT_OFFSET(struct imap_status, size), TRUE},
};

static gboolean
parse_status_item(struct lex *lex, struct imap_status *status)
{
    struct slice word, id;
    if (!lex_atom(lex, &word))
        return FALSE;
    lex_space(lex);
    if (lex_peek(lex) == ')') /* "HIGHESTMODSEQ)": some servers leave the number out */
        return TRUE;
    if (slice_is(&word, "MAILBOXID") && lex_char(lex, '(')) {
        if (!lex_atom(lex, &id) || !lex_char(lex, ')'))
            return FALSE;
        reply_take_id(&id, &status->mailbox_id);
        status->items |= IMAP_STATUS_MAILBOXID;
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(status_items); i++) {
        if (!slice_is(&word, status_items[i].name))
            continue;
        guint64 number;
        gboolean is_long = status_items[i].is_long;
        if (!lex_number(lex, is_long ? G_MAXINT64 : G_MAXUINT32, &number))
            return lex_skip(lex);
        if (is_long)
            G_STRUCT_MEMBER(guint64, status, status_items[i].offset) = number;
        else
            G_STRUCT_MEMBER(guint32, status, status_items[i].offset) = (guint32)number;
        status->items |= status_items[i].item;
        return TRUE;
    }
    return lex_skip(lex);
}

gboolean
reply_parse_status(struct lex lex, struct imap_status *status)
{
    *status = (struct imap_status){0};
    if (!take_name(&lex, &status->name))
        return FALSE;
    lex_space(&lex);
    gboolean whole = lex_char(&lex, '(');
    while (whole) {
        lex_space(&lex);
        if (lex_char(&lex, ')'))
            return TRUE;
        whole = parse_status_item(&lex, status);
    }
    imap_status_clear(status);
    return FALSE;
}

/* ---- namespaces ---- */

void
imap_namespace_free(gpointer data)
{
    struct imap_namespace *namespace = data;
    g_free(namespace->prefix);
    g_free(namespace);
}

/* ("INBOX." "." "X-PARAM" ("FLAG1")): RFC 2342 section 5. Our prefixes are compared only, but are names all
 * the same. */
static gboolean
take_namespace(struct lex *lex, int kind, GPtrArray *namespaces)
{
    g_autoptr(GString) scratch = g_string_new(NULL);
    struct slice text;
    if (!lex_char(lex, '(') || !lex_string(lex, scratch, &text, NULL) || !text.bytes)
        return FALSE;
    struct imap_namespace *namespace = g_new0(struct imap_namespace, 1);
    namespace->kind = kind;
    namespace->prefix = slice_dup(&text);
    g_ptr_array_add(namespaces, namespace);
    if (!lex_space(lex) || !lex_string(lex, scratch, &text, NULL))
        return FALSE;
    namespace->delimiter = text.length == 1 ? *text.bytes : 0;
    for (lex_space(lex); !lex_char(lex, ')'); lex_space(lex))
        if (!lex_skip(lex))
            return FALSE;
    return TRUE;
}

static gboolean
take_namespaces(struct lex *lex, int kind, GPtrArray *namespaces)
{
    lex_space(lex);
    if (lex_word(lex, "NIL"))
        return TRUE;
    if (!lex_char(lex, '('))
        return FALSE;
    for (lex_space(lex); !lex_char(lex, ')'); lex_space(lex))
        if (namespaces->len >= NAMESPACES_MAX || !take_namespace(lex, kind, namespaces))
            return FALSE;
    return TRUE;
}

GPtrArray *
reply_parse_namespaces(struct lex lex)
{
    g_autoptr(GPtrArray) namespaces = g_ptr_array_new_with_free_func(imap_namespace_free);
    for (int kind = IMAP_NAMESPACE_PERSONAL; kind <= IMAP_NAMESPACE_SHARED; kind++)
        if (!take_namespaces(&lex, kind, namespaces))
            return NULL;
    return namespaces->len ? g_steal_pointer(&namespaces) : NULL;
}

/* ---- sets ---- */

gboolean
reply_parse_search(struct lex lex, struct uidset *uids)
{
    for (lex_space(&lex); !lex_is_end(&lex) && lex_peek(&lex) != '('; lex_space(&lex)) {
        guint64 number;
        if (!lex_number(&lex, G_MAXUINT32, &number) || number == 0)
            return FALSE;
        uidset_add(uids, (guint32)number);
    }
    return TRUE; /* "(MODSEQ 12121)" may follow, RFC 7162 */
}

gboolean
reply_take_set(struct lex *lex, struct uidset *uids)
{
    struct slice text;
    if (!lex_atom(lex, &text))
        return FALSE;
    g_autoptr(struct_uidset) set = uidset_parse(text.bytes, (gssize)text.length, 0);
    if (set)
        uidset_add_set(uids, set);
    return set != NULL;
}

gboolean
reply_parse_esearch(struct lex lex, struct uidset *uids)
{
    if (lex_peek(&lex) == '(' && !lex_skip(&lex)) /* (TAG "A282") */
        return FALSE;
    lex_space(&lex);
    if (!lex_word(&lex, "UID"))
        return lex_is_end(&lex); /* by number: nothing we asked for, unless it is empty */
    for (lex_space(&lex); !lex_is_end(&lex); lex_space(&lex)) {
        struct slice word;
        if (!lex_atom(&lex, &word) || !lex_space(&lex))
            return FALSE;
        if (!(slice_is(&word, "ALL") ? reply_take_set(&lex, uids) : lex_skip(&lex)))
            return FALSE;
    }
    return TRUE;
}

gboolean
reply_parse_vanished(struct lex lex, gboolean *earlier, struct uidset *uids)
{
    *earlier = FALSE;
    if (lex_char(&lex, '(')) {
        *earlier = lex_word(&lex, "EARLIER");
        if (!*earlier || !lex_char(&lex, ')'))
            return FALSE;
        lex_space(&lex);
    }
    return reply_take_set(&lex, uids) && lex_is_end(&lex);
}

void
reply_parse_words(struct lex lex, void (*take_word)(const char *word, gpointer data), gpointer data)
{
    struct slice word;
    for (lex_space(&lex); lex_flag(&lex, &word); lex_space(&lex)) {
        g_autofree char *text = slice_dup(&word);
        take_word(text, data);
    }
}
