/* json_walk_test.c: members of JSON objects are found by their names however texts spell, order and space them. */
#include "runtime/format/json_lab.h"

/* %1$s: the name, %2$s: what its value is, %3$s: a name that differs from it in one character. */
static const char *const forms[] = {
    "{\"%1$s\":%2$s,\"%3$s\":\"v\",\"s\":null}",
    "{\"s\":null,\"%1$s\":%2$s,\"%3$s\":\"v\"}",
    "{ \"%1$s\" : %2$s , \"%3$s\" : \"v\" }",
    "{\"%3$s\":\"v\",\"%1$s\":%2$s}",
    "{\"o\":[0,\"\"],\"%1$s\":%2$s,\"%3$s\":\"v\",\"f\":1}",
    "{\"%1$s\":%2$s, \"%3$s\":\n\"v\"}",
    "{\"%3$s\":\"v\",\"%1$s\":%2$s,\"filled\":\"so that sixteen bytes and more are left behind all of them\"}"};

static const char *form(size_t i, const char *name, const char *value, const char *other)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return fl_printf(l.a, forms[i], name, value, other);
#pragma GCC diagnostic pop
}

static rt_codec *codec_for(const char *name)
{
    return codec(
        fl_printf(l.a,
                  "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]},"
                  "\"o\":{\"type\":\"array\"},\"%s\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}}",
                  name),
        NULL);
}

static void both_ways(rt_codec *c, const char *plain, const char *wire)
{
    assert_string_equal(sealed(c, plain), wire);
    assert_string_equal(opened(c, wire), plain);
}

static void names_of_every_length(void **state)
{
    char name[41] = "", other[41];
    for (size_t n = 1; n < sizeof name - 1; n++) {
        memset(name, 'n', n - 1);
        memcpy(name + n - 1, "z", 2);
        rt_codec *c = codec_for(name);
        const char *x = fl_printf(l.a, "\"%s\"", x_sealed(c, "\"v\""));
        for (size_t at = 0; at < n; at++) {
            memcpy(other, name, n + 1);
            other[at] ^= 3;
            for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
                both_ways(c, form(i, name, "\"v\"", other), form(i, name, x, other));
        }
        rt_codec_close(c);
        lab_close(&l);
        lab_open(&l);
    }
}

/* A name that is the beginning of another, or goes on behind it, and one that is written with an escape. */
static void names_that_begin_alike(void **state)
{
    static const char *const names[] = {
        "a", "abcdefghijkl", "abcdefghijklm", "abcdefghijklmn", "abcdefghijklmno", "abcdefghijklmnopqrstuvwxyz"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rt_codec *c = codec_for(names[i]);
        const char *x = fl_printf(l.a, "\"%s\"", x_sealed(c, "\"v\"")), *longer = fl_printf(l.a, "%sX", names[i]);
        const char *shorter = fl_strndup(l.a, names[i], strlen(names[i]) - 1);
        const char *escaped = fl_printf(l.a, "\\u0061%s", names[i] + 1);
        for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
            both_ways(c, form(k, names[i], "\"v\"", longer), form(k, names[i], x, longer));
            both_ways(c, form(k, names[i], "\"v\"", shorter), form(k, names[i], x, shorter));
            both_ways(c, form(k, escaped, "\"v\"", longer), form(k, escaped, x, longer));
        }
        rt_codec_close(c);
        lab_close(&l);
        lab_open(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {unit(names_of_every_length), unit(names_that_begin_alike)};
    return cmocka_run_group_tests_name("json walk", tests, NULL, NULL);
}
