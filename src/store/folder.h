/* folder.h - folders of the accounts: names, roles, what the server last said about them, counters
 *
 * `name` is UTF-8 with '/' between levels, whatever the server's delimiter; "INBOX" is always spelt so.
 * `wire` is the name on the server as it goes over the wire (modified UTF-7 or UTF-8, the server's
 * delimiter); NULL: not there yet. `dir` is the Maildir below mail/, found by a one-to-one, reversible
 * mapping that keeps hostile names inside (folder_dir_*). Counters are kept up to date by every change;
 * nothing is counted when it is shown. Same thread as the store.
 */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include "store/store.h"

enum folder_role {
    FOLDER_NONE,
    FOLDER_INBOX,
    FOLDER_DRAFTS,
    FOLDER_SENT,
    FOLDER_JUNK,
    FOLDER_TRASH,
    FOLDER_ARCHIVE,
    FOLDER_ALL,       /* Gmail's All Mail: everything lies here too */
    FOLDER_FLAGGED,   /* a virtual folder of the server */
    FOLDER_IMPORTANT, /* likewise */
    FOLDER_ROLES
};
/* "", "inbox", "drafts", …: JSON's `role`. */
const char *folder_role_name(enum folder_role role);
enum folder_role folder_role_from_name(const char *name);
/* What we call one that we make, "Sent"; NULL: only servers have such. */
const char *folder_role_usual(enum folder_role role);
/* Names in lower case that mean it where nobody says which folder has the role, the most usual first; ends with NULL. */
const char *const *folder_role_guesses(enum folder_role role);

enum folder_bits {
    FOLDER_SUBSCRIBED = 1 << 0,
    FOLDER_SELECTABLE = 1 << 1, /* holds messages; a mere level of the tree does not */
    FOLDER_GONE =
        1 << 2, /* the server has it no more, or it is to be deleted: hidden, mail kept until settled */
    FOLDER_PAUSED = 1 << 3 /* sync stays away until the user agrees (D10, D11): see notice */
};

struct folder {
    gint64 id, account;
    char *account_name;
    char *name;
    char *wire;     /* NULL: not on the server yet */
    char delimiter; /* of the server; 0: flat */
    gboolean local; /* of an account without a server for its folders (account.h): wire is NULL, and that is fine */
    char *dir;      /* below mail/, "work/Lists/dev" */
    enum folder_role role;
    guint bits; /* enum folder_bits */
    guint32 uidvalidity, uidnext;
    guint64 modseq;         /* HIGHESTMODSEQ up to which all is known; 0: none */
    guint validity_changes; /* in a row (D10) */
    gint64 total, unread, flagged, conversations,
        unread_conversations; /* of what is shown: not of what is leaving */
    gint64 server_total;      /* EXISTS as last said; more than `total` while the first envelopes come in */
    gint64 synced;            /* seconds; 0 never */
    char *notice;             /* a sentence for the user, or NULL */
    char *mailbox_id;         /* the server's name for it that no rename changes (RFC 8474), or NULL */
};

void folder_free(struct folder *folder);
typedef struct folder struct_folder;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_folder, folder_free)

/* GPtrArray of struct folder; account 0: of all. By account, then INBOX, the roles, the rest by name. Without
 * FOLDER_GONE ones unless `all`. */
GPtrArray *folder_list(struct store *store, gint64 account, gboolean all, GError **error);
struct folder *folder_get(struct store *store, gint64 id, GError **error);
/* 0 when there is none. */
gint64 folder_find(struct store *store, gint64 account, const char *name);
gint64 folder_find_wire(struct store *store, gint64 account, const char *wire);
gint64 folder_find_role(struct store *store, gint64 account, enum folder_role role);
/* Those of all accounts, by account: GArray of gint64. */
GArray *folder_ids_of_role(struct store *store, enum folder_role role);
/* What a person types: "INBOX", "account/INBOX", "=Sent", "+Sent", a role word; `account` (may be 0) is the
 * one at hand and wins where several fit. Any case when only one fits so. The error (ERROR_NOINPUT) names the
 * nearest ones, ERROR_INPUT says which accounts have one. */
gint64 folder_lookup(struct store *store, gint64 account, const char *text, GError **error);

/* As the server lists it: made, or its wire name, delimiter, role and bits brought up to date (FOLDER_GONE
 * and FOLDER_PAUSED are kept as they are). Makes no directory. A name that cannot be kept (over 1,000 bytes,
 * 50 levels) is ERROR_SKIP. Returns the id, 0 on error. */
gint64 folder_upsert(struct store *store, gint64 account, const char *name, const char *wire, char delimiter,
                     enum folder_role role, guint bits, GError **error);
/* Folders that the server calls otherwise now: their rows, mail, intents and counters stay. All at once, so that two may
 * change names. Directories follow with maildir_apply(). ERROR_REFUSED, and nothing is changed, when a folder that is not
 * among them has one of the names. */
struct folder_rename {
    gint64 folder;
    const char *name, *wire;
    char delimiter;
};
gboolean folder_take_renames(struct store *store, const struct folder_rename *renames, guint n, GError **error);
gboolean folder_set_mailbox_id(struct store *store, gint64 id, const char *mailbox_id, GError **error);
gboolean folder_set_bits(struct store *store, gint64 id, guint set, guint clear, GError **error);
gboolean folder_set_role(struct store *store, gint64 id, enum folder_role role, GError **error);
gboolean folder_set_notice(struct store *store, gint64 id, const char *notice, GError **error);
/* What SELECT said, in the transaction of the rows it speaks about. uidvalidity must be the folder's own, or
 * the first. */
gboolean folder_set_sync(struct store *store, gint64 id, guint32 uidvalidity, guint32 uidnext, guint64 modseq,
                         gint64 server_total, gint64 synced, GError **error);
/* The server numbers this folder anew (RFC 3501 section 2.3.1.1): every placement loses its UID and becomes
 * PLACEMENT_UNBOUND, to be found again with placement_match(); nothing is deleted. Counts validity_changes.
 */
gboolean folder_reset_uidvalidity(struct store *store, gint64 id, guint32 uidvalidity, GError **error);
/* A pass went well: validity_changes = 0. */
gboolean folder_settled(struct store *store, gint64 id, GError **error);
/* The server has it no more: its rows go, files move to mail/.removed. Not for folders with local-only mail
 * (ERROR_BUSY). */
gboolean folder_forget(struct store *store, gint64 id, GError **error);
/* Files that a crash left in the directories of forgotten folders go, as far as they lie elsewhere by another name. */
gboolean folder_sweep_forgotten(struct store *store, GError **error);

/* Full path of its Maildir; cur, new and tmp are made (0700) when `make`. */
char *folder_path(struct store *store, gint64 id, gboolean make, GError **error);

/* The mapping (S2): a folder name to a path below the account's directory and back. Each level becomes a
 * component of at most 200 bytes that is never "", ".", "..", "cur", "new" or "tmp", begins with no dot, dash
 * or tilde, and holds no control, format, separator or invalid byte: those are written %XX; a longer one
 * continues below a component that ends in "%+". */
char *folder_dir_from_name(const char *name);
char *folder_dir_to_name(const char *dir); /* NULL: not one of ours */
/* A directory of the account for a folder that cannot have its own yet; no folder's name leads there. */
char *folder_dir_aside(const char *account_dir, gint64 folder);

#endif
