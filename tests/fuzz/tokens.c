/* F27: any bytes as a message for the learning filter: within the bounds, the same twice, a name for each.
 *
 *   ./configure --enable-fuzzing CC=clang && make tests/fuzz/tokens
 *   tests/fuzz/tokens -max_len=8000 -timeout=5 CORPUS
 */
#include "config.h"

#include "mail/charset.h"
#include "mail/tokens.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    charset_preload();
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tokenizer *tokenizer;
    if (!tokenizer)
        tokenizer = tokenizer_new();
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(GBytes) plain = tokenizer_read(tokenizer, (const char *)data, size, NULL);
    g_autoptr(GBytes) named = tokenizer_read(tokenizer, (const char *)data, size, names);
    g_autoptr(struct_tokens) tokens = tokens_from_bytes(plain);
    gsize ends = 0;
    for (gsize i = 0; i < names->len; i++)
        ends += names->str[i] == '\0';
    if (!tokens || !g_bytes_equal(plain, named) || ends != tokens_total(tokens))
        abort();
    return 0;
}
