/* Line ends.
 *
 * A message lies in the Maildir with LF line ends, as Maildir tools expect, and goes over the wire with CRLF.
 * lf_to_crlf(crlf_to_lf(x)) == x for every x that has no bare LF; crlf_to_lf(lf_to_crlf(y)) == y for every y
 * that has no CR before LF.  A lone CR is left alone in both directions. Pure, any thread, no GMime. */
#ifndef MAIL_LINES_H
#define MAIL_LINES_H

#include <glib.h>

/* Both return a new reference to the same bytes when nothing has to change. */
GBytes *crlf_to_lf(GBytes *bytes);
GBytes *lf_to_crlf(GBytes *bytes);
/* In place; returns the new length. */
gsize crlf_to_lf_inplace(char *bytes, gsize length);
/* True when every LF has a CR before it and every CR an LF after it: ready for the wire. */
gboolean lines_are_crlf(const char *bytes, gsize length);

#endif
