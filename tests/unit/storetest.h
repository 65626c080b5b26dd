/* What the store's tests share: a store in a fresh directory, envelopes, and short cuts that fail loudly. */
#ifndef STORETEST_H
#define STORETEST_H

#include "base/fail.h"
#include "base/flags.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/internal.h"
#include "store/intent.h"
#include "store/message.h"
#include "store/pack.h"
#include "store/placement.h"

#include <glib/gstdio.h>
#include <string.h>

struct world {
    char *dir;
    struct store *store;
    gint64 account, inbox, sent, trash, archive, junk;
};

static inline void
remove_tree(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        if (g_file_test(below, G_FILE_TEST_IS_DIR) && !g_file_test(below, G_FILE_TEST_IS_SYMLINK))
            remove_tree(below);
        else
            g_unlink(below);
    }
    if (dir)
        g_dir_close(dir);
    g_rmdir(path);
}

/* A full text of its own kind from before add_message_text (schema.c), with what is in the one of now. */
#define FULLTEXT_BEFORE                                                                                                \
    "DROP TABLE IF EXISTS fulltext_before;"                                                                            \
    "CREATE VIRTUAL TABLE fulltext_before USING fts5 (subject, sender, recipients, body, attachments, types,"          \
    " tokenize = 'postrider', columnsize = 0);"                                                                        \
    "INSERT INTO fulltext_before (rowid, body, subject, sender, recipients, attachments, types)"                       \
    " SELECT key, body, subject, sender, recipients, attachments, types FROM message_text_unpacked;"

/* SQL past the store, which is closed. */
static inline void
raw(const char *dir, const char *sql)
{
    g_autofree char *path = g_build_filename(dir, "postrider.db", NULL);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_true(tokenizer_register(db, NULL));
    g_assert_cmpint(pack_register(db), ==, SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        g_error("%s: %s", sql, message);
    sqlite3_close(db);
}

static inline struct store *
open_store(const char *dir, enum store_mode mode)
{
    g_autoptr(GError) error = NULL;
    struct store *store = store_open(dir, mode, &error);
    g_assert_no_error(error);
    g_assert_nonnull(store);
    return store;
}

static inline void
world_begin(struct world *world)
{
    g_autoptr(GError) error = NULL;
    const char *const me[] = {"ana@example.org", "ana.ruiz@example.org", NULL};
    world->dir = g_dir_make_tmp("postrider-store-XXXXXX", &error);
    g_assert_no_error(error);
    world->store = open_store(world->dir, STORE_WRITE);
    world->account = store_account_ensure(world->store, "work", me, &error);
    g_assert_no_error(error);
    const guint bits = FOLDER_SELECTABLE | FOLDER_SUBSCRIBED;
    world->inbox =
        folder_upsert(world->store, world->account, "INBOX", "INBOX", '/', FOLDER_INBOX, bits, &error);
    world->sent = folder_upsert(world->store, world->account, "Sent", "Sent", '/', FOLDER_SENT, bits, &error);
    world->trash =
        folder_upsert(world->store, world->account, "Trash", "Trash", '/', FOLDER_TRASH, bits, &error);
    world->archive =
        folder_upsert(world->store, world->account, "Archive", "Archive", '/', FOLDER_ARCHIVE, bits, &error);
    world->junk = folder_upsert(world->store, world->account, "Junk", "Junk", '/', FOLDER_JUNK, bits, &error);
    g_assert_no_error(error);
}

/* Every test ends by asking whether all agrees. */
static inline void
assert_sound(struct store *store)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) problems = store_check(store, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < problems->len; i++)
        g_test_message("%s", (char *)problems->pdata[i]);
    g_assert_cmpuint(problems->len, ==, 0);
}

static inline void
world_end(struct world *world)
{
    assert_sound(world->store);
    store_close(world->store);
    remove_tree(world->dir);
    g_free(world->dir);
}

/* from: "Name <addr>" or NULL; refs: ids with a space between, the last one the parent, or NULL. */
static inline struct envelope *
make_envelope(const char *id, const char *refs, const char *from, const char *to, const char *subject,
              gint64 date)
{
    struct envelope *envelope = envelope_new();
    g_free(envelope->message_id);
    envelope->message_id = g_strdup(id);
    if (refs && *refs) {
        g_strfreev(envelope->references);
        envelope->references = g_strsplit(refs, " ", -1);
        envelope->in_reply_to = g_strdup(envelope->references[g_strv_length(envelope->references) - 1]);
    }
    if (from) {
        g_autoptr(struct_address) address = address_parse(from, NULL);
        g_assert_nonnull(address);
        address_list_add(envelope->from, address->name, address->addr);
    }
    if (to) {
        g_autoptr(GPtrArray) list = address_list_parse(to, NULL);
        g_assert_nonnull(list);
        for (guint i = 0; i < list->len; i++) {
            const struct address *address = address_list_get(list, i);
            address_list_add(envelope->to, address->name, address->addr);
        }
    }
    g_free(envelope->subject);
    envelope->subject = g_strdup(subject ? subject : "");
    if (date) {
        envelope->date = date;
        envelope->flags |= ENVELOPE_DATE_VALID;
    }
    return envelope;
}

/* One message as a server lists it; returns the placement. */
static inline gint64
add_envelope(struct store *store, gint64 folder, guint32 uid, guint flags, const char *tags,
             const struct envelope *envelope)
{
    g_autoptr(GError) error = NULL;
    struct placement_new row = {.uid = uid,
                                .flags = flags,
                                .tags = tags,
                                .envelope = envelope,
                                .received = envelope->date,
                                .size = 1000};
    gint64 id = 0;
    placement_insert(store, folder, &row, 1, &id, &error);
    g_assert_no_error(error);
    g_assert_cmpint(id, >, 0);
    return id;
}

static inline gint64
add_mail(struct store *store, gint64 folder, guint32 uid, const char *id, const char *refs, const char *from,
         const char *subject, gint64 date)
{
    g_autoptr(struct_envelope) envelope = make_envelope(id, refs, from, "ana@example.org", subject, date);
    return add_envelope(store, folder, uid, 0, NULL, envelope);
}

static inline gint64
message_of(struct store *store, gint64 placement)
{
    struct placement row;
    g_autoptr(GError) error = NULL;
    placement_get(store, placement, &row, NULL, &error);
    g_assert_no_error(error);
    return row.message;
}

/* The body of a placement: a file in its folder and the rows. */
static inline void
add_body(struct store *store, gint64 placement, const char *text, const char *attachments)
{
    g_autoptr(GError) error = NULL;
    struct placement row;
    gint64 folder;
    placement_get(store, placement, &row, &folder, &error);
    g_assert_no_error(error);
    g_autofree char *dir = folder_path(store, folder, TRUE, &error);
    g_assert_no_error(error);
    g_autoptr(struct_message) message = message_load(store, row.message, &error);
    g_assert_no_error(error);
    g_autofree char *bytes =
        g_strdup_printf("Subject: %s\r\nMessage-ID: <%s>\r\n\r\n%s\r\n", message->subject,
                        message->message_id ? message->message_id : "", text);
    struct maildir_entry entry = {0};
    maildir_deliver(dir, row.flags, bytes, strlen(bytes), &entry, &error);
    g_assert_no_error(error);
    g_autoptr(struct_message_index) index = message_index_new();
    envelope_free(index->envelope);
    index->envelope =
        make_envelope(message->message_id, NULL, message->from_addr, NULL, message->subject, message->date);
    g_free(index->body);
    index->body = g_strdup(text);
    g_free(index->preview);
    index->preview = g_strndup(text, 50);
    g_free(index->attachments);
    index->attachments = g_strdup(attachments ? attachments : "");
    struct placement_body body = {placement, entry.file, entry.hash, entry.wire_size, index};
    placement_attach(store, &body, 1, &error);
    g_assert_no_error(error);
    maildir_entry_clear(&entry);
}

#endif
