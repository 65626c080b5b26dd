#include "config.h"

#include "cli/planned.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/width.h"
#include "cli/commands.h"
#include "cli/rows.h"

#include <string.h>

/* What the engine's words for actions are called in the sums, in the order of the sums. */
static const struct {
    const char *direction, *action, *one, *many;
    gboolean quiet; /* says how another action goes: not one of its own */
} kinds[] = {
    {"in", "folder", N_("folder made"), N_("folders made"), FALSE},
    {"in", "rename-folder", N_("folder renamed"), N_("folders renamed"), FALSE},
    {"in", "new", N_("new message"), N_("new messages"), FALSE},
    {"in", "bodies", N_("body"), N_("bodies"), FALSE},
    {"in", "flags", N_("message marked"), N_("messages marked"), FALSE},
    {"in", "remove", N_("message removed"), N_("messages removed"), FALSE},
    {"in", "forget", N_("message forgotten that left as asked"), N_("messages forgotten that left as asked"), FALSE},
    {"in", "brake", "", "", TRUE},
    {"in", "held", "", "", TRUE},
    {"out", "create-folder", N_("folder made"), N_("folders made"), FALSE},
    {"out", "rename-folder", N_("folder renamed"), N_("folders renamed"), FALSE},
    {"out", "delete-folder", N_("folder deleted"), N_("folders deleted"), FALSE},
    {"out", "subscribe", N_("subscription changed"), N_("subscriptions changed"), FALSE},
    {"out", "flags", N_("message marked"), N_("messages marked"), FALSE},
    {"out", "move", N_("message moved"), N_("messages moved"), FALSE},
    {"out", "copy", N_("message copied"), N_("messages copied"), FALSE},
    {"out", "append", N_("message uploaded"), N_("messages uploaded"), FALSE},
    {"out", "expunge", N_("message deleted"), N_("messages deleted"), FALSE},
    {"out", "tags", "", "", TRUE},
    {"out", "read-only", "", "", TRUE},
};

struct planned {
    guint64 sums[G_N_ELEMENTS(kinds)];
    guint actions;
};

struct planned *
planned_new(void)
{
    return g_new0(struct planned, 1);
}

void
planned_free(struct planned *planned)
{
    g_free(planned);
}

static gboolean
print_json(const struct engine_event *event, const char *folder, GError **error)
{
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "account", engine_event_string(event, "account"));
    json_string(&json, "folder", *folder ? folder : NULL);
    json_string(&json, "direction", engine_event_string(event, "direction"));
    json_string(&json, "action", engine_event_string(event, "action"));
    json_int(&json, "count", engine_event_int(event, "count"));
    json_string(&json, "text", engine_event_string(event, "text"));
    json_object_end(&json);
    return cli_print_json(&json, error);
}

gboolean
planned_take(struct planned *planned, const struct engine_event *event, GError **error)
{
    const char *folder = engine_event_string(event, "folder"), *direction = engine_event_string(event, "direction");
    const char *action = engine_event_string(event, "action");
    guint64 count = (guint64)MAX(engine_event_int(event, "count"), 0);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (!strcmp(kinds[i].direction, direction) && !strcmp(kinds[i].action, action) && !kinds[i].quiet)
            /* Without a count it is about the folder itself; bodies by a limit are not known before. */
            planned->sums[i] += count || !strcmp(action, "bodies") ? count : 1;
    planned->actions++;
    if (cli_json)
        return print_json(event, folder, error);
    g_autofree char *account = text_safe(engine_event_string(event, "account"), -1, TEXT_LINE);
    g_autofree char *name = text_safe(folder, -1, TEXT_LINE);
    g_autofree char *account_cell = width_fit(account, 12), *name_cell = width_fit(name, 24);
    g_autofree char *line = g_strdup_printf("%s %s %-3s  %s", account_cell, name_cell,
                                            strcmp(direction, "out") ? _("in") : _("out"), engine_event_string(event, "text"));
    return cli_print(line, error);
}

static char *
sums_of(const struct planned *planned, const char *direction)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (planned->sums[i] && !strcmp(kinds[i].direction, direction))
            g_string_append_printf(out, "%s%" G_GUINT64_FORMAT " %s", out->len ? ", " : "", planned->sums[i],
                                   P_(kinds[i].one, kinds[i].many, planned->sums[i]));
    if (!out->len)
        g_string_append(out, _("nothing"));
    return g_string_free(out, FALSE);
}

gboolean
planned_finish(const struct planned *planned, GError **error)
{
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_int(&json, "actions", planned->actions);
        for (guint out = 0; out < 2; out++) {
            const char *direction = out ? "out" : "in";
            json_object_begin(&json, direction);
            for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
                if (!kinds[i].quiet && !strcmp(kinds[i].direction, direction))
                    json_int(&json, kinds[i].action, (gint64)planned->sums[i]);
            json_object_end(&json);
        }
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    if (!planned->actions)
        return cli_print(_("Everything is in step: there is nothing to do."), error);
    g_autofree char *in = sums_of(planned, "in"), *out = sums_of(planned, "out");
    g_autofree char *text = g_strdup_printf(_("In:  %s.\nOut: %s.\nNothing was changed, here or there."), in, out);
    return cli_print(text, error);
}
