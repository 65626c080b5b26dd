#include "config.h"

#include "search/notmuch_child.h"

#include <errno.h>
#include <fcntl.h>
#include <notmuch.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/flags.h"
#include "base/log.h"
#include "base/record.h"
#include "search/error.h"
#include "search/notmuch_words.h"

#define PROPERTY_WORD "postrider.tag"
#define PROPERTY_MESSAGE "postrider.message"
#define MEMORY_MEGABYTES 1024
#define ALIVE_EVERY 1000 /* messages of a scan */

struct child {
    int fd;
    char *root; /* the Maildir root, without a final slash */
    notmuch_database_t *database;
    notmuch_indexopts_t *options;
};

/* Wrappers for g_autoptr: notmuch frees with functions of their own. */
typedef notmuch_message_t notmuch_message_handle;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(notmuch_message_handle, notmuch_message_destroy)
typedef notmuch_query_t notmuch_query_handle;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(notmuch_query_handle, notmuch_query_destroy)

/* --- Talking */

/* The other side having gone, there is nobody to work for. */
static void
reply(struct child *child, enum notmuch_reply kind, guint64 number, guint64 revision, const char *text,
      const struct words_change *change)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    GVariant *value =
        g_variant_new(NOTMUCH_REPLY_TYPE, (guchar)kind, number, revision, valid, change ? change->set : 0,
                      change ? change->clear : 0, change ? change->add : "", change ? change->remove : "");
    if (!record_write(child->fd, value, 0, NULL))
        _exit(EX_OK);
}

static gboolean
fail(GError **error, struct child *child, notmuch_status_t status, const char *what)
{
    const char *more = child->database ? notmuch_database_status_string(child->database) : NULL;
    g_set_error(error, SEARCH_ERROR, ERROR_IO, "%s: %s%s%s", what, notmuch_status_to_string(status),
                more ? ": " : "", more ? more : "");
    return FALSE;
}

static gboolean
check(GError **error, struct child *child, notmuch_status_t status, const char *what)
{
    return status == NOTMUCH_STATUS_SUCCESS || fail(error, child, status, what);
}

/* --- Opening */

static gboolean
index_exists(const struct child *child)
{
    g_autofree char *path = g_build_filename(child->root, ".notmuch", "xapian", NULL);
    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

/* What `notmuch new` of the user would otherwise do to our Maildir: rename files for tags, invent tags, and
 * index what lies there for 30 days after it was removed. In the index for everybody, where a configuration
 * file of theirs goes before it. */
static const struct {
    const char *group, *key, *value;
} settings[] = {
    {"maildir", "synchronize_flags", "false"},
    {"new", "tags", ";"}, /* an empty list; an empty text would mean the default */
    {"new", "ignore", ".outbox;.removed;.notmuch.damaged"},
    {"search", "exclude_tags", "deleted;spam"},
};

static gboolean
configure(struct child *child, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_autofree char *key = g_strdup_printf("%s.%s", settings[i].group, settings[i].key);
        if (!check(error, child, notmuch_database_set_config(child->database, key, settings[i].value),
                   "cannot configure the notmuch index"))
            return FALSE;
    }
    return TRUE;
}

/* The notmuch program does nothing without a configuration file. One that fits lies in the index's own
 * directory, for `notmuch --config=…/mail/.notmuch/config`; a person may change it, we only see to the path.
 */
static void
write_config_file(const struct child *child)
{
    g_autofree char *path = g_build_filename(child->root, ".notmuch", "config", NULL);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    gboolean is_there = g_key_file_load_from_file(file, path, G_KEY_FILE_KEEP_COMMENTS, NULL);
    g_autofree char *root = is_there ? g_key_file_get_string(file, "database", "path", NULL) : NULL;
    if (root && !strcmp(root, child->root))
        return;
    g_key_file_set_string(file, "database", "path", child->root);
    for (guint i = 0; i < G_N_ELEMENTS(settings) && !is_there; i++)
        g_key_file_set_value(file, settings[i].group, settings[i].key, settings[i].value);
    if (!g_key_file_save_to_file(file, path, &error))
        log_warn("search.notmuch", "%s", error->message);
}

/* The user's own configuration is never read: an explicit path, and "" for the file. Waits for another
 * writer. */
static gboolean
open_index(struct child *child, gboolean is_writer, GError **error)
{
    g_autofree char *message = NULL;
    gboolean is_new = !index_exists(child);
    notmuch_status_t status =
        is_new
            ? notmuch_database_create_with_config(child->root, "", "", &child->database, &message)
            : notmuch_database_open_with_config(
                  child->root, is_writer ? NOTMUCH_DATABASE_MODE_READ_WRITE : NOTMUCH_DATABASE_MODE_READ_ONLY,
                  "", "", &child->database, &message);
    if (status) {
        g_autofree char *line = message ? g_strdelimit(g_strdup(message), "\n", ' ') : NULL;
        g_set_error(error, SEARCH_ERROR, ERROR_GIVEUP,
                    "the notmuch index in %s/.notmuch cannot be opened: %s", child->root,
                    line ? line : notmuch_status_to_string(status));
        if (child->database)
            notmuch_database_destroy(child->database);
        child->database = NULL;
        return FALSE;
    }
    if (is_new && !configure(child, error))
        return FALSE;
    if (is_writer)
        write_config_file(child);
    if (is_writer && notmuch_database_needs_upgrade(child->database) &&
        !check(error, child, notmuch_database_upgrade(child->database, NULL, NULL),
               "cannot upgrade the notmuch index"))
        return FALSE;
    return TRUE;
}

/* What was written becomes visible to others here, and here alone. */
static gboolean
close_index(struct child *child, GError **error)
{
    if (!child->database)
        return TRUE;
    notmuch_status_t status = notmuch_database_close(child->database);
    gboolean ok = check(error, child, status, "cannot close the notmuch index");
    notmuch_database_destroy(child->database);
    child->database = NULL;
    return ok;
}

static guint64
revision_of(struct child *child, const char **uuid)
{
    const char *ignored;
    return notmuch_database_get_revision(child->database, uuid ? uuid : &ignored);
}

/* --- Words in the index */

/* NULL when the snapshot went away under us. */
static char *
read_tags(notmuch_message_t *message)
{
    notmuch_tags_t *tags = notmuch_message_get_tags(message);
    if (!tags)
        return NULL;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (; notmuch_tags_valid(tags); notmuch_tags_move_to_next(tags))
        g_ptr_array_add(words, (char *)notmuch_tags_get(tags));
    char *set = tags_from_list((const char *const *)words->pdata, words->len);
    notmuch_tags_destroy(tags);
    return set;
}

static guint64
read_number(notmuch_message_t *message)
{
    const char *value = NULL;
    if (notmuch_message_get_property(message, PROPERTY_MESSAGE, &value) || !value)
        return 0;
    return g_ascii_strtoull(value, NULL, 10);
}

/* The words that we wrote last; NULL when we never did. */
static char *
read_base(notmuch_message_t *message)
{
    if (!read_number(message))
        return NULL;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    notmuch_message_properties_t *list = notmuch_message_get_properties(message, PROPERTY_WORD, TRUE);
    for (; list && notmuch_message_properties_valid(list); notmuch_message_properties_move_to_next(list))
        g_ptr_array_add(words, (char *)notmuch_message_properties_value(list));
    char *set = tags_from_list((const char *const *)words->pdata, words->len);
    if (list)
        notmuch_message_properties_destroy(list);
    return set;
}

typedef notmuch_status_t (*change_word)(notmuch_message_t *message, const char *word);

static notmuch_status_t
add_base(notmuch_message_t *message, const char *word)
{
    return notmuch_message_add_property(message, PROPERTY_WORD, word);
}

static notmuch_status_t
remove_base(notmuch_message_t *message, const char *word)
{
    return notmuch_message_remove_property(message, PROPERTY_WORD, word);
}

/* Calls `change` for every word of a that is not in b. */
static notmuch_status_t
each_of(const char *a, const char *b, change_word change, notmuch_message_t *message)
{
    g_autofree char *rest = tags_minus(a, b);
    g_auto(GStrv) words = tags_split(rest);
    notmuch_status_t status = NOTMUCH_STATUS_SUCCESS;
    for (char **word = words; *word && !status; word++)
        status = change(message, *word);
    return status;
}

/* Brings tags and base to where they belong; touches nothing when they are there (every touch is a new
 * revision). */
static notmuch_status_t
write_words(notmuch_message_t *message, guint64 number, const char *ours)
{
    g_autofree char *theirs = read_tags(message), *base = read_base(message);
    if (!theirs)
        return NOTMUCH_STATUS_XAPIAN_EXCEPTION;
    g_autofree char *merged = words_merge(base, theirs, ours);
    const char *old_base = base ? base : "";
    if (base && !strcmp(merged, theirs) && !strcmp(old_base, ours) && read_number(message) == number)
        return NOTMUCH_STATUS_SUCCESS;
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    notmuch_status_t status = notmuch_message_freeze(message);
    if (!status)
        status = each_of(theirs, merged, notmuch_message_remove_tag, message);
    if (!status)
        status = each_of(merged, theirs, notmuch_message_add_tag, message);
    if (!status)
        status = each_of(old_base, ours, remove_base, message);
    if (!status)
        status = each_of(ours, old_base, add_base, message);
    if (!status && read_number(message) != number) {
        status = notmuch_message_remove_all_properties(message, PROPERTY_MESSAGE);
        if (!status)
            status = notmuch_message_add_property(message, PROPERTY_MESSAGE, text);
    }
    return status ? status : notmuch_message_thaw(message);
}

/* --- Jobs */

struct job {
    guint64 message;
    gboolean is_gone, may_index;
    const char *message_id, *words;
    GVariantIter *files;
};

/* TRUE when a regular file of that name is there. */
static gboolean
file_exists(const char *path)
{
    struct stat info;
    return !lstat(path, &info) && S_ISREG(info.st_mode);
}

static notmuch_status_t
remove_file(struct child *child, const char *path)
{
    notmuch_status_t status = notmuch_database_remove_message(child->database, path);
    return status == NOTMUCH_STATUS_DUPLICATE_MESSAGE_ID ? NOTMUCH_STATUS_SUCCESS : status;
}

/* Names that the index has and the Maildir has not: flags were changed, or a folder was left. */
static notmuch_status_t
remove_missing_files(struct child *child, notmuch_message_t *message)
{
    g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
    notmuch_filenames_t *names = notmuch_message_get_filenames(message);
    for (; names && notmuch_filenames_valid(names); notmuch_filenames_move_to_next(names)) {
        const char *path = notmuch_filenames_get(names);
        if (path && !file_exists(path))
            g_ptr_array_add(missing, g_strdup(path));
    }
    if (names)
        notmuch_filenames_destroy(names);
    notmuch_status_t status = NOTMUCH_STATUS_SUCCESS;
    for (guint i = 0; i < missing->len && !status; i++)
        status = remove_file(child, missing->pdata[i]);
    return status;
}

/* The message that holds this file, after indexing it where that is needed; NULL with success when it is not
 * to be had
 * (*why says so). */
static notmuch_status_t
find_or_index(struct child *child, const struct job *job, const char *path, notmuch_message_t **message,
              const char **why)
{
    notmuch_status_t status = notmuch_database_find_message_by_filename(child->database, path, message);
    if (status || *message)
        return status;
    if (!file_exists(path)) {
        *why = "the file is not there";
        return NOTMUCH_STATUS_SUCCESS;
    }
    if (!job->may_index) {
        *why = "not wanted";
        return NOTMUCH_STATUS_SUCCESS;
    }
    status = notmuch_database_index_file(child->database, path, child->options, message);
    switch (status) {
    case NOTMUCH_STATUS_DUPLICATE_MESSAGE_ID:
        return NOTMUCH_STATUS_SUCCESS;
    case NOTMUCH_STATUS_FILE_NOT_EMAIL:
        *why = "notmuch takes it for no mail";
        return NOTMUCH_STATUS_SUCCESS;
    case NOTMUCH_STATUS_FILE_ERROR: /* it was renamed just now: the next pass has the new name */
        *why = "the file is not there";
        return NOTMUCH_STATUS_SUCCESS;
    default:
        return status;
    }
}

static notmuch_status_t
do_present(struct child *child, struct job *job, const char **why)
{
    notmuch_status_t status = NOTMUCH_STATUS_SUCCESS;
    g_autofree char *id = NULL;
    for (const char *file; !status && g_variant_iter_next(job->files, "&s", &file);) {
        g_autofree char *path = g_build_filename(child->root, file, NULL);
        g_autoptr(notmuch_message_handle) message = NULL;
        status = find_or_index(child, job, path, &message, why);
        if (message && !id)
            id = g_strdup(notmuch_message_get_message_id(message));
    }
    if (!status && !id && *job->message_id)
        id = g_strdup(job->message_id); /* no file is left: its names have to go */
    g_autoptr(notmuch_message_handle) message = NULL;
    if (!status && id)
        status = notmuch_database_find_message(child->database, id, &message);
    if (status || !message)
        return status;
    status = remove_missing_files(child, message);
    g_clear_pointer(&message, notmuch_message_destroy);
    if (!status) /* anew: with its last name the message went, too */
        status = notmuch_database_find_message(child->database, id, &message);
    return status || !message ? status : write_words(message, job->message, job->words);
}

static notmuch_status_t
do_gone(struct child *child, struct job *job)
{
    notmuch_status_t status = NOTMUCH_STATUS_SUCCESS;
    for (const char *file; !status && g_variant_iter_next(job->files, "&s", &file);) {
        g_autofree char *path = g_build_filename(child->root, file, NULL);
        if (!file_exists(path))
            status = remove_file(child, path);
    }
    if (status || !*job->message_id)
        return status;
    g_autoptr(notmuch_message_handle) message = NULL;
    status = notmuch_database_find_message(child->database, job->message_id, &message);
    return status || !message ? status : remove_missing_files(child, message);
}

/* Index and tags in one atomic section, so that nobody sees a message without its tags. */
static notmuch_status_t
do_job(struct child *child, GVariant *value, const char **why)
{
    struct job job;
    g_variant_get(value, "(tbb&sas&s)", &job.message, &job.is_gone, &job.may_index, &job.message_id,
                  &job.files, &job.words);
    notmuch_status_t status = notmuch_database_begin_atomic(child->database);
    if (!status)
        status = job.is_gone ? do_gone(child, &job) : do_present(child, &job, why);
    if (!status)
        status = notmuch_database_end_atomic(child->database);
    g_variant_iter_free(job.files);
    return status;
}

static gboolean
serve_write(struct child *child, guint milliseconds, GVariant *jobs, GError **error)
{
    const char *uuid;
    gint64 end = clock_monotonic() + (gint64)milliseconds * 1000;
    if (!open_index(child, TRUE, error))
        return FALSE;
    guint64 revision = revision_of(child, &uuid);
    reply(child, NOTMUCH_OPENED, 0, revision, uuid, NULL);
    child->options = notmuch_database_get_default_indexopts(child->database);
    notmuch_indexopts_set_decrypt_policy(child->options, NOTMUCH_DECRYPT_FALSE); /* K5 */
    notmuch_status_t status = NOTMUCH_STATUS_SUCCESS;
    for (gsize i = 0; i < g_variant_n_children(jobs) && !status && (i == 0 || clock_monotonic() < end); i++) {
        g_autoptr(GVariant) job = g_variant_get_child_value(jobs, i);
        const char *why = "";
        reply(child, NOTMUCH_STARTED, i, 0, "", NULL);
        status = do_job(child, job, &why);
        if (!status)
            reply(child, NOTMUCH_DONE, i, 0, why, NULL);
    }
    notmuch_indexopts_destroy(child->options);
    if (!check(error, child, status, "cannot write to the notmuch index"))
        return FALSE;
    revision = revision_of(child, NULL);
    if (!close_index(child, error))
        return FALSE;
    reply(child, NOTMUCH_END, 0, revision, "", NULL);
    return TRUE;
}

/* One message: does it carry what we did not write? */
static gboolean
scan_message(struct child *child, notmuch_message_t *message, GError **error)
{
    const char *id = message ? notmuch_message_get_message_id(message) : NULL;
    g_autofree char *tags = id ? read_tags(message) : NULL;
    if (!tags) { /* others wrote twice meanwhile: the snapshot is gone */
        g_set_error(error, SEARCH_ERROR, ERROR_RETRY, "the notmuch index changed while it was read");
        return FALSE;
    }
    g_autofree char *base = read_base(message);
    struct words_change change;
    words_change(base, tags, &change);
    if (!words_change_is_empty(&change))
        reply(child, NOTMUCH_CHANGED, read_number(message), 0, id, &change);
    words_change_clear(&change);
    return TRUE;
}

static gboolean
scan_since(struct child *child, guint64 since, GError **error)
{
    g_autofree char *text = g_strdup_printf("lastmod:%" G_GUINT64_FORMAT "..", since + 1);
    g_autoptr(notmuch_query_handle) query = notmuch_query_create(child->database, text);
    notmuch_messages_t *messages = NULL;
    notmuch_query_set_omit_excluded(query, NOTMUCH_EXCLUDE_FALSE);
    notmuch_query_set_sort(query, NOTMUCH_SORT_UNSORTED);
    if (!check(error, child, notmuch_query_search_messages(query, &messages), "cannot ask the notmuch index"))
        return FALSE;
    for (guint n = 1; notmuch_messages_valid(messages); notmuch_messages_move_to_next(messages), n++) {
        g_autoptr(notmuch_message_handle) message = notmuch_messages_get(messages);
        if (!scan_message(child, message, error))
            return FALSE;
        if (n % ALIVE_EVERY == 0)
            reply(child, NOTMUCH_ALIVE, n, 0, "", NULL);
    }
    return TRUE;
}

/* What was changed with notmuch since `since`: everything in that range whose tags are not the base. */
static gboolean
serve_scan(struct child *child, guint64 since, GError **error)
{
    const char *uuid = "";
    if (!index_exists(child)) {
        reply(child, NOTMUCH_OPENED, 0, 0, "", NULL);
        reply(child, NOTMUCH_END, 0, 0, "", NULL);
        return TRUE;
    }
    if (!open_index(child, FALSE, error))
        return FALSE;
    guint64 revision = revision_of(child, &uuid);
    reply(child, NOTMUCH_OPENED, 0, revision, uuid, NULL);
    if (revision > since && !scan_since(child, since, error))
        return FALSE;
    if (!close_index(child, error))
        return FALSE;
    reply(child, NOTMUCH_END, 0, revision, "", NULL);
    return TRUE;
}

static void
serve(struct child *child, GVariant *request)
{
    guchar kind;
    guint64 revision;
    guint32 milliseconds;
    const char *root;
    g_autoptr(GVariant) jobs = NULL;
    g_autoptr(GError) error = NULL;
    g_variant_get(request, "(y&stu@a" NOTMUCH_JOB_TYPE ")", &kind, &root, &revision, &milliseconds, &jobs);
    g_free(child->root);
    child->root = g_strdup(root);
    gboolean ok = kind == NOTMUCH_SCAN ? serve_scan(child, revision, &error)
                                       : serve_write(child, milliseconds, jobs, &error);
    if (ok)
        return;
    close_index(child, NULL);
    reply(child, NOTMUCH_FAILED, 0, (guint64)error->code, error->message, NULL);
}

int
notmuch_child_main(int fd, guint megabytes)
{
    struct child child = {.fd = fd};
    gboolean is_ended = FALSE;
    g_autoptr(GError) error = NULL;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    umask(077);
#ifndef SANITIZERS
    rlim_t bytes = (rlim_t)(megabytes ? megabytes : MEMORY_MEGABYTES) * 1024 * 1024;
    struct rlimit memory = {bytes, bytes};
    setrlimit(RLIMIT_AS, &memory);
#else
    (void)megabytes;
#endif
    for (;;) {
        g_autoptr(GVariant) request =
            record_read(fd, G_VARIANT_TYPE(NOTMUCH_REQUEST_TYPE), NOTMUCH_REQUEST_MAX, 0, &is_ended, &error);
        if (!request)
            break;
        serve(&child, request);
    }
    g_free(child.root);
    if (!is_ended)
        log_error("search.notmuch", "%s", error->message);
    return is_ended ? EX_OK : EX_PROTOCOL;
}

/* --- Finding */

gboolean
notmuch_find(const char *mail_dir, const char *text, guint limit, FILE *out, GError **error)
{
    struct child child = {.fd = -1, .root = (char *)mail_dir};
    if (!index_exists(&child)) {
        g_set_error(error, SEARCH_ERROR, ERROR_NOINPUT,
                    "there is no notmuch index in %s: it is built while the engine runs, unless \"notmuch = "
                    "off\" is set",
                    mail_dir);
        return FALSE;
    }
    if (!open_index(&child, FALSE, error))
        return FALSE;
    gboolean ok = TRUE;
    {
        g_autoptr(notmuch_query_handle) query = notmuch_query_create(child.database, text);
        notmuch_messages_t *messages = NULL;
        notmuch_query_set_sort(query, NOTMUCH_SORT_NEWEST_FIRST);
        notmuch_query_add_tag_exclude(query, "deleted");
        notmuch_query_add_tag_exclude(query, "spam");
        notmuch_status_t status = notmuch_query_search_messages(query, &messages);
        if (status) {
            const char *more = notmuch_database_status_string(child.database);
            g_set_error(error, SEARCH_ERROR, ERROR_INPUT, "notmuch does not understand the query: %s",
                        more ? more : notmuch_status_to_string(status));
            ok = FALSE;
        }
        for (guint n = 0; ok && notmuch_messages_valid(messages) && (!limit || n < limit);
             notmuch_messages_move_to_next(messages), n++) {
            g_autoptr(notmuch_message_handle) message = notmuch_messages_get(messages);
            const char *id = message ? notmuch_message_get_message_id(message) : NULL;
            if (id && !strpbrk(id, "\r\n"))
                ok = fprintf(out, "%s\n", id) >= 0;
        }
    }
    close_index(&child, NULL);
    if (ok && fflush(out) == 0)
        return TRUE;
    if (!error || !*error)
        error_set_errno(error, SEARCH_ERROR, errno, "cannot write the result");
    return FALSE;
}
