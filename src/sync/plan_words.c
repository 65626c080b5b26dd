/* A plan in words. */
#include "config.h"

#include <string.h>

#include "base/flags.h"
#include "sync/plan.h"

static char *
flags_to_words(guint flags, const char *tags, char sign)
{
    GString *out = g_string_new(NULL);
    for (const struct flag_name *f = flag_names; f->bit; f++)
        if (flags & f->bit)
            g_string_append_printf(out, " %c%s", sign, f->json);
    g_auto(GStrv) words = tags_split(tags ? tags : "");
    for (char **word = words; *word; word++)
        g_string_append_printf(out, " %c%s", sign, *word);
    return g_string_free(out, FALSE);
}

void
plan_conflict_free(gpointer data)
{
    struct plan_conflict *conflict = data;
    g_free(conflict->here);
    g_free(conflict->there);
    g_free(conflict->kept);
    g_free(conflict);
}

char *
plan_changes_to_words(guint before_flags, const char *before, guint flags, const char *tags)
{
    g_autofree char *more = tags_minus(tags, before), *less = tags_minus(before, tags);
    g_autofree char *added = flags_to_words(flags & ~before_flags, more, '+');
    g_autofree char *dropped = flags_to_words(before_flags & ~flags, less, '-');
    return g_strstrip(g_strconcat(added, dropped, NULL));
}

void
plan_note_conflict(struct plan *plan, const struct plan_local *local, const struct plan_remote *remote)
{
    if (plan->conflicts++ >= PLAN_CONFLICTS_MAX)
        return;
    g_autofree char *tags = tags_merge(local->tags, remote->tags, local->want_tags);
    struct plan_conflict *conflict = g_new(struct plan_conflict, 1);
    conflict->id = local->id;
    conflict->here = plan_changes_to_words(local->flags, local->tags, local->want_flags, local->want_tags);
    conflict->there = plan_changes_to_words(local->flags, local->tags, remote->flags, remote->tags);
    conflict->kept = plan_changes_to_words(0, "", flags_merge(local->flags, remote->flags, local->want_flags), tags);
    g_ptr_array_add(plan->conflicted, conflict);
}

guint64
plan_action_count(const struct plan_action *action)
{
    return action->ids ? action->ids->len : action->taken ? action->taken->len : action->uids ? uidset_count(action->uids) : 0;
}

char *
plan_action_to_string(const struct plan_action *action)
{
    guint64 n = plan_action_count(action);
    const char *s = n == 1 ? "" : "s";
    g_autofree char *words = NULL;
    switch (action->kind) {
    case PLAN_REREAD:
        return g_strdup("read the whole folder again");
    case PLAN_TAKE_FLAGS:
        return g_strdup_printf("take the flags of %" G_GUINT64_FORMAT " message%s", n, s);
    case PLAN_CLOSE:
        return g_strdup_printf("forget %" G_GUINT64_FORMAT " message%s that left as asked", n, s);
    case PLAN_SEND_FLAGS:
        words = flags_to_words(action->flags, action->tags, action->add ? '+' : '-');
        return g_strdup_printf("mark %" G_GUINT64_FORMAT " message%s on the server%s", n, s, words);
    case PLAN_SEND_MOVE:
        return g_strdup_printf("move %" G_GUINT64_FORMAT " message%s on the server", n, s);
    case PLAN_SEND_EXPUNGE:
        return g_strdup_printf("remove %" G_GUINT64_FORMAT " message%s from the server", n, s);
    case PLAN_ASK_EXPUNGE:
        return g_strdup_printf("ask before %" G_GUINT64_FORMAT " message%s are removed from the server", n, s);
    case PLAN_SEND_UPLOAD:
        return g_strdup_printf("upload %" G_GUINT64_FORMAT " message%s", n, s);
    case PLAN_FETCH_NEW:
        return g_strdup_printf("fetch %" G_GUINT64_FORMAT " new message%s", n, s);
    case PLAN_FETCH_BODY:
        return g_strdup_printf("fetch the bodies of %" G_GUINT64_FORMAT " message%s", n, s);
    case PLAN_REMOVE:
        return g_strdup_printf("remove %" G_GUINT64_FORMAT " message%s here", n, s);
    case PLAN_TELL_TAGS:
        words = flags_to_words(0, action->tags, '+');
        return g_strdup_printf("keep tags here only, the server cannot store them:%s", words);
    case PLAN_TELL_READ_ONLY:
        return g_strdup_printf("leave the changes of %" G_GUINT64_FORMAT " message%s: the folder is read-only", n, s);
    }
    return g_strdup("");
}
