/* proto_value_test.c: Protobuf messages from JSON, as JSON, and by path: each type's bytes, what is refused, and
 * damaged messages. */
#include "schema/testing.h"

#include "schema/proto_value.h"

#define TEXT                                                                                                           \
    "syntax = \"proto3\";\npackage t;\nimport \"google/protobuf/timestamp.proto\";\n"                                  \
    "import \"google/protobuf/duration.proto\";\nimport \"google/protobuf/wrappers.proto\";\n"                         \
    "enum Color { RED = 0; BLUE = 5; NEGATIVE = -1; }\n"                                                               \
    "message In { string x = 1; In in = 2; repeated In many = 3; }\n"                                                  \
    "message M {\n  string s = 1; bytes b = 2; int32 i32 = 3; int64 i64 = 4; uint32 u32 = 5; uint64 u64 = 6;\n"        \
    "  sint32 z32 = 7; sint64 z64 = 8; fixed32 f32 = 9; fixed64 f64 = 10; sfixed32 sf32 = 11; sfixed64 sf64 = 12;\n"   \
    "  float fl = 13; double db = 14; bool yes = 15; Color color = 16; In in = 17; repeated string list = 18;\n"       \
    "  repeated int32 numbers = 19; map<string, In> by_name = 20; map<int32, string> by_number = 21;\n"                \
    "  oneof either { string left = 22; In right = 23; }\n  optional string maybe = 24; repeated In ins = 25;\n"       \
    "  google.protobuf.Timestamp at = 26; google.protobuf.Duration lasts = 27; google.protobuf.Int64Value w = 28;\n"   \
    "  map<bool, sint32> flags = 29; google.protobuf.StringValue ws = 30;\n}\n"

static sch_schema *s;
static fl_buf bytes, text;
static sch_value_error err;

static sch_schema *proto_schema(const char *proto, const char *message)
{
    sch_error e;
    sch_schema *out = sch_parse(SCH_PROTOBUF, arena, "t.proto", proto, strlen(proto), message, NULL, 0, &e);
    if (!out)
        fail_msg("%s", e.message);
    return out;
}

static int open_all(void **state)
{
    set_up(state);
    s = proto_schema(TEXT, "t.M");
    fl_buf_init(&bytes, 1 << 20);
    fl_buf_init(&text, 1 << 20);
    return 0;
}

static int close_all(void **state)
{
    fl_buf_free(&bytes);
    fl_buf_free(&text);
    return tear_down(state);
}

static bool encode(const sch_schema *of, const char *json)
{
    fl_json_error e;
    const fl_json *v = fl_json_parse(arena, json, strlen(json), FL_JSON_ALLOW_NUL, &e);
    if (!v)
        fail_msg("%s: %s", json, e.message);
    fl_buf_clear(&bytes);
    return sch_value_from_json(of, v, SCH_BYTES_TEXT, &bytes, &err);
}

static bool decode(const sch_schema *of, const void *p, size_t n)
{
    fl_buf_clear(&text);
    return sch_value_to_json(of, p, n, NULL, &text, &err);
}

/* JSON to these bytes and back to the same JSON. */
static void both(const char *json, const char *hex)
{
    if (!encode(s, json))
        fail_msg("%s: %s: %s", json, err.path, err.message);
    char *got = fl_alloc(arena, 2 * bytes.len + 1);
    fl_hex(got, bytes.p, bytes.len);
    assert_string_equal(got, hex);
    if (!decode(s, bytes.p, bytes.len))
        fail_msg("%s: %s: %s", json, err.path, err.message);
    assert_string_equal(text.p, json);
}

static void refused(const char *json, const char *path, const char *why)
{
    assert_false(encode(s, json));
    assert_int_equal(bytes.len, 0);
    assert_string_equal(err.message, why);
    assert_string_equal(err.path, path);
}

static void unreadable(const char *hex, const char *path, const char *why)
{
    uint8_t raw[256];
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++)
        raw[i] = (uint8_t)strtoul((char[]){hex[2 * i], hex[2 * i + 1], 0}, NULL, 16);
    assert_false(decode(s, raw, n));
    assert_int_equal(text.len, 0);
    assert_string_equal(err.message, why);
    assert_string_equal(err.path, path);
}

/* ---- each type; the bytes were written by the vendor's Python Protobuf runtime ---- */

static void scalars(void **state)
{
    both("{}", "");
    both("{\"s\":\"é\"}", "0a02c3a9");
    both("{\"b\":\"AP8=\"}", "120200ff");
    both("{\"i32\":-1}", "18ffffffffffffffffff01");
    both("{\"i32\":2147483647}", "18ffffffff07");
    both("{\"i64\":\"-9223372036854775808\"}", "2080808080808080808001");
    both("{\"u32\":4294967295}", "28ffffffff0f");
    both("{\"u64\":\"18446744073709551615\"}", "30ffffffffffffffffff01");
    both("{\"z32\":-2147483648}", "38ffffffff0f");
    both("{\"z64\":\"-1\"}", "4001");
    both("{\"f32\":1}", "4d01000000");
    both("{\"f64\":\"1\"}", "510100000000000000");
    both("{\"sf32\":-2}", "5dfeffffff");
    both("{\"sf64\":\"-2\"}", "61feffffffffffffff");
    both("{\"fl\":1.5}", "6d0000c03f");
    both("{\"fl\":\"NaN\"}", "6d0000c07f");
    both("{\"db\":0.1}", "719a9999999999b93f");
    both("{\"db\":\"-Infinity\"}", "71000000000000f0ff");
    both("{\"yes\":true}", "7801");
    both("{\"color\":\"BLUE\"}", "800105");
    both("{\"color\":\"NEGATIVE\"}", "8001ffffffffffffffffff01");
    both("{\"color\":7}", "800107");
}

static void parts(void **state)
{
    both("{\"in\":{}}", "8a0100");
    both("{\"in\":{\"x\":\"a\",\"in\":{\"x\":\"b\"}}}", "8a01080a016112030a0162");
    both("{\"list\":[\"a\",\"\"]}", "920101619201"
                                    "00");
    both("{\"numbers\":[1,-1,300]}", "9a010d01ffffffffffffffffff01ac02");
    both("{\"by_name\":{\"k\":{\"x\":\"v\"}}}", "a201080a016b12030a0176");
    both("{\"by_number\":{\"7\":\"v\"}}", "aa01050807120176");
    both("{\"left\":\"\"}", "b20100");
    both("{\"right\":{\"x\":\"r\"}}", "ba01030a0172");
    both("{\"maybe\":\"\"}", "c20100");
    both("{\"ins\":[{\"x\":\"1\"},{}]}", "ca01030a0131ca0100");
    both("{\"flags\":{\"true\":-1}}", "ea010408011001");
}

static void known_types(void **state)
{
    both("{\"at\":\"1970-01-01T00:00:00Z\"}", "d20100");
    both("{\"at\":\"2026-01-01T00:00:00.500Z\"}", "d2010c0880f2d6ca061080cab5ee01");
    both("{\"at\":\"0001-01-01T00:00:00Z\"}", "d2010b088092b8c398feffffff01");
    both("{\"lasts\":\"-1.500s\"}", "da011608ffffffffffffffffff011080b6ca91feffffffff01");
    both("{\"w\":\"0\"}", "e20100");
    both("{\"w\":\"12\"}", "e201"
                           "02080c");
    both("{\"ws\":\"x\"}", "f201030a0178");
}

/* Read in more ways than they are written. */
static void same(const char *json, const char *as)
{
    assert_true(encode(s, json));
    assert_true(decode(s, bytes.p, bytes.len));
    assert_string_equal(text.p, as);
}

static void other_spellings(void **state)
{
    same("{\"byName\":{},\"i64\":5,\"s\":\"\",\"yes\":false,\"color\":0}", "{\"i64\":\"5\"}");
    same("{\"byNumber\":{\"1\":\"\"},\"in\":null}", "{\"by_number\":{\"1\":\"\"}}");
    same("{\"at\":\"2026-01-01T01:00:00+01:00\"}", "{\"at\":\"2026-01-01T00:00:00Z\"}");
    same("{\"at\":{\"seconds\":\"60\"}}", "{\"at\":\"1970-01-01T00:01:00Z\"}");
    same("{\"i32\":\"12\"}", "{\"i32\":12}");
}

static void what_is_refused(void **state)
{
    refused("{\"s\":1}", "s", "a text stands here");
    refused("{\"in\":{\"in\":{\"y\":1}}}", "in.in", "t.In has no field of the name at byte 13");
    refused("{\"strng\":1}", "", "t.M has no field of the name at byte 1");
    refused("{\"Maybee\":1}", "", "t.M has no field of the name at byte 1; did you mean \"maybe\"?");
    refused("{\"i32\":2147483648}", "i32", "a whole number of 32 bits stands here");
    refused("{\"u64\":-1}", "u64", "a whole number of 64 bits without sign stands here");
    refused("{\"i64\":1.5}", "i64", "a whole number of 64 bits stands here");
    refused("{\"fl\":1e300}", "fl", "the number does not fit a float");
    refused("{\"b\":\"AP8\"}", "b", "bytes are written in base64 (standard alphabet, with padding)");
    refused("{\"color\":\"GREEN\"}", "color", "the text is no value of the enum");
    refused("{\"left\":\"a\",\"right\":{}}", "", "two members of one oneof stand here");
    refused("{\"by_name\":{},\"byName\":{}}", "", "the field stands here twice");
    refused("{\"numbers\":[1,\"x\"]}", "numbers[1]", "a whole number of 32 bits stands here");
    refused("{\"ins\":[{},{\"x\":2}]}", "ins[1].x", "a text stands here");
    refused("{\"list\":{}}", "list", "a list stands here");
    refused("{\"by_name\":[]}", "by_name", "an object stands here, for a map");
    refused("{\"flags\":{\"1\":1}}", "flags.*", "the key is true or false");
    refused("{\"at\":\"2026-02-29T00:00:00Z\"}", "at", "a time stands here, as \"2026-01-31T12:00:00Z\"");
    refused("{\"lasts\":\"1\"}", "lasts", "a duration stands here, as \"1.5s\"");
    refused("[]", "", "an object stands here");
}

static void required_and_groups(void **state)
{
    sch_schema *two =
        proto_schema("syntax = \"proto2\";\nmessage P { required string a = 1; optional group G = 2 { optional "
                     "string x = 1; } repeated int32 n = 3; }\n",
                     NULL);
    assert_true(encode(two, "{\"a\":\"\",\"g\":{\"x\":\"y\"},\"n\":[1,2]}"));
    assert_int_equal(bytes.len, 11);
    assert_memory_equal(bytes.p, "\x0a\x00\x13\x0a\x01y\x14\x18\x01\x18\x02", 11);
    assert_true(decode(two, bytes.p, bytes.len));
    assert_string_equal(text.p, "{\"a\":\"\",\"g\":{\"x\":\"y\"},\"n\":[1,2]}");
    assert_false(encode(two, "{\"g\":{}}"));
    assert_string_equal(err.message, "the required field a is missing");
}

static void damaged(void **state)
{
    unreadable("0a05", "", "the bytes are no message");
    unreadable("f80701", "", "t.M has no field of number 127");
    unreadable("0801", "", "its wire type is not that of the field's type");
    unreadable("0a01ff", "s", "the text is not UTF-8");
    unreadable("8a01020a05", "in.", "the bytes are no message");
    unreadable("8a01008a0100", "in", "the message occurs twice");
    unreadable("9a0101ff", "numbers[0]", "the record ends inside a number");
    unreadable("d201020a00", "at", "the bytes are no time");
}

/* ---- paths ---- */

static const char *at(const char *json, const char *path)
{
    sch_ats ats;
    fl_buf b;
    fl_buf_init(&b, 4096);
    assert_true(encode(s, json));
    if (!sch_value_extract(s, (uint8_t *)bytes.p, bytes.len, path, arena, &ats, &err))
        fail_msg("%s: %s", path, err.message);
    for (size_t i = 0; i < ats.n; i++) {
        bool shown = ats.v[i].kind != SCH_AT_OTHER;
        fl_buf_addf(&b, "%s%.*s:%zu", i ? " " : "", shown ? (int)ats.v[i].len : 0, bytes.p + ats.v[i].offset,
                    ats.v[i].whole_len);
    }
    const char *out = fl_strndup(arena, b.p ? b.p : "", b.len);
    fl_buf_free(&b);
    return out;
}

static void places(void **state)
{
    assert_string_equal(at("{\"s\":\"abc\"}", "s"), "abc:4");
    assert_string_equal(at("{\"in\":{\"x\":\"a\",\"in\":{\"x\":\"b\"}}}", "in.x"), "a:2");
    assert_string_equal(at("{\"in\":{\"x\":\"a\",\"in\":{\"x\":\"b\"}}}", "in.**"), "a:2 b:2");
    assert_string_equal(at("{\"list\":[\"a\",\"bc\"]}", "list[]"), "a:2 bc:3");
    assert_string_equal(at("{\"numbers\":[1,300]}", "numbers[]"), ":1 :2");
    assert_string_equal(at("{\"ins\":[{\"x\":\"1\"},{\"x\":\"2\"}]}", "ins[].x"), "1:2 2:2");
    assert_string_equal(at("{\"by_name\":{\"k\":{\"x\":\"v\"}}}", "by_name.*.x"), "v:2");
    assert_string_equal(at("{\"by_number\":{\"1\":\"v\",\"2\":\"w\"}}", "by_number.*"), "v:2 w:2");
    assert_string_equal(at("{\"s\":\"abc\"}", "in.x"), "");
    assert_string_equal(at("{\"list\":[\"a\",\"bc\"]}", "list"), ":7");
}

static bool equal(const char *json, const char *path, const char *want)
{
    sch_ats ats;
    fl_json_error e;
    assert_true(encode(s, json));
    assert_true(sch_value_extract(s, (uint8_t *)bytes.p, bytes.len, path, arena, &ats, &err));
    assert_int_equal(ats.n, 1);
    return sch_value_equals(s, (uint8_t *)bytes.p, &ats.v[0], fl_json_parse(arena, want, strlen(want), 0, &e));
}

static void comparing(void **state)
{
    assert_true(equal("{\"s\":\"abc\"}", "s", "\"abc\""));
    assert_false(equal("{\"s\":\"abc\"}", "s", "\"abd\""));
    assert_true(equal("{\"numbers\":[300]}", "numbers[]", "300"));
    assert_false(equal("{\"numbers\":[300]}", "numbers[]", "301"));
    assert_true(equal("{\"by_number\":{\"1\":\"v\"}}", "by_number.*", "\"v\""));
    assert_true(equal("{\"i64\":\"7\"}", "i64", "\"7\""));
    assert_true(equal("{\"in\":{\"x\":\"a\"}}", "in", "{\"x\":\"a\"}"));
    assert_false(equal("{\"s\":\"abc\"}", "s", "null"));
}

/* Every cut and every flipped bit: refused or read, never past the end. */
static void no_bytes_harm(void **state)
{
    sch_ats ats;
    assert_true(encode(s,
                       "{\"s\":\"a\",\"in\":{\"x\":\"a\",\"many\":[{}]},\"numbers\":[1,300],\"by_name\":{\"k\":{\"x\":"
                       "\"v\"}},\"at\":\"2026-01-01T00:00:00.500Z\",\"w\":\"3\",\"fl\":1.5,\"flags\":{\"true\":1}}"));
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        uint8_t *copy = malloc(bytes.len), *cut = malloc(bit / 8 + 1);
        memcpy(copy, bytes.p, bytes.len);
        memcpy(cut, bytes.p, bit / 8 + 1);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        decode(s, copy, bytes.len);
        decode(s, cut, bit / 8 + 1);
        sch_value_extract(s, copy, bytes.len, "**", arena, &ats, &err);
        sch_value_extract(s, cut, bit / 8 + 1, "**", arena, &ats, &err);
        free(copy);
        free(cut);
    }
}

static void depth(void **state)
{
    fl_buf deep;
    fl_buf_init(&deep, 1 << 20);
    for (int i = 0; i < 190; i++)
        fl_buf_adds(&deep, "{\"in\":");
    fl_buf_adds(&deep, "{}");
    for (int i = 0; i < 190; i++)
        fl_buf_adds(&deep, "}");
    assert_true(encode(s, deep.p));
    assert_true(decode(s, bytes.p, bytes.len));
    fl_buf_free(&deep);
    uint8_t *all = fl_alloc(arena, 1024);
    size_t len = 0;
    for (int i = 0; i < 230; i++) { /* grown from the inside */
        uint8_t head[4] = {0x12};
        size_t h = 2;
        if (len < 128) {
            head[1] = (uint8_t)len;
        } else {
            head[1] = (uint8_t)(len | 0x80);
            head[2] = (uint8_t)(len >> 7);
            h = 3;
        }
        memmove(all + h, all, len);
        memcpy(all, head, h);
        len += h;
    }
    sch_schema *in = proto_schema(TEXT, "t.In");
    assert_false(decode(in, all, len));
    assert_string_equal(err.message, "messages are nested too deeply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),         cmocka_unit_test(parts),           cmocka_unit_test(known_types),
        cmocka_unit_test(other_spellings), cmocka_unit_test(what_is_refused), cmocka_unit_test(required_and_groups),
        cmocka_unit_test(damaged),         cmocka_unit_test(places),          cmocka_unit_test(comparing),
        cmocka_unit_test(no_bytes_harm),   cmocka_unit_test(depth),
    };
    return cmocka_run_group_tests_name("schema/proto_value", tests, open_all, close_all);
}
