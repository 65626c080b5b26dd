/* verdict.h - who vouches for a sender, and what he pretends, as commands print it */
#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include "base/json.h"
#include "trust/reputation.h"

/* An array "warnings" or "signs" of objects {mark, words, warns}. */
void verdict_json_signs(struct json *json, const char *key, const struct reputation *reputation, gboolean only_warnings);
/* "sender": {address{…}, domain{…}, signs[]}; null when there is not one author. */
void verdict_json_sender(struct json *json, const struct reputation *reputation);

#endif
