#include "config.h"

#include "trust/reputation.h"

#include "base/clock.h"
#include "base/i18n.h"
#include "base/skeleton.h"
#include "base/text.h"
#include "mail/attachment.h"
#include "mail/domain.h"
#include "mail/link.h"
#include "store/account.h"
#include "store/arrival.h"
#include "trust/check.h"
#include "trust/lookalike.h"

#include <string.h>

#define SETTLED 5                        /* messages after which a name is the sender's own affair */
#define SETTLED_AGE ((gint64)30 * 86400) /* or so long */

static const char *const names[REPUTATION_MARKS] = {
    "new-address", "new-domain",    "junk-before",  "reply-elsewhere", "lookalike",
    "letters",     "other-address", "other-person", "as-you",          "listed"};

const char *
reputation_mark_name(enum reputation_mark mark)
{
    return names[mark];
}

static void
sign_free(gpointer data)
{
    struct reputation_sign *sign = data;
    g_free(sign->words);
    g_free(sign);
}

static void
add(struct reputation *reputation, enum reputation_mark mark, gboolean warns, const char *words)
{
    struct reputation_sign *sign = g_new(struct reputation_sign, 1);
    guint at = 0;
    sign->mark = mark;
    sign->warns = warns;
    sign->words = text_safe(words, -1, TEXT_LINE);
    while (at < reputation->signs->len && ((struct reputation_sign *)reputation->signs->pdata[at])->warns >= warns)
        at++;
    g_ptr_array_insert(reputation->signs, (gint)at, sign);
}

/* --- who is asked about */

struct inquiry {
    struct store *store;
    const struct config *config;
    const struct envelope *envelope;
    const struct address *author;
    const char *domain; /* of the author */
    struct reputation *reputation;
    gboolean is_dealt_with; /* the address itself */
    gboolean is_settled;    /* it has written so often that its name is no news */
};

static gboolean
is_dealt_with(const struct contact *contact)
{
    return contact && (contact->sent || contact->replied || contact->good > contact->junk) && !contact->blocked;
}

static gboolean
is_settled(const struct contact *contact)
{
    return contact && contact->junk <= contact->good &&
           (contact->received >= SETTLED || (contact->received > 1 && contact->last - contact->first >= SETTLED_AGE));
}

/* Calls `each` for the organisations of the user's own addresses, until one says TRUE. */
static gboolean
each_own_owner(const struct config *config, gboolean (*each)(struct inquiry *inquiry, const char *owner), struct inquiry *inquiry)
{
    for (guint i = 0; config && i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        g_autofree char *own = known_owner_of(account->address);
        if (own && each(inquiry, own))
            return TRUE;
        for (char **alias = account->aliases; alias && *alias; alias++) {
            g_autofree char *other = known_owner_of(*alias);
            if (other && each(inquiry, other))
                return TRUE;
        }
    }
    return FALSE;
}

static gboolean
is_its_owner(struct inquiry *inquiry, const char *owner)
{
    return !strcmp(owner, inquiry->reputation->owner);
}

/* --- signs */

static void
look_at_history(struct inquiry *inquiry)
{
    struct reputation *reputation = inquiry->reputation;
    const struct contact *contact = reputation->contact;
    const char *addr = inquiry->author->addr;
    guint received = contact ? contact->received : 0;
    if (received <= 1 && !inquiry->is_dealt_with)
        add(reputation, REPUTATION_NEW_ADDRESS, FALSE, _("the first message from this address"));
    if (reputation->known.received <= 1 && !reputation->known.sent && !each_own_owner(inquiry->config, is_its_owner, inquiry)) {
        g_autofree char *words = g_strdup_printf(_("nobody at %s has written before"), reputation->owner);
        add(reputation, REPUTATION_NEW_DOMAIN, FALSE, words);
    }
    if (contact && contact->junk > contact->good) {
        g_autofree char *words =
            g_strdup_printf(P_("you called %u message from %s junk", "you called %u messages from %s junk", contact->junk),
                            contact->junk, addr);
        add(reputation, REPUTATION_JUNK_BEFORE, FALSE, words);
    }
}

/* Against one name that is known. */
static gboolean
compare_domain(struct inquiry *inquiry, const char *known)
{
    g_autofree char *words = NULL;
    switch (lookalike_domain(inquiry->domain, known)) {
    case LOOKALIKE_SAME:
        words = g_strdup_printf(_("%s only looks like %s, which you know"), inquiry->domain, known);
        break;
    case LOOKALIKE_NEAR:
        words = g_strdup_printf(_("%s is spelled nearly like %s, which you know"), inquiry->domain, known);
        break;
    case LOOKALIKE_EMBEDDED:
        words = g_strdup_printf(_("%s begins with %s, which you know, and belongs to %s"), inquiry->domain, known,
                                inquiry->reputation->owner);
        break;
    case LOOKALIKE_NOT:
        return FALSE;
    }
    add(inquiry->reputation, REPUTATION_LOOKALIKE, TRUE, words);
    return TRUE;
}

static gboolean
compare_domains(struct inquiry *inquiry, GPtrArray *owners, gboolean only_familiar)
{
    for (guint i = 0; owners && i < owners->len; i++)
        if ((!only_familiar || known_owner_is_familiar(inquiry->store, owners->pdata[i])) &&
            compare_domain(inquiry, owners->pdata[i]))
            return TRUE;
    return FALSE;
}

/* The known names that stand in the front part of a long one: "example.org" of "example.org.evil.test". */
static gboolean
compare_front(struct inquiry *inquiry)
{
    g_auto(GStrv) labels = g_strsplit(inquiry->domain, ".", 12);
    guint n = g_strv_length(labels);
    for (guint i = 0; n > 3 && i + 3 < n; i++) {
        g_autofree char *pair = g_strdup_printf("%s.%s", labels[i], labels[i + 1]);
        if (known_owner_is_familiar(inquiry->store, pair) && compare_domain(inquiry, pair))
            return TRUE;
    }
    return FALSE;
}

static void
look_at_domain(struct inquiry *inquiry)
{
    const char *owner = inquiry->reputation->owner;
    g_autofree char *words = NULL;
    if (lookalike_letters(inquiry->domain, &words))
        add(inquiry->reputation, REPUTATION_LETTERS, !inquiry->is_dealt_with, words);
    if (each_own_owner(inquiry->config, is_its_owner, inquiry) || each_own_owner(inquiry->config, compare_domain, inquiry))
        return;
    if (!inquiry->store || known_owner_is_familiar(inquiry->store, owner))
        return;
    g_autoptr(GPtrArray) like = known_owners_like(inquiry->store, owner, NULL);
    if (compare_domains(inquiry, like, TRUE) || compare_front(inquiry))
        return;
    gsize length = strlen(owner);
    g_autoptr(GPtrArray) written = known_owners_written(inquiry->store, length - 1, length + 1, NULL);
    compare_domains(inquiry, written, FALSE);
}

/* A list writes in the name of those who wrote to it. */
static void
look_at_name(struct inquiry *inquiry)
{
    const char *name = inquiry->author->name, *addr = inquiry->author->addr;
    g_autofree char *inside = name ? lookalike_address_in(name) : NULL;
    g_autofree char *owner = inside ? known_owner_of(inside) : NULL;
    if (!name || inquiry->envelope->list_id)
        return;
    if (skeleton_is_mixed(name))
        add(inquiry->reputation, REPUTATION_LETTERS, !inquiry->is_dealt_with, _("a word of the name mixes letters of several scripts"));
    if (owner && g_strcmp0(owner, inquiry->reputation->owner) && !strstr(name, " via ") && !inquiry->is_settled) {
        g_autofree char *words = g_strdup_printf(_("the name is another address: it comes from %s"), addr);
        add(inquiry->reputation, REPUTATION_OTHER_ADDRESS, !inquiry->is_dealt_with, words);
    }
}

static gboolean
is_own_name(const struct config *config, const char *name)
{
    for (guint i = 0; config && i < config->accounts->len; i++) {
        const struct account *account = config->accounts->pdata[i];
        if (account->real_name && lookalike_is_personal(account->real_name) && skeleton_is_same(account->real_name, name))
            return TRUE;
    }
    return FALSE;
}

static void
look_at_person(struct inquiry *inquiry)
{
    const char *name = inquiry->author->name, *addr = inquiry->author->addr;
    if (!name || inquiry->envelope->list_id || inquiry->is_dealt_with || inquiry->is_settled || !inquiry->store ||
        !lookalike_is_personal(name) || lookalike_is_machine(addr))
        return;
    if (is_own_name(inquiry->config, name)) {
        g_autofree char *words = g_strdup_printf(_("it has your own name, and comes from %s"), addr);
        add(inquiry->reputation, REPUTATION_AS_YOU, TRUE, words);
        return;
    }
    g_autoptr(GPtrArray) people = known_people(inquiry->store, name, NULL);
    const struct contact *other = NULL;
    for (guint i = 0; people && i < people->len; i++) {
        const struct contact *person = people->pdata[i];
        g_autofree char *owner = known_owner_of(person->addr);
        /* two addresses at work are one person; at a provider they may be two */
        if (!g_strcmp0(owner, inquiry->reputation->owner) && !lookalike_is_provider(owner))
            return;
        other = other ? other : person;
    }
    if (!other)
        return;
    g_autofree char *words = g_strdup_printf(_("%s is known to you at %s, not at %s"), name, other->addr, addr);
    add(inquiry->reputation, REPUTATION_OTHER_PERSON, TRUE, words);
}

/* Somebody who is known, and whose answers would go to somebody who is not. */
static void
look_at_reply(struct inquiry *inquiry)
{
    const struct address *reply = address_list_get(inquiry->envelope->reply_to, 0);
    if (!reply || !reply->addr || address_list_length(inquiry->envelope->reply_to) != 1 || inquiry->envelope->list_id ||
        (inquiry->store && store_is_me(inquiry->store, reply->addr)))
        return;
    g_autofree char *owner = known_owner_of(reply->addr);
    if (!owner || !g_strcmp0(owner, inquiry->reputation->owner))
        return;
    g_autoptr(struct_contact) other = inquiry->store ? contact_find(inquiry->store, reply->addr, NULL) : NULL;
    gboolean warns = inquiry->is_dealt_with && !other && inquiry->author->name && lookalike_is_personal(inquiry->author->name) &&
                     !lookalike_is_machine(inquiry->author->addr) && !known_owner_is_familiar(inquiry->store, owner);
    g_autofree char *words = g_strdup_printf(_("answers would go elsewhere: to %s"), reply->addr);
    add(inquiry->reputation, REPUTATION_REPLY_ELSEWHERE, warns, words);
}

static void
look_at_lists(struct inquiry *inquiry, gint64 message, const char *lists)
{
    g_autofree char *kept =
        !lists && inquiry->store && message ? verdict_field(inquiry->store, message, REPUTATION_STAGE, "lists") : NULL;
    g_auto(GStrv) lines = g_strsplit(lists ? lists : kept ? kept : "", "\n", -1);
    for (char **line = lines; *line; line++) {
        g_autofree char *words = reputation_list_words(*line);
        if (words)
            add(inquiry->reputation, REPUTATION_LISTED, TRUE, words);
    }
}

void
reputation_find(struct store *store, const struct config *config, gint64 message, const struct envelope *envelope,
                const char *lists, struct reputation *reputation)
{
    memset(reputation, 0, sizeof *reputation);
    reputation->signs = g_ptr_array_new_with_free_func(sign_free);
    struct inquiry inquiry = {.store = store, .config = config, .envelope = envelope, .reputation = reputation};
    inquiry.domain = check_author(envelope);
    inquiry.author = address_list_get(envelope->from, 0);
    reputation->owner = inquiry.domain ? known_owner_of(inquiry.author->addr) : NULL;
    if (!reputation->owner || (store && store_is_me(store, inquiry.author->addr)) ||
        (config && config_account_for(config, inquiry.author->addr)))
        return;
    if (store) {
        reputation->contact = contact_find(store, inquiry.author->addr, NULL);
        known_owner(store, reputation->owner, &reputation->known, NULL);
    }
    inquiry.is_dealt_with = is_dealt_with(reputation->contact);
    inquiry.is_settled = is_settled(reputation->contact);
    look_at_domain(&inquiry);
    look_at_name(&inquiry);
    look_at_person(&inquiry);
    look_at_reply(&inquiry);
    look_at_lists(&inquiry, message, lists);
    if (store && message)
        look_at_history(&inquiry);
}

void
reputation_clear(struct reputation *reputation)
{
    contact_free(reputation->contact);
    g_free(reputation->owner);
    g_clear_pointer(&reputation->signs, g_ptr_array_unref);
}

gboolean
reputation_warns(const struct reputation *reputation)
{
    return reputation->signs->len && ((const struct reputation_sign *)reputation->signs->pdata[0])->warns;
}

/* --- in words */

char *
reputation_words(const struct reputation *reputation)
{
    const struct contact *contact = reputation->contact;
    GString *out = g_string_new(NULL);
    if (!contact || !contact->received) {
        g_string_append(out, _("not heard from before"));
    } else {
        g_autoptr(GDateTime) first = g_date_time_new_from_unix_local(contact->first);
        g_string_append_printf(out, P_("known since %d: %u message", "known since %d: %u messages", contact->received),
                               first ? g_date_time_get_year(first) : 0, contact->received);
    }
    if (contact && contact->replied)
        g_string_append_printf(out, P_(", %u answered", ", %u answered", contact->replied), contact->replied);
    if (contact && contact->sent)
        g_string_append_printf(out, P_(", %u sent to it", ", %u sent to it", contact->sent), contact->sent);
    if (contact && contact->junk)
        g_string_append_printf(out, P_(", %u called junk", ", %u called junk", contact->junk), contact->junk);
    return g_string_free(out, FALSE);
}

char *
reputation_list_words(const char *line)
{
    g_auto(GStrv) fields = g_strsplit(line, "\t", 4);
    if (g_strv_length(fields) < 3)
        return NULL;
    gboolean has_text = fields[3] && *fields[3];
    g_autofree char *words = g_strdup_printf(_("%s is on the block list %s (%s%s%s)"), fields[1], fields[0], fields[2],
                                             has_text ? ": " : "", has_text ? fields[3] : "");
    return text_safe(words, -1, TEXT_LINE);
}

/* --- for the filter */

static void
add_bits(GString *out, const char *prefix, guint marks, const char *(*name)(guint bit))
{
    for (guint bit = 0; name(bit); bit++)
        if (marks & 1u << bit)
            g_string_append_printf(out, "%scheck:%s-%s", out->len ? "\n" : "", prefix, name(bit));
}

char *
reputation_evidence(const struct reputation *reputation, const struct document *document, const char *vouch)
{
    guint seen = 0, attachments = 0, links = 0;
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < reputation->signs->len; i++) {
        const struct reputation_sign *sign = reputation->signs->pdata[i];
        if (!(seen & 1u << sign->mark))
            g_string_append_printf(out, "%scheck:%s", out->len ? "\n" : "", names[sign->mark]);
        seen |= 1u << sign->mark;
    }
    for (guint i = 0; i < document->parts->len; i++)
        attachments |= ((const struct document_part *)document->parts->pdata[i])->marks;
    for (guint i = 0; i < document->links->len; i++)
        links |= ((const struct document_link *)document->links->pdata[i])->marks;
    add_bits(out, "attachment", attachments, attachment_mark_name);
    add_bits(out, "link", links, link_mark_name);
    if (vouch)
        g_string_append_printf(out, "%scheck:vouch-%s", out->len ? "\n" : "", vouch);
    return g_string_free(out, FALSE);
}
