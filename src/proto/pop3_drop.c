/* What lies in the mailbox, and taking it away. */
#include "config.h"

#include "proto/pop3_private.h"

#include "net/digest.h"

#include <string.h>

/* Lines of a list that are none: a server may have its moods, but not for ever. */
#define ODD_LINES_MAX 1000

/* ---- STAT ---- */

static gboolean
take_stat(struct pop3 *pop3, guint *count, GError **error)
{
    if (!pop3_read_reply(pop3, error))
        return FALSE;
    if (pop3->reply.status == POP3_ERR)
        return pop3_fail_reply(pop3, error, ERROR_RETRY, "the server does not say what there is");
    char *end;
    guint64 number = g_ascii_strtoull(pop3->reply.text, &end, 10);
    if (pop3->reply.status != POP3_OK || end == pop3->reply.text || (*end && *end != ' ') ||
        *pop3->reply.text == '-')
        return pop3_fail_protocol(pop3, error, "the answer to STAT is no number");
    if (number > POP3_MESSAGES_MAX)
        return pop3_fail_protocol(pop3, error, "it says that there are %" G_GUINT64_FORMAT " messages",
                                  number);
    *count = (guint)number;
    return TRUE;
}

/* ---- LIST and UIDL ---- */

static const char *
keep_uidl(struct pop3 *pop3, const char *text)
{
    gsize length = strlen(text);
    gboolean plain = length <= POP3_UIDL_MAX && *text != '#';
    for (gsize i = 0; i < length && plain; i++)
        plain = g_ascii_isgraph(text[i]);
    if (plain)
        return g_string_chunk_insert(pop3->strings, text);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, (gssize)length);
    g_autofree char *mark = g_strconcat("#", hash, NULL);
    return g_string_chunk_insert(pop3->strings, mark);
}

typedef void (*take_item)(struct pop3 *, struct pop3_entry *, const char *rest);

static void
take_uidl(struct pop3 *pop3, struct pop3_entry *entry, const char *rest)
{
    if (!entry->uidl && *rest)
        entry->uidl = keep_uidl(pop3, rest);
}

static void
take_size(G_GNUC_UNUSED struct pop3 *pop3, struct pop3_entry *entry, const char *rest)
{
    if (!entry->size)
        entry->size = MIN(g_ascii_strtoull(rest, NULL, 10), G_MAXINT64);
}

/* "7 whqtswO00WBw418f9t5JxYwZ": FALSE when it is no line of a list, or of a message that there is not. */
static gboolean
take_line(struct pop3 *pop3, guint count, take_item take)
{
    char *line = pop3->line->str, *rest;
    guint64 number = g_ascii_isdigit(*line) ? g_ascii_strtoull(line, &rest, 10) : 0;
    if (!number || number > count || *rest != ' ')
        return FALSE;
    while (*rest == ' ')
        rest++;
    g_strchomp(rest); /* some servers leave a space at the end */
    if (pop3->entries->len < number)
        g_array_set_size(pop3->entries, (guint)number);
    take(pop3, &g_array_index(pop3->entries, struct pop3_entry, number - 1), rest);
    return TRUE;
}

static gboolean
take_list(struct pop3 *pop3, guint count, take_item take, GError **error)
{
    gboolean last = FALSE;
    guint odd = 0;
    for (guint n = 0;; n++) {
        if (!pop3_read_listed(pop3, &last, error))
            return FALSE;
        if (last)
            return TRUE;
        if (n >= count + ODD_LINES_MAX)
            return pop3_fail_protocol(pop3, error, "a list of %u messages has no end", count);
        if (take_line(pop3, count, take))
            continue;
        /* The next answer already: the end of this one is missing. */
        if (g_str_has_prefix(pop3->line->str, "+OK") || g_str_has_prefix(pop3->line->str, "-ERR"))
            return pop3_fail_protocol(pop3, error, "a list ends without its dot");
        if (++odd > ODD_LINES_MAX)
            return pop3_fail_protocol(pop3, error, "a list holds nonsense");
    }
}

/* The answer to UIDL or LIST; a server may have neither. */
static gboolean
take_answer(struct pop3 *pop3, guint count, take_item take, gboolean *refused, GError **error)
{
    if (!pop3_read_reply(pop3, error))
        return FALSE;
    *refused = pop3->reply.status != POP3_OK;
    if (pop3->reply.status == POP3_CONTINUE)
        return pop3_fail_protocol(pop3, error, "\"+\" to a list");
    if (*refused && (pop3->reply.code == POP3_CODE_SYS_TEMP || pop3->reply.code == POP3_CODE_IN_USE))
        return pop3_fail_reply(pop3, error, ERROR_RETRY, "the server does not list the messages now");
    return *refused || take_list(pop3, count, take, error);
}

static gboolean
list_all(struct pop3 *pop3, gboolean pipelined, guint *count, GError **error)
{
    gboolean uidl = pop3_has(pop3, POP3_UIDL), refused = FALSE;
    if (!pop3_check_idle(pop3, error) || !pop3_put(pop3, error, "STAT") ||
        (pipelined && uidl && !pop3_put(pop3, error, "UIDL")) ||
        (pipelined && !pop3_put(pop3, error, "LIST")) || !pop3_flush(pop3, error) ||
        !take_stat(pop3, count, error))
        return FALSE;
    if (uidl) {
        if (!pipelined && !(pop3_put(pop3, error, "UIDL") && pop3_flush(pop3, error)))
            return FALSE;
        if (!take_answer(pop3, *count, take_uidl, &refused, error))
            return FALSE;
        if (refused)
            pop3->extensions &= ~(guint)POP3_UIDL;
    }
    return (pipelined || (pop3_put(pop3, error, "LIST") && pop3_flush(pop3, error))) &&
           take_answer(pop3, *count, take_size, &refused, error);
}

const struct pop3_entry *
pop3_list(struct pop3 *pop3, guint *n, GError **error)
{
    static const struct pop3_entry none;
    stream_set_activity(pop3->stream, "listing the messages");
    g_array_set_size(pop3->entries, 0);
    if (pop3->strings)
        g_string_chunk_free(pop3->strings);
    pop3->strings = g_string_chunk_new(16 * 1024);
    if (!list_all(pop3, pop3_has(pop3, POP3_PIPELINING), n, error))
        return NULL;
    g_array_set_size(pop3->entries, *n); /* what no list named is there all the same */
    return *n ? (const struct pop3_entry *)pop3->entries->data : &none;
}

/* ---- DELE and QUIT ---- */

gboolean
pop3_delete(struct pop3 *pop3, const guint *numbers, guint n, gboolean *done, GError **error)
{
    guint window = pop3_has(pop3, POP3_PIPELINING) ? POP3_WINDOW : 1, sent = 0;
    stream_set_activity(pop3->stream, "deleting messages");
    if (!pop3_check_idle(pop3, error))
        return FALSE;
    for (guint i = 0; i < n; i++) {
        if (sent == i) {
            for (; sent < n && sent < i + window; sent++)
                if (!pop3_put(pop3, error, "DELE %u", numbers[sent]))
                    return FALSE;
            if (!pop3_flush(pop3, error))
                return FALSE;
        }
        if (!pop3_read_reply(pop3, error))
            return FALSE;
        if (pop3->reply.status == POP3_CONTINUE)
            return pop3_fail_protocol(pop3, error, "\"+\" to DELE");
        done[i] = pop3->reply.status == POP3_OK;
    }
    return TRUE;
}

gboolean
pop3_quit(struct pop3 *pop3, GError **error)
{
    gboolean ok = pop3_ask(pop3, "saying goodbye (QUIT)", error, "QUIT");
    if (ok && pop3->reply.status != POP3_OK)
        ok = pop3_fail_reply(pop3, error, ERROR_RETRY, "the server did not remove what was deleted");
    stream_close(pop3->stream);
    return ok;
}
