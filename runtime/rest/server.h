/* server.h: the REST API over HTTP (libmicrohttpd): one thread, one loop. Requests that came together share one sync of
 * the log; none is answered before what it changed, or saw, is durable.
 *
 * What a client may use is bounded: the length of target, headers and body, the number of connections, the time for one
 * request. Requests of browsers' pages are refused: a content type that is not JSON's, an Origin, and, where the server
 * listens on this machine alone, a Host that is another. */
#ifndef FLEC_RUNTIME_REST_SERVER_H
#define FLEC_RUNTIME_REST_SERVER_H

#include "runtime/rest/rest.h"
#include "runtime/stream.h"

enum {
    RT_SERVER_IDLE_S = 30,         /* without a request a connection is closed */
    RT_SERVER_REQUEST_S = 60,      /* from the connection, or the answer before, to the end of a request */
    RT_SERVER_STOP_S = 5,          /* what is in flight may take that long after a signal */
    RT_SERVER_MEMORY = 32 * 1024,  /* of one connection: request line and headers */
    RT_SERVER_CONNECTIONS = 12000, /* or what RLIMIT_NOFILE leaves */
};

typedef struct rt_server rt_server;

/* listen: ADDRESS:PORT, localhost:PORT, [ADDRESS]:PORT; port 0: any. RT_IO: it cannot be listened on. The store is
 * the caller's, and must outlive the server. */
rt_code rt_server_open(const char *listen, rt_store *store, rt_server **out, rt_error *err);
const char *rt_server_address(const rt_server *s); /* with the real port */
/* Until stop says so (then what is in flight is finished) or the store can no longer be written (RT_IO). */
rt_code rt_server_run(rt_server *s, const rt_stop *stop, rt_error *err);
void rt_server_close(rt_server *s);

#endif
