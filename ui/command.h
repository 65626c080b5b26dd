/* command.h - the one table of what a person can do on the screen
 *
 * Key map, palette, help, manual page and configuration all go by it: adding a command is one entry in
 * command_table.c and one function. A command runs on the screen's thread, in a view whose context it names,
 * and returns at once: what takes time is handed to the writer, the reader or the engine.
 */
#ifndef UI_COMMAND_H
#define UI_COMMAND_H

#include <glib.h>

struct app;

enum command_context {
    IN_LIST = 1 << 0,
    IN_READER = 1 << 1,
    IN_COMPOSER = 1 << 2,
    IN_OUTBOX = 1 << 3,
    IN_FOLDERS = 1 << 4,
    IN_PARTS = 1 << 5,
    IN_TEXT = 1 << 6, /* help, headers, journey, messages: read only */
    IN_UNDO = 1 << 7,
    IN_SYNC = 1 << 8,
    IN_ANY = (1 << 9) - 1,
    IN_EDITOR = 1 << 9, /* takes every key itself but Ctrl-Z and Ctrl-L */
    IN_MAIL = IN_LIST | IN_READER,
    IN_ROWS = IN_LIST | IN_OUTBOX | IN_FOLDERS | IN_PARTS | IN_UNDO | IN_SYNC /* views with a cursor line */
};

/* For the order and headings of the help screen and the manual page. */
enum command_group {
    GROUP_MOVE,
    GROUP_READ,
    GROUP_WRITE,
    GROUP_FILE,
    GROUP_MARK,
    GROUP_FIND,
    GROUP_COMPOSE,
    GROUP_VIEWS,
    GROUP_PROGRAM,
    GROUP_COUNT
};

struct command {
    const char *name; /* "group-reply": palette, [keys] */
    enum command_group group;
    guint contexts;
    const char *keys;     /* mutt's: "j, Down"; a comma is written Comma; "" for none */
    const char *argument; /* what may be typed behind the name in the palette: "FOLDER"; NULL: nothing */
    const char *help;     /* translated when shown */
    void (*run)(struct app *app, const char *argument); /* argument NULL: none was typed */
};

extern const struct command command_table[]; /* ends with name NULL */

const struct command *command_find(const char *name);
const char *command_group_name(enum command_group group); /* translated */
char *command_context_names(guint contexts);              /* "list, reader"; "everywhere" */

/* The other key sets: what differs from the table. NULL for "mutt" and for unknown names. */
struct key_choice {
    const char *command, *keys;
};
const struct key_choice *command_key_set(const char *name);
const char *const *command_key_set_names(void); /* NULL at the end */

/* How well `pattern` fits `text`, letters in order, any gaps: 0 not at all; word beginnings and runs count
 * more. */
int command_fuzzy(const char *pattern, const char *text);

/* The commands of `contexts` that fit, best first; borrowed elements (const struct command *). */
GPtrArray *command_match(const char *pattern, guint contexts);

#endif
