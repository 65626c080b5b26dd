#include "config.h"

#include "store/contact.h"
#include "store/account.h"
#include "store/internal.h"
#include "store/rows.h"
#include "base/clock.h"
#include "base/text.h"
#include "mail/address.h"

#include <string.h>

#define ADDR_MAX 254
#define NAME_MAX_BYTES 200
#define WORDS_MAX 16
#define CROWD 10 /* recipients: of a longer list nobody is remembered */

void
contact_free(struct contact *contact)
{
    if (!contact)
        return;
    g_free(contact->name);
    g_free(contact->addr);
    g_free(contact->bounce);
    g_free(contact);
}

/* Local parts are told apart by nobody who completes an address. */
static char *
key_of(const char *addr)
{
    gsize length = addr ? strlen(addr) : 0;
    if (length < 3 || length > ADDR_MAX || !strchr(addr, '@') || !g_utf8_validate(addr, -1, NULL))
        return NULL;
    return g_utf8_strdown(addr, -1);
}

/* Words to be found by: of the name, the address, its local part and its domain. */
static GStrv
words_of(const char *name, const char *addr)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_autofree char *folded = text_fold(name ? name : "");
    g_auto(GStrv) parts = g_strsplit_set(folded, " ,;\"'()<>[]\t-_.", -1);
    guint n = 0;

    for (char **part = parts; *part && n < WORDS_MAX; part++)
        if (**part) {
            g_strv_builder_add(words, *part);
            n++;
        }
    g_autofree char *low = text_fold(addr);
    g_strv_builder_add(words, low);
    char *at = strrchr(low, '@');
    if (at) {
        g_strv_builder_add(words, at + 1);
        *at = '\0';
        g_auto(GStrv) locals = g_strsplit_set(low, ".-_+", -1);
        for (guint i = 1; locals[0] && locals[i] && i < 5;
             i++) /* the first one is the address's own beginning */
            if (*locals[i])
                g_strv_builder_add(words, locals[i]);
    }
    return g_strv_builder_end(words);
}

static gboolean
put_words(struct store *store, gint64 id, const char *name, const char *addr, GError **error)
{
    g_auto(GStrv) words = words_of(name, addr);
    for (char **word = words; *word; word++)
        if (!sql_run(store, error, "INSERT OR IGNORE INTO contact_word VALUES (?, ?)", "sl", *word, id))
            return FALSE;
    return TRUE;
}

/* For known.h. */
static gboolean
put_owner(struct store *store, gint64 id, GError **error)
{
    return sql_run(store, error, "UPDATE contact SET owner = owner_of(addr_key), looks = looks_of(name) WHERE id = ?", "l", id) &&
           sql_run(store, error,
                   "INSERT OR IGNORE INTO known_owner (owner, looks) SELECT owner, looks_of(owner) FROM contact WHERE id = ?"
                   " AND owner IS NOT NULL",
                   "l", id);
}

enum count { COUNT_SENT, COUNT_RECEIVED, COUNT_SEEN, COUNT_NONE };

/* One more message; the row is made when it is new, and a better name is taken. */
static gboolean
touch(struct store *store, const char *name, const char *addr, enum count count, gint64 date, gint64 *id,
      GError **error)
{
    g_autofree char *key = key_of(addr);
    if (!key)
        return TRUE;
    g_autofree char *clean = name ? text_safe(name, -1, TEXT_LINE) : NULL;
    if (clean && (!*clean || strlen(clean) > NAME_MAX_BYTES || !g_ascii_strcasecmp(clean, addr)))
        g_clear_pointer(&clean, g_free); /* an address as a name says nothing */
    sqlite3_stmt *q = sql_query(
        store, error,
        "INSERT INTO contact (addr_key, addr, name, first, last, sent, received, seen)"
        " VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7) ON CONFLICT (addr_key) DO UPDATE SET"
        " first = min(first, ?4), last = max(last, ?4), sent = sent + ?5, received = received + ?6,"
        " seen = seen + ?7,"
        /* Who writes is there again. */
        " bounced = CASE WHEN ?6 AND ?4 > bounced THEN 0 ELSE bounced END,"
        " bounce = CASE WHEN ?6 AND ?4 > bounced THEN NULL ELSE bounce END RETURNING id, sent + received + seen, name, by_hand",
        "sssliii", key, addr, clean, date, count == COUNT_SENT, count == COUNT_RECEIVED, count == COUNT_SEEN);
    if (!q || sql_row(store, q, error) <= 0)
        return FALSE;
    gint64 row = sqlite3_column_int64(q, 0);
    gboolean fresh = sqlite3_column_int64(q, 1) <= 1;
    const char *known = (const char *)sqlite3_column_text(q, 2);
    gboolean renamed = !fresh && clean && g_strcmp0(known, clean) && !sqlite3_column_int(q, 3) &&
                       (count == COUNT_RECEIVED || !known);
    sql_end(q);
    if (id)
        *id = row;
    if (fresh || renamed) {
        if (renamed && !sql_run(store, error, "UPDATE contact SET name = ?1, looks = looks_of(?1) WHERE id = ?2", "sl", clean, row))
            return FALSE;
        if (fresh && !put_owner(store, row, error))
            return FALSE;
        return put_words(store, row, clean, addr, error);
    }
    return TRUE;
}

static gboolean
touch_list(struct store *store, const GPtrArray *list, enum count count, gint64 date, GError **error)
{
    for (guint i = 0; i < address_list_length(list); i++) {
        const struct address *address = address_list_get(list, i);
        if (address->addr && !store_is_me(store, address->addr) &&
            !touch(store, address->name, address->addr, count, date, NULL, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
contact_harvest(struct store *store, const struct envelope *envelope, gint64 date, gboolean from_me,
                GError **error)
{
    if (!from_me) {
        const struct address *from = address_list_get(envelope->from, 0);
        if (from && from->addr && !touch(store, from->name, from->addr, COUNT_RECEIVED, date, NULL, error))
            return FALSE;
    }
    if (address_list_length(envelope->to) + address_list_length(envelope->cc) > CROWD)
        return TRUE;
    enum count count = from_me ? COUNT_SENT : COUNT_SEEN;
    return touch_list(store, envelope->to, count, date, error) &&
           touch_list(store, envelope->cc, count, date, error) &&
           (!from_me || touch_list(store, envelope->bcc, count, date, error));
}

gboolean
contact_written(struct store *store, gint64 account, const GPtrArray *recipients, gint64 date, GError **error)
{
    if (address_list_length(recipients) > CROWD)
        return TRUE;
    gboolean has_folders = sql_int(store, 0, "SELECT 1 FROM folder WHERE account = ?", "l", account) != 0;
    return touch_list(store, recipients, has_folders ? COUNT_NONE : COUNT_SENT, date, error);
}

#define COLUMNS                                                                                              \
    "c.id, c.name, c.addr, c.first, c.last, c.sent, c.received, c.seen, c.replied, c.junk, c.good, "         \
    "c.bounced, c.bounce,"                                                                                   \
    " c.blocked"

static struct contact *
read_row(sqlite3_stmt *q)
{
    struct contact *contact = g_new0(struct contact, 1);
    contact->id = sqlite3_column_int64(q, 0);
    contact->name = sql_dup(q, 1);
    contact->addr = sql_dup(q, 2);
    contact->first = sqlite3_column_int64(q, 3);
    contact->last = sqlite3_column_int64(q, 4);
    contact->sent = (guint)sqlite3_column_int(q, 5);
    contact->received = (guint)sqlite3_column_int(q, 6);
    contact->seen = (guint)sqlite3_column_int(q, 7);
    contact->replied = (guint)sqlite3_column_int(q, 8);
    contact->junk = (guint)sqlite3_column_int(q, 9);
    contact->good = (guint)sqlite3_column_int(q, 10);
    contact->bounced = sqlite3_column_int64(q, 11);
    contact->bounce = sql_dup(q, 12);
    contact->blocked = sqlite3_column_int(q, 13) != 0;
    return contact;
}

/* Written to before heard from before seen; each counts less with every half year. */
#define RANK                                                                                                 \
    " ORDER BY (c.by_hand * 50 + min(c.sent, 100) * 10 + min(c.received, 100) * 2 + min(c.seen, 20)) * "     \
    "15768000.0"                                                                                             \
    " / (15768000 + max(0, ?2 - c.last)) DESC, c.last DESC, c.id LIMIT ?3"

GPtrArray *
contact_complete(struct store *store, const char *text, guint limit, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)contact_free);
    g_autofree char *folded = text_fold(text);
    g_auto(GStrv) words = g_strsplit_set(folded, " ,\"<>\t", -1);
    const char *first = NULL;
    gint64 now = clock_now();

    /* The first word finds candidates by the index; the others are looked for in each. */
    for (char **word = words; *word; word++)
        if (**word && (!first || strlen(*word) > strlen(first)))
            first = *word;
    g_autofree char *end = first ? g_strconcat(first, "\xf4\x8f\xbf\xbf", NULL) : NULL;
    sqlite3_stmt *q =
        first ? sql_query(store, error,
                          "SELECT " COLUMNS
                          " FROM contact c WHERE c.junk <= c.good + c.sent + c.replied AND NOT c.blocked AND c.id IN"
                          " (SELECT contact FROM contact_word WHERE word >= ?1 AND word < ?4)" RANK,
                          "slls", first, now, (gint64)(words[1] ? 2000 : limit), end)
              : sql_query(store, error,
                          "SELECT " COLUMNS
                          " FROM contact c WHERE c.junk <= c.good + c.sent + c.replied AND NOT c.blocked AND ?1 IS NULL" RANK,
                          "sll", NULL, now, (gint64)limit);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct contact *contact = read_row(q);
        g_auto(GStrv) own = words_of(contact->name, contact->addr);
        gboolean all = TRUE;
        for (char **word = words; *word && all; word++) {
            gboolean has = !**word || *word == first;
            for (char **w = own; *w && !has; w++)
                has = g_str_has_prefix(*w, *word);
            all = has;
        }
        if (all && found->len < limit)
            g_ptr_array_add(found, contact);
        else
            contact_free(contact);
    }
    return rc < 0 ? NULL : g_steal_pointer(&found);
}

struct contact *
contact_find(struct store *store, const char *addr, GError **error)
{
    g_autofree char *key = key_of(addr);
    struct contact *contact = NULL;
    if (!key)
        return NULL;
    sqlite3_stmt *q =
        sql_query(store, error, "SELECT " COLUMNS " FROM contact c WHERE c.addr_key = ?", "s", key);
    if (q && sql_row(store, q, error) > 0) {
        contact = read_row(q);
        sql_end(q);
    }
    return contact;
}

/* Makes sure of the row and runs one statement on it: two parameters, then the row's id. */
static gboolean
change(struct store *store, const char *name, const char *addr, const char *text, gint64 number,
       const char *string, GError **error)
{
    gboolean own;
    gint64 id = 0;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = touch(store, name, addr, COUNT_NONE, clock_now(), &id, error);
    if (ok && !id) {
        g_set_error(error, STORE_ERROR, ERROR_INPUT, "\"%s\" is no mail address", addr ? addr : "");
        ok = FALSE;
    }
    ok = ok && sql_run(store, error, text, "lsl", number, string, id);
    return txn_leave(store, own, ok, error);
}

gboolean
contact_add(struct store *store, const char *name, const char *addr, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok =
        change(store, name, addr, "UPDATE contact SET by_hand = ?1, name = coalesce(?2, name), looks = looks_of(coalesce(?2, name)) WHERE id = ?3", 1,
               name, error);
    gint64 id = 0;
    ok = ok && touch(store, NULL, addr, COUNT_NONE, clock_now(), &id, error) &&
         put_words(store, id, name, addr, error);
    return txn_leave(store, own, ok, error);
}

gboolean
contact_forget(struct store *store, const char *addr, GError **error)
{
    g_autofree char *key = key_of(addr);
    gboolean own;
    if (!key)
        return TRUE;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok =
        sql_run(store, error,
                "DELETE FROM contact_word WHERE contact IN (SELECT id FROM contact WHERE addr_key = ?)", "s",
                key) &&
        sql_run(store, error, "DELETE FROM contact WHERE addr_key = ?", "s", key);
    return txn_leave(store, own, ok, error);
}

gboolean
contact_set_blocked(struct store *store, const char *addr, gboolean blocked, GError **error)
{
    return change(store, NULL, addr, "UPDATE contact SET blocked = ?, name = coalesce(?, name) WHERE id = ?",
                  blocked, NULL, error);
}

gboolean
contact_set_bounced(struct store *store, const char *addr, const char *reason, GError **error)
{
    return change(store, NULL, addr, "UPDATE contact SET bounced = ?, bounce = ? WHERE id = ?",
                  reason ? clock_now() : 0, reason, error);
}

gboolean
contact_count_junk(struct store *store, const char *addr, gboolean junk, GError **error)
{
    return change(store, NULL, addr,
                  "UPDATE contact SET junk = junk + ?1, good = good + (1 - ?1), name = coalesce(?2, name) "
                  "WHERE id = ?3",
                  junk, NULL, error);
}

gboolean
contact_count_reply(struct store *store, const char *addr, GError **error)
{
    return change(store, NULL, addr,
                  "UPDATE contact SET replied = replied + ?, name = coalesce(?, name) WHERE id = ?", 1, NULL,
                  error);
}
