#include "config.h"

#include "mail/reader_private.h"

#include "base/clock.h"
#include "base/error.h"
#include "mail/limits.h"
#include "mail/rawmsg.h"

#include <string.h>

static GVariant *
message_value(GBytes *message)
{
    return g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, message, TRUE);
}

/* Longer messages are read in part; parts of them are found in the whole. */
static GBytes *
cut_message(GBytes *message, gboolean *cut)
{
    *cut = g_bytes_get_size(message) > LIMIT_MESSAGE;
    return *cut ? g_bytes_new_from_bytes(message, 0, LIMIT_MESSAGE) : g_bytes_ref(message);
}

/* --- documents --- */

static struct document *
document_of(GVariant *value, gboolean cut, GError **error)
{
    struct document *document = document_from_variant(value, error);
    if (document && cut) {
        GStrv old = document->notices;
        guint count = g_strv_length(old);
        document->notices = g_new0(char *, count + 2);
        document->notices[0] = g_strdup_printf(
            "the message is longer than %d MB: only its beginning was read", LIMIT_MESSAGE / (1024 * 1024));
        memcpy(document->notices + 1, old, count * sizeof *old);
        g_free(old);
        document->flags |= DOCUMENT_LIMITED;
    }
    return document;
}

static void
finish_document(struct request *request, GVariant *value, const GError *error)
{
    g_autoptr(GError) own = NULL;
    struct document *document = value ? document_of(value, request->cut, &own) : NULL;
    ((reader_document_func)request->func)(document, own ? own : error, request->data);
}

struct document *
reader_parse(struct reader *reader, GBytes *message, guint want, GError **error)
{
    gboolean cut;
    g_autoptr(GBytes) bytes = cut_message(message, &cut);
    struct request *request =
        reader_ask(reader, READER_OP_PARSE, want, message_value(bytes), DOCUMENT_TYPE, reader_finish_waiting);
    g_autoptr(GVariant) value = reader_wait(reader, request, NULL, error);
    return value ? document_of(value, cut, error) : NULL;
}

guint
reader_parse_async(struct reader *reader, GBytes *message, guint want, reader_document_func func,
                   gpointer data, GDestroyNotify destroy)
{
    gboolean cut;
    g_autoptr(GBytes) bytes = cut_message(message, &cut);
    struct request *request =
        reader_ask(reader, READER_OP_PARSE, want, message_value(bytes), DOCUMENT_TYPE, finish_document);
    request->cut = cut;
    request->func = (void (*)(void))func;
    request->data = data;
    request->destroy = destroy;
    return request->id;
}

/* --- parts --- */

GBytes *
reader_part(struct reader *reader, GBytes *message, guint n, struct document_part **info, GError **error)
{
    GBytes *content = NULL;
    struct request *request =
        reader_ask(reader, READER_OP_PART, n, message_value(message), PART_TYPE, reader_finish_waiting);
    g_autoptr(GVariant) value = reader_wait(reader, request, &content, error);
    if (value && info)
        *info = document_part_from_variant(value, n);
    return content;
}

static void
finish_bytes(struct request *request, GVariant *value, const GError *error)
{
    ((reader_bytes_func)request->func)(value ? g_bytes_ref(request->blob) : NULL, error, request->data);
}

guint
reader_part_async(struct reader *reader, GBytes *message, guint n, reader_bytes_func func, gpointer data,
                  GDestroyNotify destroy)
{
    struct request *request =
        reader_ask(reader, READER_OP_PART, n, message_value(message), PART_TYPE, finish_bytes);
    request->func = (void (*)(void))func;
    request->data = data;
    request->destroy = destroy;
    return request->id;
}

char *
reader_part_text(struct reader *reader, GBytes *message, guint n, GError **error)
{
    struct request *request =
        reader_ask(reader, READER_OP_PART_TEXT, n, message_value(message), "s", reader_finish_waiting);
    g_autoptr(GVariant) value = reader_wait(reader, request, NULL, error);
    return value ? g_variant_dup_string(value, NULL) : NULL;
}

/* --- index and envelope --- */

static void
finish_index(struct request *request, GVariant *value, const GError *error)
{
    ((reader_index_func)request->func)(value ? message_index_from_variant(value) : NULL, error,
                                       request->data);
}

struct message_index *
reader_index_text(struct reader *reader, GBytes *message, GError **error)
{
    gboolean cut;
    g_autoptr(GBytes) bytes = cut_message(message, &cut);
    struct request *request = reader_ask(reader, READER_OP_INDEX, 0, message_value(bytes), MESSAGE_INDEX_TYPE,
                                         reader_finish_waiting);
    g_autoptr(GVariant) value = reader_wait(reader, request, NULL, error);
    return value ? message_index_from_variant(value) : NULL;
}

guint
reader_index_text_async(struct reader *reader, GBytes *message, reader_index_func func, gpointer data,
                        GDestroyNotify destroy)
{
    gboolean cut;
    g_autoptr(GBytes) bytes = cut_message(message, &cut);
    struct request *request =
        reader_ask(reader, READER_OP_INDEX, 0, message_value(bytes), MESSAGE_INDEX_TYPE, finish_index);
    request->func = (void (*)(void))func;
    request->data = data;
    request->destroy = destroy;
    return request->id;
}

struct envelope *
reader_envelope(struct reader *reader, GBytes *header, GError **error)
{
    struct request *request = reader_ask(reader, READER_OP_ENVELOPE, 0, message_value(header), ENVELOPE_TYPE,
                                         reader_finish_waiting);
    g_autoptr(GVariant) value = reader_wait(reader, request, NULL, error);
    return value ? envelope_from_variant(value) : NULL;
}

/* --- tokens --- */

static GBytes *
beginning(GBytes *message)
{
    return g_bytes_new_from_bytes(message, 0, MIN(g_bytes_get_size(message), TOKENS_MESSAGE));
}

static struct tokens *
tokens_of(GBytes *blob, GError **error)
{
    struct tokens *tokens = tokens_from_bytes(blob);
    if (!tokens)
        g_set_error(error, READER_ERROR, ERROR_SKIP, "this message cannot be read: the reader's answer is no tokens");
    return tokens;
}

static void
finish_tokens(struct request *request, GVariant *value, const GError *error)
{
    g_autoptr(GError) own = NULL;
    struct tokens *tokens = value ? tokens_of(request->blob, &own) : NULL;
    ((reader_tokens_func)request->func)(tokens, own ? own : error, request->data);
}

struct tokens *
reader_tokens(struct reader *reader, GBytes *message, GBytes **names, GError **error)
{
    g_autoptr(GBytes) bytes = beginning(message), blob = NULL;
    struct request *request = reader_ask(reader, READER_OP_TOKENS, names != NULL, message_value(bytes), "ay", reader_finish_waiting);
    g_autoptr(GVariant) value = reader_wait(reader, request, &blob, error);
    struct tokens *tokens = value ? tokens_of(blob, error) : NULL;
    if (!tokens || !names)
        return tokens;
    g_autoptr(GBytes) text = g_variant_get_data_as_bytes(value);
    gsize length, ends = 0;
    const char *p = g_bytes_get_data(text, &length);
    for (gsize i = 0; i < length; i++)
        ends += p[i] == '\0';
    if (ends != tokens_total(tokens) || (length && p[length - 1] != '\0')) {
        g_set_error(error, READER_ERROR, ERROR_SKIP, "this message cannot be read: the reader's answer is no tokens");
        g_clear_pointer(&tokens, tokens_free);
    } else {
        *names = g_steal_pointer(&text);
    }
    return tokens;
}

guint
reader_tokens_async(struct reader *reader, GBytes *message, reader_tokens_func func, gpointer data, GDestroyNotify destroy)
{
    g_autoptr(GBytes) bytes = beginning(message);
    struct request *request = reader_ask(reader, READER_OP_TOKENS, FALSE, message_value(bytes), "ay", finish_tokens);
    request->func = (void (*)(void))func;
    request->data = data;
    request->destroy = destroy;
    return request->id;
}

/* --- building --- */

/* Date and Message-ID are set out here: in there is no clock's zone. */
static GVariant *
draft_value(const struct draft *draft, char **message_id, gint64 *date)
{
    g_autoptr(struct_draft) copy = draft_copy(draft);
    if (!copy->date) {
        copy->date = clock_now();
        copy->zone = clock_local_zone(copy->date);
    }
    if (!copy->message_id)
        copy->message_id = message_id_new(copy->from->len ? address_list_get(copy->from, 0)->addr : NULL);
    if (message_id)
        *message_id = g_strdup(copy->message_id);
    if (date)
        *date = copy->date;
    return draft_to_variant(copy);
}

GBytes *
reader_build(struct reader *reader, const struct draft *draft, char **message_id, gint64 *date,
             GError **error)
{
    g_autofree char *id = NULL;
    if (!draft_check(draft, error))
        return NULL;
    GBytes *bytes = NULL;
    struct request *request =
        reader_ask(reader, READER_OP_BUILD, 0, draft_value(draft, &id, date), "()", reader_finish_waiting);
    g_autoptr(GVariant) value = reader_wait(reader, request, &bytes, error);
    if (value && message_id)
        *message_id = g_steal_pointer(&id);
    return bytes;
}

guint
reader_build_async(struct reader *reader, const struct draft *draft, reader_bytes_func func, gpointer data,
                   GDestroyNotify destroy)
{
    struct request *request =
        reader_ask(reader, READER_OP_BUILD, 0, draft_value(draft, NULL, NULL), "()", finish_bytes);
    request->func = (void (*)(void))func;
    request->data = data;
    request->destroy = destroy;
    return request->id;
}

char *
reader_try(struct reader *reader, const char *what, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(what, strlen(what));
    struct request *request =
        reader_ask(reader, READER_OP_TEST, 0, message_value(bytes), "s", reader_finish_waiting);
    g_autoptr(GVariant) value = reader_wait(reader, request, NULL, error);
    return value ? g_variant_dup_string(value, NULL) : NULL;
}
