/* explain.c - a search tree in words, for the chips above a list (chips.c) and for `search --explain` */
#include "config.h"

#include "search/query.h"

#include <string.h>

#include "base/flags.h"
#include "base/i18n.h"
#include "base/text.h"
#include "search/fields.h"
#include "store/folder.h"
#include "store/message.h"

static void explain(GString *out, const struct query *query, gboolean is_inside);

static char *
day_of(gint64 seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds);
    return time ? g_date_time_format(time, "%-d %b %Y") : g_strdup("?");
}

/* The day, and the time unless it is the first (or, for an end, the last) second of it. */
static char *
moment_of(gint64 seconds, gboolean is_end)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(seconds + is_end);
    if (!time)
        return g_strdup("?");
    if (g_date_time_get_hour(time) || g_date_time_get_minute(time) || g_date_time_get_second(time))
        return g_date_time_format(time, "%-d %b %Y %H:%M");
    return day_of(seconds);
}

static void
explain_dates(GString *out, const struct query *query)
{
    g_autofree char *from = moment_of(query->min, FALSE), *to = moment_of(query->max, TRUE);
    g_string_append(out, query->kind == QUERY_RECEIVED ? _("received ") : "");
    if (query->max == G_MAXINT64)
        g_string_append_printf(out, _("since %s"), from);
    else if (query->min == G_MININT64)
        g_string_append_printf(out, _("until %s"), to);
    else if (!strcmp(from, to))
        g_string_append_printf(out, _("on %s"), from);
    else
        g_string_append_printf(out, _("%s to %s"), from, to);
}

static char *
number_of(const struct query *query, gint64 value)
{
    return query->kind == QUERY_SIZE ? text_size((guint64)MAX(value, 0))
                                     : g_strdup_printf("%" G_GINT64_FORMAT, value);
}

static void
explain_numbers(GString *out, const struct query *query, const char *what)
{
    g_autofree char *min = number_of(query, query->min), *max = number_of(query, query->max);
    g_string_append(out, what);
    if (query->min == query->max)
        g_string_append(out, min);
    else if (query->max == G_MAXINT64)
        g_string_append_printf(out, _("at least %s"), min);
    else if (query->min == G_MININT64)
        g_string_append_printf(out, _("at most %s"), max);
    else
        g_string_append_printf(out, _("%s to %s"), min, max);
}

/* "one" near "two" */
static void
explain_near(GString *out, const struct query *query)
{
    g_auto(GStrv) words = g_strsplit(query->text, "\n", -1);
    g_autofree char *joint = g_strdup_printf("\" %s \"", query->match == QUERY_NEAR ? _("near") : _("soon before"));
    g_autofree char *joined = g_strjoinv(joint, words);
    g_string_append_printf(out, "\"%s\"", joined);
}

static void
explain_value(GString *out, const struct query *query)
{
    if (query->kind == QUERY_TEXT && (query->match == QUERY_NEAR || query->match == QUERY_ADJACENT)) {
        explain_near(out, query);
        return;
    }
    const char *format = query->match == QUERY_REGEX    ? "/%s/"
                         : query->match == QUERY_PREFIX ? "\"%s…\""
                                                        : "\"%s\"";
    g_auto(GStrv) parts = g_strsplit(format, "%s", 2);
    g_string_append_printf(out, "%s%s%s", parts[0], query->text, parts[1]);
}

static void
explain_fields(GString *out, guint fields)
{
    static const struct {
        guint fields;
        const char *name;
    } names[] = {
        {QUERY_ANYWHERE, ""},
        {QUERY_FROM | QUERY_TO | QUERY_CC | QUERY_BCC | QUERY_SENDER, N_("from or to")},
        {QUERY_TO | QUERY_CC | QUERY_BCC, N_("to")},
        {QUERY_FROM, N_("from")},
        {QUERY_TO, N_("to (only To)")},
        {QUERY_CC, N_("cc")},
        {QUERY_BCC, N_("bcc")},
        {QUERY_SENDER, N_("sender")},
        {QUERY_SUBJECT, N_("subject")},
        {QUERY_BODY, N_("text")},
        {QUERY_ATTACHMENT, N_("attachment")},
        {QUERY_MIMETYPE, N_("type")},
        {QUERY_REFERENCES, N_("references")},
        {QUERY_LIST_ID, N_("list")},
    };
    const char *separator = "";
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if ((fields & names[i].fields) != names[i].fields)
            continue;
        fields &= ~names[i].fields;
        if (!*names[i].name)
            continue;
        g_string_append_printf(out, "%s%s", separator, _(names[i].name));
        separator = _(" or ");
    }
    if (*separator)
        g_string_append_c(out, ' ');
}

static const char *
flag_word(guint flag, gboolean is_set)
{
    if (flag == FLAG_SEEN)
        return is_set ? _("read") : _("unread");
    for (const struct flag_name *name = flag_names; name->bit && is_set; name++)
        if (name->bit == flag)
            return name->json;
    return NULL;
}

static const char *
bit_word(guint bit)
{
    static const struct {
        guint bit;
        const char *words;
    } bits[] = {
        {MESSAGE_ATTACHMENTS, N_("with attachments")},
        {MESSAGE_SIGNED, N_("signed")},
        {MESSAGE_ENCRYPTED, N_("encrypted")},
        {MESSAGE_CALENDAR, N_("with an invitation")},
        {MESSAGE_REPORT, N_("a delivery report")},
        {MESSAGE_FROM_ME, N_("from me")},
        {MESSAGE_BROKEN, N_("unreadable")},
        {MESSAGE_LIST, N_("from a mailing list")},
        {MESSAGE_INDEXED, N_("indexed")},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bits); i++)
        if (bits[i].bit == bit)
            return _(bits[i].words);
    return "?";
}

static const char *
role_word(guint role)
{
    static const char *const words[FOLDER_ROLES] = {
        [FOLDER_INBOX] = N_("inbox"), [FOLDER_DRAFTS] = N_("drafts"),   [FOLDER_SENT] = N_("sent"),
        [FOLDER_JUNK] = N_("junk"),   [FOLDER_TRASH] = N_("trash"),     [FOLDER_ARCHIVE] = N_("archive"),
        [FOLDER_ALL] = N_("all"),     [FOLDER_FLAGGED] = N_("flagged"), [FOLDER_IMPORTANT] = N_("important"),
    };
    return role < FOLDER_ROLES && words[role] ? _(words[role]) : _("no role");
}

/* "inbox" for what tag:inbox became, and so on. */
static const char *
place_word(const struct query *query)
{
    for (const char *const *word = search_tag_words; *word; word++) {
        g_autoptr(struct_query) tree = search_tag_query(*word);
        if (tree->kind == QUERY_OR && query_equal(tree, query))
            return *word;
    }
    return NULL;
}

static void
explain_list(GString *out, const struct query *query, const char *separator, gboolean is_inside)
{
    if (is_inside)
        g_string_append_c(out, '(');
    for (guint i = 0; i < query->children->len; i++) {
        if (i)
            g_string_append(out, separator);
        explain(out, query->children->pdata[i], TRUE);
    }
    if (is_inside)
        g_string_append_c(out, ')');
}

static void
explain_about(GString *out, const struct query *query, const char *words)
{
    g_string_append(out, words);
    explain(out, query->children->pdata[0], TRUE);
}

static void
explain_named(GString *out, const struct query *query, const char *words)
{
    g_string_append(out, words);
    explain_value(out, query);
}

static void
explain_not(GString *out, const struct query *query)
{
    const struct query *child = query->children->pdata[0];
    const char *word = child->kind == QUERY_FLAG ? flag_word(child->flag, FALSE) : NULL;
    if (word)
        g_string_append(out, word);
    else
        explain_about(out, query, _("not "));
}

static void
explain(GString *out, const struct query *query, gboolean is_inside)
{
    const char *word;
    switch (query->kind) {
    case QUERY_ALL:
        g_string_append(out, _("all messages"));
        break;
    case QUERY_NONE:
        g_string_append(out, _("no message"));
        break;
    case QUERY_AND:
        explain_list(out, query, ", ", is_inside);
        break;
    case QUERY_OR:
        if ((word = place_word(query)) != NULL)
            g_string_append(out, word);
        else
            explain_list(out, query, _(" or "), is_inside);
        break;
    case QUERY_XOR:
        explain_list(out, query, _(" or else "), is_inside);
        break;
    case QUERY_NOT:
        explain_not(out, query);
        break;
    case QUERY_TEXT:
        explain_fields(out, query->fields);
        explain_value(out, query);
        break;
    case QUERY_FLAG:
        word = flag_word(query->flag, TRUE);
        g_string_append(out, word ? word : "?");
        break;
    case QUERY_BIT:
        g_string_append(out, bit_word(query->flag));
        break;
    case QUERY_TAG:
        explain_named(out, query, _("tagged "));
        break;
    case QUERY_ID:
        explain_named(out, query, _("message "));
        break;
    case QUERY_NUMBER:
        explain_numbers(out, query, _("number "));
        break;
    case QUERY_THREAD:
        explain_numbers(out, query, _("conversation "));
        break;
    case QUERY_FOLDER:
    case QUERY_PATH:
        if (query->match == QUERY_PREFIX)
            g_string_append_printf(out, _("in or below \"%s\""), query->text);
        else
            explain_named(out, query, _("in "));
        break;
    case QUERY_ROLE:
        g_string_append_printf(out, _("in %s"), role_word(query->flag));
        break;
    case QUERY_ACCOUNT:
        explain_named(out, query, _("in account "));
        break;
    case QUERY_DATE:
    case QUERY_RECEIVED:
        explain_dates(out, query);
        break;
    case QUERY_SIZE:
        explain_numbers(out, query, "");
        break;
    case QUERY_MINE:
        g_string_append(out, _("to me"));
        break;
    case QUERY_SAME_THREAD:
        explain_about(out, query, _("in a conversation with "));
        break;
    case QUERY_PARENT:
        explain_about(out, query, _("answer to "));
        break;
    case QUERY_CHILD:
        explain_about(out, query, _("answered by "));
        break;
    case QUERY_MARKED:
        g_string_append(out, _("marked"));
        break;
    }
}

char *
search_explain(const struct query *query)
{
    GString *out = g_string_new(NULL);
    explain(out, query, FALSE);
    return g_string_free(out, FALSE);
}
