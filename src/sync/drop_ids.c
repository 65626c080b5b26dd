/* A server without UIDL (it is optional in RFC 1939): messages are told apart by what they hold. */
#include "config.h"

#include <string.h>

#include "sync/drop.h"

/* Fields that a server may write anew at each session. */
static const char *const unsteady[] = {"Status:", "X-Status:", "X-UIDL:", "X-Keywords:", "Content-Length:"};

struct making {
    struct drop *drop;
    gboolean whole; /* RETR: everything counts */
    GChecksum *sum;
    GString *line;  /* of a header, as far as it came */
    GArray *refused; /* guint: numbers */
};

static gboolean
begin_id(G_GNUC_UNUSED guint number, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct making *making = data;
    g_checksum_reset(making->sum);
    g_string_truncate(making->line, 0);
    return TRUE;
}

static void
count_line(struct making *making)
{
    gboolean steady = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(unsteady); i++)
        steady = steady && g_ascii_strncasecmp(making->line->str, unsteady[i], strlen(unsteady[i]));
    if (steady)
        g_checksum_update(making->sum, (const guchar *) making->line->str, (gssize) making->line->len);
    g_string_truncate(making->line, 0);
}

static gboolean
write_id(const void *bytes, gsize length, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct making *making = data;
    const char *from = bytes, *end = from + length;
    while (from < end) {
        const char *lf = memchr(from, '\n', (gsize) (end - from));
        const char *to = lf ? lf + 1 : end;
        g_string_append_len(making->line, from, to - from);
        if (lf || making->line->len > STREAM_LINE_MAX)
            count_line(making);
        from = to;
    }
    return TRUE;
}

static gboolean
end_id(guint number, const char *refused, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct making *making = data;
    struct drop_listed *at = &making->drop->listed[number - 1];
    if (refused) {
        g_array_append_val(making->refused, number);
        return TRUE;
    }
    count_line(making);
    g_string_printf(making->line, "##%s-%" G_GUINT64_FORMAT, g_checksum_get_string(making->sum),
                    making->whole ? 0 : at->size);
    at->uidl = g_string_chunk_insert(making->drop->ids, making->line->str);
    g_string_truncate(making->line, 0);
    return TRUE;
}

/* Those of the numbers that the server gives, by their header or by all they hold; the others are left in *numbers. */
static gboolean
make_some(struct drop *drop, GArray **numbers, gboolean whole, GError **error)
{
    struct making making = {.drop = drop, .whole = whole, .sum = g_checksum_new(G_CHECKSUM_SHA256)};
    making.line = g_string_new(NULL);
    making.refused = g_array_new(FALSE, FALSE, sizeof(guint));
    struct pop3_sink sink = {begin_id, write_id, end_id, &making};
    gboolean ok = TRUE;
    for (guint from = 0; from < (*numbers)->len && ok; from += ROWS_A_COMMIT) {
        guint n = MIN((*numbers)->len - from, ROWS_A_COMMIT);
        sync_tell_progress(drop->sync, drop->inbox, SYNC_FLAGS, from, (*numbers)->len);
        ok = !sync_is_cancelled(drop->sync, error) &&
             pop3_fetch(drop->pop3, &g_array_index(*numbers, guint, from), n, whole ? POP3_WHOLE : POP3_HEADER, &sink, error);
        if (ok && !whole && making.refused->len == from + n && !pop3_has(drop->pop3, POP3_CAPA)) {
            /* A server that has no TOP and did not say so. */
            g_array_append_vals(making.refused, &g_array_index(*numbers, guint, from + n), (*numbers)->len - from - n);
            break;
        }
    }
    g_checksum_free(making.sum);
    g_string_free(making.line, TRUE);
    g_array_unref(*numbers);
    *numbers = making.refused;
    return ok;
}

gboolean
drop_make_ids(struct drop *drop, GError **error)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < drop->n; i++) {
        guint number = i + 1;
        if (!drop->listed[i].uidl)
            g_array_append_val(numbers, number);
    }
    if ((numbers->len && pop3_has(drop->pop3, POP3_TOP) && !make_some(drop, &numbers, FALSE, error)) ||
        (numbers->len && !make_some(drop, &numbers, TRUE, error)))
        return FALSE;
    /* What cannot be had at all is known by nothing: an id of this session only. */
    for (guint k = 0; k < numbers->len; k++) {
        g_autofree char *random = g_uuid_string_random(), *id = g_strconcat("##", random, NULL);
        drop->listed[g_array_index(numbers, guint, k) - 1].uidl = g_string_chunk_insert(drop->ids, id);
    }
    return TRUE;
}
