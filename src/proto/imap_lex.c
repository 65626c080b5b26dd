#include "config.h"

#include "proto/imap_lex.h"

#include <string.h>

struct lex
lex_new(const char *bytes, gsize length)
{
    return (struct lex){bytes, bytes + length};
}

gboolean
lex_is_end(const struct lex *lex)
{
    return lex->at == lex->end;
}

char
lex_peek(const struct lex *lex)
{
    return lex->at < lex->end ? *lex->at : 0;
}

gboolean
lex_char(struct lex *lex, char c)
{
    if (lex->at == lex->end || *lex->at != c)
        return FALSE;
    lex->at++;
    return TRUE;
}

gboolean
lex_space(struct lex *lex)
{
    const char *start = lex->at;
    while (lex->at < lex->end && (*lex->at == ' ' || *lex->at == '\t'))
        lex->at++;
    return lex->at > start;
}

static gboolean
ends_atom(char c)
{
    return (guchar)c <= ' ' || strchr("()[]{\"", c) != NULL || c == 0x7f;
}

gboolean
lex_word(struct lex *lex, const char *word)
{
    gsize length = strlen(word);
    if ((gsize)(lex->end - lex->at) < length || g_ascii_strncasecmp(lex->at, word, length))
        return FALSE;
    if (lex->at + length < lex->end && !ends_atom(lex->at[length]))
        return FALSE;
    lex->at += length;
    return TRUE;
}

static gboolean
take(struct lex *lex, const char *start, struct slice *out)
{
    *out = (struct slice){start, (gsize)(lex->at - start)};
    return lex->at > start;
}

gboolean
lex_atom(struct lex *lex, struct slice *atom)
{
    const char *start = lex->at;
    while (lex->at < lex->end && !ends_atom(*lex->at))
        lex->at++;
    return take(lex, start, atom);
}

gboolean
lex_flag(struct lex *lex, struct slice *flag)
{
    const char *start = lex->at;
    while (lex->at < lex->end && (guchar)*lex->at > ' ' && *lex->at != '(' && *lex->at != ')')
        lex->at++;
    return take(lex, start, flag);
}

gboolean
lex_item(struct lex *lex, struct slice *item)
{
    const char *start = lex->at;
    if (!lex_atom(lex, item))
        return FALSE;
    if (!lex_char(lex, '['))
        return TRUE;
    /* A section holds field names at most; they may be quoted, and then may hold a bracket. */
    gboolean quoted = FALSE;
    for (; lex->at < lex->end && (quoted || *lex->at != ']'); lex->at++) {
        if (*lex->at == '"')
            quoted = !quoted;
        else if (quoted && *lex->at == '\\' && lex->at + 1 < lex->end)
            lex->at++;
    }
    if (!lex_char(lex, ']'))
        return FALSE;
    if (lex_char(lex, '<')) {
        while (lex->at < lex->end && g_ascii_isdigit(*lex->at))
            lex->at++;
        if (!lex_char(lex, '>'))
            return FALSE;
    }
    return take(lex, start, item);
}

gboolean
lex_number(struct lex *lex, guint64 max, guint64 *number)
{
    const char *start = lex->at;
    guint64 value = 0;
    gboolean fits = TRUE;
    for (; lex->at < lex->end && g_ascii_isdigit(*lex->at); lex->at++) {
        guint64 digit = (guint64)(*lex->at - '0');
        if (value > (max - digit) / 10)
            fits = FALSE;
        else
            value = value * 10 + digit;
    }
    *number = value;
    return lex->at > start && fits;
}

static gboolean
take_quoted(struct lex *lex, GString *scratch, struct slice *string)
{
    const char *start = ++lex->at;
    while (lex->at < lex->end && *lex->at != '"' && *lex->at != '\\')
        lex->at++;
    if (lex_peek(lex) == '"') {
        take(lex, start, string);
        lex->at++;
        return TRUE;
    }
    g_string_truncate(scratch, 0);
    g_string_append_len(scratch, start, lex->at - start);
    for (; lex->at < lex->end; lex->at++) {
        if (*lex->at == '"') {
            lex->at++;
            *string = (struct slice){scratch->str, scratch->len};
            return TRUE;
        }
        if (*lex->at == '\\' && ++lex->at == lex->end)
            break;
        g_string_append_c(scratch, *lex->at);
    }
    return FALSE;
}

static gboolean
take_literal(struct lex *lex, struct slice *string, gboolean *elsewhere)
{
    gsize room = (gsize)(lex->end - lex->at);
    if (room >= strlen(LEX_ELSEWHERE) && !memcmp(lex->at, LEX_ELSEWHERE, strlen(LEX_ELSEWHERE))) {
        lex->at += strlen(LEX_ELSEWHERE);
        *string = (struct slice){NULL, 0};
        *elsewhere = TRUE;
        return TRUE;
    }
    guint64 length;
    lex->at++;
    if (!lex_number(lex, G_MAXSIZE, &length))
        return FALSE;
    lex_char(lex, '+');
    if (!lex_char(lex, '}') || !lex_char(lex, '\r') || !lex_char(lex, '\n'))
        return FALSE;
    if (length > (guint64)(lex->end - lex->at))
        return FALSE;
    *string = (struct slice){lex->at, (gsize)length};
    lex->at += length;
    return TRUE;
}

gboolean
lex_string(struct lex *lex, GString *scratch, struct slice *string, gboolean *elsewhere)
{
    gboolean ignored;
    if (!elsewhere)
        elsewhere = &ignored;
    *elsewhere = FALSE;
    if (lex->at + 1 < lex->end && lex->at[0] == '~' && lex->at[1] == '{') /* literal8, RFC 3516 */
        lex->at++;
    if (lex_peek(lex) == '"')
        return take_quoted(lex, scratch, string);
    if (lex_peek(lex) == '{')
        return take_literal(lex, string, elsewhere);
    if (lex_word(lex, "NIL")) {
        *string = (struct slice){NULL, 0};
        return TRUE;
    }
    return lex_flag(lex, string);
}

gboolean
lex_skip(struct lex *lex)
{
    guint depth = 0;
    g_autoptr(GString) scratch = NULL;
    do {
        struct slice ignored;
        lex_space(lex);
        if (lex_char(lex, '(')) {
            depth++;
        } else if (lex_peek(lex) == ')') {
            if (depth == 0)
                return FALSE;
            lex->at++;
            depth--;
        } else {
            if (!scratch)
                scratch = g_string_new(NULL);
            if (!lex_string(lex, scratch, &ignored, NULL))
                return FALSE;
        }
    } while (depth > 0);
    return TRUE;
}

gboolean
slice_is(const struct slice *slice, const char *word)
{
    return slice->bytes && strlen(word) == slice->length &&
           !g_ascii_strncasecmp(slice->bytes, word, slice->length);
}

gboolean
slice_has_prefix(const struct slice *slice, const char *prefix)
{
    gsize length = strlen(prefix);
    return slice->bytes && slice->length >= length && !g_ascii_strncasecmp(slice->bytes, prefix, length);
}

char *
slice_dup(const struct slice *slice)
{
    return slice->bytes ? g_strndup(slice->bytes, slice->length) : NULL;
}
