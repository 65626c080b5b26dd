#include "config.h"

#include "ui/readview.h"

#include "base/clock.h"
#include "base/flags.h"
#include "base/text.h"
#include "base/width.h"
#include "mail/attachment.h"
#include "store/account.h"
#include "store/contact.h"
#include "ui/app.h"
#include "ui/draw.h"
#include "ui/hits.h"
#include "ui/listview.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>

#define LABEL_WIDTH 7
#define ADDRESSES_SHOWN 20
#define WARNINGS_SHOWN 3

void
readview_relayout(struct readview *read)
{
    g_clear_pointer(&read->lines, g_ptr_array_unref);
    read->width = 0;
    read->found = -1;
}

static void
lay_out(struct readview *read, int width)
{
    if (read->lines && read->width == width)
        return;
    /* The same text stays on top when the width changes. */
    guint source = 0;
    if (read->lines && read->top < (int)read->lines->len)
        source = ((struct layout_line *)g_ptr_array_index(read->lines, (guint)read->top))->source;
    g_clear_pointer(&read->lines, g_ptr_array_unref);
    read->width = width;
    if (!read->document)
        return;
    struct layout_options options = {.width = width - 2, .fold = read->folded};
    read->lines = layout_document(read->document, &options);
    if (read->all_headers) {
        GString *text = g_string_new(NULL);
        for (guint i = 0; i < read->document->headers->len; i++) {
            const struct document_header *header = g_ptr_array_index(read->document->headers, i);
            g_autofree char *value = text_safe(header->value, -1, TEXT_LINE);
            g_string_append_printf(text, "%s: %s\n", header->name, value);
        }
        g_string_append_c(text, '\n');
        GPtrArray *lines = layout_text(text->str, width - 2);
        for (guint i = 0; i < lines->len; i++) {
            struct layout_line *line = g_ptr_array_index(lines, i);
            line->role = ROLE_DIM;
            g_ptr_array_insert(read->lines, (gint)i, line);
        }
        g_ptr_array_set_free_func(lines, NULL);
        g_ptr_array_unref(lines);
        g_string_free(text, TRUE);
    }
    for (guint i = 0; source && i < read->lines->len; i++) {
        if (((struct layout_line *)g_ptr_array_index(read->lines, i))->source >= source) {
            read->top = (int)i;
            break;
        }
    }
}

/* ---- the head ---- */

static int
label(int row, const struct area *area, const char *name)
{
    term_put(row, area->column + 1, LABEL_WIDTH, PLAIN(ROLE_DIM), name);
    return area->column + 1 + LABEL_WIDTH;
}

/* The name never stands without the address; what may deceive is marked (M3). */
static char *
address_text(struct store *store, const struct address *address, gboolean full, gboolean *odd)
{
    if (!address->addr)
        return text_safe(address->name ? address->name : "", -1, TEXT_LINE);
    if (!full && store && store_is_me(store, address->addr))
        return g_strdup(_("me"));
    g_autofree char *addr = text_safe(address->addr, -1, TEXT_LINE);
    g_autofree char *name = address->name ? text_safe(address->name, -1, TEXT_LINE) : NULL;
    g_autofree char *ascii = address_domain_to_ascii(address_domain(address->addr));
    g_autofree char *domain = g_ascii_strdown(address_domain(address->addr), -1);
    gboolean foreign = ascii && g_ascii_strcasecmp(ascii, domain) != 0;
    if (name && strchr(name, '@') && g_ascii_strcasecmp(name, addr) != 0 && odd)
        *odd = TRUE;
    GString *out = g_string_new(NULL);
    if (name && *name && (full || !*addr))
        g_string_append_printf(out, "%s <%s>", name, addr);
    else
        g_string_append(out, name && *name && !full ? name : addr);
    if (foreign) {
        g_string_append_printf(out, " (%s)", ascii);
        if (odd)
            *odd = TRUE;
    }
    return g_string_free(out, FALSE);
}

static char *
addresses_text(struct store *store, const GPtrArray *list)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < address_list_length(list); i++) {
        if (i == ADDRESSES_SHOWN) {
            g_string_append_printf(out, _(" and %u more"), address_list_length(list) - i);
            break;
        }
        g_autofree char *one = address_text(store, address_list_get(list, i), FALSE, NULL);
        g_string_append_printf(out, "%s%s", i ? ", " : "", one);
    }
    return g_string_free(out, FALSE);
}

static char *
date_text(gint64 date, int zone)
{
    g_autoptr(GTimeZone) own = g_time_zone_new_offset(zone * 60);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(date);
    g_autoptr(GDateTime) local = utc ? g_date_time_to_local(utc) : NULL;
    if (!local)
        return g_strdup("");
    g_autofree char *relative = clock_relative(date, clock_now());
    g_autofree char *text = g_date_time_format(local, "%a %e %b %Y %H:%M");
    if (clock_local_zone(date) == zone)
        return g_strdup_printf("%s (%s)", text, relative);
    g_autoptr(GDateTime) theirs = g_date_time_to_timezone(utc, own);
    g_autofree char *there = theirs ? g_date_time_format(theirs, "%H:%M %:z") : NULL;
    return g_strdup_printf(_("%s (%s; there %s)"), text, relative, there ? there : "?");
}

static char *
known_text(struct readview *read, const char *addr)
{
    if (!read->contact_loaded && read->view.app->store && addr) {
        read->contact = contact_find(read->view.app->store, addr, NULL);
        read->contact_loaded = TRUE;
    }
    const struct contact *contact = read->contact;
    if (addr && store_is_me(read->view.app->store, addr))
        return g_strdup("");
    if (!contact || !contact->received)
        return g_strdup(_("first message from here"));
    g_autoptr(GDateTime) first = g_date_time_new_from_unix_local(contact->first);
    int year = first ? g_date_time_get_year(first) : 0;
    if (contact->received < 2)
        return g_strdup(_("new"));
    return g_strdup_printf(_("known since %d, %u messages"), year, contact->received);
}

static char *
files_text(const struct document *document)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = g_ptr_array_index(document->parts, i);
        if (!part->number)
            continue;
        g_autofree char *name = document_part_filename(part);
        g_autofree char *safe = text_safe(name, -1, TEXT_LINE);
        g_autofree char *size = text_size(part->size);
        g_string_append_printf(out, "%s[%u] %s %s", out->len ? "   " : "", part->number, safe, size);
    }
    return g_string_free(out, FALSE);
}

static int
head_line(int row, const struct area *area, const char *name, enum role role, const char *text)
{
    int column = label(row, area, name);
    int room = area->column + area->columns - column - 1;
    g_autofree char *cut = width_cut(text, MAX(room, 1));
    return column + term_put(row, column, room, PLAIN(role), cut);
}

static int
draw_from(struct readview *read, int row, const struct area *area)
{
    const GPtrArray *from = read->document ? read->document->envelope->from : NULL;
    struct address fallback = {read->row ? read->row->from_name : NULL,
                               read->row ? read->row->from_addr : NULL};
    const struct address *sender = address_list_length(from) ? address_list_get(from, 0) : &fallback;
    gboolean odd = read->document && read->document->envelope->flags & ENVELOPE_TWO_FROM;
    g_autofree char *text = address_text(read->view.app->store, sender, TRUE, &odd);
    int column = head_line(row, area, _("From"), ROLE_PEOPLE, *text ? text : _("(nobody)"));
    int end = area->column + area->columns - 1;
    if (odd && column + 4 < end) {
        const char *why = read->document && read->document->envelope->flags & ENVELOPE_TWO_FROM
                              ? _("  ! two senders are named")
                              : _("  ! the name or domain may mislead");
        column += term_put(row, column, end - column, PLAIN(ROLE_BAD), why);
    }
    gboolean beside = read->verdict && column + 4 + width_text(read->verdict) < end;
    if (beside) {
        column += 3;
        column += term_put(row, column, end - column, PLAIN(read->verdict_role), read->verdict);
    }
    if (read->message) {
        g_autofree char *known = known_text(read, sender->addr);
        if (sender->addr && column + 3 + width_text(known) < end)
            term_put(row, column + 3, end - column - 3, PLAIN(ROLE_DIM), known);
    }
    if (read->verdict && !beside && area->rows > 12 && read->verdict_role != ROLE_GOOD)
        head_line(++row, area, "", read->verdict_role,
                  read->verdict); /* no room beside it, and it must be seen */
    g_auto(GStrv) warnings = g_strsplit(read->warnings ? read->warnings : "", "\n", WARNINGS_SHOWN + 1);
    for (guint i = 0; warnings[i] && i < WARNINGS_SHOWN && *warnings[i]; i++)
        head_line(++row, area, "!", ROLE_BAD, warnings[i]);
    return row + 1;
}

static int
draw_to(struct readview *read, int row, const struct area *area)
{
    const struct envelope *envelope = read->document ? read->document->envelope : NULL;
    struct store *store = read->view.app->store;
    g_autofree char *to = addresses_text(store, envelope ? envelope->to : read->row ? read->row->to : NULL);
    gint64 date = envelope && envelope->flags & ENVELOPE_DATE_VALID ? envelope->date
                  : read->row                                       ? read->row->date
                                                                    : 0;
    int zone = envelope ? envelope->zone : read->row ? read->row->zone : 0;
    g_autofree char *when = date ? date_text(date, zone) : g_strdup("");
    struct area left = *area;
    int when_width = width_text(when);
    gboolean beside = area->columns - when_width > 40;
    if (beside)
        left.columns -= when_width + 2;
    head_line(row, &left, _("To"), ROLE_TEXT, to);
    if (!beside)
        head_line(++row, area, _("Date"), ROLE_DATE, when);
    else
        term_put(row, area->column + area->columns - when_width - 1, when_width, PLAIN(ROLE_DATE), when);
    row++;
    const GPtrArray *copies = envelope ? envelope->cc : read->row ? read->row->cc : NULL;
    if (address_list_length(copies)) {
        g_autofree char *cc = addresses_text(store, copies);
        head_line(row++, area, _("Cc"), ROLE_TEXT, cc);
    }
    return row;
}

/* What is to be said of attachments before they are opened. */
static int
draw_warnings(const struct document *document, int row, const struct area *area)
{
    guint said = 0;
    for (guint i = 0; i < document->parts->len && said < WARNINGS_SHOWN; i++) {
        const struct document_part *part = g_ptr_array_index(document->parts, i);
        g_autofree char *words = part->number ? attachment_words(part->marks, part->inside) : NULL;
        if (!words)
            continue;
        g_autofree char *line = g_strdup_printf("[%u] %s", part->number, words);
        gboolean warns = part->marks & ATTACHMENT_WARNS;
        head_line(row++, area, warns ? "!" : "", warns ? ROLE_BAD : ROLE_DIM, line);
        said++;
    }
    return row;
}

static int
draw_marks(struct readview *read, int row, const struct area *area)
{
    const struct document *document = read->document;
    g_autofree char *tags = read->row ? tags_shown(read->row->tags) : NULL;
    if (tags && *tags) {
        g_autofree char *safe = text_safe(tags, -1, TEXT_LINE);
        head_line(row++, area, _("Tags"), ROLE_TAG, safe);
    }
    if (!document)
        return row;
    if (read->waiting && read->notice) { /* the text is here, the rest is not */
        g_autofree char *line = g_strdelimit(g_strdup(read->notice), "\n", ' ');
        head_line(row++, area, "…", ROLE_WARN, line);
    }
    if (document->flags & DOCUMENT_ATTACHMENTS) {
        g_autofree char *files = files_text(document);
        head_line(row++, area, _("Files"), ROLE_ACCENT, files);
    }
    row = draw_warnings(document, row, area);
    if (document->flags & DOCUMENT_ENCRYPTED)
        head_line(row++, area, _("Crypt"), ROLE_WARN, _("encrypted: v and | hand the parts to gpg"));
    else if (document->flags & (DOCUMENT_SIGNED | DOCUMENT_INLINE_PGP))
        head_line(row++, area, _("Sign"), ROLE_DIM, _("carries a signature; it was not checked"));
    if (document->flags & DOCUMENT_SUSPICIOUS_LINK)
        head_line(row++, area, "!", ROLE_BAD, _("a link here leads elsewhere than it says"));
    for (guint i = 0; document->notices[i] && i < 3; i++) {
        g_autofree char *safe = text_safe(document->notices[i], -1, TEXT_LINE);
        head_line(row++, area, "!", ROLE_WARN, safe);
    }
    return row;
}

/* ---- the body ---- */

static void
draw_body_line(const struct readview *read, const struct layout_line *line, int row, const struct area *area,
               gboolean found)
{
    const struct listview *list = listview_at_hand(read->view.app);
    const struct hits *hits = list ? list->hits : NULL;
    if (line->rule) {
        draw_rule(row, area->column + 1, MIN(area->columns - 2, LAYOUT_WIDTH_MAX));
        return;
    }
    int column = area->column + 1, end = area->column + area->columns;
    guint at = 0;
    for (guint i = 0; line->spans && i < line->spans->len; i++) {
        const struct layout_span *span = &g_array_index(line->spans, struct layout_span, i);
        g_autofree char *before = g_strndup(line->text + at, span->start - at);
        g_autofree char *marked = g_strndup(line->text + span->start, span->length);
        column += hits_put(hits, row, column, end - column, PLAIN(line->role), PLAIN(ROLE_MATCH), before);
        if (span->link && span->role == ROLE_LINK) {
            const struct document_link *link = g_ptr_array_index(read->document->links, span->link - 1);
            term_link(row, column, end - column, PLAIN(span->role), marked, link->url);
        }
        column += term_put(row, column, end - column, PLAIN(span->role), marked);
        at = span->start + span->length;
    }
    enum role role = found ? ROLE_MATCH : line->role;
    hits_put(hits, row, column, end - column, PLAIN(role), PLAIN(ROLE_MATCH), line->text + at);
    if (line->folded) {
        g_autofree char *key = keymap_key(read->view.app->keymap, command_find("quotes"), IN_READER);
        g_autofree char *hint = g_strdup_printf("  (%s)", key);
        term_put(row, column + width_text(line->text + at), 12, PLAIN(ROLE_ACCENT), hint);
    }
}

void
readview_draw(struct view *view, const struct area *area)
{
    struct readview *read = (struct readview *)view;
    int row = area->row, end = area->row + area->rows;
    gboolean head = area->rows >= 8;
    if (head) {
        row = draw_from(read, row, area);
        row = draw_to(read, row, area);
        row = draw_marks(read, row, area);
        row = MIN(row, area->row + area->rows / 2);
        term_fill(row, area->column, end - row, area->columns, PLAIN(ROLE_TEXT));
        draw_rule(row++, area->column, area->columns);
    }
    read->page = MAX(end - row, 1);
    if (!read->document) {
        struct area rest = {row, area->column, end - row, area->columns};
        if (read->notice)
            draw_notice(&rest, read->notice);
        return;
    }
    lay_out(read, area->columns);
    int n = (int)read->lines->len;
    read->top = CLAMP(read->top, 0, MAX(n - read->page, 0));
    for (int i = 0; i < read->page && read->top + i < n; i++)
        draw_body_line(read, g_ptr_array_index(read->lines, (guint)(read->top + i)), row + i, area,
                       read->top + i == read->found);
}
