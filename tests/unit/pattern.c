/* mutt's patterns at the limit prompt */
#include "config.h"

#include <string.h>

#include "base/error.h"
#include "search/dates.h"
#include "search/query.h"

/* Monday 23 November 2026, 02:44:19 UTC; the zone is UTC. */
#define NOW G_GINT64_CONSTANT(1795401859)

static void
test_patterns(void)
{
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"~A", "all"},
        {"~f ana", "(from 'ana')"},
        {"~fana", "(from 'ana')"},
        {"~f ana.ruiz@example.org", "(from 'ana.ruiz@example.org')"},
        {"~f ^ana", "(from /^ana/)"},
        {"=f ^ana", "(from '^ana')"},
        {"~f \"Ana Ruiz\"", "(from 'Ana Ruiz')"},
        {"~f 'Ana Ruiz'", "(from 'Ana Ruiz')"},
        {"~f Ana\\ Ruiz", "(from 'Ana Ruiz')"},
        {"~f O'Brien", "(from 'O'Brien')"},
        {"~f \"(a|b)\"", "(from /(a|b)/)"},
        {"~f \\.org$", "(from /\\.org$/)"},
        {"~t ben", "(to 'ben')"},
        {"~c ben", "(cc 'ben')"},
        {"~C mutt-dev", "(to|cc|bcc 'mutt-dev')"},
        {"~L ana", "(from|to|cc|bcc|sender 'ana')"},
        {"~e ana", "(sender 'ana')"},
        {"~s bug", "(subject 'bug')"},
        {"~s bug.*fix", "(subject /bug.*fix/)"},
        {"~b hotel", "(body 'hotel')"},
        {"=b hotel", "(body 'hotel')"},
        {"~B hotel", "(any 'hotel')"},
        {"~h ana", "(from|to|cc|bcc|sender|subject|references|list 'ana')"},
        {"~h \"Subject: hello\"", "(subject 'hello')"},
        {"~h '^List-Id:'", "list"},
        {"~i a@b", "(id /a@b/)"},
        {"=i a.b@c", "(id /a\\.b@c/)"},
        {"~x a@b", "(references 'a@b')"},
        {"!~x .", "(not (references /./))"},
        {"~y work", "(tag /work/)"},
        {"~Y ^work$", "(tag /^work$/)"},
        {"~M text/calendar", "(mimetype 'text/calendar')"},
        {"~k", "(mimetype \"application/pgp-keys\")"},
        {"~D", "deleted"},
        {"~F", "flagged"},
        {"~N", "(not seen)"},
        {"~U", "(not seen)"},
        {"~O", "none"},
        {"~R", "seen"},
        {"~Q", "answered"},
        {"~T", "marked"},
        {"~g", "signed"},
        {"~G", "encrypted"},
        {"~l", "list"},
        {"~u", "list"},
        {"~p", "(mine to|cc|bcc)"},
        {"~P", "from-me"},
        {"~m 5-10", "(number [5,10])"},
        {"~m 5-", "(number [5,-])"},
        {"~m -10", "(number [-,10])"},
        {"~m <10", "(number [-,9])"},
        {"~m >10", "(number [11,-])"},
        {"~m 7", "(number [7,7])"},
        {"~z >1M", "(size [1048577,-])"},
        {"~z 10K-1M", "(size [10240,1048576])"},
        {"~X 1-", "attachments"},
        {"~X 0", "(not attachments)"},
        {"~d 24/12/2025", "(date [1766534400,1766620799])"},
        {"~r 20260101", "(received [1767225600,1767311999])"},
        {"~(~f ana)", "(in-thread (from 'ana'))"},
        {"~<(~P)", "(answers from-me)"},
        {"~>(~P)", "(answered-by from-me)"},
        {"~(~f ana ~(~P))", "(in-thread (and (from 'ana') (in-thread from-me)))"},
        /* joining them */
        {"~C mutt-dev ~s bug", "(and (to|cc|bcc 'mutt-dev') (subject 'bug'))"},
        {"~C mutt-dev | ~s bug", "(or (to|cc|bcc 'mutt-dev') (subject 'bug'))"},
        {"~N|~F", "(or (not seen) flagged)"},
        {"~N ~F|~D ~T", "(or (and (not seen) flagged) (and deleted marked))"},
        {"!~F", "(not flagged)"},
        {"! ~F", "(not flagged)"},
        {"!!~F", "flagged"},
        {"!(~t mutt|~c mutt) ~f elkins", "(and (not (or (to 'mutt') (cc 'mutt'))) (from 'elkins'))"},
        {"(~f a | ~f b) ~s c", "(and (or (from 'a') (from 'b')) (subject 'c'))"},
        {"~s (draft)", "(subject /(draft)/)"},
        {"(~s draft)", "(subject 'draft')"},
        /* mutt's plain words */
        {"hello", "(from|subject 'hello')"},
        {"hello world", "(from|subject 'hello world')"},
        {"  hello ", "(from|subject 'hello')"},
        {"all", "all"},
        {".", "all"},
        {"unread", "(not seen)"},
        {"flag", "flagged"},
        {"repl", "answered"},
        {"del", "deleted"},
        {"tag", "marked"},
        {"unread mail", "(from|subject 'unread mail')"},
        {"this and that", "(from|subject 'this and that')"},
        {"", "all"},
        /* the other language, and both at once */
        {"*", "all"},
        {"from:ana", "(from \"ana\")"},
        {"from:ana and not tag:work", "(and (from \"ana\") (not (tag \"work\")))"},
        {"-tag:work", "(not (tag \"work\"))"},
        {"\"two words\"", "(any \"two words\")"},
        {"~F tag:work", "(and flagged (tag \"work\"))"},
        {"tag:work ~F", "(and (tag \"work\") flagged)"},
        {"hello ~F", "(and (from|subject 'hello') flagged)"},
        {"!hello ~F", "(and (not (from|subject 'hello')) flagged)"},
        {"~F !from:ana", "(and flagged (not (from \"ana\")))"},
        {"a~f", "(from|subject 'a~f')"},
        {"\"~f ana\"", "(any \"~f ana\")"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(struct_query) query = search_parse_at(cases[i].text, SEARCH_LIMIT, NOW, NULL, &error);
        g_autofree char *dump = query ? query_describe(query) : NULL;
        if (g_strcmp0(dump, cases[i].tree))
            g_test_message("<%s> gives %s (%s)", cases[i].text, dump, error ? error->message : "no error");
        g_assert_cmpstr(dump, ==, cases[i].tree);
    }
}

static void
test_errors(void)
{
    static const struct {
        const char *text;
        guint column;
        const char *part;
    } cases[] = {
        {"~f", 1, "~f word"},
        {"~F ~f", 4, "~f word"},
        {"~f \"open", 4, "add a \""},
        {"~f 'open", 4, "add a '"},
        {"~s *x", 1, "regular expression"},
        {"~s [a", 1, "regular expression"},
        {"(~F", 1, "add a )"},
        {"~(~F", 1, "add a )"},
        {"~F )", 4, "remove the )"},
        {"~F |", 4, "after the |"},
        {"| ~F", 1, "before the |"},
        {"~F !", 4, "after the !"},
        {"~F ~j x", 4, "no pattern"},
        {"~F ~é", 4, "no pattern"},
        {"%f group ~F", 1, "~f name"},
        {"~F ^~f ana", 4, "leave it out"},
        {"~<x", 1, "~<(~f ana)"},
        {"~n 5", 1, "no scores"},
        {"~E", 1, "~d"},
        {"~V", 1, "~g"},
        {"~$", 1, "!~x ."},
        {"~m x", 1, "5-10"},
        {"~m 9-2", 1, "5-10"},
        {"~m -", 1, "5-10"},
        {"~z 5Q", 1, ">1M"},
        {"~X 3-5", 1, "~X 1-"},
        {"~d 32/1", 1, "24/12/2025"},
        {"~d <2x", 1, "<2w"},
        {"~F from:", 4, "from:ana"},
        {"~F date:nonsense", 4, "yesterday"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        guint column = 99;
        g_autoptr(struct_query) query = search_parse_at(cases[i].text, SEARCH_LIMIT, NOW, &column, &error);
        g_test_message("<%s>: %s", cases[i].text, error ? error->message : "no error");
        g_assert_null(query);
        g_assert_error(error, SEARCH_ERROR, ERROR_INPUT);
        g_assert_cmpuint(column, ==, cases[i].column);
        g_assert_nonnull(strstr(error->message, cases[i].part));
    }
}

static void
test_dates(void)
{
    static const struct {
        const char *text, *min, *max;
    } cases[] = {
        {"24/12/2025", "2025-12-24 00:00:00", "2025-12-24 23:59:59"},
        {"24/12/25", "2025-12-24 00:00:00", "2025-12-24 23:59:59"},
        {"24/12/70", "1970-12-24 00:00:00", "1970-12-24 23:59:59"},
        {"1/2", "2026-02-01 00:00:00", "2026-02-01 23:59:59"},
        {"5", "2026-11-05 00:00:00", "2026-11-05 23:59:59"},
        {"20260131", "2026-01-31 00:00:00", "2026-01-31 23:59:59"},
        {"1/1-", "2026-01-01 00:00:00", "-"},
        {"-1/1", "-", "2026-01-01 23:59:59"},
        {"1/1-31/1", "2026-01-01 00:00:00", "2026-01-31 23:59:59"},
        {"31/1-1/1", "2026-01-01 00:00:00", "2026-01-31 23:59:59"},
        {"20260101-20260131", "2026-01-01 00:00:00", "2026-01-31 23:59:59"},
        {"1/1/2001-1w+2w*3d", "2000-12-22 00:00:00", "2001-01-18 23:59:59"},
        {"1/3/2026*1m", "2026-02-01 00:00:00", "2026-04-01 23:59:59"},
        {"-3d", "2026-11-20 00:00:00", "2026-11-23 23:59:59"},
        {"-3d+1d", "2026-11-20 00:00:00", "2026-11-24 23:59:59"},
        {"<2w", "2026-11-09 23:59:59", "-"},
        {"<1d", "2026-11-22 23:59:59", "-"},
        {">1m", "-", "2026-10-23 23:59:59"},
        {"=3d", "2026-11-20 00:00:00", "2026-11-20 23:59:59"},
        {"<3H", "2026-11-22 23:44:19", "-"},
        {">90M", "-", "2026-11-23 01:14:19"},
        {"<1y", "2025-11-23 23:59:59", "-"},
        {"yesterday", "2026-11-22 00:00:00", "2026-11-22 23:59:59"},
        {"2026-11-02", "2026-11-02 00:00:00", "2026-11-02 23:59:59"},
        {"2026-01..2026-02", "2026-01-01 00:00:00", "2026-02-28 23:59:59"},
        {"last_week", "2026-11-15 00:00:00", "2026-11-21 23:59:59"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 ends[2];
        g_autoptr(GError) error = NULL;
        dates_parse_mutt(cases[i].text, NOW, &ends[0], &ends[1], &error);
        g_assert_no_error(error);
        for (guint end = 0; end < 2; end++) {
            g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ends[end]);
            g_autofree char *shown = time ? g_date_time_format(time, "%F %T") : g_strdup("-");
            if (g_strcmp0(shown, end ? cases[i].max : cases[i].min))
                g_test_message("<%s>", cases[i].text);
            g_assert_cmpstr(shown, ==, end ? cases[i].max : cases[i].min);
        }
    }
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_setenv("LC_ALL", "C", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pattern/patterns", test_patterns);
    g_test_add_func("/pattern/errors", test_errors);
    g_test_add_func("/pattern/dates", test_dates);
    return g_test_run();
}
