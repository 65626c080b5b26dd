/* setup.c - postrider setup: adds an account to the configuration, by questions or by options, and tries it
 */
#include "config.h"

#include "cli/commands.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "base/text.h"
#include "config/providers.h"
#include "mail/address.h"

#include <string.h>
#include <unistd.h>

static char *name, *incoming, *outgoing, *password, *real_name, *tls_ca, *keep;
static gboolean no_check;

static const GOptionEntry entries[] = {
    {"as", 0, 0, G_OPTION_ARG_STRING, &name, N_("what to call the account (the domain's first word)"),
     "NAME"},
    {"name", 0, 0, G_OPTION_ARG_STRING, &real_name, N_("your own name, for From"), "NAME"},
    {"incoming", 0, 0, G_OPTION_ARG_STRING, &incoming,
     N_("imaps://USER@HOST[:PORT], imap://, pop3s://, pop3://, maildir:PATH"), "URL"},
    {"outgoing", 0, 0, G_OPTION_ARG_STRING, &outgoing, N_("smtps://USER@HOST[:PORT], smtp://"), "URL"},
    {"password", 0, 0, G_OPTION_ARG_STRING, &password, N_("ask, keyring, or command CMD"), "HOW"},
    {"keep", 0, 0, G_OPTION_ARG_STRING, &keep,
     N_("which texts are kept off line: all, by age and size (365d, 20M), or envelopes"), "POLICY"},
    {"tls-ca", 0, 0, G_OPTION_ARG_FILENAME, &tls_ca, N_("certificates to trust in place of the system's"),
     "FILE"},
    {"no-check", 0, 0, G_OPTION_ARG_NONE, &no_check, N_("do not try the account"), NULL},
    {NULL},
};

/* The answer, `fallback` for an empty one; NULL without a terminal and without a fallback. */
static char *
ask(const char *question, const char *fallback, gboolean interactive)
{
    if (!interactive)
        return g_strdup(fallback);
    g_autofree char *prompt = fallback && *fallback ? g_strdup_printf("%s [%s]:", question, fallback)
                                                    : g_strdup_printf("%s:", question);
    char *answer = cli_ask(prompt, FALSE);
    if (answer && *g_strstrip(answer))
        return answer;
    g_free(answer);
    return g_strdup(fallback);
}

/* ---- where the mail of a domain is ---- */

struct servers {
    char *incoming, *outgoing; /* "imaps HOST" or "imaps HOST PORT", or NULL */
    const char *note;          /* what has to be known of the provider, or NULL */
    const char *source;        /* who says so */
    gboolean foreign;          /* a host outside the domain, by the word of the DNS alone */
};

static void
servers_clear(struct servers *servers)
{
    g_free(servers->incoming);
    g_free(servers->outgoing);
}
typedef struct servers struct_servers;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(struct_servers, servers_clear)

/* What the DNS says nobody has signed: whoever can forge it must not be given a password unseen (RFC 6186, 4). */
static gboolean
is_foreign(const char *server, const char *domain)
{
    g_auto(GStrv) words = g_strsplit(server ? server : "", " ", -1);
    const char *host = words[0] ? words[1] : NULL;
    g_autofree char *inside = g_strdup_printf(".%s", domain);
    g_autofree char *lower = g_ascii_strdown(host ? host : "", -1), *below = g_ascii_strdown(inside, -1);
    return host && strcmp(lower, below + 1) != 0 && !g_str_has_suffix(lower, below);
}

/* RFC 6186, in a process of its own: the commands do not ask the DNS themselves. */
static gboolean
ask_dns(const char *domain, struct servers *servers)
{
    const struct config *config = cli_config(NULL);
    g_autofree char *program = paths_program("postrider-check"), *out = NULL;
    const char *argv[] = {program, "--servers", domain, config ? config->resolver : NULL, NULL};
    int status = 0;
    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, &status, NULL) || status)
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
    if (g_strv_length(lines) < 2 || !*lines[0])
        return FALSE;
    servers->incoming = g_strdup(lines[0]);
    servers->outgoing = *lines[1] ? g_strdup(lines[1]) : NULL;
    servers->foreign = is_foreign(lines[0], domain) || is_foreign(lines[1], domain);
    return TRUE;
}

static void
find_servers(const char *domain, struct servers *servers)
{
    const struct provider *provider = provider_find(domain);
    if (provider) {
        servers->incoming = g_strdup(provider->incoming);
        servers->outgoing = g_strdup(provider->outgoing);
        servers->note = provider->note;
        servers->source = _("the provider is known");
        return;
    }
    servers->source = ask_dns(domain, servers) ? _("the domain's DNS names them") : _("guessed");
    if (!servers->incoming)
        servers->incoming = g_strdup_printf("imaps imap.%s", domain);
    if (!servers->outgoing)
        servers->outgoing = g_strdup_printf("smtps smtp.%s", domain);
}

/* "imaps HOST PORT" as a URL of this user; the usual port is not said. */
static char *
server_url(const char *server, const struct address *address)
{
    static const char *const usual[] = {"imaps 993", "imap 143", "pop3s 995", "pop3 110", "smtps 465", "smtp 587", NULL};
    g_auto(GStrv) words = g_strsplit(server, " ", 3);
    g_autofree char *user = g_uri_escape_string(address->addr, NULL, FALSE);
    g_autofree char *port = words[2] ? g_strdup_printf("%s %s", words[0], words[2]) : NULL;
    gboolean said = port && !g_strv_contains(usual, port);
    return g_strdup_printf("%s://%s@%s%s%s", words[0], user, words[1], said ? ":" : "", said ? words[2] : "");
}

static char *
default_name(const char *addr)
{
    const char *domain = address_domain(addr);
    char *word = g_strndup(domain, strcspn(domain, "."));
    g_strcanon(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", '-');
    return word;
}

static gboolean
check_account(const char *account, int *exit_code, GError **error)
{
    char *argv[] = {(char *)account, NULL};
    cli_note(_("Trying it: fetching the mail of %s …"), account);
    if (!cmd_sync.run(1, argv, exit_code, error))
        return FALSE;
    if (*exit_code)
        cli_note(_("The account is in the configuration, but it does not work yet: mend it there and run "
                   "\"postrider sync %s\"."),
                 account);
    else
        cli_note(_("It works. \"postrider\" opens the screen."));
    return TRUE;
}

static gboolean
run_setup(int argc, char **argv, int *exit_code, GError **error)
{
    gboolean interactive = isatty(STDIN_FILENO);
    if (argc > 1)
        return cli_usage_error(error, _("setup takes one address"));
    g_autofree char *typed = argc ? g_strdup(argv[0]) : ask("Your mail address", NULL, interactive);
    if (!typed)
        return cli_usage_error(error, _("without a terminal: postrider setup ADDRESS --incoming URL "
                                        "--outgoing URL --password \"command …\""));
    g_autoptr(struct_address) address = address_parse(typed, error);
    if (!address)
        return FALSE;
    g_auto(struct_servers) servers = {0};
    if (!incoming || !outgoing)
        find_servers(address_domain(address->addr), &servers);
    g_autofree char *first_name = default_name(address->addr),
                    *imap = servers.incoming ? server_url(servers.incoming, address) : NULL,
                    *smtp = servers.outgoing ? server_url(servers.outgoing, address) : NULL;
    gboolean questions = interactive && !(incoming && password);
    if (servers.foreign && !questions)
        return cli_usage_error(error,
                               _("the DNS of %s names servers of somebody else: if they are right, say so with --incoming %s "
                                 "--outgoing %s"),
                               address_domain(address->addr), imap, smtp);
    if (servers.source)
        cli_note(_("Servers of %s: %s."), address_domain(address->addr), servers.source);
    if (servers.note)
        cli_note("%s: %s.", address_domain(address->addr), _(servers.note));
    g_autofree char *own = real_name ? g_strdup(real_name) : ask("Your name", address->name, questions);
    g_autofree char *in = incoming ? g_strdup(incoming) : ask("Incoming server", imap, questions);
    g_autofree char *out = outgoing ? g_strdup(outgoing) : ask("Outgoing server", smtp, questions);
    g_autofree char *how =
        password ? g_strdup(password)
                 : ask("Password: ask each time, keyring, or a command that prints it (command pass show …)", "ask",
                       questions);
    g_autofree char *account =
        name ? g_strdup(name) : ask("A short name for the account", first_name, questions);
    g_autofree char *kept = keep ? g_strdup(keep)
                                 : ask("Texts kept off line: all, by age and size (365d, 20M), or envelopes (when opened)",
                                       "all", questions);

    struct address shown = {.name = own && *own ? own : NULL, .addr = address->addr};
    g_autofree char *line = address_format(&shown);
    g_autofree char *section = g_strdup_printf("account %s", account);
    const char *pairs[] = {
        "address", line, "incoming", in, "outgoing", out, "password", how, "keep", kept, tls_ca ? "tls-ca" : NULL,
        tls_ca,    NULL};
    if (!config_add_section(NULL, section, pairs, error))
        return FALSE;
    cli_note(_("Account %s added."), account);
    return no_check || check_account(account, exit_code, error);
}

const struct cli_command cmd_setup = {
    "setup",
    "[ADDRESS]",
    N_("add an account"),
    N_("Finds the servers of the address: large providers are known, else the domain's DNS is asked (RFC 6186), else the usual "
       "names are guessed; a server outside the domain that only the DNS names is taken when you agree. Asks what it does not know, writes a section into the configuration (the rest of the file stays as "
       "it is), and tries the account. "
       "All answers can be given as options; then nothing is asked."),
    entries,
    WORDS_ANYWHERE,
    run_setup};
