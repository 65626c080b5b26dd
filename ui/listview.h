/* listview.h - the list of conversations or messages: a folder, several as one, or what a search found
 *
 * Inside ui/: list.c moves, list_draw.c draws, list_show.c says what is listed, list_lines.c makes lines of rows, list_commands.c acts, list_search.c
 * finds. The reader asks it for the next message.
 */
#ifndef UI_LISTVIEW_H
#define UI_LISTVIEW_H

#include "ui/rowset.h"
#include "ui/view.h"

enum list_line_kind { LIST_LINE_GROUP, LIST_LINE_ROW, LIST_LINE_TREE };

struct list_line {
    enum list_line_kind kind;
    struct list_row *row;    /* borrowed from the rowset; NULL for a group */
    const char *group;       /* its name, or the tree's prefix (owned by the line when LIST_LINE_TREE) */
    struct list_row *parent; /* of a tree line: the conversation's row */
};

struct listview {
    struct view view;
    struct rowset *set;
    struct hits *hits;   /* the words of the search that is shown, or NULL */
    GHashTable *snippets;   /* list_snippets.c: the text around them, by the rows' keys; "": none. NULL: not of this list */
    GArray *snippets_asked; /* of gint64: keys that are being looked for */
    struct hits *snippets_hits;
    struct list_server *server; /* list_server.c: what the servers found; NULL: they were not asked */
    gboolean server_wanted;     /* they are to be asked when this search is shown */
    struct rowset *next; /* a search whose first rows are being looked for */
    enum list_finding {
        FINDING_FIRST,
        FINDING_AGAIN,
        FINDING_BEHIND,
        FINDING_BEFORE,
        FINDING_END,
        FINDING_COUNT
    } finding;
    guint finding_limit;
    gboolean stale;            /* the store changed while it was being looked for */
    GArray *lines;             /* of struct list_line */
    int cursor, top, page;     /* in lines; page: lines seen at the last draw */
    GHashTable *marks;         /* of rowset_id() */
    GArray *account_marks;     /* accounts.h: which letter an account has */
    char *name;                /* folder, or the query as it was typed */
    char *account;             /* NULL: of several */
    gint64 account_id, folder; /* 0: none at hand */
    guint role;                /* of the folder */
    char *limit;               /* the query that limits it, as typed; NULL: none */
    GPtrArray *chips;          /* list_chips.c: the conditions of both */
    gboolean search;           /* results of a search */
    gboolean conversations;
    gint64 count;
    gboolean count_exact;
    gint64 unread;
    enum order_by by;  /* wanted; the set has what is shown */
    GPtrArray *splits; /* list_split.c: of struct order; NULL: not known yet, or none */
    guint split;       /* the tab that is shown, from 1; 0: all of it */
    int tabs;          /* lines that they, or the chips, took at the last draw */
    gboolean reverse, sort_stale;
    gint64 sorted_at, sort_taken; /* microseconds */
    guint sort_timer;
    int side_width;          /* of the side bar, at the last draw */
    struct sidebar *sidebar; /* only of the bottom list */
    char *problem;           /* why it could not be read */
    gint64 wanted;           /* a message to put the cursor on when it appears */
    gint64 marked_from;      /* id where a mark run began */
    char *needle;            /* what / looked for last: n goes on */
};

extern const struct view_class list_class;

struct listview *listview_new(struct app *app);
void listview_show_folder(struct listview *list, gint64 folder);
/* All folders of a role as one: the INBOXes of all accounts. */
void listview_show_role(struct listview *list, guint role);
/* A search everywhere; takes the query. */
void listview_show_query(struct listview *list, struct query *query, const char *text);
/* Of what is listed, a search or a folder, only what fits this too; it takes the place of the limit before. */
void listview_show_limit(struct listview *list, struct query *query, const char *text);
/* All of it again. */
void listview_show_all(struct listview *list);
/* What a session begins with: all INBOXes as one, or the first. */
void listview_show_start(struct listview *list);
/* An entry of the side bar, and the one that is shown. */
struct sidebar_target;
void listview_go(struct listview *list, const struct sidebar_target *target);
struct sidebar_target listview_target(const struct listview *list);
void listview_follow(struct listview *list); /* the folders of a role, as they are now */
void listview_count(struct listview *list);  /* anew; of several folders in the background */
void list_marks_read(struct listview *list); /* the letters of the accounts, where there are several */
/* Where its messages are taken from: `from` of store/intent.h. */
gint64 listview_from(const struct listview *list);

/* The list below or on top, NULL when there is none. */
struct listview *listview_at_hand(struct app *app);

struct list_line *listview_line(struct listview *list, int index);
struct list_line *listview_current(struct listview *list);
gint64 listview_line_id(const struct listview *list, const struct list_line *line);
/* The folder that the rows under the cursor lie in: of the list, else of the row. */
gint64 listview_folder(struct listview *list);

void listview_reload(struct listview *list);
void listview_rebuild(struct listview *list);        /* lines from rows, the cursor stays on its row */
void listview_seek(struct listview *list, int step); /* to the next line that is no group */
void listview_move(struct listview *list, int how);
/* Cursor to the row of a message or its conversation, loading it when it is elsewhere. */
gboolean listview_goto(struct listview *list, gint64 key, gint64 message);
/* Moves by one row (not tree line) and returns its message, 0 at the end. For the reader. */
gint64 listview_step(struct listview *list, int step, gint64 *thread);
/* To the next unread row (Tab); FALSE when there is none. */
gboolean listview_next_unread(struct listview *list, int step);

/* list_find.c: searches, looked for off the screen's thread. */
void list_find_first(struct listview *list,
                     struct rowset *set); /* takes the set; what is shown stays until then */
void list_find_again(struct listview *list);
void list_find_more(struct listview *list, gboolean behind);
void list_find_end(struct listview *list);
void list_find_stop(struct listview *list);
gboolean list_is_search(const struct listview *list);

/* list_sort.c: another order, put together in the background: for a list that is new, again when the store has changed. */
void list_sort_begin(struct listview *list);
void list_sort_again(struct listview *list);
void list_sort_stop(struct listview *list);
const char *list_order_name(enum order_by by);
/* Keys of the list in order take the place of what is shown; `again`: the same as before, made anew. Takes the places. */
void list_sort_take(struct listview *list, struct order *places, gboolean again);
void list_sort_by_date(struct listview *list);

/* list_split.c: numbered tabs above an inbox, each message in the first that fits, the rest in the last */
gboolean list_has_splits(const struct listview *list);
GPtrArray *list_split_queries(struct app *app); /* of struct query; what cannot be read is told, and finds nothing */
void list_split_take(struct listview *list, GPtrArray *splits);
void list_split_draw(struct listview *list, const struct area *line);

/* list_server.c: below a line, what servers find of a search among the mail whose text is not here */
void list_server_ask(struct listview *list);   /* when it is shown, for it and what becomes of it by its chips */
void list_server_shown(struct listview *list); /* it is: asks, if it is to */
void list_server_end(struct listview *list);
void list_server_again(struct listview *list); /* the store changed */
void list_server_lines(struct listview *list); /* appends theirs */
/* The engine's word; text NULL: to all. why NULL: all went well. */
void list_server_found(struct app *app, const char *text, const GArray *messages);
void list_server_done(struct app *app, const char *text, const char *why);

/* list_snippets.c */
void list_snippets_begin(struct listview *list, const struct query *query);
void list_snippets_end(struct listview *list);
void list_snippets_again(struct listview *list); /* bodies may have come */
void list_snippets_ask(struct listview *list);   /* of the rows that were just drawn */
/* Of a row, as far as it is known, in at most so many characters. NULL: none. */
char *list_snippet(const struct listview *list, const struct list_row *row, int most);

/* list_chips.c: the conditions of a search and a limit, numbered above the list; each can be taken away */
void list_chips_read(struct listview *list); /* after name or limit changed */
gboolean list_has_chips(const struct listview *list);
void list_chips_draw(struct listview *list, const struct area *line);
gboolean list_chip_mouse(struct listview *list, int column);
/* Of this number from 1; 0: all. */
void list_chip_drop(struct listview *list, guint number);

/* For list.c and list_find.c: the cursor's place before rows change, and finding it again. */
struct list_place {
    gint64 id, thread;
    int cursor, offset;    /* lines from the top of the screen */
    gboolean valid, start; /* start: the newest rows are in sight, and new ones shall be */
};
struct list_place listview_remember(struct listview *list);
void listview_recall(struct listview *list, const struct list_place *place);
/* The set takes the place of the one that is shown. */
void listview_install(struct listview *list, struct rowset *set);

/* list_lines.c */
void list_lines_build(struct listview *list);
void list_line_clear(gpointer line);
/* list_draw.c */
void list_draw(struct view *view, const struct area *area);

/* The rows a command is for: ids as in rowset_id(), and what is behind them: messages, and whole conversations, which
 * selection_resolve() makes messages of (they may be very many). */
struct selection {
    GHashTable *ids;  /* of gint64 */
    GArray *messages; /* of gint64 */
    GArray *threads;  /* of gint64 */
    guint rows;
    gboolean all_seen, any_flagged;
    gint64 folder;
};
struct selection *listview_selection(struct listview *list, gboolean marked);
void selection_resolve(struct selection *selection, struct listview *list);
void selection_free(struct selection *selection);
typedef struct selection struct_selection;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_selection, selection_free)

#endif
