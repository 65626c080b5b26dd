/* Commands out, and reading what the server says, bounded. */
#include "config.h"

#include "proto/pop3_private.h"

#include "base/text.h"

#include <string.h>

static const struct {
    const char *name;
    enum pop3_code code;
} codes[] = {
    {"IN-USE", POP3_CODE_IN_USE},     {"LOGIN-DELAY", POP3_CODE_LOGIN_DELAY},
    {"SYS/TEMP", POP3_CODE_SYS_TEMP}, {"SYS/PERM", POP3_CODE_SYS_PERM},
    {"AUTH", POP3_CODE_AUTH},         {"UTF8", POP3_CODE_UTF8},
};

/* ---- errors ---- */

gboolean
pop3_fail_protocol(struct pop3 *pop3, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autoptr(GError) why = g_error_new(POP3_ERROR, ERROR_RETRY,
                                        "%s: the server does not follow the protocol: %s", pop3->name, what);
    stream_kill(pop3->stream, why);
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

char *
pop3_reply_words(const struct pop3_reply *reply)
{
    char *safe = text_safe(reply->text ? reply->text : "", -1, TEXT_LINE);
    if (g_utf8_strlen(safe, -1) > 300)
        *g_utf8_offset_to_pointer(safe, 299) = '\0';
    return safe;
}

gboolean
pop3_fail_reply(struct pop3 *pop3, GError **error, enum error_code code, const char *format, ...)
{
    static const struct {
        enum error_code code; /* 0: as the caller thinks */
        const char *meaning;
    } meanings[] = {
        [POP3_CODE_NONE] = {0, NULL},
        [POP3_CODE_IN_USE] = {ERROR_RETRY, "another program has the mailbox open"},
        [POP3_CODE_LOGIN_DELAY] = {ERROR_RETRY, "the server wants more time between two logins"},
        [POP3_CODE_SYS_TEMP] = {ERROR_RETRY, "the server has a passing trouble"},
        [POP3_CODE_SYS_PERM] = {ERROR_REFUSED, "the server has a lasting trouble: ask its provider"},
        [POP3_CODE_AUTH] = {ERROR_AUTH, NULL},
        [POP3_CODE_UTF8] = {0, NULL},
        [POP3_CODE_OTHER] = {0, NULL},
    };
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *words = pop3_reply_words(&pop3->reply);
    const char *meaning = meanings[pop3->reply.code].meaning;
    if (meanings[pop3->reply.code].code)
        code = meanings[pop3->reply.code].code;
    g_set_error(error, POP3_ERROR, code, "%s: %s%s%s%s%s", pop3->name, meaning ? meaning : what,
                *words ? " (" : "", words, *words ? ")" : "", code == ERROR_RETRY ? ": try again later" : "");
    return FALSE;
}

/* ---- in ---- */

gboolean
pop3_fill(struct pop3 *pop3, GError **error)
{
    if (pop3->start < pop3->end)
        return TRUE;
    gssize n = stream_read(pop3->stream, pop3->buffer, sizeof pop3->buffer, error);
    pop3->start = 0;
    pop3->end = n > 0 ? (gsize)n : 0;
    return n > 0;
}

gboolean
pop3_read_line(struct pop3 *pop3, GError **error)
{
    g_string_truncate(pop3->line, 0);
    for (;;) {
        if (!pop3_fill(pop3, error))
            return FALSE;
        const guint8 *from = pop3->buffer + pop3->start;
        const guint8 *end = memchr(from, '\n', pop3->end - pop3->start);
        gsize length = end ? (gsize)(end - from) : pop3->end - pop3->start;
        if (pop3->line->len + length > STREAM_LINE_MAX)
            return pop3_fail_protocol(pop3, error, "a line has no end");
        g_string_append_len(pop3->line, (const char *)from, (gssize)length);
        pop3->start += length + (end != NULL);
        if (!end)
            continue;
        if (pop3->line->len && pop3->line->str[pop3->line->len - 1] == '\r')
            g_string_truncate(pop3->line, pop3->line->len - 1);
        return TRUE;
    }
}

void
pop3_reply_clear(struct pop3_reply *reply)
{
    g_clear_pointer(&reply->text, g_free);
    reply->status = POP3_ERR;
    reply->code = POP3_CODE_NONE;
}

/* "[SYS/TEMP] text": the code, and the text behind it. */
static const char *
take_code(const char *text, enum pop3_code *code)
{
    const char *end = *text == '[' ? strchr(text, ']') : NULL;
    if (!end)
        return text;
    *code = POP3_CODE_OTHER;
    gsize length = (gsize)(end - text) - 1;
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
        /* A code may be refined: [SYS/TEMP/DISK] is [SYS/TEMP] (RFC 2449 section 8). */
        if (length >= strlen(codes[i].name) &&
            !g_ascii_strncasecmp(text + 1, codes[i].name, strlen(codes[i].name)) &&
            strchr("/ ]", text[1 + strlen(codes[i].name)]))
            *code = codes[i].code;
    for (text = end + 1; *text == ' ';)
        text++;
    return text;
}

static gboolean
take_status(const char *line, enum pop3_status *status, const char **text)
{
    static const struct {
        const char *word;
        enum pop3_status status;
    } words[] = {{"+OK", POP3_OK}, {"-ERR", POP3_ERR}, {"+", POP3_CONTINUE}};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize length = strlen(words[i].word);
        if (g_ascii_strncasecmp(line, words[i].word, length) || (line[length] && line[length] != ' '))
            continue;
        *status = words[i].status;
        for (*text = line + length; **text == ' ';)
            ++*text;
        return TRUE;
    }
    return FALSE;
}

gboolean
pop3_read_reply(struct pop3 *pop3, GError **error)
{
    struct pop3_reply *reply = &pop3->reply;
    const char *text;
    pop3_reply_clear(reply);
    if (!pop3_read_line(pop3, error))
        return FALSE;
    g_autofree char *line = g_utf8_make_valid(pop3->line->str, (gssize)pop3->line->len);
    if (!take_status(line, &reply->status, &text)) {
        g_autofree char *safe = text_safe(line, (gssize)MIN(strlen(line), 100), TEXT_LINE);
        return pop3_fail_protocol(pop3, error, "\"%s\" is no reply", safe);
    }
    if (reply->status == POP3_ERR)
        text = take_code(text, &reply->code);
    reply->text = g_strdup(text);
    return TRUE;
}

gboolean
pop3_read_listed(struct pop3 *pop3, gboolean *last, GError **error)
{
    if (!pop3_read_line(pop3, error))
        return FALSE;
    GString *line = pop3->line;
    *last = line->len == 1 && line->str[0] == '.';
    if (!*last && line->len && line->str[0] == '.')
        g_string_erase(line, 0, 1);
    return TRUE;
}

/* ---- out ---- */

static gboolean put_v(struct pop3 *pop3, GError **error, const char *format, va_list args)
    G_GNUC_PRINTF(3, 0);

static gboolean
put_v(struct pop3 *pop3, GError **error, const char *format, va_list args)
{
    g_autofree char *line = g_strdup_vprintf(format, args);
    /* Every part was checked before; this is the last line of defence. */
    g_return_val_if_fail(!strpbrk(line, "\r\n"), FALSE);
    return stream_puts(pop3->stream, line, error) && stream_puts(pop3->stream, "\r\n", error);
}

gboolean
pop3_put(struct pop3 *pop3, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    gboolean ok = put_v(pop3, error, format, args);
    va_end(args);
    return ok;
}

gboolean
pop3_flush(struct pop3 *pop3, GError **error)
{
    pop3->roundtrips++;
    return stream_flush(pop3->stream, error);
}

gboolean
pop3_check_idle(struct pop3 *pop3, GError **error)
{
    if (pop3->start == pop3->end && stream_get_pending(pop3->stream) == 0)
        return TRUE;
    if (!pop3_read_reply(pop3, error))
        return FALSE;
    if (pop3->reply.status == POP3_ERR) /* "autologout", "shutting down" */
        return pop3_fail_reply(pop3, error, ERROR_RETRY, "the server is closing the connection");
    return pop3_fail_protocol(pop3, error, "a reply to nothing");
}

gboolean
pop3_ask(struct pop3 *pop3, const char *activity, GError **error, const char *format, ...)
{
    va_list args;
    stream_set_activity(pop3->stream, activity);
    if (!pop3_check_idle(pop3, error))
        return FALSE;
    va_start(args, format);
    gboolean ok = put_v(pop3, error, format, args);
    va_end(args);
    return ok && pop3_flush(pop3, error) && pop3_read_reply(pop3, error);
}
