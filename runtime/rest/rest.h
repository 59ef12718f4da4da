/* rest.h: the REST API of the vendor's Schema Registry and DEK Registry over the embedded registry (docs/serve.md):
 * one call in, one answer out, whatever carries it. The server (server.h) is one carrier; tests and the fuzzer call it
 * directly. */
#ifndef FLEC_RUNTIME_REST_H
#define FLEC_RUNTIME_REST_H

#include "runtime/rest/roles.h"
#include "runtime/store.h"

#define RT_REST_BODY_MAX   ((size_t)16 << 20) /* bytes of a request's body */
#define RT_REST_TARGET_MAX 16384              /* of its path and query */
#define RT_REST_ANSWER_MAX ((size_t)512 << 20)

typedef struct rt_rest_request {
    const char *method; /* GET, POST, PUT, DELETE */
    const char *target; /* path and query as they were sent, percent-encoded */
    const char *body;   /* NULL: none */
    size_t n;
    const rt_access *access;    /* NULL: may do everything */
    struct rt_answers *answers; /* answers.h; NULL: none are remembered */
} rt_rest_request;

/* body: the caller wipes and frees it (keys of shared KEKs may stand in it). */
typedef struct rt_rest_reply {
    int status;
    const char *type; /* Content-Type; NULL: no body */
    fl_buf body;
} rt_rest_reply;

/* Never fails: what goes wrong is an answer, too. The arena is for this call alone. */
void rt_rest_handle(rt_store *st, fl_arena *a, const rt_rest_request *request, rt_rest_reply *out);
/* An answer that says what is wrong, with HTTP's own number, or the vendor's (40301). */
void rt_rest_refuse(rt_rest_reply *out, int status, const char *message);

#endif
