/* http.h: the one way of runtime/ to the network over HTTP: for the KMS drivers, over libcurl.
 *
 * A client (rt_http) is one service: its TLS files and limits. Several threads may call one client. Certificates and
 * host names are always verified (TLS 1.2 or later), nothing is redirected, and an answer has a largest size. Statuses
 * 429, 500, 502, 503, 504 and calls without an answer are tried again after a random pause that doubles, or as long as
 * Retry-After says, within one limit for the whole. An origin (scheme, host, port) whose calls fail five times in a row
 * is left alone for 30 s, then one call tries it: the state is the process's.
 *
 * A proxy is taken from the environment as libcurl does (https_proxy, http_proxy, no_proxy, …), unless the client says
 * no_proxy. Messages name the origin, never a path, header or body. Headers and bodies are secrets: their own copies
 * here are wiped. What libcurl and OpenSSL hold of them while a call lasts lies in ordinary memory. */
#ifndef FLEC_RUNTIME_HTTP_H
#define FLEC_RUNTIME_HTTP_H

#include "runtime/error.h"

typedef struct rt_http rt_http;

typedef struct rt_http_answer {
    int status;
    fl_secret body;         /* followed by a NUL that is not counted; at most answer_max bytes */
    int64_t retry_after_ms; /* -1: the answer names none */
} rt_http_answer;

/* 0: what the comment says. */
typedef struct rt_http_limits {
    int connect_ms;    /* 5000 */
    int attempt_ms;    /* 10000: one try, connecting included */
    int total_ms;      /* 30000: all tries and pauses */
    int tries;         /* 4 */
    size_t answer_max; /* 64 KiB; at most 32 MiB. What grows beyond 1 MiB lies in ordinary memory, and is wiped, too */
} rt_http_limits;

/* For tests: the clock and the pause. */
typedef struct rt_http_clock {
    int64_t (*now_ms)(void *ctx); /* monotonic */
    void (*sleep_ms)(void *ctx, int64_t ms);
    void *ctx;
} rt_http_clock;

typedef struct rt_http_options {
    const char *ca_file;              /* PEM, instead of the system's CAs; or NULL */
    const char *cert_file, *key_file; /* PEM, the client's certificate; or NULL. key_file NULL: it is in cert_file */
    bool no_proxy;
    rt_http_limits limits;
    bool (*again)(const rt_http_answer *a); /* further answers that are worth another try; or NULL */
    const rt_http_clock *clock;             /* NULL: the system's */
} rt_http_options;

/* Copies its options. Calls no one. */
rt_http *rt_http_new(const rt_http_options *opt);
void rt_http_free(rt_http *h); /* NULL is allowed */

#define RT_HTTP_HEADERS 12
typedef struct rt_http_request {
    const char *method; /* "GET", "POST" or "PUT" */
    const char *url;    /* http or https, without user or password in it */
    fl_secret header[RT_HTTP_HEADERS];
    size_t nheaders;
    fl_secret body; /* of a POST or PUT */
} rt_http_request;

/* Adds "NAME: VALUE". A value with a control character is refused (false): it would be another header. */
bool rt_http_header(rt_http_request *q, const char *name, const char *value, size_t n);
void rt_http_request_free(rt_http_request *q); /* headers and body */
void rt_http_answer_free(rt_http_answer *a);

/* RT_OK: *a is the last answer, whatever its status but 3xx; the caller frees it. RT_IO: no answer this
 * time, with why. RT_NO_KEY: none that could count, however often it is tried: a certificate that does not verify, a
 * redirect, an answer that is too long. */
rt_code rt_http_call(rt_http *h, const rt_http_request *q, rt_http_answer *a, rt_error *err);

/* The process is about to end: calls that are under way fail within about a second, later ones at once. */
void rt_http_end(void);
bool rt_http_ending(void);

/* "https://HOST:PORT" of a url, as messages and the circuits name it. false: it is no http(s) url, or has a user in it.
 */
bool rt_http_origin(const char *url, char *out, size_t room);
/* Appends s with all but letters, digits and -._~ percent-encoded; `also` is a set of further characters kept as they
 * are. */
void rt_http_escape(fl_buf *b, const char *s, const char *also);

#endif
