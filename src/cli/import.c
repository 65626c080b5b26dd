/* import.c - postrider import: mail from files, Maildirs and mboxes, or what other programs' configurations say
 */
#include "config.h"

#include "cli/commands.h"
#include "cli/bytes.h"
#include "cli/foreign.h"
#include "cli/mailfiles.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/flags.h"
#include "base/i18n.h"
#include "base/sha256.h"
#include "engine/client.h"
#include "mail/rawmsg.h"
#include "mail/reader.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/message.h"

#include <string.h>
#include <sys/stat.h>

/* One transaction (DESIGN: nobody waits for a writer), and one flush of the disk. */
#define BATCH_MESSAGES 40
#define BATCH_BYTES (8 * 1024 * 1024)

static char *into;
static gboolean write_config;

static const GOptionEntry entries[] = {
    {"into", 'i', 0, G_OPTION_ARG_STRING, &into, N_("the folder, made when there is none (Imported)"), "FOLDER"},
    {"write", 'w', 0, G_OPTION_ARG_NONE, &write_config,
     N_("without PATH: add what was found to the configuration, instead of printing it"), NULL},
    {NULL},
};

struct piece {
    struct message_index *index;
    guint flags;
    gint64 time;
};

struct import {
    struct store *store;
    gint64 folder;
    const char *name, *dir;
    struct reader *reader;
    struct maildir_batch *batch;
    GArray *pieces;      /* of struct piece: what the batch holds */
    GHashTable *written; /* GBytes, hashes: in the batch */
    guint imported, present, passed_over;
};

static void
piece_clear(gpointer data)
{
    message_index_free(((struct piece *)data)->index);
}

/* ---- one message ---- */

/* Without the mbox's line before it, the blank one behind it and the > that it put before From; with LF. */
static GByteArray *
plain_bytes(GBytes *message, gboolean of_mbox)
{
    gsize length;
    const char *at = g_bytes_get_data(message, &length), *end = at + length;
    GByteArray *out = g_byte_array_sized_new((guint)length);
    if (of_mbox && length > 5 && !memcmp(at, "From ", 5)) {
        const char *line = memchr(at, '\n', length);
        at = line ? line + 1 : end;
    }
    while (at < end) {
        const char *line = memchr(at, '\n', (gsize)(end - at)), *next = line ? line + 1 : end;
        gsize marks = of_mbox ? strspn(at, ">") : 0;
        if (marks && (gsize)(end - at) > marks + 5 && !memcmp(at + marks, "From ", 5))
            at++;
        gsize n = (gsize)(next - at);
        if (n >= 2 && next[-1] == '\n' && next[-2] == '\r') {
            g_byte_array_append(out, (const guint8 *)at, (guint)n - 2);
            g_byte_array_append(out, (const guint8 *)"\n", 1);
        } else {
            g_byte_array_append(out, (const guint8 *)at, (guint)n);
        }
        at = next;
    }
    if (of_mbox && out->len > 1 && out->data[out->len - 1] == '\n' && out->data[out->len - 2] == '\n')
        g_byte_array_set_size(out, out->len - 1);
    return out;
}

/* What mutt and others write into an mbox: Status and X-Status. */
static guint
mbox_flags(GBytes *message)
{
    static const struct {
        char letter;
        guint flag;
    } letters[] = {{'R', FLAG_SEEN}, {'A', FLAG_ANSWERED}, {'F', FLAG_FLAGGED}, {'T', FLAG_DRAFT}};
    g_autofree char *status = rawmsg_get(message, "Status", 0), *more = rawmsg_get(message, "X-Status", 0);
    guint flags = 0;
    for (guint i = 0; i < G_N_ELEMENTS(letters); i++)
        if ((status && strchr(status, letters[i].letter)) || (more && strchr(more, letters[i].letter)))
            flags |= letters[i].flag;
    return flags;
}

static gboolean
is_message(GBytes *message)
{
    gsize length, start = 0, body = 0;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GArray) fields = rawmsg_fields(bytes, length, &start, &body);
    g_autofree char *from = rawmsg_get(message, "From", 0), *date = rawmsg_get(message, "Date", 0),
                    *id = rawmsg_get(message, "Message-ID", 0), *received = rawmsg_get(message, "Received", 0);
    return fields->len && (from || date || id || received);
}

/* Does the folder, or what is about to go there, hold these bytes? */
static gboolean
is_present(struct import *import, const GByteArray *bytes)
{
    guint8 hash[SHA256_SIZE];
    struct sha256 *sum = sha256_new();
    sha256_add(sum, bytes->data, bytes->len);
    sha256_end(sum, hash);
    GBytes *key = g_bytes_new(hash, sizeof hash);
    gint64 known = message_find_hash(import->store, hash);
    if (!g_hash_table_add(import->written, key))
        return TRUE;
    return known && intent_reaches(import->store, known, import->folder);
}

/* ---- a batch ---- */

static gboolean
append_all(struct import *import, GError **error)
{
    gboolean ok = TRUE;
    for (guint i = 0; ok && i < import->pieces->len; i++) {
        const struct piece *piece = &g_array_index(import->pieces, struct piece, i);
        struct maildir_entry entry = *maildir_batch_entry(import->batch, i);
        gint64 message;
        entry.time = piece->time; /* what becomes of it as the day of its arrival */
        ok = intent_append(import->store, import->folder, &entry, piece->index, piece->flags, NULL, 0, &message, error) != 0;
    }
    return ok;
}

/* Durable first, then the rows. */
static gboolean
flush(struct import *import, GError **error)
{
    guint n = import->pieces->len;
    if (!n)
        return TRUE;
    if (!maildir_batch_commit(import->batch, error))
        return FALSE;
    g_autofree char *text = g_strdup_printf(P_("import %u message into %s", "import %u messages into %s", n), n, import->name);
    gboolean ok = intent_group_begin(import->store, error);
    if (ok) {
        ok = append_all(import, error);
        ok = intent_group_end(import->store, ok, text, ok ? error : NULL) != 0 && ok;
    }
    if (ok)
        import->imported += n;
    else
        maildir_batch_undo(import->batch);
    maildir_batch_free(import->batch);
    import->batch = maildir_batch_new();
    g_array_set_size(import->pieces, 0);
    g_hash_table_remove_all(import->written);
    return ok;
}

static gint64
file_time(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mtime : 0;
}

static gboolean
take(const char *label, GBytes *message, gpointer data, GError **error)
{
    struct import *import = data;
    g_autofree char *name = g_path_get_basename(label);
    gsize length;
    const char *head = g_bytes_get_data(message, &length);
    gboolean of_mbox = length > 5 && !memcmp(head, "From ", 5);
    g_autoptr(GByteArray) plain = plain_bytes(message, of_mbox);
    g_autoptr(GBytes) bytes = g_bytes_new(plain->data, plain->len);
    if (!is_message(bytes)) {
        import->passed_over++;
        return TRUE;
    }
    if (is_present(import, plain)) {
        import->present++;
        return TRUE;
    }
    struct piece piece = {.index = reader_index_text(import->reader, bytes, error),
                          .flags = of_mbox ? mbox_flags(bytes) : maildir_name_flags(name)};
    if (!piece.index)
        return FALSE;
    piece.flags &= ~(guint)FLAG_DELETED;
    piece.time = piece.index->envelope->flags & ENVELOPE_DATE_VALID ? piece.index->envelope->date : file_time(label);
    if (maildir_batch_add(import->batch, import->dir, piece.flags, plain->data, plain->len, error) < 0) {
        message_index_free(piece.index);
        return FALSE;
    }
    g_array_append_val(import->pieces, piece);
    return import->pieces->len < BATCH_MESSAGES && maildir_batch_bytes(import->batch) < BATCH_BYTES ? TRUE
                                                                                                    : flush(import, error);
}

/* ---- all of it ---- */

static gboolean
print_sums(const struct import *import, GError **error)
{
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "folder", import->name);
        json_int(&json, "imported", import->imported);
        json_int(&json, "present", import->present);
        json_int(&json, "passed_over", import->passed_over);
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    g_autofree char *line = g_strdup_printf(_("%u into %s, %u were there already, %u files are no mail"), import->imported, import->name,
                                            import->present, import->passed_over);
    return cli_print(line, error);
}

static gint64
target_folder(struct store *store, const struct account *account, GError **error)
{
    const char *name = into ? into : "Imported";
    gint64 owner = store_account_find(store, account->name), folder = 0;
    g_autoptr(GError) none = NULL;
    if ((folder = folder_lookup(store, owner, name, &none)))
        return folder;
    if (!g_error_matches(none, STORE_ERROR, ERROR_NOINPUT)) {
        g_propagate_error(error, g_steal_pointer(&none));
        return 0;
    }
    return intent_folder_create(store, owner, name, &folder, error) ? folder : 0;
}

static gboolean
import_mail(int argc, char **argv, GError **error)
{
    const struct account *account = cli_default_account(error);
    struct store *store = account ? cli_store(STORE_WRITE, error) : NULL;
    struct import import = {.store = store};
    if (!store || !(import.folder = target_folder(store, account, error)))
        return FALSE;
    g_autoptr(struct_folder) folder = folder_get(store, import.folder, error);
    g_autofree char *dir = folder ? folder_path(store, import.folder, TRUE, error) : NULL;
    if (!dir)
        return FALSE;
    import.name = folder->name;
    import.dir = dir;
    g_autoptr(struct_reader) reader = reader_new();
    g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(struct piece));
    g_autoptr(GHashTable) written = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    g_array_set_clear_func(pieces, piece_clear);
    import.reader = reader;
    import.pieces = pieces;
    import.written = written;
    import.batch = maildir_batch_new();
    gboolean ok = TRUE;
    for (int i = 0; ok && i < argc; i++)
        ok = mailfiles_each(argv[i], take, &import, error);
    ok = ok && flush(&import, error);
    maildir_batch_free(import.batch);
    if (import.imported)
        engine_kick();
    return ok && print_sums(&import, error);
}

static gboolean
run_import(int argc, char **argv, int *exit_code G_GNUC_UNUSED, GError **error)
{
    if (!argc)
        return into ? cli_usage_error(error, _("what is to be imported? name files, Maildirs or mboxes"))
                    : foreign_import(write_config, error);
    if (write_config)
        return cli_usage_error(error, _("--write is for configurations: it takes no path"));
    return import_mail(argc, argv, error);
}

const struct cli_command cmd_import = {
    "import",
    "[PATH…]",
    N_("mail from a Maildir or mbox; or what other programs' configurations say"),
    N_("PATH is a file, a folder, a Maildir or an mbox. Its messages go into the folder \"Imported\" of the default account, or "
       "into that of --into and --account, and to the server with the next pass. Flags come along (Maildir names; Status and "
       "X-Status of an mbox); the files themselves stay as they are. What the folder has already is left out, so that an import "
       "that was interrupted can be run again. \"postrider undo\" takes it back, forty messages at a time.\n\n"
       "Without PATH it reads what mbsync (.mbsyncrc), msmtp (.msmtprc) and mutt or neomutt (muttrc) are told, and prints the "
       "accounts as sections of our configuration; --write adds those that are not in it. Passwords are not copied: a command "
       "that prints one is, else it is asked for."),
    entries,
    WORDS_ANYWHERE,
    run_import};
