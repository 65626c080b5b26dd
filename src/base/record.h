/* Records between processes: length-prefixed GVariants on a descriptor.
 *
 * A record is 8 bytes (the letters "PRec", then the length of the rest as a 32-bit number) and a GVariant of
 * one type that both ends know, all little-endian.  The other side may have been taken over: sizes are
 * bounded before anything is allocated, a value that is not in normal form is refused, and after any error
 * the connection cannot be used again.  What a value means (ranges, offsets) is the caller's to check.
 *
 * One thread uses a descriptor at a time.  Nothing here closes it.  Works on sockets and pipes, blocking or
 * not; never raises SIGPIPE on a socket. */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <glib.h>

#define RECORD_ERROR (record_error_quark())
GQuark record_error_quark(void);

/* No record is longer, whatever limit a caller names. */
#define RECORD_MAX (1024u * 1024 * 1024)

/* deadline is g_get_monotonic_time() based, in microseconds; 0 waits for ever.  Takes a floating value. */
gboolean record_write(int fd, GVariant *value, gint64 deadline, GError **error);

/* The next record, of that type and at most limit bytes.  The other side having closed between two records is
 * an error as any other, but sets *ended (may be NULL).  Returns a full reference. */
GVariant *record_read(int fd, const GVariantType *type, gsize limit, gint64 deadline, gboolean *ended,
                      GError **error);

/* A record with a block of bytes beside it: an `ay` inside a value would be looked at byte by byte to see
 * whether it is in normal form.  blob may be NULL; what was written with one is read with these only (an
 * error otherwise).  *blob is NULL when there was none. */
gboolean record_write_blob(int fd, GVariant *value, GBytes *blob, gint64 deadline, GError **error);

/* For a process that reads what the one that started it says: normal form is not checked. */
GVariant *record_read_trusted(int fd, const GVariantType *type, gsize limit, GError **error);

/* The same for those that never wait.  A queue holds what came in and what is to go out. */
struct record_queue;
struct record_queue *record_queue_new(int fd, const GVariantType *type, gsize limit);
void record_queue_free(struct record_queue *queue);
typedef struct record_queue struct_record_queue;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_record_queue, record_queue_free)

/* Puts a record in the outgoing queue; takes a floating value; FALSE when it is too long. */
gboolean record_queue_put(struct record_queue *queue, GVariant *value, GError **error);
/* Bytes that still wait to be written. */
gsize record_queue_unsent(const struct record_queue *queue);
/* Writes what the descriptor takes now. */
gboolean record_queue_flush(struct record_queue *queue, GError **error);
/* Reads what is there now (one read of the descriptor). *ended as above. */
gboolean record_queue_fill(struct record_queue *queue, gboolean *ended, GError **error);
/* The next whole record that was read, or NULL: with error set when the bytes are no record, without when
 * more has to be read. */
GVariant *record_queue_take(struct record_queue *queue, GError **error);
GVariant *record_queue_take_blob(struct record_queue *queue, GBytes **blob, GError **error);
/* TRUE when part of a record has been read: an end here is a truncation. */
gboolean record_queue_partial(const struct record_queue *queue);

#endif
