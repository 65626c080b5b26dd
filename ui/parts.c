#include "config.h"

#include "ui/parts.h"

#include "base/error.h"
#include "base/paths.h"
#include "base/text.h"
#include "base/width.h"
#include "mail/attachment.h"
#include "mail/reader.h"
#include "trust/virus.h"
#include "ui/app.h"
#include "ui/commands.h"
#include "ui/draw.h"
#include "ui/prompt.h"
#include "ui/readview.h"
#include "ui/savefile.h"
#include "ui/spawn.h"
#include "ui/term.h"
#include "ui/text.h"
#include "ui/textview.h"
#include "ui/viewer.h"

#include <string.h>

#define HELD_WORD "open" /* to be typed; not translated: it is a password of a kind */

struct partsview {
    struct view view;
    gint64 id; /* of the message; 0: it is not in the store */
    struct document *document;
    GBytes *bytes;
    int cursor, top, page;
};

static const struct view_class parts_class;

static struct partsview *
at_hand(struct app *app)
{
    return app_top(app)->class == &parts_class ? (struct partsview *)app_top(app) : NULL;
}

static const struct document_part *
current(const struct partsview *parts)
{
    return document_part(parts->document, (guint)parts->cursor + 1);
}

static guint
depth_of(const struct document *document, const struct document_part *part)
{
    guint depth = 0;
    while (part && part->parent && depth < 50) {
        part = document_part(document, part->parent);
        depth++;
    }
    return depth;
}

static void
draw(struct view *view, const struct area *area)
{
    struct partsview *parts = (struct partsview *)view;
    int n = (int)parts->document->parts->len;
    parts->page = area->rows;
    rows_clamp(n, area->rows, &parts->cursor, &parts->top);
    for (int i = 0; i < area->rows && parts->top + i < n; i++) {
        const struct document_part *part = g_ptr_array_index(parts->document->parts, (guint)(parts->top + i));
        enum ground ground = parts->top + i == parts->cursor ? GROUND_CURSOR : GROUND_PLAIN;
        int row = area->row + i, column = area->column, end = area->column + area->columns;
        g_autofree char *number = part->number ? g_strdup_printf("[%u]", part->number) : g_strdup("");
        g_autofree char *size = text_size(part->size);
        g_autofree char *fit = width_fit_right(size, 9);
        g_autofree char *type = text_safe(part->type, -1, TEXT_LINE);
        g_autofree char *name = text_safe(part->filename, -1, TEXT_LINE);
        g_autofree char *about = text_safe(part->description, -1, TEXT_LINE);
        int indent = (int)depth_of(parts->document, part) * 2;
        term_fill(row, column, 1, area->columns, STYLE_ON(ROLE_TEXT, ground));
        term_put(row, column + 1, 5, STYLE_ON(ROLE_ACCENT, ground), number);
        term_put(row, column + 6, 9, STYLE_ON(ROLE_DIM, ground), fit);
        term_put(row, column + 17 + indent, 30,
                 STYLE_ON(part->flags & PART_CONTAINER ? ROLE_DIM : ROLE_TEXT, ground), type);
        int at = column + 17 + MAX(30, indent + width_text(type) + 2);
        if (part->marks & ATTACHMENT_WARNS)
            at += term_put(row, at, end - at, STYLE_ON(ROLE_BAD, ground), "! ");
        at += term_put(row, at, end - at, STYLE_ON(ROLE_PEOPLE, ground), name);
        if (*about && strcmp(about, name) != 0)
            term_put(row, at + 2, end - at - 2, STYLE_ON(ROLE_DIM, ground), about);
    }
}

static char *
title(struct view *view)
{
    struct partsview *parts = (struct partsview *)view;
    g_autofree char *subject = text_safe(parts->document->envelope->subject, -1, TEXT_LINE);
    return g_strdup_printf(_("Parts of \"%s\""), subject);
}

static void
bottom(struct view *view, const struct area *line)
{
    static const char *const hints[] = {
        "open-part", N_("open"), "save-part", N_("save"), "save-attachments", N_("save all"), "pipe-part",
        N_("pipe"),  "back",     N_("back"),  NULL};
    draw_hints(view->app, line->row, line, IN_PARTS, hints, NULL);
}

static gboolean
move(struct view *view, int how)
{
    struct partsview *parts = (struct partsview *)view;
    rows_move(how, (int)parts->document->parts->len, parts->page, &parts->cursor, &parts->top);
    return TRUE;
}

static void
parts_free(struct view *view)
{
    struct partsview *parts = (struct partsview *)view;
    document_free(parts->document);
    g_bytes_unref(parts->bytes);
    g_free(parts);
}

static const struct view_class parts_class = {
    .context = IN_PARTS,
    .draw = draw,
    .title = title,
    .bottom = bottom,
    .move = move,
    .free = parts_free,
};

static void
open_parts(struct app *app, gint64 message, const struct document *document, GBytes *bytes,
           gpointer data G_GNUC_UNUSED)
{
    g_autoptr(GVariant) value = g_variant_ref_sink(document_to_variant(document));
    struct document *copy = document_from_variant(value, NULL);
    if (!copy)
        return;
    struct partsview *parts = g_new0(struct partsview, 1);
    parts->view.class = &parts_class;
    parts->id = message;
    parts->document = copy;
    parts->bytes = g_bytes_ref(bytes);
    for (guint i = 0; i < copy->parts->len; i++) { /* the cursor begins on the first attachment */
        if (((struct document_part *)g_ptr_array_index(copy->parts, i))->number == 1)
            parts->cursor = (int)i;
    }
    app_push(app, &parts->view);
}

void
command_parts(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct view *top = app_top(app);
    if (top->class == &read_class && ((struct readview *)top)->document && ((struct readview *)top)->bytes) {
        struct readview *read = (struct readview *)top;
        open_parts(app, read->message, read->document, read->bytes, NULL);
        return;
    }
    g_autoptr(GArray) messages = app_targets(app);
    if (messages->len)
        read_document(app, g_array_index(messages, gint64, 0), open_parts, NULL, NULL);
}

/* ---- what is done with the bytes of a part ---- */

enum use { USE_OPEN, USE_SAVE, USE_PIPE };

struct using
{
    struct app *app;
    enum use use;
    char *name, *type, *target; /* path or command */
    GBytes *message;
    guint n;
};

static void
using_free(gpointer data)
{
    struct using *using = data;
    g_free(using->name);
    g_free(using->type);
    g_free(using->target);
    g_bytes_unref(using->message);
    g_free(using);
}

static void
use_bytes(GBytes *bytes, const GError *error, gpointer data)
{
    struct using *using = data;
    struct app *app = using->app;
    if (!bytes) {
        app_warn(app, _("the part cannot be read: %s"), error->message);
        return;
    }
    gsize length;
    const void *content = g_bytes_get_data(bytes, &length);
    if (using->use == USE_PIPE) {
        const char *argv[] = {"sh", "-c", using->target, NULL};
        spawn_filter(app, argv, bytes, using->target);
    } else if (using->use == USE_SAVE) {
        savefile(app, using->target, using->name, content, length);
    } else if (!strcmp(using->type, "message/rfc822")) {
        readview_open_bytes(app, bytes, using->name);
    } else {
        viewer_open(app, using->type, using->name, bytes);
    }
    g_bytes_unref(bytes);
}

static void
start_using(struct using *using)
{
    reader_part_async(using->app->reader, using->message, using->n, use_bytes, using, using_free);
}

static void
agreed(struct app *app, const char *text, gpointer data)
{
    struct using **using = data;
    if (text && !strcmp(text, HELD_WORD))
        start_using(g_steal_pointer(using));
    else if (text)
        app_say(app, _("nothing was done"));
}

static void
unwanted(gpointer data)
{
    struct using **using = data;
    if (*using)
        using_free(*using);
    g_free(using);
}

/* A virus was found in the message: one key more or less must not be enough. */
static void
use_held(struct using *using)
{
    struct using **kept = g_new(struct using *, 1);
    g_autofree char *label = g_strdup_printf(_("A virus is in this message. Type \"%s\" to go on: "), HELD_WORD);
    *kept = using;
    struct prompt_spec spec = {.label = label, .done = agreed, .data = kept, .destroy = unwanted};
    prompt_line(using->app, &spec);
}

static void
open_anyway(struct app *app G_GNUC_UNUSED, gpointer data)
{
    struct using **using = data;
    start_using(g_steal_pointer(using));
}

/* What is wrong with it is said before another program gets it. */
static void
use_warned(struct using *using, const char *words)
{
    struct using **kept = g_new(struct using *, 1);
    g_autofree char *name = text_safe(using->name, -1, TEXT_LINE);
    g_autofree char *question = g_strdup_printf(_("%s: %s. Open it?"), name, words);
    *kept = using;
    prompt_confirm(using->app, question, open_anyway, kept, unwanted);
}

static void
use_part(struct app *app, gint64 id, const struct document_part *part, GBytes *message, enum use use, const char *target)
{
    g_autofree char *virus = virus_held(app->store, id);
    struct using *using = g_new0(struct using, 1);
    using->app = app;
    using->use = use;
    using->name = document_part_filename(part);
    using->type = g_strdup(part->type);
    using->target = g_strdup(target);
    using->message = g_bytes_ref(message);
    using->n = part->n;
    g_autofree char *words =
        use == USE_OPEN ? attachment_words(part->marks & ATTACHMENT_WARNS, part->inside) : NULL;
    if (virus)
        use_held(using);
    else if (words)
        use_warned(using, words);
    else
        start_using(using);
}

/* Text is shown here, as the reader makes it readable. */
static void
show_text(struct app *app, const struct document_part *part, GBytes *message)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = reader_part_text(app->reader, message, part->n, &error);
    g_autofree char *name = document_part_filename(part);
    if (text)
        textview_open(app, name, text);
    else
        app_error(app, _("the part cannot be read"), g_steal_pointer(&error));
}

static void
open_one(struct app *app, gint64 id, const struct document_part *part, GBytes *message)
{
    if (!part)
        return;
    if (g_str_has_prefix(part->type, "multipart/"))
        app_say(app, _("this holds the parts below it"));
    else if (!strcmp(part->type, "text/plain") || !strcmp(part->type, "text/html") ||
             !strcmp(part->type, "text/calendar"))
        show_text(app, part, message);
    else
        use_part(app, id, part, message, USE_OPEN, NULL);
}

void
parts_open_attachment(struct app *app, gint64 message, const struct document *document, GBytes *bytes, guint number)
{
    open_one(app, message, document_attachment(document, number), bytes);
}

void
command_open_part(struct app *app, const char *argument G_GNUC_UNUSED)
{
    struct partsview *parts = at_hand(app);
    if (parts)
        open_one(app, parts->id, current(parts), parts->bytes);
}

static void
save_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct partsview *parts = at_hand(app);
    if (text && *text && parts)
        use_part(app, parts->id, current(parts), parts->bytes, USE_SAVE, text);
}

void
command_save_part(struct app *app, const char *argument)
{
    struct partsview *parts = at_hand(app);
    if (!parts)
        return;
    if (argument) {
        save_typed(app, argument, NULL);
        return;
    }
    g_autofree char *name = document_part_filename(current(parts));
    g_autofree char *directory = savefile_directory();
    g_autofree char *path = g_build_filename(directory, name, NULL);
    struct prompt_spec spec = {
        .label = _("Save to: "), .text = path, .complete = savefile_complete, .done = save_typed};
    prompt_line(app, &spec);
}

static void
pipe_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct partsview *parts = at_hand(app);
    if (text && *text && parts)
        use_part(app, parts->id, current(parts), parts->bytes, USE_PIPE, text);
}

void
command_pipe_part(struct app *app, const char *argument)
{
    if (argument) {
        pipe_typed(app, argument, NULL);
        return;
    }
    struct prompt_spec spec = {.label = _("Pipe part to command: "), .history = "shell", .done = pipe_typed};
    prompt_line(app, &spec);
}

static void
save_all_typed(struct app *app, const char *text, gpointer data G_GNUC_UNUSED)
{
    struct view *top = app_top(app);
    const struct document *document = NULL;
    GBytes *bytes = NULL;
    gint64 id = 0;
    if (top->class == &parts_class) {
        id = ((struct partsview *)top)->id;
        document = ((struct partsview *)top)->document;
        bytes = ((struct partsview *)top)->bytes;
    } else if (top->class == &read_class) {
        id = ((struct readview *)top)->message;
        document = ((struct readview *)top)->document;
        bytes = ((struct readview *)top)->bytes;
    }
    if (!text || !*text || !document)
        return;
    g_autofree char *virus = virus_held(app->store, id);
    if (virus) {
        app_warn(app, _("a virus is in this message (%s): save its parts one by one, in the list of parts"), virus);
        return;
    }
    g_autofree char *expanded = paths_expand(text);
    g_autofree char *directory = g_strconcat(expanded, "/", NULL);
    guint n = 0;
    for (guint i = 0; i < document->parts->len; i++) {
        const struct document_part *part = g_ptr_array_index(document->parts, i);
        if (!part->number)
            continue;
        use_part(app, id, part, bytes, USE_SAVE, directory);
        n++;
    }
    if (!n)
        app_say(app, _("no attachments here"));
}

void
command_save_all_parts(struct app *app, const char *argument)
{
    if (argument) {
        save_all_typed(app, argument, NULL);
        return;
    }
    g_autofree char *directory = savefile_directory();
    struct prompt_spec spec = {.label = _("Save all attachments into: "),
                               .text = directory,
                               .complete = savefile_complete,
                               .done = save_all_typed};
    prompt_line(app, &spec);
}
