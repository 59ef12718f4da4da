/* serve_load.c: HTTP requests over many kept connections, from one thread. usage:
 *
 *     serve_load PORT CONNECTIONS once FILE            each request of FILE once
 *     serve_load PORT CONNECTIONS loop FILE SECONDS RATE    over and over; RATE a second, 0: as many as there are
 *
 * FILE has a request a line: METHOD PATH [BODY]. Prints "REQUESTS SECONDS P50 P99 MAX ERRORS OWN", latencies in
 * microseconds. With a rate, a request is late from the moment it was due, also while no connection is free. OWN is
 * what of that is not the server's: the 99th percentile of how late requests went out though a connection was free. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MOST = 1 << 20, CONNECTIONS_MOST = 1000, STALL_S = 30 };

typedef struct text {
    char *p;
    size_t n;
} text;

typedef struct connection {
    int fd;
    bool busy;
    const text *request;
    size_t sent, got;
    int64_t due; /* ns */
    int64_t own; /* ns: it was due, a connection was free, and it was not sent yet */
    char *answer;
} connection;

typedef struct load {
    text *requests;
    size_t nrequests, next;
    connection all[CONNECTIONS_MOST];
    size_t nconnections, nfree, stack[CONNECTIONS_MOST];
    int epoll;
    bool once;
    int64_t begun, until, step, due; /* ns; step 0: no rate */
    int64_t freed;                   /* ns: since when a connection is free */
    uint32_t *took, *own;            /* us */
    size_t ntook, room, errors;
} load;

static void __attribute__((noreturn)) die(const char *what)
{
    fprintf(stderr, "serve_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- requests ---- */

static text request_of(const char *line, int port)
{
    char method[16], path[4096];
    int at = 0;
    text t = {NULL, 0};
    if (sscanf(line, "%15s %4095s %n", method, path, &at) < 2 || !at)
        die("a request is METHOD PATH [BODY]");
    const char *body = line + at;
    size_t n = strcspn(body, "\n");
    char type[96] = "";
    if (n)
        snprintf(type, sizeof type, "Content-Type: application/json\r\nContent-Length: %zu\r\n", n);
    int len = asprintf(&t.p, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: application/json\r\n%s\r\n%.*s", method,
                       path, port, type, (int)n, body);
    if (len < 0)
        die("memory");
    t.n = (size_t)len;
    return t;
}

static void read_requests(load *l, const char *file, int port)
{
    FILE *f = fopen(file, "re");
    char *line = NULL;
    size_t room = 0, most = 0;
    if (!f)
        die(file);
    while (getline(&line, &room, f) > 0) {
        if (l->nrequests == most) {
            most = most ? 2 * most : 1024;
            l->requests = realloc(l->requests, most * sizeof *l->requests);
            if (!l->requests)
                die("memory");
        }
        l->requests[l->nrequests++] = request_of(line, port);
    }
    free(line);
    fclose(f);
    if (!l->nrequests)
        die("no request");
}

/* ---- connections ---- */

static void open_connections(load *l, int port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < l->nconnections; i++) {
        connection *c = &l->all[i];
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to))
            die("connect");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        c->answer = malloc(ANSWER_MOST + 1);
        if (!c->answer || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){EPOLLIN, {.u64 = i}}))
            die("epoll");
        l->stack[l->nfree++] = i;
    }
}

static void push_out(connection *c)
{
    while (c->sent < c->request->n) {
        ssize_t n = write(c->fd, c->request->p + c->sent, c->request->n - c->sent);
        if (n <= 0)
            die("write"); /* a request is small: the socket takes it whole */
        c->sent += (size_t)n;
    }
}

/* Whether a request was begun: one is due, and a connection is free. */
static bool begin(load *l, int64_t at)
{
    bool more = l->once ? l->next < l->nrequests : at < l->until;
    if (!more || !l->nfree || (l->step && l->due > at))
        return false;
    connection *c = &l->all[l->stack[--l->nfree]];
    int64_t sent = now();
    c->request = &l->requests[l->next++ % l->nrequests];
    c->sent = c->got = 0;
    c->busy = true;
    c->due = l->step ? l->due : at;
    c->own = l->step ? sent - (l->due > l->freed ? l->due : l->freed) : 0;
    l->due += l->step;
    push_out(c);
    return true;
}

/* Length of the answer that begins there; 0: there is more to come. */
static size_t whole(const char *p, size_t n)
{
    const char *end = memmem(p, n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - p) + 4;
    for (const char *line = p; line < end; line = strstr(line, "\r\n") + 2) {
        if (!strncasecmp(line, "content-length:", 15)) {
            size_t all = head + strtoul(line + 15, NULL, 10);
            return n >= all ? all : 0;
        }
        if (!strncasecmp(line, "transfer-encoding:", 18))
            return n >= head + 5 && !memcmp(p + n - 5, "0\r\n\r\n", 5) ? n : 0;
    }
    return head;
}

static void record(load *l, int64_t ns, int64_t own)
{
    if (l->ntook == l->room) {
        l->room = l->room ? 2 * l->room : 1 << 16;
        l->took = realloc(l->took, l->room * sizeof *l->took);
        l->own = realloc(l->own, l->room * sizeof *l->own);
        if (!l->took || !l->own)
            die("memory");
    }
    l->took[l->ntook] = (uint32_t)(ns / 1000);
    l->own[l->ntook++] = (uint32_t)(own / 1000);
}

static void take(load *l, size_t i)
{
    connection *c = &l->all[i];
    ssize_t n = read(c->fd, c->answer + c->got, ANSWER_MOST - c->got);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || !c->busy)
        die("the server closed a connection");
    c->got += (size_t)n;
    c->answer[c->got] = 0;
    if (!whole(c->answer, c->got))
        return;
    l->errors += strncmp(c->answer, "HTTP/1.1 2", 10) != 0;
    int64_t at = now();
    record(l, at - c->due, c->own);
    c->busy = false;
    l->freed = l->nfree ? l->freed : at;
    l->stack[l->nfree++] = i;
}

/* ---- the run ---- */

static bool over(const load *l, int64_t at)
{
    return l->nfree == l->nconnections && (l->once ? l->next >= l->nrequests : at >= l->until);
}

static void run(load *l)
{
    struct epoll_event ready[256];
    int64_t at = l->begun = l->due = now();
    l->until += at;
    while (!over(l, at)) {
        while (begin(l, at))
            ;
        int64_t wait = l->step && l->nfree && at < l->until ? l->due - at : INT64_C(1000000000) * STALL_S;
        wait = wait < 0 ? 0 : wait;
        struct timespec timeout = {wait / 1000000000, wait % 1000000000};
        int n = epoll_pwait2(l->epoll, ready, 256, &timeout, NULL);
        if (n == 0 && wait >= INT64_C(1000000000) * STALL_S)
            die("no answer");
        for (int i = 0; i < n; i++)
            take(l, ready[i].data.u64);
        at = now();
    }
}

static int by_size(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    static load l;
    if (argc != 5 && argc != 7) {
        fprintf(stderr, "usage: serve_load PORT CONNECTIONS once FILE | PORT CONNECTIONS loop FILE SECONDS RATE\n");
        return 2;
    }
    int port = atoi(argv[1]);
    l.nconnections = strtoul(argv[2], NULL, 10);
    l.once = !strcmp(argv[3], "once");
    if (!l.nconnections || l.nconnections > CONNECTIONS_MOST)
        die("connections: 1 to 1000");
    if (!l.once) {
        double rate = strtod(argv[6], NULL);
        l.until = (int64_t)(strtod(argv[5], NULL) * 1e9);
        l.step = rate > 0 ? (int64_t)(1e9 / rate) : 0;
    }
    read_requests(&l, argv[4], port);
    open_connections(&l, port);
    run(&l);
    double seconds = (double)(now() - l.begun) / 1e9;
    qsort(l.took, l.ntook, sizeof *l.took, by_size);
    qsort(l.own, l.ntook, sizeof *l.own, by_size);
    printf("%zu %.6f %u %u %u %zu %u\n", l.ntook, seconds, l.took[l.ntook / 2], l.took[l.ntook * 99 / 100],
           l.took[l.ntook - 1], l.errors, l.own[l.ntook * 99 / 100]);
    return 0;
}
