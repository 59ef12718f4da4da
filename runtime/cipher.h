/* cipher.h: what aead.c and the ciphers behind it share; not for the rest of runtime/.
 *
 * A cipher is one table of functions. A GCM key is OpenSSL's or libipsec-mb's (imb.h), chosen when it is made. */
#ifndef FLEC_RUNTIME_CIPHER_H
#define FLEC_RUNTIME_CIPHER_H

#include <openssl/evp.h>

#include "runtime/aead.h"
#include "runtime/imb.h"
#include "runtime/seals.h"

/* One field is far smaller; OpenSSL counts in int. */
#define RT_FIELD_MAX ((size_t)1 << 30)

typedef struct rt_cipher {
    const char *name;
    size_t key_len, overhead;
    bool (*init)(rt_key *k, const uint8_t *raw);
    void (*clear)(rt_key *k);
    size_t (*seal)(rt_key *k, const rt_text *t, size_t n); /* as rt_seal_all */
    size_t (*open)(rt_key *k, const rt_text *t, size_t n);
} rt_cipher;

/* A context takes seals of its key in lots: one at a time would cost a lock a field. */
#define RT_SEALS_LOT 65536u

struct rt_key {
    rt_alg alg;
    const rt_cipher *cipher;
    char *what; /* for messages, or NULL */
    union {
        struct {
            EVP_CIPHER_CTX *enc, *dec; /* NULL: `fast` does it */
            rt_imb_key *fast;
            uint8_t (*fixed)[12]; /* IVs of a test, else NULL */
            size_t nfixed, used;
            rt_seals *seals;  /* of the key, over all contexts; NULL until it seals */
            uint64_t counted; /* what they were when the last lot was taken */
            uint32_t left;    /* of that lot */
            char id[RT_SEALS_ID];
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
size_t rt_gcm_seal(rt_key *k, const rt_text *t, size_t n);
size_t rt_gcm_open(rt_key *k, const rt_text *t, size_t n);

bool rt_siv_init(rt_key *k, const uint8_t *raw);
void rt_siv_clear(rt_key *k);
size_t rt_siv_seal(rt_key *k, const rt_text *t, size_t n);
size_t rt_siv_open(rt_key *k, const rt_text *t, size_t n);

#endif
