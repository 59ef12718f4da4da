/* server.h: the REST API over HTTP and HTTPS (libmicrohttpd): one loop, on one thread, which alone touches the store;
 * passwords are checked and key services called by a few threads beside it. Requests that came together share one sync
 * of the log; none is answered before what it changed, or saw, is durable.
 *
 * What a client may use is bounded: the length of target, headers and body, the number of connections, the time for one
 * request. Requests of browsers' pages are refused: a content type that is not JSON's, an Origin, and, where the server
 * listens on this machine alone, a Host that is another. */
#ifndef FLEC_RUNTIME_REST_SERVER_H
#define FLEC_RUNTIME_REST_SERVER_H

#include "runtime/rest/rest.h"
#include "runtime/rest/tls.h"
#include "runtime/rest/users.h"
#include "runtime/stream.h"

enum {
    RT_SERVER_IDLE_S = 30,         /* without a request a connection is closed */
    RT_SERVER_REQUEST_S = 60,      /* from the connection, or the answer before, to the end of a request */
    RT_SERVER_CALL_S = 40,         /* a request waits that long for a key service */
    RT_SERVER_STOP_S = 5,          /* what is in flight may take that long after a signal */
    RT_SERVER_MEMORY = 36 * 1024,  /* of one connection: request line and headers. Above 32 KiB libmicrohttpd maps it,
                                      so that it goes back to the system when the connection ends */
    RT_SERVER_CONNECTIONS = 12000, /* or what RLIMIT_NOFILE leaves */
};

typedef struct rt_server rt_server;

typedef struct rt_server_options {
    const char *listen; /* ADDRESS:PORT, localhost:PORT, [ADDRESS]:PORT; port 0: any */
    rt_store *store;
    const rt_tls *tls;     /* NULL: plain HTTP */
    rt_users *users;       /* who logs in by name and password; NULL: nobody */
    const rt_roles *roles; /* what those with a name may do; NULL: nothing, but for admins */
    bool anybody;          /* may listen beyond this machine without TLS and users */
} rt_server_options;

/* RT_IO: it cannot be listened on; RT_REFUSED: it would be open to others. Store, users, roles and tls are the caller's
 * and must outlive the server. There are users where there are names and passwords or a CA for clients. */
rt_code rt_server_start(const rt_server_options *o, rt_server **out, rt_error *err);

/* The same without TLS and users. */
rt_code rt_server_open(const char *listen, rt_store *store, rt_server **out, rt_error *err);
const char *rt_server_address(const rt_server *s); /* with the real port */
/* Until stop says so (then what is in flight is finished) or the store can no longer be written (RT_IO). */
rt_code rt_server_run(rt_server *s, const rt_stop *stop, rt_error *err);
void rt_server_close(rt_server *s);

#endif
