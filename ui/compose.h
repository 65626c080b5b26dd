/* compose.h - writing a message: the form, the text, attachments, checks, sending, drafts
 *
 * compose.c is the view and its draft, compose_draw.c draws the form, compose_commands.c are its keys,
 * compose_send.c builds, queues and postpones, compose_edit.c hands the text to an editor, compose_check.c
 * looks for slips. A message that is being written is kept in the store every few seconds (store/autosave.h).
 */
#ifndef UI_COMPOSE_H
#define UI_COMPOSE_H

#include "config/config.h"
#include "mail/draft.h"
#include "ui/view.h"

#define AUTOSAVE_SECONDS 5

struct keeping;

struct compose {
    struct view view;
    struct draft *draft;
    const struct account *account; /* of the configuration; NULL: none is there */
    gint64
        recalled; /* message id of the postponed draft it came from: goes when it is sent or postponed anew */
    gint64 answers; /* message id that it answers or forwards */
    guint answer_flag;
    gint64 autosave;         /* row of the store, 0: none yet */
    struct keeping *keeping; /* an autosave on its way to the store, or NULL */
    gint64 saved_at;         /* seconds; 0: never */
    gboolean touched;        /* changed since the last autosave */
    gboolean changed;        /* by the user at all */
    guint timer;
    GPtrArray *checks;     /* of struct compose_check */
    GPtrArray *body_lines; /* of struct layout_line: the preview */
    int body_width, body_top, body_page;
    int field_rows[4]; /* where To, Cc, Bcc, Subject stand; -1: not shown */
    struct area area;
    gint64 send_at;
    gboolean busy;     /* is being built or sent: no second y */
    char *edit_path;   /* of the file in the editor */
    char *edit_before; /* its text when it was handed over */
    gboolean edit_headers;
    gboolean fresh; /* the editor opens by itself, and an unchanged text ends the message */
};

enum compose_field { FIELD_TO, FIELD_CC, FIELD_BCC, FIELD_SUBJECT };

struct compose_check {
    gboolean warning;
    char *text;
};

extern const struct view_class compose_class;

struct compose *compose_at_hand(struct app *app);

/* Opens the composer; takes the draft. `edit`: straight into the editor, as mutt does, when recipients are
 * known; else it asks for them first. */
struct compose *compose_open(struct app *app, struct draft *draft, gboolean edit);
/* A draft file of the command line. */
void compose_open_file(struct app *app, const char *path, gboolean temporary);
/* Message bytes taken back from the outbox or the Drafts folder. */
void compose_recall_bytes(struct app *app, GBytes *bytes);
void compose_recall_message(struct app *app, gint64 message);

/* After any change. */
void compose_changed(struct compose *compose);
/* From: the account's address, unless the draft has one. */
void compose_set_account(struct compose *compose, const struct account *account);
/* "Ana <ana@…>": own addresses of all accounts, preferred first: those of the account that `message` came from (0: none).
 * Of struct address. */
GPtrArray *compose_own_addresses(struct app *app, gint64 message);
GPtrArray *compose_field(struct compose *compose, enum compose_field field);

/* compose_check.c */
GPtrArray *compose_check(struct app *app, const struct draft *draft);
/* The text speaks of an attachment? Pure. */
gboolean compose_mentions_attachment(const char *body);

/* The questions before the text of a new message: recipients, subject, then the editor. */
void compose_next_question(struct compose *compose);

/* compose_edit.c */
void compose_edit(struct compose *compose, gboolean headers);
/* compose_send.c */
void compose_send(struct compose *compose);
void compose_postpone(struct compose *compose);
void compose_autosave(struct compose *compose);
/* The screen ends: what stands there now, also when an autosave is on its way. */
void compose_keep_last(struct compose *compose);
void compose_drop_autosave(struct compose *compose);
void compose_forget_autosave(struct compose *compose);
/* "8:00", "tomorrow 9:00", "2 h", "fri": seconds since 1970, 0 when it makes no sense. Pure. */
gint64 compose_parse_time(const char *text, gint64 now);
/* compose_draw.c */
void compose_draw(struct view *view, const struct area *area);

#endif
