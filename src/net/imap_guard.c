#include "config.h"

#include "net/imap_guard.h"

#include "net/stream.h"

#include <string.h>

static const struct imap_guard_limits default_limits = {
    .line = 1024 * 1024,
    .literal = 256 * 1024 * 1024,
    .volume = 64 * 1024 * 1024,
    .depth = 100,
};

/* What kind of response a line begins; libetpan takes the text of a state response as it is, but looks for
 * strings in data. */
enum kind {
    KIND_START, /* nothing of it has been seen */
    KIND_STAR,  /* "*" and blanks */
    KIND_WORD,  /* gathering the word after them */
    KIND_DATA,  /* untagged data: FETCH, LIST … */
    KIND_TEXT   /* "* OK" and its like, "+", tagged: human text, perhaps after a [code] */
};

/* Progress of "{123}" at the end of a line. */
enum brace { BRACE_NONE, BRACE_OPEN, BRACE_PLUS, BRACE_CLOSED, BRACE_CR };

enum code { CODE_BEFORE, CODE_INSIDE, CODE_AFTER };

struct imap_guard {
    struct imap_guard_limits limits;
    gboolean allow_literals;
    char *refusal; /* why it is closed, or NULL */

    guint64 literal_left;
    gsize line;     /* bytes of this response outside literals */
    guint64 volume; /* the same of all since the last tagged response */

    enum kind kind;
    gboolean tagged;
    char word[8];
    guint word_length;

    guint depth;
    gboolean quoted, escaped;
    enum code code; /* where we are in the text of a state response */

    enum brace brace;
    guint64 size; /* the digits so far; stays over the limit once there */
    guint digits;
    gboolean blanks; /* blanks in or after the braces: some parsers take that for a literal, some do not */
};

struct imap_guard *
imap_guard_new(void)
{
    struct imap_guard *guard = g_new0(struct imap_guard, 1);
    guard->limits = default_limits;
    return guard;
}

void
imap_guard_free(struct imap_guard *guard)
{
    if (!guard)
        return;
    g_free(guard->refusal);
    g_free(guard);
}

void
imap_guard_set_limits(struct imap_guard *guard, const struct imap_guard_limits *limits)
{
    guard->limits = *limits;
}

const struct imap_guard_limits *
imap_guard_get_limits(const struct imap_guard *guard)
{
    return &guard->limits;
}

void
imap_guard_allow_literals(struct imap_guard *guard, gboolean allow)
{
    guard->allow_literals = allow;
}

void
imap_guard_begin_command(struct imap_guard *guard)
{
    guard->volume = 0;
}

static gboolean refuse(struct imap_guard *guard, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
refuse(struct imap_guard *guard, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    guard->refusal = g_strdup_vprintf(format, args);
    va_end(args);
    return FALSE;
}

/* ---- what a response is ---- */

static void
begin_response(struct imap_guard *guard)
{
    if (guard->tagged)
        guard->volume = 0;
    guard->line = 0;
    guard->kind = KIND_START;
    guard->tagged = FALSE;
    guard->word_length = 0;
    guard->depth = 0;
    guard->quoted = guard->escaped = FALSE;
    guard->code = CODE_BEFORE;
    guard->brace = BRACE_NONE;
}

static void
classify_word(struct imap_guard *guard)
{
    static const char *const states[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};
    guard->kind = KIND_DATA;
    for (guint i = 0; i < G_N_ELEMENTS(states); i++)
        if (strlen(states[i]) == guard->word_length &&
            g_ascii_strncasecmp(guard->word, states[i], guard->word_length) == 0)
            guard->kind = KIND_TEXT;
}

static gboolean
is_blank(guint8 c)
{
    return c == ' ' || c == '\t';
}

static void
classify(struct imap_guard *guard, guint8 c)
{
    switch (guard->kind) {
    case KIND_START:
        if (c == '*') {
            guard->kind = KIND_STAR;
        } else {
            guard->kind = KIND_TEXT;
            guard->tagged = c != '+';
            /* The tag and the state word are no text yet, but neither holds a bracket. */
        }
        break;
    case KIND_STAR:
        if (is_blank(c))
            break;
        guard->kind = KIND_WORD;
        G_GNUC_FALLTHROUGH;
    case KIND_WORD:
        if (is_blank(c) || c == '\r' || c == '\n' || c == '[' || guard->word_length == sizeof guard->word)
            classify_word(guard);
        else
            guard->word[guard->word_length++] = (char)c;
        break;
    case KIND_DATA:
    case KIND_TEXT:
        break;
    }
}

/* ---- inside a response ---- */

static gboolean
count_depth(struct imap_guard *guard, guint8 c)
{
    if (c == '(' && ++guard->depth > guard->limits.depth)
        return refuse(guard, "the server nests parentheses more than %u deep", guard->limits.depth);
    if (c == ')' && guard->depth > 0)
        guard->depth--;
    return TRUE;
}

static gboolean
in_structure(struct imap_guard *guard, guint8 c)
{
    if (guard->kind == KIND_TEXT) {
        if (c == '[' && guard->code == CODE_BEFORE)
            guard->code = CODE_INSIDE;
        else if (c == ']' && guard->code == CODE_INSIDE)
            guard->code = CODE_AFTER;
        return count_depth(guard, c);
    }
    if (!guard->quoted) {
        guard->quoted = c == '"';
        return guard->quoted || count_depth(guard, c);
    }
    if (guard->escaped)
        guard->escaped = FALSE;
    else if (c == '\\')
        guard->escaped = TRUE;
    else if (c == '"')
        guard->quoted = FALSE;
    return TRUE;
}

static void
in_braces(struct imap_guard *guard, guint8 c)
{
    enum brace before = guard->brace;
    if (c == '{') {
        guard->brace = BRACE_OPEN;
        guard->size = 0;
        guard->digits = 0;
        guard->blanks = FALSE;
        return;
    }
    if (before == BRACE_NONE)
        return;
    if (is_blank(c) && before != BRACE_CR) {
        guard->blanks = TRUE;
        return;
    }
    guard->brace = BRACE_NONE;
    if (before == BRACE_OPEN && g_ascii_isdigit(c)) {
        guard->brace = BRACE_OPEN;
        guard->digits++;
        if (guard->size <= guard->limits.literal)
            guard->size =
                guard->size > (G_MAXUINT64 - 9) / 10 ? G_MAXUINT64 : guard->size * 10 + (guint64)(c - '0');
    } else if (before == BRACE_OPEN && c == '+') {
        guard->brace = BRACE_PLUS;
    } else if ((before == BRACE_OPEN || before == BRACE_PLUS) && c == '}' && guard->digits > 0) {
        guard->brace = BRACE_CLOSED;
    } else if (before == BRACE_CLOSED && c == '\r') {
        guard->brace = BRACE_CR;
    }
}

/* At LF. */
static gboolean
end_line(struct imap_guard *guard, enum brace brace)
{
    if (brace != BRACE_CLOSED && brace != BRACE_CR) {
        begin_response(guard);
        return TRUE;
    }
    if (!guard->allow_literals)
        return refuse(guard, "the server sent a literal before the login");
    if (guard->kind == KIND_TEXT && guard->code == CODE_INSIDE)
        return refuse(guard, "the server sent a literal in a response code");
    if (guard->kind == KIND_TEXT) { /* "* OK see {3}" is text */
        begin_response(guard);
        return TRUE;
    }
    if (guard->quoted || guard->blanks)
        return refuse(guard, "the server sent a malformed literal");
    if (guard->size > guard->limits.literal)
        return refuse(guard, "the server announced a literal of more than %" G_GUINT64_FORMAT " bytes",
                      guard->limits.literal);
    guard->literal_left = guard->size;
    guard->brace = BRACE_NONE;
    return TRUE;
}

static gboolean
check_byte(struct imap_guard *guard, guint8 c)
{
    enum brace brace = guard->brace;
    if (++guard->line > guard->limits.line)
        return refuse(guard,
                      "the server sent a response of more than %" G_GSIZE_FORMAT " bytes without an end",
                      guard->limits.line);
    if (++guard->volume > guard->limits.volume)
        return refuse(guard, "the server sent more than %" G_GUINT64_FORMAT " bytes that were not asked for",
                      guard->limits.volume);
    classify(guard, c);
    if (c == '\n')
        return end_line(guard, brace);
    in_braces(guard, c);
    return in_structure(guard, c);
}

gboolean
imap_guard_check(gpointer data, const guint8 *bytes, gsize length, GError **error)
{
    struct imap_guard *guard = data;
    for (gsize i = 0; i < length && !guard->refusal; i++) {
        if (guard->literal_left > 0) {
            gsize skip = (gsize)MIN(guard->literal_left, (guint64)(length - i));
            guard->literal_left -= skip;
            i += skip - 1;
            continue;
        }
        check_byte(guard, bytes[i]);
    }
    if (!guard->refusal)
        return TRUE;
    g_set_error(error, STREAM_ERROR, ERROR_SECURITY, "%s: the connection was closed", guard->refusal);
    return FALSE;
}
