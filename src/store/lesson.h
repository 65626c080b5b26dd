/* lesson.h - what the learning filter was taught: one row a message, and words that it is to forget
 *
 * The store does not know what the bytes mean (trust/lessons.h). Same thread as the store.
 */
#ifndef STORE_LESSON_H
#define STORE_LESSON_H

#include "store/store.h"

#define LESSON_HASH 32

struct lesson {
    guint8 hash[LESSON_HASH]; /* SHA-256 of the message */
    gboolean junk;
    gint64 time;
    double score;
    GBytes *weights;
    GBytes *tokens; /* or NULL */
};

/* Calls `each` for every lesson, oldest first; the lesson is borrowed. */
typedef void (*lesson_func)(const struct lesson *lesson, gpointer data);
gboolean lesson_each(struct store *store, lesson_func each, gpointer data, GError **error);
/* -1: not known; 0 good, 1 junk. */
int lesson_find(struct store *store, const guint8 *hash);
/* Puts it in the place of one with the same hash. */
gboolean lesson_put(struct store *store, const struct lesson *lesson, GError **error);
gboolean lesson_drop(struct store *store, const guint8 *hash, GError **error);
/* Drops the oldest until at most `rows` are left and their tokens take at most `bytes` (M12). */
gboolean lesson_prune(struct store *store, guint rows, guint64 bytes, GError **error);
guint lesson_count(struct store *store);
/* A number that is another one after each change. */
gint64 lesson_generation(struct store *store);

/* Words that count for nothing; GPtrArray of strings. */
GPtrArray *lesson_forgotten(struct store *store, GError **error);
gboolean lesson_forget(struct store *store, const char *word, GError **error);

#endif
