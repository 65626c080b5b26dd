/* accounts.h - how accounts are told apart where their mail stands together: a letter each, and a colour
 *
 * The letter is of the account's name and no other account's, so that it is legible without colours. Main loop only.
 */
#ifndef UI_ACCOUNTS_H
#define UI_ACCOUNTS_H

#include "ui/theme.h"

struct store;

struct account_mark {
    gint64 account;
    char letter[7]; /* one character, UTF-8 */
    enum role role;
};

/* GArray of struct account_mark, one for each account that has folders; empty when there are fewer than two. */
GArray *account_marks(struct store *store);
/* Borrowed; NULL: it needs none. */
const struct account_mark *account_mark(const GArray *marks, gint64 account);

/* A letter for each name, all different: the first of it that is free, else a digit. Pure. */
void account_letters(const char *const *names, guint n, char (*letters)[7]);

#endif
