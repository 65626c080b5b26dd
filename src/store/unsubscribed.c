#include "config.h"

#include "store/unsubscribed.h"
#include "store/internal.h"
#include "base/clock.h"

gboolean
unsubscribed_note(struct store *store, const char *list, const char *how, gint64 message, GError **error)
{
    return sql_run(store, error, "INSERT OR REPLACE INTO unsubscribed (list, how, time, message) VALUES (?, ?, ?, ?)", "ssll",
                   list, how, clock_now(), message);
}

gint64
unsubscribed_since(struct store *store, const char *list, char **how)
{
    if (how)
        *how = sql_text(store, "SELECT how FROM unsubscribed WHERE list = ?", "s", list);
    return sql_int(store, 0, "SELECT time FROM unsubscribed WHERE list = ?", "s", list);
}
