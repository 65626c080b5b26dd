/* postrider-check: one message in, what DKIM, SPF, ARC and DMARC say of it out (trust/check.h)
 *
 * "postrider-check --servers DOMAIN [RESOLVER]" prints the servers that the domain names for its mail, a line each: the
 * commands do not ask the DNS themselves. */
#include "config.h"

#include "base/i18n.h"
#include "base/record.h"
#include "net/servers.h"
#include "trust/check.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVERS_LIMIT_MS 5000
#define MESSAGE_MAX (512u * 1024 * 1024)

static GVariant *
answer(GVariant *request, GBytes *message)
{
    struct check_input input = {.message = message};
    const char *resolver;
    g_autoptr(GError) error = NULL;
    g_variant_get(request, "(m&sm&sm&sm&sm&sx)", &input.from, &input.ip, &input.helo, &input.mail_from,
                  &resolver, &input.when);
    g_autoptr(struct_dns) dns = dns_new(resolver, &error);
    if (!dns)
        return g_variant_new("(m@" AUTHENTICATION_TYPE "s)", NULL, error->message);
    dns_begin(dns, CHECK_LIMIT_MS);
    g_autoptr(struct_authentication) found = check_message(&input, dns);
    return g_variant_new("(m@" AUTHENTICATION_TYPE "s)", authentication_to_variant(found), "");
}

static int
print_servers(const char *domain, const char *resolver)
{
    g_autoptr(struct_dns) dns = dns_new(resolver, NULL);
    g_autofree char *incoming = NULL, *outgoing = NULL;
    if (!dns)
        return 1;
    dns_begin(dns, SERVERS_LIMIT_MS);
    servers_find(dns, domain, &incoming, &outgoing);
    printf("%s\n%s\n", incoming ? incoming : "", outgoing ? outgoing : "");
    return 0;
}

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    i18n_init();
    if (argc > 2 && !strcmp(argv[1], "--servers"))
        return print_servers(argv[2], argc > 3 ? argv[3] : NULL);
    g_autoptr(struct_record_queue) queue =
        record_queue_new(STDIN_FILENO, G_VARIANT_TYPE(CHECK_REQUEST_TYPE), MESSAGE_MAX);
    g_autoptr(GVariant) request = NULL;
    g_autoptr(GBytes) message = NULL;
    gboolean ended = FALSE;
    while (!request && !ended) {
        if (!record_queue_fill(queue, &ended, NULL))
            return 1;
        request = record_queue_take_blob(queue, &message, NULL);
    }
    if (!request || !message)
        return 1;
    return record_write(STDOUT_FILENO, answer(request, message), 0, NULL) ? 0 : 1;
}
