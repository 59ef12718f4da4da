/* aws_identity.c: as whom AWS is called. */
#include "runtime/kms/aws_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kms/aws_machine.h"
#include "runtime/kms/aws_profile.h"

enum { SESSION_S = 3600 };

void aws_identity_free(aws_identity *i)
{
    aws_credentials_free(&i->c);
}

fl_secret aws_endpoint(const kms_remote *r, const char *service, const aws_place *p)
{
    fl_secret own = kms_env(r, !strcmp(service, "kms") ? "AWS_ENDPOINT_URL_KMS" : "AWS_ENDPOINT_URL_STS");
    if (!own.bytes)
        own = kms_env(r, "AWS_ENDPOINT_URL");
    if (own.bytes) {
        fl_secret url = KMS_JOIN(&own, own.bytes[own.len - 1] == '/' ? KMS_TEXT("") : KMS_TEXT("/"));
        fl_secret_free(&own);
        return url;
    }
    return KMS_JOIN(KMS_TEXT("https://"), KMS_TEXT(service), KMS_TEXT("."), KMS_TEXT(p->region), KMS_TEXT("."),
                    KMS_TEXT(p->domain), KMS_TEXT("/"));
}

/* ---- sessions ---- */

/* One text for the table of tokens: the three parts, a line each. */
static fl_secret session_text(const aws_credentials *c)
{
    return KMS_JOIN(&c->id, KMS_TEXT("\n"), &c->secret, KMS_TEXT("\n"), &c->token);
}

static fl_secret part(const char **at)
{
    size_t n = strcspn(*at, "\n");
    fl_secret s = KMS_JOIN(&(fl_secret){(uint8_t *)*at, n});
    *at += n + ((*at)[n] == '\n');
    return s;
}

bool aws_session_kept(aws_identity *i)
{
    fl_secret text;
    i->kept = kms_token_get(&i->id, &text);
    if (!i->kept)
        return false;
    const char *at = (char *)text.bytes;
    i->c.id = part(&at);
    i->c.secret = part(&at);
    i->c.token = part(&at);
    fl_secret_free(&text);
    return true;
}

void aws_session_keep(aws_identity *i, int64_t life_s)
{
    fl_secret text = session_text(&i->c);
    kms_token_put(&i->id, &text, life_s);
    fl_secret_free(&text);
    i->kept = true;
}

void aws_identity_drop(const aws_identity *i)
{
    if (!i->kept)
        return;
    fl_secret text = session_text(&i->c);
    kms_token_drop(&i->id, &text);
    fl_secret_free(&text);
}

static rt_code read_session(kms_remote *r, const rt_http_answer *a, aws_identity *out, rt_error *err)
{
    aws_credentials *c = &out->c;
    if (!kms_xml_text(&a->body, "AccessKeyId", &c->id) || !kms_xml_text(&a->body, "SecretAccessKey", &c->secret) ||
        !kms_xml_text(&a->body, "SessionToken", &c->token) || !c->id.len || !c->secret.len || !c->token.len)
        return kms_fail(r, err, "AWS STS: an answer without credentials");
    aws_session_keep(out, SESSION_S);
    return RT_OK;
}

typedef struct role {
    fl_secret arn, session, external;
} role;

static void role_free(role *x)
{
    fl_secret_free(&x->arn);
    fl_secret_free(&x->session);
    fl_secret_free(&x->external);
}

static void form(fl_buf *b, const char *name, const fl_secret *value)
{
    if (!value->len)
        return;
    fl_buf_addf(b, "&%s=", name);
    rt_http_escape(b, (char *)value->bytes, "");
}

/* Asks STS. base: who signs, or NULL: nobody, a web identity is its own proof. */
static rt_code assume(kms_remote *r, const aws_place *p, const role *x, const fl_secret *web_token,
                      const aws_credentials *base, aws_identity *out, rt_error *err)
{
    rt_http_request q = {.method = "POST"};
    rt_http_answer a;
    fl_buf b;
    fl_buf_init(&b, 32 << 10);
    fl_buf_addf(&b, "Action=%s&Version=2011-06-15&DurationSeconds=%d",
                base ? "AssumeRole" : "AssumeRoleWithWebIdentity", SESSION_S);
    form(&b, "RoleArn", &x->arn);
    form(&b, "RoleSessionName", &x->session);
    form(&b, "ExternalId", &x->external);
    if (web_token)
        form(&b, "WebIdentityToken", web_token);
    fl_secret url = aws_endpoint(r, "sts", p);
    bool ready = !b.full && rt_http_header(&q, "Content-Type", "application/x-www-form-urlencoded", 33);
    q.url = (char *)url.bytes;
    q.body = fl_secret_copy(b.p, b.len);
    fl_buf_wipe(&b);
    ready = ready && (!base || aws_sign(&q, base, p->region, "sts", time(NULL)));
    rt_http *http = kms_second_http(r);
    rt_code code = ready ? kms_call(r, http, &q, &a, err)
                         : kms_fail(r, err, "the request to AWS STS cannot be made: a value is too long or no text");
    if (code == RT_OK) {
        code = a.status == 200 ? read_session(r, &a, out, err) : aws_refused(r, "AWS STS", &a, err);
        rt_http_answer_free(&a);
    }
    rt_http_free(http);
    rt_http_request_free(&q);
    fl_secret_free(&url);
    return code;
}

static role role_of(const kms_remote *r, fl_secret arn)
{
    role x = {arn, kms_param(r, "role.session.name"), kms_param(r, "role.external.id")};
    if (!x.session.bytes)
        x.session = kms_lit("confluent-encrypt");
    return x;
}

static rt_code assume_role(kms_remote *r, const aws_place *p, const role *x, const aws_credentials *base,
                           aws_identity *out, rt_error *err)
{
    fl_secret url = aws_endpoint(r, "sts", p);
    const fl_secret *parts[] = {&url, &x->arn, &x->session, &x->external, &base->id, &base->secret, &base->token};
    out->id = kms_token_of(parts, sizeof parts / sizeof parts[0]);
    fl_secret_free(&url);
    return aws_session_kept(out) ? RT_OK : assume(r, p, x, NULL, base, out, err);
}

static rt_code web_identity(kms_remote *r, const aws_place *p, const char *file, const role *x, aws_identity *out,
                            rt_error *err)
{
    fl_secret url = aws_endpoint(r, "sts", p), token;
    const fl_secret *parts[] = {&url, &x->arn, &x->session, KMS_TEXT(file)};
    out->id = kms_token_of(parts, sizeof parts / sizeof parts[0]);
    fl_secret_free(&url);
    if (aws_session_kept(out))
        return RT_OK;
    rt_code code = kms_token_file(r, file, &token, err);
    if (code != RT_OK)
        return code;
    kms_keep(r, &token);
    code = assume(r, p, x, &token, NULL, out, err);
    fl_secret_free(&token);
    return code;
}

/* ---- the chain ---- */

/* Credentials as parameters and the environment have them, before any role. */
typedef struct chain {
    fl_secret id, secret, profile;                       /* parameters; the environment is behind them */
    fl_secret env_id, env_profile, env_role, token_file; /* variables */
} chain;

static chain chain_read(const kms_remote *r)
{
    return (chain){kms_param(r, "access.key.id"),
                   kms_param(r, "secret.access.key"),
                   kms_param(r, "profile"),
                   kms_env(r, "AWS_ACCESS_KEY_ID"),
                   kms_env(r, "AWS_PROFILE"),
                   kms_env(r, "AWS_ROLE_ARN"),
                   kms_env(r, "AWS_WEB_IDENTITY_TOKEN_FILE")};
}

static void chain_free(chain *c)
{
    fl_secret *all[] = {&c->id, &c->secret, &c->profile, &c->env_id, &c->env_profile, &c->env_role, &c->token_file};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        fl_secret_free(all[i]);
}

/* A profile that the settings name goes before keys of the environment. */
static bool keys_count(const chain *c)
{
    bool own_profile = c->profile.bytes && !kms_same(&c->profile, &c->env_profile);
    bool own_keys = c->id.bytes && !kms_same(&c->id, &c->env_id);
    return (c->id.bytes || c->secret.bytes) && (own_keys || !own_profile);
}

/* AWS_SESSION_TOKEN belongs to the key id beside it, and to no other. */
static rt_code from_keys(kms_remote *r, chain *c, aws_identity *out, rt_error *err)
{
    if (!c->id.bytes || !c->secret.bytes)
        return kms_fail(r, err, "%s is set and %s is not: AWS needs both, or neither",
                        c->id.bytes ? "access.key.id" : "secret.access.key",
                        c->id.bytes ? "secret.access.key" : "access.key.id");
    out->c.id = c->id;
    out->c.secret = c->secret;
    c->id = c->secret = (fl_secret){0};
    out->c.token = kms_param(r, "session.token");
    if (!out->c.token.bytes && kms_same(&out->c.id, &c->env_id))
        out->c.token = kms_env(r, "AWS_SESSION_TOKEN");
    return RT_OK;
}

static rt_code from_web(kms_remote *r, const aws_place *p, chain *c, aws_identity *out, rt_error *err)
{
    if (!c->env_role.bytes)
        return kms_fail(r, err, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
    role x = role_of(r, c->env_role);
    c->env_role = (fl_secret){0};
    rt_code code = web_identity(r, p, (char *)c->token_file.bytes, &x, out, err);
    role_free(&x);
    return code;
}

/* A profile's own keys, or its web identity; its role on top. */
static rt_code from_profile(kms_remote *r, const aws_place *p, const char *name, aws_identity *out, rt_error *err)
{
    aws_profile found = {0};
    rt_code code = aws_profile_read(r, name, &found, err);
    kms_keep(r, &found.keys.secret);
    role x = {found.role_arn, found.session_name, found.external_id};
    if (code == RT_OK && x.arn.bytes && !x.session.bytes)
        x.session = found.session_name = kms_lit("confluent-encrypt");
    if (code == RT_OK && found.token_file.bytes)
        code = web_identity(r, p, (char *)found.token_file.bytes, &x, out, err);
    else if (code == RT_OK && x.arn.bytes)
        code = assume_role(r, p, &x, &found.keys, out, err);
    else if (code == RT_OK) {
        out->c = found.keys;
        found.keys = (aws_credentials){0};
    }
    aws_profile_free(&found);
    return code;
}

static rt_code base_identity(kms_remote *r, const aws_place *p, chain *c, aws_identity *out, rt_error *err)
{
    if (keys_count(c))
        return from_keys(r, c, out, err);
    if (!c->profile.bytes && c->token_file.bytes)
        return from_web(r, p, c, out, err);
    if (c->profile.bytes || aws_profile_has_identity(r, "default"))
        return from_profile(r, p, c->profile.bytes ? (char *)c->profile.bytes : "default", out, err);
    rt_code code = aws_machine_find(r, out, err);
    if (code != RT_NOT_FOUND)
        return code;
    return kms_fail(r, err,
                    "no credentials for AWS: set rule.executors._default_.param.access.key.id and secret.access.key in "
                    "--config, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or "
                    "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN");
}

/* The role that the settings ask for. That of the environment is the web identity's own where there is one: it cannot
 * assume itself. */
static fl_secret role_on_top(const kms_remote *r, const chain *c)
{
    fl_secret arn = kms_param(r, "role.arn");
    if (arn.bytes && c->token_file.bytes && kms_same(&arn, &c->env_role))
        fl_secret_free(&arn);
    return arn;
}

static void keep(kms_remote *r, const aws_credentials *c)
{
    kms_keep(r, &c->secret);
    kms_keep(r, &c->token);
}

rt_code aws_identity_find(kms_remote *r, const aws_place *p, aws_identity *out, rt_error *err)
{
    chain c = chain_read(r);
    aws_identity base = {0};
    fl_secret arn = role_on_top(r, &c);
    *out = (aws_identity){0};
    rt_code code = base_identity(r, p, &c, &base, err);
    keep(r, &base.c);
    if (code == RT_OK && arn.bytes) {
        role x = role_of(r, arn);
        arn = (fl_secret){0};
        code = assume_role(r, p, &x, &base.c, out, err);
        keep(r, &out->c);
        role_free(&x);
    } else if (code == RT_OK) {
        *out = base;
        base = (aws_identity){0};
    }
    aws_identity_free(&base);
    fl_secret_free(&arn);
    chain_free(&c);
    if (code != RT_OK)
        aws_identity_free(out);
    return code;
}

/* ---- what AWS refuses ---- */

static const struct code {
    const char *code;
    kms_problem problem;
} codes[] = {
    {"AccessDenied", KMS_DENIED},
    {"AccessDeniedException", KMS_DENIED},
    {"UnrecognizedClientException", KMS_CREDENTIALS},
    {"InvalidClientTokenId", KMS_CREDENTIALS},
    {"InvalidAccessKeyId", KMS_CREDENTIALS},
    {"SignatureDoesNotMatch", KMS_CREDENTIALS},
    {"InvalidSignatureException", KMS_CREDENTIALS},
    {"IncompleteSignature", KMS_CREDENTIALS},
    {"IncompleteSignatureException", KMS_CREDENTIALS},
    {"MissingAuthenticationToken", KMS_CREDENTIALS},
    {"MissingAuthenticationTokenException", KMS_CREDENTIALS},
    {"AuthFailure", KMS_CREDENTIALS},
    {"InvalidIdentityToken", KMS_CREDENTIALS},
    {"ExpiredToken", KMS_EXPIRED},
    {"ExpiredTokenException", KMS_EXPIRED},
    {"RequestExpired", KMS_EXPIRED},
    {"NotFoundException", KMS_NO_KEY},
    {"DisabledException", KMS_DISABLED},
    {"KMSInvalidStateException", KMS_DISABLED},
    {"InvalidCiphertextException", KMS_TAMPERED},
    {"IncorrectKeyException", KMS_TAMPERED},
    {"Throttling", KMS_THROTTLED},
    {"ThrottlingException", KMS_THROTTLED},
    {"ThrottledException", KMS_THROTTLED},
    {"RequestLimitExceeded", KMS_THROTTLED},
    {"TooManyRequestsException", KMS_THROTTLED},
    {"LimitExceededException", KMS_THROTTLED},
    {"KeyUnavailableException", KMS_UNAVAILABLE},
    {"DependencyTimeoutException", KMS_UNAVAILABLE},
    {"KMSInternalException", KMS_UNAVAILABLE},
};

/* "com.amazonaws…#Code", "Code:http://…", or <Code>. */
static fl_secret code_of(const rt_http_answer *a)
{
    fl_secret s;
    if (!kms_json_text(&a->body, "__type", &s) && !kms_json_text(&a->body, "code", &s))
        kms_xml_text(&a->body, "Code", &s);
    char *text = (char *)s.bytes, *hash = text ? strrchr(text, '#') : NULL;
    if (!text)
        return s;
    const char *from = hash ? hash + 1 : text;
    fl_secret out = KMS_JOIN(&(fl_secret){(uint8_t *)from, strcspn(from, ":")});
    fl_secret_free(&s);
    return out;
}

static kms_problem problem_of(const fl_secret *code, int status)
{
    for (size_t i = 0; code->bytes && i < sizeof codes / sizeof codes[0]; i++)
        if (!strcmp((char *)code->bytes, codes[i].code))
            return codes[i].problem;
    return kms_by_status(status);
}

kms_problem aws_problem(const rt_http_answer *a)
{
    fl_secret code = code_of(a);
    kms_problem p = problem_of(&code, a->status);
    fl_secret_free(&code);
    return p;
}

bool aws_again(const rt_http_answer *a)
{
    return a->status == 400 && aws_problem(a) == KMS_THROTTLED;
}

rt_code aws_refused(const kms_remote *r, const char *what, const rt_http_answer *a, rt_error *err)
{
    fl_secret code = code_of(a), text;
    if (!kms_json_text(&a->body, "message", &text) && !kms_json_text(&a->body, "Message", &text))
        kms_xml_text(&a->body, "Message", &text);
    rt_code result = kms_refused(r, problem_of(&code, a->status), what, a->status, &code, &text, err);
    fl_secret_free(&code);
    fl_secret_free(&text);
    return result;
}
