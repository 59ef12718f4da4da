/* azure_token.c: access tokens for Azure Key Vault. */
#include "runtime/kms/azure_token.h"

#include <string.h>

enum { FORM_MAX = 32 << 10 };

/* Whose token: parameters and variables as they are set. */
typedef struct identity {
    fl_secret tenant, client, secret; /* parameters, the environment behind them */
    fl_secret federated;              /* AZURE_FEDERATED_TOKEN_FILE */
    fl_secret endpoint, header;       /* IDENTITY_ENDPOINT, IDENTITY_HEADER: a managed identity of App Service */
    fl_secret imds;                   /* AZURE_POD_IDENTITY_AUTHORITY_HOST, in place of the metadata service */
} identity;

static void identity_free(identity *i)
{
    fl_secret *all[] = {&i->tenant, &i->client, &i->secret, &i->federated, &i->endpoint, &i->header, &i->imds};
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        fl_secret_free(all[k]);
}

static identity identity_read(const kms_remote *r)
{
    return (identity){kms_param(r, "tenant.id"),
                      kms_param(r, "client.id"),
                      kms_param(r, "client.secret"),
                      kms_env(r, "AZURE_FEDERATED_TOKEN_FILE"),
                      kms_env(r, "IDENTITY_ENDPOINT"),
                      kms_env(r, "IDENTITY_HEADER"),
                      kms_env(r, "AZURE_POD_IDENTITY_AUTHORITY_HOST")};
}

/* ---- refusals: {"error": "…", "error_description": "AADSTS…"} ---- */

static rt_code refused(const kms_remote *r, const char *what, const rt_http_answer *a, rt_error *err)
{
    fl_secret code, text;
    kms_json_text(&a->body, "error", &code);
    kms_json_text(&a->body, "error_description", &text);
    bool expired = text.bytes && (strstr((char *)text.bytes, "AADSTS7000222") || /* the secret's time is over */
                                  strstr((char *)text.bytes, "AADSTS700024"));   /* the assertion's */
    kms_problem p = expired                               ? KMS_EXPIRED
                    : a->status >= 400 && a->status < 429 ? KMS_CREDENTIALS
                                                          : kms_by_status(a->status);
    rt_code result = kms_refused(r, p, what, a->status, &code, &text, err);
    fl_secret_free(&code);
    fl_secret_free(&text);
    return result;
}

/* Frees http. */
static rt_code ask(kms_remote *r, const char *what, const rt_http_request *q, rt_http *http, azure_token *out,
                   rt_error *err)
{
    rt_http_answer a;
    int64_t life = 0;
    rt_code code = kms_call(r, http, q, &a, err);
    rt_http_free(http);
    if (code != RT_OK)
        return code;
    if (a.status != 200)
        code = refused(r, what, &a, err);
    else if (!kms_json_text(&a.body, "access_token", &out->text) || !out->text.len)
        code = kms_fail(r, err, "%s: an answer without a token", what);
    else if (kms_json_int(&a.body, "expires_in", &life) && life > 0)
        kms_token_put(&out->id, &out->text, life);
    rt_http_answer_free(&a);
    return code;
}

/* ---- Entra ID ---- */

static void field(fl_buf *b, const char *name, const char *value)
{
    fl_buf_addf(b, "%s%s=", b->len ? "&" : "", name);
    rt_http_escape(b, value, "");
}

static rt_code entra(kms_remote *r, const identity *i, const char *resource, const char *authority, azure_token *out,
                     rt_error *err)
{
    rt_http_request q = {.method = "POST"};
    fl_secret assertion = {0};
    fl_buf b, url;
    rt_code code = i->secret.bytes ? RT_OK : kms_token_file(r, (char *)i->federated.bytes, &assertion, err);
    if (code != RT_OK)
        return code;
    kms_keep(r, &assertion);
    fl_buf_init(&b, FORM_MAX);
    fl_buf_reserve(&b, FORM_MAX - 1); /* so that it does not move */
    fl_buf_init(&url, 1024);
    field(&b, "grant_type", "client_credentials");
    field(&b, "client_id", (char *)i->client.bytes);
    if (assertion.bytes)
        field(&b, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    field(&b, assertion.bytes ? "client_assertion" : "client_secret",
          (char *)(assertion.bytes ? assertion.bytes : i->secret.bytes));
    field(&b, "scope", resource);
    fl_buf_adds(&b, "%2F.default");
    size_t n = strlen(authority);
    fl_buf_addf(&url, "%.*s/", (int)(n && authority[n - 1] == '/' ? n - 1 : n), authority);
    rt_http_escape(&url, (char *)i->tenant.bytes, "");
    fl_buf_adds(&url, "/oauth2/v2.0/token");
    q.url = url.p;
    q.body = fl_secret_copy(b.p, b.len);
    bool ready = !b.full && !url.full && rt_http_header(&q, "Content-Type", "application/x-www-form-urlencoded", 33);
    code = ready ? ask(r, "Entra ID", &q, kms_second_http(r), out, err)
                 : kms_fail(r, err, "a value for Entra ID is too long");
    fl_buf_wipe(&b);
    fl_buf_free(&url);
    rt_http_request_free(&q);
    fl_secret_free(&assertion);
    return code;
}

/* Kinds that flec does not know: taking the machine's own identity in their place would be another one. */
static rt_code refuse_others(const kms_remote *r, const identity *i, rt_error *err)
{
    static const struct {
        const char *variable, *what;
    } kinds[] = {{"IDENTITY_SERVER_THUMBPRINT", "Service Fabric"},
                 {"IMDS_ENDPOINT", "Azure Arc"},
                 {"MSI_ENDPOINT", "Cloud Shell or Machine Learning"}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        fl_secret s = kms_env(r, kinds[k].variable);
        bool there = s.bytes != NULL;
        fl_secret_free(&s);
        if (there && (k == 0 || !i->endpoint.bytes || !i->header.bytes))
            return kms_fail(r, err,
                            "%s is set: flec does not know the managed identities of %s; set tenant.id, client.id and "
                            "client.secret, or AZURE_FEDERATED_TOKEN_FILE",
                            kinds[k].variable, kinds[k].what);
    }
    return i->endpoint.bytes && !i->header.bytes
               ? kms_fail(r, err, "IDENTITY_ENDPOINT is set and IDENTITY_HEADER is not: a managed identity needs both")
               : RT_OK;
}

/* ---- managed identities: plain HTTP to the machine's own metadata service, never through a proxy ---- */

static rt_code managed(kms_remote *r, const identity *i, const char *resource, azure_token *out, rt_error *err)
{
    rt_http_request q = {.method = "GET"};
    bool app = i->endpoint.bytes != NULL;
    fl_buf url;
    rt_code code = refuse_others(r, i, err);
    if (code != RT_OK)
        return code;
    fl_buf_init(&url, 4096);
    if (app)
        fl_buf_addf(&url, "%s?api-version=2019-08-01", (char *)i->endpoint.bytes);
    else
        fl_buf_addf(&url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01",
                    i->imds.bytes ? (char *)i->imds.bytes : "http://169.254.169.254");
    fl_buf_adds(&url, "&resource=");
    rt_http_escape(&url, resource, "");
    if (i->client.bytes) { /* one of several */
        fl_buf_adds(&url, "&client_id=");
        rt_http_escape(&url, (char *)i->client.bytes, "");
    }
    q.url = url.p;
    bool ready = !url.full && (app ? rt_http_header(&q, "X-IDENTITY-HEADER", (char *)i->header.bytes, i->header.len)
                                   : rt_http_header(&q, "Metadata", "true", 4));
    code = ready ? ask(r, "managed identity", &q, kms_machine_http(r), out, err)
                 : kms_fail(r, err, "IDENTITY_ENDPOINT or IDENTITY_HEADER cannot be used");
    if (code == RT_IO && !app && !i->imds.bytes) { /* mostly a machine that is none of Azure's */
        rt_error why = *err;
        code = rt_fail(err, code, "%s; no other credentials for Azure are set (docs/kms.md)", why.message);
    }
    fl_buf_free(&url);
    rt_http_request_free(&q);
    return code;
}

/* ---- which of them ---- */

/* Some of the three, but not all: falling back to another identity would hide the slip. */
static rt_code check(const kms_remote *r, const identity *i, rt_error *err)
{
    bool federated = i->federated.bytes && i->tenant.bytes && i->client.bytes;
    bool all = i->tenant.bytes && i->client.bytes && i->secret.bytes;
    bool none = !i->tenant.bytes && !i->secret.bytes; /* client.id alone names a managed identity */
    if (all || none || federated)
        return RT_OK;
    return kms_fail(r, err,
                    "%s is missing: Azure needs tenant.id, client.id and client.secret, or none of them for a "
                    "managed identity",
                    !i->tenant.bytes   ? "tenant.id"
                    : !i->client.bytes ? "client.id"
                                       : "client.secret");
}

rt_code azure_token_find(kms_remote *r, const char *resource, const char *authority, azure_token *out, rt_error *err)
{
    identity i = identity_read(r);
    const fl_secret *parts[] = {&i.tenant,   &i.client, &i.secret,          &i.federated,
                                &i.endpoint, &i.imds,   KMS_TEXT(resource), KMS_TEXT(authority)};
    *out = (azure_token){.id = kms_token_of(parts, sizeof parts / sizeof parts[0])};
    rt_code code = check(r, &i, err);
    kms_keep(r, &i.secret);
    kms_keep(r, &i.header);
    if (code == RT_OK && !kms_token_get(&out->id, &out->text))
        code = i.tenant.bytes ? entra(r, &i, resource, authority, out, err) : managed(r, &i, resource, out, err);
    kms_keep(r, &out->text);
    identity_free(&i);
    return code;
}
