/* fillstore - a store full of the corpus's mail, for looking at the screen and for measuring it
 *
 *   tests/lab/corpus.py COUNT [SEED [KIND]] | fillstore DIR
 *
 * DIR is a store directory ($XDG_DATA_HOME/postrider), new or one that this program began. The mail lies there as after a
 * sync: files in the Maildirs, envelopes, conversations, full text. Two accounts ("home" has every tenth message) with
 * their usual folders, and a folder for each mailing list; nothing of it is on a server. The same corpus makes the same
 * list. No network and no reader process: the mail is trusted to be the corpus's.
 *
 * The stream is a line for each message, "DATE FLAGS KEYWORDS LENGTH FOLDER\n" (seconds, Maildir letters, words with commas
 * between, "-" for none; bytes), and the bytes.
 */
#include "config.h"

#include "base/flags.h"
#include "base/paths.h"
#include "mail/header.h"
#include "mail/parse.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/maildir.h"
#include "store/placement.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK 500        /* messages a transaction */
#define LINE_MAX_BYTES 400
#define SECOND_ACCOUNT 10 /* one in so many messages */

static const char *const accounts[][2] = {{"work", "ana@lab.test"}, {"home", "ana@home.test"}};
static const struct {
    const char *name;
    enum folder_role role;
} usual[] = {{"INBOX", FOLDER_INBOX}, {"Drafts", FOLDER_DRAFTS}, {"Sent", FOLDER_SENT},
             {"Junk", FOLDER_JUNK},   {"Trash", FOLDER_TRASH},   {"Archive", FOLDER_ARCHIVE}};

struct target {
    gint64 folder;
    char *dir;
    guint32 uid;
};

struct mail {
    struct target *target;
    struct message_index *index;
    struct placement_new row;
    char *tags;
    gint64 placement;
};

struct filler {
    struct store *store;
    gint64 accounts[G_N_ELEMENTS(accounts)];
    GHashTable *targets; /* "0 INBOX" -> struct target */
    struct mail mails[CHUNK];
    guint n;
    struct maildir_batch *files;
    guint64 total;
};

static void
fail(const char *what, const GError *error)
{
    fprintf(stderr, "fillstore: %s: %s\n", what, error ? error->message : "");
    exit(1);
}

static struct target *
target_of(struct filler *filler, guint account, const char *name)
{
    g_autofree char *key = g_strdup_printf("%u %s", account, name);
    struct target *target = g_hash_table_lookup(filler->targets, key);
    if (target)
        return target;
    g_autoptr(GError) error = NULL;
    enum folder_role role = FOLDER_NONE;
    for (guint i = 0; i < G_N_ELEMENTS(usual); i++)
        if (!strcmp(usual[i].name, name))
            role = usual[i].role;
    target = g_new0(struct target, 1);
    target->folder = folder_upsert(filler->store, filler->accounts[account], name, name, '/', role,
                                   FOLDER_SUBSCRIBED | FOLDER_SELECTABLE, &error);
    if (!target->folder || !folder_set_sync(filler->store, target->folder, 1, 1, 1, 0, time(NULL), &error) ||
        !(target->dir = folder_path(filler->store, target->folder, TRUE, &error)))
        fail(name, error);
    target->uid = placement_max_uid(filler->store, target->folder);
    g_hash_table_insert(filler->targets, g_steal_pointer(&key), target);
    return target;
}

static void
insert_rows(struct filler *filler)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < filler->n; i++) {
        struct mail *mail = &filler->mails[i];
        if (!placement_insert(filler->store, mail->target->folder, &mail->row, 1, &mail->placement, &error))
            fail("insert", error);
    }
}

static void
attach_bodies(struct filler *filler)
{
    g_autoptr(GError) error = NULL;
    struct placement_body bodies[CHUNK];
    for (guint i = 0; i < filler->n; i++) {
        const struct maildir_entry *entry = maildir_batch_entry(filler->files, i);
        bodies[i] = (struct placement_body){.placement = filler->mails[i].placement,
                                            .file = entry->file,
                                            .hash = entry->hash,
                                            .size = entry->wire_size,
                                            .index = filler->mails[i].index};
    }
    if (!placement_attach(filler->store, bodies, filler->n, &error))
        fail("attach", error);
}

static void
flush(struct filler *filler)
{
    g_autoptr(GError) error = NULL;
    if (!filler->n)
        return;
    if (!maildir_batch_commit(filler->files, &error))
        fail("files", error);
    if (!store_begin(filler->store, &error))
        fail("begin", error);
    insert_rows(filler);
    attach_bodies(filler);
    if (!store_commit(filler->store, &error))
        fail("commit", error);
    for (guint i = 0; i < filler->n; i++) {
        message_index_free(filler->mails[i].index);
        g_free(filler->mails[i].tags);
    }
    maildir_batch_free(filler->files);
    filler->files = maildir_batch_new();
    filler->total += filler->n;
    filler->n = 0;
}

static void
take(struct filler *filler, char *const *words, GBytes *bytes)
{
    g_autoptr(GError) error = NULL;
    struct mail *mail = &filler->mails[filler->n];
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    guint account = (filler->total + filler->n) % SECOND_ACCOUNT == SECOND_ACCOUNT - 1;
    g_auto(GStrv) keywords = g_strsplit(words[2], ",", -1);
    *mail = (struct mail){.target = target_of(filler, account, words[4]), .index = message_index_make(bytes)};
    guint flags = flags_from_maildir(words[1]);
    for (char **word = keywords; *word; word++)
        flags |= flags_from_imap(*word);
    mail->row = (struct placement_new){.uid = ++mail->target->uid,
                                       .modseq = 1,
                                       .flags = flags,
                                       .envelope = mail->index->envelope,
                                       .received = g_ascii_strtoll(words[0], NULL, 10),
                                       .size = size,
                                       .text_later = TRUE};
    if (maildir_batch_add(filler->files, mail->target->dir, flags, data, size, &error) < 0)
        fail(mail->target->dir, error);
    if (++filler->n == CHUNK)
        flush(filler);
}

/* FALSE: that was the last one. */
static gboolean
read_one(struct filler *filler)
{
    char line[LINE_MAX_BYTES];
    if (!fgets(line, sizeof line, stdin))
        return FALSE;
    g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 5);
    guint64 length = g_strv_length(words) == 5 ? g_ascii_strtoull(words[3], NULL, 10) : 0;
    if (!length || length > MAILDIR_MESSAGE_MAX)
        fail("this is no stream of corpus.py", NULL);
    char *data = g_malloc(length);
    if (fread(data, 1, length, stdin) != length)
        fail("the stream breaks off", NULL);
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, length);
    take(filler, words, bytes);
    return TRUE;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: corpus.py COUNT [SEED [KIND]] | fillstore DIR\n");
        return 64;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_store) store =
        paths_make_dir(argv[1], &error) ? store_open(argv[1], STORE_WRITE, &error) : NULL;
    if (!store)
        fail(argv[1], error);
    mail_init();
    struct filler *filler = g_new0(struct filler, 1);
    filler->store = store;
    filler->targets = g_hash_table_new(g_str_hash, g_str_equal);
    filler->files = maildir_batch_new();
    for (guint a = 0; a < G_N_ELEMENTS(accounts); a++) {
        const char *addresses[] = {accounts[a][1], NULL};
        filler->accounts[a] = store_account_ensure(store, accounts[a][0], addresses, &error);
        if (!filler->accounts[a])
            fail("account", error);
        for (guint i = 0; i < G_N_ELEMENTS(usual); i++)
            target_of(filler, a, usual[i].name);
    }
    while (read_one(filler))
        ;
    flush(filler);
    return 0;
}
