/* gate.h: who is let in: what a request must look like before its body is read, the client's certificate, name and
 * password. Between the server and everything that knows users. */
#ifndef FLEC_RUNTIME_REST_GATE_H
#define FLEC_RUNTIME_REST_GATE_H

#include <microhttpd.h>

#include "runtime/rest/tls.h"
#include "runtime/rest/users.h"

typedef struct rt_gate {
    const rt_tls *tls;     /* NULL: plain HTTP */
    rt_users *users;       /* NULL: there is no users file */
    const rt_roles *roles; /* NULL: there are no bindings */
    rt_guesses *guesses;
    bool local; /* the server listens on loopback alone */
} rt_gate;

typedef enum {
    RT_GATE_OPEN,  /* visit->access says who it is, NULL: there are no users */
    RT_GATE_SHUT,  /* visit->status, why and the headers below are the answer */
    RT_GATE_CHECK, /* rt_users_check of name and password takes its time; then rt_gate_checked */
} rt_gate_says;

typedef struct rt_visit {      /* of one request */
    rt_access access, *let_in; /* let_in: NULL or &access */
    rt_user own;               /* one who is in no users file */
    char name[RT_TLS_NAME];
    fl_secret password; /* while it is to be checked */
    int status;         /* HTTP's, or the vendor's number */
    const char *why;
    int retry_after; /* seconds; 0: no such header */
    bool challenge;  /* WWW-Authenticate */
} rt_visit;

rt_gate_says rt_gate_ask(rt_gate *g, struct MHD_Connection *c, const char *method, int64_t now_ms, rt_visit *v);
rt_gate_says rt_gate_checked(rt_gate *g, struct MHD_Connection *c, bool right, int64_t now_ms, rt_visit *v);
void rt_visit_free(rt_visit *v);

/* Has this server users at all? */
bool rt_gate_users(const rt_gate *g);

#endif
