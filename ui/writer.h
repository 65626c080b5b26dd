/* writer.h - the thread that writes what the screen wants into the store
 *
 * A key press never waits for a disk or another writer: the screen hands a piece of work over, shows the
 * wanted state at once, and is called back on the main loop when it is in the store, or why it is not. Pieces
 * run one after another, in order. Each piece has its own data, owned by the writer from then on. What a piece left to be
 * done in slices (store/bulk.h) is done while no other piece waits; the engine goes on when the screen ends.
 */
#ifndef UI_WRITER_H
#define UI_WRITER_H

#include "store/store.h"

struct app;
struct writer;

/* On the writer's thread, with its own connection. */
typedef gboolean (*writer_work)(struct store *store, gpointer data, GError **error);
/* On the main loop; error NULL: it is in the store. */
typedef void (*writer_done)(struct app *app, gpointer data, const GError *error);

struct writer *writer_new(struct app *app);
/* Waits until everything handed over is done; `done` is called for the rest. */
void writer_free(struct writer *writer);
/* `done` may be NULL: then a failure is shown in the bottom line. */
void writer_run(struct writer *writer, writer_work work, writer_done done, gpointer data,
                GDestroyNotify destroy);
guint writer_pending(const struct writer *writer);

#endif
