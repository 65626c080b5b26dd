/* attachment.h - what is to be said of an attachment before it is opened
 *
 * By its name (extensions, and how they are hidden) and by its bytes: what they are in truth, macros, what an archive
 * holds, whether it is locked. Nothing is unpacked: what an archive holds is read from its list of names, so that it
 * makes no difference how large it would become. Everything is bounded. The bytes are looked at inside the jailed reader
 * (attachment_bytes.c); the words are made outside. Formats: APPNOTE.TXT (zip), RAR 4 and 5 technotes, 7zFormat.txt,
 * [MS-CFB], [MS-DOC] 2.5.2, [MS-XLS] 2.4.117, [MS-CAB], ISO 32000-1 section 7.5.5, RFC 1952, POSIX ustar. Pure; any thread.
 */
#ifndef MAIL_ATTACHMENT_H
#define MAIL_ATTACHMENT_H

#include <glib.h>

enum attachment_mark {
    ATTACHMENT_PROGRAM = 1 << 0,       /* it would run when opened, or is a disk that would be mounted */
    ATTACHMENT_DOUBLE = 1 << 1,        /* "invoice.pdf.exe" */
    ATTACHMENT_DISGUISED = 1 << 2,     /* turned letters, or blanks that push the end of the name out of sight */
    ATTACHMENT_OTHER_TYPE = 1 << 3,    /* its bytes are not what its name says */
    ATTACHMENT_MACROS = 1 << 4,        /* an office document with programs in it */
    ATTACHMENT_LOCKED = 1 << 5,        /* an archive with a password: no scanner has looked into it */
    ATTACHMENT_HOLDS_PROGRAM = 1 << 6, /* an archive with a program in it */
    ATTACHMENT_ENCRYPTED = 1 << 7,     /* a document with a password: worth knowing, and common */
};
/* Those that are worth a question before it is opened. */
#define ATTACHMENT_WARNS                                                                                              \
    (ATTACHMENT_PROGRAM | ATTACHMENT_DOUBLE | ATTACHMENT_DISGUISED | ATTACHMENT_OTHER_TYPE | ATTACHMENT_MACROS |      \
     ATTACHMENT_LOCKED | ATTACHMENT_HOLDS_PROGRAM)

#define ATTACHMENT_HEAD 4096 /* bytes that tell whether the rest is worth looking at */
#define ATTACHMENT_INSIDE 100 /* bytes of *inside */

/* Of a file name as it came, not made safe; valid UTF-8. */
guint attachment_name_marks(const char *name);
/* Of the whole content, or of as much as there is. *inside: the name of the program in the archive, or what the bytes
 * are ("a program", in English); valid UTF-8, unsafe for a terminal; or NULL. */
guint attachment_bytes_marks(const char *name, const char *type, GBytes *content, char **inside);
/* The beginning is of a kind of which more must be seen. */
gboolean attachment_wants_all(const char *head, gsize length);

/* A program by the end of its name; in_archive: where developers' archives hold scripts, only those that nobody
 * ships as source. */
gboolean attachment_is_program_name(const char *name, gboolean in_archive);

/* The sentence of a set of marks ("this is a program"), the gravest; NULL: nothing is to be said. Translated; safe for
 * a terminal. New string. */
char *attachment_words(guint marks, const char *inside);
/* "program", …: of one bit, for JSON and the filter's tokens; NULL beyond the last. */
const char *attachment_mark_name(guint bit);

#endif
