/* manual_search.c - postrider-search(7): the query language, out of the tables that the parsers read */
#include "config.h"

#include "cli/manual.h"
#include "base/roff.h"
#include "search/fields.h"
#include "search/pattern.h"

#include <stdio.h>

static const struct {
    const char *title, *text;
} before[] = {
    {"DESCRIPTION",
     "What is typed at \"postrider search\", into the search box (/) and at the limit prompt (l). The "
     "language is that of "
     "notmuch-search-terms(7); the limit prompt takes mutt's patterns as well, and both may be mixed there. "
     "Queries are "
     "answered by Postrider's own index, newest message first; \"postrider search --notmuch\" asks notmuch "
     "itself.\n\n"
     "A word is looked for in subject, people, text and names of attachments, without regard to case and "
     "accents. Words side "
     "by side must all be there. \"A phrase\" stands in double quotes (a quote inside it is doubled); "
     "ana@example.org and "
     "a-list-of-words are phrases, too. word* finds words that begin so. * alone is all messages."},
    {"OPERATORS", "and, or, xor, not, in any case, and parentheses. What stands side by side binds tightest, "
                  "then not, and, xor, or. "
                  "-word and +word are \"not word\" and \"word\". As for notmuch, two fields of the same "
                  "name side by side mean \"or\" where "
                  "a message has one of them (tag:a tag:b, from:ana from:ben, folder:, path:, date:, "
                  "subject:, id:), else \"and\" (to:, body:, "
                  "attachment:).\n\n"
                  "one NEAR/5 two finds words that are at most five places apart, ADJ/5 the same in that order; without a "
                  "number it is ten. They are written in capitals and stand between words (or \"phrases\")."},
};

static const struct {
    const char *title, *text;
} after[] = {
    {"PATTERNS OF MUTT", "At the limit prompt. EXPR is a regular expression after ~ (~f ^ana), plain text "
                         "after = (=f ana.ruiz), in quotes where it "
                         "holds spaces. In the text of messages it is taken as words. Side by side is and, | "
                         "is or, ! is not, parentheses group. "
                         "Plain text looks at sender and subject; all, new, unread, read, flag, repl, del "
                         "and tag alone are patterns."},
    {"DATES", "today, yesterday, monday, 3d, 2w, 5M (months), 1y2M, this_week, last_month, 2026, 2026-01, "
              "2026-01-31, 31-01-2026, "
              "1/31/2026, 31.1.2026, \"3rd_august\", 17:05, 5pm, 2026-01-31_10:00, noon, @SECONDS. A..B is "
              "from the beginning of A to "
              "the end of B; A.. and ..B are open; A alone is A..A. Instead of spaces write _ or -. A week "
              "begins on Sunday.\n\n"
              "After ~d and ~r also mutt's: <2w younger than, >1m older than, =3d exactly, 24/12/2025, 1/1- "
              "since, -1/1 until, "
              "1/1-31/1, 20260101, and margins 1/1/2026-1w+2w*3d."},
    {"WHAT IS LEFT OUT", "Deleted mail, Trash and Junk, unless the query names them: by tag:deleted, "
                         "tag:spam, role:, folder:, path:, id: or "
                         "thread:."},
    {"DIFFERENCES FROM NOTMUCH",
     "-word also works at the beginning. A misspelt field (form:ana) is an error, not text. "
     "query:, property:, lastmod: and sexp: are left to notmuch. near and adj are words unless in capitals. A pattern "
     "without capitals finds both cases. Accents are folded, and foo_bar and O'Brien are found by their parts. Words are not reduced to their stem: write flight*. cc:, bcc:, "
     "size:, list:, "
     "role:, account:, received: and has: are ours. path: and folder: take a final * for what lies below."},
    {"SEE ALSO", "postrider(1), notmuch-search-terms(7), muttrc(5)"},
};

static void
entry(const char *tag, const char *help, const char *example)
{
    g_autofree char *safe_tag = roff_text(tag), *safe_help = roff_text(help);
    printf(".TP\n.B %s\n%s", safe_tag, safe_help);
    if (example) {
        g_autofree char *safe = roff_text(example);
        printf(".\n.br\n\\fI%s\\fR", safe);
    }
    printf("\n");
}

void
manual_search_page(void)
{
    printf(".TH POSTRIDER\\-SEARCH 7 \"\" \"postrider %s\" \"Miscellanea\"\n.SH NAME\npostrider\\-search \\- "
           "how messages are "
           "looked for in postrider\n",
           PACKAGE_VERSION);
    for (guint i = 0; i < G_N_ELEMENTS(before); i++) {
        printf(".SH %s\n", before[i].title);
        roff_paragraphs(before[i].text);
    }
    printf(".SH FIELDS\n");
    for (const struct search_field *field = search_fields; field->name; field++) {
        g_autofree char *tag =
            g_strconcat(field->name, field->has_regex ? ":VALUE, " : ":VALUE",
                        field->has_regex ? field->name : "", field->has_regex ? ":/PATTERN/" : "", NULL);
        entry(tag, field->help, field->example);
    }
    printf(".PP\nWords of tag: and is: that are flags, places or properties:");
    for (const char *const *word = search_tag_words; *word; word++)
        printf(" %s", *word);
    printf(". Any other word is a tag of yours.\n");
    for (guint i = 0; i < G_N_ELEMENTS(after); i++) {
        printf(".SH %s\n", after[i].title);
        roff_paragraphs(after[i].text);
        for (const struct pattern *pattern = patterns; i == 0 && pattern->letter; pattern++) {
            static const char *const arguments[] = {"",      " EXPR",    " MIN-MAX", " MIN-MAX (K, M)",
                                                    " DATE", "PATTERN)", ""};
            g_autofree char *tag =
                g_strdup_printf("~%c%s%s", pattern->letter,
                                pattern->argument == PATTERN_INNER && pattern->letter != '(' ? "(" : "",
                                arguments[pattern->argument]);
            if (pattern->argument != PATTERN_REFUSED)
                entry(tag, pattern->help, NULL);
        }
    }
}
