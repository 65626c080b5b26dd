/* config.h - the configuration file, read, checked and edited
 *
 * $XDG_CONFIG_HOME/postrider/config: "[section]" lines, "key = value" lines, comments from '#' at the start
 * of a line. One table (config_keys) holds every key with its type, range, default and help; reading, errors,
 * postrider-config(5) and `setup` all go by it. Errors name file, line and the allowed values (ERROR_CONFIG);
 * a missing file is no error: the result has no accounts. Secrets are never in it.
 *
 * The caller owns a struct config; what it holds lives as long as it. Any thread may read one; nobody writes.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/endpoint.h"

#define CONFIG_ERROR (config_error_quark())
GQuark config_error_quark(void);

enum password_kind { PASSWORD_ASK, PASSWORD_COMMAND, PASSWORD_KEYRING };
enum folder_choice { FOLDERS_SUBSCRIBED, FOLDERS_ALL };
enum key_set { KEYS_MUTT, KEYS_AERC, KEYS_ALPINE, KEYS_VI };
enum blocked { BLOCKED_JUNK, BLOCKED_TRASH };
enum filtering { FILTERING_OFF, FILTERING_WATCH, FILTERING_ON };
enum theme { THEME_DUSK, THEME_DAY };
enum reader_layout { LAYOUT_BESIDE, LAYOUT_WHOLE };

enum keep_what {
    KEEP_BODIES,    /* those that `days` and `size` let in */
    KEEP_ENVELOPES, /* the list is here, bodies come when they are opened */
    KEEP_OFF        /* the folder is left alone */
};

struct keep {
    char *folder; /* a name or a pattern; NULL: of the account */
    enum keep_what what;
    int days;    /* bodies kept off line; 0: of any age */
    gint64 size; /* bytes; 0: of any size */
};

/* When a message goes from a POP3 mailbox. In each case but LEAVE_ALWAYS also when it was deleted here. */
enum leave_what {
    LEAVE_ALWAYS,
    LEAVE_UNTIL_DELETED,
    LEAVE_DAYS, /* so many after it came */
    LEAVE_NEVER /* when it is safely here */
};

struct leave {
    enum leave_what what;
    int days;
};

struct account {
    char *name;                        /* of the section: "work" */
    char *real_name;                   /* of `address`; NULL when there is none */
    char *address;                     /* local@domain */
    char **aliases;                    /* further own addresses, local@domain; never NULL */
    char *incoming_url, *outgoing_url; /* as written */
    struct endpoint *incoming;         /* IMAP or POP3; NULL: `maildir` is set, or mail is only sent */
    char *maildir;                     /* incoming = maildir:PATH */
    struct endpoint *sieve;            /* ManageSieve, or NULL */
    struct endpoint *outgoing;         /* SMTP; NULL: this account cannot send */
    enum password_kind password;
    char *password_command;          /* run by sh -c; one line on standard output */
    char *outgoing_password_command; /* NULL: the same as incoming */
    struct keep keep;                /* see keep.h */
    GArray *keep_folders;            /* of struct keep: keep.FOLDER, in the order of the file; may be NULL */
    struct leave leave;              /* POP3 */
    gboolean sent_copy;              /* upload a copy to the Sent folder (off where the server does it) */
    enum folder_choice folders;
    char *role_names[6]; /* Sent, Drafts, Junk, Trash, Archive, All by name, in the order of config_roles;
                            NULL: as the server says */
    char **trusted_hosts; /* whose Authentication-Results count; may be NULL */
    char **trusted_sealers; /* whose ARC seals count; may be NULL */
    char *signature;     /* path of the signature file */
    char *tls, *tls_ca, *tls_pin; /* as written; also copied into the endpoints */
    int line;                     /* of its section, for errors */
};
extern const char
    *const config_roles[]; /* "sent", "drafts", "junk", "trash", "archive", "all", NULL: keys of an account */

/* [rule NAME]: compiled by trust/rules.h. */
struct config_rule {
    char *name;
    char *when, *then; /* as written; never NULL */
    char *account;     /* the only account it is for; NULL: all */
    int line, when_line, then_line;
};

struct config_pair {
    char *key, *value;
    int line;
};

struct config {
    char *path;
    GPtrArray *accounts; /* of struct account, in the order of the file; the first is the default */
    int undo_send;       /* seconds */
    int poll;            /* seconds between looks at a server that cannot push */
    enum theme theme;
    enum reader_layout layout;
    gboolean check;       /* DKIM, SPF, … of what arrives */
    char *virus_scanner;  /* the path of clamd's socket, or NULL */
    char *resolver;       /* or NULL: the system's */
    char **address_lists, **domain_lists; /* block lists in the DNS; NULL: none is asked */
    enum filtering filter; /* what the learning filter does */
    enum blocked blocked; /* where the mail of blocked senders goes */
    enum key_set key_set;
    char *editor;     /* NULL: $VISUAL, $EDITOR, vi */
    int notmuch_days; /* 0: all; -1: off */
    gboolean conversations, one_inbox, side_bar, hyperlinks, mouse;
    GArray *keys;     /* [keys]: struct config_pair, free form; the screen checks them */
    GArray *searches; /* [searches]: name = query */
    GArray *splits;   /* [splits]: likewise, in the order of the file: tabs above the inbox */
    GPtrArray *rules; /* of struct config_rule, in the order of the file */
};

enum config_type { CONFIG_STRING, CONFIG_INT, CONFIG_BOOL, CONFIG_ENUM, CONFIG_LIST, CONFIG_CUSTOM };

struct config_key {
    const char *section; /* "general", "account" or "rule" */
    const char *key;
    enum config_type type;
    int min, max;       /* of an int */
    const char *values; /* of an enum: "dusk|day"; of the others: the form, for errors and the manual page */
    const char *fallback; /* the default, as it would be written; NULL: none */
    gboolean required;
    const char *help; /* one sentence, translated when shown */
    gsize offset;     /* of the field in struct config, struct account or struct config_rule */
    gboolean (*custom)(gpointer target, const char *value, char **why);
};
extern const struct config_key config_keys[]; /* ends with key NULL */

/* `path` NULL: the usual place. */
struct config *config_load(const char *path, GError **error);
/* The same from text, `path` for the errors only. */
struct config *config_parse(const char *text, const char *path, GError **error);
void config_free(struct config *config);

/* Borrowed; NULL with an error that lists the names when there is none called so. `name` NULL: the default
 * account. */
const struct account *config_account(const struct config *config, const char *name, GError **error);
/* Does mail come to it? Not so an account that only sends. */
gboolean account_receives(const struct account *account);
/* No server keeps its folders (POP3, a Maildir). */
gboolean account_is_local(const struct account *account);
/* Borrowed: the account that has this address (or alias), NULL when none has. */
const struct account *config_account_for(const struct config *config, const char *address);
/* Host names of the servers that mail comes from: their word counts. NULL-terminated. */
GStrv config_own_hosts(const struct config *config);
/* Borrowed or NULL. */
const char *config_search(const struct config *config, const char *name);

/* Appends a section to the file (made 0600 when absent, else its text and comments stay), after checking that
 * the whole then parses. Pairs: key, value, …, NULL. Written beside it, flushed, renamed. */
gboolean config_add_section(const char *path, const char *section, const char *const *pairs, GError **error);

/* Sets one key of a section (value NULL: takes it away), where it stands or at the end of the section, which is made when
 * there is none. Checked and written likewise. */
gboolean config_set(const char *path, const char *section, const char *key, const char *value, GError **error);

typedef struct config struct_config;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_config, config_free)

#endif
