/* edges_test.c: values at the edges, through fields and through whole bodies: nulls, empty texts, large ones, bytes
 * that are no UTF-8; and readers whose latest version differs from the writer's. */
#include "runtime/lab.h"

#define TAGS ",\"confluent:tags\":[\"PII\"]"

static lab l;

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

static const char *const algs[] = {"AES128_GCM", "AES256_GCM", "AES256_SIV"};

/* Rules on the fields (0), on the body (1), on both (2). */
static const char *set_of(int how, const char *alg)
{
    const char *field = lab_rule(&l, "enc", "[\"PII\"]", "kek", alg, "");
    const char *body =
        fl_printf(l.a,
                  "{\"name\":\"p\",\"type\":\"ENCRYPT_PAYLOAD\",\"params\":{\"encrypt.kek.name\":\"kek\","
                  "\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\","
                  "\"encrypt.dek.algorithm\":\"%s\"}}",
                  alg);
    return fl_printf(l.a, "{\"domainRules\":[%s],\"encodingRules\":[%s]}", how == 1 ? "" : field, how ? body : "");
}

/* There and back, under each algorithm and kind of rule: the same bytes; and on the wire none of `hidden`. */
static void round_trip(const char *schema, const void *body, size_t n, const void *hidden, size_t nhidden)
{
    for (int how = 0; how < 3; how++)
        for (int i = 0; i < 3; i++) {
            rt_codec *c;
            if (lab_codec(&l, schema, NULL, set_of(how, algs[i]), NULL, &c) || rt_encrypt(c, body, n, &l.wire, &l.err))
                fail_msg("%s", l.err.message);
            assert_true(!nhidden || !memmem(l.wire.p, l.wire.len, hidden, nhidden));
            if (lab_decrypt(&l, c))
                fail_msg("%s", l.err.message);
            assert_int_equal(l.out.len, n);
            assert_memory_equal(l.out.p, body, n);
            rt_codec_close(c);
        }
}

#define RECORD(type) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":" type TAGS "}]}"

static void nulls(void **state)
{
    round_trip(RECORD("[\"null\",\"string\"]"), "\0", 1, NULL, 0);
    round_trip(RECORD("[\"string\",\"null\"]"), "\2", 1, NULL, 0);
    round_trip(RECORD("[\"null\",\"string\"]"), "\2\14secret", 8, "secret", 6);
    round_trip(RECORD("{\"type\":\"array\",\"items\":[\"null\",\"string\"]}"), "\4\0\2\14secret\0", 11, "secret", 6);
    round_trip(RECORD("{\"type\":\"map\",\"values\":[\"null\",\"bytes\"]}"), "\4\2a\0\2b\2\14secret\0", 15, "secret",
               6);
}

static void empty_texts(void **state)
{
    round_trip(RECORD("\"string\""), "\0", 1, NULL, 0);
    round_trip(RECORD("\"bytes\""), "\0", 1, NULL, 0);
    round_trip(RECORD("{\"type\":\"array\",\"items\":\"string\"}"), "\4\0\0\0", 4, NULL, 0);
    round_trip(RECORD("{\"type\":\"array\",\"items\":\"string\"}"), "\0", 1, NULL, 0);
    rt_codec *c; /* an empty text is encrypted all the same: 28 bytes, in base64 */
    assert_int_equal(lab_codec(&l, RECORD("\"string\""), NULL, set_of(0, "AES256_GCM"), NULL, &c), RT_OK);
    assert_int_equal(rt_encrypt(c, (const uint8_t *)"\0", 1, &l.wire, &l.err), RT_OK);
    assert_int_equal(l.wire.len, 5 + 1 + 40);
    rt_codec_close(c);
}

static void a_record_of_nothing(void **state)
{
    rt_codec *c;
    assert_int_equal(
        lab_codec(&l, "{\"type\":\"record\",\"name\":\"E\",\"fields\":[]}", NULL, set_of(1, "AES256_GCM"), NULL, &c),
        RT_OK);
    assert_int_equal(rt_encrypt(c, (const uint8_t *)"", 0, &l.wire, &l.err), RT_OK);
    assert_int_equal(l.wire.len, 5 + 28);
    assert_int_equal(lab_decrypt(&l, c), RT_OK);
    assert_int_equal(l.out.len, 0);
    rt_codec_close(c);
}

static void a_mebibyte(void **state)
{
    enum { N = 1 << 20 };
    static uint8_t body[4 + N];
    static const uint8_t length[] = {0x80, 0x80, 0x80, 0x01}; /* 2^20, zigzag */
    memcpy(body, length, 4);
    memset(body + 4, 'x', N);
    round_trip(RECORD("\"string\""), body, sizeof body, "xxxxxxxx", 8);
    round_trip(RECORD("\"bytes\""), body, sizeof body, "xxxxxxxx", 8);
}

/* The engine seals the bytes that are there and gives them back; what prints them as JSON refuses. */
static void no_utf8(void **state)
{
    static const uint8_t body[] = {6, 0xff, 'a', 0xfe};
    round_trip(RECORD("\"string\""), body, sizeof body,
               "\xff"
               "a\xfe",
               3);
    round_trip(RECORD("\"string\""), "\6a\0b", 4, "a\0b", 3);
    rt_codec *c;
    fl_buf json;
    sch_value_error e;
    fl_buf_init(&json, 1000);
    assert_int_equal(lab_codec(&l, RECORD("\"string\""), NULL, set_of(0, "AES256_GCM"), NULL, &c), RT_OK);
    assert_false(sch_avro_to_json(rt_codec_schema(c), body, sizeof body, NULL, &json, &e));
    fl_buf_free(&json);
    rt_codec_close(c);
}

/* ---- readers whose latest version is another ---- */

#define V(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define ID        "{\"name\":\"id\",\"type\":\"string\"}"
#define SECRET    "{\"name\":\"s\",\"type\":\"string\"" TAGS "}"
#define MORE      "{\"name\":\"more\",\"type\":\"string\",\"default\":\"none\"}"

/* use.latest.version: the rules and tags of the latest version, on the bytes of the record's own schema. */
static void old_and_new(const char *writer, const char *body, const char *reader, const char *want)
{
    rt_codec *w, *r;
    fl_buf b;
    int id;
    fl_buf_init(&b, 1000);
    assert_int_equal(lab_codec(&l, writer, NULL, set_of(2, "AES256_GCM"), NULL, &w), RT_OK);
    assert_int_equal(lab_codec(&l, reader, NULL, set_of(2, "AES256_GCM"), NULL, &r), RT_OK);
    lab_body(&l, rt_codec_schema(w), body, &b);
    assert_int_equal(lab_encrypt(&l, w, &b), RT_OK);
    if (rt_decrypt(r, (uint8_t *)l.wire.p, l.wire.len, &l.out, &id, &l.err))
        fail_msg("%s", l.err.message);
    assert_string_equal(lab_json(&l, rt_codec_schema_for(r, id), l.out.p, l.out.len), want);
    fl_buf_free(&b);
    rt_codec_close(w);
    rt_codec_close(r);
}

static void versions_apart(void **state)
{
    static const char two[] = "{\"id\":\"1\",\"s\":\"x\"}", three[] = "{\"id\":\"1\",\"s\":\"x\",\"more\":\"m\"}";
    old_and_new(V(ID "," SECRET), two, V(ID "," SECRET "," MORE), two);     /* a field was added */
    old_and_new(V(ID "," SECRET "," MORE), three, V(ID "," SECRET), three); /* one was taken away */
    old_and_new(V(ID "," SECRET), two, V(SECRET "," ID), two);              /* another order */
}

/* A tag that came later: old records hold plaintext there, which is no ciphertext. */
static void a_tag_that_came_later(void **state)
{
    rt_codec *w, *r;
    fl_buf b;
    fl_buf_init(&b, 1000);
    static const char clear[] = V(ID "," SECRET "," MORE);
    static const char tagged[] =
        V(ID "," SECRET ",{\"name\":\"more\",\"type\":\"string\",\"default\":\"none\"" TAGS "}");
    assert_int_equal(lab_codec(&l, clear, NULL, set_of(0, "AES256_GCM"), NULL, &w), RT_OK);
    assert_int_equal(lab_codec(&l, tagged, NULL, set_of(0, "AES256_GCM"), NULL, &r), RT_OK);
    lab_body(&l, rt_codec_schema(w), "{\"id\":\"1\",\"s\":\"x\",\"more\":\"plain text\"}", &b);
    assert_int_equal(lab_encrypt(&l, w, &b), RT_OK);
    assert_int_equal(lab_decrypt(&l, r), RT_TAMPERED);
    assert_says(&l, "field more, rule enc, KEK kek");
    assert_int_equal(l.out.len, 0);
    rt_codec_close(r); /* by the rules of its own version it is read */
    rt_codec_options own = {.read_only = true, .read_writer_rules = true};
    assert_int_equal(lab_codec(&l, tagged, NULL, set_of(0, "AES256_GCM"), &own, &r), RT_OK);
    assert_int_equal(lab_decrypt(&l, r), RT_OK);
    fl_buf_free(&b);
    rt_codec_close(w);
    rt_codec_close(r);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)
    const struct CMUnitTest tests[] = {
        T(nulls),   T(empty_texts),    T(a_record_of_nothing),   T(a_mebibyte),
        T(no_utf8), T(versions_apart), T(a_tag_that_came_later),
    };
    return cmocka_run_group_tests_name("edges", tests, NULL, NULL);
}
