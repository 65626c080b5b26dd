/* clock, paths, json, error: tables */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/paths.h"

#include <string.h>
#include <sysexits.h>

static void
test_dates(void)
{
    static const struct {
        gint64 seconds;
        int zone;
        const char *rfc3339, *rfc5322;
    } cases[] = {
        {0, 0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 +0000"},
        {1794480121, 60, "2026-11-12T11:42:01+01:00", "Thu, 12 Nov 2026 11:42:01 +0100"},
        {1794480121, -210, "2026-11-12T07:12:01-03:30", "Thu, 12 Nov 2026 07:12:01 -0330"},
        {G_GINT64_CONSTANT(4102444800), 0, "2100-01-01T00:00:00Z", "Fri, 01 Jan 2100 00:00:00 +0000"},
        {G_MAXINT64, 0, "9999-12-30T23:59:59Z", "Thu, 30 Dec 9999 23:59:59 +0000"},
        {0, 99999, "1970-01-01T14:00:00+14:00", "Thu, 01 Jan 1970 14:00:00 +1400"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *a = clock_rfc3339(cases[i].seconds, cases[i].zone);
        g_autofree char *b = clock_rfc5322(cases[i].seconds, cases[i].zone);
        g_assert_cmpstr(a, ==, cases[i].rfc3339);
        g_assert_cmpstr(b, ==, cases[i].rfc5322);
    }
    g_autofree char *ago = clock_relative(1000, 1000 + 3 * 3600);
    g_assert_cmpstr(ago, ==, "3 h ago");
    g_autofree char *soon = clock_relative(1300, 1000);
    g_assert_cmpstr(soon, ==, "in 5 min");
    g_autofree char *sooner = clock_relative(1020, 1000);
    g_assert_cmpstr(sooner, ==, "in 20 s");
    g_autofree char *now = clock_relative(990, 1000);
    g_assert_cmpstr(now, ==, "just now");
}

static void
test_when(void)
{
    /* Thursday, 12 November 2026, 10:42:01 UTC */
    static const struct {
        const char *text, *moment;
    } cases[] = {
        {"+2h", "2026-11-12T12:42:01Z"},
        {"+30 min", "2026-11-12T11:12:01Z"},
        {"11:00", "2026-11-12T11:00:00Z"},
        {"08:00", "2026-11-13T08:00:00Z"},
        {"tomorrow", "2026-11-13T08:00:00Z"},
        {"Tomorrow 9:30", "2026-11-13T09:30:00Z"},
        {"mon", "2026-11-16T08:00:00Z"},
        {"Thursday 7:15", "2026-11-19T07:15:00Z"},
        {"2026-12-01", "2026-12-01T08:00:00Z"},
        {"2026-12-01 17:05", "2026-12-01T17:05:00Z"},
        {"2026-12-01T17:05:00+01:00", "2026-12-01T16:05:00Z"},
        {"", NULL},
        {"soon", NULL},
        {"25:00", NULL},
        {"+h", NULL},
        {"2026-13-01", NULL},
        {"monkey 8:00", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 at = 0;
        gboolean ok = clock_parse_when(cases[i].text, 1794480121, &at);
        g_autofree char *moment = ok ? clock_rfc3339(at, 0) : NULL;
        g_assert_cmpstr(moment, ==, cases[i].moment);
    }
}

static void
test_json(void)
{
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "subject", "a\"b\\c\n\x1b[31m\xe2\x80\xae ü \xff");
    json_array_begin(&json, "flags");
    json_string(&json, NULL, "seen");
    json_int(&json, NULL, -5);
    json_array_end(&json);
    json_double(&json, "score", 0.25);
    json_bool(&json, "ok", TRUE);
    json_null(&json, "none");
    json_object_end(&json);
    g_autofree char *text = json_finish(&json);
    g_assert_cmpstr(
        text, ==,
        "{\"subject\":\"a\\\"b\\\\c\\n\\u001b[31m\\u202e ü \xef\xbf\xbd\",\"flags\":[\"seen\",-5],"
        "\"score\":0.25,\"ok\":true,\"none\":null}");
}

static void
test_paths(void)
{
    g_setenv("HOME", "/home/ana", TRUE);
    g_unsetenv("XDG_CONFIG_HOME");
    g_autofree char *config = paths_config_dir();
    g_assert_cmpstr(config, ==, "/home/ana/.config/postrider");
    g_setenv("XDG_CONFIG_HOME", "relative", TRUE);
    g_autofree char *ignored = paths_config_dir();
    g_assert_cmpstr(ignored, ==, "/home/ana/.config/postrider");
    g_setenv("XDG_CONFIG_HOME", "/etc/x", TRUE);
    g_autofree char *taken = paths_config_dir();
    g_assert_cmpstr(taken, ==, "/etc/x/postrider");
    g_autofree char *tilde = paths_expand("~/Mail");
    g_assert_cmpstr(tilde, ==, "/home/ana/Mail");
    g_autofree char *long_dir = g_strnfill(150, 'd');
    g_autofree char *data = g_strconcat("/", long_dir, NULL);
    g_setenv("XDG_RUNTIME_DIR", data, TRUE);
    g_setenv("XDG_STATE_HOME", data, TRUE);
    g_autofree char *sock = paths_engine_socket();
    g_assert_cmpuint(strlen(sock), <, 108);
}

static void
test_exit_codes(void)
{
    static const struct {
        int code, exit;
    } cases[] = {{ERROR_INPUT, EX_DATAERR},   {ERROR_USAGE, EX_USAGE},
                 {ERROR_NOINPUT, EX_NOINPUT}, {ERROR_CONFIG, EX_CONFIG},
                 {ERROR_IO, EX_IOERR},        {ERROR_RETRY, EX_TEMPFAIL},
                 {ERROR_AUTH, EX_NOPERM},     {ERROR_REFUSED, EX_UNAVAILABLE},
                 {ERROR_GIVEUP, EX_SOFTWARE}, {ERROR_SECURITY, EX_UNAVAILABLE},
                 {999, EX_SOFTWARE}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = g_error_new(paths_error_quark(), cases[i].code, "x");
        g_assert_cmpint(error_exit_code(error), ==, cases[i].exit);
    }
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/dates", test_dates);
    g_test_add_func("/base/when", test_when);
    g_test_add_func("/base/json", test_json);
    g_test_add_func("/base/paths", test_paths);
    g_test_add_func("/base/exit-codes", test_exit_codes);
    return g_test_run();
}
