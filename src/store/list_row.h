/* list_row.h - for src/store alone: rows of lists out of queries */
#ifndef STORE_LIST_ROW_H
#define STORE_LIST_ROW_H

#include "store/internal.h"
#include "store/list.h"

/* The columns that row_read() expects from `message m`, `placement p` and `folder f`, in front of a query's
 * own. */
#define ROW_COLUMNS                                                                                          \
    "m.key, m.id, m.thread, m.from_name, m.from_addr, m.to_list, m.message_id, m.subject, m.preview, "       \
    "m.bits, m.date,"                                                                                        \
    " m.received, m.zone, m.size, m.cached, m.junk, m.flags, m.tags, p.id, p.folder, f.role, p.flags, "      \
    "p.tags, p.uid, f.account"
#define ROW_OWN_COLUMN 25
/* The placement that stands for a message that lies in several folders, or several times in one. */
#define ROW_ANY_PLACE                                                                                        \
    "p.id = (SELECT q.id FROM placement q INDEXED BY placement_message WHERE q.message = m.id AND q." SHOWN  \
    " ORDER BY q.id LIMIT 1)"
#define ROW_FIRST_PLACE(folder)                                                                              \
    "p.id = (SELECT q.id FROM placement q INDEXED BY placement_message WHERE q.message = m.id AND q.folder " \
    "= " folder " AND q." SHOWN " ORDER BY q.id LIMIT 1)"

/* list.c: the row of that key is appended, however it is there now; none when it is not. */
gboolean list_read_key(struct store *store, const struct list_view *view, gint64 key, GPtrArray *rows, GError **error);

struct list_row *row_read(struct store *store, sqlite3_stmt *q);
/* Adds what is known of the whole conversation: people, count, attachments. here: messages in this folder. */
gboolean row_add_conversation(struct store *store, struct list_row *row, guint here, gboolean everything,
                              GError **error);
/* list_thread.c: roles whose messages are left out of a conversation, as bits; 0 when all of it lies there. */
guint list_thread_hidden(struct store *store, gint64 thread);
/* Puts messages in the order of a tree: sets depth and parent. */
gboolean rows_as_tree(struct store *store, GPtrArray *rows, GError **error);

#endif
