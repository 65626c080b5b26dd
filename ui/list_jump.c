#include "config.h"

#include "ui/list_jump.h"

#include "base/clock.h"
#include "base/error.h"
#include "search/dates.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/listview.h"
#include "ui/text.h"

#include <string.h>

/* "a year ago", "3 weeks ago": that day. */
static gboolean
parse_ago(const char *text, gint64 now, gint64 *seconds)
{
    static const struct {
        const char *name;
        int years, months, days;
    } units[] = {{"year", 1, 0, 0}, {"month", 0, 1, 0}, {"week", 0, 0, 7}, {"day", 0, 0, 1}};
    g_autoptr(GRegex) pattern = g_regex_new("^(\\d{1,4}|an?|one)\\s+(year|month|week|day)s?\\s+ago$", G_REGEX_CASELESS, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    if (!g_regex_match(pattern, text, 0, &match))
        return FALSE;
    g_autofree char *count = g_match_info_fetch(match, 1), *unit = g_match_info_fetch(match, 2);
    int n = g_ascii_isdigit(*count) ? (int)g_ascii_strtoll(count, NULL, 10) : 1; /* at most four digits */
    g_autoptr(GDateTime) today = g_date_time_new_from_unix_local(now), then = NULL;
    for (guint i = 0; today && !then && i < G_N_ELEMENTS(units); i++)
        if (!g_ascii_strcasecmp(unit, units[i].name))
            then = g_date_time_add_full(today, -n * units[i].years, -n * units[i].months, -n * units[i].days, 0, 0, 0);
    *seconds = then ? MAX(g_date_time_to_unix(then), 0) : 0;
    return TRUE;
}

gboolean
jump_parse(const char *text, gint64 now, struct jump *jump, GError **error)
{
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    gsize digits = strspn(stripped, "0123456789"), length = strlen(stripped);
    if (digits && digits < 10 && (digits == length || (digits + 1 == length && stripped[digits] == '%'))) {
        jump->kind = digits == length ? JUMP_LINE : JUMP_PERCENT;
        jump->number = g_ascii_strtoll(stripped, NULL, 10);
        if (jump->kind == JUMP_PERCENT)
            jump->number = MIN(jump->number, 100);
        return TRUE;
    }
    jump->kind = JUMP_DATE;
    if (parse_ago(stripped, now, &jump->number))
        return TRUE;
    gint64 min, max;
    if (!dates_parse_range(stripped, now, &min, &max, error))
        return FALSE;
    jump->number = max == G_MAXINT64 ? MAX(min, 0) : max;
    return TRUE;
}

static gint64
key_of(struct listview *list, const struct jump *jump)
{
    const struct rowset *set = list->set;
    gint64 n = set->places ? order_length(set->places) : list->count >= 0 ? list->count : (gint64)set->rows->len;
    gint64 rank = jump->kind == JUMP_LINE ? jump->number - 1 : jump->number * (n - 1) / 100;
    if (jump->kind == JUMP_DATE && set->places)
        return order_key_by_date(set->places, list_key_at_time(jump->number));
    if (jump->kind == JUMP_DATE)
        return list_key_by_date(set->store, &set->view, jump->number);
    rank = CLAMP(rank, 0, MAX(n - 1, 0));
    if (set->places)
        return order_key(set->places, (guint)rank);
    return list_key_at(set->store, &set->view, set->reverse ? n - 1 - rank : rank);
}

static void
jump_to(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct listview *list = listview_at_hand(app);
    g_autoptr(GError) error = NULL;
    struct jump jump;
    if (!text || !*text || !list || !list->set)
        return;
    if (!jump_parse(text, clock_now(), &jump, &error)) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    if (list_is_search(list) || list->set->view.kind == LIST_THREAD) {
        app_say(app, _("this is for folders: a search is narrowed with l, for example date:..1y"));
        return;
    }
    if (jump.kind == JUMP_DATE && list->set->order != ORDER_DATE) {
        app_say(app, _("the list is not by date now: o d puts it so"));
        return;
    }
    gint64 key = key_of(list, &jump);
    if (key)
        listview_goto(list, key, 0);
}

void
command_jump(struct app *app, const char *argument)
{
    char digit[2] = {0};
    if (argument) {
        jump_to(app, argument, NULL);
        return;
    }
    if (app->last_key >= '1' && app->last_key <= '9') /* as in mutt: the number begins with this key */
        digit[0] = (char)app->last_key;
    struct prompt_spec spec = {.label = _("Jump to (line, 50%, or a date): "),
                               .text = digit,
                               .history = "jump",
                               .done = jump_to};
    prompt_line(app, &spec);
}
