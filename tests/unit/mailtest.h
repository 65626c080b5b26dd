/* Helpers of the tests of src/mail. */
#ifndef TESTS_MAILTEST_H
#define TESTS_MAILTEST_H

#include "mail/parse.h"
#include "mail/reader.h"

#include <string.h>

static inline GBytes *
bytes_of_text(const char *text)
{
    return g_bytes_new(text, strlen(text));
}

/* Parses, and carries the document over as the reader does: what comes out has been through both forms. */
static inline struct document *
parse_bytes(GBytes *message, guint want)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_document) made = message_parse(message, want);
    g_autoptr(GVariant) value = g_variant_ref_sink(document_to_variant(made));
    g_assert_true(g_variant_is_of_type(value, G_VARIANT_TYPE(DOCUMENT_TYPE)));
    g_assert_true(g_variant_is_normal_form(value));
    struct document *document = document_from_variant(value, &error);
    g_assert_no_error(error);
    return document;
}

static inline struct document *
parse_text(const char *text)
{
    g_autoptr(GBytes) message = bytes_of_text(text);
    return parse_bytes(message, READER_ALL);
}

#endif
