/* aead_test.c: known answers of the ciphers, tampering of every bit, kept contexts, the pool of random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/cipher.h"

enum { ROOM = 4096 };

static size_t unhex(uint8_t *out, const char *hex)
{
    size_t n = strlen(hex);
    if (!strcmp(hex, "-"))
        return 0;
    assert_true(n / 2 <= ROOM && fl_unhex(out, hex, n));
    return n / 2;
}

static rt_key *key_of(rt_alg alg, const char *hex)
{
    uint8_t raw[ROOM];
    fl_secret s = fl_secret_copy(raw, unhex(raw, hex));
    rt_key *k = rt_key_new(alg, &s);
    fl_secret_free(&s);
    assert_non_null(k);
    return k;
}

static rt_key *key_filled(rt_alg alg, int byte)
{
    fl_secret s = fl_secret_new(rt_alg_key_len(alg));
    memset(s.bytes, byte, s.len);
    rt_key *k = rt_key_new(alg, &s);
    fl_secret_free(&s);
    assert_non_null(k);
    return k;
}

static const rt_alg algs[] = {RT_AES128_GCM, RT_AES256_GCM, RT_AES256_SIV};

static void names(void **state)
{
    rt_alg a;
    for (size_t i = 0; i < 3; i++) {
        assert_true(rt_alg_parse(rt_alg_name(algs[i]), &a));
        assert_int_equal(a, algs[i]);
    }
    assert_false(rt_alg_parse("AES256_CBC", &a));
    assert_int_equal(rt_alg_key_len(RT_AES128_GCM), 16);
    assert_int_equal(rt_alg_key_len(RT_AES256_SIV), 64);
    assert_int_equal(rt_alg_overhead(RT_AES256_GCM), 28);
    assert_int_equal(rt_alg_overhead(RT_AES256_SIV), 16);
}

static void wrong_key_length(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        fl_secret s = fl_secret_new(rt_alg_key_len(algs[i]) - 1);
        assert_null(rt_key_new(algs[i], &s));
        fl_secret_free(&s);
    }
}

/* The vendor's known answers: one empty component, never none. */
static void siv_known_answers(void **state)
{
    json_error_t e;
    json_t *root = json_load_file("tests/vectors/vectors.json", 0, &e), *kat;
    assert_non_null(root);
    size_t i, right = 0, wrong = 0;
    json_array_foreach(json_object_get(json_object_get(root, "primitives"), "siv_kat"), i, kat)
    {
        uint8_t text[ROOM], want[ROOM], got[ROOM];
        size_t n = unhex(text, json_string_value(json_object_get(kat, "plaintext_hex")));
        size_t m = unhex(want, json_string_value(json_object_get(kat, "out_hex")));
        bool one = !strcmp(json_string_value(json_object_get(kat, "aad")), "one empty component");
        rt_key *k = key_of(RT_AES256_SIV, json_string_value(json_object_get(kat, "key_hex")));
        assert_true(rt_seal(k, got, text, n));
        assert_int_equal(m, n + 16);
        assert_true((memcmp(got, want, m) == 0) == one);
        assert_int_equal(rt_open(k, got, want, m), one ? (ptrdiff_t)n : -1);
        right += one;
        wrong += !one;
        rt_key_free(k);
    }
    assert_int_equal(right, 2);
    assert_int_equal(wrong, 1);
    json_decref(root);
}

static void wycheproof_case(rt_alg alg, const char *result, const char *key, const char *msg, const char *raw_hex)
{
    uint8_t text[ROOM], raw[ROOM], out[ROOM];
    size_t n = unhex(text, msg), m = unhex(raw, raw_hex);
    rt_key *k = key_of(alg, key);
    bool valid = !strcmp(result, "valid");
    memset(out, 0xee, sizeof out);
    ptrdiff_t got = rt_open(k, out, raw, m);
    assert_int_equal(got, valid ? (ptrdiff_t)n : -1);
    if (valid) {
        assert_memory_equal(out, text, n);
        if (alg != RT_AES256_SIV)
            rt_key_fix_ivs(k, (const uint8_t(*)[12])raw, 1);
        assert_true(rt_seal(k, out, text, n));
        assert_memory_equal(out, raw, m);
    }
    rt_key_free(k);
}

static void wycheproof(void **state)
{
    static char line[4 * ROOM], alg[32], id[32], result[32], key[256], msg[ROOM], raw[2 * ROOM];
    FILE *f = fopen("tests/vectors/wycheproof.tsv", "r");
    assert_non_null(f);
    size_t cases = 0;
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%31s %31s %31s %255s %4095s %8191s", alg, id, result, key, msg, raw), 6);
        rt_alg a;
        assert_true(rt_alg_parse(alg, &a));
        wycheproof_case(a, result, key, msg, raw);
        cases++;
    }
    fclose(f);
    assert_int_equal(cases, 211);
}

/* NIST's GCM examples with an all-zero key and IV. */
static void gcm_nist(void **state)
{
    static const struct {
        rt_alg alg;
        size_t n;
        const char *out;
    } cases[] = {{RT_AES128_GCM, 0, "58e2fccefa7e3061367f1d57a4e7455a"},
                 {RT_AES128_GCM, 16, "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
                 {RT_AES256_GCM, 0, "530f8afbc74536b9a963b4f1c4cb738b"},
                 {RT_AES256_GCM, 16, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"}};
    static const uint8_t zero[16], iv[1][12];
    for (size_t i = 0; i < 4; i++) {
        uint8_t out[64], want[64];
        rt_key *k = key_filled(cases[i].alg, 0);
        rt_key_fix_ivs(k, iv, 1);
        assert_true(rt_seal(k, out, zero, cases[i].n));
        assert_memory_equal(out, iv, 12);
        size_t m = unhex(want, cases[i].out);
        assert_memory_equal(out + 12, want, m);
        assert_int_equal(m, cases[i].n + 16);
        rt_key_free(k);
    }
}

/* OpenSSL's own SIV, a fresh context a text, explicit empty component: independent of our S2V (it cannot do empty
 * texts). */
static void evp_siv(const uint8_t key[64], const uint8_t *text, size_t n, uint8_t *out)
{
    EVP_CIPHER *siv = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int len = 0;
    assert_int_equal(EVP_EncryptInit_ex(c, siv, NULL, key, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(c, NULL, &len, (const uint8_t *)"", 0), 1);
    assert_int_equal(EVP_EncryptUpdate(c, out + 16, &len, text, (int)n), 1);
    assert_int_equal(EVP_EncryptFinal_ex(c, out + 16 + n, &len), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, out), 1);
    EVP_CIPHER_CTX_free(c);
    EVP_CIPHER_free(siv);
}

static void siv_against_openssl(void **state)
{
    uint8_t text[300], want[400], got[400];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + 3);
    fl_secret s = fl_secret_new(64);
    for (size_t i = 0; i < 64; i++)
        s.bytes[i] = (uint8_t)(0xf0 ^ i * 5);
    rt_key *k = rt_key_new(RT_AES256_SIV, &s); /* one context for all lengths */
    for (size_t n = 1; n <= sizeof text; n++) {
        evp_siv(s.bytes, text, n, want);
        assert_true(rt_seal(k, got, text, n));
        assert_memory_equal(got, want, n + 16);
    }
    rt_key_free(k);
    fl_secret_free(&s);
}

static void round_trips(void **state)
{
    static uint8_t text[5000], sealed[5100], back[5000];
    rt_random(text, sizeof text);
    for (size_t i = 0; i < 3; i++) {
        rt_key *k = key_filled(algs[i], 0x42);
        for (size_t n = 0; n <= sizeof text; n += n < 70 ? 1 : 821) {
            assert_true(rt_seal(k, sealed, text, n));
            assert_int_equal(rt_open(k, back, sealed, n + rt_alg_overhead(algs[i])), n);
            assert_memory_equal(back, text, n);
        }
        rt_key_free(k);
    }
}

/* Nothing of the text may be in out after a refusal, not even one that fails only at the tag. */
static void assert_wiped(const uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(out[i], 0);
}

static void every_bit(void **state)
{
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 0; n <= 33; n += 11) {
            uint8_t text[40], sealed[80], out[40];
            rt_key *k = key_filled(algs[i], 7);
            memset(text, 'x', sizeof text);
            assert_true(rt_seal(k, sealed, text, n));
            size_t m = n + rt_alg_overhead(algs[i]);
            for (size_t bit = 0; bit < 8 * m; bit++) {
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
                memset(out, 0xee, sizeof out);
                assert_int_equal(rt_open(k, out, sealed, m), -1);
                assert_wiped(out, n);
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
            for (size_t cut = 0; cut < m; cut++)
                assert_int_equal(rt_open(k, out, sealed, cut), -1);
            assert_int_equal(rt_open(k, out, sealed, m), n); /* the context still works after refusals */
            rt_key_free(k);
        }
}

static void other_key(void **state)
{
    uint8_t sealed[64], out[64];
    for (size_t i = 0; i < 3; i++) {
        rt_key *a = key_filled(algs[i], 1), *b = key_filled(algs[i], 2);
        assert_true(rt_seal(a, sealed, (const uint8_t *)"text", 4));
        assert_int_equal(rt_open(b, out, sealed, 4 + rt_alg_overhead(algs[i])), -1);
        rt_key_free(a);
        rt_key_free(b);
    }
}

static void deterministic_or_not(void **state)
{
    uint8_t a[64], b[64];
    for (size_t i = 0; i < 3; i++) {
        rt_key *k = key_filled(algs[i], 9);
        assert_true(rt_seal(k, a, (const uint8_t *)"same", 4));
        assert_true(rt_seal(k, b, (const uint8_t *)"same", 4));
        assert_int_equal(memcmp(a, b, 4 + rt_alg_overhead(algs[i])) == 0, algs[i] == RT_AES256_SIV);
        rt_key_free(k);
    }
}

static void fixed_ivs_then_random(void **state)
{
    static const uint8_t ivs[2][12] = {"first-iv-...", "second-iv-.."};
    uint8_t out[64];
    rt_key *k = key_filled(RT_AES256_GCM, 1);
    rt_key_fix_ivs(k, ivs, 2);
    for (int i = 0; i < 3; i++) {
        assert_true(rt_seal(k, out, (const uint8_t *)"t", 1));
        assert_int_equal(i < 2 && memcmp(out, ivs[i], 12) == 0, i < 2);
    }
    assert_true(memcmp(out, ivs[0], 12) && memcmp(out, ivs[1], 12));
    rt_key_free(k);
}

/* One more than 2^32 under a key is refused, whichever context asks, and nothing of the text is handed out. */
static void seals_counted(void **state)
{
    uint8_t out[64];
    rt_key *k = key_filled(RT_AES256_GCM, 0x5e), *other = key_filled(RT_AES256_GCM, 0x5e),
           *stranger = key_filled(RT_AES256_GCM, 0x5f);
    assert_true(rt_seal(k, out, (const uint8_t *)"text", 4));
    rt_seals *s = rt_seals_of(k->gcm.id, false);
    assert_int_equal(rt_seals_count(s), RT_SEALS_LOT);
    for (uint64_t n = rt_seals_count(s); n < RT_SEALS_MAX; n = rt_seals_count(s))
        assert_true(rt_seals_take(s, UINT32_MAX, "a key of a test") > 0);
    assert_false(rt_key_spent(k));
    for (uint32_t i = 1; i < RT_SEALS_LOT; i++) /* what the context had taken is its own */
        assert_true(rt_seal(k, out, (const uint8_t *)"text", 4));
    memset(out, 0xee, sizeof out);
    assert_false(rt_seal(k, out, (const uint8_t *)"text", 4));
    assert_wiped(out, 32);
    assert_true(rt_key_spent(k) && rt_key_worn(k));
    assert_false(rt_seal(other, out, (const uint8_t *)"text", 4));
    assert_true(rt_seal(stranger, out, (const uint8_t *)"text", 4));
    rt_key_free(k);
    rt_key_free(other);
    rt_key_free(stranger);
}

/* A context that sealed little gives the rest of its lot back. */
static void seals_returned(void **state)
{
    uint8_t out[64];
    rt_key *k = key_filled(RT_AES128_GCM, 0x61);
    rt_seals *s = rt_seals_of(k->gcm.id, false);
    for (int i = 0; i < 10; i++) {
        assert_true(rt_seal(k, out, (const uint8_t *)"text", 4));
        rt_key_free(k);
        k = key_filled(RT_AES128_GCM, 0x61);
    }
    assert_int_equal(rt_seals_count(s), 10);
    rt_key_free(k);
}

static int cmp12(const void *a, const void *b)
{
    return memcmp(a, b, 12);
}

/* Over several refills no IV comes twice. */
static void ivs_differ(void **state)
{
    enum { N = 20000 };
    static uint8_t ivs[N][12];
    for (size_t i = 0; i < N; i++)
        rt_random(ivs[i], 12);
    qsort(ivs, N, 12, cmp12);
    for (size_t i = 1; i < N; i++)
        assert_true(memcmp(ivs[i - 1], ivs[i], 12) < 0);
}

static void child_draws_anew(void **state)
{
    uint8_t mine[32], its[32];
    int p[2];
    rt_random(mine, 1); /* the pool is filled before the fork */
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        rt_random(its, sizeof its);
        _exit(write(p[1], its, sizeof its) == sizeof its ? 0 : 1);
    }
    rt_random(mine, sizeof mine);
    assert_int_equal(read(p[0], its, sizeof its), sizeof its);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(memcmp(mine, its, sizeof mine) != 0);
    close(p[0]);
    close(p[1]);
}

static void large_draw(void **state)
{
    static uint8_t big[10000];
    rt_random(big, sizeof big);
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof big; i++)
        zeros += big[i] == 0;
    assert_in_range(zeros, 1, 200); /* 39 expected */
}

/* ---- the second library ---- */

static const char *why;

static int with_openssl(void **state)
{
    return (int)rt_crypto_use(RT_CRYPTO_OPENSSL, NULL);
}

/* What holds for a GCM key holds whichever library makes it. */
static void fast(void (*test)(void **), void **state)
{
    if (!rt_imb_ready(&why)) {
        print_message("libipsec-mb: %s\n", why);
        skip();
    }
    assert_int_equal(rt_crypto_use(RT_CRYPTO_IPSEC_MB, NULL), RT_OK);
    rt_key *k = key_filled(RT_AES256_GCM, 1);
    assert_non_null(k->gcm.fast);
    rt_key_free(k);
    test(state);
    assert_int_equal(rt_crypto_use(RT_CRYPTO_OPENSSL, NULL), RT_OK);
}

#define FAST(test)                                                                                                     \
    static void test##_fast(void **state)                                                                              \
    {                                                                                                                  \
        fast(test, state);                                                                                             \
    }
FAST(wycheproof)
FAST(gcm_nist)
FAST(round_trips)
FAST(every_bit)
FAST(other_key)
FAST(deterministic_or_not)
FAST(fixed_ivs_then_random)

/* Keys are counted over the process, and one of those above is spent. */
static rt_key *key_numbered(rt_alg alg, size_t n)
{
    fl_secret s = fl_secret_new(rt_alg_key_len(alg));
    memset(s.bytes, 0x11, s.len);
    s.bytes[0] = (uint8_t)n;
    s.bytes[1] = (uint8_t)(n >> 8);
    rt_key *k = rt_key_new(alg, &s);
    fl_secret_free(&s);
    assert_non_null(k);
    return k;
}

/* The same texts under the same keys and IVs, of every length up to many blocks: equal bytes, and each opens what the
 * other sealed. */
static void equal_bytes(void **state)
{
    enum { MOST = 700 };
    uint8_t in[MOST], one[MOST + 28], two[MOST + 28], back[MOST];
    for (size_t n = 0; n <= MOST; n++) {
        rt_alg alg = n % 2 ? RT_AES128_GCM : RT_AES256_GCM;
        uint8_t iv[1][12];
        rt_random(in, sizeof in);
        rt_random(iv[0], 12);
        rt_crypto_use(RT_CRYPTO_OPENSSL, NULL);
        rt_key *slow = key_numbered(alg, n);
        rt_crypto_use(RT_CRYPTO_IPSEC_MB, NULL);
        rt_key *quick = key_numbered(alg, n);
        assert_true(quick->gcm.fast && !slow->gcm.fast);
        rt_key_fix_ivs(slow, (const uint8_t(*)[12])iv, 1);
        rt_key_fix_ivs(quick, (const uint8_t(*)[12])iv, 1);
        assert_true(rt_seal(slow, one, in, n) && rt_seal(quick, two, in, n));
        assert_memory_equal(one, two, n + 28);
        assert_int_equal(rt_open(quick, back, one, n + 28), (ptrdiff_t)n);
        assert_true(!n || memcmp(back, in, n) == 0);
        assert_int_equal(rt_open(slow, back, two, n + 28), (ptrdiff_t)n);
        two[n ? 12 + n / 2 : 14] ^= 0x10;
        assert_int_equal(rt_open(quick, back, two, n + 28), -1);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(back[i], 0); /* nothing of the text is handed on */
        rt_key_free(slow);
        rt_key_free(quick);
    }
}
FAST(equal_bytes)

/* Beyond their half of the heap for secrets keys are OpenSSL's, and work the same. */
static void many_keys(void **state)
{
    enum { N = 4000 };
    static rt_key *keys[N];
    uint8_t out[64], back[64];
    size_t quick = 0;
    for (size_t i = 0; i < N; i++) {
        keys[i] = key_numbered(RT_AES256_GCM, i);
        quick += keys[i]->gcm.fast != NULL;
    }
    assert_in_range(quick, 200, N - 1);
    for (size_t i = 0; i < N; i++) {
        assert_true(rt_seal(keys[i], out, (const uint8_t *)"text", 4));
        assert_int_equal(rt_open(keys[i], back, out, 32), 4);
        rt_key_free(keys[i]);
    }
}
FAST(many_keys)

static void choosing(void **state)
{
    rt_crypto c;
    assert_true(rt_crypto_parse("auto", &c) && c == RT_CRYPTO_AUTO);
    assert_true(rt_crypto_parse("openssl", &c) && c == RT_CRYPTO_OPENSSL);
    assert_true(rt_crypto_parse("ipsec-mb", &c) && c == RT_CRYPTO_IPSEC_MB);
    assert_false(rt_crypto_parse("gcrypt", &c));
    assert_false(rt_crypto_fast());
    assert_non_null(strstr(rt_crypto_name(), "OpenSSL"));
    rt_crypto_use(RT_CRYPTO_AUTO, NULL);
    assert_int_equal(rt_crypto_fast(), rt_imb_ready(&why));
    assert_non_null(strstr(rt_crypto_name(), rt_imb_ready(&why) ? "libipsec-mb" : "OpenSSL"));
    rt_crypto_use(RT_CRYPTO_OPENSSL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(wrong_key_length),
        cmocka_unit_test(siv_known_answers),
        cmocka_unit_test(wycheproof),
        cmocka_unit_test(gcm_nist),
        cmocka_unit_test(siv_against_openssl),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(every_bit),
        cmocka_unit_test(other_key),
        cmocka_unit_test(ivs_differ),
        cmocka_unit_test(deterministic_or_not),
        cmocka_unit_test(fixed_ivs_then_random),
        cmocka_unit_test(child_draws_anew),
        cmocka_unit_test(large_draw),
        cmocka_unit_test(seals_counted),
        cmocka_unit_test(seals_returned),
        cmocka_unit_test(choosing),
        cmocka_unit_test(wycheproof_fast),
        cmocka_unit_test(gcm_nist_fast),
        cmocka_unit_test(round_trips_fast),
        cmocka_unit_test(every_bit_fast),
        cmocka_unit_test(other_key_fast),
        cmocka_unit_test(deterministic_or_not_fast),
        cmocka_unit_test(fixed_ivs_then_random_fast),
        cmocka_unit_test(equal_bytes_fast),
        cmocka_unit_test(many_keys_fast),
    };
    return cmocka_run_group_tests_name("aead", tests, with_openssl, NULL);
}
