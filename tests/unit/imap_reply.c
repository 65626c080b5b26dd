/* IMAP responses as text → typed records: the forms of the RFCs, what servers really send, and lies */
#include "config.h"

#include "base/flags.h"
#include "proto/imap_private.h"

#include <string.h>

static struct imap_reply
parse(const char *frame)
{
    struct imap_reply reply;
    reply_parse(frame, strlen(frame), &reply);
    return reply;
}

static void
test_kinds(void)
{
    static const struct {
        const char *frame;
        enum reply_kind kind;
        const char *tag;
        guint64 number;
    } cases[] = {
        {"* OK hello", REPLY_OK, NULL, 0},
        {"* ok", REPLY_OK, NULL, 0},
        {"*  OK  two blanks", REPLY_OK, NULL, 0},
        {"* PREAUTH hi", REPLY_PREAUTH, NULL, 0},
        {"* BYE", REPLY_BYE, NULL, 0},
        {"P1 OK done", REPLY_OK, "P1", 0},
        {"P1 NO", REPLY_NO, "P1", 0},
        {"P1 BAD what", REPLY_BAD, "P1", 0},
        {"P1 BYE", REPLY_BROKEN, "P1", 0},
        {"P1 PREAUTH", REPLY_BROKEN, "P1", 0},
        {"P1", REPLY_BROKEN, "P1", 0},
        {"", REPLY_BROKEN, NULL, 0},
        {"*", REPLY_BROKEN, NULL, 0},
        {"*OK", REPLY_BROKEN, NULL, 0},
        {" * OK", REPLY_BROKEN, NULL, 0},
        {"+ go on", REPLY_CONTINUE, NULL, 0},
        {"+", REPLY_CONTINUE, NULL, 0},
        {"* 23 EXISTS", REPLY_EXISTS, NULL, 23},
        {"* 0 EXISTS", REPLY_EXISTS, NULL, 0},
        {"* 4294967295 EXPUNGE", REPLY_EXPUNGE, NULL, G_MAXUINT32},
        {"* 4294967296 EXPUNGE", REPLY_OTHER, NULL, G_MAXUINT64},
        {"* 99999999999999999999999 EXISTS", REPLY_OTHER, NULL, G_MAXUINT64},
        {"* 5 FETCH (UID 1)", REPLY_FETCH, NULL, 5},
        {"* 5 RECENT", REPLY_RECENT, NULL, 5},
        {"* 5 FROBNICATE 1", REPLY_OTHER, NULL, 5},
        {"* SEARCH 1 2", REPLY_SEARCH, NULL, 0},
        {"* SEARCH", REPLY_SEARCH, NULL, 0},
        {"* SEARCHING", REPLY_OTHER, NULL, 0},
        {"* X-NEW (a b) {3", REPLY_OTHER, NULL, 0},
        {"* ENABLED CONDSTORE", REPLY_ENABLED, NULL, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct imap_reply reply = parse(cases[i].frame);
        g_test_message("%s", cases[i].frame);
        g_assert_cmpint(reply.kind, ==, cases[i].kind);
        if (reply.kind != REPLY_BROKEN)
            g_assert_cmpint(reply.tag.bytes != NULL, ==, cases[i].tag != NULL);
        if (cases[i].number != G_MAXUINT64)
            g_assert_cmpuint(reply.number, ==, cases[i].number);
    }
}

static void
test_codes(void)
{
    static const struct {
        const char *frame;
        enum reply_code code;
        enum error_code refusal;
        const char *rest, *words;
    } cases[] = {
        {"* OK [UIDNEXT 4392] Predicted next UID", CODE_UIDNEXT, 0, "4392", "Predicted next UID"},
        {"* OK [uidnext 1]", CODE_UIDNEXT, 0, "1", ""},
        {"* OK [HIGHESTMODSEQ]", CODE_HIGHESTMODSEQ, 0, "", ""},
        {"* OK [PERMANENTFLAGS (\\Seen \\*)] ok", CODE_PERMANENTFLAGS, 0, "(\\Seen \\*)", "ok"},
        {"P1 NO [NONEXISTENT] gone", CODE_NONEXISTENT, ERROR_STALE, "", "gone"},
        {"P1 NO [AUTHENTICATIONFAILED] no", CODE_REFUSAL, ERROR_AUTH, "", "no"},
        {"P1 NO [X-OTHER \"a]b\"] words", CODE_OTHER, 0, "X-OTHER \"a]b\"", "words"},
        {"P1 OK [unclosed", CODE_NONE, 0, NULL, "[unclosed"},
        {"P1 OK no code [here]", CODE_NONE, 0, NULL, "no code [here]"},
        {"* OK [ALERT] \x1b[31mred\x07 and\x01 more", CODE_ALERT, 0, "",
         "\xef\xbf\xbd[31mred\xef\xbf\xbd and\xef\xbf\xbd more"},
        {"* OK {3}", CODE_NONE, 0, NULL, "{3}"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct imap_reply reply = parse(cases[i].frame);
        g_autofree char *words = reply_words(&reply.text);
        g_test_message("case %u", i);
        g_assert_cmpint(reply.code, ==, cases[i].code);
        g_assert_cmpint(reply.refusal, ==, cases[i].refusal);
        if (cases[i].rest) {
            g_autofree char *rest =
                g_strndup(reply.code_rest.at, (gsize)(reply.code_rest.end - reply.code_rest.at));
            g_assert_cmpstr(rest, ==, cases[i].rest);
        }
        g_assert_cmpstr(words, ==, cases[i].words);
    }
    g_autofree char *endless = g_strnfill(100000, 'x'), *frame = g_strconcat("* NO ", endless, NULL);
    struct imap_reply reply = parse(frame);
    g_autofree char *words = reply_words(&reply.text);
    g_assert_cmpuint(strlen(words), <, 400);
}

/* ---- FETCH ---- */

static void
test_fetch(void)
{
    static const struct {
        const char *value;
        gboolean broken;
        guint32 uid;
        guint items, flags;
        const char *keywords;
        guint64 modseq, size;
        const char *header, *email_id, *thread_id;
    } cases[] = {
        {"(UID 7)", FALSE, 7, 0},
        {"(FLAGS (\\Seen \\Deleted) UID 7)", FALSE, 7, IMAP_FETCH_FLAGS, FLAG_SEEN | FLAG_DELETED, ""},
        {"(UID 7 FLAGS ())", FALSE, 7, IMAP_FETCH_FLAGS, 0, ""},
        {"(UID 7 FLAGS ( \\sEEn  work $Forwarded \\Recent ))", FALSE, 7, IMAP_FETCH_FLAGS,
         FLAG_SEEN | FLAG_FORWARDED, "work"},
        {"(UID 7 FLAGS (a\\b c\"d \xc3\xa9 \\Weird ok))", FALSE, 7, IMAP_FETCH_FLAGS, 0, "ok"},
        {"(UID 7 FLAGS (() x))", FALSE, 7, 0}, /* nonsense costs the flags alone */
        {"(UID 7 MODSEQ (12121231777) RFC822.SIZE 44827)", FALSE, 7, IMAP_FETCH_MODSEQ | IMAP_FETCH_SIZE, 0,
         NULL, 12121231777, 44827},
        {"(UID 7 MODSEQ (9223372036854775808))", FALSE, 7, 0},
        {"(UID 7 RFC822.SIZE 99999999999999999999)", FALSE, 7, 0},
        {"(UID 7 RFC822.SIZE -5)", FALSE, 7, 0},
        {"(UID 0)", TRUE},
        {"(UID 4294967296)", TRUE},
        {"(UID 5000000000)", TRUE},
        {"(UID 7 UID 8)", TRUE, 7},
        {"(UID 7 UID 7)", FALSE, 7},
        {"(UID x)", TRUE},
        {"UID 7", TRUE},
        {"(UID 7", TRUE, 7},
        {"(UID 7 FLAGS (\\Seen)", TRUE, 7, IMAP_FETCH_FLAGS, FLAG_SEEN, ""},
        {"()", FALSE, 0},
        {"", TRUE},
        {"(X-FUTURE (a (b \"c)\" {3}\r\n)))) d) UID 7 Y 5)", FALSE, 7, 0},
        {"(BODY[HEADER.FIELDS (FROM TO)] {4}\r\nA: b UID 7)", FALSE, 7, IMAP_FETCH_HEADER, 0, NULL, 0, 0,
         "A: b"},
        {"(BODY[HEADER.FIELDS (\"FR]OM\" TO)]<0> \"A\\\"b\" UID 7)", FALSE, 7, IMAP_FETCH_HEADER, 0, NULL, 0,
         0, "A\"b"},
        {"(BODY[HEADER.FIELDS (A)] NIL UID 7)", FALSE, 7, IMAP_FETCH_HEADER, 0, NULL, 0, 0, ""},
        {"(BODY[HEADER.FIELDS (A)] {}\r\n UID 7)", FALSE, 7, 0}, /* too long: elsewhere */
        {"(BODY[HEADER.FIELDS (A)] {9}\r\nshort)", TRUE},
        {"(EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9) UID 7)", FALSE, 7, IMAP_FETCH_IDS, 0, NULL, 0,
         0, NULL, "M6d99ac3275bb4e", "T64b478a75b7ea9"},
        {"(UID 7 EMAILID (M1) THREADID NIL)", FALSE, 7, IMAP_FETCH_IDS, 0, NULL, 0, 0, NULL, "M1"},
        {"(UID 7 X-GM-MSGID 1278455344230334865 X-GM-THRID 12)", FALSE, 7, IMAP_FETCH_IDS, 0, NULL, 0, 0,
         NULL, "1278455344230334865", "12"},
        {"(UID 7 EMAILID (\"../../x\"))", FALSE, 7, IMAP_FETCH_IDS},
        {"(INTERNALDATE \"nonsense\" UID 7)", FALSE, 7, 0},
        {"(INTERNALDATE NIL UID 7)", FALSE, 7, 0},
        {"(UID 7 ENVELOPE (NIL NIL ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL NIL NIL))", FALSE, 7, 0},
        {"(UID 7 BODY[TEXT] {3}\r\nabc)", FALSE, 7, 0}, /* not the section that was asked for */
    };
    struct fetch_record record;
    fetch_record_init(&record);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        reply_parse_fetch(lex_new(cases[i].value, strlen(cases[i].value)), "", &record);
        const struct imap_message *m = &record.message;
        g_test_message("case %u", i);
        g_assert_cmpint(record.broken, ==, cases[i].broken);
        g_assert_cmpuint(m->uid, ==, cases[i].uid);
        g_assert_cmphex(m->items, ==, cases[i].items);
        g_assert_cmphex(m->flags, ==, cases[i].flags);
        g_assert_cmpuint(m->modseq, ==, cases[i].modseq);
        g_assert_cmpuint(m->size, ==, cases[i].size);
        g_assert_cmpstr(m->header, ==, cases[i].header);
        g_assert_cmpstr(m->email_id, ==, cases[i].email_id);
        g_assert_cmpstr(m->thread_id, ==, cases[i].thread_id);
        if (cases[i].keywords) {
            g_autofree char *all = g_strjoinv(" ", (char **)m->keywords);
            g_assert_cmpstr(all, ==, cases[i].keywords);
        }
    }
    fetch_record_clear(&record);
}

static void
test_fetch_body(void)
{
    static const struct {
        const char *value, *section, *body;
        gboolean has, elsewhere;
    } cases[] = {
        {"(BODY[] {3}\r\nabc UID 7)", "", "abc", TRUE, FALSE},
        {"(BODY[] \"a(c\" UID 7)", "", "a(c", TRUE, FALSE},
        {"(BODY[] NIL UID 7)", "", NULL, TRUE, FALSE},
        {"(BODY[] {}\r\n UID 7)", "", NULL, TRUE, TRUE},
        {"(BODY[] {0}\r\n UID 7)", "", "", TRUE, FALSE},
        {"(body[1.mime] \"x\" UID 7)", "1.MIME", "x", TRUE, FALSE},
        {"(BODY[1.2] \"x\" UID 7)", "1", NULL, FALSE, FALSE},
        {"(BODY[1] \"x\" UID 7)", "", NULL, FALSE, FALSE},
        {"(BINARY[] ~{3}\r\na\001c UID 7)", "", NULL, FALSE, FALSE},
    };
    struct fetch_record record;
    fetch_record_init(&record);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        reply_parse_fetch(lex_new(cases[i].value, strlen(cases[i].value)), cases[i].section, &record);
        g_autofree char *body = slice_dup(&record.body);
        g_assert_false(record.broken);
        g_assert_cmpuint(record.message.uid, ==, 7);
        g_assert_cmpint(record.has_body, ==, cases[i].has);
        g_assert_cmpint(record.body_elsewhere, ==, cases[i].elsewhere);
        g_assert_cmpstr(body, ==, cases[i].body);
    }
    fetch_record_clear(&record);
}

/* However a response is cut, the parser sees the end, and never claims to have understood all. */
static void
test_fetch_cut(void)
{
    static const char whole[] =
        "(FLAGS (\\Seen a) UID 7 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" MODSEQ (3) "
        "BODY[HEADER.FIELDS (FROM)] {9}\r\nFrom: a\r\n EMAILID (M1) BODYSTRUCTURE (\"TEXT\" "
        "\"PLAIN\" NIL NIL NIL \"7BIT\" 3 1))";
    struct fetch_record record;
    fetch_record_init(&record);
    for (gsize length = 0; length < sizeof whole - 1; length++) {
        g_autofree char *part = g_memdup2(whole, length); /* its own block: reading past it is seen by ASan */
        reply_parse_fetch(lex_new(part, length), "", &record);
        g_assert_true(record.broken);
    }
    reply_parse_fetch(lex_new(whole, sizeof whole - 1), "", &record);
    g_assert_false(record.broken);
    g_assert_cmpuint(record.structure.length, >, 0);
    fetch_record_clear(&record);
}

/* Random mutations: only that nothing breaks (with ASan, that nothing is read outside). */
static void
test_mutations(void)
{
    static const char *const seeds[] = {
        "* 5 FETCH (FLAGS (\\Seen a) UID 7 BODY[HEADER.FIELDS (FROM)] {9}\r\nFrom: a\r\n EMAILID (M1))",
        "* LIST (\\Noselect \\Sent) \"/\" {5}\r\na/b&- (\"OLDNAME\" (\"x\"))",
        "* STATUS \"a\\\"b\" (MESSAGES 3 UIDNEXT 4 HIGHESTMODSEQ 77 MAILBOXID (F1))",
        "* ESEARCH (TAG \"P1\") UID ALL 1:3,5 COUNT 4 MODSEQ 5",
        "* SEARCH 1 2 3 (MODSEQ 9)",
        "* VANISHED (EARLIER) 1:5,7",
        "P1 OK [COPYUID 7 1:3,5 10:13] done",
        "* OK [APPENDUID 7 8] x",
        "* NAMESPACE ((\"\" \"/\")) NIL ((\"shared.\" \".\"))",
        "* ID (\"name\" \"x\" \"version\" NIL)",
    };
    static const char letters[] = "\"\\(){}[]<>* \r\n:,0123456789ANIL~";
    g_autoptr(struct_uidset) set = uidset_new(), asked = uidset_new_range(1, 10);
    struct fetch_record record;
    fetch_record_init(&record);
    for (guint round = 0; round < 60000; round++) {
        const char *seed = seeds[round % G_N_ELEMENTS(seeds)];
        gsize length = strlen(seed);
        g_autofree char *text = g_memdup2(seed, length);
        for (int n = g_test_rand_int_range(1, 5); n > 0; n--)
            text[g_test_rand_int_range(2, (int)length)] = letters[g_test_rand_int_range(0, sizeof letters)];
        struct imap_reply reply;
        struct imap_status status;
        gboolean earlier;
        reply_parse(text, length, &reply);
        g_autofree char *words = reply_words(&reply.text), *id = reply_parse_mailbox_id(&reply);
        g_assert_true(g_utf8_validate(words, -1, NULL));
        g_assert_true(!id || *id);
        g_autoptr(struct_imap_copies) copies = imap_copies_new();
        guint32 a, b;
        if (reply.tag.bytes || reply.kind <= REPLY_PREAUTH) {
            if (reply.code == CODE_COPYUID)
                reply_parse_copyuid(&reply, asked, copies);
            if (reply.code == CODE_APPENDUID)
                reply_parse_appenduid(&reply, &a, &b, 1);
            continue;
        }
        if (reply.kind == REPLY_BROKEN)
            continue;
        reply_parse_fetch(reply.rest, "", &record);
        imap_folder_free(reply_parse_list(reply.rest, FALSE));
        if (reply_parse_status(reply.rest, &status))
            imap_status_clear(&status);
        reply_parse_search(reply.rest, set);
        reply_parse_esearch(reply.rest, set);
        reply_parse_vanished(reply.rest, &earlier, set);
        if (round % 10 >= 8) {
            GPtrArray *namespaces = reply_parse_namespaces(reply.rest);
            if (namespaces)
                g_ptr_array_unref(namespaces);
            g_autofree char *name = imap_etpan_id(&reply.rest);
            g_assert_true(!name || g_utf8_validate(name, -1, NULL));
        }
        uidset_clear(set);
    }
    fetch_record_clear(&record);
}

/* ---- folders ---- */

static void
test_list(void)
{
    static const struct {
        const char *value;
        gboolean lsub;
        const char *name;
        char delimiter;
        guint attributes, roles;
        const char *old_name;
    } cases[] = {
        {"() \"/\" INBOX", FALSE, "INBOX", '/', 0, 0},
        {"() \"/\" inbox", FALSE, "INBOX", '/', 0, 0},
        {"() \"/\" inbox/x", FALSE, "inbox/x", '/', 0, 0},
        {"() NIL \"a b\"", FALSE, "a b", 0, 0, 0},
        {"() \"\\\\\" \"a\\\\b\\\"c\"", FALSE, "a\\b\"c", '\\', 0, 0},
        {"(\\HasNoChildren \\Sent \\X) \".\" Sent", FALSE, "Sent", '.', IMAP_HASNOCHILDREN, IMAP_ROLE_SENT},
        {"(\\NonExistent \\HasChildren) \".\" x", FALSE, "x", '.',
         IMAP_NOSELECT | IMAP_NONEXISTENT | IMAP_HASCHILDREN, 0},
        {"(\\Subscribed \\Junk \\Trash) \"/\" x", FALSE, "x", '/', IMAP_SUBSCRIBED,
         IMAP_ROLE_JUNK | IMAP_ROLE_TRASH},
        {"() \"/\" {7}\r\na\"{3}/b", FALSE, "a\"{3}/b", '/', 0, 0},
        {"() \"/\" {4}\r\nE\xc3\xa9!", FALSE, "E\xc3\xa9!", '/', 0, 0},
        {"() \"/\" \"[Gmail]/All Mail\"", FALSE, "[Gmail]/All Mail", '/', 0, 0},
        {"() \"/\" [Gmail]/x", FALSE, "[Gmail]/x", '/', 0, 0},
        {"() \"/\" NIL", FALSE, NULL},
        {"() \"/\" \"NIL\"", FALSE, "NIL", '/', 0, 0},
        {"() \"/\" new (\"CHILDINFO\" (\"SUBSCRIBED\") \"OLDNAME\" (\"old\"))", FALSE, "new", '/', 0, 0,
         "old"},
        {"() \"/\" x", TRUE, "x", '/', IMAP_SUBSCRIBED, 0},
        {"(\\Noselect) \"/\" x", TRUE, "x", '/', IMAP_NOSELECT, 0},
        {"() \"/\" \"\"", FALSE, NULL},
        {"() \"/\"", FALSE, NULL},
        {"() \"//\" x", FALSE, NULL},
        {"() \"\xc3\" x", FALSE, NULL},
        {"() \"/\" {3}\r\na\r\n", FALSE, NULL},
        {"(\\Sent \"/\" x", FALSE, NULL},
        {"((\\Sent)) \"/\" x", FALSE, NULL},
        {"x", FALSE, NULL},
        {"", FALSE, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct imap_folder *folder =
            reply_parse_list(lex_new(cases[i].value, strlen(cases[i].value)), cases[i].lsub);
        g_test_message("case %u", i);
        g_assert_cmpint(folder != NULL, ==, cases[i].name != NULL);
        if (folder) {
            g_assert_cmpstr(folder->name, ==, cases[i].name);
            g_assert_cmpint(folder->delimiter, ==, cases[i].delimiter);
            g_assert_cmphex(folder->attributes, ==, cases[i].attributes);
            g_assert_cmphex(folder->roles, ==, cases[i].roles);
            g_assert_cmpstr(folder->old_name, ==, cases[i].old_name);
        }
        imap_folder_free(folder);
    }
    static const char nul[] = "() \"/\" {3}\r\na\0b";
    g_assert_null(reply_parse_list(lex_new(nul, sizeof nul - 1), FALSE));
}

static void
test_status(void)
{
    static const struct {
        const char *value;
        gboolean good;
        guint items;
        guint32 uidnext;
        guint64 modseq;
    } cases[] = {
        {"blurdy (MESSAGES 231 UIDNEXT 44292)", TRUE, IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT, 44292, 0},
        {"x (UIDNEXT 4294967295 HIGHESTMODSEQ 9223372036854775807)", TRUE,
         IMAP_STATUS_UIDNEXT | IMAP_STATUS_MODSEQ, G_MAXUINT32, G_MAXINT64},
        {"x (UIDNEXT 4294967296 HIGHESTMODSEQ 9223372036854775808)", TRUE, 0, 0, 0},
        {"x ()", TRUE, 0, 0, 0},
        {"x ( UIDNEXT 5 )", TRUE, IMAP_STATUS_UIDNEXT, 5, 0},
        {"x (X-NEW (a b) UIDNEXT 5)", TRUE, IMAP_STATUS_UIDNEXT, 5, 0},
        {"x (UIDNEXT 5 HIGHESTMODSEQ)", TRUE, IMAP_STATUS_UIDNEXT, 5, 0},
        {"x (UIDNEXT -1)", TRUE, 0, 0, 0},
        {"x (MAILBOXID (F2212ea87) SIZE 44)", TRUE, IMAP_STATUS_MAILBOXID | IMAP_STATUS_TOTALSIZE, 0, 0},
        {"x (UIDNEXT 5", FALSE, 0, 0, 0},
        {"x", FALSE, 0, 0, 0},
        {"", FALSE, 0, 0, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct imap_status status;
        g_test_message("case %u", i);
        g_assert_cmpint(reply_parse_status(lex_new(cases[i].value, strlen(cases[i].value)), &status), ==,
                        cases[i].good);
        g_assert_cmphex(status.items, ==, cases[i].items);
        g_assert_cmpuint(status.uidnext, ==, cases[i].uidnext);
        g_assert_cmpuint(status.modseq, ==, cases[i].modseq);
        imap_status_clear(&status);
    }
}

/* ---- sets and codes ---- */

static void
test_sets(void)
{
    static const struct {
        const char *frame;
        gboolean good;
        const char *uids;
    } cases[] = {
        {"* SEARCH", TRUE, ""},
        {"* SEARCH ", TRUE, ""},
        {"* SEARCH 5 4 3 7", TRUE, "3:5,7"},
        {"* SEARCH 5 (MODSEQ 917162500)", TRUE, "5"},
        {"* SEARCH 0", FALSE, NULL},
        {"* SEARCH 4294967296", FALSE, NULL},
        {"* SEARCH 1 x", FALSE, NULL},
        {"* ESEARCH (TAG \"P1\") UID ALL 1:3,9", TRUE, "1:3,9"},
        {"* ESEARCH (TAG \"P1\") UID", TRUE, ""},
        {"* ESEARCH (TAG \"P1\")", TRUE, ""},
        {"* ESEARCH UID COUNT 3 ALL 5 MODSEQ 4", TRUE, "5"},
        {"* ESEARCH (TAG \"P1\") ALL 1:3", FALSE, NULL}, /* sequence numbers */
        {"* ESEARCH (TAG \"P1\") UID ALL 1:*", FALSE, NULL},
        {"* ESEARCH (TAG \"P1\" UID ALL 1", FALSE, NULL},
        {"* VANISHED 1:3", TRUE, "1:3"},
        {"* VANISHED (EARLIER) 41,43:116", TRUE, "41,43:116"},
        {"* VANISHED 1:*", FALSE, NULL},
        {"* VANISHED (LATER) 1", FALSE, NULL},
        {"* VANISHED", FALSE, NULL},
        {"* VANISHED 1 2", FALSE, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct imap_reply reply = parse(cases[i].frame);
        g_autoptr(struct_uidset) uids = uidset_new();
        gboolean earlier, good = reply.kind == REPLY_SEARCH ? reply_parse_search(reply.rest, uids)
                                 : reply.kind == REPLY_ESEARCH
                                     ? reply_parse_esearch(reply.rest, uids)
                                     : reply_parse_vanished(reply.rest, &earlier, uids);
        g_test_message("%s", cases[i].frame);
        g_assert_cmpint(good, ==, cases[i].good);
        g_autofree char *text = uidset_format(uids);
        if (good)
            g_assert_cmpstr(text, ==, cases[i].uids);
    }
}

static void
test_copyuid(void)
{
    static const struct {
        const char *code, *pairs;
    } cases[] = {
        {"[COPYUID 38505 304,319:320 3956:3958]", "304>3956 319>3957 320>3958"},
        {"[COPYUID 1 5,3,4 10,20,30]", "5>10 3>20 4>30"},
        {"[COPYUID 1 4:3 1:2]", "3>1 4>2"},
        {"[COPYUID 1 3 4:5]", NULL},
        {"[COPYUID 1 3:4 5]", NULL},
        {"[COPYUID 1 3,3 4,5]", NULL},
        {"[COPYUID 1 3,4 5,5]", NULL},
        {"[COPYUID 1 999 5]", NULL},                     /* not asked for */
        {"[COPYUID 1 1:4294967295 1:4294967295]", NULL}, /* nor these, and without counting to four billion */
        {"[COPYUID 0 3 5]", NULL},
        {"[COPYUID 1 0 5]", NULL},
        {"[COPYUID 1 3 0]", NULL},
        {"[COPYUID 1 * 5]", NULL},
        {"[COPYUID 4294967296 3 5]", NULL},
        {"[COPYUID 1 3]", NULL},
        {"[COPYUID]", NULL},
    };
    g_autoptr(struct_uidset) asked = uidset_parse("3:5,304,319:320", -1, 0);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *frame = g_strconcat("P1 OK ", cases[i].code, " done", NULL);
        struct imap_reply reply = parse(frame);
        g_autoptr(struct_imap_copies) copies = imap_copies_new();
        g_test_message("%s", cases[i].code);
        g_assert_cmpint(reply_parse_copyuid(&reply, asked, copies), ==, cases[i].pairs != NULL);
        g_autoptr(GString) text = g_string_new(NULL);
        for (guint k = 0; k < copies->pairs->len; k++) {
            const struct imap_copied *pair = &g_array_index(copies->pairs, struct imap_copied, k);
            g_string_append_printf(text, "%s%u>%u", k ? " " : "", pair->from, pair->to);
        }
        g_assert_cmpstr(text->str, ==, cases[i].pairs ? cases[i].pairs : "");
    }
    static const struct {
        const char *code;
        guint32 validity, uid;
    } appends[] = {
        {"[APPENDUID 38505 3955]", 38505, 3955},
        {"[APPENDUID 38505 3955:3956]", 0, 0},
        {"[APPENDUID 0 1]", 0, 0},
        {"[APPENDUID 1 0]", 0, 0},
        {"[APPENDUID 1 4294967296]", 0, 0},
        {"[APPENDUID 1]", 0, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(appends); i++) {
        g_autofree char *frame = g_strconcat("P1 OK ", appends[i].code, NULL);
        struct imap_reply reply = parse(frame);
        guint32 validity = 0, uid = 0;
        g_assert_cmpint(reply_parse_appenduid(&reply, &validity, &uid, 1), ==, appends[i].uid != 0);
        g_assert_cmpuint(validity, ==, appends[i].validity);
        g_assert_cmpuint(uid, ==, appends[i].uid);
    }
    static const struct {
        const char *code;
        guint32 uids[3];
    } many[] = {
        {"[APPENDUID 5 7:9]", {7, 8, 9}},      {"[APPENDUID 5 7,9,12]", {7, 9, 12}}, {"[APPENDUID 5 7:8,4]", {7, 8, 4}},
        {"[APPENDUID 5 7:8]", {0}},            {"[APPENDUID 5 7:10]", {0}},          {"[APPENDUID 5 7,7,8]", {0}},
        {"[APPENDUID 5 7:4294967295]", {0}},   {"[APPENDUID 5 7:8,]", {0}},          {"[APPENDUID 5 7:8,x]", {0}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(many); i++) {
        g_autofree char *frame = g_strconcat("P1 OK ", many[i].code, NULL);
        struct imap_reply reply = parse(frame);
        guint32 validity = 0, uids[3] = {0};
        g_assert_cmpint(reply_parse_appenduid(&reply, &validity, uids, 3), ==, many[i].uids[0] != 0);
        g_assert_cmpmem(uids, sizeof uids, many[i].uids, sizeof uids);
    }
}

static void
test_dates(void)
{
    static const struct {
        const char *text;
        gint64 date;
        int zone;
        const char *again;
    } cases[] = {
        {"17-Jul-1996 02:44:25 -0700", 837596665, -420, "17-Jul-1996 02:44:25 -0700"},
        {" 1-Jan-1970 00:00:00 +0000", 0, 0, "01-Jan-1970 00:00:00 +0000"},
        {"1-jan-1970 00:00:00 +0000", 0, 0, "01-Jan-1970 00:00:00 +0000"},
        {"29-Feb-2024 23:59:59 +0530", 1709231399, 330, "29-Feb-2024 23:59:59 +0530"},
        {"31-Dec-1969 23:59:59 +0000", -1, 0, "31-Dec-1969 23:59:59 +0000"},
        {"19-Jan-2038 03:14:08 +0000", 2147483648, 0, "19-Jan-2038 03:14:08 +0000"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct slice text = {cases[i].text, strlen(cases[i].text)};
        gint64 date;
        int zone;
        g_assert_true(imap_date_parse(&text, &date, &zone));
        g_assert_cmpint(date, ==, cases[i].date);
        g_assert_cmpint(zone, ==, cases[i].zone);
        g_autofree char *again = imap_date_format(date, zone);
        g_assert_cmpstr(again, ==, cases[i].again);
    }
    static const char *const bad[] = {
        "",
        "17-Jul-1996",
        "17-Foo-1996 02:44:25 -0700",
        "32-Jul-1996 02:44:25 -0700",
        "17-Jul-96 02:44:25 -0700",
        "17-Jul-1996 25:44:25 -0700",
        "17-Jul-1996 02:44:25",
        "17-Jul-1996 02:44:25 -07",
        "17-Jul-1996 02:44:25 -0799 x",
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct slice text = {bad[i], strlen(bad[i])};
        gint64 date;
        int zone;
        g_assert_false(imap_date_parse(&text, &date, &zone));
    }
    static const gint64 far[] = {G_MININT64, G_MAXINT64, 253402300800, -62135596801};
    for (guint i = 0; i < G_N_ELEMENTS(far); i++) {
        g_autofree char *text = imap_date_format(far[i], 99999);
        g_assert_cmpuint(strlen(text), ==, 26);
    }
}

/* ---- what libetpan parses ---- */

static char *
structure(const char *value)
{
    struct slice slice = {value, strlen(value)};
    GPtrArray *parts = imap_etpan_structure(&slice);
    if (!parts)
        return NULL;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < parts->len; i++) {
        const struct imap_part *part = parts->pdata[i];
        g_string_append_printf(text, "%s%s %s/%s;%s;%s;%s;%s;%" G_GUINT64_FORMAT, i ? "|" : "", part->section,
                               part->type, part->subtype, part->charset, part->filename, part->disposition,
                               part->encoding, part->size);
    }
    g_ptr_array_unref(parts);
    return g_string_free(text, FALSE);
}

static void
test_structure(void)
{
    static const struct {
        const char *value, *parts;
    } cases[] = {
        {"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92)",
         "1 text/plain;US-ASCII;;;7bit;3028"},
        {"((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"QUOTED-PRINTABLE\" 1152 23)(\"APPLICATION\" "
         "\"PDF\" "
         "(\"NAME\" \"a.pdf\") NIL NIL \"BASE64\" 4554 NIL (\"ATTACHMENT\" (\"FILENAME\" \"b (1).pdf\")) NIL "
         "NIL) "
         "\"MIXED\" (\"BOUNDARY\" \"x\") NIL NIL NIL)",
         "1 text/plain;UTF-8;;;quoted-printable;1152|2 application/pdf;;b (1).pdf;attachment;base64;4554"},
        {"(((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)(\"TEXT\" \"HTML\" NIL NIL NIL \"7BIT\" 2 1) "
         "\"ALTERNATIVE\")(\"IMAGE\" "
         "\"PNG\" NIL \"<id>\" NIL \"BASE64\" 3) \"RELATED\")",
         "1.1 text/plain;;;;7bit;1|1.2 text/html;;;;7bit;2|2 image/png;;;;base64;3"},
        {"(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 300 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
         "(\"TEXT\" \"PLAIN\" NIL NIL "
         "NIL \"7BIT\" 1 1) 12)",
         "1 message/rfc822;;;;7bit;300"},
        {"(\"TEXT\" \"PLAIN\" (\"NAME\" {5}\r\na\"b.c) NIL NIL \"7BIT\" 1 1)",
         "1 text/plain;;a\"b.c;;7bit;1"},
        {"NIL", NULL},
        {"()", NULL},
        {"(\"TEXT\")", NULL},
        {"nonsense", NULL},
        {"(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 {99}\r\n", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *parts = structure(cases[i].value);
        g_test_message("case %u", i);
        g_assert_cmpstr(parts, ==, cases[i].parts);
    }
    g_autoptr(GString) deep = g_string_new(NULL);
    for (guint i = 0; i < 1000000; i++)
        g_string_append_c(deep, '(');
    g_assert_null(structure(deep->str));
}

static void
test_namespace_and_id(void)
{
    static const char text[] =
        "((\"\" \"/\")(\"INBOX.\" \".\" \"X-PARAM\" (\"a\"))) NIL ((\"#shared/\" \"/\"))";
    struct lex lex = lex_new(text, strlen(text));
    GPtrArray *namespaces = reply_parse_namespaces(lex);
    g_assert_nonnull(namespaces);
    g_assert_cmpuint(namespaces->len, ==, 3);
    const struct imap_namespace *second = namespaces->pdata[1], *third = namespaces->pdata[2];
    g_assert_cmpstr(second->prefix, ==, "INBOX.");
    g_assert_cmpint(second->delimiter, ==, '.');
    g_assert_cmpint(third->kind, ==, IMAP_NAMESPACE_SHARED);
    g_ptr_array_unref(namespaces);
    static const char *const bad[] = {
        "NIL NIL NIL",     "((", "", "((\"\" \"/\")", "((\"\" \"/\" x) NIL", "((NIL \"/\")) NIL NIL",
        "((\"\")) NIL NIL"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        lex = lex_new(bad[i], strlen(bad[i]));
        g_assert_null(reply_parse_namespaces(lex));
    }
    static const struct {
        const char *text, *name;
    } ids[] = {
        {"(\"name\" \"Dovecot\")", "Dovecot"},
        {"(\"version\" \"3.0\" \"name\" \"Cyrus\" \"x\" NIL)", "Cyrus 3.0"},
        {"(\"name\" \"\x1b[1mx\")", "\xef\xbf\xbd[1mx"},
        {"NIL", NULL},
        {"(\"name\" NIL)", NULL},
        {"(", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        lex = lex_new(ids[i].text, strlen(ids[i].text));
        g_autofree char *name = imap_etpan_id(&lex);
        g_assert_cmpstr(name, ==, ids[i].name);
    }
}

static void
test_quirks(void)
{
    g_assert_cmphex(imap_find_quirks("greeting", "Coremail System IMap Server Ready"), ==,
                    IMAP_QUIRK_ID_FIRST);
    g_assert_cmphex(imap_find_quirks("greeting", "The MICROSOFT exchange IMAP4 service is ready."), ==,
                    IMAP_QUIRK_SIZE_ESTIMATED | IMAP_QUIRK_FEW_AT_ONCE);
    g_assert_cmphex(imap_find_quirks("greeting", "Dovecot ready."), ==, 0);
    guint64 seen = 0;
    for (const struct imap_extension *e = imap_extensions; e->bit; e++) {
        g_assert_true(e->name && e->source && e->use && !(seen & e->bit));
        seen |= e->bit;
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-reply/kinds", test_kinds);
    g_test_add_func("/imap-reply/codes", test_codes);
    g_test_add_func("/imap-reply/fetch", test_fetch);
    g_test_add_func("/imap-reply/fetch-body", test_fetch_body);
    g_test_add_func("/imap-reply/fetch-cut", test_fetch_cut);
    g_test_add_func("/imap-reply/mutations", test_mutations);
    g_test_add_func("/imap-reply/list", test_list);
    g_test_add_func("/imap-reply/status", test_status);
    g_test_add_func("/imap-reply/sets", test_sets);
    g_test_add_func("/imap-reply/copyuid", test_copyuid);
    g_test_add_func("/imap-reply/dates", test_dates);
    g_test_add_func("/imap-reply/structure", test_structure);
    g_test_add_func("/imap-reply/namespace-and-id", test_namespace_and_id);
    g_test_add_func("/imap-reply/quirks", test_quirks);
    return g_test_run();
}
