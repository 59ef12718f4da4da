/* proto_test.c: Protobuf records through the engine: the measured cases, each kind of field and message, what is
 * refused, failures that pass, other messages of a schema, and damaged records. */
#include "runtime/format/cases_lab.h"

#include "schema/proto.h"

/* ---- the measured cases ---- */

static const case_other others[] = {
    /* clients know no such name; tags are of a message's own field */
    {"pb-nested-path-from-root", "", NULL},
    /* the metadata is that of the subject alone, in all clients */
    {"pb-import-metadata-of-referred", "", NULL},
    {"pb-map-str", NULL, "a value of type map"},
    /* a field without presence is sealed where it is absent, as all clients do */
    {"x-pb-flat-empty-proto3", "ssn ", NULL},
};

/* {"$hex": "01"} as base64, which is how JSON has bytes. */
static const char *plain_value(lab *l, const fl_json *kase)
{
    const char *text = case_text(l, fl_json_get(kase, "value"));
    char *hex = strstr(text, "{\"$hex\":\"01\"}");
    return hex ? fl_printf(l->a, "%.*s\"AQ==\"%s", (int)(hex - text), text, hex + 13) : text;
}

static void flatten(case_paths *p, const fl_json *j, const char *path)
{
    size_t i = 0;
    if (j->kind != FL_JOBJECT && j->kind != FL_JARRAY) {
        FL_PUSH(p->a, &p->v, fl_printf(p->a, "%s=%s", path, j->str ? j->str : ""));
        return;
    }
    for (const fl_json *c = j->child; c; c = c->next, i++)
        flatten(p, c,
                j->kind == FL_JARRAY ? fl_printf(p->a, "%s[%zu]", path, i)
                                     : fl_printf(p->a, "%s%s%s", path, *path ? "." : "", c->key));
}

/* Leaves of y that x does not have, and whether each is a ciphertext. */
static const char *changed(lab *l, const char *x, const char *y)
{
    case_paths before = {.a = l->a}, after = {.a = l->a}, out = {.a = l->a};
    static uint8_t raw[64 << 10];
    flatten(&before, case_parse(l, x, strlen(x)), "");
    flatten(&after, case_parse(l, y, strlen(y)), "");
    for (size_t i = 0; i < after.v.n; i++) {
        bool same = false;
        const char *value = strchr(after.v.v[i], '=') + 1;
        for (size_t k = 0; k < before.v.n; k++)
            same |= strcmp(before.v.v[k], after.v.v[i]) == 0;
        if (same)
            continue;
        assert_true(fl_b64_decode(raw, value, strlen(value), FL_B64_STRICT) >= 28);
        FL_PUSH(l->a, &out.v, fl_strndup(l->a, after.v.v[i], (size_t)(value - 1 - after.v.v[i])));
    }
    return case_joined(&out);
}

static void one_case(lab *l, const fl_json *kase)
{
    rt_codec *c = NULL;
    const char *name = fl_json_str(kase, "name"), *refused;
    const char *want = case_expected(l, kase, others, sizeof others / sizeof *others, &refused);
    fl_buf body;
    rt_code code = case_open(l, kase, &c);
    if (refused) {
        assert_int_equal(code, RT_REFUSED);
        assert_says(l, refused);
        return;
    }
    if (code)
        fail_msg("%s: %s", name, l->err.message);
    fl_buf_init(&body, 1 << 20);
    const sch_schema *s = rt_codec_schema(c);
    lab_body(l, s, plain_value(l, kase), &body);
    if (lab_encrypt(l, c, &body))
        fail_msg("%s: %s", name, l->err.message);
    const char *plain = lab_json(l, s, body.p, body.len), *wire = lab_json(l, s, l->wire.p + 6, l->wire.len - 6);
    if (strcmp(changed(l, plain, wire), want) != 0)
        fail_msg("%s: encrypted %s, not %s", name, changed(l, plain, wire), want);
    if (lab_decrypt(l, c))
        fail_msg("%s: %s", name, l->err.message);
    assert_int_equal(l->out.len, body.len);
    assert_memory_equal(l->out.p, body.p ? body.p : "", body.len);
    fl_buf_free(&body);
    rt_codec_close(c);
}

static void each_case(void **state)
{
    assert_int_equal(case_each("PROTOBUF", one_case), 30);
}

/* ---- fields and messages ---- */

#define HEAD "syntax = \"proto3\"; package t; import \"confluent/meta.proto\";\n"
#define TAG  " [(confluent.field_meta).tags = \"PII\"]"
#define BIG                                                                                                            \
    HEAD "message First { string x = 1" TAG "; }\n"                                                                    \
         "message M { string s = 2" TAG "; bytes b = 4" TAG "; optional string o = 6" TAG "; string plain = 8;\n"      \
         "  repeated string list = 10" TAG "; In in = 12; repeated In many = 14; map<string, In> by = 16;\n"           \
         "  oneof either { string left = 18" TAG "; In right = 20; } repeated int32 n = 22; fixed64 f = 24;\n"         \
         "  string far = 3000" TAG "; message Inner { string y = 1" TAG "; } Inner inner = 26; float fl = 28; }\n"     \
         "message In { string x = 1" TAG "; In in = 2; string clear = 3; }\n"

static rt_code open_with(lab *l, const char *schema, const char *message, const char *rules, rt_codec **out)
{
    rt_subject s = {
        .subject = "t-value", .type = "PROTOBUF", .schema = schema, .ruleset = lab_set(l, rules), .message = message};
    assert_int_equal(l->registry->ops->register_subject(l->registry, l->a, &s, &l->err), RT_OK);
    return rt_codec_open(l->registry, l->keys, &s, NULL, out, &l->err);
}

static lab l;
static rt_codec *codec;
static fl_buf body;

static int open_lab(void **state)
{
    lab_open(&l);
    fl_buf_init(&body, 1 << 22);
    if (open_with(&l, BIG, "t.M", lab_rule(&l, "pii", "[\"PII\"]", "kek", "AES256_GCM", ""), &codec))
        fail_msg("%s", l.err.message);
    return 0;
}

static int close_lab(void **state)
{
    rt_codec_close(codec);
    fl_buf_free(&body);
    lab_close(&l);
    return 0;
}

/* What is sealed of a record, and that it comes back to the byte. */
static const char *sealed(const char *json)
{
    const sch_schema *s = rt_codec_schema(codec);
    lab_body(&l, s, json, &body);
    if (lab_encrypt(&l, codec, &body))
        fail_msg("%s: %s", json, l.err.message);
    assert_memory_equal(l.wire.p + 5, "\x02\x02", 2); /* the second message */
    const char *plain = lab_json(&l, s, body.p, body.len), *wire = lab_json(&l, s, l.wire.p + 7, l.wire.len - 7);
    if (lab_decrypt(&l, codec))
        fail_msg("%s: %s", json, l.err.message);
    assert_int_equal(l.out.len, body.len);
    assert_memory_equal(l.out.p, body.p ? body.p : "", body.len);
    return changed(&l, plain, wire);
}

static void each_kind_of_field(void **state)
{
    assert_string_equal(sealed("{}"), "b far s ");
    assert_string_equal(sealed("{\"s\":\"a\",\"b\":\"AP8=\",\"plain\":\"p\"}"), "b far s ");
    assert_string_equal(sealed("{\"o\":\"\"}"), "b far o s ");
    assert_string_equal(sealed("{\"list\":[\"a\",\"\",\"c\"],\"n\":[1,2,3]}"), "b far list[0] list[1] list[2] s ");
    assert_string_equal(sealed("{\"in\":{\"in\":{\"x\":\"y\",\"clear\":\"c\"}}}"), "b far in.in.x in.x s ");
    assert_string_equal(sealed("{\"many\":[{},{\"x\":\"1\"}],\"f\":\"5\"}"), "b far many[0].x many[1].x s ");
    assert_string_equal(sealed("{\"by\":{\"k\":{},\"l\":{\"x\":\"v\"}}}"), "b by.k.x by.l.x far s ");
    assert_string_equal(sealed("{\"left\":\"a\"}"), "b far left s ");
    assert_string_equal(sealed("{\"right\":{}}"), "b far right.x s ");
    assert_string_equal(sealed("{\"inner\":{\"y\":\"z\"},\"fl\":1.5,\"far\":\"f\"}"), "b far inner.y s ");
}

/* Lengths of one, two and three bytes around what is sealed. */
static void lengths_of_messages_grow(void **state)
{
    for (size_t n = 0; n < 20000; n = 3 * n / 2 + 1) {
        char *x = fl_alloc(l.a, n + 1);
        memset(x, 'x', n);
        sealed(fl_printf(l.a, "{\"in\":{\"in\":{\"in\":{\"x\":\"%s\"}}},\"plain\":\"p\"}", x));
    }
}

static void wire_is(const char *bytes, size_t n)
{
    fl_buf_clear(&body);
    fl_buf_add(&body, bytes, n);
}
#define WIRE(s) wire_is(s, sizeof s - 1)

static void refused(rt_code code, const char *why)
{
    assert_int_equal(lab_encrypt(&l, codec, &body), code);
    assert_says(&l, why);
    assert_int_equal(l.wire.len, 0);
}

static void what_is_not_written(void **state)
{
    WIRE("\xfa\x07\x01x");
    refused(RT_BAD_INPUT, "a field has a number that its message does not have in the schema");
    WIRE("\x10\x01");
    refused(RT_BAD_INPUT, "field t.M.s, byte 1 of the record: its wire type is not that of the field's type");
    WIRE("\x62\x00\x62\x00");
    refused(RT_BAD_INPUT, "the message occurs twice");
    WIRE("\x12\x05"
         "ab");
    refused(RT_BAD_INPUT, "the message ends before this value does");
    WIRE("\x62\x03\x0a\x04x");
    refused(RT_BAD_INPUT, "the message ends before this value does");
    WIRE("\x82\x01\x03\x0a\x01k");
    refused(RT_BAD_INPUT, "an entry of a map has no value");
    WIRE("\x07");
    refused(RT_BAD_INPUT, "there is no field of that number or wire type");
    WIRE("\x14");
    refused(RT_BAD_INPUT, "a group ends that did not begin");
    WIRE("\x42\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
    refused(RT_BAD_INPUT, "a number has more than 64 bits");
}

/* Of several values of a field the last counts; all are sealed. Fields in any order. */
static void unusual_encodings(void **state)
{
    WIRE("\x42\x01p\x12\x01"
         "a\x12\x01"
         "b\x92\x01\x01"
         "c\xb2\x01\x02\x01\x02\xb0\x01\x03");
    assert_int_equal(lab_encrypt(&l, codec, &body), RT_OK);
    assert_null(memmem(l.wire.p, l.wire.len, "\x12\x01", 2));
    assert_int_equal(lab_decrypt(&l, codec), RT_OK);
    assert_string_equal(lab_json(&l, rt_codec_schema(codec), l.out.p, l.out.len),
                        "{\"s\":\"b\",\"plain\":\"p\",\"left\":\"c\",\"n\":[1,2,3]}");
}

/* The last one is empty: it stays, or the first would count. */
static void an_empty_one_takes_the_place_of_another(void **state)
{
    WIRE("\x12\x01"
         "a\x12\x00");
    assert_int_equal(lab_encrypt(&l, codec, &body), RT_OK);
    assert_int_equal(lab_decrypt(&l, codec), RT_OK);
    assert_string_equal(lab_json(&l, rt_codec_schema(codec), l.out.p, l.out.len), "{}");
}

static void depth_is_bounded(void **state)
{
    fl_buf_clear(&body);
    size_t len = 0;
    uint8_t *all = fl_alloc(l.a, 8192);
    for (int i = 0; i < 1100; i++) {
        uint8_t head[4] = {i == 1099 ? 0x62 : 0x12, (uint8_t)(len < 128 ? len : len | 0x80), (uint8_t)(len >> 7)};
        size_t h = len < 128 ? 2 : 3;
        memmove(all + h, all, len);
        memcpy(all, head, h);
        len += h;
    }
    fl_buf_add(&body, all, len);
    refused(RT_BAD_INPUT, "messages nest deeper than is allowed");
}

/* ---- reading ---- */

static void what_was_not_sealed_is_not_read(void **state)
{
    lab_body(&l, rt_codec_schema(codec), "{\"s\":\"a\"}", &body);
    fl_buf_clear(&l.wire);
    assert_int_equal(lab_encrypt(&l, codec, &body), RT_OK);
    char head[7];
    memcpy(head, l.wire.p, 7);
    fl_buf_clear(&l.wire);
    fl_buf_add(&l.wire, head, 7);
    assert_int_equal(lab_decrypt(&l, codec), RT_TAMPERED);
    assert_says(&l, "field t.M.s, rule pii, KEK kek: the field is empty, so it holds no ciphertext");
    fl_buf_add(&l.wire, "\x12\x01x", 3);
    assert_int_equal(lab_decrypt(&l, codec), RT_TAMPERED);
    assert_says(&l, "the value is not base64, so it is no ciphertext");
    assert_int_equal(l.out.len, 0);
}

/* Go writes the fields of a dynamic message in any order. */
static void fields_come_in_any_order(void **state)
{
    lab own;
    rt_codec *c;
    enum { HEAD_LEN = 6, FIELD_LEN = 2 + 40 }; /* id and indexes; tag, length, 29 bytes in base64 */
    char first[FIELD_LEN];
    lab_open(&own);
    assert_int_equal(open_with(&own, HEAD "message M { string a = 1" TAG "; string b = 2" TAG "; }", "t.M",
                               lab_rule(&own, "r", "[\"PII\"]", "kek", "AES256_GCM", ""), &c),
                     RT_OK);
    lab_body(&own, rt_codec_schema(c), "{\"a\":\"x\",\"b\":\"y\"}", &body);
    assert_int_equal(lab_encrypt(&own, c, &body), RT_OK);
    assert_int_equal(own.wire.len, HEAD_LEN + 2 * FIELD_LEN);
    memcpy(first, own.wire.p + HEAD_LEN, FIELD_LEN);
    memmove(own.wire.p + HEAD_LEN, own.wire.p + HEAD_LEN + FIELD_LEN, FIELD_LEN);
    memcpy(own.wire.p + HEAD_LEN + FIELD_LEN, first, FIELD_LEN);
    assert_int_equal(lab_decrypt(&own, c), RT_OK);
    assert_string_equal(lab_json(&own, rt_codec_schema(c), own.out.p, own.out.len), "{\"a\":\"x\",\"b\":\"y\"}");
    rt_codec_close(c);
    lab_close(&own);
}

/* A reader leaves what the schema does not describe as it is, groups too. */
static void unknown_fields_pass_a_reader(void **state)
{
    lab_body(&l, rt_codec_schema(codec), "{\"s\":\"a\"}", &body);
    assert_int_equal(lab_encrypt(&l, codec, &body), RT_OK);
    fl_buf_add(&l.wire, "\xfb\x07\x08\x01\x0b\x0c\xfc\x07\xfd\x07\x01\x02\x03\x04", 14);
    assert_int_equal(lab_decrypt(&l, codec), RT_OK);
    assert_int_equal(l.out.len, 3 + 14);
    assert_memory_equal(l.out.p + 3, "\xfb\x07\x08\x01\x0b\x0c\xfc\x07\xfd\x07\x01\x02\x03\x04", 14);
    l.wire.len--;
    assert_int_equal(lab_decrypt(&l, codec), RT_BAD_INPUT);
}

static void indexes_name_the_message(void **state)
{
    lab_body(&l, rt_codec_schema(codec), "{\"s\":\"a\"}", &body);
    assert_int_equal(lab_encrypt(&l, codec, &body), RT_OK);
    static const struct {
        const char *index, *why;
    } rows[] = {{"\x02\x04", "the record holds a message t.In, and not t.M"},
                {"\x02\x08", "the record's message indexes name no message of its schema"},
                {"\x02\x01", "the record's message indexes name no message of its schema"},
                {"\xff\xff", "the record does not say which message of its schema it holds"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memcpy(l.wire.p + 5, rows[i].index, 2);
        assert_int_equal(lab_decrypt(&l, codec), RT_BAD_INPUT);
        assert_says(&l, rows[i].why);
    }
    l.wire.len = 5;
    assert_int_equal(lab_decrypt(&l, codec), RT_BAD_INPUT);
    assert_says(&l, "does not say which message");
}

/* Without a plan the record says which message it holds; each is read in its own shape. */
static void any_message_of_a_schema_is_read(void **state)
{
    const char *rule = lab_rule(&l, "pii", "[\"PII\"]", "kek", "AES256_GCM", "");
    rt_codec *first, *in, *any;
    rt_codec_options reading = {.read_only = true};
    lab own;
    lab_open(&own);
    assert_int_equal(open_with(&own, BIG, "t.First", rule, &first), RT_OK);
    assert_int_equal(open_with(&own, BIG, "t.In", rule, &in), RT_OK);
    rt_subject s = {.subject = "t-value", .type = "PROTOBUF", .schema = BIG, .ruleset = lab_set(&own, rule)};
    assert_int_equal(own.registry->ops->register_subject(own.registry, own.a, &s, &own.err), RT_OK);
    assert_int_equal(rt_codec_open(own.registry, own.keys, &s, &reading, &any, &own.err), RT_OK);
    static const char *const says[] = {"{\"x\":\"1\"}", "{\"x\":\"2\",\"clear\":\"c\"}"};
    for (int i = 0; i < 6; i++) {
        int id;
        rt_codec *c = i % 2 ? in : first;
        lab_body(&own, rt_codec_schema(c), says[i % 2], &body);
        assert_int_equal(lab_encrypt(&own, c, &body), RT_OK);
        if (rt_decrypt(any, (const uint8_t *)own.wire.p, own.wire.len, &own.out, &id, &own.err))
            fail_msg("%s", own.err.message);
        assert_string_equal(lab_json(&own, rt_codec_schema_for(any, id), own.out.p, own.out.len), says[i % 2]);
    }
    rt_codec_close(first);
    rt_codec_close(in);
    rt_codec_close(any);
    lab_close(&own);
}

/* Every bit of a record turned, and every cut: an error, or the very same message but for what is in clear. */
static void no_bytes_harm(void **state)
{
    lab_body(&l, rt_codec_schema(codec),
             "{\"s\":\"a\",\"in\":{\"x\":\"b\"},\"many\":[{\"x\":\"1\"},{}],\"by\":{\"k\":{\"x\":\"v\"}},\"n\":[1,2]}",
             &body);
    assert_int_equal(lab_encrypt(&l, codec, &body), RT_OK);
    size_t len = l.wire.len;
    uint8_t *wire = fl_alloc(l.a, len);
    memcpy(wire, l.wire.p, len);
    for (size_t bit = 40; bit < 8 * len; bit++) {
        int id;
        uint8_t *copy = malloc(len);
        memcpy(copy, wire, len);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        rt_code code = rt_decrypt(codec, copy, len, &l.out, &id, &l.err);
        assert_true(code ? l.out.len == 0 : l.out.len > 0);
        rt_encrypt(codec, copy + 7, len - 7, &l.out, &l.err);
        code = rt_decrypt(codec, wire, bit / 8, &l.out, &id, &l.err);
        assert_true(code ? l.out.len == 0 : true);
        free(copy);
    }
}

/* ---- rules ---- */

static void rule_sets(void **state)
{
    static const struct {
        const char *schema, *tags, *why; /* NULL: it opens */
    } rows[] = {
        {HEAD "message M { int32 n = 1" TAG "; }", "[\"PII\"]",
         "field t.M.n: rule r would have to encrypt a value of type int32"},
        {HEAD "message M { map<string, string> m = 1" TAG "; }", "[\"PII\"]", "a value of type map"},
        {HEAD "message M { M m = 1" TAG "; string s = 2; }", "[\"PII\"]", "meets a tag on a field that holds records"},
        {HEAD "enum E { A = 0; } message M { E e = 1" TAG "; }", "[\"PII\"]", "a value of type enum"},
        {HEAD "message M { string s = 1; M m = 2; map<string, M> by = 3; }", NULL, NULL},
        {HEAD "message M { string s = 1; map<string, string> by = 3; }", NULL, "a value of type map"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lab own;
        rt_codec *c = NULL;
        lab_open(&own);
        rt_code code =
            open_with(&own, rows[i].schema, "t.M", lab_rule(&own, "r", rows[i].tags, "kek", "AES256_GCM", ""), &c);
        assert_true((code != RT_OK) == (rows[i].why != NULL));
        if (rows[i].why)
            assert_says(&own, rows[i].why);
        rt_codec_close(c);
        lab_close(&own);
    }
}

/* A failure that passes on read: all of the record's fields stay as they are stored. */
static void a_failed_rule_leaves_all_its_fields(void **state)
{
    lab own;
    rt_codec *c;
    lab_open(&own);
    const char *rule = lab_rule(&own, "pii", "[\"PII\"]", "kek", "AES256_GCM", ",\"onFailure\":\"ERROR,NONE\"");
    assert_int_equal(open_with(&own, BIG, "t.M", rule, &c), RT_OK);
    lab_body(&own, rt_codec_schema(c), "{\"s\":\"a\",\"in\":{\"x\":\"b\"}}", &body);
    assert_int_equal(lab_encrypt(&own, c, &body), RT_OK);
    own.wire.p[20] = own.wire.p[20] == 'A' ? 'B' : 'A';
    assert_int_equal(lab_decrypt(&own, c), RT_OK);
    assert_int_equal(own.out.len, own.wire.len - 7);
    assert_memory_equal(own.out.p, own.wire.p + 7, own.out.len);
    rt_codec_close(c);
    lab_close(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
        cmocka_unit_test(each_kind_of_field),
        cmocka_unit_test(lengths_of_messages_grow),
        cmocka_unit_test(what_is_not_written),
        cmocka_unit_test(unusual_encodings),
        cmocka_unit_test(an_empty_one_takes_the_place_of_another),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(what_was_not_sealed_is_not_read),
        cmocka_unit_test(fields_come_in_any_order),
        cmocka_unit_test(unknown_fields_pass_a_reader),
        cmocka_unit_test(indexes_name_the_message),
        cmocka_unit_test(any_message_of_a_schema_is_read),
        cmocka_unit_test(no_bytes_harm),
        cmocka_unit_test(rule_sets),
        cmocka_unit_test(a_failed_rule_leaves_all_its_fields),
    };
    return cmocka_run_group_tests_name("runtime/format/proto", tests, open_lab, close_lab);
}
