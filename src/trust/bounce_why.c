/* bounce_why.c - why a recipient failed, as the words of a report say it */
#include "config.h"

#include "trust/bounce_prose.h"

#include <string.h>

/* The words from the saying on, at least from the beginning of its line. */
static char *
words_at(const char *text, const struct bounce_saying *saying)
{
    const char *p = text + MIN(saying->at, strlen(text));
    while (!saying->code && p > text && p[-1] != '\n')
        p--;
    while (strchr(" \t:;,-#(", *p) && *p)
        p++;
    return bounce_text(p, strlen(p));
}

/* Does a line stand in the paragraph of another recipient? */
static gboolean
is_of_another(const struct prose *prose, const struct prose_candidate *candidate, const struct prose_line *line)
{
    const struct prose_line *own = candidate ? prose->lines->pdata[candidate->line] : NULL;
    return own && line->has_leader && line->paragraph != own->paragraph;
}

static gboolean
weigh_lines(const struct prose *prose, const struct prose_candidate *candidate, const char *address,
            struct bounce_saying *saying, char **words)
{
    for (guint n = 0; n < prose->lines->len; n++) {
        struct prose_line *line = prose->lines->pdata[n];
        if (line->is_quoted || (address ? !strcasestr(line->text, address) : is_of_another(prose, candidate, line)))
            continue;
        gboolean delayed;
        if (!prose_weigh_line(line, saying))
            continue;
        gboolean is_ruled = strchr("*-=", *line->text) && line->text[1] == *line->text; /* a title */
        if (is_ruled && !address && !saying->code)
            continue;
        /* Without a code, "your message was rejected" announces; it is no reason. */
        if (!address && !saying->code && !*saying->status &&
            (bounce_announces(line->lower, &delayed) ? !saying->detail || strcmp(saying->detail, "7.1") == 0 : FALSE))
            continue;
        g_autofree char *rest = prose_paragraph(prose, n, 0, prose->lines->len);
        struct bounce_saying more;
        if (bounce_weigh(rest, &more) && (more.code || *more.status))
            *saying = more;
        *words = words_at(rest, saying);
        return TRUE;
    }
    return FALSE;
}

/* What ">>> RCPT TO:<x>" was answered. */
static gboolean
weigh_answer(const struct prose *prose, const char *address, struct bounce_saying *saying, char **words)
{
    for (guint n = 0; n + 1 < prose->lines->len; n++) {
        struct prose_line *line = prose->lines->pdata[n], *next = prose->lines->pdata[n + 1];
        if (!strstr(line->lower, "rcpt to") || !strcasestr(line->text, address))
            continue;
        if (prose_weigh_line(next, saying)) {
            *words = words_at(next->text, saying);
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
prose_find_why(const struct prose *prose, const struct prose_candidate *candidate, guint next, struct bounce_saying *saying,
         char **words)
{
    static const struct bounce_saying nothing;
    g_autofree char *own = candidate ? prose_paragraph(prose, candidate->line, candidate->end, next) : NULL;
    struct bounce_saying weak = nothing;
    g_autofree char *weak_words = NULL;
    if (own && bounce_weigh(own, saying)) {
        if (saying->code || *saying->status) {
            *words = words_at(own, saying);
            return TRUE;
        }
        weak = *saying;
        weak_words = words_at(own, saying);
    }
    /* A reply elsewhere says more than prose here. */
    if (candidate && (weigh_answer(prose, candidate->address, saying, words) ||
                      weigh_lines(prose, candidate, candidate->address, saying, words))) {
        if (saying->code || *saying->status || !weak.len)
            return TRUE;
        g_clear_pointer(words, g_free);
    }
    if (weak.len) {
        *saying = weak;
        *words = g_steal_pointer(&weak_words);
        return TRUE;
    }
    if (own) { /* what follows the paragraph, up to the next recipient */
        GString *tail = g_string_new(NULL);
        for (guint i = candidate->line + 1; i < next && i < prose->lines->len && tail->len < 2 * PARAGRAPH_MAX; i++)
            g_string_append_printf(tail, "%s\n", ((const struct prose_line *)prose->lines->pdata[i])->text);
        g_autofree char *text = g_string_free(tail, FALSE);
        if (bounce_weigh(text, saying) && (saying->code || *saying->status || (saying->detail && strcmp(saying->detail, "7.1")))) {
            const char *at = text + MIN(saying->at, strlen(text)), *end = strstr(at, "\n\n");
            g_autofree char *cut = g_strndup(text, end ? (gsize)(end - text) : strlen(text));
            *words = words_at(cut, saying);
            return TRUE;
        }
    }
    *saying = nothing;
    return weigh_lines(prose, candidate, NULL, saying, words);
}
