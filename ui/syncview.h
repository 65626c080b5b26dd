/* syncview.h - inside ui/: the sync room, shared by its files
 *
 * A row for each account and for each of its folders that is kept here. What it shows lies in the store
 * (store/standing.h, store/history.h); what goes on at the moment comes from the engine (link.h) when it is drawn.
 */
#ifndef UI_SYNCVIEW_H
#define UI_SYNCVIEW_H

#include "store/account.h"
#include "store/history.h"
#include "store/standing.h"
#include "ui/view.h"

struct syncrow {
    struct store_account *account; /* borrowed */
    struct folder *folder;         /* borrowed; NULL: the account itself */
    const struct pending *pending; /* borrowed; NULL: none */
    enum standing standing;        /* of a folder */
    gboolean paused;               /* the account */
    char *watch;                   /* of an account: how news comes, "IDLE"; NULL: unknown */
    struct history_total total;    /* of the folder, or the whole account */
};

struct syncview {
    struct view view;
    GPtrArray *accounts, *folders; /* of struct store_account, of struct folder */
    GHashTable *pending;
    GArray *rows; /* of struct syncrow */
    int cursor, top, page;
};

extern const struct view_class sync_class;

/* NULL when another view is on top, or there is no row. */
struct syncview *syncview_at_hand(struct app *app);
const struct syncrow *syncview_row(const struct syncview *view);

void syncview_draw(struct view *view, const struct area *area);

/* NULL when the account is not in the configuration. */
const struct keep *syncview_policy(const struct app *app, const struct folder *folder);
/* What the account is doing, or why not, with the remedy; *role receives how that looks. New string. */
char *syncview_account_state(struct app *app, const struct syncrow *row, guint *role);
/* The same of a folder: its word, its progress, or what is wrong. */
char *syncview_folder_state(struct app *app, const struct syncrow *row, guint *role);
/* A value of the server's description (history_server()): "name" -> "Dovecot"; NULL when it is not in it. */
char *syncview_server_value(const char *text, const char *name);

#endif
