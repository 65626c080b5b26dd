/* folders.c - postrider folders: what there is, and how each stands */
#include "config.h"

#include "cli/commands.h"
#include "cli/rows.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "base/width.h"
#include "store/quota.h"
#include "store/standing.h"

struct line {
    const struct folder *folder;
    const struct pending *pending;
    enum standing standing;
    char *keep; /* NULL: the account is not in the configuration */
};

static gboolean
print_json(const struct line *line, GError **error)
{
    const struct folder *folder = line->folder;
    static const struct pending none;
    const struct pending *pending = line->pending ? line->pending : &none;
    struct json json;
    g_autofree char *synced = folder->synced ? clock_rfc3339(folder->synced, 0) : NULL;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "account", folder->account_name);
    json_string(&json, "name", folder->name);
    json_string(&json, "role", *folder_role_name(folder->role) ? folder_role_name(folder->role) : NULL);
    json_int(&json, "total", folder->total);
    json_int(&json, "unread", folder->unread);
    json_int(&json, "uidvalidity", folder->uidvalidity);
    json_string(&json, "synced", synced);
    json_string(&json, "keep", line->keep);
    json_string(&json, "state", standing_name(line->standing));
    json_string(&json, "notice", folder->notice ? folder->notice : pending->error);
    json_object_begin(&json, "pending");
    json_int(&json, "marks", pending->marks);
    json_int(&json, "moves", pending->moves);
    json_int(&json, "copies", pending->copies);
    json_int(&json, "uploads", pending->uploads);
    json_int(&json, "deletions", pending->deletions);
    json_int(&json, "folder", pending->folder);
    json_object_end(&json);
    json_object_end(&json);
    return cli_print_json(&json, error);
}

/* What is worth a look, behind the columns. */
static char *
remark(const struct line *line)
{
    const struct folder *folder = line->folder;
    const char *why = folder->notice ? folder->notice : line->pending ? line->pending->error : NULL;
    g_autofree char *waits = pending_to_string(line->pending), *safe = why ? text_safe(why, -1, TEXT_LINE) : NULL;
    GString *out = g_string_new(NULL);
    if (*waits)
        g_string_append_printf(out, _("  to send: %s"), waits);
    if (safe)
        g_string_append_printf(out, "  ! %s", safe);
    if (line->standing == STANDING_HELD)
        g_string_append_printf(out, _(" (postrider sync --agree \"%s\")"), folder->name);
    return g_string_free(out, FALSE);
}

static gboolean
print_line(const struct line *line, int account_width, int name_width, GError **error)
{
    const struct folder *folder = line->folder;
    g_autofree char *account = text_safe(folder->account_name, -1, TEXT_LINE), *name = text_safe(folder->name, -1, TEXT_LINE);
    g_autofree char *account_cell = width_fit(account, account_width), *name_cell = width_fit(name, name_width);
    g_autofree char *when = folder->synced ? clock_relative(folder->synced, clock_now()) : g_strdup("-");
    g_autofree char *when_cell = width_fit(when, 12), *state_cell = width_fit(standing_word(line->standing), 14);
    g_autofree char *keep = g_strdup(line->keep ? line->keep : "-"), *keep_cell = width_fit(keep, 10);
    g_autofree char *more = remark(line);
    g_autofree char *text = g_strdup_printf("%s %s %-9s %8" G_GINT64_FORMAT " %7" G_GINT64_FORMAT "  %s %s %s%s", account_cell,
                                            name_cell, folder_role_name(folder->role), folder->total, folder->unread,
                                            state_cell, when_cell, keep_cell, more);
    return cli_print(g_strchomp(text), error);
}

static gboolean
print_head(int account_width, int name_width, GError **error)
{
    if (cli_json)
        return TRUE;
    g_autofree char *account = width_fit(_("account"), account_width), *name = width_fit(_("folder"), name_width);
    g_autofree char *state = width_fit(_("state"), 14), *when = width_fit(_("read"), 12);
    g_autofree char *text = g_strdup_printf("%s %s %-9s %8s %7s  %s %s %s", account, name, _("role"), _("mail"), _("unread"),
                                            state, when, _("keeps"));
    return cli_print(text, error);
}

static int
widest(const GPtrArray *folders, gboolean account, int least, int most)
{
    int wide = least;
    for (guint i = 0; i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        g_autofree char *safe = text_safe(account ? folder->account_name : folder->name, -1, TEXT_LINE);
        wide = MAX(wide, width_text(safe));
    }
    return MIN(wide, most);
}

/* How full the account's mailbox is, behind its folders. */
static gboolean
print_quotas(struct store *store, const struct folder *of, GError **error)
{
    g_autoptr(GPtrArray) quotas = quota_list(store, of->account, error);
    for (guint i = 0; quotas && i < quotas->len; i++) {
        g_autofree char *text = quota_text(quotas->pdata[i]);
        g_autofree char *line = g_strdup_printf(_("%s: the server keeps %s"), of->account_name, text);
        if (!cli_print(line, error))
            return FALSE;
    }
    return quotas != NULL;
}

static gboolean
run_folders(int argc, char **argv G_GNUC_UNUSED, int *exit_code G_GNUC_UNUSED, GError **error)
{
    gint64 account;
    if (argc)
        return cli_usage_error(error, _("folders takes no arguments"));
    struct store *store = cli_store(STORE_READ, error);
    const struct config *config = cli_config(error);
    if (!store || !config || !cli_account_id(store, &account, error))
        return FALSE;
    g_autoptr(GPtrArray) folders = folder_list(store, account, FALSE, error);
    g_autoptr(GHashTable) pending = folders ? pending_list(store, account, error) : NULL;
    if (!pending)
        return FALSE;
    int account_width = widest(folders, TRUE, 7, 16), name_width = widest(folders, FALSE, 6, 40);
    if (folders->len && !print_head(account_width, name_width, error))
        return FALSE;
    for (guint i = 0; i < folders->len; i++) {
        const struct folder *folder = folders->pdata[i];
        gboolean last = i + 1 == folders->len || ((const struct folder *)folders->pdata[i + 1])->account != folder->account;
        const struct account *of = config->accounts->len ? config_account(config, folder->account_name, NULL) : NULL;
        const struct keep *keep = of ? keep_of(of, folder->name) : NULL;
        struct line line = {folder, g_hash_table_lookup(pending, &folder->id), 0, keep ? keep_to_string(keep) : NULL};
        line.standing = standing_of(folder, keep, line.pending);
        gboolean ok = cli_json ? print_json(&line, error) : print_line(&line, account_width, name_width, error);
        g_free(line.keep);
        if (!ok || (last && !cli_json && !print_quotas(store, folder, error)))
            return FALSE;
    }
    return TRUE;
}

const struct cli_command cmd_folders = {
    "folders",
    NULL,
    N_("the folders, with their role and counts"),
    N_("The state is one of: in step; changes wait (made here, not yet on the server: what they are stands behind); not read "
       "yet; only here; held back (a pass would have removed much: see sync --agree); trouble (the reason stands behind); not "
       "subscribed; left alone (keep = off); no mail in it. The last column is the rule of \"keep\" in postrider-config(5)."),
    NULL,
    WORDS_ANYWHERE,
    run_folders};
