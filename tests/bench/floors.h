/* floors.h: AES-GCM by the two libraries themselves, as their manuals show, kept key schedule and IVs from a pool, and
 * nothing else: what the engine is measured against. For engine_bench.c. Each thread has its own. */
#ifndef FLEC_BENCH_FLOORS_H
#define FLEC_BENCH_FLOORS_H

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#if __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>
#endif

#include "runtime/aead.h"
#include "runtime/imb.h"

enum { FLOOR_OVER = 28 };

typedef struct floor_cipher { /* raw form: IV, ciphertext, tag */
    void (*seal)(uint8_t *out, const uint8_t *in, size_t n);
    void (*open)(uint8_t *out, const uint8_t *in, size_t n); /* n: of the text */
} floor_cipher;

static const uint8_t floor_key[32] = {1, 2, 3};

static void next_iv(uint8_t *out)
{
    static _Thread_local uint8_t pool[12 * 341];
    static _Thread_local size_t left;
    if (left == 0) {
        RAND_bytes(pool, sizeof pool);
        left = sizeof pool / 12;
    }
    memcpy(out, pool + 12 * --left, 12);
}

/* ---- OpenSSL ---- */

static EVP_CIPHER_CTX *kept(bool enc)
{
    static _Thread_local EVP_CIPHER_CTX *contexts[2];
    EVP_CIPHER_CTX **c = &contexts[enc];
    if (!*c) {
        *c = EVP_CIPHER_CTX_new();
        EVP_CipherInit_ex(*c, EVP_aes_256_gcm(), NULL, floor_key, NULL, enc);
    }
    return *c;
}

static void openssl_seal(uint8_t *out, const uint8_t *in, size_t n)
{
    EVP_CIPHER_CTX *c = kept(true);
    int len;
    next_iv(out);
    EVP_EncryptInit_ex(c, NULL, NULL, NULL, out);
    EVP_EncryptUpdate(c, out + 12, &len, in, (int)n);
    EVP_EncryptFinal_ex(c, out + 12 + len, &len);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, out + 12 + n);
}

static void openssl_open(uint8_t *out, const uint8_t *in, size_t n)
{
    EVP_CIPHER_CTX *c = kept(false);
    int len;
    EVP_DecryptInit_ex(c, NULL, NULL, NULL, in);
    EVP_DecryptUpdate(c, out, &len, in + 12, (int)n);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, (void *)(uintptr_t)(in + 12 + n));
    if (EVP_DecryptFinal_ex(c, out + len, &len) != 1)
        abort();
}

/* ---- libipsec-mb ---- */

#ifdef IMB_VERSION_NUM
static IMB_MGR *imb;
static struct gcm_key_data imb_key __attribute__((aligned(64)));

static bool imb_ready(void)
{
    void *library = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
    IMB_MGR *(*alloc)(uint64_t) = NULL;
    void (*init)(IMB_MGR *, IMB_ARCH *) = NULL;
    const char *why;
    rt_error e;
    if (!library || rt_crypto_use(RT_CRYPTO_IPSEC_MB, &e) || !rt_imb_ready(&why))
        return false;
    *(void **)&alloc = dlsym(library, "alloc_mb_mgr");
    *(void **)&init = dlsym(library, "init_mb_mgr_auto");
    imb = alloc ? alloc(0) : NULL;
    if (!imb || !init)
        return false;
    init(imb, NULL);
    IMB_AES256_GCM_PRE(imb, floor_key, &imb_key);
    return true;
}

static void imb_seal(uint8_t *out, const uint8_t *in, size_t n)
{
    struct gcm_context_data c;
    next_iv(out);
    IMB_AES256_GCM_ENC(imb, &imb_key, &c, out + 12, in, n, out, NULL, 0, out + 12 + n, 16);
}

static void imb_open(uint8_t *out, const uint8_t *in, size_t n)
{
    struct gcm_context_data c;
    uint8_t tag[16];
    IMB_AES256_GCM_DEC(imb, &imb_key, &c, out, in + 12, n, in, NULL, 0, tag, 16);
    if (memcmp(tag, in + 12 + n, 16) != 0)
        abort();
}
#else
static bool imb_ready(void)
{
    return false;
}
#define imb_seal openssl_seal
#define imb_open openssl_open
#endif

static const floor_cipher floors[] = {
    [RT_CRYPTO_OPENSSL] = {openssl_seal, openssl_open},
    [RT_CRYPTO_IPSEC_MB] = {imb_seal, imb_open},
};

#endif
