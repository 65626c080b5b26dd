/* Roles of folders, and what people call them. */
#include "config.h"

#include "store/folder.h"

static const struct {
    const char *word;         /* in JSON, and as a person types it */
    const char *usual;        /* the name of one that we make; NULL: only a server makes such */
    const char *guesses[8];   /* names that it has where nobody says so, in lower case, the most usual first */
} roles[FOLDER_ROLES] = {
    [FOLDER_NONE] = {"", NULL, {NULL}},
    [FOLDER_INBOX] = {"inbox", "INBOX", {NULL}},
    [FOLDER_DRAFTS] = {"drafts", "Drafts", {"drafts", "draft", "postponed", "entw\xC3\xBCrfe"}},
    [FOLDER_SENT] = {"sent", "Sent", {"sent", "sent items", "sent mail", "sent messages", "outbox.sent", "gesendet"}},
    [FOLDER_JUNK] = {"junk", "Junk", {"junk", "spam", "junk e-mail", "junk email", "bulk mail"}},
    [FOLDER_TRASH] = {"trash", "Trash", {"trash", "deleted items", "deleted messages", "bin", "papierkorb"}},
    [FOLDER_ARCHIVE] = {"archive", "Archive", {"archive", "archives", "archiv"}},
    [FOLDER_ALL] = {"all", NULL, {"all mail"}},
    [FOLDER_FLAGGED] = {"flagged", NULL, {NULL}},
    [FOLDER_IMPORTANT] = {"important", NULL, {NULL}},
};

const char *
folder_role_name(enum folder_role role)
{
    return role < FOLDER_ROLES ? roles[role].word : "";
}

enum folder_role
folder_role_from_name(const char *name)
{
    for (guint i = 1; name && i < FOLDER_ROLES; i++)
        if (!g_ascii_strcasecmp(name, roles[i].word))
            return i;
    return FOLDER_NONE;
}

const char *
folder_role_usual(enum folder_role role)
{
    return role < FOLDER_ROLES ? roles[role].usual : NULL;
}

const char *const *
folder_role_guesses(enum folder_role role)
{
    return roles[role < FOLDER_ROLES ? role : FOLDER_NONE].guesses;
}
