#include "config.h"

#include "config/providers.h"
#include "base/i18n.h"

#include <string.h>

#define APP_PASSWORD N_("it wants a password for this program alone (app password): its account settings make one")

static const struct provider providers[] = {
    {"gmail.com googlemail.com", "imaps imap.gmail.com", "smtps smtp.gmail.com", APP_PASSWORD},
    {"outlook.com hotmail.com live.com msn.com", "imaps outlook.office365.com", "smtp smtp-mail.outlook.com",
     N_("it takes logins by OAuth2 only, which is not there yet")},
    {"yahoo.com ymail.com rocketmail.com", "imaps imap.mail.yahoo.com", "smtps smtp.mail.yahoo.com", APP_PASSWORD},
    {"aol.com", "imaps imap.aol.com", "smtps smtp.aol.com", APP_PASSWORD},
    {"icloud.com me.com mac.com", "imaps imap.mail.me.com", "smtp smtp.mail.me.com", APP_PASSWORD},
    {"fastmail.com fastmail.fm", "imaps imap.fastmail.com", "smtps smtp.fastmail.com", APP_PASSWORD},
    {"gmx.net gmx.de gmx.at gmx.ch", "imaps imap.gmx.net", "smtps mail.gmx.net",
     N_("IMAP has to be allowed in its settings first")},
    {"gmx.com", "imaps imap.gmx.com", "smtps mail.gmx.com", N_("IMAP has to be allowed in its settings first")},
    {"web.de", "imaps imap.web.de", "smtp smtp.web.de", N_("IMAP has to be allowed in its settings first")},
    {"posteo.de posteo.net", "imaps posteo.de", "smtps posteo.de", NULL},
    {"mailbox.org", "imaps imap.mailbox.org", "smtps smtp.mailbox.org", NULL},
    {"t-online.de", "imaps secureimap.t-online.de", "smtps securesmtp.t-online.de", APP_PASSWORD},
    {"zoho.com", "imaps imap.zoho.com", "smtps smtp.zoho.com", APP_PASSWORD},
    {"yandex.com yandex.ru", "imaps imap.yandex.com", "smtps smtp.yandex.com", APP_PASSWORD},
    {"runbox.com", "imaps mail.runbox.com", "smtps mail.runbox.com", NULL},
};

const struct provider *
provider_find(const char *domain)
{
    for (guint i = 0; i < G_N_ELEMENTS(providers); i++) {
        g_auto(GStrv) domains = g_strsplit(providers[i].domains, " ", -1);
        for (char **one = domains; *one; one++)
            if (!g_ascii_strcasecmp(*one, domain))
                return &providers[i];
    }
    return NULL;
}
