/* readview.h - reading one message
 *
 * Inside ui/: read.c is the view and what it loads, read_draw.c its lines, read_commands.c what is done in
 * it.
 */
#ifndef UI_READVIEW_H
#define UI_READVIEW_H

#include "mail/document.h"
#include "store/message.h"
#include "ui/layout.h"
#include "ui/view.h"

struct readview {
    struct view view;
    gint64 message;            /* 0: a file of its own (-f FILE.eml, a message inside a message) */
    struct message *row;       /* what the store says; NULL for a file */
    GBytes *bytes;             /* NULL before they are here */
    GBytes *excerpt;           /* of a large message, before it is here: what is shown meanwhile, and nothing else */
    struct document *document; /* NULL before it was read */
    guint request;             /* of the reader, 0: none */
    guint want;                /* enum reader_want */
    char *notice;              /* "being fetched …", or why it cannot be shown */
    gboolean waiting;          /* for its body … */
    char *refusal;             /* … which could not be fetched: why; asked for again when the line is back */
    char *verdict;             /* who vouches for the sender; NULL: no own server looked */
    guint verdict_role;
    struct contact *contact; /* of the sender; NULL: not known */
    gboolean contact_loaded;
    char *warnings; /* about the sender, a line each; "" or NULL: none */
    GArray *thread;  /* of gint64: the messages of the conversation, in order */
    gboolean folded; /* quotes */
    gboolean all_headers;
    GPtrArray *lines;     /* of struct layout_line; NULL: to be made */
    int width, top, page; /* of the lines */
    char *needle;         /* searched for */
    int found;            /* line of the last match, -1 */
    char *label;          /* of a file: its name */
};

extern const struct view_class read_class;

/* Opens a message of the store above the list. thread 0: its own. */
void readview_open(struct app *app, gint64 message);
void readview_open_bytes(struct app *app, GBytes *bytes, const char *label);
void readview_show(struct readview *read, gint64 message);
void readview_load(struct readview *read); /* parse again with read->want */

/* read_wait.c: the message's text is not here: asks for it, and says in read->notice how that goes. */
void readview_wait(struct readview *read);
void readview_tell_wait(struct readview *read); /* once more, what is said */
/* The engine's word: it could not be had. The line changed: what is said, and asked for, follows. */
void read_fetch_failed(struct app *app, gint64 message, const char *why);
void read_line_changed(struct app *app, gboolean anew); /* anew: another engine, that was not asked yet */

GArray *readview_targets(struct view *view);
/* The message is about to go: show the next one, or go back to the list. */
void readview_leave_message(struct view *view);
/* To the next or previous message: of the conversation, then of the list. FALSE at the end. */
gboolean readview_step(struct readview *read, int step);

void readview_draw(struct view *view, const struct area *area);
void readview_relayout(struct readview *read);

/* The document behind the message at hand: of the reader on top, else read from the store. `then` runs at
 * once or soon, never after the view it belongs to has gone; document and bytes are borrowed during the call.
 */
typedef void (*with_document)(struct app *app, gint64 message, const struct document *document, GBytes *bytes,
                              gpointer data);
void read_document(struct app *app, gint64 message, with_document then, gpointer data,
                   GDestroyNotify destroy);

#endif
