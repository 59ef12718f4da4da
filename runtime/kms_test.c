/* kms_test.c: the local KMS against known answers, the Tink key proto, alternates, types without a driver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "runtime/dek.h"
#include "runtime/drivers.h"
#include "runtime/kek_kms.h"

/* A client with one secret; each asked name is remembered. */
typedef struct client {
    const char *secret, *alternates;
    char asked[256];
} client;

static fl_secret get(void *ctx, const char *kek, const char *name)
{
    client *c = ctx;
    size_t n = strlen(c->asked);
    snprintf(c->asked + n, sizeof c->asked - n, "%s ", name);
    const char *v = !strcmp(name, "secret")                          ? c->secret
                    : !strcmp(name, "encrypt.alternate.kms.key.ids") ? c->alternates
                                                                     : NULL;
    return v ? fl_secret_copy(v, strlen(v)) : (fl_secret){0};
}

static void assert_hex(const uint8_t *p, size_t n, const char *hex)
{
    char got[512];
    fl_hex(got, p, n);
    assert_string_equal(got, hex);
}

static void derives(const char *secret, const char *hex)
{
    fl_secret s = fl_secret_copy(secret, strlen(secret)), key;
    assert_true(rt_kms_local_derive(&s, &key));
    assert_hex(key.bytes, key.len, hex);
    fl_secret_free(&s);
    fl_secret_free(&key);
}

static void derivation(void **state)
{
    derives("mysecret", "1ae4d97ac1e81594bfd1993c1a75ee36");
    derives("h-peers-secret", "37c9d7e8ee9b596a6e428257bbabf19c");
    derives("", "eb70f01dede9afafa449eee1b1286504");
}

static rt_kms *local(client *c)
{
    rt_params p = {.get = get, .ctx = c};
    rt_kms *kms;
    rt_error err;
    assert_int_equal(rt_kms_open("k", "local-kms", "any", &p, &kms, &err), RT_OK);
    return kms;
}

/* The key under "mysecret" of the DEK 00..1f with IV 00..0b, as the vendor's Python client wraps it. */
static void unwraps_known_answer(void **state)
{
    client c = {.secret = "mysecret"};
    rt_kms *kms = local(&c);
    fl_secret proto, raw;
    rt_error err;
    assert_int_equal(
        rt_dek_open(kms, "AAECAwQFBgcICQoLuCpaky6/bc6Y/3g0j960f06P22tGgng0Vpi43C5AzkzUeCgJB1J0UHsuyEKIsGlL7QU=", &proto,
                    &err),
        RT_OK);
    assert_hex(proto.bytes, proto.len, "1a20000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    assert_int_equal(rt_tink_unwrap(RT_AES256_GCM, &proto, &raw, &err), RT_OK);
    assert_hex(raw.bytes, raw.len, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    fl_secret_free(&proto);
    fl_secret_free(&raw);
    kms->free(kms);
}

static void wraps_and_unwraps(void **state)
{
    static const rt_alg algs[] = {RT_AES128_GCM, RT_AES256_GCM, RT_AES256_SIV};
    client c = {.secret = "s"};
    rt_kms *kms = local(&c);
    fl_arena *a = fl_arena_new();
    for (size_t i = 0; i < 3; i++) {
        const char *encrypted;
        fl_secret made, opened, raw;
        assert_int_equal(rt_dek_make(kms, algs[i], a, &encrypted, &made, NULL), RT_OK);
        assert_int_equal(rt_dek_open(kms, encrypted, &opened, NULL), RT_OK);
        assert_true(fl_secret_eq(&made, &opened));
        assert_int_equal(rt_tink_unwrap(algs[i], &opened, &raw, NULL), RT_OK);
        assert_int_equal(raw.len, rt_alg_key_len(algs[i]));
        assert_int_equal(made.len, raw.len + 2);
        assert_int_equal(strlen(encrypted), FL_B64_LEN(made.len + 28));
        fl_secret_free(&made);
        fl_secret_free(&opened);
        fl_secret_free(&raw);
    }
    fl_arena_free(a);
    kms->free(kms);
}

static void refuses(const char *secret, const char *encrypted)
{
    client c = {.secret = secret};
    rt_kms *kms = local(&c);
    fl_secret proto = {0};
    rt_error err = {0};
    assert_int_equal(rt_dek_open(kms, encrypted, &proto, &err), RT_NO_KEY);
    assert_null(proto.bytes);
    assert_true(err.message[0]);
    kms->free(kms);
}

static void refusals(void **state)
{
    refuses("other", "AAECAwQFBgcICQoLuCpaky6/bc6Y/3g0j960f06P22tGgng0Vpi43C5AzkzUeCgJB1J0UHsuyEKIsGlL7QU=");
    refuses("mysecret", "AAECAwQFBgcICQoLuCpaky6/bc6Y/3g0j960f06P22tGgng0Vpi43C5AzkzUeCgJB1J0UHsuyEKIsGlL7Qk=");
    refuses("mysecret", "AAECAwQFBgcICQoL");
    refuses("mysecret", "");
    refuses("mysecret", "not base64!");
}

static void no_secret(void **state)
{
    client c = {0};
    rt_params p = {.get = get, .ctx = &c};
    rt_kms *kms;
    rt_error err;
    assert_int_equal(rt_kms_open("crm-kek", "local-kms", "any", &p, &kms, &err), RT_NO_KEY);
    assert_non_null(strstr(err.message, "crm-kek"));
    assert_string_equal(c.asked, "secret ");
    p = (rt_params){0};
    assert_int_equal(rt_kms_open("crm-kek", "local-kms", "any", &p, &kms, &err), RT_NO_KEY);
}

static void other_types(void **state)
{
    static const char *types[] = {"aws-kms", "azure-kms", "gcp-kms", "hcvault", "pkcs11", "LOCAL-KMS", ""};
    client c = {.secret = "s"};
    rt_params p = {.get = get, .ctx = &c};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        rt_kms *kms = NULL;
        rt_error err;
        assert_int_equal(rt_kms_open("k", types[i], "id", &p, &kms, &err), RT_NO_KEY);
        assert_null(kms);
    }
}

/* ---- the Tink proto ---- */

static rt_code tink(rt_alg alg, const char *hex, char raw_hex[200])
{
    uint8_t bytes[128];
    fl_secret raw = {0};
    assert_true(fl_unhex(bytes, hex, strlen(hex)));
    fl_secret s = fl_secret_copy(bytes, strlen(hex) / 2);
    rt_code code = rt_tink_unwrap(alg, &s, &raw, NULL);
    if (code == RT_OK)
        fl_hex(raw_hex, raw.bytes, raw.len);
    fl_secret_free(&s);
    fl_secret_free(&raw);
    return code;
}

#define K16 "000102030405060708090a0b0c0d0e0f"

static void tink_forms(void **state)
{
    static const char *good[] = {
        "1a10" K16,        /* as the clients write it */
        "08001a10" K16,    /* version 0 spelled out */
        "1a10" K16 "0800", /* in another order */
        "221001020304050607080910111213141516"
        "1a10" K16, /* an unknown field */
        "1a0101"
        "1a10" K16, /* the last of two counts */
        "29aabbccddeeff0011"
        "35aabbccdd"
        "1a10" K16,
    };
    static const char *bad[] = {
        "",
        "1a0f000102030405060708090a0b0c0d0e", /* 15 bytes */
        "1a20" K16,                           /* a length beyond the end */
        "08011a10" K16,                       /* version 1 */
        "1210" K16,                           /* field 2: the SIV key's */
        "00",
        "1a",
        "1affffffffffffffffff01" K16,
        "1a10" K16 "0b", /* a group */
        "ffffffffffffffffffff"
        "1a10" K16,
    };
    char hex[200];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(tink(RT_AES128_GCM, good[i], hex), RT_OK);
        assert_string_equal(hex, K16);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(tink(RT_AES128_GCM, bad[i], hex), RT_NO_KEY);
    assert_int_equal(tink(RT_AES256_GCM, good[0], hex), RT_NO_KEY);
    assert_int_equal(tink(RT_AES256_SIV, good[0], hex), RT_NO_KEY);
    assert_int_equal(tink(RT_AES256_SIV, "1240" K16 K16 K16 K16, hex), RT_OK);
}

/* ---- a KEK's KMS ---- */

static rt_code kek_wrap(const char *props, client *c, fl_buf *out, rt_error *err)
{
    rt_kek kek = {.name = "k", .kms_type = "local-kms", .kms_key_id = "main", .props = props};
    rt_params p = {.get = get, .ctx = c};
    rt_kms *kms;
    rt_code code = rt_kek_kms_open(&kek, &p, &kms, err);
    if (code != RT_OK)
        return code;
    fl_secret plain = fl_secret_copy("key", 3);
    code = kms->wrap(kms, &plain, out, err);
    fl_secret_free(&plain);
    kms->free(kms);
    return code;
}

static void props_before_client(void **state)
{
    client mine = {.secret = "client"}, theirs = {.secret = "props"};
    fl_buf out;
    fl_secret back;
    fl_buf_init(&out, 1000);
    assert_int_equal(kek_wrap("{\"secret\":\"props\"}", &mine, &out, NULL), RT_OK);
    rt_kms *kms = local(&theirs);
    assert_int_equal(kms->unwrap(kms, (uint8_t *)out.p, out.len, &back, NULL), RT_OK);
    assert_int_equal(back.len, 3);
    assert_memory_equal(back.bytes, "key", 3);
    fl_secret_free(&back);
    kms->free(kms);
    fl_buf_free(&out);
}

static fl_secret vault_param(void *ctx, const char *kek, const char *name)
{
    const char *v = !strcmp(name, "token.id")                        ? "t"
                    : !strcmp(name, "request.timeout.ms")            ? "50"
                    : !strcmp(name, "encrypt.alternate.kms.key.ids") ? "http://127.0.0.1:1/transit/keys/b"
                                                                     : NULL;
    return v ? fl_secret_copy(v, strlen(v)) : (fl_secret){0};
}

static bool any(void *ctx, const char *type, const char *key_id)
{
    return true;
}

/* None of a KEK's key ids can be reached: that may pass, and is no refusal. */
static void alternates_out_of_reach(void **state)
{
    rt_kek kek = {.name = "k", .kms_type = "hcvault", .kms_key_id = "http://127.0.0.1:1/transit/keys/a", .props = "{}"};
    rt_params params = {.get = vault_param, .may_call = any};
    rt_kms *kms;
    rt_error e;
    fl_secret plain;
    assert_int_equal(rt_kek_kms_open(&kek, &params, &kms, &e), RT_OK);
    assert_int_equal(kms->unwrap(kms, (const uint8_t *)"vault:v1:AAAA", 13, &plain, &e), RT_IO);
    assert_non_null(strstr(e.message, "1 alternate key ids failed"));
    kms->free(kms);
}

static void alternates(void **state)
{
    client c = {.alternates = " b , c,,"}, one = {0}, many = {.alternates = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"};
    rt_error err;
    fl_buf out;
    fl_buf_init(&out, 1000);
    assert_int_equal(kek_wrap(NULL, &c, &out, &err), RT_NO_KEY);
    assert_non_null(strstr(err.message, "2 alternate key ids failed"));
    assert_string_equal(c.asked, "encrypt.alternate.kms.key.ids secret secret secret "); /* each key id was tried */
    assert_int_equal(kek_wrap("{\"encrypt.alternate.kms.key.ids\":\"x\"}", &one, &out, &err), RT_NO_KEY);
    assert_string_equal(one.asked, "secret secret "); /* kmsProps come first */
    assert_int_equal(kek_wrap(NULL, &many, &out, &err), RT_NO_KEY);
    assert_non_null(strstr(err.message, "more than 15"));
    assert_int_equal(kek_wrap("[]", &c, &out, &err), RT_NO_KEY);
    assert_int_equal(out.len, 0);
    fl_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivation),        cmocka_unit_test(unwraps_known_answer),
        cmocka_unit_test(wraps_and_unwraps), cmocka_unit_test(refusals),
        cmocka_unit_test(no_secret),         cmocka_unit_test(other_types),
        cmocka_unit_test(tink_forms),        cmocka_unit_test(props_before_client),
        cmocka_unit_test(alternates),        cmocka_unit_test(alternates_out_of_reach),
    };
    return cmocka_run_group_tests_name("kms", tests, NULL, NULL);
}
