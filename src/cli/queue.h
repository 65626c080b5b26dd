/* queue.h - how an item of the outbox is printed: a line for people, an object for programs */
#ifndef CLI_QUEUE_H
#define CLI_QUEUE_H

#include "base/json.h"
#include "store/outbox.h"

gboolean queue_print(const struct outbox_item *item, GError **error);
/* "attempts": time server tls reply ok, and dialogue when it is asked for. */
void queue_json_attempts(struct json *json, const GPtrArray *attempts, gboolean with_dialogue);
/* All that are not sent yet: `queue`, `sendmail -bp`, `mailq`. */
gboolean queue_print_all(gboolean all, GError **error);
/* Deliver now whatever waits: `queue flush`, `sendmail -q`. */
gboolean queue_flush(GError **error);

#endif
