/* compose.c - `postrider` without a command: mutt's flags, addresses and mailto: links (CONVENTIONS: mutt(1))
 */
#include "config.h"

#include "cli/command.h"
#include "cli/post.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "mail/draftfile.h"
#include "mail/mailto.h"
#include "store/contact.h"
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BODY_MAX (64 * 1024 * 1024)

struct flags {
    const char *subject, *include, *draft, *mailbox;
    GPtrArray *attach, *cc, *bcc, *to, *commands, *alias, *query; /* borrowed words */
    gboolean edit_draft, batch, recall, read_only, folders, if_mail, if_new, dump, crypto;
    gboolean writes; /* any flag that means a message is written */
};

/* Letters that take a value, and where it goes. */
static gboolean
take_value(struct flags *flags, char letter, const char *value)
{
    switch (letter) {
    case 's':
        flags->subject = value;
        break;
    case 'i':
        flags->include = value;
        break;
    case 'H':
        flags->draft = value;
        break;
    case 'f':
        flags->mailbox = value;
        return TRUE;
    case 'a':
        g_ptr_array_add(flags->attach, (gpointer)value);
        break;
    case 'c':
        g_ptr_array_add(flags->cc, (gpointer)value);
        break;
    case 'b':
        g_ptr_array_add(flags->bcc, (gpointer)value);
        break;
    case 'e':
        g_ptr_array_add(flags->commands, (gpointer)value);
        return TRUE;
    case 'A':
        g_ptr_array_add(flags->alias, (gpointer)value);
        return TRUE;
    case 'Q':
        g_ptr_array_add(flags->query, (gpointer)value);
        return TRUE;
    case 'F':
    case 'm':
    case 'd':
    case 'l':
        return TRUE; /* another program's configuration, mailbox type, debugging */
    default:
        return FALSE;
    }
    flags->writes = TRUE;
    return TRUE;
}

static gboolean
take_switch(struct flags *flags, char letter)
{
    switch (letter) {
    case 'E':
        flags->edit_draft = TRUE;
        return TRUE;
    case 'B':
    case 'x':
        flags->batch = TRUE;
        return TRUE;
    case 'p':
        flags->recall = TRUE;
        return TRUE;
    case 'R':
        flags->read_only = TRUE;
        return TRUE;
    case 'y':
        flags->folders = TRUE;
        return TRUE;
    case 'z':
        flags->if_mail = TRUE;
        return TRUE;
    case 'Z':
        flags->if_new = TRUE;
        return TRUE;
    case 'D':
        flags->dump = TRUE;
        return TRUE;
    case 'C':
        flags->crypto = TRUE;
        return TRUE;
    case 'n':
    case 'O':
        return TRUE;
    default:
        return FALSE;
    }
}

/* mutt: after -a, words up to "--" are files; without a "--" those that exist are. */
static gboolean
parse(struct flags *flags, int argc, char **argv, GError **error)
{
    gboolean dashes = FALSE, ended = FALSE;
    for (int i = 1; i < argc; i++)
        dashes = dashes || !strcmp(argv[i], "--");
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (ended || *word != '-' || !word[1]) {
            gboolean file = !ended && flags->attach->len && !is_mailto(word) &&
                            (dashes || g_file_test(word, G_FILE_TEST_EXISTS));
            g_ptr_array_add(file ? flags->attach : flags->to, (gpointer)word);
            continue;
        }
        if (!strcmp(word, "--")) {
            ended = TRUE;
            continue;
        }
        if (word[1] == '-')
            return cli_usage_error(error, _("%s is not known: \"postrider --help\" lists what is"), word);
        for (const char *letter = word + 1; *letter; letter++) {
            if (take_switch(flags, *letter))
                continue;
            if (!strchr("siHfacbeAQFmdl", *letter))
                return cli_usage_error(error, _("-%c is not known: \"postrider --help\" lists what is"),
                                       *letter);
            const char *value = letter[1] ? letter + 1 : i + 1 < argc ? argv[++i] : NULL;
            if (!value)
                return cli_usage_error(error, _("-%c needs a value"), *letter);
            take_value(flags, *letter, value);
            break;
        }
    }
    return TRUE;
}

/* -A NAME: the addresses of the people called so; -z, -Z: 1 when there is nothing. */
static gboolean
expand_aliases(const struct flags *flags, gboolean print, GPtrArray *to, int *exit_code, GError **error)
{
    struct store *store = cli_store(STORE_READ, error);
    for (guint i = 0; store && i < flags->alias->len; i++) {
        g_autoptr(GPtrArray) found = contact_complete(store, flags->alias->pdata[i], 1, error);
        if (!found)
            return FALSE;
        if (!found->len) {
            *exit_code = 1;
            continue;
        }
        const struct contact *contact = found->pdata[0];
        if (to)
            address_list_add(to, contact->name, contact->addr);
        if (print && !cli_print(contact->addr, error))
            return FALSE;
    }
    return store != NULL;
}

static gboolean
mailbox_has(const struct flags *flags, gint64 *total, gint64 *unread, GError **error)
{
    struct store *store = cli_store(STORE_READ, error);
    gint64 id = store ? folder_lookup(store, 0, flags->mailbox ? flags->mailbox : "INBOX", error) : 0;
    g_autoptr(struct_folder) folder = id ? folder_get(store, id, error) : NULL;
    if (!folder)
        return FALSE;
    *total = folder->total;
    *unread = folder->unread;
    return TRUE;
}

static gboolean
is_setting(const char *line, const char *name)
{
    gsize len = strcspn(line, "=");
    g_autofree char *key = g_strndup(line, len);
    return line[len] == '=' && *line != '#' && !strcmp(g_strstrip(key), name);
}

/* What counts where the file says nothing. FALSE without an error: there is no such key. */
static gboolean
print_default(const char *name, GError **error)
{
    for (const struct config_key *key = config_keys; key->key; key++) {
        if (strcmp(key->key, name))
            continue;
        g_autofree char *line = g_strdup_printf("%s = %s", name, key->fallback ? key->fallback : "");
        return cli_print(line, error);
    }
    return FALSE;
}

/* -Q NAME prints a value of the configuration, -D all that stand in the file. */
static gboolean
print_settings(const struct flags *flags, int *exit_code, GError **error)
{
    const struct config *config = cli_config(error);
    g_autofree char *text = NULL;
    if (!config)
        return FALSE;
    if (!g_file_get_contents(config->path, &text, NULL, NULL))
        text = g_strdup("");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; flags->dump && *line; line++)
        if (**line && **line != '#' && !cli_print(*line, error))
            return FALSE;
    for (guint i = 0; i < flags->query->len; i++) {
        const char *name = flags->query->pdata[i];
        g_autoptr(GError) local = NULL;
        gboolean found = FALSE;
        for (char **line = lines; *line && !local; line++)
            if (is_setting(*line, name))
                found = cli_print(*line, &local);
        if (!found && !local && !print_default(name, &local) && !local) {
            cli_note(_("postrider: -Q %s: the configuration has no key of this name"), name);
            *exit_code = 1;
        }
        if (local) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
add_words(GPtrArray *list, const GPtrArray *words, const char *what, GError **error)
{
    for (guint i = 0; i < words->len; i++)
        if (!post_add_addresses(list, words->pdata[i], what, error))
            return FALSE;
    return TRUE;
}

static gboolean
read_text(const char *path, char **text, GError **error)
{
    g_autoptr(GBytes) bytes = cli_read_file(path, BODY_MAX, error);
    *text = bytes ? post_text(bytes) : NULL;
    return bytes != NULL;
}

/* Of mutt's commands, two say something about a message: my_hdr NAME: VALUE and set from=ADDRESS. */
static char *
header_of_command(const char *command)
{
    g_autoptr(GRegex) from = g_regex_new("^\\s*set\\s+from\\s*=\\s*(\"?)(.*?)\\1\\s*$", G_REGEX_DOLLAR_ENDONLY, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *words = g_strstrip(g_strdup(command));
    if (g_regex_match(from, words, 0, &match)) {
        g_autofree char *address = g_match_info_fetch(match, 2);
        return g_strconcat("From: ", address, NULL);
    }
    return g_str_has_prefix(words, "my_hdr ") ? g_strstrip(g_strdup(words + strlen("my_hdr "))) : NULL;
}

/* Those of -e that are about the message go into it and off the list, which is left to the screen. */
static gboolean
take_commands(struct draft *draft, GPtrArray *commands, GError **error)
{
    for (guint i = 0; i < commands->len;) {
        g_autofree char *header = header_of_command(commands->pdata[i]);
        if (!header) {
            i++;
            continue;
        }
        if (g_str_has_prefix(header, "From: "))
            g_ptr_array_set_size(draft->from, 0);
        if (!post_add_header(draft, header, "-e", error))
            return FALSE;
        g_ptr_array_remove_index(commands, i);
    }
    return TRUE;
}

static gboolean
fill(struct draft *draft, const struct flags *flags, gboolean interactive, int *exit_code, GError **error)
{
    g_autofree char *text = NULL, *body = NULL;
    if (flags->draft &&
        (!read_text(flags->draft, &text, error) || !draftfile_parse(text, strlen(text), draft, error))) {
        g_prefix_error(error, "%s: ", flags->draft);
        return FALSE;
    }
    for (guint i = 0; i < flags->to->len; i++) {
        const char *word = flags->to->pdata[i];
        if (!(is_mailto(word) ? post_add_link(draft, word, error)
                              : post_add_addresses(draft->to, word, "To", error)))
            return FALSE;
    }
    if (flags->alias->len && !expand_aliases(flags, FALSE, draft->to, exit_code, error))
        return FALSE;
    if (!add_words(draft->cc, flags->cc, "Cc", error) || !add_words(draft->bcc, flags->bcc, "Bcc", error))
        return FALSE;
    if (flags->subject)
        draft_set_subject(draft, flags->subject);
    for (guint i = 0; i < flags->attach->len; i++)
        draft_attach_file(draft, flags->attach->pdata[i], NULL, NULL);
    const char *source = flags->include ? flags->include : interactive || flags->draft ? NULL : "-";
    if (source && !read_text(source, &body, error))
        return FALSE;
    if (body)
        draft_set_body(draft, body);
    return take_commands(draft, flags->commands, error);
}

/* Ended with NULL, borrowed; NULL: none. */
static char **
screen_commands(const struct flags *flags)
{
    if (!flags->commands->len)
        return NULL;
    g_ptr_array_add(flags->commands, NULL);
    return (char **)flags->commands->pdata;
}

/* Hands the draft to the composer through a private file. */
static gboolean
to_screen(const struct draft *draft, const struct flags *flags, screen_function screen, int *exit_code,
          GError **error)
{
    g_autofree char *dir = paths_runtime_dir();
    if (!paths_make_dir(dir, error))
        return FALSE;
    g_autofree char *path = g_build_filename(dir, "draft-XXXXXX", NULL);
    g_autofree char *text = draftfile_format(draft, TRUE);
    int fd = g_mkstemp_full(path, O_WRONLY | O_CLOEXEC, 0600);
    gboolean ok = fd >= 0 && write(fd, text, strlen(text)) == (gssize)strlen(text);
    int err = errno;
    if (fd >= 0)
        close(fd);
    if (!ok) {
        error_set_errno(error, CLI_ERROR, err, _("cannot write %s"), path);
        return FALSE;
    }
    struct screen_request request = {
        .draft = flags->edit_draft && flags->draft ? flags->draft : path,
        .draft_temporary = !(flags->edit_draft && flags->draft),
        .commands = screen_commands(flags),
    };
    *exit_code = screen(&request);
    unlink(path);
    return TRUE;
}

static gboolean
write_message(const struct flags *flags, screen_function screen, int *exit_code, GError **error)
{
    gboolean interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !flags->batch;
    g_autoptr(struct_draft) draft = draft_new();
    if (flags->crypto)
        return cli_usage_error(error, _("-C: signing and encrypting from the command line is not there yet"));
    if (!fill(draft, flags, interactive, exit_code, error))
        return FALSE;
    if (interactive)
        return to_screen(draft, flags, screen, exit_code, error);
    for (guint i = 0; i < flags->commands->len; i++)
        cli_note(_("postrider: -e \"%s\" is for the screen: without it, only my_hdr and set from= are understood"),
                 (const char *)flags->commands->pdata[i]);
    const char *from = address_list_length(draft->from) ? address_list_get(draft->from, 0)->addr : NULL;
    struct post_options options = {.account = post_account(from, error), .quiet = TRUE};
    return options.account && post_draft(draft, &options, exit_code, error);
}

static gboolean
open_screen(const struct flags *flags, screen_function screen, int *exit_code, GError **error)
{
    struct screen_request request = {
        .recall = flags->recall,
        .read_only = flags->read_only,
        .folders = flags->folders,
        .commands = screen_commands(flags),
    };
    g_autofree char *path = flags->mailbox ? paths_expand(flags->mailbox) : NULL;
    if (flags->mailbox && g_file_test(path, G_FILE_TEST_EXISTS))
        request.path = path;
    else if (flags->mailbox && strpbrk(flags->mailbox, "/.") == flags->mailbox) {
        g_set_error(error, CLI_ERROR, ERROR_NOINPUT, _("there is no mailbox %s"), flags->mailbox);
        return FALSE;
    } else
        request.folder = flags->mailbox;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return cli_usage_error(error, _("the screen needs a terminal; for scripts: \"postrider list\", "
                                        "\"postrider show\", \"postrider send\""));
    *exit_code = screen(&request);
    return TRUE;
}

gboolean
cli_compose(int argc, char **argv, screen_function screen, int *exit_code, GError **error)
{
    g_autoptr(GPtrArray) attach = g_ptr_array_new(), cc = g_ptr_array_new(), bcc = g_ptr_array_new(),
                         to = g_ptr_array_new(), commands = g_ptr_array_new(), alias = g_ptr_array_new(),
                         query = g_ptr_array_new();
    struct flags flags = {.attach = attach,
                          .cc = cc,
                          .bcc = bcc,
                          .to = to,
                          .commands = commands,
                          .alias = alias,
                          .query = query};
    if (!parse(&flags, argc, argv, error))
        return FALSE;
    if (flags.dump || query->len)
        return print_settings(&flags, exit_code, error);
    if (flags.writes || to->len)
        return write_message(&flags, screen, exit_code, error);
    if (alias->len)
        return expand_aliases(&flags, TRUE, NULL, exit_code, error);
    if (flags.if_mail || flags.if_new) {
        gint64 total = 0, unread = 0;
        if (!mailbox_has(&flags, &total, &unread, error))
            return FALSE;
        if (!(flags.if_new ? unread : total)) {
            cli_note("%s", flags.if_new ? _("no new mail") : _("the mailbox is empty"));
            *exit_code = 1;
            return TRUE;
        }
    }
    return open_screen(&flags, screen, exit_code, error);
}
