/* query_dump.h - a search tree as an s-expression, for the tables of the parser tests
 *
 * (and (from "ana") (not seen)): kinds and fields by name, words in double quotes, beginnings with *, substrings in
 * single quotes, patterns in slashes, ranges as [a,b] with - for an open end.
 */
#ifndef QUERY_DUMP_H
#define QUERY_DUMP_H

#include "base/flags.h"
#include "store/query.h"

static inline void
query_dump_fields(GString *out, guint fields)
{
    static const char *const names[] = {"from", "to",         "cc",       "bcc",        "sender", "subject",
                                        "body", "attachment", "mimetype", "references", "list"};
    if (fields == QUERY_ANYWHERE) {
        g_string_append(out, "any");
        return;
    }
    for (guint i = 0, first = TRUE; i < G_N_ELEMENTS(names); i++)
        if (fields & 1u << i) {
            g_string_append_printf(out, "%s%s", first ? "" : "|", names[i]);
            first = FALSE;
        }
}

static inline void
query_dump_end(GString *out, gint64 value)
{
    if (value == G_MININT64 || value == G_MAXINT64)
        g_string_append_c(out, '-');
    else
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value);
}

static inline void
query_dump_append(GString *out, const struct query *query)
{
    static const char *const kinds[] = {"all",         "none",    "and",    "or",      "xor",  "not",       "text",
                                        "flag",        "tag",     "id",     "number",  "thread", "folder",  "path",
                                        "role",        "account", "date",   "received", "size", "attachments", "mine",
                                        "list?",       "signed",  "encrypted", "in-thread", "answers", "answered-by",
                                        "marked"};
    G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == QUERY_MARKED + 1);
    if (query->kind == QUERY_FLAG) {
        for (const struct flag_name *name = flag_names; name->bit; name++)
            if (name->bit == query->flag)
                g_string_append(out, name->json);
        return;
    }
    gboolean is_leaf = !query->children && !query->text && query->kind != QUERY_MINE && !query->min && !query->max;
    if (!is_leaf)
        g_string_append_c(out, '(');
    if (query->kind == QUERY_TEXT)
        query_dump_fields(out, query->fields);
    else
        g_string_append(out, kinds[query->kind]);
    if (query->kind == QUERY_MINE) {
        g_string_append_c(out, ' ');
        query_dump_fields(out, query->fields);
    }
    if (query->text) {
        static const char *const quotes[] = {"\"\"", "\"*", "''", "//"};
        g_string_append_printf(out, " %c%s%c", quotes[query->match][0], query->text, quotes[query->match][1]);
    } else if (!is_leaf && !query->children && query->kind != QUERY_MINE) {
        g_string_append(out, " [");
        query_dump_end(out, query->min);
        g_string_append_c(out, ',');
        query_dump_end(out, query->max);
        g_string_append_c(out, ']');
    }
    for (guint i = 0; query->children && i < query->children->len; i++) {
        g_string_append_c(out, ' ');
        query_dump_append(out, query->children->pdata[i]);
    }
    if (!is_leaf)
        g_string_append_c(out, ')');
}

static inline char *
query_dump(const struct query *query)
{
    GString *out = g_string_new(NULL);
    query_dump_append(out, query);
    return g_string_free(out, FALSE);
}

#endif
