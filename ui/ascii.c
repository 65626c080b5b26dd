#include "config.h"

#include "ui/ascii.h"

/* What our own drawing and common foreign punctuation become where there is no UTF-8. */
static const struct {
    gunichar from;
    const char *to;
} ascii_forms[] = {
    {0x2500, "-"}, {0x2502, "|"}, {0x250c, "+"}, {0x2510, "+"}, {0x2514, "`"}, {0x2518, "+"},  {0x251c, "|"},
    {0x2524, "|"}, {0x252c, "+"}, {0x2534, "+"}, {0x253c, "+"}, {0x256d, "+"}, {0x256e, "+"},  {0x256f, "+"},
    {0x2570, "`"}, {0x2504, "-"}, {0x25cf, "*"}, {0x25cb, "o"}, {0x2605, "!"}, {0x25b8, ">"},  {0x25be, "v"},
    {0x25b6, ">"}, {0x2022, "*"}, {0x00b7, "-"}, {0x2714, "+"}, {0x2718, "x"}, {0x2713, "+"},  {0x2717, "x"},
    {0x2026, "."}, {0x2013, "-"}, {0x2014, "-"}, {0x2018, "'"}, {0x2019, "'"}, {0x201c, "\""}, {0x201d, "\""},
    {0x00ab, "<"}, {0x00bb, ">"}, {0x2192, ">"}, {0x2190, "<"}, {0x2191, "^"}, {0x2193, "v"},  {0x27f3, "@"},
    {0x25b0, "#"}, {0x25b1, "."}, {0x2587, "#"}, {0x2588, "#"}, {0x2591, "."}, {0x2592, ":"},  {0x258f, "|"},
    {0x258c, "|"}, {0x2590, "|"}, {0x00a0, " "}, {0x00d7, "x"}, {0x20ac, "E"}, {0x00a9, "c"},  {0x00b0, "o"},
    {0x00df, "s"}, {0x00f8, "o"}, {0x00d8, "O"}, {0x0142, "l"}, {0x0141, "L"}, {0x21b3, "`"},  {0x2937, "`"},
    {0x2212, "-"}, {0x25c6, "*"}, {0x25c7, "o"}, {0x2610, "o"}, {0x2611, "x"}, {0x23ce, "|"},  {0x270e, "d"},
    {0x21a9, "r"}, {0x21aa, "f"},
};

char
ascii_of(gunichar c)
{
    if (c < 0x80)
        return (char)c;
    for (guint i = 0; i < G_N_ELEMENTS(ascii_forms); i++)
        if (ascii_forms[i].from == c)
            return ascii_forms[i].to[0];
    gunichar parts[4];
    gsize n = g_unichar_fully_decompose(c, FALSE, parts, G_N_ELEMENTS(parts));
    return n && parts[0] < 0x80 && parts[0] >= ' ' ? (char)parts[0] : '?';
}
