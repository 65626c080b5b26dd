/* A draft as an editor shows it and `-H` reads it: header lines in plain UTF-8, a blank line, the body.
 *
 * Pure, no GMime, any thread; the caller owns what is returned.  Not a message: nothing is encoded, Attach:
 * lines name files (mutt's pseudo-header).  For real messages on standard input (`sendmail -t`) see
 * mail/rawmsg.h. */
#ifndef MAIL_DRAFTFILE_H
#define MAIL_DRAFTFILE_H

#include "mail/draft.h"

#define DRAFTFILE_ERROR (draftfile_error_quark())
GQuark draftfile_error_quark(void);

/* Always writes From, To, Cc, Bcc, Subject, then Reply-To and others when set, "Attach: PATH" for files,
 * blank, body.  With headers FALSE the body alone. */
char *draftfile_format(const struct draft *draft, gboolean headers);
/* Into a draft: fields that the text has replace the draft's own (an empty To: empties it), those it does not
 * have are kept; unknown fields become extra headers.  Errors name the line: "line 3: To: ana@: no domain
 * after the @".  Text without a header block is all body. The draft is unchanged after an error. */
gboolean draftfile_parse(const char *text, gsize length, struct draft *draft, GError **error);
/* One field, whatever its name; extra headers that the draft has stay. */
gboolean draftfile_add_field(struct draft *draft, const char *name, const char *value, GError **error);

#endif
