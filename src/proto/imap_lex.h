/* imap_lex.h - words of one framed IMAP response (RFC 9051 section 9)
 *
 * Pure: reads a response that is whole in memory, never past its end, never recursively. Forgiving where that
 * is harmless (several spaces, atoms where a string belongs), strict with numbers.
 *
 * In a frame the literals stand as on the wire, "{n}", CR LF, n bytes. A literal whose bytes went elsewhere
 * (a message to its sink, or too long to keep) is LEX_ELSEWHERE; a server cannot write that, as CR LF ends
 * its line.
 *
 * Slices point into the frame, or into `scratch` when a string had to be unescaped; they live until the frame
 * does, and until scratch is next used.
 */
#ifndef PROTO_IMAP_LEX_H
#define PROTO_IMAP_LEX_H

#include <glib.h>

#define LEX_ELSEWHERE "{}\r\n"

struct lex {
    const char *at;
    const char *end;
};

struct slice {
    const char *bytes; /* NULL: NIL, or a literal that is elsewhere */
    gsize length;
};

struct lex lex_new(const char *bytes, gsize length);
gboolean lex_is_end(const struct lex *lex);
/* The next byte, or 0 at the end. */
char lex_peek(const struct lex *lex);
/* Takes the byte when it is next. */
gboolean lex_char(struct lex *lex, char c);
/* Takes blanks; TRUE when there was one. */
gboolean lex_space(struct lex *lex);
/* Takes the word, of any case, when it is next and ends there. */
gboolean lex_word(struct lex *lex, const char *word);
/* Everything up to a blank, bracket, brace or quote; FALSE when that is nothing. */
gboolean lex_atom(struct lex *lex, struct slice *atom);
/* An atom with '\', '*', '[' … in it: everything up to a blank or a parenthesis. */
gboolean lex_flag(struct lex *lex, struct slice *flag);
/* A FETCH item: "FLAGS", "BODY[HEADER.FIELDS (FROM TO)]<0>". */
gboolean lex_item(struct lex *lex, struct slice *item);
/* Digits, at most max. A number that is larger is taken, and FALSE. */
gboolean lex_number(struct lex *lex, guint64 max, guint64 *number);
/* Quoted string, literal, NIL, or an atom. elsewhere (may be NULL) tells that kind of NULL from NIL. */
gboolean lex_string(struct lex *lex, GString *scratch, struct slice *string, gboolean *elsewhere);
/* One value of any kind, parentheses and all. */
gboolean lex_skip(struct lex *lex);

gboolean slice_is(const struct slice *slice, const char *word); /* any case */
gboolean slice_has_prefix(const struct slice *slice, const char *prefix);
char *slice_dup(const struct slice *slice); /* NULL for NULL; stops at a NUL */

#endif
