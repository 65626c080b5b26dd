/* autosave.h - what is being written, kept against crashes (D4)
 *
 * The composer writes its state here every few seconds; a session that died leaves its rows, and the next
 * start offers them. The text is the composer's own (a draft file). Same thread as the store.
 */
#ifndef STORE_AUTOSAVE_H
#define STORE_AUTOSAVE_H

#include "store/store.h"

struct autosave {
    gint64 id, time;
    char *title; /* subject or recipients, for asking */
    GBytes *text;
    gboolean alive; /* the process that writes it is running */
};
void autosave_free(struct autosave *save);
typedef struct autosave struct_autosave;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_autosave, autosave_free)

/* id 0: a new one. Returns the id, another one when that row was dropped meanwhile; 0 on error. */
gint64 autosave_put(struct store *store, gint64 id, const char *title, GBytes *text, GError **error);
gboolean autosave_drop(struct store *store, gint64 id, GError **error);
GPtrArray *autosave_list(struct store *store, GError **error);

#endif
