/* compat_proto_test.c: Protobuf schemas that may follow one another, and those that may not: the rules of the vendor's
 * diff, each with what it passes. */
#include "schema/testing.h"

#include "schema/compat.h"

#define P3 "syntax = \"proto3\";\n"
#define P2 "syntax = \"proto2\";\n"

static sch_schema *proto_with(const char *text, const sch_ref *refs, size_t nrefs)
{
    sch_error err;
    sch_schema *s = sch_parse(SCH_PROTOBUF, arena, "test.proto", text, strlen(text), NULL, refs, nrefs, &err);
    if (!s)
        fail_msg("at %u: %s\n%s", err.offset, err.message, text);
    return s;
}

static sch_compatibility result;

/* "TYPE path; TYPE path", "" for compatible. */
static const char *compare(const sch_schema *older, const sch_schema *newer)
{
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    bool ok = sch_compatible(arena, SCH_BACKWARD, newer, (const sch_schema *const *)&older, 1, &result);
    assert_int_equal(ok, !result.list.n && !result.undecided);
    for (size_t i = 0; i < result.list.n; i++)
        fl_buf_addf(&b, "%s%s %s", i ? "; " : "", result.list.v[i].type, result.list.v[i].path);
    const char *text = fl_strdup(arena, b.p ? b.p : "");
    fl_buf_free(&b);
    return text;
}

static void assert_change(const char *older, const char *newer, const char *expected)
{
    const char *found = compare(proto_with(older, NULL, 0), proto_with(newer, NULL, 0));
    if (strcmp(found, expected) != 0)
        fail_msg("found \"%s\", not \"%s\"\n%s\n%s", found, expected, older, newer);
}

/* The body of a message M in proto3, before and after. */
static void assert_body(const char *older, const char *newer, const char *expected)
{
    assert_change(fl_printf(arena, P3 "message M { %s }", older), fl_printf(arena, P3 "message M { %s }", newer),
                  expected);
}

static void fields(void **state)
{
    assert_body("string a = 1;", "string a = 1; string b = 2;", "");
    assert_body("string a = 1; string b = 2;", "string a = 1;", "");
    assert_body("string a = 1;", "string a = 2;", "");
    assert_body("string a = 1;", "string b = 1;", "");
    assert_body("string a = 1; int32 b = 2;", "string a = 1; string c = 2;", "FIELD_SCALAR_KIND_CHANGED #/M/2");
    assert_change(P2 "message M { optional string a = 1; }",
                  P2 "message M { optional string a = 1; required string b = 2; }", "REQUIRED_FIELD_ADDED #/M/2");
    assert_change(P2 "message M { optional string a = 1; required string b = 2; }",
                  P2 "message M { optional string a = 1; }", "REQUIRED_FIELD_REMOVED #/M/2");
}

static void kinds_of_scalars(void **state)
{
    static const char *const groups[][6] = {{"int32", "int64", "uint32", "uint64", "bool", "E"},
                                            {"sint32", "sint64"},
                                            {"string", "bytes"},
                                            {"fixed32", "sfixed32"},
                                            {"fixed64", "sfixed64"},
                                            {"float"},
                                            {"double"}};
    const size_t n = sizeof groups / sizeof *groups;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < 6 && groups[i][k]; k++)
            assert_body(fl_printf(arena, "enum E { A = 0; } %s a = 1;", groups[i][0]),
                        fl_printf(arena, "enum E { A = 0; } %s a = 1;", groups[i][k]), "");
        assert_body(fl_printf(arena, "%s a = 1;", groups[i][0]), fl_printf(arena, "%s a = 1;", groups[(i + 1) % n][0]),
                    "FIELD_SCALAR_KIND_CHANGED #/M/1");
    }
}

static void labels(void **state)
{
    assert_body("optional string a = 1;", "repeated string a = 1;", "");
    assert_body("optional bytes a = 1;", "repeated bytes a = 1;", "");
    assert_body("optional int32 a = 1;", "repeated int32 a = 1;", "FIELD_NUMERIC_LABEL_CHANGED #/M/1");
    assert_body("repeated double a = 1;", "optional double a = 1;", "FIELD_NUMERIC_LABEL_CHANGED #/M/1");
    assert_body("int32 a = 1;", "optional int32 a = 1;", ""); /* one of the two has no label */
    assert_body("message N {} optional N a = 1;", "message N {} repeated N a = 1;", "");
    assert_change(P2 "message M { required int32 a = 1; }", P2 "message M { optional int32 a = 1; }",
                  "FIELD_NUMERIC_LABEL_CHANGED #/M/1");
}

static void messages_and_enums(void **state)
{
    assert_change(P3 "message M {}", P3 "message M {} message N {} enum E { A = 0; }", "");
    assert_change(P3 "message M {} message N {}", P3 "message N {} message M {}", "");
    assert_change(P3 "message M {} message N {}", P3 "message M {}", "MESSAGE_REMOVED #/N");
    assert_body("message N { message O {} }", "message N {}", "MESSAGE_REMOVED #/M/N/O");
    assert_body("map<string, string> m = 1;", "", "");
    assert_change(P3 "message M {} enum E { A = 0; B = 1; }", P3 "message M {} enum E { A = 0; C = 1; D = 2; }", "");
    assert_change(P3 "message M {} enum E { A = 0; }", P3 "message M {}", "");
    assert_change(P3 "package a; message M { string x = 1; }", P3 "package b; message M { string x = 1; }", "");
    assert_change(P3 "message W { message N { string a = 1; } }", P3 "message W { message N { int32 a = 1; } }",
                  "FIELD_SCALAR_KIND_CHANGED #/W/N/1");
}

static void named_types(void **state)
{
    assert_change(P3 "message M { int32 a = 1; }", P3 "message M { N a = 1; } message N { string s = 1; }",
                  "FIELD_KIND_CHANGED #/M/1");
    assert_change(P3 "message M { N a = 1; } message N {}", P3 "message M { O a = 1; } message N {} message O {}",
                  "FIELD_NAMED_TYPE_CHANGED #/M/1");
    assert_body("N a = 1; message N { string s = 1; }", ".M.N a = 1; message N { string s = 1; }", "");
    assert_body("map<string, int32> m = 1;", "map<string, string> m = 1;", "FIELD_SCALAR_KIND_CHANGED #/M/1");
    assert_body("map<string, int32> m = 1;", "map<int32, int32> m = 1;", "FIELD_SCALAR_KIND_CHANGED #/M/1");
    assert_body("map<string, int32> m = 1;", "map<string, int64> m = 1;", "");
    assert_body("map<string, string> m = 1; message N {}", "repeated N m = 1; message N {}",
                "FIELD_KIND_CHANGED #/M/1");
    assert_change(P3 "message M { map<string, N> m = 1; } message N { string s = 1; }",
                  P3 "message M { map<string, N> m = 1; } message N { bool s = 1; }",
                  "FIELD_SCALAR_KIND_CHANGED #/N/1; FIELD_NAMED_TYPE_CHANGED #/M/1");
}

static void oneofs(void **state)
{
    assert_body("string a = 1; string b = 2;", "string a = 1; oneof o { string b = 2; int32 c = 3; }", "");
    assert_body("string a = 1; string b = 2;", "oneof o { string a = 1; string b = 2; int32 c = 3; }",
                "MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o");
    assert_body("string a = 1; oneof o { string b = 2; }", "oneof o { string a = 1; string b = 2; }",
                "FIELD_MOVED_TO_EXISTING_ONEOF #/M/o");
    assert_body("oneof o { string a = 1; }", "oneof o { string a = 1; string b = 2; }", "");
    assert_body("oneof o { string a = 1; string b = 2; }", "oneof o { string a = 1; }", "ONEOF_FIELD_REMOVED #/M/o/2");
    assert_body("oneof o { string a = 1; string b = 2; }", "oneof o { string a = 1; } string b = 2;",
                "ONEOF_FIELD_REMOVED #/M/o/2");
    assert_body("oneof o { string a = 1; }", "string x = 9;", "");
    assert_body("oneof o { string a = 1; }", "oneof p { string a = 1; }", "");
    assert_body("oneof o { string a = 1; }", "oneof p { int32 a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1");
    assert_body("oneof o { string a = 1; }", "oneof o { int32 a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/o/1");
    assert_body("string a = 1;", "oneof o { int32 a = 1; }", "FIELD_SCALAR_KIND_CHANGED #/M/1");
    assert_body("optional string a = 1; optional string b = 2;", "string a = 1; string b = 2;", "");
}

static const char importing[] = P3 "import \"c.proto\";\nmessage M { com.c.Outer.C c = 1; }";

static sch_schema *with_import(const char *package, const char *body)
{
    sch_ref r = {.name = "c.proto"};
    r.text = fl_printf(arena, P3 "package %s; message Outer { message C { %s } }", package, body);
    r.len = strlen(r.text);
    const char *text = importing;
    if (strcmp(package, "com.c") != 0)
        text = fl_printf(arena, P3 "import \"c.proto\";\nmessage M { %s.Outer.C c = 1; }", package);
    return proto_with(text, &r, 1);
}

static void imports(void **state)
{
    const sch_schema *plain = with_import("com.c", "int32 id = 1;");
    assert_string_equal(compare(plain, with_import("com.c", "int64 id = 1; bool b = 2;")), "");
    assert_string_equal(compare(plain, with_import("com.c", "string id = 1;")),
                        "FIELD_SCALAR_KIND_CHANGED #/Outer/C/1; FIELD_NAMED_TYPE_CHANGED #/M/1");
    assert_string_equal(compare(plain, with_import("com.other", "int32 id = 1;")), "");
    /* from an import into the file, and out of it */
    const sch_schema *own =
        proto_with(P3 "message M { Outer.C c = 1; } message Outer { message C { int32 id = 1; } }", NULL, 0);
    assert_string_equal(compare(plain, own), "");
    assert_string_equal(compare(own, plain), "MESSAGE_REMOVED #/Outer");
}

static void recursive_messages(void **state)
{
    assert_body("string a = 1; M next = 2;", "string a = 1; M next = 2; string b = 3;", "");
    assert_body("string a = 1; M next = 2;", "int32 a = 1; M next = 2;", "FIELD_SCALAR_KIND_CHANGED #/M/1");
    assert_change(P3 "message M { N n = 1; } message N { M m = 1; string s = 2; }",
                  P3 "message M { N n = 1; } message N { M m = 1; int32 s = 2; }",
                  "FIELD_SCALAR_KIND_CHANGED #/N/2; FIELD_NAMED_TYPE_CHANGED #/M/1");
}

static void forward_and_places(void **state)
{
    const char older[] = P3 "message M {\n\tstring a = 1;\n}\n", newer[] = P3 "// n\nmessage M {\n  int32 a = 1;\n}\n";
    const sch_schema *o = proto_with(older, NULL, 0), *n = proto_with(newer, NULL, 0);
    assert_false(sch_compatible(arena, SCH_FULL, n, &o, 1, &result));
    assert_int_equal(result.list.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const sch_incompatibility *w = &result.list.v[i];
        assert_int_equal(w->forward, i);
        assert_int_equal(w->newer.from, strstr(newer, "int32") - newer);
        assert_int_equal(w->newer.to, strstr(newer, "\n}") - newer);
        assert_int_equal(w->older.from, strstr(older, "string") - older);
    }
    assert_string_equal(result.list.v[0].message, "a of M is of type int32, and what was written is of type string");
    assert_string_equal(result.list.v[1].message, "a of M is of type string, and what was written is of type int32");
}

/* Messages in a chain longer than any sensible one: no answer is no. */
static void long_chains(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 4u << 20);
    fl_buf_adds(&b, P3);
    for (int i = 0; i < 3000; i++)
        fl_buf_addf(&b, "message M%d { M%d next = 1; }\n", i, i + 1);
    fl_buf_adds(&b, "message M3000 { string x = 1; }\n");
    const sch_schema *s = proto_with(b.p, NULL, 0);
    assert_string_equal(compare(s, s), "");
    assert_true(result.undecided);
    fl_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(fields),
        CASE(kinds_of_scalars),
        CASE(labels),
        CASE(messages_and_enums),
        CASE(named_types),
        CASE(oneofs),
        CASE(imports),
        CASE(recursive_messages),
        CASE(forward_and_places),
        CASE(long_chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
