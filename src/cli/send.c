/* send.c - postrider send: a message from the command line, for scripts */
#include "config.h"

#include "cli/commands.h"
#include "cli/post.h"
#include "base/i18n.h"
#include "base/clock.h"
#include "base/error.h"
#include "mail/draftfile.h"
#include "mail/mailto.h"

#include <string.h>
#include <unistd.h>

#define BODY_MAX (64 * 1024 * 1024)

static char *subject, *from, *body_file, *draft_file, *at;
static char **attachments, **cc, **bcc, **headers;
static gboolean now, hold;

static const GOptionEntry entries[] = {
    {"subject", 's', 0, G_OPTION_ARG_STRING, &subject, N_("the subject"), "TEXT"},
    {"attach", 'a', 0, G_OPTION_ARG_FILENAME_ARRAY, &attachments, N_("attach a file (may be repeated)"),
     "FILE"},
    {"cc", 'c', 0, G_OPTION_ARG_STRING_ARRAY, &cc, N_("a copy to"), "ADDRESS"},
    {"bcc", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &bcc, N_("a blind copy to"), "ADDRESS"},
    {"body", 'i', 0, G_OPTION_ARG_FILENAME, &body_file, N_("the text from a file instead of standard input"),
     "FILE"},
    {"draft", 'H', 0, G_OPTION_ARG_FILENAME, &draft_file,
     N_("header lines and text from a file (- is standard input)"), "FILE"},
    {"header", 0, 0, G_OPTION_ARG_STRING_ARRAY, &headers, N_("a further header field"), "NAME: VALUE"},
    {"from", 'f', 0, G_OPTION_ARG_STRING, &from, N_("the sender; it goes through the account that has this address, else through the first"),
     "ADDRESS"},
    {"now", 0, 0, G_OPTION_ARG_NONE, &now, N_("wait until the server has taken or refused it"), NULL},
    {"at", 0, 0, G_OPTION_ARG_STRING, &at, N_("send later: +2h, 17:30, tomorrow 8:00, 2026-12-01 08:00"),
     "TIME"},
    {"hold", 0, 0, G_OPTION_ARG_NONE, &hold, N_("keep it in the queue until it is released with queue retry"),
     NULL},
    {NULL},
};

static gboolean
add_all(GPtrArray *list, char **texts, const char *what, GError **error)
{
    for (char **text = texts; text && *text; text++)
        if (!post_add_addresses(list, *text, what, error))
            return FALSE;
    return TRUE;
}

static gboolean
read_draft_file(struct draft *draft, GError **error)
{
    g_autoptr(GBytes) bytes = cli_read_file(draft_file, BODY_MAX, error);
    g_autofree char *text = bytes ? post_text(bytes) : NULL;
    if (!text || !draftfile_parse(text, strlen(text), draft, error)) {
        if (text)
            g_prefix_error(error, "%s: ", draft_file);
        return FALSE;
    }
    return TRUE;
}

static gboolean
read_body(struct draft *draft, GError **error)
{
    const char *path = body_file ? body_file : "-";
    if (!body_file && isatty(STDIN_FILENO))
        cli_note(_("the text, ended with Ctrl-D:"));
    g_autoptr(GBytes) bytes = cli_read_file(path, BODY_MAX, error);
    g_autofree char *text = bytes ? post_text(bytes) : NULL;
    if (text)
        draft_set_body(draft, text);
    return text != NULL;
}

static gboolean
add_headers(struct draft *draft, GError **error)
{
    for (char **header = headers; header && *header; header++)
        if (!post_add_header(draft, *header, "--header", error))
            return FALSE;
    return TRUE;
}

static gboolean
fill(struct draft *draft, int argc, char **argv, GError **error)
{
    if (draft_file && !read_draft_file(draft, error))
        return FALSE;
    for (int i = 0; i < argc; i++) {
        if (is_mailto(argv[i])) {
            if (!post_add_link(draft, argv[i], error))
                return FALSE;
        } else if (!post_add_addresses(draft->to, argv[i], "To", error)) {
            return FALSE;
        }
    }
    if (!add_all(draft->cc, cc, "Cc", error) || !add_all(draft->bcc, bcc, "Bcc", error) ||
        !add_headers(draft, error))
        return FALSE;
    if (subject)
        draft_set_subject(draft, subject);
    for (char **file = attachments; file && *file; file++)
        draft_attach_file(draft, *file, NULL, NULL);
    return (draft_file || (*draft->body && isatty(STDIN_FILENO))) && !body_file ? TRUE
                                                                                : read_body(draft, error);
}

static gboolean
run_send(int argc, char **argv, int *exit_code, GError **error)
{
    g_autoptr(struct_draft) draft = draft_new();
    struct post_options options = {.hold = hold, .now = now};
    g_autoptr(struct_address) sender = from ? address_parse(from, error) : NULL;
    if (from && !sender) {
        g_prefix_error(error, "--from: ");
        return FALSE;
    }
    if (at && !clock_parse_when(at, clock_now(), &options.at))
        return cli_usage_error(
            error, _("--at %s: write +2h, 17:30, tomorrow 8:00, mon 9:00 or 2026-12-01 08:00"), at);
    if (at && now)
        return cli_usage_error(error, _("--now and --at exclude each other"));
    if (!fill(draft, argc, argv, error))
        return FALSE;
    const struct address *named = sender                             ? sender
                                  : address_list_length(draft->from) ? address_list_get(draft->from, 0)
                                                                     : NULL;
    options.account = post_account(named ? named->addr : NULL, error);
    if (!options.account)
        return FALSE;
    if (sender) {
        gboolean own = !g_ascii_strcasecmp(sender->addr, options.account->address);
        g_ptr_array_set_size(draft->from, 0);
        address_list_add(draft->from,
                         sender->name ? sender->name
                         : own        ? options.account->real_name
                                      : NULL,
                         sender->addr);
    }
    return post_draft(draft, &options, exit_code, error);
}

const struct cli_command cmd_send = {"send",
                                     "TO…",
                                     N_("queue a message and send it"),
                                     N_("The text is standard input. The message is checked and built first, "
                                        "then queued, and the engine sends it at once; exit status 0 "
                                        "means that it is safe in the queue (with --now: that the server has "
                                        "taken it). An attachment that cannot be read, or an address that "
                                        "is none, queues nothing."),
                                     entries,
                                     WORDS_ANYWHERE,
                                     run_send};
