#include "config.h"

#include "net/http.h"
#include "base/error.h"
#include "base/paths.h"
#include "base/program.h"
#include "base/text.h"
#include "base/url.h"

#include <stdlib.h>
#include <string.h>

#define PROGRAM "postrider-http"
#define ANSWER_MAX 4096

G_DEFINE_QUARK(http, http_error)

/* "200", or a letter and words: what http_main.c prints. */
static gboolean
judge(const char *host, const char *answer, GError **error)
{
    int code = g_ascii_isdigit(*answer) ? (int) g_ascii_strtoll(answer, NULL, 10) : 0;
    if (code / 100 == 2)
        return TRUE;
    if (code)
        g_set_error(error, HTTP_ERROR, code / 100 == 5 || code == 429 ? ERROR_RETRY : ERROR_REFUSED,
                    "%s answered with %d%s", host, code, code / 100 == 3 ? " (another place: that is not gone to)" : "");
    else
        g_set_error(error, HTTP_ERROR, *answer == 'S' ? ERROR_SECURITY : ERROR_RETRY, "%s: %s", host,
                    *answer ? answer + 1 : "no answer");
    return FALSE;
}

gboolean
http_post(const char *url, const char *content_type, const char *body, GError **error)
{
    g_autofree char *host = url_https_host(url);
    if (!host) {
        g_set_error(error, HTTP_ERROR, ERROR_INPUT, "the address is none that is posted to: only https://HOST/…");
        return FALSE;
    }
    g_autofree char *path = paths_program(PROGRAM);
    g_autofree char *input = g_strdup_printf("%s\n%s\n%s", url, content_type, body);
    char *argv[] = {path, NULL};
    const struct program program = {.argv = argv,
                                    .input = input,
                                    .input_length = strlen(input),
                                    .input_fd = -1,
                                    .seconds = HTTP_SECONDS + 5,
                                    .output_max = ANSWER_MAX};
    g_auto(struct_program_result) result = {0};
    if (program_run(&program, &result)) {
        g_autofree char *answer = text_safe(g_strchomp(result.output->str), -1, TEXT_LINE);
        return judge(host, answer, error);
    }
    g_autofree char *words = program_words(&program, &result);
    g_set_error(error, HTTP_ERROR, ERROR_RETRY, "%s %s", PROGRAM, words);
    return FALSE;
}
