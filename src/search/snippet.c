/* snippet.c - the piece of a text around the words that were looked for */
#include "config.h"

#include "search/hits.h"

#include <string.h>

#include "base/text.h"

#define PLACES_MAX 400   /* hits of a body that are looked at */
#define BEFORE_PERCENT 30 /* of the piece stand before the first hit */

struct place {
    gsize start, end;
    guint word;
};

static GArray *
places_of(const struct hits *hits, const char *body)
{
    GArray *places = g_array_new(FALSE, FALSE, sizeof(struct place));
    struct place place;
    for (gsize at = 0; places->len < PLACES_MAX && hits_find_word(hits, body, at, &place.start, &place.end, &place.word);
         at = place.end)
        g_array_append_val(places, place);
    return places;
}

/* The first of those places that have the most words within `bytes` after them. */
static const struct place *
best_of(const GArray *places, gsize bytes)
{
    const struct place *all = (const struct place *)(gconstpointer)places->data, *best = NULL;
    guint most = 0;
    for (guint i = 0; i < places->len; i++) {
        guint64 seen = 0;
        guint words = 0;
        for (guint j = i; j < places->len && all[j].end - all[i].start <= MAX(bytes, all[i].end - all[i].start); j++) {
            words += !(seen >> all[j].word & 1);
            seen |= (guint64)1 << all[j].word;
        }
        if (words > most) {
            most = words;
            best = &all[i];
        }
    }
    return best;
}

/* Back by at most so many characters, to the beginning of a word where there is one. */
static const char *
back(const char *body, const char *from, guint characters)
{
    const char *p = from, *word = from;
    for (; p > body && characters; characters--) {
        p = g_utf8_prev_char(p);
        if (p == body || g_ascii_isspace(p[-1]))
            word = p;
    }
    return p == body || word == from ? p : word;
}

static const char *
forward(const char *from, const char *at_least, guint characters)
{
    const char *p = from, *word = from;
    for (; *p && characters; characters--) {
        p = g_utf8_next_char(p);
        if (!*p || g_ascii_isspace(*p))
            word = p;
    }
    return !*p || word < at_least ? p : word;
}

char *
hits_snippet(const struct hits *hits, const char *body, guint most)
{
    if (!hits || !body || most < 4)
        return NULL;
    g_autoptr(GArray) places = places_of(hits, body);
    guint room = most - 2, before = room * BEFORE_PERCENT / 100; /* the two "…" */
    const struct place *place = best_of(places, room - before);
    if (!place)
        return NULL;
    const char *hit = body + place->start;
    guint own = (guint)g_utf8_strlen(hit, (gssize)(place->end - place->start));
    const char *start = back(body, hit, MIN(before, room - MIN(own, room)));
    const char *end = forward(hit, body + place->end, room - (guint)g_utf8_pointer_to_offset(start, hit));
    if (!*end) /* what is not needed behind is of use in front */
        start = back(body, hit, room - (guint)g_utf8_pointer_to_offset(hit, end));
    g_autofree char *piece = g_strndup(start, (gsize)(end - start)), *line = text_squeeze(piece);
    return g_strconcat(start > body ? "…" : "", line, *end ? "…" : "", NULL);
}
