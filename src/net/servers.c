#include "config.h"

#include "net/servers.h"

#include <string.h>

struct service {
    const char *label, *scheme;
};

static char *
first_offered(struct dns *dns, const char *domain, const struct service *services)
{
    for (; services->label; services++) {
        g_autofree char *name = g_strdup_printf("%s.%s", services->label, domain);
        g_autoptr(GPtrArray) values = NULL;
        if (dns_lookup(dns, name, DNS_SRV, &values) != DNS_FOUND)
            continue;
        g_auto(GStrv) port_host = g_strsplit(values->pdata[0], " ", 2);
        if (port_host[0] && port_host[1] && strcmp(port_host[0], "0") != 0)
            return g_strdup_printf("%s %s %s", services->scheme, port_host[1], port_host[0]);
    }
    return NULL;
}

void
servers_find(struct dns *dns, const char *domain, char **incoming, char **outgoing)
{
    static const struct service in[] = {{"_imaps._tcp", "imaps"}, {"_imap._tcp", "imap"}, {"_pop3s._tcp", "pop3s"},
                                        {"_pop3._tcp", "pop3"},   {NULL, NULL}},
                                out[] = {{"_submissions._tcp", "smtps"}, {"_submission._tcp", "smtp"}, {NULL, NULL}};
    *incoming = first_offered(dns, domain, in);
    *outgoing = first_offered(dns, domain, out);
}
