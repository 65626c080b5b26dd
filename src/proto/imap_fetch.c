/* FETCH and SEARCH: what messages there are, and their bytes. */
#include "config.h"

#include "proto/imap_private.h"

#include <string.h>

#include "base/log.h"

#define BODY_CHUNK 200
#define FIELDS_MAX 2000
#define SECTION_MAX 200
#define SEARCH_SLACK 10000 /* messages that may arrive between EXISTS and the answer */
#define SEARCH_LINE_MAX (128u * 1024 * 1024)

const char imap_envelope_fields[] =
    "Date From Sender Reply-To To Cc Bcc Subject Message-ID In-Reply-To References "
    "List-Id Content-Type Auto-Submitted";

/* ---- one FETCH command ---- */

struct job {
    struct imap *imap;
    guint want;            /* items without which a response is no answer */
    const char *section;   /* of the body, or NULL */
    struct uidset *left;   /* asked for and not yet answered */
    struct uidset *partly; /* answered, but not in full */
    gboolean stray;        /* a malformed response that names no UID came */
    gboolean lenient;      /* the second time: what comes is all there is */
    struct uidset *vanished;
    imap_message_func handler;
    gpointer data;
    const struct imap_sink *sink;
    struct fetch_record record;
    struct collector collector;
    struct literal_sink literal;
    gboolean begun; /* the sink has a message that is not ended */
};

static void
stop(struct job *job, GError *why)
{
    if (!job->collector.error)
        job->collector.error = why;
    else
        g_clear_error(&why);
}

/* ---- message bytes ---- */

static gboolean
sink_begin(struct job *job, guint32 uid, guint64 size)
{
    GError *why = NULL;
    job->begun = FALSE;
    if (job->collector.error)
        return FALSE;
    if (!job->sink->begin(uid, size, job->sink->data, &why)) {
        stop(job, why);
        return FALSE;
    }
    job->begun = TRUE;
    return TRUE;
}

static void
sink_write(struct job *job, const void *bytes, gsize length)
{
    GError *why = NULL;
    if (job->begun && !job->sink->write(bytes, length, job->sink->data, &why)) {
        job->begun = FALSE;
        stop(job, why);
    }
}

/* Does the frame end in " BODY[section] "? Then end is set to where that begins. */
static gboolean
ends_in_body(const char *frame, gsize length, const char *section, gsize *end)
{
    g_autofree char *label = g_strdup_printf("BODY[%s]", section);
    gsize label_length = strlen(label), at = length;
    while (at > 0 && frame[at - 1] == ' ')
        at--;
    if (at == length || at <= label_length)
        return FALSE;
    at -= label_length;
    *end = at;
    return !g_ascii_strncasecmp(frame + at, label, label_length) && strchr(" (", frame[at - 1]);
}

/* Is the literal that follows the body of a message that was asked for? A second one in the same response is
 * not. */
static gboolean
literal_begin(struct literal_sink *literal, const char *frame, gsize length, guint64 size)
{
    struct job *job = literal->data;
    struct imap_reply reply;
    gsize end;
    if (!ends_in_body(frame, length, job->section, &end))
        return FALSE;
    reply_parse(frame, end, &reply);
    if (reply.kind != REPLY_FETCH)
        return FALSE;
    reply_parse_fetch(reply.rest, job->section, &job->record); /* broken off, of course */
    if (job->record.has_body)
        return FALSE;
    job->begun = FALSE;
    guint32 uid = job->record.message.uid;
    return (!uid || uidset_contains(job->left, uid)) && sink_begin(job, uid, size);
}

static void
literal_write(struct literal_sink *literal, const void *bytes, gsize length)
{
    sink_write(literal->data, bytes, length);
}

/* A body that stood in the line: a short one, quoted. */
static void
sink_inline(struct job *job)
{
    const struct slice *body = &job->record.body;
    if (body->bytes && sink_begin(job, job->record.message.uid, body->length))
        sink_write(job, body->bytes, body->length);
}

/* ---- responses ---- */

static void
deliver(struct job *job)
{
    struct imap_message *message = &job->record.message;
    GError *why = NULL;
    GPtrArray *parts = NULL;
    if (job->record.structure.bytes)
        message->parts = parts = imap_etpan_structure(&job->record.structure);
    if (parts)
        message->items |= IMAP_FETCH_STRUCTURE;
    uidset_remove(job->left, message->uid);
    uidset_remove(job->partly, message->uid);
    if (job->handler && !job->handler(message, job->data, &why))
        stop(job, why);
    if (parts)
        g_ptr_array_unref(parts);
}

/* What of the answer is not there. */
static guint
missing_items(const struct job *job)
{
    const struct fetch_record *record = &job->record;
    guint missing = job->want & ~record->message.items;
    if (record->structure.bytes) /* it came; whether it makes sense is another matter */
        missing &= ~(guint)IMAP_FETCH_STRUCTURE;
    return job->lenient ? missing & IMAP_FETCH_BODY : missing;
}

/* Flags and no more: someone else's change, told in passing. */
static gboolean
is_passing(const struct job *job)
{
    const struct fetch_record *record = &job->record;
    guint rest = record->message.items & ~(guint)(IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ);
    return !record->broken && !record->has_body && !record->structure.bytes && rest == 0;
}

/* Returns FALSE when it is no answer, but news. */
static gboolean
take_message(struct job *job, const struct imap_reply *reply)
{
    struct fetch_record *record = &job->record;
    struct imap_message *message = &record->message;
    gboolean begun = job->begun;
    job->begun = FALSE;
    reply_parse_fetch(reply->rest, job->section, record);
    if (message->uid == 0) {
        job->stray = job->stray || record->broken;
        return record->broken;
    }
    if (!uidset_contains(job->left, message->uid))
        return FALSE;
    if (record->has_body && !record->body_elsewhere) {
        sink_inline(job);
        begun = job->begun;
        job->begun = FALSE;
    }
    if (begun && record->has_body)
        message->items |= IMAP_FETCH_BODY;
    if (!record->broken && missing_items(job) == 0) {
        deliver(job);
        return TRUE;
    }
    if (is_passing(job))
        return FALSE;
    uidset_add(job->partly, message->uid);
    return TRUE;
}

static gboolean
take_fetch(struct imap *imap G_GNUC_UNUSED, const struct imap_reply *reply, struct collector *collector)
{
    struct job *job = collector->data;
    gboolean earlier;
    if (reply->kind == REPLY_FETCH)
        return take_message(job, reply);
    if (reply->kind == REPLY_VANISHED && job->vanished) {
        g_autoptr(struct_uidset) gone = uidset_new();
        if (!reply_parse_vanished(reply->rest, &earlier, gone) || !earlier)
            return FALSE;
        uidset_add_set(job->vanished, gone);
        return TRUE;
    }
    return FALSE;
}

/* ---- the command ---- */

static void
job_init(struct job *job, struct imap *imap)
{
    *job = (struct job){.imap = imap};
    job->left = uidset_new();
    job->partly = uidset_new();
    job->collector = (struct collector){.take = take_fetch, .data = job};
    job->literal = (struct literal_sink){.begin = literal_begin, .write = literal_write, .data = job};
    fetch_record_init(&job->record);
}

static void
job_clear(struct job *job)
{
    uidset_free(job->left);
    uidset_free(job->partly);
    fetch_record_clear(&job->record);
    g_clear_error(&job->collector.error);
}

/* One UID FETCH of what is in uids; job->left is what of it did not come. */
static gboolean
run_fetch(struct job *job, const struct uidset *uids, const char *items, const char *modifier,
          struct exchange *exchange, GError **error)
{
    struct imap *imap = job->imap;
    g_autofree char *set = uidset_format(uids);
    uidset_clear(job->left);
    uidset_add_set(job->left, uids);
    uidset_clear(job->partly);
    job->stray = job->begun = FALSE;
    job->literal.section = job->section;
    imap->sink = job->sink ? &job->literal : NULL;
    gboolean done = imap_command(imap, exchange, "fetching messages", "UID FETCH ", error) &&
                    imap_put(imap, set, error) && imap_put(imap, " ", error) &&
                    imap_put(imap, items, error) && imap_put(imap, modifier, error) &&
                    imap_end(imap, error) && imap_wait(imap, exchange, 1, &job->collector, error);
    imap->sink = NULL;
    return done;
}

/* The same once more for each message that came malformed or in part: alone, and taken as it comes. `since`:
 * most of what did not come did not change; so if one came without its UID, all is asked again, changed or
 * not. */
static gboolean
mend(struct job *job, const char *items, gboolean since, GError **error)
{
    g_autoptr(struct_uidset) again = uidset_copy(job->stray ? job->left : job->partly);
    gboolean together = since && job->stray, done = TRUE;
    uidset_keep_set(again, job->left);
    job->lenient = TRUE;
    while (done && !uidset_is_empty(again)) {
        g_auto(struct_exchange) exchange = {0};
        g_autoptr(struct_uidset) now = uidset_take(again, together ? 0 : 1, COMMAND_MAX, FALSE);
        done = run_fetch(job, now, items, "", &exchange, error);
        if (done && !together && !uidset_is_empty(job->left))
            log_warn("imap.fetch", "the server cannot give message %u", uidset_min(now));
    }
    job->lenient = FALSE;
    return done;
}

/* A caller may name more than there can be ("all after 4711"): then the server is asked which there are, as
 * chunks are of messages and not of numbers. NULL with error. */
static struct uidset *
real_uids(struct imap *imap, const struct uidset *uids, GError **error)
{
    if (uidset_count(uids) <= imap->exists)
        return uidset_copy(uids);
    struct uidset *all = imap_search_all(imap, error);
    if (all)
        uidset_keep_set(all, uids);
    return all;
}

static gboolean
check_fields(const struct imap *imap, const char *fields, GError **error)
{
    for (const char *p = fields; *p; p++)
        if (!g_ascii_isgraph(*p) && *p != ' ')
            return imap_fail(imap, ERROR_INPUT, error, "a header field name holds strange characters");
    if (strlen(fields) > FIELDS_MAX || strpbrk(fields, ":()[]{}\"\\"))
        return imap_fail(imap, ERROR_INPUT, error, "a header field name holds strange characters");
    return TRUE;
}

static const char *
id_items(const struct imap *imap)
{
    return imap_has(imap, IMAP_OBJECTID) ? " EMAILID THREADID"
           : imap_has(imap, IMAP_GMAIL)  ? " X-GM-MSGID X-GM-THRID"
                                         : "";
}

static char *
fetch_items(const struct imap *imap, const struct imap_fetch *what)
{
    GString *items = g_string_new("(UID");
    if (what->items & IMAP_FETCH_FLAGS)
        g_string_append(items, " FLAGS");
    if (what->items & IMAP_FETCH_MODSEQ && imap_has(imap, IMAP_CONDSTORE))
        g_string_append(items, " MODSEQ");
    if (what->items & IMAP_FETCH_SIZE)
        g_string_append(items, " RFC822.SIZE");
    if (what->items & IMAP_FETCH_DATE)
        g_string_append(items, " INTERNALDATE");
    if (what->items & IMAP_FETCH_IDS)
        g_string_append(items, id_items(imap));
    if (what->items & IMAP_FETCH_STRUCTURE)
        g_string_append(items, " BODYSTRUCTURE");
    if (what->items & IMAP_FETCH_HEADER)
        g_string_append_printf(items, " BODY.PEEK[HEADER.FIELDS (%s)]",
                               what->header_fields ? what->header_fields : imap_envelope_fields);
    return g_string_free(g_string_append_c(items, ')'), FALSE);
}

#define WANTED_ITEMS                                                                                         \
    (IMAP_FETCH_FLAGS | IMAP_FETCH_SIZE | IMAP_FETCH_DATE | IMAP_FETCH_HEADER | IMAP_FETCH_STRUCTURE)

gboolean
imap_fetch(struct imap *imap, const struct uidset *uids, const struct imap_fetch *what,
           imap_message_func handler, gpointer data, GError **error)
{
    if (!imap_check_selected(imap, FALSE, error) ||
        !check_fields(imap, what->header_fields ? what->header_fields : imap_envelope_fields, error))
        return FALSE;
    gboolean since = what->changed_since > 0, done = TRUE;
    if (since && !imap_has(imap, IMAP_CONDSTORE))
        return imap_fail(imap, ERROR_REFUSED, error, "the server cannot tell what changed since");
    /* What did not change does not answer: then only the length of the command bounds the set. */
    guint64 chunk = since ? 0 : what->chunk ? what->chunk : CHUNK;
    g_autoptr(struct_uidset) rest = since ? uidset_copy(uids) : real_uids(imap, uids, error);
    if (!rest)
        return FALSE;
    struct job job;
    job_init(&job, imap);
    job.want = what->items & WANTED_ITEMS;
    job.handler = handler;
    job.data = data;
    job.vanished = since && imap_has(imap, IMAP_QRESYNC) ? what->vanished : NULL;
    g_autofree char *items = fetch_items(imap, what);
    g_autofree char *modifier = since ? g_strdup_printf(" (CHANGEDSINCE %" G_GUINT64_FORMAT "%s)",
                                                        what->changed_since, job.vanished ? " VANISHED" : "")
                                      : g_strdup("");
    while (done && !uidset_is_empty(rest)) {
        g_auto(struct_exchange) exchange = {0};
        g_autoptr(struct_uidset) now = uidset_take(rest, chunk, COMMAND_MAX, what->newest_first);
        done = run_fetch(&job, now, items, modifier, &exchange, error) && mend(&job, items, since, error);
        /* NO after some came: "some of the messages could not be fetched". Those are left out like the rest.
         */
        if (done &&
            (exchange.result == REPLY_BAD || (exchange.result == REPLY_NO && uidset_equal(job.left, now))))
            done = imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot fetch messages");
    }
    job_clear(&job);
    return done;
}

/* ---- bodies ---- */

static gboolean
end_body(const struct imap_message *message, gpointer data, GError **error)
{
    const struct imap_sink *sink = data;
    return !sink->end || sink->end(message, sink->data, error);
}

static void
body_job(struct job *job, struct imap *imap, const char *section, const struct imap_sink *sink)
{
    job_init(job, imap);
    job->want = IMAP_FETCH_BODY;
    job->section = section;
    job->sink = sink;
    job->handler = end_body;
    job->data = (gpointer)sink;
}

/* One by one, what the server refused together. */
static gboolean
fetch_singly(struct job *job, const struct uidset *uids, const char *items, struct uidset *missing,
             GError **error)
{
    guint32 uid;
    for (struct uidset_iter i = uidset_iter(uids); uidset_next(&i, &uid);) {
        g_auto(struct_exchange) exchange = {0};
        g_autoptr(struct_uidset) one = uidset_new_range(uid, uid);
        if (!run_fetch(job, one, items, "", &exchange, error))
            return FALSE;
        if (exchange.result != REPLY_OK)
            log_warn("imap.fetch", "the server refuses message %u: %s", uid, exchange.text);
        if (missing)
            uidset_add_set(missing, job->left);
    }
    return TRUE;
}

gboolean
imap_fetch_bodies(struct imap *imap, const struct uidset *uids, gboolean newest_first,
                  const struct imap_sink *sink, struct uidset *missing, GError **error)
{
    if (!imap_check_selected(imap, FALSE, error))
        return FALSE;
    g_autoptr(struct_uidset) rest = real_uids(imap, uids, error);
    if (!rest)
        return FALSE;
    struct job job;
    body_job(&job, imap, "", sink);
    g_autofree char *items = g_strdup_printf("(UID FLAGS INTERNALDATE%s%s BODY.PEEK[])",
                                             imap_has(imap, IMAP_CONDSTORE) ? " MODSEQ" : "", id_items(imap));
    if (missing) { /* what is not even there */
        uidset_add_set(missing, uids);
        uidset_remove_set(missing, rest);
    }
    gboolean done = TRUE;
    while (done && !uidset_is_empty(rest)) {
        g_auto(struct_exchange) exchange = {0};
        g_autoptr(struct_uidset) now = uidset_take(rest, BODY_CHUNK, COMMAND_MAX, newest_first);
        done = run_fetch(&job, now, items, "", &exchange, error);
        if (done && exchange.result == REPLY_BAD)
            done = imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot fetch messages");
        if (!done)
            break;
        g_autoptr(struct_uidset) again = uidset_copy(job.left);
        if (exchange.result == REPLY_OK && !job.stray)
            uidset_keep_set(again, job.partly);
        if (missing) {
            uidset_add_set(missing, job.left);
            uidset_remove_set(missing, again);
        }
        done = fetch_singly(&job, again, items, missing, error);
    }
    job_clear(&job);
    return done;
}

static gboolean
check_section(const struct imap *imap, const char *section, GError **error)
{
    for (const char *p = section; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '.')
            return imap_fail(imap, ERROR_INPUT, error, "\"%s\" is no part of a message", section);
    return strlen(section) <= SECTION_MAX ||
           imap_fail(imap, ERROR_INPUT, error, "the number of a message part is too long");
}

gboolean
imap_fetch_section(struct imap *imap, guint32 uid, const char *section, const struct imap_sink *sink,
                   GError **error)
{
    if (!imap_check_selected(imap, FALSE, error) || !check_section(imap, section, error))
        return FALSE;
    g_auto(struct_exchange) exchange = {0};
    struct job job;
    body_job(&job, imap, section, sink);
    g_autofree char *items = g_strdup_printf("(UID BODY.PEEK[%s])", section);
    g_autoptr(struct_uidset) one = uidset_new_range(uid, uid);
    gboolean done =
        run_fetch(&job, one, items, "", &exchange, error) &&
        imap_check_ok(imap, &exchange, ERROR_SKIP, error, "cannot fetch a part of message %u", uid) &&
        (uidset_is_empty(job.left) ||
         imap_fail(imap, ERROR_SKIP, error, "message %u is gone, or has no part %s", uid,
                   *section ? section : "at all"));
    job_clear(&job);
    return done;
}

/* ---- SEARCH ---- */

struct search {
    struct uidset *uids;
    gboolean answered, broken;
};

static gboolean
take_search(struct imap *imap G_GNUC_UNUSED, const struct imap_reply *reply, struct collector *collector)
{
    struct search *search = collector->data;
    if (reply->kind != REPLY_SEARCH && reply->kind != REPLY_ESEARCH)
        return FALSE;
    search->answered = TRUE;
    if (!(reply->kind == REPLY_SEARCH ? reply_parse_search : reply_parse_esearch)(reply->rest, search->uids))
        search->broken = TRUE;
    return TRUE;
}

static gboolean
check_keys(struct imap *imap, const struct imap_key *keys, guint n, gboolean *utf8, GError **error)
{
    *utf8 = FALSE;
    for (guint i = 0; i < n; i++) {
        if (!keys[i].is_string && !imap_check_text(imap, keys[i].text, COMMAND_MAX, "the search", error))
            return FALSE;
        for (const char *p = keys[i].text; keys[i].is_string && *p; p++)
            *utf8 |= (guchar)*p >= 0x80;
    }
    return TRUE;
}

static gboolean
put_keys(struct imap *imap, struct exchange *exchange, const struct imap_key *keys, guint n, gboolean utf8, GError **error)
{
    if (utf8 && !imap_put(imap, "CHARSET UTF-8 ", error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        if (!(keys[i].is_string ? imap_put_string(imap, exchange, keys[i].text, error) : imap_put(imap, keys[i].text, error)))
            return FALSE;
    return TRUE;
}

struct uidset *
imap_find(struct imap *imap, const struct imap_key *keys, guint n, GError **error)
{
    g_auto(struct_exchange) exchange = {0};
    g_autoptr(struct_uidset) uids = uidset_new();
    struct search search = {.uids = uids};
    struct collector collector = {.take = take_search, .data = &search};
    gboolean utf8;
    if (!imap_check_selected(imap, FALSE, error) || !check_keys(imap, keys, n, &utf8, error))
        return NULL;
    struct imap_guard_limits limits = *imap_guard_get_limits(imap->guard), wide = limits;
    wide.line = CLAMP((gsize)imap->exists * 11 + 1024, limits.line, SEARCH_LINE_MAX);
    wide.volume = MAX(limits.volume, wide.line * 2);
    imap_guard_set_limits(imap->guard, &wide);
    gboolean done =
        imap_command(imap, &exchange, "searching",
                     imap_has(imap, IMAP_ESEARCH) ? "UID SEARCH RETURN (ALL) " : "UID SEARCH ", error) &&
        put_keys(imap, &exchange, keys, n, utf8, error) && imap_end(imap, error) &&
        imap_wait(imap, &exchange, 1, &collector, error) &&
        imap_check_ok(imap, &exchange, ERROR_REFUSED, error, "cannot search the folder");
    imap_guard_set_limits(imap->guard, &limits);
    if (!done)
        return NULL;
    /* A listing that is short would look like mail that is gone, one that is long like mail without end. No
     * answer at all is an empty one only where nothing is (an empty SEARCH line may be left out). */
    gboolean silent = !search.answered && imap->exists > 0;
    if (search.broken || silent || uidset_count(uids) > (guint64)imap->exists + SEARCH_SLACK) {
        imap_fail_dead(imap, ERROR_RETRY, error, "the server's answer to a search makes no sense");
        return NULL;
    }
    return g_steal_pointer(&uids);
}

struct uidset *
imap_search(struct imap *imap, const char *criteria, GError **error)
{
    const struct imap_key key = {.text = (char *)criteria};
    return imap_find(imap, &key, 1, error);
}

struct uidset *
imap_search_all(struct imap *imap, GError **error)
{
    return imap_search(imap, "ALL", error);
}
