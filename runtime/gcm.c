/* gcm.c: AES-GCM with contexts kept per key: the key schedule is made once, a field costs an IV and the data. */
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cipher.h"

enum { IV = 12, TAG = 16 };

/* Fetched once for the process: a fetch costs more than a field. Never freed: OpenSSL's own clean-up may run before
 * ours. */
static const EVP_CIPHER *fetched(rt_alg alg)
{
    static EVP_CIPHER *gcm128, *gcm256;
    EVP_CIPHER **slot = alg == RT_AES128_GCM ? &gcm128 : &gcm256;
    EVP_CIPHER *have = __atomic_load_n(slot, __ATOMIC_ACQUIRE), *none = NULL;
    if (have)
        return have;
    EVP_CIPHER *made = EVP_CIPHER_fetch(NULL, alg == RT_AES128_GCM ? "AES-128-GCM" : "AES-256-GCM", NULL);
    if (__atomic_compare_exchange_n(slot, &none, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    EVP_CIPHER_free(made);
    return none;
}

bool rt_gcm_init(rt_key *k, const uint8_t *raw)
{
    rt_seals_id(raw, k->cipher->key_len, k->gcm.id);
    k->gcm.fast = rt_crypto_fast() ? rt_imb_key_new(k->alg, raw) : NULL;
    if (k->gcm.fast)
        return true;
    const EVP_CIPHER *cipher = fetched(k->alg);
    k->gcm.enc = EVP_CIPHER_CTX_new();
    k->gcm.dec = EVP_CIPHER_CTX_new();
    return cipher && k->gcm.enc && k->gcm.dec && EVP_EncryptInit_ex(k->gcm.enc, cipher, NULL, raw, NULL) == 1 &&
           EVP_DecryptInit_ex(k->gcm.dec, cipher, NULL, raw, NULL) == 1;
}

void rt_gcm_clear(rt_key *k)
{
    EVP_CIPHER_CTX_free(k->gcm.enc); /* cleanses the key schedule */
    EVP_CIPHER_CTX_free(k->gcm.dec);
    rt_imb_key_free(k->gcm.fast);
    if (k->gcm.seals)
        rt_seals_return(k->gcm.seals, k->gcm.left);
    free(k->gcm.fixed);
}

static __attribute__((noinline)) bool next_lot(rt_key *k)
{
    if (!k->gcm.seals)
        k->gcm.seals = rt_seals_of(k->gcm.id, false);
    k->gcm.left = rt_seals_take(k->gcm.seals, RT_SEALS_LOT, k->what);
    k->gcm.counted = rt_seals_count(k->gcm.seals);
    return k->gcm.left > 0;
}

/* As many seals as are left of the lot, n at most; 0: the key is spent. */
static inline size_t take(rt_key *k, size_t n)
{
    if (k->gcm.left == 0 && !next_lot(k))
        return 0;
    n = n < k->gcm.left ? n : k->gcm.left;
    k->gcm.left -= (uint32_t)n;
    return n;
}

static __attribute__((noinline)) void fixed_ivs(rt_key *k, const rt_text *t, size_t n)
{
    for (; n && k->gcm.used < k->gcm.nfixed; n--, t++)
        memcpy(t->out, k->gcm.fixed[k->gcm.used++], IV);
    rt_random_ivs(t, n);
}

static bool openssl_seal(EVP_CIPHER_CTX *c, const rt_text *t)
{
    int len = 0, end = 0;
    uint8_t *to = t->out + IV;
    size_t n = t->n;
    if (EVP_EncryptInit_ex(c, NULL, NULL, NULL, t->out) != 1)
        return false;
    if (n && (EVP_EncryptUpdate(c, to, &len, t->in, (int)n) != 1 || (size_t)len != n))
        return false;
    OSSL_PARAM tag[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, to + n, TAG), OSSL_PARAM_END};
    return EVP_EncryptFinal_ex(c, to + n, &end) == 1 && end == 0 && EVP_CIPHER_CTX_get_params(c, tag) == 1;
}

/* Seals up to n; *taken of them were counted. */
static size_t seal_some(rt_key *k, const rt_text *t, size_t n, size_t *taken)
{
    size_t done = 0;
    *taken = n = take(k, n);
    if (k->gcm.fixed)
        fixed_ivs(k, t, n);
    else
        rt_random_ivs(t, n);
    if (k->gcm.fast) {
        rt_imb_seal(k->gcm.fast, t, n);
        return n;
    }
    while (done < n && openssl_seal(k->gcm.enc, &t[done]))
        done++;
    return done;
}

size_t rt_gcm_seal(rt_key *k, const rt_text *t, size_t n)
{
    size_t done = 0, taken = 1, some;
    for (; done < n && taken; done += some) { /* more than once where a lot ends between them */
        some = seal_some(k, t + done, n - done, &taken);
        if (some < taken)
            return done + some;
    }
    return done;
}

static bool openssl_open(EVP_CIPHER_CTX *c, const rt_text *t)
{
    int len = 0, end = 0;
    uint8_t none[16];
    size_t n = t->n;
    /* IV and tag in one call: setting the tag by EVP_CIPHER_CTX_ctrl costs another way through the library */
    const OSSL_PARAM tag[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, (void *)(t->in + IV + n), TAG),
                              OSSL_PARAM_END};
    if (EVP_DecryptInit_ex2(c, NULL, NULL, t->in, tag) != 1)
        return false;
    if (n && (EVP_DecryptUpdate(c, t->out, &len, t->in + IV, (int)n) != 1 || (size_t)len != n))
        return false;
    return EVP_DecryptFinal_ex(c, none, &end) == 1 && end == 0; /* compares the tag in constant time */
}

size_t rt_gcm_open(rt_key *k, const rt_text *t, size_t n)
{
    size_t done = 0;
    if (k->gcm.fast)
        return rt_imb_open(k->gcm.fast, t, n);
    while (done < n && openssl_open(k->gcm.dec, &t[done]))
        done++;
    return done;
}
