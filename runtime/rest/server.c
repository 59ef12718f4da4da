/* server.c: the REST API over libmicrohttpd: connections, and the loop. */
#include "runtime/rest/server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime/rest/server_parts.h"

/* Of threads, and of requests that wait for one. */
enum { LOGINS = 2, LOGINS_WAIT = 64, CALLS = 8, CALLS_WAIT = 256 };

int64_t server_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- connections ---- */

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    rt_server *s = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        peer *p = fl_xcalloc(1, sizeof *p);
        *p = (peer){s->peers, NULL, info ? info->connect_fd : -1, server_now()};
        if (s->peers)
            s->peers->before = p;
        s->peers = p;
        *socket_context = p;
        return;
    }
    peer *p = *socket_context;
    if (!p)
        return;
    if (p->next)
        p->next->before = p->before;
    if (p->before)
        p->before->next = p->next;
    else
        s->peers = p->next;
    free(p);
}

/* A byte now and then keeps a connection from being idle; its request has to end all the same. */
static void drop_slow(rt_server *s)
{
    int64_t limit = server_now() - RT_SERVER_REQUEST_S * INT64_C(1000);
    for (peer *p = s->peers; p; p = p->next)
        if (p->since < limit && p->fd >= 0) {
            shutdown(p->fd, SHUT_RDWR); /* the library notices, and closes it */
            p->fd = -1;
        }
}

/* ---- starting ---- */

static void log_library(void *cls, const char *format, va_list ap)
{
    char text[256];
    vsnprintf(text, sizeof text, format, ap);
    text[strcspn(text, "\r\n")] = 0;
    fl_log(FL_LOG_DEBUG, "http: %s", text);
}

/* Passwords and keys do not go over a network that everybody listens to, and not to everybody. */
static rt_code check_openness(const rt_server *s, const rt_server_options *o, rt_error *err)
{
    if (s->listening.local || o->anybody || (s->gate.tls && rt_gate_users(&s->gate)))
        return RT_OK;
    return rt_fail(err, RT_REFUSED,
                   "%s is reached by other machines, and there %s: whoever reaches it could read the keys it "
                   "holds. Give it --tls-cert, --tls-key, and --users or --client-ca; or --allow-anybody",
                   s->listening.address, s->gate.tls ? "are no users" : "is no TLS");
}

static rt_code start_daemon(rt_server *s, rt_error *err)
{
    const rt_tls *tls = s->gate.tls;
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, tls ? tls->cert.bytes : NULL},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, tls ? tls->key.bytes : NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)RT_TLS_PRIORITIES},
        {tls && tls->client_ca.bytes ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
         tls ? tls->client_ca.bytes : NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    if (!tls)
        secure[0].option = MHD_OPTION_END;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0);
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, server_on_request, s, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_LISTEN_SOCKET, s->listening.fd, MHD_OPTION_CONNECTION_LIMIT,
        rt_most_connections(RT_SERVER_CONNECTIONS), MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)RT_SERVER_IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)RT_SERVER_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, server_on_target, s, MHD_OPTION_NOTIFY_COMPLETED, server_on_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_ARRAY, secure, MHD_OPTION_END);
    return s->daemon ? RT_OK : rt_fail(err, RT_IO, "the HTTP server does not start");
}

rt_code rt_server_start(const rt_server_options *o, rt_server **out, rt_error *err)
{
    rt_server *s = fl_xcalloc(1, sizeof *s);
    s->store = o->store;
    s->answers = rt_answers_new();
    rt_code code = rt_listen(o->listen, &s->listening, err);
    if (code != RT_OK) {
        rt_answers_free(s->answers);
        free(s);
        return code;
    }
    s->gate = (rt_gate){o->tls, o->users, o->roles, rt_guesses_new(), s->listening.local};
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->logins = rt_pool_new(LOGINS, LOGINS_WAIT, s->wake);
    s->calls = rt_pool_new(CALLS, CALLS_WAIT, s->wake);
    code = s->wake < 0 ? rt_fail(err, RT_IO, "no eventfd") : check_openness(s, o, err);
    rt_store_defer(o->store);
    if (code == RT_OK)
        code = start_daemon(s, err);
    if (code == RT_OK) {
        *out = s;
        return RT_OK;
    }
    close(s->listening.fd);
    rt_server_close(s);
    return code;
}

rt_code rt_server_open(const char *listen, rt_store *store, rt_server **out, rt_error *err)
{
    return rt_server_start(&(rt_server_options){.listen = listen, .store = store}, out, err);
}

const char *rt_server_address(const rt_server *s)
{
    return s->listening.address;
}

/* ---- the loop ---- */

static void wait_for(rt_server *s, const rt_stop *stop, int most)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    struct pollfd fds[3] = {
        {MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, POLLIN, 0},
        {s->wake, POLLIN, 0},
        {stop ? stop->fd : -1, POLLIN, 0},
    };
    if (MHD_get_timeout(s->daemon, &timeout) == MHD_YES && timeout < (MHD_UNSIGNED_LONG_LONG)most)
        most = (int)timeout;
    poll(fds, stop && !stop->signal ? 3 : 2, most);
}

static rt_code turn(rt_server *s, rt_error *err)
{
    MHD_run(s->daemon);
    server_collect(s);
    return server_settle(s, err);
}

/* What was begun is ended: answers go out, bodies come in. */
static rt_code finish(rt_server *s, rt_error *err)
{
    int64_t until = server_now() + RT_SERVER_STOP_S * INT64_C(1000);
    MHD_socket fd = MHD_quiesce_daemon(s->daemon);
    rt_code code = RT_OK;
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    while (s->in_flight && code == RT_OK && server_now() < until) {
        wait_for(s, NULL, 100);
        code = turn(s, err);
    }
    server_give_up(s, 0);
    MHD_run(s->daemon);
    return code == RT_OK ? rt_store_flush(s->store, err) : code;
}

rt_code rt_server_run(rt_server *s, const rt_stop *stop, rt_error *err)
{
    int64_t swept = server_now();
    while (!stop->signal) {
        wait_for(s, stop, 1000);
        rt_code code = turn(s, err);
        if (code == RT_OK)
            code = rt_store_tidy(s->store, err); /* between two requests: nothing points into the store */
        if (code != RT_OK)
            return code;
        if (server_now() - swept >= 1000) {
            drop_slow(s);
            server_give_up(s, RT_SERVER_CALL_S * INT64_C(1000));
            swept = server_now();
        }
    }
    return finish(s, err);
}

void rt_server_close(rt_server *s)
{
    if (!s)
        return;
    for (request *q = s->waiting; q; q = q->waiting)
        MHD_resume_connection(q->connection);
    server_end_work(s);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    rt_guesses_free(s->gate.guesses);
    rt_answers_free(s->answers);
    if (s->wake >= 0)
        close(s->wake);
    free(s);
}
