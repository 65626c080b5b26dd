#include "config.h"

#include "base/uidset.h"

#include <stdlib.h>
#include <string.h>

struct uid_range {
    guint32 first, last;
};

/* `sorted` says that ranges ascend with a gap between any two. Whoever reads calls normalise() first: a
 * change of form and not of content, hence allowed on a const set. */
struct uidset {
    struct uid_range *ranges;
    guint count;
    guint room;
    gboolean sorted;
};

struct uidset *
uidset_new(void)
{
    struct uidset *set = g_new0(struct uidset, 1);
    set->sorted = TRUE;
    return set;
}

struct uidset *
uidset_new_range(guint32 first, guint32 last)
{
    struct uidset *set = uidset_new();
    uidset_add_range(set, first, last);
    return set;
}

void
uidset_free(struct uidset *set)
{
    if (!set)
        return;
    g_free(set->ranges);
    g_free(set);
}

void
uidset_clear(struct uidset *set)
{
    set->count = 0;
    set->sorted = TRUE;
}

static int
compare_ranges(const void *a, const void *b)
{
    guint32 x = ((const struct uid_range *)a)->first, y = ((const struct uid_range *)b)->first;
    return (x > y) - (x < y);
}

static void
normalise(const struct uidset *const_set)
{
    struct uidset *set = (struct uidset *)const_set;
    if (set->sorted)
        return;
    qsort(set->ranges, set->count, sizeof *set->ranges, compare_ranges);
    guint kept = 0;
    for (guint i = 1; i < set->count; i++) {
        struct uid_range *last = &set->ranges[kept], *next = &set->ranges[i];
        if (last->last == G_MAXUINT32 || next->first <= last->last + 1)
            last->last = MAX(last->last, next->last);
        else
            set->ranges[++kept] = *next;
    }
    set->count = set->count ? kept + 1 : 0;
    set->sorted = TRUE;
}

/* Puts a range at the end, growing by doubling. */
static void
append(struct uidset *set, guint32 first, guint32 last)
{
    if (set->count == set->room) {
        set->room = set->room ? set->room * 2 : 4;
        set->ranges = g_renew(struct uid_range, set->ranges, set->room);
    }
    set->ranges[set->count++] = (struct uid_range){first, last};
}

struct uidset *
uidset_copy(const struct uidset *set)
{
    struct uidset *copy = uidset_new();
    if (!set)
        return copy;
    normalise(set);
    copy->count = copy->room = set->count;
    copy->ranges = g_memdup2(set->ranges, set->count * sizeof *set->ranges);
    return copy;
}

void
uidset_add(struct uidset *set, guint32 uid)
{
    uidset_add_range(set, uid, uid);
}

void
uidset_add_range(struct uidset *set, guint32 first, guint32 last)
{
    if (first > last) {
        guint32 swap = first;
        first = last;
        last = swap;
    }
    if (last == 0)
        return;
    first = MAX(first, 1);
    struct uid_range *end = set->count ? &set->ranges[set->count - 1] : NULL;
    if (end && first >= end->first && (end->last == G_MAXUINT32 || first <= end->last + 1)) {
        end->last = MAX(end->last, last);
        return;
    }
    if (end && first < end->first)
        set->sorted = FALSE;
    append(set, first, last);
    /* Doublings in disorder are joined before they cost memory: twice the room only when the joined set needs
     * it. */
    if (!set->sorted && set->count == set->room && set->count >= 4096) {
        normalise(set);
        if (set->count > set->room / 2) {
            set->room *= 2;
            set->ranges = g_renew(struct uid_range, set->ranges, set->room);
        }
    }
}

void
uidset_remove(struct uidset *set, guint32 uid)
{
    uidset_remove_range(set, uid, uid);
}

void
uidset_remove_range(struct uidset *set, guint32 first, guint32 last)
{
    g_autoptr(struct_uidset) other = uidset_new_range(first, last);
    uidset_remove_set(set, other);
}

void
uidset_add_set(struct uidset *set, const struct uidset *other)
{
    if (!other || set == other)
        return;
    normalise(other);
    for (guint i = 0; i < other->count; i++)
        uidset_add_range(set, other->ranges[i].first, other->ranges[i].last);
}

/* One walk over both: keeps of `set` what lies in `other` (inside) or what does not. */
static void
filter(struct uidset *set, const struct uidset *other, gboolean inside)
{
    normalise(set);
    normalise(other);
    struct uidset out = {.sorted = TRUE};
    guint j = 0;
    for (guint i = 0; i < set->count; i++) {
        guint64 at = set->ranges[i].first;
        const guint64 end = set->ranges[i].last;
        while (j < other->count && other->ranges[j].last < at)
            j++;
        for (guint k = j; at <= end && k < other->count && other->ranges[k].first <= end; k++) {
            guint64 hole = MAX(at, other->ranges[k].first), hole_end = MIN(end, other->ranges[k].last);
            if (inside)
                append(&out, (guint32)hole, (guint32)hole_end);
            else if (at < hole)
                append(&out, (guint32)at, (guint32)(hole - 1));
            at = hole_end + 1;
        }
        if (!inside && at <= end)
            append(&out, (guint32)at, (guint32)end);
    }
    g_free(set->ranges);
    *set = out;
}

void
uidset_remove_set(struct uidset *set, const struct uidset *other)
{
    if (other == set)
        uidset_clear(set);
    else if (other && other->count && set->count)
        filter(set, other, FALSE);
}

void
uidset_keep_set(struct uidset *set, const struct uidset *other)
{
    if (!other)
        uidset_clear(set);
    else if (other != set)
        filter(set, other, TRUE);
}

gboolean
uidset_is_empty(const struct uidset *set)
{
    return !set || set->count == 0;
}

guint64
uidset_count(const struct uidset *set)
{
    guint64 total = 0;
    if (!set)
        return 0;
    normalise(set);
    for (guint i = 0; i < set->count; i++)
        total += (guint64)set->ranges[i].last - set->ranges[i].first + 1;
    return total;
}

guint
uidset_count_ranges(const struct uidset *set)
{
    if (!set)
        return 0;
    normalise(set);
    return set->count;
}

gboolean
uidset_contains(const struct uidset *set, guint32 uid)
{
    if (!set)
        return FALSE;
    normalise(set);
    guint low = 0, high = set->count;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (set->ranges[middle].last < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && set->ranges[low].first <= uid;
}

gboolean
uidset_equal(const struct uidset *a, const struct uidset *b)
{
    if (uidset_is_empty(a) || uidset_is_empty(b))
        return uidset_is_empty(a) && uidset_is_empty(b);
    normalise(a);
    normalise(b);
    return a->count == b->count && !memcmp(a->ranges, b->ranges, a->count * sizeof *a->ranges);
}

guint32
uidset_min(const struct uidset *set)
{
    if (uidset_is_empty(set))
        return 0;
    normalise(set);
    return set->ranges[0].first;
}

guint32
uidset_max(const struct uidset *set)
{
    if (uidset_is_empty(set))
        return 0;
    normalise(set);
    return set->ranges[set->count - 1].last;
}

struct uidset_iter
uidset_iter(const struct uidset *set)
{
    if (set)
        normalise(set);
    return (struct uidset_iter){.set = set};
}

gboolean
uidset_next_range(struct uidset_iter *iter, guint32 *first, guint32 *last)
{
    if (!iter->set || iter->range >= iter->set->count)
        return FALSE;
    *first = iter->set->ranges[iter->range].first;
    *last = iter->set->ranges[iter->range].last;
    iter->range++;
    return TRUE;
}

gboolean
uidset_next(struct uidset_iter *iter, guint32 *uid)
{
    if (!iter->set || iter->range >= iter->set->count)
        return FALSE;
    const struct uid_range *range = &iter->set->ranges[iter->range];
    iter->uid = iter->uid < range->first ? range->first : iter->uid + 1;
    *uid = iter->uid;
    if (iter->uid == range->last)
        iter->range++;
    return TRUE;
}

static gsize
digits(guint32 number)
{
    gsize n = 1;
    while (number >= 10) {
        number /= 10;
        n++;
    }
    return n;
}

/* Bytes of a range in the text form, with the comma before it. */
static gsize
text_length(const struct uid_range *range)
{
    return 1 + digits(range->first) + (range->last > range->first ? 1 + digits(range->last) : 0);
}

struct uidset *
uidset_take(struct uidset *set, guint64 max_uids, gsize max_bytes, gboolean from_high)
{
    if (!set->count)
        return NULL;
    normalise(set);
    guint64 room = max_uids ? max_uids : G_MAXUINT64;
    gsize bytes = 0;
    guint whole = 0;                /* ranges that go as they are */
    struct uid_range part = {0, 0}; /* the piece of one more, when max_uids ends inside it */
    while (whole < set->count && room) {
        struct uid_range *range = &set->ranges[from_high ? set->count - 1 - whole : whole];
        struct uid_range piece = *range;
        guint64 size = (guint64)range->last - range->first + 1;
        if (size > room && from_high)
            piece.first = (guint32)(range->last - room + 1);
        else if (size > room)
            piece.last = (guint32)(range->first + room - 1);
        bytes += text_length(&piece);
        if (max_bytes && whole && bytes > max_bytes)
            break;
        if (size > room) {
            part = piece;
            if (from_high)
                range->last = piece.first - 1;
            else
                range->first = piece.last + 1;
            break;
        }
        room -= size;
        whole++;
    }
    guint start = from_high ? set->count - whole : 0;
    struct uidset *taken = uidset_new();
    if (part.first && from_high)
        append(taken, part.first, part.last);
    for (guint i = start; i < start + whole; i++)
        append(taken, set->ranges[i].first, set->ranges[i].last);
    if (part.first && !from_high)
        append(taken, part.first, part.last);
    set->count -= whole;
    memmove(set->ranges + start, set->ranges + start + whole, (set->count - start) * sizeof *set->ranges);
    return taken;
}

static char *
put_number(char *end, guint32 number)
{
    do
        *--end = (char)('0' + number % 10);
    while (number /= 10);
    return end;
}

char *
uidset_format(const struct uidset *set)
{
    GString *text = g_string_new(NULL);
    if (!set)
        return g_string_free(text, FALSE);
    normalise(set);
    for (guint i = 0; i < set->count; i++) {
        char buffer[24], *const end = buffer + sizeof buffer, *at = end;
        if (set->ranges[i].last > set->ranges[i].first) {
            at = put_number(at, set->ranges[i].last);
            *--at = ':';
        }
        at = put_number(at, set->ranges[i].first);
        if (i)
            *--at = ',';
        g_string_append_len(text, at, end - at);
    }
    return g_string_free(text, FALSE);
}

/* A number of 1 to 2^32-1 without a leading zero; 0 when there is none. */
static guint32
take_number(const char **at, const char *end)
{
    guint64 number = 0;
    if (*at == end || **at < '1' || **at > '9')
        return 0;
    for (; *at < end && g_ascii_isdigit(**at); ++*at) {
        number = number * 10 + (guint64)(**at - '0');
        if (number > G_MAXUINT32)
            return 0;
    }
    return (guint32)number;
}

struct uidset *
uidset_parse(const char *text, gssize length, guint max_ranges)
{
    const char *at = text, *end = text + (length < 0 ? strlen(text) : (gsize)length);
    g_autoptr(struct_uidset) set = uidset_new();
    if (at == end)
        return g_steal_pointer(&set);
    for (guint n = 1;; n++) {
        guint32 first = take_number(&at, end), last = first;
        if (first && at < end && *at == ':') {
            at++;
            last = take_number(&at, end);
        }
        if (!first || !last || (max_ranges && n > max_ranges))
            return NULL;
        uidset_add_range(set, first, last);
        if (at == end)
            return g_steal_pointer(&set);
        if (*at++ != ',')
            return NULL;
    }
}
