/* search_compile.h - for search*.c alone: nodes of a search tree as conditions of SQL */
#ifndef STORE_SEARCH_COMPILE_H
#define STORE_SEARCH_COMPILE_H

#include "store/search.h"

#define SEARCH_TERMS_WALKED 40 /* of one MATCH: more become conditions */

struct parameter {
    char *text; /* or */
    gint64 number;
    gboolean bytes; /* text holds MID_SIZE bytes */
};

struct compiler {
    struct store *store;
    GString *sql;
    GArray *parameters;
    const struct search_page *page;
    GPtrArray *folders; /* of struct folder, read when first needed */
    guint level;        /* of the message alias */
    gboolean one_by_one; /* the full text is asked about each message, not for all that fit */
    GError *error;
};

/* A parameter: its "?N" is appended to the statement. Takes text (MID_SIZE bytes of it when `bytes`). */
void search_add_parameter(struct compiler *c, char *text, gint64 number, gboolean bytes);
void search_add_text(struct compiler *c, const char *text);
void search_parameter_clear(gpointer parameter);

/* May the node be a term of an FTS5 MATCH? And that term. */
gboolean search_is_match(const struct query *query);
void search_add_match(GString *out, const struct query *query);
/* Is the last of the words of such a term but a beginning? */
gboolean search_is_beginning(const struct query *query);
/* The folders that a FOLDER, PATH or ACCOUNT node means: "1,5,9"; "" for none. */
char *search_folder_ids(struct compiler *c, const struct query *query);
/* The node as a condition on the message with the alias `m`, which is never NULL. */
void search_compile(struct compiler *c, const struct query *query, const char *m);

#endif
