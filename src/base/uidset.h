/* uidset.h - sets of IMAP unique identifiers, kept as ranges
 *
 * A UID is 1 to 4294967295. A set of a million neighbours is one range, and so is the set that a server
 * invents with "1:*". Adding in any order is cheap: ranges are sorted and joined when the set is next read.
 * Text form: "1:3,7,9:12" (sequence-set of RFC 9051 section 9, without "*"), ascending; "" is the empty set.
 * So it lies in a column, and goes on the wire.
 *
 * Everything is newly allocated and the caller's; a `const` set is never changed in what it holds. A set is
 * used by one thread at a time, also for reading. Nothing here knows a server or a store.
 */
#ifndef BASE_UIDSET_H
#define BASE_UIDSET_H

#include <glib.h>

struct uidset;

struct uidset *uidset_new(void);
struct uidset *uidset_new_range(guint32 first, guint32 last);
struct uidset *uidset_copy(const struct uidset *set);
void uidset_free(struct uidset *set);
void uidset_clear(struct uidset *set);

/* 0 is no UID and is ignored. A range may be given either way round (RFC 9051: 4:2 is 2:4). */
void uidset_add(struct uidset *set, guint32 uid);
void uidset_add_range(struct uidset *set, guint32 first, guint32 last);
void uidset_remove(struct uidset *set, guint32 uid);
void uidset_remove_range(struct uidset *set, guint32 first, guint32 last);

/* set = set ∪ other, set \ other, set ∩ other. */
void uidset_add_set(struct uidset *set, const struct uidset *other);
void uidset_remove_set(struct uidset *set, const struct uidset *other);
void uidset_keep_set(struct uidset *set, const struct uidset *other);

/* NULL counts as empty in these. */
gboolean uidset_is_empty(const struct uidset *set);
guint64 uidset_count(const struct uidset *set);
guint uidset_count_ranges(const struct uidset *set);
gboolean uidset_contains(const struct uidset *set, guint32 uid);
gboolean uidset_equal(const struct uidset *a, const struct uidset *b);
guint32 uidset_min(const struct uidset *set); /* 0 when empty */
guint32 uidset_max(const struct uidset *set);

/* for (struct uidset_iter i = uidset_iter(set); uidset_next_range(&i, &first, &last);) … ascending. The set
 * must not be changed meanwhile. */
struct uidset_iter {
    const struct uidset *set;
    guint range;
    guint32 uid; /* last one given, of uidset_next() */
};
struct uidset_iter uidset_iter(const struct uidset *set);
gboolean uidset_next_range(struct uidset_iter *iter, guint32 *first, guint32 *last);
gboolean uidset_next(struct uidset_iter *iter, guint32 *uid);

/* Takes up to max_uids UIDs out of the set, and no more than fit in max_bytes of text, from the low end or
 * (newest first) from the high end, and returns them; NULL when the set is empty. 0 is no limit. At least one
 * UID is taken. */
struct uidset *uidset_take(struct uidset *set, guint64 max_uids, gsize max_bytes, gboolean from_high);

char *uidset_format(const struct uidset *set);
/* NULL for what is not a set, numbers out of range, "*", and more than max_ranges ranges (0: no limit).
 * length -1: up to the NUL. */
struct uidset *uidset_parse(const char *text, gssize length, guint max_ranges);

typedef struct uidset struct_uidset;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_uidset, uidset_free)

#endif
