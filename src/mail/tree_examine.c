/* tree_examine.c - what the attachments are in truth (attachment.h) */
#include "config.h"

#include "mail/tree.h"

#include "mail/attachment.h"
#include "mail/limits.h"

void
tree_examine(struct tree *tree)
{
    guint64 left = LIMIT_EXAMINED;
    for (guint n = 1; n <= tree->parts->len; n++) {
        struct document_part *part = tree_part(tree, n);
        if (!part->number || part->flags & PART_CONTAINER)
            continue;
        g_autoptr(GBytes) content = tree_content(tree, n, ATTACHMENT_HEAD);
        gsize length;
        const char *head = g_bytes_get_data(content, &length);
        if (part->length > ATTACHMENT_HEAD && part->length <= left && attachment_wants_all(head, length)) {
            left -= part->length;
            g_bytes_unref(content);
            content = tree_content(tree, n, 0);
        }
        g_autofree char *inside = NULL;
        part->marks |= attachment_bytes_marks(part->filename, part->type, content, &inside);
        if (inside) {
            g_free(part->inside);
            part->inside = g_steal_pointer(&inside);
        }
    }
}
