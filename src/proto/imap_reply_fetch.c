/* FETCH responses, and the dates in them. */
#include "config.h"

#include "proto/imap_reply.h"

#include <string.h>

#include "base/flags.h"

void
fetch_record_init(struct fetch_record *record)
{
    *record = (struct fetch_record){0};
    record->keywords = g_ptr_array_new_with_free_func(g_free);
    record->header = g_string_new(NULL);
    record->scratch = g_string_new(NULL);
}

static void
fetch_record_reset(struct fetch_record *record)
{
    g_ptr_array_set_size(record->keywords, 0);
    g_clear_pointer(&record->email_id, g_free);
    g_clear_pointer(&record->thread_id, g_free);
    record->message = (struct imap_message){0};
    record->broken = record->has_body = record->body_elsewhere = FALSE;
    record->body = record->structure = (struct slice){NULL, 0};
}

void
fetch_record_clear(struct fetch_record *record)
{
    fetch_record_reset(record);
    g_ptr_array_unref(record->keywords);
    g_string_free(record->header, TRUE);
    g_string_free(record->scratch, TRUE);
}

/* A keyword goes back on the wire one day: only what is an atom. */
gboolean
imap_is_keyword(const struct slice *word)
{
    for (gsize i = 0; i < word->length; i++)
        if ((guchar)word->bytes[i] <= ' ' || (guchar)word->bytes[i] >= 0x7f ||
            strchr("(){%*\"\\]", word->bytes[i]))
            return FALSE;
    return word->length > 0;
}

static gboolean
parse_flags(struct lex *lex, guint *flags, GPtrArray *keywords, gboolean *any, gboolean *recent)
{
    *flags = 0;
    if (!lex_char(lex, '('))
        return FALSE;
    for (lex_space(lex); !lex_char(lex, ')'); lex_space(lex)) {
        struct slice word;
        if (!lex_flag(lex, &word))
            return FALSE;
        char name[64] = "";
        if (word.length < sizeof name)
            memcpy(name, word.bytes, word.length);
        guint bit = flags_from_imap(name);
        if (bit)
            *flags |= bit;
        else if (slice_is(&word, "\\*"))
            *any = TRUE;
        else if (slice_is(&word, "\\Recent"))
            *recent = TRUE;
        else if (imap_is_keyword(&word))
            g_ptr_array_add(keywords, slice_dup(&word));
    }
    return TRUE;
}

gboolean
reply_parse_flags(struct lex rest, guint *flags, GPtrArray *keywords, gboolean *any, gboolean *recent)
{
    return parse_flags(&rest, flags, keywords, any, recent);
}

static gboolean
item_flags(struct lex *lex, struct fetch_record *record)
{
    guint flags;
    gboolean any, recent = FALSE;
    record->message.keywords = NULL; /* a second FLAGS takes the place of the first, whole or not */
    record->message.items &= ~(guint)IMAP_FETCH_FLAGS;
    g_ptr_array_set_size(record->keywords, 0);
    if (!parse_flags(lex, &flags, record->keywords, &any, &recent))
        return FALSE;
    g_ptr_array_add(record->keywords, NULL);
    record->message.flags = flags;
    record->message.recent = recent;
    record->message.keywords = (const char *const *)record->keywords->pdata;
    record->message.items |= IMAP_FETCH_FLAGS;
    return TRUE;
}

static gboolean
item_uid(struct lex *lex, struct fetch_record *record)
{
    guint64 number;
    if (!lex_number(lex, G_MAXUINT32, &number) || number == 0)
        return FALSE;
    if (record->message.uid && record->message.uid != number) /* two messages in one: believe neither */
        return FALSE;
    record->message.uid = (guint32)number;
    return TRUE;
}

static gboolean
item_modseq(struct lex *lex, struct fetch_record *record)
{
    guint64 number;
    if (!lex_char(lex, '(') || !lex_number(lex, G_MAXINT64, &number) || !lex_char(lex, ')'))
        return FALSE;
    record->message.modseq = number;
    record->message.items |= IMAP_FETCH_MODSEQ;
    return TRUE;
}

static gboolean
item_size(struct lex *lex, struct fetch_record *record)
{
    guint64 number;
    if (!lex_number(lex, G_MAXINT64, &number))
        return FALSE;
    record->message.size = number;
    record->message.items |= IMAP_FETCH_SIZE;
    return TRUE;
}

static gboolean
item_date(struct lex *lex, struct fetch_record *record)
{
    struct slice text;
    if (!lex_string(lex, record->scratch, &text, NULL))
        return FALSE;
    /* A date that makes no sense costs the date, not the message. */
    if (imap_date_parse(&text, &record->message.date, &record->message.zone))
        record->message.items |= IMAP_FETCH_DATE;
    return TRUE;
}

/* "(M6d99ac3275bb4e)" of OBJECTID, NIL, or the number of Gmail. */
static gboolean
item_id(struct lex *lex, struct fetch_record *record, char **id)
{
    gboolean open = lex_char(lex, '(');
    struct slice text;
    if (!lex_string(lex, record->scratch, &text, NULL) || (open && !lex_char(lex, ')')))
        return FALSE;
    reply_take_id(&text, id);
    record->message.email_id = record->email_id;
    record->message.thread_id = record->thread_id;
    record->message.items |= IMAP_FETCH_IDS;
    return TRUE;
}

static gboolean
item_email_id(struct lex *lex, struct fetch_record *record)
{
    return item_id(lex, record, &record->email_id);
}

static gboolean
item_thread_id(struct lex *lex, struct fetch_record *record)
{
    return item_id(lex, record, &record->thread_id);
}

static gboolean
item_structure(struct lex *lex, struct fetch_record *record)
{
    const char *start = lex->at;
    if (!lex_skip(lex))
        return FALSE;
    record->structure = (struct slice){start, (gsize)(lex->at - start)};
    if (g_strstr_len(start, lex->at - start, LEX_ELSEWHERE))
        record->structure.bytes = NULL;
    return TRUE;
}

static gboolean
item_header(struct lex *lex, struct fetch_record *record)
{
    struct slice text;
    gboolean elsewhere;
    if (!lex_string(lex, record->scratch, &text, &elsewhere))
        return FALSE;
    if (elsewhere) /* too long to keep */
        return TRUE;
    g_string_truncate(record->header, 0);
    if (text.bytes)
        g_string_append_len(record->header, text.bytes, (gssize)text.length);
    record->message.header = record->header->str;
    record->message.header_length = record->header->len;
    record->message.items |= IMAP_FETCH_HEADER;
    return TRUE;
}

static const struct fetch_item {
    const char *name;
    gboolean (*parse)(struct lex *lex, struct fetch_record *record);
} fetch_items[] = {
    {"UID", item_uid},
    {"FLAGS", item_flags},
    {"MODSEQ", item_modseq},
    {"RFC822.SIZE", item_size},
    {"INTERNALDATE", item_date},
    {"EMAILID", item_email_id},
    {"THREADID", item_thread_id},
    {"X-GM-MSGID", item_email_id},
    {"X-GM-THRID", item_thread_id},
    {"BODYSTRUCTURE", item_structure},
};

static gboolean
item_body(struct lex *lex, struct fetch_record *record)
{
    if (record->has_body) /* the first one counts */
        return lex_skip(lex);
    record->has_body = TRUE;
    return lex_string(lex, record->scratch, &record->body, &record->body_elsewhere);
}

static gboolean
is_section(const struct slice *item, const char *section)
{
    gsize length = section ? strlen(section) : 0;
    return section && item->length >= length + 6 && slice_has_prefix(item, "BODY[") &&
           !g_ascii_strncasecmp(item->bytes + 5, section, length) && item->bytes[5 + length] == ']';
}

static gboolean
parse_item(struct lex *lex, const char *section, struct fetch_record *record)
{
    struct slice item;
    if (!lex_item(lex, &item))
        return FALSE;
    lex_space(lex);
    if (is_section(&item, section))
        return item_body(lex, record);
    if (slice_has_prefix(&item, "BODY[HEADER.FIELDS") || slice_is(&item, "RFC822.HEADER"))
        return item_header(lex, record);
    for (gsize i = 0; i < G_N_ELEMENTS(fetch_items); i++) {
        if (!slice_is(&item, fetch_items[i].name))
            continue;
        /* A known item with a strange value is skipped like an unknown one. The UID is what the rest hangs
         * on. */
        struct lex value = *lex;
        if (fetch_items[i].parse(&value, record)) {
            *lex = value;
            return TRUE;
        }
        return fetch_items[i].parse != item_uid && lex_skip(lex);
    }
    return lex_skip(lex);
}

void
reply_parse_fetch(struct lex rest, const char *section, struct fetch_record *record)
{
    fetch_record_reset(record);
    lex_space(&rest);
    record->broken = !lex_char(&rest, '(');
    while (!record->broken) {
        lex_space(&rest);
        if (lex_char(&rest, ')'))
            return;
        record->broken = !parse_item(&rest, section, record);
    }
}

/* ---- dates ---- */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static gboolean
take_digits(struct lex *lex, guint count, guint *number)
{
    *number = 0;
    for (; count > 0; count--, lex->at++) {
        if (!g_ascii_isdigit(lex_peek(lex)))
            return FALSE;
        *number = *number * 10 + (guint)(*lex->at - '0');
    }
    return TRUE;
}

static gint64
days_from_civil(gint64 year, guint month, guint day)
{
    /* Days since 1970-01-01 in the Gregorian calendar, March-based years (Hinnant's algorithm). */
    year -= month <= 2;
    gint64 era = (year >= 0 ? year : year - 399) / 400;
    guint of_era = (guint)(year - era * 400);
    guint of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    return era * 146097 + (gint64)(of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

gboolean
imap_date_parse(const struct slice *text, gint64 *date, int *zone)
{
    if (!text->bytes)
        return FALSE;
    struct lex lex = lex_new(text->bytes, text->length);
    guint day, year, hour, minute, second, east;
    lex_space(&lex);
    gboolean two = lex.at + 1 < lex.end && g_ascii_isdigit(lex.at[1]);
    if (!take_digits(&lex, two ? 2 : 1, &day) || !lex_char(&lex, '-') || lex.end - lex.at < 3)
        return FALSE;
    guint month = 0;
    for (guint i = 0; i < 12; i++)
        if (!g_ascii_strncasecmp(lex.at, months + i * 3, 3))
            month = i + 1;
    lex.at += 3;
    if (!month || !lex_char(&lex, '-') || !take_digits(&lex, 4, &year) || !lex_space(&lex) ||
        !take_digits(&lex, 2, &hour) || !lex_char(&lex, ':') || !take_digits(&lex, 2, &minute) ||
        !lex_char(&lex, ':') || !take_digits(&lex, 2, &second) || !lex_space(&lex))
        return FALSE;
    gboolean west = lex_peek(&lex) == '-';
    if ((!lex_char(&lex, '-') && !lex_char(&lex, '+')) || !take_digits(&lex, 4, &east) || !lex_is_end(&lex))
        return FALSE;
    if (day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60 || east % 100 > 59 || year < 1)
        return FALSE;
    *zone = (int)(east / 100 * 60 + east % 100) * (west ? -1 : 1);
    *date = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - *zone * 60;
    return TRUE;
}

char *
imap_date_format(gint64 date, int zone)
{
    zone = CLAMP(zone, -1439, 1439);
    /* A four-digit year is all the wire can carry. */
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(CLAMP(date, -62135510400, 253402214400));
    g_autoptr(GDateTime) local = g_date_time_add_minutes(utc, zone);
    return g_strdup_printf("%02d-%.3s-%04d %02d:%02d:%02d %c%02d%02d", g_date_time_get_day_of_month(local),
                           months + (g_date_time_get_month(local) - 1) * 3, g_date_time_get_year(local),
                           g_date_time_get_hour(local), g_date_time_get_minute(local),
                           g_date_time_get_second(local), zone < 0 ? '-' : '+', ABS(zone) / 60,
                           ABS(zone) % 60);
}
