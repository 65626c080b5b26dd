/* roff.h - text as manual pages want it, for those that are made from tables
 *
 * Pure; any thread; the results are newly allocated.
 */
#ifndef BASE_ROFF_H
#define BASE_ROFF_H

/* Nothing in the text is a request or an escape afterwards, and all of it is ASCII: other characters are
 * named by their number, so that a page reads the same whatever locale it is formatted in. */
char *roff_text(const char *text);

/* The same as a sentence: a capital first, a full stop last. */
char *roff_sentence(const char *text);

/* Prints paragraphs (a blank line between); one that begins "WORDS\t" is a tagged one: the words, then the
 * text indented; one whose lines begin with four spaces is shown as it stands. */
void roff_paragraphs(const char *text);

#endif
