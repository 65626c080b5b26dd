/* notmuch_words.h - our flags, tags and places as notmuch's tags, and notmuch's changes as what is wanted
 * here
 *
 * A message's words are its tags, its flags as notmuch spells them (unread flagged replied passed draft
 * deleted), and the places it lies in (inbox sent draft spam deleted, by folder role). The index keeps beside
 * each message the words that we last wrote there (the base), so both sides' changes can be told apart and
 * neither is lost:
 *
 *   base -> notmuch's tags   what was changed with notmuch: words_change(), which becomes an intent
 *   base -> our words        what was changed here: words_merge(), which is written to notmuch
 *
 * A place is never taken from notmuch (taking away "inbox" moves nothing), nor are the tags that notmuch
 * gives by itself (attachment signed encrypted). When such a word is changed there, it stays as changed until
 * the message really moves.
 *
 * Sets are tag sets of base/flags.h. Returned strings are newly allocated. Pure; any thread.
 */
#ifndef SEARCH_NOTMUCH_WORDS_H
#define SEARCH_NOTMUCH_WORDS_H

#include <glib.h>

/* flags: FLAG_*; tags: a tag set; places: 1 << enum folder_role of every place. */
char *words_of(guint flags, const char *tags, guint places);

struct words_change {
    guint set, clear;   /* FLAG_* */
    char *add, *remove; /* tag sets, never NULL */
};
void words_change_clear(struct words_change *change);
gboolean words_change_is_empty(const struct words_change *change);
/* What was changed with notmuch. base NULL: this message was never written by us (the user's own `notmuch
 * new` was first): then its flags are ours to say, and tags are only added. */
void words_change(const char *base, const char *theirs, struct words_change *change);

/* What notmuch's tags have to become. */
char *words_merge(const char *base, const char *theirs, const char *ours);

#endif
