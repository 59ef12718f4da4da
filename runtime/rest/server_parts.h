/* server_parts.h: what the files of the server share: server.c (the loop), server_request.c (one request),
 * server_work.c (what other threads do for it). All of it belongs to the thread of the loop. */
#ifndef FLEC_RUNTIME_REST_SERVER_PARTS_H
#define FLEC_RUNTIME_REST_SERVER_PARTS_H

#include "runtime/rest/answers.h"
#include "runtime/rest/gate.h"
#include "runtime/rest/listen.h"
#include "runtime/rest/pool.h"
#include "runtime/rest/server.h"

#if MHD_VERSION >= 0x00097002
typedef enum MHD_Result rt_answer;
#else
typedef int rt_answer;
#endif

/* A connection, in the list of all of them. */
typedef struct peer {
    struct peer *next, *before;
    int fd;
    int64_t since; /* ms: it was opened, or its last request was answered */
} peer;

typedef enum {
    REQUEST_NEW,      /* its headers are there */
    REQUEST_CHECKING, /* a thread looks at the password */
    REQUEST_PASSED,   /* and it was right: the library says once more that the headers are there */
    REQUEST_LET_IN,   /* its body comes */
    REQUEST_CALLING,  /* a thread calls a key service */
    REQUEST_ANSWERED  /* `reply` holds the answer */
} request_stage;

/* A request, from its first line to the end of its answer. */
typedef struct request {
    struct rt_server *server;
    struct MHD_Connection *connection;
    char *target;
    request_stage stage;
    bool over;     /* the body is too long */
    size_t wasted; /* bytes that came after that */
    fl_buf body;
    rt_visit visit;
    rt_kms_later later;
    int steps; /* of key services, until now */
    struct task *task;
    rt_rest_reply reply;
    struct request *waiting; /* for the next sync */
} request;

struct rt_server {
    rt_store *store;
    struct MHD_Daemon *daemon;
    rt_answers *answers;
    rt_listening listening;
    rt_gate gate;
    peer *peers;
    request *waiting;
    size_t in_flight;
    int wake; /* eventfd: a thread is done */
    rt_pool *logins, *calls;
    struct task *tasks; /* those that a request waits for */
    size_t calling;     /* calls of key services that are under way or wait for a thread */
};

int64_t server_now(void); /* ms, monotonic */

/* server_request.c */
void *server_on_target(void *cls, const char *target, struct MHD_Connection *connection);
void server_on_completed(void *cls, struct MHD_Connection *connection, void **request_cls,
                         enum MHD_RequestTerminationCode why);
rt_answer server_on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *upload, size_t *size, void **request_cls);
/* One sync for all that wait for it; then their answers go out. */
rt_code server_settle(rt_server *s, rt_error *err);

/* server_work.c: false: too much is waiting already. The connection is suspended until it is done. */
bool server_check(request *q);
bool server_call(request *q, rt_kms_step *step);
void server_collect(rt_server *s);              /* lets those go on whose work is done */
void server_give_up(rt_server *s, int64_t age); /* answers those that have been waiting for so many ms */
void server_end_work(rt_server *s);             /* no request waits any more; waits for the threads */

#endif
