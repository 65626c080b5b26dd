/* Makes src/base/confusables.h: what looks like what (UTS 39), as ICU knows it. Not part of the build:
 *
 *     cc src/base/confusables_make.c $(pkg-config --cflags --libs glib-2.0 icu-i18n icu-uc) -o /tmp/confusables
 *     /tmp/confusables > src/base/confusables.h
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/uversion.h>

/* The prototype of a character; FALSE when it is its own. What normalisation changes needs no row. */
static gboolean
prototype(USpoofChecker *checker, UChar32 c, char *out, gsize size)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar in[4], skeleton[64];
    int32_t length = 0;
    char self[8];
    self[g_unichar_to_utf8((gunichar)c, self)] = '\0';
    u_strFromUTF32(in, G_N_ELEMENTS(in), &length, &c, 1, &code);
    length = uspoof_getSkeleton(checker, 0, in, length, skeleton, G_N_ELEMENTS(skeleton), &code);
    u_strToUTF8(out, (int32_t)size, NULL, skeleton, length, &code);
    g_autofree char *canonical = g_utf8_normalize(self, -1, G_NORMALIZE_NFD);
    g_autofree char *compatible = g_utf8_normalize(self, -1, G_NORMALIZE_NFKD);
    return U_SUCCESS(code) && !strcmp(self, canonical) && !strcmp(self, compatible) && strcmp(self, out);
}

int
main(void)
{
    UErrorCode code = U_ZERO_ERROR;
    USpoofChecker *checker = uspoof_open(&code);
    guint column = 0;
    if (U_FAILURE(code))
        return 1;
    printf("/* Made by src/base/confusables_make.c out of ICU %s, Unicode %s: confusables.txt of UTS 39, without what\n"
           " * normalisation changes by itself. The data is (C) Unicode, Inc., under the Unicode license\n"
           " * (https://www.unicode.org/license.txt). In the order of the characters. */\n",
           U_ICU_VERSION, U_UNICODE_VERSION);
    for (UChar32 c = 0x21; c <= 0x10ffff; c++) {
        char text[128];
        if ((c >= 0xd800 && c < 0xe000) || !u_isdefined(c) || !prototype(checker, c, text, sizeof text))
            continue;
        g_autoptr(GString) row = g_string_new(NULL);
        g_string_printf(row, "{0x%x, \"", (guint)c);
        for (const char *p = text; *p; p++)
            if (*p == '"' || *p == '\\')
                g_string_append_printf(row, "\\%c", *p);
            else if (*p > ' ' && *p < 0x7f)
                g_string_append_c(row, *p);
            else
                g_string_append_printf(row, "\\%03o", (guint8)*p);
        g_string_append(row, "\"},");
        printf("%s%s", column + row->len > 110 ? "\n" : column ? " " : "", row->str);
        column = column + row->len > 110 ? (guint)row->len : column + (guint)row->len + 1;
    }
    printf("\n");
    uspoof_close(checker);
    return 0;
}
