/* context.c - what the commands share: configuration, store, output, questions */
#include "config.h"

#include "cli/command.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
#include "config/password.h"
#include "engine/client.h"
#include "store/account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

G_DEFINE_QUARK(cli - error, cli_error)

gboolean cli_json;
char *cli_account;

const struct config *
cli_config(GError **error)
{
    static struct config *config;
    if (!config)
        config = config_load(NULL, error);
    return config;
}

const struct account *
cli_default_account(GError **error)
{
    const struct config *config = cli_config(error);
    return config ? config_account(config, cli_account, error) : NULL;
}

/* The store knows the accounts of the configuration and which addresses are one's own. */
static gboolean
ensure_accounts(struct store *store, GError **error)
{
    const struct config *config = cli_config(error);
    if (!config)
        return FALSE;
    for (guint i = 0; i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        g_autoptr(GPtrArray) addresses = g_ptr_array_new();
        g_ptr_array_add(addresses, account->address);
        for (char **alias = account->aliases; *alias; alias++)
            g_ptr_array_add(addresses, *alias);
        g_ptr_array_add(addresses, NULL);
        if (!store_account_ensure(store, account->name, (const char *const *)addresses->pdata, error))
            return FALSE;
    }
    return TRUE;
}

struct store *
cli_store(enum store_mode mode, GError **error)
{
    static struct store *store;
    if (store && mode == STORE_WRITE && !store_is_writable(store)) {
        store_close(store);
        store = NULL;
    }
    if (store)
        return store;
    const struct config *config = cli_config(error);
    if (!config)
        return NULL;
    g_autoptr(GError) local = NULL, no_account = NULL;
    store = store_open(NULL, mode, &local);
    /* Where nothing was ever set up, that is the news. */
    if (g_error_matches(local, STORE_ERROR, ERROR_NOINPUT) && !config_account(config, NULL, &no_account))
        g_set_error_literal(error, STORE_ERROR, ERROR_NOINPUT, no_account->message);
    else if (local)
        g_propagate_error(error, g_steal_pointer(&local));
    if (store && mode == STORE_WRITE && !ensure_accounts(store, error)) {
        store_close(store);
        store = NULL;
    }
    return store;
}

gboolean
cli_account_id(struct store *store, gint64 *id, GError **error)
{
    *id = 0;
    if (!cli_account)
        return TRUE;
    *id = store_account_find(store, cli_account);
    if (*id)
        return TRUE;
    const struct config *config = cli_config(error);
    if (!config || !config_account(config, cli_account, error))
        return FALSE;
    return TRUE; /* configured, but nothing was fetched yet */
}

static gboolean
write_out(const char *bytes, gsize len, GError **error)
{
    if (text_write(STDOUT_FILENO, bytes, len))
        return TRUE;
    if (errno == EPIPE) /* `postrider list | head`: the reader has seen enough */
        _exit(0);
    error_set_errno(error, CLI_ERROR, errno, _("standard output"));
    return FALSE;
}

gboolean
cli_print(const char *text, GError **error)
{
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    return write_out(line, strlen(line), error);
}

gboolean
cli_print_bytes(const char *bytes, gsize len, GError **error)
{
    return write_out(bytes, len, error);
}

gboolean
cli_print_json(struct json *json, GError **error)
{
    g_autofree char *line = json_finish(json);
    return cli_print(line, error);
}

void
cli_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = text_safe(text, -1, TEXT_BODY);
    fprintf(stderr, "%s\n", safe);
}

char *
cli_ask(const char *prompt, gboolean secret)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios before, quiet;
    if (fd < 0)
        return NULL;
    if (tcgetattr(fd, &before) < 0) {
        close(fd);
        return NULL;
    }
    quiet = before;
    if (secret) { /* before the question: who types ahead of it must not see the answer either */
        quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHONL);
        tcsetattr(fd, TCSAFLUSH, &quiet);
    }
    g_autofree char *safe = text_safe(prompt, -1, TEXT_LINE);
    g_autofree char *shown = g_strconcat(safe, " ", NULL);
    char buffer[1024];
    gssize n = write(fd, shown, strlen(shown));
    n = n < 0 ? n : read(fd, buffer, sizeof buffer - 1);
    if (secret) {
        tcsetattr(fd, TCSAFLUSH, &before);
        if (write(fd, "\n", 1) < 0)
            n = -1;
    }
    close(fd);
    if (n <= 0)
        return NULL;
    buffer[n] = '\0';
    buffer[strcspn(buffer, "\r\n")] = '\0';
    char *answer = g_strdup(buffer);
    explicit_bzero(buffer, sizeof buffer);
    return answer;
}

GBytes *
cli_read_file(const char *path, gsize limit, GError **error)
{
    gboolean standard = !strcmp(path, "-");
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        g_autofree char *what = g_strdup_printf("cannot read %s", standard ? "standard input" : path);
        error_set_errno(error, CLI_ERROR, errno, "%s", what);
        return NULL;
    }
    if (!standard && !S_ISREG(st.st_mode)) {
        close(fd);
        g_set_error(error, CLI_ERROR, ERROR_NOINPUT, _("cannot read %s: it is not a file"), path);
        return NULL;
    }
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    gssize n;
    do {
        guint8 chunk[65536];
        n = read(fd, chunk, sizeof chunk);
        if (n > 0)
            g_byte_array_append(bytes, chunk, (guint)n);
    } while ((n > 0 && bytes->len <= limit) || (n < 0 && errno == EINTR));
    int err = errno;
    if (!standard)
        close(fd);
    if (n < 0) {
        error_set_errno(error, CLI_ERROR, err, _("cannot read %s"), standard ? "standard input" : path);
        return NULL;
    }
    if (bytes->len > limit) {
        g_autofree char *size = text_size(limit);
        g_set_error(error, CLI_ERROR, ERROR_INPUT, _("%s is larger than %s"),
                    standard ? "standard input" : path, size);
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

gboolean
cli_usage_error(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, CLI_ERROR, ERROR_USAGE, text);
    return FALSE;
}

static void
give_password(struct engine_client *client, const struct engine_event *event)
{
    const char *account = engine_event_string(event, "account");
    g_autofree char *prompt = g_strdup_printf(_("Password of %s:"), account);
    char *secret = cli_ask(prompt, TRUE);
    if (secret)
        engine_client_password(client, account, secret, NULL);
    password_free(secret);
}

gboolean
cli_await(struct engine_client *client, guint request, int milliseconds, GError **error)
{
    for (;;) {
        g_autoptr(GError) why = NULL;
        g_autoptr(struct_engine_event) event = engine_client_wait(client, milliseconds, &why);
        if (!event) {
            if (why)
                g_propagate_error(error, g_steal_pointer(&why));
            else
                g_set_error(error, CLI_ERROR, ERROR_RETRY, _("the engine does not answer: try again later"));
            return FALSE;
        }
        if (!strcmp(event->verb, "need-password"))
            give_password(client, event);
        if (strcmp(event->verb, "done") || event->id != request)
            continue;
        if (engine_event_bool(event, "ok"))
            return TRUE;
        g_set_error(error, CLI_ERROR, ERROR_REFUSED, "%s", engine_event_string(event, "text"));
        return FALSE;
    }
}
