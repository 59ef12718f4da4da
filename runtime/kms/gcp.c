/* gcp.c: the driver of gcp-kms: encrypt and decrypt of a symmetric key in Google Cloud KMS, over its REST interface.
 *
 * A service account signs its own bearer token (RS256): no token is asked for, so no address in a credentials file is
 * called. Without one the machine's metadata server gives a token. Checksums go both ways, as Google asks of clients.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/config.h"
#include "runtime/kms/jwt.h"
#include "runtime/kms/remote.h"

#define SERVICE  "https://cloudkms.googleapis.com"
#define METADATA "/computeMetadata/v1/instance/service-accounts/default/token"
enum { MAX_WRAPPED = 4096, TOKEN_S = 3600 };

typedef struct gcp {
    kms_remote r;
    char *key, *versioned; /* projects/…/cryptoKeys/K, and the key id itself */
} gcp;

/* projects/P/locations/L/keyRings/R/cryptoKeys/K[/cryptoKeyVersions/N] */
static bool parse_id(gcp *g, const char *id)
{
    static const char *const words[] = {"projects", "locations", "keyRings", "cryptoKeys", "cryptoKeyVersions"};
    const char *p = id, *end_of_key = NULL;
    size_t i = 0;
    for (; i < 5 && *p; i++) {
        size_t n = strlen(words[i]);
        if (strncmp(p, words[i], n) != 0 || p[n] != '/')
            return false;
        p += n + 1;
        size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:");
        if (!len || (p[len] && p[len] != '/') || *p == '.' || (i > 0 && memchr(p, ':', len)))
            return false;
        p += len;
        if (i == 3)
            end_of_key = p;
        if (*p == '/' && !*++p)
            return false;
    }
    if (!end_of_key || *p)
        return false;
    g->versioned = fl_xstrdup(id);
    g->key = fl_xstrdup(id);
    g->key[end_of_key - id] = 0;
    return true;
}

/* ---- service accounts ---- */

typedef struct account {
    fl_secret email, key_id, pem;
} account;

static void account_free(account *a)
{
    fl_secret_free(&a->email);
    fl_secret_free(&a->key_id);
    fl_secret_free(&a->pem);
}

/* The settings hold line breaks as the two characters \n, as they stand in the JSON file. */
static void real_breaks(fl_secret *pem)
{
    size_t n = 0;
    for (size_t i = 0; i < pem->len; i++) {
        bool escaped = pem->bytes[i] == '\\' && i + 1 < pem->len && pem->bytes[i + 1] == 'n';
        pem->bytes[n++] = escaped ? '\n' : pem->bytes[i];
        i += escaped;
    }
    if (pem->bytes)
        pem->bytes[n] = 0;
    pem->len = n; /* freed by address */
}

static rt_code by_params(const gcp *g, account *a, bool *found, rt_error *err)
{
    const kms_remote *r = &g->r;
    fl_secret client = kms_param(r, "client.id"), type = kms_param(r, "account.type");
    *a = (account){kms_param(r, "client.email"), kms_param(r, "private.key.id"), kms_param(r, "private.key")};
    bool all = client.bytes && a->email.bytes && a->key_id.bytes && a->pem.bytes;
    bool none = !client.bytes && !a->email.bytes && !a->key_id.bytes && !a->pem.bytes;
    bool other = type.bytes && strcmp((char *)type.bytes, "service_account") != 0;
    const char *missing = !client.bytes      ? "client.id"
                          : !a->email.bytes  ? "client.email"
                          : !a->key_id.bytes ? "private.key.id"
                                             : "private.key";
    fl_secret_free(&client);
    fl_secret_free(&type);
    *found = all;
    real_breaks(&a->pem);
    if (other)
        return kms_fail(r, err, "account.type must be service_account");
    return all || none
               ? RT_OK
               : kms_fail(r, err,
                          "%s is missing: Google needs client.id, client.email, private.key.id and private.key, "
                          "or none of them for GOOGLE_APPLICATION_CREDENTIALS or the metadata server",
                          missing);
}

static rt_code by_file(const gcp *g, const char *path, account *a, rt_error *err)
{
    fl_secret text, type;
    rt_error why;
    if (rt_config_read_secret(path, &text, &why) != RT_OK)
        return kms_fail(&g->r, err, "GOOGLE_APPLICATION_CREDENTIALS: %s", why.message);
    bool read = kms_json_text(&text, "type", &type);
    bool service = read && !strcmp((char *)type.bytes, "service_account");
    bool whole = service && kms_json_text(&text, "client_email", &a->email) &&
                 kms_json_text(&text, "private_key_id", &a->key_id) && kms_json_text(&text, "private_key", &a->pem);
    rt_code code = whole     ? RT_OK
                   : service ? kms_fail(&g->r, err, "%s has no client_email, private_key_id or private_key", path)
                   : read    ? kms_fail(&g->r, err, "%s: credentials of type %.40s; flec takes service_account", path,
                                        (char *)type.bytes)
                             : kms_fail(&g->r, err, "%s is no file of Google credentials", path);
    fl_secret_free(&type);
    fl_secret_free(&text);
    return code;
}

static rt_code sign_token(gcp *g, const account *a, fl_secret *out, rt_error *err)
{
    fl_buf head, claims;
    fl_jw w;
    int64_t now = (int64_t)time(NULL);
    fl_buf_init(&head, 4096);
    fl_buf_init(&claims, 4096);
    fl_jw_init(&w, &head, false);
    fl_jw_object(&w);
    fl_jw_kstring(&w, "alg", "RS256");
    fl_jw_kstring(&w, "kid", (char *)a->key_id.bytes);
    fl_jw_kstring(&w, "typ", "JWT");
    fl_jw_end_object(&w);
    fl_jw_init(&w, &claims, false);
    fl_jw_object(&w);
    fl_jw_kstring(&w, "iss", (char *)a->email.bytes);
    fl_jw_kstring(&w, "sub", (char *)a->email.bytes);
    fl_jw_kstring(&w, "aud", SERVICE "/");
    fl_jw_kint(&w, "iat", now);
    fl_jw_kint(&w, "exp", now + TOKEN_S);
    fl_jw_end_object(&w);
    bool ok = !head.full && !claims.full && kms_jwt(&a->pem, head.p, claims.p, out);
    fl_buf_free(&head);
    fl_buf_free(&claims);
    return ok ? RT_OK : kms_fail(&g->r, err, "the service account's private key is no RSA key in PEM");
}

/* ---- tokens ---- */

typedef struct token {
    fl_secret text;
    kms_token_id id;
} token;

static rt_code service_token(gcp *g, const account *a, token *out, rt_error *err)
{
    const fl_secret *parts[] = {KMS_TEXT("account"), &a->email, &a->key_id, &a->pem};
    out->id = kms_token_of(parts, sizeof parts / sizeof parts[0]);
    if (kms_token_get(&out->id, &out->text))
        return RT_OK;
    rt_code code = sign_token(g, a, &out->text, err);
    if (code == RT_OK)
        kms_token_put(&out->id, &out->text, TOKEN_S);
    return code;
}

static rt_code read_metadata(gcp *g, const rt_http_answer *a, token *out, rt_error *err)
{
    int64_t life;
    if (a->status != 200)
        return kms_refused(&g->r, a->status >= 500 ? KMS_UNAVAILABLE : KMS_CREDENTIALS, "the metadata server",
                           a->status, NULL, NULL, err);
    if (!kms_json_text(&a->body, "access_token", &out->text) || !out->text.len)
        return kms_fail(&g->r, err, "the metadata server: an answer without a token");
    if (kms_json_int(&a->body, "expires_in", &life) && life > 0)
        kms_token_put(&out->id, &out->text, life);
    return RT_OK;
}

/* The machine's own server: plain HTTP, never through a proxy. */
static rt_code metadata_token(gcp *g, token *out, rt_error *err)
{
    rt_http_request q = {.method = "GET"};
    rt_http_answer a;
    fl_secret host = kms_env(&g->r, "GCE_METADATA_HOST");
    const fl_secret *parts[] = {KMS_TEXT("metadata"), &host};
    out->id = kms_token_of(parts, sizeof parts / sizeof parts[0]);
    rt_code code = RT_OK;
    if (!kms_token_get(&out->id, &out->text)) {
        fl_secret url = KMS_JOIN(KMS_TEXT("http://"), host.bytes ? &host : KMS_TEXT("metadata.google.internal"),
                                 KMS_TEXT(METADATA));
        rt_http *http = kms_machine_http(&g->r);
        q.url = (char *)url.bytes;
        rt_http_header(&q, "Metadata-Flavor", "Google", 6);
        code = kms_call(&g->r, http, &q, &a, err);
        if (code == RT_IO && !host.bytes) { /* mostly a machine that is none of Google's */
            rt_error why = *err;
            code = rt_fail(err, code, "%s; no other credentials for Google are set (docs/kms.md)", why.message);
        } else if (code == RT_OK) {
            code = read_metadata(g, &a, out, err);
            rt_http_answer_free(&a);
        }
        rt_http_free(http);
        rt_http_request_free(&q);
        fl_secret_free(&url);
    }
    fl_secret_free(&host);
    return code;
}

static rt_code find_token(gcp *g, token *out, rt_error *err)
{
    account a = {0};
    bool found;
    *out = (token){0};
    rt_code code = by_params(g, &a, &found, err);
    fl_secret file = kms_env(&g->r, "GOOGLE_APPLICATION_CREDENTIALS");
    if (code == RT_OK && !found && file.bytes) {
        account_free(&a);
        code = by_file(g, (char *)file.bytes, &a, err);
        found = code == RT_OK;
    }
    fl_secret_free(&file);
    if (code == RT_OK)
        code = found ? service_token(g, &a, out, err) : metadata_token(g, out, err);
    kms_keep(&g->r, &out->text);
    account_free(&a);
    return code;
}

/* ---- refusals: {"error": {"code", "message", "status"}} ---- */

static kms_problem problem_of(const rt_http_answer *a, const fl_secret *status, const fl_secret *text, bool opening)
{
    const char *s = status->bytes ? (char *)status->bytes : "", *m = text->bytes ? (char *)text->bytes : "";
    if (!strcmp(s, "FAILED_PRECONDITION"))
        return strstr(m, "not enabled") || strstr(m, "disabled") || strstr(m, "DISABLED") || strstr(m, "DESTROY")
                   ? KMS_DISABLED
                   : KMS_ODD;
    if (opening && !strcmp(s, "INVALID_ARGUMENT"))
        return KMS_TAMPERED;
    return !strcmp(s, "RESOURCE_EXHAUSTED") ? KMS_THROTTLED : kms_by_status(a->status);
}

static rt_code refused(const gcp *g, const rt_http_answer *a, bool opening, rt_error *err)
{
    fl_secret status, text;
    kms_json_text(&a->body, "error/status", &status);
    kms_json_text(&a->body, "error/message", &text);
    rt_code code = kms_refused(&g->r, problem_of(a, &status, &text, opening), NULL, a->status, &status, &text, err);
    fl_secret_free(&status);
    fl_secret_free(&text);
    return code;
}

/* ---- calls ---- */

static uint32_t crc32c(const uint8_t *p, size_t n)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
    }
    return c ^ 0xffffffff;
}

static fl_secret url_of(const gcp *g, const char *verb)
{
    fl_secret own = kms_env(&g->r, "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS");
    size_t n = own.len;
    while (n && own.bytes[n - 1] == '/')
        n--;
    fl_secret url = KMS_JOIN(n ? &(fl_secret){own.bytes, n} : KMS_TEXT(SERVICE), KMS_TEXT("/v1/"),
                             KMS_TEXT(!strcmp(verb, ":decrypt") ? g->key : g->versioned), KMS_TEXT(verb));
    fl_secret_free(&own);
    return url;
}

static rt_code once(gcp *g, const char *verb, const fl_secret *body, rt_http_answer *a, bool *again, rt_error *err)
{
    token t;
    rt_http_request q = {.method = "POST"};
    *again = false;
    rt_code code = find_token(g, &t, err);
    if (code != RT_OK)
        return code;
    fl_secret url = url_of(g, verb), bearer = KMS_JOIN(KMS_TEXT("Bearer "), &t.text);
    q.url = (char *)url.bytes;
    q.body = fl_secret_copy(body->bytes, body->len);
    bool ready = rt_http_header(&q, "Content-Type", "application/json", 16) &&
                 rt_http_header(&q, "Authorization", (char *)bearer.bytes, bearer.len);
    code = ready ? kms_call(&g->r, g->r.http, &q, a, err)
                 : kms_fail(&g->r, err, "the access token holds a control character");
    if (code == RT_OK && a->status != 200) {
        *again = a->status == 401;
        code = refused(g, a, !strcmp(verb, ":decrypt"), err);
        rt_http_answer_free(a);
    }
    if (*again)
        kms_token_drop(&t.id, &t.text);
    rt_http_request_free(&q);
    fl_secret_free(&bearer);
    fl_secret_free(&url);
    fl_secret_free(&t.text);
    return code;
}

/* Sends p as `member`, and gives back what is under `wanted`. Both checksums must hold. */
static rt_code call(gcp *g, const char *verb, const char *member, const uint8_t *p, size_t n, const char *wanted,
                    fl_secret *out, rt_error *err)
{
    rt_http_answer a;
    bool again;
    char sum[64], name[64];
    int64_t theirs;
    fl_secret text = kms_b64(p, n, false), value = {0};
    snprintf(sum, sizeof sum, "\",\"%sCrc32c\":\"%u\"}", member, (unsigned)crc32c(p, n));
    snprintf(name, sizeof name, "%sCrc32c", wanted);
    fl_secret body = KMS_JOIN(KMS_TEXT("{\""), KMS_TEXT(member), KMS_TEXT("\":\""), &text, KMS_TEXT(sum));
    rt_code code = once(g, verb, &body, &a, &again, err);
    if (again)
        code = once(g, verb, &body, &a, &again, err);
    fl_secret_free(&text);
    fl_secret_free(&body);
    if (code != RT_OK)
        return code;
    if (!kms_json_text(&a.body, wanted, &value) || !kms_unb64((char *)value.bytes, value.len, false, out))
        code = kms_fail(&g->r, err, "Google Cloud KMS: an answer without a %s", wanted);
    else if (kms_json_int(&a.body, name, &theirs) && theirs != crc32c(out->bytes, out->len)) {
        fl_secret_free(out);
        code = kms_fail(&g->r, err, "Google Cloud KMS: the %s was damaged on its way (checksum)", wanted);
    }
    fl_secret_free(&value);
    rt_http_answer_free(&a);
    return code;
}

static rt_code wrap(rt_kms *kms, const fl_secret *plain, fl_buf *wrapped, rt_error *err)
{
    gcp *g = (gcp *)kms;
    fl_secret out = {0};
    rt_code code = call(g, ":encrypt", "plaintext", plain->bytes, plain->len, "ciphertext", &out, err);
    if (code == RT_OK && (!out.len || out.len > MAX_WRAPPED || !fl_buf_add(wrapped, out.bytes, out.len)))
        code = kms_fail(&g->r, err, "Google Cloud KMS: a ciphertext of %zu bytes", out.len);
    fl_secret_free(&out);
    return code;
}

static rt_code unwrap(rt_kms *kms, const uint8_t *wrapped, size_t n, fl_secret *plain, rt_error *err)
{
    gcp *g = (gcp *)kms;
    if (!n || n > MAX_WRAPPED)
        return kms_fail(&g->r, err, "a wrapped key of %zu bytes is none of Google Cloud KMS", n);
    return call(g, ":decrypt", "ciphertext", wrapped, n, "plaintext", plain, err);
}

/* ---- opening ---- */

static void gcp_free(rt_kms *kms)
{
    gcp *g = (gcp *)kms;
    kms_remote_end(&g->r);
    free(g->key);
    free(g->versioned);
    free(g);
}

rt_code rt_kms_gcp_open(const char *kek, const char *key_id, const rt_params *params, rt_kms **out, rt_error *err)
{
    gcp *g = fl_xcalloc(1, sizeof *g);
    g->r.kms = (rt_kms){wrap, unwrap, gcp_free};
    rt_code code = kms_remote_init(&g->r, "gcp-kms", kek, key_id, params, NULL, err);
    if (code == RT_OK && !parse_id(g, key_id))
        code =
            kms_fail(&g->r, err, "key id %s is not of the form projects/P/locations/L/keyRings/R/cryptoKeys/K", key_id);
    if (code == RT_OK)
        *out = &g->r.kms;
    else
        gcp_free(&g->r.kms);
    return code;
}
