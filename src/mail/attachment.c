#include "config.h"

#include "mail/attachment.h"

#include "base/i18n.h"
#include "base/text.h"

#include <string.h>

#define BLANKS 8 /* in a row: more than a name needs */

/* What a desktop runs, or mounts, at a double click. Scripts that people send each other as text (sh, py, pl) are not
 * among them. */
static const char *const programs[] = {
    "ade",  "adp",  "apk", "app",  "application", "appx", "bat",  "cab", "chm",     "cmd",    "command", "cpl",
    "dmg",  "exe",  "gadget", "hta", "img",       "inf",  "iso",  "jar", "jnlp",    "jse",    "js",      "lnk",
    "mde",  "msc",  "msi", "msix", "msp",         "mst",  "ocx",  "pif", "pkg",     "ps1",    "psm1",    "rdp",
    "reg",  "scf",  "scr", "sct",  "shb",         "shs",  "url",  "vb",  "vbe",     "vbs",    "vhd",     "vhdx",
    "wsc",  "wsf",  "wsh", "wll",  "xll",         "settingcontent-ms",   "library-ms", "search-ms", "appref-ms"};
/* In an archive: what is no part of anybody's source. */
static const char *const planted[] = {"exe", "scr", "pif", "cpl", "hta", "lnk", "vbs", "vbe", "jse", "wsf", "msi", "xll", "iso", "vhd", "vhdx"};
/* What a person takes for harmless. */
static const char *const documents[] = {"pdf",  "doc", "docx", "xls",  "xlsx", "ppt", "pptx", "rtf",  "txt", "csv",
                                        "odt",  "ods", "odp",  "jpg",  "jpeg", "png", "gif",  "tif",  "tiff", "bmp",
                                        "webp", "mp3", "mp4",  "wav",  "avi",  "mov", "zip"};
/* A page that takes passwords looks like the document it is named after. */
static const char *const pages[] = {"htm", "html", "shtml", "xhtml", "mht", "mhtml", "svg"};

static gboolean
is_one_of(const char *word, const char *const *list, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (!g_ascii_strcasecmp(word, list[i]))
            return TRUE;
    return FALSE;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, G_N_ELEMENTS(list))

/* Without what cannot be seen, and without the blanks and dots at the end that a desktop drops. */
static char *
plain_name(const char *name)
{
    g_autofree char *normal = g_utf8_normalize(name, -1, G_NORMALIZE_NFKC);
    char *safe = text_safe(normal ? normal : name, -1, TEXT_LINE);
    gsize length = strlen(safe);
    while (length && strchr(" .", safe[length - 1]))
        safe[--length] = '\0';
    return safe;
}

static const char *
extension_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name ? dot + 1 : NULL;
}

gboolean
attachment_is_program_name(const char *name, gboolean in_archive)
{
    g_autofree char *plain = plain_name(name);
    const char *extension = extension_of(plain);
    return extension && (in_archive ? IS_ONE_OF(extension, planted) : IS_ONE_OF(extension, programs));
}

/* "invoice.pdf", "invoice.pdf      ": what stands before the last dot ends in an extension of its own. */
static gboolean
hides_extension(const char *plain, const char *last)
{
    g_autofree char *front = g_strchomp(g_strndup(plain, (gsize)(last - 1 - plain)));
    const char *before = extension_of(front);
    return before && IS_ONE_OF(before, documents);
}

static gboolean
is_turned(const char *name)
{
    for (const char *p = name; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == 0x202e || c == 0x202d) /* the overrides; the other controls are for names in Hebrew and Arabic */
            return TRUE;
    }
    return FALSE;
}

/* Blanks that push the end out of sight, or stand behind it. */
static gboolean
is_stretched(const char *name, gboolean is_program)
{
    guint run = 0;
    gboolean long_run = FALSE;
    for (const char *p = name; *p; p = g_utf8_next_char(p)) {
        run = g_unichar_isspace(g_utf8_get_char(p)) ? run + 1 : 0;
        long_run = long_run || run >= BLANKS;
    }
    return is_program && (long_run || run);
}

guint
attachment_name_marks(const char *name)
{
    g_autofree char *plain = plain_name(name);
    const char *extension = extension_of(plain);
    guint marks = 0;
    if (extension && IS_ONE_OF(extension, programs))
        marks |= ATTACHMENT_PROGRAM;
    gboolean is_page = extension && IS_ONE_OF(extension, pages);
    if ((marks || is_page) && hides_extension(plain, extension))
        marks |= ATTACHMENT_DOUBLE;
    if (is_turned(name) || is_stretched(name, marks != 0))
        marks |= ATTACHMENT_DISGUISED;
    return marks;
}

/* --- in words, the gravest first */

static const struct {
    guint mark;
    const char *name, *words;
} rows[] = {
    {ATTACHMENT_DISGUISED, "disguised-name", N_("its name is made to look like another one")},
    {ATTACHMENT_DOUBLE, "double-extension", N_("its name has two endings, and the last one counts")},
    {ATTACHMENT_OTHER_TYPE, "other-type", N_("it is not what its name says")},
    {ATTACHMENT_PROGRAM, "program", N_("it is a program: opening it may run it")},
    {ATTACHMENT_HOLDS_PROGRAM, "holds-program", N_("there is a program in it")},
    {ATTACHMENT_MACROS, "macros", N_("it holds macros: programs that run when it is opened")},
    {ATTACHMENT_LOCKED, "locked-archive", N_("it is locked with a password: no virus scanner has looked into it")},
    {ATTACHMENT_ENCRYPTED, "encrypted-document", N_("it is encrypted")},
};

char *
attachment_words(guint marks, const char *inside)
{
    gsize i = 0;
    while (i < G_N_ELEMENTS(rows) && !(marks & rows[i].mark))
        i++;
    if (i == G_N_ELEMENTS(rows))
        return NULL;
    if (inside && *inside && rows[i].mark == ATTACHMENT_OTHER_TYPE) {
        g_autofree char *kind = text_safe(_(inside), -1, TEXT_LINE);
        return g_strdup_printf(_("it is not what its name says, but %s"), kind);
    }
    if (inside && *inside && rows[i].mark == ATTACHMENT_HOLDS_PROGRAM) {
        g_autofree char *program = text_safe(inside, -1, TEXT_LINE);
        return g_strdup_printf(_("there is a program in it: %s"), program);
    }
    return g_strdup(_(rows[i].words));
}

const char *
attachment_mark_name(guint bit)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].mark == 1u << bit)
            return rows[i].name;
    return NULL;
}
