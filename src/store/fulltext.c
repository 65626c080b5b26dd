/* The full text: one row a message, under the message's key so that the newest come first by themselves. FTS5 has the index
 * alone; the texts are in message_text, the bodies packed (pack.h), and are put there and taken away in the same transaction.
 *
 * FTS5 collects the rows of a transaction in memory for as long as their rowids ascend; one that goes back makes it write
 * what it has as a segment of its own, to be merged later. So rows of a transaction come in ascending order of keys
 * (measured: a hundredfold otherwise), and an envelope whose body is on its way is not put in twice. */
#include "config.h"

#include "store/internal.h"
#include "store/list.h"
#include "store/pack.h"
#include "store/placement.h"
#include "store/rows.h"

#include "store/texts.h"

#include <string.h>

static void
add_people(GString *out, const GPtrArray *list)
{
    for (guint i = 0; i < address_list_length(list) && out->len < 32768; i++) {
        const struct address *address = address_list_get(list, i);
        g_string_append_printf(out, "%s %s\n", address->name ? address->name : "",
                               address->addr ? address->addr : "");
    }
}

/* Who it is from and who it is to, as they are searched. */
static void
people_of(const struct envelope *envelope, GString *sender, GString *recipients)
{
    add_people(sender, envelope->from);
    add_people(sender, envelope->sender);
    add_people(sender, envelope->reply_to);
    add_people(recipients, envelope->to);
    add_people(recipients, envelope->cc);
    add_people(recipients, envelope->bcc);
}

/* How much of the body is searched: up to PACK_MAX bytes of whole characters. */
static gsize
body_length(const char *body)
{
    const char *end;
    g_utf8_validate(body, (gssize)strnlen(body, PACK_MAX), &end);
    return (gsize)(end - body);
}

void
texts_pack(struct message_index *index)
{
    if (!index->packed)
        index->packed = pack_text(index->body, body_length(index->body));
}

static gboolean
keep_text(struct store *store, const struct fulltext *text, GError **error)
{
    static const char sql[] =
        "INSERT INTO message_text (key, body, subject, sender, recipients, attachments, types) VALUES (?, ?, ?, ?, ?, ?, ?)";
    gsize size;
    const void *packed = text->packed ? g_bytes_get_data(text->packed, &size) : NULL;
    return packed ? sql_run(store, error, sql, "lbsssss", text->key, packed, size, text->subject, text->sender,
                            text->recipients, text->attachments, text->types)
                  : sql_run(store, error, sql, "lssssss", text->key, text->body, text->subject, text->sender,
                            text->recipients, text->attachments, text->types);
}

gboolean
fulltext_insert(struct store *store, const struct fulltext *text, GError **error)
{
    return sql_run(store, error,
                   "INSERT INTO fulltext (rowid, body, subject, sender, recipients, attachments, types)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?)",
                   "lssssss", text->key, text->body, text->subject, text->sender, text->recipients, text->attachments,
                   text->types) &&
           keep_text(store, text, error);
}

gboolean
fulltext_put(struct store *store, gint64 key, const struct envelope *envelope,
             const struct message_index *index, GError **error)
{
    g_autoptr(GString) sender = g_string_new(NULL), recipients = g_string_new(NULL);
    const char *body = index && index->body ? index->body : "";
    gsize length = body_length(body);
    g_autofree char *cut = body[length] ? g_strndup(body, length) : NULL;
    g_autoptr(GBytes) packed = index && index->packed ? g_bytes_ref(index->packed) : pack_text(body, length);
    people_of(envelope, sender, recipients);
    struct fulltext text = {.key = key,
                            .subject = envelope->subject ? envelope->subject : "",
                            .sender = sender->str,
                            .recipients = recipients->str,
                            .body = cut ? cut : body,
                            .attachments = index ? index->attachments : "",
                            .types = index ? index->types : "",
                            .packed = packed};
    return fulltext_insert(store, &text, error);
}

gboolean
fulltext_later(struct store *store, gint64 key, gint64 message, const struct envelope *envelope, GError **error)
{
    g_autoptr(GString) sender = g_string_new(NULL), recipients = g_string_new(NULL);
    people_of(envelope, sender, recipients);
    return sql_run(store, error, "INSERT INTO unindexed (key, message, sender, recipients) VALUES (?, ?, ?, ?)", "llss",
                   key, message, sender->str, recipients->str);
}

/* Was it only noted? Then it is no more. */
static gboolean
forget_later(struct store *store, gint64 key, gboolean *was, GError **error)
{
    if (!sql_run(store, error, "DELETE FROM unindexed WHERE key = ?", "l", key))
        return FALSE;
    *was = sqlite3_changes(store->db) > 0;
    return TRUE;
}

gboolean
fulltext_drop(struct store *store, gint64 key, GError **error)
{
    gboolean later;
    return forget_later(store, key, &later, error) &&
           (later || (sql_run(store, error, "DELETE FROM fulltext WHERE rowid = ?", "l", key) && /* it looks at the text */
                      sql_run(store, error, "DELETE FROM message_text WHERE key = ?", "l", key)));
}

gboolean
fulltext_complete(struct store *store, gint64 key, const struct message_index *index, GError **error)
{
    return fulltext_drop(store, key, error) && fulltext_put(store, key, index->envelope, index, error);
}

char *
list_text(struct store *store, gint64 key)
{
    char *text = sql_text(store, "SELECT unpacked(body) FROM message_text WHERE key = ?", "l", key);
    if (text && !*text)
        g_clear_pointer(&text, g_free);
    return text;
}

/* ---- what was only noted ---- */

struct noted {
    gint64 key;
    char *subject, *sender, *recipients;
};

static void
noted_clear(gpointer data)
{
    struct noted *noted = data;
    g_free(noted->subject);
    g_free(noted->sender);
    g_free(noted->recipients);
}

/* The newest, in ascending order. */
static GArray *
read_noted(struct store *store, guint limit, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct noted));
    g_array_set_clear_func(list, noted_clear);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT * FROM (SELECT u.key AS key, coalesce(m.subject, ''), u.sender, u.recipients"
                                " FROM unindexed u LEFT JOIN message m ON m.id = u.message"
                                " WHERE NOT EXISTS (SELECT 1 FROM textless t WHERE t.key = u.key"
                                " AND t.account IN (SELECT id FROM account))" /* its text will be */
                                " ORDER BY u.key DESC LIMIT ?) ORDER BY key",
                                "l", (gint64)limit);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct noted noted = {sqlite3_column_int64(q, 0), sql_dup(q, 1), sql_dup(q, 2), sql_dup(q, 3)};
        g_array_append_val(list, noted);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}

gboolean
placement_index_envelopes(struct store *store, guint limit, guint *done, GError **error)
{
    gboolean own, ok = TRUE;
    *done = 0;
    if (!sql_int(store, 0, "SELECT 1 FROM unindexed LIMIT 1", ""))
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    g_autoptr(GArray) list = read_noted(store, limit, error);
    ok = list != NULL;
    for (guint i = 0; ok && i < list->len; i++) {
        const struct noted *n = &g_array_index(list, struct noted, i);
        struct fulltext text = {n->key, n->subject, n->sender, n->recipients, "", "", "", NULL};
        ok = fulltext_insert(store, &text, error) &&
             sql_run(store, error, "DELETE FROM unindexed WHERE key = ?", "l", n->key);
        *done += ok;
    }
    return txn_leave(store, own, ok, error);
}
