/* F7 to F14, F16, F17: any bytes as a message, and everything that is ever done with one.
 *
 *   ./configure --enable-fuzzing CC=clang && make tests/fuzz/message
 *   tests/fuzz/message -max_len=8000 -timeout=10 CORPUS
 */
#include "config.h"

#include "mail/build.h"
#include "mail/header.h"
#include "mail/parse.h"
#include "mail/reader.h"
#include "mail/reply.h"

#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GLogWriterOutput
drop_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    (void)fields, (void)count, (void)data;
    if (level & G_LOG_LEVEL_ERROR)
        abort();
    return G_LOG_WRITER_HANDLED;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    g_log_set_writer_func(drop_log, NULL, NULL);
    mail_init();
    return 0;
}

static void
require(gboolean holds)
{
    if (!holds)
        abort();
}

/* Building may refuse what a foreign message names; what it makes must be a message again. */
static void
build(struct draft *draft)
{
    g_autoptr(struct_draft) owned = draft;
    owned->date = 1;
    g_free(owned->message_id);
    owned->message_id = g_strdup("id@example.org");
    if (owned->to->len == 0)
        address_list_add(owned->to, NULL, "to@example.org");
    g_autoptr(GBytes) bytes = message_build(owned, NULL);
    if (bytes)
        document_free(message_parse(bytes, READER_ALL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    guint want = READER_ALL | (data[0] & 1 ? READER_HTML : 0);
    g_autoptr(GBytes) message = g_bytes_new(data + 1, size - 1);
    g_autoptr(struct_document) made = message_parse(message, want);
    g_autoptr(GVariant) value = g_variant_ref_sink(document_to_variant(made));
    require(g_variant_is_normal_form(value));
    g_autoptr(struct_document) document = document_from_variant(value, NULL);
    require(document != NULL);

    g_autoptr(GPtrArray) own = address_list_new();
    struct reply_options options = {.own = own};
    address_list_add(own, "Ana", "ana@example.org");
    for (enum reply_kind kind = REPLY_SENDER; kind <= REPLY_LIST; kind++) {
        struct draft *draft = reply_new(document, kind, &options, NULL);
        if (draft)
            build(draft);
    }
    build(forward_new(document, message, FORWARD_INLINE, &options));
    build(forward_new(document, message, FORWARD_ATTACHMENT, &options));
    build(recall_new(document, message));
    build(edit_as_new(document, message));
    for (guint n = 1; n <= MIN(document->parts->len, 5); n++) {
        g_autoptr(GBytes) part = message_part(message, n, NULL, NULL);
        g_autofree char *text = message_part_text(message, n, NULL);
        require(part && g_utf8_validate(text, -1, NULL));
    }
    message_index_free(message_index_make(message));
    return 0;
}
