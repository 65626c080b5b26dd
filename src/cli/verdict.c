#include "config.h"

#include "cli/verdict.h"

#include "base/clock.h"

void
verdict_json_signs(struct json *json, const char *key, const struct reputation *reputation, gboolean only_warnings)
{
    json_array_begin(json, key);
    for (guint i = 0; i < reputation->signs->len; i++) {
        const struct reputation_sign *sign = reputation->signs->pdata[i];
        if (only_warnings && !sign->warns)
            continue;
        json_object_begin(json, NULL);
        json_string(json, "mark", reputation_mark_name(sign->mark));
        json_string(json, "words", sign->words);
        json_bool(json, "warns", sign->warns);
        json_object_end(json);
    }
    json_array_end(json);
}

static void
counts(struct json *json, gint64 first, guint received, guint sent, guint answered, guint junk, guint good)
{
    g_autofree char *time = first ? clock_rfc3339(first, clock_local_zone(first)) : NULL;
    json_string(json, "first", time);
    json_int(json, "received", received);
    json_int(json, "sent", sent);
    json_int(json, "answered", answered);
    json_int(json, "junk", junk);
    json_int(json, "good", good);
}

void
verdict_json_sender(struct json *json, const struct reputation *reputation)
{
    static const struct contact nobody;
    const struct contact *contact = reputation->contact ? reputation->contact : &nobody;
    const struct known *known = &reputation->known;
    if (!reputation->owner) {
        json_null(json, "sender");
        return;
    }
    json_object_begin(json, "sender");
    json_object_begin(json, "address");
    counts(json, contact->first, contact->received, contact->sent, contact->replied, contact->junk, contact->good);
    json_object_end(json);
    json_object_begin(json, "domain");
    json_string(json, "name", reputation->owner);
    counts(json, known->first, known->received, known->sent, known->replied, known->junk, known->good);
    json_int(json, "vouched", known->vouched);
    json_int(json, "vouched_junk", known->vouched_junk);
    json_object_end(json);
    verdict_json_signs(json, "signs", reputation, FALSE);
    json_object_end(json);
}
