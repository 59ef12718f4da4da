/* avro_normal_test.c: Avro schemas in the normalised spelling; what means the same is spelled the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "schema/schema.h"

static const char *normal(fl_arena *a, const char *text)
{
    fl_buf b;
    fl_jw w;
    const fl_json *json = fl_json_parse(a, text, strlen(text), 0, &(fl_json_error){0});
    assert_non_null(json);
    fl_buf_init(&b, 1 << 20);
    fl_jw_init(&w, &b, false);
    const char *out = sch_avro_normal(a, json, &w) ? fl_strndup(a, b.p, b.len) : NULL;
    fl_buf_free(&b);
    return out;
}

/* First what it becomes, then texts that become it. */
static void same(void **state)
{
    static const char *const cases[][4] = {
        {"\"string\"", "{\"type\":\"string\"}", "{\"type\":\"string\",\"doc\":\"no attribute of a string\"}"},
        {"{\"type\":\"string\",\"a\":1,\"b\":{\"x\":1,\"y\":2}}",
         "{\"b\":{\"y\":2,\"x\":1},\"a\":1,\"type\":\"string\"}"},
        {"[\"null\",\"int\"]", "[{\"type\":\"null\"},\"int\"]"},
        {"{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"int\",\"z\":1}}",
         "{\"values\":{\"z\":1,\"items\":{\"type\":\"int\"},\"type\":\"array\"},\"type\":\"map\"}"},
        {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[]}",
         "{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[]}",
         "{\"fields\":[],\"namespace\":\"n\",\"name\":\"R\",\"type\":\"record\",\"doc\":\"\",\"aliases\":[]}",
         "{\"type\":\"error\",\"name\":\"n.R\",\"namespace\":\"other\",\"fields\":[]}"},
        {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":"
         "\"enum\","
         "\"name\":\"E\",\"symbols\":[\"X\",\"A\"]}},{\"name\":\"b\",\"type\":\"E\"},{\"name\":\"c\",\"type\":\"o.F\"}]"
         "}",
         "{\"name\":\"n.R\",\"type\":\"record\",\"fields\":[{\"type\":{\"symbols\":[\"X\",\"A\"],\"name\":\"E\","
         "\"namespace\":"
         "\"n\",\"type\":\"enum\"},\"name\":\"a\",\"order\":\"ASCENDING\"},{\"name\":\"b\",\"type\":\"n.E\"},{\"name\":"
         "\"c\","
         "\"type\":{\"type\":\"o.F\"},\"aliases\":[]}]}"},
        /* a type without a namespace inside one that has one */
        {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":"
         "\"fixed\","
         "\"name\":\"F\",\"namespace\":\"\",\"size\":2}},{\"name\":\"b\",\"type\":\"F\"}]}",
         "{\"namespace\":\"n\",\"name\":\"R\",\"type\":\"record\",\"fields\":[{\"name\":\"a\",\"type\":{\"size\":2,"
         "\"name\":"
         "\"F\",\"namespace\":\"\",\"type\":\"fixed\"}},{\"name\":\"b\",\"type\":\"F\"}]}"},
        {"{\"type\":\"record\",\"name\":\"R\",\"doc\":\"d\",\"fields\":[{\"name\":\"f\",\"type\":[\"null\",\"string\"],"
         "\"doc\":\"\",\"default\":null,\"order\":\"ignore\",\"aliases\":[\"a\",\"b\"],\"confluent:tags\":[\"PII\"],"
         "\"p\":{\"a\":1,\"b\":2}}],\"m\":1,\"z\":2,\"aliases\":[\"Q\",\"x.P\"]}",
         "{\"z\":2,\"m\":1,\"aliases\":[\"x.P\",\"Q\",\"Q\"],\"doc\":\"d\",\"name\":\"R\",\"type\":\"record\","
         "\"fields\":[{"
         "\"p\":{\"b\":2,\"a\":1},\"confluent:tags\":[\"PII\"],\"aliases\":[\"b\",\"a\"],\"order\":\"ignore\",\"doc\":"
         "\"\","
         "\"default\":null,\"type\":[\"null\",\"string\"],\"name\":\"f\"}]}"},
        /* aliases are said inside the record's namespace */
        {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[],\"aliases\":[\"m.B\",\"A\"]}",
         "{\"type\":\"record\",\"name\":\"n.R\",\"aliases\":[\"n.A\",\"m.B\"],\"fields\":[]}"},
        /* logical types that Avro knows come first */
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2,\"a\":1}",
         "{\"scale\":2,\"a\":1,\"precision\":4,\"type\":\"bytes\",\"logicalType\":\"decimal\"}"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"a\":1,\"scale\":0}",
         "{\"scale\":0,\"a\":1,\"precision\":4,\"type\":\"bytes\",\"logicalType\":\"decimal\"}"},
        {"{\"type\":\"int\",\"a\":1,\"logicalType\":\"uuid\"}", "{\"logicalType\":\"uuid\",\"a\":1,\"type\":\"int\"}"},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\",\"a\":1}",
         "{\"a\":1,\"logicalType\":\"timestamp-millis\",\"type\":\"long\"}"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"],\"default\":\"A\",\"a\":1}",
         "{\"a\":1,\"default\":\"A\",\"symbols\":[\"B\",\"A\"],\"name\":\"E\",\"type\":\"enum\"}"},
    };
    fl_arena *a = fl_arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < 4 && cases[i][k]; k++) {
            const char *is = normal(a, cases[i][k]);
            assert_non_null(is);
            assert_string_equal(is, cases[i][0]);
        }
    fl_arena_free(a);
}

/* What differs stays different. */
static void different(void **state)
{
    static const char *const pairs[][2] = {
        {"\"string\"", "\"bytes\""},
        {"[\"null\",\"int\"]", "[\"int\",\"null\"]"},
        {"{\"type\":\"string\",\"a\":1}", "{\"type\":\"string\",\"a\":2}"},
        {"{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[]}",
         "{\"type\":\"record\",\"name\":\"m.R\",\"fields\":[]}"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}",
         "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"]}"},
        {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"}]}",
         "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"int\",\"default\":0}]}"},
        {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"}]}",
         "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"int\",\"confluent:tags\":[\"PII\"]"
         "}]}"},
    };
    fl_arena *a = fl_arena_new();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_string_not_equal(normal(a, pairs[i][0]), normal(a, pairs[i][1]));
    fl_arena_free(a);
}

/* What no parser takes is left to who asked. */
static void odd(void **state)
{
    static const char *const cases[] = {"1",
                                        "{}",
                                        "{\"type\":{}}",
                                        "{\"type\":\"record\"}",
                                        "{\"type\":\"array\"}",
                                        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{}]}"};
    fl_arena *a = fl_arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_null(normal(a, cases[i]));
    fl_arena_free(a);
}

int main(void)
{
    struct CMUnitTest tests[] = {cmocka_unit_test(same), cmocka_unit_test(different), cmocka_unit_test(odd)};
    return cmocka_run_group_tests_name("avro_normal", tests, NULL, NULL);
}
