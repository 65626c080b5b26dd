/* plan.h - what has to be done in one folder: the decisions of the synchroniser, and nothing else
 *
 * Pure functions: what the store knows, what the server says and what is wanted here go in, a list of actions comes
 * out. No socket, no file, no SQL, no clock. The caller owns what is returned; strings of the input are borrowed and
 * must outlive the plan. Any thread may call.
 *
 * Three rules hold for every plan, whatever a server says (RELIABILITY.md S6, S11):
 *   - a message is removed here only when the server named it as gone, or gave a complete list without it;
 *   - the server is told to remove or move only what was asked for here, by its UID, under a known UIDVALIDITY;
 *   - flags are merged three ways, flag by flag; what nobody set is never set.
 *
 * The actions stand in the order in which they must be carried out. Each may be repeated: a plan made again after a
 * crash anywhere between two of them asks for what is left and for nothing twice.
 */
#ifndef SYNC_PLAN_H
#define SYNC_PLAN_H

#include "base/uidset.h"

enum plan_state {
    PLAN_HERE,   /* lies on the server under its UID, and shall */
    PLAN_DELETE, /* lies on the server, and shall be removed for good */
    PLAN_MOVE,   /* lies on the server, and shall lie in `target` instead, where it is PLAN_ARRIVE until it does */
    PLAN_UPLOAD, /* has no UID: the server has to be given it */
    PLAN_ARRIVE  /* has no UID yet: a move or copy from another folder is under way */
};

/* A message in the folder as the store knows it. One that lies on the server has UID 0 after a change of UIDVALIDITY,
 * until plan_match() finds its new one. */
struct plan_local {
    gint64 id; /* the placement */
    guint32 uid;
    guint8 state;                /* enum plan_state */
    guint8 body_wanted;          /* the body is not here, and shall be */
    guint8 arrived;              /* PLAN_MOVE: its counterpart in the target has a UID already: only the source is left */
    guint flags, want_flags;     /* as the server last said; as wanted here */
    const char *tags, *want_tags;
    gint64 target; /* PLAN_MOVE: a folder */
};

/* A message as the server says. */
struct plan_remote {
    guint32 uid;
    guint flags;
    const char *tags;
    guint64 modseq;
};

/* What the server will keep (PERMANENTFLAGS, RFC 9051 section 7.1). */
struct plan_storable {
    guint flags;
    gboolean any_tag; /* \* */
    const char *tags; /* else these */
};

struct plan_input {
    /* Those that the server mentions, and those that are not as they are wanted; all of them when `complete`. In
     * ascending order of UID, those without one first. */
    const struct plan_local *locals;
    gsize n_locals;
    const struct uidset *known; /* every UID that the store has in this folder */

    gboolean complete; /* `remotes` is the whole folder; else what changed since the last pass */
    gboolean matched;  /* plan_match() was done with every new message: a local that should lie on the server and has
                          no UID still is gone */
    const struct plan_remote *remotes; /* in any order; nonsense in it is passed over */
    gsize n_remotes;
    const struct uidset *vanished; /* not complete: gone since the last pass; NULL is none */
    gboolean exists_known;
    guint64 exists; /* messages in the folder, by the server's own count */

    struct plan_storable storable;
    gboolean read_only;       /* the server takes no change in this folder */
    gboolean removals_agreed; /* the user was asked: the brake on deletions at the server is off */
};

enum plan_kind {
    PLAN_REREAD,       /* the server's report does not add up: nothing else is in the plan; get the complete list */
    PLAN_TAKE_FLAGS,   /* record what the server says: `taken` */
    PLAN_CLOSE,        /* what was wanted gone is gone: forget these placements: `ids` */
    PLAN_SEND_FLAGS,   /* one UID STORE: `uids`, `add`, `flags`, `tags` */
    PLAN_SEND_MOVE,    /* `uids` to `target` */
    PLAN_SEND_EXPUNGE, /* `uids` */
    PLAN_ASK_EXPUNGE,  /* too many at once: `uids` stay until the user agrees */
    PLAN_SEND_UPLOAD,  /* APPEND each of `ids` */
    PLAN_FETCH_NEW,    /* `uids` are unknown here, to be read newest first */
    PLAN_FETCH_BODY,   /* `uids` (their placements in `ids`) are known by envelope only */
    PLAN_REMOVE,       /* gone from the server: `ids` are to be removed here (subject to plan_brake) */
    PLAN_TELL_TAGS,    /* `tags` cannot be kept by this server and stay local */
    PLAN_TELL_READ_ONLY /* changes wait here (`ids`), but the server takes none in this folder */
};

struct plan_taken {
    gint64 id;
    const struct plan_remote *remote;
};

struct plan_action {
    enum plan_kind kind;
    gboolean add; /* PLAN_SEND_FLAGS: + or - */
    guint flags;
    char *tags;
    gint64 target;
    struct uidset *uids; /* NULL where the kind has none */
    GArray *ids;         /* gint64; parallel to the ascending `uids` where both are there; or NULL */
    GArray *taken;       /* struct plan_taken; or NULL */
};

/* A message that was changed on both sides; `here` and `there` are changes, "+seen -work". */
struct plan_conflict {
    gint64 id;
    char *here, *there, *kept;
};

struct plan {
    GPtrArray *actions; /* struct plan_action */
    GPtrArray *conflicted; /* struct plan_conflict: the first PLAN_CONFLICTS_MAX of them */
    guint flags_in, flags_out, conflicts; /* messages whose marks change here, there, and changed on both sides */
};

#define PLAN_CONFLICTS_MAX 20
struct plan *plan_folder(const struct plan_input *input);
void plan_free(struct plan *plan);
typedef struct plan struct_plan;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_plan, plan_free)

/* One line for people: "flag 3 messages +seen", for --dry-run and the log. Newly allocated. */
char *plan_action_to_string(const struct plan_action *action);
guint64 plan_action_count(const struct plan_action *action); /* messages */

/* For plan.c. */
void plan_note_conflict(struct plan *plan, const struct plan_local *local, const struct plan_remote *remote);
void plan_conflict_free(gpointer conflict);

/* What became of marks: "+seen -work". Newly allocated. */
char *plan_changes_to_words(guint before_flags, const char *before, guint flags, const char *tags);

/* The brake: TRUE when removing `removed` of `total` messages at once needs the user's word. More than 50, and more
 * than a fifth. */
gboolean plan_brake(guint64 total, guint64 removed);

/* Who is who, when UIDs cannot tell: after a change of UIDVALIDITY, after an upload or a move whose answer was lost,
 * and for messages that another client moved. */
struct plan_identity {
    gint64 id;            /* the caller's: a placement, or a UID */
    const char *server_id; /* EMAILID, X-GM-MSGID: equal is the same message, different is not; NULL unknown */
    const char *message_id; /* or another text that stands for it; NULL: matched by server_id only */
    gint64 date;           /* of the header */
    guint64 size;          /* as the server counts; 0 unknown */
    const char *content;   /* hash of the content; local side; NULL unknown */
    gboolean loose;        /* local side: size may differ (servers rewrite what they are given) */
};

struct plan_pair {
    gsize local, remote; /* indices */
};

/* Pairs each local with at most one remote, in order. Where several locals look alike and their content is not known
 * to be the same, none of them is paired: a wrong body under a UID is worse than one that is fetched again. */
GArray *plan_match(const struct plan_identity *locals, gsize n_locals, const struct plan_identity *remotes,
                   gsize n_remotes);

#endif
