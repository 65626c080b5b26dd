/* The full text: one row a message, under the message's key so that the newest come first by themselves. */
#include "config.h"

#include "store/internal.h"
#include "store/rows.h"

#include <string.h>

#define BODY_MAX (256 * 1024) /* bytes of text that are searched */

static void
add_people(GString *out, const GPtrArray *list)
{
    for (guint i = 0; i < address_list_length(list) && out->len < 32768; i++) {
        const struct address *address = address_list_get(list, i);
        g_string_append_printf(out, "%s %s\n", address->name ? address->name : "",
                               address->addr ? address->addr : "");
    }
}

gboolean
fulltext_put(struct store *store, gint64 key, const struct envelope *envelope,
             const struct message_index *index, GError **error)
{
    g_autoptr(GString) sender = g_string_new(NULL), recipients = g_string_new(NULL);
    const char *body = index && index->body ? index->body : "", *end;
    gsize length = MIN(strlen(body), BODY_MAX);

    add_people(sender, envelope->from);
    add_people(sender, envelope->sender);
    add_people(sender, envelope->reply_to);
    add_people(recipients, envelope->to);
    add_people(recipients, envelope->cc);
    add_people(recipients, envelope->bcc);
    g_utf8_validate(body, (gssize)length, &end);
    g_autofree char *text = g_strndup(body, (gsize)(end - body));
    return sql_run(store, error,
                   "INSERT INTO fulltext (rowid, subject, sender, recipients, body, attachments, types) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?)",
                   "lssssss", key, envelope->subject ? envelope->subject : "", sender->str, recipients->str,
                   text, index ? index->attachments : "", index ? index->types : "");
}

gboolean
fulltext_drop(struct store *store, gint64 key, GError **error)
{
    return sql_run(store, error, "DELETE FROM fulltext WHERE rowid = ?", "l", key);
}
