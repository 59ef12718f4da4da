/* tink.c: the Tink key proto around a raw key: what a KMS wraps and a registry returns as keyMaterial.
 *
 * AesGcmKey { uint32 version = 1; bytes key_value = 3; }, AesSivKey { uint32 version = 1; bytes key_value = 2; }.
 * Version 0 is left out as proto3 does. A reader takes fields in any order and skips what it does not know. */
#include <string.h>

#include "runtime/kms.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

typedef struct cursor {
    const uint8_t *p;
    size_t left;
} cursor;

static unsigned key_field(rt_alg alg)
{
    return alg == RT_AES256_SIV ? 2 : 3;
}

fl_secret rt_tink_wrap(rt_alg alg, const fl_secret *raw)
{
    fl_secret s = fl_secret_new(raw->len + 2); /* the longest key has 64 bytes: one byte of length */
    s.bytes[0] = (uint8_t)(key_field(alg) << 3 | BYTES);
    s.bytes[1] = (uint8_t)raw->len;
    memcpy(s.bytes + 2, raw->bytes, raw->len);
    return s;
}

static bool varint(cursor *c, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && c->left; shift += 7) {
        uint8_t b = *c->p++;
        c->left--;
        if (shift == 63 && b > 1)
            return false;
        *out |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return true;
    }
    return false;
}

static bool take(cursor *c, uint64_t n, const uint8_t **at)
{
    if (n > c->left)
        return false;
    *at = c->p;
    c->p += n;
    c->left -= (size_t)n;
    return true;
}

/* Reads the value of one field. BYTES: *at and *n; VARINT: *n. */
static bool value(cursor *c, unsigned wire, const uint8_t **at, uint64_t *n)
{
    switch (wire) {
    case VARINT:
        return varint(c, n);
    case FIXED64:
        return take(c, *n = 8, at);
    case BYTES:
        return varint(c, n) && take(c, *n, at);
    case FIXED32:
        return take(c, *n = 4, at);
    default:
        return false;
    }
}

/* The key's bytes inside the proto, or what is wrong. */
static const char *find_key(rt_alg alg, const fl_secret *proto, const uint8_t **key, size_t *len)
{
    cursor c = {proto->bytes, proto->len};
    *key = NULL;
    while (c.left) {
        uint64_t tag, n = 0;
        const uint8_t *at = NULL;
        if (!varint(&c, &tag) || tag >> 3 == 0 || !value(&c, tag & 7, &at, &n))
            return "it is no Tink key proto";
        if (tag == (1 << 3 | VARINT) && n != 0)
            return "its Tink key version is not 0";
        if (tag == (key_field(alg) << 3 | BYTES)) {
            *key = at;
            *len = (size_t)n;
        }
    }
    return *key ? NULL : "it holds no key of this algorithm";
}

rt_code rt_tink_unwrap(rt_alg alg, const fl_secret *proto, fl_secret *raw, rt_error *err)
{
    const uint8_t *key;
    size_t len = 0;
    const char *wrong = find_key(alg, proto, &key, &len);
    if (wrong)
        return rt_fail(err, RT_NO_KEY, "key material for %s cannot be used: %s", rt_alg_name(alg), wrong);
    if (len != rt_alg_key_len(alg))
        return rt_fail(err, RT_NO_KEY, "key material for %s cannot be used: its key has %zu bytes, not %zu",
                       rt_alg_name(alg), len, rt_alg_key_len(alg));
    *raw = fl_secret_copy(key, len);
    return RT_OK;
}
