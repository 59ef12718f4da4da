/* aead.h: the one seam of the ciphers. A key context seals and opens fields in the vendor's raw form with empty
 * associated data: AES128_GCM, AES256_GCM: IV (12, random) | ciphertext | tag (16)          28 bytes more than the text
 *   AES256_SIV:             V (16) | ciphertext, RFC 5297 with one empty associated-data component    16 bytes more
 * Nothing is allocated after rt_key_new. A context belongs to one thread. Source: facts measured against the vendor's
 * clients, docs/wire.md. */
#ifndef FLEC_RUNTIME_AEAD_H
#define FLEC_RUNTIME_AEAD_H

#include "runtime/error.h"

typedef enum { RT_AES128_GCM, RT_AES256_GCM, RT_AES256_SIV } rt_alg;

bool rt_alg_parse(const char *name, rt_alg *out); /* "AES256_GCM", … */
const char *rt_alg_name(rt_alg alg);
size_t rt_alg_key_len(rt_alg alg);  /* 16, 32, 64 */
size_t rt_alg_overhead(rt_alg alg); /* 28 or 16 */

/* Which library AES-GCM keys made from now on use, in the whole process. auto: libipsec-mb where it can be used
 * (imb.h), else OpenSSL; a key that the first does not take is OpenSSL's. AES256_SIV is always OpenSSL's. */
typedef enum { RT_CRYPTO_AUTO, RT_CRYPTO_OPENSSL, RT_CRYPTO_IPSEC_MB } rt_crypto;
bool rt_crypto_parse(const char *name, rt_crypto *out); /* auto, openssl, ipsec-mb */
/* RT_REFUSED: ipsec-mb is wanted and cannot be used, with the reason. */
rt_code rt_crypto_use(rt_crypto c, rt_error *err);
bool rt_crypto_fast(void); /* libipsec-mb is what new keys use */
/* "libipsec-mb 1.3.0 (AVX2)", or "OpenSSL 3.0.22 …". */
const char *rt_crypto_name(void);
/* Before OpenSSL's first use for keys: an algorithm for which it has no memory when it is asked for the first time is
 * missing from then on. So all are asked for at once, and the program ends where one is not there. */
void rt_crypto_ready(void);

typedef struct rt_key rt_key;
/* raw is copied into the cipher's own key schedule; NULL if the library refuses. Contexts are wiped when freed. */
rt_key *rt_key_new(rt_alg alg, const fl_secret *raw);
void rt_key_free(rt_key *k);
rt_alg rt_key_alg(const rt_key *k);
void rt_key_name(rt_key *k, const char *what); /* for what the log says of it: "KEK k, subject s, version 2" */
/* A data key: its seals are counted in the file, too, if there is one, and looked up now, so that the next two know
 * before its first seal. */
void rt_key_count(rt_key *k);
/* GCM keys wear (runtime/seals.h). worn: a rotating key is to be replaced now. spent: it seals no more. */
bool rt_key_worn(const rt_key *k);
bool rt_key_spent(const rt_key *k);
#define RT_SPENT "its data key has encrypted 2^32 texts and seals no more; let it rotate (encrypt.dek.expiry.days)"
/* Writes n + overhead bytes to out (may not overlap in). false: the library failed, nothing of the text is in out. */
bool rt_seal(rt_key *k, uint8_t *out, const uint8_t *in, size_t n);
/* Returns the length of the text written to out (n - overhead; out may not overlap in), or -1: too short or not
 * authentic, and then out holds nothing of the text. */
ptrdiff_t rt_open(rt_key *k, uint8_t *out, const uint8_t *in, size_t n);
/* Several texts under one key, in turn: what a text costs beside its cipher is paid once. n: of the text, overhead
 * bytes fewer than of its ciphertext. They return how many were sealed or opened; where that is fewer than all, the
 * next one failed as above, and those behind it were not begun. */
typedef struct rt_text {
    uint8_t *out;
    const uint8_t *in;
    size_t n;
} rt_text;
size_t rt_seal_all(rt_key *k, const rt_text *t, size_t n);
size_t rt_open_all(rt_key *k, const rt_text *t, size_t n);
/* For tests: the next GCM seals of this context take these 12-byte IVs in turn instead of random ones. */
void rt_key_fix_ivs(rt_key *k, const uint8_t (*ivs)[12], size_t n);

/* Random bytes from a pool that is refilled in blocks, dropped after fork and wiped on exit. */
void rt_random(uint8_t *out, size_t n);
/* 12 of them to where each of the texts goes: their IVs. */
void rt_random_ivs(const rt_text *t, size_t n);

#endif
