#include "config.h"

#include "store/sender.h"
#include "store/contact.h"
#include "store/internal.h"
#include "base/clock.h"
#include "mail/address.h"

#include <string.h>

const char *
sender_word_name(enum sender_word word)
{
    return word == SENDER_BLOCKED ? "blocked" : word == SENDER_ALLOWED ? "allowed" : "";
}

void
sender_entry_free(struct sender_entry *entry)
{
    if (entry)
        g_free(entry->what);
    g_free(entry);
}

static struct sender_entry *
entry_new(enum sender_kind kind, const char *what)
{
    struct sender_entry *entry = g_new0(struct sender_entry, 1);
    entry->kind = kind;
    entry->what = g_utf8_strdown(what, -1);
    return entry;
}

/* A name without spaces and brackets that has something in it. */
static gboolean
is_name(const char *text)
{
    return *text && g_utf8_validate(text, -1, NULL) && !strpbrk(text, " \t\r\n<>,;\"");
}

struct sender_entry *
sender_entry_parse(const char *text, GError **error)
{
    if (g_str_has_prefix(text, "list:") && is_name(text + 5))
        return entry_new(SENDER_LIST, text + 5);
    if (*text == '@' && is_name(text + 1) && strchr(text, '.'))
        return entry_new(SENDER_DOMAIN, text + 1);
    g_autoptr(struct_address) address = *text == '@' ? NULL : address_parse(text, NULL);
    if (address && address->addr)
        return entry_new(SENDER_ADDRESS, address->addr);
    g_set_error(error, STORE_ERROR, ERROR_INPUT,
                "\"%s\" is no sender: write name@example.org, @example.org or list:dev.example.org", text);
    return NULL;
}

char *
sender_entry_text(const struct sender_entry *entry)
{
    static const char *const marks[] = {[SENDER_ADDRESS] = "", [SENDER_DOMAIN] = "@", [SENDER_LIST] = "list:"};
    return g_strconcat(marks[entry->kind], entry->what, NULL);
}

gboolean
sender_set(struct store *store, const struct sender_entry *entry, enum sender_word word, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = word == SENDER_NOTHING
                      ? sql_run(store, error, "DELETE FROM sender WHERE kind = ? AND what = ?", "is", (int) entry->kind,
                                entry->what)
                      : sql_run(store, error, "INSERT OR REPLACE INTO sender (kind, what, word, time) VALUES (?, ?, ?, ?)",
                                "isil", (int) entry->kind, entry->what, (int) word, clock_now());
    if (ok && entry->kind == SENDER_ADDRESS)
        ok = contact_set_blocked(store, entry->what, word == SENDER_BLOCKED, error);
    return txn_leave(store, own, ok, error);
}

static enum sender_word
look(struct store *store, enum sender_kind kind, const char *what, struct sender_entry **because)
{
    enum sender_word word = (enum sender_word) sql_int(store, SENDER_NOTHING,
                                                       "SELECT word FROM sender WHERE kind = ? AND what = ?", "is",
                                                       (int) kind, what);
    if (word != SENDER_NOTHING && because) {
        *because = entry_new(kind, what);
        (*because)->word = word;
    }
    return word;
}

enum sender_word
sender_ask(struct store *store, const char *address, const char *list_id, struct sender_entry **because)
{
    enum sender_word word = SENDER_NOTHING;
    g_autofree char *low = address ? g_utf8_strdown(address, -1) : NULL;
    g_autofree char *list = list_id ? g_utf8_strdown(list_id, -1) : NULL;
    if (because)
        *because = NULL;
    if (low)
        word = look(store, SENDER_ADDRESS, low, because);
    if (list && word == SENDER_NOTHING)
        word = look(store, SENDER_LIST, list, because);
    const char *domain = low ? strrchr(low, '@') : NULL;
    for (; domain && word == SENDER_NOTHING; domain = strchr(domain + 1, '.'))
        word = look(store, SENDER_DOMAIN, domain + 1, because);
    return word;
}

GPtrArray *
sender_list(struct store *store, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify) sender_entry_free);
    sqlite3_stmt *q = sql_query(store, error, "SELECT kind, what, word, time FROM sender ORDER BY time DESC, what", "");
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0) {
        struct sender_entry *entry = entry_new((enum sender_kind) sqlite3_column_int(q, 0), sql_str(q, 1));
        entry->word = (enum sender_word) sqlite3_column_int(q, 2);
        entry->time = sqlite3_column_int64(q, 3);
        g_ptr_array_add(list, entry);
    }
    return rc < 0 ? NULL : g_steal_pointer(&list);
}
