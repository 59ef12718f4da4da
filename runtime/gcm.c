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

static void next_iv(rt_key *k, uint8_t *iv)
{
    if (k->gcm.used < k->gcm.nfixed)
        memcpy(iv, k->gcm.fixed[k->gcm.used++], IV);
    else
        rt_random(iv, IV);
}

static __attribute__((noinline)) bool next_lot(rt_key *k)
{
    if (!k->gcm.seals)
        k->gcm.seals = rt_seals_of(k->gcm.id, false);
    k->gcm.left = rt_seals_take(k->gcm.seals, RT_SEALS_LOT, k->what);
    k->gcm.counted = rt_seals_count(k->gcm.seals);
    return k->gcm.left > 0;
}

bool rt_gcm_seal(rt_key *k, uint8_t *out, const uint8_t *in, size_t n)
{
    EVP_CIPHER_CTX *c = k->gcm.enc;
    int len = 0, end = 0;
    if (k->gcm.left == 0 && !next_lot(k))
        return false;
    k->gcm.left--;
    next_iv(k, out);
    if (k->gcm.fast) {
        rt_imb_seal(k->gcm.fast, out, in, n);
        return true;
    }
    if (EVP_EncryptInit_ex(c, NULL, NULL, NULL, out) != 1)
        return false;
    if (n && (EVP_EncryptUpdate(c, out + IV, &len, in, (int)n) != 1 || (size_t)len != n))
        return false;
    OSSL_PARAM tag[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, out + IV + n, TAG), OSSL_PARAM_END};
    return EVP_EncryptFinal_ex(c, out + IV + n, &end) == 1 && end == 0 && EVP_CIPHER_CTX_get_params(c, tag) == 1;
}

bool rt_gcm_open(rt_key *k, uint8_t *out, const uint8_t *in, size_t n)
{
    if (k->gcm.fast)
        return rt_imb_open(k->gcm.fast, out, in, n);
    EVP_CIPHER_CTX *c = k->gcm.dec;
    int len = 0, end = 0;
    uint8_t none[16];
    /* IV and tag in one call: setting the tag by EVP_CIPHER_CTX_ctrl costs another way through the library */
    const OSSL_PARAM tag[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, (void *)(in + IV + n), TAG),
                              OSSL_PARAM_END};
    if (EVP_DecryptInit_ex2(c, NULL, NULL, in, tag) != 1)
        return false;
    if (n && (EVP_DecryptUpdate(c, out, &len, in + IV, (int)n) != 1 || (size_t)len != n))
        return false;
    return EVP_DecryptFinal_ex(c, none, &end) == 1 && end == 0; /* compares the tag in constant time */
}
