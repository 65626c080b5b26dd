#include "config.h"

#include "ui/compose.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/width.h"
#include "ui/app.h"
#include "ui/draw.h"
#include "ui/layout.h"
#include "ui/term.h"
#include "ui/text.h"

#include <string.h>
#include <sys/stat.h>

#define LABEL 10

static int
field(int row, const struct area *area, const char *label, const char *text, enum role role)
{
    term_put(row, area->column + 1, LABEL - 2, PLAIN(ROLE_DIM), label);
    int room = area->columns - LABEL - 1;
    g_autofree char *safe = text_safe(text, -1, TEXT_LINE);
    g_autofree char *cut = width_cut(safe, MAX(room, 1));
    term_put(row, area->column + LABEL, room, PLAIN(role), cut);
    return row + 1;
}

static int
people_field(struct compose *compose, int row, const struct area *area, enum compose_field which,
             const char *label, gboolean always)
{
    GPtrArray *people = compose_field(compose, which);
    compose->field_rows[which] = -1;
    if (!always && !people->len)
        return row;
    compose->field_rows[which] = row;
    g_autofree char *text = address_list_format(people);
    return field(row, area, label, text, ROLE_PEOPLE);
}

static char *
send_text(struct compose *compose)
{
    if (compose->busy)
        return g_strdup(_("being built …"));
    if (compose->send_at) {
        g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(compose->send_at);
        g_autofree char *time = when ? g_date_time_format(when, "%a %e %b %H:%M") : g_strdup("");
        return g_strdup_printf(_("%s (Y changes it)"), time);
    }
    int seconds = compose->view.app->config->undo_send;
    if (seconds > 0)
        return g_strdup_printf(ngettext("now, and for %d second u takes it back",
                                        "now, and for %d seconds u takes it back", (gulong)seconds),
                               seconds);
    return g_strdup(_("now"));
}

static guint64
attachment_size(const struct draft_attachment *attachment)
{
    if (attachment->bytes)
        return g_bytes_get_size(attachment->bytes);
    struct stat info;
    return attachment->path && stat(attachment->path, &info) == 0 ? (guint64)info.st_size : 0;
}

static char *
files_text(const struct draft *draft)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < draft->attachments->len; i++) {
        const struct draft_attachment *attachment = g_ptr_array_index(draft->attachments, i);
        g_autofree char *base = attachment->path ? g_path_get_basename(attachment->path) : NULL;
        const char *name = attachment->name   ? attachment->name
                           : base             ? base
                           : attachment->type ? attachment->type
                                              : "?";
        g_autofree char *size = text_size(attachment_size(attachment));
        g_string_append_printf(out, "%s[%u] %s  %s", i ? "   " : "", i + 1, name, size);
    }
    return g_string_free(out, FALSE);
}

static enum role
body_role(const char *line, gboolean *signature)
{
    if (!strcmp(line, "-- "))
        *signature = TRUE;
    if (*signature)
        return ROLE_SIGNATURE;
    guint depth = 0;
    for (const char *p = line; *p == '>' || *p == ' '; p++)
        depth += *p == '>';
    return depth ? (enum role)(ROLE_QUOTE1 + (depth - 1) % 4) : ROLE_TEXT;
}

static void
draw_body(struct compose *compose, const struct area *area)
{
    if (!compose->body_lines || compose->body_width != area->columns) {
        if (compose->body_lines)
            g_ptr_array_unref(compose->body_lines);
        compose->body_lines = layout_text(compose->draft->body, MIN(area->columns - 2, LAYOUT_WIDTH_MAX));
        compose->body_width = area->columns;
    }
    int n = (int)compose->body_lines->len;
    compose->body_page = MAX(area->rows, 1);
    compose->body_top = CLAMP(compose->body_top, 0, MAX(n - area->rows, 0));
    gboolean signature = FALSE;
    if (!n) {
        g_autofree char *key = keymap_key(compose->view.app->keymap, command_find("edit"), IN_COMPOSER);
        g_autofree char *hint = g_strdup_printf(_("(no text yet: %s writes it)"), key);
        term_put(area->row, area->column + 1, area->columns - 2, PLAIN(ROLE_DIM), hint);
    }
    for (int i = 0; i < n && i < compose->body_top + area->rows; i++) {
        const struct layout_line *line = g_ptr_array_index(compose->body_lines, (guint)i);
        enum role role = body_role(line->text, &signature);
        if (i >= compose->body_top)
            term_put(area->row + i - compose->body_top, area->column + 1, area->columns - 1, PLAIN(role),
                     line->text);
    }
}

static int
draw_checks(struct compose *compose, int row, int end, const struct area *area)
{
    for (guint i = 0; compose->checks && i < compose->checks->len && row < end; i++) {
        const struct compose_check *check = g_ptr_array_index(compose->checks, i);
        g_autofree char *text = g_strdup_printf("%s %s", check->warning ? "!" : "✔", check->text);
        row = field(row, area, i ? "" : _("Checks"), text, check->warning ? ROLE_WARN : ROLE_GOOD);
    }
    return row;
}

void
compose_draw(struct view *view, const struct area *area)
{
    struct compose *compose = (struct compose *)view;
    const struct draft *draft = compose->draft;
    compose->area = *area;
    int row = area->row;
    row = people_field(compose, row, area, FIELD_TO, _("To"), TRUE);
    row = people_field(compose, row, area, FIELD_CC, _("Cc"), area->rows > 12);
    row = people_field(compose, row, area, FIELD_BCC, _("Bcc"),
                       compose->view.app->prompt && compose->field_rows[FIELD_BCC] >= 0);
    compose->field_rows[FIELD_SUBJECT] = row;
    row = field(row, area, _("Subject"), draft->subject, ROLE_BOLD);
    if (draft->reply_to->len) {
        g_autofree char *text = address_list_format(draft->reply_to);
        row = field(row, area, _("Reply-To"), text, ROLE_PEOPLE);
    }
    if (area->rows > 12) {
        g_autofree char *send = send_text(compose);
        row = field(row, area, _("Send"), send, ROLE_DIM);
    }
    draw_rule(row++, area->column, area->columns);
    /* From below: checks, files, a rule; the text has what is left. */
    int checks = compose->checks ? (int)MIN(compose->checks->len, 4) : 0;
    int foot = checks + (draft->attachments->len ? 1 : 0);
    int end = area->row + area->rows;
    int body_end = MAX(end - foot - (foot ? 1 : 0), row + 1);
    struct area body = {row, area->column, MAX(body_end - row, 1), area->columns};
    draw_body(compose, &body);
    if (!foot)
        return;
    draw_rule(body_end++, area->column, area->columns);
    if (draft->attachments->len) {
        g_autofree char *files = files_text(draft);
        body_end = field(body_end, area, _("Files"), files, ROLE_ACCENT);
    }
    draw_checks(compose, body_end, end, area);
}
