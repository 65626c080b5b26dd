/* postrider-reader: message bytes in, documents out, in a process that can do nothing else.
 *
 * Speaks mail/reader_protocol.h on standard input and output and is started by mail/reader.c alone.
 * Everything that needs a file (libraries, converters) is loaded before the jail closes. */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/record.h"
#include "jail/jail.h"
#include "mail/build.h"
#include "mail/header.h"
#include "mail/parse.h"
#include "mail/reader.h"
#include "mail/reader_protocol.h"
#include "mail/tokens.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

static GLogWriterOutput
drop_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    (void)fields, (void)count, (void)data;
    if (level &
        (G_LOG_FLAG_FATAL |
         G_LOG_LEVEL_ERROR)) /* GLib at the end of its memory; abort() needs more calls than we have */
        _exit(READER_EXIT_MEMORY);
    return G_LOG_WRITER_HANDLED;
}

static GVariant *
failure(const GError *error)
{
    guint code = error->code > 0 ? (guint)error->code : ERROR_SKIP;
    g_autofree char *text = g_utf8_make_valid(error->message, -1);
    return g_variant_new("(uv)", code, g_variant_new_string(text));
}

static GVariant *
success(GVariant *value)
{
    return g_variant_new("(uv)", 0, value);
}

/* --- operations: each takes the message and gives an answer, maybe bytes beside it, or an error --- */

static GVariant *
do_parse(GBytes *message, guint argument, GBytes **blob, GError **error)
{
    (void)blob, (void)error;
    g_autoptr(struct_document) document = message_parse(message, argument);
    return document_to_variant(document);
}

static GVariant *
do_part(GBytes *message, guint argument, GBytes **blob, GError **error)
{
    struct document_part *info = NULL;
    *blob = message_part(message, argument, &info, error);
    if (!*blob)
        return NULL;
    GVariant *value = document_part_to_variant(info);
    document_part_free(info);
    return value;
}

static GVariant *
do_part_text(GBytes *message, guint argument, GBytes **blob, GError **error)
{
    (void)blob;
    char *text = message_part_text(message, argument, error);
    return text ? g_variant_new_take_string(text) : NULL;
}

static GVariant *
do_index(GBytes *message, guint argument, GBytes **blob, GError **error)
{
    (void)argument, (void)blob, (void)error;
    g_autoptr(struct_message_index) index = message_index_make(message);
    return message_index_to_variant(index);
}

static GVariant *
do_envelope(GBytes *message, guint argument, GBytes **blob, GError **error)
{
    (void)argument, (void)blob, (void)error;
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(struct_envelope) envelope = envelope_from_header(length ? bytes : "", length);
    return envelope_to_variant(envelope);
}

/* One tokenizer for the life of the process: it keeps its tables. */
static GVariant *
do_tokens(GBytes *message, guint argument, GBytes **blob, GError **error)
{
    (void)error;
    static struct tokenizer *tokenizer;
    gsize length;
    const char *bytes = g_bytes_get_data(message, &length);
    g_autoptr(GString) names = argument ? g_string_new(NULL) : NULL;
    if (!tokenizer)
        tokenizer = tokenizer_new();
    *blob = tokenizer_read(tokenizer, length ? bytes : "", length, names);
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, names ? names->str : "", names ? names->len : 0, 1);
}

/* What must not be possible in here; tests ask for it and see the process die. */
static GVariant *
do_test(GBytes *message, guint argument, GBytes **blob, GError **error)
{
    (void)argument, (void)blob;
    g_autofree char *what = g_strndup(g_bytes_get_data(message, NULL), g_bytes_get_size(message));
    char *argv[] = {(char *)"/bin/true", NULL};
    if (g_str_equal(what, "open"))
        return g_variant_new_take_string(
            g_strdup_printf("open: %d", open("/etc/passwd", O_RDONLY | O_CLOEXEC)));
    if (g_str_equal(what, "socket"))
        return g_variant_new_take_string(
            g_strdup_printf("socket: %d", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
    if (g_str_equal(what, "execve"))
        return g_variant_new_take_string(g_strdup_printf("execve: %d", execve(argv[0], argv, argv + 1)));
    if (g_str_equal(what, "fork"))
        return g_variant_new_take_string(g_strdup_printf("fork: %d", (int)fork()));
    if (g_str_equal(what, "spin"))
        for (volatile guint64 i = 0;; i++)
            ;
    if (g_str_equal(what, "memory"))
        for (;;)
            memset(g_malloc(64 * 1024 * 1024), 1, 64 * 1024 * 1024);
    if (g_str_equal(what, "crash"))
        __builtin_trap();
    g_set_error(error, g_quark_from_static_string("postrider-reader"), ERROR_INPUT, "no such test");
    return NULL;
}

static GVariant *
do_build(GVariant *value, GBytes **blob, GError **error)
{
    g_autoptr(struct_draft) draft = draft_from_variant(value, error);
    *blob = draft ? message_build(draft, error) : NULL;
    return *blob ? g_variant_new("()") : NULL;
}

static GVariant *
handle(GVariant *request, GBytes **blob)
{
    static GVariant *(*const operations[])(GBytes *, guint, GBytes **, GError **) = {
        [READER_OP_PARSE] = do_parse,         [READER_OP_PART] = do_part,
        [READER_OP_PART_TEXT] = do_part_text, [READER_OP_INDEX] = do_index,
        [READER_OP_ENVELOPE] = do_envelope,   [READER_OP_TOKENS] = do_tokens,
        [READER_OP_TEST] = do_test,
    };
    guint operation, argument;
    g_autoptr(GVariant) value = NULL;
    g_autoptr(GError) error = NULL;
    GVariant *answer = NULL;
    g_variant_get(request, "(uuv)", &operation, &argument, &value);
    if (operation == READER_OP_BUILD && g_variant_is_of_type(value, G_VARIANT_TYPE(DRAFT_TYPE))) {
        answer = do_build(value, blob, &error);
    } else if (operation < G_N_ELEMENTS(operations) && operations[operation] &&
               g_variant_is_of_type(value, G_VARIANT_TYPE_BYTESTRING)) {
        g_autoptr(GBytes) message = g_variant_get_data_as_bytes(value);
        answer = operations[operation](message, argument, blob, &error);
    } else {
        g_set_error(&error, g_quark_from_static_string("postrider-reader"), ERROR_GIVEUP,
                    "a request that is not understood");
    }
    return answer ? success(answer) : failure(error);
}

/* Everything is used once, so that nothing has to be loaded or set up later. */
static void
warm_up(void)
{
    static const char sample[] =
        "From: =?iso-2022-jp?B?GyRCRnwbKEI=?= <a@example.org>\nTo: b@example.org\nSubject: =?koi8-r?Q?=F4?=\n"
        "Date: Thu, 12 Nov 2026 10:42:01 +0100\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/html; charset=koi8-r\n\n<p>&eacute; <a "
        "href=\"http://example.org/\">x</a></p>\n--b\n"
        "Content-Type: text/plain; name*=koi8-r''%F4; charset=iso-2022-jp\nContent-Transfer-Encoding: "
        "base64\n\n"
        "GyRCRnwbKEI=\n--b--\n";
    mail_init();
    g_autoptr(GBytes) tokens = NULL;
    g_autoptr(GBytes) message = g_bytes_new_static(sample, sizeof sample - 1);
    g_variant_unref(g_variant_ref_sink(do_parse(message, READER_ALL, NULL, NULL)));
    g_variant_unref(g_variant_ref_sink(do_tokens(message, TRUE, &tokens, NULL)));
    g_autoptr(struct_draft) draft = draft_new();
    g_autoptr(GBytes) attached = g_bytes_new_static("\xff", 1);
    address_list_add(draft->from, "Ana", "ana@example.org");
    address_list_add(draft->to, "Tom\xc3\xa1s", "tomas@example.org");
    draft_set_subject(draft, "\xc3\xa1");
    draft_attach_bytes(draft, attached, "\xc3\xa1.bin", NULL);
    draft->date = 1;
    draft->message_id = g_strdup("x@example.org");
    g_bytes_unref(message_build(draft, NULL));
}

int
main(void)
{
    g_autoptr(GError) error = NULL;
    g_log_set_writer_func(drop_log, NULL, NULL);
    if (isatty(STDIN_FILENO) || lseek(STDIN_FILENO, 0, SEEK_CUR) != -1) {
        fputs("postrider-reader: started by postrider, not by hand\n", stderr);
        return EX_USAGE;
    }
    warm_up();
    if (!jail_enter(READER_MEMORY, READER_MEMORY_HARD, &error)) {
        record_write(STDOUT_FILENO, failure(error), 0, NULL);
        return EX_OSERR;
    }
    if (!record_write(STDOUT_FILENO, success(g_variant_new_string(READER_HELLO)), 0, NULL))
        return EX_IOERR;
    for (;;) {
        g_autoptr(GVariant) request =
            record_read_trusted(STDIN_FILENO, G_VARIANT_TYPE(READER_REQUEST_TYPE), READER_REQUEST_MAX, NULL);
        g_autoptr(GBytes) blob = NULL;
        if (!request)
            _exit(0);
        jail_cpu_limit(READER_CPU_MS);
        g_autoptr(GVariant) answer = g_variant_ref_sink(handle(request, &blob));
        g_clear_pointer(&request, g_variant_unref);
        if (!record_write_blob(STDOUT_FILENO, answer, blob, 0, NULL))
            _exit(EX_IOERR);
    }
}
