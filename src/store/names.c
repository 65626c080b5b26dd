#include "config.h"

#include "store/names.h"

#include <string.h>

/* Before each name in the block. */
#define FRESH 1
#define TAKEN 2

struct names {
    GByteArray *block; /* a byte of state, the name, NUL; the first byte of all is not used */
    guint32 *table;    /* places in it; 0: empty; made at the first look-up */
    gsize size, count; /* size: a power of two */
};

struct names *
names_new(void)
{
    struct names *names = g_new0(struct names, 1);
    names->block = g_byte_array_new();
    g_byte_array_append(names->block, (const guint8 *)"", 1);
    return names;
}

void
names_free(struct names *names)
{
    if (!names)
        return;
    g_byte_array_unref(names->block);
    g_free(names->table);
    g_free(names);
}

void
names_add(struct names *names, const char *file, gboolean fresh)
{
    guint8 state = fresh ? FRESH : 0;
    gsize length = strlen(file) + 1;
    if (names->block->len + length + 1 > G_MAXUINT32 / 2) /* a name that is not here is asked for by itself */
        return;
    g_byte_array_append(names->block, &state, 1);
    g_byte_array_append(names->block, (const guint8 *)file, (guint)length);
    names->count++;
}

/* FNV-1a, the high half folded in. */
static gsize
hash(const char *text)
{
    guint64 value = G_GUINT64_CONSTANT(14695981039346656037);
    for (; *text; text++)
        value = (value ^ (guint8)*text) * G_GUINT64_CONSTANT(1099511628211);
    return (gsize)(value ^ value >> 32);
}

static const char *
name_at(const struct names *names, gsize place)
{
    return (const char *)names->block->data + place + 1;
}

static void
make_table(struct names *names)
{
    for (names->size = 16; names->size < names->count * 2;)
        names->size *= 2;
    names->table = g_new0(guint32, names->size);
    for (gsize place = 1; place < names->block->len; place += strlen(name_at(names, place)) + 2) {
        gsize slot = hash(name_at(names, place)) & (names->size - 1);
        while (names->table[slot])
            slot = (slot + 1) & (names->size - 1);
        names->table[slot] = (guint32)place;
    }
}

gboolean
names_take(struct names *names, const char *file)
{
    if (!names->table)
        make_table(names);
    for (gsize slot = hash(file) & (names->size - 1); names->table[slot]; slot = (slot + 1) & (names->size - 1)) {
        guint8 *state = names->block->data + names->table[slot];
        if (*state & TAKEN || strcmp((const char *)state + 1, file))
            continue;
        *state |= TAKEN;
        return TRUE;
    }
    return FALSE;
}

const char *
names_next(const struct names *names, gsize *at, gboolean *fresh)
{
    for (gsize place = MAX(*at, 1); place < names->block->len; place = *at) {
        *at = place + strlen(name_at(names, place)) + 2;
        if (names->block->data[place] & TAKEN)
            continue;
        *fresh = (names->block->data[place] & FRESH) != 0;
        return name_at(names, place);
    }
    return NULL;
}
