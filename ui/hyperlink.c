#include "config.h"

#include "ui/hyperlink.h"

#include <glib.h>

#include <curses.h>
#include <stdio.h>
#include <string.h>
#include <term.h>

#undef columns

#define URL_MAX 2000

struct cells {
    int row, column, fore;
    char *text, *url;
};

static GPtrArray *links;

static void
cells_free(gpointer data)
{
    struct cells *cells = data;
    g_free(cells->text);
    g_free(cells->url);
    g_free(cells);
}

void
hyperlink_add(int row, int column, int fore, const char *text, const char *url)
{
    if (strlen(url) > URL_MAX ||
        (g_ascii_strncasecmp(url, "http://", 7) && g_ascii_strncasecmp(url, "https://", 8)))
        return;
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p >= 0x7f) /* it travels inside a control sequence: plain ASCII or not at all */
            return;
    if (!links)
        links = g_ptr_array_new_with_free_func(cells_free);
    struct cells *cells = g_new0(struct cells, 1);
    *cells = (struct cells){row, column, fore, g_strdup(text), g_strdup(url)};
    g_ptr_array_add(links, cells);
}

/* Between saving and restoring the cursor and its attributes, so that ncurses is never wrong about them. */
void
hyperlink_write(void)
{
    for (guint i = 0; links && i < links->len; i++) {
        const struct cells *cells = g_ptr_array_index(links, i);
        putp("\0337");
        putp(tiparm(cursor_address, cells->row, cells->column));
        if (exit_attribute_mode)
            putp(exit_attribute_mode);
        if (enter_underline_mode)
            putp(enter_underline_mode);
        if (cells->fore >= 0 && set_a_foreground)
            putp(tiparm(set_a_foreground, cells->fore));
        fprintf(stdout, "\033]8;;%s\033\\%s\033]8;;\033\\\0338", cells->url, cells->text);
    }
    if (links && links->len)
        fflush(stdout);
}

void
hyperlink_forget(void)
{
    g_clear_pointer(&links, g_ptr_array_unref);
}
