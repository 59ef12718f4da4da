/* vault.c: the driver of hcvault: the transit engine of HashiCorp Vault and OpenBao. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kms/remote.h"

enum { MAX_WRAPPED = 8192, LEASE_S = 3600 };

typedef struct vault {
    kms_remote r;
    char *origin, *mount, *key; /* "https://host:8200", "a/b/transit", "kek1" */
} vault;

/* ---- key ids: [http(s)://]HOST[:PORT]/MOUNT/keys/KEY ---- */

/* What may be in a path as it is, without a segment that walks up. */
static bool plain_path(const char *s)
{
    for (const char *p = s; *p; p += *p == '/') {
        size_t n = strcspn(p, "/");
        if (!n || (n == 1 && p[0] == '.') || (n == 2 && !memcmp(p, "..", 2)))
            return false;
        for (size_t i = 0; i < n; i++)
            if (!isalnum((unsigned char)p[i]) && !strchr("-._~", p[i]))
                return false;
        p += n;
        if (*p == '/' && !p[1])
            return false;
    }
    return *s;
}

static bool parse_id(vault *v, const char *id)
{
    char origin[300];
    fl_secret url = strstr(id, "://") ? KMS_JOIN(KMS_TEXT(id)) : KMS_JOIN(KMS_TEXT("https://"), KMS_TEXT(id));
    bool ok = rt_http_origin((char *)url.bytes, origin, sizeof origin);
    const char *path = ok ? (char *)url.bytes + strlen(origin) : "";
    const char *last = strrchr(path, '/');
    ok = ok && *path == '/' && last - path > 6 && !memcmp(last - 5, "/keys", 5) && plain_path(path + 1);
    if (ok) {
        v->origin = fl_xstrdup(origin);
        v->key = fl_xstrdup(last + 1);
        v->mount = fl_xstrdup(path + 1);
        v->mount[last - 5 - (path + 1)] = 0;
    }
    fl_secret_free(&url);
    return ok;
}

/* ---- refusals: {"errors": ["…"]} ---- */

static bool says(const fl_secret *text, const char *word)
{
    return text->bytes && strstr((char *)text->bytes, word);
}

static kms_problem problem_of(const rt_http_answer *a, const fl_secret *text, bool login)
{
    if (login && (a->status == 400 || a->status == 403))
        return KMS_CREDENTIALS;
    if (a->status == 400 && (says(text, "key not found") || says(text, "no existing key")))
        return KMS_NO_KEY;
    if (a->status == 400 && (says(text, "deleted") || says(text, "disabled") || says(text, "disallowed by policy")))
        return KMS_DISABLED;
    if (a->status == 400 && (says(text, "ciphertext") || says(text, "authentication failed")))
        return KMS_TAMPERED;
    return kms_by_status(a->status);
}

/* 403 is one answer for a wrong token, an expired one and a missing right: Vault does not tell them apart. */
static rt_code refused(const vault *v, const rt_http_answer *a, bool login, rt_error *err)
{
    fl_secret text;
    kms_json_first(&a->body, "errors", &text);
    kms_problem p = problem_of(a, &text, login);
    bool token = !login && p == KMS_DENIED;
    rt_code code =
        says(&text, "invalid token")
            ? kms_refused(&v->r, KMS_EXPIRED, "the token is not valid or not any more", a->status, NULL, &text, err)
        : token
            ? kms_refused(&v->r, p, "the token has no right to the key, or has expired", a->status, NULL, &text, err)
            : kms_refused(&v->r, p, login ? "AppRole login" : NULL, a->status, NULL, &text, err);
    fl_secret_free(&text);
    return code;
}

/* ---- tokens ---- */

static bool common_headers(const vault *v, rt_http_request *q)
{
    fl_secret namespace = kms_param(&v->r, "namespace");
    bool ok = rt_http_header(q, "Content-Type", "application/json", 16) &&
              rt_http_header(q, "X-Vault-Request", "true", 4) &&
              (!namespace.bytes || rt_http_header(q, "X-Vault-Namespace", (char *)namespace.bytes, namespace.len));
    fl_secret_free(&namespace);
    return ok;
}

typedef struct login {
    fl_secret token;
    bool kept; /* of AppRole, under id */
    kms_token_id id;
} login;

/* A value that goes between quotes in JSON as it is. */
static bool quotable(const fl_secret *s)
{
    for (size_t i = 0; i < s->len; i++)
        if (s->bytes[i] < 0x20 || s->bytes[i] == '"' || s->bytes[i] == '\\')
            return false;
    return true;
}

static rt_code read_login(vault *v, const rt_http_answer *a, login *l, rt_error *err)
{
    int64_t life = 0;
    if (!kms_json_text(&a->body, "auth/client_token", &l->token) || !l->token.len)
        return kms_fail(&v->r, err, "AppRole login: an answer without a token");
    if (!kms_json_int(&a->body, "auth/lease_duration", &life) || life <= 0)
        life = LEASE_S; /* it has no end of its own */
    kms_token_put(&l->id, &l->token, life);
    l->kept = true;
    return RT_OK;
}

static rt_code approle(vault *v, const fl_secret *role, const fl_secret *secret, login *l, rt_error *err)
{
    rt_http_request q = {.method = "POST"};
    rt_http_answer a;
    if (!quotable(role) || !quotable(secret))
        return kms_fail(&v->r, err, "approle.role.id or approle.secret.id holds a character that none has");
    fl_secret url = KMS_JOIN(KMS_TEXT(v->origin), KMS_TEXT("/v1/auth/approle/login"));
    q.url = (char *)url.bytes;
    q.body = KMS_JOIN(KMS_TEXT("{\"role_id\":\""), role, KMS_TEXT("\",\"secret_id\":\""), secret, KMS_TEXT("\"}"));
    rt_code code = common_headers(v, &q) ? kms_call(&v->r, v->r.http, &q, &a, err)
                                         : kms_fail(&v->r, err, "the namespace holds a control character");
    if (code == RT_OK) {
        code = a.status == 200 ? read_login(v, &a, l, err) : refused(v, &a, true, err);
        rt_http_answer_free(&a);
    }
    rt_http_request_free(&q);
    fl_secret_free(&url);
    return code;
}

static rt_code log_in(vault *v, login *l, rt_error *err)
{
    fl_secret role = kms_param(&v->r, "approle.role.id"), secret = kms_param(&v->r, "approle.secret.id"),
              namespace = kms_param(&v->r, "namespace");
    const fl_secret *parts[] = {KMS_TEXT(v->origin), &namespace, &role, &secret};
    rt_code code = RT_OK;
    kms_keep(&v->r, &secret);
    l->id = kms_token_of(parts, sizeof parts / sizeof parts[0]);
    if (!role.bytes || !secret.bytes)
        code = kms_fail(&v->r, err,
                        "hcvault needs token.id, or approle.role.id and approle.secret.id: set them as "
                        "rule.executors._default_.param.… in --config, or VAULT_TOKEN, or VAULT_APPROLE_ROLE_ID and "
                        "VAULT_APPROLE_SECRET_ID");
    else if (!(l->kept = kms_token_get(&l->id, &l->token)))
        code = approle(v, &role, &secret, l, err);
    fl_secret_free(&role);
    fl_secret_free(&secret);
    fl_secret_free(&namespace);
    return code;
}

static rt_code find_token(vault *v, login *l, rt_error *err)
{
    *l = (login){.token = kms_param(&v->r, "token.id")};
    rt_code code = l->token.bytes ? RT_OK : log_in(v, l, err);
    kms_keep(&v->r, &l->token);
    return code;
}

/* ---- calls ---- */

/* *again: a token of AppRole was refused; it is forgotten, and a new one may do. */
static rt_code once(vault *v, const char *verb, const fl_secret *body, rt_http_answer *a, bool *again, rt_error *err)
{
    login l;
    rt_http_request q = {.method = "POST"};
    *again = false;
    rt_code code = find_token(v, &l, err);
    if (code != RT_OK)
        return code;
    fl_secret url = KMS_JOIN(KMS_TEXT(v->origin), KMS_TEXT("/v1/"), KMS_TEXT(v->mount), KMS_TEXT("/"), KMS_TEXT(verb),
                             KMS_TEXT("/"), KMS_TEXT(v->key));
    q.url = (char *)url.bytes;
    q.body = fl_secret_copy(body->bytes, body->len);
    bool ready = common_headers(v, &q) && rt_http_header(&q, "X-Vault-Token", (char *)l.token.bytes, l.token.len);
    code = ready ? kms_call(&v->r, v->r.http, &q, a, err)
                 : kms_fail(&v->r, err, "the token or the namespace holds a control character");
    if (code == RT_OK && a->status != 200) {
        *again = l.kept && a->status == 403;
        code = refused(v, a, false, err);
        rt_http_answer_free(a);
    }
    if (*again)
        kms_token_drop(&l.id, &l.token);
    rt_http_request_free(&q);
    fl_secret_free(&url);
    fl_secret_free(&l.token);
    return code;
}

/* The text data/member of the answer. */
static rt_code call(vault *v, const char *verb, const fl_secret *body, const char *member, fl_secret *out,
                    rt_error *err)
{
    rt_http_answer a;
    bool again;
    rt_code code = once(v, verb, body, &a, &again, err);
    if (again)
        code = once(v, verb, body, &a, &again, err);
    if (code != RT_OK)
        return code;
    bool ok = kms_json_text(&a.body, member, out) && out->len;
    rt_http_answer_free(&a);
    return ok ? RT_OK : kms_fail(&v->r, err, "Vault: an answer without %s", member);
}

static rt_code wrap(rt_kms *kms, const fl_secret *plain, fl_buf *wrapped, rt_error *err)
{
    vault *v = (vault *)kms;
    fl_secret text = kms_b64(plain->bytes, plain->len, false), out = {0};
    fl_secret body = KMS_JOIN(KMS_TEXT("{\"plaintext\":\""), &text, KMS_TEXT("\",\"context\":\"\"}"));
    rt_code code = call(v, "encrypt", &body, "data/ciphertext", &out, err);
    if (code == RT_OK && (strncmp((char *)out.bytes, "vault:v", 7) != 0 || out.len > MAX_WRAPPED ||
                          !fl_buf_add(wrapped, out.bytes, out.len)))
        code = kms_fail(&v->r, err, "Vault: an answer that is no transit ciphertext");
    fl_secret_free(&text);
    fl_secret_free(&body);
    fl_secret_free(&out);
    return code;
}

static rt_code unwrap(rt_kms *kms, const uint8_t *wrapped, size_t n, fl_secret *plain, rt_error *err)
{
    vault *v = (vault *)kms;
    fl_secret text = {(uint8_t *)wrapped, n}, out = {0};
    if (n < 8 || n > MAX_WRAPPED || memcmp(wrapped, "vault:v", 7) != 0 || !quotable(&text))
        return kms_fail(&v->r, err,
                        "a wrapped key that does not begin with vault:v is none of Vault's: it is damaged, "
                        "or was wrapped by another key service");
    fl_secret body = KMS_JOIN(KMS_TEXT("{\"ciphertext\":\""), &text, KMS_TEXT("\",\"context\":\"\"}"));
    rt_code code = call(v, "decrypt", &body, "data/plaintext", &out, err);
    if (code == RT_OK && !kms_unb64((char *)out.bytes, out.len, false, plain))
        code = kms_fail(&v->r, err, "Vault: a plaintext that is no base64");
    fl_secret_free(&body);
    fl_secret_free(&out);
    return code;
}

/* ---- opening ---- */

static void vault_free(rt_kms *kms)
{
    vault *v = (vault *)kms;
    kms_remote_end(&v->r);
    free(v->origin);
    free(v->mount);
    free(v->key);
    free(v);
}

/* The Java client's stores are no PEM: going on without them would trust, or show, something else than was asked for.
 */
static rt_code refuse_stores(vault *v, const fl_secret *cert, rt_error *err)
{
    fl_secret trust = kms_param(&v->r, "ssl.truststore.location"), key = kms_param(&v->r, "ssl.keystore.location");
    bool bad_trust = trust.bytes && !v->r.ca.bytes, bad_key = key.bytes && !cert->bytes;
    fl_secret_free(&trust);
    fl_secret_free(&key);
    if (bad_trust)
        return kms_fail(&v->r, err,
                        "flec reads no Java trust store: give its certificates as PEM in ssl.ca.location or "
                        "VAULT_CACERT");
    if (bad_key)
        return kms_fail(&v->r, err,
                        "flec reads no Java key store: give its certificate and key as PEM in "
                        "ssl.certificate.location and ssl.key.location, or VAULT_CLIENT_CERT and "
                        "VAULT_CLIENT_KEY");
    return RT_OK;
}

rt_code rt_kms_vault_open(const char *kek, const char *key_id, const rt_params *params, rt_kms **out, rt_error *err)
{
    vault *v = fl_xcalloc(1, sizeof *v);
    v->r.kms = (rt_kms){wrap, unwrap, vault_free};
    rt_code code = kms_remote_init(&v->r, "hcvault", kek, key_id, params, NULL, err);
    fl_secret cert = kms_param(&v->r, "ssl.certificate.location"), key = kms_param(&v->r, "ssl.key.location");
    if (code == RT_OK)
        code = kms_certificate(&v->r, (char *)cert.bytes, (char *)key.bytes, err);
    if (code == RT_OK)
        code = refuse_stores(v, &cert, err);
    if (code == RT_OK && !parse_id(v, key_id))
        code = kms_fail(&v->r, err, "key id %s is not of the form https://HOST:PORT/MOUNT/keys/KEY", key_id);
    fl_secret_free(&cert);
    fl_secret_free(&key);
    if (code == RT_OK)
        *out = &v->r.kms;
    else
        vault_free(&v->r.kms);
    return code;
}
