/* Every call of proto/imap against a real server: tests/e2e/imap.py runs it inside a test world (LAB_* in the
 * environment; skipped without), once for each feature that the server can be without. The same calls are
 * made again with features switched off on our side. */
#include "config.h"

#include "base/flags.h"
#include "base/utf7.h"
#include "proto/imap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT "Live & Co"

struct news {
    guint exists, expunged, messages, others;
    struct uidset *vanished;
};

static void
take_news(const struct imap_event *event, gpointer data)
{
    struct news *news = data;
    switch (event->kind) {
    case IMAP_EVENT_EXISTS:
        news->exists = event->number;
        break;
    case IMAP_EVENT_EXPUNGED:
        news->expunged++;
        break;
    case IMAP_EVENT_VANISHED:
        uidset_add_set(news->vanished, event->uids);
        break;
    case IMAP_EVENT_MESSAGE:
        news->messages++;
        break;
    default:
        news->others++;
    }
}

static char *
get_secret(gpointer data, GError **error G_GNUC_UNUSED)
{
    return g_strdup(data);
}

static struct imap *
open_as(enum tls_mode tls, guint64 without, gboolean compress, const char *password, struct news *news,
        GError **error)
{
    const char *port = g_getenv(tls == TLS_IMPLICIT ? "LAB_IMAPS_PORT" : "LAB_IMAP_PORT");
    g_autofree char *user = g_strdup_printf("ana@%s", g_getenv("LAB_DOMAIN"));
    struct endpoint *endpoint =
        endpoint_new(ENDPOINT_IMAP, tls, g_getenv("LAB_HOST"), (guint16)strtoul(port, NULL, 10), user);
    endpoint->tls_ca = g_strdup(g_getenv("LAB_CA"));
    struct imap_options options = {
        .get_secret = get_secret,
        .secret_data = (gpointer)(password ? password : g_getenv("LAB_PASSWORD")),
        .on_event = news ? take_news : NULL,
        .event_data = news,
        .without = without,
        .compress = compress,
    };
    struct imap *imap = imap_open(endpoint, &options, NULL, error);
    endpoint_free(endpoint);
    return imap;
}

static struct imap *
open_session(guint64 without, struct news *news)
{
    g_autoptr(GError) error = NULL;
    struct imap *imap = open_as(TLS_IMPLICIT, without, TRUE, NULL, news, &error);
    g_assert_no_error(error);
    return imap;
}

#define OK(call)                                                                                             \
    do {                                                                                                     \
        GError *failure = NULL;                                                                              \
        gboolean done_ = (call);                                                                             \
        g_assert_no_error(failure);                                                                          \
        g_assert_true(done_);                                                                                \
    } while (0)

/* ---- messages ---- */

static char *
make_message(guint number, gsize size)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(
        text,
        "From: Ana <ana@lab.test>\r\nTo: ben@lab.test\r\nSubject: message %u\r\n"
        "Message-ID: <%u@live>\r\nDate: Thu, 12 Nov 2026 10:42:01 +0100\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ngr\xc3\xbc\xc3\x9f {5}\r\nP7 OK fake\r\n"
        "* 1 EXPUNGE\r\n)\r\n--b\r\nContent-Type: application/pdf\r\n"
        "Content-Disposition: attachment; filename=\"a (1).pdf\"\r\n\r\n",
        number, number);
    while (text->len + 8 < size)
        g_string_append(text, "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz\r\n");
    g_string_append(text, "\r\n--b--\r\n");
    return g_string_free(text, FALSE);
}

struct source {
    const char *at;
    gsize left;
};

static gssize
read_source(void *bytes, gsize size, gpointer data, GError **error G_GNUC_UNUSED)
{
    struct source *source = data;
    gsize n = MIN(MIN(size, source->left), 10000);
    memcpy(bytes, source->at, n);
    source->at += n;
    source->left -= n;
    return (gssize)n;
}

static guint32
append(struct imap *imap, const char *name, guint number, gsize size, guint flags, const char *keyword)
{
    g_autofree char *text = make_message(number, size);
    const char *keywords[] = {keyword, NULL};
    struct source source = {text, strlen(text)};
    struct imap_append message = {.flags = flags,
                                  .keywords = keyword ? keywords : NULL,
                                  .date = 1790000000 + number,
                                  .zone = 60,
                                  .size = source.left,
                                  .read = read_source,
                                  .data = &source};
    guint32 uidvalidity, uid;
    OK(imap_append(imap, name, &message, &uidvalidity, &uid, &failure));
    if (imap_has(imap, IMAP_UIDPLUS))
        g_assert_true(uid && uidvalidity);
    return uid;
}

struct seen {
    struct uidset *uids, *whole; /* told, and with all that was asked */
    GHashTable *flags;           /* uid → "flags keywords" */
    guint parts;
    guint64 modseq;
};

static struct seen *
seen_new(void)
{
    struct seen *seen = g_new0(struct seen, 1);
    seen->uids = uidset_new();
    seen->whole = uidset_new();
    seen->flags = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return seen;
}

static void
seen_free(struct seen *seen)
{
    uidset_free(seen->uids);
    uidset_free(seen->whole);
    g_hash_table_unref(seen->flags);
    g_free(seen);
}

static gboolean
take_seen(const struct imap_message *message, gpointer data, GError **error G_GNUC_UNUSED)
{
    struct seen *seen = data;
    g_assert_false(uidset_contains(seen->uids, message->uid));
    uidset_add(seen->uids, message->uid);
    if (message->items & IMAP_FETCH_FLAGS) {
        g_autofree char *keywords = g_strjoinv(",", (char **)message->keywords);
        g_autofree char *letters = flags_to_maildir(message->flags);
        g_hash_table_replace(seen->flags, GUINT_TO_POINTER(message->uid),
                             g_strconcat(letters, " ", keywords, NULL));
    }
    if (message->items & IMAP_FETCH_MODSEQ)
        seen->modseq = MAX(seen->modseq, message->modseq);
    guint all =
        IMAP_FETCH_FLAGS | IMAP_FETCH_SIZE | IMAP_FETCH_DATE | IMAP_FETCH_HEADER | IMAP_FETCH_STRUCTURE;
    if ((message->items & all) != all)
        return TRUE;
    uidset_add(seen->whole, message->uid);
    g_assert_cmpint(message->date, ==, 1790000000 + message->uid - 1);
    g_assert_nonnull(g_strstr_len(message->header, (gssize)message->header_length, "Subject: message "));
    g_assert_null(g_strstr_len(message->header, (gssize)message->header_length, "MIME-Version"));
    g_assert_cmpuint(message->parts->len, ==, 2);
    const struct imap_part *part = message->parts->pdata[1];
    g_assert_cmpstr(part->section, ==, "2");
    g_assert_cmpstr(part->subtype, ==, "pdf");
    g_assert_cmpstr(part->filename, ==, "a (1).pdf");
    g_assert_cmpstr(part->disposition, ==, "attachment");
    return TRUE;
}

static const char *
flags_of(struct seen *seen, guint32 uid)
{
    return g_hash_table_lookup(seen->flags, GUINT_TO_POINTER(uid));
}

/* A sink that keeps the last message. */
struct kept {
    GString *bytes;
    guint64 size;
    GHashTable *messages; /* uid → bytes */
    guint stop_after;     /* writes, 0: never */
};

static gboolean
kept_begin(guint32 uid G_GNUC_UNUSED, guint64 size, gpointer data, GError **error G_GNUC_UNUSED)
{
    struct kept *kept = data;
    g_string_truncate(kept->bytes, 0);
    kept->size = size;
    return TRUE;
}

static gboolean
kept_write(const void *bytes, gsize length, gpointer data, GError **error)
{
    struct kept *kept = data;
    g_assert_cmpuint(length, <=, 64 * 1024);
    g_string_append_len(kept->bytes, bytes, (gssize)length);
    if (kept->stop_after && --kept->stop_after == 0) {
        g_set_error(error, IMAP_ERROR, ERROR_IO, "disk full");
        return FALSE;
    }
    return TRUE;
}

static gboolean
kept_end(const struct imap_message *message, gpointer data, GError **error G_GNUC_UNUSED)
{
    struct kept *kept = data;
    g_assert_cmpuint(kept->bytes->len, ==, kept->size);
    g_assert_true(message->items & IMAP_FETCH_BODY);
    g_hash_table_replace(kept->messages, GUINT_TO_POINTER(message->uid), g_strdup(kept->bytes->str));
    return TRUE;
}

static struct imap_sink
kept_sink(struct kept *kept)
{
    kept->bytes = g_string_new(NULL);
    kept->messages = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return (struct imap_sink){kept_begin, kept_write, kept_end, kept};
}

static void
kept_clear(struct kept *kept)
{
    g_string_free(kept->bytes, TRUE);
    g_hash_table_unref(kept->messages);
}

/* ---- the walk ---- */

struct walk {
    struct imap *imap, *other; /* the second has all features */
    struct news news;
    char *one, *two; /* folders, wire form */
    guint32 uids[5]; /* of what is stored in one */
};

static char *
below(struct walk *walk, const char *name)
{
    g_autoptr(GError) error = NULL;
    const GPtrArray *namespaces = imap_get_namespaces(walk->imap, &error);
    g_assert_no_error(error);
    const struct imap_namespace *own = namespaces->pdata[0];
    g_autofree char *utf8 = g_strdup_printf("%s%s%c%s", own->prefix, ROOT, own->delimiter, name);
    return utf7_encode(utf8);
}

static struct imap_folder *
find_folder(GPtrArray *folders, const char *name)
{
    for (guint i = 0; i < folders->len; i++)
        if (!strcmp(((struct imap_folder *)folders->pdata[i])->name, name))
            return folders->pdata[i];
    return NULL;
}

static void
walk_folders(struct walk *walk)
{
    struct imap *imap = walk->imap;
    g_autoptr(GError) error = NULL;
    OK(imap_create(imap, walk->one, 0, FALSE, &failure));
    OK(imap_create(imap, walk->two, 0, TRUE, &failure));
    OK(imap_create(imap, walk->two, 0, TRUE, &failure));
    g_assert_false(imap_create(imap, walk->two, 0, FALSE, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_REFUSED);
    g_clear_error(&error);
    OK(imap_subscribe(imap, walk->one, TRUE, &failure));
    g_autoptr(GPtrArray) folders = imap_list(imap, IMAP_STATUS_SYNC, &error);
    g_assert_no_error(error);
    struct imap_folder *inbox = find_folder(folders, "INBOX"), *one = find_folder(folders, walk->one);
    struct imap_folder *two = find_folder(folders, walk->two);
    g_assert_true(inbox && one && two);
    g_assert_true(one->attributes & IMAP_SUBSCRIBED);
    g_assert_false(two->attributes & IMAP_SUBSCRIBED);
    g_assert_true(g_str_has_suffix(one->shown, "Eins–日本"));
    gboolean states = imap_has(imap, IMAP_LIST_STATUS | IMAP_LIST_EXTENDED);
    g_assert_cmpint(one->has_status, ==, states);
    if (states)
        g_assert_cmpuint(one->status.uidvalidity, >, 0);
    if (imap_has(imap, IMAP_SPECIAL_USE)) {
        struct imap_folder *sent = find_folder(folders, "Sent");
        g_assert_true(sent && sent->roles == IMAP_ROLE_SENT);
    }
    OK(imap_subscribe(imap, walk->one, FALSE, &failure));
}

static void
walk_append(struct walk *walk)
{
    static const gsize sizes[] = {0, 3000, 4096, 70000, 900000};
    for (guint i = 0; i < 5; i++)
        walk->uids[i] = append(walk->imap, walk->one, i, sizes[i], i % 2 ? FLAG_SEEN | FLAG_FORWARDED : 0,
                               i % 2 ? "work" : NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *gone = below(walk, "not there");
    struct source source = {"x\r\n", 3};
    struct imap_append message = {.size = 3, .read = read_source, .data = &source};
    guint32 a, b;
    g_assert_false(imap_append(walk->imap, gone, &message, &a, &b, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_STALE);
    g_assert_false(imap_is_dead(walk->imap));
}

static void
walk_select(struct walk *walk)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *gone = below(walk, "not there");
    g_assert_null(imap_select(walk->imap, gone, NULL, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_STALE);
    g_clear_error(&error);
    g_assert_null(imap_get_selected(walk->imap));
    g_assert_null(imap_search_all(walk->imap, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_STALE);
    g_clear_error(&error);
    g_autoptr(struct_imap_mailbox) box = imap_select(walk->imap, walk->one, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(box->exists, ==, 5);
    g_assert_cmpuint(box->uidvalidity, >, 0);
    g_assert_cmpuint(box->uidnext, ==, 6);
    g_assert_false(box->read_only);
    g_assert_true(box->permanent_keywords);
    g_assert_cmphex(box->permanent_flags & (FLAG_SEEN | FLAG_DELETED), ==, FLAG_SEEN | FLAG_DELETED);
    g_assert_true(g_strv_contains((const char *const *)box->keywords, "work"));
    g_assert_cmpint(box->modseq > 0, ==, imap_has(walk->imap, IMAP_CONDSTORE));
    g_assert_false(box->resynced);
    g_autoptr(struct_uidset) all = imap_search_all(walk->imap, &error);
    g_assert_no_error(error);
    g_autofree char *text = uidset_format(all);
    g_assert_cmpstr(text, ==, "1:5");
    g_autoptr(struct_uidset) some = imap_search(walk->imap, "SEEN", &error);
    g_autofree char *seen = uidset_format(some);
    g_assert_cmpstr(seen, ==, "2,4");
    for (guint i = 0; i < 5; i++)
        walk->uids[i] = i + 1;
}

static void
walk_fetch(struct walk *walk)
{
    struct seen *seen = seen_new();
    g_autoptr(struct_uidset) all = uidset_new_range(1, G_MAXUINT32);
    struct imap_fetch what = {.items = IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ | IMAP_FETCH_SIZE |
                                       IMAP_FETCH_DATE | IMAP_FETCH_HEADER | IMAP_FETCH_IDS |
                                       IMAP_FETCH_STRUCTURE,
                              .newest_first = TRUE,
                              .chunk = 2};
    OK(imap_fetch(walk->imap, all, &what, take_seen, seen, &failure));
    g_assert_cmpuint(uidset_count(seen->uids), ==, 5);
    g_assert_cmpuint(uidset_count(seen->whole), ==, 5);
    g_assert_cmpstr(flags_of(seen, 1), ==, " ");
    g_assert_cmpstr(flags_of(seen, 2), ==, "PS work");
    g_assert_cmpint(seen->modseq > 0, ==, imap_has(walk->imap, IMAP_CONDSTORE));
    seen_free(seen);
}

static void
walk_bodies(struct walk *walk)
{
    static const gsize sizes[] = {0, 3000, 4096, 70000, 900000};
    g_autoptr(GError) error = NULL;
    struct kept kept = {0};
    struct imap_sink sink = kept_sink(&kept);
    g_autoptr(struct_uidset) uids = uidset_parse("1:5,999", -1, 0), missing = uidset_new();
    OK(imap_fetch_bodies(walk->imap, uids, TRUE, &sink, missing, &failure));
    g_autofree char *text = uidset_format(missing);
    g_assert_cmpstr(text, ==, "999");
    for (guint i = 0; i < 5; i++) {
        g_autofree char *message = make_message(i, sizes[i]);
        g_assert_cmpstr(g_hash_table_lookup(kept.messages, GUINT_TO_POINTER(i + 1)), ==, message);
    }
    OK(imap_fetch_section(walk->imap, 3, "1", &sink, &failure));
    g_assert_cmpstr(kept.bytes->str, ==, "gr\xc3\xbc\xc3\x9f {5}\r\nP7 OK fake\r\n* 1 EXPUNGE\r\n)");
    g_assert_false(imap_fetch_section(walk->imap, 3, "1] BODY[2", &sink, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_INPUT);
    g_clear_error(&error);
    g_assert_false(imap_fetch_section(walk->imap, 999, "", &sink, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_SKIP);
    g_clear_error(&error);
    /* A sink that fails ends the call, with its own error, and the session lives. */
    kept.stop_after = 3;
    g_assert_false(imap_fetch_bodies(walk->imap, uids, TRUE, &sink, NULL, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_IO);
    g_assert_false(imap_is_dead(walk->imap));
    kept_clear(&kept);
}

static void
open_other(struct walk *walk)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_imap_mailbox) box = imap_select(walk->other, walk->one, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(box->name, ==, walk->one);
}

static void
walk_store(struct walk *walk)
{
    static const char *const keywords[] = {"urgent", "todo", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_uidset) two = uidset_parse("2:3", -1, 0), one = uidset_parse("1", -1, 0),
                             modified = uidset_new();
    struct imap_fetch what = {.items = IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ};
    g_autoptr(struct_uidset) all = uidset_parse("1:5", -1, 0);
    struct seen *seen = seen_new();
    OK(imap_fetch(walk->imap, all, &what, take_seen, seen, &failure));
    guint64 modseq = seen->modseq;
    seen_free(seen);
    open_other(walk);
    OK(imap_store(walk->other, one, TRUE, FLAG_FLAGGED, NULL, 0, NULL, NULL, NULL, &failure));
    OK(imap_store(walk->imap, two, TRUE, FLAG_ANSWERED, keywords, 0, NULL, NULL, NULL, &failure));
    OK(imap_store(walk->imap, two, FALSE, FLAG_SEEN, NULL, 0, NULL, NULL, NULL, &failure));
    OK(imap_store(walk->imap, two, FALSE, 0, keywords + 1, 0, NULL, NULL, NULL, &failure));
    OK(imap_store(walk->imap, two, FALSE, 0, NULL, 0, NULL, NULL, NULL, &failure));
    OK(imap_noop(walk->imap, &failure));
    g_assert_cmpuint(walk->news.messages, >, 0); /* the other's \Flagged */
    seen = seen_new();
    OK(imap_fetch(walk->imap, all, &what, take_seen, seen, &failure));
    g_assert_cmpstr(flags_of(seen, 1), ==, "F ");
    g_assert_true(g_str_has_prefix(flags_of(seen, 2), "PR "));
    g_assert_nonnull(strstr(flags_of(seen, 2), "urgent"));
    g_assert_null(strstr(flags_of(seen, 2), "todo"));
    seen_free(seen);
    if (imap_has(walk->imap, IMAP_CONDSTORE)) {
        /* 2 and 3 changed after modseq; 1 too, by the other. */
        seen = seen_new();
        what.changed_since = modseq;
        OK(imap_fetch(walk->imap, all, &what, take_seen, seen, &failure));
        g_autofree char *changed = uidset_format(seen->uids);
        g_assert_cmpstr(changed, ==, "1:3");
        seen_free(seen);
        OK(imap_store(walk->imap, all, TRUE, FLAG_DRAFT, NULL, modseq, modified, NULL, NULL, &failure));
        g_autofree char *refused = uidset_format(modified);
        g_assert_cmpstr(refused, ==, "1:3");
        OK(imap_store(walk->imap, all, FALSE, FLAG_DRAFT, NULL, 0, NULL, NULL, NULL, &failure));
    }
    static const char *const bad[] = {"a b", NULL};
    g_assert_false(imap_store(walk->imap, one, TRUE, 0, bad, 0, NULL, NULL, NULL, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_INPUT);
}

static void
walk_copy(struct walk *walk)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *gone = below(walk, "not there");
    g_autoptr(struct_imap_copies) copies = imap_copies_new();
    g_autoptr(struct_uidset) some = uidset_parse("2,4:5", -1, 0), one = uidset_parse("5", -1, 0);
    g_autoptr(struct_uidset) three = uidset_parse("3", -1, 0);
    OK(imap_copy(walk->imap, some, walk->two, copies, &failure));
    g_assert_true(copies->pairs->len == 3 || !imap_has(walk->imap, IMAP_UIDPLUS));
    if (copies->pairs->len) {
        g_assert_cmpuint(copies->uidvalidity, >, 0);
        g_assert_cmpuint(g_array_index(copies->pairs, struct imap_copied, 1).from, ==, 4);
        g_assert_cmpuint(g_array_index(copies->pairs, struct imap_copied, 1).to, ==, 2);
    }
    g_assert_false(imap_copy(walk->imap, some, gone, copies, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_STALE);
    g_clear_error(&error);
    g_array_set_size(copies->pairs, 0);
    if (imap_has(walk->imap, IMAP_MOVE)) {
        OK(imap_move(walk->imap, one, walk->two, copies, &failure));
        g_assert_true(copies->pairs->len == 1 || !imap_has(walk->imap, IMAP_UIDPLUS));
    } else {
        g_assert_false(imap_move(walk->imap, one, walk->two, NULL, &error));
        g_assert_error(error, IMAP_ERROR, ERROR_REFUSED);
        g_clear_error(&error);
        OK(imap_store(walk->imap, one, TRUE, FLAG_DELETED, NULL, 0, NULL, NULL, NULL, &failure));
        if (imap_has(walk->imap, IMAP_UIDPLUS))
            OK(imap_expunge(walk->imap, one, &failure));
        else
            OK(imap_expunge_all_deleted(walk->imap, &failure));
    }
    /* Someone else's \Deleted stays. */
    OK(imap_store(walk->imap, some, TRUE, FLAG_DELETED, NULL, 0, NULL, NULL, NULL, &failure));
    if (imap_has(walk->imap, IMAP_UIDPLUS)) {
        OK(imap_expunge(walk->imap, three, &failure));
        g_autoptr(struct_uidset) four = uidset_parse("4", -1, 0);
        OK(imap_expunge(walk->imap, four, &failure));
    } else {
        g_autoptr(struct_uidset) two = uidset_parse("2", -1, 0);
        g_assert_false(imap_expunge(walk->imap, three, &error));
        g_assert_error(error, IMAP_ERROR, ERROR_REFUSED);
        g_clear_error(&error);
        OK(imap_store(walk->imap, two, FALSE, FLAG_DELETED, NULL, 0, NULL, NULL, NULL, &failure));
        OK(imap_expunge_all_deleted(walk->imap, &failure));
    }
    g_autoptr(struct_uidset) left = imap_search_all(walk->imap, &error);
    g_autofree char *text = uidset_format(left);
    g_assert_cmpstr(text, ==, "1:3");
    if (imap_has(walk->imap, IMAP_QRESYNC))
        g_assert_true(uidset_contains(walk->news.vanished, 4));
    else
        g_assert_cmpuint(walk->news.expunged, >=, 1);
}

static void
walk_resync(struct walk *walk)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_imap_mailbox) before = imap_select(walk->imap, walk->one, NULL, &error);
    g_assert_no_error(error);
    OK(imap_unselect(walk->imap, &failure));
    g_assert_null(imap_get_selected(walk->imap));
    open_other(walk);
    g_autoptr(struct_uidset) one = uidset_parse("1", -1, 0), two = uidset_parse("2", -1, 0);
    OK(imap_store(walk->other, one, TRUE, FLAG_SEEN, NULL, 0, NULL, NULL, NULL, &failure));
    OK(imap_store(walk->other, two, TRUE, FLAG_DELETED, NULL, 0, NULL, NULL, NULL, &failure));
    OK(imap_expunge_all_deleted(walk->other, &failure));
    struct seen *seen = seen_new();
    g_autoptr(struct_uidset) known = uidset_parse("1:3", -1, 0);
    struct imap_select how = {.uidvalidity = before->uidvalidity,
                              .modseq = before->modseq,
                              .known = known,
                              .on_changed = take_seen,
                              .data = seen};
    g_autoptr(struct_imap_mailbox) after = imap_select(walk->imap, walk->one, &how, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(after->exists, ==, 2);
    g_assert_cmpint(after->resynced, ==, imap_has(walk->imap, IMAP_QRESYNC));
    g_autofree char *gone = uidset_format(after->vanished), *changed = uidset_format(seen->uids);
    g_assert_cmpstr(gone, ==, after->resynced ? "2" : "");
    g_assert_cmpstr(changed, ==, after->resynced ? "1" : "");
    if (imap_has(walk->imap, IMAP_QRESYNC)) {
        g_autoptr(struct_uidset) vanished = uidset_new();
        struct imap_fetch what = {
            .items = IMAP_FETCH_FLAGS, .changed_since = before->modseq, .vanished = vanished};
        seen_free(seen);
        seen = seen_new();
        OK(imap_fetch(walk->imap, known, &what, take_seen, seen, &failure));
        g_autofree char *again = uidset_format(vanished), *flags = uidset_format(seen->uids);
        g_assert_cmpstr(again, ==, "2");
        g_assert_cmpstr(flags, ==, "1");
        how.uidvalidity++; /* another folder of that name */
        g_autoptr(struct_imap_mailbox) anew = imap_select(walk->imap, walk->one, &how, &error);
        g_assert_no_error(error);
        g_assert_false(anew->resynced);
        g_assert_true(uidset_is_empty(anew->vanished));
    }
    how = (struct imap_select){.read_only = TRUE, .plain = TRUE};
    g_autoptr(struct_imap_mailbox) shut = imap_select(walk->imap, walk->one, &how, &error);
    g_assert_no_error(error);
    g_assert_true(shut->read_only);
    g_assert_false(imap_store(walk->imap, one, TRUE, FLAG_SEEN, NULL, 0, NULL, NULL, NULL, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_REFUSED);
    seen_free(seen);
}

static void
walk_status(struct walk *walk)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *gone = below(walk, "not there");
    const char *names[] = {"inbox", gone, walk->two, "raw\xff", NULL};
    guint64 before = imap_get_roundtrips(walk->imap);
    g_autoptr(GPtrArray) states =
        imap_status(walk->imap, names, IMAP_STATUS_SYNC | IMAP_STATUS_TOTALSIZE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(states->len, ==, 4);
    if (imap_has(walk->imap, IMAP_LITERAL_PLUS))
        g_assert_cmpuint(imap_get_roundtrips(walk->imap) - before, ==, 1);
    const struct imap_status *inbox = states->pdata[0], *lost = states->pdata[1], *two = states->pdata[2];
    g_assert_true(inbox->items & IMAP_STATUS_UIDVALIDITY);
    g_assert_cmpuint(lost->items, ==, 0);
    g_assert_cmpuint(two->messages, >=, 3);
    g_assert_cmpint((two->items & IMAP_STATUS_MODSEQ) != 0, ==, imap_has(walk->imap, IMAP_CONDSTORE));
    const char *bad[] = {"a\r\nP9 DELETE INBOX", NULL};
    g_assert_null(imap_status(walk->imap, bad, IMAP_STATUS_SYNC, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_INPUT);
}

static void
walk_idle(struct walk *walk)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_imap_mailbox) box = imap_select(walk->imap, walk->two, NULL, &error);
    g_assert_no_error(error);
    if (!imap_has(walk->imap, IMAP_IDLE)) {
        g_assert_false(imap_idle_start(walk->imap, &error));
        g_assert_error(error, IMAP_ERROR, ERROR_REFUSED);
        return;
    }
    OK(imap_idle_start(walk->imap, &failure));
    guint events;
    OK(imap_idle_wait(walk->imap, 0, -1, &events, &failure));
    g_assert_false(imap_noop(walk->imap, &error)); /* not in between */
    g_assert_error(error, IMAP_ERROR, ERROR_GIVEUP);
    walk->news.exists = 0;
    append(walk->other, walk->two, 9, 0, 0, NULL);
    while (walk->news.exists != box->exists + 1) /* the stream's limits end it */
        OK(imap_idle_wait(walk->imap, 30000, -1, &events, &failure));
    OK(imap_idle_done(walk->imap, &failure));
    OK(imap_noop(walk->imap, &failure));
}

static void
walk_end(struct walk *walk)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *renamed = below(walk, "[x] \"quoted\\");
    OK(imap_unselect(walk->imap, &failure));
    OK(imap_unselect(walk->other, &failure));
    OK(imap_rename(walk->imap, walk->one, renamed, &failure));
    g_assert_null(imap_select(walk->imap, walk->one, NULL, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_STALE);
    g_clear_error(&error);
    OK(imap_delete(walk->imap, renamed, &failure));
    OK(imap_delete(walk->imap, walk->two, &failure));
    g_assert_false(imap_delete(walk->imap, walk->two, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_STALE);
    OK(imap_noop(walk->imap, &failure));
}

static const guint64 switched_off[] = {
    0,
    IMAP_QRESYNC,
    IMAP_QRESYNC | IMAP_CONDSTORE,
    IMAP_LIST_EXTENDED | IMAP_LIST_STATUS | IMAP_ENABLE,
    IMAP_UIDPLUS | IMAP_UNSELECT | IMAP_NAMESPACE,
    IMAP_MOVE | IMAP_LITERAL_PLUS | IMAP_LITERAL_MINUS | IMAP_SASL_IR,
    ~(guint64)(IMAP_LOGINDISABLED | IMAP_STARTTLS),
};

static void
test_walk(gconstpointer data)
{
    struct walk walk = {.news.vanished = uidset_new()};
    walk.imap = open_session(*(const guint64 *)data, &walk.news);
    walk.other = open_session(0, NULL);
    walk.one = below(&walk, "Eins–日本");
    walk.two = below(&walk, "Zwei");
    imap_delete(walk.other, walk.one, NULL); /* of a run that was broken off */
    imap_delete(walk.other, walk.two, NULL);
    walk_folders(&walk);
    walk_append(&walk);
    walk_select(&walk);
    walk_fetch(&walk);
    walk_bodies(&walk);
    walk_store(&walk);
    walk_copy(&walk);
    walk_resync(&walk);
    walk_status(&walk);
    walk_idle(&walk);
    walk_end(&walk);
    imap_logout(walk.imap);
    imap_logout(walk.other);
    g_assert_true(imap_is_dead(walk.imap));
    imap_free(walk.imap);
    imap_free(walk.other);
    uidset_free(walk.news.vanished);
    g_free(walk.one);
    g_free(walk.two);
}

static void
test_open(void)
{
    g_autoptr(GError) error = NULL;
    struct stream_info info;
    g_autoptr(struct_imap) upgraded = open_as(TLS_STARTTLS, 0, FALSE, NULL, NULL, &error);
    g_assert_no_error(error);
    stream_get_info(imap_get_stream(upgraded), &info);
    g_assert_nonnull(info.tls);
    g_assert_false(info.compressed);
    g_autoptr(struct_imap) direct = open_as(TLS_IMPLICIT, 0, TRUE, NULL, NULL, &error);
    g_assert_no_error(error);
    stream_get_info(imap_get_stream(direct), &info);
    g_assert_cmpint(info.compressed, ==, imap_has(direct, IMAP_COMPRESS));
    if (imap_has(direct, IMAP_ID))
        g_assert_true(g_str_has_prefix(imap_get_server_name(direct), "Dovecot"));
    g_assert_null(open_as(TLS_IMPLICIT, 0, TRUE, "wrong \"password\"", NULL, &error));
    g_assert_error(error, IMAP_ERROR, ERROR_AUTH);
    g_assert_null(strstr(error->message, "password\""));
}

int
main(int argc, char **argv)
{
    if (!g_getenv("LAB_IMAPS_PORT")) {
        puts("1..0 # SKIP no test world; see tests/e2e/imap.py");
        return 0;
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-live/open", test_open);
    for (guint i = 0; i < G_N_ELEMENTS(switched_off); i++) {
        g_autofree char *path = g_strdup_printf("/imap-live/walk/%u", i);
        g_test_add_data_func(path, &switched_off[i], test_walk);
    }
    return g_test_run();
}
