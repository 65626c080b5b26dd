/* tokens_html.c - HTML for the filter: the text that is left without the tags, and what the tags show */
#include "config.h"

#include "mail/tokens_private.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 24
#define VALUE_MAX_LENGTH 512

struct html {
    struct tokenizer *t;
    const char *p, *end;
    GString *out;
    guint tags;
    const char *skip; /* "style" or "script": what is inside is no text */
};

static const char *const inline_tags[] = {"a", "b", "i", "u", "em", "strong", "font", "span", "big", "small", "tt", "sup", "sub"};

static gboolean
is_inline(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(inline_tags); i++)
        if (strcmp(name, inline_tags[i]) == 0)
            return TRUE;
    return FALSE;
}

/* A name in small letters; an empty one when none begins here. */
static void
take_name(struct html *html, char *name)
{
    gsize n = 0;
    for (; html->p < html->end && (g_ascii_isalnum(*html->p) || strchr("-_:!?", *html->p)) && *html->p; html->p++)
        if (n < NAME_MAX_LENGTH)
            name[n++] = g_ascii_tolower(*html->p);
    name[n] = '\0';
}

static gsize
take_value(struct html *html, const char **value)
{
    char quote = html->p < html->end && (*html->p == '"' || *html->p == '\'') ? *html->p++ : 0;
    *value = html->p;
    while (html->p < html->end && (quote ? *html->p != quote : !strchr(" \t\r\n>", *html->p)))
        html->p++;
    gsize length = (gsize)(html->p - *value);
    if (quote && html->p < html->end)
        html->p++;
    return MIN(length, VALUE_MAX_LENGTH);
}

/* Styles that hide, and their names. */
static void
style(struct tokenizer *t, const char *value, gsize length)
{
    static const char *const hiding[] = {"display:none", "visibility:hidden", "font-size:0", "font-size:1px", "color:#fff",
                                         "color:white",  "opacity:0",         "max-height:0"};
    char plain[VALUE_MAX_LENGTH + 1];
    gsize n = 0;
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isspace(value[i]))
            plain[n++] = g_ascii_tolower(value[i]);
    plain[n] = '\0';
    for (guint i = 0; i < G_N_ELEMENTS(hiding); i++)
        if (strstr(plain, hiding[i]))
            token_addz(t, TOKEN_SHAPE, "style ", hiding[i]);
}

static void
attribute(struct html *html, const char *tag, const char *name, const char *value, gsize length)
{
    char key[2 * NAME_MAX_LENGTH + 4];
    g_snprintf(key, sizeof key, "<%s %s ", tag, name);
    token_addz(html->t, TOKEN_SHAPE, "", key);
    if (strcmp(name, "href") == 0 || strcmp(name, "src") == 0 || strcmp(name, "action") == 0 || strcmp(name, "background") == 0)
        tokens_link(html->t, value, length);
    else if (strcmp(name, "style") == 0)
        style(html->t, value, length);
    else if (length <= NAME_MAX_LENGTH && strcmp(name, "id") != 0 && strcmp(name, "name") != 0)
        token_add(html->t, TOKEN_SHAPE, key, value, length);
}

static void
tag(struct html *html)
{
    char name[NAME_MAX_LENGTH + 1], key[NAME_MAX_LENGTH + 1];
    gboolean closing = html->p < html->end && *html->p == '/';
    html->p += closing;
    take_name(html, name);
    html->tags++;
    if (!name[0] || !is_inline(name))
        g_string_append_c(html->out, ' ');
    if (!closing) {
        token_addz(html->t, TOKEN_SHAPE, "<", name);
        html->t->images += strcmp(name, "img") == 0;
    }
    while (html->p < html->end && *html->p != '>') {
        const char *value, *before = html->p;
        take_name(html, key);
        while (html->p < html->end && g_ascii_isspace(*html->p))
            html->p++;
        if (key[0] && html->p < html->end && *html->p == '=') {
            html->p++;
            while (html->p < html->end && g_ascii_isspace(*html->p))
                html->p++;
            gsize length = take_value(html, &value);
            attribute(html, name, key, value, length);
        } else if (html->p == before) {
            html->p++;
        }
    }
    html->p += html->p < html->end;
    if (strcmp(name, "style") == 0 || strcmp(name, "script") == 0)
        html->skip = closing ? NULL : name[1] == 't' ? "</style" : "</script";
}

/* &name; and &#number; as UTF-8; accents come off, as nothing is lost by it. */
static void
entity(struct html *html)
{
    static const struct {
        const char *name, *text;
    } known[] = {{"nbsp", " "}, {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"euro", "€"}, {"copy", "©"}};
    const char *start = html->p, *semicolon = memchr(start, ';', MIN((gsize)(html->end - start), 10));
    gsize length = semicolon ? (gsize)(semicolon - start) : 0;
    char name[12];
    if (!length) {
        g_string_append_c(html->out, '&');
        return;
    }
    memcpy(name, start, length);
    name[length] = '\0';
    html->p = semicolon + 1;
    if (name[0] == '#') {
        gboolean hex = (name[1] | 0x20) == 'x';
        gunichar c = (gunichar)strtoul(name + 1 + hex, NULL, hex ? 16 : 10);
        if (c < 0x80 && g_ascii_isalnum((char)c))
            token_addz(html->t, TOKEN_SHAPE, "", "a letter as a number");
        if (c >= ' ' && g_unichar_validate(c))
            g_string_append_unichar(html->out, c);
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(name, known[i].name) == 0) {
            g_string_append(html->out, known[i].text);
            return;
        }
    }
    if (length > 3 && g_ascii_isalpha(name[0]))
        g_string_append_c(html->out, name[0]);
}

static gboolean
skip_comment(struct html *html)
{
    if (html->end - html->p < 3 || memcmp(html->p, "!--", 3) != 0)
        return FALSE;
    const char *close = g_strstr_len(html->p, html->end - html->p, "-->");
    gboolean inside = html->out->len && g_ascii_isalpha(html->out->str[html->out->len - 1]) && close && close + 3 < html->end &&
                      g_ascii_isalpha(close[3]);
    token_addz(html->t, TOKEN_SHAPE, "", inside ? "a comment in a word" : "a comment");
    html->p = close ? close + 3 : html->end;
    return TRUE;
}

/* Ends when the text is longer than can be used: what follows is not looked at. */
void
tokens_html(struct tokenizer *t, const char *text, gsize length, GString *out)
{
    struct html html = {.t = t, .p = text, .end = text + length, .out = out};
    while (html.p < html.end && out->len < TOKENS_TEXT) {
        if (html.skip) {
            const char *close = html.p;
            while (close < html.end && (*close != '<' || g_ascii_strncasecmp(close, html.skip, MIN(strlen(html.skip), (gsize)(html.end - close))) != 0))
                close++;
            html.p = close;
            html.skip = NULL;
            continue;
        }
        char c = *html.p++;
        if (c == '<' && html.p < html.end && (g_ascii_isalpha(*html.p) || strchr("/!?", *html.p))) {
            if (!skip_comment(&html))
                tag(&html);
        } else if (c == '&') {
            entity(&html);
        } else {
            g_string_append_c(out, c);
        }
    }
    token_amount(t, "tags", html.tags);
    token_amount(t, "text for each 16 of HTML", length ? out->len * 16 / length : 0);
}
