#include "config.h"

#include "proto/imap_reply.h"

#include <string.h>

#include "base/text.h"

#define WORDS_MAX 300
#define ID_MAX 255 /* OBJECTID, RFC 8474 section 4 */

/* ---- what kind ---- */

static const struct {
    const char *name;
    enum reply_kind kind;
} kinds[] = {
    {"OK", REPLY_OK},           {"NO", REPLY_NO},
    {"BAD", REPLY_BAD},         {"BYE", REPLY_BYE},
    {"PREAUTH", REPLY_PREAUTH}, {"CAPABILITY", REPLY_CAPABILITY},
    {"ENABLED", REPLY_ENABLED}, {"LIST", REPLY_LIST},
    {"LSUB", REPLY_LSUB},       {"STATUS", REPLY_STATUS},
    {"SEARCH", REPLY_SEARCH},   {"ESEARCH", REPLY_ESEARCH},
    {"FLAGS", REPLY_FLAGS},     {"NAMESPACE", REPLY_NAMESPACE},
    {"ID", REPLY_ID},           {"VANISHED", REPLY_VANISHED},
    {"QUOTA", REPLY_QUOTA},
};

static const struct {
    const char *name;
    enum reply_kind kind;
} numbered[] = {
    {"EXISTS", REPLY_EXISTS},
    {"RECENT", REPLY_RECENT},
    {"EXPUNGE", REPLY_EXPUNGE},
    {"FETCH", REPLY_FETCH},
};

/* RFC 9051 section 7.1, RFC 5530 and the extensions. The last column is for a NO. */
static const struct {
    const char *name;
    enum reply_code code;
    enum error_code refusal;
} codes[] = {
    {"ALERT", CODE_ALERT, 0},
    {"CAPABILITY", CODE_CAPABILITY, 0},
    {"UIDVALIDITY", CODE_UIDVALIDITY, 0},
    {"UIDNEXT", CODE_UIDNEXT, 0},
    {"HIGHESTMODSEQ", CODE_HIGHESTMODSEQ, 0},
    {"NOMODSEQ", CODE_NOMODSEQ, 0},
    {"PERMANENTFLAGS", CODE_PERMANENTFLAGS, 0},
    {"READ-ONLY", CODE_READ_ONLY, ERROR_REFUSED},
    {"READ-WRITE", CODE_READ_WRITE, 0},
    {"UIDNOTSTICKY", CODE_UIDNOTSTICKY, 0},
    {"MAILBOXID", CODE_MAILBOXID, 0},
    {"CLOSED", CODE_CLOSED, 0},
    {"APPENDUID", CODE_APPENDUID, 0},
    {"COPYUID", CODE_COPYUID, 0},
    {"MODIFIED", CODE_MODIFIED, 0},
    {"TRYCREATE", CODE_TRYCREATE, ERROR_STALE},
    {"NONEXISTENT", CODE_NONEXISTENT, ERROR_STALE},
    {"ALREADYEXISTS", CODE_ALREADYEXISTS, ERROR_REFUSED},
    {"BADEVENT", CODE_BADEVENT, ERROR_REFUSED},
    {"NOTIFICATIONOVERFLOW", CODE_NOTIFICATIONOVERFLOW, 0},
    {"AUTHENTICATIONFAILED", CODE_REFUSAL, ERROR_AUTH},
    {"AUTHORIZATIONFAILED", CODE_REFUSAL, ERROR_AUTH},
    {"EXPIRED", CODE_REFUSAL, ERROR_AUTH},
    {"PRIVACYREQUIRED", CODE_REFUSAL, ERROR_SECURITY},
    {"UNAVAILABLE", CODE_REFUSAL, ERROR_RETRY},
    {"INUSE", CODE_REFUSAL, ERROR_RETRY},
    {"SERVERBUG", CODE_REFUSAL, ERROR_RETRY},
    {"EXPUNGEISSUED", CODE_REFUSAL, ERROR_RETRY},
    {"THROTTLED", CODE_REFUSAL, ERROR_RETRY}, /* Gmail, Yahoo */
    {"CONTACTADMIN", CODE_REFUSAL, ERROR_REFUSED},
    {"NOPERM", CODE_REFUSAL, ERROR_REFUSED},
    {"CLIENTBUG", CODE_REFUSAL, ERROR_REFUSED},
    {"CANNOT", CODE_REFUSAL, ERROR_REFUSED},
    {"LIMIT", CODE_REFUSAL, ERROR_REFUSED},
    {"OVERQUOTA", CODE_REFUSAL, ERROR_REFUSED},
    {"TOOBIG", CODE_REFUSAL, ERROR_REFUSED},
    {"HASCHILDREN", CODE_REFUSAL, ERROR_REFUSED},
    {"CORRUPTION", CODE_REFUSAL, ERROR_SKIP},
    {"UNKNOWN-CTE", CODE_REFUSAL, ERROR_SKIP},
};

/* "[CODE arguments] words". The code ends at the first ']' that is in no string and no parenthesis; MAILBOXID
 * and BADCHARSET have those. */
static void
parse_state(struct lex *lex, struct imap_reply *reply)
{
    lex_space(lex);
    if (lex_char(lex, '[')) {
        const char *start = lex->at;
        gboolean quoted = FALSE;
        for (; lex->at < lex->end && (quoted || *lex->at != ']'); lex->at++)
            if (*lex->at == '"')
                quoted = !quoted;
        if (lex->at < lex->end) {
            struct lex code = {start, lex->at};
            lex->at++;
            reply->code = CODE_OTHER;
            for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
                if (lex_word(&code, codes[i].name)) {
                    reply->code = codes[i].code;
                    reply->refusal = codes[i].refusal;
                    break;
                }
            lex_space(&code);
            reply->code_rest = code;
        } else { /* no end: it is all text */
            lex->at = start - 1;
        }
        lex_space(lex);
    }
    reply->text = (struct slice){lex->at, (gsize)(lex->end - lex->at)};
}

static enum reply_kind
parse_kind(struct lex *lex)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (lex_word(lex, kinds[i].name))
            return kinds[i].kind;
    return REPLY_OTHER;
}

void
reply_parse(const char *frame, gsize length, struct imap_reply *reply)
{
    struct lex lex = lex_new(frame, length);
    *reply = (struct imap_reply){.kind = REPLY_BROKEN};
    if (lex_char(&lex, '+')) {
        reply->kind = REPLY_CONTINUE;
        lex_space(&lex);
        reply->text = (struct slice){lex.at, (gsize)(lex.end - lex.at)};
        return;
    }
    if (!lex_char(&lex, '*')) {
        if (!lex_atom(&lex, &reply->tag) || !lex_space(&lex))
            return;
        enum reply_kind kind = parse_kind(&lex);
        if (kind > REPLY_BAD)
            return;
        reply->kind = kind;
        parse_state(&lex, reply);
        return;
    }
    if (!lex_space(&lex))
        return;
    if (g_ascii_isdigit(lex_peek(&lex))) {
        reply->kind = REPLY_OTHER;
        if (!lex_number(&lex, G_MAXUINT32, &reply->number) || !lex_space(&lex))
            return;
        for (gsize i = 0; i < G_N_ELEMENTS(numbered); i++)
            if (lex_word(&lex, numbered[i].name))
                reply->kind = numbered[i].kind;
        lex_space(&lex);
        reply->rest = lex;
        return;
    }
    reply->kind = parse_kind(&lex);
    if (reply->kind <= REPLY_PREAUTH) {
        parse_state(&lex, reply);
        return;
    }
    lex_space(&lex);
    reply->rest = lex;
}

char *
reply_words(const struct slice *text)
{
    g_autofree char *safe = text_safe(text->bytes ? text->bytes : "", (gssize)text->length, TEXT_LINE);
    g_autofree char *line = text_squeeze(safe);
    if (strlen(line) <= WORDS_MAX)
        return g_strdup(line);
    char *cut = g_utf8_find_prev_char(line, line + WORDS_MAX);
    return g_strdup_printf("%.*s…", (int)(cut - line), line);
}

/* ---- codes ---- */

void
reply_take_id(const struct slice *text, char **id)
{
    if (!text->bytes || text->length == 0 || text->length > ID_MAX)
        return;
    for (gsize i = 0; i < text->length; i++)
        if (!g_ascii_isalnum(text->bytes[i]) && !strchr("-_.", text->bytes[i]))
            return;
    g_free(*id);
    *id = slice_dup(text);
}

gboolean
reply_parse_code_number(const struct imap_reply *reply, guint64 max, guint64 *number)
{
    struct lex lex = reply->code_rest;
    return lex_number(&lex, max, number) && *number > 0;
}

/* One UID after the other of a set in the order it is written, which is the order of the copies (RFC 4315
 * section 3).
 */
struct walk {
    struct lex lex;
    guint64 next, last; /* of the present range; next > last: take another */
    gboolean down;
};

static gboolean
walk_next(struct walk *walk, guint32 *uid)
{
    if (walk->next > walk->last) {
        guint64 first, last;
        if (!lex_number(&walk->lex, G_MAXUINT32, &first) || first == 0)
            return FALSE;
        last = first;
        if (lex_char(&walk->lex, ':') && (!lex_number(&walk->lex, G_MAXUINT32, &last) || last == 0))
            return FALSE;
        lex_char(&walk->lex, ',');
        walk->next = MIN(first, last);
        walk->last = MAX(first, last);
    }
    *uid = (guint32)walk->next++;
    return TRUE;
}

/* The UIDs of several messages stand in their order (RFC 4315 section 3). */
gboolean
reply_parse_appenduid(const struct imap_reply *reply, guint32 *uidvalidity, guint32 *uids, guint n)
{
    struct lex lex = reply->code_rest;
    guint64 validity;
    struct slice set;
    if (!lex_number(&lex, G_MAXUINT32, &validity) || validity == 0 || !lex_space(&lex) || !lex_atom(&lex, &set))
        return FALSE;
    lex_space(&lex);
    struct walk walk = {.lex = lex_new(set.bytes, set.length), .next = 1};
    g_autofree guint32 *found = g_new0(guint32, n);
    g_autoptr(struct_uidset) seen = uidset_new();
    for (guint i = 0; i < n; i++) {
        if (!walk_next(&walk, &found[i]) || uidset_contains(seen, found[i]))
            return FALSE;
        uidset_add(seen, found[i]);
    }
    if (!lex_is_end(&lex) || walk.next <= walk.last || !lex_is_end(&walk.lex))
        return FALSE;
    *uidvalidity = (guint32)validity;
    memcpy(uids, found, n * sizeof *uids);
    return TRUE;
}

gboolean
reply_parse_copyuid(const struct imap_reply *reply, const struct uidset *asked, struct imap_copies *copies)
{
    struct lex lex = reply->code_rest;
    guint64 validity;
    struct slice sources, targets;
    if (!lex_number(&lex, G_MAXUINT32, &validity) || validity == 0 || !lex_space(&lex) ||
        !lex_atom(&lex, &sources) || !lex_space(&lex) || !lex_atom(&lex, &targets))
        return FALSE;
    struct walk from = {.lex = lex_new(sources.bytes, sources.length), .next = 1};
    struct walk to = {.lex = lex_new(targets.bytes, targets.length), .next = 1};
    struct imap_copied pair;
    g_autoptr(struct_uidset) seen = uidset_new(), made = uidset_new();
    guint before = copies->pairs->len;
    /* No more steps than messages were asked for, whatever ranges the server names. */
    guint64 room = uidset_count(asked);
    while (walk_next(&from, &pair.from)) {
        if (room-- == 0 || !uidset_contains(asked, pair.from) || uidset_contains(seen, pair.from) ||
            !walk_next(&to, &pair.to) || uidset_contains(made, pair.to)) {
            g_array_set_size(copies->pairs, before);
            return FALSE;
        }
        uidset_add(seen, pair.from);
        uidset_add(made, pair.to);
        g_array_append_val(copies->pairs, pair);
    }
    if (!lex_is_end(&from.lex) || to.next <= to.last || !lex_is_end(&to.lex)) {
        g_array_set_size(copies->pairs, before);
        return FALSE;
    }
    copies->uidvalidity = (guint32)validity;
    return TRUE;
}

gboolean
reply_parse_modified(const struct imap_reply *reply, struct uidset *uids)
{
    struct lex lex = reply->code_rest;
    return reply_take_set(&lex, uids);
}

char *
reply_parse_mailbox_id(const struct imap_reply *reply)
{
    struct lex lex = reply->code_rest;
    struct slice text;
    char *id = NULL;
    if (lex_char(&lex, '(') && lex_atom(&lex, &text) && lex_char(&lex, ')'))
        reply_take_id(&text, &id);
    return id;
}
