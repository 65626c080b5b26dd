#include "config.h"

#include "cli/rows.h"
#include "cli/command.h"
#include "base/i18n.h"
#include "base/clock.h"
#include "base/flags.h"
#include "base/text.h"
#include "base/width.h"
#include "mail/address.h"
#include "store/folder.h"
#include "store/message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int
rows_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 100;
}

void
rows_json_address(struct json *json, const char *key, const char *name, const char *address)
{
    json_object_begin(json, key);
    json_string(json, "name", name);
    json_string(json, "address", address);
    json_object_end(json);
}

void
rows_json_addresses(struct json *json, const char *key, const GPtrArray *list)
{
    json_array_begin(json, key);
    for (guint i = 0; i < address_list_length(list); i++) {
        const struct address *address = address_list_get(list, i);
        rows_json_address(json, NULL, address->name, address->addr);
    }
    json_array_end(json);
}

void
rows_json_flags(struct json *json, guint flags, const char *tags)
{
    json_array_begin(json, "flags");
    for (const struct flag_name *flag = flag_names; flag->bit; flag++)
        if (flags & flag->bit)
            json_string(json, NULL, flag->json);
    json_array_end(json);
    g_auto(GStrv) list = tags_split(tags ? tags : "");
    json_array_begin(json, "tags");
    for (char **tag = list; *tag; tag++)
        json_string(json, NULL, *tag);
    json_array_end(json);
}

/* Folders by id, for their names. */
static GHashTable *
load_folders(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) list = folder_list(store, 0, TRUE, error);
    if (!list)
        return NULL;
    GHashTable *folders =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)folder_free);
    g_ptr_array_set_free_func(list, NULL);
    for (guint i = 0; i < list->len; i++) {
        struct folder *folder = list->pdata[i];
        g_hash_table_insert(folders, &folder->id, folder);
    }
    return folders;
}

/* Then a folder's name alone does not say which one it is. */
static gboolean
of_several_accounts(GHashTable *folders)
{
    GHashTableIter iter;
    gpointer value;
    gint64 first = 0;
    g_hash_table_iter_init(&iter, folders);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct folder *folder = value;
        if (first && folder->account != first)
            return TRUE;
        first = folder->account;
    }
    return FALSE;
}

#define SNIPPET_JSON 160 /* characters */

/* {"text": …, "hits": [[from, to], …]}, in characters */
static void
json_snippet(struct json *json, struct store *store, const struct list_row *row, const struct hits *hits)
{
    g_autofree char *text = list_text(store, row->key), *piece = hits_snippet(hits, text, SNIPPET_JSON);
    if (!piece) {
        json_string(json, "snippet", NULL);
        return;
    }
    json_object_begin(json, "snippet");
    json_string(json, "text", piece);
    json_array_begin(json, "hits");
    for (gsize at = 0, start, end; hits_find(hits, piece, at, &start, &end); at = end) {
        json_array_begin(json, NULL);
        json_int(json, NULL, g_utf8_pointer_to_offset(piece, piece + start));
        json_int(json, NULL, g_utf8_pointer_to_offset(piece, piece + end));
        json_array_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

static gboolean
print_json(struct store *store, const struct list_row *row, const struct folder *folder, const struct hits *hits,
           GError **error)
{
    static const char *const verdicts[] = {"good", "unsure", "junk"};
    struct json json;
    g_autofree char *date = clock_rfc3339(row->date, row->zone);
    json_init(&json);
    json_object_begin(&json, NULL);
    json_int(&json, "id", row->message);
    json_string(&json, "message_id", row->message_id);
    json_string(&json, "account", folder ? folder->account_name : NULL);
    json_string(&json, "folder", folder ? folder->name : NULL);
    json_string(&json, "date", date);
    rows_json_address(&json, "from", row->from_name, row->from_addr);
    rows_json_addresses(&json, "to", row->to);
    json_string(&json, "subject", row->subject);
    rows_json_flags(&json, row->flags, row->tags);
    json_int(&json, "size", (gint64)row->size);
    json_bool(&json, "attachments", (row->bits & MESSAGE_ATTACHMENTS) != 0);
    json_int(&json, "thread", row->thread);
    json_string(&json, "preview", row->preview);
    json_bool(&json, "cached", row->cached);
    json_string(&json, "junk", row->junk < 0 ? NULL : verdicts[MIN(row->junk, 2)]);
    if (hits)
        json_snippet(&json, store, row, hits);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

static char *
flag_column(const struct list_row *row)
{
    char *marks = g_strdup("    ");
    marks[0] = row->flags & FLAG_SEEN ? ' ' : 'N';
    marks[1] = row->flags & FLAG_FLAGGED ? '*' : ' ';
    marks[2] = row->flags & FLAG_ANSWERED    ? 'r'
               : row->flags & FLAG_FORWARDED ? 'f'
               : row->flags & FLAG_DRAFT     ? 'd'
                                             : ' ';
    marks[3] = row->bits & MESSAGE_ATTACHMENTS ? '@' : ' ';
    return marks;
}

static gboolean
print_line(const struct list_row *row, const struct folder *folder, gboolean several, int id_width, int width,
           GError **error)
{
    g_autofree char *marks = flag_column(row);
    g_autofree char *date = clock_short(row->date, clock_now());
    g_autofree char *people = text_safe(row->people, -1, TEXT_LINE);
    g_autofree char *subject = text_safe(row->subject, -1, TEXT_LINE);
    g_autofree char *name = text_safe(folder ? folder->name : "", -1, TEXT_LINE);
    if (several && folder) {
        g_autofree char *both = g_strdup_printf("%s/%s", folder->account_name, folder->name);
        g_free(name);
        name = text_safe(both, -1, TEXT_LINE);
    }
    int people_width = CLAMP(width / 5, 12, 30), folder_width = width >= 90 ? (several ? 18 : 12) : several ? 8 : 0;
    int rest = width - id_width - 4 - 9 - people_width - folder_width - 5;
    g_autofree char *date_cell = width_fit(date, 8);
    g_autofree char *people_cell = width_fit(people, people_width);
    g_autofree char *folder_cell = width_fit(name, folder_width);
    g_autofree char *indent = g_strnfill(MIN(row->depth, 20) * 2, ' ');
    g_autofree char *indented = g_strconcat(indent, *subject ? subject : "(no subject)", NULL);
    g_autofree char *subject_cell = width_cut(indented, MAX(rest, 10));
    g_autofree char *line =
        g_strdup_printf("%*" G_GINT64_FORMAT " %s %s %s %s%s%s", id_width, row->message, marks, date_cell,
                        people_cell, folder_cell, folder_width ? " " : "", subject_cell);
    return cli_print(line, error);
}

#define MARKS 12 /* columns for the asterisks */

/* The text around the hits, with these in asterisks. */
static gboolean
print_snippet(struct store *store, const struct list_row *row, const struct hits *hits, int indent, int width,
              GError **error)
{
    int room = MAX(width - indent, 20);
    g_autofree char *text = list_text(store, row->key), *piece = hits_snippet(hits, text, (guint)(room - MARKS));
    if (!piece)
        return TRUE;
    g_autofree char *safe = text_safe(piece, -1, TEXT_LINE);
    g_autoptr(GString) marked = g_string_new(NULL);
    gsize at = 0;
    for (gsize start, end; hits_find(hits, safe, at, &start, &end); at = end) {
        g_string_append_len(marked, safe + at, (gssize)(start - at));
        g_string_append_printf(marked, "*%.*s*", (int)(end - start), safe + start);
    }
    g_string_append(marked, safe + at);
    g_autofree char *cut = width_cut(marked->str, room), *line = g_strdup_printf("%*s%s", indent, "", cut);
    return cli_print(line, error);
}

gboolean
rows_print(struct store *store, const GPtrArray *rows, GError **error)
{
    return rows_print_found(store, rows, NULL, FALSE, error);
}

gboolean
rows_print_found(struct store *store, const GPtrArray *rows, const struct hits *hits, gboolean below, GError **error)
{
    g_autoptr(GHashTable) folders = load_folders(store, error);
    if (!folders)
        return FALSE;
    int id_width = 4, width = rows_width();
    gboolean several = of_several_accounts(folders);
    for (guint i = 0; i < rows->len; i++) {
        const struct list_row *row = rows->pdata[i];
        for (gint64 id = row->message, digits = 1; id > 0; id /= 10, digits++)
            id_width = MAX(id_width, (int)digits);
    }
    for (guint i = 0; i < rows->len; i++) {
        const struct list_row *row = rows->pdata[i];
        const struct folder *folder = g_hash_table_lookup(folders, &row->folder);
        gboolean ok = cli_json ? print_json(store, row, folder, hits, error)
                               : print_line(row, folder, several, id_width, width, error) &&
                                     (!below || !hits || print_snippet(store, row, hits, id_width + 6, width, error));
        if (!ok)
            return FALSE;
    }
    return TRUE;
}

GArray *
rows_lookup(struct store *store, char **words, int n, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_auto(GStrv) lines = NULL;
    if (n == 1 && !strcmp(words[0], "-")) {
        g_autoptr(GBytes) input = cli_read_file("-", 16 * 1024 * 1024, error);
        if (!input)
            return NULL;
        g_autofree char *text = g_strndup(g_bytes_get_data(input, NULL), g_bytes_get_size(input));
        lines = g_strsplit_set(text, " \t\r\n", -1);
        words = lines;
        n = (int)g_strv_length(lines);
    }
    for (int i = 0; i < n; i++) {
        if (!*words[i])
            continue;
        gint64 id = message_lookup(store, words[i], error);
        if (!id)
            return NULL;
        g_array_append_val(ids, id);
    }
    if (!ids->len) {
        cli_usage_error(
            error, _("no message is named: give the ID that \"postrider list\" prints, or id:MESSAGE-ID"));
        return NULL;
    }
    return g_steal_pointer(&ids);
}
