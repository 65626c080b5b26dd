#include "config.h"

#include "mail/index.h"

struct message_index *
message_index_new(void)
{
    struct message_index *index = g_new0(struct message_index, 1);
    index->envelope = envelope_new();
    index->preview = g_strdup("");
    index->subject = g_strdup("");
    index->people = g_strdup("");
    index->body = g_strdup("");
    index->attachments = g_strdup("");
    index->types = g_strdup("");
    return index;
}

static void
clear(struct message_index *index)
{
    envelope_free(index->envelope);
    g_free(index->preview);
    g_free(index->subject);
    g_free(index->people);
    g_free(index->body);
    g_clear_pointer(&index->packed, g_bytes_unref);
    g_free(index->attachments);
    g_free(index->types);
}

void
message_index_free(struct message_index *index)
{
    if (!index)
        return;
    clear(index);
    g_free(index);
}

GVariant *
message_index_to_variant(const struct message_index *index)
{
    return g_variant_new("(@" ENVELOPE_TYPE "uussssss)", envelope_to_variant(index->envelope), index->flags,
                         index->attachments_count, index->preview, index->subject, index->people, index->body,
                         index->attachments, index->types);
}

struct message_index *
message_index_from_variant(GVariant *value)
{
    struct message_index *index = g_new0(struct message_index, 1);
    g_autoptr(GVariant) envelope = NULL;
    g_variant_get(value, "(@" ENVELOPE_TYPE "uussssss)", &envelope, &index->flags, &index->attachments_count,
                  &index->preview, &index->subject, &index->people, &index->body, &index->attachments,
                  &index->types);
    index->envelope = envelope_from_variant(envelope);
    return index;
}
