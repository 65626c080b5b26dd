/* Messages, streamed (RFC 1939 section 3): dots unstuffed, no byte else touched. */
#include "config.h"

#include "proto/pop3_private.h"

#include "net/stream.h"

#include <string.h>

#define MESSAGE_MAX (256 * 1024 * 1024)

/* Where in a multi-line answer we are. */
enum place { LINE_START, AFTER_DOT, AFTER_DOT_CR, IN_LINE, AT_END };

struct body {
    struct pop3 *pop3;
    const struct pop3_sink *sink;
    enum place place;
    gboolean after_cr; /* IN_LINE: the byte before was a CR */
    guint64 length, max;
};

static gboolean
emit(struct body *body, const void *bytes, gsize length, GError **error)
{
    body->length += length;
    if (body->length > body->max)
        return pop3_fail_protocol(body->pop3, error, "a message is larger than %" G_GUINT64_FORMAT " bytes",
                                  body->max);
    if (!length || body->sink->write(bytes, length, body->sink->data, error))
        return TRUE;
    /* In the middle of a message nothing else can follow. */
    g_autoptr(GError) over =
        g_error_new(POP3_ERROR, ERROR_RETRY, "%s: the transfer was broken off", body->pop3->name);
    stream_kill(body->pop3->stream, over);
    return FALSE;
}

/* Takes what it can of from … end; returns how much that was, or -1. */
static gssize
take(struct body *body, const guint8 *from, const guint8 *end, GError **error)
{
    const guint8 *p = from, *lf;
    switch (body->place) {
    case LINE_START:
        body->place = *p == '.' ? AFTER_DOT : IN_LINE;
        body->after_cr = FALSE;
        return *p == '.';
    case AFTER_DOT:
        body->place = *p == '\r' ? AFTER_DOT_CR : IN_LINE;
        body->after_cr = FALSE;
        return *p == '\r';
    case AFTER_DOT_CR:
        if (*p == '\n') {
            body->place = AT_END;
            return 1;
        }
        body->place = IN_LINE; /* a line that begins with a dot and a CR */
        body->after_cr = TRUE;
        return emit(body, "\r", 1, error) ? 0 : -1;
    case IN_LINE:
        for (p = from;
             (lf = memchr(p, '\n', (gsize)(end - p))) && !(lf > from ? lf[-1] == '\r' : body->after_cr);)
            p = lf + 1;
        p = lf ? lf + 1 : end;
        body->after_cr = p[-1] == '\r';
        if (lf)
            body->place = LINE_START;
        return emit(body, from, (gsize)(p - from), error) ? p - from : -1;
    default:
        return 0;
    }
}

static gboolean
read_body(struct pop3 *pop3, const struct pop3_sink *sink, GError **error)
{
    struct body body = {.pop3 = pop3, .sink = sink, .max = pop3->options.message_max};
    if (!body.max)
        body.max = MESSAGE_MAX;
    while (body.place != AT_END) {
        if (!pop3_fill(pop3, error))
            return FALSE;
        gssize n = take(&body, pop3->buffer + pop3->start, pop3->buffer + pop3->end, error);
        if (n < 0)
            return FALSE;
        pop3->start += (gsize)n;
    }
    return TRUE;
}

static gboolean
read_one(struct pop3 *pop3, guint number, const struct pop3_sink *sink, GError **error)
{
    if (!pop3_read_reply(pop3, error))
        return FALSE;
    if (pop3->reply.status == POP3_CONTINUE)
        return pop3_fail_protocol(pop3, error, "\"+\" to RETR");
    if (pop3->reply.status == POP3_OK)
        return sink->begin(number, sink->data, error) && read_body(pop3, sink, error) &&
               sink->end(number, NULL, sink->data, error);
    g_autofree char *words = pop3_reply_words(&pop3->reply);
    return sink->end(number, words, sink->data, error);
}

gboolean
pop3_fetch(struct pop3 *pop3, const guint *numbers, guint n, enum pop3_what what,
           const struct pop3_sink *sink, GError **error)
{
    guint window = pop3_has(pop3, POP3_PIPELINING) ? POP3_WINDOW : 1, sent = 0;
    stream_set_activity(pop3->stream, "fetching messages");
    if (!pop3_check_idle(pop3, error))
        return FALSE;
    for (guint i = 0; i < n; i++) {
        /* Half a window is still on its way when the next half is asked for. */
        if (sent < n && sent - i <= window / 2) {
            for (; sent < n && sent < i + window; sent++)
                if (!pop3_put(pop3, error, what == POP3_WHOLE ? "RETR %u" : "TOP %u 0", numbers[sent]))
                    return FALSE;
            if (!pop3_flush(pop3, error))
                return FALSE;
        }
        if (!read_one(pop3, numbers[i], sink, error)) {
            /* A sink that gives up leaves answers on their way. */
            if (!stream_is_dead(pop3->stream)) {
                g_autoptr(GError) over =
                    g_error_new(POP3_ERROR, ERROR_RETRY, "%s: the transfer was broken off", pop3->name);
                stream_kill(pop3->stream, over);
            }
            return FALSE;
        }
    }
    return TRUE;
}
