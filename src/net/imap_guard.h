/*
 * imap_guard: bounds what an IMAP server may send, before libetpan sees a byte of it.
 *
 * libetpan 1.9.4 crashes or eats all memory on literals before login, endless lines, deep nesting, wrapped
 * literal sizes and floods of untagged data. The guard follows the framing of the byte stream (RFC 9051
 * section 4: lines, quoted strings, literals) and refuses what passes a limit. It changes nothing, keeps no
 * bytes, and gives the same answer however the input is cut.
 *
 * A pure state machine: no allocation while it runs, no I/O. One thread at a time. Hook it up with
 * stream_set_guard(stream, imap_guard_check, guard).
 */
#ifndef NET_IMAP_GUARD_H
#define NET_IMAP_GUARD_H

#include <glib.h>

struct imap_guard_limits {
    gsize line; /* one response without its literals; 1 MiB. A plain SEARCH of a huge folder needs more */
    guint64 literal; /* one literal; 256 MiB */
    guint64 volume;  /* responses between two tagged ones, literal contents not counted; 64 MiB */
    guint depth;     /* open parentheses; 100 */
};

struct imap_guard;

/* Starts with the defaults above, in the state before login, where no literal is accepted. */
struct imap_guard *imap_guard_new(void);
void imap_guard_free(struct imap_guard *guard);

/* May be changed between commands; applies from the next byte on. */
void imap_guard_set_limits(struct imap_guard *guard, const struct imap_guard_limits *limits);
const struct imap_guard_limits *imap_guard_get_limits(const struct imap_guard *guard);

/* FALSE before login (and again after STARTTLS until login), TRUE once the server said OK to the login. */
void imap_guard_allow_literals(struct imap_guard *guard, gboolean allow);

/* Restarts the count of volume: a new command, or a renewed IDLE. */
void imap_guard_begin_command(struct imap_guard *guard);

/* A struct imap_guard as data. FALSE with error (STREAM_ERROR) at the first byte that breaks a limit; then
 * the guard stays closed. */
gboolean imap_guard_check(gpointer data, const guint8 *bytes, gsize length, GError **error);

typedef struct imap_guard struct_imap_guard;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_imap_guard, imap_guard_free)

#endif
