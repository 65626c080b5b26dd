/* Rows of messages: made from an envelope, completed by a body, joined, and kept in step with their
 * placements. */
#include "config.h"

#include "store/account.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/message.h"
#include "store/rows.h"
#include "store/taglog.h"
#include "base/clock.h"
#include "base/flags.h"
#include "mail/document.h"

#include <string.h>

#define PEOPLE_MAX 100
#define REFERENCES_KEPT 20
#define ID_MAX 998 /* a line of RFC 5322: longer ids are kept by their hash only */
#define SUBJECT_MAX 2000
#define DAY 86400

char *
people_pack(const GPtrArray *list)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < address_list_length(list) && i < PEOPLE_MAX; i++) {
        const struct address *address = address_list_get(list, i);
        g_autofree char *name = g_strndup(address->name ? address->name : "", 500);
        g_autofree char *addr = g_strndup(address->addr ? address->addr : "", 500);
        g_strdelimit(name, "\t\n", ' ');
        g_strdelimit(addr, "\t\n", ' ');
        g_string_append_printf(out, "%s\t%s\n", addr, name);
    }
    g_autofree char *text = g_string_free(out, FALSE);
    return g_utf8_make_valid(text, -1); /* a name may have been cut inside a character */
}

GPtrArray *
people_unpack(const char *packed)
{
    GPtrArray *list = address_list_new();
    g_auto(GStrv) lines = g_strsplit(packed, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *tab = strchr(*line, '\t');
        if (!tab)
            continue;
        *tab++ = '\0';
        address_list_add(list, *tab ? tab : NULL, **line ? *line : NULL);
    }
    return list;
}

char *
emailid_key(struct store *store, gint64 folder, const char *emailid)
{
    if (!emailid || !*emailid)
        return NULL;
    gint64 account = sql_int(store, 0, "SELECT account FROM folder WHERE id = ?", "l", folder);
    return g_strdup_printf("%" G_GINT64_FORMAT ":%s", account, emailid);
}

/* A free key at that time. Many messages of one second take those of the seconds after it. */
static gint64
key_for(struct store *store, gint64 date, gboolean valid, gint64 received)
{
    gint64 seconds = valid && date <= received + DAY ? date : received;
    gint64 base = CLAMP(seconds, 1, G_GINT64_CONSTANT(1) << 40) * MESSAGE_KEYS_A_SECOND;

    for (gint64 window = MESSAGE_KEYS_A_SECOND;; window *= 2) {
        gint64 last = sql_int(store, base - 1, "SELECT max(key) FROM message WHERE key >= ? AND key < ?",
                              "ll", base, base + window);
        if (last < base + window - 1)
            return last + 1;
    }
}

static guint
bits_of(const struct message_index *index)
{
    guint bits = MESSAGE_INDEXED;
    if (index->flags & DOCUMENT_ATTACHMENTS)
        bits |= MESSAGE_ATTACHMENTS;
    if (index->flags & DOCUMENT_SIGNED)
        bits |= MESSAGE_SIGNED;
    if (index->flags & DOCUMENT_ENCRYPTED)
        bits |= MESSAGE_ENCRYPTED;
    if (index->flags & DOCUMENT_CALENDAR)
        bits |= MESSAGE_CALENDAR;
    if (index->flags & DOCUMENT_REPORT)
        bits |= MESSAGE_REPORT;
    return bits;
}

static gboolean
add_tags(struct store *store, gint64 message, gint64 key, const char *tags, GError **error)
{
    if (!*tags)
        return TRUE;
    g_auto(GStrv) words = tags_split(tags);
    for (char **tag = words; *tag; tag++)
        if (!sql_run(store, error, "INSERT OR IGNORE INTO tag VALUES (?, ?, ?)", "sll", *tag, key, message))
            return FALSE;
    return TRUE;
}

static gboolean
add_references(struct store *store, gint64 message, const struct envelope *envelope, GError **error)
{
    guint n = envelope->references ? g_strv_length(envelope->references) : 0;
    if (!n && !envelope->in_reply_to)
        return TRUE;
    g_autoptr(GString) refs = g_string_new(NULL);
    for (guint i = n > REFERENCES_KEPT ? n - REFERENCES_KEPT : 0; i < n; i++) {
        const char *id = envelope->references[i];
        if (strlen(id) <= ID_MAX && !strchr(id, ' '))
            g_string_append_printf(refs, "%s%s", refs->len ? " " : "", id);
    }
    const char *parent = envelope->in_reply_to;
    return sql_run(store, error, "INSERT INTO reference VALUES (?, ?, ?)", "lss", message,
                   parent && strlen(parent) <= ID_MAX ? parent : NULL, refs->str);
}

gint64
message_row_insert(struct store *store, const struct message_new *new, GError **error)
{
    const struct envelope *envelope = new->envelope;
    gint64 received = new->received > 0 ? new->received : clock_now();
    gboolean dated = (envelope->flags & ENVELOPE_DATE_VALID) != 0;
    gint64 thread = thread_join(store, envelope, error), sequence = thread ? txn_sequence(store, error) : 0;
    const struct address *from = address_list_get(envelope->from, 0);
    guint8 mid[MID_SIZE];
    gboolean has_mid = mid_hash(envelope->message_id, mid);
    guint bits = 0;

    if (!sequence)
        return 0;
    gboolean from_me = from && from->addr && store_is_me(store, from->addr);
    if (from_me)
        bits |= MESSAGE_FROM_ME;
    if (new->attachments)
        bits |= MESSAGE_ATTACHMENTS;
    if (envelope->list_id)
        bits |= MESSAGE_LIST;
    g_autofree char *to = people_pack(envelope->to), *cc = people_pack(envelope->cc);
    g_autofree char *cut = g_strndup(envelope->subject ? envelope->subject : "", SUBJECT_MAX);
    g_autofree char *subject = g_utf8_make_valid(cut, -1);
    gint64 key = key_for(store, envelope->date, dated, received);
    const char *id = envelope->message_id;

    if (!sql_run(store, error,
                 "INSERT INTO message (key, thread, changed, bits, flags, tags, places, shown, size, date, "
                 "zone, received,"
                 " from_name, from_addr, subject, message_id, mid, emailid, to_list, cc_list, list_id)"
                 " VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 "llliisillilssssbssss", key, thread, sequence, bits, new->flags, new->tags ? new->tags : "",
                 1 << new->role, (gint64) new->size, dated ? envelope->date : received,
                 dated ? envelope->zone : 0, received, from ? from->name : NULL, from ? from->addr : NULL,
                 subject, id && strlen(id) <= ID_MAX ? id : NULL, has_mid ? mid : NULL, (gsize)MID_SIZE,
                 new->emailid, to, cc, envelope->list_id))
        return 0;
    gint64 message = sqlite3_last_insert_rowid(store->db);
    if ((new->tags && tags_has(new->tags, MUTED_TAG) && !thread_set_muted(store, thread, TRUE, error)) ||
        !thread_resize(store, thread, 1, error) || !add_references(store, message, envelope, error) ||
        !add_tags(store, message, key, new->tags ? new->tags : "", error) ||
        !(new->text_later ? fulltext_later(store, key, message, envelope, error)
                          : fulltext_put(store, key, envelope, NULL, error)))
        return 0;
    if (new->role != FOLDER_JUNK &&new->role != FOLDER_TRASH &&
        !contact_harvest(store, envelope, dated ? MIN(envelope->date, received) : received, from_me, error))
        return 0;
    return message;
}

gboolean
message_row_bytes(struct store *store, gint64 message, const guint8 hash[32], guint64 wire_size, GError **error)
{
    gint64 sequence = txn_sequence(store, error);
    if (!sequence)
        return FALSE;
    if (store->remembers)
        taglog_touch(store, message);
    return sql_run(store, error,
                   "UPDATE message SET hash = coalesce(hash, ?), cached = 1, size = ?, changed = ? WHERE id = ?", "blll",
                   hash, (gsize)32, (gint64)wire_size, sequence, message) &&
           sql_run(store, error, "DELETE FROM wanted WHERE message = ?", "l", message);
}

gboolean
message_row_text(struct store *store, gint64 message, gint64 key, const struct message_index *index, GError **error)
{
    gint64 sequence = txn_sequence(store, error);
    guint bits = index ? bits_of(index) : MESSAGE_BROKEN;
    return sequence && arrival_note(store, message, (bits & MESSAGE_REPORT) != 0, error) &&
           sql_run(store, error, "UPDATE message SET changed = ?, preview = ?, bits = (bits & ~?) | ? WHERE id = ?",
                   "lsiil", sequence, index && index->preview ? index->preview : "", index ? MESSAGE_ATTACHMENTS : 0,
                   bits, message) &&
           texts_drop(store, key, error) && (!index || fulltext_complete(store, key, index, error));
}

gboolean
message_row_body(struct store *store, gint64 message, const guint8 hash[32], guint64 wire_size,
                 const struct message_index *index, GError **error)
{
    gint64 key = sql_int(store, 0, "SELECT key FROM message WHERE id = ?", "l", message);
    return message_row_bytes(store, message, hash, wire_size, error) &&
           message_row_text(store, message, key, index, error);
}

/* The row and what hangs on it; its placements have gone. */
static gboolean
end_row(struct store *store, gint64 message, gint64 key, gint64 thread, const char *files,
        const char *message_id, GError **error)
{
    gint64 sequence = txn_sequence(store, error);
    return sequence && fulltext_drop(store, key, error) && texts_drop(store, key, error) && thread_resize(store, thread, -1, error) &&
           sql_run(store, error, "DELETE FROM tag WHERE message = ?", "l", message) &&
           sql_run(store, error, "DELETE FROM reference WHERE message = ?", "l", message) &&
           sql_run(store, error, "DELETE FROM wanted WHERE message = ?", "l", message) &&
           sql_run(store, error, "DELETE FROM index_skip WHERE message = ?", "l", message) &&
           sql_run(store, error, "DELETE FROM arrival WHERE message = ?", "l", message) &&
           sql_run(store, error, "DELETE FROM verdict WHERE message = ?", "l", message) &&
           sql_run(store, error, "DELETE FROM delivery WHERE message = ?", "l", message) &&
           sql_run(store, error, "DELETE FROM message WHERE id = ?", "l", message) &&
           sql_run(store, error,
                   "INSERT INTO gone (sequence, message, message_id, files, time) VALUES (?, ?, ?, ?, ?)",
                   "llssl", sequence, message, message_id, files, clock_now());
}

static gboolean
read_identity(struct store *store, gint64 message, gint64 *key, gint64 *thread, char **message_id,
              GError **error)
{
    sqlite3_stmt *q =
        sql_query(store, error, "SELECT key, thread, message_id FROM message WHERE id = ?", "l", message);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc == 0)
        g_set_error(error, STORE_ERROR, ERROR_NOINPUT, "message %" G_GINT64_FORMAT " is not there any more",
                    message);
    if (rc <= 0)
        return FALSE;
    *key = sqlite3_column_int64(q, 0);
    *thread = sqlite3_column_int64(q, 1);
    *message_id = sql_dup(q, 2);
    sql_end(q);
    return TRUE;
}

gboolean
message_row_join(struct store *store, gint64 keep, gint64 drop, GError **error)
{
    g_autoptr(GArray) ids = placement_ids_of(store, drop, FALSE, error);
    g_autofree char *message_id = NULL,
                    *emailid = sql_text(store, "SELECT emailid FROM message WHERE id = ?", "l", drop);
    gint64 key, thread;

    if (!ids || !read_identity(store, drop, &key, &thread, &message_id, error))
        return FALSE;
    for (guint i = 0; i < ids->len; i++) {
        g_auto(struct_placement_row) row = {0};
        if (!placement_row_read(store, g_array_index(ids, gint64, i), &row, error) ||
            !placement_row_set_message(store, &row, keep, error))
            return FALSE;
    }
    return sql_run(store, error, "UPDATE intent SET message = ? WHERE message = ?", "ll", keep, drop) &&
           sql_run(store, error, "UPDATE journal_item SET message = ? WHERE message = ?", "ll", keep, drop) &&
           sql_run(store, error, "UPDATE maildrop SET message = ? WHERE message = ?", "ll", keep, drop) &&
           sql_run(store, error, "UPDATE OR REPLACE delivery SET message = ? WHERE message = ?", "ll", keep, drop) &&
           sql_run(store, error, "UPDATE outbox SET sent_message = ? WHERE sent_message = ?", "ll", keep,
                   drop) &&
           end_row(store, drop, key, thread, "", NULL, error) &&
           (!emailid ||
            sql_run(store, error, "UPDATE message SET emailid = coalesce(emailid, ?) WHERE id = ?", "sl",
                    emailid, keep)) &&
           message_refresh(store, keep, error);
}

gboolean
message_refresh(struct store *store, gint64 message, GError **error)
{
    return message_refresh_without(store, message, "", error);
}

gboolean
message_touch(struct store *store, gint64 message, GError **error)
{
    gint64 sequence = txn_sequence(store, error);
    return sequence &&
           sql_run(store, error, "UPDATE message SET changed = ? WHERE id = ?", "ll", sequence, message);
}

gboolean
message_refresh_without(struct store *store, gint64 message, const char *file, GError **error)
{
    guint flags = 0, places = 0, shown = 0, all = 0, cached = 0;
    g_autofree char *tags = g_strdup(""), *message_id = NULL;
    gint64 key, thread, sequence;

    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT p.flags, p.tags, p.state, f.role, p.file IS NOT NULL FROM placement p"
                                " JOIN folder f ON f.id = p.folder WHERE p.message = ?",
                                "l", message);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        all++;
        cached |= (guint)sqlite3_column_int(q, 4);
        if (sqlite3_column_int(q, 2) == 1)
            continue;
        shown++;
        flags |= (guint)sqlite3_column_int(q, 0);
        places |= 1u << sqlite3_column_int(q, 3);
        if (*sql_str(q, 1)) {
            g_autofree char *joined = g_strjoin(" ", tags, sql_str(q, 1), NULL);
            g_auto(GStrv) words = g_strsplit(joined, " ", -1);
            g_free(tags);
            tags = tags_from_list((const char *const *)words, -1);
        }
    }
    if (rc < 0 || !read_identity(store, message, &key, &thread, &message_id, error) ||
        !(sequence = txn_sequence(store, error)))
        return FALSE;
    if (!all)
        return end_row(store, message, key, thread, file, message_id, error);
    g_autofree char *before = sql_text(store, "SELECT tags FROM message WHERE id = ?", "l", message);
    if (g_strcmp0(before, tags) &&
        !(sql_run(store, error, "DELETE FROM tag WHERE message = ?", "l", message) &&
          add_tags(store, message, key, tags, error)))
        return FALSE;
    gboolean muted = tags_has(tags, MUTED_TAG);
    if (muted != (before && tags_has(before, MUTED_TAG)) && !thread_set_muted(store, thread, muted, error))
        return FALSE;
    return sql_run(
        store, error,
        "UPDATE message SET flags = ?, tags = ?, places = ?, shown = ?, cached = ?, changed = ? WHERE id = ?",
        "isiiill", flags, tags, places, shown, cached, sequence, message);
}
