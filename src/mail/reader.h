/* The jailed reader, seen from outside: start it, ask it, survive it.
 *
 * `postrider-reader` is a pure function in a confined process: message bytes in, document out.  It has no
 * files, no network and bounded memory and time; a message that kills it costs that message and nothing else:
 * the call fails with ERROR_SKIP, the process is started anew, and requests that waited behind it are asked
 * again.  A message that was killed from outside is tried once more, never twice.
 *
 * A reader is cheap to keep (one process, idle) and costs some 20 ms to start, which happens on the first
 * request.  One thread uses a reader at a time; several readers may work side by side.  Links without GMime
 * and GIO.  Nothing here ever writes to the terminal.
 *
 * Two ways of asking, which may be mixed:
 *  - the plain calls wait for their answer (commands, engine);
 *  - the *_async calls return at once and call back later, in order: from the main context that was the
 * thread's default when the reader was made (the screen), or from inside reader_drain (bulk work).  They
 * never call back before they return. */
#ifndef MAIL_READER_H
#define MAIL_READER_H

#include "mail/document.h"
#include "mail/draft.h"
#include "mail/index.h"
#include "mail/tokens.h"

#define READER_ERROR (reader_error_quark())
GQuark reader_error_quark(void);

struct reader;

/* Never fails: what is wrong with the program shows on the first request (ERROR_GIVEUP names it). */
struct reader *reader_new(void);
/* Starts the process now, without waiting for it, so that the first message is not the slow one. */
void reader_warm(struct reader *reader);
/* Requests still waiting are dropped without a call back.  Not from inside a call back. */
void reader_free(struct reader *reader);
typedef struct reader struct_reader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_reader, reader_free)

/* Wall-clock milliseconds for one message before its reader is killed; 15,000 unless set (inside, five
 * seconds of CPU are the limit). */
void reader_set_time_limit(struct reader *reader, guint milliseconds);

enum reader_want {
    READER_TEXT = 1 << 0,    /* text, lines, links, preview */
    READER_HEADERS = 1 << 1, /* the headers array */
    READER_HTML = 1 << 2,    /* make the text from the HTML alternative when there is one */
    READER_ALL = READER_TEXT | READER_HEADERS,
};

/* Bytes are a message as it lies in the Maildir (LF or CRLF). */
struct document *reader_parse(struct reader *reader, GBytes *message, guint want, GError **error);

/* The decoded bytes of part n (1 is the whole content); for text parts the bytes as they were sent, not
 * converted.  For message/rfc822 and multiparts the content as it stands.  info (may be NULL) receives a copy
 * of the part's description, to be freed with document_part_free. */
GBytes *reader_part(struct reader *reader, GBytes *message, guint n, struct document_part **info,
                    GError **error);

/* A text part (plain or HTML) as readable text in UTF-8. */
char *reader_part_text(struct reader *reader, GBytes *message, guint n, GError **error);

/* Envelope, preview and the texts for FTS5. */
struct message_index *reader_index_text(struct reader *reader, GBytes *message, GError **error);
/* The envelope of a header block. */
struct envelope *reader_envelope(struct reader *reader, GBytes *header, GError **error);

/* What the learning filter looks at, of the first TOKENS_MESSAGE bytes.  names (may be NULL) receives what
 * each slot stands for, in order, a NUL after each; it is checked that there are as many. */
struct tokens *reader_tokens(struct reader *reader, GBytes *message, GBytes **names, GError **error);

/* Message bytes with LF line ends out of a draft whose attachments are loaded (draft_load_attachments).  Date
 * and Message-ID are set in the draft's copy and returned when the pointers are not NULL. */
GBytes *reader_build(struct reader *reader, const struct draft *draft, char **message_id, gint64 *date,
                     GError **error);

/* Later, in order of asking.  The callee owns the result; error is NULL on success, borrowed otherwise.
 * destroy (may be NULL) runs after the call back, and also when the request is cancelled or the reader freed.
 */
typedef void (*reader_document_func)(struct document *document, const GError *error, gpointer data);
typedef void (*reader_index_func)(struct message_index *index, const GError *error, gpointer data);
typedef void (*reader_tokens_func)(struct tokens *tokens, const GError *error, gpointer data);
typedef void (*reader_bytes_func)(GBytes *bytes, const GError *error, gpointer data);
guint reader_parse_async(struct reader *reader, GBytes *message, guint want, reader_document_func func,
                         gpointer data, GDestroyNotify destroy);
guint reader_index_text_async(struct reader *reader, GBytes *message, reader_index_func func, gpointer data,
                              GDestroyNotify destroy);
guint reader_tokens_async(struct reader *reader, GBytes *message, reader_tokens_func func, gpointer data,
                          GDestroyNotify destroy);
guint reader_part_async(struct reader *reader, GBytes *message, guint n, reader_bytes_func func,
                        gpointer data, GDestroyNotify destroy);
guint reader_build_async(struct reader *reader, const struct draft *draft, reader_bytes_func func,
                         gpointer data, GDestroyNotify destroy);
/* The call back will not run; the work may still be done. */
void reader_cancel(struct reader *reader, guint request);

/* Requests without an answer so far, and the message bytes they hold. */
guint reader_pending(const struct reader *reader, guint64 *bytes);
/* Waits, calling back, until at most `left` requests are unanswered.  For bulk work: ask, and drain to 64 now
 * and then. */
void reader_drain(struct reader *reader, guint left);

/* Makes the reader do what it must not ("open", "socket", "execve", "fork", "spin", "memory", "crash"): for
 * tests of the jail.  What it answered, or the error. */
char *reader_try(struct reader *reader, const char *what, GError **error);

#endif
