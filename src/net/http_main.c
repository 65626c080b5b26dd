/* postrider-http: one POST over HTTPS (net/http.h).
 *
 * Standard input: the URL, the content type, a line each, then the body. Standard output: the status of the answer, or a
 * letter (S: the certificate; E: the rest) and words. */
#include "config.h"

#include "net/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX 65536
#define ANSWER_MAX (256 * 1024) /* bytes of the answer that are read */

/* What comes back is of no interest; a server that does not end is left. */
static size_t
discard(char *bytes, size_t size, size_t n, void *data)
{
    size_t *seen = data;
    (void) bytes;
    *seen += size * n;
    return *seen <= ANSWER_MAX ? size * n : 0;
}

static void
set_options(CURL *curl, const char *url, const char *body, struct curl_slist *fields, size_t *seen)
{
    const char *ca = getenv("SSL_CERT_FILE"); /* OpenSSL's own word for it */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long) HTTP_SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, seen);
    if (ca && *ca)
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
}

static int
post(const char *url, const char *type, const char *body)
{
    char header[256];
    size_t seen = 0;
    long status = 0;
    CURL *curl = curl_easy_init();
    if (!curl)
        return 1;
    snprintf(header, sizeof header, "Content-Type: %s", type);
    struct curl_slist *fields = curl_slist_append(NULL, header);
    fields = curl_slist_append(fields, "User-Agent:");
    fields = curl_slist_append(fields, "Accept:");
    set_options(curl, url, body, fields, &seen);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    gboolean certificate = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
    if (status) /* how the body ended, or that it did not, is of no interest */
        printf("%ld\n", status);
    else
        printf("%c%s\n", certificate ? 'S' : 'E', curl_easy_strerror(code));
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
    return 0;
}

int
main(void)
{
    static char input[INPUT_MAX];
    size_t length = 0;
    ssize_t n;
    while (length + 1 < sizeof input && (n = read(STDIN_FILENO, input + length, sizeof input - 1 - length)) > 0)
        length += (size_t) n;
    char *type = strchr(input, '\n'), *body = type ? strchr(type + 1, '\n') : NULL;
    if (!body || curl_global_init(CURL_GLOBAL_DEFAULT)) {
        fputs("postrider-http: started by postrider, not by hand\n", stderr);
        return 64;
    }
    *type++ = *body++ = '\0';
    int code = post(input, type, body);
    curl_global_cleanup();
    return code;
}
