/* Folders: LIST, STATUS, NAMESPACE, and making and removing them. */
#include "config.h"

#include "proto/imap_private.h"

#include <string.h>

#include "base/log.h"

#define FOLDERS_MAX 100000
#define NAME_BYTES 1000
#define STATUS_BATCH 100 /* commands on their way at once */
#define STATUS_BATCH_SMALL 25 /* IMAP_QUIRK_FEW_AT_ONCE */

gboolean
imap_check_name(const struct imap *imap, const char *name, GError **error)
{
    return imap_check_text(imap, name, NAME_BYTES, "the folder name", error);
}

/* ---- NAMESPACE ---- */

static gboolean
take_namespace(struct imap *imap, const struct imap_reply *reply, struct collector *collector G_GNUC_UNUSED)
{
    if (reply->kind != REPLY_NAMESPACE)
        return FALSE;
    if (!imap->namespaces)
        imap->namespaces = reply_parse_namespaces(reply->rest);
    return TRUE;
}

static gboolean
take_root(struct imap *imap G_GNUC_UNUSED, const struct imap_reply *reply, struct collector *collector)
{
    if (reply->kind != REPLY_LIST)
        return FALSE;
    /* The reply to LIST "" "" has an empty name: only its delimiter counts. */
    struct lex lex = reply->rest;
    struct slice delimiter;
    g_autoptr(GString) scratch = g_string_new(NULL);
    if (lex_skip(&lex) && lex_space(&lex) && lex_string(&lex, scratch, &delimiter, NULL) &&
        delimiter.length == 1)
        *(char *)collector->data = *delimiter.bytes;
    return TRUE;
}

const GPtrArray *
imap_get_namespaces(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    struct collector collector = {.take = take_namespace};
    if (imap->namespaces)
        return imap->namespaces;
    if (imap_has(imap, IMAP_NAMESPACE) &&
        !imap_run(imap, &exchange, "asking for namespaces", "NAMESPACE", &collector, error))
        return NULL;
    if (imap->namespaces)
        return imap->namespaces;
    char delimiter = 0;
    collector = (struct collector){.take = take_root, .data = &delimiter};
    if (!imap_run(imap, &exchange, "asking for namespaces", "LIST \"\" \"\"", &collector, error))
        return NULL;
    struct imap_namespace *own = g_new0(struct imap_namespace, 1);
    own->kind = IMAP_NAMESPACE_PERSONAL;
    own->prefix = g_strdup("");
    own->delimiter = delimiter;
    imap->namespaces = g_ptr_array_new_with_free_func(imap_namespace_free);
    g_ptr_array_add(imap->namespaces, own);
    return imap->namespaces;
}

/* The namespace with the longest prefix that the name begins with. A name in none is the user's own. */
static gboolean
is_own(const GPtrArray *namespaces, const char *name)
{
    gsize longest = 0;
    gboolean own = TRUE;
    for (guint i = 0; i < namespaces->len; i++) {
        const struct imap_namespace *namespace = g_ptr_array_index(namespaces, i);
        gsize length = strlen(namespace->prefix);
        if (length < longest || strncmp(name, namespace->prefix, length))
            continue;
        longest = length;
        own = namespace->kind == IMAP_NAMESPACE_PERSONAL;
    }
    return own;
}

/* ---- STATUS items ---- */

static const struct {
    guint item;
    const char *name;
    guint64 needs;
} status_words[] = {
    {IMAP_STATUS_MESSAGES, "MESSAGES", 0},
    {IMAP_STATUS_UIDNEXT, "UIDNEXT", 0},
    {IMAP_STATUS_UIDVALIDITY, "UIDVALIDITY", 0},
    {IMAP_STATUS_UNSEEN, "UNSEEN", 0},
    {IMAP_STATUS_MODSEQ, "HIGHESTMODSEQ", IMAP_CONDSTORE},
    {IMAP_STATUS_TOTALSIZE, "SIZE", IMAP_STATUS_SIZE},
    {IMAP_STATUS_MAILBOXID, "MAILBOXID", IMAP_OBJECTID},
    {IMAP_STATUS_DELETED, "DELETED", IMAP_IMAP4REV2},
};

static char *
status_list(const struct imap *imap, guint items)
{
    GString *list = g_string_new("(");
    for (gsize i = 0; i < G_N_ELEMENTS(status_words); i++)
        if (items & status_words[i].item && imap_has(imap, status_words[i].needs))
            g_string_append_printf(list, "%s%s", list->len > 1 ? " " : "", status_words[i].name);
    return g_string_free(g_string_append_c(list, ')'), FALSE);
}

/* ---- LIST ---- */

struct listing {
    GPtrArray *folders;  /* owns */
    GHashTable *by_name; /* borrows from folders */
    GHashTable *states;  /* name → struct imap_status, of LIST-STATUS */
    gboolean truncated;
};

static void
folder_free(gpointer folder)
{
    imap_folder_free(folder);
}

static void
status_free(gpointer status)
{
    imap_status_free(status);
}

static void
add_folder(struct listing *listing, struct imap_folder *folder, gboolean by_list)
{
    struct imap_folder *known = g_hash_table_lookup(listing->by_name, folder->name);
    if (known) {
        /* With NOTIFY the news that it was removed may come first, and that it is there again later. */
        if (by_list && !(folder->attributes & IMAP_NONEXISTENT) && known->attributes & IMAP_NONEXISTENT)
            known->attributes &= ~(guint)(IMAP_NONEXISTENT | IMAP_NOSELECT);
        known->attributes |= folder->attributes;
        known->roles |= folder->roles;
        if (!known->old_name)
            known->old_name = g_steal_pointer(&folder->old_name);
        imap_folder_free(folder);
    } else if (listing->folders->len >= FOLDERS_MAX) {
        listing->truncated = TRUE;
        imap_folder_free(folder);
    } else {
        g_ptr_array_add(listing->folders, folder);
        g_hash_table_insert(listing->by_name, folder->name, folder);
    }
}

static gboolean
take_list(struct imap *imap G_GNUC_UNUSED, const struct imap_reply *reply, struct collector *collector)
{
    struct listing *listing = collector->data;
    if (reply->kind == REPLY_STATUS) {
        struct imap_status *status = g_new0(struct imap_status, 1);
        if (g_hash_table_size(listing->states) < FOLDERS_MAX && reply_parse_status(reply->rest, status))
            g_hash_table_replace(listing->states, status->name, status);
        else
            imap_status_free(status);
        return TRUE;
    }
    if (reply->kind != REPLY_LIST && reply->kind != REPLY_LSUB)
        return FALSE;
    struct imap_folder *folder = reply_parse_list(reply->rest, reply->kind == REPLY_LSUB);
    if (folder)
        add_folder(listing, folder, reply->kind == REPLY_LIST);
    else
        log_warn("imap.list", "a folder with a malformed name was passed over");
    return TRUE;
}

static gboolean
is_wanted(const struct imap_folder *folder, const GPtrArray *namespaces)
{
    return is_own(namespaces, folder->name) || folder->attributes & IMAP_SUBSCRIBED;
}

static void
adopt_status(struct listing *listing, struct imap_folder *folder)
{
    struct imap_status *status = g_hash_table_lookup(listing->states, folder->name);
    if (!status)
        return;
    g_hash_table_steal(listing->states, folder->name); /* the key is the status' own name */
    folder->status = *status;
    folder->has_status = TRUE;
    g_clear_pointer(&folder->status.name, g_free);
    g_free(status);
}

/* What the folders are, which are subscribed, and their state, all at once. */
static char *
extended_list(const struct imap *imap, guint status_items)
{
    g_autofree char *states = status_list(imap, status_items);
    gboolean with_states = imap_has(imap, IMAP_LIST_STATUS) && strcmp(states, "()");
    return g_strdup_printf("LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN%s%s%s)",
                           imap_has(imap, IMAP_SPECIAL_USE) ? " SPECIAL-USE" : "",
                           with_states ? " STATUS " : "", with_states ? states : "");
}

/* command2 may be NULL. */
static gboolean
list_flight(struct imap *imap, const char *command, const char *command2, struct exchange exchanges[2],
            struct listing *listing, GError **error)
{
    static const char activity[] = "listing folders";
    struct collector collector = {.take = take_list, .data = listing};
    return imap_command(imap, &exchanges[0], activity, command, error) && imap_end(imap, error) &&
           (!command2 ||
            (imap_command(imap, &exchanges[1], activity, command2, error) && imap_end(imap, error))) &&
           imap_wait(imap, exchanges, command2 ? 2 : 1, &collector, error);
}

static gboolean
run_list(struct imap *imap, guint status_items, struct listing *listing, GError **error)
{
    struct exchange exchanges[2] = {0};
    g_autofree char *command = extended_list(imap, status_items);
    gboolean extended = imap_has(imap, IMAP_LIST_EXTENDED);
    gboolean done = !extended || list_flight(imap, command, NULL, exchanges, listing, error);
    /* Offered, and not understood: the old way always works. */
    if (done && (!extended || exchanges[0].result == REPLY_BAD))
        done = list_flight(imap, "LIST \"\" \"*\"", "LSUB \"\" \"*\"", exchanges, listing, error);
    done = done && imap_check_ok(imap, &exchanges[0], ERROR_REFUSED, error, "cannot list folders");
    exchange_clear(&exchanges[0]);
    exchange_clear(&exchanges[1]);
    return done;
}

GPtrArray *
imap_list(struct imap *imap, guint status_items, GError **error)
{
    const GPtrArray *namespaces = imap_get_namespaces(imap, error);
    if (!namespaces)
        return NULL;
    struct listing listing = {
        .folders = g_ptr_array_new_with_free_func(folder_free),
        .by_name = g_hash_table_new(g_str_hash, g_str_equal),
        .states = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, status_free),
    };
    GPtrArray *folders = NULL;
    if (run_list(imap, status_items, &listing, error)) {
        folders = g_ptr_array_new_with_free_func(folder_free);
        for (guint i = 0; i < listing.folders->len; i++) {
            struct imap_folder *folder = listing.folders->pdata[i];
            if (!is_wanted(folder, namespaces))
                continue;
            adopt_status(&listing, folder);
            g_ptr_array_add(folders, folder);
            listing.folders->pdata[i] = NULL;
        }
        if (listing.truncated)
            log_warn("imap.list", "the server has more than %d folders: the rest is left out", FOLDERS_MAX);
    }
    g_hash_table_unref(listing.by_name);
    g_hash_table_unref(listing.states);
    g_ptr_array_unref(listing.folders);
    return folders;
}

/* ---- STATUS ---- */

static gboolean
take_status(struct imap *imap G_GNUC_UNUSED, const struct imap_reply *reply, struct collector *collector)
{
    GHashTable *wanted = collector->data;
    struct imap_status status;
    if (reply->kind != REPLY_STATUS)
        return FALSE;
    if (!reply_parse_status(reply->rest, &status))
        return TRUE;
    struct imap_status *place = g_hash_table_lookup(wanted, status.name);
    if (!place) {
        imap_status_clear(&status);
        return FALSE; /* not asked for: an event */
    }
    imap_status_clear(place); /* the key is kept elsewhere */
    *place = status;
    return TRUE;
}

static gboolean
put_status(struct imap *imap, struct exchange *exchange, const char *name, const char *items, GError **error)
{
    return imap_command(imap, exchange, "asking for the state of folders", "STATUS ", error) &&
           imap_put_string(imap, exchange, name, error) && imap_put(imap, " ", error) &&
           imap_put(imap, items, error) && imap_end(imap, error);
}

gboolean
imap_flies_alone(const struct imap *imap, const char *name)
{
    return imap_needs_literal(name) && !imap_takes_literal_unasked(imap, strlen(name));
}

static gboolean
status_flight(struct imap *imap, const char *const *names, guint count, const char *items, GHashTable *wanted,
              GError **error)
{
    struct exchange *exchanges = g_new0(struct exchange, count);
    struct collector collector = {.take = take_status, .data = wanted};
    gboolean done = TRUE;
    for (guint i = 0; i < count && done; i++)
        done = put_status(imap, &exchanges[i], names[i], items, error);
    done = done && imap_wait(imap, exchanges, count, &collector, error);
    for (guint i = 0; i < count; i++)
        exchange_clear(&exchanges[i]);
    g_free(exchanges);
    return done;
}

GPtrArray *
imap_status(struct imap *imap, const char *const *names, guint items, GError **error)
{
    guint count = g_strv_length((char **)names);
    g_autofree char *list = status_list(imap, items);
    g_autoptr(GPtrArray) states = g_ptr_array_new_with_free_func(status_free);
    g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!strcmp(list, "()")) {
        imap_fail(imap, ERROR_INPUT, error, "nothing to ask of the folders");
        return NULL;
    }
    for (guint i = 0; i < count; i++) {
        if (!imap_check_name(imap, names[i], error))
            return NULL;
        struct imap_status *status = g_new0(struct imap_status, 1);
        status->name = imap_normal_name(names[i]);
        g_ptr_array_add(states, status);
        g_hash_table_insert(wanted, g_strdup(status->name), status);
    }
    guint at_once = imap_has_quirk(imap, IMAP_QUIRK_FEW_AT_ONCE) ? STATUS_BATCH_SMALL : STATUS_BATCH;
    for (guint i = 0, next; i < count; i = next) {
        next = i + 1;
        while (!imap_flies_alone(imap, names[i]) && next < count && next - i < at_once &&
               !imap_flies_alone(imap, names[next]))
            next++;
        if (!status_flight(imap, names + i, next - i, list, wanted, error))
            return NULL;
    }
    return g_steal_pointer(&states);
}

/* ---- making and removing ---- */

gboolean
imap_run_on_name(struct imap *imap, struct exchange *exchange, const char *activity, const char *verb,
                 const char *name, const char *more, GError **error)
{
    return imap_check_name(imap, name, error) && imap_command(imap, exchange, activity, verb, error) &&
           imap_put(imap, " ", error) && imap_put_string(imap, exchange, name, error) &&
           (!more || imap_put(imap, more, error)) && imap_end(imap, error) &&
           imap_wait(imap, exchange, 1, NULL, error);
}

static const char *
role_word(guint role)
{
    switch (role) {
    case IMAP_ROLE_ALL:
        return " (USE (\\All))";
    case IMAP_ROLE_ARCHIVE:
        return " (USE (\\Archive))";
    case IMAP_ROLE_DRAFTS:
        return " (USE (\\Drafts))";
    case IMAP_ROLE_FLAGGED:
        return " (USE (\\Flagged))";
    case IMAP_ROLE_JUNK:
        return " (USE (\\Junk))";
    case IMAP_ROLE_SENT:
        return " (USE (\\Sent))";
    case IMAP_ROLE_TRASH:
        return " (USE (\\Trash))";
    default:
        return NULL;
    }
}

/* Not every server has [ALREADYEXISTS]. */
static gboolean
exists(struct imap *imap, const char *name)
{
    const char *names[] = {name, NULL};
    g_autoptr(GPtrArray) states = imap_status(imap, names, IMAP_STATUS_UIDVALIDITY, NULL);
    return states && ((struct imap_status *)states->pdata[0])->items != 0;
}

gboolean
imap_create(struct imap *imap, const char *name, guint role, gboolean may_exist, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    const char *use = imap_has(imap, IMAP_CREATE_SPECIAL_USE) ? role_word(role) : NULL;
    g_autofree char *shown = utf7_show(name);
    if (!imap_run_on_name(imap, &exchange, "making a folder", "CREATE", name, use, error))
        return FALSE;
    /* [USEATTR]: this role is taken, or not for us (RFC 6154 section 3). The folder matters more than its
     * mark. */
    if (exchange.result == REPLY_NO && use && exchange.code == CODE_OTHER) {
        exchange_clear(&exchange);
        if (!imap_run_on_name(imap, &exchange, "making a folder", "CREATE", name, NULL, error))
            return FALSE;
    }
    if (exchange.result == REPLY_NO && may_exist &&
        (exchange.code == CODE_ALREADYEXISTS || exists(imap, name)))
        return TRUE;
    return imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot make folder %s", shown);
}

gboolean
imap_delete(struct imap *imap, const char *name, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    g_autofree char *shown = utf7_show(name);
    return imap_run_on_name(imap, &exchange, "removing a folder", "DELETE", name, NULL, error) &&
           imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot remove folder %s", shown);
}

gboolean
imap_rename(struct imap *imap, const char *from, const char *to, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    g_autofree char *shown = utf7_show(from), *shown_to = utf7_show(to);
    return imap_check_name(imap, from, error) && imap_check_name(imap, to, error) &&
           imap_command(imap, &exchange, "renaming a folder", "RENAME ", error) &&
           imap_put_string(imap, &exchange, from, error) && imap_put(imap, " ", error) &&
           imap_put_string(imap, &exchange, to, error) && imap_end(imap, error) &&
           imap_wait(imap, &exchange, 1, NULL, error) &&
           imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot rename folder %s to %s", shown,
                         shown_to);
}

gboolean
imap_subscribe(struct imap *imap, const char *name, gboolean subscribe, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    g_autofree char *shown = utf7_show(name);
    return imap_run_on_name(imap, &exchange, "changing subscriptions",
                            subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE", name, NULL, error) &&
           imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot %s folder %s",
                         subscribe ? "subscribe to" : "unsubscribe from", shown);
}
