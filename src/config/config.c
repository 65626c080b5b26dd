#include "config.h"

#include "config/config.h"
#include "config/values.h"
#include "base/error.h"
#include "base/paths.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

G_DEFINE_QUARK(config - error, config_error)

static void
clear_pair(gpointer data)
{
    struct config_pair *pair = data;
    g_free(pair->key);
    g_free(pair->value);
}

static void
account_free(gpointer data)
{
    struct account *a = data;
    endpoint_free(a->incoming);
    endpoint_free(a->outgoing);
    endpoint_free(a->sieve);
    char *strings[] = {a->name,         a->real_name, a->address,          a->incoming_url,
                       a->outgoing_url, a->maildir,   a->password_command, a->outgoing_password_command,
                       a->signature,    a->tls,       a->tls_ca,           a->tls_pin};
    for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free(strings[i]);
    for (guint i = 0; i < G_N_ELEMENTS(a->role_names); i++)
        g_free(a->role_names[i]);
    g_strfreev(a->aliases);
    g_strfreev(a->trusted_hosts);
    g_strfreev(a->trusted_sealers);
    if (a->keep_folders)
        g_array_unref(a->keep_folders);
    g_free(a);
}

static void
rule_free(gpointer data)
{
    struct config_rule *rule = data;
    g_free(rule->name);
    g_free(rule->when);
    g_free(rule->then);
    g_free(rule->account);
    g_free(rule);
}

void
config_free(struct config *config)
{
    if (!config)
        return;
    g_ptr_array_unref(config->accounts);
    g_array_unref(config->keys);
    g_array_unref(config->searches);
    g_array_unref(config->splits);
    g_ptr_array_unref(config->rules);
    g_free(config->path);
    g_free(config->editor);
    g_free(config->resolver);
    g_strfreev(config->address_lists);
    g_strfreev(config->domain_lists);
    g_free(config->virus_scanner);
    g_free(config);
}

/* What is being read, for the errors. */
struct reader {
    struct config *config;
    const char *path;
    int line;
    const char *section; /* "general", "account", "rule", "keys", "searches"; NULL before the first */
    struct account *account; /* of an account's or */
    struct config_rule *rule; /* a rule's section, else NULL */
    GHashTable *seen; /* keys of this section */
};

static gboolean fail(struct reader *reader, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean
fail(struct reader *reader, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = text_safe(what, -1, TEXT_LINE);
    g_set_error(error, CONFIG_ERROR, ERROR_CONFIG, "%s:%d: %s", reader->path, reader->line, safe);
    return FALSE;
}

static gboolean
is_loopback(const char *host)
{
    return !strcmp(host, "localhost") || !strcmp(host, "::1") || g_str_has_prefix(host, "127.");
}

/* What an open section must have. */
static gboolean
has_required(struct reader *reader, const char *section, const char *name, GError **error)
{
    for (const struct config_key *key = config_keys; key->key; key++)
        if (key->required && !strcmp(key->section, section) && !g_hash_table_contains(reader->seen, key->key))
            return fail(reader, error, "[%s %s] has no \"%s\": %s", section, name, key->key, key->values);
    return TRUE;
}

/* Two that rename the same files would take each other for another program. */
static gboolean
has_own_maildir(struct reader *reader, const struct account *account, GError **error)
{
    for (guint i = 0; account->maildir && i < reader->config->accounts->len; i++) {
        const struct account *other = reader->config->accounts->pdata[i];
        if (other != account && other->maildir && !strcmp(other->maildir, account->maildir))
            return fail(reader, error, "[account %s] and [account %s] have the same Maildir: one account is enough for it",
                        other->name, account->name);
    }
    return TRUE;
}

static gboolean
finish_account(struct reader *reader, GError **error)
{
    struct account *account = reader->account;
    if (!has_required(reader, "account", account->name, error))
        return FALSE;
    if (!account->incoming_url && !account->outgoing_url)
        return fail(reader, error, "[account %s] has neither \"incoming\" nor \"outgoing\": incoming = imaps://USER@HOST",
                    account->name);
    if (!has_own_maildir(reader, account, error))
        return FALSE;
    struct endpoint *endpoints[] = {account->incoming, account->outgoing, account->sieve};
    for (guint i = 0; i < G_N_ELEMENTS(endpoints); i++) {
        if (!endpoints[i])
            continue;
        g_autofree char *ca = account->tls_ca ? paths_expand(account->tls_ca) : NULL;
        endpoints[i]->tls_ca = g_steal_pointer(&ca);
        endpoints[i]->tls_pin = g_strdup(account->tls_pin);
        if (!account->tls)
            continue;
        if (strcmp(account->tls, "none"))
            return fail(reader, error, "tls = %s is not known: the only value is none", account->tls);
        if (!is_loopback(endpoints[i]->host))
            return fail(
                reader, error,
                "tls = none is accepted for this machine only (127.0.0.1, ::1, localhost), not for %s",
                endpoints[i]->host);
        endpoints[i]->tls = TLS_NONE;
    }
    if (account->tls_pin && !g_str_has_prefix(account->tls_pin, "sha256:"))
        return fail(reader, error, "tls-pin = sha256:BASE64");
    return TRUE;
}

/* The end of a section: what was in it is looked at as a whole, and errors name the line it began at. */
static gboolean
finish_section(struct reader *reader, GError **error)
{
    int line = reader->line;
    gboolean ok = TRUE;
    if (reader->account) {
        reader->line = reader->account->line;
        ok = finish_account(reader, error);
    } else if (reader->rule) {
        reader->line = reader->rule->line;
        ok = has_required(reader, "rule", reader->rule->name, error);
    }
    reader->line = line;
    reader->account = NULL;
    reader->rule = NULL;
    return ok;
}

static gboolean
open_account(struct reader *reader, const char *label, GError **error)
{
    if (!*label || *label == '.' || strpbrk(label, "/\\: \t\"'"))
        return fail(reader, error, "\"%s\" cannot name an account: use letters, digits, - and _", label);
    for (guint i = 0; i < reader->config->accounts->len; i++)
        if (!strcmp(((struct account *)reader->config->accounts->pdata[i])->name, label))
            return fail(reader, error, "there are two accounts called %s", label);
    struct account *account = g_new0(struct account, 1);
    account->name = g_strdup(label);
    account->aliases = g_new0(char *, 1);
    account->line = reader->line;
    config_set_defaults("account", account);
    g_ptr_array_add(reader->config->accounts, account);
    reader->account = account;
    reader->section = "account";
    return TRUE;
}

static gboolean
open_rule(struct reader *reader, const char *label, GError **error)
{
    if (!*label)
        return fail(reader, error, "a rule has a name: [rule lists]");
    for (guint i = 0; i < reader->config->rules->len; i++)
        if (!strcmp(((struct config_rule *)reader->config->rules->pdata[i])->name, label))
            return fail(reader, error, "there are two rules called %s", label);
    struct config_rule *rule = g_new0(struct config_rule, 1);
    rule->name = g_strdup(label);
    rule->line = reader->line;
    g_ptr_array_add(reader->config->rules, rule);
    reader->rule = rule;
    reader->section = "rule";
    return TRUE;
}

static gboolean
open_section(struct reader *reader, char *name, GError **error)
{
    static const char *const plain[] = {"general", "keys", "searches", "splits"};

    if (!finish_section(reader, error))
        return FALSE;
    g_hash_table_remove_all(reader->seen);
    for (guint i = 0; i < G_N_ELEMENTS(plain); i++)
        if (!strcmp(name, plain[i])) {
            reader->section = plain[i];
            return TRUE;
        }
    if (g_str_has_prefix(name, "account "))
        return open_account(reader, g_strstrip(name + strlen("account ")), error);
    if (g_str_has_prefix(name, "rule "))
        return open_rule(reader, g_strstrip(name + strlen("rule ")), error);
    return fail(reader, error,
                "[%s] is not known: sections are [general], [account NAME], [rule NAME], [keys], [searches] and [splits]", name);
}

/* Of a section whose keys are the user's; NULL: it is none. */
static GArray *
free_form(const struct reader *reader)
{
    return !strcmp(reader->section, "keys")       ? reader->config->keys
           : !strcmp(reader->section, "searches") ? reader->config->searches
           : !strcmp(reader->section, "splits")   ? reader->config->splits
                                                  : NULL;
}

static gboolean
take_pair(struct reader *reader, const char *name, const char *value, GError **error)
{
    if (!reader->section)
        return fail(reader, error,
                    "\"%s\" stands before the first section: begin with [general] or [account NAME]", name);
    if (!g_hash_table_add(reader->seen, g_strdup(name)))
        return fail(reader, error, "\"%s\" is set twice in this section", name);
    GArray *pairs = free_form(reader);
    if (pairs) {
        struct config_pair pair = {g_strdup(name), g_strdup(value), reader->line};
        g_array_append_val(pairs, pair);
        return TRUE;
    }
    const struct config_key *key = config_find_key(reader->section, name);
    if (!key) {
        g_autofree char *known = config_known_keys(reader->section);
        return fail(reader, error, "\"%s\" is not known here: the keys of this section are %s", name, known);
    }
    g_autofree char *why = NULL;
    if (config_key_has_folder(key) && !config_take_folder(reader->account, name, &why))
        return fail(reader, error, "%s: %s: write keep.FOLDER = %s", name, why, value);
    gpointer target = reader->account ? (gpointer)reader->account : reader->rule ? (gpointer)reader->rule : reader->config;
    if (config_store_value(key, target, value, &why)) {
        if (reader->rule && !strcmp(name, "when"))
            reader->rule->when_line = reader->line;
        if (reader->rule && !strcmp(name, "then"))
            reader->rule->then_line = reader->line;
        return TRUE;
    }
    if (why)
        return fail(reader, error, "%s: %s: allowed is %s", name, why, key->values);
    return fail(reader, error, "%s = %s: allowed is %s", name, value, key->values);
}

static gboolean
take_line(struct reader *reader, char *line, GError **error)
{
    if (!g_utf8_validate(line, -1, NULL))
        return fail(reader, error, "the line is not UTF-8");
    g_strstrip(line);
    if (!*line || *line == '#' || *line == ';')
        return TRUE;
    if (*line == '[') {
        gsize len = strlen(line);
        if (line[len - 1] != ']')
            return fail(reader, error, "a ] is missing at the end of %s", line);
        line[len - 1] = '\0';
        return open_section(reader, g_strstrip(line + 1), error);
    }
    char *equals = strchr(line, '=');
    if (!equals)
        return fail(reader, error, "\"%s\" is neither [section] nor key = value", line);
    *equals = '\0';
    char *name = g_strstrip(line), *value = g_strstrip(equals + 1);
    if (!*name || !*value)
        return fail(reader, error, *name ? "%s has no value" : "a key is missing before the =%s", name);
    return take_pair(reader, name, value, error);
}

struct config *
config_parse(const char *text, const char *path, GError **error)
{
    g_autoptr(struct_config) config = g_new0(struct config, 1);
    config->path = g_strdup(path);
    config->accounts = g_ptr_array_new_with_free_func(account_free);
    config->keys = g_array_new(FALSE, TRUE, sizeof(struct config_pair));
    config->searches = g_array_new(FALSE, TRUE, sizeof(struct config_pair));
    config->splits = g_array_new(FALSE, TRUE, sizeof(struct config_pair));
    config->rules = g_ptr_array_new_with_free_func(rule_free);
    g_array_set_clear_func(config->keys, clear_pair);
    g_array_set_clear_func(config->searches, clear_pair);
    g_array_set_clear_func(config->splits, clear_pair);
    config_set_defaults("general", config);

    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct reader reader = {.config = config, .path = path, .seen = seen};
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        reader.line++;
        if (!take_line(&reader, *line, error))
            return NULL;
    }
    if (!finish_section(&reader, error))
        return NULL;
    return g_steal_pointer(&config);
}

char *
config_usual_path(const char *path)
{
    if (path)
        return g_strdup(path);
    g_autofree char *dir = paths_config_dir();
    return g_build_filename(dir, "config", NULL);
}

char *
config_read_file(const char *path, GError **error)
{
    g_autoptr(GError) local = NULL;
    char *text;
    gsize len;
    if (!g_file_get_contents(path, &text, &len, &local)) {
        if (g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            return g_strdup("");
        g_set_error(error, CONFIG_ERROR, ERROR_CONFIG, "the configuration %s cannot be read: %s", path,
                    local->message);
        return NULL;
    }
    if (strlen(text) != len) {
        g_free(text);
        g_set_error(error, CONFIG_ERROR, ERROR_CONFIG, "the configuration %s is not a text file", path);
        return NULL;
    }
    return text;
}

struct config *
config_load(const char *path, GError **error)
{
    g_autofree char *where = config_usual_path(path);
    g_autofree char *text = config_read_file(where, error);
    return text ? config_parse(text, where, error) : NULL;
}

const struct account *
config_account(const struct config *config, const char *name, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        if (!name || !strcmp(account->name, name))
            return account;
        g_string_append_printf(names, "%s%s", i ? ", " : "", account->name);
    }
    if (!config->accounts->len)
        g_set_error(error, CONFIG_ERROR, ERROR_CONFIG,
                    "there is no account yet: add one with \"postrider setup\", or write %s", config->path);
    else
        g_set_error(error, CONFIG_ERROR, ERROR_USAGE, "there is no account \"%s\": there is %s", name,
                    names->str);
    return NULL;
}

const struct account *
config_account_for(const struct config *config, const char *address)
{
    for (guint i = 0; address && i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        if (!g_ascii_strcasecmp(account->address, address))
            return account;
        for (char **alias = account->aliases; *alias; alias++)
            if (!g_ascii_strcasecmp(*alias, address))
                return account;
    }
    return NULL;
}

gboolean
account_receives(const struct account *account)
{
    return account->incoming || account->maildir;
}

gboolean
account_is_local(const struct account *account)
{
    return account->maildir || (account->incoming && account->incoming->protocol == ENDPOINT_POP3);
}

GStrv
config_own_hosts(const struct config *config)
{
    g_autoptr(GStrvBuilder) hosts = g_strv_builder_new();
    for (guint i = 0; config && i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        if (account->incoming)
            g_strv_builder_add(hosts, account->incoming->host);
    }
    return g_strv_builder_end(hosts);
}

const char *
config_search(const struct config *config, const char *name)
{
    for (guint i = 0; i < config->searches->len; i++) {
        const struct config_pair *pair = &g_array_index(config->searches, struct config_pair, i);
        if (!strcmp(pair->key, name))
            return pair->value;
    }
    return NULL;
}
