#include "config.h"

#include "search/notmuch_words.h"

#include "base/flags.h"
#include "store/folder.h"

/* Words that are not the user's to set with notmuch: places, and what notmuch finds by itself. "draft",
 * "deleted" and "spam" are places too, but also marks that can be set. */
static const char not_taken[] = "archive attachment encrypted inbox sent signed";

static const struct {
    enum folder_role role;
    const char *word;
} places_known[] = {{FOLDER_INBOX, "inbox"},
                    {FOLDER_SENT, "sent"},
                    {FOLDER_DRAFTS, "draft"},
                    {FOLDER_JUNK, "spam"},
                    {FOLDER_TRASH, "deleted"}};

static char *
flag_words(void)
{
    char *words = g_strdup("");
    for (const struct flag_name *name = flag_names; name->bit; name++) {
        char *more = tags_add(words, name->notmuch);
        g_free(words);
        words = more;
    }
    return words;
}

char *
words_of(guint flags, const char *tags, guint places)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_auto(GStrv) own = tags_split(tags);
    for (char **tag = own; *tag; tag++)
        g_ptr_array_add(words, *tag);
    for (const struct flag_name *name = flag_names; name->bit; name++)
        if ((name->bit == FLAG_SEEN) != ((flags & name->bit) != 0)) /* "unread" is the reverse */
            g_ptr_array_add(words, (char *)name->notmuch);
    for (guint i = 0; i < G_N_ELEMENTS(places_known); i++)
        if (places & 1u << places_known[i].role)
            g_ptr_array_add(words, (char *)places_known[i].word);
    return tags_from_list((const char *const *)words->pdata, words->len);
}

void
words_change_clear(struct words_change *change)
{
    g_clear_pointer(&change->add, g_free);
    g_clear_pointer(&change->remove, g_free);
}

gboolean
words_change_is_empty(const struct words_change *change)
{
    return !change->set && !change->clear && !*change->add && !*change->remove;
}

/* Splits words into flag bits and the tags that remain; "unread" goes the other way round. */
static char *
take_flags(const char *words, guint *straight, guint *reverse)
{
    g_autoptr(GPtrArray) tags = g_ptr_array_new();
    g_auto(GStrv) all = tags_split(words);
    for (char **word = all; *word; word++) {
        guint bit;
        gboolean is_reverse;
        if (!flags_from_word(*word, &bit, &is_reverse))
            g_ptr_array_add(tags, *word);
        else
            *(is_reverse ? reverse : straight) |= bit;
    }
    return tags_from_list((const char *const *)tags->pdata, tags->len);
}

void
words_change(const char *base, const char *theirs, struct words_change *change)
{
    *change = (struct words_change){0};
    g_autofree char *all_added = tags_minus(theirs, base ? base : ""),
                    *added = tags_minus(all_added, not_taken);
    if (!base) {
        g_autofree char *flags = flag_words();
        change->add = tags_minus(added, flags);
        change->remove = g_strdup("");
        return;
    }
    g_autofree char *all_removed = tags_minus(base, theirs), *removed = tags_minus(all_removed, not_taken);
    change->add = take_flags(added, &change->set, &change->clear);
    change->remove = take_flags(removed, &change->clear, &change->set);
}

char *
words_merge(const char *base, const char *theirs, const char *ours)
{
    if (base)
        return tags_merge(base, theirs, ours);
    g_autofree char *flags = flag_words(), *rest = tags_minus(theirs, flags);
    return tags_merge("", rest, ours);
}
