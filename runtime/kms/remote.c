/* remote.c: what the drivers of key services over the network share. */
#include "runtime/kms/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/config.h"

enum { TIMEOUT_MIN_MS = 10, TIMEOUT_MAX_MS = 600000, SHORTEST_SECRET = 4, SAID_MAX = 240 };

static rt_code timeout_of(const kms_remote *r, int *out, rt_error *err)
{
    fl_secret s = kms_param(r, "request.timeout.ms");
    char *end = NULL;
    long ms = s.bytes ? strtol((char *)s.bytes, &end, 10) : 0;
    bool good = !s.bytes || (!*end && ms >= TIMEOUT_MIN_MS && ms <= TIMEOUT_MAX_MS);
    fl_secret_free(&s);
    if (!good)
        return kms_fail(r, err, "request.timeout.ms must be a number of %d to %d", TIMEOUT_MIN_MS, TIMEOUT_MAX_MS);
    if (ms)
        *out = (int)ms;
    return RT_OK;
}

static rt_code readable(const kms_remote *r, const char *path, rt_error *err)
{
    return !path || !access(path, R_OK) ? RT_OK : kms_fail(r, err, "%s: %s", path, strerror(errno));
}

rt_code kms_remote_init(kms_remote *r, const char *type, const char *kek, const char *key_id, const rt_params *params,
                        bool (*again)(const rt_http_answer *a), rt_error *err)
{
    r->type = type;
    r->kek = fl_xstrdup(kek);
    r->key_id = fl_xstrdup(key_id);
    r->params = *params;
    r->slip = fl_xcalloc(1, sizeof *r->slip);
    r->again = again;
    rt_code code = timeout_of(r, &r->limits.total_ms, err);
    r->ca = kms_param(r, "ssl.ca.location");
    if (code == RT_OK)
        code = readable(r, (char *)r->ca.bytes, err);
    return code == RT_OK ? kms_certificate(r, NULL, NULL, err) : code;
}

rt_code kms_certificate(kms_remote *r, const char *cert, const char *key, rt_error *err)
{
    rt_http_options o = {
        .ca_file = (char *)r->ca.bytes, .cert_file = cert, .key_file = key, .limits = r->limits, .again = r->again};
    rt_code code = readable(r, cert, err);
    if (code == RT_OK)
        code = readable(r, key, err);
    if (code != RT_OK)
        return code;
    rt_http_free(r->http);
    r->http = rt_http_new(&o);
    return RT_OK;
}

void kms_remote_end(kms_remote *r)
{
    rt_http_free(r->http);
    for (size_t i = 0; i < r->nsent; i++)
        fl_secret_free(&r->sent[i]);
    fl_secret_free(&r->ca);
    free(r->kek);
    free(r->key_id);
    free(r->slip);
}

rt_http *kms_second_http(kms_remote *r)
{
    rt_http_options o = {.ca_file = (char *)r->ca.bytes, .limits = r->limits, .again = r->again};
    return rt_http_new(&o);
}

rt_http *kms_machine_http(const kms_remote *r)
{
    rt_http_options o = {.ca_file = (char *)r->ca.bytes, .no_proxy = true, .limits = r->limits};
    o.limits.connect_ms = 1500;
    o.limits.tries = 3;
    return rt_http_new(&o);
}

/* ---- parameters ---- */

static fl_secret with_nul(fl_secret s)
{
    fl_secret out = {0};
    if (s.len) {
        out = fl_secret_new(s.len + 1);
        memcpy(out.bytes, s.bytes, s.len);
        out.len = s.len; /* freed by address */
        if (strlen((char *)out.bytes) != s.len)
            fl_secret_free(&out); /* a NUL inside: no name, URL or token */
    }
    fl_secret_free(&s);
    return out;
}

fl_secret kms_param(const kms_remote *r, const char *name)
{
    rt_error why;
    fl_secret s = r->params.get ? with_nul(r->params.get(r->params.ctx, r->kek, name)) : (fl_secret){0};
    if (s.bytes)
        return s;
    if (r->params.check && r->params.check(r->params.ctx, r->kek, name, &why) != RT_OK) {
        rt_fail(r->slip, RT_NO_KEY, "parameter %s: %s", name, why.message);
        return s;
    }
    /* without a plan the settings don't know the type, so not whose variable is meant where two KMSs have the name */
    const char *variable = rt_param_env(NULL, name) ? NULL : rt_param_env(r->type, name);
    return variable ? kms_env(r, variable) : s;
}

fl_secret kms_env(const kms_remote *r, const char *name)
{
    return r->params.env ? with_nul(r->params.env(r->params.ctx, name)) : (fl_secret){0};
}

void kms_keep(kms_remote *r, const fl_secret *secret)
{
    if (secret->len < SHORTEST_SECRET)
        return;
    for (size_t i = 0; i < r->nsent; i++)
        if (fl_secret_eq(&r->sent[i], secret))
            return;
    if (r->nsent == KMS_SECRETS) { /* the oldest goes: tokens come and go */
        fl_secret_free(&r->sent[0]);
        memmove(r->sent, r->sent + 1, (KMS_SECRETS - 1) * sizeof r->sent[0]);
        r->nsent--;
    }
    r->sent[r->nsent++] = fl_secret_copy(secret->bytes, secret->len);
}

bool kms_same(const fl_secret *a, const fl_secret *b)
{
    return a->bytes && b->bytes && fl_secret_eq(a, b);
}

rt_code kms_token_file(const kms_remote *r, const char *path, fl_secret *out, rt_error *err)
{
    fl_secret text;
    rt_error why;
    *out = (fl_secret){0};
    if (rt_config_read_secret(path, &text, &why) != RT_OK)
        return kms_fail(r, err, "the token file: %s", why.message);
    const char *from = (char *)text.bytes + strspn((char *)text.bytes, " \t\r\n");
    size_t n = strcspn(from, " \t\r\n");
    if (n)
        *out = with_nul(fl_secret_copy(from, n));
    fl_secret_free(&text);
    return out->bytes ? RT_OK : kms_fail(r, err, "the token file %s is empty", path);
}

/* ---- refusals ---- */

rt_code kms_fail(const kms_remote *r, rt_error *err, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    /* what a slip leads to is not the reason */
    return rt_fail(err, RT_NO_KEY, "KEK %s (%s): %s", r->kek, r->type, r->slip->code ? r->slip->message : text);
}

rt_code kms_call(kms_remote *r, rt_http *http, const rt_http_request *q, rt_http_answer *a, rt_error *err)
{
    rt_error why = {0};
    if (r->slip->code != RT_OK)
        return kms_fail(r, err, "a parameter cannot be had");
    rt_code code = rt_http_call(http, q, a, &why);
    return code == RT_OK ? code : rt_fail(err, code, "KEK %s (%s): %s", r->kek, r->type, why.message);
}

static const struct wording {
    const char *text, *hint;
} wordings[] = {
    [KMS_CREDENTIALS] = {"the credentials are refused: they are wrong, unknown or revoked", ""},
    [KMS_EXPIRED] = {"the token or session has expired", "; renew it"},
    [KMS_DENIED] = {"access denied: the credentials lack the right", ""},
    [KMS_NO_KEY] = {"there is no such key", "; is the key id right?"},
    [KMS_DISABLED] = {"the key is disabled or about to be deleted", "; enable it first"},
    [KMS_TAMPERED] = {"the wrapped key does not open: it is damaged, or was wrapped under another key", ""},
    [KMS_THROTTLED] = {"throttled: the service refuses so many calls, and went on doing so", "; try later"},
    [KMS_UNAVAILABLE] = {"the service is not available", "; try later"},
    [KMS_ODD] = {"the service refuses", ""},
};

/* What a service said, if it repeats no secret. A copy on the stack is fit for a message: it holds none. */
static bool said(const kms_remote *r, const fl_secret *part, char out[SAID_MAX])
{
    *out = 0;
    if (!part || !part->len)
        return false;
    for (size_t i = 0; i < r->nsent; i++)
        if (memmem(part->bytes, part->len, r->sent[i].bytes, r->sent[i].len))
            return false;
    fl_buf b;
    fl_buf_init(&b, 4 * SAID_MAX);
    fl_buf_add_shown(&b, (char *)part->bytes, part->len < SAID_MAX ? part->len : SAID_MAX - 1);
    snprintf(out, SAID_MAX, "%s", b.p ? b.p : "");
    fl_buf_free(&b);
    return true;
}

rt_code kms_refused(const kms_remote *r, kms_problem p, const char *what, int status, const fl_secret *code,
                    const fl_secret *text, rt_error *err)
{
    char a[SAID_MAX], b[SAID_MAX];
    bool more = said(r, code, a), most = said(r, text, b);
    return rt_fail(err, p == KMS_THROTTLED || p == KMS_UNAVAILABLE ? RT_IO : RT_NO_KEY,
                   "KEK %s (%s), key %s: %s%s%s%s (HTTP %d%s%s%s%s)", r->kek, r->type, r->key_id, what ? what : "",
                   what ? ": " : "", wordings[p].text, wordings[p].hint, status, more ? ", " : "", a, most ? ": " : "",
                   b);
}

kms_problem kms_by_status(int status)
{
    return status == 401   ? KMS_CREDENTIALS
           : status == 403 ? KMS_DENIED
           : status == 404 ? KMS_NO_KEY
           : status == 429 ? KMS_THROTTLED
           : status >= 500 ? KMS_UNAVAILABLE
                           : KMS_ODD;
}

/* ---- texts ---- */

fl_secret kms_join(const fl_secret *const *parts, size_t n)
{
    size_t len = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        len += parts[i]->len;
    fl_secret out = fl_secret_new(len + 1);
    for (size_t i = 0; i < n; i++) {
        if (parts[i]->len)
            memcpy(out.bytes + at, parts[i]->bytes, parts[i]->len);
        at += parts[i]->len;
    }
    out.len = len; /* freed by address; a NUL follows */
    return out;
}

fl_secret kms_lit(const char *s)
{
    return with_nul(fl_secret_copy(s, strlen(s)));
}
