/* A device: one store and one account, driven by its arguments. tests/e2e/sync_*.py run several of them against a real
 * server and compare what each holds with what the server says.
 *
 *   sync_device STORE WORD [ARGUMENT…]      the account is in the environment: LAB_HOST, LAB_IMAPS_PORT, LAB_CA, SYNC_USER,
 *                                           LAB_PASSWORD; SYNC_WITHOUT names extensions that are not to be used, SYNC_KEEP
 *                                           is "DAYS BYTES", SYNC_TLS none or starttls
 *   sync_device -                           a line of standard input is [NAME=VALUE…] STORE WORD [ARGUMENT…], separated by
 *                                           tabs; each runs in a child, and what it used is the last line of its answer:
 *                                           thousands of cases cost no start of a program. SIGTERM cancels
 *
 * Several WORDs with their arguments may follow one another, with a ";" between them. SYNC_ACCOUNT is what the store calls
 * the account ("lab"); ACCOUNT>FOLDER is a folder of another one. Each answer is one JSON object a line. Called without
 * arguments it is skipped. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/flags.h"
#include "base/json.h"
#include "base/log.h"
#include "mail/envelope.h"
#include "mail/reader.h"
#include "store/account.h"
#include "store/intent.h"
#include "store/maildir.h"
#include "store/message.h"
#include "store/placement.h"
#include "sync/agree.h"
#include "sync/sync.h"

struct device {
    struct store *store;
    gint64 account;
    struct account config;
    char **args; /* after the word */
    guint n;
};

static G_NORETURN void
fail(GError *error)
{
    g_printerr("%s\n", error ? error->message : "wrong arguments");
    exit(error ? 1 : 64);
}

static const char *
arg(struct device *device, guint i)
{
    if (i >= device->n)
        fail(NULL);
    return device->args[i];
}

/* Until SIGTERM, which stops what runs as the engine stops it. */
static struct cancel *cancel;

static void
on_signal(G_GNUC_UNUSED int number)
{
    cancel_trigger(cancel);
}

static char *
secret(G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
    return g_strdup(g_getenv("LAB_PASSWORD"));
}

static void
put_line(struct json *json)
{
    json_object_end(json);
    g_autofree char *line = json_finish(json);
    puts(line);
}

static void
say(const char *kind, const char *folder, const char *text)
{
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "kind", kind);
    json_string(&json, "folder", folder ? folder : "");
    json_string(&json, "text", text);
    put_line(&json);
}

static void
on_notice(const char *folder, const char *text, G_GNUC_UNUSED gpointer data)
{
    say("notice", folder, text);
}

static void
on_planned(const struct sync_planned *planned, G_GNUC_UNUSED gpointer data)
{
    say("plan", planned->folder, planned->text);
}

static guint64
without(void)
{
    const char *names = g_getenv("SYNC_WITHOUT");
    guint64 bits = 0;
    g_auto(GStrv) words = g_strsplit(names ? names : "", " ", -1);
    for (char **word = words; *word; word++)
        for (const struct imap_extension *e = imap_extensions; e->bit; e++)
            if (!strcmp(e->name, *word))
                bits |= e->bit;
    return bits;
}

static struct sync *
open_sync(struct device *device)
{
    struct sync_options options = {
        .account = &device->config,
        .get_secret = secret,
        .cancel = cancel,
        .without = without(),
        .notice = on_notice,
        .planned = on_planned,
        .complete = device->n && !strcmp(device->args[0], "--complete"),
    };
    return sync_new(device->store, device->account, &options);
}

static void
print_statistics(struct sync *sync)
{
    const struct sync_statistics *s = sync_get_statistics(sync);
    printf("{\"kind\":\"done\",\"bytes_in\":%" G_GUINT64_FORMAT ",\"bytes_out\":%" G_GUINT64_FORMAT
           ",\"round_trips\":%" G_GUINT64_FORMAT ",\"folders\":%u,\"unchanged\":%u,\"envelopes\":%u,\"bodies\":%u,"
           "\"matched\":%u,\"flags_in\":%u,\"flags_out\":%u,\"conflicts\":%u,\"moved\":%u,\"copied\":%u,\"uploaded\":%u,"
           "\"expunged\":%u,\"removed\":%u,\"skipped\":%u,\"notices\":%u}\n",
           s->bytes_in, s->bytes_out, s->round_trips, s->folders, s->unchanged, s->envelopes, s->bodies, s->matched,
           s->flags_in, s->flags_out, s->conflicts, s->moved, s->copied, s->uploaded, s->expunged, s->removed,
           s->skipped, s->notices);
}

static void
do_sync(struct device *device)
{
    g_autoptr(struct_sync) sync = open_sync(device);
    GError *error = NULL;
    if (!sync_account(sync, device->n && !strcmp(device->args[0], "--dry-run"), &error))
        fail(error);
    print_statistics(sync);
}

static void
do_push(struct device *device)
{
    g_autoptr(struct_sync) sync = open_sync(device);
    GError *error = NULL;
    if (!sync_push(sync, &error))
        fail(error);
    print_statistics(sync);
}

/* One message of that Message-ID, in the folder when one is given. */
static gint64
message_of(struct device *device, const char *message_id)
{
    g_autofree char *text = g_strconcat("id:", message_id, NULL);
    GError *error = NULL;
    gint64 id = message_lookup(device->store, text, &error);
    if (!id)
        fail(error);
    return id;
}

static gint64
folder_of(struct device *device, const char *name)
{
    GError *error = NULL;
    gint64 account = device->account;
    const char *sign = strchr(name, '>');
    if (sign) {
        g_autofree char *other = g_strndup(name, (gsize) (sign - name));
        account = store_account_find(device->store, other);
        name = sign + 1;
    }
    gint64 id = account ? folder_lookup(device->store, account, name, &error) : 0;
    if (!id)
        fail(error);
    return id;
}

static void
check(gint64 journal, GError *error)
{
    if (!journal)
        fail(error);
}

/* mark ID FLAGS TAGS-TO-ADD TAGS-TO-REMOVE: flags as "+seen -flagged" */
static void
do_mark(struct device *device)
{
    guint set = 0, clear = 0;
    g_auto(GStrv) words = g_strsplit(arg(device, 1), " ", -1);
    for (char **word = words; *word && **word; word++) {
        guint bit = 0;
        gboolean reverse = FALSE;
        if (!flags_from_word(*word + 1, &bit, &reverse))
            fail(NULL);
        *((**word == '+') != reverse ? &set : &clear) |= bit;
    }
    gint64 message = message_of(device, arg(device, 0));
    GError *error = NULL;
    check(intent_mark(device->store, &message, 1, set, clear, arg(device, 2), arg(device, 3), &error), error);
}

/* markall FOLDER FLAGS-TO-SET */
static void
do_mark_all(struct device *device)
{
    GError *error = NULL;
    check(intent_mark_folder(device->store, folder_of(device, arg(device, 0)), flags_from_maildir(arg(device, 1)), 0,
                             &error),
          error);
}

static void
do_move(struct device *device)
{
    gint64 message = message_of(device, arg(device, 0)), to = folder_of(device, arg(device, 2));
    gint64 from = folder_of(device, arg(device, 1));
    GError *error = NULL;
    check(intent_move(device->store, &message, 1, from, to, &error), error);
}

static void
do_copy(struct device *device)
{
    gint64 message = message_of(device, arg(device, 0)), to = folder_of(device, arg(device, 2));
    gint64 from = folder_of(device, arg(device, 1));
    GError *error = NULL;
    check(intent_copy(device->store, &message, 1, from, to, &error), error);
}

static void
do_delete(struct device *device)
{
    gint64 message = message_of(device, arg(device, 0)), from = folder_of(device, arg(device, 1));
    GError *error = NULL;
    check(intent_delete(device->store, &message, 1, from, &error), error);
}

static void
do_expunge(struct device *device)
{
    gint64 from = folder_of(device, arg(device, 0));
    g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 1; i < device->n; i++) {
        gint64 message = message_of(device, device->args[i]);
        g_array_append_val(messages, message);
    }
    GError *error = NULL;
    check(intent_expunge(device->store, (const gint64 *) messages->data, messages->len, from, &error), error);
}

/* append FOLDER FILE FLAGS TAGS [ID-OF-THE-ONE-IT-REPLACES] */
static void
do_append(struct device *device)
{
    gint64 folder = folder_of(device, arg(device, 0)), message = 0;
    GError *error = NULL;
    char *bytes;
    gsize size;
    if (!g_file_get_contents(arg(device, 1), &bytes, &size, &error))
        fail(error);
    guint flags = flags_from_maildir(arg(device, 2));
    gint64 replaces = device->n > 4 ? message_of(device, arg(device, 4)) : 0;
    g_autofree char *dir = folder_path(device->store, folder, TRUE, &error);
    struct maildir_entry entry = {0};
    if (!dir || !maildir_deliver(dir, flags, bytes, size, &entry, &error))
        fail(error);
    g_autoptr(struct_reader) reader = reader_new();
    g_autoptr(GBytes) message_bytes = g_bytes_new_take(bytes, size);
    g_autoptr(struct_message_index) index = reader_index_text(reader, message_bytes, &error);
    if (!index)
        fail(error);
    check(intent_append(device->store, folder, &entry, index, flags, arg(device, 3), replaces, &message, &error), error);
    maildir_entry_clear(&entry);
}

static void
do_folder(struct device *device)
{
    const char *what = arg(device, 0);
    GError *error = NULL;
    if (!strcmp(what, "create"))
        check(intent_folder_create(device->store, device->account, arg(device, 1), NULL, &error), error);
    else if (!strcmp(what, "rename"))
        check(intent_folder_rename(device->store, folder_of(device, arg(device, 1)), arg(device, 2), &error), error);
    else if (!strcmp(what, "delete"))
        check(intent_folder_delete(device->store, folder_of(device, arg(device, 1)), &error), error);
    else if (!strcmp(what, "agree") && !sync_agree(device->store, folder_of(device, arg(device, 1)), &error))
        fail(error);
}

static void
do_fetch(struct device *device)
{
    g_autoptr(struct_sync) sync = open_sync(device);
    GError *error = NULL;
    if (!sync_fetch_body(sync, message_of(device, arg(device, 0)), &error))
        fail(error);
    print_statistics(sync);
}

static void
print_placement(struct device *device, const struct folder *folder, const struct placement *row)
{
    g_autoptr(struct_message) message = message_load(device->store, row->message, NULL);
    g_autofree char *flags = flags_to_maildir(row->flags), *base = flags_to_maildir(row->base_flags);
    if (!message)
        return;
    g_autoptr(GBytes) bytes = store_message_bytes(device->store, row->message, NULL);
    g_autofree char *sum = bytes ? g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes) : NULL;
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "folder", folder->name);
    json_string(&json, "id", message->message_id ? message->message_id : "");
    json_string(&json, "subject", message->subject);
    json_string(&json, "flags", flags);
    json_string(&json, "base", base);
    json_string(&json, "tags", row->tags);
    json_string(&json, "preview", message->preview);
    json_string(&json, "sum", sum ? sum : "");
    json_int(&json, "uid", row->uid);
    json_int(&json, "state", row->state);
    json_int(&json, "number", message->id);
    json_bool(&json, "cached", message->cached);
    put_line(&json);
}

/* Everything the store holds, folder by folder; what is leaving is not shown to anybody. */
static void
do_list(struct device *device)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) folders = folder_list(device->store, device->account, TRUE, &error);
    for (guint i = 0; folders && i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        g_autoptr(struct_placement_set) set =
            placement_load(device->store, folder->id, PLACEMENT_SELECT_ALL, 0, &error);
        for (guint k = 0; set && k < set->n; k++)
            if (set->rows[k].state != PLACEMENT_LEAVING)
                print_placement(device, folder, &set->rows[k]);
    }
    if (error)
        fail(error);
}

static void
do_folders(struct device *device)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) folders = folder_list(device->store, device->account, TRUE, &error);
    for (guint i = 0; folders && i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "name", folder->name);
        json_int(&json, "id", folder->id);
        json_string(&json, "role", folder_role_name(folder->role));
        json_string(&json, "notice", folder->notice ? folder->notice : "");
        json_int(&json, "bits", folder->bits);
        json_int(&json, "total", folder->total);
        json_int(&json, "unread", folder->unread);
        json_int(&json, "uidvalidity", folder->uidvalidity);
        put_line(&json);
    }
    if (error)
        fail(error);
}

/* What is still to be done, and whether the database is sound. */
static void
do_check(struct device *device)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) problems = store_check(device->store, &error);
    if (!problems)
        fail(error);
    for (guint i = 0; i < problems->len; i++)
        say("problem", "", problems->pdata[i]);
    printf("{\"kind\":\"intents\",\"n\":%" G_GINT64_FORMAT "}\n", intent_count(device->store, device->account));
}

static const struct {
    const char *word;
    void (*run)(struct device *device);
} words[] = {
    {"sync", do_sync},     {"push", do_push},       {"mark", do_mark},     {"move", do_move},     {"copy", do_copy},
    {"delete", do_delete}, {"expunge", do_expunge}, {"append", do_append}, {"folder", do_folder}, {"fetch", do_fetch},
    {"list", do_list},     {"folders", do_folders}, {"check", do_check},   {"markall", do_mark_all},
};

static enum tls_mode
tls_mode(void)
{
    const char *name = g_getenv("SYNC_TLS");
    return !g_strcmp0(name, "none") ? TLS_NONE : !g_strcmp0(name, "starttls") ? TLS_STARTTLS : TLS_IMPLICIT;
}

static void
run_word(struct device *device, const char *word)
{
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (!strcmp(word, words[i].word)) {
            words[i].run(device);
            return;
        }
    fail(NULL);
}

static int
run(int argc, char **argv)
{
    struct device device = {0};
    GError *error = NULL;
    log_open(NULL, LOG_LEVEL_ERROR);
    const char *user = g_getenv("SYNC_USER"), *keep = g_getenv("SYNC_KEEP"), *leave = g_getenv("SYNC_LEAVE"),
               *port = g_getenv(leave ? "LAB_POP3S_PORT" : "LAB_IMAPS_PORT");
    const char *called = g_getenv("SYNC_ACCOUNT") ? g_getenv("SYNC_ACCOUNT") : "lab";
    g_autofree char *address = g_strdup_printf("%s@lab.test", user ? user : "nobody");
    const char *addresses[] = {address, NULL};
    device.store = store_open(argv[1], STORE_WRITE, &error);
    device.account = device.store ? store_account_ensure(device.store, called, addresses, &error) : 0;
    if (!device.account)
        fail(error);
    device.config.name = (char *) called;
    device.config.incoming = endpoint_new(leave ? ENDPOINT_POP3 : ENDPOINT_IMAP, tls_mode(),
                                          g_getenv("LAB_HOST") ? g_getenv("LAB_HOST") : "",
                                          (guint16) strtoul(port ? port : "0", NULL, 10), user);
    if (leave) {
        device.config.leave.what = (enum leave_what) strtoul(leave, NULL, 10);
        device.config.leave.days = 30;
        if (!store_account_set_local(device.store, device.account, TRUE, NULL, &error))
            fail(error);
    }
    device.config.incoming->tls_ca = g_strdup(g_getenv("LAB_CA"));
    if (keep)
        sscanf(keep, "%d %" G_GINT64_FORMAT, &device.config.keep.days, &device.config.keep.size);
    for (int i = 2, next; i < argc; i = next + 1) {
        for (next = i; next < argc && strcmp(argv[next], ";"); next++)
            ;
        device.args = argv + i + 1;
        device.n = (guint) (next - i - 1);
        run_word(&device, argv[i]);
    }
    store_close(device.store);
    endpoint_free(device.config.incoming);
    return 0;
}

static G_NORETURN void
run_line(char *line)
{
    g_auto(GStrv) parts = g_strsplit(line, "\t", -1);
    char **first = parts;
    for (char *equals; *first && (equals = strchr(*first, '=')) != NULL; first++) {
        *equals = '\0';
        g_setenv(*first, equals + 1, TRUE);
    }
    g_autoptr(GPtrArray) args = g_ptr_array_new();
    g_ptr_array_add(args, (gpointer) "sync_device");
    for (; *first; first++)
        g_ptr_array_add(args, *first);
    g_ptr_array_add(args, NULL);
    exit(args->len > 3 ? run((int) args->len - 1, (char **) args->pdata) : 64);
}

/* At its end: who runs beside the main thread, and how long this one was ready and others had the processor. */
static void
tell_threads(void)
{
    int n = 0;
    g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
    while (tasks && g_dir_read_name(tasks))
        n++;
    g_autofree char *schedule = NULL;
    guint64 waited = 0;
    if (g_file_get_contents("/proc/self/schedstat", &schedule, NULL, NULL))
        sscanf(schedule, "%*u %" G_GUINT64_FORMAT, &waited);
    printf("{\"kind\":\"threads\",\"n\":%d,\"waited_us\":%" G_GUINT64_FORMAT "}\n", n, waited / 1000);
}

static int
serve(void)
{
    g_autofree char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        line[length - 1] = '\0';
        pid_t child = fork();
        if (child == 0) {
            dup2(STDOUT_FILENO, STDERR_FILENO);
            cancel = cancel_new();
            signal(SIGTERM, on_signal);
            atexit(tell_threads);
            printf("{\"kind\":\"start\",\"pid\":%d}\n", (int) getpid());
            fflush(stdout);
            run_line(line);
        }
        int status;
        struct rusage used;
        if (child < 0 || wait4(child, &status, 0, &used) < 0)
            return 71;
        gint64 cpu = (gint64) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * G_USEC_PER_SEC + used.ru_utime.tv_usec +
                     used.ru_stime.tv_usec;
        printf("{\"kind\":\"exit\",\"code\":%d,\"cpu_us\":%" G_GINT64_FORMAT ",\"rss_kb\":%ld}\n",
               WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), cpu, used.ru_maxrss);
        fflush(stdout);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "-"))
        return serve();
    if (argc >= 3)
        return run(argc, argv);
    puts("1..0 # SKIP driven by tests/e2e/sync_*.py");
    return 0;
}
