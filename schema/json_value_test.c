/* json_value_test.c: values of a JSON Schema: what stands at a path, whether values are equal, one line a value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "schema/value.h"

static fl_arena *a;

static int open_arena(void **state)
{
    a = fl_arena_new();
    return 0;
}
static int close_arena(void **state)
{
    fl_arena_free(a);
    return 0;
}

static const char schema_text[] = "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"o\":{\"type\":"
                                  "\"object\",\"properties\":{\"s\":{"
                                  "\"type\":[\"string\",\"null\"]},\"odd "
                                  "name\":{\"type\":\"integer\"}}},\"a\":{\"type\":\"array\",\"items\":{\"oneOf\":["
                                  "{\"type\":\"string\"},{\"type\":\"object\",\"properties\":{\"s\":{\"type\":"
                                  "\"string\"}}}]}},\"m\":{\"type\":\"object\","
                                  "\"additionalProperties\":{\"type\":\"string\"}},\"self\":{\"$ref\":\"#\"}}}";
static const char body[] =
    "{\"s\":\"one\", \"o\":{\"s\":null,\"odd name\":2},\"a\":[\"x\",{\"s\":\"y\\\"\\u00df\"},[]],"
    "\"m\":{\"k\":\"v\",\"l\":\"w\"},\"self\":{\"s\":\"deep\",\"self\":{\"s\":\"deeper\"}},"
    "\"unknown\":{\"s\":\"z\"}}";

static const sch_schema *schema(void)
{
    sch_error e;
    const sch_schema *s = sch_json_parse(a, "t", schema_text, strlen(schema_text), NULL, 0, &e);
    assert_non_null(s);
    return s;
}

/* The contents at a path, a blank behind each. */
static const char *at(const char *path)
{
    sch_ats ats;
    sch_value_error e;
    const char *all = "";
    if (!sch_value_extract(schema(), (const uint8_t *)body, strlen(body), path, a, &ats, &e))
        return fl_strdup(a, e.message);
    for (size_t i = 0; i < ats.n; i++) {
        size_t n;
        const uint8_t *p = sch_at_content(&ats.v[i], (const uint8_t *)body, &n);
        all = fl_printf(a, "%s%.*s ", all, (int)n, (const char *)p);
    }
    return all;
}

static void paths(void **state)
{
    assert_string_equal(at("s"), "one ");
    assert_string_equal(at("o.s"), " ");
    assert_string_equal(at("o.\"odd name\""), "2 ");
    assert_string_equal(at("a[]"), "x {\"s\":\"y\\\"\\u00df\"} [] ");
    assert_string_equal(at("a[].s"), "y\"\xc3\x9f ");
    assert_string_equal(at("m.*"), "v w ");
    assert_string_equal(at("self.s"), "deep ");
    assert_string_equal(at("self.self.s"), "deeper ");
    assert_string_equal(at("unknown.s"), "z ");
    assert_string_equal(at("nothing"), "");
    assert_string_equal(at("m.**"), "v w ");
    assert_non_null(strstr(at("a["), "[]"));
}

static void every_leaf(void **state)
{
    sch_ats ats;
    sch_value_error e;
    assert_true(sch_value_extract(schema(), (const uint8_t *)body, strlen(body), "**", a, &ats, &e));
    assert_int_equal(ats.n, 10);
    assert_int_equal(ats.v[1].kind, SCH_AT_NULL);
    assert_int_equal(ats.v[2].kind, SCH_AT_OTHER);
    assert_int_equal(ats.v[2].type->kind, SCH_LONG);
    assert_int_equal(ats.v[9].type->kind, SCH_ANY); /* no schema says what stands there */
}

static void no_json(void **state)
{
    sch_ats ats;
    sch_value_error e;
    assert_false(sch_value_extract(schema(), (const uint8_t *)"{\"s\":", 5, "s", a, &ats, &e));
    assert_int_equal(e.offset, 5);
    assert_true(*e.message);
}

static bool equal(const char *x, const char *y)
{
    fl_json_error e;
    sch_at whole = {.kind = SCH_AT_OTHER, .whole_len = strlen(x)};
    const fl_json *want = fl_json_parse(a, y, strlen(y), FL_JSON_ALLOW_NUL, &e);
    assert_non_null(want);
    return sch_value_equals(schema(), (const uint8_t *)x, &whole, want);
}

static void values_are_compared_as_values(void **state)
{
    assert_true(equal("{\"a\":1,\"b\":[true,\"\\u0041\"]}", "{\"b\":[true,\"A\"],\"a\":1.0}"));
    assert_false(equal("{\"a\":1}", "{\"a\":1,\"b\":2}"));
    assert_false(equal("{\"a\":1,\"b\":2}", "{\"a\":1}"));
    assert_false(equal("{\"a\":1}", "{\"b\":1}"));
    assert_false(equal("[1,2]", "[1]"));
    assert_false(equal("[1]", "[1,2]"));
    assert_false(equal("\"1\"", "1"));
    assert_false(equal("true", "false"));
    assert_false(equal("\"\\u0000a\"", "\"\\u0000b\""));
    assert_false(equal("[", "1"));
}

static void one_line(void **state)
{
    static const char text[] = "{\n\t\"s\" :\r\n\"a\\nb\"}";
    fl_buf b;
    fl_json_error je;
    sch_value_error e;
    fl_buf_init(&b, 64);
    assert_true(sch_value_to_json(schema(), (const uint8_t *)text, strlen(text), NULL, &b, &e));
    assert_string_equal(b.p, "{ \t\"s\" :  \"a\\nb\"}");
    fl_buf_clear(&b);
    const fl_json *j = fl_json_parse(a, text, strlen(text), 0, &je);
    assert_true(sch_value_from_json(schema(), j, SCH_BYTES_TEXT, &b, &e));
    assert_string_equal(b.p, "{\"s\":\"a\\nb\"}");
    fl_buf_free(&b);
    fl_buf_init(&b, 4);
    assert_false(sch_value_from_json(schema(), j, SCH_BYTES_TEXT, &b, &e));
    assert_int_equal(b.len, 0);
    assert_false(sch_value_to_json(schema(), (const uint8_t *)text, strlen(text), NULL, &b, &e));
    fl_buf_free(&b);
}

#define unit(f) cmocka_unit_test_setup_teardown(f, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {unit(paths), unit(every_leaf), unit(no_json),
                                       unit(values_are_compared_as_values), unit(one_line)};
    return cmocka_run_group_tests_name("json_value", tests, NULL, NULL);
}
