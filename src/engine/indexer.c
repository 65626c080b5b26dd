#include "config.h"

#include "engine/indexer.h"
#include "engine/control.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/paths.h"
#include "config/config.h"
#include "search/notmuch_index.h"
#include "search/notmuch_child.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#define SLICE_MS 1000
#define LOOK_MS 2000 /* between two looks for tags that were set with notmuch */
#define RETRY_MS 10000
#define IOPRIO_IDLE (3 << 13)

static void
on_stop(gpointer data G_GNUC_UNUSED, gpointer unused G_GNUC_UNUSED)
{
    /* a slice takes a second: the loop looks at control_stopping() after each */
}

/* Everything else comes first. */
static void
step_back(void)
{
    setpriority(PRIO_PROCESS, 0, 15);
    if (syscall(SYS_ioprio_set, 1, 0, IOPRIO_IDLE) < 0)
        log_debug("engine.index", "no idle disk class");
}

static struct store *
open_store(struct control *control)
{
    while (!control_stopping(control)) {
        g_autoptr(GError) error = NULL;
        struct store *store = store_open(NULL, STORE_WRITE, &error);
        if (store)
            return store;
        log_warn("engine.index", "%s", error->message);
        control_settle(control, FALSE);
        struct control_record *record = control_take(control, RETRY_MS);
        if (record) {
            control_record_free(record);
            control_handled(control);
        }
    }
    return NULL;
}

static void
say_progress(struct control *control, const struct index_progress *progress)
{
    GVariantDict values;
    g_variant_dict_init(&values, NULL);
    g_variant_dict_insert(&values, "account", "s", "");
    g_variant_dict_insert(&values, "folder", "s", "");
    g_variant_dict_insert(&values, "phase", "s", "notmuch");
    g_variant_dict_insert(&values, "done", "t", progress->done);
    g_variant_dict_insert(&values, "total", "t", progress->total);
    control_emit(control, "progress", 0, &values);
}

/* Takes what has come meanwhile: a wake-up asks for nothing but another pass. */
static void
take_waiting(struct control *control, int ms)
{
    struct control_record *record = control_take(control, ms);
    while (record) {
        control_record_free(record);
        control_handled(control);
        record = control_take(control, 0);
    }
}

int
indexer_run(int control_fd)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(struct_config) config = config_load(NULL, &error);
    if (!config) {
        log_error("engine.index", "%s", error->message);
        return EX_CONFIG;
    }
    step_back();
    struct control *control = control_new(control_fd, on_stop, NULL);
    g_autoptr(struct_store) store = open_store(control);
    if (!store)
        return 0;
    struct index_options options = {.days = config->notmuch_days};
    g_autoptr(struct_index_context) context = index_context_new(store, &options);
    while (!control_stopping(control)) {
        gboolean more = FALSE;
        g_clear_error(&error);
        take_waiting(control, 0);
        if (!index_pass(context, SLICE_MS, &more, &error))
            log_warn("engine.index", "%s", error->message);
        const struct index_progress *progress = index_get_progress(context);
        if (progress->intents)
            control_emit(control, "intents", 0, NULL);
        if (progress->is_building)
            say_progress(control, progress);
        control_settle(control, more);
        if (!more || progress->is_waiting)
            take_waiting(control, error ? RETRY_MS : LOOK_MS);
    }
    return 0;
}

int
indexer_search(const char *query, FILE *out)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *data = paths_data_dir();
    g_autofree char *mail = g_build_filename(data, "mail", NULL);
    if (notmuch_find(mail, query, 0, out, &error))
        return 0;
    fprintf(stderr, "%s\n", error->message);
    return error_exit_code(error);
}
