/* theme.h - what things look like: roles, and the tables that give them colours
 *
 * Views draw in roles ("unread", "quote 2"), never in colours. A style is a role for the letters and one for
 * the ground: STYLE_ON(ROLE_UNREAD, GROUND_CURSOR). Pure data; the terminal (term.c) turns it into what it
 * can show. Without colour, what must be seen (cursor, bars, errors) is carried by reverse, bold and
 * underline.
 */
#ifndef UI_THEME_H
#define UI_THEME_H

#include <glib.h>

enum role {
    ROLE_TEXT,
    ROLE_DIM,   /* previews, hints */
    ROLE_FAINT, /* rules, borders */
    ROLE_BOLD,
    ROLE_TITLE,  /* the program's name, headings */
    ROLE_ACCENT, /* keys in hints, the current folder */
    ROLE_DATE,
    ROLE_PEOPLE,
    ROLE_SUBJECT,
    ROLE_UNREAD,
    ROLE_FLAGGED,
    ROLE_GOOD,
    ROLE_WARN,
    ROLE_BAD,
    ROLE_TAG,
    ROLE_LINK,
    ROLE_HEADING,
    ROLE_SIGNATURE,
    ROLE_QUOTE1,
    ROLE_QUOTE2,
    ROLE_QUOTE3,
    ROLE_QUOTE4,
    ROLE_MATCH,
    ROLE_COUNT
};

enum ground {
    GROUND_PLAIN,
    GROUND_BAR,
    GROUND_CURSOR,
    GROUND_CURSOR_AWAY,
    GROUND_MARK,
    GROUND_POPUP,
    GROUND_COUNT
};

#define STYLE_ON(role, ground) ((guint)(role) | ((guint)(ground) << 8))
#define STYLE_ROLE(style) ((enum role)((style)&0xff))
#define STYLE_GROUND(style) ((enum ground)(((style) >> 8) & 0xff))

enum theme_attribute {
    THEME_BOLD = 1,
    THEME_UNDERLINE = 2,
    THEME_REVERSE = 4,
    THEME_DIM = 8,
    THEME_ITALIC = 16
};

#define THEME_DEFAULT (-1) /* the terminal's own colour */

struct theme_role {
    int rgb;         /* 0xRRGGBB or THEME_DEFAULT */
    int basic;       /* of 16, or THEME_DEFAULT */
    guint attribute; /* with colours */
    guint plain;     /* without colours */
};

struct theme_table {
    const char *name;
    const char *help;
    struct theme_role roles[ROLE_COUNT];
    struct theme_role grounds[GROUND_COUNT]; /* rgb is the background */
};

/* NULL when there is none of that name. */
const struct theme_table *theme_find(const char *name);
const struct theme_table *const *theme_all(void); /* NULL at the end */

/* The nearest of the 256 fixed colours (16 to 255). */
int theme_nearest_256(int rgb);

#endif
