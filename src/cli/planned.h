/* planned.h - inside cli/: what a dry run would do, printed as it comes, and the sums */
#ifndef CLI_PLANNED_H
#define CLI_PLANNED_H

#include "engine/client.h"

struct planned;
struct planned *planned_new(void);
void planned_free(struct planned *planned);
typedef struct planned struct_planned;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_planned, planned_free)

/* One "planned" event of the engine. */
gboolean planned_take(struct planned *planned, const struct engine_event *event, GError **error);
/* The sums; for JSON an object of its own. */
gboolean planned_finish(const struct planned *planned, GError **error);

#endif
