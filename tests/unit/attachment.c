/* What is to be said of attachments: by name, by bytes, by what archives hold */
#include "config.h"

#include "mail/attachment.h"
#include "mailtest.h"

#include <string.h>

#define PROGRAM ATTACHMENT_PROGRAM
#define TWO (ATTACHMENT_PROGRAM | ATTACHMENT_DOUBLE)
#define HIDDEN (ATTACHMENT_PROGRAM | ATTACHMENT_DISGUISED)

static void
test_names(void)
{
    static const struct {
        const char *name;
        guint marks;
    } cases[] = {
        /* what people send each other */
        {"", 0},
        {"report.pdf", 0},
        {"Report of 12.11.2026.pdf", 0},
        {"photo.JPG", 0},
        {"minutes v1.2.docx", 0},
        {"budget.xlsm", 0}, /* by its bytes */
        {"archive.tar.gz", 0},
        {"backup.2026-11-12.zip", 0},
        {"fix.patch", 0},
        {"0001-store-one-write.patch", 0},
        {"build.sh", 0},
        {"tool.py", 0},
        {"configure.ac", 0},
        {"Makefile", 0},
        {"README", 0},
        {".bashrc", 0},
        {"exe", 0},
        {".exe", 0},
        {"exe.pdf", 0},
        {"about exe files.txt", 0},
        {"invite.ics", 0},
        {"card.vcf", 0},
        {"key.asc", 0},
        {"smime.p7s", 0},
        {"page.html", 0},
        {"index.html", 0},
        {"drawing.svg", 0},
        {"mail.eml", 0},
        {"data.csv", 0},
        {"song.mp3", 0},
        {"example.com", 0}, /* a host's name: by its bytes */
        {"google.com!example.org!1700000000!1700086400.zip", 0},
        {"two  blanks.pdf", 0},
        {"trailing blank.pdf ", 0},
        {"name        with a wide gap.pdf", 0},
        {"תמונה.jpg", 0},
        {"\xe2\x80\x8f" "تقرير.pdf", 0}, /* a right-to-left mark is no disguise */
        {"\xe2\x80\xab" "דוח.pdf" "\xe2\x80\xac", 0},
        {"отчёт.docx", 0},
        {"報告.pdf", 0},
        {"a.b.c.d", 0},
        {"notes.txt.gz", 0},
        /* programs */
        {"setup.exe", PROGRAM},
        {"SETUP.EXE", PROGRAM},
        {"a.scr", PROGRAM},
        {"a.pif", PROGRAM},
        {"a.bat", PROGRAM},
        {"a.cmd", PROGRAM},
        {"a.vbs", PROGRAM},
        {"a.js", PROGRAM},
        {"a.jse", PROGRAM},
        {"a.wsf", PROGRAM},
        {"a.hta", PROGRAM},
        {"a.lnk", PROGRAM},
        {"a.msi", PROGRAM},
        {"a.jar", PROGRAM},
        {"a.ps1", PROGRAM},
        {"a.reg", PROGRAM},
        {"a.cpl", PROGRAM},
        {"a.chm", PROGRAM},
        {"a.iso", PROGRAM},
        {"a.img", PROGRAM},
        {"a.vhd", PROGRAM},
        {"a.url", PROGRAM},
        {"a.xll", PROGRAM},
        {"a.apk", PROGRAM},
        {"a.settingcontent-ms", PROGRAM},
        {"setup-1.2.exe", PROGRAM},
        {"setup.exe.", PROGRAM}, /* a dot at the end is dropped */
        /* two endings */
        {"invoice.pdf.exe", TWO},
        {"invoice.PDF.Exe", TWO},
        {"photo.jpg.scr", TWO},
        {"letter.doc.js", TWO},
        {"list.xlsx.vbs", TWO},
        {"voice.wav.lnk", TWO},
        {"files.zip.exe", TWO},
        {"invoice.pdf.html", ATTACHMENT_DOUBLE},
        {"invoice.docx.htm", ATTACHMENT_DOUBLE},
        {"scan.jpg.svg", ATTACHMENT_DOUBLE},
        {"jquery.min.js", PROGRAM},
        {"archive.tar.exe", PROGRAM},
        {"page.html.html", 0},
        /* disguises */
        {"invoice.pdf                              .exe", TWO | ATTACHMENT_DISGUISED},
        {"invoice.exe   ", HIDDEN},
        {"invoice.exe\xc2\xa0", HIDDEN},
        {"invoice.pdf\xe2\x80\x83\xe2\x80\x83\xe2\x80\x83\xe2\x80\x83\xe2\x80\x83\xe2\x80\x83\xe2\x80\x83\xe2\x80\x83.exe",
         TWO | ATTACHMENT_DISGUISED},
        {"invoice\xe2\x80\xae" "fdp.exe", HIDDEN},
        {"photo\xe2\x80\xae" "gpj.scr", HIDDEN},
        {"\xe2\x80\xae" "cod.txt", ATTACHMENT_DISGUISED},
        {"a\xe2\x80\xad" "b.txt", ATTACHMENT_DISGUISED},
        {"setup.e\xe2\x80\x8bxe", PROGRAM}, /* what cannot be seen counts for nothing */
        {"setup.ex\xc2\xad" "e", PROGRAM},
        {"setup．ｅｘｅ", PROGRAM}, /* full width */
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].name);
        g_assert_cmphex(attachment_name_marks(cases[i].name), ==, cases[i].marks);
    }
}

/* --- files, made here */

static void
put(GByteArray *to, const void *bytes, gsize length)
{
    g_byte_array_append(to, bytes, (guint)length);
}

static void
put_number(GByteArray *to, guint64 number, guint bytes)
{
    for (guint i = 0; i < bytes; i++) {
        guint8 byte = (guint8)(number >> 8 * i);
        put(to, &byte, 1);
    }
}

static void
put_text(GByteArray *to, const char *text)
{
    put(to, text, strlen(text));
}

static void
put_zeros(GByteArray *to, gsize n)
{
    for (gsize i = 0; i < n; i++)
        put_number(to, 0, 1);
}

static GBytes *
done(GByteArray *bytes)
{
    return g_byte_array_free_to_bytes(bytes);
}

enum zip_how { ZIP_PLAIN, ZIP_NO_END, ZIP_LONG_COMMENT, ZIP_WRONG_OFFSET, ZIP_BOMB, ZIP_64 };

/* names: with commas between; one that begins with * is locked. */
static GBytes *
zip_of(const char *names, enum zip_how how)
{
    GByteArray *zip = g_byte_array_new(), *central = g_byte_array_new();
    g_auto(GStrv) list = g_strsplit(names, ",", -1);
    for (guint i = 0; list[i]; i++) {
        const char *name = list[i] + (*list[i] == '*');
        guint32 packed = 4, size = how == ZIP_BOMB ? G_MAXUINT32 - 1 : 4, offset = zip->len;
        put_text(zip, "PK\3\4");
        put_number(zip, 20, 2);
        put_number(zip, *list[i] == '*', 2);
        put_zeros(zip, 10);
        put_number(zip, packed, 4);
        put_number(zip, size, 4);
        put_number(zip, strlen(name), 2);
        put_number(zip, 0, 2);
        put_text(zip, name);
        put_text(zip, "data");
        put_text(central, "PK\1\2");
        put_number(central, 20, 2);
        put_number(central, 20, 2);
        put_number(central, *list[i] == '*', 2);
        put_zeros(central, 10);
        put_number(central, packed, 4);
        put_number(central, size, 4);
        put_number(central, strlen(name), 2);
        put_zeros(central, 12);
        put_number(central, offset, 4);
        put_text(central, name);
    }
    guint32 start = zip->len, size = central->len;
    put(zip, central->data, central->len);
    g_byte_array_unref(central);
    if (how == ZIP_NO_END)
        return done(zip);
    put_text(zip, "PK\5\6");
    put_zeros(zip, 4);
    put_number(zip, how == ZIP_64 ? 0xffff : g_strv_length(list), 2);
    put_number(zip, how == ZIP_64 ? 0xffff : g_strv_length(list), 2);
    put_number(zip, size, 4);
    put_number(zip, how == ZIP_WRONG_OFFSET ? start + 1000 : start, 4);
    put_number(zip, how == ZIP_LONG_COMMENT ? 60000 : 0, 2);
    if (how == ZIP_LONG_COMMENT)
        put_zeros(zip, 60000);
    return done(zip);
}

/* names as above. */
static GBytes *
rar4_of(const char *names, gboolean all_locked)
{
    GByteArray *rar = g_byte_array_new();
    g_auto(GStrv) list = g_strsplit(names, ",", -1);
    put(rar, "Rar!\x1a\7\0", 7);
    put_number(rar, 0, 2);
    put_number(rar, 0x73, 1);
    put_number(rar, all_locked ? 0x80 : 0, 2);
    put_number(rar, 13, 2);
    put_zeros(rar, 6);
    for (guint i = 0; list[i]; i++) {
        const char *name = list[i] + (*list[i] == '*');
        put_number(rar, 0, 2);
        put_number(rar, 0x74, 1);
        put_number(rar, 0x8000 | (*list[i] == '*' ? 4 : 0), 2);
        put_number(rar, 32 + strlen(name), 2);
        put_number(rar, 4, 4);
        put_number(rar, 1000, 4);
        put_zeros(rar, 11);
        put_number(rar, strlen(name), 2);
        put_zeros(rar, 4);
        put_text(rar, name);
        put_text(rar, "data");
    }
    return done(rar);
}

static GBytes *
rar5_of(const char *names, gboolean all_locked)
{
    GByteArray *rar = g_byte_array_new();
    g_auto(GStrv) list = g_strsplit(names, ",", -1);
    put(rar, "Rar!\x1a\7\1\0", 8);
    if (all_locked) {
        put_zeros(rar, 4);
        put(rar, "\3\4\0\0", 4);
        return done(rar);
    }
    put_zeros(rar, 4);
    put(rar, "\3\1\0\0", 4);
    for (guint i = 0; list[i]; i++) {
        gboolean is_locked = *list[i] == '*';
        const char *name = list[i] + is_locked;
        guint extra = is_locked ? 3 : 0;
        put_zeros(rar, 4);
        put_number(rar, 2 + 1 + (is_locked ? 1 : 0) + 6 + strlen(name) + extra, 1);
        put_number(rar, 2, 1);
        put_number(rar, is_locked ? 3 : 2, 1);
        if (is_locked)
            put_number(rar, extra, 1);
        put_number(rar, 4, 1); /* data */
        put(rar, "\0\4\0\0\0", 5);
        put_number(rar, strlen(name), 1);
        put_text(rar, name);
        if (is_locked)
            put(rar, "\2\1\0", 3);
        put_text(rar, "data");
    }
    return done(rar);
}

static void
put_wide(GByteArray *to, const char *text)
{
    for (const char *p = text; *p; p++)
        put_number(to, (guint8)*p, 2);
}

static GBytes *
sevenzip_of(const char *names, gboolean is_locked, gboolean is_packed)
{
    GByteArray *file = g_byte_array_new(), *header = g_byte_array_new();
    g_auto(GStrv) list = g_strsplit(names, ",", -1);
    put_number(header, is_packed ? 0x17 : 1, 1);
    if (is_locked)
        put(header, "\x24\x06\xf1\x07\x01", 5);
    GByteArray *wide = g_byte_array_new();
    put_number(wide, 0, 1);
    for (guint i = 0; list[i] && !is_packed; i++) {
        put_wide(wide, list[i]);
        put_number(wide, 0, 2);
    }
    put_number(header, 0x11, 1);
    if (wide->len < 0x80) {
        put_number(header, wide->len, 1);
    } else {
        put_number(header, 0x80 | wide->len >> 8, 1);
        put_number(header, wide->len, 1);
    }
    put(header, wide->data, wide->len);
    put_number(header, 0, 2);
    put(file, "7z\xbc\xaf\x27\x1c\0\4", 8);
    put_number(file, 0, 4);
    put_number(file, 4, 8);
    put_number(file, header->len, 8);
    put_number(file, 0, 4);
    put_text(file, "data");
    put(file, header->data, header->len);
    g_byte_array_unref(wide);
    g_byte_array_unref(header);
    return done(file);
}

static GBytes *
cab_of(const char *names)
{
    GByteArray *cab = g_byte_array_new();
    g_auto(GStrv) list = g_strsplit(names, ",", -1);
    put(cab, "MSCF\0\0\0\0", 8);
    put_zeros(cab, 8);
    put_number(cab, 36, 4);
    put_zeros(cab, 8);
    put_number(cab, g_strv_length(list), 2);
    put_zeros(cab, 6);
    for (guint i = 0; list[i]; i++) {
        put_zeros(cab, 16);
        put(cab, list[i], strlen(list[i]) + 1);
    }
    return done(cab);
}

static GBytes *
tar_of(const char *names)
{
    GByteArray *tar = g_byte_array_new();
    g_auto(GStrv) list = g_strsplit(names, ",", -1);
    for (guint i = 0; list[i]; i++) {
        guint8 block[1024] = {0};
        memcpy(block, list[i], strlen(list[i]));
        memcpy(block + 124, "00000000004", 12);
        memcpy(block + 257, "ustar", 5);
        put(tar, block, sizeof block);
    }
    return done(tar);
}

static GBytes *
gzip_of(const char *name)
{
    GByteArray *gzip = g_byte_array_new();
    put(gzip, "\x1f\x8b\x08\x08\0\0\0\0\0\3", 10);
    put(gzip, name, strlen(name) + 1);
    put_text(gzip, "data");
    return done(gzip);
}

/* A compound file: sector 0 is its table, the directory fills two sectors that do not stand together, and the last
 * sector is the stream of the first entry. */
static GBytes *
ole_of(const char *names, const void *stream, gsize length)
{
    GByteArray *ole = g_byte_array_new();
    g_auto(GStrv) list = g_strsplit(names, ",", -1);
    put(ole, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
    put_zeros(ole, 22);
    put_number(ole, 9, 2);
    put_zeros(ole, 16);
    put_number(ole, 1, 4); /* the directory */
    put_zeros(ole, 24);
    put_number(ole, 0, 4); /* the table */
    put_zeros(ole, 512 - ole->len);
    put_number(ole, 0xfffffffd, 4);
    put_number(ole, 3, 4);
    put_number(ole, 0xfffffffe, 4);
    put_number(ole, 0xfffffffe, 4);
    put_zeros(ole, 1024 - ole->len);
    for (guint sector = 1; sector < 4; sector++) {
        for (guint i = 0; i < 4; i++) {
            guint which = sector == 1 ? i : 4 + i;
            guint8 entry[128] = {0};
            const char *name = sector != 2 && which < g_strv_length(list) ? list[which] : "";
            for (guint n = 0; name[n]; n++)
                entry[2 * n] = (guint8)name[n];
            entry[64] = (guint8)(2 * strlen(name) + 2);
            entry[116] = 2;
            if (sector != 2)
                put(ole, entry, sizeof entry);
        }
        if (sector == 2) {
            put(ole, stream, length);
            put_zeros(ole, 512 - length);
        }
    }
    return done(ole);
}

static void
check(GBytes *content, const char *name, const char *type, guint marks, const char *inside)
{
    g_autofree char *found = NULL;
    g_autoptr(GBytes) bytes = content;
    g_test_message("%s", name);
    g_assert_cmphex(attachment_bytes_marks(name, type, bytes, &found), ==, marks);
    g_assert_cmpstr(found, ==, inside);
    /* and however much of it is missing, nothing breaks */
    gsize length = g_bytes_get_size(bytes);
    for (gsize n = 0; n < length; n += 1 + length / 300) {
        g_autofree char *ignored = NULL;
        g_autofree guint8 *copy = g_memdup2(g_bytes_get_data(bytes, NULL), MAX(n, 1));
        g_autoptr(GBytes) part = g_bytes_new(copy, n); /* so that a step beyond is seen */
        attachment_bytes_marks(name, type, part, &ignored);
    }
}

#define ZIP "application/zip"
#define HOLDS ATTACHMENT_HOLDS_PROGRAM
#define LOCKED ATTACHMENT_LOCKED

static void
test_archives(void)
{
    check(zip_of("a.txt,b/c.pdf", ZIP_PLAIN), "a.zip", ZIP, 0, NULL);
    check(zip_of("", ZIP_PLAIN), "a.zip", ZIP, 0, NULL);
    check(zip_of("a.txt,setup.exe", ZIP_PLAIN), "a.zip", ZIP, HOLDS, "setup.exe");
    check(zip_of("deep/er/invoice.pdf.scr", ZIP_PLAIN), "a.zip", ZIP, HOLDS, "invoice.pdf.scr");
    check(zip_of("a.lnk", ZIP_PLAIN), "a.zip", ZIP, HOLDS, "a.lnk");
    check(zip_of("src/app.js,run.bat,lib/x.jar,build.ps1", ZIP_PLAIN), "src.zip", ZIP, 0, NULL);
    check(zip_of("*a.txt", ZIP_PLAIN), "a.zip", ZIP, LOCKED, NULL);
    check(zip_of("*a.exe", ZIP_PLAIN), "a.zip", ZIP, LOCKED | HOLDS, "a.exe");
    check(zip_of("*folder/", ZIP_PLAIN), "a.zip", ZIP, 0, NULL);
    check(zip_of("a.txt,x.exe", ZIP_NO_END), "a.zip", ZIP, HOLDS, "x.exe");
    check(zip_of("a.txt,x.exe", ZIP_LONG_COMMENT), "a.zip", ZIP, HOLDS, "x.exe");
    check(zip_of("a.txt,x.exe", ZIP_WRONG_OFFSET), "a.zip", ZIP, HOLDS, "x.exe");
    check(zip_of("a.txt,x.exe", ZIP_64), "a.zip", ZIP, HOLDS, "x.exe");
    check(zip_of("zeros.bin", ZIP_BOMB), "a.zip", ZIP, 0, NULL);
    check(zip_of("[Content_Types].xml,word/document.xml", ZIP_PLAIN), "a.docx", "application/octet-stream", 0, NULL);
    check(zip_of("word/document.xml,word/vbaProject.bin", ZIP_PLAIN), "a.docm", "application/octet-stream",
          ATTACHMENT_MACROS, NULL);
    check(zip_of("word/vbaProject.bin", ZIP_PLAIN), "a.docx", "application/octet-stream", ATTACHMENT_MACROS, NULL);
    check(zip_of("xl/workbook.xml,xl/macrosheets/sheet1.xml", ZIP_PLAIN), "a.xlsx", "application/octet-stream",
          ATTACHMENT_MACROS, NULL);
    check(zip_of("content.xml,Basic/script-lc.xml,Basic/Standard/script-lb.xml", ZIP_PLAIN), "a.odt", "x/y", 0, NULL);
    check(zip_of("content.xml,Basic/Standard/Module1.xml", ZIP_PLAIN), "a.odt", "x/y", ATTACHMENT_MACROS, NULL);
    check(rar4_of("a.txt", FALSE), "a.rar", "x/y", 0, NULL);
    check(rar4_of("a.txt,b.exe", FALSE), "a.rar", "x/y", HOLDS, "b.exe");
    check(rar4_of("*a.txt", FALSE), "a.rar", "x/y", LOCKED, NULL);
    check(rar4_of("a.exe", TRUE), "a.rar", "x/y", LOCKED, NULL);
    check(rar5_of("a.txt", FALSE), "a.rar", "x/y", 0, NULL);
    check(rar5_of("a.txt,b.exe", FALSE), "a.rar", "x/y", HOLDS, "b.exe");
    check(rar5_of("*a.txt", FALSE), "a.rar", "x/y", LOCKED, NULL);
    check(rar5_of("a.txt", TRUE), "a.rar", "x/y", LOCKED, NULL);
    check(sevenzip_of("a.txt", FALSE, FALSE), "a.7z", "x/y", 0, NULL);
    check(sevenzip_of("a.txt,b.scr", FALSE, FALSE), "a.7z", "x/y", HOLDS, "b.scr");
    check(sevenzip_of("some/long/folder/name/with/a/file.txt,another/long/one/setup.exe", FALSE, FALSE), "a.7z", "x/y",
          HOLDS, "setup.exe");
    check(sevenzip_of("a.exe", TRUE, TRUE), "a.7z", "x/y", LOCKED, NULL);
    check(sevenzip_of("a.exe", FALSE, TRUE), "a.7z", "x/y", 0, NULL);
    check(cab_of("a.txt,b.exe"), "a.dat", "x/y", HOLDS, "b.exe");
    check(tar_of("a.txt,b/c.vbs"), "a.tar", "x/y", HOLDS, "c.vbs");
    check(tar_of("a.txt,b/c.sh"), "a.tar", "x/y", 0, NULL);
    check(gzip_of("a.exe"), "a.gz", "x/y", HOLDS, "a.exe");
    check(gzip_of("a.tar"), "a.gz", "x/y", 0, NULL);
}

static GBytes *
text(const char *content)
{
    return g_bytes_new(content, strlen(content));
}

#define BYTES(literal) g_bytes_new(literal, sizeof(literal) - 1)
#define OTHER ATTACHMENT_OTHER_TYPE
#define PE "MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0"
#define ELF "\x7f" "ELF\2\1\1"

static void
test_types(void)
{
    check(text("%PDF-1.7\n"), "a.pdf", "application/pdf", 0, NULL);
    check(text("garbage before\n%PDF-1.7\n"), "a.pdf", "application/pdf", 0, NULL);
    check(text("no pdf"), "a.pdf", "application/pdf", 0, NULL);
    check(text("<html><script>x</script>"), "a.pdf", "application/pdf", OTHER, "a web page");
    check(text("\xef\xbb\xbf \n<!DOCTYPE HTML>"), "a.pdf", "application/octet-stream", OTHER, "a web page");
    check(text("<html>"), "a.html", "text/html", 0, NULL);
    check(text("<html>"), "a.xls", "application/vnd.ms-excel", 0, NULL); /* many programs export so */
    check(text("<html>"), "a.txt", "text/plain", 0, NULL);
    check(zip_of("a.txt", ZIP_PLAIN), "a.pdf", "application/pdf", OTHER, "an archive");
    check(zip_of("a.exe", ZIP_PLAIN), "a.pdf", "application/pdf", OTHER | HOLDS, "an archive");
    check(zip_of("a.txt", ZIP_PLAIN), "a.jpg", "image/jpeg", OTHER, "an archive");
    check(rar4_of("a.txt", FALSE), "a.zip", ZIP, OTHER, "an archive");
    check(zip_of("a", ZIP_PLAIN), "a.epub", "x/y", 0, NULL);
    check(zip_of("a", ZIP_PLAIN), "noname", "application/zip", 0, NULL);
    check(zip_of("a", ZIP_PLAIN), "", "application/pdf", OTHER, "an archive");
    check(BYTES(PE), "a.pdf", "application/pdf", OTHER, "a program");
    check(BYTES(PE), "a.txt", "text/plain", OTHER, "a program");
    check(BYTES(PE), "a.doc", "x/y", OTHER, "a program");
    check(BYTES(PE), "a.dat", "x/y", OTHER, "a program");
    check(BYTES(PE), "example.com", "x/y", OTHER, "a program");
    check(BYTES(PE), "a.exe", "x/y", PROGRAM, NULL);
    check(BYTES(PE), "noname", "x/y", PROGRAM, NULL);
    check(BYTES(ELF), "a.out", "x/y", OTHER, "a program");
    check(BYTES(ELF), "tool", "x/y", PROGRAM, NULL);
    check(BYTES("\xcf\xfa\xed\xfe\7\0\0\1"), "tool", "x/y", PROGRAM, NULL);
    check(BYTES("\x4c\0\0\0\x01\x14\x02\0"), "a.pdf", "x/y", OTHER, "a shortcut that runs something");
    check(text("MZ is how the letter begins, and there is nothing else to it"), "a.txt", "text/plain", 0, NULL);
    check(BYTES("\x89PNG\r\n\x1a\n"), "a.jpg", "image/jpeg", 0, NULL);
    check(BYTES("\xff\xd8\xff\xe0"), "a.png", "image/png", 0, NULL);
    check(text("GIF89a"), "a.gif", "image/gif", 0, NULL);
    check(text(""), "a.pdf", "application/pdf", 0, NULL);
    check(text("%PDF-1.7\ntrailer\n<< /Size 9 /Encrypt 12 0 R /Root 1 0 R >>"), "a.pdf", "x/y", ATTACHMENT_ENCRYPTED,
          NULL);
    check(text("%PDF-1.7\ntrailer\n<</Encrypt<</Filter/Standard>>>>"), "a.pdf", "x/y", ATTACHMENT_ENCRYPTED, NULL);
    check(text("%PDF-1.7\n(about /Encrypt and /EncryptMetadata)"), "a.pdf", "x/y", 0, NULL);
}

static void
test_office(void)
{
    static const guint8 plain_word[16] = {0xec, 0xa5}, locked_word[16] = {0xec, 0xa5, [11] = 1};
    static const guint8 plain_book[16] = {0x09, 0x08, 2, 0, 0, 6, 0x42, 0},
                        locked_book[16] = {0x09, 0x08, 2, 0, 0, 6, 0x2f, 0};
    check(ole_of("Root Entry,WordDocument", plain_word, 16), "a.doc", "x/y", 0, NULL);
    check(ole_of("Root Entry,WordDocument", locked_word, 16), "a.doc", "x/y", ATTACHMENT_ENCRYPTED, NULL);
    check(ole_of("Root Entry,Workbook", plain_book, 16), "a.xls", "x/y", 0, NULL);
    check(ole_of("Root Entry,Workbook", locked_book, 16), "a.xls", "x/y", ATTACHMENT_ENCRYPTED, NULL);
    check(ole_of("Root Entry,WordDocument,Macros,VBA", plain_word, 16), "a.doc", "x/y", ATTACHMENT_MACROS, NULL);
    check(ole_of("Root Entry,1,2,3,4,_VBA_PROJECT", plain_word, 16), "a.doc", "x/y", ATTACHMENT_MACROS, NULL);
    check(ole_of("Root Entry,EncryptionInfo,EncryptedPackage", plain_word, 16), "a.docx", "x/y", ATTACHMENT_ENCRYPTED,
          NULL);
    check(ole_of("Root Entry,__properties_version1.0", plain_word, 16), "a.msg", "x/y", 0, NULL);
    check(ole_of("Root Entry", plain_word, 16), "a.pdf", "application/pdf", OTHER, "an office document");
}

/* Chains that end in themselves, numbers that point anywhere: it ends, and soon. */
static void
test_hostile(void)
{
    static const char *const starts[] = {"PK\3\4", "PK\5\6", "Rar!\x1a\7\1", "Rar!\x1a\7", "7z\xbc\xaf\x27\x1c", "MSCF",
                                         "\x1f\x8b\x08\x0c", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "%PDF-/Encrypt"};
    for (guint round = 0; round < 4000; round++) {
        guint8 bytes[2048];
        gsize length = (gsize)g_test_rand_int_range(8, sizeof bytes);
        for (gsize i = 0; i < length; i++)
            bytes[i] = (guint8)(g_test_rand_bit() ? 0 : g_test_rand_int_range(0, 256));
        const char *start = starts[round % G_N_ELEMENTS(starts)];
        memcpy(bytes, start, MIN(strlen(start), length));
        if (length > 50 && round % 3 == 0) {
            bytes[30] = 9;
            bytes[31] = 0;
            memset(bytes + 48, 0, 2);
        }
        g_autoptr(GBytes) content = g_bytes_new(bytes, length);
        g_autofree char *inside = NULL;
        attachment_bytes_marks("a.pdf", "x/y", content, &inside);
        g_assert_true(!inside || (g_utf8_validate(inside, -1, NULL) && strlen(inside) <= ATTACHMENT_INSIDE));
    }
}

static void
test_words(void)
{
    guint seen = 0;
    for (guint bit = 0; attachment_mark_name(bit); bit++) {
        g_autofree char *words = attachment_words(1u << bit, NULL);
        g_assert_nonnull(words);
        seen |= 1u << bit;
    }
    g_assert_cmphex(seen, ==, ATTACHMENT_WARNS | ATTACHMENT_ENCRYPTED);
    g_assert_null(attachment_words(0, NULL));
    g_autofree char *named = attachment_words(HOLDS, "a\x1b[1mb.exe");
    g_assert_cmpstr(named, ==, "there is a program in it: a\xef\xbf\xbd[1mb.exe");
}

/* Through the whole of a message: the name before it was made safe, the bytes decoded. */
static void
test_message(void)
{
    g_autoptr(GBytes) zip = zip_of("read me.txt,invoice.exe", ZIP_PLAIN);
    g_autofree char *base64 = g_base64_encode(g_bytes_get_data(zip, NULL), g_bytes_get_size(zip));
    g_autofree char *message = g_strdup_printf(
        "From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n"
        "--b\nContent-Type: application/zip; name=a.zip\nContent-Disposition: attachment; filename=a.zip\n"
        "Content-Transfer-Encoding: base64\n\n%s\n--b\nContent-Type: text/plain\n"
        "Content-Disposition: attachment; filename*=utf-8''photo%%E2%%80%%AEgpj.scr\n\nx\n--b--\n",
        base64);
    g_autoptr(struct_document) document = parse_text(message);
    const struct document_part *text_part = document_part(document, 2), *archive = document_part(document, 3),
                               *turned = document_part(document, 4);
    g_assert_cmphex(text_part->marks, ==, 0);
    g_assert_cmphex(archive->marks, ==, HOLDS);
    g_assert_cmpstr(archive->inside, ==, "invoice.exe");
    g_assert_cmphex(turned->marks, ==, HIDDEN);
    g_assert_cmpstr(turned->filename, ==, "photogpj.scr");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/attachment/names", test_names);
    g_test_add_func("/attachment/archives", test_archives);
    g_test_add_func("/attachment/types", test_types);
    g_test_add_func("/attachment/office", test_office);
    g_test_add_func("/attachment/hostile", test_hostile);
    g_test_add_func("/attachment/words", test_words);
    g_test_add_func("/attachment/message", test_message);
    return g_test_run();
}
