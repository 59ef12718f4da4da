/* payload_test.c: bodies encrypted as a whole: beside rules on fields, several of them, rotating, failing; and GUIDs
 * that name schemas in front of a body. */
#include "runtime/lab.h"

#include "runtime/frame.h"
#include "runtime/plan.h"

#define TAGGED                                                                                                         \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"s\",\"type\":"  \
    "\"string\",\"confluent:tags\":[\"PII\"]}]}"
#define VALUE "{\"id\":\"1\",\"s\":\"a secret text\"}"

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

static const char *payload(const char *name, const char *kek, const char *params, const char *extra)
{
    return fl_printf(l.a,
                     "{\"name\":\"%s\",\"type\":\"ENCRYPT_PAYLOAD\",\"params\":{\"encrypt.kek.name\":\"%s\","
                     "\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\"%s}%s}",
                     name, kek, params, extra);
}

static const char *set_of(const char *domain, const char *encoding)
{
    return fl_printf(l.a, "{\"domainRules\":[%s],\"encodingRules\":[%s]}", domain, encoding);
}

static rt_codec *open_it(const char *set, const rt_codec_options *opt)
{
    rt_codec *c;
    if (lab_codec(&l, TAGGED, NULL, set, opt, &c))
        fail_msg("%s", l.err.message);
    return c;
}

static void seal(rt_codec *c)
{
    fl_buf body;
    fl_buf_init(&body, 1000);
    lab_body(&l, rt_codec_schema(c), VALUE, &body);
    if (lab_encrypt(&l, c, &body))
        fail_msg("%s", l.err.message);
    fl_buf_free(&body);
}

static void opens(rt_codec *c)
{
    if (lab_decrypt(&l, c))
        fail_msg("%s", l.err.message);
    assert_string_equal(lab_json(&l, rt_codec_schema(c), l.out.p, l.out.len), VALUE);
}

static rt_key *key_of(const char *kek)
{
    rt_key *key;
    rt_key_spec spec = {.kek = kek, .subject = "t-value", .alg = RT_AES256_GCM};
    assert_int_equal(rt_keys_for_read(l.keys, &spec, 1, &key, &l.err), RT_OK);
    return key;
}

/* ---- order ---- */

/* Fields first, then the body: what the payload's key opens holds ciphertext in the field. */
static void beside_rules_on_fields(void **state)
{
    uint8_t out[256];
    rt_codec *c = open_it(
        set_of(lab_rule(&l, "enc", "[\"PII\"]", "kek", "AES256_GCM", ""), payload("whole", "kek2", "", "")), NULL);
    seal(c);
    ptrdiff_t n = rt_open(key_of("kek2"), out, (uint8_t *)l.wire.p + 5, l.wire.len - 5);
    assert_int_equal(n, 2 + 1 + FL_B64_LEN(13 + 28)); /* "1", and behind its length the sealed text */
    assert_null(memmem(out, (size_t)n, "a secret text", 13));
    opens(c);
    rt_codec_close(c);
}

static void several_in_order(void **state)
{
    uint8_t once[256], twice[256];
    rt_codec *c =
        open_it(set_of("", fl_printf(l.a, "%s,%s", payload("p1", "kek", "", ""), payload("p2", "kek2", "", ""))), NULL);
    seal(c);
    ptrdiff_t n = rt_open(key_of("kek2"), once, (uint8_t *)l.wire.p + 5, l.wire.len - 5); /* the last one is outside */
    assert_int_equal(n, l.wire.len - 5 - 28);
    n = rt_open(key_of("kek"), twice, once, (size_t)n);
    assert_int_equal(n, 2 + 14);
    opens(c);
    rt_codec_close(c);
}

static void rotating(void **state)
{
    rt_codec *c = open_it(set_of("", payload("p", "kek", ",\"encrypt.dek.expiry.days\":\"90\"", "")), NULL);
    seal(c);
    assert_memory_equal(l.wire.p + 5, "\0\0\0\0\1", 5);
    opens(c);
    rt_codec_close(c);
}

/* ---- modes and failures ---- */

static void one_direction(void **state)
{
    rt_codec *c = open_it(set_of("", payload("p", "kek", "", ",\"mode\":\"WRITE\"")), NULL);
    seal(c);
    assert_int_equal(lab_decrypt(&l, c), RT_BAD_INPUT); /* nobody opens it: no value of the schema */
    assert_int_equal(l.out.len, 0);
    rt_codec_close(c);
}

/* Its ciphertext could be taken for a value: NONE on read does not pass it. */
static void none_on_read(void **state)
{
    rt_codec_options reading = {.read_only = true};
    const char *set = set_of("", payload("p", "kek", "", ",\"onFailure\":\"ERROR,NONE\""));
    rt_codec *c = open_it(set, NULL), *r = open_it(set, &reading);
    seal(c);
    l.wire.p[10] ^= 1;
    assert_int_equal(lab_decrypt(&l, r), RT_TAMPERED);
    assert_says(&l, "subject t-value, the whole body, rule p, KEK kek: the body does not open");
    rt_codec_close(c);
    rt_codec_close(r);
}

static void none_on_write(void **state)
{
    rt_codec *c;
    const char *set = set_of("", payload("p", "kek", "", ",\"onFailure\":\"NONE\""));
    assert_int_equal(lab_codec(&l, TAGGED, NULL, set, NULL, &c), RT_REFUSED);
    assert_says(&l, "onFailure NONE on write");
    rt_codec_options converter = {.on_failure_none_write = true}; /* what the emulated converter must show */
    c = open_it(set, &converter);
    l.barred = "kek";
    seal(c);
    assert_non_null(memmem(l.wire.p, l.wire.len, "a secret text", 13));
    rt_codec_close(c);
}

static void no_key(void **state)
{
    fl_buf body;
    rt_codec *c = open_it(set_of("", payload("p", "kek", "", "")), NULL);
    l.barred = "kek";
    fl_buf_init(&body, 1000);
    lab_body(&l, rt_codec_schema(c), VALUE, &body);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_NO_KEY);
    assert_int_equal(l.wire.len, 0);
    assert_says(&l, "the whole body, rule p, KEK kek: this client may not use KEK kek");
    rt_failure f;
    assert_true(rt_codec_failure(c, &f));
    assert_string_equal(f.rule, "p");
    assert_string_equal(f.mode, "WRITE");
    assert_null(f.dlq);
    fl_buf_free(&body);
    rt_codec_close(c);
}

/* What is no value of the schema is refused before anything is sealed. */
static void a_body_that_is_none(void **state)
{
    rt_codec *c = open_it(set_of("", payload("p", "kek", "", "")), NULL);
    assert_int_equal(rt_encrypt(c, (const uint8_t *)"\x7f", 1, &l.wire, &l.err), RT_BAD_INPUT);
    assert_int_equal(l.wire.len, 0);
    rt_failure f;
    assert_false(rt_codec_failure(c, &f));
    rt_codec_close(c);
}

/* What a body turns out to hold is looked at as any body is, and nothing of it handed out. */
static void opened_to_what_is_none(void **state)
{
    uint8_t sealed[64];
    rt_codec *c = open_it(set_of("", payload("whole", "kek", "", "")), NULL);
    seal(c);
    opens(c);
    rt_key *key = key_of("kek");
    for (size_t n = 0; n < 4; n++) { /* the id's length says 2, and so on */
        assert_true(fl_buf_reserve(&l.out, 64));
        memset(l.out.p, 0, l.out.cap); /* what is looked through below is all written by whom it tests */
        assert_true(rt_seal(key, sealed,
                            (const uint8_t *)"\x04"
                                             "ab\x08",
                            n));
        l.wire.len = RT_FRAME_ID;
        assert_true(fl_buf_add(&l.wire, sealed, n + rt_alg_overhead(RT_AES256_GCM)));
        assert_int_equal(lab_decrypt(&l, c), RT_BAD_INPUT);
        assert_says(&l, "byte ");
        assert_int_equal(l.out.len, 0);
        assert_null(memmem(l.out.p, l.out.cap, "ab", 2));
    }
    rt_codec_close(c);
}

static void large(void **state)
{
    enum { N = 1 << 20 };
    rt_codec *c;
    fl_buf body;
    assert_int_equal(lab_codec(&l, "\"string\"", NULL, set_of("", payload("p", "kek", "", "")), NULL, &c), RT_OK);
    fl_buf_init(&body, 2 * N);
    char *json = fl_alloc(l.a, N + 3);
    memset(json, 'x', N + 2);
    json[0] = json[N + 1] = '"';
    json[N + 2] = 0;
    lab_body(&l, rt_codec_schema(c), json, &body);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    assert_int_equal(lab_decrypt(&l, c), RT_OK);
    assert_int_equal(l.out.len, body.len);
    assert_memory_equal(l.out.p, body.p, body.len);
    fl_buf_free(&body);
    rt_codec_close(c);
}

/* ---- the plan ---- */

static void equal_to_the_plan(void **state)
{
    rt_codec *c = open_it(set_of("", payload("p", "kek", "", "")), NULL);
    rt_plan_side side = {.payload = {.kek = "kek", .rule = "p"}};
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_OK);
    side.payload.kek = "other";
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_REFUSED);
    assert_says(&l, "field (the whole body), rule p, KEK kek is sealed and not in the plan");
    side.payload.kek = side.payload.rule = NULL;
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_REFUSED);
    rt_codec_close(c);
    c = open_it(set_of("", ""), NULL);
    side.payload.kek = "kek";
    side.payload.rule = "p";
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_REFUSED);
    assert_says(&l, "is in the plan and not sealed");
    rt_codec_close(c);
}

/* ---- GUIDs ---- */

static void a_guid_in_front(void **state)
{
    rt_codec_options own_rules = {.read_only = true, .read_writer_rules = true}, guid = {.guid_framing = true};
    fl_buf body, header;
    rt_codec *c = open_it(set_of(lab_rule(&l, "enc", "[\"PII\"]", "kek", "AES256_GCM", ""), ""), &guid);
    /* another version of the subject reads it, by the rules of the record's own */
    rt_codec *r;
    assert_int_equal(lab_codec(&l, "\"int\"", NULL, "{}", &own_rules, &r), RT_OK);
    fl_buf_init(&body, 1000);
    fl_buf_init(&header, 1000);
    lab_body(&l, rt_codec_schema(c), VALUE, &body);
    assert_int_equal(rt_encrypt_framed(c, (uint8_t *)body.p, body.len, &l.wire, &header, &l.err), RT_OK);
    assert_int_equal(header.len, RT_FRAME_GUID);
    int id[2] = {0};
    for (int i = 0; i < 2; i++) { /* in the header, then in front */
        rt_wire w = {.p = (uint8_t *)l.wire.p, .n = l.wire.len};
        fl_buf framed;
        fl_buf_init(&framed, 2000);
        fl_buf_add(&framed, header.p, header.len);
        fl_buf_add(&framed, l.wire.p, l.wire.len);
        if (i)
            w = (rt_wire){.p = (uint8_t *)framed.p, .n = framed.len};
        else {
            w.header = (uint8_t *)header.p;
            w.nheader = header.len;
        }
        if (rt_decrypt_framed(r, &w, &l.out, &id[i], &l.err))
            fail_msg("%s", l.err.message);
        assert_true(id[i] < 0);
        assert_string_equal(lab_json(&l, rt_codec_schema_for(r, id[i]), l.out.p, l.out.len), VALUE);
        fl_buf_free(&framed);
    }
    assert_int_equal(id[0], id[1]); /* known now */
    header.p[5] ^= 1;
    rt_wire w = {.header = (uint8_t *)header.p, .nheader = header.len, .p = (uint8_t *)l.wire.p, .n = l.wire.len};
    assert_int_equal(rt_decrypt_framed(r, &w, &l.out, NULL, &l.err), RT_NOT_FOUND);
    w.nheader = 16;
    assert_int_equal(rt_decrypt_framed(r, &w, &l.out, NULL, &l.err), RT_BAD_INPUT);
    fl_buf_addc(&header, 7);
    header.p[5] ^= 1;
    w.nheader = 18;
    assert_int_equal(rt_decrypt_framed(r, &w, &l.out, NULL, &l.err), RT_BAD_INPUT);
    assert_says(&l, "longer than it may be");
    fl_buf_free(&body);
    fl_buf_free(&header);
    rt_codec_close(c);
    rt_codec_close(r);
}

/* A registry that gives another schema than was asked for. */
static rt_registry_ops lying;
static rt_code other_schema(rt_registry *r, fl_arena *a, const char *guid, const char *hint, rt_subject *out,
                            rt_error *err)
{
    *out = (rt_subject){.subject = "t-value", .type = "AVRO", .schema = "\"string\"", .id = 1};
    return RT_OK;
}

static void a_guid_is_looked_at(void **state)
{
    rt_codec *c = open_it("{}", NULL);
    lying = *l.registry->ops;
    lying.schema_by_guid = other_schema;
    const rt_registry_ops *honest = l.registry->ops;
    l.registry->ops = &lying;
    rt_wire w = {.p = (const uint8_t *)"\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\2x", .n = 19};
    assert_int_equal(rt_decrypt_framed(c, &w, &l.out, NULL, &l.err), RT_REFUSED);
    assert_says(&l, "for GUID 01010101-0101-0101-0101-010101010101");
    lying.schema_by_guid = NULL;
    assert_int_equal(rt_decrypt_framed(c, &w, &l.out, NULL, &l.err), RT_REFUSED);
    l.registry->ops = honest;
    rt_codec_close(c);
}

static void guids_as_text(void **state)
{
    uint8_t bytes[RT_FRAME_GUID];
    char text[37];
    assert_true(rt_frame_put_guid(bytes, "73d1e7c9-9999-6876-655a-0e29c5db1bc2"));
    rt_frame_guid_text(bytes + 1, text);
    assert_string_equal(text, "73d1e7c9-9999-6876-655a-0e29c5db1bc2");
    assert_false(rt_frame_put_guid(bytes, ""));
    assert_false(rt_frame_put_guid(bytes, "73d1e7c9999968760655a-0e29c5db1bc2-0"));
    assert_false(rt_frame_put_guid(bytes, "73d1e7c9-9999-6876-655a-0e29c5db1bcx"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)
    const struct CMUnitTest tests[] = {
        T(beside_rules_on_fields),
        T(several_in_order),
        T(rotating),
        T(one_direction),
        T(none_on_read),
        T(none_on_write),
        T(no_key),
        T(a_body_that_is_none),
        T(opened_to_what_is_none),
        T(large),
        T(equal_to_the_plan),
        T(a_guid_in_front),
        T(a_guid_is_looked_at),
        T(guids_as_text),
    };
    return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
