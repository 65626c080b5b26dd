#include "config.h"

#include "base/paths.h"
#include "base/text.h"
#include "base/width.h"
#include "config/providers.h"
#include "mail/address.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/draw.h"
#include "ui/start.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

/* The account assistant: a form whose answers become a section of the configuration. */

enum field {
    FIELD_ADDRESS,
    FIELD_REAL_NAME,
    FIELD_INCOMING,
    FIELD_OUTGOING,
    FIELD_PASSWORD,
    FIELD_ACCOUNT,
    FIELD_KEEP,
    FIELDS
};

static const struct {
    const char *label, *help;
} fields[FIELDS] = {
    [FIELD_ADDRESS] = {N_("Address"), N_("your mail address: ana@example.org")},
    [FIELD_REAL_NAME] = {N_("Name"), N_("as others see it: Ana Ruiz")},
    [FIELD_INCOMING] =
        {N_("Incoming"),
         N_("imaps://USER@HOST, imap:// (STARTTLS), pop3s://, pop3:// or maildir:PATH; an @ in USER is %40")},
    [FIELD_OUTGOING] = {N_("Outgoing"),
                        N_("smtps://USER@HOST or smtp:// (STARTTLS); empty: this account does not send")},
    [FIELD_PASSWORD] = {N_("Password"),
                        N_("\"command pass show mail/work\": its first line is the password; or \"keyring\", or \"ask\"")},
    [FIELD_ACCOUNT] = {N_("Account"), N_("a short name for it: work")},
    [FIELD_KEEP] = {N_("Keeps"), N_("texts off line: all, by age and size (365d, 20M), or envelopes: when opened")},
};

struct setup {
    struct view view;
    char *values[FIELDS];
    gboolean typed[FIELDS]; /* by the user: no guess overwrites it */
    int cursor;
    struct area area;
};

static const struct view_class setup_class;

static struct setup *
at_hand(struct app *app)
{
    return app_top(app)->class == &setup_class ? (struct setup *)app_top(app) : NULL;
}

/* ---- guesses from the address ---- */

static void
guess(struct setup *setup, enum field field, char *value)
{
    if (setup->typed[field]) {
        g_free(value);
        return;
    }
    g_free(setup->values[field]);
    setup->values[field] = value;
}

/* "imaps HOST" */
static char *
provider_url(const char *server, const char *user)
{
    g_auto(GStrv) words = g_strsplit(server, " ", 2);
    return g_strdup_printf("%s://%s@%s", words[0], user, words[1]);
}

static void
guess_all(struct setup *setup)
{
    const char *address = setup->values[FIELD_ADDRESS];
    const char *domain = address_domain(address);
    if (!*domain)
        return;
    g_autofree char *user = g_uri_escape_string(address, NULL, FALSE);
    g_autofree char *first = g_strndup(domain, strcspn(domain, "."));
    const struct provider *provider = provider_find(domain);
    guess(setup, FIELD_INCOMING,
          provider ? provider_url(provider->incoming, user) : g_strdup_printf("imaps://%s@imap.%s", user, domain));
    guess(setup, FIELD_OUTGOING,
          provider ? provider_url(provider->outgoing, user) : g_strdup_printf("smtps://%s@smtp.%s", user, domain));
    if (provider && provider->note)
        app_say(setup->view.app, "%s: %s", domain, _(provider->note));
    guess(setup, FIELD_PASSWORD, g_strdup("ask"));
    guess(setup, FIELD_ACCOUNT, g_steal_pointer(&first));
    guess(setup, FIELD_KEEP, g_strdup("all"));
}

/* ---- the form ---- */

static int
row_of(const struct setup *setup, int field)
{
    return setup->area.row + 5 + field * (setup->area.rows >= 22 ? 2 : 1);
}

static void
draw(struct view *view, const struct area *area)
{
    struct setup *setup = (struct setup *)view;
    setup->area = *area;
    term_put(area->row + 1, area->column + 2, area->columns - 4, PLAIN(ROLE_TITLE), _("A mail account"));
    g_autofree char *path =
        view->app->config->path ? text_safe(view->app->config->path, -1, TEXT_LINE) : g_strdup("");
    g_autofree char *where =
        g_strdup_printf(_("It becomes a section of %s, where it can be changed later."), path);
    struct area intro = {area->row + 2, area->column + 2, 2, area->columns - 4};
    draw_paragraph(&intro, PLAIN(ROLE_DIM), where);
    for (int i = 0; i < FIELDS; i++) {
        int row = row_of(setup, i);
        gboolean current = i == setup->cursor;
        if (current)
            term_put(row, area->column + 1, 1, PLAIN(ROLE_ACCENT), "▸");
        term_put(row, area->column + 3, 10, PLAIN(current ? ROLE_BOLD : ROLE_DIM), _(fields[i].label));
        term_put(row, area->column + 14, area->columns - 15, PLAIN(setup->typed[i] ? ROLE_TEXT : ROLE_DIM),
                 setup->values[i]);
    }
    int below = row_of(setup, FIELDS - 1) + 2;
    struct area help = {below, area->column + 3, 2, area->columns - 4};
    draw_paragraph(&help, PLAIN(ROLE_DIM), _(fields[setup->cursor].help));
}

static char *
title(struct view *view G_GNUC_UNUSED)
{
    return g_strdup(_("Postrider   account assistant"));
}

static char *
status(struct view *view G_GNUC_UNUSED)
{
    return g_strdup(_("Enter edits   Up and Down choose   y saves   q leaves without an account"));
}

static gboolean
place(struct app *app, struct area *area, gpointer data G_GNUC_UNUSED)
{
    struct setup *setup = at_hand(app);
    if (!setup)
        return FALSE;
    *area = (struct area){row_of(setup, setup->cursor), setup->area.column + 14, 1,
                          MAX(setup->area.columns - 15, 10)};
    return TRUE;
}

static void edit(struct setup *setup);

static void
typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct setup *setup = at_hand(app);
    if (!setup || !text)
        return;
    int field = setup->cursor;
    setup->typed[field] |= strcmp(setup->values[field], text) != 0 && *text;
    g_free(setup->values[field]);
    setup->values[field] = g_strstrip(g_strdup(text));
    if (field == FIELD_ADDRESS) {
        g_autoptr(GError) error = NULL;
        if (!address_check(setup->values[field], &error)) {
            app_error(app, NULL, g_steal_pointer(&error));
            return;
        }
        guess_all(setup);
    }
    if (setup->cursor + 1 < FIELDS) {
        setup->cursor++;
        edit(setup);
    } else {
        app_say(app, _("y saves it"));
    }
}

static void
edit(struct setup *setup)
{
    struct prompt_spec spec = {.text = setup->values[setup->cursor], .done = typed, .place = place};
    prompt_line(setup->view.app, &spec);
}

static void
save(struct setup *setup)
{
    struct app *app = setup->view.app;
    const char *const *values = (const char *const *)setup->values;
    struct address address = {*values[FIELD_REAL_NAME] ? setup->values[FIELD_REAL_NAME] : NULL,
                              setup->values[FIELD_ADDRESS]};
    g_autofree char *full = address_format(&address);
    g_autofree char *section = g_strdup_printf("account %s", values[FIELD_ACCOUNT]);
    const char *pairs[FIELDS * 2 + 1] = {"address", full, "incoming", values[FIELD_INCOMING]};
    guint n = 4;
    if (*values[FIELD_OUTGOING]) {
        pairs[n++] = "outgoing";
        pairs[n++] = values[FIELD_OUTGOING];
    }
    pairs[n++] = "password";
    pairs[n++] = values[FIELD_PASSWORD];
    if (*values[FIELD_KEEP] && strcmp(values[FIELD_KEEP], "all") != 0) {
        pairs[n++] = "keep";
        pairs[n++] = values[FIELD_KEEP];
    }
    g_autoptr(GError) error = NULL;
    if (!config_add_section(app->config->path, section, pairs, &error)) {
        app_error(app, _("not saved"), g_steal_pointer(&error));
        return;
    }
    struct config *config = config_load(app->config->path, &error);
    if (!config) {
        app_error(app, NULL, g_steal_pointer(&error));
        return;
    }
    config_free(app->config);
    app->config = config;
    app_remove(app, &setup->view);
    start_mail(app);
    app_say(app, _("the account is saved: mail comes as soon as the server answers"));
}

static gboolean
key(struct view *view, const struct key_event *event)
{
    struct setup *setup = (struct setup *)view;
    switch (event->key) {
    case K_ENTER:
    case 'e':
        edit(setup);
        return TRUE;
    case K_DOWN:
    case 'j':
    case K_TAB:
        setup->cursor = MIN(setup->cursor + 1, FIELDS - 1);
        return TRUE;
    case K_UP:
    case 'k':
    case K_BACK_TAB:
        setup->cursor = MAX(setup->cursor - 1, 0);
        return TRUE;
    case 'y':
        save(setup);
        return TRUE;
    case 'q':
        app_remove(view->app, view);
        return TRUE;
    default:
        return FALSE;
    }
}

static void
setup_free(struct view *view)
{
    struct setup *setup = (struct setup *)view;
    for (int i = 0; i < FIELDS; i++)
        g_free(setup->values[i]);
    g_free(setup);
}

static const struct view_class setup_class = {
    .context = IN_EDITOR,
    .draw = draw,
    .title = title,
    .status = status,
    .key = key,
    .free = setup_free,
};

void
command_setup(struct app *app, const char *argument G_GNUC_UNUSED)
{
    if (app->read_only || app->files) {
        app_warn(app, _("this session is read only"));
        return;
    }
    struct setup *setup = g_new0(struct setup, 1);
    setup->view.class = &setup_class;
    for (int i = 0; i < FIELDS; i++)
        setup->values[i] = g_strdup("");
    const char *name = g_get_real_name();
    if (name && strcmp(name, "Unknown") && strcmp(name, "root")) {
        g_free(setup->values[FIELD_REAL_NAME]);
        setup->values[FIELD_REAL_NAME] = g_strdup(name);
    }
    const char *mail = g_getenv("EMAIL");
    if (mail && address_check(mail, NULL)) {
        g_free(setup->values[FIELD_ADDRESS]);
        setup->values[FIELD_ADDRESS] = g_strdup(mail);
        guess_all(setup);
    }
    app_push(app, &setup->view);
    edit(setup);
}
