#include "config.h"

#include "ui/people.h"

#include "base/clock.h"
#include "base/text.h"
#include "mail/address.h"
#include "store/contact.h"
#include "ui/app.h"
#include "ui/text.h"

#include <string.h>

#define SHOWN_MAX 30

void
people_complete(struct app *app, const char *typed, GPtrArray *candidates, gboolean bare)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(typed));
    g_autoptr(GPtrArray) found = app->store ? contact_complete(app->store, trimmed, SHOWN_MAX, NULL) : NULL;
    for (guint i = 0; found && i < found->len; i++) {
        const struct contact *contact = g_ptr_array_index(found, i);
        struct address address = {contact->name, contact->addr};
        g_autofree char *full = address_format(&address);
        g_autofree char *label = text_safe(full, -1, TEXT_LINE);
        g_autofree char *when = contact->last ? clock_relative(contact->last, clock_now()) : NULL;
        guint n = contact->sent + contact->received;
        g_autofree char *count =
            n ? g_strdup_printf(ngettext("%u message", "%u messages", n), n) : g_strdup("");
        g_autofree char *note =
            contact->bounced ? g_strdup_printf(_("bounced: %s"), contact->bounce ? contact->bounce : "")
            : when           ? g_strdup_printf("%s, %s", count, when)
                             : g_strdup(count);
        g_ptr_array_add(candidates, candidate_new(bare ? contact->addr : full, label, note));
    }
}

/* Where the address under the cursor begins: behind the last comma that no quotes enclose. */
static gsize
address_start(const char *text, gsize cursor)
{
    gsize start = 0;
    gboolean quoted = FALSE;
    for (gsize i = 0; i < cursor; i++) {
        if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == ',' || text[i] == ';'))
            start = i + 1;
    }
    while (start < cursor && text[start] == ' ')
        start++;
    return start;
}

GPtrArray *
people_complete_list(struct app *app, const char *text, gsize cursor, gsize *from, gsize *to,
                     gpointer data G_GNUC_UNUSED)
{
    *from = address_start(text, cursor);
    *to = cursor;
    while (text[*to] && text[*to] != ',' && text[*to] != ';')
        ++*to;
    GPtrArray *candidates = candidates_new();
    g_autofree char *typed = g_strndup(text + *from, cursor - *from);
    /* A finished address needs no list that hides the form. */
    if (!*typed || strchr(typed, '>'))
        return candidates;
    people_complete(app, typed, candidates, FALSE);
    return candidates;
}
