#include "config.h"

#include "cli/foreign.h"
#include "cli/command.h"
#include "base/error.h"
#include "base/i18n.h"

#include <string.h>

#define FILE_MAX (1024 * 1024)

/* What one of those programs knows of an account; each field NULL when it says nothing of it. */
struct foreign {
    char *name, *address, *real_name;
    char *in_user, *in_host, *in_port, *in_command;
    char *out_user, *out_host, *out_port, *out_command;
    char *ca;
    gboolean in_plain, out_plain; /* STARTTLS */
    gboolean pop;
};

static void
foreign_free(gpointer data)
{
    struct foreign *foreign = data;
    char **texts[] = {&foreign->name,     &foreign->address,    &foreign->real_name, &foreign->in_user, &foreign->in_host,
                      &foreign->in_port,  &foreign->in_command, &foreign->out_user,  &foreign->out_host, &foreign->out_port,
                      &foreign->out_command, &foreign->ca};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(*texts[i]);
    g_free(foreign);
}

static struct foreign *
foreign_add(GPtrArray *all, const char *name)
{
    struct foreign *foreign = g_new0(struct foreign, 1);
    foreign->name = g_strdup(name);
    g_ptr_array_add(all, foreign);
    return foreign;
}

static void
set(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* ---- the files ---- */

/* The first of them that is there; names below $HOME, or below the configuration directory with a + before. */
static char *
read_first(const char *const *names)
{
    for (; *names; names++) {
        g_autofree char *path = **names == '+' ? g_build_filename(g_get_user_config_dir(), *names + 1, NULL)
                                               : g_build_filename(g_get_home_dir(), *names, NULL);
        g_autoptr(GBytes) bytes = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? cli_read_file(path, FILE_MAX, NULL) : NULL;
        gsize length;
        const char *text = bytes ? g_bytes_get_data(bytes, &length) : NULL;
        if (text)
            return g_utf8_make_valid(text, (gssize)length);
    }
    return NULL;
}

/* "Word rest of the line": both without quotes around them; FALSE for comments and empty lines. */
static gboolean
split_line(const char *line, char **word, char **value)
{
    g_autofree char *copy = g_strstrip(g_strdup(line));
    if (!*copy || *copy == '#')
        return FALSE;
    gsize n = strcspn(copy, " \t=");
    *word = g_ascii_strdown(copy, (gssize)n);
    char *rest = copy + n + strspn(copy + n, " \t=");
    gsize length = strlen(rest);
    if (length >= 2 && (*rest == '"' || *rest == '\'') && rest[length - 1] == *rest) {
        rest[length - 1] = '\0';
        g_autofree char *plain = g_strcompress(rest + 1);
        *value = g_utf8_make_valid(plain, -1);
    } else {
        *value = g_strdup(rest);
    }
    return TRUE;
}

typedef void (*line_func)(GPtrArray *all, struct foreign **at, const char *word, const char *value);

static void
each_line(const char *text, GPtrArray *all, line_func take)
{
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    struct foreign *at = NULL;
    for (char **line = lines; *line; line++) {
        g_autofree char *word = NULL, *value = NULL;
        if (split_line(*line, &word, &value))
            take(all, &at, word, value);
    }
}

/* A command as mbsync has it, with a + before when its output is to be shown; it is run by sh, as ours is. */
static void
take_mbsync(GPtrArray *all, struct foreign **at, const char *word, const char *value)
{
    if (!strcmp(word, "imapaccount") || (!strcmp(word, "imapstore") && !*at)) {
        *at = foreign_add(all, value);
        (*at)->in_plain = TRUE; /* mbsync's own default */
    } else if (g_str_has_suffix(word, "store") || !strcmp(word, "channel") || !strcmp(word, "group"))
        *at = NULL;
    if (!*at)
        return;
    if (!strcmp(word, "host"))
        set(&(*at)->in_host, value);
    else if (!strcmp(word, "port")) {
        set(&(*at)->in_port, value);
        (*at)->in_plain = (*at)->in_plain && strcmp(value, "993") != 0;
    } else if (!strcmp(word, "user"))
        set(&(*at)->in_user, value);
    else if (!strcmp(word, "passcmd"))
        set(&(*at)->in_command, value + (*value == '+'));
    else if (!strcmp(word, "certificatefile"))
        set(&(*at)->ca, value);
    else if (!strcmp(word, "ssltype") || !strcmp(word, "tlstype"))
        (*at)->in_plain = g_ascii_strcasecmp(value, "IMAPS") != 0;
}

static void
take_msmtp(GPtrArray *all, struct foreign **at, const char *word, const char *value)
{
    if (!strcmp(word, "account")) { /* "account work : base", "account default : work" */
        g_autofree char *name = g_strndup(value, strcspn(value, " \t:"));
        *at = strcmp(name, "default") || !strchr(value, ':') ? foreign_add(all, name) : NULL;
        if (*at)
            (*at)->out_plain = TRUE; /* msmtp's own default is tls_starttls on */
    } else if (!strcmp(word, "defaults")) {
        *at = NULL;
    }
    if (!*at)
        return;
    if (!strcmp(word, "host"))
        set(&(*at)->out_host, value);
    else if (!strcmp(word, "port"))
        set(&(*at)->out_port, value);
    else if (!strcmp(word, "user"))
        set(&(*at)->out_user, value);
    else if (!strcmp(word, "from"))
        set(&(*at)->address, value);
    else if (!strcmp(word, "passwordeval"))
        set(&(*at)->out_command, value);
    else if (!strcmp(word, "tls_trust_file"))
        set(&(*at)->ca, g_str_has_prefix(value, "/etc/ssl/") || !strcmp(value, "system") ? NULL : value);
    else if (!strcmp(word, "tls_starttls"))
        (*at)->out_plain = g_ascii_strcasecmp(value, "off") != 0;
}

/* "imaps://ana@host:993/": into the fields of one side. */
static void
take_url(const char *url, char **user, char **host, char **port, gboolean *plain)
{
    const char *at = strstr(url, "://");
    if (!at)
        return;
    *plain = at == url || at[-1] != 's';
    g_autofree char *rest = g_strndup(at + 3, strcspn(at + 3, "/"));
    char *server = strrchr(rest, '@');
    if (server) {
        *server++ = '\0';
        g_autofree char *plain_user = g_uri_unescape_string(rest, NULL);
        plain_user[strcspn(plain_user, ":")] = '\0'; /* a password is not taken over */
        set(user, plain_user);
    }
    server = server ? server : rest;
    char *colon = strrchr(server, ':');
    if (colon) {
        *colon++ = '\0';
        set(port, colon);
    }
    set(host, server);
}

static void
take_mutt(GPtrArray *all, struct foreign **at, const char *word, const char *value)
{
    if (strcmp(word, "set"))
        return;
    g_autofree char *name = NULL, *setting = NULL;
    if (!split_line(value, &name, &setting))
        return;
    if (!*at)
        *at = foreign_add(all, "mutt");
    if ((!strcmp(name, "folder") || !strcmp(name, "spoolfile")) && g_str_has_prefix(setting, "imap"))
        take_url(setting, &(*at)->in_user, &(*at)->in_host, &(*at)->in_port, &(*at)->in_plain);
    else if (!strcmp(name, "smtp_url"))
        take_url(setting, &(*at)->out_user, &(*at)->out_host, &(*at)->out_port, &(*at)->out_plain);
    else if (!strcmp(name, "imap_user"))
        set(&(*at)->in_user, setting);
    else if (!strcmp(name, "from"))
        set(&(*at)->address, setting);
    else if (!strcmp(name, "realname"))
        set(&(*at)->real_name, setting);
}

/* ---- one account out of what several say ---- */

static gboolean
same_person(const struct foreign *a, const struct foreign *b)
{
    const char *user = a->in_user ? a->in_user : "", *other = b->out_user ? b->out_user : b->in_user ? b->in_user : "";
    return !g_ascii_strcasecmp(a->name, b->name) || (*user && !strcmp(user, other)) ||
           (a->address && b->address && !g_ascii_strcasecmp(a->address, b->address)) ||
           (*user && b->address && !g_ascii_strcasecmp(user, b->address));
}

static void
fill(char **field, char **from)
{
    if (!*field)
        *field = g_steal_pointer(from);
}

static void
join(struct foreign *into, struct foreign *from)
{
    if (!into->in_host && from->in_host) {
        into->in_plain = from->in_plain;
        fill(&into->in_port, &from->in_port);
    }
    if (!into->out_host && from->out_host) {
        into->out_plain = from->out_plain;
        fill(&into->out_port, &from->out_port);
    }
    fill(&into->address, &from->address);
    fill(&into->real_name, &from->real_name);
    fill(&into->in_user, &from->in_user);
    fill(&into->in_host, &from->in_host);
    fill(&into->in_command, &from->in_command);
    fill(&into->out_user, &from->out_user);
    fill(&into->out_host, &from->out_host);
    fill(&into->out_command, &from->out_command);
    fill(&into->ca, &from->ca);
}

/* What can be an account here: it has an address and a server. */
static gboolean
is_whole(struct foreign *foreign)
{
    const char *user = foreign->in_user ? foreign->in_user : foreign->out_user;
    if (!foreign->address && user && strchr(user, '@'))
        foreign->address = g_strdup(user);
    if (!foreign->in_user)
        foreign->in_user = g_strdup(foreign->out_user ? foreign->out_user : foreign->address);
    if (!foreign->out_user)
        foreign->out_user = g_strdup(foreign->in_user);
    return foreign->address && (foreign->in_host || foreign->out_host);
}

static GPtrArray *
find_all(void)
{
    static const char *const mbsync[] = {".mbsyncrc", "+isyncrc", NULL}, *const msmtp[] = {".msmtprc", "+msmtp/config", NULL},
                      *const mutt[] = {".neomuttrc", ".neomutt/neomuttrc", "+neomutt/neomuttrc", ".muttrc", ".mutt/muttrc",
                                       "+mutt/muttrc", NULL};
    const struct {
        const char *const *names;
        line_func take;
    } files[] = {{mbsync, take_mbsync}, {msmtp, take_msmtp}, {mutt, take_mutt}};
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(foreign_free);
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *text = read_first(files[i].names);
        each_line(text, parts, files[i].take);
    }
    GPtrArray *all = g_ptr_array_new_with_free_func(foreign_free);
    while (parts->len) {
        struct foreign *part = g_ptr_array_steal_index(parts, 0);
        gboolean joined = FALSE;
        for (guint i = 0; i < all->len && !joined; i++)
            if ((joined = same_person(all->pdata[i], part)))
                join(all->pdata[i], part);
        if (joined)
            foreign_free(part);
        else
            g_ptr_array_add(all, part);
    }
    for (guint i = all->len; i-- > 0;)
        if (!is_whole(all->pdata[i]))
            g_ptr_array_remove_index(all, i);
    return all;
}

/* ---- what becomes of it ---- */

static char *
url(const char *scheme, gboolean plain, const char *user, const char *host, const char *port)
{
    g_autofree char *escaped = g_uri_escape_string(user ? user : "", NULL, FALSE);
    return host ? g_strdup_printf("%s%s://%s@%s%s%s", scheme, plain ? "" : "s", escaped, host, port ? ":" : "", port ? port : "")
                : NULL;
}

static char *
command(const char *text)
{
    return text ? g_strdup_printf("command %s", text) : NULL;
}

/* Key, value, …, NULL: what config_add_section() takes. */
static GPtrArray *
pairs_of(const struct foreign *foreign)
{
    const char *scheme = foreign->pop ? "pop3" : "imap";
    const char *mine = foreign->in_command ? foreign->in_command : foreign->out_command;
    const char *theirs = foreign->in_command && foreign->out_command && strcmp(foreign->in_command, foreign->out_command)
                             ? foreign->out_command
                             : NULL;
    gboolean named = foreign->real_name && *foreign->real_name && !strchr(foreign->address, '<');
    const struct {
        const char *key;
        char *value;
    } pairs[] = {
        {"address", named ? g_strdup_printf("%s <%s>", foreign->real_name, foreign->address) : g_strdup(foreign->address)},
        {"incoming", url(scheme, foreign->in_plain, foreign->in_user, foreign->in_host, foreign->in_port)},
        {"outgoing", url("smtp", foreign->out_plain, foreign->out_user, foreign->out_host, foreign->out_port)},
        {"password", mine ? command(mine) : g_strdup("ask")},
        {"outgoing-password", command(theirs)},
        {"tls-ca", g_strdup(foreign->ca)},
    };
    GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (!pairs[i].value)
            continue;
        g_ptr_array_add(out, g_strdup(pairs[i].key));
        g_ptr_array_add(out, pairs[i].value);
    }
    g_ptr_array_add(out, NULL);
    return out;
}

static gboolean
print_account(const char *name, const GPtrArray *pairs, GError **error)
{
    if (cli_json) {
        struct json json;
        json_init(&json);
        json_object_begin(&json, NULL);
        json_string(&json, "account", name);
        for (guint i = 0; pairs->pdata[i]; i += 2)
            json_string(&json, pairs->pdata[i], pairs->pdata[i + 1]);
        json_object_end(&json);
        return cli_print_json(&json, error);
    }
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "[account %s]\n", name);
    for (guint i = 0; pairs->pdata[i]; i += 2)
        g_string_append_printf(text, "%s = %s\n", (char *)pairs->pdata[i], (char *)pairs->pdata[i + 1]);
    return cli_print(text->str, error);
}

static gboolean
is_configured(const struct config *config, const struct foreign *foreign)
{
    for (guint i = 0; i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        if (!strcmp(account->name, foreign->name) || !g_ascii_strcasecmp(account->address, foreign->address))
            return TRUE;
    }
    return FALSE;
}

gboolean
foreign_import(gboolean write, GError **error)
{
    const struct config *config = cli_config(error);
    if (!config)
        return FALSE;
    g_autoptr(GPtrArray) all = find_all();
    if (!all->len) {
        g_set_error(error, CLI_ERROR, ERROR_NOINPUT,
                    _("no account was found in the configurations of mbsync, msmtp and mutt: \"postrider setup\" adds one"));
        return FALSE;
    }
    for (guint i = 0; i < all->len; i++) {
        struct foreign *foreign = all->pdata[i];
        g_strcanon(foreign->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", '-');
        g_autoptr(GPtrArray) pairs = pairs_of(foreign);
        if (!write) {
            if (!print_account(foreign->name, pairs, error))
                return FALSE;
            continue;
        }
        if (is_configured(config, foreign)) {
            cli_note(_("%s is in the configuration already"), foreign->name);
            continue;
        }
        g_autofree char *section = g_strdup_printf("account %s", foreign->name);
        if (!config_add_section(NULL, section, (const char *const *)pairs->pdata, error))
            return FALSE;
        if (cli_json && !print_account(foreign->name, pairs, error))
            return FALSE;
        cli_note(_("Account %s added."), foreign->name);
    }
    return TRUE;
}
