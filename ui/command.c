#include "config.h"

#include "ui/command.h"
#include "ui/text.h"

#include <string.h>

const struct command *
command_find(const char *name)
{
    for (const struct command *command = command_table; command->name; command++)
        if (!strcmp(command->name, name))
            return command;
    return NULL;
}

const char *
command_group_name(enum command_group group)
{
    static const char *const group_titles[GROUP_COUNT] = {
        [GROUP_MOVE] = N_("Moving"),
        [GROUP_READ] = N_("Reading"),
        [GROUP_WRITE] = N_("Writing"),
        [GROUP_FILE] = N_("Filing"),
        [GROUP_MARK] = N_("Marking"),
        [GROUP_FIND] = N_("Finding"),
        [GROUP_COMPOSE] = N_("The message being written"),
        [GROUP_VIEWS] = N_("Other views"),
        [GROUP_PROGRAM] = N_("The program"),
    };
    return group < GROUP_COUNT ? _(group_titles[group]) : "";
}

char *
command_context_names(guint contexts)
{
    static const struct {
        guint context;
        const char *name;
    } all[] = {
        {IN_LIST, "list"},       {IN_READER, "reader"}, {IN_COMPOSER, "composer"}, {IN_OUTBOX, "outbox"},
        {IN_FOLDERS, "folders"}, {IN_PARTS, "parts"},   {IN_TEXT, "text"},         {IN_UNDO, "undo"},
        {IN_SYNC, "sync"},
    };
    if ((contexts & IN_ANY) == IN_ANY)
        return g_strdup("everywhere");
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(all); i++)
        if (contexts & all[i].context)
            g_string_append_printf(out, "%s%s", out->len ? ", " : "", all[i].name);
    return g_string_free(out, FALSE);
}

int
command_fuzzy(const char *pattern, const char *text)
{
    if (!*pattern)
        return 1;
    int score = 0, run = 0;
    gunichar before = ' ';
    const char *p = pattern;
    for (const char *t = text; *t && *p; t = g_utf8_next_char(t)) {
        gunichar want = g_unichar_tolower(g_utf8_get_char(p)), have = g_unichar_tolower(g_utf8_get_char(t));
        if (want == have || (want == ' ' && have == '-')) {
            run++;
            score += 2 + run * 3;
            if (!g_unichar_isalnum(before))
                score += 8; /* a word begins here */
            if (t == text)
                score += 6;
            p = g_utf8_next_char(p);
        } else {
            run = 0;
        }
        before = have;
    }
    if (*p)
        return 0;
    if (!g_ascii_strcasecmp(pattern, text))
        score += 100;
    /* Among equals the shorter name. */
    return MAX(1, score * 8 - (int)MIN(strlen(text), 60));
}

struct scored {
    const struct command *command;
    int score;
    guint order;
};

static int
compare_scored(gconstpointer a, gconstpointer b)
{
    const struct scored *x = a, *y = b;
    return x->score != y->score ? y->score - x->score : (int)x->order - (int)y->order;
}

GPtrArray *
command_match(const char *pattern, guint contexts)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct scored));
    guint order = 0;
    for (const struct command *command = command_table; command->name; command++, order++) {
        if (!(command->contexts & contexts))
            continue;
        int by_name = command_fuzzy(pattern, command->name),
            by_help = command_fuzzy(pattern, _(command->help)) / 2;
        struct scored scored = {command, *pattern ? MAX(by_name, by_help) : 1, order};
        if (scored.score > 0)
            g_array_append_val(found, scored);
    }
    g_array_sort(found, compare_scored);
    GPtrArray *result = g_ptr_array_new();
    for (guint i = 0; i < found->len; i++)
        g_ptr_array_add(result, (gpointer)g_array_index(found, struct scored, i).command);
    return result;
}
