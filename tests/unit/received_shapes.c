/* Received fields as servers write them, with what is to be read: tests/unit/received.txt, one after another:
 *
 *     > the field's value, unfolded
 *     from X          … by, with, tls, cipher, id, for, time (seconds since 1970, or "none"); what is not named is not said
 */
#include "config.h"

#include <string.h>

#include "trust/received.h"

static void
check(gconstpointer data)
{
    const char *shape = data;
    g_autofree char *value = g_strndup(shape + 2, strcspn(shape, "\n") - 2);
    struct hop *hop = hop_parse(value);
    g_autoptr(GString) found = g_string_new(NULL);
    const struct {
        const char *name, *value;
    } fields[] = {{"from", hop->from},     {"by", hop->by}, {"with", hop->with},     {"tls", hop->tls},
                  {"cipher", hop->cipher}, {"id", hop->id}, {"for", hop->recipient}};
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        if (fields[i].value)
            g_string_append_printf(found, "%s %s\n", fields[i].name, fields[i].value);
    if (hop->has_time)
        g_string_append_printf(found, "time %" G_GINT64_FORMAT "\n", hop->time);
    else
        g_string_append(found, "time none\n");
    g_assert_cmpstr(found->str, ==, strchr(shape, '\n') + 1);
    hop_free(hop);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions(); /* one table: all that differ are told */
    const char *top = g_getenv("G_TEST_SRCDIR");
    g_autofree char *path = g_build_filename(top ? top : ".", "tests", "unit", "received.txt", NULL), *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) shapes = g_strsplit(text, "\n\n", -1);
    for (guint i = 0; shapes[i] && *shapes[i]; i++) {
        g_autofree char *name = g_strdup_printf("/received/%u", i + 1);
        g_test_add_data_func_full(name, g_strconcat(shapes[i], "\n", NULL), check, g_free);
    }
    return g_test_run();
}
