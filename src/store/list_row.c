/* Rows of lists. */
#include "config.h"

#include "store/list_row.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/rows.h"
#include "base/flags.h"
#include "base/i18n.h"

#include <string.h>

#define CONVERSATION_READ 100 /* newest messages of a conversation that are looked at for a row */
#define PEOPLE_SHOWN 4

void
list_row_free(struct list_row *row)
{
    if (!row)
        return;
    g_free(row->people);
    g_free(row->from_name);
    g_free(row->from_addr);
    g_clear_pointer(&row->to, g_ptr_array_unref);
    g_free(row->message_id);
    g_free(row->subject);
    g_free(row->preview);
    g_free(row->tags);
    g_free(row);
}

static gboolean
is_blank(const char *text)
{
    return !text || !text[strspn(text, " \t\r\n")];
}

static char *
full_name(struct store *store, const char *name, const char *addr)
{
    if (addr && store_is_me(store, addr))
        return g_strdup(_("me"));
    return g_strdup(!is_blank(name) ? name : addr ? addr : "");
}

/* "Marta" of "Marta Ruiz" and of "Ruiz, Marta"; the local part of an address without a name. */
static char *
short_name(struct store *store, const char *name, const char *addr)
{
    if (addr && store_is_me(store, addr))
        return g_strdup(_("me"));
    if (is_blank(name)) {
        const char *at = addr ? strchr(addr, '@') : NULL;
        return at && at > addr ? g_strndup(addr, (gsize)(at - addr)) : g_strdup(addr ? addr : "");
    }
    const char *comma = strchr(name, ',');
    const char *start = comma && comma[1 + strspn(comma + 1, " ")] ? comma + 1 : name;
    start += strspn(start, " \"'");
    gsize length = strcspn(start, " ,\"");
    return length ? g_strndup(start, length) : g_strdup(name);
}

static char *
recipients(struct store *store, const GPtrArray *to)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < to->len && i < PEOPLE_SHOWN; i++) {
        const struct address *address = to->pdata[i];
        g_autofree char *name = to->len == 1 ? full_name(store, address->name, address->addr)
                                             : short_name(store, address->name, address->addr);
        g_string_append_printf(out, "%s%s", i ? ", " : "", name);
    }
    if (to->len > PEOPLE_SHOWN)
        g_string_append(out, ", …");
    g_autofree char *names = g_string_free(out, FALSE);
    return g_strdup_printf(_("To: %s"), names);
}

struct list_row *
row_read(struct store *store, sqlite3_stmt *q)
{
    struct list_row *row = g_new0(struct list_row, 1);
    gboolean placed = sqlite3_column_type(q, 18) != SQLITE_NULL;
    row->key = sqlite3_column_int64(q, 0);
    row->message = sqlite3_column_int64(q, 1);
    row->thread = sqlite3_column_int64(q, 2);
    row->from_name = sql_dup(q, 3);
    row->from_addr = sql_dup(q, 4);
    row->to = people_unpack(sql_str(q, 5));
    row->message_id = sql_dup(q, 6);
    row->subject = g_strdup(sql_str(q, 7));
    row->preview = g_strdup(sql_str(q, 8));
    row->bits = (guint)sqlite3_column_int(q, 9);
    row->date = sqlite3_column_int64(q, 10);
    row->received = sqlite3_column_int64(q, 11);
    row->zone = sqlite3_column_int(q, 12);
    row->size = (guint64)sqlite3_column_int64(q, 13);
    row->cached = sqlite3_column_int(q, 14) != 0;
    row->junk = sqlite3_column_int(q, 15);
    row->placement = sqlite3_column_int64(q, 18);
    row->folder = sqlite3_column_int64(q, 19);
    row->role = (guint)sqlite3_column_int(q, 20);
    row->flags = (guint)sqlite3_column_int(q, placed ? 21 : 16);
    row->tags = g_strdup(sql_str(q, placed ? 22 : 17));
    row->pending = placed && sqlite3_column_int64(q, 23) == 0;
    row->account = sqlite3_column_int64(q, 24);
    row->count = 1;
    row->unread = !(row->flags & FLAG_SEEN);
    row->people = (row->role == FOLDER_SENT || row->role == FOLDER_DRAFTS) && row->to->len
                      ? recipients(store, row->to)
                      : full_name(store, row->from_name, row->from_addr);
    return row;
}

/* "Marta, Ben … me": in the order in which they first wrote, the middle left out. */
static char *
join_people(struct store *store, GPtrArray *names, GPtrArray *addrs)
{
    GString *out = g_string_new(NULL);
    if (names->len == 1) {
        g_string_free(out, TRUE);
        return full_name(store, names->pdata[0], addrs->pdata[0]);
    }
    for (guint i = 0; i < names->len; i++) {
        if (names->len > PEOPLE_SHOWN && i > 0 && i < names->len - (PEOPLE_SHOWN - 2)) {
            if (i == 1)
                g_string_append(out, " …");
            continue;
        }
        g_autofree char *name = short_name(store, names->pdata[i], addrs->pdata[i]);
        gboolean after_gap = names->len > PEOPLE_SHOWN && i == names->len - (PEOPLE_SHOWN - 2);
        g_string_append_printf(out, "%s%s", !i ? "" : after_gap ? " " : ", ", name);
    }
    return g_string_free(out, FALSE);
}

gboolean
row_add_conversation(struct store *store, struct list_row *row, guint here, gboolean everything,
                     GError **error)
{
    const guint hidden = 1u << FOLDER_TRASH | 1u << FOLDER_JUNK;
    gboolean all = everything || (1u << row->role) & hidden;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free),
                         addrs = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    guint count = 0, read = 0;

    if (here == 1 && sql_int(store, 1, "SELECT size FROM thread WHERE id = ?", "l", row->thread) <= 1)
        return TRUE;
    sqlite3_stmt *q =
        sql_query(store, error,
                  "SELECT from_name, from_addr, bits, places FROM message WHERE thread = ? AND shown > 0"
                  " ORDER BY key DESC LIMIT ?",
                  "li", row->thread, CONVERSATION_READ);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        read++;
        if (!all && !((guint)sqlite3_column_int(q, 3) & ~hidden))
            continue;
        count++;
        row->bits |= (guint)sqlite3_column_int(q, 2) & MESSAGE_ATTACHMENTS;
        const char *addr = sql_str(q, 1);
        g_autofree char *key =
            store_is_me(store, addr) ? g_strdup("") : g_ascii_strdown(*addr ? addr : sql_str(q, 0), -1);
        /* Read backwards: who is met again stands before those met since. */
        guint at;
        if (g_ptr_array_find_with_equal_func(keys, key, g_str_equal, &at)) {
            g_ptr_array_remove_index(keys, at);
            g_ptr_array_remove_index(names, at);
            g_ptr_array_remove_index(addrs, at);
        }
        g_ptr_array_insert(keys, 0, g_steal_pointer(&key));
        g_ptr_array_insert(names, 0, sql_dup(q, 0));
        g_ptr_array_insert(addrs, 0, sql_dup(q, 1));
    }
    if (rc < 0)
        return FALSE;
    if (read == CONVERSATION_READ)
        count = (guint)sql_int(store, count, "SELECT size FROM thread WHERE id = ?", "l", row->thread);
    row->count = MAX(count, here);
    if (names->len && row->count > 1) {
        g_free(row->people);
        row->people = join_people(store, names, addrs);
    }
    return TRUE;
}

/* --- trees */

struct node {
    struct list_row *row;
    guint root;              /* for finding loops: the root of what it hangs in, shortened as it is asked */
    guint parent;            /* + 1; 0 none */
    guint first, last, next; /* children and siblings, + 1 */
};

static guint
root_of(struct node *nodes, guint i)
{
    while (nodes[i].root != i) {
        nodes[i].root = nodes[nodes[i].root].root;
        i = nodes[i].root;
    }
    return i;
}

/* The node that this one answers: In-Reply-To, else the last of the references that is here. A loop is cut
 * where it closes. */
static void
hang(struct node *nodes, guint i, const char *in_reply_to, const char *refs, GHashTable *by_id)
{
    g_auto(GStrv) ids = g_strsplit(refs, " ", -1);
    for (gint k = (gint)g_strv_length(ids); k >= 0; k--) {
        const char *id = k == (gint)g_strv_length(ids) ? in_reply_to : ids[k];
        guint parent = id ? GPOINTER_TO_UINT(g_hash_table_lookup(by_id, id)) : 0;
        if (!parent || parent - 1 == i || root_of(nodes, parent - 1) == i)
            continue;
        nodes[i].parent = parent;
        nodes[i].root = root_of(nodes, parent - 1);
        return;
    }
}

gboolean
rows_as_tree(struct store *store, GPtrArray *rows, GError **error)
{
    g_autofree struct node *nodes = g_new0(struct node, rows->len + 1);
    g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) ordered = g_ptr_array_sized_new(rows->len);
    guint first = 0, last = 0;
    gboolean by_hand = sql_int(store, 0, "SELECT EXISTS (SELECT 1 FROM thread_hand)", "") != 0;

    for (guint i = 0; i < rows->len; i++) { /* by time; of several versions the first one is answered */
        nodes[i].row = rows->pdata[i];
        nodes[i].root = i;
        if (nodes[i].row->message_id && !g_hash_table_contains(by_id, nodes[i].row->message_id))
            g_hash_table_insert(by_id, nodes[i].row->message_id, GUINT_TO_POINTER(i + 1));
    }
    for (guint i = 0; i < rows->len; i++) {
        sqlite3_stmt *q = sql_query(store, error, "SELECT in_reply_to, refs FROM reference WHERE message = ?",
                                    "l", nodes[i].row->message);
        int rc = q ? sql_row(store, q, error) : -1;
        g_autofree char *parent = NULL;
        if (rc < 0)
            return FALSE;
        if (by_hand && thread_hand_parent(store, nodes[i].row->message, &parent)) {
            hang(nodes, i, parent, "", by_id);
            if (rc > 0)
                sql_end(q);
        } else if (rc > 0) {
            hang(nodes, i, (const char *)sqlite3_column_text(q, 0), sql_str(q, 1), by_id);
            sql_end(q);
        }
    }
    for (guint i = 0; i < rows->len; i++) {
        guint parent = nodes[i].parent;
        guint *head = parent ? &nodes[parent - 1].first : &first,
              *tail = parent ? &nodes[parent - 1].last : &last;
        if (*tail)
            nodes[*tail - 1].next = i + 1;
        else
            *head = i + 1;
        *tail = i + 1;
    }
    for (guint at = first; at;) {
        struct node *node = &nodes[at - 1];
        node->row->depth = node->parent ? nodes[node->parent - 1].row->depth + 1 : 0;
        node->row->parent = node->parent ? nodes[node->parent - 1].row->message : 0;
        g_ptr_array_add(ordered, node->row);
        at = node->first;
        while (!at && node) {
            at = node->next;
            node = node->parent ? &nodes[node->parent - 1] : NULL;
        }
    }
    memcpy(rows->pdata, ordered->pdata, rows->len * sizeof(gpointer));
    return TRUE;
}
