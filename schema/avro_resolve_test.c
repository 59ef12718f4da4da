/* avro_resolve_test.c: data of one schema read by another: what Avro's resolution gives, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "schema/avro_resolve.h"
#include "schema/avro_value.h"

static fl_arena *a;

static sch_schema *parse(const char *text)
{
    sch_error e;
    sch_schema *s = sch_avro_parse(a, "test", text, strlen(text), NULL, 0, &e);
    if (!s)
        fail_msg("%s: %s", text, e.message);
    return s;
}

/* want NULL: refused, with `says`. */
static void reads(const char *writer, const char *value, const char *reader, const char *want)
{
    a = fl_arena_new();
    sch_schema *w = parse(writer), *r = parse(reader);
    fl_json_error je;
    sch_value_error e = {0};
    fl_buf body, out, text;
    fl_buf_init(&body, 1 << 20);
    fl_buf_init(&out, 1 << 20);
    fl_buf_init(&text, 1 << 20);
    const fl_json *j = fl_json_parse(a, value, strlen(value), 0, &je);
    assert_non_null(j);
    assert_true(sch_json_to_avro(w, j, SCH_BYTES_TEXT, &body, &e));
    bool ok = sch_avro_resolve(w, r, (uint8_t *)body.p, body.len, &out, &e);
    if (want && !ok)
        fail_msg("%s: %s: %s", reader, e.path, e.message);
    assert_int_equal(ok, want != NULL);
    if (ok) {
        assert_true(sch_avro_to_json(r, (uint8_t *)out.p, out.len, NULL, &text, &e));
        assert_string_equal(text.p, want);
    } else {
        assert_int_equal(out.len, 0);
    }
    fl_buf_free(&body);
    fl_buf_free(&out);
    fl_buf_free(&text);
    fl_arena_free(a);
}

#define R(fields)     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define F(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define S             "\"string\""

static void fields(void **state)
{
    reads(R(F("a", S) "," F("b", S)), "{\"a\":\"1\",\"b\":\"2\"}", R(F("b", S) "," F("a", S)),
          "{\"b\":\"2\",\"a\":\"1\"}");
    reads(R(F("a", S) "," F("b", S)), "{\"a\":\"1\",\"b\":\"2\"}", R(F("b", S)), "{\"b\":\"2\"}");
    reads(R(F("a", S)), "{\"a\":\"1\"}", R(F("a", S) ",{\"name\":\"n\",\"type\":\"int\",\"default\":7}"),
          "{\"a\":\"1\",\"n\":7}");
    reads(R(F("a", S)), "{\"a\":\"1\"}",
          R("{\"name\":\"n\",\"type\":[\"null\",\"string\"],\"default\":null}," F("a", S)), "{\"n\":null,\"a\":\"1\"}");
    reads(R(F("a", S)), "{\"a\":\"1\"}", R("{\"name\":\"z\",\"type\":\"string\",\"aliases\":[\"a\"]}"),
          "{\"z\":\"1\"}");
    reads(R(F("a", S)), "{\"a\":\"1\"}", R(F("a", S) "," F("n", S)), NULL);
    reads(R(F("a", S)), "{\"a\":\"1\"}", R(F("a", "\"int\"")), NULL);
    reads(R(F("r", "{\"type\":\"record\",\"name\":\"I\",\"fields\":[" F("x", S) "]}")), "{\"r\":{\"x\":\"1\"}}",
          R(F("r", "{\"type\":\"record\",\"name\":\"Q\",\"fields\":[]}")), NULL);
}

static void promotions(void **state)
{
    static const struct {
        const char *w, *value, *r, *want;
    } rows[] = {
        {"\"int\"", "-7", "\"long\"", "-7"},       {"\"int\"", "3", "\"float\"", "3.0"},
        {"\"int\"", "3", "\"double\"", "3.0"},     {"\"long\"", "5", "\"double\"", "5.0"},
        {"\"float\"", "1.5", "\"double\"", "1.5"}, {"\"double\"", "2.5", "\"double\"", "2.5"},
        {S, "\"x\"", "\"bytes\"", "\"x\""},        {"\"bytes\"", "\"x\"", S, "\"x\""},
        {"\"long\"", "5", "\"int\"", NULL},        {"\"double\"", "5", "\"float\"", NULL},
        {"\"boolean\"", "true", "\"int\"", NULL},  {"\"boolean\"", "true", "\"boolean\"", "true"},
        {"\"null\"", "null", "\"null\"", "null"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        reads(rows[i].w, rows[i].value, rows[i].r, rows[i].want);
}

static void unions(void **state)
{
    reads("[\"null\",\"string\"]", "\"x\"", "[\"string\",\"null\"]", "\"x\"");
    reads("[\"null\",\"string\"]", "null", "[\"string\",\"null\"]", "null");
    reads(S, "\"x\"", "[\"null\",\"string\"]", "\"x\"");
    reads("[\"null\",\"string\"]", "\"x\"", S, "\"x\"");
    reads("[\"null\",\"string\"]", "null", S, NULL);
    reads("\"int\"", "1", "[\"string\",\"double\",\"int\"]", "1");
    reads("\"int\"", "1", "[\"string\",\"double\"]", "1.0");
    reads("\"boolean\"", "true", "[\"string\",\"double\"]", NULL);
}

static void named(void **state)
{
#define E(symbols, rest) "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]" rest "}"
    reads(E("\"A\",\"B\"", ""), "\"B\"", E("\"B\",\"C\",\"A\"", ""), "\"B\"");
    reads(E("\"A\",\"B\"", ""), "\"B\"", E("\"A\",\"X\"", ",\"default\":\"X\""), "\"X\"");
    reads(E("\"A\",\"B\"", ""), "\"B\"", E("\"A\"", ""), NULL);
    reads("{\"type\":\"fixed\",\"name\":\"D\",\"size\":2}", "\"ab\"", "{\"type\":\"fixed\",\"name\":\"D\",\"size\":2}",
          "\"ab\"");
    reads("{\"type\":\"fixed\",\"name\":\"D\",\"size\":2}", "\"ab\"", "{\"type\":\"fixed\",\"name\":\"D\",\"size\":3}",
          NULL);
    reads("{\"type\":\"array\",\"items\":\"int\"}", "[1,2]", "{\"type\":\"array\",\"items\":\"long\"}", "[1,2]");
    reads("{\"type\":\"map\",\"values\":\"int\"}", "{\"k\":1}", "{\"type\":\"map\",\"values\":[\"null\",\"double\"]}",
          "{\"k\":1.0}");
    reads("{\"type\":\"array\",\"items\":" R(F("a", S) "," F("b", "{\"type\":\"map\",\"values\":\"bytes\"}")) "}",
          "[{\"a\":\"1\",\"b\":{\"k\":\"v\"}},{\"a\":\"2\",\"b\":{}}]",
          "{\"type\":\"array\",\"items\":" R(F("a", S)) "}", "[{\"a\":\"1\"},{\"a\":\"2\"}]");
}

/* Fields in another order, left out, read twice; more of them than usual. */
static void places(void **state)
{
#define I(fields) F("a", "{\"type\":\"record\",\"name\":\"I\",\"fields\":[" fields "]}")
#define N4(n)     F(n "0", "\"int\"") "," F(n "1", "\"int\"") "," F(n "2", "\"int\"") "," F(n "3", "\"int\"")
    static const char many[] = R(N4("a") "," N4("b") "," N4("c") "," N4("d") "," N4("e"));
    static const char values[] = "{\"a0\":0,\"a1\":1,\"a2\":2,\"a3\":3,\"b0\":4,\"b1\":5,\"b2\":6,\"b3\":7,\"c0\":8,"
                                 "\"c1\":9,\"c2\":10,\"c3\":11,\"d0\":12,\"d1\":13,\"d2\":14,\"d3\":15,\"e0\":16,"
                                 "\"e1\":17,\"e2\":18,\"e3\":19}";
    reads(R(I(F("x", S) "," F("y", S)) "," F("b", S) "," F("c", S)),
          "{\"a\":{\"x\":\"1\",\"y\":\"2\"},\"b\":\"3\",\"c\":\"4\"}",
          R(F("c", S) "," I(F("y", S)) ",{\"name\":\"z\",\"type\":\"string\",\"aliases\":[\"b\"]}," F("b", S)),
          "{\"c\":\"4\",\"a\":{\"y\":\"2\"},\"z\":\"3\",\"b\":\"3\"}");
    reads("{\"type\":\"array\",\"items\":" R(I(F("x", S)) "," F("b", S)) "}",
          "[{\"a\":{\"x\":\"1\"},\"b\":\"2\"},{\"a\":{\"x\":\"3\"},\"b\":\"4\"}]",
          "{\"type\":\"array\",\"items\":" R("{\"name\":\"n\",\"type\":\"int\",\"default\":7}") "}",
          "[{\"n\":7},{\"n\":7}]");
    reads(many, values, many, values);
    reads(many, values, R(F("e3", "\"int\"") "," F("a0", "\"long\"") "," F("d3", "\"int\"")),
          "{\"e3\":19,\"a0\":0,\"d3\":15}");
}

/* Blocks that say their size, as Go writes them; and bodies that are no datum. */
static void odd_bodies(void **state)
{
    static const uint8_t sized[] = {3, 8, 2, 'a', 2, 'b', 0};
    fl_buf out;
    sch_value_error e;
    a = fl_arena_new();
    sch_schema *w = parse("{\"type\":\"array\",\"items\":\"string\"}"),
               *r = parse("{\"type\":\"array\",\"items\":\"bytes\"}");
    fl_buf_init(&out, 100);
    assert_true(sch_avro_resolve(w, r, sized, sizeof sized, &out, &e));
    assert_int_equal(out.len, 6);
    assert_memory_equal(out.p, "\4\2a\2b\0", 6);
    for (size_t n = 0; n < sizeof sized; n++)
        assert_false(sch_avro_resolve(w, r, sized, n, &out, &e));
    assert_int_equal(out.len, 6);
    fl_buf_free(&out);
    fl_buf_init(&out, 4); /* too small */
    assert_false(sch_avro_resolve(w, r, sized, sizeof sized, &out, &e));
    assert_int_equal(out.len, 0);
    fl_buf_free(&out);
    fl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields), cmocka_unit_test(promotions), cmocka_unit_test(unions),
        cmocka_unit_test(named),  cmocka_unit_test(places),     cmocka_unit_test(odd_bodies),
    };
    return cmocka_run_group_tests_name("resolution", tests, NULL, NULL);
}
