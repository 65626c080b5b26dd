/* The schema, and how an older one becomes it. A migration is never changed once released: a new one is
 * added. */
#include "config.h"

#include "store/internal.h"
#include "base/fail.h"
#include "base/log.h"

#include <errno.h>

static const char version_1[] =
    /* Small things of our own: counters, settings. */
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO counter VALUES ('sequence', 0);"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE account ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, dir TEXT NOT NULL UNIQUE,"
    " addresses TEXT NOT NULL DEFAULT ''," /* separated by space */
    " state TEXT NOT NULL DEFAULT '', notice TEXT, synced INTEGER NOT NULL DEFAULT 0);"

    "CREATE TABLE folder ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, name TEXT NOT NULL, wire TEXT,"
    " delimiter INTEGER NOT NULL DEFAULT 0, dir TEXT NOT NULL UNIQUE, dir_want TEXT,"
    " role INTEGER NOT NULL DEFAULT 0, bits INTEGER NOT NULL DEFAULT 0,"
    " uidvalidity INTEGER NOT NULL DEFAULT 0, uidnext INTEGER NOT NULL DEFAULT 0, modseq INTEGER NOT NULL "
    "DEFAULT 0,"
    " validity_changes INTEGER NOT NULL DEFAULT 0,"
    " total INTEGER NOT NULL DEFAULT 0, unread INTEGER NOT NULL DEFAULT 0, flagged INTEGER NOT NULL DEFAULT "
    "0,"
    " conversations INTEGER NOT NULL DEFAULT 0, unread_conversations INTEGER NOT NULL DEFAULT 0,"
    " server_total INTEGER NOT NULL DEFAULT 0, synced INTEGER NOT NULL DEFAULT 0, notice TEXT,"
    " scan_cur INTEGER NOT NULL DEFAULT 0, scan_new INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE (account, name));"
    "CREATE INDEX folder_role ON folder (account, role) WHERE role > 0;"

    /* key: time and a number, unique, so that every list pages by one integer (message_key()). */
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL, thread INTEGER NOT NULL, changed INTEGER "
    "NOT NULL,"
    " bits INTEGER NOT NULL, flags INTEGER NOT NULL, tags TEXT NOT NULL,"
    " places INTEGER NOT NULL, shown INTEGER NOT NULL," /* roles and number of the placements that are shown
                                                         */
    " cached INTEGER NOT NULL DEFAULT 0, junk INTEGER NOT NULL DEFAULT -1, size INTEGER NOT NULL,"
    " date INTEGER NOT NULL, zone INTEGER NOT NULL, received INTEGER NOT NULL,"
    " from_name TEXT, from_addr TEXT, subject TEXT NOT NULL, preview TEXT NOT NULL DEFAULT '',"
    " message_id TEXT, mid BLOB, emailid TEXT, hash BLOB,"
    " to_list TEXT NOT NULL DEFAULT '', cc_list TEXT NOT NULL DEFAULT '', list_id TEXT);"
    "CREATE UNIQUE INDEX message_key ON message (key);"
    "CREATE INDEX message_thread ON message (thread, key);"
    "CREATE INDEX message_changed ON message (changed);"
    "CREATE INDEX message_mid ON message (mid) WHERE mid IS NOT NULL;"
    "CREATE UNIQUE INDEX message_hash ON message (hash) WHERE hash IS NOT NULL;"
    "CREATE UNIQUE INDEX message_emailid ON message (emailid) WHERE emailid IS NOT NULL;"
    "CREATE INDEX message_unread ON message (key) WHERE (flags & 1) = 0 AND shown > 0;"
    "CREATE INDEX message_flagged ON message (key) WHERE (flags & 4) <> 0 AND shown > 0;"
    "CREATE TABLE reference (message INTEGER PRIMARY KEY, in_reply_to TEXT, refs TEXT NOT NULL);"
    "CREATE TABLE wanted (message INTEGER PRIMARY KEY, time INTEGER NOT NULL);"

    /* Threads: every Message-ID that was seen or named, and the thread it is in. `into` is where a merged one
       went. */
    "CREATE TABLE thread (id INTEGER PRIMARY KEY, moved_to INTEGER, size INTEGER NOT NULL);"
    "CREATE TABLE mention (mid BLOB PRIMARY KEY, thread INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE folder_thread ("
    " folder INTEGER NOT NULL, thread INTEGER NOT NULL, newest INTEGER NOT NULL,"
    " count INTEGER NOT NULL, unread INTEGER NOT NULL, flagged INTEGER NOT NULL,"
    " PRIMARY KEY (folder, thread)) WITHOUT ROWID;"
    "CREATE INDEX folder_thread_newest ON folder_thread (folder, newest);"
    "CREATE INDEX folder_thread_unread ON folder_thread (folder, newest) WHERE unread > 0;"

    "CREATE TABLE placement ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, folder INTEGER NOT NULL, message INTEGER NOT NULL,"
    " key INTEGER NOT NULL, thread INTEGER NOT NULL," /* the message's own */
    " uid INTEGER NOT NULL, modseq INTEGER NOT NULL DEFAULT 0,"
    " base_flags INTEGER NOT NULL, base_tags TEXT NOT NULL, flags INTEGER NOT NULL, tags TEXT NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0, file TEXT, stale_name INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX placement_uid ON placement (folder, uid) WHERE uid > 0;"
    "CREATE INDEX placement_no_uid ON placement (folder) WHERE uid = 0;"
    "CREATE INDEX placement_message ON placement (message);"
    "CREATE INDEX placement_key ON placement (folder, key) WHERE " SHOWN ";"
    "CREATE INDEX placement_unread ON placement (folder, key) WHERE " SHOWN " AND (flags & 1) = 0;"
    "CREATE INDEX placement_changed ON placement (folder)"
    " WHERE uid > 0 AND " SHOWN " AND (flags <> base_flags OR tags <> base_tags);"
    "CREATE INDEX placement_no_file ON placement (folder, key) WHERE file IS NULL AND " SHOWN ";"
    "CREATE INDEX placement_stale_name ON placement (folder) WHERE stale_name = 1;"
    "CREATE TABLE tag (tag TEXT NOT NULL, key INTEGER NOT NULL, message INTEGER NOT NULL,"
    " PRIMARY KEY (tag, key)) WITHOUT ROWID;"
    "CREATE INDEX tag_message ON tag (message);"

    "CREATE TABLE gone (id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, message INTEGER NOT NULL,"
    " message_id TEXT, files TEXT NOT NULL, time INTEGER NOT NULL);"
    "CREATE INDEX gone_sequence ON gone (sequence);"
    /* rowid is message.key, so that the newest come first by themselves. */
    "CREATE VIRTUAL TABLE fulltext USING fts5 (subject, sender, recipients, body, attachments, types,"
    " tokenize = 'postrider', columnsize = 0);"

    "CREATE TABLE intent ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0, message INTEGER NOT NULL DEFAULT 0,"
    " source INTEGER NOT NULL DEFAULT 0, source_folder INTEGER NOT NULL DEFAULT 0,"
    " target INTEGER NOT NULL DEFAULT 0, target_folder INTEGER NOT NULL DEFAULT 0,"
    " folder INTEGER NOT NULL DEFAULT 0, name TEXT, after INTEGER NOT NULL DEFAULT 0,"
    " uncertain INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,"
    " next_attempt INTEGER NOT NULL DEFAULT 0, error TEXT, created INTEGER NOT NULL, journal INTEGER NOT "
    "NULL);"
    "CREATE INDEX intent_account ON intent (account, state, id);"
    "CREATE INDEX intent_source ON intent (source) WHERE source > 0;"
    "CREATE INDEX intent_target ON intent (target) WHERE target > 0;"
    "CREATE INDEX intent_journal ON intent (journal);"

    "CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, text TEXT NOT NULL,"
    " undone INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE journal_item ("
    " id INTEGER PRIMARY KEY, journal INTEGER NOT NULL, kind INTEGER NOT NULL, message INTEGER NOT NULL "
    "DEFAULT 0,"
    " source_folder INTEGER NOT NULL DEFAULT 0, target_folder INTEGER NOT NULL DEFAULT 0,"
    " intent INTEGER NOT NULL DEFAULT 0, before_flags INTEGER NOT NULL DEFAULT 0, after_flags INTEGER NOT "
    "NULL DEFAULT 0,"
    " before_tags TEXT NOT NULL DEFAULT '', after_tags TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX journal_item_journal ON journal_item (journal);"
    "CREATE INDEX journal_item_message ON journal_item (message);"

    "CREATE TABLE outbox ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, file TEXT NOT NULL, sender TEXT NOT "
    "NULL,"
    " subject TEXT NOT NULL, message_id TEXT, state INTEGER NOT NULL, hold INTEGER NOT NULL,"
    " created INTEGER NOT NULL, send_at INTEGER NOT NULL, undo_until INTEGER NOT NULL, next_attempt INTEGER "
    "NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL, code INTEGER NOT NULL DEFAULT 0, enhanced "
    "TEXT, error TEXT,"
    " copy INTEGER NOT NULL, sent_message INTEGER NOT NULL DEFAULT 0, dsn_notify TEXT, dsn_ret TEXT, "
    "dsn_envid TEXT,"
    " draft INTEGER NOT NULL DEFAULT 0, answers INTEGER NOT NULL DEFAULT 0, answer_flag INTEGER NOT NULL "
    "DEFAULT 0,"
    " owner TEXT, data_sent INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX outbox_state ON outbox (state, next_attempt);"
    "CREATE INDEX outbox_message_id ON outbox (message_id);"
    "CREATE TABLE outbox_recipient (id INTEGER PRIMARY KEY, item INTEGER NOT NULL, addr TEXT NOT NULL,"
    " state INTEGER NOT NULL, code INTEGER NOT NULL DEFAULT 0, enhanced TEXT, text TEXT);"
    "CREATE INDEX outbox_recipient_item ON outbox_recipient (item);"
    "CREATE TABLE outbox_attempt (id INTEGER PRIMARY KEY, item INTEGER NOT NULL, time INTEGER NOT NULL, "
    "server TEXT,"
    " tls TEXT, reply TEXT, ok INTEGER NOT NULL, dialogue TEXT);"
    "CREATE INDEX outbox_attempt_item ON outbox_attempt (item);"

    "CREATE TABLE contact ("
    " id INTEGER PRIMARY KEY, addr_key TEXT NOT NULL UNIQUE, addr TEXT NOT NULL, name TEXT,"
    " first INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL DEFAULT 0,"
    " sent INTEGER NOT NULL DEFAULT 0, received INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0,"
    " replied INTEGER NOT NULL DEFAULT 0, junk INTEGER NOT NULL DEFAULT 0, good INTEGER NOT NULL DEFAULT 0,"
    " bounced INTEGER NOT NULL DEFAULT 0, bounce TEXT, blocked INTEGER NOT NULL DEFAULT 0,"
    " by_hand INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE contact_word (word TEXT NOT NULL, contact INTEGER NOT NULL, PRIMARY KEY (word, contact)) "
    "WITHOUT ROWID;"

    "CREATE TABLE index_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE index_skip (message INTEGER PRIMARY KEY, hash BLOB, reason TEXT NOT NULL, time INTEGER NOT "
    "NULL);"
    /* Rooms for the learning filter. */
    "CREATE TABLE spam_token (token BLOB PRIMARY KEY, junk INTEGER NOT NULL, good INTEGER NOT NULL, last "
    "INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE spam_trained (hash BLOB PRIMARY KEY, junk INTEGER NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE autosave (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, owner TEXT NOT NULL,"
    " title TEXT NOT NULL, text BLOB NOT NULL);";

/* What the planner is to think of a big store, said once instead of measured: else it takes (folder, key) for
 * as good as (message), and walks a whole folder to find one row. Plans stay the same whatever the store
 * holds. */
static const char version_2[] =
    /* All of a folder, also what is leaving it. */
    "DROP INDEX placement_key;"
    "CREATE INDEX placement_key ON placement (folder, key, state);"
    "ANALYZE sqlite_schema;"
    "DELETE FROM sqlite_stat1;"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES"
    " ('message', 'message_key', '1000000 1'), ('message', 'message_thread', '1000000 2 1'),"
    " ('message', 'message_changed', '1000000 10'), ('message', 'message_mid', '1000000 1'),"
    " ('message', 'message_hash', '1000000 1'), ('message', 'message_emailid', '1000000 1'),"
    " ('message', 'message_unread', '50000 1'), ('message', 'message_flagged', '5000 1'),"
    " ('placement', 'placement_uid', '1000000 20000 1'), ('placement', 'placement_no_uid', '500 50'),"
    " ('placement', 'placement_message', '1000000 1'), ('placement', 'placement_key', '1000000 20000 1 1'),"
    " ('placement', 'placement_unread', '50000 1000 1'), ('placement', 'placement_changed', '500 50'),"
    " ('placement', 'placement_no_file', '200000 4000 1'), ('placement', 'placement_stale_name', '500 50'),"
    " ('folder_thread', 'folder_thread', '500000 10000 1'),"
    " ('folder_thread', 'folder_thread_newest', '500000 10000 1'),"
    " ('folder_thread', 'folder_thread_unread', '30000 600 1'),"
    " ('tag', 'tag', '200000 5000 1'), ('tag', 'tag_message', '200000 2'), ('mention', 'mention', '3000000 "
    "1'),"
    " ('folder', 'sqlite_autoindex_folder_1', '50 1'), ('folder', 'sqlite_autoindex_folder_2', '50 25 1'),"
    " ('folder', 'folder_role', '20 10 1'), ('gone', 'gone_sequence', '10000 5'),"
    " ('intent', 'intent_account', '500 250 100 1'), ('intent', 'intent_source', '300 1'),"
    " ('intent', 'intent_target', '300 1'), ('intent', 'intent_journal', '500 5'),"
    " ('journal_item', 'journal_item_journal', '5000 5'), ('journal_item', 'journal_item_message', '5000 1'),"
    " ('outbox', 'outbox_state', '5000 1000 1'), ('outbox', 'outbox_message_id', '5000 1'),"
    " ('outbox_recipient', 'outbox_recipient_item', '10000 2'),"
    " ('outbox_attempt', 'outbox_attempt_item', '10000 2'),"
    " ('contact', 'sqlite_autoindex_contact_1', '100000 1'),"
    " ('contact_word', 'contact_word', '400000 4 1');"
    "ANALYZE sqlite_schema;"; /* read now, not by the next one to open */

/* What the synchroniser did (history.h). */
#define HISTORY_COLUMNS                                                                                      \
    " passes INTEGER NOT NULL DEFAULT 0, unchanged INTEGER NOT NULL DEFAULT 0,"                              \
    " bytes_in INTEGER NOT NULL DEFAULT 0, bytes_out INTEGER NOT NULL DEFAULT 0,"                            \
    " saved INTEGER NOT NULL DEFAULT 0, round_trips INTEGER NOT NULL DEFAULT 0,"                             \
    " envelopes INTEGER NOT NULL DEFAULT 0, bodies INTEGER NOT NULL DEFAULT 0,"                              \
    " body_bytes INTEGER NOT NULL DEFAULT 0, known INTEGER NOT NULL DEFAULT 0,"                              \
    " known_bytes INTEGER NOT NULL DEFAULT 0, flags_in INTEGER NOT NULL DEFAULT 0,"                          \
    " flags_out INTEGER NOT NULL DEFAULT 0, conflicts INTEGER NOT NULL DEFAULT 0,"                           \
    " moved INTEGER NOT NULL DEFAULT 0, copied INTEGER NOT NULL DEFAULT 0,"                                  \
    " uploaded INTEGER NOT NULL DEFAULT 0, expunged INTEGER NOT NULL DEFAULT 0,"                             \
    " removed INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0"
static const char version_3[] =
    "CREATE TABLE sync_total (account INTEGER NOT NULL, folder INTEGER NOT NULL, since INTEGER NOT NULL DEFAULT 0,"
    " last_in INTEGER NOT NULL DEFAULT 0, last_out INTEGER NOT NULL DEFAULT 0, missing INTEGER NOT NULL DEFAULT 0,"
    HISTORY_COLUMNS ", PRIMARY KEY (account, folder)) WITHOUT ROWID;"
    "CREATE TABLE sync_event (id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, folder INTEGER NOT NULL,"
    " time INTEGER NOT NULL, kind INTEGER NOT NULL, message INTEGER NOT NULL DEFAULT 0, text TEXT," HISTORY_COLUMNS ");"
    "CREATE INDEX sync_event_folder ON sync_event (account, folder, kind);";

/* Accounts whose folders are on no server, and what lies in their POP3 mailbox (maildrop.h). */
static const char version_4[] =
    "ALTER TABLE account ADD COLUMN local INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE maildrop (id INTEGER PRIMARY KEY, account INTEGER NOT NULL, uidl TEXT NOT NULL,"
    " nth INTEGER NOT NULL, size INTEGER NOT NULL, loose INTEGER NOT NULL DEFAULT 0, message INTEGER NOT NULL,"
    " mid BLOB, date INTEGER NOT NULL, hash BLOB, since INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX maildrop_uidl ON maildrop (account, uidl, nth);"
    "CREATE INDEX maildrop_message ON maildrop (message);"
    "CREATE INDEX maildrop_hash ON maildrop (hash) WHERE hash IS NOT NULL;"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES"
    " ('maildrop', 'maildrop_uidl', '10000 5000 1 1'), ('maildrop', 'maildrop_message', '10000 1'),"
    " ('maildrop', 'maildrop_hash', '10000 1');"
    "ANALYZE sqlite_schema;";

/* Who a folder is whatever it is called (RFC 8474), and messages that the server did not give (withheld.h). */
static const char version_5[] =
    "ALTER TABLE folder ADD COLUMN mailbox_id TEXT;"
    "CREATE TABLE withheld (placement INTEGER PRIMARY KEY, attempts INTEGER NOT NULL, next_attempt INTEGER NOT NULL,"
    " reason TEXT NOT NULL);";

/* What leaves a folder is looked for in every pass, and is hardly ever there. */
static const char version_6[] =
    "CREATE INDEX placement_leaving ON placement (folder) WHERE state = 1;"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('placement', 'placement_leaving', '500 50');"
    "ANALYZE sqlite_schema;";

/* What the log of tags says of messages that have not come back (taglog.h). */
static const char version_7[] =
    "CREATE TABLE tag_memory (id INTEGER PRIMARY KEY, mid BLOB, hash BLOB, added TEXT NOT NULL, removed TEXT NOT NULL);"
    "CREATE INDEX tag_memory_mid ON tag_memory (mid);"
    "CREATE INDEX tag_memory_hash ON tag_memory (hash);";

/* Envelopes whose words are put into the full text when their body comes, or when there is time. And the full text
 * collects more in memory before it writes. */
static const char version_8[] =
    "CREATE TABLE unindexed (key INTEGER PRIMARY KEY, message INTEGER NOT NULL, sender TEXT NOT NULL,"
    " recipients TEXT NOT NULL);"
    "INSERT INTO fulltext (fulltext, rank) VALUES ('hashsize', 8388608);";

/* Messages that have just come, and what the stages of arrival found (arrival.h). Reports that the scan of old had not
 * seen yet (bit 16) are the first. */
static const char add_arrival[] =
    "CREATE TABLE arrival (message INTEGER PRIMARY KEY, account INTEGER NOT NULL, stage TEXT,"
    " attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE verdict (message INTEGER NOT NULL, stage TEXT NOT NULL, value TEXT NOT NULL, time INTEGER NOT NULL,"
    " PRIMARY KEY (message, stage)) WITHOUT ROWID;"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('verdict', 'verdict', '1000000 3 1');"
    "INSERT OR IGNORE INTO arrival (message, account) SELECT m.id, f.account FROM message m"
    " JOIN placement p ON p.message = m.id JOIN folder f ON f.id = p.folder WHERE m.cached = 1 AND m.bits & 16 AND m.changed >"
    " (SELECT CAST(value AS INTEGER) FROM index_state WHERE name = 'bounce.sequence')"
    " AND NOT EXISTS (SELECT 1 FROM index_state i WHERE i.name = 'bounce.' || m.id);"
    "DELETE FROM index_state WHERE name GLOB 'bounce.*';"
    "ANALYZE sqlite_schema;";

/* What rules did (filing.h). */
static const char add_filing[] =
    "CREATE TABLE filing (id INTEGER PRIMARY KEY, message INTEGER NOT NULL, time INTEGER NOT NULL, rule TEXT NOT NULL,"
    " action TEXT NOT NULL, error TEXT);"
    "CREATE INDEX filing_message ON filing (message);"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('filing', 'filing_message', '50000 2');"
    "ANALYZE sqlite_schema;";

/* Actions on many messages, carried out slice by slice (bulk.h). */
static const char add_bulk[] =
    "CREATE TABLE bulk (id INTEGER PRIMARY KEY AUTOINCREMENT, journal INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " source INTEGER NOT NULL, target INTEGER NOT NULL, set_flags INTEGER NOT NULL, clear_flags INTEGER NOT NULL,"
    " add_tags TEXT, remove_tags TEXT);"
    "CREATE TABLE bulk_slice (id INTEGER PRIMARY KEY, bulk INTEGER NOT NULL, n INTEGER NOT NULL, messages BLOB NOT NULL);"
    "CREATE INDEX bulk_slice_bulk ON bulk_slice (bulk);"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('bulk_slice', 'bulk_slice_bulk', '500 500');"
    "ANALYZE sqlite_schema;";

/* Senders that are blocked or allowed (sender.h). */
static const char add_sender[] =
    "CREATE TABLE sender (kind INTEGER NOT NULL, what TEXT NOT NULL, word INTEGER NOT NULL, time INTEGER NOT NULL,"
    " PRIMARY KEY (kind, what)) WITHOUT ROWID;"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('sender', 'sender', '500 200 1');"
    "ANALYZE sqlite_schema;";

/* Lists that were left (unsubscribed.h). */
static const char add_unsubscribed[] =
    "CREATE TABLE unsubscribed (list TEXT PRIMARY KEY, how TEXT NOT NULL, time INTEGER NOT NULL, message INTEGER NOT NULL)"
    " WITHOUT ROWID;";

/* Conversations put right by hand, and silenced (conversation.h). */
static const char add_thread_hand[] =
    "CREATE TABLE thread_hand (child BLOB PRIMARY KEY, parent BLOB) WITHOUT ROWID;"
    "ALTER TABLE thread ADD COLUMN muted INTEGER NOT NULL DEFAULT 0;"
    "UPDATE thread SET muted = 1 WHERE id IN (SELECT m.thread FROM tag t JOIN message m ON m.id = t.message WHERE t.tag = 'muted');"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('thread_hand', 'thread_hand', '100 1');"
    "ANALYZE sqlite_schema;";

/* What came back about sent mail (delivery.h). */
static const char add_delivery[] =
    "CREATE TABLE delivery (message INTEGER NOT NULL, report INTEGER NOT NULL, address TEXT NOT NULL, kind TEXT NOT NULL,"
    " status TEXT, text TEXT, time INTEGER NOT NULL, PRIMARY KEY (message, report, address)) WITHOUT ROWID;"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('delivery', 'delivery', '5000 2 1 1');"
    "ANALYZE sqlite_schema;";

/* How full mailboxes are (quota.h). */
static const char add_quota[] =
    "CREATE TABLE quota (account INTEGER NOT NULL, root TEXT NOT NULL, resource TEXT NOT NULL, used INTEGER NOT NULL,"
    " most INTEGER NOT NULL, PRIMARY KEY (account, root, resource)) WITHOUT ROWID;";

/* The text of a large message that was opened, until the whole has come (message.h). */
static const char add_excerpt[] = "ALTER TABLE wanted ADD COLUMN excerpt BLOB;";

/* Bodies that are here and have not been read (texts.h). */
static const char add_textless[] =
    "CREATE TABLE textless (account INTEGER NOT NULL, key INTEGER NOT NULL, message INTEGER NOT NULL,"
    " PRIMARY KEY (account, key)) WITHOUT ROWID;"
    TEXTS_MISSED ";"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('textless', 'textless', '10000 5000 1');"
    "ANALYZE sqlite_schema;";

/* Figures that were counted already (stats.h). */
static const char add_stats[] =
    "CREATE TABLE stats_month (month INTEGER PRIMARY KEY, count INTEGER NOT NULL, keys INTEGER NOT NULL,"
    " figures BLOB NOT NULL);"
    "CREATE TABLE stats_folder (folder INTEGER PRIMARY KEY, count INTEGER NOT NULL, keys INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);";

/* What the learning filter was taught (lesson.h), in place of the rooms that were kept for it. */
static const char add_lesson[] =
    "DROP TABLE spam_token; DROP TABLE spam_trained;"
    "CREATE TABLE lesson (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, junk INTEGER NOT NULL, time INTEGER NOT NULL,"
    " score REAL NOT NULL, weights BLOB NOT NULL, tokens BLOB);"
    "CREATE UNIQUE INDEX lesson_hash ON lesson (hash);"
    "CREATE TABLE lesson_forgotten (word TEXT PRIMARY KEY) WITHOUT ROWID;"
    "INSERT INTO counter VALUES ('lessons', 0);"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('lesson', 'lesson_hash', '20000 1');"
    "ANALYZE sqlite_schema;";

/* Whose Authentication-Results were true (results_host.h). */
static const char add_results_host[] =
    "CREATE TABLE results_host (account INTEGER NOT NULL, host TEXT NOT NULL, agreed INTEGER NOT NULL DEFAULT 0,"
    " lies INTEGER NOT NULL DEFAULT 0, spf INTEGER NOT NULL DEFAULT 0, dkim INTEGER NOT NULL DEFAULT 0,"
    " dmarc INTEGER NOT NULL DEFAULT 0, arc INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account, host)) WITHOUT ROWID;"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('results_host', 'results_host', '200 100 1');"
    "ANALYZE sqlite_schema;";

/* Where the folders of an account are the user's own Maildirs (tree.h). */
static const char add_tree[] = "ALTER TABLE account ADD COLUMN tree TEXT;"
                               "ALTER TABLE account ADD COLUMN tree_flat INTEGER NOT NULL DEFAULT 0;";

/* The full text: FTS5 has no copy of the texts, which are kept packed (pack.h), and the body is its first column, whose places
 * it writes the shortest. What the old one had goes over later (fulltext_before.c). Eight segments are merged at once: each
 * word is written anew less often. */
static const char add_message_text[] =
    "ALTER TABLE fulltext RENAME TO fulltext_before;"
    "CREATE TABLE message_text (key INTEGER PRIMARY KEY, subject TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,"
    " attachments TEXT NOT NULL, types TEXT NOT NULL, body NOT NULL);"
    "CREATE VIEW message_text_unpacked AS SELECT key, unpacked(body) AS body, subject, sender, recipients, attachments, types"
    " FROM message_text;"
    "CREATE VIRTUAL TABLE fulltext USING fts5 (body, subject, sender, recipients, attachments, types,"
    " content = 'message_text_unpacked', content_rowid = 'key', tokenize = 'postrider', columnsize = 0);"
    "INSERT INTO fulltext (fulltext, rank) VALUES ('hashsize', 8388608);"
    "INSERT INTO fulltext (fulltext, rank) VALUES ('automerge', 8);";

/* Who is known, by organisation and by what a name looks like (known.h). */
static const char add_known[] =
    "ALTER TABLE contact ADD COLUMN owner TEXT;"
    "ALTER TABLE contact ADD COLUMN looks TEXT;"
    "CREATE TABLE known_owner (owner TEXT PRIMARY KEY, looks TEXT NOT NULL, vouched INTEGER NOT NULL DEFAULT 0,"
    " junk INTEGER NOT NULL DEFAULT 0, good INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "UPDATE contact SET owner = owner_of(addr_key), looks = looks_of(name);"
    "INSERT INTO known_owner (owner, looks) SELECT DISTINCT owner, looks_of(owner) FROM contact WHERE owner IS NOT NULL;"
    "CREATE INDEX known_owner_looks ON known_owner (looks);"
    "CREATE INDEX contact_owner ON contact (owner);"
    "CREATE INDEX contact_looks ON contact (looks) WHERE looks IS NOT NULL;"
    "CREATE INDEX contact_written ON contact (owner) WHERE sent > 0;"
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('contact', 'contact_owner', '20000 8'),"
    " ('contact', 'contact_looks', '15000 2'), ('contact', 'contact_written', '1000 4'),"
    " ('known_owner', 'known_owner', '3000 1'), ('known_owner', 'known_owner_looks', '3000 1');"
    "ANALYZE sqlite_schema;";

/* Messages whose files are about to get other names (renaming.h). */
static const char add_renaming[] =
    "CREATE TABLE renaming (placement INTEGER PRIMARY KEY, folder INTEGER NOT NULL, flags INTEGER NOT NULL);";

/* In the order in which they came; the version of a store is how many it has had. */
static const char *const migrations[] = {
    version_1,
    version_2,
    version_3,
    version_4,
    version_5,
    version_6,
    version_7,
    version_8,
    add_arrival,
    add_filing,
    add_bulk,
    add_sender,
    add_unsubscribed,
    add_thread_hand,
    add_delivery,
    add_quota,
    add_excerpt,
    add_textless,
    add_stats,
    add_lesson,
    add_results_host,
    add_tree,
    add_message_text,

    add_known,
    add_renaming,
};

int
schema_version(void)
{
    return G_N_ELEMENTS(migrations);
}

gboolean
schema_migrate(struct store *store, GError **error)
{
    gint64 version = sql_int(store, 0, "PRAGMA user_version", "");
    if (version == schema_version())
        return TRUE;
    if (!store_begin(store, error))
        return FALSE;
    version = sql_int(store, 0, "PRAGMA user_version", ""); /* another process may have been faster */
    if (version > schema_version()) {
        store_rollback(store);
        return TRUE; /* said by the caller */
    }
    for (gint64 i = version; i < schema_version(); i++) {
        log_info("store.schema", "version %d -> %d", (int)i, (int)i + 1);
        if (STEP_FAILS("store.migrate")) {
            error_set_errno(error, STORE_ERROR, errno, "cannot bring the mail store %s forward", store->dir);
            store_rollback(store);
            return FALSE;
        }
        if (!sql_script(store, migrations[i], error)) {
            store_rollback(store);
            return FALSE;
        }
    }
    g_autofree char *mark = g_strdup_printf("PRAGMA user_version = %d", schema_version());
    if (!sql_script(store, mark, error)) {
        store_rollback(store);
        return FALSE;
    }
    return store_commit(store, error);
}
