/* Bounds on the raw bytes of a message before GMime sees them.
 *
 * GMime recurses on nested groups in address fields and has no limit on parts (LIBRARIES.md section 5,
 * RELIABILITY.md 0.22).  One linear pass finds header blocks and delimiter lines, and takes out what is too
 * much without moving any other byte, so offsets stay those of the original.  Pure, any thread, no GMime. */
#ifndef MAIL_GUARD_H
#define MAIL_GUARD_H

#include <glib.h>

enum guard_flags {
    GUARD_PARTS = 1 << 0,   /* cut: too many parts */
    GUARD_HEADER = 1 << 1,  /* fields beyond the limits were blanked */
    GUARD_ADDRESS = 1 << 2, /* an address field was blanked from some point on */
};

/* Returns a reference to the same bytes, to a shorter piece of them, or to a copy with blanks in place of
 * what is too much. */
GBytes *guard_message(GBytes *message, guint *flags);

#endif
