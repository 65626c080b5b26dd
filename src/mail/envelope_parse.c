#include "config.h"

#include "mail/date.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "mail/rawmsg.h"

#include <string.h>

#define ENVELOPE_ANSWERED_MAX 20

struct reading {
    struct envelope *envelope;
    guint froms;
    gboolean has_date, has_subject;
    GStrv answered; /* all that In-Reply-To names, NULL: nothing */
};

static void
add_addresses(struct reading *reading, const char *raw, gsize length, GPtrArray *list)
{
    if (list->len >= LIMIT_ADDRESSES || !header_addresses(raw, length, list))
        reading->envelope->flags |= ENVELOPE_TRUNCATED;
}

static void
read_from(struct reading *reading, const char *raw, gsize length)
{
    if (reading->froms++ == 0)
        add_addresses(reading, raw, length, reading->envelope->from);
    else
        reading->envelope->flags |= ENVELOPE_TWO_FROM;
}

#define ADDRESS_READER(field)                                                                                \
    static void read_##field(struct reading *reading, const char *raw, gsize length)                         \
    {                                                                                                        \
        add_addresses(reading, raw, length, reading->envelope->field);                                       \
    }
ADDRESS_READER(sender)
ADDRESS_READER(reply_to)
ADDRESS_READER(to)
ADDRESS_READER(cc)
ADDRESS_READER(bcc)

static void
read_subject(struct reading *reading, const char *raw, gsize length)
{
    if (reading->has_subject)
        return;
    reading->has_subject = TRUE;
    g_free(reading->envelope->subject);
    reading->envelope->subject = header_decode(raw, length);
}

static void
read_date(struct reading *reading, const char *raw, gsize length)
{
    if (reading->has_date)
        return;
    reading->has_date = TRUE;
    g_autofree char *text = header_unfold(raw, MIN(length, 256));
    if (date_parse(text, &reading->envelope->date, &reading->envelope->zone))
        reading->envelope->flags |= ENVELOPE_DATE_VALID;
}

/* The id in valid UTF-8: some are not. */
static char *
read_id(const char *raw, gsize length)
{
    g_autofree char *text = header_unfold(raw, MIN(length, 8192));
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return message_id_first(valid);
}

static void
read_message_id(struct reading *reading, const char *raw, gsize length)
{
    if (!reading->envelope->message_id)
        reading->envelope->message_id = read_id(raw, length);
}

static void
read_in_reply_to(struct reading *reading, const char *raw, gsize length)
{
    if (reading->envelope->in_reply_to)
        return;
    g_autofree char *text = header_unfold(raw, MIN(length, 8192));
    /* "Your message of Tue (…) <id>": only what stands in brackets counts */
    if (strchr(text, '<') || strchr(text, '@'))
        reading->envelope->in_reply_to = read_id(raw, length);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    reading->answered = message_id_list(valid);
}

/* RFC 5322, 3.6.4: a message may answer several. The others are references like any, the oldest ones. */
static void
add_answered(struct reading *reading)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    char **references = reading->envelope->references;
    guint n = MIN(g_strv_length(reading->answered), ENVELOPE_ANSWERED_MAX), room = ENVELOPE_REFERENCES_MAX - g_strv_length(references);
    for (guint i = 1; reading->envelope->in_reply_to && i < n && ids->len < room; i++)
        if (!g_strv_contains((const char *const *)references, reading->answered[i]))
            g_ptr_array_add(ids, g_strdup(reading->answered[i]));
    if (!ids->len)
        return;
    for (char **id = references; *id; id++)
        g_ptr_array_add(ids, *id);
    g_free(references); /* its ids have been taken over */
    g_ptr_array_add(ids, NULL);
    reading->envelope->references = (GStrv)g_ptr_array_free(g_steal_pointer(&ids), FALSE);
}

static void
read_references(struct reading *reading, const char *raw, gsize length)
{
    if (*reading->envelope->references)
        return;
    g_autofree char *text = header_unfold(raw, MIN(length, LIMIT_HEADER_FIELD));
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GStrv ids = message_id_list(valid);
    guint count = g_strv_length(ids);
    if (count > ENVELOPE_REFERENCES_MAX) { /* the first one, and the last ones */
        guint drop = count - ENVELOPE_REFERENCES_MAX;
        for (guint i = 1; i <= drop; i++)
            g_free(ids[i]);
        memmove(ids + 1, ids + 1 + drop, (count - drop) * sizeof *ids);
        reading->envelope->flags |= ENVELOPE_TRUNCATED;
    }
    g_strfreev(reading->envelope->references);
    reading->envelope->references = ids;
}

static void
read_list_id(struct reading *reading, const char *raw, gsize length)
{
    if (reading->envelope->list_id)
        return;
    g_autofree char *text = header_decode(raw, MIN(length, 8192));
    const char *open = strrchr(text, '<'), *close = open ? strchr(open, '>') : NULL;
    char *id = close ? g_strndup(open + 1, (gsize)(close - open - 1)) : g_strdup(text);
    g_strstrip(id);
    if (*id)
        reading->envelope->list_id = id;
    else
        g_free(id);
}

static const struct {
    const char *name;
    void (*read)(struct reading *reading, const char *raw, gsize length);
} readers[] = {
    {"From", read_from},
    {"Sender", read_sender},
    {"Reply-To", read_reply_to},
    {"To", read_to},
    {"Cc", read_cc},
    {"Bcc", read_bcc},
    {"Subject", read_subject},
    {"Date", read_date},
    {"Message-ID", read_message_id},
    {"In-Reply-To", read_in_reply_to},
    {"References", read_references},
    {"List-Id", read_list_id},
};

static void
read_field(struct reading *reading, const char *bytes, const char *charset, const struct rawmsg_field *field)
{
    for (gsize r = 0; r < G_N_ELEMENTS(readers); r++) {
        if (strlen(readers[r].name) != field->name_length ||
            g_ascii_strncasecmp(bytes + field->offset, readers[r].name, field->name_length) != 0)
            continue;
        const char *value = bytes + field->value_offset;
        gsize value_length = field->offset + field->length - field->value_offset;
        g_autofree char *own = header_from_charset(value, value_length, charset);
        readers[r].read(reading, own ? own : value, own ? strlen(own) : value_length);
        return;
    }
}

struct envelope *
envelope_from_message(const char *bytes, gsize header, gsize length)
{
    struct reading reading = {.envelope = envelope_new()};
    g_autoptr(GArray) fields = rawmsg_fields(bytes, MIN(header, LIMIT_HEADER_BLOCK), NULL, NULL);
    guint count = MIN(fields->len, LIMIT_HEADER_FIELDS);
    const char *charset = header_charset(bytes, length);
    for (guint i = 0; i < count; i++)
        read_field(&reading, bytes, charset, &g_array_index(fields, struct rawmsg_field, i));
    if (reading.answered)
        add_answered(&reading);
    g_strfreev(reading.answered);
    if (fields->len > count || header > LIMIT_HEADER_BLOCK)
        reading.envelope->flags |= ENVELOPE_TRUNCATED;
    return reading.envelope;
}

struct envelope *
envelope_from_header(const char *bytes, gsize length)
{
    return envelope_from_message(bytes, length, length);
}
