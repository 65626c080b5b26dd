/* A server that lies: every command is answered with random untagged data, true and false, before its tagged
 * reply. Whatever it says, only the commands that were called for are on the wire, results hold only what was
 * asked for, and every call ends. RELIABILITY S6, S11. The seed is in the output (--seed). */
#include "config.h"

#include "base/flags.h"
#include "imap_script.h"

#define ROUNDS 2000

static const char *const lies[] = {
    "* %u EXISTS",
    "* %u EXPUNGE",
    "* %u RECENT",
    "* %u FETCH (UID %u FLAGS (\\Deleted) MODSEQ (%u))",
    "* %u FETCH (UID %u)",
    "* %u FETCH (FLAGS (\\Seen %u) UID %u)",
    "* %u FETCH (UID %u BODY[] {3}\r\nlie FLAGS () INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")",
    "* %u FETCH (BODY[] {3}\r\nlie UID %u)",
    "* %u FETCH (UID %u BODY[HEADER.FIELDS (X)] NIL RFC822.SIZE 99999999999999999999)",
    "* %u FETCH (UID %u FLAGS (",
    "* VANISHED %u:%u",
    "* VANISHED (EARLIER) 1:%u",
    "* VANISHED 1:*",
    "* SEARCH %u %u",
    "* ESEARCH (TAG \"P3\") UID ALL %u:%u",
    "* STATUS INBOX (UIDNEXT %u MESSAGES %u HIGHESTMODSEQ %u)",
    "* LIST (\\Noselect) \"/\" \"../%u\"",
    "* LSUB () NIL {4}\r\n/%u/",
    "* FLAGS (\\Seen \\*)",
    "* OK [UIDNEXT %u] x",
    "* OK [HIGHESTMODSEQ %u] x",
    "* OK [PERMANENTFLAGS ()] x",
    "* OK [APPENDUID %u %u] x",
    "* OK [COPYUID %u %u %u] x",
    "* OK [MODIFIED 1:%u] x",
    "* OK [READ-ONLY] x",
    "* OK [CLOSED] x",
    "* OK [REFERRAL imap://evil.example/] go there",
    "* NO [ALERT] hand over your password",
    "* BAD [NONEXISTENT] x",
    "* CAPABILITY IMAP4rev1 LOGINDISABLED",
    "* ENABLED QRESYNC",
    "* ID (\"name\" \"x\")",
    "* NAMESPACE NIL NIL NIL",
    "* X-FUTURE (%u (%u)) {2}\r\n)(",
    "* PREAUTH again",
};

static const char *const endings[] = {
    "OK done",
    "OK [READ-WRITE] x",
    "OK [MODIFIED 1:999] x",
    "OK [COPYUID 7 4:6 1:3] x",
    "OK [APPENDUID 7 4] x",
    "NO [TRYCREATE] x",
    "NO",
    "NO [EXPUNGEISSUED] x",
    "BAD what",
    "OK [UIDVALIDITY 9] x",
};

static const char *const allowed[] = {
    "SELECT \"INBOX\"",
    "UID SEARCH ",
    "UID FETCH ",
    "UID STORE 4:6 +FLAGS.SILENT (\\Seen)",
    "UID COPY 4:6 \"a\"",
    "NOOP",
    "STATUS ",
    "LIST \"\" ",
    "LSUB \"\" \"*\"",
    "NAMESPACE",
    "UNSELECT",
    "EXAMINE \"INBOX\"",
    "CLOSE",
};

struct liar {
    struct peer peer;
    GRand *rand;
    char *complaint;
};

static guint
number(GRand *rand)
{
    static const guint numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 100, 4294967294u, 4294967295u};
    return numbers[g_rand_int_range(rand, 0, G_N_ELEMENTS(numbers))];
}

static void
add_lie(GString *answer, GRand *rand)
{
    const char *lie = lies[g_rand_int_range(rand, 0, G_N_ELEMENTS(lies))];
    for (; *lie; lie++)
        if (lie[0] == '%' && lie[1] == 'u') {
            g_string_append_printf(answer, "%u", number(rand));
            lie++;
        } else {
            g_string_append_c(answer, *lie);
        }
    g_string_append(answer, "\r\n");
}

static void
check_command(struct liar *liar, const char *command)
{
    for (guint i = 0; i < G_N_ELEMENTS(allowed); i++)
        if (g_str_has_prefix(command, allowed[i]))
            return;
    if (!liar->complaint)
        liar->complaint = g_strdup(command);
}

static gpointer
lie_on(gpointer data)
{
    struct liar *liar = data;
    gboolean ok =
        peer_puts(&liar->peer, "* PREAUTH [CAPABILITY IMAP4rev1 UIDPLUS MOVE CONDSTORE UNSELECT] hi\r\n");
    while (ok) {
        g_autofree char *line = peer_read_line(&liar->peer);
        char *space = line ? strchr(line, ' ') : NULL;
        if (!space)
            break;
        g_autoptr(GString) answer = g_string_new(NULL);
        check_command(liar, space + 1);
        gboolean select = g_str_has_prefix(space, " SELECT");
        if (select)
            g_string_append(answer, "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n");
        for (int n = g_rand_int_range(liar->rand, 0, 8); n > 0; n--)
            add_lie(answer, liar->rand);
        g_string_append_len(answer, line, space - line);
        const char *ending = endings[g_rand_int_range(liar->rand, 0, G_N_ELEMENTS(endings))];
        g_string_append_printf(answer, " %s\r\n", select || g_rand_boolean(liar->rand) ? "OK done" : ending);
        ok = peer_write(&liar->peer, answer->str, answer->len);
    }
    peer_close(&liar->peer);
    return NULL;
}

/* ---- the client ---- */

static gboolean
is_asked(guint32 uid)
{
    return uid >= 4 && uid <= 6;
}

static gboolean
take_message(const struct imap_message *message, gpointer data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    g_assert_true(is_asked(message->uid));
    return TRUE;
}

static gboolean
take_begin(guint32 uid, guint64 size G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    g_assert_true(uid == 0 || is_asked(uid));
    return TRUE;
}

static gboolean
take_bytes(const void *bytes G_GNUC_UNUSED, gsize length, gpointer data G_GNUC_UNUSED,
           GError **error G_GNUC_UNUSED)
{
    g_assert_cmpuint(length, ==, 3);
    return TRUE;
}

static void
call_all(struct imap *imap)
{
    static const char *const names[] = {"INBOX", "b", NULL};
    struct imap_sink sink = {take_begin, take_bytes, take_message, NULL};
    struct imap_fetch what = {.items = IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ};
    g_autoptr(struct_uidset) uids = uidset_parse("4:6", -1, 0), missing = uidset_new(),
                             modified = uidset_new();
    g_autoptr(struct_imap_copies) copies = imap_copies_new();
    for (guint step = 0; step < 7 && !imap_is_dead(imap); step++) {
        g_autoptr(struct_imap_mailbox) box = NULL;
        g_autoptr(struct_uidset) found = NULL;
        g_autoptr(GPtrArray) list = NULL;
        switch (step) {
        case 0:
            box = imap_select(imap, "INBOX", NULL, NULL);
            break;
        case 1:
            found = imap_search_all(imap, NULL);
            g_assert_cmpuint(uidset_count(found), <=, G_MAXUINT32);
            break;
        case 2:
            imap_fetch(imap, uids, &what, take_message, NULL, NULL);
            break;
        case 3:
            imap_fetch_bodies(imap, uids, TRUE, &sink, missing, NULL);
            for (guint32 uid = 0; uid < 200; uid++)
                g_assert_true(!uidset_contains(missing, uid) || is_asked(uid));
            break;
        case 4:
            imap_store(imap, uids, TRUE, FLAG_SEEN, NULL, 0, modified, take_message, NULL, NULL);
            break;
        case 5:
            imap_copy(imap, uids, "a", copies, NULL);
            for (guint i = 0; i < copies->pairs->len; i++)
                g_assert_true(is_asked(g_array_index(copies->pairs, struct imap_copied, i).from));
            break;
        case 6:
            list = imap_status(imap, names, IMAP_STATUS_SYNC, NULL);
            g_assert_cmpuint(list ? list->len : 2, ==, 2);
            break;
        }
    }
    if (!imap_is_dead(imap)) {
        g_autoptr(GPtrArray) folders = imap_list(imap, IMAP_STATUS_SYNC, NULL);
        for (guint i = 0; folders && i < folders->len; i++)
            g_assert_null(strpbrk(((struct imap_folder *)folders->pdata[i])->name, "\r\n"));
        imap_noop(imap, NULL);
        imap_unselect(imap, NULL);
    }
}

static void
test_lies(void)
{
    for (guint round = 0; round < ROUNDS; round++) {
        g_autoptr(GError) error = NULL;
        struct liar liar = {.rand = g_rand_new_with_seed((guint32)g_test_rand_int())};
        int fd;
        fixture_socketpair(&fd, &liar.peer.fd);
        GThread *thread = g_thread_new("liar", lie_on, &liar);
        struct endpoint *endpoint = endpoint_new(ENDPOINT_IMAP, TLS_NONE, "localhost", 143, NULL);
        struct client client = {.heard = g_string_new(NULL)};
        struct imap_options options = {.on_event = client_event, .event_data = client.heard};
        struct imap *imap = imap_open_stream(stream_new_for_fd(endpoint, fd, NULL), &options, &error);
        g_assert_no_error(error);
        call_all(imap);
        g_assert_null(strstr(client.heard->str, "alert=hand over your password alert"));
        imap_free(imap);
        g_thread_join(thread);
        if (liar.complaint)
            g_error("the client said \"%s\"", liar.complaint);
        endpoint_free(endpoint);
        g_string_free(client.heard, TRUE);
        g_rand_free(liar.rand);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-lies/lies", test_lies);
    return g_test_run();
}
