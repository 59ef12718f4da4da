/* proto_normal_test.c: one text for .proto files that mean the same, and another for those that do not. What is
 * expected was read in the vendor's ProtobufSchemaTest (testNormalization…); where flec differs on purpose, it says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "schema/proto.h"

#define ROOT "root.proto"

/* What protoc makes of a text, with its imports; false: it does not take it. */
static bool set_of(fl_arena *a, const char *text, const char **set, size_t *len)
{
    char message[256];
    const char *errors = NULL, *roots[] = {ROOT};
    FL_VEC(proto_source) files = {0};
    proto_source one;
    for (size_t i = 0; sch_proto_vendor(i, &one); i++)
        FL_PUSH(a, &files, one);
    FL_PUSH(a, &files, ((proto_source){ROOT, text, strlen(text)}));
    proto_run_status status =
        sch_proto_run(a, sch_proto_program(a, message), files.v, files.n, roots, 1, set, len, &errors, message);
    if (status == PROTO_RUN_REFUSED)
        print_message("%s\n", errors);
    return status == PROTO_RUN_OK;
}

/* NULL: it has no normal text; why is in message. */
static const char *normal_as(fl_arena *a, const char *text, bool bare, char message[256])
{
    const char *set, *out = NULL;
    size_t len;
    fl_buf b;
    if (!set_of(a, text, &set, &len))
        fail_msg("protoc refuses\n%s", text);
    fl_buf_init(&b, 1 << 20);
    if (sch_proto_normal(a, set, len, ROOT, bare, &b, message))
        out = fl_strndup(a, b.p ? b.p : "", b.len);
    fl_buf_free(&b);
    return out;
}

static const char *normal(fl_arena *a, const char *text)
{
    char message[256];
    const char *out = normal_as(a, text, false, message);
    if (!out)
        fail_msg("%s\n%s", message, text);
    return out;
}

#define P3   "syntax = \"proto3\";\n"
#define META "import \"confluent/meta.proto\";\n"

static const struct {
    const char *text, *normal;
} spelled[] = {
    /* imports sorted, public ones behind; options by name; the package only where there is one */
    {P3
     "package my.pkg;\nimport \"google/protobuf/timestamp.proto\";\nimport public \"google/type/date.proto\";\n"
     "import \"confluent/type/decimal.proto\";\noption java_package = \"j\";\noption go_package = \"g\";\n"
     "option optimize_for = CODE_SIZE; option cc_enable_arenas = true;\nmessage M { google.protobuf.Timestamp t = 2; "
     "confluent.type.Decimal d = 1; google.type.Date e = 3; }",
     P3 "package my.pkg;\n\nimport \"confluent/type/decimal.proto\";\nimport \"google/protobuf/timestamp.proto\";\n"
        "import public \"google/type/date.proto\";\n\noption cc_enable_arenas = true;\noption go_package = \"g\";\n"
        "option java_package = \"j\";\noption optimize_for = CODE_SIZE;\n\nmessage M {\n"
        "  .confluent.type.Decimal d = 1;\n  .google.protobuf.Timestamp t = 2;\n  .google.type.Date e = 3;\n}\n"},
    /* proto2 is not said; what is empty has nothing between its braces; the empty line inside an inner message is as
     * long as it is deep */
    {"syntax = \"proto2\";\npackage p;\nmessage Dummy { message Nested { message Deep {} } }\n"
     "message E { optional string b = 2; optional string a = 1; extensions 500, 100 to 199; extensions 1000 to max;\n"
     "  message In { required int32 x = 1; extensions 7; extend In { optional string s = 7; } } }\n"
     "extend E { optional In two = 101; }\nextend p.E { optional E.In one = 100; }\nmessage In {}\n",
     "package p;\n\nmessage Dummy {\n  message Nested {\n    message Deep {}\n  }\n}\nmessage E {\n"
     "  optional string a = 1;\n  optional string b = 2;\n\n  extensions 100 to 199;\n  extensions 500;\n"
     "  extensions 1000 to max;\n\n  message In {\n    required int32 x = 1;\n  \n    extensions 7;\n  \n"
     "    extend .p.E.In {\n      optional string s = 7;\n    }\n  }\n}\nmessage In {}\n\nextend .p.E {\n"
     "  optional .p.E.In one = 100;\n  optional .p.In two = 101;\n}\n"},
    /* reserved ones one by one, numbers before names; oneofs by their lowest number; aliases; lists of one; an rpc */
    {P3 META
     "message N {\n  reserved \"foo\", \"bar\"; reserved 14, 15, 20 to 22; reserved 1;\n"
     "  option deprecated = true; option no_standard_descriptor_accessor = true;\n"
     "  oneof later { string l = 12; int32 m = 11; }\n  oneof first { string f = 13; int32 g = 10 "
     "[json_name = \"gee\", deprecated = true]; }\n  repeated int32 ids = 3 [packed = true];\n"
     "  optional bool maybe = 2;\n  map<string, In> map = 4 [(confluent.field_meta).tags = \"PII\"];\n"
     "  message In { string s = 1; }\n  enum E { reserved 100 to max; reserved \"Q\"; option allow_alias = true; "
     "ZERO = 0; ALSO = 0; TWO = 2; ONE = 1 [deprecated = true]; }\n}\n"
     "service S { option deprecated = true; rpc B (stream N) returns (N.In); rpc A (N.In) returns (stream N) "
     "{ option idempotency_level = NO_SIDE_EFFECTS; option deprecated = true; } }\nservice Empty {}\n",
     P3 "\n" META "\nmessage N {\n  reserved 1;\n  reserved 14;\n  reserved 15;\n  reserved 20 to 22;\n"
        "  reserved \"bar\";\n  reserved \"foo\";\n\n  option deprecated = true;\n"
        "  option no_standard_descriptor_accessor = true;\n\n  optional bool maybe = 2;\n"
        "  repeated int32 ids = 3 [packed = true];\n  map<string, .N.In> map = 4 [(confluent.field_meta) = {\n"
        "    tags: \"PII\"\n  }];\n\n  oneof first {\n    int32 g = 10 [\n      deprecated = true,\n"
        "      json_name = \"gee\"\n    ];\n    string f = 13;\n  }\n  oneof later {\n    int32 m = 11;\n"
        "    string l = 12;\n  }\n\n  message In {\n    string s = 1;\n  }\n  enum E {\n    reserved 100 to max;\n"
        "    reserved \"Q\";\n    option allow_alias = true;\n    ZERO = 0;\n    ALSO = 0;\n"
        "    ONE = 1 [deprecated = true];\n    TWO = 2;\n  }\n}\n\nservice S {\n  option deprecated = true;\n\n"
        "  rpc B (stream .N) returns (.N.In);\n  rpc A (.N.In) returns (stream .N) {\n    option deprecated = true;\n"
        "    option idempotency_level = NO_SIDE_EFFECTS;\n  };\n}\nservice Empty {}\n"},
    /* metadata, however it is written: members sorted, lists in their order */
    {P3 META
     "message M { string a = 1 [(confluent.field_meta).doc = \"it's \\\"d\\\"\\n\", (confluent.field_meta).params = "
     "{ value: \"8\", key: \"precision\" }, (confluent.field_meta).params = { key: \"scale\", value: \"3\" }, "
     "(confluent.field_meta).tags = \"B\", (confluent.field_meta).tags = \"A\", deprecated = true]; }",
     P3 "\n" META "\nmessage M {\n  string a = 1 [\n    (confluent.field_meta) = {\n"
        "      doc: \"it\\'s \\\"d\\\"\\n\",\n      params: [\n        {\n          key: \"precision\",\n"
        "          value: \"8\"\n        },\n        {\n          key: \"scale\",\n          value: \"3\"\n        }\n"
        "      ],\n      tags: [\n        \"B\",\n        \"A\"\n      ]\n    },\n    deprecated = true\n  ];\n}\n"},
    /* options of one's own: names in full, parts of one together, numbers in one spelling */
    {"package acme;\nimport \"google/protobuf/descriptor.proto\";\nmessage B {\n"
     "  optional bytes m = 2 [default = \"0\", (length).min = 1.0, (length).max = 0x400];\n"
     "  enum K { option (B.why) = \"f'\"; FOO = 1; BAR = 2; }\n  extend google.protobuf.EnumOptions { optional string "
     "why = 71001; }\n  repeated K ks = 1;\n  message More { option (mine) = { [acme.rep]: [FOO, BAR], [acme.B.in]: "
     "\"x\", [acme.num]: [], ks: [BAR] }; }\n  extensions 100 to 200;\n  extend B { optional string in = 150; }\n}\n"
     "extend google.protobuf.FieldOptions { optional Range length = 22301; }\n"
     "extend google.protobuf.MessageOptions { optional B mine = 50001; repeated sint32 many = 50002; }\n"
     "extend B { repeated B.K rep = 102; repeated int32 num = 103; }\n"
     "message Range { option (many) = 7; option (many) = -8; optional double min = 1 [default = -inf]; optional double "
     "max = 2 [default = nan]; }\n",
     "package acme;\n\nimport \"google/protobuf/descriptor.proto\";\n\nmessage B {\n  repeated .acme.B.K ks = 1;\n"
     "  optional bytes m = 2 [\n    (acme.length) = {\n      max: 1024,\n      min: 1\n    },\n    default = \"0\"\n"
     "  ];\n\n  extensions 100 to 200;\n\n  extend .google.protobuf.EnumOptions {\n    optional string why = 71001;\n"
     "  }\n  extend .acme.B {\n    optional string in = 150;\n  }\n\n  message More {\n    option (acme.mine) = {\n"
     "      [acme.B.in]: \"x\",\n      [acme.rep]: [\n        FOO,\n        BAR\n      ],\n      ks: BAR\n    };\n  }\n"
     "  enum K {\n    option (acme.B.why) = \"f\\'\";\n    FOO = 1;\n    BAR = 2;\n  }\n}\nmessage Range {\n"
     "  option (acme.many) = 7;\n  option (acme.many) = -8;\n\n  optional double min = 1 [default = -inf];\n"
     "  optional double max = 2 [default = nan];\n}\n\nextend .google.protobuf.FieldOptions {\n"
     "  optional .acme.Range length = 22301;\n}\nextend .google.protobuf.MessageOptions {\n"
     "  optional .acme.B mine = 50001;\n  repeated sint32 many = 50002;\n}\nextend .acme.B {\n"
     "  repeated .acme.B.K rep = 102;\n  repeated int32 num = 103;\n}\n"},
    /* a package that begins like an import's: the import's type is meant */
    {P3 "package confluent.other;\nimport \"confluent/type/decimal.proto\";\nmessage M { type.Decimal d = 1; }",
     P3 "package confluent.other;\n\nimport \"confluent/type/decimal.proto\";\n\nmessage M {\n"
        "  .confluent.type.Decimal d = 1;\n}\n"},
    /* not as the vendor: what comes before a map field stays before it, the first value of an enum stays first */
    {P3 "message M { message A {} map<string, A> z = 2; message B {} map<int32, B> y = 1; message C {} }",
     P3 "\nmessage M {\n  message A {}\n  map<int32, .M.B> y = 1;\n  message B {}\n  map<string, .M.A> z = 2;\n\n"
        "  message C {}\n}\n"},
    {P3 "enum E { Z = 0; B = 2; N = -1; A = 1; }", P3 "\nenum E {\n  Z = 0;\n  N = -1;\n  A = 1;\n  B = 2;\n}\n"},
};

static void spellings(void **state)
{
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
        fl_arena *a = fl_arena_new();
        const char *text = normal(a, spelled[i].text);
        assert_string_equal(text, spelled[i].normal);
        assert_string_equal(normal(a, text), text);
        fl_arena_free(a);
    }
}

static const struct {
    bool same;
    const char *x, *y;
} pairs[] = {
    {true, "message M { optional int32 a = 1; }", "// a comment\nsyntax = 'proto2'; message M{optional int32 a=0x1;}"},
    {true, "message M { optional M a = 1; optional N b = 2; } message N {}",
     "message M { optional .N b = 2; optional .M a = 1; } message N {}"},
    {true, "package p.q; message M { message N {} optional N a = 1; }",
     "package p.q; message M { message N {} optional q.M.N a = 1; }"},
    {true, "message M { optional double d = 1 [default = 1.0]; optional int32 i = 2 [default = 0x10]; }",
     "message M { optional double d = 1 [default = 1e0]; optional int32 i = 2 [default = 020]; }"},
    {true, P3 META "message M { string a = 1 [(confluent.field_meta).tags = 'X']; }",
     P3 META "message M { string a = 1 [(.confluent.field_meta) = { tags: ['X'] }]; }"},
    {false, "message M { optional int32 a = 1; }", "message M { optional int32 b = 1; }"},
    {false, "message M { optional int32 a = 1; }", "message M { optional int32 a = 2; }"},
    {false, "message M { optional int32 a = 1; }", "message M { optional int64 a = 1; }"},
    {false, "message M { optional int32 a = 1; }", "message M { required int32 a = 1; }"},
    {false, "message M { optional int32 a = 1; }", P3 "message M { optional int32 a = 1; }"},
    {false, "message M {} message N {}", "message N {} message M {}"},
    {false, "message M { message A {} message B {} }", "message M { message B {} message A {} }"},
    {false, "message M { optional int32 a = 1 [default = 0]; }", "message M { optional int32 a = 1; }"},
    {false, "message M { optional double a = 1 [default = 1.0001]; }",
     "message M { optional double a = 1 [default = 1.0002]; }"},
    {false, "enum E { A = 1; B = 2; }", "enum E { B = 2; A = 1; }"},
    {false, "enum E { option allow_alias = true; A = 1; B = 1; }",
     "enum E { option allow_alias = true; B = 1; A = 1; }"},
    {false, "message M { oneof x { int32 a = 1; } }", "message M { oneof y { int32 a = 1; } }"},
    {false, "message M { oneof x { int32 a = 1; int32 b = 2; } }",
     "message M { oneof x { int32 a = 1; } optional int32 b = 2; }"},
    {false, "message M { reserved 2; }", "message M { reserved 3; }"},
    {false, "message M { reserved 'a'; }", "message M { reserved 'b'; }"},
    {false, P3 "message M { repeated int32 a = 1; }", P3 "message M { repeated int32 a = 1 [packed = false]; }"},
    {false, P3 "message M { message A {} map<string, A> m = 1; }",
     P3 "message M { map<string, A> m = 1; message A {} }"},
    {false, P3 META "message M { string a = 1 [(confluent.field_meta).tags = 'X']; }",
     P3 META "message M { string a = 1; }"},
    {false, P3 META "message M { string a = 1 [(confluent.field_meta) = { tags: ['X', 'Y'] }]; }",
     P3 META "message M { string a = 1 [(confluent.field_meta) = { tags: ['Y', 'X'] }]; }"},
};

static void alike(void **state)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        fl_arena *a = fl_arena_new();
        const char *x = normal(a, pairs[i].x), *y = normal(a, pairs[i].y);
        if (!strcmp(x, y) != pairs[i].same)
            fail_msg("%s\n%s", pairs[i].x, pairs[i].y);
        fl_arena_free(a);
    }
}

static void without_extensions(void **state)
{
    fl_arena *a = fl_arena_new();
    char message[256];
    const char *text =
        normal_as(a,
                  "import \"google/protobuf/descriptor.proto\";\n" META "message M {\n  option (own) = \"x\";\n"
                  "  option (confluent.message_meta).doc = \"d\";\n  optional int32 a = 1 [deprecated = true];\n"
                  "  extensions 100 to 199;\n  extend M { optional int32 e = 100; }\n}\n"
                  "extend google.protobuf.MessageOptions { optional string own = 50000; }\n",
                  true, message);
    assert_string_equal(text, "\n" META "import \"google/protobuf/descriptor.proto\";\n\nmessage M {\n"
                              "  option (confluent.message_meta) = {\n    doc: \"d\"\n  };\n\n"
                              "  optional int32 a = 1 [deprecated = true];\n}\n");
    fl_arena_free(a);
}

static void no_normal_text(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"message M { optional group G = 1 { optional int32 a = 1; } }", "(group)"},
        {"message M { extensions 100 to 199 [(x) = 1]; }\nimport \"google/protobuf/descriptor.proto\";\n"
         "extend google.protobuf.ExtensionRangeOptions { optional int32 x = 50000; }",
         "a member 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fl_arena *a = fl_arena_new();
        char message[256];
        assert_null(normal_as(a, cases[i].text, false, message));
        if (!strstr(message, cases[i].why))
            fail_msg("%s", message);
        fl_arena_free(a);
    }
}

/* Options that are looked for in long messages and enums, again and again: the work is counted. */
static void long_searches(void **state)
{
    enum { LONG = 20000 };
    for (int symbols = 0; symbols < 2; symbols++) {
        fl_arena *a = fl_arena_new();
        char message[256];
        fl_buf b;
        fl_buf_init(&b, 8 << 20);
        fl_buf_adds(&b, "import \"google/protobuf/descriptor.proto\";\n");
        fl_buf_adds(&b, symbols ? "enum E {" : "message O {");
        for (int i = 1; i <= LONG; i++)
            fl_buf_addf(&b, symbols ? "E%d = %d;" : "optional bool o%d = %d;", i, i < 19000 ? i : i + 1000);
        fl_buf_adds(&b, "}\nextend google.protobuf.FieldOptions { optional ");
        fl_buf_adds(&b, symbols ? "E x = 50000; }\nmessage M {" : "O x = 50000; }\nmessage M {");
        for (int i = 1; i <= LONG / 4; i++)
            fl_buf_addf(&b, "optional bool f%d = %d [%s%d%s];", i, i, symbols ? "(x) = E" : "(x).o", LONG,
                        symbols ? "" : " = true");
        fl_buf_adds(&b, "}\n");
        assert_null(normal_as(a, b.p, false, message));
        assert_non_null(strstr(message, "too large"));
        fl_buf_free(&b);
        fl_arena_free(a);
    }
}

/* Damaged descriptors give a text or a reason. */
static void hostile(void **state)
{
    fl_arena *a = fl_arena_new();
    const char *set;
    size_t len;
    assert_true(set_of(a, spelled[4].text, &set, &len));
    size_t step = len / 400 + 1;
    for (size_t i = 0; i < len; i += step)
        for (int cut = 0; cut < 2; cut++) {
            fl_arena *b = fl_arena_new();
            char *bad = fl_strndup(b, set, len), message[256];
            fl_buf out;
            fl_buf_init(&out, 1 << 20);
            bad[i] = (char)(bad[i] ^ 0x15);
            if (!sch_proto_normal(b, bad, cut ? i : len, ROOT, false, &out, message))
                assert_true(message[0]);
            fl_buf_free(&out);
            fl_arena_free(b);
        }
    fl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings),      cmocka_unit_test(alike),   cmocka_unit_test(without_extensions),
        cmocka_unit_test(no_normal_text), cmocka_unit_test(hostile), cmocka_unit_test(long_searches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
