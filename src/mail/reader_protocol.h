/* What the reader's client and the reader process say to each other: records (base/record.h), answered in the
 * order of asking.
 *
 * On start the process says READER_HELLO once it is confined.  Both ends are the same build; a change here
 * needs nothing else. */
#ifndef MAIL_READER_PROTOCOL_H
#define MAIL_READER_PROTOCOL_H

enum reader_operation {
    READER_OP_PARSE,     /* ay, argument: enum reader_want -> DOCUMENT_TYPE */
    READER_OP_PART,      /* ay, argument: n -> PART_TYPE and a blob */
    READER_OP_PART_TEXT, /* ay, argument: n -> s */
    READER_OP_INDEX,     /* ay -> MESSAGE_INDEX_TYPE */
    READER_OP_ENVELOPE,  /* ay -> ENVELOPE_TYPE */
    READER_OP_BUILD,     /* DRAFT_TYPE -> () and a blob */
    READER_OP_TOKENS,    /* ay, argument: with names -> ay (the names, a NUL after each) and a blob: tokens.h */
    READER_OP_TEST,      /* ay naming a forbidden act, for tests of the jail -> s */
};

/* operation, argument, value */
#define READER_REQUEST_TYPE "(uuv)"
/* 0 and the answer, or enum error_code and an s */
#define READER_ANSWER_TYPE "(uv)"
#define READER_HELLO "postrider-reader 1"

/* Bounds on what either side takes from the other. */
#define READER_REQUEST_MAX (300u * 1024 * 1024)
#define READER_ANSWER_MAX (300u * 1024 * 1024)

/* Address space that the process may take for itself, and what its starter may allow for a large message. */
#define READER_MEMORY (256u * 1024 * 1024)
#define READER_MEMORY_HARD (2048ull * 1024 * 1024)
/* Messages up to this size fit into READER_MEMORY. */
#define READER_SMALL (50u * 1024 * 1024)

/* How it ends when its memory does not suffice. */
#define READER_EXIT_MEMORY 71

/* CPU time for one request. */
#define READER_CPU_MS 5000

#endif
