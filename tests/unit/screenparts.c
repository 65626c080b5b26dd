/* screenparts: what the screen is made of: columns, trees, day groups, line editing, the editor, wrapped
 * text, mailcap, times */
#include "config.h"

#include "base/width.h"
#include "ui/ascii.h"
#include "base/clock.h"
#include "search/query.h"
#include "ui/accounts.h"
#include "ui/columns.h"
#include "ui/list_jump.h"
#include "ui/compose.h"
#include "ui/editor.h"
#include "ui/hits.h"
#include "ui/layout.h"
#include "ui/lineedit.h"
#include "ui/theme.h"
#include "ui/view.h"
#include "ui/viewer.h"

#include <string.h>

/* ---- the words of a search, in brackets ---- */

static void
test_hits(void)
{
    static const struct {
        const char *query, *text, *marked;
        enum search_mode mode;
    } cases[] = {
        {"lisbon", "Lisbon, LISBON and lisbons", "[Lisbon], [LISBON] and lisbons", SEARCH_NOTMUCH},
        {"lis*", "lisbon alis lis", "[lis]bon alis [lis]", SEARCH_NOTMUCH},
        {"cafe", "ein Café, cafés", "ein [Café], cafés", SEARCH_NOTMUCH},
        {"Zoë or not anna", "zoe anna", "[zoe] anna", SEARCH_NOTMUCH},
        {"\"two words\" from:ana@x.org", "words: ana@x.org two", "[words]: [ana]@[x].[org] [two]", SEARCH_NOTMUCH},
        {"one NEAR/3 two", "one and two", "[one] and [two]", SEARCH_NOTMUCH},
        {"会議", "明日の会議は", "明日の[会議]は", SEARCH_NOTMUCH},
        {"strasse", "Straße", "[Straße]", SEARCH_NOTMUCH},
        {"is:unread date:2w..", "unread", "unread", SEARCH_NOTMUCH},
        {"subject:/lisbon/", "lisbon", "lisbon", SEARCH_NOTMUCH},
        {"~s lis", "Lisbon", "[Lis]bon", SEARCH_LIMIT},
        {"a", "", "", SEARCH_NOTMUCH},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_query) query = search_parse(cases[i].query, cases[i].mode, NULL, NULL);
        struct hits *hits = hits_new(query, QUERY_ANYWHERE);
        g_autoptr(GString) out = g_string_new(NULL);
        gsize at = 0, start, end;
        while (hits_find(hits, cases[i].text, at, &start, &end)) {
            g_string_append_len(out, cases[i].text + at, (gssize)(start - at));
            g_string_append_printf(out, "[%.*s]", (int)(end - start), cases[i].text + start);
            at = end;
        }
        g_string_append(out, cases[i].text + at);
        g_assert_cmpstr(out->str, ==, cases[i].marked);
        hits_free(hits);
    }
}

/* ---- where :jump goes ---- */

static void
test_jump(void)
{
    static const struct {
        const char *text;
        gboolean good;
        struct jump jump; /* a date: days before now, to the day */
    } cases[] = {
        {"1", TRUE, {JUMP_LINE, 1}},          {" 2025 ", TRUE, {JUMP_LINE, 2025}}, {"50%", TRUE, {JUMP_PERCENT, 50}},
        {"0%", TRUE, {JUMP_PERCENT, 0}},      {"900%", TRUE, {JUMP_PERCENT, 100}}, {"yesterday", TRUE, {JUMP_DATE, 1}},
        {"3 weeks ago", TRUE, {JUMP_DATE, 21}}, {"2 days ago", TRUE, {JUMP_DATE, 2}}, {"1w", TRUE, {JUMP_DATE, 7}},
        {"a year ago", TRUE, {JUMP_DATE, 365}}, {"2026-11-01", TRUE, {JUMP_DATE, 27}}, {"2026-10", TRUE, {JUMP_DATE, 28}},
        {"%", FALSE, {0}},                    {"next to nothing", FALSE, {0}},     {"-5", FALSE, {0}},
    };
    const gint64 now = 1795867200; /* 2026-11-28 12:00 UTC */
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        struct jump jump;
        g_test_message("%s", cases[i].text);
        g_assert_true(jump_parse(cases[i].text, now, &jump, &error) == cases[i].good);
        if (!cases[i].good) {
            g_assert_nonnull(error);
            continue;
        }
        g_assert_cmpint(jump.kind, ==, cases[i].jump.kind);
        gint64 days = jump.kind == JUMP_DATE ? clock_local_day(now) - clock_local_day(jump.number) : jump.number;
        g_assert_cmpint(days, ==, cases[i].jump.number);
    }
}

/* ---- accounts ---- */

static void
test_letters(void)
{
    static const struct {
        const char *names[5], *letters[5];
    } cases[] = {
        {{"work", "home"}, {"w", "h"}},
        {{"work", "web", "wo", "w"}, {"w", "e", "o", "1"}},
        {{"élan", "日本", "-x-"}, {"é", "1", "x"}},
        {{"a", "a", "a\xff", ""}, {"a", "1", "2", "3"}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint n = 0;
        char letters[5][7] = {{0}};
        while (n < 5 && cases[i].names[n])
            n++;
        account_letters(cases[i].names, n, letters);
        for (guint j = 0; j < n; j++)
            g_assert_cmpstr(letters[j], ==, cases[i].letters[j]);
    }
}

/* ---- columns ---- */

static void
test_columns(void)
{
    for (int width = 1; width <= 300; width++) {
        for (int choice = 0; choice < 4; choice++) {
            struct columns c;
            gboolean account = choice / 2;
            columns_layout(width, choice % 2, account, &c);
            g_assert_true((c.account >= 0) == (account && width >= 36));
            if (c.account >= 0) {
                g_assert_cmpint(c.account, >, c.state + 1);
                g_assert_cmpint(c.account + 1, <, c.date);
            }
            int end = c.subject + c.subject_width;
            g_assert_cmpint(c.mark, <, c.state);
            if (c.date_width) {
                g_assert_cmpint(c.date, >, c.state);
                g_assert_cmpint(c.date + c.date_width, <, c.people);
            }
            if (c.people_width)
                g_assert_cmpint(c.people + c.people_width, <, c.subject);
            g_assert_cmpint(c.subject_width, >=, 0);
            if (width >= 40) {
                g_assert_cmpint(end, <=, width);
                g_assert_cmpint(c.people_width, >=, width >= 50 ? 10 : 0);
                g_assert_cmpint(c.subject_width, >=, 10);
            }
            if (c.size_width) {
                g_assert_cmpint(c.size, >, end);
                g_assert_cmpint(c.size + c.size_width, <=, c.attachment);
            }
            if (c.attachment >= 0) {
                g_assert_cmpint(c.attachment, >=, end);
                g_assert_cmpint(c.attachment, <, width);
            }
        }
    }
    struct columns narrow, wide;
    columns_layout(80, FALSE, FALSE, &narrow);
    columns_layout(120, FALSE, FALSE, &wide);
    g_assert_false(narrow.preview);
    g_assert_true(wide.preview);
    g_assert_cmpint(columns_side_bar(80, 20), ==, 0);
    g_assert_cmpint(columns_side_bar(120, 20), ==, 20);
    g_assert_cmpint(columns_side_bar(120, 60), ==, 30);
}

static void
test_tree(void)
{
    static const guint depths[] = {0, 1, 2, 1, 2, 3, 0};
    static const char *const want[] = {"", "├─", "│ └─", "└─", "  └─", "    └─", ""};
    g_auto(GStrv) rows = columns_tree(depths, G_N_ELEMENTS(depths), 8);
    for (guint i = 0; i < G_N_ELEMENTS(depths); i++)
        g_assert_cmpstr(rows[i], ==, want[i]);
    static const guint deep[] = {0, 1, 2, 3, 4, 5};
    g_auto(GStrv) cut = columns_tree(deep, G_N_ELEMENTS(deep), 2);
    g_assert_cmpstr(cut[5], ==, "…  └─");
}

static void
test_days(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_local(2026, 11, 20, 12, 0, 0); /* a Friday */
    static const struct {
        int days;
        const char *group;
    } cases[] = {{0, "Today"},    {1, "Yesterday"}, {2, "This week"}, {6, "This week"},
                 {7, "November"}, {30, "October"},  {400, "2025"},    {-5, "Later"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GDateTime) then = g_date_time_add_days(now, -cases[i].days);
        g_assert_cmpstr(columns_day_group(g_date_time_to_unix(then), g_date_time_to_unix(now)), ==,
                        cases[i].group);
    }
    g_assert_nonnull(columns_day_group(G_MININT64 / 4, g_date_time_to_unix(now)));
}

static void
test_rows(void)
{
    int cursor = 0, top = 0;
    rows_move(MOVE_PREVIOUS, 100, 20, &cursor, &top);
    g_assert_cmpint(cursor, ==, 0);
    rows_move(MOVE_PAGE_DOWN, 100, 20, &cursor, &top);
    g_assert_cmpint(top, ==, 20);
    rows_move(MOVE_LAST, 100, 20, &cursor, &top);
    g_assert_cmpint(cursor, ==, 99);
    g_assert_cmpint(top, ==, 80);
    rows_move(MOVE_NEXT, 100, 20, &cursor, &top);
    g_assert_cmpint(cursor, ==, 99);
    rows_move(MOVE_NEXT, 0, 20, &cursor, &top);
    g_assert_cmpint(cursor, ==, 0);
    g_assert_cmpint(top, ==, 0);
    for (int round = 0; round < 20000; round++) { /* property: the cursor is always in sight */
        int count = g_test_rand_int_range(0, 50), page = g_test_rand_int_range(0, 30);
        rows_move(g_test_rand_int_range(MOVE_NEXT, MOVE_LINE_UP + 1), count, page, &cursor, &top);
        g_assert_cmpint(cursor, >=, 0);
        g_assert_cmpint(cursor, <, MAX(count, 1));
        g_assert_cmpint(top, <=, cursor);
        g_assert_cmpint(cursor, <, top + MAX(page, 1));
    }
}

/* ---- line editing ---- */

static struct key_event
event_of(guint key)
{
    return (struct key_event){.key = key};
}

static void
test_lineedit(void)
{
    static const struct {
        const char *start, *keys, *text;
        gsize cursor;
    } cases[] = {
        {"", "a b c", "abc", 3},
        {"hello", "Ctrl-A x", "xhello", 1},
        {"hello", "Left Left Backspace", "helo", 2},
        {"hello", "Home Ctrl-D Delete", "llo", 0},
        {"one two", "Alt-b Ctrl-K", "one ", 4},
        {"one two", "Ctrl-W Ctrl-W", "", 0},
        {"one two", "Ctrl-W Ctrl-W Ctrl-Y", "one two", 7},
        {"one two", "Home Alt-d End Ctrl-Y", " twoone", 7},
        {"one two", "Home Alt-f Ctrl-U", " two", 0},
        {"ab", "Ctrl-T", "ba", 2},
        {"caf\xc3\xa9", "Backspace", "caf", 3},
        {"cafe\xcc\x81", "Backspace", "caf", 3}, /* the mark goes with its letter */
        {"", "Ctrl-Y", "", 0},
        {"", "Backspace", "", 0},
        {"x", "Up", "second", 6},
        {"x", "Up Up", "first", 5},
        {"x", "Up Up Down Down", "x", 1},
        {"a@b, c", "Alt-b é", "a@b, éc", 7},
    };
    g_autoptr(GPtrArray) history = g_ptr_array_new();
    g_ptr_array_add(history, (gpointer) "first");
    g_ptr_array_add(history, (gpointer) "second");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(struct_lineedit) edit = lineedit_new(cases[i].start, history);
        g_auto(GStrv) keys = g_strsplit(cases[i].keys, " ", -1);
        for (char **key = keys; *key; key++) {
            struct key_event event = event_of(key_parse(*key));
            g_assert_cmpuint(event.key, !=, 0);
            lineedit_key(edit, &event);
        }
        g_assert_cmpstr(lineedit_text(edit), ==, cases[i].text);
        g_assert_cmpuint(lineedit_cursor(edit), ==, cases[i].cursor);
    }
    g_autoptr(struct_lineedit) edit = lineedit_new("", NULL);
    struct key_event paste = {.key = K_PASTE, .text = "two\nlines\033[2J"};
    g_assert_cmpint(lineedit_key(edit, &paste), ==, LINE_CHANGED);
    g_assert_cmpstr(lineedit_text(edit), ==, "two lines[2J");
    struct key_event cancel = event_of(K_CTRL_OF('G'));
    g_assert_cmpint(lineedit_key(edit, &cancel), ==, LINE_CANCELLED);
    struct key_event f5 = event_of(K_F0 + 5);
    g_assert_cmpint(lineedit_key(edit, &f5), ==, LINE_IGNORED);
}

static void
test_lineedit_random(void)
{
    static const guint keys[] = {'a',    ' ',   0xe9,        0x65e5,      0x301,       K_LEFT, K_RIGHT,
                                 K_HOME, K_END, K_BACKSPACE, K_DELETE,    11,          21,     23,
                                 25,     20,    K_ALT | 'b', K_ALT | 'f', K_ALT | 'd', K_UP,   K_DOWN};
    g_autoptr(GPtrArray) history = g_ptr_array_new();
    g_ptr_array_add(history, (gpointer) "früher");
    for (int round = 0; round < 500; round++) {
        g_autoptr(struct_lineedit) edit = lineedit_new("", history);
        for (int i = 0; i < 100; i++) {
            struct key_event event = event_of(keys[g_test_rand_int_range(0, G_N_ELEMENTS(keys))]);
            lineedit_key(edit, &event);
            const char *text = lineedit_text(edit);
            g_assert_true(g_utf8_validate(text, -1, NULL));
            g_assert_cmpuint(lineedit_cursor(edit), <=, strlen(text));
            g_assert_true(g_utf8_validate(text, (gssize)lineedit_cursor(edit), NULL));
        }
    }
}

/* ---- the editor ---- */

static void
test_editor(void)
{
    static const struct {
        const char *start, *keys, *text;
    } cases[] = {
        {"", "h i Enter y o u", "hi\nyou\n"},
        {"one\ntwo\n", "Down x", "one\nxtwo\n"},
        {"one\ntwo\n", "Down Backspace", "onetwo\n"},
        {"one\ntwo\n", "End Delete", "onetwo\n"},
        {"one\ntwo\nthree\n", "Ctrl-K Ctrl-K Ctrl-Y Ctrl-Y", "one\none\ntwo\nthree\n"},
        {"one two\n", "Alt-f !", "one! two\n"},
        {"one\n", "Alt-> Enter x", "one\nx\n"},
        {"a\nbbbb\nc\n", "Down End Up Down x", "a\nbbbbx\nc\n"},
        {"", "Backspace Up Left", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct editor_text *text = editor_text_new(cases[i].start);
        g_auto(GStrv) keys = g_strsplit(cases[i].keys, " ", -1);
        for (char **key = keys; *key; key++) {
            gboolean moved;
            struct key_event event = event_of(key_parse(*key));
            editor_text_key(text, &event, 10, &moved);
        }
        g_autofree char *got = editor_text_get(text);
        g_autofree char *want = *cases[i].text && !g_str_has_suffix(cases[i].text, "\n")
                                    ? g_strconcat(cases[i].text, "\n", NULL)
                                    : g_strdup(cases[i].text);
        g_assert_cmpstr(got, ==, want);
        editor_text_free(text);
    }
}

/* ---- wrapped text ---- */

static struct document *
document_of(const char *text)
{
    struct document *document = document_new();
    g_free(document->text);
    document->text = g_strdup(text);
    for (const char *p = text; *p;) {
        const char *end = strchr(p, '\n');
        struct document_line line = {.offset = (guint32)(p - text), .length = (guint32)(end - p)};
        for (const char *q = p; *q == '>' || *q == ' '; q++)
            line.depth += *q == '>';
        g_array_append_val(document->lines, line);
        p = end + 1;
    }
    return document;
}

static char *
laid_out(const char *text, int width, gboolean fold)
{
    g_autoptr(struct_document) document = document_of(text);
    struct layout_options options = {.width = width, .fold = fold};
    g_autoptr(GPtrArray) lines = layout_document(document, &options);
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < lines->len; i++) {
        const struct layout_line *line = g_ptr_array_index(lines, i);
        g_assert_cmpint(width_text(line->text), <=, MAX(width, 4));
        g_string_append_printf(out, "%s|", line->text);
    }
    return g_string_free(out, FALSE);
}

static void
test_layout(void)
{
    static const struct {
        const char *text;
        int width;
        gboolean fold;
        const char *lines;
    } cases[] = {
        {"one two three\n", 8, FALSE, "one two|three|"},
        {"> one two three\n", 10, FALSE, "> one two|> three|"},
        {"> > aaaa bbbb\n", 9, FALSE, "> > aaaa|> > bbbb|"},
        {"aaaaaaaaaa\n", 4, FALSE, "aaaa|aaaa|aa|"},
        {"\n\nx\n", 10, FALSE, "||x|"},
        {"a\tb\n", 20, FALSE, "a       b|"},
        {"日本語\n", 4, FALSE, "日本|語|"},
        {"\033[31mred\n", 20, FALSE, "\xef\xbf\xbd[31mred|"},
        {"> 1\n> 2\n> 3\n", 20, TRUE, "> 1|> 2|> 3|"},
        {"hi\n> 1\n> 2\n> 3\n> 4\n\n> 5\n> 6\n> 7\nbye\n", 20, TRUE, "hi|▸ 8 quoted lines|bye|"},
        {"hi\n> 1\n> 2\n> 3\n> 4\n\n> 5\n> 6\n> 7\nbye\n", 20, FALSE, "hi|> 1|> 2|> 3|> 4||> 5|> 6|> 7|bye|"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = laid_out(cases[i].text, cases[i].width, cases[i].fold);
        g_assert_cmpstr(got, ==, cases[i].lines);
    }
}

static void
test_layout_links(void)
{
    g_autoptr(struct_document) document = document_of("see https://example.org/a/long/path and more\n");
    struct document_link *link = g_new0(struct document_link, 1);
    *link = (struct document_link){.number = 1,
                                   .offset = 4,
                                   .length = 31,
                                   .url = g_strdup("x"),
                                   .text = g_strdup(""),
                                   .reason = g_strdup("")};
    g_ptr_array_add(document->links, link);
    for (int width = 8; width < 60; width++) {
        struct layout_options options = {.width = width};
        g_autoptr(GPtrArray) lines = layout_document(document, &options);
        GString *marked = g_string_new(NULL);
        for (guint i = 0; i < lines->len; i++) {
            const struct layout_line *line = g_ptr_array_index(lines, i);
            for (guint j = 0; line->spans && j < line->spans->len; j++) {
                const struct layout_span *span = &g_array_index(line->spans, struct layout_span, j);
                g_assert_cmpuint(span->start + span->length, <=, strlen(line->text));
                g_string_append_len(marked, line->text + span->start, span->length);
            }
        }
        g_assert_cmpstr(marked->str, ==, "https://example.org/a/long/path");
        g_string_free(marked, TRUE);
    }
}

/* ---- mailcap ---- */

static void
test_mailcap(void)
{
    static const char text[] = "# a comment\n"
                               "text/html; w3m -dump %s; copiousoutput; nametemplate=%s.html\n"
                               "image/*; feh '%s'; test=test -n \"$DISPLAY\"\n"
                               "application/x-two; one \\\n  --two %s; needsterminal\n"
                               "application/x-semi; echo a\\; b %t\n"
                               "broken\n";
    g_autoptr(GPtrArray) entries = mailcap_parse(text);
    g_assert_cmpuint(entries->len, ==, 4);
    const struct mailcap_entry *html = g_ptr_array_index(entries, 0), *image = g_ptr_array_index(entries, 1);
    const struct mailcap_entry *two = g_ptr_array_index(entries, 2), *semi = g_ptr_array_index(entries, 3);
    g_assert_true(html->copiousoutput);
    g_assert_cmpstr(html->nametemplate, ==, "%s.html");
    g_assert_true(mailcap_matches(image, "image/png"));
    g_assert_false(mailcap_matches(image, "imagex/png"));
    g_assert_cmpstr(image->test, ==, "test -n \"$DISPLAY\"");
    g_assert_cmpstr(two->view, ==, "one   --two %s");
    g_assert_true(two->needsterminal);
    /* Whatever the file is called: one word for the shell. */
    static const char *const names[] = {"/t/a b",  "/t/$(touch x)", "/t/';rm x;'", "/t/`x`",
                                        "/t/a\"b", "/t/-rf",        "/t/a\nb",     "/t/%s"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        gboolean uses = FALSE;
        g_autofree char *command = mailcap_command(image->view, names[i], "image/png", &uses);
        g_auto(GStrv) argv = NULL;
        g_assert_true(uses);
        g_assert_true(g_shell_parse_argv(command, NULL, &argv, NULL));
        g_assert_cmpuint(g_strv_length(argv), ==, 2);
        g_assert_cmpstr(argv[1], ==, names[i]);
    }
    gboolean uses = TRUE;
    g_autofree char *command = mailcap_command(semi->view, "/t/f", "a/b;id", &uses);
    g_assert_cmpstr(command, ==, "echo a; b 'a/b;id'");
    g_assert_false(uses);
}

/* ---- the composer's small judgements ---- */

static void
test_mentions(void)
{
    static const struct {
        const char *body;
        gboolean mentions;
    } cases[] = {
        {"Please find attached the plan.\n", TRUE},
        {"see the attachments\n", TRUE},
        {"im Anhang die Rechnung\n", TRUE},
        {"ich habe es angehängt\n", TRUE},
        {"veuillez trouver la pièce jointe\n", TRUE},
        {"adjunto el contrato\n", TRUE},
        {"> Please find attached the plan.\nno, there was none\n", FALSE},
        {"hello\n-- \nattached to nothing\n", FALSE},
        {"a detachment of troops\n", FALSE},
        {"hello\n", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(compose_mentions_attachment(cases[i].body), ==, cases[i].mentions);
}

static void
test_times(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_local(2026, 11, 18, 12, 30, 0); /* a Wednesday */
    static const struct {
        const char *text, *when; /* NULL: makes no sense */
    } cases[] = {
        {"8:00", "2026-11-19 08:00"},
        {"14:15", "2026-11-18 14:15"},
        {"tomorrow 9:00", "2026-11-19 09:00"},
        {"tomorrow", "2026-11-19 08:00"},
        {"fri", "2026-11-20 08:00"},
        {"wed 12:00", "2026-11-25 12:00"},
        {"wed 13:00", "2026-11-18 13:00"},
        {"2 h", "2026-11-18 14:30"},
        {"+45min", "2026-11-18 13:15"},
        {"3d", "2026-11-21 12:30"},
        {"2026-12-24 18:00", "2026-12-24 18:00"},
        {"2020-01-01 10:00", NULL},
        {"", NULL},
        {"25:00", NULL},
        {"8:7", NULL},
        {"soon", NULL},
        {"9", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 when = compose_parse_time(cases[i].text, g_date_time_to_unix(now));
        g_autoptr(GDateTime) time = when ? g_date_time_new_from_unix_local(when) : NULL;
        g_autofree char *got = time ? g_date_time_format(time, "%Y-%m-%d %H:%M") : NULL;
        g_assert_cmpstr(got, ==, cases[i].when);
    }
}

static void
test_ascii(void)
{
    static const struct {
        gunichar from;
        char to;
    } cases[] = {{'a', 'a'},    {0xe9, 'e'},   {0xdf, 's'},  {0x2500, '-'},
                 {0x25cf, '*'}, {0x65e5, '?'}, {0x142, 'l'}, {0x1e9e, '?'}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(ascii_of(cases[i].from), ==, cases[i].to);
    for (gunichar c = 0x20; c < 0x30000; c++)
        if (g_unichar_isprint(c))
            g_assert_true(ascii_of(c) >= ' ' && ascii_of(c) < 0x7f);
}

static void
test_themes(void)
{
    for (const struct theme_table *const *theme = theme_all(); *theme; theme++)
        g_assert_true(theme_find((*theme)->name) == *theme);
    g_assert_cmpint(theme_nearest_256(0x000000), ==, 16);
    g_assert_cmpint(theme_nearest_256(0xffffff), ==, 231);
    g_assert_cmpint(theme_nearest_256(0xff0000), ==, 196);
    g_assert_cmpint(theme_nearest_256(0x808080), ==, 244);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/screen/hits", test_hits);
    g_test_add_func("/screen/jump", test_jump);
    g_test_add_func("/screen/account-letters", test_letters);
    g_test_add_func("/screen/columns", test_columns);
    g_test_add_func("/screen/tree", test_tree);
    g_test_add_func("/screen/days", test_days);
    g_test_add_func("/screen/rows", test_rows);
    g_test_add_func("/screen/lineedit", test_lineedit);
    g_test_add_func("/screen/lineedit/random", test_lineedit_random);
    g_test_add_func("/screen/editor", test_editor);
    g_test_add_func("/screen/layout", test_layout);
    g_test_add_func("/screen/layout/links", test_layout_links);
    g_test_add_func("/screen/mailcap", test_mailcap);
    g_test_add_func("/screen/mentions", test_mentions);
    g_test_add_func("/screen/times", test_times);
    g_test_add_func("/screen/ascii", test_ascii);
    g_test_add_func("/screen/themes", test_themes);
    return g_test_run();
}
