#include "config.h"

#include "store/known.h"
#include "store/arrival.h"
#include "store/internal.h"
#include "base/skeleton.h"
#include "mail/address.h"
#include "mail/domain.h"

#include <string.h>

#define SUMMED 2000 /* addresses of one owner that are added up */
#define WRITTEN_MAX 3000
#define PEOPLE_MAX 20
#define FAMILIAR " (sent > 0 OR replied > 0 OR by_hand OR received >= 5) AND junk <= good + sent + replied"

char *
known_owner_of(const char *addr)
{
    const char *domain = addr ? address_domain(addr) : "";
    g_autofree char *ascii = *domain ? address_domain_to_ascii(domain) : NULL;
    char *owner = ascii ? domain_organisation(ascii) : NULL;
    return owner || !ascii ? owner : g_ascii_strdown(ascii, -1);
}

/* In the letters that a person sees. */
static char *
looks_of_text(const char *text)
{
    g_autofree char *shown = strstr(text, "xn--") ? g_hostname_to_unicode(text) : NULL;
    return skeleton_of(shown ? shown : text);
}

static void
take_text(sqlite3_context *context, char *text)
{
    if (text)
        sqlite3_result_text(context, text, -1, g_free);
    else
        sqlite3_result_null(context);
}

static void
owner_of(sqlite3_context *context, int n G_GNUC_UNUSED, sqlite3_value **args)
{
    take_text(context, known_owner_of((const char *)sqlite3_value_text(args[0])));
}

static void
looks_of(sqlite3_context *context, int n G_GNUC_UNUSED, sqlite3_value **args)
{
    const char *text = (const char *)sqlite3_value_text(args[0]);
    take_text(context, text ? looks_of_text(text) : NULL);
}

gboolean
known_functions(struct store *store, GError **error)
{
    static const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY | SQLITE_DETERMINISTIC;
    int rc = sqlite3_create_function_v2(store->db, "owner_of", 1, flags, NULL, owner_of, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(store->db, "looks_of", 1, flags, NULL, looks_of, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        sql_error(store, rc, error);
    return rc == SQLITE_OK;
}

gboolean
known_owner(struct store *store, const char *owner, struct known *known, GError **error)
{
    memset(known, 0, sizeof *known);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT min(CASE WHEN first > 0 THEN first END), sum(received), sum(sent), sum(replied), sum(junk),"
                                " sum(good) FROM (SELECT * FROM contact WHERE owner = ? LIMIT ?)",
                                "si", owner, SUMMED);
    if (!q || sql_row(store, q, error) <= 0)
        return FALSE;
    guint *const sums[] = {&known->received, &known->sent, &known->replied, &known->junk, &known->good};
    known->first = sqlite3_column_int64(q, 0);
    for (int i = 0; i < (int)G_N_ELEMENTS(sums); i++)
        *sums[i] = (guint)sqlite3_column_int64(q, 1 + i);
    sql_end(q);
    q = sql_query(store, error, "SELECT vouched, junk, good FROM known_owner WHERE owner = ?", "s", owner);
    int rc = q ? sql_row(store, q, error) : -1;
    if (rc > 0) {
        known->vouched = (guint)sqlite3_column_int64(q, 0);
        known->vouched_junk = (guint)sqlite3_column_int64(q, 1);
        known->vouched_good = (guint)sqlite3_column_int64(q, 2);
        sql_end(q);
    }
    return rc >= 0;
}

gboolean
known_owner_is_familiar(struct store *store, const char *owner)
{
    return sql_int(store, 0, "SELECT 1 FROM contact WHERE owner = ? AND" FAMILIAR " LIMIT 1", "s", owner) != 0;
}

static GPtrArray *
read_owners(struct store *store, sqlite3_stmt *q, GError **error)
{
    g_autoptr(GPtrArray) owners = g_ptr_array_new_with_free_func(g_free);
    int rc = q ? 0 : -1;
    while (q && (rc = sql_row(store, q, error)) > 0)
        g_ptr_array_add(owners, sql_dup(q, 0));
    return rc < 0 ? NULL : g_steal_pointer(&owners);
}

GPtrArray *
known_owners_like(struct store *store, const char *owner, GError **error)
{
    g_autofree char *looks = looks_of_text(owner);
    return read_owners(store, sql_query(store, error, "SELECT owner FROM known_owner WHERE looks = ? LIMIT 50", "s", looks), error);
}

GPtrArray *
known_owners_written(struct store *store, gsize least, gsize most, GError **error)
{
    return read_owners(store,
                       sql_query(store, error,
                                 "SELECT DISTINCT owner FROM contact WHERE sent > 0 AND length(owner) BETWEEN ? AND ? LIMIT ?",
                                 "lli", (gint64)least, (gint64)most, WRITTEN_MAX),
                       error);
}

GPtrArray *
known_people(struct store *store, const char *name, GError **error)
{
    g_autofree char *looks = skeleton_of(name), *written = skeleton_as_written(name);
    g_autoptr(GPtrArray) people = g_ptr_array_new_with_free_func((GDestroyNotify)contact_free);
    sqlite3_stmt *q = sql_query(store, error,
                                "SELECT addr FROM contact WHERE looks IN (?, ?) AND (sent > 0 OR replied > 0 OR by_hand)"
                                " AND junk <= good + sent + replied ORDER BY sent + replied DESC LIMIT ?",
                                "ssi", looks, written, PEOPLE_MAX);
    g_autoptr(GPtrArray) addresses = read_owners(store, q, error);
    for (guint i = 0; addresses && i < addresses->len; i++) {
        struct contact *contact = contact_find(store, addresses->pdata[i], NULL);
        if (contact)
            g_ptr_array_add(people, contact);
    }
    return addresses ? g_steal_pointer(&people) : NULL;
}

static gboolean
count(struct store *store, const char *owner, guint vouched, guint junk, guint good, GError **error)
{
    g_autofree char *looks = looks_of_text(owner);
    return sql_run(store, error,
                   "INSERT INTO known_owner (owner, looks, vouched, junk, good) VALUES (?1, ?2, ?3, ?4, ?5)"
                   " ON CONFLICT (owner) DO UPDATE SET vouched = vouched + ?3, junk = junk + ?4, good = good + ?5",
                   "ssiii", owner, looks ? looks : owner, vouched, junk, good);
}

gboolean
known_arrived(struct store *store, gint64 message, const char *stage, const char *verdict, const char *vouched_by,
              GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    g_autofree char *before = verdict_get(store, message, stage);
    gboolean ok = (before || !vouched_by || count(store, vouched_by, 1, 0, 0, error)) &&
                  verdict_set(store, message, stage, verdict, error);
    return txn_leave(store, own, ok, error);
}

gboolean
known_called(struct store *store, const char *addr, const char *vouched_by, gboolean junk, GError **error)
{
    gboolean own;
    if (!txn_enter(store, &own, error))
        return FALSE;
    gboolean ok = (!addr || !strchr(addr, '@') || contact_count_junk(store, addr, junk, error)) &&
                  (!vouched_by || count(store, vouched_by, 0, junk, !junk, error));
    return txn_leave(store, own, ok, error);
}
