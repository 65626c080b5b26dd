/* What changes messages: STORE, COPY, MOVE, EXPUNGE, APPEND. */
#include "config.h"

#include "proto/imap_private.h"

#include <string.h>

#include "base/fail.h"
#include "base/flags.h"
#include "base/log.h"

#define KEYWORD_BYTES 100
#define KEYWORDS_MAX 200

/* "\Seen $Forwarded work" in parentheses, or NULL with error. */
static char *
flag_list(const struct imap *imap, guint flags, const char *const *keywords, GError **error)
{
    g_autoptr(GString) list = g_string_new("(");
    for (const struct flag_name *f = flag_names; f->bit; f++)
        if (flags & f->bit)
            g_string_append_printf(list, "%s%s", list->len > 1 ? " " : "", f->imap);
    for (guint i = 0; keywords && keywords[i]; i++) {
        struct slice word = {keywords[i], strlen(keywords[i])};
        if (i >= KEYWORDS_MAX || word.length > KEYWORD_BYTES || !imap_is_keyword(&word)) {
            imap_fail(imap, ERROR_INPUT, error, "\"%.60s\" cannot be a keyword on a mail server",
                      keywords[i]);
            return NULL;
        }
        g_string_append_printf(list, "%s%s", list->len > 1 ? " " : "", keywords[i]);
    }
    return g_strdup(g_string_append_c(list, ')')->str);
}

/* ---- STORE ---- */

struct store {
    const struct uidset *uids;
    imap_message_func handler;
    gpointer data;
    struct fetch_record record;
};

static gboolean
take_stored(struct imap *imap G_GNUC_UNUSED, const struct imap_reply *reply, struct collector *collector)
{
    struct store *store = collector->data;
    if (reply->kind != REPLY_FETCH || !store->handler)
        return FALSE;
    reply_parse_fetch(reply->rest, NULL, &store->record);
    if (store->record.broken || !uidset_contains(store->uids, store->record.message.uid))
        return FALSE;
    store->handler(&store->record.message, store->data, &collector->error);
    return TRUE;
}

gboolean
imap_store(struct imap *imap, const struct uidset *uids, gboolean add, guint flags,
           const char *const *keywords, guint64 unchanged_since, struct uidset *modified,
           imap_message_func handler, gpointer data, GError **error)
{
    g_autofree char *list = flag_list(imap, flags, keywords, error);
    if (!list || !imap_check_selected(imap, TRUE, error))
        return FALSE;
    if (unchanged_since && !imap_has(imap, IMAP_CONDSTORE))
        return imap_fail(imap, ERROR_REFUSED, error,
                         "the server cannot change flags only where nobody else did");
    if (!strcmp(list, "()"))
        return TRUE;
    g_autofree char *condition =
        unchanged_since ? g_strdup_printf(" (UNCHANGEDSINCE %" G_GUINT64_FORMAT ") ", unchanged_since)
                        : g_strdup(" ");
    struct store store = {.handler = handler, .data = data};
    struct collector collector = {.take = take_stored, .data = &store};
    fetch_record_init(&store.record);
    g_autoptr(struct_uidset) rest = uidset_copy(uids);
    gboolean done = TRUE;
    while (done && !uidset_is_empty(rest)) {
        g_auto(struct_exchange) exchange = {0};
        g_autoptr(struct_uidset) now = uidset_take(rest, 0, COMMAND_MAX, FALSE);
        g_autofree char *set = uidset_format(now);
        struct imap_reply reply;
        store.uids = now;
        STEP("imap.store");
        done = imap_command(imap, &exchange, "changing flags", "UID STORE ", error) &&
               imap_put(imap, set, error) && imap_put(imap, condition, error) &&
               imap_put(imap, add ? "+" : "-", error) && imap_put(imap, "FLAGS.SILENT ", error) &&
               imap_put(imap, list, error) && imap_end(imap, error) &&
               imap_wait(imap, &exchange, 1, &collector, error);
        exchange_to_reply(&exchange, &reply);
        if (done && reply.code == CODE_MODIFIED && modified) {
            g_autoptr(struct_uidset) refused = uidset_new();
            if (reply_parse_modified(&reply, refused))
                uidset_add_set(modified, refused);
        }
        /* NO [MODIFIED …] says that some failed the test, no more (RFC 7162 section 3.1.3). */
        if (done && !(exchange.result == REPLY_NO && exchange.code == CODE_MODIFIED && modified))
            done = imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot change flags");
    }
    fetch_record_clear(&store.record);
    return done;
}

/* ---- COPY and MOVE ---- */

struct imap_copies *
imap_copies_new(void)
{
    struct imap_copies *copies = g_new0(struct imap_copies, 1);
    copies->pairs = g_array_new(FALSE, FALSE, sizeof(struct imap_copied));
    return copies;
}

void
imap_copies_free(struct imap_copies *copies)
{
    if (!copies)
        return;
    g_array_unref(copies->pairs);
    g_free(copies);
}

struct copying {
    const struct uidset *uids;
    struct imap_copies *copies;
};

static void
learn_copies(const struct copying *copying, const struct imap_reply *reply)
{
    if (reply->code != CODE_COPYUID || !copying->copies)
        return;
    if (!reply_parse_copyuid(reply, copying->uids, copying->copies))
        log_warn("imap.copy", "a COPYUID that does not fit was passed over");
}

/* MOVE tells before it removes, so in an untagged OK (RFC 6851 section 4.3). */
static gboolean
take_copied(struct imap *imap G_GNUC_UNUSED, const struct imap_reply *reply, struct collector *collector)
{
    if (reply->kind != REPLY_OK || reply->code != CODE_COPYUID)
        return FALSE;
    learn_copies(collector->data, reply);
    return TRUE;
}

static gboolean
transfer(struct imap *imap, const struct uidset *uids, const char *target, gboolean move,
         struct imap_copies *copies, GError **error)
{
    g_autofree char *shown = utf7_show(target);
    g_autoptr(struct_uidset) rest = uidset_copy(uids);
    while (!uidset_is_empty(rest)) {
        g_auto(struct_exchange) exchange = {0};
        g_autoptr(struct_uidset) now = uidset_take(rest, 0, COMMAND_MAX, FALSE);
        g_autofree char *set = uidset_format(now);
        struct copying copying = {now, copies};
        struct collector collector = {.take = take_copied, .data = &copying};
        struct imap_reply reply;
        STEP(move ? "imap.move" : "imap.copy");
        if (!imap_command(imap, &exchange, move ? "moving messages" : "copying messages",
                          move ? "UID MOVE " : "UID COPY ", error) ||
            !imap_put(imap, set, error) || !imap_put(imap, " ", error) ||
            !imap_put_string(imap, &exchange, target, error) || !imap_end(imap, error) ||
            !imap_wait(imap, &exchange, 1, &collector, error))
            return FALSE;
        exchange_to_reply(&exchange, &reply);
        learn_copies(&copying, &reply);
        if (!imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot %s messages to folder %s",
                           move ? "move" : "copy", shown))
            return FALSE;
    }
    return TRUE;
}

gboolean
imap_copy(struct imap *imap, const struct uidset *uids, const char *target, struct imap_copies *copies,
          GError **error)
{
    return imap_check_selected(imap, FALSE, error) && imap_check_name(imap, target, error) &&
           transfer(imap, uids, target, FALSE, copies, error);
}

gboolean
imap_move(struct imap *imap, const struct uidset *uids, const char *target, struct imap_copies *copies,
          GError **error)
{
    if (!imap_check_selected(imap, TRUE, error) || !imap_check_name(imap, target, error))
        return FALSE;
    if (!imap_has(imap, IMAP_MOVE))
        return imap_fail(imap, ERROR_REFUSED, error, "the server cannot move messages in one step");
    return transfer(imap, uids, target, TRUE, copies, error);
}

/* ---- EXPUNGE ---- */

gboolean
imap_expunge(struct imap *imap, const struct uidset *uids, GError **error)
{
    g_autoptr(struct_uidset) rest = uidset_copy(uids);
    if (!imap_check_selected(imap, TRUE, error))
        return FALSE;
    if (!imap_has(imap, IMAP_UIDPLUS))
        return imap_fail(imap, ERROR_REFUSED, error, "the server cannot remove single messages");
    while (!uidset_is_empty(rest)) {
        g_auto(struct_exchange) exchange = {0};
        g_autoptr(struct_uidset) now = uidset_take(rest, 0, COMMAND_MAX, FALSE);
        g_autofree char *set = uidset_format(now);
        STEP("imap.expunge");
        if (!imap_command(imap, &exchange, "removing messages", "UID EXPUNGE ", error) ||
            !imap_put(imap, set, error) || !imap_end(imap, error) ||
            !imap_wait(imap, &exchange, 1, NULL, error) ||
            !imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot remove messages"))
            return FALSE;
    }
    return TRUE;
}

gboolean
imap_remove(struct imap *imap, const struct uidset *uids, GError **error)
{
    g_autoptr(struct_uidset) rest = uidset_copy(uids);
    if (!imap_check_selected(imap, TRUE, error))
        return FALSE;
    if (!imap_has(imap, IMAP_UIDPLUS))
        return imap_fail(imap, ERROR_REFUSED, error, "the server cannot remove single messages");
    while (!uidset_is_empty(rest)) {
        struct exchange mark = {0}, remove = {0};
        g_autoptr(struct_uidset) now = uidset_take(rest, 0, COMMAND_MAX, FALSE);
        g_autofree char *set = uidset_format(now);
        static const char activity[] = "removing messages";
        /* One after the other: Dovecot 2.3 leaves now and then what was marked in the same flight, and says that all is
         * well; the message would come back. */
        STEP("imap.store");
        gboolean done = imap_command(imap, &mark, activity, "UID STORE ", error) && imap_put(imap, set, error) &&
                        imap_put(imap, " +FLAGS.SILENT (\\Deleted)", error) && imap_end(imap, error) &&
                        imap_wait(imap, &mark, 1, NULL, error) &&
                        imap_check_ok(imap, &mark, ERROR_REFUSED, error, "cannot remove messages");
        STEP("imap.expunge");
        done = done && imap_command(imap, &remove, activity, "UID EXPUNGE ", error) && imap_put(imap, set, error) &&
               imap_end(imap, error) && imap_wait(imap, &remove, 1, NULL, error) &&
               imap_check_ok(imap, &remove, ERROR_REFUSED, error, "cannot remove messages");
        exchange_clear(&mark);
        exchange_clear(&remove);
        if (!done)
            return FALSE;
    }
    return TRUE;
}

gboolean
imap_expunge_all_deleted(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    STEP("imap.expunge-all");
    return imap_check_selected(imap, TRUE, error) &&
           imap_run(imap, &exchange, "removing messages", "EXPUNGE", NULL, error) &&
           imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot remove messages");
}

/* ---- APPEND ---- */

/* Once the size was announced there is no way back but to end the connection. */
static gboolean
send_message(struct imap *imap, const struct imap_append *message, GError **error)
{
    for (guint64 left = message->size; left > 0;) {
        g_autoptr(GError) why = NULL;
        gssize got = message->read(imap->bytes, (gsize)MIN(left, PIECE), message->data, &why);
        if (got == 0)
            g_set_error(&why, IMAP_ERROR, ERROR_GIVEUP, "%s: the message to store is shorter than it was",
                        imap->host);
        if (got <= 0) {
            stream_kill(imap->stream, why);
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        if (!stream_write(imap->stream, imap->bytes, (gsize)got, error))
            return FALSE;
        left -= (guint64)got;
    }
    return TRUE;
}

/* "(flags) "date" {size}" and the bytes. *go is FALSE when the server ended the command. */
static gboolean
put_message(struct imap *imap, struct exchange *exchange, const struct imap_append *message, gboolean *go,
            GError **error)
{
    g_autofree char *list = flag_list(imap, message->flags, message->keywords, error);
    g_autofree char *date = imap_date_format(message->date, message->zone);
    if (!list)
        return FALSE;
    g_autofree char *more =
        message->date ? g_strdup_printf(" %s \"%s\" ", list, date) : g_strdup_printf(" %s ", list);
    if (!imap_put(imap, more, error) || !imap_put_literal_header(imap, exchange, message->size, go, error))
        return FALSE;
    stream_set_bulk(imap->stream, TRUE);
    gboolean sent = !*go || send_message(imap, message, error);
    stream_set_bulk(imap->stream, FALSE);
    return sent;
}

/* What can be wrong with a message is said before a byte of the command is. */
static gboolean
check_message(const struct imap *imap, const struct imap_append *message, const char *shown, GError **error)
{
    g_autofree char *list = flag_list(imap, message->flags, message->keywords, error);
    if (!list)
        return FALSE;
    if (imap->append_limit && message->size > imap->append_limit)
        return imap_fail(imap, ERROR_REFUSED, error,
                         "cannot store the message in %s: it has %" G_GUINT64_FORMAT
                         " bytes, and the server takes %" G_GUINT64_FORMAT,
                         shown, message->size, imap->append_limit);
    return TRUE;
}

static gboolean
append(struct imap *imap, const char *name, const struct imap_append *messages, guint n, guint32 *uidvalidity,
       guint32 *uids, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    g_autofree char *shown = utf7_show(name);
    struct imap_reply reply;
    gboolean go = TRUE;
    *uidvalidity = 0;
    memset(uids, 0, n * sizeof *uids);
    if (!imap_check_alive(imap, error) || !imap_check_name(imap, name, error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        if (!check_message(imap, &messages[i], shown, error))
            return FALSE;
    STEP("imap.append");
    if (!imap_command(imap, &exchange, n == 1 ? "storing a message" : "storing messages", "APPEND ", error) ||
        !imap_put_string(imap, &exchange, name, error))
        return FALSE;
    for (guint i = 0; i < n && go; i++)
        if (!put_message(imap, &exchange, &messages[i], &go, error))
            return FALSE;
    if ((go && (!imap_end(imap, error) || !imap_wait(imap, &exchange, 1, NULL, error))) ||
        !imap_check_ok(imap, &exchange, ERROR_REFUSED, error,
                       n == 1 ? "cannot store the message in %s" : "cannot store the messages in %s", shown))
        return FALSE;
    STEP("imap.appended");
    exchange_to_reply(&exchange, &reply);
    if (reply.code == CODE_APPENDUID && !reply_parse_appenduid(&reply, uidvalidity, uids, n))
        log_warn("imap.append", "an APPENDUID that makes no sense was passed over");
    return TRUE;
}

gboolean
imap_append(struct imap *imap, const char *name, const struct imap_append *message, guint32 *uidvalidity,
            guint32 *uid, GError **error)
{
    return append(imap, name, message, 1, uidvalidity, uid, error);
}

gboolean
imap_append_many(struct imap *imap, const char *name, const struct imap_append *messages, guint n,
                 guint32 *uidvalidity, guint32 *uids, GError **error)
{
    *uidvalidity = 0;
    memset(uids, 0, n * sizeof *uids);
    if (n > 1 && !imap_has(imap, IMAP_MULTIAPPEND))
        return imap_fail(imap, ERROR_REFUSED, error, "the server takes messages one by one only");
    return append(imap, name, messages, n, uidvalidity, uids, error);
}
