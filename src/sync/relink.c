/* A message that another client moved or copied comes back under a new UID. When the server has ids for content
 * (OBJECTID, Gmail) the store joins the two by itself; else its trace fields (RFC 5322 section 3.6.7), which no two
 * deliveries share, are compared with those of the file that is here. What agrees is linked, not fetched. */
#include "config.h"

#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "store/maildir.h"
#include "store/survey.h"
#include "sync/internal.h"

static const char compared[] = "RECEIVED RETURN-PATH DELIVERED-TO DATE FROM TO CC SUBJECT MESSAGE-ID REFERENCES "
                               "MIME-VERSION CONTENT-TYPE DKIM-SIGNATURE";

static gboolean
is_compared(const char *line, gsize length)
{
    const char *colon = memchr(line, ':', length);
    gsize name = colon ? (gsize) (colon - line) : 0;
    while (name && (line[name - 1] == ' ' || line[name - 1] == '\t'))
        name--;
    for (const char *p = compared; name && *p;) {
        gsize word = strcspn(p, " ");
        if (word == name && !g_ascii_strncasecmp(p, line, name))
            return TRUE;
        p += word;
        p += strspn(p, " ");
    }
    return FALSE;
}

/* The compared fields of a header block with their folding, LF line ends. */
static char *
trace_of(const char *bytes, gsize length)
{
    GString *out = g_string_new(NULL);
    gboolean keep = FALSE;
    for (const char *p = bytes, *end = bytes + length; p < end;) {
        const char *lf = memchr(p, '\n', (gsize) (end - p));
        gsize whole = lf ? (gsize) (lf - p) + 1 : (gsize) (end - p), text = whole;
        while (text && (p[text - 1] == '\n' || p[text - 1] == '\r'))
            text--;
        if (!text)
            break;
        if (*p != ' ' && *p != '\t')
            keep = is_compared(p, text);
        if (keep) {
            g_string_append_len(out, p, (gssize) text);
            g_string_append_c(out, '\n');
        }
        p += whole;
    }
    return g_string_free(out, FALSE);
}

struct relinking {
    struct sync *sync;
    const struct folder *folder;
    const GArray *twins; /* struct survey_twin by uid */
    char *dir;
    GArray *made; /* of struct placement_body, with a file and a hash of its own */
    guint linked;
};

#define LINKS_A_COMMIT 500

static int
compare_uid(gconstpointer a, gconstpointer b)
{
    const struct survey_twin *x = a, *y = b;
    return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static void
body_clear(gpointer data)
{
    struct placement_body *body = data;
    g_free((gpointer) body->file);
    g_free((gpointer) body->hash);
}

/* The names are durable before the rows name them; the content has long been. */
static gboolean
attach_made(struct relinking *re, GError **error)
{
    if (!re->made->len)
        return TRUE;
    if (!maildir_flush(re->dir, error))
        return FALSE;
    STEP("sync.relink");
    if (!placement_attach(re->sync->store, (const struct placement_body *) re->made->data, re->made->len, error))
        return FALSE;
    re->linked += re->made->len;
    g_array_set_size(re->made, 0);
    return TRUE;
}

static gboolean
link_twin(struct relinking *re, const struct survey_twin *twin, GError **error)
{
    struct store *store = re->sync->store;
    g_autoptr(struct_message) message = message_load(store, twin->twin, NULL);
    g_autofree char *path = store_message_path(store, twin->twin, NULL), *file = NULL;
    if (!message || !path)
        return TRUE; /* it has gone meanwhile: the body is fetched */
    if (!maildir_link(path, re->dir, twin->flags, &file, error))
        return FALSE;
    struct placement_body body = {twin->placement, g_steal_pointer(&file), g_memdup2(message->hash, 32), message->size,
                                  NULL};
    g_array_append_val(re->made, body);
    re->sync->statistics.matched_bytes += message->size;
    return re->made->len < LINKS_A_COMMIT || attach_made(re, error);
}

static gboolean
take_trace(const struct imap_message *message, gpointer data, GError **error)
{
    struct relinking *re = data;
    struct survey_twin key = {.uid = message->uid};
    const struct survey_twin *twin =
        bsearch(&key, re->twins->data, re->twins->len, sizeof(struct survey_twin), compare_uid);
    if (!twin || !(message->items & IMAP_FETCH_HEADER))
        return TRUE;
    g_autoptr(GBytes) bytes = store_message_bytes(re->sync->store, twin->twin, NULL);
    if (!bytes)
        return TRUE;
    gsize size;
    const char *start = g_bytes_get_data(bytes, &size);
    g_autofree char *here = trace_of(start, size), *there = trace_of(message->header, message->header_length);
    /* Without a trace (a draft, a sent copy) an equal header says too little. */
    if (!strstr(here, "eceived:") && !strstr(here, "ECEIVED:"))
        return TRUE;
    return strcmp(here, there) ? TRUE : link_twin(re, twin, error);
}

gboolean
relink_known(struct sync *sync, const struct folder *folder, GError **error)
{
    g_autoptr(GArray) twins = survey_twins(sync->store, folder->id, error);
    if (!twins)
        return FALSE;
    if (!twins->len)
        return TRUE;
    g_autoptr(struct_uidset) uids = uidset_new();
    for (guint i = 0; i < twins->len; i++)
        uidset_add(uids, g_array_index(twins, struct survey_twin, i).uid);
    g_autofree char *dir = folder_path(sync->store, folder->id, TRUE, error);
    if (!dir)
        return FALSE;
    g_autoptr(GArray) made = g_array_new(FALSE, FALSE, sizeof(struct placement_body));
    g_array_set_clear_func(made, body_clear);
    struct relinking re = {.sync = sync, .folder = folder, .twins = twins, .dir = dir, .made = made};
    struct imap_fetch what = {.items = IMAP_FETCH_HEADER, .header_fields = compared};
    gboolean ok = imap_fetch(sync->imap, uids, &what, take_trace, &re, error) && attach_made(&re, error);
    sync->statistics.matched += re.linked;
    log_info("sync.relink", "folder=%s twins=%u linked=%u", folder->name, twins->len, re.linked);
    return ok;
}
