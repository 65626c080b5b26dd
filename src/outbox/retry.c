#include "config.h"

#include "outbox/retry.h"

/* Minutes. The first ones are short, as greylisting and a busy server are what delays most mail. */
static const guint delays[] = {1, 5, 10, 20, 30, 60, 120, 240};

gint64
retry_next(gint64 now, gint64 first, guint attempts, guint32 dice)
{
    gint64 delay = (gint64)delays[CLAMP(attempts, 1, G_N_ELEMENTS(delays)) - 1] * 60;
    gint64 spread = delay / 10;
    gint64 next = now + delay - spread + (gint64)(dice % (guint32)(2 * spread + 1));
    if (!first || first > now) /* a clock that was set back gives no reason to give up */
        return next;
    if (now - first >= RETRY_GIVE_UP)
        return 0;
    return MIN(next, first + RETRY_GIVE_UP); /* the last attempt is made at the end, not hours before it */
}
