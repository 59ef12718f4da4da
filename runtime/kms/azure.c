/* azure.c: the driver of azure-kms: RSA-OAEP-256 by a key in Azure Key Vault.
 *
 * Both directions are calls (key operations encrypt and decrypt): the vendor's Python client encrypts by itself with
 * the public key, which is the same on the wire of Kafka and needs the right to read the key in place of the one to
 * encrypt. A key id without a version means the newest one, which is asked for first. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/kms/azure_token.h"
#include "runtime/kms/remote.h"

#define API     "?api-version=7.4"
#define PREFIX  "azure:v1:" /* then 32 hex digits and a colon: the version of the key, in front of the ciphertext */
#define VERSION 32
enum { MAX_WRAPPED = 2048 };

typedef struct azure {
    kms_remote r;
    char *origin, *name;
    char version[VERSION + 1]; /* "": none in the key id */
    char *resource, *authority;
} azure;

/* Where the vaults of each cloud lie, and who gives tokens for them. */
static const struct cloud {
    const char *suffix, *resource, *authority;
} clouds[] = {
    {".vault.azure.net", "https://vault.azure.net", "https://login.microsoftonline.com"},
    {".managedhsm.azure.net", "https://managedhsm.azure.net", "https://login.microsoftonline.com"},
    {".vault.azure.cn", "https://vault.azure.cn", "https://login.chinacloudapi.cn"},
    {".managedhsm.azure.cn", "https://managedhsm.azure.cn", "https://login.chinacloudapi.cn"},
    {".vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net", "https://login.microsoftonline.us"},
    {".managedhsm.usgovcloudapi.net", "https://managedhsm.usgovcloudapi.net", "https://login.microsoftonline.us"},
};

static bool is_version(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isxdigit((unsigned char)s[i]))
            return false;
    return n == VERSION;
}

/* https://HOST/keys/NAME[/VERSION] */
static bool parse_id(azure *z, const char *id)
{
    char origin[300];
    if (strncmp(id, "https://", 8) != 0 || !rt_http_origin(id, origin, sizeof origin))
        return false;
    const char *path = id + strlen(origin), *name = path + 6;
    if (strncmp(path, "/keys/", 6) != 0)
        return false;
    size_t n = strcspn(name, "/");
    const char *version = name[n] ? name + n + 1 : NULL;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '-')
            return false;
    if (!n || n > 127 || (version && *version && !is_version(version, strlen(version))))
        return false;
    z->origin = fl_xstrdup(origin);
    z->name = fl_xstrdup(name);
    z->name[n] = 0;
    if (version)
        snprintf(z->version, sizeof z->version, "%s", version);
    return true;
}

static char *own_or(const kms_remote *r, fl_secret own, const char *usual)
{
    char *s = own.bytes ? fl_xstrdup((char *)own.bytes) : usual ? fl_xstrdup(usual) : NULL;
    fl_secret_free(&own);
    return s;
}

/* A token for Key Vault goes to a host of Key Vault alone, or where the settings say another resource. */
static rt_code find_cloud(azure *z, rt_error *err)
{
    const struct cloud *found = NULL;
    size_t n = strlen(z->origin);
    for (size_t i = 0; i < sizeof clouds / sizeof clouds[0]; i++) {
        size_t len = strlen(clouds[i].suffix);
        if (n > len && !strcasecmp(z->origin + n - len, clouds[i].suffix))
            found = &clouds[i];
    }
    z->resource = own_or(&z->r, kms_param(&z->r, "azure.resource"), found ? found->resource : NULL);
    z->authority = own_or(&z->r, kms_env(&z->r, "AZURE_AUTHORITY_HOST"), found ? found->authority : NULL);
    if (!z->resource)
        return kms_fail(&z->r, err,
                        "%s is no host of Azure Key Vault; if it stands for one, set "
                        "rule.executors._default_.param.azure.resource and AZURE_AUTHORITY_HOST",
                        z->origin);
    return z->authority ? RT_OK : kms_fail(&z->r, err, "set AZURE_AUTHORITY_HOST for %s", z->origin);
}

/* ---- refusals: {"error": {"code", "message", "innererror": {"code"}}} ---- */

static kms_problem problem_of(const rt_http_answer *a, const fl_secret *inner, const fl_secret *text, bool opening)
{
    if (inner->bytes && strstr((char *)inner->bytes, "Disabled"))
        return KMS_DISABLED;
    if (inner->bytes && (strstr((char *)inner->bytes, "Expired") || strstr((char *)inner->bytes, "NotYetValid")))
        return KMS_DISABLED;
    if (text->bytes && a->status == 403 && strstr((char *)text->bytes, "disabled"))
        return KMS_DISABLED;
    if (opening && a->status == 400)
        return KMS_TAMPERED;
    if (a->status == 401)
        return KMS_EXPIRED;
    return kms_by_status(a->status);
}

static rt_code refused(const azure *z, const rt_http_answer *a, bool opening, rt_error *err)
{
    fl_secret code, text, inner;
    kms_json_text(&a->body, "error/code", &code);
    kms_json_text(&a->body, "error/message", &text);
    kms_json_text(&a->body, "error/innererror/code", &inner);
    rt_code result = kms_refused(&z->r, problem_of(a, &inner, &text, opening), NULL, a->status,
                                 inner.bytes ? &inner : &code, &text, err);
    fl_secret_free(&code);
    fl_secret_free(&text);
    fl_secret_free(&inner);
    return result;
}

/* ---- calls ---- */

/* path: behind the origin. body NULL: GET. *again: the token was refused, and is forgotten. */
static rt_code once(azure *z, const char *path, const fl_secret *body, bool opening, rt_http_answer *a, bool *again,
                    rt_error *err)
{
    azure_token t;
    rt_http_request q = {.method = body ? "POST" : "GET"};
    *again = false;
    rt_code code = azure_token_find(&z->r, z->resource, z->authority, &t, err);
    if (code != RT_OK)
        return code;
    fl_secret url = KMS_JOIN(KMS_TEXT(z->origin), KMS_TEXT(path), KMS_TEXT(API));
    fl_secret bearer = KMS_JOIN(KMS_TEXT("Bearer "), &t.text);
    q.url = (char *)url.bytes;
    bool ready = rt_http_header(&q, "Authorization", (char *)bearer.bytes, bearer.len);
    if (body) {
        q.body = fl_secret_copy(body->bytes, body->len);
        ready = ready && rt_http_header(&q, "Content-Type", "application/json", 16);
    }
    code = ready ? kms_call(&z->r, z->r.http, &q, a, err)
                 : kms_fail(&z->r, err, "the access token holds a control character");
    if (code == RT_OK && a->status != 200) {
        *again = a->status == 401;
        code = refused(z, a, opening, err);
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

static rt_code call(azure *z, const char *path, const fl_secret *body, bool opening, rt_http_answer *a, rt_error *err)
{
    bool again;
    rt_code code = once(z, path, body, opening, a, &again, err);
    return again ? once(z, path, body, opening, a, &again, err) : code;
}

/* The version at the end of a key's URL. Nothing else of it is used: it is not followed. */
static bool version_of(const fl_secret *url, char out[VERSION + 1])
{
    const char *last = url->bytes ? strrchr((char *)url->bytes, '/') : NULL;
    if (!last || !is_version(last + 1, strlen(last + 1)))
        return false;
    snprintf(out, VERSION + 1, "%s", last + 1);
    return true;
}

/* The version of the key id, or the newest one. */
static rt_code current_version(azure *z, char out[VERSION + 1], rt_error *err)
{
    rt_http_answer a;
    char path[200];
    fl_secret kid;
    snprintf(out, VERSION + 1, "%s", z->version);
    if (*out)
        return RT_OK;
    snprintf(path, sizeof path, "/keys/%s", z->name);
    rt_code code = call(z, path, NULL, false, &a, err);
    if (code != RT_OK)
        return code;
    if (!kms_json_text(&a.body, "key/kid", &kid) || !version_of(&kid, out))
        code = kms_fail(&z->r, err, "Azure Key Vault: an answer without the key's version");
    fl_secret_free(&kid);
    rt_http_answer_free(&a);
    return code;
}

static rt_code operate(azure *z, const char *verb, const char *version, const uint8_t *p, size_t n, fl_secret *out,
                       rt_error *err)
{
    rt_http_answer a;
    char path[240];
    fl_secret text = kms_b64(p, n, true), value = {0};
    fl_secret body = KMS_JOIN(KMS_TEXT("{\"alg\":\"RSA-OAEP-256\",\"value\":\""), &text, KMS_TEXT("\"}"));
    snprintf(path, sizeof path, "/keys/%s/%s/%s", z->name, version, verb);
    rt_code code = call(z, path, &body, !strcmp(verb, "decrypt"), &a, err);
    fl_secret_free(&text);
    fl_secret_free(&body);
    if (code != RT_OK)
        return code;
    if (!kms_json_text(&a.body, "value", &value) || !kms_unb64((char *)value.bytes, value.len, true, out))
        code = kms_fail(&z->r, err, "Azure Key Vault: an answer without a value");
    fl_secret_free(&value);
    rt_http_answer_free(&a);
    return code;
}

static bool saves_version(const azure *z)
{
    fl_secret s = kms_param(&z->r, "encrypt.azure.key.version.save");
    bool save = s.bytes && !strcasecmp((char *)s.bytes, "true");
    fl_secret_free(&s);
    return save;
}

static rt_code wrap(rt_kms *kms, const fl_secret *plain, fl_buf *wrapped, rt_error *err)
{
    azure *z = (azure *)kms;
    char version[VERSION + 1];
    fl_secret out = {0};
    rt_code code = current_version(z, version, err);
    if (code == RT_OK)
        code = operate(z, "encrypt", version, plain->bytes, plain->len, &out, err);
    if (code != RT_OK)
        return code;
    bool save = saves_version(z);
    if (!out.len || out.len > MAX_WRAPPED || (save && !fl_buf_addf(wrapped, PREFIX "%s:", version)) ||
        !fl_buf_add(wrapped, out.bytes, out.len))
        code = kms_fail(&z->r, err, "Azure Key Vault: a ciphertext of %zu bytes", out.len);
    fl_secret_free(&out);
    return code;
}

/* Whatever the setting for writing: a prefix says the version. */
static rt_code unwrap(rt_kms *kms, const uint8_t *wrapped, size_t n, fl_secret *plain, rt_error *err)
{
    azure *z = (azure *)kms;
    char version[VERSION + 1];
    size_t mark = strlen(PREFIX), whole = mark + VERSION + 1;
    if (!n || n > MAX_WRAPPED + whole)
        return kms_fail(&z->r, err, "a wrapped key of %zu bytes is none of Azure Key Vault", n);
    if (n < mark || memcmp(wrapped, PREFIX, mark) != 0) {
        rt_code code = current_version(z, version, err);
        return code == RT_OK ? operate(z, "decrypt", version, wrapped, n, plain, err) : code;
    }
    if (n <= whole || wrapped[whole - 1] != ':' || !is_version((const char *)wrapped + mark, VERSION))
        return kms_fail(&z->r, err,
                        "the wrapped key begins with " PREFIX " and no version of 32 hex digits: it is damaged");
    memcpy(version, wrapped + mark, VERSION);
    version[VERSION] = 0;
    return operate(z, "decrypt", version, wrapped + whole, n - whole, plain, err);
}

/* ---- opening ---- */

static void azure_free(rt_kms *kms)
{
    azure *z = (azure *)kms;
    kms_remote_end(&z->r);
    free(z->origin);
    free(z->name);
    free(z->resource);
    free(z->authority);
    free(z);
}

rt_code rt_kms_azure_open(const char *kek, const char *key_id, const rt_params *params, rt_kms **out, rt_error *err)
{
    azure *z = fl_xcalloc(1, sizeof *z);
    z->r.kms = (rt_kms){wrap, unwrap, azure_free};
    rt_code code = kms_remote_init(&z->r, "azure-kms", kek, key_id, params, NULL, err);
    if (code == RT_OK && !parse_id(z, key_id))
        code =
            kms_fail(&z->r, err,
                     "key id %s is not of the form https://VAULT.vault.azure.net/keys/NAME or …/NAME/VERSION (32 hex "
                     "digits)",
                     key_id);
    if (code == RT_OK)
        code = find_cloud(z, err);
    if (code == RT_OK)
        *out = &z->r.kms;
    else
        azure_free(&z->r.kms);
    return code;
}
