#include "config.h"

#include "mail/guard.h"

#include "mail/limits.h"

#include <string.h>

/* A delimiter opens or closes: two a part are plenty. */
#define DELIMITERS_MAX (2 * LIMIT_PARTS + 100)
#define BOUNDARY_MAX 256

struct guard {
    const char *bytes;
    gsize length;
    char *copy; /* made when something is blanked */
    guint flags;
    GHashTable *boundaries; /* of char * */
    guint delimiters;

    /* the header block that is being read */
    gboolean in_header;
    gboolean next_is_header; /* it belongs to a message/…: another one follows */
    gsize block_start;
    guint fields;
    /* the field that is being read */
    gsize field_start;
    gboolean has_field;
};

/* Everything but line ends becomes a space: a line of spaces continues the field before it. */
static void
blank(struct guard *guard, gsize from, gsize to)
{
    if (!guard->copy) {
        guard->copy = g_memdup2(guard->bytes, guard->length);
        guard->bytes = guard->copy;
    }
    for (gsize i = from; i < to; i++)
        if (guard->copy[i] != '\n' && guard->copy[i] != '\r')
            guard->copy[i] = ' ';
}

static gboolean
name_is(const char *field, gsize length, const char *name)
{
    gsize n = strlen(name);
    if (length <= n || g_ascii_strncasecmp(field, name, n) != 0)
        return FALSE;
    while (n < length && (field[n] == ' ' || field[n] == '\t'))
        n++;
    return n < length && field[n] == ':';
}

static gboolean
is_address_field(const char *field, gsize length)
{
    static const char *const names[] = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc"};
    if (length > 7 && g_ascii_strncasecmp(field, "Resent-", 7) == 0)
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (name_is(field, length, names[i]))
            return TRUE;
    return FALSE;
}

static void
check_address_field(struct guard *guard, gsize start, gsize end)
{
    gsize limit = MIN(end, start + LIMIT_ADDRESS_FIELD);
    guint colons = 0;
    for (gsize i = start; i < limit; i++)
        if (guard->bytes[i] == ':' && ++colons > LIMIT_GROUPS) {
            limit = i;
            break;
        }
    if (limit == end)
        return;
    for (gsize i = limit; i > start; i--) /* half an address is another address */
        if (guard->bytes[i - 1] == ',') {
            limit = i - 1;
            break;
        }
    guard->flags |= GUARD_ADDRESS;
    blank(guard, limit, end);
}

/* Every boundary= in a Content-Type field. */
static void
note_boundaries(struct guard *guard, const char *field, gsize length)
{
    const char *end = field + length;
    for (const char *p = field; p + 9 < end; p++) {
        if ((*p != 'b' && *p != 'B') || g_ascii_strncasecmp(p, "boundary", 8) != 0)
            continue;
        p += 8;
        while (p < end && g_ascii_isspace(*p))
            p++;
        if (p == end || *p != '=')
            continue;
        for (p++; p < end && g_ascii_isspace(*p);)
            p++;
        gboolean quoted = p < end && *p == '"';
        GString *value = g_string_new(NULL);
        for (p += quoted; p < end && value->len < BOUNDARY_MAX; p++) {
            if (quoted ? *p == '"' : (g_ascii_isspace(*p) || *p == ';'))
                break;
            if (quoted && *p == '\\' && p + 1 < end)
                p++;
            g_string_append_c(value, *p);
        }
        g_hash_table_add(guard->boundaries, g_string_free(value, FALSE));
    }
}

static gboolean
mentions_message(const char *field, gsize length)
{
    for (gsize i = 0; i + 8 < length; i++)
        if ((field[i] == 'm' || field[i] == 'M') && g_ascii_strncasecmp(field + i, "message/", 8) == 0)
            return TRUE;
    return FALSE;
}

static void
finish_field(struct guard *guard, gsize end)
{
    if (!guard->has_field)
        return;
    guard->has_field = FALSE;
    const char *field = guard->bytes + guard->field_start;
    gsize length = end - guard->field_start;
    if (is_address_field(field, length)) {
        check_address_field(guard, guard->field_start, end);
    } else if (length > 8 && g_ascii_strncasecmp(field, "Content-", 8) == 0) {
        if (length > LIMIT_ADDRESS_FIELD) {
            guard->flags |= GUARD_HEADER;
            blank(guard, guard->field_start + LIMIT_ADDRESS_FIELD, end);
            field = guard->bytes + guard->field_start;
        }
        if (name_is(field, length, "Content-Type")) {
            note_boundaries(guard, field, MIN(length, LIMIT_ADDRESS_FIELD));
            guard->next_is_header = mentions_message(field, MIN(length, 512));
        }
    } else if (length > LIMIT_HEADER_FIELD) {
        guard->flags |= GUARD_HEADER;
        blank(guard, guard->field_start + LIMIT_HEADER_FIELD, end);
    }
}

static void
begin_header(struct guard *guard, gsize at)
{
    guard->in_header = TRUE;
    guard->next_is_header = FALSE;
    guard->block_start = at;
    guard->fields = 0;
    guard->has_field = FALSE;
}

static void
header_line(struct guard *guard, gsize start, gsize end)
{
    const char *line = guard->bytes + start;
    gsize length = end - start;
    gboolean is_blank = length == 0 || *line == '\n' || (*line == '\r' && length > 1 && line[1] == '\n');
    if (is_blank) {
        finish_field(guard, start);
        if (guard->next_is_header)
            begin_header(guard, end);
        else
            guard->in_header = FALSE;
        return;
    }
    gboolean too_much =
        start - guard->block_start > LIMIT_HEADER_BLOCK || guard->fields > LIMIT_HEADER_FIELDS;
    if (*line != ' ' && *line != '\t') {
        finish_field(guard, start);
        guard->field_start = start;
        guard->has_field = !too_much;
        guard->fields++;
    }
    if (too_much && end > start + 1) {
        guard->flags |= GUARD_HEADER;
        blank(guard, start, end);
    }
}

/* TRUE when the line is "--BOUNDARY" or "--BOUNDARY--" of a boundary that was declared; *closing tells which.
 */
static gboolean
is_delimiter(struct guard *guard, const char *line, gsize length, gboolean *closing)
{
    char key[BOUNDARY_MAX + 3];
    while (length && g_ascii_isspace(line[length - 1]))
        length--;
    if (length < 2 || length - 2 >= sizeof key)
        return FALSE;
    memcpy(key, line + 2, length - 2);
    key[length - 2] = '\0';
    *closing = FALSE;
    if (g_hash_table_contains(guard->boundaries, key))
        return TRUE;
    if (length < 5 || strcmp(key + (length - 4), "--") != 0)
        return FALSE;
    key[length - 4] = '\0';
    *closing = TRUE;
    return g_hash_table_contains(guard->boundaries, key);
}

GBytes *
guard_message(GBytes *message, guint *flags)
{
    struct guard guard = {.in_header = TRUE};
    guard.bytes = g_bytes_get_data(message, &guard.length);
    guard.boundaries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gsize cut = guard.length, next;
    for (gsize start = 0; start < guard.length; start = next) {
        const char *line = guard.bytes + start;
        const char *lf = memchr(line, '\n', guard.length - start);
        next = lf ? (gsize)(lf - guard.bytes) + 1 : guard.length;
        gboolean closing;
        if (line[0] == '-' && next - start > 2 && line[1] == '-' && g_hash_table_size(guard.boundaries) &&
            is_delimiter(&guard, line, next - start, &closing)) {
            finish_field(&guard, start);
            if (++guard.delimiters > DELIMITERS_MAX || g_hash_table_size(guard.boundaries) > LIMIT_PARTS) {
                cut = start;
                guard.flags |= GUARD_PARTS;
                break;
            }
            if (closing)
                guard.in_header = FALSE;
            else
                begin_header(&guard, next);
        } else if (guard.in_header) {
            header_line(&guard, start, next);
        }
    }
    if (guard.in_header)
        finish_field(&guard, cut);
    g_hash_table_unref(guard.boundaries);
    *flags = guard.flags;
    if (guard.copy)
        return g_bytes_new_take(guard.copy, cut);
    return cut == guard.length ? g_bytes_ref(message) : g_bytes_new_from_bytes(message, 0, cut);
}
