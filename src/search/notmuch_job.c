#include "config.h"

#include "search/notmuch_job.h"

#include "base/clock.h"
#include "base/flags.h"
#include "search/notmuch_words.h"
#include "store/changes.h"
#include "store/message.h"

/* What the store has of one message, and of others with its Message-ID: they are one for notmuch. */
struct facts {
    guint flags, places;
    char *tags;
    GPtrArray *files;
    gint64 date;
    gboolean is_first;
};

static void
add_facts(struct store *store, gint64 id, struct facts *facts)
{
    g_autoptr(struct_message) message = message_load(store, id, NULL);
    g_autoptr(GPtrArray) places = message ? message_places(store, id, NULL) : NULL;
    if (!places || !places->len)
        return;
    /* Of several versions the unread one counts, and every mark of any. */
    guint seen = facts->is_first ? message->flags & FLAG_SEEN : facts->flags & message->flags & FLAG_SEEN;
    facts->flags = ((facts->flags | message->flags) & ~(guint)FLAG_SEEN) | seen;
    g_auto(GStrv) more = tags_split(message->tags);
    for (char **tag = more; *tag; tag++) {
        char *all = tags_add(facts->tags, *tag);
        g_free(facts->tags);
        facts->tags = all;
    }
    facts->date = MAX(facts->date, message->date);
    facts->is_first = FALSE;
    for (guint i = 0; i < places->len; i++) {
        const struct message_place *place = places->pdata[i];
        facts->places |= 1u << place->role;
        if (place->file)
            g_ptr_array_add(facts->files, g_strdup(place->file));
    }
}

void
notmuch_job_add(GVariantBuilder *jobs, struct store *store, int days, const struct notmuch_job *job)
{
    struct facts facts = {
        .tags = g_strdup(""), .files = g_ptr_array_new_with_free_func(g_free), .is_first = TRUE};
    g_autoptr(struct_message) message = message_load(store, job->message, NULL);
    g_autoptr(GArray) versions = NULL;
    if (message && message->message_id)
        versions = message_find_id(store, message->message_id);
    if (versions && versions->len)
        for (guint i = 0; i < versions->len; i++)
            add_facts(store, g_array_index(versions, gint64, i), &facts);
    else if (message)
        add_facts(store, job->message, &facts);
    if (message && facts.is_first) { /* deleted here; the server, and the Maildir, have it a while yet */
        facts.flags = message->flags | FLAG_DELETED;
        g_free(facts.tags);
        facts.tags = g_strdup(message->tags);
    }
    g_autofree char *message_id = g_strdup(message ? message->message_id : job->message_id);
    GPtrArray *files = !message && job->files ? job->files : facts.files;
    GVariantBuilder names;
    g_variant_builder_init(&names, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < files->len; i++)
        if (g_utf8_validate(files->pdata[i], -1, NULL))
            g_variant_builder_add(&names, "s", files->pdata[i]);
    gboolean is_young = days <= 0 || facts.date >= clock_now() - (gint64)days * 86400;
    g_autofree char *words = words_of(facts.flags, facts.tags, facts.places);
    g_variant_builder_add(jobs, "(tbbsass)", (guint64)job->message, !message,
                          is_young && !index_skip_has(store, job->message), message_id ? message_id : "",
                          &names, words);
    g_free(facts.tags);
    g_ptr_array_unref(facts.files);
}
