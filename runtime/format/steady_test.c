/* steady_test.c: in the steady state nothing is allocated a record, in any format. */
#include "runtime/lab.h"

/* The program's own allocations and OpenSSL's are counted: this file stands in for malloc, which the sanitizers have
 * taken already. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTING 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTING 0
#endif
#endif
#ifndef COUNTING
#define COUNTING 1
#endif

static size_t allocated;

#if COUNTING
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
    allocated++;
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t size)
{
    allocated++;
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n)
{
    allocated++;
    return __libc_realloc(p, n);
}
#endif

typedef struct row {
    const char *type, *schema, *alg, *json;
} row;

#define JSON_STRING "{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}"
static const char avro[] =
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
    "{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]},"
    "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"confluent:tags\":[\"PII\"]},"
    "{\"name\":\"n\",\"type\":[\"null\",\"int\"]}]}";
static const char json[] = "{\"type\":\"object\",\"properties\":{\"a\":" JSON_STRING
                           ",\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"confluent:tags\":[\"PII\"]},"
                           "\"n\":{\"type\":[\"null\",\"integer\"]}}}";
static const char value[] = "{\"a\":\"some text\",\"l\":[\"x\",\"y\",\"\"],\"n\":null}";
static const char odd[] =
    "{\"z\":{\"a\":[1,2]},\"\\u0061\":\"q\\\"\\u00df\\n\",\"n\":12,\"l\":[\"\\ud83d\\ude00\",null]}";

static const char proto[] = "syntax = \"proto3\"; import \"confluent/meta.proto\"; message R { string a = 1 "
                            "[(confluent.field_meta).tags = \"PII\"]; repeated string l = 2 "
                            "[(confluent.field_meta).tags = \"PII\"]; int32 n = 3; }";

static const row rows[] = {
    {"AVRO", avro, "AES256_GCM", "{\"a\":\"some text\",\"l\":[\"x\",\"y\",\"\"],\"n\":null}"},
    {"AVRO", avro, "AES256_SIV", "{\"a\":\"some text\",\"l\":[\"x\",\"y\",\"\"],\"n\":null}"},
    {"JSON", json, "AES256_GCM", value},
    {"JSON", json, "AES256_SIV", value},
    {"JSON", json, "AES256_GCM", odd},
    {"PROTOBUF", proto, "AES256_GCM", "{\"a\":\"some text\",\"l\":[\"x\",\"y\",\"\"],\"n\":7}"},
    {"PROTOBUF", proto, "AES256_SIV", "{\"a\":\"some text\",\"l\":[\"x\",\"y\",\"\"],\"n\":7}"},
};

static void both_ways(lab *l, rt_codec *c, const char *body, size_t n, int times)
{
    for (int i = 0; i < times; i++)
        if (rt_encrypt(c, (const uint8_t *)body, n, &l->wire, &l->err) || lab_decrypt(l, c))
            fail_msg("%s", l->err.message);
}

/* whole: the body as well, under a key that rotates. */
static void one(const row *r, bool whole)
{
    lab l;
    rt_codec *c = NULL;
    fl_buf body;
    fl_buf_init(&body, 1 << 20);
    lab_open(&l);
    rt_subject s = {.subject = "t-value", .type = r->type, .schema = r->schema};
    s.ruleset = lab_set(&l, lab_rule(&l, "pii", "[\"PII\"]", "kek", r->alg, ""));
    if (whole)
        s.ruleset = fl_printf(l.a,
                              "{\"domainRules\":[%s],\"encodingRules\":[{\"name\":\"p\",\"type\":\"ENCRYPT_PAYLOAD\","
                              "\"params\":{\"encrypt.kek.name\":\"kek\",\"encrypt.kms.type\":\"local-kms\","
                              "\"encrypt.kms.key.id\":\"k\",\"encrypt.dek.algorithm\":\"%s\","
                              "\"encrypt.dek.expiry.days\":\"30\"}}]}",
                              lab_rule(&l, "pii", "[\"PII\"]", "kek", r->alg, ""), r->alg);
    assert_int_equal(l.registry->ops->register_subject(l.registry, l.a, &s, &l.err), RT_OK);
    if (rt_codec_open(l.registry, l.keys, &s, NULL, &c, &l.err))
        fail_msg("%s", l.err.message);
    if (strcmp(r->type, "JSON") == 0)
        fl_buf_adds(&body, r->json);
    else
        lab_body(&l, rt_codec_schema(c), r->json, &body);
    both_ways(&l, c, body.p, body.len, 10);
    size_t before = allocated;
    both_ways(&l, c, body.p, body.len, 1000);
    size_t after = allocated;
    assert_int_equal(after - before, 0);
    rt_codec_close(c);
    lab_close(&l);
    fl_buf_free(&body);
}

static void nothing_is_allocated_a_record(void **state)
{
    size_t before = allocated;
    free(fl_xmalloc(1));
    bool valgrind = getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "vgpreload");
    if (!COUNTING || valgrind) /* valgrind has a malloc of its own that no program replaces */
        skip();
    assert_true(allocated > before); /* it does count */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int whole = 0; whole < 2; whole++)
            one(&rows[i], whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_allocated_a_record)};
    return cmocka_run_group_tests_name("steady", tests, NULL, NULL);
}
