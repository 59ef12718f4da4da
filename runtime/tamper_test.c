/* tamper_test.c: records that somebody changed: each single bit of a ciphertext, other versions, subjects and prefixes
 * in front of it. None gives a plaintext but what empty associated data cannot tell, which is shown here, too
 * (docs/threat-model.md). */
#include "runtime/lab.h"

#include "runtime/seals.h"

#define PII                     "[\"PII\"]"
#define S                       "\"string\""
#define FIELD(name, type, tags) "{\"name\":\"" name "\",\"type\":" type tags "}"
#define TAGS                    ",\"confluent:tags\":[\"PII\"]"
#define ONE                     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" FIELD("f", S, TAGS) "]}"
#define RAW                     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" FIELD("f", "\"bytes\"", TAGS) "]}"
#define TWO                     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" FIELD("f", S, TAGS) "," FIELD("g", S, TAGS) "]}"
#define ROTATES                 "\"encrypt.dek.expiry.days\":\"30\","

static lab l;
static const char *const algs[] = {"AES128_GCM", "AES256_GCM", "AES256_SIV"};

static int open_lab(void **state)
{
    lab_open(&l);
    return 0;
}
static int close_lab(void **state)
{
    lab_close(&l);
    return 0;
}

static const char *rule(const char *type, const char *tags, const char *alg, const char *more)
{
    return fl_printf(
        l.a,
        "{\"name\":\"%s\",\"type\":\"%s\",\"tags\":%s,\"params\":{%s\"encrypt.kek.name\":\"kek\","
        "\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\",\"encrypt.dek.algorithm\":\"%s\"}}",
        strcmp(type, "ENCRYPT") ? "whole" : "enc", type, tags, more, alg);
}

static const char *fields(const char *alg, const char *more)
{
    return lab_set(&l, rule("ENCRYPT", PII, alg, more));
}

static const char *whole(const char *alg, const char *more)
{
    return fl_printf(l.a, "{\"encodingRules\":[%s]}", rule("ENCRYPT_PAYLOAD", "[]", alg, more));
}

static rt_codec *codec(const char *subject, const char *schema, const char *ruleset)
{
    rt_codec *c;
    rt_subject s = {.subject = subject, .type = "AVRO", .schema = schema, .ruleset = ruleset};
    assert_int_equal(l.registry->ops->register_subject(l.registry, l.a, &s, &l.err), RT_OK);
    if (rt_codec_open(l.registry, l.keys, &s, NULL, &c, &l.err))
        fail_msg("%s", l.err.message);
    return c;
}

/* Of {"f":"a secret text"}, and of g where there is one. */
static void seal(rt_codec *c)
{
    fl_buf body;
    fl_buf_init(&body, 1000);
    bool two = rt_codec_schema(c)->root->nfields == 2;
    lab_body(&l, rt_codec_schema(c), two ? "{\"f\":\"a secret text\",\"g\":\"other\"}" : "{\"f\":\"a secret text\"}",
             &body);
    if (lab_encrypt(&l, c, &body))
        fail_msg("%s", l.err.message);
    fl_buf_free(&body);
}

static const char *opened(rt_codec *c)
{
    if (lab_decrypt(&l, c))
        return NULL;
    return lab_json(&l, rt_codec_schema(c), l.out.p, l.out.len);
}

static void refused(rt_codec *c, const char *subject, const char *where)
{
    rt_code code = lab_decrypt(&l, c);
    assert_true(code == RT_TAMPERED || code == RT_NO_KEY || code == RT_BAD_INPUT);
    assert_int_equal(l.out.len, 0);
    assert_says(&l, subject);
    assert_says(&l, where);
    assert_says(&l, "KEK kek");
}

/* Flips each bit of the n bytes at `from`, one at a time. */
static void flip_all(rt_codec *c, size_t from, size_t n, const char *where)
{
    for (size_t bit = 0; bit < n * 8; bit++) {
        char *at = &l.wire.p[from + bit / 8], mask = (char)(1 << bit % 8);
        *at ^= mask;
        refused(c, "subject t-value", where);
        *at ^= mask;
    }
    assert_non_null(opened(c)); /* all is as it was */
}

/* ---- single bits ---- */

static void every_bit_of_a_text(void **state)
{
    for (int i = 0; i < 3; i++)
        for (int rotates = 0; rotates < 2; rotates++) {
            rt_codec *c = codec("t-value", ONE, fields(algs[i], rotates ? ROTATES : ""));
            seal(c);
            size_t from = 5 + (l.wire.p[5] & 0x80 ? 2 : 1); /* behind id and length */
            flip_all(c, from, l.wire.len - from, "field f");
            rt_codec_close(c);
        }
}

static void every_bit_of_bytes(void **state)
{
    for (int i = 0; i < 3; i++)
        for (int rotates = 0; rotates < 2; rotates++) {
            rt_codec *c = codec("t-value", RAW, fields(algs[i], rotates ? ROTATES : ""));
            seal(c);
            size_t from = 5 + (l.wire.p[5] & 0x80 ? 2 : 1);
            flip_all(c, from, l.wire.len - from, "field f");
            rt_codec_close(c);
        }
}

static void every_bit_of_a_payload(void **state)
{
    for (int i = 0; i < 3; i++)
        for (int rotates = 0; rotates < 2; rotates++) {
            rt_codec *c = codec("t-value", ONE, whole(algs[i], rotates ? ROTATES : ""));
            seal(c);
            flip_all(c, 5, l.wire.len - 5, "the whole body");
            rt_codec_close(c);
        }
}

/* Shorter by each number of bytes, and longer by one. */
static void every_length_of_a_payload(void **state)
{
    rt_codec *c = codec("t-value", ONE, whole("AES256_GCM", ROTATES));
    seal(c);
    size_t n = l.wire.len;
    for (l.wire.len = 5; l.wire.len < n; l.wire.len++)
        refused(c, "subject t-value", "the whole body");
    fl_buf_addc(&l.wire, 0);
    refused(c, "subject t-value", "the whole body");
    rt_codec_close(c);
}

/* ---- other versions, subjects, prefixes ---- */

static int64_t days;
static int64_t clock_of(void *ctx)
{
    return (20000 + days) * INT64_C(86400000);
}

/* Another client on a clock of its own, and the registry with it. */
static void with_clock(void)
{
    rt_registry_options r = {.now_ms = clock_of};
    days = 0;
    rt_keys_free(l.keys);
    rt_registry_close(l.registry);
    assert_int_equal(rt_registry_open("mem:", &r, &l.registry, &l.err), RT_OK);
    rt_keys_options opt = {.registry = l.registry, .params = {.get = lab_secret}, .now_ms = clock_of};
    l.keys = rt_keys_new(&opt);
}

static void set_version(size_t at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        l.wire.p[at + (size_t)i] = (char)(v >> (24 - 8 * i));
}

static void wrong_dek_versions(void **state)
{
    with_clock();
    rt_codec *c = codec("t-value", RAW, fields("AES256_GCM", ROTATES));
    seal(c);
    days = 31;
    seal(c); /* under version 2 */
    size_t at = 5 + 1 + 1;
    assert_int_equal(l.wire.p[at + 3], 2);
    static const struct {
        uint32_t version;
        const char *says;
    } rows[] = {{1, "does not open"}, {3, "version 3"}, {0, "version"}, {UINT32_MAX, "version"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_version(at, rows[i].version);
        refused(c, "subject t-value", "field f");
        assert_says(&l, rows[i].says);
    }
    set_version(at, 2);
    assert_non_null(opened(c));
    rt_codec_close(c);
}

/* The prefix of an older record before a newer ciphertext, and the other way round. */
static void replayed_rotation_prefix(void **state)
{
    char old[256];
    with_clock();
    rt_codec *c = codec("t-value", ONE, whole("AES256_GCM", ROTATES));
    seal(c);
    size_t n = l.wire.len;
    memcpy(old, l.wire.p, n);
    days = 31;
    seal(c);
    assert_int_equal(l.wire.len, n);
    memcpy(l.wire.p, old, 10);
    refused(c, "subject t-value", "the whole body");
    memcpy(l.wire.p + 10, old + 10, n - 10);
    assert_non_null(opened(c));
    set_version(6, 2);
    refused(c, "subject t-value", "the whole body");
    rt_codec_close(c);
}

/* A record of one subject, under the id of the other's, in the other's topic: another DEK. */
static void swapped_subject(void **state)
{
    for (int i = 0; i < 2; i++) {
        const char *set = i ? whole("AES256_GCM", "") : fields("AES256_GCM", "");
        rt_codec *a = codec("t-value", ONE, set), *b = codec("u-value", ONE, set);
        seal(a);
        char mine[256];
        size_t n = l.wire.len;
        memcpy(mine, l.wire.p, n);
        seal(b);
        memcpy(l.wire.p, mine, n);
        l.wire.len = n;
        refused(b, "subject u-value", i ? "the whole body" : "field f");
        assert_non_null(opened(a));
        rt_codec_close(a);
        rt_codec_close(b);
    }
}

/* A record with the prefix of one that is not of its rules: what is ciphertext there is not opened as another's. */
static void replayed_schema_prefix(void **state)
{
    rt_codec *field = codec("t-value", ONE, fields("AES256_GCM", "")),
             *payload = codec("u-value", ONE, whole("AES256_GCM", ""));
    seal(field);
    refused(payload, "subject u-value", "the whole body");
    seal(payload);
    rt_code code = lab_decrypt(&l, field); /* its ciphertext is no value of the schema, or of no key of this subject */
    assert_true(code == RT_BAD_INPUT || code == RT_TAMPERED);
    assert_int_equal(l.out.len, 0);
    rt_codec_close(field);
    rt_codec_close(payload);
}

/* ---- one of many ---- */

enum { MANY = 20 };

/* 20 texts and bytes in turn, between untagged ones, as {"f0":"text 0","u0":"clear 0",…}. */
static void make_many(const char **schema, const char **value)
{
    const char *fields = "", *values = "";
    for (int i = 0; i < MANY; i++) {
        const char *comma = i ? "," : "";
        fields = fl_printf(l.a, "%s%s{\"name\":\"f%d\",\"type\":\"%s\"" TAGS "},{\"name\":\"u%d\",\"type\":\"string\"}",
                           fields, comma, i, i % 3 ? "string" : "bytes", i);
        values = fl_printf(l.a, "%s%s\"f%d\":\"text %d\",\"u%d\":\"clear %d\"", values, comma, i, i, i, i);
    }
    *schema = fl_printf(l.a, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[%s]}", fields);
    *value = fl_printf(l.a, "{%s}", values);
}

/* Where field k of the record on the wire begins, behind its length; *n: how long it is. */
static size_t place_of(int k, size_t *n)
{
    size_t at = 5;
    for (int i = 0; i <= 2 * k; at += i++ < 2 * k ? *n : 0) {
        const uint8_t *p = (const uint8_t *)l.wire.p + at;
        *n = p[0] & 0x80 ? (size_t)(p[0] & 0x7f) / 2 + p[1] * 64u : p[0] / 2u;
        at += p[0] & 0x80 ? 2 : 1;
    }
    return at;
}

/* Neighbours are worked together: which of them was changed is said all the same, and nothing of the others is out. */
static void one_of_many(void **state)
{
    const char *schema, *value;
    make_many(&schema, &value);
    for (int i = 0; i < 3; i++)
        for (int rotates = 0; rotates < 2; rotates++) {
            rt_codec *c = codec("t-value", schema, fields(algs[i], rotates ? ROTATES : ""));
            fl_buf body;
            fl_buf_init(&body, 10000);
            lab_body(&l, rt_codec_schema(c), value, &body);
            assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
            for (int k = 0; k < MANY; k++) {
                size_t n, at = place_of(k, &n) + (rotates && k % 2 ? 1 : n / 2);
                char was = l.wire.p[at];
                l.wire.p[at] = was == 'A' ? 'B' : 'A'; /* of base64 as well; of the version where it rotates */
                assert_true(fl_buf_reserve(&l.out, 20000));
                memset(l.out.p, 0, l.out.cap); /* what is looked through below is all written by whom it tests */
                refused(c, "subject t-value", fl_printf(l.a, "field f%d,", k));
                for (size_t b = 0; b + 6 <= l.out.cap; b++)
                    assert_memory_not_equal(l.out.p + b, "text 0", 6);
                l.wire.p[at] = was;
            }
            assert_string_equal(opened(c), value);
            fl_buf_free(&body);
            rt_codec_close(c);
        }
}

/* ---- what nobody can tell ---- */

static void moved_between_fields_of_one_key(void **state)
{
    rt_codec *c = codec("t-value", TWO, fields("AES256_SIV", ""));
    seal(c);
    /* both fields, behind lengths of one byte */
    size_t f = 6, nf = (size_t)(uint8_t)l.wire.p[5] / 2, ng = l.wire.len - f - nf - 1;
    char *swapped = fl_strndup(l.a, l.wire.p, l.wire.len);
    swapped[5] = (char)(2 * ng);
    memcpy(swapped + 6, l.wire.p + f + nf + 1, ng);
    swapped[6 + ng] = (char)(2 * nf);
    memcpy(swapped + 7 + ng, l.wire.p + f, nf);
    memcpy(l.wire.p, swapped, l.wire.len);
    assert_string_equal(opened(c), "{\"f\":\"other\",\"g\":\"a secret text\"}");
    rt_codec_close(c);
}

/* The same fields under keys of two KEKs: it is told. */
static void kept_apart_by_keks(void **state)
{
    const char *two = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" FIELD(
        "f", S, TAGS) ","
                      "{\"name\":\"g\",\"type\":\"string\",\"confluent:tags\":[\"OTHER\"]}]}";
    const char *set = lab_set(&l, fl_printf(l.a, "%s,%s", lab_rule(&l, "enc", PII, "kek", "AES256_SIV", ""),
                                            lab_rule(&l, "enc2", "[\"OTHER\"]", "kek2", "AES256_SIV", "")));
    rt_codec *c = codec("t-value", two, set);
    fl_buf body;
    fl_buf_init(&body, 1000);
    lab_body(&l, rt_codec_schema(c), "{\"f\":\"same length\",\"g\":\"other texts\"}", &body);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    fl_buf_free(&body);
    size_t n = (l.wire.len - 7) / 2;
    char keep[256];
    memcpy(keep, l.wire.p + 6, n);
    memcpy(l.wire.p + 6, l.wire.p + 7 + n, n);
    memcpy(l.wire.p + 7 + n, keep, n);
    refused(c, "subject t-value", "field f");
    rt_codec_close(c);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)
    const struct CMUnitTest tests[] = {
        T(every_bit_of_a_text),
        T(every_bit_of_bytes),
        T(every_bit_of_a_payload),
        T(every_length_of_a_payload),
        T(wrong_dek_versions),
        T(replayed_rotation_prefix),
        T(swapped_subject),
        T(replayed_schema_prefix),
        T(moved_between_fields_of_one_key),
        T(kept_apart_by_keks),
        T(one_of_many),
    };
    return cmocka_run_group_tests_name("tampering", tests, NULL, NULL);
}
