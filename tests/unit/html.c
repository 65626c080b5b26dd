#include "config.h"

#include "mailtest.h"

#include "mail/flow.h"
#include "mail/html.h"
#include "mail/limits.h"
#include "mail/link.h"

#include <time.h>

static char *
render(const char *html, guint *flags)
{
    struct flow flow;
    flow_init(&flow, 1);
    guint got = html_to_flow(&flow, html, strlen(html));
    if (flags)
        *flags = got;
    char *text = g_string_free(flow.text, FALSE);
    flow.text = NULL;
    flow_clear(&flow);
    return text;
}

struct html_case {
    const char *html, *text;
};

static const struct html_case layout[] = {
    {"plain text", "plain text\n"},
    {"", ""},
    {"<p>one<p>two", "one\n\ntwo\n"},
    {"a  b\n\tc", "a b c\n"},
    {"a<b>b</b>c <i> d</i>", "abc d\n"},
    {"one<br>two<br><br>three", "one\ntwo\n\nthree\n"},
    {"<div>a<div>b</div>c</div>d", "a\nb\nc\nd\n"},
    {"<h1>Title</h1>text<h2>Sub</h2>more", "Title\n\ntext\n\nSub\n\nmore\n"},
    {"<ul><li>a<li>b<ul><li>c</ul></ul>z", "* a\n* b\n  * c\n\nz\n"},
    {"<ol><li>a<li>b</ol>", "1. a\n2. b\n"},
    {"<ol><li><p>a</p><p>more</p><li>b</ol>", "1. a\n\n   more\n\n2. b\n"},
    {"<dl><dt>term<dd>meaning</dl>", "term\n    meaning\n"},
    {"<blockquote>q<blockquote>qq</blockquote>q</blockquote>a", "> q\n>\n> > qq\n>\n> q\n\na\n"},
    {"x<hr>y", "x\n----------------------------------------\ny\n"},
    {"<pre>  a\n    b\n\nc</pre>", "  a\n    b\n\nc\n"},
    {"&lt;b&gt; &amp; &eacute;&nbsp;&euro; &#8364; &#x20AC; &#146; &copy;", "<b> & é € € € ’ ©\n"},
    {"&unknown; a & b &", "&unknown; a & b &\n"},
    {"<p>&nbsp;</p><p>a</p><p>&nbsp;</p><p>b</p>", "a\n\nb\n"},
    {"<q>said</q>", "“said”\n"},
    {"<center>c</center><address>a</address>", "c\na\n"},
    {"soft\xc2\xadhyphen zero\xe2\x80\x8bwidth", "softhyphen zerowidth\n"},
    {"<p>unclosed <b>bold <i>both", "unclosed bold both\n"},
    {"</p></div></table>text", "text\n"},
    {"<b<i>odd</i>", NULL},
    {"text <!-- comment --> more <![if !mso]>shown<![endif]> <!--[if mso]>not<![endif]-->",
     "text more shown\n"},
    /* tables */
    {"<table><tr><th>Name<th>Price<tr><td>Tea<td>2<tr><td>Coffee<td>13</table>",
     "Name    Price\nTea     2\nCoffee  13\n"},
    {"<table><tr><td>日本<td>x<tr><td>a<td>y</table>", "日本  x\na     y\n"},
    {"<table><tr><td>only one cell</table>", "only one cell\n"},
    {"<table><tr><td><p>block</p><p>two</p><td>side</table>", "block\n\ntwo\n\nside\n"},
    {"<table><tr><td>outer<table><tr><td>a<td>b<tr><td>c<td>d</table></table>", "outer\n\na  b\nc  d\n"},
    {"<blockquote><table><tr><td>a<td>b<tr><td>c<td>d</table></blockquote>", "> a  b\n> c  d\n"},
    {"<td>cell without</td><td>table</td>", "cell without table\n"},
    /* images */
    {"<img src=cid:x alt=\"A cat\"> sits", "A cat sits\n"},
    {"<img src=\"https://t.example/p\" width=1 height=1 alt=\"track\">x", "x\n"},
    {"<img src=x>y", "y\n"},
    /* what is not for reading */
    {"<head><title>T</title><style>p{}</style></head>a<script>b<!-- c</script>d<noscript>e</noscript>",
     "ade\n"},
    {"<form>Name <input value=v><select><option>o</select><textarea>t</textarea><button>Go</button></form>",
     "Name Go\n"},
    {"<svg><text>s</text></svg><iframe src=x>f</iframe><object>o</object><template>t</template>k", "k\n"},
};

static void
test_layout(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(layout); i++) {
        g_autofree char *text = render(layout[i].html, NULL);
        if (layout[i].text)
            g_assert_cmpstr(text, ==, layout[i].text);
    }
}

static void
test_hidden(void)
{
    static const struct {
        const char *html;
        gboolean hidden;
    } cases[] = {
        {"<div style=\"display:none\">secret</div>seen", TRUE},
        {"<div style=\"DISPLAY : NONE !important\">secret</div>seen", TRUE},
        {"<span style=\"visibility:hidden\">secret</span>seen", TRUE},
        {"<span style=\"font-size:0\">secret</span>seen", TRUE},
        {"<span style=\"font-size:0px;line-height:0\">secret</span>seen", TRUE},
        {"<span style=\"font-size:1px\">secret</span>seen", TRUE},
        {"<span style=\"opacity:0\">secret</span>seen", TRUE},
        {"<div style=\"max-height:0;overflow:hidden\">secret</div>seen", TRUE},
        {"<font color=\"#ffffff\" style=\"background:#FFF\">secret</font>seen", TRUE},
        {"<table bgcolor=white><tr><td><font color=\"#ffffff\">secret</font>seen</table>", TRUE},
        {"<p hidden>secret</p>seen", TRUE},
        {"<div style=\"display:none\"><b>secret</b> <a href=\"http://x.example/\">secret</a></div>seen",
         TRUE},
        /* and what must stay */
        {"<td style=\"font-size:0px\"><div style=\"font-size:16px\">seen</div></td>", FALSE},
        {"<span style=\"font-size:0.9em\">seen</span>", FALSE},
        {"<span style=\"opacity:0.5\">seen</span>", FALSE},
        {"<div style=\"background:#000;color:#fff\">seen</div>", FALSE},
        {"<div style=\"color:white\">seen</div>", FALSE},
        {"<div style=\"display:none\"> &nbsp; </div>seen", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint flags;
        g_autofree char *text = render(cases[i].html, &flags);
        g_assert_cmpstr(text, ==, "seen\n");
        g_assert_cmpint((flags & DOCUMENT_HIDDEN_TEXT) != 0, ==, cases[i].hidden);
    }
}

static void
test_links(void)
{
    g_autoptr(struct_document) document =
        parse_text("Content-Type: text/html\n\n<p>See <a href=\"https://a.example/1\">one</a>, <a "
                   "href=\"https://a.example/2\">two</a> and "
                   "<a href=\"https://a.example/1\">one again</a>; <a href=\"#top\">top</a> <a "
                   "href=\"javascript:x()\">js</a> "
                   "<a href=\"mailto:ana@example.org\">mail</a> <a href=\"https://empty.example/\"></a>"
                   "<a href=\"https://b.example/\"><img src=x alt=\"Picture\"></a>"
                   "<a href=\"https://c.example/\"><div>Block</div></a></p>\n");
    g_assert_cmpstr(document->text, ==,
                    "See one [1], two [2] and one again [1]; top js mail [3] Picture [4]\nBlock [5]\n\n[1] "
                    "https://a.example/1\n"
                    "[2] https://a.example/2\n[3] mailto:ana@example.org\n[4] https://b.example/\n[5] "
                    "https://c.example/\n");
    g_assert_cmpstr(document->preview, ==, "See one, two and one again [1]; top js mail Picture Block");
    g_assert_cmpuint(document->links->len, ==, 5);
    for (guint n = 1; n <= 5; n++) {
        const struct document_link *link = document_link_numbered(document, n);
        g_autofree char *mark = g_strdup_printf("[%u]", n);
        g_assert_cmpint(strncmp(document->text + link->offset, mark, link->length), ==, 0);
        g_assert_false(link->suspicious);
    }
    g_assert_cmpstr(document_link_numbered(document, 2)->text, ==, "two");
}

static void
test_suspicious(void)
{
    static const struct {
        const char *text, *url;
        gboolean suspicious;
    } cases[] = {
        {"https://bank.example/login", "https://evil.example/login", TRUE},
        {"www.bank.com", "https://bank.com.evil.example/", TRUE},
        {"bank.com", "https://evil.example/", TRUE},
        {"Log in at www.bank.com now", "https://evil.example/", TRUE},
        {"click", "https://bank.example@evil.example/", TRUE},
        {"click", "https://bank.example\\@evil.example/", FALSE}, /* the host is bank.example */
        {"ana@bank.example", "mailto:ana@evil.example", TRUE},
        {"BANK.com", "https://www.bank.com/", FALSE},
        {"mail.bank.com", "https://bank.com/", FALSE},
        {"bank.com", "https://login.bank.com:443/x?y", FALSE},
        {"bücher.example", "https://xn--bcher-kva.example/", FALSE},
        {"README.md", "https://git.example/README.md", FALSE},
        {"click here", "https://a.example/", FALSE},
        {"version 2.0 of e.g. this", "https://a.example/", FALSE},
        {"ana@bank.example", "mailto:ana@BANK.example?subject=x", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *why = link_suspicion(cases[i].text, cases[i].url);
        if ((why != NULL) != cases[i].suspicious)
            g_error("%s -> %s: %s", cases[i].text, cases[i].url, why ? why : "not suspicious");
    }
    g_autoptr(struct_document) document =
        parse_text("Content-Type: text/html\n\n<a href=\"https://evil.example/\">www.bank.example</a>\n");
    g_assert_cmpstr(document->text, ==,
                    "www.bank.example [1: evil.example]\n\n[1] https://evil.example/  ! the text names "
                    "www.bank.example, the link "
                    "goes to evil.example\n");
    g_assert_true(document_link_numbered(document, 1)->suspicious);
    g_assert_cmpuint(document->flags & DOCUMENT_SUSPICIOUS_LINK, !=, 0);
}

static void
test_remote(void)
{
    static const char *const remote[] = {"<img src=\"http://t.example/x.gif\">",
                                         "<img src=//t.example/x>",
                                         "<div style=\"background:url(http://t.example/x)\">",
                                         "<table background=\"https://t.example/\">",
                                         "<iframe src=\"https://t.example/\"></iframe>",
                                         "<link rel=stylesheet href=\"https://t.example/s.css\">"};
    for (gsize i = 0; i < G_N_ELEMENTS(remote); i++) {
        guint flags;
        g_free(render(remote[i], &flags));
        g_assert_cmpuint(flags & DOCUMENT_REMOTE, !=, 0);
    }
    guint flags;
    g_free(render("<img src=\"cid:x\"><a href=\"https://a.example/\">x</a>", &flags));
    g_assert_cmpuint(flags & DOCUMENT_REMOTE, ==, 0);
}

/* Control characters of the message never become marks of ours, and lines keep their kind. */
static void
test_lines(void)
{
    g_autofree char *text = render("a\001[1]\002b &#1;[9]&#2;", NULL);
    g_assert_cmpstr(text, ==, "a[1]b [9]\n");
    g_autoptr(struct_document) document = parse_text(
        "Content-Type: text/html\n\n<h1>T</h1><pre>p</pre><hr><ul><li>i</ul><blockquote>q</blockquote>\n");
    static const struct {
        guint flags, depth;
    } expected[] = {{LINE_HEADING, 0}, {0, 0}, {LINE_FIXED, 0}, {0, 0}, {LINE_RULE, 0}, {0, 0},
                    {LINE_ITEM, 0},    {0, 0}, {0, 1}};
    g_assert_cmpuint(document->lines->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < document->lines->len; i++) {
        const struct document_line *line = &g_array_index(document->lines, struct document_line, i);
        g_assert_cmpuint(line->flags, ==, expected[i].flags);
        g_assert_cmpuint(line->depth, ==, expected[i].depth);
    }
}

static void
test_charset(void)
{
    g_autoptr(struct_document) meta =
        parse_text("Content-Type: text/html\n\n<html><head><meta http-equiv=Content-Type "
                   "content=\"text/html; charset=koi8-r\"></head>\xf0\xd2\xc9\n");
    g_assert_cmpstr(meta->text, ==, "При\n");
    /* the header's word counts more than the meta element's */
    g_autoptr(struct_document) header =
        parse_text("Content-Type: text/html; charset=utf-8\n\n<meta charset=koi8-r>caf\xc3\xa9\n");
    g_assert_cmpstr(header->text, ==, "café\n");
}

static char *
repeat(const char *before, const char *text, guint times, const char *after)
{
    GString *out = g_string_new(before);
    for (guint i = 0; i < times; i++)
        g_string_append(out, text);
    g_string_append(out, after);
    return g_string_free(out, FALSE);
}

/* Bombs: each within the CPU limit of a message, whatever it shows (M6). */
static void
test_bombs(void)
{
    static const struct {
        const char *before, *text, *after;
        guint times;
        const char *shows;
    } bombs[] = {
        {"", "<div>", "deep", 100000, "deep"},
        {"", "<b><p>", "deep", 50000, "deep"},
        {"", "<table><tr><td>x", "deep", 20000, "deep"},
        {"", "<ul><li>x", "deep", 20000, NULL},
        {"", "<blockquote>x", "deep", 20000, "deep"},
        {"<p ", "a='b' ", ">", 200000, NULL},
        {"", "<a href='http://x.example/'>l</a>", "", 100000, "l [1]"},
        {"", "&", "", 1000000, NULL},
        {"", "<", "", 1000000, NULL},
        {"", "<!--", "", 300000, NULL},
        {"<script>", "x<", "", 300000, NULL},
        {"<div style='", "color:red;", "'>shown", 300000, "shown"},
        {"<pre>", "\n", "end", 300000, "end"},
        {"<p>", "&nbsp;", "end", 300000, "end"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bombs); i++) {
        g_autofree char *html = repeat(bombs[i].before, bombs[i].text, bombs[i].times, bombs[i].after);
        struct timespec start, end;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
        g_autofree char *text = render(html, NULL);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        g_test_message("bomb %u: %ld ms", (guint)i,
                       (long)((end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000));
        g_assert_true(g_utf8_validate(text, -1, NULL));
        if (bombs[i].shows)
            g_assert_nonnull(strstr(text, bombs[i].shows));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/html/layout", test_layout);
    g_test_add_func("/html/hidden", test_hidden);
    g_test_add_func("/html/links", test_links);
    g_test_add_func("/html/suspicious", test_suspicious);
    g_test_add_func("/html/remote", test_remote);
    g_test_add_func("/html/lines", test_lines);
    g_test_add_func("/html/charset", test_charset);
    g_test_add_func("/html/bombs", test_bombs);
    return g_test_run();
}
