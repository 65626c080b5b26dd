/* Every bound on what a message may make us do, in one place (RELIABILITY.md B2, M4, M5, M6). */
#ifndef MAIL_LIMITS_H
#define MAIL_LIMITS_H

#define LIMIT_MESSAGE                                                                                        \
    (50 * 1024 * 1024) /* bytes given to a reader in one request; longer ones are cut, with a notice */
#define LIMIT_HEADER_BLOCK (1024 * 1024) /* bytes of one header block; what follows is left out */
#define LIMIT_HEADER_FIELD (256 * 1024)  /* bytes of one field, folding included */
#define LIMIT_HEADER_FIELDS 10000        /* fields in one block */
#define LIMIT_ADDRESS_FIELD (64 * 1024)  /* bytes of an address field that GMime may see */
#define LIMIT_GROUPS 100     /* ':' outside quotes in an address field: nested groups recurse in GMime */
#define LIMIT_ADDRESSES 1000 /* addresses kept of one field */
#define LIMIT_DEPTH 50       /* nested containers */
#define LIMIT_PARTS 1000
#define LIMIT_TEXT (8 * 1024 * 1024)  /* bytes of readable text */
#define LIMIT_HTML (16 * 1024 * 1024) /* bytes of HTML that are looked at */
#define LIMIT_HTML_DEPTH 256          /* open elements; deeper ones are flattened into their parent */
#define LIMIT_LINKS 2000
#define LIMIT_NOTICES 20
#define LIMIT_PREVIEW 200               /* characters */
#define LIMIT_EXAMINED (64 * 1024 * 1024) /* encoded bytes of attachments that are looked into */
#define LIMIT_INDEX_TEXT (1024 * 1024)  /* bytes of body text given to the index */
#define LIMIT_FILENAME 200              /* bytes */
#define LIMIT_MAILTO (64 * 1024)        /* bytes of a mailto: address */
#define LIMIT_BUILD (200 * 1024 * 1024) /* bytes of a message that is built */

#endif
