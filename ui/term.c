#include "config.h"

#include "ui/term.h"

#include "ui/ascii.h"
#include "ui/hyperlink.h"

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "base/width.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

/* ncurses.h and term.h define many short macros; these are the ones that meet our names. */
#undef lines
#undef columns

#define ROWS_MAX 1000
#define COLUMNS_MAX 2000

static struct {
    gboolean open, left, ascii, mouse, hyperlinks;
    int colours; /* see term_colours() */
    int rows, columns;
    const struct theme_table *theme;
    SCREEN *screen;
    struct termios saved;
    gboolean have_saved;
    short pairs[ROLE_COUNT][GROUND_COUNT];
    int next_pair;
} term;

/* What a dying process writes: no allocation, no stdio. */
static char restore_text[256];
static size_t restore_length;

G_DEFINE_QUARK(term - error - quark, term_error)

/* ---- the end, whatever it is ---- */

static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

static void
on_deadly(int number)
{
    if (restore_length) {
        ssize_t ignored = write(STDOUT_FILENO, restore_text, restore_length);
        (void)ignored;
    }
    if (term.have_saved)
        tcsetattr(STDIN_FILENO, TCSANOW, &term.saved);
    signal(number, SIG_DFL);
    raise(number);
}

static void
catch_deadly(gboolean on)
{
    for (guint i = 0; i < G_N_ELEMENTS(deadly); i++) {
        struct sigaction action = {.sa_handler = on ? on_deadly : SIG_DFL, .sa_flags = SA_RESETHAND};
        sigemptyset(&action.sa_mask);
        sigaction(deadly[i], &action, NULL);
    }
}

static void
restore_add(const char *capability)
{
    const char *text = tigetstr(capability);
    if (!text || text == (char *)-1)
        return;
    size_t length = strlen(text);
    /* Padding marks ($<5>) are for tputs; terminals of today need none. */
    if (strstr(text, "$<") || restore_length + length >= sizeof restore_text)
        return;
    memcpy(restore_text + restore_length, text, length);
    restore_length += length;
}

static void
modes(gboolean on)
{
    /* Bracketed paste everywhere: who does not know it ignores it. The mouse only when asked for. */
    const char *paste = on ? "\033[?2004h" : "\033[?2004l";
    putp(paste);
    if (term.mouse)
        putp(on ? "\033[?1000h\033[?1006h" : "\033[?1006l\033[?1000l");
    fflush(stdout);
}

/* ---- opening ---- */

static int
count_colours(void)
{
    const char *no = g_getenv("NO_COLOR");
    if ((no && *no) || !has_colors() || !strcmp(term.theme->name, "plain"))
        return 0;
    if (tigetflag("RGB") > 0 || COLORS >= 1 << 24)
        return 1 << 24;
    return COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : 8;
}

/* The terminfo entry to use: its direct-colour sister when the terminal says that it can (COLORTERM) and
 * there is one. */
static char *
terminal_name(void)
{
    const char *name = g_getenv("TERM");
    const char *colour = g_getenv("COLORTERM");
    if (!name || !*name)
        return NULL;
    if (colour && (!strcmp(colour, "truecolor") || !strcmp(colour, "24bit"))) {
        g_autofree char *base = g_strdup(name);
        char *suffix = strstr(base, "-256color");
        if (suffix)
            *suffix = 0;
        g_autofree char *direct = g_strconcat(base, "-direct", NULL);
        int status = 0;
        if (setupterm(direct, STDOUT_FILENO, &status) == OK) {
            del_curterm(cur_term);
            return g_steal_pointer(&direct);
        }
    }
    return g_strdup(name);
}

static void
forget_pairs(void)
{
    memset(term.pairs, 0, sizeof term.pairs);
    term.next_pair = 1;
}

static gboolean
check_terminal(const char *name, GError **error)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        g_set_error(error, term_error_quark(), ERROR_USAGE,
                    "the screen needs a terminal: use \"postrider list\" or \"postrider help\" without one");
        return FALSE;
    }
    int status = 0;
    if (!name || setupterm(name, STDOUT_FILENO, &status) != OK) {
        g_autofree char *safe = text_safe(name ? name : "", -1, TEXT_LINE);
        g_set_error(error, term_error_quark(), ERROR_USAGE,
                    "the terminal type \"%s\" (TERM) is not known here: try TERM=xterm-256color", safe);
        return FALSE;
    }
    const char *move = tigetstr("cup");
    gboolean able = move && move != (char *)-1;
    if (able) {
        restore_length = 0;
        restore_add("sgr0");
        restore_add("cnorm");
        restore_add("rmkx");
        restore_add("rmcup");
        static const char own[] = "\033[?2004l\033[?1006l\033[?1000l";
        if (restore_length + sizeof own < sizeof restore_text) {
            memcpy(restore_text + restore_length, own, sizeof own - 1);
            restore_length += sizeof own - 1;
        }
    }
    del_curterm(cur_term);
    if (!able) {
        g_autofree char *safe = text_safe(name, -1, TEXT_LINE);
        g_set_error(
            error, term_error_quark(), ERROR_USAGE,
            "a terminal of type \"%s\" (TERM) cannot move its cursor: the screen cannot be drawn on it",
            safe);
    }
    return able;
}

static void
raw_mode(void)
{
    raw();
    noecho();
    nonl();
    struct termios now;
    if (tcgetattr(STDIN_FILENO, &now) == 0) {
        /* Raw, but Ctrl-S must not freeze the screen and the output keeps its processing. */
        now.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR | IGNCR);
        now.c_cc[VMIN] = 0;
        now.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &now);
        def_prog_mode();
    }
}

gboolean
term_open(const struct term_options *options, GError **error)
{
    g_autofree char *name = terminal_name();
    if (!check_terminal(name, error))
        return FALSE;
    term.have_saved = tcgetattr(STDIN_FILENO, &term.saved) == 0;
    term.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    width_set_ascii(term.ascii);
    term.mouse = options->mouse;
    term.hyperlinks = options->hyperlinks && !term.ascii;
    term.theme = theme_find(options->theme);
    if (!term.theme)
        term.theme = theme_find("dusk");
    /* A size in the environment would hide the real one, for ever. */
    use_env(FALSE);
    use_tioctl(TRUE);
    term.screen = newterm(name, stdout, stdin);
    if (!term.screen) {
        g_set_error(error, term_error_quark(), ERROR_USAGE, "the terminal of type \"%s\" could not be opened",
                    name);
        return FALSE;
    }
    set_term(term.screen);
    /* Handlers of our own (ui/app.c): ncurses must not print on SIGTSTP or SIGTERM behind our back. */
    signal(SIGTSTP, SIG_DFL);
    catch_deadly(TRUE);
    raw_mode();
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    term.colours = count_colours();
    forget_pairs();
    leaveok(stdscr, FALSE);
    scrollok(stdscr, FALSE);
    term.open = TRUE;
    term_resize();
    modes(TRUE);
    return TRUE;
}

void
term_close(void)
{
    if (!term.open)
        return;
    if (!term.left) {
        modes(FALSE);
        endwin();
    }
    delscreen(term.screen);
    if (term.have_saved)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &term.saved);
    catch_deadly(FALSE);
    term.open = FALSE;
    term.screen = NULL;
}

gboolean
term_is_open(void)
{
    return term.open;
}

void
term_leave(void)
{
    if (!term.open || term.left)
        return;
    modes(FALSE);
    endwin();
    if (term.have_saved)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &term.saved);
    term.left = TRUE;
}

void
term_enter(void)
{
    if (!term.open || !term.left)
        return;
    term.left = FALSE;
    reset_prog_mode();
    raw_mode();
    term_resize();
    modes(TRUE);
    term_repaint();
    /* endwin() left the alternate screen: the next refresh() goes back to it. */
}

void
term_stop(void)
{
    gboolean handed_over = term.left;
    term_leave();
    signal(SIGTSTP, SIG_DFL);
    kill(0, SIGTSTP); /* the whole job, as the shell does */
    if (!handed_over)
        term_enter();
}

void
term_resize(void)
{
    struct winsize size = {0};
    int rows = 24, columns = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
        rows = CLAMP(size.ws_row, 1, ROWS_MAX);
        columns = CLAMP(size.ws_col, 1, COLUMNS_MAX);
    }
    term.rows = rows;
    term.columns = columns;
    if (!term.left && (LINES != rows || COLS != columns))
        resizeterm(rows, columns);
}

int
term_rows(void)
{
    return term.rows;
}

int
term_columns(void)
{
    return term.columns;
}

int
term_colours(void)
{
    return term.colours;
}

gboolean
term_is_ascii(void)
{
    return term.ascii;
}

void
term_set_theme(const char *name)
{
    const struct theme_table *theme = theme_find(name);
    if (!theme)
        return;
    term.theme = theme;
    if (term.open) {
        term.colours = count_colours();
        forget_pairs();
        term_repaint();
    }
}

const char *
term_theme(void)
{
    return term.theme ? term.theme->name : "dusk";
}

struct key_decoder *
term_decoder(void)
{
    static const struct {
        const char *capability;
        guint key;
    } keys[] = {
        {"kcuu1", K_UP},     {"kcud1", K_DOWN},   {"kcub1", K_LEFT},    {"kcuf1", K_RIGHT},
        {"khome", K_HOME},   {"kend", K_END},     {"kpp", K_PAGE_UP},   {"knp", K_PAGE_DOWN},
        {"kich1", K_INSERT}, {"kdch1", K_DELETE}, {"kcbt", K_BACK_TAB}, {"kent", K_ENTER},
        {"kf1", K_F0 + 1},   {"kf2", K_F0 + 2},   {"kf3", K_F0 + 3},    {"kf4", K_F0 + 4},
        {"kf5", K_F0 + 5},   {"kf6", K_F0 + 6},   {"kf7", K_F0 + 7},    {"kf8", K_F0 + 8},
        {"kf9", K_F0 + 9},   {"kf10", K_F0 + 10}, {"kf11", K_F0 + 11},  {"kf12", K_F0 + 12},
    };
    struct key_decoder *decoder = key_decoder_new(!term.ascii);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *sequence = tigetstr(keys[i].capability);
        if (sequence && sequence != (char *)-1)
            key_decoder_add(decoder, sequence, keys[i].key);
    }
    return decoder;
}

/* ---- drawing ---- */

static int
colour(const struct theme_role *role)
{
    if (role->rgb == THEME_DEFAULT)
        return -1;
    if (term.colours == 1 << 24)
        return role->rgb;
    if (term.colours == 256)
        return theme_nearest_256(role->rgb);
    if (role->basic == THEME_DEFAULT)
        return -1;
    return term.colours == 8 ? role->basic & 7 : role->basic;
}

static int
pair_for(enum role role, enum ground ground)
{
    if (term.pairs[role][ground])
        return term.pairs[role][ground];
    if (term.next_pair >= COLOR_PAIRS)
        return 0;
    int pair = term.next_pair++;
    int fore = colour(&term.theme->roles[role]), back = colour(&term.theme->grounds[ground]);
    if (fore == back && fore >= 0) /* with few colours two may fall together */
        fore = -1;
    if (init_extended_pair(pair, fore, back) == ERR)
        return 0;
    term.pairs[role][ground] = (short)pair;
    return pair;
}

static void
use_style(guint style)
{
    enum role role = STYLE_ROLE(style);
    enum ground ground = STYLE_GROUND(style);
    if (role >= ROLE_COUNT)
        role = ROLE_TEXT;
    if (ground >= GROUND_COUNT)
        ground = GROUND_PLAIN;
    const struct theme_role *letters = &term.theme->roles[role], *back = &term.theme->grounds[ground];
    guint set = term.colours ? letters->attribute | back->attribute : letters->plain | back->plain;
    if (!term.colours && !strcmp(term.theme->name, "plain")) {
        const struct theme_table *other = theme_find("dusk");
        set = other->roles[role].plain | other->grounds[ground].plain;
    }
    /* Eight dark colours: "dim" is what bright black would have been. */
    if (term.colours == 8 && letters->basic >= 8)
        set |= letters->basic == 8 ? 0 : THEME_BOLD;
    if (term.colours && term.colours < 256 && ground == GROUND_CURSOR)
        set |= THEME_REVERSE;
    attr_t attributes = 0;
    attributes |= set & THEME_BOLD ? A_BOLD : 0;
    attributes |= set & THEME_UNDERLINE ? A_UNDERLINE : 0;
    attributes |= set & THEME_REVERSE ? A_REVERSE : 0;
    attributes |= set & THEME_DIM ? A_DIM : 0;
    if (term.colours && term.colours < 256 && ground == GROUND_CURSOR) {
        attr_set(attributes, 0, NULL); /* reverse of the terminal's own colours: always legible */
        return;
    }
    int pair = term.colours ? pair_for(role, ground) : 0;
    attr_set(attributes, 0, &pair);
}

static void
put_cell(int row, int column, const wchar_t *cluster, int cells)
{
    cchar_t cell;
    attr_t attributes;
    short ignored;
    int pair = 0;
    attr_get(&attributes, &ignored, &pair);
    if (setcchar(&cell, cluster, attributes, 0, &pair) == ERR)
        return;
    mvadd_wch(row, column, &cell);
    (void)cells;
}

static int
put_ascii(int row, int column, int max, const char *text)
{
    int used = 0;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        int cells = width_char(c);
        if (cells <= 0)
            continue;
        if (used + cells > max)
            break;
        for (int i = 0; i < cells; i++, used++)
            if (column + used >= 0 && column + used < term.columns)
                mvaddch(row, column + used, (chtype)(guchar)(i ? ' ' : ascii_of(c)) | 0);
    }
    return used;
}

static int
put_wide(int row, int column, int max, const char *text)
{
    int used = 0;
    const char *p = text;
    while (*p) {
        wchar_t cluster[CCHARW_MAX + 1];
        int n = 0;
        gunichar c = g_utf8_get_char(p);
        int cells = width_char(c);
        p = g_utf8_next_char(p);
        if (cells <= 0)
            continue; /* a mark without a letter */
        if (used + cells > max)
            break;
        int theirs = wcwidth((wchar_t)c);
        /* The C library knows fewer characters than we do: what it cannot place would shift the whole line.
         */
        cluster[n++] = theirs < 0 || theirs > cells ? L'?' : (wchar_t)c;
        while (*p && width_char(g_utf8_get_char(p)) == 0) {
            wchar_t mark = (wchar_t)g_utf8_get_char(p);
            if (n < CCHARW_MAX - 1 && wcwidth(mark) == 0)
                cluster[n++] = mark;
            p = g_utf8_next_char(p);
        }
        cluster[n] = 0;
        if (column + used >= 0 && column + used + cells <= term.columns)
            put_cell(row, column + used, cluster, cells);
        used += cells;
    }
    return used;
}

int
term_put(int row, int column, int max, guint style, const char *text)
{
    if (!text || max <= 0 || column >= term.columns)
        return 0;
    g_autofree char *safe = text_safe(text, -1, TEXT_LINE);
    if (row < 0 || row >= term.rows)
        return MIN(width_text(safe), max);
    use_style(style);
    return term.ascii ? put_ascii(row, column, max, safe) : put_wide(row, column, max, safe);
}

void
term_fill(int row, int column, int rows, int columns, guint style)
{
    if (column < 0) {
        columns += column;
        column = 0;
    }
    columns = MIN(columns, term.columns - column);
    if (columns <= 0)
        return;
    use_style(style);
    for (int y = MAX(row, 0); y < row + rows && y < term.rows; y++)
        mvhline(y, column, ' ', columns);
}

void
term_link(int row, int column, int max, guint style, const char *text, const char *url)
{
    if (!term.hyperlinks || row < 0 || row >= term.rows || column < 0 || column >= term.columns)
        return;
    g_autofree char *safe = text_safe(text, -1, TEXT_LINE);
    g_autofree char *cut = width_cut(safe, MIN(max, term.columns - column));
    hyperlink_add(row, column, term.colours ? colour(&term.theme->roles[STYLE_ROLE(style)]) : -1, cut, url);
}

void
term_begin(void)
{
    hyperlink_forget();
    attr_set(0, 0, NULL);
    erase();
}

void
term_end(int cursor_row, int cursor_column)
{
    if (term.left)
        return;
    gboolean shown = cursor_row >= 0 && cursor_row < term.rows;
    if (shown)
        move(cursor_row, CLAMP(cursor_column, 0, term.columns - 1));
    curs_set(shown ? 1 : 0);
    refresh();
    hyperlink_write();
}

void
term_repaint(void)
{
    if (term.open)
        clearok(stdscr, TRUE);
}

void
term_bell(void)
{
    if (term.open && !term.left)
        beep();
}
