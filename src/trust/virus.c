#include "config.h"

#include "trust/virus.h"

#include "base/text.h"
#include "store/arrival.h"

#include <string.h>

void
virus_find(struct store *store, gint64 message, struct virus *virus)
{
    memset(virus, 0, sizeof *virus);
    if (!store || !message)
        return;
    virus->result = verdict_field(store, message, VIRUS_STAGE, "result");
    g_autofree char *name = verdict_field(store, message, VIRUS_STAGE, "name");
    virus->name = name ? text_safe(name, -1, TEXT_LINE) : NULL;
    virus->why = verdict_field(store, message, VIRUS_STAGE, "why");
}

void
virus_clear(struct virus *virus)
{
    g_free(virus->result);
    g_free(virus->name);
    g_free(virus->why);
}

char *
virus_held(struct store *store, gint64 message)
{
    struct virus virus;
    virus_find(store, message, &virus);
    char *name = g_steal_pointer(&virus.name);
    virus_clear(&virus);
    return name;
}
