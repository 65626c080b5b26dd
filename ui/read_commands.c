#include "config.h"

#include "base/text.h"
#include "mail/reader.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/parts.h"
#include "ui/readview.h"
#include "ui/spawn.h"
#include "ui/text.h"
#include "ui/textview.h"

#include <string.h>

static struct readview *
at_hand(struct app *app)
{
    struct view *top = app_top(app);
    return top->class == &read_class ? (struct readview *)top : NULL;
}

static void
step(struct app *app, int direction)
{
    struct readview *read = at_hand(app);
    if (read && !readview_step(read, direction))
        app_say(app, direction > 0 ? _("this is the last message") : _("this is the first message"));
}

void
command_next_message(struct app *app, const char *argument G_GNUC_UNUSED)
{
    step(app, 1);
}

void
command_previous_message(struct app *app, const char *argument G_GNUC_UNUSED)
{
    step(app, -1);
}

void
command_read_on(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct readview *read = at_hand(app);
    int n = read && read->lines ? (int)read->lines->len : 0;
    if (read && read->top + read->page >= n)
        step(app, 1);
    else
        command_page_down(app, NULL);
}

void
command_quotes(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct readview *read = at_hand(app);
    if (!read)
        return;
    read->folded = !read->folded;
    read->width = 0; /* laid out again, the top line stays */
    read->found = -1;
}

void
command_headers(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct readview *read = at_hand(app);
    if (!read)
        return;
    read->all_headers = !read->all_headers;
    read->top = 0;
    readview_relayout(read);
}

static gboolean
has_html(const struct document *document)
{
    for (guint i = 0; document && i < document->parts->len; i++)
        if (!g_ascii_strcasecmp(((const struct document_part *)document->parts->pdata[i])->type, "text/html"))
            return TRUE;
    return FALSE;
}

void
command_html(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct readview *read = at_hand(app);
    if (!read || !read->bytes)
        return;
    if (!(read->want & READER_HTML) && !has_html(read->document)) {
        app_say(app, _("this message has no HTML"));
        return;
    }
    read->want ^= READER_HTML;
    readview_load(read);
    app_say(app, "%s",
            read->want & READER_HTML ? _("the HTML")
                                     : _("the plain text, where there is one"));
}

/* ---- links ---- */

static void
follow(struct app *app, struct readview *read, guint number)
{
    const struct document_link *link = document_link_numbered(read->document, number);
    if (read->bytes && document_attachment(read->document, number)) {
        parts_open_attachment(app, read->message, read->document, read->bytes, number);
        return;
    }
    if (!link) {
        app_say(app, _("there is no link or attachment %u here"), number);
        return;
    }
    if (link->suspicious) {
        app_warn(app, _("not opened: %s. Ctrl-B shows where it leads."), link->reason);
        return;
    }
    if (*link->reason)
        app_say(app, "%s", link->reason);
    spawn_browser(app, link->url);
}

static void
number_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct readview *read = at_hand(app);
    if (!text || !*text || !read || !read->document)
        return;
    char *end = NULL;
    guint64 number = g_ascii_strtoull(text, &end, 10);
    if (*end || !number || number > 100000)
        app_say(app, _("a number: those in brackets are links and attachments"));
    else
        follow(app, read, (guint)number);
}

void
command_open_link(struct app *app, const char *argument)
{
    struct readview *read = at_hand(app);
    if (!read || !read->document)
        return;
    if (argument) {
        number_typed(app, argument, NULL);
        return;
    }
    char text[] = {app->last_key >= '1' && app->last_key <= '9' ? (char)app->last_key : 0, 0};
    struct prompt_spec spec = {.label = _("Open number: "), .text = text, .done = number_typed};
    prompt_line(app, &spec);
}

static GPtrArray *
complete_link(struct app *app, const char *text, gsize cursor G_GNUC_UNUSED, gsize *from G_GNUC_UNUSED,
              gsize *to G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
    GPtrArray *result = candidates_new();
    struct readview *read = at_hand(app);
    g_autofree char *needle = text_fold(text);
    for (guint i = 0; read && read->document && i < read->document->links->len; i++) {
        const struct document_link *link = g_ptr_array_index(read->document->links, i);
        g_autofree char *url = text_safe(link->url, -1, TEXT_LINE);
        g_autofree char *words = text_safe(link->text, -1, TEXT_LINE);
        g_autofree char *label =
            g_strdup_printf("[%u] %s%s", link->number, link->suspicious ? "! " : "", url);
        g_autofree char *folded = g_strdup_printf("%s %s", label, words);
        g_autofree char *hay = text_fold(folded);
        g_autofree char *number = g_strdup_printf("%u", link->number);
        if (strstr(hay, needle))
            g_ptr_array_add(result, candidate_new(number, label, *link->reason ? link->reason : words));
    }
    return result;
}

static void
link_chosen(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct readview *read = at_hand(app);
    if (!text || !read || !read->document)
        return;
    const struct document_link *link =
        document_link_numbered(read->document, (guint)g_ascii_strtoull(text, NULL, 10));
    if (link) /* its address was on the screen: a doubtful one is opened too */
        spawn_browser(app, link->url);
}

void
command_links(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct readview *read = at_hand(app);
    if (!read || !read->document || !read->document->links->len) {
        app_say(app, _("no links here"));
        return;
    }
    struct prompt_spec spec = {
        .label = _("Link: "), .list = TRUE, .complete = complete_link, .done = link_chosen};
    prompt_line(app, &spec);
}

/* ---- finding in the text ---- */

static gboolean
find_next(struct readview *read)
{
    int n = read->lines ? (int)read->lines->len : 0;
    for (int i = 1; read->needle && *read->needle && i <= n; i++) {
        int at = (read->found + i + n) % n;
        g_autofree char *folded =
            text_fold(((struct layout_line *)g_ptr_array_index(read->lines, (guint)at))->text);
        if (strstr(folded, read->needle)) {
            read->found = at;
            if (at < read->top || at >= read->top + read->page)
                read->top = MAX(at - read->page / 3, 0);
            return TRUE;
        }
    }
    return FALSE;
}

static void
find_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct view *top = app_top(app);
    if (!text || !*text)
        return;
    if (top->class == &read_class) {
        struct readview *read = (struct readview *)top;
        g_free(read->needle);
        read->needle = text_fold(text);
        read->found = read->top - 1;
    } else if (top->class == &text_class) {
        textview_find(top, text);
    }
    command_find_text_next(app, NULL);
}

void
command_find_text(struct app *app, const char *argument)
{
    if (argument) {
        find_typed(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Find: "), .history = "find", .done = find_typed};
    prompt_line(app, &spec);
}

void
command_find_text_next(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct view *top = app_top(app);
    gboolean found = FALSE;
    if (top->class == &read_class)
        found = find_next((struct readview *)top);
    else if (top->class == &text_class)
        found = textview_find_next(top);
    if (!found)
        app_say(app, _("not found (folded quotes are not searched: T opens them)"));
}
