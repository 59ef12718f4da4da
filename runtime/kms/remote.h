/* remote.h: what the drivers of key services over the network share: parameters, calls, and one wording for each way in
 * which a service refuses. Every failure is RT_NO_KEY, or RT_IO where the service could not be asked this time: exit
 * status 4. A message holds the KEK, the key id, what the service said, and none of the secrets that were sent. */
#ifndef FLEC_RUNTIME_KMS_REMOTE_H
#define FLEC_RUNTIME_KMS_REMOTE_H

#include "runtime/drivers.h"
#include "runtime/http.h"
#include "runtime/kms/answer.h"
#include "runtime/kms/tokens.h"

#define KMS_SECRETS 8

typedef struct kms_remote {
    rt_kms kms;
    const char *type; /* "aws-kms" */
    char *kek, *key_id;
    rt_params params;
    rt_http_limits limits; /* of every call */
    bool (*again)(const rt_http_answer *a);
    fl_secret ca; /* the path of a PEM file, or none */
    rt_http *http;
    fl_secret sent[KMS_SECRETS]; /* what no message may repeat */
    size_t nsent;
    rt_error *slip; /* a parameter that is set and cannot be had; code RT_OK: none. Nothing is called with one */
} kms_remote;

typedef enum {
    KMS_CREDENTIALS, /* wrong, unknown, revoked */
    KMS_EXPIRED,     /* a token or session that was good */
    KMS_DENIED,      /* who asks is known and may not */
    KMS_NO_KEY,      /* there is no such key */
    KMS_DISABLED,    /* the key is disabled or on its way out */
    KMS_TAMPERED,    /* the wrapped key does not open */
    KMS_THROTTLED,
    KMS_UNAVAILABLE,
    KMS_ODD /* anything else */
} kms_problem;

/* Copies its texts; params->ctx must outlive r. `again` as in rt_http_options. Reads two parameters:
 * request.timeout.ms, the limit of a whole call, and ssl.ca.location, a PEM file in place of the system's CAs. */
rt_code kms_remote_init(kms_remote *r, const char *type, const char *kek, const char *key_id, const rt_params *params,
                        bool (*again)(const rt_http_answer *a), rt_error *err);
/* Before the first call: a client certificate, PEM files or NULL. RT_NO_KEY if one cannot be read. */
rt_code kms_certificate(kms_remote *r, const char *cert, const char *key, rt_error *err);
void kms_remote_end(kms_remote *r); /* all but r itself */

/* A client for another host of the same service (a token endpoint), with the CAs and limits of r. */
rt_http *kms_second_http(kms_remote *r);

/* For a service of this very machine or container (credentials, metadata): never through a proxy, and given up soon
 * where none is: three tries of 1.5 s to connect. */
rt_http *kms_machine_http(const kms_remote *r);

/* A parameter, or a variable of the environment, followed by a NUL that is not counted. bytes NULL: absent or empty.
 * kms_param remembers nothing: call kms_keep for what is secret. The caller frees. */
fl_secret kms_param(const kms_remote *r, const char *name);
fl_secret kms_env(const kms_remote *r, const char *name);
/* The value is secret: no message of r repeats it. */
void kms_keep(kms_remote *r, const fl_secret *secret);
bool kms_same(const fl_secret *a, const fl_secret *b); /* both there, and equal */

/* A file that holds a token: its text without white space around it. */
rt_code kms_token_file(const kms_remote *r, const char *path, fl_secret *out, rt_error *err);

/* rt_http_call with the KEK in front of its message. */
rt_code kms_call(kms_remote *r, rt_http *http, const rt_http_request *q, rt_http_answer *a, rt_error *err);
/* Fills err: what happened, and in brackets what the service said. code, text: parts of its answer, or NULL. what: whom
 * the refusal came from, as "Entra ID"; NULL: the key service. */
rt_code kms_refused(const kms_remote *r, kms_problem p, const char *what, int status, const fl_secret *code,
                    const fl_secret *text, rt_error *err);
/* By status alone. */
kms_problem kms_by_status(int status);
rt_code kms_fail(const kms_remote *r, rt_error *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A text in the heap for secrets, put together. */
fl_secret kms_join(const fl_secret *const *parts, size_t n);
fl_secret kms_lit(const char *s); /* of a text that is none */
#define KMS_JOIN(...)                                                                                                  \
    kms_join((const fl_secret *const[]){__VA_ARGS__},                                                                  \
             sizeof((const fl_secret *const[]){__VA_ARGS__}) / sizeof(const fl_secret *))
/* A view of a literal as a part of KMS_JOIN: nothing to free. */
#define KMS_TEXT(s) (&(fl_secret){(uint8_t *)(s), strlen(s)})

#endif
