/* setup.c - postrider setup: adds an account to the configuration, by questions or by options, and tries it
 */
#include "config.h"

#include "cli/commands.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/text.h"
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
    {"password", 0, 0, G_OPTION_ARG_STRING, &password, N_("ask, or command CMD"), "HOW"},
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

static char *
default_url(const char *scheme, const char *host, const struct address *address)
{
    g_autofree char *user = g_uri_escape_string(address->addr, NULL, FALSE);
    return g_strdup_printf("%s://%s@%s.%s", scheme, user, host, address_domain(address->addr));
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
    g_autofree char *first_name = default_name(address->addr), *imap = default_url("imaps", "imap", address),
                    *smtp = default_url("smtps", "smtp", address);
    gboolean questions = interactive && !(incoming && password);
    g_autofree char *own = real_name ? g_strdup(real_name) : ask("Your name", address->name, questions);
    g_autofree char *in = incoming ? g_strdup(incoming) : ask("Incoming server", imap, questions);
    g_autofree char *out = outgoing ? g_strdup(outgoing) : ask("Outgoing server", smtp, questions);
    g_autofree char *how =
        password ? g_strdup(password)
                 : ask("Password: ask each time, or a command that prints it (command pass show …)", "ask",
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
    N_("Asks what it does not know, writes a section into the configuration (the rest of the file stays as "
       "it is), and tries the account. "
       "All answers can be given as options; then nothing is asked."),
    entries,
    WORDS_ANYWHERE,
    run_setup};
