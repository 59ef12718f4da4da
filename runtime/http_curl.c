/* http_curl.c: one HTTP exchange over libcurl. Handles are kept for their open connections: libcurl gives a connection
 * only to a call with the same TLS files. */
#include "runtime/http_curl.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { IDLE_MAX = 8, BODY_FIRST = 16 << 10, SECURE_TOP = 1 << 20, RETRY_AFTER_MAX_S = 86400 };

static struct {
    pthread_mutex_t lock;
    CURL *idle[IDLE_MAX];
    size_t n;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        fl_die(FL_COULD_NOT_RUN, "libcurl cannot be set up");
}

/* NULL: no memory. */
static CURL *take(void)
{
    pthread_once(&once, set_up);
    pthread_mutex_lock(&pool.lock);
    CURL *c = pool.n ? pool.idle[--pool.n] : NULL;
    pthread_mutex_unlock(&pool.lock);
    return c ? c : curl_easy_init();
}

/* reset: options hold pointers into the request and the answer. Where there is no memory for it libcurl (7.88) leaves
 * defaults out, without a word: no buffer to read into, no CAs. So a handle that failed is not kept, and these are set
 * for each call. */
static void give(CURL *c, bool failed)
{
    curl_easy_reset(c);
    pthread_mutex_lock(&pool.lock);
    bool kept = !failed && pool.n < IDLE_MAX;
    if (kept)
        pool.idle[pool.n++] = c;
    pthread_mutex_unlock(&pool.lock);
    if (!kept)
        curl_easy_cleanup(c);
}

void rt_http_disconnect(void)
{
    pthread_mutex_lock(&pool.lock);
    while (pool.n)
        curl_easy_cleanup(pool.idle[--pool.n]);
    pthread_mutex_unlock(&pool.lock);
}

typedef struct exchange {
    rt_http_answer *a;
    size_t room, max;
    bool too_long;
} exchange;

/* The heap for secrets is small. Both kinds are wiped and freed by fl_secret_free. */
static fl_secret body_of(size_t room)
{
    if (room <= SECURE_TOP)
        return fl_secret_new(room);
    fl_secret s = {OPENSSL_zalloc(room), room};
    if (!s.bytes)
        fl_die(FL_COULD_NOT_RUN, "out of memory: %zu bytes for an answer", room);
    return s;
}

/* Doubles; the shorter copy is wiped. One byte stays for the NUL. */
static void grow(exchange *x, size_t need)
{
    size_t room = x->room ? x->room : BODY_FIRST;
    while (room < need + 1)
        room *= 2;
    if (room == x->room)
        return;
    fl_secret longer = body_of(room);
    size_t have = x->a->body.len;
    if (have)
        memcpy(longer.bytes, x->a->body.bytes, have);
    fl_secret_free(&x->a->body);
    longer.len = have; /* freed by address; the rest is zeros */
    x->a->body = longer;
    x->room = room;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    exchange *x = ctx;
    fl_secret *body = &x->a->body;
    n *= size;
    if (n > x->max - body->len) {
        x->too_long = true;
        return n + 1; /* ends the transfer */
    }
    grow(x, body->len + n);
    memcpy(body->bytes + body->len, p, n);
    body->len += n;
    body->bytes[body->len] = 0;
    return n;
}

/* Retry-After: seconds, or a date. */
static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    static const char name[] = "retry-after:";
    exchange *x = ctx;
    size_t len = n * size, skip = sizeof name - 1;
    char value[64];
    if (len <= skip || strncasecmp(p, name, skip) != 0 || len - skip >= sizeof value)
        return len;
    memcpy(value, p + skip, len - skip);
    value[len - skip] = 0;
    char *s = value + strspn(value, " \t"), *end;
    long long seconds = strtoll(s, &end, 10);
    if (end == s || end[strspn(end, " \t\r\n")]) {
        time_t at = curl_getdate(s, NULL);
        seconds = at == -1 ? -1 : (long long)at - (long long)time(NULL);
        if (at != -1 && seconds < 0)
            seconds = 0;
    }
    if (seconds >= 0)
        x->a->retry_after_ms = 1000 * (int64_t)(seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds);
    return len;
}

/* Without memory libcurl leaves an option as it was: a call without its CA would trust others. So there is no call. */
#define SET(option, value) (ok = ok && curl_easy_setopt(c, option, value) == CURLE_OK)

static bool set_trust(CURL *c, const rt_http_options *o)
{
    bool ok = true;
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (o->ca_file) { /* instead of the system's, not besides */
        SET(CURLOPT_CAINFO, o->ca_file);
        SET(CURLOPT_CAPATH, NULL);
    } else {
        const curl_version_info_data *own = curl_version_info(CURLVERSION_NOW);
        SET(CURLOPT_CAINFO, own->cainfo);
        SET(CURLOPT_CAPATH, own->capath);
    }
    if (o->cert_file)
        SET(CURLOPT_SSLCERT, o->cert_file);
    if (o->key_file)
        SET(CURLOPT_SSLKEY, o->key_file);
    if (o->no_proxy)
        SET(CURLOPT_NOPROXY, "*");
    return ok;
}

static int on_progress(void *ctx, curl_off_t all_in, curl_off_t in, curl_off_t all_out, curl_off_t out)
{
    return rt_http_ending();
}

static bool set_limits(CURL *c, const rt_http_options *o, int64_t budget_ms)
{
    long whole = budget_ms < o->limits.attempt_ms ? (long)budget_ms : o->limits.attempt_ms;
    bool ok = true;
    SET(CURLOPT_TIMEOUT_MS, whole > 1 ? whole : 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)o->limits.connect_ms);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_BUFFERSIZE, (long)CURL_MAX_WRITE_SIZE);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress); /* at least once a second */
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_USERAGENT, "flec/" FLEC_VERSION);
    return ok;
}

/* The list is ours: libcurl would copy each header into ordinary memory. No header is ever removed ("Expect:"): bodies
 * are too short for libcurl to add that one. */
static bool set_request(CURL *c, const rt_http_request *q, struct curl_slist list[RT_HTTP_HEADERS])
{
    bool ok = true;
    for (size_t i = 0; i < q->nheaders; i++)
        list[i] = (struct curl_slist){(char *)q->header[i].bytes, i + 1 < q->nheaders ? &list[i + 1] : NULL};
    SET(CURLOPT_URL, q->url);
    SET(CURLOPT_HTTPHEADER, q->nheaders ? list : NULL);
    if (!strcmp(q->method, "GET"))
        return ok;
    if (!strcmp(q->method, "PUT"))
        SET(CURLOPT_CUSTOMREQUEST, "PUT");
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, q->body.len ? (char *)q->body.bytes : "");
    SET(CURLOPT_POSTFIELDSIZE, (long)q->body.len);
    return ok;
}

static bool set_answer(CURL *c, exchange *x, char detail[CURL_ERROR_SIZE])
{
    bool ok = true;
    SET(CURLOPT_ERRORBUFFER, detail);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, x);
    return ok;
}

/* OpenSSL writes to a connection that the server closed, and libcurl keeps its hands off signals (NOSIGNAL): without
 * this the process would die of SIGPIPE. It is taken back here, so that a closed standard output still ends the
 * program. */
static CURLcode perform(CURL *c)
{
    sigset_t pipe, old, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    CURLcode code = curl_easy_perform(c);
    while (!sigismember(&pending, SIGPIPE) && sigtimedwait(&pipe, NULL, &(struct timespec){0, 0}) == SIGPIPE)
        ;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return code;
}

static rt_code no_answer(const exchange *x, CURLcode code, const char *detail, const char *url, rt_error *err)
{
    char origin[300] = "";
    rt_http_origin(url, origin, sizeof origin);
    if (x->too_long)
        return rt_fail(err, RT_NO_KEY, "%s: the answer is longer than %zu bytes", origin, x->max);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return rt_fail(err, RT_IO, "%s: time-out: no whole answer in time", origin);
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM)
        return rt_fail(err, RT_NO_KEY, "%s: TLS: %s", origin, *detail ? detail : curl_easy_strerror(code));
    return rt_fail(err, RT_IO, "%s: %s", origin, *detail ? detail : curl_easy_strerror(code));
}

rt_code rt_http_exchange(const rt_http_options *opt, int64_t budget_ms, const rt_http_request *q, rt_http_answer *a,
                         rt_error *err)
{
    CURL *c = take();
    struct curl_slist list[RT_HTTP_HEADERS];
    char detail[CURL_ERROR_SIZE] = "", origin[300] = "";
    long status = 0;
    exchange x = {.a = a, .max = opt->limits.answer_max};
    *a = (rt_http_answer){.retry_after_ms = -1};
    if (!c)
        return rt_fail(err, RT_IO, "out of memory for a call over HTTP");
    grow(&x, 0);
    bool ready =
        set_trust(c, opt) && set_limits(c, opt, budget_ms) && set_request(c, q, list) && set_answer(c, &x, detail);
    CURLcode code = ready ? perform(c) : CURLE_OUT_OF_MEMORY;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    give(c, code != CURLE_OK);
    a->status = (int)status;
    if (code == CURLE_OK && (status < 300 || status >= 400))
        return RT_OK;
    rt_http_answer_free(a);
    if (code != CURLE_OK)
        return no_answer(&x, code, detail, q->url, err);
    rt_http_origin(q->url, origin, sizeof origin);
    return rt_fail(err, RT_NO_KEY, "%s: it answers with a redirect (HTTP %ld), which flec does not follow", origin,
                   status);
}
