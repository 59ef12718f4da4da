/* siv.c: AES-256-SIV (RFC 5297) with one empty associated-data component, over kept EVP CMAC and AES-CTR contexts.
 *
 * Not EVP's own SIV: a kept context of OpenSSL 3.0 fails from its second use, and it fails on an empty text, which the
 * vendor's clients do encrypt.
 * S2V("", text): D = dbl(CMAC(zero)) xor CMAC(""), the same for every text of a key. Then V = CMAC(text with D over its
 * last 16 bytes) if there are as many, else CMAC(dbl(D) xor pad(text)). */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <string.h>

#include "runtime/cipher.h"

enum { BLOCK = 16, HALF = 32 };

static void xor_block(uint8_t *to, const uint8_t *with)
{
    for (int i = 0; i < BLOCK; i++)
        to[i] ^= with[i];
}

/* Multiplies by x in GF(2^128), RFC 5297 2.3, without a branch on the secret bit. */
static void dbl(uint8_t *out, const uint8_t *in)
{
    uint8_t carry = (uint8_t) - (in[0] >> 7);
    for (int i = 0; i < BLOCK - 1; i++)
        out[i] = (uint8_t)(in[i] << 1 | in[i + 1] >> 7);
    out[BLOCK - 1] = (uint8_t)(in[BLOCK - 1] << 1 ^ (carry & 0x87));
}

/* CMAC of two pieces; the second may be empty. */
static bool cmac(rt_key *k, uint8_t out[BLOCK], const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
    size_t len = 0;
    return EVP_MAC_init(k->siv.mac, NULL, 0, NULL) == 1 && (!na || EVP_MAC_update(k->siv.mac, a, na) == 1) &&
           (!nb || EVP_MAC_update(k->siv.mac, b, nb) == 1) && EVP_MAC_final(k->siv.mac, out, &len, BLOCK) == 1 &&
           len == BLOCK;
}

/* d = S2V's state after its one empty component. */
static bool constants(rt_key *k)
{
    uint8_t zero[BLOCK] = {0}, first[BLOCK], empty[BLOCK];
    if (!cmac(k, first, zero, BLOCK, NULL, 0) || !cmac(k, empty, NULL, 0, NULL, 0))
        return false;
    dbl(k->siv.d, first);
    xor_block(k->siv.d, empty);
    dbl(k->siv.d2, k->siv.d);
    fl_wipe(first, sizeof first);
    fl_wipe(empty, sizeof empty);
    return true;
}

static bool make_mac(rt_key *k, const uint8_t *raw)
{
    char name[] = "AES-256-CBC";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
    k->siv.mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* the context holds it */
    return k->siv.mac && EVP_MAC_init(k->siv.mac, raw, HALF, params) == 1;
}

bool rt_siv_init(rt_key *k, const uint8_t *raw)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    k->siv.ctr = EVP_CIPHER_CTX_new();
    bool ok =
        cipher && k->siv.ctr && EVP_EncryptInit_ex(k->siv.ctr, cipher, NULL, raw + HALF, NULL) == 1 && make_mac(k, raw);
    EVP_CIPHER_free(cipher);
    return ok && constants(k);
}

void rt_siv_clear(rt_key *k)
{
    EVP_MAC_CTX_free(k->siv.mac);
    EVP_CIPHER_CTX_free(k->siv.ctr);
}

static bool s2v(rt_key *k, uint8_t v[BLOCK], const uint8_t *text, size_t n)
{
    uint8_t last[BLOCK] = {0};
    bool ok;
    if (n >= BLOCK) {
        memcpy(last, text + n - BLOCK, BLOCK);
        xor_block(last, k->siv.d);
        ok = cmac(k, v, text, n - BLOCK, last, BLOCK);
    } else {
        if (n)
            memcpy(last, text, n);
        last[n] = 0x80;
        xor_block(last, k->siv.d2);
        ok = cmac(k, v, last, BLOCK, NULL, 0);
    }
    fl_wipe(last, sizeof last);
    return ok;
}

/* CTR from V with two bits cleared (RFC 5297 2.6), the same in both directions. */
static bool ctr(rt_key *k, const uint8_t v[BLOCK], uint8_t *out, const uint8_t *in, size_t n)
{
    uint8_t q[BLOCK];
    int len = 0;
    if (!n)
        return true;
    memcpy(q, v, BLOCK);
    q[8] &= 0x7f;
    q[12] &= 0x7f;
    return EVP_EncryptInit_ex(k->siv.ctr, NULL, NULL, NULL, q) == 1 &&
           EVP_EncryptUpdate(k->siv.ctr, out, &len, in, (int)n) == 1 && (size_t)len == n;
}

static bool seal(rt_key *k, const rt_text *t)
{
    uint8_t v[BLOCK];
    if (!s2v(k, v, t->in, t->n))
        return false;
    memcpy(t->out, v, BLOCK);
    return ctr(k, v, t->out + BLOCK, t->in, t->n);
}

static bool open_it(rt_key *k, const rt_text *t)
{
    uint8_t v[BLOCK];
    return ctr(k, t->in, t->out, t->in + BLOCK, t->n) && s2v(k, v, t->out, t->n) && CRYPTO_memcmp(v, t->in, BLOCK) == 0;
}

size_t rt_siv_seal(rt_key *k, const rt_text *t, size_t n)
{
    size_t done = 0;
    while (done < n && seal(k, &t[done]))
        done++;
    return done;
}

size_t rt_siv_open(rt_key *k, const rt_text *t, size_t n)
{
    size_t done = 0;
    while (done < n && open_it(k, &t[done]))
        done++;
    return done;
}
