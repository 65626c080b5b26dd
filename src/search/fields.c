#include "config.h"

#include "search/fields.h"

#include <string.h>

#include "base/error.h"
#include "base/flags.h"
#include "base/i18n.h"
#include "search/dates.h"
#include "search/error.h"
#include "store/folder.h"
#include "store/message.h"

gboolean
search_check_regex(const char *pattern, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, &problem);
    if (regex)
        return TRUE;
    g_set_error(error, SEARCH_ERROR, ERROR_INPUT, _("/%s/ is no regular expression: %s"), pattern,
                problem->message);
    return FALSE;
}

gboolean
search_parse_size(const char *text, gsize len, gint64 kilo, gint64 *bytes)
{
    static const char suffixes[] = "kmg";
    g_autofree char *copy = g_strndup(text, len);
    char *end;
    if (!g_ascii_isdigit(*copy))
        return FALSE;
    double value = g_ascii_strtod(copy, &end);
    if (*end && *end != 'b' && *end != 'B') {
        const char *suffix = strchr(suffixes, g_ascii_tolower(*end));
        if (!suffix)
            return FALSE;
        for (long i = suffix - suffixes; i >= 0; i--)
            value *= (double)kilo;
        end++;
    }
    if ((*end == 'b' || *end == 'B') && end != copy)
        end++;
    if (*end || !(value >= 0 && value < 1e18))
        return FALSE;
    *bytes = (gint64)value;
    return TRUE;
}

/* The value between the slashes of name:/…/, or NULL. */
static char *
regex_of(const struct search_field *field, const struct search_value *value)
{
    gsize len = strlen(value->text);
    if (!field->has_regex || len < 3 || value->text[0] != '/' || value->text[len - 1] != '/')
        return NULL;
    return g_strndup(value->text + 1, len - 2);
}

/* "work*" without its star, when the star is one. */
static char *
stem_of(const struct search_value *value)
{
    gsize len = strlen(value->text);
    return !value->quoted && len && value->text[len - 1] == '*' ? g_strndup(value->text, len - 1) : NULL;
}

/* Text that a tokeniser can find something in. */
static gboolean
has_words(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((guchar)*p >= 0x80 || g_ascii_isalnum(*p))
            return TRUE;
    return FALSE;
}

struct query *
search_text_query(guint fields, const char *text, gboolean quoted)
{
    gsize len = strlen(text);
    gboolean is_prefix = !quoted && len > 1 && text[len - 1] == '*';
    g_autofree char *word = g_strndup(text, is_prefix ? len - 1 : len);
    if (!has_words(word))
        return NULL;
    return query_new_text(fields, is_prefix ? QUERY_PREFIX : QUERY_WORDS, word);
}

static struct query *
make_text(const struct search_field *field, const struct search_value *value, GError **error)
{
    g_autofree char *regex = regex_of(field, value);
    if (regex)
        return search_check_regex(regex, error) ? query_new_text(field->fields, QUERY_REGEX, regex) : NULL;
    if (!value->quoted && !strcmp(value->text, "*")) {
        if (field->fields == QUERY_ATTACHMENT)
            return query_new_bit(MESSAGE_ATTACHMENTS);
        return field->fields == QUERY_LIST_ID ? query_new_bit(MESSAGE_LIST) : query_new(QUERY_ALL);
    }
    struct query *query = search_text_query(field->fields, value->text, value->quoted);
    if (!query)
        g_set_error(error, SEARCH_ERROR, ERROR_INPUT, _("%s:%s holds no word to look for: write %s"),
                    field->name, value->text, field->example);
    return query;
}

/* Names that are matched whole: tags, ids, folders, paths, accounts. */
static struct query *
make_name(const struct search_field *field, const struct search_value *value, GError **error)
{
    g_autofree char *regex = regex_of(field, value), *stem = stem_of(value);
    if (regex && !search_check_regex(regex, error))
        return NULL;
    struct query *query = query_new_word(field->kind, regex ? regex : stem ? stem : value->text);
    query->match = regex ? QUERY_REGEX : stem ? QUERY_PREFIX : QUERY_WORDS;
    return query;
}

static struct query *
make_tag(const struct search_field *field, const struct search_value *value, GError **error)
{
    struct query *query = make_name(field, value, error);
    if (!query || query->match != QUERY_WORDS)
        return query;
    query_free(query);
    return search_tag_query(value->text);
}

static struct query *
make_id(const struct search_field *field, const struct search_value *value, GError **error)
{
    gsize len = strlen(value->text);
    struct search_value bare = *value;
    g_autofree char *inner = NULL;
    if (len > 2 && *value->text == '<' && value->text[len - 1] == '>') /* as copied from a header */
        bare.text = inner = g_strndup(value->text + 1, len - 2);
    bare.quoted = TRUE; /* a * may stand in an id */
    return make_name(field, &bare, error);
}

static struct query *
make_thread(const struct search_field *field, const struct search_value *value, GError **error)
{
    guint64 number;
    if (g_ascii_string_to_unsigned(value->text, 10, 1, G_MAXINT64, &number, NULL))
        return query_new_range(QUERY_THREAD, (gint64)number, (gint64)number);
    g_set_error(error, SEARCH_ERROR, ERROR_INPUT,
                _("\"%s\" is no thread: write the number that lists print, %s, or thread:{from:ana}"),
                value->text, field->example);
    return NULL;
}

/* A final star (or two, as notmuch has it for paths) takes the folder and all below it. */
static struct query *
make_folder(const struct search_field *field, const struct search_value *value, GError **error)
{
    g_autofree char *regex = regex_of(field, value);
    if (regex)
        return make_name(field, value, error);
    g_autofree char *name = g_strdup(value->text);
    gboolean is_deep = FALSE;
    gsize len = strlen(name);
    while (!value->quoted && len && name[len - 1] == '*') {
        name[--len] = '\0';
        is_deep = TRUE;
    }
    if (is_deep || field->kind == QUERY_PATH)
        while (len && name[len - 1] == '/')
            name[--len] = '\0';
    struct query *query =
        query_new_word(field->kind, field->kind == QUERY_PATH && *name == '/' ? name + 1 : name);
    query->match = is_deep ? QUERY_PREFIX : QUERY_WORDS;
    return query;
}

static struct query *
make_role(const struct search_field *field, const struct search_value *value, GError **error)
{
    static const struct {
        const char *name;
        enum folder_role role;
    } roles[] = {{"inbox", FOLDER_INBOX},     {"sent", FOLDER_SENT}, {"drafts", FOLDER_DRAFTS},
                 {"trash", FOLDER_TRASH},     {"junk", FOLDER_JUNK}, {"spam", FOLDER_JUNK},
                 {"archive", FOLDER_ARCHIVE}, {"all", FOLDER_ALL}};
    for (guint i = 0; i < G_N_ELEMENTS(roles); i++)
        if (!g_ascii_strcasecmp(value->text, roles[i].name))
            return query_new_role(roles[i].role);
    g_set_error(error, SEARCH_ERROR, ERROR_INPUT,
                _("\"%s\" is no role: write %s, or sent, drafts, trash, junk, archive"), value->text,
                field->example);
    return NULL;
}

static struct query *
make_date(const struct search_field *field, const struct search_value *value, GError **error)
{
    gint64 min, max;
    if (!dates_parse_range(value->text, value->now, &min, &max, error))
        return NULL;
    if (min <= max)
        return query_new_range(field->kind, min, max);
    g_set_error(error, SEARCH_ERROR, ERROR_INPUT,
                _("%s:%s ends before it begins: put the earlier date first"), field->name, value->text);
    return NULL;
}

static struct query *
make_size(const struct search_field *field, const struct search_value *value, GError **error)
{
    gint64 min = G_MININT64, max = G_MAXINT64;
    const char *text = value->text, *dots = strstr(text, "..");
    gboolean good;
    if (*text == '>' || *text == '<') {
        good = search_parse_size(text + 1, strlen(text + 1), 1000, *text == '>' ? &min : &max);
    } else if (!dots) {
        good = search_parse_size(text, strlen(text), 1000, &min);
    } else {
        good = strlen(text) > 2 &&
               (dots == text || search_parse_size(text, (gsize)(dots - text), 1000, &min)) &&
               (!dots[2] || search_parse_size(dots + 2, strlen(dots + 2), 1000, &max));
    }
    if (good && min <= max)
        return query_new_range(field->kind, min, max);
    g_set_error(error, SEARCH_ERROR, ERROR_INPUT,
                _("\"%s\" is no size: write %s (at least), 10k..2M or ..500k"), text, field->example);
    return NULL;
}

static struct query *
make_has(const struct search_field *field, const struct search_value *value, GError **error)
{
    if (!g_ascii_strcasecmp(value->text, "attachment") || !g_ascii_strcasecmp(value->text, "attachments"))
        return query_new_bit(MESSAGE_ATTACHMENTS);
    g_set_error(error, SEARCH_ERROR, ERROR_INPUT, _("has:%s is not known: write %s"), value->text,
                field->example);
    return NULL;
}

const struct search_field search_fields[] = {
    {"from", make_text, QUERY_TEXT, QUERY_FROM, TRUE, TRUE, "from:ana", "name or address of the sender"},
    {"to", make_text, QUERY_TEXT, QUERY_RECIPIENTS, TRUE, FALSE, "to:ben",
     "name or address of a recipient (To, Cc, Bcc)"},
    {"cc", make_text, QUERY_TEXT, QUERY_CC, TRUE, FALSE, "cc:ben", "name or address in Cc"},
    {"bcc", make_text, QUERY_TEXT, QUERY_BCC, TRUE, FALSE, "bcc:ben", "name or address in Bcc"},
    {"subject", make_text, QUERY_TEXT, QUERY_SUBJECT, TRUE, TRUE, "subject:flights",
     "words or \"phrase\" in the subject"},
    {"body", make_text, QUERY_TEXT, QUERY_BODY, FALSE, FALSE, "body:hotel",
     "words or \"phrase\" in the text"},
    {"tag", make_tag, QUERY_TAG, 0, TRUE, TRUE, "tag:unread",
     "unread, flagged, inbox, sent, … or a tag of yours"},
    {"is", make_tag, QUERY_TAG, 0, TRUE, TRUE, "is:unread", "the same as tag:"},
    {"date", make_date, QUERY_DATE, 0, FALSE, TRUE, "date:2w..",
     "2026-11-02, yesterday, 2w.., last_month, A..B"},
    {"received", make_date, QUERY_RECEIVED, 0, FALSE, TRUE, "received:today",
     "when it arrived; dates as for date:"},
    {"folder", make_folder, QUERY_FOLDER, 0, TRUE, TRUE, "folder:INBOX",
     "folder, or ACCOUNT/FOLDER; a final * takes those below"},
    {"path", make_folder, QUERY_PATH, 0, TRUE, TRUE, "path:work/INBOX/**",
     "directory below the mail directory"},
    {"account", make_name, QUERY_ACCOUNT, 0, FALSE, TRUE, "account:work", "in that account"},
    {"role", make_role, QUERY_ROLE, 0, FALSE, TRUE, "role:inbox",
     "inbox, sent, drafts, trash, junk, archive"},
    {"id", make_id, QUERY_ID, 0, FALSE, TRUE, "id:20261112@example.org", "Message-ID"},
    {"mid", make_id, QUERY_ID, 0, TRUE, TRUE, "mid:/@example.org$/", "Message-ID, or a pattern of it"},
    {"thread", make_thread, QUERY_THREAD, 0, FALSE, TRUE, "thread:17",
     "conversation: its number, or {a search}"},
    {"attachment", make_text, QUERY_TEXT, QUERY_ATTACHMENT, TRUE, FALSE, "attachment:pdf",
     "file name of an attachment; * for any"},
    {"mimetype", make_text, QUERY_TEXT, QUERY_MIMETYPE, TRUE, FALSE, "mimetype:text/calendar",
     "type of a part"},
    {"has", make_has, QUERY_BIT, 0, FALSE, FALSE, "has:attachment", "has attachments"},
    {"size", make_size, QUERY_SIZE, 0, FALSE, FALSE, "size:1M", "at least 1M; 10k..2M; ..500k"},
    {"list", make_text, QUERY_TEXT, QUERY_LIST_ID, TRUE, TRUE, "list:announce",
     "mailing list (List-Id); * for any"},
    {NULL},
};

const struct search_field *
search_field_find(const char *name, gsize len)
{
    for (const struct search_field *field = search_fields; field->name; field++)
        if (strlen(field->name) == len && !g_ascii_strncasecmp(field->name, name, len))
            return field;
    return NULL;
}

/* One letter added, left out, changed, or two swapped. */
static gboolean
is_slip(const char *a, gsize alen, const char *b, gsize blen)
{
    while (alen && blen && g_ascii_tolower(*a) == *b) {
        a++, b++;
        alen--, blen--;
    }
    if (alen == blen && alen >= 2 && g_ascii_tolower(a[0]) == b[1] && g_ascii_tolower(a[1]) == b[0])
        return !g_ascii_strncasecmp(a + 2, b + 2, alen - 2);
    gsize skip_a = alen >= blen, skip_b = blen >= alen;
    return alen - skip_a == blen - skip_b && !g_ascii_strncasecmp(a + skip_a, b + skip_b, alen - skip_a);
}

const struct search_field *
search_field_near(const char *name, gsize len)
{
    for (const struct search_field *field = search_fields; field->name && len > 2; field++)
        if (strlen(field->name) > 2 && is_slip(name, len, field->name, strlen(field->name)))
            return field;
    return NULL;
}

struct query *
search_field_query(const struct search_field *field, const struct search_value *value, GError **error)
{
    if (!*value->text && !(value->quoted && field->make == make_folder)) {
        g_set_error(error, SEARCH_ERROR, ERROR_INPUT, _("%s: needs a value: write %s"), field->name,
                    field->example);
        return NULL;
    }
    return field->make(field, value, error);
}

const char *const search_tag_words[] = {"unread",     "flagged", "replied",   "passed", "draft",
                                        "deleted",    "inbox",   "sent",      "spam",   "archive",
                                        "attachment", "signed",  "encrypted", NULL};

/* Words that are a place too: a message in Sent is "sent" whether or not it carries a tag. */
static const struct {
    const char *tag;
    enum folder_role role;
    const char *keywords[4];
} places[] = {
    {"inbox", FOLDER_INBOX, {"inbox"}},
    {"sent", FOLDER_SENT, {"sent"}},
    {"archive", FOLDER_ARCHIVE, {"archive"}},
    {"draft", FOLDER_DRAFTS, {NULL}},
    {"deleted", FOLDER_TRASH, {NULL}},
    {"spam", FOLDER_JUNK, {"spam", "$Junk", "Junk"}},
    {"junk", FOLDER_JUNK, {"junk", "$Junk", "Junk"}},
};

struct query *
search_tag_query(const char *tag)
{
    g_autofree char *word = g_ascii_strdown(tag, -1);
    struct query *query = NULL;
    guint flag;
    gboolean is_reverse;

    if (!strcmp(word, "attachment"))
        return query_new_bit(MESSAGE_ATTACHMENTS);
    if (!strcmp(word, "signed"))
        return query_new_bit(MESSAGE_SIGNED);
    if (!strcmp(word, "encrypted"))
        return query_new_bit(MESSAGE_ENCRYPTED);
    if (!strcmp(word, "read"))
        return query_new_flag(FLAG_SEEN);
    if (flags_from_word(word, &flag, &is_reverse)) {
        query = query_new_flag(flag);
        if (is_reverse)
            query = query_new_not(query);
    }
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        if (strcmp(word, places[i].tag))
            continue;
        query = query_new_pair(QUERY_OR, query, query_new_role(places[i].role));
        for (guint k = 0; places[i].keywords[k]; k++)
            query = query_new_pair(QUERY_OR, query, query_new_word(QUERY_TAG, places[i].keywords[k]));
    }
    return query ? query : query_new_word(QUERY_TAG, tag);
}
