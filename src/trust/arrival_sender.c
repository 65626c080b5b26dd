/* arrival_sender.c - the stage of arrival.h that puts away the mail of blocked senders (store/sender.h) */
#include "config.h"

#include "trust/arrival.h"

#include "base/json.h"
#include "base/log.h"
#include "store/folder.h"
#include "store/intent.h"
#include "store/sender.h"

gboolean
arrival_sender(struct arrival *arrival, char **verdict, GError **error)
{
    const struct message *message = arrival->message;
    g_autoptr(struct_sender_entry) because = NULL;
    enum sender_word word = sender_ask(arrival->store, message->from_addr, message->list_id, &because);
    *verdict = NULL;
    if (word == SENDER_NOTHING)
        return TRUE;
    /* The server, or another device, may have put it away already. */
    if (word == SENDER_BLOCKED && message_lies_in(arrival->store, message->id, ~(1u << FOLDER_JUNK | 1u << FOLDER_TRASH))) {
        gboolean to_trash = arrival->host->config && arrival->host->config->blocked == BLOCKED_TRASH;
        gint64 journal = to_trash ? intent_delete(arrival->store, &message->id, 1, 0, error)
                                  : intent_junk(arrival->store, &message->id, 1, 0, TRUE, error);
        if (!journal)
            return FALSE;
        log_info("trust.sender", "message=%" G_GINT64_FORMAT " blocked", message->id);
    }
    g_autofree char *text = sender_entry_text(because);
    struct json json;
    json_init(&json);
    json_object_begin(&json, NULL);
    json_string(&json, "word", sender_word_name(word));
    json_string(&json, "because", text);
    json_object_end(&json);
    *verdict = json_finish(&json);
    return TRUE;
}
