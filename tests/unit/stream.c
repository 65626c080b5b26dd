/* net/stream without TLS: lines, limits, time, cancel, taps, DEFLATE, connecting */
#include "config.h"

#include "net/resolve.h"
#include "net/stream.h"

#include "tls_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>

/* A stream on one end of a socket pair, a thread on the other. */
struct pair {
    struct peer peer;
    struct stream *stream;
    struct cancel *cancel;
    GThread *thread;
    gpointer data; /* for the thread */
};

static struct pair *
pair_new_for(enum tls_mode tls, GThreadFunc run, gpointer data)
{
    struct pair *pair = g_new0(struct pair, 1);
    g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_IMAP, tls, "localhost", 143, NULL);
    int fd;
    fixture_socketpair(&fd, &pair->peer.fd);
    pair->data = data;
    pair->cancel = cancel_new();
    pair->stream = stream_new_for_fd(endpoint, fd, pair->cancel);
    g_assert_true(stream_connect(pair->stream, NULL));
    stream_set_activity(pair->stream, "reading the folder");
    pair->thread = run ? g_thread_new("peer", run, pair) : NULL;
    return pair;
}

static struct pair *
pair_new(GThreadFunc run, gpointer data)
{
    return pair_new_for(TLS_NONE, run, data);
}

static void
pair_free(struct pair *pair)
{
    stream_free(pair->stream);
    if (pair->thread)
        g_thread_join(pair->thread);
    peer_close(&pair->peer);
    cancel_unref(pair->cancel);
    g_free(pair);
}

static void
limit(struct pair *pair, guint command_ms, guint min_rate)
{
    struct stream_limits limits = *stream_get_limits(pair->stream);
    limits.command_ms = command_ms;
    limits.min_rate = min_rate;
    stream_set_limits(pair->stream, &limits);
    stream_begin_exchange(pair->stream);
}

static void
assert_fault(struct pair *pair, const GError *error, enum stream_fault fault, int code, const char *words)
{
    g_assert_error(error, STREAM_ERROR, code);
    g_assert_cmpstr(stream_fault_name(stream_get_fault(pair->stream)), ==, stream_fault_name(fault));
    if (!strstr(error->message, words))
        g_error("\"%s\" is not in \"%s\"", words, error->message);
    g_assert_true(g_str_has_prefix(error->message, "localhost:143: "));
    g_assert_true(stream_is_dead(pair->stream));
}

/* ---- lines ---- */

static gpointer
send_and_close(gpointer data)
{
    struct pair *pair = data;
    GByteArray *bytes = pair->data;
    peer_write(&pair->peer, bytes->data, bytes->len);
    shutdown(pair->peer.fd, SHUT_WR);
    return NULL;
}

static void
test_lines(void)
{
    static const char sent[] = "one\r\ntwo\n\r\nwith\0NUL\r\na\rb\r\nlast";
    static const struct {
        const char *text;
        gsize length;
    } lines[] = {{"one", 3}, {"two", 3}, {"", 0}, {"with\0NUL", 8}, {"a\rb", 3}};
    GByteArray *bytes = g_byte_array_append(g_byte_array_new(), (const guint8 *)sent, sizeof sent - 1);
    struct pair *pair = pair_new(send_and_close, bytes);
    g_autoptr(GString) line = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_assert_true(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
        g_assert_cmpmem(line->str, line->len, lines[i].text, lines[i].length);
    }
    /* A line without its end is no line. */
    g_assert_false(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
    assert_fault(pair, error, STREAM_CLOSED, ERROR_RETRY, "closed the connection while reading the folder");
    pair_free(pair);
    g_byte_array_unref(bytes);
}

static void
test_line_limit(void)
{
    static const struct {
        gsize length;
        gboolean fits;
    } cases[] = {{STREAM_LINE_MAX, TRUE}, {STREAM_LINE_MAX + 1, FALSE}, {20 * STREAM_LINE_MAX, FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GByteArray *bytes = g_byte_array_new();
        g_byte_array_set_size(bytes, (guint)cases[i].length);
        memset(bytes->data, 'x', bytes->len);
        g_byte_array_append(bytes, (const guint8 *)"\r\n", 2);
        struct pair *pair = pair_new(send_and_close, bytes);
        g_autoptr(GString) line = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        g_assert_true(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error) == cases[i].fits);
        if (cases[i].fits)
            g_assert_cmpuint(line->len, ==, cases[i].length);
        else
            assert_fault(pair, error, STREAM_LIMIT, ERROR_SECURITY, "more than 65536 bytes");
        pair_free(pair);
        g_byte_array_unref(bytes);
    }
}

static void
test_end_is_an_error(void)
{
    GByteArray *bytes = g_byte_array_append(g_byte_array_new(), (const guint8 *)"abc", 3);
    struct pair *pair = pair_new(send_and_close, bytes);
    g_autoptr(GError) error = NULL;
    char buffer[16];
    g_assert_true(stream_read_exactly(pair->stream, buffer, 3, &error));
    g_assert_cmpint(stream_read(pair->stream, buffer, sizeof buffer, &error), ==, -1);
    assert_fault(pair, error, STREAM_CLOSED, ERROR_RETRY, "closed the connection");
    /* And again, at once. */
    g_assert_cmpint(stream_read(pair->stream, buffer, sizeof buffer, NULL), ==, -1);
    pair_free(pair);
    g_byte_array_unref(bytes);
}

/* ---- time ---- */

static void
test_silence(void)
{
    struct pair *pair = pair_new(NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    limit(pair, 50, 128);
    g_assert_false(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
    assert_fault(pair, error, STREAM_TIMEOUT, ERROR_RETRY, "no answer within 1 s while reading the folder");
    pair_free(pair);
}

/* A byte every few milliseconds until the other side closes: no silence is ever long, but the whole is. The pause is the
 * slow server itself and not a wait for something: what is asserted is the stream's own limit. */
static gpointer
drip(gpointer data)
{
    struct pair *pair = data;
    while (peer_write(&pair->peer, "x", 1))
        g_usleep(5000);
    return NULL;
}

static void
test_slow_drip(void)
{
    struct pair *pair = pair_new(drip, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    limit(pair, 200, 10000);
    g_assert_false(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
    assert_fault(pair, error, STREAM_TIMEOUT, ERROR_RETRY, "too slow");
    pair_free(pair);
}

static gpointer
send_megabytes(gpointer data);

static gpointer
send_then_drip(gpointer data)
{
    send_megabytes(data);
    return drip(data);
}

/* What came fast at first is no credit for a drip that follows it. */
static void
test_fast_then_drip(void)
{
    struct pair *pair = pair_new(send_then_drip, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *bytes = g_malloc(4 * 1024 * 1024);
    limit(pair, 200, 10000);
    g_assert_true(stream_read_exactly(pair->stream, bytes, 4 * 1024 * 1024, &error));
    gint64 begun = g_get_monotonic_time();
    g_assert_false(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
    assert_fault(pair, error, STREAM_TIMEOUT, ERROR_RETRY, "too slow");
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 20 * G_USEC_PER_SEC); /* 4 MiB would be good for 419 */
    pair_free(pair);
}

static gpointer
send_megabytes(gpointer data)
{
    struct pair *pair = data;
    static char block[64 * 1024];
    for (guint i = 0; i < 64; i++)
        if (!peer_write(&pair->peer, block, sizeof block))
            break;
    return NULL;
}

/* The total grows with what has come: plenty of bytes may take longer than one silence. */
static void
test_total_grows(void)
{
    struct pair *pair = pair_new(send_megabytes, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = g_malloc(4 * 1024 * 1024);
    limit(pair, 200, 128);
    g_assert_true(stream_read_exactly(pair->stream, bytes, 4 * 1024 * 1024, &error));
    /* A silence still ends. */
    g_assert_cmpint(stream_read(pair->stream, bytes, 1, &error), ==, -1);
    assert_fault(pair, error, STREAM_TIMEOUT, ERROR_RETRY, "");
    pair_free(pair);
}

static void
test_wait(void)
{
    struct pair *pair = pair_new(NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    int wake[2];
    g_assert_cmpint(pipe(wake), ==, 0);
    g_assert_cmpint(stream_wait(pair->stream, 0, -1, &error), ==, STREAM_WAIT_TIMEOUT);
    g_assert_cmpint(stream_wait(pair->stream, 20, -1, &error), ==, STREAM_WAIT_TIMEOUT);
    g_assert_cmpint((int)write(wake[1], "x", 1), ==, 1);
    g_assert_cmpint(stream_wait(pair->stream, 60000, wake[0], &error), ==, STREAM_WAIT_TIMEOUT);
    g_assert_true(peer_puts(&pair->peer, "* 3 EXISTS\r\n"));
    g_assert_cmpint(stream_wait(pair->stream, 60000, -1, &error), ==, STREAM_WAIT_READABLE);
    g_assert_cmpuint(stream_get_pending(pair->stream), ==, 12);
    g_assert_true(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
    g_assert_cmpuint(stream_get_pending(pair->stream), ==, 0);
    /* Stopped while idle: the connection is still good for a LOGOUT. */
    cancel_trigger(pair->cancel);
    g_assert_cmpint(stream_wait(pair->stream, 60000, -1, &error), ==, STREAM_WAIT_ERROR);
    g_assert_error(error, STREAM_ERROR, ERROR_CANCELLED);
    g_assert_false(stream_is_dead(pair->stream));
    g_clear_error(&error);
    cancel_reset(pair->cancel);
    peer_close(&pair->peer);
    g_assert_cmpint(stream_wait(pair->stream, 60000, -1, &error), ==, STREAM_WAIT_ERROR);
    assert_fault(pair, error, STREAM_CLOSED, ERROR_RETRY, "closed");
    pair_free(pair);
    close(wake[0]);
    close(wake[1]);
}

/* ---- cancel ---- */

static gpointer
cancel_on_command(gpointer data)
{
    struct pair *pair = data;
    g_free(peer_read_line(&pair->peer));
    cancel_trigger(pair->cancel);
    return NULL;
}

static void
test_cancel(void)
{
    struct pair *pair = pair_new(cancel_on_command, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    g_assert_true(stream_puts(pair->stream, "a1 NOOP\r\n", &error));
    g_assert_true(stream_flush(pair->stream, &error));
    g_assert_false(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
    assert_fault(pair, error, STREAM_CANCELLED, ERROR_CANCELLED, "stopped while reading the folder");
    pair_free(pair);
}

static gpointer
cancel_flood(gpointer data)
{
    struct pair *pair = data;
    static char block[64 * 1024];
    for (guint n = 0; peer_write(&pair->peer, block, sizeof block); n++)
        if (n == 20)
            cancel_trigger(pair->cancel);
    return NULL;
}

/* A flood that never makes us wait is stopped all the same; so is a write that nobody reads. */
static void
test_cancel_busy(void)
{
    struct pair *pair = pair_new(cancel_flood, NULL);
    g_autoptr(GError) error = NULL;
    char bytes[4096];
    while (stream_read(pair->stream, bytes, sizeof bytes, &error) > 0)
        ;
    assert_fault(pair, error, STREAM_CANCELLED, ERROR_CANCELLED, "stopped");
    pair_free(pair);

    pair = pair_new(cancel_on_command, NULL);
    g_clear_error(&error);
    g_assert_true(stream_puts(pair->stream, "a1 APPEND\r\n", &error) && stream_flush(pair->stream, &error));
    while (stream_write(pair->stream, bytes, sizeof bytes, &error))
        ;
    assert_fault(pair, error, STREAM_CANCELLED, ERROR_CANCELLED, "stopped");
    pair_free(pair);
}

/* ---- writing ---- */

struct capture {
    GString *got;
    guint packets;
};

static gpointer
capture_all(gpointer data)
{
    struct pair *pair = data;
    struct capture *capture = pair->data;
    char bytes[4096];
    gssize n;
    while ((n = peer_read(&pair->peer, bytes, sizeof bytes)) > 0) {
        g_string_append_len(capture->got, bytes, n);
        capture->packets++;
    }
    return NULL;
}

static void
test_one_command_one_write(void)
{
    struct capture capture = {.got = g_string_new(NULL)};
    struct pair *pair = pair_new(NULL, NULL);
    char bytes[64];
    g_assert_true(stream_puts(pair->stream, "a1 ", NULL));
    g_assert_true(stream_puts(pair->stream, "LOGIN", NULL));
    g_assert_true(stream_puts(pair->stream, " x\r\n", NULL));
    g_assert_cmpint((int)recv(pair->peer.fd, bytes, sizeof bytes, MSG_DONTWAIT), ==, -1);
    g_assert_true(stream_flush(pair->stream, NULL));
    g_assert_cmpint((int)recv(pair->peer.fd, bytes, sizeof bytes, MSG_DONTWAIT), ==, 12);
    g_assert_cmpmem(bytes, 12, "a1 LOGIN x\r\n", 12);
    pair_free(pair);

    /* And nothing is lost when a lot is written at once. */
    g_autofree char *much = g_malloc(1000 * 1000);
    for (guint i = 0; i < 1000 * 1000; i++)
        much[i] = (char)(i * 7 % 251);
    pair = pair_new(capture_all, &capture);
    g_assert_true(stream_write(pair->stream, much, 1000 * 1000, NULL));
    g_assert_true(stream_flush(pair->stream, NULL));
    stream_close(pair->stream);
    g_thread_join(g_steal_pointer(&pair->thread));
    g_assert_cmpmem(capture.got->str, capture.got->len, much, 1000 * 1000);
    pair_free(pair);
    g_string_free(capture.got, TRUE);
}

/* Says a lot before it reads anything: two full pipes must not lock each other. */
static gpointer
talk_first(gpointer data)
{
    struct pair *pair = data;
    struct capture *capture = pair->data;
    const int small = 4096;
    setsockopt(pair->peer.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    for (guint i = 0; i < 2000; i++)
        peer_puts(&pair->peer, "250 recipient ok\r\n");
    gsize want = 512 * 1024;
    char bytes[4096];
    while (capture->got->len < want) {
        gssize n = peer_read(&pair->peer, bytes, sizeof bytes);
        if (n <= 0)
            break;
        g_string_append_len(capture->got, bytes, n);
    }
    return NULL;
}

static void
test_no_lock(void)
{
    struct capture capture = {.got = g_string_new(NULL)};
    struct pair *pair = pair_new(talk_first, &capture);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *bytes = g_malloc0(512 * 1024);
    g_assert_true(stream_write(pair->stream, bytes, 512 * 1024, &error));
    g_assert_true(stream_flush(pair->stream, &error));
    for (guint i = 0; i < 2000; i++) {
        g_assert_true(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
        g_assert_cmpstr(line->str, ==, "250 recipient ok");
    }
    pair_free(pair);
    g_string_free(capture.got, TRUE);
}

/* Refuses in the middle, and hangs up with our bytes unread. */
static gpointer
refuse_early(gpointer data)
{
    struct pair *pair = data;
    char bytes[4096];
    peer_read(&pair->peer, bytes, sizeof bytes);
    peer_puts(&pair->peer, "552 too big\r\n");
    shutdown(pair->peer.fd, SHUT_RDWR);
    return NULL;
}

static void
test_last_words(void)
{
    struct pair *pair = pair_new(refuse_early, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *bytes = g_malloc0(8 * 1024 * 1024);
    g_assert_false(stream_write(pair->stream, bytes, 8 * 1024 * 1024, &error));
    g_assert_true(stream_is_dead(pair->stream));
    g_assert_cmpint(error->code, ==, ERROR_RETRY);
    g_assert_true(stream_read_line(pair->stream, STREAM_LINE_MAX, line, NULL));
    g_assert_cmpstr(line->str, ==, "552 too big");
    g_assert_false(stream_read_line(pair->stream, STREAM_LINE_MAX, line, NULL));
    pair_free(pair);
}

static void
test_no_secret_in_clear(void)
{
    struct pair *pair = pair_new_for(TLS_STARTTLS, NULL, NULL);
    g_autoptr(GError) error = NULL;
    char bytes[64];
    g_assert_false(stream_is_confidential(pair->stream));
    stream_set_private(pair->stream, TRUE);
    g_assert_false(stream_puts(pair->stream, "sesame", &error));
    assert_fault(pair, error, STREAM_POLICY, ERROR_SECURITY, "without TLS");
    g_assert_cmpint((int)recv(pair->peer.fd, bytes, sizeof bytes, MSG_DONTWAIT), ==, -1);
    pair_free(pair);
}

/* ---- the tap and the guard ---- */

static void
note_line(enum stream_direction direction, const char *line, gpointer data)
{
    g_string_append_printf(data, "%c %s\n", direction == STREAM_SENT ? '>' : '<', line);
}

static gpointer
echo_lines(gpointer data)
{
    struct pair *pair = data;
    char *line;
    while ((line = peer_read_line(&pair->peer))) {
        if (g_str_has_prefix(line, "AUTH"))
            peer_puts(&pair->peer, "235 2.7.0 welcome\r\n");
        g_free(line);
    }
    return NULL;
}

static void
test_tap(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(GString) line = g_string_new(NULL);
    struct pair *pair = pair_new(echo_lines, NULL);
    struct stream *stream = pair->stream;
    stream_set_tap(stream, note_line, log);
    g_assert_true(stream_puts(stream, "AUTH PLAIN ", NULL));
    stream_set_private(stream, TRUE);
    g_assert_true(stream_puts(stream, "AGFuYQ", NULL) && stream_puts(stream, "BzZXNhbWU=", NULL));
    stream_set_private(stream, FALSE);
    g_assert_true(stream_puts(stream, "\r\n", NULL));
    g_assert_true(stream_read_line(stream, STREAM_LINE_MAX, line, NULL));
    stream_set_private(stream, TRUE);
    g_assert_true(stream_puts(stream, "c2VzYW1l", NULL));
    stream_set_private(stream, FALSE);
    g_assert_true(stream_puts(stream, "\r\nDATA\r\n", NULL));
    stream_set_bulk(stream, TRUE);
    g_assert_true(stream_puts(stream, "Subject: private\r\n\r\n", NULL) &&
                  stream_puts(stream, "body\r\n", NULL));
    stream_set_bulk(stream, FALSE);
    g_assert_true(stream_puts(stream, ".\r\n", NULL));
    g_autofree char *longest = g_strnfill(5000, 'x');
    g_assert_true(stream_puts(stream, longest, NULL) && stream_puts(stream, "\r\n", NULL));
    longest[1000] = '\0';
    g_autofree char *expected =
        g_strdup_printf("> AUTH PLAIN <secret>\n< 235 2.7.0 welcome\n> <secret>\n> DATA\n"
                        "> <26 bytes>\n> .\n> %s\n",
                        longest);
    g_assert_cmpstr(log->str, ==, expected);
    pair_free(pair);
}

static gboolean
no_q(gpointer data, const guint8 *bytes, gsize length, GError **error)
{
    (void)data;
    if (!memchr(bytes, 'Q', length))
        return TRUE;
    g_set_error_literal(error, STREAM_ERROR, ERROR_SECURITY, "a Q was sent");
    return FALSE;
}

static void
test_guard(void)
{
    struct pair *pair = pair_new(NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    stream_set_guard(pair->stream, no_q, NULL);
    g_assert_true(peer_puts(&pair->peer, "fine\r\n"));
    g_assert_true(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
    g_assert_true(peer_puts(&pair->peer, "good\r\nQ\r\n"));
    g_assert_false(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
    assert_fault(pair, error, STREAM_LIMIT, ERROR_SECURITY, "a Q was sent");
    pair_free(pair);
}

/* ---- DEFLATE ---- */

static gpointer
deflate_echo(gpointer data)
{
    struct pair *pair = data;
    g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_IMAP, TLS_NONE, "other", 143, NULL);
    g_autoptr(struct_stream) stream = stream_new_for_fd(endpoint, dup(pair->peer.fd), NULL);
    g_autoptr(GString) line = g_string_new(NULL);
    g_assert_true(stream_connect(stream, NULL) && stream_start_deflate(stream, NULL));
    while (stream_read_line(stream, STREAM_IMAP_LINE_MAX, line, NULL)) {
        g_string_append(line, "\r\n");
        g_assert_true(stream_write(stream, line->str, line->len, NULL) && stream_flush(stream, NULL));
    }
    return NULL;
}

static void
test_deflate(void)
{
    struct pair *pair = pair_new(deflate_echo, NULL);
    struct stream_info info;
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    g_autoptr(GString) line = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(stream_start_deflate(pair->stream, &error));
    guint64 plain = 0;
    for (guint i = 0; i < 200; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        gsize length = (gsize)g_rand_int_range(random, 0, i % 20 == 0 ? 200000 : 300);
        while (text->len < length)
            g_string_append_printf(text, "* %d FETCH (FLAGS (\\Seen)) ", g_rand_int_range(random, 0, 1000));
        g_assert_true(stream_puts(pair->stream, text->str, &error) &&
                      stream_puts(pair->stream, "\r\n", &error));
        g_assert_true(stream_flush(pair->stream, &error));
        g_assert_true(stream_read_line(pair->stream, STREAM_IMAP_LINE_MAX, line, &error));
        g_assert_cmpstr(line->str, ==, text->str);
        plain += text->len;
    }
    stream_get_info(pair->stream, &info);
    g_assert_true(info.compressed);
    g_assert_cmpuint(info.bytes_out, <, plain / 3);
    g_assert_cmpuint(info.bytes_in, <, plain / 3);
    pair_free(pair);
}

static void
test_deflate_refusals(void)
{
    /* Plain bytes already there. */
    struct pair *pair = pair_new(NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    char byte;
    g_assert_true(peer_puts(&pair->peer, "a1 OK\r\n* BYE\r\n"));
    g_assert_true(stream_read_line(pair->stream, STREAM_LINE_MAX, line, &error));
    g_assert_false(stream_start_deflate(pair->stream, &error));
    assert_fault(pair, error, STREAM_POLICY, ERROR_SECURITY, "ahead");
    pair_free(pair);

    /* Bytes that are not DEFLATE: block type 3 does not exist. */
    g_clear_error(&error);
    pair = pair_new(NULL, NULL);
    g_assert_true(stream_start_deflate(pair->stream, &error));
    g_assert_true(peer_write(&pair->peer, "\xff\xff\xff", 3));
    g_assert_cmpint(stream_read(pair->stream, &byte, 1, &error), ==, -1);
    assert_fault(pair, error, STREAM_IO, ERROR_RETRY, "damaged");
    pair_free(pair);

    /* The end of the DEFLATE stream is an end of the session. */
    g_clear_error(&error);
    pair = pair_new(NULL, NULL);
    g_assert_true(stream_start_deflate(pair->stream, &error));
    g_assert_true(peer_write(&pair->peer, "\x03\x00", 2)); /* an empty last block */
    g_assert_cmpint(stream_read(pair->stream, &byte, 1, &error), ==, -1);
    pair_free(pair);
}

/* ---- connecting ---- */

static int
listen_on(int family, guint16 *port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof in;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&in, sizeof in), ==, 0);
    g_assert_cmpint(listen(fd, 4), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&in, &length), ==, 0);
    *port = ntohs(in.sin_port);
    return fd;
}

static void
test_connect(void)
{
    /* "localhost" may be ::1 first, where nobody listens: the other address is tried. */
    static const char *const hosts[] = {"127.0.0.1", "localhost", "::ffff:127.0.0.1"};
    guint16 port;
    int server = listen_on(AF_INET, &port);
    for (guint i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_IMAP, TLS_NONE, hosts[i], port, NULL);
        g_autoptr(struct_stream) stream = stream_new(endpoint, NULL);
        struct stream_info info;
        g_assert_cmpint(stream_get_fd(stream), ==, -1);
        if (!stream_connect(stream, &error))
            g_error("%s", error->message);
        stream_get_info(stream, &info);
        g_assert_nonnull(strstr(info.peer, "127.0.0.1"));
        g_assert_true(stream_is_confidential(stream));
        g_assert_false(stream_has_tls(stream));
        int fd = accept(server, NULL, NULL);
        g_assert_cmpint(fd, >=, 0);
        close(fd);
    }
    close(server);
}

static void
test_connect_refusals(void)
{
    guint16 port;
    int server = listen_on(AF_INET, &port);
    close(server); /* free again, most probably */
    const struct {
        const char *host;
        enum tls_mode tls;
        guint16 port;
        enum stream_fault fault;
        int code;
        const char *words;
    } cases[] = {
        {"127.0.0.1", TLS_IMPLICIT, port, STREAM_TCP, ERROR_RETRY, "cannot be reached (127.0.0.1:"},
        {"192.0.2.1", TLS_NONE, 25, STREAM_POLICY, ERROR_CONFIG, "192.0.2.1:25 is another one: use TLS"},
        {"no such host", TLS_IMPLICIT, 993, STREAM_DNS, ERROR_RETRY,
         "the name no such host cannot be resolved"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_endpoint) endpoint =
            endpoint_new(ENDPOINT_IMAP, cases[i].tls, cases[i].host, cases[i].port, NULL);
        g_autoptr(struct_stream) stream = stream_new(endpoint, NULL);
        g_assert_false(stream_connect(stream, &error));
        g_assert_error(error, STREAM_ERROR, cases[i].code);
        g_assert_cmpstr(stream_fault_name(stream_get_fault(stream)), ==, stream_fault_name(cases[i].fault));
        if (!strstr(error->message, cases[i].words))
            g_error("\"%s\" is not in \"%s\"", cases[i].words, error->message);
    }
}

/* A listener whose queue is full answers nothing: the wait must end. */
static void
test_connect_limits(void)
{
    guint16 port;
    int server = listen_on(AF_INET, &port);
    struct cancel *cancel = cancel_new();
    g_autoptr(struct_endpoint) endpoint = endpoint_new(ENDPOINT_IMAP, TLS_IMPLICIT, "127.0.0.1", port, NULL);
    struct stream_limits limits = {.connect_ms = 50, .command_ms = 60000, .min_rate = 128};

    /* The kernel accepts, but nobody shakes hands. */
    g_autoptr(GError) error = NULL;
    struct stream *stream = stream_new(endpoint, cancel);
    stream_set_limits(stream, &limits);
    g_assert_false(stream_connect(stream, &error));
    g_assert_cmpint(stream_get_fault(stream), ==, STREAM_TIMEOUT);
    g_assert_nonnull(strstr(error->message, "while negotiating TLS"));
    stream_free(stream);

    cancel_trigger(cancel);
    g_clear_error(&error);
    stream = stream_new(endpoint, cancel);
    g_assert_false(stream_connect(stream, &error));
    g_assert_error(error, STREAM_ERROR, ERROR_CANCELLED);
    stream_free(stream);
    cancel_unref(cancel);
    close(server);
}

static void
test_resolve(void)
{
    struct addrinfo *addresses = NULL;
    const char *why = NULL;
    g_assert_cmpint(resolve("127.0.0.1", 993, 0, NULL, &addresses, &why), ==, RESOLVE_OK);
    g_assert_cmpint(addresses->ai_family, ==, AF_INET);
    g_assert_cmpuint(ntohs(((struct sockaddr_in *)(void *)addresses->ai_addr)->sin_port), ==, 993);
    freeaddrinfo(addresses);
    /* The caller's patience is over before a thread can answer; what it does later is its own affair. */
    struct cancel *cancel = cancel_new();
    cancel_trigger(cancel);
    g_assert_cmpint(resolve("localhost", 993, 60000, cancel, &addresses, &why), ==, RESOLVE_CANCELLED);
    cancel_unref(cancel);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/lines", test_lines);
    g_test_add_func("/stream/line-limit", test_line_limit);
    g_test_add_func("/stream/end-is-an-error", test_end_is_an_error);
    g_test_add_func("/stream/silence", test_silence);
    g_test_add_func("/stream/slow-drip", test_slow_drip);
    g_test_add_func("/stream/fast-then-drip", test_fast_then_drip);
    g_test_add_func("/stream/total-grows", test_total_grows);
    g_test_add_func("/stream/wait", test_wait);
    g_test_add_func("/stream/cancel", test_cancel);
    g_test_add_func("/stream/cancel-busy", test_cancel_busy);
    g_test_add_func("/stream/one-command-one-write", test_one_command_one_write);
    g_test_add_func("/stream/no-lock", test_no_lock);
    g_test_add_func("/stream/last-words", test_last_words);
    g_test_add_func("/stream/no-secret-in-clear", test_no_secret_in_clear);
    g_test_add_func("/stream/tap", test_tap);
    g_test_add_func("/stream/guard", test_guard);
    g_test_add_func("/stream/deflate", test_deflate);
    g_test_add_func("/stream/deflate-refusals", test_deflate_refusals);
    g_test_add_func("/stream/connect", test_connect);
    g_test_add_func("/stream/connect-refusals", test_connect_refusals);
    g_test_add_func("/stream/connect-limits", test_connect_limits);
    g_test_add_func("/stream/resolve", test_resolve);
    return g_test_run();
}
