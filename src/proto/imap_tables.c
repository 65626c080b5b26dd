/* What servers offer, and where they are known to be wrong. */
#include "config.h"

#include "proto/imap_private.h"

#include <string.h>

const struct imap_extension imap_extensions[] = {
    {IMAP_IMAP4REV2, "IMAP4rev2", "RFC 9051", "taken as the extensions that it made part of IMAP"},
    {IMAP_STARTTLS, "STARTTLS", "RFC 9051", "encryption on port 143; demanded there"},
    {IMAP_LOGINDISABLED, "LOGINDISABLED", "RFC 9051", "the LOGIN command is not tried"},
    {IMAP_SASL_IR, "SASL-IR", "RFC 4959", "a login in one round trip"},
    {IMAP_ENABLE, "ENABLE", "RFC 5161", "switches CONDSTORE and QRESYNC on"},
    {IMAP_ID, "ID", "RFC 2971", "tells our name, learns the server's"},
    {IMAP_NAMESPACE, "NAMESPACE", "RFC 2342", "tells own folders from those of others"},
    {IMAP_LIST_EXTENDED, "LIST-EXTENDED", "RFC 5258", "folders and subscriptions in one command"},
    {IMAP_LIST_STATUS, "LIST-STATUS", "RFC 5819", "the state of all folders in one command"},
    {IMAP_SPECIAL_USE, "SPECIAL-USE", "RFC 6154", "which folder is Sent, Drafts, Trash …"},
    {IMAP_CREATE_SPECIAL_USE, "CREATE-SPECIAL-USE", "RFC 6154",
     "marks a folder that we make as Sent, Trash …"},
    {IMAP_CHILDREN, "CHILDREN", "RFC 3348", "which folders have others below"},
    {IMAP_STATUS_SIZE, "STATUS=SIZE", "RFC 8438", "the size of a folder"},
    {IMAP_CONDSTORE, "CONDSTORE", "RFC 7162", "only what changed since the last time"},
    {IMAP_QRESYNC, "QRESYNC", "RFC 7162", "also what is gone since the last time"},
    {IMAP_ESEARCH, "ESEARCH", "RFC 4731", "the UIDs of a folder as ranges"},
    {IMAP_UIDPLUS, "UIDPLUS", "RFC 4315", "removes exactly what we delete; tells the UID of what we store"},
    {IMAP_MOVE, "MOVE", "RFC 6851", "moves in one step"},
    {IMAP_UNSELECT, "UNSELECT", "RFC 3691", "leaves a folder without removing anything"},
    {IMAP_IDLE, "IDLE", "RFC 2177", "news of INBOX and of the folder on the screen at once, where there is no NOTIFY"},
    {IMAP_NOTIFY, "NOTIFY", "RFC 5465", "news of every folder at once, on one connection"},
    {IMAP_COMPRESS, "COMPRESS=DEFLATE", "RFC 4978", "less to transfer"},
    {IMAP_LITERAL_PLUS, "LITERAL+", "RFC 7888", "uploads without waiting"},
    {IMAP_LITERAL_MINUS, "LITERAL-", "RFC 7888", "the same up to 4096 bytes"},
    {IMAP_MULTIAPPEND, "MULTIAPPEND", "RFC 3502", "several uploads in one step"},
    {IMAP_OBJECTID, "OBJECTID", "RFC 8474", "tells a moved message from a new one"},
    {IMAP_GMAIL, "X-GM-EXT-1", "developers.google.com/workspace/gmail/imap/imap-extensions",
     "message and thread numbers of Gmail"},
    {IMAP_UTF8_ACCEPT, "UTF8=ACCEPT", "RFC 6855", "not switched on: names stay modified UTF-7"},
    {IMAP_QUOTA, "QUOTA", "RFC 9208", "how full the mailbox is"},
    {IMAP_SAVEDATE, "SAVEDATE", "RFC 8514", "when a message came into its folder (not used yet)"},
    {IMAP_PREVIEW, "PREVIEW", "RFC 8970", "first words before the body is here (not used yet)"},
    {IMAP_APPENDLIMIT, "APPENDLIMIT", "RFC 7889", "the size of an upload that is refused anyway"},
    {IMAP_UIDONLY, "UIDONLY", "RFC 9586", "no sequence numbers (not used yet)"},
    {IMAP_UNAUTHENTICATE, "UNAUTHENTICATE", "RFC 8437", "not used"},
    {0},
};

/* RFC 9051 appendix E: what IMAP4rev2 holds. */
#define REV2_HOLDS                                                                                           \
    (IMAP_ENABLE | IMAP_NAMESPACE | IMAP_UNSELECT | IMAP_UIDPLUS | IMAP_ESEARCH | IMAP_IDLE | IMAP_SASL_IR | \
     IMAP_LIST_EXTENDED | IMAP_LIST_STATUS | IMAP_MOVE | IMAP_LITERAL_MINUS | IMAP_SPECIAL_USE |             \
     IMAP_STATUS_SIZE | IMAP_CHILDREN)

const struct imap_quirk imap_quirks[] = {
    {IMAP_QUIRK_GMAIL, "capability", "X-GM-EXT-1",
     "folders are labels and \\All holds every message: "
     "developers.google.com/workspace/gmail/imap/imap-extensions; EXPUNGE takes a label away, only Trash and Spam "
     "remove (expungeBehavior, developers.google.com/gmail/api/reference/rest/v1/ImapSettings)"},
    {IMAP_QUIRK_ID_FIRST, "greeting", "Coremail",
     "163.com, 126.com: \"NO SELECT Unsafe Login\" until ID was sent, whether it is offered or not"},
    {IMAP_QUIRK_SIZE_ESTIMATED, "greeting", "Microsoft Exchange",
     "RFC822.SIZE is an estimate unless the administrator wants exact sizes (Set-ImapSettings "
     "-EnableExactRFC822Size)"},
    {IMAP_QUIRK_FEW_AT_ONCE, "greeting", "Microsoft Exchange",
     "some 50 pipelined STATUS end in BAD: bugzilla.gnome.org/show_bug.cgi?id=766552"},
    {0},
};

struct words {
    struct imap *imap;
    gboolean rev1;
};

static void
take_word(const char *word, gpointer data)
{
    struct words *words = data;
    struct imap *imap = words->imap;
    for (const struct imap_extension *e = imap_extensions; e->bit; e++)
        if (!g_ascii_strcasecmp(word, e->name))
            imap->offered |= e->bit;
    if (!g_ascii_strcasecmp(word, "IMAP4rev1"))
        words->rev1 = TRUE;
    if (!g_ascii_strncasecmp(word, "AUTH=", 5) && imap->login_mechanisms->len < 50)
        g_ptr_array_add(imap->login_mechanisms, g_strdup(word));
    if (!g_ascii_strncasecmp(word, "APPENDLIMIT=", 12)) {
        guint64 limit;
        struct lex lex = lex_new(word + 12, strlen(word + 12));
        imap->offered |= IMAP_APPENDLIMIT;
        imap->append_limit = lex_number(&lex, G_MAXUINT32, &limit) ? limit : 0;
    }
    for (const struct imap_quirk *q = imap_quirks; q->bit; q++)
        if (!strcmp(q->where, "capability") && !g_ascii_strcasecmp(word, q->pattern))
            imap->quirks |= q->bit;
}

void
imap_set_capabilities(struct imap *imap, struct lex lex)
{
    struct words words = {.imap = imap};
    imap->offered = 0;
    imap->append_limit = 0;
    g_ptr_array_set_size(imap->login_mechanisms, 0);
    reply_parse_words(lex, take_word, &words);
    imap->is_imap = words.rev1 || (imap->offered & IMAP_IMAP4REV2);
    if (imap->offered & IMAP_IMAP4REV2 && !words.rev1)
        imap->offered |= REV2_HOLDS;
    if (imap->offered & IMAP_QRESYNC) /* RFC 7162 section 3.2.3 */
        imap->offered |= IMAP_CONDSTORE;
    imap->offered &= ~imap->options.without;
    imap->capable = TRUE;
}

guint
imap_find_quirks(const char *where, const char *text)
{
    guint found = 0;
    g_autofree char *folded = g_ascii_strdown(text, -1);
    for (const struct imap_quirk *q = imap_quirks; q->bit; q++) {
        g_autofree char *pattern = g_ascii_strdown(q->pattern, -1);
        if (!strcmp(q->where, where) && strstr(folded, pattern))
            found |= q->bit;
    }
    return found;
}

/* These must have been switched on; the rest works by being there. CONDSTORE without ENABLE is switched on by
 * SELECT. */
gboolean
imap_has(const struct imap *imap, guint64 extensions)
{
    guint64 there = imap->offered;
    there &= ~(guint64)IMAP_UTF8_ACCEPT;
    if (!(imap->enabled & IMAP_QRESYNC))
        there &= ~(guint64)IMAP_QRESYNC;
    return (there & extensions) == extensions;
}
