#include "config.h"

#include "ui/verdict.h"

#include "ui/text.h"

char *
verdict_text(const struct vouch *vouch, enum role *role)
{
    switch (vouch->kind) {
    case VOUCH_GOOD:
        *role = ROLE_GOOD;
        return g_strdup_printf("✔ %s (%s)", vouch->domain, vouch->words);
    case VOUCH_NONE:
        *role = ROLE_WARN;
        return g_strdup_printf("~ %s", vouch->words);
    case VOUCH_FORGED:
        *role = ROLE_BAD;
        return g_strdup_printf("✘ %s", vouch->words);
    case VOUCH_UNKNOWN:
        break;
    }
    return NULL;
}

char *
verdict_virus(const char *name, enum role *role)
{
    *role = ROLE_BAD;
    return g_strdup_printf(_("✘ a virus is in it: %s"), name);
}

char *
verdict_warnings(struct store *store, const struct config *config, gint64 message, const struct envelope *envelope)
{
    struct reputation reputation;
    GString *lines = g_string_new(NULL);
    reputation_find(store, config, message, envelope, NULL, &reputation);
    for (guint i = 0; i < reputation.signs->len; i++) {
        const struct reputation_sign *sign = g_ptr_array_index(reputation.signs, i);
        if (sign->warns)
            g_string_append_printf(lines, "%s%s", lines->len ? "\n" : "", sign->words);
    }
    reputation_clear(&reputation);
    return g_string_free(lines, FALSE);
}

char *
verdict_duration(gint64 seconds)
{
    int s = (int)MIN(seconds, G_MAXINT);
    if (s < 60)
        return g_strdup_printf(_("%d s"), s);
    if (s < 3600)
        return g_strdup_printf(_("%d min %d s"), s / 60, s % 60);
    if (s < 86400)
        return g_strdup_printf(_("%d h %d min"), s / 3600, s / 60 % 60);
    return g_strdup_printf(_("%d d %d h"), s / 86400, s / 3600 % 24);
}
