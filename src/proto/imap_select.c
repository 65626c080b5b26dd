/* Opening and leaving a folder. */
#include "config.h"

#include "proto/imap_private.h"

#include <string.h>

#define RESYNC_VOLUME                                                                                        \
    (512u * 1024 * 1024) /* of changes that a SELECT may bring: they are handled one by one */

void
imap_mailbox_free(struct imap_mailbox *mailbox)
{
    if (!mailbox)
        return;
    g_free(mailbox->name);
    g_strfreev(mailbox->keywords);
    uidset_free(mailbox->vanished);
    g_free(mailbox->mailbox_id);
    g_free(mailbox);
}

static struct imap_mailbox *
mailbox_new(const char *name, gboolean read_only)
{
    struct imap_mailbox *mailbox = g_new0(struct imap_mailbox, 1);
    mailbox->name = imap_normal_name(name);
    mailbox->read_only = read_only;
    mailbox->keywords = g_new0(char *, 1);
    mailbox->vanished = uidset_new();
    return mailbox;
}

struct selection {
    struct imap_mailbox *mailbox;
    const struct imap_select *how;
    struct fetch_record record;
    gboolean has_permanent; /* PERMANENTFLAGS came: FLAGS say nothing more */
    gboolean closing;       /* the folder before may still speak, until [CLOSED] (RFC 7162 section 3.2.11) */
};

static void
set_permanent(struct selection *selection, struct lex words)
{
    struct imap_mailbox *mailbox = selection->mailbox;
    g_autoptr(GPtrArray) keywords = g_ptr_array_new_with_free_func(g_free);
    gboolean recent, any = FALSE;
    guint flags;
    if (!reply_parse_flags(words, &flags, keywords, &any, &recent))
        return;
    mailbox->permanent_flags = flags;
    mailbox->permanent_keywords = any;
    g_ptr_array_add(keywords, NULL);
    g_strfreev(mailbox->keywords);
    mailbox->keywords = (char **)g_ptr_array_free(g_steal_pointer(&keywords), FALSE);
}

static void
take_select_code(struct selection *selection, const struct imap_reply *reply)
{
    struct imap_mailbox *mailbox = selection->mailbox;
    guint64 number;
    switch (reply->code) {
    case CODE_UIDVALIDITY:
        if (reply_parse_code_number(reply, G_MAXUINT32, &number))
            mailbox->uidvalidity = (guint32)number;
        break;
    case CODE_UIDNEXT:
        if (reply_parse_code_number(reply, G_MAXUINT32, &number))
            mailbox->uidnext = (guint32)number;
        break;
    case CODE_HIGHESTMODSEQ:
        if (reply_parse_code_number(reply, G_MAXINT64, &number))
            mailbox->modseq = number;
        break;
    case CODE_NOMODSEQ:
        mailbox->modseq = 0;
        break;
    case CODE_PERMANENTFLAGS:
        selection->has_permanent = TRUE;
        set_permanent(selection, reply->code_rest);
        break;
    case CODE_READ_ONLY:
        mailbox->read_only = TRUE;
        break;
    case CODE_CLOSED:
        selection->closing = FALSE;
        break;
    case CODE_UIDNOTSTICKY:
        mailbox->uid_not_sticky = TRUE;
        break;
    case CODE_MAILBOXID:
        g_free(mailbox->mailbox_id);
        mailbox->mailbox_id = reply_parse_mailbox_id(reply);
        break;
    default:
        break;
    }
}

static void
take_changed(struct selection *selection, const struct imap_reply *reply, struct collector *collector)
{
    const struct imap_select *how = selection->how;
    struct fetch_record *record = &selection->record;
    if (!how || !how->uidvalidity || !how->on_changed)
        return;
    reply_parse_fetch(reply->rest, NULL, record);
    if (record->broken || record->message.uid == 0)
        return;
    how->on_changed(&record->message, how->data, &collector->error);
}

static gboolean
take_select(struct imap *imap G_GNUC_UNUSED, const struct imap_reply *reply, struct collector *collector)
{
    struct selection *selection = collector->data;
    gboolean earlier;
    if (selection->closing && (reply->kind == REPLY_VANISHED || reply->kind == REPLY_FETCH))
        return TRUE;
    switch (reply->kind) {
    case REPLY_OK:
    case REPLY_NO:
        take_select_code(selection, reply);
        return TRUE;
    case REPLY_FLAGS: /* without PERMANENTFLAGS all of these stay (RFC 9051 section 7.1) */
        if (!selection->has_permanent)
            set_permanent(selection, reply->rest);
        return TRUE;
    case REPLY_EXISTS:
        selection->mailbox->exists = (guint32)reply->number;
        return TRUE;
    case REPLY_VANISHED:
        reply_parse_vanished(reply->rest, &earlier, selection->mailbox->vanished);
        return TRUE;
    case REPLY_FETCH:
        take_changed(selection, reply, collector);
        return TRUE;
    default:
        return FALSE;
    }
}

/* " (QRESYNC (67890007 20050715194045000 41,43:211))" with both pairs of parentheses (RFC 7162
 * section 3.2.5); libetpan leaves the outer pair out, and then servers ignore all of it. A set that is too
 * long for a command is given as one range, which costs the server words and us nothing: more is named as
 * vanished than we have. */
static char *
select_parameters(const struct imap *imap, const struct imap_select *how)
{
    if ((how && how->plain) || !imap_has(imap, IMAP_CONDSTORE))
        return g_strdup("");
    if (!how || !how->uidvalidity || !how->modseq || !imap_has(imap, IMAP_QRESYNC))
        return g_strdup(" (CONDSTORE)");
    g_autofree char *known = uidset_format(how->known);
    if (strlen(known) > COMMAND_MAX) {
        g_free(known);
        known = g_strdup_printf("%u:%u", uidset_min(how->known), uidset_max(how->known));
    }
    return g_strdup_printf(" (QRESYNC (%u %" G_GUINT64_FORMAT "%s%s))", how->uidvalidity, how->modseq,
                           *known ? " " : "", known);
}

static void
begin_selecting(struct imap *imap, struct selection *selection)
{
    selection->closing = imap->selected && !imap_has(imap, IMAP_UNSELECT) && imap_has(imap, IMAP_QRESYNC);
    g_clear_pointer(&imap->selected, g_free);
    imap->selecting = TRUE;
    imap->stale = FALSE;
    imap->exists = 0;
}

/* The folder before is left first, in the same flight: so what belongs to it ends with a tagged reply, and
 * nothing of it can be taken for the new folder's. */
static gboolean
select_flight(struct imap *imap, struct exchange exchanges[2], struct selection *selection,
              const char *parameters, gboolean read_only, GError **error)
{
    struct collector collector = {.take = take_select, .data = selection};
    const char *name = selection->mailbox->name;
    gboolean leave = imap->selected && imap_has(imap, IMAP_UNSELECT);
    if (leave &&
        (!imap_command(imap, &exchanges[0], "leaving a folder", "UNSELECT", error) || !imap_end(imap, error)))
        return FALSE;
    if (leave && imap_flies_alone(imap, name) && !imap_wait(imap, &exchanges[0], 1, NULL, error))
        return FALSE;
    if (!imap_command(imap, &exchanges[1], "opening a folder", read_only ? "EXAMINE " : "SELECT ", error) ||
        !imap_put_string(imap, &exchanges[1], name, error) || !imap_put(imap, parameters, error) ||
        !imap_end(imap, error))
        return FALSE;
    if (leave && !exchanges[0].done && !imap_wait(imap, &exchanges[0], 1, NULL, error))
        return FALSE;
    begin_selecting(imap, selection);
    return imap_wait(imap, &exchanges[1], 1, &collector, error);
}

/* TRUE when the server answered; what, is in exchanges[1]. */
static gboolean
run_select(struct imap *imap, struct exchange exchanges[2], struct selection *selection, gboolean read_only,
           GError **error)
{
    const struct imap_select *how = selection->how;
    struct imap_mailbox *mailbox = selection->mailbox;
    struct imap_guard_limits limits = *imap_guard_get_limits(imap->guard), wide = limits;
    g_autofree char *parameters = select_parameters(imap, how);
    gboolean resync = g_str_has_prefix(parameters, " (QRESYNC");
    wide.volume = resync ? RESYNC_VOLUME : limits.volume;
    imap_guard_set_limits(imap->guard, &wide);
    gboolean done = select_flight(imap, exchanges, selection, parameters, read_only, error);
    imap_guard_set_limits(imap->guard, &limits);
    imap->selecting = FALSE;
    /* A folder that was made anew, or set back to an earlier time, has no "since". */
    mailbox->resynced =
        done && resync && mailbox->uidvalidity == how->uidvalidity && mailbox->modseq >= how->modseq;
    if (!mailbox->resynced)
        uidset_clear(mailbox->vanished);
    return done;
}

struct imap_mailbox *
imap_select(struct imap *imap, const char *name, const struct imap_select *how, GError **error)
{
    gboolean read_only = how && how->read_only;
    const struct imap_select plain = {.read_only = read_only, .plain = TRUE};
    struct exchange exchanges[2] = {0};
    g_autofree char *shown = utf7_show(name);
    if (!imap_check_alive(imap, error) || !imap_check_name(imap, name, error))
        return NULL;
    struct selection selection = {.mailbox = mailbox_new(name, read_only), .how = how};
    fetch_record_init(&selection.record);
    gboolean done = run_select(imap, exchanges, &selection, read_only, error);
    if (done && exchanges[1].result == REPLY_BAD && imap_has(imap, IMAP_CONDSTORE)) {
        /* Offered, and not understood: the old way always works. */
        selection.how = &plain;
        done = run_select(imap, exchanges, &selection, read_only, error);
    }
    done = done && imap_check_ok(imap, &exchanges[1], ERROR_STALE, error, "cannot open folder %s", shown);
    if (done) {
        struct imap_reply reply;
        exchange_to_reply(&exchanges[1], &reply);
        take_select_code(&selection, &reply);
        imap->selected = g_strdup(selection.mailbox->name);
        imap->read_only = selection.mailbox->read_only;
        imap->uidvalidity = selection.mailbox->uidvalidity;
    }
    fetch_record_clear(&selection.record);
    exchange_clear(&exchanges[0]);
    exchange_clear(&exchanges[1]);
    if (done)
        return selection.mailbox;
    imap_mailbox_free(selection.mailbox);
    return NULL;
}

gboolean
imap_unselect(struct imap *imap, GError **error)
{
    g_auto(struct_exchange) exchange = {0}, close = {0};
    if (!imap_check_alive(imap, error))
        return FALSE;
    if (!imap->selected)
        return TRUE;
    g_autofree char *name = g_strdup(imap->selected);
    gboolean done;
    if (imap_has(imap, IMAP_UNSELECT))
        done = imap_run(imap, &exchange, "leaving a folder", "UNSELECT", NULL, error);
    else /* CLOSE expunges, but not a folder that is open for reading only (RFC 3501 section 6.4.2) */
        done =
            imap_run_on_name(imap, &exchange, "leaving a folder", "EXAMINE", name, NULL, error) &&
            (exchange.result != REPLY_OK || imap_run(imap, &close, "leaving a folder", "CLOSE", NULL, error));
    g_clear_pointer(&imap->selected, g_free);
    imap->stale = FALSE;
    imap->exists = 0;
    return done;
}

const char *
imap_get_selected(const struct imap *imap)
{
    return imap->selected;
}
