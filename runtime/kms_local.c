/* kms_local.c: the driver of local-kms, the vendor's KMS for tests: AES-128-GCM without associated data, under a key
 * derived from the parameter `secret`. The key id is not used. */
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/drivers.h"

enum { OVERHEAD = 28, MAX_WRAPPED = 4096 };

typedef struct local {
    rt_kms kms;
    rt_key *key;
    char *kek; /* for messages */
} local;

bool rt_kms_local_derive(const fl_secret *secret, fl_secret *out)
{
    char digest[] = "SHA256";
    uint8_t nothing[1] = {0};
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret->len ? secret->bytes : nothing, secret->len),
        OSSL_PARAM_construct_end()};
    rt_crypto_ready();
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *c = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    *out = fl_secret_new(16);
    bool ok = c && EVP_KDF_derive(c, out->bytes, out->len, params) == 1;
    EVP_KDF_CTX_free(c);
    EVP_KDF_free(kdf);
    if (!ok)
        fl_secret_free(out);
    return ok;
}

static rt_code wrap(rt_kms *kms, const fl_secret *plain, fl_buf *wrapped, rt_error *err)
{
    local *l = (local *)kms;
    size_t n = plain->len + OVERHEAD;
    if (!fl_buf_reserve(wrapped, n) || !rt_seal(l->key, (uint8_t *)wrapped->p + wrapped->len, plain->bytes, plain->len))
        return rt_fail(err, RT_NO_KEY, "KEK %s: the local KMS could not wrap a key", l->kek);
    wrapped->len += n;
    wrapped->p[wrapped->len] = 0;
    return RT_OK;
}

static rt_code unwrap(rt_kms *kms, const uint8_t *wrapped, size_t n, fl_secret *plain, rt_error *err)
{
    local *l = (local *)kms;
    if (n <= OVERHEAD || n > MAX_WRAPPED)
        return rt_fail(err, RT_NO_KEY, "KEK %s: a wrapped key of %zu bytes is none of the local KMS", l->kek, n);
    fl_secret s = fl_secret_new(n - OVERHEAD);
    if (rt_open(l->key, s.bytes, wrapped, n) >= 0) {
        *plain = s;
        return RT_OK;
    }
    fl_secret_free(&s);
    return rt_fail(err, RT_NO_KEY,
                   "KEK %s: the local KMS does not open the key: it was wrapped under another secret, or is damaged",
                   l->kek);
}

static void local_free(rt_kms *kms)
{
    local *l = (local *)kms;
    rt_key_free(l->key);
    free(l->kek);
    free(l);
}

rt_code rt_kms_local_open(const char *kek, const char *key_id, const rt_params *params, rt_kms **out, rt_error *err)
{
    fl_secret secret = params->get ? params->get(params->ctx, kek, "secret") : (fl_secret){0};
    if (!secret.bytes)
        return rt_fail(err, RT_NO_KEY,
                       "KEK %s: local-kms needs its secret: set rule.executors._default_.param.secret in --config, or "
                       "LOCAL_SECRET",
                       kek);
    fl_secret raw;
    bool ok = rt_kms_local_derive(&secret, &raw);
    fl_secret_free(&secret);
    rt_key *key = ok ? rt_key_new(RT_AES128_GCM, &raw) : NULL;
    if (ok)
        fl_secret_free(&raw);
    if (!key)
        return rt_fail(err, RT_NO_KEY, "KEK %s: OpenSSL refuses to derive the local KMS's key", kek);
    local *l = fl_xcalloc(1, sizeof *l);
    l->kms = (rt_kms){wrap, unwrap, local_free};
    l->key = key;
    l->kek = fl_xstrdup(kek);
    *out = &l->kms;
    return RT_OK;
}
