#include "config.h"

#include "store/taglog.h"
#include "store/internal.h"
#include "store/maildir_write.h"
#include "store/rows.h"
#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAKEN "tags-taken-in" /* a setting: not there in a database that is new */
#define LOG_MAX (256 * 1024 * 1024) /* more is not read: nobody tagged that much */

static char *
log_path(const struct store *store)
{
    return g_build_filename(store->dir, "tags.log", NULL);
}

static gboolean
failed(struct store *store, GError **error)
{
    error_set_errno(error, STORE_ERROR, errno, "cannot write %s/tags.log", store->dir);
    return FALSE;
}

/* --- what is to be written */

static void
add_hex(GString *out, const guint8 *bytes, gsize length)
{
    if (!bytes || !length)
        g_string_append_c(out, '-');
    for (gsize i = 0; bytes && i < length; i++)
        g_string_append_printf(out, "%02x", bytes[i]);
}

static char *
join(const char *a, const char *b)
{
    g_autofree char *both = g_strjoin(" ", a, b, NULL);
    g_auto(GStrv) words = g_strsplit(both, " ", -1);
    return tags_from_list((const char *const *) words, -1);
}

static void
add_words(GString *out, char sign, const char *tags)
{
    g_auto(GStrv) words = tags_split(tags);
    for (char **word = words; *word; word++)
        g_string_append_printf(out, " %c%s", sign, *word);
}

/* What the message has beyond its servers, in every folder where it lies. */
static gboolean
difference(struct store *store, gint64 message, char **added, char **removed, GError **error)
{
    *added = g_strdup("");
    *removed = g_strdup("");
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT p.tags, CASE WHEN a.local = 1 THEN '' ELSE p.base_tags END FROM placement p"
                                " INDEXED BY placement_message JOIN folder f ON f.id = p.folder JOIN account a ON"
                                " a.id = f.account WHERE p.message = ? AND p." SHOWN,
                                "l", message);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        g_autofree char *more = tags_minus(sql_str(q, 0), sql_str(q, 1)), *less = tags_minus(sql_str(q, 1), sql_str(q, 0));
        char *all = join(*added, more), *none = join(*removed, less);
        g_free(*added);
        g_free(*removed);
        *added = all;
        *removed = none;
    }
    return rc == 0;
}

/* One line of a message that is still there. */
static gboolean
add_message(struct store *store, gint64 message, gboolean also_empty, GString *out, gboolean *matters, GError **error)
{
    g_autofree char *added = NULL, *removed = NULL;
    if (!difference(store, message, &added, &removed, error))
        return FALSE;
    if (!*added && !*removed && !also_empty)
        return TRUE;
    sqlite3_stmt *q = sql_query(store, error, "SELECT mid, hash FROM message WHERE id = ?", "l", message);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc <= 0)
        return rc == 0;
    if (sqlite3_column_bytes(q, 0) || sqlite3_column_bytes(q, 1)) {
        add_hex(out, sqlite3_column_blob(q, 0), (gsize) sqlite3_column_bytes(q, 0));
        g_string_append_c(out, ' ');
        add_hex(out, sqlite3_column_blob(q, 1), (gsize) sqlite3_column_bytes(q, 1));
        add_words(out, '+', added);
        add_words(out, '-', removed);
        g_string_append_c(out, '\n');
        *matters = *matters || *added || *removed;
    }
    sql_end(q);
    return TRUE;
}

/* --- what came back */

static gboolean
give_tags(struct store *store, gint64 message, const char *added, const char *removed, GError **error)
{
    g_autoptr(GArray) ids = placement_ids_of(store, message, TRUE, error);
    if (!ids)
        return FALSE;
    for (guint i = 0; i < ids->len; i++) {
        g_auto(struct_placement_row) row = {0};
        if (!placement_row_read(store, g_array_index(ids, gint64, i), &row, error))
            return FALSE;
        g_autofree char *less = tags_minus(row.tags, removed), *tags = join(less, added);
        if (strcmp(tags, row.tags) &&
            !placement_row_set_flags(store, &row, row.base_flags, row.base_tags, row.flags, tags, row.modseq, error))
            return FALSE;
    }
    return message_refresh(store, message, error);
}

/* A message whose bytes are not here is known by its Message-ID, if that was one message's alone. */
static gboolean
recall(struct store *store, gint64 message, GError **error)
{
    sqlite3_stmt *q =
        sql_query(store, error,
                  "SELECT t.id, t.added, t.removed FROM message m JOIN tag_memory t ON t.hash = m.hash OR (t.mid = m.mid"
                  " AND (t.hash IS NULL OR (m.hash IS NULL AND NOT EXISTS (SELECT 1 FROM tag_memory o WHERE o.mid = t.mid"
                  " AND o.id <> t.id)))) WHERE m.id = ? ORDER BY t.hash = m.hash DESC LIMIT 1",
                  "l", message);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc <= 0)
        return rc == 0;
    gint64 id = sqlite3_column_int64(q, 0);
    g_autofree char *added = sql_dup(q, 1), *removed = sql_dup(q, 2);
    sql_end(q);
    return give_tags(store, message, added, removed, error) &&
           sql_run(store, error, "DELETE FROM tag_memory WHERE id = ?", "l", id);
}

/* --- the file */

static gboolean
write_all(int fd, const char *bytes, gsize length)
{
    while (length) {
        gssize n = STEP_FAILS("taglog.write") ? -1 : write(fd, bytes, length);
        if (n < 0 && errno != EINTR)
            return FALSE;
        if (n > 0) {
            bytes += n;
            length -= (gsize) n;
        }
    }
    return TRUE;
}

/* A line that a crash cut off ends there. */
static gboolean
end_line(int fd, gint64 size)
{
    char last = '\n';
    return !size || pread(fd, &last, 1, size - 1) != 1 || last == '\n' || write_all(fd, "\n", 1);
}

static gboolean
append(struct store *store, const GString *lines, gboolean matters, GError **error)
{
    g_autofree char *path = log_path(store);
    struct stat st;
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return failed(store, error);
    gboolean ok = fstat(fd, &st) == 0 && end_line(fd, st.st_size);
    /* Another process cannot have written since: the writer's lock is ours. */
    store->tag_log_size = ok ? st.st_size : -1;
    ok = ok && write_all(fd, lines->str, lines->len) &&
         (!matters || (!STEP_FAILS("taglog.flush") && fdatasync(fd) == 0));
    if (!ok)
        failed(store, error);
    close(fd);
    return ok;
}

void
taglog_take_back(struct store *store)
{
    if (store->tag_log_size < 0)
        return;
    g_autofree char *path = log_path(store);
    if (truncate(path, store->tag_log_size) < 0)
        log_warn("store.taglog", "%s: %s", path, g_strerror(errno));
    store->tag_log_size = -1;
}

void
taglog_touch(struct store *store, gint64 message)
{
    if (!store->tagged)
        store->tagged = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    gint64 *key = g_new(gint64, 1);
    *key = message;
    g_hash_table_add(store->tagged, key);
}

void
taglog_line(struct store *store, const char *line)
{
    if (!store->tag_lines)
        store->tag_lines = g_string_new(NULL);
    g_string_append(store->tag_lines, line);
}

/* Lines of the messages whose tags were changed. */
static gboolean
add_touched(struct store *store, GString *lines, gboolean *matters, GError **error)
{
    g_autoptr(GHashTable) touched = g_steal_pointer(&store->tagged);
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, touched);
    while (store->remembers && g_hash_table_iter_next(&iter, &key, NULL))
        if (!recall(store, *(gint64 *) key, error))
            return FALSE;
    g_clear_pointer(&store->tagged, g_hash_table_unref); /* who was given tags has been in it */
    g_hash_table_iter_init(&iter, touched);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (!add_message(store, *(gint64 *) key, !store->remembers, lines, matters, error))
            return FALSE;
    return TRUE;
}

gboolean
taglog_before_commit(struct store *store, GError **error)
{
    gboolean matters = store->tag_lines != NULL;
    store->tag_log_size = -1;
    if (!matters && (!store->tagged || !g_hash_table_size(store->tagged)))
        return TRUE;
    g_autoptr(GString) lines = store->tag_lines ? g_steal_pointer(&store->tag_lines) : g_string_new(NULL);
    if (store->tagged && !add_touched(store, lines, &matters, error))
        return FALSE;
    return !lines->len || append(store, lines, matters, error);
}

/* --- the file anew */

static gboolean
add_all(struct store *store, GString *out, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    gboolean matters = FALSE;
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT DISTINCT p.message FROM placement p JOIN folder f ON f.id = p.folder JOIN account a"
                                " ON a.id = f.account WHERE p.tags <> p.base_tags OR (a.local = 1 AND p.tags <> '')",
                                "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        gint64 id = sqlite3_column_int64(q, 0);
        g_array_append_val(ids, id);
    }
    for (guint i = 0; rc == 0 && i < ids->len; i++)
        if (!add_message(store, g_array_index(ids, gint64, i), FALSE, out, &matters, error))
            return FALSE;
    q = rc == 0 ? sql_query(store, error, "SELECT mid, hash, added, removed FROM tag_memory", "") : NULL;
    rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        add_hex(out, sqlite3_column_blob(q, 0), (gsize) sqlite3_column_bytes(q, 0));
        g_string_append_c(out, ' ');
        add_hex(out, sqlite3_column_blob(q, 1), (gsize) sqlite3_column_bytes(q, 1));
        add_words(out, '+', sql_str(q, 2));
        add_words(out, '-', sql_str(q, 3));
        g_string_append_c(out, '\n');
    }
    return rc == 0 && thread_hand_write(store, out, error);
}

static gboolean
write_anew(struct store *store, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *path = log_path(store), *tmp = g_strconcat(path, ".new", NULL);
    if (!add_all(store, out, error))
        return FALSE;
    unlink(tmp);
    int fd = STEP_FAILS("taglog.create") ? -1 : open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    gboolean ok = fd >= 0 && write_all(fd, out->str, out->len) && fsync(fd) == 0;
    int err = errno;
    if (fd >= 0)
        close(fd);
    errno = err;
    ok = ok && !STEP_FAILS("taglog.rename") && rename(tmp, path) == 0 &&
         maildir_sync_path(store->dir, O_DIRECTORY, fsync, "taglog.fsync-dir");
    return ok || failed(store, error);
}

gboolean
taglog_compact(struct store *store, gint64 limit, GError **error)
{
    g_autofree char *path = log_path(store);
    struct stat st;
    gboolean own;
    if (stat(path, &st) == 0 && st.st_size <= limit)
        return TRUE;
    return txn_enter(store, &own, error) && txn_leave(store, own, write_anew(store, error), error);
}

/* --- taking it in */

static gsize
read_hex(const char *text, guint8 *bytes, gsize length)
{
    if (strlen(text) != 2 * length)
        return 0;
    for (gsize i = 0; i < length; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]), low = g_ascii_xdigit_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return 0;
        bytes[i] = (guint8) (high << 4 | low);
    }
    return length;
}

static gboolean
take_line(struct store *store, const char *line, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    guint8 mid[MID_SIZE], hash[32];
    if (!words[0] || !words[1])
        return TRUE;
    if (!strcmp(words[0], "thread"))
        return thread_hand_take(store, words, error);
    gsize has_mid = read_hex(words[0], mid, sizeof mid), has_hash = read_hex(words[1], hash, sizeof hash);
    if (!has_mid && !has_hash)
        return TRUE;
    g_autofree char *added = g_strdup(""), *removed = g_strdup("");
    for (char **word = words + 2; *word; word++) {
        char **set = **word == '+' ? &added : &removed;
        if ((**word != '+' && **word != '-') || !g_utf8_validate(*word, -1, NULL) || !tag_is_valid(*word + 1))
            continue;
        char *more = tags_add(*set, *word + 1);
        g_free(*set);
        *set = more;
    }
    /* The bytes may have come since the last line about it. */
    return sql_run(store, error, "DELETE FROM tag_memory WHERE mid IS ? AND (hash IS NULL OR hash IS ?)", "bb",
                   has_mid ? mid : NULL, has_mid, has_hash ? hash : NULL, has_hash) &&
           ((!*added && !*removed) ||
            sql_run(store, error, "INSERT INTO tag_memory (mid, hash, added, removed) VALUES (?, ?, ?, ?)", "bbss",
                    has_mid ? mid : NULL, has_mid, has_hash ? hash : NULL, has_hash, added, removed));
}

static gboolean
take_in(struct store *store, const char *path, GError **error)
{
    struct stat st;
    g_autofree char *text = g_strdup("");
    gsize length = 0;
    if (stat(path, &st) == 0 && st.st_size <= LOG_MAX) {
        g_clear_pointer(&text, g_free);
        if (!g_file_get_contents(path, &text, &length, error))
            return FALSE;
    }
    gboolean own, ok = txn_enter(store, &own, error);
    if (!ok)
        return FALSE;
    for (char *line = text, *end; ok && (end = memchr(line, '\n', length - (gsize) (line - text))); line = end + 1) {
        *end = '\0';
        ok = take_line(store, line, error);
    }
    ok = txn_leave(store, own, ok && store_set(store, TAKEN, "1", error), error);
    log_info("store.taglog", "tags of %d messages are known from before",
             (int) sql_int(store, 0, "SELECT count(*) FROM tag_memory", ""));
    return ok;
}

gboolean
taglog_open(struct store *store, GError **error)
{
    g_autofree char *path = log_path(store), *taken = store_get(store, TAKEN);
    if (!taken && !take_in(store, path, error))
        return FALSE;
    store->remembers = sql_int(store, 0, "SELECT 1 FROM tag_memory LIMIT 1", "") != 0;
    return access(path, F_OK) == 0 || taglog_compact(store, -1, error);
}
