#include "config.h"

#include "engine/maildir_watch.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCHES_MAX 1000 /* of the 8192 that an old kernel gives a user */
#define QUIET_US (G_GINT64_CONSTANT(60) * 1000)
#define LONGEST_US (G_GINT64_CONSTANT(300) * 1000) /* told after so long, quiet or not */
#define TIMES_US (G_GINT64_CONSTANT(3) * G_USEC_PER_SEC)
#define SHARE 4 /* a look that took one second is not followed by another for so many */

#define EVENTS                                                                                               \
    (IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF |  \
     IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

/* cur/ or new/ of a folder. */
struct place {
    gint64 folder;
    char *path;
    int wd; /* -1: its times are looked at */
    struct timespec time;
    gboolean stays; /* while a new set is taken over */
};

struct maildir_watch {
    void (*touched)(gpointer data);
    gpointer data;
    GThread *thread;
    int inotify, wake;
    GMutex lock; /* everything below */
    gboolean stopping;
    GHashTable *places;  /* path -> struct place */
    GHashTable *by_wd;   /* wd -> struct place, borrowed */
    GHashTable *changed; /* set of folders */
    guint limit;
    gboolean told; /* and not taken yet, or not done with */
    gint64 first, last, taken, not_before;
};

static void
place_free(gpointer data)
{
    struct place *place = data;
    g_free(place->path);
    g_free(place);
}

static void
mark(struct maildir_watch *watch, gint64 folder)
{
    gint64 now = clock_monotonic();
    if (!g_hash_table_size(watch->changed))
        watch->first = now;
    watch->last = now;
    if (!g_hash_table_contains(watch->changed, &folder))
        g_hash_table_add(watch->changed, g_memdup2(&folder, sizeof folder));
}

static void
mark_all(struct maildir_watch *watch)
{
    GHashTableIter iter;
    gpointer place;
    g_hash_table_iter_init(&iter, watch->places);
    while (g_hash_table_iter_next(&iter, NULL, &place))
        mark(watch, ((struct place *)place)->folder);
}

static struct timespec
time_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

/* ---- what is watched ---- */

static void
forget_watch(struct maildir_watch *watch, struct place *place)
{
    if (place->wd < 0)
        return;
    g_hash_table_remove(watch->by_wd, GINT_TO_POINTER(place->wd));
    place->wd = -1;
}

static void
add_watch(struct maildir_watch *watch, struct place *place)
{
    place->time = time_of(place->path);
    if (place->wd >= 0 || g_hash_table_size(watch->by_wd) >= watch->limit)
        return;
    int wd = inotify_add_watch(watch->inotify, place->path, EVENTS);
    if (wd >= 0 && !g_hash_table_contains(watch->by_wd, GINT_TO_POINTER(wd))) {
        place->wd = wd;
        g_hash_table_insert(watch->by_wd, GINT_TO_POINTER(wd), place);
    } else if (wd < 0 && errno == ENOSPC) {
        log_warn("engine.maildir", "the system has no inotify watch left: folders are looked at every few seconds");
        watch->limit = g_hash_table_size(watch->by_wd); /* asked once, not a thousand times */
    }
}

static void
take_place(struct maildir_watch *watch, gint64 folder, const char *dir, const char *part)
{
    g_autofree char *path = g_build_filename(dir, part, NULL);
    struct place *place = g_hash_table_lookup(watch->places, path);
    gboolean fresh = !place;
    if (fresh) {
        place = g_new0(struct place, 1);
        place->path = g_steal_pointer(&path);
        place->wd = -1;
        g_hash_table_insert(watch->places, place->path, place);
    }
    place->folder = folder;
    place->stays = TRUE;
    if (place->wd < 0)
        add_watch(watch, place);
    /* Something may have happened between the last look and the watch. */
    if (fresh)
        mark(watch, folder);
}

void
maildir_watch_set(struct maildir_watch *watch, const GArray *dirs)
{
    static const char *const parts[] = {"new", "cur"};
    GHashTableIter iter;
    gpointer value;
    guint64 one = 1;
    if (!watch)
        return;
    g_mutex_lock(&watch->lock);
    for (guint part = 0; part < G_N_ELEMENTS(parts); part++)
        for (guint i = 0; i < dirs->len; i++) {
            const struct maildir_watch_dir *dir = &g_array_index(dirs, struct maildir_watch_dir, i);
            take_place(watch, dir->folder, dir->path, parts[part]);
        }
    g_hash_table_iter_init(&iter, watch->places);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct place *place = value;
        gboolean stays = place->stays;
        place->stays = FALSE;
        if (stays)
            continue;
        if (place->wd >= 0)
            inotify_rm_watch(watch->inotify, place->wd);
        forget_watch(watch, place);
        g_hash_table_iter_remove(&iter);
    }
    g_mutex_unlock(&watch->lock);
    if (write(watch->wake, &one, sizeof one) < 0)
        log_error("engine.maildir", "eventfd");
}

/* ---- what happens ---- */

static void
take_event(struct maildir_watch *watch, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        log_info("engine.maildir", "more happened than the kernel could tell: every folder is looked at");
        mark_all(watch);
        return;
    }
    struct place *place = g_hash_table_lookup(watch->by_wd, GINT_TO_POINTER(event->wd));
    if (!place || (event->len && *event->name == '.')) /* a dot file is no mail */
        return;
    if (event->mask & IN_MOVE_SELF) /* whatever is at its path now is another one */
        inotify_rm_watch(watch->inotify, event->wd);
    if (event->mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_IGNORED))
        forget_watch(watch, place);
    mark(watch, place->folder);
}

static void
read_events(struct maildir_watch *watch)
{
    _Alignas(struct inotify_event) char buffer[64 * 1024];
    gssize n;
    while ((n = read(watch->inotify, buffer, sizeof buffer)) > 0) {
        g_mutex_lock(&watch->lock);
        for (gssize at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(buffer + at);
            take_event(watch, event);
            at += (gssize)(sizeof *event + event->len);
        }
        g_mutex_unlock(&watch->lock);
    }
}

/* Those without a watch. FALSE: all have one. */
static gboolean
compare_times(struct maildir_watch *watch)
{
    GHashTableIter iter;
    gpointer value;
    gboolean any = FALSE;
    g_hash_table_iter_init(&iter, watch->places);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct place *place = value;
        if (place->wd >= 0)
            continue;
        struct timespec now = time_of(place->path);
        if (now.tv_sec != place->time.tv_sec || now.tv_nsec != place->time.tv_nsec)
            mark(watch, place->folder);
        place->time = now;
        any = TRUE;
    }
    return any;
}

/* When it is to be told; G_MAXINT64: there is nothing, or it was. */
static gint64
due(const struct maildir_watch *watch)
{
    if (watch->told || !g_hash_table_size(watch->changed))
        return G_MAXINT64;
    return MAX(watch->not_before, MIN(watch->last + QUIET_US, watch->first + LONGEST_US));
}

static gpointer
run(gpointer data)
{
    struct maildir_watch *watch = data;
    struct pollfd fds[] = {{watch->inotify, POLLIN, 0}, {watch->wake, POLLIN, 0}};
    gint64 next_times = 0;
    for (;;) {
        gint64 now = clock_monotonic();
        g_mutex_lock(&watch->lock);
        gboolean stopping = watch->stopping;
        if (now >= next_times)
            next_times = compare_times(watch) ? now + TIMES_US : G_MAXINT64;
        gboolean tell = due(watch) <= now;
        watch->told = watch->told || tell;
        gint64 until = MIN(due(watch), next_times);
        g_mutex_unlock(&watch->lock);
        if (stopping)
            return NULL;
        if (tell)
            watch->touched(watch->data);
        int ms = until == G_MAXINT64 ? -1 : (int)MAX((until - now) / 1000 + 1, 0);
        if (poll(fds, G_N_ELEMENTS(fds), ms) < 0 && errno != EINTR)
            return NULL;
        if (fds[0].revents)
            read_events(watch);
        if (fds[1].revents) {
            guint64 count;
            if (read(watch->wake, &count, sizeof count) == sizeof count)
                next_times = 0; /* there may be new ones */
        }
    }
}

/* ---- for the listener ---- */

static void
wake(struct maildir_watch *watch)
{
    guint64 one = 1;
    if (write(watch->wake, &one, sizeof one) < 0)
        log_error("engine.maildir", "eventfd");
}

GArray *
maildir_watch_take(struct maildir_watch *watch)
{
    GArray *folders = g_array_new(FALSE, FALSE, sizeof(gint64));
    GHashTableIter iter;
    gpointer folder;
    g_mutex_lock(&watch->lock);
    watch->taken = clock_monotonic();
    g_hash_table_iter_init(&iter, watch->changed);
    while (g_hash_table_iter_next(&iter, &folder, NULL))
        g_array_append_val(folders, *(gint64 *)folder);
    g_hash_table_remove_all(watch->changed);
    g_mutex_unlock(&watch->lock);
    return folders;
}

void
maildir_watch_done(struct maildir_watch *watch)
{
    g_mutex_lock(&watch->lock);
    gint64 now = clock_monotonic();
    watch->not_before = now + SHARE * (now - watch->taken);
    watch->told = FALSE;
    g_mutex_unlock(&watch->lock);
    wake(watch);
}

guint
maildir_watch_count(struct maildir_watch *watch)
{
    g_mutex_lock(&watch->lock);
    guint n = g_hash_table_size(watch->by_wd);
    g_mutex_unlock(&watch->lock);
    return n;
}

void
maildir_watch_limit(struct maildir_watch *watch, guint limit)
{
    g_mutex_lock(&watch->lock);
    watch->limit = limit ? limit : WATCHES_MAX;
    g_mutex_unlock(&watch->lock);
}

struct maildir_watch *
maildir_watch_new(void (*touched)(gpointer data), gpointer data)
{
    struct maildir_watch *watch = g_new0(struct maildir_watch, 1);
    watch->touched = touched;
    watch->data = data;
    watch->limit = WATCHES_MAX;
    watch->places = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, place_free);
    watch->by_wd = g_hash_table_new(NULL, NULL);
    watch->changed = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_mutex_init(&watch->lock);
    watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->inotify < 0) { /* EMFILE: max_user_instances. poll() leaves a negative descriptor alone. */
        log_warn("engine.maildir", "no inotify: folders are looked at every few seconds: %s", g_strerror(errno));
        watch->limit = 0;
    }
    watch->thread = g_thread_new("maildir", run, watch);
    return watch;
}

void
maildir_watch_free(struct maildir_watch *watch)
{
    if (!watch)
        return;
    g_mutex_lock(&watch->lock);
    watch->stopping = TRUE;
    g_mutex_unlock(&watch->lock);
    wake(watch);
    g_thread_join(watch->thread);
    if (watch->inotify >= 0)
        close(watch->inotify);
    close(watch->wake);
    g_hash_table_unref(watch->by_wd);
    g_hash_table_unref(watch->places);
    g_hash_table_unref(watch->changed);
    g_mutex_clear(&watch->lock);
    g_free(watch);
}
