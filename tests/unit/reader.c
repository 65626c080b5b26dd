#include "config.h"

#include "base/error.h"
#include "jail/jail.h"
#include "mail/reader.h"

#include <signal.h>
#include <string.h>

static GBytes *
sample(guint i)
{
    g_autofree char *text =
        g_strdup_printf("From: Ana <ana@example.org>\nTo: ben@example.net\nSubject: number %u\n"
                        "Message-ID: <%u@example.org>\nDate: Thu, 12 Nov 2026 10:42:01 +0100\n"
                        "\nHello number %u.\n",
                        i, i, i);
    return g_bytes_new(text, strlen(text));
}

static void
check_sample(struct document *document, const GError *error, guint i)
{
    g_autofree char *subject = g_strdup_printf("number %u", i);
    g_assert_no_error(error);
    g_assert_nonnull(document);
    g_assert_cmpstr(document->envelope->subject, ==, subject);
}

static void
test_parse(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_reader) reader = reader_new();
    g_autoptr(GBytes) message = sample(1);
    g_autoptr(struct_document) document = reader_parse(reader, message, READER_ALL, &error);
    check_sample(document, error, 1);
    g_assert_cmpstr(document->text, ==, "Hello number 1.\n");
    g_assert_cmpstr(document->preview, ==, "Hello number 1.");
    g_assert_cmpstr(document_header(document, "message-id"), ==, "<1@example.org>");
    struct document_part *info = NULL;
    g_autoptr(GBytes) part = reader_part(reader, message, 1, &info, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(g_bytes_get_data(part, NULL), g_bytes_get_size(part), "Hello number 1.\n", 16);
    g_assert_cmpstr(info->type, ==, "text/plain");
    document_part_free(info);
    g_assert_null(reader_part(reader, message, 2, NULL, &error));
    g_assert_error(error, READER_ERROR, ERROR_NOINPUT);
    g_clear_error(&error);
    g_autofree char *text = reader_part_text(reader, message, 1, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "Hello number 1.\n");
    g_autoptr(struct_message_index) index = reader_index_text(reader, message, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(index->body, ==, "Hello number 1.\n");
    g_assert_nonnull(strstr(index->people, "ana@example.org"));
    g_autoptr(struct_envelope) envelope = reader_envelope(reader, message, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(envelope->message_id, ==, "1@example.org");
}

static void
test_build(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_reader) reader = reader_new();
    g_autoptr(struct_draft) draft = draft_new();
    g_autofree char *id = NULL;
    gint64 date = 0;
    address_list_add(draft->from, "Ana", "ana@example.org");
    address_list_add(draft->to, NULL, "ben@example.net");
    draft_set_subject(draft, "hé");
    draft_set_body(draft, "body\n");
    g_autoptr(GBytes) bytes = reader_build(reader, draft, &id, &date, &error);
    g_assert_no_error(error);
    g_assert_true(g_str_has_suffix(id, "@example.org"));
    g_assert_cmpint(date, >, 0);
    g_autoptr(struct_document) document = reader_parse(reader, bytes, READER_ALL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(document->envelope->message_id, ==, id);
    g_assert_cmpint(document->envelope->date, ==, date);
    g_assert_cmpstr(document->envelope->subject, ==, "hé");

    draft_set_subject(draft, "a\r\nBcc: evil@example.com");
    g_assert_null(reader_build(reader, draft, NULL, NULL, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(error->code, ==, ERROR_INPUT);
    g_assert_nonnull(strstr(error->message, "Subject"));
}

/* The process dies, and the next message is read as if nothing had been. */
static void
test_jail(void)
{
    static const char *const forbidden[] = {"open", "socket", "execve", "fork"};
    g_autoptr(struct_reader) reader = reader_new();
    if (!jail_has_filter()) {
        g_test_skip("no filter under sanitizers");
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(forbidden); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) message = sample(i);
        g_assert_null(reader_try(reader, forbidden[i], &error));
        g_assert_error(error, READER_ERROR, ERROR_SKIP);
        g_assert_nonnull(strstr(error->message, "forbidden"));
        g_clear_error(&error);
        g_autoptr(struct_document) document = reader_parse(reader, message, READER_ALL, &error);
        check_sample(document, error, i);
    }
}

static void
test_dies(void)
{
    static const char *const deaths[] = {"spin", "crash", "memory"};
    g_autoptr(struct_reader) reader = reader_new();
    /* the memory limit is off under sanitizers */
    for (guint i = 0; i < G_N_ELEMENTS(deaths) - !jail_has_filter(); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) message = sample(i);
        g_autoptr(struct_document) before = reader_parse(reader, message, READER_ALL, &error);
        check_sample(before, error, i); /* the process runs: the limit below is for the act alone */
        reader_set_time_limit(reader, g_str_equal(deaths[i], "spin") ? 100 : 15000);
        g_assert_null(reader_try(reader, deaths[i], &error));
        g_assert_error(error, READER_ERROR, ERROR_SKIP);
        if (g_str_equal(deaths[i], "memory"))
            g_assert_nonnull(strstr(error->message, "memory"));
        g_clear_error(&error);
        reader_set_time_limit(reader, 15000);
        g_autoptr(struct_document) document = reader_parse(reader, message, READER_ALL, &error);
        check_sample(document, error, i);
    }
}

struct bulk {
    guint next, failed;
};

static void
on_document(struct document *document, const GError *error, gpointer data)
{
    struct bulk *bulk = data;
    check_sample(document, error, bulk->next++);
    document_free(document);
}

static void
on_index(struct message_index *index, const GError *error, gpointer data)
{
    struct bulk *bulk = data;
    g_assert_no_error(error);
    g_assert_nonnull(strstr(index->body, "Hello"));
    bulk->next++;
    message_index_free(index);
}

static void
test_bulk(void)
{
    enum { COUNT = 3000 };
    struct bulk bulk = {0};
    g_autoptr(struct_reader) reader = reader_new();
    for (guint i = 0; i < COUNT; i++) {
        g_autoptr(GBytes) message = sample(i);
        reader_parse_async(reader, message, READER_ALL, on_document, &bulk, NULL);
        if (reader_pending(reader, NULL) > 256)
            reader_drain(reader, 128);
    }
    reader_drain(reader, 0);
    g_assert_cmpuint(bulk.next, ==, COUNT);
    g_assert_cmpuint(reader_pending(reader, NULL), ==, 0);
    gint64 start = g_get_monotonic_time();
    for (guint i = 0; i < COUNT; i++) {
        g_autoptr(GBytes) message = sample(i);
        reader_index_text_async(reader, message, on_index, &bulk, NULL);
        reader_drain(reader, 256);
    }
    reader_drain(reader, 0);
    g_assert_cmpuint(bulk.next, ==, 2 * COUNT);
    g_test_message("%.0f messages a second", COUNT / ((g_get_monotonic_time() - start) / 1e6));
}

struct loop_test {
    GMainLoop *loop;
    struct reader *reader;
    guint got, failed, destroyed;
};

static void
on_loop_document(struct document *document, const GError *error, gpointer data)
{
    struct loop_test *test = data;
    if (document)
        test->got++;
    else
        test->failed += g_error_matches(error, READER_ERROR, ERROR_SKIP);
    document_free(document);
    if (test->got + test->failed == 9)
        g_main_loop_quit(test->loop);
}

static void
on_destroy(gpointer data)
{
    ((struct loop_test *)data)->destroyed++;
}

/* The screen's way: nothing waits; a cancelled request never calls back. */
static void
test_main_loop(void)
{
    struct loop_test test = {.loop = g_main_loop_new(NULL, FALSE)};
    test.reader = reader_new();
    guint cancelled = 0;
    for (guint i = 0; i < 10; i++) {
        g_autoptr(GBytes) message = sample(i);
        guint id = reader_parse_async(test.reader, message, READER_ALL, on_loop_document, &test, on_destroy);
        if (i == 4)
            cancelled = id;
    }
    g_assert_cmpuint(test.got, ==, 0);
    reader_cancel(test.reader, cancelled);
    g_main_loop_run(test.loop);
    g_assert_cmpuint(test.got, ==, 9);
    g_assert_cmpuint(test.failed, ==, 0);
    g_assert_cmpuint(test.destroyed, ==, 10);
    reader_free(test.reader);
    g_main_loop_unref(test.loop);
}

/* Freed with questions open: no call back, but every destroy notice. */
static void
test_free_early(void)
{
    struct loop_test test = {0};
    struct reader *reader = reader_new();
    for (guint i = 0; i < 5; i++) {
        g_autoptr(GBytes) message = sample(i);
        reader_parse_async(reader, message, READER_ALL, on_loop_document, &test, on_destroy);
    }
    reader_free(reader);
    g_assert_cmpuint(test.got, ==, 0);
    g_assert_cmpuint(test.destroyed, ==, 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reader/parse", test_parse);
    g_test_add_func("/reader/build", test_build);
    g_test_add_func("/reader/jail", test_jail);
    g_test_add_func("/reader/dies", test_dies);
    g_test_add_func("/reader/bulk", test_bulk);
    g_test_add_func("/reader/main-loop", test_main_loop);
    g_test_add_func("/reader/free-early", test_free_early);
    return g_test_run();
}
