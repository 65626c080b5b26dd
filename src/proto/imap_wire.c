/* Frames in, commands out, and the loop between them. */
#include "config.h"

#include "proto/imap_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define BUFFER_KEEP (256 * 1024)
#define ALERTS_MAX 20
#define ALERT_PAUSE (10 * G_USEC_PER_SEC)

G_DEFINE_QUARK(imap - error, imap_error)

/* ---- errors ---- */

static GError *make_error(const struct imap *imap, enum error_code code, const char *format, va_list args)
    G_GNUC_PRINTF(3, 0);

static GError *
make_error(const struct imap *imap, enum error_code code, const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    return g_error_new(IMAP_ERROR, (int)code, "%s: %s", imap->host, text);
}

gboolean
imap_fail(const struct imap *imap, enum error_code code, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_propagate_error(error, make_error(imap, code, format, args));
    va_end(args);
    return FALSE;
}

gboolean
imap_fail_dead(struct imap *imap, enum error_code code, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autoptr(GError) why = make_error(imap, code, format, args);
    va_end(args);
    if (!stream_is_dead(imap->stream))
        log_info("imap", "%s", why->message);
    stream_kill(imap->stream, why);
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

gboolean
imap_check_alive(const struct imap *imap, GError **error)
{
    if (stream_is_dead(imap->stream))
        return imap_fail(imap, ERROR_RETRY, error, "the connection is lost: open it again");
    if (*imap->idle_tag)
        return imap_fail(imap, ERROR_GIVEUP, error, "a command was given while waiting for news");
    return TRUE;
}

gboolean
imap_check_selected(const struct imap *imap, gboolean to_write, GError **error)
{
    if (!imap_check_alive(imap, error))
        return FALSE;
    if (!imap->selected)
        return imap_fail(imap, ERROR_STALE, error, "no folder is open");
    if (imap->stale)
        return imap_fail(imap, ERROR_STALE, error, "the folder was made anew on the server: open it again");
    if (to_write && imap->read_only) {
        g_autofree char *shown = utf7_show(imap->selected);
        return imap_fail(imap, ERROR_REFUSED, error, "folder %s is open for reading only", shown);
    }
    return TRUE;
}

gboolean
imap_check_ok(const struct imap *imap, const struct exchange *exchange, enum error_code otherwise,
              GError **error, const char *what, ...)
{
    if (exchange->result == REPLY_OK)
        return TRUE;
    va_list args;
    va_start(args, what);
    g_autofree char *tried = g_strdup_vprintf(what, args);
    va_end(args);
    if (exchange->result == REPLY_BAD)
        return imap_fail(imap, ERROR_REFUSED, error, "%s: the server did not understand: it says \"%s\"",
                         tried, exchange->text);
    enum error_code code = exchange->refusal ? exchange->refusal : otherwise;
    if (!*exchange->text)
        return imap_fail(imap, code, error, "%s: the server refused and gave no reason", tried);
    return imap_fail(imap, code, error, "%s: the server says \"%s\"", tried, exchange->text);
}

gboolean
imap_check_text(const struct imap *imap, const char *text, gsize max, const char *what, GError **error)
{
    gsize length = strlen(text);
    if (length == 0)
        return imap_fail(imap, ERROR_INPUT, error, "%s is empty", what);
    if (length > max)
        return imap_fail(imap, ERROR_INPUT, error, "%s is longer than %" G_GSIZE_FORMAT " bytes", what, max);
    if (strpbrk(text, "\r\n"))
        return imap_fail(imap, ERROR_INPUT, error, "%s holds a line break", what);
    return TRUE;
}

void
exchange_clear(struct exchange *exchange)
{
    g_free(exchange->text);
    g_free(exchange->code_text);
    *exchange = (struct exchange){0};
}

void
exchange_to_reply(const struct exchange *exchange, struct imap_reply *reply)
{
    *reply = (struct imap_reply){.kind = exchange->result, .code = exchange->code};
    if (exchange->code_text)
        reply->code_rest = lex_new(exchange->code_text, strlen(exchange->code_text));
}

/* ---- frames ---- */

/* The "{n}" or "{n+}" that ends a line, or no. start is set to its brace. A number that does not fit is a
 * literal of G_MAXUINT64 bytes, that no limit lets pass. */
static gboolean
ends_in_literal(const GString *text, gsize *start, guint64 *size)
{
    const char *end = text->str + text->len, *brace = end;
    if (text->len < 3 || end[-1] != '}')
        return FALSE;
    for (brace = end - 1; brace > text->str && *brace != '{'; brace--)
        ;
    struct lex lex = {brace + 1, end - 1};
    if (*brace != '{' || !g_ascii_isdigit(lex_peek(&lex)))
        return FALSE;
    if (!lex_number(&lex, G_MAXUINT64, size))
        *size = G_MAXUINT64;
    lex_char(&lex, '+');
    *start = (gsize)(brace - text->str);
    return lex_is_end(&lex);
}

/* Only data holds literals; in the words of a state response "{3}" is just text. */
static gboolean
may_hold_literals(const GString *frame)
{
    struct imap_reply reply;
    reply_parse(frame->str, frame->len, &reply);
    return reply.kind > REPLY_PREAUTH && reply.kind != REPLY_BROKEN;
}

/* Reads size bytes in pieces, to the sink or to nowhere. */
static gboolean
read_away(struct imap *imap, guint64 size, struct literal_sink *sink, GError **error)
{
    while (size > 0) {
        gssize got = stream_read(imap->stream, imap->bytes, (gsize)MIN(size, PIECE), error);
        if (got < 0)
            return FALSE;
        if (sink)
            sink->write(sink, imap->bytes, (gsize)got);
        size -= (guint64)got;
    }
    return TRUE;
}

static gboolean
read_literal(struct imap *imap, gsize start, guint64 size, GError **error)
{
    GString *frame = imap->frame;
    if (size > imap_guard_get_limits(imap->guard)->literal)
        return imap_fail_dead(imap, ERROR_RETRY, error,
                              "the server announces %" G_GUINT64_FORMAT " bytes at once", size);
    if (imap->sink && imap->sink->begin(imap->sink, frame->str, start, size)) {
        g_string_truncate(frame, start);
        g_string_append(frame, LEX_ELSEWHERE);
        return read_away(imap, size, imap->sink, error);
    }
    if (size > LITERAL_KEEP || frame->len + size > FRAME_MAX) {
        log_info("imap", "a literal of %" G_GUINT64_FORMAT " bytes was passed over", size);
        g_string_truncate(frame, start);
        g_string_append(frame, LEX_ELSEWHERE);
        return read_away(imap, size, NULL, error);
    }
    g_string_append(frame, "\r\n");
    gsize at = frame->len;
    g_string_set_size(frame, at + (gsize)size);
    return size == 0 || stream_read_exactly(imap->stream, frame->str + at, (gsize)size, error);
}

/* One long SEARCH must not cost its memory for the rest of the session. */
static void
empty(GString **buffer)
{
    if ((*buffer)->allocated_len > BUFFER_KEEP) {
        g_string_free(*buffer, TRUE);
        *buffer = g_string_new(NULL);
    }
    g_string_truncate(*buffer, 0);
}

gboolean
imap_read_reply(struct imap *imap, struct imap_reply *reply, GError **error)
{
    gboolean literals = FALSE, has_nul = FALSE;
    empty(&imap->line);
    empty(&imap->frame);
    GString *frame = imap->frame;
    for (;;) {
        gsize start, before = frame->len;
        guint64 size;
        if (!stream_read_line(imap->stream, imap_guard_get_limits(imap->guard)->line, imap->line, error))
            return FALSE;
        has_nul = has_nul || memchr(imap->line->str, 0, imap->line->len);
        g_string_append_len(frame, imap->line->str, (gssize)imap->line->len);
        if (!ends_in_literal(imap->line, &start, &size))
            break;
        if (before == 0)
            literals = may_hold_literals(frame);
        if (!literals)
            break;
        if (!read_literal(imap, before + start, size, error))
            return FALSE;
    }
    reply_parse(frame->str, frame->len, reply);
    if (has_nul && reply->kind > REPLY_PREAUTH) {
        log_info("imap", "a response with a NUL byte was passed over");
        reply->kind = REPLY_OTHER;
    }
    /* What is no response at all means that we no longer know where one begins: reading on could take the
     * text of a message for the server's word. */
    if (reply->kind == REPLY_BROKEN || (has_nul && reply->kind <= REPLY_PREAUTH))
        return imap_fail_dead(imap, ERROR_RETRY, error, "%s",
                              imap->greeted ? "the server's answer makes no sense"
                                            : "this is not an IMAP server: check the port");
    return TRUE;
}

/* ---- what comes unasked ---- */

void
imap_event(struct imap *imap, const struct imap_event *event)
{
    if (!imap->authenticated)
        return;
    imap->events++;
    if (imap->options.on_event)
        imap->options.on_event(event, imap->options.event_data);
}

static void
alert(struct imap *imap, const struct imap_reply *reply)
{
    gint64 now = clock_monotonic();
    if (!imap->authenticated) /* nor from whoever was there before TLS */
        return;
    if (imap->alerts >= ALERTS_MAX || (imap->last_alert && now - imap->last_alert < ALERT_PAUSE))
        return;
    g_autofree char *words = reply_words(&reply->text);
    imap->alerts++;
    imap->last_alert = now;
    imap_event(imap, &(struct imap_event){.kind = IMAP_EVENT_ALERT, .text = words});
}

/* What the session keeps for itself. */
static void
learn(struct imap *imap, const struct imap_reply *reply)
{
    guint64 number;
    switch (reply->kind) {
    case REPLY_CAPABILITY:
        imap_set_capabilities(imap, reply->rest);
        break;
    case REPLY_EXISTS:
        imap->exists = (guint32)reply->number;
        break;
    case REPLY_EXPUNGE:
        imap->exists -= imap->exists > 0;
        break;
    case REPLY_OK:
    case REPLY_NO:
        if (reply->code == CODE_CAPABILITY)
            imap_set_capabilities(imap, reply->code_rest);
        if (reply->code == CODE_UIDVALIDITY && imap->selected && !imap->selecting &&
            reply_parse_code_number(reply, G_MAXUINT32, &number) && number != imap->uidvalidity)
            imap->stale = TRUE;
        if (reply->code == CODE_NOTIFICATIONOVERFLOW && imap->notifying) {
            imap->notifying = FALSE; /* RFC 5465 section 5.8: as if NOTIFY NONE had been said */
            imap_event(imap, &(struct imap_event){.kind = IMAP_EVENT_OVERFLOW});
        }
        break;
    default:
        break;
    }
}

static void
vanished_event(struct imap *imap, const struct imap_reply *reply)
{
    g_autoptr(struct_uidset) uids = uidset_new();
    gboolean earlier;
    if (!reply_parse_vanished(reply->rest, &earlier, uids) || earlier)
        return;
    guint64 gone = uidset_count(uids);
    imap->exists -= (guint32)MIN(gone, imap->exists);
    imap_event(imap, &(struct imap_event){.kind = IMAP_EVENT_VANISHED, .uids = uids});
}

static void
message_event(struct imap *imap, const struct imap_reply *reply)
{
    struct fetch_record record;
    fetch_record_init(&record);
    reply_parse_fetch(reply->rest, NULL, &record);
    if (!record.broken)
        imap_event(imap, &(struct imap_event){.kind = IMAP_EVENT_MESSAGE, .message = &record.message});
    fetch_record_clear(&record);
}

static void
folder_event(struct imap *imap, const struct imap_reply *reply)
{
    struct imap_folder *folder = reply_parse_list(reply->rest, FALSE);
    if (folder)
        imap_event(imap, &(struct imap_event){.kind = IMAP_EVENT_FOLDER, .folder = folder});
    imap_folder_free(folder);
}

static void
status_event(struct imap *imap, const struct imap_reply *reply)
{
    struct imap_status status;
    if (!reply_parse_status(reply->rest, &status))
        return;
    imap_event(imap, &(struct imap_event){.kind = IMAP_EVENT_STATUS, .status = &status});
    imap_status_clear(&status);
}

static void
tell(struct imap *imap, const struct imap_reply *reply)
{
    /* Before a folder is open there is nothing that numbers could speak of. */
    gboolean open = imap->selected && !imap->selecting;
    switch (reply->kind) {
    case REPLY_OK:
    case REPLY_NO:
        if (open && imap->stale && reply->code == CODE_UIDVALIDITY)
            imap_event(imap, &(struct imap_event){.kind = IMAP_EVENT_UIDVALIDITY});
        break;
    case REPLY_EXISTS:
        if (open)
            imap_event(imap,
                       &(struct imap_event){.kind = IMAP_EVENT_EXISTS, .number = (guint32)reply->number});
        break;
    case REPLY_EXPUNGE:
        if (open)
            imap_event(imap, &(struct imap_event){.kind = IMAP_EVENT_EXPUNGED});
        break;
    case REPLY_VANISHED:
        if (open)
            vanished_event(imap, reply);
        break;
    case REPLY_FETCH:
        if (open)
            message_event(imap, reply);
        break;
    case REPLY_LIST:
        folder_event(imap, reply);
        break;
    case REPLY_STATUS:
        status_event(imap, reply);
        break;
    default:
        break;
    }
}

gboolean
imap_take_untagged(struct imap *imap, const struct imap_reply *reply, struct collector *collector,
                   GError **error)
{
    if (reply->kind == REPLY_BYE) {
        g_autofree char *words = reply_words(&reply->text);
        if (imap->leaving)
            return TRUE;
        imap_event(imap, &(struct imap_event){.kind = IMAP_EVENT_BYE, .text = words});
        return imap_fail_dead(imap, reply->refusal ? reply->refusal : ERROR_RETRY, error,
                              "the server ended the session: it says \"%s\"", words);
    }
    if (reply->code == CODE_ALERT)
        alert(imap, reply);
    learn(imap, reply);
    if (!collector || collector->error || !collector->take(imap, reply, collector))
        tell(imap, reply);
    return TRUE;
}

/* ---- commands ---- */

gboolean
imap_put(struct imap *imap, const char *text, GError **error)
{
    g_assert(!strpbrk(text, "\r\n"));
    return stream_puts(imap->stream, text, error);
}

gboolean
imap_command(struct imap *imap, struct exchange *exchange, const char *activity, const char *text,
             GError **error)
{
    if (!imap_check_alive(imap, error))
        return FALSE;
    exchange_clear(exchange);
    g_snprintf(exchange->tag, sizeof exchange->tag, "P%u", ++imap->tags);
    stream_set_activity(imap->stream, activity);
    imap_guard_begin_command(imap->guard);
    return imap_put(imap, exchange->tag, error) && imap_put(imap, " ", error) && imap_put(imap, text, error);
}

gboolean
imap_end(struct imap *imap, GError **error)
{
    return stream_puts(imap->stream, "\r\n", error);
}

gboolean
imap_takes_literal_unasked(const struct imap *imap, guint64 size)
{
    return (imap_has(imap, IMAP_LITERAL_PLUS) && size <= LITERAL_UNASKED) ||
           (imap_has(imap, IMAP_LITERAL_MINUS) && size <= 4096); /* RFC 7888 section 5 */
}

gboolean
imap_needs_literal(const char *text)
{
    gsize length = 0;
    for (const char *p = text; *p; p++, length++)
        if ((guchar)*p < ' ' || (guchar)*p >= 0x7f)
            return TRUE;
    return length > 1000;
}

gboolean
imap_put_literal_header(struct imap *imap, struct exchange *exchange, guint64 size, gboolean *go,
                        GError **error)
{
    *go = imap_takes_literal_unasked(imap, size);
    g_autofree char *header = g_strdup_printf("{%" G_GUINT64_FORMAT "%s}", size, *go ? "+" : "");
    if (!imap_put(imap, header, error) || !imap_end(imap, error))
        return FALSE;
    if (!*go && !imap_wait_continue(imap, exchange, go, NULL, error))
        return FALSE;
    if (!*go && exchange->result == REPLY_OK) /* to half a command */
        return imap_fail_dead(imap, ERROR_RETRY, error, "the server's answer makes no sense");
    return TRUE;
}

gboolean
imap_put_string(struct imap *imap, struct exchange *exchange, const char *text, GError **error)
{
    if (strpbrk(text, "\r\n"))
        return imap_fail(imap, ERROR_INPUT, error, "a text for the server holds a line break");
    if (imap_needs_literal(text)) {
        gboolean go;
        return imap_put_literal_header(imap, exchange, strlen(text), &go, error) &&
               (go ||
                imap_check_ok(imap, exchange, ERROR_REFUSED, error, "the server does not take a name")) &&
               stream_puts(imap->stream, text, error);
    }
    g_autoptr(GString) quoted = g_string_new("\"");
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(quoted, '\\');
        g_string_append_c(quoted, *p);
    }
    g_string_append_c(quoted, '"');
    gboolean done = stream_write(imap->stream, quoted->str, quoted->len, error);
    explicit_bzero(quoted->str, quoted->len); /* it may have been a password */
    return done;
}

/* ---- waiting ---- */

/* A tagged response: which exchange it ends. */
static gboolean
finish(struct imap *imap, struct exchange *exchanges, guint count, const struct imap_reply *reply,
       GError **error)
{
    for (guint i = 0; i < count; i++) {
        struct exchange *exchange = &exchanges[i];
        if (exchange->done || !slice_is(&reply->tag, exchange->tag))
            continue;
        exchange->done = TRUE;
        exchange->result = reply->kind;
        exchange->code = reply->code;
        exchange->refusal = reply->kind == REPLY_NO ? reply->refusal : 0;
        exchange->text = reply_words(&reply->text);
        exchange->code_text = g_strndup(reply->code_rest.at ? reply->code_rest.at : "",
                                        (gsize)(reply->code_rest.end - reply->code_rest.at));
        if (reply->code == CODE_ALERT)
            alert(imap, reply);
        if (reply->kind == REPLY_OK && reply->code == CODE_CAPABILITY)
            imap_set_capabilities(imap, reply->code_rest);
        return TRUE;
    }
    return imap_fail_dead(imap, ERROR_RETRY, error, "the server answers a command that was not given");
}

static gboolean
all_done(const struct exchange *exchanges, guint count)
{
    for (guint i = 0; i < count; i++)
        if (!exchanges[i].done)
            return FALSE;
    return TRUE;
}

gboolean
imap_wait(struct imap *imap, struct exchange *exchanges, guint count, struct collector *collector,
          GError **error)
{
    struct imap_reply reply;
    if (!stream_flush(imap->stream, error))
        goto failed;
    imap->roundtrips++;
    while (!all_done(exchanges, count)) {
        if (!imap_read_reply(imap, &reply, error))
            goto failed;
        if (reply.kind == REPLY_CONTINUE) {
            imap_fail_dead(imap, ERROR_RETRY, error, "the server asks for more of a complete command");
            goto failed;
        }
        if (reply.tag.bytes ? !finish(imap, exchanges, count, &reply, error)
                            : !imap_take_untagged(imap, &reply, collector, error))
            goto failed;
    }
    if (!collector || !collector->error)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&collector->error));
    return FALSE;
failed: /* one error at a time, and the caller's own comes first */
    if (collector && collector->error) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&collector->error));
    }
    return FALSE;
}

gboolean
imap_wait_continue(struct imap *imap, struct exchange *exchange, gboolean *go, char **text, GError **error)
{
    struct imap_reply reply;
    *go = FALSE;
    if (!stream_flush(imap->stream, error))
        return FALSE;
    imap->roundtrips++;
    while (!exchange->done) {
        if (!imap_read_reply(imap, &reply, error))
            return FALSE;
        if (reply.kind == REPLY_CONTINUE) {
            *go = TRUE;
            if (text)
                *text = slice_dup(&reply.text);
            return TRUE;
        }
        if (reply.tag.bytes ? !finish(imap, exchange, 1, &reply, error)
                            : !imap_take_untagged(imap, &reply, NULL, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
imap_run(struct imap *imap, struct exchange *exchange, const char *activity, const char *text,
         struct collector *collector, GError **error)
{
    return imap_command(imap, exchange, activity, text, error) && imap_end(imap, error) &&
           imap_wait(imap, exchange, 1, collector, error);
}
