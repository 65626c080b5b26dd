/* queue.h - how an item of the outbox is printed: a line for people, an object for programs */
#ifndef CLI_QUEUE_H
#define CLI_QUEUE_H

#include "store/outbox.h"

gboolean queue_print(const struct outbox_item *item, GError **error);
/* All that are not sent yet: `queue`, `sendmail -bp`, `mailq`. */
gboolean queue_print_all(gboolean all, GError **error);
/* Deliver now whatever waits: `queue flush`, `sendmail -q`. */
gboolean queue_flush(GError **error);

#endif
