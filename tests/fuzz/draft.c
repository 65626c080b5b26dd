/* F8, F11, F18 and the draft's own forms: what a person, a link or a pipe may hand over.
 *
 *   ./configure --enable-fuzzing CC=clang && make tests/fuzz/draft
 *   tests/fuzz/draft -max_len=4000 CORPUS
 */
#include "config.h"

#include "mail/date.h"
#include "mail/draftfile.h"
#include "mail/mailto.h"
#include "mail/rawmsg.h"
#include "mail/reply.h"
#include "mail/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(gboolean holds)
{
    if (!holds)
        abort();
}

/* What was accepted and written again is accepted again, and is the same. */
static void
addresses(const char *text)
{
    g_autoptr(GPtrArray) list = address_list_parse(text, NULL);
    if (!list)
        return;
    g_autofree char *written = address_list_format(list);
    g_autoptr(GPtrArray) again = address_list_parse(written, NULL);
    require(again && again->len == list->len);
    for (guint i = 0; i < list->len; i++)
        require(g_str_equal(address_list_get(list, i)->addr, address_list_get(again, i)->addr));
}

static void
drafts(const char *text, gsize size)
{
    g_autoptr(struct_draft) draft = draft_new(), again = draft_new();
    if (!draftfile_parse(text, size, draft, NULL))
        return;
    g_autofree char *written = draftfile_format(draft, TRUE);
    require(draftfile_parse(written, strlen(written), again, NULL));
    require(again->to->len == draft->to->len && g_str_equal(again->body, draft->body));
}

static void
raw(GBytes *message)
{
    g_autoptr(struct_rawmsg_prepared) prepared = rawmsg_prepare(message, NULL, TRUE, NULL);
    g_autoptr(GBytes) wire = message_without_bcc(message);
    g_autofree char *bcc = rawmsg_get(wire, "Bcc", 0);
    require(!bcc);
    g_autoptr(struct_address) from = address_new("A", "a@b.example");
    g_autoptr(GPtrArray) to = address_list_new();
    address_list_add(to, NULL, "c@d.example");
    g_autoptr(GBytes) resent = resend_message(message, from, to, NULL);
    require(resent != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    gint64 date;
    int zone;
    addresses(valid);
    drafts((const char *)data, size);
    raw(bytes);
    (void)date_parse(text, &date, &zone);
    draft_free(mailto_parse(valid, NULL, NULL));
    g_autofree char *words = words_decode(valid);
    require(g_utf8_validate(words, -1, NULL));
    g_free(quote_text(valid, 0));
    g_free(subject_base(valid));
    return 0;
}
