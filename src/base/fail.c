#include "config.h"

#include "base/fail.h"

#ifdef FAILPOINTS

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rule {
    char *name; /* NULL: counted over all steps */
    guint at;   /* 1-based */
    guint seen;
    int err;       /* 0: kill */
    gboolean from; /* and ever after */
};

static const struct {
    const char *name;
    int value;
} errors[] = {{"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EIO", EIO},
              {"EMFILE", EMFILE}, {"EROFS", EROFS},   {"EINTR", EINTR}};

static GMutex lock;
static GArray *rules;
static int log_fd = -1;
static char *once, *after; /* after: NULL once it was passed */

static void
add_rule(const char *text)
{
    if (g_str_has_prefix(text, "log:")) {
        log_fd = open(text + 4, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        return;
    }
    if (g_str_has_prefix(text, "once:")) {
        g_free(once);
        once = g_strdup(text + 5);
        return;
    }
    if (g_str_has_prefix(text, "after:")) {
        g_free(after);
        after = g_strdup(text + 6);
        return;
    }
    const char *colon = strrchr(text, ':');
    if (!colon)
        return;
    struct rule rule = {.at = 1};
    g_autofree char *name = g_strndup(text, colon - text);
    g_autofree char *action = g_strdup(colon + 1);
    if (*name == '#') {
        rule.at = (guint)strtoul(name + 1, NULL, 10);
    } else {
        char *at = strchr(name, '@');
        if (at) {
            rule.at = (guint)strtoul(at + 1, NULL, 10);
            *at = '\0';
        }
        rule.name = g_strdup(name);
    }
    gsize len = strlen(action);
    if (len && action[len - 1] == '+') {
        rule.from = TRUE;
        action[len - 1] = '\0';
    }
    for (guint i = 0; i < G_N_ELEMENTS(errors); i++)
        if (!strcmp(errors[i].name, action))
            rule.err = errors[i].value;
    g_array_append_val(rules, rule);
}

static void
rule_clear(gpointer rule)
{
    g_free(((struct rule *)rule)->name);
}

static void
load_rules(void)
{
    g_clear_pointer(&once, g_free);
    g_clear_pointer(&after, g_free);
    rules = g_array_new(FALSE, FALSE, sizeof(struct rule));
    g_array_set_clear_func(rules, rule_clear);
    g_auto(GStrv) parts = g_strsplit(g_getenv("POSTRIDER_FAIL") ?: "", ",", -1);
    for (char **part = parts; *part; part++)
        if (**part)
            add_rule(*part);
}

void
fail_reload(void)
{
    g_mutex_lock(&lock);
    g_clear_pointer(&rules, g_array_unref);
    load_rules();
    g_mutex_unlock(&lock);
}

/* The file says who: name of the step. Made by one process only, whoever comes first. */
static gboolean
is_first_death(const char *name)
{
    if (!once)
        return TRUE;
    int fd = open(once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return FALSE;
    (void)!write(fd, name, strlen(name));
    close(fd);
    return TRUE;
}

gboolean
fail_step(const char *name)
{
    int err = 0;
    gboolean stop = FALSE;

    g_mutex_lock(&lock);
    if (!rules)
        load_rules();
    if (log_fd >= 0) {
        g_autofree char *line = g_strdup_printf("%s\n", name);
        if (write(log_fd, line, strlen(line)) < 0)
            log_fd = -1;
    }
    for (guint i = 0; i < rules->len && !after; i++) {
        struct rule *rule = &g_array_index(rules, struct rule, i);
        if (rule->name && strcmp(rule->name, name))
            continue;
        rule->seen++;
        if (rule->seen != rule->at && !(rule->from && rule->seen > rule->at))
            continue;
        if (rule->err)
            err = rule->err;
        else
            stop = TRUE;
    }
    if (after && !strcmp(after, name))
        g_clear_pointer(&after, g_free);
    g_mutex_unlock(&lock);
    if (stop && is_first_death(name))
        kill(getpid(), SIGKILL);
    if (err)
        errno = err;
    return err != 0;
}

guint
fail_value(const char *name, guint value)
{
    g_auto(GStrv) parts = g_strsplit(g_getenv("POSTRIDER_FAIL") ?: "", ",", -1);
    gsize length = strlen(name);
    for (char **part = parts; *part; part++)
        if (!strncmp(*part, name, length) && (*part)[length] == '=')
            return (guint)strtoul(*part + length + 1, NULL, 10);
    return value;
}

#endif
