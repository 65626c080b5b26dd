/* scan_private.h - for scan.c and scan_take.c alone: a folder's directory beside its placements */
#ifndef STORE_SCAN_PRIVATE_H
#define STORE_SCAN_PRIVATE_H

#include "store/internal.h"
#include "store/maildir.h"
#include "store/names.h"
#include "store/rows.h"
#include "store/scan.h"

struct known {
    gint64 id;
    char *file;
    guint flags, state;
    gboolean seen;
};

/* A file that no placement of this folder names. */
struct stranger {
    char *file, *path;
    struct maildir_entry entry; /* hash and sizes */
};

struct scan {
    struct store *store;
    gint64 folder;
    char *dir;
    struct names *names;  /* of the files there are; those that are as we know them are taken off */
    guint placements;     /* that name a file */
    GHashTable *known;    /* those whose file has not that name: unique part -> struct known */
    GHashTable *listed;   /* directory -> set of unique parts: others that were looked through */
    GPtrArray *strangers; /* of struct stranger */
    GPtrArray *renamed;   /* file names, of `names` */
    GArray *missing;      /* of gint64 */
    scan_reader reader;
    gpointer data;
    struct scan_result *result;
    gint64 journal;
    guint how;
    gboolean is_tree;    /* the user's own Maildir (tree.h): what comes to it has arrived, and nothing of it is for undo */
    gboolean seen_before; /* it has been looked through */
    gboolean unfinished; /* something was left for the next time */
};

/* ---- scan.c ---- */

/* A transaction with an entry for undo around one step; an entry without items goes again. */
gboolean scan_begin(struct scan *scan, GError **error);
gboolean scan_end(struct scan *scan, gboolean ok, GError **error);
/* For a person. Takes the text. */
void scan_tell(struct scan *scan, char *text);
/* It has turned up. */
void scan_not_missing(struct scan *scan, gint64 placement);
/* The file of that placement is called `file` now; its flags were `before` when they were last known. A name in new/ says
 * nothing of flags. */
gboolean scan_take_name(struct scan *scan, struct placement_row *row, guint before, const char *file, GError **error);

/* ---- scan_take.c ---- */

/* Files that no placement names: moved here, copied, left by a crash of ours, or new. */
gboolean scan_take_strangers(struct scan *scan, GError **error);

#endif
