/* teach: what the user does with mail, as a word about it */
#include "config.h"

#include "base/flags.h"
#include "store/folder.h"
#include "store/message.h"
#include "trust/teach.h"

#define IN(role) (1u << FOLDER_##role)

static void
test_labels(void)
{
    static const struct {
        guint places, flags, bits;
        const char *tags;
        enum teach_label label, filed; /* and what it is when the filter has filed it */
    } cases[] = {
        {IN(INBOX), 0, 0, "", TEACH_NOTHING, TEACH_GOOD},
        {IN(INBOX), FLAG_SEEN, 0, "", TEACH_NOTHING, TEACH_GOOD},
        {IN(JUNK), 0, 0, "", TEACH_JUNK, TEACH_NOTHING},
        {IN(JUNK), FLAG_SEEN, 0, "$Junk", TEACH_JUNK, TEACH_NOTHING},
        {IN(INBOX), 0, 0, "$Junk", TEACH_JUNK, TEACH_NOTHING},
        {IN(INBOX), 0, 0, "$NotJunk", TEACH_GOOD, TEACH_GOOD},
        {IN(JUNK), 0, 0, "$NotJunk", TEACH_GOOD, TEACH_GOOD},
        {IN(INBOX), FLAG_ANSWERED, 0, "", TEACH_GOOD, TEACH_GOOD},
        {IN(INBOX), FLAG_FLAGGED, 0, "", TEACH_GOOD, TEACH_GOOD},
        {IN(JUNK), FLAG_FLAGGED, 0, "", TEACH_JUNK, TEACH_NOTHING},
        {IN(ARCHIVE), FLAG_SEEN, 0, "", TEACH_GOOD, TEACH_GOOD},
        {IN(ARCHIVE), 0, 0, "", TEACH_NOTHING, TEACH_GOOD},
        {IN(TRASH), FLAG_SEEN, 0, "", TEACH_NOTHING, TEACH_NOTHING},
        {IN(SENT), FLAG_ANSWERED, MESSAGE_FROM_ME, "", TEACH_NOTHING, TEACH_NOTHING},
        {IN(INBOX) | IN(JUNK), 0, 0, "", TEACH_JUNK, TEACH_NOTHING},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct change change = {
            .places = cases[i].places, .flags = cases[i].flags, .bits = cases[i].bits, .tags = (char *) cases[i].tags};
        if (teach_label_of(&change, FALSE) != cases[i].label || teach_label_of(&change, TRUE) != cases[i].filed)
            g_error("case %u", i);
    }
    const struct change gone = {.gone = TRUE, .places = IN(JUNK), .tags = (char *) ""};
    g_assert_cmpint(teach_label_of(&gone, FALSE), ==, TEACH_NOTHING);
}

static void
test_wanted(void)
{
    enum { NOW = 1790000000, DAY = 24 * 3600 };
    static const struct {
        enum teach_label label;
        gint64 received;
        guint lessons;
        gboolean wanted;
    } cases[] = {
        {TEACH_GOOD, NOW - 10 * DAY, 0, TRUE},
        {TEACH_GOOD, NOW - 1000 * DAY, 0, TRUE},
        {TEACH_GOOD, NOW - 1000 * DAY, 2999, TRUE},
        {TEACH_GOOD, NOW - 1000 * DAY, 3000, FALSE},
        {TEACH_GOOD, NOW - 91 * DAY, 40000, FALSE},
        {TEACH_GOOD, NOW - 89 * DAY, 40000, TRUE}, /* what has come lately says what mail is like now */
        {TEACH_JUNK, NOW - 1000 * DAY, 40000, TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        if (teach_is_wanted(cases[i].label, cases[i].received, NOW, cases[i].lessons) != cases[i].wanted)
            g_error("case %u", i);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/teach/labels", test_labels);
    g_test_add_func("/teach/wanted", test_wanted);
    return g_test_run();
}
