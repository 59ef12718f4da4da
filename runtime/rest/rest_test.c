/* rest_test.c: one suite of conformance, the cases in runtime/rest/cases/, against five implementations: the registry
 * in memory; in memory with answers remembered; in a directory that is closed and opened again before each call; the
 * same with its log written anew each time; and over HTTP to a server.
 *
 * A case file, line by line (`#` and empty lines are left out):
 *     let NAME TEXT               $NAME stands for TEXT from here on
 *     METHOD TARGET [BODY]        a call
 *     STATUS [JSON]               what it must answer. Objects may have more members than are written here; the value
 *                                 "*" is any value, "-" says that the member must not be there. Lists are compared
 *                                 whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/rest/answers.h"
#include "runtime/rest/server.h"

#define CASES "runtime/rest/cases"

static int64_t clock_now;
static int64_t now(void *ctx)
{
    return clock_now ? clock_now : 1764000000000;
}
static const rt_registry_options options = {.now_ms = now};

/* ---- the three implementations ---- */

static char top[64], url[96];
static rt_registry *registry;
static int port;
static pid_t child;

static void open_store(void)
{
    rt_error err;
    if (rt_registry_open(url, &options, &registry, &err) != RT_OK)
        fail_msg("%s", err.message);
}

static void call_store(fl_arena *a, const rt_rest_request *q, rt_rest_reply *out)
{
    rt_rest_handle((rt_store *)registry, a, q, out);
}

static void open_dir(void)
{
    strcpy(top, "/tmp/flec-rest-XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(url, sizeof url, "file://%s/r", top);
    open_store();
}

static void call_dir(fl_arena *a, const rt_rest_request *q, rt_rest_reply *out)
{
    rt_registry_close(registry);
    open_store();
    call_store(a, q, out);
}

/* As the directory, and written anew before each call: whatever is deleted or replaced is forgotten, nothing else. */
static void call_tidy(fl_arena *a, const rt_rest_request *q, rt_rest_reply *out)
{
    rt_store *st = (rt_store *)registry;
    rt_error err;
    st->size += RT_STORE_MAX / 2;
    st->dead += RT_STORE_MAX / 2;
    st->tidy_at = 0;
    if (rt_store_tidy(st, &err) != RT_OK || st->size > RT_STORE_MAX / 2)
        fail_msg("the store is not made anew: %s", err.message);
    call_dir(a, q, out);
}

static void close_store(void)
{
    rt_registry_close(registry);
    if (*top)
        fl_remove_tree(top);
    *top = 0;
}

static void open_mem(void)
{
    strcpy(url, "mem:");
    open_store();
}

static volatile rt_stop stop = {.fd = -1};
static void on_term(int signal_number)
{
    stop.signal = signal_number;
}

static void serve(int to)
{
    rt_server *s;
    rt_error err;
    signal(SIGTERM, on_term);
    signal(SIGPIPE, SIG_IGN);
    open_dir();
    if (rt_server_open("127.0.0.1:0", (rt_store *)registry, &s, &err) != RT_OK)
        _exit(3);
    int at = atoi(strrchr(rt_server_address(s), ':') + 1);
    if (write(to, &at, sizeof at) != sizeof at)
        _exit(3);
    rt_code code = rt_server_run(s, (const rt_stop *)&stop, &err);
    rt_server_close(s);
    close_store();
    _exit(code == RT_OK ? 0 : 4);
}

static void open_http(void)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    child = fork();
    if (!child)
        alarm(120); /* it does not outlive a test that failed */
    if (!child)
        serve(fds[1]);
    close(fds[1]);
    assert_int_equal(read(fds[0], &port, sizeof port), sizeof port);
    close(fds[0]);
}

static void close_http(void)
{
    int status;
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {20, 0};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static bool send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

/* Everything until the server closes. */
static void receive(int fd, fl_buf *out)
{
    char block[65536];
    ssize_t n;
    while ((n = recv(fd, block, sizeof block, 0)) > 0)
        fl_buf_add(out, block, (size_t)n);
    close(fd);
}

static int status_of(const fl_buf *answer)
{
    int status = 0;
    sscanf(answer->p, "HTTP/1.1 %d", &status);
    return status;
}

static void call_http(fl_arena *a, const rt_rest_request *q, rt_rest_reply *out)
{
    fl_buf answer;
    fl_buf_init(&answer, 1 << 24);
    const char *head = fl_printf(a,
                                 "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
                                 "application/vnd.schemaregistry.v1+json\r\nContent-Length: %zu\r\n\r\n",
                                 q->method, q->target, q->n);
    int fd = dial();
    assert_true(send_all(fd, head, strlen(head)) && send_all(fd, q->body ? q->body : "", q->n));
    receive(fd, &answer);
    char *body = strstr(answer.p, "\r\n\r\n");
    *out = (rt_rest_reply){.status = status_of(&answer)};
    fl_buf_init(&out->body, 1 << 24);
    fl_buf_adds(&out->body, body ? body + 4 : "");
    fl_buf_free(&answer);
}

/* In memory, answers remembered. After each call all that was asked before is asked again: what is remembered must be
 * what would be answered now. */
static rt_answers *remembered;
static fl_arena *asked_arena;
static FL_VEC(rt_rest_request) asked;

static void open_remembering(void)
{
    open_mem();
    remembered = rt_answers_new();
    asked_arena = fl_arena_new();
    memset(&asked, 0, sizeof asked);
}

static void check_remembered(fl_arena *a, const rt_rest_request *q)
{
    rt_rest_reply kept, fresh;
    rt_rest_request without = *q;
    if (!rt_answers_find(remembered, (rt_store *)registry, q, &kept))
        return;
    without.answers = NULL;
    call_store(a, &without, &fresh);
    if (kept.status != fresh.status || strcmp(kept.body.p, fresh.body.p) != 0)
        fail_msg("%s is remembered as %s, and answers %d %s", q->target, kept.body.p, fresh.status, fresh.body.p);
    fl_buf_free(&kept.body);
    fl_buf_free(&fresh.body);
}

static bool count_bytes(const char *record, size_t n, void *ctx)
{
    *(size_t *)ctx += n;
    return true;
}

/* What may be dead is not counted too low: else it would never be forgotten. */
static void check_dead(void)
{
    const rt_store *st = (rt_store *)registry;
    size_t live = 0;
    rt_store_records(st, count_bytes, &live);
    if (st->size > live + st->dead)
        fail_msg("%zu bytes of changes, %zu live, at most %zu dead", st->size, live, st->dead);
}

static void call_remembering(fl_arena *a, const rt_rest_request *q, rt_rest_reply *out)
{
    rt_rest_request with = *q;
    with.answers = remembered;
    with.target = fl_strdup(asked_arena, q->target);
    with.body = q->body ? fl_strndup(asked_arena, q->body, q->n) : NULL;
    call_store(a, &with, out);
    check_dead();
    for (size_t i = 0; i < asked.n; i++)
        check_remembered(a, &asked.v[i]);
    if (strcmp(with.method, "POST") != 0)
        return;
    check_remembered(a, &with);
    FL_PUSH(asked_arena, &asked, with);
}

static void close_remembering(void)
{
    close_store();
    rt_answers_free(remembered);
    fl_arena_free(asked_arena);
}

static const struct implementation {
    const char *name;
    void (*open)(void);
    void (*call)(fl_arena *a, const rt_rest_request *q, rt_rest_reply *out);
    void (*close)(void);
} implementations[] = {
    {"memory", open_mem, call_store, close_store},
    {"memory, answers remembered", open_remembering, call_remembering, close_remembering},
    {"directory", open_dir, call_dir, close_store},
    {"http", open_http, call_http, close_http},
    {"directory, written anew", open_dir, call_tidy, close_store},
};

/* ---- comparing ---- */

static bool matches(const fl_json *want, const fl_json *got)
{
    if (want->kind == FL_JSTRING && !strcmp(want->str, "*"))
        return got != NULL;
    if (want->kind == FL_JSTRING && !strcmp(want->str, "-"))
        return got == NULL;
    if (!got || want->kind != got->kind)
        return false;
    if (want->kind == FL_JOBJECT) {
        for (const fl_json *m = want->child; m; m = m->next)
            if (!matches(m, fl_json_get(got, m->key)))
                return false;
        return true;
    }
    if (want->kind != FL_JARRAY)
        return want->kind < FL_JNUMBER || !strcmp(want->str, got->str);
    const fl_json *x = want->child, *y = got->child;
    for (; x && y && matches(x, y); x = x->next, y = y->next)
        ;
    return !x && !y;
}

static bool answers(fl_arena *a, const char *want, const rt_rest_reply *reply)
{
    fl_json_error e;
    int status = atoi(want);
    const char *json = strchr(want, ' ');
    if (status != reply->status)
        return false;
    if (!json)
        return true;
    const fl_json *expected = fl_json_parse(a, json + 1, strlen(json + 1), 0, &e);
    if (!expected)
        fail_msg("the case is no JSON: %s: %s", json + 1, e.message);
    const fl_json *got = fl_json_parse(a, reply->body.p, reply->body.len, 0, &e);
    return got && matches(expected, got);
}

/* ---- running a file ---- */

typedef struct script {
    fl_arena *a;
    const char *file;
    FL_VEC(char *) names;
    FL_VEC(char *) texts;
} script;

/* $NAME by its text; the longest name counts. */
static char *filled_in(script *s, const char *line)
{
    fl_buf b;
    fl_buf_init(&b, 1 << 24);
    while (*line) {
        size_t best = s->names.n;
        for (size_t i = 0; *line == '$' && i < s->names.n; i++)
            if (!strncmp(line + 1, s->names.v[i], strlen(s->names.v[i])) &&
                (best == s->names.n || strlen(s->names.v[i]) > strlen(s->names.v[best])))
                best = i;
        if (best < s->names.n) {
            fl_buf_adds(&b, s->texts.v[best]);
            line += 1 + strlen(s->names.v[best]);
        } else {
            fl_buf_addc(&b, *line++);
        }
    }
    char *text = fl_strndup(s->a, b.p, b.len);
    fl_buf_free(&b);
    return text;
}

static void define(script *s, const char *line)
{
    size_t n = strcspn(line, " ");
    FL_PUSH(s->a, &s->names, fl_strndup(s->a, line, n));
    FL_PUSH(s->a, &s->texts, filled_in(s, line + n + 1));
}

static void step(script *s, const struct implementation *how, size_t line, char *call, const char *want)
{
    rt_rest_reply reply;
    fl_arena *a = fl_arena_new();
    char *target = strchr(call, ' ');
    *target++ = 0;
    char *body = strchr(target, ' ');
    if (body)
        *body++ = 0;
    rt_rest_request q = {.method = call, .target = target, .body = body, .n = body ? strlen(body) : 0};
    how->call(a, &q, &reply);
    if (!answers(a, want, &reply))
        fail_msg("%s:%zu, %s: %s %s answers %d %s, expected %s", s->file, line, how->name, call, target, reply.status,
                 reply.body.p, want);
    fl_buf_free(&reply.body);
    fl_arena_free(a);
}

static void run_file(const struct implementation *how, const char *path)
{
    script s = {.a = fl_arena_new(), .file = path};
    char *text, *call = NULL;
    size_t n, line = 0, steps = 0;
    assert_int_equal(fl_read_file(s.a, path, 1 << 20, &text, &n), 0);
    how->open();
    for (char *at = text; at; line++) {
        char *now_at = strsep(&at, "\n");
        if (!*now_at || *now_at == '#')
            continue;
        if (!strncmp(now_at, "let ", 4)) {
            define(&s, now_at + 4);
        } else if (!call) {
            call = filled_in(&s, now_at);
        } else {
            step(&s, how, line, call, filled_in(&s, now_at));
            call = NULL;
            steps++;
        }
    }
    how->close();
    assert_null(call);
    assert_true(steps > 0);
    fl_arena_free(s.a);
}

static void conformance(void **state)
{
    const struct implementation *how = *state;
    fl_arena *a = fl_arena_new();
    char **paths;
    size_t n;
    assert_int_equal(fl_find_files(a, CASES, ".rest", &paths, &n), 0);
    assert_true(n >= 5);
    for (size_t i = 0; i < n; i++)
        run_file(how, paths[i]);
    fl_arena_free(a);
}

/* ---- hostile HTTP ---- */

/* Sends bytes as they are; the status of what comes back, 0: the connection was closed without an answer. */
static int raw(const char *bytes, size_t n)
{
    fl_buf answer;
    struct timeval limit = {3, 0}; /* half a request is waited for much longer */
    int fd = dial();
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    fl_buf_init(&answer, 1 << 20);
    send_all(fd, bytes, n);
    shutdown(fd, SHUT_WR);
    receive(fd, &answer);
    int status = status_of(&answer);
    fl_buf_free(&answer);
    return status;
}

static void still_there(void)
{
    static const char bytes[] = "GET /subjects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_int_equal(raw(bytes, sizeof bytes - 1), 200);
}

static void hostile(void **state)
{
#define HEAD "Host: localhost\r\nConnection: close\r\n"
#define JSON "Content-Type: application/json\r\n"
    static const struct {
        int status; /* -1: any refusal, or none */
        const char *bytes;
    } cases[] = {
        {400, "GET / HTTP/1.1\r\n\r\n"},
        {-1, "\r\n\r\n\r\n"},
        {-1, "\x16\x03\x01\x02\x01\x01\x01"},
        {-1, "GET"},
        {405, "TRACE / HTTP/1.1\r\n" HEAD "\r\n"},
        {421, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"},
        {421, "GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\nConnection: close\r\n\r\n"},
        {403, "GET / HTTP/1.1\r\n" HEAD "Origin: https://evil.example\r\n\r\n"},
        {415, "POST /subjects/a HTTP/1.1\r\n" HEAD "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"},
        {413, "POST /subjects/a HTTP/1.1\r\n" HEAD JSON "Content-Length: 16777217\r\n\r\n{}"},
        {413, "POST /subjects/a HTTP/1.1\r\n" HEAD JSON "Content-Length: 9999999999\r\n\r\n{}"},
        {-1, "POST /subjects/a HTTP/1.1\r\n" HEAD JSON "Content-Length: -1\r\n\r\n{}"},
        {-1,
         "POST /subjects/a HTTP/1.1\r\n" HEAD JSON "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {-1, "POST /subjects/a HTTP/1.1\r\n" HEAD JSON "Transfer-Encoding: chunked\r\n\r\nzz\r\n"},
        {400, "POST /subjects/a HTTP/1.1\r\n" HEAD JSON "Content-Length: 1\r\n\r\n{"},
        {400, "GET /subjects/%00 HTTP/1.1\r\n" HEAD "\r\n"},
        {400, "GET /subjects/%ff/versions HTTP/1.1\r\n" HEAD "\r\n"},
        {400, "GET /subjects/%2 HTTP/1.1\r\n" HEAD "\r\n"},
        {404, "GET /../../../../etc/passwd HTTP/1.1\r\n" HEAD "\r\n"},
        {404, "GET /subjects/..%2f..%2fetc%2fpasswd/versions HTTP/1.1\r\n" HEAD "\r\n"},
    };
    open_http();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = raw(cases[i].bytes, strlen(cases[i].bytes));
        if (cases[i].status > 0 ? status != cases[i].status : status >= 200 && status < 300)
            fail_msg("case %zu answers %d: %s", i, status, cases[i].bytes);
    }
    still_there();
    close_http();
}

/* A request line, a header and a body that are too long; many requests in one go; a body that never ends. */
static void oversized(void **state)
{
    static char big[1 << 18];
    fl_buf b, answer;
    memset(big, 'a', sizeof big);
    fl_buf_init(&b, 64 << 20);
    fl_buf_init(&answer, 1 << 22);
    open_http();
    fl_buf_addf(&b, "GET /%.*s HTTP/1.1\r\n" HEAD "\r\n", 100000, big);
    int status = raw(b.p, b.len);
    assert_true(status == 414 || status == 0);
    fl_buf_clear(&b);
    fl_buf_addf(&b, "GET / HTTP/1.1\r\n" HEAD "X-Long: %.*s\r\n\r\n", 100000, big);
    status = raw(b.p, b.len);
    assert_true(status == 431 || status == 413 || status == 0);
    fl_buf_clear(&b);
    fl_buf_adds(&b, "POST /subjects/a HTTP/1.1\r\n" HEAD JSON "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 0; i < 80; i++)
        fl_buf_addf(&b, "40000\r\n%.*s\r\n", 0x40000, big);
    fl_buf_adds(&b, "0\r\n\r\n");
    status = raw(b.p, b.len);
    assert_true(status == 413 || status == 0);
    fl_buf_clear(&b);
    for (size_t i = 0; i < 200; i++)
        fl_buf_adds(&b, "GET /subjects HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fl_buf_adds(&b, "GET /subjects HTTP/1.1\r\n" HEAD "\r\n");
    int fd = dial();
    assert_true(send_all(fd, b.p, b.len));
    receive(fd, &answer);
    size_t got = 0;
    for (const char *at = answer.p; (at = strstr(at, "HTTP/1.1 200")); at++)
        got++;
    assert_int_equal(got, 201);
    still_there();
    close_http();
    fl_buf_free(&b);
    fl_buf_free(&answer);
}

/* Those that say nothing take no one's place; what is in flight when the server is told to stop is answered. */
static void idle_and_stopping(void **state)
{
    enum { IDLE = 200 };
    int idle[IDLE], status;
    fl_buf answer;
    fl_buf_init(&answer, 1 << 20);
    open_http();
    for (size_t i = 0; i < IDLE; i++)
        idle[i] = dial();
    still_there();
    const char *half = "POST /subjects/a/versions HTTP/1.1\r\n" HEAD JSON "Content-Length: 24\r\n\r\n{\"schema\": ";
    int fd = dial();
    assert_true(send_all(fd, half, strlen(half)));
    usleep(200000);
    kill(child, SIGTERM);
    usleep(200000);
    assert_true(send_all(fd, "\"\\\"string\\\"\"}", 13));
    receive(fd, &answer);
    assert_int_equal(status_of(&answer), 200);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (size_t i = 0; i < IDLE; i++)
        close(idle[i]);
    fl_buf_free(&answer);
}

static void port_taken(void **state)
{
    rt_server *s;
    rt_error err;
    char address[32];
    open_http();
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    open_mem();
    assert_int_equal(rt_server_open(address, (rt_store *)registry, &s, &err), RT_IO);
    assert_non_null(strstr(err.message, "another program has the port"));
    static const char *const wrong[] = {
        "", "8081", "localhost", "127.0.0.1:", "127.0.0.1:70000", "::1:80", "nowhere.example:80"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(rt_server_open(wrong[i], (rt_store *)registry, &s, &err), RT_IO);
    close_store();
    close_http();
}

int main(void)
{
    struct CMUnitTest tests[] = {
        {"memory", conformance, NULL, NULL, (void *)&implementations[0]},
        {"directory", conformance, NULL, NULL, (void *)&implementations[1]},
        {"http", conformance, NULL, NULL, (void *)&implementations[2]},
        {"written anew", conformance, NULL, NULL, (void *)&implementations[3]},
        cmocka_unit_test(hostile),
        cmocka_unit_test(oversized),
        cmocka_unit_test(idle_and_stopping),
        cmocka_unit_test(port_taken),
    };
    return cmocka_run_group_tests_name("rest", tests, NULL, NULL);
}
