/* aws_machine.c: credentials of a container's or a machine's own service. */
#include "runtime/kms/aws_machine.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CONTAINERS "http://169.254.170.2"
#define METADATA   "http://169.254.169.254"
#define ROLES      "/latest/meta-data/iam/security-credentials/"
enum { ROLE_MAX = 256 };

/* Whether credentials may come from here: TLS, or a host that no network in between can stand for. */
static bool trusted(const char *url)
{
    static const char *const hosts[] = {"localhost",      "127.0.0.1",      "[::1]",           "169.254.170.2",
                                        "169.254.170.23", "[fd00:ec2::23]", "169.254.169.254", "[fd00:ec2::254]"};
    char origin[300];
    if (!rt_http_origin(url, origin, sizeof origin))
        return false;
    if (!strncmp(origin, "https://", 8))
        return true;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t n = strlen(hosts[i]);
        if (!strncasecmp(origin + 7, hosts[i], n) && (!origin[7 + n] || origin[7 + n] == ':'))
            return true;
    }
    return false;
}

/* Seconds until "2026-11-24T19:00:00Z"; 0: it is past, or no such time. */
static int64_t life_of(const rt_http_answer *a)
{
    fl_secret text;
    struct tm t = {0};
    int64_t life = 0;
    if (!kms_json_text(&a->body, "Expiration", &text))
        return 0;
    const char *rest = strptime((char *)text.bytes, "%Y-%m-%dT%H:%M:%S", &t);
    if (rest && (*rest == 'Z' || *rest == '.'))
        life = (int64_t)timegm(&t) - (int64_t)time(NULL);
    fl_secret_free(&text);
    return life > 0 ? life : 0;
}

static rt_code read_credentials(kms_remote *r, const char *what, const rt_http_answer *a, aws_identity *out,
                                rt_error *err)
{
    aws_credentials *c = &out->c;
    if (!kms_json_text(&a->body, "AccessKeyId", &c->id) || !kms_json_text(&a->body, "SecretAccessKey", &c->secret) ||
        !kms_json_text(&a->body, "Token", &c->token) || !c->id.len || !c->secret.len || !c->token.len)
        return kms_fail(r, err, "%s: an answer without credentials", what);
    kms_keep(r, &c->secret);
    kms_keep(r, &c->token);
    int64_t life = life_of(a);
    if (life)
        aws_session_keep(out, life);
    return RT_OK;
}

/* ---- containers: one GET ---- */

/* AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE is read for each request: its token is replaced over time. */
static rt_code authorization(kms_remote *r, fl_secret *out, rt_error *err)
{
    fl_secret file = kms_env(r, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    rt_code code = file.bytes ? kms_token_file(r, (char *)file.bytes, out, err) : RT_OK;
    if (!file.bytes)
        *out = kms_env(r, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    fl_secret_free(&file);
    kms_keep(r, out);
    return code;
}

static rt_code ask_container(kms_remote *r, const char *url, aws_identity *out, rt_error *err)
{
    rt_http_request q = {.method = "GET", .url = url};
    rt_http_answer a;
    fl_secret token = {0};
    rt_code code = authorization(r, &token, err);
    if (code == RT_OK && token.bytes && !rt_http_header(&q, "Authorization", (char *)token.bytes, token.len))
        code = kms_fail(r, err, "the container's authorization token holds a control character");
    if (code == RT_OK) {
        rt_http *http = kms_machine_http(r);
        code = kms_call(r, http, &q, &a, err);
        rt_http_free(http);
        if (code == RT_OK) {
            code = a.status == 200 ? read_credentials(r, "the container's credentials", &a, out, err)
                                   : kms_refused(r, a.status >= 500 ? KMS_UNAVAILABLE : KMS_CREDENTIALS,
                                                 "the container's credentials", a.status, NULL, NULL, err);
            rt_http_answer_free(&a);
        }
    }
    rt_http_request_free(&q);
    fl_secret_free(&token);
    return code;
}

static rt_code from_container(kms_remote *r, const char *url, aws_identity *out, rt_error *err)
{
    const fl_secret *parts[] = {KMS_TEXT("container"), KMS_TEXT(url)};
    if (!trusted(url))
        return kms_fail(r, err,
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or plain http on loopback or one of AWS's "
                        "own addresses (169.254.170.2, 169.254.170.23, [fd00:ec2::23])");
    out->id = kms_token_of(parts, sizeof parts / sizeof parts[0]);
    return aws_session_kept(out) ? RT_OK : ask_container(r, url, out, err);
}

/* ---- EC2: a token, the role's name, its credentials ---- */

/* The answer's body is the caller's. */
static rt_code ask_metadata(kms_remote *r, rt_http *http, const char *method, const char *url, const char *name,
                            const fl_secret *value, rt_http_answer *a, rt_error *err)
{
    rt_http_request q = {.method = method, .url = url};
    rt_code code = rt_http_header(&q, name, (char *)value->bytes, value->len)
                       ? kms_call(r, http, &q, a, err)
                       : kms_fail(r, err, "the metadata service: a token with a control character");
    if (code == RT_OK && a->status != 200) {
        code = a->status == 404
                   ? kms_fail(r, err, "no credentials for AWS: the metadata service knows no role of this machine")
                   : kms_refused(r, a->status >= 500 ? KMS_UNAVAILABLE : KMS_CREDENTIALS, "the metadata service",
                                 a->status, NULL, NULL, err);
        rt_http_answer_free(a);
    }
    rt_http_request_free(&q);
    return code;
}

/* A role's name goes into a path: letters, digits and +=,.@_- alone, as IAM has them. */
static bool role_name(const rt_http_answer *a, char out[ROLE_MAX])
{
    const char *s = (char *)a->body.bytes;
    size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-") : 0;
    if (!n || n >= ROLE_MAX || (s[n] && s[n] != '\n' && s[n] != '\r') || s[0] == '.')
        return false;
    memcpy(out, s, n);
    out[n] = 0;
    return true;
}

static rt_code ask_role(kms_remote *r, rt_http *http, const char *base, const fl_secret *token, aws_identity *out,
                        rt_error *err)
{
    static const char name[] = "X-aws-ec2-metadata-token";
    char url[700], role[ROLE_MAX];
    rt_http_answer a;
    snprintf(url, sizeof url, "%s" ROLES, base);
    rt_code code = ask_metadata(r, http, "GET", url, name, token, &a, err);
    if (code != RT_OK)
        return code;
    bool good = role_name(&a, role);
    rt_http_answer_free(&a);
    if (!good)
        return kms_fail(r, err, "the metadata service: an answer without the name of a role");
    snprintf(url, sizeof url, "%s" ROLES "%s", base, role);
    code = ask_metadata(r, http, "GET", url, name, token, &a, err);
    if (code == RT_OK) {
        code = read_credentials(r, "the metadata service", &a, out, err);
        rt_http_answer_free(&a);
    }
    return code;
}

/* Version 2 alone: the first version answers whoever can make this machine send a GET. */
static rt_code ask_machine(kms_remote *r, const char *base, aws_identity *out, rt_error *err)
{
    char url[400];
    rt_http_answer a;
    rt_http *http = kms_machine_http(r);
    snprintf(url, sizeof url, "%s/latest/api/token", base);
    rt_code code = ask_metadata(r, http, "PUT", url, "X-aws-ec2-metadata-token-ttl-seconds", KMS_TEXT("300"), &a, err);
    if (code == RT_OK) {
        kms_keep(r, &a.body);
        code = ask_role(r, http, base, &a.body, out, err);
        rt_http_answer_free(&a);
    }
    rt_http_free(http);
    return code;
}

static rt_code from_machine(kms_remote *r, const char *base, aws_identity *out, rt_error *err)
{
    const fl_secret *parts[] = {KMS_TEXT("machine"), KMS_TEXT(base)};
    rt_error why = {0};
    if (!trusted(base))
        return kms_fail(r, err,
                        "AWS_EC2_METADATA_SERVICE_ENDPOINT must be https, or plain http on loopback, 169.254.169.254 "
                        "or [fd00:ec2::254]");
    out->id = kms_token_of(parts, sizeof parts / sizeof parts[0]);
    if (aws_session_kept(out))
        return RT_OK;
    rt_code code = ask_machine(r, base, out, &why);
    if (code == RT_IO) /* mostly a machine that is none of Amazon's: what to set is the message */
        return rt_fail(err, code, "%s; no other credentials for AWS are set (docs/kms.md)", why.message);
    return code == RT_OK ? code : rt_fail(err, code, "%s", why.message);
}

/* ---- which of them ---- */

static fl_secret machine_base(const kms_remote *r)
{
    fl_secret own = kms_env(r, "AWS_EC2_METADATA_SERVICE_ENDPOINT"), mode;
    if (own.bytes) {
        if (own.bytes[own.len - 1] == '/')
            own.bytes[--own.len] = 0;
        return own;
    }
    mode = kms_env(r, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    bool six = mode.bytes && !strcasecmp((char *)mode.bytes, "ipv6");
    fl_secret_free(&mode);
    return kms_lit(six ? "http://[fd00:ec2::254]" : METADATA);
}

static bool machine_off(const kms_remote *r)
{
    fl_secret s = kms_env(r, "AWS_EC2_METADATA_DISABLED");
    bool off = s.bytes && !strcasecmp((char *)s.bytes, "true");
    fl_secret_free(&s);
    return off;
}

rt_code aws_machine_find(kms_remote *r, aws_identity *out, rt_error *err)
{
    fl_secret path = kms_env(r, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), url = {0};
    bool container = true;
    if (path.bytes)
        url = KMS_JOIN(KMS_TEXT(CONTAINERS), path.bytes[0] == '/' ? KMS_TEXT("") : KMS_TEXT("/"), &path);
    else
        url = kms_env(r, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    fl_secret_free(&path);
    if (!url.bytes) {
        container = false;
        if (machine_off(r))
            return RT_NOT_FOUND;
        url = machine_base(r);
    }
    rt_code code =
        container ? from_container(r, (char *)url.bytes, out, err) : from_machine(r, (char *)url.bytes, out, err);
    fl_secret_free(&url);
    return code;
}
