/* Reading replies (RFC 5321 section 4.2), bounded. */
#include "config.h"

#include "proto/smtp_private.h"

#include "base/text.h"

#include <string.h>

gboolean
smtp_parse_reply_line(const char *line, gsize length, int *code, gboolean *last, const char **text)
{
    if (length < 3 || line[0] < '2' || line[0] > '5' || !g_ascii_isdigit(line[1]) ||
        !g_ascii_isdigit(line[2]))
        return FALSE;
    if (length > 3 && line[3] != ' ' && line[3] != '-')
        return FALSE;
    *code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    *last = length == 3 || line[3] == ' ';
    *text = line + MIN(length, 4);
    return TRUE;
}

static gsize
count_digits(const char *text)
{
    gsize n = 0;
    while (g_ascii_isdigit(text[n]))
        n++;
    return n;
}

gsize
smtp_parse_enhanced(const char *text, int code)
{
    if (text[0] != '0' + code / 100 || text[1] != '.' || !strchr("245", text[0]))
        return 0;
    gsize subject = count_digits(text + 2);
    if (subject < 1 || subject > 3 || text[2 + subject] != '.')
        return 0;
    gsize detail = count_digits(text + 3 + subject);
    gsize length = 3 + subject + detail;
    if (detail < 1 || detail > 3 || (text[length] != ' ' && text[length] != '\0'))
        return 0;
    return length;
}

void
smtp_reply_clear(struct smtp_reply *reply)
{
    g_clear_pointer(&reply->enhanced, g_free);
    g_clear_pointer(&reply->text, g_free);
    reply->code = 0;
}

void
smtp_reply_copy(struct smtp_reply *to, const struct smtp_reply *from)
{
    smtp_reply_clear(to);
    to->code = from->code;
    to->enhanced = g_strdup(from->enhanced);
    to->text = g_strdup(from->text);
}

char *
smtp_reply_to_string(const struct smtp_reply *reply)
{
    g_autofree char *line = g_strdup(reply->text ? reply->text : "");
    g_strdelimit(line, "\n", ' ');
    g_autofree char *safe = text_safe(line, -1, TEXT_LINE);
    if (g_utf8_strlen(safe, -1) > 300) {
        char *end = g_utf8_offset_to_pointer(safe, 299);
        *end = '\0';
    }
    return g_strdup_printf("%d%s%s%s%s", reply->code, reply->enhanced ? " " : "",
                           reply->enhanced ? reply->enhanced : "", *safe ? " " : "", safe);
}

gboolean
smtp_fail_protocol(struct smtp_session *session, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autoptr(GError) why = g_error_new(
        SMTP_ERROR, ERROR_RETRY, "%s: the server does not follow the protocol: %s", session->name, what);
    stream_kill(session->stream, why);
    session->ready = FALSE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* The text of one line to the rest, without its enhanced code. */
static void
gather(struct smtp_reply *reply, GString *all, const char *text, gsize length, gboolean first)
{
    g_autofree char *copy = g_utf8_make_valid(text, (gssize)length);
    gsize enhanced = smtp_parse_enhanced(copy, reply->code);
    if (enhanced && first)
        reply->enhanced = g_strndup(copy, enhanced);
    const char *rest = copy + enhanced;
    if (enhanced && *rest == ' ')
        rest++;
    if (!first)
        g_string_append_c(all, '\n');
    g_string_append(all, rest);
}

gboolean
smtp_read_reply(struct smtp_session *session, GError **error)
{
    struct smtp_reply *reply = &session->reply;
    g_autoptr(GString) line = g_string_new(NULL);
    g_autoptr(GString) all = g_string_new(NULL);
    gboolean last = FALSE;
    smtp_reply_clear(reply);
    for (guint n = 0; !last; n++) {
        int code;
        const char *text;
        if (n == SMTP_REPLY_LINES_MAX || all->len > SMTP_REPLY_BYTES_MAX) {
            smtp_reply_clear(reply);
            return smtp_fail_protocol(session, error, "a reply has no end");
        }
        if (!stream_read_line(session->stream, STREAM_LINE_MAX, line, error)) {
            smtp_reply_clear(reply);
            session->ready = FALSE;
            return FALSE;
        }
        if (!smtp_parse_reply_line(line->str, line->len, &code, &last, &text) ||
            (n > 0 && code != reply->code)) {
            g_autofree char *safe = text_safe(line->str, (gssize)MIN(line->len, 100), TEXT_LINE);
            smtp_reply_clear(reply);
            return smtp_fail_protocol(session, error, "\"%s\" is no reply", safe);
        }
        reply->code = code;
        gather(reply, all, text, line->len - (gsize)(text - line->str), n == 0);
    }
    reply->text = g_strdup(all->str);
    if (reply->code == 421)
        session->ready = FALSE;
    return TRUE;
}
