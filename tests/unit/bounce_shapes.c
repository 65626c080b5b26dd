/* delivery reports as they come, whole messages with what is to be found in them: tests/unit/bounces/, one shape after
 * another:
 *
 *     === its name
 *     ? ADDRESS STATUS KIND       a recipient, or "? none": no report
 *     ?id MESSAGE-ID              of the message it is about
 *     ?why WORDS                  why the first of them failed
 *     the message, up to the next shape
 */
#include "config.h"

#include <string.h>

#include "mail/reader.h"
#include "trust/bounce.h"

static struct reader *reader;

static char *
found_in(const struct bounce *bounce)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; bounce && i < bounce->recipients->len; i++) {
        const struct bounce_recipient *recipient = bounce->recipients->pdata[i];
        g_string_append_printf(out, "%s %s %s\n", recipient->address, recipient->status, bounce_kind_name(recipient->kind));
    }
    return g_string_free(bounce ? out : g_string_assign(out, "none\n"), FALSE);
}

/* One shape, without its first line. */
static void
check(const char *shape)
{
    g_autoptr(GString) expected = g_string_new(NULL);
    g_autofree char *id = NULL, *why = NULL;
    const char *p = shape;
    for (; *p == '?'; p = strchr(p, '\n') + 1) {
        gsize len = strcspn(p, "\n");
        if (g_str_has_prefix(p, "?id "))
            id = g_strndup(p + 4, len - 4);
        else if (g_str_has_prefix(p, "?why "))
            why = g_strndup(p + 5, len - 5);
        else
            g_string_append_len(expected, p + 2, (gssize)len - 1);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = g_bytes_new(p, strlen(p));
    g_autoptr(struct_document) document = reader_parse(reader, bytes, READER_ALL, &error);
    g_assert_no_error(error);
    g_autoptr(struct_bounce) bounce = bounce_read(bytes, document);
    g_autofree char *found = found_in(bounce);
    g_assert_cmpstr(found, ==, expected->str);
    if (id) {
        g_assert_nonnull(bounce);
        g_assert_cmpstr(bounce->message_id, ==, id);
    }
    for (guint i = 0; bounce && i < bounce->recipients->len; i++) {
        const struct bounce_recipient *recipient = bounce->recipients->pdata[i];
        g_assert_true(recipient->reason && *recipient->reason);
        if (why && i == 0)
            g_assert_cmpstr(recipient->reason, ==, why);
    }
}

static void
test_shape(gconstpointer data)
{
    check(data);
}

static void
add_file(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL), *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) shapes = g_strsplit(text, "\n=== ", -1);
    for (char **shape = shapes; *shape; shape++) {
        const char *start = shape == shapes ? *shape + 4 : *shape;
        g_autofree char *title = g_strndup(start, strcspn(start, "\n"));
        g_strdelimit(title, "/", '-');
        g_autofree char *test = g_strdup_printf("/bounce-shapes/%.*s/%s", (int)strcspn(name, "."), name, title);
        g_test_add_data_func_full(test, g_strconcat(strchr(start, '\n') + 1, "\n", NULL), test_shape, g_free);
    }
}

int
main(int argc, char **argv)
{
    static const char *const files[] = {"dsn.txt", "free_mta.txt", "free_provider.txt", "none.txt"};
    g_setenv("LC_ALL", "C", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions(); /* one table: all that differ are told */
    const char *top = g_getenv("G_TEST_SRCDIR");
    g_autofree char *dir = g_build_filename(top ? top : ".", "tests", "unit", "bounces", NULL);
    reader = reader_new();
    for (guint i = 0; i < G_N_ELEMENTS(files); i++)
        add_file(dir, files[i]);
    int status = g_test_run();
    reader_free(reader);
    return status;
}
