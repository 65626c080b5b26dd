#include "config.h"

#include "trust/teach.h"

#include "base/clock.h"
#include "base/flags.h"
#include "base/log.h"
#include "store/account.h"
#include "store/arrival.h"
#include "store/folder.h"
#include "store/known.h"
#include "store/lesson.h"
#include "store/message.h"
#include "trust/evidence.h"
#include "trust/lessons.h"

#include <string.h>

#define BATCH 500   /* changes that are looked at together */
#define LESSONS 300 /* of one call, */
#define LOOKS 3000  /* and changes that it looks at: the lane has other things to do */

#define PAST ((gint64) 90 * 24 * 3600)
#define PAST_LESSONS 3000 /* there are; then the past has said enough */

#define PLACE(role) (1u << (role))
#define ELSEWHERE (PLACE(FOLDER_SENT) | PLACE(FOLDER_DRAFTS) | PLACE(FOLDER_TRASH) | PLACE(FOLDER_JUNK))

enum teach_label
teach_label_of(const struct change *change, gboolean filed)
{
    gboolean not_junk = tags_has(change->tags, "$NotJunk");
    gboolean in_junk = (change->places & PLACE(FOLDER_JUNK)) != 0;
    if (change->gone || change->bits & MESSAGE_FROM_ME)
        return TEACH_NOTHING;
    if (!not_junk && (in_junk || tags_has(change->tags, "$Junk")))
        return filed ? TEACH_NOTHING : TEACH_JUNK;
    if (not_junk || change->flags & (FLAG_ANSWERED | FLAG_FLAGGED))
        return TEACH_GOOD;
    gboolean is_kept = change->places & PLACE(FOLDER_ARCHIVE) && change->flags & FLAG_SEEN;
    return is_kept || (filed && change->places & ~ELSEWHERE) ? TEACH_GOOD : TEACH_NOTHING;
}

gboolean
teach_is_wanted(enum teach_label label, gint64 received, gint64 now, guint lessons)
{
    return label != TEACH_GOOD || received >= now - PAST || lessons < PAST_LESSONS;
}

/* What one call goes through. */
struct teaching {
    struct store *store;
    struct reader *reader;
    const char *account;
    struct filter *filter; /* NULL before it is needed */
    guint lessons, looks;
    guint known;    /* lessons there were before */
    gboolean has_any; /* lessons from before: one may be taken back */
};

static gboolean
is_ours(struct teaching *teaching, gint64 message)
{
    g_autoptr(GPtrArray) places = message_places(teaching->store, message, NULL);
    return places && places->len && !strcmp(((const struct message_place *) places->pdata[0])->account, teaching->account);
}

static gboolean
was_filed(struct store *store, gint64 message)
{
    g_autofree char *filed = verdict_field(store, message, "filter", "filed");
    return filed != NULL;
}

/* For the reputation of who sent it; an address that was forged has not. */
static gboolean
note_called(struct store *store, const struct message *message, gboolean junk, GError **error)
{
    g_autofree char *vouch = verdict_field(store, message->id, "authentication", "vouch");
    g_autofree char *owner = g_strcmp0(vouch, "good") ? NULL : known_owner_of(message->from_addr);
    const char *address = g_strcmp0(vouch, "forged") ? message->from_addr : NULL;
    return known_called(store, address, owner, junk, error);
}

static gboolean
take(struct teaching *teaching, const struct message *message, enum teach_label label, GError **error)
{
    if (!teaching->filter && !(teaching->filter = lessons_load(teaching->store, error)))
        return FALSE;
    g_autoptr(GError) why = NULL;
    g_autoptr(GBytes) bytes = store_message_bytes(teaching->store, message->id, &why);
    struct tokens *tokens = bytes ? reader_tokens(teaching->reader, bytes, NULL, &why) : NULL;
    if (!tokens) { /* it has gone, or cannot be read */
        log_info("trust.teach", "message=%" G_GINT64_FORMAT " %s", message->id, why->message);
        return TRUE;
    }
    evidence_add(teaching->store, message->id, tokens, NULL);
    if (!note_called(teaching->store, message, label == TEACH_JUNK, error)) {
        tokens_free(tokens);
        return FALSE;
    }
    filter_add(teaching->filter, filter_example_new(message->hash, label == TEACH_JUNK, clock_now(), tokens));
    teaching->lessons++;
    return TRUE;
}

static gboolean
look_at(struct teaching *teaching, const struct change *change, GError **error)
{
    if (change->gone || !change->files->len)
        return TRUE;
    enum teach_label label = teach_label_of(change, FALSE);
    if (label == TEACH_NOTHING && !teaching->has_any)
        return TRUE;
    g_autoptr(struct_message) message = message_load(teaching->store, change->message, NULL);
    if (!message || !message->cached)
        return TRUE;
    int known = lesson_find(teaching->store, message->hash);
    if ((int) label == known && label != TEACH_NOTHING)
        return TRUE; /* the most frequent: nothing new about it */
    label = teach_label_of(change, was_filed(teaching->store, change->message));
    if ((int) label == known || !is_ours(teaching, change->message))
        return TRUE;
    if (known < 0 && !teach_is_wanted(label, message->received, clock_now(), teaching->known + teaching->lessons))
        return TRUE;
    if (label != TEACH_NOTHING)
        return take(teaching, message, label, error);
    if (!teaching->filter && !(teaching->filter = lessons_load(teaching->store, error)))
        return FALSE;
    teaching->lessons++;
    return lessons_unlearn(teaching->store, teaching->filter, message->hash, error);
}

/* *since moves on to what was dealt with. */
static gboolean
look_through(struct teaching *teaching, gint64 *since, GError **error)
{
    while (teaching->lessons < LESSONS && teaching->looks < LOOKS) {
        g_autoptr(GPtrArray) changes = changes_since(teaching->store, *since, BATCH, error);
        if (!changes || !changes->len)
            return changes != NULL;
        for (guint i = 0; i < changes->len; i++)
            if (!look_at(teaching, changes->pdata[i], error))
                return FALSE;
        teaching->looks += changes->len;
        *since = ((const struct change *) changes->pdata[changes->len - 1])->sequence;
    }
    return TRUE;
}

gboolean
teach_run(struct store *store, struct reader *reader, gint64 account, gboolean *more, GError **error)
{
    g_autoptr(struct_store_account) row = store_account_get(store, account, error);
    if (!row)
        return FALSE;
    g_autofree char *key = g_strdup_printf("teach.%" G_GINT64_FORMAT, account), *saved = index_state_get(store, key);
    gint64 since = saved ? g_ascii_strtoll(saved, NULL, 10) : 0, start = since;
    struct teaching teaching = {
        .store = store, .reader = reader, .account = row->name, .has_any = lesson_generation(store) > 0,
        .known = lesson_count(store)};
    gboolean ok = look_through(&teaching, &since, error);
    if (ok && teaching.lessons)
        ok = lessons_learn(store, teaching.filter, error);
    filter_free(teaching.filter);
    if (more)
        *more = ok && (teaching.lessons >= LESSONS || teaching.looks >= LOOKS);
    if (!ok || since == start)
        return ok;
    g_autofree char *value = g_strdup_printf("%" G_GINT64_FORMAT, since);
    return index_state_set(store, key, value, error);
}
