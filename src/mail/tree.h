/* The MIME structure of a message, within limits: GMime finds it, this keeps where every part lies.
 *
 * For parse.c only.  One thread; mail_init() has run. */
#ifndef MAIL_TREE_H
#define MAIL_TREE_H

#include "mail/document.h"

enum node_flags {
    NODE_FLOWED = 1 << 0,    /* format=flowed */
    NODE_DELSP = 1 << 1,     /* delsp=yes */
    NODE_ENCRYPTED = 1 << 2, /* below multipart/encrypted, or S/MIME enveloped */
    NODE_RELATED = 1 << 3,   /* belongs to the HTML of a multipart/related: not its root */
    NODE_CONTROL = 1 << 4,   /* a signature, or control data of encryption or reports: not for people */
};

struct tree {
    GBytes *message;
    const char *bytes; /* what GMime saw: the same, maybe with blanks and shorter */
    gsize length;
    GPtrArray *parts;   /* of struct document_part; their attachments are numbered */
    GArray *node_flags; /* of guint, a part each */
    guint attachments;
    guint flags;        /* enum document_flags */
    GPtrArray *notices; /* of char * */
};

struct tree *tree_new(GBytes *message);
void tree_free(struct tree *tree);
typedef struct tree struct_tree;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_tree, tree_free)

void tree_notice(struct tree *tree, guint document_flag, const char *format, ...) G_GNUC_PRINTF(3, 4);

struct document_part *tree_part(const struct tree *tree, guint n);
guint tree_node_flags(const struct tree *tree, guint n);
/* The children of n in order: pass 0 first, then the last one; 0 ends. */
guint tree_next_child(const struct tree *tree, guint n, guint after);
gboolean tree_is(const struct tree *tree, guint n, const char *type);
/* "text/" and the like. */
gboolean tree_is_kind(const struct tree *tree, guint n, const char *prefix);

/* text/… that is data for a program: calendars, cards. */
gboolean tree_is_data(const struct tree *tree, guint n);

/* Sets the marks of the attachments. One is decoded whole only when its beginning says that it is worth it. */
void tree_examine(struct tree *tree);

/* Sets the decoded size of a part that has its place. */
void tree_measure(struct tree *tree, struct document_part *part);

/* The decoded content of a leaf, or the content of a container as it stands; at most limit encoded bytes are
 * looked at (0: all). */
GBytes *tree_content(const struct tree *tree, guint n, gsize limit);
/* A text part in UTF-8; notes an unknown charset. */
char *tree_text(struct tree *tree, guint n, gsize limit);

#endif
