#include "config.h"

#include "config/values.h"
#include "config/keep.h"
#include "base/i18n.h"
#include "base/paths.h"

#include <string.h>

const char *const config_roles[] = {"sent", "drafts", "junk", "trash", "archive", "all", NULL};

#define A(field) offsetof(struct account, field)
#define C(field) offsetof(struct config, field)
#define R(field) offsetof(struct config_rule, field)

static gboolean take_address(gpointer target, const char *value, char **why);
static gboolean take_incoming(gpointer target, const char *value, char **why);
static gboolean take_outgoing(gpointer target, const char *value, char **why);
static gboolean take_sieve(gpointer target, const char *value, char **why);
static gboolean take_password(gpointer target, const char *value, char **why);
static gboolean take_outgoing_password(gpointer target, const char *value, char **why);
static gboolean take_keep(gpointer target, const char *value, char **why);
static gboolean take_keep_folder(gpointer target, const char *value, char **why);
static gboolean take_leave(gpointer target, const char *value, char **why);
static gboolean take_resolver(gpointer target, const char *value, char **why);
static gboolean take_virus_scanner(gpointer target, const char *value, char **why);
static gboolean take_trusted_hosts(gpointer target, const char *value, char **why);
static gboolean take_trusted_sealers(gpointer target, const char *value, char **why);
static gboolean take_address_lists(gpointer target, const char *value, char **why);
static gboolean take_domain_lists(gpointer target, const char *value, char **why);
static gboolean take_notmuch(gpointer target, const char *value, char **why);

#define KEEP_VALUES "all, envelopes, off, or an age and a size: 365d, 20M"

const struct config_key config_keys[] = {
    {"general", "undo-send", CONFIG_INT, 0, 600, "seconds, 0 to 600", "10", FALSE,
     N_("Seconds in which a message sent from the screen can be taken back."), C(undo_send)},
    {"general", "poll", CONFIG_INT, 10, 86400, "seconds, 10 to 86400", "60", FALSE,
     N_("Seconds between two looks at the folders of a server."), C(poll)},
    {"general", "theme", CONFIG_ENUM, 0, 0, "dusk|day", "dusk", FALSE,
     N_("Colours for a dark or a light terminal."), C(theme)},
    {"general", "layout", CONFIG_ENUM, 0, 0, "beside|whole", "beside", FALSE,
     N_("From 160 columns on, a message opens beside the list, at the right; whole: it takes the screen."), C(layout)},
    {"general", "keys", CONFIG_ENUM, 0, 0, "mutt|aerc|alpine|vi", "mutt", FALSE,
     N_("The set of keys; single keys are changed in the section [keys]."), C(key_set)},
    {"general", "editor", CONFIG_STRING, 0, 0, "a command", NULL, FALSE,
     N_("The editor for messages; $VISUAL, then $EDITOR, then vi when it is not set."), C(editor)},
    {"general", "conversations", CONFIG_BOOL, 0, 0, "yes|no", "yes", FALSE,
     N_("One line a conversation in the list; no: one line a message."), C(conversations)},
    {"general", "one-inbox", CONFIG_BOOL, 0, 0, "yes|no", "yes", FALSE,
     N_("With two accounts or more: all inboxes as one list, which is shown first, and likewise all drafts, sent mail, "
        "archives, junk and trash. Every message has its account's letter, and stays in its account."),
     C(one_inbox)},
    {"general", "side-bar", CONFIG_BOOL, 0, 0, "yes|no", "yes", FALSE,
     N_("Folders at the left from 100 columns on."), C(side_bar)},
    {"general", "hyperlinks", CONFIG_BOOL, 0, 0, "yes|no", "no", FALSE,
     N_("Links that a terminal can click (OSC 8)."), C(hyperlinks)},
    {"general", "mouse", CONFIG_BOOL, 0, 0, "yes|no", "no", FALSE,
     N_("Take the mouse from the terminal: click to open, wheel to scroll."), C(mouse)},
    {"general", "notmuch", CONFIG_CUSTOM, 0, 0, "all, off, or an age such as 365d", "all", FALSE,
     N_("Which mail the notmuch index holds."), 0, take_notmuch},
    {"general", "filter", CONFIG_ENUM, 0, 0, "off|watch|on", "watch", FALSE,
     N_("The learning filter: watch, it learns from you and says what it takes new mail for; on, it also files junk; off. It is "
        "silent until it has seen enough."),
     C(filter)},
    {"general", "blocked", CONFIG_ENUM, 0, 0, "junk|trash", "junk", FALSE,
     N_("Where new mail of blocked senders goes (postrider block)."), C(blocked)},
    {"general", "check", CONFIG_BOOL, 0, 0, "yes|no", "yes", FALSE,
     N_("Check DKIM, SPF, DMARC and ARC of arriving mail here, with the DNS, when your own server did not."), C(check)},
    {"general", "resolver", CONFIG_CUSTOM, 0, 0, "an address, perhaps with a port: 127.0.0.1:5353", NULL, FALSE,
     N_("The DNS server for that, in place of the system's."), 0, take_resolver},
    {"general", "virus-scanner", CONFIG_CUSTOM, 0, 0, "clamd:PATH", NULL, FALSE,
     N_("The socket of ClamAV's daemon, which looks at arriving mail: clamd:/run/clamav/clamd.ctl. What it finds something "
        "in is held: parts are opened and saved only when you say so in full."),
     0, take_virus_scanner},
    {"general", "address-lists", CONFIG_CUSTOM, 0, 0, "names, separated by commas", NULL, FALSE,
     N_("Block lists in the DNS (RFC 5782) that are asked about the address that handed a new message over: zen.example.org. "
        "None is asked unless it stands here: each learns from whom mail comes."),
     0, take_address_lists},
    {"general", "domain-lists", CONFIG_CUSTOM, 0, 0, "names, separated by commas", NULL, FALSE,
     N_("Likewise about the domains in the links of new mail: dbl.example.org."), 0, take_domain_lists},
    {"account", "address", CONFIG_CUSTOM, 0, 0, "Name <local@domain>", NULL, TRUE,
     N_("Your name and address, as they stand in From."), 0, take_address},
    {"account", "aliases", CONFIG_LIST, 0, 0, "addresses, separated by commas", NULL, FALSE,
     N_("Further addresses of yours: replies leave from the one that was written to."), A(aliases)},
    {"account", "incoming", CONFIG_CUSTOM, 0, 0,
     "imaps://USER@HOST[:PORT] (993), imap://… (143, STARTTLS demanded), pop3s://… (995), pop3://… (110, "
     "STARTTLS demanded), or maildir:PATH",
     NULL, FALSE,
     N_("Where mail comes from; without it the account only sends. An @ in the user name is written %40. "
        "POP3 has one mailbox, which is INBOX here; all other folders of such an account are on this machine alone."),
     0, take_incoming},
    {"account", "outgoing", CONFIG_CUSTOM, 0, 0,
     "smtps://USER@HOST[:PORT] (465) or smtp://… (587, STARTTLS demanded)", NULL, FALSE,
     N_("The submission server. Without it the account cannot send."), 0, take_outgoing},
    {"account", "sieve", CONFIG_CUSTOM, 0, 0, "sieve://USER@HOST[:PORT] (4190, STARTTLS demanded)", NULL, FALSE,
     N_("The server that runs rules as a script (ManageSieve); with the password of incoming."), 0, take_sieve},
    {"account", "password", CONFIG_CUSTOM, 0, 0, "ask, keyring, or command CMD", "ask", FALSE,
     N_("How the password is found: asked for; in the desktop's keyring (Secret Service), by secret-tool with the attributes "
        "service postrider and account NAME; or as the first line that a shell command prints."),
     0,
     take_password},
    {"account", "outgoing-password", CONFIG_CUSTOM, 0, 0, "command CMD", NULL, FALSE,
     N_("The password of the submission server, when it is another one."), 0, take_outgoing_password},
    {"account", "tls-ca", CONFIG_STRING, 0, 0, "a PEM file", NULL, FALSE,
     N_("Certificates to trust for this account's servers, in place of the system's."), A(tls_ca)},
    {"account", "tls-pin", CONFIG_STRING, 0, 0, "sha256:BASE64", NULL, FALSE,
     N_("The public key that the servers must show; a changed key is refused."), A(tls_pin)},
    {"account", "tls", CONFIG_STRING, 0, 0, "none", NULL, FALSE,
     N_("none: no encryption; accepted for a server on this machine (loopback) only."), A(tls)},
    {"account", "keep", CONFIG_CUSTOM, 0, 0, KEEP_VALUES, "all", FALSE,
     N_("Which message bodies are kept off line; the others are fetched when they are opened. An age (d, w, m, y) "
        "and a size (k, M, G) let in what is younger and smaller; envelopes: none come by themselves, every message "
        "is listed all the same; off: the folders are not brought into step at all. It counts from the next pass "
        "on; what is here already stays here."),
     0, take_keep},
    {"account", "keep.FOLDER", CONFIG_CUSTOM, 0, 0, KEEP_VALUES, NULL, FALSE,
     N_("The same for one folder (keep.Archive = envelopes), or for several: * stands for anything, ? for one "
        "letter (keep.Lists/* = 30d, 1M). A folder's own name goes before patterns, and the first pattern that "
        "fits before the others. In a name, = is written ?."),
     0, take_keep_folder},
    {"account", "leave", CONFIG_CUSTOM, 0, 0, "always, until-deleted, never, or an age: 30d", "always", FALSE,
     N_("What stays in a POP3 mailbox: everything; until-deleted: what is not deleted here (in Trash is deleted); an "
        "age: that too, but no longer than so long after it was fetched; never: nothing that is safely here. A "
        "message whose body is not kept here (see keep) stays in any case, unless it is deleted here for good."),
     0, take_leave},
    {"account", "folders", CONFIG_ENUM, 0, 0, "subscribed|all", "subscribed", FALSE,
     N_("Which folders of the server are kept here."), A(folders)},
    {"account", "sent-copy", CONFIG_BOOL, 0, 0, "yes|no", "yes", FALSE,
     N_("Put a copy of what was sent into the Sent folder; no where the server does that by itself."),
     A(sent_copy)},
    {"account", "signature", CONFIG_STRING, 0, 0, "a file", NULL, FALSE, N_("Text put under new messages."),
     A(signature)},
    {"account", "trusted-hosts", CONFIG_CUSTOM, 0, 0, "names, separated by commas", NULL, FALSE,
     N_("Servers of yours whose Authentication-Results count, by the name that stands first in that field; list those only "
        "that take away fields of that name from what comes in. Others are learnt: names whose results were checked here "
        "and found to be true."),
     0, take_trusted_hosts},
    {"account", "trusted-sealers", CONFIG_CUSTOM, 0, 0, "domains, separated by commas", NULL, FALSE,
     N_("Who passes mail on (mailing lists, forwarders) and is believed about what he changed on the way: the domain of his ARC "
        "seal. Others are learnt: those whose word was checked here and found to be true."),
     0, take_trusted_sealers},
    {"account", "sent", CONFIG_STRING, 0, 0, "a folder", NULL, FALSE,
     N_("The folder for sent mail, when the server does not say."), A(role_names[0])},
    {"account", "drafts", CONFIG_STRING, 0, 0, "a folder", NULL, FALSE, N_("The folder for drafts."),
     A(role_names[1])},
    {"account", "junk", CONFIG_STRING, 0, 0, "a folder", NULL, FALSE, N_("The folder for junk."),
     A(role_names[2])},
    {"account", "trash", CONFIG_STRING, 0, 0, "a folder", NULL, FALSE, N_("The folder for deleted mail."),
     A(role_names[3])},
    {"account", "archive", CONFIG_STRING, 0, 0, "a folder", NULL, FALSE, N_("The folder for archived mail."),
     A(role_names[4])},
    {"account", "all", CONFIG_STRING, 0, 0, "a folder", NULL, FALSE,
     N_("The folder that holds all mail (Gmail)."), A(role_names[5])},
    {"rule", "when", CONFIG_STRING, 0, 0, "a query", NULL, TRUE,
     N_("Which new mail it is for, in the language of searches: postrider-search(7)."), R(when)},
    {"rule", "then", CONFIG_STRING, 0, 0, "actions, separated by ;", NULL, TRUE,
     N_("What is done, in this order: move FOLDER, copy FOLDER, archive, delete, junk, read, flag, tag +WORD -WORD, "
        "forward ADDRESS, notify [TEXT], run PROGRAM [ARGUMENT…] (no shell; the message is its standard input), stop "
        "(no later rule)."),
     R(then)},
    {"rule", "account", CONFIG_STRING, 0, 0, "the name of an account", NULL, FALSE,
     N_("The only account it is for; without it, for all."), R(account)},
    {0},
};

static gboolean
looks_like_address(const char *text)
{
    const char *at = strrchr(text, '@');
    if (!at || at == text || !at[1])
        return FALSE;
    for (const char *p = text; *p; p++)
        if ((guchar)*p <= 0x20 || *p == 0x7F || strchr("<>,;\"", *p))
            return FALSE;
    return TRUE;
}

static gboolean
take_address(gpointer target, const char *value, char **why)
{
    struct account *account = target;
    const char *open = strrchr(value, '<'), *close = open ? strchr(open, '>') : NULL;
    g_autofree char *addr = open && close ? g_strndup(open + 1, close - open - 1) : g_strdup(value);
    g_strstrip(addr);
    if ((open && !close) || !looks_like_address(addr)) {
        *why = g_strdup_printf("\"%s\" is not an address", addr);
        return FALSE;
    }
    if (open) {
        g_autofree char *name = g_strstrip(g_strndup(value, open - value));
        gsize len = strlen(name);
        if (len >= 2 && name[0] == '"' && name[len - 1] == '"')
            account->real_name = g_strndup(name + 1, len - 2);
        else if (len)
            account->real_name = g_strdup(name);
    }
    account->address = g_steal_pointer(&addr);
    return TRUE;
}

static gboolean
take_virus_scanner(gpointer target, const char *value, char **why)
{
    struct config *config = target;
    if (g_str_has_prefix(value, "clamd:/")) {
        config->virus_scanner = g_strdup(value + strlen("clamd:"));
        return TRUE;
    }
    *why = g_strdup_printf("\"%s\" is no virus scanner", value);
    return FALSE;
}

static gboolean
take_names(const char *value, char ***target, char **why)
{
    g_auto(GStrv) names = g_strsplit(value, ",", -1);
    for (char **name = names; *name; name++)
        if (!*g_strstrip(*name) || strpbrk(*name, " \t;\"()@")) {
            *why = g_strdup_printf("\"%s\" is not the name of a server", *name);
            return FALSE;
        }
    g_strfreev(*target);
    *target = g_steal_pointer(&names);
    return TRUE;
}

static gboolean
take_trusted_hosts(gpointer target, const char *value, char **why)
{
    return take_names(value, &((struct account *)target)->trusted_hosts, why);
}

static gboolean
take_trusted_sealers(gpointer target, const char *value, char **why)
{
    return take_names(value, &((struct account *)target)->trusted_sealers, why);
}

static gboolean
take_address_lists(gpointer target, const char *value, char **why)
{
    return take_names(value, &((struct config *)target)->address_lists, why);
}

static gboolean
take_domain_lists(gpointer target, const char *value, char **why)
{
    return take_names(value, &((struct config *)target)->domain_lists, why);
}

/* net/dns.h understands the same. */
static gboolean
take_resolver(gpointer target, const char *value, char **why)
{
    struct config *config = target;
    g_auto(GStrv) parts = NULL;
    gboolean is_bracketed = *value == '[';
    if (g_hostname_is_ip_address(value)) {
        config->resolver = g_strdup(value);
        return TRUE;
    }
    parts = g_strsplit(value + is_bracketed, is_bracketed ? "]:" : ":", 2);
    if (parts[0] && parts[1] && g_hostname_is_ip_address(parts[0]) &&
        g_ascii_string_to_unsigned(parts[1], 10, 1, 65535, NULL, NULL)) {
        config->resolver = g_strdup(value);
        return TRUE;
    }
    *why = g_strdup_printf("\"%s\" is no address of a DNS server", value);
    return FALSE;
}

static const struct {
    const char *scheme;
    enum endpoint_protocol protocol;
    enum tls_mode tls;
} schemes[] = {
    {"imaps", ENDPOINT_IMAP, TLS_IMPLICIT}, {"imap", ENDPOINT_IMAP, TLS_STARTTLS},
    {"pop3s", ENDPOINT_POP3, TLS_IMPLICIT}, {"pop3", ENDPOINT_POP3, TLS_STARTTLS},
    {"smtps", ENDPOINT_SMTP, TLS_IMPLICIT}, {"smtp", ENDPOINT_SMTP, TLS_STARTTLS},
    {"sieve", ENDPOINT_SIEVE, TLS_STARTTLS},
};

static struct endpoint *
parse_url(const char *url, guint protocols, char **why)
{
    const char *rest = strstr(url, "://");
    guint row = G_N_ELEMENTS(schemes);
    for (guint i = 0; rest && i < G_N_ELEMENTS(schemes); i++)
        if (strlen(schemes[i].scheme) == (gsize)(rest - url) &&
            !strncmp(url, schemes[i].scheme, rest - url) &&
            protocols & 1u << schemes[i].protocol)
            row = i;
    if (row == G_N_ELEMENTS(schemes)) {
        *why = g_strdup_printf("\"%s\" does not begin with one of the known schemes", url);
        return NULL;
    }
    rest += 3;
    g_autofree char *user = NULL;
    const char *at = strrchr(rest, '@');
    if (at) {
        g_autofree char *escaped = g_strndup(rest, at - rest);
        if (strchr(escaped, '@') || strchr(escaped, ':')) {
            *why = g_strdup(strchr(escaped, '@')
                                ? "an @ in the user name is written %40"
                                : "a password does not belong here: use \"password = command …\"");
            return NULL;
        }
        user = g_uri_unescape_string(escaped, NULL);
        if (!user || !*user || !g_utf8_validate(user, -1, NULL) || strpbrk(user, "\r\n")) {
            *why = g_strdup("the user name is empty or wrongly escaped");
            return NULL;
        }
        rest = at + 1;
    }
    g_autofree char *host = NULL;
    const char *port = NULL;
    if (*rest == '[') {
        const char *end = strchr(rest, ']');
        if (!end) {
            *why = g_strdup("a ] is missing after the address of the host");
            return NULL;
        }
        host = g_strndup(rest + 1, end - rest - 1);
        port = end[1] == ':' ? end + 2 : NULL;
    } else {
        const char *colon = strchr(rest, ':');
        host = colon ? g_strndup(rest, colon - rest) : g_strdup(rest);
        port = colon ? colon + 1 : NULL;
    }
    gsize len = strlen(host);
    if (!port && len && host[len - 1] == '/')
        host[len - 1] = '\0';
    if (!*host || strpbrk(host, "/?#@ \t")) {
        *why = g_strdup("the host name is missing or has characters that no host name has");
        return NULL;
    }
    guint64 number = 0;
    g_autofree char *digits = port ? g_strdup(port) : NULL;
    if (digits && g_str_has_suffix(digits, "/"))
        digits[strlen(digits) - 1] = '\0';
    if (digits && !g_ascii_string_to_unsigned(digits, 10, 1, 65535, &number, NULL)) {
        *why = g_strdup_printf("\"%s\" is not a port number", digits);
        return NULL;
    }
    return endpoint_new(
        schemes[row].protocol, schemes[row].tls, host,
        number ? (guint16)number : endpoint_default_port(schemes[row].protocol, schemes[row].tls), user);
}

static gboolean
take_incoming(gpointer target, const char *value, char **why)
{
    struct account *account = target;
    account->incoming_url = g_strdup(value);
    if (g_str_has_prefix(value, "maildir:")) {
        account->maildir = paths_expand(value + strlen("maildir:"));
        if (g_path_is_absolute(account->maildir))
            return TRUE;
        *why = g_strdup("the path of a Maildir begins with / or ~");
        return FALSE;
    }
    account->incoming = parse_url(value, 1u << ENDPOINT_IMAP | 1u << ENDPOINT_POP3, why);
    return account->incoming != NULL;
}

static gboolean
take_outgoing(gpointer target, const char *value, char **why)
{
    struct account *account = target;
    account->outgoing_url = g_strdup(value);
    account->outgoing = parse_url(value, 1u << ENDPOINT_SMTP, why);
    return account->outgoing != NULL;
}

static gboolean
take_sieve(gpointer target, const char *value, char **why)
{
    struct account *account = target;
    account->sieve = parse_url(value, 1u << ENDPOINT_SIEVE, why);
    if (account->sieve && !account->sieve->user)
        *why = g_strdup("a user name is missing");
    return account->sieve && account->sieve->user;
}

static gboolean
take_command(const char *value, char **command, char **why)
{
    if (!g_str_has_prefix(value, "command ")) {
        *why = g_strdup("a password itself never stands here"); /* and is not repeated in the error */
        return FALSE;
    }
    *command = g_strstrip(g_strdup(value + strlen("command ")));
    return TRUE;
}

static gboolean
take_password(gpointer target, const char *value, char **why)
{
    struct account *account = target;
    if (!strcmp(value, "keyring")) {
        g_autofree char *name = g_shell_quote(account->name);
        account->password = PASSWORD_KEYRING;
        account->password_command = g_strdup_printf("secret-tool lookup service postrider account %s", name);
        return TRUE;
    }
    account->password = strcmp(value, "ask") ? PASSWORD_COMMAND : PASSWORD_ASK;
    return account->password == PASSWORD_ASK || take_command(value, &account->password_command, why);
}

static gboolean
take_outgoing_password(gpointer target, const char *value, char **why)
{
    struct account *account = target;
    return take_command(value, &account->outgoing_password_command, why);
}

static gboolean
take_keep(gpointer target, const char *value, char **why)
{
    struct account *account = target;
    return keep_parse(value, &account->keep, why);
}

/* Of the folder that the key named: config_take_folder() has put it at the end. */
static gboolean
take_keep_folder(gpointer target, const char *value, char **why)
{
    struct account *account = target;
    return keep_parse(value, &g_array_index(account->keep_folders, struct keep, account->keep_folders->len - 1), why);
}

gboolean
config_take_folder(struct account *account, const char *name, char **why)
{
    struct keep keep = {.folder = g_strdup(strchr(name, '.') + 1)};
    if (!*g_strstrip(keep.folder)) {
        g_free(keep.folder);
        *why = g_strdup("the name of a folder is missing behind the dot");
        return FALSE;
    }
    if (!account->keep_folders) {
        account->keep_folders = g_array_new(FALSE, TRUE, sizeof keep);
        g_array_set_clear_func(account->keep_folders, keep_clear);
    }
    g_array_append_val(account->keep_folders, keep);
    return TRUE;
}

static gboolean
take_leave(gpointer target, const char *value, char **why)
{
    static const char *const words[] = {
        [LEAVE_ALWAYS] = "always", [LEAVE_UNTIL_DELETED] = "until-deleted", [LEAVE_DAYS] = NULL, [LEAVE_NEVER] = "never"};
    struct leave *leave = &((struct account *)target)->leave;
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (!g_strcmp0(value, words[i])) {
            leave->what = (enum leave_what)i;
            return TRUE;
        }
    leave->what = LEAVE_DAYS;
    if (keep_parse_age(value, &leave->days))
        return TRUE;
    *why = g_strdup_printf("\"%s\" is not an age", value);
    return FALSE;
}

static gboolean
take_notmuch(gpointer target, const char *value, char **why)
{
    struct config *config = target;
    if (!strcmp(value, "all"))
        config->notmuch_days = 0;
    else if (!strcmp(value, "off"))
        config->notmuch_days = -1;
    else if (!keep_parse_age(value, &config->notmuch_days)) {
        *why = g_strdup_printf("\"%s\" is not an age", value);
        return FALSE;
    }
    return TRUE;
}

/* Position of `value` in "a|b|c", or -1. */
static int
find_value(const char *values, const char *value)
{
    g_auto(GStrv) list = g_strsplit(values, "|", -1);
    for (int i = 0; list[i]; i++)
        if (!strcmp(list[i], value))
            return i;
    return -1;
}

gboolean
config_store_value(const struct config_key *key, gpointer target, const char *value, char **why)
{
    gpointer field = (char *)target + key->offset;
    gint64 number;
    int index;

    switch (key->type) {
    case CONFIG_CUSTOM:
        return key->custom(target, value, why);
    case CONFIG_STRING:
        *(char **)field = g_strdup(value);
        return TRUE;
    case CONFIG_INT:
        if (!g_ascii_string_to_signed(value, 10, key->min, key->max, &number, NULL))
            return FALSE;
        *(int *)field = (int)number;
        return TRUE;
    case CONFIG_BOOL:
        index = find_value("no|yes|false|true|off|on", value);
        *(gboolean *)field = index % 2 == 1;
        return index >= 0;
    case CONFIG_ENUM:
        index = find_value(key->values, value);
        *(int *)field = index;
        return index >= 0;
    case CONFIG_LIST: {
        g_auto(GStrv) parts = g_strsplit(value, ",", -1);
        for (char **part = parts; *part; part++) {
            g_strstrip(*part);
            if (!looks_like_address(*part)) {
                *why = g_strdup_printf("\"%s\" is not an address", *part);
                return FALSE;
            }
        }
        g_strfreev(*(char ***)field);
        *(char ***)field = g_steal_pointer(&parts);
        return TRUE;
    }
    }
    return FALSE;
}

gboolean
config_key_has_folder(const struct config_key *key)
{
    return g_str_has_suffix(key->key, ".FOLDER");
}

const struct config_key *
config_find_key(const char *section, const char *name)
{
    for (const struct config_key *key = config_keys; key->key; key++)
        if (!strcmp(key->section, section) &&
            (config_key_has_folder(key) ? g_str_has_prefix(name, "keep.") : !strcmp(key->key, name)))
            return key;
    return NULL;
}

char *
config_known_keys(const char *section)
{
    GString *out = g_string_new(NULL);
    for (const struct config_key *key = config_keys; key->key; key++)
        if (!strcmp(key->section, section))
            g_string_append_printf(out, "%s%s", out->len ? ", " : "", key->key);
    return g_string_free(out, FALSE);
}

void
config_set_defaults(const char *section, gpointer target)
{
    for (const struct config_key *key = config_keys; key->key; key++) {
        char *why = NULL;
        if (!strcmp(key->section, section) && key->fallback &&
            !config_store_value(key, target, key->fallback, &why))
            g_error("default of %s", key->key);
    }
}
