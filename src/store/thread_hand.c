/* Which ids a message joins, once hands have been at it; and splitting a thread that they joined no longer.
 *
 * A message with a word of its own (thread_hand.h) joins itself and that parent alone. In the references of any other
 * message, what stands before the last one with a word counts no more: it is named by way of the cut. So the threads are
 * still components over ids, whatever the order in which messages and words came. */
#include "config.h"

#include "store/thread_hand.h"
#include "store/internal.h"
#include "store/taglog.h"

#include <string.h>

char *
mid_to_hex(const guint8 mid[MID_SIZE])
{
    GString *hex = g_string_new(NULL);
    for (guint i = 0; i < MID_SIZE; i++)
        g_string_append_printf(hex, "%02x", mid[i]);
    return g_string_free(hex, FALSE);
}

gboolean
mid_from_hex(const char *hex, guint8 mid[MID_SIZE])
{
    if (strlen(hex) != 2 * MID_SIZE)
        return FALSE;
    for (guint i = 0; i < MID_SIZE; i++) {
        int high = g_ascii_xdigit_value(hex[2 * i]), low = g_ascii_xdigit_value(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return FALSE;
        mid[i] = (guint8)(high << 4 | low);
    }
    return TRUE;
}

/* ---- the rule ---- */

static guint
mid_key(gconstpointer mid)
{
    guint key;
    memcpy(&key, mid, sizeof key); /* of a digest: any part of it will do */
    return key;
}

static gboolean
mid_equal(gconstpointer a, gconstpointer b)
{
    return !memcmp(a, b, MID_SIZE);
}

static const guint8 *
mid_at(const GArray *mids, guint i)
{
    return (const guint8 *)mids->data + (gsize)i * MID_SIZE;
}

static void
add_text(GArray *mids, const char *id)
{
    guint8 mid[MID_SIZE];
    if (mid_hash(id, mid))
        g_array_append_vals(mids, mid, 1);
}

static gboolean
has_word(struct store *store, const guint8 *mid)
{
    return sql_int(store, 0, "SELECT 1 FROM thread_hand WHERE child = ?", "b", mid, (gsize)MID_SIZE) != 0;
}

static gboolean
any_words(struct store *store)
{
    return sql_int(store, 0, "SELECT EXISTS (SELECT 1 FROM thread_hand)", "") != 0;
}

/* own: NULL for none; refs: oldest first, the parent last. Each id once. */
static GArray *
joined_ids(struct store *store, const guint8 *own, const GArray *refs, gboolean words)
{
    GArray *ids = g_array_new(FALSE, FALSE, MID_SIZE);
    g_autoptr(GHashTable) seen = g_hash_table_new(mid_key, mid_equal);
    guint from = 0;
    if (own) {
        g_array_append_vals(ids, own, 1);
        g_hash_table_add(seen, (gpointer)own);
    }
    if (words && own && has_word(store, own)) {
        g_autofree char *parent = thread_hand_get(store, own);
        guint8 mid[MID_SIZE];
        if (mid_from_hex(parent, mid))
            g_array_append_vals(ids, mid, 1);
        return ids;
    }
    for (guint i = refs->len; words && i-- > 0 && !from;)
        if (has_word(store, mid_at(refs, i)))
            from = i;
    for (guint i = from; i < refs->len; i++)
        if (g_hash_table_add(seen, (gpointer)mid_at(refs, i)))
            g_array_append_vals(ids, mid_at(refs, i), 1);
    return ids;
}

GArray *
thread_hand_ids(struct store *store, const struct envelope *envelope)
{
    g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, MID_SIZE);
    guint8 own[MID_SIZE];
    for (char **id = envelope->references; id && *id; id++)
        add_text(refs, *id);
    add_text(refs, envelope->in_reply_to);
    return joined_ids(store, mid_hash(envelope->message_id, own) ? own : NULL, refs, any_words(store));
}

/* ---- the words ---- */

char *
thread_hand_get(struct store *store, const guint8 mid[MID_SIZE])
{
    char *word = g_strdup("");
    sqlite3_stmt *q =
        sql_query(store, NULL, "SELECT parent FROM thread_hand WHERE child = ?", "b", mid, (gsize)MID_SIZE);
    if (q && sql_row(store, q, NULL) > 0) {
        g_free(word);
        word = sqlite3_column_bytes(q, 0) == MID_SIZE ? mid_to_hex(sqlite3_column_blob(q, 0))
                                                      : g_strdup(THREAD_HAND_BROKEN);
        sql_end(q);
    }
    return word;
}

static gboolean
write_word(struct store *store, const guint8 *mid, const char *word, GError **error)
{
    guint8 parent[MID_SIZE];
    if (!*word)
        return sql_run(store, error, "DELETE FROM thread_hand WHERE child = ?", "b", mid, (gsize)MID_SIZE);
    return sql_run(store, error, "INSERT OR REPLACE INTO thread_hand (child, parent) VALUES (?, ?)", "bb", mid,
                   (gsize)MID_SIZE, mid_from_hex(word, parent) ? parent : NULL, (gsize)MID_SIZE);
}

/* "thread MID WORD", "=" for "". */
gboolean
thread_hand_take(struct store *store, char **words, GError **error)
{
    guint8 mid[MID_SIZE], parent[MID_SIZE];
    if (!words[1] || !words[2] || !mid_from_hex(words[1], mid))
        return TRUE;
    gboolean back = !strcmp(words[2], "="), good = back || !strcmp(words[2], THREAD_HAND_BROKEN) || mid_from_hex(words[2], parent);
    return !good || write_word(store, mid, back ? "" : words[2], error);
}

gboolean
thread_hand_write(struct store *store, GString *out, GError **error)
{
    sqlite3_stmt *q = sql_query(store, error, "SELECT child, parent FROM thread_hand", "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        if (sqlite3_column_bytes(q, 0) != MID_SIZE)
            continue;
        g_autofree char *child = mid_to_hex(sqlite3_column_blob(q, 0));
        g_autofree char *parent = sqlite3_column_bytes(q, 1) == MID_SIZE ? mid_to_hex(sqlite3_column_blob(q, 1))
                                                                         : g_strdup(THREAD_HAND_BROKEN);
        g_string_append_printf(out, "thread %s %s\n", child, parent);
    }
    return rc == 0;
}

gboolean
thread_hand_parent(struct store *store, gint64 message, char **parent)
{
    *parent = NULL;
    sqlite3_stmt *q = sql_query(store, NULL,
                                "SELECT p.message_id FROM message m JOIN thread_hand h ON h.child = m.mid"
                                " LEFT JOIN message p ON p.mid = h.parent AND p.message_id IS NOT NULL WHERE m.id = ? LIMIT 1",
                                "l", message);
    if (!q || sql_row(store, q, NULL) <= 0)
        return FALSE;
    *parent = sql_dup(q, 0);
    sql_end(q);
    return TRUE;
}

/* ---- a thread anew ---- */

struct member {
    gint64 message;
    GArray *ids; /* as it joins them now; the first is its own when it has one */
    GArray *named; /* all that it names */
    guint node;
};

static void
member_clear(gpointer data)
{
    struct member *member = data;
    g_array_unref(member->ids);
    g_array_unref(member->named);
}

static GArray *
read_members(struct store *store, gint64 thread, GError **error)
{
    g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(struct member));
    g_array_set_clear_func(members, member_clear);
    gboolean words = any_words(store);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT m.id, m.mid, r.refs, r.in_reply_to FROM message m LEFT JOIN reference r ON"
                                " r.message = m.id WHERE m.thread = ?",
                                "l", thread);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct member member = {.message = sqlite3_column_int64(q, 0), .named = g_array_new(FALSE, FALSE, MID_SIZE)};
        g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, MID_SIZE);
        g_autofree guint8 *own =
            sqlite3_column_bytes(q, 1) == MID_SIZE ? g_memdup2(sqlite3_column_blob(q, 1), MID_SIZE) : NULL;
        g_auto(GStrv) texts = g_strsplit(sql_str(q, 2), " ", -1);
        for (char **text = texts; *text; text++)
            add_text(refs, *text);
        add_text(refs, (const char *)sqlite3_column_text(q, 3));
        if (own)
            g_array_append_vals(member.named, own, 1);
        g_array_append_vals(member.named, refs->data, refs->len);
        member.ids = joined_ids(store, own, refs, words);
        g_array_append_val(members, member);
    }
    return rc < 0 ? NULL : g_steal_pointer(&members);
}

static guint
root_of(GArray *up, guint i)
{
    while (g_array_index(up, guint, i) != i)
        i = g_array_index(up, guint, i) = g_array_index(up, guint, g_array_index(up, guint, i));
    return i;
}

static guint
new_node(GArray *up)
{
    guint node = up->len;
    g_array_append_val(up, node);
    return node;
}

/* Components over the ids that the members join. nodes: id -> node. */
static void
find_components(GArray *members, GHashTable *nodes, GArray *up)
{
    for (guint i = 0; i < members->len; i++) {
        struct member *member = &g_array_index(members, struct member, i);
        member->node = G_MAXUINT;
        for (guint k = 0; k < member->ids->len; k++) {
            gpointer known, mid = (gpointer)mid_at(member->ids, k);
            guint node = g_hash_table_lookup_extended(nodes, mid, NULL, &known) ? GPOINTER_TO_UINT(known) : new_node(up);
            g_hash_table_insert(nodes, mid, GUINT_TO_POINTER(node));
            if (member->node == G_MAXUINT)
                member->node = node;
            else
                g_array_index(up, guint, root_of(up, node)) = root_of(up, member->node);
        }
        if (member->node == G_MAXUINT)
            member->node = new_node(up);
    }
}

static gboolean
move_message(struct store *store, gint64 message, gint64 from, gint64 to, GError **error)
{
    g_autoptr(GArray) places = placement_ids_of(store, message, FALSE, error);
    gboolean ok = places && sql_run(store, error, "UPDATE message SET thread = ? WHERE id = ?", "ll", to, message) &&
                  message_touch(store, message, error) && thread_resize(store, from, -1, error) &&
                  thread_resize(store, to, 1, error);
    for (guint i = 0; ok && i < places->len; i++) {
        g_auto(struct_placement_row) row = {0};
        ok = placement_row_read(store, g_array_index(places, gint64, i), &row, error) &&
             placement_row_set_message(store, &row, message, error);
    }
    return ok;
}

/* The thread of each component: the largest keeps the number. */
static GHashTable *
number_components(struct store *store, GArray *members, GArray *up, gint64 thread, GError **error)
{
    g_autoptr(GHashTable) sizes = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) threads = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    guint largest = 0, most = 0;
    for (guint i = 0; i < members->len; i++) {
        guint root = root_of(up, g_array_index(members, struct member, i).node);
        guint size = GPOINTER_TO_UINT(g_hash_table_lookup(sizes, GUINT_TO_POINTER(root))) + 1;
        g_hash_table_insert(sizes, GUINT_TO_POINTER(root), GUINT_TO_POINTER(size));
        if (size > most) {
            most = size;
            largest = root;
        }
    }
    GHashTableIter iter;
    gpointer root;
    g_hash_table_iter_init(&iter, sizes);
    while (g_hash_table_iter_next(&iter, &root, NULL)) {
        gint64 number = thread;
        if (GPOINTER_TO_UINT(root) != largest) {
            if (!sql_run(store, error, "INSERT INTO thread (size) VALUES (0)", ""))
                return NULL;
            number = sqlite3_last_insert_rowid(store->db);
        }
        g_hash_table_insert(threads, root, g_memdup2(&number, sizeof number));
    }
    return g_steal_pointer(&threads);
}

/* Ids that nobody names any more, or that are elsewhere now. */
static gboolean
renumber_ids(struct store *store, gint64 thread, const GArray *members, GHashTable *nodes, GArray *up,
             GHashTable *threads, GError **error)
{
    for (guint i = 0; i < members->len; i++) {
        const struct member *member = &g_array_index(members, struct member, i);
        for (guint k = 0; k < member->named->len; k++)
            if (!g_hash_table_contains(nodes, mid_at(member->named, k)) &&
                thread_of_mid(store, mid_at(member->named, k)) == thread &&
                !sql_run(store, error, "DELETE FROM mention WHERE mid = ?", "b", mid_at(member->named, k), (gsize)MID_SIZE))
                return FALSE;
    }
    GHashTableIter iter;
    gpointer mid, node;
    g_hash_table_iter_init(&iter, nodes);
    while (g_hash_table_iter_next(&iter, &mid, &node)) {
        const gint64 *now = g_hash_table_lookup(threads, GUINT_TO_POINTER(root_of(up, GPOINTER_TO_UINT(node))));
        if (!sql_run(store, error, "UPDATE mention SET thread = ? WHERE mid = ? AND thread <> ?1", "lb", *now, mid,
                     (gsize)MID_SIZE))
            return FALSE;
    }
    return TRUE;
}

static gboolean
split(struct store *store, gint64 thread, GError **error)
{
    g_autoptr(GArray) members = read_members(store, thread, error), up = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GHashTable) nodes = g_hash_table_new(mid_key, mid_equal);
    if (!members)
        return FALSE;
    find_components(members, nodes, up);
    g_autoptr(GHashTable) threads = number_components(store, members, up, thread, error);
    gboolean muted = thread_is_muted(store, thread), ok = threads && renumber_ids(store, thread, members, nodes, up, threads, error);
    for (guint i = 0; ok && i < members->len; i++) {
        const struct member *member = &g_array_index(members, struct member, i);
        const gint64 *to = g_hash_table_lookup(threads, GUINT_TO_POINTER(root_of(up, member->node)));
        ok = *to == thread || move_message(store, member->message, thread, *to, error);
    }
    if (!ok || !muted)
        return ok;
    GHashTableIter iter;
    gpointer number;
    g_hash_table_iter_init(&iter, threads);
    while (ok && g_hash_table_iter_next(&iter, NULL, &number))
        ok = thread_set_muted(store, *(gint64 *)number, FALSE, error);
    return ok;
}

/* Those that name the message join what they are to join now. */
static gboolean
connect_again(struct store *store, gint64 thread, const guint8 *mid, GError **error)
{
    g_autoptr(GArray) members = read_members(store, thread, error);
    for (guint i = 0; members && i < members->len; i++) {
        const struct member *member = &g_array_index(members, struct member, i);
        gboolean names = FALSE;
        for (guint k = 0; k < member->named->len && !names; k++)
            names = mid_equal(mid_at(member->named, k), mid);
        if (names && !thread_connect(store, member->ids, error))
            return FALSE;
    }
    return members != NULL;
}

gboolean
thread_hand_set(struct store *store, const guint8 mid[MID_SIZE], const char *word, GError **error)
{
    gint64 thread = thread_of_mid(store, mid);
    g_autofree char *hex = mid_to_hex(mid), *line = g_strdup_printf("thread %s %s\n", hex, *word ? word : "=");
    if (!write_word(store, mid, word, error))
        return FALSE;
    taglog_line(store, line);
    return !thread || (connect_again(store, thread, mid, error) && split(store, thread_of_mid(store, mid), error));
}

gboolean
thread_hand_undo(struct store *store, const char *child, const char *before, GError **error)
{
    guint8 mid[MID_SIZE];
    return !mid_from_hex(child, mid) || thread_hand_set(store, mid, before, error);
}
