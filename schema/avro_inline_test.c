/* avro_inline_test.c: Avro schemas written out with what they refer to: each type once, names that mean the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "schema/schema.h"

#define REC(name, ns, fields)                                                                                          \
    "{\"type\":\"record\",\"name\":\"" name "\",\"namespace\":\"" ns "\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"

static const struct {
    const char *text, *refs[2], *out; /* out NULL: it cannot be written out */
} cases[] = {
    {"\"string\"", {NULL}, "\"string\""},
    {"[\"null\",\"n.B\"]", {REC("B", "n", "")}, "[\"null\"," REC("B", "n", "") "]"},
    /* the second use is a name; a simple name in the namespace; an array and a map keep their attributes */
    {REC("U", "n",
         FIELD("a", "\"B\"") "," FIELD("b", "{\"type\":\"array\",\"items\":\"n.B\",\"x\":1}") "," FIELD(
             "c", "{\"type\":\"map\",\"values\":\"B\"}")),
     {REC("B", "n", "")},
     REC("U", "n",
         FIELD("a", REC("B", "n", "")) "," FIELD("b", "{\"type\":\"array\",\"items\":\"n.B\",\"x\":1}") "," FIELD(
             "c", "{\"type\":\"map\",\"values\":\"n.B\"}"))},
    /* of another namespace, which refers to a third; a name of none is not to be had inside one */
    {REC("U", "n", FIELD("a", "\"m.B\"")),
     {"{\"type\":\"fixed\",\"name\":\"o.F\",\"size\":2}",
      REC("B", "m", FIELD("f", "\"o.F\"") "," FIELD("g", "\"o.F\""))},
     REC("U", "n",
         FIELD("a", REC("B", "m",
                        FIELD("f", "{\"type\":\"fixed\",\"name\":\"F\",\"namespace\":\"o\",\"size\":2}") "," FIELD(
                            "g", "\"o.F\""))))},
    {REC("U", "n", FIELD("a", "\"F\"") "," FIELD("b", "\"F\"")),
     {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}"},
     NULL},
    /* nested in what is referred to, wanted by itself */
    {REC("U", "n", FIELD("a", "\"m.In\"") "," FIELD("b", "\"m.B\"")),
     {"{\"type\":\"record\",\"name\":\"m.B\",\"fields\":[" FIELD(
         "i", "{\"type\":\"enum\",\"name\":\"In\",\"symbols\":[\"A\"]}") "]}"},
     NULL},
    {REC("L", "n", FIELD("next", "[\"null\",\"L\"]")), {NULL}, REC("L", "n", FIELD("next", "[\"null\",\"n.L\"]"))},
    {REC("U", "n", FIELD("a", "\"n.Nowhere\"")), {NULL}, NULL},
    {"{\"type\":3}", {NULL}, NULL},
    {"{", {NULL}, NULL},
};

static void written(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fl_arena *a = fl_arena_new();
        fl_buf b;
        sch_ref refs[2];
        size_t n = 0;
        for (; n < 2 && cases[i].refs[n]; n++)
            refs[n] = (sch_ref){"ref", cases[i].refs[n], strlen(cases[i].refs[n])};
        fl_buf_init(&b, 1 << 16);
        bool ok = sch_avro_inline(a, cases[i].text, strlen(cases[i].text), refs, n, &b);
        if (ok != (cases[i].out != NULL))
            fail_msg("%s: %s", cases[i].text, b.p ? b.p : "");
        if (ok)
            assert_string_equal(b.p, cases[i].out);
        fl_buf_free(&b);
        fl_arena_free(a);
    }
}

/* A chain of definitions deeper than is written out. */
static void deep(void **state)
{
    enum { N = 600 };
    fl_arena *a = fl_arena_new();
    sch_ref refs[N];
    fl_buf b;
    for (size_t i = 0; i < N; i++) {
        const char *text = i ? fl_printf(a, REC("R%zu", "n", FIELD("f", "\"n.R%zu\"")), i, i - 1) : REC("R0", "n", "");
        refs[i] = (sch_ref){"ref", text, strlen(text)};
    }
    fl_buf_init(&b, 1 << 20);
    assert_false(sch_avro_inline(a, "\"n.R599\"", 8, refs, N, &b));
    fl_buf_free(&b);
    fl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(written), cmocka_unit_test(deep)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
