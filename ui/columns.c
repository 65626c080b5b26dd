#include "config.h"

#include "ui/columns.h"

#include "base/clock.h"
#include "ui/text.h"

void
columns_layout(int width, gboolean size, gboolean account, struct columns *columns)
{
    *columns = (struct columns){.attachment = -1, .account = -1};
    int at = 0, end = width;
    columns->mark = at++;
    columns->state = at++;
    at++;
    if (account && width >= 36) {
        columns->account = at;
        at += 2;
    }
    if (width >= 36) {
        columns->date_width = width >= 60 ? 6 : 5;
        columns->date = at;
        at += columns->date_width + 2;
    }
    if (width >= 30) {
        columns->attachment = end - 2;
        end -= 3;
    }
    if (size && width >= 100) {
        columns->size_width = 7;
        columns->size = end - 7;
        end -= 9;
    }
    int rest = MAX(end - at, 0);
    if (rest >= 24) {
        columns->people_width = CLAMP(rest * 30 / 100, 10, 28);
        columns->people = at;
        at += columns->people_width + 2;
    } else {
        columns->people = at;
    }
    columns->subject = at;
    columns->subject_width = MAX(end - at, 0);
    columns->preview = columns->subject_width >= 50;
}

int
columns_side_bar(int width, int wanted)
{
    if (width < 100)
        return 0;
    return CLAMP(wanted, 16, MIN(width / 4, 32));
}

char **
columns_tree(const guint *depths, guint n, guint limit)
{
    char **result = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++) {
        GString *out = g_string_new(NULL);
        guint depth = depths[i], first = depth > limit ? depth - limit : 0;
        if (first)
            g_string_append(out, "…");
        for (guint level = first + 1; level <= depth; level++) {
            /* Is there a later row at this level before the branch above ends? */
            gboolean more = FALSE;
            for (guint j = i + 1; j < n && depths[j] >= level; j++) {
                if (depths[j] == level) {
                    more = TRUE;
                    break;
                }
            }
            if (level == depth)
                g_string_append(out, more ? "├─" : "└─");
            else
                g_string_append(out, more ? "│ " : "  ");
        }
        result[i] = g_string_free(out, FALSE);
    }
    return result;
}

const char *
columns_day_group(gint64 seconds, gint64 now)
{
    gint64 days = clock_local_day(now) - clock_local_day(seconds);
    if (days < -1)
        return _("Later");
    if (days <= 0)
        return _("Today");
    if (days == 1)
        return _("Yesterday");
    if (days < 7)
        return _("This week");
    g_autoptr(GDateTime) then = g_date_time_new_from_unix_local(CLAMP(seconds, -62135596800, 253402300799));
    g_autoptr(GDateTime) today = g_date_time_new_from_unix_local(now);
    if (!then || !today)
        return _("Earlier");
    int year = g_date_time_get_year(then), this_year = g_date_time_get_year(today);
    char text[64];
    if (year == this_year || days < 180) {
        g_autofree char *month = g_date_time_format(then, year == this_year ? "%OB" : "%OB %Y");
        g_snprintf(text, sizeof text, "%s", month ? month : "");
    } else {
        g_snprintf(text, sizeof text, "%d", year);
    }
    return g_intern_string(text);
}
