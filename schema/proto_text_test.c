/* proto_text_test.c: texts of .proto files out of descriptors: protoc makes the same descriptor of them again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "schema/proto.h"

#define ROOT "root.proto"

/* The FileDescriptorProto that protoc makes of a text; imports of the vendor's and of protoc's own are found. */
static void descriptor_of(fl_arena *a, const char *text, const uint8_t **p, size_t *n)
{
    char message[256];
    const char *set, *errors = NULL, *roots[] = {ROOT};
    size_t len;
    FL_VEC(proto_source) files = {0};
    *p = NULL;
    proto_source one;
    for (size_t i = 0; sch_proto_vendor(i, &one); i++)
        FL_PUSH(a, &files, one);
    FL_PUSH(a, &files, ((proto_source){ROOT, text, strlen(text)}));
    if (sch_proto_run(a, sch_proto_program(a, message), files.v, files.n, roots, 1, &set, &len, &errors, message) !=
        PROTO_RUN_OK)
        fail_msg("protoc refuses %s\n%s", text, errors ? errors : message);
    proto_wire w = {(const uint8_t *)set, (const uint8_t *)set + len};
    proto_item item;
    while (proto_next(&w, &item) == 1) {
        proto_wire in = proto_inside(&item);
        proto_item name;
        if (proto_next(&in, &name) == 1 && name.n == strlen(ROOT) && !memcmp(name.p, ROOT, name.n)) {
            *p = item.p;
            *n = item.n;
        }
    }
}

static const char *printed(fl_arena *a, const uint8_t *p, size_t n)
{
    fl_buf b;
    char message[256];
    fl_buf_init(&b, 1 << 20);
    if (!sch_proto_print(a, p, n, &b, message))
        fail_msg("%s", message);
    const char *text = fl_strndup(a, b.p, b.len);
    fl_buf_free(&b);
    return text;
}

static const char *const texts[] = {
    "syntax = \"proto3\";\npackage com.example;\n\nimport \"confluent/meta.proto\";\n\nmessage Message1 {\n"
    "  string f1 = 1 [(confluent.field_meta) = {\n    tags: [\n      \"TAG1\",\n      \"TAG2\"\n    ]\n  }];\n"
    "  string f2 = 2;\n}\n",
    "syntax = \"proto3\";\n\nenum E {\n  A = 0;\n}\n",
    "syntax = \"proto3\";\n",
    "syntax = \"proto3\";\npackage a.b;\nimport \"google/protobuf/timestamp.proto\";\nimport "
    "\"confluent/meta.proto\";\n"
    "import public \"google/type/date.proto\";\n"
    "option java_package = \"x\\\"y\\\\\\n\\303\\251\"; option java_multiple_files = true; option optimize_for = "
    "CODE_SIZE;\n"
    "option (confluent.file_meta).doc = \"file\";\n"
    "message M {\n  option deprecated = true;\n  option (confluent.message_meta) = { tags: [\"X\"] };\n"
    "  message First { int32 a = 1; message Deeper { bool b = 1; } Deeper d = 2; }\n"
    "  map<string, First> firsts = 4;\n  message Second { enum In { Z = 0; } In in = 1; }\n"
    "  map<int64, bytes> plain = 5;\n  oneof pick { string s = 6; First f = 7; }\n"
    "  optional int32 maybe = 8;\n  repeated double d = 9 [packed = false, deprecated = true];\n"
    "  oneof other { sint32 o = 10; fixed64 p = 11; }\n  google.protobuf.Timestamp t = 12;\n  google.type.Date date = "
    "13;\n"
    "  string snake_case_2 = 14 [json_name = \"other\"];\n  string x_y = 15 [(confluent.field_meta) = { doc: "
    "\"d\\\"q\" "
    "params: [{ key: \"k\", value: \"v\" }] tags: [\"PII\", \"GDPR\"] }, ctype = CORD];\n"
    "  reserved 1, 3, 20 to 30, 1000 to max;\n  reserved \"old\", \"older\";\n}\n"
    "enum Big { option allow_alias = true; option (confluent.enum_meta).tags = \"E\"; A = 0; B = 1 [deprecated = "
    "true]; "
    "C = 1 [(confluent.enum_value_meta).doc = \"v\"]; N = -5; reserved 7, 9 to max; reserved \"Q\"; }\n"
    "service S { rpc One (M) returns (stream M); rpc Two (stream M) returns (M.First) { option deprecated = true; "
    "option "
    "idempotency_level = IDEMPOTENT; } option deprecated = true; }\n",
    "syntax = \"proto2\";\npackage p2;\nmessage M {\n  required string r = 1 [default = \"a\\\"b\\n\"];\n"
    "  optional bytes b = 2 [default = \"\\001\\377\\\"\"];\n  optional E e = 3 [default = B];\n"
    "  optional float f = 4 [default = -inf];\n  optional double d = 5 [default = 1.5e10];\n"
    "  optional bool t = 6 [default = true];\n  repeated int32 p = 7 [packed = true];\n"
    "  extensions 100 to 199, 500;\n  extensions 1000 to max;\n  extend M { optional int32 in = 100; }\n"
    "  oneof o { int32 x = 8; string y = 9 [default = \"z\"]; }\n}\nenum E { A = 1; B = 2; }\n"
    "extend M { repeated string out = 101; optional M m = 102; }\n",
    "message NoSyntax { optional int32 a = 1; }\n",
};

static void same_again(void **state)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fl_arena *a = fl_arena_new();
        const uint8_t *p, *q;
        size_t n, m;
        descriptor_of(a, texts[i], &p, &n);
        const char *text = printed(a, p, n);
        descriptor_of(a, text, &q, &m);
        if (!sch_proto_same(a, p, n, q, m))
            fail_msg("%s\nis printed as\n%s", texts[i], text);
        assert_string_equal(printed(a, q, m), text);
        if (i < 2) /* in the vendor's spelling already */
            assert_string_equal(text, texts[i]);
        fl_arena_free(a);
    }
}

/* The comparison sees every difference but those of the name, comments and default names in JSON. */
static void differences(void **state)
{
    static const char *const pairs[][2] = {
        {"message M { optional int32 a = 1; }", "message M { optional int32 a = 2; }"},
        {"message M { optional int32 a = 1; }", "message M { repeated int32 a = 1; }"},
        {"message M { optional int32 a = 1; }", "message M { optional int32 a = 1 [json_name = \"b\"]; }"},
        {"message M { optional int32 a = 1; }", "message M { optional int32 a = 1 [deprecated = true]; }"},
        {"message M { optional int32 a = 1; }", "syntax = \"proto3\"; message M { optional int32 a = 1; }"},
        {"message M { } message N { }", "message N { } message M { }"},
    };
    fl_arena *a = fl_arena_new();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const uint8_t *p, *q;
        size_t n, m;
        descriptor_of(a, pairs[i][0], &p, &n);
        descriptor_of(a, pairs[i][1], &q, &m);
        assert_false(sch_proto_same(a, p, n, q, m));
        assert_true(sch_proto_same(a, p, n, p, n));
    }
    fl_arena_free(a);
}

static void refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *why;
    } cases[] = {
        {"\xff", 1, "damaged"},
        {"\x0a\x05", 2, "damaged"},
        {"\x62\x08"
         "editions",
         10, "neither proto2 nor proto3"},
        {"\x12\x03"
         "a;b",
         5, "a name that is none"},
        {"\x22\x00", 2, "lacks a name"},
        {"\x1a\x04"
         "../x",
         6, "cannot be imported"},
        {"\x42\x04\xb8\x3e\x01\x00", 6, "option"},
        {"\x22\x0b\x0a\x01M\x12\x06\x0a\x01"
         "f\x18\x01\x28\x0a",
         13, "damaged"},
        {"\x22\x0c\x0a\x01M\x12\x07\x0a\x01"
         "f\x18\x01\x28\x0a",
         14, "group"},
        {"\x22\x0e\x0a\x01M\x12\x09\x0a\x01"
         "f\x18\x01\x28\x09\x48\x05",
         16, "oneof that is not there"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fl_arena *a = fl_arena_new();
        fl_buf b;
        char message[256];
        fl_buf_init(&b, 1 << 20);
        if (sch_proto_print(a, cases[i].bytes, cases[i].n, &b, message))
            fail_msg("case %zu is taken: %s", i, b.p);
        if (!strstr(message, cases[i].why))
            fail_msg("case %zu: %s", i, message);
        fl_buf_free(&b);
        fl_arena_free(a);
    }
}

/* Every byte changed, and every length: no crash; whatever is printed is bounded. */
static void mangled(void **state)
{
    fl_arena *all = fl_arena_new();
    const uint8_t *p;
    size_t n;
    descriptor_of(all, texts[3], &p, &n);
    for (size_t i = 0; i < n; i++)
        for (int how = 0; how < 3; how++) {
            fl_arena *a = fl_arena_new();
            fl_buf b;
            char message[256];
            uint8_t *bad = fl_alloc(a, n);
            memcpy(bad, p, n);
            bad[i] ^= (uint8_t)(how == 0 ? 1 : how == 1 ? 0x80 : 0xff);
            fl_buf_init(&b, 1 << 16);
            sch_proto_print(a, bad, n, &b, message);
            sch_proto_same(a, bad, n, p, i);
            fl_buf_free(&b);
            fl_arena_free(a);
        }
    fl_arena_free(all);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(same_again),
        cmocka_unit_test(differences),
        cmocka_unit_test(refused),
        cmocka_unit_test(mangled),
    };
    return cmocka_run_group_tests_name("proto_text", tests, NULL, NULL);
}
