/* show.c - postrider show: one message, as the reader shows it, or its bytes, headers, parts */
#include "config.h"

#include "cli/bytes.h"
#include "cli/commands.h"
#include "cli/rows.h"
#include "cli/verdict.h"
#include "base/i18n.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "base/width.h"
#include "mail/attachment.h"
#include "mail/link.h"
#include "mail/reader.h"
#include "trust/authority.h"
#include "trust/virus.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static gboolean raw, headers, parts;
static gboolean even_so;
static int part_number;
static char *save_dir;

static const GOptionEntry entries[] = {
    {"raw", 'r', 0, G_OPTION_ARG_NONE, &raw, N_("the bytes as they are"), NULL},
    {"headers", 'H', 0, G_OPTION_ARG_NONE, &headers, N_("all header fields, decoded"), NULL},
    {"parts", 'p', 0, G_OPTION_ARG_NONE, &parts, N_("the MIME parts, numbered"), NULL},
    {"part", 'P', 0, G_OPTION_ARG_INT, &part_number, N_("the content of part N, decoded"), "N"},
    {"save", 's', 0, G_OPTION_ARG_FILENAME, &save_dir,
     N_("save the attachments (with --part: that part) into DIR"), "DIR"},
    {"even-so", 0, 0, G_OPTION_ARG_NONE, &even_so, N_("parts of a message in which a virus was found, too"), NULL},
    {NULL},
};

static gboolean
write_new_file(const char *dir, const char *name, GBytes *bytes, char **path, GError **error)
{
    const char *dot = strrchr(name, '.');
    gsize stem = dot && dot != name ? (gsize)(dot - name) : strlen(name);
    for (int i = 0; i < 1000; i++) { /* never over a file that is there */
        g_autofree char *numbered =
            i ? g_strdup_printf("%.*s-%d%s", (int)stem, name, i, name + stem) : g_strdup(name);
        g_autofree char *full = g_build_filename(dir, numbered, NULL);
        int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST)
            continue;
        gsize len;
        const char *data = g_bytes_get_data(bytes, &len);
        gboolean ok = fd >= 0;
        while (ok && len) {
            gssize n = write(fd, data, len);
            ok = n > 0 || errno == EINTR;
            data += MAX(n, 0);
            len -= (gsize)MAX(n, 0);
        }
        int err = errno;
        ok = (fd < 0 || close(fd) == 0) && ok;
        if (ok) {
            *path = g_steal_pointer(&full);
            return TRUE;
        }
        if (fd >= 0)
            unlink(full);
        error_set_errno(error, CLI_ERROR, err, _("cannot save %s"), full);
        return FALSE;
    }
    g_set_error(error, CLI_ERROR, ERROR_INPUT, _("%s has a thousand files called %s already"), dir, name);
    return FALSE;
}

static gboolean
save_part(struct reader *reader, GBytes *bytes, const struct document_part *part, GError **error)
{
    g_autoptr(GBytes) content = reader_part(reader, bytes, part->n, NULL, error);
    g_autofree char *name = document_part_filename((struct document_part *)part), *path = NULL;
    if (!content || !write_new_file(save_dir, name, content, &path, error))
        return FALSE;
    if (!cli_json)
        return cli_print(path, error);
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_int(&json, "n", part->n);
    json_string(&json, "path", path);
    json_int(&json, "size", (gint64)g_bytes_get_size(content));
    json_object_end(&json);
    return cli_print_json(&json, error);
}

static gboolean
save_attachments(struct reader *reader, GBytes *bytes, const struct document *document, GError **error)
{
    guint saved = 0;
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        if (part_number ? part->n != (guint)part_number : !(part->flags & PART_ATTACHMENT))
            continue;
        if (!save_part(reader, bytes, part, error))
            return FALSE;
        saved++;
    }
    if (!saved)
        g_set_error(error, CLI_ERROR, ERROR_NOINPUT, _("the message has no %s"),
                    part_number ? "such part" : "attachment");
    return saved > 0;
}

/* The names of a set of bits. */
static void
json_marks(struct json *json, const char *key, guint marks, const char *(*name)(guint bit))
{
    json_array_begin(json, key);
    for (guint bit = 0; name(bit); bit++)
        if (marks & 1u << bit)
            json_string(json, NULL, name(bit));
    json_array_end(json);
}

static void
json_parts(struct json *json, const struct document *document)
{
    json_array_begin(json, "parts");
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        json_object_begin(json, NULL);
        json_int(json, "n", part->n);
        json_string(json, "type", part->type);
        json_string(json, "charset", *part->charset ? part->charset : NULL);
        json_string(json, "filename", *part->filename ? part->filename : NULL);
        json_string(json, "disposition", *part->disposition ? part->disposition : NULL);
        json_int(json, "size", (gint64)part->size);
        json_string(json, "encoding", *part->encoding ? part->encoding : NULL);
        json_marks(json, "marks", part->marks, attachment_mark_name);
        g_autofree char *words = attachment_words(part->marks, part->inside);
        json_string(json, "warning", words);
        json_object_end(json);
    }
    json_array_end(json);
}

static void
json_headers(struct json *json, const struct document *document)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    json_object_begin(json, "headers");
    for (guint i = 0; i < document->headers->len; i++) {
        const struct document_header *header = document->headers->pdata[i];
        g_autofree char *name = g_ascii_strdown(header->name, -1);
        if (!g_hash_table_add(seen, g_strdup(name)))
            continue;
        /* One value as a string, several (Received) as an array. */
        if (!document_header_nth(document, header->name, 1)) {
            json_string(json, name, header->value);
            continue;
        }
        json_array_begin(json, name);
        const char *value;
        for (guint nth = 0; (value = document_header_nth(document, header->name, nth)) != NULL; nth++)
            json_string(json, NULL, value);
        json_array_end(json);
    }
    json_object_end(json);
}

/* Who vouches, and what the sender pretends. */
static void
json_verdict(struct json *json, gint64 id, GBytes *bytes, const struct document *document)
{
    struct store *store = cli_store(STORE_READ, NULL);
    const struct config *config = cli_config(NULL);
    g_auto(GStrv) own = config_own_hosts(config);
    g_autoptr(struct_journey) journey = journey_read(bytes, (const char *const *)own);
    struct vouch vouch;
    struct reputation reputation;
    g_autoptr(struct_authentication) found = authority_find(store, id, config, journey, document->envelope, &vouch);
    reputation_find(store, config, id, document->envelope, NULL, &reputation);
    json_object_begin(json, "verdict");
    json_string(json, "vouch", vouch_name(vouch.kind));
    json_string(json, "domain", vouch.domain);
    json_string(json, "words", vouch.words);
    verdict_json_signs(json, "warnings", &reputation, TRUE);
    json_object_end(json);
    reputation_clear(&reputation);
    vouch_clear(&vouch);
}

static gboolean
show_json(gint64 id, GBytes *bytes, const struct document *document, GError **error)
{
    const struct envelope *envelope = document->envelope;
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    id ? json_int(&json, "id", id) : json_null(&json, "id");
    json_headers(&json, document);
    const struct address *author =
        address_list_length(envelope->from) ? address_list_get(envelope->from, 0) : NULL;
    rows_json_address(&json, "from", author ? author->name : NULL, author ? author->addr : NULL);
    rows_json_addresses(&json, "to", envelope->to);
    rows_json_addresses(&json, "cc", envelope->cc);
    json_string(&json, "subject", envelope->subject);
    g_autofree char *date = clock_rfc3339(envelope->date, envelope->zone);
    json_string(&json, "date", envelope->flags & ENVELOPE_DATE_VALID ? date : NULL);
    json_string(&json, "text", document->text);
    json_parts(&json, document);
    json_array_begin(&json, "links");
    for (guint i = 0; i < document->links->len; i++) {
        const struct document_link *link = document->links->pdata[i];
        json_object_begin(&json, NULL);
        json_int(&json, "n", link->number);
        json_string(&json, "url", link->url);
        json_string(&json, "text", link->text);
        json_bool(&json, "suspicious", link->suspicious);
        json_string(&json, "reason", *link->reason ? link->reason : NULL);
        json_marks(&json, "marks", link->marks, link_mark_name);
        json_object_end(&json);
    }
    json_array_end(&json);
    /* Structure only: nothing was verified. */
    json_string(&json, "signature", document->flags & DOCUMENT_SIGNED ? "unchecked" : NULL);
    json_string(&json, "encryption", document->flags & DOCUMENT_ENCRYPTED ? "encrypted" : NULL);
    json_verdict(&json, id, bytes, document);
    json_null(&json, "calendar"); /* filled when invitations are read */
    json_array_begin(&json, "notices");
    for (char **notice = document->notices; *notice; notice++)
        json_string(&json, NULL, *notice);
    json_array_end(&json);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

static void
header_line(GString *out, const char *name, const char *value)
{
    g_autofree char *safe = text_safe(value, -1, TEXT_LINE);
    if (*safe)
        g_string_append_printf(out, "%-8s %s\n", name, safe);
}

static void
address_line(GString *out, const char *name, const GPtrArray *list)
{
    g_autofree char *text = address_list_format(list);
    header_line(out, name, text);
}

/* What the sender pretends. */
static void
warning_lines(GString *out, gint64 id, const struct envelope *envelope)
{
    struct reputation reputation;
    reputation_find(cli_store(STORE_READ, NULL), cli_config(NULL), id, envelope, NULL, &reputation);
    for (guint i = 0; i < reputation.signs->len; i++) {
        const struct reputation_sign *sign = reputation.signs->pdata[i];
        if (sign->warns)
            header_line(out, "!", sign->words);
    }
    reputation_clear(&reputation);
}

static gboolean
show_text(gint64 id, const struct document *document, GError **error)
{
    const struct envelope *envelope = document->envelope;
    g_autoptr(GString) out = g_string_new(NULL);
    header_line(out, "Subject", envelope->subject);
    address_line(out, "From", envelope->from);
    warning_lines(out, id, envelope);
    address_line(out, "To", envelope->to);
    address_line(out, "Cc", envelope->cc);
    if (envelope->flags & ENVELOPE_DATE_VALID) {
        g_autofree char *date = clock_rfc5322(envelope->date, envelope->zone);
        header_line(out, "Date", date);
    }
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        if (!(part->flags & PART_ATTACHMENT))
            continue;
        g_autofree char *size = text_size(part->size),
                        *name = document_part_filename((struct document_part *)part);
        g_autofree char *safe = text_safe(name, -1, TEXT_LINE);
        g_string_append_printf(out, "%-8s [%u] %s, %s, %s (--part %u)\n", "File", part->number, safe,
                               part->type, size, part->n);
        g_autofree char *words = attachment_words(part->marks, part->inside);
        if (words)
            g_string_append_printf(out, "%-8s [%u] %s\n", part->marks & ATTACHMENT_WARNS ? "!" : "", part->number, words);
    }
    for (char **notice = document->notices; *notice; notice++)
        header_line(out, "Note", *notice);
    g_string_append_c(out, '\n');
    g_autofree char *body = text_safe(document->text, -1, TEXT_BODY);
    g_string_append(out, body);
    return cli_print_bytes(out->str, out->len, error);
}

static gboolean
show_headers(const struct document *document, GError **error)
{
    for (guint i = 0; i < document->headers->len; i++) {
        const struct document_header *header = document->headers->pdata[i];
        g_autofree char *name = text_safe(header->name, -1, TEXT_LINE),
                        *value = text_safe(header->value, -1, TEXT_LINE);
        g_autofree char *line = g_strdup_printf("%s: %s", name, value);
        if (!cli_print(line, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
show_parts(const struct document *document, GError **error)
{
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = document->parts->pdata[i];
        int depth = 0;
        for (guint parent = part->parent; parent; parent = document_part(document, parent)->parent)
            depth++;
        g_autofree char *size = text_size(part->size), *name = text_safe(part->filename, -1, TEXT_LINE);
        g_autofree char *type = g_strdup_printf("%*s%s", depth * 2, "", part->type);
        g_autofree char *line = g_strdup_printf("%3u  %-34s %8s  %-10s %-12s %s", part->n, type, size,
                                                part->charset, part->encoding, name);
        if (!cli_print(line, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
run_show(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    gint64 id;
    if (argc != 1)
        return cli_usage_error(error, _("show takes one ID or file"));
    g_autoptr(GBytes) bytes = bytes_of(argv[0], &id, error);
    if (!bytes)
        return FALSE;
    if (raw)
        return cli_print_bytes(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
    g_autofree char *virus = id && !even_so && (part_number || save_dir) ? virus_held(cli_store(STORE_READ, NULL), id) : NULL;
    if (virus) {
        g_set_error(error, CLI_ERROR, ERROR_REFUSED, _("a virus was found in this message: %s; --even-so gives its parts"),
                    virus);
        return FALSE;
    }
    g_autoptr(struct_reader) reader = reader_new();
    if (part_number && !save_dir) {
        g_autoptr(GBytes) content = reader_part(reader, bytes, (guint)MAX(part_number, 0), NULL, error);
        return content && cli_print_bytes(g_bytes_get_data(content, NULL), g_bytes_get_size(content), error);
    }
    g_autoptr(struct_document) document = reader_parse(reader, bytes, READER_ALL, error);
    if (!document)
        return FALSE;
    if (save_dir)
        return save_attachments(reader, bytes, document, error);
    if (cli_json)
        return show_json(id, bytes, document, error);
    if (headers)
        return show_headers(document, error);
    if (parts)
        return show_parts(document, error);
    return show_text(id, document, error);
}

const struct cli_command cmd_show = {"show",
                                     "ID|FILE",
                                     N_("one message"),
                                     N_("As the reader shows it: decoded headers, readable text, the "
                                        "attachments by number. FILE is a path, or - for standard input. The "
                                        "message stays unread."),
                                     entries,
                                     WORDS_ANYWHERE,
                                     run_show};
