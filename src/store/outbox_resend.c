/* outbox_resend.c - once more to those that a message did not reach, at a better address if there is one */
#include "config.h"

#include "store/outbox.h"
#include "store/internal.h"
#include "store/outbox_row.h"
#include "mail/address.h"
#include "mail/rawmsg.h"

#include <string.h>

static const struct outbox_recipient *
find_failed(const struct outbox_item *item, const char *failed, GError **error)
{
    const struct outbox_recipient *found = NULL;
    guint count = 0;
    for (guint i = 0; i < item->recipients->len; i++) {
        const struct outbox_recipient *recipient = item->recipients->pdata[i];
        if (recipient->state != OUTBOX_FAILED || (failed && !address_same(recipient->addr, failed)))
            continue;
        found = recipient;
        count++;
    }
    if (count == 1)
        return found;
    g_set_error(error, STORE_ERROR, ERROR_INPUT,
                count    ? "message %" G_GINT64_FORMAT " did not reach several: say which as OLD=NEW"
                : failed ? "message %" G_GINT64_FORMAT " did not fail for that address"
                         : "message %" G_GINT64_FORMAT " did not fail for anybody",
                item->id);
    return NULL;
}

static gboolean
is_part_of_address(char c)
{
    return g_ascii_isalnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~.@", c)) || (guchar)c >= 0x80;
}

/* The address in the fields that name recipients; everything else stays byte for byte. */
static GBytes *
change_header(GBytes *message, const char *old, const char *new)
{
    static const char *const names[] = {"To", "Cc"};
    gsize length, len = strlen(old), done = 0;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GArray) fields = rawmsg_fields(bytes, length, NULL, NULL);
    GByteArray *out = g_byte_array_sized_new((guint)length);
    for (guint i = 0; i < fields->len; i++) {
        const struct rawmsg_field *field = &g_array_index(fields, struct rawmsg_field, i);
        gboolean names_people = FALSE;
        for (guint n = 0; n < G_N_ELEMENTS(names); n++)
            names_people = names_people || (field->name_length == strlen(names[n]) &&
                                            !g_ascii_strncasecmp(bytes + field->offset, names[n], field->name_length));
        gsize end = field->offset + field->length;
        for (gsize at = field->value_offset; names_people && at + len <= end; at++) {
            if (g_ascii_strncasecmp(bytes + at, old, len) || is_part_of_address(bytes[at - 1]) ||
                (at + len < end && is_part_of_address(bytes[at + len])))
                continue;
            g_byte_array_append(out, (const guint8 *)bytes + done, (guint)(at - done));
            g_byte_array_append(out, (const guint8 *)new, (guint)strlen(new));
            done = at + len;
            at = done - 1;
        }
    }
    g_byte_array_append(out, (const guint8 *)bytes + done, (guint)(length - done));
    return g_byte_array_free_to_bytes(out);
}

static gboolean
readdress(struct store *store, const struct outbox_item *item, const struct outbox_recipient *recipient, const char *file,
          guint64 size, const char *better, GError **error)
{
    g_autofree char *old = g_build_filename(store->mail_dir, ".outbox", item->file, NULL);
    g_autofree char *path = g_build_filename(store->mail_dir, ".outbox", file, NULL);
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    txn_unlink_on_rollback(store, path);
    txn_unlink_on_commit(store, old);
    gboolean ok = sql_run(store, error,
                          "UPDATE outbox_recipient SET addr = ?, code = 0, enhanced = NULL, text = NULL WHERE id = ?", "sl",
                          better, recipient->id) &&
                  sql_run(store, error, "UPDATE outbox SET file = ?, size = ? WHERE id = ?", "sll", file, (gint64)size,
                          item->id) &&
                  outbox_retry(store, item->id, error);
    return txn_leave(store, own, ok, error);
}

gboolean
outbox_resend(struct store *store, gint64 id, const char *failed, const char *better, GError **error)
{
    g_autoptr(struct_outbox_item) item = outbox_get(store, id, error);
    if (!item)
        return FALSE;
    if (item->state != OUTBOX_FAILED) {
        g_set_error(error, STORE_ERROR, ERROR_REFUSED, "message %" G_GINT64_FORMAT " has not failed", id);
        return FALSE;
    }
    if (!better)
        return outbox_retry(store, id, error);
    const struct outbox_recipient *recipient = find_failed(item, failed, error);
    if (!recipient || !address_check(better, error))
        return FALSE;
    for (guint i = 0; i < item->recipients->len; i++)
        if (address_same(((const struct outbox_recipient *)item->recipients->pdata[i])->addr, better)) {
            g_set_error(error, STORE_ERROR, ERROR_INPUT, "the message went to %s already", better);
            return FALSE;
        }
    guint64 size;
    g_autoptr(GBytes) bytes = outbox_bytes(store, item, error);
    g_autoptr(GBytes) changed = bytes ? change_header(bytes, recipient->addr, better) : NULL;
    g_autofree char *file = changed ? outbox_write_file(store, changed, &size, error) : NULL;
    return file && readdress(store, item, recipient, file, size, better, error);
}
