/* dek.c: making and opening data encryption keys. */
#include "runtime/dek.h"

#include <openssl/rand.h>
#include <string.h>

enum { MAX_WRAPPED = 16384 };

static fl_secret random_key(rt_alg alg)
{
    rt_crypto_ready();
    fl_secret raw = fl_secret_new(rt_alg_key_len(alg));
    if (RAND_priv_bytes(raw.bytes, (int)raw.len) != 1)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no random bytes; no key can be made");
    return raw;
}

rt_code rt_dek_wrap(rt_kms *kms, const fl_secret *proto, fl_arena *a, const char **encrypted, rt_error *err)
{
    fl_buf wrapped;
    fl_buf_init(&wrapped, MAX_WRAPPED);
    rt_code code = kms->wrap(kms, proto, &wrapped, err);
    if (code == RT_OK) {
        char *text = fl_alloc(a, FL_B64_LEN(wrapped.len) + 1);
        text[fl_b64_encode(text, (uint8_t *)wrapped.p, wrapped.len)] = 0;
        *encrypted = text;
    }
    fl_buf_free(&wrapped);
    return code;
}

rt_code rt_dek_make(rt_kms *kms, rt_alg alg, fl_arena *a, const char **encrypted, fl_secret *proto, rt_error *err)
{
    fl_secret raw = random_key(alg);
    *proto = rt_tink_wrap(alg, &raw);
    fl_secret_free(&raw);
    rt_code code = rt_dek_wrap(kms, proto, a, encrypted, err);
    if (code != RT_OK)
        fl_secret_free(proto);
    return code;
}

rt_code rt_dek_open(rt_kms *kms, const char *encrypted, fl_secret *proto, rt_error *err)
{
    size_t n = strlen(encrypted);
    if (n > FL_B64_LEN(MAX_WRAPPED))
        return rt_fail(err, RT_NO_KEY, "the registry's encryptedKeyMaterial is too long: %zu characters", n);
    uint8_t wrapped[FL_B64_ROOM(FL_B64_LEN(MAX_WRAPPED))];
    ptrdiff_t len = fl_b64_decode(wrapped, encrypted, n, FL_B64_STRICT);
    if (len < 0)
        return rt_fail(err, RT_NO_KEY, "the registry's encryptedKeyMaterial is no base64");
    return kms->unwrap(kms, wrapped, (size_t)len, proto, err);
}
