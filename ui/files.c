#include "config.h"

#include "ui/files.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/flags.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/text.h"
#include "mail/reader.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/placement.h"
#include "store/store.h"
#include "ui/app.h"
#include "ui/listview.h"
#include "ui/readview.h"
#include "ui/text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 100
#define HEAD_MAX (256 * 1024)
#define MESSAGE_MAX (256 * 1024 * 1024)

/* A message of the path: a file of a Maildir, or a range of an mbox. */
struct place {
    char *file;
    guint64 offset, length;
    gint64 time;
    guint flags;
};

struct files {
    struct app *app;
    char *path, *directory; /* of the session's own store */
    gboolean mbox;
    GPtrArray
        *places; /* of struct place; uid - 1 is the index. Filled before the thread's first row is seen */
    GMutex lock;
    GThread *thread;
    gint cancelled;
    gint64 folder;
    char *problem;
    guint done;
};

G_DEFINE_QUARK(files - error - quark, files_error)

static void
place_free(gpointer data)
{
    struct place *place = data;
    g_free(place->file);
    g_free(place);
}

/* ---- reading from the path ---- */

static int
open_regular(const char *path, struct stat *info, GError **error)
{
    /* Never waits for a FIFO, never takes a device for a file (L6). */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0 || fstat(fd, info) != 0) {
        error_set_errno(error, files_error_quark(), errno, "%s", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (!S_ISREG(info->st_mode)) {
        g_set_error(error, files_error_quark(), ERROR_NOINPUT, _("%s is no regular file"), path);
        close(fd);
        return -1;
    }
    return fd;
}

static GBytes *
read_range(const char *path, guint64 offset, guint64 length, GError **error)
{
    struct stat info;
    int fd = open_regular(path, &info, error);
    if (fd < 0)
        return NULL;
    if (!length)
        length = (guint64)info.st_size;
    if (length > MESSAGE_MAX) {
        close(fd);
        g_set_error(error, files_error_quark(), ERROR_SKIP, _("%s: the message is too large"), path);
        return NULL;
    }
    g_autofree char *bytes = g_malloc(length + 1);
    gsize got = 0;
    while (got < length) {
        ssize_t n = pread(fd, bytes + got, length - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (gsize)n;
    }
    close(fd);
    return g_bytes_new_take(g_steal_pointer(&bytes), got);
}

/* ---- mbox ---- */

GArray *
files_mbox_offsets(int fd, GError **error)
{
    static const char from[] = "From ";
    GArray *offsets = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autofree char *buffer = g_malloc(1 << 16);
    guint64 at = 0;
    int matched = 0; /* letters of "From " at the beginning of this line; -1: another line */
    gboolean after_blank = TRUE, empty = TRUE;
    for (;;) {
        ssize_t n = read(fd, buffer, 1 << 16);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_set_errno(error, files_error_quark(), errno, _("the mailbox"));
            g_array_unref(offsets);
            return NULL;
        }
        if (n == 0)
            break;
        for (ssize_t i = 0; i < n; i++, at++) {
            char c = buffer[i];
            if (c == '\n') {
                after_blank = empty;
                empty = TRUE;
                matched = 0;
                continue;
            }
            if (c != '\r')
                empty = FALSE;
            if (matched < 0)
                continue;
            matched = c == from[matched] ? matched + 1 : -1;
            if (matched == 5) {
                guint64 start = at - 4;
                if (after_blank)
                    g_array_append_val(offsets, start);
                matched = -1;
            }
        }
        if (at >= 5 && !offsets->len)
            break; /* does not begin as an mbox does */
    }
    if (!offsets->len || g_array_index(offsets, guint64, 0) != 0) {
        g_array_unref(offsets);
        g_set_error(error, files_error_quark(), ERROR_INPUT,
                    _("it is neither a message, an mbox nor a Maildir"));
        return NULL;
    }
    g_array_append_val(offsets, at);
    return offsets;
}

GBytes *
files_mbox_unquote(const char *bytes, gsize length)
{
    GString *out = g_string_sized_new(length);
    const char *p = bytes, *end = bytes + length;
    if (length >= 5 && !memcmp(p, "From ", 5)) {
        const char *line = memchr(p, '\n', length);
        p = line ? line + 1 : end;
    }
    while (p < end) {
        const char *line = memchr(p, '\n', (gsize)(end - p));
        const char *next = line ? line + 1 : end;
        const char *q = p;
        while (q < next && *q == '>')
            q++;
        if (q > p && next - q >= 5 && !memcmp(q, "From ", 5))
            p++;
        g_string_append_len(out, p, next - p);
        p = next;
    }
    /* The blank line before the next "From " belongs to the mbox. */
    if (out->len >= 2 && out->str[out->len - 1] == '\n' && out->str[out->len - 2] == '\n')
        g_string_truncate(out, out->len - 1);
    return g_string_free_to_bytes(out);
}

static gboolean
list_mbox(struct files *files, GError **error)
{
    struct stat info;
    int fd = open_regular(files->path, &info, error);
    if (fd < 0)
        return FALSE;
    g_autoptr(GArray) offsets = files_mbox_offsets(fd, error);
    close(fd);
    if (!offsets)
        return FALSE;
    for (guint i = 0; i + 1 < offsets->len; i++) {
        struct place *place = g_new0(struct place, 1);
        place->file = g_strdup(files->path);
        place->offset = g_array_index(offsets, guint64, i);
        place->length = g_array_index(offsets, guint64, i + 1) - place->offset;
        place->time = info.st_mtime;
        g_ptr_array_add(files->places, place);
    }
    return TRUE;
}

/* ---- Maildir ---- */

static void
list_directory(struct files *files, const char *sub)
{
    g_autofree char *path = g_build_filename(files->path, sub, NULL);
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        if (*name == '.')
            continue;
        struct place *place = g_new0(struct place, 1);
        place->file = g_build_filename(path, name, NULL);
        place->time = g_ascii_strtoll(name, NULL, 10); /* Maildir names begin with the time of delivery */
        const char *info = strstr(name, ":2,");
        place->flags = info ? flags_from_maildir(info + 3) : 0;
        g_ptr_array_add(files->places, place);
    }
    if (dir)
        g_dir_close(dir);
}

static int
newest_first(gconstpointer a, gconstpointer b)
{
    const struct place *x = *(const struct place *const *)a, *y = *(const struct place *const *)b;
    return x->time < y->time ? 1 : x->time > y->time ? -1 : strcmp(y->file, x->file);
}

/* ---- filling the session's store, on a thread ---- */

static gboolean
tell(gpointer data)
{
    struct files *files = data;
    struct app *app = files->app;
    g_mutex_lock(&files->lock);
    guint done = files->done;
    g_autofree char *problem = g_steal_pointer(&files->problem);
    g_mutex_unlock(&files->lock);
    app_reread(app);
    if (problem)
        app_warn(app, "%s", problem);
    else if (done < files->places->len)
        app_say(app, _("reading: %u of %u"), done, files->places->len);
    else
        app_say(app, ngettext("%u message", "%u messages", done), done);
    return G_SOURCE_REMOVE;
}

static GBytes *
place_bytes(const struct files *files, const struct place *place, guint64 limit, GError **error)
{
    guint64 length = place->length;
    if (limit && (!length || length > limit))
        length = limit;
    g_autoptr(GBytes) raw = read_range(place->file, place->offset, length, error);
    if (!raw || !files->mbox)
        return g_steal_pointer(&raw);
    gsize n;
    const char *bytes = g_bytes_get_data(raw, &n);
    return files_mbox_unquote(bytes, n);
}

static gboolean
insert_batch(struct files *files, struct store *store, struct reader *reader, guint from, guint n,
             GError **error)
{
    g_autofree struct placement_new *rows = g_new0(struct placement_new, n);
    g_autoptr(GPtrArray) envelopes = g_ptr_array_new_with_free_func((GDestroyNotify)envelope_free);
    guint used = 0;
    for (guint i = from; i < from + n; i++) {
        const struct place *place = g_ptr_array_index(files->places, i);
        g_autoptr(GBytes) head = place_bytes(files, place, HEAD_MAX, NULL);
        struct envelope *envelope = head ? reader_envelope(reader, head, NULL) : NULL;
        if (!envelope)
            continue; /* no regular file, or one that the reader cannot bear: passed over */
        g_ptr_array_add(envelopes, envelope);
        rows[used++] = (struct placement_new){.uid = i + 1,
                                              .flags = place->flags,
                                              .envelope = envelope,
                                              .received = place->time ? place->time : clock_now(),
                                              .size = place->length ? place->length : g_bytes_get_size(head)};
    }
    return !used || placement_insert(store, files->folder, rows, used, NULL, error);
}

static gpointer
fill(gpointer data)
{
    struct files *files = data;
    g_autoptr(GError) error = NULL;
    /* A reader attaches itself to the thread's context: without one of its own that would be the screen's. */
    g_autoptr(GMainContext) context = g_main_context_new();
    g_main_context_push_thread_default(context);
    struct store *store = store_open(files->directory, STORE_WRITE, &error);
    struct reader *reader = reader_new();
    guint n = files->places->len;
    for (guint i = 0; store && i < n && !g_atomic_int_get(&files->cancelled); i += BATCH) {
        if (!insert_batch(files, store, reader, i, MIN(BATCH, n - i), &error))
            break;
        g_mutex_lock(&files->lock);
        files->done = MIN(i + BATCH, n);
        g_mutex_unlock(&files->lock);
        if (i % (BATCH * 10) == 0 || i + BATCH >= n)
            g_idle_add(tell, files);
    }
    if (error) {
        g_mutex_lock(&files->lock);
        files->problem = g_strdup(error->message);
        g_mutex_unlock(&files->lock);
        g_idle_add(tell, files);
    }
    reader_free(reader);
    store_close(store);
    g_main_context_pop_thread_default(context);
    return NULL;
}

static void
remove_tree(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_file_test(child, G_FILE_TEST_IS_DIR) && !g_file_test(child, G_FILE_TEST_IS_SYMLINK))
            remove_tree(child);
        else
            g_unlink(child);
    }
    if (dir)
        g_dir_close(dir);
    g_rmdir(path);
}

void
files_free(struct files *files)
{
    if (!files)
        return;
    g_atomic_int_set(&files->cancelled, TRUE);
    if (files->thread)
        g_thread_join(files->thread);
    while (g_source_remove_by_user_data(files))
        ;
    if (files->directory)
        remove_tree(files->directory);
    g_ptr_array_unref(files->places);
    g_mutex_clear(&files->lock);
    g_free(files->problem);
    g_free(files->directory);
    g_free(files->path);
    g_free(files);
}

/* ---- opening ---- */

static gboolean
session_store(struct files *files, GError **error)
{
    struct app *app = files->app;
    g_autofree char *runtime = paths_runtime_dir();
    if (!paths_make_dir(runtime, error))
        return FALSE;
    char *directory = g_build_filename(runtime, "files-XXXXXX", NULL);
    if (!g_mkdtemp_full(directory, 0700)) {
        error_set_errno(error, files_error_quark(), errno, "%s", runtime);
        g_free(directory);
        return FALSE;
    }
    files->directory = directory;
    g_autoptr(struct_store) store = store_open(directory, STORE_WRITE, error);
    const char *none[] = {NULL};
    gint64 account = store ? store_account_ensure(store, "files", none, error) : 0;
    g_autofree char *name = g_path_get_basename(files->path);
    g_autofree char *safe = text_file_name(name);
    files->folder = account ? folder_upsert(store, account, safe, safe, '/', FOLDER_NONE,
                                            FOLDER_SELECTABLE | FOLDER_SUBSCRIBED, error)
                            : 0;
    if (!files->folder)
        return FALSE;
    struct store *read = store_open(directory, STORE_READ, error);
    if (!read)
        return FALSE;
    store_close(app->store);
    app->store = read;
    return TRUE;
}

static gboolean
open_box(struct app *app, const char *path, gboolean maildir, GError **error)
{
    struct files *files = g_new0(struct files, 1);
    files->app = app;
    files->path = g_strdup(path);
    files->mbox = !maildir;
    files->places = g_ptr_array_new_with_free_func(place_free);
    g_mutex_init(&files->lock);
    if (maildir) {
        list_directory(files, "new");
        list_directory(files, "cur");
        g_ptr_array_sort(files->places, newest_first);
    }
    if ((!maildir && !list_mbox(files, error)) || !session_store(files, error)) {
        files_free(files);
        return FALSE;
    }
    app->files = files;
    listview_show_folder(listview_at_hand(app), files->folder);
    files->thread = g_thread_new("files", fill, files);
    return TRUE;
}

static gboolean
looks_like_message(const char *path)
{
    g_autoptr(GBytes) head = read_range(path, 0, 4096, NULL);
    gsize n = 0;
    const char *bytes = head ? g_bytes_get_data(head, &n) : NULL;
    return n >= 5 && memcmp(bytes, "From ", 5) != 0;
}

void
files_open(struct app *app, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *full = paths_expand(path);
    g_autofree char *cur = g_build_filename(full, "cur", NULL);
    gboolean ok;
    if (g_file_test(cur, G_FILE_TEST_IS_DIR)) {
        ok = open_box(app, full, TRUE, &error);
    } else if (looks_like_message(full)) {
        g_autoptr(GBytes) bytes = read_range(full, 0, 0, &error);
        ok = bytes != NULL;
        g_autofree char *name = g_path_get_basename(full);
        if (ok)
            readview_open_bytes(app, bytes, name);
    } else {
        ok = open_box(app, full, FALSE, &error);
    }
    if (!ok)
        app_error(app, full, g_steal_pointer(&error));
}

GBytes *
files_message_bytes(struct app *app, gint64 message, GError **error)
{
    struct files *files = app->files;
    if (!files)
        return store_message_bytes(app->store, message, error);
    g_autoptr(GPtrArray) places = message_places(app->store, message, error);
    const struct message_place *at = places && places->len ? g_ptr_array_index(places, 0) : NULL;
    if (!at || !at->uid || at->uid > files->places->len) {
        if (error && !*error)
            g_set_error(error, files_error_quark(), ERROR_NOINPUT, _("the message is not there any more"));
        return NULL;
    }
    return place_bytes(files, g_ptr_array_index(files->places, at->uid - 1), 0, error);
}
