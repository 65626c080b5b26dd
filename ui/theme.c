#include "config.h"

#include "ui/theme.h"

#include <string.h>

#define NONE THEME_DEFAULT

/* Dusk: for dark terminals. Warm paper white, one amber accent, muted blue-green for people. */
static const struct theme_table dusk =
    {
        .name = "dusk",
        .help = "for dark terminals",
        .roles =
            {
                [ROLE_TEXT] = {0xd4d0c8, NONE, 0, 0},
                [ROLE_DIM] = {0x8a8780, 8, 0, 0},
                [ROLE_FAINT] = {0x55534e, 8, 0, 0},
                [ROLE_BOLD] = {0xece8df, 15, THEME_BOLD, THEME_BOLD},
                [ROLE_TITLE] = {0xe5b567, 11, THEME_BOLD, THEME_BOLD},
                [ROLE_ACCENT] = {0xe5b567, 11, 0, THEME_BOLD},
                [ROLE_DATE] = {0x9a968d, 7, 0, 0},
                [ROLE_PEOPLE] = {0x8fb8b5, 6, 0, 0},
                [ROLE_SUBJECT] = {0xd4d0c8, NONE, 0, 0},
                [ROLE_UNREAD] = {0xffffff, 15, THEME_BOLD, THEME_BOLD},
                [ROLE_FLAGGED] = {0xf0c34e, 11, THEME_BOLD, THEME_BOLD},
                [ROLE_GOOD] = {0x9cc277, 10, 0, 0},
                [ROLE_WARN] = {0xe8a15c, 11, 0, THEME_BOLD},
                [ROLE_BAD] = {0xe06c66, 9, THEME_BOLD, THEME_BOLD},
                [ROLE_TAG] = {0xb39ac9, 13, 0, 0},
                [ROLE_LINK] = {0x7fa8d6, 12, THEME_UNDERLINE, THEME_UNDERLINE},
                [ROLE_HEADING] = {0xece8df, 15, THEME_BOLD, THEME_BOLD},
                [ROLE_SIGNATURE] = {0x7a776f, 8, 0, 0},
                [ROLE_QUOTE1] = {0x8fb37c, 2, 0, 0},
                [ROLE_QUOTE2] = {0x7fa3c4, 4, 0, 0},
                [ROLE_QUOTE3] = {0xb08fb8, 5, 0, 0},
                [ROLE_QUOTE4] = {0xa89a78, 3, 0, 0},
                [ROLE_MATCH] = {0xf0c34e, 11, THEME_UNDERLINE, THEME_UNDERLINE},
            },
        .grounds =
            {
                [GROUND_PLAIN] = {NONE, NONE, 0, 0},
                [GROUND_BAR] = {0x2b2a27, 0, 0, 0},
                [GROUND_CURSOR] = {0x3f4a52, 4, 0, THEME_REVERSE},
                [GROUND_CURSOR_AWAY] = {0x303236, 0, 0, THEME_UNDERLINE},
                [GROUND_MARK] = {0x3b3324, 0, 0, 0},
                [GROUND_POPUP] = {0x262b30, 0, 0, 0},
            },
};

/* Day: for light terminals. */
static const struct theme_table day =
    {
        .name = "day",
        .help = "for light terminals",
        .roles =
            {
                [ROLE_TEXT] = {0x33302b, NONE, 0, 0},
                [ROLE_DIM] = {0x7c776d, 8, 0, 0},
                [ROLE_FAINT] = {0xb3aea3, 7, 0, 0},
                [ROLE_BOLD] = {0x1c1a17, NONE, THEME_BOLD, THEME_BOLD},
                [ROLE_TITLE] = {0x99580c, 3, THEME_BOLD, THEME_BOLD},
                [ROLE_ACCENT] = {0x99580c, 3, 0, THEME_BOLD},
                [ROLE_DATE] = {0x6d685f, 8, 0, 0},
                [ROLE_PEOPLE] = {0x1f6663, 6, 0, 0},
                [ROLE_SUBJECT] = {0x33302b, NONE, 0, 0},
                [ROLE_UNREAD] = {0x000000, NONE, THEME_BOLD, THEME_BOLD},
                [ROLE_FLAGGED] = {0xa86700, 3, THEME_BOLD, THEME_BOLD},
                [ROLE_GOOD] = {0x3e7a1f, 2, 0, 0},
                [ROLE_WARN] = {0xa85a00, 3, 0, THEME_BOLD},
                [ROLE_BAD] = {0xb3241e, 1, THEME_BOLD, THEME_BOLD},
                [ROLE_TAG] = {0x6d4591, 5, 0, 0},
                [ROLE_LINK] = {0x1f57a0, 4, THEME_UNDERLINE, THEME_UNDERLINE},
                [ROLE_HEADING] = {0x1c1a17, NONE, THEME_BOLD, THEME_BOLD},
                [ROLE_SIGNATURE] = {0x8d887d, 8, 0, 0},
                [ROLE_QUOTE1] = {0x3f6b2b, 2, 0, 0},
                [ROLE_QUOTE2] = {0x2a5a8c, 4, 0, 0},
                [ROLE_QUOTE3] = {0x734a82, 5, 0, 0},
                [ROLE_QUOTE4] = {0x75642f, 3, 0, 0},
                [ROLE_MATCH] = {0xa86700, 3, THEME_UNDERLINE, THEME_UNDERLINE},
            },
        .grounds =
            {
                [GROUND_PLAIN] = {NONE, NONE, 0, 0},
                [GROUND_BAR] = {0xe9e5dc, 7, 0, 0},
                [GROUND_CURSOR] = {0xcfdce6, 14, 0, THEME_REVERSE},
                [GROUND_CURSOR_AWAY] = {0xe6e6e6, 7, 0, THEME_UNDERLINE},
                [GROUND_MARK] = {0xf6e9c8, 7, 0, 0},
                [GROUND_POPUP] = {0xeef1f3, 7, 0, 0},
            },
};

/* Plain: only the terminal's own letters, for those who want no colours without setting NO_COLOR. */
static const struct theme_table plain = {.name = "plain", .help = "no colours"};

static const struct theme_table *const themes[] = {&dusk, &day, &plain, NULL};

const struct theme_table *const *
theme_all(void)
{
    return themes;
}

const struct theme_table *
theme_find(const char *name)
{
    for (guint i = 0; themes[i]; i++)
        if (name && !strcmp(themes[i]->name, name))
            return themes[i];
    return NULL;
}

static int
distance(int a, int b)
{
    int red = (a >> 16 & 255) - (b >> 16 & 255), green = (a >> 8 & 255) - (b >> 8 & 255),
        blue = (a & 255) - (b & 255);
    return 3 * red * red + 4 * green * green + 2 * blue * blue;
}

int
theme_nearest_256(int rgb)
{
    static const int steps[] = {0, 95, 135, 175, 215, 255};
    int best = 16, found = G_MAXINT;
    for (int i = 0; i < 240; i++) {
        int colour;
        if (i < 216)
            colour = steps[i / 36] << 16 | steps[i / 6 % 6] << 8 | steps[i % 6];
        else
            colour = (8 + (i - 216) * 10) * 0x010101;
        int d = distance(rgb, colour);
        if (d < found) {
            found = d;
            best = 16 + i;
        }
    }
    return best;
}
