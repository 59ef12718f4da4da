/* http.c: calls over HTTP: tries, pauses, and the circuit of each origin. */
#include "runtime/http.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/http_curl.h"

enum { PAUSE_MS = 100, PAUSE_MAX_MS = 2000, FAILURES = 5, OPEN_MS = 30000, ORIGINS = 64, ANSWER_TOP = 32 << 20 };

struct rt_http {
    rt_http_options opt;
    char *ca_file, *cert_file, *key_file;
};

static char *copy(const char *s)
{
    return s && *s ? fl_xstrdup(s) : NULL;
}

static atomic_bool ending;

void rt_http_end(void)
{
    ending = true;
}

bool rt_http_ending(void)
{
    return ending;
}

static int64_t system_now(void *ctx)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void system_sleep(void *ctx, int64_t ms)
{
    int64_t until = system_now(NULL) + ms;
    for (int64_t left = ms; left > 0 && !rt_http_ending(); left = until - system_now(NULL)) {
        struct timespec t = {.tv_nsec = (left < 100 ? left : 100) * 1000000};
        nanosleep(&t, NULL);
    }
}

static const rt_http_clock system_clock = {system_now, system_sleep, NULL};

rt_http *rt_http_new(const rt_http_options *opt)
{
    rt_http *h = fl_xcalloc(1, sizeof *h);
    h->opt = *opt;
    h->opt.ca_file = h->ca_file = copy(opt->ca_file);
    h->opt.cert_file = h->cert_file = copy(opt->cert_file);
    h->opt.key_file = h->key_file = copy(opt->key_file);
    rt_http_limits *l = &h->opt.limits;
    l->connect_ms = l->connect_ms ? l->connect_ms : 5000;
    l->attempt_ms = l->attempt_ms ? l->attempt_ms : 10000;
    l->total_ms = l->total_ms ? l->total_ms : 30000;
    l->tries = l->tries ? l->tries : 4;
    l->answer_max = !l->answer_max ? 64 << 10 : l->answer_max > ANSWER_TOP ? ANSWER_TOP : l->answer_max;
    if (!h->opt.clock)
        h->opt.clock = &system_clock;
    return h;
}

void rt_http_free(rt_http *h)
{
    if (!h)
        return;
    free(h->ca_file);
    free(h->cert_file);
    free(h->key_file);
    free(h);
}

/* ---- requests ---- */

bool rt_http_header(rt_http_request *q, const char *name, const char *value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return false;
    if (q->nheaders == RT_HTTP_HEADERS)
        return false;
    size_t len = strlen(name);
    fl_secret s = fl_secret_new(len + 2 + n + 1);
    memcpy(s.bytes, name, len);
    memcpy(s.bytes + len, ": ", 2);
    if (n)
        memcpy(s.bytes + len + 2, value, n);
    q->header[q->nheaders++] = s;
    return true;
}

void rt_http_request_free(rt_http_request *q)
{
    for (size_t i = 0; i < q->nheaders; i++)
        fl_secret_free(&q->header[i]);
    q->nheaders = 0;
    fl_secret_free(&q->body);
}

void rt_http_answer_free(rt_http_answer *a)
{
    fl_secret_free(&a->body);
}

bool rt_http_origin(const char *url, char *out, size_t room)
{
    size_t scheme = !strncmp(url, "https://", 8) ? 8 : !strncmp(url, "http://", 7) ? 7 : 0;
    size_t n = strcspn(url + scheme, "/?#");
    if (!scheme || !n || scheme + n >= room)
        return false;
    for (size_t i = scheme; i < scheme + n; i++) /* no user, no escapes, nothing that two readers read differently */
        if (!isalnum((unsigned char)url[i]) && !strchr(".-_:[]", url[i]))
            return false;
    memcpy(out, url, scheme + n);
    out[scheme + n] = 0;
    return true;
}

void rt_http_escape(fl_buf *b, const char *s, const char *also)
{
    for (; *s; s++)
        if (isalnum((unsigned char)*s) || strchr("-._~", *s) || strchr(also, *s))
            fl_buf_addc(b, *s);
        else
            fl_buf_addf(b, "%%%02X", (unsigned char)*s);
}

/* ---- circuits ---- */

typedef struct circuit {
    char origin[300];
    int failures;     /* calls in a row */
    int64_t until_ms; /* left alone until then; 0: not */
    uint64_t used;
} circuit;

static struct {
    pthread_mutex_t lock;
    circuit of[ORIGINS];
    uint64_t tick;
} circuits = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The origin's circuit, in place of the one used longest ago if it is new. With the lock. */
static circuit *circuit_of(const char *origin)
{
    circuit *oldest = &circuits.of[0];
    for (size_t i = 0; i < ORIGINS; i++) {
        circuit *c = &circuits.of[i];
        if (!strcmp(c->origin, origin)) {
            c->used = ++circuits.tick;
            return c;
        }
        if (c->used < oldest->used)
            oldest = c;
    }
    *oldest = (circuit){.used = ++circuits.tick};
    snprintf(oldest->origin, sizeof oldest->origin, "%s", origin);
    return oldest;
}

/* When its time is over one call is let through, and the others wait for another OPEN_MS. */
static bool closed(const char *origin, int64_t now, int64_t *wait_ms)
{
    pthread_mutex_lock(&circuits.lock);
    circuit *c = circuit_of(origin);
    bool ok = now >= c->until_ms;
    *wait_ms = c->until_ms - now;
    if (ok && c->until_ms)
        c->until_ms = now + OPEN_MS;
    pthread_mutex_unlock(&circuits.lock);
    return ok;
}

static void note(const char *origin, int64_t now, bool failed)
{
    pthread_mutex_lock(&circuits.lock);
    circuit *c = circuit_of(origin);
    c->failures = failed ? c->failures + (c->failures < FAILURES) : 0;
    c->until_ms = c->failures < FAILURES ? 0 : now + OPEN_MS;
    pthread_mutex_unlock(&circuits.lock);
}

/* ---- calls ---- */

static bool busy(int status)
{
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* Half of the doubled pause is certain, half random: many clients that failed together don't come back together. */
static int64_t pause_ms(int try, int64_t retry_after_ms)
{
    uint32_t r = 0;
    if (retry_after_ms >= 0)
        return retry_after_ms;
    int64_t most = PAUSE_MS << (try < 5 ? try : 5);
    most = most > PAUSE_MAX_MS ? PAUSE_MAX_MS : most;
    RAND_bytes((unsigned char *)&r, sizeof r);
    return most / 2 + (int64_t)(r % (uint32_t)(most / 2 + 1));
}

/* Until an answer is final, or tries or time are used up: what was last seen is what the caller gets. */
static rt_code tries(rt_http *h, const rt_http_request *q, rt_http_answer *a, bool *failed, rt_error *err)
{
    const rt_http_clock *clock = h->opt.clock;
    int64_t end = clock->now_ms(clock->ctx) + h->opt.limits.total_ms;
    for (int try = 0;; try++) {
        rt_code code = rt_http_exchange(&h->opt, end - clock->now_ms(clock->ctx), q, a, err);
        *failed = code == RT_IO || (code == RT_OK && busy(a->status));
        bool again = *failed || (code == RT_OK && h->opt.again && h->opt.again(a));
        int64_t wait = pause_ms(try, code == RT_OK ? a->retry_after_ms : -1);
        if (!again || rt_http_ending() || try + 1 >= h->opt.limits.tries || clock->now_ms(clock->ctx) + wait >= end)
            return code;
        if (code == RT_OK)
            rt_http_answer_free(a);
        clock->sleep_ms(clock->ctx, wait);
    }
}

rt_code rt_http_call(rt_http *h, const rt_http_request *q, rt_http_answer *a, rt_error *err)
{
    const rt_http_clock *clock = h->opt.clock;
    char origin[300];
    bool failed;
    int64_t wait_ms;
    *a = (rt_http_answer){.retry_after_ms = -1};
    if (!rt_http_origin(q->url, origin, sizeof origin))
        return rt_fail(err, RT_IO, "a service's address is no plain http or https URL");
    if (!closed(origin, clock->now_ms(clock->ctx), &wait_ms))
        return rt_fail(err, RT_IO, "%s: it failed %d calls in a row and is left alone for another %lld s", origin,
                       FAILURES, (long long)(wait_ms + 999) / 1000);
    rt_code code = tries(h, q, a, &failed, err);
    note(origin, clock->now_ms(clock->ctx), failed);
    return code;
}
