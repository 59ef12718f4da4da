/* aead.c: key contexts: picks the cipher of an algorithm and keeps the promises that all of them share. */
#include "runtime/aead.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cipher.h"

static const rt_cipher ciphers[] = {
    [RT_AES128_GCM] = {"AES128_GCM", 16, 28, rt_gcm_init, rt_gcm_clear, rt_gcm_seal, rt_gcm_open},
    [RT_AES256_GCM] = {"AES256_GCM", 32, 28, rt_gcm_init, rt_gcm_clear, rt_gcm_seal, rt_gcm_open},
    [RT_AES256_SIV] = {"AES256_SIV", 64, 16, rt_siv_init, rt_siv_clear, rt_siv_seal, rt_siv_open},
};
enum { NCIPHERS = sizeof ciphers / sizeof ciphers[0] };

bool rt_alg_parse(const char *name, rt_alg *out)
{
    for (int i = 0; i < NCIPHERS; i++)
        if (!strcmp(name, ciphers[i].name)) {
            *out = (rt_alg)i;
            return true;
        }
    return false;
}

const char *rt_alg_name(rt_alg alg)
{
    return ciphers[alg].name;
}
size_t rt_alg_key_len(rt_alg alg)
{
    return ciphers[alg].key_len;
}
size_t rt_alg_overhead(rt_alg alg)
{
    return ciphers[alg].overhead;
}

/* ---- the library ---- */

static int wanted = RT_CRYPTO_AUTO; /* atomic */

bool rt_crypto_parse(const char *name, rt_crypto *out)
{
    static const char *const names[] = {"auto", "openssl", "ipsec-mb"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            *out = (rt_crypto)i;
            return true;
        }
    return false;
}

rt_code rt_crypto_use(rt_crypto c, rt_error *err)
{
    const char *why;
    if (c == RT_CRYPTO_IPSEC_MB && !rt_imb_ready(&why))
        return rt_fail(err, RT_REFUSED, "libipsec-mb cannot be used here: %s", why);
    __atomic_store_n(&wanted, (int)c, __ATOMIC_RELAXED);
    return RT_OK;
}

bool rt_crypto_fast(void)
{
    const char *why;
    return __atomic_load_n(&wanted, __ATOMIC_RELAXED) != RT_CRYPTO_OPENSSL && rt_imb_ready(&why);
}

const char *rt_crypto_name(void)
{
    return rt_crypto_fast() ? rt_imb_name() : OpenSSL_version(OPENSSL_VERSION);
}

/* Nothing is freed: what was fetched stays, so that it need not be again; and stays known, so that it is no leak. */
static void fetch_all(void)
{
    static const char *const ciphers_of[] = {"AES-128-GCM", "AES-256-GCM", "AES-256-CTR", "AES-256-CBC"};
    static void *kept[8] __attribute__((used)); /* else the compiler drops what nobody reads */
    unsigned char byte;
    size_t n = 0;
    bool ok = RAND_bytes(&byte, 1) == 1 && RAND_priv_bytes(&byte, 1) == 1;
    for (; ok && n < sizeof ciphers_of / sizeof *ciphers_of; n++)
        ok = (kept[n] = EVP_CIPHER_fetch(NULL, ciphers_of[n], NULL)) != NULL;
    ok = ok && (kept[n++] = EVP_MD_fetch(NULL, "SHA2-256", NULL)) && (kept[n++] = EVP_MAC_fetch(NULL, "HMAC", NULL)) &&
         (kept[n++] = EVP_MAC_fetch(NULL, "CMAC", NULL)) && (kept[n++] = EVP_KDF_fetch(NULL, "HKDF", NULL));
    if (!ok)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL cannot be set up: random bytes or a cipher are missing, or memory ran out");
}

void rt_crypto_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch_all);
}

/* ---- keys ---- */

rt_key *rt_key_new(rt_alg alg, const fl_secret *raw)
{
    if (raw->len != ciphers[alg].key_len)
        return NULL;
    rt_crypto_ready();
    rt_key *k = fl_xcalloc(1, sizeof *k);
    k->alg = alg;
    k->cipher = &ciphers[alg];
    if (k->cipher->init(k, raw->bytes))
        return k;
    rt_key_free(k);
    return NULL;
}

void rt_key_free(rt_key *k)
{
    if (!k)
        return;
    k->cipher->clear(k);
    free(k->what);
    fl_wipe(k, sizeof *k);
    free(k);
}

rt_alg rt_key_alg(const rt_key *k)
{
    return k->alg;
}

void rt_key_name(rt_key *k, const char *what)
{
    free(k->what);
    k->what = fl_xstrdup(what);
}

void rt_key_count(rt_key *k)
{
    if (k->alg == RT_AES256_SIV)
        return;
    k->gcm.seals = rt_seals_of(k->gcm.id, true);
    k->gcm.counted = rt_seals_count(k->gcm.seals);
}

bool rt_key_worn(const rt_key *k)
{
    return k->alg != RT_AES256_SIV && k->gcm.counted >= RT_SEALS_ROTATE;
}

bool rt_key_spent(const rt_key *k)
{
    return k->alg != RT_AES256_SIV && k->gcm.left == 0 && k->gcm.counted >= RT_SEALS_MAX;
}

/* How many of them come before one that is too large. */
static inline size_t fitting(const rt_text *t, size_t n)
{
    size_t fit = 0;
    while (fit < n && t[fit].n <= RT_FIELD_MAX)
        fit++;
    return fit;
}

size_t rt_seal_all(rt_key *k, const rt_text *t, size_t n)
{
    size_t fit = fitting(t, n), done = k->cipher->seal(k, t, fit);
    if (done < fit)
        fl_wipe(t[done].out, t[done].n + k->cipher->overhead);
    return done;
}

size_t rt_open_all(rt_key *k, const rt_text *t, size_t n)
{
    size_t fit = fitting(t, n), done = k->cipher->open(k, t, fit);
    if (done < fit)
        fl_wipe(t[done].out, t[done].n); /* both ciphers decrypt before they can tell */
    return done;
}

bool rt_seal(rt_key *k, uint8_t *out, const uint8_t *in, size_t n)
{
    return rt_seal_all(k, &(rt_text){out, in, n}, 1) == 1;
}

ptrdiff_t rt_open(rt_key *k, uint8_t *out, const uint8_t *in, size_t n)
{
    size_t overhead = k->cipher->overhead;
    if (n < overhead || rt_open_all(k, &(rt_text){out, in, n - overhead}, 1) != 1)
        return -1;
    return (ptrdiff_t)(n - overhead);
}

void rt_key_fix_ivs(rt_key *k, const uint8_t (*ivs)[12], size_t n)
{
    if (k->alg == RT_AES256_SIV)
        return;
    free(k->gcm.fixed);
    k->gcm.fixed = n ? fl_xmalloc(n * 12) : NULL;
    if (n)
        memcpy(k->gcm.fixed, ivs, n * 12);
    k->gcm.nfixed = n;
    k->gcm.used = 0;
}
