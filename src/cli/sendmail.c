/* sendmail.c - called as sendmail(8): for cron, git send-email and every program that pipes a message into it
 */
#include "config.h"

#include "cli/commands.h"
#include "cli/post.h"
#include "cli/queue.h"
#include "base/error.h"
#include "base/i18n.h"
#include "mail/rawmsg.h"

#include <string.h>

#define MESSAGE_MAX (256 * 1024 * 1024)

struct flags {
    gboolean from_header, ignore_dot, print_queue, run_queue, verbose, make_aliases;
    const char *from, *name, *notify, *ret, *envid;
    GPtrArray *to; /* borrowed words */
};

/* Flags with a value that mean nothing here. */
static const char ignored_with_value[] = "BhLOopX";
static const char ignored[] = "GmnAxUi";

/* -bm and -ba take a message, -bp prints the queue, -bi would make a file of aliases, which is none of ours. The others
 * (-bs, -bv, -bt, -bd) talk or test: a message must not leave by them. */
static gboolean
take_mode(struct flags *flags, const char *mode, GError **error)
{
    if (!*mode || strspn(mode, "mapi") != 1 || mode[1])
        return cli_usage_error(error, _("-b%s is not possible here: -bm sends, -bp prints the queue"), mode);
    flags->print_queue |= *mode == 'p';
    flags->make_aliases |= *mode == 'i';
    return TRUE;
}

static gboolean
take_option(struct flags *flags, int argc, char **argv, int *at, GError **error)
{
    const char *word = argv[*at] + 1;
    static const struct {
        char letter;
        gsize offset;
    } values[] = {{'f', offsetof(struct flags, from)}, {'r', offsetof(struct flags, from)},
                  {'F', offsetof(struct flags, name)}, {'N', offsetof(struct flags, notify)},
                  {'R', offsetof(struct flags, ret)},  {'V', offsetof(struct flags, envid)}};

    if (*word == 'b')
        return take_mode(flags, word + 1, error);
    if (*word == 'q') { /* -q, -q15m: an interval is the engine's business */
        flags->run_queue = TRUE;
        return TRUE;
    }
    if (!strcmp(word, "oi") || !strcmp(word, "i")) {
        flags->ignore_dot = TRUE;
        return TRUE;
    }
    if (*word == 'o' || *word == 'A') /* -oem, -odi, -Am: modes of another program */
        return word[1] || *word != 'o' ? TRUE : (++*at, TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        if (*word != values[i].letter)
            continue;
        const char *value = word[1] ? word + 1 : *at + 1 < argc ? argv[++*at] : NULL;
        if (!value)
            return cli_usage_error(error, _("-%c needs a value"), *word);
        *(const char **)((char *)flags + values[i].offset) = value;
        return TRUE;
    }
    if (strchr(ignored_with_value, *word)) {
        if (!word[1] && *at + 1 < argc)
            ++*at;
        return TRUE;
    }
    for (; *word; word++) {
        if (*word == 't')
            flags->from_header = TRUE;
        else if (*word == 'v')
            flags->verbose = TRUE;
        else if (*word == 'i')
            flags->ignore_dot = TRUE;
        else if (!strchr(ignored, *word))
            return cli_usage_error(error, _("-%c is not known: see sendmail in postrider(1)"), *word);
    }
    return TRUE;
}

static gboolean
parse(struct flags *flags, int argc, char **argv, GError **error)
{
    gboolean ended = FALSE;
    for (int i = 1; i < argc; i++) {
        if (ended || *argv[i] != '-' || !argv[i][1])
            g_ptr_array_add(flags->to, argv[i]);
        else if (!strcmp(argv[i], "--"))
            ended = TRUE;
        else if (!take_option(flags, argc, argv, &i, error))
            return FALSE;
    }
    return TRUE;
}

/* Without -i a line with a dot alone ends the message. */
static GBytes *
cut_at_dot(GBytes *message)
{
    gsize len, at = 0;
    const char *data = g_bytes_get_data(message, &len);
    while (at < len) {
        const char *end = memchr(data + at, '\n', len - at);
        gsize line = end ? (gsize)(end - data) - at : len - at;
        if ((line == 1 && data[at] == '.') || (line == 2 && data[at] == '.' && data[at + 1] == '\r'))
            return g_bytes_new_from_bytes(message, 0, at);
        at += line + 1;
    }
    return g_bytes_ref(message);
}

/* "never", or a list of success, failure, delay (RFC 3461 section 4.1). */
static gboolean
check_notify(const char *notify, GError **error)
{
    g_auto(GStrv) words = g_strsplit(notify ? notify : "", ",", -1);
    for (char **word = words; *word; word++)
        if (**word && strcmp(*word, "success") && strcmp(*word, "failure") && strcmp(*word, "delay") &&
            strcmp(notify, "never"))
            return cli_usage_error(error, _("-N %s: allowed is never, or success, failure, delay"), notify);
    return TRUE;
}

static const struct address *
first_or_null(const GPtrArray *list)
{
    return address_list_length(list) ? address_list_get(list, 0) : NULL;
}

static gboolean
send_message(const struct flags *flags, int *exit_code, GError **error)
{
    struct post_options options = {.quiet = !flags->verbose,
                                   .dsn_notify = flags->notify,
                                   .dsn_ret = flags->ret,
                                   .dsn_envid = flags->envid};
    g_autoptr(GBytes) input = cli_read_file("-", MESSAGE_MAX, error);
    if (!input || !check_notify(flags->notify, error))
        return FALSE;
    if (flags->ret && strcmp(flags->ret, "full") && strcmp(flags->ret, "hdrs"))
        return cli_usage_error(error, _("-R %s: allowed is full or hdrs"), flags->ret);
    g_autoptr(GBytes) message = flags->ignore_dot ? g_bytes_ref(input) : cut_at_dot(input);

    g_autofree char *header_from = rawmsg_get(message, "From", 0);
    g_autoptr(GPtrArray) authors = header_from ? address_list_parse(header_from, NULL) : NULL;
    const struct address *author = first_or_null(authors);
    gboolean null_sender = flags->from && (!*flags->from || !strcmp(flags->from, "<>"));
    g_autoptr(struct_address) sender =
        flags->from && !null_sender && strchr(flags->from, '@') ? address_parse(flags->from, error) : NULL;
    if (flags->from && !null_sender && strchr(flags->from, '@') && !sender) {
        g_prefix_error(error, "-f: ");
        return FALSE;
    }
    options.account = post_account(sender ? sender->addr : author ? author->addr : NULL, error);
    if (!options.account)
        return FALSE;
    g_autoptr(struct_address) own = address_new(flags->name ? flags->name : options.account->real_name,
                                                sender ? sender->addr : options.account->address);
    g_autoptr(struct_rawmsg_prepared) ready = rawmsg_prepare(message, own, flags->from_header, error);
    if (!ready)
        return FALSE;
    g_autoptr(GPtrArray) recipients = address_list_copy(ready->recipients);
    for (guint i = 0; i < flags->to->len; i++)
        if (!post_add_addresses(recipients, flags->to->pdata[i], "recipient", error))
            return FALSE;
    if (!address_list_length(recipients)) {
        g_set_error(error, CLI_ERROR, ERROR_USAGE,
                    _("no recipient is named: give addresses, or -t to take them from the message"));
        return FALSE;
    }
    return post_message(ready->message, null_sender ? "" : own->addr, recipients, ready->subject,
                        ready->message_id, &options, exit_code, error);
}

gboolean
cli_sendmail(int argc, char **argv, int *exit_code, GError **error)
{
    g_autoptr(GPtrArray) to = g_ptr_array_new();
    struct flags flags = {.to = to};
    g_autofree char *base = g_path_get_basename(argv[0]);
    flags.print_queue = !strcmp(base, "mailq");
    if (!parse(&flags, argc, argv, error))
        return FALSE;
    if (flags.print_queue)
        return queue_print_all(FALSE, error);
    if (flags.run_queue)
        return queue_flush(error);
    if (flags.make_aliases)
        return TRUE;
    return send_message(&flags, exit_code, error);
}

const struct cli_command cmd_sendmail = {
    "sendmail",
    "[FLAGS] [TO…]",
    N_("queue a finished message from standard input, with sendmail's flags"),
    N_("The message is kept byte for byte; Date, Message-ID and From are added where they are missing, Bcc "
       "is taken out.\n\n"
       "-t recipients from the header, -i and -oi a lone dot does not end the message, -f ADDRESS (or -r) "
       "the envelope sender, -F NAME, "
       "-N CONDITIONS and -R full|hdrs delivery reports, -V ENVID, -v; -bp prints the queue, -q runs it. A "
       "link called sendmail or mailq to "
       "the program does the same. For git: git config sendemail.sendmailCmd \"postrider sendmail\"."),
    NULL,
    WORDS_ANYWHERE,
    NULL};
