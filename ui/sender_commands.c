/* sender_commands.c - block and allow, for the sender, the domain or the list of a message */
#include "config.h"

#include "ui/act.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/prompt.h"
#include "ui/text.h"
#include "ui/writer.h"

#include "store/message.h"
#include "store/sender.h"

#include <string.h>

struct asked {
    gint64 message;
    enum sender_word word;
};

struct setting {
    struct sender_entry *entry;
    enum sender_word word;
};

static void
setting_free(gpointer data)
{
    struct setting *setting = data;
    sender_entry_free(setting->entry);
    g_free(setting);
}

static gboolean
set_work(struct store *store, gpointer data, GError **error)
{
    const struct setting *setting = data;
    return sender_set(store, setting->entry, setting->word, error);
}

static void
typed(struct app *app, const char *text, gpointer data)
{
    const struct asked *asked = data;
    g_autoptr(GError) error = NULL;
    if (!text || !*text || act_refused(app))
        return;
    struct sender_entry *entry = sender_entry_parse(text, &error);
    if (!entry) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    struct setting *setting = g_new0(struct setting, 1);
    setting->entry = entry;
    setting->word = asked->word;
    app_say(app, asked->word == SENDER_BLOCKED ? _("blocked: %s; new mail goes to Junk or Trash (postrider block --remove takes it back)")
                                               : _("allowed: %s is not taken for junk"), text);
    writer_run(app->writer, set_work, NULL, setting, setting_free);
}

/* What the message offers: its sender, the sender's domain, its list. */
static GPtrArray *
offers(struct app *app, const char *text, gsize cursor G_GNUC_UNUSED, gsize *from G_GNUC_UNUSED, gsize *to G_GNUC_UNUSED,
       gpointer data)
{
    const struct asked *asked = data;
    GPtrArray *list = candidates_new();
    g_autoptr(struct_message) row = asked->message ? message_load(app->store, asked->message, NULL) : NULL;
    const char *domain = row && row->from_addr ? strrchr(row->from_addr, '@') : NULL;
    g_autofree char *list_id = row && row->list_id ? g_strconcat("list:", row->list_id, NULL) : NULL;
    const struct {
        const char *text, *note;
    } rows[] = {{row ? row->from_addr : NULL, _("this address")},
                {domain, _("everybody of this domain")},
                {list_id, _("this mailing list")}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].text && (!*text || strstr(rows[i].text, text)))
            g_ptr_array_add(list, candidate_new(rows[i].text, NULL, rows[i].note));
    return list;
}

static void
ask(struct app *app, const char *argument, enum sender_word word)
{
    g_autoptr(GArray) messages = app_targets(app);
    struct asked asked = {messages->len ? g_array_index(messages, gint64, 0) : 0, word};
    if (argument && *argument) {
        typed(app, argument, &asked);
        return;
    }
    struct prompt_spec spec = {.label = word == SENDER_BLOCKED ? _("Block: ") : _("Allow: "),
                               .list = TRUE,
                               .free = TRUE,
                               .complete = offers,
                               .done = typed,
                               .data = g_memdup2(&asked, sizeof asked),
                               .destroy = g_free};
    prompt_line(app, &spec);
}

void
command_block(struct app *app, const char *argument)
{
    ask(app, argument, SENDER_BLOCKED);
}

void
command_allow(struct app *app, const char *argument)
{
    ask(app, argument, SENDER_ALLOWED);
}
