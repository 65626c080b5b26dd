#include "config.h"

#include "trust/sieve.h"

#include "base/flags.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/folder.h"
#include "store/message.h"

#include <string.h>

#define SCRIPT_HEAD "# Made by postrider out of its rules: what is changed here is lost with the next upload.\n"
#define FILE_NOW "if not string :is \"${folder}\" \"\" { fileinto \"${folder}\"; }"

enum need { NEED_FILEINTO = 1 << 0, NEED_VARIABLES = 1 << 1, NEED_COPY = 1 << 2, NEED_FLAGS = 1 << 3, NEED_BODY = 1 << 4 };
static const char *const need_names[] = {"fileinto", "variables", "copy", "imap4flags", "body"};

struct writer {
    const struct sieve_account *account;
    GString *out;
    guint needs;
    char *why; /* it cannot be said */
};

void
sieve_left_free(struct sieve_left *left)
{
    g_free(left->why);
    g_free(left);
}

void
sieve_free(struct sieve *sieve)
{
    if (!sieve)
        return;
    g_free(sieve->script);
    g_ptr_array_unref(sieve->taken);
    g_ptr_array_unref(sieve->left);
    g_free(sieve);
}

static void
cannot(struct writer *writer, const char *what)
{
    if (!writer->why)
        writer->why = g_strdup(what);
}

/* A quoted string (RFC 5228 section 2.4.2). */
static void
put_string(struct writer *writer, const char *text)
{
    if (strstr(text, "${"))
        cannot(writer, _("the signs ${, which mean a variable there"));
    g_string_append_c(writer->out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(writer->out, '\\');
        g_string_append_c(writer->out, *p);
    }
    g_string_append_c(writer->out, '"');
}

/* ---- conditions ---- */

static void put_test(struct writer *writer, const struct query *query);

static void
put_list(struct writer *writer, const char *name, const struct query *query)
{
    g_string_append_printf(writer->out, "%s (", name);
    for (guint i = 0; i < query->children->len; i++) {
        g_string_append(writer->out, i ? ", " : "");
        put_test(writer, query->children->pdata[i]);
    }
    g_string_append_c(writer->out, ')');
}

/* Which header fields a field of the query is. */
static const struct {
    guint field;
    const char *headers;
} fields[] = {
    {QUERY_FROM | QUERY_SENDER, "\"from\", \"sender\""},
    {QUERY_TO, "\"to\""},
    {QUERY_CC, "\"cc\""},
    {QUERY_BCC, "\"bcc\""},
    {QUERY_SUBJECT, "\"subject\""},
    {QUERY_LIST_ID, "\"list-id\""},
    {QUERY_REFERENCES, "\"references\", \"in-reply-to\""},
};

static void
put_text(struct writer *writer, const struct query *query)
{
    g_autoptr(GString) headers = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        if (query->fields & fields[i].field)
            g_string_append_printf(headers, "%s%s", headers->len ? ", " : "", fields[i].headers);
    gboolean body = (query->fields & QUERY_BODY) != 0;
    if (query->match == QUERY_REGEX)
        cannot(writer, _("a regular expression"));
    else if (!headers->len && !body)
        cannot(writer, _("names and types of attachments"));
    if (!*query->text && headers->len && !body) { /* "list:*": any at all */
        g_string_append_printf(writer->out, "exists [%s]", headers->str);
        return;
    }
    if (headers->len && body)
        g_string_append(writer->out, "anyof (");
    if (headers->len) {
        g_string_append_printf(writer->out, "header :contains [%s] ", headers->str);
        put_string(writer, query->text);
    }
    if (body) {
        g_string_append(writer->out, headers->len ? ", body :text :contains " : "body :text :contains ");
        put_string(writer, query->text);
        writer->needs |= NEED_BODY;
    }
    if (headers->len && body)
        g_string_append_c(writer->out, ')');
}

static void
put_constant(struct writer *writer, gboolean value)
{
    g_string_append(writer->out, value ? "true" : "false");
}

/* "size :over" is more than, "size :under" less than. */
static void
put_size(struct writer *writer, const struct query *query)
{
    gboolean low = query->min > 0, high = query->max < G_MAXUINT32;
    if (low && high)
        g_string_append(writer->out, "allof (");
    if (low)
        g_string_append_printf(writer->out, "size :over %" G_GINT64_FORMAT, query->min - 1);
    if (low && high)
        g_string_append(writer->out, ", ");
    if (high)
        g_string_append_printf(writer->out, "size :under %" G_GINT64_FORMAT, query->max + 1);
    if (low && high)
        g_string_append_c(writer->out, ')');
    if (!low && !high)
        put_constant(writer, TRUE);
}

static void
put_mine(struct writer *writer, const struct query *query)
{
    g_string_append_printf(writer->out, "address :is [%s%s%s] [", query->fields & QUERY_FROM ? "\"from\"" : "",
                           query->fields & QUERY_FROM && query->fields & QUERY_RECIPIENTS ? ", " : "",
                           query->fields & QUERY_RECIPIENTS ? "\"to\", \"cc\"" : "");
    for (guint i = 0; writer->account->addresses[i]; i++) {
        g_string_append(writer->out, i ? ", " : "");
        put_string(writer, writer->account->addresses[i]);
    }
    g_string_append_c(writer->out, ']');
}

static void
put_id(struct writer *writer, const struct query *query)
{
    g_autofree char *id = g_strdup_printf("<%s>", query->text);
    if (query->match == QUERY_REGEX)
        cannot(writer, _("a regular expression"));
    g_string_append(writer->out, "header :is \"message-id\" ");
    put_string(writer, id);
}

/* New mail lies in INBOX, is unread, and has no mark. */
static void
put_test(struct writer *writer, const struct query *query)
{
    switch (query->kind) {
    case QUERY_AND:
        put_list(writer, "allof", query);
        return;
    case QUERY_OR:
        put_list(writer, "anyof", query);
        return;
    case QUERY_NOT:
        g_string_append(writer->out, "not ");
        put_test(writer, query->children->pdata[0]);
        return;
    case QUERY_TEXT:
        put_text(writer, query);
        return;
    case QUERY_ID:
        put_id(writer, query);
        return;
    case QUERY_SIZE:
        put_size(writer, query);
        return;
    case QUERY_MINE:
        put_mine(writer, query);
        return;
    case QUERY_BIT:
        if (query->flag != MESSAGE_LIST)
            cannot(writer, _("what a message consists of (attachments, signatures)"));
        g_string_append(writer->out, "exists \"list-id\"");
        return;
    case QUERY_ALL:
    case QUERY_NONE:
        put_constant(writer, query->kind == QUERY_ALL);
        return;
    case QUERY_FLAG:
    case QUERY_TAG:
        put_constant(writer, FALSE);
        return;
    case QUERY_ROLE:
        put_constant(writer, query->flag == FOLDER_INBOX);
        return;
    case QUERY_FOLDER:
        put_constant(writer, !g_ascii_strcasecmp(query->text, "INBOX"));
        return;
    case QUERY_ACCOUNT:
        put_constant(writer, !g_ascii_strcasecmp(query->text, writer->account->name));
        return;
    case QUERY_XOR:
        cannot(writer, _("xor"));
        return;
    case QUERY_DATE:
    case QUERY_RECEIVED:
        cannot(writer, _("a time"));
        return;
    default:
        cannot(writer, _("other messages of the conversation, paths and numbers"));
    }
}

/* ---- actions ---- */

static void
put_flag(struct writer *writer, const char *command, const char *flag)
{
    g_string_append_printf(writer->out, "\t%s ", command);
    put_string(writer, flag);
    g_string_append(writer->out, ";\n");
    writer->needs |= NEED_FLAGS;
}

static void
put_folder(struct writer *writer, const char *folder)
{
    if (!folder) {
        cannot(writer, _("the account has no such folder on its server"));
        return;
    }
    g_string_append(writer->out, "\tset \"folder\" ");
    put_string(writer, folder);
    g_string_append(writer->out, ";\n");
    writer->needs |= NEED_VARIABLES | NEED_FILEINTO;
}

static void
put_tags(struct writer *writer, const char *tags, const char *command)
{
    g_auto(GStrv) list = tags_split(tags);
    for (char **tag = list; *tag; tag++) {
        if (strpbrk(*tag, "(){%*]&") || !g_str_is_ascii(*tag)) /* sync/keyword.h writes these otherwise */
            cannot(writer, _("a tag that is no plain word"));
        put_flag(writer, command, *tag);
    }
}

/* The name on the server: "=Lists" and roles are ours alone. */
static const char *
server_folder(struct writer *writer, const char *name)
{
    if (*name == '=' || *name == '+')
        name++;
    gsize length = strlen(writer->account->name);
    if (!strncmp(name, writer->account->name, length) && name[length] == '/')
        name += length + 1;
    return name;
}

static void
put_action(struct writer *writer, const struct rule_action *action)
{
    switch (action->verb) {
    case RULE_MOVE:
        put_folder(writer, server_folder(writer, action->text));
        return;
    case RULE_COPY:
        g_string_append(writer->out, "\tfileinto :copy ");
        put_string(writer, server_folder(writer, action->text));
        g_string_append(writer->out, ";\n");
        writer->needs |= NEED_FILEINTO | NEED_COPY;
        return;
    case RULE_ARCHIVE:
        put_folder(writer, writer->account->archive);
        return;
    case RULE_DELETE:
        put_folder(writer, writer->account->trash);
        return;
    case RULE_JUNK:
        put_flag(writer, "addflag", "$Junk");
        put_folder(writer, writer->account->junk);
        return;
    case RULE_READ:
        put_flag(writer, "addflag", "\\Seen");
        return;
    case RULE_FLAG:
        put_flag(writer, "addflag", "\\Flagged");
        return;
    case RULE_TAG:
        put_tags(writer, action->add, "addflag");
        put_tags(writer, action->remove, "removeflag");
        return;
    case RULE_FORWARD:
        g_string_append(writer->out, "\tredirect :copy ");
        put_string(writer, action->text);
        g_string_append(writer->out, ";\n");
        writer->needs |= NEED_COPY;
        return;
    case RULE_STOP:
        g_string_append(writer->out, "\t" FILE_NOW "\n\tstop;\n");
        writer->needs |= NEED_VARIABLES | NEED_FILEINTO;
        return;
    default:
        cannot(writer, action->verb == RULE_RUN ? _("a program that runs here") : _("a word to you"));
    }
}

/* ---- the script ---- */

/* A rule as it would stand there; NULL with *why. */
static char *
write_rule(const struct rule *rule, const struct sieve_account *account, guint *needs, char **why)
{
    struct writer writer = {.account = account, .out = g_string_new(NULL)};
    g_autofree char *line = text_safe(rule->name, -1, TEXT_LINE);
    g_string_append_printf(writer.out, "# %s\nif ", line);
    put_test(&writer, rule->when);
    g_string_append(writer.out, " {\n");
    for (guint i = 0; i < rule->actions->len; i++)
        put_action(&writer, rule->actions->pdata[i]);
    g_string_append(writer.out, "}\n");
    *why = writer.why;
    if (!writer.why)
        *needs |= writer.needs;
    return g_string_free(writer.out, writer.why != NULL);
}

static void
put_head(GString *out, guint needs)
{
    g_string_append(out, SCRIPT_HEAD);
    gboolean any = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(need_names); i++)
        if (needs & 1u << i) {
            g_string_append_printf(out, "%s\"%s\"", any ? ", " : "require [", need_names[i]);
            any = TRUE;
        }
    g_string_append(out, any ? "];\n\n" : "\n");
}

struct sieve *
sieve_write(const GPtrArray *rules, const struct sieve_account *account)
{
    struct sieve *sieve = g_new0(struct sieve, 1);
    g_autoptr(GString) body = g_string_new(NULL);
    guint needs = 0;
    sieve->taken = g_ptr_array_new();
    sieve->left = g_ptr_array_new_with_free_func((GDestroyNotify) sieve_left_free);
    for (guint i = 0; i < rules->len; i++) {
        const struct rule *rule = rules->pdata[i];
        if (rule->account && strcmp(rule->account, account->name))
            continue;
        char *why = NULL;
        g_autofree char *text = write_rule(rule, account, &needs, &why);
        if (text) {
            g_string_append_printf(body, "%s\n", text);
            g_ptr_array_add(sieve->taken, (gpointer) rule);
            continue;
        }
        struct sieve_left *left = g_new0(struct sieve_left, 1);
        *left = (struct sieve_left){rule, why};
        g_ptr_array_add(sieve->left, left);
    }
    GString *script = g_string_new(NULL);
    put_head(script, needs);
    g_string_append(script, body->str);
    if (needs & NEED_VARIABLES)
        g_string_append(script, FILE_NOW "\n");
    sieve->script = g_string_free(script, FALSE);
    return sieve;
}

struct sieve *
sieve_of_account(const GPtrArray *rules, const struct account *account)
{
    static const char *const usual[] = {"Sent", "Drafts", "Junk", "Trash", "Archive"};
    g_autoptr(GPtrArray) addresses = g_ptr_array_new();
    g_ptr_array_add(addresses, account->address);
    for (char **alias = account->aliases; *alias; alias++)
        g_ptr_array_add(addresses, *alias);
    g_ptr_array_add(addresses, NULL);
    struct sieve_account of = {.name = account->name, .addresses = (const char *const *) addresses->pdata};
    const char **names[] = {NULL, NULL, &of.junk, &of.trash, &of.archive};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) /* in the order of config_roles */
        if (names[i])
            *names[i] = account->role_names[i] ? account->role_names[i] : usual[i];
    return sieve_write(rules, &of);
}

/* ---- which of them run there ---- */

static char *
uploaded_key(const char *account)
{
    return g_strconcat("sieve.", account, NULL);
}

/* A rule by its words. */
static char *
digest(const struct rule *rule)
{
    g_autofree char *actions = rule_actions_text(rule);
    g_autofree char *text = g_strdup_printf("%s\n%s\n%s", rule->name, rule->condition, actions);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

gboolean
sieve_note_uploaded(struct store *store, const char *account, const struct sieve *sieve, GError **error)
{
    g_autofree char *key = uploaded_key(account);
    g_autoptr(GString) digests = g_string_new(NULL);
    for (guint i = 0; i < sieve->taken->len; i++) {
        g_autofree char *one = digest(sieve->taken->pdata[i]);
        g_string_append_printf(digests, "%s%s", i ? " " : "", one);
    }
    return store_set(store, key, digests->str, error);
}

gboolean
sieve_runs_there(struct store *store, const char *account, const struct rule *rule)
{
    g_autofree char *key = uploaded_key(account), *digests = store_get(store, key);
    g_autofree char *one = digests && *digests ? digest(rule) : NULL;
    return one && strstr(digests, one);
}
