#include "config.h"

#include "ui/compose.h"

#include "base/text.h"
#include "store/contact.h"
#include "ui/app.h"
#include "ui/text.h"

#include <string.h>

/* Words that speak of a file, folded (text_fold); a star takes any ending. */
static const char *const words[] = {
    "attach*",   "attachment*",  "enclosed",       "anhang",  "angehangt*", "beigefugt*", "anbei",
    "ci-joint*", "piece jointe", "pieces jointes", "adjunt*", "anexo*",     "anexad*",    "allegat*",
    "bijlage*",  "bifogad*",     "vedhæft*",       "vedlagt", "zalacz*",    "załacz*",
};

static gboolean
is_word_char(const char *p)
{
    return g_unichar_isalnum(g_utf8_get_char(p));
}

static gboolean
has_word(const char *line, const char *word)
{
    gsize n = strlen(word);
    gboolean open = word[n - 1] == '*';
    n -= open;
    g_autofree char *stem = g_strndup(word, n);
    for (const char *p = line; (p = strstr(p, stem)); p++) {
        gboolean begins = p == line || !is_word_char(g_utf8_find_prev_char(line, p));
        gboolean ends = open || !p[n] || !is_word_char(p + n);
        if (begins && ends)
            return TRUE;
    }
    return FALSE;
}

gboolean
compose_mentions_attachment(const char *body)
{
    g_auto(GStrv) lines = g_strsplit(body, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (!strcmp(*line, "-- "))
            break; /* the signature */
        if (**line == '>')
            continue; /* somebody else's words */
        g_autofree char *folded = text_fold(*line);
        for (guint i = 0; i < G_N_ELEMENTS(words); i++)
            if (has_word(folded, words[i]))
                return TRUE;
    }
    return FALSE;
}

static void
check_free(gpointer data)
{
    struct compose_check *check = data;
    g_free(check->text);
    g_free(check);
}

static void
add(GPtrArray *checks, gboolean warning, char *text)
{
    struct compose_check *check = g_new0(struct compose_check, 1);
    check->warning = warning;
    check->text = text;
    g_ptr_array_add(checks, check);
}

static void
check_recipients(struct app *app, GPtrArray *checks, const struct draft *draft)
{
    g_autoptr(GPtrArray) all = draft_recipients(draft);
    for (guint i = 0; all && i < all->len && i < 50; i++) {
        const struct address *address = g_ptr_array_index(all, i);
        g_autoptr(struct_contact) contact =
            app->store && address->addr ? contact_find(app->store, address->addr, NULL) : NULL;
        if (contact && contact->bounced)
            add(checks, TRUE,
                g_strdup_printf(_("mail to %s came back before: %s"), address->addr,
                                contact->bounce ? contact->bounce : ""));
        g_autoptr(GError) error = NULL;
        if (address->addr && !address_check(address->addr, &error))
            add(checks, TRUE, g_strdup(error->message));
    }
}

GPtrArray *
compose_check(struct app *app, const struct draft *draft)
{
    GPtrArray *checks = g_ptr_array_new_with_free_func(check_free);
    if (compose_mentions_attachment(draft->body)) {
        if (draft->attachments->len)
            add(checks, FALSE, g_strdup(_("the text speaks of an attachment, and there is one")));
        else
            add(checks, TRUE, g_strdup(_("the text speaks of an attachment, but there is none")));
    }
    if (!*draft->subject && *draft->body)
        add(checks, TRUE, g_strdup(_("no subject")));
    check_recipients(app, checks, draft);
    return checks;
}
