/* fillstore - a store full of plausible mail, for looking at the screen and for measuring it
 *
 *   fillstore DIR COUNT [SEED]     DIR is a store directory ($XDG_DATA_HOME/postrider)
 *
 * Two accounts, their usual folders, conversations, mailing lists, attachments, a verdict or two. The newest
 * 2,000 messages have bodies. The same seed makes the same mail.
 */
#include "config.h"

#include "base/clock.h"
#include "base/flags.h"
#include "base/paths.h"
#include "mail/document.h"
#include "mail/index.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/maildir.h"
#include "store/message.h"
#include "store/placement.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODIES 2000
#define BATCH 40

static const char *const people[][2] = {
    {"Marta Ruiz", "marta@example.org"},
    {"Tomás Vidal", "tomas@example.org"},
    {"Ben Okafor", "ben@example.net"},
    {"Ingrid Sørensen", "ingrid@example.com"},
    {"Łukasz Nowak", "lukasz@example.net"},
    {"田中 花子", "hanako@example.jp"},
    {"Build farm", "ci@build.example"},
    {"Petra Müller", "petra@example.de"},
    {"Oluwaseun Adeyemi", "seun@example.org"},
    {"Chloé Lefèvre", "chloe@example.fr"},
    {"Newsletter", "news@books.example"},
    {"GitLab", "noreply@gitlab.example"},
    {"محمد علي", "ali@example.com"},
    {"Dr. Anna Weiss", "weiss@klinik.example"},
    {"", "root@host.example"},
};
static const char *const topics[] = {
    "Lisbon offsite: flights",
    "Contract, second draft",
    "sync engine: QRESYNC or not?",
    "main is green",
    "Autumn reading list",
    "Invoice 2026-118",
    "Minutes of Tuesday",
    "Can we move the call to four?",
    "Photos from the hike",
    "Re-signing the certificates",
    "Anhang vergessen",
    "請求書の件",
    "Quarterly numbers",
    "patch: make the planner pure",
    "Lunch?",
    "Your order has shipped",
    "Proposal for the spring workshop",
    "Broken link on the download page",
    "[postrider] crash when the terminal is one column wide",
    "Welcome to the list",
    "Security advisory",
    "Library card renewal",
    "The garden fence",
    "Flat viewing on Saturday",
};
static const char *const sentences[] = {
    "I have booked the 9:40, seats together.",
    "Please read clause 4 before noon.",
    "Dovecot says VANISHED, and we believed it.",
    "412 tests passed in 00:41.",
    "The hotel is at Rua da Prata, five minutes from the river.",
    "Could you send me the numbers again?",
    "See the attached plan.",
    "I am not sure that this is right, but it works on my machine.",
    "Thanks, that was quick!",
    "Let us talk about it on Thursday.",
    "The fence is the neighbour's, he says.",
    "Nothing urgent, whenever you have a minute.",
    "明日の会議は十時からです。",
    "Wir sehen uns am Freitag.",
    "À bientôt, et merci encore.",
};

static GRand *dice;

static guint
roll(guint n)
{
    return (guint)g_rand_int_range(dice, 0, (gint32)n);
}

static const char *
sentence(void)
{
    return sentences[roll(G_N_ELEMENTS(sentences))];
}

struct thread {
    char *subject, *first_id, *last_id;
    guint length;
    GStrv references;
};

static void
fail(const char *what, GError *error)
{
    fprintf(stderr, "fillstore: %s: %s\n", what, error ? error->message : "");
    exit(1);
}

static struct envelope *
make_envelope(struct thread *thread, guint number, gint64 date, const char *me)
{
    struct envelope *envelope = envelope_new();
    guint who = roll(G_N_ELEMENTS(people));
    gboolean mine = thread->length && !roll(4);
    envelope->message_id = g_strdup_printf("%u.%x@seed.example", number, roll(1u << 30));
    envelope->date = date;
    envelope->zone = 60;
    envelope->flags = ENVELOPE_DATE_VALID;
    g_free(envelope->subject);
    envelope->subject =
        thread->length ? g_strdup_printf("Re: %s", thread->subject) : g_strdup(thread->subject);
    address_list_add(envelope->from,
                     mine              ? "Ana Ruiz"
                     : *people[who][0] ? people[who][0]
                                       : NULL,
                     mine ? me : people[who][1]);
    address_list_add(envelope->to, mine ? people[who][0] : "Ana Ruiz", mine ? people[who][1] : me);
    if (!roll(3)) {
        guint other = roll(G_N_ELEMENTS(people));
        address_list_add(envelope->cc, people[other][0], people[other][1]);
    }
    if (thread->length) {
        envelope->in_reply_to = g_strdup(thread->last_id);
        g_strfreev(envelope->references);
        envelope->references = g_new0(char *, 3);
        envelope->references[0] = g_strdup(thread->first_id);
        if (strcmp(thread->first_id, thread->last_id) != 0)
            envelope->references[1] = g_strdup(thread->last_id);
    } else {
        thread->first_id = g_strdup(envelope->message_id);
    }
    g_free(thread->last_id);
    thread->last_id = g_strdup(envelope->message_id);
    thread->length++;
    return envelope;
}

static char *
make_body(gboolean reply)
{
    GString *body = g_string_new(NULL);
    for (guint i = 0; i < 1 + roll(3); i++)
        g_string_append_printf(body, "%s ", sentence());
    g_string_append(body, "\n\n");
    if (reply) {
        g_string_append(body, "On Monday somebody wrote:\n");
        for (guint i = 0; i < 2 + roll(14); i++)
            g_string_append_printf(body, "> %s\n", sentence());
        g_string_append(body, "\n");
    }
    for (guint i = 0; i < roll(8); i++)
        g_string_append_printf(body, "%s %s %s\n\n", sentence(), sentence(), sentence());
    if (!roll(3))
        g_string_append_printf(body, "https://hotel.example/lisbon/%u\n\n", roll(1000));
    g_string_append(body, "-- \nAna\n");
    return g_string_free(body, FALSE);
}

static void
attach_body(struct store *store, const char *dir, gint64 placement, const struct envelope *envelope,
            guint flags)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *body = make_body(envelope->in_reply_to != NULL);
    g_autofree char *from = address_list_format(envelope->from);
    g_autofree char *to = address_list_format(envelope->to);
    g_autofree char *date = clock_rfc5322(envelope->date, envelope->zone);
    gboolean file = !roll(6);
    g_autofree char *text =
        file
            ? g_strdup_printf(
                  "From: %s\nTo: %s\nSubject: %s\nDate: %s\nMessage-ID: <%s>\nMIME-Version: 1.0\n"
                  "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; "
                  "charset=utf-8\n\n%s\n--b\n"
                  "Content-Type: application/pdf\nContent-Disposition: attachment; filename=itinerary.pdf\n"
                  "Content-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n--b--\n",
                  from, to, envelope->subject, date, envelope->message_id, body)
            : g_strdup_printf("From: %s\nTo: %s\nSubject: %s\nDate: %s\nMessage-ID: <%s>\nMIME-Version: 1.0\n"
                              "Content-Type: text/plain; charset=utf-8\n\n%s",
                              from, to, envelope->subject, date, envelope->message_id, body);
    struct maildir_entry entry = {0};
    if (!maildir_deliver(dir, flags, text, strlen(text), &entry, &error))
        fail(dir, error);
    struct message_index *index = message_index_new();
    index->flags = file ? DOCUMENT_ATTACHMENTS : 0;
    index->attachments_count = file;
    g_free(index->preview);
    g_free(index->subject);
    g_free(index->body);
    g_autofree char *squeezed = g_strndup(body, MIN(strlen(body), 180));
    g_strdelimit(squeezed, "\n", ' ');
    index->preview = g_utf8_make_valid(squeezed, -1);
    index->subject = g_strdup(envelope->subject);
    index->body = g_strdup(body);
    struct placement_body row = {placement, entry.file, entry.hash, entry.wire_size, index};
    if (!placement_attach(store, &row, 1, &error))
        fail("attach", error);
    message_index_free(index);
    maildir_entry_clear(&entry);
}

static void
fill_folder(struct store *store, gint64 folder, guint count, guint bodies, const char *me, guint32 base)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = folder_path(store, folder, TRUE, &error);
    if (!dir)
        fail("folder", error);
    struct thread threads[200] = {{0}};
    gint64 now = clock_now(), date = now - (gint64)count * 2400;
    for (guint i = 0; i < count; i += BATCH) {
        struct placement_new rows[BATCH] = {{0}};
        gint64 ids[BATCH] = {0};
        struct envelope *envelopes[BATCH];
        guint n = MIN(BATCH, count - i);
        for (guint j = 0; j < n; j++) {
            struct thread *thread = &threads[roll(G_N_ELEMENTS(threads))];
            if (!thread->subject || thread->length > 1 + roll(12)) {
                *thread = (struct thread){0};
                thread->subject = g_strdup(topics[roll(G_N_ELEMENTS(topics))]);
            }
            date = MIN(date + 600 + roll(3600), now - (count - i - j));
            envelopes[j] = make_envelope(thread, base + i + j, date, me);
            gboolean old = i + j + 60 < count;
            guint flags = (old && roll(40)) || !roll(3) ? FLAG_SEEN : 0;
            flags |= !roll(30) ? FLAG_FLAGGED : 0;
            flags |= flags & FLAG_SEEN && !roll(5) ? FLAG_ANSWERED : 0;
            rows[j] = (struct placement_new){.uid = i + j + 1,
                                             .modseq = 1,
                                             .flags = flags,
                                             .tags = roll(25) ? NULL : "travel",
                                             .envelope = envelopes[j],
                                             .received = date,
                                             .size = 800 + roll(90000)};
        }
        if (!placement_insert(store, folder, rows, n, ids, &error))
            fail("insert", error);
        for (guint j = 0; j < n; j++) {
            if (i + j + bodies >= count)
                attach_body(store, dir, ids[j], envelopes[j], rows[j].flags);
            envelope_free(envelopes[j]);
        }
    }
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: fillstore DIR COUNT [SEED]\n");
        return 64;
    }
    guint count = (guint)g_ascii_strtoull(argv[2], NULL, 10);
    dice = g_rand_new_with_seed(argc > 3 ? (guint32)g_ascii_strtoull(argv[3], NULL, 10) : 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_store) store =
        paths_make_dir(argv[1], &error) ? store_open(argv[1], STORE_WRITE, &error) : NULL;
    if (!store)
        fail(argv[1], error);
    static const struct {
        const char *name;
        enum folder_role role;
        guint share; /* of a hundred */
    } folders[] = {{"INBOX", FOLDER_INBOX, 60},
                   {"Drafts", FOLDER_DRAFTS, 0},
                   {"Sent", FOLDER_SENT, 10},
                   {"Junk", FOLDER_JUNK, 2},
                   {"Trash", FOLDER_TRASH, 2},
                   {"Archive", FOLDER_ARCHIVE, 15},
                   {"Lists/postrider-dev", FOLDER_NONE, 11}};
    static const char *const accounts[][2] = {{"work", "ana@example.org"}, {"home", "ana@example.net"}};
    for (guint a = 0; a < G_N_ELEMENTS(accounts); a++) {
        const char *addresses[] = {accounts[a][1], NULL};
        gint64 account = store_account_ensure(store, accounts[a][0], addresses, &error);
        if (!account)
            fail("account", error);
        for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
            gint64 id = folder_upsert(store, account, folders[i].name, folders[i].name, '/', folders[i].role,
                                      FOLDER_SUBSCRIBED | FOLDER_SELECTABLE, &error);
            if (!id || !folder_set_sync(store, id, 1, 1, 1, 0, clock_now(), &error))
                fail("folder", error);
            guint n = count * folders[i].share / 100 / (a ? 10 : 1);
            fill_folder(store, id, n, a ? 50 : MIN(n, BODIES * folders[i].share / 100), accounts[a][1],
                        (a * 10 + i + 1) * 1000000);
        }
    }
    return 0;
}
