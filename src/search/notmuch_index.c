#include "config.h"

#include "search/notmuch_index.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/paths.h"
#include "search/notmuch_job.h"
#include "search/notmuch_link.h"
#include "store/changes.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/message.h"

#define SLICE_JOBS 300 /* messages in one request */
#define PAGE 500       /* messages asked of the store at once */
#define MESSAGE_SECONDS 30
#define OPEN_SECONDS 3 /* how long another writer is waited for before others here get their turn */
#define OPEN_DEATHS 2  /* times the child may die on opening before the index counts as damaged */

#define STATE_UUID "notmuch.uuid"
#define STATE_REVISION "notmuch.lastmod"
#define STATE_SEQUENCE "notmuch.sequence"
#define STATE_BUILD "notmuch.build" /* the cursor of changes_all(), or "done" */

/* A message that waits to be written to the index. */
struct task {
    struct notmuch_job job;
    gint64 sequence; /* of its change; 0 in a build */
    gint64 cursor;   /* in a build: where the next page begins */
};

struct index_context {
    struct store *store;
    int days;
    guint message_seconds;
    struct index_progress progress;
    struct notmuch_link *link;
    guint deaths; /* of the child, outside of any message, one after another */

    GQueue urgent;    /* of struct task: those whose base must be written again */
    GPtrArray *tasks; /* of struct task, in order */
    guint next;
    gboolean is_build_page; /* what `tasks` holds */

    struct stat seen; /* of the index, as of the last scan: while it is the same nobody has written to it */
    char *uuid;       /* NULL: no index yet */
    guint64 revision; /* all that notmuch's users did up to it has come here */
    guint64 scanned;  /* the revision of the last scan, not yet noted */
};

static void
task_free(gpointer data)
{
    struct task *task = data;
    g_free(task->job.message_id);
    if (task->job.files)
        g_ptr_array_unref(task->job.files);
    g_free(task);
}

/* --- What is remembered */

static gboolean
note_number(struct index_context *context, const char *key, gint64 value, GError **error)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);
    return index_state_set(context->store, key, text, error);
}

static gint64
noted_number(struct index_context *context, const char *key)
{
    g_autofree char *text = index_state_get(context->store, key);
    return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

static gboolean
is_built(struct index_context *context)
{
    g_autofree char *text = index_state_get(context->store, STATE_BUILD);
    return text && !strcmp(text, "done");
}

static gboolean
has_begun(struct index_context *context)
{
    g_autofree char *text = index_state_get(context->store, STATE_BUILD);
    return text != NULL;
}

static void
drop_tasks(struct index_context *context)
{
    if (context->tasks)
        g_ptr_array_set_size(context->tasks, 0);
    context->next = 0;
    g_queue_clear_full(&context->urgent, task_free);
}

/* There is no index, or another one than we knew: all is built from the beginning, and all tags in it are
 * looked at. */
static gboolean
begin_anew(struct index_context *context, GError **error)
{
    log_info("search.notmuch", "building the index anew");
    drop_tasks(context);
    g_clear_pointer(&context->uuid, g_free);
    context->revision = context->scanned = 0;
    context->progress.done = 0;
    STEP("search.index.anew");
    return index_state_set(context->store, STATE_UUID, NULL, error) &&
           note_number(context, STATE_REVISION, 0, error) &&
           note_number(context, STATE_SEQUENCE, changes_sequence(context->store), error) &&
           note_number(context, STATE_BUILD, 0, error);
}

/* The child died or fell silent where no message was at work: twice, and the index itself is to blame. */
static gboolean
put_aside(struct index_context *context, const char *why, GError **error)
{
    const char *root = store_mail_dir(context->store);
    g_autofree char *index = g_build_filename(root, ".notmuch", NULL);
    g_autofree char *aside = NULL;
    for (guint n = 0; n < 100; n++) {
        g_free(aside);
        aside = n ? g_strdup_printf("%s/.notmuch.damaged-%u", root, n)
                  : g_strdup_printf("%s/.notmuch.damaged", root);
        if (!g_file_test(aside, G_FILE_TEST_EXISTS))
            break;
    }
    if (rename(index, aside)) {
        error_set_errno(error, SEARCH_ERROR, errno, "cannot put the damaged notmuch index %s aside", index);
        return FALSE;
    }
    context->deaths = 0;
    if (!begin_anew(context, error))
        return FALSE;
    g_set_error(error, SEARCH_ERROR, ERROR_GIVEUP,
                "the notmuch index was damaged (%s): it is built anew; what was there lies in %s", why,
                aside);
    return FALSE;
}

/* After a failure of the child outside of any message. */
static gboolean
settle_death(struct index_context *context, const char *why, GError **error)
{
    if (++context->deaths >= OPEN_DEATHS)
        return put_aside(context, why, error);
    g_set_error(error, SEARCH_ERROR, ERROR_RETRY, "the notmuch index cannot be used now (%s): trying again",
                why);
    return FALSE;
}

/* The index is not to blame for a full disk. */
static gboolean
says_damaged(const struct notmuch_answer *reply)
{
    static const char *const others[] = {
        "ermission denied", "No space left", "Read-only file system", "Too many open files", "quota",
        "allocate memory",  "lock"};
    if (reply->revision != ERROR_GIVEUP)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        if (strstr(reply->text, others[i]))
            return FALSE;
    return TRUE;
}

/* Reads until OPENED. FALSE without error: another writer has it, and nothing is lost by coming back later.
 */
static gboolean
wait_for_index(struct index_context *context, struct notmuch_answer *reply, GError **error)
{
    g_autoptr(GError) why = NULL;
    if (!notmuch_link_read(context->link, OPEN_SECONDS, reply, &why)) {
        int status = notmuch_link_stop(context->link, TRUE);
        if (why->code == ERROR_RETRY || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) {
            context->progress.is_waiting = TRUE;
            return FALSE;
        }
        return settle_death(context, "the indexer died on it", error);
    }
    if (reply->kind == NOTMUCH_OPENED) {
        context->deaths = 0;
        return TRUE;
    }
    if (says_damaged(reply))
        return settle_death(context, reply->text, error);
    g_set_error(error, SEARCH_ERROR, ERROR_RETRY, "%s", reply->text);
    return FALSE;
}

/* --- From notmuch to the store */

/* Marks that are the same for many messages: one intent. */
struct mark {
    guint set, clear;
    char *add, *remove;
    GArray *messages; /* of gint64 */
};

static void
mark_free(gpointer data)
{
    struct mark *mark = data;
    g_free(mark->add);
    g_free(mark->remove);
    g_array_unref(mark->messages);
    g_free(mark);
}

/* Our messages of that id; those without an id are known to the index by our number. */
static GArray *
resolve(struct index_context *context, const struct notmuch_answer *reply)
{
    GArray *found = message_find_id(context->store, reply->text);
    if (found && found->len)
        return found;
    if (found)
        g_array_unref(found);
    found = g_array_new(FALSE, FALSE, sizeof(gint64));
    gint64 number = (gint64)reply->number;
    g_autoptr(struct_message) message = number > 0 ? message_load(context->store, number, NULL) : NULL;
    if (message && !message->message_id)
        g_array_append_val(found, number);
    return found;
}

static void
gather(struct index_context *context, GHashTable *marks, const struct notmuch_answer *reply)
{
    g_autoptr(GArray) found = resolve(context, reply);
    if (!found->len)
        return;
    char *key = g_strdup_printf("%u %u +%s -%s", reply->set, reply->clear, reply->add, reply->remove);
    struct mark *mark = g_hash_table_lookup(marks, key);
    if (!mark) {
        mark = g_new0(struct mark, 1);
        mark->set = reply->set;
        mark->clear = reply->clear;
        mark->add = g_strdup(reply->add);
        mark->remove = g_strdup(reply->remove);
        mark->messages = g_array_new(FALSE, FALSE, sizeof(gint64));
        g_hash_table_insert(marks, g_steal_pointer(&key), mark);
    }
    g_free(key);
    g_array_append_vals(mark->messages, found->data, found->len);
}

/* As intents, in portions that keep a transaction short; and the base has to follow, though nothing may be
 * left to do. */
static gboolean
apply_marks(struct index_context *context, GHashTable *marks, GError **error)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, marks);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct mark *mark = value;
        const gint64 *ids = (const gint64 *)(gpointer)mark->messages->data;
        for (guint i = 0; i < mark->messages->len; i += 40) {
            guint n = MIN(40, mark->messages->len - i);
            g_autoptr(GError) why = NULL;
            STEP("search.index.intent");
            gint64 done = intent_mark(context->store, ids + i, n, mark->set, mark->clear, mark->add,
                                      mark->remove, &why);
            if (!done && why->code != ERROR_NOINPUT) {
                g_propagate_error(error, g_steal_pointer(&why));
                return FALSE;
            }
            if (done > 0)
                context->progress.intents += n;
        }
        for (guint i = 0; i < mark->messages->len; i++) {
            struct task *task = g_new0(struct task, 1);
            task->job.message = ids[i];
            g_queue_push_tail(&context->urgent, task);
        }
    }
    return TRUE;
}

/* One reading of what changed after `since`. *uuid receives the index's. FALSE without error: later. */
static gboolean
scan_once(struct index_context *context, guint64 since, GHashTable *marks, char **uuid, GError **error)
{
    struct notmuch_answer reply = {0};
    gboolean ok = FALSE;
    if (!notmuch_link_send(context->link, NOTMUCH_SCAN, store_mail_dir(context->store), since, 0, NULL,
                           error))
        return FALSE;
    if (!wait_for_index(context, &reply, error))
        goto out;
    *uuid = g_strdup(reply.text);
    context->scanned = reply.revision;
    for (;;) {
        if (!notmuch_link_read(context->link, context->message_seconds, &reply, error)) {
            notmuch_link_stop(context->link, TRUE);
            goto out;
        }
        if (reply.kind == NOTMUCH_CHANGED)
            gather(context, marks, &reply);
        else if (reply.kind != NOTMUCH_ALIVE)
            break;
    }
    ok = reply.kind == NOTMUCH_END;
    if (!ok)
        g_set_error(error, SEARCH_ERROR, ERROR_RETRY, "%s", reply.text);
out:
    notmuch_answer_clear(&reply);
    return ok;
}

static gboolean
scan(struct index_context *context, GError **error)
{
    g_autoptr(GHashTable) marks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, mark_free);
    g_autofree char *uuid = NULL;
    if (!scan_once(context, context->revision, marks, &uuid, error))
        return FALSE;
    if (g_strcmp0(*uuid ? uuid : NULL, context->uuid) || !has_begun(context)) {
        if (!begin_anew(context, error))
            return FALSE;
        context->uuid = *uuid ? g_strdup(uuid) : NULL;
        if (context->uuid) { /* somebody's index: its tags are looked at, all of them */
            g_hash_table_remove_all(marks);
            g_clear_pointer(&uuid, g_free);
            if (!index_state_set(context->store, STATE_UUID, context->uuid, error) ||
                !scan_once(context, 0, marks, &uuid, error))
                return FALSE;
        }
    }
    return apply_marks(context, marks, error);
}

/* Xapian replaces this file with every commit, so a look at it saves opening the index. */
static gboolean
is_unchanged(struct index_context *context)
{
    g_autofree char *path =
        g_build_filename(store_mail_dir(context->store), ".notmuch", "xapian", "iamglass", NULL);
    struct stat now = {0};
    if (stat(path, &now) && errno != ENOENT)
        return FALSE;
    gboolean is_same = has_begun(context) && now.st_ino == context->seen.st_ino &&
                       now.st_mtim.tv_sec == context->seen.st_mtim.tv_sec &&
                       now.st_mtim.tv_nsec == context->seen.st_mtim.tv_nsec && !now.st_ino == !context->uuid;
    context->seen = now;
    return is_same;
}

/* --- From the store to notmuch */

/* The next page of tasks; FALSE with error only. */
static gboolean
fill_tasks(struct index_context *context, GError **error)
{
    g_ptr_array_set_size(context->tasks, 0);
    context->next = 0;
    context->is_build_page = FALSE;
    gint64 cursor = 0;
    g_autoptr(GPtrArray) changes =
        changes_since(context->store, noted_number(context, STATE_SEQUENCE), PAGE, error);
    if (!changes)
        return FALSE;
    if (!changes->len && !is_built(context)) {
        g_ptr_array_unref(changes);
        cursor = noted_number(context, STATE_BUILD);
        changes = changes_all(context->store, &cursor, PAGE, error);
        if (!changes)
            return FALSE;
        context->is_build_page = TRUE;
        if (!changes->len && !index_state_set(context->store, STATE_BUILD, "done", error))
            return FALSE;
    }
    for (guint i = 0; i < changes->len; i++) {
        const struct change *change = changes->pdata[i];
        struct task *task = g_new0(struct task, 1);
        task->job.message = change->message;
        task->sequence = change->sequence;
        task->cursor = cursor;
        if (change->gone) {
            task->job.message_id = g_strdup(change->message_id);
            task->job.files = g_ptr_array_ref(change->files);
        }
        g_ptr_array_add(context->tasks, task);
    }
    return TRUE;
}

/* The message at work killed the child, or took too long. */
static gboolean
skip_message(struct index_context *context, const struct task *task, gboolean is_slow, int status,
             GError **error)
{
    g_autofree char *why =
        is_slow               ? g_strdup_printf("indexing took longer than %u s", context->message_seconds)
        : WIFSIGNALED(status) ? g_strdup_printf("the indexer died on it (%s)", g_strsignal(WTERMSIG(status)))
                              : g_strdup_printf("the indexer died on it (exit %d)", WEXITSTATUS(status));
    log_warn("search.notmuch", "message=%" G_GINT64_FORMAT " is skipped: %s", task->job.message, why);
    STEP("search.index.skip");
    return index_skip_add(context->store, task->job.message, why, error);
}

static const struct task *
task_at(GPtrArray *slice, guint64 number)
{
    return number < slice->len ? slice->pdata[number] : NULL;
}

/* Follows a write request to its end. *done: how many tasks of the slice are in the index for good. FALSE
 * without error: nothing was done, and the same can be tried again (later, when progress.is_waiting). */
static gboolean
follow_write(struct index_context *context, GPtrArray *slice, guint *done, GError **error)
{
    struct notmuch_answer reply = {0};
    g_autoptr(GError) why = NULL;
    const struct task *at_work = NULL;
    g_autofree char *uuid = NULL;
    guint64 before = 0;
    gboolean ok = FALSE;
    guint finished = 0;

    *done = 0;
    if (!wait_for_index(context, &reply, error))
        goto out;
    before = reply.revision;
    uuid = g_strdup(reply.text);
    while (notmuch_link_read(context->link, context->message_seconds, &reply, &why)) {
        if (reply.kind == NOTMUCH_STARTED) {
            at_work = task_at(slice, reply.number);
        } else if (reply.kind == NOTMUCH_DONE) {
            at_work = NULL;
            finished = (guint)MIN(reply.number + 1, slice->len);
            if (*reply.text)
                log_debug("search.notmuch", "message=%" G_GINT64_FORMAT " %s",
                          task_at(slice, reply.number) ? task_at(slice, reply.number)->job.message : 0,
                          reply.text);
        } else {
            break;
        }
    }
    if (why) {
        gboolean is_slow = why->code == ERROR_RETRY;
        int status = notmuch_link_stop(context->link, TRUE);
        ok = FALSE;
        if (at_work)
            skip_message(context, at_work, is_slow, status, error);
        else
            settle_death(context, "the indexer died", error);
        goto out;
    }
    if (reply.kind != NOTMUCH_END) {
        g_set_error(error, SEARCH_ERROR, ERROR_RETRY, "%s", reply.text);
        goto out;
    }
    *done = finished;
    ok = TRUE;
    if (!context->uuid) /* it was made by this request */
        ok = index_state_set(context->store, STATE_UUID, uuid, error);
    if (!context->uuid)
        context->uuid = g_steal_pointer(&uuid);
    /* Nobody wrote between the scan and this: our own revisions need not be looked at. */
    if (before == context->scanned)
        context->scanned = reply.revision;
out:
    notmuch_answer_clear(&reply);
    return ok;
}

/* How far we are, in one transaction: done again after a crash it would be harmless. */
static gboolean
note_progress(struct index_context *context, guint done, gboolean has_urgent, GError **error)
{
    gboolean ok = TRUE;
    gint64 sequence = 0, cursor = 0;
    for (guint i = 0; i < done; i++) {
        const struct task *task = context->tasks->pdata[context->next + i];
        const struct task *after =
            context->next + i + 1 < context->tasks->len ? context->tasks->pdata[context->next + i + 1] : NULL;
        if (context->is_build_page) {
            context->progress.done++;
            if (!after)
                cursor = task->cursor ? task->cursor : -1;
        } else if (!after || after->sequence != task->sequence) {
            sequence = task->sequence;
        }
    }
    context->next += done;
    STEP("search.index.note");
    if (!store_begin(context->store, error))
        return FALSE;
    if (sequence)
        ok = note_number(context, STATE_SEQUENCE, sequence, error);
    if (ok && cursor)
        ok = cursor > 0 ? note_number(context, STATE_BUILD, cursor, error)
                        : index_state_set(context->store, STATE_BUILD, "done", error);
    /* What came from notmuch counts as taken once its base is written. */
    if (ok && !has_urgent && context->scanned != context->revision) {
        ok = note_number(context, STATE_REVISION, (gint64)context->scanned, error);
        context->revision = context->scanned;
    }
    if (!ok) {
        store_rollback(context->store);
        return FALSE;
    }
    return store_commit(context->store, error);
}

/* One request: the urgent ones, then the page at hand. */
static gboolean
write_slice(struct index_context *context, guint budget_ms, GError **error)
{
    g_autoptr(GPtrArray) slice = g_ptr_array_new();
    GVariantBuilder jobs;
    g_variant_builder_init(&jobs, G_VARIANT_TYPE("a" NOTMUCH_JOB_TYPE));
    for (GList *item = context->urgent.head; item && slice->len < SLICE_JOBS; item = item->next)
        g_ptr_array_add(slice, item->data);
    guint urgent = slice->len;
    for (guint i = context->next; i < context->tasks->len && slice->len < SLICE_JOBS; i++)
        g_ptr_array_add(slice, context->tasks->pdata[i]);
    for (guint i = 0; i < slice->len; i++)
        notmuch_job_add(&jobs, context->store, context->days, &((const struct task *)slice->pdata[i])->job);
    STEP("search.index.slice");
    if (!notmuch_link_send(context->link, NOTMUCH_WRITE, store_mail_dir(context->store), 0, budget_ms, &jobs,
                           error))
        return FALSE;
    guint done = 0;
    if (!follow_write(context, slice, &done, error))
        return FALSE;
    STEP("search.index.written");
    for (guint i = 0; i < MIN(done, urgent); i++)
        task_free(g_queue_pop_head(&context->urgent));
    return note_progress(context, done > urgent ? done - urgent : 0, !g_queue_is_empty(&context->urgent),
                         error);
}

/* --- The pass */

struct index_context *
index_context_new(struct store *store, const struct index_options *options)
{
    struct index_context *context = g_new0(struct index_context, 1);
    context->store = store;
    context->days = options->days;
    context->message_seconds = options->message_seconds ? options->message_seconds : MESSAGE_SECONDS;
    context->tasks = g_ptr_array_new_with_free_func(task_free);
    g_queue_init(&context->urgent);
    g_autofree char *program = paths_program("postrider-index");
    const char *const own[] = {program, "--index-child", NULL};
    context->link = notmuch_link_new(options->child ? options->child : own);
    context->uuid = index_state_get(store, STATE_UUID);
    context->revision = (guint64)noted_number(context, STATE_REVISION);
    return context;
}

void
index_context_free(struct index_context *context)
{
    if (!context)
        return;
    notmuch_link_free(context->link);
    drop_tasks(context);
    g_ptr_array_unref(context->tasks);
    g_free(context->uuid);
    g_free(context);
}

const struct index_progress *
index_get_progress(const struct index_context *context)
{
    return &context->progress;
}

/* From the folders' counters: copies count twice, so "about". */
static guint64
count_messages(struct store *store)
{
    guint64 total = 0;
    g_autoptr(GPtrArray) folders = folder_list(store, 0, FALSE, NULL);
    for (guint i = 0; folders && i < folders->len; i++)
        total += (guint64)MAX(((const struct folder *)folders->pdata[i])->total, 0);
    return total;
}

gboolean
index_pass(struct index_context *context, guint budget_ms, gboolean *more, GError **error)
{
    g_autoptr(GError) why = NULL;
    *more = FALSE;
    context->progress.is_waiting = FALSE;
    context->progress.intents = 0;
    if (context->days < 0)
        return TRUE;
    if (!is_unchanged(context) && !scan(context, &why)) {
        context->seen = (struct stat){0};
        *more = !why || why->code == ERROR_GIVEUP;
        if (why)
            g_propagate_error(error, g_steal_pointer(&why));
        return !*error;
    }
    if (context->next >= context->tasks->len && !fill_tasks(context, error))
        return FALSE;
    if (context->next < context->tasks->len || !g_queue_is_empty(&context->urgent)) {
        if (!write_slice(context, budget_ms, &why) && why) {
            *more = why->code == ERROR_GIVEUP;
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
    } else if (context->scanned != context->revision && !note_progress(context, 0, FALSE, error)) {
        return FALSE;
    }
    context->progress.is_building = !is_built(context);
    if (context->progress.is_building || context->is_build_page)
        context->progress.total = count_messages(context->store);
    *more = context->next < context->tasks->len || !g_queue_is_empty(&context->urgent) ||
            context->progress.is_building ||
            changes_sequence(context->store) > noted_number(context, STATE_SEQUENCE);
    if (!*more) /* nothing to do: nothing to keep in memory */
        notmuch_link_stop(context->link, FALSE);
    return TRUE;
}
