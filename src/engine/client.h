/* client.h - the engine, seen from the screen and the commands
 *
 * One engine a user (a store) answers on a Unix socket (paths_engine_socket()). A client sends requests and
 * receives events; both are records (base/record.h) of the type ENGINE_RECORD_TYPE: a verb and named values.
 * A client never waits for the network through this: a request returns when it is in the socket.
 *
 * Requests:
 *   wake       the store has new intents or queued mail: carry them out soon
 *   sync       accounts as, dry-run b, folder s: one pass (all when empty; a folder: that one alone); answered by
 *              "done" with the request's id
 *   flush      deliver what waits in the queue now, whatever its next attempt; answered by "done"
 *   search     text s, everything b: asks the servers for mail whose body is not here (sync_find()); "found" events, then
 *              answered by "done"
 *   fetch      message x: its body is wanted now; "changed" tells when it is here, "done" when it cannot be had
 *   sieve      accounts as, replace b: their rules as the server's script; answered by "done"
 *   unsubscribe  message x: one click (trust/unsubscribe.h); answered by "done"
 *   password   account s, secret s: the answer to "need-password"
 *   pause      account s, b: what store/standing.h was told of it (account_set_paused)
 *   watch      account s, folder s: the folder on the screen, to be looked at more often
 *   status     asks for a "state" event of each account
 *   online     b: FALSE: work off line until told otherwise
 *   attach     poll b: what kind of client this is (engine_client_new sends it)
 *   stop       the engine ends
 *
 * Events:
 *   hello      version s, pid u
 *   state      account s, state s (idle|syncing|offline|password|error|paused), text s, synced x (time of the last pass)
 *   progress   account s, folder s, phase s, done t, total t
 *   changed    the store changed: read again what is shown
 *   need-password  account s, text s
 *   notice     account s, text s: one line for a person
 *   found      account s, text s, messages ax: of a search, what fits in a folder
 *   planned    account s, folder s, direction s (in|out), action s, count t, text s: an action of a dry run
 *   done       id u, ok b, code i (exit code), text s
 *
 * One thread uses a client. The caller owns it and the events it takes.
 */
#ifndef ENGINE_CLIENT_H
#define ENGINE_CLIENT_H

#include <glib.h>

#define ENGINE_ERROR (engine_error_quark())
GQuark engine_error_quark(void);

#define ENGINE_RECORD_TYPE "(sua{sv})" /* verb, id (0: none), values */
#define ENGINE_RECORD_MAX (1024 * 1024)

struct engine_client;

enum engine_start {
    ENGINE_RUNNING, /* fail with ERROR_RETRY when none runs */
    ENGINE_START /* start one when none runs: it ends when its clients are gone and nothing waits to be sent
                  */
};

/* Connects; with ENGINE_START starts an engine first when none runs (detached, it lives on its own). `poll`:
 * this client wants the servers to be looked at while it is connected (the screen does). Waits for a start, a
 * fraction of a second. */
struct engine_client *engine_client_new(enum engine_start start, gboolean poll, GError **error);
void engine_client_free(struct engine_client *client);

/* For the main loop: readable when engine_client_next() has something. */
int engine_client_fd(const struct engine_client *client);

/* `values` is an a{sv} builder or NULL. Returns the request's id, 0 on error (then the client is dead:
 * reconnect). */
guint engine_client_send(struct engine_client *client, const char *verb, GVariantDict *values,
                         GError **error);
/* Shorthands. */
gboolean engine_client_wake(struct engine_client *client);
guint engine_client_sync(struct engine_client *client, const char *const *accounts, GError **error);
guint engine_client_fetch(struct engine_client *client, gint64 message, GError **error);
guint engine_client_search(struct engine_client *client, const char *text, gboolean everything, GError **error);
gboolean engine_client_pause(struct engine_client *client, const char *account, gboolean paused, GError **error);
gboolean engine_client_password(struct engine_client *client, const char *account, const char *secret,
                                GError **error);

struct engine_event {
    char *verb;
    guint id;
    GVariant *values; /* a{sv} */
};
void engine_event_free(struct engine_event *event);
/* "" / 0 / FALSE when there is no such value. The string is borrowed from the event. */
const char *engine_event_string(const struct engine_event *event, const char *key);
gint64 engine_event_int(const struct engine_event *event, const char *key);
gboolean engine_event_bool(const struct engine_event *event, const char *key);
/* Appends the numbers of an array (GArray of gint64). */
void engine_event_numbers(const struct engine_event *event, const char *key, GArray *numbers);

/* The next event that is here, NULL without an error when there is none yet; an error when the engine is
 * gone. */
struct engine_event *engine_client_next(struct engine_client *client, GError **error);
/* Waits for one, at most `ms` milliseconds (-1: no limit); NULL without an error on the limit. */
struct engine_event *engine_client_wait(struct engine_client *client, int ms, GError **error);

/* For a command that has written intents or queued mail: wakes the engine that runs, or starts one that does
 * the work and ends. A failure is logged only (FALSE): what was written is safe in the store, and the next engine
 * carries it out. */
gboolean engine_kick(void);

typedef struct engine_client struct_engine_client;
typedef struct engine_event struct_engine_event;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_engine_client, engine_client_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(struct_engine_event, engine_event_free)

#endif
