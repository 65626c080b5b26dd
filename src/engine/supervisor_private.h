/* supervisor_private.h - inside engine/: the supervisor's own data, shared by its files
 *
 * supervisor.c begins and ends it and follows the configuration; supervisor_clients.c has the clients and the
 * answers to their requests; supervisor_verbs.c what they can ask for. One thread, one main loop.
 */
#ifndef ENGINE_SUPERVISOR_PRIVATE_H
#define ENGINE_SUPERVISOR_PRIVATE_H

#include "engine/supervisor.h"
#include "engine/child.h"
#include "base/record.h"
#include "config/config.h"

#include <time.h>

struct supervisor {
    struct supervisor_options options;
    GMainLoop *loop;
    int lock_fd, listen_fd;
    char *socket_path;
    struct config *config;
    struct timespec config_time;
    GPtrArray *clients;  /* of struct client */
    GPtrArray *accounts; /* of struct child */
    struct child *index;
    GHashTable *requests; /* id of ours -> struct request */
    GHashTable *states;   /* account -> last "state" values */
    guint last_id, end_timer, leaving;
    gint64 alone; /* since when there is no client, 0: there is one */
    gboolean polling, ending;
    int exit_code;
};

struct client {
    struct supervisor *supervisor;
    int fd;
    struct record_queue *queue;
    guint readable, writable;
    gboolean poll;
};

/* One request of a client, given to one or more workers. */
struct request {
    struct client *client; /* NULL: it went away */
    guint id;              /* the client's */
    guint waiting;         /* answers to come */
    gboolean ok;
    int code;
    GString *text;
};

/* supervisor.c */
struct child *supervisor_find_account(struct supervisor *sup, const char *name);
void supervisor_update_polling(struct supervisor *sup);
/* Reads the configuration when it changed on the disk, and starts and stops workers to match. */
void supervisor_follow_config(struct supervisor *sup);
void supervisor_consider_end(struct supervisor *sup);
void supervisor_end(struct supervisor *sup);

/* supervisor_clients.c */
void client_free(gpointer client);
/* Sends to one; `values` (a{sv} or NULL) is taken when floating. A client that does not read is dropped. */
void client_send(struct client *client, const char *verb, guint id, GVariant *values);
void supervisor_tell_all(struct supervisor *sup, const char *verb, GVariant *values);
void client_answer(struct client *client, guint id, gboolean ok, int code, const char *text);
/* Gives the request to these workers (borrowed); each answers with "done" under an id of ours, all of which
 * share it. */
void client_distribute(struct client *client, guint id, const char *verb, GPtrArray *children,
                       GVariant *values);
void supervisor_worker_done(struct supervisor *sup, struct child *child, guint id, GVariant *values);
gboolean supervisor_accept(int fd, GIOCondition condition, gpointer supervisor);

/* supervisor_verbs.c */
void client_record(struct client *client, GVariant *record);

#endif
