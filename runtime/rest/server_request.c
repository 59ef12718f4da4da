/* server_request.c: one request: who it is from, its body, its answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/rest/server_parts.h"

enum { STEPS_MOST = 4 }; /* calls of key services for one request */

void *server_on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    rt_server *s = cls;
    request *q = fl_xcalloc(1, sizeof *q);
    q->server = s;
    q->target = fl_xstrdup(target);
    q->connection = connection;
    fl_buf_init(&q->body, RT_REST_BODY_MAX);
    s->in_flight++;
    return q;
}

static void forget_waiting(rt_server *s, const request *q)
{
    for (request **at = &s->waiting; *at; at = &(*at)->waiting)
        if (*at == q) {
            *at = q->waiting;
            return;
        }
}

void server_on_completed(void *cls, struct MHD_Connection *connection, void **request_cls,
                         enum MHD_RequestTerminationCode why)
{
    rt_server *s = cls;
    request *q = *request_cls;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info && info->socket_context)
        ((peer *)info->socket_context)->since = server_now();
    if (!q)
        return;
    forget_waiting(s, q);
    rt_visit_free(&q->visit);
    rt_kms_step_free(q->later.done);
    fl_buf_wipe(&q->body);
    fl_buf_wipe(&q->reply.body);
    free(q->target);
    free(q);
    *request_cls = NULL;
    s->in_flight--;
}

/* ---- answers ---- */

static void free_answer(void *cls)
{
    fl_buf *b = cls;
    fl_buf_wipe(b);
    free(b);
}

static void add_headers(const request *q, struct MHD_Response *r)
{
    char seconds[16];
    if (q->reply.type)
        MHD_add_response_header(r, "Content-Type", q->reply.type);
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    if (q->visit.challenge)
        MHD_add_response_header(r, "WWW-Authenticate", "Basic realm=\"flec\", charset=\"UTF-8\"");
    if (!q->visit.retry_after)
        return;
    snprintf(seconds, sizeof seconds, "%d", q->visit.retry_after);
    MHD_add_response_header(r, "Retry-After", seconds);
}

static rt_answer send_reply(request *q)
{
    fl_buf *b = fl_xmalloc(sizeof *b);
    *b = q->reply.body;
    fl_buf_init(&q->reply.body, 0);
    struct MHD_Response *r = MHD_create_response_from_buffer_with_free_callback_cls(b->len, b->p, free_answer, b);
    if (!r) {
        free_answer(b);
        return MHD_NO;
    }
    add_headers(q, r);
    rt_answer result = MHD_queue_response(q->connection, (unsigned)q->reply.status, r);
    MHD_destroy_response(r);
    return result;
}

static rt_answer refuse(request *q, int status, const char *why)
{
    rt_rest_refuse(&q->reply, status, why);
    return send_reply(q);
}

static rt_answer busy(request *q)
{
    q->visit.retry_after = 1;
    return refuse(q, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is busy");
}

/* ---- the way through ---- */

static rt_answer arrive(request *q, const char *method)
{
    rt_visit *v = &q->visit;
    switch (rt_gate_ask(&q->server->gate, q->connection, method, server_now(), v)) {
    case RT_GATE_OPEN:
        q->stage = REQUEST_LET_IN;
        return MHD_YES;
    case RT_GATE_CHECK:
        q->stage = REQUEST_CHECKING;
        return server_check(q) ? MHD_YES : busy(q);
    default:
        return refuse(q, v->status, v->why);
    }
}

static void await_sync(request *q)
{
    q->waiting = q->server->waiting;
    q->server->waiting = q;
    MHD_suspend_connection(q->connection);
}

static rt_answer handle(request *q, const char *method)
{
    rt_store *st = q->server->store;
    fl_arena *a = fl_arena_new();
    rt_rest_request call = {.method = method,
                            .target = q->target,
                            .body = q->body.len ? q->body.p : NULL,
                            .n = q->body.len,
                            .access = q->visit.let_in,
                            .answers = q->server->answers};
    st->later = &q->later;
    rt_rest_handle(st, a, &call, &q->reply);
    st->later = NULL;
    fl_arena_free(a);
    rt_kms_step *wanted = q->later.wanted;
    q->later.wanted = NULL;
    if (!wanted) {
        q->stage = REQUEST_ANSWERED;
        if (!rt_store_pending(st))
            return send_reply(q);
        await_sync(q);
        return MHD_YES;
    }
    fl_buf_wipe(&q->reply.body);
    if (++q->steps > STEPS_MOST) {
        rt_kms_step_free(wanted);
        return refuse(q, 50002, "the key changed again and again while its key service was called");
    }
    q->stage = REQUEST_CALLING;
    return server_call(q, wanted) ? MHD_YES : busy(q);
}

rt_answer server_on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *upload, size_t *size, void **request_cls)
{
    request *q = *request_cls;
    if (!q)
        return MHD_NO;
    switch (q->stage) {
    case REQUEST_NEW:
        return arrive(q, method);
    case REQUEST_CHECKING:
        return refuse(q, q->visit.status, q->visit.why);
    case REQUEST_ANSWERED:
        return send_reply(q);
    case REQUEST_CALLING:
        return MHD_YES;
    case REQUEST_PASSED:
        q->stage = REQUEST_LET_IN;
        return MHD_YES;
    default:
        break;
    }
    if (*size) {
        q->over |= !fl_buf_add(&q->body, upload, *size);
        q->wasted += q->over ? *size : 0;
        *size = 0;
        return q->wasted > RT_REST_BODY_MAX ? MHD_NO : MHD_YES; /* it may end soon, and be told; it need not end */
    }
    if (q->over)
        return refuse(q, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
    return handle(q, method);
}

rt_code server_settle(rt_server *s, rt_error *err)
{
    if (!s->waiting)
        return RT_OK;
    rt_code code = rt_store_flush(s->store, err);
    for (request *q = s->waiting, *next; q; q = next) {
        next = q->waiting;
        q->waiting = NULL;
        if (code != RT_OK) {
            fl_buf_wipe(&q->reply.body);
            rt_rest_refuse(&q->reply, MHD_HTTP_INTERNAL_SERVER_ERROR, "the registry can no longer be written");
        }
        MHD_resume_connection(q->connection);
    }
    s->waiting = NULL;
    MHD_run(s->daemon); /* their answers go out now, not when the next request comes */
    return code;
}
