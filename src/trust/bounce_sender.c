/* bounce_sender.c - who sends reports, and how they are called */
#include "config.h"

#include "trust/bounce_private.h"

#include <string.h>

static gboolean
begins_with_any(const char *text, const char *const *names)
{
    for (; *names; names++)
        if (!g_ascii_strncasecmp(text, *names, strlen(*names)))
            return TRUE;
    return FALSE;
}

static gboolean
is_machine_name(const char *addr, const char *name)
{
    static const char *const addresses[] = {"mailer-daemon", "mailerdaemon", "mail-daemon", "mail_daemon", "maildaemon",
                                            "mailer_daemon", "postmaster", "post_master", "post-master", "postmaste",
                                            "microsoftexchange", "mdaemon", "bounce-notification", "delivery-status",
                                            "mail.daemon", "mailadmin", "mail-admin", "dsn-", "ndr-", "mailer@", NULL};
    static const char *const names[] = {"mail delivery s", "mailer-daemon", "mailer daemon", "mail delivery a",
                                        "postmaster", "mail administrator", "system administrator", "mail system",
                                        "mail router", "delivery status", "mdaemon at", "internet mail delivery", "mail server",
                                        "microsoft exchange", "microsoft outlook", "email delivery", "mail transport",
                                        "mail delivery", "returned mail", NULL};
    return (addr && begins_with_any(addr, addresses)) || (name && begins_with_any(name, names));
}

/* An answer or a forwarded mail is somebody's. */
static gboolean
is_answer(const char *lower)
{
    static const char *const marks[] = {"re:", "re :", "fw:", "fwd:", "aw:", "wg:", "tr:", "sv:", "antw:", "rv:", "odp:", NULL};
    return begins_with_any(lower, marks);
}

static gboolean
is_report_subject(const char *subject)
{
    static const char *const words[] = {
        "undeliver", "delivery fail", "delivery status notif", "delivery notification", "delivery report", "delivery error",
        "delivery problem", "delivery has failed", "delivery delayed", "failure notice", "failure notification", "failed delivery",
        "returned mail", "returned to sender", "mail failure", "mail error", "mail system error", "mail delivery", "message delivery",
        "non-deliver", "nondeliver", "non deliver", "not delivered", "could not be delivered", "couldn't be delivered",
        "could not send message", "not be delivered", "unable to deliver", "message status", "delivery status", "message delayed",
        "mail returned", "failed mail", "user unknown", "mailbox full", "mailbox is full", "bounced mail", "delayed mail", "unzustellbar",
        "nicht zustellbar", "zustellung", "non remis", "non délivr", "échec", "no se puede entregar", "no entregado",
        "devuelto", "correo devuelto", "non recapit", "mancata consegna", "não entregue", "falha na entrega", "onbestelbaar",
        "niet bezorgd", "niedostarcz", "nie dostarcz", "не доставлено", "недоставл", "не может быть", "配信不能", "不達", "配信できません",
        "メールエラー", "エラー通知", "退信", "传输失败", "投递失败", "無法傳", "système de messagerie", "oletusarvo", "doručen", "kézbesít", "teslim", NULL};
    g_autofree char *lower = g_utf8_strdown(subject, -1);
    if (g_str_has_suffix(lower, "(delivery failed)")) /* a gateway's words behind the subject, "Re:" or not */
        return TRUE;
    if (is_answer(lower))
        return FALSE;
    for (guint i = 0; words[i]; i++)
        if (strstr(lower, words[i]))
            return TRUE;
    return FALSE;
}

gboolean
bounce_is_likely(const char *from, const char *name, const char *subject)
{
    return is_machine_name(from, name) || (subject && is_report_subject(subject));
}

enum bounce_trust
bounce_sender(const struct document *document)
{
    const struct address *from = address_list_get(document->envelope->from, 0),
                         *sender = address_list_get(document->envelope->sender, 0);
    if ((from && is_machine_name(from->addr, from->name)) || (sender && is_machine_name(sender->addr, NULL)) ||
        document_header(document, "X-Failed-Recipients"))
        return BOUNCE_MACHINE;
    const char *path = document_header(document, "Return-Path");
    gboolean is_null = path && g_str_has_prefix(path, "<>");
    if (!from && is_null)
        return BOUNCE_MACHINE;
    return is_null || is_report_subject(document->envelope->subject) ? BOUNCE_SUBJECT : BOUNCE_STRANGER;
}
