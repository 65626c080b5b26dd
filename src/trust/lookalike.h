/* lookalike.h - does one name of a domain, or of a person, pass itself off for another
 *
 * Pure: what is known comes from the caller (store/known.h). Any thread.
 */
#ifndef TRUST_LOOKALIKE_H
#define TRUST_LOOKALIKE_H

#include <glib.h>

enum lookalike {
    LOOKALIKE_NOT,
    LOOKALIKE_SAME,     /* looks the same: other letters, or digits for letters */
    LOOKALIKE_NEAR,     /* one letter more, fewer, another, or two in another order */
    LOOKALIKE_EMBEDDED  /* the known name stands in front of the real one: "example.org.evil.test" */
};

/* seen: the whole domain, known: an organisational one ("example.org"); A-labels or UTF-8. Names of one owner are not
 * look-alikes. */
enum lookalike lookalike_domain(const char *seen, const char *known);

/* Whether the host mixes scripts, or is written in letters that only look like ASCII (mail/link.h). *words: why, a new
 * translated sentence. */
gboolean lookalike_letters(const char *domain, char **words);

/* Two words or more, with letters: the name of one person, not of an office. */
gboolean lookalike_is_personal(const char *name);
/* An address that stands in a name: new string, lower case; NULL. */
char *lookalike_address_in(const char *name);
/* Anybody gets an address there. */
gboolean lookalike_is_provider(const char *owner);
/* "noreply", "notifications": a program writes, in the name of people. */
gboolean lookalike_is_machine(const char *addr);

#endif
