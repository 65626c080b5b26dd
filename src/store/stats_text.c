/* The figures as lines for a terminal: bars, and a row of little columns for the hours. */
#include "config.h"

#include "store/stats.h"

#include "base/i18n.h"
#include "base/text.h"
#include "base/width.h"

#include <string.h>

struct page {
    GPtrArray *lines;
    int width;
    gboolean is_ascii;
};

static void
add(struct page *page, char *line)
{
    g_ptr_array_add(page->lines, g_strchomp(line));
}

static void
add_heading(struct page *page, const char *heading)
{
    if (page->lines->len)
        add(page, g_strdup(""));
    add(page, g_strdup(heading));
}

/* `cells` wide, in eighths; what is not nothing shows at least a little. */
static char *
bar(const struct page *page, guint64 value, guint64 most, int cells)
{
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    guint64 eighths = most ? (guint64)((double)value / (double)most * cells * 8 + 0.5) : 0;
    if (value && !eighths)
        eighths = 1;
    GString *out = g_string_new(NULL);
    if (page->is_ascii) {
        for (guint64 i = 0; i < (eighths + 7) / 8; i++)
            g_string_append_c(out, '#');
    } else {
        for (guint64 i = 0; i < eighths / 8; i++)
            g_string_append(out, "█");
        g_string_append(out, parts[eighths % 8]);
    }
    g_autofree char *text = g_string_free(out, FALSE);
    return width_fit(text, cells);
}

/* Two cells an hour, else one. */
static gboolean
is_wide(const struct page *page)
{
    return page->width >= 90;
}

static char *
columns(const struct page *page, const guint64 *values, guint n)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char marks[] = " .:-=+*#@";
    guint64 most = 0;
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        most = MAX(most, values[i]);
    for (guint i = 0; i < n; i++) {
        guint step = values[i] ? 1 + (guint)((double)values[i] / (double)most * 7) : 0;
        for (guint cell = 0; cell < (is_wide(page) ? 2 : 1); cell++)
            g_string_append_len(out, page->is_ascii ? marks + step : blocks[step],
                                page->is_ascii ? 1 : (gssize)strlen(blocks[step]));
    }
    return g_string_free(out, FALSE);
}

static void
add_months(struct page *page, const struct stats *stats)
{
    int cells = CLAMP((page->width - 56) / 2, 4, 40);
    guint64 most = 0;
    gboolean begun = FALSE;
    for (guint i = 0; i < stats->months->len; i++) {
        const struct stats_month *month = &g_array_index(stats->months, struct stats_month, i);
        most = MAX(most, MAX(month->n[STATS_RECEIVED], month->n[STATS_SENT]));
    }
    add_heading(page, _("Mail a month: received, sent, size"));
    for (guint i = 0; i < stats->months->len; i++) {
        const struct stats_month *month = &g_array_index(stats->months, struct stats_month, i);
        begun = begun || month->n[STATS_RECEIVED] || month->n[STATS_SENT];
        if (!begun)
            continue;
        g_autofree char *received = bar(page, month->n[STATS_RECEIVED], most, cells),
                        *sent = bar(page, month->n[STATS_SENT], most, cells),
                        *size = text_size(month->n[STATS_BYTES_RECEIVED] + month->n[STATS_BYTES_SENT]);
        add(page, g_strdup_printf("  %d-%02d %'9" G_GUINT64_FORMAT " %s %'9" G_GUINT64_FORMAT " %s %9s", month->year, month->month,
                                  month->n[STATS_RECEIVED], received, month->n[STATS_SENT], sent, size));
    }
    g_autofree char *size = text_size(stats->sum.n[STATS_BYTES_RECEIVED] + stats->sum.n[STATS_BYTES_SENT]);
    g_autofree char *gap = g_strnfill((gsize)cells, ' ');
    add(page, g_strdup_printf("  %s %'9" G_GUINT64_FORMAT " %s %'9" G_GUINT64_FORMAT " %s %9s", _("in all"),
                              stats->sum.n[STATS_RECEIVED], gap, stats->sum.n[STATS_SENT], gap, size));
}

static void
add_hours(struct page *page, const struct stats *stats)
{
    static const struct {
        guint first;
        const char *name;
    } rows[] = {{STATS_RECEIVED_AT, N_("received")}, {STATS_SENT_AT, N_("sent")}};
    add_heading(page, _("At what hour"));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *shape = columns(page, stats->sum.n + rows[i].first, STATS_HOURS), *name = width_fit(_(rows[i].name), 9);
        guint busiest = 0;
        for (guint h = 1; h < STATS_HOURS; h++)
            if (stats->sum.n[rows[i].first + h] > stats->sum.n[rows[i].first + busiest])
                busiest = h;
        g_autofree char *most = g_strdup_printf(_("most at %u to %u"), busiest, busiest + 1);
        add(page, g_strdup_printf("  %s %s  %s", name, shape, most));
    }
    add(page, g_strdup_printf("  %*s %s", 9, "", is_wide(page) ? "0     3     6     9     12    15    18    21"
                                                                : "0  3  6  9  12 15 18 21"));
}

static void
add_answers(struct page *page, const struct stats *stats)
{
    guint64 mine = 0, theirs = 0;
    for (guint i = 0; i < STATS_DELAYS; i++) {
        mine += stats->sum.n[STATS_MY_ANSWERS + i];
        theirs += stats->sum.n[STATS_THEIR_ANSWERS + i];
    }
    if (!mine && !theirs)
        return;
    int cells = CLAMP((page->width - 50) / 2, 4, 20);
    add_heading(page, _("How long an answer takes: mine, theirs"));
    for (guint i = 0; i < STATS_DELAYS; i++) {
        guint64 a = stats->sum.n[STATS_MY_ANSWERS + i], b = stats->sum.n[STATS_THEIR_ANSWERS + i];
        const char *word = stats_delay_word(i);
        g_autofree char *within = word ? g_strdup_printf(_("within %s"), word) : g_strdup(_("later")), *cell = width_fit(within, 18),
                        *left = bar(page, a, mine, cells), *right = bar(page, b, theirs, cells);
        add(page, g_strdup_printf("  %s %3.0f %% %s  %3.0f %% %s", cell, mine ? 100.0 * (double)a / (double)mine : 0.0, left,
                                  theirs ? 100.0 * (double)b / (double)theirs : 0.0, right));
    }
}

static void
add_people(struct page *page, const struct stats *stats)
{
    if (!stats->people->len)
        return;
    int names = CLAMP(page->width - 24, 20, 60);
    add_heading(page, _("With whom: received, sent"));
    for (guint i = 0; i < stats->people->len; i++) {
        const struct stats_person *person = stats->people->pdata[i];
        g_autofree char *both = person->name && *person->name ? g_strdup_printf("%s <%s>", person->name, person->addr)
                                                              : g_strdup(person->addr);
        g_autofree char *safe = text_safe(both, -1, TEXT_LINE), *cell = width_fit(safe, names);
        add(page, g_strdup_printf("  %s %'9u %'9u", cell, person->received, person->sent));
    }
}

static void
add_folders(struct page *page, const struct stats *stats)
{
    guint64 most = 0;
    int names = CLAMP(page->width / 3, 16, 40), cells = CLAMP(page->width - names - 28, 4, 30);
    for (guint i = 0; i < stats->folders->len; i++)
        most = MAX(most, ((const struct stats_folder *)stats->folders->pdata[i])->bytes);
    if (!most)
        return;
    add_heading(page, _("Folders: messages, size"));
    for (guint i = 0; i < stats->folders->len; i++) {
        const struct stats_folder *folder = stats->folders->pdata[i];
        if (!folder->count)
            continue;
        g_autofree char *both = g_strdup_printf("%s/%s", folder->account, folder->name), *safe = text_safe(both, -1, TEXT_LINE),
                        *cell = width_fit(safe, names), *size = text_size(folder->bytes),
                        *shape = bar(page, folder->bytes, most, cells);
        add(page, g_strdup_printf("  %s %'10" G_GUINT64_FORMAT " %9s %s", cell, folder->count, size, shape));
    }
}

GPtrArray *
stats_to_lines(const struct stats *stats, int width, gboolean is_ascii)
{
    struct page page = {g_ptr_array_new_with_free_func(g_free), width, is_ascii};
    if (!stats->sum.n[STATS_RECEIVED] && !stats->sum.n[STATS_SENT]) {
        add(&page, g_strdup(_("No mail in this time.")));
        return page.lines;
    }
    add_months(&page, stats);
    add_hours(&page, stats);
    add_answers(&page, stats);
    add_people(&page, stats);
    add_folders(&page, stats);
    return page.lines;
}
