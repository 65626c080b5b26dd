/* HTML mail to readable text (M6): libxml2's parser for the tags, the layout is ours.
 *
 * Nothing is fetched, no script runs, no style is applied but the hiding of text.  Bounded in time, depth and
 * output whatever comes in; no recursion on the input's depth.  Reader process only; one thread. */
#ifndef MAIL_HTML_H
#define MAIL_HTML_H

#include "mail/flow.h"

/* html is valid UTF-8.  Adds lines and links to flow (the list of links is the caller's to add).  Returns
 * enum document_flags of what it met: REMOTE, HIDDEN_TEXT, SUSPICIOUS_LINK, LIMITED. */
guint html_to_flow(struct flow *flow, const char *html, gsize length);

/* The charset that a meta element near the beginning names, or NULL. */
char *html_meta_charset(const char *bytes, gsize length);

#endif
