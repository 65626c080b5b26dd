/* bounce_prose.c - reports that are words: qmail, Exim, old sendmail, Exchange, gateways, providers
 *
 * One reader for all of them. The words before the returned message are taken line by line. A line that announces a
 * failure arms what follows; an address counts when a line begins with it, when it is named as a recipient, or when it stands
 * beside a server's refusal. Why it failed is said behind it, else where it is mentioned again, else somewhere.
 */
#include "config.h"

#include "trust/bounce_prose.h"

#include "mail/address.h"

#include <string.h>

#define CANDIDATES_MAX (BOUNCE_RECIPIENTS_MAX * 2)

static void
candidate_free(gpointer data)
{
    struct prose_candidate *candidate = data;
    g_free(candidate->address);
    g_free(candidate->original);
    g_free(candidate);
}

static gboolean
is_own(const struct prose *prose, const char *address)
{
    for (guint i = 0; i < prose->own->len; i++)
        if (address_same(prose->own->pdata[i], address))
            return TRUE;
    return FALSE;
}

static struct prose_candidate *
find_candidate(const struct prose *prose, const char *address)
{
    for (guint i = 0; i < prose->candidates->len; i++) {
        struct prose_candidate *candidate = prose->candidates->pdata[i];
        if (!g_ascii_strcasecmp(candidate->address, address))
            return candidate;
    }
    return NULL;
}

static void
add_candidate(struct prose *prose, char *address, guint line, gsize end, gboolean leads)
{
    struct prose_candidate *known = find_candidate(prose, address);
    if (known) {
        g_free(address);
        return;
    }
    struct prose_candidate *candidate = g_new0(struct prose_candidate, 1);
    candidate->address = address;
    candidate->line = line;
    candidate->end = end;
    candidate->rank = leads ? LEADS : NAMED;
    g_ptr_array_add(prose->candidates, candidate);
}

/* The line before that says something. */
static const char *
line_before(const struct prose *prose, guint n)
{
    while (n-- > 0) {
        const struct prose_line *line = prose->lines->pdata[n];
        if (*line->text)
            return line->lower;
    }
    return "";
}

static void
consider(struct prose *prose, guint n, char *address, enum prose_role role, gsize end, gboolean *in_paragraph)
{
    struct prose_line *line = prose->lines->pdata[n];
    struct bounce_saying saying;
    g_autofree char *owned = address;
    gboolean delayed, leads = role == ROLE_LEADS;
    if (role == ROLE_SENDER || (leads && prose_role_of(line_before(prose, n)) == ROLE_SENDER))
        return;
    if (role == ROLE_ORIGIN) {
        struct prose_candidate *last =
            prose->candidates->len ? prose->candidates->pdata[prose->candidates->len - 1] : NULL;
        if (last && n - last->line < 3) {
            if (!last->original)
                last->original = g_steal_pointer(&owned);
        } else if (prose->is_announced) { /* "an undisclosed address (generated from ana@example.org)" */
            add_candidate(prose, g_steal_pointer(&owned), n, end, TRUE);
        }
        return;
    }
    if (role == ROLE_HEADER || is_own(prose, address)) {
        g_ptr_array_add(prose->spare, g_steal_pointer(&owned));
        return;
    }
    gboolean is_rcpt = strstr(line->lower, "rcpt to") != NULL;
    if (!leads && !is_rcpt && (*in_paragraph || prose_offers_help(line->lower)))
        return;
    gboolean counts = is_rcpt || ((leads || role == ROLE_RECIPIENT) && (prose->is_announced || prose_has_reason(prose, n))) ||
                      (!leads && (prose_weigh_line(line, &saying) || bounce_announces(line->lower, &delayed)));
    if (!counts) {
        if (role == ROLE_RECIPIENT)
            g_ptr_array_add(prose->early, g_steal_pointer(&owned));
        return;
    }
    *in_paragraph = *in_paragraph || leads;
    add_candidate(prose, g_steal_pointer(&owned), n, end, leads);
}

static void
find_candidates(struct prose *prose, struct bounce_returned *returned)
{
    static const char *const permanent[] = {"permanent", "giving up", "gave up", "no further", "not be retried", "5.", " 55", NULL};
    gboolean in_paragraph = FALSE;
    for (guint n = 0; n < prose->lines->len && prose->candidates->len < CANDIDATES_MAX; n++) {
        const struct prose_line *line = prose->lines->pdata[n];
        gboolean delayed = FALSE;
        if (!*line->text)
            in_paragraph = FALSE;
        if (line->is_quoted || !*line->text)
            continue;
        if (g_str_has_prefix(line->lower, "subject:") && !returned->subject)
            returned->subject = bounce_text(line->text + 8, strlen(line->text + 8));
        if (bounce_announces(line->lower, &delayed))
            prose->is_announced = TRUE;
        prose->is_delayed = prose->is_delayed || delayed;
        prose->is_permanent = prose->is_permanent || prose_contains_any(line->lower, permanent);
        const char *end = line->text;
        for (const char *at = line->text; (at = strchr(at, '@')) != NULL; at = MAX(at + 1, end)) {
            const char *start;
            char *address = prose_address_around(line->text, at, &start, &end);
            if (!address)
                continue;
            g_autofree char *before = g_strndup(line->text, (gsize)(start - line->text));
            g_autofree char *lower = g_utf8_strdown(before, -1);
            consider(prose, n, address, prose_role_of(lower), (gsize)(end - line->text), &in_paragraph);
        }
    }
}

static void
mark_leaders(struct prose *prose)
{
    for (guint i = 0; i < prose->candidates->len; i++) {
        const struct prose_candidate *candidate = prose->candidates->pdata[i];
        struct prose_line *line = prose->lines->pdata[candidate->line];
        line->has_leader = candidate->rank == LEADS;
    }
    for (guint n = 1; n < prose->lines->len; n++) {
        struct prose_line *above = prose->lines->pdata[n - 1], *line = prose->lines->pdata[n];
        line->has_leader = line->has_leader || (above->has_leader && above->paragraph == line->paragraph);
    }
}

/* "recipient (User unknown)" under a line that announces: the name of a mailbox alone. */
static void
find_bare_names(struct prose *prose, const char *domain, const struct bounce_returned *returned)
{
    gboolean armed = FALSE;
    for (guint n = 0; n < prose->lines->len && *domain; n++) {
        const struct prose_line *line = prose->lines->pdata[n];
        gboolean delayed;
        gsize len = strcspn(line->text, " \t(:,;<>");
        if (!*line->text)
            continue;
        if (armed && len && len < 65 && strspn(line->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len &&
            (line->text[len] == '\0' || strchr(line->text, '('))) {
            g_autofree char *name = g_strndup(line->text, len);
            char *address = NULL;
            for (guint i = 0; i < returned->to->len && !address; i++) {
                const char *to = returned->to->pdata[i];
                if (g_str_has_prefix(to, name) && to[len] == '@')
                    address = g_strdup(to);
            }
            add_candidate(prose, address ? address : g_strconcat(name, "@", domain, NULL), n, len, TRUE);
        }
        armed = (armed && prose->candidates->len) ||
                (bounce_announces(line->lower, &delayed) && g_str_has_suffix(line->text, ":"));
    }
}

/* --- together */

void
bounce_read_returned(struct bounce_returned *returned, const char *text)
{
    const char *p = text;
    for (guint blocks = 0; blocks < 3; blocks++) {
        GHashTable *block = bounce_next_block(&p);
        if (!block)
            break;
        const char *id = g_hash_table_lookup(block, "message-id"), *to = g_hash_table_lookup(block, "to");
        if (!to)
            to = g_hash_table_lookup(block, "x-envelope-to");
        const char *subject = g_hash_table_lookup(block, "subject");
        if (id && !returned->message_id)
            returned->message_id = message_id_first(id);
        if (subject && !returned->subject && !strstr(subject, "=?"))
            returned->subject = bounce_text(subject, strlen(subject));
        const char *end = to;
        for (const char *at = to; at && (at = strchr(at, '@')) != NULL; at = MAX(at + 1, end)) {
            const char *start;
            char *address = prose_address_around(to, at, &start, &end);
            if (address && returned->to->len < BOUNCE_RECIPIENTS_MAX)
                g_ptr_array_add(returned->to, address);
            else
                g_free(address);
        }
        g_hash_table_unref(block);
        if (id || to)
            return;
    }
    for (const char *line = text; !returned->message_id && line && *line; line = strchr(line, '\n')) { /* quoted */
        line += *line == '\n';
        const char *field = line + strspn(line, "> |");
        if (!g_ascii_strncasecmp(field, "message-id:", 11)) {
            g_autofree char *value = g_strndup(field + 11, strcspn(field + 11, "\n"));
            returned->message_id = message_id_first(value);
        }
    }
}

/* Does the line above say that those who follow were not reached? */
static gboolean
is_listed(const struct prose *prose, const struct prose_candidate *candidate)
{
    const char *above = candidate && candidate->rank == LEADS ? line_before(prose, candidate->line) : "";
    gboolean delayed;
    return (g_str_has_suffix(above, ":") || g_str_has_suffix(above, " delivered to")) && bounce_announces(above, &delayed) &&
           (strstr(above, "recipient") || strstr(above, " user") || strstr(above, "address") || strstr(above, "delivered to"));
}

static void
add_found(struct bounce *bounce, const struct prose *prose, const struct prose_candidate *candidate, const char *address, guint next,
          enum bounce_trust trust)
{
    struct bounce_saying saying = {.len = 0};
    g_autofree char *words = NULL;
    gboolean is_known = prose_find_why(prose, candidate, next, &saying, &words);
    if (!is_known && trust < BOUNCE_MACHINE && !is_listed(prose, candidate))
        return;
    gboolean delayed = prose->is_delayed && !prose->is_permanent && saying.code < 500;
    struct bounce_found found = {.address = g_strdup(address),
                                 .original = g_strdup(candidate ? candidate->original : NULL),
                                 .status = bounce_status_of(&saying, delayed),
                                 .diagnostic = g_steal_pointer(&words),
                                 .action = delayed ? "delayed" : "failed"};
    bounce_add(bounce, &found);
}

static void
add_all(struct bounce *bounce, const struct prose *prose, enum bounce_trust trust)
{
    gboolean any_leads = FALSE;
    for (guint i = 0; i < prose->candidates->len; i++)
        any_leads = any_leads || ((struct prose_candidate *)prose->candidates->pdata[i])->rank == LEADS;
    for (guint i = 0; i < prose->candidates->len; i++) {
        const struct prose_candidate *candidate = prose->candidates->pdata[i];
        guint next = prose->lines->len;
        if (any_leads && candidate->rank != LEADS)
            continue;
        for (guint k = i + 1; k < prose->candidates->len; k++) {
            const struct prose_candidate *other = prose->candidates->pdata[k];
            if (other->line > candidate->line && (!any_leads || other->rank == LEADS)) {
                next = other->line;
                break;
            }
        }
        add_found(bounce, prose, candidate, candidate->address, next, trust);
    }
}

/* Recipients that a header of the report names (Exim, Gmail). */
static void
add_failed_header(struct bounce *bounce, struct prose *prose, const struct document *document)
{
    const char *failed = document_header(document, "X-Failed-Recipients");
    g_auto(GStrv) addresses = g_strsplit_set(failed ? failed : "", ", \t\n", BOUNCE_RECIPIENTS_MAX);
    for (char **one = addresses; *one; one++) {
        if (!address_check(*one, NULL))
            continue;
        struct prose_candidate *candidate = find_candidate(prose, *one);
        guint next = prose->lines->len;
        for (guint i = 0; candidate && i < prose->candidates->len; i++) {
            const struct prose_candidate *other = prose->candidates->pdata[i];
            if (other->line > candidate->line && other->line < next && other->rank == LEADS)
                next = other->line;
        }
        add_found(bounce, prose, candidate, *one, next, BOUNCE_MACHINE);
    }
}

/* Reasons for recipients of which the machine part says only that they failed. */
static void
complete(struct bounce *bounce, const struct prose *prose)
{
    for (guint i = 0; i < bounce->recipients->len; i++) {
        struct bounce_recipient *recipient = bounce->recipients->pdata[i];
        if (recipient->diagnostic || recipient->kind > BOUNCE_DELAYED)
            continue;
        struct bounce_saying saying = {.len = 0};
        char *words = NULL;
        const struct prose_candidate *candidate = find_candidate(prose, recipient->address);
        if (prose_find_why(prose, candidate, prose->lines->len, &saying, &words)) {
            g_autofree char *declared = g_steal_pointer(&recipient->status);
            struct bounce_found found = {.address = g_steal_pointer(&recipient->address),
                                         .original = g_steal_pointer(&recipient->original),
                                         .server = g_steal_pointer(&recipient->server),
                                         .status = declared ? g_strdup(declared) : bounce_status_of(&saying, recipient->kind == BOUNCE_DELAYED),
                                         .diagnostic = words,
                                         .action = recipient->kind == BOUNCE_DELAYED ? "delayed" : "failed"};
            g_ptr_array_remove_index(bounce->recipients, i);
            bounce_add(bounce, &found);
            struct bounce_recipient *last = g_ptr_array_steal_index(bounce->recipients, bounce->recipients->len - 1);
            g_ptr_array_insert(bounce->recipients, (gint)i, last);
        }
    }
}

static gboolean
is_other(const struct prose *prose)
{
    for (guint n = 0; n < prose->lines->len; n++)
        if (bounce_is_other_machine(((const struct prose_line *)prose->lines->pdata[n])->lower))
            return TRUE;
    return FALSE;
}

static void
add_own(GPtrArray *own, const GPtrArray *list)
{
    for (guint i = 0; list && i < list->len; i++) {
        const struct address *address = list->pdata[i];
        if (address->addr)
            g_ptr_array_add(own, g_strdup(address->addr));
    }
}

/* When no words name a recipient: a bare name, the sender itself, the one to whom the returned message went. */
static void
guess(struct bounce *bounce, struct prose *prose, const struct document *document, const struct bounce_returned *returned)
{
    const struct address *from = address_list_get(document->envelope->from, 0);
    find_bare_names(prose, from && from->addr ? address_domain(from->addr) : "", returned);
    add_all(bounce, prose, BOUNCE_MACHINE);
    if (bounce->recipients->len || !prose->is_announced)
        return;
    for (guint i = 0; i < prose->early->len; i++)
        add_found(bounce, prose, NULL, prose->early->pdata[i], 0, BOUNCE_MACHINE);
    if (!bounce->recipients->len && returned->to->len == 1)
        add_found(bounce, prose, NULL, returned->to->pdata[0], 0, BOUNCE_MACHINE);
    for (guint i = 0; !bounce->recipients->len && i < prose->spare->len; i++)
        add_found(bounce, prose, NULL, prose->spare->pdata[i], 0, BOUNCE_SUBJECT);
}

void
bounce_read_prose(struct bounce *bounce, const struct document *document, enum bounce_trust trust,
                  struct bounce_returned *returned)
{
    gboolean delayed = FALSE;
    g_autofree char *subject = g_utf8_strdown(document->envelope->subject, -1);
    struct prose prose = {.lines = g_ptr_array_new_with_free_func(prose_line_free),
                          .candidates = g_ptr_array_new_with_free_func(candidate_free),
                          .spare = g_ptr_array_new_with_free_func(g_free),
                          .early = g_ptr_array_new_with_free_func(g_free),
                          .own = g_ptr_array_new_with_free_func(g_free)};
    add_own(prose.own, document->envelope->to);
    add_own(prose.own, document->envelope->from);
    const char *rest = prose_read_lines(&prose, document);
    if (!returned->message_id && !returned->to->len)
        bounce_read_returned(returned, strcspn(rest, ":") < strcspn(rest, " -\n") ? rest : strchrnul(rest, '\n'));
    prose.is_announced = trust == BOUNCE_MACHINE && bounce_announces(subject, &delayed);
    prose.is_delayed = delayed;
    find_candidates(&prose, returned);
    mark_leaders(&prose);
    if (bounce->recipients->len) {
        complete(bounce, &prose);
    } else if (trust == BOUNCE_MACHINE || !is_other(&prose)) {
        add_failed_header(bounce, &prose, document);
        if (!bounce->recipients->len)
            add_all(bounce, &prose, trust);
        if (!bounce->recipients->len && trust == BOUNCE_MACHINE)
            guess(bounce, &prose, document, returned);
    }
    g_ptr_array_unref(prose.lines);
    g_ptr_array_unref(prose.candidates);
    g_ptr_array_unref(prose.spare);
    g_ptr_array_unref(prose.early);
    g_ptr_array_unref(prose.own);
}
