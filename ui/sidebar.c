#include "config.h"

#include "ui/sidebar.h"

#include "base/text.h"
#include "base/width.h"
#include "search/query.h"
#include "store/account.h"
#include "store/folder.h"
#include "store/list.h"
#include "ui/accounts.h"
#include "ui/app.h"
#include "ui/columns.h"
#include "ui/draw.h"
#include "ui/link.h"
#include "ui/tally.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

struct entry {
    gboolean heading;
    char *name;                    /* shown */
    char *account;                 /* of a heading: for its state */
    const struct account_mark *mark; /* likewise */
    gint64 folder;                 /* or */
    guint role;                    /* or */
    char *query;
    gint64 count;
    guint level;
};

struct sidebar {
    struct app *app;
    GPtrArray *entries;
    GArray *marks; /* accounts.h */
    struct tally *tally;
    gboolean hidden;
    int top, drawn; /* lines; first entry drawn */
    int wanted;
};

static void
entry_free(gpointer data)
{
    struct entry *entry = data;
    g_free(entry->name);
    g_free(entry->account);
    g_free(entry->query);
    g_free(entry);
}

static struct entry *
add(struct sidebar *bar, const char *name)
{
    struct entry *entry = g_new0(struct entry, 1);
    entry->name = text_safe(name, -1, TEXT_LINE);
    g_ptr_array_add(bar->entries, entry);
    bar->wanted = MAX(bar->wanted, width_text(entry->name) + 10);
    return entry;
}

static struct entry *
add_heading(struct sidebar *bar, const char *name)
{
    struct entry *entry = add(bar, name);
    entry->heading = TRUE;
    return entry;
}

/* What is worth knowing of a folder: drafts wait, what was sent is read, of the rest what is unread. */
static gint64
count_of(const struct folder *folder)
{
    return folder->role == FOLDER_DRAFTS ? folder->total : folder->role == FOLDER_SENT ? 0 : folder->unread;
}

static void
add_folder(struct sidebar *bar, const struct folder *folder)
{
    const char *name = strrchr(folder->name, '/');
    struct entry *entry = add(bar, name && name[1] ? name + 1 : folder->name);
    for (const char *p = folder->name; *p; p++)
        entry->level += *p == '/';
    entry->folder = folder->id;
    entry->count = count_of(folder);
}

/* ---- all accounts as one ---- */

static const struct {
    guint role;
    const char *name, *title;
} roles[] = {
    {FOLDER_INBOX, N_("Inbox"), N_("all inboxes")},   {FOLDER_DRAFTS, N_("Drafts"), N_("all drafts")},
    {FOLDER_SENT, N_("Sent"), N_("all sent mail")},   {FOLDER_ARCHIVE, N_("Archive"), N_("all archives")},
    {FOLDER_JUNK, N_("Junk"), N_("all junk")},        {FOLDER_TRASH, N_("Trash"), N_("all trash")},
};

const char *
sidebar_role_title(guint role)
{
    for (guint i = 0; i < G_N_ELEMENTS(roles); i++)
        if (roles[i].role == role)
            return _(roles[i].title);
    return folder_role_name(role);
}

static void
add_roles(struct sidebar *bar)
{
    g_autoptr(GPtrArray) all = folder_list(bar->app->store, 0, FALSE, NULL);
    if (!all || !bar->app->config->one_inbox || !bar->marks->len)
        return;
    add_heading(bar, _("All accounts"));
    for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
        g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
        gint64 count = 0;
        for (guint j = 0; j < all->len; j++) {
            const struct folder *folder = g_ptr_array_index(all, j);
            if (folder->role != roles[i].role)
                continue;
            g_array_append_val(ids, folder->id);
            count += count_of(folder);
        }
        if (!ids->len)
            continue;
        struct list_view view = {
            .kind = LIST_MESSAGES, .folders = (const gint64 *)(gpointer)ids->data, .n_folders = ids->len};
        struct entry *entry = add(bar, _(roles[i].name));
        entry->role = roles[i].role;
        entry->count = count && roles[i].role == FOLDER_INBOX ? list_unread(bar->app->store, &view) : count;
    }
}

static void
add_account(struct sidebar *bar, const struct store_account *account, gboolean alone)
{
    g_autoptr(GPtrArray) folders = folder_list(bar->app->store, account->id, FALSE, NULL);
    if (!folders || (!folders->len && !alone))
        return;
    const char *title = account->addresses && account->addresses[0] ? account->addresses[0] : account->name;
    struct entry *heading = add_heading(bar, title);
    heading->account = g_strdup(account->name);
    heading->mark = account_mark(bar->marks, account->id);
    for (guint j = 0; j < folders->len; j++) {
        const struct folder *folder = g_ptr_array_index(folders, j);
        if (folder->bits & FOLDER_SELECTABLE || folder->total)
            add_folder(bar, folder);
    }
}

void
sidebar_refresh(struct sidebar *bar)
{
    g_ptr_array_set_size(bar->entries, 0);
    bar->wanted = 16;
    if (!bar->app->store)
        return;
    g_array_unref(bar->marks);
    bar->marks = account_marks(bar->app->store);
    add_roles(bar);
    g_autoptr(GPtrArray) accounts = store_account_list(bar->app->store, NULL);
    for (guint i = 0; accounts && i < accounts->len; i++)
        add_account(bar, g_ptr_array_index(accounts, i), accounts->len == 1);
    GArray *searches = bar->app->config->searches;
    if (searches && searches->len)
        add_heading(bar, _("Searches"));
    for (guint i = 0; searches && i < searches->len; i++) {
        const struct config_pair *pair = &g_array_index(searches, struct config_pair, i);
        add(bar, pair->key)->query = g_strdup(pair->value);
        struct query *query = search_parse(pair->value, SEARCH_NOTMUCH, NULL, NULL);
        struct list_view view = {.kind = LIST_SEARCH, .query = query ? search_exclude(query) : NULL};
        if (view.query)
            tally_want(bar->tally, pair->value, &view);
        query_free((struct query *)view.query);
    }
    tally_again(bar->tally);
}

struct sidebar *
sidebar_new(struct app *app)
{
    struct sidebar *bar = g_new0(struct sidebar, 1);
    bar->app = app;
    bar->entries = g_ptr_array_new_with_free_func(entry_free);
    bar->marks = g_array_new(FALSE, FALSE, sizeof(struct account_mark));
    bar->tally = tally_new(app);
    bar->hidden = !app->config->side_bar;
    sidebar_refresh(bar);
    return bar;
}

void
sidebar_free(struct sidebar *bar)
{
    if (!bar)
        return;
    g_ptr_array_unref(bar->entries);
    g_array_unref(bar->marks);
    tally_free(bar->tally);
    g_free(bar);
}

int
sidebar_width(struct sidebar *bar, int screen)
{
    return bar->hidden || !bar->entries->len ? 0 : columns_side_bar(screen, bar->wanted);
}

void
sidebar_toggle(struct sidebar *bar)
{
    bar->hidden = !bar->hidden;
}

static gboolean
is_shown(const struct entry *entry, const struct sidebar_target *shown)
{
    if (entry->heading)
        return FALSE;
    if (shown->query)
        return !g_strcmp0(entry->query, shown->query);
    return !entry->query && entry->folder == shown->folder && entry->role == shown->role;
}

static int
shown_index(const struct sidebar *bar, const struct sidebar_target *shown)
{
    for (guint i = 0; i < bar->entries->len; i++)
        if (is_shown(g_ptr_array_index(bar->entries, i), shown))
            return (int)i;
    return -1;
}

static void
draw_heading(struct sidebar *bar, const struct entry *entry, int row, const struct area *area)
{
    const struct link_account *state = entry->account ? link_account(bar->app->link, entry->account) : NULL;
    const char *mark = !state                              ? ""
                       : !strcmp(state->state, "syncing")  ? "⟳"
                       : !strcmp(state->state, "error")    ? "!"
                       : !strcmp(state->state, "offline")  ? "○"
                       : !strcmp(state->state, "password") ? "?"
                                                           : "";
    int room = area->columns - (*mark ? 4 : 2), column = area->column + 1;
    if (entry->mark) {
        term_put(row, column, 1, PLAIN(entry->mark->role), entry->mark->letter);
        column += 2;
        room -= 2;
    }
    g_autofree char *cut = width_cut(entry->name, MAX(room, 1));
    term_put(row, column, room, PLAIN(ROLE_BOLD), cut);
    if (*mark)
        term_put(row, area->column + area->columns - 2, 1,
                 PLAIN(*mark == '!' || *mark == '?' ? ROLE_BAD : ROLE_DIM), mark);
}

void
sidebar_draw(struct sidebar *bar, const struct area *area, const struct sidebar_target *target)
{
    int n = (int)bar->entries->len, current = shown_index(bar, target);
    if (current >= 0 && current < bar->top)
        bar->top = current;
    if (current >= bar->top + area->rows)
        bar->top = current - area->rows + 1;
    bar->top = CLAMP(bar->top, 0, MAX(n - area->rows, 0));
    for (int i = 0; i < area->rows && bar->top + i < n; i++) {
        const struct entry *entry = g_ptr_array_index(bar->entries, (guint)(bar->top + i));
        int row = area->row + i;
        if (entry->heading) {
            draw_heading(bar, entry, row, area);
            continue;
        }
        gboolean shown = bar->top + i == current;
        enum ground ground = shown ? GROUND_CURSOR_AWAY : GROUND_PLAIN;
        if (shown)
            term_fill(row, area->column, 1, area->columns, STYLE_ON(ROLE_TEXT, ground));
        gboolean unread = entry->count > 0;
        g_autofree char *count = entry->query   ? tally_text(bar->tally, entry->query, &unread)
                                 : entry->count ? g_strdup_printf("%" G_GINT64_FORMAT, entry->count)
                                                : g_strdup("");
        int count_width = width_text(count), indent = 3 + (int)MIN(entry->level, 4) * 2;
        int room = area->columns - indent - count_width - 2;
        g_autofree char *cut = width_cut(entry->name, MAX(room, 1));
        term_put(row, area->column + indent, MAX(room, 1),
                 STYLE_ON(shown          ? ROLE_ACCENT
                          : unread ? ROLE_BOLD
                                   : ROLE_TEXT,
                          ground),
                 cut);
        term_put(row, area->column + area->columns - count_width - 1, count_width,
                 STYLE_ON(unread ? ROLE_ACCENT : ROLE_DIM, ground), count);
    }
}

static gboolean
target_of(const struct entry *entry, struct sidebar_target *target)
{
    *target = (struct sidebar_target){entry->folder, entry->role, entry->query};
    return !entry->heading;
}

gboolean
sidebar_step(struct sidebar *bar, int step, const struct sidebar_target *shown, struct sidebar_target *target)
{
    int at = shown_index(bar, shown);
    if (at < 0)
        at = step > 0 ? -1 : (int)bar->entries->len;
    for (at += step; at >= 0 && at < (int)bar->entries->len; at += step)
        if (target_of(g_ptr_array_index(bar->entries, (guint)at), target))
            return TRUE;
    return FALSE;
}

gboolean
sidebar_at(struct sidebar *bar, int line, struct sidebar_target *target)
{
    int at = bar->top + line;
    return at >= 0 && at < (int)bar->entries->len &&
           target_of(g_ptr_array_index(bar->entries, (guint)at), target);
}
