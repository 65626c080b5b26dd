/* IMAP sessions against scripted servers: what calls say, what they make of the answers, and what they make
 * of lies. Each script is played again in single bytes, and broken off after each byte. */
#include "config.h"

#include "base/flags.h"
#include "imap_script.h"

#include <sys/resource.h>

/* Opens INBOX, UIDVALIDITY 7, with three messages; takes the tag P1. */
#define SELECTED                                                                                             \
    "> P1 SELECT \"INBOX\"\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7] v\n< * OK [UIDNEXT 10] n\n"                 \
    "< * OK [PERMANENTFLAGS (\\\\Seen \\\\Deleted $Forwarded old \\\\*)] f\n< P1 OK [READ-WRITE] done\n"

struct act {
    const char *name;
    const char *extensions;
    const char *script;
    gboolean (*run)(struct imap *imap, GString *out, GError **error);
    const char *out; /* what the call told */
    int code;        /* of its error; 0: none */
    const char *words;
    const char *events; /* NULL: any */
    gboolean dead;      /* the session is, after it */
    struct client client;
};

/* ---- calls, and what they tell in words ---- */

static void say(GString *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
say(GString *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (out->len)
        g_string_append_c(out, ' ');
    g_string_append_vprintf(out, format, args);
    va_end(args);
}

static gboolean
say_message(const struct imap_message *message, gpointer data, GError **error G_GNUC_UNUSED)
{
    GString *out = data;
    say(out, "%u", message->uid);
    if (message->items & IMAP_FETCH_FLAGS) {
        g_autofree char *letters = flags_to_maildir(message->flags),
                        *words = g_strjoinv(",", (char **)message->keywords);
        g_string_append_printf(out, ":%s[%s]", letters, words);
    }
    if (message->items & IMAP_FETCH_MODSEQ)
        g_string_append_printf(out, ";m%" G_GUINT64_FORMAT, message->modseq);
    if (message->items & IMAP_FETCH_HEADER)
        g_string_append_printf(out, ";h%" G_GSIZE_FORMAT, message->header_length);
    if (message->items & IMAP_FETCH_STRUCTURE)
        g_string_append_printf(out, ";p%u", message->parts->len);
    return TRUE;
}

static gboolean
stop_message(const struct imap_message *message, gpointer data, GError **error)
{
    say_message(message, data, NULL);
    g_set_error(error, IMAP_ERROR, ERROR_IO, "disk full");
    return FALSE;
}

static gboolean
select_inbox(struct imap *imap, GError **error)
{
    g_autoptr(struct_imap_mailbox) box = imap_select(imap, "INBOX", NULL, error);
    return box != NULL;
}

static gboolean
run_select(struct imap *imap, GString *out, GError **error)
{
    g_autoptr(struct_uidset) known = uidset_parse("1:9", -1, 0);
    struct imap_select how = {
        .uidvalidity = 7, .modseq = 100, .known = known, .on_changed = say_message, .data = out};
    g_autoptr(struct_imap_mailbox) box = imap_select(imap, "INBOX", &how, error);
    if (!box)
        return FALSE;
    g_autofree char *vanished = uidset_format(box->vanished), *keywords = g_strjoinv(",", box->keywords);
    g_autofree char *flags = flags_to_maildir(box->permanent_flags);
    say(out, "v%u n%u e%u m%" G_GUINT64_FORMAT " %s[%s]%s%s%s%s -%s", box->uidvalidity, box->uidnext,
        box->exists, box->modseq, flags, keywords, box->permanent_keywords ? "*" : "",
        box->read_only ? " ro" : "", box->resynced ? " resynced" : "", box->uid_not_sticky ? " unsticky" : "",
        vanished);
    return TRUE;
}

static gboolean
run_reselect(struct imap *imap, GString *out, GError **error)
{
    return select_inbox(imap, error) && run_select(imap, out, error);
}

static gboolean
fetch(struct imap *imap, const char *uids, struct imap_fetch what, imap_message_func handler, GString *out,
      GError **error)
{
    g_autoptr(struct_uidset) set = uidset_parse(uids, -1, 0);
    return select_inbox(imap, error) && imap_fetch(imap, set, &what, handler, out, error);
}

static gboolean
run_flags(struct imap *imap, GString *out, GError **error)
{
    return fetch(imap, "4:6", (struct imap_fetch){.items = IMAP_FETCH_FLAGS}, say_message, out, error);
}

static gboolean
run_flags_stopped(struct imap *imap, GString *out, GError **error)
{
    return fetch(imap, "4:6", (struct imap_fetch){.items = IMAP_FETCH_FLAGS}, stop_message, out, error);
}

static gboolean
run_headers(struct imap *imap, GString *out, GError **error)
{
    struct imap_fetch what = {.items = IMAP_FETCH_FLAGS | IMAP_FETCH_HEADER | IMAP_FETCH_STRUCTURE,
                              .header_fields = "FROM TO"};
    return fetch(imap, "4:6", what, say_message, out, error);
}

static gboolean
run_after(struct imap *imap, GString *out, GError **error)
{
    return fetch(imap, "5:4294967295", (struct imap_fetch){.items = IMAP_FETCH_FLAGS}, say_message, out,
                 error);
}

static gboolean
run_since(struct imap *imap, GString *out, GError **error)
{
    g_autoptr(struct_uidset) vanished = uidset_new();
    struct imap_fetch what = {
        .items = IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ, .changed_since = 12, .vanished = vanished};
    gboolean done = fetch(imap, "4:6", what, say_message, out, error);
    g_autofree char *gone = uidset_format(vanished);
    say(out, "-%s", gone);
    return done;
}

static gboolean
body_begin(guint32 uid, guint64 size, gpointer data, GError **error G_GNUC_UNUSED)
{
    say(data, "<%u/%" G_GUINT64_FORMAT ":", uid, size);
    return TRUE;
}

static gboolean
body_write(const void *bytes, gsize length, gpointer data, GError **error G_GNUC_UNUSED)
{
    g_string_append_len(data, bytes, (gssize)length);
    return TRUE;
}

static gboolean
body_end(const struct imap_message *message, gpointer data, GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(data, ">%u", message->uid);
    return TRUE;
}

static gboolean
run_bodies(struct imap *imap, GString *out, GError **error)
{
    struct imap_sink sink = {body_begin, body_write, body_end, out};
    g_autoptr(struct_uidset) uids = uidset_parse("4:6", -1, 0), missing = uidset_new();
    gboolean done = select_inbox(imap, error) && imap_fetch_bodies(imap, uids, FALSE, &sink, missing, error);
    g_autofree char *text = uidset_format(missing);
    say(out, "-%s", text);
    return done;
}

static gboolean
run_section(struct imap *imap, GString *out, GError **error)
{
    struct imap_sink sink = {body_begin, body_write, body_end, out};
    return select_inbox(imap, error) && imap_fetch_section(imap, 5, "1.2", &sink, error);
}

static gboolean
run_search(struct imap *imap, GString *out, GError **error)
{
    if (!select_inbox(imap, error))
        return FALSE;
    g_autoptr(struct_uidset) uids = imap_search_all(imap, error);
    g_autofree char *text = uidset_format(uids);
    say(out, "%s", text);
    return uids != NULL;
}

/* Texts of somebody's go as strings, and as literals in UTF-8 where they must. */
static gboolean
run_find(struct imap *imap, GString *out, GError **error)
{
    static const struct imap_key keys[] = {
        {(char *)"TEXT ", FALSE}, {(char *)"a \"b\\ c", TRUE}, {(char *)" BODY ", FALSE}, {(char *)"\xc3\xbc", TRUE}};
    if (!select_inbox(imap, error))
        return FALSE;
    g_autoptr(struct_uidset) plain = imap_find(imap, keys, 2, error);
    g_autoptr(struct_uidset) uids = plain ? imap_find(imap, keys, 4, error) : NULL;
    g_autofree char *text = uidset_format(uids);
    say(out, "%s", text);
    return uids != NULL;
}

static gboolean
run_store(struct imap *imap, GString *out, GError **error)
{
    static const char *const keywords[] = {"work", NULL};
    g_autoptr(struct_uidset) uids = uidset_parse("4:6", -1, 0), modified = uidset_new();
    gboolean done = select_inbox(imap, error) &&
                    imap_store(imap, uids, TRUE, FLAG_SEEN | FLAG_FORWARDED, keywords,
                               imap_has(imap, IMAP_CONDSTORE) ? 12 : 0, modified, say_message, out, error);
    g_autofree char *text = uidset_format(modified);
    say(out, "-%s", text);
    return done;
}

static gboolean
transfer(struct imap *imap, GString *out, gboolean move, GError **error)
{
    g_autoptr(struct_uidset) uids = uidset_parse("4:6", -1, 0);
    g_autoptr(struct_imap_copies) copies = imap_copies_new();
    gboolean done =
        select_inbox(imap, error) && (move ? imap_move : imap_copy)(imap, uids, "a b\"c", copies, error);
    say(out, "%u", copies->uidvalidity);
    for (guint i = 0; i < copies->pairs->len; i++) {
        const struct imap_copied *pair = &g_array_index(copies->pairs, struct imap_copied, i);
        say(out, "%u>%u", pair->from, pair->to);
    }
    return done;
}

static gboolean
run_copy(struct imap *imap, GString *out, GError **error)
{
    return transfer(imap, out, FALSE, error);
}

static gboolean
run_move(struct imap *imap, GString *out, GError **error)
{
    return transfer(imap, out, TRUE, error);
}

static gboolean
run_expunge(struct imap *imap, GString *out G_GNUC_UNUSED, GError **error)
{
    g_autoptr(struct_uidset) uids = uidset_parse("4:6", -1, 0);
    return select_inbox(imap, error) && imap_expunge(imap, uids, error);
}

static gssize
read_x(void *bytes, gsize size, gpointer data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    memset(bytes, 'x', size);
    return (gssize)size;
}

static gssize
read_fails(void *bytes G_GNUC_UNUSED, gsize size G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED, GError **error)
{
    g_set_error(error, IMAP_ERROR, ERROR_IO, "cannot read the draft");
    return -1;
}

static gboolean
append(struct imap *imap, GString *out, struct imap_append message, GError **error)
{
    guint32 uidvalidity, uid;
    gboolean done = imap_append(imap, "Entw&APw-rfe", &message, &uidvalidity, &uid, error);
    say(out, "%u/%u", uidvalidity, uid);
    return done;
}

static gboolean
run_append(struct imap *imap, GString *out, GError **error)
{
    return append(imap, out,
                  (struct imap_append){
                      .flags = FLAG_DRAFT, .date = 837596665, .zone = -420, .size = 12, .read = read_x},
                  error);
}

static gboolean
run_append_big(struct imap *imap, GString *out, GError **error)
{
    return append(imap, out, (struct imap_append){.size = 300000, .read = read_x}, error);
}

static gboolean
run_append_fails(struct imap *imap, GString *out, GError **error)
{
    return append(imap, out, (struct imap_append){.size = 5, .read = read_fails}, error);
}

static gboolean
run_append_many(struct imap *imap, GString *out, GError **error)
{
    const struct imap_append messages[] = {
        {.flags = FLAG_DRAFT, .date = 837596665, .zone = -420, .size = 12, .read = read_x},
        {.size = 5, .read = read_x},
        {.flags = FLAG_SEEN, .size = 300000, .read = read_x},
    };
    guint32 uidvalidity, uids[3];
    gboolean done = imap_append_many(imap, "Sent", messages, 3, &uidvalidity, uids, error);
    say(out, "%u/%u,%u,%u", uidvalidity, uids[0], uids[1], uids[2]);
    return done;
}

static gboolean
run_remove(struct imap *imap, GString *out G_GNUC_UNUSED, GError **error)
{
    g_autoptr(struct_uidset) uids = uidset_parse("4:6", -1, 0);
    return select_inbox(imap, error) && imap_remove(imap, uids, error);
}

static gboolean
run_list(struct imap *imap, GString *out, GError **error)
{
    g_autoptr(GPtrArray) folders = imap_list(imap, IMAP_STATUS_UIDNEXT, error);
    for (guint i = 0; folders && i < folders->len; i++) {
        const struct imap_folder *folder = folders->pdata[i];
        say(out, "%s%s%s", folder->name, folder->attributes & IMAP_SUBSCRIBED ? "+" : "",
            folder->roles ? "!" : "");
        if (folder->has_status)
            g_string_append_printf(out, "=%u", folder->status.uidnext);
    }
    return folders != NULL;
}

static gboolean
run_quotas(struct imap *imap, GString *out, GError **error)
{
    g_autoptr(GPtrArray) quotas = imap_get_quotas(imap, error);
    for (guint i = 0; quotas && i < quotas->len; i++) {
        const struct imap_quota *quota = quotas->pdata[i];
        say(out, "%s:%s=%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, quota->root, quota->resource, quota->usage, quota->limit);
    }
    return quotas != NULL;
}

static gboolean
run_status(struct imap *imap, GString *out, GError **error)
{
    static const char *const names[] = {"inbox", "a\xff", "b", NULL};
    g_autoptr(GPtrArray) states = imap_status(imap, names, IMAP_STATUS_UIDNEXT, error);
    for (guint i = 0; states && i < states->len; i++) {
        const struct imap_status *status = states->pdata[i];
        say(out, "%s=%u", status->name, status->items ? status->uidnext : 0);
    }
    return states != NULL;
}

static gboolean
run_noop(struct imap *imap, GString *out G_GNUC_UNUSED, GError **error)
{
    return select_inbox(imap, error) && imap_noop(imap, error);
}

static gboolean
run_noop_then_fetch(struct imap *imap, GString *out, GError **error)
{
    g_autoptr(struct_uidset) set = uidset_parse("4", -1, 0);
    struct imap_fetch what = {.items = IMAP_FETCH_FLAGS};
    return run_noop(imap, out, error) && imap_fetch(imap, set, &what, say_message, out, error);
}

static gboolean
run_idle(struct imap *imap, GString *out, GError **error)
{
    guint events, total = 0;
    if (!select_inbox(imap, error) || !imap_idle_start(imap, error))
        return FALSE;
    while (total < 2) {
        if (!imap_idle_wait(imap, 30000, -1, &events, error))
            return FALSE;
        total += events;
    }
    say(out, "%u", total);
    return imap_idle_done(imap, error) && imap_noop(imap, error);
}

/* NOTIFY, then events until there were three. */
static gboolean
run_notify(struct imap *imap, GString *out, GError **error)
{
    guint events, total = 0;
    if (!imap_notify(imap, error) || !select_inbox(imap, error))
        return FALSE;
    say(out, "%d", imap_is_notifying(imap));
    for (; total < 3; total += events)
        if (!imap_listen(imap, 30000, -1, &events, error))
            return FALSE;
    say(out, "%u %d", total, imap_is_notifying(imap));
    return imap_noop(imap, error);
}

/* A server that refused is not asked again. */
static gboolean
run_notify_twice(struct imap *imap, GString *out, GError **error)
{
    gboolean once = imap_notify(imap, NULL), twice = imap_notify(imap, NULL);
    say(out, "%d %d %d", once, twice, imap_has(imap, IMAP_NOTIFY));
    return imap_noop(imap, error);
}

static gboolean
run_create(struct imap *imap, GString *out G_GNUC_UNUSED, GError **error)
{
    return imap_create(imap, "Sent", IMAP_ROLE_SENT, TRUE, error);
}

static gboolean
run_bad_arguments(struct imap *imap, GString *out, GError **error)
{
    g_autofree char *endless = g_strnfill(5000, 'a');
    const char *const bad[] = {"a\r\nP9 DELETE INBOX", "a\nb", "a\rb", "", endless};
    g_autoptr(struct_uidset) uids = uidset_parse("4", -1, 0);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_clear_error(error);
        g_autoptr(struct_imap_mailbox) box = imap_select(imap, bad[i], NULL, error);
        say(out, "%d", box ? 0 : (*error)->code);
        g_clear_error(error);
        say(out, "%d", imap_create(imap, bad[i], 0, TRUE, error) ? 0 : (*error)->code);
        g_clear_error(error);
        say(out, "%d", imap_rename(imap, "a", bad[i], error) ? 0 : (*error)->code);
    }
    g_clear_error(error);
    if (!select_inbox(imap, error))
        return FALSE;
    const char *const words[] = {"a b", "", "(x", "a\"b", "\\Seen", "a\xc3\xa9", "x]"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        const char *const keywords[] = {words[i], NULL};
        say(out, "%d",
            imap_store(imap, uids, TRUE, 0, keywords, 0, NULL, NULL, NULL, error) ? 0 : (*error)->code);
        g_clear_error(error);
    }
    struct imap_fetch what = {.items = IMAP_FETCH_HEADER, .header_fields = "FROM)] BODY[]"};
    say(out, "%d", imap_fetch(imap, uids, &what, say_message, out, error) ? 0 : (*error)->code);
    g_clear_error(error);
    return imap_noop(imap, error);
}

/* ---- the acts ---- */

static const struct act acts[] = {
    {"select", "",
     "> P1 SELECT \"INBOX\"\n< * 3 EXISTS\n< * 1 RECENT\n< * FLAGS (\\\\Seen x)\n< * OK [UIDVALIDITY 7] v\n"
     "< * OK [UNSEEN 2]\n< P1 OK [READ-ONLY] done\n$\n",
     run_select, "v7 n0 e3 m0 S[x] ro -"},
    {"select: PERMANENTFLAGS before FLAGS", "",
     "> P1 SELECT \"INBOX\"\n< * OK [PERMANENTFLAGS (\\\\Flagged k \\\\*)]\n"
     "< * FLAGS (\\\\Seen x)\n< * 0 EXISTS\n< * OK [UIDVALIDITY 7]\n< * NO [UIDNOTSTICKY] x\n< P1 OK "
     "done\n$\n",
     run_select, "v7 n0 e0 m0 F[k]* unsticky -"},
    {"select: CONDSTORE only", "CONDSTORE",
     "> P1 SELECT \"INBOX\" (CONDSTORE)\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7]\n"
     "< * OK [HIGHESTMODSEQ 715194045007]\n< P1 OK done\n$\n",
     run_select, "v7 n0 e3 m715194045007 [] -"},
    {"select: NOMODSEQ", "CONDSTORE",
     "> P1 SELECT \"INBOX\" (CONDSTORE)\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7]\n"
     "< * OK [NOMODSEQ] none\n< P1 OK done\n$\n",
     run_select, "v7 n0 e3 m0 [] -"},
    {"select: QRESYNC, all parentheses", "ENABLE QRESYNC",
     "> P1 ENABLE CONDSTORE QRESYNC\n< * ENABLED QRESYNC\n< P1 OK\n"
     "> P2 SELECT \"INBOX\" (QRESYNC (7 100 1:9))\n< * OK [UIDVALIDITY 7]\n< * OK [HIGHESTMODSEQ 200]\n< * 3 "
     "EXISTS\n"
     "< * VANISHED (EARLIER) 1:2\n< * 2 FETCH (UID 4 FLAGS (\\\\Seen) MODSEQ (150))\n< * VANISHED (EARLIER) "
     "5\n"
     "< * 3 FETCH (FLAGS (x) UID 6 MODSEQ (151))\n< P2 OK [READ-WRITE] done\n$\n",
     run_select, "4:S[];m150 6:[x];m151 v7 n0 e3 m200 [] resynced -1:2,5"},
    {"select: QRESYNC, another UIDVALIDITY", "ENABLE QRESYNC",
     "> P1 ENABLE CONDSTORE QRESYNC\n< * ENABLED QRESYNC\n< P1 OK\n"
     "> P2 SELECT \"INBOX\" (QRESYNC (7 100 1:9))\n< * OK [UIDVALIDITY 8]\n< * OK [HIGHESTMODSEQ 200]\n< * 3 "
     "EXISTS\n"
     "< * VANISHED (EARLIER) 1:9\n< P2 OK [READ-WRITE] done\n$\n",
     run_select, "v8 n0 e3 m200 [] -"},
    {"select: QRESYNC, a server set back in time", "ENABLE QRESYNC",
     "> P1 ENABLE CONDSTORE QRESYNC\n< * ENABLED QRESYNC\n< P1 OK\n"
     "> P2 SELECT \"INBOX\" (QRESYNC (7 100 1:9))\n< * OK [UIDVALIDITY 7]\n< * OK [HIGHESTMODSEQ 99]\n< * 3 "
     "EXISTS\n"
     "< * VANISHED (EARLIER) 1:9\n< P2 OK [READ-WRITE] done\n$\n",
     run_select, "v7 n0 e3 m99 [] -"},
    {"select: what belongs to the folder before", "ENABLE QRESYNC UNSELECT",
     "> P1 ENABLE CONDSTORE QRESYNC\n< * ENABLED QRESYNC\n< P1 OK\n"
     "> P2 SELECT \"INBOX\" (CONDSTORE)\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7]\n< P2 OK x\n"
     "> P3 UNSELECT\n> P4 SELECT \"INBOX\" (QRESYNC (7 100 1:9))\n"
     "< * VANISHED 8\n< * 1 FETCH (UID 4 FLAGS (\\\\Seen))\n< P3 OK\n"
     "< * 2 EXISTS\n< * OK [UIDVALIDITY 7]\n< * OK [HIGHESTMODSEQ 200]\n< P4 OK x\n$\n",
     run_reselect, "v7 n0 e2 m200 [] resynced -", .events = "vanished=8 message=4"},
    {"select: the same told by [CLOSED]", "ENABLE QRESYNC",
     "> P1 ENABLE CONDSTORE QRESYNC\n< * ENABLED QRESYNC\n< P1 OK\n"
     "> P2 SELECT \"INBOX\" (CONDSTORE)\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7]\n< P2 OK x\n"
     "> P3 SELECT \"INBOX\" (QRESYNC (7 100 1:9))\n< * VANISHED 8\n< * 1 FETCH (UID 4 FLAGS (\\\\Seen))\n"
     "< * OK [CLOSED]\n< * 2 EXISTS\n< * OK [UIDVALIDITY 7]\n< * OK [HIGHESTMODSEQ 200]\n"
     "< * VANISHED (EARLIER) 9\n< P3 OK x\n$\n",
     run_reselect, "v7 n0 e2 m200 [] resynced -9"},
    {"select: numbers out of range", "CONDSTORE",
     "> P1 SELECT \"INBOX\" (CONDSTORE)\n< * 99999999999 EXISTS\n< * 2 EXISTS\n"
     "< * OK [UIDVALIDITY 4294967296]\n< * OK [UIDNEXT 0]\n< * OK [HIGHESTMODSEQ 9223372036854775808]\n< P1 "
     "OK done\n$\n",
     run_select, "v0 n0 e2 m0 [] -"},
    {"select: gone", "", "> P1 SELECT \"INBOX\"\n< P1 NO [NONEXISTENT] Mailbox doesn't exist: a\\033[2J\n$\n",
     run_select, "", ERROR_STALE,
     "cannot open folder INBOX: the server says \"Mailbox doesn't exist: a\xef\xbf\xbd[2J\""},
    {"select: not allowed", "", "> P1 SELECT \"INBOX\"\n< P1 NO [NOPERM] no\n$\n", run_select, "",
     ERROR_REFUSED, "no"},
    {"select: no reason", "", "> P1 SELECT \"INBOX\"\n< P1 NO\n$\n", run_select, "", ERROR_STALE,
     "gave no reason"},
    {"select: CONDSTORE offered and not understood", "CONDSTORE",
     "> P1 SELECT \"INBOX\" (CONDSTORE)\n< P1 BAD what\n> P2 SELECT \"INBOX\"\n< * 3 EXISTS\n"
     "< * OK [UIDVALIDITY 7]\n< P2 OK done\n$\n",
     run_select, "v7 n0 e3 m0 [] -"},
    {"select: BAD", "", "> P1 SELECT \"INBOX\"\n< P1 BAD huh\n$\n", run_select, "", ERROR_REFUSED,
     "did not understand"},

    {"fetch", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS)\n< * 1 FETCH (UID 4 FLAGS (\\\\Seen))\n"
              "< * 2 FETCH (FLAGS (\\\\Deleted x y) UID 5)\n< * 3 FETCH (UID 6 FLAGS ())\n< P2 OK done\n$\n",
     run_flags, "4:S[] 5:T[x,y] 6:[]", .events = ""},
    {"fetch: only what was asked for, once", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS)\n"
              "< * 9 FETCH (UID 77 FLAGS (\\\\Deleted))\n< * 1 FETCH (UID 4 FLAGS ())\n< * 1 FETCH (UID 4 "
              "FLAGS (\\\\Deleted))\n"
              "< * 2 FETCH (FLAGS (\\\\Deleted))\n< P2 OK done\n$\n",
     run_flags, "4:[]", .events = "message=77 message=4 message=0"},
    {"fetch: news in between", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS)\n< * 4 EXISTS\n< * 1 FETCH (UID 4 FLAGS ())\n"
              "< * 2 EXPUNGE\n< * X-UNKNOWN (a b) {5}\\r\\nP2 OK\n< * OK still here\n< * 7 WHATEVER\n< * 0 "
              "RECENT\n< P2 OK done\n$\n",
     run_flags, "4:[]", .events = "exists=4 expunged"},
    {"fetch: headers, literals and strings", "",
     SELECTED
     "> P2 UID FETCH 4:6 (UID FLAGS BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (FROM TO)])\n"
     "< * 1 FETCH (UID 4 FLAGS () BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1) "
     "BODY[HEADER.FIELDS (FROM TO)] {11}\\r\\nFrom: )\\r\\n\\r\\n)\n"
     "< * 2 FETCH (BODY[HEADER.FIELDS (\"FROM\" \"TO\")] \"To: x\" BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" NIL "
     "NIL NIL \"7BIT\" 1 1)"
     "(\"IMAGE\" \"PNG\" (\"NAME\" {3}\\r\\na)b) NIL NIL \"BASE64\" 5) \"MIXED\") X-NEW (1 (2 \"3)\")) UID 5 "
     "FLAGS ())\n"
     "< * 3 FETCH (UID 6 FLAGS () BODY[HEADER.FIELDS (FROM TO)] NIL BODYSTRUCTURE NIL)\n< P2 OK done\n$\n",
     run_headers, "4:[];h11;p1 5:[];h5;p2 6:[];h0", .events = ""},
    {"fetch: a malformed message is asked again, alone", "",
     SELECTED
     "> P2 UID FETCH 4:6 (UID FLAGS)\n< * 1 FETCH (UID 4 FLAGS (\\\\Seen)\n< * 2 FETCH (UID 5 FLAGS ())\n"
     "< * 3 FETCH (UID 6 FLAGS ((a)))\n< P2 OK done\n"
     "> P3 UID FETCH 4 (UID FLAGS)\n< * 1 FETCH (UID 4 FLAGS (\\\\Seen))\n< P3 OK\n$\n",
     run_flags, "5:[] 4:S[]", .events = "message=6"},
    {"fetch: in part, asked again, taken as it is", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (FROM TO)])\n"
              "< * 1 FETCH (UID 4 FLAGS () BODY[HEADER.FIELDS (FROM TO)] \"\")\n< P2 OK done\n"
              "> P3 UID FETCH 4 (UID FLAGS BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (FROM TO)])\n"
              "< * 1 FETCH (UID 4 FLAGS () BODY[HEADER.FIELDS (FROM TO)] \"\")\n< P3 OK done\n$\n",
     run_headers, "4:[];h0", .events = ""},
    {"fetch: malformed without a UID, all that is left is asked alone", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS)\n< * 1 FETCH (X \"open UID 4)\n< * 2 FETCH (UID 5 FLAGS ())\n< "
              "P2 OK done\n"
              "> P3 UID FETCH 4 (UID FLAGS)\n< * 1 FETCH (X \"open UID 4)\n< P3 OK\n> P4 UID FETCH 6 (UID "
              "FLAGS)\n< P4 OK\n$\n",
     run_flags, "5:[]", .events = ""},
    {"fetch: NO to some", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS)\n< * 1 FETCH (UID 4 FLAGS ())\n"
              "< P2 NO some messages could not be fetched\n$\n",
     run_flags, "4:[]"},
    {"fetch: NO to all", "", SELECTED "> P2 UID FETCH 4:6 (UID FLAGS)\n< P2 NO [EXPUNGEISSUED] later\n$\n",
     run_flags, "", ERROR_RETRY, "later"},
    {"fetch: a handler that stops", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS)\n< * 1 FETCH (UID 4 FLAGS ())\n"
              "< * 2 FETCH (UID 5 FLAGS ())\n< P2 OK\n$\n",
     run_flags_stopped, "4:[]", ERROR_IO, "disk full"},
    {"fetch: more than there can be: asks what there is", "",
     SELECTED "> P2 UID SEARCH ALL\n< * SEARCH 4 6 9\n< P2 OK\n> P3 UID FETCH 6,9 (UID FLAGS)\n< * 3 FETCH "
              "(UID 9 FLAGS ())\n"
              "< * 2 FETCH (UID 6 FLAGS ())\n< P3 OK\n$\n",
     run_after, "9:[] 6:[]"},
    {"fetch: a UIDVALIDITY that changes", "", SELECTED "> P2 NOOP\n< * OK [UIDVALIDITY 8] new\n< P2 OK\n$\n",
     run_noop_then_fetch, "", ERROR_STALE, "made anew", .events = "uidvalidity"},
    {"fetch since", "ENABLE QRESYNC",
     "> P1 ENABLE CONDSTORE QRESYNC\n< * ENABLED QRESYNC\n< P1 OK\n"
     "> P2 SELECT \"INBOX\" (CONDSTORE)\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7]\n< P2 OK x\n"
     "> P3 UID FETCH 4:6 (UID FLAGS MODSEQ) (CHANGEDSINCE 12 VANISHED)\n< * VANISHED (EARLIER) 4\n"
     "< * VANISHED 9\n< * 2 FETCH (UID 5 MODSEQ (13) FLAGS ())\n< P3 OK\n$\n",
     run_since, "5:[];m13 -4", .events = "vanished=9"},
    {"fetch since: without VANISHED", "CONDSTORE",
     "> P1 SELECT \"INBOX\" (CONDSTORE)\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7]\n< P1 OK x\n"
     "> P2 UID FETCH 4:6 (UID FLAGS MODSEQ) (CHANGEDSINCE 12)\n< * 2 FETCH (UID 5 MODSEQ (13) FLAGS ())\n< "
     "P2 OK\n$\n",
     run_since, "5:[];m13 -"},
    {"fetch since: not offered", "", SELECTED "$\n", run_since, "-", ERROR_REFUSED, "changed since"},

    {"bodies", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS INTERNALDATE BODY.PEEK[])\n"
              "< * 1 FETCH (UID 4 FLAGS () BODY[] {19}\\r\\nP2 OK\\r\\n* 1 EXPUNGE\\r INTERNALDATE "
              "\"17-Jul-1996 02:44:25 -0700\")\n"
              "< * 2 FETCH (BODY[] \"short\" UID 5)\n< * 3 FETCH (BODY[] {0}\\r\\n UID 6)\n< P2 OK\n$\n",
     run_bodies, "<4/19:P2 OK\r\n* 1 EXPUNGE\r>4 <5/5:short>5 <0/0:>6 -"},
    {"bodies: UID behind the body, and one that was not asked for", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS INTERNALDATE BODY.PEEK[])\n"
              "< * 1 FETCH (BODY[] {2}\\r\\nab UID 4)\n< * 2 FETCH (BODY[] {2}\\r\\ncd UID 99)\n< * 2 FETCH "
              "(UID 98 BODY[] {2}\\r\\nef)\n"
              "< P2 OK\n$\n",
     run_bodies, "<0/2:ab>4 <0/2:cd -5:6", .events = "message=99 message=98"},
    {"bodies: NIL, refused, gone", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS INTERNALDATE BODY.PEEK[])\n< * 1 FETCH (UID 4 BODY[] NIL)\n"
              "< * 2 FETCH (UID 5 BODY[] {2}\\r\\nab)\n< P2 NO [SERVERBUG] Internal error occurred\n"
              "> P3 UID FETCH 4 (UID FLAGS INTERNALDATE BODY.PEEK[])\n< P3 NO not again\n"
              "> P4 UID FETCH 6 (UID FLAGS INTERNALDATE BODY.PEEK[])\n< P4 OK\n$\n",
     run_bodies, "<5/2:ab>5 -4,6"},
    {"bodies: flags in passing are news", "",
     SELECTED
     "> P2 UID FETCH 4:6 (UID FLAGS INTERNALDATE BODY.PEEK[])\n< * 1 FETCH (UID 4 FLAGS (\\\\Seen))\n"
     "< * 1 FETCH (UID 4 FLAGS (\\\\Seen) BODY[] {2}\\r\\nab)\n< P2 OK\n$\n",
     run_bodies, "<4/2:ab>4 -5:6", .events = "message=4"},
    {"bodies: broken off behind the literal", "",
     SELECTED
     "> P2 UID FETCH 4:6 (UID FLAGS INTERNALDATE BODY.PEEK[])\n< * 1 FETCH (UID 4 BODY[] {2}\\r\\nab\n"
     "< * 2 FETCH (UID 5 FLAGS ())\n< P2 OK\n> P3 UID FETCH 4 (UID FLAGS INTERNALDATE BODY.PEEK[])\n"
     "< * 1 FETCH (UID 4 BODY[] {2}\\r\\nab)\n< P3 OK\n$\n",
     run_bodies, "<4/2:ab <4/2:ab>4 -5:6", .events = "message=5"},
    {"bodies: two literals in one", "",
     SELECTED
     "> P2 UID FETCH 4:6 (UID FLAGS INTERNALDATE BODY.PEEK[])\n"
     "< * 1 FETCH (UID 4 BODY[HEADER] {2}\\r\\nhh BODY[] {2}\\r\\nab X-BODY[] {2}\\r\\ncd)\n< P2 OK\n$\n",
     run_bodies, "<4/2:ab>4 -5:6"},
    {"bodies: the first of two counts", "",
     SELECTED "> P2 UID FETCH 4:6 (UID FLAGS INTERNALDATE BODY.PEEK[])\n"
              "< * 1 FETCH (UID 4 BODY[] {2}\\r\\nab BODY[] {2}\\r\\ncd BODY[] \"ef\")\n< P2 OK\n$\n",
     run_bodies, "<4/2:ab>4 -5:6"},
    {"section", "",
     SELECTED
     "> P2 UID FETCH 5 (UID BODY.PEEK[1.2])\n< * 2 FETCH (UID 5 BODY[1.2] {3}\\r\\nabc)\n< P2 OK\n$\n",
     run_section, "<5/3:abc>5"},
    {"section: none", "",
     SELECTED "> P2 UID FETCH 5 (UID BODY.PEEK[1.2])\n< * 2 FETCH (UID 5 BODY[1.2] NIL)\n< P2 OK\n$\n",
     run_section, "", ERROR_SKIP, "no part 1.2"},

    {"search", "", SELECTED "> P2 UID SEARCH ALL\n< * SEARCH 9 4 6\n< P2 OK\n$\n", run_search, "4,6,9"},
    {"search: in two lines", "", SELECTED "> P2 UID SEARCH ALL\n< * SEARCH 4\n< * SEARCH 6\n< P2 OK\n$\n",
     run_search, "4,6"},
    {"search: ESEARCH", "ESEARCH",
     SELECTED "> P2 UID SEARCH RETURN (ALL) ALL\n< * ESEARCH (TAG \"P2\") UID ALL 4:6\n< P2 OK\n$\n",
     run_search, "4:6"},
    {"search: no answer is no empty folder", "", SELECTED "> P2 UID SEARCH ALL\n< P2 OK\n$\n", run_search, "",
     ERROR_RETRY, "search", .dead = TRUE},
    {"search: refused", "", SELECTED "> P2 UID SEARCH ALL\n< P2 NO [LIMIT] x\n$\n", run_search, "",
     ERROR_REFUSED, NULL},
    {"find: strings and literals", "",
     SELECTED "> P2 UID SEARCH TEXT \"a \\\"b\\\\ c\"\n< * SEARCH\n< P2 OK\n"
              "> P3 UID SEARCH CHARSET UTF-8 TEXT \"a \\\"b\\\\ c\" BODY {2}\n< + go\n# 2\n> \n< * SEARCH 4\n< P3 OK\n$\n",
     run_find, "4"},
    {"find: ESEARCH, and a literal unasked", "ESEARCH LITERAL+",
     SELECTED "> P2 UID SEARCH RETURN (ALL) TEXT \"a \\\"b\\\\ c\"\n< * ESEARCH (TAG \"P2\") UID\n< P2 OK\n"
              "> P3 UID SEARCH RETURN (ALL) CHARSET UTF-8 TEXT \"a \\\"b\\\\ c\" BODY {2+}\n# 2\n> \n"
              "< * ESEARCH (TAG \"P3\") UID ALL 4:5\n< P3 OK\n$\n",
     run_find, "4:5"},
    {"find: the charset is not known", "",
     SELECTED "> P2 UID SEARCH TEXT \"a \\\"b\\\\ c\"\n< * SEARCH\n< P2 OK\n"
              "> P3 UID SEARCH CHARSET UTF-8 TEXT \"a \\\"b\\\\ c\" BODY {2}\n< P3 NO [BADCHARSET (US-ASCII)] x\n$\n",
     run_find, "", ERROR_REFUSED},
    {"search: nonsense", "", SELECTED "> P2 UID SEARCH ALL\n< * SEARCH 4 x\n< P2 OK\n$\n", run_search, "",
     ERROR_RETRY, NULL, .dead = TRUE},
    {"search: four billion", "ESEARCH",
     SELECTED "> P2 UID SEARCH RETURN (ALL) ALL\n"
              "< * ESEARCH (TAG \"P2\") UID ALL 1:4294967295\n< P2 OK\n$\n",
     run_search, "", ERROR_RETRY, NULL, .dead = TRUE},

    {"store", "", SELECTED "> P2 UID STORE 4:6 +FLAGS.SILENT (\\Seen $Forwarded work)\n< P2 OK\n$\n",
     run_store, "-"},
    {"store: told all the same, and someone else's", "",
     SELECTED
     "> P2 UID STORE 4:6 +FLAGS.SILENT (\\Seen $Forwarded work)\n< * 1 FETCH (UID 4 FLAGS (\\\\Seen))\n"
     "< * 9 FETCH (UID 99 FLAGS ())\n< P2 OK\n$\n",
     run_store, "4:S[] -", .events = "message=99"},
    {"store: conditional", "CONDSTORE",
     "> P1 SELECT \"INBOX\" (CONDSTORE)\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7]\n< P1 OK x\n"
     "> P2 UID STORE 4:6 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen $Forwarded work)\n"
     "< * 1 FETCH (UID 4 MODSEQ (14))\n< P2 OK [MODIFIED 5:6] Conditional STORE failed\n$\n",
     run_store, "4;m14 -5:6"},
    {"store: conditional, NO", "CONDSTORE",
     "> P1 SELECT \"INBOX\" (CONDSTORE)\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7]\n< P1 OK x\n"
     "> P2 UID STORE 4:6 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Seen $Forwarded work)\n< P2 NO [MODIFIED 4:6] "
     "x\n$\n",
     run_store, "-4:6"},
    {"store: in a folder for reading", "", "> P1 SELECT \"INBOX\"\n< * 3 EXISTS\n< P1 OK [READ-ONLY] x\n$\n",
     run_store, "-", ERROR_REFUSED, "reading only"},
    {"store: refused", "",
     SELECTED "> P2 UID STORE 4:6 +FLAGS.SILENT (\\Seen $Forwarded work)\n< P2 NO [CANNOT] x\n$\n", run_store,
     "-", ERROR_REFUSED, "change flags"},

    {"copy", "", SELECTED "> P2 UID COPY 4:6 \"a b\\\"c\"\n< P2 OK [COPYUID 77 4:6 20:22] x\n$\n", run_copy,
     "77 4>20 5>21 6>22"},
    {"copy: told nothing", "", SELECTED "> P2 UID COPY 4:6 \"a b\\\"c\"\n< P2 OK\n$\n", run_copy, "0"},
    {"copy: told nonsense", "",
     SELECTED "> P2 UID COPY 4:6 \"a b\\\"c\"\n< P2 OK [COPYUID 77 1:100 200:299]\n$\n", run_copy, "0"},
    {"copy: no such folder", "", SELECTED "> P2 UID COPY 4:6 \"a b\\\"c\"\n< P2 NO [TRYCREATE] no\n$\n",
     run_copy, "0", ERROR_STALE, "copy messages to folder"},
    {"move", "MOVE",
     SELECTED
     "> P2 UID MOVE 4:6 \"a b\\\"c\"\n< * OK [COPYUID 77 4:6 20:22] x\n< * 1 EXPUNGE\n< * 1 EXPUNGE\n"
     "< P2 OK\n$\n",
     run_move, "77 4>20 5>21 6>22", .events = "expunged expunged"},
    {"move: not offered", "", SELECTED "$\n", run_move, "0", ERROR_REFUSED, "one step"},
    {"expunge", "UIDPLUS", SELECTED "> P2 UID EXPUNGE 4:6\n< * 2 EXPUNGE\n< P2 OK\n$\n", run_expunge, "",
     .events = "expunged"},
    {"expunge: not offered, and never more than asked", "", SELECTED "$\n", run_expunge, "", ERROR_REFUSED,
     NULL},

    {"remove: one after the other", "UIDPLUS",
     SELECTED "> P2 UID STORE 4:6 +FLAGS.SILENT (\\Deleted)\n< P2 OK\n> P3 UID EXPUNGE 4:6\n< * 2 EXPUNGE\n< P3 OK\n$\n",
     run_remove, "", .events = "expunged"},
    {"remove: the mark is refused", "UIDPLUS",
     SELECTED "> P2 UID STORE 4:6 +FLAGS.SILENT (\\Deleted)\n< P2 NO [NOPERM] no\n$\n",
     run_remove, "", ERROR_REFUSED, "remove"},
    {"remove: not offered", "", SELECTED "$\n", run_remove, "", ERROR_REFUSED, NULL},

#define THREE(first, plus, third)                                                                              \
    "> P1 APPEND \"Sent\" (\\Draft) \"17-Jul-1996 02:44:25 -0700\" {12" plus "}\n" first "# 12\n>  () {5" plus \
    "}\n" first "# 5\n>  (\\Seen) {300000}\n" third
    {"append many, unasked but for the large one", "MULTIAPPEND LITERAL+ UIDPLUS",
     THREE("", "+", "< + go\n# 300000\n> \n< P1 OK [APPENDUID 7 11:12,20] x\n$\n"), run_append_many, "7/11,12,20"},
    {"append many, announced", "MULTIAPPEND",
     THREE("< + go\n", "", "< + go\n# 300000\n> \n< P1 OK x\n$\n"), run_append_many, "0/0,0,0"},
    {"append many: UIDs of fewer are of none", "MULTIAPPEND LITERAL+",
     THREE("", "+", "< + go\n# 300000\n> \n< P1 OK [APPENDUID 7 11:12] x\n$\n"), run_append_many, "0/0,0,0"},
    {"append many: the third is too big", "MULTIAPPEND LITERAL+",
     THREE("", "+", "< P1 NO [TOOBIG] big\n$\n"), run_append_many, "0/0,0,0", ERROR_REFUSED, "big"},
    {"append many: not offered", "LITERAL+", "$\n", run_append_many, "0/0,0,0", ERROR_REFUSED, "one by one"},

    {"quota: two roots, whatever the server counts", "QUOTA",
     "> P1 GETQUOTAROOT INBOX\n< * QUOTAROOT INBOX \"\" b\n< * QUOTA \"\" (STORAGE 10 512 message 3 100)\n< * QUOTA b (X 1 2)\n"
     "< P1 OK x\n$\n",
     run_quotas, ":STORAGE=10/512 :MESSAGE=3/100 b:X=1/2"},
    {"quota: none, or none of what we may know", "QUOTA",
     "> P1 GETQUOTAROOT INBOX\n< * QUOTA b ()\n< * QUOTA c (STORAGE -1 5)\n< * QUOTA d (STORAGE 99999999999999999999 5)\n"
     "< * QUOTA e\n< * QUOTA\n< P1 OK x\n$\n",
     run_quotas, ""},
    {"quota: refused", "QUOTA", "> P1 GETQUOTAROOT INBOX\n< P1 NO not for you\n$\n",
     run_quotas, "", ERROR_REFUSED,
     "not for you"},
    {"quota: not offered", "", "$\n", run_quotas, ""},

    {"append, announced", "",
     "> P1 APPEND \"Entw&APw-rfe\" (\\Draft) \"17-Jul-1996 02:44:25 -0700\" {12}\n< + go\n# 12\n> \n"
     "< P1 OK [APPENDUID 7 11] x\n$\n",
     run_append, "7/11"},
    {"append, unasked", "LITERAL+",
     "> P1 APPEND \"Entw&APw-rfe\" (\\Draft) \"17-Jul-1996 02:44:25 -0700\" {12+}\n# 12\n> \n"
     "< P1 OK x\n$\n",
     run_append, "0/0"},
    {"append: LITERAL- ends at 4096, LITERAL+ at what a refusal is worth", "LITERAL+ LITERAL-",
     "> P1 APPEND \"Entw&APw-rfe\" () {300000}\n< + go\n# 300000\n> \n< P1 OK [APPENDUID 7 11]\n$\n",
     run_append_big, "7/11"},
    {"append: no such folder", "",
     "> P1 APPEND \"Entw&APw-rfe\" (\\Draft) \"17-Jul-1996 02:44:25 -0700\" {12}\n"
     "< P1 NO [TRYCREATE] none\n$\n",
     run_append, "0/0", ERROR_STALE, "cannot store the message in Entwürfe"},
    {"append: over quota behind the bytes", "",
     "> P1 APPEND \"Entw&APw-rfe\" (\\Draft) \"17-Jul-1996 02:44:25 -0700\" {12}\n"
     "< + go\n# 12\n> \n< P1 NO [OVERQUOTA] full\n$\n",
     run_append, "0/0", ERROR_REFUSED, "full"},
    {"append: OK to half a command", "",
     "> P1 APPEND \"Entw&APw-rfe\" (\\Draft) \"17-Jul-1996 02:44:25 -0700\" {12}\n"
     "< P1 OK [APPENDUID 7 11]\n$\n",
     run_append, "0/0", ERROR_RETRY, NULL, .dead = TRUE},
    {"append: over APPENDLIMIT", "APPENDLIMIT=10", "$\n", run_append, "0/0", ERROR_REFUSED, "10"},
    {"append: a message that cannot be read", "", "> P1 APPEND \"Entw&APw-rfe\" () {5}\n< + go\n$\n",
     run_append_fails, "0/0", ERROR_IO, "draft", .dead = TRUE},

    {"list, extended", "LIST-EXTENDED LIST-STATUS SPECIAL-USE NAMESPACE",
     "> P1 NAMESPACE\n< * NAMESPACE ((\"\" \"/\")) ((\"Other/\" \"/\")) NIL\n< P1 OK\n"
     "> P2 LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN SPECIAL-USE STATUS (UIDNEXT))\n"
     "< * LIST (\\\\Subscribed) \"/\" inbox\n< * STATUS INBOX (UIDNEXT 5)\n< * LIST (\\\\Sent) \"/\" "
     "{4}\\r\\nSent\n"
     "< * STATUS \"Sent\" (UIDNEXT 6)\n< * LIST () \"/\" Other/ben\n< * LIST (\\\\Subscribed) \"/\" "
     "\"Other/carol\"\n"
     "< * LIST () \"/\" \"\"\n< * LIST () \"/\" {3}\\r\\na\\r\\n\n< * LIST () \"/\" {2}\\r\\na\\001\n< * "
     "LIST () \"/\" \"a\xff\"\n"
     "< P2 OK\n$\n",
     run_list, "INBOX+=5 Sent!=6 Other/carol+ a\001 a\xff"},
    {"list, plain", "",
     "> P1 LIST \"\" \"\"\n< * LIST (\\\\Noselect) \".\" \"\"\n< P1 OK\n"
     "> P2 LIST \"\" \"*\"\n> P3 LSUB \"\" \"*\"\n< * LSUB () \".\" a\n< P3 OK\n< * LIST () \".\" a\n< * "
     "LIST () \".\" b\n< P2 OK\n$\n",
     run_list, "a+ b"},
    {"list: extended offered and not understood", "LIST-EXTENDED LIST-STATUS",
     "> P1 LIST \"\" \"\"\n< P1 OK\n> P2 LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN STATUS (UIDNEXT))\n< P2 "
     "BAD what\n"
     "> P3 LIST \"\" \"*\"\n> P4 LSUB \"\" \"*\"\n< * LIST () \".\" a\n< P3 OK\n< P4 OK\n$\n",
     run_list, "a"},
    {"list: refused", "",
     "> P1 LIST \"\" \"\"\n< P1 OK\n> P2 LIST \"\" \"*\"\n> P3 LSUB \"\" \"*\"\n< P2 NO x\n< P3 OK\n$\n",
     run_list, "", ERROR_REFUSED, "list folders"},
    {"status, in one flight and any order", "LITERAL+",
     "> P1 STATUS \"inbox\" (UIDNEXT)\n> P2 STATUS {2+}\n# 2\n>  (UIDNEXT)\n"
     "> P3 STATUS \"b\" (UIDNEXT)\n< * STATUS b (UIDNEXT 3)\n< P3 OK\n< * STATUS other (UIDNEXT 9)\n< P2 NO "
     "gone\n"
     "< * STATUS \"INBOX\" (UIDNEXT 1)\n< P1 OK\n$\n",
     run_status, "INBOX=1 a\xff=0 b=3", .events = "status"},
    {"status, a name that must be announced", "",
     "> P1 STATUS \"inbox\" (UIDNEXT)\n< * STATUS INBOX (UIDNEXT 1)\n< P1 OK\n"
     "> P2 STATUS {2}\n< + go\n# 2\n>  (UIDNEXT)\n< * STATUS {2}\\r\\na\xff (UIDNEXT 2)\n< P2 OK\n"
     "> P3 STATUS \"b\" (UIDNEXT)\n< P3 OK\n$\n",
     run_status, "INBOX=1 a\xff=2 b=0"},
    {"create: exists, without a code", "CREATE-SPECIAL-USE",
     "> P1 CREATE \"Sent\" (USE (\\Sent))\n< P1 NO [USEATTR] taken\n"
     "> P2 CREATE \"Sent\"\n< P2 NO already there\n> P3 STATUS \"Sent\" (UIDVALIDITY)\n"
     "< * STATUS Sent (UIDVALIDITY 4)\n< P3 OK\n$\n",
     run_create, ""},
    {"bad arguments never reach the server", "", SELECTED "> P2 NOOP\n< P2 OK\n$\n", run_bad_arguments,
     "3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3"},

    {"idle", "IDLE",
     SELECTED "> P2 IDLE\n< * 4 EXISTS\n< + idling\n< * OK Still here\n< * 1 EXPUNGE\n< + again\n< * 5 "
              "EXISTS\n> DONE\n"
              "< * 6 EXISTS\n< P2 OK\n> P3 NOOP\n< P3 OK\n$\n",
     run_idle, "2", .events = "exists=4 expunged exists=5 exists=6"},
    {"idle: refused", "IDLE", SELECTED "> P2 IDLE\n< P2 NO [LIMIT] x\n$\n", run_idle, "", ERROR_REFUSED,
     NULL},
    {"idle: ended by the server", "IDLE", SELECTED "> P2 IDLE\n< + ok\n< P2 OK too long\n$\n", run_idle, "",
     ERROR_RETRY, "too long", .dead = TRUE},
    {"idle: BYE", "IDLE", SELECTED "> P2 IDLE\n< + ok\n< * BYE [UNAVAILABLE] restart\n$\n", run_idle, "",
     ERROR_RETRY, "restart", .events = "bye=restart", .dead = TRUE},

    {"notify", "NOTIFY",
     "> P1 NOTIFY SET STATUS (selected (MessageNew (UID FLAGS)*\n< * STATUS Sent (MESSAGES 1 UIDNEXT 2)\n< P1 OK\n"
     "> P2 SELECT \"INBOX\"\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7] v\n< P2 OK\n"
     "< * STATUS Sent (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1)\n< * LIST () \"/\" New (\"OLDNAME\" (Old))\n"
     "< * 2 FETCH (UID 8 FLAGS (\\\\Seen))\n> P3 NOOP\n< P3 OK\n$\n",
     run_notify, "1 3 1", .events = "status status folder message=8"},
    {"notify: too much to tell", "NOTIFY",
     "> P1 NOTIFY SET*\n< P1 OK\n> P2 SELECT \"INBOX\"\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7] v\n< P2 OK\n"
     "< * 4 EXISTS\n< * OK [NOTIFICATIONOVERFLOW] sorry\n< * OK [NOTIFICATIONOVERFLOW] again\n< * 5 EXISTS\n"
     "> P3 NOOP\n< P3 OK\n$\n",
     run_notify, "1 3 0", .events = "exists=4 overflow exists=5"},
    {"notify: not all of it", "NOTIFY",
     "> P1 NOTIFY SET STATUS (selected*\n< P1 NO [BADEVENT (MessageNew MessageExpunge FlagChange)] no\n"
     "> P2 NOTIFY SET STATUS (selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge "
     "FlagChange))\n< P2 OK\n"
     "> P3 SELECT \"INBOX\"\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7] v\n< P3 OK\n< * 4 EXISTS\n< * 5 EXISTS\n"
     "< * 6 EXISTS\n> P4 NOOP\n< P4 OK\n$\n",
     run_notify, "1 3 1"},
    {"notify: nothing of it", "NOTIFY",
     "> P1 NOTIFY SET STATUS*\n< P1 NO [BADEVENT ()] no\n> P2 NOTIFY SET STATUS (selected (MessageNew Mess*\n< P2 BAD what\n"
     "> P3 NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge))\n"
     "< P3 NO [BADEVENT ()] no\n> P4 NOOP\n< P4 OK\n$\n",
     run_notify_twice, "0 0 0"},
    {"notify: refused", "NOTIFY", "> P1 NOTIFY SET*\n< P1 NO [LIMIT] no\n> P2 NOOP\n< P2 OK\n$\n",
     run_notify_twice, "0 0 0"},
    {"notify: a reply to nothing", "NOTIFY",
     "> P1 NOTIFY SET*\n< P1 OK\n> P2 SELECT \"INBOX\"\n< * 3 EXISTS\n< * OK [UIDVALIDITY 7] v\n< P2 OK\n"
     "< P9 OK you are welcome\n$\n",
     run_notify, "1", ERROR_RETRY, "stopped telling", .dead = TRUE},

    {"news", "",
     SELECTED "> P2 NOOP\n< * 4 EXISTS\n< * 3 EXPUNGE\n< * 1 FETCH (FLAGS (\\\\Seen))\n< * VANISHED 5:6\n"
              "< * VANISHED (EARLIER) 1\n< * VANISHED 1:*\n< * STATUS a (UIDNEXT 4)\n< * LIST () \"/\" a\n< "
              "P2 OK\n$\n",
     run_noop, "", .events = "exists=4 expunged message=0 vanished=5:6 status folder"},
    {"alerts, one at a time and safe", "",
     SELECTED "> P2 NOOP\n< * OK [ALERT] \\033]0;x\\007 read\\tthis\n< * NO [ALERT] again\n"
              "< P2 OK [ALERT] and again\n$\n",
     run_noop, "", .events = "alert=\xef\xbf\xbd]0;x\xef\xbf\xbd read this"},
    {"BYE in the middle", "", SELECTED "> P2 NOOP\n< * BYE [ALERT] \\033[1mgood night\n$\n", run_noop, "",
     ERROR_RETRY, "the server ended the session: it says \"\xef\xbf\xbd[1mgood night\"",
     .events = "bye=\xef\xbf\xbd[1mgood night", .dead = TRUE},
    {"a tag that was never used", "", SELECTED "> P2 NOOP\n< P3 OK\n$\n", run_noop, "", ERROR_RETRY,
     "not given", .dead = TRUE},
    {"an old tag", "", SELECTED "> P2 NOOP\n< P1 OK\n$\n", run_noop, "", ERROR_RETRY, "not given",
     .dead = TRUE},
    {"a continuation that nobody asked for", "", SELECTED "> P2 NOOP\n< + send me more\n$\n", run_noop, "",
     ERROR_RETRY, "complete", .dead = TRUE},
    {"a line that is no response", "", SELECTED "> P2 NOOP\n< From: someone\n< * 1 EXPUNGE\n< P2 OK\n$\n",
     run_noop, "", ERROR_RETRY, "no sense", .events = "", .dead = TRUE},
    {"an empty line", "", SELECTED "> P2 NOOP\n< \n< P2 OK\n$\n", run_noop, "", ERROR_RETRY, "no sense",
     .dead = TRUE},
    {"a literal that is not there", "", SELECTED "> P2 NOOP\n< P2 OK {5}\n$\n", run_noop, "", .dead = FALSE},
    {"a size over 64 bits", "", SELECTED "> P2 NOOP\n< * X {18446744073709551619}\\r\\nabc\n< P2 OK\n$\n",
     run_noop, "", ERROR_SECURITY, NULL, .dead = TRUE},
    {"a literal over the limit", "", SELECTED "> P2 NOOP\n< * X {1001}\n$\n", run_noop, "", ERROR_SECURITY,
     NULL, .dead = TRUE, .client = {.message_max = 1000}},
};

/* ---- playing them ---- */

static gsize
play(const struct act *act, gboolean bytewise, gssize cut)
{
    g_autoptr(GError) opened = NULL, error = NULL;
    g_autofree char *text =
        g_strconcat("< * PREAUTH [CAPABILITY IMAP4rev1 ", act->extensions, "] hi\n", act->script, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    struct client client = act->client;
    client.tls = TLS_NONE;
    client.heard = g_string_new(NULL);
    struct script *script = script_start(text, bytewise, cut, NULL);
    struct imap *imap = client_open(&client, script, NULL, &opened);
    gboolean done = imap && act->run(imap, out, &error);
    if (error)
        g_test_message("%s", error->message);
    gboolean as_written = cut < 0 || (done && act->code == 0);
    if (imap)
        g_assert_cmpint(done, ==, error == NULL);
    if (as_written) {
        g_assert_no_error(opened);
        if (act->code == 0)
            g_assert_no_error(error);
        else
            g_assert_cmpint(error ? error->code : 0, ==, act->code);
        if (act->words && !strstr(error->message, act->words))
            g_error("\"%s\" is not in \"%s\"", act->words, error->message);
        g_assert_cmpstr(out->str, ==, act->out);
        if (act->events && cut < 0)
            g_assert_cmpstr(client.heard->str, ==, act->events);
        if (cut < 0)
            g_assert_cmpint(imap_is_dead(imap), ==, act->dead);
    }
    if (error)
        g_assert_null(strpbrk(error->message, "\r\n\x1b\x07"));
    imap_free(imap);
    g_string_free(client.heard, TRUE);
    return script_end(script, cut < 0);
}

static void
test_act(gconstpointer data)
{
    const struct act *act = data;
    gsize length = play(act, FALSE, -1);
    g_assert_cmpuint(play(act, TRUE, -1), ==, length);
    for (gssize cut = 0; cut < (gssize)length; cut++)
        play(act, FALSE, cut);
}

/* ---- volume ---- */

static guint64
peak_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (guint64)usage.ru_maxrss * 1024;
}

/* Runs NOOP against a server that floods; memory must not follow. */
static void
flood(const char *step, gboolean survives, guint64 room)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strconcat("< * PREAUTH [CAPABILITY IMAP4rev1] hi\n" SELECTED "> P2 NOOP\n",
                                        step, survives ? "\n< P2 OK\n$\n" : "\n$\n", NULL);
    struct script *script = script_start(text, FALSE, -1, NULL);
    struct endpoint *endpoint = endpoint_new(ENDPOINT_IMAP, TLS_NONE, "localhost", 143, NULL);
    struct imap_options options = {0};
    struct imap *imap =
        imap_open_stream(stream_new_for_fd(endpoint, script->client_fd, NULL), &options, &error);
    g_assert_no_error(error);
    endpoint_free(endpoint);
    guint64 before = peak_memory();
    gboolean done = select_inbox(imap, &error) && imap_noop(imap, &error);
    g_assert_cmpint(done, ==, survives);
    g_assert_cmpint(imap_is_dead(imap), ==, !survives);
    g_assert_cmpuint(peak_memory() - before, <, room);
    imap_free(imap);
    script_end(script, FALSE);
}

static void
test_flood(void)
{
    guint64 room = 16 * 1024 * 1024;
#if defined(__SANITIZE_ADDRESS__)
    room *= 16;
#endif
    flood("& 1000000 * 5 EXISTS", TRUE, room);
    flood("& 6000000 * OK [ALERT] read me", FALSE, room); /* over the volume of one command */
    g_autofree char *line = g_strnfill(2 * 1024 * 1024, 'a'), *endless = g_strconcat("~ * X ", line, NULL);
    flood(endless, FALSE, room);
    g_autofree char *literal = g_strnfill(5 * 1024 * 1024, 'b');
    g_autofree char *big = g_strconcat("< * X {5242880}\\r\\n", literal, NULL);
    flood(big, TRUE, room + 32 * 1024 * 1024); /* the server's copies are ours too here */
    g_autofree char *parentheses = g_strnfill(200, '('), *deep = g_strconcat("< * X ", parentheses, NULL);
    flood(deep, FALSE, room);
}

/* The UIDs of a large folder come in one line, and the limit of a line moves with EXISTS. */
static void
test_long_search(void)
{
    g_autoptr(GString) text = g_string_new("< * PREAUTH [CAPABILITY IMAP4rev1] hi\n> P1 SELECT \"INBOX\"\n"
                                           "< * 300000 EXISTS\n< * OK [UIDVALIDITY 7]\n< P1 OK\n"
                                           "> P2 UID SEARCH ALL\n< * SEARCH");
    for (guint i = 0; i < 300000; i++)
        g_string_append_printf(text, " %u", 1 + i * 2);
    g_string_append(text, "\n< P2 OK\n> P3 NOOP\n< P3 OK\n$\n");
    g_autoptr(GError) error = NULL;
    struct client client = {.tls = TLS_NONE, .heard = g_string_new(NULL)};
    struct script *script = script_start(text->str, FALSE, -1, NULL);
    struct imap *imap = client_open(&client, script, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(select_inbox(imap, &error));
    g_autoptr(struct_uidset) uids = imap_search_all(imap, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(uidset_count(uids), ==, 300000);
    g_assert_cmpuint(uidset_max(uids), ==, 599999);
    g_assert_true(imap_noop(imap, &error));
    imap_free(imap);
    g_string_free(client.heard, TRUE);
    script_end(script, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap/flood", test_flood);
    g_test_add_func("/imap/long-search", test_long_search);
    for (guint i = 0; i < G_N_ELEMENTS(acts); i++) {
        g_autofree char *path = g_strconcat("/imap/", acts[i].name, NULL);
        g_test_add_data_func(path, &acts[i], test_act);
    }
    return g_test_run();
}
