/* cipher.h: what aead.c and the ciphers behind it share; not for the rest of runtime/.
 *
 * A cipher is one table of functions. A second library (the seam for libipsec-mb) is another such table, chosen in
 * aead.c. */
#ifndef FLEC_RUNTIME_CIPHER_H
#define FLEC_RUNTIME_CIPHER_H

#include <openssl/evp.h>

#include "runtime/aead.h"

/* One field is far smaller; OpenSSL counts in int. */
#define RT_FIELD_MAX ((size_t)1 << 30)

typedef struct rt_cipher {
    const char *name;
    size_t key_len, overhead;
    bool (*init)(rt_key *k, const uint8_t *raw);
    void (*clear)(rt_key *k);
    bool (*seal)(rt_key *k, uint8_t *out, const uint8_t *in, size_t n);
    bool (*open)(rt_key *k, uint8_t *out, const uint8_t *in, size_t n); /* n: of the text */
} rt_cipher;

/* Random IVs of 96 bits: beyond 2^32 seals under one key they may meet (NIST SP 800-38D 8.3). Counted per context,
 * since nothing that outlives a process counts them yet: many processes under one key must rotate it by days. */
#define RT_SEALS_WARN ((uint64_t)1 << 31)
#define RT_SEALS_MAX  ((uint64_t)1 << 32)

struct rt_key {
    rt_alg alg;
    const rt_cipher *cipher;
    union {
        struct {
            EVP_CIPHER_CTX *enc, *dec;
            uint8_t (*fixed)[12]; /* IVs of a test, else NULL */
            size_t nfixed, used;
            uint64_t seals; /* by this context */
        } gcm;
        struct {
            EVP_MAC_CTX *mac;
            EVP_CIPHER_CTX *ctr;
            uint8_t d[16], d2[16]; /* S2V after the empty component, and doubled: constants of the key */
        } siv;
    };
};

bool rt_gcm_init(rt_key *k, const uint8_t *raw);
void rt_gcm_clear(rt_key *k);
bool rt_gcm_seal(rt_key *k, uint8_t *out, const uint8_t *in, size_t n);
bool rt_gcm_open(rt_key *k, uint8_t *out, const uint8_t *in, size_t n);

bool rt_siv_init(rt_key *k, const uint8_t *raw);
void rt_siv_clear(rt_key *k);
bool rt_siv_seal(rt_key *k, uint8_t *out, const uint8_t *in, size_t n);
bool rt_siv_open(rt_key *k, uint8_t *out, const uint8_t *in, size_t n);

#endif
