/* control.h - a worker's end of the line to the supervisor: records in by a thread, records out from any
 * thread
 *
 * The supervisor counts what it sends; a worker says "idle" with the number it has dealt with. So every
 * record that control_take() gives must be paid with one control_handled(), when its work is done. The end of
 * the line, or "stop", or SIGTERM, makes control_stopping() true and triggers the callback, in the reading
 * thread.
 */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include <glib.h>

struct control;

struct control_record {
    char *verb;
    guint id;
    GVariant *values; /* a{sv} */
};
void control_record_free(struct control_record *record);
/* "" / 0 when absent; borrowed. */
const char *control_string(const struct control_record *record, const char *key);
gint64 control_int(const struct control_record *record, const char *key);
gboolean control_bool(const struct control_record *record, const char *key);

struct control *control_new(int fd, GFunc on_stop, gpointer data);
/* The next record; NULL when nothing came within `ms` (-1: no limit) or the end has come. One thread. */
struct control_record *control_take(struct control *control, int ms);
gboolean control_stopping(struct control *control);

/* Any thread. `values` NULL: none. */
void control_emit(struct control *control, const char *verb, guint id, GVariantDict *values);
void control_changed(struct control *control);
void control_done(struct control *control, guint id,
                  const GError *error); /* answers a request; id 0: does nothing */
/* One record is dealt with. */
void control_handled(struct control *control);
/* Says "idle" when nothing is open; `pending`: work of its own is left that keeps the engine alive. */
void control_settle(struct control *control, gboolean pending);

#endif
