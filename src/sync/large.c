#include "config.h"

#include "sync/large.h"

#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "store/message.h"
#include "sync/internal.h"

/* More text than that is no text to be read while one waits. */
#define TEXT_MAX (512 * 1024)
#define HEADER_MAX (256 * 1024)
#define TEXTS_MAX 8

/* ---- which parts ---- */

static gboolean
is_text(const struct imap_part *part, const char *subtype)
{
    return !strcmp(part->type, "text") && !strcmp(part->subtype, subtype) && g_ascii_strcasecmp(part->disposition, "attachment") &&
           !*part->filename;
}

/* "1.2" and "1.1" lie in the same multipart. */
static gboolean
are_siblings(const struct imap_part *a, const struct imap_part *b)
{
    const char *x = strrchr(a->section, '.'), *y = strrchr(b->section, '.');
    gsize n = x ? (gsize) (x - a->section) : 0, m = y ? (gsize) (y - b->section) : 0;
    return n == m && !strncmp(a->section, b->section, n);
}

static gboolean
has_plain_sibling(const GPtrArray *parts, const struct imap_part *html)
{
    for (guint i = 0; i < parts->len; i++)
        if (is_text(parts->pdata[i], "plain") && are_siblings(parts->pdata[i], html))
            return TRUE;
    return FALSE;
}

GArray *
large_choose(const GPtrArray *parts)
{
    GArray *chosen = g_array_new(FALSE, FALSE, sizeof(guint));
    guint64 size = 0;
    for (guint i = 0; i < parts->len && chosen->len < TEXTS_MAX; i++) {
        const struct imap_part *part = parts->pdata[i];
        gboolean wanted = is_text(part, "plain") || (is_text(part, "html") && !has_plain_sibling(parts, part));
        if (!wanted || part->size > TEXT_MAX - size)
            continue;
        size += part->size;
        g_array_append_val(chosen, i);
    }
    return chosen;
}

/* ---- the message that is shown ---- */

static gboolean
is_mime_field(const char *line)
{
    return !g_ascii_strncasecmp(line, "content-", 8) || !g_ascii_strncasecmp(line, "mime-version", 12);
}

/* Line by line without CR; up to the empty line when it is a header. */
static void
append_lines(GString *out, GBytes *bytes, gboolean header, gboolean without_mime)
{
    gsize length;
    const char *p = bytes ? g_bytes_get_data(bytes, &length) : NULL, *end = p ? p + length : NULL;
    gboolean skip = FALSE;
    while (p && p < end) {
        const char *lf = memchr(p, '\n', (gsize) (end - p));
        gsize whole = lf ? (gsize) (lf - p) + 1 : (gsize) (end - p), text = whole;
        while (text && (p[text - 1] == '\n' || p[text - 1] == '\r'))
            text--;
        if (header && !text)
            return;
        g_autofree char *line = g_strndup(p, text);
        if (*p != ' ' && *p != '\t')
            skip = without_mime && is_mime_field(line);
        if (!skip) {
            g_string_append_len(out, p, (gssize) text);
            g_string_append_c(out, '\n');
        }
        p += whole;
    }
}

GBytes *
large_build(GBytes *header, const struct large_text *texts, guint n)
{
    GString *out = g_string_new(NULL);
    g_autofree char *boundary = g_strdup_printf("text-of-it-%08x%08x%08x", g_random_int(), g_random_int(), g_random_int());
    append_lines(out, header, TRUE, TRUE);
    g_string_append_printf(out, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"%s\"\n\n", boundary);
    for (guint i = 0; i < n; i++) {
        g_string_append_printf(out, "--%s\n", boundary);
        append_lines(out, texts[i].head, TRUE, FALSE);
        g_string_append_c(out, '\n');
        append_lines(out, texts[i].text, FALSE, FALSE);
    }
    g_string_append_printf(out, "--%s--\n", boundary);
    return g_string_free_to_bytes(out);
}

/* ---- fetching ---- */

struct section {
    GByteArray *bytes;
    gsize most;
};

static gboolean
begin_section(G_GNUC_UNUSED guint32 uid, guint64 size, gpointer data, GError **error)
{
    struct section *section = data;
    if (size <= section->most)
        return TRUE;
    g_set_error(error, SYNC_ERROR, ERROR_SKIP, "a part of a message is larger than the server said");
    return FALSE;
}

static gboolean
write_section(const void *bytes, gsize length, gpointer data, G_GNUC_UNUSED GError **error)
{
    struct section *section = data;
    g_byte_array_append(section->bytes, bytes, (guint) MIN(length, section->most - section->bytes->len));
    return TRUE;
}

static GBytes *
fetch_section(struct sync *sync, guint32 uid, const char *name, gsize most, GError **error)
{
    struct section section = {g_byte_array_new(), most};
    struct imap_sink sink = {.begin = begin_section, .write = write_section, .data = &section};
    g_autoptr(GBytes) bytes = NULL;
    gboolean ok = imap_fetch_section(sync->imap, uid, name, &sink, error);
    bytes = g_byte_array_free_to_bytes(section.bytes);
    return ok ? g_steal_pointer(&bytes) : NULL;
}

static gboolean
fetch_text(struct sync *sync, guint32 uid, const struct imap_part *part, struct large_text *text, GError **error)
{
    g_autofree char *mime = g_strconcat(part->section, ".MIME", NULL);
    text->head = fetch_section(sync, uid, mime, HEADER_MAX, error);
    text->text = text->head ? fetch_section(sync, uid, part->section, TEXT_MAX, error) : NULL;
    return text->text != NULL;
}

static gboolean
build_and_keep(struct sync *sync, gint64 message, guint32 uid, const GPtrArray *parts, GError **error)
{
    g_autoptr(GArray) chosen = large_choose(parts);
    /* A message that is nothing but text is as fast as its text. */
    if (!chosen->len || parts->len < 2)
        return TRUE;
    g_autoptr(GBytes) header = fetch_section(sync, uid, "HEADER", HEADER_MAX, error);
    g_autofree struct large_text *texts = g_new0(struct large_text, chosen->len);
    gboolean ok = header != NULL;
    for (guint i = 0; i < chosen->len && ok; i++)
        ok = fetch_text(sync, uid, parts->pdata[g_array_index(chosen, guint, i)], &texts[i], error);
    g_autoptr(GBytes) excerpt = ok ? large_build(header, texts, chosen->len) : NULL;
    for (guint i = 0; i < chosen->len; i++) {
        g_clear_pointer(&texts[i].head, g_bytes_unref);
        g_clear_pointer(&texts[i].text, g_bytes_unref);
    }
    STEP("sync.large");
    return ok && message_keep_excerpt(sync->store, message, excerpt, error);
}

static void
part_free(gpointer data)
{
    struct imap_part *part = data;
    g_free(part->section);
    g_free(part->type);
    g_free(part->subtype);
    g_free(part->disposition);
    g_free(part->filename);
    g_free(part);
}

/* The parts are the session's, until the next command. */
static gboolean
take_structure(const struct imap_message *message, gpointer data, G_GNUC_UNUSED GError **error)
{
    GPtrArray *parts = data;
    for (guint i = 0; message->items & IMAP_FETCH_STRUCTURE && i < message->parts->len; i++) {
        const struct imap_part *part = message->parts->pdata[i];
        struct imap_part *copy = g_new0(struct imap_part, 1);
        copy->section = g_strdup(part->section);
        copy->type = g_strdup(part->type);
        copy->subtype = g_strdup(part->subtype);
        copy->disposition = g_strdup(part->disposition);
        copy->filename = g_strdup(part->filename);
        copy->size = part->size;
        g_ptr_array_add(parts, copy);
    }
    return TRUE;
}

void
large_fetch_text(struct sync *sync, const struct folder *folder, gint64 message, guint32 uid)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) there = message_excerpt(sync->store, message);
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(part_free);
    g_autoptr(struct_uidset) one = uidset_new_range(uid, uid);
    struct imap_fetch what = {.items = IMAP_FETCH_STRUCTURE};
    if (there || !sync_select(sync, folder, NULL, &error) || sync->mailbox->uidvalidity != folder->uidvalidity) {
        if (error)
            log_info("sync.large", "%s", error->message);
        return;
    }
    if (imap_fetch(sync->imap, one, &what, take_structure, parts, &error) &&
        build_and_keep(sync, message, uid, parts, &error))
        sync_tell_changed(sync, TRUE);
    else
        log_info("sync.large", "%s", error->message);
}
