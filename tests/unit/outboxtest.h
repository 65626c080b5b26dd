/* What the tests of the outbox in the store share. */
#ifndef OUTBOXTEST_H
#define OUTBOXTEST_H

#include "storetest.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/internal.h"
#include "store/outbox.h"

#include <stdlib.h>

#define TEXT "Subject: plans\r\nMessage-ID: <plan1@example.org>\r\n\r\nHello,\r\nshall we?\r\n"
#define NOW 1790000000

/* The clock stands where a test puts it. */
static inline void
set_now(gint64 seconds)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, seconds);
    g_setenv("POSTRIDER_NOW", text, TRUE);
}

static inline gint64
queue_with(struct world *world, struct outbox_new item, const char *to, GError **error)
{
    g_autoptr(GPtrArray) recipients = address_list_parse(to, NULL);
    g_autoptr(GBytes) message = g_bytes_new_static(TEXT, strlen(TEXT));
    item.account = world->account;
    item.from = "ana@example.org";
    item.recipients = recipients;
    item.message = message;
    item.subject = "plans";
    if (!item.message_id)
        item.message_id = "plan1@example.org";
    return outbox_queue(world->store, &item, error);
}

static inline gint64
queue(struct world *world, const char *to)
{
    g_autoptr(GError) error = NULL;
    gint64 id = queue_with(world, (struct outbox_new){.copy = TRUE}, to, &error);
    g_assert_no_error(error);
    g_assert_cmpint(id, >, 0);
    return id;
}

static inline struct outbox_item *
get(struct world *world, gint64 id)
{
    g_autoptr(GError) error = NULL;
    struct outbox_item *item = outbox_get(world->store, id, &error);
    g_assert_no_error(error);
    return item;
}

static inline enum outbox_state
state_of(struct world *world, gint64 id)
{
    g_autoptr(struct_outbox_item) item = get(world, id);
    return item->state;
}

static inline struct outbox_item *
claim(struct world *world)
{
    g_autoptr(GError) error = NULL;
    struct outbox_item *item = outbox_claim(world->store, world->account, &error);
    g_assert_no_error(error);
    return item;
}

static inline guint
files_in(const struct world *world, const char *part)
{
    g_autofree char *path = g_build_filename(store_mail_dir(world->store), part, NULL);
    GDir *dir = g_dir_open(path, 0, NULL);
    guint n = 0;
    while (dir && g_dir_read_name(dir))
        n++;
    if (dir)
        g_dir_close(dir);
    return n;
}

static inline struct outbox_recipient *
recipient(struct outbox_item *item, guint n)
{
    g_assert_cmpuint(n, <, item->recipients->len);
    return item->recipients->pdata[n];
}

static inline void
finish_as(struct world *world, struct outbox_item *item, enum outbox_state state, int code, const char *text)
{
    g_autoptr(GError) error = NULL;
    struct outbox_attempt attempt = {.item = item->id,
                                     .time = clock_now_us(),
                                     .server = (char *)"mail.example.org:465",
                                     .tls = (char *)"TLS 1.3",
                                     .reply = (char *)text,
                                     .ok = state == OUTBOX_SENT,
                                     .dialogue = (char *)"> EHLO a\n< 250 b\n"};
    struct outbox_result result = {
        .state = state, .code = code, .text = text, .next_attempt = clock_now() + 600, .attempt = &attempt};
    for (guint i = 0; i < item->recipients->len; i++)
        if (recipient(item, i)->state == OUTBOX_WAITING || recipient(item, i)->state == OUTBOX_DEFERRED)
            recipient(item, i)->state = state;
    outbox_finish(world->store, item, &result, &error);
    g_assert_no_error(error);
}

static inline void
deliver_as(struct world *world, gint64 id, enum outbox_state state)
{
    g_autoptr(struct_outbox_item) item = claim(world);
    g_assert_nonnull(item);
    g_assert_cmpint(item->id, ==, id);
    finish_as(world, item, state, state == OUTBOX_SENT ? 250 : 451,
              state == OUTBOX_SENT ? NULL : "the server's words");
}

/* A copy as the sender makes it. */
static inline gboolean
copy_to_sent(struct world *world, gint64 id, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(struct_outbox_item) item = get(world, id);
    g_autoptr(GBytes) bytes = outbox_bytes(world->store, item, &failure);
    g_assert_no_error(failure);
    g_autofree char *dir = folder_path(world->store, world->sent, TRUE, error);
    struct maildir_entry entry = {0};
    if (!dir || !maildir_deliver(dir, FLAG_SEEN, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                 &entry, error))
        return FALSE;
    g_autoptr(struct_message_index) index = message_index_new();
    envelope_free(index->envelope);
    index->envelope = make_envelope(item->message_id, NULL, "Ana <ana@example.org>", "ben@example.net",
                                    item->subject, clock_now());
    gboolean ok = outbox_copied(world->store, id, world->sent, &entry, index, error);
    maildir_entry_clear(&entry);
    return ok;
}

static inline guint
shown_in(struct world *world, gint64 folder)
{
    return (guint)sql_int(world->store, -1, "SELECT count(*) FROM placement WHERE folder = ? AND " SHOWN, "l",
                          folder);
}

#endif
