#include "config.h"

#include "ui/accounts.h"

#include "store/account.h"
#include "store/folder.h"

#include <string.h>

static gboolean
is_free(char (*letters)[7], guint n, const char *letter)
{
    for (guint i = 0; i < n; i++)
        if (!strcmp(letters[i], letter))
            return FALSE;
    return TRUE;
}

void
account_letters(const char *const *names, guint n, char (*letters)[7])
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *valid = g_utf8_make_valid(names[i], -1);
        gboolean found = FALSE;
        for (const char *p = valid; *p && !found; p = g_utf8_next_char(p)) {
            gunichar c = g_utf8_get_char(p);
            if (!g_unichar_isalnum(c) || g_unichar_iswide(c) || g_unichar_iszerowidth(c))
                continue;
            letters[i][g_unichar_to_utf8(c, letters[i])] = '\0';
            found = is_free(letters, i, letters[i]);
        }
        for (guint digit = 1; !found && digit <= 9; digit++) {
            g_snprintf(letters[i], sizeof letters[i], "%u", digit);
            found = is_free(letters, i, letters[i]);
        }
        if (!found)
            memcpy(letters[i], "·", sizeof "·");
    }
}

GArray *
account_marks(struct store *store)
{
    static const enum role roles[] = {ROLE_TAG, ROLE_GOOD, ROLE_LINK, ROLE_WARN, ROLE_PEOPLE, ROLE_QUOTE3};
    GArray *marks = g_array_new(FALSE, TRUE, sizeof(struct account_mark));
    g_autoptr(GPtrArray) accounts = store_account_list(store, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; accounts && i < accounts->len; i++) {
        const struct store_account *account = g_ptr_array_index(accounts, i);
        if (!folder_find_role(store, account->id, FOLDER_INBOX))
            continue;
        struct account_mark mark = {.account = account->id, .role = roles[marks->len % G_N_ELEMENTS(roles)]};
        g_array_append_val(marks, mark);
        g_ptr_array_add(names, account->name);
    }
    if (marks->len < 2)
        g_array_set_size(marks, 0);
    g_autofree gpointer room = g_malloc0((marks->len + 1) * sizeof(char[7]));
    char(*letters)[7] = room;
    account_letters((const char *const *)names->pdata, marks->len, letters);
    for (guint i = 0; i < marks->len; i++)
        memcpy(g_array_index(marks, struct account_mark, i).letter, letters[i], sizeof letters[i]);
    return marks;
}

const struct account_mark *
account_mark(const GArray *marks, gint64 account)
{
    for (guint i = 0; marks && i < marks->len; i++)
        if (g_array_index(marks, struct account_mark, i).account == account)
            return &g_array_index(marks, struct account_mark, i);
    return NULL;
}
