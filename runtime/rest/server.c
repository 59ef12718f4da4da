/* server.c: the REST API over libmicrohttpd. */
#include "runtime/rest/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if MHD_VERSION >= 0x00097002
typedef enum MHD_Result answer;
#else
typedef int answer;
#endif

/* A connection, in the list of all of them. */
typedef struct peer {
    struct peer *next, *before;
    int fd;
    int64_t since; /* ms: it was opened, or its last request was answered */
} peer;

/* A request, from its first line to the end of its answer. */
typedef struct request {
    struct rt_server *server;
    char *target;
    bool begun, over, handled; /* headers were looked at; the body is too long; `reply` holds the answer */
    fl_buf body;
    rt_rest_reply reply;
    struct MHD_Connection *connection;
    struct request *waiting; /* for the next sync */
} request;

struct rt_server {
    rt_store *store;
    struct MHD_Daemon *daemon;
    char address[128];
    bool local; /* listens on loopback alone */
    peer *peers;
    request *waiting;
    size_t in_flight;
};

static int64_t now_ms(void)
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
        *p = (peer){s->peers, NULL, info ? info->connect_fd : -1, now_ms()};
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
    int64_t limit = now_ms() - RT_SERVER_REQUEST_S * INT64_C(1000);
    for (peer *p = s->peers; p; p = p->next)
        if (p->since < limit && p->fd >= 0) {
            shutdown(p->fd, SHUT_RDWR); /* the library notices, and closes it */
            p->fd = -1;
        }
}

/* ---- requests ---- */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
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

static void on_completed(void *cls, struct MHD_Connection *connection, void **request_cls,
                         enum MHD_RequestTerminationCode why)
{
    rt_server *s = cls;
    request *q = *request_cls;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info && info->socket_context)
        ((peer *)info->socket_context)->since = now_ms();
    if (!q)
        return;
    forget_waiting(s, q);
    fl_buf_free(&q->body);
    fl_buf_wipe(&q->reply.body);
    free(q->target);
    free(q);
    *request_cls = NULL;
    s->in_flight--;
}

static const char *header(const request *q, const char *name)
{
    return MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, name);
}

/* localhost, 127.…, [::1], with any port. */
static bool local_host(const char *host)
{
    size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    return (n == 9 && !strncasecmp(host, "localhost", 9)) || (n == 5 && !strncmp(host, "[::1]", 5)) ||
           (n >= 7 && !strncmp(host, "127.", 4) && strspn(host, "0123456789.") == n);
}

static bool json_type(const char *type)
{
    static const char *const known[] = {"application/json", "application/vnd.schemaregistry",
                                        "application/octet-stream"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncasecmp(type, known[i], strlen(known[i])))
            return true;
    return false;
}

/* What is refused before a body is read; 0: nothing. */
static int refuse_early(const request *q, const char *method, const char **why)
{
    const char *host = header(q, "Host"), *type = header(q, "Content-Type"), *length = header(q, "Content-Length");
    const char *coding = header(q, "Transfer-Encoding");
    bool body = (length && strcmp(length, "0") != 0) || coding;
    *why = "pages of browsers are not served";
    if (header(q, "Origin"))
        return MHD_HTTP_FORBIDDEN;
    *why = "this server listens on this machine alone, and is not called by that name";
    if (q->server->local && host && !local_host(host))
        return MHD_HTTP_MISDIRECTED_REQUEST;
    *why = "the content type is application/vnd.schemaregistry.v1+json or application/json";
    if (body && (!type || !json_type(type)))
        return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    *why = "a body has a Content-Length or comes in chunks, not both";
    if (length && coding)
        return MHD_HTTP_BAD_REQUEST;
    *why = "the body is too large";
    if (length && (strlen(length) > 9 || strtoul(length, NULL, 10) > RT_REST_BODY_MAX))
        return MHD_HTTP_CONTENT_TOO_LARGE;
    *why = "HTTP 405 Method Not Allowed";
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (!strcmp(method, methods[i]))
            return 0;
    return MHD_HTTP_METHOD_NOT_ALLOWED;
}

static void free_answer(void *cls)
{
    fl_buf *b = cls;
    fl_buf_wipe(b);
    free(b);
}

static answer send_reply(request *q)
{
    fl_buf *b = fl_xmalloc(sizeof *b);
    *b = q->reply.body;
    fl_buf_init(&q->reply.body, 0);
    struct MHD_Response *r = MHD_create_response_from_buffer_with_free_callback_cls(b->len, b->p, free_answer, b);
    if (!r) {
        free_answer(b);
        return MHD_NO;
    }
    if (q->reply.type)
        MHD_add_response_header(r, "Content-Type", q->reply.type);
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    answer result = MHD_queue_response(q->connection, (unsigned)q->reply.status, r);
    MHD_destroy_response(r);
    return result;
}

static answer refuse(request *q, int status, const char *why)
{
    rt_rest_refuse(&q->reply, status, why);
    return send_reply(q);
}

static void handle(request *q, const char *method)
{
    fl_arena *a = fl_arena_new();
    rt_rest_request call = {
        .method = method, .target = q->target, .body = q->body.len ? q->body.p : NULL, .n = q->body.len};
    rt_rest_handle(q->server->store, a, &call, &q->reply);
    fl_arena_free(a);
    q->handled = true;
}

static answer on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                         const char *version, const char *upload, size_t *size, void **request_cls)
{
    request *q = *request_cls;
    rt_server *s = cls;
    const char *why;
    if (!q->begun) {
        q->begun = true;
        int status = refuse_early(q, method, &why);
        return status ? refuse(q, status, why) : MHD_YES;
    }
    if (*size) {
        q->over |= !fl_buf_add(&q->body, upload, *size);
        *size = 0;
        return MHD_YES;
    }
    if (q->over)
        return refuse(q, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
    if (!q->handled) {
        handle(q, method);
        if (rt_store_pending(s->store)) {
            q->waiting = s->waiting;
            s->waiting = q;
            MHD_suspend_connection(connection);
            return MHD_YES;
        }
    }
    return send_reply(q);
}

/* One sync for all that wait for it. */
static rt_code settle(rt_server *s, rt_error *err)
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

/* ---- listening ---- */

/* "[::1]:8081", "127.0.0.1:8081", "localhost:8081" in two. */
static bool split_address(const char *text, char host[80], char port[8])
{
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    bool bracket = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    if (!n || n >= 80 || !colon[1] || strlen(colon + 1) > 5 || colon[1 + strspn(colon + 1, "0123456789")] ||
        strtol(colon + 1, NULL, 10) > 65535 || (!bracket && memchr(text, ':', n)))
        return false;
    snprintf(host, 80, "%.*s", (int)(bracket ? n - 2 : n), bracket ? text + 1 : text);
    snprintf(port, 8, "%s", colon + 1);
    return true;
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24) == 127;
    return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static void say_address(rt_server *s, int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char host[64] = "?", port[8] = "?";
    if (!getsockname(fd, (struct sockaddr *)&a, &n))
        getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(s->address, sizeof s->address, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    s->local = is_loopback((struct sockaddr *)&a);
}

static int bind_to(const struct addrinfo *a, int *error)
{
    int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd >= 0 && !bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, 1024))
        return fd;
    *error = errno;
    if (fd >= 0)
        close(fd);
    return -1;
}

static rt_code open_socket(rt_server *s, const char *text, int *fd, rt_error *err)
{
    char host[80], port[8];
    struct addrinfo hints = {.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *list;
    int error = 0;
    if (!split_address(text, host, port))
        return rt_fail(err, RT_IO, "cannot listen on %s: write ADDRESS:PORT, as 127.0.0.1:8081 or [::1]:8081", text);
    const char *name = strcmp(host, "localhost") ? host : "127.0.0.1";
    if (getaddrinfo(name, port, &hints, &list))
        return rt_fail(err, RT_IO, "cannot listen on %s: %s is no address of this machine", text, host);
    *fd = bind_to(list, &error);
    freeaddrinfo(list);
    if (*fd < 0)
        return rt_fail(err, RT_IO, "cannot listen on %s: %s%s", text, strerror(error),
                       error == EADDRINUSE ? "; another program has the port" : "");
    say_address(s, *fd);
    return RT_OK;
}

/* As many as there are files for, some left for the log and protoc. */
static unsigned most_connections(void)
{
    struct rlimit l;
    enum { KEPT = 64 };
    if (getrlimit(RLIMIT_NOFILE, &l))
        return 256;
    if (l.rlim_cur < l.rlim_max) {
        l.rlim_cur = l.rlim_max < RT_SERVER_CONNECTIONS + KEPT ? l.rlim_max : RT_SERVER_CONNECTIONS + KEPT;
        setrlimit(RLIMIT_NOFILE, &l);
        getrlimit(RLIMIT_NOFILE, &l);
    }
    if (l.rlim_cur >= RT_SERVER_CONNECTIONS + KEPT)
        return RT_SERVER_CONNECTIONS;
    return l.rlim_cur > 2 * KEPT ? (unsigned)l.rlim_cur - KEPT : KEPT;
}

static void log_library(void *cls, const char *format, va_list ap)
{
    char text[256];
    vsnprintf(text, sizeof text, format, ap);
    text[strcspn(text, "\r\n")] = 0;
    fl_log(FL_LOG_DEBUG, "http: %s", text);
}

rt_code rt_server_open(const char *listen, rt_store *store, rt_server **out, rt_error *err)
{
    rt_server *s = fl_xcalloc(1, sizeof *s);
    int fd;
    s->store = store;
    rt_code code = open_socket(s, listen, &fd, err);
    if (code != RT_OK) {
        free(s);
        return code;
    }
    rt_store_defer(store);
    s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
                                 on_request, s, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET,
                                 fd, MHD_OPTION_CONNECTION_LIMIT, most_connections(), MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)RT_SERVER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)RT_SERVER_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
                                 on_target, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                                 MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
    if (!s->daemon) {
        close(fd);
        free(s);
        return rt_fail(err, RT_IO, "the HTTP server does not start");
    }
    *out = s;
    return RT_OK;
}

const char *rt_server_address(const rt_server *s)
{
    return s->address;
}

/* ---- the loop ---- */

static void wait_for(rt_server *s, const rt_stop *stop, int most)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    struct pollfd fds[2] = {
        {MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, POLLIN, 0},
        {stop ? stop->fd : -1, POLLIN, 0},
    };
    if (MHD_get_timeout(s->daemon, &timeout) == MHD_YES && timeout < (MHD_UNSIGNED_LONG_LONG)most)
        most = (int)timeout;
    poll(fds, stop && !stop->signal ? 2 : 1, most);
}

/* What was begun is ended: answers go out, bodies come in. */
static rt_code finish(rt_server *s, rt_error *err)
{
    int64_t until = now_ms() + RT_SERVER_STOP_S * INT64_C(1000);
    MHD_socket fd = MHD_quiesce_daemon(s->daemon);
    rt_code code = RT_OK;
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    while (s->in_flight && code == RT_OK && now_ms() < until) {
        wait_for(s, NULL, 100);
        MHD_run(s->daemon);
        code = settle(s, err);
    }
    MHD_run(s->daemon);
    return code == RT_OK ? rt_store_flush(s->store, err) : code;
}

rt_code rt_server_run(rt_server *s, const rt_stop *stop, rt_error *err)
{
    int64_t swept = now_ms();
    while (!stop->signal) {
        wait_for(s, stop, 1000);
        MHD_run(s->daemon);
        rt_code code = settle(s, err);
        if (code != RT_OK)
            return code;
        if (now_ms() - swept >= 1000) {
            drop_slow(s);
            swept = now_ms();
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
    MHD_stop_daemon(s->daemon);
    free(s);
}
