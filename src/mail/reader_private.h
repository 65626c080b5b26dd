/* Between reader.c (the process and its queue) and reader_ask.c (the typed questions). */
#ifndef MAIL_READER_PRIVATE_H
#define MAIL_READER_PRIVATE_H

#include "mail/reader.h"
#include "mail/reader_protocol.h"

struct request;
/* Called once with the value or the error. */
typedef void (*finish_func)(struct request *request, GVariant *value, const GError *error);

struct request {
    guint id, operation, argument;
    GVariant *value; /* kept until it is answered: it may have to be asked again */
    const char *answer_type;
    GBytes *blob; /* that came beside the answer, while finish runs */
    finish_func finish;
    void (*func)(void); /* the user's */
    gpointer data;
    GDestroyNotify destroy;
    gboolean cancelled, cut, tried;
};

/* Puts a question in the queue; value may be floating.  The request is the queue's; fill in func, data and
 * destroy before returning to the caller. */
struct request *reader_ask(struct reader *reader, enum reader_operation operation, guint argument,
                           GVariant *value, const char *answer_type, finish_func finish);
/* The finish function of a question that is waited for with reader_wait. */
void reader_finish_waiting(struct request *request, GVariant *value, const GError *error);
/* blob (may be NULL) receives the bytes beside the answer: parts and built messages always have them. */
GVariant *reader_wait(struct reader *reader, struct request *request, GBytes **blob, GError **error);

#endif
