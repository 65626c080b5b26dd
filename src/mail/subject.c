#include "config.h"

#include "mail/reply.h"

#include <string.h>

/* What programs and languages put before a subject; "re" covers Re, RE and re. Only with a colon after it. */
static const char *const reply_marks[] = {"re",  "aw",  "sv",   "vs",   "antw", "odp",
                                          "ynt", "res", "回复", "答复", "回覆"};
static const char *const forward_marks[] = {"fwd", "fw", "wg",     "tr",   "rv",
                                            "enc", "vb", "doorst", "转发", "轉寄"};

/* Length of one mark at the start of text with its count ("Re[2]", "Re^3", "Re(4)") and colon, white space
 * after it included; 0 for none. */
static gsize
mark_length(const char *text, const char *const *marks, gsize count)
{
    const char *start = text;
    while (g_ascii_isspace(*text))
        text++;
    for (gsize i = 0; i < count; i++) {
        gsize n = strlen(marks[i]);
        if (g_ascii_strncasecmp(text, marks[i], n) != 0)
            continue;
        const char *p = text + n;
        if (*p == '[' || *p == '(' || *p == '^') {
            gsize digits = strspn(p + 1, "0123456789");
            if (digits)
                p += 1 + digits;
            if (digits && (*p == ']' || *p == ')'))
                p++;
        }
        while (*p == ' ')
            p++;
        gsize colon = *p == ':' ? 1 : g_str_has_prefix(p, "：") ? strlen("：") : 0;
        if (!colon)
            continue;
        for (p += colon; g_ascii_isspace(*p);)
            p++;
        return (gsize)(p - start);
    }
    return 0;
}

static const char *
without_marks(const char *subject, const char *const *marks, gsize count)
{
    gsize n;
    while ((n = mark_length(subject, marks, count)))
        subject += n;
    return subject;
}

char *
subject_reply(const char *subject)
{
    const char *rest = without_marks(subject, reply_marks, G_N_ELEMENTS(reply_marks));
    return g_strchomp(g_strdup_printf("Re: %s", rest));
}

char *
subject_forward(const char *subject)
{
    const char *rest = without_marks(subject, forward_marks, G_N_ELEMENTS(forward_marks));
    return g_strchomp(g_strdup_printf("Fwd: %s", rest));
}

char *
subject_base(const char *subject)
{
    gsize n;
    do {
        n = mark_length(subject, reply_marks, G_N_ELEMENTS(reply_marks));
        if (!n)
            n = mark_length(subject, forward_marks, G_N_ELEMENTS(forward_marks));
        subject += n;
    } while (n);
    return g_strstrip(g_strdup(subject));
}
