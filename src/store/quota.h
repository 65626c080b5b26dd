/* quota.h - how full an account's mailbox is, as its server last said
 *
 * Same thread as the store.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "store/store.h"

#define QUOTA_WARN 80 /* percent from which it is worth a word, */
#define QUOTA_FULL 95 /* and a loud one */

struct quota {
    char *root;        /* the server's name for what is limited together, often "" */
    char *resource;    /* "STORAGE" in bytes, "MESSAGE" in messages, or another of RFC 9208 */
    gint64 used, most;
};
void quota_free(struct quota *quota);
typedef struct quota struct_quota;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_quota, quota_free)

/* All that is known of the account, in place of what was known. GPtrArray of struct quota. */
gboolean quota_set(struct store *store, gint64 account, const GPtrArray *quotas, GError **error);
/* GPtrArray of struct quota, the fullest first. */
GPtrArray *quota_list(struct store *store, gint64 account, GError **error);
/* When the server was last asked, seconds; 0: never. */
gint64 quota_asked(struct store *store, gint64 account);
int quota_percent(const struct quota *quota); /* 0 without a limit */
/* "4.2 GB of 5 GB (84 %)", "90 of 100 messages (90 %)": translated. */
char *quota_text(const struct quota *quota);
/* The fullest of the account's, from QUOTA_WARN on: for a line where there is little room. NULL: all is well. */
struct quota *quota_worry(struct store *store, gint64 account);

#endif
