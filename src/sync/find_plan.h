/* find_plan.h - a search divided between a server and the store
 *
 * Asked for is mail whose body is not here: its envelope is, so all that a query says about sender, subject, date, place or
 * mark can be decided here, and only the words of a text cannot. The query becomes branches of which one must hold; of
 * each, the server is asked for the words (RFC 9051 section 6.4.4: parts of words, wherever they stand, in the server's idea
 * of upper case), and for the dates, widened, to have less to look through; `local` is all the rest, for the store. A
 * branch without words is left out: the store has found what fits it already.
 *
 * Pure: no socket, no store. Any thread; the caller owns a plan.
 */
#ifndef SYNC_FIND_PLAN_H
#define SYNC_FIND_PLAN_H

#include "proto/imap.h"
#include "store/query.h"

struct find_branch {
    GArray *keys; /* of struct imap_key */
    struct query *local;
};

/* GPtrArray of struct find_branch; empty: there is nothing that a server would have to be asked. ERROR_INPUT for a query
 * with too many alternatives. */
GPtrArray *find_plan(const struct query *query, GError **error);
/* As it goes over the wire but for literals, and the rest: `TEXT "crane" | (flagged)`, for tests and logs. */
char *find_plan_describe(const GPtrArray *branches);

#endif
