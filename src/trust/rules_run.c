/* rules_run.c - what rules do that leaves the store: forwarding, programs */
#include "config.h"

#include "trust/rules_private.h"

#include "base/error.h"
#include "base/program.h"
#include "mail/rawmsg.h"
#include "mail/reply.h"
#include "store/account.h"
#include "store/message.h"
#include "store/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- forwarding ---- */

#define LOOP_FIELD "X-Loop"
#define LOOP_FIELDS_MAX 50

static gboolean
went_round(GBytes *message, const char *address)
{
    for (guint i = 0; i < LOOP_FIELDS_MAX; i++) {
        g_autofree char *value = rawmsg_get(message, LOOP_FIELD, i);
        if (!value)
            return FALSE;
        if (!g_ascii_strcasecmp(value, address))
            return TRUE;
    }
    return TRUE; /* that many: somebody's loop */
}

/* Reports and automatic answers go on with the null reverse path, so that nothing can come back for them (RFC 5321
 * section 4.5.5, RFC 3834 section 2). */
static gboolean
is_automatic(GBytes *message)
{
    g_autofree char *path = rawmsg_get(message, "Return-Path", 0);
    g_autofree char *automatic = rawmsg_get(message, "Auto-Submitted", 0);
    return (path && !strcmp(path, "<>")) || (automatic && g_ascii_strncasecmp(automatic, "no", 2));
}

gboolean
rules_forward(const struct rules_context *context, gint64 message, const char *name, const char *address, GError **error)
{
    const struct account *account = config_account(context->config, name, error);
    g_autoptr(GBytes) original = account ? store_message_bytes(context->store, message, error) : NULL;
    if (!original)
        return FALSE;
    if (went_round(original, account->address)) {
        g_set_error(error, RULES_ERROR, ERROR_SKIP, "it was forwarded from here before, and came back");
        return FALSE;
    }
    struct address from = {account->real_name, account->address};
    struct address to_one = {NULL, (char *) address};
    g_autoptr(GPtrArray) to = g_ptr_array_new();
    g_ptr_array_add(to, &to_one);
    g_autoptr(GBytes) resent = resend_message(original, &from, to, error);
    g_autoptr(GBytes) bytes = resent ? rawmsg_add(resent, LOOP_FIELD, account->address, TRUE, error) : NULL;
    g_autoptr(struct_message) row = bytes ? message_load(context->store, message, error) : NULL;
    if (!row)
        return FALSE;
    g_autofree char *id = rawmsg_get(bytes, "Resent-Message-ID", 0);
    g_autofree char *bare = id ? message_id_first(id) : NULL;
    struct outbox_new item = {
        .account = store_account_find(context->store, account->name),
        .message = bytes,
        .from = is_automatic(original) ? "" : account->address,
        .recipients = to,
        .subject = row->subject,
        .message_id = bare,
    };
    return outbox_queue(context->store, &item, error) != 0;
}

/* ---- programs ---- */

#define OUTPUT_MAX (1024 * 1024)

gboolean
rules_run_program(struct store *store, gint64 message, char **argv, GError **error)
{
    g_autofree char *path = store_message_path(store, message, error);
    int in = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (path && in < 0)
        error_set_errno(error, RULES_ERROR, errno, "%s", path);
    if (in < 0)
        return FALSE;
    const struct program program = {.argv = argv, .input_fd = in, .seconds = RULES_RUN_SECONDS, .output_max = OUTPUT_MAX};
    g_auto(struct_program_result) result = {0};
    gboolean ok = program_run(&program, &result);
    close(in);
    if (!ok) {
        g_autofree char *words = program_words(&program, &result);
        g_set_error(error, RULES_ERROR, ERROR_SKIP, "%s %s", argv[0], words);
    }
    return ok;
}
