#include "config.h"

#include "mail/html_private.h"

#include <stdio.h>
#include <string.h>

/* --- attributes --- */

const char *
html_attribute(const xmlChar **attributes, const char *name)
{
    for (; attributes && attributes[0]; attributes += 2)
        if (g_str_equal((const char *)attributes[0], name))
            return attributes[1] ? (const char *)attributes[1] : "";
    return NULL;
}

static gint32
parse_color(const char *text)
{
    static const struct {
        const char *name;
        gint32 color;
    } names[] = {{"white", 0xffffff},  {"black", 0},       {"red", 0xff0000},  {"blue", 0x0000ff},
                 {"green", 0x008000},  {"gray", 0x808080}, {"grey", 0x808080}, {"silver", 0xc0c0c0},
                 {"yellow", 0xffff00}, {"navy", 0x000080}};
    while (g_ascii_isspace(*text))
        text++;
    guint r, g, b;
    if (*text == '#') {
        gsize digits = strspn(text + 1, "0123456789abcdefABCDEF");
        guint64 value = g_ascii_strtoull(text + 1, NULL, 16);
        if (digits == 6)
            return (gint32)value;
        if (digits == 3) {
            r = (guint)(value >> 8) & 15;
            g = (guint)(value >> 4) & 15;
            b = (guint)value & 15;
            return (gint32)(r * 0x110000 + g * 0x1100 + b * 0x11);
        }
        return COLOR_UNKNOWN;
    }
    if (sscanf(text, "rgb ( %3u , %3u , %3u", &r, &g, &b) == 3 ||
        sscanf(text, "rgb( %3u , %3u , %3u", &r, &g, &b) == 3)
        return r < 256 && g < 256 && b < 256 ? (gint32)(r << 16 | g << 8 | b) : COLOR_UNKNOWN;
    gsize word = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strlen(names[i].name) == word && g_ascii_strncasecmp(text, names[i].name, word) == 0)
            return names[i].color;
    return COLOR_UNKNOWN;
}

/* "0", "0px", "0.0em", and one pixel: nothing an eye can see. */
static gboolean
is_nothing(const char *value)
{
    char *end;
    double number = g_ascii_strtod(value, &end);
    if (end == value)
        return FALSE;
    return number <= 0 || (number <= 1 && g_str_has_prefix(end, "px"));
}

static void
apply_declaration(struct html *html, const char *name, const char *value, gboolean *zero_height,
                  gboolean *clips)
{
    if (g_str_equal(name, "display") && g_str_has_prefix(value, "none"))
        html->hidden = TRUE;
    else if (g_str_equal(name, "visibility"))
        html->hidden =
            html->hidden || g_str_has_prefix(value, "hidden") || g_str_has_prefix(value, "collapse");
    else if (g_str_equal(name, "font-size"))
        html->tiny = is_nothing(value);
    else if (g_str_equal(name, "opacity"))
        html->hidden = html->hidden || (is_nothing(value) && g_ascii_strtod(value, NULL) <= 0);
    else if (g_str_equal(name, "height") || g_str_equal(name, "max-height"))
        *zero_height = *zero_height || (g_ascii_isdigit(*value) && g_ascii_strtod(value, NULL) <= 0);
    else if (g_str_equal(name, "overflow"))
        *clips = g_str_has_prefix(value, "hidden");
    else if (g_str_equal(name, "color"))
        html->color = parse_color(value);
    else if (g_str_equal(name, "background-color") || g_str_equal(name, "background"))
        html->background = parse_color(value);
    if (strstr(value, "url(") && strstr(value, "//"))
        html->flags |= DOCUMENT_REMOTE;
}

static void
apply_style(struct html *html, const char *style)
{
    gboolean zero_height = FALSE, clips = FALSE;
    g_autofree char *lower = g_ascii_strdown(style, MIN(strlen(style), 4096));
    g_auto(GStrv) declarations = g_strsplit(lower, ";", 64);
    for (char **declaration = declarations; *declaration; declaration++) {
        char *colon = strchr(*declaration, ':');
        if (!colon)
            continue;
        *colon = '\0';
        apply_declaration(html, g_strstrip(*declaration), g_strstrip(colon + 1), &zero_height, &clips);
    }
    if (zero_height && clips)
        html->hidden = TRUE;
}

void
html_apply_attributes(struct html *html, const xmlChar **attributes)
{
    const char *value;
    if ((value = html_attribute(attributes, "bgcolor")))
        html->background = parse_color(value);
    if ((value = html_attribute(attributes, "color")) || (value = html_attribute(attributes, "text")))
        html->color = parse_color(value);
    if ((value = html_attribute(attributes, "background")) && strstr(value, "//"))
        html->flags |= DOCUMENT_REMOTE;
    if (html_attribute(attributes, "hidden"))
        html->hidden = TRUE;
    if ((value = html_attribute(attributes, "style")))
        apply_style(html, value);
}

gboolean
html_is_unseen(const struct html *html)
{
    return html->hidden || html->tiny || (html->color != COLOR_UNKNOWN && html->color == html->background);
}
